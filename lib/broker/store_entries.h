/*
 * The entries of a store: octets of keys to octets of values, in a balanced tree, so that nobody can
 * choose keys that make it slow; and those that expire, the first one first.
 */
#ifndef LT_BROKER_STORE_ENTRIES_H
#define LT_BROKER_STORE_ENTRIES_H

#include "../core/memory.h"

#include <stdbool.h>

#define LT_NEVER UINT64_MAX

struct lt_entry {
    struct lt_entry *up;
    struct lt_entry *child[2];
    uint64_t due_ms; /* when it expires, or LT_NEVER */
    uint8_t *value;
    size_t place; /* among those that expire */
    uint32_t value_length;
    uint32_t key_length;
    int8_t balance; /* levels on the right minus levels on the left */
    bool stale;     /* for whoever replaces all of them */
    uint8_t key[];
};

/* Zeroed: empty. */
struct lt_entries {
    struct lt_entry *root;
    struct lt_entry **due; /* a heap */
    size_t due_count;
    size_t due_size;
    uint64_t count;
    uint64_t bytes; /* of keys and values */
};

struct lt_entry *lt_entries_find(const struct lt_entries *entries, const uint8_t *key,
                                 size_t length);
/* In the order of the octets of the keys. key NULL: the first; else the first behind it. */
struct lt_entry *lt_entries_after(const struct lt_entries *entries, const uint8_t *key,
                                  size_t length);
struct lt_entry *lt_entry_next(const struct lt_entry *entry);

/* An entry that is in no store yet, without a value; NULL: no memory. */
struct lt_entry *lt_entry_new(const leat_allocator *allocator, const uint8_t *key, size_t length);
void lt_entry_free(struct lt_entry *entry, const leat_allocator *allocator);

/* Puts it in; its key must not be there. */
void lt_entries_insert(struct lt_entries *entries, struct lt_entry *entry);
/* Takes it out, and frees it. */
void lt_entries_remove(struct lt_entries *entries, struct lt_entry *entry,
                       const leat_allocator *allocator);

/* Gives it a value, which becomes its own; the one before it is freed. */
void lt_entries_set(struct lt_entries *entries, struct lt_entry *entry, uint8_t *value,
                    size_t length, const leat_allocator *allocator);

/* Makes room, so that lt_entries_expire() cannot fail. */
bool lt_entries_reserve(struct lt_entries *entries, const leat_allocator *allocator);
void lt_entries_expire(struct lt_entries *entries, struct lt_entry *entry, uint64_t due_ms);
/* The one that expires first; NULL: none does. */
static inline struct lt_entry *lt_entries_due(const struct lt_entries *entries)
{
    return entries->due_count == 0 ? NULL : entries->due[0];
}

void lt_entries_free(struct lt_entries *entries, const leat_allocator *allocator);
size_t lt_entries_memory(const struct lt_entries *entries);

#endif
