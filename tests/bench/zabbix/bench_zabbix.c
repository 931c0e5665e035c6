/*
 * Zabbix rows against what a user would use instead, and against what cannot be had cheaper: the
 * same messages, in one process, on one core. Each round runs every job once; the best of each
 * counts, and only ratios mean something.
 */
#define _POSIX_C_SOURCE 200809L

#include "rivals.h"

#include <leat/zabbix.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#define ROUNDS     15
#define ROWS       10000u /* of a full message */
#define FEED_BYTES ((size_t)64 << 10)
#define HEADER     13u

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void die(const char *what)
{
    (void)fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

static void *must(void *block)
{
    if (block == NULL)
        die("out of memory");
    return block;
}

/* One message: framed plain and compressed, and its bare text. */
struct message {
    uint8_t *plain;
    size_t plain_length;
    uint8_t *compressed;
    size_t compressed_length;
    size_t text_length;
    size_t rows;
    uint64_t sum; /* what every job must find */
    uint8_t *copy;
};

static void put_header(uint8_t *to, uint8_t flags, size_t data_len, size_t reserved)
{
    unsigned i;

    memcpy(to, "ZBXD", 4);
    to[4] = flags;
    for (i = 0; i < 4; i++) {
        to[5 + i] = (uint8_t)(data_len >> (8 * i));
        to[9 + i] = (uint8_t)(reserved >> (8 * i));
    }
}

/* Rows of 83 octets on average, as a proxy sends them. */
static void make(struct message *m, size_t rows)
{
    char *text = must(malloc(rows * 100 + 300));
    size_t length = 0, i;
    uint32_t random = 7;
    uLongf size;

    memset(m, 0, sizeof *m);
    length +=
        (size_t)sprintf(text, "{\"request\":\"proxy data\",\"host\":\"px-active\",\"session\":"
                              "\"f191ec07c16f86e318d2ed4664d321b9\",\"history data\":[");
    for (i = 0; i < rows; i++) {
        unsigned item, ns, value;

        random = random * 1103515245u + 12345u;
        item = 930001 + random / 65536 % 500;
        random = random * 1103515245u + 12345u;
        ns = 100000000 + random % 900000000;
        random = random * 1103515245u + 12345u;
        value = random / 4096 % 1000000;
        length += (size_t)sprintf(
            text + length,
            "%s{\"id\":%zu,\"itemid\":%u,\"clock\":%zu,\"ns\":%u,\"value\":\"0.%06u\"}",
            i == 0 ? "" : ",", i + 1, item, 1795292180 + i / 700, ns, value);
        m->sum += i + 1 + item + 1795292180 + i / 700 + ns + 8 + '0';
    }
    length +=
        (size_t)sprintf(text + length, "],\"version\":\"7.0.22\",\"clock\":1795292180,\"ns\":1}");
    m->rows = rows;
    m->text_length = length;
    m->plain_length = HEADER + length;
    m->plain = must(calloc(1, m->plain_length + RIVAL_PADDING));
    put_header(m->plain, 1, length, 0);
    memcpy(m->plain + HEADER, text, length);
    size = compressBound((uLong)length);
    m->compressed = must(malloc(HEADER + size));
    if (compress2(m->compressed + HEADER, &size, (const Bytef *)text, (uLong)length, 6) != Z_OK)
        die("compress2");
    put_header(m->compressed, 3, size, length);
    m->compressed_length = HEADER + size;
    m->copy = must(malloc(length));
    free(text);
}

static void unmake(struct message *m)
{
    free(m->plain);
    free(m->compressed);
    free(m->copy);
}

/* ---- jobs ---- */

static leat_session *session;
static size_t allocations;

static void *count(void *ctx, void *block, size_t old_bytes, size_t new_bytes)
{
    (void)ctx;
    (void)old_bytes;
    if (new_bytes == 0) {
        free(block);
        return NULL;
    }
    allocations++;
    return realloc(block, new_bytes);
}

static void open_session(void)
{
    static const leat_allocator allocator = {count, NULL};
    leat_config config;

    leat_config_init(&config, sizeof config);
    config.allocator = &allocator;
    if (leat_zabbix_codec_new(&config, LEAT_FROM_PROXY, &session) != LEAT_OK)
        die("leat_zabbix_codec_new");
}

static uint64_t typed(const leat_value *row, leat_zabbix_history *h)
{
    (void)leat_zabbix_history_read(row, h);
    return h->id + h->itemid + h->clock + h->ns + h->value_length + (uint8_t)h->value[0];
}

struct places {
    size_t id, itemid, clock, ns, value;
};

static uint64_t by_name(const leat_value *row, struct places *places)
{
    size_t length;
    const char *value = leat_value_text(leat_value_find(row, "value", 5, &places->value), &length);

    return leat_value_u64(leat_value_find(row, "id", 2, &places->id)) +
           leat_value_u64(leat_value_find(row, "itemid", 6, &places->itemid)) +
           leat_value_u64(leat_value_find(row, "clock", 5, &places->clock)) +
           leat_value_u64(leat_value_find(row, "ns", 2, &places->ns)) + length + (uint8_t)value[0];
}

static uint64_t read_all(const uint8_t *data, size_t length, size_t piece, bool names)
{
    leat_zabbix_history history;
    struct places places = {0, 0, 0, 0, 0};
    const leat_event *event;
    uint64_t sum = 0;
    int status = LEAT_MORE;

    leat_zabbix_history_init(&history, sizeof history);
    while (length > 0) {
        size_t some = length < piece ? length : piece;

        if (leat_feed(session, data, some) != LEAT_OK)
            die("leat_feed");
        data += some;
        length -= some;
        while ((status = leat_next(session, &event)) == LEAT_OK) {
            if (leat_event_kind(event) != LEAT_ZABBIX_ROW)
                continue;
            sum += names ? by_name(leat_event_value(event), &places)
                         : typed(leat_event_value(event), &history);
        }
    }
    if (status != LEAT_MORE)
        die("leat_next");
    return sum;
}

static uint64_t leat_typed(const struct message *m)
{
    return read_all(m->plain, m->plain_length, FEED_BYTES, false);
}

static uint64_t leat_by_name(const struct message *m)
{
    return read_all(m->plain, m->plain_length, FEED_BYTES, true);
}

static uint64_t leat_compressed(const struct message *m)
{
    return read_all(m->compressed, m->compressed_length, FEED_BYTES, false);
}

/* The same, octet by octet, in a loop of its own: the calls are what is measured. */
static uint64_t read_octets(const uint8_t *data, size_t length)
{
    leat_zabbix_history history;
    const leat_event *event;
    uint64_t sum = 0;
    int status = LEAT_MORE;

    leat_zabbix_history_init(&history, sizeof history);
    for (; length > 0 && status == LEAT_MORE; length--) {
        if (leat_feed(session, data++, 1) != LEAT_OK)
            die("leat_feed");
        while ((status = leat_next(session, &event)) == LEAT_OK) {
            if (leat_event_kind(event) == LEAT_ZABBIX_ROW)
                sum += typed(leat_event_value(event), &history);
        }
    }
    if (status != LEAT_MORE)
        die("leat_next");
    return sum;
}

static uint64_t leat_octets(const struct message *m)
{
    return read_octets(m->plain, m->plain_length);
}

static uint64_t leat_compressed_octets(const struct message *m)
{
    return read_octets(m->compressed, m->compressed_length);
}

static uint64_t leat_writes(const struct message *m, bool compressed)
{
    leat_zabbix_history h;
    size_t length, i;

    (void)leat_zabbix_compress(session, compressed);
    leat_zabbix_history_init(&h, sizeof h);
    h.has = LEAT_ZABBIX_HAS_ID | LEAT_ZABBIX_HAS_ITEMID | LEAT_ZABBIX_HAS_CLOCK |
            LEAT_ZABBIX_HAS_NS | LEAT_ZABBIX_HAS_VALUE;
    h.value = "0.123456";
    h.value_length = 8;
    if (leat_zabbix_begin(session) != LEAT_OK ||
        leat_zabbix_section(session, "history data") != LEAT_OK)
        die("leat_zabbix_begin");
    for (i = 0; i < m->rows; i++) {
        h.id = i + 1;
        h.itemid = 930001 + i % 500;
        h.clock = 1795292180;
        h.ns = 801840659;
        if (leat_zabbix_history_write(session, &h) != LEAT_OK)
            die("leat_zabbix_history_write");
    }
    if (leat_zabbix_end(session) != LEAT_OK)
        die("leat_zabbix_end");
    (void)leat_send_data(session, &length);
    (void)leat_send_done(session, length);
    return m->sum;
}

static uint64_t leat_writes_plain(const struct message *m)
{
    return leat_writes(m, false);
}

static uint64_t leat_writes_compressed(const struct message *m)
{
    return leat_writes(m, true);
}

/* What zlib alone takes for a text of that length: the floor of a writer that compresses. */
static uint64_t deflate_alone(const struct message *m)
{
    static uint8_t *room;
    static uLongf size;
    uLongf used;

    if (room == NULL) {
        size = compressBound((uLong)m->text_length);
        room = must(malloc(size));
    }
    used = size;
    if (compress2(room, &used, m->plain + HEADER, (uLong)m->text_length, 6) != Z_OK)
        die("compress2");
    return m->sum;
}

static uint64_t inflate_alone(const struct message *m)
{
    uLongf size = (uLongf)m->text_length;

    if (uncompress(m->copy, &size, m->compressed + HEADER,
                   (uLong)(m->compressed_length - HEADER)) != Z_OK)
        die("uncompress");
    return m->sum;
}

static uint64_t copy(const struct message *m)
{
    memcpy(m->copy, m->plain + HEADER, m->text_length);
    return m->sum + m->copy[m->text_length / 2] - m->plain[HEADER + m->text_length / 2];
}

#ifdef WITH_JSON_C
static uint64_t json_c(const struct message *m)
{
    return json_c_sum((const char *)m->plain + HEADER, m->text_length);
}
#endif

#ifdef WITH_JANSSON
static uint64_t jansson(const struct message *m)
{
    return jansson_sum((const char *)m->plain + HEADER, m->text_length);
}
#endif

#ifdef WITH_SIMDJSON
static uint64_t simdjson(const struct message *m)
{
    return simdjson_sum((const char *)m->plain + HEADER, m->text_length);
}
#endif

struct job {
    const char *name;
    uint64_t (*run)(const struct message *);
    double best; /* seconds */
};

/* Each job in each round, so that a change of the machine's pace meets all of them. */
static void race(struct job *jobs, size_t jobs_count, const struct message *m, unsigned rounds,
                 unsigned repeat)
{
    size_t i;
    unsigned round, again;

    for (round = 0; round < rounds; round++) {
        for (i = 0; i < jobs_count; i++) {
            double start = now(), took;

            for (again = 0; again < repeat; again++) {
                if (jobs[i].run(m) != m->sum)
                    die(jobs[i].name);
            }
            took = (now() - start) / repeat;
            if (round == 0 || took < jobs[i].best)
                jobs[i].best = took;
        }
    }
}

static void against_rivals(const struct message *m)
{
    struct job jobs[] = {
        {"leat, typed", leat_typed, 0},
        {"leat, by name", leat_by_name, 0},
#ifdef WITH_SIMDJSON
        {"simdjson (DOM)", simdjson, 0},
#endif
#ifdef WITH_JANSSON
        {"jansson", jansson, 0},
#endif
#ifdef WITH_JSON_C
        {"json-c", json_c, 0},
#endif
        {"memcpy", copy, 0},
    };
    size_t count_of = sizeof jobs / sizeof *jobs, i;

    race(jobs, count_of, m, ROUNDS, 3);
    printf("a message of %zu rows, %zu octets each, five fields read:\n", m->rows,
           m->text_length / m->rows);
    for (i = 0; i < count_of; i++)
        printf("  %-28s %7.1f ns/row  %7.2f\n", jobs[i].name, jobs[i].best / (double)m->rows * 1e9,
               jobs[i].best / jobs[0].best);
}

static void pair(const char *what, uint64_t (*run)(const struct message *), const char *floor_name,
                 uint64_t (*floor_run)(const struct message *), const struct message *m,
                 double most)
{
    struct job jobs[] = {{what, run, 0}, {floor_name, floor_run, 0}};

    race(jobs, 2, m, ROUNDS, 2);
    printf("  %-28s %7.1f ns/row  against %-18s %7.1f ns/row: %.2f", what,
           jobs[0].best / (double)m->rows * 1e9, floor_name, jobs[1].best / (double)m->rows * 1e9,
           jobs[0].best / jobs[1].best);
    if (most > 0)
        printf(" (aim: at most %.2f)", most);
    printf("\n");
}

/* ns for each octet, from 1 KiB to 64 MiB. */
static void flatness(void)
{
    static const size_t sizes[] = {1 << 10, 16 << 10, 256 << 10, 4 << 20, 64 << 20};
    double least = 0, most = 0;
    size_t i;

    printf("  ns/octet:");
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct message m;
        struct job jobs[] = {{"leat, typed", leat_typed, 0}};
        double each;

        make(&m, sizes[i] / 83 + 1);
        race(jobs, 1, &m, sizes[i] > (8 << 20) ? 3 : ROUNDS,
             sizes[i] < (1 << 20) ? (unsigned)((1 << 20) / sizes[i]) : 1);
        each = jobs[0].best / (double)m.plain_length * 1e9;
        printf(" %zu KiB %.3f,", sizes[i] >> 10, each);
        least = i == 0 || each < least ? each : least;
        most = each > most ? each : most;
        unmake(&m);
    }
    printf(" spread %.2f (aim: at most 1.30)\n", most / least);
}

int main(void)
{
    struct message m;

    make(&m, ROWS);
    open_session();
    against_rivals(&m);
    pair("compressed", leat_compressed, "inflate alone", inflate_alone, &m, 1.35);
    pair("octet by octet", leat_octets, "leat, typed", leat_typed, &m, 4.0);
    pair("compressed, octet by octet", leat_compressed_octets, "leat, compressed", leat_compressed,
         &m, 4.0);
    pair("writing", leat_writes_plain, "memcpy", copy, &m, 0);
    pair("writing compressed", leat_writes_compressed, "deflate alone", deflate_alone, &m, 0);
    flatness();
    allocations = 0;
    (void)leat_typed(&m);
    (void)leat_compressed(&m);
    printf("  allocations for %zu rows once warm: %zu (aim: 0)\n", 2 * m.rows, allocations);
    leat_session_free(session);
    unmake(&m);
    return 0;
}
