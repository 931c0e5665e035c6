/* A session from the inside: what every dialect shares. */
#ifndef LT_SESSION_H
#define LT_SESSION_H

#include "bytes.h"
#include "error.h"
#include "inside.h"
#include "memory.h"
#include "value.h"

#include <leat/session.h>

struct leat_event {
    uint32_t kind;
    size_t name_length;
    const char *name;
    const leat_value *value; /* NULL if it could not be decoded */
    const uint8_t *raw;
    size_t raw_length;
    uint64_t offset;
    struct leat_error error; /* code LEAT_OK: none */
};

/* What a dialect does; each function gets the session that it made (and that begins with ours). */
struct lt_dialect {
    size_t bytes; /* sizeof its session */

    /*
     * Decodes far enough for the next event. LEAT_OK: session->event is set. LEAT_MORE: at least
     * session->need unread octets must be there before it is worth calling again. LEAT_PAUSED. < 0:
     * by lt_fail(). At the end of the stream it is called with what is left and session->eof set;
     * LEAT_MORE then means that the stream ended inside a message, unless nothing is unread and
     * session->inside is false: then it is the end of the session, unless session->owes.
     */
    int (*next)(leat_session *session);

    /*
     * Writes one message into session->out. On failure it fills session->send_error by lt_refuse();
     * what it wrote is taken back by the caller.
     */
    int (*send)(leat_session *session, const char *name, const leat_value *value);

    /* Those below may be NULL. */
    void (*tick)(leat_session *session); /* session->now_ms is new */
    uint64_t (*deadline)(const leat_session *session);
    void (*sent)(leat_session *session);    /* all output was taken; there may be more */
    void (*release)(leat_session *session); /* frees what only the dialect knows */
    void (*trim)(leat_session *session);    /* frees of that what a quiet session does not need */
    size_t (*memory)(const leat_session *session);
};

struct leat_session {
    const struct lt_dialect *dialect;
    void *user; /* the caller's */
    leat_allocator allocator;
    leat_limits limits;

    /*
     * Received: window[start .. end) is unread or, its first held octets, lent with the last event.
     * Below need unread octets that come singly dialect->next() is not called; need is above 0 only
     * while nothing is held, the stream has not ended and the session has not failed, so that it
     * alone tells that a session waits.
     */
    uint8_t *window;
    size_t window_size;
    size_t start;
    size_t end;
    size_t held;
    size_t need;
    size_t lent_space; /* what leat_recv_space() gave last */
    size_t lent_at;    /* and where: an octet that was fed since ends that loan */
    uint64_t consumed; /* stream offset of window[start] */
    bool filled;       /* a read filled the space that was lent last */
    bool eof;
    bool paused;  /* dialect->next() said LEAT_PAUSED last ... */
    bool drained; /* ... and all output was sent since */
    bool inside;  /* a message has begun whose first octets are no longer in the window */
    bool owes;    /* the caller has something to say, to a peer that has said all, too */

    int status; /* LEAT_OK, or what ended the session */
    struct leat_error error;
    struct leat_error send_error;

    leat_event event;
    struct lt_tree tree; /* of the event; emptied before each dialect->next() */

    struct lt_writer out; /* out.data[sent .. out.length) waits */
    size_t sent;
    size_t hold_back; /* octets at the end of out that wait for the rest of their message */
    size_t send_mark; /* out.length and hold_back when the command began */
    size_t send_hold;
    uint64_t now_ms;
};

/* Makes a session of the dialect: zeroed memory of dialect->bytes, the shared part ready. */
LT_INSIDE int lt_session_new(const struct lt_dialect *dialect, const leat_config *config,
                             const leat_limits *defaults, leat_session **session);

/* The unread octets. */
static inline struct lt_reader lt_unread(const leat_session *session)
{
    return lt_reader(session->window == NULL ? NULL : session->window + session->start,
                     session->end - session->start);
}

static inline size_t lt_unread_bytes(const leat_session *session)
{
    return session->end - session->start;
}

/*
 * Gives the first count unread octets away with the event; they go with the next input-side call.
 */
static inline void lt_hold(leat_session *session, size_t count)
{
    session->held = count;
}

/* Ends the loan of the last event, for dialects that keep events to themselves. */
void lt_take_back(leat_session *session);

/* Drops the first count unread octets now; nothing that is lent may point into them. */
LT_INSIDE void lt_skip(leat_session *session, size_t count);

/* So long after that, in any unit; UINT64_MAX, which is never, if that cannot be told. */
static inline uint64_t lt_later(uint64_t since, uint64_t after)
{
    return after > UINT64_MAX - since ? UINT64_MAX : since + after;
}

/* Says that count unread octets are needed. */
static inline int lt_need(leat_session *session, size_t count)
{
    session->need = count;
    return LEAT_MORE;
}

/*
 * Ends the session: the peer's first failure wins. at counts from the first unread octet; what and
 * field are constants.
 */
LT_INSIDE int lt_fail(leat_session *session, int status, size_t at, const char *what,
                      const char *field);

/* Ends the session in order, before the stream does. */
static inline int lt_end(leat_session *session)
{
    session->need = 0;
    return session->status = LEAT_END;
}

/* The same as lt_fail(), for a place that the stream offset is known of. */
int lt_fail_at(leat_session *session, int status, uint64_t offset, const char *what,
               const char *field);

/* Refuses a command: the caller's mistake. Returns status. */
LT_INSIDE int lt_refuse(leat_session *session, int status, size_t at, const char *what,
                        const char *field);

/*
 * Around every command that writes: begin forgets the last refusal and makes room at the front of
 * out (so remember places in an open message by their distance from its end or by hold_back, not
 * from the start of out); end turns a full or failed out into a refusal, and takes back what was
 * written unless LEAT_OK. Returns the status. leat_send() does both around dialect->send().
 */
LT_INSIDE void lt_send_begin(leat_session *session);
LT_INSIDE int lt_send_end(leat_session *session, int status);

/*
 * Starts an event: kind, a constant name, raw octets at the start of the unread (at, length), its
 * stream offset. The value is set by the caller: the root of session->tree, or NULL with
 * event.error.
 */
LT_INSIDE leat_event *lt_event(leat_session *session, uint32_t kind, const char *name,
                               const uint8_t *raw, size_t raw_length, uint64_t offset);

#endif
