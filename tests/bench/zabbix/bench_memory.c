/*
 * What one message of a gigabyte takes of memory, in and out, and what sessions take that wait.
 */
#include "bench.h"
#include "engines.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define GIGABYTE   ((size_t)1 << 30)
#define BLOCK_ROWS 10000u
#define SESSIONS   10000u

#define ANSWER_BYTES  ((size_t)512 << 10) /* zlib's memory for what is compressed, and the rest */
#define WAITING_BYTES ((size_t)1 << 10)

static struct memory memory;
static leat_allocator allocator;
static leat_config config;

/* ---- a message that nobody has to hold ---- */

/* A piece of its text, and the same deflated, on its own so that pieces can be put together. */
struct piece {
    const char *text;
    size_t length;
    uint8_t *deflated;
    size_t deflated_length;
};

/* What is in front of the rows and the first one of them; many rows; what is behind them. */
enum { HEAD, ROWS, TAIL, PIECES };

/* One message: the rows come again and again. */
struct large {
    struct message message; /* where the pieces are from */
    struct piece pieces[PIECES];
    size_t repeats;
    size_t length;
    size_t deflated_length;
    uint64_t rows;
    uint64_t sum;
    uint8_t checksum[4];
};

static void deflate_piece(struct piece *piece, int flush)
{
    uLong size = compressBound((uLong)piece->length) + 16;
    z_stream stream;

    memset(&stream, 0, sizeof stream);
    piece->deflated = (uint8_t *)must(malloc(size));
    if (deflateInit2(&stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        die("deflateInit2");
    stream.next_in = (Bytef *)(uintptr_t)piece->text;
    stream.avail_in = (uInt)piece->length;
    stream.next_out = piece->deflated;
    stream.avail_out = (uInt)size;
    if (deflate(&stream, flush) != (flush == Z_FINISH ? Z_STREAM_END : Z_OK))
        die("deflate");
    piece->deflated_length = (size_t)stream.total_out;
    (void)deflateEnd(&stream);
}

static uLong add_checksum(uLong sum, const struct piece *piece)
{
    uLong own = adler32(adler32(0, NULL, 0), (const Bytef *)piece->text, (uInt)piece->length);

    return adler32_combine(sum, own, (z_off_t)piece->length);
}

static void put_checksum(struct large *large)
{
    uLong sum = add_checksum(adler32(0, NULL, 0), &large->pieces[HEAD]);
    size_t i;

    for (i = 0; i < large->repeats; i++)
        sum = add_checksum(sum, &large->pieces[ROWS]);
    sum = add_checksum(sum, &large->pieces[TAIL]);
    for (i = 0; i < 4; i++)
        large->checksum[i] = (uint8_t)(sum >> (24 - 8 * i));
}

static void make_large(struct large *large)
{
    const struct message *m = &large->message;
    struct piece *head = &large->pieces[HEAD], *rows = &large->pieces[ROWS],
                 *tail = &large->pieces[TAIL];
    uint64_t first;

    memset(large, 0, sizeof *large);
    make_message(&large->message, 1 + BLOCK_ROWS, false);
    head->text = m->text;
    head->length = (size_t)(strstr(m->text, "},{") + 1 - m->text);
    rows->text = m->text + head->length;
    rows->length = (size_t)(strstr(rows->text, "}]") + 1 - rows->text);
    tail->text = rows->text + rows->length;
    tail->length = m->text_length - head->length - rows->length;
    large->repeats = (GIGABYTE - head->length - tail->length) / rows->length;
    large->length = head->length + large->repeats * rows->length + tail->length;
    deflate_piece(head, Z_FULL_FLUSH);
    deflate_piece(rows, Z_FULL_FLUSH);
    deflate_piece(tail, Z_FINISH);
    large->deflated_length = 2 + head->deflated_length + large->repeats * rows->deflated_length +
                             tail->deflated_length + sizeof large->checksum;
    put_checksum(large);
    large->rows = 1 + (uint64_t)large->repeats * BLOCK_ROWS;
    first = m->row->id + m->row->itemid + m->row->clock + m->row->ns + m->row->value_length +
            (uint8_t)m->row->value[0];
    large->sum = first + large->repeats * (m->sum - first);
}

static void free_large(struct large *large)
{
    size_t i;

    for (i = 0; i < PIECES; i++)
        free(large->pieces[i].deflated);
    free_message(&large->message);
}

/* ---- sessions ---- */

static struct engines engines;

typedef leat_session *open_acceptor(void);

static leat_session *accept_exchange(void)
{
    return open_answerer(&config);
}

static leat_session *accept_at_server(void)
{
    return open_server_session(&engines);
}

static leat_session *accept_at_proxy(void)
{
    leat_session *session;

    check(leat_zabbix_proxy_accept(engines.proxy, 0, &session));
    return session;
}

/* ---- a gigabyte ---- */

/* The most octets that were held until the last row had come: no answer was written as yet. */
static size_t most_for_rows;

static uint64_t read_plain(leat_session *session, const struct large *large)
{
    const struct piece *pieces = large->pieces;
    uint8_t header[HEADER_BYTES];
    uint64_t sum = 0;
    size_t i;

    put_header(header, LEAT_ZABBIX_PROTOCOL, large->length, 0);
    sum += read_rows(session, header, sizeof header);
    sum += read_rows(session, (const uint8_t *)pieces[HEAD].text, pieces[HEAD].length);
    for (i = 0; i < large->repeats; i++)
        sum += read_rows(session, (const uint8_t *)pieces[ROWS].text, pieces[ROWS].length);
    most_for_rows = memory.most;
    return sum + read_rows(session, (const uint8_t *)pieces[TAIL].text, pieces[TAIL].length);
}

static uint64_t read_compressed(leat_session *session, const struct large *large)
{
    static const uint8_t start[] = {0x78, 0x9c};
    const struct piece *pieces = large->pieces;
    uint8_t header[HEADER_BYTES];
    uint64_t sum = 0;
    size_t i;

    put_header(header, LEAT_ZABBIX_PROTOCOL | LEAT_ZABBIX_COMPRESSED, large->deflated_length,
               large->length);
    sum += read_rows(session, header, sizeof header);
    sum += read_rows(session, start, sizeof start);
    sum += read_rows(session, pieces[HEAD].deflated, pieces[HEAD].deflated_length);
    for (i = 0; i < large->repeats; i++)
        sum += read_rows(session, pieces[ROWS].deflated, pieces[ROWS].deflated_length);
    most_for_rows = memory.most;
    sum += read_rows(session, pieces[TAIL].deflated, pieces[TAIL].deflated_length);
    return sum + read_rows(session, large->checksum, sizeof large->checksum);
}

static void print_pace(const struct large *large, double seconds)
{
    (void)printf("; %.2f s, %.2f M rows/s, %.0f MiB/s of text\n", seconds,
                 (double)large->rows / seconds * 1e-6, (double)large->length / seconds / (1 << 20));
}

/* At most so many octets may be held for rows, whatever the length of the message. */
static void bench_reading(const char *name, const struct large *large, open_acceptor *accept,
                          uint64_t (*read)(leat_session *, const struct large *), size_t most)
{
    size_t before = memory.held;
    double start = cpu();
    leat_session *session;

    memory.most = before;
    session = accept();
    if (read(session, large) != large->sum)
        die("another sum");
    (void)printf("  %-26s %10zu octets for rows, %zu with its end", name, most_for_rows - before,
                 memory.most - before);
    print_pace(large, cpu() - start);
    if (most_for_rows - before > most || memory.most - before > most + ANSWER_BYTES)
        die("memory grows with the message");
    leat_session_free(session);
}

/* All its rows, as write_message() would write them. */
static void write_rows(leat_session *session, const struct large *large)
{
    leat_zabbix_history history;
    uint64_t i;

    leat_zabbix_history_init(&history, sizeof history);
    for (i = 0; i < large->rows; i++) {
        fill_row(&history, &large->message.row[i == 0 ? 0 : 1 + (i - 1) % BLOCK_ROWS]);
        if (leat_zabbix_history_write(session, &history) != LEAT_OK)
            die("leat_zabbix_history_write");
    }
}

/* A message must be complete before its first octet is sent, as its length comes first. */
static void bench_writing(const char *name, const struct large *large, bool by_agent)
{
    size_t before = memory.held, length;
    double start = cpu();
    leat_session *session = open_asker(&config, by_agent);

    memory.most = before;
    begin_message(session, by_agent);
    write_rows(session, large);
    end_message(session);
    (void)leat_send_data(session, &length);
    (void)printf("  %-26s %10zu octets, %.2f times what is sent", name, memory.most - before,
                 (double)(memory.most - before) / (double)length);
    print_pace(large, cpu() - start);
    if (memory.most - before > 2 * length + ANSWER_BYTES)
        die("memory grows beyond the message");
    leat_session_free(session);
}

/* ---- sessions that wait ---- */

static void bench_waiting(const char *name, open_acceptor *accept)
{
    leat_session **sessions = (leat_session **)must(calloc(SESSIONS, sizeof *sessions));
    size_t before = memory.held, i;
    uint64_t sum = 0;
    size_t room;

    for (i = 0; i < SESSIONS; i++) {
        sessions[i] = accept();
        leat_tick(sessions[i], 1);
        (void)leat_recv_space(sessions[i], &room);
        (void)draw_rows(sessions[i], &sum);
        leat_session_trim(sessions[i]);
    }
    (void)printf("  %-26s %10zu octets, %zu each\n", name, memory.held - before,
                 (memory.held - before) / SESSIONS);
    if ((memory.held - before) / SESSIONS > WAITING_BYTES)
        die("a session that waits holds too much");
    for (i = 0; i < SESSIONS; i++)
        leat_session_free(sessions[i]);
    free(sessions);
}

int main(void)
{
    struct large large;

    allocator = memory_allocator(&memory);
    leat_config_init(&config, sizeof config);
    config.allocator = &allocator;
    make_large(&large);
    open_engines(&engines, &config, LEAT_ZABBIX_UNENCRYPTED, BLOCK_ROWS);
    (void)printf("memory for a message of %zu octets, %llu rows; deflated %zu octets\n",
                 large.length, (unsigned long long)large.rows, large.deflated_length);
    bench_reading("in, plain, exchange", &large, accept_exchange, read_plain, 1 << 17);
    bench_reading("in, compressed, exchange", &large, accept_exchange, read_compressed, 1 << 18);
    bench_reading("in, plain, server", &large, accept_at_server, read_plain, 1 << 17);
    close_engines(&engines);
    open_engines(&engines, &config, LEAT_ZABBIX_UNENCRYPTED, BLOCK_ROWS); /* without the values */
    bench_reading("in, compressed, server", &large, accept_at_server, read_compressed, 1 << 18);
    bench_writing("out, plain, agent", &large, true);
    bench_writing("out, compressed, proxy", &large, false);
    (void)printf("memory of %u sessions that were accepted, wait for a request and were trimmed\n",
                 SESSIONS);
    bench_waiting("exchanges", accept_exchange);
    bench_waiting("server", accept_at_server);
    bench_waiting("proxy", accept_at_proxy);
    close_engines(&engines);
    if (memory.held != 0)
        die("memory was lost");
    free_large(&large);
    return 0;
}
