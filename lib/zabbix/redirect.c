/* Where proxy groups send agents and senders. */
#include "../core/bytes.h"
#include "../core/memory.h"
#include "../core/value.h"

#include <leat/zabbix.h>
#include <string.h>

#define PORT 10051u /* of servers and proxies */

static const leat_zabbix_redirect initial = {.size = sizeof(leat_zabbix_redirect), .port = PORT};

void leat_zabbix_redirect_init(leat_zabbix_redirect *redirect, size_t size)
{
    lt_options_init(redirect, size, &initial, sizeof initial);
}

/* "10051": 1 to 65535. */
static bool read_port(const char *text, size_t length, uint32_t *port)
{
    size_t i;

    *port = 0;
    for (i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || *port > 65535)
            return false;
        *port = *port * 10 + (uint32_t)(text[i] - '0');
    }
    return length > 0 && *port > 0 && *port <= 65535;
}

/* "host", "host:port", "[address]", "[address]:port", or an IPv6 address alone. */
static bool read_address(const char *text, size_t length, leat_zabbix_redirect *to)
{
    const char *end = text + length;
    const char *host = text, *behind = end;

    if (length > 0 && *text == '[') {
        host = text + 1;
        behind = (const char *)memchr(host, ']', length - 1);
        if (behind == NULL)
            return false;
        length = (size_t)(behind - host);
        behind++;
    } else {
        const char *colon = (const char *)memchr(text, ':', length);

        if (colon != NULL && memchr(colon + 1, ':', (size_t)(end - colon - 1)) == NULL) {
            behind = colon;
            length = (size_t)(colon - host);
        }
    }
    if (length == 0 || length >= sizeof to->host || memchr(host, 0, length) != NULL)
        return false;
    to->port = PORT;
    if (behind < end &&
        (*behind != ':' || !read_port(behind + 1, (size_t)(end - behind - 1), &to->port)))
        return false;
    memcpy(to->host, host, length);
    to->host[length] = 0;
    return true;
}

int leat_zabbix_redirect_follow(leat_zabbix_redirect *redirect, const leat_value *response)
{
    const leat_value *member = leat_value_get(response, "redirect");
    const leat_value *reset = leat_value_get(member, "reset");
    leat_zabbix_redirect to = *redirect;
    uint32_t followed = redirect->followed;
    const char *address;
    size_t length;

    if (redirect->size < sizeof *redirect)
        return LEAT_E_VALUE;
    redirect->followed = 0;
    if (leat_value_kind(member) != LEAT_RECORD)
        return LEAT_END;
    if (followed != 0)
        return LEAT_E_PROTOCOL;
    if (leat_value_bool(reset) != 0) {
        to = initial;
    } else {
        address = leat_value_text(leat_value_get(member, "address"), &length);
        to.revision = leat_zabbix_u64(leat_value_get(member, "revision"));
        if (to.revision > 0 && to.revision < redirect->revision)
            return LEAT_END;
        if (to.revision == 0 || !read_address(address, length, &to))
            return LEAT_E_PROTOCOL;
    }
    to.size = redirect->size;
    to.followed = 1;
    *redirect = to;
    return LEAT_OK;
}
