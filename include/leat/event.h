/*
 * What leat_next() lends: one event.
 */
#ifndef LEAT_EVENT_H
#define LEAT_EVENT_H

#include <leat/leat.h>
#include <leat/value.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct leat_event leat_event;

/*
 * What the event is, as one of the dialect's LEAT_<DIALECT>_* kinds. Kinds only ever grow: skip
 * those that you do not know. NULL gives 0, which is no kind.
 */
LEAT_API uint32_t leat_event_kind(const leat_event *event);

/*
 * Its name, in the protocol's words. It may come from the peer (a table of a Zabbix
 * configuration), so it ends at *length; it is followed by a NUL only if leat_event_kind()
 * stands for a fixed name. NULL for length is fine for such kinds.
 */
LEAT_API const char *leat_event_name(const leat_event *event, size_t *length);

/* What it tells. NULL if it could not be decoded. */
LEAT_API const leat_value *leat_event_value(const leat_event *event);

/* The octets that it was decoded from, and how many. */
LEAT_API const void *leat_event_raw(const leat_event *event, size_t *length);

/*
 * The offset of its first octet in the stream. For a part of a compressed message: of the
 * message.
 */
LEAT_API uint64_t leat_event_offset(const leat_event *event);

/* Why it could not be decoded; NULL if it was. The conversation goes on. */
LEAT_API const leat_error *leat_event_error(const leat_event *event);

#ifdef __cplusplus
}
#endif

#endif
