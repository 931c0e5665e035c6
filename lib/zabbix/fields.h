/*
 * What messages, rows and tables may hold, by version: the one table of what is sent, required and accepted.
 * Generated from fields.tsv.
 */
#ifndef LT_ZABBIX_FIELDS_H
#define LT_ZABBIX_FIELDS_H

#include "version.h"

#include <leat/value.h>

enum lt_zabbix_type {
    LT_ZABBIX_NUMBER,         /* 64 bits, unsigned or negative */
    LT_ZABBIX_NUMBER_OR_NULL, /* a reference that may be empty */
    LT_ZABBIX_STRING,
    /* Only in messages, and in what stands in their members. */
    LT_ZABBIX_STRING_OR_NULL,
    LT_ZABBIX_STRING_OR_NUMBER,
    LT_ZABBIX_NUMBERS,
    LT_ZABBIX_TRUE,
    LT_ZABBIX_OBJECT,  /* refers to what it holds; 0: to anything */
    LT_ZABBIX_RECORDS, /* refers to what each of them holds */
    LT_ZABBIX_SECTION, /* rows of the section of that name */
    LT_ZABBIX_TASK_LIST,
    LT_ZABBIX_TABLE_SET
};

enum lt_zabbix_presence {
    LT_ZABBIX_OPTIONAL,
    LT_ZABBIX_SENT,    /* senders always send it */
    LT_ZABBIX_DEMANDED /* and readers refuse what lacks it */
};

/* The messages of the exchanges, in the order of the table. */
enum lt_zabbix_says {
    LT_ZABBIX_SAYS_PROXY_CONFIG_REQUEST,
    LT_ZABBIX_SAYS_PROXY_CONFIG_COPY, /* up to 6.2: tables stand at the top */
    LT_ZABBIX_SAYS_PROXY_CONFIG_UPDATE,
    LT_ZABBIX_SAYS_PROXY_CONFIG_TO_PASSIVE,
    LT_ZABBIX_SAYS_PROXY_CONFIG_STATE,
    LT_ZABBIX_SAYS_PROXY_CONFIG_TAKEN,
    LT_ZABBIX_SAYS_PROXY_HEARTBEAT,
    LT_ZABBIX_SAYS_RESPONSE,
    LT_ZABBIX_SAYS_REQUEST,
    LT_ZABBIX_SAYS_PROXY_DATA,
    LT_ZABBIX_SAYS_PROXY_DATA_FROM_PASSIVE,
    LT_ZABBIX_SAYS_PROXY_DATA_TAKEN,
    LT_ZABBIX_SAYS_PROXY_TASKS,
    LT_ZABBIX_SAYS_PROXY_TASKS_TAKEN,
    LT_ZABBIX_SAYS_ACTIVE_CHECKS,
    LT_ZABBIX_SAYS_ACTIVE_CHECKS_LIST,
    LT_ZABBIX_SAYS_AGENT_DATA,
    LT_ZABBIX_SAYS_VALUES_TAKEN,
    LT_ZABBIX_SAYS_ACTIVE_CHECK_HEARTBEAT,
    LT_ZABBIX_SAYS_SENDER_DATA,
    LT_ZABBIX_SAYS_PASSIVE_CHECKS,
    LT_ZABBIX_SAYS_PASSIVE_CHECKS_DONE,
    LT_ZABBIX_SAYS_TOTAL
};

/* There are hundreds of them: texts are offsets into one, so that nothing needs to be relocated. */
struct lt_zabbix_field {
    uint16_t name_at;    /* in lt_zabbix_texts */
    uint8_t fallback_at; /* these begin it */
    uint8_t since;       /* lt_zabbix_short_version() */
    uint8_t until;       /* 0: still there */
    uint8_t length;      /* of its name */
    unsigned type : 4;
    unsigned presence : 2;
    unsigned refers : 8; /* to a row of lt_zabbix_tables[refers - 1]; 0: to none */
};

struct lt_zabbix_fields {
    uint16_t name_at; /* of the section or table; of tasks "task 2" and so on */
    uint16_t first;   /* in lt_zabbix_all_fields */
    uint16_t count;   /* 0: there are none, nothing is known */
};

extern const char lt_zabbix_texts[];
extern const struct lt_zabbix_field lt_zabbix_all_fields[];

static inline const char *lt_zabbix_fields_name(const struct lt_zabbix_fields *fields)
{
    return lt_zabbix_texts + fields->name_at;
}

static inline const struct lt_zabbix_field *
lt_zabbix_fields_at(const struct lt_zabbix_fields *fields, size_t i)
{
    return &lt_zabbix_all_fields[fields->first + i];
}

static inline const char *lt_zabbix_field_name(const struct lt_zabbix_field *field)
{
    return lt_zabbix_texts + field->name_at;
}

/* What a column that is not given gets; "": 0, "" or null. */
static inline const char *lt_zabbix_field_fallback(const struct lt_zabbix_field *field)
{
    return lt_zabbix_texts + field->fallback_at;
}

/* The configuration tables of all versions. */
extern const struct lt_zabbix_fields lt_zabbix_tables[];
extern const size_t lt_zabbix_tables_total;

/* The members of a message at its top; the name is "". */
struct lt_zabbix_fields lt_zabbix_message_fields(enum lt_zabbix_says says);

/* What a member of a message refers to. */
struct lt_zabbix_fields lt_zabbix_referred(const struct lt_zabbix_field *member);

/* The member of that name of any message in any version, or NULL. */
const struct lt_zabbix_field *lt_zabbix_member_of_any(const char *name, size_t length);

/* The rows of a section ("history data"); NULL: this version has no such section. */
const struct lt_zabbix_fields *lt_zabbix_section_fields(uint32_t version, const char *name,
                                                        size_t length);

/* A task of that type, as the server (or else a proxy) sends it; NULL: there is none. */
const struct lt_zabbix_fields *lt_zabbix_task_fields(uint32_t version, bool by_server,
                                                     uint64_t type);

/* The columns of a configuration table; NULL: this version has no such table. */
const struct lt_zabbix_fields *lt_zabbix_table_fields(uint32_t version, const char *name,
                                                      size_t length);

/* 7.4 as 74; no version whose messages we know has more than one digit there. */
static inline uint32_t lt_zabbix_short_version(uint32_t version)
{
    return version / 100 * 10 + (version % 100 > 9 ? 9 : version % 100);
}

static inline bool lt_zabbix_field_is_in(const struct lt_zabbix_field *field, uint32_t number)
{
    uint32_t version = lt_zabbix_short_version(number);

    return version >= field->since && (field->until == 0 || version <= field->until);
}

/* The field of that name in this version, or NULL. */
const struct lt_zabbix_field *lt_zabbix_field_find(const struct lt_zabbix_fields *fields,
                                                   uint32_t version, const char *name,
                                                   size_t length);

/* Whether it may be sent as that: a number, a text and the like, but no rows or objects. */
bool lt_zabbix_is_writable(const struct lt_zabbix_field *field, const leat_value *value);

/* A field of this version that senders always send and that is not among those seen, or NULL. */
const char *lt_zabbix_missing(uint32_t version, const struct lt_zabbix_fields *fields,
                              uint32_t seen);

/*
 * What stands in the way of sending a record of these fields: one that is missing, unknown or of the
 * wrong type (*what is the sentence), "" if it has no name that we know. NULL: nothing.
 */
const char *lt_zabbix_record_offends(uint32_t version, const struct lt_zabbix_fields *fields,
                                     const leat_value *record, const char **what);

/*
 * What a reader misses in a row that it was sent, as real peers do: a field that they demand (not
 * every field that real senders always send), "" if it is no record. NULL: nothing.
 */
const char *lt_zabbix_row_lacks(uint32_t version, const char *section, size_t length,
                                const leat_value *row);

/* What stands in the way of sending a row, as of a record. */
const char *lt_zabbix_row_offends(uint32_t version, const char *section, size_t length,
                                  const leat_value *row, const char **what);

/* The same for a task. */
const char *lt_zabbix_task_lacks(uint32_t version, bool by_server, const leat_value *task);
const char *lt_zabbix_task_offends(uint32_t version, bool by_server, const leat_value *task,
                                   const char **what);

#endif
