/* Memory: how much, how often, and what happens when there is none. */
#include "frames.h"

#include <stdio.h>

static struct t_bytes recorded(const char *path, const char *direction)
{
    struct t_bytes bytes = t_capture(path, direction, 0);

    ck_assert_uint_gt(bytes.length, 0);
    return bytes;
}

static const struct {
    const char *path;
    const char *direction;
} streams[] = {
    {"zabbix/6.0.14/29-fake-config-uncompressed.jsonl", "server>proxy"},
    {"zabbix/7.0.22/06-passive-config-full-sync.jsonl", "server>proxy"},
    {"zabbix/6.0.14/12-active-data-history-log.jsonl", "proxy>server"},
    {"zabbix/6.0.14/51-fake-data-control-char.jsonl", "proxy>server"},
    {"zabbix/6.0.14/53-fake-data-leading-space.jsonl", "proxy>server"},
    {"zabbix/6.0.14/53-fake-data-leading-space.jsonl", "server>proxy"},
    {"zabbix/6.0.14/67-agent-passive-check-unsupported.jsonl", "agent>proxy"},
};

START_TEST(reading_without_memory)
{
    struct t_bytes bytes = recorded(streams[_i].path, streams[_i].direction);
    struct t_feed feed = {make_codec, NULL, bytes.data, bytes.length};

    t_every_alloc(t_feed_scenario, &feed);
    t_free(bytes);
}
END_TEST

/* Octet by octet, with the members asked for at each row. */
static int read_slowly(const leat_config *config, const void *arg)
{
    const struct t_bytes *bytes = (const struct t_bytes *)arg;
    leat_session *session = make_codec(config, NULL);
    const leat_event *event;
    int status = LEAT_MORE;
    size_t i;

    if (session == NULL)
        return LEAT_E_NOMEM;
    for (i = 0; i < bytes->length && status == LEAT_MORE; i++) {
        status = leat_feed(session, bytes->data + i, 1);
        if (status != LEAT_OK)
            break;
        while ((status = leat_next(session, &event)) == LEAT_OK)
            (void)leat_zabbix_members(session);
    }
    leat_session_free(session);
    return status < 0 ? status : LEAT_OK;
}

START_TEST(slowly_without_memory)
{
    static const char text[] =
        "{\"request\":\"proxy "
        "config\",\"hosts\":{\"fields\":[\"a\",\"b\\u0062\"],\"data\":[[1,\"\\n\"],"
        "[2,\"\\t\"]]},\"x\":\"\\u00e9\",\"tasks\":[{\"a\":\"\\r\"},{\"a\":[[[[1]]]]}]}";
    struct t_bytes bytes = frame(_i == 0 ? 1 : 3, text, sizeof text - 1);

    t_every_alloc(read_slowly, &bytes);
    t_free(bytes);
}
END_TEST

static int write_message(const leat_config *config, const void *arg)
{
    static const char *const fields[] = {"a", "b"};
    const int *compressed = (const int *)arg;
    leat_builder *row = NULL;
    leat_session *session = make_codec(config, NULL);
    leat_zabbix_history history;
    int status = LEAT_E_NOMEM;

    if (session == NULL)
        return LEAT_E_NOMEM;
    row = t_json("{\"a\":1,\"b\":\"\\n\"}", 16);
    leat_zabbix_history_init(&history, sizeof history);
    history.has = LEAT_ZABBIX_HAS_ID | LEAT_ZABBIX_HAS_NS;
    (void)leat_zabbix_compress(session, *compressed);
    if ((status = leat_zabbix_begin(session)) == LEAT_OK &&
        (status = leat_zabbix_table(session, "t", fields, 2)) == LEAT_OK &&
        (status = leat_zabbix_row(session, leat_builder_value(row))) == LEAT_OK &&
        (status = leat_zabbix_close(session)) == LEAT_OK &&
        (status = leat_zabbix_section(session, "history data")) == LEAT_OK &&
        (status = leat_zabbix_history_write(session, &history)) == LEAT_OK &&
        (status = leat_zabbix_end(session)) == LEAT_OK)
        status = leat_send(session, "message", leat_builder_value(row));
    if (status == LEAT_E_NOMEM) {
        size_t length;

        /* What failed was taken back; what was whole before it waits. */
        const uint8_t *at = (const uint8_t *)leat_send_data(session, &length), *end = at + length;

        while (at != NULL && at < end)
            t_free(take_frame(&at, end).text);
        ck_assert_int_eq(leat_zabbix_end(session), LEAT_E_STATE);
    }
    leat_builder_free(row);
    leat_session_free(session);
    return status;
}

START_TEST(writing_without_memory)
{
    int compressed = _i;

    t_every_alloc(write_message, &compressed);
}
END_TEST

/* Rows: so many, each of another number, in a section. */
static void append_rows(struct t_bytes *text, size_t from, size_t count)
{
    char row[200];
    size_t i;

    for (i = from; i < from + count; i++) {
        int length =
            snprintf(row, sizeof row,
                     "%s{\"id\":%zu,\"itemid\":930001,\"clock\":1795292180,\"ns\":801840659,"
                     "\"value\":\"caf\\u00e9 %zu\"}",
                     i == 0 ? "" : ",", i, i);
        t_append(text, row, (size_t)length);
    }
}

/* Once warm, a session allocates for no row, and for no message either. */
START_TEST(no_allocation_once_warm)
{
    struct t_bytes text = t_copy("{\"host\":\"px\",\"history data\":[", 29), bytes;
    struct t_counter counter;
    leat_config config;
    leat_session *session;
    const leat_event *event;
    leat_zabbix_history history;
    size_t i, round, calls = 0, rows = 0;

    t_counter_init(&counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &counter.allocator;
    append_rows(&text, 0, 3000);
    t_append(&text, "],\"t\":{\"fields\":[\"a\",\"b\"],\"data\":[[1,\"\\n\"],[2,\"\\n\"]]}}", 54);
    bytes = frame(_i == 0 ? 1 : 3, text.data, text.length);
    session = make_codec(&config, NULL);
    leat_zabbix_history_init(&history, sizeof history);
    for (round = 0; round < 3; round++) {
        for (i = 0; i < bytes.length; i += 1000) {
            size_t piece = bytes.length - i < 1000 ? bytes.length - i : 1000;

            ck_assert_int_eq(leat_feed(session, bytes.data + i, piece), LEAT_OK);
            while (leat_next(session, &event) == LEAT_OK) {
                rows += leat_event_kind(event) == LEAT_ZABBIX_ROW;
                ck_assert_int_eq(leat_zabbix_history_read(leat_event_value(event), &history),
                                 LEAT_OK);
                ck_assert_ptr_null(leat_event_error(event));
            }
        }
        if (round == 0)
            calls = counter.calls;
        else
            ck_assert_uint_eq(counter.calls, calls);
    }
    ck_assert_uint_eq(rows, 3 * 3002);
    leat_session_free(session);
    ck_assert_uint_eq(counter.now, 0);
    t_free(text);
    t_free(bytes);
}
END_TEST

START_TEST(no_allocation_when_writing)
{
    struct t_counter counter;
    leat_config config;
    leat_session *session;
    leat_zabbix_history history;
    size_t round, i, calls = 0, length;

    t_counter_init(&counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &counter.allocator;
    session = make_codec(&config, NULL);
    ck_assert_int_eq(leat_zabbix_compress(session, _i), LEAT_OK);
    leat_zabbix_history_init(&history, sizeof history);
    history.has = LEAT_ZABBIX_HAS_ID | LEAT_ZABBIX_HAS_VALUE;
    history.value = "caf\xc3\xa9";
    history.value_length = 5;
    for (round = 0; round < 3; round++) {
        ck_assert_int_eq(leat_zabbix_begin(session), LEAT_OK);
        ck_assert_int_eq(leat_zabbix_section(session, "history data"), LEAT_OK);
        for (i = 0; i < 5000; i++) {
            history.id = i;
            ck_assert_int_eq(leat_zabbix_history_write(session, &history), LEAT_OK);
        }
        ck_assert_int_eq(leat_zabbix_end(session), LEAT_OK);
        (void)leat_send_data(session, &length);
        ck_assert_uint_gt(length, 10000);
        ck_assert_int_eq(leat_send_done(session, length), LEAT_OK);
        if (round == 0)
            calls = counter.calls;
        else
            ck_assert_uint_eq(counter.calls, calls);
    }
    leat_session_free(session);
}
END_TEST

/* leat_session_memory() knows of every octet, and an idle session costs at most 1 KiB. */
START_TEST(counted_and_trimmed)
{
    struct t_bytes bytes = recorded(streams[_i].path, streams[_i].direction);
    struct t_counter counter;
    leat_config config;
    leat_session *session;
    const leat_event *event;
    leat_builder *message = t_json("{\"response\":\"success\"}", 22);
    size_t length, i;

    t_counter_init(&counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &counter.allocator;
    session = make_codec(&config, NULL);
    ck_assert_uint_eq(leat_session_memory(session), counter.now);
    ck_assert_uint_le(counter.now, 1024);
    for (i = 0; i < bytes.length; i++) {
        ck_assert_int_eq(leat_feed(session, bytes.data + i, 1), LEAT_OK);
        while (leat_next(session, &event) == LEAT_OK)
            (void)leat_zabbix_members(session);
        ck_assert_uint_eq(leat_session_memory(session), counter.now);
        if (i % 64 == 5) /* in the midst of a message it keeps what is needed */
            leat_session_trim(session);
    }
    ck_assert_ptr_null(leat_session_error(session));
    ck_assert_int_eq(leat_zabbix_compress(session, 1), LEAT_OK);
    ck_assert_int_eq(leat_send(session, "response", leat_builder_value(message)), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_begin(session), LEAT_OK);
    ck_assert_uint_eq(leat_session_memory(session), counter.now);
    leat_session_trim(session); /* a message is being written */
    ck_assert_int_eq(leat_zabbix_end(session), LEAT_OK);
    ck_assert_uint_eq(leat_session_memory(session), counter.now);
    ck_assert_uint_gt(counter.now, 200000);
    (void)leat_send_data(session, &length);
    ck_assert_int_eq(leat_send_done(session, length), LEAT_OK);
    leat_session_trim(session);
    ck_assert_uint_eq(leat_session_memory(session), counter.now);
    ck_assert_uint_le(counter.now, 1024);
    /* And it goes on. */
    ck_assert_int_eq(leat_feed(session, bytes.data, bytes.length), LEAT_OK);
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    leat_session_free(session);
    ck_assert_uint_eq(counter.now, 0);
    leat_builder_free(message);
    t_free(bytes);
}
END_TEST

/* Trimming between any two octets changes nothing that is read. */
START_TEST(trimmed_while_reading)
{
    struct t_bytes bytes = recorded(streams[_i].path, streams[_i].direction);
    char *whole = t_transcript(make_codec, NULL, NULL, bytes.data, bytes.length, 0, true);
    leat_session *session = make_codec(NULL, NULL);
    const leat_event *event;
    size_t i, events = 0, expected = 0;
    const char *line;

    for (line = whole; (line = strchr(line, '\n')) != NULL; line++)
        expected++;
    for (i = 0; i < bytes.length; i++) {
        ck_assert_int_eq(leat_feed(session, bytes.data + i, 1), LEAT_OK);
        leat_session_trim(session);
        while (leat_next(session, &event) == LEAT_OK) {
            events++;
            leat_session_trim(session);
        }
    }
    ck_assert_uint_eq(events + 1, expected); /* the last line is the status */
    leat_session_free(session);
    free(whole);
    t_free(bytes);
}
END_TEST

/*
 * A message of 1 GiB, made on the fly, in pieces of 64 KiB. Compressed, the stream is made once for
 * a few thousand rows and repeated: stored and deflated blocks may follow one another as they like.
 */
#define GIBIBYTE ((uint64_t)1 << 30)
#define PIECE    ((size_t)64 << 10)

struct gigabyte {
    leat_session *session;
    struct t_counter counter;
    size_t idle;
    uint64_t rows;
    uint64_t messages;
};

static void draw_rows(struct gigabyte *g)
{
    const leat_event *event;
    int status;

    while ((status = leat_next(g->session, &event)) == LEAT_OK) {
        if (leat_event_error(event) != NULL)
            ck_abort_msg("%s", leat_error_text(leat_event_error(event)));
        if (leat_event_kind(event) == LEAT_ZABBIX_ROW)
            g->rows++;
        else
            g->messages++;
    }
    ck_assert_int_eq(status, LEAT_MORE);
}

static void feed_piece(struct gigabyte *g, const uint8_t *data, size_t length)
{
    while (length > 0) {
        size_t piece = length < PIECE ? length : PIECE;

        ck_assert_int_eq(leat_feed(g->session, data, piece), LEAT_OK);
        draw_rows(g);
        data += piece;
        length -= piece;
    }
}

static void gigabyte_begin(struct gigabyte *g)
{
    leat_config config;

    memset(g, 0, sizeof *g);
    t_counter_init(&g->counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &g->counter.allocator;
    g->session = make_codec(&config, NULL);
    g->idle = g->counter.now;
}

static void gigabyte_end(struct gigabyte *g, uint64_t rows)
{
    ck_assert_uint_eq(g->rows, rows);
    ck_assert_uint_eq(g->messages, 1);
    ck_assert_uint_le(g->counter.most - g->idle, 256 << 10);
    leat_session_free(g->session);
    ck_assert_uint_eq(g->counter.now, 0);
}

static const char head[] = "{\"history data\":[";
static const char row[] =
    "{\"id\":1,\"itemid\":930001,\"clock\":1795292180,\"ns\":801840659,\"value\":\"0.12345678\"},";
#define ROW (sizeof row - 1)

START_TEST(gigabyte_plain)
{
    uint64_t rows = (GIBIBYTE - sizeof head - 1 - 2) / ROW, left = rows;
    struct t_bytes begin = {NULL, 0}, block = {NULL, 0};
    struct gigabyte g;
    size_t i, block_rows = PIECE / ROW;

    append_header(&begin, 1, sizeof head - 1 + rows * ROW + 1, 0);
    t_append(&begin, head, sizeof head - 1);
    for (i = 0; i < block_rows; i++)
        t_append(&block, row, ROW);
    gigabyte_begin(&g);
    feed_piece(&g, begin.data, begin.length);
    for (; left > block_rows; left -= block_rows)
        feed_piece(&g, block.data, block.length);
    feed_piece(&g, block.data, (size_t)left * ROW - 1);
    feed_piece(&g, (const uint8_t *)"]}", 2);
    gigabyte_end(&g, rows);
    t_free(begin);
    t_free(block);
}
END_TEST

/* Deflates with a flush, so that the octets can be repeated: they refer to nothing before them. */
static struct t_bytes deflate_block(z_stream *stream, const void *text, size_t length, int flush)
{
    struct t_bytes out = {NULL, 0};
    uint8_t piece[65536];

    stream->next_in = (Bytef *)(uintptr_t)text;
    stream->avail_in = (uInt)length;
    do {
        stream->next_out = piece;
        stream->avail_out = sizeof piece;
        ck_assert_int_ge(deflate(stream, flush), Z_OK);
        t_append(&out, piece, sizeof piece - stream->avail_out);
    } while (stream->avail_out == 0);
    return out;
}

START_TEST(gigabyte_compressed)
{
    size_t block_rows = 100000, blocks = (size_t)(GIBIBYTE / ROW / block_rows), i;
    struct t_bytes text = {NULL, 0}, begin = {NULL, 0}, first, block, last;
    uint64_t length = sizeof head - 1 + (uint64_t)blocks * block_rows * ROW + 4;
    uLong check = adler32(0, NULL, 0), block_check;
    struct gigabyte g;
    z_stream stream;
    uint8_t trailer[4];

    for (i = 0; i < block_rows; i++)
        t_append(&text, row, ROW);
    memset(&stream, 0, sizeof stream);
    ck_assert_int_eq(deflateInit(&stream, 9), Z_OK);
    first = deflate_block(&stream, head, sizeof head - 1, Z_FULL_FLUSH);
    block = deflate_block(&stream, text.data, text.length, Z_FULL_FLUSH);
    last = deflate_block(&stream, "{}]}", 4, Z_FINISH);
    ck_assert_int_eq(deflateEnd(&stream), Z_OK);
    /* The checksum of the whole takes the place of the one of the three blocks. */
    check = adler32(check, (const Bytef *)head, sizeof head - 1);
    block_check = adler32(adler32(0, NULL, 0), text.data, (uInt)text.length);
    for (i = 0; i < blocks; i++)
        check = adler32_combine(check, block_check, (z_off_t)text.length);
    check = adler32(check, (const Bytef *)"{}]}", 4);
    for (i = 0; i < 4; i++)
        trailer[i] = (uint8_t)(check >> (24 - 8 * i));
    append_header(&begin, 3, first.length + blocks * block.length + last.length, length);
    gigabyte_begin(&g);
    feed_piece(&g, begin.data, begin.length);
    feed_piece(&g, first.data, first.length);
    for (i = 0; i < blocks; i++)
        feed_piece(&g, block.data, block.length);
    feed_piece(&g, last.data, last.length - 4);
    feed_piece(&g, trailer, 4);
    ck_assert_uint_gt(length, GIBIBYTE - text.length);
    gigabyte_end(&g, (uint64_t)blocks * block_rows + 1);
    t_free(text);
    t_free(begin);
    t_free(first);
    t_free(block);
    t_free(last);
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_loop_test(tc, reading_without_memory, 0, sizeof streams / sizeof *streams);
    tcase_add_loop_test(tc, slowly_without_memory, 0, 2);
    tcase_add_loop_test(tc, writing_without_memory, 0, 2);
    tcase_add_loop_test(tc, no_allocation_once_warm, 0, 2);
    tcase_add_loop_test(tc, no_allocation_when_writing, 0, 2);
    tcase_add_loop_test(tc, counted_and_trimmed, 0, sizeof streams / sizeof *streams);
    tcase_add_loop_test(tc, trimmed_while_reading, 0, sizeof streams / sizeof *streams);
    tcase_add_test(tc, gigabyte_plain);
    tcase_add_test(tc, gigabyte_compressed);
}

T_MAIN("zabbix/memory", tests)
