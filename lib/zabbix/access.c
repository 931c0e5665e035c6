#include "access.h"

#include "../core/bytes.h"
#include "../core/text.h"

#define ALL_CONNECTIONS (LEAT_ZABBIX_UNENCRYPTED | LEAT_ZABBIX_PSK | LEAT_ZABBIX_CERTIFICATE)
#define IPV4_IN_IPV6    96u

/* ---- copies ---- */

static size_t text_bytes(const char *text)
{
    return text == NULL ? 0 : strlen(text) + 1;
}

static const char *keep(char **at, const char *text)
{
    size_t bytes = text_bytes(text);
    char *kept = *at;

    if (bytes == 0)
        return NULL;
    memcpy(kept, text, bytes);
    *at += bytes;
    return kept;
}

static bool make_identity(const leat_allocator *allocator, struct lt_zabbix_identity *identity,
                          const char *psk_identity, const char *issuer, const char *subject)
{
    char *at;

    memset(identity, 0, sizeof *identity);
    identity->bytes = text_bytes(psk_identity) + text_bytes(issuer) + text_bytes(subject);
    if (identity->bytes == 0)
        return true;
    identity->block = (char *)lt_resize(allocator, NULL, 0, identity->bytes);
    if (identity->block == NULL)
        return false;
    at = identity->block;
    identity->psk_identity = keep(&at, psk_identity);
    identity->issuer = keep(&at, issuer);
    identity->subject = keep(&at, subject);
    return true;
}

static void free_identity(const leat_allocator *allocator, struct lt_zabbix_identity *identity)
{
    lt_free(allocator, identity->block, identity->bytes);
}

int lt_zabbix_peer_make(const leat_allocator *allocator, const leat_zabbix_peer *given,
                        struct lt_zabbix_peer *peer)
{
    leat_zabbix_peer told;

    leat_zabbix_peer_init(&told, sizeof told);
    if (given == NULL || !lt_options_read(&told, sizeof told, given))
        return LEAT_E_VALUE;
    peer->connection = told.connection;
    peer->has_address =
        told.address != NULL && lt_read_address(told.address, strlen(told.address), peer->address);
    return make_identity(allocator, &peer->identity, told.psk_identity, told.issuer, told.subject)
               ? LEAT_OK
               : LEAT_E_NOMEM;
}

void lt_zabbix_peer_free(const leat_allocator *allocator, struct lt_zabbix_peer *peer)
{
    free_identity(allocator, &peer->identity);
}

/* ---- what is demanded ---- */

/* "192.168.0.0/24", without spaces around it. */
static bool read_subnet(const char *text, size_t length, struct lt_zabbix_subnet *subnet)
{
    const char *slash = (const char *)memchr(text, '/', length);
    size_t address = slash == NULL ? length : (size_t)(slash - text);
    uint8_t ipv4[4];
    uint64_t most = lt_read_ipv4(text, address, ipv4) ? 32 : 128, prefix = most;

    if (!lt_read_address(text, address, subnet->address))
        return false;
    if (slash != NULL && (!lt_read_u64(slash + 1, length - address - 1, &prefix) || prefix > most))
        return false;
    subnet->prefix = (uint32_t)prefix + (most == 32 ? IPV4_IN_IPV6 : 0);
    return true;
}

/* LEAT_OK, LEAT_E_VALUE or LEAT_E_NOMEM. */
static int read_addresses(const leat_allocator *allocator, const char *text,
                          struct lt_zabbix_access *access)
{
    while (text != NULL && *text != '\0') {
        size_t length = strcspn(text, ","), before = strspn(text, " "), after = length;
        struct lt_zabbix_subnet subnet;
        void *array = access->subnet;

        while (after > before && text[after - 1] == ' ')
            after--;
        if (before >= after || !read_subnet(text + before, after - before, &subnet))
            return LEAT_E_VALUE;
        if (!lt_grow(allocator, &array, &access->subnet_size, access->subnet_count + 1,
                     sizeof *access->subnet))
            return LEAT_E_NOMEM;
        access->subnet = (struct lt_zabbix_subnet *)array;
        access->subnet[access->subnet_count++] = subnet;
        text += length;
        if (*text == ',' && *++text == '\0')
            return LEAT_E_VALUE;
    }
    return LEAT_OK;
}

int lt_zabbix_access_make(const leat_allocator *allocator, const leat_zabbix_server_member *given,
                          struct lt_zabbix_access *access, const char **field)
{
    int status;

    memset(access, 0, sizeof *access);
    *field = "connections";
    if (given->connections == 0 || (given->connections & ~ALL_CONNECTIONS) != 0)
        return LEAT_E_VALUE;
    access->connections = given->connections;
    *field = "addresses";
    status = read_addresses(allocator, given->addresses, access);
    if (status == LEAT_OK && !make_identity(allocator, &access->identity, given->psk_identity,
                                            given->issuer, given->subject))
        status = LEAT_E_NOMEM;
    if (status != LEAT_OK)
        lt_free(allocator, access->subnet, access->subnet_size * sizeof *access->subnet);
    return status;
}

void lt_zabbix_access_free(const leat_allocator *allocator, struct lt_zabbix_access *access)
{
    free_identity(allocator, &access->identity);
    lt_free(allocator, access->subnet, access->subnet_size * sizeof *access->subnet);
}

size_t lt_zabbix_access_memory(const struct lt_zabbix_access *access)
{
    return access->identity.bytes + access->subnet_size * sizeof *access->subnet;
}

bool lt_zabbix_is_proxy_name(const char *name, size_t length)
{
    size_t i;

    for (i = 0; i < length; i++) {
        char c = name[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '_' || c == '-' || c == ' '))
            return false;
    }
    return length > 0 && length <= LT_ZABBIX_NAME_MAX;
}

/* ---- whether it is met ---- */

static bool is_within(const uint8_t address[16], const struct lt_zabbix_subnet *subnet)
{
    size_t whole = subnet->prefix / 8;
    unsigned rest = subnet->prefix % 8;

    if (memcmp(address, subnet->address, whole) != 0)
        return false;
    return rest == 0 || (address[whole] ^ subnet->address[whole]) >> (8 - rest) == 0;
}

static bool address_may(const struct lt_zabbix_access *access, const struct lt_zabbix_peer *peer)
{
    size_t i;

    for (i = 0; i < access->subnet_count && peer->has_address; i++) {
        if (is_within(peer->address, &access->subnet[i]))
            return true;
    }
    return access->subnet_count == 0;
}

static bool is_one_connection(uint32_t connection)
{
    return connection == LEAT_ZABBIX_UNENCRYPTED || connection == LEAT_ZABBIX_PSK ||
           connection == LEAT_ZABBIX_CERTIFICATE;
}

static bool differs(const char *wanted, const char *told)
{
    return told == NULL || strcmp(wanted, told) != 0;
}

static bool differs_if_wanted(const char *wanted, const char *told)
{
    return wanted != NULL && *wanted != '\0' && differs(wanted, told);
}

static const char *connection_reason(uint32_t connection)
{
    switch (connection) {
    case LEAT_ZABBIX_UNENCRYPTED:
        return "connection of type \"unencrypted\" is not allowed for proxy \"";
    case LEAT_ZABBIX_PSK:
        return "connection of type \"TLS with PSK\" is not allowed for proxy \"";
    default:
        return "connection of type \"TLS with certificate\" is not allowed for proxy \"";
    }
}

void lt_zabbix_reason(char reason[LT_ZABBIX_REASON], const char *before, const char *name,
                      size_t length, const char *after)
{
    struct lt_writer out = lt_writer_fixed(reason, LT_ZABBIX_REASON - 1);
    const void *zero;

    if (length > LT_ZABBIX_NAME_MAX)
        length = LT_ZABBIX_NAME_MAX;
    zero = length == 0 ? NULL : memchr(name, 0, length);
    if (zero != NULL)
        length = (size_t)((const char *)zero - name);
    lt_put_text(&out, before);
    lt_put_bytes(&out, name, lt_utf8_prefix((const uint8_t *)name, length));
    lt_put_text(&out, after);
    reason[out.length] = '\0';
}

const char *lt_zabbix_access_denied(const struct lt_zabbix_access *access,
                                    const struct lt_zabbix_peer *peer, const char *name,
                                    char reason[LT_ZABBIX_REASON])
{
    const struct lt_zabbix_identity *wanted = &access->identity, *told = &peer->identity;
    size_t length = strlen(name);

    if (!address_may(access, peer)) {
        lt_zabbix_reason(reason, "connection is not allowed", "", 0, "");
        return "the proxy may not connect from this address";
    }
    if (!is_one_connection(peer->connection) || (access->connections & peer->connection) == 0) {
        lt_zabbix_reason(reason, connection_reason(peer->connection), name, length, "\"");
        return "the proxy may not use this type of connection";
    }
    if (peer->connection == LEAT_ZABBIX_PSK && wanted->psk_identity != NULL &&
        differs(wanted->psk_identity, told->psk_identity)) {
        lt_zabbix_reason(reason, "proxy \"", name, length, "\" is using false PSK identity");
        return "the proxy has another PSK identity";
    }
    if (peer->connection != LEAT_ZABBIX_CERTIFICATE)
        return NULL;
    if (differs_if_wanted(wanted->issuer, told->issuer)) {
        lt_zabbix_reason(reason, "proxy \"", name, length, "\" certificate issuer does not match");
        return "the certificate of the proxy has another issuer";
    }
    if (differs_if_wanted(wanted->subject, told->subject)) {
        lt_zabbix_reason(reason, "proxy \"", name, length, "\" certificate subject does not match");
        return "the certificate of the proxy has another subject";
    }
    return NULL;
}
