/*
 * What the commands share that talk over the network, whatever the dialect: addresses, the loop, TLS or none,
 * and recordings.
 */
#ifndef LEAT_LIVE_H
#define LEAT_LIVE_H

#include "tool.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* net.c: addresses, and sockets that never block. */

struct endpoint {
    char host[256]; /* a name or an address; "": every address of ours */
    char port[6];
};

/* Room for an address and a port as text: "[2001:db8::1%eth0]:8302". */
#define NET_NAME_BYTES 96

/* Reads HOST:PORT, [ADDRESS]:PORT or, if any is true, :PORT. False, with a complaint, if it is none. */
bool endpoint_read(struct endpoint *endpoint, const char *text, bool any);

/* The addresses, to be freed with freeaddrinfo(). NULL: there are none, and *reason tells why. */
struct addrinfo *endpoint_resolve(const struct endpoint *endpoint, bool to_listen,
                                  const char **reason);

/* A socket that begins to connect. -1: it cannot, and errno tells why. */
int net_connect(const struct addrinfo *address);
/* A socket that listens; at that port if the address has port 0. -1: it cannot, as above. */
int net_listen(const struct addrinfo *address, in_port_t port);
/* The next client of it, and where it is. -1: there is none, as above. */
int net_accept(int listener, struct sockaddr_storage *from, socklen_t *length);
/* The port that a socket has, in network byte order. */
in_port_t net_port(int descriptor);
/* ADDRESS:PORT as text; or the address alone, as certificates have it: without a zone. */
void net_name(const struct sockaddr *address, socklen_t length, bool with_port,
              char text[NET_NAME_BYTES]);
/* Reads an address as 16 octets, IPv4 ones as ::ffff:a.b.c.d. False: it is none. */
bool address_read(const char *text, size_t length, uint8_t octets[16]);
bool address_is_ipv4(const uint8_t octets[16]);
/* The 16 octets of an IPv4 address, as above. */
void address_map(const uint8_t ipv4[4], uint8_t octets[16]);

/* file.c: files that are to last. A full disk, or a pipe that is closed, ends the program. */

/* Both texts as one, to be freed. */
char *file_joined(const char *path, const char *end);
/* The file's octets, to be freed; NULL: it is not there. False, with a complaint, if it cannot be read. */
bool file_read_if_there(const char *path, char **data, size_t *length);
void file_give_up(const char *path);
void file_write(const char *path, int descriptor, const void *data, size_t length);
/* The new name of a file lasts when its folder was written. */
void file_sync_name(const char *path);
/* Puts a whole file in the place of that one. */
void file_replace(const char *path, const leat_buffer *buffer);
/* Makes the file ours until the program ends. False, with a complaint: another program has it. */
bool file_lock(const char *path);

/* recording.c: the octets of both directions, as decode capture reads them. */

struct recording {
    FILE *file;
    const char *name;
    uint64_t start_us;
};

/* False, with a complaint, if the file cannot be written. */
bool recording_open(struct recording *recording, const char *path);
/* All of these end the program if the file cannot be written. A NULL recording records nothing. */
void recording_octets(struct recording *recording, uint64_t conn, const char *dir,
                      const void *octets, size_t length);
/* What happened: "open", "eof", "closed"; dir is NULL if it concerns both. */
void recording_event(struct recording *recording, uint64_t conn, const char *dir,
                     const char *event);
void recording_flush(struct recording *recording);
void recording_close(struct recording *recording);

/* wire.c: what is between the socket and the session: nothing, or TLS. */

/* Who we are and whom we believe. */
struct security {
    void *context;         /* an SSL_CTX; NULL: no TLS */
    const char *peer_name; /* that the other side's certificate must be for; NULL: any */
    bool check_address;    /* it must be for the address that the client comes from */
};

/* Without TLS. */
extern const struct security no_security;

/* The file that an option names, if it was given. False, with a complaint: it cannot be read. */
bool option_file(const struct arguments *arguments, const char *name, void **data, size_t *length);
/* Octets that nobody can foresee. False, with a complaint: the system has none. */
bool random_octets(void *octets, size_t length);

/* Frees what may be secret. */
void secret_free(void *data, size_t length);
/* Ends the text behind its first line. False, with a complaint: it is not one. */
bool secret_line(char *text, size_t length, const char *path);

/*
 * By the options of the command. anonymous: without keys, certificates and authorities nobody proves who he is.
 * False, with a complaint, if they are not complete or not sound.
 */
bool security_open(struct security *security, const struct arguments *arguments, bool is_server,
                   bool anonymous);
void security_close(struct security *security);

struct wire {
    leat_session *session;
    struct leat_tls *tls; /* NULL: none */
    struct recording *recording;
    uint64_t conn;
    const char *dir_in;
    const char *dir_out;
    void *space;     /* lent by the session, without TLS */
    bool ended;      /* the other side said close_notify */
    size_t recorded; /* octets of the session's output that are recorded, but still there */
};

/*
 * Puts the wire in front of wire->session; that and what is for recordings is set, the rest 0. NULL, or what
 * is wrong.
 */
const char *wire_open(struct wire *wire, const struct security *security, bool is_server);
void wire_close(struct wire *wire);
/* Whether a connection that begins with this octet begins with TLS. */
bool wire_is_tls(uint8_t octet);
/* Whether octets of the session can pass. */
bool wire_is_ready(const struct wire *wire);
/* A line about TLS: version and cipher; "no TLS". */
void wire_describe(const struct wire *wire, char *text, size_t size);
/* Whether the certificate of the other side is for that address; without TLS, it is. */
bool wire_peer_is(const struct wire *wire, const char *address);

/* How the other side was let in, as leat_tls_peer_by() tells; 1 without TLS. */
uint32_t wire_peer_by(const struct wire *wire);
/* The identity of the key that was used; NULL: none was. */
const char *wire_psk_identity(const struct wire *wire);
/* The issuer and the subject of the certificate; "" if there is none, or the name is too long. */
void wire_peer_names(const struct wire *wire, char *issuer, char *subject, size_t size);

/* As leat_tls_run(), and then the other verbs. reason tells what failed. */
int wire_run(struct wire *wire, char *reason, size_t size);
void wire_say_end(struct wire *wire);
void *wire_recv_space(struct wire *wire, size_t *length);
void wire_recv_done(struct wire *wire, size_t length);
void wire_recv_eof(struct wire *wire);
const void *wire_send_data(struct wire *wire, size_t *length);
void wire_send_done(struct wire *wire, size_t length);

/*
 * live.c: the loop. A connection is made by live_connect() or by a client of live_listen(), and belongs to
 * the loop, which frees it after role->closed().
 */

/* A monotonic clock. */
uint64_t clock_us(void);

struct connection;

/* What a command does with its connections. */
struct role {
    const char *dir_in; /* of recordings: "server>client" */
    const char *dir_out;
    bool is_server;
    bool mixed;  /* of a server: TLS and none at one port, as the first octet tells */
    bool framed; /* every message tells its length, so that nobody can cut one off unseen */
    /*
     * TCP is there: makes connection->session, and may choose connection->security. Or ends the connection, and
     * makes none.
     */
    void (*open)(struct connection *connection);
    /* TLS is there, too. */
    void (*ready)(struct connection *connection);
    void (*event)(struct connection *connection, const leat_event *event);
    /*
     * All events that were there are told: the time to send. True: there is more to be sent as soon as the
     * output is written; or set connection->due.
     */
    bool (*turn)(struct connection *connection);
    /*
     * It is over; connection->reason tells why, and session is NULL if there never was one. Of a mixed role,
     * open() may not have been called.
     */
    void (*closed)(struct connection *connection);
};

enum connection_state { CONNECTING, PEEKING, OPEN, ENDING, CLOSED };

struct connection {
    struct live *live;
    const struct role *role;
    void *data; /* the role's */
    leat_session *session;
    const struct security *security; /* live->security, unless the role chooses another */
    bool is_tls;                     /* of a mixed role: the client began with TLS */
    uint64_t due; /* of the role: when it wants its turn, if nothing else happens */
    char peer[NET_NAME_BYTES];
    char peer_address[NET_NAME_BYTES];
    char reason[256];
    bool failed; /* it did not end as it should */
    bool lost;   /* because it broke: the other side did not say that it would end */
    bool ready;  /* TLS was there, too */

    /* The loop's own. */
    struct connection *next;
    enum connection_state state;
    uint64_t number;
    struct wire wire;
    int descriptor;
    struct addrinfo *addresses; /* of a connection that we make, to be tried one after the other */
    struct addrinfo *address;
    uint64_t deadline; /* of CONNECTING, PEEKING and ENDING, and of the TLS handshake */
    bool read_over;
    bool write_over;
    int broken;         /* the errno that ended it; 0: none */
    uint64_t malformed; /* messages */
    bool again;         /* its turn is due at once, */
    bool woken;         /* since its session has something to tell or to write */
    size_t poll_index;
};

/* Room for a reason behind an address. */
#define REASON_BYTES 384

#define LISTENERS_MAX 16

struct listener {
    int descriptor;
    const struct role *role; /* of its clients */
};

struct live {
    struct security security;
    struct recording *recording; /* NULL: none */
    bool verbose;
    const char *counted; /* what count tells, for rates: "events" */
    uint64_t count;
    void *data; /* the command's */
    /* Called once in each turn of the loop; may set due. NULL: there is nothing to do. */
    void (*turn)(struct live *live);
    uint64_t due;
    uint64_t now; /* ms of a monotonic clock, in this turn of the loop */
    bool stopping;
    /* How conversations end: then connections close when they are over. NULL: they are broken off. */
    void (*stop)(struct live *live);
    struct input *input;             /* is waited for, NULL: there is none now; */
    void (*read)(struct live *live); /* then something is there */

    /* The loop's own. */
    void (*hangup)(struct live *live);
    size_t input_index;
    struct recording recording_file;
    struct connection *connections;
    size_t connection_count;
    uint64_t connections_max; /* beyond, no client is accepted */
    uint64_t connection_number;
    struct listener listeners[LISTENERS_MAX];
    size_t listener_count;
    uint64_t accept_after;
    struct pollfd *polled;
    size_t polled_size;
    uint64_t octets_in;
    uint64_t octets_out;
    uint64_t began_at;
    uint64_t told_at; /* rates, and what they began with */
    uint64_t told_count;
    uint64_t told_in;
    uint64_t told_out;
};

/* Reads the options of TLS and --verbose. False, with a complaint, if they are wrong. */
bool live_open(struct live *live, const struct arguments *arguments, bool is_server);
/* The same without options of TLS. */
void live_begin(struct live *live, const struct arguments *arguments);
/* What SIGHUP does instead of ending the program. */
void live_hear_hangups(struct live *live, void (*hangup)(struct live *live));
/* Begins the recording of --record, which overwrites the file: when all else is sound. False, as above. */
bool live_record(struct live *live, const struct arguments *arguments);
void live_close(struct live *live);

/* May be called several times. Tells where it listens. False, with a complaint, if it cannot. */
bool live_listen(struct live *live, const struct endpoint *endpoint, const struct role *role);
/* Whatever goes wrong comes as role->closed(). */
struct connection *live_connect(struct live *live, const struct endpoint *endpoint,
                                const struct role *role, void *data);

/* Runs until it was stopped, by live_stop() or a signal, and every connection is closed. */
void live_run(struct live *live);
/* Listens no more, and ends the connections. */
void live_stop(struct live *live);

/*
 * Ends a connection when its output is written. The first reason counts; failed: it is one to complain
 * about.
 */
void connection_end(struct connection *connection, bool failed, const char *format, ...)
    LIKE_PRINTF(3, 4);

/* Gives it a turn at once: its session has something to write or to tell. */
void connection_wake(struct connection *connection);

/* The same as connection_end(), for what a session could not do. */
void connection_fail(struct connection *connection, const leat_error *error);

/* Complains of a message that could not be decoded: of the first one, and in the end of how many there were. */
void connection_malformed(struct connection *connection, const leat_event *event);

/* A line on standard error, if --verbose. */
void live_news(const struct live *live, const char *format, ...) LIKE_PRINTF(2, 3);

/* talk.c: lines that go in and out. */

/* Prints an event of a connection; proxy is the name of the one at its other end, or NULL. */
void print_event(struct output *output, const struct connection *connection,
                 const leat_event *event, const char *proxy);

/* Why it is over, behind the address, as text of that size. */
void describe_end(const struct connection *connection, char *text, size_t size);

/* What text of JSON says, as a line of the input or a file: a record. NULL, and *problem tells why not. */
const leat_value *record_read(leat_builder *builder, const char *text, size_t length,
                              const char **problem);

/* Whether the line is that command: {"reload":true}. */
bool is_command(const leat_value *line, const char *name);

/* The field's text, which holds no zero octet, to be freed. NULL: it is not there. */
char *text_copy(const leat_value *record, const char *name);

/* Whether every field of the record has one of the names (up to NULL); if not, *unknown is the first. */
bool fields_known(const leat_value *record, const char *const *names, const char **unknown,
                  size_t *length);

#endif
