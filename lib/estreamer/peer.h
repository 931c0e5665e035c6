/* What both sides of a live conversation share: how it ends, and the time. */
#ifndef LT_ESTREAMER_PEER_H
#define LT_ESTREAMER_PEER_H

#include "codec.h"

#define LT_ESTREAMER_SERVICE             6667u
#define LT_ESTREAMER_REQUEST_TYPE        2u /* event stream request */
#define LT_ESTREAMER_STREAM_REQUEST_TYPE 2049u
#define LT_ESTREAMER_STREAMING_INFO_TYPE 2051u

struct lt_estreamer_peer {
    struct lt_estreamer_codec codec;
    int verdict; /* what leat_next() answers once the last event was taken; LEAT_OK: nothing yet */
    const char *reason; /* of a verdict < 0 */
    const char *field;
    uint64_t offset;
    bool clocked; /* the time was told */
};

extern const struct lt_dialect lt_estreamer_client;
extern const struct lt_dialect lt_estreamer_server;

/* Whether nothing may be sent any more. */
static inline bool lt_estreamer_is_over(const struct lt_estreamer_peer *peer)
{
    return peer->codec.session.status != LEAT_OK || peer->verdict != LEAT_OK;
}

/*
 * Sends a message that is no command of the caller's, so that what leat_session_send_error() says
 * stays. LEAT_OK, LEAT_E_LIMIT or LEAT_E_NOMEM.
 */
int lt_estreamer_send_aside(leat_session *session, const void *message, size_t length);

/*
 * Draws the next event, unless there is a verdict. A stream whose framing is broken is answered
 * with an error message.
 */
int lt_estreamer_peer_next(struct lt_estreamer_peer *peer);

/*
 * The event at hand is an offence that ends the session: it gets the error, unless it has one, and
 * the other side an error message.
 */
void lt_estreamer_offence(struct lt_estreamer_peer *peer, const char *what, const char *field);

/* Ends the session now, for a reason that no event shows, with an error message. */
void lt_estreamer_give_up(struct lt_estreamer_peer *peer, int status, const char *what);

/* True the first time that the time is told: what was to be timed from the start, is from now. */
bool lt_estreamer_first_tick(struct lt_estreamer_peer *peer);

/* When so long after since_ms is; UINT64_MAX, which is never, if after_ms is 0. */
uint64_t lt_estreamer_due(uint64_t since_ms, uint64_t after_ms);

static inline bool lt_estreamer_is_due(const leat_session *session, uint64_t due_ms)
{
    return due_ms != UINT64_MAX && session->now_ms >= due_ms;
}

#endif
