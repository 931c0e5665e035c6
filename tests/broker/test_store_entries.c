/* The tree of entries and the heap of those that expire, against plain arrays. */
#include "../../lib/broker/store_entries.h"

#include "support.h"

#define KEYS 512u

static leat_allocator allocator;

/* The height, if the tree is sound: links, order, balance. */
static int height(const struct lt_entry *entry, const struct lt_entry *up, size_t *count)
{
    int left, right;

    if (entry == NULL)
        return 0;
    ++*count;
    ck_assert_ptr_eq(entry->up, up);
    left = height(entry->child[0], entry, count);
    right = height(entry->child[1], entry, count);
    ck_assert_int_eq(right - left, entry->balance);
    ck_assert_int_le(right - left, 1);
    ck_assert_int_ge(right - left, -1);
    return 1 + (left > right ? left : right);
}

static void check(const struct lt_entries *entries, const uint64_t *due)
{
    const struct lt_entry *entry = lt_entries_after(entries, NULL, 0);
    size_t count = 0, walked = 0, heap = 0, i;

    (void)height(entries->root, NULL, &count);
    ck_assert_uint_eq(count, entries->count);
    for (i = 0; i < KEYS; i++) {
        uint8_t key[2] = {(uint8_t)(i >> 8), (uint8_t)i};

        ck_assert((lt_entries_find(entries, key, 2) != NULL) == (due[i] != 0));
        if (due[i] == 0)
            continue;
        ck_assert_ptr_nonnull(entry);
        ck_assert_int_eq(memcmp(entry->key, key, 2), 0);
        ck_assert_uint_eq(entry->due_ms, due[i]);
        ck_assert_ptr_eq(lt_entries_after(entries, key, 2), lt_entry_next(entry));
        entry = lt_entry_next(entry);
        walked++;
        heap += due[i] != LT_NEVER;
    }
    ck_assert_ptr_null(entry);
    ck_assert_uint_eq(walked, count);
    ck_assert_uint_eq(heap, entries->due_count);
    for (i = 0; i < entries->due_count; i++) {
        ck_assert_uint_eq(entries->due[i]->place, i);
        ck_assert_uint_le(entries->due[(i + (i == 0) - 1) / 2]->due_ms, entries->due[i]->due_ms);
    }
}

START_TEST(random_work)
{
    struct lt_entries entries = {NULL, NULL, 0, 0, 0, 0};
    uint64_t due[KEYS] = {0}, seed = (uint64_t)_i + 1;
    size_t round;

    for (round = 0; round < 4000; round++) {
        size_t key;
        uint8_t octets[2];
        struct lt_entry *entry;

        seed = seed * 6364136223846793005u + 1442695040888963407u;
        /* All ascending, all descending, then at random. */
        key = _i == 0 ? round % KEYS : _i == 1 ? KEYS - 1 - round % KEYS : (seed >> 40) % KEYS;
        octets[0] = (uint8_t)(key >> 8);
        octets[1] = (uint8_t)key;
        entry = lt_entries_find(&entries, octets, 2);
        if (entry == NULL) {
            entry = lt_entry_new(&allocator, octets, 2);
            lt_entries_insert(&entries, entry);
            due[key] = LT_NEVER;
        } else if ((seed >> 33) % 3 == 0) {
            lt_entries_remove(&entries, entry, &allocator);
            due[key] = 0;
            entry = NULL;
        }
        if (entry != NULL && (seed >> 35) % 2 == 0) {
            ck_assert(lt_entries_reserve(&entries, &allocator));
            due[key] = (seed >> 37) % 5 == 0 ? LT_NEVER : 1 + (seed >> 38) % 100;
            lt_entries_expire(&entries, entry, due[key]);
        }
        if (round % 61 == 0)
            check(&entries, due);
    }
    check(&entries, due);
    lt_entries_free(&entries, &allocator);
    ck_assert_uint_eq(entries.count, 0);
}
END_TEST

/* Keys of other lengths: a prefix stands before what begins with it. */
START_TEST(lengths)
{
    struct lt_entries entries = {NULL, NULL, 0, 0, 0, 0};
    const char *keys[] = {"", "a", "aa", "ab", "b"};
    const struct lt_entry *entry;
    size_t i;

    for (i = 0; i < 5; i++)
        lt_entries_insert(&entries, lt_entry_new(&allocator, (const uint8_t *)keys[(i * 3) % 5],
                                                 strlen(keys[(i * 3) % 5])));
    entry = lt_entries_after(&entries, NULL, 0);
    for (i = 0; i < 5; i++, entry = lt_entry_next(entry))
        ck_assert(entry->key_length == strlen(keys[i]) &&
                  memcmp(entry->key, keys[i], entry->key_length) == 0);
    ck_assert_ptr_eq(lt_entries_after(&entries, (const uint8_t *)"aaz", 3),
                     lt_entries_find(&entries, (const uint8_t *)"ab", 2));
    ck_assert_ptr_null(lt_entries_find(&entries, (const uint8_t *)"aaz", 3));
    lt_entries_free(&entries, &allocator);
}
END_TEST

static void tests(TCase *t)
{
    allocator = lt_allocator(NULL);
    tcase_add_loop_test(t, random_work, 0, 6);
    tcase_add_test(t, lengths);
}

T_MAIN("broker/store_entries", tests)
