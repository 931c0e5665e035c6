/*
 * The members of a message that is arriving, as the value of its event: what stands outside rows,
 * with placeholders where rows stood. Names and text are copied, as their octets go when more come.
 */
#ifndef LT_ZABBIX_MEMBERS_H
#define LT_ZABBIX_MEMBERS_H

#include "../core/value.h"

/* Objects that are open inside one another: the message, "data", a table. */
#define LT_ZABBIX_OBJECTS 3u

struct lt_zabbix_members {
    struct lt_tree tree;
    uint64_t limit;  /* of octets */
    uint64_t octets; /* of all names and values, as they came */
    uint32_t depth;
    size_t open[LT_ZABBIX_OBJECTS]; /* their cells */
    uint32_t children[LT_ZABBIX_OBJECTS];
};

void lt_zabbix_members_init(struct lt_zabbix_members *members, const leat_allocator *allocator,
                            const leat_limits *limits);
void lt_zabbix_members_clear(struct lt_zabbix_members *members);
void lt_zabbix_members_free(struct lt_zabbix_members *members);
size_t lt_zabbix_members_bytes(const struct lt_zabbix_members *members);

/* Opens the message's object (without a name) or one in it. LEAT_OK, LEAT_E_LIMIT, LEAT_E_NOMEM. */
int lt_zabbix_members_open(struct lt_zabbix_members *members, const uint8_t *name, size_t length);
void lt_zabbix_members_close(struct lt_zabbix_members *members);

/*
 * Takes the value that was just read into the tree, from the cell at start, out of used octets of
 * text. LEAT_OK, or LEAT_E_LIMIT, LEAT_E_NOMEM: then it is gone.
 */
int lt_zabbix_members_take(struct lt_zabbix_members *members, size_t start, const uint8_t *text,
                           size_t used, const uint8_t *name, size_t length);

/* A placeholder: the member "rows" of a table (no name), or a member of that name that has it. */
int lt_zabbix_members_rows(struct lt_zabbix_members *members, const uint8_t *name, size_t length,
                           uint64_t rows);

/* All of it so far, what is open closed for the moment; NULL if nothing was opened. */
const leat_value *lt_zabbix_members_value(struct lt_zabbix_members *members);

#endif
