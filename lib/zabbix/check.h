/*
 * What an exchange writes, looked at before it is written: a message that we send is always one that
 * the protocol allows. Which members, rows, tasks and columns those are, fields.tsv says.
 */
#ifndef LT_ZABBIX_CHECK_H
#define LT_ZABBIX_CHECK_H

#include "fields.h"

#include <leat/zabbix.h>

struct lt_zabbix_exchange;

/* How a member comes. */
enum lt_zabbix_how {
    LT_ZABBIX_COMES_WHOLE, /* at the top, all of it */
    LT_ZABBIX_COMES_OPEN,  /* at the top; what it holds follows */
    LT_ZABBIX_COMES_INSIDE /* in the object that is open, all of it */
};

/* The message that is being written. */
struct lt_zabbix_check {
    struct lt_zabbix_fields message; /* its members; without fields, any */
    struct lt_zabbix_fields inside;  /* of the open object or of each row; without fields, any */
    uint32_t named;                  /* those of the message that are there, a bit each */
    uint32_t inside_named;
    uint32_t needs; /* LEAT_ZABBIX_HAS_* of the open rows */
    uint32_t may;
    uint8_t says; /* enum lt_zabbix_says */
    uint8_t open; /* enum lt_zabbix_type; LT_ZABBIX_NUMBER: nothing, or what is not known */
};

/*
 * Each answers LEAT_OK or, by lt_refuse(), why not; then nothing changed.
 *
 * The message of x->step begins.
 */
void lt_zabbix_check_begin(struct lt_zabbix_exchange *x);
int lt_zabbix_check_member(struct lt_zabbix_exchange *x, const char *name, size_t length,
                           const leat_value *value, enum lt_zabbix_how how);
/* A table of these columns; its rows follow. */
int lt_zabbix_check_table(struct lt_zabbix_exchange *x, const char *name, size_t length,
                          const char *const *columns, size_t count);
/* A row that is not one of a table. */
int lt_zabbix_check_row(struct lt_zabbix_exchange *x, const leat_value *row);
int lt_zabbix_check_history(struct lt_zabbix_exchange *x, uint64_t has);
/* The open object is closed. */
int lt_zabbix_check_close(struct lt_zabbix_exchange *x);
/* All its members are there. */
int lt_zabbix_check_end(struct lt_zabbix_exchange *x);

#endif
