/* Sorting: whatever the order, the size of items and what is the same. */
#include "support.h"

#include "sort.h"

static size_t compared;

/* By the first octet; the context says which way. */
static int compare(const void *context, const void *a, const void *b)
{
    int way = *(const int *)context;

    compared++;
    return way * (*(const uint8_t *)a - *(const uint8_t *)b);
}

static uint32_t draw(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 24;
}

/* Items of so many octets, each filled with its rank or with what was drawn. */
static const struct {
    const char *name;
    size_t bytes;
    uint32_t below; /* ranks are below that */
} kinds[] = {
    {"octets", 1, 256},
    {"few ranks", 3, 4},
    {"all the same", 12, 1},
    {"the largest", 64, 256},
};

START_TEST(random_items)
{
    size_t bytes = kinds[_i].bytes, count;
    uint32_t seed = 1;
    int way;

    for (way = -1; way <= 1; way += 2) {
        for (count = 0; count <= 130; count++) {
            uint8_t items[130 * 64] = {0};
            size_t seen[256] = {0}, i, log = 1;

            for (i = 0; i < count; i++) {
                uint8_t rank = (uint8_t)(draw(&seed) % kinds[_i].below);

                memset(items + i * bytes, rank, bytes);
                seen[rank]++;
            }
            while ((size_t)1 << log < count)
                log++;
            compared = 0;
            lt_sort(items, count, bytes, compare, &way);
            ck_assert_uint_le(compared, 2 * count * (log + 1));
            for (i = 0; i < count; i++) {
                const uint8_t *item = items + i * bytes;
                size_t j;

                for (j = 1; j < bytes; j++)
                    ck_assert_uint_eq(item[j], item[0]);
                if (i > 0)
                    ck_assert_int_le(way * (item[0 - (ptrdiff_t)bytes] - item[0]), 0);
                seen[item[0]]--;
            }
            for (i = 0; i < 256; i++)
                ck_assert_uint_eq(seen[i], 0);
        }
    }
}
END_TEST

/* What is in order already is looked at once. */
START_TEST(in_order)
{
    uint8_t items[200];
    size_t i;
    int way = 1;

    for (i = 0; i < sizeof items; i++)
        items[i] = (uint8_t)(i / 2);
    compared = 0;
    lt_sort(items, sizeof items, 1, compare, &way);
    ck_assert_uint_eq(compared, sizeof items - 1);
    for (i = 0; i < sizeof items; i++)
        ck_assert_uint_eq(items[i], i / 2);
    lt_sort(NULL, 0, 1, compare, &way);
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_loop_test(tc, random_items, 0, sizeof kinds / sizeof *kinds);
    tcase_add_test(tc, in_order);
}

T_MAIN("core/sort", tests)
