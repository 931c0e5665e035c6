/* Reading from the inside: what rows share with the rest of the message. */
#ifndef LT_ZABBIX_READ_H
#define LT_ZABBIX_READ_H

#include "source.h"

enum lt_zabbix_state {
    LT_AT_FRAME,         /* at a header */
    LT_AT_BEGIN,         /* at the first octet of the text */
    LT_AT_PLAIN,         /* at the start of a text that is no object */
    LT_AT_FIRST_MEMBER,  /* behind { */
    LT_AT_MEMBER,        /* behind a comma */
    LT_AT_COLON,         /* behind a member's name */
    LT_AT_VALUE,         /* at its value */
    LT_AT_BEHIND_MEMBER, /* a comma or a closing bracket follows */
    LT_AT_FIRST_ROW,     /* the same three for the values of an array */
    LT_AT_ROW,
    LT_AT_BEHIND_ROW,
    LT_AT_TAIL,   /* behind the object */
    LT_AT_DROP,   /* behind a zero octet that ends the text */
    LT_AT_END,    /* behind the text */
    LT_AT_BROKEN, /* at what cannot be read */
    LT_AT_SKIP    /* in the rest of a message that was given up */
};

/* False: no memory. */
bool lt_zabbix_reading_make(struct lt_zabbix *z);

/* One step where no row is next: LT_ZABBIX_GO_ON, or what lt_dialect.next answers. */
int lt_zabbix_step(struct lt_zabbix *z);

/* Gives up the message: what is wrong stands at the view, and at octets behind its start. */
int lt_zabbix_give_up(struct lt_zabbix *z, int code, uint64_t at, const char *what);
/* lt_zabbix_supply(), where the message cannot do without. */
int lt_zabbix_more(struct lt_zabbix *z);
/* The bracket behind the last row was taken. */
int lt_zabbix_end_rows(struct lt_zabbix *z);

/*
 * One value at the start of the text, into r->json.tree. LEAT_OK, LEAT_MORE, or < 0: r->error
 * tells, and its offset counts from the text.
 */
int lt_zabbix_read_value(struct lt_zabbix *z, struct lt_zabbix_view view, size_t at, size_t *used);

#endif
