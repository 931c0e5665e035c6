/* The channel protocol by itself: consumers as scripts, producers, and what waits in order. */
#include "../../lib/broker/channel.h"

#include "support.h"

#include <stdio.h>

static leat_allocator allocator;

/* ----- consumers ----- */

/*
 * A script: h1 handshake (h1/7 with that interval), e5 event 5 comes, k5 keepalive 5, t a tick, T50 so
 * many. What comes of it: "2 3" events that are done, "-" one that is old, "+" one that is kept, "x" one
 * that is not; "a3" an acknowledgement, "n2,4" a nack; "!" a handshake that is ignored.
 */
static const struct {
    const char *name;
    const char *script;
    const char *result;
} scripts[] = {
    {"in order", "h1 e2 e3 e4", "2 3 4"},
    {"any offset", "h7 e8 e2 e9", "8 - 9"},
    {"before the handshake", "e2 e3 h1 e2", "+ + 2 3 -"},
    {"what is behind the handshake", "e2 e3 e7 h3 e4", "+ + + 4"},
    {"twice", "h1 e2 e2 e3 e3 e2", "2 - 3 - -"},
    {"a gap", "h1 e3 e4 e2", "+ + 2 3 4"},
    {"early twice", "h1 e3 e3 e2", "+ x 2 3"},
    {"backwards", "h1 e5 e4 e3 e2", "+ + + 2 3 4 5"},
    {"a repeated handshake", "h1 e2 h9 e3", "2 ! 3"},
    {"an acknowledgement every fifth tick", "h1 t t t t t t t t t t", "a1 a1"},
    {"of progress, too", "h1 e2 t e3 t t t t e4 e5 t t t t t", "2 3 a3 4 5 a5"},
    {"as often as asked", "h1/2 t t t t", "a1 a1"},
    {"never is once a tick", "h1/0 t t", "a1 a1"},
    {"at least every fiftieth", "h1/65535 T49 t T50", "a1 a1"},
    {"missing", "h1 e3 t t", "+ n2"},
    {"missing, again and again", "h1 e3 t t t t t t", "+ n2 n2 a1 n2"},
    {"a nack does not put off what is due", "h1/2 e3 t t t t", "+ n2 n2"},
    {"an acknowledgement while it waits", "h1/3 e3 t t t", "+ n2 a1"},
    {"progress puts a nack off", "h1 e4 t e2 t t t", "+ 2 n3"},
    {"all that is missing", "h1 e3 e6 e8 t t", "+ + + n2,4,5,7"},
    {"what a keepalive tells of", "h1 k3 t t e2 e3 t t t", "n2,3 2 3 a3"},
    {"a keepalive of what is there", "h1 e2 k2 t t", "2"},
    {"an old keepalive", "h5 k2 t t", ""},
    {"a keepalive before the handshake", "k3 h1 t t", "n2,3"},
    {"keepalives that cannot be", "h1 k18446744073709551615 t t", ""},
    {"an event that cannot be", "h1 e18446744073709551615 t t", "-"},
    {"an offset that cannot be", "h18446744073709551615 h1 e2", "! 2"},
    {"the last offset", "h18446744073709551614 e1 e2", "- -"},
    {"three may be early", "h1 e3 e4 e5 e6 e2 t t", "+ + + x 2 3 4 5"},
    {"then the rest is missing", "h1 e3 e4 e5 e6 e2 t t t", "+ + + x 2 3 4 5 n6"},
};

static void say(char *to, size_t size, const char *what, uint64_t number)
{
    size_t length = strlen(to);

    (void)snprintf(to + length, size - length, "%s%s", length > 0 && *what != ',' ? " " : "", what);
    length = strlen(to);
    if (number != 0)
        (void)snprintf(to + length, size - length, "%llu", (unsigned long long)number);
}

static void drain(struct lt_consumer *consumer, char *result, size_t size)
{
    const struct lt_early *early;

    while (consumer->ready && (early = lt_consumer_front(consumer)) != NULL) {
        ck_assert_uint_eq(early->length, 1);
        say(result, size, "", early->seq);
        lt_consumer_drop(consumer, &allocator);
        lt_consumer_done(consumer);
    }
}

static void come(struct lt_consumer *consumer, uint64_t seq, char *result, size_t size)
{
    /* A clone takes none before its handshake; here they wait for it. */
    enum lt_channel_order order =
        consumer->ready ? lt_consumer_event(consumer, seq) : LT_CHANNEL_EARLY;

    if (order == LT_CHANNEL_NOW) {
        say(result, size, "", seq);
        lt_consumer_done(consumer);
        drain(consumer, result, size);
    } else if (order == LT_CHANNEL_OLD) {
        say(result, size, "-", 0);
    } else {
        say(result, size, lt_consumer_keep(consumer, &allocator, seq, "x", 1) ? "+" : "x", 0);
    }
}

static void tick(struct lt_consumer *consumer, char *result, size_t size)
{
    uint64_t numbers[LT_CHANNEL_NACKED];
    size_t count, i;

    switch (lt_consumer_tick(consumer)) {
    case LT_CHANNEL_ACK:
        say(result, size, "a", consumer->next - 1);
        break;
    case LT_CHANNEL_NACKING:
        count = lt_consumer_missing(consumer, numbers);
        for (i = 0; i < count; i++)
            say(result, size, i == 0 ? "n" : ",", numbers[i]);
        break;
    case LT_CHANNEL_NOTHING:
    default:
        break;
    }
}

START_TEST(consumer_scripts)
{
    struct lt_early_limit limit = {0, 3, 0, 1000};
    struct lt_consumer consumer = {.limit = &limit};
    char result[512] = "", *end;
    const char *at = scripts[_i].script;

    while (*at != '\0') {
        char what = *at++;
        uint64_t number = strtoull(at, &end, 10), interval = 5, i;

        if (*end == '/')
            interval = strtoull(end + 1, &end, 10);
        at = *end == ' ' ? end + 1 : end;
        switch (what) {
        case 'h':
            if (!lt_consumer_handshake(&consumer, &allocator, number, interval))
                say(result, sizeof result, "!", 0);
            drain(&consumer, result, sizeof result);
            break;
        case 'e':
            come(&consumer, number, result, sizeof result);
            break;
        case 'k':
            lt_consumer_keepalive(&consumer, number);
            break;
        default:
            for (i = 0; i < (what == 'T' ? number : 1); i++)
                tick(&consumer, result, sizeof result);
            break;
        }
    }
    ck_assert_msg(strcmp(result, scripts[_i].result) == 0, "%s: %s", scripts[_i].name, result);
    lt_consumer_clear(&consumer, &allocator);
    ck_assert_uint_eq(limit.count, 0);
    ck_assert_uint_eq(limit.bytes, 0);
}
END_TEST

/* However far behind: a nack has at most so many numbers. */
START_TEST(long_nacks)
{
    struct lt_early_limit limit = {0, 1000, 0, 1000};
    struct lt_consumer consumer = {.limit = &limit};
    uint64_t numbers[LT_CHANNEL_NACKED], i;

    ck_assert(lt_consumer_handshake(&consumer, &allocator, 1, 5));
    lt_consumer_keepalive(&consumer, UINT64_MAX - 1);
    for (i = 4; i <= 200; i += 2)
        ck_assert(lt_consumer_keep(&consumer, &allocator, i, "x", 1));
    ck_assert_uint_eq(lt_consumer_missing(&consumer, numbers), LT_CHANNEL_NACKED);
    ck_assert_uint_eq(numbers[0], 2);
    ck_assert_uint_eq(numbers[1], 3);
    ck_assert_uint_eq(numbers[2], 5);
    ck_assert_uint_eq(numbers[LT_CHANNEL_NACKED - 1], 2 + LT_CHANNEL_NACKED - 1 + 99);
    lt_consumer_clear(&consumer, &allocator);
}
END_TEST

/* The limit is one for all consumers of an owner. */
START_TEST(limits_of_early_events)
{
    struct lt_early_limit limit = {0, 4, 0, 10};
    struct lt_consumer a = {.limit = &limit}, b = {.limit = &limit};

    ck_assert(lt_consumer_keep(&a, &allocator, 3, "12345", 5));
    ck_assert(!lt_consumer_keep(&b, &allocator, 3, "123456", 6));
    ck_assert(lt_consumer_keep(&b, &allocator, 3, "123", 3));
    ck_assert(!lt_consumer_keep(&b, &allocator, 4, "12345678901", 11));
    ck_assert(lt_consumer_keep(&b, &allocator, 4, "1", 1));
    ck_assert(lt_consumer_keep(&b, &allocator, 5, "1", 1));
    ck_assert(!lt_consumer_keep(&b, &allocator, 6, "", 0));
    lt_consumer_clear(&a, &allocator);
    ck_assert_uint_eq(limit.count, 3);
    ck_assert(lt_consumer_keep(&b, &allocator, 6, "12345", 5));
    lt_consumer_clear(&b, &allocator);
    ck_assert_uint_eq(limit.bytes, 0);
}
END_TEST

/* ----- producers ----- */

static uint64_t produce(struct lt_producer *producer, const char *text)
{
    ck_assert(lt_fifo_reserve(&producer->events, &allocator, strlen(text)));
    memcpy(lt_fifo_push(&producer->events, strlen(text)), text, strlen(text));
    return ++producer->seq;
}

START_TEST(producers)
{
    struct lt_producer producer;
    size_t length;

    lt_producer_init(&producer);
    ck_assert_ptr_null(lt_producer_event(&producer, 0, &length));
    ck_assert_ptr_null(lt_producer_event(&producer, 1, &length));
    ck_assert_uint_eq(produce(&producer, "two"), 2);
    ck_assert_uint_eq(produce(&producer, "three"), 3);
    ck_assert_uint_eq(produce(&producer, "four"), 4);
    ck_assert_ptr_null(lt_producer_event(&producer, 1, &length));
    ck_assert_int_eq(memcmp(lt_producer_event(&producer, 2, &length), "two", 3), 0);
    ck_assert_uint_eq(length, 3);
    ck_assert_int_eq(memcmp(lt_producer_event(&producer, 4, &length), "four", 4), 0);
    ck_assert_ptr_null(lt_producer_event(&producer, 5, &length));
    lt_producer_acknowledged(&producer, 1);
    ck_assert_ptr_nonnull(lt_producer_event(&producer, 2, &length));
    lt_producer_acknowledged(&producer, 3);
    ck_assert_ptr_null(lt_producer_event(&producer, 3, &length));
    ck_assert_int_eq(memcmp(lt_producer_event(&producer, 4, &length), "four", 4), 0);
    lt_producer_acknowledged(&producer, UINT64_MAX);
    ck_assert_ptr_null(lt_producer_event(&producer, 4, &length));
    ck_assert_uint_eq(lt_producer_floor(&producer), 4);
    ck_assert_uint_eq(produce(&producer, "five"), 5);
    ck_assert_int_eq(memcmp(lt_producer_event(&producer, 5, &length), "five", 4), 0);
    lt_fifo_free(&producer.events, &allocator);
}
END_TEST

START_TEST(keepalives)
{
    struct lt_producer producer;
    unsigned i, due = 0;

    lt_producer_init(&producer);
    for (i = 1; i <= 20; i++) {
        if (i == 12)
            producer.said = producer.ticks; /* an event before tick 12 */
        if (lt_producer_tick(&producer))
            due |= 1u << i;
    }
    ck_assert_uint_eq(due, 1u << 5 | 1u << 10 | 1u << 16);
}
END_TEST

/* ----- octets in order ----- */

START_TEST(octets_in_order)
{
    struct lt_fifo fifo = {NULL, 0, 0, 0, NULL, 0, 0, 0};
    uint64_t seed = 1, in = 0, out = 0;
    size_t length, i, most = 0;

    for (i = 0; i < 100000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        if ((seed >> 60) < 8 && lt_fifo_count(&fifo) < 50) {
            length = 1 + (size_t)(in % 37);
            ck_assert(lt_fifo_reserve(&fifo, &allocator, length));
            memset(lt_fifo_push(&fifo, length), (int)(in % 251), length);
            in++;
        } else if (lt_fifo_count(&fifo) > 0) {
            const uint8_t *at = lt_fifo_at(&fifo, 0, &length);

            ck_assert_uint_eq(length, 1 + out % 37);
            ck_assert_uint_eq(at[0], out % 251);
            ck_assert_uint_eq(at[length - 1], out % 251);
            at = lt_fifo_at(&fifo, lt_fifo_count(&fifo) - 1, &length);
            ck_assert_uint_eq(at[0], (in - 1) % 251);
            lt_fifo_pop(&fifo);
            out++;
        }
        ck_assert_uint_eq(lt_fifo_count(&fifo), in - out);
        most = lt_fifo_memory(&fifo) > most ? lt_fifo_memory(&fifo) : most;
    }
    ck_assert_uint_lt(most, 16384);
    lt_fifo_free(&fifo, &allocator);
    ck_assert(!lt_fifo_reserve(&fifo, &allocator, SIZE_MAX));
    lt_fifo_free(&fifo, &allocator);
}
END_TEST

static void tests(TCase *t)
{
    allocator = lt_allocator(NULL);
    tcase_add_loop_test(t, consumer_scripts, 0, (int)(sizeof scripts / sizeof *scripts));
    tcase_add_test(t, long_nacks);
    tcase_add_test(t, limits_of_early_events);
    tcase_add_test(t, producers);
    tcase_add_test(t, keepalives);
    tcase_add_test(t, octets_in_order);
}

T_MAIN("broker/channel", tests)
