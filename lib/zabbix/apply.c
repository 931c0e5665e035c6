/* What is staged comes into force: all that can fail is done first, then all of it at once. */
#include "../core/sort.h"
#include "tables.h"

#include <leat/zabbix.h>

/* Marks of what is gone are kept until there are so many more of them than of what is there. */
#define GONE_MAX 1024u

bool lt_zabbix_ids_add(struct leat_zabbix_tables *tables, struct lt_zabbix_ids *ids, uint64_t id)
{
    void *array = ids->id;

    if (!lt_grow(&tables->allocator, &array, &ids->size, ids->count + 1, sizeof *ids->id))
        return false;
    ids->id = (uint64_t *)array;
    ids->id[ids->count++] = id;
    return true;
}

static int compare_ids(const void *context, const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

    (void)context;
    return (one > other) - (one < other);
}

void lt_zabbix_ids_sort(struct lt_zabbix_ids *ids)
{
    lt_sort(ids->id, ids->count, sizeof *ids->id, compare_ids, NULL);
}

bool lt_zabbix_ids_have(const struct lt_zabbix_ids *ids, uint64_t id)
{
    size_t low = 0, high = ids->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (ids->id[middle] == id)
            return true;
        if (ids->id[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

void lt_zabbix_ids_free(struct leat_zabbix_tables *tables, struct lt_zabbix_ids *ids)
{
    lt_free(&tables->allocator, ids->id, ids->size * sizeof *ids->id);
}

void lt_zabbix_plan_free(struct leat_zabbix_tables *tables, struct lt_zabbix_plan *plan)
{
    lt_zabbix_ids_free(tables, &plan->del_hosts);
    lt_zabbix_ids_free(tables, &plan->del_macros);
    lt_zabbix_ids_free(tables, &plan->del_map);
    lt_zabbix_ids_free(tables, &plan->macro_hosts);
}

static const struct lt_zabbix_row *find_id(const struct lt_zabbix_named *named, uint64_t id)
{
    struct lt_zabbix_key key = lt_zabbix_key(id);

    return named != NULL ? lt_zabbix_table_find(&named->rows, key.octets, key.length) : NULL;
}

static const struct lt_zabbix_named *staged(const struct leat_zabbix_tables *tables,
                                            const char *name, size_t length)
{
    const struct lt_zabbix_named *named = lt_zabbix_list_find(&tables->staged, name, length);

    return named != NULL && named->announced ? named : NULL;
}

/* Whether a host goes with all that belongs to it, or (mentions) is replaced. */
static bool host_goes(const struct lt_zabbix_plan *plan, uint64_t host, bool mentions)
{
    if (lt_zabbix_ids_have(&plan->del_hosts, host))
        return true;
    if (plan->hosts == NULL)
        return false;
    return find_id(plan->hosts, host) != NULL ? mentions : plan->full_sync;
}

/* Whether the rows that do not come any more go. */
static bool is_replaced(const struct lt_zabbix_plan *plan, const struct lt_zabbix_named *live,
                        const struct lt_zabbix_named *came, const struct lt_zabbix_row *row)
{
    const struct lt_zabbix_rule *rule = live->rule;

    if (plan->whole || rule == NULL)
        return came != NULL || (plan->no_items && rule != NULL && rule->parent != NULL &&
                                strcmp(rule->parent, "items") == 0);
    switch (rule->scope) {
    case LT_ZABBIX_HOST:
    case LT_ZABBIX_WEB:
        return host_goes(plan, row->owner, true);
    case LT_ZABBIX_MACRO:
        return host_goes(plan, row->owner, false) ||
               lt_zabbix_ids_have(&plan->del_macros, row->owner) ||
               (came != NULL &&
                (plan->full_sync || lt_zabbix_ids_have(&plan->macro_hosts, row->owner)));
    case LT_ZABBIX_MAP:
        return plan->left_group || (came != NULL && plan->map_full_sync) ||
               lt_zabbix_ids_have(&plan->del_map, lt_zabbix_row_id(row));
    default:
        return came != NULL || (rule->group == LT_ZABBIX_PROXIES && plan->left_group) ||
               (rule->group == LT_ZABBIX_GLOBALMACRO && lt_zabbix_ids_have(&plan->del_macros, 0));
    }
}

static bool row_goes(const struct lt_zabbix_plan *plan, const struct lt_zabbix_named *live,
                     const struct lt_zabbix_named *came, const struct lt_zabbix_row *row)
{
    return is_replaced(plan, live, came, row) &&
           (came == NULL ||
            lt_zabbix_table_find(&came->rows, row->octets, row->key_length) == NULL);
}

struct lt_zabbix_row *lt_zabbix_mark(const struct leat_zabbix_tables *tables, unsigned marked,
                                     uint64_t id)
{
    struct lt_zabbix_key key = lt_zabbix_key(id);

    return lt_zabbix_table_find(&tables->mark[marked], key.octets, key.length);
}

static bool prepare_mark(struct leat_zabbix_tables *tables, unsigned marked, uint64_t id)
{
    struct lt_zabbix_key key = lt_zabbix_key(id);
    struct lt_zabbix_row *row;

    if (lt_zabbix_mark(tables, marked, id) != NULL)
        return true;
    if (!lt_zabbix_table_reserve(&tables->mark[marked], &tables->allocator, 1))
        return false;
    row = lt_zabbix_row_new(&tables->allocator, NULL, key.octets, key.length, key.length);
    if (row == NULL)
        return false;
    (void)lt_zabbix_table_put(&tables->mark[marked], row);
    return true;
}

static unsigned marks_of(const struct lt_zabbix_rule *rule)
{
    switch (rule->scope) {
    case LT_ZABBIX_HOST:
    case LT_ZABBIX_WEB:
        return LT_ZABBIX_OF_HOSTS;
    case LT_ZABBIX_MACRO:
        return LT_ZABBIX_OF_MACROS;
    case LT_ZABBIX_MAP:
        return LT_ZABBIX_OF_MAP;
    default:
        return LT_ZABBIX_MARKED;
    }
}

/* Notes when something changed; there is a mark for it. */
static void note(struct leat_zabbix_tables *tables, const struct lt_zabbix_plan *plan,
                 const struct lt_zabbix_named *live, const struct lt_zabbix_row *row)
{
    struct lt_zabbix_row *mark;
    unsigned marked;

    if (live->rule == NULL || !lt_zabbix_tables_have_revisions(tables))
        return;
    marked = marks_of(live->rule);
    if (marked == LT_ZABBIX_MARKED) {
        tables->group[live->rule->group] = plan->revision;
        return;
    }
    mark = lt_zabbix_mark(tables, marked,
                          marked == LT_ZABBIX_OF_MAP ? lt_zabbix_row_id(row) : row->owner);
    if (mark != NULL)
        mark->owner = marked == LT_ZABBIX_OF_MAP ? plan->hostmap : plan->revision;
    if (marked == LT_ZABBIX_OF_MAP)
        tables->group[LT_ZABBIX_PROXIES] = plan->revision;
}

/* Room for all that is staged of a table, and marks. False: no memory. */
static bool prepare_table(struct leat_zabbix_tables *tables, const struct lt_zabbix_named *came)
{
    struct lt_zabbix_named *live =
        lt_zabbix_list_find(&tables->list, came->name, came->name_length);
    size_t i;
    unsigned marked;

    if (live == NULL)
        live = lt_zabbix_list_add(tables, &tables->list, came->name, came->name_length);
    if (live == NULL || !lt_zabbix_table_reserve(&live->rows, &tables->allocator, came->rows.count))
        return false;
    if (live->rule == NULL || !lt_zabbix_tables_have_revisions(tables))
        return true;
    marked = marks_of(live->rule);
    for (i = 0; i < came->rows.count && marked != LT_ZABBIX_MARKED; i++) {
        const struct lt_zabbix_row *row = came->rows.row[i];

        if (!prepare_mark(tables, marked,
                          marked == LT_ZABBIX_OF_MAP ? lt_zabbix_row_id(row) : row->owner))
            return false;
    }
    return true;
}

/* How many changes there can be. */
static size_t count_changes(const struct leat_zabbix_tables *tables,
                            const struct lt_zabbix_plan *plan)
{
    size_t count = 1; /* of the secrets */
    size_t i, k;

    for (i = 0; i < tables->list.count; i++) {
        const struct lt_zabbix_named *live = tables->list.table[i];
        const struct lt_zabbix_named *came = staged(tables, live->name, live->name_length);

        count += came != NULL ? came->rows.count : 0;
        for (k = 0; k < live->rows.count; k++)
            count += row_goes(plan, live, came, live->rows.row[k]);
    }
    return count;
}

void lt_zabbix_tables_drop_changes(struct leat_zabbix_tables *tables)
{
    struct lt_zabbix_changes *changes = &tables->changes;
    size_t i;

    for (i = 0; i < changes->count; i++) {
        if (changes->item[i].change == LEAT_ZABBIX_REMOVED)
            lt_zabbix_row_free(&tables->allocator, changes->item[i].row);
    }
    lt_free(&tables->allocator, changes->item, changes->size * sizeof *changes->item);
    memset(changes, 0, sizeof *changes);
    tables->drawn = 0;
}

/* Tables that we do not know are forgotten with their last row, once that has been told. */
static void forget_tables(struct leat_zabbix_tables *tables)
{
    struct lt_zabbix_list *list = &tables->list;
    size_t i;

    for (i = 0; i < tables->changes.count; i++)
        tables->changes.item[i].table->announced = true;
    for (i = list->count; i > tables->known; i--) {
        struct lt_zabbix_named *named = list->table[i - 1];

        if (named->rows.count > 0 || named->announced)
            continue;
        list->table[i - 1] = list->table[list->count - 1];
        list->table[list->count - 1] = named;
        lt_zabbix_list_cut(tables, list, list->count - 1);
    }
    for (i = 0; i < tables->changes.count; i++)
        tables->changes.item[i].table->announced = false;
}

static void add_change(struct lt_zabbix_changes *changes, struct lt_zabbix_named *table,
                       struct lt_zabbix_row *row, uint32_t change)
{
    struct lt_zabbix_change *item = &changes->item[changes->count++];

    item->table = table;
    item->row = row;
    item->change = change;
}

static void remove_rows(struct leat_zabbix_tables *tables, const struct lt_zabbix_plan *plan,
                        struct lt_zabbix_named *live, struct lt_zabbix_changes *changes)
{
    const struct lt_zabbix_named *came = staged(tables, live->name, live->name_length);
    size_t i;

    for (i = live->rows.count; i > 0; i--) {
        struct lt_zabbix_row *row = live->rows.row[i - 1];

        if (!row_goes(plan, live, came, row))
            continue;
        lt_zabbix_table_take(&live->rows, i - 1);
        note(tables, plan, live, row);
        add_change(changes, live, row, LEAT_ZABBIX_REMOVED);
    }
}

static void take_rows(struct leat_zabbix_tables *tables, const struct lt_zabbix_plan *plan,
                      struct lt_zabbix_named *came, struct lt_zabbix_changes *changes)
{
    struct lt_zabbix_named *live =
        lt_zabbix_list_find(&tables->list, came->name, came->name_length);
    size_t i;

    for (i = 0; i < came->rows.count; i++) {
        struct lt_zabbix_row *row = came->rows.row[i];
        struct lt_zabbix_row *old = lt_zabbix_table_find(&live->rows, row->octets, row->key_length);

        if (old != NULL && lt_zabbix_row_equal(old, row) && old->owner == row->owner) {
            lt_zabbix_row_free(&tables->allocator, row);
            continue;
        }
        (void)lt_zabbix_table_put(&live->rows, row);
        if (old != NULL)
            note(tables, plan, live, old);
        note(tables, plan, live, row);
        add_change(changes, live, row, old != NULL ? LEAT_ZABBIX_CHANGED : LEAT_ZABBIX_ADDED);
        lt_zabbix_row_free(&tables->allocator, old);
    }
    came->rows.count = 0;
    if (came->shape != NULL) {
        lt_zabbix_shape_release(&tables->allocator, live->shape);
        live->shape = came->shape;
        came->shape = NULL;
    }
}

/*
 * The secrets of a message and, of an update, those that were there: it has the paths of the macros
 * that it brings, and perhaps not all of their keys.
 */
static int arrange_secrets(struct leat_zabbix_tables *tables, const struct lt_zabbix_plan *plan,
                           const leat_value **secrets)
{
    const struct lt_zabbix_table *rows = &tables->secrets->rows;
    struct lt_tree *tree = &tables->tree;
    const leat_value *old = NULL;
    int status = LEAT_OK;

    lt_tree_clear(tree);
    if (plan->merges_secrets && rows->count > 0) {
        struct lt_reader in = lt_reader(rows->row[0]->octets, rows->row[0]->length);

        (void)lt_zabbix_get_number(&in); /* its identifier */
        status = lt_zabbix_value_read(&in, tree, LT_NO_NAME);
    }
    if (status == LEAT_OK)
        status = lt_tree_reserve(tree, tree->count + lt_cells(plan->secrets));
    tables->over = tables->over || status == LEAT_E_LIMIT;
    if (status != LEAT_OK)
        return lt_zabbix_tables_full(tables);
    if (tree->count > 0)
        old = tree->cells; /* stays where it is: there is room for all */
    return lt_zabbix_secrets_merge(tables, plan->secrets, old, secrets);
}

/* The row of the secrets that are to come; NULL: there are none, or they stay. */
static int make_secrets(struct leat_zabbix_tables *tables, const struct lt_zabbix_plan *plan,
                        struct lt_zabbix_row **row)
{
    const leat_value *secrets = NULL;
    int status = LEAT_OK;

    *row = NULL;
    if (plan->secrets != NULL)
        status = arrange_secrets(tables, plan, &secrets);
    if (status != LEAT_OK || leat_value_count(secrets) == 0)
        return status;
    tables->octets.length = 0;
    tables->octets.status = LEAT_OK;
    lt_put_u8(&tables->octets, 0);
    lt_zabbix_value_write(&tables->octets, secrets);
    if (tables->octets.status != LEAT_OK ||
        !lt_zabbix_table_reserve(&tables->secrets->rows, &tables->allocator, 1))
        return lt_zabbix_tables_full(tables);
    *row =
        lt_zabbix_row_new(&tables->allocator, NULL, tables->octets.data, tables->octets.length, 1);
    return *row != NULL ? LEAT_OK : lt_zabbix_tables_full(tables);
}

static void take_secrets(struct leat_zabbix_tables *tables, const struct lt_zabbix_plan *plan,
                         struct lt_zabbix_row *row, struct lt_zabbix_changes *changes)
{
    struct lt_zabbix_table *rows = &tables->secrets->rows;
    struct lt_zabbix_row *old = rows->count > 0 ? rows->row[0] : NULL;

    if (plan->secrets == NULL || (old == NULL && row == NULL))
        return;
    if (old != NULL && row != NULL && lt_zabbix_row_equal(old, row)) {
        lt_zabbix_row_free(&tables->allocator, row);
        return;
    }
    tables->group[LT_ZABBIX_SECRETS] = plan->revision;
    if (old != NULL)
        lt_zabbix_table_take(rows, 0);
    if (row == NULL) {
        add_change(changes, tables->secrets, old, LEAT_ZABBIX_REMOVED);
        return;
    }
    (void)lt_zabbix_table_put(rows, row);
    add_change(changes, tables->secrets, row,
               old != NULL ? LEAT_ZABBIX_CHANGED : LEAT_ZABBIX_ADDED);
    lt_zabbix_row_free(&tables->allocator, old);
}

/* Forgets what is gone, once that is much more than what is there: older revisions get a full copy. */
static void prune(struct leat_zabbix_tables *tables, unsigned marked, const char *name,
                  uint64_t *oldest, uint64_t now)
{
    struct lt_zabbix_table *marks = &tables->mark[marked];
    const struct lt_zabbix_named *live = lt_zabbix_list_find(&tables->list, name, strlen(name));
    size_t i;

    if (live == NULL || marks->count / 2 <= live->rows.count ||
        marks->count - live->rows.count <= GONE_MAX)
        return;
    for (i = marks->count; i > 0; i--) {
        struct lt_zabbix_row *mark = marks->row[i - 1];

        if (lt_zabbix_table_find(&live->rows, mark->octets, mark->key_length) != NULL)
            continue;
        lt_zabbix_table_take(marks, i - 1);
        lt_zabbix_row_free(&tables->allocator, mark);
    }
    *oldest = now;
}

/* Nothing here can fail. */
static void commit(struct leat_zabbix_tables *tables, const struct lt_zabbix_plan *plan,
                   struct lt_zabbix_row *secrets, struct lt_zabbix_changes *changes)
{
    size_t i;

    for (i = 0; i < tables->list.count; i++)
        remove_rows(tables, plan, tables->list.table[i], changes);
    for (i = 0; i < tables->staged.count; i++) {
        if (tables->staged.table[i]->announced)
            take_rows(tables, plan, tables->staged.table[i], changes);
    }
    take_secrets(tables, plan, secrets, changes);
    lt_zabbix_tables_drop_changes(tables);
    tables->changes = *changes;
    forget_tables(tables);
    prune(tables, LT_ZABBIX_OF_HOSTS, "hosts", &tables->oldest, plan->revision);
    prune(tables, LT_ZABBIX_OF_MACROS, "hosts", &tables->oldest, plan->revision);
    prune(tables, LT_ZABBIX_OF_MAP, "host_proxy", &tables->oldest_hostmap, plan->hostmap);
}

int lt_zabbix_tables_apply(struct leat_zabbix_tables *tables, struct lt_zabbix_plan *plan)
{
    const struct lt_zabbix_named *staged_items = staged(tables, "items", strlen("items"));
    struct lt_zabbix_changes changes = {0};
    struct lt_zabbix_row *secrets;
    void *items = NULL;
    size_t i;
    int status;

    plan->no_items = plan->whole && staged_items != NULL && staged_items->rows.count == 0;
    lt_zabbix_ids_sort(&plan->del_hosts);
    lt_zabbix_ids_sort(&plan->del_macros);
    lt_zabbix_ids_sort(&plan->del_map);
    lt_zabbix_ids_sort(&plan->macro_hosts);
    for (i = 0; i < tables->staged.count; i++) {
        if (tables->staged.table[i]->announced && !prepare_table(tables, tables->staged.table[i]))
            return lt_zabbix_tables_full(tables);
    }
    if (!lt_grow(&tables->allocator, &items, &changes.size, count_changes(tables, plan),
                 sizeof *changes.item))
        return lt_zabbix_tables_full(tables);
    changes.item = (struct lt_zabbix_change *)items;
    status = make_secrets(tables, plan, &secrets);
    if (status == LEAT_OK)
        commit(tables, plan, secrets, &changes);
    else
        lt_free(&tables->allocator, changes.item, changes.size * sizeof *changes.item);
    return status;
}
