#include "check.h"

#include "exchange.h"
#include "row.h"

#include "../core/value.h"

/* The same sentences as of rows. */
#define UNKNOWN    "a field that this version does not know"
#define TWICE      "a field that is there twice"
#define OTHER_TYPE "a field of another type"
#define MISSING    "a field that is always there is missing"
#define NO_TABLE   "a table that this version does not have here"

#define NEVER UINT32_C(0x80000000) /* of rows that leat_zabbix_history has not all members for */

#define SESSION_DIGITS 32u

static int refuse(struct lt_zabbix_exchange *x, const char *what, const char *field)
{
    return lt_refuse(&x->zabbix.core, LEAT_E_VALUE, 0, what, field);
}

static struct lt_zabbix_check *check_of(const struct lt_zabbix_exchange *x)
{
    return &x->zabbix.writing->check;
}

/* ---- tables ---- */

/* The names of columns, from a message or from a call. */
struct columns {
    const leat_value *list;
    const leat_value *cell;
    const char *const *names;
    size_t count;
};

static const char *next_column(struct columns *columns, size_t *length)
{
    const char *name = NULL;

    if (columns->list != NULL) {
        name = columns->cell == NULL ? NULL : leat_value_text(columns->cell, length);
        columns->cell =
            columns->cell == NULL ? NULL : leat_value_next(columns->list, columns->cell);
    } else if (columns->count > 0) {
        name = *columns->names++;
        columns->count--;
        *length = strlen(name);
    }
    return name;
}

/* The first field of this version from there on, or the end. */
static const struct lt_zabbix_field *next_field(uint32_t version,
                                                const struct lt_zabbix_fields *table,
                                                const struct lt_zabbix_field *from)
{
    while (from < lt_zabbix_fields_at(table, table->count) && !lt_zabbix_field_is_in(from, version))
        from++;
    return from;
}

/* From 6.4 on all of them, in order; before, any that there are. */
static int check_columns(struct lt_zabbix_exchange *x, const struct lt_zabbix_fields *table,
                         struct columns columns)
{
    uint32_t version = x->version.number;
    bool exact = version >= LT_ZABBIX_6_4;
    const struct lt_zabbix_field *wanted = lt_zabbix_fields_at(table, 0);
    uint64_t seen[2] = {0, 0};
    const char *name;
    size_t length = 0;

    while ((name = next_column(&columns, &length)) != NULL) {
        const struct lt_zabbix_field *field = lt_zabbix_field_find(table, version, name, length);
        size_t index = field == NULL ? 0 : (size_t)(field - lt_zabbix_fields_at(table, 0));

        if (field == NULL)
            return refuse(x, UNKNOWN, lt_zabbix_fields_name(table));
        if ((seen[index / 64] >> index % 64 & 1) != 0)
            return refuse(x, TWICE, lt_zabbix_field_name(field));
        seen[index / 64] |= UINT64_C(1) << index % 64;
        wanted = next_field(version, table, wanted);
        if (exact && field != wanted)
            return refuse(x, "a column that is not in its place", lt_zabbix_field_name(field));
        wanted = field + 1;
    }
    wanted = next_field(version, table, wanted);
    if (exact && wanted < lt_zabbix_fields_at(table, table->count))
        return refuse(x, MISSING, lt_zabbix_field_name(wanted));
    return LEAT_OK;
}

static bool are_secrets(const struct lt_zabbix_exchange *x, const char *name, size_t length)
{
    return length == strlen("macro.secrets") && memcmp(name, "macro.secrets", length) == 0 &&
           x->version.number >= LT_ZABBIX_5_2 && x->version.number < LT_ZABBIX_6_4;
}

/* A table as a value; up to 6.2 the secrets stand among them. */
static int check_table(struct lt_zabbix_exchange *x, const char *name, size_t length,
                       const leat_value *value)
{
    const struct lt_zabbix_fields *table = lt_zabbix_table_fields(x->version.number, name, length);
    struct columns columns = {.list = leat_value_get(value, "fields")};

    if (are_secrets(x, name, length))
        return leat_value_kind(value) == LEAT_RECORD ? LEAT_OK
                                                     : refuse(x, OTHER_TYPE, "macro.secrets");
    if (table == NULL)
        return refuse(x, NO_TABLE, "");
    if (leat_value_kind(columns.list) != LEAT_LIST ||
        leat_value_kind(leat_value_get(value, "data")) != LEAT_LIST)
        return refuse(x, "a table without fields or without data", lt_zabbix_fields_name(table));
    columns.cell = leat_value_first(columns.list);
    return check_columns(x, table, columns);
}

int lt_zabbix_check_table(struct lt_zabbix_exchange *x, const char *name, size_t length,
                          const char *const *columns, size_t count)
{
    const struct lt_zabbix_check *c = check_of(x);
    const struct lt_zabbix_fields *table = lt_zabbix_table_fields(x->version.number, name, length);
    struct columns names = {.names = columns, .count = count};

    if (c->message.count == 0)
        return LEAT_OK;
    if (c->says != LT_ZABBIX_SAYS_PROXY_CONFIG_COPY && c->open != LT_ZABBIX_TABLE_SET)
        return refuse(x, NO_TABLE, "");
    if (table == NULL)
        return refuse(x, NO_TABLE, "");
    return check_columns(x, table, names);
}

static int check_tables(struct lt_zabbix_exchange *x, const leat_value *value)
{
    const leat_value *member;
    int status = LEAT_OK;

    for (member = leat_value_first(value); member != NULL && status == LEAT_OK;
         member = leat_value_next(value, member))
        status = check_table(x, member->name, member->name_length, member);
    return status;
}

/* ---- rows ---- */

static int check_record(struct lt_zabbix_exchange *x, const struct lt_zabbix_fields *fields,
                        const leat_value *record)
{
    const char *what;
    const char *field =
        fields->count == 0 ? lt_zabbix_task_offends(x->version.number,
                                                    x->role == LEAT_ZABBIX_AS_SERVER, record, &what)
                           : lt_zabbix_record_offends(x->version.number, fields, record, &what);

    return field == NULL ? LEAT_OK : refuse(x, what, field);
}

static int check_rows(struct lt_zabbix_exchange *x, const struct lt_zabbix_fields *fields,
                      const leat_value *list)
{
    const leat_value *row;
    int status = LEAT_OK;

    for (row = leat_value_first(list); row != NULL && status == LEAT_OK;
         row = leat_value_next(list, row))
        status = check_record(x, fields, row);
    return status;
}

int lt_zabbix_check_row(struct lt_zabbix_exchange *x, const leat_value *row)
{
    const struct lt_zabbix_check *c = check_of(x);

    return c->open == LT_ZABBIX_NUMBER ? LEAT_OK : check_record(x, &c->inside, row);
}

/* What rows of values must and may have: rows by the million are looked at by these alone. */
static void note_history(struct lt_zabbix_check *c, uint32_t version)
{
    size_t i;

    c->needs = c->open == LT_ZABBIX_TASK_LIST ? NEVER : 0;
    c->may = 0;
    for (i = 0; i < c->inside.count; i++) {
        const struct lt_zabbix_field *field = lt_zabbix_fields_at(&c->inside, i);
        uint32_t bit = lt_zabbix_history_bit(lt_zabbix_field_name(field), field->length);

        if (!lt_zabbix_field_is_in(field, version))
            continue;
        c->may |= bit;
        if (field->presence != LT_ZABBIX_OPTIONAL)
            c->needs |= bit != 0 ? bit : NEVER;
    }
}

int lt_zabbix_check_history(struct lt_zabbix_exchange *x, uint64_t has)
{
    const struct lt_zabbix_check *c = check_of(x);
    uint64_t missing = c->needs & ~has, surplus = has & ~(uint64_t)c->may;
    uint64_t place = has & (LEAT_ZABBIX_HAS_LASTLOGSIZE | LEAT_ZABBIX_HAS_MTIME);

    if ((missing & NEVER) != 0)
        return refuse(x, "rows that are not values", "row");
    if (missing != 0)
        return refuse(x, MISSING, lt_zabbix_history_name(missing));
    if (surplus != 0)
        return refuse(x, UNKNOWN, lt_zabbix_history_name(surplus));
    if (c->open == LT_ZABBIX_SECTION &&
        (place == LEAT_ZABBIX_HAS_LASTLOGSIZE || place == LEAT_ZABBIX_HAS_MTIME))
        return refuse(x, MISSING, place == LEAT_ZABBIX_HAS_MTIME ? "lastlogsize" : "mtime");
    return LEAT_OK;
}

/* ---- members ---- */

static bool is_session(const leat_value *value)
{
    size_t length, i;
    const char *text = leat_value_text(value, &length);

    for (i = 0; i < length; i++) {
        if (memchr("0123456789abcdef", text[i], 16) == NULL)
            return false;
    }
    return length == SESSION_DIGITS;
}

static bool is_own_version(const struct lt_zabbix_exchange *x, const leat_value *value)
{
    size_t length;
    const char *text = leat_value_text(value, &length);

    return length == strlen(x->version.text) && memcmp(text, x->version.text, length) == 0;
}

/* A number, a text and the like. */
static int check_scalar(struct lt_zabbix_exchange *x, const struct lt_zabbix_field *field,
                        const leat_value *value)
{
    const char *name = lt_zabbix_field_name(field);

    if (!lt_zabbix_is_writable(field, value))
        return refuse(x, OTHER_TYPE, name);
    if (strcmp(name, "version") == 0 && !is_own_version(x, value))
        return refuse(x, "another version than that of the session", name);
    if (strcmp(name, "session") == 0 && !is_session(value))
        return refuse(x, "a session is 32 hexadecimal digits", name);
    return LEAT_OK;
}

/* What the member holds; without fields: anything, or tasks. */
static struct lt_zabbix_fields fields_of(const struct lt_zabbix_exchange *x,
                                         const struct lt_zabbix_field *field)
{
    static const struct lt_zabbix_fields none;
    const struct lt_zabbix_fields *section;

    if (field->type == LT_ZABBIX_SECTION) {
        section =
            lt_zabbix_section_fields(x->version.number, lt_zabbix_field_name(field), field->length);
        return section == NULL ? none : *section;
    }
    return (field->type == LT_ZABBIX_RECORDS || field->type == LT_ZABBIX_OBJECT) &&
                   field->refers != 0
               ? lt_zabbix_referred(field)
               : none;
}

static int check_content(struct lt_zabbix_exchange *x, const struct lt_zabbix_field *field,
                         const leat_value *value)
{
    struct lt_zabbix_fields fields = fields_of(x, field);

    switch (field->type) {
    case LT_ZABBIX_OBJECT:
        return fields.count == 0 ? LEAT_OK : check_record(x, &fields, value);
    case LT_ZABBIX_TABLE_SET:
        return check_tables(x, value);
    default:
        return check_rows(x, &fields, value);
    }
}

/* What it holds follows. */
static void open_member(struct lt_zabbix_exchange *x, const struct lt_zabbix_field *field)
{
    struct lt_zabbix_check *c = check_of(x);

    c->inside = fields_of(x, field);
    c->inside_named = 0;
    c->open = field->type;
    note_history(c, x->version.number);
}

/* What this version does not know is ignored by all peers, unless it is known elsewhere. */
static int check_unknown(struct lt_zabbix_exchange *x, const char *name, size_t length,
                         const leat_value *value, bool opens)
{
    const struct lt_zabbix_field *known = lt_zabbix_member_of_any(name, length);

    if (check_of(x)->says == LT_ZABBIX_SAYS_PROXY_CONFIG_COPY)
        return check_table(x, name, length, value);
    if (known != NULL)
        return refuse(x, UNKNOWN, lt_zabbix_field_name(known));
    if (opens) {
        check_of(x)->open = LT_ZABBIX_NUMBER;
        check_of(x)->needs = 0;
        check_of(x)->may = UINT32_MAX;
    }
    return LEAT_OK;
}

static int check_top(struct lt_zabbix_exchange *x, const char *name, size_t length,
                     const leat_value *value, bool opens)
{
    struct lt_zabbix_check *c = check_of(x);
    const struct lt_zabbix_field *field =
        lt_zabbix_field_find(&c->message, x->version.number, name, length);
    uint32_t bit, kind;
    int status;

    if (field == NULL)
        return check_unknown(x, name, length, value, opens);
    bit = UINT32_C(1) << (size_t)(field - lt_zabbix_fields_at(&c->message, 0));
    if ((c->named & bit) != 0)
        return refuse(x, TWICE, lt_zabbix_field_name(field));
    kind = field->type == LT_ZABBIX_OBJECT || field->type == LT_ZABBIX_TABLE_SET ? LEAT_RECORD
                                                                                 : LEAT_LIST;
    if (field->type < LT_ZABBIX_OBJECT)
        status = check_scalar(x, field, value);
    else if (leat_value_kind(value) != kind)
        status = refuse(x, OTHER_TYPE, lt_zabbix_field_name(field));
    else
        status = opens ? LEAT_OK : check_content(x, field, value);
    if (status != LEAT_OK)
        return status;
    c->named |= bit;
    if (opens)
        open_member(x, field);
    return LEAT_OK;
}

static int check_inside(struct lt_zabbix_exchange *x, const char *name, size_t length,
                        const leat_value *value)
{
    struct lt_zabbix_check *c = check_of(x);
    const struct lt_zabbix_field *field;
    uint32_t bit;

    if (c->open == LT_ZABBIX_TABLE_SET)
        return check_table(x, name, length, value);
    if (c->open != LT_ZABBIX_OBJECT || c->inside.count == 0)
        return LEAT_OK;
    field = lt_zabbix_field_find(&c->inside, x->version.number, name, length);
    if (field == NULL)
        return refuse(x, UNKNOWN, "");
    bit = UINT32_C(1) << (size_t)(field - lt_zabbix_fields_at(&c->inside, 0));
    if ((c->inside_named & bit) != 0)
        return refuse(x, TWICE, lt_zabbix_field_name(field));
    if (!lt_zabbix_is_writable(field, value))
        return refuse(x, OTHER_TYPE, lt_zabbix_field_name(field));
    c->inside_named |= bit;
    return LEAT_OK;
}

int lt_zabbix_check_member(struct lt_zabbix_exchange *x, const char *name, size_t length,
                           const leat_value *value, enum lt_zabbix_how how)
{
    if (check_of(x)->message.count == 0)
        return LEAT_OK;
    return how == LT_ZABBIX_COMES_INSIDE
               ? check_inside(x, name, length, value)
               : check_top(x, name, length, value, how == LT_ZABBIX_COMES_OPEN);
}

/* ---- the message ---- */

void lt_zabbix_check_begin(struct lt_zabbix_exchange *x)
{
    static const struct lt_zabbix_check none = {.may = UINT32_MAX, .open = LT_ZABBIX_NUMBER};

    if (x->zabbix.writing == NULL) /* what goes without a frame has no members */
        return;
    *check_of(x) = none;
    if (x->pattern == NULL)
        return;
    check_of(x)->says = x->pattern->step[x->step].says;
    check_of(x)->message = lt_zabbix_message_fields((enum lt_zabbix_says)check_of(x)->says);
}

int lt_zabbix_check_close(struct lt_zabbix_exchange *x)
{
    struct lt_zabbix_check *c = check_of(x);
    const char *missing = NULL;

    if (c->open == LT_ZABBIX_OBJECT)
        missing = lt_zabbix_missing(x->version.number, &c->inside, c->inside_named);
    if (missing != NULL)
        return refuse(x, MISSING, missing);
    c->open = LT_ZABBIX_NUMBER;
    return LEAT_OK;
}

int lt_zabbix_check_end(struct lt_zabbix_exchange *x)
{
    const char *missing =
        lt_zabbix_missing(x->version.number, &check_of(x)->message, check_of(x)->named);

    return missing == NULL ? LEAT_OK : refuse(x, "a member is missing", missing);
}
