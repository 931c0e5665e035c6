/*
 * Zabbix: what servers, proxies, agents and senders say to one another, versions 5.0 to 7.4.
 *
 * A codec session reads one direction of a connection, frame after frame, and writes whatever you
 * tell it to. A body is one JSON object of up to a gigabyte, so it is read as a stream: every row
 * of a section or of a configuration table is an event of its own while the message still arrives,
 * and one event for the message follows when its last octet is there and found sound.
 *
 *     ROW         "history data"  {"id":1,"itemid":930001,"clock":1795292180,"ns":5,"value":"1"}
 *     ROW         "history data"  {"id":2,...}
 *     PROXY_DATA  "proxy data"    {"request":"proxy data","host":"px","history data":{"rows":2}}
 *
 * Rows. The name is the member that holds them, as it stands in the message; the value is the row.
 * A row of a table is a record of the names in its "fields" (a list, if those have not come before;
 * a list and an error, if their number differs). Streamed are the sections of proxy data
 * ("interface availability", "host availability", "history data", "discovery data", "auto
 * registration", "host data", "tasks"), "data", "regexp" and "commands" where they are arrays, and
 * every "data" array of an object at the top or in the top member "data". A message can still turn
 * out to be malformed or cut short: rows count once the event of their message has come without an
 * error. When octets are fed one by one, rows come out in portions of some 4096 of them.
 *
 * Messages. The value holds all other members, in order, duplicates too. In the place of a section
 * stands {"rows":N}, in the place of a table {"fields":[...],"rows":N}; what was absent is absent.
 * The kind and the name say which exchange it belongs to; whether it asks ("request" is there) or
 * answers, the value shows. Its octets are gone when it ends: leat_event_raw() has those of rows,
 * of plain bodies and of what could not be read.
 *
 * Malformed bodies. A body that is not sound (JSON, compression, a limit) in a sound frame costs
 * this message alone: its event has an error, the members that came before it as its value, and as
 * raw octets what could not be read, at most 65536 of them. Real peers drop such a message and the
 * connection. The offset of the error counts in the stream; in a compressed message it is that of
 * the frame, and leat_zabbix_position() tells the place in the text. Broken framing and announced
 * lengths over the limits end the session.
 *
 * Text may hold octets that are not UTF-8, as real peers accept them; we do not write such text.
 */
#ifndef LEAT_ZABBIX_H
#define LEAT_ZABBIX_H

#include <leat/event.h>
#include <leat/leat.h>
#include <leat/session.h>
#include <leat/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Kinds of events. All but the first have a fixed name, given here. */
#define LEAT_ZABBIX_ROW             1u
#define LEAT_ZABBIX_PROXY_CONFIG    2u  /* "proxy config": request, handshake, configuration */
#define LEAT_ZABBIX_PROXY_DATA      3u  /* "proxy data": request, and data with or without one */
#define LEAT_ZABBIX_PROXY_TASKS     4u  /* "proxy tasks": request, and results */
#define LEAT_ZABBIX_PROXY_HEARTBEAT 5u  /* "proxy heartbeat" */
#define LEAT_ZABBIX_ACTIVE_CHECKS   6u  /* "active checks": request */
#define LEAT_ZABBIX_AGENT_DATA      7u  /* "agent data" */
#define LEAT_ZABBIX_AGENT_HEARTBEAT 8u  /* "active check heartbeat" */
#define LEAT_ZABBIX_SENDER_DATA     9u  /* "sender data" */
#define LEAT_ZABBIX_PASSIVE_CHECKS  10u /* "passive checks": request, and result */
#define LEAT_ZABBIX_RESPONSE        11u /* "response": anything with "response" or "redirect" */
#define LEAT_ZABBIX_REQUEST         12u /* "request": any other "request" */
#define LEAT_ZABBIX_MESSAGE         13u /* "message": any other object */
/*
 * "plain": a body that is not an object: an item key, a value, the old protocols, nothing at all.
 * The value is {"body":text}, or octets if the body is not UTF-8; for ZBX_NOTSUPPORTED, a zero
 * octet and a reason it is {"body":"ZBX_NOTSUPPORTED","error":text}.
 */
#define LEAT_ZABBIX_PLAIN 14u
/* "unframed": the two octets OK that servers and proxies answer without a frame to a plain body. */
#define LEAT_ZABBIX_UNFRAMED 15u

/**
 * A session that reads every message that one side may say and writes every message that you name.
 *
 * from     who speaks what is read: LEAT_FROM_SERVER, _PROXY, _AGENT, _SENDER, or LEAT_FROM_ANY
 *          (_CLIENT means the same: any of them may connect). It only helps to name messages
 *          without a "request".
 * session  yours to free.
 *
 * LEAT_OK, LEAT_E_NOMEM, or LEAT_E_VALUE for another from.
 */
LEAT_API int leat_zabbix_codec_new(const leat_config *config, uint32_t from,
                                   leat_session **session);

#define LEAT_ZABBIX_PROTOCOL   0x01u /* always set, except for what is unframed */
#define LEAT_ZABBIX_COMPRESSED 0x02u /* the body is a zlib stream of reserved octets of text */
#define LEAT_ZABBIX_LARGE      0x04u /* both lengths have eight octets */

/**
 * The header of the message that is arriving, or else of the last one. Each pointer may be NULL.
 *
 * LEAT_OK, or LEAT_E_STATE if there was no message or this is not a Zabbix session.
 */
LEAT_API int leat_zabbix_header(const leat_session *session, uint32_t *flags, uint64_t *data_len,
                                uint64_t *reserved);

/* Where in the text of its message (inflated, header apart) the last row or error event stands. */
LEAT_API uint64_t leat_zabbix_position(const leat_session *session);

/*
 * The kind of the message that is arriving, as far as the members show that have come; 0 between
 * messages.
 */
LEAT_API uint32_t leat_zabbix_kind(const leat_session *session);

/**
 * The members that came before the row of the last event, as the message's own event will show
 * them: who sends it, for example. Borrowed like the event.
 *
 * NULL between messages and in another kind of session.
 */
LEAT_API const leat_value *leat_zabbix_members(leat_session *session);

/*
 * Numbers as peers read them: a JSON number or its decimal text ("clock":"1795292180"). Anything
 * else is 0.
 */
LEAT_API uint64_t leat_zabbix_u64(const leat_value *value);
LEAT_API int64_t leat_zabbix_i64(const leat_value *value);
LEAT_API double leat_zabbix_f64(const leat_value *value);

/* The members of a row of values, as bits. */
#define LEAT_ZABBIX_HAS_ID          0x0001u
#define LEAT_ZABBIX_HAS_ITEMID      0x0002u
#define LEAT_ZABBIX_HAS_CLOCK       0x0004u
#define LEAT_ZABBIX_HAS_NS          0x0008u
#define LEAT_ZABBIX_HAS_STATE       0x0010u
#define LEAT_ZABBIX_HAS_TIMESTAMP   0x0020u
#define LEAT_ZABBIX_HAS_SOURCE      0x0040u
#define LEAT_ZABBIX_HAS_SEVERITY    0x0080u
#define LEAT_ZABBIX_HAS_EVENTID     0x0100u
#define LEAT_ZABBIX_HAS_VALUE       0x0200u
#define LEAT_ZABBIX_HAS_LASTLOGSIZE 0x0400u
#define LEAT_ZABBIX_HAS_MTIME       0x0800u
#define LEAT_ZABBIX_HAS_HOST        0x1000u
#define LEAT_ZABBIX_HAS_KEY         0x2000u

/**
 * One row of values, typed, for those who see a million of them a second: rows of "history data",
 * and of "data" from agents and senders.
 */
typedef struct leat_zabbix_history {
    uint64_t size; /* set by leat_zabbix_history_init() */
    uint64_t has;  /* LEAT_ZABBIX_HAS_*: the members below that are there */
    uint64_t id;
    uint64_t itemid;
    uint64_t clock; /* seconds since 1970, at most 2147483647 */
    uint64_t ns;    /* at most 999999999; peers of 7.0 take 0 for missing */
    uint64_t state; /* 1: not supported, and value is the reason */
    uint64_t timestamp;
    uint64_t severity;
    uint64_t eventid;
    uint64_t lastlogsize;
    uint64_t mtime;
    const char *value; /* none of the texts ends with a NUL */
    size_t value_length;
    const char *source;
    size_t source_length;
    const char *host; /* senders, and agents before 7.0 */
    size_t host_length;
    const char *key;
    size_t key_length;
} leat_zabbix_history;

/* Empties it. size is sizeof(leat_zabbix_history) as you compiled it. */
LEAT_API void leat_zabbix_history_init(leat_zabbix_history *history, size_t size);

/**
 * Reads a row. The first member of a name counts; one of the wrong type, or a number that is not an
 * integer of 0 or more, is not there. Texts are borrowed like the row.
 *
 * LEAT_OK, or LEAT_E_VALUE if the row is not a record or history was not initialised.
 */
LEAT_API int leat_zabbix_history_read(const leat_value *row, leat_zabbix_history *history);

/*
 * Writing, row by row. Members stand in the message in the order of the calls:
 *
 *     leat_zabbix_begin(s);
 *     leat_zabbix_text(s, "request", "proxy data", 10);
 *     leat_zabbix_section(s, "history data");
 *     leat_zabbix_history_write(s, &history);           as often as there are values
 *     leat_zabbix_close(s);
 *     leat_zabbix_text(s, "version", "7.0.22", 6);
 *     leat_zabbix_end(s);
 *
 * Nothing of it is sent before leat_zabbix_end(). Each call answers LEAT_OK or
 *
 * LEAT_E_STATE  it does not fit here (or this is not a Zabbix session); nothing changed.
 * LEAT_E_VALUE  what must not be sent: text that is not UTF-8 or holds a zero octet, a kind that
 *               JSON lacks, a row with more or fewer values than its table has fields (a 7.0 proxy
 *               crashes on one), nesting over the limit of depth; nothing changed. See
 *               leat_session_send_error().
 * LEAT_E_LIMIT, LEAT_E_NOMEM  too much output waits, or no memory: the whole message is taken back.
 *
 * leat_send() writes a message of one value in one call: name is the event's name, and the value
 * its members, rows and all: arrays where an event has {"rows":N}, which is refused. "plain" and
 * "unframed" have the values described above. A "request" in the value must be the one of that
 * name.
 */

/* Compresses the messages that are begun from now on (1), or does not (0, at first). */
LEAT_API int leat_zabbix_compress(leat_session *session, int on);

/* Begins a message. */
LEAT_API int leat_zabbix_begin(leat_session *session);

/* A member of the message or of the open object: any value, a text, a number. */
LEAT_API int leat_zabbix_member(leat_session *session, const char *name, const leat_value *value);
LEAT_API int leat_zabbix_text(leat_session *session, const char *name, const char *text,
                              size_t length);
LEAT_API int leat_zabbix_number(leat_session *session, const char *name, uint64_t number);

/*
 * A member that is an object and gets its own members next: "data" of a configuration. One level
 * only.
 */
LEAT_API int leat_zabbix_object(leat_session *session, const char *name);

/* A member that is an array of records: its rows follow. */
LEAT_API int leat_zabbix_section(leat_session *session, const char *name);

/* A configuration table: rows of count values follow, in the order of these names. */
LEAT_API int leat_zabbix_table(leat_session *session, const char *name, const char *const *fields,
                               size_t count);

/**
 * A row of the open section or table: a record. In a table it needs a field for each name, in any
 * order, and no other; a list of the values will do there, too.
 */
LEAT_API int leat_zabbix_row(leat_session *session, const leat_value *row);

/* A row of the open section, with the members that history->has tells. */
LEAT_API int leat_zabbix_history_write(leat_session *session, const leat_zabbix_history *history);

/* Closes the section, table or object that was opened last. */
LEAT_API int leat_zabbix_close(leat_session *session);

/* Closes what is open and gives the message to leat_send_data(). */
LEAT_API int leat_zabbix_end(leat_session *session);

/* Takes back the message that was begun. */
LEAT_API int leat_zabbix_abort(leat_session *session);

/*
 * Exchanges. One connection carries one exchange, and is closed: a request and mostly an answer, in
 * some cases two messages more. A session of this kind reads and writes as a codec does, and keeps
 * the rules: whose turn it is, what a message of this version must hold, which messages are
 * compressed, how long to wait, who closes first.
 *
 *     we are            and connected                      and were connected to
 *     AS_SERVER         "proxy config", "proxy data",      "proxy config", "proxy data", "proxy
 *                       "proxy tasks" of a passive         heartbeat" of an active proxy; agents
 *                       proxy; "passive checks"            and senders
 *     AS_PROXY          "proxy config", "proxy data",      agents and senders
 *     (active)          "proxy heartbeat"; "passive
 *                       checks"
 *     AS_PASSIVE_PROXY  "passive checks"                   "proxy config", "proxy data", "proxy
 *                                                          tasks" of its server; agents, senders
 *     AS_AGENT          "active checks", "agent data",     "passive checks", plain and JSON
 *                       "active check heartbeat"
 *     AS_SENDER         "sender data"                      -
 *
 * Who connected writes the request first; which one it is, is told by its name. leat_next() then
 * gives the rows and the message of the answer, or of the next step, and LEAT_END when the exchange
 * is over. Who was connected to gets the request from leat_next() and writes the answer, or refuses:
 * now or later, but it must, as nothing else ends its turn, not even the end of the peer's stream.
 *
 * What the peer may not say here is an event with an error (LEAT_E_PROTOCOL, and the member as
 * field), answered as real peers answer it, and then the end of the session with that error:
 *   a message out of turn, an unknown request, a missing member, a version that does not fit
 *   (LEAT_E_PROTOCOL); octets behind the last message (LEAT_E_FRAME, once they show); a malformed
 *   body (its own error); a message that took too long (LEAT_E_TIMEOUT); a stream that ended before
 *   the answer (LEAT_E_END).
 *
 * Source: spec sections 1 to 5, 11 and 12.
 */
#define LEAT_ZABBIX_AS_SERVER        1u
#define LEAT_ZABBIX_AS_PROXY         2u
#define LEAT_ZABBIX_AS_PASSIVE_PROXY 3u
#define LEAT_ZABBIX_AS_AGENT         4u
#define LEAT_ZABBIX_AS_SENDER        5u

/*
 * Fill it with leat_zabbix_exchange_options_init(), then change what you want. All that it points to
 * is copied.
 */
typedef struct leat_zabbix_exchange_options {
    uint64_t size;
    const char *version; /* our own, like "7.0.22": says what is sent and accepted */
    uint32_t role;       /* LEAT_ZABBIX_AS_*; 0 is none */
    uint32_t connects;   /* 0; 1: we opened the connection, and ask */
    uint32_t exchange;   /* with connects, for what: LEAT_ZABBIX_* of the request; else 0 */
    /*
     * 1; 0: a server before 6.4 does not compress what it answers to data, or asks of a passive
     * proxy, as auto_compress of that proxy says. Nobody else has a choice.
     */
    uint32_t compress;
    /*
     * How long to wait for any one message, from when it is our turn to read until it is complete.
     * 0: as long as real peers (spec section 3), from 3 s to 10 min; for answers between agents or
     * senders and others, of which it does not speak, a minute.
     */
    uint64_t timeout_ms;
    uint64_t linger_ms; /* 1000: how long to wait for a peer that closes first */
} leat_zabbix_exchange_options;

LEAT_API void leat_zabbix_exchange_options_init(leat_zabbix_exchange_options *options, size_t size);

/**
 * Makes the session of one exchange.
 *
 * session  yours to free.
 *
 * Writing: leat_send(), or leat_zabbix_begin() to leat_zabbix_end(). LEAT_E_STATE if it is not our
 * turn or the message does not belong to this exchange; LEAT_E_VALUE, with what it is about as field
 * (empty if it has no name that we know), if real peers of this version would not send it:
 *   a member that is missing, of another type, there twice, or known in other messages or versions
 *   alone (what no version knows is written, as all peers ignore it);
 *   another request than that of the exchange, a version that is not our own, a session that is not
 *   32 digits of 0-9 and a-f;
 *   a row or a task (of its direction) that lacks something or has what is not known, be it of proxy
 *   data, of agents or of senders; leat_zabbix_history_write() looks at which members there are;
 *   a table or a column that this version does not have; from 6.4 on, columns that are not all there
 *   and in order. What stands in the cells of tables is not looked at.
 * leat_zabbix_compress() is LEAT_E_STATE: the rules of spec section 2 decide. For whatever else there
 * is to say, to try a peer, there are codec sessions. What is read is not judged that strictly:
 * a member of another type is not there, and what is not known is only shown.
 *
 * LEAT_OK, LEAT_E_NOMEM, LEAT_E_VALUE (options that were not initialised; no role, or one that cannot
 * connect or be connected to; no version, one below 5.0, of more than 31 octets or of others than
 * ASCII; no exchange that this role and version have, or one without connects).
 */
LEAT_API int leat_zabbix_exchange_new(const leat_config *config,
                                      const leat_zabbix_exchange_options *options,
                                      leat_session **session);

/**
 * Refuses what the peer said last, as our role and version do it: with {"response":"failed"} and the
 * info (an agent: with an error for the key), or by closing without an answer. That is also the end
 * of an agent's heartbeat, which has none. (A {"response":"failed"} that you write yourself ends it,
 * too, but is compressed or not like any answer; this one is as real peers have it.)
 *
 * info  the reason, as text; NULL: none.
 *
 * LEAT_OK, LEAT_E_STATE (not our turn), LEAT_E_VALUE (info is not UTF-8), LEAT_E_LIMIT, LEAT_E_NOMEM.
 *
 * Source: spec section 4.2.
 */
LEAT_API int leat_zabbix_refuse(leat_session *session, const char *info);

/*
 * The exchange that a session is for, as LEAT_ZABBIX_* of its request; 0: the request is not known
 * yet, or this is no such session.
 */
LEAT_API uint32_t leat_zabbix_exchange(const leat_session *session);

/**
 * Where a proxy group sends an agent or a sender. Fill it with leat_zabbix_redirect_init() and keep
 * it as long as the agent lives.
 */
typedef struct leat_zabbix_redirect {
    uint64_t size;
    uint64_t revision; /* of the address */
    uint32_t followed; /* 1: the next response must not redirect again */
    uint32_t port;     /* 10051 if the server named none */
    char host[256];    /* a name or an address, without brackets; "": the configured one */
} leat_zabbix_redirect;

LEAT_API void leat_zabbix_redirect_init(leat_zabbix_redirect *redirect, size_t size);

/**
 * Looks for a redirect in a response.
 *
 * LEAT_OK          send the same request once more, to redirect->host (or, if that is "" now, to the
 *                  configured addresses).
 * LEAT_END         there is none, or an older one: the response is the answer.
 * LEAT_E_PROTOCOL  the second one in a row, or one that cannot be followed; nothing but followed
 *                  changed.
 * LEAT_E_VALUE     redirect was not initialised.
 *
 * Source: spec section 12.5.
 */
LEAT_API int leat_zabbix_redirect_follow(leat_zabbix_redirect *redirect,
                                         const leat_value *response);

#ifdef __cplusplus
}
#endif

#endif
