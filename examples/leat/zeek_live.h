/* What the commands share that talk of Zeek's Management framework: agents, controllers and their clients. */
#ifndef LEAT_ZEEK_LIVE_H
#define LEAT_ZEEK_LIVE_H

#include "broker_live.h"

#include <leat/zeek_agent.h>
#include <leat/zeek_management.h>

/* zeek_common.c */

/* A file that holds one object. NULL, with a complaint: it does not, or cannot be read. */
const leat_value *zeek_file(leat_builder *builder, const char *path);

/* The kind of an event of that name, with its module or, if it is of that module, without; 0: there is none. */
uint32_t zeek_kind(const char *module, const char *name, size_t length);

/* The constant of a state by its name, with its module or without; NULL: there is none. */
const char *zeek_state(const char *name, size_t length);

/* What is wrong, and where, as one line. */
void zeek_describe(const leat_zeek_management_flaw *flaw, char *text, size_t size);

/* The same as a value, as agents and controllers tell it: see LEAT_ZEEK_MALFORMED. */
void zeek_add_flaw(leat_builder *builder, const leat_zeek_management_flaw *flaw);

/* For duty->event(): whether it is of a peering or a connection, which --peerings tells of. */
bool zeek_is_quiet(const struct node *node, const leat_event *event);

/* zeek_script.c: the nodes of an agent that answers by itself, as a file says. */

struct script;

/* Reads the file. NULL, with a complaint: it is not sound. */
struct script *script_open(const char *path, struct talk *talk);
void script_close(struct script *script);
/* Takes what the agent tells. */
void script_take(struct script *script, leat_zeek_agent *agent, const leat_event *event);
/* Does what is due, and answers then. When to call it again. */
uint64_t script_turn(struct script *script, leat_zeek_agent *agent);

#endif
