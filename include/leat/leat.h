/*
 * leat: eStreamer, Zabbix and Broker for C, both ends of each, without I/O.
 *
 * This header holds what every other one leans on: status codes, limits, the allocator, the
 * configuration, and three rules that are said here once.
 *
 * Borrow rule. What leat_next() lends you (the event, its values, their text) stays valid until
 * the next input-side call on that session: leat_next(), leat_recv_space(), leat_recv_done(),
 * leat_recv_eof(), leat_feed(), leat_session_trim() or leat_session_free(). Output-side calls
 * never end a loan, so a reply may be built from the event that it answers. What a builder lends
 * you stays valid until the next call on that builder. We never keep a pointer to your memory
 * after a call returns.
 *
 * Status rule. Functions that can fail return an int: LEAT_OK, a positive "not now", or a
 * negative failure. A failure of the peer (LEAT_E_FRAME and below) is final for its session. A
 * mistake of the caller (LEAT_E_STATE, LEAT_E_VALUE) changes nothing.
 *
 * Sources. A line like "Source: spec section 9" names a section of doc/protocols/<dialect>.md; that
 * of zeek.h is Broker. "zeek-notes section 1" is one of doc/protocols/zeek-notes.md, "management section 1"
 * one of doc/protocols/broker-management.md.
 *
 * Thread rule. An object belongs to one thread at a time; different objects are independent, and
 * nothing is global.
 */
#ifndef LEAT_LEAT_H
#define LEAT_LEAT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(LEAT_BUILDING) && defined(__GNUC__)
#define LEAT_API __attribute__((visibility("default")))
#elif defined(_WIN32) && !defined(LEAT_STATIC)
#ifdef LEAT_BUILDING
#define LEAT_API __declspec(dllexport)
#else
#define LEAT_API __declspec(dllimport)
#endif
#else
#define LEAT_API
#endif

/* Status codes. New ones may be added; treat an unknown negative one as final. */
#define LEAT_OK         0     /* done; for leat_next(): an event is ready */
#define LEAT_MORE       1     /* every complete message was delivered; feed bytes */
#define LEAT_PAUSED     2     /* output is full; drain it, then call again */
#define LEAT_END        3     /* the conversation is over, in order */
#define LEAT_E_NOMEM    (-1)  /* the allocator said no */
#define LEAT_E_STATE    (-2)  /* caller: not now, or not in this kind of session */
#define LEAT_E_VALUE    (-3)  /* caller: a value that cannot be written as asked */
#define LEAT_E_FRAME    (-4)  /* the framing is broken */
#define LEAT_E_PROTOCOL (-5)  /* a sound message that the protocol does not allow here */
#define LEAT_E_LIMIT    (-6)  /* over one of the limits below */
#define LEAT_E_END      (-7)  /* the stream ended inside a message */
#define LEAT_E_SYNTAX   (-8)  /* the content of a message is malformed */
#define LEAT_E_INFLATE  (-9)  /* compressed data is corrupt, or not of the announced size */
#define LEAT_E_TLS      (-10) /* the TLS handshake or a record failed */
#define LEAT_E_TIMEOUT  (-11) /* the peer was silent for too long */

/* The name of a status code, for messages: "LEAT_E_FRAME". Never NULL. */
LEAT_API const char *leat_status_name(int status);

/* The version of the library in use, "MAJOR.MINOR.PATCH". */
LEAT_API const char *leat_version(void);

/**
 * The one function that we call back: it allocates, resizes and frees.
 *
 * resize  block == NULL allocates new_bytes; new_bytes == 0 frees block and returns NULL; otherwise
 *         the block is resized as by realloc(). old_bytes is always the size that we asked for. On
 *         failure it returns NULL and leaves the block as it was.
 *
 * It returns: no exception and no jump may leave it, as nothing unwinds through the library.
 */
typedef struct leat_allocator {
    void *(*resize)(void *ctx, void *block, size_t old_bytes, size_t new_bytes);
    void *ctx;
} leat_allocator;

/**
 * What a peer may make us hold. Fill it with leat_limits_init(), then change what you want; 0 means
 * the default of the dialect, below. Whatever exceeds a limit is refused with LEAT_E_LIMIT.
 *
 *                                            eStreamer   Zabbix   Broker   JSON
 * message_bytes    a message as received,       16 MiB    1 GiB   64 MiB      -
 *                  header apart
 * handshake_bytes  a message before peering          -        -   64 KiB      -
 * inflated_bytes   a message after                   -    1 GiB        -      -
 *                  decompression
 * row_bytes        one row of a streamed             -   32 MiB        -      -
 *                  message, and the members
 *                  outside rows together
 * values           decoded values in one          1 Mi     1 Mi     4 Mi   4 Mi
 *                  event
 * depth            nesting of values, at            32       64      128    128
 *                  most 128
 * queued_bytes     output that you have not     64 MiB    1 GiB   64 MiB  1 GiB
 *                  taken yet
 *
 * JSON stands for builders and buffers.
 */
typedef struct leat_limits {
    uint64_t size; /* set by leat_limits_init() */
    uint64_t message_bytes;
    uint64_t handshake_bytes;
    uint64_t inflated_bytes;
    uint64_t row_bytes;
    uint64_t values;
    uint64_t depth;
    uint64_t queued_bytes;
} leat_limits;

/* Sets every limit to "the dialect's default". size is sizeof(leat_limits) as you compiled it. */
LEAT_API void leat_limits_init(leat_limits *limits, size_t size);

/**
 * How an object is made. NULL in its place means: every default.
 */
typedef struct leat_config {
    uint64_t size;                   /* set by leat_config_init() */
    const leat_allocator *allocator; /* copied; NULL: the C library's */
    const leat_limits *limits;       /* copied; NULL: the defaults above */
} leat_config;

/* Sets every member to its default. size is sizeof(leat_config) as you compiled it. */
LEAT_API void leat_config_init(leat_config *config, size_t size);

/**
 * What went wrong, where, and in which field. Borrowed from the object that you asked.
 */
typedef struct leat_error leat_error;

/* A status code below 0. NULL gives LEAT_OK. */
LEAT_API int leat_error_code(const leat_error *error);
/* A sentence without a full stop, constant, never from the peer. NULL gives "". */
LEAT_API const char *leat_error_text(const leat_error *error);
/* Where: the offset in the stream (sessions), in the text or in the value (all else). */
LEAT_API uint64_t leat_error_offset(const leat_error *error);
/* The field or element concerned, by its name in the specification; "" if none. */
LEAT_API const char *leat_error_field(const leat_error *error);

#ifdef __cplusplus
}
#endif

#endif
