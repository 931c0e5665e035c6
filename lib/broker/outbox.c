#include "outbox.h"

#include <string.h>

static size_t parcel_bytes(size_t length)
{
    return sizeof(struct lt_parcel) + length;
}

struct lt_parcel *lt_parcel_new(const leat_allocator *allocator, size_t length)
{
    struct lt_parcel *parcel = NULL;

    if (length <= SIZE_MAX / 2)
        parcel = (struct lt_parcel *)lt_resize(allocator, NULL, 0, parcel_bytes(length));
    if (parcel != NULL) {
        parcel->references = 1;
        parcel->length = length;
    }
    return parcel;
}

void lt_parcel_drop(struct lt_parcel *parcel, const leat_allocator *allocator)
{
    if (parcel != NULL && --parcel->references == 0)
        lt_free(allocator, parcel, parcel_bytes(parcel->length));
}

/* The item so many places behind the first. */
static struct lt_outbox_item *item_at(const struct lt_outbox *outbox, uint32_t place)
{
    return &outbox->items[(outbox->first + place) & (outbox->size - 1)];
}

static void shift(struct lt_outbox *outbox, const leat_allocator *allocator)
{
    struct lt_outbox_item *first = item_at(outbox, 0);

    outbox->bytes -= first->parcel->length;
    outbox->controls -= first->control;
    lt_parcel_drop(first->parcel, allocator);
    outbox->first = (outbox->first + 1) & (outbox->size - 1);
    outbox->count--;
    outbox->taken = 0;
}

void lt_outbox_free(struct lt_outbox *outbox, const leat_allocator *allocator)
{
    while (outbox->count > 0)
        shift(outbox, allocator);
    lt_outbox_trim(outbox, allocator);
}

void lt_outbox_trim(struct lt_outbox *outbox, const leat_allocator *allocator)
{
    if (outbox->count > 0)
        return;
    lt_free(allocator, outbox->items, outbox->size * sizeof *outbox->items);
    outbox->items = NULL;
    outbox->size = outbox->first = 0;
}

bool lt_outbox_reserve(struct lt_outbox *outbox, const leat_allocator *allocator)
{
    uint32_t i, size = outbox->size == 0 ? 8 : outbox->size * 2;
    struct lt_outbox_item *items;

    if (outbox->count < outbox->size)
        return true;
    if (size > UINT32_MAX / 4 / sizeof *items)
        return false;
    items = (struct lt_outbox_item *)lt_resize(allocator, NULL, 0, size * sizeof *items);
    if (items == NULL)
        return false;
    for (i = 0; i < outbox->count; i++)
        items[i] = *item_at(outbox, i);
    lt_free(allocator, outbox->items, outbox->size * sizeof *items);
    outbox->items = items;
    outbox->size = size;
    outbox->first = 0;
    return true;
}

void lt_outbox_push(struct lt_outbox *outbox, struct lt_parcel *parcel, bool control)
{
    const struct lt_outbox_item item = {parcel, control, false};

    parcel->references++;
    outbox->bytes += parcel->length;
    outbox->controls += control;
    *item_at(outbox, outbox->count++) = item;
}

uint32_t lt_outbox_droppable(const struct lt_outbox *outbox)
{
    bool begun = outbox->taken > 0 && !item_at(outbox, 0)->control;

    return outbox->count - outbox->controls - begun;
}

/* What stands in front of the one that goes moves up by a place, so that the order stays. */
static void take_out(struct lt_outbox *outbox, const leat_allocator *allocator, uint32_t place)
{
    struct lt_outbox_item *item = item_at(outbox, place);

    outbox->bytes -= item->parcel->length;
    outbox->controls -= item->control;
    lt_parcel_drop(item->parcel, allocator);
    for (; place > 0; place--)
        *item_at(outbox, place) = *item_at(outbox, place - 1);
    outbox->first = (outbox->first + 1) & (outbox->size - 1);
    outbox->count--;
}

void lt_outbox_stand(struct lt_outbox *outbox, const leat_allocator *allocator)
{
    uint32_t place = outbox->taken > 0, last = outbox->count - 1;

    item_at(outbox, last)->standing = true;
    while (place < last && !item_at(outbox, place)->standing)
        place++;
    if (place < last)
        take_out(outbox, allocator, place);
}

bool lt_outbox_drop_oldest(struct lt_outbox *outbox, const leat_allocator *allocator)
{
    uint32_t place = outbox->taken > 0;

    while (place < outbox->count && item_at(outbox, place)->control)
        place++;
    if (place == outbox->count)
        return false;
    take_out(outbox, allocator, place);
    return true;
}

void lt_outbox_pour(struct lt_outbox *outbox, const leat_allocator *allocator,
                    struct lt_writer *out, size_t most)
{
    while (outbox->count > 0 && out->length < most) {
        const struct lt_parcel *parcel = item_at(outbox, 0)->parcel;
        size_t left = parcel->length - outbox->taken;
        size_t piece = left < most - out->length ? left : most - out->length;
        uint8_t *place = lt_put(out, piece);

        if (place == NULL) /* it stays here, and is tried again when there is room */
            return;
        memcpy(place, parcel->octets + outbox->taken, piece);
        outbox->taken += piece;
        if (piece == left) {
            shift(outbox, allocator);
            outbox->sent++;
        }
    }
}
