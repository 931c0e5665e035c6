#include "queue.h"

#include <string.h>

#define CHUNK_BYTES ((size_t)32 << 10) /* of most chunks; a row that is larger gets its own */

struct entry {
    int64_t at_ms;
    size_t end; /* of its text, in the text of the chunk, the comma behind it included */
};

/* Text grows behind this header, entries grow towards it from the end of the chunk. */
struct lt_zabbix_chunk {
    struct lt_zabbix_chunk *next;
    uint64_t number; /* of the row in entry 0 */
    size_t size;     /* with this header */
    size_t start;    /* first entry that was not dropped */
    size_t count;    /* entries */
    size_t used;     /* octets of text */
};

static uint8_t *text_of(const struct lt_zabbix_chunk *chunk)
{
    return (uint8_t *)(uintptr_t)(chunk + 1);
}

static struct entry *entry_of(const struct lt_zabbix_chunk *chunk, size_t index)
{
    return (struct entry *)((uintptr_t)chunk + chunk->size) - 1 - index;
}

static size_t start_of_text(const struct lt_zabbix_chunk *chunk, size_t index)
{
    return index == 0 ? 0 : entry_of(chunk, index - 1)->end;
}

static bool has_room(const struct lt_zabbix_chunk *chunk, size_t length)
{
    size_t room = chunk->size - sizeof *chunk - chunk->used - chunk->count * sizeof(struct entry);

    return room >= sizeof(struct entry) && room - sizeof(struct entry) > length;
}

void lt_zabbix_queue_init(struct lt_zabbix_queue *queue, const leat_allocator *allocator,
                          uint64_t next, struct lt_zabbix_total *total)
{
    memset(queue, 0, sizeof *queue);
    queue->allocator = *allocator;
    queue->total = total;
    queue->next = next;
}

static void free_chunk(struct lt_zabbix_queue *queue, struct lt_zabbix_chunk *chunk)
{
    if (chunk == NULL)
        return;
    queue->memory -= chunk->size;
    lt_free(&queue->allocator, chunk, chunk->size);
}

static void count_out(struct lt_zabbix_queue *queue, uint64_t rows, uint64_t bytes)
{
    queue->rows -= rows;
    queue->bytes -= bytes;
    queue->total->rows -= rows;
    queue->total->bytes -= bytes;
}

void lt_zabbix_queue_free(struct lt_zabbix_queue *queue)
{
    while (queue->first != NULL) {
        struct lt_zabbix_chunk *chunk = queue->first;

        queue->first = chunk->next;
        free_chunk(queue, chunk);
    }
    free_chunk(queue, queue->spare);
    queue->last = queue->spare = NULL;
    count_out(queue, queue->rows, queue->bytes);
}

uint64_t lt_zabbix_queue_start(const struct lt_zabbix_queue *queue)
{
    return queue->first == NULL ? queue->next : queue->first->number + queue->first->start;
}

/* A chunk with room for a row of that length, at the end of the queue. */
static struct lt_zabbix_chunk *new_chunk(struct lt_zabbix_queue *queue, size_t length)
{
    const size_t overhead = sizeof(struct lt_zabbix_chunk) + sizeof(struct entry);
    struct lt_zabbix_chunk *chunk = NULL;
    size_t size = CHUNK_BYTES;

    if (length >= SIZE_MAX / 2)
        return NULL;
    if (length + 1 > CHUNK_BYTES - overhead)
        size = (overhead + length) / sizeof(struct entry) * sizeof(struct entry) +
               sizeof(struct entry);
    if (size == CHUNK_BYTES && queue->spare != NULL) {
        chunk = queue->spare;
        queue->spare = NULL;
    } else {
        chunk = (struct lt_zabbix_chunk *)lt_resize(&queue->allocator, NULL, 0, size);
        if (chunk == NULL)
            return NULL;
        queue->memory += size;
    }
    chunk->next = NULL;
    chunk->number = queue->next;
    chunk->size = size;
    chunk->start = chunk->count = chunk->used = 0;
    if (queue->last == NULL)
        queue->first = chunk;
    else
        queue->last->next = chunk;
    queue->last = chunk;
    return chunk;
}

int lt_zabbix_queue_add(struct lt_zabbix_queue *queue, const void *text, size_t length,
                        int64_t at_ms)
{
    struct lt_zabbix_chunk *chunk = queue->last;
    struct entry *entry;

    /* Numbers are counted inside a chunk, so a gap begins another one. */
    if (chunk == NULL || chunk->number + chunk->count != queue->next || !has_room(chunk, length)) {
        chunk = new_chunk(queue, length);
        if (chunk == NULL)
            return LEAT_E_NOMEM;
    }
    memcpy(text_of(chunk) + chunk->used, text, length);
    text_of(chunk)[chunk->used + length] = ',';
    chunk->used += length + 1;
    entry = entry_of(chunk, chunk->count++);
    entry->at_ms = at_ms;
    entry->end = chunk->used;
    queue->next++;
    queue->rows++;
    queue->bytes += length;
    queue->total->rows++;
    queue->total->bytes += length;
    return LEAT_OK;
}

void lt_zabbix_queue_skip(struct lt_zabbix_queue *queue, uint64_t next)
{
    if (queue->next < next)
        queue->next = next;
}

static void drop_first(struct lt_zabbix_queue *queue)
{
    struct lt_zabbix_chunk *chunk = queue->first;

    queue->first = chunk->next;
    if (queue->first == NULL)
        queue->last = NULL;
    if (chunk->size == CHUNK_BYTES && queue->spare == NULL)
        queue->spare = chunk;
    else
        free_chunk(queue, chunk);
}

uint64_t lt_zabbix_queue_drop(struct lt_zabbix_queue *queue, uint64_t before)
{
    uint64_t rows = queue->rows;

    while (queue->first != NULL) {
        struct lt_zabbix_chunk *chunk = queue->first;
        size_t start = chunk->start;

        if (before <= chunk->number + start)
            break;
        chunk->start =
            before - chunk->number < chunk->count ? (size_t)(before - chunk->number) : chunk->count;
        count_out(queue, chunk->start - start,
                  start_of_text(chunk, chunk->start) - start_of_text(chunk, start) -
                      (chunk->start - start));
        if (chunk->start == chunk->count)
            drop_first(queue);
    }
    return rows - queue->rows;
}

uint64_t lt_zabbix_queue_batch(const struct lt_zabbix_queue *queue, uint64_t rows, uint64_t enough,
                               uint64_t most)
{
    const struct lt_zabbix_chunk *chunk;
    uint64_t until = lt_zabbix_queue_start(queue), bytes = 0;

    for (chunk = queue->first; chunk != NULL; chunk = chunk->next) {
        size_t i;

        for (i = chunk->start; i < chunk->count; i++) {
            size_t length = entry_of(chunk, i)->end - start_of_text(chunk, i);

            if (rows == 0 || bytes >= enough || length > most - bytes)
                return until;
            rows--;
            bytes += length;
            until = chunk->number + i + 1;
        }
    }
    return until;
}

struct lt_zabbix_walk lt_zabbix_queue_walk(const struct lt_zabbix_queue *queue, uint64_t from)
{
    struct lt_zabbix_walk walk = {queue->first, 0};

    /* New rows are looked for at the end, all others at the start. */
    if (queue->last != NULL && from >= queue->last->number)
        walk.chunk = queue->last;
    while (walk.chunk != NULL && walk.chunk->number + walk.chunk->count <= from)
        walk.chunk = walk.chunk->next;
    if (walk.chunk != NULL) {
        walk.index = walk.chunk->start;
        if (from > walk.chunk->number + walk.index)
            walk.index = (size_t)(from - walk.chunk->number);
    }
    return walk;
}

bool lt_zabbix_queue_run(struct lt_zabbix_walk *walk, uint64_t until, uint64_t rows,
                         struct lt_zabbix_run *run)
{
    const struct lt_zabbix_chunk *chunk = walk->chunk;
    size_t index = walk->index, start, left;

    if (chunk == NULL || rows == 0 || chunk->number + index >= until)
        return false;
    left = chunk->count - index;
    if (left > rows)
        left = (size_t)rows;
    if (left > until - (chunk->number + index))
        left = (size_t)(until - (chunk->number + index));
    start = start_of_text(chunk, index);
    run->text = text_of(chunk) + start;
    run->length = entry_of(chunk, index + left - 1)->end - 1 - start;
    run->number = chunk->number + index;
    run->rows = left;
    run->at_ms = entry_of(chunk, index)->at_ms;
    walk->index += left;
    if (walk->index == chunk->count) {
        walk->chunk = chunk->next;
        walk->index = chunk->next == NULL ? 0 : chunk->next->start;
    }
    return true;
}
