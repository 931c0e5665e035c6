/* What the commands share that talk Broker. */
#ifndef LEAT_BROKER_LIVE_H
#define LEAT_BROKER_LIVE_H

#include "live.h"

#include <leat/broker.h>
#include <leat/broker_endpoint.h>
#include <leat/broker_websocket.h>
#include <leat/zeek.h>

/* broker_logs.c: the columns of Zeek's logs. */

#define LOGS_MAX      256u
#define LOG_BYTES_MAX ((size_t)64 << 10) /* what a log is told by, as JSON, to be known */

struct log {
    leat_builder *key; /* a list of stream, writer and path */
    leat_builder *fields;
};

struct logs {
    struct log logs[LOGS_MAX];
    size_t count;
    size_t next; /* to be forgotten, if there are too many */
};

void logs_learn(struct logs *logs, const leat_zeek_message *create);
/* Reads the record of a log write, as leat_zeek_record_read(): a record if its columns are known, else a list. */
int logs_record(struct logs *logs, leat_builder *builder, const leat_zeek_message *write);
/* Adds the columns of a log create, as people read them. */
void logs_columns(leat_builder *builder, const leat_value *fields);
void logs_forget(struct logs *logs);

/* broker_lines.c: messages as lines that go in and out, and ids. */

/* A message of the input. */
struct letter {
    const char *topic;
    size_t topic_length;
    const leat_value *data;
    const uint8_t *to; /* the id of the peer that it is for; NULL: all that subscribe */
    uint8_t id[16];
};

/* What a command prints, and what it reads. */
struct talk {
    struct live live;
    const struct arguments *arguments;
    struct output output;
    bool exit_when_empty;
    bool plain;   /* values go out as other commands print them, which does not tell their types */
    bool printed; /* something that is not flushed */
    struct logs logs;
    struct logs said; /* by lines of the input */
    bool failed;      /* a line was refused, or what it said is lost */
    struct input input;
    bool reading;         /* the input */
    size_t lines_at_once; /* most that are taken before the connections have their turns */
    uint64_t lines;
    /* Whether so much waits to be sent that the input must wait, too; any: whether anything does. */
    bool (*waits)(struct talk *talk, bool any);
    /* Does what a line says that is no message. */
    void (*command)(struct talk *talk, const leat_value *line);
    /* Sends a message. */
    void (*publish)(struct talk *talk, const struct letter *letter);
    leat_builder *line; /* each for one line */
    leat_builder *parts;
    leat_builder *value;
    leat_buffer *text;
};

/* False, with a complaint, if an option is wrong. */
bool talk_open(struct talk *talk, const struct arguments *arguments);
void talk_close(struct talk *talk);
/* Begins to read the input. */
void talk_begin(struct talk *talk);
/* For live->turn(): takes lines of the input. It may set live->due. */
void talk_turn(struct talk *talk);
/* Whether the input has ended. */
bool talk_is_over(const struct talk *talk);

/* Complains of the line at hand. field may be "". */
void talk_refuse(struct talk *talk, const char *problem, const char *field);
/* The same for what a call of the library said; NULL: it was sound. */
void talk_judge(struct talk *talk, int status, const leat_error *error);
/* Whether the line has no other fields. If not, it is refused. */
bool talk_fields(struct talk *talk, const leat_value *line, const char *const *names);

/*
 * Adds a value of a line to a builder: in Broker's own JSON, which tells its type, or any that JSON has itself; a
 * list may hold both. As calls of builder.h.
 */
int talk_value(struct talk *talk, leat_builder *builder, const leat_value *value);

/*
 * Reads a line with log_create or log_write, and writes the message into talk->value. False: it was refused.
 */
bool logs_say(struct talk *talk, const leat_value *line);

/* Prints a message. from is the id of who sent it; NULL: it is not known. */
void talk_print(struct talk *talk, const leat_value *topic, const leat_value *from,
                const leat_value *data);
/* Prints anything else that a connection tells; or that is nobody's, if it is NULL. */
void talk_tell(struct talk *talk, const struct connection *connection, const leat_event *event);
/* For role->turn(). */
void talk_flush(struct talk *talk);

/* Reads an id as text. False: it is none. */
bool id_read(const char *text, size_t length, uint8_t id[16]);

/* broker_node.c: an endpoint in the loop. */

struct node;

/* What a command does with its endpoint besides: see zeek_live.h. */
struct duty {
    /* Looks at an event. True: it is not to be printed. */
    bool (*event)(struct node *node, const leat_event *event);
    /* Called once in each turn of the loop; may set live->due. */
    void (*turn)(struct node *node);
    /* Does what a line of the input says. False: it is one for every endpoint. */
    bool (*line)(struct node *node, const leat_value *line);
};

struct node {
    struct talk talk; /* comes first: what is live->data of either */
    struct security accepting;
    leat_broker *broker;
    leat_broker_options options;
    uint64_t retry_s;
    bool began;
    size_t undecided;   /* first attempts that neither failed nor made a peering yet */
    bool patient;       /* the input waits for peers that are slow */
    uint32_t flavour;   /* of a server of WebSocket */
    bool clients_plain; /* its clients come without TLS, whatever native peers do */
    bool clients_own;   /* of browsers, pages of other hosts stay outside */
    struct store *stores;
    const struct duty *duty; /* NULL: none */
    void *data;              /* of the duty */
};

/* By the options of the command. False, with a complaint: one is wrong. To be closed in any case. */
bool node_open(struct node *node, const struct arguments *arguments);
/* Listens for clients of that role; NULL: native peers. False, with a complaint, if it cannot. */
bool node_accept(struct node *node, const char *where, const struct role *role);
/* Connects to the peers of that option (NULL: none), and runs until it was stopped. The exit code. */
int node_run(struct node *node, const char *connects);
void node_close(struct node *node);

/* What all its connections do. */
uint32_t node_port(const struct connection *connection);
/* For role->open(): there is a session, or there is none, as the status tells. */
void node_opened(struct connection *connection, int status);
void node_ready(struct connection *connection);
void node_event(struct connection *connection, const leat_event *event);
bool node_turn(struct connection *connection);
void node_closed(struct connection *connection);

/* broker_stores.c: its data stores. */

/* By the options of the command. False, with a complaint: one cannot be. */
bool stores_open(struct node *node);
void stores_close(struct node *node);
/* Prints what befell them. */
void stores_turn(struct node *node);
/* Does what a line says about one. */
void stores_line(struct talk *talk, const leat_value *line);

/* broker_gateway.c: leat broker ws --listen. */
int broker_gateway(const struct arguments *arguments);
/* For node_accept(): clients of WebSocket, in the node's flavour. */
extern const struct role websocket_client_role;

/* broker_ws.c: what clients of WebSocket need. */

/*
 * Their session; what must be random in its options is filled in. NULL, with a complaint that begins with what the
 * options are made of.
 */
leat_session *websocket_session(leat_broker_websocket_client_options *options, const char *what);
/*
 * Their TLS, by the options of the command. tls is what asks for it, in a complaint; name has room for the name of the
 * server. False, with a complaint, if they are not complete or not sound.
 */
bool websocket_security(struct talk *talk, const struct endpoint *server, bool has_tls,
                        const char *tls, char *name, size_t size);

#endif
