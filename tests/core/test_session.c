/*
 * What every session does, shown on a toy dialect: a message is one octet that counts what
 * follows, and what follows. A message of 0xff octets is refused as a frame; one that begins
 * with '!' cannot be decoded.
 */
#include "support.h"

#include "session.h"

struct toy {
    leat_session base;
    uint64_t ticked;
};

static int toy_next(leat_session *session)
{
    struct lt_reader in = lt_unread(session);
    const uint8_t *start = in.at;
    leat_event *event;
    size_t length;

    if (lt_left(&in) < 1)
        return lt_need(session, 1);
    length = lt_u8(&in);
    if (length == 0xff)
        return lt_fail(session, LEAT_E_FRAME, 0, "255", "length");
    if (lt_left(&in) < length)
        return lt_need(session, 1 + length);
    event = lt_event(session, 1, "toy", start, 1 + length, session->consumed);
    lt_hold(session, 1 + length);
    if (length > 0 && start[1] == '!') {
        (void)lt_error(&event->error, LEAT_E_SYNTAX, session->consumed + 1, "a shout", "text");
        return LEAT_OK;
    }
    if (lt_tree_reserve(&session->tree, 1) != LEAT_OK)
        return lt_fail(session, LEAT_E_NOMEM, 0, "out of memory", NULL);
    lt_tree_bytes(&session->tree, LEAT_TEXT, LT_NO_NAME, start + 1, length);
    event->value = session->tree.cells;
    return LEAT_OK;
}

static int toy_send(leat_session *session, const char *name, const leat_value *value)
{
    size_t length;
    const char *text = leat_value_text(value, &length);

    if (strcmp(name, "toy") != 0)
        return lt_refuse(session, LEAT_E_STATE, 0, "no such message", NULL);
    if (length > 0xfe)
        return lt_refuse(session, LEAT_E_VALUE, 0, "too long", "text");
    lt_put_u8(&session->out, (uint8_t)length);
    lt_put_bytes(&session->out, text, length);
    return LEAT_OK;
}

static void toy_tick(leat_session *session)
{
    ((struct toy *)session)->ticked = session->now_ms;
}

static uint64_t toy_deadline(const leat_session *session)
{
    return session->now_ms + 10;
}

static const struct lt_dialect toy = {.bytes = sizeof(struct toy),
                                      .next = toy_next,
                                      .send = toy_send,
                                      .tick = toy_tick,
                                      .deadline = toy_deadline};

static const leat_limits defaults = {
    .size = sizeof defaults, .values = 100, .depth = 10, .queued_bytes = 300};

static leat_session *make(const leat_config *config, const void *arg)
{
    leat_session *session = NULL;

    (void)arg;
    (void)lt_session_new(&toy, config, &defaults, &session);
    return session;
}

static const struct {
    const char *name;
    const char *hex;
    int status;
    uint64_t at;
} streams[] = {
    {"nothing", "", LEAT_END, 0},
    {"one message", "03 616263", LEAT_END, 0},
    {"empty messages", "00 00 00", LEAT_END, 0},
    {"several", "01 61 02 6262 00 03 636363", LEAT_END, 0},
    {"one that cannot be decoded", "01 61 02 2161 01 62", LEAT_END, 0},
    {"a broken frame", "01 61 ff 616161", LEAT_E_FRAME, 2},
    {"a broken frame at once", "ff", LEAT_E_FRAME, 0},
    {"cut", "01 61 03 6162", LEAT_E_END, 5},
    {"cut behind the count", "05", LEAT_E_END, 1},
};

START_TEST(chunks_are_invisible)
{
    struct t_bytes b = t_hex(streams[_i].hex);

    t_every_split_gives(make, NULL, b.data, b.length, streams[_i].status, streams[_i].at);
    t_free(b);
}
END_TEST

START_TEST(events_tell_all)
{
    leat_session *s = make(NULL, NULL);
    const leat_event *event;
    size_t length;

    ck_assert_int_eq(leat_feed(s,
                               "\x01"
                               "a"
                               "\x02"
                               "!?",
                               5),
                     LEAT_OK);
    ck_assert_int_eq(leat_next(s, &event), LEAT_OK);
    ck_assert_uint_eq(leat_event_kind(event), 1);
    ck_assert_str_eq(leat_event_name(event, NULL), "toy");
    ck_assert_str_eq(leat_event_name(event, &length), "toy");
    ck_assert_uint_eq(length, 3);
    ck_assert_uint_eq(leat_event_offset(event), 0);
    ck_assert_mem_eq(leat_event_raw(event, &length),
                     "\x01"
                     "a",
                     2);
    ck_assert_uint_eq(length, 2);
    ck_assert_ptr_null(leat_event_error(event));
    ck_assert_mem_eq(leat_value_text(leat_event_value(event), NULL), "a", 1);
    ck_assert_int_eq(leat_next(s, &event), LEAT_OK);
    ck_assert_uint_eq(leat_event_offset(event), 2);
    ck_assert_ptr_null(leat_event_value(event));
    ck_assert_int_eq(leat_error_code(leat_event_error(event)), LEAT_E_SYNTAX);
    ck_assert_uint_eq(leat_error_offset(leat_event_error(event)), 3);
    ck_assert_str_eq(leat_error_field(leat_event_error(event)), "text");
    ck_assert_int_eq(leat_next(s, &event), LEAT_MORE);
    ck_assert_ptr_null(leat_session_error(s));
    leat_session_free(s);

    ck_assert_uint_eq(leat_event_kind(NULL), 0);
    ck_assert_str_eq(leat_event_name(NULL, NULL), "");
    ck_assert_ptr_null(leat_event_value(NULL));
    ck_assert_ptr_null(leat_event_raw(NULL, &length));
    ck_assert_uint_eq(leat_event_offset(NULL), 0);
    ck_assert_ptr_null(leat_event_error(NULL));
    leat_session_free(NULL);
}
END_TEST

START_TEST(a_failure_is_final)
{
    leat_session *s = make(NULL, NULL);
    const leat_event *event;
    size_t length;

    ck_assert_int_eq(leat_feed(s, "\xff", 1), LEAT_OK);
    ck_assert_int_eq(leat_next(s, &event), LEAT_E_FRAME);
    ck_assert_int_eq(leat_next(s, &event), LEAT_E_FRAME);
    ck_assert_int_eq(leat_feed(s, "\x00", 1), LEAT_E_FRAME);
    ck_assert_int_eq(leat_recv_eof(s), LEAT_E_FRAME);
    ck_assert_ptr_null(leat_recv_space(s, &length));
    ck_assert_uint_eq(length, 0);
    ck_assert_str_eq(leat_error_field(leat_session_error(s)), "length");
    ck_assert_int_eq(leat_send(s, "toy", NULL), LEAT_E_STATE);
    ck_assert_int_eq(leat_error_code(leat_session_send_error(s)), LEAT_E_STATE);
    ck_assert_uint_eq(leat_wants(s), LEAT_WANT_CLOSE);
    leat_session_free(s);
}
END_TEST

START_TEST(the_end_is_an_input)
{
    leat_session *s = make(NULL, NULL);
    const leat_event *event;
    size_t length;

    ck_assert_int_eq(leat_feed(s,
                               "\x01"
                               "a",
                               2),
                     LEAT_OK);
    ck_assert_uint_eq(leat_wants(s), LEAT_WANT_READ);
    ck_assert_int_eq(leat_recv_eof(s), LEAT_OK);
    ck_assert_uint_eq(leat_wants(s), 0);
    ck_assert_int_eq(leat_feed(s, "x", 1), LEAT_E_STATE);
    ck_assert_ptr_null(leat_recv_space(s, &length));
    ck_assert_int_eq(leat_next(s, &event), LEAT_OK);
    ck_assert_int_eq(leat_next(s, &event), LEAT_END);
    ck_assert_int_eq(leat_next(s, &event), LEAT_END);
    ck_assert_uint_eq(leat_wants(s), LEAT_WANT_CLOSE);
    leat_session_free(s);
}
END_TEST

/*
 * Reads straight into the window, in pieces of every size, and sees the same as with
 * leat_feed().
 */
START_TEST(space_is_lent)
{
    struct t_bytes b = t_copy("", 0);
    size_t i, at, piece, seen;

    for (i = 0; i < 3000; i++) {
        uint8_t length = (uint8_t)(i % 200);
        uint8_t body[200];

        memset(body, 'a' + (int)(i % 20), sizeof body);
        t_append(&b, &length, 1);
        t_append(&b, body, length);
    }
    for (piece = 1; piece < 200000; piece = piece * 3 + 1) {
        leat_session *s = make(NULL, NULL);
        const leat_event *event;

        for (at = 0, seen = 0; at < b.length;) {
            size_t room, count;
            void *space = leat_recv_space(s, &room);

            ck_assert_ptr_nonnull(space);
            count = b.length - at < piece ? b.length - at : piece;
            count = room < count ? room : count;
            memcpy(space, b.data + at, count);
            ck_assert_int_eq(leat_recv_done(s, room + 1), LEAT_E_STATE);
            ck_assert_int_eq(leat_recv_done(s, count), LEAT_OK);
            ck_assert_int_eq(leat_recv_done(s, 1), LEAT_E_STATE);
            at += count;
            while (leat_next(s, &event) == LEAT_OK) {
                size_t length;
                const char *text = leat_value_text(leat_event_value(event), &length);

                ck_assert_uint_eq(length, seen % 200);
                if (length > 0)
                    ck_assert_int_eq(text[length - 1], 'a' + (int)(seen % 20));
                seen++;
            }
        }
        ck_assert_uint_eq(seen, 3000);
        leat_session_free(s);
    }
    t_free(b);
}
END_TEST

START_TEST(loans_outlast_sending)
{
    leat_session *s = make(NULL, NULL);
    const leat_event *event;
    const leat_value *value;
    size_t length;

    ck_assert_int_eq(leat_feed(s,
                               "\x03"
                               "abc",
                               4),
                     LEAT_OK);
    ck_assert_int_eq(leat_next(s, &event), LEAT_OK);
    value = leat_event_value(event);
    ck_assert_int_eq(leat_send(s, leat_event_name(event, NULL), value), LEAT_OK);
    (void)leat_send_data(s, &length);
    ck_assert_int_eq(leat_send_done(s, 1), LEAT_OK);
    leat_tick(s, 5);
    ck_assert_mem_eq(leat_value_text(value, &length), "abc", 3);
    leat_session_free(s);
}
END_TEST

START_TEST(output_waits_for_its_reader)
{
    leat_session *s = make(NULL, NULL);
    leat_builder *b = t_json("\"0123456789\"", 12);
    const leat_value *value = leat_builder_value(b);
    const char *data;
    size_t length, total = 0;
    int i;

    ck_assert_ptr_null(leat_send_data(s, &length));
    ck_assert_uint_eq(length, 0);
    ck_assert_int_eq(leat_send_done(s, 1), LEAT_E_STATE);
    for (i = 0; i < 500; i++) {
        ck_assert_int_eq(leat_send(s, "toy", value), LEAT_OK);
        ck_assert_uint_eq(leat_wants(s), LEAT_WANT_READ | LEAT_WANT_WRITE);
        data = (const char *)leat_send_data(s, &length);
        if (length > 200) { /* a short write, then the rest later */
            ck_assert_int_eq(data[0], (int)("\x0a"
                                            "0123456789"[total % 11]));
            ck_assert_int_eq(leat_send_done(s, 107), LEAT_OK);
            total += 107;
        }
    }
    data = (const char *)leat_send_data(s, &length);
    ck_assert_uint_eq(total + length, 500 * 11);
    ck_assert_mem_eq(data,
                     &"\x0a"
                      "0123456789"[total % 11],
                     11 - total % 11);
    ck_assert_int_eq(leat_send_done(s, length), LEAT_OK);
    ck_assert_ptr_null(leat_send_data(s, &length));
    leat_session_free(s);
    leat_builder_free(b);
}
END_TEST

START_TEST(output_has_a_limit)
{
    leat_session *s = make(NULL, NULL);
    leat_builder *b =
        t_json("\"123456789 123456789 123456789 123456789 123456789 123456789 123456789"
               " 1234567\"",
               79);
    const leat_value *value = leat_builder_value(b);
    size_t length;

    ck_assert_int_eq(leat_send(s, "toy", value), LEAT_OK); /* 78 octets each, 300 allowed */
    ck_assert_int_eq(leat_send(s, "toy", value), LEAT_OK);
    ck_assert_int_eq(leat_send(s, "toy", value), LEAT_OK);
    ck_assert_int_eq(leat_send(s, "toy", value), LEAT_E_LIMIT);
    ck_assert_int_eq(leat_error_code(leat_session_send_error(s)), LEAT_E_LIMIT);
    (void)leat_send_data(s, &length);
    ck_assert_uint_eq(length, 234);
    ck_assert_int_eq(leat_send_done(s, 11), LEAT_OK);
    ck_assert_int_eq(leat_send(s, "toy", value), LEAT_E_LIMIT); /* 301 */
    ck_assert_int_eq(leat_send_done(s, 1), LEAT_OK);
    ck_assert_int_eq(leat_send(s, "toy", value), LEAT_OK); /* 300 */
    ck_assert_ptr_null(leat_session_send_error(s));
    leat_session_free(s);
    leat_builder_free(b);
}
END_TEST

START_TEST(a_refusal_writes_nothing)
{
    leat_session *s = make(NULL, NULL);
    leat_builder *b;
    char text[300];
    size_t length;

    ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
    memset(text, 'x', sizeof text);
    leat_builder_text(b, NULL, text, 255);
    ck_assert_int_eq(leat_send(s, "toy", leat_builder_value(b)), LEAT_E_VALUE);
    ck_assert_str_eq(leat_error_field(leat_session_send_error(s)), "text");
    ck_assert_int_eq(leat_send(s, "yot", NULL), LEAT_E_STATE);
    ck_assert_ptr_null(leat_send_data(s, &length));
    ck_assert_ptr_null(leat_session_error(s)); /* the session is as before */
    leat_builder_clear(b);
    leat_builder_text(b, NULL, text, 254);
    ck_assert_int_eq(leat_send(s, "toy", leat_builder_value(b)), LEAT_OK);
    ck_assert_ptr_null(leat_session_send_error(s));
    leat_session_free(s);
    leat_builder_free(b);
}
END_TEST

START_TEST(time_goes_on)
{
    leat_session *s = make(NULL, NULL);
    struct toy *inside = (struct toy *)s;

    leat_tick(s, 1000);
    ck_assert_uint_eq(inside->ticked, 1000);
    ck_assert_uint_eq(leat_deadline(s), 1010);
    leat_tick(s, 999); /* never back */
    ck_assert_uint_eq(inside->ticked, 1000);
    leat_session_free(s);
}
END_TEST

static int pair_scenario(const leat_config *config, const void *arg)
{
    leat_session *a = make(config, arg), *b = make(config, arg);
    leat_builder *text = t_json("\"some text that needs a little room\"", 36);
    const leat_event *event;
    const void *data;
    size_t length;
    int status = a == NULL || b == NULL ? LEAT_E_NOMEM : LEAT_OK, i;

    for (i = 0; i < 8 && status == LEAT_OK; i++)
        status = leat_send(a, "toy", leat_builder_value(text));
    if (status == LEAT_OK) {
        data = leat_send_data(a, &length);
        status = leat_feed(b, data, length);
    }
    if (status == LEAT_OK) {
        while ((status = leat_next(b, &event)) == LEAT_OK)
            ck_assert_uint_eq(leat_event_kind(event), 1);
    }
    leat_session_free(a);
    leat_session_free(b);
    leat_builder_free(text);
    return status < 0 ? status : LEAT_OK;
}

START_TEST(keeps_a_pointer_of_the_caller)
{
    leat_session *s = make(NULL, NULL);
    int mine;

    ck_assert_ptr_null(leat_session_user(s));
    leat_session_set_user(s, &mine);
    leat_session_trim(s);
    ck_assert_ptr_eq(leat_session_user(s), &mine);
    leat_session_free(s);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    t_every_alloc(pair_scenario, NULL);
}
END_TEST

static void *no_memory(void *ctx, void *block, size_t old_bytes, size_t new_bytes)
{
    size_t *left = (size_t *)ctx;

    (void)old_bytes;
    if (new_bytes == 0) {
        free(block);
        return NULL;
    }
    return *left == 0 ? NULL : (--*left, realloc(block, new_bytes));
}

START_TEST(no_memory_for_space_ends_the_session)
{
    size_t left = 1, length;
    leat_allocator allocator = {no_memory, &left};
    const leat_event *event;
    leat_config config;
    leat_session *s;

    leat_config_init(&config, sizeof config);
    config.allocator = &allocator;
    s = make(&config, NULL);
    ck_assert_ptr_nonnull(s);
    ck_assert_int_eq(leat_feed(s, "a", 1),
                     LEAT_E_NOMEM); /* nothing was taken: may be tried again */
    ck_assert_ptr_null(leat_recv_space(s, &length));
    ck_assert_int_eq(leat_next(s, &event), LEAT_E_NOMEM);
    leat_session_free(s);
}
END_TEST

START_TEST(memory_settles_and_can_be_given_back)
{
    struct t_counter counter;
    const leat_event *event;
    leat_config config;
    leat_session *s;
    size_t calls = 0, idle;
    int i;

    t_counter_init(&counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &counter.allocator;
    s = make(&config, NULL);
    idle = counter.now;
    ck_assert_uint_le(idle, 1024);
    for (i = 0; i < 100000; i++) {
        ck_assert_int_eq(leat_feed(s,
                                   "\x03"
                                   "abc\x02"
                                   "de\x05",
                                   8),
                         LEAT_OK);
        while (leat_next(s, &event) == LEAT_OK)
            continue;
        ck_assert_int_eq(leat_feed(s, "hello", 5), LEAT_OK);
        if (i == 10)
            calls = counter.calls;
    }
    ck_assert_uint_eq(counter.calls, calls);
    ck_assert_uint_eq(leat_session_memory(s), counter.now);
    while (leat_next(s, &event) == LEAT_OK)
        continue;
    leat_session_trim(s);
    ck_assert_uint_eq(counter.now, idle);
    ck_assert_uint_eq(leat_session_memory(s), idle);
    ck_assert_int_eq(leat_feed(s,
                               "\x01"
                               "a",
                               2),
                     LEAT_OK);
    ck_assert_int_eq(leat_next(s, &event), LEAT_OK);
    ck_assert_uint_eq(leat_event_offset(event), 1300000);
    leat_session_free(s);
    ck_assert_uint_eq(counter.now, 0);
}
END_TEST

START_TEST(space_is_lent_after_trimming)
{
    leat_session *s = make(NULL, NULL);
    const leat_event *event;
    size_t room, i;
    uint8_t *space = (uint8_t *)leat_recv_space(s, &room);

    /* The window is filled by whole messages, all are drawn, and then it is given back. */
    ck_assert_uint_eq(room % 2, 0);
    for (i = 0; i < room; i += 2)
        memcpy(space + i,
               "\x01"
               "a",
               2);
    ck_assert_int_eq(leat_recv_done(s, room), LEAT_OK);
    while (leat_next(s, &event) == LEAT_OK)
        continue;
    leat_session_trim(s);
    ck_assert_ptr_nonnull(leat_recv_space(s, &room));
    ck_assert_uint_gt(room, 0);
    leat_session_free(s);
}
END_TEST

START_TEST(feeding_ends_the_loan_of_space)
{
    leat_session *s = make(NULL, NULL);
    const leat_event *event;
    size_t room;

    ck_assert_int_eq(leat_feed(s, "\x05", 1), LEAT_OK);
    ck_assert_int_eq(leat_next(s, &event), LEAT_MORE);
    ck_assert_ptr_nonnull(leat_recv_space(s, &room));
    ck_assert_int_eq(leat_feed(s, "a", 1), LEAT_OK);
    ck_assert_int_eq(leat_recv_done(s, 1), LEAT_E_STATE);
    ck_assert_ptr_nonnull(leat_recv_space(s, &room));
    ck_assert_int_eq(leat_feed(s, "bc", 2), LEAT_OK);
    ck_assert_int_eq(leat_recv_done(s, 1), LEAT_E_STATE);
    ck_assert_ptr_nonnull(leat_recv_space(s, &room));
    leat_session_trim(s);
    ck_assert_int_eq(leat_recv_done(s, 1), LEAT_E_STATE);
    leat_session_free(s);
}
END_TEST

START_TEST(trimming_gives_output_back)
{
    leat_session *s = make(NULL, NULL);
    leat_builder *b = t_json("\"0123456789\"", 12);
    size_t idle = leat_session_memory(s), length;

    ck_assert_int_eq(leat_send(s, "toy", leat_builder_value(b)), LEAT_OK);
    ck_assert_int_eq(leat_send(s, "toy", leat_builder_value(b)), LEAT_OK);
    leat_session_trim(s);
    (void)leat_send_data(s, &length);
    ck_assert_uint_eq(length, 22); /* what waits stays */
    ck_assert_int_eq(leat_send_done(s, 22), LEAT_OK);
    leat_session_trim(s);
    ck_assert_uint_eq(leat_session_memory(s), idle);
    leat_session_free(s);
    leat_builder_free(b);
}
END_TEST

START_TEST(an_announced_length_allocates_nothing)
{
    struct t_counter counter;
    const leat_event *event;
    leat_config config;
    leat_session *s;
    size_t length, before;

    t_counter_init(&counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &counter.allocator;
    s = make(&config, NULL);
    ck_assert_int_eq(leat_feed(s,
                               "\x01"
                               "a",
                               2),
                     LEAT_OK);
    ck_assert_int_eq(leat_next(s, &event), LEAT_OK);
    before = counter.now;
    ck_assert_int_eq(leat_feed(s, "\xfe", 1), LEAT_OK);
    ck_assert_int_eq(leat_next(s, &event), LEAT_MORE);
    ck_assert_ptr_nonnull(leat_recv_space(s, &length));
    ck_assert_uint_eq(counter.now, before);
    leat_session_free(s);
}
END_TEST

static void tests(TCase *cases)
{
    tcase_add_loop_test(cases, chunks_are_invisible, 0, sizeof streams / sizeof *streams);
    tcase_add_test(cases, events_tell_all);
    tcase_add_test(cases, a_failure_is_final);
    tcase_add_test(cases, the_end_is_an_input);
    tcase_add_test(cases, space_is_lent);
    tcase_add_test(cases, loans_outlast_sending);
    tcase_add_test(cases, output_waits_for_its_reader);
    tcase_add_test(cases, output_has_a_limit);
    tcase_add_test(cases, a_refusal_writes_nothing);
    tcase_add_test(cases, time_goes_on);
    tcase_add_test(cases, keeps_a_pointer_of_the_caller);
    tcase_add_test(cases, every_allocation_may_fail);
    tcase_add_test(cases, no_memory_for_space_ends_the_session);
    tcase_add_test(cases, memory_settles_and_can_be_given_back);
    tcase_add_test(cases, space_is_lent_after_trimming);
    tcase_add_test(cases, feeding_ends_the_loan_of_space);
    tcase_add_test(cases, trimming_gives_output_back);
    tcase_add_test(cases, an_announced_length_allocates_nothing);
}

T_MAIN("core/session", tests)
