/* Framing, for the sessions that are built on it: each begins with this struct. */
#ifndef LT_ESTREAMER_CODEC_H
#define LT_ESTREAMER_CODEC_H

#include "message.h"

#include "../core/session.h"

#define LT_ESTREAMER_VERSION            1u
#define LT_ESTREAMER_LENGTH_OFFSET      4u /* in the header of a message */
#define LT_ESTREAMER_ITEM_VERSION_SHIFT 16u

struct lt_estreamer_codec {
    leat_session session;
    unsigned senders;    /* whose messages are expected: bits 1 << LEAT_FROM_* */
    size_t bundle;       /* octets of the bundle that is being received, not yet delivered */
    uint32_t open_items; /* how many items the bundle that is being sent still lacks */
};

/* from: whose messages it reads. */
int lt_estreamer_codec_new(const struct lt_dialect *dialect, const leat_config *config,
                           uint32_t from, leat_session **session);

/* The next event: lt_dialect.next. */
int lt_estreamer_next(leat_session *session);

/* The header of a message, of which so many octets follow. */
void lt_estreamer_put_header(struct lt_writer *out, uint32_t type, size_t length);

/*
 * Writing, inside a command: begin a message, or an item of a bundle, append what it holds, then
 * fill in the length of what begins at the given place.
 */
size_t lt_estreamer_begin(leat_session *session, uint32_t type);
size_t lt_estreamer_begin_item(leat_session *session, uint32_t type);
int lt_estreamer_finish(leat_session *session, size_t start);

/* A writer of fields at the end of the output. */
struct lt_estreamer_writer lt_estreamer_field_writer(leat_session *session);

/* All of it: a message, or an item, with the fields of value. */
int lt_estreamer_write(leat_session *session, const struct lt_estreamer_message *message,
                       const leat_value *value, bool item);

/* Whether all that was written so far found room. If not, the command is refused when it ends. */
static inline bool lt_estreamer_has_room(const leat_session *session)
{
    return session->out.status == LEAT_OK && session->out.length <= session->out.limit;
}

#endif
