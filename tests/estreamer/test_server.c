/* The server's side of live sessions: whom it obeys, what it keeps back, and what it sends. */
#include "live.h"

#include <stddef.h>
#include <stdio.h>

#define RECORD         "{'record_type':4,'record':{'priority_id':1,'name':'high'}}"
#define SEND           "send event_data " RECORD "\n"
#define NULL_HEX       "0001 0000 00000000"
#define PRIORITY_HEX   "00000001 0004 68696768"
#define PRIORITY_ITEM  "00000004 0000001a 00000004 0000000a 00000000 00000000" PRIORITY_HEX
#define HOST           "{'block_type':157,'data':'01'}"
#define EXTENDED_FLAGS UINT32_C(0x40900000)
#define BARE_FLAGS     UINT32_C(0x00900044)
#define SHORT_FLAGS    UINT32_C(0x00100044) /* records with the header of 8 octets */

static const uint32_t two_services[] = {6667, 5000};

/* What a server is made with: 0 stands for what the options are initialised to. */
struct setting {
    uint32_t window, bundle_records, bundle_bytes, verbatim, services;
    uint64_t request_ms, idle_ms, keepalive_ms, queued_bytes;
    bool no_request_ms, no_keepalive;
};

static leat_session *make_set(const leat_config *config, const void *arg)
{
    const struct setting *setting = (const struct setting *)arg;
    leat_estreamer_server_options options;
    leat_session *session = NULL;
    leat_limits limits;
    leat_config limited = live_limited(config, &limits, setting->queued_bytes, 0);

    leat_estreamer_server_options_init(&options, sizeof options);
    if (setting->window != 0)
        options.window = setting->window;
    if (setting->bundle_records != 0)
        options.bundle_records = setting->bundle_records;
    if (setting->bundle_bytes != 0)
        options.bundle_bytes = setting->bundle_bytes;
    options.verbatim = setting->verbatim;
    if (setting->services != 0) {
        options.services = two_services;
        options.service_count = setting->services;
    }
    if (setting->request_ms != 0 || setting->no_request_ms)
        options.request_ms = setting->request_ms;
    options.idle_ms = setting->idle_ms;
    if (setting->keepalive_ms != 0 || setting->no_keepalive)
        options.keepalive_ms = setting->keepalive_ms;
    if (leat_estreamer_server_new(&limited, &options, &session) != LEAT_OK)
        return NULL;
    return session;
}

static leat_session *make(const leat_config *config, const void *arg)
{
    leat_session *session = NULL;

    (void)arg;
    (void)leat_estreamer_server_new(config, NULL, &session);
    return session;
}

#define ASK(flags) "hear event_stream_request {'request_flags':" flags "}\n"
#define TYPES      "'event_types':[{'event_version':11,'event_code':12}]"
#define CHOOSE     "hear streaming_request {'services':[{'service_type':6667," TYPES "}]}\nhear null\n"
#define EXTENDED                                                                                   \
    ASK("1083179008")                                                                              \
    "told event_stream_request MORE\nsaid streaming_information\n" CHOOSE                          \
    "told streaming_request null MORE\nsaid\n"
#define BARE ASK("9437252") "told event_stream_request MORE\nsaid\n"

static const struct {
    const char *name;
    struct setting with;
    const char *script;
} conversations[] = {
    /* Section 13's table, row by row. */
    {"nothing is said before the request", {0}, "told MORE\nsaid\nwants read\n"},
    {"a plain request: records one by one", {0}, BARE SEND "said event_data/4\n"},
    {"an extended request: services, then bundles",
     {0},
     ASK("1083179008") "told event_stream_request MORE\n"
                       "wrote 0001 0803 00000010 00001a0b 00000008 00000000 00000000\n" CHOOSE
                       "told streaming_request null MORE\nsaid\n" SEND
                       "wrote 0001 0fa2 0000002a 00000001 00000001" PRIORITY_ITEM "\n"},
    {"further services",
     {.services = 2},
     ASK("1083179008") "told event_stream_request MORE\n"
                       "wrote 0001 0803 00000020 00001a0b 00000008 00000000 00000000"
                       " 00001388 00000008 00000000 00000000\n"},
    {"a null may come first", {0}, "hear null\ntold null MORE\nsaid\n" BARE},
    {"host data before a request",
     {0},
     "hear host_data_request\ntold host_data_request!PROTOCOL E_PROTOCOL\nwants write close\n"
     "said error/-1\nwants close\n"},
    {"a streaming request before a request",
     {0},
     CHOOSE "told streaming_request!PROTOCOL E_PROTOCOL\nsaid error/-1\n"},
    {"an unknown message before a request",
     {0},
     "hear unknown {'message_type':3}\ntold unknown!PROTOCOL E_PROTOCOL\nsaid error/-1\n"},
    {"a server's message before a request",
     {0},
     "hear event_data {'record_type':43}\ntold event_data/43!PROTOCOL E_PROTOCOL\nsaid error/-1\n"},
    {"an error before a request", {0}, "hear error {'error_code':-1}\ntold error/-1 END\nsaid\n"},
    {"another service than 6667",
     {0},
     ASK("1083179008") "told event_stream_request MORE\nsaid streaming_information\n"
                       "hear streaming_request {'services':[{'service_type':5000," TYPES "}]}\n"
                       "told streaming_request!PROTOCOL E_PROTOCOL\nsaid error/-1\n"
                       "refuse STATE null\n"},
    {"no service",
     {0},
     ASK("1083179008") "told event_stream_request MORE\nsaid streaming_information\n"
                       "hear streaming_request\ntold streaming_request!PROTOCOL E_PROTOCOL\n"
                       "said error/-1\n"},
    {"6667 among others",
     {.services = 2},
     ASK("1083179008") "told event_stream_request MORE\nsaid streaming_information\n"
                       "hear streaming_request {'services':[{'service_type':5000," TYPES
                       "},{'service_type':6667," TYPES "}]}\n"
                       "told streaming_request MORE\n" SEND "said message_bundle event_data/4\n"},
    {"a request of 16-octet addresses, and one of 4",
     {0},
     BARE "hear host_data_request {'data_type':7,'start_ip':'192.0.2.1','end_ip':'192.0.2.2'}\n"
          "hear host_data_request {'ipv6':true,'data_type':6,'start_ip':'2001:db8::1'}\n"
          "told host_data_request host_data_request MORE\nsaid\n"},
    {"an error ends the session",
     {0},
     BARE SEND SEND "said event_data/4\nwaiting 1\nhear error {'error_code':-1,'text':'bye'}\n"
                    "told error/-1 END\nwants close\nsaid\nrefuse STATE event_data " RECORD "\n"},
    {"unknown messages are survived",
     {0},
     BARE "hear unknown {'message_type':3}\nhear event_data {'record_type':43}\nhear null\n"
          "told unknown event_data/43!PROTOCOL null MORE\nsaid\nwants read\n"},
    {"another version of the framing",
     {0},
     BARE
     "octets 0002 0000 00000000\ntold E_FRAME\nwants write close\nsaid error/-1\nwants close\n"},
    {"a request that is cut",
     {0},
     "octets 0001 0002 00000004 00000000\n"
     "told event_stream_request!SYNTAX E_PROTOCOL\nsaid error/-1\n"},
    {"later it costs nothing",
     {0},
     BARE "octets 0001 0002 00000004 00000000\noctets 0001 0005 00000004 00000000\n"
          "told event_stream_request!SYNTAX host_data_request!SYNTAX MORE\nsaid\n"
          "refuse STATE single_host_data\n" SEND "said event_data/4\n"},
    {"an error that cannot be written ends nothing",
     {0},
     BARE "refuse VALUE error {'text':7}\n" SEND "said event_data/4\n"},
    {"what waits is dropped in favour of the reason",
     {.queued_bytes = 80},
     BARE SEND "said event_data/4\n" SEND SEND "refuse LIMIT event_data " RECORD "\nwaiting 2\n"
               "octets 0002 0000 00000000\ntold E_FRAME\nsaid error/-1\nwaiting 0\n"},
    {"the caller's as well",
     {.queued_bytes = 80},
     BARE SEND "said event_data/4\n" SEND SEND "close 19 No space\nsaid error/19\nwaiting 0\n"},
    {"or nothing at all",
     {.queued_bytes = 80},
     BARE SEND "said event_data/4\n" SEND SEND "close 0\nsaid\nwaiting 0\ntold END\n"},
    {"the stream ends", {0}, BARE "end\ntold END\nwants close\n"},
    {"inside a message", {0}, BARE "octets 0001\nend\ntold E_END\n"},

    /* Probes: a connection that ends as soon as the services came. */
    {"a probe",
     {0},
     ASK("1083179008") "told event_stream_request MORE\nsaid streaming_information\nend\n"
                       "told END\nwants close\nsaid\n"},
    {"a probe that says nothing", {0}, "end\ntold END\nsaid\n"},

    /* Credit: one null allows one message, and is never answered. */
    {"no more than the client allows",
     {0},
     BARE SEND SEND SEND "said event_data/4\nwaiting 2\nhear null\ntold null MORE\n"
                         "said event_data/4\nwaiting 1\nhear null\nhear null\nhear null\n"
                         "told null null null MORE\nsaid event_data/4\nwaiting 0\n"},
    {"nulls that come too often do not count",
     {0},
     BARE "hear null\nhear null\nhear null\ntold null null null MORE\nsaid\n" SEND SEND SEND
          "said event_data/4\nwaiting 2\n"},
    {"what waits goes into one bundle",
     {0},
     EXTENDED SEND "said message_bundle event_data/4\n" SEND SEND SEND
                   "said\nwaiting 3\nhear null\ntold null MORE\n"
                   "said message_bundle event_data/4 event_data/4 event_data/4\nwaiting 0\n"},
    {"bundles count",
     {0},
     EXTENDED SEND "wrote 0001 0fa2 0000002a 00000001 00000001" PRIORITY_ITEM "\nhear null\n"
                   "told null MORE\n" SEND
                   "wrote 0001 0fa2 0000002a 00000001 00000002" PRIORITY_ITEM "\n"},
    {"the null for the services allows nothing",
     {0},
     ASK("1083179008") "told event_stream_request MORE\nsaid streaming_information\n"
                       "hear streaming_request {'services':[{'service_type':6667," TYPES "}]}\n"
                       "told streaming_request MORE\n" SEND SEND
                       "said message_bundle event_data/4\nwaiting 1\nhear null\n"
                       "told null MORE\nsaid\nwaiting 1\nhear null\ntold null MORE\n"
                       "said message_bundle event_data/4\nwaiting 0\n"},
    {"nor do nulls for keep-alives",
     {.keepalive_ms = 1000},
     "tick 0\n" BARE SEND SEND SEND "said event_data/4\ntick 1000\nsaid null\ntick 2000\n"
     "said null\nhear null\nhear null\nhear null\ntold null null null MORE\n"
     "said event_data/4\nwaiting 1\n"},
    {"a client that has a null for all is never ahead",
     {.keepalive_ms = 1000},
     "tick 0\n" EXTENDED SEND SEND SEND "said message_bundle event_data/4\ntick 1000\nsaid null\n"
     "tick 2000\nsaid null\ntick 9000\nsaid null\nwaiting 2\nhear null\nhear null\nhear null\n"
     "told null null null MORE\nsaid\nhear null\ntold null MORE\n"
     "said message_bundle event_data/4 event_data/4\nwaiting 0\n"},
    {"a client that has nulls for records alone stands still once",
     {.no_keepalive = true},
     "tick 0\n" ASK(
         "1083179008") "told event_stream_request MORE\nsaid streaming_information\n"
                       "hear streaming_request {'services':[{'service_type':6667," TYPES "}]}\n"
                       "told streaming_request MORE\n" SEND SEND
                       "said message_bundle event_data/4\nhear null\ntold null MORE\nsaid\nwaiting "
                       "1\n"
                       "deadline 30000\ntick 29999\nsaid\ntick 30000\nsaid message_bundle "
                       "event_data/4\nwaiting 0\n" SEND
                       "said\nhear null\ntold null MORE\nsaid message_bundle event_data/4\n"
                       "waiting 0\n"},
    {"a slow client is taken for such a one until it shows that it is not",
     {.keepalive_ms = 10000},
     "tick 0\n" BARE SEND SEND SEND SEND "said event_data/4\ntick 10000\nsaid null\ntick 20000\n"
     "said null\nhear null\ntold null MORE\nsaid\ntick 30000\nsaid event_data/4\nhear null\n"
     "hear null\ntold null null MORE\nsaid event_data/4 event_data/4\nwaiting 0\nhear null\n"
     "hear null\nhear null\ntold null null null MORE\n" SEND "said event_data/4\ntick 40000\n"
     "said null\n" SEND "said\nhear null\ntold null MORE\nsaid\nwaiting 1\nhear null\n"
     "told null MORE\nsaid event_data/4\n"},
    {"nor is its silence held against it",
     {.idle_ms = 10000, .no_keepalive = true},
     "tick 0\n" ASK("1083179008") "told event_stream_request MORE\nsaid streaming_information\n"
                                  "hear streaming_request {'services':[{'service_type':6667," TYPES
                                  "}]}\n"
                                  "told streaming_request MORE\n" SEND
                                  "said message_bundle event_data/4\nhear null\ntold null MORE\n"
                                  "tick 10000\ntold MORE\nsaid\ndeadline never\n" SEND
                                  "said message_bundle event_data/4\ndeadline 20000\ntick 20000\n"
                                  "told E_TIMEOUT\nsaid error/-1\n"},
    {"one that is known to answer such messages has ten times as long",
     {.no_keepalive = true},
     "tick 0\n" EXTENDED SEND "said message_bundle event_data/4\nsend null\nsaid null\n" SEND
     "hear null\ntold null MORE\nsaid\nwaiting 1\ndeadline 300000\ntick 299999\nsaid\n"
     "tick 300000\nsaid message_bundle event_data/4\nwaiting 0\n"},
    {"and is timed out before, if so",
     {.idle_ms = 10000, .no_keepalive = true},
     "tick 0\n" EXTENDED SEND "said message_bundle event_data/4\nsend null\nsaid null\n" SEND
     "hear null\ntold null MORE\ndeadline 10000\ntick 10000\ntold E_TIMEOUT\n"},
    {"a full queue keeps no keep-alive back",
     {.queued_bytes = 80, .keepalive_ms = 1000},
     "tick 0\n" BARE SEND "said event_data/4\n" SEND SEND "refuse LIMIT event_data " RECORD
     "\ntick 1000\nsaid null\nwaiting 2\n"},
    {"nor another request",
     {.queued_bytes = 80},
     BARE SEND "said event_data/4\n" SEND SEND "refuse LIMIT event_data " RECORD
               "\n" ASK("1083179008") "told event_stream_request MORE\nsaid "
                                      "streaming_information\nwaiting 2\n"},
    {"who asks and does not read is not read",
     {.queued_bytes = 280, .request_ms = 1000},
     "tick 5\nhear null\n" ASK("1083179008") "hear null\n" ASK(
         "1083179008") "told null event_stream_request null PAUSED\nwants write\ndeadline 1005\n"
                       "said streaming_information\ndeadline 0\n"
                       "told event_stream_request MORE\nwants read write\ndeadline 1005\n"
                       "said streaming_information\nwants read\n"},
    {"so many records in one bundle",
     {.bundle_records = 2},
     EXTENDED SEND "said message_bundle event_data/4\n" SEND SEND SEND SEND SEND
                   "hear null\ntold null MORE\nsaid message_bundle event_data/4 event_data/4\n"
                   "hear null\ntold null MORE\nsaid message_bundle event_data/4 event_data/4\n"
                   "hear null\ntold null MORE\nsaid message_bundle event_data/4\nwaiting 0\n"},
    {"records of one bundle each",
     {.bundle_records = 1, .window = 3},
     EXTENDED SEND SEND SEND SEND
     "said message_bundle event_data/4 message_bundle event_data/4 message_bundle event_data/4\n"
     "waiting 1\n"},

    /* Host data. */
    {"host data: one host",
     {0},
     BARE "hear host_data_request {'data_type':6,'start_ip':'192.0.2.1'}\n"
          "told host_data_request MORE\n"
          "refuse STATE multiple_host_data " HOST "\nsend single_host_data " HOST "\n"
          "wrote 0001 0006 00000009 0000009d 00000009 01\nrefuse STATE single_host_data\n"},
    {"host data: one host that is not there",
     {0},
     BARE "hear host_data_request {'data_type':4}\ntold host_data_request MORE\n"
          "send single_host_data\nwrote 0001 0006 00000000\nrefuse STATE single_host_data\n"},
    {"host data: a range",
     {0},
     BARE "hear host_data_request {'data_type':7}\ntold host_data_request MORE\n"
          "refuse STATE single_host_data " HOST "\nsend multiple_host_data " HOST "\n"
          "send multiple_host_data " HOST "\nsend multiple_host_data\n"
          "refuse STATE multiple_host_data\nsaid multiple_host_data\nwaiting 2\nhear null\n"
          "told null MORE\nsaid multiple_host_data\nhear null\ntold null MORE\n"
          "wrote 0001 0007 00000000\nwaiting 0\n"},
    {"host data: two requests, answered in their order",
     {.window = 9},
     BARE "hear host_data_request {'data_type':7}\nhear host_data_request {'data_type':6}\n"
          "told host_data_request host_data_request MORE\n"
          "send multiple_host_data\nsend single_host_data " HOST "\n"
          "refuse STATE multiple_host_data\nrefuse STATE single_host_data\n"
          "said multiple_host_data single_host_data\n"},
    {"host data keeps its place between records",
     {0},
     EXTENDED "hear host_data_request {'data_type':6}\ntold host_data_request MORE\n" SEND SEND
              "send single_host_data " HOST "\n" SEND
              "said message_bundle event_data/4\nwaiting 3\nhear null\ntold null MORE\n"
              "said message_bundle event_data/4\nhear null\ntold null MORE\n"
              "said single_host_data\nhear null\ntold null MORE\n"
              "said message_bundle event_data/4\nwaiting 0\n"},
    {"host data alone: a request that asks for nothing",
     {0},
     ASK("0") "told event_stream_request MORE\nsaid\nhear host_data_request {'data_type':5}\n"
              "told host_data_request MORE\nsend multiple_host_data\nsaid multiple_host_data\n"},

    /* Commands that nothing allows change nothing. */
    {"nothing was asked for",
     {0},
     "refuse STATE event_data " RECORD "\nrefuse STATE single_host_data\n"
     "refuse STATE multiple_host_data\nsaid\n" BARE SEND "said event_data/4\n"},
    {"what a server does not say",
     {0},
     BARE "refuse STATE event_stream_request\nrefuse STATE host_data_request\n"
          "refuse STATE streaming_request\nrefuse STATE streaming_information\n"
          "refuse STATE message_bundle\nrefuse STATE unknown {'message_type':3}\n"
          "refuse STATE no_such_message\nrefuse STATE single_host_data\n"
          "refuse STATE multiple_host_data\nrefuse VALUE event_data {'record_type':65536}\n"
          "refuse VALUE event_data {'record_type':4,'record':{'priority_id':-1}}\n"
          "refuse VALUE null {'a':1}\nwaiting 0\nsaid\n" SEND "said event_data/4\n"},
    {"a keep-alive at any time", {0}, BARE SEND SEND "send null\nsaid event_data/4 null\n"},
    {"an error ends the session",
     {0},
     BARE SEND SEND "send error {'error_code':19,'text':'No space'}\nwaiting 0\n"
                    "wants write close\nsaid event_data/4 error/19\ntold END\n"
                    "refuse STATE null\nwants close\n"},
    {"closing drops what waits",
     {0},
     BARE SEND SEND SEND "close 19 No space\nwaiting 0\nsaid event_data/4 error/19\ntold END\n"
                         "wants close\ntold END\nsaid\n"},
    {"closing without a word",
     {0},
     EXTENDED SEND SEND "close 0\nwaiting 0\n"
                        "said message_bundle event_data/4\ntold END\n"},

    /* Another request takes the place of the one before. */
    {"bundles, then bare records",
     {.window = 9},
     EXTENDED SEND "said message_bundle event_data/4\n" ASK(
         "9437252") "told event_stream_request MORE\nsaid\n" SEND "said event_data/4\n"},
    {"bare records, then bundles",
     {.window = 9},
     BARE SEND "said event_data/4\n" ASK(
         "1083179008") "told event_stream_request MORE\nsaid streaming_information\n" CHOOSE
                       "told streaming_request null MORE\n" SEND
                       "said message_bundle event_data/4\n"},
    {"another streaming request",
     {.window = 9},
     EXTENDED SEND "hear streaming_request {'services':[{'service_type':6667," TYPES "}]}\n"
                   "told streaming_request MORE\n" SEND
                   "said message_bundle event_data/4 message_bundle event_data/4\n"},
    {"for another service",
     {0},
     EXTENDED "hear streaming_request {'services':[{'service_type':5000," TYPES "}]}\n"
              "told streaming_request!PROTOCOL E_PROTOCOL\nsaid error/-1\n"},

    /* Time, from any origin. */
    {"the first request is late",
     {.request_ms = 1000},
     "deadline 0\ntick 1000000000000\ndeadline 1000000001000\ntick 1000000000500\nhear null\ntold "
     "null MORE\n"
     "deadline 1000000001000\ntick 1000000000999\ntold MORE\ntick 1000000001000\ntold "
     "E_TIMEOUT\ndeadline never\n"},
    {"it is not",
     {.request_ms = 1000, .no_keepalive = true},
     "tick 0\ndeadline 1000\ntick 999\n" BARE "deadline never\ntick 100000\ntold MORE\n"},
    {"it may take any time",
     {.no_request_ms = true, .no_keepalive = true},
     "tick 0\ndeadline never\ntick 1000000000000\ntold MORE\n" BARE},
    {"what came with the tick is looked at first",
     {.request_ms = 1000, .no_keepalive = true},
     "tick 0\n" ASK("9437252") "tick 1000\ntold event_stream_request MORE\nsaid\n"},
    {"and that once",
     {.request_ms = 1000, .no_keepalive = true},
     "tick 0\noctets 0001 0002\ntick 1000\ntick 1001\ntold E_TIMEOUT\n"},
    {"one that names services to come is not complete",
     {.request_ms = 1000, .no_keepalive = true},
     "tick 0\ntick 500\n" ASK("1083179008") "told event_stream_request MORE\nsaid "
                                            "streaming_information\ndeadline 1500\ntick 1499\ntold "
                                            "MORE\ntick 1500\ntold E_TIMEOUT\n"
                                            "said error/-1\n"},
    {"to the end of time",
     {.no_request_ms = true, .no_keepalive = true},
     "tick 5\n" BARE SEND "said event_data/4\ntick 18446744073709551615\ntold MORE\nsaid\n"},
    {"a session that is over waits for nothing",
     {.keepalive_ms = 1000, .idle_ms = 1000},
     "tick 5\n" BARE SEND "said event_data/4\nend\ntold END\ndeadline never\ntick 5000\nsaid\n"
     "tick 18446744073709551615\ntold END\nsaid\n"},
    {"keep-alives",
     {.keepalive_ms = 1000},
     "tick 50\n" BARE "deadline 1050\ntick 1049\nsaid\ntick 1050\nsaid null\ndeadline 2050\n"
     "tick 1800\n" SEND
     "said event_data/4\ndeadline 2800\ntick 2799\nsaid\ntick 2800\nsaid null\n"},
    {"keep-alives while the client allows nothing",
     {.keepalive_ms = 1000},
     "tick 50\n" BARE SEND SEND "said event_data/4\ntick 1050\nsaid null\nwaiting 1\n"},
    {"none while output waits",
     {.keepalive_ms = 1000},
     "tick 50\n" BARE SEND
     "tick 1050\ndeadline 2050\ntick 2050\ndeadline 3050\nsaid event_data/4\n"},
    {"an acknowledgement is late",
     {.idle_ms = 1000, .no_keepalive = true},
     "tick 50\n" BARE "deadline never\n" SEND "said event_data/4\ndeadline 1050\ntick 1049\n"
     "told MORE\ntick 1050\ntold E_TIMEOUT\n"},
    {"it is not",
     {.idle_ms = 1000, .no_keepalive = true},
     "tick 50\n" BARE SEND "said event_data/4\ntick 1049\nhear null\ntold null MORE\n"
     "deadline never\ntick 5000\ntold MORE\n" SEND "deadline 6000\nsaid event_data/4\n"},
};

START_TEST(converses)
{
    leat_session *session = make_set(NULL, &conversations[_i].with);

    ck_assert_msg(session != NULL, "%s", conversations[_i].name);
    live_play(session, conversations[_i].script);
    leat_session_free(session);
}
END_TEST

/* A streaming request takes the place of the one before it; its services for 6667 add up. */
START_TEST(requests_take_turns)
{
    leat_session *session = make(NULL, NULL);

    live_play(session, ASK("1083179008") "told event_stream_request MORE\nsaid "
                                         "streaming_information\n");
    live_hear(session, "streaming_request",
              "{'services':[{'service_type':6667,'flags':1,'initial_timestamp':7," TYPES "}]}");
    live_play(session, "told streaming_request MORE\n");
    ck_assert_int_eq(leat_estreamer_is_wanted(session, 400), 1);
    ck_assert_int_eq(leat_estreamer_is_wanted(session, 2), 1);
    ck_assert_int_eq(leat_estreamer_is_wanted(session, 71), 0);
    ck_assert_uint_eq(leat_estreamer_initial_timestamp(session), 7);
    live_hear(session, "streaming_request",
              "{'services':[{'service_type':6667,'initial_timestamp':9,"
              "'event_types':[{'event_version':17,'event_code':71}]},"
              "{'service_type':5000,'event_types':[{'event_version':8,'event_code':101}]},"
              "{'service_type':6667,'initial_timestamp':9,"
              "'event_types':[{'event_version':7,'event_code':111}]}]}");
    live_play(session, "told streaming_request MORE\n");
    ck_assert_int_eq(leat_estreamer_is_wanted(session, 400), 0);
    ck_assert_int_eq(leat_estreamer_is_wanted(session, 2), 0);
    ck_assert_int_eq(leat_estreamer_is_wanted(session, 71), 1);
    ck_assert_int_eq(leat_estreamer_is_wanted(session, 500), 1);
    ck_assert_int_eq(leat_estreamer_is_wanted(session, 125), 0);
    ck_assert_uint_eq(leat_estreamer_initial_timestamp(session), 9);
    leat_session_free(session);
}
END_TEST

/* The recorded probe, to the octet. */
START_TEST(is_probed)
{
    static const struct setting setting = {.services = 2};
    leat_session *session = make_set(NULL, &setting);
    struct t_bytes expected = t_hex_file("estreamer/02_server_probe_streaming_information.hex");
    struct t_bytes output;

    live_hear_octets(session, t_hex_file("estreamer/01_client_probe_event_stream_request.hex"));
    live_play(session, "told event_stream_request MORE\n");
    ck_assert_uint_eq(leat_estreamer_initial_timestamp(session), LEAT_ESTREAMER_NOW);
    output = live_take(session);
    ck_assert_uint_eq(output.length, expected.length);
    ck_assert_mem_eq(output.data, expected.data, expected.length);
    live_play(session, "end\ntold END\nsaid\n");
    ck_assert_ptr_null(leat_session_error(session));
    t_free(output);
    t_free(expected);
    leat_session_free(session);
}
END_TEST

/* How many messages may lack their acknowledgement, exactly. */
static const struct {
    uint32_t window;
    bool extended;
} windows[] = {{1, false}, {2, false}, {10, false}, {1, true}, {2, true}, {10, true}};

static void send_some(leat_session *session, size_t count)
{
    for (; count > 0; count--)
        ck_assert_int_eq(live_send(session, "event_data", RECORD), LEAT_OK);
}

/* Takes the output: the messages with records in it, and how many records there are. */
static size_t take_messages(leat_session *session, size_t *records)
{
    struct t_bytes output = live_take(session);
    size_t messages = live_count(output.data, output.length, NULL);

    ck_assert_uint_eq(live_count(output.data, output.length, "null"), 0);
    *records += live_count(output.data, output.length, "event_data");
    t_free(output);
    return messages;
}

START_TEST(keeps_to_its_window)
{
    const struct setting setting = {
        .window = windows[_i].window, .bundle_records = 1, .no_keepalive = true};
    leat_session *session = make_set(NULL, &setting);
    uint32_t window = windows[_i].window;
    size_t records = 0, sent, flying, i;

    live_play(session, windows[_i].extended ? EXTENDED : BARE);
    for (i = 0; i < 3; i++) { /* nulls that nothing was sent for */
        live_hear(session, "null", NULL);
        live_play(session, "told null MORE\n");
    }
    send_some(session, 25);
    flying = take_messages(session, &records);
    ck_assert_uint_eq(flying, window);
    ck_assert_uint_eq(leat_estreamer_waiting(session), 25 - window);
    for (sent = flying; flying > 0; flying--) {
        live_hear(session, "null", NULL);
        live_play(session, "told null MORE\n");
        i = take_messages(session, &records);
        ck_assert_uint_eq(i, sent < 25 ? 1 : 0);
        sent += i;
        flying += i;
        ck_assert_uint_le(flying - 1, window);
        ck_assert_uint_eq(leat_estreamer_waiting(session), 25 - sent);
    }
    ck_assert_uint_eq(records, 25);

    /* All is acknowledged: further nulls do not open the window further. */
    for (i = 0; i < 20; i++)
        live_hear(session, "null", NULL);
    live_play(session, "told null null null null null null null null null null null null null null"
                       " null null null null null null MORE\n");
    send_some(session, 25);
    ck_assert_uint_eq(take_messages(session, &records), window);
    leat_session_free(session);
}
END_TEST

/* A bundle that is longer than bundle_bytes takes no more records. */
static const struct {
    uint32_t bundle_bytes;
    size_t records;
} sizes[] = {{1, 1}, {500, 1}, {1500, 2}, {2500, 3}, {64 << 10, 7}};

START_TEST(bundles_have_a_size)
{
    const struct setting setting = {.bundle_bytes = sizes[_i].bundle_bytes};
    leat_session *session = make_set(NULL, &setting);
    static const uint8_t octets[1000] = {0};
    size_t i, records = 0;

    live_play(session, EXTENDED);
    for (i = 0; i < 8; i++)
        ck_assert_int_eq(leat_estreamer_send_record(session, 9999, 0, octets, sizeof octets),
                         LEAT_OK);
    ck_assert_uint_eq(take_messages(session, &records), 1);
    ck_assert_uint_eq(records, 1); /* the first did not wait for the others */
    live_hear(session, "null", NULL);
    live_play(session, "told null MORE\n");
    records = 0;
    ck_assert_uint_eq(take_messages(session, &records), 1);
    ck_assert_uint_eq(records, sizes[_i].records);
    leat_session_free(session);
}
END_TEST

/* Nor does one that would get longer than messages may be; a record that is, is refused. */
START_TEST(bundles_keep_to_the_limit_of_messages)
{
    static const uint8_t octets[4000] = {0};
    leat_limits limits;
    leat_config config;
    leat_session *session;
    size_t records = 0, i;

    leat_limits_init(&limits, sizeof limits);
    leat_config_init(&config, sizeof config);
    limits.message_bytes = 8 + 3 * (8 + 16 + 1000); /* 3 records, to the octet */
    config.limits = &limits;
    ck_assert_int_eq(leat_estreamer_server_new(&config, NULL, &session), LEAT_OK);
    live_play(session, EXTENDED);
    for (i = 0; i < 6; i++)
        ck_assert_int_eq(leat_estreamer_send_record(session, 9999, 0, octets, 1000), LEAT_OK);
    ck_assert_int_eq(leat_estreamer_send_record(session, 9999, 0, octets, 3080 - 16 - 8 - 8 + 1),
                     LEAT_E_LIMIT);
    ck_assert_int_eq(leat_estreamer_send_record(session, 9999, 0, octets, 3080 - 16 - 8 - 8),
                     LEAT_OK);
    ck_assert_uint_eq(leat_estreamer_waiting(session), 6);
    for (i = 0; i < 4; i++) { /* 1, 3, 2, and the long one */
        static const size_t counts[] = {1, 4, 6, 7};

        ck_assert_uint_eq(take_messages(session, &records), 1);
        ck_assert_uint_eq(records, counts[i]);
        live_play(session, "hear null\ntold null MORE\n");
    }
    ck_assert_uint_eq(leat_estreamer_waiting(session), 0);
    leat_session_free(session);
}
END_TEST

/* Commands that find no room change nothing. */
START_TEST(commands_find_no_room)
{
    static const struct setting setting = {.queued_bytes = 40};
    leat_session *session = make_set(NULL, &setting);

    live_play(session, BARE "hear host_data_request {'data_type':6}\ntold host_data_request MORE\n"
                            "send null\nsend null\nsend null\nsend null\nrefuse LIMIT event_data"
                            " {'record_type':43}\nrefuse LIMIT single_host_data " HOST "\n"
                            "send null\nrefuse LIMIT null\nrefuse LIMIT error\nwaiting 0\n");
    ck_assert_int_eq(leat_send(session, NULL, NULL), LEAT_E_STATE);
    ck_assert_int_eq(leat_estreamer_close(session, -1, "bye"), LEAT_E_LIMIT);
    live_play(session, "said null null null null null\nsend single_host_data " HOST
                       "\nsaid single_host_data\nsend event_data {'record_type':43}\nwaiting 1\n"
                       "send error {'text':'what waits makes room'}\nsaid error/0\ntold END\n");
    leat_session_free(session);
}
END_TEST

/* What the session says by itself is no command: the caller's last refusal stays. */
START_TEST(refusals_stay)
{
    static const struct setting setting = {.keepalive_ms = 1000};
    leat_session *session = make_set(NULL, &setting);

    ck_assert_ptr_null(leat_session_send_error(session));
    live_play(session, "tick 0\nrefuse STATE event_data\n" EXTENDED "tick 1000\nsaid null\n"
                       "octets 0002 0000 00000000\ntold E_FRAME\nsaid error/-1\n");
    ck_assert_int_eq(leat_error_code(leat_session_send_error(session)), LEAT_E_STATE);
    leat_session_free(session);
    session = make_set(NULL, &setting);
    live_play(session, "refuse STATE event_data\n" BARE SEND "said event_data/4\n");
    ck_assert_ptr_null(leat_session_send_error(session));
    leat_session_free(session);
}
END_TEST

/* 128 records, unless told otherwise. */
START_TEST(bundles_have_a_count)
{
    leat_session *session = make(NULL, NULL);
    size_t records = 0;

    live_play(session, EXTENDED);
    send_some(session, 1 + 128 + 2);
    ck_assert_uint_eq(take_messages(session, &records), 1);
    live_play(session, "hear null\ntold null MORE\n");
    ck_assert_uint_eq(take_messages(session, &records), 1);
    ck_assert_uint_eq(records, 1 + 128);
    ck_assert_uint_eq(leat_estreamer_waiting(session), 2);
    leat_session_free(session);
}
END_TEST

/* Trimming gives memory back, but nothing that waits. */
START_TEST(trimmed)
{
    leat_session *session = make(NULL, NULL);

    leat_session_trim(session);
    live_play(session, EXTENDED SEND SEND);
    leat_session_trim(session);
    live_play(session, SEND "said message_bundle event_data/4\nwaiting 2\n");
    leat_session_trim(session);
    live_play(session,
              "hear null\ntold null MORE\nsaid message_bundle event_data/4 event_data/4\n");
    leat_session_trim(session);
    ck_assert_uint_le(leat_session_memory(session), 1024);
    live_play(session, "hear null\ntold null MORE\n" SEND "said message_bundle event_data/4\n");
    leat_session_free(session);
}
END_TEST

START_TEST(connections_have_an_id)
{
    leat_estreamer_server_options options;
    leat_session *session;

    leat_estreamer_server_options_init(&options, sizeof options);
    options.connection_id = 42;
    ck_assert_int_eq(leat_estreamer_server_new(NULL, &options, &session), LEAT_OK);
    live_play(session,
              EXTENDED SEND "wrote 0001 0fa2 0000002a 0000002a 00000001" PRIORITY_ITEM "\n");
    leat_session_free(session);
}
END_TEST

/* The form of records: as deployed clients need them, or as given. */
#define DISCOVERY_40                                                                               \
    "00000003 c0000221 02005e100001 00 00 0000000b 0000000c 000003e8 00000001 00000000 00000000"
#define DISCOVERY_56                                                                               \
    "00000003 c0000221 02005e100001 01 00 0000000b 0000000c 000003e8 00000001 00000000 00000000"   \
    "00000000000000000000ffffc0000221"
#define DISCOVERY_JSON                                                                             \
    "{'discovery_header':{'device_id':3,'legacy_ip':'192.0.2.33','mac_address':"                   \
    "'02:00:5e:10:00:01','event_second':11,'event_microsecond':12,'event_type':1000,"              \
    "'event_subtype':1}}"
#define ITEM(length, octets) "0001 0fa2 " length " 00000001 00000001 00000004" octets

static const struct {
    uint32_t flags;
    uint32_t verbatim;
    const char *json;
    const char *hex;
} forms[] = {
    /* The header that was asked for. */
    {BARE_FLAGS, 0, RECORD, "0001 0004 0000001a 00000004 0000000a 00000000 00000000" PRIORITY_HEX},
    {SHORT_FLAGS, 0, RECORD, "0001 0004 00000012 00000004 0000000a" PRIORITY_HEX},
    {BARE_FLAGS, 0, "{'record_type':4,'archive_timestamp':5,'record':'" PRIORITY_HEX "'}",
     "0001 0004 0000001a 00000004 0000000a 00000005 00000000" PRIORITY_HEX},
    {SHORT_FLAGS, 0, "{'record_type':4,'archive_timestamp':5,'record':'" PRIORITY_HEX "'}",
     "0001 0004 00000012 00000004 0000000a" PRIORITY_HEX},
    {EXTENDED_FLAGS, 0, RECORD,
     ITEM("0000002a", "0000001a 00000004 0000000a 00000000 00000000" PRIORITY_HEX)},
    /* The type alone in the first word. */
    {BARE_FLAGS, 0,
     "{'record_type':4,'netmap_id':7,'extended_header':true,'archive_timestamp':5,"
     "'record':'" PRIORITY_HEX "'}",
     "0001 0004 0000001a 00000004 0000000a 00000005 00000000" PRIORITY_HEX},
    {SHORT_FLAGS, 0,
     "{'record_type':4,'netmap_id':7,'extended_header':true,'record':'" PRIORITY_HEX "'}",
     "0001 0004 00000012 00000004 0000000a" PRIORITY_HEX},
    /* As they are given. */
    {BARE_FLAGS, 1, RECORD, "0001 0004 00000012 00000004 0000000a" PRIORITY_HEX},
    {SHORT_FLAGS, 1, "{'record_type':4,'archive_timestamp':5,'record':'" PRIORITY_HEX "'}",
     "0001 0004 0000001a 00000004 0000000a 00000005 00000000" PRIORITY_HEX},
    {BARE_FLAGS, 1,
     "{'record_type':4,'netmap_id':7,'extended_header':true,'archive_timestamp':5,"
     "'record':'" PRIORITY_HEX "'}",
     "0001 0004 0000001a 80070004 0000000a 00000005 00000000" PRIORITY_HEX},
    {EXTENDED_FLAGS, 1, RECORD, ITEM("00000022", "00000012 00000004 0000000a" PRIORITY_HEX)},
    /* The IPv6 address of a discovery header. */
    {EXTENDED_FLAGS, 0, "{'record_type':19,'archive_timestamp':5,'record':" DISCOVERY_JSON "}",
     ITEM("00000058", "00000048 00000013 00000038 00000005 00000000" DISCOVERY_56)},
    {EXTENDED_FLAGS, 0, "{'record_type':19,'archive_timestamp':5,'record':'" DISCOVERY_56 "'}",
     ITEM("00000058", "00000048 00000013 00000038 00000005 00000000" DISCOVERY_56)},
    {EXTENDED_FLAGS, 0, "{'record_type':19,'archive_timestamp':5,'record':'" DISCOVERY_40 "ab'}",
     ITEM("00000059", "00000049 00000013 00000039 00000005 00000000" DISCOVERY_56 "ab")},
    {EXTENDED_FLAGS, 0, "{'record_type':19,'archive_timestamp':5,'record':'00000003c0000221'}",
     ITEM("00000028", "00000018 00000013 00000008 00000005 00000000 00000003 c0000221")},
    {EXTENDED_FLAGS, 1, "{'record_type':19,'archive_timestamp':5,'record':" DISCOVERY_JSON "}",
     ITEM("00000048", "00000038 00000013 00000028 00000005 00000000" DISCOVERY_40)},
    {BARE_FLAGS, 0, "{'record_type':19,'archive_timestamp':5,'record':" DISCOVERY_JSON "}",
     "0001 0004 00000038 00000013 00000028 00000005 00000000" DISCOVERY_40},
};

static leat_session *asked(uint32_t flags, uint32_t verbatim)
{
    leat_estreamer_server_options options;

    leat_estreamer_server_options_init(&options, sizeof options);
    options.verbatim = verbatim;
    return live_server(NULL, &options, flags);
}

/* JSON whose texts of hex digits may have spaces between. */
static char *without_spaces(const char *json)
{
    char *copy = (char *)malloc(strlen(json) + 1), *to = copy;

    ck_assert_ptr_nonnull(copy);
    for (; *json != '\0'; json++) {
        if (*json != ' ')
            *to++ = *json;
    }
    *to = '\0';
    return copy;
}

START_TEST(forms_records)
{
    leat_session *session = asked(forms[_i].flags, forms[_i].verbatim);
    char *json = without_spaces(forms[_i].json);

    ck_assert_int_eq(live_send(session, "event_data", json), LEAT_OK);
    live_wrote(session, forms[_i].hex);
    free(json);
    leat_session_free(session);
}
END_TEST

/* leat_estreamer_send_record() says the same as leat_send(). */
START_TEST(sends_octets)
{
    static const uint32_t flags[] = {EXTENDED_FLAGS, BARE_FLAGS, SHORT_FLAGS};
    struct t_bytes discovery = t_hex(DISCOVERY_40), priority = t_hex(PRIORITY_HEX);
    leat_session *a = asked(flags[_i], 0), *b = asked(flags[_i], 0);
    struct t_bytes said, expected;

    ck_assert_int_eq(leat_estreamer_send_record(a, 19, 5, discovery.data, discovery.length),
                     LEAT_OK);
    ck_assert_int_eq(live_send(b, "event_data",
                               "{'record_type':19,'archive_timestamp':5,'record':" DISCOVERY_JSON
                               "}"),
                     LEAT_OK);
    ck_assert_int_eq(leat_estreamer_send_record(a, 4, 0, priority.data, priority.length), LEAT_OK);
    memset(priority.data, 0xff, priority.length); /* it was copied */
    ck_assert_int_eq(live_send(b, "event_data", RECORD), LEAT_OK);
    live_hear(a, "null", NULL);
    live_hear(b, "null", NULL);
    live_play(a, "told null MORE\n");
    live_play(b, "told null MORE\n");
    said = live_take(a);
    expected = live_take(b);
    ck_assert_uint_eq(said.length, expected.length);
    ck_assert_mem_eq(said.data, expected.data, expected.length);
    t_free(said);
    t_free(expected);
    ck_assert_int_eq(leat_estreamer_send_record(a, 65536, 0, priority.data, 1), LEAT_E_VALUE);
    ck_assert_int_eq(leat_estreamer_send_record(a, 65535, 0, NULL, 0), LEAT_OK);
    t_free(discovery);
    t_free(priority);
    leat_session_free(a);
    leat_session_free(b);
}
END_TEST

START_TEST(sends_octets_verbatim)
{
    struct t_bytes priority = t_hex(PRIORITY_HEX);
    leat_session *session = asked(BARE_FLAGS, 1);

    ck_assert_int_eq(leat_estreamer_send_record(session, 4, 0, priority.data, priority.length),
                     LEAT_OK);
    live_wrote(session, "0001 0004 00000012 00000004 0000000a" PRIORITY_HEX);
    live_play(session, "hear null\ntold null MORE\n");
    ck_assert_int_eq(leat_estreamer_send_record(session, 4, 5, priority.data, priority.length),
                     LEAT_OK);
    live_wrote(session, "0001 0004 0000001a 00000004 0000000a 00000005 00000000" PRIORITY_HEX);
    t_free(priority);
    leat_session_free(session);
}
END_TEST

/* Which records a request covers. */
#define BIT(n) (UINT32_C(1) << (n))
#define ALWAYS BIT(23)
#define EXT    (BIT(30) | BIT(23))
#define NO_CODES                                                                                   \
    {                                                                                              \
        0                                                                                          \
    }
#define MOST 12

static const struct {
    uint32_t flags;
    uint16_t codes[9];
    uint32_t wanted[MOST], unwanted[MOST]; /* record types, ending with 0 */
} coverage[] = {
    {0, NO_CODES, {0}, {2, 4, 9, 10, 66, 71, 95, 110, 112, 125, 400}},
    {ALWAYS, NO_CODES, {0}, {2, 4, 9, 10, 71, 95, 110, 112, 400, 500, 9999}},
    {ALWAYS | BIT(0), NO_CODES, {2}, {4, 9, 10, 71, 112}},
    {ALWAYS | BIT(2), NO_CODES, {104, 207, 400, 9999}, {4, 9, 10, 71, 95, 112, 500}},
    {ALWAYS | BIT(6), NO_CODES, {104, 208, 400, 9999}, {4, 9, 10, 71, 95, 112, 500}},
    {ALWAYS | BIT(5), NO_CODES, {9}, {2, 4, 10, 71, 95, 112, 400}},
    {ALWAYS | BIT(20), NO_CODES, {4, 66, 123, 115, 350, 700}, {2, 9, 10, 71, 95, 112, 400, 9999}},
    {ALWAYS | BIT(1), NO_CODES, {4, 66}, {9, 10, 71, 400}},
    {ALWAYS | BIT(14), NO_CODES, {4, 66}, {9, 10, 71, 400}},
    {ALWAYS | BIT(15), NO_CODES, {4, 66}, {9, 10, 71, 400}},
    {ALWAYS | BIT(3), NO_CODES, {10, 15, 53, 9999}, {4, 9, 71, 95, 112, 400}},
    {ALWAYS | BIT(28), NO_CODES, {10, 101}, {4, 9, 71, 95, 112, 400}},
    {ALWAYS | BIT(29), NO_CODES, {112, 97}, {4, 9, 10, 71, 95, 400}},
    {ALWAYS | BIT(4), NO_CODES, {112, 8}, {4, 9, 10, 71, 95, 400}},
    {ALWAYS | BIT(8), NO_CODES, {71, 73}, {4, 9, 10, 95, 112, 400}},
    {ALWAYS | BIT(26), NO_CODES, {71}, {4, 9, 10, 95, 112, 400}},
    {ALWAYS | BIT(21), NO_CODES, {94, 95}, {4, 9, 10, 71, 112, 400}},
    {ALWAYS | BIT(27), NO_CODES, {110}, {4, 9, 10, 71, 95, 112, 400}},
    {EXT, {12, 0}, {400, 9999}, {4, 9, 10, 71, 95, 112, 125, 500}},
    {EXT, {21, 0}, {4, 66, 123, 700}, {9, 10, 71, 95, 112, 125, 400, 500, 9999}},
    {EXT, {31, 0}, {112}, {4, 9, 10, 71, 95, 125, 400, 500}},
    {EXT, {61, 0}, {10, 15, 160}, {4, 9, 71, 95, 112, 125, 400, 500}},
    {EXT, {71, 0}, {71}, {4, 9, 10, 95, 112, 125, 400, 500}},
    {EXT, {91, 0}, {92, 95, 170}, {4, 9, 10, 71, 112, 125, 400, 500}},
    {EXT, {101, 0}, {125}, {4, 9, 10, 71, 95, 112, 400}},
    {EXT, {111, 0}, {500}, {4, 9, 10, 71, 95, 112, 400}},
    {EXT, {131, 0}, {9}, {4, 10, 71, 95, 112, 125, 400, 500}},
    {EXT | BIT(0) | BIT(5), {71, 0}, {2, 9, 71}, {4, 10, 95, 112, 125, 500}},
    /* Deployed clients set bit 6 in any extended request. */
    {UINT32_C(0x48900061), {71, 0}, {2, 4, 9, 71, 110}, {10, 95, 112, 125, 400, 500}},
    {UINT32_C(0x48900061), {12, 0}, {2, 4, 9, 110, 400}, {10, 71, 95, 112, 125, 500}},
    {EXT,
     {12, 21, 31, 61, 71, 91, 101, 111, 131},
     {400, 4, 112, 10, 71, 95, 125, 500, 9, 9999},
     {0}},
    {EXT, {256, 1036, 0}, {0}, {4, 9, 10, 71, 95, 112, 125, 400, 500}}, /* no codes at all */
    {EXT, {77, 0}, {0}, {4, 9, 10, 71, 95, 112, 125, 400, 500}},        /* an unknown code */
};

static void check_covered(leat_session *session, const uint32_t *types, int wanted)
{
    for (; *types != 0; types++)
        ck_assert_msg(leat_estreamer_is_wanted(session, *types) == wanted,
                      "record type %u is%s wanted", (unsigned)*types, wanted ? " not" : "");
}

START_TEST(knows_what_is_wanted)
{
    static const struct setting setting = {0};
    leat_session *session = make_set(NULL, &setting);
    char json[1000];
    size_t i, length;

    check_covered(session, coverage[_i].wanted, 0); /* nothing was asked for yet */
    (void)snprintf(json, sizeof json, "{'initial_timestamp':1718000000,'request_flags':%u}",
                   (unsigned)coverage[_i].flags);
    live_hear(session, "event_stream_request", json);
    live_play(session, "told event_stream_request MORE\n");
    ck_assert_uint_eq(leat_estreamer_initial_timestamp(session), 1718000000);
    if ((coverage[_i].flags & LEAT_ESTREAMER_FLAG_EXTENDED_REQUEST) != 0) {
        check_covered(session, coverage[_i].wanted, 0); /* not before the streaming request */
        length =
            (size_t)snprintf(json, sizeof json,
                             "{'services':[{'service_type':6667,'initial_timestamp':1718000000,"
                             "'event_types':[");
        for (i = 0; i < 9 && coverage[_i].codes[i] != 0; i++)
            length += (size_t)snprintf(json + length, sizeof json - length,
                                       "%s{'event_version':11,'event_code':%u}", i > 0 ? "," : "",
                                       (unsigned)coverage[_i].codes[i]);
        (void)snprintf(json + length, sizeof json - length, "]}]}");
        live_hear(session, "streaming_request", json);
        live_play(session, "told streaming_request MORE\n");
    }
    check_covered(session, coverage[_i].wanted, 1);
    check_covered(session, coverage[_i].unwanted, 0);
    ck_assert_uint_eq(leat_estreamer_initial_timestamp(session), 1718000000);

    /* Another request forgets this one. */
    live_hear(session, "event_stream_request", "{'initial_timestamp':9}");
    live_play(session, "told event_stream_request MORE\n");
    check_covered(session, coverage[_i].wanted, 0);
    check_covered(session, coverage[_i].unwanted, 0);
    ck_assert_uint_eq(leat_estreamer_initial_timestamp(session), 9);
    leat_session_free(session);
}
END_TEST

/* What waits has a limit; what was accepted arrives. */
START_TEST(waiting_is_limited)
{
    const struct setting setting = {.queued_bytes = 4096, .bundle_records = 3};
    leat_session *session = make_set(NULL, &setting);
    uint8_t octets[100] = {0};
    size_t accepted, records = 0, more = 0;
    bool again;

    live_play(session, _i == 0 ? BARE : EXTENDED);
    for (again = false;; again = true) {
        for (accepted = 0;; accepted++) {
            int status;

            octets[0] = (uint8_t)accepted;
            status = leat_estreamer_send_record(session, 9999, 0, octets, sizeof octets);
            if (status == LEAT_E_LIMIT)
                break;
            ck_assert_int_eq(status, LEAT_OK);
            ck_assert_uint_lt(accepted, 100);
        }
        ck_assert_uint_ge(accepted, 4096 / 140 - 3);
        ck_assert_int_eq(leat_error_code(leat_session_send_error(session)), LEAT_E_LIMIT);
        more += accepted;
        while (records < more) {
            struct t_bytes output = live_take(session);
            leat_session *codec;
            const leat_event *event;

            ck_assert_uint_gt(output.length, 0);
            ck_assert_int_eq(leat_estreamer_codec_new(NULL, LEAT_FROM_SERVER, &codec), LEAT_OK);
            ck_assert_int_eq(leat_feed(codec, output.data, output.length), LEAT_OK);
            while (leat_next(codec, &event) == LEAT_OK) {
                size_t length;
                const uint8_t *record =
                    leat_value_bytes(leat_value_get(leat_event_value(event), "record"), &length);

                if (leat_event_kind(event) != LEAT_ESTREAMER_EVENT_DATA)
                    continue;
                ck_assert_uint_eq(length, sizeof octets);
                ck_assert_uint_eq(record[0], (uint8_t)(records - (more - accepted)));
                records++;
            }
            leat_session_free(codec);
            t_free(output);
            live_play(session, "hear null\ntold null MORE\n");
        }
        ck_assert_uint_eq(records, more);
        ck_assert_uint_eq(leat_estreamer_waiting(session), 0);
        if (again)
            break;
    }
    leat_session_free(session);
}
END_TEST

START_TEST(options_are_checked)
{
    static const uint32_t services[17] = {6667};
    leat_estreamer_server_options options;
    leat_session *session;

    leat_estreamer_server_options_init(&options, sizeof options);
    ck_assert_uint_eq(options.window, 1);
    ck_assert_uint_eq(options.connection_id, 1);
    ck_assert_uint_eq(options.bundle_records, 128);
    ck_assert_uint_eq(options.bundle_bytes, 64 << 10);
    ck_assert_uint_eq(options.keepalive_ms, 30000);
    ck_assert_uint_eq(options.request_ms, 60000);
    ck_assert_uint_eq(options.idle_ms, 0);
    options.window = 0;
    ck_assert_int_eq(leat_estreamer_server_new(NULL, &options, &session), LEAT_E_VALUE);
    leat_estreamer_server_options_init(&options, sizeof options);
    options.bundle_records = 0;
    ck_assert_int_eq(leat_estreamer_server_new(NULL, &options, &session), LEAT_E_VALUE);
    leat_estreamer_server_options_init(&options, sizeof options);
    options.services = services;
    options.service_count = 17;
    ck_assert_int_eq(leat_estreamer_server_new(NULL, &options, &session), LEAT_E_VALUE);
    options.services = NULL;
    options.service_count = 1;
    ck_assert_int_eq(leat_estreamer_server_new(NULL, &options, &session), LEAT_E_VALUE);
    options.services = services;
    options.service_count = 16;
    ck_assert_int_eq(leat_estreamer_server_new(NULL, &options, &session), LEAT_OK);
    leat_session_free(session);
    options.size = 0; /* not initialised */
    ck_assert_int_eq(leat_estreamer_server_new(NULL, &options, &session), LEAT_E_VALUE);
}
END_TEST

/* Why it failed: which field, and where in the stream. */
static const struct {
    const char *script;
    int code;
    uint64_t offset;
    const char *field;
} reasons[] = {
    {"hear null\nhear host_data_request\ntold null host_data_request!PROTOCOL E_PROTOCOL\n",
     LEAT_E_PROTOCOL, 8, "message_type"},
    {BARE "hear streaming_request\ntold streaming_request!PROTOCOL E_PROTOCOL\n", LEAT_E_PROTOCOL,
     16, "service_type"},
    {"hear null\ntold null MORE\ntick 0\ntick 1000\ntold E_TIMEOUT\n", LEAT_E_TIMEOUT, 8, ""},
    {"tick 0\n" BARE SEND "tick 2000\ntold E_TIMEOUT\n", LEAT_E_TIMEOUT, 16, ""},
};

START_TEST(says_why)
{
    static const struct setting setting = {.request_ms = 1000, .idle_ms = 2000};
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

/* A caller who was compiled when the options had fewer members, or will have more. */
START_TEST(options_of_other_versions)
{
    struct {
        leat_estreamer_server_options options;
        uint64_t more;
    } longer;
    leat_session *session;

    memset(&longer, 0xff, sizeof longer);
    leat_estreamer_server_options_init(&longer.options,
                                       offsetof(leat_estreamer_server_options, window));
    ck_assert_uint_eq(longer.options.window, UINT32_MAX); /* not theirs to touch */
    longer.options.connection_id = 42;
    ck_assert_int_eq(leat_estreamer_server_new(NULL, &longer.options, &session), LEAT_OK);
    live_play(session, EXTENDED SEND SEND "wrote 0001 0fa2 0000002a 0000002a 00000001" PRIORITY_ITEM
                                          "\nwaiting 1\n");
    leat_session_free(session);
    leat_estreamer_server_options_init(&longer.options, sizeof longer);
    ck_assert_uint_eq(longer.more, 0);
    ck_assert_int_eq(leat_estreamer_server_new(NULL, &longer.options, &session), LEAT_OK);
    live_play(session, EXTENDED SEND SEND "said message_bundle event_data/4\nwaiting 1\n");
    leat_session_free(session);
}
END_TEST

START_TEST(is_a_server)
{
    leat_session *session = make(NULL, NULL);
    leat_buffer *buffer;

    ck_assert_int_eq(leat_buffer_new(NULL, &buffer), LEAT_OK);
    ck_assert_int_eq(leat_estreamer_acknowledge(session, UINT64_MAX), LEAT_E_STATE);
    ck_assert_int_eq(leat_estreamer_bookmark(session, buffer), LEAT_E_STATE);
    ck_assert_int_eq(leat_estreamer_is_repeat(session), 0);
    ck_assert_int_eq(leat_estreamer_send_record(session, 4, 0, "", 0), LEAT_E_STATE);
    ck_assert_uint_eq(leat_estreamer_initial_timestamp(session), 0);
    ck_assert_int_eq(leat_estreamer_close(session, 1, "bye"), LEAT_OK);
    ck_assert_int_eq(leat_estreamer_close(session, 1, "bye"), LEAT_E_STATE);
    live_said(session, "error/1");
    leat_buffer_free(buffer);
    leat_session_free(session);
}
END_TEST

/* A client that says all that clients say; the server answers as events come. */
static struct t_bytes whole_session(bool extended)
{
    struct t_bytes all = t_hex(NULL_HEX), other;

    other = extended ? t_hex_file("estreamer/03_client_event_stream_request.hex")
                     : t_hex_file("estreamer/perl-sdk/events_01_client_event_stream_request.hex");
    t_append(&all, other.data, other.length);
    t_free(other);
    if (extended) {
        other = t_hex_file("estreamer/05_client_streaming_request.hex");
        t_append(&all, other.data, other.length);
        t_free(other);
    }
    other = t_hex(NULL_HEX NULL_HEX "0001 0005 00000010 00000005 00000000 c0000221 c0000222"
                                    "0001 0005 00000010 00000006 00000000 c0000221 c0000222"
                                    "0001 0003 00000002 0102" NULL_HEX NULL_HEX
                                    "0001 0004 0000000a 0000002b 00000002 0102" NULL_HEX NULL_HEX
                                    "0001 0005 00000003 000000" NULL_HEX
                                    "0001 0002 00000008 00000000 01f00004" NULL_HEX NULL_HEX
                                    "0001 0001 00000009 ffffffff 0003 627965" NULL_HEX);
    t_append(&all, other.data, other.length);
    t_free(other);
    return all;
}

static void answer(leat_session *session, const leat_event *event)
{
    uint64_t data_type = leat_value_u64(leat_value_get(leat_event_value(event), "data_type"));
    uint32_t kind = leat_event_kind(event);

    if (kind == LEAT_ESTREAMER_HOST_DATA_REQUEST && leat_event_error(event) == NULL) {
        if (data_type % 2 != 0) {
            ck_assert_int_eq(live_send(session, "multiple_host_data", HOST), LEAT_OK);
            ck_assert_int_eq(live_send(session, "multiple_host_data", NULL), LEAT_OK);
        } else {
            ck_assert_int_eq(live_send(session, "single_host_data", HOST), LEAT_OK);
        }
    } else if (kind == LEAT_ESTREAMER_EVENT_STREAM_REQUEST ||
               kind == LEAT_ESTREAMER_STREAMING_REQUEST) {
        send_some(session, 3);
    }
}

START_TEST(chunking_is_invisible)
{
    static const struct setting setting = {.bundle_records = 2};
    const struct live_side side = {make_set, &setting, answer};
    struct t_bytes octets = whole_session(_i == 1);
    char *transcript = live_every_split(&side, octets.data, octets.length);

    ck_assert_ptr_nonnull(strstr(transcript, "error"));
    ck_assert_ptr_nonnull(strstr(transcript, "LEAT_END"));
    free(transcript);
    t_free(octets);
}
END_TEST

/* The same conversation; every command may lack memory, and can be given again. */
static int conversation(const leat_config *config, const void *arg)
{
    static const struct setting setting = {.bundle_records = 2};
    const struct t_bytes *octets = (const struct t_bytes *)arg;
    leat_session *session = make_set(config, &setting);
    const leat_event *event;
    int status, result = LEAT_OK;

    if (session == NULL)
        return LEAT_E_NOMEM;
    status = leat_feed(session, octets->data, octets->length);
    while (status == LEAT_OK && (status = leat_next(session, &event)) == LEAT_OK) {
        if (leat_event_kind(event) == LEAT_ESTREAMER_STREAMING_REQUEST)
            result = leat_estreamer_send_record(session, 9999, 5, "leat", 4);
        if (result == LEAT_E_NOMEM)
            ck_assert_int_eq(leat_estreamer_send_record(session, 9999, 5, "leat", 4), LEAT_OK);
        if (leat_event_kind(event) == LEAT_ESTREAMER_NULL)
            (void)live_send(session, "event_data", "{'record_type':19}");
        result = LEAT_OK;
    }
    leat_session_free(session);
    return status < 0 ? status : LEAT_OK;
}

/*
 * Records wait, the session gave its memory back, and then each null lets one go: what finds no
 * memory stays, and goes with the next one.
 */
static int late_release(const leat_config *config, const void *arg)
{
    static const struct setting setting = {.bundle_records = 1, .no_keepalive = true};
    leat_session *session = make_set(config, &setting);
    struct t_bytes request =
        t_hex_file("estreamer/perl-sdk/events_01_client_event_stream_request.hex");
    struct t_bytes null = t_hex(NULL_HEX);
    const leat_event *event;
    size_t i, length, said = 0;
    int status = LEAT_E_NOMEM;

    (void)arg;
    if (session != NULL)
        status = leat_feed(session, request.data, request.length);
    if (status == LEAT_OK)
        status = leat_next(session, &event);
    for (i = 0; status == LEAT_OK && i < 4; i++)
        status = leat_estreamer_send_record(session, 9999, 5, "leat", 4);
    for (i = 0; status == LEAT_OK && i < 6; i++) {
        (void)leat_send_data(session, &length);
        said += length;
        ck_assert_int_eq(leat_send_done(session, length), LEAT_OK);
        leat_session_trim(session);
        ck_assert_uint_eq(leat_estreamer_waiting(session), 4 - said / (8 + 16 + 4));
        status = leat_feed(session, null.data, null.length);
        if (status == LEAT_OK)
            status = leat_next(session, &event);
    }
    if (status == LEAT_OK)
        ck_assert_uint_eq(leat_estreamer_waiting(session), 0);
    leat_session_free(session);
    t_free(request);
    t_free(null);
    return status;
}

START_TEST(without_memory)
{
    struct t_bytes octets = whole_session(true);

    t_every_alloc(conversation, &octets);
    t_every_alloc(late_release, NULL);
    t_free(octets);
}
END_TEST

static void tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, converses, 0, sizeof conversations / sizeof *conversations);
    tcase_add_test(tcase, requests_take_turns);
    tcase_add_test(tcase, is_probed);
    tcase_add_loop_test(tcase, keeps_to_its_window, 0, sizeof windows / sizeof *windows);
    tcase_add_loop_test(tcase, bundles_have_a_size, 0, sizeof sizes / sizeof *sizes);
    tcase_add_test(tcase, bundles_keep_to_the_limit_of_messages);
    tcase_add_test(tcase, commands_find_no_room);
    tcase_add_test(tcase, refusals_stay);
    tcase_add_test(tcase, bundles_have_a_count);
    tcase_add_test(tcase, trimmed);
    tcase_add_test(tcase, connections_have_an_id);
    tcase_add_loop_test(tcase, forms_records, 0, sizeof forms / sizeof *forms);
    tcase_add_loop_test(tcase, sends_octets, 0, 3);
    tcase_add_test(tcase, sends_octets_verbatim);
    tcase_add_loop_test(tcase, knows_what_is_wanted, 0, sizeof coverage / sizeof *coverage);
    tcase_add_loop_test(tcase, waiting_is_limited, 0, 2);
    tcase_add_test(tcase, options_are_checked);
    tcase_add_loop_test(tcase, says_why, 0, sizeof reasons / sizeof *reasons);
    tcase_add_test(tcase, options_of_other_versions);
    tcase_add_test(tcase, is_a_server);
    tcase_add_loop_test(tcase, chunking_is_invisible, 0, 2);
    tcase_add_test(tcase, without_memory);
}

T_MAIN("estreamer/server", tests)
