/*
 * The secrets of a configuration: paths with keys with texts. They are kept by name, and each name
 * once, so that they can be compared. Of several members of one name the first counts, as with real
 * peers: spec section 13.
 */
#include "../core/sort.h"
#include "tables.h"

struct member {
    const leat_value *value;
    size_t place; /* in the order in which they were listed */
};

struct members {
    struct member *item;
    size_t count;
    size_t size;
};

struct merging {
    struct leat_zabbix_tables *tables;
    struct members paths;
    struct members keys; /* of one path */
};

static bool list(struct leat_zabbix_tables *tables, struct members *members,
                 const leat_value *record)
{
    void *item = members->item;
    const leat_value *child;

    if (!lt_grow(&tables->allocator, &item, &members->size,
                 members->count + leat_value_count(record), sizeof *members->item))
        return false;
    members->item = (struct member *)item;
    for (child = leat_value_first(record); child != NULL; child = leat_value_next(record, child)) {
        members->item[members->count].value = child;
        members->item[members->count].place = members->count;
        members->count++;
    }
    return true;
}

static int compare_names(const leat_value *a, const leat_value *b)
{
    size_t shorter = a->name_length < b->name_length ? a->name_length : b->name_length;
    int order = shorter > 0 ? memcmp(a->name, b->name, shorter) : 0;

    return order != 0 ? order : (int)a->name_length - (int)b->name_length;
}

static int compare(const void *context, const void *a, const void *b)
{
    const struct member *one = (const struct member *)a, *other = (const struct member *)b;
    int order = compare_names(one->value, other->value);

    (void)context;
    return order != 0 ? order : (one->place > other->place) - (one->place < other->place);
}

/* By name; of one name in the order in which they were listed. */
static void sort(struct members *members)
{
    lt_sort(members->item, members->count, sizeof *members->item, compare, NULL);
}

static bool is_first(const struct members *members, size_t index)
{
    return index == 0 ||
           compare_names(members->item[index - 1].value, members->item[index].value) != 0;
}

/* The keys of a path: those that came before those that were there (or NULL). There is room. */
static bool merge_keys(struct merging *m, const leat_value *came, const leat_value *old)
{
    struct lt_tree *tree = &m->tables->tree;
    uint32_t count = 0;
    size_t path, i;

    m->keys.count = 0;
    if (!list(m->tables, &m->keys, came) || !list(m->tables, &m->keys, old))
        return false;
    sort(&m->keys);
    path = lt_tree_open(tree, LEAT_RECORD, came->name, came->name_length);
    for (i = 0; i < m->keys.count; i++) {
        if (!is_first(&m->keys, i))
            continue;
        tree->cells[tree->count++] = *m->keys.item[i].value;
        count++;
    }
    lt_tree_close(tree, path, count);
    return true;
}

/* The paths, of which the first ones listed came, as many as that. */
static bool merge_paths(struct merging *m, size_t came)
{
    struct lt_tree *tree = &m->tables->tree;
    const struct members *paths = &m->paths;
    size_t all = lt_tree_open(tree, LEAT_RECORD, LT_NO_NAME);
    size_t i, k;
    uint32_t count = 0;

    for (i = 0; i < paths->count; i = k, count++) {
        const leat_value *old = NULL;

        for (k = i + 1; k < paths->count && !is_first(paths, k); k++) {
            if (old == NULL && paths->item[i].place < came && paths->item[k].place >= came)
                old = paths->item[k].value;
        }
        if (!merge_keys(m, paths->item[i].value, old))
            return false;
    }
    lt_tree_close(tree, all, count);
    return true;
}

int lt_zabbix_secrets_merge(struct leat_zabbix_tables *tables, const leat_value *came,
                            const leat_value *old, const leat_value **merged)
{
    struct merging m = {.tables = tables};
    size_t all = tables->tree.count;
    bool done = list(tables, &m.paths, came) && list(tables, &m.paths, old);

    sort(&m.paths);
    done = done && merge_paths(&m, leat_value_count(came));
    lt_free(&tables->allocator, m.paths.item, m.paths.size * sizeof *m.paths.item);
    lt_free(&tables->allocator, m.keys.item, m.keys.size * sizeof *m.keys.item);
    if (!done)
        return lt_zabbix_tables_full(tables);
    *merged = &tables->tree.cells[all];
    return LEAT_OK;
}

bool lt_zabbix_is_secrets(const leat_value *value)
{
    const leat_value *path, *key;

    if (leat_value_kind(value) != LEAT_RECORD)
        return false;
    for (path = leat_value_first(value); path != NULL; path = leat_value_next(value, path)) {
        if (path->kind != LEAT_RECORD)
            return false;
        for (key = leat_value_first(path); key != NULL; key = leat_value_next(path, key)) {
            if (key->kind != LEAT_TEXT)
                return false;
        }
    }
    return true;
}

static bool is_name_sendable(const leat_value *member)
{
    leat_value name = {.kind = LEAT_TEXT};

    name.u.bytes = (const uint8_t *)member->name;
    name.length = member->name_length;
    return lt_zabbix_is_sendable(&name);
}

bool lt_zabbix_secrets_are_sendable(const leat_value *secrets)
{
    const leat_value *path, *key;

    for (path = leat_value_first(secrets); path != NULL; path = leat_value_next(secrets, path)) {
        if (!is_name_sendable(path))
            return false;
        for (key = leat_value_first(path); key != NULL; key = leat_value_next(path, key)) {
            if (!is_name_sendable(key) || !lt_zabbix_is_sendable(key))
                return false;
        }
    }
    return true;
}
