/* What a server sends of its tables: a full copy, or what a proxy lacks. */
#include "../core/text.h"
#include "tables.h"

#include <leat/zabbix.h>

#define VAULT_MACRO 2u

struct handout {
    struct leat_zabbix_tables *tables;
    leat_session *session;
    uint64_t since;
    uint64_t hostmap;
    bool full;
    bool full_map;
    bool secrets; /* it wants them */
    bool hosts;   /* some of them go along, */
    bool web;     /* their web scenarios, */
    bool macros;  /* or their macros or templates */
};

static bool is_marked(const struct handout *h, unsigned marked, uint64_t id, uint64_t since)
{
    const struct lt_zabbix_row *mark = lt_zabbix_mark(h->tables, marked, id);

    return mark != NULL && mark->owner > since;
}

static bool is_in_group(const struct handout *h)
{
    return h->tables->failover_delay[0] != '\0';
}

/* Whether a row of a table that is sent goes with it. */
static bool row_goes_along(const struct handout *h, const struct lt_zabbix_rule *rule,
                           const struct lt_zabbix_row *row)
{
    switch (rule->scope) {
    case LT_ZABBIX_HOST:
    case LT_ZABBIX_WEB:
        return h->full || is_marked(h, LT_ZABBIX_OF_HOSTS, row->owner, h->since);
    case LT_ZABBIX_MACRO:
        return h->full || is_marked(h, LT_ZABBIX_OF_HOSTS, row->owner, h->since) ||
               is_marked(h, LT_ZABBIX_OF_MACROS, row->owner, h->since);
    case LT_ZABBIX_MAP:
        return is_in_group(h) &&
               (h->full_map || is_marked(h, LT_ZABBIX_OF_MAP, lt_zabbix_row_id(row), h->hostmap));
    default:
        return rule->group != LT_ZABBIX_PROXIES || is_in_group(h) ||
               !lt_zabbix_tables_have_revisions(h->tables);
    }
}

static bool any_row(const struct handout *h, const char *table)
{
    const struct lt_zabbix_named *named =
        lt_zabbix_list_find(&h->tables->list, table, strlen(table));
    size_t i;

    for (i = 0; named != NULL && i < named->rows.count; i++) {
        if (row_goes_along(h, named->rule, named->rows.row[i]))
            return true;
    }
    return false;
}

static bool is_newer(const struct handout *h, enum lt_zabbix_group group)
{
    return h->tables->group[group] > h->since;
}

static bool map_is_sent(const struct handout *h)
{
    return is_in_group(h) && (h->full_map || h->tables->hostmap != h->hostmap);
}

/* Source: the table of spec section 7.4. */
static bool table_is_sent(const struct handout *h, const struct lt_zabbix_named *named)
{
    const struct lt_zabbix_rule *rule = named->rule;

    if (h->full)
        return true;
    switch (rule->scope) {
    case LT_ZABBIX_HOST:
        return h->hosts;
    case LT_ZABBIX_WEB:
        return h->web;
    case LT_ZABBIX_MACRO:
        return h->macros;
    case LT_ZABBIX_MAP:
        return map_is_sent(h);
    default:
        break;
    }
    if (rule->group == LT_ZABBIX_PROXIES)
        return map_is_sent(h);
    if (rule->group == LT_ZABBIX_SETTINGS && is_newer(h, LT_ZABBIX_DISCOVERY))
        return true;
    /* Without rows it is deleted by a 0 among the hosts without macros. */
    if (rule->group == LT_ZABBIX_GLOBALMACRO && named->rows.count == 0)
        return false;
    return is_newer(h, (enum lt_zabbix_group)rule->group);
}

static void default_cell(const struct lt_zabbix_field *field, leat_value *cell)
{
    const char *text = lt_zabbix_field_fallback(field);

    cell->length = (uint32_t)strlen(text);
    cell->u.u64 = 0;
    if (field->type == LT_ZABBIX_STRING) {
        cell->kind = LEAT_TEXT;
        cell->u.bytes = (const uint8_t *)text;
    } else if (field->type == LT_ZABBIX_NUMBER_OR_NULL) {
        cell->kind = LEAT_NULL;
    } else if (lt_read_i64(text, cell->length, &cell->u.i64)) {
        cell->kind = cell->u.i64 < 0 ? LEAT_INT : LEAT_UINT;
    } else {
        cell->kind = LEAT_UINT;
    }
}

/* The columns of this version in its order, as a list. Those that we know stand first in a row. */
static int write_row(const struct handout *h, const struct lt_zabbix_named *named,
                     const struct lt_zabbix_row *row)
{
    const struct lt_zabbix_fields *fields = named->fields;
    struct lt_tree *tree = &h->tables->tree;
    uint32_t count = 0;
    size_t at = 0;
    size_t i, list;
    int status;

    lt_tree_clear(tree);
    status = lt_zabbix_row_show(row, row->shape->count, tree);
    if (status == LEAT_OK)
        status = lt_tree_reserve(tree, 1 + fields->count);
    if (status != LEAT_OK)
        return status;
    list = lt_tree_open(tree, LEAT_LIST, LT_NO_NAME);
    for (i = 0; i < fields->count; i++) {
        const struct lt_zabbix_field *field = lt_zabbix_fields_at(fields, i);
        leat_value *cell;

        if (!lt_zabbix_field_is_in(field, h->tables->version))
            continue;
        cell = lt_tree_push(tree, LEAT_NULL, LT_NO_NAME);
        if (at < row->shape->count && row->shape->column[at].field == field) {
            at++;
            cell->u = tree->cells[at].u;
            cell->length = tree->cells[at].length;
            cell->kind = tree->cells[at].kind;
        } else {
            default_cell(field, cell);
        }
        count++;
    }
    lt_tree_close(tree, list, count);
    return leat_zabbix_row(h->session, &tree->cells[list]);
}

/* How many items stand above this one. A ring, which only a message can bring, ends somewhere. */
static int depth_of(const struct handout *h, const struct lt_zabbix_table *items,
                    const struct lt_zabbix_row *row, size_t *depth)
{
    for (*depth = 0; *depth < LT_ZABBIX_MASTERS_MAX; (*depth)++) {
        struct lt_zabbix_key key;
        uint64_t master;
        int status = lt_zabbix_row_number(h->tables, row, "master_itemid", &master);

        if (status != LEAT_OK)
            return status;
        key = lt_zabbix_key(master);
        row = lt_zabbix_table_find(items, key.octets, key.length);
        if (row == NULL)
            break;
    }
    return LEAT_OK;
}

/* The rows at that depth; *more: there are deeper ones. */
static int write_rows(const struct handout *h, const struct lt_zabbix_named *named, size_t depth,
                      bool *more)
{
    bool items = strcmp(named->name, "items") == 0;
    size_t i;
    int status = LEAT_OK;

    *more = false;
    for (i = 0; i < named->rows.count && status == LEAT_OK; i++) {
        const struct lt_zabbix_row *row = named->rows.row[i];
        size_t own = 0;

        if (!row_goes_along(h, named->rule, row))
            continue;
        if (items)
            status = depth_of(h, &named->rows, row, &own);
        if (status == LEAT_OK && own == depth)
            status = write_row(h, named, row);
        *more = *more || own > depth;
    }
    return status;
}

static int write_table(const struct handout *h, const struct lt_zabbix_named *named)
{
    const char *column[128];
    size_t count = 0, depth = 0, i;
    bool more = true;
    int status;

    for (i = 0; i < named->fields->count; i++) {
        if (lt_zabbix_field_is_in(lt_zabbix_fields_at(named->fields, i), h->tables->version))
            column[count++] = lt_zabbix_field_name(lt_zabbix_fields_at(named->fields, i));
    }
    status = leat_zabbix_table(h->session, named->name, column, count);
    /* Masters come before the items that depend on them. */
    for (; more && status == LEAT_OK; depth++)
        status = write_rows(h, named, depth, &more);
    return status == LEAT_OK ? leat_zabbix_close(h->session) : status;
}

static int write_secrets(const struct handout *h)
{
    static const leat_value none = {.u.cells = 1, .kind = LEAT_RECORD};
    const leat_value *secrets = leat_zabbix_tables_at(h->tables, "macro.secrets", 0);

    if (secrets == NULL && h->tables->secrets->rows.count > 0)
        return LEAT_E_NOMEM;
    return leat_zabbix_member(h->session, "macro.secrets", secrets != NULL ? secrets : &none);
}

/* Full copies, before 6.4. */
static int write_copy(const struct handout *h)
{
    bool items = leat_zabbix_tables_count(h->tables, "items") > 0;
    size_t i;
    int status = LEAT_OK;

    for (i = 0; i < h->tables->known && status == LEAT_OK; i++) {
        const struct lt_zabbix_named *named = h->tables->list.table[i];

        if (items || strncmp(named->name, "item_", 5) != 0)
            status = write_table(h, named);
    }
    if (status == LEAT_OK && h->tables->version >= LT_ZABBIX_5_2)
        status = write_secrets(h);
    return status;
}

static int write_data(const struct handout *h)
{
    size_t i;
    int status = leat_zabbix_object(h->session, "data");

    for (i = 0; i < h->tables->known && status == LEAT_OK; i++) {
        if (table_is_sent(h, h->tables->list.table[i]))
            status = write_table(h, h->tables->list.table[i]);
    }
    return status == LEAT_OK ? leat_zabbix_close(h->session) : status;
}

/* Appends a list of the ids to the tree. */
static int put_ids(struct lt_tree *tree, const struct lt_zabbix_ids *ids, const char *name,
                   uint16_t length)
{
    int status = lt_tree_reserve(tree, ids->count + 1);
    size_t list, i;

    if (status != LEAT_OK)
        return status;
    list = lt_tree_open(tree, LEAT_LIST, name, length);
    for (i = 0; i < ids->count; i++)
        lt_tree_u64(tree, LT_NO_NAME, ids->id[i]);
    lt_tree_close(tree, list, (uint32_t)ids->count);
    return LEAT_OK;
}

static int write_ids(const struct handout *h, const char *name, const struct lt_zabbix_ids *ids)
{
    struct lt_tree *tree = &h->tables->tree;
    int status;

    if (ids->count == 0)
        return LEAT_OK;
    lt_tree_clear(tree);
    status = put_ids(tree, ids, LT_NO_NAME);
    return status == LEAT_OK ? leat_zabbix_member(h->session, name, tree->cells) : status;
}

/* What was marked since then and is not in the table any more. */
static int find_gone(const struct handout *h, unsigned marked, const char *table, uint64_t since,
                     struct lt_zabbix_ids *ids)
{
    const struct lt_zabbix_table *marks = &h->tables->mark[marked];
    const struct lt_zabbix_named *live =
        lt_zabbix_list_find(&h->tables->list, table, strlen(table));
    size_t i;

    for (i = 0; live != NULL && i < marks->count; i++) {
        const struct lt_zabbix_row *mark = marks->row[i];

        if (mark->owner > since &&
            lt_zabbix_table_find(&live->rows, mark->octets, mark->key_length) == NULL &&
            !lt_zabbix_ids_add(h->tables, ids, lt_zabbix_row_id(mark)))
            return lt_zabbix_tables_full(h->tables);
    }
    lt_zabbix_ids_sort(ids);
    return LEAT_OK;
}

static int write_gone_hosts(const struct handout *h)
{
    struct lt_zabbix_ids ids = {0};
    int status = find_gone(h, LT_ZABBIX_OF_HOSTS, "hosts", h->since, &ids);

    if (status == LEAT_OK)
        status = write_ids(h, "del_hostids", &ids);
    lt_zabbix_ids_free(h->tables, &ids);
    return status;
}

/* The hosts that have macros or templates. */
static int find_macro_hosts(const struct handout *h, struct lt_zabbix_ids *ids)
{
    size_t i, k;

    for (i = 0; i < h->tables->known; i++) {
        const struct lt_zabbix_named *named = h->tables->list.table[i];

        for (k = 0; named->rule->scope == LT_ZABBIX_MACRO && k < named->rows.count; k++) {
            if (!lt_zabbix_ids_add(h->tables, ids, named->rows.row[k]->owner))
                return lt_zabbix_tables_full(h->tables);
        }
    }
    lt_zabbix_ids_sort(ids);
    return LEAT_OK;
}

static int find_gone_macros(const struct handout *h, struct lt_zabbix_ids *gone)
{
    const struct lt_zabbix_table *marks = &h->tables->mark[LT_ZABBIX_OF_MACROS];
    struct lt_zabbix_ids have = {0};
    int status = find_macro_hosts(h, &have);
    size_t i;

    for (i = 0; i < marks->count && status == LEAT_OK; i++) {
        uint64_t id = lt_zabbix_row_id(marks->row[i]);

        if (marks->row[i]->owner > h->since && !lt_zabbix_ids_have(&have, id) &&
            !lt_zabbix_ids_add(h->tables, gone, id))
            status = lt_zabbix_tables_full(h->tables);
    }
    lt_zabbix_ids_free(h->tables, &have);
    return status;
}

static int write_gone_macros(const struct handout *h)
{
    struct lt_zabbix_ids ids = {0};
    int status = find_gone_macros(h, &ids);

    if (status == LEAT_OK && is_newer(h, LT_ZABBIX_GLOBALMACRO) &&
        leat_zabbix_tables_count(h->tables, "globalmacro") == 0 &&
        !lt_zabbix_ids_add(h->tables, &ids, 0))
        status = lt_zabbix_tables_full(h->tables);
    lt_zabbix_ids_sort(&ids);
    if (status == LEAT_OK)
        status = write_ids(h, "del_macro_hostids", &ids);
    lt_zabbix_ids_free(h->tables, &ids);
    return status;
}

static int build_group(const struct handout *h, const struct lt_zabbix_ids *gone)
{
    struct lt_tree *tree = &h->tables->tree;
    const char *delay = h->tables->failover_delay;
    uint32_t count = 2;
    size_t group;
    int status;

    lt_tree_clear(tree);
    status = lt_tree_reserve(tree, 4);
    if (status != LEAT_OK)
        return status;
    group = lt_tree_open(tree, LEAT_RECORD, LT_NO_NAME);
    if (h->full_map) {
        lt_tree_u64(tree, LT_NAME("full_sync"), 1);
        count++;
    }
    lt_tree_u64(tree, LT_NAME("hostmap_revision"), h->tables->hostmap);
    lt_tree_bytes(tree, LEAT_TEXT, LT_NAME("failover_delay"), delay, strlen(delay));
    if (gone->count > 0) {
        status = put_ids(tree, gone, LT_NAME("del_hostproxyids"));
        count++;
    }
    lt_tree_close(tree, group, count);
    return status;
}

static int write_group(const struct handout *h)
{
    struct lt_zabbix_ids gone = {0};
    int status = LEAT_OK;

    if (!is_in_group(h))
        return LEAT_OK;
    if (!h->full_map)
        status = find_gone(h, LT_ZABBIX_OF_MAP, "host_proxy", h->hostmap, &gone);
    if (status == LEAT_OK)
        status = build_group(h, &gone);
    if (status == LEAT_OK)
        status = leat_zabbix_member(h->session, "proxy_group", h->tables->tree.cells);
    lt_zabbix_ids_free(h->tables, &gone);
    return status;
}

/* Whether a macro that is sent has its value in a vault. */
static int find_vault(const struct handout *h, bool *found)
{
    size_t i, k;

    for (i = 0; i < h->tables->known; i++) {
        const struct lt_zabbix_named *named = h->tables->list.table[i];
        bool macros =
            strcmp(named->name, "hostmacro") == 0 || strcmp(named->name, "globalmacro") == 0;

        if (!macros || !table_is_sent(h, named))
            continue;
        for (k = 0; k < named->rows.count && !*found; k++) {
            uint64_t type;
            int status;

            if (!row_goes_along(h, named->rule, named->rows.row[k]))
                continue;
            status = lt_zabbix_row_number(h->tables, named->rows.row[k], "type", &type);
            if (status != LEAT_OK)
                return status;
            *found = type == VAULT_MACRO;
        }
    }
    return LEAT_OK;
}

static int write_new_secrets(const struct handout *h)
{
    bool some = h->tables->secrets->rows.count > 0;
    bool sent = some && (h->full || is_newer(h, LT_ZABBIX_SECRETS));
    int status = sent ? LEAT_OK : find_vault(h, &sent);

    return status == LEAT_OK && sent ? write_secrets(h) : status;
}

/* From 6.4 on. */
static int write_update(const struct handout *h)
{
    int status = LEAT_OK;

    if (h->full)
        status = leat_zabbix_number(h->session, "full_sync", 1);
    if (status == LEAT_OK)
        status = write_data(h);
    if (status == LEAT_OK)
        status = write_group(h);
    if (status == LEAT_OK && !h->full)
        status = write_gone_hosts(h);
    if (status == LEAT_OK && !h->full)
        status = write_gone_macros(h);
    if (status == LEAT_OK && h->secrets)
        status = write_new_secrets(h);
    return status == LEAT_OK
               ? leat_zabbix_number(h->session, "config_revision", h->tables->revision)
               : status;
}

static int write_all(struct handout *h)
{
    const struct leat_zabbix_tables *tables = h->tables;

    if (!lt_zabbix_tables_have_revisions(tables))
        return write_copy(h);
    if (tables->revision == 0 ||
        (h->since == tables->revision && h->hostmap == leat_zabbix_tables_hostmap_revision(tables)))
        return LEAT_OK; /* the message is {} */
    h->full = h->since == 0 || h->since > tables->revision || h->since < tables->oldest;
    h->full_map =
        h->hostmap == 0 || h->hostmap > tables->hostmap || h->hostmap < tables->oldest_hostmap;
    h->hosts = any_row(h, "hosts");
    h->web = any_row(h, "httptest");
    h->macros = any_row(h, "hosts_templates") || any_row(h, "hostmacro");
    return write_update(h);
}

int lt_zabbix_tables_write(struct leat_zabbix_tables *tables, leat_session *session, uint64_t since,
                           uint64_t hostmap, bool secrets)
{
    struct handout h = {.tables = tables,
                        .session = session,
                        .since = since,
                        .hostmap = hostmap,
                        .full = true,
                        .full_map = true,
                        .secrets = secrets};
    int status = write_all(&h);

    /* The session does so itself, but it does not know of our memory. */
    if (status == LEAT_E_NOMEM || status == LEAT_E_LIMIT)
        (void)leat_zabbix_abort(session);
    tables->over = false;
    return status;
}

int leat_zabbix_tables_write(leat_zabbix_tables *tables, leat_session *session, uint64_t since,
                             uint64_t hostmap)
{
    return lt_zabbix_tables_write(tables, session, since, hostmap, true);
}
