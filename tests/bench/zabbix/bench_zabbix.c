/*
 * Zabbix rows against what a user would use instead, and against what cannot be had cheaper: the
 * same messages, in one process, on one core. Each round runs every job once; the best of each
 * counts, and only ratios mean something.
 */
#include "bench.h"
#include "counts.h"
#include "messages.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define ROUNDS 15
#define ROWS   10000u /* of a full message */

/* ---- jobs ---- */

static leat_session *session;

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

static uint64_t leat_by_name(const struct message *m)
{
    struct places places = {0, 0, 0, 0, 0};
    const uint8_t *octets = m->plain;
    size_t length = m->plain_length;
    const leat_event *event;
    uint64_t sum = 0;
    int status = LEAT_MORE;

    while (length > 0) {
        size_t some = length < FEED_BYTES ? length : FEED_BYTES;

        check(leat_feed(session, octets, some));
        octets += some;
        length -= some;
        while ((status = leat_next(session, &event)) == LEAT_OK) {
            if (leat_event_kind(event) == LEAT_ZABBIX_ROW)
                sum += by_name(leat_event_value(event), &places);
        }
    }
    if (status != LEAT_MORE)
        die("leat_next");
    return sum;
}

static uint64_t leat_typed(const struct message *m)
{
    return read_rows(session, m->plain, m->plain_length);
}

static uint64_t leat_compressed(const struct message *m)
{
    return read_rows(session, m->compressed, m->compressed_length);
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
                sum += sum_row(leat_event_value(event), &history);
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

static uint64_t leat_writes(const struct message *m, int compressed)
{
    size_t length;

    check(leat_zabbix_compress(session, compressed));
    write_message(session, m);
    (void)leat_send_data(session, &length);
    check(leat_send_done(session, length));
    return m->sum;
}

static uint64_t leat_writes_plain(const struct message *m)
{
    return leat_writes(m, 0);
}

static uint64_t leat_writes_compressed(const struct message *m)
{
    return leat_writes(m, 1);
}

/* What zlib alone takes for a text of that length: the floor of a writer that compresses. */
static uint64_t deflate_alone(const struct message *m)
{
    uLongf size = (uLongf)m->room_length;

    if (compress2(m->room, &size, (const Bytef *)m->text, (uLong)m->text_length, 6) != Z_OK)
        die("compress2");
    return m->sum;
}

static uint64_t inflate_alone(const struct message *m)
{
    uLongf size = (uLongf)m->room_length;

    if (uncompress(m->room, &size, m->compressed + HEADER_BYTES,
                   (uLong)(m->compressed_length - HEADER_BYTES)) != Z_OK)
        die("uncompress");
    return m->sum;
}

static uint64_t copy(const struct message *m)
{
    memcpy(m->room, m->text, m->text_length);
    return m->sum + m->room[m->text_length / 2] - (uint8_t)m->text[m->text_length / 2];
}

#ifdef WITH_JSON_C
static uint64_t json_c(const struct message *m)
{
    return json_c_sum(m->text, m->text_length);
}
#endif

#ifdef WITH_JANSSON
static uint64_t jansson(const struct message *m)
{
    return jansson_sum(m->text, m->text_length);
}
#endif

#ifdef WITH_SIMDJSON
static uint64_t simdjson(const struct message *m)
{
    return simdjson_sum(m->text, m->text_length);
}
#endif

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
    size_t count = sizeof jobs / sizeof *jobs;

    race(jobs, count, m, ROUNDS, 3);
    (void)printf("a message of %zu rows, %zu octets each, five fields read:\n", m->rows,
                 m->text_length / m->rows);
    print_race(jobs, count, m);
}

static void pair(const char *what, uint64_t (*run)(const struct message *), const char *floor_name,
                 uint64_t (*floor_run)(const struct message *), const struct message *m,
                 double most)
{
    struct job jobs[] = {{what, run, 0}, {floor_name, floor_run, 0}};

    race(jobs, 2, m, ROUNDS, 2);
    (void)printf("  %-28s %7.1f ns/row  against %-18s %7.1f ns/row: %.2f", what,
                 jobs[0].best / (double)m->rows * 1e9, floor_name,
                 jobs[1].best / (double)m->rows * 1e9, jobs[0].best / jobs[1].best);
    if (most > 0)
        (void)printf(" (aim: at most %.2f)", most);
    (void)printf("\n");
}

/* ns for each octet, from 1 KiB to 64 MiB. */
static void flatness(void)
{
    static const size_t sizes[] = {1 << 10, 16 << 10, 256 << 10, 4 << 20, 64 << 20};
    double least = 0, most = 0;
    size_t i;

    (void)printf("  ns/octet:");
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct message m;
        struct job jobs[] = {{"leat, typed", leat_typed, 0}};
        double each;

        make_message(&m, sizes[i] / 83 + 1, false);
        race(jobs, 1, &m, sizes[i] > (8 << 20) ? 3 : ROUNDS,
             sizes[i] < (1 << 20) ? (unsigned)((1 << 20) / sizes[i]) : 1);
        each = jobs[0].best / (double)m.plain_length * 1e9;
        (void)printf(" %zu KiB %.3f,", sizes[i] >> 10, each);
        least = i == 0 || each < least ? each : least;
        most = each > most ? each : most;
        free_message(&m);
    }
    (void)printf(" spread %.2f (aim: at most 1.30)\n", most / least);
}

int main(void)
{
    struct counts counts = {0, 0};
    struct message m;

    make_message(&m, ROWS, false);
    check(leat_zabbix_codec_new(&counted, LEAT_FROM_PROXY, &session));
    against_rivals(&m);
    pair("compressed", leat_compressed, "inflate alone", inflate_alone, &m, 1.35);
    pair("octet by octet", leat_octets, "leat, typed", leat_typed, &m, 4.0);
    pair("compressed, octet by octet", leat_compressed_octets, "leat, compressed", leat_compressed,
         &m, 4.0);
    pair("writing", leat_writes_plain, "memcpy", copy, &m, 0);
    pair("writing compressed", leat_writes_compressed, "deflate alone", deflate_alone, &m, 0);
    flatness();
    counting = &counts;
    (void)leat_typed(&m);
    (void)leat_compressed(&m);
    counting = NULL;
    (void)printf("  allocations for %zu rows once warm: %llu (aim: 0)\n", 2 * m.rows,
                 (unsigned long long)counts.allocations);
    if (counts.allocations > 0)
        die("allocations");
    leat_session_free(session);
    free_message(&m);
    return 0;
}
