#include "value.h"

#include "text.h"

#include <string.h>

void lt_tree_init(struct lt_tree *tree, const leat_allocator *allocator, uint64_t values)
{
    memset(tree, 0, sizeof *tree);
    tree->arena.allocator = *allocator;
    tree->limit =
        values > SIZE_MAX / sizeof(leat_value) ? SIZE_MAX / sizeof(leat_value) : (size_t)values;
}

void lt_tree_free(struct lt_tree *tree)
{
    lt_free(&tree->arena.allocator, tree->cells, tree->size * sizeof *tree->cells);
    tree->cells = NULL;
    tree->count = tree->size = 0;
    lt_arena_free(&tree->arena);
}

int lt_tree_grow(struct lt_tree *tree, size_t count)
{
    size_t size = tree->size < 16 ? 16 : tree->size; /* never past the limit, so that it is exact */
    leat_value *cells;

    if (count > tree->limit || tree->count > tree->limit - count)
        return LEAT_E_LIMIT;
    if (size > tree->limit)
        size = tree->limit;
    while (size < tree->count + count)
        size = size > tree->limit / 2 ? tree->limit : size * 2;
    cells = (leat_value *)lt_resize(&tree->arena.allocator, tree->cells, tree->size * sizeof *cells,
                                    size * sizeof *cells);
    if (cells == NULL)
        return LEAT_E_NOMEM;
    tree->cells = cells;
    tree->size = size;
    return LEAT_OK;
}

int lt_tree_copy(struct lt_tree *tree, const leat_value *value, const char *name,
                 uint16_t name_length)
{
    size_t cells = lt_cells(value), i;
    int status = lt_tree_reserve(tree, cells);

    for (i = 0; i < cells && status == LEAT_OK; i++) {
        const leat_value *from = &value[i];
        leat_value *cell = lt_tree_push(tree, from->kind, name, name_length);

        cell->u = from->u;
        cell->length = from->length;
        if (lt_has_octets(from)) {
            cell->u.bytes = (const uint8_t *)lt_arena_copy(
                &tree->arena, from->u.bytes, from->length + (from->kind == LEAT_SUBNET ? 1u : 0u));
            if (cell->u.bytes == NULL)
                return LEAT_E_NOMEM;
        }
        if (i == 0)
            continue;
        cell->name = from->name;
        cell->name_length = from->name_length;
        if (from->name != NULL) {
            cell->name = (const char *)lt_arena_copy(&tree->arena, from->name, from->name_length);
            if (cell->name == NULL)
                return LEAT_E_NOMEM;
        }
    }
    return status;
}

static bool is(const leat_value *value, uint32_t kind)
{
    return value != NULL && value->kind == kind;
}

static bool is_text(const leat_value *value)
{
    return is(value, LEAT_TEXT) || is(value, LEAT_ENUM);
}

uint32_t leat_value_kind(const leat_value *value)
{
    return value == NULL ? LEAT_NULL : value->kind;
}

int leat_value_bool(const leat_value *value)
{
    return is(value, LEAT_BOOL) && value->u.u64 != 0;
}

uint64_t leat_value_u64(const leat_value *value)
{
    if (is(value, LEAT_UINT) || (is(value, LEAT_INT) && value->u.i64 >= 0))
        return value->u.u64;
    return 0;
}

int64_t leat_value_i64(const leat_value *value)
{
    if (is(value, LEAT_INT) || is(value, LEAT_TIMESTAMP) || is(value, LEAT_TIMESPAN) ||
        (is(value, LEAT_UINT) && value->u.u64 <= INT64_MAX))
        return value->u.i64;
    return 0;
}

double leat_value_f64(const leat_value *value)
{
    if (is(value, LEAT_REAL))
        return value->u.f64;
    if (is(value, LEAT_INT))
        return (double)value->u.i64;
    return is(value, LEAT_UINT) ? (double)value->u.u64 : 0.0;
}

const char *leat_value_text(const leat_value *value, size_t *length)
{
    if (length != NULL)
        *length = is_text(value) ? value->length : 0;
    return is_text(value) && value->length > 0 ? (const char *)value->u.bytes : "";
}

const uint8_t *leat_value_bytes(const leat_value *value, size_t *length)
{
    size_t count = 0;

    if (is_text(value) || is(value, LEAT_BYTES) || is(value, LEAT_ADDRESS) ||
        is(value, LEAT_SUBNET) || is(value, LEAT_MAC) || is(value, LEAT_UUID))
        count = is(value, LEAT_SUBNET) ? 16 : value->length;
    if (length != NULL)
        *length = count;
    return count == 0 ? NULL : value->u.bytes;
}

int leat_value_is_utf8(const leat_value *value)
{
    return is_text(value) && lt_utf8_prefix(value->u.bytes, value->length) == value->length;
}

uint32_t leat_value_prefix(const leat_value *value)
{
    return is(value, LEAT_SUBNET) ? value->u.bytes[16] : 0;
}

uint32_t leat_value_port(const leat_value *value)
{
    return is(value, LEAT_PORT) ? (uint32_t)(value->u.u64 & 0xffff) : 0;
}

uint32_t leat_value_port_protocol(const leat_value *value)
{
    return is(value, LEAT_PORT) ? (uint32_t)(value->u.u64 >> 16) : LEAT_PROTOCOL_UNKNOWN;
}

size_t leat_value_count(const leat_value *container)
{
    return container != NULL && lt_is_container(container) ? container->length : 0;
}

const leat_value *leat_value_first(const leat_value *container)
{
    return leat_value_count(container) > 0 ? container + 1 : NULL;
}

const leat_value *leat_value_next(const leat_value *container, const leat_value *child)
{
    const leat_value *next;

    if (container == NULL || child == NULL || !lt_is_container(container))
        return NULL;
    next = child + lt_cells(child);
    return next < container + container->u.cells ? next : NULL;
}

const leat_value *leat_value_at(const leat_value *container, size_t index)
{
    size_t children = leat_value_count(container);
    const leat_value *child;

    if (is(container, LEAT_TABLE))
        children *= 2;
    if (index >= children)
        return NULL;
    if (container->u.cells == children + 1) /* nothing nested: each child is one cell */
        return container + 1 + index;
    for (child = container + 1; index > 0; index--)
        child += lt_cells(child);
    return child;
}

static bool named(const leat_value *field, const char *name, size_t length)
{
    return field->name_length == length && memcmp(field->name, name, length) == 0;
}

const leat_value *leat_value_find(const leat_value *record, const char *name, size_t length,
                                  size_t *place)
{
    const leat_value *field;

    if (!is(record, LEAT_RECORD) || name == NULL)
        return NULL;
    /*
     * The place is a guess of an earlier record: any cell of this one may stand there, but only a
     * field of the record itself will do, and in a record without containers every cell is one.
     */
    if (*place > 0 && *place < record->u.cells && record->u.cells == (size_t)record->length + 1 &&
        named(record + *place, name, length))
        return record + *place;
    for (field = leat_value_first(record); field != NULL; field = leat_value_next(record, field)) {
        if (named(field, name, length)) {
            *place = (size_t)(field - record);
            return field;
        }
    }
    return NULL;
}

const leat_value *leat_value_get(const leat_value *container, const char *name)
{
    const leat_value *key, *value;
    size_t place = 0;
    size_t length;

    if (container == NULL || name == NULL)
        return NULL;
    length = strlen(name);
    if (container->kind == LEAT_RECORD)
        return leat_value_find(container, name, length, &place);
    if (container->kind != LEAT_TABLE)
        return NULL;
    for (key = leat_value_first(container); key != NULL; key = leat_value_next(container, value)) {
        value = leat_value_next(container, key);
        if (is_text(key) && key->length == length &&
            (length == 0 || memcmp(key->u.bytes, name, length) == 0))
            return value;
    }
    return NULL;
}

const char *leat_value_name(const leat_value *value, size_t *length)
{
    bool has = value != NULL && value->name != NULL;

    if (length != NULL)
        *length = has ? value->name_length : 0;
    return has ? value->name : "";
}

static inline void lay_open(const leat_value *value, leat_cell *cell)
{
    bool octets = lt_has_octets(value);

    cell->number = octets ? 0 : value->u.u64;
    cell->octets = octets ? value->u.bytes : NULL;
    cell->name = value->name;
    cell->length = value->length;
    cell->name_length = value->name_length;
    cell->kind = value->kind;
    if (lt_is_container(value))
        cell->number = value->u.cells - 1;
}

size_t leat_value_cells(const leat_value *value, leat_cell *cells, size_t size)
{
    size_t count = value == NULL ? 0 : lt_cells(value), i;

    if (size > count)
        size = count;
    for (i = 0; i < size; i++)
        lay_open(&value[i], &cells[i]);
    return count;
}

static bool same_octets(const uint8_t *a, const uint8_t *b, size_t length)
{
    return length == 0 || memcmp(a, b, length) == 0;
}

/* One cell against another, whatever is below them. */
static bool same_cell(const leat_value *a, const leat_value *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case LEAT_NULL:
        return true;
    case LEAT_BOOL:
    case LEAT_INT:
    case LEAT_UINT:
    case LEAT_REAL: /* by its bits, so that NaN equals itself and -0 is not 0 */
    case LEAT_PORT:
    case LEAT_TIMESTAMP:
    case LEAT_TIMESPAN:
        return a->u.u64 == b->u.u64;
    case LEAT_SUBNET:
        return memcmp(a->u.bytes, b->u.bytes, 17) == 0;
    case LEAT_LIST:
    case LEAT_SET:
    case LEAT_TABLE:
    case LEAT_RECORD:
        return a->length == b->length && a->u.cells == b->u.cells;
    default:
        return a->length == b->length && same_octets(a->u.bytes, b->u.bytes, a->length);
    }
}

int leat_value_equal(const leat_value *a, const leat_value *b)
{
    size_t i, cells;

    if (a == NULL || b == NULL)
        return leat_value_kind(a) == LEAT_NULL && leat_value_kind(b) == LEAT_NULL;
    /* Trees of one shape have one layout, so equal trees are equal cell by cell. */
    cells = lt_cells(a);
    for (i = 0; i < cells; i++) {
        if (!same_cell(a + i, b + i))
            return 0;
        if (i > 0 &&
            (a[i].name_length != b[i].name_length || (a[i].name == NULL) != (b[i].name == NULL) ||
             !same_octets((const uint8_t *)a[i].name, (const uint8_t *)b[i].name,
                          a[i].name_length)))
            return 0;
    }
    return 1;
}
