/*
 * Exchanges of 10000 rows, from the session that is made to its end, against a codec session that has
 * been reading or writing all the time, against what a user would take instead, and against what
 * cannot be had cheaper. One process, one core, the best of several rounds; only ratios mean
 * something.
 */
#include "bench.h"
#include "counts.h"
#include "messages.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define ROUNDS 15
#define ROWS   10000u

static const leat_config *config; /* NULL: nothing is counted */
static leat_session *codec;

static void drain(leat_session *session)
{
    size_t length;

    while (leat_send_data(session, &length) != NULL)
        check(leat_send_done(session, length < FEED_BYTES ? length : FEED_BYTES));
}

/* ---- in ---- */

/* A server's exchange: reads, answers, ends. */
static uint64_t serve(const uint8_t *octets, size_t length)
{
    leat_session *session = open_answerer(config);
    uint64_t sum = read_rows(session, octets, length);

    check(leat_zabbix_begin(session));
    check(leat_zabbix_text(session, "upload", "enabled", 7));
    check(leat_zabbix_text(session, "response", "success", 7));
    check(leat_zabbix_end(session));
    drain(session);
    if (draw_rows(session, &sum) != LEAT_END)
        die("the server's end");
    leat_session_free(session);
    return sum;
}

static uint64_t serve_plain(const struct message *m)
{
    return serve(m->plain, m->plain_length);
}

static uint64_t serve_compressed(const struct message *m)
{
    return serve(m->compressed, m->compressed_length);
}

static uint64_t read_plain(const struct message *m)
{
    return read_rows(codec, m->plain, m->plain_length);
}

static uint64_t read_compressed(const struct message *m)
{
    return read_rows(codec, m->compressed, m->compressed_length);
}

/* zlib alone: the floor of whoever reads what is compressed. */
static uint64_t inflate_text(const struct message *m)
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

/* ---- out ---- */

/* A proxy's or an agent's exchange: writes, is answered, ends. */
static uint64_t ask(const struct message *m)
{
    static const char answer[] = "{\"upload\":\"enabled\",\"response\":\"success\"}";
    uint8_t header[HEADER_BYTES];
    uint64_t sum = m->sum;
    leat_session *session = open_asker(config, m->by_agent);

    write_message(session, m);
    drain(session);
    put_header(header, LEAT_ZABBIX_PROTOCOL, sizeof answer - 1, 0);
    check(leat_feed(session, header, sizeof header));
    check(leat_feed(session, answer, sizeof answer - 1));
    if (draw_rows(session, &sum) != LEAT_MORE)
        die("the answer");
    check(leat_recv_eof(session));
    if (draw_rows(session, &sum) != LEAT_END)
        die("the asker's end");
    leat_session_free(session);
    return sum;
}

static uint64_t write_by_codec(const struct message *m)
{
    check(leat_zabbix_compress(codec, !m->by_agent));
    write_message(codec, m);
    drain(codec);
    return m->sum;
}

static uint64_t deflate_octets(const struct message *m, const void *text, size_t length)
{
    static uint8_t *to;
    static uLong size;
    uLongf used;

    if (size < compressBound((uLong)length)) {
        size = compressBound((uLong)length);
        to = (uint8_t *)must(realloc(to, size));
    }
    used = size;
    if (length != m->text_length ||
        compress2(to, &used, (const Bytef *)text, (uLong)length, 6) != Z_OK)
        die("compress2");
    return m->sum;
}

static uint64_t deflate_text(const struct message *m)
{
    return deflate_octets(m, m->text, m->text_length);
}

static uint64_t print_text(const struct message *m)
{
    return m->sum + print_message(m) - m->text_length;
}

static uint64_t print_and_deflate(const struct message *m)
{
    return deflate_octets(m, m->room, print_message(m));
}

/* Whether what is written is the message. */
static void verify(const struct message *m)
{
    leat_session *session = open_asker(config, m->by_agent);
    size_t length;
    const uint8_t *octets;
    const void *text;
    uLongf size = (uLongf)m->room_length;

    write_message(session, m);
    octets = (const uint8_t *)leat_send_data(session, &length);
    text = octets + HEADER_BYTES;
    if (m->by_agent) {
        size = (uLongf)(length - HEADER_BYTES);
    } else {
        text = m->room;
        if (uncompress(m->room, &size, octets + HEADER_BYTES, (uLong)(length - HEADER_BYTES)) !=
            Z_OK)
            die("uncompress");
    }
    if (size != m->text_length || memcmp(text, m->text, size) != 0)
        die("another message was written");
    leat_session_free(session);
}

/* ---- rivals ---- */

#ifdef WITH_JSON_C
static uint64_t json_c_reads(const struct message *m)
{
    return json_c_sum(m->text, m->text_length);
}

static uint64_t json_c_inflates(const struct message *m)
{
    (void)inflate_text(m);
    return json_c_sum((const char *)m->room, m->text_length);
}

static uint64_t json_c_deflates(const struct message *m)
{
    return deflate_octets(m, m->room,
                          json_c_write(m->row, m->rows, (char *)m->room, m->room_length));
}
#endif

#ifdef WITH_JANSSON
static uint64_t jansson_reads(const struct message *m)
{
    return jansson_sum(m->text, m->text_length);
}

static uint64_t jansson_inflates(const struct message *m)
{
    (void)inflate_text(m);
    return jansson_sum((const char *)m->room, m->text_length);
}

static uint64_t jansson_deflates(const struct message *m)
{
    return deflate_octets(m, m->room,
                          jansson_write(m->row, m->rows, (char *)m->room, m->room_length));
}
#endif

#ifdef WITH_SIMDJSON
static uint64_t simdjson_reads(const struct message *m)
{
    return simdjson_sum(m->text, m->text_length);
}

static uint64_t simdjson_inflates(const struct message *m)
{
    (void)inflate_text(m);
    return simdjson_sum((const char *)m->room, m->text_length);
}
#endif

/* ---- tables ---- */

#define RACE(title, jobs, m)                                                                       \
    do {                                                                                           \
        (void)printf("%s: %zu rows of %zu octets\n", title, (m)->rows,                             \
                     (m)->text_length / (m)->rows);                                                \
        race(jobs, sizeof jobs / sizeof *jobs, m, ROUNDS, 2);                                      \
        print_race(jobs, sizeof jobs / sizeof *jobs, m);                                           \
    } while (0)

static void bench_in(const struct message *m)
{
    struct job plain[] = {
        {"codec", read_plain, 0},
        {"exchange of a server", serve_plain, 0},
#ifdef WITH_SIMDJSON
        {"simdjson (DOM)", simdjson_reads, 0},
#endif
#ifdef WITH_JANSSON
        {"jansson", jansson_reads, 0},
#endif
#ifdef WITH_JSON_C
        {"json-c", json_c_reads, 0},
#endif
        {"memcpy", copy, 0},
    };
    struct job compressed[] = {
        {"codec", read_compressed, 0},
        {"exchange of a server", serve_compressed, 0},
#ifdef WITH_SIMDJSON
        {"inflate, then simdjson (DOM)", simdjson_inflates, 0},
#endif
#ifdef WITH_JANSSON
        {"inflate, then jansson", jansson_inflates, 0},
#endif
#ifdef WITH_JSON_C
        {"inflate, then json-c", json_c_inflates, 0},
#endif
        {"inflate alone", inflate_text, 0},
    };

    RACE("in, plain", plain, m);
    RACE("in, compressed", compressed, m);
}

static void bench_out(const struct message *by_proxy, const struct message *by_agent)
{
    struct job plain[] = {
        {"codec", write_by_codec, 0},
        {"exchange of an agent", ask, 0},
        {"snprintf", print_text, 0},
        {"memcpy", copy, 0},
    };
    struct job compressed[] = {
        {"codec", write_by_codec, 0},
        {"exchange of a proxy", ask, 0},
        {"snprintf, then deflate", print_and_deflate, 0},
#ifdef WITH_JANSSON
        {"jansson, then deflate", jansson_deflates, 0},
#endif
#ifdef WITH_JSON_C
        {"json-c, then deflate", json_c_deflates, 0},
#endif
        {"deflate alone", deflate_text, 0},
    };

    RACE("out, plain", plain, by_agent);
    RACE("out, compressed", compressed, by_proxy);
}

/* ---- counts ---- */

static struct counts count(uint64_t (*run)(const struct message *), const struct message *m)
{
    struct counts counts = {0, 0};

    config = &counted;
    counting = &counts;
    if (run(m) != m->sum)
        die("a sum");
    counting = NULL;
    config = NULL;
    return counts;
}

/*
 * Twice the rows may not need more memory of a reader; of a writer one allocation more, as its output
 * doubles in size.
 */
static void count_exchange(const char *name, uint64_t (*run)(const struct message *),
                           const struct message *m, const struct message *twice, uint64_t more)
{
    struct counts once = count(run, m), again = count(run, twice);

    (void)printf("  %-32s %llu allocations, for twice the rows %llu; %.2f octets moved for one\n",
                 name, (unsigned long long)once.allocations, (unsigned long long)again.allocations,
                 (double)once.moved / (double)m->text_length);
    if (again.allocations > once.allocations + more)
        die("allocations grow with the rows");
}

int main(void)
{
    struct message by_proxy, by_agent, twice_by_proxy, twice_by_agent;

    make_message(&by_proxy, ROWS, false);
    make_message(&by_agent, ROWS, true);
    make_message(&twice_by_proxy, 2 * ROWS, false);
    make_message(&twice_by_agent, 2 * ROWS, true);
    verify(&by_proxy);
    verify(&by_agent);
    check(leat_zabbix_codec_new(NULL, LEAT_FROM_PROXY, &codec));
    bench_in(&by_proxy);
    bench_out(&by_proxy, &by_agent);
    (void)printf("an exchange of %u rows needs\n", ROWS);
    count_exchange("in, plain", serve_plain, &by_proxy, &twice_by_proxy, 0);
    count_exchange("in, compressed", serve_compressed, &by_proxy, &twice_by_proxy, 0);
    count_exchange("out, plain", ask, &by_agent, &twice_by_agent, 1);
    count_exchange("out, compressed", ask, &by_proxy, &twice_by_proxy, 1);
    leat_session_free(codec);
    free_message(&by_proxy);
    free_message(&by_agent);
    free_message(&twice_by_proxy);
    free_message(&twice_by_agent);
    return 0;
}
