/* Every allocation can fail, and once a session is warm it needs none. */
#include "support.h"

#include <leat/estreamer.h>

static leat_session *make(const leat_config *config, const void *arg)
{
    leat_session *session = NULL;

    (void)arg;
    (void)leat_estreamer_codec_new(config, LEAT_FROM_ANY, &session);
    return session;
}

/* A host profile, with lists in lists; reversed addresses; a bundle of many records. */
static struct t_bytes stream(void)
{
    static const char *const files[] = {
        "estreamer/perl-sdk/host_03_server_multiple_host_data.hex",
        "estreamer/09_server_bundle_2_events.hex", "estreamer/05_client_streaming_request.hex",
        "estreamer/04_server_streaming_information.hex", "estreamer/17_server_error.hex"};
    struct t_bytes all =
        t_hex("0001 0004 00000040 00000021 00000038 00000003 c0000221 02005e100001 00 00 0000000b"
              "0000000c 000003e8 00000001 00000000 00000000 00000009 00000010 210200c0 506433c6"
              "0001 0004 00000012 00000004 0000000a 00000001 0005 68696768");
    size_t i;

    for (i = 0; i < sizeof files / sizeof *files; i++) {
        struct t_bytes one = t_hex_file(files[i]);

        t_append(&all, one.data, one.length);
        t_free(one);
    }
    return all;
}

START_TEST(reading_without_memory)
{
    struct t_bytes octets = stream();
    struct t_feed feed = {make, NULL, octets.data, octets.length};

    t_every_alloc(t_feed_scenario, &feed);
    t_free(octets);
}
END_TEST

/* Reads all and sends it again, a bundle included. */
static int repeat(const leat_config *config, const void *arg)
{
    const struct t_bytes *octets = (const struct t_bytes *)arg;
    leat_session *session = make(config, NULL), *other = make(config, NULL);
    const leat_event *event;
    int status = session == NULL || other == NULL ? LEAT_E_NOMEM : LEAT_OK;

    if (status == LEAT_OK)
        status = leat_feed(session, octets->data, octets->length);
    while (status == LEAT_OK) {
        status = leat_next(session, &event);
        if (status == LEAT_OK) {
            status = leat_send(other, leat_event_name(event, NULL), leat_event_value(event));
            /* A command that found no memory changed nothing, so it can be given again. */
            if (status == LEAT_E_NOMEM &&
                leat_send(other, leat_event_name(event, NULL), leat_event_value(event)) == LEAT_OK)
                status = LEAT_OK;
        }
    }
    leat_session_free(session);
    leat_session_free(other);
    return status == LEAT_MORE ? LEAT_OK : status;
}

START_TEST(writing_without_memory)
{
    struct t_bytes octets = stream();

    t_every_alloc(repeat, &octets);
    t_free(octets);
}
END_TEST

static int record_scenario(const leat_config *config, const void *arg)
{
    const struct t_bytes *octets = (const struct t_bytes *)arg;
    leat_builder *builder = NULL;
    leat_buffer *buffer = NULL;
    int status = leat_builder_new(config, &builder);

    if (status == LEAT_OK)
        status = leat_buffer_new(config, &buffer);
    if (status == LEAT_OK)
        status =
            leat_estreamer_record_read(builder, NULL, 71, octets->data + 16, octets->length - 16);
    if (status == LEAT_OK)
        status = leat_estreamer_record_write(buffer, 71, leat_builder_value(builder));
    leat_builder_free(builder);
    leat_buffer_free(buffer);
    return status;
}

START_TEST(records_without_memory)
{
    struct t_bytes octets = t_hex_file("estreamer/records/071_disc-s1-174.hex");

    t_every_alloc(record_scenario, &octets);
    t_free(octets);
}
END_TEST

/* Feeds in pieces, sends everything on, and drains what was sent. */
static void turn(leat_session *session, leat_session *other, const struct t_bytes *octets)
{
    const leat_event *event;
    size_t at = 0, waiting;

    while (at < octets->length) {
        size_t piece = octets->length - at < 700 ? octets->length - at : 700;

        ck_assert_int_eq(leat_feed(session, octets->data + at, piece), LEAT_OK);
        at += piece;
        while (leat_next(session, &event) == LEAT_OK)
            ck_assert_int_eq(
                leat_send(other, leat_event_name(event, NULL), leat_event_value(event)), LEAT_OK);
    }
    (void)leat_send_data(other, &waiting);
    ck_assert_uint_gt(waiting, octets->length / 2);
    ck_assert_int_eq(leat_send_done(other, waiting), LEAT_OK);
}

START_TEST(warm)
{
    struct t_bytes octets = stream();
    struct t_counter counter;
    leat_config config;
    leat_session *session, *other;
    size_t calls;
    int i;

    t_counter_init(&counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &counter.allocator;
    session = make(&config, NULL);
    other = make(&config, NULL);
    for (i = 0; i < 3; i++)
        turn(session, other, &octets);
    calls = counter.calls;
    for (i = 0; i < 100; i++)
        turn(session, other, &octets);
    ck_assert_uint_eq(counter.calls, calls);
    leat_session_free(session);
    leat_session_free(other);
    ck_assert_uint_eq(counter.now, 0);
    t_free(octets);
}
END_TEST

START_TEST(idle)
{
    struct t_counter counter;
    leat_config config;
    leat_session *session;

    t_counter_init(&counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &counter.allocator;
    session = make(&config, NULL);
    ck_assert_uint_le(counter.now, 1024);
    ck_assert_uint_eq(leat_session_memory(session), counter.now);
    leat_session_free(session);
}
END_TEST

/* A header that announces 16 MiB makes nothing grow before they come. */
START_TEST(announced)
{
    static const uint8_t header[] = {0, 1, 0, 4, 1, 0, 0, 0, 1, 2, 3};
    leat_session *session = make(NULL, NULL);
    const leat_event *event;

    ck_assert_int_eq(leat_feed(session, header, sizeof header), LEAT_OK);
    ck_assert_int_eq(leat_next(session, &event), LEAT_MORE);
    ck_assert_uint_lt(leat_session_memory(session), 64 << 10);
    leat_session_free(session);
}
END_TEST

static void tests(TCase *tcase)
{
    tcase_add_test(tcase, reading_without_memory);
    tcase_add_test(tcase, writing_without_memory);
    tcase_add_test(tcase, records_without_memory);
    tcase_add_test(tcase, warm);
    tcase_add_test(tcase, idle);
    tcase_add_test(tcase, announced);
}

T_MAIN("estreamer/memory", tests)
