/* What the options of leat zabbix proxy tell. */
#include "zabbix_live.h"

#include <string.h>

bool settings_are_for(const struct settings *settings, const char *address)
{
    uint8_t octets[16];
    size_t i;

    if (!address_read(address, strlen(address), octets))
        return false;
    for (i = 0; i < settings->subnet_count; i++) {
        const struct subnet *subnet = &settings->subnets[i];
        size_t whole = (size_t)(subnet->prefix / 8);
        unsigned rest = (unsigned)(subnet->prefix % 8);

        if (memcmp(octets, subnet->octets, whole) == 0 &&
            (rest == 0 || (octets[whole] ^ subnet->octets[whole]) >> (8 - rest) == 0))
            return true;
    }
    return false;
}

/* Leaves of ADDRESS:PORT or [ADDRESS]:PORT the address: the port that a server comes from is any. */
static void drop_port(const char **address, size_t *length)
{
    const char *end = *address + *length;
    const char *colon = memchr(*address, ':', *length);
    const char *bracket = **address == '[' ? memchr(*address, ']', *length) : NULL;

    if (bracket != NULL && (bracket + 1 == end || bracket[1] == ':')) {
        ++*address;
        *length = (size_t)(bracket - *address);
    } else if (colon != NULL && memchr(colon + 1, ':', (size_t)(end - colon - 1)) == NULL) {
        *length = (size_t)(colon - *address);
    }
}

/* The addresses of --server, with commas between. */
static bool read_subnets(struct settings *settings, const char *text)
{
    const char *at = text;

    for (;;) {
        size_t length = strcspn(at, ",");
        const char *slash = memchr(at, '/', length);
        const char *start = at;
        size_t address = slash == NULL ? length : (size_t)(slash - at);
        struct subnet *subnet = &settings->subnets[settings->subnet_count];
        uint64_t first = 0;

        if (settings->subnet_count == SUBNETS_MAX) {
            complain("--server: too many addresses");
            return false;
        }
        if (slash != NULL && !number_read(slash + 1, length - address - 1, 10, &subnet->prefix)) {
            complain("--server %s: not the length of a prefix", text);
            return false;
        }
        if (slash == NULL)
            drop_port(&start, &address);
        if (!address_read(start, address, subnet->octets)) {
            complain("--server %s: not addresses with commas between", text);
            return false;
        }
        if (memchr(start, ':', address) == NULL)
            first = 96;
        if (slash == NULL)
            subnet->prefix = 128 - first;
        if (subnet->prefix > 128 - first) {
            complain("--server %s: not the length of a prefix", text);
            return false;
        }
        subnet->prefix += first;
        settings->subnet_count++;
        if (at[length] == '\0')
            return true;
        at += length + 1;
    }
}

static bool choose_session(struct settings *settings, const char *given)
{
    uint8_t octets[16];
    size_t i;

    if (given != NULL) {
        if (strlen(given) != 32 || strspn(given, "0123456789abcdef") != 32) {
            complain("--session %s: not 32 hexadecimal digits in lower case", given);
            return false;
        }
        memcpy(settings->session, given, sizeof settings->session);
        return true;
    }
    if (!random_octets(octets, sizeof octets))
        return false;
    for (i = 0; i < sizeof octets; i++)
        (void)snprintf(settings->session + 2 * i, 3, "%02x", octets[i]);
    return true;
}

static bool read_policy(struct settings *settings, const char *policy)
{
    settings->options.buffer_policy = LEAT_ZABBIX_REFUSE_NEW;
    if (policy == NULL || strcmp(policy, "wait") == 0)
        return true;
    settings->options.buffer_policy = LEAT_ZABBIX_DROP_OLDEST;
    if (strcmp(policy, "drop-oldest") == 0)
        return true;
    complain("--buffer-policy %s: not wait or drop-oldest", policy);
    return false;
}

static bool read_server(struct settings *settings, const struct arguments *arguments)
{
    const char *server = option_value(arguments, "--server");

    if (server == NULL) {
        complain("--server is missing");
        return false;
    }
    if (settings->options.passive == 0)
        return endpoint_read(&settings->server, server, false);
    if (!option_given(arguments, "--listen")) {
        complain("--passive needs --listen");
        return false;
    }
    return read_subnets(settings, server);
}

bool settings_read(struct settings *settings, const struct arguments *arguments)
{
    leat_zabbix_proxy_options *options = &settings->options;

    leat_zabbix_proxy_options_init(options, sizeof *options);
    options->name = option_value(arguments, "--name");
    options->version = settings->version;
    options->session = settings->session;
    options->passive = option_given(arguments, "--passive") ? 1 : 0;
    settings->exit_when_empty = option_given(arguments, "--exit-when-empty");
    if (options->name == NULL) {
        complain("--name is missing");
        return false;
    }
    return read_server(settings, arguments) && version_read(arguments, settings->version) &&
           choose_session(settings, option_value(arguments, "--session")) &&
           read_policy(settings, option_value(arguments, "--buffer-policy")) &&
           option_number(arguments, "--buffer-rows", 1, UINT32_MAX, &options->buffer_rows) &&
           option_number(arguments, "--buffer-bytes", 1, (uint64_t)1 << 40,
                         &options->buffer_bytes) &&
           option_seconds(arguments, "--buffer-age", &options->buffer_ms) &&
           option_seconds(arguments, "--config-frequency", &options->config_ms) &&
           option_seconds(arguments, "--data-frequency", &options->data_ms);
}
