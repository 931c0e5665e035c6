#include "table.h"

#define NUMBER_OCTETS_MAX 10u
#define SLOTS_MIN         8u

void lt_zabbix_put_number(struct lt_writer *out, uint64_t number)
{
    for (; number >= 0x80; number >>= 7)
        lt_put_u8(out, (uint8_t)(number | 0x80));
    lt_put_u8(out, (uint8_t)number);
}

/* Only the shortest form is one: rows are compared by their octets. */
uint64_t lt_zabbix_get_number(struct lt_reader *in)
{
    const uint8_t *at = in->at;
    uint64_t number = 0;
    unsigned i;

    for (i = 0; i < NUMBER_OCTETS_MAX; i++) {
        uint8_t octet = lt_u8(in);

        number |= (uint64_t)(octet & 0x7f) << 7 * i;
        if (octet >= 0x80)
            continue;
        if ((i > 0 && octet == 0) || (i + 1 == NUMBER_OCTETS_MAX && octet > 1))
            break;
        return number;
    }
    lt_latch(in, at);
    return 0;
}

struct lt_zabbix_key lt_zabbix_key(uint64_t id)
{
    struct lt_zabbix_key key;
    struct lt_writer out = lt_writer_fixed(key.octets + 1, sizeof key.octets - 1);

    key.octets[0] = LEAT_UINT;
    lt_zabbix_put_number(&out, id);
    key.length = (uint32_t)out.length + 1;
    return key;
}

uint64_t lt_zabbix_row_id(const struct lt_zabbix_row *row)
{
    struct lt_reader in = lt_reader(row->octets, row->key_length);

    return lt_u8(&in) == LEAT_UINT ? lt_zabbix_get_number(&in) : 0;
}

static void write_cell(struct lt_writer *out, const leat_value *cell)
{
    lt_put_u8(out, cell->kind);
    switch (cell->kind) {
    case LEAT_NULL:
        break;
    case LEAT_TEXT:
        lt_zabbix_put_number(out, cell->length);
        lt_put_bytes(out, cell->u.bytes, cell->length);
        break;
    case LEAT_LIST:
    case LEAT_RECORD:
        lt_zabbix_put_number(out, cell->length);
        break;
    case LEAT_UINT:
        lt_zabbix_put_number(out, cell->u.u64);
        break;
    default:
        lt_put_u64be(out, cell->u.u64);
    }
}

void lt_zabbix_value_write(struct lt_writer *out, const leat_value *value)
{
    size_t i, cells = lt_cells(value);

    write_cell(out, value);
    for (i = 1; i < cells; i++) {
        /* 0 in a list; a name of no octets is 1. */
        lt_zabbix_put_number(out, value[i].name != NULL ? (uint64_t)value[i].name_length + 1 : 0);
        if (value[i].name != NULL)
            lt_put_bytes(out, value[i].name, value[i].name_length);
        write_cell(out, &value[i]);
    }
}

/* One cell; of a container, how many children follow. */
static int read_cell(struct lt_reader *in, struct lt_tree *tree, const char *name, uint16_t length,
                     uint64_t *children)
{
    uint8_t kind = lt_u8(in);
    leat_value *cell;
    uint64_t number = 0;
    int status;

    *children = 0;
    if (!lt_ok(in) || (kind > LEAT_TEXT && kind != LEAT_LIST && kind != LEAT_RECORD))
        return LEAT_E_SYNTAX;
    if (kind == LEAT_UINT || kind >= LEAT_TEXT)
        number = lt_zabbix_get_number(in);
    else if (kind != LEAT_NULL)
        number = lt_u64be(in);
    if (!lt_ok(in) || (kind >= LEAT_TEXT && number > lt_left(in)))
        return LEAT_E_SYNTAX;
    status = lt_tree_reserve(tree, 1);
    if (status != LEAT_OK)
        return status;
    cell = lt_tree_push(tree, kind, name, length);
    cell->u.u64 = number;
    cell->length = 0;
    if (kind == LEAT_TEXT) {
        cell->length = (uint32_t)number;
        cell->u.bytes = lt_take(in, (size_t)number);
    } else if (lt_is_container(cell)) {
        *children = number;
    }
    return kind == LEAT_BOOL && number > 1 ? LEAT_E_SYNTAX : LEAT_OK;
}

static bool read_name(struct lt_reader *in, bool named, const char **name, uint16_t *length)
{
    uint64_t number = lt_zabbix_get_number(in);

    *name = NULL;
    *length = 0;
    if (!lt_ok(in) || (number > 0) != named || number > (uint64_t)UINT16_MAX + 1)
        return false;
    if (named) {
        *length = (uint16_t)(number - 1);
        *name = (const char *)lt_take(in, *length);
    }
    return lt_ok(in);
}

int lt_zabbix_value_read(struct lt_reader *in, struct lt_tree *tree, const char *name,
                         uint16_t length)
{
    struct {
        size_t cell;
        uint64_t children, left;
    } open[LT_DEPTH_MAX];
    size_t depth = 0;
    uint64_t children;
    int status;

    for (;;) {
        status = read_cell(in, tree, name, length, &children);
        if (status != LEAT_OK)
            return status;
        if (tree->cells[tree->count - 1].kind >= LEAT_LIST) {
            if (depth == LT_DEPTH_MAX)
                return LEAT_E_SYNTAX;
            open[depth].cell = tree->count - 1;
            open[depth].children = open[depth].left = children;
            depth++;
        }
        for (; depth > 0 && open[depth - 1].left == 0; depth--)
            lt_tree_close(tree, open[depth - 1].cell, (uint32_t)open[depth - 1].children);
        if (depth == 0)
            return LEAT_OK;
        open[depth - 1].left--;
        if (!read_name(in, tree->cells[open[depth - 1].cell].kind == LEAT_RECORD, &name, &length))
            return LEAT_E_SYNTAX;
    }
}

struct lt_zabbix_shape *lt_zabbix_shape_new(const leat_allocator *allocator,
                                            const struct lt_zabbix_shape_column *column,
                                            size_t count)
{
    size_t bytes = sizeof(struct lt_zabbix_shape) + count * sizeof *column;
    struct lt_zabbix_shape *shape;
    char *names;
    size_t i;

    for (i = 0; i < count; i++)
        bytes += (size_t)column[i].length + 1;
    shape = (struct lt_zabbix_shape *)lt_resize(allocator, NULL, 0, bytes);
    if (shape == NULL)
        return NULL;
    shape->uses = 1;
    shape->bytes = bytes;
    shape->count = count;
    names = (char *)&shape->column[count];
    for (i = 0; i < count; i++) {
        shape->column[i] = column[i];
        shape->column[i].name = names;
        memcpy(names, column[i].name, column[i].length);
        names[column[i].length] = '\0';
        names += (size_t)column[i].length + 1;
    }
    return shape;
}

void lt_zabbix_shape_release(const leat_allocator *allocator, struct lt_zabbix_shape *shape)
{
    if (shape != NULL && --shape->uses == 0)
        lt_free(allocator, shape, shape->bytes);
}

bool lt_zabbix_shape_equal(const struct lt_zabbix_shape *a, const struct lt_zabbix_shape *b)
{
    size_t i;

    if (a == b)
        return true;
    if (a == NULL || b == NULL || a->count != b->count)
        return false;
    for (i = 0; i < a->count; i++) {
        if (a->column[i].length != b->column[i].length ||
            memcmp(a->column[i].name, b->column[i].name, a->column[i].length) != 0)
            return false;
    }
    return true;
}

struct lt_zabbix_row *lt_zabbix_row_new(const leat_allocator *allocator,
                                        struct lt_zabbix_shape *shape, const void *octets,
                                        size_t length, size_t key_length)
{
    struct lt_zabbix_row *row = NULL;

    if (length <= UINT32_MAX && length <= SIZE_MAX - sizeof *row)
        row = (struct lt_zabbix_row *)lt_resize(allocator, NULL, 0, sizeof *row + length);
    if (row == NULL)
        return NULL;
    row->shape = shape;
    row->owner = 0;
    row->length = (uint32_t)length;
    row->key_length = (uint32_t)key_length;
    memcpy(row->octets, octets, length);
    if (shape != NULL)
        shape->uses++;
    return row;
}

void lt_zabbix_row_free(const leat_allocator *allocator, struct lt_zabbix_row *row)
{
    if (row == NULL)
        return;
    lt_zabbix_shape_release(allocator, row->shape);
    lt_free(allocator, row, sizeof *row + row->length);
}

bool lt_zabbix_row_equal(const struct lt_zabbix_row *a, const struct lt_zabbix_row *b)
{
    return a->length == b->length && memcmp(a->octets, b->octets, a->length) == 0 &&
           lt_zabbix_shape_equal(a->shape, b->shape);
}

int lt_zabbix_row_show(const struct lt_zabbix_row *row, size_t count, struct lt_tree *tree)
{
    struct lt_reader in = lt_reader(row->octets, row->length);
    int status = lt_tree_reserve(tree, 1);
    size_t open, i;

    if (status != LEAT_OK)
        return status;
    open = lt_tree_open(tree, LEAT_RECORD, LT_NO_NAME);
    for (i = 0; i < count; i++) {
        status = lt_zabbix_value_read(&in, tree, row->shape->column[i].name,
                                      row->shape->column[i].length);
        if (status != LEAT_OK)
            return status;
    }
    lt_tree_close(tree, open, (uint32_t)count);
    return LEAT_OK;
}

size_t lt_zabbix_home(const void *slots, size_t count, const void *key, size_t length)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ (uint64_t)(uintptr_t)slots;
    const uint8_t *at = (const uint8_t *)key;

    for (; length > 0; length--)
        hash = (hash ^ *at++) * UINT64_C(0x100000001b3);
    hash ^= hash >> 29;
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(hash >> 32) & (count - 1);
}

static size_t home_of(const struct lt_zabbix_table *table, const struct lt_zabbix_row *row)
{
    return lt_zabbix_home(table->slot, table->slots, row->octets, row->key_length);
}

/* The slot of the row of that key, or the free one where it would stand. */
static size_t slot_of(const struct lt_zabbix_table *table, const uint8_t *key, size_t length)
{
    size_t slot = lt_zabbix_home(table->slot, table->slots, key, length);

    for (; table->slot[slot] != 0; slot = (slot + 1) & (table->slots - 1)) {
        const struct lt_zabbix_row *row = table->row[table->slot[slot] - 1];

        if (row->key_length == length && memcmp(row->octets, key, length) == 0)
            break;
    }
    return slot;
}

static void index_rows(struct lt_zabbix_table *table)
{
    size_t i;

    memset(table->slot, 0, table->slots * sizeof *table->slot);
    for (i = 0; i < table->count; i++) {
        const struct lt_zabbix_row *row = table->row[i];

        table->slot[slot_of(table, row->octets, row->key_length)] = (uint32_t)i + 1;
    }
}

bool lt_zabbix_table_reserve(struct lt_zabbix_table *table, const leat_allocator *allocator,
                             size_t more)
{
    void *rows = table->row;
    size_t slots = table->slots < SLOTS_MIN ? SLOTS_MIN : table->slots;
    uint32_t *slot;

    if (more > UINT32_MAX / 2 - table->count ||
        !lt_grow(allocator, &rows, &table->size, table->count + more, sizeof *table->row))
        return false;
    table->row = (struct lt_zabbix_row **)rows;
    while (slots - slots / 4 < table->count + more)
        slots *= 2;
    if (slots == table->slots)
        return true;
    slot = (uint32_t *)lt_resize(allocator, NULL, 0, slots * sizeof *slot);
    if (slot == NULL)
        return false;
    lt_free(allocator, table->slot, table->slots * sizeof *slot);
    table->slot = slot;
    table->slots = slots;
    index_rows(table);
    return true;
}

struct lt_zabbix_row *lt_zabbix_table_find(const struct lt_zabbix_table *table, const void *key,
                                           size_t length)
{
    uint32_t at;

    if (table->slots == 0)
        return NULL;
    at = table->slot[slot_of(table, (const uint8_t *)key, length)];
    return at != 0 ? table->row[at - 1] : NULL;
}

struct lt_zabbix_row *lt_zabbix_table_put(struct lt_zabbix_table *table, struct lt_zabbix_row *row)
{
    size_t slot = slot_of(table, row->octets, row->key_length);
    struct lt_zabbix_row *old;

    if (table->slot[slot] != 0) {
        old = table->row[table->slot[slot] - 1];
        table->row[table->slot[slot] - 1] = row;
        return old;
    }
    table->row[table->count++] = row;
    table->slot[slot] = (uint32_t)table->count;
    return NULL;
}

/* Frees a slot; what stands behind and would not be found any more moves up. */
static void clear_slot(struct lt_zabbix_table *table, size_t slot)
{
    size_t mask = table->slots - 1;
    size_t next = slot;

    for (;;) {
        next = (next + 1) & mask;
        if (table->slot[next] == 0)
            break;
        if (((next - home_of(table, table->row[table->slot[next] - 1])) & mask) >=
            ((next - slot) & mask)) {
            table->slot[slot] = table->slot[next];
            slot = next;
        }
    }
    table->slot[slot] = 0;
}

void lt_zabbix_table_take(struct lt_zabbix_table *table, size_t index)
{
    const struct lt_zabbix_row *row = table->row[index];
    struct lt_zabbix_row *last = table->row[table->count - 1];

    clear_slot(table, slot_of(table, row->octets, row->key_length));
    if (last != row)
        table->slot[slot_of(table, last->octets, last->key_length)] = (uint32_t)index + 1;
    table->row[index] = last;
    table->count--;
}

void lt_zabbix_table_free(struct lt_zabbix_table *table, const leat_allocator *allocator)
{
    size_t i;

    for (i = 0; i < table->count; i++)
        lt_zabbix_row_free(allocator, table->row[i]);
    lt_free(allocator, table->row, table->size * sizeof *table->row);
    lt_free(allocator, table->slot, table->slots * sizeof *table->slot);
    memset(table, 0, sizeof *table);
}
