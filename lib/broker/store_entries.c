#include "store_entries.h"

#include <string.h>

static int compare(const uint8_t *key, size_t length, const struct lt_entry *entry)
{
    size_t shorter = length < entry->key_length ? length : entry->key_length;
    int difference = memcmp(key, entry->key, shorter);

    return difference != 0 ? difference
                           : (length > entry->key_length) - (length < entry->key_length);
}

struct lt_entry *lt_entries_find(const struct lt_entries *entries, const uint8_t *key,
                                 size_t length)
{
    struct lt_entry *entry = entries->root;

    while (entry != NULL) {
        int difference = compare(key, length, entry);

        if (difference == 0)
            break;
        entry = entry->child[difference > 0];
    }
    return entry;
}

struct lt_entry *lt_entries_after(const struct lt_entries *entries, const uint8_t *key,
                                  size_t length)
{
    struct lt_entry *entry = entries->root, *found = NULL;

    while (entry != NULL) {
        bool behind = key == NULL || compare(key, length, entry) < 0;

        if (behind)
            found = entry;
        entry = entry->child[!behind];
    }
    return found;
}

struct lt_entry *lt_entry_next(const struct lt_entry *entry)
{
    struct lt_entry *next = entry->child[1];

    if (next != NULL) {
        while (next->child[0] != NULL)
            next = next->child[0];
        return next;
    }
    for (next = entry->up; next != NULL && next->child[1] == entry; next = next->up)
        entry = next;
    return next;
}

struct lt_entry *lt_entry_new(const leat_allocator *allocator, const uint8_t *key, size_t length)
{
    struct lt_entry *entry;

    if (length > SIZE_MAX - sizeof *entry)
        return NULL;
    entry = (struct lt_entry *)lt_resize(allocator, NULL, 0, sizeof *entry + length);
    if (entry == NULL)
        return NULL;
    memset(entry, 0, sizeof *entry);
    entry->due_ms = LT_NEVER;
    entry->key_length = (uint32_t)length;
    memcpy(entry->key, key, length);
    return entry;
}

void lt_entry_free(struct lt_entry *entry, const leat_allocator *allocator)
{
    if (entry == NULL)
        return;
    lt_free(allocator, entry->value, entry->value_length);
    lt_free(allocator, entry, sizeof *entry + entry->key_length);
}

/* ----- the tree: of no entry one side is higher than the other by more than one ----- */

static unsigned side_of(const struct lt_entry *entry)
{
    return entry->up != NULL && entry->up->child[1] == entry;
}

/* What pointed to an entry points to another one. */
static void replace(struct lt_entries *entries, const struct lt_entry *entry, struct lt_entry *by)
{
    if (entry->up == NULL)
        entries->root = by;
    else
        entry->up->child[side_of(entry)] = by;
    if (by != NULL)
        by->up = entry->up;
}

/* Moves the child of that side up, and the entry down to the other side. */
static struct lt_entry *rotate(struct lt_entries *entries, struct lt_entry *entry, unsigned side)
{
    struct lt_entry *top = entry->child[side];
    struct lt_entry *inner = top->child[!side];

    replace(entries, entry, top);
    entry->child[side] = inner;
    if (inner != NULL)
        inner->up = entry;
    top->child[!side] = entry;
    entry->up = top;
    return top;
}

/* An entry is too high on that side by one. Returns what stands in its place then. */
static struct lt_entry *restore(struct lt_entries *entries, struct lt_entry *entry, unsigned side)
{
    int8_t lean = side == 1 ? 1 : -1;
    struct lt_entry *child = entry->child[side];
    struct lt_entry *top;

    if (child->balance != -lean) {
        bool level = child->balance == 0; /* only after a removal */

        top = rotate(entries, entry, side);
        top->balance = level ? (int8_t)-lean : 0;
        entry->balance = level ? lean : 0;
        return top;
    }
    (void)rotate(entries, child, !side);
    top = rotate(entries, entry, side);
    entry->balance = top->balance == lean ? (int8_t)-lean : 0;
    child->balance = top->balance == -lean ? lean : 0;
    top->balance = 0;
    return top;
}

void lt_entries_insert(struct lt_entries *entries, struct lt_entry *entry)
{
    struct lt_entry **at = &entries->root;
    struct lt_entry *up = NULL;

    while (*at != NULL) {
        up = *at;
        at = &up->child[compare(entry->key, entry->key_length, up) > 0];
    }
    *at = entry;
    entry->up = up;
    entries->count++;
    entries->bytes += entry->key_length + (uint64_t)entry->value_length;
    for (; up != NULL; entry = up, up = up->up) {
        unsigned side = side_of(entry);
        int8_t lean = side == 1 ? 1 : -1;

        if (up->balance == lean) {
            (void)restore(entries, up, side);
            return;
        }
        up->balance = (int8_t)(up->balance + lean);
        if (up->balance == 0)
            return;
    }
}

/* Below entry that side became lower by one. */
static void lowered(struct lt_entries *entries, struct lt_entry *entry, unsigned side)
{
    while (entry != NULL) {
        int8_t lean = side == 1 ? 1 : -1;
        struct lt_entry *up = entry->up;
        unsigned next = side_of(entry);

        if (entry->balance == -lean) {
            entry = restore(entries, entry, !side);
            if (entry->balance != 0)
                return;
        } else {
            entry->balance = (int8_t)(entry->balance - lean);
            if (entry->balance != 0)
                return;
        }
        entry = up;
        side = next;
    }
}

/* Changes places with the next entry, which has no left child. */
static void swap_with_next(struct lt_entries *entries, struct lt_entry *entry)
{
    struct lt_entry *next = lt_entry_next(entry);
    struct lt_entry *up = next->up, *right = next->child[1];

    next->balance = entry->balance;
    replace(entries, entry, next);
    next->child[0] = entry->child[0];
    next->child[0]->up = next;
    if (up == entry) {
        next->child[1] = entry;
        entry->up = next;
    } else {
        next->child[1] = entry->child[1];
        next->child[1]->up = next;
        up->child[0] = entry;
        entry->up = up;
    }
    entry->child[0] = NULL;
    entry->child[1] = right;
    if (right != NULL)
        right->up = entry;
}

void lt_entries_remove(struct lt_entries *entries, struct lt_entry *entry,
                       const leat_allocator *allocator)
{
    struct lt_entry *up;
    unsigned side;

    lt_entries_expire(entries, entry, LT_NEVER);
    if (entry->child[0] != NULL && entry->child[1] != NULL)
        swap_with_next(entries, entry);
    up = entry->up;
    side = side_of(entry);
    replace(entries, entry, entry->child[entry->child[0] == NULL]);
    lowered(entries, up, side);
    entries->count--;
    entries->bytes -= entry->key_length + (uint64_t)entry->value_length;
    lt_entry_free(entry, allocator);
}

void lt_entries_set(struct lt_entries *entries, struct lt_entry *entry, uint8_t *value,
                    size_t length, const leat_allocator *allocator)
{
    entries->bytes = entries->bytes - entry->value_length + length;
    lt_free(allocator, entry->value, entry->value_length);
    entry->value = value;
    entry->value_length = (uint32_t)length;
}

/* ----- what expires ----- */

bool lt_entries_reserve(struct lt_entries *entries, const leat_allocator *allocator)
{
    void *due = entries->due;
    bool grown = lt_grow(allocator, &due, &entries->due_size, entries->due_count + 1,
                         sizeof(struct lt_entry *));

    entries->due = (struct lt_entry **)due;
    return grown;
}

static void settle(struct lt_entries *entries, struct lt_entry *entry, size_t place)
{
    entries->due[place] = entry;
    entry->place = place;
}

/* Finds the place of an entry that may stand anywhere, from a place that is free. */
static void sift(struct lt_entries *entries, struct lt_entry *entry, size_t place)
{
    while (place > 0 && entry->due_ms < entries->due[(place - 1) / 2]->due_ms) {
        settle(entries, entries->due[(place - 1) / 2], place);
        place = (place - 1) / 2;
    }
    for (;;) {
        size_t below = place * 2 + 1;

        if (below + 1 < entries->due_count &&
            entries->due[below + 1]->due_ms < entries->due[below]->due_ms)
            below++;
        if (below >= entries->due_count || entry->due_ms <= entries->due[below]->due_ms)
            break;
        settle(entries, entries->due[below], place);
        place = below;
    }
    settle(entries, entry, place);
}

void lt_entries_expire(struct lt_entries *entries, struct lt_entry *entry, uint64_t due_ms)
{
    bool there = entry->due_ms != LT_NEVER;
    struct lt_entry *last;

    entry->due_ms = due_ms;
    if (due_ms != LT_NEVER) {
        sift(entries, entry, there ? entry->place : entries->due_count++);
    } else if (there) {
        last = entries->due[--entries->due_count];
        if (last != entry)
            sift(entries, last, entry->place);
    }
}

/* ----- all ----- */

void lt_entries_free(struct lt_entries *entries, const leat_allocator *allocator)
{
    struct lt_entry *entry = entries->root;

    while (entry != NULL) {
        struct lt_entry *up = entry->up;
        struct lt_entry *below = entry->child[0] != NULL ? entry->child[0] : entry->child[1];

        if (below == NULL && up != NULL)
            up->child[side_of(entry)] = NULL;
        if (below == NULL)
            lt_entry_free(entry, allocator);
        entry = below == NULL ? up : below;
    }
    lt_free(allocator, entries->due, entries->due_size * sizeof(struct lt_entry *));
    memset(entries, 0, sizeof *entries);
}

size_t lt_entries_memory(const struct lt_entries *entries)
{
    return (size_t)entries->count * sizeof(struct lt_entry) + (size_t)entries->bytes +
           entries->due_size * sizeof(struct lt_entry *);
}
