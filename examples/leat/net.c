/* Addresses, and sockets that never block. */
#define _POSIX_C_SOURCE 200809L

#include "live.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

/* Connections that may wait to be accepted. */
#define BACKLOG 128

bool endpoint_read(struct endpoint *endpoint, const char *text, bool any)
{
    const char *colon = strrchr(text, ':');
    const char *host = text;
    size_t length;
    uint64_t port;

    if (colon == NULL || !number_read(colon + 1, strlen(colon + 1), 10, &port) ||
        port > UINT16_MAX || (port == 0 && !any)) {
        complain("%s: not %s:PORT", text, any ? "ADDR" : "HOST");
        return false;
    }
    length = (size_t)(colon - text);
    if (length >= 2 && host[0] == '[' && host[length - 1] == ']') {
        host++;
        length -= 2;
    } else if (memchr(host, ':', length) != NULL) {
        complain("%s: an IPv6 address is written as [ADDRESS]:PORT", text);
        return false;
    }
    if (length >= sizeof endpoint->host || (length == 0 && !any)) {
        complain("%s: not a name or an address", text);
        return false;
    }
    memcpy(endpoint->host, host, length);
    endpoint->host[length] = '\0';
    (void)snprintf(endpoint->port, sizeof endpoint->port, "%u", (unsigned)port);
    return true;
}

struct addrinfo *endpoint_resolve(const struct endpoint *endpoint, bool to_listen,
                                  const char **reason)
{
    struct addrinfo hints;
    struct addrinfo *found = NULL;
    int status;

    memset(&hints, 0, sizeof hints);
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV | (to_listen ? AI_PASSIVE : 0);
    status = getaddrinfo(endpoint->host[0] == '\0' ? NULL : endpoint->host, endpoint->port, &hints,
                         &found);
    if (status == 0)
        return found;
    *reason = status == EAI_SYSTEM ? strerror(errno) : gai_strerror(status);
    return NULL;
}

/* Closes it, and keeps errno. */
static int give_up(int descriptor)
{
    int saved = errno;

    (void)close(descriptor);
    errno = saved;
    return -1;
}

static bool never_block(int descriptor)
{
    int flags = fcntl(descriptor, F_GETFL);

    return flags >= 0 && fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0 &&
           fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0;
}

/* What is good to have, and no failure to lack: small messages at once, and news of a host that is gone. */
static void tune(int descriptor)
{
    const int on = 1;

    (void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

int net_connect(const struct addrinfo *address)
{
    int descriptor = socket(address->ai_family, address->ai_socktype, address->ai_protocol);

    if (descriptor < 0)
        return -1;
    tune(descriptor);
    if (!never_block(descriptor) ||
        (connect(descriptor, address->ai_addr, address->ai_addrlen) != 0 && errno != EINPROGRESS))
        return give_up(descriptor);
    return descriptor;
}

int net_listen(const struct addrinfo *address, in_port_t port)
{
    struct sockaddr_storage where;
    int descriptor = socket(address->ai_family, address->ai_socktype, address->ai_protocol);
    const int on = 1;

    if (descriptor < 0)
        return -1;
    memset(&where, 0, sizeof where);
    memcpy(&where, address->ai_addr, address->ai_addrlen);
    if (address->ai_family == AF_INET6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&where;

        if (in6->sin6_port == 0)
            in6->sin6_port = port;
        /* IPv4 has a socket of its own. */
        (void)setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    } else if (address->ai_family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)&where;

        if (in->sin_port == 0)
            in->sin_port = port;
    }
    (void)setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (!never_block(descriptor) ||
        bind(descriptor, (struct sockaddr *)&where, address->ai_addrlen) != 0 ||
        listen(descriptor, BACKLOG) != 0)
        return give_up(descriptor);
    return descriptor;
}

int net_accept(int listener, struct sockaddr_storage *from, socklen_t *length)
{
    int descriptor;

    *length = sizeof *from;
    descriptor = accept(listener, (struct sockaddr *)from, length);
    if (descriptor < 0)
        return -1;
    tune(descriptor);
    return never_block(descriptor) ? descriptor : give_up(descriptor);
}

in_port_t net_port(int descriptor)
{
    struct sockaddr_storage where;
    socklen_t length = sizeof where;

    memset(&where, 0, sizeof where);
    if (getsockname(descriptor, (struct sockaddr *)&where, &length) != 0)
        return 0;
    return where.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&where)->sin6_port
                                       : ((struct sockaddr_in *)&where)->sin_port;
}

void net_name(const struct sockaddr *address, socklen_t length, bool with_port,
              char text[NET_NAME_BYTES])
{
    char host[64];
    char port[8];

    if (getnameinfo(address, length, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        (void)snprintf(text, NET_NAME_BYTES, "unknown address");
    else if (!with_port)
        (void)snprintf(text, NET_NAME_BYTES, "%.*s", (int)strcspn(host, "%"), host);
    else
        (void)snprintf(text, NET_NAME_BYTES, strchr(host, ':') != NULL ? "[%s]:%s" : "%s:%s", host,
                       port);
}

/* What an IPv4 address as IPv6 begins with. */
static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool address_is_ipv4(const uint8_t octets[16])
{
    return memcmp(octets, mapped, sizeof mapped) == 0;
}

void address_map(const uint8_t ipv4[4], uint8_t octets[16])
{
    memcpy(octets, mapped, sizeof mapped);
    memcpy(octets + sizeof mapped, ipv4, 4);
}

bool address_read(const char *text, size_t length, uint8_t octets[16])
{
    uint8_t ipv4[4];
    char copy[INET6_ADDRSTRLEN];

    if (length >= sizeof copy)
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (inet_pton(AF_INET6, copy, octets) == 1)
        return true;
    if (inet_pton(AF_INET, copy, ipv4) != 1)
        return false;
    address_map(ipv4, octets);
    return true;
}
