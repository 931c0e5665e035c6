/*
 * Each limit, just under and just over; and that nothing is allocated because a header announces
 * it.
 */
#include "frames.h"

#include <stdio.h>

/*
 * What became of it: the kind of the last event, its error if it has one, the failure of the
 * session.
 */
struct outcome {
    uint32_t kind;
    size_t events;
    int error;
    uint64_t position;
    int status;
    uint64_t offset;
    char field[20];
    char value[200]; /* of the last event */
};

static struct outcome run(const leat_limits *limits, const struct t_bytes *bytes, size_t cut)
{
    struct outcome out;
    leat_config config;
    leat_session *session;
    const leat_event *event;
    size_t at = 0;
    int status = LEAT_MORE;

    memset(&out, 0, sizeof out);
    leat_config_init(&config, sizeof config);
    config.limits = limits;
    session = make_codec(&config, NULL);
    while (at < bytes->length && status == LEAT_MORE) {
        size_t piece = bytes->length - at < cut ? bytes->length - at : cut;

        ck_assert_int_eq(leat_feed(session, bytes->data + at, piece), LEAT_OK);
        at += piece;
        while ((status = leat_next(session, &event)) == LEAT_OK) {
            out.kind = leat_event_kind(event);
            out.error = leat_error_code(leat_event_error(event));
            out.position = leat_zabbix_position(session);
            (void)leat_value_json(leat_event_value(event), out.value, sizeof out.value);
            out.events++;
        }
    }
    out.status = status;
    out.offset = leat_error_offset(leat_session_error(session));
    (void)snprintf(out.field, sizeof out.field, "%s",
                   leat_error_field(leat_session_error(session)));
    leat_session_free(session);
    return out;
}

/* However it is cut. */
static struct outcome feed(const leat_limits *limits, const struct t_bytes *bytes)
{
    struct outcome whole = run(limits, bytes, bytes->length), other;
    size_t cuts[] = {1, 2, 3, 100, 1000}, i;

    for (i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        other = run(limits, bytes, cuts[i]);
        ck_assert_uint_eq(other.kind, whole.kind);
        ck_assert_uint_eq(other.events, whole.events);
        ck_assert_int_eq(other.error, whole.error);
        ck_assert_uint_eq(other.position, whole.position);
        ck_assert_int_eq(other.status, whole.status);
        ck_assert_uint_eq(other.offset, whole.offset);
        ck_assert_str_eq(other.value, whole.value);
    }
    return whole;
}

static struct outcome feed_text(const leat_limits *limits, uint8_t flags, const char *text)
{
    struct t_bytes bytes = frame_text(flags, text);
    struct outcome out = feed(limits, &bytes);

    t_free(bytes);
    return out;
}

/* Defaults of the specification: 1 GiB of each, told by the header alone. */
static const struct {
    uint8_t flags;
    uint64_t data_len;
    uint64_t reserved;
    int status;
    uint64_t at;
    const char *field;
} announced[] = {
    {0x01, 1073741824, 0, LEAT_MORE, 0, ""},
    {0x01, 1073741825, 0, LEAT_E_LIMIT, 5, "data_len"},
    {0x01, 4294967295, 0, LEAT_E_LIMIT, 5, "data_len"},
    {0x05, 1073741824, UINT64_MAX, LEAT_MORE, 0, ""},
    {0x05, 1073741825, 0, LEAT_E_LIMIT, 5, "data_len"},
    {0x05, UINT64_MAX, 0, LEAT_E_LIMIT, 5, "data_len"},
    {0x03, 1073741824, 1073741824, LEAT_MORE, 0, ""},
    {0x03, 10, 1073741825, LEAT_E_LIMIT, 9, "reserved"},
    {0x03, 1073741825, 1073741825, LEAT_E_LIMIT, 5, "data_len"},
    {0x07, 10, 1073741824, LEAT_MORE, 0, ""},
    {0x07, 10, 1073741825, LEAT_E_LIMIT, 13, "reserved"},
    {0x07, 10, UINT64_MAX, LEAT_E_LIMIT, 13, "reserved"},
};

START_TEST(announced_lengths)
{
    struct t_bytes bytes = {NULL, 0};
    struct outcome out;

    append_header(&bytes, announced[_i].flags, announced[_i].data_len, announced[_i].reserved);
    out = feed(NULL, &bytes);
    ck_assert_int_eq(out.status, announced[_i].status);
    ck_assert_uint_eq(out.offset, announced[_i].at);
    ck_assert_str_eq(out.field, announced[_i].field);
    t_free(bytes);
}
END_TEST

/* What is announced is not allocated: one piece of text, and what zlib wants. */
START_TEST(nothing_is_allocated_for_it)
{
    struct t_counter counter;
    leat_config config;
    struct t_bytes bytes = {NULL, 0};
    leat_session *session;
    const leat_event *event;

    t_counter_init(&counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &counter.allocator;
    append_header(&bytes, (uint8_t)(_i == 0 ? 0x05 : 0x07), 1073741824, 1073741824);
    t_append(&bytes, _i == 0 ? "{\"x\":\"" : "\x78\x9c", _i == 0 ? 6 : 2);
    session = make_codec(&config, NULL);
    ck_assert_uint_le(counter.most, 1024); /* an idle session */
    ck_assert_int_eq(leat_feed(session, bytes.data, bytes.length), LEAT_OK);
    ck_assert_int_eq(leat_next(session, &event), LEAT_MORE);
    ck_assert_uint_le(counter.most, _i == 0 ? 24 << 10 : 140 << 10);
    leat_session_free(session);
    ck_assert_uint_eq(counter.now, 0);
    t_free(bytes);
}
END_TEST

START_TEST(message_bytes)
{
    leat_limits limits;

    leat_limits_init(&limits, sizeof limits);
    limits.message_bytes = 20;
    ck_assert_uint_eq(feed_text(&limits, 1, "{\"response\":\"12345\"}").kind, LEAT_ZABBIX_RESPONSE);
    ck_assert_int_eq(feed_text(&limits, 1, "{\"response\":\"123456\"}").status, LEAT_E_LIMIT);
    limits.inflated_bytes = 20;
    limits.message_bytes = 100;
    ck_assert_uint_eq(feed_text(&limits, 3, "{\"response\":\"12345\"}").kind, LEAT_ZABBIX_RESPONSE);
    ck_assert_int_eq(feed_text(&limits, 3, "{\"response\":\"123456\"}").status, LEAT_E_LIMIT);
    ck_assert_uint_eq(feed_text(&limits, 1, "{\"response\":\"123456\"}").kind,
                      LEAT_ZABBIX_RESPONSE);
}
END_TEST

/*
 * row_bytes bounds a row, a member, the names and values of all members together, and a plain body.
 */
static const struct {
    const char *text;
    size_t events;
    int error;
    uint64_t position;
} rows[] = {
    {"{\"tasks\":[{\"x\":\"90123456789012\"}]}", 2, LEAT_OK, 0},
    {"{\"tasks\":[{\"x\":\"901234567890123\"}]}", 1, LEAT_E_LIMIT, 10},
    {"{\"tasks\":[\"1\",\"901234567890123456789\"]}", 2, LEAT_E_LIMIT, 14},
    {"{\"tasks\":[1234567890123456789012]}", 2, LEAT_OK, 0},
    {"{\"tasks\":[12345678901234567890123]}", 1, LEAT_E_LIMIT, 10},
    {"{\"tasks\":[       {\"x\":\"90123456789012\"}      ]}", 2, LEAT_OK, 0},
    {"{\"x\":\"6789012345678901234\"}", 1, LEAT_OK, 0},
    {"{\"x\":\"67890123456789012345\"}", 1, LEAT_E_LIMIT, 5},
    {"{\"x\":\"678901234567890123456\"}", 1, LEAT_E_LIMIT, 5},
    {"{\"x\":\"6789012345\",\"y\":\"678901\"}", 1, LEAT_OK, 0},
    {"{\"x\":\"6789012345\",\"y\":\"6789012\"}", 1, LEAT_E_LIMIT, 22},
    {"{\"t\":{\"z\":\"123456789012345678\"}}", 1, LEAT_OK, 0},
    {"{\"t\":{\"z\":\"1234567890123456789\"}}", 1, LEAT_E_LIMIT, 10},
    {"{\"twenty octets long..\":[]}", 1, LEAT_OK, 0},
    {"{\"twenty-two octets long\":0}", 1, LEAT_E_LIMIT, 1},
    {"{\"auto registration\":[],\"tasks\":[]}", 1, LEAT_OK, 0},
    {"{\"auto registration\":[],\"tasks\":[],\"x\":0}", 1, LEAT_E_LIMIT, 39},
    {"{\"interface availability\":[]}", 1, LEAT_E_LIMIT, 1},
    {"plain text of 22 chars", 1, LEAT_OK, 0},
    {"plain text of 23 chars.", 1, LEAT_E_LIMIT, 0},
};

START_TEST(row_bytes)
{
    leat_limits limits;
    int i;

    leat_limits_init(&limits, sizeof limits);
    limits.row_bytes = 22;
    for (i = 1; i <= 3; i += 2) {
        struct outcome out = feed_text(&limits, (uint8_t)i, rows[_i].text);

        ck_assert_int_eq(out.status, LEAT_MORE);
        ck_assert_uint_eq(out.events, rows[_i].events);
        ck_assert_int_eq(out.error, rows[_i].error);
        ck_assert_uint_eq(out.position, rows[_i].position);
    }
}
END_TEST

/* A row that never ends is refused when it is over the limit, not when the message ends. */
START_TEST(row_without_end)
{
    struct t_bytes text = t_copy("{\"tasks\":[\"", 11), bytes = {NULL, 0};
    leat_limits limits;
    struct outcome out;
    size_t i;

    leat_limits_init(&limits, sizeof limits);
    limits.row_bytes = 1000;
    for (i = 0; i < 200000; i++)
        t_append(&text, "x", 1);
    append_header(&bytes, 1, 1 << 30, 0);
    t_append(&bytes, text.data, text.length);
    out = run(&limits, &bytes, 10000);
    ck_assert_uint_eq(out.events, 1);
    ck_assert_int_eq(out.error, LEAT_E_LIMIT);
    ck_assert_uint_eq(out.position, 10);
    t_free(text);
    t_free(bytes);
}
END_TEST

START_TEST(values)
{
    leat_limits limits;
    struct outcome out;

    leat_limits_init(&limits, sizeof limits);
    limits.values = 4;
    out = feed_text(&limits, 1, "{\"tasks\":[[1,2,3]]}");
    ck_assert_uint_eq(out.events, 2);
    ck_assert_int_eq(out.error, LEAT_OK);
    out = feed_text(&limits, 1, "{\"tasks\":[[1,2,3,4]]}");
    ck_assert_uint_eq(out.events, 1);
    ck_assert_int_eq(out.error, LEAT_E_LIMIT);
    out = feed_text(&limits, 3, "{\"a\":1,\"b\":2,\"c\":3}");
    ck_assert_int_eq(out.error, LEAT_OK);
    out = feed_text(&limits, 3, "{\"a\":1,\"b\":2,\"c\":3,\"d\":4}");
    ck_assert_int_eq(out.error, LEAT_E_LIMIT);
    ck_assert_uint_eq(out.events, 1);
    limits.values = 3;
    out = feed_text(&limits, 1, "{\"t\":{\"data\":[1]}}"); /* {"t":{"rows":1}} */
    ck_assert_int_eq(out.error, LEAT_OK);
    ck_assert_str_eq(out.value, "{\"t\":{\"rows\":1}}");
    limits.values = 2;
    ck_assert_int_eq(feed_text(&limits, 1, "{\"t\":{\"data\":[1]}}").error, LEAT_E_LIMIT);
    ck_assert_int_eq(feed_text(&limits, 1, "plain").error, LEAT_OK);
    ck_assert_int_eq(feed_text(&limits, 1, "").error, LEAT_OK);
    limits.values = 1;
    ck_assert_int_eq(feed_text(&limits, 1, "plain").error, LEAT_E_LIMIT);
}
END_TEST

/* Nesting counts from the message's own object. */
static const struct {
    const char *text;
    int error;
} nested[] = {
    {"{\"a\":[[1]]}", LEAT_OK},
    {"{\"a\":[[[1]]]}", LEAT_E_LIMIT},
    {"{\"a\":{\"b\":{}}}", LEAT_OK},
    {"{\"a\":{\"b\":{\"c\":{}}}}", LEAT_E_LIMIT},
    {"{\"tasks\":[{}]}", LEAT_OK},
    {"{\"tasks\":[{\"a\":[]}]}", LEAT_E_LIMIT},
    {"{\"t\":{\"data\":[1]}}", LEAT_OK},
    {"{\"t\":{\"data\":[[1]]}}", LEAT_E_LIMIT},
    {"{\"data\":{\"t\":{\"n\":1}}}", LEAT_OK},
    {"{\"data\":{\"t\":{\"data\":[1]}}}", LEAT_E_LIMIT},
};

START_TEST(depth)
{
    leat_limits limits;

    leat_limits_init(&limits, sizeof limits);
    limits.depth = 3;
    ck_assert_int_eq(feed_text(&limits, 1, nested[_i].text).error, nested[_i].error);
    ck_assert_int_eq(feed_text(&limits, 7, nested[_i].text).error, nested[_i].error);
}
END_TEST

START_TEST(depth_by_default)
{
    char text[300] = "{\"a\":";
    size_t levels = _i == 0 ? 63 : 64, i;

    for (i = 0; i < levels; i++)
        (void)strcat(text, "[");
    for (i = 0; i < levels; i++)
        (void)strcat(text, "]");
    (void)strcat(text, "}");
    ck_assert_int_eq(feed_text(NULL, 1, text).error, _i == 0 ? LEAT_OK : LEAT_E_LIMIT);
}
END_TEST

/* ---- output ---- */

START_TEST(queued_bytes)
{
    static const char text[] = "{\"response\":\"12345\"}"; /* 20, and 13 of the header */
    leat_builder *builder = t_json(text, sizeof text - 1);
    leat_config config;
    leat_limits limits;
    leat_session *session;
    size_t length;

    leat_limits_init(&limits, sizeof limits);
    leat_config_init(&config, sizeof config);
    limits.queued_bytes = _i == 0 ? 33 : 32;
    config.limits = &limits;
    session = make_codec(&config, NULL);
    ck_assert_int_eq(leat_send(session, "response", leat_builder_value(builder)),
                     _i == 0 ? LEAT_OK : LEAT_E_LIMIT);
    (void)leat_send_data(session, &length);
    ck_assert_uint_eq(length, _i == 0 ? 33 : 0);
    if (_i == 0) {
        ck_assert_int_eq(leat_send(session, "response", leat_builder_value(builder)), LEAT_E_LIMIT);
        ck_assert_int_eq(leat_error_code(leat_session_send_error(session)), LEAT_E_LIMIT);
        (void)leat_send_data(session, &length);
        ck_assert_uint_eq(length, 33);
        ck_assert_int_eq(leat_send_done(session, 33), LEAT_OK);
        ck_assert_int_eq(leat_send(session, "response", leat_builder_value(builder)), LEAT_OK);
    }
    leat_session_free(session);
    leat_builder_free(builder);
}
END_TEST

/*
 * A message that meets the limit while it is written is taken back, and what waits before it stays.
 */
START_TEST(full_while_writing)
{
    leat_zabbix_history row;
    leat_config config;
    leat_limits limits;
    leat_session *session;
    char noise[1000];
    uint32_t random = 1;
    size_t length, i, j;
    int status = LEAT_OK;

    leat_limits_init(&limits, sizeof limits);
    leat_config_init(&config, sizeof config);
    limits.queued_bytes = 100000;
    config.limits = &limits;
    session = make_codec(&config, NULL);
    ck_assert_int_eq(leat_zabbix_compress(session, _i), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_begin(session), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_text(session, "response", "success", 7), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_end(session), LEAT_OK);
    (void)leat_send_data(session, &length);
    ck_assert_int_eq(leat_zabbix_begin(session), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_section(session, "history data"), LEAT_OK);
    leat_zabbix_history_init(&row, sizeof row);
    row.has = LEAT_ZABBIX_HAS_VALUE;
    row.value = noise;
    row.value_length = sizeof noise;
    for (i = 0; i < 1000 && status == LEAT_OK; i++) {
        for (j = 0; j < sizeof noise; j++) {
            random = random * 1103515245u + 12345u;
            noise[j] = (char)(' ' + 3 + random / 65536 % 80);
        }
        status = leat_zabbix_history_write(session, &row);
    }
    ck_assert_int_eq(status, LEAT_E_LIMIT);
    ck_assert_int_eq(leat_error_code(leat_session_send_error(session)), LEAT_E_LIMIT);
    ck_assert_uint_gt(i, 90);
    (void)leat_send_data(session, &j);
    ck_assert_uint_eq(j, length);
    ck_assert_int_eq(leat_zabbix_history_write(session, &row), LEAT_E_STATE);
    ck_assert_int_eq(leat_zabbix_end(session), LEAT_E_STATE);
    ck_assert_int_eq(leat_zabbix_begin(session), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_end(session), LEAT_OK);
    leat_session_free(session);
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_loop_test(tc, announced_lengths, 0, sizeof announced / sizeof *announced);
    tcase_add_loop_test(tc, nothing_is_allocated_for_it, 0, 2);
    tcase_add_test(tc, message_bytes);
    tcase_add_loop_test(tc, row_bytes, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tc, row_without_end);
    tcase_add_test(tc, values);
    tcase_add_loop_test(tc, depth, 0, sizeof nested / sizeof *nested);
    tcase_add_loop_test(tc, depth_by_default, 0, 2);
    tcase_add_loop_test(tc, queued_bytes, 0, 2);
    tcase_add_loop_test(tc, full_while_writing, 0, 2);
}

T_MAIN("zabbix/limits", tests)
