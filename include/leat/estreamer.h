/*
 * eStreamer: the event stream of Cisco Secure Firewall (Firepower) Management Centers, TCP port
 * 8302 inside TLS.
 *
 * Records. What an event_data message carries is a record of one of many types;
 * leat_estreamer_record_name() names them. Its value has the fields of the type's layout, named as
 * lib/estreamer/layouts.tsv names them and stable over product versions, so that
 * leat_value_get(record, "source_ip") works for each kind of record that has one. Beside them there
 * are, first or last in the record:
 *
 *   discovery_header  record: the header of host, connection and user records
 *   block_type        of a record that is a data block, which layout it has; blocks nested in it
 *                     begin with theirs. A block of an unknown type is block_type and data (bytes).
 *   extra             bytes behind the last field that is known
 *   truncated         true: the fields that are absent were not there
 *   legacy            true: the older form of a record that has had two
 *   trailing          bytes behind the block that should have been all
 *
 * A nested string block is text, a nested blob block bytes, a list a list of records or text.
 * Integers are LEAT_UINT (error_code: LEAT_INT); addresses, UUIDs and MACs have kinds of their own.
 * Fields that say how long another field is (name_length) are read as they are, and ignored when
 * written.
 *
 * Writing takes what reading gives, and also the forms that leat_value_json() prints (text for
 * addresses, UUIDs and MACs, hex digits for bytes, {"hex":"..."} for text that is not UTF-8).
 * Fields that are missing are 0 or empty, unless truncated is true: then those behind the last that
 * is given are left out. Unknown fields are refused. Lists are written as the kind that the layout
 * prescribes, items of bundles and lengths in their canonical form; all else gives the bytes back.
 */
#ifndef LEAT_ESTREAMER_H
#define LEAT_ESTREAMER_H

#include <leat/buffer.h>
#include <leat/builder.h>
#include <leat/leat.h>
#include <leat/session.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Kinds of event, each named like its constant in lower case. The fields of each value:
 *
 * NULL                   none: the acknowledgement of a client, the keep-alive of a server
 * ERROR                  error_code, text_length, text (often with a NUL at its end)
 * EVENT_STREAM_REQUEST   initial_timestamp, request_flags
 * EVENT_DATA             record_type, record_name (if the type is known), netmap_id,
 *                        extended_header, record_length (only if the server got it wrong),
 *                        archive_timestamp and checksum (only if they are there), record (bytes if
 *                        the type is unknown or the record is malformed)
 * HOST_DATA_REQUEST      ipv6 (true: 16-octet addresses; else absent), data_type, flags, start_ip,
 *                        end_ip
 * SINGLE_HOST_DATA       a block: block_type and its fields; none if the message is empty
 * MULTIPLE_HOST_DATA     the same; an empty one ends the answer to a range
 * STREAMING_REQUEST      services: a list of service_type, service_length, flags,
 *                        initial_timestamp, event_types: a list of event_version, event_code
 * STREAMING_INFORMATION  services: a list of service_type, service_length, flags, initial_timestamp
 * MESSAGE_BUNDLE         connection_id, sequence_number, items: how many events follow that are its
 *                        items. Each is event_data, or unknown if it is of another type; one that
 *                        cannot be decoded counts, too.
 * UNKNOWN                message_type, data. Without a value: the end of a bundle whose item does
 *                        not fit.
 *
 * If the stream ends inside a bundle, its items that are whole are told before leat_next() answers
 * LEAT_E_END.
 *
 * A message that the side does not send which the session was made for has its value, and an error
 * LEAT_E_PROTOCOL.
 */
#define LEAT_ESTREAMER_NULL                  1u
#define LEAT_ESTREAMER_ERROR                 2u
#define LEAT_ESTREAMER_EVENT_STREAM_REQUEST  3u
#define LEAT_ESTREAMER_EVENT_DATA            4u
#define LEAT_ESTREAMER_HOST_DATA_REQUEST     5u
#define LEAT_ESTREAMER_SINGLE_HOST_DATA      6u
#define LEAT_ESTREAMER_MULTIPLE_HOST_DATA    7u
#define LEAT_ESTREAMER_STREAMING_REQUEST     8u
#define LEAT_ESTREAMER_STREAMING_INFORMATION 9u
#define LEAT_ESTREAMER_MESSAGE_BUNDLE        10u
#define LEAT_ESTREAMER_UNKNOWN               11u

/**
 * Makes a session that reads and writes every message and keeps no state of the conversation.
 *
 * from     LEAT_FROM_CLIENT, LEAT_FROM_SERVER or LEAT_FROM_ANY: whose messages leat_next() reads.
 * session  yours to free with leat_session_free().
 *
 * leat_send() takes the names of all events. Of a bundle first the message_bundle with the number
 * of its items, then as many commands event_data (or unknown); nothing of it is sent before the
 * last is there, and any other command meanwhile is LEAT_E_STATE. A LEAT_E_LIMIT ends the bundle in
 * front of the item that did not fit. Or items is a list of the values of event_data: then the
 * bundle is complete at once.
 *
 * LEAT_OK, LEAT_E_NOMEM, LEAT_E_STATE (no such side).
 *
 * Source: spec sections 4 to 11.
 */
LEAT_API int leat_estreamer_codec_new(const leat_config *config, uint32_t from,
                                      leat_session **session);

/*
 * Live sessions. A client asks and acknowledges, a server answers and keeps to what it was allowed;
 * both tell the events above. An offence that the protocol lets a session survive is the error of
 * its event; one that it does not survive is answered with an error message, and then ends the
 * session: write its output, then close the connection. Without an offence, a session is over
 * (LEAT_END) when the peer closed or sent an error message, or you closed.
 */

/* initial_timestamp: what is stored, and what comes. Any other value: seconds since 1970. */
#define LEAT_ESTREAMER_OLDEST 0u
#define LEAT_ESTREAMER_NOW    UINT32_MAX

/* Bits of request_flags. Those of older products are in section 7 of the specification. */
#define LEAT_ESTREAMER_FLAG_PACKETS          (UINT32_C(1) << 0)
#define LEAT_ESTREAMER_FLAG_IMPACT_ALERTS    (UINT32_C(1) << 5)
#define LEAT_ESTREAMER_FLAG_INTRUSION        (UINT32_C(1) << 6)
#define LEAT_ESTREAMER_FLAG_METADATA         (UINT32_C(1) << 20)
#define LEAT_ESTREAMER_FLAG_EXTENDED_HEADER  (UINT32_C(1) << 23)
#define LEAT_ESTREAMER_FLAG_EXTRA_DATA       (UINT32_C(1) << 27)
#define LEAT_ESTREAMER_FLAG_EXTENDED_REQUEST (UINT32_C(1) << 30)

/* Codes of an extended request. */
#define LEAT_ESTREAMER_CODE_INTRUSION   12u
#define LEAT_ESTREAMER_CODE_METADATA    21u
#define LEAT_ESTREAMER_CODE_CORRELATION 31u
#define LEAT_ESTREAMER_CODE_DISCOVERY   61u
#define LEAT_ESTREAMER_CODE_CONNECTION  71u
#define LEAT_ESTREAMER_CODE_USER        91u
#define LEAT_ESTREAMER_CODE_MALWARE     101u
#define LEAT_ESTREAMER_CODE_FILE        111u
#define LEAT_ESTREAMER_CODE_IMPACT      131u

typedef struct leat_estreamer_event_type {
    uint16_t event_version;
    uint16_t event_code;
} leat_estreamer_event_type;

/*
 * The event types to ask a Management Center of that release for, all of them; constant. release is
 * a version such as "7.2.4", of which the set of the newest release that is not newer counts: 5.4,
 * 6.0 or 7.1. NULL, and *count is 0: an older one, or not a version.
 *
 * Source: spec section 8.
 */
LEAT_API const leat_estreamer_event_type *leat_estreamer_event_types(const char *release,
                                                                     size_t *count);

/**
 * What a client asks for, and how it acknowledges. Fill it with
 * leat_estreamer_client_options_init(), then change what you want. All that it points to is copied.
 */
typedef struct leat_estreamer_client_options {
    uint64_t size;
    /*
     * What to ask for: packets, impact alerts, intrusion events, metadata, the extended header and
     * extra data, and the rest by an extended request, as deployed clients do (0x48900061). Without
     * the bit EXTENDED_REQUEST event_types do not count.
     */
    uint32_t request_flags;
    uint32_t initial_timestamp;                   /* OLDEST */
    const leat_estreamer_event_type *event_types; /* NULL: those of 7.1 */
    size_t event_type_count;
    const void *bookmark; /* where to resume, instead of initial_timestamp; NULL: nowhere */
    size_t bookmark_length;
    uint32_t
        bookmark_records;   /* 4096, 8 octets each: the most of one second that are known again */
    uint32_t hold;          /* 0; 1: acknowledge only by leat_estreamer_acknowledge() */
    uint32_t held_records;  /* 65536: most records, and messages, that are held; then PAUSED */
    uint32_t endure_errors; /* 0; 1: an error message of the server does not end the session */
    uint64_t idle_ms;       /* 0: never; else the longest silence of the server */
} leat_estreamer_client_options;

LEAT_API void leat_estreamer_client_options_init(leat_estreamer_client_options *options,
                                                 size_t size);

/**
 * Makes the client's session. Its first output is the event stream request; once the server offers
 * its services, the streaming request follows by itself.
 *
 * options  NULL: every default.
 * session  yours to free with leat_session_free().
 *
 * Every message of the server, and every bundle, is acknowledged with one null message: when
 * leat_next() is called again after its last event, or held back until
 * leat_estreamer_acknowledge(). The server sends no more than it wants to have unacknowledged.
 *
 * A bundle whose sequence_number is not the next one has an error LEAT_E_PROTOCOL. If the server
 * does not offer service 6667, streaming_information has it, and the session fails. A silence longer
 * than idle_ms is LEAT_E_TIMEOUT.
 *
 * leat_send() takes host_data_request, event_stream_request and streaming_request (both change the
 * request), null (which allows the server one more message, whatever it was sent for) and error
 * (which ends the session).
 *
 * LEAT_OK, LEAT_E_NOMEM, LEAT_E_VALUE (options that were not initialised, not a bookmark,
 * held_records is 0, event types without their count or a count without them, over 256 of them, or
 * one that is 0, 0).
 *
 * Source: spec sections 7, 8, 12 to 15.
 */
LEAT_API int leat_estreamer_client_new(const leat_config *config,
                                       const leat_estreamer_client_options *options,
                                       leat_session **session);

/**
 * Says that events are safe, so that they may be acknowledged (with hold), and that the bookmark may
 * pass them.
 *
 * offset  leat_event_offset() of the last one that is; UINT64_MAX: all that leat_next() gave.
 *
 * LEAT_OK, LEAT_E_LIMIT (no room for that many null messages: drain the output, or acknowledge
 * fewer) or LEAT_E_NOMEM: nothing changed; LEAT_E_STATE: not a client's session.
 */
LEAT_API int leat_estreamer_acknowledge(leat_session *session, uint64_t offset);

/**
 * Appends the client's place in the stream: the archive timestamp of the last record that it
 * acknowledged, or of one before it that is still held. Given to another client later, it resumes
 * there; records of that second that come again are recognised. Keep it like any other octets; its
 * form may change.
 *
 * Nothing is lost if the server sends records in the order of their archive timestamps, which it
 * does if FLAG_EXTENDED_HEADER asks for them. Before the first record there is no place: a client
 * that starts from NOW then starts from now again. A changed request takes the place to its own
 * start; records of the one before it that still come cannot be told apart.
 *
 * LEAT_OK, LEAT_E_STATE (not a client's session), LEAT_E_LIMIT, LEAT_E_NOMEM; unless LEAT_OK,
 * nothing was appended.
 *
 * Source: spec section 14.
 */
LEAT_API int leat_estreamer_bookmark(const leat_session *session, leat_buffer *buffer);

/* 1 if the event that leat_next() gave last was acknowledged before the bookmark was taken. */
LEAT_API int leat_estreamer_is_repeat(const leat_session *session);

/**
 * How a server's session behaves. Fill it with leat_estreamer_server_options_init(), then change
 * what you want. All that it points to is copied.
 */
typedef struct leat_estreamer_server_options {
    uint64_t size;
    const uint32_t *services; /* to offer, at most 16; NULL: 6667 alone */
    size_t service_count;
    uint32_t connection_id;  /* 1: in every bundle */
    uint32_t window;         /* 1: messages with records that may lack their acknowledgement */
    uint32_t bundle_records; /* 128: most records in one bundle */
    uint32_t bundle_bytes;   /* 64 KiB: a bundle of so many octets takes no more records */
    /*
     * 0: records are sent as deployed clients need them: with the header that was asked for, the
     * type alone in its first word, and in an extended session has_ipv6 set in every discovery
     * header. 1: as they are given, but with lengths that are right.
     */
    uint32_t verbatim;
    uint64_t keepalive_ms; /* 30 000; 0: never. A null message after so long without output */
    uint64_t request_ms;   /* 60 000; 0: any time. How long a request may take to be complete */
    uint64_t idle_ms;      /* 0: any time. How long an acknowledgement may take */
} leat_estreamer_server_options;

LEAT_API void leat_estreamer_server_options_init(leat_estreamer_server_options *options,
                                                 size_t size);

/**
 * Makes a server's session.
 *
 * options  NULL: every default.
 * session  yours to free with leat_session_free().
 *
 * leat_next() tells what the client asks for; the services are offered by the session itself. A
 * later request takes the place of the one before it. A client that closes at once was only probing:
 * LEAT_END (of TLS, see leat_tls_run()).
 *
 * leat_send() takes
 *   event_data          a record, from the first request on. In an extended session it goes in a
 *                       bundle with others that wait, else as a message of its own.
 *   single_host_data    the answer to a host_data_request with an even data_type
 *   multiple_host_data  part of the answer to one with an odd data_type; an empty one ends it
 *   null                a keep-alive, never in answer to a null
 *   error               ends the session
 *
 * What the client has not allowed yet waits, counted by leat_estreamer_waiting(); more than
 * queued_bytes of it is LEAT_E_LIMIT. Deployed clients acknowledge every message, so that their
 * null messages for services and keep-alives allow nothing; of a client that seems to acknowledge
 * records alone they count after 30 seconds (if it once seemed not to, 5 minutes) without another. A client that does not read
 * what it asked for is not read (LEAT_PAUSED).
 *
 * LEAT_E_PROTOCOL ends the session after a first message that is not an event stream request, and
 * after a streaming request that does not name service 6667; LEAT_E_TIMEOUT after request_ms and
 * idle_ms.
 *
 * LEAT_OK, LEAT_E_NOMEM, LEAT_E_VALUE (options that were not initialised; window or bundle_records
 * is 0; services without their count or a count without them; too many).
 *
 * Source: spec sections 7 to 9, 11 to 13.
 */
LEAT_API int leat_estreamer_server_new(const leat_config *config,
                                       const leat_estreamer_server_options *options,
                                       leat_session **session);

/**
 * Sends a record whose octets are there already: what a relay and a fan-out need.
 *
 * archive_timestamp  0 for records without one, such as metadata.
 * record             without its header; copied.
 *
 * LEAT_OK, LEAT_E_STATE (not a server's session, no request yet, or it is over), LEAT_E_VALUE (a
 * type over 65535), LEAT_E_LIMIT, LEAT_E_NOMEM.
 */
LEAT_API int leat_estreamer_send_record(leat_session *session, uint32_t record_type,
                                        uint32_t archive_timestamp, const void *record,
                                        size_t length);

/*
 * 1 if the client's request covers records of that type: by the bits of the event stream request
 * and the codes of the streaming request. 0 while a streaming request is awaited. Unknown types are
 * covered by any request for events.
 */
LEAT_API int leat_estreamer_is_wanted(const leat_session *session, uint32_t record_type);

/* From when on the client wants records: the initial_timestamp of its last request. */
LEAT_API uint32_t leat_estreamer_initial_timestamp(const leat_session *session);

/*
 * How many records, and messages with host data, wait until what went before is acknowledged. 0 once
 * the session is over.
 */
LEAT_API size_t leat_estreamer_waiting(const leat_session *session);

/**
 * Ends a session of either side. What waits for the client's acknowledgement is dropped.
 *
 * text  of the error message that is sent first, at most 65535 octets, with error_code (clients say
 *       -1); NULL: none is sent.
 *
 * From now on leat_next() answers LEAT_END. LEAT_OK, LEAT_E_STATE (it is over already, or a codec),
 * LEAT_E_VALUE (text too long), LEAT_E_LIMIT, LEAT_E_NOMEM.
 *
 * Source: spec section 6.
 */
LEAT_API int leat_estreamer_close(leat_session *session, int32_t error_code, const char *text);

/*
 * The metadata store: names for the ids in records. Servers send names as records of their own,
 * before the events or between them, and again when they change; the store keeps those that it is
 * given, and forgets the ones that were not used for longest when it is full (or, where a server
 * made ids collide, the ones that collide). lib/estreamer/metadata.tsv says what names what,
 * lib/estreamer/ids.tsv which fields hold the ids.
 */
typedef struct leat_estreamer_metadata leat_estreamer_metadata;

/**
 * Makes an empty store.
 *
 * bytes  most memory that it may hold, itself included; 0: 16 MiB.
 *
 * LEAT_OK, LEAT_E_NOMEM, or LEAT_E_VALUE (too few octets for the longest name: about 2 KiB).
 */
LEAT_API int leat_estreamer_metadata_new(const leat_config *config, size_t bytes,
                                         leat_estreamer_metadata **metadata);
LEAT_API void leat_estreamer_metadata_free(leat_estreamer_metadata *metadata);

/**
 * Keeps the name that an event tells, in the place of the one before it. Events without one (other
 * records, other kinds, malformed ones, empty names) change nothing. Of a name the first 1024 octets
 * are kept, or up to three fewer, so that no character is cut.
 *
 * LEAT_OK or LEAT_E_NOMEM (the one before it stays; others may be gone to make room).
 *
 * Source: spec section 14.
 */
LEAT_API int leat_estreamer_metadata_learn(leat_estreamer_metadata *metadata,
                                           const leat_event *event);

/**
 * Writes the names for all ids of an event into a builder: a record whose fields are called like
 * those of the event's record that hold the ids, each with its name as text (rule_id: the rule's
 * message). Ids without a known name are left out, and those in lists; so the record may be empty.
 * Of several fields of one name (the device_id of a connection and of its discovery_header) the
 * first counts. Metadata itself has no ids in this sense.
 *
 * name   the field's name inside a record, else NULL.
 * value  of event_data.
 *
 * LEAT_OK, LEAT_E_LIMIT, LEAT_E_NOMEM, LEAT_E_STATE (no value may come here).
 */
LEAT_API int leat_estreamer_metadata_names(leat_estreamer_metadata *metadata, leat_builder *builder,
                                           const char *name, const leat_value *value);

/*
 * The name for one field of an event_data's record, not followed by a NUL; NULL: unknown. Valid
 * until the next call on the store that learns, loads or frees.
 */
LEAT_API const char *leat_estreamer_metadata_name(leat_estreamer_metadata *metadata,
                                                  const leat_value *value, const char *field,
                                                  size_t *length);

/* How many names it holds, and the octets of memory. */
LEAT_API size_t leat_estreamer_metadata_count(const leat_estreamer_metadata *metadata);
LEAT_API size_t leat_estreamer_metadata_memory(const leat_estreamer_metadata *metadata);

/* Appends all that it holds, to be loaded again. LEAT_OK, LEAT_E_LIMIT or LEAT_E_NOMEM. */
LEAT_API int leat_estreamer_metadata_save(const leat_estreamer_metadata *metadata,
                                          leat_buffer *buffer);

/**
 * Adds what was saved, as far as there is room, last the names that were not used for longest; what
 * it holds already stays, and wins.
 *
 * LEAT_OK, LEAT_E_SYNTAX (not what save writes; nothing changed), LEAT_E_NOMEM.
 */
LEAT_API int leat_estreamer_metadata_load(leat_estreamer_metadata *metadata, const void *data,
                                          size_t length);

/**
 * Reads what a record holds, without its header of 8 or 16 octets, into a builder.
 *
 * name         the field's name inside a record, else NULL.
 * record_type  any; unknown ones give bytes.
 * octets       copied.
 *
 * LEAT_OK, LEAT_E_SYNTAX (malformed; leat_builder_error() has the place and the field),
 * LEAT_E_LIMIT (values or depth), LEAT_E_NOMEM, LEAT_E_STATE (no value may come here).
 *
 * Source: spec sections 9.2, 9.3 and 10.
 */
LEAT_API int leat_estreamer_record_read(leat_builder *builder, const char *name,
                                        uint32_t record_type, const void *octets, size_t length);

/**
 * Appends what the above reads.
 *
 * record  a record with the fields of the type's layout, or bytes (or their hex digits as text),
 *         which are written as they are; NULL: every field is 0 or empty.
 *
 * LEAT_OK, LEAT_E_VALUE (leat_buffer_error() has the field), LEAT_E_LIMIT, LEAT_E_NOMEM; unless
 * LEAT_OK, nothing was appended.
 */
LEAT_API int leat_estreamer_record_write(leat_buffer *buffer, uint32_t record_type,
                                         const leat_value *record);

/*
 * The tables, for bindings, documentation and tests. Text is constant and ends with a NUL. Out of
 * range, or for record types that are unknown, the answer is NULL, 0 or LEAT_ESTREAMER_NO_LAYOUT.
 */
#define LEAT_ESTREAMER_NO_LAYOUT SIZE_MAX

/* How many record types are known. */
LEAT_API size_t leat_estreamer_record_count(void);
/* The number of the one at index, ascending. */
LEAT_API uint32_t leat_estreamer_record_type(size_t index);
/* "Intrusion Event" */
LEAT_API const char *leat_estreamer_record_name(uint32_t record_type);
/* intrusion, connection, metadata, ... */
LEAT_API const char *leat_estreamer_record_category(uint32_t record_type);
/* 1 if the discovery header comes first. */
LEAT_API int leat_estreamer_record_has_discovery_header(uint32_t record_type);
/* The series of its data block: 1 or 2; 0: it holds none. */
LEAT_API uint32_t leat_estreamer_record_series(uint32_t record_type);
/* Its structure, or the block that is written if block_type is not given. */
LEAT_API size_t leat_estreamer_record_layout(uint32_t record_type);
/* Its older form, which the field legacy tells. */
LEAT_API size_t leat_estreamer_record_legacy_layout(uint32_t record_type);

/* How many layouts there are; a layout is a number below that. */
LEAT_API size_t leat_estreamer_layout_count(void);
/* "s2/85": block type 85 of series 2; "record/2": what records of type 2 hold. */
LEAT_API const char *leat_estreamer_layout_container(size_t layout);
/* "intrusion_event_7_1" */
LEAT_API const char *leat_estreamer_layout_name(size_t layout);
/* The layout of a block type of series 1 or 2. */
LEAT_API size_t leat_estreamer_layout_of_block(uint32_t series, uint32_t block_type);

/* How many fields it has, and the name of the one at that place, from 0. */
LEAT_API size_t leat_estreamer_field_count(size_t layout);
LEAT_API const char *leat_estreamer_field_name(size_t layout, size_t field);
/* The kind of its value, LEAT_*. */
LEAT_API uint32_t leat_estreamer_field_kind(size_t layout, size_t field);
/* Its type on the wire, as lib/estreamer/layouts.tsv spells it: "u32", "utf8[name_length]". */
LEAT_API const char *leat_estreamer_field_wire_type(size_t layout, size_t field);

#ifdef __cplusplus
}
#endif

#endif
