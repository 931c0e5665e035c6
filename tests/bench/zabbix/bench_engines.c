/*
 * A proxy and a server in one process and without a transport: what a value costs from where it is
 * handed in until the server's caller was told of it and the proxy's knows, what it costs to keep it
 * in a file, and what the server pays to take none twice. One core, the best of several rounds; only
 * ratios mean something.
 */
#include "bench.h"
#include "counts.h"
#include "engines.h"

#include <leat/buffer.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define ROUNDS 15
#define ROWS   10000u

static void keep_best(double *best, double seconds)
{
    if (*best == 0 || seconds < *best)
        *best = seconds;
}

static void print_cost(const char *name, double seconds, size_t rows, double floor)
{
    (void)printf("  %-44s %7.1f ns/row %7.2f M rows/s", name, seconds / (double)rows * 1e9,
                 (double)rows / seconds * 1e-6);
    if (floor > 0)
        (void)printf(" %6.2f x floor", seconds / floor);
    (void)printf("\n");
}

/* ---- from end to end ---- */

/* What no proxy and server can do without. */
static double deflate_and_inflate(const struct message *m)
{
    uLongf size = compressBound((uLong)m->text_length), length = (uLongf)m->room_length;
    Bytef *to = (Bytef *)must(malloc(size));
    double start = cpu();

    if (compress2(to, &size, (const Bytef *)m->text, (uLong)m->text_length, 6) != Z_OK ||
        uncompress(m->room, &length, to, size) != Z_OK)
        die("zlib");
    free(to);
    return cpu() - start;
}

static void bench_values(size_t rows)
{
    double handing = 0, all = 0, floor = 0, sides[SIDES] = {0, 0};
    struct message m;
    struct engines e;
    int round;

    make_message(&m, rows, false);
    open_engines(&e, NULL, LEAT_ZABBIX_UNENCRYPTED, rows);
    (void)run_in_memory(&e);
    for (round = 0; round < ROUNDS; round++) {
        double start;

        keep_best(&floor, deflate_and_inflate(&m));
        e.seconds[PROXY] = e.seconds[SERVER] = 0;
        pass_second(&e);
        start = cpu();
        hand_in(&e, &m);
        keep_best(&handing, cpu() - start);
        if (run_in_memory(&e) != 1)
            die("another number of exchanges");
        keep_best(&all, cpu() - start);
        keep_best(&sides[PROXY], e.seconds[PROXY]);
        keep_best(&sides[SERVER], e.seconds[SERVER]);
    }
    check_engines(&e);
    close_engines(&e);
    free_message(&m);
    (void)printf("values from a proxy to a server, %zu in a message, compressed: %.0f us\n", rows,
                 all * 1e6);
    print_cost("floor: deflate and inflate", floor, rows, floor);
    print_cost("from handing in to the acknowledgement", all, rows, floor);
    print_cost("... handing in", handing, rows, 0);
    print_cost("... the proxy's session", sides[PROXY], rows, 0);
    print_cost("... the server's session", sides[SERVER], rows, 0);
}

/* ---- counts ---- */

/* Of a round that nothing is new in. */
static struct counts count_round(struct engines *e, const struct message *m)
{
    struct counts counts = {0, 0};

    pass_second(e);
    counting = &counts;
    hand_in(e, m);
    (void)run_in_memory(e);
    counting = NULL;
    return counts;
}

static void bench_counts(const struct message *m, const struct message *twice)
{
    size_t more = twice->rows - m->rows;
    struct counts once, again;
    struct engines e;

    open_engines(&e, &counted, LEAT_ZABBIX_UNENCRYPTED, twice->rows);
    (void)run_in_memory(&e);
    (void)count_round(&e, twice);
    once = count_round(&e, m);
    again = count_round(&e, twice);
    check_engines(&e);
    close_engines(&e);
    (void)printf("  allocations for %zu rows %llu, for %zu %llu: %.4f for a row more\n", m->rows,
                 (unsigned long long)once.allocations, twice->rows,
                 (unsigned long long)again.allocations,
                 (double)(again.allocations - once.allocations) / (double)more);
    (void)printf("  octets moved for one of text, by both together: %.2f\n",
                 (double)once.moved / (double)m->text_length);
    /* Rows stand in chunks of some hundreds, and chunks come and go with them. */
    if (again.allocations - once.allocations > more / 100)
        die("allocations for each row");
}

/* ---- keeping ---- */

/* Journals after every so many values, with as many in the buffer already. */
static void bench_journal(const struct message *m, size_t waiting, size_t every)
{
    leat_zabbix_history history;
    leat_buffer *buffer;
    struct engines e;
    size_t i, length, octets = 0;
    double best = 0;
    int round;

    open_engines(&e, NULL, LEAT_ZABBIX_UNENCRYPTED, ROWS);
    check(leat_buffer_new(NULL, &buffer));
    leat_zabbix_history_init(&history, sizeof history);
    while (e.handed < waiting)
        hand_in(&e, m);
    check(leat_zabbix_proxy_save(e.proxy, buffer));
    for (round = 0; round < ROUNDS; round++) {
        double start = cpu();

        octets = 0;
        for (i = 0; i < m->rows; i++) {
            fill_row(&history, &m->row[i]);
            check(leat_zabbix_proxy_history(e.proxy, &history, NULL));
            if ((i + 1) % every != 0)
                continue;
            leat_buffer_clear(buffer);
            check(leat_zabbix_proxy_journal(e.proxy, buffer));
            (void)leat_buffer_data(buffer, &length);
            octets += length;
        }
        keep_best(&best, cpu() - start);
    }
    (void)printf("  %7zu waiting, a journal for %4zu values %7.1f ns/row %6.1f octets\n", waiting,
                 every, best / (double)m->rows * 1e9, (double)octets / (double)m->rows);
    leat_buffer_free(buffer);
    close_engines(&e);
}

static void bench_save(const struct message *m)
{
    leat_zabbix_proxy_status status = {.size = sizeof status};
    double saving = 0, restoring = 0;
    struct engines e, restored;
    leat_buffer *buffer;
    size_t length, used;
    const void *data;
    int round;

    open_engines(&e, NULL, LEAT_ZABBIX_UNENCRYPTED, ROWS);
    check(leat_buffer_new(NULL, &buffer));
    while (e.handed < 10 * m->rows)
        hand_in(&e, m);
    for (round = 0; round < ROUNDS; round++) {
        double start = cpu();

        leat_buffer_clear(buffer);
        check(leat_zabbix_proxy_save(e.proxy, buffer));
        keep_best(&saving, cpu() - start);
        data = leat_buffer_data(buffer, &length);
        open_engines(&restored, NULL, LEAT_ZABBIX_UNENCRYPTED, ROWS);
        start = cpu();
        check(leat_zabbix_proxy_restore(restored.proxy, data, length, &used));
        keep_best(&restoring, cpu() - start);
        check(leat_zabbix_proxy_get_status(restored.proxy, &status));
        if (used != length || status.rows != e.handed)
            die("restored another number of values");
        close_engines(&restored);
    }
    (void)printf("  %7zu waiting, saved %34.1f ns/row %6.1f octets\n", (size_t)e.handed,
                 saving / (double)e.handed * 1e9, (double)length / (double)e.handed);
    (void)printf("  %7zu waiting, in memory %45.1f octets\n", (size_t)e.handed,
                 (double)leat_zabbix_proxy_memory(e.proxy) / (double)e.handed);
    (void)printf("  %7zu waiting, restored %31.1f ns/row\n", (size_t)e.handed,
                 restoring / (double)e.handed * 1e9);
    leat_buffer_free(buffer);
    close_engines(&e);
}

/* ---- none twice ---- */

/* A message that a proxy sends to the server, whether it had been sent before or not. */
static double serve(struct engines *e, const struct message *m)
{
    double start = cpu();
    leat_session *session = open_server_session(e);
    size_t at = 0, room;

    while (at < m->compressed_length) {
        size_t length = m->compressed_length - at;
        void *space = leat_recv_space(session, &room);

        length = length < room ? length : room;
        memcpy(space, m->compressed + at, length);
        check(leat_recv_done(session, length));
        (void)draw(e, SERVER, session);
        at += length;
    }
    leat_session_free(session);
    return cpu() - start;
}

static void bench_twice(const struct message *m)
{
    double once = 0, again = 0;
    int round;

    for (round = 0; round < ROUNDS; round++) {
        struct engines e;

        open_engines(&e, NULL, LEAT_ZABBIX_UNENCRYPTED, ROWS);
        keep_best(&once, serve(&e, m));
        keep_best(&again, serve(&e, m));
        if (e.told != m->rows || e.told_sum != m->sum)
            die("values came twice");
        close_engines(&e);
    }
    (void)printf("a message that a server gets\n");
    print_cost("for the first time", once, m->rows, 0);
    print_cost("again: all its values are left out", again, m->rows, 0);
}

int main(void)
{
    struct message m, twice;

    make_message(&m, ROWS, false);
    make_message(&twice, 2 * ROWS, false);
    bench_values(10);
    bench_values(1000);
    bench_values(ROWS);
    bench_counts(&m, &twice);
    (void)printf("keeping the values of a proxy\n");
    bench_journal(&m, ROWS, 1);
    bench_journal(&m, 50 * ROWS, 1);
    bench_journal(&m, ROWS, 1000);
    bench_save(&m);
    bench_twice(&m);
    free_message(&m);
    free_message(&twice);
    return 0;
}
