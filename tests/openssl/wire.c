/*
 * One end of TLS over a socket, for peers that are programs:
 *
 *     wire server|client PORT [identity I key K] [files CERTIFICATE KEY AUTHORITIES] [anonymous]
 *
 * Port 0: any; a server says which it has. It says a line, waits for one, and tells on standard output
 * how the peer was let in: by, version, suite, identity, subject, what came; or what failed.
 */
#include "ends.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static int give_up(const char *what)
{
    printf("failed: %s\n", what);
    return EXIT_FAILURE;
}

/* The octets of a file, whose name may be NULL. */
static struct t_bytes whole(const char *path)
{
    struct t_bytes bytes = t_copy("", 0);
    FILE *file = path == NULL ? NULL : fopen(path, "rb");
    char piece[4096];
    size_t length;

    while (file != NULL && (length = fread(piece, 1, sizeof piece, file)) > 0)
        t_append(&bytes, piece, length);
    if (file != NULL)
        (void)fclose(file);
    return bytes;
}

static int open_socket(bool is_server, const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0), accepted;

    if (!is_server)
        return connect(fd, (const struct sockaddr *)&address, length) == 0 ? fd : -1;
    if (bind(fd, (const struct sockaddr *)&address, length) != 0 || listen(fd, 1) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        return -1;
    printf("port %u\n", (unsigned)ntohs(address.sin_port));
    (void)fflush(stdout);
    accepted = accept(fd, NULL, NULL);
    (void)close(fd);
    return accepted;
}

static void send_all(struct t_end *end, int fd)
{
    const void *data;
    ssize_t sent;
    size_t length;

    while ((data = leat_tls_send_data(end->tls, &length)) != NULL &&
           (sent = send(fd, data, length, MSG_NOSIGNAL)) > 0)
        (void)leat_tls_send_done(end->tls, (size_t)sent);
}

/* False: the conversation is over. */
static bool receive(struct t_end *end, int fd)
{
    size_t length;
    void *space = leat_tls_recv_space(end->tls, &length);
    ssize_t received = space == NULL ? -1 : recv(fd, space, length, 0);

    if (received <= 0)
        return leat_tls_recv_eof(end->tls) == LEAT_OK && t_end_run(end) >= 0 && received == 0;
    return leat_tls_recv_done(end->tls, (size_t)received) == LEAT_OK;
}

/* What is known of the peer; also if it then went away without a word. */
static int tell(const struct t_end *end)
{
    SSL *ssl = leat_tls_ssl(end->tls);
    const char *identity = leat_tls_psk_identity(end->tls);
    char subject[256];

    (void)leat_tls_peer_subject(end->tls, subject, sizeof subject);
    printf("by %u\nversion %s\nsuite %s\nidentity %s\nsubject %s\ngot %s",
           (unsigned)leat_tls_peer_by(end->tls), SSL_get_version(ssl), SSL_get_cipher_name(ssl),
           identity == NULL ? "" : identity, subject, (const char *)end->got.data);
    return EXIT_SUCCESS;
}

static int tell_failure(const struct t_end *end)
{
    int result = give_up(leat_error_text(leat_tls_error(end->tls)));

    return leat_tls_is_ready(end->tls) == 1 ? tell(end) : result;
}

static int talk(struct t_end *end, int fd)
{
    int status;

    t_say(end, "water\n", 6);
    do {
        status = t_end_run(end);
        send_all(end, fd);
        if (status < 0)
            return tell_failure(end);
        if (memchr(end->got.data, '\n', end->got.length) != NULL) {
            (void)leat_tls_close(end->tls);
            send_all(end, fd);
            return tell(end);
        }
    } while (receive(end, fd));
    return tell_failure(end);
}

/* Opens the connection and both layers on it, and talks. */
static int converse(struct t_end *end, bool is_server, const char *port)
{
    int fd = open_socket(is_server, port), status;

    if (fd < 0)
        return give_up("no connection");
    status = is_server ? leat_tls_accept(NULL, end->context, end->session, &end->tls)
                       : leat_tls_connect(NULL, end->context, NULL, end->session, &end->tls);
    status = status == LEAT_OK ? talk(end, fd) : give_up("out of memory");
    (void)close(fd);
    return status;
}

static int run(int argc, char **argv)
{
    bool is_server = argc > 1 && strcmp(argv[1], "server") == 0;
    const char *files[3] = {NULL, NULL, NULL}, *reason = "";
    leat_tls_psk psk = {NULL, NULL};
    leat_tls_options options;
    struct t_bytes octets[3];
    struct t_end end = {0};
    int result, i;

    leat_tls_options_init(&options, sizeof options);
    options.anonymous = argc > 3 && strcmp(argv[argc - 1], "anonymous") == 0 ? 1 : 0;
    for (i = 3; i + 3 < argc; i += 4) {
        if (strcmp(argv[i], "identity") == 0) {
            psk = (leat_tls_psk){argv[i + 1], argv[i + 3]};
            options.psks = &psk;
            options.psk_count = 1;
        } else {
            memcpy(files, argv + i + 1, sizeof files);
        }
    }
    for (i = 0; i < 3; i++)
        octets[i] = whole(files[i]);
    if (files[0] != NULL) {
        options.certificate = octets[0].data;
        options.certificate_length = octets[0].length;
        options.key = octets[1].data;
        options.key_length = octets[1].length;
        options.authorities = octets[2].data;
        options.authorities_length = octets[2].length;
    }
    t_end_begin(&end);
    result = is_server ? leat_tls_server_context(&options, &end.context, &reason)
                       : leat_tls_client_context(&options, &end.context, &reason);
    result = result == LEAT_OK && argc > 2 ? converse(&end, is_server, argv[2]) : give_up(reason);
    t_end_free(&end);
    for (i = 0; i < 3; i++)
        t_free(octets[i]);
    return result;
}

static int words;
static char **arguments;
static int status; /* of the conversation */

START_TEST(conversation)
{
    status = run(words, arguments);
}
END_TEST

/* What it is made of is of the tests, and fails as they do: it runs as one, but by itself. */
int main(int argc, char **argv)
{
    Suite *suite = suite_create("wire");
    TCase *cases = tcase_create("wire");
    SRunner *runner = srunner_create(suite);
    int failed;

    words = argc;
    arguments = argv;
    (void)alarm(60);
    tcase_add_test(cases, conversation);
    suite_add_tcase(suite, cases);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? status : EXIT_FAILURE;
}
