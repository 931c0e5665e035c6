#include "frames.h"

#include "../zabbix/codec.h"

#include <math.h>
#include <stdio.h>

/* The text of the one frame that waits; yours to free. */
static char *written(leat_session *session)
{
    size_t length;
    const uint8_t *at = (const uint8_t *)leat_send_data(session, &length);
    const uint8_t *end = at + length;
    struct taken taken = take_frame(&at, end);

    ck_assert_ptr_eq(at, end);
    ck_assert_uint_eq(taken.flags & ~2u, 1);
    if ((taken.flags & 2) == 0)
        ck_assert_uint_eq(taken.reserved, 0);
    ck_assert_int_eq(leat_send_done(session, length), LEAT_OK);
    return (char *)taken.text.data;
}

static void expect(leat_session *session, const char *text)
{
    char *got = written(session);

    ck_assert_str_eq(got, text);
    free(got);
}

static void refused(leat_session *session, int status, int expected, const char *what,
                    const char *field)
{
    const leat_error *error = leat_session_send_error(session);

    ck_assert_int_eq(status, expected);
    ck_assert_int_eq(leat_error_code(error), expected);
    ck_assert_str_eq(leat_error_text(error), what);
    ck_assert_str_eq(leat_error_field(error), field);
}

START_TEST(piece_by_piece)
{
    static const char *const fields[] = {"hostid", "host"};
    leat_builder *builder = t_json("{\"host\":\"a\",\"hostid\":1}", 23);
    leat_builder *list = t_json("[2,null]", 8);
    leat_session *session = make_codec(NULL, NULL);
    size_t length;

    ck_assert_int_eq(leat_zabbix_compress(session, _i), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_begin(session), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_number(session, "full_sync", 1), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_object(session, "data"), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_table(session, "hosts", fields, 2), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_row(session, leat_builder_value(builder)), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_row(session, leat_builder_value(list)), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_close(session), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_table(session, "empty", fields, 0), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_close(session), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_text(session, "x", "\"\\/\b\f\n\r\t\x01\x1f\x7f\xc3\xa9", 13),
                     LEAT_OK);
    ck_assert_int_eq(leat_zabbix_close(session), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_section(session, "tasks"), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_row(session, leat_builder_value(builder)), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_row(session, leat_builder_value(builder)), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_close(session), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_member(session, "list", leat_builder_value(list)), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_number(session, "config_revision", UINT64_MAX), LEAT_OK);
    ck_assert_ptr_null(leat_send_data(session, &length)); /* nothing before its end */
    ck_assert_uint_eq(length, 0);
    ck_assert_int_eq(leat_zabbix_end(session), LEAT_OK);
    expect(
        session,
        "{\"full_sync\":1,\"data\":{\"hosts\":{\"fields\":[\"hostid\",\"host\"],\"data\":[[1,\"a\"]"
        ","
        "[2,null]]},\"empty\":{\"fields\":[],\"data\":[]},"
        "\"x\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\xc3\xa9\"},"
        "\"tasks\":[{\"host\":\"a\",\"hostid\":1},{\"host\":\"a\",\"hostid\":1}],\"list\":[2,null],"
        "\"config_revision\":18446744073709551615}");
    leat_session_free(session);
    leat_builder_free(builder);
    leat_builder_free(list);
}
END_TEST

/* leat_zabbix_end() closes what is open. */
START_TEST(closing)
{
    static const char *const fields[] = {"a"};
    leat_session *session = make_codec(NULL, NULL);

    ck_assert_int_eq(leat_zabbix_begin(session), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_end(session), LEAT_OK);
    expect(session, "{}");
    ck_assert_int_eq(leat_zabbix_begin(session), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_section(session, "data"), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_end(session), LEAT_OK);
    expect(session, "{\"data\":[]}");
    ck_assert_int_eq(leat_zabbix_begin(session), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_object(session, "data"), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_table(session, "t", fields, 1), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_end(session), LEAT_OK);
    expect(session, "{\"data\":{\"t\":{\"fields\":[\"a\"],\"data\":[]}}}");
    leat_session_free(session);
}
END_TEST

/*
 * Which call may come where. Letters: M member, O object, S section, T table, R row, V value row, C
 * close.
 */
static int call(leat_session *session, char letter, const leat_value *row)
{
    static const char *const fields[] = {"a"};
    leat_zabbix_history history;

    switch (letter) {
    case 'B':
        return leat_zabbix_begin(session);
    case 'M':
        return leat_zabbix_member(session, "m", row);
    case 'X':
        return leat_zabbix_text(session, "x", "y", 1);
    case 'N':
        return leat_zabbix_number(session, "n", 1);
    case 'O':
        return leat_zabbix_object(session, "data");
    case 'S':
        return leat_zabbix_section(session, "s");
    case 'T':
        return leat_zabbix_table(session, "t", fields, 1);
    case 'R':
        return leat_zabbix_row(session, row);
    case 'V':
        leat_zabbix_history_init(&history, sizeof history);
        history.has = LEAT_ZABBIX_HAS_ID;
        return leat_zabbix_history_write(session, &history);
    case 'C':
        return leat_zabbix_close(session);
    case 'E':
        return leat_zabbix_end(session);
    case 'A':
        return leat_zabbix_abort(session);
    case '!':
        return leat_send(session, "message", row);
    default:
        ck_abort_msg("no such call: %c", letter);
        return 0;
    }
}

static const struct {
    const char *before;
    const char *wrong;
} orders[] = {
    {"", "MXNOSTRVCEA"}, {"B", "RVCB!"},        {"BM", "RVCB!"},         {"BO", "OSRVB!"},
    {"BOM", "OSRVB!"},   {"BOT", "MXNOSTVB!"},  {"BS", "MXNOSTB!"},      {"BSRV", "MXNOSTB!"},
    {"BT", "MXNOSTVB!"}, {"BTC", "RVCB!"},      {"BOTC", "OSRVB!"},      {"BOTCC", "RVCB!"},
    {"BSC", "RVCB!"},    {"BE", "MXNOSTRVCEA"}, {"BSRE", "MXNOSTRVCEA"}, {"BSRA", "MXNOSTRVCEA"},
};

START_TEST(states)
{
    leat_builder *builder = t_json("{\"a\":1}", 7);
    leat_session *session = make_codec(NULL, NULL);
    const char *letter;

    for (letter = orders[_i].before; *letter != '\0'; letter++)
        ck_assert_int_eq(call(session, *letter, leat_builder_value(builder)), LEAT_OK);
    for (letter = orders[_i].wrong; *letter != '\0'; letter++) {
        ck_assert_msg(call(session, *letter, leat_builder_value(builder)) == LEAT_E_STATE,
                      "%s, then %c", orders[_i].before, *letter);
        ck_assert_int_eq(leat_error_code(leat_session_send_error(session)), LEAT_E_STATE);
    }
    for (letter = "BMXNOSTRVCEA!"; *letter != '\0'; letter++) {
        leat_session *other = make_codec(NULL, NULL);
        const char *done;

        if (strchr(orders[_i].wrong, *letter) == NULL) {
            for (done = orders[_i].before; *done != '\0'; done++)
                ck_assert_int_eq(call(other, *done, leat_builder_value(builder)), LEAT_OK);
            ck_assert_msg(call(other, *letter, leat_builder_value(builder)) == LEAT_OK,
                          "%s, then %c", orders[_i].before, *letter);
        }
        leat_session_free(other);
    }
    leat_session_free(session);
    leat_builder_free(builder);
}
END_TEST

static void put_bytes(leat_builder *b)
{
    leat_builder_bytes(b, NULL, "x", 1);
}

static void put_infinity(leat_builder *b)
{
    leat_builder_f64(b, NULL, (double)INFINITY);
}

static void put_nan(leat_builder *b)
{
    leat_builder_f64(b, NULL, (double)NAN);
}

static void put_set(leat_builder *b)
{
    leat_builder_open(b, NULL, LEAT_SET);
    leat_builder_close(b);
}

static void put_timestamp(leat_builder *b)
{
    leat_builder_timestamp(b, NULL, 0);
}

static void put_not_utf8(leat_builder *b)
{
    leat_builder_text(b, NULL, "a\xff", 2);
}

static void put_zero(leat_builder *b)
{
    leat_builder_text(b, NULL, "a\0b", 3);
}

static void put_bad_name(leat_builder *b)
{
    leat_builder_open(b, NULL, LEAT_RECORD);
    leat_builder_u64(b, "\xc3", 1);
    leat_builder_close(b);
}

static void put_deep(leat_builder *b)
{
    int i;

    for (i = 0; i < 64; i++)
        leat_builder_open(b, NULL, LEAT_LIST);
    for (i = 0; i < 64; i++)
        leat_builder_close(b);
}

static void put_inside(leat_builder *b)
{
    leat_builder_open(b, NULL, LEAT_LIST);
    leat_builder_open(b, NULL, LEAT_RECORD);
    leat_builder_u64(b, "a", 1);
    leat_builder_bytes(b, "b", "x", 1);
    leat_builder_close(b);
    leat_builder_close(b);
}

static const struct {
    void (*put)(leat_builder *);
    const char *what;
    const char *field;
} values[] = {
    {put_bytes, "a kind of value that JSON lacks", "value"},
    {put_infinity, "a number that JSON lacks", "value"},
    {put_nan, "a number that JSON lacks", "value"},
    {put_set, "a kind of value that JSON lacks", "value"},
    {put_timestamp, "a kind of value that JSON lacks", "value"},
    {put_not_utf8, "text that is not UTF-8", "value"},
    {put_zero, "a zero octet ends the text of peers", "value"},
    {put_bad_name, "text that is not UTF-8", "name"},
    {put_deep, "nested too deeply", "value"},
    {put_inside, "a kind of value that JSON lacks", "value"},
};

/* What is refused leaves no trace, in a message and in a row. */
START_TEST(unfit_values)
{
    leat_session *session = make_codec(NULL, NULL);
    leat_builder *value, *row, *message;
    int compressed;

    ck_assert_int_eq(leat_builder_new(NULL, &value), LEAT_OK);
    values[_i].put(value);
    ck_assert_ptr_nonnull(leat_builder_value(value));
    ck_assert_int_eq(leat_builder_new(NULL, &row), LEAT_OK);
    leat_builder_open(row, NULL, LEAT_RECORD);
    leat_builder_copy(row, "a", leat_builder_value(value));
    leat_builder_close(row);
    message = t_json("{\"a\":1}", 7);
    for (compressed = 0; compressed < 2; compressed++) {
        ck_assert_int_eq(leat_zabbix_compress(session, compressed), LEAT_OK);
        refused(session, leat_send(session, "message", leat_builder_value(row)), LEAT_E_VALUE,
                values[_i].what, values[_i].field);
        ck_assert_int_eq(leat_zabbix_begin(session), LEAT_OK);
        refused(session, leat_zabbix_member(session, "m", leat_builder_value(value)), LEAT_E_VALUE,
                values[_i].what, values[_i].field);
        ck_assert_int_eq(leat_zabbix_section(session, "s"), LEAT_OK);
        refused(session, leat_zabbix_row(session, leat_builder_value(row)), LEAT_E_VALUE,
                values[_i].what, values[_i].field);
        ck_assert_int_eq(leat_zabbix_row(session, leat_builder_value(message)), LEAT_OK);
        ck_assert_ptr_null(leat_session_send_error(session));
        refused(session, leat_zabbix_row(session, leat_builder_value(row)), LEAT_E_VALUE,
                values[_i].what, values[_i].field);
        ck_assert_int_eq(leat_zabbix_row(session, leat_builder_value(message)), LEAT_OK);
        ck_assert_int_eq(leat_zabbix_end(session), LEAT_OK);
        expect(session, "{\"s\":[{\"a\":1},{\"a\":1}]}");
    }
    leat_builder_free(value);
    leat_builder_free(row);
    leat_builder_free(message);
    leat_session_free(session);
}
END_TEST

/* Lists in lists, so many, in a record if asked for. */
static leat_builder *nested(size_t lists, bool record)
{
    leat_builder *b;
    size_t i;

    ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
    if (record)
        leat_builder_open(b, NULL, LEAT_RECORD);
    for (i = 0; i < lists; i++)
        leat_builder_open(b, i == 0 && record ? "a" : NULL, LEAT_LIST);
    for (i = 0; i < lists; i++)
        leat_builder_close(b);
    if (record)
        leat_builder_close(b);
    ck_assert_ptr_nonnull(leat_builder_value(b));
    return b;
}

static int put_nested(leat_session *session, int place, size_t lists)
{
    leat_builder *b = nested(lists, place == 1);
    int status = place == 0 ? leat_zabbix_member(session, "m", leat_builder_value(b))
                            : leat_zabbix_row(session, leat_builder_value(b));

    leat_builder_free(b);
    return status;
}

/*
 * Nesting is counted with the places that are open, 64 by default: a member, a row, a row of a
 * table in data.
 */
START_TEST(nesting)
{
    static const char *const fields[] = {"a"};
    static const size_t most[] = {63, 61, 60};
    leat_session *session = make_codec(NULL, NULL);

    ck_assert_int_eq(leat_zabbix_begin(session), LEAT_OK);
    if (_i == 1)
        ck_assert_int_eq(leat_zabbix_section(session, "s"), LEAT_OK);
    if (_i == 2) {
        ck_assert_int_eq(leat_zabbix_object(session, "data"), LEAT_OK);
        ck_assert_int_eq(leat_zabbix_table(session, "t", fields, 1), LEAT_OK);
    }
    ck_assert_int_eq(put_nested(session, _i, most[_i]), LEAT_OK);
    ck_assert_int_eq(put_nested(session, _i, most[_i] + 1), LEAT_E_VALUE);
    leat_session_free(session);
}
END_TEST

/* Rows that would break peers: a 7.0 proxy crashes on a row that is longer than its fields. */
static const struct {
    const char *row;
    const char *what; /* NULL: it is written */
    const char *text;
} table_rows[] = {
    {"[1,2]", NULL, "[1,2]"},
    {"{\"a\":1,\"b\":2}", NULL, "[1,2]"},
    {"{\"b\":[2],\"a\":{\"x\":1}}", NULL, "[{\"x\":1},[2]]"},
    {"[1]", "a row has more or fewer values than its table has fields", ""},
    {"[1,2,3]", "a row has more or fewer values than its table has fields", ""},
    {"[]", "a row has more or fewer values than its table has fields", ""},
    {"{\"a\":1}", "a row has more or fewer values than its table has fields", ""},
    {"{\"a\":1,\"b\":2,\"c\":3}", "a row has more or fewer values than its table has fields", ""},
    {"{\"a\":1,\"c\":3}", "a row lacks a field of its table", ""},
    {"{\"a\":1,\"a\":3}", "a row lacks a field of its table", ""},
    {"7", "a row is a record, or in a table a list", ""},
    {"\"ab\"", "a row is a record, or in a table a list", ""},
};

START_TEST(rows_of_tables)
{
    static const char *const fields[] = {"a", "b"};
    leat_builder *row = t_json(table_rows[_i].row, strlen(table_rows[_i].row));
    leat_session *session = make_codec(NULL, NULL);
    char text[200];
    int status;

    ck_assert_int_eq(leat_zabbix_begin(session), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_table(session, "t", fields, 2), LEAT_OK);
    status = leat_zabbix_row(session, leat_builder_value(row));
    if (table_rows[_i].what == NULL)
        ck_assert_int_eq(status, LEAT_OK);
    else
        refused(session, status, LEAT_E_VALUE, table_rows[_i].what, "row");
    ck_assert_int_eq(leat_zabbix_row(session, NULL), LEAT_E_VALUE);
    ck_assert_int_eq(leat_zabbix_end(session), LEAT_OK);
    (void)snprintf(text, sizeof text, "{\"t\":{\"fields\":[\"a\",\"b\"],\"data\":[%s]}}",
                   table_rows[_i].text);
    expect(session, text);
    leat_session_free(session);
    leat_builder_free(row);
}
END_TEST

START_TEST(rows_of_sections)
{
    static const char *const others[] = {"[1]", "1", "\"x\"", "null"};
    leat_builder *row = t_json(others[_i], strlen(others[_i]));
    leat_session *session = make_codec(NULL, NULL);

    ck_assert_int_eq(leat_zabbix_begin(session), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_section(session, "tasks"), LEAT_OK);
    refused(session, leat_zabbix_row(session, leat_builder_value(row)), LEAT_E_VALUE,
            "a row is a record, or in a table a list", "row");
    leat_session_free(session);
    leat_builder_free(row);
}
END_TEST

START_TEST(names)
{
    static const char *const good[] = {"a"};
    static const char *const bad[][2] = {{"a", NULL}, {"a", ""}, {"a", "\xff"}};
    leat_builder *row = t_json("{\"a\":1}", 7);
    leat_session *session = make_codec(NULL, NULL);
    char *huge = (char *)malloc(65537);
    const char *const large[] = {huge};
    size_t i;

    ck_assert_ptr_nonnull(huge);
    memset(huge, 'n', 65536);
    huge[65536] = '\0';
    ck_assert_int_eq(leat_zabbix_begin(session), LEAT_OK);
    refused(session, leat_zabbix_member(session, NULL, leat_builder_value(row)), LEAT_E_VALUE,
            "no name", "name");
    refused(session, leat_zabbix_member(session, "a", NULL), LEAT_E_VALUE, "no value", "value");
    refused(session, leat_zabbix_text(session, "\xff", "", 0), LEAT_E_VALUE,
            "text that is not UTF-8", "name");
    refused(session, leat_zabbix_text(session, "a", NULL, 1), LEAT_E_VALUE, "no text, but a length",
            "value");
    refused(session, leat_zabbix_text(session, "a", "\xed\xa0\x80", 3), LEAT_E_VALUE,
            "text that is not UTF-8", "value");
    refused(session, leat_zabbix_number(session, NULL, 1), LEAT_E_VALUE, "no name", "name");
    refused(session, leat_zabbix_object(session, "\xff"), LEAT_E_VALUE, "text that is not UTF-8",
            "name");
    refused(session, leat_zabbix_section(session, NULL), LEAT_E_VALUE, "no name", "name");
    refused(session, leat_zabbix_table(session, NULL, good, 1), LEAT_E_VALUE, "no name", "name");
    for (i = 0; i < 3; i++)
        ck_assert_int_eq(leat_zabbix_table(session, "t", bad[i], 2), LEAT_E_VALUE);
    ck_assert_str_eq(leat_error_field(leat_session_send_error(session)), "fields");
    ck_assert_int_eq(leat_zabbix_table(session, "t", large, 1), LEAT_E_VALUE);
    huge[65535] = '\0';
    ck_assert_int_eq(leat_zabbix_table(session, "t", large, 1), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_abort(session), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_begin(session), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_text(session, "a", NULL, 0), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_number(session, "", 1), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_end(session), LEAT_OK);
    expect(session, "{\"a\":\"\",\"\":1}");
    leat_session_free(session);
    leat_builder_free(row);
    free(huge);
}
END_TEST

/* Rows of values: what peers would drop is not written. */
static const struct {
    uint64_t has;
    uint64_t number;
    const char *what; /* NULL: it is written */
    const char *field;
} history[] = {
    {0, 0, "not initialised, or without members", "row"},
    {0x4000, 0, "not initialised, or without members", "row"},
    {LEAT_ZABBIX_HAS_ID, UINT64_MAX, NULL, ""},
    {LEAT_ZABBIX_HAS_ITEMID, UINT64_MAX, NULL, ""},
    {LEAT_ZABBIX_HAS_CLOCK, 2147483647, NULL, ""},
    {LEAT_ZABBIX_HAS_CLOCK, 2147483648, "a number beyond what peers take", "clock"},
    {LEAT_ZABBIX_HAS_NS, 999999999, NULL, ""},
    {LEAT_ZABBIX_HAS_NS, 1000000000, "a number beyond what peers take", "ns"},
    {LEAT_ZABBIX_HAS_STATE, 1, NULL, ""},
    {LEAT_ZABBIX_HAS_STATE, 2, "a number beyond what peers take", "state"},
    {LEAT_ZABBIX_HAS_TIMESTAMP, 2147483648, "a number beyond what peers take", "timestamp"},
    {LEAT_ZABBIX_HAS_SEVERITY, 2147483648, "a number beyond what peers take", "severity"},
    {LEAT_ZABBIX_HAS_EVENTID, 2147483648, "a number beyond what peers take", "eventid"},
    {LEAT_ZABBIX_HAS_LASTLOGSIZE, UINT64_MAX, NULL, ""},
    {LEAT_ZABBIX_HAS_MTIME, 2147483648, "a number beyond what peers take", "mtime"},
    {LEAT_ZABBIX_HAS_VALUE, 0, "text that is not UTF-8", "value"},
    {LEAT_ZABBIX_HAS_SOURCE, 0, "a zero octet ends the text of peers", "source"},
    {LEAT_ZABBIX_HAS_HOST, 0, "no text, but a length", "host"},
    {LEAT_ZABBIX_HAS_KEY, 0, NULL, ""},
};

START_TEST(rows_of_values)
{
    leat_session *session = make_codec(NULL, NULL);
    leat_zabbix_history row;
    int status, compressed;

    for (compressed = 0; compressed < 2; compressed++) {
        leat_zabbix_history_init(&row, sizeof row);
        row.has = history[_i].has;
        row.id = row.itemid = row.clock = row.ns = row.state = row.timestamp = row.severity =
            row.eventid = row.lastlogsize = row.mtime = history[_i].number;
        row.value = "\xff";
        row.value_length = 1;
        row.source = "";
        row.source_length = 1;
        row.host_length = 1;
        ck_assert_int_eq(leat_zabbix_compress(session, compressed), LEAT_OK);
        ck_assert_int_eq(leat_zabbix_begin(session), LEAT_OK);
        ck_assert_int_eq(leat_zabbix_section(session, "history data"), LEAT_OK);
        status = leat_zabbix_history_write(session, &row);
        if (history[_i].what != NULL) {
            refused(session, status, LEAT_E_VALUE, history[_i].what, history[_i].field);
            ck_assert_int_eq(leat_zabbix_end(session), LEAT_OK);
            expect(session, "{\"history data\":[]}");
        } else {
            ck_assert_int_eq(status, LEAT_OK);
            row.size = 16;
            ck_assert_int_eq(leat_zabbix_history_write(session, &row), LEAT_E_VALUE);
            ck_assert_int_eq(leat_zabbix_abort(session), LEAT_OK);
        }
    }
    leat_session_free(session);
}
END_TEST

/* ---- messages at once ---- */

static const struct {
    const char *name;
    const char *value;
    int status;
    const char *what; /* or, if it is written, its text */
    const char *field;
} messages[] = {
    {"response", "{\"response\":\"success\"}", LEAT_OK, "{\"response\":\"success\"}", ""},
    {"proxy config", "{}", LEAT_OK, "{}", ""},
    {"proxy config", "{\"request\":\"proxy config\"}", LEAT_OK, "{\"request\":\"proxy config\"}",
     ""},
    {"proxy config", "{\"request\":\"proxy data\"}", LEAT_E_VALUE,
     "another request than the message's name says", "request"},
    {"request", "{\"request\":\"proxy data\"}", LEAT_E_VALUE,
     "another request than the message's name says", "request"},
    {"request", "{\"request\":\"queue.get\"}", LEAT_OK, "{\"request\":\"queue.get\"}", ""},
    {"message", "{\"tasks\":[{\"a\":1}],\"tasks\":[]}", LEAT_OK,
     "{\"tasks\":[{\"a\":1}],\"tasks\":[]}", ""},
    {"history data", "{\"id\":1}", LEAT_E_STATE, "no message of that name", ""},
    {"", "{}", LEAT_E_STATE, "no message of that name", ""},
    {"proxy data", "[]", LEAT_E_VALUE, "a message is a record", "value"},
    {"proxy data", "null", LEAT_E_VALUE, "a message is a record", "value"},
    /* placeholders of events are no rows */
    {"proxy data", "{\"history data\":{\"rows\":2}}", LEAT_E_VALUE, "rows that are only counted",
     "history data"},
    {"response", "{\"response\":\"success\",\"tasks\":{\"rows\":0}}", LEAT_E_VALUE,
     "rows that are only counted", "tasks"},
    {"proxy config", "{\"hosts\":{\"fields\":[\"a\"],\"rows\":0}}", LEAT_E_VALUE,
     "rows that are only counted", "rows"},
    {"proxy config", "{\"data\":{\"hosts\":{\"fields\":[\"a\"],\"rows\":1}}}", LEAT_E_VALUE,
     "rows that are only counted", "rows"},
    {"message", "{\"x\":{\"rows\":1}}", LEAT_OK, "{\"x\":{\"rows\":1}}", ""},
    /* tables */
    {"proxy config", "{\"hosts\":{\"fields\":[\"a\"],\"data\":[[1],[2,3]]}}", LEAT_E_VALUE,
     "a row has more or fewer values than its table has fields", "data"},
    {"proxy config", "{\"data\":{\"hosts\":{\"data\":[[]],\"fields\":[\"a\"]}}}", LEAT_E_VALUE,
     "a row has more or fewer values than its table has fields", "data"},
    {"proxy config", "{\"data\":{\"hosts\":{\"fields\":[\"a\"],\"data\":[7]}}}", LEAT_E_VALUE,
     "a row has more or fewer values than its table has fields", "data"},
    {"proxy config", "{\"macro.secrets\":{\"fields\":[\"a\"],\"data\":[7]}}", LEAT_OK,
     "{\"macro.secrets\":{\"fields\":[\"a\"],\"data\":[7]}}", ""},
    {"proxy config", "{\"data\":{\"macro.secrets\":{\"fields\":[\"a\"],\"rows\":7}}}", LEAT_OK,
     "{\"data\":{\"macro.secrets\":{\"fields\":[\"a\"],\"rows\":7}}}", ""},
    {"proxy config", "{\"hosts\":{\"fields\":\"a\",\"data\":[7]}}", LEAT_OK,
     "{\"hosts\":{\"fields\":\"a\",\"data\":[7]}}", ""},
    {"proxy config", "{\"hosts\":{\"fields\":[\"a\"],\"data\":\"none\"}}", LEAT_OK,
     "{\"hosts\":{\"fields\":[\"a\"],\"data\":\"none\"}}", ""},
    /* plain bodies */
    {"plain", "{\"body\":\"agent.ping\"}", LEAT_OK, "agent.ping", ""},
    {"plain", "{\"body\":\"\"}", LEAT_OK, "", ""},
    {"plain", "{\"body\":1}", LEAT_E_VALUE,
     "a plain body is text or octets, with or without an error", "body"},
    {"plain", "{}", LEAT_E_VALUE, "a plain body is text or octets, with or without an error",
     "body"},
    {"plain", "\"agent.ping\"", LEAT_E_VALUE,
     "a plain body is text or octets, with or without an error", "body"},
    {"plain", "{\"body\":\"x\",\"error\":1}", LEAT_E_VALUE,
     "a plain body is text or octets, with or without an error", "body"},
    {"plain", "{\"body\":\"x\",\"other\":\"y\"}", LEAT_E_VALUE,
     "a plain body is text or octets, with or without an error", "body"},
    {"unframed", "{\"body\":\"NO\"}", LEAT_E_VALUE, "only OK goes without a frame", "body"},
    {"unframed", "{\"body\":\"OK\",\"error\":\"\"}", LEAT_E_VALUE, "only OK goes without a frame",
     "body"},
};

START_TEST(at_once)
{
    leat_builder *value = t_json(messages[_i].value, strlen(messages[_i].value));
    leat_session *session = make_codec(NULL, NULL);
    size_t length;
    int status, compressed;

    for (compressed = 0; compressed < 2; compressed++) {
        ck_assert_int_eq(leat_zabbix_compress(session, compressed), LEAT_OK);
        status = leat_send(session, messages[_i].name, leat_builder_value(value));
        if (messages[_i].status == LEAT_OK) {
            ck_assert_int_eq(status, LEAT_OK);
            expect(session, messages[_i].what);
        } else {
            refused(session, status, messages[_i].status, messages[_i].what, messages[_i].field);
            ck_assert_ptr_null(leat_send_data(session, &length));
        }
    }
    leat_session_free(session);
    leat_builder_free(value);
}
END_TEST

START_TEST(plain_octets)
{
    leat_builder *value;
    leat_session *session = make_codec(NULL, NULL);
    size_t length;
    const uint8_t *data;

    ck_assert_int_eq(leat_builder_new(NULL, &value), LEAT_OK);
    leat_builder_open(value, NULL, LEAT_RECORD);
    leat_builder_bytes(value, "body", "ZBX_NOTSUPPORTED", 16);
    leat_builder_bytes(value, "error", "\0\xff", 2);
    leat_builder_close(value);
    ck_assert_int_eq(leat_send(session, "plain", leat_builder_value(value)), LEAT_OK);
    data = (const uint8_t *)leat_send_data(session, &length);
    ck_assert_uint_eq(length, 13 + 19);
    ck_assert_mem_eq(data + 13, "ZBX_NOTSUPPORTED\0\0\xff", 19);
    ck_assert_int_eq(leat_send_done(session, length), LEAT_OK);
    leat_builder_clear(value);
    leat_builder_open(value, NULL, LEAT_RECORD);
    leat_builder_text(value, "body", "OK", 2);
    leat_builder_close(value);
    ck_assert_int_eq(leat_send(session, "unframed", leat_builder_value(value)), LEAT_OK);
    data = (const uint8_t *)leat_send_data(session, &length);
    ck_assert_uint_eq(length, 2);
    ck_assert_mem_eq(data, "OK", 2);
    leat_session_free(session);
    leat_builder_free(value);
}
END_TEST

/* The worked frame of the specification, section 14. */
START_TEST(worked_frame)
{
    struct t_bytes expected =
        t_hex("5a425844 01 16000000 00000000 7b22726573706f6e7365223a2273756363657373227d");
    leat_builder *value = t_json("{\"response\":\"success\"}", 22);
    leat_session *session = make_codec(NULL, NULL);
    size_t length;

    ck_assert_int_eq(leat_send(session, "response", leat_builder_value(value)), LEAT_OK);
    ck_assert_mem_eq(leat_send_data(session, &length), expected.data, expected.length);
    ck_assert_uint_eq(length, expected.length);
    leat_session_free(session);
    leat_builder_free(value);
    t_free(expected);
}
END_TEST

/* Many pieces of text, deflated as they come, while what waits before them is sent. */
START_TEST(many_rows)
{
    leat_session *writer = make_codec(NULL, NULL), *reader = make_codec(NULL, NULL);
    leat_builder *first = t_json("{\"response\":\"success\"}", 22);
    leat_zabbix_history row;
    const leat_event *event;
    const void *data;
    size_t length, i, sent = 0;

    ck_assert_int_eq(leat_send(writer, "response", leat_builder_value(first)), LEAT_OK);
    (void)leat_send_data(writer, &length);
    ck_assert_int_eq(leat_zabbix_compress(writer, _i), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_begin(writer), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_compress(writer, 0),
                     LEAT_OK); /* counts from the next message on */
    ck_assert_int_eq(leat_zabbix_section(writer, "history data"), LEAT_OK);
    leat_zabbix_history_init(&row, sizeof row);
    row.has = LEAT_ZABBIX_HAS_ID | LEAT_ZABBIX_HAS_VALUE;
    row.value = "v";
    row.value_length = 1;
    for (i = 0; i < 20000; i++) {
        row.id = i;
        ck_assert_int_eq(leat_zabbix_history_write(writer, &row), LEAT_OK);
        if (sent < length) {
            data = leat_send_data(writer, &length);
            ck_assert_uint_ge(length, 1);
            ck_assert_int_eq(leat_feed(reader, data, 1), LEAT_OK);
            ck_assert_int_eq(leat_send_done(writer, 1), LEAT_OK);
            length = 35;
            sent++;
        } else {
            ck_assert_ptr_null(leat_send_data(writer, &length));
            ck_assert_int_eq(leat_send_done(writer, 1), LEAT_E_STATE);
            length = 35;
        }
    }
    ck_assert_int_eq(leat_zabbix_end(writer), LEAT_OK);
    data = leat_send_data(writer, &length);
    ck_assert_int_eq(leat_feed(reader, data, length), LEAT_OK);
    ck_assert_int_eq(leat_next(reader, &event), LEAT_OK);
    ck_assert_uint_eq(leat_event_kind(event), LEAT_ZABBIX_RESPONSE);
    for (i = 0; i < 20000; i++) {
        ck_assert_int_eq(leat_next(reader, &event), LEAT_OK);
        ck_assert_uint_eq(leat_value_u64(leat_value_get(leat_event_value(event), "id")), i);
    }
    ck_assert_int_eq(leat_next(reader, &event), LEAT_OK);
    ck_assert_uint_eq(leat_event_kind(event), LEAT_ZABBIX_PROXY_DATA);
    ck_assert_ptr_null(leat_event_error(event));
    leat_session_free(writer);
    leat_session_free(reader);
    leat_builder_free(first);
}
END_TEST

/*
 * A message of 4 GiB of text gets the large header. None is made here: the count of its text is set
 * to what it would be.
 */
START_TEST(large_header)
{
    static const uint64_t texts[] = {LT_ZABBIX_LARGE_FROM - 3, LT_ZABBIX_LARGE_FROM - 2};
    leat_session *session = make_codec(NULL, NULL);
    struct lt_zabbix *z = (struct lt_zabbix *)session;
    const uint8_t *data;
    uint8_t text[2];
    uLongf size = 2;
    size_t length, header = _i == 0 ? 13 : 21;
    unsigned width = _i == 0 ? 4 : 8;

    ck_assert_int_eq(leat_zabbix_compress(session, 1), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_begin(session), LEAT_OK);
    z->writing->text += texts[_i];
    ck_assert_int_eq(leat_zabbix_end(session), LEAT_OK);
    data = (const uint8_t *)leat_send_data(session, &length);
    ck_assert_uint_eq(data[4], _i == 0 ? 0x03 : 0x07);
    ck_assert_uint_eq(load_le(data + 5, width), length - header);
    ck_assert_uint_eq(load_le(data + 5 + width, width), texts[_i] + 2);
    ck_assert_int_eq(uncompress(text, &size, data + header, (uLong)(length - header)), Z_OK);
    ck_assert_uint_eq(size, 2);
    ck_assert_mem_eq(text, "{}", 2);
    leat_session_free(session);
}
END_TEST

/* Every call on a session of another dialect. */
static int no_next(leat_session *session)
{
    (void)session;
    return LEAT_MORE;
}

static int no_send(leat_session *session, const char *name, const leat_value *value)
{
    (void)session;
    (void)name;
    (void)value;
    return LEAT_E_STATE;
}

START_TEST(other_dialect)
{
    static const struct lt_dialect dialect = {
        .bytes = sizeof(leat_session), .next = no_next, .send = no_send};
    static const leat_limits limits = {.values = 10, .depth = 10, .queued_bytes = 100};
    leat_builder *builder = t_json("{\"a\":1}", 7);
    leat_session *session;
    const char *letter;

    ck_assert_int_eq(lt_session_new(&dialect, NULL, &limits, &session), LEAT_OK);
    for (letter = "BMXNOSTRVCEA"; *letter != '\0'; letter++)
        ck_assert_int_eq(call(session, *letter, leat_builder_value(builder)), LEAT_E_STATE);
    ck_assert_int_eq(leat_zabbix_compress(session, 1), LEAT_E_STATE);
    ck_assert_int_eq(leat_zabbix_header(session, NULL, NULL, NULL), LEAT_E_STATE);
    ck_assert_uint_eq(leat_zabbix_position(session), 0);
    ck_assert_uint_eq(leat_zabbix_kind(session), 0);
    ck_assert_ptr_null(leat_zabbix_members(session));
    leat_session_free(session);
    leat_builder_free(builder);
}
END_TEST

/* A session that failed writes no more. */
START_TEST(after_failure)
{
    leat_builder *builder = t_json("{\"a\":1}", 7);
    leat_session *session = make_codec(NULL, NULL);
    const leat_event *event;
    const char *letter;

    ck_assert_int_eq(leat_zabbix_begin(session), LEAT_OK);
    ck_assert_int_eq(leat_feed(session, "junk", 4), LEAT_OK);
    ck_assert_int_eq(leat_next(session, &event), LEAT_E_FRAME);
    for (letter = "BMXNOSTRVCEA!"; *letter != '\0'; letter++)
        ck_assert_int_eq(call(session, *letter, leat_builder_value(builder)), LEAT_E_STATE);
    leat_session_free(session);
    leat_builder_free(builder);
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_loop_test(tc, piece_by_piece, 0, 2);
    tcase_add_test(tc, closing);
    tcase_add_loop_test(tc, states, 0, sizeof orders / sizeof *orders);
    tcase_add_loop_test(tc, unfit_values, 0, sizeof values / sizeof *values);
    tcase_add_loop_test(tc, nesting, 0, 3);
    tcase_add_loop_test(tc, rows_of_tables, 0, sizeof table_rows / sizeof *table_rows);
    tcase_add_loop_test(tc, rows_of_sections, 0, 4);
    tcase_add_test(tc, names);
    tcase_add_loop_test(tc, rows_of_values, 0, sizeof history / sizeof *history);
    tcase_add_loop_test(tc, at_once, 0, sizeof messages / sizeof *messages);
    tcase_add_test(tc, plain_octets);
    tcase_add_test(tc, worked_frame);
    tcase_add_loop_test(tc, many_rows, 0, 2);
    tcase_add_loop_test(tc, large_header, 0, 2);
    tcase_add_test(tc, other_dialect);
    tcase_add_test(tc, after_failure);
}

T_MAIN("zabbix/write", tests)
