/*
 * A table of a configuration: rows, each one block of memory, and an index that finds a row by the
 * value of its first column.
 */
#ifndef LT_ZABBIX_TABLE_H
#define LT_ZABBIX_TABLE_H

#include "../core/bytes.h"
#include "../core/value.h"
#include "fields.h"

/* More columns than this are not a table. */
#define LT_ZABBIX_COLUMNS_MAX 1024u

/* The columns of rows, the identifier first; shared by all rows that came with the same ones. */
struct lt_zabbix_shape_column {
    const char *name;                    /* followed by a NUL */
    const struct lt_zabbix_field *field; /* NULL: one that we do not know */
    uint16_t length;
};

struct lt_zabbix_shape {
    size_t uses; /* rows, and tables that go on with it */
    size_t bytes;
    size_t count;
    struct lt_zabbix_shape_column column[];
};

struct lt_zabbix_row {
    struct lt_zabbix_shape *shape; /* NULL: a mark */
    uint64_t owner;                /* the host that it belongs to; of a mark: a revision */
    uint32_t length;
    uint32_t key_length; /* the first column's part of the octets */
    uint8_t octets[];
};

struct lt_zabbix_table {
    struct lt_zabbix_row **row;
    size_t count;
    size_t size;
    uint32_t *slot; /* 0, or 1 + the place of a row: open addressing */
    size_t slots;   /* 0, or a power of two */
};

/*
 * Where in count slots, a power of two, an entry of that key is looked for first: FNV-1a, mixed once
 * more, as neighbouring numbers shall not stand beside one another. It begins with where the slots
 * are, which no peer knows: nobody can choose keys that all have one home.
 */
size_t lt_zabbix_home(const void *slots, size_t count, const void *key, size_t length);

/* An identifier, as it stands in rows. */
struct lt_zabbix_key {
    uint8_t octets[11]; /* its kind, and at most ten times seven bits */
    uint32_t length;
};
struct lt_zabbix_key lt_zabbix_key(uint64_t id);
/* The number that a row is known by; 0: a text or something else. */
uint64_t lt_zabbix_row_id(const struct lt_zabbix_row *row);

/* A value: writing; and reading as a cell of that name. LEAT_E_SYNTAX: not what was written. */
void lt_zabbix_value_write(struct lt_writer *out, const leat_value *value);
int lt_zabbix_value_read(struct lt_reader *in, struct lt_tree *tree, const char *name,
                         uint16_t length);

void lt_zabbix_put_number(struct lt_writer *out, uint64_t number);
uint64_t lt_zabbix_get_number(struct lt_reader *in);

/* Columns of these names; NULL: no memory. It has one use. */
struct lt_zabbix_shape *lt_zabbix_shape_new(const leat_allocator *allocator,
                                            const struct lt_zabbix_shape_column *column,
                                            size_t count);
void lt_zabbix_shape_release(const leat_allocator *allocator, struct lt_zabbix_shape *shape);
bool lt_zabbix_shape_equal(const struct lt_zabbix_shape *a, const struct lt_zabbix_shape *b);

/* A row of these octets, which takes one use more of its shape; NULL: no memory. */
struct lt_zabbix_row *lt_zabbix_row_new(const leat_allocator *allocator,
                                        struct lt_zabbix_shape *shape, const void *octets,
                                        size_t length, size_t key_length);
void lt_zabbix_row_free(const leat_allocator *allocator, struct lt_zabbix_row *row);
bool lt_zabbix_row_equal(const struct lt_zabbix_row *a, const struct lt_zabbix_row *b);

/* Shows the first count columns as a record in the tree. */
int lt_zabbix_row_show(const struct lt_zabbix_row *row, size_t count, struct lt_tree *tree);

/* Makes room, so that more rows can be put. False: no memory. */
bool lt_zabbix_table_reserve(struct lt_zabbix_table *table, const leat_allocator *allocator,
                             size_t more);
struct lt_zabbix_row *lt_zabbix_table_find(const struct lt_zabbix_table *table, const void *key,
                                           size_t length);
/* Puts a row in the place of one of the same identifier, which is returned, or behind all. */
struct lt_zabbix_row *lt_zabbix_table_put(struct lt_zabbix_table *table, struct lt_zabbix_row *row);
/* Takes the row at index out, and puts the last one there. */
void lt_zabbix_table_take(struct lt_zabbix_table *table, size_t index);
void lt_zabbix_table_free(struct lt_zabbix_table *table, const leat_allocator *allocator);

#endif
