/* Messages, bundles and records as they come in: what is told of each, and where it goes wrong. */
#include "support.h"

#include <inttypes.h>
#include <leat/estreamer.h>
#include <stdio.h>

#define ANY    LEAT_FROM_ANY
#define CLIENT LEAT_FROM_CLIENT
#define SERVER LEAT_FROM_SERVER

static leat_session *make(const leat_config *config, const void *arg)
{
    leat_session *session = NULL;

    (void)leat_estreamer_codec_new(config, *(const uint32_t *)arg, &session);
    return session;
}

static void say(struct t_bytes *to, const char *text)
{
    t_append(to, text, strlen(text));
}

/*
 * "name offset value", and "!code offset field" if there is an error; then the last status
 * likewise.
 */
static void say_error(struct t_bytes *to, const leat_error *error)
{
    char text[200];

    if (error == NULL)
        return;
    (void)snprintf(text, sizeof text, " !%s %" PRIu64 " %s",
                   leat_status_name(leat_error_code(error)) + 5, leat_error_offset(error),
                   leat_error_field(error));
    say(to, text);
    ck_assert_str_ne(leat_error_text(error), "");
}

static char *tell(leat_session *session)
{
    struct t_bytes to = t_copy("", 0);
    const leat_event *event;
    int status;

    while ((status = leat_next(session, &event)) == LEAT_OK) {
        char *json = t_json_text(leat_event_value(event));
        char text[100];

        (void)snprintf(text, sizeof text, "%s %" PRIu64 " ", leat_event_name(event, NULL),
                       leat_event_offset(event));
        say(&to, text);
        say(&to, json);
        say_error(&to, leat_event_error(event));
        say(&to, "\n");
        free(json);
    }
    say(&to, leat_status_name(status));
    say_error(&to, leat_session_error(session));
    return (char *)to.data;
}

static char *tell_octets(uint32_t from, const leat_config *config, struct t_bytes octets)
{
    leat_session *session = make(config, &from);
    char *told;

    ck_assert_ptr_nonnull(session);
    ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
    ck_assert_int_eq(leat_recv_eof(session), LEAT_OK);
    told = tell(session);
    leat_session_free(session);
    return told;
}

#define MESSAGE(type, length, body) "0001" type length body
#define EVENT(length, body)         MESSAGE("0004", length, body)

/* A discovery header: without an IPv6 address, and with one. */
#define HEADER_40                                                                                  \
    "00000003 c0000221 02005e100001 00 00 0000000b 0000000c 000003e8 00000001 00000000 00000000"
#define HEADER_56                                                                                  \
    "00000003 00000000 02005e100001 01 00 0000000b 0000000c 000003e8 00000001 00000000 00000000"   \
    "00000000000000000000ffffc6336424"
#define HEADER_40_JSON                                                                             \
    "\"discovery_header\":{\"device_id\":3,\"legacy_ip\":\"192.0.2.33\","                          \
    "\"mac_address\":\"02:00:5e:10:00:01\",\"has_ipv6\":0,\"reserved\":0,\"event_second\":11,"     \
    "\"event_microsecond\":12,\"event_type\":1000,\"event_subtype\":1,\"file_number\":0,"          \
    "\"file_position\":0}"
#define HEADER_56_JSON                                                                             \
    "\"discovery_header\":{\"device_id\":3,\"legacy_ip\":\"0.0.0.0\","                             \
    "\"mac_address\":\"02:00:5e:10:00:01\",\"has_ipv6\":1,\"reserved\":0,\"event_second\":11,"     \
    "\"event_microsecond\":12,\"event_type\":1000,\"event_subtype\":1,\"file_number\":0,"          \
    "\"file_position\":0,\"ip_address\":\"198.51.100.36\"}"

#define PRIORITY      "00000001 0004 68696768" /* record type 4: 10 octets */
#define PRIORITY_JSON "{\"priority_id\":1,\"name_length\":4,\"name\":\"high\"}"
#define DATA_JSON(type, name, rest)                                                                \
    "{\"record_type\":" type ",\"record_name\":\"" name                                            \
    "\",\"netmap_id\":0,\"extended_header\":false," rest "}"
#define PRIORITY_EVENT DATA_JSON("4", "Priority", "\"record\":" PRIORITY_JSON)

static const struct {
    const char *name;
    uint32_t from;
    const char *hex;
    const char *told;
} cases[] = {
    /* Framing: spec sections 4 and 15. */
    {"nothing", ANY, "", "LEAT_END"},
    {"null", ANY, MESSAGE("0000", "00000000", ""), "null 0 {}\nLEAT_END"},
    {"two nulls", ANY, "0001000000000000 0001000000000000", "null 0 {}\nnull 8 {}\nLEAT_END"},
    {"null with octets", ANY, MESSAGE("0000", "00000002", "abcd"),
     "null 0 {\"extra\":\"abcd\"}\nLEAT_END"},
    {"version 0", ANY, "0000 0000 00000000", "LEAT_E_FRAME !E_FRAME 0 version"},
    {"version 2 after a null", ANY, "0001000000000000 0002000000000000",
     "null 0 {}\nLEAT_E_FRAME !E_FRAME 8 version"},
    {"length over the limit", ANY, "0001 0004 01000001", "LEAT_E_LIMIT !E_LIMIT 4 message_length"},
    {"longest length", ANY, "0001 0004 ffffffff", "LEAT_E_LIMIT !E_LIMIT 4 message_length"},
    {"ends in the header", ANY, "0001 0000 0000", "LEAT_E_END !E_END 6 "},
    {"ends in the body", ANY, "0001 0000 00000002 ab", "LEAT_E_END !E_END 9 "},
    {"unknown type", ANY, MESSAGE("0003", "00000003", "0a0b0c"),
     "unknown 0 {\"message_type\":3,\"data\":\"0a0b0c\"}\nLEAT_END"},

    /* Who says what: spec section 5. */
    {"a request of a server", SERVER, MESSAGE("0002", "00000008", "00000001 00000002"),
     "event_stream_request 0 {\"initial_timestamp\":1,\"request_flags\":2} !E_PROTOCOL 0 "
     "message_type\nLEAT_END"},
    {"data of a client", CLIENT, EVENT("00000012", "00000004 0000000a" PRIORITY),
     "event_data 0 " PRIORITY_EVENT " !E_PROTOCOL 0 message_type\nLEAT_END"},
    {"a bundle of a client", CLIENT, MESSAGE("0fa2", "00000008", "00000001 00000002"),
     "message_bundle 0 {\"connection_id\":1,\"sequence_number\":2,\"items\":0} !E_PROTOCOL 0 "
     "message_type\nLEAT_END"},
    {"unknown from either side", CLIENT, MESSAGE("0003", "00000000", ""),
     "unknown 0 {\"message_type\":3,\"data\":\"\"}\nLEAT_END"},

    /* Error: spec section 6. */
    {"error", ANY, MESSAGE("0001", "00000009", "ffffffff 0003 6f7570"),
     "error 0 {\"error_code\":-1,\"text_length\":3,\"text\":\"oup\"}\nLEAT_END"},
    {"error without text", ANY, MESSAGE("0001", "00000006", "7fffffff 0000"),
     "error 0 {\"error_code\":2147483647,\"text_length\":0,\"text\":\"\"}\nLEAT_END"},
    {"text shorter than said", ANY, MESSAGE("0001", "00000008", "00000013 0009 4e6f"),
     "error 0 {\"error_code\":19,\"text_length\":9,\"text\":\"No\"} !E_SYNTAX 12 text_length\n"
     "LEAT_END"},
    {"text longer than said", ANY, MESSAGE("0001", "00000008", "00000013 0001 4e6f"),
     "error 0 {\"error_code\":19,\"text_length\":1,\"text\":\"No\"} !E_SYNTAX 12 text_length\n"
     "LEAT_END"},
    {"error too short", ANY, MESSAGE("0001", "00000005", "00000013 00") "0001000000000000",
     "error 0 null !E_SYNTAX 8 \nnull 13 {}\nLEAT_END"},
    {"text that is not UTF-8", ANY, MESSAGE("0001", "00000007", "00000000 0001 ff"),
     "error 0 {\"error_code\":0,\"text_length\":1,\"text\":{\"hex\":\"ff\"}}\nLEAT_END"},

    /* Event stream request: spec section 7. */
    {"event stream request", CLIENT, MESSAGE("0002", "00000008", "ffffffff 48900061"),
     "event_stream_request 0 {\"initial_timestamp\":4294967295,\"request_flags\":1217396833}\n"
     "LEAT_END"},
    {"request too short", CLIENT, MESSAGE("0002", "00000007", "ffffffff 489000"),
     "event_stream_request 0 null !E_SYNTAX 8 \nLEAT_END"},
    {"request with more", CLIENT, MESSAGE("0002", "00000009", "00000001 00000002 77"),
     "event_stream_request 0 {\"initial_timestamp\":1,\"request_flags\":2,\"extra\":\"77\"}\n"
     "LEAT_END"},

    /* Services: spec section 8. */
    {"no services", SERVER, MESSAGE("0803", "00000000", ""),
     "streaming_information 0 {\"services\":[]}\nLEAT_END"},
    {"lengths that leave out 8", SERVER,
     MESSAGE("0803", "00000020",
             "00001a0b 00000008 00000000 00000000 00001388 00000008 00000001 00000002"),
     "streaming_information 0 {\"services\":["
     "{\"service_type\":6667,\"service_length\":8,\"flags\":0,\"initial_timestamp\":0},"
     "{\"service_type\":5000,\"service_length\":8,\"flags\":1,\"initial_timestamp\":2}]}\n"
     "LEAT_END"},
    {"lengths that count all", SERVER,
     MESSAGE("0803", "00000020",
             "00001a0b 00000010 00000000 00000000 00001388 00000010 00000001 00000002"),
     "streaming_information 0 {\"services\":["
     "{\"service_type\":6667,\"service_length\":16,\"flags\":0,\"initial_timestamp\":0},"
     "{\"service_type\":5000,\"service_length\":16,\"flags\":1,\"initial_timestamp\":2}]}\n"
     "LEAT_END"},
    {"a longer service", SERVER,
     MESSAGE("0803", "00000024",
             "00001a0b 0000000c 00000000 00000000 000b000c 00001388 00000008 00000001 00000002"),
     "streaming_information 0 {\"services\":["
     "{\"service_type\":6667,\"service_length\":12,\"flags\":0,\"initial_timestamp\":0,"
     "\"extra\":\"000b000c\"},"
     "{\"service_type\":5000,\"service_length\":8,\"flags\":1,\"initial_timestamp\":2}]}\n"
     "LEAT_END"},
    {"lengths that fit neither way", SERVER,
     MESSAGE("0803", "00000010", "00001a0b 00000007 00000000 00000000"),
     "streaming_information 0 null !E_SYNTAX 8 service_length\nLEAT_END"},
    {"a service cut short", SERVER, MESSAGE("0803", "0000000c", "00001a0b 00000004 00000000"),
     "streaming_information 0 null !E_SYNTAX 8 service_length\nLEAT_END"},
    {"the longest service", SERVER,
     MESSAGE("0803", "00000010", "00001a0b ffffffff 00000000 00000000"),
     "streaming_information 0 null !E_SYNTAX 8 service_length\nLEAT_END"},
    {"streaming request", CLIENT,
     MESSAGE("0801", "0000001c",
             "00001a0b 0000001c 0000001e 00000000 0006 0047 0004 0015 00000000"),
     "streaming_request 0 {\"services\":[{\"service_type\":6667,\"service_length\":28,"
     "\"flags\":30,\"initial_timestamp\":0,\"event_types\":["
     "{\"event_version\":6,\"event_code\":71},{\"event_version\":4,\"event_code\":21}]}]}\n"
     "LEAT_END"},
    {"its length does not matter, nor its end", CLIENT,
     MESSAGE("0801", "00000014", "00001a0b 7fffffff 0000001e 00000000 0006 0047"),
     "streaming_request 0 {\"services\":[{\"service_type\":6667,\"service_length\":2147483647,"
     "\"flags\":30,\"initial_timestamp\":0,\"event_types\":["
     "{\"event_version\":6,\"event_code\":71}]}]}\nLEAT_END"},
    {"two services", CLIENT,
     MESSAGE("0801", "00000028",
             "00001a0b 00000014 00000000 00000000 00000000"
             "00001388 00000014 00000000 00000000 00000000"),
     "streaming_request 0 {\"services\":["
     "{\"service_type\":6667,\"service_length\":20,\"flags\":0,\"initial_timestamp\":0,"
     "\"event_types\":[]},"
     "{\"service_type\":5000,\"service_length\":20,\"flags\":0,\"initial_timestamp\":0,"
     "\"event_types\":[]}]}\nLEAT_END"},
    {"half an event type", CLIENT,
     MESSAGE("0801", "00000012", "00001a0b 00000012 00000000 00000000 0006"),
     "streaming_request 0 null !E_SYNTAX 24 event_types\nLEAT_END"},
    {"half a service", CLIENT,
     MESSAGE("0801", "00000018", "00001a0b 00000012 00000000 00000000 00000000 00001388"),
     "streaming_request 0 null !E_SYNTAX 28 services\nLEAT_END"},

    /* Record headers: spec section 9.1. */
    {"header of 8 octets", SERVER, EVENT("00000012", "00000004 0000000a" PRIORITY),
     "event_data 0 " PRIORITY_EVENT "\nLEAT_END"},
    {"header of 16 octets", SERVER,
     EVENT("0000001a", "00000004 0000000a 6553f100 00000007" PRIORITY),
     "event_data 0 " DATA_JSON("4", "Priority",
                               "\"archive_timestamp\":1700000000,\"checksum\":7,"
                               "\"record\":" PRIORITY_JSON) "\nLEAT_END"},
    {"bit 31 and a netmap id", SERVER,
     EVENT("0000001a", "80050004 0000000a 6553f100 00000000" PRIORITY),
     "event_data 0 {\"record_type\":4,\"record_name\":\"Priority\",\"netmap_id\":5,"
     "\"extended_header\":true,\"archive_timestamp\":1700000000,\"checksum\":0,"
     "\"record\":" PRIORITY_JSON "}\nLEAT_END"},
    {"bit 31, but 8 octets", SERVER, EVENT("00000012", "ffff0004 0000000a" PRIORITY),
     "event_data 0 {\"record_type\":4,\"record_name\":\"Priority\",\"netmap_id\":32767,"
     "\"extended_header\":true,\"record\":" PRIORITY_JSON "}\nLEAT_END"},
    {"a length that counts all", SERVER, EVENT("00000012", "00000004 00000012" PRIORITY),
     "event_data 0 " DATA_JSON("4", "Priority",
                               "\"record_length\":18,\"record\":" PRIORITY_JSON) "\nLEAT_END"},
    {"a length that does not fit", SERVER,
     EVENT("00000012", "00000004 0000000b" PRIORITY) "0001000000000000",
     "event_data 0 null !E_SYNTAX 12 record_length\nnull 26 {}\nLEAT_END"},
    {"half a record header", SERVER, EVENT("00000007", "00000004 000000"),
     "event_data 0 null !E_SYNTAX 8 \nLEAT_END"},
    {"unknown record type", SERVER, EVENT("0000000b", "0000002b 00000003 010203"),
     "event_data 0 {\"record_type\":43,\"netmap_id\":0,\"extended_header\":false,"
     "\"record\":\"010203\"}\nLEAT_END"},
    {"unknown record type, nothing in it", SERVER, EVENT("00000008", "0000ffff 00000000"),
     "event_data 0 {\"record_type\":65535,\"netmap_id\":0,\"extended_header\":false,"
     "\"record\":\"\"}\nLEAT_END"},

    /* Malformed records: opaque, with the place; the conversation goes on. */
    {"a name beyond the record", SERVER,
     EVENT("00000012", "00000004 0000000a 00000001 0005 68696768") "0001000000000000",
     "event_data 0 " DATA_JSON(
         "4", "Priority",
         "\"record\":\"00000001000568696768\"") " !E_SYNTAX 22 name\nnull 26 {}\nLEAT_END"},
    {"a record that ends in a field", SERVER, EVENT("0000000b", "00000004 00000003 000000"),
     "event_data 0 " DATA_JSON("4", "Priority",
                               "\"record\":\"000000\"") " !E_SYNTAX 16 priority_id\nLEAT_END"},
    {"a record that ends between fields", SERVER, EVENT("0000000c", "00000004 00000004 00000001"),
     "event_data 0 " DATA_JSON("4", "Priority",
                               "\"record\":{\"priority_id\":1,\"truncated\":true}") "\nLEAT_END"},
    {"an empty record", SERVER, EVENT("00000008", "00000004 00000000"),
     "event_data 0 " DATA_JSON("4", "Priority", "\"record\":{\"truncated\":true}") "\nLEAT_END"},
    {"a length of nothing at the end", SERVER, EVENT("0000000e", "00000004 00000006 00000001 0000"),
     "event_data 0 " DATA_JSON(
         "4", "Priority",
         "\"record\":{\"priority_id\":1,\"name_length\":0,\"name\":\"\"}") "\nLEAT_END"},
    {"octets behind a structure", SERVER,
     EVENT("00000014", "00000004 0000000c 00000001 0004 68696768 9999"),
     "event_data 0 " DATA_JSON("4", "Priority",
                               "\"record\":{\"priority_id\":1,\"name_length\":4,\"name\":\"high\","
                               "\"extra\":\"9999\"}") "\nLEAT_END"},

    /* Blocks: spec section 10. */
    {"unknown block type", SERVER, EVENT("00000013", "00000190 0000000b 00000063 0000000b 010203"),
     "event_data 0 " DATA_JSON("400", "Intrusion Event",
                               "\"record\":{\"block_type\":99,\"data\":\"010203\"}") "\nLEAT_END"},
    {"a block shorter than its header", SERVER,
     EVENT("00000010", "00000190 00000008 00000055 00000007"),
     "event_data 0 " DATA_JSON("400", "Intrusion Event",
                               "\"record\":\"0000005500000007\"") " !E_SYNTAX 16 \nLEAT_END"},
    {"a block longer than its record", SERVER,
     EVENT("00000010", "00000190 00000008 00000055 00000009"),
     "event_data 0 " DATA_JSON("400", "Intrusion Event",
                               "\"record\":\"0000005500000009\"") " !E_SYNTAX 16 \nLEAT_END"},
    {"the longest block", SERVER, EVENT("00000010", "00000190 00000008 00000055 ffffffff"),
     "event_data 0 " DATA_JSON("400", "Intrusion Event",
                               "\"record\":\"00000055ffffffff\"") " !E_SYNTAX 16 \nLEAT_END"},
    {"no block", SERVER, EVENT("00000008", "00000190 00000000"),
     "event_data 0 " DATA_JSON("400", "Intrusion Event",
                               "\"record\":\"\"") " !E_SYNTAX 16 \nLEAT_END"},
    {"a block behind the block", SERVER,
     EVENT("0000001c", "0000006f 00000014 00000005 0000000c 00000002 00000000 00000008"),
     "event_data 0 " DATA_JSON("111", "Intrusion Event Extra Data Metadata",
                               "\"record\":{\"block_type\":5,\"type\":2,\"truncated\":true,"
                               "\"trailing\":\"0000000000000008\"}") "\nLEAT_END"},
    {"a string block of another type", SERVER,
     EVENT("0000001c", "0000006f 00000014 00000005 00000014 00000002 00000001 00000008"),
     "event_data 0 " DATA_JSON(
         "111", "Intrusion Event Extra Data Metadata",
         "\"record\":\"0000000500000014000000020000000100000008\"") " !E_SYNTAX 28 name\nLEAT_END"},
    {"a string block that is too long", SERVER,
     EVENT("0000001c", "0000006f 00000014 00000005 00000014 00000002 00000000 00000009"),
     "event_data 0 " DATA_JSON(
         "111", "Intrusion Event Extra Data Metadata",
         "\"record\":\"0000000500000014000000020000000000000009\"") " !E_SYNTAX 28 name\nLEAT_END"},
    {"a string block with a NUL", SERVER,
     EVENT("0000001e", "0000006f 00000016 00000005 00000016 00000002 00000000 0000000a 6100"),
     "event_data 0 " DATA_JSON("111", "Intrusion Event Extra Data Metadata",
                               "\"record\":{\"block_type\":5,\"type\":2,\"name\":\"a\\u0000\","
                               "\"truncated\":true}") "\nLEAT_END"},
    {"a blob block, series 2", SERVER,
     EVENT("0000002a", "0000006e 00000022 00000004 00000022 00000001 00000002 00000003 00000009"
                       "00000001 0000000a 2f69"),
     "event_data 0 " DATA_JSON("110", "Intrusion Event Extra Data",
                               "\"record\":{\"block_type\":4,\"device_id\":1,\"event_id\":2,"
                               "\"event_second\":3,\"type\":9,\"data\":\"2f69\"}") "\nLEAT_END"},
    {"lists of the other kind, elements of several types", SERVER,
     EVENT("0000003c", "00000008 00000034 0000003a 00000034 00000001 0000001f 00000028"
                       "00000007 0000000c 00000005" /* an integer */
                       "00000000 0000000b 616263"   /* text */
                       "0000009d 00000009 77"),     /* unknown */
     "event_data 0 " DATA_JSON("8", "Policy Event",
                               "\"record\":{\"block_type\":58,\"user_id\":1,\"protocols\":["
                               "{\"block_type\":7,\"value\":5},\"abc\","
                               "{\"block_type\":157,\"data\":\"77\"}]}") "\nLEAT_END"},
    {"an element that does not fit", SERVER,
     EVENT("00000024", "00000008 0000001c 0000003a 0000001c 00000001 0000000b 00000010"
                       "00000007 0000000c"),
     "event_data 0 " DATA_JSON("8", "Policy Event",
                               "\"record\":\"0000003a0000001c000000010000000b00000010"
                               "000000070000000c\"") " !E_SYNTAX 36 \nLEAT_END"},
    {"octets that are no element", SERVER,
     EVENT("0000001f", "00000008 00000017 0000003a 00000017 00000001 0000000b 0000000b 000000"),
     "event_data 0 " DATA_JSON(
         "8", "Policy Event",
         "\"record\":\"0000003a00000017000000010000000b0000000b000000\"") " !E_SYNTAX 36 "
                                                                          "\nLEAT_END"},
    {"not a list", SERVER,
     EVENT("0000001c", "00000008 00000014 0000003a 00000014 00000001 0000000a 00000008"),
     "event_data 0 " DATA_JSON(
         "8", "Policy Event",
         "\"record\":\"0000003a00000014000000010000000a00000008\"") " !E_SYNTAX 28 "
                                                                    "protocols\nLEAT_END"},

    /* Discovery headers: spec section 9.3. */
    {"discovery header only", SERVER, EVENT("00000030", "00000013 00000028" HEADER_40),
     "event_data 0 " DATA_JSON("19", "Host Timeout",
                               "\"record\":{" HEADER_40_JSON "}") "\nLEAT_END"},
    {"with an IPv6 address", SERVER, EVENT("00000041", "00000016 00000039" HEADER_56 "07"),
     "event_data 0 " DATA_JSON("22", "Hops Change",
                               "\"record\":{" HEADER_56_JSON ",\"hops\":7}") "\nLEAT_END"},
    {"with neither, and an unknown layout", SERVER,
     EVENT("00000032", "0000001e 0000002a" HEADER_40 "abcd"),
     "event_data 0 " DATA_JSON("30", "Host Update",
                               "\"record\":{" HEADER_40_JSON ",\"data\":\"abcd\"}") "\nLEAT_END"},
    {"an address that is not said to be there", SERVER,
     EVENT("00000030", "00000013 00000028 00000003 c0000221 02005e100001 02 07 0000000b 0000000c"
                       "000003e8 00000001 00000000 00000000"),
     "event_data 0 " DATA_JSON("19", "Host Timeout",
                               "\"record\":{\"discovery_header\":{\"device_id\":3,"
                               "\"legacy_ip\":\"192.0.2.33\","
                               "\"mac_address\":\"02:00:5e:10:00:01\",\"has_ipv6\":2,"
                               "\"reserved\":7,\"event_second\":11,\"event_microsecond\":12,"
                               "\"event_type\":1000,\"event_subtype\":1,\"file_number\":0,"
                               "\"file_position\":0}}") "\nLEAT_END"},
    {"with more behind it", SERVER, EVENT("00000032", "00000013 0000002a" HEADER_40 "abcd"),
     "event_data 0 " DATA_JSON("19", "Host Timeout",
                               "\"record\":{" HEADER_40_JSON ",\"extra\":\"abcd\"}") "\nLEAT_END"},
    {"too short for an address", SERVER,
     EVENT("00000018", "00000013 00000010 00000003 c0000221 02005e100001 01 00"),
     "event_data 0 " DATA_JSON(
         "19", "Host Timeout",
         "\"record\":\"00000003c000022102005e1000010100\"") " !E_SYNTAX 16 "
                                                            "discovery_header\nLEAT_END"},

    /* Two forms under one number: spec sections 9 and 17. */
    {"MAC change with a block header", SERVER,
     EVENT("00000044",
           "0000001b 0000003c" HEADER_40 "0000005f 00000014 01 02005e100001 01 6553f100"),
     "event_data 0 " DATA_JSON("27", "MAC Information Change",
                               "\"record\":{" HEADER_40_JSON ",\"block_type\":95,\"ttl\":1,"
                               "\"mac_address\":\"02:00:5e:10:00:01\",\"primary\":1,"
                               "\"last_seen\":1700000000}") "\nLEAT_END"},
    {"MAC change without", SERVER,
     EVENT("0000003c", "0000001b 00000034" HEADER_40 "01 02005e100001 01 6553f100"),
     "event_data 0 " DATA_JSON("27", "MAC Information Change",
                               "\"record\":{" HEADER_40_JSON ",\"legacy\":true,\"ttl\":1,"
                               "\"mac_address\":\"02:00:5e:10:00:01\",\"primary\":1,"
                               "\"last_seen\":1700000000}") "\nLEAT_END"},
    {"new address of 16 octets", SERVER,
     EVENT("00000040", "0000001d 00000038" HEADER_40 "20010db8000000000000000000000001"),
     "event_data 0 " DATA_JSON("29", "Host IP Address Changed",
                               "\"record\":{" HEADER_40_JSON
                               ",\"new_ip\":\"2001:db8::1\"}") "\nLEAT_END"},
    {"new address of 4 octets", SERVER, EVENT("00000034", "0000001d 0000002c" HEADER_40 "c0000205"),
     "event_data 0 " DATA_JSON("29", "Host IP Address Changed",
                               "\"record\":{" HEADER_40_JSON
                               ",\"legacy\":true,\"new_ip\":\"192.0.2.5\"}") "\nLEAT_END"},
    {"user as a block", SERVER,
     EVENT("00000022",
           "00000062 0000001a 00000039 0000001a 0000004d 000002c6 00000000 0000000a 6a64"),
     "event_data 0 " DATA_JSON("98", "User",
                               "\"record\":{\"block_type\":57,\"id\":77,\"protocol\":710,"
                               "\"username\":\"jd\"}") "\nLEAT_END"},
    {"user as a structure", SERVER,
     EVENT("00000016", "00000062 0000000e 00000039 000002c6 00000002 6a64"),
     "event_data 0 " DATA_JSON("98", "User",
                               "\"record\":{\"legacy\":true,\"user_id\":57,\"protocol\":710,"
                               "\"name_length\":2,\"name\":\"jd\"}") "\nLEAT_END"},
    {"system user as a structure", SERVER,
     EVENT("00000012", "0000003e 0000000a 0000004d 00000002 6a64"),
     "event_data 0 " DATA_JSON("62", "User (system user)",
                               "\"record\":{\"legacy\":true,\"user_id\":77,\"name_length\":2,"
                               "\"name\":\"jd\"}") "\nLEAT_END"},
    {"correlation rule of 4.9", SERVER,
     EVENT("00000032", "00000046 0000002a 00000001 0001 61 0001 62"
                       "00112233445566778899aabbccddeeff 00112233445566778899aabbccddee00"),
     "event_data 0 " DATA_JSON(
         "70", "Correlation Rule",
         "\"record\":{\"legacy\":true,\"rule_id\":1,\"name_length\":1,"
         "\"name\":\"a\",\"description_length\":1,\"description\":\"b\","
         "\"rule_uuid\":\"00112233-4455-6677-8899-aabbccddeeff\","
         "\"revision_uuid\":\"00112233-4455-6677-8899-aabbccddee00\"}") "\nLEAT_END"},
    {"correlation rule since", SERVER,
     EVENT("00000045", "00000046 0000003d 00000001 0001 61 0001 62 0001 63"
                       "00112233445566778899aabbccddeeff 00112233445566778899aabbccddee00"
                       "00112233445566778899aabbccddee01"),
     "event_data 0 " DATA_JSON(
         "70", "Correlation Rule",
         "\"record\":{\"rule_id\":1,\"name_length\":1,"
         "\"name\":\"a\",\"description_length\":1,\"description\":\"b\","
         "\"event_type_length\":1,\"event_type\":\"c\","
         "\"rule_uuid\":\"00112233-4455-6677-8899-aabbccddeeff\","
         "\"revision_uuid\":\"00112233-4455-6677-8899-aabbccddee00\","
         "\"allow_list_uuid\":\"00112233-4455-6677-8899-aabbccddee01\"}") "\nLEAT_END"},

    /* Bundles: spec section 9.4. */
    {"empty bundle", SERVER, MESSAGE("0fa2", "00000008", "00000001 00000002"),
     "message_bundle 0 {\"connection_id\":1,\"sequence_number\":2,\"items\":0}\nLEAT_END"},
    {"items of both forms", SERVER,
     MESSAGE("0fa2", "0000003c",
             "00000001 00000002 00000004 00000012 00000004 0000000a" PRIORITY
             "0001 0004 00000012 00000004 0000000a" PRIORITY) "0001000000000000",
     "message_bundle 0 {\"connection_id\":1,\"sequence_number\":2,\"items\":2}\n"
     "event_data 16 " PRIORITY_EVENT "\nevent_data 42 " PRIORITY_EVENT "\nnull 68 {}\nLEAT_END"},
    {"items of other types", SERVER,
     MESSAGE("0fa2", "0000002c",
             "00000001 00000002 00000000 00000000 0001 0803 00000001 aa"
             "deadbeef 00000002 bbcc 0001 0fa2 00000001 00"),
     "message_bundle 0 {\"connection_id\":1,\"sequence_number\":2,\"items\":4}\n"
     "unknown 16 {\"message_type\":0,\"data\":\"\"}\n"
     "unknown 24 {\"message_type\":2051,\"data\":\"aa\"}\n"
     "unknown 33 {\"message_type\":3735928559,\"data\":\"bbcc\"}\n"
     "unknown 43 {\"message_type\":4002,\"data\":\"00\"}\nLEAT_END"},
    {"an item that overruns", SERVER,
     MESSAGE("0fa2", "0000002c",
             "00000001 00000002 00000004 00000012 00000004 0000000a" PRIORITY
             "00000004 00000003 abcd") "0001000000000000",
     "message_bundle 0 {\"connection_id\":1,\"sequence_number\":2,\"items\":1}\n"
     "event_data 16 " PRIORITY_EVENT "\nunknown 42 null !E_SYNTAX 42 message_length\n"
     "null 52 {}\nLEAT_END"},
    {"an item of the longest length", SERVER,
     MESSAGE("0fa2", "00000010", "00000001 00000002 00000004 ffffffff"),
     "message_bundle 0 {\"connection_id\":1,\"sequence_number\":2,\"items\":0}\n"
     "unknown 16 null !E_SYNTAX 16 message_length\nLEAT_END"},
    {"a rest that is no item", SERVER,
     MESSAGE("0fa2", "0000000f", "00000001 00000002 00000004 000000"),
     "message_bundle 0 {\"connection_id\":1,\"sequence_number\":2,\"items\":0}\n"
     "unknown 16 null !E_SYNTAX 16 message_length\nLEAT_END"},
    {"bundle too short", SERVER, MESSAGE("0fa2", "00000007", "00000001 000000"),
     "message_bundle 0 null !E_SYNTAX 8 \nLEAT_END"},
    {"a malformed record in a bundle", SERVER,
     MESSAGE("0fa2", "0000003c",
             "00000001 00000002 00000004 00000012 00000004 0000000a 00000001 0005 68696768"
             "00000004 00000012 00000004 0000000a" PRIORITY),
     "message_bundle 0 {\"connection_id\":1,\"sequence_number\":2,\"items\":2}\n"
     "event_data 16 " DATA_JSON(
         "4", "Priority",
         "\"record\":\"00000001000568696768\"") " !E_SYNTAX 38 name\nevent_data 42 " PRIORITY_EVENT
                                                "\nLEAT_END"},

    /* Host data: spec section 11. */
    {"host data request", CLIENT,
     MESSAGE("0005", "00000010", "00000005 00000003 c0000201 c00002ff"),
     "host_data_request 0 {\"data_type\":5,\"flags\":3,\"start_ip\":\"192.0.2.1\","
     "\"end_ip\":\"192.0.2.255\"}\nLEAT_END"},
    {"of 16 octets each", CLIENT,
     MESSAGE("0005", "00000028",
             "00000007 00000000 00000000000000000000ffffc0000201 20010db8000000000000000000000001"),
     "host_data_request 0 {\"ipv6\":true,\"data_type\":7,\"flags\":0,\"start_ip\":\"192.0.2.1\","
     "\"end_ip\":\"2001:db8::1\"}\nLEAT_END"},
    {"host data request too short", CLIENT,
     MESSAGE("0005", "0000000f", "00000005 00000003 c0000201 c00002"),
     "host_data_request 0 null !E_SYNTAX 8 \nLEAT_END"},
    {"host data request too long", CLIENT,
     MESSAGE("0005", "00000011", "00000005 00000003 c0000201 c00002ff 00"),
     "host_data_request 0 null !E_SYNTAX 8 \nLEAT_END"},
    {"of 16 octets each, and one more", CLIENT,
     MESSAGE("0005", "00000029",
             "00000007 00000000 00000000000000000000ffffc0000201"
             "20010db8000000000000000000000001 00"),
     "host_data_request 0 null !E_SYNTAX 8 \nLEAT_END"},
    {"end of a range", SERVER, MESSAGE("0007", "00000000", ""),
     "multiple_host_data 0 {}\nLEAT_END"},
    {"one host", SERVER, MESSAGE("0006", "0000000a", "0000009d 0000000a 0102"),
     "single_host_data 0 {\"block_type\":157,\"data\":\"0102\"}\nLEAT_END"},
    {"host data with more behind it", SERVER,
     MESSAGE("0007", "0000000b", "0000009d 0000000a 0102 03"),
     "multiple_host_data 0 {\"block_type\":157,\"data\":\"0102\",\"trailing\":\"03\"}\nLEAT_END"},
    {"host data that does not fit", SERVER, MESSAGE("0007", "0000000a", "0000009d 0000000b 0102"),
     "multiple_host_data 0 null !E_SYNTAX 8 \nLEAT_END"},

    /* Addresses whose octets stand in reversed order: the oldest connection blocks. */
    {"reversed addresses", SERVER,
     EVENT("00000040", "00000021 00000038" HEADER_40 "00000009 00000010 210200c0 5064a8c6"),
     "event_data 0 " DATA_JSON(
         "33", "Flow Statistics (old)",
         "\"record\":{" HEADER_40_JSON ",\"block_type\":9,"
         "\"initiator_ip\":\"192.0.2.33\","
         "\"responder_ip\":\"198.168.100.80\",\"truncated\":true}") "\nLEAT_END"},
    {"half a reversed address", SERVER,
     EVENT("0000003a", "00000021 00000032" HEADER_40 "00000009 0000000a 2102"),
     "event_data 0 " DATA_JSON("33", "Flow Statistics (old)",
                               "\"record\":\"00000003c000022102005e10000100000000000b0000000c"
                               "000003e80000000100000000000000000000000"
                               "90000000a2102\"") " !E_SYNTAX 64 initiator_ip\nLEAT_END"},
};

START_TEST(tells)
{
    struct t_bytes octets = t_hex(cases[_i].hex);
    char *told = tell_octets(cases[_i].from, NULL, octets);

    ck_assert_msg(strcmp(told, cases[_i].told) == 0, "%s:\n%s\nexpected:\n%s", cases[_i].name, told,
                  cases[_i].told);
    free(told);
    free(t_every_split(make, &cases[_i].from, octets.data, octets.length));
    t_free(octets);
}
END_TEST

/* Whatever was told can be sent again, unless it was not understood; then it is told the same. */
START_TEST(sent_again)
{
    struct t_bytes octets = t_hex(cases[_i].hex);
    leat_session *session = make(NULL, &cases[_i].from);
    leat_session *other = make(NULL, &cases[_i].from);
    const leat_event *event;
    size_t length, again_length;
    const void *sent;
    struct t_bytes first;

    ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
    while (leat_next(session, &event) == LEAT_OK) {
        if (leat_event_value(event) != NULL)
            ck_assert_msg(
                leat_send(other, leat_event_name(event, NULL), leat_event_value(event)) == LEAT_OK,
                "%s: %s %s", cases[_i].name, leat_error_text(leat_session_send_error(other)),
                leat_error_field(leat_session_send_error(other)));
    }
    leat_session_free(session);
    sent = leat_send_data(other, &length);
    first = t_copy(sent, length);
    leat_session_free(other);

    /* What is sent is in its final form. */
    session = make(NULL, &cases[_i].from);
    other = make(NULL, &cases[_i].from);
    ck_assert_int_eq(leat_feed(session, first.data, first.length), LEAT_OK);
    while (leat_next(session, &event) == LEAT_OK)
        ck_assert_int_eq(leat_send(other, leat_event_name(event, NULL), leat_event_value(event)),
                         LEAT_OK);
    sent = leat_send_data(other, &again_length);
    ck_assert_uint_eq(again_length, first.length);
    if (again_length > 0)
        ck_assert_mem_eq(sent, first.data, again_length);
    leat_session_free(session);
    leat_session_free(other);
    t_free(first);
    t_free(octets);
}
END_TEST

static leat_config with_limits(leat_limits *limits)
{
    leat_config config;

    leat_config_init(&config, sizeof config);
    config.limits = limits;
    return config;
}

static void check_limit(const char *hex, const leat_limits *limits, const char *expected)
{
    leat_limits copy = *limits;
    leat_config config = with_limits(&copy);
    struct t_bytes octets = t_hex(hex);
    char *told = tell_octets(ANY, &config, octets);

    ck_assert_str_eq(told, expected);
    free(told);
    t_free(octets);
}

START_TEST(message_limit)
{
    leat_limits limits;

    leat_limits_init(&limits, sizeof limits);
    limits.message_bytes = 18;
    check_limit(EVENT("00000012", "00000004 0000000a" PRIORITY), &limits,
                "event_data 0 " PRIORITY_EVENT "\nLEAT_END");
    limits.message_bytes = 17;
    check_limit(EVENT("00000012", "00000004 0000000a" PRIORITY), &limits,
                "LEAT_E_LIMIT !E_LIMIT 4 message_length");
    /* The default: 16 MiB. */
    limits.message_bytes = 0;
    check_limit("0001 0000 01000000", &limits, "LEAT_E_END !E_END 8 ");
    check_limit("0001 0000 01000001", &limits, "LEAT_E_LIMIT !E_LIMIT 4 message_length");
    limits.message_bytes = UINT64_MAX;
    check_limit("0001 0000 00000000", &limits, "null 0 {}\nLEAT_END");
}
END_TEST

/* The value, its five fields and the three of the record. */
START_TEST(values_limit)
{
    static const char hex[] = EVENT("00000012", "00000004 0000000a" PRIORITY) "0001000000000000";
    leat_limits limits;

    leat_limits_init(&limits, sizeof limits);
    limits.values = 9;
    check_limit(hex, &limits, "event_data 0 " PRIORITY_EVENT "\nnull 26 {}\nLEAT_END");
    limits.values = 8; /* then the record is told as its octets */
    check_limit(hex, &limits,
                "event_data 0 " DATA_JSON(
                    "4", "Priority",
                    "\"record\":\"00000001000468696768\"") " !E_LIMIT 22 \nnull 26 {}\nLEAT_END");
    limits.values = 6;
    check_limit(hex, &limits,
                "event_data 0 " DATA_JSON(
                    "4", "Priority",
                    "\"record\":\"00000001000468696768\"") " !E_LIMIT 16 \nnull 26 {}\nLEAT_END");
    limits.values = 5;
    check_limit(hex, &limits, "event_data 0 null !E_LIMIT 16 \nnull 26 {}\nLEAT_END");
    limits.values = 4;
    check_limit(hex, &limits, "event_data 0 null !E_LIMIT 8 \nnull 26 {}\nLEAT_END");
}
END_TEST

/* The value, its five fields, the first of the record and what says that others are missing. */
START_TEST(values_limit_of_a_cut_record)
{
    static const char hex[] = EVENT("0000000c", "00000005 00000004 00000001");
    leat_limits limits;

    leat_limits_init(&limits, sizeof limits);
    limits.values = 8;
    check_limit(hex, &limits,
                "event_data 0 " DATA_JSON(
                    "5", "Rule Message (version 1)",
                    "\"record\":{\"generator_id\":1,\"truncated\":true}") "\nLEAT_END");
    limits.values = 7;
    check_limit(hex, &limits,
                "event_data 0 " DATA_JSON("5", "Rule Message (version 1)",
                                          "\"record\":\"00000001\"") " !E_LIMIT 20 \nLEAT_END");
    limits.values = 6;
    check_limit(hex, &limits,
                "event_data 0 " DATA_JSON("5", "Rule Message (version 1)",
                                          "\"record\":\"00000001\"") " !E_LIMIT 16 \nLEAT_END");
}
END_TEST

/* Lists in lists: two containers for each, a record and its list. */
static struct t_bytes nested_lists(size_t levels)
{
    struct t_bytes octets = t_copy("", 0);
    uint8_t head[16] = {0, 1, 0, 4, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0};
    size_t i;

    head[6] = (uint8_t)((8 + 8 * levels) >> 8);
    head[7] = (uint8_t)(8 + 8 * levels);
    head[14] = (uint8_t)(8 * levels >> 8);
    head[15] = (uint8_t)(8 * levels);
    t_append(&octets, head, sizeof head);
    for (i = levels; i > 0; i--) {
        uint8_t list[8] = {0, 0, 0, 31, 0, 0, (uint8_t)(8 * i >> 8), (uint8_t)(8 * i)};

        t_append(&octets, list, sizeof list);
    }
    return octets;
}

/* Checks that so many levels are told, or refused; and that what is told can be sent. */
static void check_depth(uint64_t depth, size_t levels, bool good)
{
    leat_limits limits;
    leat_config config;
    struct t_bytes octets = nested_lists(levels);
    const uint32_t from = ANY;
    leat_session *session, *other;
    const leat_event *event;
    const void *sent;
    size_t length;

    leat_limits_init(&limits, sizeof limits);
    limits.depth = depth;
    config = with_limits(&limits);
    session = make(&config, &from);
    other = make(&config, &from);
    ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    ck_assert_int_eq(leat_error_code(leat_event_error(event)), good ? LEAT_OK : LEAT_E_LIMIT);
    ck_assert_uint_eq(leat_value_kind(leat_value_get(leat_event_value(event), "record")),
                      good ? LEAT_RECORD : LEAT_BYTES);
    ck_assert_int_eq(leat_send(other, "event_data", leat_event_value(event)), LEAT_OK);
    sent = leat_send_data(other, &length);
    ck_assert_uint_eq(length, octets.length);
    ck_assert_mem_eq(sent, octets.data, length);
    leat_session_free(session);
    leat_session_free(other);
    t_free(octets);
}

START_TEST(depth_limit)
{
    /* The event's record, then a record and a list for each level. */
    check_depth(0, 15, true); /* 31 */
    check_depth(0, 16, false);
    check_depth(31, 15, true);
    check_depth(30, 15, false);
    check_depth(5, 2, true);
    check_depth(4, 2, false);
    check_depth(128, 63, true);
    check_depth(128, 64, false);
    check_depth(UINT64_MAX, 63, true);
    check_depth(UINT64_MAX, 2000, false);
}
END_TEST

/* What cannot be told for want of depth is an error of its own, not the end. */
START_TEST(shallow)
{
    leat_limits limits;

    leat_limits_init(&limits, sizeof limits);
    limits.depth = 1;
    check_limit(MESSAGE("0801", "00000010", "00001a0b 00000010 00000000 00000000"), &limits,
                "streaming_request 0 null !E_LIMIT 8 services\nLEAT_END");
    check_limit(MESSAGE("0803", "00000010", "00001a0b 00000008 00000000 00000000"), &limits,
                "streaming_information 0 null !E_LIMIT 8 services\nLEAT_END");
    limits.depth = 3;
    check_limit(MESSAGE("0801", "00000014", "00001a0b 00000010 00000000 00000000 00010001"),
                &limits, "streaming_request 0 null !E_LIMIT 24 event_types\nLEAT_END");
    limits.depth = 2;
    check_limit(EVENT("00000030", "00000013 00000028" HEADER_40), &limits,
                "event_data 0 " DATA_JSON(
                    "19", "Host Timeout",
                    "\"record\":\"00000003c000022102005e10000100000000000b"
                    "0000000c000003e8000000010000000000000000\"") " !E_LIMIT 16 "
                                                                  "discovery_header\nLEAT_END");
}
END_TEST

START_TEST(kinds)
{
    static const struct {
        uint32_t kind;
        const char *name;
        const char *hex;
    } messages[] = {
        {LEAT_ESTREAMER_NULL, "null", MESSAGE("0000", "00000000", "")},
        {LEAT_ESTREAMER_ERROR, "error", MESSAGE("0001", "00000006", "00000000 0000")},
        {LEAT_ESTREAMER_EVENT_STREAM_REQUEST, "event_stream_request",
         MESSAGE("0002", "00000008", "00000000 00000000")},
        {LEAT_ESTREAMER_EVENT_DATA, "event_data", EVENT("00000008", "0000002b 00000000")},
        {LEAT_ESTREAMER_HOST_DATA_REQUEST, "host_data_request",
         MESSAGE("0005", "00000010", "00000000 00000000 00000000 00000000")},
        {LEAT_ESTREAMER_SINGLE_HOST_DATA, "single_host_data", MESSAGE("0006", "00000000", "")},
        {LEAT_ESTREAMER_MULTIPLE_HOST_DATA, "multiple_host_data", MESSAGE("0007", "00000000", "")},
        {LEAT_ESTREAMER_STREAMING_REQUEST, "streaming_request", MESSAGE("0801", "00000000", "")},
        {LEAT_ESTREAMER_STREAMING_INFORMATION, "streaming_information",
         MESSAGE("0803", "00000000", "")},
        {LEAT_ESTREAMER_MESSAGE_BUNDLE, "message_bundle",
         MESSAGE("0fa2", "00000008", "00000000 00000000")},
        {LEAT_ESTREAMER_UNKNOWN, "unknown", MESSAGE("0063", "00000000", "")},
    };
    struct t_bytes octets = t_hex(messages[_i].hex);
    const uint32_t from = ANY;
    leat_session *session = make(NULL, &from);
    const leat_event *event;
    const void *raw;
    size_t length;

    ck_assert_uint_eq(messages[_i].kind, (uint32_t)_i + 1);
    ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    ck_assert_uint_eq(leat_event_kind(event), messages[_i].kind);
    ck_assert_str_eq(leat_event_name(event, NULL), messages[_i].name);
    raw = leat_event_raw(event, &length);
    ck_assert_uint_eq(length, octets.length);
    ck_assert_mem_eq(raw, octets.data, length);
    leat_session_free(session);
    t_free(octets);
}
END_TEST

/* The raw octets of the parts of a bundle, laid end to end, are the bundle. */
START_TEST(raw_of_a_bundle)
{
    struct t_bytes octets =
        t_hex(MESSAGE("0fa2", "00000035",
                      "00000001 00000002 00000004 00000012 00000004 0000000a" PRIORITY
                      "00000009 00000001 aa 00000004 00000003 abcd"));
    struct t_bytes whole = t_copy("", 0);
    const uint32_t from = ANY;
    leat_session *session = make(NULL, &from);
    const leat_event *event;

    ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
    while (leat_next(session, &event) == LEAT_OK) {
        size_t length;
        const void *raw = leat_event_raw(event, &length);

        ck_assert_uint_eq(leat_event_offset(event), whole.length);
        t_append(&whole, raw, length);
    }
    ck_assert_uint_eq(whole.length, octets.length);
    ck_assert_mem_eq(whole.data, octets.data, octets.length);
    leat_session_free(session);
    t_free(whole);
    t_free(octets);
}
END_TEST

START_TEST(sides)
{
    leat_session *session;

    ck_assert_int_eq(leat_estreamer_codec_new(NULL, LEAT_FROM_PROXY, &session), LEAT_E_STATE);
    ck_assert_int_eq(leat_estreamer_codec_new(NULL, LEAT_FROM_AGENT, &session), LEAT_E_STATE);
    ck_assert_int_eq(leat_estreamer_codec_new(NULL, LEAT_FROM_SENDER, &session), LEAT_E_STATE);
    ck_assert_int_eq(leat_estreamer_codec_new(NULL, 99, &session), LEAT_E_STATE);
}
END_TEST

/* The end of the stream comes inside a bundle: what is whole of it is told, wherever it was cut. */
START_TEST(cut_bundle)
{
    struct t_bytes b = t_hex("00010fa2 0000002c 0000002a 00000002"
                             "00000004 0000000a 00000000 00000002 aabb"
                             "00010004 0000000a 00000000 00000002 ccdd");
    const uint32_t from = ANY;
    size_t cut;

    ck_assert_uint_eq(b.length, 52);
    for (cut = 1; cut <= b.length; cut++) {
        struct t_bytes part = t_copy(b.data, cut);
        char *told = t_every_split(make, &from, part.data, part.length);
        const char *at = told;
        char last[40];
        size_t items = 0;

        while ((at = strstr(at, " event_data ")) != NULL) {
            items++;
            at++;
        }
        ck_assert_uint_eq(items, cut < 34 ? 0 : cut < 52 ? 1 : 2);
        ck_assert_int_eq(strstr(told, " message_bundle ") != NULL, cut >= 16);
        /* What is left of an item is told, too. */
        ck_assert_int_eq(strstr(told, " unknown ") != NULL,
                         (cut > 16 && cut < 34) || (cut > 34 && cut < 52));
        (void)snprintf(last, sizeof last, "\nLEAT_E_END LEAT_E_END at %zu:", cut);
        ck_assert_int_eq(strstr(told, cut >= 16 ? last : last + 1) != NULL, cut < 52);
        free(told);
        t_free(part);
    }
    t_free(b);
}
END_TEST

static void tests(TCase *tcase)
{
    const int count = (int)(sizeof cases / sizeof *cases);

    tcase_add_loop_test(tcase, tells, 0, count);
    tcase_add_loop_test(tcase, sent_again, 0, count);
    tcase_add_test(tcase, message_limit);
    tcase_add_test(tcase, values_limit);
    tcase_add_test(tcase, values_limit_of_a_cut_record);
    tcase_add_test(tcase, depth_limit);
    tcase_add_test(tcase, shallow);
    tcase_add_loop_test(tcase, kinds, 0, 11);
    tcase_add_test(tcase, raw_of_a_bundle);
    tcase_add_test(tcase, cut_bundle);
    tcase_add_test(tcase, sides);
}

T_MAIN("estreamer/codec", tests)
