/*
 * Values as text: what leat_value_json() promises, and the readers of the forms that people
 * write.
 */
#include "support.h"

#include "text.h"

static const uint8_t mapped[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 1};

static const struct {
    const char *text;
    const char *again; /* as it is written; NULL: the same; "" : refused */
} addresses[] = {
    {"10.0.0.1", NULL},
    {"255.255.255.255", NULL},
    {"0.0.0.0", NULL},
    {"::", NULL},
    {"::1", NULL},
    {"1::", NULL},
    {"2001:db8::1", NULL},
    {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
    {"2001:db8:0:1:1:1:1:1", NULL},
    {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
    {"1:0:0:2:0:0:3:4", "1::2:0:0:3:4"},
    {"::1.2.3.4", "::102:304"},
    {"::ffff:1.2.3.4", "1.2.3.4"},
    {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
    {"1:2:3:4:5:6:7:8", NULL},
    {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
    {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
    {"", ""},
    {"1.2.3", ""},
    {"1.2.3.4.5", ""},
    {"1.2.3.256", ""},
    {"1.2.3.04", ""},
    {"1.2.3.4 ", ""},
    {"1.2.3.", ""},
    {"1.2.3.1234", ""},
    {":", ""},
    {":::", ""},
    {"1:2:3:4:5:6:7", ""},
    {"1:2:3:4:5:6:7:8:9", ""},
    {"1:2:3:4:5:6:7:8:", ""},
    {"1:2:3:4:5:6:7:8::", ""},
    {"1::2::3", ""},
    {"12345::", ""},
    {"g::", ""},
    {"::1%lo", ""},
    {"1:2:3:4:5:6:7:1.2.3.4", ""},
    {"::1.2.3", ""},
    {":1::", ""},
};

START_TEST(address_text)
{
    const char *text = addresses[_i].text, *again = addresses[_i].again;
    uint8_t octets[16];
    char written[64];
    struct lt_writer out = lt_writer_fixed(written, sizeof written - 1);
    bool sound = lt_read_address(text, strlen(text), octets);

    if (again != NULL && *again == '\0') {
        ck_assert_msg(!sound, "%s is read", text);
        return;
    }
    ck_assert_msg(sound, "%s is not read", text);
    lt_write_address(&out, octets, 16);
    written[out.length] = '\0';
    ck_assert_str_eq(written, again == NULL ? text : again);
}
END_TEST

START_TEST(octets_from_text)
{
    static const uint8_t octets[16] = {0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0,
                                       0x0f, 0xed, 0xcb, 0xa9, 0x87, 0x65, 0x43, 0x21};
    uint8_t got[16];

    ck_assert(lt_read_uuid("12345678-9abc-def0-0FED-cba987654321", 36, got));
    ck_assert_mem_eq(got, octets, 16);
    ck_assert(!lt_read_uuid("12345678-9abc-def0-0fed-cba98765432", 35, got));
    ck_assert(!lt_read_uuid("12345678-9abc-def0-0fed_cba987654321", 36, got));
    ck_assert(!lt_read_uuid("12345678-9abc-def0-0fed-cba98765432g", 36, got));
    ck_assert(lt_read_mac("12:34:56:78:9a:BC", 17, got));
    ck_assert_mem_eq(got, octets, 6);
    ck_assert(!lt_read_mac("12:34:56:78:9a-bc", 17, got));
    ck_assert(!lt_read_mac("12:34:56:78:9a:b", 16, got));
    ck_assert(lt_read_hex("123456789aBcDeF0", 16, got));
    ck_assert_mem_eq(got, octets, 8);
    ck_assert(!lt_read_hex("123", 3, got));
    ck_assert(!lt_read_hex("1x", 2, got));
}
END_TEST

static const struct {
    int64_t ns;
    const char *timestamp;
    const char *timespan;
} times[] = {
    {0, "1970-01-01T00:00:00.000", "0s"},
    {1, "1970-01-01T00:00:00.000000001", "1ns"},
    {-1, "1969-12-31T23:59:59.999999999", "-1ns"},
    {1500000000, "1970-01-01T00:00:01.500", "1500ms"},
    {-1500000000, "1969-12-31T23:59:58.500", "-1500ms"},
    {1000, "1970-01-01T00:00:00.000001", "1us"},
    {3600000000000, "1970-01-01T01:00:00.000", "3600s"},
    {951782400000000000, "2000-02-29T00:00:00.000", "951782400s"},
    {951868799000000000, "2000-02-29T23:59:59.000", "951868799s"},
    {1649574000000000000, "2022-04-10T07:00:00.000", "1649574000s"},
    {4107542400000000000, "2100-03-01T00:00:00.000", "4107542400s"},
    {-2203891200000000000, "1900-03-01T00:00:00.000", "-2203891200s"},
    {INT64_MAX, "2262-04-11T23:47:16.854775807", "9223372036854775807ns"},
    {INT64_MIN, "1677-09-21T00:12:43.145224192", "-9223372036854775808ns"},
};

START_TEST(times_as_text)
{
    char text[64];
    struct lt_writer out = lt_writer_fixed(text, sizeof text - 1);

    lt_write_timestamp(&out, times[_i].ns);
    text[out.length] = '\0';
    ck_assert_str_eq(text, times[_i].timestamp);
    out = lt_writer_fixed(text, sizeof text - 1);
    lt_write_timespan(&out, times[_i].ns);
    text[out.length] = '\0';
    ck_assert_str_eq(text, times[_i].timespan);
}
END_TEST

static leat_builder *all_kinds(void)
{
    leat_builder *b;

    ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
    leat_builder_open(b, NULL, LEAT_RECORD);
    leat_builder_null(b, "null");
    leat_builder_bool(b, "bool", 2);
    leat_builder_i64(b, "int", INT64_MIN);
    leat_builder_u64(b, "uint", UINT64_MAX);
    leat_builder_f64(b, "real", 2.0);
    leat_builder_text(b, "text", "a\"\xc3\xa9\x01", 5);
    leat_builder_text(b, "latin", "caf\xe9", 4);
    leat_builder_bytes(b, "bytes", "\x00\xff", 2);
    leat_builder_address(b, "ipv4", mapped + 12, 4);
    leat_builder_address(b, "mapped", mapped, 16);
    leat_builder_subnet(b, "subnet", mapped, 104);
    leat_builder_subnet(b, "wide", mapped, 95);
    leat_builder_port(b, "tcp", 80, LEAT_PROTOCOL_TCP);
    leat_builder_port(b, "udp", 53, LEAT_PROTOCOL_UDP);
    leat_builder_port(b, "icmp", 8, LEAT_PROTOCOL_ICMP);
    leat_builder_port(b, "unknown", 65535, LEAT_PROTOCOL_UNKNOWN);
    leat_builder_mac(b, "mac", "\x02\x00\x5e\x10\x00\x01");
    leat_builder_uuid(b, "uuid",
                      "\x11\x11\x11\x11\x22\x22\x53\x33\x84\x44\x55\x55\x55\x55\x55\x55");
    leat_builder_timestamp(b, "timestamp", 1649574000123456789);
    leat_builder_timespan(b, "timespan", -250000000);
    leat_builder_enum(b, "enum", "Management::RUNNING", 19);
    leat_builder_open(b, "list", LEAT_LIST);
    leat_builder_open(b, NULL, LEAT_LIST);
    leat_builder_close(b);
    leat_builder_u64(b, NULL, 1);
    leat_builder_close(b);
    leat_builder_open(b, "set", LEAT_SET);
    leat_builder_u64(b, NULL, 1);
    leat_builder_u64(b, NULL, 2);
    leat_builder_close(b);
    leat_builder_open(b, "table", LEAT_TABLE);
    leat_builder_text(b, NULL, "k", 1);
    leat_builder_open(b, NULL, LEAT_TABLE);
    leat_builder_close(b);
    leat_builder_open(b, NULL, LEAT_LIST);
    leat_builder_close(b);
    leat_builder_u64(b, NULL, 7);
    leat_builder_close(b);
    leat_builder_open(b, "", LEAT_RECORD);
    leat_builder_close(b);
    leat_builder_f64(b, "nan", 0.0 * 1e308 * 10 / 0.0);
    leat_builder_f64(b, "inf", 1e308 * 10);
    leat_builder_f64(b, "-inf", -1e308 * 10);
    leat_builder_close(b);
    return b;
}

static const char all_text[] =
    "{\"null\":null,\"bool\":true,\"int\":-9223372036854775808,\"uint\":18446744073709551615,"
    "\"real\":2.0,"
    "\"text\":\"a\\\"\xc3\xa9\\u0001\",\"latin\":{\"hex\":\"636166e9\"},\"bytes\":\"00ff\","
    "\"ipv4\":\"10.0.0.1\",\"mapped\":\"10.0.0.1\",\"subnet\":\"10.0.0.1/"
    "8\",\"wide\":\"::ffff:a00:1/95\","
    "\"tcp\":\"80/tcp\",\"udp\":\"53/udp\",\"icmp\":\"8/icmp\",\"unknown\":\"65535/?\","
    "\"mac\":\"02:00:5e:10:00:01\",\"uuid\":\"11111111-2222-5333-8444-555555555555\","
    "\"timestamp\":\"2022-04-10T07:00:00.123456789Z\",\"timespan\":\"-250ms\","
    "\"enum\":\"Management::RUNNING\",\"list\":[[],1],\"set\":[1,2],"
    "\"table\":[{\"key\":\"k\",\"value\":[]},{\"key\":[],\"value\":7}],\"\":{},"
    "\"nan\":\"nan\",\"inf\":\"inf\",\"-inf\":\"-inf\"}";

START_TEST(every_kind_as_json)
{
    leat_builder *b = all_kinds();
    char *text;

    ck_assert_ptr_nonnull(leat_builder_value(b));
    text = t_json_text(leat_builder_value(b));
    ck_assert_str_eq(text, all_text);
    free(text);
    leat_builder_free(b);
}
END_TEST

START_TEST(text_is_cut_to_the_room)
{
    leat_builder *b = all_kinds();
    char text[sizeof all_text + 1];
    size_t size;

    for (size = 0; size <= sizeof all_text; size++) {
        memset(text, '#', sizeof text);
        ck_assert_uint_eq(leat_value_json(leat_builder_value(b), text, size), sizeof all_text - 1);
        ck_assert_int_eq(text[size], '#');
        if (size > 0) {
            ck_assert_uint_lt(strlen(text), size);
            ck_assert_mem_eq(text, all_text, strlen(text));
        }
    }
    ck_assert_str_eq(text, all_text);
    leat_builder_free(b);
}
END_TEST

START_TEST(nothing_is_null)
{
    char text[5];

    ck_assert_uint_eq(leat_value_json(NULL, text, sizeof text), 4);
    ck_assert_str_eq(text, "null");
}
END_TEST

START_TEST(a_name_that_is_not_utf8)
{
    leat_builder *b;
    char *text;

    ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
    leat_builder_open(b, NULL, LEAT_RECORD);
    leat_builder_u64(b, "\xff\"", 1);
    leat_builder_close(b);
    text = t_json_text(leat_builder_value(b));
    ck_assert_str_eq(text, "{\"hex:ff22\":1}");
    free(text);
    leat_builder_free(b);
}
END_TEST

START_TEST(a_buffer_collects_text)
{
    leat_builder *b = all_kinds();
    leat_limits limits;
    leat_config config;
    leat_buffer *buffer;
    const void *data;
    size_t length;

    leat_limits_init(&limits, sizeof limits);
    leat_config_init(&config, sizeof config);
    config.limits = &limits;
    limits.queued_bytes = sizeof all_text - 1 + 4;
    ck_assert_int_eq(leat_buffer_new(&config, &buffer), LEAT_OK);
    ck_assert_ptr_null(leat_buffer_data(buffer, &length));
    ck_assert_int_eq(leat_buffer_json(buffer, NULL), LEAT_OK);
    ck_assert_int_eq(leat_buffer_json(buffer, leat_builder_value(b)), LEAT_OK);
    data = leat_buffer_data(buffer, &length);
    ck_assert_uint_eq(length, sizeof all_text - 1 + 4);
    ck_assert_mem_eq(data, "null", 4);
    ck_assert_mem_eq((const char *)data + 4, all_text, length - 4);
    ck_assert_ptr_null(leat_buffer_error(buffer));

    /* One more value is over the limit: nothing of it stays. */
    ck_assert_int_eq(leat_buffer_json(buffer, NULL), LEAT_E_LIMIT);
    ck_assert_int_eq(leat_error_code(leat_buffer_error(buffer)), LEAT_E_LIMIT);
    (void)leat_buffer_data(buffer, &length);
    ck_assert_uint_eq(length, sizeof all_text - 1 + 4);
    leat_buffer_clear(buffer);
    ck_assert_ptr_null(leat_buffer_error(buffer));
    ck_assert_int_eq(leat_buffer_json(buffer, NULL), LEAT_OK);
    leat_buffer_free(buffer);
    leat_builder_free(b);
}
END_TEST

static int buffer_scenario(const leat_config *config, const void *value)
{
    leat_buffer *buffer;
    int status = leat_buffer_new(config, &buffer), i;
    size_t length;

    if (status != LEAT_OK)
        return status;
    for (i = 0; i < 20 && status == LEAT_OK; i++)
        status = leat_buffer_json(buffer, (const leat_value *)value);
    (void)leat_buffer_data(buffer, &length);
    ck_assert_uint_eq(length % (sizeof all_text - 1), 0);
    leat_buffer_free(buffer);
    return status;
}

START_TEST(every_allocation_may_fail)
{
    leat_builder *b = all_kinds();

    t_every_alloc(buffer_scenario, leat_builder_value(b));
    leat_builder_free(b);
}
END_TEST

static void tests(TCase *cases)
{
    tcase_add_loop_test(cases, address_text, 0, sizeof addresses / sizeof *addresses);
    tcase_add_test(cases, octets_from_text);
    tcase_add_loop_test(cases, times_as_text, 0, sizeof times / sizeof *times);
    tcase_add_test(cases, every_kind_as_json);
    tcase_add_test(cases, text_is_cut_to_the_room);
    tcase_add_test(cases, nothing_is_null);
    tcase_add_test(cases, a_name_that_is_not_utf8);
    tcase_add_test(cases, a_buffer_collects_text);
    tcase_add_test(cases, every_allocation_may_fail);
}

T_MAIN("core/text", tests)
