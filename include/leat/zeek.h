/*
 * Zeek over Broker: the messages that Zeek's processes send each other as data, whatever brings
 * them, a native peering or a WebSocket. Nothing here knows of sessions: it reads values that came
 * and builds values to be sent.
 *
 * Types. Values of Zeek's scripts are these kinds, see broker.h: bool LEAT_BOOL, int LEAT_INT,
 * count LEAT_UINT, double LEAT_REAL, time LEAT_TIMESTAMP, interval LEAT_TIMESPAN, string LEAT_TEXT,
 * addr LEAT_ADDRESS, subnet LEAT_SUBNET, port LEAT_PORT, enum LEAT_ENUM (the full name:
 * Management::RUNNING; those of the global module have no prefix), set LEAT_SET, table LEAT_TABLE,
 * vector LEAT_LIST. Zeek converts none of them into another, not even int and count. An element or
 * key of several indices is a list of them. Besides,
 *
 * record    is a list of all its fields in the order of their declaration; one that is not set is
 *           LEAT_NULL, for which the receiver takes the default, if there is one. Fields that are
 *           missing at the end make Zeek drop the event, surplus ones are ignored.
 * pattern   is a list of two texts: "^?(foo)$?", "^?(.|\n)*(foo)" for /foo/.
 * function  is a list of its name; if it is a lambda, also of the list of what it captured.
 * opaque    is a list of the name of the class and its state: pass it on as it is.
 * file      is its name, LEAT_TEXT.
 * any       is the value itself.
 *
 * Source: spec section 17; zeek-notes section 1.
 */
#ifndef LEAT_ZEEK_H
#define LEAT_ZEEK_H

#include <leat/buffer.h>
#include <leat/builder.h>
#include <leat/leat.h>
#include <leat/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ----- messages ----- */

#define LEAT_ZEEK_EVENT             1u
#define LEAT_ZEEK_LOG_CREATE        2u
#define LEAT_ZEEK_LOG_WRITE         3u
#define LEAT_ZEEK_IDENTIFIER_UPDATE 4u
#define LEAT_ZEEK_BATCH             5u

/**
 * A message laid open: leat_zeek_read() fills it, leat_zeek_write() writes what is in it. Texts do
 * not end with a NUL. What it points to is lent like the value that was read.
 */
typedef struct leat_zeek_message {
    uint64_t size; /* set by leat_zeek_message_init() */
    uint32_t kind; /* LEAT_ZEEK_*; 0: it is none */

    uint32_t has_timestamp; /* EVENT: 1 if there is a network timestamp; the first one counts */
    int64_t timestamp_ns;   /* since 1970 */
    const char *name;       /* EVENT, IDENTIFIER_UPDATE: whose it is, with its module */
    size_t name_length;
    const leat_value *args;     /* EVENT: a list */
    const leat_value *metadata; /* EVENT: a list of lists of a number and a value; NULL: none */
    const leat_value *value;    /* IDENTIFIER_UPDATE */

    const char *stream; /* LOG_CREATE, LOG_WRITE: an enum, Conn::LOG */
    size_t stream_length;
    const char *writer; /* the same, Log::WRITER_ASCII */
    size_t writer_length;
    const leat_value *info;   /* LOG_CREATE: see leat_zeek_log_info */
    const leat_value *fields; /* LOG_CREATE: a list, see leat_zeek_log_field */
    const char *path;         /* LOG_WRITE: the name of the log, conn */
    size_t path_length;
    const void *record; /* LOG_WRITE: see leat_zeek_record_read() */
    size_t record_length;

    const leat_value *messages; /* BATCH: a list, see leat_zeek_batch_next() */
    const leat_value *data;     /* the message itself */

    const char *what;     /* LEAT_E_SYNTAX: what is wrong, constant */
    const char *field;    /* with which element, by its name in the specification */
    const leat_value *at; /* and where: that element, or the list that lacks it */
} leat_zeek_message;

/* Empties it. size is sizeof(leat_zeek_message) as you compiled it. */
LEAT_API void leat_zeek_message_init(leat_zeek_message *message, size_t size);

/**
 * Reads a message: the data of an event LEAT_BROKER_DATA, or of a data message of a WebSocket.
 * Elements behind those that are known are ignored, and so are metadata of other ids than 1, the
 * network timestamp.
 *
 * message  initialised; filled anew.
 *
 * LEAT_OK; LEAT_E_SYNTAX if it is no message, see what, field and at (such a one is to be ignored:
 * Zeek warns and goes on); LEAT_E_VALUE: not initialised. Nothing is allocated.
 *
 * Source: spec section 16; zeek-notes section 1.
 */
LEAT_API int leat_zeek_read(const leat_value *data, leat_zeek_message *message);

/**
 * The messages of a batch, one after the other; leat_zeek_read() has checked them all.
 *
 *     leat_zeek_message_init(&member, sizeof member);
 *     while (leat_zeek_batch_next(&batch, &member) == LEAT_OK)
 *
 * member  initialised before the first call; one of them may be a batch itself.
 *
 * LEAT_OK; LEAT_END: that was the last one, and member is as initialised; LEAT_E_VALUE: not
 * initialised.
 */
LEAT_API int leat_zeek_batch_next(const leat_zeek_message *batch, leat_zeek_message *member);

/**
 * Adds a message to a builder, as one value: the members of its kind, those above. Metadata of an
 * event are the list metadata, else the network timestamp if has_timestamp, else none. Zeek 8 wants
 * none or an empty list, Zeek 6 and 7 a timestamp; each takes the others.
 *
 * name  the field's name inside a record, else NULL.
 *
 * What a Zeek would warn about and drop is LEAT_E_VALUE, and leat_builder_error() has the element:
 * what leat_zeek_read() would not read, an argument or value that is LEAT_NULL, info or fields that
 * are malformed. Whether the receiver knows that name, and with such arguments, cannot be told here;
 * names that it does not know it ignores. Nor is the record of a log write looked at, which is what
 * leat_zeek_record_write() makes.
 *
 * LEAT_OK, LEAT_E_VALUE, LEAT_E_LIMIT, LEAT_E_NOMEM, LEAT_E_STATE (no value may come here).
 *
 * Source: spec section 16; zeek-notes sections 1 and 3.
 */
LEAT_API int leat_zeek_write(leat_builder *builder, const char *name,
                             const leat_zeek_message *message);

/*
 * An event that is built in place, its arguments by the calls of builder.h between open and close:
 *
 *     leat_zeek_event_open(b, NULL, "ZT::two", 7);
 *     leat_builder_u64(b, NULL, 42);
 *     leat_builder_text(b, NULL, "hello", 5);
 *     leat_zeek_event_close(b);
 *
 * leat_zeek_event_metadata() may come behind the last argument; what is added then is metadata,
 * lists of a number and a value. Behind it leat_zeek_event_timestamp() adds the network timestamp.
 *
 * Results as leat_zeek_write(); LEAT_E_STATE also if no event is open, or a container in it.
 */
LEAT_API int leat_zeek_event_open(leat_builder *builder, const char *name, const char *event,
                                  size_t length);
LEAT_API int leat_zeek_event_metadata(leat_builder *builder);
LEAT_API int leat_zeek_event_timestamp(leat_builder *builder, int64_t ns);
LEAT_API int leat_zeek_event_close(leat_builder *builder);

/*
 * A batch that is built in place: between open and close come messages, by leat_zeek_write() and
 * leat_zeek_event_open() without a name. Results as leat_zeek_write(); LEAT_E_STATE also if no batch
 * is open, or a message in it.
 */
LEAT_API int leat_zeek_batch_open(leat_builder *builder, const char *name);
LEAT_API int leat_zeek_batch_close(leat_builder *builder);

/* ----- logs ----- */

/*
 * Who is to write the log of a stream, by a writer, to a path, is first sent a log create, and then
 * log writes, alone or in batches (Zeek sends up to 400 together), on any topic that it subscribes
 * to; Zeek's is zeek/logs/ and the name of the stream. Writes without a create are dropped silently.
 *
 *     leat_builder_open(fields, NULL, LEAT_LIST);
 *     leat_zeek_log_field_write(fields, &field);            as often as there are columns
 *     leat_builder_close(fields);
 *     leat_zeek_log_info_write(info, NULL, &about);
 *     create.info = leat_builder_value(info);
 *     create.fields = leat_builder_value(fields);
 *     leat_zeek_write(b, NULL, &create);                    once
 *     leat_zeek_record_write(buffer, create.fields, leat_builder_value(values));
 *     write.record = leat_buffer_data(buffer, &write.record_length);
 *     leat_zeek_write(b, NULL, &write);                     for each line
 *
 * Source: spec section 16; zeek-notes section 3.
 */

/*
 * Types of the fields of logs, with Zeek's names and numbers, and the kinds that their values are.
 * Times and intervals are rounded to nanoseconds; those that do not fit, and NaN, are LEAT_REAL, in
 * seconds.
 */
#define LEAT_ZEEK_TYPE_BOOL     1u  /* LEAT_BOOL */
#define LEAT_ZEEK_TYPE_INT      2u  /* LEAT_INT */
#define LEAT_ZEEK_TYPE_COUNT    3u  /* LEAT_UINT */
#define LEAT_ZEEK_TYPE_DOUBLE   4u  /* LEAT_REAL */
#define LEAT_ZEEK_TYPE_TIME     5u  /* LEAT_TIMESTAMP */
#define LEAT_ZEEK_TYPE_INTERVAL 6u  /* LEAT_TIMESPAN */
#define LEAT_ZEEK_TYPE_STRING   7u  /* LEAT_TEXT */
#define LEAT_ZEEK_TYPE_ENUM     9u  /* LEAT_ENUM */
#define LEAT_ZEEK_TYPE_PORT     10u /* LEAT_PORT */
#define LEAT_ZEEK_TYPE_ADDR     11u /* LEAT_ADDRESS, 16 octets */
#define LEAT_ZEEK_TYPE_SUBNET   12u /* LEAT_SUBNET */
#define LEAT_ZEEK_TYPE_SET      14u /* LEAT_SET */
#define LEAT_ZEEK_TYPE_FUNC     17u /* none that is known: always LEAT_NULL */
#define LEAT_ZEEK_TYPE_VECTOR   19u /* LEAT_LIST */

/**
 * The info of a log create: what the writer is told. Times are in seconds.
 */
typedef struct leat_zeek_log_info {
    uint64_t size; /* set by leat_zeek_log_info_init() */
    const char *path;
    size_t path_length;
    double rotation_interval; /* 0: the log is not rotated */
    double rotation_base;
    double network_time;
    const leat_value *config; /* a table; NULL is written as an empty one */
    const char *post_processor;
    size_t post_processor_length;
    const char *field; /* LEAT_E_SYNTAX: which element is wrong, constant */
} leat_zeek_log_info;

/**
 * One of the fields of a log create: a column. Those of records in the record of a log have names
 * with a dot, id.orig_h.
 */
typedef struct leat_zeek_log_field {
    uint64_t size; /* set by leat_zeek_log_field_init() */
    const char *name;
    size_t name_length;
    const char *secondary; /* NULL: none */
    size_t secondary_length;
    uint32_t type;     /* LEAT_ZEEK_TYPE_* */
    uint32_t subtype;  /* of the elements of a set or vector, else 0 */
    uint32_t optional; /* 0 or 1 */
    const char *field; /* LEAT_E_SYNTAX: which element is wrong, constant */
} leat_zeek_log_field;

/* Empties it. size is sizeof(the struct) as you compiled it. */
LEAT_API void leat_zeek_log_info_init(leat_zeek_log_info *info, size_t size);
LEAT_API void leat_zeek_log_field_init(leat_zeek_log_field *field, size_t size);

/*
 * Reads the info of a log create, or one of its fields. LEAT_OK, LEAT_E_SYNTAX, LEAT_E_VALUE (not
 * initialised).
 *
 * Source: zeek-notes section 3.
 */
LEAT_API int leat_zeek_log_info_read(const leat_value *value, leat_zeek_log_info *info);
LEAT_API int leat_zeek_log_field_read(const leat_value *value, leat_zeek_log_field *field);

/*
 * Adds them to a builder: an info is a value, a field one of a list, which makes the fields of a
 * log create. LEAT_E_VALUE if the struct was not initialised, or config is no table; else as all
 * calls of builder.h.
 */
LEAT_API int leat_zeek_log_info_write(leat_builder *builder, const char *name,
                                      const leat_zeek_log_info *info);
LEAT_API int leat_zeek_log_field_write(leat_builder *builder, const leat_zeek_log_field *field);

/**
 * Reads the record of a log write into a builder, as a record of the fields of its log create; a
 * field that is not set is LEAT_NULL. Write and create belong together by stream, writer and path:
 * that of a create stands in its info.
 *
 * name    the field's name inside a record, else NULL.
 * fields  of the log create. NULL: the values become a list.
 * octets  copied.
 *
 * LEAT_OK; LEAT_E_SYNTAX (malformed, or not of these fields; leat_builder_error() has the place and
 * the type), LEAT_E_VALUE (fields are none), LEAT_E_LIMIT, LEAT_E_NOMEM, LEAT_E_STATE (no value may
 * come here).
 *
 * Source: zeek-notes section 3.
 */
LEAT_API int leat_zeek_record_read(leat_builder *builder, const char *name,
                                   const leat_value *fields, const void *octets, size_t length);

/**
 * Appends the record of a log write.
 *
 * fields  of the log create.
 * record  a record: its fields go by their names, and those that are missing are not set. Or a list
 *         of as many values as there are fields, in their order.
 *
 * LEAT_OK; LEAT_E_VALUE (fields or the record are none; another number of values; a field that the
 * log does not have; a value of another type; leat_buffer_error() has the type, and the offset in
 * what would have been written), LEAT_E_LIMIT, LEAT_E_NOMEM; unless LEAT_OK, nothing was appended.
 *
 * Source: zeek-notes section 3.
 */
LEAT_API int leat_zeek_record_write(leat_buffer *buffer, const leat_value *fields,
                                    const leat_value *record);

#ifdef __cplusplus
}
#endif

#endif
