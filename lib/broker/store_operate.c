#include "store_operate.h"

#include "data.h"
#include "order.h"

int lt_store_begin(unsigned type, leat_value *value)
{
    const unsigned types = 1u << LT_BROKER_COUNT | 1u << LT_BROKER_INTEGER | 1u << LT_BROKER_REAL |
                           1u << LT_BROKER_STRING | 1u << LT_BROKER_TIMESTAMP |
                           1u << LT_BROKER_TIMESPAN | 1u << LT_BROKER_SET | 1u << LT_BROKER_TABLE |
                           1u << LT_BROKER_VECTOR;

    if (type >= LT_BROKER_TYPES || (types >> type & 1) == 0)
        return LEAT_E_VALUE;
    memset(value, 0, sizeof *value);
    value->kind = lt_broker_kind(type);
    if (lt_is_container(value))
        value->u.cells = 1;
    else if (value->kind == LEAT_TEXT)
        value->u.bytes = (const uint8_t *)"";
    else if (value->kind == LEAT_REAL)
        value->u.f64 = 0;
    return LEAT_OK;
}

/* Appends cells as they are. */
static void put_cells(struct lt_tree *tree, const leat_value *cells, size_t count)
{
    if (count > 0)
        memcpy(tree->cells + tree->count, cells, count * sizeof *cells);
    tree->count += count;
}

void lt_store_put_child(struct lt_tree *tree, const leat_value *value)
{
    leat_value *cell = &tree->cells[tree->count];

    put_cells(tree, value, lt_cells(value));
    cell->name = NULL;
    cell->name_length = 0;
}

static int operate_numbers(leat_value *result, const leat_value *operand, bool subtract)
{
    uint64_t number = operand->u.u64;
    bool time = result->kind == LEAT_TIMESTAMP && operand->kind == LEAT_TIMESPAN;

    /* A timestamp has no sum with another one. */
    if (!time && (operand->kind != result->kind || result->kind == LEAT_TIMESTAMP))
        return LEAT_E_VALUE;
    if (result->kind == LEAT_REAL)
        result->u.f64 += subtract ? -operand->u.f64 : operand->u.f64;
    else
        result->u.u64 += subtract ? 0 - number : number;
    return LEAT_OK;
}

static int append_text(struct lt_tree *result, const leat_value *operand)
{
    leat_value *text = result->cells;
    uint8_t *octets;

    if (operand->kind != LEAT_TEXT)
        return LEAT_E_VALUE;
    if (operand->length > UINT32_MAX - text->length)
        return LEAT_E_LIMIT;
    octets = (uint8_t *)lt_arena_alloc(&result->arena, (size_t)text->length + operand->length + 1);
    if (octets == NULL)
        return LEAT_E_NOMEM;
    if (text->length > 0)
        memcpy(octets, text->u.bytes, text->length);
    if (operand->length > 0)
        memcpy(octets + text->length, operand->u.bytes, operand->length);
    text->u.bytes = octets;
    text->length += operand->length;
    return LEAT_OK;
}

/*
 * Copies the children of a set or table but the one that is the key, and adds what is there to be
 * added in its place. value is NULL in a set.
 */
static void replace_child(struct lt_tree *result, const leat_value *container,
                          const leat_value *key, const leat_value *value, bool subtract)
{
    const leat_value *child = container + 1;
    bool table = container->kind == LEAT_TABLE;
    uint32_t left = container->length, count = 0;
    bool added = subtract;

    for (; left > 0; left--) {
        size_t cells = lt_cells(child);
        int order = lt_broker_compare(key, child);

        if (table)
            cells += lt_cells(child + cells);
        if (!added && order <= 0) {
            lt_store_put_child(result, key);
            if (table)
                lt_store_put_child(result, value);
            added = true;
            count++;
        }
        if (order != 0) {
            put_cells(result, child, cells);
            count++;
        }
        child += cells;
    }
    if (!added) {
        lt_store_put_child(result, key);
        if (table)
            lt_store_put_child(result, value);
        count++;
    }
    result->cells[0].reserved = 0;
    lt_tree_close(result, 0, count);
}

static void operate_list(struct lt_tree *result, const leat_value *list, const leat_value *operand,
                         bool subtract)
{
    const leat_value *child = list + 1;
    uint32_t left = list->length;

    /* Popping takes the last value, whatever the operand is. */
    for (; left > (uint32_t)subtract; left--) {
        put_cells(result, child, lt_cells(child));
        child += lt_cells(child);
    }
    if (!subtract)
        lt_store_put_child(result, operand);
    result->cells[0].reserved = 0;
    lt_tree_close(result, 0, subtract ? list->length - (list->length > 0) : list->length + 1);
}

/* NaN, which is the same as everything, must not stand for another key. */
static bool has_nan(const leat_value *value)
{
    size_t i;

    for (i = 0; i < lt_cells(value); i++) {
        if (value[i].kind == LEAT_REAL && value[i].u.f64 != value[i].u.f64)
            return true;
    }
    return false;
}

int lt_store_operate(struct lt_tree *result, const leat_value *value, const leat_value *operand,
                     bool subtract)
{
    const leat_value *key = operand, *inserted = NULL;
    int status;

    lt_tree_clear(result);
    status = lt_tree_reserve(result, lt_cells(value) + lt_cells(operand) + 1);
    if (status != LEAT_OK)
        return status;
    put_cells(result, value, 1);
    switch (value->kind) {
    case LEAT_UINT:
    case LEAT_INT:
    case LEAT_REAL:
    case LEAT_TIMESTAMP:
    case LEAT_TIMESPAN:
        return operate_numbers(result->cells, operand, subtract);
    case LEAT_TEXT:
        return subtract ? LEAT_E_VALUE : append_text(result, operand);
    case LEAT_LIST:
        operate_list(result, value, operand, subtract);
        return LEAT_OK;
    case LEAT_TABLE:
        if (!subtract) {
            if (operand->kind != LEAT_LIST || operand->length != 2)
                return LEAT_E_VALUE;
            key = operand + 1;
            inserted = key + lt_cells(key);
        }
        break;
    case LEAT_SET:
        break;
    default:
        return LEAT_E_VALUE;
    }
    if (has_nan(key))
        return LEAT_E_VALUE;
    replace_child(result, value, key, inserted, subtract);
    return LEAT_OK;
}
