/*
 * The channel protocol of data stores: ordered events from one producer to consumers, over messages
 * that may get lost. Nothing here sends or receives: it says what is to be sent.
 *
 * Numbers of events begin with 2. Time is counted in ticks.
 *
 * Source: spec section 11.2.
 */
#ifndef LT_BROKER_CHANNEL_H
#define LT_BROKER_CHANNEL_H

#include "../core/memory.h"

#include <stdbool.h>

#define LT_CHANNEL_TICK_MS   100u
#define LT_CHANNEL_HEARTBEAT 5u   /* ticks from one keepalive, or acknowledgement, to the next */
#define LT_CHANNEL_NACK      2u   /* from one nack to the next */
#define LT_CHANNEL_TIMEOUT   500u /* of silence: the other side is forgotten */
#define LT_CHANNEL_NACKED                                                                          \
    512u /* most numbers in a nack of ours, and most events sent again per tick */
#define LT_CHANNEL_AHEAD 32u /* events from one acknowledgement to the next, at most */

/* Octets that wait in order, each piece found by its place. Zeroed: empty. */
struct lt_fifo {
    uint8_t *octets;
    size_t octets_size;
    size_t octets_start;
    size_t octets_end;
    size_t *ends; /* of the pieces, counted in octets */
    size_t size;
    size_t start;
    size_t end;
};

static inline size_t lt_fifo_count(const struct lt_fifo *fifo)
{
    return fifo->end - fifo->start;
}

static inline size_t lt_fifo_bytes(const struct lt_fifo *fifo)
{
    return fifo->octets_end - fifo->octets_start;
}

/* Makes room, so that the next two pushes of so many octets together cannot fail. */
bool lt_fifo_reserve(struct lt_fifo *fifo, const leat_allocator *allocator, size_t length);
/* Adds a piece in room that was reserved. */
uint8_t *lt_fifo_push(struct lt_fifo *fifo, size_t length);
/* The piece of that index, from 0, which there must be. */
uint8_t *lt_fifo_at(const struct lt_fifo *fifo, size_t index, size_t *length);
void lt_fifo_pop(struct lt_fifo *fifo);
void lt_fifo_clear(struct lt_fifo *fifo);
void lt_fifo_free(struct lt_fifo *fifo, const leat_allocator *allocator);
size_t lt_fifo_memory(const struct lt_fifo *fifo);

/* ----- producer ----- */

struct lt_producer {
    uint64_t seq;   /* of the last event */
    uint64_t ticks; /* so many have passed */
    uint64_t said;  /* the tick of the last broadcast */
    struct lt_fifo events;
};

void lt_producer_init(struct lt_producer *producer);

/* The event of that number; NULL: it is not there (any more, or yet). */
const uint8_t *lt_producer_event(const struct lt_producer *producer, uint64_t seq, size_t *length);

/* Forgets the events up to that number. */
void lt_producer_acknowledged(struct lt_producer *producer, uint64_t seq);

/* A tick. True: a keepalive is due, and counts as sent. */
bool lt_producer_tick(struct lt_producer *producer);

/* The number of the last event that is forgotten. */
static inline uint64_t lt_producer_floor(const struct lt_producer *producer)
{
    return producer->seq - lt_fifo_count(&producer->events);
}

/* ----- consumer ----- */

/* What waits early at all consumers of one owner together. */
struct lt_early_limit {
    uint64_t count, most;
    uint64_t bytes, most_bytes;
};

struct lt_early {
    uint64_t seq;
    uint8_t *octets;
    size_t length;
};

/* Zeroed but for limit: waits for its handshake. */
struct lt_consumer {
    bool ready;    /* the handshake has come */
    bool advanced; /* since the last tick */
    uint16_t heartbeat;
    uint64_t next; /* the event that is next */
    uint64_t last; /* behind the last event that is known to be there */
    uint64_t told; /* what next was when it was acknowledged last */
    uint64_t ticks;
    uint64_t idle;          /* ticks without progress since the last nack */
    uint64_t nacks;         /* since the last progress */
    struct lt_early *early; /* ascending */
    size_t count;
    size_t size;
    struct lt_early_limit *limit;
};

/* Takes the handshake; false: there was one. What came early and is older is dropped. */
bool lt_consumer_handshake(struct lt_consumer *consumer, const leat_allocator *allocator,
                           uint64_t offset, uint64_t heartbeat);

enum lt_channel_order { LT_CHANNEL_OLD, LT_CHANNEL_NOW, LT_CHANNEL_EARLY };

/* What is to become of an event. One that is early is told not to be the last. */
enum lt_channel_order lt_consumer_event(struct lt_consumer *consumer, uint64_t seq);

/* Keeps an early event; false: it is there already, or no room or memory: it will come again. */
bool lt_consumer_keep(struct lt_consumer *consumer, const leat_allocator *allocator, uint64_t seq,
                      const void *octets, size_t length);

/* The next event was done, or is lost. */
void lt_consumer_done(struct lt_consumer *consumer);

/* The next event, if it came early; else NULL. It is dropped once it is done: lt_consumer_drop(). */
const struct lt_early *lt_consumer_front(const struct lt_consumer *consumer);
void lt_consumer_drop(struct lt_consumer *consumer, const leat_allocator *allocator);

void lt_consumer_keepalive(struct lt_consumer *consumer, uint64_t seq);

/* So many events are done that the producer should not have to wait for the next tick to drop them. */
static inline bool lt_consumer_is_ahead(const struct lt_consumer *consumer)
{
    return consumer->next - consumer->told >= LT_CHANNEL_AHEAD;
}

enum lt_channel_answer { LT_CHANNEL_NOTHING, LT_CHANNEL_ACK, LT_CHANNEL_NACKING };

/* A tick: what is to be sent. */
enum lt_channel_answer lt_consumer_tick(struct lt_consumer *consumer);

/* The numbers that are missing, the first LT_CHANNEL_NACKED of them. Returns how many. */
size_t lt_consumer_missing(const struct lt_consumer *consumer, uint64_t *numbers);

/* Makes it wait for a handshake again. */
void lt_consumer_clear(struct lt_consumer *consumer, const leat_allocator *allocator);

#endif
