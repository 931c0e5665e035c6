#include "fields.h"

#include "../core/text.h"
#include "../core/value.h"

#include <leat/zabbix.h>
#include <string.h>

extern const struct lt_zabbix_fields lt_zabbix_sections[];
extern const size_t lt_zabbix_sections_total;
extern const struct lt_zabbix_fields lt_zabbix_server_tasks[];
extern const size_t lt_zabbix_server_tasks_total;
extern const struct lt_zabbix_fields lt_zabbix_proxy_tasks[];
extern const size_t lt_zabbix_proxy_tasks_total;
extern const struct lt_zabbix_fields lt_zabbix_rows[];
extern const struct lt_zabbix_fields lt_zabbix_messages[];

#define MISSING           "a field that is always there is missing"
#define STATUS_RULE_ENDED 4u
#define FLAGS_BY_DNS      2u

static bool is_named(const char *name, const char *text, size_t length)
{
    return strlen(name) == length && memcmp(name, text, length) == 0;
}

/* The fields of that name, if this version has any of them. */
static const struct lt_zabbix_fields *find(const struct lt_zabbix_fields *all, size_t total,
                                           uint32_t version, const char *name, size_t length)
{
    size_t i, k;

    for (i = 0; i < total; i++) {
        if (!is_named(lt_zabbix_fields_name(&all[i]), name, length))
            continue;
        for (k = 0; k < all[i].count; k++) {
            if (lt_zabbix_field_is_in(lt_zabbix_fields_at(&all[i], k), version))
                return &all[i];
        }
    }
    return NULL;
}

struct lt_zabbix_fields lt_zabbix_message_fields(enum lt_zabbix_says says)
{
    return lt_zabbix_messages[says];
}

struct lt_zabbix_fields lt_zabbix_referred(const struct lt_zabbix_field *member)
{
    return lt_zabbix_rows[member->refers - 1];
}

const struct lt_zabbix_field *lt_zabbix_member_of_any(const char *name, size_t length)
{
    size_t i, k;

    for (i = 0; i < LT_ZABBIX_SAYS_TOTAL; i++) {
        for (k = 0; k < lt_zabbix_messages[i].count; k++) {
            const struct lt_zabbix_field *field = lt_zabbix_fields_at(&lt_zabbix_messages[i], k);

            if (is_named(lt_zabbix_field_name(field), name, length))
                return field;
        }
    }
    return NULL;
}

const struct lt_zabbix_fields *lt_zabbix_section_fields(uint32_t version, const char *name,
                                                        size_t length)
{
    return find(lt_zabbix_sections, lt_zabbix_sections_total, version, name, length);
}

const struct lt_zabbix_fields *lt_zabbix_task_fields(uint32_t version, bool by_server,
                                                     uint64_t type)
{
    char name[] = "task N";

    if (type > 9)
        return NULL;
    name[sizeof name - 2] = (char)('0' + type);
    return by_server ? find(lt_zabbix_server_tasks, lt_zabbix_server_tasks_total, version, name,
                            sizeof name - 1)
                     : find(lt_zabbix_proxy_tasks, lt_zabbix_proxy_tasks_total, version, name,
                            sizeof name - 1);
}

const struct lt_zabbix_fields *lt_zabbix_table_fields(uint32_t version, const char *name,
                                                      size_t length)
{
    return find(lt_zabbix_tables, lt_zabbix_tables_total, version, name, length);
}

const struct lt_zabbix_field *lt_zabbix_field_find(const struct lt_zabbix_fields *fields,
                                                   uint32_t version, const char *name,
                                                   size_t length)
{
    size_t i;

    for (i = 0; i < fields->count; i++) {
        const struct lt_zabbix_field *field = lt_zabbix_fields_at(fields, i);

        if (field->length == length && memcmp(lt_zabbix_field_name(field), name, length) == 0 &&
            lt_zabbix_field_is_in(field, version))
            return field;
    }
    return NULL;
}

/* An integer, or its decimal text. */
static bool is_number(const leat_value *value)
{
    uint64_t number;
    int64_t negative;

    if (leat_value_kind(value) == LEAT_TEXT)
        return lt_read_u64((const char *)value->u.bytes, value->length, &number) ||
               lt_read_i64((const char *)value->u.bytes, value->length, &negative);
    return leat_value_kind(value) == LEAT_UINT || leat_value_kind(value) == LEAT_INT;
}

/* As readers take it: numbers and strings may stand for one another. */
static bool is_readable(const struct lt_zabbix_field *field, const leat_value *value)
{
    if (value == NULL)
        return false;
    if (field->type == LT_ZABBIX_STRING)
        return leat_value_kind(value) == LEAT_TEXT || leat_value_kind(value) == LEAT_REAL ||
               is_number(value);
    return is_number(value) ||
           (field->type == LT_ZABBIX_NUMBER_OR_NULL && leat_value_kind(value) == LEAT_NULL);
}

static bool are_numbers(const leat_value *list)
{
    const leat_value *value;

    if (leat_value_kind(list) != LEAT_LIST)
        return false;
    for (value = leat_value_first(list); value != NULL; value = leat_value_next(list, value)) {
        if (leat_value_kind(value) != LEAT_UINT && leat_value_kind(value) != LEAT_INT)
            return false;
    }
    return true;
}

bool lt_zabbix_is_writable(const struct lt_zabbix_field *field, const leat_value *value)
{
    uint32_t kind = leat_value_kind(value);
    bool number = kind == LEAT_UINT || kind == LEAT_INT;

    switch (field->type) {
    case LT_ZABBIX_NUMBER:
        return number;
    case LT_ZABBIX_NUMBER_OR_NULL:
        return number || kind == LEAT_NULL;
    case LT_ZABBIX_STRING:
        return kind == LEAT_TEXT;
    case LT_ZABBIX_STRING_OR_NULL:
        return kind == LEAT_TEXT || kind == LEAT_NULL;
    case LT_ZABBIX_STRING_OR_NUMBER:
        return kind == LEAT_TEXT || number;
    case LT_ZABBIX_NUMBERS:
        return are_numbers(value);
    case LT_ZABBIX_TRUE:
        return leat_value_bool(value) != 0;
    default:
        return false;
    }
}

/* The row that says that a discovery rule has ended is of no check. */
static bool is_excused(uint32_t version, const char *name, const struct lt_zabbix_field *field,
                       const leat_value *row)
{
    return version >= LT_ZABBIX_7_0 && strcmp(name, "discovery data") == 0 &&
           strcmp(lt_zabbix_field_name(field), "dcheck") == 0 &&
           leat_zabbix_u64(leat_value_get(row, "status")) == STATUS_RULE_ENDED;
}

/* What is demanded of some rows only. */
static const char *lacks_by_rule(const char *name, const leat_value *row)
{
    if (strcmp(name, "interface availability") == 0 && leat_value_get(row, "available") == NULL &&
        leat_value_get(row, "error") == NULL)
        return "available";
    if (strcmp(name, "auto registration") == 0 && leat_value_get(row, "ip") == NULL &&
        leat_zabbix_u64(leat_value_get(row, "flags")) != FLAGS_BY_DNS)
        return "ip";
    return NULL;
}

static const char *lacks(uint32_t version, const struct lt_zabbix_fields *fields,
                         const leat_value *row)
{
    size_t i;

    for (i = 0; i < fields->count; i++) {
        const struct lt_zabbix_field *field = lt_zabbix_fields_at(fields, i);

        if (field->presence == LT_ZABBIX_DEMANDED && lt_zabbix_field_is_in(field, version) &&
            !is_readable(field, leat_value_get(row, lt_zabbix_field_name(field))) &&
            !is_excused(version, lt_zabbix_fields_name(fields), field, row))
            return lt_zabbix_field_name(field);
    }
    return lacks_by_rule(lt_zabbix_fields_name(fields), row);
}

const char *lt_zabbix_row_lacks(uint32_t version, const char *section, size_t length,
                                const leat_value *row)
{
    const struct lt_zabbix_fields *fields = lt_zabbix_section_fields(version, section, length);

    if (leat_value_kind(row) != LEAT_RECORD)
        return "";
    return fields != NULL ? lacks(version, fields, row) : NULL;
}

const char *lt_zabbix_task_lacks(uint32_t version, bool by_server, const leat_value *task)
{
    const leat_value *type = leat_value_get(task, "type");
    const struct lt_zabbix_fields *fields =
        lt_zabbix_task_fields(version, by_server, leat_zabbix_u64(type));

    if (leat_value_kind(task) != LEAT_RECORD)
        return "";
    return fields != NULL ? lacks(version, fields, task) : "type";
}

/* One member of a row; *seen are the fields that came. */
static const char *member_offends(uint32_t version, const struct lt_zabbix_fields *fields,
                                  const leat_value *member, uint32_t *seen, const char **what)
{
    size_t length;
    const char *name = leat_value_name(member, &length);
    const struct lt_zabbix_field *field = lt_zabbix_field_find(fields, version, name, length);
    uint32_t bit;

    if (field == NULL) {
        *what = "a field that this version does not know";
        return "";
    }
    bit = UINT32_C(1) << (size_t)(field - lt_zabbix_fields_at(fields, 0));
    *what = (*seen & bit) != 0 ? "a field that is there twice" : "a field of another type";
    if ((*seen & bit) != 0 || !lt_zabbix_is_writable(field, member))
        return lt_zabbix_field_name(field);
    *seen |= bit;
    return NULL;
}

const char *lt_zabbix_missing(uint32_t version, const struct lt_zabbix_fields *fields,
                              uint32_t seen)
{
    size_t i;

    for (i = 0; i < fields->count; i++) {
        const struct lt_zabbix_field *field = lt_zabbix_fields_at(fields, i);

        if (field->presence != LT_ZABBIX_OPTIONAL && (seen >> i & 1) == 0 &&
            lt_zabbix_field_is_in(field, version))
            return lt_zabbix_field_name(field);
    }
    return NULL;
}

const char *lt_zabbix_record_offends(uint32_t version, const struct lt_zabbix_fields *fields,
                                     const leat_value *record, const char **what)
{
    const leat_value *member;
    const char *field;
    uint32_t seen = 0;
    size_t i;

    *what = "a row that is not a record";
    if (leat_value_kind(record) != LEAT_RECORD)
        return "";
    for (member = leat_value_first(record); member != NULL;
         member = leat_value_next(record, member)) {
        field = member_offends(version, fields, member, &seen, what);
        if (field != NULL)
            return field;
    }
    for (i = 0; i < fields->count; i++) {
        if (is_excused(version, lt_zabbix_fields_name(fields), lt_zabbix_fields_at(fields, i),
                       record))
            seen |= UINT32_C(1) << i;
    }
    *what = MISSING;
    field = lt_zabbix_missing(version, fields, seen);
    if (field != NULL)
        return field;
    if (strcmp(lt_zabbix_fields_name(fields), "history data") == 0 &&
        (leat_value_get(record, "mtime") == NULL) !=
            (leat_value_get(record, "lastlogsize") == NULL))
        return leat_value_get(record, "mtime") == NULL ? "mtime" : "lastlogsize";
    return lacks_by_rule(lt_zabbix_fields_name(fields), record);
}

const char *lt_zabbix_row_offends(uint32_t version, const char *section, size_t length,
                                  const leat_value *row, const char **what)
{
    const struct lt_zabbix_fields *fields = lt_zabbix_section_fields(version, section, length);

    *what = "a section that this version does not know";
    return fields == NULL ? "" : lt_zabbix_record_offends(version, fields, row, what);
}

const char *lt_zabbix_task_offends(uint32_t version, bool by_server, const leat_value *task,
                                   const char **what)
{
    const leat_value *type = leat_value_get(task, "type");
    const struct lt_zabbix_fields *fields;

    if (leat_value_kind(task) != LEAT_RECORD || leat_value_kind(type) != LEAT_UINT) {
        *what = "a task without a type";
        return leat_value_kind(task) == LEAT_RECORD ? "type" : "";
    }
    fields = lt_zabbix_task_fields(version, by_server, leat_value_u64(type));
    if (fields == NULL) {
        *what = "a type of task that this version does not have in this direction";
        return "type";
    }
    return lt_zabbix_record_offends(version, fields, task, what);
}
