#include "version.h"

#include <string.h>

/* The leading digits, at most 9999; *at moves behind them. False: there is none, or too many. */
static bool read_part(const char *text, size_t length, size_t *at, uint32_t *part)
{
    size_t start = *at;

    for (*part = 0; *at < length && text[*at] >= '0' && text[*at] <= '9'; ++*at) {
        *part = *part * 10 + (uint32_t)(text[*at] - '0');
        if (*part > 9999)
            return false;
    }
    return *at > start;
}

bool lt_zabbix_version_read(const char *text, size_t length, struct lt_zabbix_version *version)
{
    size_t kept = length < sizeof version->text - 1 ? length : sizeof version->text - 1;
    size_t at = 0;
    uint32_t major, minor;

    memset(version, 0, sizeof *version);
    if (!read_part(text, length, &at, &major) || at == length || text[at] != '.')
        return false;
    at++;
    if (!read_part(text, length, &at, &minor) || minor > 99)
        return false;
    if (at < length && text[at] == '.') {
        at++;
        if (!read_part(text, length, &at, &version->patch))
            version->patch = 0;
    }
    memcpy(version->text, text, kept);
    version->number = major * 100 + minor;
    return version->number > 0;
}

bool lt_zabbix_version_own(const char *text, struct lt_zabbix_version *version)
{
    size_t i;

    for (i = 0; text != NULL && text[i] != '\0'; i++) {
        if (i == sizeof version->text - 1 || text[i] < ' ' || text[i] > '~')
            return false;
    }
    return text != NULL && lt_zabbix_version_read(text, i, version) &&
           version->number >= LT_ZABBIX_5_0;
}

bool lt_zabbix_version_takes(const struct lt_zabbix_version *server,
                             const struct lt_zabbix_version *proxy, bool config)
{
    uint32_t major = server->number / 100, minor = server->number % 100;

    if (server->number < LT_ZABBIX_6_4)
        return config || (proxy->number >= 402 && proxy->number <= server->number);
    if (proxy->number == server->number)
        return true;
    if (config)
        return false;
    if (minor == 0)
        return proxy->number / 100 == major - 1;
    return proxy->number / 100 == major && proxy->number < server->number;
}
