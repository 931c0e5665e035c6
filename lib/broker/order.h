/*
 * Broker's order of values, and sets and tables that keep to it.
 *
 * Broker writes sets and tables ascending, takes them in any order, and refuses a value that holds
 * an element or key twice. So a reader or writer compares each element with the one before it,
 * which is all there is to do for what Broker itself wrote; if one does not ascend,
 * lt_broker_sort() puts the whole value in order at the end.
 */
#ifndef LT_BROKER_ORDER_H
#define LT_BROKER_ORDER_H

#include "../core/bytes.h"
#include "../core/value.h"

/* The 16 octets of an address, IPv4 as ::ffff:a.b.c.d. */
void lt_broker_address(const leat_value *address, uint8_t octets[16]);

/* The 16 octets of a subnet's address, those bits cleared that its prefix does not cover. */
void lt_broker_network(const uint8_t address[16], size_t prefix, uint8_t network[16]);

/*
 * Negative, 0 or positive as a stands before b, is the same, or stands behind it, by what would be
 * written of them. Sets and tables inside must ascend. NaN, which has no place in an order, is the
 * same as every real.
 */
int lt_broker_compare(const leat_value *a, const leat_value *b);

/*
 * Puts every set and table of the value at that cell in order. LEAT_E_VALUE: *twice is the cell of
 * an element or key that is there twice; or LEAT_E_LIMIT, LEAT_E_NOMEM. However the value is
 * nested, this is linear apart from the sorting itself; the memory is the tree's arena.
 */
int lt_broker_sort(struct lt_tree *tree, size_t root, size_t *twice);

/* A container that is open, as readers and writers keep track of it. */
struct lt_broker_level {
    size_t cell; /* the container */
    size_t left; /* values to come; of a table keys and values */
    size_t skip; /* the next value is to ascend if left & skip is 0 */
    size_t last; /* the cell that it must come behind; 0: none yet */
};

#define LT_BROKER_SKIP_NONE   ((size_t)0) /* a set */
#define LT_BROKER_SKIP_VALUES ((size_t)1) /* a table: an even number is left when a key comes */
#define LT_BROKER_SKIP_ALL    SIZE_MAX

static inline struct lt_broker_level lt_broker_level(size_t cell, const leat_value *container)
{
    struct lt_broker_level level = {cell, container->length, LT_BROKER_SKIP_ALL, 0};

    if (container->kind == LEAT_SET) {
        level.skip = LT_BROKER_SKIP_NONE;
    } else if (container->kind == LEAT_TABLE) {
        level.skip = LT_BROKER_SKIP_VALUES;
        level.left *= 2;
    }
    return level;
}

/* The level of a value that is in no container. */
static inline struct lt_broker_level lt_broker_outside(void)
{
    struct lt_broker_level level = {0, 1, LT_BROKER_SKIP_ALL, 0};
    return level;
}

/* memcmp() for octets that mostly differ before its call would be worth while. */
static inline int lt_broker_compare_octets(const uint8_t *a, const uint8_t *b, size_t length)
{
    if (length >= 8) {
        uint64_t of_a = lt_load_u64be(a), of_b = lt_load_u64be(b);

        if (of_a == of_b &&
            length <= 16) { /* so that it does not matter if the last eight overlap them */
            of_a = lt_load_u64be(a + length - 8);
            of_b = lt_load_u64be(b + length - 8);
        } else if (of_a == of_b) {
            return memcmp(a + 8, b + 8, length - 8);
        }
        return (of_a > of_b) - (of_a < of_b);
    }
    for (; length > 0; a++, b++, length--) {
        if (*a != *b)
            return *a - *b;
    }
    return 0;
}

/* As lt_broker_compare(), for two texts. */
static inline int lt_broker_compare_texts(const leat_value *a, const leat_value *b)
{
    size_t shorter = a->length < b->length ? a->length : b->length;
    int difference = lt_broker_compare_octets(a->u.bytes, b->u.bytes, shorter);

    return difference != 0 ? difference : (a->length > b->length) - (a->length < b->length);
}

/*
 * Takes the finished value at cells[index] as the next of its level. Positive if it ascends, or
 * need not; 0 if it is the same as the one before, negative if it stands before that one.
 */
static inline int lt_broker_next(struct lt_broker_level *level, const leat_value *cells,
                                 size_t index)
{
    size_t last = level->last;

    if ((level->left-- & level->skip) != 0)
        return 1;
    level->last = index;
    return last == 0 ? 1 : lt_broker_compare(&cells[index], &cells[last]);
}

/*
 * Takes the values at cells[first], which are known to ascend, as the next count ones of their
 * level.
 */
static inline void lt_broker_skip(struct lt_broker_level *level, size_t first, size_t count)
{
    level->left -= count;
    if (count > 0)
        level->last = first + count - 1;
}

#endif
