/*
 * A session: one conversation over one byte stream, whatever the dialect and the role.
 *
 *     leat_tick(session, now_ms);
 *     space = leat_recv_space(session, &len);
 *     if (len > 0 && (n = read(fd, space, len)) > 0)
 *         leat_recv_done(session, (size_t)n);
 *     else if (len > 0 && n == 0)
 *         leat_recv_eof(session);
 *     while ((status = leat_next(session, &event)) == LEAT_OK)
 *         handle(event);
 *     data = leat_send_data(session, &len);
 *     if (len > 0 && (n = write(fd, data, len)) > 0)
 *         leat_send_done(session, (size_t)n);
 *     timeout = leat_deadline(session);
 *
 * Then poll() for what leat_wants(), until the timeout.
 *
 * The constructors are in the headers of the dialects. However the bytes are cut, the events, the
 * errors and their offsets are the same.
 */
#ifndef LEAT_SESSION_H
#define LEAT_SESSION_H

#include <leat/event.h>
#include <leat/leat.h>
#include <leat/value.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct leat_session leat_session;

/*
 * Codec sessions (leat_estreamer_codec_new() and the like) have no state machine: they read
 * every message that one side may say, as events, and write every message that you name. This is
 * who says what is read.
 */
#define LEAT_FROM_ANY 0u
#define LEAT_FROM_CLIENT                                                                           \
    1u /* the side that opened the connection: eStreamer client, Broker connector */
#define LEAT_FROM_SERVER 2u
#define LEAT_FROM_PROXY  3u
#define LEAT_FROM_AGENT  4u
#define LEAT_FROM_SENDER 5u

/* Frees the session and all it lent. NULL is fine. */
LEAT_API void leat_session_free(leat_session *session);

/**
 * Decodes far enough to produce the next event.
 *
 * event  set only on LEAT_OK. Borrowed (see "Borrow rule" in leat.h).
 *
 * LEAT_OK      an event is ready; call again before feeding more.
 * LEAT_MORE    every complete message was delivered; feed bytes.
 * LEAT_PAUSED  output is full: drain it, then call again. Or too much is held that waits for a
 *              command of yours (see the dialect). Until then leat_wants() leaves out READ.
 * LEAT_END     the conversation is over: the peer closed between messages, or one of you ended it.
 * < 0          final; see leat_session_error().
 */
LEAT_API int leat_next(leat_session *session, const leat_event **event);

/**
 * Lends the place where the next received bytes belong.
 *
 * length  set to the octets there; 0 after the end of the stream, after a failure, or if memory ran
 *         out (then leat_next() says LEAT_E_NOMEM).
 *
 * Returns the place, or NULL if *length is 0. Memory grows with the bytes received, never with a
 * length that the peer announced.
 */
LEAT_API void *leat_recv_space(leat_session *session, size_t *length);

/**
 * Tells that the first length octets of the space were filled.
 *
 * LEAT_OK, or LEAT_E_STATE if length is more than the space that was lent.
 */
LEAT_API int leat_recv_done(leat_session *session, size_t length);

/**
 * Tells that the peer will send no more. leat_next() delivers what is complete, then answers
 * LEAT_END, or LEAT_E_END if the stream stopped inside a message. (A request of Zabbix can be
 * answered first: see zabbix.h.)
 */
LEAT_API int leat_recv_eof(leat_session *session);

/**
 * leat_recv_space, copy and leat_recv_done in one, for callers who own the bytes already.
 *
 * LEAT_OK, LEAT_E_NOMEM (nothing was taken), LEAT_E_STATE after leat_recv_eof() or LEAT_END, or the
 * failure that ended the session.
 */
LEAT_API int leat_feed(leat_session *session, const void *data, size_t length);

/**
 * Lends the output that waits to be written. Sets *length, 0 if there is none. Valid until the next
 * call on the session that may send: a command, leat_next(), leat_tick() or leat_session_trim().
 */
LEAT_API const void *leat_send_data(const leat_session *session, size_t *length);

/*
 * Tells that the first length octets of it were written. LEAT_OK or LEAT_E_STATE (more than
 * waits).
 */
LEAT_API int leat_send_done(leat_session *session, size_t length);

/**
 * Writes one message into the output: what an event tells, by the event's name and value.
 *
 * leat_send(other, leat_event_name(e), leat_event_value(e)) repeats the event e on another
 * session. (Of Zabbix only messages without rows: a message with rows is written row by row, see
 * zabbix.h.) Missing fields are 0 or empty; unknown ones are refused.
 *
 * LEAT_OK, LEAT_E_STATE (no message of that name, or not now), LEAT_E_VALUE (see
 * leat_session_send_error()), LEAT_E_LIMIT (queued_bytes), LEAT_E_NOMEM. Unless LEAT_OK, nothing
 * was written.
 */
LEAT_API int leat_send(leat_session *session, const char *name, const leat_value *value);

/*
 * Tells the time: milliseconds of any monotonic clock. Never goes back. What the session does is
 * dated by the last tick, so tick first when you wake up.
 */
LEAT_API void leat_tick(leat_session *session, uint64_t now_ms);

/*
 * When leat_tick() should be called next, on the same clock, and leat_next() behind it; UINT64_MAX:
 * nothing is pending. 0, which is now, once output is drained that leat_next() waited for, or if
 * the session ends without anything that is to be read or written.
 */
LEAT_API uint64_t leat_deadline(const leat_session *session);

#define LEAT_WANT_READ  1u /* bytes may come: poll for reading */
#define LEAT_WANT_WRITE 2u /* output waits: poll for writing */
#define LEAT_WANT_CLOSE 4u /* the conversation is over: close once the output is written */

/*
 * A pointer of yours that the session keeps and does not look at, such as to the connection that it
 * belongs to. NULL at first.
 */
LEAT_API void leat_session_set_user(leat_session *session, void *user);
LEAT_API void *leat_session_user(const leat_session *session);

/* What the session waits for, as bits LEAT_WANT_*. */
LEAT_API uint32_t leat_wants(const leat_session *session);

/* Why the session failed; NULL if it did not. */
LEAT_API const leat_error *leat_session_error(const leat_session *session);

/*
 * Why the last command was refused; NULL if it was not. The offset counts in the message's
 * bytes.
 */
LEAT_API const leat_error *leat_session_send_error(const leat_session *session);

/* Gives back memory that a quiet session does not need. Ends every loan. */
LEAT_API void leat_session_trim(leat_session *session);

/* The octets of memory that the session holds now, its own struct included. */
LEAT_API size_t leat_session_memory(const leat_session *session);

#ifdef __cplusplus
}
#endif

#endif
