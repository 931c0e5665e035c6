#include "support.h"

#include "../zabbix/queue.h"

#include <stdio.h>

static struct lt_zabbix_queue queue;
static struct lt_zabbix_total total;
static struct t_counter counter;

static void make(uint64_t next)
{
    t_counter_init(&counter);
    total = (struct lt_zabbix_total){5, 100}; /* of other queues */
    lt_zabbix_queue_init(&queue, &counter.allocator, next, &total);
}

static void check_total(const struct lt_zabbix_queue *q)
{
    ck_assert_uint_eq(total.rows, 5 + q->rows);
    ck_assert_uint_eq(total.bytes, 100 + q->bytes);
}

static void done(void)
{
    check_total(&queue);
    lt_zabbix_queue_free(&queue);
    check_total(&queue);
    ck_assert_uint_eq(counter.now, 0);
    ck_assert_uint_eq(queue.memory, 0);
}

static void add(const char *text)
{
    ck_assert_int_eq(lt_zabbix_queue_add(&queue, text, strlen(text), (int64_t)queue.next * 10),
                     LEAT_OK);
}

/* A row whose text tells its number, and is as long as that says. */
static size_t text_of(uint64_t number, char text[200])
{
    int length = snprintf(text, 200, "{\"id\":%llu,\"value\":\"%.*s\"}", (unsigned long long)number,
                          (int)(number * 7 % 100),
                          "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                          "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");

    return (size_t)length;
}

static void add_many(uint64_t count)
{
    char text[200];

    for (; count > 0; count--) {
        size_t length = text_of(queue.next, text);

        if (lt_zabbix_queue_add(&queue, text, length, (int64_t)queue.next * 10) != LEAT_OK)
            ck_abort_msg("no memory");
    }
}

/* The rows from a number on, as the text of a message has them. */
static struct t_bytes joined(uint64_t from, uint64_t until, uint64_t most)
{
    struct lt_zabbix_walk walk = lt_zabbix_queue_walk(&queue, from);
    struct t_bytes all = {NULL, 0};
    struct lt_zabbix_run run;

    while (lt_zabbix_queue_run(&walk, until, most, &run)) {
        ck_assert_uint_gt(run.rows, 0);
        ck_assert_uint_le(run.rows, most);
        ck_assert_int_eq(run.at_ms, (int64_t)run.number * 10);
        if (all.length > 0)
            t_append(&all, ",", 1);
        t_append(&all, run.text, run.length);
    }
    t_append(&all, "", 1);
    return all;
}

static void holds(uint64_t from, uint64_t until, const char *expected)
{
    struct t_bytes all = joined(from, until, UINT64_MAX);

    ck_assert_str_eq((const char *)all.data, expected);
    t_free(all);
    all = joined(from, until, 1);
    ck_assert_str_eq((const char *)all.data, expected);
    t_free(all);
}

START_TEST(empty)
{
    struct lt_zabbix_run run;
    struct lt_zabbix_walk walk;

    make(5);
    walk = lt_zabbix_queue_walk(&queue, 0);
    ck_assert(!lt_zabbix_queue_run(&walk, UINT64_MAX, UINT64_MAX, &run));
    ck_assert_uint_eq(lt_zabbix_queue_start(&queue), 5);
    ck_assert_uint_eq(lt_zabbix_queue_drop(&queue, 100), 0);
    ck_assert_uint_eq(queue.next, 5);
    ck_assert_uint_eq(lt_zabbix_queue_batch(&queue, 10, 10, 10), 5);
    ck_assert_uint_eq(counter.calls, 0);
    done();
}
END_TEST

START_TEST(rows_in_order)
{
    make(1);
    add("{}");
    add("{\"a\":1}");
    add("[3]");
    ck_assert_uint_eq(queue.rows, 3);
    ck_assert_uint_eq(queue.bytes, 12);
    ck_assert_uint_eq(queue.next, 4);
    holds(0, UINT64_MAX, "{},{\"a\":1},[3]");
    holds(1, 3, "{},{\"a\":1}");
    holds(2, UINT64_MAX, "{\"a\":1},[3]");
    holds(3, 4, "[3]");
    holds(3, 3, "");
    holds(4, UINT64_MAX, "");
    done();
}
END_TEST

START_TEST(dropping)
{
    make(1);
    add("{}");
    add("{\"a\":1}");
    add("[3]");
    ck_assert_uint_eq(lt_zabbix_queue_drop(&queue, 1), 0);
    ck_assert_uint_eq(lt_zabbix_queue_drop(&queue, 3), 2);
    ck_assert_uint_eq(lt_zabbix_queue_drop(&queue, 2), 0);
    ck_assert_uint_eq(lt_zabbix_queue_start(&queue), 3);
    ck_assert_uint_eq(queue.bytes, 3);
    holds(0, UINT64_MAX, "[3]");
    add("{}");
    holds(1, UINT64_MAX, "[3],{}");
    ck_assert_uint_eq(lt_zabbix_queue_drop(&queue, UINT64_MAX), 2);
    ck_assert_uint_eq(lt_zabbix_queue_start(&queue), 5);
    ck_assert_uint_eq(queue.bytes, 0);
    done();
}
END_TEST

START_TEST(gaps)
{
    make(1);
    add("1");
    lt_zabbix_queue_skip(&queue, 1);
    add("2");
    lt_zabbix_queue_skip(&queue, 100);
    add("100");
    ck_assert_uint_eq(queue.rows, 3);
    holds(0, UINT64_MAX, "1,2,100");
    holds(3, UINT64_MAX, "100");
    holds(50, UINT64_MAX, "100");
    holds(0, 100, "1,2");
    ck_assert_uint_eq(lt_zabbix_queue_batch(&queue, 3, 100, 100), 101);
    ck_assert_uint_eq(lt_zabbix_queue_batch(&queue, 2, 100, 100), 3);
    ck_assert_uint_eq(lt_zabbix_queue_drop(&queue, 60), 2);
    ck_assert_uint_eq(lt_zabbix_queue_start(&queue), 100);
    done();
}
END_TEST

static const struct {
    uint64_t rows, enough, most, until;
} batches[] =
    {
        {3, 1000, 1000, 4}, {2, 1000, 1000, 3}, {0, 1000, 1000, 1},
        {3, 1, 1000, 2}, /* enough after the first one */
        {3, 3, 1000, 2},    {3, 4, 1000, 3},    {3, 11, 1000, 3},
        {3, 12, 1000, 4},   {3, 0, 1000, 1},    {3, 1000, 2, 1},
        {3, 1000, 3, 2},    {3, 1000, 10, 2},   {3, 1000, 11, 3},
        {3, 1000, 14, 3},   {3, 1000, 15, 4},
};

START_TEST(batch)
{
    make(1);
    add("{}");
    add("{\"a\":1}");
    add("[3]");
    ck_assert_uint_eq(
        lt_zabbix_queue_batch(&queue, batches[_i].rows, batches[_i].enough, batches[_i].most),
        batches[_i].until);
    done();
}
END_TEST

START_TEST(many)
{
    struct t_bytes all, expected = {NULL, 0};
    char text[200];
    uint64_t i;

    make(1);
    add_many(5000);
    ck_assert_uint_eq(lt_zabbix_queue_drop(&queue, 1234), 1233);
    for (i = 1234; i <= 5000; i++) {
        if (i > 1234)
            t_append(&expected, ",", 1);
        t_append(&expected, text, text_of(i, text));
    }
    t_append(&expected, "", 1);
    ck_assert_uint_eq(queue.bytes, expected.length - 1 - (5000 - 1234));
    all = joined(0, UINT64_MAX, UINT64_MAX);
    ck_assert_str_eq((const char *)all.data, (const char *)expected.data);
    t_free(all);
    all = joined(0, UINT64_MAX, 7);
    ck_assert_str_eq((const char *)all.data, (const char *)expected.data);
    t_free(all);
    t_free(expected);
    done();
}
END_TEST

/* Rows of every length around that of a chunk. */
START_TEST(long_rows)
{
    static char text[40000];
    size_t length;

    memset(text, 'x', sizeof text);
    for (length = 32000; length < 33000; length++) {
        struct lt_zabbix_run run;
        struct lt_zabbix_walk walk;

        make(1);
        add("{}");
        ck_assert_int_eq(lt_zabbix_queue_add(&queue, text, length, 20), LEAT_OK);
        add("{}");
        walk = lt_zabbix_queue_walk(&queue, 2);
        if (!lt_zabbix_queue_run(&walk, 3, 1, &run) || run.length != length ||
            memcmp(run.text, text, length) != 0 || queue.bytes != length + 4)
            ck_abort_msg("%zu", length);
        ck_assert_uint_eq(lt_zabbix_queue_drop(&queue, 4), 3);
        done();
    }
    make(1);
    ck_assert_int_eq(lt_zabbix_queue_add(&queue, text, SIZE_MAX / 2, 20), LEAT_E_NOMEM);
    ck_assert_uint_eq(queue.next, 1);
    done();
}
END_TEST

START_TEST(steady)
{
    size_t calls;
    int i;

    make(1);
    add_many(2000);
    (void)lt_zabbix_queue_drop(&queue, 1000);
    calls = counter.calls;
    for (i = 0; i < 20000; i++) {
        add_many(1);
        (void)lt_zabbix_queue_drop(&queue, lt_zabbix_queue_start(&queue) + 1);
    }
    /* A chunk that is emptied is the next one; now and then one more is there than needed. */
    ck_assert_uint_le(counter.calls, calls + 20);
    ck_assert_uint_le(counter.now, 400000);
    done();
}
END_TEST

static int add_and_drop(const leat_config *config, const void *arg)
{
    struct lt_zabbix_queue q;
    uint64_t rows = 0;
    int status = LEAT_OK;

    (void)arg;
    total = (struct lt_zabbix_total){5, 100};
    lt_zabbix_queue_init(&q, config->allocator, 1, &total);
    while (rows < 3000 && status == LEAT_OK) {
        status = lt_zabbix_queue_add(&q, "{\"itemid\":1,\"value\":\"2\"}", 24, 0);
        rows += status == LEAT_OK;
        check_total(&q);
        if (q.rows != rows || q.next != rows + 1 || q.bytes != rows * 24)
            ck_abort_msg("%d", (int)rows);
    }
    ck_assert_uint_eq(lt_zabbix_queue_drop(&q, rows + 1), rows);
    check_total(&q);
    lt_zabbix_queue_free(&q);
    return status;
}

START_TEST(no_memory)
{
    t_every_alloc(add_and_drop, NULL);
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_test(tc, empty);
    tcase_add_test(tc, rows_in_order);
    tcase_add_test(tc, dropping);
    tcase_add_test(tc, gaps);
    tcase_add_loop_test(tc, batch, 0, sizeof batches / sizeof *batches);
    tcase_add_test(tc, many);
    tcase_add_test(tc, long_rows);
    tcase_add_test(tc, steady);
    tcase_add_test(tc, no_memory);
}

T_MAIN("zabbix/queue", tests)
