/*
 * A message that is written piece by piece: what calls that write a row have in common with those
 * that write the rest of it. See write.c.
 */
#ifndef LT_ZABBIX_WRITE_H
#define LT_ZABBIX_WRITE_H

#include "codec.h"

#define LT_ZABBIX_IN(place) (1u << LT_ZABBIX_##place)

/* Where text goes: into the message, or to what is deflated next. */
static inline struct lt_writer *lt_zabbix_target(struct lt_zabbix *z)
{
    return z->writing->compressed ? &z->writing->piece : &z->core.out;
}

static inline enum lt_zabbix_place lt_zabbix_innermost(const struct lt_zabbix_writing *w)
{
    return (enum lt_zabbix_place)w->places[w->depth - 1];
}

/* Refuses a value; field is where it stands. */
int lt_zabbix_refuse(struct lt_zabbix *z, const char *what, const char *field);

/* The writer failed: no memory, or the output is full. */
int lt_zabbix_no_room(struct lt_zabbix *z, struct lt_writer *writer);

/* What may be sent: a text; a value and all below it, which stands in that many containers. */
int lt_zabbix_check_text(struct lt_zabbix *z, const void *text, size_t length, const char *field);
int lt_zabbix_check_value(struct lt_zabbix *z, const leat_value *value, size_t depth);

/* Begins a call that may come inside these places. */
int lt_zabbix_enter(leat_session *session, uint32_t places);

/* Ends it. A refusal takes back what the call wrote; want of room takes back the message. */
int lt_zabbix_leave(struct lt_zabbix *z, int status);

/* Takes what was written since the call began into the message. */
int lt_zabbix_commit(struct lt_zabbix *z, bool finish);

/* Takes back the message. */
void lt_zabbix_take_back(struct lt_zabbix *z);

#endif
