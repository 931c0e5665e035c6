#define _DEFAULT_SOURCE

#include "sockets.h"

#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void connect_loopback(int ends[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0 ||
        connect(ends[0], (struct sockaddr *)&address, sizeof address) != 0)
        die("loopback");
    ends[1] = accept(listener, NULL, NULL);
    if (ends[1] < 0 || setsockopt(ends[0], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        setsockopt(ends[1], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
        die("accept");
    (void)close(listener);
}

void connect_pair(int ends[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        die("socketpair");
}

void unblock(const struct end *end)
{
    if (fcntl(end->fd, F_SETFL, O_NONBLOCK) != 0)
        die("fcntl");
}

const void *output_of(const struct end *end, size_t *length)
{
    return end->tls == NULL ? leat_send_data(end->session, length)
                            : leat_tls_send_data(end->tls, length);
}

bool write_some(struct end *end)
{
    size_t length;
    const void *data = output_of(end, &length);
    ssize_t n = length == 0 ? 0 : write(end->fd, data, length);

    if (n <= 0) {
        end->closed = end->closed || (n < 0 && errno != EAGAIN);
        return false;
    }
    check(end->tls == NULL ? leat_send_done(end->session, (size_t)n)
                           : leat_tls_send_done(end->tls, (size_t)n));
    return true;
}

void read_some(struct end *end)
{
    size_t length;
    void *space = end->tls == NULL ? leat_recv_space(end->session, &length)
                                   : leat_tls_recv_space(end->tls, &length);
    ssize_t n;

    if (space == NULL)
        return;
    n = read(end->fd, space, length);
    if (n > 0)
        check(end->tls == NULL ? leat_recv_done(end->session, (size_t)n)
                               : leat_tls_recv_done(end->tls, (size_t)n));
    else
        end->closed = end->closed || n == 0 || errno != EAGAIN;
}

void close_end(struct end *end)
{
    leat_tls_free(end->tls);
    leat_session_free(end->session);
}

/* Moves what one has to send to the other. True if there was anything. */
static bool carry(struct end *from, struct end *to)
{
    size_t length, room;
    const void *data = leat_tls_send_data(from->tls, &length);
    void *space;

    if (length == 0)
        return false;
    space = leat_tls_recv_space(to->tls, &room);
    length = length < room ? length : room;
    memcpy(space, data, length);
    check(leat_tls_recv_done(to->tls, length));
    check(leat_tls_send_done(from->tls, length));
    return true;
}

/* Draws all that there is. */
static void settle(struct end *end)
{
    const leat_event *event;

    do {
        while (leat_next(end->session, &event) == LEAT_OK)
            ;
    } while (leat_tls_run(end->tls) == LEAT_MORE);
}

void shake_hands(struct end *client, struct end *server)
{
    bool moved;

    do {
        settle(client);
        settle(server);
        moved = carry(client, server);
        moved = carry(server, client) || moved;
    } while (moved);
}
