/* Logs: what their creates tell, and the records of their writes, octet by octet. */
#include "support.h"

#include <leat/broker.h>
#include <leat/zeek.h>

static leat_builder *empty(void)
{
    leat_builder *b;

    ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
    return b;
}

/* Adds a field of a log create. */
static void add_field(leat_builder *b, const char *name, uint32_t type, uint32_t subtype)
{
    leat_zeek_log_field field;

    leat_zeek_log_field_init(&field, sizeof field);
    field.name = name;
    field.name_length = strlen(name);
    field.type = type;
    field.subtype = subtype;
    ck_assert_int_eq(leat_zeek_log_field_write(b, &field), LEAT_OK);
}

/* The fields of a log with this one, "f", alone. */
static leat_builder *one_field(uint32_t type, uint32_t subtype)
{
    leat_builder *b = empty();

    leat_builder_open(b, NULL, LEAT_LIST);
    add_field(b, "f", type, subtype);
    leat_builder_close(b);
    return b;
}

/* ----- values of every type ----- */

#define BOOL     LEAT_ZEEK_TYPE_BOOL
#define INT      LEAT_ZEEK_TYPE_INT
#define COUNT    LEAT_ZEEK_TYPE_COUNT
#define DOUBLE   LEAT_ZEEK_TYPE_DOUBLE
#define TIME     LEAT_ZEEK_TYPE_TIME
#define INTERVAL LEAT_ZEEK_TYPE_INTERVAL
#define STRING   LEAT_ZEEK_TYPE_STRING
#define ENUM     LEAT_ZEEK_TYPE_ENUM
#define PORT     LEAT_ZEEK_TYPE_PORT
#define ADDR     LEAT_ZEEK_TYPE_ADDR
#define SUBNET   LEAT_ZEEK_TYPE_SUBNET
#define SET      LEAT_ZEEK_TYPE_SET
#define FUNC     LEAT_ZEEK_TYPE_FUNC
#define VECTOR   LEAT_ZEEK_TYPE_VECTOR

#define ONE  "00000001 "
#define HEAD "00000000 01 "
#define NONE "00000000 00"

static const struct {
    const char *name;
    uint32_t type, subtype;
    uint32_t kind;
    const char *json;
    const char *hex; /* of the record, but for what is written otherwise */
} values[] = {
    {"true", BOOL, 0, LEAT_BOOL, "true", ONE "00000001" HEAD "0000000000000001"},
    {"false", BOOL, 0, LEAT_BOOL, "false", ONE "00000001" HEAD "0000000000000000"},
    {"int", INT, 0, LEAT_INT, "-3", ONE "00000002" HEAD "fffffffffffffffd"},
    {"least int", INT, 0, LEAT_INT, "-9223372036854775808", ONE "00000002" HEAD "8000000000000000"},
    {"positive int", INT, 0, LEAT_INT, "3", ONE "00000002" HEAD "0000000000000003"},
    {"count", COUNT, 0, LEAT_UINT, "18446744073709551615", ONE "00000003" HEAD "ffffffffffffffff"},
    {"double", DOUBLE, 0, LEAT_REAL, "2.5", ONE "00000004" HEAD "4004000000000000"},
    {"minus zero", DOUBLE, 0, LEAT_REAL, "-0.0", ONE "00000004" HEAD "8000000000000000"},
    {"subnormal", DOUBLE, 0, LEAT_REAL, "5.0e-324", ONE "00000004" HEAD "0000000000000001"},
    {"infinity", DOUBLE, 0, LEAT_REAL, "\"inf\"", ONE "00000004" HEAD "7ff0000000000000"},
    {"minus infinity", DOUBLE, 0, LEAT_REAL, "\"-inf\"", ONE "00000004" HEAD "fff0000000000000"},
    {"NaN", DOUBLE, 0, LEAT_REAL, "\"nan\"", ONE "00000004" HEAD "7ff8000000000000"},
    {"time", TIME, 0, LEAT_TIMESTAMP, "\"2023-11-14T22:13:20.500Z\"",
     ONE "00000005" HEAD "41d954fc40200000"},
    {"time with noise", TIME, 0, LEAT_TIMESTAMP, "\"2026-11-21T20:57:44.016176462Z\"",
     ONE "00000005" HEAD "41dac08172010909"},
    {"time before 1970", TIME, 0, LEAT_TIMESTAMP, "\"1969-12-31T23:59:58.500Z\"",
     ONE "00000005" HEAD "bff8000000000000"},
    {"time that does not fit", TIME, 0, LEAT_REAL, "9223372036.0",
     ONE "00000005" HEAD "42012e0be8200000"},
    {"time at the end", TIME, 0, LEAT_TIMESTAMP, "\"2262-04-11T23:47:15.999998093Z\"",
     ONE "00000005" HEAD "42012e0be81fffff"},
    {"time at the beginning", TIME, 0, LEAT_TIMESTAMP, "\"1677-09-21T00:12:44.000001907Z\"",
     ONE "00000005" HEAD "c2012e0be81fffff"},
    {"time too early", TIME, 0, LEAT_REAL, "-9223372036.0", ONE "00000005" HEAD "c2012e0be8200000"},
    {"no time", TIME, 0, LEAT_REAL, "\"nan\"", ONE "00000005" HEAD "7ff8000000000000"},
    {"interval", INTERVAL, 0, LEAT_TIMESPAN, "\"90s\"", ONE "00000006" HEAD "4056800000000000"},
    {"negative interval", INTERVAL, 0, LEAT_TIMESPAN, "\"-1500ms\"",
     ONE "00000006" HEAD "bff8000000000000"},
    {"interval of 1 ns", INTERVAL, 0, LEAT_TIMESPAN, "\"1ns\"",
     ONE "00000006" HEAD "3e112e0be826d695"},
    {"endless interval", INTERVAL, 0, LEAT_REAL, "\"inf\"", ONE "00000006" HEAD "7ff0000000000000"},
    {"string", STRING, 0, LEAT_TEXT, "\"text\"", ONE "00000007" HEAD "00000004 74657874"},
    {"empty string", STRING, 0, LEAT_TEXT, "\"\"", ONE "00000007" HEAD "00000000"},
    {"octets", STRING, 0, LEAT_TEXT, "{\"hex\":\"ff00\"}", ONE "00000007" HEAD "00000002 ff00"},
    {"enum", ENUM, 0, LEAT_ENUM, "\"M::A\"", ONE "00000009" HEAD "00000004 4d3a3a41"},
    {"port", PORT, 0, LEAT_PORT, "\"53/udp\"", ONE "0000000a" HEAD "0000000000000035 00000002"},
    {"highest port", PORT, 0, LEAT_PORT, "\"65535/icmp\"",
     ONE "0000000a" HEAD "000000000000ffff 00000003"},
    {"IPv4", ADDR, 0, LEAT_ADDRESS, "\"192.0.2.1\"", ONE "0000000b" HEAD "04 c0000201"},
    {"IPv6", ADDR, 0, LEAT_ADDRESS, "\"2001:db8::1\"",
     ONE "0000000b" HEAD "06 20010db8000000000000000000000001"},
    {"IPv4 net", SUBNET, 0, LEAT_SUBNET, "\"10.0.0.0/8\"", ONE "0000000c" HEAD "68 04 0a000000"},
    {"every IPv4", SUBNET, 0, LEAT_SUBNET, "\"0.0.0.0/0\"", ONE "0000000c" HEAD "60 04 00000000"},
    {"IPv4 host", SUBNET, 0, LEAT_SUBNET, "\"10.0.0.1/32\"", ONE "0000000c" HEAD "80 04 0a000001"},
    {"IPv6 net", SUBNET, 0, LEAT_SUBNET, "\"2001:db8::/32\"",
     ONE "0000000c" HEAD "20 06 20010db8000000000000000000000000"},
    {"IPv6 host", SUBNET, 0, LEAT_SUBNET, "\"2001:db8::1/128\"",
     ONE "0000000c" HEAD "80 06 20010db8000000000000000000000001"},
    {"empty set", SET, STRING, LEAT_SET, "[]", ONE "0000000e" HEAD "0000000000000000"},
    {"set", SET, STRING, LEAT_SET, "[\"y\",\"x\"]",
     ONE "0000000e" HEAD "0000000000000002 00000007" HEAD "00000001 79 00000007" HEAD
         "00000001 78"},
    {"vector", VECTOR, COUNT, LEAT_LIST, "[3,2]",
     ONE "00000013" HEAD "0000000000000002 00000003" HEAD "0000000000000003 00000003" HEAD
         "0000000000000002"},
    {"vector with a hole", VECTOR, COUNT, LEAT_LIST, "[null,2]",
     ONE "00000013" HEAD "0000000000000002 00000003" NONE " 00000003" HEAD "0000000000000002"},
    {"vector of intervals", VECTOR, INTERVAL, LEAT_LIST, "[\"1s\",\"inf\"]",
     ONE "00000013" HEAD "0000000000000002 00000006" HEAD "3ff0000000000000 00000006" HEAD
         "7ff0000000000000"},
    {"vector of sets", VECTOR, SET, LEAT_LIST, "[[],[[1]],[]]",
     ONE "00000013" HEAD "0000000000000003 0000000e" HEAD "0000000000000000 0000000e" HEAD
         "0000000000000001 00000013" HEAD "0000000000000001 00000003" HEAD
         "0000000000000001 0000000e" HEAD "0000000000000000"},
    {"no function", FUNC, 0, LEAT_NULL, "null", ONE "00000011" NONE},
    {"no string", STRING, 0, LEAT_NULL, "null", ONE "00000007" NONE},
    {"none of an unknown type", 99, 0, LEAT_NULL, "null", ONE "00000063" NONE},
    {"none of type 0", 0, 0, LEAT_NULL, "null", ONE "00000000" NONE},
    {"vector with a hole of type 0", VECTOR, 0, LEAT_LIST, "[null]",
     ONE "00000013" HEAD "0000000000000001 00000000" NONE},
};

START_TEST(every_type)
{
    leat_builder *fields = one_field(values[_i].type, values[_i].subtype), *b = empty();
    struct t_bytes octets = t_hex(values[_i].hex);
    const leat_value *record, *value;
    leat_buffer *out;
    const void *written;
    size_t length;
    char *json;

    ck_assert_int_eq(leat_buffer_new(NULL, &out), LEAT_OK);
    ck_assert_msg(leat_zeek_record_read(b, NULL, leat_builder_value(fields), octets.data,
                                        octets.length) == LEAT_OK,
                  "%s: %s", values[_i].name, leat_error_text(leat_builder_error(b)));
    record = leat_builder_value(b);
    ck_assert_uint_eq(leat_value_kind(record), LEAT_RECORD);
    ck_assert_uint_eq(leat_value_count(record), 1);
    value = leat_value_get(record, "f");
    ck_assert_ptr_eq(value, leat_value_first(record));
    ck_assert_uint_eq(leat_value_kind(value), values[_i].kind);
    json = t_json_text(value);
    ck_assert_msg(strcmp(json, values[_i].json) == 0, "%s: %s", values[_i].name, json);
    free(json);
    if (leat_value_kind(value) == LEAT_ADDRESS) {
        (void)leat_value_bytes(value, &length);
        ck_assert_uint_eq(length, 16);
    }
    ck_assert_int_eq(leat_zeek_record_write(out, leat_builder_value(fields), record), LEAT_OK);
    written = leat_buffer_data(out, &length);
    ck_assert_msg(length == octets.length && memcmp(written, octets.data, length) == 0, "%s",
                  values[_i].name);

    /* What is cut off anywhere, and what goes on behind the end, is refused. */
    while (length-- > 0) {
        struct t_bytes cut = t_copy(octets.data, length);

        leat_builder_clear(b);
        ck_assert_msg(leat_zeek_record_read(b, NULL, leat_builder_value(fields), cut.data,
                                            length) == LEAT_E_SYNTAX,
                      "%s: %u", values[_i].name, (unsigned)length);
        ck_assert_uint_le(leat_error_offset(leat_builder_error(b)), length);
        t_free(cut);
    }
    length = octets.length;
    t_append(&octets, "", 1);
    leat_builder_clear(b);
    ck_assert_int_eq(
        leat_zeek_record_read(b, NULL, leat_builder_value(fields), octets.data, octets.length),
        LEAT_E_SYNTAX);
    ck_assert_str_eq(leat_error_text(leat_builder_error(b)), "octets behind the last field");
    ck_assert_uint_eq(leat_error_offset(leat_builder_error(b)), length);
    leat_buffer_free(out);
    leat_builder_free(b);
    leat_builder_free(fields);
    t_free(octets);
}
END_TEST

/* Forms that Zeek does not write but that say the same. */
static const struct {
    const char *name;
    uint32_t type;
    const char *hex, *again;
} others[] = {
    {"a bool of 2", BOOL, ONE "00000001" HEAD "0000000000000002",
     ONE "00000001" HEAD "0000000000000001"},
    {"a subtype", COUNT, ONE "00000003 00000007 01 0000000000000002",
     ONE "00000003" HEAD "0000000000000002"},
    {"there, by 255", COUNT, ONE "00000003 00000000 ff 0000000000000002",
     ONE "00000003" HEAD "0000000000000002"},
    {"IPv4 as IPv6", ADDR, ONE "0000000b" HEAD "06 00000000000000000000ffff0a000001",
     ONE "0000000b" HEAD "04 0a000001"},
    {"IPv4 net as IPv6", SUBNET, ONE "0000000c" HEAD "68 06 00000000000000000000ffff0a000000",
     ONE "0000000c" HEAD "68 04 0a000000"},
    {"IPv6 net around IPv4", SUBNET, ONE "0000000c" HEAD "5f 06 00000000000000000000ffff0a000000",
     ONE "0000000c" HEAD "5f 06 00000000000000000000ffff0a000000"},
    {"less than a nanosecond", INTERVAL, ONE "00000006" HEAD "3e212e0be826d695",
     ONE "00000006" HEAD "3e212e0be826d695"},
    {"half a nanosecond", INTERVAL, ONE "00000006" HEAD "3e03000000000000",
     ONE "00000006" HEAD "3e112e0be826d695"},
};

START_TEST(other_forms)
{
    leat_builder *fields = one_field(others[_i].type, 0), *b = empty();
    struct t_bytes octets = t_hex(others[_i].hex), wanted = t_hex(others[_i].again);
    leat_buffer *out;
    const void *written;
    size_t length;

    ck_assert_int_eq(leat_buffer_new(NULL, &out), LEAT_OK);
    ck_assert_int_eq(
        leat_zeek_record_read(b, NULL, leat_builder_value(fields), octets.data, octets.length),
        LEAT_OK);
    ck_assert_int_eq(leat_zeek_record_write(out, leat_builder_value(fields), leat_builder_value(b)),
                     LEAT_OK);
    written = leat_buffer_data(out, &length);
    ck_assert_uint_eq(length, wanted.length);
    ck_assert_msg(memcmp(written, wanted.data, length) == 0, "%s", others[_i].name);
    leat_buffer_free(out);
    leat_builder_free(b);
    leat_builder_free(fields);
    t_free(octets);
    t_free(wanted);
}
END_TEST

static const struct {
    const char *name;
    uint32_t type, subtype;
    const char *hex;
    const char *what;
    const char *field;
    uint64_t at;
} bad[] = {
    {"nothing", COUNT, 0, "", "the record ends too early", "number of fields", 0},
    {"no fields", COUNT, 0, "00000000", "another number of fields than the log has",
     "number of fields", 0},
    {"two fields", COUNT, 0, "00000002", "another number of fields than the log has",
     "number of fields", 0},
    {"no field", COUNT, 0, "00000001", "more values announced than octets are left",
     "number of fields", 0},
    {"half a header", COUNT, 0, ONE "00000003 00000000",
     "more values announced than octets are left", "number of fields", 0},
    {"half a count", COUNT, 0, ONE "00000003" HEAD "00000000", "the record ends too early", "count",
     13},
    {"another type", COUNT, 0, ONE "00000002" HEAD "0000000000000002",
     "another type than the log has", "int", 4},
    {"absent, of another type", COUNT, 0, ONE "00000002" NONE, "another type than the log has",
     "int", 4},
    {"a pattern", 8, 0, ONE "00000008" HEAD "0000000000000000", "a type whose values are not known",
     "", 4},
    {"a function", FUNC, 0, ONE "00000011" HEAD "0000000000000000",
     "a type whose values are not known", "func", 4},
    {"a high type", 255, 0, ONE "000000ff" HEAD "0000000000000000",
     "a type whose values are not known", "", 4},
    {"type 0", 0, 0, ONE "00000000" HEAD "0000000000000000", "a type whose values are not known",
     "", 4},
    {"a string too long", STRING, 0, ONE "00000007" HEAD "00000003 6161",
     "the record ends too early", "string", 17},
    {"a huge string", STRING, 0, ONE "00000007" HEAD "ffffffff 6161", "the record ends too early",
     "string", 17},
    {"port 65536", PORT, 0, ONE "0000000a" HEAD "0000000000010000 00000001", "not a port", "port",
     4},
    {"a huge port", PORT, 0, ONE "0000000a" HEAD "ffffffff00000050 00000001", "not a port", "port",
     4},
    {"protocol 4", PORT, 0, ONE "0000000a" HEAD "0000000000000050 00000004", "not a port", "port",
     4},
    {"a huge protocol", PORT, 0, ONE "0000000a" HEAD "0000000000000050 ffffffff", "not a port",
     "port", 4},
    {"family 0", ADDR, 0, ONE "0000000b" HEAD "00 0a000001", "unknown family of an address", "addr",
     4},
    {"family 5", ADDR, 0, ONE "0000000b" HEAD "05 0a000001", "unknown family of an address", "addr",
     4},
    {"half an address", ADDR, 0, ONE "0000000b" HEAD "06 0a000001", "the record ends too early",
     "addr", 14},
    {"family 7 of a net", SUBNET, 0, ONE "0000000c" HEAD "60 07 0a000001",
     "unknown family of an address", "addr", 4},
    {"129 bits", SUBNET, 0, ONE "0000000c" HEAD "81 06 20010db8000000000000000000000000",
     "no prefix of such an address", "subnet", 4},
    {"33 bits", SUBNET, 0, ONE "0000000c" HEAD "81 04 0a000000", "no prefix of such an address",
     "subnet", 4},
    {"95 bits", SUBNET, 0, ONE "0000000c" HEAD "5f 04 0a000000", "no prefix of such an address",
     "subnet", 4},
    {"one element too many", SET, COUNT, ONE "0000000e" HEAD "0000000000000001",
     "more values announced than octets are left", "set", 4},
    {"a negative number of elements", VECTOR, COUNT, ONE "00000013" HEAD "ffffffffffffffff",
     "more values announced than octets are left", "vector", 4},
    {"an element of another type", SET, STRING,
     ONE "0000000e" HEAD "0000000000000001 00000009" HEAD "00000001 78",
     "another type than the log has", "enum", 21},
    {"half an element", VECTOR, STRING,
     ONE "00000013" HEAD "0000000000000002 00000007" HEAD "00000005 6161616161",
     "the record ends too early", "", 39},
    {"an element inside without a value", VECTOR, SET,
     ONE "00000013" HEAD "0000000000000001 0000000e" HEAD "0000000000000001 00000003" NONE,
     "an element without a value", "count", 38},
};

START_TEST(malformed)
{
    leat_builder *fields = one_field(bad[_i].type, bad[_i].subtype), *b = empty();
    struct t_bytes octets = t_hex(bad[_i].hex);
    const leat_error *error;
    int status =
        leat_zeek_record_read(b, NULL, leat_builder_value(fields), octets.data, octets.length);

    error = leat_builder_error(b);
    ck_assert_msg(status == LEAT_E_SYNTAX, "%s", bad[_i].name);
    ck_assert_int_eq(leat_error_code(error), LEAT_E_SYNTAX);
    ck_assert_msg(strcmp(leat_error_text(error), bad[_i].what) == 0, "%s: %s", bad[_i].name,
                  leat_error_text(error));
    ck_assert_msg(strcmp(leat_error_field(error), bad[_i].field) == 0, "%s: %s", bad[_i].name,
                  leat_error_field(error));
    ck_assert_msg(leat_error_offset(error) == bad[_i].at, "%s: %u", bad[_i].name,
                  (unsigned)leat_error_offset(error));
    ck_assert_ptr_null(leat_builder_value(b));
    leat_builder_free(b);
    leat_builder_free(fields);
    t_free(octets);
}
END_TEST

/* ----- records ----- */

static leat_builder *two_fields(void)
{
    leat_builder *b = empty();

    leat_builder_open(b, NULL, LEAT_LIST);
    add_field(b, "id.orig_p", PORT, 0);
    add_field(b, "n", COUNT, 0);
    leat_builder_close(b);
    return b;
}

#define PORT_80 "0000000a" HEAD "0000000000000050 00000001"
#define TWO     "00000002 "

static const struct {
    const char *name;
    int list;          /* else a record */
    const char *names; /* of counts, but p and q: ports; x: null */
    const char *hex;   /* NULL: refused */
    const char *what;
    const char *field;
} records[] = {
    {"in order", 0, "pn", TWO PORT_80 " 00000003" HEAD "0000000000000007", NULL, NULL},
    {"in another order", 0, "np", TWO PORT_80 " 00000003" HEAD "0000000000000007", NULL, NULL},
    {"the first one only", 0, "p", TWO PORT_80 " 00000003" NONE, NULL, NULL},
    {"the last one only", 0, "n", TWO "0000000a" NONE " 00000003" HEAD "0000000000000007", NULL,
     NULL},
    {"none", 0, "", TWO "0000000a" NONE " 00000003" NONE, NULL, NULL},
    {"an unknown one", 0, "pnu", NULL, "a field that the log does not have", "record"},
    {"an unknown one in front", 0, "un", NULL, "a field that the log does not have", "record"},
    {"one with a longer name", 0, "q", NULL, "a field that the log does not have", "record"},
    {"one twice", 0, "pnn", NULL, "a field that the log does not have", "record"},
    {"a list", 1, "pn", TWO PORT_80 " 00000003" HEAD "0000000000000007", NULL, NULL},
    {"a list with nothing", 1, "xn", TWO "0000000a" NONE " 00000003" HEAD "0000000000000007", NULL,
     NULL},
    {"a short list", 1, "p", NULL, "another number of values than the log has fields", "record"},
    {"a long list", 1, "pnx", NULL, "another number of values than the log has fields", "record"},
    {"a list in another order", 1, "np", NULL, "a value of another type", "port"},
};

START_TEST(records_by_name_and_place)
{
    leat_builder *fields = two_fields(), *b = empty();
    const char *name;
    leat_buffer *out;
    const void *octets;
    size_t length;
    int status;

    ck_assert_int_eq(leat_buffer_new(NULL, &out), LEAT_OK);
    ck_assert_int_eq(leat_buffer_json(out, NULL), LEAT_OK); /* "null": something is there */
    leat_builder_open(b, NULL, records[_i].list ? LEAT_LIST : LEAT_RECORD);
    for (name = records[_i].names; *name != '\0'; name++) {
        const char letter[2] = {*name, '\0'};

        if (*name == 'x')
            leat_builder_null(b, records[_i].list ? NULL : "x");
        else if (*name == 'p')
            leat_builder_port(b, records[_i].list ? NULL : "id.orig_p", 80, LEAT_PROTOCOL_TCP);
        else if (*name == 'q')
            leat_builder_port(b, "id.orig_port", 80, LEAT_PROTOCOL_TCP);
        else
            leat_builder_u64(b, records[_i].list ? NULL : letter, 7);
    }
    leat_builder_close(b);
    status = leat_zeek_record_write(out, leat_builder_value(fields), leat_builder_value(b));
    octets = leat_buffer_data(out, &length);
    if (records[_i].hex != NULL) {
        struct t_bytes wanted = t_hex(records[_i].hex);

        ck_assert_msg(status == LEAT_OK, "%s", records[_i].name);
        ck_assert_uint_eq(length, wanted.length + 4);
        ck_assert_msg(memcmp((const char *)octets + 4, wanted.data, wanted.length) == 0, "%s",
                      records[_i].name);
        ck_assert_ptr_null(leat_buffer_error(out));
        t_free(wanted);
    } else {
        ck_assert_msg(status == LEAT_E_VALUE, "%s", records[_i].name);
        ck_assert_str_eq(leat_error_text(leat_buffer_error(out)), records[_i].what);
        ck_assert_str_eq(leat_error_field(leat_buffer_error(out)), records[_i].field);
        ck_assert_uint_eq(length, 4);
    }
    leat_buffer_free(out);
    leat_builder_free(b);
    leat_builder_free(fields);
}
END_TEST

/* Values that are not written, as JSON or by kind. */
START_TEST(values_of_other_types)
{
    static const uint8_t octets[16] = {0};
    static const struct {
        uint32_t type, subtype;
        const char *what;
        const char *field;
        uint64_t at;
    } refused[] = {
        {COUNT, 0, "a value of another type", "count", 4},   /* LEAT_INT */
        {INT, 0, "a value of another type", "int", 4},       /* LEAT_UINT */
        {STRING, 0, "a value of another type", "string", 4}, /* LEAT_BYTES */
        {STRING, 0, "a value of another type", "string", 4}, /* LEAT_TABLE */
        {STRING, 0, "a value of another type", "string", 4}, /* LEAT_RECORD */
        {8, 0, "a value of another type", "", 4},            /* LEAT_TEXT */
        {FUNC, 0, "a value of another type", "func", 4},     /* LEAT_TEXT */
        {INT, 0, "a value of another type", "int", 4},       /* LEAT_REAL */
        {VECTOR, COUNT, "a value of another type", "count", 21},
        {VECTOR, SET, "an element without a value", "", 38},
        {VECTOR, SET, "a value of another type", "", 38}, /* LEAT_MAC in it */
    };
    leat_builder *fields = one_field(refused[_i].type, refused[_i].subtype), *b = empty();
    leat_buffer *out;
    size_t length;

    ck_assert_int_eq(leat_buffer_new(NULL, &out), LEAT_OK);
    leat_builder_open(b, NULL, LEAT_LIST);
    switch (_i) {
    case 0:
        leat_builder_i64(b, NULL, 1);
        break;
    case 1:
        leat_builder_u64(b, NULL, 1);
        break;
    case 2:
        leat_builder_bytes(b, NULL, octets, 1);
        break;
    case 3:
    case 4:
        leat_builder_open(b, NULL, _i == 3 ? LEAT_TABLE : LEAT_RECORD);
        leat_builder_close(b);
        break;
    case 5:
    case 6:
        leat_builder_text(b, NULL, "x", 1);
        break;
    case 7:
        leat_builder_f64(b, NULL, 1.0);
        break;
    case 8:
        leat_builder_json(b, NULL, "[-1]", 4);
        break;
    default:
        leat_builder_open(b, NULL, LEAT_LIST);
        leat_builder_open(b, NULL, LEAT_SET);
        if (_i == 9)
            leat_builder_null(b, NULL);
        else
            leat_builder_mac(b, NULL, octets);
        leat_builder_close(b);
        leat_builder_close(b);
    }
    leat_builder_close(b);
    ck_assert_int_eq(leat_zeek_record_write(out, leat_builder_value(fields), leat_builder_value(b)),
                     LEAT_E_VALUE);
    ck_assert_str_eq(leat_error_text(leat_buffer_error(out)), refused[_i].what);
    ck_assert_str_eq(leat_error_field(leat_buffer_error(out)), refused[_i].field);
    ck_assert_uint_eq(leat_error_offset(leat_buffer_error(out)), refused[_i].at);
    (void)leat_buffer_data(out, &length);
    ck_assert_uint_eq(length, 0);
    leat_buffer_free(out);
    leat_builder_free(b);
    leat_builder_free(fields);
}
END_TEST

/* An IPv4 address of 4 octets is one, too. */
START_TEST(short_addresses)
{
    static const uint8_t octets[4] = {10, 0, 0, 1};
    leat_builder *fields = one_field(ADDR, 0), *b = empty();
    struct t_bytes wanted = t_hex(ONE "0000000b" HEAD "04 0a000001");
    leat_buffer *out;
    const void *written;
    size_t length;

    ck_assert_int_eq(leat_buffer_new(NULL, &out), LEAT_OK);
    leat_builder_open(b, NULL, LEAT_LIST);
    leat_builder_address(b, NULL, octets, 4);
    leat_builder_close(b);
    ck_assert_int_eq(leat_zeek_record_write(out, leat_builder_value(fields), leat_builder_value(b)),
                     LEAT_OK);
    written = leat_buffer_data(out, &length);
    ck_assert_uint_eq(length, wanted.length);
    ck_assert_mem_eq(written, wanted.data, length);
    leat_buffer_free(out);
    leat_builder_free(b);
    leat_builder_free(fields);
    t_free(wanted);
}
END_TEST

/* A peer may have sent a subnet with a prefix that there is not. */
START_TEST(long_prefix)
{
    struct t_bytes octets = t_hex("07 20010db8000000000000000000000000 81");
    leat_builder *fields = one_field(SUBNET, 0), *b = empty();
    leat_buffer *out;

    ck_assert_int_eq(leat_buffer_new(NULL, &out), LEAT_OK);
    leat_builder_open(b, NULL, LEAT_LIST);
    ck_assert_int_eq(leat_broker_read(b, NULL, octets.data, octets.length), LEAT_OK);
    leat_builder_close(b);
    ck_assert_int_eq(leat_zeek_record_write(out, leat_builder_value(fields), leat_builder_value(b)),
                     LEAT_E_VALUE);
    ck_assert_str_eq(leat_error_text(leat_buffer_error(out)), "a prefix of more than 128 bits");
    leat_buffer_free(out);
    leat_builder_free(b);
    leat_builder_free(fields);
    t_free(octets);
}
END_TEST

/* Fields and records that are none. */
START_TEST(no_fields)
{
    struct t_bytes octets = t_hex(ONE "00000003" HEAD "0000000000000002");
    leat_builder *none = empty(), *wrong = empty(), *b = empty(), *fields = one_field(COUNT, 0);
    leat_buffer *out;

    ck_assert_int_eq(leat_buffer_new(NULL, &out), LEAT_OK);
    leat_builder_u64(none, NULL, 1);
    ck_assert_int_eq(
        leat_zeek_record_read(b, NULL, leat_builder_value(none), octets.data, octets.length),
        LEAT_E_VALUE);
    ck_assert_str_eq(leat_error_field(leat_builder_error(b)), "fields");
    leat_builder_clear(b);
    leat_builder_json(wrong, NULL, "[[1]]", 5);
    ck_assert_int_eq(
        leat_zeek_record_read(b, NULL, leat_builder_value(wrong), octets.data, octets.length),
        LEAT_E_VALUE);
    ck_assert_str_eq(leat_error_field(leat_builder_error(b)), "name");
    leat_builder_clear(b);
    ck_assert_int_eq(
        leat_zeek_record_read(b, "name", leat_builder_value(fields), octets.data, octets.length),
        LEAT_E_STATE);
    leat_builder_clear(b);
    ck_assert_int_eq(
        leat_zeek_record_read(b, NULL, leat_builder_value(fields), octets.data, octets.length),
        LEAT_OK);
    ck_assert_int_eq(leat_zeek_record_write(out, leat_builder_value(none), leat_builder_value(b)),
                     LEAT_E_VALUE);
    ck_assert_str_eq(leat_error_field(leat_buffer_error(out)), "fields");
    ck_assert_int_eq(leat_zeek_record_write(out, NULL, leat_builder_value(b)), LEAT_E_VALUE);
    ck_assert_int_eq(leat_zeek_record_write(out, leat_builder_value(wrong), leat_builder_value(b)),
                     LEAT_E_VALUE);
    ck_assert_str_eq(leat_error_field(leat_buffer_error(out)), "name");
    ck_assert_int_eq(
        leat_zeek_record_write(out, leat_builder_value(fields), leat_builder_value(none)),
        LEAT_E_VALUE);
    ck_assert_str_eq(leat_error_field(leat_buffer_error(out)), "record");
    ck_assert_int_eq(leat_zeek_record_write(out, leat_builder_value(fields), NULL), LEAT_E_VALUE);
    leat_buffer_free(out);
    leat_builder_free(none);
    leat_builder_free(wrong);
    leat_builder_free(fields);
    leat_builder_free(b);
    t_free(octets);
}
END_TEST

/* In a record of the caller, and without the fields, when it is a list. */
START_TEST(places_of_records)
{
    struct t_bytes octets = t_hex(ONE "00000003" HEAD "0000000000000002");
    leat_builder *b = empty(), *fields = one_field(COUNT, 0);
    char *json;

    leat_builder_open(b, NULL, LEAT_RECORD);
    ck_assert_int_eq(
        leat_zeek_record_read(b, "log", leat_builder_value(fields), octets.data, octets.length),
        LEAT_OK);
    ck_assert_int_eq(leat_zeek_record_read(b, "list", NULL, octets.data, octets.length), LEAT_OK);
    leat_builder_close(b);
    json = t_json_text(leat_builder_value(b));
    ck_assert_str_eq(json, "{\"log\":{\"f\":2},\"list\":[2]}");
    free(json);
    leat_builder_free(b);
    leat_builder_free(fields);
    t_free(octets);
}
END_TEST

/* Depth and values are limited by the builder, on both sides. */
START_TEST(limits)
{
    struct t_bytes octets =
        t_hex(ONE "00000013" HEAD "0000000000000001 00000013" HEAD "0000000000000000");
    static const struct {
        uint64_t depth, values;
        int status;
        const char *what;
    } cases[] = {
        {3, 3, LEAT_OK, ""},
        {2, 0, LEAT_E_LIMIT, "nested too deeply"},
        {0, 2, LEAT_E_LIMIT, "too many values"},
    };
    leat_builder *b = t_limited(cases[_i].depth, cases[_i].values);

    ck_assert_int_eq(leat_zeek_record_read(b, NULL, NULL, octets.data, octets.length),
                     cases[_i].status);
    ck_assert_str_eq(leat_error_text(leat_builder_error(b)), cases[_i].what);
    leat_builder_free(b);
    t_free(octets);
}
END_TEST

/* The limit of the buffer. */
START_TEST(limit_of_a_buffer)
{
    leat_builder *fields = one_field(COUNT, 0), *b = empty();
    leat_limits allowed;
    leat_config config;
    leat_buffer *out;
    size_t length;

    leat_builder_json(b, NULL, "[7]", 3);
    leat_limits_init(&allowed, sizeof allowed);
    leat_config_init(&config, sizeof config);
    config.limits = &allowed;
    allowed.queued_bytes = 21 - (uint64_t)_i;
    ck_assert_int_eq(leat_buffer_new(&config, &out), LEAT_OK);
    ck_assert_int_eq(leat_zeek_record_write(out, leat_builder_value(fields), leat_builder_value(b)),
                     _i == 0 ? LEAT_OK : LEAT_E_LIMIT);
    (void)leat_buffer_data(out, &length);
    ck_assert_uint_eq(length, _i == 0 ? 21 : 0);
    leat_buffer_free(out);
    leat_builder_free(b);
    leat_builder_free(fields);
}
END_TEST

/* A name that no value may have. */
START_TEST(long_names)
{
    struct t_bytes octets = t_hex(ONE "00000003" HEAD "0000000000000002");
    leat_builder *fields = empty(), *b = empty();
    char *name = (char *)malloc(65537);
    unsigned more;

    ck_assert_ptr_nonnull(name);
    memset(name, 'n', 65536);
    for (more = 0; more < 2; more++) {
        name[65535 + more] = '\0';
        leat_builder_clear(fields);
        leat_builder_clear(b);
        leat_builder_open(fields, NULL, LEAT_LIST);
        add_field(fields, name, COUNT, 0);
        leat_builder_close(fields);
        name[65535] = 'n';
        ck_assert_int_eq(
            leat_zeek_record_read(b, NULL, leat_builder_value(fields), octets.data, octets.length),
            more == 0 ? LEAT_OK : LEAT_E_LIMIT);
    }
    free(name);
    leat_builder_free(b);
    leat_builder_free(fields);
    t_free(octets);
}
END_TEST

/* ----- info and fields ----- */

START_TEST(info_and_field)
{
    leat_builder *b = empty(), *table = empty();
    leat_zeek_log_info info, again;
    leat_zeek_log_field field, same;
    char *json;

    leat_zeek_log_info_init(&info, sizeof info);
    leat_zeek_log_info_init(&again, sizeof again);
    ck_assert_int_eq(leat_zeek_log_info_write(b, NULL, &info), LEAT_OK);
    json = t_json_text(leat_builder_value(b));
    ck_assert_str_eq(json, "[\"\",0.0,0.0,0.0,[],\"\"]");
    free(json);
    ck_assert_uint_eq(leat_value_kind(leat_value_at(leat_builder_value(b), 4)), LEAT_TABLE);
    leat_builder_clear(b);
    leat_builder_open(table, NULL, LEAT_TABLE);
    leat_builder_text(table, NULL, "k", 1);
    leat_builder_text(table, NULL, "v", 1);
    leat_builder_close(table);
    info.path = "conn";
    info.path_length = 4;
    info.rotation_interval = 3600;
    info.rotation_base = 0.5;
    info.network_time = 1.5;
    info.config = leat_builder_value(table);
    info.post_processor = "gzip";
    info.post_processor_length = 4;
    ck_assert_int_eq(leat_zeek_log_info_write(b, NULL, &info), LEAT_OK);
    json = t_json_text(leat_builder_value(b));
    ck_assert_str_eq(json, "[\"conn\",3600.0,0.5,1.5,[{\"key\":\"k\",\"value\":\"v\"}],\"gzip\"]");
    free(json);
    ck_assert_int_eq(leat_zeek_log_info_read(leat_builder_value(b), &again), LEAT_OK);
    ck_assert_uint_eq(again.path_length, 4);
    ck_assert_mem_eq(again.path, "conn", 4);
    ck_assert(again.rotation_interval == 3600 && again.rotation_base == 0.5 &&
              again.network_time == 1.5);
    ck_assert(leat_value_equal(again.config, info.config));
    ck_assert_uint_eq(again.post_processor_length, 4);
    ck_assert_mem_eq(again.post_processor, "gzip", 4);
    leat_builder_clear(b);

    leat_zeek_log_field_init(&field, sizeof field);
    leat_zeek_log_field_init(&same, sizeof same);
    field.name = "id.orig_h";
    field.name_length = 9;
    field.secondary = "other";
    field.secondary_length = 5;
    field.type = SET;
    field.subtype = ADDR;
    field.optional = 1;
    ck_assert_int_eq(leat_zeek_log_field_write(b, &field), LEAT_OK);
    json = t_json_text(leat_builder_value(b));
    ck_assert_str_eq(json, "[\"id.orig_h\",\"other\",14,11,true]");
    free(json);
    ck_assert_int_eq(leat_zeek_log_field_read(leat_builder_value(b), &same), LEAT_OK);
    ck_assert_uint_eq(same.name_length, 9);
    ck_assert_mem_eq(same.name, "id.orig_h", 9);
    ck_assert_uint_eq(same.secondary_length, 5);
    ck_assert_mem_eq(same.secondary, "other", 5);
    ck_assert(same.type == SET && same.subtype == ADDR && same.optional == 1);
    leat_builder_clear(b);
    field.secondary = NULL;
    field.optional = 0;
    ck_assert_int_eq(leat_zeek_log_field_write(b, &field), LEAT_OK);
    ck_assert_int_eq(leat_zeek_log_field_read(leat_builder_value(b), &same), LEAT_OK);
    ck_assert_ptr_null(same.secondary);
    ck_assert_uint_eq(same.optional, 0);
    leat_builder_free(b);
    leat_builder_free(table);
}
END_TEST

/* What is wrong with them, and structs of other sizes. */
START_TEST(no_info_and_no_field)
{
    leat_builder *b = empty(), *list = empty();
    leat_zeek_log_info info;
    leat_zeek_log_field field;
    struct {
        leat_zeek_log_field field;
        uint64_t more;
    } newer;

    leat_builder_json(list, NULL, "[\"a\",1.5,2]", 11);
    leat_zeek_log_info_init(&info, sizeof info);
    leat_zeek_log_field_init(&field, sizeof field);
    ck_assert_int_eq(leat_zeek_log_info_read(leat_builder_value(list), &info), LEAT_E_SYNTAX);
    ck_assert_str_eq(info.field, "rotation base");
    ck_assert_int_eq(leat_zeek_log_field_read(leat_builder_value(list), &field), LEAT_E_SYNTAX);
    ck_assert_str_eq(field.field, "secondary name");
    ck_assert_int_eq(leat_zeek_log_info_read(NULL, &info), LEAT_E_SYNTAX);
    ck_assert_str_eq(info.field, "info");
    ck_assert_int_eq(leat_zeek_log_field_read(NULL, &field), LEAT_E_SYNTAX);
    ck_assert_str_eq(field.field, "field");

    info.config = leat_builder_value(list);
    ck_assert_int_eq(leat_zeek_log_info_write(b, NULL, &info), LEAT_E_VALUE);
    ck_assert_str_eq(leat_error_field(leat_builder_error(b)), "config");
    leat_builder_clear(b);
    info.size = field.size = 0;
    ck_assert_int_eq(leat_zeek_log_info_write(b, NULL, &info), LEAT_E_VALUE);
    ck_assert_int_eq(leat_zeek_log_info_write(b, NULL, &info), LEAT_E_VALUE);
    leat_builder_clear(b);
    ck_assert_int_eq(leat_zeek_log_field_write(b, &field), LEAT_E_VALUE);
    leat_builder_clear(b);
    ck_assert_int_eq(leat_zeek_log_info_read(leat_builder_value(list), &info), LEAT_E_VALUE);
    ck_assert_int_eq(leat_zeek_log_field_read(leat_builder_value(list), &field), LEAT_E_VALUE);

    leat_zeek_log_field_init(&newer.field, sizeof newer);
    newer.field.name = "n";
    newer.field.name_length = 1;
    newer.more = 7;
    ck_assert_int_eq(leat_zeek_log_field_write(b, &newer.field), LEAT_OK);
    ck_assert_int_eq(leat_zeek_log_field_read(leat_builder_value(b), &newer.field), LEAT_OK);
    ck_assert_uint_eq(newer.more, 7);
    ck_assert_uint_eq(newer.field.size, sizeof newer);
    leat_builder_free(b);
    leat_builder_free(list);
}
END_TEST

/* ----- memory ----- */

static int read_and_write(const leat_config *config, const void *arg)
{
    static const char *const all =
        "00000003 0000000e" HEAD "0000000000000002 00000007" HEAD "00000001 79 00000007" HEAD
        "00000001 78 0000000c" HEAD "68 04 0a000000 0000000b" HEAD "04 0a000001";
    struct t_bytes octets = t_hex(all);
    leat_builder *fields = empty(), *b = NULL;
    leat_buffer *out = NULL;
    int status;

    (void)arg;
    leat_builder_open(fields, NULL, LEAT_LIST);
    add_field(fields, "a set with a name", SET, STRING);
    add_field(fields, "a net with a name", SUBNET, 0);
    add_field(fields, "an address with a name", ADDR, 0);
    leat_builder_close(fields);
    status = leat_builder_new(config, &b);
    if (status == LEAT_OK)
        status = leat_buffer_new(config, &out);
    if (status == LEAT_OK)
        status =
            leat_zeek_record_read(b, NULL, leat_builder_value(fields), octets.data, octets.length);
    if (status == LEAT_OK)
        status = leat_zeek_record_write(out, leat_builder_value(fields), leat_builder_value(b));
    if (status == LEAT_OK) {
        leat_zeek_log_info info;
        leat_zeek_log_field field;

        leat_zeek_log_info_init(&info, sizeof info);
        leat_zeek_log_field_init(&field, sizeof field);
        leat_builder_clear(b);
        leat_builder_open(b, NULL, LEAT_LIST);
        (void)leat_zeek_log_info_write(b, NULL, &info);
        (void)leat_zeek_log_field_write(b, &field);
        status = leat_builder_close(b);
    }
    leat_builder_free(b);
    leat_buffer_free(out);
    leat_builder_free(fields);
    t_free(octets);
    return status;
}

START_TEST(memory_fails)
{
    t_every_alloc(read_and_write, NULL);
}
END_TEST

static void tests(TCase *t)
{
    tcase_add_loop_test(t, every_type, 0, (int)(sizeof values / sizeof *values));
    tcase_add_loop_test(t, other_forms, 0, (int)(sizeof others / sizeof *others));
    tcase_add_loop_test(t, malformed, 0, (int)(sizeof bad / sizeof *bad));
    tcase_add_loop_test(t, records_by_name_and_place, 0, (int)(sizeof records / sizeof *records));
    tcase_add_loop_test(t, values_of_other_types, 0, 11);
    tcase_add_test(t, short_addresses);
    tcase_add_test(t, long_prefix);
    tcase_add_test(t, no_fields);
    tcase_add_test(t, places_of_records);
    tcase_add_loop_test(t, limits, 0, 3);
    tcase_add_loop_test(t, limit_of_a_buffer, 0, 2);
    tcase_add_test(t, long_names);
    tcase_add_test(t, info_and_field);
    tcase_add_test(t, no_info_and_no_field);
    tcase_add_test(t, memory_fails);
}

T_MAIN("zeek/log", tests)
