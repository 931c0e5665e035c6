/*
 * The rules of exchanges, as tables: who says what in which order, what a message must hold, how
 * long the next one may take.
 */
#ifndef LT_ZABBIX_RULES_H
#define LT_ZABBIX_RULES_H

#include "fields.h"

#include <leat/zabbix.h>

#define LT_ZABBIX_STEPS 4u

/* Members that a message may need, one bit each. */
#define LT_ZABBIX_NEEDS_REQUEST  0x0001u
#define LT_ZABBIX_NEEDS_HOST     0x0002u
#define LT_ZABBIX_NEEDS_SESSION  0x0004u
#define LT_ZABBIX_NEEDS_REVISION 0x0008u
#define LT_ZABBIX_NEEDS_VERSION  0x0010u
#define LT_ZABBIX_NEEDS_CLOCK    0x0020u
#define LT_ZABBIX_NEEDS_NS       0x0040u
#define LT_ZABBIX_NEEDS_DATA     0x0080u
#define LT_ZABBIX_NEEDS_RESPONSE 0x0100u
#define LT_ZABBIX_NEEDED         9u

struct lt_zabbix_step {
    uint16_t wait_s; /* how long real peers wait for it; 0: for requests, which may be any */
    uint8_t kind;    /* LEAT_ZABBIX_* of the message */
    uint8_t says;    /* enum lt_zabbix_says: what it holds */
};

struct lt_zabbix_pattern {
    uint8_t kind; /* of the request */
    uint8_t steps;
    uint16_t since;
    uint16_t until;         /* 0: still there */
    uint8_t asker;          /* roles that may connect, one bit each */
    uint8_t answerer;       /* roles that may be connected to */
    bool asker_closes;      /* who connected closes first */
    bool may_be_unanswered; /* the last message may be missing */
    struct lt_zabbix_step step[LT_ZABBIX_STEPS];
};

/* The exchange of that request, for who is at one end of it; NULL: there is none. */
const struct lt_zabbix_pattern *lt_zabbix_pattern_find(uint32_t kind, uint32_t version,
                                                       uint32_t role, bool connects);

/* Whether there is any exchange for it. */
bool lt_zabbix_role_may(uint32_t role, bool connects);

/* The name of the member that the lowest of these bits stands for. */
const char *lt_zabbix_needed_name(uint32_t needs);

/* The bit of the member of that name, or 0. */
uint32_t lt_zabbix_needed_bit(const char *name, size_t length);

/* LT_ZABBIX_NEEDS_*: what readers demand of it. */
uint32_t lt_zabbix_demanded(enum lt_zabbix_says says, uint32_t version);

/* Whether who is connected to takes requests with a large header: spec section 1. */
bool lt_zabbix_takes_large(const struct lt_zabbix_version *version, uint32_t role);

#endif
