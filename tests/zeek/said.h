/* What agents, controllers and clients of the Management framework say to each other, as text. */
#ifndef T_ZEEK_SAID_H
#define T_ZEEK_SAID_H

#include "support.h"

#include <leat/zeek_management.h>

struct message {
    uint64_t us;
    uint32_t kind; /* LEAT_ZEEK_AGENT_*, LEAT_ZEEK_CONTROLLER_* */
    char *reqid;
    char *line; /* the topic, the event and its arguments by name */
    bool matched;
};

struct messages {
    struct message *list;
    size_t count;
};

/*
 * The arguments of a message, which is a record of topic and data; NULL: it is none of the framework
 * (kind 0), or malformed. Yours to free.
 */
leat_builder *arguments_read(const leat_value *message, uint32_t *kind);
/* What the builder has; NULL if there is none. */
const leat_value *arguments_of(const leat_builder *builder);

/*
 * Reads a message between agents, controller and clients; false: it is another one, or malformed.
 * by_agent: the order of what it lists is free, and Results that nodes gave have the id of the
 * request, which they have in ours; in Zeek's they have the id of what its agent asked the nodes.
 */
bool message_read(struct message *message, const leat_value *value, bool by_agent);
/* Puts one id in the place of another one, wherever it stands in the line. */
void message_replace(struct message *message, const char *id, const char *with);
void message_free(struct message *message);

/* Takes over a message that was read. */
void messages_add(struct messages *messages, const struct message *message);
void messages_free(struct messages *messages);

/* A text with a NUL; yours to free(). And to append one to another. */
char *copied_text(const leat_value *value);
void add_text(struct t_bytes *text, const char *more);

#endif
