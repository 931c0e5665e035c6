/*
 * The messages that wait for one link, behind the output of its session: shared by all links that
 * get the same octets, and dropped as the endpoint's options say when there are too many.
 */
#ifndef LT_BROKER_OUTBOX_H
#define LT_BROKER_OUTBOX_H

#include "../core/bytes.h"
#include "../core/inside.h"
#include "../core/memory.h"

#include <stdbool.h>

/* Octets that several outboxes hold. Made with one reference, which is the maker's. */
struct lt_parcel {
    uint32_t references;
    size_t length;
    uint8_t octets[];
};

struct lt_parcel *lt_parcel_new(const leat_allocator *allocator, size_t length);
void lt_parcel_drop(struct lt_parcel *parcel, const leat_allocator *allocator);

struct lt_outbox_item {
    struct lt_parcel *parcel;
    bool control;  /* neither counted nor dropped: what keeps the peering together */
    bool standing; /* only the last one of these counts */
};

/* Zeroed: empty. A ring. */
struct lt_outbox {
    struct lt_outbox_item *items;
    uint32_t size;
    uint32_t first;
    uint32_t count;
    uint32_t controls;
    size_t taken; /* octets of the first that are gone already: it can no longer be dropped */
    uint64_t bytes;
    uint64_t overflows;
    uint64_t sent;
};

void lt_outbox_free(struct lt_outbox *outbox, const leat_allocator *allocator);

/* Makes room for one more, so that lt_outbox_push() cannot fail. */
bool lt_outbox_reserve(struct lt_outbox *outbox, const leat_allocator *allocator);
void lt_outbox_push(struct lt_outbox *outbox, struct lt_parcel *parcel, bool control);

/* The one that was pushed last is standing: what waits in front of it and was, goes. */
void lt_outbox_stand(struct lt_outbox *outbox, const leat_allocator *allocator);

/* How many messages may be dropped: neither control nor partly gone. */
uint32_t lt_outbox_droppable(const struct lt_outbox *outbox);

/* Drops the one of them that waits longest; false: there is none. */
LT_INSIDE bool lt_outbox_drop_oldest(struct lt_outbox *outbox, const leat_allocator *allocator);

/* Moves octets into the output until so many of them are there; what finds no room stays. */
LT_INSIDE void lt_outbox_pour(struct lt_outbox *outbox, const leat_allocator *allocator,
                              struct lt_writer *out, size_t most);

/* Gives back memory if it is empty. */
void lt_outbox_trim(struct lt_outbox *outbox, const leat_allocator *allocator);

#endif
