/* leat_zabbix_tables from the inside. */
#ifndef LT_ZABBIX_TABLES_H
#define LT_ZABBIX_TABLES_H

#include "table.h"

#include <leat/zabbix_tables.h>

/* How a table is kept up to date from 6.4 on. */
enum lt_zabbix_scope {
    LT_ZABBIX_WHOLE, /* all of its rows at once */
    LT_ZABBIX_HOST,  /* host by host, together with "hosts" */
    LT_ZABBIX_WEB,   /* the same, if the host has web scenarios */
    LT_ZABBIX_MACRO, /* host by host, on its own */
    LT_ZABBIX_MAP    /* row by row */
};

/* Tables that are sent together when one of them changed. */
enum lt_zabbix_group {
    LT_ZABBIX_GLOBALMACRO,
    LT_ZABBIX_DISCOVERY,
    LT_ZABBIX_REGEXPS,
    LT_ZABBIX_SETTINGS,
    LT_ZABBIX_AUTOREG,
    LT_ZABBIX_PROXIES,
    LT_ZABBIX_SECRETS,
    LT_ZABBIX_GROUPS
};

/* What changed of what, when: rows without columns whose owner is a revision. */
enum lt_zabbix_marked {
    LT_ZABBIX_OF_HOSTS,
    LT_ZABBIX_OF_MACROS, /* of hosts */
    LT_ZABBIX_OF_MAP,
    LT_ZABBIX_MARKED
};

struct lt_zabbix_rule {
    const char *name;
    uint8_t scope;
    uint8_t group;      /* of LT_ZABBIX_WHOLE */
    const char *column; /* that says to which host a row belongs, */
    const char *parent; /* or to which row of another table; NULL: to a host */
};

/* A table with all that is known about it. */
struct lt_zabbix_named {
    struct lt_zabbix_table rows;
    const struct lt_zabbix_fields *fields; /* NULL: one that we do not know */
    const struct lt_zabbix_rule *rule;     /* the same */
    struct lt_zabbix_shape *shape;         /* of the rows that came last; may be NULL */
    uint32_t *place; /* staged: where the columns that come stand in the shape */
    size_t places;
    uint64_t came;  /* staged: rows */
    bool announced; /* staged: the message has it, and it counts; else: a change tells of it */
    size_t name_length;
    char name[]; /* followed by a NUL */
};

struct lt_zabbix_list {
    struct lt_zabbix_named **table;
    size_t count;
    size_t size;
};

struct lt_zabbix_change {
    struct lt_zabbix_named *table;
    struct lt_zabbix_row *row; /* of a removed one, ours */
    uint32_t change;
};

struct lt_zabbix_changes {
    struct lt_zabbix_change *item;
    size_t count;
    size_t size;
};

#define LT_ZABBIX_DELAY_MAX 64u
/* Items depend on others three deep at most; a chain of this length is a ring. */
#define LT_ZABBIX_MASTERS_MAX 16u

struct leat_zabbix_tables {
    leat_allocator outer;     /* the caller's */
    leat_allocator allocator; /* counts what it takes from there, and refuses more than limit */
    leat_limits limits;
    size_t held;
    size_t limit;
    bool over; /* the last refusal was the limit's */

    uint32_t version;
    uint64_t revision;
    uint64_t hostmap;
    uint64_t oldest; /* what changed since older revisions is not known */
    uint64_t oldest_hostmap;
    char failover_delay[LT_ZABBIX_DELAY_MAX]; /* "": no group */
    uint64_t group[LT_ZABBIX_GROUPS];         /* the revision of each */
    struct lt_zabbix_table mark[LT_ZABBIX_MARKED];

    struct lt_zabbix_list list; /* those of this version first, in the order of the wire */
    size_t known;
    struct lt_zabbix_named *secrets; /* one row, or none */

    struct lt_zabbix_list staged;
    int refused; /* what the rest of the message is answered */
    struct leat_error error;

    struct lt_zabbix_changes changes;
    size_t drawn;

    struct lt_tree tree;      /* what is shown */
    struct lt_writer octets;  /* of the row that is being made */
    const leat_value **value; /* the columns of that row, as they were given */
    size_t value_size;
};

/* Empty ones. LEAT_OK, LEAT_E_LIMIT, LEAT_E_NOMEM. */
int lt_zabbix_tables_make(const leat_allocator *allocator, const leat_limits *limits,
                          uint32_t version, size_t bytes, struct leat_zabbix_tables **made);

/* leat_zabbix_tables_write(), also for a proxy that needs no secrets. */
int lt_zabbix_tables_write(struct leat_zabbix_tables *tables, leat_session *session, uint64_t since,
                           uint64_t hostmap, bool secrets);

/* LEAT_E_LIMIT or LEAT_E_NOMEM, whichever it was. */
int lt_zabbix_tables_full(struct leat_zabbix_tables *tables);
/* Fills the error. */
int lt_zabbix_tables_refuse(struct leat_zabbix_tables *tables, const char *what, const char *field);

/* The table of that name, or NULL. */
struct lt_zabbix_named *lt_zabbix_list_find(const struct lt_zabbix_list *list, const char *name,
                                            size_t length);
/* An empty table more; NULL: no memory. */
struct lt_zabbix_named *lt_zabbix_list_add(struct leat_zabbix_tables *tables,
                                           struct lt_zabbix_list *list, const char *name,
                                           size_t length);
/* Frees the tables from that one on. */
void lt_zabbix_list_cut(struct leat_zabbix_tables *tables, struct lt_zabbix_list *list,
                        size_t count);

struct lt_zabbix_row *lt_zabbix_mark(const struct leat_zabbix_tables *tables, unsigned marked,
                                     uint64_t id);

/*
 * Staging: rows are held apart until they count.
 *
 * A row of a message; and all tables of a configuration that was given, checked.
 */
int lt_zabbix_stage_row(struct leat_zabbix_tables *tables, const char *name, size_t length,
                        const leat_value *row);
int lt_zabbix_stage_all(struct leat_zabbix_tables *tables, const leat_value *value);
/* Says of staged rows to which hosts they belong. LEAT_OK, LEAT_E_VALUE, ... */
int lt_zabbix_stage_owners(struct leat_zabbix_tables *tables);
/* The number in a column of a row; 0: none. */
int lt_zabbix_row_number(struct leat_zabbix_tables *tables, const struct lt_zabbix_row *row,
                         const char *column, uint64_t *number);

/* Sound UTF-8 without a zero octet. */
bool lt_zabbix_is_sendable(const leat_value *text);

/* Paths with keys with texts; and such that can be sent. */
bool lt_zabbix_is_secrets(const leat_value *value);
bool lt_zabbix_secrets_are_sendable(const leat_value *secrets);

/*
 * Appends to the tree the secrets that came and those of the old ones (or NULL) that did not come
 * again. There is room for all of them. LEAT_OK, LEAT_E_LIMIT, LEAT_E_NOMEM.
 */
int lt_zabbix_secrets_merge(struct leat_zabbix_tables *tables, const leat_value *came,
                            const leat_value *old, const leat_value **merged);

/* What a message does with what is there. */
struct lt_zabbix_ids {
    uint64_t *id; /* ascending */
    size_t count;
    size_t size;
};

struct lt_zabbix_plan {
    bool whole;    /* every table that is staged takes the place of what was there */
    bool no_items; /* and items are staged, but none: what hangs on them does not come then */
    bool full_sync;
    bool map_full_sync;
    bool left_group;
    bool merges_secrets;
    const struct lt_zabbix_named *hosts; /* that are staged; NULL: none are */
    const leat_value *secrets;           /* NULL: as they are */
    uint64_t revision;
    uint64_t hostmap;
    const char *failover_delay; /* "": no group */
    size_t failover_delay_length;
    struct lt_zabbix_ids del_hosts;
    struct lt_zabbix_ids del_macros;
    struct lt_zabbix_ids del_map;
    struct lt_zabbix_ids macro_hosts; /* whose macros are staged */
};

/* Puts what is staged into force; unless LEAT_OK nothing changed. */
int lt_zabbix_tables_apply(struct leat_zabbix_tables *tables, struct lt_zabbix_plan *plan);
bool lt_zabbix_ids_add(struct leat_zabbix_tables *tables, struct lt_zabbix_ids *ids, uint64_t id);
void lt_zabbix_ids_sort(struct lt_zabbix_ids *ids);
bool lt_zabbix_ids_have(const struct lt_zabbix_ids *ids, uint64_t id);
void lt_zabbix_ids_free(struct leat_zabbix_tables *tables, struct lt_zabbix_ids *ids);
void lt_zabbix_plan_free(struct leat_zabbix_tables *tables, struct lt_zabbix_plan *plan);
void lt_zabbix_tables_drop_changes(struct leat_zabbix_tables *tables);

static inline bool lt_zabbix_tables_have_revisions(const struct leat_zabbix_tables *tables)
{
    return tables->version >= LT_ZABBIX_6_4;
}

#endif
