/*
 * OpenSSL asks for keys through callbacks, the same for TLS 1.2 and 1.3 (there it takes their hash
 * to be SHA-256, as the standard says of keys from elsewhere). They find the keys at the context, and
 * leave at the connection which one they gave.
 */
#include "psk.h"

#include "text.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#define IDENTITY_CHARACTERS 128u /* Zabbix's limit */
#define KEY_MIN             16u
#define KEY_MAX             256u

/* All that a GnuTLS peer of Zabbix takes, forward secrecy first. */
#define SUITES_1_2                                                                                 \
    "ECDHE-PSK-AES128-CBC-SHA256:ECDHE-PSK-AES128-CBC-SHA:"                                        \
    "PSK-AES128-GCM-SHA256:PSK-AES128-CBC-SHA256:PSK-AES128-CBC-SHA"

/* With a suite of another hash TLS 1.3 would leave the key aside. */
#define SUITES_1_3 "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"

struct psk {
    size_t identity_length;
    size_t key_length;
    char identity[PSK_MAX_IDENTITY_LEN + 1];
    uint8_t key[KEY_MAX];
};

/* What hangs on a context; it is never changed, so connections of several threads share it. */
struct psks {
    bool is_client;
    size_t count;
    struct psk keys[]; /* by identity; behind them one that nobody has */
};

static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
static int context_index = -1; /* of a context's struct psks, yours to free */
static int ssl_index = -1;     /* of a connection's struct psk, borrowed from its context */

static size_t bytes_of(size_t count)
{
    return sizeof(struct psks) + (count + 1) * sizeof(struct psk);
}

static void free_psks(struct psks *psks)
{
    if (psks != NULL)
        OPENSSL_clear_free(psks, bytes_of(psks->count));
}

static void free_data(void *parent, void *data, CRYPTO_EX_DATA *all, int index, long number,
                      void *pointer)
{
    (void)parent;
    (void)all;
    (void)index;
    (void)number;
    (void)pointer;
    free_psks((struct psks *)data);
}

static void make_indexes(void)
{
    context_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_data);
    ssl_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

static bool has_indexes(void)
{
    return CRYPTO_THREAD_run_once(&once, make_indexes) == 1 && context_index >= 0 && ssl_index >= 0;
}

static struct psks *psks_of(const SSL *ssl)
{
    if (!has_indexes())
        return NULL;
    return (struct psks *)SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), context_index);
}

static bool is_one_nobody_has(const struct psks *psks, const struct psk *psk)
{
    return psk == &psks->keys[psks->count];
}

static size_t characters(const char *text, size_t length)
{
    size_t count = 0, i;

    for (i = 0; i < length; i++)
        count += ((uint8_t)text[i] & 0xc0) != 0x80;
    return count;
}

static bool is_utf8(const char *text, size_t length)
{
    return lt_utf8_prefix((const uint8_t *)text, length) == length;
}

/* These give what is wrong, or NULL. */
static const char *read_identity(const char *text, struct psk *psk)
{
    size_t length = text == NULL ? 0 : strlen(text);

    if (length == 0)
        return "a pre-shared key has no identity";
    if (!is_utf8(text, length))
        return "the identity of a pre-shared key is not UTF-8";
    if (characters(text, length) > IDENTITY_CHARACTERS)
        return "the identity of a pre-shared key has more than 128 characters";
    if (length > PSK_MAX_IDENTITY_LEN)
        return "the identity of a pre-shared key has more octets than OpenSSL takes";
    memcpy(psk->identity, text, length);
    psk->identity_length = length;
    return NULL;
}

static const char *read_key(const char *text, struct psk *psk)
{
    size_t length = text == NULL ? 0 : strlen(text), i;

    if (length > 0 && text[length - 1] == '\n')
        length -= length > 1 && text[length - 2] == '\r' ? 2 : 1;
    if (length < (size_t)2 * KEY_MIN)
        return "a pre-shared key has fewer than 32 digits";
    if (length > (size_t)2 * KEY_MAX)
        return "a pre-shared key has more than 512 digits";
    if (length % 2 != 0)
        return "a pre-shared key has an odd number of digits";
    for (i = 0; i < length; i++) {
        int digit = lt_hex_value(text[i]);

        if (digit < 0)
            return "a pre-shared key is not hexadecimal";
        psk->key[i / 2] = (uint8_t)(psk->key[i / 2] << 4 | digit);
    }
    psk->key_length = length / 2;
    return NULL;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct psk *)a)->identity, ((const struct psk *)b)->identity);
}

/* Peers may share a key; those that do come once for each. */
static bool contradict(const struct psk *a, const struct psk *b)
{
    return compare(a, b) == 0 &&
           (a->key_length != b->key_length || CRYPTO_memcmp(a->key, b->key, KEY_MAX) != 0);
}

/*
 * Who names an identity that is not there gets a key that nobody has, and so cannot tell it from a
 * wrong key of one that is.
 */
static bool make_one_nobody_has(struct psks *psks)
{
    struct psk *nobody = &psks->keys[psks->count];

    nobody->key_length = psks->keys[0].key_length;
    return RAND_priv_bytes(nobody->key, (int)nobody->key_length) == 1;
}

static const char *read_all(const leat_tls_psk *given, struct psks *psks)
{
    const char *wrong = NULL;
    size_t i;

    for (i = 0; i < psks->count && wrong == NULL; i++) {
        wrong = read_identity(given[i].identity, &psks->keys[i]);
        if (wrong == NULL)
            wrong = read_key(given[i].key, &psks->keys[i]);
    }
    if (wrong != NULL)
        return wrong;
    qsort(psks->keys, psks->count, sizeof *psks->keys, compare);
    for (i = 1; i < psks->count; i++) {
        if (contradict(&psks->keys[i - 1], &psks->keys[i]))
            return "two different pre-shared keys have the same identity";
    }
    return make_one_nobody_has(psks) ? NULL : "OpenSSL has no random octets";
}

/* All are looked at, whichever it is: how long it takes tells nothing. */
static struct psk *find(struct psks *psks, const char *identity)
{
    size_t length = strlen(identity), i;
    struct psk *found = &psks->keys[psks->count];

    for (i = 0; i < psks->count; i++) {
        struct psk *psk = &psks->keys[i];

        if (psk->identity_length == length && CRYPTO_memcmp(psk->identity, identity, length) == 0)
            found = psk;
    }
    return found;
}

/* The octets of the key; 0 refuses the handshake. */
static unsigned int give(SSL *ssl, struct psk *psk, unsigned char *key, unsigned int room)
{
    if (psk->key_length > room || SSL_set_ex_data(ssl, ssl_index, psk) != 1)
        return 0;
    memcpy(key, psk->key, psk->key_length);
    return (unsigned int)psk->key_length;
}

static unsigned int client_key(SSL *ssl, const char *hint, char *identity,
                               unsigned int identity_room, unsigned char *key,
                               unsigned int key_room)
{
    struct psks *psks = psks_of(ssl);
    struct psk *psk;

    (void)hint;
    if (psks == NULL)
        return 0;
    psk = psks->keys;
    if (psk->identity_length > identity_room)
        return 0;
    /* The room is of zeros, and has one more for the NUL. */
    memcpy(identity, psk->identity, psk->identity_length);
    return give(ssl, psk, key, key_room);
}

static unsigned int server_key(SSL *ssl, const char *identity, unsigned char *key,
                               unsigned int room)
{
    struct psks *psks = psks_of(ssl);
    struct psk *psk;

    if (psks == NULL)
        return 0;
    psk = find(psks, identity);
    /*
     * What is no text is, in TLS 1.3, a ticket that the client has of somebody else: nobody chose
     * a key (nor does one that was named before and left aside count), and a certificate will do.
     */
    if (is_one_nobody_has(psks, psk) && SSL_version(ssl) >= TLS1_3_VERSION &&
        !is_utf8(identity, strlen(identity))) {
        (void)SSL_set_ex_data(ssl, ssl_index, NULL);
        return 0;
    }
    return give(ssl, psk, key, room);
}

/* A server that does not use the client's key has nothing else to be believed by. */
static int believe_no_certificate(X509_STORE_CTX *store, void *arg)
{
    (void)arg;
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
}

/* Where there is no certificate, no suite that needs one. False: no memory. */
static bool choose_suites(SSL_CTX *context)
{
    bool mixed = SSL_CTX_get0_certificate(context) != NULL;

    return SSL_CTX_set_cipher_list(context, mixed ? "DEFAULT:-PSK:" SUITES_1_2 : SUITES_1_2) == 1 &&
           SSL_CTX_set_ciphersuites(context, SUITES_1_3) == 1;
}

/* To OpenSSL a key is in TLS 1.3 a session resumed, for which a server's context needs a name. */
static bool name_context(SSL_CTX *context)
{
    static const unsigned char name[] = {'l', 'e', 'a', 't'};

    return SSL_CTX_set_session_id_context(context, name, sizeof name) == 1;
}

/* The context owns the keys once they hang on it. */
static bool hang(SSL_CTX *context, struct psks *psks)
{
    return has_indexes() && SSL_CTX_set_ex_data(context, context_index, psks) == 1;
}

static struct psks *new_psks(size_t count)
{
    struct psks *made;

    if (count >= (SIZE_MAX - sizeof *made) / sizeof *made->keys)
        return NULL;
    made = (struct psks *)OPENSSL_zalloc(bytes_of(count));
    if (made != NULL)
        made->count = count;
    return made;
}

static int no_memory(const char **reason)
{
    *reason = "out of memory";
    return LEAT_E_NOMEM;
}

/* Reads the keys and hangs them on the context. */
static int take(SSL_CTX *context, const leat_tls_options *options, bool is_client,
                const char **reason)
{
    struct psks *made = new_psks(options->psk_count);
    const char *wrong;

    if (made == NULL)
        return no_memory(reason);
    made->is_client = is_client;
    wrong = read_all(options->psks, made);
    if (wrong == NULL && hang(context, made))
        return LEAT_OK;
    free_psks(made);
    if (wrong == NULL)
        return no_memory(reason);
    *reason = wrong;
    return LEAT_E_VALUE;
}

int lt_psks_use(SSL_CTX *context, const leat_tls_options *options, bool is_client,
                const char **reason)
{
    int status = take(context, options, is_client, reason);

    if (status != LEAT_OK)
        return status;
    if (!choose_suites(context))
        return no_memory(reason);
    if (is_client) {
        SSL_CTX_set_psk_client_callback(context, client_key);
        SSL_CTX_set_cert_verify_callback(context, believe_no_certificate, NULL);
        return LEAT_OK;
    }
    SSL_CTX_set_psk_server_callback(context, server_key);
    return name_context(context) ? LEAT_OK : no_memory(reason);
}

static bool is_used(const SSL *ssl)
{
    if (SSL_version(ssl) >= TLS1_3_VERSION)
        return SSL_session_reused(ssl) == 1;
    return SSL_CIPHER_get_auth_nid(SSL_get_current_cipher(ssl)) == NID_auth_psk;
}

const char *lt_psk_used(const SSL *ssl)
{
    const struct psk *given =
        has_indexes() ? (const struct psk *)SSL_get_ex_data(ssl, ssl_index) : NULL;

    return given != NULL && is_used(ssl) ? given->identity : NULL;
}

static bool is_wrong_key(unsigned long error)
{
    int reason = ERR_GET_REASON(error);

    return ERR_GET_LIB(error) == ERR_LIB_SSL &&
           (reason == SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC ||
            reason == SSL_R_BINDER_DOES_NOT_VERIFY || reason == SSL_R_DIGEST_CHECK_FAILED);
}

const char *lt_psk_error(const SSL *ssl, unsigned long error)
{
    const struct psks *psks = psks_of(ssl);
    const struct psk *given;

    if (psks == NULL)
        return NULL;
    if (psks->is_client)
        return ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED
                   ? "the server does not use the pre-shared key"
                   : NULL;
    given = (const struct psk *)SSL_get_ex_data(ssl, ssl_index);
    if (given == NULL || !is_wrong_key(error))
        return NULL;
    return is_one_nobody_has(psks, given) ? "the client names a pre-shared key that is not here"
                                          : "the client's pre-shared key is another one";
}
