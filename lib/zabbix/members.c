#include "members.h"

#include <string.h>

void lt_zabbix_members_init(struct lt_zabbix_members *m, const leat_allocator *allocator,
                            const leat_limits *limits)
{
    memset(m, 0, sizeof *m);
    lt_tree_init(&m->tree, allocator, limits->values);
    m->limit = limits->row_bytes;
}

void lt_zabbix_members_clear(struct lt_zabbix_members *m)
{
    lt_tree_clear(&m->tree);
    m->octets = 0;
    m->depth = 0;
}

void lt_zabbix_members_free(struct lt_zabbix_members *m)
{
    lt_tree_free(&m->tree);
}

size_t lt_zabbix_members_bytes(const struct lt_zabbix_members *m)
{
    return m->tree.size * sizeof(leat_value) + lt_arena_bytes(&m->tree.arena);
}

/*
 * Counts a name and the octets of its value, and copies them, one behind the other; somewhere, if
 * there are none. LEAT_OK, LEAT_E_LIMIT or LEAT_E_NOMEM.
 */
static int copy_octets(struct lt_zabbix_members *m, const uint8_t *name, size_t length,
                       const uint8_t *text, size_t used, const uint8_t **copy)
{
    static const uint8_t nothing[1];
    uint8_t *place;

    *copy = nothing;
    if (length > m->limit - m->octets || used > m->limit - m->octets - length)
        return LEAT_E_LIMIT;
    if (length + used == 0)
        return LEAT_OK;
    place = (uint8_t *)lt_arena_alloc(&m->tree.arena, length + used);
    if (place == NULL)
        return LEAT_E_NOMEM;
    if (length > 0)
        memcpy(place, name, length);
    if (used > 0)
        memcpy(place + length, text, used);
    *copy = place;
    m->octets += length + used;
    return LEAT_OK;
}

static void count_member(struct lt_zabbix_members *m)
{
    if (m->depth > 0)
        m->children[m->depth - 1]++;
}

int lt_zabbix_members_open(struct lt_zabbix_members *m, const uint8_t *name, size_t length)
{
    const uint8_t *copy;
    int status = lt_tree_reserve(&m->tree, 1);

    if (status == LEAT_OK)
        status = copy_octets(m, name, length, NULL, 0, &copy);
    if (status != LEAT_OK)
        return status;
    count_member(m);
    m->open[m->depth] = lt_tree_open(&m->tree, LEAT_RECORD,
                                     m->depth == 0 ? NULL : (const char *)copy, (uint16_t)length);
    m->children[m->depth++] = 0;
    return LEAT_OK;
}

void lt_zabbix_members_close(struct lt_zabbix_members *m)
{
    m->depth--;
    lt_tree_close(&m->tree, m->open[m->depth], m->children[m->depth]);
}

int lt_zabbix_members_take(struct lt_zabbix_members *m, size_t start, const uint8_t *text,
                           size_t used, const uint8_t *name, size_t length)
{
    leat_value *cell = m->tree.cells + start, *end = m->tree.cells + m->tree.count;
    const uint8_t *copy;
    int status = copy_octets(m, name, length, text, used, &copy);

    if (status != LEAT_OK) {
        m->tree.count = start;
        return status;
    }
    count_member(m);
    cell->name = (const char *)copy;
    cell->name_length = (uint16_t)length;
    /* What stands in the octets that will go now stands in their copy. */
    for (; cell < end; cell++) {
        uintptr_t at = (uintptr_t)cell->name - (uintptr_t)text;

        if (cell->name != NULL && at < used)
            cell->name = (const char *)copy + length + at;
        if (cell->kind == LEAT_TEXT) {
            at = (uintptr_t)cell->u.bytes - (uintptr_t)text;
            if (at < used)
                cell->u.bytes = copy + length + at;
        }
    }
    return LEAT_OK;
}

int lt_zabbix_members_rows(struct lt_zabbix_members *m, const uint8_t *name, size_t length,
                           uint64_t rows)
{
    const uint8_t *copy;
    size_t record;
    int status = lt_tree_reserve(&m->tree, name == NULL ? 1 : 2);

    if (status == LEAT_OK)
        status = copy_octets(m, name, length, NULL, 0, &copy);
    if (status != LEAT_OK)
        return status;
    count_member(m);
    if (name == NULL) {
        lt_tree_u64(&m->tree, LT_NAME("rows"), rows);
        return LEAT_OK;
    }
    record = lt_tree_open(&m->tree, LEAT_RECORD, (const char *)copy, (uint16_t)length);
    lt_tree_u64(&m->tree, LT_NAME("rows"), rows);
    lt_tree_close(&m->tree, record, 1);
    return LEAT_OK;
}

const leat_value *lt_zabbix_members_value(struct lt_zabbix_members *m)
{
    uint32_t i;

    for (i = 0; i < m->depth; i++)
        lt_tree_close(&m->tree, m->open[i], m->children[i]);
    return m->tree.count == 0 ? NULL : m->tree.cells;
}
