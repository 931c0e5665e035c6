/*
 * The loop of every command that talks over the network: poll() over connections, each a session behind a
 * wire, and the time.
 */
#define _POSIX_C_SOURCE 200809L

#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define OPENING_MS       30000u /* for TCP to one address, and for TLS */
#define ENDING_MS        5000u /* for the rest of the output, and for the other side to close, too */
#define ACCEPT_MS        1000u /* until the next try, when there are too many open files */
#define RATES_MS         10000u
#define ACCEPTED_AT_ONCE 64u
#define PORT_TRIES       16u
#define FILES_KEPT       16u /* of those that may be open, for what is not a client */

/* Where signals write to, so that poll() wakes up. */
static int signal_pipe[2] = {-1, -1};

/* What is written there. */
#define STOP   's'
#define HANGUP 'h'

static void tell_signal(char octet)
{
    int saved = errno;

    (void)!write(signal_pipe[1], &octet, 1);
    errno = saved;
}

static void on_signal(int number)
{
    (void)number;
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
    tell_signal(STOP);
}

static void on_hangup(int number)
{
    (void)number;
    tell_signal(HANGUP);
}

/* The first SIGINT or SIGTERM stops the loop, the next one, of either, the program. */
static void catch_signals(void)
{
    struct sigaction action;
    int i;

    if (pipe(signal_pipe) != 0) {
        complain("pipe: %s", strerror(errno));
        exit(EXIT_USAGE);
    }
    for (i = 0; i < 2; i++) {
        (void)fcntl(signal_pipe[i], F_SETFL, O_NONBLOCK);
        (void)fcntl(signal_pipe[i], F_SETFD, FD_CLOEXEC);
    }
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    action.sa_handler = SIG_IGN;
    action.sa_flags = 0;
    (void)sigaction(SIGPIPE, &action, NULL);
}

uint64_t clock_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static uint64_t clock_ms(void)
{
    return clock_us() / 1000u;
}

/* Clients must not take the last files that may be open: a state that cannot be written ends the program. */
static uint64_t most_connections(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY)
        return UINT64_MAX;
    return files.rlim_cur > 2 * FILES_KEPT ? files.rlim_cur - FILES_KEPT : FILES_KEPT;
}

void live_begin(struct live *live, const struct arguments *arguments)
{
    memset(live, 0, sizeof *live);
    live->verbose = option_given(arguments, "--verbose");
    live->due = UINT64_MAX;
    live->connections_max = most_connections();
    catch_signals();
    live->now = live->began_at = live->told_at = clock_ms();
}

bool live_open(struct live *live, const struct arguments *arguments, bool is_server)
{
    struct security security;

    if (!security_open(&security, arguments, is_server, false))
        return false;
    live_begin(live, arguments);
    live->security = security;
    return true;
}

void live_hear_hangups(struct live *live, void (*hangup)(struct live *live))
{
    struct sigaction action;

    live->hangup = hangup;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_hangup;
    action.sa_flags = SA_RESTART;
    (void)sigaction(SIGHUP, &action, NULL);
}

bool live_record(struct live *live, const struct arguments *arguments)
{
    const char *path = option_value(arguments, "--record");

    if (path == NULL)
        return true;
    if (!recording_open(&live->recording_file, path))
        return false;
    live->recording = &live->recording_file;
    return true;
}

void live_close(struct live *live)
{
    recording_close(live->recording);
    security_close(&live->security);
    free(live->polled);
}

void live_news(const struct live *live, const char *format, ...)
{
    char text[512];
    va_list values;

    if (!live->verbose)
        return;
    va_start(values, format);
    (void)vsnprintf(text, sizeof text, format, values);
    va_end(values);
    complain("%s", text);
}

/* Connections */

static struct connection *connection_new(struct live *live, const struct role *role, void *data)
{
    struct connection *made = calloc(1, sizeof *made);

    need_memory(made == NULL ? LEAT_E_NOMEM : LEAT_OK);
    made->live = live;
    made->role = role;
    made->data = data;
    made->due = UINT64_MAX;
    made->descriptor = -1;
    made->number = ++live->connection_number;
    made->deadline = live->now + OPENING_MS;
    made->again = true;
    made->next = live->connections;
    live->connections = made;
    live->connection_count++;
    return made;
}

static void connection_free(struct connection *connection)
{
    wire_close(&connection->wire);
    leat_session_free(connection->session);
    if (connection->addresses != NULL)
        freeaddrinfo(connection->addresses);
    free(connection);
}

static void close_now(struct connection *connection)
{
    if (connection->descriptor >= 0)
        (void)close(connection->descriptor);
    connection->descriptor = -1;
    connection->state = CLOSED;
}

void connection_end(struct connection *connection, bool failed, const char *format, ...)
{
    va_list values;

    if (connection->state >= ENDING)
        return;
    va_start(values, format);
    (void)vsnprintf(connection->reason, sizeof connection->reason, format, values);
    va_end(values);
    connection->failed = failed;
    if (connection->state < OPEN) {
        close_now(connection);
        return;
    }
    wire_say_end(&connection->wire);
    connection->state = ENDING;
    connection->deadline = connection->live->now;
    if (connection->ready || !connection->live->stopping)
        connection->deadline += ENDING_MS; /* else nothing was said that could be lost */
    connection->again = true;
}

void connection_wake(struct connection *connection)
{
    if (connection->state == OPEN)
        connection->again = connection->woken = true;
}

void connection_fail(struct connection *connection, const leat_error *error)
{
    connection_end(connection, true, "%s%s%s", leat_error_text(error),
                   leat_error_field(error)[0] != '\0' ? ": " : "", leat_error_field(error));
    if (leat_error_code(error) == LEAT_E_TIMEOUT)
        connection->deadline = connection->live->now; /* who is silent is not waited for */
}

void connection_malformed(struct connection *connection, const leat_event *event)
{
    if (connection->malformed++ == 0)
        complain("%s: %s: %s", connection->peer, leat_event_name(event, NULL),
                 leat_error_text(leat_event_error(event)));
}

/* TCP is there. */
static void established(struct connection *connection)
{
    struct live *live = connection->live;
    struct wire *wire = &connection->wire;
    const char *problem;

    connection->deadline = live->now + OPENING_MS;
    connection->security = &live->security;
    connection->role->open(connection);
    if (connection->state == CLOSED)
        return;
    connection->state = OPEN;
    wire->session = connection->session;
    wire->recording = live->recording;
    wire->conn = connection->number;
    wire->dir_in = connection->role->dir_in;
    wire->dir_out = connection->role->dir_out;
    problem = wire_open(wire, connection->security, connection->role->is_server);
    recording_event(live->recording, connection->number, NULL, "open");
    if (problem != NULL) {
        connection_end(connection, true, "%s", problem);
        close_now(connection); /* what the session would say must not be sent without TLS */
    }
}

/* Waits for the first octet, which tells whether TLS begins, and leaves it there. */
static void peek(struct connection *connection)
{
    uint8_t octet;
    ssize_t count = recv(connection->descriptor, &octet, 1, MSG_PEEK);
    bool waits = count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);

    connection->again = false;
    if (count > 0) {
        connection->is_tls = wire_is_tls(octet);
        established(connection);
    } else if (!waits || connection->live->now >= connection->deadline) {
        connection_end(connection, false, "closed without a word");
    }
}

/* Tries the addresses from connection->address on. */
static void try_addresses(struct connection *connection)
{
    for (; connection->address != NULL; connection->address = connection->address->ai_next) {
        const struct addrinfo *address = connection->address;

        net_name(address->ai_addr, address->ai_addrlen, true, connection->peer);
        net_name(address->ai_addr, address->ai_addrlen, false, connection->peer_address);
        connection->descriptor = net_connect(address);
        connection->deadline = connection->live->now + OPENING_MS;
        if (connection->descriptor >= 0)
            return;
        (void)snprintf(connection->reason, sizeof connection->reason, "%s: %s", connection->peer,
                       strerror(errno));
    }
    connection->failed = true;
    close_now(connection);
}

/* Whether TCP is there by now, or this address is none. */
static void finish_connecting(struct connection *connection, short happened)
{
    int number = 0;
    socklen_t length = sizeof number;

    if (happened != 0 &&
        getsockopt(connection->descriptor, SOL_SOCKET, SO_ERROR, &number, &length) != 0)
        number = errno;
    if (happened == 0) {
        if (connection->live->now < connection->deadline)
            return;
        number = ETIMEDOUT;
    }
    if (number == 0) {
        established(connection);
        return;
    }
    (void)snprintf(connection->reason, sizeof connection->reason, "%s: %s", connection->peer,
                   strerror(number));
    (void)close(connection->descriptor);
    connection->descriptor = -1;
    connection->address = connection->address->ai_next;
    try_addresses(connection);
}

struct connection *live_connect(struct live *live, const struct endpoint *endpoint,
                                const struct role *role, void *data)
{
    struct connection *connection = connection_new(live, role, data);
    const char *reason;

    connection->again = false;
    connection->addresses = connection->address = endpoint_resolve(endpoint, false, &reason);
    if (connection->addresses == NULL)
        (void)snprintf(connection->reason, sizeof connection->reason, "%.100s: %s", endpoint->host,
                       reason);
    try_addresses(connection);
    return connection;
}

/* Listening */

/* Keeps the first so many listeners. */
static void stop_listening(struct live *live, size_t kept)
{
    while (live->listener_count > kept)
        (void)close(live->listeners[--live->listener_count].descriptor);
}

/* Listens at all of them, at one port. NULL, or the one that it cannot listen at: errno tells why. */
static const struct addrinfo *listen_at(struct live *live, const struct addrinfo *address,
                                        const struct role *role, const char **reason)
{
    in_port_t port = 0;

    for (; address != NULL && live->listener_count < LISTENERS_MAX; address = address->ai_next) {
        int descriptor = net_listen(address, port);

        if (descriptor >= 0) {
            live->listeners[live->listener_count].descriptor = descriptor;
            live->listeners[live->listener_count++].role = role;
            port = net_port(descriptor);
        } else if (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL) {
            /* A host without IPv6 listens at its IPv4 addresses all the same. */
            *reason = strerror(errno);
        } else {
            return address;
        }
    }
    return NULL;
}

bool live_listen(struct live *live, const struct endpoint *endpoint, const struct role *role)
{
    const char *reason = "no address";
    struct addrinfo *found = endpoint_resolve(endpoint, true, &reason);
    const struct addrinfo *refused;
    char name[NET_NAME_BYTES];
    unsigned tries = 0;
    size_t before = live->listener_count;
    size_t i;

    while ((refused = listen_at(live, found, role, &reason)) != NULL) {
        /* A port that was free at one address may be taken at the next. */
        if (errno != EADDRINUSE || strcmp(endpoint->port, "0") != 0 || ++tries == PORT_TRIES) {
            net_name(refused->ai_addr, refused->ai_addrlen, true, name);
            complain("%s: %s", name, strerror(errno));
            freeaddrinfo(found);
            return false;
        }
        stop_listening(live, before);
    }
    if (found != NULL)
        freeaddrinfo(found);
    for (i = before; i < live->listener_count; i++) {
        struct sockaddr_storage where;
        socklen_t length = sizeof where;

        if (getsockname(live->listeners[i].descriptor, (struct sockaddr *)&where, &length) == 0) {
            net_name((struct sockaddr *)&where, length, true, name);
            complain("listening on %s", name);
        }
    }
    if (live->listener_count == before)
        complain("%s:%s: %s", endpoint->host, endpoint->port, reason);
    return live->listener_count > before;
}

static void accept_clients(struct live *live, const struct listener *listener)
{
    unsigned i;

    for (i = 0; i < ACCEPTED_AT_ONCE; i++) {
        struct sockaddr_storage from;
        socklen_t length;
        struct connection *connection;
        int descriptor = -1;

        errno = EMFILE;
        if (live->connection_count < live->connections_max)
            descriptor = net_accept(listener->descriptor, &from, &length);
        if (descriptor < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (descriptor < 0) {
            if (errno == EAGAIN || errno == EWOULDBLOCK)
                return;
            complain("a client cannot be accepted: %s", strerror(errno));
            live->accept_after = live->now + ACCEPT_MS;
            return;
        }
        connection = connection_new(live, listener->role, NULL);
        connection->descriptor = descriptor;
        net_name((struct sockaddr *)&from, length, true, connection->peer);
        net_name((struct sockaddr *)&from, length, false, connection->peer_address);
        if (connection->role->mixed)
            connection->state = PEEKING;
        else
            established(connection);
    }
}

/* A connection's turn */

/* The first failure counts: the later ones tell less. */
static void broke(struct connection *connection)
{
    if (connection->broken == 0)
        connection->broken = errno;
}

static void pull(struct connection *connection)
{
    size_t size;
    void *space = wire_recv_space(&connection->wire, &size);
    ssize_t count;

    if (space == NULL)
        return;
    do
        count = recv(connection->descriptor, space, size, 0);
    while (count < 0 && errno == EINTR);
    if (count > 0) {
        connection->live->octets_in += (uint64_t)count;
        wire_recv_done(&connection->wire, (size_t)count);
    } else if (count == 0 && connection->broken == 0) {
        connection->read_over = true;
        wire_recv_eof(&connection->wire);
    } else if (count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) {
        /* What came before is told first. A reset that send() met is but an end to recv(). */
        connection->read_over = connection->write_over = true;
        broke(connection);
    }
}

static void push(struct connection *connection)
{
    size_t length;
    const void *data;

    while (!connection->write_over && (data = wire_send_data(&connection->wire, &length)) != NULL &&
           length > 0) {
        ssize_t count = send(connection->descriptor, data, length, 0);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0) {
            /* The other side may have said why before it closed: what it sent is read still. */
            if (errno != EAGAIN && errno != EWOULDBLOCK) {
                connection->write_over = true;
                broke(connection);
            }
            return;
        }
        connection->live->octets_out += (uint64_t)count;
        wire_send_done(&connection->wire, (size_t)count);
    }
}

static bool has_output(struct connection *connection)
{
    size_t length;

    return !connection->write_over && wire_send_data(&connection->wire, &length) != NULL;
}

/* Draws the events, and lets the role answer. Whether there is more to be said as soon as the output is gone. */
static bool exchange(struct connection *connection, int *status)
{
    const leat_event *event;
    bool told, more;

    do {
        for (told = false; (*status = leat_next(connection->session, &event)) == LEAT_OK;
             told = true)
            connection->role->event(connection, event);
        need_memory(*status);
        more = connection->role->turn(connection);
    } while (*status == LEAT_PAUSED && told);
    return more;
}

/*
 * Runs the wire. Its failure cuts nothing off if all that is said has its length before it: the session tells what
 * was whole, and an end without close_notify is an end.
 */
static int run_wire(struct connection *connection, char *problem, size_t size, bool *cut)
{
    int status = wire_run(&connection->wire, problem, size);

    need_memory(status);
    if (status >= 0 || !connection->role->framed)
        return status;
    (void)leat_recv_eof(connection->session);
    *cut = true;
    return status == LEAT_E_END ? LEAT_OK : status;
}

/* Tells all that came, and lets the role answer. */
static void converse(struct connection *connection)
{
    leat_session *session = connection->session;
    char problem[256];
    const leat_error *error;
    bool woken = connection->woken;
    bool more = false, cut = false, had_output;
    size_t unsent;
    int wire, status = LEAT_MORE;

    connection->again = connection->woken = false;
    wire = run_wire(connection, problem, sizeof problem, &cut);
    leat_tick(session, connection->live->now); /* what came counts, however late it is read */
    if (!connection->ready && wire >= 0 && wire_is_ready(&connection->wire)) {
        connection->ready = true;
        connection->role->ready(connection);
        if (connection->state != OPEN)
            return;
    }
    /* Before TLS is there, nobody knows whom it would be said to; but a session may be over. */
    if (connection->ready || cut || woken)
        more = exchange(connection, &status);
    if (wire >= 0 && connection->state == OPEN) {
        wire = run_wire(connection, problem, sizeof problem, &cut);
        if (cut)
            more = exchange(connection, &status) || more;
    }
    had_output = has_output(connection);
    push(connection);
    /* When the output is gone, there is room for what waits: TLS takes so much at a time. */
    (void)leat_send_data(session, &unsent);
    more = more || (had_output && (unsent > 0 || status == LEAT_PAUSED));
    if (wire == LEAT_MORE || (more && !has_output(connection)))
        connection->again = true;
    error = leat_session_error(session);
    connection->lost =
        cut || wire == LEAT_E_END || (connection->read_over && connection->write_over);
    if (wire < 0)
        connection_end(connection, true, "%s", problem);
    else if (error != NULL)
        connection_fail(connection, error);
    else if ((leat_wants(session) & LEAT_WANT_CLOSE) != 0)
        connection_end(connection, false, "%s",
                       connection->read_over || connection->wire.ended
                           ? "the other side closed the connection"
                           : "closed");
    else if (cut)
        connection_end(connection, true, "%s", problem);
    else if (connection->read_over && connection->write_over)
        connection_end(connection, true, "%s", strerror(connection->broken));
    else if (!connection->ready && connection->live->now >= connection->deadline)
        connection_end(connection, true, "TLS: no handshake within %u s", OPENING_MS / 1000u);
}

/*
 * Sends what is left, says that this is all, and reads until the other side does: closing a socket with
 * unread octets would make the other side lose what we said last.
 */
static void finish(struct connection *connection, short happened)
{
    char ignored[4096];
    ssize_t count;

    push(connection);
    if (!connection->write_over && !has_output(connection)) {
        (void)shutdown(connection->descriptor, SHUT_WR);
        recording_event(connection->wire.recording, connection->number, connection->role->dir_out,
                        "eof");
        connection->write_over = true;
    }
    if (happened != 0 && !connection->read_over) {
        count = recv(connection->descriptor, ignored, sizeof ignored, 0);
        if (count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
            connection->read_over = true;
    }
    if ((connection->read_over && connection->write_over) ||
        connection->live->now >= connection->deadline)
        close_now(connection);
}

static void take_turn(struct connection *connection, short happened)
{
    if (connection->state == CONNECTING) {
        finish_connecting(connection, happened);
        happened = 0;
    }
    if (connection->state == PEEKING) {
        peek(connection);
        happened = POLLIN;
    }
    if (connection->state == OPEN) {
        if ((happened & (POLLIN | POLLHUP | POLLERR)) != 0 && !connection->read_over)
            pull(connection);
        converse(connection);
        happened = 0;
    }
    if (connection->state == ENDING) {
        connection->again = false;
        finish(connection, happened);
    }
}

static uint64_t deadline_of(const struct connection *connection)
{
    uint64_t deadline;

    if (connection->again || connection->state == CLOSED)
        return 0;
    if (connection->state != OPEN || !connection->ready)
        return connection->deadline;
    deadline = leat_deadline(connection->session);
    return connection->due < deadline ? connection->due : deadline;
}

static short polled_events(struct connection *connection)
{
    short events = 0;

    if (connection->state == CLOSED)
        return 0;
    if (connection->state == CONNECTING)
        return POLLOUT;
    if (connection->state == PEEKING)
        return POLLIN;
    if (!connection->read_over &&
        (connection->state == ENDING || (leat_wants(connection->session) & LEAT_WANT_READ) != 0))
        events |= POLLIN;
    if (has_output(connection))
        events |= POLLOUT;
    return events;
}

/* The loop */

/* Forgets the connections that are closed. */
static void reap(struct live *live)
{
    struct connection **place = &live->connections;

    while (*place != NULL) {
        struct connection *connection = *place;

        if (connection->state != CLOSED) {
            place = &connection->next;
            continue;
        }
        *place = connection->next;
        live->connection_count--;
        if (connection->session != NULL)
            recording_event(live->recording, connection->number, NULL, "closed");
        if (connection->malformed > 1)
            complain("%s: malformed messages: %" PRIu64, connection->peer, connection->malformed);
        connection->role->closed(connection);
        connection_free(connection);
    }
}

static void add_polled(struct live *live, size_t *count, int descriptor, short events)
{
    if (*count == live->polled_size) {
        live->polled_size = live->polled_size == 0 ? 16 : 2 * live->polled_size;
        live->polled = realloc(live->polled, live->polled_size * sizeof *live->polled);
        need_memory(live->polled == NULL ? LEAT_E_NOMEM : LEAT_OK);
    }
    live->polled[*count].fd = descriptor;
    live->polled[*count].events = events;
    live->polled[(*count)++].revents = 0;
}

/* Waits until something happens; signal_pipe comes first, then listeners, then connections, then the input. */
static void wait_for(struct live *live)
{
    uint64_t deadline = live->due;
    struct connection *connection;
    bool accepting = live->now >= live->accept_after;
    size_t count = 0;
    size_t i;
    int timeout;

    add_polled(live, &count, live->stopping ? -1 : signal_pipe[0], POLLIN);
    for (i = 0; i < live->listener_count; i++)
        add_polled(live, &count, accepting ? live->listeners[i].descriptor : -1, POLLIN);
    if (!accepting && live->accept_after < deadline)
        deadline = live->accept_after;
    if (live->verbose && live->told_at + RATES_MS < deadline)
        deadline = live->told_at + RATES_MS;
    for (connection = live->connections; connection != NULL; connection = connection->next) {
        uint64_t own = deadline_of(connection);

        short events = polled_events(connection);

        deadline = own < deadline ? own : deadline;
        connection->poll_index = count;
        /* A socket that nothing is wanted of would be told again and again that it was reset. */
        add_polled(live, &count, events == 0 ? -1 : connection->descriptor, events);
    }
    live->input_index = count;
    add_polled(live, &count, live->input != NULL ? live->input->descriptor : -1, POLLIN);
    if (deadline == UINT64_MAX)
        timeout = -1;
    else if (deadline <= live->now)
        timeout = 0;
    else
        timeout = deadline - live->now > INT_MAX ? INT_MAX : (int)(deadline - live->now);
    if (poll(live->polled, (nfds_t)count, timeout) < 0 && errno != EINTR) {
        complain("poll: %s", strerror(errno));
        exit(EXIT_USAGE);
    }
    live->now = clock_ms();
}

/* What happened since some time, when there were so many of each. */
static void tell_rates(const struct live *live, uint64_t since, uint64_t count, uint64_t octets_in,
                       uint64_t octets_out)
{
    double seconds = live->now > since ? (double)(live->now - since) / 1000.0 : 0.001;

    live_news(live,
              "%zu connections, %" PRIu64
              " %s; in %.1f s: %.0f a second, %.3f MB/s in, %.3f MB/s out",
              live->connection_count, live->count, live->counted, seconds,
              (double)(live->count - count) / seconds,
              (double)(live->octets_in - octets_in) / seconds / 1e6,
              (double)(live->octets_out - octets_out) / seconds / 1e6);
}

static void tell_rates_in_time(struct live *live)
{
    if (live->now < live->told_at + RATES_MS)
        return;
    tell_rates(live, live->told_at, live->told_count, live->told_in, live->told_out);
    live->told_at = live->now;
    live->told_count = live->count;
    live->told_in = live->octets_in;
    live->told_out = live->octets_out;
}

void live_stop(struct live *live)
{
    struct connection *connection;

    live->stopping = true;
    live->input = NULL;
    stop_listening(live, 0);
    if (live->stop != NULL)
        live->stop(live);
    for (connection = live->connections; connection != NULL; connection = connection->next) {
        if (live->stop == NULL || connection->session == NULL)
            connection_end(connection, false, "stopped");
        if (!connection->ready)
            connection->deadline = live->now;
    }
}

static void hear_signals(struct live *live)
{
    char octet;

    while (read(signal_pipe[0], &octet, 1) == 1) {
        if (octet == HANGUP)
            live->hangup(live);
        else
            live_stop(live);
    }
}

void live_run(struct live *live)
{
    for (;;) {
        struct connection *connection;
        size_t listeners;
        size_t i;

        reap(live);
        live->due = UINT64_MAX;
        if (live->turn != NULL)
            live->turn(live);
        recording_flush(live->recording);
        if (live->stopping && live->connections == NULL)
            break;
        listeners = live->listener_count;
        wait_for(live);
        for (connection = live->connections; connection != NULL; connection = connection->next) {
            short happened = live->polled[connection->poll_index].revents;

            if (happened != 0 || live->now >= deadline_of(connection))
                take_turn(connection, happened);
        }
        /* New connections stand in front of those that were polled, so they come last. */
        for (i = 0; i < live->listener_count && i < listeners; i++) {
            if (live->polled[1 + i].revents != 0)
                accept_clients(live, &live->listeners[i]);
        }
        if (live->input != NULL && live->polled[live->input_index].revents != 0)
            live->read(live);
        if (live->polled[0].revents != 0)
            hear_signals(live);
        tell_rates_in_time(live);
    }
    tell_rates(live, live->began_at, 0, 0, 0);
}
