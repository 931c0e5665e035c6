#include "sort.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#define ITEM_BYTES_MAX 64u

struct heap {
    uint8_t *items;
    size_t item_bytes;
    lt_compare compare;
    const void *context;
};

/* Lets the item at that place sink to its own, in a heap of count of them. */
static void sink(const struct heap *heap, size_t place, size_t count)
{
    size_t bytes = heap->item_bytes;
    _Alignas(max_align_t) uint8_t item[ITEM_BYTES_MAX];

    memcpy(item, heap->items + place * bytes, bytes);
    while (count > 1 && place <= (count - 2) / 2) {
        uint8_t *child = heap->items + (2 * place + 1) * bytes;

        if (2 * place + 2 < count && heap->compare(heap->context, child, child + bytes) < 0)
            child += bytes;
        if (heap->compare(heap->context, item, child) >= 0)
            break;
        memcpy(heap->items + place * bytes, child, bytes);
        place = (size_t)(child - heap->items) / bytes;
    }
    memcpy(heap->items + place * bytes, item, bytes);
}

void lt_sort(void *items, size_t count, size_t item_bytes, lt_compare compare, const void *context)
{
    const struct heap heap = {(uint8_t *)items, item_bytes, compare, context};
    size_t i;

    assert(item_bytes <= ITEM_BYTES_MAX);
    for (i = 1; i < count; i++) {
        if (compare(context, heap.items + (i - 1) * item_bytes, heap.items + i * item_bytes) > 0)
            break;
    }
    if (i >= count) /* they mostly ascend already */
        return;
    for (i = count / 2; i > 0; i--)
        sink(&heap, i - 1, count);
    for (i = count - 1; i > 0; i--) {
        _Alignas(max_align_t) uint8_t item[ITEM_BYTES_MAX];

        memcpy(item, heap.items, item_bytes);
        memcpy(heap.items, heap.items + i * item_bytes, item_bytes);
        memcpy(heap.items + i * item_bytes, item, item_bytes);
        sink(&heap, 0, i);
    }
}
