/* The client's side of live sessions: what it says, what it tells, and what it survives. */
#include "live.h"

#include <stddef.h>
#include <stdio.h>

#define FRAME_6667   "{'services':[{'service_type':6667}]}"
#define INFORMATION  "hear streaming_information " FRAME_6667 "\n"
#define RECORD       "{'record_type':4,'record':{'priority_id':1,'name':'high'}}"
#define DATED        "{'record_type':4,'archive_timestamp':5,'record':{'priority_id':1,'name':'high'}}"
#define EVENT        "hear event_data " RECORD "\n"
#define BUNDLE(n, i) "hear message_bundle {'sequence_number':" n ",'items':[" i "]}\n"
#define REQUEST_HEX  "0001 0002 00000008 00000000 48900061"
#define NULL_HEX     "0001 0000 00000000"

/* What a client is made with: 0 and NULL stand for what the options are initialised to. */
struct setting {
    uint32_t held_records; /* hold as well */
    uint32_t hold;
    uint32_t endure_errors;
    uint32_t request_flags;
    uint64_t idle_ms;
    uint64_t queued_bytes;
    uint64_t message_bytes;
};

static leat_session *make_set(const leat_config *config, const void *arg)
{
    const struct setting *setting = (const struct setting *)arg;
    leat_estreamer_client_options options;
    leat_session *session = NULL;
    leat_limits limits;
    leat_config limited =
        live_limited(config, &limits, setting->queued_bytes, setting->message_bytes);

    leat_estreamer_client_options_init(&options, sizeof options);
    if (setting->request_flags != 0)
        options.request_flags = setting->request_flags;
    if (setting->held_records != 0)
        options.held_records = setting->held_records;
    options.hold = setting->hold | (setting->held_records != 0);
    options.endure_errors = setting->endure_errors;
    options.idle_ms = setting->idle_ms;
    if (leat_estreamer_client_new(&limited, &options, &session) != LEAT_OK)
        return NULL;
    return session;
}

static leat_session *make(const leat_config *config, const void *arg)
{
    leat_session *session = NULL;

    (void)arg;
    (void)leat_estreamer_client_new(config, NULL, &session);
    return session;
}

#define STARTED                                                                                    \
    "said event_stream_request\n" INFORMATION "told streaming_information MORE\n"                  \
    "said streaming_request null\n"
#define BARE 0x00900040 /* no extended request */

static const struct {
    const char *name;
    struct setting with;
    const char *script;
} conversations[] = {
    /* Section 13's table, row by row. */
    {"the request comes first", {0}, "wants read write\nwrote " REQUEST_HEX "\nwants read\n"},
    {"then the services, the streaming request, and an acknowledgement", {0}, STARTED},
    {"services in several forms: others first, lengths that leave themselves out",
     {0},
     "said event_stream_request\n"
     "octets 0001 0803 00000020 00001388 00000008 00000000 00000000"
     " 00001a0b 00000008 00000000 00000000\n"
     "told streaming_information MORE\nsaid streaming_request null\n"},
    {"lengths that include themselves",
     {0},
     "said event_stream_request\n"
     "octets 0001 0803 00000020 00001388 00000010 00000000 00000000"
     " 00001a0b 00000010 00000000 00000000\n"
     "told streaming_information MORE\nsaid streaming_request null\n"},
    {"a service without 6667 is fatal, and said so",
     {0},
     "said event_stream_request\n"
     "hear streaming_information {'services':[{'service_type':5000}]}\n"
     "told streaming_information!PROTOCOL E_PROTOCOL\n"
     "wants write close\nsaid error/-1\nwants close\n"},
    {"so are no services at all",
     {0},
     "said event_stream_request\nhear streaming_information\n"
     "told streaming_information!PROTOCOL E_PROTOCOL\nsaid error/-1\n"},
    {"records may come before the services",
     {0},
     "said event_stream_request\n" EVENT BUNDLE(
         "1", RECORD) "told event_data/4 message_bundle event_data/4 MORE\nsaid null "
                      "null\n" INFORMATION
                      "told streaming_information MORE\nsaid streaming_request null\n"},
    {"without an extended request records come at once",
     {.request_flags = BARE},
     "said event_stream_request\n" EVENT "told event_data/4 MORE\nsaid null\n"},
    {"and services are not asked for",
     {.request_flags = BARE},
     "said event_stream_request\n" INFORMATION "told streaming_information MORE\nsaid null\n"},
    {"services without 6667 do not matter then",
     {.request_flags = BARE},
     "said event_stream_request\n"
     "hear streaming_information {'services':[{'service_type':5000}]}\n"
     "told streaming_information MORE\nsaid null\n"},
    {"services that come again are only acknowledged",
     {0},
     STARTED INFORMATION "told streaming_information MORE\nsaid null\n"},
    {"a keep-alive", {0}, STARTED "hear null\ntold null MORE\nsaid null\n"},
    {"a keep-alive before the services",
     {0},
     "said event_stream_request\nhear null\ntold null MORE\nsaid null\n"},
    {"host data: one null each",
     {0},
     STARTED "hear single_host_data\nhear multiple_host_data\n"
             "hear multiple_host_data {'block_type':157,'data':'01'}\n"
             "told single_host_data multiple_host_data multiple_host_data MORE\n"
             "said null null null\n"},
    {"a bundle: one null for all",
     {0},
     STARTED BUNDLE("1", RECORD "," RECORD "," RECORD)
         BUNDLE("2", RECORD) "told message_bundle event_data/4 event_data/4 event_data/4 "
                             "message_bundle event_data/4 MORE\n"
                             "said null null\n"},
    {"an empty bundle", {0}, STARTED BUNDLE("1", "") "told message_bundle MORE\nsaid null\n"},
    {"an error ends the session",
     {0},
     STARTED "hear error {'error_code':19,'text':'No space'}\nhear null\n"
             "told error/19 END\nwants close\nsaid\nrefuse STATE null\n"},
    {"an error that was asked to be endured",
     {.endure_errors = 1},
     STARTED "hear error {'error_code':19,'text':'No space'}\nhear null\n"
             "told error/19 null MORE\nsaid null null\nwants read\n"},
    {"messages that nobody knows",
     {0},
     STARTED "hear unknown {'message_type':3,'data':'0102'}\nhear unknown {'message_type':65535}\n"
             "told unknown unknown MORE\nsaid null null\n"},
    {"messages of the wrong side",
     {0},
     STARTED
     "hear event_stream_request\nhear host_data_request\nhear streaming_request\nhear null\n"
     "told event_stream_request!PROTOCOL host_data_request!PROTOCOL "
     "streaming_request!PROTOCOL null MORE\nsaid null null null null\n"},
    {"the stream ends between messages",
     {0},
     STARTED EVENT "end\ntold event_data/4 END\nwants write close\nsaid null\nwants close\n"},
    {"before the services", {0}, "said event_stream_request\nend\ntold END\nsaid\n"},
    {"inside a message",
     {0},
     STARTED EVENT "octets 0001 00\nend\ntold event_data/4 E_END\nsaid null\n"},

    /* Bundles: their order is watched, their records are told in any case. */
    {"sequence numbers begin with 1",
     {0},
     STARTED BUNDLE("2", RECORD) BUNDLE(
         "3", RECORD) "told message_bundle!PROTOCOL event_data/4 message_bundle event_data/4 MORE\n"
                      "said null null\n"},
    {"a gap",
     {0},
     STARTED BUNDLE("1", RECORD) BUNDLE("3", RECORD) BUNDLE(
         "4", RECORD) "told message_bundle event_data/4 message_bundle!PROTOCOL event_data/4 "
                      "message_bundle event_data/4 MORE\nsaid null null null\n"},
    {"a bundle comes twice",
     {0},
     STARTED BUNDLE("1", RECORD) BUNDLE("1", RECORD) BUNDLE(
         "2", RECORD) "told message_bundle event_data/4 message_bundle!PROTOCOL event_data/4 "
                      "message_bundle event_data/4 MORE\nsaid null null null\n"},
    {"bundles out of order",
     {0},
     STARTED BUNDLE("1", RECORD) BUNDLE("3", RECORD) BUNDLE(
         "2", RECORD) "told message_bundle event_data/4 message_bundle!PROTOCOL event_data/4 "
                      "message_bundle!PROTOCOL event_data/4 MORE\nsaid null null null\n"},
    {"records outside bundles do not count in them",
     {0},
     STARTED BUNDLE("1", RECORD)
         EVENT BUNDLE("2", RECORD) "told message_bundle event_data/4 event_data/4 "
                                   "message_bundle event_data/4 MORE\n"
                                   "said null null null\n"},

    /* What is malformed costs one event. */
    {"a record that is cut",
     {0},
     STARTED "hear event_data {'record_type':4,'record':'0000'}\n" EVENT
             "told event_data/4!SYNTAX event_data/4 MORE\nsaid null null\n"},
    {"a record header that is cut",
     {0},
     STARTED "octets 0001 0004 00000004 00000004\n" EVENT
             "told event_data/0!SYNTAX event_data/4 MORE\nsaid null null\n"},
    {"a record of an unknown type",
     {0},
     STARTED "hear event_data {'record_type':9999,'record':'00'}\n"
             "told event_data/9999 MORE\nsaid null\n"},
    {"an item that does not fit into its bundle",
     {0},
     STARTED "octets 0001 0fa2 00000026 00000000 00000001"
             " 00000004 00000012 00000004 0000000a 00000001 0004 68696768"
             " 00000004\n" BUNDLE("2", RECORD) "told message_bundle event_data/4 unknown!SYNTAX "
                                               "message_bundle event_data/4 MORE\n"
                                               "said null null\n"},
    {"a bundle too short for its numbers",
     {0},
     STARTED "octets 0001 0fa2 00000004 00000001\n" EVENT
             "told message_bundle!SYNTAX event_data/4 MORE\nsaid null null\n"},
    {"an error whose text has another length",
     {0},
     STARTED "octets 0001 0001 00000008 00000013 0009 4e6f\n"
             "told error/19!SYNTAX END\nsaid\n"},
    {"malformed services",
     {0},
     "said event_stream_request\noctets 0001 0803 00000007 00001a0b 000000\n"
     "told streaming_information!SYNTAX E_PROTOCOL\nsaid error/-1\n"},

    /* What is not survived is answered. */
    {"another version of the framing",
     {0},
     STARTED EVENT "octets 0002 0000 00000000\ntold event_data/4 E_FRAME\n"
                   "wants write close\nsaid null error/-1\nwants close\nrefuse STATE null\n"},
    {"a message over the limit",
     {.message_bytes = 100},
     STARTED "octets 0001 0004 00000065\ntold E_LIMIT\nsaid error/-1\n"},
    {"a message at the limit",
     {.message_bytes = 100},
     STARTED "octets 0001 0004 00000064\ntold MORE\nsaid\nwants read\n"},

    /* Held acknowledgements. */
    {"nothing is acknowledged before it is safe",
     {.hold = 1},
     "said event_stream_request\n" INFORMATION
     "told streaming_information MORE\nacknowledge all\nsaid streaming_request null\n" EVENT EVENT
         EVENT "told event_data/4 event_data/4 event_data/4 MORE\nsaid\n"
     "acknowledge 2\nsaid null\nacknowledge 2\nsaid\nacknowledge 1\nsaid\n"
     "acknowledge 4\nsaid null null\nacknowledge all\nsaid\n"},
    {"a bundle when its last record is safe",
     {.hold = 1, .request_flags = BARE},
     "said event_stream_request\n" BUNDLE("1", RECORD "," RECORD "," RECORD) EVENT
     "told message_bundle event_data/4 event_data/4 event_data/4 event_data/4 MORE\nsaid\n"
     "acknowledge 1\nsaid\nacknowledge 2\nsaid\nacknowledge 3\nsaid\nacknowledge 4\nsaid null\n"
     "acknowledge 5\nsaid null\n"},
    {"a bundle at once",
     {.hold = 1, .request_flags = BARE},
     "said event_stream_request\n" BUNDLE("1", RECORD "," RECORD)
         BUNDLE("2", RECORD) "told message_bundle event_data/4 event_data/4 message_bundle "
                             "event_data/4 MORE\n"
                             "acknowledge all\nsaid null null\n"},
    {"a keep-alive does not overtake what is held",
     {.hold = 1, .request_flags = BARE},
     "said event_stream_request\n" EVENT "hear null\ntold event_data/4 null MORE\nsaid\n"
     "acknowledge 2\nsaid null null\n"},
    {"what is empty is not held, unless something in front of it is",
     {.hold = 1},
     "said event_stream_request\n" INFORMATION
     "told streaming_information MORE\nsaid streaming_request null\nhear null\ntold null MORE\n"
     "said null\n" EVENT "hear null\nhear null\n" EVENT "hear null\n"
     "told event_data/4 null null event_data/4 null MORE\nsaid\nacknowledge 3\n"
     "said null null null\nacknowledge 6\nsaid null null\nacknowledge all\nsaid\n"},
    {"of what is empty, as much as finds room",
     {.hold = 1, .request_flags = BARE, .queued_bytes = 32},
     "said event_stream_request\n" EVENT "hear null\nhear null\nhear null\nhear null\nhear null\n"
     "told event_data/4 null null null null null MORE\nsaid\nacknowledge 1\n"
     "said null null null null\ntold MORE\nsaid null null\n"},
    {"what is held when the session ends is not acknowledged any more",
     {.hold = 1, .request_flags = BARE},
     "said event_stream_request\n" EVENT "end\ntold event_data/4 END\nacknowledge all\nsaid\n"},
    {"malformed records and unknown messages are held, too",
     {.hold = 1, .request_flags = BARE},
     "said event_stream_request\nhear event_data {'record_type':4,'record':'00'}\n"
     "hear unknown {'message_type':3}\nhear multiple_host_data\n"
     "told event_data/4!SYNTAX unknown multiple_host_data MORE\nacknowledge all\n"
     "said null null null\n"},
    {"so many are held",
     {.held_records = 3, .request_flags = BARE},
     "said event_stream_request\n" EVENT EVENT EVENT EVENT EVENT
     "told event_data/4 event_data/4 event_data/4 PAUSED\nwants \nsaid\ntold PAUSED\n"
     "acknowledge 1\nsaid null\ntold event_data/4 PAUSED\n"
     "acknowledge all\nsaid null null null\ntold event_data/4 MORE\nwants read\n"
     "acknowledge all\nsaid null\n"},
    {"and no fewer",
     {.held_records = 3, .request_flags = BARE},
     "said event_stream_request\n" EVENT EVENT "told event_data/4 event_data/4 MORE\nwants read\n"},
    {"the end comes behind what is held",
     {.hold = 1, .request_flags = BARE},
     "said event_stream_request\n" EVENT "end\ntold event_data/4 END\nsaid\n"},

    {"the streaming request waits for room",
     {.queued_bytes = 100},
     "hear null\nhear null\nhear null\n" INFORMATION "told null null null PAUSED\n"
     "said event_stream_request null null null\ntold streaming_information MORE\n"
     "said streaming_request null\n"},

    /* Commands. */
    {"host data is asked for at any time",
     {0},
     "send host_data_request "
     "{'data_type':7,'flags':3,'start_ip':'192.0.2.1','end_ip':'192.0.2.9'}\n"
     "wrote " REQUEST_HEX " 0001 0005 00000010 00000007 00000003 c0000201 c0000209\n" INFORMATION
     "told streaming_information MORE\nsaid streaming_request null\n"
     "send host_data_request {'data_type':6,'start_ip':'192.0.2.1'}\n"
     "wrote 0001 0005 00000010 00000006 00000000 c0000201 00000000\n"},
    {"host data by IPv6 addresses",
     {0},
     "said event_stream_request\n"
     "send host_data_request {'ipv6':true,'data_type':7,'start_ip':'2001:db8::1',"
     "'end_ip':'192.0.2.9'}\n"
     "wrote 0001 0005 00000028 00000007 00000000 20010db8000000000000000000000001"
     " 00000000000000000000ffffc0000209\n"},
    {"a keep-alive of our own", {0}, STARTED "send null\nwrote " NULL_HEX "\n"},
    {"an error of our own ends the session",
     {0},
     STARTED EVENT "send error {'error_code':-1,'text':'bye'}\nwants write close\n"
                   "wrote 0001 0001 00000009 ffffffff 0003 627965\ntold END\nwants close\n"
                   "refuse STATE null\n"},
    {"another request",
     {0},
     STARTED "send event_stream_request {'initial_timestamp':77,'request_flags':9437248}\n"
             "wrote 0001 0002 00000008 0000004d 00900040\n" EVENT
             "told event_data/4 MORE\nsaid null\n"},
    {"another extended request: the services come again",
     {0},
     STARTED "send event_stream_request {'initial_timestamp':77,'request_flags':1082130432}\n"
             "wrote 0001 0002 00000008 0000004d 40800000\n" EVENT INFORMATION
             "told event_data/4 streaming_information MORE\n"
             "wrote " NULL_HEX
             "0001 0801 00000038 00001a0b 00000038 40800000 0000004d 000b000c 00040015 0009001f"
             " 000b003d 00110047 0007005b 00080065 0007006f 00020083 00000000" NULL_HEX "\n"},
    {"a streaming request of our own",
     {0},
     STARTED "send streaming_request {'services':[{'service_type':6667,'flags':1,"
             "'event_types':[{'event_version':11,'event_code':12}]}]}\n"
             "wrote 0001 0801 00000018 00001a0b 00000018 00000001 00000000 000b000c 00000000\n"},
    {"in the place of the one that would come by itself",
     {0},
     "send streaming_request {'services':[{'service_type':6667,'event_types':[]}]}\n"
     "said event_stream_request streaming_request\n" INFORMATION
     "told streaming_information MORE\nsaid null\n"},
    {"what a server says is not for us",
     {0},
     STARTED "refuse STATE event_data {'record_type':43}\nrefuse STATE message_bundle\n"
             "refuse STATE single_host_data\nrefuse STATE multiple_host_data\n"
             "refuse STATE streaming_information\nrefuse STATE unknown {'message_type':3}\n"
             "refuse STATE no_such_message\nrefuse VALUE host_data_request {'start_ip':7}\n"
             "refuse VALUE null {'a':1}\nhear null\ntold null MORE\nsaid null\n"},

    /* Time. Any origin will do: nothing is late before the clock was seen to move. */
    {"silence",
     {.idle_ms = 1000},
     STARTED
     "tick 1000000000000\ndeadline 1000000001000\ntold MORE\ntick 1000000000999\ntold MORE\n"
     "wants read\ntick 1000000001000\ntold E_TIMEOUT\n"},
    {"any octet breaks it",
     {.idle_ms = 1000},
     STARTED "tick 0\ndeadline 1000\ntick 600\nhear null\ntold null MORE\nsaid null\n"
             "tick 600\ndeadline 1600\ntick 1599\ntold MORE\noctets 00\ntick 1599\n"
             "deadline 2599\ntick 2599\ntold E_TIMEOUT\ndeadline never\n"},
    {"a pause of ours is no silence of theirs",
     {.held_records = 1, .idle_ms = 1000, .request_flags = BARE},
     "said event_stream_request\ntick 0\n" EVENT EVENT
     "told event_data/4 PAUSED\ntick 5000\nacknowledge all\nsaid null\n"
     "told event_data/4 PAUSED\nacknowledge all\ntold MORE\ndeadline 6000\n"},
    {"silence may last for ever",
     {0},
     STARTED "tick 0\ndeadline never\ntick 1000000000000000\ntold MORE\ndeadline never\n"},
    {"a silence longer than time",
     {.idle_ms = UINT64_MAX},
     STARTED "tick 5\ndeadline never\ntick 18446744073709551615\ntold MORE\n"},
    {"a session that is over waits for nothing",
     {.idle_ms = 1000},
     STARTED "tick 5\nend\ntold END\ndeadline never\ntick 5000\ntold END\nsaid\n"
             "tick 18446744073709551615\ntold END\nsaid\n"},
    {"nor does one without a limit, to the end of time",
     {0},
     STARTED "tick 5\ntick 18446744073709551615\ntold MORE\nsaid\n"},

    /* Closing. */
    {"closing with a reason",
     {0},
     STARTED EVENT "close -1 bye\nwants write close\n"
                   "wrote 0001 0001 00000009 ffffffff 0003 627965\ntold END\nwants close\n"},
    {"closing without one", {0}, STARTED EVENT "close 0\nsaid\ntold END\nwants close\n"},
    {"closing before anything was said",
     {0},
     "close -1 bye\nsaid event_stream_request error/-1\ntold END\n"},
};

START_TEST(converses)
{
    leat_session *session = make_set(NULL, &conversations[_i].with);

    ck_assert_msg(session != NULL, "%s", conversations[_i].name);
    live_play(session, conversations[_i].script);
    leat_session_free(session);
}
END_TEST

/* Requests, octet by octet. */
static const leat_estreamer_event_type two_types[] = {{6, 71}, {4, 21}};

static const struct {
    const char *release; /* whose event types are asked for */
    bool own;            /* two_types instead */
    uint32_t flags, start;
    const char *first, *second;
} requests[] = {
    {NULL, false, 0, LEAT_ESTREAMER_OLDEST, REQUEST_HEX,
     "estreamer/05_client_streaming_request.hex"},
    {"7.2.4", false, 0, LEAT_ESTREAMER_OLDEST, REQUEST_HEX,
     "estreamer/05_client_streaming_request.hex"},
    {"6.4", false, 0, LEAT_ESTREAMER_NOW, "0001 0002 00000008 ffffffff 48900061",
     "0001 0801 00000038 00001a0b 00000038 48900061 ffffffff 0009000c 00040015 0009001f 000b003d"
     "000e0047 0004005b 00070065 0006006f 00020083 00000000"},
    {"5.4.1", false, UINT32_C(0x40900001), 1718000000, "0001 0002 00000008 66669980 40900001",
     "0001 0801 00000038 00001a0b 00000038 40900001 66669980 0008000c 00040015 0009001f 000b003d"
     "000c0047 0004005b 00060065 0005006f 00020083 00000000"},
    {NULL, true, UINT32_C(0x40000000), 5, "0001 0002 00000008 00000005 40000000",
     "0001 0801 0000001c 00001a0b 0000001c 40000000 00000005 00060047 00040015 00000000"},
};

START_TEST(asks)
{
    static const char information[] = INFORMATION "told streaming_information MORE\n";
    leat_estreamer_client_options options;
    leat_session *session;
    struct t_bytes second, octets;

    leat_estreamer_client_options_init(&options, sizeof options);
    options.initial_timestamp = requests[_i].start;
    if (requests[_i].flags != 0)
        options.request_flags = requests[_i].flags;
    if (requests[_i].release != NULL)
        options.event_types =
            leat_estreamer_event_types(requests[_i].release, &options.event_type_count);
    if (requests[_i].own) {
        options.event_types = two_types;
        options.event_type_count = sizeof two_types / sizeof *two_types;
    }
    ck_assert_int_eq(leat_estreamer_client_new(NULL, &options, &session), LEAT_OK);
    live_wrote(session, requests[_i].first);
    live_play(session, information);
    second = strstr(requests[_i].second, ".hex") != NULL ? t_hex_file(requests[_i].second)
                                                         : t_hex(requests[_i].second);
    octets = t_hex(NULL_HEX);
    t_append(&second, octets.data, octets.length);
    t_free(octets);
    octets = live_take(session);
    ck_assert_uint_eq(octets.length, second.length);
    ck_assert_mem_eq(octets.data, second.data, second.length);
    t_free(octets);
    t_free(second);
    leat_session_free(session);
}
END_TEST

static const struct {
    const char *release;
    uint16_t intrusion; /* the version of event code 12; 0: no set */
} releases[] = {
    {"5.4", 8},         {"5.4.1.10", 8},     {"5.10", 8},  {"6.0", 9},  {"6.7.0", 9}, {"7.0.6", 9},
    {"7.1", 11},        {"7.2.4", 11},       {"7.10", 11}, {"9.0", 11}, {"10.0", 11}, {"5.3", 0},
    {"5.3.1", 0},       {"4.10", 0},         {"", 0},      {"x", 0},    {"7.x", 0},   {"7.1a", 0},
    {"7.999999999", 0}, {"4294967303.1", 0}, {"7.", 9},    {"6", 9},    {"7.1a", 0},  {" 7.1", 0},
    {"-7.1", 0},        {".7", 0},           {NULL, 0},
};

START_TEST(knows_releases)
{
    size_t count = 99, i;
    const leat_estreamer_event_type *types =
        leat_estreamer_event_types(releases[_i].release, &count);

    if (releases[_i].intrusion == 0) {
        ck_assert_ptr_null(types);
        ck_assert_uint_eq(count, 0);
        return;
    }
    ck_assert_ptr_nonnull(types);
    ck_assert_uint_eq(count, 9);
    for (i = 0; i < count && types[i].event_code != LEAT_ESTREAMER_CODE_INTRUSION; i++)
        continue;
    ck_assert_uint_lt(i, count);
    ck_assert_uint_eq(types[i].event_version, releases[_i].intrusion);
}
END_TEST

START_TEST(options_are_checked)
{
    leat_estreamer_event_type types[257];
    leat_estreamer_client_options options;
    leat_session *session;
    size_t i;

    for (i = 0; i < sizeof types / sizeof *types; i++) {
        types[i].event_version = 1;
        types[i].event_code = (uint16_t)i;
    }
    leat_estreamer_client_options_init(&options, sizeof options);
    ck_assert_uint_eq(options.request_flags, UINT32_C(0x48900061));
    ck_assert_uint_eq(options.initial_timestamp, LEAT_ESTREAMER_OLDEST);
    ck_assert_uint_eq(options.held_records, 65536);
    ck_assert_uint_eq(options.bookmark_records, 4096);
    options.event_type_count = 1; /* of nothing */
    ck_assert_int_eq(leat_estreamer_client_new(NULL, &options, &session), LEAT_E_VALUE);
    options.event_types = types;
    options.event_type_count = 257;
    ck_assert_int_eq(leat_estreamer_client_new(NULL, &options, &session), LEAT_E_VALUE);
    options.event_type_count = 256;
    ck_assert_int_eq(leat_estreamer_client_new(NULL, &options, &session), LEAT_OK);
    leat_session_free(session);
    types[7].event_version = 0;
    types[8].event_version = 5;
    types[8].event_code = 0;
    ck_assert_int_eq(leat_estreamer_client_new(NULL, &options, &session), LEAT_OK);
    leat_session_free(session);
    types[7].event_code = 0; /* would end the list */
    ck_assert_int_eq(leat_estreamer_client_new(NULL, &options, &session), LEAT_E_VALUE);
    types[7].event_code = 7;
    options.held_records = 0;
    ck_assert_int_eq(leat_estreamer_client_new(NULL, &options, &session), LEAT_E_VALUE);
    memset(&options, 0, sizeof options); /* not initialised */
    ck_assert_int_eq(leat_estreamer_client_new(NULL, &options, &session), LEAT_E_VALUE);
}
END_TEST

/* A caller who was compiled when the options had fewer members, or will have more. */
START_TEST(options_of_other_versions)
{
    struct {
        leat_estreamer_client_options options;
        uint64_t more;
    } longer;
    leat_session *session;
    const size_t known = offsetof(leat_estreamer_client_options, event_types);

    memset(&longer, 0xff, sizeof longer);
    leat_estreamer_client_options_init(&longer.options, known);
    ck_assert_uint_eq(longer.options.size, known);
    ck_assert_uint_eq(longer.options.event_type_count, SIZE_MAX); /* not theirs to touch */
    longer.options.initial_timestamp = 5;
    ck_assert_int_eq(leat_estreamer_client_new(NULL, &longer.options, &session), LEAT_OK);
    live_wrote(session, "0001 0002 00000008 00000005 48900061");
    live_play(session,
              INFORMATION "told streaming_information MORE\nsaid streaming_request null\n");
    leat_session_free(session);
    leat_estreamer_client_options_init(&longer.options, sizeof longer);
    ck_assert_uint_eq(longer.more, 0);
    ck_assert_int_eq(leat_estreamer_client_new(NULL, &longer.options, &session), LEAT_OK);
    live_wrote(session, REQUEST_HEX);
    leat_session_free(session);
}
END_TEST

/* What the options point to is copied. */
START_TEST(options_are_copied)
{
    leat_estreamer_event_type types[2];
    leat_estreamer_client_options options;
    leat_session *session;

    memcpy(types, two_types, sizeof types);
    leat_estreamer_client_options_init(&options, sizeof options);
    options.event_types = types;
    options.event_type_count = 2;
    ck_assert_int_eq(leat_estreamer_client_new(NULL, &options, &session), LEAT_OK);
    memset(types, 0xff, sizeof types);
    memset(&options, 0xff, sizeof options);
    live_play(session,
              "said event_stream_request\n" INFORMATION "told streaming_information MORE\n");
    live_wrote(session, "0001 0801 0000001c 00001a0b 0000001c 48900061 00000000 00060047 00040015"
                        "00000000" NULL_HEX);
    leat_session_free(session);
}
END_TEST

/* The null goes when leat_next() is called again, and not before: until then, nothing is safe. */
START_TEST(acknowledges_with_the_next_call)
{
    static const char *const names[] = {"event_data", "message_bundle", "event_data",
                                        "event_data", "null",           "event_data"};
    static const size_t nulls[] = {0, 1, 1, 1, 2, 3}; /* said when the event is told */
    leat_session *session = live_client(NULL, NULL);
    const leat_event *event;
    size_t length, i;

    live_play(session, EVENT BUNDLE("1", RECORD "," RECORD) "hear null\n" EVENT);
    for (i = 0; i < sizeof names / sizeof *names; i++) {
        ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
        ck_assert_str_eq(leat_event_name(event, NULL), names[i]);
        (void)leat_send_data(session, &length);
        ck_assert_uint_eq(length, 8 * nulls[i]);
    }
    ck_assert_int_eq(leat_next(session, &event), LEAT_MORE);
    live_said(session, "null null null null");
    leat_session_free(session);
}
END_TEST

/* What was not told yet cannot be safe. */
START_TEST(acknowledges_only_what_was_told)
{
    static const struct setting setting = {.hold = 1, .request_flags = BARE};
    leat_session *session = make_set(NULL, &setting);
    const leat_event *event;

    live_play(session, "said event_stream_request\n" EVENT EVENT EVENT);
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    ck_assert_int_eq(leat_estreamer_acknowledge(session, UINT64_MAX - 1), LEAT_OK);
    live_said(session, "null");
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    ck_assert_int_eq(leat_estreamer_acknowledge(session, UINT64_MAX), LEAT_OK);
    live_said(session, "null");
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    live_said(session, "");
    ck_assert_int_eq(leat_estreamer_acknowledge(session, leat_event_offset(event) - 1), LEAT_OK);
    live_said(session, "");
    ck_assert_int_eq(leat_estreamer_acknowledge(session, leat_event_offset(event)), LEAT_OK);
    live_said(session, "null");
    leat_session_free(session);
}
END_TEST

/* A bundle of more records than may be held is acknowledged in parts, and answered once. */
START_TEST(bundles_over_the_limit_of_held_records)
{
    static const struct setting setting = {.held_records = 2, .request_flags = BARE};
    leat_session *session = make_set(NULL, &setting);
    const leat_event *event;
    size_t records = 0, pauses = 0;
    int status;

    live_play(session, "said event_stream_request\n" BUNDLE("1", DATED "," DATED "," DATED "," DATED
                                                                       "," DATED) EVENT);
    while ((status = leat_next(session, &event)) != LEAT_MORE) {
        size_t length;

        ck_assert(status == LEAT_OK || status == LEAT_PAUSED);
        records += status == LEAT_OK && leat_event_kind(event) == LEAT_ESTREAMER_EVENT_DATA;
        if (status == LEAT_OK)
            continue;
        ck_assert_uint_eq(leat_wants(session) & LEAT_WANT_READ, 0);
        ck_assert_uint_lt(++pauses, 10);
        (void)leat_send_data(session, &length);
        ck_assert_uint_eq(length, 0);
        ck_assert_int_eq(leat_estreamer_acknowledge(session, UINT64_MAX), LEAT_OK);
        if (records < 5)
            live_said(session, "");
    }
    ck_assert_uint_eq(records, 6);
    ck_assert_uint_ge(pauses, 2);
    ck_assert_int_eq(leat_estreamer_acknowledge(session, UINT64_MAX), LEAT_OK);
    live_said(session, "null null");
    leat_session_free(session);
}
END_TEST

/* Trimming gives memory back, but nothing that is held, owed, or has come in part. */
START_TEST(trimmed)
{
    static const struct setting setting = {.hold = 1, .request_flags = BARE};
    leat_session *session = make_set(NULL, &setting);
    const leat_event *event;
    struct t_bytes bundle =
        live_message("message_bundle", "{'sequence_number':1,'items':[" DATED "," DATED "]}");

    leat_session_trim(session);
    live_play(session, "said event_stream_request\n" EVENT "hear null\n");
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    leat_session_trim(session);
    live_play(session, "told null MORE\n");
    leat_session_trim(session);
    ck_assert_int_eq(leat_feed(session, bundle.data, bundle.length - 5), LEAT_OK);
    ck_assert_int_eq(leat_next(session, &event), LEAT_MORE);
    leat_session_trim(session);
    ck_assert_int_eq(leat_feed(session, bundle.data + bundle.length - 5, 5), LEAT_OK);
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    leat_session_trim(session);
    live_play(session, "told event_data/4 event_data/4 MORE\nsaid\nacknowledge 1\n"
                       "said null null\n");
    ck_assert_int_eq(leat_estreamer_acknowledge(session, UINT64_MAX), LEAT_OK);
    leat_session_trim(session);
    live_said(session, "null");
    leat_session_trim(session);
    ck_assert_uint_le(leat_session_memory(session), 1024);
    t_free(bundle);
    leat_session_free(session);
}
END_TEST

/* Output that nobody takes stops the client, and costs nothing. */
START_TEST(full_output_pauses)
{
    static const struct setting setting = {.queued_bytes = 64, .request_flags = BARE};
    leat_session *session = make_set(NULL, &setting);
    const leat_event *event;
    size_t events = 0, nulls = 0, pauses = 0, length;
    int status;

    for (length = 0; length < 40; length++)
        live_hear(session, length % 3 == 0 ? "null" : "event_data", NULL);
    while ((status = leat_next(session, &event)) != LEAT_MORE) {
        struct t_bytes output;

        ck_assert(status == LEAT_OK || status == LEAT_PAUSED);
        events += status == LEAT_OK;
        (void)leat_send_data(session, &length);
        ck_assert_uint_le(length, 64);
        if (status == LEAT_OK)
            continue;
        ck_assert_uint_eq(length, 64);
        ck_assert_int_eq(leat_next(session, &event), LEAT_PAUSED);
        ck_assert_uint_ne(leat_wants(session) & LEAT_WANT_WRITE, 0);
        output = live_take(session);
        nulls += live_count(output.data, output.length, "null");
        t_free(output);
        pauses++;
    }
    ck_assert_uint_eq(events, 40);
    ck_assert_uint_eq(pauses, 5); /* the request takes 16 octets of 64: 6 nulls, then 8, ... */
    (void)leat_send_data(session, &length);
    ck_assert_uint_eq(nulls + length / 8, 40);
    leat_session_free(session);
}
END_TEST

START_TEST(acknowledgements_find_no_room)
{
    static const struct setting setting = {.hold = 1, .queued_bytes = 24, .request_flags = BARE};
    leat_session *session = make_set(NULL, &setting);

    live_play(session, EVENT EVENT EVENT "told event_data/4 event_data/4 event_data/4 MORE\n");
    ck_assert_int_eq(leat_estreamer_acknowledge(session, UINT64_MAX), LEAT_E_LIMIT);
    live_said(session, "event_stream_request");
    ck_assert_int_eq(leat_estreamer_acknowledge(session, UINT64_MAX), LEAT_OK);
    live_said(session, "null null null");
    leat_session_free(session);
}
END_TEST

/* Commands that find no room change nothing: another request is not taken for the current one. */
START_TEST(commands_find_no_room)
{
    static const struct setting setting = {.queued_bytes = 24, .request_flags = BARE};
    static const char *const names[] = {"host_data_request", "event_stream_request", "error"};
    leat_session *session = make_set(NULL, &setting);
    size_t i;

    ck_assert_int_eq(leat_send(session, NULL, NULL), LEAT_E_STATE);
    for (i = 0; i < sizeof names / sizeof *names; i++)
        ck_assert_int_eq(live_send(session, names[i], NULL), LEAT_E_LIMIT);
    ck_assert_int_eq(leat_estreamer_close(session, -1, "bye"), LEAT_E_LIMIT);
    ck_assert_int_eq(live_send(session, "error", "{'text':7}"), LEAT_E_VALUE);
    live_play(session, "told MORE\nsend null\nsaid event_stream_request null\nwants read\nclose -1 "
                       "bye\nsaid error/-1\ntold END\n");
    leat_session_free(session);
}
END_TEST

/* What the session says by itself is no command: the caller's last refusal stays. */
START_TEST(refusals_stay)
{
    leat_session *session = make(NULL, NULL);

    ck_assert_ptr_null(leat_session_send_error(session));
    live_play(session, "refuse STATE event_data\n" INFORMATION EVENT
                       "told streaming_information event_data/4 MORE\n"
                       "said event_stream_request streaming_request null null\n");
    ck_assert_int_eq(leat_error_code(leat_session_send_error(session)), LEAT_E_STATE);
    ck_assert_int_eq(leat_estreamer_acknowledge(session, UINT64_MAX), LEAT_OK);
    ck_assert_ptr_null(leat_session_send_error(session));
    leat_session_free(session);
}
END_TEST

START_TEST(closes_once)
{
    char *text = (char *)malloc(65537);
    leat_session *session = make(NULL, NULL);
    struct t_bytes output;
    const leat_event *event;

    ck_assert_ptr_nonnull(text);
    memset(text, 'x', 65536);
    text[65536] = '\0';
    ck_assert_int_eq(leat_estreamer_close(session, -1, text), LEAT_E_VALUE);
    ck_assert_int_eq(leat_next(session, &event), LEAT_MORE);
    live_said(session, "event_stream_request");
    text[65535] = '\0';
    ck_assert_int_eq(leat_estreamer_close(session, 7, text), LEAT_OK);
    ck_assert_int_eq(leat_estreamer_close(session, 7, text), LEAT_E_STATE);
    ck_assert_int_eq(leat_estreamer_close(session, 7, NULL), LEAT_E_STATE);
    output = live_take(session);
    ck_assert_uint_eq(output.length, 8 + 6 + 65535);
    ck_assert_int_eq(leat_next(session, &event), LEAT_END);
    ck_assert_int_eq(leat_estreamer_acknowledge(session, UINT64_MAX), LEAT_OK);
    live_said(session, "");
    t_free(output);
    leat_session_free(session);
    free(text);

    session = make(NULL, NULL);
    live_play(session, "octets 0002 0000 00000000\ntold E_FRAME\n");
    ck_assert_int_eq(leat_estreamer_close(session, -1, "bye"), LEAT_E_STATE);
    live_said(session, "event_stream_request error/-1");
    leat_session_free(session);

    session = make(NULL, NULL);
    live_play(session, "end\ntold END\n");
    ck_assert_int_eq(leat_estreamer_close(session, -1, "bye"), LEAT_E_STATE);
    leat_session_free(session);
}
END_TEST

/* Why it failed: which field, and where in the stream. */
static const struct {
    const char *script;
    int code;
    uint64_t offset;
    const char *field;
} reasons[] = {
    {"hear null\nhear streaming_information\ntold null streaming_information!PROTOCOL E_PROTOCOL\n",
     LEAT_E_PROTOCOL, 8, "service_type"},
    {"hear null\noctets 0002 0000 00000000\ntold null E_FRAME\n", LEAT_E_FRAME, 8, "version"},
    {"hear null\noctets 0001 0004 ffffffff\ntold null E_LIMIT\n", LEAT_E_LIMIT, 12,
     "message_length"},
    {"hear null\noctets 00\ntold null MORE\ntick 0\ntick 1000\ntold E_TIMEOUT\n", LEAT_E_TIMEOUT, 8,
     ""},
    {"hear null\noctets 0001 00\nend\ntold null E_END\n", LEAT_E_END, 11, ""},
};

START_TEST(says_why)
{
    static const struct setting setting = {.idle_ms = 1000};
    leat_session *session = make_set(NULL, &setting);
    const leat_error *error;

    live_play(session, reasons[_i].script);
    error = leat_session_error(session);
    ck_assert_int_eq(leat_error_code(error), reasons[_i].code);
    ck_assert_uint_eq(leat_error_offset(error), reasons[_i].offset);
    ck_assert_str_eq(leat_error_field(error), reasons[_i].field);
    ck_assert_str_ne(leat_error_text(error), "");
    leat_session_free(session);
}
END_TEST

/* A verdict that leat_next() has yet to give is not changed by a silence. */
START_TEST(verdicts_stay)
{
    static const struct setting setting = {.idle_ms = 1000};
    leat_session *session = make_set(NULL, &setting);
    const leat_event *event;

    live_play(session, _i == 0 ? "said event_stream_request\ntick 0\nhear streaming_information\n"
                               : "said event_stream_request\ntick 0\nhear error\n");
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    leat_tick(session, 1);
    ck_assert_uint_eq(leat_deadline(session), UINT64_MAX);
    leat_tick(session, 5000);
    live_play(session, _i == 0 ? "told E_PROTOCOL\nsaid error/-1\n" : "told END\nsaid\n");
    leat_session_free(session);
}
END_TEST

/* Functions of the other side, and of no side. */
START_TEST(is_a_client)
{
    leat_session *client = make(NULL, NULL), *codec;
    leat_buffer *buffer;
    size_t length;

    ck_assert_int_eq(leat_estreamer_codec_new(NULL, LEAT_FROM_ANY, &codec), LEAT_OK);
    ck_assert_int_eq(leat_buffer_new(NULL, &buffer), LEAT_OK);
    ck_assert_int_eq(leat_estreamer_send_record(client, 4, 0, "", 0), LEAT_E_STATE);
    ck_assert_int_eq(leat_estreamer_is_wanted(client, 4), 0);
    ck_assert_uint_eq(leat_estreamer_initial_timestamp(client), 0);
    ck_assert_uint_eq(leat_estreamer_waiting(client), 0);
    ck_assert_int_eq(leat_estreamer_is_repeat(client), 0);
    ck_assert_int_eq(leat_estreamer_acknowledge(codec, UINT64_MAX), LEAT_E_STATE);
    ck_assert_int_eq(leat_estreamer_bookmark(codec, buffer), LEAT_E_STATE);
    ck_assert_int_eq(leat_estreamer_close(codec, -1, "bye"), LEAT_E_STATE);
    ck_assert_int_eq(leat_estreamer_send_record(codec, 4, 0, "", 0), LEAT_E_STATE);
    ck_assert_int_eq(leat_estreamer_is_repeat(codec), 0);
    ck_assert_int_eq(leat_estreamer_is_wanted(codec, 4), 0);
    ck_assert_ptr_null(leat_buffer_data(buffer, &length));
    live_said(codec, "");
    live_said(client, "event_stream_request");
    leat_buffer_free(buffer);
    leat_session_free(client);
    leat_session_free(codec);
}
END_TEST

/* A session with all that a server may say, well-formed and not. */
static struct t_bytes whole_session(void)
{
    static const char *const files[] = {"estreamer/04_server_streaming_information.hex",
                                        "estreamer/07_server_bundle_1_metadata.hex",
                                        "estreamer/11_server_null_keepalive.hex",
                                        "estreamer/perl-sdk/events_02_server_metadata_66.hex"};
    struct t_bytes all = t_copy("", 0), other;
    size_t i;

    for (i = 0; i < sizeof files / sizeof *files; i++) {
        struct t_bytes one = t_hex_file(files[i]);

        t_append(&all, one.data, one.length);
        t_free(one);
    }
    other =
        t_hex("0001 0004 00000004 00000004"                            /* malformed */
              "0001 0fa2 00000014 00000000 00000003 00000004 00000099" /* a gap, and an overrun */
              "00000000" NULL_HEX "0001 0003 00000002 0102"            /* unknown */
              "0001 0007 00000000"                                     /* host data */
              "0001 0005 00000010 00000000 00000000 00000000 00000000" /* the wrong side */
              "0001 0001 0000000f 00000013 0009 4e6f20737061636500");
    t_append(&all, other.data, other.length);
    t_free(other);
    return all;
}

static void hold_some(leat_session *session, const leat_event *event)
{
    uint64_t offset = leat_event_offset(event);

    if (offset % 3 == 0)
        ck_assert_int_eq(leat_estreamer_acknowledge(session, offset), LEAT_OK);
}

START_TEST(chunking_is_invisible)
{
    static const struct setting settings[] = {{0}, {.endure_errors = 1}, {.hold = 1}};
    struct t_bytes octets = whole_session();
    struct live_side side = {make_set, &settings[_i], _i == 2 ? hold_some : NULL};

    free(live_every_split(&side, octets.data, octets.length));
    t_free(octets);
}
END_TEST

/* Whether the octets end behind a whole message, and how many whole ones there are. */
static bool at_boundary(struct t_bytes octets, size_t end, size_t *messages)
{
    size_t at = 0;

    for (*messages = 0; at + 8 <= end; (*messages)++) {
        size_t length = (size_t)octets.data[at + 6] << 8 | octets.data[at + 7];

        if (at + 8 + length > end)
            return false;
        at += 8 + length;
    }
    return at == end;
}

/* The stream ends at each octet: whole messages were told and acknowledged. */
START_TEST(every_end)
{
    static const struct setting setting = {.endure_errors = 1};
    struct t_bytes octets = whole_session();
    size_t end;

    for (end = 0; end <= octets.length; end++) {
        leat_session *session = make_set(NULL, &setting);
        const leat_event *event;
        struct t_bytes output;
        size_t messages, nulls;
        bool whole = at_boundary(octets, end, &messages);
        int status;

        ck_assert_int_eq(leat_feed(session, octets.data, end), LEAT_OK);
        ck_assert_int_eq(leat_recv_eof(session), LEAT_OK);
        while ((status = leat_next(session, &event)) == LEAT_OK)
            continue;
        ck_assert_msg(status == (whole ? LEAT_END : LEAT_E_END), "%s at %zu",
                      leat_status_name(status), end);
        output = live_take(session);
        nulls = live_count(output.data, output.length, "null");
        ck_assert_msg(nulls == messages, "%zu nulls for %zu messages at %zu", nulls, messages, end);
        t_free(output);
        leat_session_free(session);
    }
    t_free(octets);
}
END_TEST

START_TEST(without_memory)
{
    static const struct setting setting = {.endure_errors = 1};
    struct t_bytes octets = whole_session();
    struct t_feed feed = {make_set, &setting, octets.data, octets.length};

    t_every_alloc(t_feed_scenario, &feed);
    t_free(octets);
}
END_TEST

static void tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, converses, 0, sizeof conversations / sizeof *conversations);
    tcase_add_loop_test(tcase, asks, 0, sizeof requests / sizeof *requests);
    tcase_add_loop_test(tcase, knows_releases, 0, sizeof releases / sizeof *releases);
    tcase_add_test(tcase, options_are_checked);
    tcase_add_test(tcase, options_of_other_versions);
    tcase_add_test(tcase, options_are_copied);
    tcase_add_test(tcase, acknowledges_with_the_next_call);
    tcase_add_test(tcase, acknowledges_only_what_was_told);
    tcase_add_test(tcase, bundles_over_the_limit_of_held_records);
    tcase_add_test(tcase, trimmed);
    tcase_add_test(tcase, full_output_pauses);
    tcase_add_test(tcase, acknowledgements_find_no_room);
    tcase_add_test(tcase, commands_find_no_room);
    tcase_add_test(tcase, refusals_stay);
    tcase_add_test(tcase, closes_once);
    tcase_add_loop_test(tcase, says_why, 0, sizeof reasons / sizeof *reasons);
    tcase_add_loop_test(tcase, verdicts_stay, 0, 2);
    tcase_add_test(tcase, is_a_client);
    tcase_add_loop_test(tcase, chunking_is_invisible, 0, 3);
    tcase_add_test(tcase, every_end);
    tcase_add_test(tcase, without_memory);
}

T_MAIN("estreamer/client", tests)
