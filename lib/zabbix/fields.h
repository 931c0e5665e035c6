/*
 * What rows and tables may hold, by version: the one table of what is sent, required and accepted.
 * Generated from fields.tsv.
 */
#ifndef LT_ZABBIX_FIELDS_H
#define LT_ZABBIX_FIELDS_H

#include "version.h"

#include <leat/value.h>

enum lt_zabbix_type {
    LT_ZABBIX_NUMBER,         /* 64 bits, unsigned or negative */
    LT_ZABBIX_NUMBER_OR_NULL, /* a reference that may be empty */
    LT_ZABBIX_STRING
};

/* There are hundreds of them: texts are offsets into one, so that nothing needs to be relocated. */
struct lt_zabbix_field {
    uint16_t name_at; /* in lt_zabbix_texts */
    uint16_t fallback_at;
    uint16_t since; /* version number */
    uint16_t until; /* 0: still there */
    uint8_t length; /* of its name */
    uint8_t type;
    uint8_t refers; /* to a row of lt_zabbix_tables[refers - 1]; 0: to none */
    bool required;  /* senders always send it */
    bool demanded;  /* readers refuse what lacks it */
};

struct lt_zabbix_fields {
    const char *name; /* of the section or table; of tasks "task 2" and so on */
    const struct lt_zabbix_field *field;
    size_t count;
};

extern const char lt_zabbix_texts[];

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

/* The rows of a section ("history data"); NULL: this version has no such section. */
const struct lt_zabbix_fields *lt_zabbix_section_fields(uint32_t version, const char *name,
                                                        size_t length);

/* A task of that type, as the server (or else a proxy) sends it; NULL: there is none. */
const struct lt_zabbix_fields *lt_zabbix_task_fields(uint32_t version, bool by_server,
                                                     uint64_t type);

/* The columns of a configuration table; NULL: this version has no such table. */
const struct lt_zabbix_fields *lt_zabbix_table_fields(uint32_t version, const char *name,
                                                      size_t length);

static inline bool lt_zabbix_field_is_in(const struct lt_zabbix_field *field, uint32_t version)
{
    return version >= field->since && (field->until == 0 || version <= field->until);
}

/* The field of that name in this version, or NULL. */
const struct lt_zabbix_field *lt_zabbix_field_find(const struct lt_zabbix_fields *fields,
                                                   uint32_t version, const char *name,
                                                   size_t length);

/*
 * What a reader misses in a row that it was sent, as real peers do: a field that they demand (not
 * every field that real senders always send), "" if it is no record. NULL: nothing.
 */
const char *lt_zabbix_row_lacks(uint32_t version, const char *section, size_t length,
                                const leat_value *row);

/*
 * What stands in the way of sending a row: a field that is missing, unknown or of the wrong type
 * (*what is the sentence), "" if it has no name that we know. NULL: nothing.
 */
const char *lt_zabbix_row_offends(uint32_t version, const char *section, size_t length,
                                  const leat_value *row, const char **what);

/* The same for a task. */
const char *lt_zabbix_task_lacks(uint32_t version, bool by_server, const leat_value *task);
const char *lt_zabbix_task_offends(uint32_t version, bool by_server, const leat_value *task,
                                   const char **what);

#endif
