/*
 * Recorded sessions of deployed clients, played again from both sides: our server gets what those
 * clients said, our client what the servers said, in turns, and each must say what was recorded.
 */
#include "live.h"

#include <stdio.h>

#define PERL "perl-sdk/"

static struct t_bytes file(const char *name)
{
    char path[200];

    (void)snprintf(path, sizeof path, "estreamer/%s.hex", name);
    return t_hex_file(path);
}

static void append_file(struct t_bytes *to, const char *name)
{
    struct t_bytes octets = file(name);

    t_append(to, octets.data, octets.length);
    t_free(octets);
}

static void check_octets(struct t_bytes got, struct t_bytes expected, const char *where)
{
    char *got_hex = t_to_hex(got.data, got.length);
    char *expected_hex = t_to_hex(expected.data, expected.length);

    ck_assert_msg(strcmp(got_hex, expected_hex) == 0, "%s:\n%s\ninstead of\n%s", where, got_hex,
                  expected_hex);
    free(got_hex);
    free(expected_hex);
}

/* Feeds at once or octet by octet; the events that were told, without bundles. */
static size_t hear(leat_session *session, const char *name, bool slowly)
{
    struct t_bytes octets = file(name);
    size_t step = slowly ? 1 : octets.length, at, events = 0;
    const leat_event *event;

    for (at = 0; at < octets.length; at += step) {
        int status;

        ck_assert_int_eq(leat_feed(session, octets.data + at, step), LEAT_OK);
        while ((status = leat_next(session, &event)) == LEAT_OK) {
            ck_assert_ptr_null(leat_event_error(event));
            ck_assert_ptr_nonnull(leat_event_value(event));
            events += leat_event_kind(event) != LEAT_ESTREAMER_MESSAGE_BUNDLE;
        }
        ck_assert_int_eq(status, LEAT_MORE);
    }
    t_free(octets);
    return events;
}

/* Our client: the server speaks only when the client has said what was recorded. */
struct turn {
    const char *server; /* NULL: the client speaks first */
    const char *client[2];
    size_t events; /* that the server's message tells */
};

static const struct session {
    uint32_t flags; /* 0: the default */
    const char *request;
    struct turn turns[10];
} sessions[] = {
    {0,
     NULL,
     {{NULL, {"03_client_event_stream_request", NULL}, 0},
      {"04_server_streaming_information", {"05_client_streaming_request", "06_client_null_ack"}, 1},
      {"07_server_bundle_1_metadata", {"08_client_null_ack", NULL}, 13},
      {"09_server_bundle_2_events", {"10_client_null_ack", NULL}, 4},
      {"11_server_null_keepalive", {"12_client_null_ack", NULL}, 1},
      {"13_server_event_data_file", {"14_client_null_ack", NULL}, 1},
      {"15_server_bundle_3_mixed", {"16_client_null_ack", NULL}, 5},
      {"17_server_error", {"18_client_null_ack", NULL}, 1}}},
    {UINT32_C(0x01f00004),
     NULL,
     {{NULL, {PERL "events_01_client_event_stream_request", NULL}, 0},
      {PERL "events_02_server_metadata_66", {PERL "events_03_client_null_ack", NULL}, 1},
      {PERL "events_04_server_intrusion_7", {PERL "events_05_client_null_ack", NULL}, 1},
      {PERL "events_06_server_new_host_10", {PERL "events_07_client_null_ack", NULL}, 1},
      {PERL "events_08_server_connection_71", {PERL "events_09_client_null_ack", NULL}, 1},
      {PERL "events_10_server_bit31_header", {PERL "events_11_client_null_ack", NULL}, 1},
      {PERL "events_12_server_login_95", {PERL "events_13_client_null_ack", NULL}, 1},
      {PERL "events_14_server_null", {PERL "events_15_client_null_ack", NULL}, 1}}},
    {UINT32_C(0x00100000),
     "{'data_type':5,'start_ip':'192.0.2.33','end_ip':'192.0.2.34'}",
     {{NULL,
       {PERL "host_01_client_event_stream_request", PERL "host_02_client_host_data_request"},
       0},
      {PERL "host_03_server_multiple_host_data", {PERL "host_04_client_null_ack", NULL}, 1},
      {PERL "host_05_server_multiple_host_data", {PERL "host_06_client_null_ack", NULL}, 1},
      {PERL "host_07_server_multiple_host_data_end",
       {PERL "host_08_client_null_after_end", NULL},
       1}}},
};

START_TEST(our_client)
{
    const struct session *recorded = &sessions[_i / 2];
    const struct turn *turn = recorded->turns;
    leat_estreamer_client_options options;
    leat_session *session;

    leat_estreamer_client_options_init(&options, sizeof options);
    options.endure_errors = 1;
    if (recorded->flags != 0)
        options.request_flags = recorded->flags;
    ck_assert_int_eq(leat_estreamer_client_new(NULL, &options, &session), LEAT_OK);
    if (recorded->request != NULL)
        ck_assert_int_eq(live_send(session, "host_data_request", recorded->request), LEAT_OK);
    for (; turn->client[0] != NULL; turn++) {
        struct t_bytes expected = t_copy("", 0), output;

        if (turn->server != NULL)
            ck_assert_uint_eq(hear(session, turn->server, _i % 2 != 0), turn->events);
        append_file(&expected, turn->client[0]);
        if (turn->client[1] != NULL)
            append_file(&expected, turn->client[1]);
        output = live_take(session);
        check_octets(output, expected, turn->client[0]);
        t_free(output);
        t_free(expected);
    }
    live_play(session, "end\ntold END\n");
    leat_session_free(session);
}
END_TEST

/* The connection that a deployed client opens first, only to see whether somebody answers. */
START_TEST(our_client_probes)
{
    leat_estreamer_client_options options;
    struct t_bytes expected = file("01_client_probe_event_stream_request"), output;
    leat_session *session;

    leat_estreamer_client_options_init(&options, sizeof options);
    options.initial_timestamp = LEAT_ESTREAMER_NOW;
    ck_assert_int_eq(leat_estreamer_client_new(NULL, &options, &session), LEAT_OK);
    output = live_take(session);
    check_octets(output, expected, "probe");
    ck_assert_uint_eq(hear(session, "02_server_probe_streaming_information", false), 1);
    ck_assert_int_eq(leat_estreamer_close(session, 0, NULL), LEAT_OK);
    live_play(session, "told END\n");
    t_free(output);
    t_free(expected);
    leat_session_free(session);
}
END_TEST

/* Our server. */

/* Repeats what a recorded server said, but for bundles, of which the records alone. */
static void repeat(leat_session *session, const char *name)
{
    struct t_bytes octets = file(name);
    const leat_event *event;
    leat_session *codec;

    ck_assert_int_eq(leat_estreamer_codec_new(NULL, LEAT_FROM_SERVER, &codec), LEAT_OK);
    ck_assert_int_eq(leat_feed(codec, octets.data, octets.length), LEAT_OK);
    while (leat_next(codec, &event) == LEAT_OK) {
        if (leat_event_kind(event) != LEAT_ESTREAMER_MESSAGE_BUNDLE)
            ck_assert_int_eq(
                leat_send(session, leat_event_name(event, NULL), leat_event_value(event)), LEAT_OK);
    }
    leat_session_free(codec);
    t_free(octets);
}

static leat_session *our_server(uint32_t verbatim)
{
    static const uint32_t services[] = {6667, 5000};
    leat_estreamer_server_options options;
    leat_session *session;

    leat_estreamer_server_options_init(&options, sizeof options);
    options.services = services;
    options.service_count = 2;
    options.connection_id = 42;
    options.verbatim = verbatim;
    ck_assert_int_eq(leat_estreamer_server_new(NULL, &options, &session), LEAT_OK);
    return session;
}

static void take_into(struct t_bytes *to, leat_session *session)
{
    struct t_bytes octets = live_take(session);

    t_append(to, octets.data, octets.length);
    t_free(octets);
}

/* A bundle of the recorded items from first on, so many of them, under another number. */
static void append_bundle(struct t_bytes *to, uint8_t number, const char *name, size_t first,
                          size_t count)
{
    struct t_bytes octets = file(name), items = t_copy("", 0), header;
    leat_session *codec;
    const leat_event *event;
    size_t at = 0;

    ck_assert_int_eq(leat_estreamer_codec_new(NULL, LEAT_FROM_SERVER, &codec), LEAT_OK);
    ck_assert_int_eq(leat_feed(codec, octets.data, octets.length), LEAT_OK);
    while (leat_next(codec, &event) == LEAT_OK) {
        size_t length;
        const uint8_t *raw = (const uint8_t *)leat_event_raw(event, &length);

        if (leat_event_kind(event) != LEAT_ESTREAMER_EVENT_DATA || at++ < first ||
            at > first + count)
            continue;
        t_append(&items, "\0\0\0\4", 4); /* the header of an item, not of a message */
        t_append(&items, raw + 4, length - 4);
    }
    leat_session_free(codec);
    t_free(octets);
    header = t_hex("0001 0fa2 00000000 0000002a 00000000");
    header.data[6] = (uint8_t)((items.length + 8) >> 8);
    header.data[7] = (uint8_t)(items.length + 8);
    header.data[15] = number;
    t_append(to, header.data, header.length);
    t_append(to, items.data, items.length);
    t_free(header);
    t_free(items);
}

/*
 * What differs from the recording, and why: the server of the recording put its first 13 records
 * into one bundle; ours sends the first of them at once, because the client allows it, and the
 * others follow in the next bundle. It sent one record outside of bundles, which ours never does in
 * an extended session. So the numbers of the bundles are others. All else is the same to the octet.
 */
START_TEST(our_server_for_encore)
{
    bool slowly = _i != 0;
    leat_session *session = our_server(0);
    struct t_bytes said = t_copy("", 0), expected = t_copy("", 0);

    ck_assert_uint_eq(hear(session, "03_client_event_stream_request", slowly), 1);
    ck_assert_int_eq(leat_estreamer_is_wanted(session, 400), 0);
    ck_assert_uint_eq(hear(session, "05_client_streaming_request", slowly), 1);
    ck_assert_int_eq(leat_estreamer_is_wanted(session, 400), 1);
    ck_assert_uint_eq(leat_estreamer_initial_timestamp(session), LEAT_ESTREAMER_OLDEST);
    repeat(session, "07_server_bundle_1_metadata");
    take_into(&said, session);
    ck_assert_uint_eq(hear(session, "06_client_null_ack", slowly), 1);
    ck_assert_uint_eq(leat_estreamer_waiting(session), 12);
    ck_assert_uint_eq(hear(session, "08_client_null_ack", slowly), 1);
    take_into(&said, session);
    repeat(session, "09_server_bundle_2_events");
    ck_assert_uint_eq(leat_estreamer_waiting(session), 4);
    ck_assert_uint_eq(hear(session, "10_client_null_ack", slowly), 1);
    take_into(&said, session);
    repeat(session, "11_server_null_keepalive");
    repeat(session, "13_server_event_data_file");
    ck_assert_uint_eq(hear(session, "12_client_null_ack", slowly), 1);
    ck_assert_uint_eq(hear(session, "14_client_null_ack", slowly), 1);
    take_into(&said, session);
    repeat(session, "15_server_bundle_3_mixed");
    ck_assert_uint_eq(hear(session, "16_client_null_ack", slowly), 1);
    ck_assert_uint_eq(leat_estreamer_waiting(session), 0);
    repeat(session, "17_server_error");
    take_into(&said, session);
    live_play(session, "told END\nwants close\n");

    append_file(&expected, "04_server_streaming_information");
    append_bundle(&expected, 1, "07_server_bundle_1_metadata", 0, 1);
    append_bundle(&expected, 2, "07_server_bundle_1_metadata", 1, 12);
    append_bundle(&expected, 3, "09_server_bundle_2_events", 0, 4);
    append_file(&expected, "11_server_null_keepalive");
    append_bundle(&expected, 4, "13_server_event_data_file", 0, 1);
    append_bundle(&expected, 5, "15_server_bundle_3_mixed", 0, 5);
    append_file(&expected, "17_server_error");
    check_octets(said, expected, "the server");
    t_free(said);
    t_free(expected);
    leat_session_free(session);
}
END_TEST

/*
 * The other client: records one by one, to the octet, as long as they are sent as they are given:
 * the recorded server sent one with the shorter header, and one with bit 31 set.
 */
START_TEST(our_server_for_events)
{
    const struct turn *turn = sessions[1].turns;
    leat_session *session = our_server(1);

    ck_assert_uint_eq(hear(session, turn->client[0], _i != 0), 1);
    ck_assert_int_eq(leat_estreamer_is_wanted(session, 207), 1);
    for (turn++; turn->server != NULL; turn++) {
        struct t_bytes expected = file(turn->server), output;

        repeat(session, turn->server);
        output = live_take(session);
        check_octets(output, expected, turn->server);
        t_free(output);
        t_free(expected);
        ck_assert_uint_eq(hear(session, turn->client[0], _i != 0), 1);
        live_said(session, "");
    }
    leat_session_free(session);
}
END_TEST

START_TEST(our_server_for_host_data)
{
    const struct turn *turn = sessions[2].turns;
    leat_session *session = our_server(0);

    ck_assert_uint_eq(hear(session, turn->client[0], _i != 0), 1);
    ck_assert_uint_eq(hear(session, turn->client[1], _i != 0), 1);
    for (turn++; turn->server != NULL; turn++) {
        struct t_bytes expected = file(turn->server), output;

        repeat(session, turn->server);
        output = live_take(session);
        check_octets(output, expected, turn->server);
        t_free(output);
        t_free(expected);
        ck_assert_uint_eq(hear(session, turn->client[0], _i != 0), 1);
        live_said(session, "");
    }
    ck_assert_int_eq(live_send(session, "multiple_host_data", NULL), LEAT_E_STATE);
    leat_session_free(session);
}
END_TEST

/* The probe: its answer, and an end without a word. */
START_TEST(our_server_for_a_probe)
{
    leat_session *session = our_server(0);
    struct t_bytes expected = file("02_server_probe_streaming_information"), output;

    ck_assert_uint_eq(hear(session, "01_client_probe_event_stream_request", _i != 0), 1);
    output = live_take(session);
    check_octets(output, expected, "the services");
    t_free(output);
    t_free(expected);
    live_play(session, "end\ntold END\nsaid\nwants close\n");
    ck_assert_ptr_null(leat_session_error(session));
    leat_session_free(session);
}
END_TEST

static void tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, our_client, 0, 2 * (int)(sizeof sessions / sizeof *sessions));
    tcase_add_test(tcase, our_client_probes);
    tcase_add_loop_test(tcase, our_server_for_encore, 0, 2);
    tcase_add_loop_test(tcase, our_server_for_events, 0, 2);
    tcase_add_loop_test(tcase, our_server_for_host_data, 0, 2);
    tcase_add_loop_test(tcase, our_server_for_a_probe, 0, 2);
}

T_MAIN("estreamer/replay", tests)
