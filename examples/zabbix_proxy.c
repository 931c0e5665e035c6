/*
 * An active Zabbix proxy that loses nothing: zabbix_proxy HOST PORT NAME FILE [VERSION]
 *
 * Each line of the standard input is an item's id and a value, "23296 0.42". Once a value is safe in
 * FILE, "stored ID" is printed, and then it reaches the server, whatever happens to this program.
 * After the end of the input it goes on until the server has everything.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <fcntl.h>
#include <leat/zabbix_proxy.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static leat_zabbix_proxy *proxy;
static leat_buffer *buffer;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void tick(void)
{
    struct timespec clock;

    clock_gettime(CLOCK_REALTIME, &clock);
    leat_zabbix_proxy_tick(proxy, now_ms(), (int64_t)clock.tv_sec * 1000000000 + clock.tv_nsec);
}

/* ---- the file: a save, and journals behind it ---- */

static const char *path;
static char new_path[4096];
static int file = -1;
static size_t saved_bytes, journal_bytes;

/* Appends what the buffer holds, and returns when it is on the disk. */
static size_t keep(int to)
{
    size_t length, at = 0;
    const char *data = leat_buffer_data(buffer, &length);

    while (at < length) {
        ssize_t n = write(to, data + at, length - at);

        if (n < 0)
            die(path);
        at += (size_t)n;
    }
    if (length > 0 && fsync(to) != 0)
        die(path);
    leat_buffer_clear(buffer);
    return length;
}

/* The new name must be on the disk, too. */
static void sync_folder(void)
{
    char folder[sizeof new_path];
    char *slash;
    int at;

    strcpy(folder, new_path);
    slash = strrchr(folder, '/');
    if (slash == NULL)
        strcpy(folder, ".");
    else
        slash[slash == folder] = '\0';
    at = open(folder, O_RDONLY | O_DIRECTORY);
    if (at < 0 || fsync(at) != 0)
        die(folder);
    close(at);
}

/* A new file is whole before it takes the place of the old one. */
static void save(void)
{
    int to = open(new_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (to < 0 || leat_zabbix_proxy_save(proxy, buffer) != LEAT_OK)
        die(new_path);
    saved_bytes = keep(to);
    if (rename(new_path, path) != 0)
        die(path);
    sync_folder();
    if (file >= 0)
        close(file);
    file = to;
    journal_bytes = 0;
}

static void journal(void)
{
    if (leat_zabbix_proxy_journal(proxy, buffer) != LEAT_OK)
        die(path);
    journal_bytes += keep(file);
    if (journal_bytes > saved_bytes + 65536)
        save();
}

static void restore(void)
{
    int from = open(path, O_RDONLY);
    struct stat about;
    size_t length = 0, used;
    char *data;
    ssize_t n = 1;

    if (from < 0 && errno == ENOENT)
        return;
    if (from < 0 || fstat(from, &about) != 0)
        die(path);
    data = malloc((size_t)about.st_size + 1);
    while (data != NULL && n > 0) {
        n = read(from, data + length, (size_t)about.st_size - length);
        if (n < 0)
            die(path);
        length += (size_t)n;
    }
    if (data == NULL || leat_zabbix_proxy_restore(proxy, data, length, &used) != LEAT_OK) {
        fprintf(stderr, "%s: %s\n", path, leat_error_text(leat_zabbix_proxy_error(proxy)));
        exit(1);
    }
    free(data);
    close(from);
}

/* ---- the values ---- */

static char input[65536];
static size_t input_length;
static int input_ended;

/* Takes a line. The number that its value got, or 0. */
static uint64_t take_line(const char *line, size_t length)
{
    leat_zabbix_history value;
    uint64_t id = 0;
    char *end;

    leat_zabbix_history_init(&value, sizeof value);
    value.itemid = strtoull(line, &end, 10);
    if (*end != ' ')
        return 0;
    value.value = end + 1;
    value.value_length = length - (size_t)(end + 1 - line);
    value.has = LEAT_ZABBIX_HAS_ITEMID | LEAT_ZABBIX_HAS_VALUE;
    if (leat_zabbix_proxy_history(proxy, &value, &id) != LEAT_OK)
        fprintf(stderr, "%s\n", leat_error_text(leat_zabbix_proxy_error(proxy)));
    return id;
}

/* Values are answered when they are safe, all that came together at once. */
static void read_values(void)
{
    ssize_t n = read(STDIN_FILENO, input + input_length, sizeof input - 1 - input_length);
    uint64_t first = 0, last = 0;
    char *line = input, *end;

    if (n <= 0) {
        input_ended = 1;
        return;
    }
    input_length += (size_t)n;
    input[input_length] = '\0';
    while ((end = memchr(line, '\n', input_length - (size_t)(line - input))) != NULL) {
        uint64_t id;

        *end = '\0';
        id = take_line(line, (size_t)(end - line));
        first = first == 0 ? id : first;
        last = id == 0 ? last : id;
        line = end + 1;
    }
    input_length -= (size_t)(line - input);
    memmove(input, line, input_length);
    if (input_length == sizeof input - 1)
        input_length = 0; /* a line that is too long */
    journal();
    for (; first != 0 && first <= last; first++)
        printf("stored %llu\n", (unsigned long long)first);
    fflush(stdout);
}

/* ---- the server ---- */

static leat_session *session;
static int server = -1;

static void hang_up(void)
{
    leat_session_free(session);
    session = NULL;
    if (server >= 0)
        close(server);
    server = -1;
    journal(); /* what the server has need not be kept */
}

static void call(const char *host, const char *port)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL, *at;

    if (getaddrinfo(host, port, &hints, &list) != 0)
        list = NULL;
    for (at = list; at != NULL && server < 0; at = at->ai_next) {
        server = socket(at->ai_family, at->ai_socktype, at->ai_protocol);
        if (server >= 0 && connect(server, at->ai_addr, at->ai_addrlen) != 0) {
            close(server);
            server = -1;
        }
    }
    if (list != NULL)
        freeaddrinfo(list);
    if (server < 0)
        hang_up(); /* that counts as a failure: there will be another session */
    else
        fcntl(server, F_SETFL, O_NONBLOCK);
}

static void print(const leat_event *event)
{
    size_t length, name_length;
    const char *name = leat_event_name(event, &name_length), *text;

    if (leat_event_kind(event) != LEAT_ZABBIX_CHANGE && leat_event_kind(event) != LEAT_ZABBIX_TASK)
        return;
    leat_buffer_clear(buffer);
    if (leat_buffer_json(buffer, leat_event_value(event)) == LEAT_OK) {
        text = leat_buffer_data(buffer, &length);
        printf("%.*s %.*s\n", (int)name_length, name, (int)length, text);
    }
    leat_buffer_clear(buffer);
}

/* One turn of the loop of session.h. */
static void converse(void)
{
    const leat_event *event;
    const void *data;
    void *space;
    size_t length;
    ssize_t n = 0;
    int status;

    leat_tick(session, now_ms());
    space = leat_recv_space(session, &length);
    if (length > 0 && (n = read(server, space, length)) > 0)
        leat_recv_done(session, (size_t)n);
    else if (length > 0 && (n == 0 || errno != EAGAIN))
        leat_recv_eof(session);
    while ((status = leat_next(session, &event)) == LEAT_OK)
        print(event);
    data = leat_send_data(session, &length);
    if (length > 0 && (n = write(server, data, length)) > 0)
        leat_send_done(session, (size_t)n);
    leat_send_data(session, &length);
    if (status < 0 && status != LEAT_E_END)
        fprintf(stderr, "%s\n", leat_error_text(leat_session_error(session)));
    if (status < 0 || (status == LEAT_END && length == 0) || (n < 0 && errno != EAGAIN))
        hang_up();
}

/* ---- all of it ---- */

static void make(const char *name, const char *version)
{
    leat_zabbix_proxy_options options;
    unsigned char random[16];
    char token[33];
    int from = open("/dev/urandom", O_RDONLY);
    size_t i;

    if (from < 0 || read(from, random, sizeof random) != (ssize_t)sizeof random)
        die("/dev/urandom");
    close(from);
    for (i = 0; i < sizeof random; i++)
        snprintf(token + 2 * i, 3, "%02x", (unsigned)random[i]);
    leat_zabbix_proxy_options_init(&options, sizeof options);
    options.name = name;
    options.version = version;
    options.session = token;
    if (leat_buffer_new(NULL, &buffer) != LEAT_OK ||
        leat_zabbix_proxy_new(NULL, &options, &proxy) != LEAT_OK) {
        fputs("not the name of a proxy, or not a version\n", stderr);
        exit(1);
    }
}

static int has_values(void)
{
    leat_zabbix_proxy_status status = {.size = sizeof status};

    leat_zabbix_proxy_get_status(proxy, &status);
    return status.rows > 0;
}

static void wait_for_something(void)
{
    uint64_t due = session == NULL ? leat_zabbix_proxy_deadline(proxy) : leat_deadline(session);
    uint64_t now = now_ms();
    uint32_t wants = session == NULL ? 0 : leat_wants(session);
    int wait = due <= now ? 0 : due - now > 1000 ? 1000 : (int)(due - now);
    struct pollfd fds[2] = {{.fd = input_ended ? -1 : STDIN_FILENO, .events = POLLIN},
                            {.fd = session == NULL ? -1 : server}};

    if ((wants & LEAT_WANT_READ) != 0)
        fds[1].events |= POLLIN;
    if ((wants & LEAT_WANT_WRITE) != 0)
        fds[1].events |= POLLOUT;
    (void)poll(fds, 2, wait);
    tick();
    if (fds[0].revents != 0)
        read_values();
}

int main(int count, char **words)
{
    if (count < 5 || strlen(words[4]) + 5 > sizeof new_path) {
        fputs("usage: zabbix_proxy HOST PORT NAME FILE [VERSION]\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN); /* a write to a peer that is gone only fails */
    path = words[4];
    snprintf(new_path, sizeof new_path, "%s.new", path);
    make(words[3], count > 5 ? words[5] : "7.0.22");
    tick();
    restore();
    save();
    while (!input_ended || session != NULL || has_values()) {
        if (session == NULL && leat_zabbix_proxy_connect(proxy, &session) == LEAT_OK)
            call(words[1], words[2]);
        if (session != NULL)
            converse();
        wait_for_something();
    }
    leat_zabbix_proxy_free(proxy);
    leat_buffer_free(buffer);
    close(file);
    return 0;
}
