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
