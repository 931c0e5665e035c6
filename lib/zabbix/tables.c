#include "tables.h"

#include "../core/buffer.h"
#include "../core/text.h"

#include <leat/zabbix.h>

#define BYTES_DEFAULT ((size_t)256 << 20)
#define SECRETS       "macro.secrets"

#define WEB(name, column, parent)                                                                  \
    {                                                                                              \
        name, LT_ZABBIX_WEB, 0, column, parent                                                     \
    }
#define HOST(name, column, parent)                                                                 \
    {                                                                                              \
        name, LT_ZABBIX_HOST, 0, column, parent                                                    \
    }
#define WHOLE(name, group)                                                                         \
    {                                                                                              \
        name, LT_ZABBIX_WHOLE, group, NULL, NULL                                                   \
    }

/* In the order of the wire from 6.4 on. Source: spec section 7.4. */
static const struct lt_zabbix_rule rules[] = {
    HOST("hosts", "hostid", NULL),
    HOST("interface", "hostid", NULL),
    HOST("interface_snmp", "interfaceid", "interface"),
    HOST("host_inventory", "hostid", NULL),
    HOST("items", "hostid", NULL),
    HOST("item_rtdata", "itemid", "items"),
    HOST("item_preproc", "itemid", "items"),
    HOST("item_parameter", "itemid", "items"),
    WHOLE("globalmacro", LT_ZABBIX_GLOBALMACRO),
    {"hosts_templates", LT_ZABBIX_MACRO, 0, "hostid", NULL},
    {"hostmacro", LT_ZABBIX_MACRO, 0, "hostid", NULL},
    WHOLE("drules", LT_ZABBIX_DISCOVERY),
    WHOLE("dchecks", LT_ZABBIX_DISCOVERY),
    WHOLE("regexps", LT_ZABBIX_REGEXPS),
    WHOLE("expressions", LT_ZABBIX_REGEXPS),
    WHOLE("hstgrp", LT_ZABBIX_SETTINGS),
    WHOLE("config", LT_ZABBIX_SETTINGS),
    WHOLE("settings", LT_ZABBIX_SETTINGS),
    WEB("httptest", "hostid", NULL),
    WEB("httptestitem", "httptestid", "httptest"),
    WEB("httptest_field", "httptestid", "httptest"),
    WEB("httpstep", "httptestid", "httptest"),
    WEB("httpstepitem", "httpstepid", "httpstep"),
    WEB("httpstep_field", "httpstepid", "httpstep"),
    WHOLE("config_autoreg_tls", LT_ZABBIX_AUTOREG),
    WHOLE("proxy", LT_ZABBIX_PROXIES),
    {"host_proxy", LT_ZABBIX_MAP, 0, NULL, NULL},
};
#define RULES (sizeof rules / sizeof *rules)

static void *counted(void *ctx, void *block, size_t old_bytes, size_t new_bytes)
{
    struct leat_zabbix_tables *tables = (struct leat_zabbix_tables *)ctx;
    size_t more = new_bytes > old_bytes ? new_bytes - old_bytes : 0;

    if (more > tables->limit - tables->held) {
        tables->over = true;
        return NULL;
    }
    block = lt_resize(&tables->outer, block, old_bytes, new_bytes);
    if (block != NULL || new_bytes == 0)
        tables->held = tables->held - old_bytes + new_bytes;
    return block;
}

int lt_zabbix_tables_full(struct leat_zabbix_tables *tables)
{
    bool over = tables->over;

    tables->over = false;
    return lt_error(&tables->error, over ? LEAT_E_LIMIT : LEAT_E_NOMEM, 0,
                    over ? "more than the tables may hold" : "out of memory", NULL);
}

int lt_zabbix_tables_refuse(struct leat_zabbix_tables *tables, const char *what, const char *field)
{
    return lt_error(&tables->error, LEAT_E_VALUE, 0, what, field);
}

bool lt_zabbix_is_sendable(const leat_value *text)
{
    return leat_value_is_utf8(text) &&
           (text->length == 0 || memchr(text->u.bytes, 0, text->length) == NULL);
}

struct lt_zabbix_named *lt_zabbix_list_find(const struct lt_zabbix_list *list, const char *name,
                                            size_t length)
{
    size_t i;

    for (i = 0; i < list->count; i++) {
        if (list->table[i]->name_length == length &&
            memcmp(list->table[i]->name, name, length) == 0)
            return list->table[i];
    }
    return NULL;
}

static const struct lt_zabbix_rule *find_rule(const char *name)
{
    size_t i;

    for (i = 0; i < RULES; i++) {
        if (strcmp(rules[i].name, name) == 0)
            return &rules[i];
    }
    return NULL;
}

static struct lt_zabbix_named *named_new(struct leat_zabbix_tables *tables, const char *name,
                                         size_t length)
{
    struct lt_zabbix_named *named =
        (struct lt_zabbix_named *)lt_alloc_zero(&tables->allocator, sizeof *named + length + 1);

    if (named == NULL)
        return NULL;
    memcpy(named->name, name, length);
    named->name_length = length;
    named->fields = lt_zabbix_table_fields(tables->version, name, length);
    if (named->fields != NULL)
        named->rule = find_rule(named->name);
    return named;
}

static void named_free(struct leat_zabbix_tables *tables, struct lt_zabbix_named *named)
{
    if (named == NULL)
        return;
    lt_zabbix_table_free(&named->rows, &tables->allocator);
    lt_zabbix_shape_release(&tables->allocator, named->shape);
    lt_free(&tables->allocator, named->place, named->places * sizeof *named->place);
    lt_free(&tables->allocator, named, sizeof *named + named->name_length + 1);
}

struct lt_zabbix_named *lt_zabbix_list_add(struct leat_zabbix_tables *tables,
                                           struct lt_zabbix_list *list, const char *name,
                                           size_t length)
{
    void *array = list->table;

    if (!lt_grow(&tables->allocator, &array, &list->size, list->count + 1, sizeof *list->table))
        return NULL;
    list->table = (struct lt_zabbix_named **)array;
    list->table[list->count] = named_new(tables, name, length);
    if (list->table[list->count] == NULL)
        return NULL;
    return list->table[list->count++];
}

void lt_zabbix_list_cut(struct leat_zabbix_tables *tables, struct lt_zabbix_list *list,
                        size_t count)
{
    while (list->count > count)
        named_free(tables, list->table[--list->count]);
}

static void list_free(struct leat_zabbix_tables *tables, struct lt_zabbix_list *list)
{
    lt_zabbix_list_cut(tables, list, 0);
    lt_free(&tables->allocator, list->table, list->size * sizeof *list->table);
    memset(list, 0, sizeof *list);
}

/* The tables of this version, in its order. */
static bool add_known(struct leat_zabbix_tables *tables)
{
    bool revisions = lt_zabbix_tables_have_revisions(tables);
    size_t i, count = revisions ? RULES : lt_zabbix_tables_total;

    for (i = 0; i < count; i++) {
        const char *name = revisions ? rules[i].name : lt_zabbix_fields_name(&lt_zabbix_tables[i]);

        if (lt_zabbix_table_fields(tables->version, name, strlen(name)) == NULL)
            continue;
        if (lt_zabbix_list_add(tables, &tables->list, name, strlen(name)) == NULL)
            return false;
    }
    tables->known = tables->list.count;
    tables->secrets = named_new(tables, SECRETS, sizeof SECRETS - 1);
    return tables->secrets != NULL;
}

int lt_zabbix_tables_make(const leat_allocator *allocator, const leat_limits *limits,
                          uint32_t version, size_t bytes, struct leat_zabbix_tables **made)
{
    struct leat_zabbix_tables *tables =
        (struct leat_zabbix_tables *)lt_alloc_zero(allocator, sizeof *tables);
    int status;

    if (tables == NULL)
        return LEAT_E_NOMEM;
    tables->outer = *allocator;
    tables->allocator.resize = counted;
    tables->allocator.ctx = tables;
    tables->limits = *limits;
    tables->limit = bytes;
    tables->held = sizeof *tables;
    tables->version = version;
    lt_tree_init(&tables->tree, &tables->allocator, limits->values);
    tables->octets = lt_writer(&tables->allocator, UINT32_MAX);
    if (add_known(tables)) {
        *made = tables;
        return LEAT_OK;
    }
    status = lt_zabbix_tables_full(tables);
    leat_zabbix_tables_free(tables);
    return status;
}

int leat_zabbix_tables_new(const leat_config *config, const char *version, size_t bytes,
                           leat_zabbix_tables **tables)
{
    static const leat_limits defaults = {.size = sizeof defaults, .values = 1 << 20};
    leat_allocator allocator = lt_allocator(config);
    leat_limits limits = lt_limits(config, &defaults);
    struct lt_zabbix_version number;

    if (version == NULL || !lt_zabbix_version_read(version, strlen(version), &number))
        return LEAT_E_VALUE;
    if (bytes == 0)
        bytes = BYTES_DEFAULT;
    if (bytes < sizeof(struct leat_zabbix_tables))
        return LEAT_E_LIMIT;
    return lt_zabbix_tables_make(&allocator, &limits, number.number, bytes, tables);
}

void leat_zabbix_tables_free(leat_zabbix_tables *tables)
{
    leat_allocator outer;
    size_t i;

    if (tables == NULL)
        return;
    lt_zabbix_tables_drop_changes(tables);
    list_free(tables, &tables->list);
    list_free(tables, &tables->staged);
    named_free(tables, tables->secrets);
    for (i = 0; i < LT_ZABBIX_MARKED; i++)
        lt_zabbix_table_free(&tables->mark[i], &tables->allocator);
    lt_tree_free(&tables->tree);
    lt_writer_free(&tables->octets);
    lt_free(&tables->allocator, (void *)tables->value, tables->value_size * sizeof *tables->value);
    outer = tables->outer;
    lt_free(&outer, tables, sizeof *tables);
}

static void set_group(struct leat_zabbix_tables *tables, const struct lt_zabbix_plan *plan)
{
    tables->revision = plan->revision;
    tables->hostmap = plan->hostmap;
    memset(tables->failover_delay, 0, sizeof tables->failover_delay);
    memcpy(tables->failover_delay, plan->failover_delay, plan->failover_delay_length);
}

/* The delay of "proxy_group". */
static int read_delay(struct leat_zabbix_tables *tables, const leat_value *group,
                      struct lt_zabbix_plan *plan)
{
    const leat_value *delay = leat_value_get(group, "failover_delay");

    plan->failover_delay = leat_value_text(delay, &plan->failover_delay_length);
    if (plan->failover_delay_length == 0 || plan->failover_delay_length >= LT_ZABBIX_DELAY_MAX ||
        !lt_zabbix_is_sendable(delay))
        return lt_zabbix_tables_refuse(tables, "a proxy group without its delay", "failover_delay");
    return LEAT_OK;
}

static int plan_load(struct leat_zabbix_tables *tables, const leat_value *value,
                     struct lt_zabbix_plan *plan)
{
    static const leat_value no_secrets = {.u.cells = 1, .kind = LEAT_RECORD};
    const leat_value *group = leat_value_get(value, "proxy_group");

    plan->whole = true;
    plan->revision = tables->revision + 1;
    plan->hostmap = tables->hostmap + 1;
    plan->failover_delay = "";
    plan->secrets = leat_value_get(value, SECRETS);
    if (plan->secrets == NULL)
        plan->secrets = &no_secrets;
    if (!lt_zabbix_is_secrets(plan->secrets))
        return lt_zabbix_tables_refuse(tables, "secrets that are not paths with keys", SECRETS);
    if (!lt_zabbix_secrets_are_sendable(plan->secrets))
        return lt_zabbix_tables_refuse(tables, "text that cannot be sent", SECRETS);
    if (group == NULL)
        return LEAT_OK;
    if (tables->version < LT_ZABBIX_7_0)
        return lt_zabbix_tables_refuse(tables, "a proxy group before version 7.0", "proxy_group");
    return read_delay(tables, group, plan);
}

static bool is_same_delay(const struct leat_zabbix_tables *tables,
                          const struct lt_zabbix_plan *plan)
{
    return strlen(tables->failover_delay) == plan->failover_delay_length &&
           memcmp(tables->failover_delay, plan->failover_delay, plan->failover_delay_length) == 0;
}

static int load(struct leat_zabbix_tables *tables, const leat_value *value,
                struct lt_zabbix_plan *plan)
{
    int status = lt_zabbix_stage_all(tables, value);

    if (status == LEAT_OK)
        status = plan_load(tables, value, plan);
    if (status == LEAT_OK && lt_zabbix_tables_have_revisions(tables))
        status = lt_zabbix_stage_owners(tables);
    if (status == LEAT_OK)
        status = lt_zabbix_tables_apply(tables, plan);
    if (status != LEAT_OK || (tables->changes.count == 0 && is_same_delay(tables, plan)))
        return status;
    if (tables->group[LT_ZABBIX_PROXIES] != plan->revision && is_same_delay(tables, plan))
        plan->hostmap = tables->hostmap;
    set_group(tables, plan);
    return LEAT_OK;
}

int leat_zabbix_tables_load(leat_zabbix_tables *tables, const leat_value *value)
{
    struct lt_zabbix_plan plan = {0};
    int status;

    lt_zabbix_list_cut(tables, &tables->staged, 0);
    tables->refused = LEAT_OK;
    memset(&tables->error, 0, sizeof tables->error);
    status = load(tables, value, &plan);
    lt_zabbix_list_cut(tables, &tables->staged, 0);
    return status;
}

/* Says which tables the message has; rows of anything else do not count. */
static int announce(struct leat_zabbix_tables *tables, const leat_value *object)
{
    const leat_value *member;

    for (member = leat_value_first(object); member != NULL;
         member = leat_value_next(object, member)) {
        struct lt_zabbix_named *named;

        if (leat_value_kind(leat_value_get(member, "fields")) != LEAT_LIST)
            continue;
        named = lt_zabbix_list_find(&tables->staged, member->name, member->name_length);
        if (named == NULL)
            named = lt_zabbix_list_add(tables, &tables->staged, member->name, member->name_length);
        if (named == NULL)
            return lt_zabbix_tables_full(tables);
        if (named->announced || leat_value_u64(leat_value_get(member, "rows")) != named->came)
            return lt_zabbix_tables_refuse(
                tables, "a table that is there twice",
                named->fields != NULL ? lt_zabbix_fields_name(named->fields) : NULL);
        named->announced = true;
    }
    return LEAT_OK;
}

static struct lt_zabbix_named *announced(const struct leat_zabbix_tables *tables, const char *name)
{
    struct lt_zabbix_named *named = lt_zabbix_list_find(&tables->staged, name, strlen(name));

    return named != NULL && named->announced ? named : NULL;
}

/* Tables that belong together. Source: spec section 7.4. */
static int check_companions(struct leat_zabbix_tables *tables)
{
    bool hosts = announced(tables, "hosts") != NULL;
    bool web = announced(tables, "httptest") != NULL;
    size_t i;

    for (i = 0; i < tables->known; i++) {
        const struct lt_zabbix_named *live = tables->list.table[i];
        struct lt_zabbix_named *came = announced(tables, live->name);
        uint8_t scope = live->rule->scope;

        if (came != NULL && !hosts && (scope == LT_ZABBIX_HOST || scope == LT_ZABBIX_WEB))
            came->announced = false; /* without their hosts they are ignored */
        else if (came == NULL && hosts &&
                 (scope == LT_ZABBIX_HOST || (scope == LT_ZABBIX_WEB && web)))
            return lt_zabbix_tables_refuse(tables, "a table that must come along is missing",
                                           lt_zabbix_fields_name(live->fields));
    }
    if (announced(tables, "hostmacro") != NULL && announced(tables, "hosts_templates") == NULL)
        return lt_zabbix_tables_refuse(tables, "a table that must come along is missing",
                                       "hosts_templates");
    return LEAT_OK;
}

static int read_ids(struct leat_zabbix_tables *tables, const leat_value *list,
                    struct lt_zabbix_ids *ids)
{
    const leat_value *id;

    if (leat_value_kind(list) != LEAT_LIST)
        return LEAT_OK;
    for (id = leat_value_first(list); id != NULL; id = leat_value_next(list, id)) {
        if (!lt_zabbix_ids_add(tables, ids, leat_zabbix_u64(id)))
            return lt_zabbix_tables_full(tables);
    }
    return LEAT_OK;
}

/* The hosts whose macros came. */
static int macro_hosts(struct leat_zabbix_tables *tables, struct lt_zabbix_plan *plan)
{
    static const char *const macros[] = {"hosts_templates", "hostmacro"};
    size_t i, k;

    for (i = 0; i < 2; i++) {
        const struct lt_zabbix_named *named = announced(tables, macros[i]);

        for (k = 0; named != NULL && k < named->rows.count; k++) {
            if (!lt_zabbix_ids_add(tables, &plan->macro_hosts, named->rows.row[k]->owner))
                return lt_zabbix_tables_full(tables);
        }
    }
    return LEAT_OK;
}

static int plan_group(struct leat_zabbix_tables *tables, const leat_value *value,
                      struct lt_zabbix_plan *plan)
{
    const leat_value *group = leat_value_get(value, "proxy_group");

    plan->failover_delay = "";
    if (tables->version < LT_ZABBIX_7_0)
        return LEAT_OK;
    plan->left_group = leat_value_kind(group) != LEAT_RECORD;
    if (plan->left_group)
        return LEAT_OK;
    plan->map_full_sync = leat_zabbix_u64(leat_value_get(group, "full_sync")) != 0;
    plan->hostmap = leat_zabbix_u64(leat_value_get(group, "hostmap_revision"));
    if (read_ids(tables, leat_value_get(group, "del_hostproxyids"), &plan->del_map) != LEAT_OK)
        return tables->error.code;
    return read_delay(tables, group, plan);
}

static bool is_number(const leat_value *value)
{
    uint64_t number;

    return leat_value_kind(value) == LEAT_UINT ||
           (leat_value_kind(value) == LEAT_TEXT &&
            lt_read_u64((const char *)value->u.bytes, value->length, &number));
}

/* From 6.4 on. */
static int plan_update(struct leat_zabbix_tables *tables, const leat_value *value,
                       struct lt_zabbix_plan *plan)
{
    const leat_value *revision = leat_value_get(value, "config_revision");
    static const leat_value no_secrets = {.u.cells = 1, .kind = LEAT_RECORD};
    int status;

    if (!is_number(revision))
        return lt_zabbix_tables_refuse(tables, "no revision", "config_revision");
    plan->revision = leat_zabbix_u64(revision);
    plan->full_sync = leat_zabbix_u64(leat_value_get(value, "full_sync")) != 0;
    plan->merges_secrets = !plan->full_sync;
    plan->secrets = leat_value_get(value, SECRETS);
    if (!lt_zabbix_is_secrets(plan->secrets))
        plan->secrets = plan->full_sync ? &no_secrets : NULL;
    status = announce(tables, leat_value_get(value, "data"));
    if (status == LEAT_OK)
        status = check_companions(tables);
    plan->hosts = announced(tables, "hosts");
    if (status == LEAT_OK)
        status = lt_zabbix_stage_owners(tables);
    if (status == LEAT_OK)
        status = macro_hosts(tables, plan);
    if (status == LEAT_OK)
        status = read_ids(tables, leat_value_get(value, "del_hostids"), &plan->del_hosts);
    if (status == LEAT_OK)
        status = read_ids(tables, leat_value_get(value, "del_macro_hostids"), &plan->del_macros);
    return status == LEAT_OK ? plan_group(tables, value, plan) : status;
}

/* Before 6.4: full copies. */
static int plan_copy(struct leat_zabbix_tables *tables, const leat_value *value,
                     struct lt_zabbix_plan *plan)
{
    const leat_value *data = leat_value_get(value, "data");

    if (leat_value_get(value, "request") != NULL && leat_value_kind(data) != LEAT_RECORD)
        return lt_zabbix_tables_refuse(tables, "no tables", "data");
    if (leat_value_kind(data) == LEAT_RECORD && leat_value_get(data, "fields") == NULL)
        value = data;
    plan->whole = true;
    plan->failover_delay = "";
    plan->revision = tables->revision + 1;
    plan->secrets = leat_value_get(value, SECRETS);
    if (!lt_zabbix_is_secrets(plan->secrets))
        plan->secrets = NULL;
    return announce(tables, value);
}

static int learn_message(struct leat_zabbix_tables *tables, const leat_value *value,
                         struct lt_zabbix_plan *plan)
{
    bool revisions = lt_zabbix_tables_have_revisions(tables);
    uint64_t before = tables->revision;
    int status;

    if (leat_value_kind(value) != LEAT_RECORD || leat_value_get(value, "response") != NULL)
        return lt_zabbix_tables_refuse(tables, "not a configuration", "response");
    if (leat_value_count(value) == 0) {
        lt_zabbix_tables_drop_changes(tables); /* nothing is new */
        return LEAT_OK;
    }
    status = revisions ? plan_update(tables, value, plan) : plan_copy(tables, value, plan);
    if (status == LEAT_OK)
        status = lt_zabbix_tables_apply(tables, plan);
    if (status != LEAT_OK)
        return status;
    if (plan->revision <= before)
        tables->oldest = plan->revision;
    if (plan->hostmap < tables->hostmap)
        tables->oldest_hostmap = plan->hostmap;
    set_group(tables, plan);
    return LEAT_OK;
}

static int learn(struct leat_zabbix_tables *tables, const leat_event *event)
{
    struct lt_zabbix_plan plan = {0};
    size_t length;
    const char *name = leat_event_name(event, &length);
    int status;

    if (tables->refused != LEAT_OK)
        return tables->refused;
    memset(&tables->error, 0, sizeof tables->error);
    if (leat_event_error(event) != NULL)
        return lt_zabbix_tables_refuse(tables, leat_error_text(leat_event_error(event)), NULL);
    if (leat_event_kind(event) == LEAT_ZABBIX_ROW)
        return lt_zabbix_stage_row(tables, name, length, leat_event_value(event));
    status = learn_message(tables, leat_event_value(event), &plan);
    lt_zabbix_plan_free(tables, &plan);
    return status;
}

int leat_zabbix_tables_learn(leat_zabbix_tables *tables, const leat_event *event)
{
    bool is_row = leat_event_kind(event) == LEAT_ZABBIX_ROW;
    int status = event != NULL ? learn(tables, event) : LEAT_OK;

    tables->refused = is_row ? status : LEAT_OK;
    if (!is_row || status != LEAT_OK)
        lt_zabbix_list_cut(tables, &tables->staged, 0);
    return status;
}

/* The row as a value in the tree. NULL: no memory. */
static const leat_value *show(struct leat_zabbix_tables *tables, const struct lt_zabbix_row *row,
                              bool first_alone)
{
    struct lt_reader in = lt_reader(row->octets, row->length);
    int status;

    lt_tree_clear(&tables->tree);
    if (row->shape == NULL) { /* the secrets */
        (void)lt_u8(&in);
        status = lt_zabbix_value_read(&in, &tables->tree, LT_NO_NAME);
    } else {
        status = lt_zabbix_row_show(row, first_alone ? 1 : row->shape->count, &tables->tree);
    }
    tables->over = false;
    return status == LEAT_OK ? tables->tree.cells : NULL;
}

int leat_zabbix_tables_change(leat_zabbix_tables *tables, uint32_t *change, const char **table,
                              const leat_value **row)
{
    const struct lt_zabbix_change *item;
    const leat_value *shown;

    if (tables->drawn == tables->changes.count)
        return LEAT_END;
    item = &tables->changes.item[tables->drawn];
    shown = show(tables, item->row, item->change == LEAT_ZABBIX_REMOVED);
    if (shown == NULL)
        return LEAT_E_NOMEM;
    tables->drawn++;
    *change = item->change;
    *table = item->table->name;
    *row = shown;
    return LEAT_OK;
}

static const struct lt_zabbix_table *rows_of(const leat_zabbix_tables *tables, const char *table)
{
    const struct lt_zabbix_named *named = lt_zabbix_list_find(&tables->list, table, strlen(table));

    if (named == NULL && strcmp(table, SECRETS) == 0)
        named = tables->secrets;
    return named != NULL ? &named->rows : NULL;
}

size_t leat_zabbix_tables_count(const leat_zabbix_tables *tables, const char *table)
{
    const struct lt_zabbix_table *rows = rows_of(tables, table);

    return rows != NULL ? rows->count : 0;
}

const leat_value *leat_zabbix_tables_row(leat_zabbix_tables *tables, const char *table, uint64_t id)
{
    const struct lt_zabbix_table *rows = rows_of(tables, table);
    struct lt_zabbix_key key = lt_zabbix_key(id);
    const struct lt_zabbix_row *row =
        rows != NULL ? lt_zabbix_table_find(rows, key.octets, key.length) : NULL;

    return row != NULL ? show(tables, row, false) : NULL;
}

const leat_value *leat_zabbix_tables_at(leat_zabbix_tables *tables, const char *table, size_t index)
{
    const struct lt_zabbix_table *rows = rows_of(tables, table);

    return rows != NULL && index < rows->count ? show(tables, rows->row[index], false) : NULL;
}

uint64_t leat_zabbix_tables_revision(const leat_zabbix_tables *tables)
{
    return tables->revision;
}

uint64_t leat_zabbix_tables_hostmap_revision(const leat_zabbix_tables *tables)
{
    return tables->failover_delay[0] != '\0' ? tables->hostmap : 0;
}

void leat_zabbix_tables_forget(leat_zabbix_tables *tables)
{
    tables->revision = 0;
    tables->hostmap = 0;
}

const leat_error *leat_zabbix_tables_error(const leat_zabbix_tables *tables)
{
    return tables->error.code != LEAT_OK ? &tables->error : NULL;
}

size_t leat_zabbix_tables_memory(const leat_zabbix_tables *tables)
{
    return tables->held;
}
