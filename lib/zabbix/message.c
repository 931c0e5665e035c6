#include "message.h"

#include "../core/value.h"

#include <leat/session.h>
#include <leat/zabbix.h>

#include <string.h>

static const struct {
    const char *name;
    uint32_t kind;
    bool asks; /* the name is also what "request" holds */
} kinds[] = {
    {"proxy config", LEAT_ZABBIX_PROXY_CONFIG, true},
    {"proxy data", LEAT_ZABBIX_PROXY_DATA, true},
    {"proxy tasks", LEAT_ZABBIX_PROXY_TASKS, true},
    {"proxy heartbeat", LEAT_ZABBIX_PROXY_HEARTBEAT, true},
    {"active checks", LEAT_ZABBIX_ACTIVE_CHECKS, true},
    {"agent data", LEAT_ZABBIX_AGENT_DATA, true},
    {"active check heartbeat", LEAT_ZABBIX_AGENT_HEARTBEAT, true},
    {"sender data", LEAT_ZABBIX_SENDER_DATA, true},
    {"passive checks", LEAT_ZABBIX_PASSIVE_CHECKS, true},
    {"response", LEAT_ZABBIX_RESPONSE, false},
    {"request", LEAT_ZABBIX_REQUEST, false},
    {"message", LEAT_ZABBIX_MESSAGE, false},
    {"plain", LEAT_ZABBIX_PLAIN, false},
    {"unframed", LEAT_ZABBIX_UNFRAMED, false},
};
#define KINDS (sizeof kinds / sizeof *kinds)

/* By length: the table behind it says where each begins. */
static const struct lt_zabbix_member members[] = {
    {LT_NAME("data"), LT_ZABBIX_SEEN_OTHER, true},
    {LT_NAME("clock"), LT_ZABBIX_SEEN_CLOCK, false},
    {LT_NAME("error"), LT_ZABBIX_SEEN_CHECKED, false},
    {LT_NAME("tasks"), LT_ZABBIX_SEEN_TASKS, true},
    {LT_NAME("regexp"), LT_ZABBIX_SEEN_OTHER, true},
    {LT_NAME("session"), LT_ZABBIX_SEEN_SESSION, false},
    {LT_NAME("version"), LT_ZABBIX_SEEN_VERSION, false},
    {LT_NAME("variant"), LT_ZABBIX_SEEN_CHECKED, false},
    {LT_NAME("response"), LT_ZABBIX_SEEN_RESPONSE, false},
    {LT_NAME("redirect"), LT_ZABBIX_SEEN_RESPONSE, false},
    {LT_NAME("commands"), LT_ZABBIX_SEEN_OTHER, true},
    {LT_NAME("host data"), LT_ZABBIX_SEEN_SECTION, true},
    {LT_NAME("full_sync"), LT_ZABBIX_SEEN_CONFIGURATION, false},
    {LT_NAME("del_hostids"), LT_ZABBIX_SEEN_CONFIGURATION, false},
    {LT_NAME("proxy_group"), LT_ZABBIX_SEEN_CONFIGURATION, false},
    {LT_NAME("history data"), LT_ZABBIX_SEEN_SECTION, true},
    {LT_NAME("macro.secrets"), LT_ZABBIX_SEEN_CONFIGURATION, false},
    {LT_NAME("discovery data"), LT_ZABBIX_SEEN_SECTION, true},
    {LT_NAME("config_revision"), LT_ZABBIX_SEEN_REVISION, false},
    {LT_NAME("host availability"), LT_ZABBIX_SEEN_SECTION, true},
    {LT_NAME("auto registration"), LT_ZABBIX_SEEN_SECTION, true},
    {LT_NAME("del_macro_hostids"), LT_ZABBIX_SEEN_CONFIGURATION, false},
    {LT_NAME("interface availability"), LT_ZABBIX_SEEN_SECTION, true},
};

/*
 * Messages without a request, by who says them and what they hold; the first that fits. The
 * exchanges are in sections 6 to 10 and 12 of the specification.
 */
#define FROM(side) (1u << LEAT_FROM_##side)
#define SEEN(what) LT_ZABBIX_SEEN_##what
static const struct {
    uint32_t from;
    uint32_t all;  /* each of these was seen */
    uint32_t none; /* and none of these */
    uint32_t kind;
} answers[] = {
    {FROM(SERVER), SEEN(CONFIGURATION), 0, LEAT_ZABBIX_PROXY_CONFIG},
    {FROM(SERVER), SEEN(REVISION), SEEN(SESSION), LEAT_ZABBIX_PROXY_CONFIG},
    {FROM(SERVER), 0, ~0u, LEAT_ZABBIX_PROXY_CONFIG}, /* {}: nothing changed */
    {FROM(PROXY), SEEN(SECTION), 0, LEAT_ZABBIX_PROXY_DATA},
    {FROM(PROXY), SEEN(SESSION) | SEEN(REVISION), SEEN(CLOCK), LEAT_ZABBIX_PROXY_CONFIG},
    {FROM(PROXY), SEEN(SESSION), 0, LEAT_ZABBIX_PROXY_DATA},
    {FROM(AGENT), SEEN(CHECKED), 0, LEAT_ZABBIX_PASSIVE_CHECKS},
    {FROM(PROXY), SEEN(TASKS), 0, LEAT_ZABBIX_PROXY_TASKS},
    {FROM(PROXY), SEEN(VERSION) | SEEN(CLOCK), 0, LEAT_ZABBIX_PROXY_TASKS},
};

static bool same(const char *name, const char *text, size_t length)
{
    return strlen(name) == length && memcmp(name, text, length) == 0;
}

const struct lt_zabbix_member *lt_zabbix_member_find(const char *name, size_t length)
{
    /* The first of each length, from 4 to 22, and the end. */
    static const uint8_t first[] = {0,  1,  4,  5,  8,  11, 13, 13, 15, 16,
                                    17, 18, 19, 19, 22, 22, 22, 22, 22, 23};
    size_t i;

    if (length < 4 || length > 22)
        return NULL;
    for (i = first[length - 4]; i < first[length - 3]; i++) {
        if (memcmp(members[i].name, name, length) == 0)
            return &members[i];
    }
    return NULL;
}

uint32_t lt_zabbix_request_kind(const char *text, size_t length)
{
    size_t i;

    for (i = 0; i < KINDS; i++) {
        if (kinds[i].asks && same(kinds[i].name, text, length))
            return kinds[i].kind;
    }
    return LEAT_ZABBIX_REQUEST;
}

uint32_t lt_zabbix_kind_of(uint32_t from, uint32_t request, uint32_t seen)
{
    size_t i;

    if (request != 0)
        return request;
    if ((seen & LT_ZABBIX_SEEN_RESPONSE) != 0)
        return LEAT_ZABBIX_RESPONSE;
    for (i = 0; i < sizeof answers / sizeof *answers; i++) {
        if ((from == LEAT_FROM_ANY || (answers[i].from & 1u << from) != 0) &&
            (seen & answers[i].all) == answers[i].all && (seen & answers[i].none) == 0)
            return answers[i].kind;
    }
    return LEAT_ZABBIX_MESSAGE;
}

const char *lt_zabbix_kind_name(uint32_t kind)
{
    size_t i;

    for (i = 0; i < KINDS; i++) {
        if (kinds[i].kind == kind)
            return kinds[i].name;
    }
    return "";
}

uint32_t lt_zabbix_name_kind(const char *name)
{
    size_t i;

    for (i = 0; i < KINDS; i++) {
        if (strcmp(kinds[i].name, name) == 0)
            return kinds[i].kind;
    }
    return 0;
}

bool lt_zabbix_kind_asks(uint32_t kind)
{
    size_t i;

    for (i = 0; i < KINDS; i++) {
        if (kinds[i].kind == kind)
            return kinds[i].asks;
    }
    return false;
}
