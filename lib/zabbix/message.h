/* Which message is it: the names of the exchanges, and the members that tell them apart. */
#ifndef LT_ZABBIX_MESSAGE_H
#define LT_ZABBIX_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the members of a message at the top show, one bit each. */
#define LT_ZABBIX_SEEN_RESPONSE 0x0001u /* "response" or "redirect" */
#define LT_ZABBIX_SEEN_CONFIGURATION                                                               \
    0x0002u /* a member, table or object that only a configuration has */
#define LT_ZABBIX_SEEN_SECTION  0x0004u /* a section that only proxy data have */
#define LT_ZABBIX_SEEN_SESSION  0x0008u
#define LT_ZABBIX_SEEN_REVISION 0x0010u /* "config_revision" */
#define LT_ZABBIX_SEEN_CLOCK    0x0020u
#define LT_ZABBIX_SEEN_VERSION  0x0040u
#define LT_ZABBIX_SEEN_TASKS    0x0080u
#define LT_ZABBIX_SEEN_CHECKED  0x0100u /* "variant", "error" or an array "data" */
#define LT_ZABBIX_SEEN_OTHER    0x0200u /* any member that tells nothing */

struct lt_zabbix_member {
    const char *name;
    uint16_t length;
    uint16_t seen; /* by its mere presence */
    bool rows;     /* if it is an array, its values are events */
};

/* The known member of that name, or NULL. */
const struct lt_zabbix_member *lt_zabbix_member_find(const char *name, size_t length);

/* LEAT_ZABBIX_* by the text of "request"; LEAT_ZABBIX_REQUEST if it is none that we know. */
uint32_t lt_zabbix_request_kind(const char *text, size_t length);

/* LEAT_ZABBIX_* by who speaks, the kind of its request (0: none) and what was seen. */
uint32_t lt_zabbix_kind_of(uint32_t from, uint32_t request, uint32_t seen);

/* The name of a kind; "" for kinds without a fixed one. */
const char *lt_zabbix_kind_name(uint32_t kind);

/* The kind of a name, or 0. */
uint32_t lt_zabbix_name_kind(const char *name);

/* True if that kind is named by its request. */
bool lt_zabbix_kind_asks(uint32_t kind);

#endif
