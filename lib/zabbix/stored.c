/* Tables as octets, to be restored: numbers of seven bits an octet, texts behind their length. */
#include "../core/buffer.h"
#include "tables.h"

static const uint8_t magic[] = {'l', 't', 'Z', 'T', 1};

static void put_text(struct lt_writer *out, const char *text, size_t length)
{
    lt_zabbix_put_number(out, length);
    lt_put_bytes(out, text, length);
}

static const char *get_text(struct lt_reader *in, size_t *length)
{
    uint64_t number = lt_zabbix_get_number(in);

    if (number > lt_left(in))
        lt_latch(in, in->at);
    *length = lt_ok(in) ? (size_t)number : 0;
    return (const char *)lt_take(in, *length);
}

static void put_marks(struct lt_writer *out, const struct lt_zabbix_table *marks)
{
    size_t i;

    lt_zabbix_put_number(out, marks->count);
    for (i = 0; i < marks->count; i++) {
        lt_zabbix_put_number(out, lt_zabbix_row_id(marks->row[i]));
        lt_zabbix_put_number(out, marks->row[i]->owner);
    }
}

static void put_shape(struct lt_writer *out, const struct lt_zabbix_shape *shape)
{
    size_t i;

    lt_zabbix_put_number(out, shape->count);
    for (i = 0; i < shape->count; i++)
        put_text(out, shape->column[i].name, shape->column[i].length);
}

static void put_table(struct lt_writer *out, const struct lt_zabbix_named *named)
{
    const struct lt_zabbix_shape *shape = NULL;
    size_t i;

    put_text(out, named->name, named->name_length);
    lt_zabbix_put_number(out, named->rows.count);
    for (i = 0; i < named->rows.count; i++) {
        const struct lt_zabbix_row *row = named->rows.row[i];

        /* A row says its columns if they are others than those of the row before, else 0. */
        if (row->shape != shape)
            put_shape(out, row->shape);
        else
            lt_zabbix_put_number(out, 0);
        shape = row->shape;
        lt_zabbix_put_number(out, row->owner);
        lt_zabbix_put_number(out, row->length);
        lt_put_bytes(out, row->octets, row->length);
    }
}

int leat_zabbix_tables_save(const leat_zabbix_tables *tables, leat_buffer *buffer)
{
    struct lt_writer *out = &buffer->out;
    const struct lt_zabbix_table *secrets = &tables->secrets->rows;
    size_t start = out->length;
    size_t i;

    lt_put_bytes(out, magic, sizeof magic);
    lt_zabbix_put_number(out, tables->version);
    lt_zabbix_put_number(out, tables->revision);
    lt_zabbix_put_number(out, tables->hostmap);
    lt_zabbix_put_number(out, tables->oldest);
    lt_zabbix_put_number(out, tables->oldest_hostmap);
    put_text(out, tables->failover_delay, strlen(tables->failover_delay));
    for (i = 0; i < LT_ZABBIX_GROUPS; i++)
        lt_zabbix_put_number(out, tables->group[i]);
    for (i = 0; i < LT_ZABBIX_MARKED; i++)
        put_marks(out, &tables->mark[i]);
    lt_zabbix_put_number(out, secrets->count);
    if (secrets->count > 0)
        put_text(out, (const char *)secrets->row[0]->octets, secrets->row[0]->length);
    lt_zabbix_put_number(out, tables->list.count);
    for (i = 0; i < tables->list.count; i++)
        put_table(out, tables->list.table[i]);
    return lt_buffer_end(buffer, start, out->status);
}

/* Puts a row that was made, or frees it. */
static int keep(struct leat_zabbix_tables *tables, struct lt_zabbix_table *table,
                struct lt_zabbix_row *row)
{
    int status = LEAT_OK;

    if (row == NULL)
        return lt_zabbix_tables_full(tables);
    if (lt_zabbix_table_find(table, row->octets, row->key_length) != NULL)
        status = LEAT_E_SYNTAX;
    else if (!lt_zabbix_table_reserve(table, &tables->allocator, 1))
        status = lt_zabbix_tables_full(tables);
    if (status == LEAT_OK)
        (void)lt_zabbix_table_put(table, row);
    else
        lt_zabbix_row_free(&tables->allocator, row);
    return status;
}

static int get_marks(struct leat_zabbix_tables *tables, struct lt_reader *in,
                     struct lt_zabbix_table *marks)
{
    uint64_t count = lt_zabbix_get_number(in);
    int status = LEAT_OK;

    for (; count > 0 && lt_ok(in) && status == LEAT_OK; count--) {
        struct lt_zabbix_key key = lt_zabbix_key(lt_zabbix_get_number(in));
        uint64_t revision = lt_zabbix_get_number(in);
        struct lt_zabbix_row *row = NULL;

        if (lt_ok(in))
            row = lt_zabbix_row_new(&tables->allocator, NULL, key.octets, key.length, key.length);
        else
            return LEAT_E_SYNTAX;
        if (row != NULL)
            row->owner = revision;
        status = keep(tables, marks, row);
    }
    return status;
}

/* The columns must stand as rows have them: the identifier, those that we know, the others. */
static int get_column(const struct leat_zabbix_tables *tables, struct lt_reader *in,
                      const struct lt_zabbix_fields *fields, struct lt_zabbix_shape_column *column,
                      size_t index)
{
    const struct lt_zabbix_field *last = index > 0 ? column[index - 1].field : NULL;
    struct lt_zabbix_shape_column *here = &column[index];
    size_t length, i;

    here->name = get_text(in, &length);
    if (!lt_ok(in) || length > UINT16_MAX)
        return LEAT_E_SYNTAX;
    here->length = (uint16_t)length;
    here->field =
        fields != NULL ? lt_zabbix_field_find(fields, tables->version, here->name, length) : NULL;
    for (i = 0; i < index; i++) {
        if (column[i].length == length && memcmp(column[i].name, here->name, length) == 0)
            return LEAT_E_SYNTAX;
    }
    if (fields == NULL || (here->field == NULL && index > 0))
        return LEAT_OK;
    if (index == 0)
        return here->field == lt_zabbix_fields_at(fields, 0) ? LEAT_OK : LEAT_E_SYNTAX;
    return last != NULL && last < here->field ? LEAT_OK : LEAT_E_SYNTAX;
}

static int get_shape(struct leat_zabbix_tables *tables, struct lt_reader *in,
                     struct lt_zabbix_named *named, uint64_t count)
{
    struct lt_zabbix_shape_column *column;
    size_t bytes, i;
    int status = LEAT_OK;

    if (count > LT_ZABBIX_COLUMNS_MAX || count > lt_left(in))
        return LEAT_E_SYNTAX;
    bytes = (size_t)count * sizeof *column;
    column = (struct lt_zabbix_shape_column *)lt_resize(&tables->allocator, NULL, 0, bytes);
    if (column == NULL)
        return lt_zabbix_tables_full(tables);
    for (i = 0; i < count && status == LEAT_OK; i++)
        status = get_column(tables, in, named->fields, column, i);
    if (status == LEAT_OK) {
        lt_zabbix_shape_release(&tables->allocator, named->shape);
        named->shape = lt_zabbix_shape_new(&tables->allocator, column, (size_t)count);
        status = named->shape != NULL ? LEAT_OK : lt_zabbix_tables_full(tables);
    }
    lt_free(&tables->allocator, column, bytes);
    return status;
}

/* A value that a row of that column can have. */
static bool is_of(const struct lt_zabbix_field *field, const leat_value *value, bool first)
{
    if (field == NULL)
        return true;
    if (field->type == LT_ZABBIX_STRING)
        return value->kind == LEAT_TEXT;
    return value->kind == LEAT_UINT || (value->kind == LEAT_INT && value->u.i64 < 0) ||
           (value->kind == LEAT_NULL && !first);
}

/* Checks that the octets are the columns of the shape. */
static int check_octets(struct leat_zabbix_tables *tables, const struct lt_zabbix_shape *shape,
                        const char *octets, size_t length, size_t *key_length)
{
    struct lt_reader in = lt_reader(octets, length);
    size_t i;

    for (i = 0; i < shape->count; i++) {
        int status;

        lt_tree_clear(&tables->tree);
        status = lt_zabbix_value_read(&in, &tables->tree, LT_NO_NAME);
        if (status == LEAT_E_NOMEM)
            return lt_zabbix_tables_full(tables);
        if (status != LEAT_OK || !is_of(shape->column[i].field, tables->tree.cells, i == 0))
            return LEAT_E_SYNTAX;
        if (i == 0)
            *key_length = length - lt_left(&in);
    }
    return lt_left(&in) == 0 ? LEAT_OK : LEAT_E_SYNTAX;
}

static int get_row(struct leat_zabbix_tables *tables, struct lt_reader *in,
                   struct lt_zabbix_named *named)
{
    uint64_t columns = lt_zabbix_get_number(in);
    uint64_t owner;
    const char *octets;
    struct lt_zabbix_row *row;
    size_t length, key_length = 0;
    int status = columns > 0 ? get_shape(tables, in, named, columns) : LEAT_OK;

    if (status != LEAT_OK)
        return status;
    owner = lt_zabbix_get_number(in);
    octets = get_text(in, &length);
    if (!lt_ok(in) || named->shape == NULL)
        return LEAT_E_SYNTAX;
    status = check_octets(tables, named->shape, octets, length, &key_length);
    if (status != LEAT_OK)
        return status;
    row = lt_zabbix_row_new(&tables->allocator, named->shape, octets, length, key_length);
    if (row != NULL)
        row->owner = owner;
    return keep(tables, &named->rows, row);
}

static int get_table(struct leat_zabbix_tables *tables, struct lt_reader *in, size_t index)
{
    size_t length;
    const char *name = get_text(in, &length);
    struct lt_zabbix_named *named;
    uint64_t count;
    int status = LEAT_OK;

    if (!lt_ok(in))
        return LEAT_E_SYNTAX;
    named = lt_zabbix_list_find(&tables->list, name, length);
    /* Those of the version come first. */
    if (index < tables->known ? named != tables->list.table[index] : named != NULL)
        return LEAT_E_SYNTAX;
    if (named == NULL)
        named = lt_zabbix_list_add(tables, &tables->list, name, length);
    if (named == NULL)
        return lt_zabbix_tables_full(tables);
    for (count = lt_zabbix_get_number(in); count > 0 && lt_ok(in) && status == LEAT_OK; count--)
        status = get_row(tables, in, named);
    return status;
}

static int get_secrets(struct leat_zabbix_tables *tables, struct lt_reader *in)
{
    uint64_t count = lt_zabbix_get_number(in);
    struct lt_reader value;
    const char *octets;
    size_t length;
    int status;

    if (count == 0)
        return LEAT_OK;
    octets = get_text(in, &length);
    value = lt_reader(octets, length);
    if (!lt_ok(in) || count != 1 || lt_u8(&value) != LEAT_NULL)
        return LEAT_E_SYNTAX;
    lt_tree_clear(&tables->tree);
    status = lt_zabbix_value_read(&value, &tables->tree, LT_NO_NAME);
    if (status == LEAT_E_NOMEM)
        return lt_zabbix_tables_full(tables);
    if (status != LEAT_OK || lt_left(&value) > 0 || !lt_zabbix_is_secrets(tables->tree.cells))
        return LEAT_E_SYNTAX;
    return keep(tables, &tables->secrets->rows,
                lt_zabbix_row_new(&tables->allocator, NULL, octets, length, 1));
}

static int get_numbers(struct leat_zabbix_tables *tables, struct lt_reader *in)
{
    const char *delay;
    size_t length, i;

    tables->revision = lt_zabbix_get_number(in);
    tables->hostmap = lt_zabbix_get_number(in);
    tables->oldest = lt_zabbix_get_number(in);
    tables->oldest_hostmap = lt_zabbix_get_number(in);
    delay = get_text(in, &length);
    if (!lt_ok(in) || length >= LT_ZABBIX_DELAY_MAX)
        return LEAT_E_SYNTAX;
    memcpy(tables->failover_delay, delay, length);
    for (i = 0; i < LT_ZABBIX_GROUPS; i++)
        tables->group[i] = lt_zabbix_get_number(in);
    return lt_ok(in) ? LEAT_OK : LEAT_E_SYNTAX;
}

static int get_all(struct leat_zabbix_tables *tables, struct lt_reader *in)
{
    const uint8_t *begin = lt_take(in, sizeof magic);
    uint64_t count, i;
    int status;

    if (begin == NULL || memcmp(begin, magic, sizeof magic) != 0 ||
        lt_zabbix_get_number(in) != tables->version)
        return LEAT_E_SYNTAX;
    status = get_numbers(tables, in);
    for (i = 0; i < LT_ZABBIX_MARKED && status == LEAT_OK; i++)
        status = get_marks(tables, in, &tables->mark[i]);
    if (status == LEAT_OK)
        status = get_secrets(tables, in);
    if (status != LEAT_OK)
        return status;
    count = lt_zabbix_get_number(in);
    if (count < tables->known)
        return LEAT_E_SYNTAX;
    for (i = 0; i < count && lt_ok(in) && status == LEAT_OK; i++)
        status = get_table(tables, in, (size_t)i);
    if (status == LEAT_OK && (!lt_ok(in) || lt_left(in) > 0))
        status = LEAT_E_SYNTAX;
    return status;
}

/* What is only for the moment: all that is left is what the tables hold. */
static void free_scratch(struct leat_zabbix_tables *tables)
{
    lt_tree_free(&tables->tree);
    lt_tree_init(&tables->tree, &tables->allocator, tables->limits.values);
    lt_writer_free(&tables->octets);
    tables->octets = lt_writer(&tables->allocator, UINT32_MAX);
    lt_free(&tables->allocator, (void *)tables->value, tables->value_size * sizeof *tables->value);
    tables->value = NULL;
    tables->value_size = 0;
    lt_zabbix_tables_drop_changes(tables);
    lt_zabbix_list_cut(tables, &tables->staged, 0);
    lt_free(&tables->allocator, tables->staged.table,
            tables->staged.size * sizeof *tables->staged.table);
    memset(&tables->staged, 0, sizeof tables->staged);
}

/* Both have the same allocator behind theirs, so what they hold can change hands. */
static void hand_over(struct leat_zabbix_tables *from, struct leat_zabbix_tables *to)
{
    size_t held = to->held;
    struct lt_zabbix_list list = to->list;
    struct lt_zabbix_named *secrets = to->secrets;
    struct lt_zabbix_table mark[LT_ZABBIX_MARKED];

    memcpy(mark, to->mark, sizeof mark);
    to->held = from->held;
    to->list = from->list;
    to->secrets = from->secrets;
    memcpy(to->mark, from->mark, sizeof mark);
    from->held = held;
    from->list = list;
    from->secrets = secrets;
    memcpy(from->mark, mark, sizeof mark);
    to->revision = from->revision;
    to->hostmap = from->hostmap;
    to->oldest = from->oldest;
    to->oldest_hostmap = from->oldest_hostmap;
    memcpy(to->failover_delay, from->failover_delay, sizeof to->failover_delay);
    memcpy(to->group, from->group, sizeof to->group);
}

int leat_zabbix_tables_restore(leat_zabbix_tables *tables, const void *data, size_t length)
{
    struct lt_reader in = lt_reader(data, length);
    struct leat_zabbix_tables *restored;
    int status = lt_zabbix_tables_make(&tables->outer, &tables->limits, tables->version,
                                       tables->limit, &restored);

    if (status != LEAT_OK)
        return status;
    status = get_all(restored, &in);
    if (status == LEAT_OK) {
        tables->refused = LEAT_OK;
        memset(&tables->error, 0, sizeof tables->error);
        free_scratch(tables);
        free_scratch(restored);
        hand_over(restored, tables);
    }
    leat_zabbix_tables_free(restored);
    return status;
}
