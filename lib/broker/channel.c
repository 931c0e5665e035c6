#include "channel.h"

#include <string.h>

/* ----- octets in order ----- */

/* Moves what is there to the front once that costs no more than what was taken away before. */
static void fifo_settle(struct lt_fifo *fifo)
{
    size_t i;

    if (fifo->start > lt_fifo_count(fifo)) {
        memmove(fifo->ends, fifo->ends + fifo->start, lt_fifo_count(fifo) * sizeof *fifo->ends);
        fifo->end -= fifo->start;
        fifo->start = 0;
    }
    if (fifo->octets_start > lt_fifo_bytes(fifo)) {
        size_t gone = fifo->octets_start;

        memmove(fifo->octets, fifo->octets + gone, lt_fifo_bytes(fifo));
        for (i = fifo->start; i < fifo->end; i++)
            fifo->ends[i] -= gone;
        fifo->octets_end -= gone;
        fifo->octets_start = 0;
    }
}

bool lt_fifo_reserve(struct lt_fifo *fifo, const leat_allocator *allocator, size_t length)
{
    void *octets = fifo->octets, *ends = fifo->ends;
    bool grown;

    if (fifo->size - fifo->end < 2 || fifo->octets_size - fifo->octets_end < length)
        fifo_settle(fifo);
    if (length > SIZE_MAX - fifo->octets_end)
        return false;
    grown = lt_grow(allocator, &octets, &fifo->octets_size, fifo->octets_end + length, 1);
    fifo->octets = (uint8_t *)octets;
    grown = grown && lt_grow(allocator, &ends, &fifo->size, fifo->end + 2, sizeof *fifo->ends);
    fifo->ends = (size_t *)ends;
    return grown;
}

uint8_t *lt_fifo_push(struct lt_fifo *fifo, size_t length)
{
    uint8_t *at = fifo->octets + fifo->octets_end;

    fifo->octets_end += length;
    fifo->ends[fifo->end++] = fifo->octets_end;
    return at;
}

uint8_t *lt_fifo_at(const struct lt_fifo *fifo, size_t index, size_t *length)
{
    size_t begin = index == 0 ? fifo->octets_start : fifo->ends[fifo->start + index - 1];

    *length = fifo->ends[fifo->start + index] - begin;
    return fifo->octets + begin;
}

void lt_fifo_pop(struct lt_fifo *fifo)
{
    fifo->octets_start = fifo->ends[fifo->start++];
    if (fifo->start == fifo->end)
        lt_fifo_clear(fifo);
}

void lt_fifo_clear(struct lt_fifo *fifo)
{
    fifo->start = fifo->end = 0;
    fifo->octets_start = fifo->octets_end = 0;
}

void lt_fifo_free(struct lt_fifo *fifo, const leat_allocator *allocator)
{
    lt_free(allocator, fifo->octets, fifo->octets_size);
    lt_free(allocator, fifo->ends, fifo->size * sizeof *fifo->ends);
    memset(fifo, 0, sizeof *fifo);
}

size_t lt_fifo_memory(const struct lt_fifo *fifo)
{
    return fifo->octets_size + fifo->size * sizeof *fifo->ends;
}

/* ----- producer ----- */

void lt_producer_init(struct lt_producer *producer)
{
    memset(producer, 0, sizeof *producer);
    producer->seq = 1;
}

const uint8_t *lt_producer_event(const struct lt_producer *producer, uint64_t seq, size_t *length)
{
    if (seq > producer->seq || seq <= lt_producer_floor(producer))
        return NULL;
    return lt_fifo_at(&producer->events, (size_t)(seq - lt_producer_floor(producer) - 1), length);
}

void lt_producer_acknowledged(struct lt_producer *producer, uint64_t seq)
{
    while (lt_fifo_count(&producer->events) > 0 && lt_producer_floor(producer) < seq)
        lt_fifo_pop(&producer->events);
}

bool lt_producer_tick(struct lt_producer *producer)
{
    producer->ticks++;
    if (producer->ticks - producer->said < LT_CHANNEL_HEARTBEAT)
        return false;
    producer->said = producer->ticks;
    return true;
}

/* ----- consumer ----- */

bool lt_consumer_handshake(struct lt_consumer *consumer, const leat_allocator *allocator,
                           uint64_t offset, uint64_t heartbeat)
{
    if (consumer->ready || offset == UINT64_MAX)
        return false;
    consumer->ready = true;
    consumer->next = consumer->told = offset + 1;
    /* What came early is behind the handshake of a writer; a clone keeps nothing before it. */
    if (consumer->last < consumer->next)
        consumer->last = consumer->next;
    /* Acknowledge as often as we are asked to, but not so seldom that we are forgotten. */
    consumer->heartbeat =
        (uint16_t)(heartbeat == 0                          ? 1
                   : heartbeat > 10 * LT_CHANNEL_HEARTBEAT ? 10 * LT_CHANNEL_HEARTBEAT
                                                           : heartbeat);
    while (consumer->count > 0 && consumer->early[0].seq <= offset)
        lt_consumer_drop(consumer, allocator);
    return true;
}

enum lt_channel_order lt_consumer_event(struct lt_consumer *consumer, uint64_t seq)
{
    if (seq < consumer->next || seq == UINT64_MAX)
        return LT_CHANNEL_OLD;
    if (seq >= consumer->last)
        consumer->last = seq + 1;
    return seq == consumer->next ? LT_CHANNEL_NOW : LT_CHANNEL_EARLY;
}

/* The place of the first early event that is not before seq. */
static size_t early_place(const struct lt_consumer *consumer, uint64_t seq)
{
    size_t low = 0, high = consumer->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (consumer->early[middle].seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool lt_consumer_keep(struct lt_consumer *consumer, const leat_allocator *allocator, uint64_t seq,
                      const void *octets, size_t length)
{
    struct lt_early_limit *limit = consumer->limit;
    size_t place = early_place(consumer, seq);
    void *early = consumer->early;
    uint8_t *copy;

    if (place < consumer->count && consumer->early[place].seq == seq)
        return false;
    if (limit->count >= limit->most || length > limit->most_bytes ||
        limit->bytes > limit->most_bytes - length)
        return false;
    if (!lt_grow(allocator, &early, &consumer->size, consumer->count + 1, sizeof *consumer->early))
        return false;
    consumer->early = (struct lt_early *)early;
    copy = (uint8_t *)lt_resize(allocator, NULL, 0, length);
    if (copy == NULL)
        return false;
    memcpy(copy, octets, length);
    memmove(consumer->early + place + 1, consumer->early + place,
            (consumer->count - place) * sizeof *consumer->early);
    consumer->early[place].seq = seq;
    consumer->early[place].octets = copy;
    consumer->early[place].length = length;
    consumer->count++;
    limit->count++;
    limit->bytes += length;
    return true;
}

void lt_consumer_done(struct lt_consumer *consumer)
{
    consumer->next++;
    if (consumer->last < consumer->next)
        consumer->last = consumer->next;
    consumer->advanced = true;
    consumer->nacks = 0;
}

const struct lt_early *lt_consumer_front(const struct lt_consumer *consumer)
{
    if (consumer->count == 0 || consumer->early[0].seq != consumer->next)
        return NULL;
    return &consumer->early[0];
}

void lt_consumer_drop(struct lt_consumer *consumer, const leat_allocator *allocator)
{
    struct lt_early *first = &consumer->early[0];

    consumer->limit->count--;
    consumer->limit->bytes -= first->length;
    lt_free(allocator, first->octets, first->length);
    consumer->count--;
    memmove(first, first + 1, consumer->count * sizeof *first);
}

void lt_consumer_keepalive(struct lt_consumer *consumer, uint64_t seq)
{
    if (seq < UINT64_MAX && seq >= consumer->last)
        consumer->last = seq + 1;
}

enum lt_channel_answer lt_consumer_tick(struct lt_consumer *consumer)
{
    bool beat = ++consumer->ticks % consumer->heartbeat == 0;

    if (consumer->advanced) {
        consumer->advanced = false;
        consumer->idle = 0;
    } else if (++consumer->idle >= LT_CHANNEL_NACK && consumer->next < consumer->last) {
        consumer->idle = 0;
        consumer->nacks++;
        return LT_CHANNEL_NACKING;
    }
    return beat ? LT_CHANNEL_ACK : LT_CHANNEL_NOTHING;
}

size_t lt_consumer_missing(const struct lt_consumer *consumer, uint64_t *numbers)
{
    uint64_t seq;
    size_t count = 0, early = 0;

    for (seq = consumer->next; seq < consumer->last && count < LT_CHANNEL_NACKED; seq++) {
        if (early < consumer->count && consumer->early[early].seq == seq)
            early++;
        else
            numbers[count++] = seq;
    }
    return count;
}

void lt_consumer_clear(struct lt_consumer *consumer, const leat_allocator *allocator)
{
    struct lt_early_limit *limit = consumer->limit;
    size_t i;

    for (i = 0; i < consumer->count; i++) {
        limit->bytes -= consumer->early[i].length;
        lt_free(allocator, consumer->early[i].octets, consumer->early[i].length);
    }
    limit->count -= consumer->count;
    lt_free(allocator, consumer->early, consumer->size * sizeof *consumer->early);
    memset(consumer, 0, sizeof *consumer);
    consumer->limit = limit;
}
