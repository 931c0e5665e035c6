/*
 * Broker: the peering of Zeek's processes, TCP port 9999 and others, mostly inside TLS.
 *
 * Values. Broker's types are these kinds: none LEAT_NULL, boolean LEAT_BOOL, count LEAT_UINT,
 * integer LEAT_INT, real LEAT_REAL, string LEAT_TEXT, address LEAT_ADDRESS (16 octets), subnet
 * LEAT_SUBNET, port LEAT_PORT, timestamp LEAT_TIMESTAMP, timespan LEAT_TIMESPAN, enum_value
 * LEAT_ENUM, set LEAT_SET, table LEAT_TABLE, vector LEAT_LIST. There are no others: LEAT_BYTES,
 * LEAT_MAC, LEAT_UUID and LEAT_RECORD cannot be written as data. Texts are any octets.
 *
 * Sets and tables are lent in Broker's order whatever order they came in, and are written in it
 * whatever order you built them in. An element or key that is there twice is an error both ways.
 * What is written is canonical: host bits of subnets are cleared; subnormal reals, for which Broker
 * has no form, are zero. Refused are NaN in a set or a key, where it has no place, and a prefix of
 * more than 128 bits, which a peer may have sent all the same.
 */
#ifndef LEAT_BROKER_H
#define LEAT_BROKER_H

#include <leat/buffer.h>
#include <leat/builder.h>
#include <leat/leat.h>
#include <leat/session.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Reads one value in the binary format, version 1, into a builder.
 *
 * name    the field's name inside a record, else NULL.
 * octets  the value from its tag on, and nothing else; copied.
 *
 * LEAT_OK, LEAT_E_SYNTAX (malformed; leat_builder_error() has the place and the type), LEAT_E_LIMIT
 * (values or depth), LEAT_E_NOMEM, LEAT_E_STATE (no value may come here).
 *
 * Source: spec section 9.
 */
LEAT_API int leat_broker_read(leat_builder *builder, const char *name, const void *octets,
                              size_t length);

/**
 * Appends a value in the binary format. Nothing is allocated but the buffer's own memory, unless a
 * set or table in it has to be sorted.
 *
 * LEAT_OK, LEAT_E_VALUE (leat_buffer_error() has the type, and the offset in what would have been
 * written), LEAT_E_LIMIT, LEAT_E_NOMEM; unless LEAT_OK, nothing was appended.
 *
 * Source: spec section 9.
 */
LEAT_API int leat_broker_write(leat_buffer *buffer, const leat_value *value);

/**
 * Appends a value in the protocol's JSON form: {"@data-type":"count","data":1}.
 *
 * It is JSON that Broker and Zeek read back as the same value: timestamps have all their digits,
 * reals as many as they need. What has no such form is LEAT_E_VALUE: a text that is not UTF-8, an
 * infinity, nesting beyond what Broker reads (63 vectors). NaN is the word nan, which JSON lacks
 * but Broker reads.
 *
 * Results as leat_broker_write(); the offset of an error counts in the binary form.
 *
 * Source: spec section 12.
 */
LEAT_API int leat_broker_json(leat_buffer *buffer, const leat_value *value);

/**
 * Reads a value in the JSON form into a builder. Members that it does not know are ignored, of
 * members that are there twice the first counts; so the texts of data messages can be read too.
 *
 * What Broker writes is read, be it JSON or not: raw control characters and octets that are not
 * UTF-8 in strings, \v, nan, inf and -inf. All else is as strict as JSON, and the text must be of
 * the form that the type has: timestamps of the years 1677 to 2262, with or without fraction and
 * zone (none is UTC); timespans as numbers of ns, us, ms, s, min or h; ports of up to 65535 with
 * /tcp, /udp, /icmp or /? (none is TCP); host bits of subnets are cleared.
 *
 * Results as leat_broker_read(); the offset of an error counts in the text.
 *
 * Source: spec section 12.
 */
LEAT_API int leat_broker_json_read(leat_builder *builder, const char *name, const char *text,
                                   size_t length);

/**
 * Appends the text of a data message of the WebSocket protocol: a value in the JSON form with the
 * members type and topic in front. (Other messages are plain JSON: leat_buffer_json().)
 *
 * Results as leat_broker_json().
 *
 * Source: spec section 12.
 */
LEAT_API int leat_broker_json_message(leat_buffer *buffer, const char *topic, size_t length,
                                      const leat_value *data);

/**
 * Reads the text of any message that servers and clients of the WebSocket protocol send. A data
 * message is a record of type, topic (empty if they are missing) and data, the value; every other
 * one is what it is as JSON: the record of an ack (type, endpoint, version) or of an error (type,
 * code, context).
 *
 * Results as leat_broker_json_read(); what is no object is LEAT_E_SYNTAX.
 *
 * Source: spec sections 12 and 13.
 */
LEAT_API int leat_broker_json_message_read(leat_builder *builder, const char *name,
                                           const char *text, size_t length);

/*
 * Kinds of event, each named like its constant in lower case. The value is a record of these
 * fields; ids are LEAT_UUID, other numbers LEAT_UINT.
 *
 * HELLO              magic, sender, min, max (the versions offered)
 * PROBE              magic
 * VERSION_SELECT     magic, sender, version
 * DROP_CONN          magic, sender, code, description
 * ORIGINATOR_SYN     filter: a list of texts, the topics that the sender subscribes to
 * RESPONDER_SYN_ACK  filter
 * ORIGINATOR_ACK     nothing
 *
 * Of the operational phase, each beginning with sender, receiver, type (the name), ttl, topic:
 *
 * DATA               data: the value
 * COMMAND            command: a record, see below
 * ROUTING_UPDATE     filter
 * PING, PONG         payload (bytes)
 *
 * UNKNOWN            has no value, but an error: a frame that is none of the above
 *
 * A command to or from a data store is seq, sender, receiver, tag, name and, by name:
 *
 * put                                key, value, expiry_ns, publisher
 * put_unique                         key, value, expiry_ns, who, req_id, publisher
 * put_unique_result                  inserted (bool), who, req_id, publisher
 * erase, expire                      key, publisher
 * add                                key, value, init_type, expiry_ns, publisher
 * subtract                           key, value, expiry_ns, publisher
 * clear                              publisher
 * attach_writer                      offset, heartbeat_interval
 * keepalive, cumulative_ack          seq_arg
 * nack                               seqs: a list of numbers
 * ack_clone                          offset, heartbeat_interval, state: a table
 * retransmit_failed                  seq_arg
 *
 * where sender, receiver, who and publisher are lists of an id and a number; key and value are
 * values; expiry_ns is LEAT_INT, or LEAT_NULL if there is none.
 */
#define LEAT_BROKER_HELLO             1u
#define LEAT_BROKER_PROBE             2u
#define LEAT_BROKER_VERSION_SELECT    3u
#define LEAT_BROKER_DROP_CONN         4u
#define LEAT_BROKER_ORIGINATOR_SYN    5u
#define LEAT_BROKER_RESPONDER_SYN_ACK 6u
#define LEAT_BROKER_ORIGINATOR_ACK    7u
#define LEAT_BROKER_DATA              8u
#define LEAT_BROKER_COMMAND           9u
#define LEAT_BROKER_ROUTING_UPDATE    10u
#define LEAT_BROKER_PING              11u
#define LEAT_BROKER_PONG              12u
#define LEAT_BROKER_UNKNOWN           13u

/*
 * Kinds that tell of peerings (broker_endpoint.h), of the WebSocket protocol (broker_websocket.h) and
 * of data stores (broker_store.h), where their fields stand.
 */
#define LEAT_BROKER_ENDPOINT_DISCOVERED  14u
#define LEAT_BROKER_ENDPOINT_UNREACHABLE 15u
#define LEAT_BROKER_PEER_ADDED           16u
#define LEAT_BROKER_PEER_REMOVED         17u
#define LEAT_BROKER_PEER_LOST            18u
#define LEAT_BROKER_ERROR                19u
#define LEAT_BROKER_UPGRADE              20u
#define LEAT_BROKER_ACK                  21u
#define LEAT_BROKER_CLOSE                22u
#define LEAT_BROKER_REFUSED              23u
#define LEAT_BROKER_REQUEST              24u
#define LEAT_BROKER_RESPONSE             25u
#define LEAT_BROKER_BODY                 26u
#define LEAT_BROKER_FRAME                27u

#define LEAT_BROKER_STORE_INSERT            30u
#define LEAT_BROKER_STORE_UPDATE            31u
#define LEAT_BROKER_STORE_ERASE             32u
#define LEAT_BROKER_STORE_EXPIRE            33u
#define LEAT_BROKER_STORE_PUT_UNIQUE_RESULT 34u
#define LEAT_BROKER_STORE_ATTACHED          35u
#define LEAT_BROKER_STORE_DETACHED          36u
#define LEAT_BROKER_STORE_ERROR             37u

/**
 * Makes a session that reads and writes every message and judges none: whether versions suit, who
 * may say what when, is for a peer to decide.
 *
 * from     LEAT_FROM_CLIENT (the connector), LEAT_FROM_SERVER (the listener) or LEAT_FROM_ANY:
 *          whose messages leat_next() reads. Both sides say the same ones.
 * session  yours to free with leat_session_free().
 *
 * Reading. One direction begins with handshake messages, and goes on with those of the operational
 * phase behind its originator_ack or responder_syn_ack. It may also begin in the operational phase:
 * then the first frame tells, which is of the handshake if it has the magic number, or is a list of
 * topics or an originator_ack and nothing more. With LEAT_FROM_ANY each frame is told so, and both
 * directions may come mixed.
 *
 * In the handshake a message that is malformed ends the session, and so does a frame over the
 * limit, ever. Later it is an event with an error of its own, without a value, and the conversation
 * goes on. Octets behind a handshake message or a command are ignored, and empty frames in the
 * operational phase, as Broker does.
 *
 * Writing. leat_send() takes the names above, and beside the kinds above the forms that
 * leat_value_json() prints for ids and bytes. Fields that are missing are 0 or empty, but magic,
 * min, max and version as they must be, ttl 16, and the topic of what is between peers <$>. What
 * peers could not bear is LEAT_E_VALUE: no sender, a topic of more than 65535 octets or one that is
 * local to the receiver (<$>/local/), numbers of a nack that do not ascend.
 *
 * LEAT_OK, LEAT_E_NOMEM, LEAT_E_STATE (no such side).
 *
 * Source: spec sections 2 to 6 and 11.
 */
LEAT_API int leat_broker_codec_new(const leat_config *config, uint32_t from,
                                   leat_session **session);

#ifdef __cplusplus
}
#endif

#endif
