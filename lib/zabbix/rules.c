#include "rules.h"

#include <string.h>

#define AS(role) (1u << LEAT_ZABBIX_AS_##role)
#define TRAPPERS (AS(SERVER) | AS(PROXY) | AS(PASSIVE_PROXY))
#define SAYS(it) LT_ZABBIX_SAYS_##it
#define MINUTES  60u

/*
 * Spec section 3, row by row, with the timeouts that stand behind the table; peers that it does not
 * speak of get a minute.
 */
static const struct lt_zabbix_pattern patterns[] = {
    {LEAT_ZABBIX_PROXY_CONFIG,
     2,
     LT_ZABBIX_5_0,
     LT_ZABBIX_6_2,
     AS(PROXY),
     AS(SERVER),
     false,
     false,
     {{0, LEAT_ZABBIX_PROXY_CONFIG, SAYS(PROXY_CONFIG_REQUEST)},
      {10 * MINUTES, LEAT_ZABBIX_PROXY_CONFIG, SAYS(PROXY_CONFIG_COPY)}}},
    {LEAT_ZABBIX_PROXY_CONFIG,
     2,
     LT_ZABBIX_6_4,
     0,
     AS(PROXY),
     AS(SERVER),
     false,
     false,
     {{0, LEAT_ZABBIX_PROXY_CONFIG, SAYS(PROXY_CONFIG_REQUEST)},
      {10 * MINUTES, LEAT_ZABBIX_PROXY_CONFIG, SAYS(PROXY_CONFIG_UPDATE)}}},
    {LEAT_ZABBIX_PROXY_DATA,
     2,
     LT_ZABBIX_5_0,
     0,
     AS(PROXY),
     AS(SERVER),
     false,
     false,
     {{0, LEAT_ZABBIX_PROXY_DATA, SAYS(PROXY_DATA)},
      {10 * MINUTES, LEAT_ZABBIX_RESPONSE, SAYS(PROXY_DATA_TAKEN)}}},
    {LEAT_ZABBIX_PROXY_HEARTBEAT,
     2,
     LT_ZABBIX_5_0,
     LT_ZABBIX_6_2,
     AS(PROXY),
     AS(SERVER),
     false,
     false,
     {{0, LEAT_ZABBIX_PROXY_HEARTBEAT, SAYS(PROXY_HEARTBEAT)},
      {60, LEAT_ZABBIX_RESPONSE, SAYS(RESPONSE)}}},
    {LEAT_ZABBIX_PROXY_CONFIG,
     2,
     LT_ZABBIX_5_0,
     LT_ZABBIX_6_2,
     AS(SERVER),
     AS(PASSIVE_PROXY),
     false,
     false,
     {{0, LEAT_ZABBIX_PROXY_CONFIG, SAYS(PROXY_CONFIG_TO_PASSIVE)},
      {5 * MINUTES, LEAT_ZABBIX_RESPONSE, SAYS(PROXY_CONFIG_TAKEN)}}},
    {LEAT_ZABBIX_PROXY_CONFIG,
     4,
     LT_ZABBIX_6_4,
     0,
     AS(SERVER),
     AS(PASSIVE_PROXY),
     false,
     false,
     {{0, LEAT_ZABBIX_PROXY_CONFIG, SAYS(PROXY_CONFIG_TO_PASSIVE)},
      {5 * MINUTES, LEAT_ZABBIX_PROXY_CONFIG, SAYS(PROXY_CONFIG_STATE)},
      {5 * MINUTES, LEAT_ZABBIX_PROXY_CONFIG, SAYS(PROXY_CONFIG_UPDATE)},
      {5 * MINUTES, LEAT_ZABBIX_RESPONSE, SAYS(PROXY_CONFIG_TAKEN)}}},
    {LEAT_ZABBIX_PROXY_DATA,
     3,
     LT_ZABBIX_5_0,
     0,
     AS(SERVER),
     AS(PASSIVE_PROXY),
     true,
     false,
     {{0, LEAT_ZABBIX_PROXY_DATA, SAYS(REQUEST)},
      {5 * MINUTES, LEAT_ZABBIX_PROXY_DATA, SAYS(PROXY_DATA_FROM_PASSIVE)},
      {3, LEAT_ZABBIX_RESPONSE, SAYS(PROXY_DATA_TAKEN)}}},
    {LEAT_ZABBIX_PROXY_TASKS,
     3,
     LT_ZABBIX_5_0,
     0,
     AS(SERVER),
     AS(PASSIVE_PROXY),
     true,
     false,
     {{0, LEAT_ZABBIX_PROXY_TASKS, SAYS(REQUEST)},
      {5 * MINUTES, LEAT_ZABBIX_PROXY_TASKS, SAYS(PROXY_TASKS)},
      {3, LEAT_ZABBIX_RESPONSE, SAYS(PROXY_TASKS_TAKEN)}}},
    {LEAT_ZABBIX_ACTIVE_CHECKS,
     2,
     LT_ZABBIX_5_0,
     0,
     AS(AGENT),
     TRAPPERS,
     false,
     false,
     {{0, LEAT_ZABBIX_ACTIVE_CHECKS, SAYS(ACTIVE_CHECKS)},
      {1 * MINUTES, LEAT_ZABBIX_RESPONSE, SAYS(ACTIVE_CHECKS_LIST)}}},
    {LEAT_ZABBIX_AGENT_DATA,
     2,
     LT_ZABBIX_5_0,
     0,
     AS(AGENT),
     TRAPPERS,
     false,
     false,
     {{0, LEAT_ZABBIX_AGENT_DATA, SAYS(AGENT_DATA)},
      {1 * MINUTES, LEAT_ZABBIX_RESPONSE, SAYS(VALUES_TAKEN)}}},
    {LEAT_ZABBIX_AGENT_HEARTBEAT,
     2,
     LT_ZABBIX_6_2,
     0,
     AS(AGENT),
     TRAPPERS,
     false,
     true,
     {{0, LEAT_ZABBIX_AGENT_HEARTBEAT, SAYS(ACTIVE_CHECK_HEARTBEAT)},
      {1 * MINUTES, LEAT_ZABBIX_RESPONSE, SAYS(VALUES_TAKEN)}}},
    {LEAT_ZABBIX_SENDER_DATA,
     2,
     LT_ZABBIX_5_0,
     0,
     AS(SENDER),
     TRAPPERS,
     false,
     false,
     {{0, LEAT_ZABBIX_SENDER_DATA, SAYS(SENDER_DATA)},
      {1 * MINUTES, LEAT_ZABBIX_RESPONSE, SAYS(VALUES_TAKEN)}}},
    {LEAT_ZABBIX_PASSIVE_CHECKS,
     2,
     LT_ZABBIX_5_0,
     0,
     TRAPPERS,
     AS(AGENT),
     false,
     false,
     {{0, LEAT_ZABBIX_PASSIVE_CHECKS, SAYS(PASSIVE_CHECKS)},
      {1 * MINUTES, LEAT_ZABBIX_PASSIVE_CHECKS, SAYS(PASSIVE_CHECKS_DONE)}}},
};
#define PATTERNS (sizeof patterns / sizeof *patterns)

/* In the order of the bits; the first one that is missing is told. */
static const char *const needed[LT_ZABBIX_NEEDED] = {
    "request", "host", "session", "config_revision", "version", "clock", "ns", "data", "response"};

const struct lt_zabbix_pattern *lt_zabbix_pattern_find(uint32_t kind, uint32_t version,
                                                       uint32_t role, bool connects)
{
    size_t i;

    for (i = 0; i < PATTERNS; i++) {
        const struct lt_zabbix_pattern *p = &patterns[i];

        if (p->kind == kind && version >= p->since && (p->until == 0 || version <= p->until) &&
            ((connects ? p->asker : p->answerer) & 1u << role) != 0)
            return p;
    }
    return NULL;
}

bool lt_zabbix_role_may(uint32_t role, bool connects)
{
    size_t i;

    for (i = 0; i < PATTERNS && role <= LEAT_ZABBIX_AS_SENDER; i++) {
        if (((connects ? patterns[i].asker : patterns[i].answerer) & 1u << role) != 0)
            return true;
    }
    return false;
}

const char *lt_zabbix_needed_name(uint32_t needs)
{
    size_t i = 0;

    while (i < LT_ZABBIX_NEEDED - 1 && (needs & 1u << i) == 0)
        i++;
    return needed[i];
}

uint32_t lt_zabbix_needed_bit(const char *name, size_t length)
{
    size_t i;

    for (i = 0; i < LT_ZABBIX_NEEDED; i++) {
        if (strlen(needed[i]) == length && memcmp(needed[i], name, length) == 0)
            return 1u << i;
    }
    return 0;
}

uint32_t lt_zabbix_demanded(enum lt_zabbix_says says, uint32_t version)
{
    struct lt_zabbix_fields fields = lt_zabbix_message_fields(says);
    uint32_t needs = 0;
    size_t i;

    for (i = 0; i < fields.count; i++) {
        const struct lt_zabbix_field *field = lt_zabbix_fields_at(&fields, i);

        if (field->presence == LT_ZABBIX_DEMANDED && lt_zabbix_field_is_in(field, version))
            needs |= lt_zabbix_needed_bit(lt_zabbix_field_name(field), field->length);
    }
    return needs;
}

bool lt_zabbix_takes_large(const struct lt_zabbix_version *version, uint32_t role)
{
    if (role == LEAT_ZABBIX_AS_AGENT)
        return false;
    /* Before 6.4 what a passive proxy is asked may be its whole configuration. */
    if (role == LEAT_ZABBIX_AS_PASSIVE_PROXY && version->number < LT_ZABBIX_6_4)
        return true;
    switch (version->number) {
    case LT_ZABBIX_5_0:
        return version->patch >= 16;
    case LT_ZABBIX_5_4:
        return version->patch >= 5;
    case LT_ZABBIX_6_0:
        return version->patch < 39;
    case LT_ZABBIX_7_0:
        return version->patch < 10;
    default:
        return version->number >= LT_ZABBIX_6_0 && version->number < LT_ZABBIX_7_0;
    }
}
