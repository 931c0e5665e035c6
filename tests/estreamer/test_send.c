/* What callers give: encoded, or refused with the field named and nothing written. */
#include "support.h"

#include <leat/estreamer.h>
#include <stdio.h>

static leat_session *make(const leat_limits *limits)
{
    leat_session *session;
    leat_config config;

    leat_config_init(&config, sizeof config);
    config.limits = limits;
    ck_assert_int_eq(leat_estreamer_codec_new(&config, LEAT_FROM_ANY, &session), LEAT_OK);
    return session;
}

static int send_json(leat_session *session, const char *name, const char *json)
{
    leat_builder *builder = t_json(json, strlen(json));
    int status = leat_send(session, name, leat_builder_value(builder));

    leat_builder_free(builder);
    return status;
}

static void check_sent(leat_session *session, const char *hex)
{
    struct t_bytes expected = t_hex(hex);
    size_t length;
    const void *data = leat_send_data(session, &length);
    char *got = t_to_hex(data, length), *wanted = t_to_hex(expected.data, expected.length);

    ck_assert_str_eq(got, wanted);
    free(got);
    free(wanted);
    t_free(expected);
}

#define MESSAGE(type, length, body) "0001" type length body
#define EVENT(length, body)         MESSAGE("0004", length, body)
#define PRIORITY                    "00000001 0004 68696768"
#define PRIORITY_JSON               "{\"priority_id\":1,\"name\":\"high\"}"
#define PRIORITY_EVENT              "{\"record_type\":4,\"record\":" PRIORITY_JSON "}"
#define PRIORITY_ITEM               "00000004 00000012 00000004 0000000a" PRIORITY

/* Lengths, terminators and the like are ours to say; so are fields that are not given. */
static const struct {
    const char *name;
    const char *json;
    const char *hex;
} sound[] = {
    {"null", "{}", MESSAGE("0000", "00000000", "")},
    {"null", "{\"extra\":\"AbCd\"}", MESSAGE("0000", "00000002", "abcd")},
    {"error", "{\"error_code\":-1,\"text\":\"No space\\u0000\"}",
     MESSAGE("0001", "0000000f", "ffffffff 0009 4e6f20737061636500")},
    {"error", "{\"text_length\":77,\"text\":{\"hex\":\"ff\"}}",
     MESSAGE("0001", "00000007", "00000000 0001 ff")},
    {"error", "{\"error_code\":2147483647}", MESSAGE("0001", "00000006", "7fffffff 0000")},
    {"error", "{\"error_code\":-2147483648}", MESSAGE("0001", "00000006", "80000000 0000")},
    {"event_stream_request", "{\"request_flags\":1217396833,\"initial_timestamp\":4294967295}",
     MESSAGE("0002", "00000008", "ffffffff 48900061")},
    {"event_stream_request", "{}", MESSAGE("0002", "00000008", "00000000 00000000")},
    {"host_data_request",
     "{\"data_type\":5,\"flags\":3,\"start_ip\":\"192.0.2.1\",\"end_ip\":\"::ffff:c000:2ff\"}",
     MESSAGE("0005", "00000010", "00000005 00000003 c0000201 c00002ff")},
    {"host_data_request", "{\"ipv6\":true,\"start_ip\":\"192.0.2.1\",\"end_ip\":\"2001:db8::1\"}",
     MESSAGE(
         "0005", "00000028",
         "00000000 00000000 00000000000000000000ffffc0000201 20010db8000000000000000000000001")},
    {"host_data_request", "{\"ipv6\":false}",
     MESSAGE("0005", "00000010", "00000000 00000000 00000000 00000000")},
    {"multiple_host_data", "{}", MESSAGE("0007", "00000000", "")},
    {"single_host_data", "{\"block_type\":157,\"data\":\"0102\",\"trailing\":\"03\"}",
     MESSAGE("0006", "0000000b", "0000009d 0000000a 0102 03")},
    {"streaming_information", "{}", MESSAGE("0803", "00000000", "")},
    {"streaming_information",
     "{\"services\":[{\"service_type\":6667,\"service_length\":99},"
     "{\"service_type\":5000,\"flags\":1,\"initial_timestamp\":2,\"extra\":\"000b000c\"}]}",
     MESSAGE("0803", "00000024",
             "00001a0b 00000008 00000000 00000000 00001388 0000000c 00000001 00000002 000b000c")},
    {"streaming_request",
     "{\"services\":[{\"service_type\":6667,\"service_length\":20,\"flags\":30,"
     "\"event_types\":[{\"event_version\":6,\"event_code\":71},{\"event_code\":21}]}]}",
     MESSAGE("0801", "0000001c",
             "00001a0b 0000001c 0000001e 00000000 0006 0047 0000 0015 00000000")},
    {"streaming_request", "{\"services\":[{}]}",
     MESSAGE("0801", "00000014", "00000000 00000014 00000000 00000000 00000000")},
    {"event_data", PRIORITY_EVENT, EVENT("00000012", "00000004 0000000a" PRIORITY)},
    {"event_data",
     "{\"record\":" PRIORITY_JSON ",\"record_length\":3,\"record_name\":\"\",\"record_type\":4}",
     EVENT("00000012", "00000004 0000000a" PRIORITY)},
    {"event_data", "{\"record_type\":4,\"archive_timestamp\":5,\"record\":" PRIORITY_JSON "}",
     EVENT("0000001a", "00000004 0000000a 00000005 00000000" PRIORITY)},
    {"event_data", "{\"record_type\":4,\"checksum\":5,\"record\":" PRIORITY_JSON "}",
     EVENT("0000001a", "00000004 0000000a 00000000 00000005" PRIORITY)},
    {"event_data", /* bit 31 says that the header is the longer one */
     "{\"record_type\":4,\"netmap_id\":32767,\"extended_header\":true,\"record\":" PRIORITY_JSON
     "}",
     EVENT("0000001a", "ffff0004 0000000a 00000000 00000000" PRIORITY)},
    {"event_data", "{\"record_type\":4}", EVENT("0000000e", "00000004 00000006 00000000 0000")},
    {"event_data", "{\"record_type\":43,\"record\":\"0102\"}",
     EVENT("0000000a", "0000002b 00000002 0102")},
    {"event_data", "{\"record_type\":43}", EVENT("00000008", "0000002b 00000000")},
    {"event_data", "{\"record_type\":4,\"record\":\"00\"}", /* as it is */
     EVENT("00000009", "00000004 00000001 00")},
    {"event_data", "{\"record_type\":4,\"record\":{\"priority_id\":1,\"truncated\":true}}",
     EVENT("0000000c", "00000004 00000004 00000001")},
    {"event_data", "{\"record_type\":4,\"record\":{\"priority_id\":1,\"truncated\":false}}",
     EVENT("0000000e", "00000004 00000006 00000001 0000")},
    {"event_data", "{\"record_type\":4,\"record\":{\"name\":\"high\",\"truncated\":true}}",
     EVENT("00000012", "00000004 0000000a 00000000 0004 68696768")},
    {"event_data", /* a length brings its field along */
     "{\"record_type\":4,\"record\":{\"name_length\":5,\"truncated\":true}}",
     EVENT("0000000e", "00000004 00000006 00000000 0000")},
    {"event_data", "{\"record_type\":4,\"record\":{\"truncated\":true}}",
     EVENT("00000008", "00000004 00000000")},
    {"event_data", /* a length whose field was cut off is a number like any other */
     "{\"record_type\":66,\"record\":{\"rendered_signature_id\":4,\"message_length\":5,"
     "\"truncated\":true}}",
     EVENT("0000001a", "00000042 00000012 00000000 00000000 00000000 00000004 0005")},
    {"event_data", /* all fields are given, in any order: nothing is cut off */
     "{\"record_type\":4,\"record\":{\"truncated\":true,\"extra\":\"99\",\"name\":\"hi\",\"name_"
     "length\":2,"
     "\"priority_id\":7}}",
     EVENT("00000011", "00000004 00000009 00000007 0002 6869 99")},
    {"event_data", "{\"record_type\":4,\"record\":{\"name\":\"hi\",\"extra\":\"99\"}}",
     EVENT("00000011", "00000004 00000009 00000000 0002 6869 99")},
    {"event_data", /* the block type that is known for the record */
     "{\"record_type\":111,\"record\":{\"type\":9,\"name\":\"URI\"}}",
     EVENT("00000027", "0000006f 0000001f 00000005 0000001f 00000009 00000000 0000000b 555249"
                       "00000000 00000008")},
    {"event_data",
     "{\"record_type\":8,\"record\":{\"block_type\":58,\"protocols\":["
     "{\"ip_ranges\":[]},\"abc\",{\"hex\":\"ff\"},{\"block_type\":10,\"data\":\"77\"},"
     "{\"block_type\":31,\"items\":[\"x\"]}]}}",
     EVENT("00000065", "00000008 0000005d 0000003a 0000005d 00000000 0000000b 00000051"
                       "00000039 0000001b 0000001f 00000008 0000001f 00000008 00 0000"
                       "00000000 0000000b 616263 00000000 00000009 ff 0000000a 00000009 77"
                       "0000001f 00000011 00000000 00000009 78")},
    {"event_data", /* an address is there if it is given */
     "{\"record_type\":19,\"record\":{\"discovery_header\":{\"ip_address\":\"192.0.2.1\"}}}",
     EVENT("00000040",
           "00000013 00000038 00000000 00000000 000000000000 01 00 00000000 00000000 00000000"
           "00000000 00000000 00000000 00000000000000000000ffffc0000201")},
    {"event_data", /* or if has_ipv6 says so */
     "{\"record_type\":19,\"record\":{\"discovery_header\":{\"has_ipv6\":1}}}",
     EVENT("00000040",
           "00000013 00000038 00000000 00000000 000000000000 01 00 00000000 00000000 00000000"
           "00000000 00000000 00000000 00000000000000000000000000000000")},
    {"event_data", "{\"record_type\":19}",
     EVENT("00000030",
           "00000013 00000028 00000000 00000000 000000000000 00 00 00000000 00000000 00000000"
           "00000000 00000000 00000000")},
    {"event_data", "{\"record_type\":62,\"record\":{\"legacy\":true,\"user_id\":7,\"name\":\"a\"}}",
     EVENT("00000011", "0000003e 00000009 00000007 00000001 61")},
    {"event_data", "{\"record_type\":62,\"record\":{\"legacy\":false,\"id\":7}}",
     EVENT("00000020", "0000003e 00000018 00000039 00000018 00000007 00000000 00000000 00000008")},
    {"message_bundle", "{\"connection_id\":7,\"sequence_number\":8}",
     MESSAGE("0fa2", "00000008", "00000007 00000008")},
    {"message_bundle", "{\"items\":[]}", MESSAGE("0fa2", "00000008", "00000000 00000000")},
    {"message_bundle",
     "{\"connection_id\":7,\"sequence_number\":8,\"items\":[" PRIORITY_EVENT "," PRIORITY_EVENT
     "]}",
     MESSAGE("0fa2", "0000003c", "00000007 00000008" PRIORITY_ITEM PRIORITY_ITEM)},
    {"unknown", "{\"message_type\":3,\"data\":\"0102\"}", MESSAGE("0003", "00000002", "0102")},
    {"unknown", "{\"message_type\":65535}", MESSAGE("ffff", "00000000", "")},
};

START_TEST(sends)
{
    leat_session *session = make(NULL);
    int status = send_json(session, sound[_i].name, sound[_i].json);

    ck_assert_msg(status == LEAT_OK, "%s: %s %s", sound[_i].json,
                  leat_error_text(leat_session_send_error(session)),
                  leat_error_field(leat_session_send_error(session)));
    ck_assert_ptr_null(leat_session_send_error(session));
    check_sent(session, sound[_i].hex);
    leat_session_free(session);
}
END_TEST

#define RECORD(type, json) "{\"record_type\":" type ",\"record\":" json "}"

static const struct {
    const char *name;
    const char *json;
    int status;
    const char *field;
} refused[] = {
    {"no such message", "{}", LEAT_E_STATE, ""},
    {"", "{}", LEAT_E_STATE, ""},
    {"null", "3", LEAT_E_VALUE, ""},
    {"null", "[]", LEAT_E_VALUE, ""},
    {"null", "{\"a\":1}", LEAT_E_VALUE, ""},
    {"null", "{\"extra\":\"abc\"}", LEAT_E_VALUE, "extra"},
    {"null", "{\"extra\":\"xy\"}", LEAT_E_VALUE, "extra"},
    {"null", "{\"extra\":[]}", LEAT_E_VALUE, "extra"},
    {"error", "{\"error_code\":2147483648}", LEAT_E_VALUE, "error_code"},
    {"error", "{\"error_code\":-2147483649}", LEAT_E_VALUE, "error_code"},
    {"error", "{\"error_code\":18446744073709551615}", LEAT_E_VALUE, "error_code"},
    {"error", "{\"error_code\":\"1\"}", LEAT_E_VALUE, "error_code"},
    {"error", "{\"text\":7}", LEAT_E_VALUE, "text"},
    {"error", "{\"text\":{\"hex\":7}}", LEAT_E_VALUE, "text"},
    {"error", "{\"text\":{\"hex\":\"0\"}}", LEAT_E_VALUE, "text"},
    {"error", "{\"text\":{\"hex\":\"00\",\"b\":1}}", LEAT_E_VALUE, "text"},
    {"error", "{\"truncated\":true}", LEAT_E_VALUE, "truncated"},
    {"error", "{\"extra\":\"00\"}", LEAT_E_VALUE, "extra"},
    {"event_stream_request", "{\"truncated\":true}", LEAT_E_VALUE, "truncated"},
    {"event_stream_request", "{\"request_flags\":4294967296}", LEAT_E_VALUE, "request_flags"},
    {"event_stream_request", "{\"request_flags\":-1}", LEAT_E_VALUE, "request_flags"},
    {"event_stream_request", "{\"request_flags\":1.0}", LEAT_E_VALUE, "request_flags"},
    {"event_stream_request", "{\"request_flags\":null}", LEAT_E_VALUE, "request_flags"},
    {"event_stream_request", "{\"request_flags\":1,\"request_flags\":2}", LEAT_E_VALUE, ""},
    {"host_data_request", "{\"start_ip\":\"2001:db8::1\"}", LEAT_E_VALUE, "start_ip"},
    {"host_data_request", "{\"start_ip\":\"192.0.2\"}", LEAT_E_VALUE, "start_ip"},
    {"host_data_request", "{\"start_ip\":7}", LEAT_E_VALUE, "start_ip"},
    {"host_data_request", "{\"ipv6\":1}", LEAT_E_VALUE, "ipv6"},
    {"host_data_request", "{\"extra\":\"00\"}", LEAT_E_VALUE, "extra"},
    {"host_data_request", "{\"truncated\":true}", LEAT_E_VALUE, "truncated"},
    {"single_host_data", "{\"hops\":1}", LEAT_E_VALUE, ""},
    {"streaming_information", "{\"services\":{}}", LEAT_E_VALUE, "services"},
    {"streaming_information", "{\"services\":[7]}", LEAT_E_VALUE, "services"},
    {"streaming_information", "{\"services\":[{\"flags\":-1}]}", LEAT_E_VALUE, "flags"},
    {"streaming_information", "{\"services\":[{\"event_types\":[]}]}", LEAT_E_VALUE, ""},
    {"streaming_information", "{\"services\":[],\"more\":1}", LEAT_E_VALUE, ""},
    {"streaming_request", "{\"services\":[{\"event_types\":7}]}", LEAT_E_VALUE, "event_types"},
    {"streaming_request", "{\"services\":[{\"event_types\":[7]}]}", LEAT_E_VALUE, "event_types"},
    {"streaming_request", "{\"services\":[{\"event_types\":[{}]}]}", LEAT_E_VALUE, "event_types"},
    {"streaming_request", "{\"services\":[{\"event_types\":[{\"event_code\":65536}]}]}",
     LEAT_E_VALUE, "event_code"},
    {"streaming_request", "{\"services\":[{\"event_types\":[{\"event_code\":1,\"a\":1}]}]}",
     LEAT_E_VALUE, ""},
    {"event_data", "{\"record_type\":65536}", LEAT_E_VALUE, "record_type"},
    {"event_data", "{\"netmap_id\":32768}", LEAT_E_VALUE, "netmap_id"},
    {"event_data", "{\"extended_header\":1}", LEAT_E_VALUE, "extended_header"},
    {"event_data", "{\"archive_timestamp\":4294967296}", LEAT_E_VALUE, "archive_timestamp"},
    {"event_data", "{\"checksum\":\"\"}", LEAT_E_VALUE, "checksum"},
    {"event_data", "{\"record_type\":4,\"color\":\"red\"}", LEAT_E_VALUE, ""},
    {"event_data", RECORD("43", "{}"), LEAT_E_VALUE, "record"},
    {"event_data", RECORD("4", "[]"), LEAT_E_VALUE, "record"},
    {"event_data", RECORD("4", "\"0\""), LEAT_E_VALUE, "record"},
    {"event_data", RECORD("4", "{\"block_type\":1}"), LEAT_E_VALUE, ""},
    {"event_data", RECORD("4", "{\"legacy\":true}"), LEAT_E_VALUE, ""},
    {"event_data", RECORD("4", "{\"truncated\":true,\"more\":1}"), LEAT_E_VALUE, ""},
    {"event_data",
     RECORD("4", "{\"name\":\"a\",\"priority_id\":1,\"name_length\":1,\"truncated\":1}"),
     LEAT_E_VALUE, "truncated"},
    {"event_data", RECORD("4", "{\"truncated\":1}"), LEAT_E_VALUE, "truncated"},
    {"event_data", RECORD("4", "{\"truncated\":true,\"extra\":\"00\"}"), LEAT_E_VALUE, "extra"},
    {"event_data", RECORD("4", "{\"priority_id\":4294967296}"), LEAT_E_VALUE, "priority_id"},
    {"event_data", RECORD("1", "{\"ip_protocol\":256}"), LEAT_E_VALUE, "ip_protocol"},
    {"event_data", RECORD("1", "{\"pad\":65536}"), LEAT_E_VALUE, "pad"},
    {"event_data", RECORD("400", "{\"source_ip\":\"::1::\"}"), LEAT_E_VALUE, "source_ip"},
    {"event_data", RECORD("400", "{\"policy_uuid\":\"0f5c8b26\"}"), LEAT_E_VALUE, "policy_uuid"},
    {"event_data", RECORD("400", "{\"security_context\":\"00\"}"), LEAT_E_VALUE,
     "security_context"},
    {"event_data", RECORD("400", "{\"http_hostname\":7}"), LEAT_E_VALUE, "http_hostname"},
    {"event_data", RECORD("400", "{\"block_type\":4294967296}"), LEAT_E_VALUE, "block_type"},
    {"event_data", RECORD("400", "{\"block_type\":99,\"data\":7}"), LEAT_E_VALUE, "data"},
    {"event_data", RECORD("400", "{\"block_type\":99,\"device_id\":7}"), LEAT_E_VALUE, ""},
    {"event_data", RECORD("400", "{\"trailing\":7}"), LEAT_E_VALUE, "trailing"},
    {"event_data", RECORD("6", "{}"), LEAT_E_VALUE, ""},
    {"event_data", RECORD("6", "{\"data\":\"00\"}"), LEAT_E_VALUE, ""},
    {"event_data", RECORD("19", "{\"discovery_header\":7}"), LEAT_E_VALUE, "discovery_header"},
    {"event_data", RECORD("19", "{\"discovery_header\":{\"truncated\":true}}"), LEAT_E_VALUE,
     "truncated"},
    {"event_data", RECORD("19", "{\"discovery_header\":{\"extra\":\"00\"}}"), LEAT_E_VALUE,
     "extra"},
    {"event_data", RECORD("19", "{\"discovery_header\":{\"mac_address\":\"02:00\"}}"), LEAT_E_VALUE,
     "mac_address"},
    {"event_data",
     RECORD("19", "{\"discovery_header\":{\"has_ipv6\":0,\"ip_address\":\"192.0.2.1\"}}"),
     LEAT_E_VALUE, "ip_address"},
    {"event_data", RECORD("19", "{\"discovery_header\":{\"has_ipv6\":256}}"), LEAT_E_VALUE,
     "has_ipv6"},
    {"event_data", RECORD("19", "{\"hops\":1}"), LEAT_E_VALUE, ""},
    {"event_data", RECORD("27", "{\"legacy\":7}"), LEAT_E_VALUE, "legacy"},
    {"event_data", RECORD("29", "{\"legacy\":true,\"extra\":\"00\"}"), LEAT_E_VALUE, "legacy"},
    {"event_data", RECORD("62", "{\"block_type\":21}"), LEAT_E_VALUE, "legacy"},
    {"event_data", RECORD("62", "{\"trailing\":\"00\"}"), LEAT_E_VALUE, "legacy"},
    {"event_data", RECORD("70", "{\"legacy\":true,\"name\":\"a\",\"truncated\":true}"),
     LEAT_E_VALUE, "legacy"},
    {"event_data", RECORD("8", "{\"block_type\":11,\"extra\":\"00\"}"), LEAT_E_VALUE, ""},
    {"event_data", RECORD("8", "{\"block_type\":10,\"extra\":\"00\"}"), LEAT_E_VALUE, ""},
    {"event_data", RECORD("8", "{\"block_type\":58,\"protocols\":{}}"), LEAT_E_VALUE, "protocols"},
    {"event_data", RECORD("8", "{\"block_type\":58,\"protocols\":[7]}"), LEAT_E_VALUE, ""},
    {"event_data", RECORD("8", "{\"block_type\":11,\"items\":[{\"data\":\"\"}]}"), LEAT_E_VALUE,
     ""},
    {"event_data", RECORD("8", "{\"block_type\":8,\"port\":1}"), LEAT_E_VALUE, "protocol"},
    {"message_bundle", "{\"items\":-1}", LEAT_E_VALUE, "items"},
    {"message_bundle", "{\"items\":{}}", LEAT_E_VALUE, "items"},
    {"message_bundle", "{\"items\":[7]}", LEAT_E_VALUE, ""},
    {"message_bundle", "{\"items\":[{\"record_type\":-1}]}", LEAT_E_VALUE, "record_type"},
    {"message_bundle", "{\"connection_id\":4294967296}", LEAT_E_VALUE, "connection_id"},
    {"message_bundle", "{\"sequence_number\":4294967296}", LEAT_E_VALUE, "sequence_number"},
    {"message_bundle", "{\"message_type\":4}", LEAT_E_VALUE, ""},
    {"unknown", "{\"message_type\":4}", LEAT_E_VALUE, "message_type"},
    {"unknown", "{}", LEAT_E_VALUE, "message_type"},
    {"unknown", "{\"message_type\":4002}", LEAT_E_VALUE, "message_type"},
    {"unknown", "{\"message_type\":65536}", LEAT_E_VALUE, "message_type"},
    {"unknown", "{\"message_type\":3,\"data\":[]}", LEAT_E_VALUE, "data"},
    {"unknown", "{\"message_type\":3,\"extra\":\"\"}", LEAT_E_VALUE, ""},
};

START_TEST(refuses)
{
    leat_session *session = make(NULL);
    int status;
    const leat_error *error;

    ck_assert_int_eq(leat_send(session, "null", NULL), LEAT_OK);
    status = send_json(session, refused[_i].name, refused[_i].json);
    error = leat_session_send_error(session);
    ck_assert_msg(status == refused[_i].status, "%s gives %s", refused[_i].json,
                  leat_status_name(status));
    ck_assert_int_eq(leat_error_code(error), status);
    ck_assert_msg(strcmp(leat_error_field(error), refused[_i].field) == 0, "%s: field %s",
                  refused[_i].json, leat_error_field(error));
    ck_assert_str_ne(leat_error_text(error), "");
    check_sent(session, "0001000000000000");
    leat_session_free(session);
}
END_TEST

/* Nothing is given: every field is 0 or empty. */
START_TEST(nothing_given)
{
    static const char *const names[] = {"null",
                                        "error",
                                        "event_stream_request",
                                        "host_data_request",
                                        "event_data",
                                        "message_bundle",
                                        "streaming_request",
                                        "streaming_information",
                                        "single_host_data"};
    leat_session *session = make(NULL);
    size_t i;

    for (i = 0; i < sizeof names / sizeof *names; i++)
        ck_assert_int_eq(leat_send(session, names[i], NULL), LEAT_OK);
    check_sent(session,
               "0001000000000000 000100010000000600000000 0000 0001000200000008 0000000000000000"
               "0001000500000010 00000000000000000000000000000000 0001000400000008"
               "0000000000000000 00010fa200000008 0000000000000000 0001080100000000"
               "0001080300000000 0001000600000000");
    ck_assert_int_eq(leat_send(session, NULL, NULL), LEAT_E_STATE);
    leat_session_free(session);
}
END_TEST

/* Kinds that JSON text does not give. */
START_TEST(other_kinds)
{
    static const uint8_t ipv6[16] = {0x20, 0x01, 0x0d, 0xb8};
    static const uint8_t mapped[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1};
    leat_session *session = make(NULL);
    leat_builder *builder;

    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    leat_builder_open(builder, NULL, LEAT_RECORD);
    leat_builder_i64(builder, "error_code", INT64_C(1) << 31);
    leat_builder_close(builder);
    ck_assert_int_eq(leat_send(session, "error", leat_builder_value(builder)), LEAT_E_VALUE);
    leat_builder_clear(builder);
    leat_builder_open(builder, NULL, LEAT_RECORD);
    leat_builder_address(builder, "start_ip", mapped, 16);
    leat_builder_address(builder, "end_ip", mapped + 12, 4);
    leat_builder_i64(builder, "flags", 3);
    leat_builder_close(builder);
    ck_assert_int_eq(leat_send(session, "host_data_request", leat_builder_value(builder)), LEAT_OK);
    leat_builder_clear(builder);
    leat_builder_open(builder, NULL, LEAT_RECORD);
    leat_builder_bool(builder, "ipv6", 1);
    leat_builder_address(builder, "start_ip", ipv6, 16);
    leat_builder_address(builder, "end_ip", mapped + 12, 4);
    leat_builder_close(builder);
    ck_assert_int_eq(leat_send(session, "host_data_request", leat_builder_value(builder)), LEAT_OK);
    leat_builder_clear(builder);
    leat_builder_open(builder, NULL, LEAT_RECORD);
    leat_builder_address(builder, "start_ip", ipv6, 16);
    leat_builder_close(builder);
    ck_assert_int_eq(leat_send(session, "host_data_request", leat_builder_value(builder)),
                     LEAT_E_VALUE);
    leat_builder_clear(builder);
    leat_builder_open(builder, NULL, LEAT_RECORD);
    leat_builder_mac(builder, "start_ip", ipv6);
    leat_builder_close(builder);
    ck_assert_int_eq(leat_send(session, "host_data_request", leat_builder_value(builder)),
                     LEAT_E_VALUE);
    check_sent(session, MESSAGE("0005", "00000010", "00000000 00000003 c0000201 c0000201")
                            MESSAGE("0005", "00000028",
                                    "00000000 00000000 20010db8000000000000000000000000"
                                    "00000000000000000000ffffc0000201"));
    leat_builder_free(builder);
    leat_session_free(session);
}
END_TEST

/* The offset of a mistake counts in the message. */
START_TEST(offset_of_a_mistake)
{
    leat_session *session = make(NULL);

    ck_assert_int_eq(leat_send(session, "null", NULL), LEAT_OK);
    ck_assert_int_eq(send_json(session, "event_data", RECORD("1", "{\"pad\":65536}")),
                     LEAT_E_VALUE);
    ck_assert_uint_eq(leat_error_offset(leat_session_send_error(session)), 8 + 8 + 50);
    leat_session_free(session);
}
END_TEST

START_TEST(longest_text)
{
    leat_session *session = make(NULL);
    leat_builder *builder;
    char *text = (char *)malloc(65536);
    size_t length;

    ck_assert_ptr_nonnull(text);
    memset(text, 'x', 65536);
    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    for (length = 65535; length <= 65536; length++) {
        leat_builder_clear(builder);
        leat_builder_open(builder, NULL, LEAT_RECORD);
        leat_builder_text(builder, "text", text, length);
        leat_builder_close(builder);
        ck_assert_int_eq(leat_send(session, "error", leat_builder_value(builder)),
                         length == 65535 ? LEAT_OK : LEAT_E_VALUE);
    }
    ck_assert_str_eq(leat_error_field(leat_session_send_error(session)), "text");
    (void)leat_send_data(session, &length);
    ck_assert_uint_eq(length, 8 + 6 + 65535);
    leat_builder_free(builder);
    leat_session_free(session);
    free(text);
}
END_TEST

START_TEST(message_limit)
{
    leat_limits limits;
    leat_session *session;

    leat_limits_init(&limits, sizeof limits);
    limits.message_bytes = 18;
    session = make(&limits);
    ck_assert_int_eq(send_json(session, "event_data", PRIORITY_EVENT), LEAT_OK);
    ck_assert_int_eq(send_json(session, "event_data", RECORD("4", "{\"name\":\"high!\"}")),
                     LEAT_E_LIMIT);
    ck_assert_int_eq(leat_error_code(leat_session_send_error(session)), LEAT_E_LIMIT);
    check_sent(session, EVENT("00000012", "00000004 0000000a" PRIORITY));
    leat_session_free(session);
}
END_TEST

START_TEST(queue_limit)
{
    leat_limits limits;
    leat_session *session;

    leat_limits_init(&limits, sizeof limits);
    limits.queued_bytes = 26;
    session = make(&limits);
    ck_assert_int_eq(send_json(session, "event_data", PRIORITY_EVENT), LEAT_OK);
    ck_assert_int_eq(leat_send(session, "null", NULL), LEAT_E_LIMIT);
    check_sent(session, EVENT("00000012", "00000004 0000000a" PRIORITY));
    ck_assert_int_eq(leat_send_done(session, 26), LEAT_OK);
    ck_assert_int_eq(leat_send(session, "null", NULL), LEAT_OK);
    check_sent(session, "0001000000000000");
    leat_session_free(session);
}
END_TEST

/* Values nested deeper than the limit are refused, however they were made. */
START_TEST(depth_limit)
{
    leat_limits limits;
    leat_session *session;

    leat_limits_init(&limits, sizeof limits);
    limits.depth = 4;
    session = make(&limits);
    ck_assert_int_eq(
        send_json(session, "event_data", RECORD("8", "{\"block_type\":11,\"items\":[]}")), LEAT_OK);
    ck_assert_int_eq(send_json(session, "event_data",
                               RECORD("8", "{\"block_type\":11,\"items\":[{\"block_type\":7}]}")),
                     LEAT_OK);
    ck_assert_int_eq(
        send_json(session, "event_data",
                  RECORD("8", "{\"block_type\":11,\"items\":[{\"block_type\":11,\"items\":[]}]}")),
        LEAT_E_VALUE);
    leat_session_free(session);
}
END_TEST

/* A bundle by its events: nothing of it goes out before it is whole. */
START_TEST(bundle_of_events)
{
    leat_session *session = make(NULL);

    ck_assert_int_eq(leat_send(session, "null", NULL), LEAT_OK);
    ck_assert_int_eq(send_json(session, "message_bundle",
                               "{\"connection_id\":7,\"sequence_number\":8,\"items\":3}"),
                     LEAT_OK);
    check_sent(session, "0001000000000000");
    ck_assert_int_eq(send_json(session, "event_data", PRIORITY_EVENT), LEAT_OK);
    check_sent(session, "0001000000000000");
    ck_assert_int_eq(leat_send(session, "null", NULL), LEAT_E_STATE);
    ck_assert_int_eq(send_json(session, "message_bundle", "{}"), LEAT_E_STATE);
    ck_assert_int_eq(send_json(session, "streaming_request", "{}"), LEAT_E_STATE);
    ck_assert_int_eq(leat_send(session, "no such message", NULL), LEAT_E_STATE);
    ck_assert_int_eq(send_json(session, "event_data", "{\"record_type\":-1}"), LEAT_E_VALUE);
    ck_assert_int_eq(send_json(session, "unknown", "{\"message_type\":4}"), LEAT_E_VALUE);
    ck_assert_int_eq(send_json(session, "unknown", "{\"message_type\":65540}"), LEAT_E_VALUE);
    ck_assert_int_eq(send_json(session, "unknown", "{\"message_type\":4294967296}"), LEAT_E_VALUE);
    ck_assert_int_eq(send_json(session, "unknown", "{\"message_type\":3735928559,\"data\":\"aa\"}"),
                     LEAT_OK);
    ck_assert_int_eq(leat_send_done(session, 8), LEAT_OK);
    check_sent(session, "");
    ck_assert_uint_eq(leat_wants(session) & LEAT_WANT_WRITE, 0);
    ck_assert_int_eq(leat_send_done(session, 1), LEAT_E_STATE);
    ck_assert_int_eq(send_json(session, "event_data", PRIORITY_EVENT), LEAT_OK);
    check_sent(session,
               MESSAGE("0fa2", "00000045",
                       "00000007 00000008" PRIORITY_ITEM "deadbeef 00000001 aa" PRIORITY_ITEM));
    ck_assert_int_eq(leat_send(session, "null", NULL), LEAT_OK);
    leat_session_free(session);
}
END_TEST

/* One that can grow no more ends in front of the item that did not fit. */
START_TEST(bundle_over_a_limit)
{
    leat_limits limits;
    leat_session *session;

    leat_limits_init(&limits, sizeof limits);
    if (_i == 0)
        limits.message_bytes = 59; /* the second item ends at 60 */
    else
        limits.queued_bytes = 67;
    session = make(&limits);
    ck_assert_int_eq(send_json(session, "message_bundle", "{\"items\":9}"), LEAT_OK);
    ck_assert_int_eq(send_json(session, "event_data", PRIORITY_EVENT), LEAT_OK);
    check_sent(session, "");
    ck_assert_int_eq(send_json(session, "event_data", PRIORITY_EVENT), LEAT_E_LIMIT);
    check_sent(session, MESSAGE("0fa2", "00000022", "00000000 00000000" PRIORITY_ITEM));
    ck_assert_int_eq(leat_send_done(session, 42), LEAT_OK);
    ck_assert_int_eq(leat_send(session, "null", NULL), LEAT_OK);
    check_sent(session, "0001000000000000");
    leat_session_free(session);
}
END_TEST

START_TEST(bundle_at_a_limit)
{
    leat_limits limits;
    leat_session *session;

    leat_limits_init(&limits, sizeof limits);
    limits.message_bytes = 60;
    limits.queued_bytes = 68;
    session = make(&limits);
    ck_assert_int_eq(send_json(session, "message_bundle", "{\"items\":2}"), LEAT_OK);
    ck_assert_int_eq(send_json(session, "event_data", PRIORITY_EVENT), LEAT_OK);
    ck_assert_int_eq(send_json(session, "event_data", PRIORITY_EVENT), LEAT_OK);
    check_sent(session,
               MESSAGE("0fa2", "0000003c", "00000000 00000000" PRIORITY_ITEM PRIORITY_ITEM));
    leat_session_free(session);
}
END_TEST

/* Records alone: what cannot be read or written leaves builder and buffer as they were. */
START_TEST(records_alone)
{
    static const char name_length[] = "\0\0\0\1\0\5high";
    leat_builder *builder;
    leat_buffer *buffer;
    const leat_value *value;
    size_t length;

    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    ck_assert_int_eq(leat_buffer_new(NULL, &buffer), LEAT_OK);
    leat_builder_open(builder, NULL, LEAT_RECORD);
    leat_builder_u64(builder, "a", 1);
    ck_assert_int_eq(leat_estreamer_record_read(builder, "r", 4, "\0\0\0\1\0\4high", 10), LEAT_OK);
    ck_assert_int_eq(leat_estreamer_record_read(builder, "u", 43, "xyz", 3), LEAT_OK);
    leat_builder_u64(builder, "z", 2);
    leat_builder_close(builder);
    value = leat_builder_value(builder);
    ck_assert_uint_eq(leat_value_count(value), 4);
    ck_assert_str_eq(leat_value_name(leat_value_get(value, "r"), &length), "r");
    ck_assert_mem_eq(leat_value_text(leat_value_get(leat_value_get(value, "r"), "name"), &length),
                     "high", 4);
    ck_assert_mem_eq(leat_value_bytes(leat_value_get(value, "u"), &length), "xyz", 3);

    ck_assert_int_eq(leat_estreamer_record_write(buffer, 4, leat_value_get(value, "r")), LEAT_OK);
    ck_assert_int_eq(leat_estreamer_record_write(buffer, 4, value), LEAT_E_VALUE);
    ck_assert_int_eq(leat_error_code(leat_buffer_error(buffer)), LEAT_E_VALUE);
    ck_assert_int_eq(leat_estreamer_record_write(buffer, 43, leat_value_get(value, "u")), LEAT_OK);
    ck_assert_ptr_null(leat_buffer_error(buffer));
    ck_assert_mem_eq(leat_buffer_data(buffer, &length), "\0\0\0\1\0\4highxyz", 13);
    ck_assert_uint_eq(length, 13);

    leat_builder_clear(builder);
    ck_assert_int_eq(
        leat_estreamer_record_read(builder, NULL, 4, name_length, sizeof name_length - 1),
        LEAT_E_SYNTAX);
    ck_assert_uint_eq(leat_error_offset(leat_builder_error(builder)), 6);
    ck_assert_str_eq(leat_error_field(leat_builder_error(builder)), "name");
    ck_assert_ptr_null(leat_builder_value(builder));
    ck_assert_int_eq(leat_estreamer_record_read(builder, NULL, 4, "", 0), LEAT_E_SYNTAX);
    leat_builder_clear(builder);
    ck_assert_int_eq(leat_estreamer_record_read(builder, "name", 4, "", 0), LEAT_E_STATE);
    leat_builder_clear(builder);
    ck_assert_int_eq(leat_estreamer_record_read(builder, NULL, 4, NULL, 0), LEAT_OK);
    leat_builder_free(builder);
    leat_buffer_free(buffer);
}
END_TEST

static void tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, sends, 0, (int)(sizeof sound / sizeof *sound));
    tcase_add_loop_test(tcase, refuses, 0, (int)(sizeof refused / sizeof *refused));
    tcase_add_test(tcase, nothing_given);
    tcase_add_test(tcase, other_kinds);
    tcase_add_test(tcase, offset_of_a_mistake);
    tcase_add_test(tcase, longest_text);
    tcase_add_test(tcase, message_limit);
    tcase_add_test(tcase, queue_limit);
    tcase_add_test(tcase, depth_limit);
    tcase_add_test(tcase, bundle_of_events);
    tcase_add_loop_test(tcase, bundle_over_a_limit, 0, 2);
    tcase_add_test(tcase, bundle_at_a_limit);
    tcase_add_test(tcase, records_alone);
}

T_MAIN("estreamer/send", tests)
