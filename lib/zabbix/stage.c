/* Rows on their way into the tables: brought into the types and the order of their columns. */
#include "../core/text.h"
#include "tables.h"

#include <leat/zabbix.h>

#define NO_PLACE UINT32_MAX

static const char wrong_type[] = "a value that is not of its column's type";

/* A text column. */
static bool put_text(struct lt_writer *out, const leat_value *value)
{
    uint8_t digits[64];
    struct lt_writer text = lt_writer_fixed(digits, sizeof digits);
    leat_value cell = *value;

    switch (value->kind) {
    case LEAT_TEXT:
        break;
    case LEAT_UINT:
        lt_write_u64(&text, value->u.u64);
        break;
    case LEAT_INT:
        lt_write_i64(&text, value->u.i64);
        break;
    case LEAT_REAL:
        lt_write_real(&text, value->u.f64);
        break;
    default:
        return false;
    }
    if (value->kind != LEAT_TEXT) {
        cell.u.bytes = digits;
        cell.length = (uint32_t)text.length;
        cell.kind = LEAT_TEXT;
    }
    lt_zabbix_value_write(out, &cell);
    return true;
}

/* A number column. 0 is no reference: peers before 7.0 store it as null. */
static bool put_number(struct lt_writer *out, const struct lt_zabbix_field *field,
                       const leat_value *value)
{
    leat_value cell = *value;
    const char *text = (const char *)value->u.bytes;

    if (value->kind == LEAT_TEXT) {
        cell.kind = LEAT_UINT;
        if (!lt_read_u64(text, value->length, &cell.u.u64)) {
            cell.kind = LEAT_INT;
            if (!lt_read_i64(text, value->length, &cell.u.i64))
                return false;
        }
    } else if (value->kind != LEAT_UINT && value->kind != LEAT_INT && value->kind != LEAT_NULL) {
        return false;
    }
    if (cell.kind == LEAT_INT && cell.u.i64 >= 0)
        cell.kind = LEAT_UINT;
    if (field->type == LT_ZABBIX_NUMBER_OR_NULL && cell.kind == LEAT_UINT && cell.u.u64 == 0)
        cell.kind = LEAT_NULL;
    lt_zabbix_value_write(out, &cell);
    return true;
}

static bool put_default(struct lt_writer *out, const struct lt_zabbix_field *field)
{
    const char *text = lt_zabbix_field_fallback(field);
    leat_value cell = {0};

    cell.kind = LEAT_TEXT;
    cell.u.bytes = (const uint8_t *)text;
    cell.length = (uint32_t)strlen(text);
    if (field->type == LT_ZABBIX_STRING)
        return put_text(out, &cell);
    if (cell.length == 0) {
        cell.kind = field->type == LT_ZABBIX_NUMBER ? LEAT_UINT : LEAT_NULL;
        cell.u.u64 = 0;
    }
    return put_number(out, field, &cell);
}

/* NULL stands for a column that was not given. */
static bool put_column(struct lt_writer *out, const struct lt_zabbix_shape_column *column,
                       const leat_value *value)
{
    if (value == NULL)
        return put_default(out, column->field);
    if (column->field == NULL)
        lt_zabbix_value_write(out, value);
    else if (column->field->type == LT_ZABBIX_STRING)
        return put_text(out, value);
    else
        return put_number(out, column->field, value);
    return true;
}

static const char *column_name(const struct lt_zabbix_shape_column *column)
{
    return column->field != NULL ? lt_zabbix_field_name(column->field) : "";
}

static int keep_row(struct leat_zabbix_tables *tables, struct lt_zabbix_named *named,
                    size_t key_length)
{
    struct lt_writer *out = &tables->octets;
    struct lt_zabbix_row *row;

    if (named->fields != NULL && lt_zabbix_table_find(&named->rows, out->data, key_length) != NULL)
        return lt_zabbix_tables_refuse(tables, "a row that is there twice",
                                       column_name(&named->shape->column[0]));
    row = lt_zabbix_row_new(&tables->allocator, named->shape, out->data, out->length, key_length);
    if (row == NULL)
        return lt_zabbix_tables_full(tables);
    if (!lt_zabbix_table_reserve(&named->rows, &tables->allocator, 1)) {
        lt_zabbix_row_free(&tables->allocator, row);
        return lt_zabbix_tables_full(tables);
    }
    lt_zabbix_row_free(&tables->allocator, lt_zabbix_table_put(&named->rows, row));
    named->came++;
    return LEAT_OK;
}

/* The row of tables->value, in the order of the shape. */
static int put_row(struct leat_zabbix_tables *tables, struct lt_zabbix_named *named)
{
    const struct lt_zabbix_shape *shape = named->shape;
    struct lt_writer *out = &tables->octets;
    size_t key_length = 0;
    size_t i;

    out->length = 0;
    out->status = LEAT_OK;
    if (tables->value[0] == NULL || (named->fields != NULL && tables->value[0]->kind == LEAT_NULL))
        return lt_zabbix_tables_refuse(tables, "a row without its identifier",
                                       column_name(&shape->column[0]));
    for (i = 0; i < shape->count; i++) {
        if (!put_column(out, &shape->column[i], tables->value[i]))
            return lt_zabbix_tables_refuse(tables, wrong_type, column_name(&shape->column[i]));
        if (i == 0)
            key_length = out->length;
    }
    return out->status == LEAT_OK ? keep_row(tables, named, key_length)
                                  : lt_zabbix_tables_full(tables);
}

/* Room for the columns of a row. */
static bool make_room(struct leat_zabbix_tables *tables, size_t columns)
{
    void *value = (void *)tables->value;

    if (!lt_grow(&tables->allocator, &value, &tables->value_size, columns, sizeof *tables->value))
        return false;
    tables->value = (const leat_value **)value;
    return true;
}

/* Goes on with the shape of the rows that are there, if it is the same. */
static int take_shape(struct leat_zabbix_tables *tables, struct lt_zabbix_named *named,
                      const struct lt_zabbix_shape_column *column, size_t count)
{
    const struct lt_zabbix_named *live =
        lt_zabbix_list_find(&tables->list, named->name, named->name_length);

    named->shape = lt_zabbix_shape_new(&tables->allocator, column, count);
    if (named->shape == NULL || !make_room(tables, count))
        return lt_zabbix_tables_full(tables);
    if (live != NULL && lt_zabbix_shape_equal(live->shape, named->shape)) {
        lt_zabbix_shape_release(&tables->allocator, named->shape);
        named->shape = live->shape;
        named->shape->uses++;
    }
    return LEAT_OK;
}

/* Finds a place for the columns that come under that name. False: one that is there twice. */
static bool place_column(struct lt_zabbix_named *named, const leat_value *row,
                         const struct lt_zabbix_shape_column *column, uint32_t place)
{
    const leat_value *child = leat_value_first(row);
    bool found = false;
    size_t i;

    for (i = 0; child != NULL; i++, child = leat_value_next(row, child)) {
        if (child->name_length != column->length ||
            memcmp(child->name, column->name, column->length) != 0)
            continue;
        if (found || named->place[i] != NO_PLACE)
            return false;
        named->place[i] = place;
        found = true;
    }
    return true;
}

/* The columns of a row: those that we know in their order, then the others. */
static int order_columns(struct leat_zabbix_tables *tables, struct lt_zabbix_named *named,
                         const leat_value *row, struct lt_zabbix_shape_column *column)
{
    const struct lt_zabbix_fields *fields = named->fields;
    const leat_value *child;
    uint32_t count = 0;
    size_t i;

    for (i = 0; fields != NULL && i < fields->count; i++) {
        const struct lt_zabbix_field *field = lt_zabbix_fields_at(fields, i);
        struct lt_zabbix_shape_column known = {lt_zabbix_field_name(field), field, field->length};

        if (!lt_zabbix_field_is_in(known.field, tables->version) ||
            leat_value_get(row, known.name) == NULL)
            continue;
        if (!place_column(named, row, &known, count))
            return lt_zabbix_tables_refuse(tables, "a column that is there twice", known.name);
        column[count++] = known;
    }
    if (fields != NULL && (count == 0 || column[0].field != lt_zabbix_fields_at(fields, 0)))
        return lt_zabbix_tables_refuse(tables, "rows without their identifier",
                                       lt_zabbix_field_name(lt_zabbix_fields_at(fields, 0)));
    child = leat_value_first(row);
    for (i = 0; child != NULL; i++, child = leat_value_next(row, child)) {
        struct lt_zabbix_shape_column unknown = {child->name, NULL, child->name_length};

        if (named->place[i] != NO_PLACE)
            continue;
        if (!place_column(named, row, &unknown, count))
            return lt_zabbix_tables_refuse(tables, "a column that is there twice", NULL);
        column[count++] = unknown;
    }
    return take_shape(tables, named, column, count);
}

/* The first row of a table says which columns there are. */
static int begin_table(struct leat_zabbix_tables *tables, struct lt_zabbix_named *named,
                       const leat_value *row)
{
    size_t count = leat_value_count(row);
    struct lt_zabbix_shape_column *column;
    size_t i;
    int status;

    if (count == 0 || count > LT_ZABBIX_COLUMNS_MAX)
        return lt_zabbix_tables_refuse(tables, "a table of no or of too many columns", NULL);
    named->place = (uint32_t *)lt_resize(&tables->allocator, NULL, 0, count * sizeof *named->place);
    if (named->place == NULL)
        return lt_zabbix_tables_full(tables);
    named->places = count;
    for (i = 0; i < count; i++)
        named->place[i] = NO_PLACE;
    column = (struct lt_zabbix_shape_column *)lt_resize(&tables->allocator, NULL, 0,
                                                        count * sizeof *column);
    if (column == NULL)
        return lt_zabbix_tables_full(tables);
    status = order_columns(tables, named, row, column);
    lt_free(&tables->allocator, column, count * sizeof *column);
    return status;
}

static int learn_row(struct leat_zabbix_tables *tables, struct lt_zabbix_named *named,
                     const leat_value *row)
{
    const leat_value *child = leat_value_first(row);
    size_t i;

    if (leat_value_count(row) != named->places)
        return lt_zabbix_tables_refuse(tables, "a row of other columns than those before", NULL);
    for (i = 0; i < named->places; i++, child = leat_value_next(row, child)) {
        const struct lt_zabbix_shape_column *column = &named->shape->column[named->place[i]];

        if (child->name_length != column->length ||
            memcmp(child->name, column->name, column->length) != 0)
            return lt_zabbix_tables_refuse(tables, "a row of other columns than those before",
                                           NULL);
        tables->value[named->place[i]] = child;
    }
    return put_row(tables, named);
}

static struct lt_zabbix_named *stage(struct leat_zabbix_tables *tables, const char *name,
                                     size_t length)
{
    struct lt_zabbix_named *named = lt_zabbix_list_find(&tables->staged, name, length);

    return named != NULL ? named : lt_zabbix_list_add(tables, &tables->staged, name, length);
}

int lt_zabbix_stage_row(struct leat_zabbix_tables *tables, const char *name, size_t length,
                        const leat_value *row)
{
    struct lt_zabbix_named *named = stage(tables, name, length);
    int status = LEAT_OK;

    if (named == NULL)
        return lt_zabbix_tables_full(tables);
    if (leat_value_kind(row) != LEAT_RECORD)
        return lt_zabbix_tables_refuse(tables, "a row before the columns of its table", NULL);
    if (named->shape == NULL)
        status = begin_table(tables, named, row);
    return status == LEAT_OK ? learn_row(tables, named, row) : status;
}

/* All columns of this version. */
static int full_shape(struct leat_zabbix_tables *tables, struct lt_zabbix_named *named)
{
    struct lt_zabbix_shape_column column[128];
    size_t count = 0;
    size_t i;

    for (i = 0; i < named->fields->count && count < sizeof column / sizeof *column; i++) {
        const struct lt_zabbix_field *field = lt_zabbix_fields_at(named->fields, i);

        if (!lt_zabbix_field_is_in(field, tables->version))
            continue;
        column[count].name = lt_zabbix_field_name(field);
        column[count].field = field;
        column[count++].length = field->length;
    }
    return take_shape(tables, named, column, count);
}

/* Takes a column that was given under that name. */
static int give(struct leat_zabbix_tables *tables, const struct lt_zabbix_named *named,
                const char *name, size_t length, const leat_value *value)
{
    const struct lt_zabbix_shape *shape = named->shape;
    size_t i;

    for (i = 0; i < shape->count; i++) {
        if (shape->column[i].length != length || memcmp(shape->column[i].name, name, length) != 0)
            continue;
        if (tables->value[i] != NULL)
            return lt_zabbix_tables_refuse(tables, "a column that is there twice",
                                           column_name(&shape->column[i]));
        tables->value[i] = value;
        return LEAT_OK;
    }
    return lt_zabbix_tables_refuse(tables, "a column that this version does not know", NULL);
}

static int give_record(struct leat_zabbix_tables *tables, const struct lt_zabbix_named *named,
                       const leat_value *row)
{
    const leat_value *child;
    int status = LEAT_OK;

    if (leat_value_kind(row) != LEAT_RECORD)
        return lt_zabbix_tables_refuse(tables, "a row that is not a record", NULL);
    for (child = leat_value_first(row); child != NULL && status == LEAT_OK;
         child = leat_value_next(row, child))
        status = give(tables, named, child->name, child->name_length, child);
    return status;
}

static int give_list(struct leat_zabbix_tables *tables, const struct lt_zabbix_named *named,
                     const leat_value *fields, const leat_value *row)
{
    const leat_value *field = leat_value_first(fields);
    const leat_value *child = leat_value_first(row);
    int status = LEAT_OK;

    if (leat_value_kind(row) != LEAT_LIST || leat_value_count(row) != leat_value_count(fields))
        return lt_zabbix_tables_refuse(tables, "a row of more or fewer values than fields", NULL);
    for (; child != NULL && status == LEAT_OK; child = leat_value_next(row, child)) {
        size_t length;
        const char *name = leat_value_text(field, &length);

        status = give(tables, named, name, length, child);
        field = leat_value_next(fields, field);
    }
    return status;
}

/* What a column gets from another one. */
static void give_from_others(struct leat_zabbix_tables *tables, const struct lt_zabbix_named *named,
                             leat_value *group)
{
    const struct lt_zabbix_named *groups = lt_zabbix_list_find(&tables->staged, "hstgrp", 6);
    size_t i;

    for (i = 0; i < named->shape->count; i++) {
        const char *column = named->shape->column[i].name;

        if (tables->value[i] != NULL)
            continue;
        if (strcmp(named->name, "hosts") == 0 && strcmp(column, "name") == 0) {
            tables->value[i] = tables->value[1]; /* "host" */
        } else if (strcmp(column, "discovery_groupid") == 0 && groups != NULL &&
                   groups->rows.count > 0) {
            group->kind = LEAT_UINT;
            group->u.u64 = lt_zabbix_row_id(groups->rows.row[0]);
            tables->value[i] = group;
        }
    }
}

/* What cannot be sent: real peers refuse a 0 as a reference, and text that is not text. */
static int check_given(struct leat_zabbix_tables *tables, const struct lt_zabbix_named *named)
{
    const struct lt_zabbix_field *first = named->shape->column[0].field;
    size_t i;

    if (first->type != LT_ZABBIX_STRING && leat_zabbix_u64(tables->value[0]) == 0)
        return lt_zabbix_tables_refuse(tables, "a row without its identifier",
                                       lt_zabbix_field_name(first));

    for (i = 0; i < named->shape->count; i++) {
        const struct lt_zabbix_field *field = named->shape->column[i].field;
        const leat_value *value = tables->value[i];

        if (value == NULL)
            continue;
        if (field->type == LT_ZABBIX_NUMBER_OR_NULL && value->kind != LEAT_NULL &&
            leat_zabbix_i64(value) == 0 && leat_zabbix_u64(value) == 0)
            return lt_zabbix_tables_refuse(tables, "a 0 as a reference",
                                           lt_zabbix_field_name(field));
        if (field->type == LT_ZABBIX_NUMBER && value->kind == LEAT_NULL)
            return lt_zabbix_tables_refuse(tables, wrong_type, lt_zabbix_field_name(field));
        if (value->kind == LEAT_TEXT && !lt_zabbix_is_sendable(value))
            return lt_zabbix_tables_refuse(tables, "text that cannot be sent",
                                           lt_zabbix_field_name(field));
    }
    return LEAT_OK;
}

static int given_row(struct leat_zabbix_tables *tables, struct lt_zabbix_named *named,
                     const leat_value *fields, const leat_value *row)
{
    leat_value group = {0};
    int status;

    memset((void *)tables->value, 0, named->shape->count * sizeof *tables->value);
    status =
        fields != NULL ? give_list(tables, named, fields, row) : give_record(tables, named, row);
    if (status == LEAT_OK)
        status = check_given(tables, named);
    if (status != LEAT_OK)
        return status;
    give_from_others(tables, named, &group);
    return put_row(tables, named);
}

static int given_table(struct leat_zabbix_tables *tables, struct lt_zabbix_named *named,
                       const leat_value *table)
{
    bool wire = leat_value_kind(table) == LEAT_RECORD;
    const leat_value *fields = wire ? leat_value_get(table, "fields") : NULL;
    const leat_value *rows = wire ? leat_value_get(table, "data") : table;
    const leat_value *row;
    int status = LEAT_OK;

    if (leat_value_kind(rows) != LEAT_LIST || (wire && leat_value_kind(fields) != LEAT_LIST))
        return lt_zabbix_tables_refuse(tables, "a table that is not a list of rows",
                                       lt_zabbix_fields_name(named->fields));
    for (row = leat_value_first(rows); row != NULL && status == LEAT_OK;
         row = leat_value_next(rows, row))
        status = given_row(tables, named, fields, row);
    return status;
}

static int smallest_row(struct leat_zabbix_tables *tables, struct lt_zabbix_named *named,
                        uint64_t id)
{
    leat_value group = {0};
    leat_value first = {0};

    first.kind = LEAT_UINT;
    first.u.u64 = id;
    memset((void *)tables->value, 0, named->shape->count * sizeof *tables->value);
    tables->value[0] = &first;
    give_from_others(tables, named, &group);
    return put_row(tables, named);
}

/* The rows that no proxy can do without, of a table that was not given. */
static int smallest_table(struct leat_zabbix_tables *tables, struct lt_zabbix_named *named)
{
    static const char *const single[] = {"config", "config_autoreg_tls", "hstgrp"};
    const struct lt_zabbix_named *items = lt_zabbix_list_find(&tables->staged, "items", 5);
    int status = LEAT_OK;
    size_t i;

    for (i = 0; i < sizeof single / sizeof *single; i++) {
        if (strcmp(named->name, single[i]) == 0)
            return smallest_row(tables, named, 1);
    }
    if (strcmp(named->name, "item_rtdata") != 0 || items == NULL)
        return LEAT_OK;
    for (i = 0; i < items->rows.count && status == LEAT_OK; i++)
        status = smallest_row(tables, named, lt_zabbix_row_id(items->rows.row[i]));
    return status;
}

/* The last of the columns that were shown. */
static const leat_value *last_shown(const struct leat_zabbix_tables *tables)
{
    return &tables->tree.cells[tables->tree.count - 1];
}

int lt_zabbix_row_number(struct leat_zabbix_tables *tables, const struct lt_zabbix_row *row,
                         const char *column, uint64_t *number)
{
    size_t i;
    int status;

    *number = 0;
    for (i = 0; i < row->shape->count; i++) {
        if (strcmp(row->shape->column[i].name, column) == 0)
            break;
    }
    if (i == row->shape->count)
        return LEAT_OK;
    lt_tree_clear(&tables->tree);
    status = lt_zabbix_row_show(row, i + 1, &tables->tree);
    if (status == LEAT_E_NOMEM)
        return lt_zabbix_tables_full(tables);
    if (status == LEAT_OK)
        *number = leat_value_u64(last_shown(tables));
    return status;
}

/* Every reference is to a row that is there. */
static int check_references(struct leat_zabbix_tables *tables, const struct lt_zabbix_named *named)
{
    const struct lt_zabbix_shape *shape = named->shape;
    size_t c, i;

    for (c = 0; c < shape->count; c++) {
        const struct lt_zabbix_field *field = shape->column[c].field;
        const char *name =
            field->refers != 0 ? lt_zabbix_fields_name(&lt_zabbix_tables[field->refers - 1]) : "";
        const struct lt_zabbix_named *to = lt_zabbix_list_find(&tables->staged, name, strlen(name));

        for (i = 0; to != NULL && i < named->rows.count; i++) {
            struct lt_zabbix_key key;
            uint64_t id;
            int status =
                lt_zabbix_row_number(tables, named->rows.row[i], shape->column[c].name, &id);

            if (status != LEAT_OK)
                return status;
            if (field->type == LT_ZABBIX_NUMBER_OR_NULL && last_shown(tables)->kind == LEAT_NULL)
                continue;
            key = lt_zabbix_key(id);
            if (lt_zabbix_table_find(&to->rows, key.octets, key.length) == NULL)
                return lt_zabbix_tables_refuse(tables, "a reference to a row that is not there",
                                               lt_zabbix_field_name(field));
        }
    }
    return LEAT_OK;
}

static int check_masters(struct leat_zabbix_tables *tables, const struct lt_zabbix_named *items)
{
    size_t i, depth;

    for (i = 0; i < items->rows.count; i++) {
        const struct lt_zabbix_row *row = items->rows.row[i];

        for (depth = 0; row != NULL; depth++) {
            struct lt_zabbix_key key;
            uint64_t master;
            int status = lt_zabbix_row_number(tables, row, "master_itemid", &master);

            if (status != LEAT_OK)
                return status;
            if (depth == LT_ZABBIX_MASTERS_MAX)
                return lt_zabbix_tables_refuse(tables, "an item that depends on itself",
                                               "master_itemid");
            key = lt_zabbix_key(master);
            row = lt_zabbix_table_find(&items->rows, key.octets, key.length);
        }
    }
    return LEAT_OK;
}

static int check_names(struct leat_zabbix_tables *tables, const leat_value *value)
{
    const leat_value *member;

    if (leat_value_kind(value) != LEAT_RECORD)
        return lt_zabbix_tables_refuse(tables, "a configuration that is not a record", NULL);
    for (member = leat_value_first(value); member != NULL;
         member = leat_value_next(value, member)) {
        size_t length, place = 0;
        const char *name = leat_value_name(member, &length);

        if (leat_value_find(value, name, length, &place) != member)
            return lt_zabbix_tables_refuse(tables, "a table that is there twice", NULL);
        if (lt_zabbix_table_fields(tables->version, name, length) == NULL &&
            !(length == 13 && memcmp(name, "macro.secrets", 13) == 0) &&
            !(length == 11 && memcmp(name, "proxy_group", 11) == 0))
            return lt_zabbix_tables_refuse(tables, "a table that this version does not know", NULL);
    }
    return LEAT_OK;
}

int lt_zabbix_stage_all(struct leat_zabbix_tables *tables, const leat_value *value)
{
    int status = check_names(tables, value);
    size_t i;

    for (i = 0; i < tables->known && status == LEAT_OK; i++) {
        const struct lt_zabbix_named *live = tables->list.table[i];
        const leat_value *table = leat_value_get(value, live->name);
        struct lt_zabbix_named *named =
            lt_zabbix_list_add(tables, &tables->staged, live->name, live->name_length);

        if (named == NULL)
            return lt_zabbix_tables_full(tables);
        named->announced = true;
        status = full_shape(tables, named);
        if (status == LEAT_OK)
            status =
                table != NULL ? given_table(tables, named, table) : smallest_table(tables, named);
    }
    for (i = 0; i < tables->known && status == LEAT_OK; i++) {
        status = check_references(tables, tables->staged.table[i]);
        if (status == LEAT_OK && strcmp(tables->staged.table[i]->name, "items") == 0)
            status = check_masters(tables, tables->staged.table[i]);
    }
    return status;
}

static int own_row(struct leat_zabbix_tables *tables, const struct lt_zabbix_rule *rule,
                   struct lt_zabbix_row *row)
{
    const char *above = rule->parent != NULL ? rule->parent : "hosts";
    const struct lt_zabbix_named *named =
        lt_zabbix_list_find(&tables->staged, above, strlen(above));
    const struct lt_zabbix_row *parent = NULL;
    struct lt_zabbix_key key;
    uint64_t id;
    int status = lt_zabbix_row_number(tables, row, rule->column, &id);

    if (status != LEAT_OK)
        return status;
    key = lt_zabbix_key(id);
    if (named != NULL)
        parent = lt_zabbix_table_find(&named->rows, key.octets, key.length);
    row->owner = rule->parent != NULL && parent != NULL ? parent->owner : id;
    if (parent == NULL && rule->scope != LT_ZABBIX_MACRO)
        return lt_zabbix_tables_refuse(tables, "a row that belongs to no host of the message",
                                       rule->column);
    return LEAT_OK;
}

int lt_zabbix_stage_owners(struct leat_zabbix_tables *tables)
{
    size_t i, k;
    int status = LEAT_OK;

    /* In the order of the wire parents come first. */
    for (i = 0; i < tables->known; i++) {
        const struct lt_zabbix_named *live = tables->list.table[i];
        struct lt_zabbix_named *named =
            lt_zabbix_list_find(&tables->staged, live->name, live->name_length);

        if (named == NULL || !named->announced || live->rule->column == NULL)
            continue;
        for (k = 0; k < named->rows.count && status == LEAT_OK; k++)
            status = own_row(tables, live->rule, named->rows.row[k]);
        if (status != LEAT_OK)
            return status;
    }
    return LEAT_OK;
}
