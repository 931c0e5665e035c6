/* The JSON form of values, against Broker's own writer and reader. */
#include "lines.h"

#include <leat/broker.h>
#include <math.h>

static leat_builder *builder, *other;
static leat_buffer *buffer;

static void setup(void)
{
    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    ck_assert_int_eq(leat_builder_new(NULL, &other), LEAT_OK);
    ck_assert_int_eq(leat_buffer_new(NULL, &buffer), LEAT_OK);
}

static void teardown(void)
{
    leat_builder_free(builder);
    leat_builder_free(other);
    leat_buffer_free(buffer);
}

static int read_binary(const char *hex)
{
    struct t_bytes octets = t_hex(hex);
    int status;

    leat_builder_clear(builder);
    status = leat_broker_read(builder, NULL, octets.data, octets.length);
    t_free(octets);
    return status;
}

static int read_text(const void *text, size_t length)
{
    leat_builder_clear(builder);
    return leat_broker_json_read(builder, NULL, (const char *)text, length);
}

/* The text of what the builder holds; NULL if it has none. Borrowed. */
static const char *write_text(size_t *length)
{
    leat_buffer_clear(buffer);
    if (leat_broker_json(buffer, leat_builder_value(builder)) != LEAT_OK)
        return NULL;
    return (const char *)leat_buffer_data(buffer, length);
}

static void is_binary(const char *hex, const char *what)
{
    leat_buffer_clear(buffer);
    ck_assert_int_eq(leat_broker_write(buffer, leat_builder_value(builder)), LEAT_OK);
    same_buffer(buffer, hex, what);
}

/* Values that we write otherwise than Broker: their text, or NULL if they are refused. */
static const struct {
    const char *what;
    const char *text;
} better[] = {
#define REAL(digits) "{\"@data-type\":\"real\",\"data\":" digits "}"
#define STRING(text) "{\"@data-type\":\"string\",\"data\":\"" text "\"}"
#define TIME(text)   "{\"@data-type\":\"timestamp\",\"data\":\"" text "\"}"
    /* As many digits as it takes; Broker writes six decimals. */
    {"real 1/3", REAL("0.3333333333333333")},
    {"real pi", REAL("3.141592653589793")},
    {"real 1e22", REAL("1.0e22")},
    {"real 1e100", REAL("1.0e100")},
    {"real 1e-7 (JSON text loses it)", REAL("1.0e-7")},
    {"real epsilon", REAL("2.220446049250313e-16")},
    {"real 1+epsilon", REAL("1.0000000000000002")},
    {"real largest below 2", REAL("1.9999999999999998")},
    {"real DBL_MAX", REAL("1.7976931348623157e308")},
    {"real -DBL_MAX", REAL("-1.7976931348623157e308")},
    {"real DBL_MIN smallest normal", REAL("2.2250738585072014e-308")},
    /* What Broker's encoding makes of it is an ordinary number. */
    {"real smallest subnormal 2^-1074 (encoding is garbage)", REAL("-1.596672247627776e293")},
    /* Not JSON, and not read by Broker. */
    {"real +infinity (Broker bit pattern is swapped)", NULL},
    {"real -infinity (Broker bit pattern is swapped)", NULL},
    {"set of reals with infinities and zero", NULL},
    /* Control characters are escaped, which is JSON. */
    {"string vertical tab (JSON text is not valid JSON)", STRING("a\\u000bb")},
    {"string with NUL", STRING("a\\u0000b")},
    {"string control 0x01 0x1f 0x7f", STRING("\\u0001\\u001f\x7f")},
    {"string invalid utf-8", NULL},
    /* All digits; Broker cuts to milliseconds, and has none before 1970. */
    {"timestamp 1ns", TIME("1970-01-01T00:00:00.000000001")},
    {"timestamp 999999ns (below JSON resolution)", TIME("1970-01-01T00:00:00.000999999")},
    {"timestamp sub-millisecond digits", TIME("2020-09-01T15:58:42.372123456")},
    {"timestamp -1.5s", TIME("1969-12-31T23:59:58.500")},
    {"timestamp -1ns", TIME("1969-12-31T23:59:59.999999999")},
    {"timestamp 9999-12-31 out of int64 range neighbour: max",
     TIME("2262-04-11T23:47:16.854775807")},
    {"timestamp min", TIME("1677-09-21T00:12:43.145224192")},
    {"set of every scalar type (order is by tag)",
     "{\"@data-type\":\"set\",\"data\":[{\"@data-type\":\"none\",\"data\":{}},"
     "{\"@data-type\":\"boolean\",\"data\":true},{\"@data-type\":\"count\",\"data\":1},"
     "{\"@data-type\":\"integer\",\"data\":-1}," REAL("1.5") "," STRING(
         "s") ","
              "{\"@data-type\":\"address\",\"data\":\"10.0.0.1\"},"
              "{\"@data-type\":\"subnet\",\"data\":\"10.0.0.0/8\"},"
              "{\"@data-type\":\"port\",\"data\":\"1/tcp\"}," TIME(
                  "1970-01-01T00:00:00.000000005") ","
                                                   "{\"@data-type\":\"timespan\",\"data\":\"5ns\"},"
                                                   "{\"@data-type\":\"enum-value\",\"data\":\"e\"}]"
                                                   "}"},
};

#define BETTER (sizeof better / sizeof *better)

/* Everything else is, as JSON, what Broker wrote; a huge one is not in the file. */
static void is_brokers_text(const leat_value *line, const char *text, size_t length,
                            const char *what)
{
    const leat_value *json = leat_value_get(line, "json");
    size_t brokers_length;
    const char *brokers = leat_value_text(leat_value_get(line, "json_text"), &brokers_length);
    leat_builder *ours = t_json(text, length);
    char *copy;

    if (json != NULL)
        ck_assert_msg(leat_value_equal(leat_builder_value(ours), json), "%s: %.*s", what,
                      (int)length, text);
    /* Reals apart, which have six decimals there, it is the same text. */
    copy = text_of(line, "json_text");
    if (copy != NULL && strstr(copy, "\"real\"") == NULL)
        ck_assert_msg(brokers_length == length && memcmp(brokers, text, length) == 0,
                      "%s:\n got %.*s\nwant %s", what, (int)length, text, copy);
    free(copy);
    ck_assert(json != NULL || brokers_length > 0 || strstr(what, "16384 none") != NULL);
    leat_builder_free(ours);
}

START_TEST(every_value_as_text_and_back)
{
    struct lines lines;
    unsigned seen = 0;

    lines_open(&lines, "broker/data.jsonl");
    while (lines_next(&lines)) {
        char *what = text_of(lines.line, "desc"), *hex = text_of(lines.line, "hex");
        const char *text;
        size_t length = 0, i = 0;

        if (read_binary(hex) == LEAT_E_LIMIT) {
            ck_assert_str_eq(what, "vector nested 1000 deep");
            free(what);
            free(hex);
            continue;
        }
        text = write_text(&length);
        while (i < BETTER && strcmp(better[i].what, what) != 0)
            i++;
        if (i < BETTER) {
            seen++;
            ck_assert_msg((text == NULL) == (better[i].text == NULL), "%s", what);
            if (text != NULL)
                ck_assert_msg(length == strlen(better[i].text) &&
                                  memcmp(text, better[i].text, length) == 0,
                              "%s: %.*s", what, (int)length, text);
        } else if (strcmp(what, "real NaN (quiet, all ones)") == 0) {
            ck_assert_int_eq((int)length, 32);
            ck_assert_int_eq(memcmp(text, "{\"@data-type\":\"real\",\"data\":nan}", length), 0);
        } else {
            ck_assert_msg(text != NULL, "%s: %s", what, leat_error_text(leat_buffer_error(buffer)));
            is_brokers_text(lines.line, text, length, what);
        }
        if (text != NULL) {
            leat_builder_clear(other);
            ck_assert_int_eq(leat_broker_json_read(other, NULL, text, length), LEAT_OK);
            /* Subnormals are zero in either form. */
            ck_assert_msg(
                leat_value_equal(leat_builder_value(builder), leat_builder_value(other)) ||
                    strstr(what, "largest subnormal") != NULL,
                "%s: %.*s", what, (int)length, text);
        }
        free(what);
        free(hex);
    }
    ck_assert_uint_eq(seen, BETTER);
}
END_TEST

/* Texts of Broker that we read otherwise than it does itself; NULL: refused. */
static const struct {
    const char *what;
    const char *hex;
} read_better[] = {
    /* Correctly rounded, and of any size; Broker goes through an integer. */
    {"real 1e17", "044376345785d8a000"},
    {"real 1e22", "044480f0cf064dd592"},
    {"real 1e100", "0454b249ad2594c37d"},
    {"real DBL_MAX", "047fefffffffffffff"},
    {"real -DBL_MAX", "04ffefffffffffffff"},
    /* What Broker writes it should be able to read. */
    {"real +infinity (Broker bit pattern is swapped)", "04fff0000000000000"},
    {"real -infinity (Broker bit pattern is swapped)", "047ff0000000000000"},
    {"set of reals with infinities and zero", "0c05047ff000000000000004bff0000000000000040000000000"
                                              "000000047e37e43c8800759c04fff0000000000000"},
    {"string with NUL", "0503610062"},
    /* Exactly; Broker goes through a double. */
    {"timespan 2^53+1 ns (JSON parse goes through double)", "0a0020000000000001"},
    {"timespan max", "0a7fffffffffffffff"},
};

#define READ_BETTER (sizeof read_better / sizeof *read_better)

START_TEST(every_text_of_broker)
{
    struct lines lines;
    unsigned seen = 0;

    lines_open(&lines, "broker/data.jsonl");
    while (lines_next(&lines)) {
        char *what = text_of(lines.line, "desc"), *verdict = text_of(lines.line, "json_to_binary");
        char *text_hex = text_of(lines.line, "json_text_hex");
        char *want =
            text_of(lines.line, strcmp(verdict, "differs") == 0 ? "json_to_binary_hex" : "hex");
        size_t length, i = 0;
        const char *text = leat_value_text(leat_value_get(lines.line, "json_text"), &length);
        struct t_bytes copy = text_hex != NULL ? t_hex(text_hex) : t_copy(text, length);

        while (i < READ_BETTER && strcmp(read_better[i].what, what) != 0)
            i++;
        if (i < READ_BETTER) {
            seen++;
            ck_assert_msg(read_text(copy.data, copy.length) == LEAT_OK, "%s", what);
            is_binary(read_better[i].hex, what);
        } else if (copy.length > 0 && strcmp(verdict, "rejected") == 0) {
            ck_assert_msg(read_text(copy.data, copy.length) != LEAT_OK, "%s", what);
        } else if (copy.length > 0) {
            ck_assert_msg(read_text(copy.data, copy.length) == LEAT_OK, "%s: %s", what,
                          leat_error_text(leat_builder_error(builder)));
            is_binary(want, what);
        }
        t_free(copy);
        free(what);
        free(verdict);
        free(text_hex);
        free(want);
    }
    ck_assert_uint_eq(seen, READ_BETTER);
}
END_TEST

/* What we judge otherwise than Broker; NULL: refused. */
static const struct {
    const char *what;
    const char *hex;
} stricter[] = {
    /* Not JSON. */
    {"count 007", NULL},
    {"count +1", NULL},
    {"count 0x10", NULL},
    {"count 0b101", NULL},
    {"real .5", NULL},
    {"real 5.", NULL},
    /* Not what anybody meant: Broker makes ::/0, 0/tcp, 80/? and another year of these. */
    {"subnet /33 v4 (becomes ::/0)", NULL},
    {"subnet /129", NULL},
    {"subnet trailing junk", NULL},
    {"port 80/foo (unknown)", NULL},
    {"port 65536/tcp (wraps)", NULL},
    {"port abc", NULL},
    {"port empty", NULL},
    {"port 80/TCP", NULL},
    {"port -1/tcp", NULL},
    {"timestamp 2500-01-01T00:00:00", NULL},
    /* Written by Broker, so read by us. */
    {"real inf", "04fff0000000000000"},
    /* A slash, where Broker reads a question mark. */
    {"string ok with escapes", "0507610a09225c2f41"},
    /* Exactly. */
    {"timespan 9007199254740993ns", "0a0020000000000001"},
};

#define STRICTER (sizeof stricter / sizeof *stricter)

START_TEST(every_other_text)
{
    struct lines lines;
    unsigned seen = 0, count = 0;

    lines_open(&lines, "broker/invalid.jsonl");
    while (lines_next(&lines)) {
        char *what = text_of(lines.line, "desc"), *text_hex = text_of(lines.line, "hex");
        char *want = text_of(lines.line, "binary_hex");
        struct t_bytes text = t_hex(text_hex == NULL ? "" : text_hex);
        const char *hex;
        size_t i = 0;

        if (has_text(lines.line, "kind", "json")) {
            int status = read_text(text.data, text.length);

            count++;
            while (i < STRICTER && strcmp(stricter[i].what, what) != 0)
                i++;
            if (i < STRICTER) {
                seen++;
            }
            hex = i < STRICTER ? stricter[i].hex : want;
            ck_assert_msg((status == LEAT_OK) == (hex != NULL), "%s: %s", what,
                          leat_status_name(status));
            if (hex != NULL)
                is_binary(hex, what);
        }
        t_free(text);
        free(what);
        free(text_hex);
        free(want);
    }
    ck_assert_uint_eq(seen, STRICTER);
    ck_assert_uint_eq(count, 142);
}
END_TEST

#define OF(type, data) "{\"@data-type\":\"" type "\",\"data\":" data "}"

#define NOTHING OF("none", "{}")
#define YES     OF("boolean", "true")
#define ONE     OF("count", "1")
#define TWO     OF("count", "2")
#define EMPTY   OF("table", "[]")
#define MINUS   OF("integer", "-1")
#define HALF    OF("real", "0.5")
#define LETTER  OF("string", "\"\\u00e4\"")
#define ADDRESS OF("address", "\"::1\"")
#define SUBNET  OF("subnet", "\"10.0.0.0/8\"")
#define PORT    OF("port", "\"1/udp\"")
#define MOMENT  OF("timestamp", "\"2022-04-10T07:00:00.000\"")
#define SPAN    OF("timespan", "\"1ms\"")
#define NAME    OF("enum-value", "\"E\"")
#define SET     "{\"@data-type\":\"set\",\"data\":["
#define TABLE   "{\"@data-type\":\"table\",\"data\":["
#define VECTOR  "{\"@data-type\":\"vector\",\"data\":["

static const struct {
    const char *what;
    const char *text;
    int status;
    uint64_t at;
    const char *field;
} errors[] = {
    {"nothing", "", LEAT_E_SYNTAX, 0, ""},
    {"cut off", "{\"@data-type\":\"count\",\"data\":", LEAT_E_SYNTAX, 29, ""},
    {"no object", " 7", LEAT_E_SYNTAX, 0, ""},
    {"no type", "{\"data\":1}", LEAT_E_SYNTAX, 0, ""},
    {"a type that is no text", "{\"@data-type\":1,\"data\":1}", LEAT_E_SYNTAX, 2, ""},
    {"an unknown type", OF("counter", "1"), LEAT_E_SYNTAX, 15, ""},
    {"no data", "{\"@data-type\":\"count\"}", LEAT_E_SYNTAX, 15, "count"},
    {"a number for a text", OF("string", "1"), LEAT_E_SYNTAX, 24, "string"},
    {"a text for a number", OF("count", "\"1\""), LEAT_E_SYNTAX, 30, "count"},
    {"a bad address", OF("address", "\"1.2.3\""), LEAT_E_SYNTAX, 32, "address"},
    {"an empty address", OF("address", "\"\""), LEAT_E_SYNTAX, 32, "address"},
    {"inside", OF("vector", "[" OF("none", "{}") "," OF("count", "-1") "]"), LEAT_E_SYNTAX, 86,
     "count"},
    {"a bare element", OF("vector", "[" OF("none", "{}") ",1]"), LEAT_E_SYNTAX, 46, ""},
    {"an object for a vector", OF("vector", "{}"), LEAT_E_SYNTAX, 24, "vector"},
    {"a pair without value", OF("table", "[{\"key\":" OF("none", "{}") "}]"), LEAT_E_SYNTAX, 15,
     "table"},
    {"a pair that is a list", OF("table", "[[]]"), LEAT_E_SYNTAX, 15, "table"},
    {"twice", OF("set", "[" OF("count", "1") "," OF("count", "1") "]"), LEAT_E_SYNTAX, 75, "set"},
    {"twice, apart", OF("set", "[" OF("count", "1") "," OF("none", "0") "," OF("count", "1") "]"),
     LEAT_E_SYNTAX, 0, ""},
    {"text behind", OF("count", "1") " ,", LEAT_E_SYNTAX, 32, ""},
    {"a carriage return", OF("string", "\"\\\"\\\\\r\"") "\r", LEAT_E_SYNTAX, 38, ""},
    {"a number beyond all reals", OF("real", "1e999"), LEAT_E_LIMIT, 28, ""},
    /* Names with escapes do not stand in the text: the error is where the last one that did. */
    {"escaped names", "{\"@data\\u002dtype\":\"count\",\"dat\\u0061\":\"x\"}", LEAT_E_SYNTAX, 40,
     "count"},
};

START_TEST(errors_have_their_place)
{
    int status = read_text(errors[_i].text, strlen(errors[_i].text));
    const leat_error *error = leat_builder_error(builder);

    ck_assert_msg(status == errors[_i].status, "%s: %s", errors[_i].what, leat_status_name(status));
    ck_assert_msg(leat_error_offset(error) == errors[_i].at, "%s: %s at %u", errors[_i].what,
                  leat_error_text(error), (unsigned)leat_error_offset(error));
    ck_assert_str_eq(leat_error_field(error), errors[_i].field);
    ck_assert_ptr_null(leat_builder_value(builder));
}
END_TEST

/* Texts of scalars, and the value as leat_value_i64() tells it. */
static const struct {
    const char *type;
    const char *text;
    bool sound;
    int64_t value;
} scalars[] = {
    {"timestamp", "1970-01-01T00:00:01", true, 1000000000},
    {"timestamp", "1970-01-01T00:00:01Z", true, 1000000000},
    {"timestamp", "1970-01-01T01:00:01+01", true, 1000000000},
    {"timestamp", "1969-12-31T18:30:01-05:30", true, 1000000000},
    {"timestamp", "1970-01-01T00:00:00.1", true, 100000000},
    {"timestamp", "1970-01-01T00:00:00.123456789-0000", true, 123456789},
    {"timestamp", "1969-12-31T23:59:59.999999999", true, -1},
    {"timestamp", "2000-02-29T00:00:00", true, INT64_C(951782400000000000)},
    {"timestamp", "2000-03-01T00:00:00", true, INT64_C(951868800000000000)},
    {"timestamp", "1999-12-31T00:00:00", true, INT64_C(946598400000000000)},
    {"timestamp", "1900-03-01T00:00:00", true, INT64_C(-2203891200000000000)},
    {"timestamp", "2262-04-11T23:47:16.854775807", true, INT64_MAX},
    {"timestamp", "2262-04-11T23:47:16.854775808", false, 0},
    {"timestamp", "2262-04-11T23:47:17", false, 0},
    {"timestamp", "1677-09-21T00:12:43.145224192", true, INT64_MIN},
    {"timestamp", "1677-09-21T00:12:43.145224191", false, 0},
    {"timestamp", "1677-09-21T00:12:42", false, 0},
    {"timestamp", "0000-01-01T00:00:00", false, 0},
    {"timestamp", "9999-12-31T23:59:59", false, 0},
    {"timestamp", "1900-02-29T00:00:00", false, 0},
    {"timestamp", "2000-00-01T00:00:00", false, 0},
    {"timestamp", "2000-01-00T00:00:00", false, 0},
    {"timestamp", "2000-04-31T00:00:00", false, 0},
    {"timestamp", "2000-01-01T00:60:00", false, 0},
    {"timestamp", "2000-01-01T00:00:60", false, 0},
    {"timestamp", "2000-01-01T00:00:00.", false, 0},
    {"timestamp", "2000-01-01T00:00:00z", false, 0},
    {"timestamp", "2000-01-01T00:00:00+1", false, 0},
    {"timestamp", "2000-01-01T00:00:00+01:", false, 0},
    {"timestamp", "2000-01-01T00:00:00+01:0", false, 0},
    {"timestamp", "2000-01-01T00:00:00+010", false, 0},
    {"timestamp", "2000-01-01T00:00:00+24", false, 0},
    {"timestamp", "2000-01-01T00:00:00+00:60", false, 0},
    {"timestamp", "2000-01-01T00:00:00 +00", false, 0},
    {"timestamp", "2000-01-01t00:00:00", false, 0},
    {"timestamp", "+200-01-01T00:00:00", false, 0},
    {"timespan", "9223372036854775807ns", true, INT64_MAX},
    {"timespan", "-9223372036854775808ns", true, INT64_MIN},
    {"timespan", "9223372036854775808ns", false, 0},
    {"timespan", "9223372036854775us", true, INT64_C(9223372036854775000)},
    {"timespan", "9223372036854776us", false, 0},
    {"timespan", "-9223372036854776us", false, 0},
    {"timespan", "2562047h", true, INT64_C(9223369200000000000)},
    {"timespan", "2562048h", false, 0},
    {"timespan", "0.3s", true, 300000000},
    {"timespan", "-0.5ns", true, -1},
    {"timespan", "0.4ns", true, 0},
    {"timespan", ".5min", true, INT64_C(30000000000)},
    {"timespan", "+.5e1us", true, 5000},
    {"timespan", "1e300h", false, 0},
    {"timespan", "-1e19ns", false, 0},
    {"timespan", "9.3e18ns", false, 0},
    {"timespan", "+-1s", false, 0},
    {"timespan", "--1s", false, 0},
    {"timespan", "+s", false, 0},
    {"timespan", "min", false, 0},
    {"timespan", "1 min", false, 0},
    {"timespan", "1Min", false, 0},
    {"timespan", "1d", false, 0},
    {"timespan", "0x1s", false, 0},
    {"timespan", "infs", false, 0},
};

START_TEST(scalars_from_text)
{
    char text[128];
    int status;

    strcpy(text, "{\"@data-type\":\"");
    strcat(text, scalars[_i].type);
    strcat(text, "\",\"data\":\"");
    strcat(text, scalars[_i].text);
    strcat(text, "\"}");
    status = read_text(text, strlen(text));
    ck_assert_msg((status == LEAT_OK) == scalars[_i].sound, "%s: %s", text,
                  leat_status_name(status));
    if (scalars[_i].sound)
        ck_assert_msg(leat_value_i64(leat_builder_value(builder)) == scalars[_i].value, "%s: %lld",
                      text, (long long)leat_value_i64(leat_builder_value(builder)));
}
END_TEST

/* Members in any order, unknown ones, duplicates, white space: the value is found. */
static const struct {
    const char *text;
    const char *hex;
} shapes[] = {
    {"{\"data\":[{\"data\":7,\"@data-type\":\"count\"}],\"@data-type\":\"vector\"}",
     "0e01020000000000000007"},
    {"{\"x\":{\"data\":[]},\"@data-type\":\"none\",\"@data-type\":\"count\",\"data\":3}", "00"},
    {"\n\t {\"@data-type\" : \"table\", \"data\" : [ { \"value\" : " VECTOR NOTHING
     "]}, \"x\" : [ ], \"key\" : " SET TWO "," YES "]} } ] } ",
     "0d010c020101020000000000000002"
     "0e0100"},
    {TABLE "{\"value\":" YES ",\"key\":" TWO "},{\"key\":" ONE ",\"value\":" EMPTY "}]}",
     "0d020200000000000000010d000200000000000000020101"},
    {OF("string", "\"\\ud83d\\ude00 \x01 \\/ \\v\""), "050af09f98802001202f200b"},
    {"{\"@data-type\":\"string\",\"data\":\"\\r\r\"}", "05020d0d"},
    {OF("address", "\"::ffff:10.0.0.1\""), "0600000000000000000000ffff0a000001"},
    {OF("subnet", "\"::ffff:10.9.8.7/8\""), "0700000000000000000000ffff0a00000068"},
    {OF("subnet", "\"2001:db8::1/32\""), "0720010db800000000000000000000000020"},
    {OF("port", "\"65535\""), "08ffff01"},
    {OF("enum-value", "\"A::B\""), "0b04413a3a42"},
    {"{\"type\":\"data-message\",\"topic\":\"/t\","
     "\"@data-type\":\"integer\",\"data\":-1}",
     "03ffffffffffffffff"},
};

START_TEST(shapes_of_text)
{
    int status = read_text(shapes[_i].text, strlen(shapes[_i].text));

    ck_assert_msg(status == LEAT_OK, "%s: %s", shapes[_i].text,
                  leat_error_text(leat_builder_error(builder)));
    is_binary(shapes[_i].hex, shapes[_i].text);
}
END_TEST

static struct t_bytes nested(size_t deep, const char *start, const char *inner, const char *end)
{
    struct t_bytes text = {NULL, 0};
    size_t i;

    for (i = 0; i < deep; i++)
        t_append(&text, start, strlen(start));
    t_append(&text, inner, strlen(inner));
    for (i = 0; i < deep; i++)
        t_append(&text, end, strlen(end));
    return text;
}

/* 128 levels of objects and arrays: what Broker reads. What we write has no more. */
START_TEST(levels_have_two_sides)
{
    static const struct {
        const char *start, *inner, *end, *octets;
        size_t fits;
    } cases[] = {
        {"{\"@data-type\":\"vector\",\"data\":[", OF("count", "1"), "]}", "0e01", 63},
        {"{\"@data-type\":\"vector\",\"data\":[", OF("none", "{}"), "]}", "0e01", 63},
        {"{\"@data-type\":\"set\",\"data\":[", OF("vector", "[]"), "]}", "0c01", 63},
        {"{\"@data-type\":\"table\",\"data\":[{\"key\":" OF("none", "{}") ",\"value\":",
         OF("boolean", "true"), "}]}", "0d0100", 42},
    };
    struct t_bytes fits = nested(cases[_i].fits, cases[_i].start, cases[_i].inner, cases[_i].end);
    struct t_bytes over =
        nested(cases[_i].fits + 1, cases[_i].start, cases[_i].inner, cases[_i].end);
    struct t_bytes binary;
    const char *text;
    size_t length;

    ck_assert_int_eq(read_text(fits.data, fits.length), LEAT_OK);
    text = write_text(&length);
    ck_assert_ptr_nonnull(text);
    ck_assert(length == fits.length && memcmp(text, fits.data, length) == 0);
    ck_assert_int_eq(read_text(over.data, over.length), LEAT_E_LIMIT);

    binary = nested(cases[_i].fits + 1, cases[_i].octets, "0102", "");
    ck_assert_int_eq(read_binary((const char *)binary.data), LEAT_OK);
    ck_assert_ptr_null(write_text(&length));
    ck_assert_int_eq(leat_error_code(leat_buffer_error(buffer)), LEAT_E_VALUE);
    t_free(fits);
    t_free(over);
    t_free(binary);
}
END_TEST

/* Limits count the value, not the JSON that it is made from. */
START_TEST(limits_have_two_sides)
{
    static const char text[] =
        OF("vector", "[" OF("count", "1") "," OF("set", "[" OF("none", "{}") "]") "]");
    leat_limits given;
    leat_config config;
    int over;

    leat_limits_init(&given, sizeof given);
    leat_config_init(&config, sizeof config);
    config.limits = &given;
    for (over = 0; over < 2; over++) {
        given.values = over ? 3 : 4;
        given.depth = 2;
        leat_builder_free(builder);
        ck_assert_int_eq(leat_builder_new(&config, &builder), LEAT_OK);
        ck_assert_int_eq(read_text(text, sizeof text - 1), over ? LEAT_E_LIMIT : LEAT_OK);
        given.values = 0;
        given.depth = over ? 1 : 2;
        leat_builder_free(builder);
        ck_assert_int_eq(leat_builder_new(&config, &builder), LEAT_OK);
        ck_assert_int_eq(read_text(text, sizeof text - 1), over ? LEAT_E_LIMIT : LEAT_OK);
    }
}
END_TEST

/* JSON that is no part of the value cannot take the memory of many values either. */
START_TEST(more_json_than_values)
{
    static const char begun[] = "{\"type\":\"data-message\",\"topic\":\"t\",\"more\":[0";
    static const char ended[] = "],\"@data-type\":\"count\",\"data\":1}";
    struct t_counter counter;
    leat_limits given;
    leat_config config;
    int over, i;

    for (over = 0; over < 2; over++) {
        struct t_bytes text = t_copy(begun, sizeof begun - 1);
        leat_builder *b;

        t_counter_init(&counter);
        leat_limits_init(&given, sizeof given);
        leat_config_init(&config, sizeof config);
        given.values = 100;
        config.limits = &given;
        config.allocator = &counter.allocator;
        for (i = 0; i < (over ? 100000 : 200); i++)
            t_append(&text, ",0", 2);
        t_append(&text, ended, sizeof ended - 1);
        ck_assert_int_eq(leat_builder_new(&config, &b), LEAT_OK);
        ck_assert_int_eq(
            leat_broker_json_message_read(b, NULL, (const char *)text.data, text.length),
            over ? LEAT_E_LIMIT : LEAT_OK);
        ck_assert_uint_lt(counter.most, text.length + 100000);
        leat_builder_free(b);
        t_free(text);
    }
}
END_TEST

static int read_and_write(const leat_config *config, const void *text)
{
    leat_builder *b = NULL;
    leat_buffer *out = NULL;
    int status = leat_builder_new(config, &b);

    if (status == LEAT_OK)
        status = leat_buffer_new(config, &out);
    if (status == LEAT_OK)
        status = leat_builder_open(b, NULL, LEAT_LIST);
    if (status == LEAT_OK)
        status = leat_broker_json_read(b, NULL, (const char *)text, strlen((const char *)text));
    if (status == LEAT_OK)
        status = leat_builder_close(b);
    if (status == LEAT_OK)
        status = leat_broker_json(out, leat_builder_value(b));
    leat_builder_free(b);
    leat_buffer_free(out);
    return status;
}

static const char everything[] =
    VECTOR NOTHING "," YES "," LETTER "," ADDRESS "," SUBNET "," PORT "," MOMENT "," SPAN "," NAME
                   "," SET TWO "," ONE "]}," TABLE "{\"key\":" HALF ",\"value\":" MINUS "}]}]}";

START_TEST(every_allocation_may_fail)
{
    t_every_alloc(read_and_write, everything);
}
END_TEST

START_TEST(nothing_is_allocated_once_warm)
{
    struct t_counter counter;
    leat_config config;
    leat_builder *b;
    size_t warm = 0, i;

    t_counter_init(&counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &counter.allocator;
    ck_assert_int_eq(leat_builder_new(&config, &b), LEAT_OK);
    for (i = 0; i < 10; i++) {
        if (i == 3)
            warm = counter.calls;
        leat_builder_clear(b);
        ck_assert_int_eq(leat_broker_json_read(b, NULL, everything, sizeof everything - 1),
                         LEAT_OK);
    }
    ck_assert_uint_eq(counter.calls, warm);
    leat_builder_free(b);
    ck_assert_uint_eq(counter.now, 0);
}
END_TEST

/*
 * Messages of the WebSocket protocol: as they are read, and the data message as it is written
 * again.
 */
static const struct {
    const char *text;
    const char *plain; /* NULL: refused */
    int status;
    uint64_t at;
} messages[] = {
    {"{\"type\":\"data-message\",\"topic\":\"/a\\\"\",\"@data-type\":\"count\",\"data\":1}",
     "{\"type\":\"data-message\",\"topic\":\"/a\\\"\",\"data\":1}", LEAT_OK, 0},
    {"{\"data\":[" NOTHING "," YES
     "],\"@data-type\":\"set\",\"topic\":\"t\",\"type\":\"data-message\"}",
     "{\"type\":\"data-message\",\"topic\":\"t\",\"data\":[null,true]}", LEAT_OK, 0},
    {"{\"type\":\"data-message\",\"topic\":\"t\",\"@data-type\":\"set\",\"data\":[" YES "," NOTHING
     "]}",
     "{\"type\":\"data-message\",\"topic\":\"t\",\"data\":[null,true]}", LEAT_OK, 0},
    {OF("none", "{}"), "{\"type\":\"\",\"topic\":\"\",\"data\":null}", LEAT_OK, 0},
    {"{\"type\":\"ack\",\"endpoint\":\"e\",\"version\":\"2.8.0-dev\"}",
     "{\"type\":\"ack\",\"endpoint\":\"e\",\"version\":\"2.8.0-dev\"}", LEAT_OK, 0},
    {"{\"type\":\"error\",\"code\":\"deserialization_failed\",\"context\":\"input #1\"}",
     "{\"type\":\"error\",\"code\":\"deserialization_failed\",\"context\":\"input #1\"}", LEAT_OK,
     0},
    {"{}", "{}", LEAT_OK, 0},
    {"[\"/a\"]", NULL, LEAT_E_SYNTAX, 0},
    {"{\"type\":1,\"@data-type\":\"none\"}", NULL, LEAT_E_SYNTAX, 2},
    {"{\"topic\":[],\"@data-type\":\"none\"}", NULL, LEAT_E_SYNTAX, 2},
    {"{\"topic\":\"\",\"@data-type\":\"nothing\"}", NULL, LEAT_E_SYNTAX, 26},
    {"{\"type\":\"data-message\"", NULL, LEAT_E_SYNTAX, 22},
};

START_TEST(messages_of_websockets)
{
    const leat_value *message;
    char *plain;
    int status;

    leat_builder_clear(builder);
    leat_builder_open(builder, NULL, LEAT_LIST);
    status =
        leat_broker_json_message_read(builder, NULL, messages[_i].text, strlen(messages[_i].text));
    ck_assert_msg(status == messages[_i].status, "%s: %s", messages[_i].text,
                  leat_error_text(leat_builder_error(builder)));
    if (status != LEAT_OK) {
        ck_assert_uint_eq(leat_error_offset(leat_builder_error(builder)), messages[_i].at);
        return;
    }
    leat_builder_close(builder);
    message = leat_value_first(leat_builder_value(builder));
    plain = t_json_text(message);
    ck_assert_str_eq(plain, messages[_i].plain);
    free(plain);
    if (_i == 0) {
        size_t length;
        const char *topic = leat_value_text(leat_value_get(message, "topic"), &length);

        leat_buffer_clear(buffer);
        ck_assert_int_eq(
            leat_broker_json_message(buffer, topic, length, leat_value_get(message, "data")),
            LEAT_OK);
        topic = (const char *)leat_buffer_data(buffer, &length);
        ck_assert_uint_eq(length, strlen(messages[0].text));
        ck_assert_int_eq(memcmp(topic, messages[0].text, length), 0);
    }
}
END_TEST

/* A list around it, or a record: neither may make more than 128 levels. */
START_TEST(messages_nest_as_values_do)
{
    struct t_bytes deep = nested(127, "[", "", "]"), text = t_copy("{\"x\":", 5);
    int over;

    t_append(&text, deep.data, deep.length);
    t_append(&text, "}", 1);
    for (over = 0; over < 2; over++) {
        leat_builder_clear(builder);
        if (over)
            leat_builder_open(builder, NULL, LEAT_LIST);
        ck_assert_int_eq(
            leat_broker_json_message_read(builder, NULL, (const char *)text.data, text.length),
            over ? LEAT_E_LIMIT : LEAT_OK);
    }
    t_free(deep);
    t_free(text);
}
END_TEST

START_TEST(messages_without_a_form)
{
    size_t length;

    ck_assert_int_eq(leat_builder_null(builder, NULL), LEAT_OK);
    ck_assert_int_eq(leat_broker_json_message(buffer, "\xff", 1, leat_builder_value(builder)),
                     LEAT_E_VALUE);
    ck_assert_str_eq(leat_error_field(leat_buffer_error(buffer)), "topic");
    ck_assert_int_eq(leat_broker_json_message(buffer, "t", 1, NULL), LEAT_E_VALUE);
    ck_assert_ptr_null(leat_buffer_data(buffer, &length));
}
END_TEST

static void tests(TCase *t)
{
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, every_value_as_text_and_back);
    tcase_add_test(t, every_text_of_broker);
    tcase_add_test(t, every_other_text);
    tcase_add_loop_test(t, errors_have_their_place, 0, (int)(sizeof errors / sizeof *errors));
    tcase_add_loop_test(t, scalars_from_text, 0, (int)(sizeof scalars / sizeof *scalars));
    tcase_add_loop_test(t, shapes_of_text, 0, (int)(sizeof shapes / sizeof *shapes));
    tcase_add_loop_test(t, levels_have_two_sides, 0, 4);
    tcase_add_test(t, limits_have_two_sides);
    tcase_add_test(t, more_json_than_values);
    tcase_add_loop_test(t, messages_of_websockets, 0, (int)(sizeof messages / sizeof *messages));
    tcase_add_test(t, messages_nest_as_values_do);
    tcase_add_test(t, messages_without_a_form);
    tcase_add_test(t, every_allocation_may_fail);
    tcase_add_test(t, nothing_is_allocated_once_warm);
}

T_MAIN("broker/json", tests)
