/* The members of a row of values: what reading and writing of leat_zabbix_history share. */
#ifndef LT_ZABBIX_ROW_H
#define LT_ZABBIX_ROW_H

#include <leat/zabbix.h>

struct lt_zabbix_row_member {
    const char *name;
    uint8_t name_length;
    uint32_t has;
    uint64_t most;    /* of a number that may be sent */
    size_t at;        /* in leat_zabbix_history: uint64_t or const char * */
    size_t length_at; /* of a text; 0: a number */
};

#define LT_ZABBIX_ROW_MEMBERS 14u
extern const struct lt_zabbix_row_member lt_zabbix_row_members[LT_ZABBIX_ROW_MEMBERS];

#endif
