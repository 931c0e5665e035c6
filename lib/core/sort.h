/*
 * Sorting in place: no memory, which the C library may ask for behind our back, no recursion, and never
 * more than n log n steps.
 */
#ifndef LT_SORT_H
#define LT_SORT_H

#include <stddef.h>

/* Negative, 0 or positive as a stands before b, is the same, or stands behind it. */
typedef int (*lt_compare)(const void *context, const void *a, const void *b);

/* Puts count items of item_bytes, at most 64, in ascending order; what is the same in any order. */
void lt_sort(void *items, size_t count, size_t item_bytes, lt_compare compare, const void *context);

#endif
