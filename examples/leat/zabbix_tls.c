/* Keys and certificates of Zabbix: pre-shared ones, or such that lead to an authority, whomever they are for. */
#include "zabbix_live.h"

#ifdef WITH_OPENSSL
#include <leat/openssl.h>
#endif
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *word;
    uint32_t type;
} types[] = {
    {"unencrypted", LEAT_ZABBIX_UNENCRYPTED},
    {"psk", LEAT_ZABBIX_PSK},
    {"cert", LEAT_ZABBIX_CERTIFICATE},
};

#define TYPES (sizeof types / sizeof *types)

uint32_t connection_type(const char *word, size_t length)
{
    size_t i;

    for (i = 0; i < TYPES; i++) {
        if (strlen(types[i].word) == length && memcmp(word, types[i].word, length) == 0)
            return types[i].type;
    }
    return 0;
}

const char *connection_word(uint32_t type)
{
    size_t i;

    for (i = 0; i < TYPES; i++) {
        if (types[i].type == type)
            return types[i].word;
    }
    return "";
}

/* The sum of the types in a list, or the one type of a word. 0, with a complaint: it is none. */
static uint32_t read_types(const char *option, const char *text, bool list)
{
    uint32_t sum = 0;
    const char *at = text;

    for (;;) {
        size_t length = list ? strcspn(at, ",") : strlen(at);
        uint32_t type = connection_type(at, length);

        if (type == 0) {
            complain("%s %s: not unencrypted, psk or cert", option, text);
            return 0;
        }
        sum |= type;
        if (at[length] == '\0')
            return sum;
        at += length + 1;
    }
}

/* Whether there is what that type needs. */
static bool has_key(const struct keys *keys, uint32_t type)
{
    if (type == LEAT_ZABBIX_PSK)
        return keys->psk.identity != NULL;
    return type == LEAT_ZABBIX_UNENCRYPTED || keys->certificate != NULL;
}

static bool read_files(struct keys *keys, const struct arguments *arguments)
{
    return option_file(arguments, "--psk-file", &keys->psk_file, &keys->psk_length) &&
           option_file(arguments, "--cert", &keys->certificate, &keys->certificate_length) &&
           option_file(arguments, "--key", &keys->key, &keys->key_length) &&
           option_file(arguments, "--ca", &keys->authorities, &keys->authorities_length) &&
           option_file(arguments, "--password-file", &keys->password, &keys->password_length) &&
           (keys->password == NULL || secret_line(keys->password, keys->password_length,
                                                  option_value(arguments, "--password-file")));
}

/* Options that make no sense without one another. */
static bool are_complete(const struct keys *keys, const struct arguments *arguments)
{
    if ((keys->psk.identity == NULL) != (keys->psk_file == NULL)) {
        complain("--psk-identity and --psk-file go together");
        return false;
    }
    if ((keys->certificate == NULL) != (keys->key == NULL) ||
        (keys->certificate == NULL) != (keys->authorities == NULL)) {
        complain("--cert, --key and --ca go together");
        return false;
    }
    if (keys->certificate == NULL &&
        (keys->password != NULL || keys->issuer != NULL || keys->subject != NULL)) {
        complain("%s needs --cert", keys->password != NULL ? "--password-file"
                                    : keys->issuer != NULL ? "--issuer"
                                                           : "--subject");
        return false;
    }
    if (!has_key(keys, keys->connects)) {
        complain("--tls-connect %s: there is no key for it", connection_word(keys->connects));
        return false;
    }
    /* A server may have more keys, in the file of --config. */
    if (!option_given(arguments, "--config") &&
        ((keys->accepts & LEAT_ZABBIX_PSK) != 0) > has_key(keys, LEAT_ZABBIX_PSK)) {
        complain("--tls-accept psk: there is no key for it");
        return false;
    }
    if (((keys->accepts & LEAT_ZABBIX_CERTIFICATE) != 0) > has_key(keys, LEAT_ZABBIX_CERTIFICATE)) {
        complain("--tls-accept cert: there is no key for it");
        return false;
    }
    return true;
}

static bool choose_types(struct keys *keys, const struct arguments *arguments)
{
    const char *connects = option_value(arguments, "--tls-connect");
    const char *accepts = option_value(arguments, "--tls-accept");
    bool psk = has_key(keys, LEAT_ZABBIX_PSK);
    bool certificate = has_key(keys, LEAT_ZABBIX_CERTIFICATE);

    keys->connects = psk           ? LEAT_ZABBIX_PSK
                     : certificate ? LEAT_ZABBIX_CERTIFICATE
                                   : LEAT_ZABBIX_UNENCRYPTED;
    keys->accepts = (psk ? LEAT_ZABBIX_PSK : 0) | (certificate ? LEAT_ZABBIX_CERTIFICATE : 0);
    if (keys->accepts == 0)
        keys->accepts = LEAT_ZABBIX_UNENCRYPTED;
    if (connects != NULL)
        keys->connects = read_types("--tls-connect", connects, false);
    if (accepts != NULL)
        keys->accepts = read_types("--tls-accept", accepts, true);
    return keys->connects != 0 && keys->accepts != 0;
}

bool keys_open(struct keys *keys, const struct arguments *arguments)
{
    memset(keys, 0, sizeof *keys);
    keys->issuer = option_value(arguments, "--issuer");
    keys->subject = option_value(arguments, "--subject");
    keys->psk.identity = option_value(arguments, "--psk-identity");
    if (!read_files(keys, arguments)) {
        keys_close(keys);
        return false;
    }
    keys->psk.key = keys->psk_file;
    if (choose_types(keys, arguments) && are_complete(keys, arguments))
        return true;
    keys_close(keys);
    return false;
}

void keys_close(struct keys *keys)
{
    secret_free(keys->psk_file, keys->psk_length);
    secret_free(keys->key, keys->key_length);
    secret_free(keys->password, keys->password_length);
    free(keys->certificate);
    free(keys->authorities);
    memset(keys, 0, sizeof *keys);
}

#ifdef WITH_OPENSSL
static void with_certificate(const struct keys *keys, leat_tls_options *options)
{
    options->certificate = keys->certificate;
    options->certificate_length = keys->certificate_length;
    options->key = keys->key;
    options->key_length = keys->key_length;
    options->authorities = keys->authorities;
    options->authorities_length = keys->authorities_length;
    options->password = keys->password;
}

static bool made(int status, const char *reason, SSL_CTX *context, struct security *security)
{
    if (status != LEAT_OK) {
        need_memory(status);
        complain("TLS: %s", reason);
        return false;
    }
    security->context = context;
    return true;
}

bool keys_connect(const struct keys *keys, uint32_t type, const struct psk *psk,
                  struct security *security)
{
    leat_tls_psk own = {psk->identity, psk->key};
    const char *reason = "";
    SSL_CTX *context = NULL;
    leat_tls_options options;
    int status;

    memset(security, 0, sizeof *security);
    if (type == LEAT_ZABBIX_UNENCRYPTED)
        return true;
    leat_tls_options_init(&options, sizeof options);
    if (type == LEAT_ZABBIX_CERTIFICATE) {
        with_certificate(keys, &options);
    } else {
        options.psks = &own;
        options.psk_count = 1;
    }
    status = leat_tls_client_context(&options, &context, &reason);
    return made(status, reason, context, security);
}

bool keys_accept(const struct keys *keys, uint32_t accepted, const struct psk *psks, size_t count,
                 struct security *security)
{
    leat_tls_psk *own = calloc(count + 1, sizeof *own);
    const char *reason = "";
    SSL_CTX *context = NULL;
    leat_tls_options options;
    size_t i;
    int status;

    need_memory(own == NULL ? LEAT_E_NOMEM : LEAT_OK);
    memset(security, 0, sizeof *security);
    leat_tls_options_init(&options, sizeof options);
    if ((accepted & LEAT_ZABBIX_CERTIFICATE) != 0)
        with_certificate(keys, &options);
    for (i = 0; i < count && (accepted & LEAT_ZABBIX_PSK) != 0; i++) {
        own[i].identity = psks[i].identity;
        own[i].key = psks[i].key;
        options.psk_count = i + 1;
    }
    options.psks = own;
    if (options.psk_count == 0 && options.certificate == NULL) {
        free(own);
        return true;
    }
    status = leat_tls_server_context(&options, &context, &reason);
    free(own);
    return made(status, reason, context, security);
}
#else
static bool without_tls(bool is_needed, struct security *security)
{
    memset(security, 0, sizeof *security);
    if (is_needed)
        complain("TLS was left out of this build");
    return !is_needed;
}

bool keys_connect(const struct keys *keys, uint32_t type, const struct psk *psk,
                  struct security *security)
{
    (void)keys;
    (void)psk;
    return without_tls(type != LEAT_ZABBIX_UNENCRYPTED, security);
}

bool keys_accept(const struct keys *keys, uint32_t accepted, const struct psk *psks, size_t count,
                 struct security *security)
{
    (void)keys;
    (void)psks;
    (void)count;
    return without_tls(accepted != LEAT_ZABBIX_UNENCRYPTED, security);
}
#endif

void facts_read(struct facts *facts, const struct connection *connection)
{
    leat_zabbix_peer_init(&facts->peer, sizeof facts->peer);
    facts->peer.address = connection->peer_address;
    facts->peer.connection = wire_peer_by(&connection->wire);
    facts->peer.psk_identity = wire_psk_identity(&connection->wire);
    wire_peer_names(&connection->wire, facts->issuer, facts->subject, PEER_NAME_BYTES);
    facts->peer.issuer = facts->issuer;
    facts->peer.subject = facts->subject;
}

bool facts_suit(const struct facts *facts, const struct keys *keys)
{
    if (facts->peer.connection != LEAT_ZABBIX_CERTIFICATE)
        return true;
    return (keys->issuer == NULL || strcmp(keys->issuer, facts->issuer) == 0) &&
           (keys->subject == NULL || strcmp(keys->subject, facts->subject) == 0);
}
