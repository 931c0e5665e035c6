/* What the benches of Zabbix read and write: messages of values, and races of those who do it. */
#ifndef BENCH_MESSAGES_H
#define BENCH_MESSAGES_H

#include "rivals.h"

#include <leat/zabbix.h>
#include <stdbool.h>
#include <stdio.h>

#define HEADER_BYTES 13u
#define FEED_BYTES   ((size_t)64 << 10)

/* One message: framed plain and compressed, and its bare text. */
struct message {
    bool by_agent; /* "agent data" instead of "proxy data" */
    size_t rows;
    struct row *row;
    uint8_t *plain;
    size_t plain_length;
    uint8_t *compressed;
    size_t compressed_length;
    const char *text; /* in plain */
    size_t text_length;
    uint64_t sum;  /* of all rows: what every job must find */
    uint8_t *room; /* to write to */
    size_t room_length;
};

/* Rows of some 80 octets. */
void make_message(struct message *m, size_t rows, bool by_agent);
void free_message(struct message *m);

/* The header of a frame. */
void put_header(uint8_t *to, uint8_t flags, size_t data_len, size_t reserved);

/* The message's text, as snprintf() makes it, into m->room; how long. */
size_t print_message(const struct message *m);

/* The exchange of a proxy or an agent that has values, and that of a server which they connected to. */
leat_session *open_asker(const leat_config *config, bool by_agent);
leat_session *open_answerer(const leat_config *config);

/* A row as leat has it. */
void fill_row(leat_zabbix_history *history, const struct row *row);

/* The message, into the session's output; and what stands in front of its rows and behind them. */
void begin_message(leat_session *session, bool by_agent);
void end_message(leat_session *session);
void write_message(leat_session *session, const struct message *m);

/* Draws the events that are there; adds what is in their rows. Returns what leat_next() said. */
int draw_rows(leat_session *session, uint64_t *sum);

/* The same of a stream, as sockets would give it; only its end may end the session. */
uint64_t read_rows(leat_session *session, const uint8_t *octets, size_t length);

/* What is added of a row. */
uint64_t sum_row(const leat_value *row, leat_zabbix_history *history);

struct job {
    const char *name;
    uint64_t (*run)(const struct message *); /* the sum */
    double best;                             /* seconds */
};

/* Each job in each round, so that a change of the machine's pace meets all of them. */
void race(struct job *jobs, size_t count, const struct message *m, unsigned rounds,
          unsigned repeat);

/* How they did, beside the first one. */
void print_race(const struct job *jobs, size_t count, const struct message *m);

#endif
