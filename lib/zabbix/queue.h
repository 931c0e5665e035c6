/*
 * Rows that wait to be sent: the JSON text of each, numbered in the order that they came.
 *
 * They stand in chunks, with commas between them, so that what goes into a message is copied chunk
 * by chunk, and what was acknowledged is dropped without looking at it. Numbers ascend and may have
 * gaps. A chunk that was emptied is used again, so nothing is allocated while rows come and go.
 */
#ifndef LT_ZABBIX_QUEUE_H
#define LT_ZABBIX_QUEUE_H

#include "../core/memory.h"

struct lt_zabbix_chunk;

/* What the queues of one buffer hold together. */
struct lt_zabbix_total {
    uint64_t rows;
    uint64_t bytes; /* of their text */
};

struct lt_zabbix_queue {
    leat_allocator allocator;
    struct lt_zabbix_total *total; /* kept up to date, with those of other queues */
    struct lt_zabbix_chunk *first;
    struct lt_zabbix_chunk *last;
    struct lt_zabbix_chunk *spare; /* an empty one, or NULL */
    uint64_t next;                 /* number of the next row */
    uint64_t rows;
    uint64_t bytes; /* of their text */
    size_t memory;
};

/* Rows that stand side by side. */
struct lt_zabbix_run {
    const uint8_t *text; /* with commas between them */
    size_t length;
    uint64_t number; /* of the first one */
    uint64_t rows;
    int64_t at_ms; /* when the first one came */
};

/* Where a walk over the rows is. Adding and dropping rows ends it. */
struct lt_zabbix_walk {
    const struct lt_zabbix_chunk *chunk;
    size_t index;
};

/* next is the number of the first row; total lives as long as the queue. */
void lt_zabbix_queue_init(struct lt_zabbix_queue *queue, const leat_allocator *allocator,
                          uint64_t next, struct lt_zabbix_total *total);
/* Its rows leave the total. */
void lt_zabbix_queue_free(struct lt_zabbix_queue *queue);

/* Number of the first row; queue->next if there is none. */
uint64_t lt_zabbix_queue_start(const struct lt_zabbix_queue *queue);

/* Adds a row as number queue->next. LEAT_OK or LEAT_E_NOMEM. */
int lt_zabbix_queue_add(struct lt_zabbix_queue *queue, const void *text, size_t length,
                        int64_t at_ms);

/* Leaves a gap: the next row gets that number, if it is not below queue->next. */
void lt_zabbix_queue_skip(struct lt_zabbix_queue *queue, uint64_t next);

/* Drops all rows with numbers below this one. Returns how many there were. */
uint64_t lt_zabbix_queue_drop(struct lt_zabbix_queue *queue, uint64_t before);

/*
 * How far a batch goes from the first row on: the row that brings it to enough octets is its last
 * one, and with its commas it has never more than most. Returns the number behind its last row.
 */
uint64_t lt_zabbix_queue_batch(const struct lt_zabbix_queue *queue, uint64_t rows, uint64_t enough,
                               uint64_t most);

/* Begins a walk at the first row whose number is not below from. */
struct lt_zabbix_walk lt_zabbix_queue_walk(const struct lt_zabbix_queue *queue, uint64_t from);

/* The next rows, at most so many, with numbers below until. False: there are none. */
bool lt_zabbix_queue_run(struct lt_zabbix_walk *walk, uint64_t until, uint64_t rows,
                         struct lt_zabbix_run *run);

#endif
