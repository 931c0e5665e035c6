/*
 * Contexts from the octets of files. What OpenSSL says about them ends in one constant sentence:
 * its queue of errors is read once, by faults().
 */
#include "memory.h"
#include "psk.h"

#include <leat/openssl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>
#include <string.h>

typedef STACK_OF(X509) x509_list;

/* Who we are and whom we believe, read from the files. */
struct parties {
    EVP_PKEY *key;
    X509 *certificate;
    x509_list *chain; /* what came with it */
    x509_list *authorities;
};

/* The password, and whether it was needed. */
struct secret {
    const char *password;
    bool asked;
};

/* What the queue of errors tells. */
struct faults {
    bool memory;
    bool encryption; /* unknown, or left to the legacy provider */
    bool mac;        /* of a PKCS#12 file: the password is wrong */
    bool weak;
    bool end; /* of a PEM file */
};

static bool is_error(unsigned long error, int library, int reason)
{
    return ERR_GET_LIB(error) == library && ERR_GET_REASON(error) == reason;
}

static bool is_encryption(unsigned long error)
{
#ifdef ERR_R_UNSUPPORTED /* since OpenSSL 3 */
    if (is_error(error, ERR_LIB_EVP, ERR_R_UNSUPPORTED))
        return true;
#endif
    return is_error(error, ERR_LIB_EVP, EVP_R_UNKNOWN_PBE_ALGORITHM) ||
           is_error(error, ERR_LIB_EVP, EVP_R_UNKNOWN_CIPHER) ||
           is_error(error, ERR_LIB_PKCS12, PKCS12_R_UNKNOWN_DIGEST_ALGORITHM);
}

/* Empties the queue. */
static struct faults faults(void)
{
    struct faults found = {0};
    unsigned long error;

    while ((error = ERR_get_error()) != 0) {
        found.memory = found.memory || ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE;
        found.encryption = found.encryption || is_encryption(error);
        found.mac = found.mac || is_error(error, ERR_LIB_PKCS12, PKCS12_R_MAC_VERIFY_FAILURE);
        found.weak = found.weak || is_error(error, ERR_LIB_SSL, SSL_R_EE_KEY_TOO_SMALL) ||
                     is_error(error, ERR_LIB_SSL, SSL_R_CA_KEY_TOO_SMALL) ||
                     is_error(error, ERR_LIB_SSL, SSL_R_CA_MD_TOO_WEAK);
        found.end = is_error(error, ERR_LIB_PEM, PEM_R_NO_START_LINE); /* the last one counts */
    }
    return found;
}

static int no_memory(const char **reason)
{
    *reason = "out of memory";
    return LEAT_E_NOMEM;
}

static int refuse(const char **reason, const char *text)
{
    *reason = text;
    return LEAT_E_VALUE;
}

/* OpenSSL would ask on the terminal by itself. */
static int give_password(char *buffer, int size, int writing, void *arg)
{
    struct secret *secret = (struct secret *)arg;
    size_t length = secret->password == NULL ? 0 : strlen(secret->password);

    (void)writing;
    secret->asked = true;
    if (secret->password == NULL || length > (size_t)size)
        return -1;
    memcpy(buffer, secret->password, length);
    return (int)length;
}

/* malformed and missing are what to say if they are. */
static int read_certificates(const void *pem, size_t length, x509_list *certificates,
                             const char *malformed, const char *missing, const char **reason)
{
    struct secret none = {NULL, false};
    BIO *bio = BIO_new_mem_buf(pem, (int)length);
    int before = sk_X509_num(certificates);
    X509 *certificate;
    struct faults found;

    if (bio == NULL)
        return no_memory(reason);
    while ((certificate = PEM_read_bio_X509(bio, NULL, give_password, &none)) != NULL) {
        if (sk_X509_push(certificates, certificate) <= 0) {
            X509_free(certificate);
            break;
        }
    }
    BIO_free(bio);
    found = faults();
    if (found.memory)
        return no_memory(reason);
    if (!found.end)
        return refuse(reason, malformed);
    return sk_X509_num(certificates) > before ? LEAT_OK : refuse(reason, missing);
}

static int read_key(const leat_tls_options *options, EVP_PKEY **key, const char **reason)
{
    struct secret secret = {options->password, false};
    BIO *bio = BIO_new_mem_buf(options->key, (int)options->key_length);
    struct faults found;

    if (bio == NULL)
        return no_memory(reason);
    *key = PEM_read_bio_PrivateKey(bio, NULL, give_password, &secret);
    BIO_free(bio);
    found = faults();
    if (*key != NULL)
        return LEAT_OK;
    if (found.memory)
        return no_memory(reason);
    if (secret.asked && secret.password == NULL)
        return refuse(reason, "the key needs a password");
    if (found.encryption)
        return refuse(reason, "the key is encrypted in an old way that OpenSSL leaves to its "
                              "legacy provider: convert it with openssl pkey -provider legacy "
                              "-provider default -in FILE -out NEW");
    if (secret.asked)
        return refuse(reason, "the password of the key is wrong");
    return refuse(reason, "the key is no private key in PEM");
}

/* Ours is the certificate that the key belongs to; the others lead to its authority. */
static int pick(struct parties *parties, const char **reason)
{
    struct faults found;
    int i;

    for (i = 0; i < sk_X509_num(parties->chain); i++) {
        if (X509_check_private_key(sk_X509_value(parties->chain, i), parties->key) == 1) {
            parties->certificate = sk_X509_delete(parties->chain, i);
            return LEAT_OK;
        }
    }
    found = faults();
    return found.memory ? no_memory(reason)
                        : refuse(reason, "the key does not belong to the certificate");
}

static int read_pem(const leat_tls_options *options, struct parties *parties, const char **reason)
{
    int status;

    if (options->certificate == NULL)
        return refuse(reason, "there is a key, but no certificate");
    if (options->key == NULL)
        return refuse(reason, "there is a certificate, but no key");
    status =
        read_certificates(options->certificate, options->certificate_length, parties->chain,
                          "the certificate is malformed", "there is no certificate in PEM", reason);
    if (status == LEAT_OK)
        status = read_key(options, &parties->key, reason);
    return status == LEAT_OK ? pick(parties, reason) : status;
}

/* Why PKCS12_parse() did not; pkcs12 is NULL if it did not come that far. */
static int refuse_pkcs12(const PKCS12 *pkcs12, const char *password, const char **reason)
{
    struct faults found = faults();

    if (found.memory)
        return no_memory(reason);
    if (found.encryption)
        return refuse(reason, "the PKCS#12 file is encrypted in an old way (RC2, RC4) that OpenSSL "
                              "leaves to its legacy provider: convert it to PEM with openssl "
                              "pkcs12 -legacy -nodes -in FILE -out FILE.pem");
    if (pkcs12 == NULL || !found.mac)
        return refuse(reason, "the PKCS#12 file is malformed");
    if (PKCS12_mac_present(pkcs12) == 0)
        return refuse(reason, "the PKCS#12 file has no MAC to check its password by");
    return refuse(reason, password != NULL && *password != '\0'
                              ? "the password of the PKCS#12 file is wrong"
                              : "the PKCS#12 file needs a password");
}

/* What is an authority among the certificates of a PKCS#12 file is meant to be believed. */
static int believe(struct parties *parties, const char **reason)
{
    int i;

    for (i = 0; i < sk_X509_num(parties->chain); i++) {
        X509 *certificate = sk_X509_value(parties->chain, i);

        if (X509_check_ca(certificate) <= 0)
            continue;
        if (sk_X509_push(parties->authorities, certificate) <= 0)
            return no_memory(reason);
        (void)X509_up_ref(certificate);
    }
    return LEAT_OK;
}

static int read_pkcs12(const leat_tls_options *options, struct parties *parties,
                       const char **reason)
{
    const unsigned char *at = (const unsigned char *)options->pkcs12;
    PKCS12 *pkcs12 = d2i_PKCS12(NULL, &at, (long)options->pkcs12_length);
    int status;

    /* An empty password has two readings, and both are tried. */
    if (pkcs12 == NULL || PKCS12_parse(pkcs12, options->password, &parties->key,
                                       &parties->certificate, &parties->chain) != 1)
        status = refuse_pkcs12(pkcs12, options->password, reason);
    else if (parties->key == NULL)
        status = refuse(reason, "the PKCS#12 file holds no key");
    else if (parties->certificate == NULL)
        status = refuse(reason, "the PKCS#12 file holds no certificate that its key belongs to");
    else
        status = believe(parties, reason);
    PKCS12_free(pkcs12);
    return status;
}

static bool fits(size_t length)
{
    return length <= INT_MAX;
}

static int read_parties(const leat_tls_options *options, struct parties *parties,
                        const char **reason)
{
    bool pem = options->certificate != NULL || options->key != NULL;
    int status = LEAT_OK;

    if (!fits(options->pkcs12_length) || !fits(options->certificate_length) ||
        !fits(options->key_length) || !fits(options->authorities_length))
        return refuse(reason, "a file is larger than 2 GiB");
    if (options->pkcs12 != NULL && pem)
        return refuse(reason, "there is a PKCS#12 file, and a key or a certificate beside it");
    parties->chain = sk_X509_new_null();
    parties->authorities = sk_X509_new_null();
    if (parties->chain == NULL || parties->authorities == NULL)
        return no_memory(reason);
    if (options->pkcs12 != NULL)
        status = read_pkcs12(options, parties, reason);
    else if (pem)
        status = read_pem(options, parties, reason);
    if (status == LEAT_OK && options->authorities != NULL)
        status = read_certificates(options->authorities, options->authorities_length,
                                   parties->authorities, "an authority's certificate is malformed",
                                   "there is no authority's certificate in PEM", reason);
    return status;
}

static void free_parties(struct parties *parties)
{
    EVP_PKEY_free(parties->key);
    X509_free(parties->certificate);
    sk_X509_pop_free(parties->chain, X509_free);
    sk_X509_pop_free(parties->authorities, X509_free);
}

/*
 * A certificate that leads to any of them is believed, whether or not they are issued by another
 * in turn; a server names them to its clients.
 */
static int use_authorities(SSL_CTX *context, const struct parties *parties, const char **reason)
{
    int i;

    for (i = 0; i < sk_X509_num(parties->authorities); i++) {
        X509 *authority = sk_X509_value(parties->authorities, i);

        if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority) != 1 ||
            SSL_CTX_add_client_CA(context, authority) != 1)
            return no_memory(reason);
    }
    return X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN) == 1
               ? LEAT_OK
               : no_memory(reason);
}

/* What is sent: ours and what leads to its authority, in order, without what is not needed. */
static int use_identity(SSL_CTX *context, const struct parties *parties, const char **reason)
{
    struct faults found;

    if (parties->key == NULL)
        return LEAT_OK;
    if (SSL_CTX_use_cert_and_key(context, parties->certificate, parties->key, parties->chain, 1) ==
            1 &&
        SSL_CTX_build_cert_chain(context, SSL_BUILD_CHAIN_FLAG_UNTRUSTED |
                                              SSL_BUILD_CHAIN_FLAG_NO_ROOT |
                                              SSL_BUILD_CHAIN_FLAG_IGNORE_ERROR) > 0)
        return LEAT_OK;
    found = faults();
    if (found.memory)
        return no_memory(reason);
    return refuse(reason, found.weak ? "a certificate is too weak for OpenSSL's security level: "
                                       "its key is too short, or its signature of an old kind"
                                     : "the key is of a kind that TLS does not use");
}

static int believe_anyone(int believed, X509_STORE_CTX *store)
{
    (void)believed;
    (void)store;
    return 1;
}

/*
 * Sessions are not resumed: connections live for days, and one that was resumed would be believed
 * without a look at the certificate, which may have expired since.
 */
static SSL_CTX *new_context(const SSL_METHOD *method)
{
    SSL_CTX *context = SSL_CTX_new(method);

    if (context == NULL)
        return NULL;
    (void)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    (void)SSL_CTX_set_options(context,
                              SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
    (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_num_tickets(context, 0);
    return context;
}

/*
 * A certificate that is believed may leave errors behind, of an issuer that was tried and was not
 * the one; the call of SSL that it happens in would be blamed for them.
 */
static int verify(X509_STORE_CTX *store, void *arg)
{
    int believed;

    (void)arg;
    (void)ERR_set_mark();
    believed = X509_verify_cert(store);
    if (believed > 0)
        (void)ERR_pop_to_mark();
    else
        (void)ERR_clear_last_mark();
    return believed;
}

static bool has_psks(const leat_tls_options *options)
{
    return options->psk_count > 0;
}

/* Where there are keys, there may be nothing of certificates, or all that they take. */
static bool has_certificates(const leat_tls_options *options)
{
    return options->pkcs12 != NULL || options->certificate != NULL || options->key != NULL ||
           options->authorities != NULL;
}

static int check_psks(const leat_tls_options *options, bool is_client, const char **reason)
{
    if (!has_psks(options))
        return LEAT_OK;
    if (options->psks == NULL)
        return refuse(reason, "there are no pre-shared keys where they should be");
    if (is_client && options->psk_count > 1)
        return refuse(reason, "a client has one pre-shared key");
    if (is_client && has_certificates(options))
        return refuse(reason, "a client has a pre-shared key or certificates, not both");
    return LEAT_OK;
}

static int check_anonymous(const leat_tls_options *options, const char **reason)
{
    if (options->anonymous != 0 && has_psks(options))
        return refuse(reason, "there is a pre-shared key, which nobody who is anonymous uses");
    if (options->anonymous != 0 && has_certificates(options))
        return refuse(reason, "there is a key, a certificate or an authority, which nobody who is "
                              "anonymous uses");
    return LEAT_OK;
}

static int check_parties(const leat_tls_options *options, const struct parties *parties,
                         bool is_client, const char **reason)
{
    if (options->anonymous != 0 || (has_psks(options) && !has_certificates(options)))
        return LEAT_OK;
    if (!is_client && parties->key == NULL)
        return refuse(reason, "a server needs a key and a certificate");
    if (options->insecure == 0 && sk_X509_num(parties->authorities) == 0)
        return refuse(reason, "there is no authority to verify the peer with");
    return LEAT_OK;
}

/*
 * What Broker does by default, and nothing else: TLS 1.3 has no such suites, and OpenSSL offers them
 * on its lowest level alone, whatever its configuration allows to others.
 */
static int use_nobody(SSL_CTX *context, const char **reason)
{
    int curve = NID_secp384r1;
    struct faults found;

    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    if (SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION) == 1 &&
        SSL_CTX_set_cipher_list(context, "AECDH-AES256-SHA") == 1 &&
        SSL_CTX_set1_groups(context, &curve, 1) == 1)
        return LEAT_OK;
    found = faults();
    return found.memory ? no_memory(reason) : refuse(reason, "this OpenSSL has no anonymous TLS");
}

/* Whom the context believes, and who it is. */
static int furnish(SSL_CTX *context, const leat_tls_options *options, const struct parties *parties,
                   bool is_client, const char **reason)
{
    int mode = is_client ? SSL_VERIFY_PEER : SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    int status;

    if (options->anonymous != 0)
        return use_nobody(context, reason);
    status = use_authorities(context, parties, reason);
    if (options->insecure == 0)
        SSL_CTX_set_verify(context, mode, NULL);
    else
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, believe_anyone);
    SSL_CTX_set_cert_verify_callback(context, verify, NULL);
    if (status == LEAT_OK)
        status = use_identity(context, parties, reason);
    if (status == LEAT_OK && has_psks(options))
        status = lt_psks_use(context, options, is_client, reason);
    return status;
}

static int make(const leat_tls_options *given, bool is_client, SSL_CTX **context,
                const char **reason)
{
    leat_tls_options options;
    struct parties parties = {0};
    SSL_CTX *made = NULL;
    int status;

    leat_tls_options_init(&options, sizeof options);
    if (!lt_options_read(&options, sizeof options, given))
        return refuse(reason, "the options were not initialised");
    ERR_clear_error();
    status = check_anonymous(&options, reason);
    if (status == LEAT_OK)
        status = check_psks(&options, is_client, reason);
    if (status == LEAT_OK)
        status = read_parties(&options, &parties, reason);
    if (status == LEAT_OK)
        status = check_parties(&options, &parties, is_client, reason);
    if (status == LEAT_OK) {
        made = new_context(is_client ? TLS_client_method() : TLS_server_method());
        status =
            made == NULL ? no_memory(reason) : furnish(made, &options, &parties, is_client, reason);
    }
    free_parties(&parties);
    ERR_clear_error();
    if (status != LEAT_OK) {
        SSL_CTX_free(made);
        return status;
    }
    *context = made;
    return LEAT_OK;
}

void leat_tls_options_init(leat_tls_options *options, size_t size)
{
    const leat_tls_options initial = {0};

    lt_options_init(options, size, &initial, sizeof initial);
}

int leat_tls_client_context(const leat_tls_options *options, SSL_CTX **context, const char **reason)
{
    const char *text;

    return make(options, true, context, reason == NULL ? &text : reason);
}

int leat_tls_server_context(const leat_tls_options *options, SSL_CTX **context, const char **reason)
{
    const char *text;

    return make(options, false, context, reason == NULL ? &text : reason);
}
