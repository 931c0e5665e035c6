/* What rows, tasks and tables hold in each version: the table that all else asks. */
#include "../../lib/zabbix/fields.h"

#include "../support.h"

static const uint32_t versions[] = {LT_ZABBIX_5_0, LT_ZABBIX_5_4, LT_ZABBIX_6_0, LT_ZABBIX_6_2,
                                    LT_ZABBIX_6_4, LT_ZABBIX_7_0, LT_ZABBIX_7_2, LT_ZABBIX_7_4};

/* The recorded tables have exactly these columns, in this order. */
static void compare(uint32_t version, const leat_value *table, const char *name)
{
    const struct lt_zabbix_fields *fields = lt_zabbix_table_fields(version, name, strlen(name));
    const leat_value *list = leat_value_get(table, "fields");
    const leat_value *column = leat_value_first(list);
    size_t i;

    ck_assert_msg(fields != NULL, "%s", name);
    for (i = 0; i < fields->count; i++) {
        const struct lt_zabbix_field *field = lt_zabbix_fields_at(fields, i);
        size_t length;
        const char *text = leat_value_text(column, &length);

        if (!lt_zabbix_field_is_in(field, version))
            continue;
        ck_assert_msg(length == field->length &&
                          memcmp(text, lt_zabbix_field_name(field), length) == 0,
                      "%s.%s", name, lt_zabbix_field_name(field));
        column = leat_value_next(list, column);
    }
    ck_assert_msg(column == NULL, "%s has more columns", name);
}

static void compare_file(uint32_t version, const char *path, size_t tables)
{
    struct t_bytes text = t_file(path);
    leat_builder *builder = t_json((const char *)text.data, text.length);
    const leat_value *reply = leat_value_get(leat_value_at(leat_builder_value(builder), 1), "json");
    const leat_value *data = leat_value_get(reply, "data");
    const leat_value *table;
    size_t known = 0;
    size_t i;

    data = data != NULL ? data : reply;
    for (i = 0; i < lt_zabbix_tables_total; i++) {
        const char *name = lt_zabbix_fields_name(&lt_zabbix_tables[i]);

        table = leat_value_get(data, name);
        ck_assert_msg((lt_zabbix_table_fields(version, name, strlen(name)) != NULL) ==
                          (table != NULL),
                      "%s", name);
        if (table != NULL) {
            compare(version, table, name);
            known++;
        }
    }
    ck_assert_uint_eq(known, tables);
    leat_builder_free(builder);
    t_free(text);
}

START_TEST(recorded_columns)
{
    compare_file(LT_ZABBIX_6_0, "zabbix/6.0.14/01-active-config-full.json", 23);
    compare_file(LT_ZABBIX_7_0, "zabbix/7.0.22/01-active-config-full-sync.json", 25);
}
END_TEST

/* Which versions have it: a bit for each of those above. */
static const struct {
    const char *kind;
    const char *name;
    const char *field; /* NULL: any */
    unsigned in;
    size_t more; /* octets of the name, from a zero one on: it is another name then */
} known[] = {
    {"section", "history data", "id", 0xff, 0},
    {"section", "host availability", NULL, 0x01, 0},
    {"section", "interface availability", NULL, 0xfe, 0},
    {"section", "host data", NULL, 0xf8, 0},
    {"section", "discovery data", "error", 0xe0, 0},
    {"section", "history", NULL, 0, 0},
    {"section", "history data", NULL, 0, 1},
    {"table", "items", "itemid", 0xff, 0},
    {"table", "item_parameter", NULL, 0xfe, 0},
    {"table", "interface", "available", 0xfe, 0},
    {"table", "host_inventory", NULL, 0xf0, 0},
    {"table", "interface_snmp", "max_repetitions", 0xf0, 0},
    {"table", "hstgrp", NULL, 0x0f, 0},
    {"table", "proxy", NULL, 0xe0, 0},
    {"table", "host_proxy", NULL, 0xe0, 0},
    {"table", "httptest", "status", 0xe0, 0},
    {"table", "config", NULL, 0x7f, 0},
    {"table", "config", "discovery_groupid", 0x0f, 0},
    {"table", "settings", NULL, 0x80, 0},
    {"table", "proxy\0..............................................", NULL, 0, 40},
};

START_TEST(by_version)
{
    size_t length = strlen(known[_i].name) + known[_i].more, i;

    for (i = 0; i < sizeof versions / sizeof *versions; i++) {
        const struct lt_zabbix_fields *fields =
            known[_i].kind[0] == 't'
                ? lt_zabbix_table_fields(versions[i], known[_i].name, length)
                : lt_zabbix_section_fields(versions[i], known[_i].name, length);
        bool in = fields != NULL;

        if (in && known[_i].field != NULL)
            in = lt_zabbix_field_find(fields, versions[i], known[_i].field,
                                      strlen(known[_i].field)) != NULL;
        ck_assert_uint_eq(in, known[_i].in >> i & 1);
    }
}
END_TEST

START_TEST(types_that_changed)
{
    const struct lt_zabbix_fields *fields =
        lt_zabbix_section_fields(LT_ZABBIX_7_0, "auto registration", 17);

    ck_assert_uint_eq(lt_zabbix_field_find(fields, LT_ZABBIX_6_4, "port", 4)->type,
                      LT_ZABBIX_STRING);
    ck_assert_uint_eq(lt_zabbix_field_find(fields, LT_ZABBIX_7_0, "port", 4)->type,
                      LT_ZABBIX_NUMBER);
}
END_TEST

#define DISCOVERED "\"clock\":1,\"drule\":2,\"ip\":\"\""

/* Rows, what readers miss in them, and what stands in the way of sending them; NULL: nothing. */
static const struct {
    uint32_t version;
    const char *section; /* "S": a task of the server, "P": of a proxy */
    const char *row;
    const char *lacks;
    const char *offends;
} rows[] = {
    {LT_ZABBIX_7_0, "history data", "{}", NULL, "id"},
    {LT_ZABBIX_7_0, "history data", "[]", "", ""},
    {LT_ZABBIX_7_0, "history data", "{\"id\":1,\"itemid\":2,\"clock\":3,\"ns\":4}", NULL, NULL},
    {LT_ZABBIX_7_0, "history data", "{\"id\":1,\"itemid\":\"2\",\"clock\":3,\"ns\":4}", NULL,
     "itemid"},
    {LT_ZABBIX_7_0, "history data", "{\"id\":1,\"itemid\":2,\"clock\":3,\"ns\":4,\"via\":1}", NULL,
     ""},
    {LT_ZABBIX_7_0, "history data", "{\"id\":1,\"id\":1,\"itemid\":2,\"clock\":3,\"ns\":4}", NULL,
     "id"},
    {LT_ZABBIX_7_0, "history data", "{\"id\":1,\"itemid\":2,\"clock\":3,\"ns\":4,\"mtime\":5}",
     NULL, "lastlogsize"},
    {LT_ZABBIX_7_0, "history data",
     "{\"id\":1,\"itemid\":2,\"clock\":3,\"ns\":4,\"lastlogsize\":5}", NULL, "mtime"},
    {LT_ZABBIX_7_0, "other data", "{}", NULL, ""},
    {LT_ZABBIX_7_0, "interface availability", "{\"available\":1,\"error\":\"\"}", "interfaceid",
     "interfaceid"},
    {LT_ZABBIX_7_0, "interface availability", "{\"interfaceid\":1}", "available", "available"},
    {LT_ZABBIX_7_0, "interface availability", "{\"interfaceid\":\"1\",\"error\":\"\"}", NULL,
     "interfaceid"},
    {LT_ZABBIX_7_0, "interface availability", "{\"interfaceid\":1,\"available\":1,\"error\":\"\"}",
     NULL, NULL},
    {LT_ZABBIX_5_0, "host availability", "{\"hostid\":1}", NULL, NULL},
    {LT_ZABBIX_5_0, "host availability", "{}", "hostid", "hostid"},
    {LT_ZABBIX_7_0, "host data", "{\"hostid\":1}", "active_status", "active_status"},
    {LT_ZABBIX_6_0, "discovery data", "{\"drule\":2,\"dcheck\":3,\"ip\":\"\"}", "clock", "clock"},
    {LT_ZABBIX_6_0, "discovery data", "{" DISCOVERED "}", "dcheck", "dcheck"},
    {LT_ZABBIX_6_0, "discovery data", "{" DISCOVERED ",\"dcheck\":null}", NULL, NULL},
    {LT_ZABBIX_6_0, "discovery data", "{" DISCOVERED ",\"status\":4}", "dcheck", "dcheck"},
    {LT_ZABBIX_7_0, "discovery data", "{" DISCOVERED ",\"status\":4}", NULL, NULL},
    {LT_ZABBIX_7_0, "discovery data", "{" DISCOVERED ",\"status\":1}", "dcheck", "dcheck"},
    {LT_ZABBIX_7_0, "discovery data", "{\"clock\":\"x\",\"drule\":2,\"dcheck\":3,\"ip\":\"\"}",
     "clock", "clock"},
    {LT_ZABBIX_6_0, "auto registration", "{\"clock\":1,\"host\":\"h\"}", "ip", "ip"},
    {LT_ZABBIX_6_0, "auto registration", "{\"clock\":1,\"host\":\"h\",\"flags\":\"2\"}", NULL,
     NULL},
    {LT_ZABBIX_7_0, "auto registration", "{\"clock\":1,\"host\":\"h\",\"flags\":\"2\"}", NULL,
     "flags"},
    {LT_ZABBIX_7_0, "auto registration", "{\"clock\":1,\"host\":\"h\",\"flags\":2}", NULL, NULL},
    {LT_ZABBIX_7_0, "S", "{\"type\":6,\"clock\":1,\"ttl\":2,\"itemid\":3}", NULL, NULL},
    {LT_ZABBIX_7_0, "S", "{\"type\":\"6\",\"clock\":1,\"ttl\":2,\"itemid\":\"3\"}", NULL, "type"},
    {LT_ZABBIX_7_0, "S", "{\"type\":6,\"clock\":1,\"itemid\":3}", "ttl", "ttl"},
    {LT_ZABBIX_7_0, "S", "{\"type\":6,\"clock\":1,\"ttl\":2}", "itemid", "itemid"},
    {LT_ZABBIX_7_0, "S", "{\"clock\":1,\"ttl\":2}", "type", "type"},
    {LT_ZABBIX_7_0, "S", "{\"type\":10,\"clock\":1,\"ttl\":2}", "type", "type"},
    {LT_ZABBIX_7_0, "S", "[]", "", ""},
    {LT_ZABBIX_7_0, "P", "{\"type\":6,\"clock\":1,\"ttl\":2,\"itemid\":3}", "type", "type"},
    {LT_ZABBIX_7_0, "P",
     "{\"type\":3,\"clock\":1,\"ttl\":2,\"status\":-1,\"info\":\"\",\"parent_taskid\":3}", NULL,
     NULL},
    {LT_ZABBIX_6_0, "P",
     "{\"type\":9,\"clock\":1,\"ttl\":2,\"datatype\":3,\"parent_taskid\":3,\"data\":\"\"}", "type",
     "type"},
    {LT_ZABBIX_7_0, "P",
     "{\"type\":9,\"clock\":1,\"ttl\":2,\"datatype\":3,\"parent_taskid\":3,\"data\":\"\"}", NULL,
     NULL},
};

static void is_named(const char *name, const char *expected)
{
    ck_assert((name == NULL) == (expected == NULL));
    if (name != NULL)
        ck_assert_str_eq(name, expected);
}

START_TEST(rows_of_sections)
{
    leat_builder *builder = t_json(rows[_i].row, strlen(rows[_i].row));
    const leat_value *row = leat_builder_value(builder);
    const char *section = rows[_i].section, *what = NULL;
    uint32_t version = rows[_i].version;
    bool server = section[0] == 'S';

    if (strlen(section) == 1) {
        is_named(lt_zabbix_task_lacks(version, server, row), rows[_i].lacks);
        is_named(lt_zabbix_task_offends(version, server, row, &what), rows[_i].offends);
    } else {
        is_named(lt_zabbix_row_lacks(version, section, strlen(section), row), rows[_i].lacks);
        is_named(lt_zabbix_row_offends(version, section, strlen(section), row, &what),
                 rows[_i].offends);
    }
    if (rows[_i].offends != NULL)
        ck_assert(what != NULL && what[0] != '\0');
    leat_builder_free(builder);
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, recorded_columns);
    tcase_add_loop_test(c, by_version, 0, sizeof known / sizeof *known);
    tcase_add_test(c, types_that_changed);
    tcase_add_loop_test(c, rows_of_sections, 0, sizeof rows / sizeof *rows);
}

T_MAIN("zabbix/fields", add_tests)
