/* What waits for a link: order, what is dropped, and who holds the octets. */
#include "../../lib/broker/outbox.h"

#include "support.h"

static struct t_counter counter;

/* Puts one in that is so many times its letter; capitals are controls. */
static void push(struct lt_outbox *outbox, char letter, size_t length)
{
    struct lt_parcel *parcel = lt_parcel_new(&counter.allocator, length);

    ck_assert_ptr_nonnull(parcel);
    memset(parcel->octets, letter, length);
    ck_assert(lt_outbox_reserve(outbox, &counter.allocator));
    lt_outbox_push(outbox, parcel, letter < 'a');
    lt_parcel_drop(parcel, &counter.allocator);
}

static void pour(struct lt_outbox *outbox, size_t most, const char *expected)
{
    struct lt_writer out = lt_writer(&counter.allocator, SIZE_MAX);

    lt_outbox_pour(outbox, &counter.allocator, &out, most);
    ck_assert_uint_eq(out.length, strlen(expected));
    if (out.length > 0)
        ck_assert_mem_eq(out.data, expected, out.length);
    lt_writer_free(&out);
}

static void end(struct lt_outbox *outbox)
{
    lt_outbox_free(outbox, &counter.allocator);
    ck_assert_uint_eq(outbox->bytes, 0);
    ck_assert_uint_eq(counter.now, 0);
}

START_TEST(in_order)
{
    struct lt_outbox outbox = {0};

    t_counter_init(&counter);
    pour(&outbox, 100, "");
    push(&outbox, 'a', 3);
    push(&outbox, 'B', 2);
    push(&outbox, 'c', 1);
    ck_assert_uint_eq(outbox.bytes, 6);
    ck_assert_uint_eq(outbox.controls, 1);
    pour(&outbox, 2, "aa");
    ck_assert_uint_eq(outbox.taken, 2);
    ck_assert_uint_eq(outbox.sent, 0);
    pour(&outbox, 3, "aBB");
    ck_assert_uint_eq(outbox.sent, 2);
    ck_assert_uint_eq(outbox.controls, 0);
    lt_outbox_trim(&outbox, &counter.allocator);
    ck_assert_uint_gt(outbox.size, 0);
    pour(&outbox, 100, "c");
    lt_outbox_trim(&outbox, &counter.allocator);
    ck_assert_uint_eq(counter.now, 0);
    push(&outbox, 'd', 1);
    pour(&outbox, 100, "d");
    end(&outbox);
}
END_TEST

/* The ring turns, and grows while it is turned. */
START_TEST(ring)
{
    struct lt_outbox outbox = {0};
    char expected[64] = "", *at = expected;
    size_t i;

    t_counter_init(&counter);
    for (i = 0; i < 6; i++)
        push(&outbox, 'x', 1);
    pour(&outbox, 6, "xxxxxx");
    for (i = 0; i < 26; i++) {
        push(&outbox, (char)('a' + i), 1);
        *at++ = (char)('a' + i);
    }
    *at = '\0';
    ck_assert_uint_eq(outbox.count, 26);
    ck_assert_uint_eq(outbox.size, 32);
    pour(&outbox, 100, expected);
    ck_assert_uint_eq(outbox.sent, 32);
    end(&outbox);
}
END_TEST

/* What is dropped of what waits, after so many octets of it have gone. */
static const struct {
    const char *waits;
    size_t gone;
    size_t drops;
    const char *stays;
} drops[] = {
    {"aabbcc", 0, 1, "bbcc"},         {"aabbcc", 0, 3, ""},       {"aabbcc", 0, 4, ""},
    {"aabbcc", 1, 1, "acc"},          {"aabbcc", 1, 9, "a"},      {"aabbcc", 2, 1, "cc"},
    {"AAbbcc", 0, 1, "AAcc"},         {"AABBcc", 0, 9, "AABB"},   {"aaBBcc", 1, 1, "aBB"},
    {"AAbbcc", 1, 1, "Acc"},          {"AAbbCCdd", 0, 2, "AACC"}, {"AABBCC", 0, 1, "AABBCC"},
    {"AAbbCCddee", 0, 1, "AACCddee"},
};

START_TEST(drop_oldest)
{
    size_t i, count = strlen(drops[_i].waits) / 2, turn, can = 0;

    for (turn = 0; turn < 9; turn++) {
        struct lt_outbox outbox = {0};
        char gone[16] = "";

        t_counter_init(&counter);
        for (i = 0; i < turn; i++) {
            push(&outbox, 'x', 1);
            pour(&outbox, 1, "x");
        }
        for (i = 0; i < count; i++)
            push(&outbox, drops[_i].waits[2 * i], 2);
        memcpy(gone, drops[_i].waits, drops[_i].gone);
        pour(&outbox, drops[_i].gone, gone);
        can = lt_outbox_droppable(&outbox);
        for (i = 0; i < drops[_i].drops; i++)
            ck_assert_int_eq(lt_outbox_drop_oldest(&outbox, &counter.allocator), i < can);
        ck_assert_uint_eq(outbox.bytes - outbox.taken, strlen(drops[_i].stays));
        pour(&outbox, 100, drops[_i].stays);
        end(&outbox);
    }
}
END_TEST

/* A parcel is there once, and goes with the last who has it. */
START_TEST(shared)
{
    struct lt_outbox boxes[100] = {{0}};
    struct lt_parcel *parcel;
    size_t i, before;

    t_counter_init(&counter);
    for (i = 0; i < 100; i++)
        ck_assert(lt_outbox_reserve(&boxes[i], &counter.allocator));
    before = counter.now;
    parcel = lt_parcel_new(&counter.allocator, 1 << 20);
    ck_assert_ptr_nonnull(parcel);
    memset(parcel->octets, 'x', 1 << 20);
    for (i = 0; i < 100; i++)
        lt_outbox_push(&boxes[i], parcel, false);
    lt_parcel_drop(parcel, &counter.allocator);
    ck_assert_uint_lt(counter.now, before + (1 << 20) + 64);
    for (i = 0; i < 100; i++) {
        if (i % 2 == 0)
            (void)lt_outbox_drop_oldest(&boxes[i], &counter.allocator);
        ck_assert_uint_gt(counter.now, 1 << 20);
        lt_outbox_free(&boxes[i], &counter.allocator);
    }
    ck_assert_uint_eq(counter.now, 0);
    lt_parcel_drop(NULL, &counter.allocator);
    ck_assert_ptr_null(lt_parcel_new(&counter.allocator, SIZE_MAX));
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_test(tc, in_order);
    tcase_add_test(tc, ring);
    tcase_add_loop_test(tc, drop_oldest, 0, sizeof drops / sizeof *drops);
    tcase_add_test(tc, shared);
}

T_MAIN("broker/outbox", tests)
