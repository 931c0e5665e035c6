/* A Zabbix session from the inside: what is being read, and what is being written. */
#ifndef LT_ZABBIX_CODEC_H
#define LT_ZABBIX_CODEC_H

#include "../core/inflate.h"
#include "../core/json.h"
#include "../core/session.h"
#include "check.h"
#include "frame.h"
#include "members.h"
#include "message.h"

#include <leat/zabbix.h>

/* What encloses the present place of a message. A message never opens more of them than this. */
enum lt_zabbix_place { LT_ZABBIX_TOP, LT_ZABBIX_DATA, LT_ZABBIX_TABLE, LT_ZABBIX_ROWS };
#define LT_ZABBIX_PLACES 4u

/*
 * Of what could not be read, an event shows at most this much; inflated text is held in pieces of
 * it.
 */
#define LT_ZABBIX_PIECE ((size_t)64 << 10)

struct lt_zabbix_column {
    size_t at; /* in columns */
    uint16_t length;
};

/*
 * The message that is arriving. Made with the first octet, freed by leat_session_trim() between
 * messages.
 */
struct lt_zabbix_reading {
    uint8_t state; /* enum state of read.c */
    bool any;      /* a message has begun: the header and offset are its own */
    struct lt_zabbix_header header;
    uint64_t offset;    /* of the frame, in the stream */
    uint64_t body_left; /* octets of the body that were not taken from the window */
    uint64_t text_left; /* octets of the text that were not inflated */
    uint64_t position;  /* in the text, of the first octet that was not taken */
    uint64_t event_at;  /* in the text, of the last event's row or error */

    /*
     * Inflated text: text[text_start .. text_end), of which the first lent octets went with an
     * event.
     */
    struct lt_inflate inflate;
    uint8_t *text;
    size_t text_size;
    size_t text_start;
    size_t text_end;
    size_t lent;
    const char *failed; /* what was wrong when inflating: no more text will come */

    struct lt_json json;
    struct lt_json_scan scan; /* of the value that begins at the first octet not taken */
    bool scanning;

    uint8_t places[LT_ZABBIX_PLACES];
    uint32_t depth; /* places[depth - 1] is the present one; 0: outside the object */
    uint32_t seen;  /* LT_ZABBIX_SEEN_* */
    uint32_t request;
    uint64_t rows; /* of the open array */

    struct lt_zabbix_members members;

    /* The name of the section or table, and of the present member: in a table it stands behind. */
    uint8_t *name;
    size_t name_size;
    size_t name_length;
    size_t section_length;

    struct lt_writer columns; /* their names, one behind the other */
    struct lt_zabbix_column *column;
    size_t column_size;
    size_t column_count;
    bool has_columns;

    struct leat_error error; /* of the message, which is being given up */
};

/*
 * The message that is being written. Made by the first one, freed by leat_session_trim() between
 * messages.
 */
struct lt_zabbix_writing {
    bool open;
    bool compressed;
    bool first;     /* the next member or row is the first of its container */
    bool was_first; /* when the call began, as the mark below */
    bool by_proxy;  /* rows of values get a proxy's order, not an agent's */
    uint64_t text;  /* octets of the message's text so far */
    size_t mark;    /* length of the text that was there before the call, where it is written to */
    uint8_t places[LT_ZABBIX_PLACES];
    uint32_t depth;
    struct lt_deflate deflate;
    struct lt_writer piece;   /* text that was not deflated yet */
    struct lt_writer columns; /* names of the table's fields, each behind its length (16 bits) */
    size_t column_count;
    struct lt_zabbix_check check; /* of exchanges */
};

struct lt_zabbix;

/*
 * What an exchange has to say about messages that are being written. Each answers LEAT_OK or, by
 * lt_refuse(), why not.
 */
struct lt_zabbix_rules {
    /* A message begins; kind is 0 if its members will tell. Sets zabbix->compress. */
    int (*begin)(struct lt_zabbix *z, uint32_t kind);
    /* A member; one that opens has nothing in its value yet. */
    int (*member)(struct lt_zabbix *z, const char *name, size_t length, const leat_value *value,
                  enum lt_zabbix_how how);
    /* A table of these columns. */
    int (*table)(struct lt_zabbix *z, const char *name, size_t length, const char *const *columns,
                 size_t count);
    /* A row of a section, and one with these LEAT_ZABBIX_HAS_*. */
    int (*row)(struct lt_zabbix *z, const leat_value *row);
    int (*history)(struct lt_zabbix *z, uint64_t has);
    /* The object at its top that is open is closed. */
    int (*close)(struct lt_zabbix *z);
    /* All its members are there. */
    int (*end)(struct lt_zabbix *z);
    /* It was written. */
    void (*sent)(struct lt_zabbix *z);
};

struct lt_zabbix {
    leat_session core;
    uint32_t from;
    bool compress;
    bool plain;                          /* every body is plain, whatever it looks like */
    bool refuse_large;                   /* a large header breaks the framing */
    const struct lt_zabbix_rules *rules; /* NULL: a codec has none */
    struct lt_zabbix_reading *reading;   /* or NULL */
    struct lt_zabbix_writing *writing;   /* or NULL */
};

extern const struct lt_dialect lt_zabbix_codec;
extern const struct lt_dialect lt_zabbix_live;
extern const leat_limits lt_zabbix_limits;

/* Whether the session is a codec or an exchange. */
static inline bool lt_is_zabbix(const leat_session *session)
{
    return session->dialect == &lt_zabbix_codec || session->dialect == &lt_zabbix_live;
}

/* NULL if the session is of another kind. */
static inline struct lt_zabbix *lt_zabbix(leat_session *session)
{
    return lt_is_zabbix(session) ? (struct lt_zabbix *)session : NULL;
}

static inline int lt_zabbix_no_memory(struct lt_zabbix *z)
{
    return lt_fail(&z->core, LEAT_E_NOMEM, 0, "out of memory", NULL);
}

/* What codecs and exchanges share of struct lt_dialect. */
void lt_zabbix_release(leat_session *session);
void lt_zabbix_trim(leat_session *session);
size_t lt_zabbix_memory(const leat_session *session);

int lt_zabbix_next(leat_session *session);
void lt_zabbix_reading_free(struct lt_zabbix *zabbix);
size_t lt_zabbix_reading_memory(const struct lt_zabbix *zabbix);
/* The message that is arriving, or 0 between messages. */
uint32_t lt_zabbix_arriving(const struct lt_zabbix *zabbix);

int lt_zabbix_send(leat_session *session, const char *name, const leat_value *value);
/*
 * Rows of the open section that are sound JSON text already, with commas between them: what the
 * leat_zabbix_* calls that write answer.
 */
int lt_zabbix_put_rows(leat_session *session, const void *text, size_t length);
void lt_zabbix_writing_free(struct lt_zabbix *zabbix);
size_t lt_zabbix_writing_memory(const struct lt_zabbix *zabbix);

#endif
