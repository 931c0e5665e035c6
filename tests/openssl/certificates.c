#include "certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

static EVP_PKEY *make_key(int rsa_bits)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(rsa_bits > 0 ? EVP_PKEY_RSA : EVP_PKEY_EC, NULL);
    EVP_PKEY *key = NULL;

    ck_assert_int_eq(EVP_PKEY_keygen_init(context), 1);
    if (rsa_bits > 0)
        ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_keygen_bits(context, rsa_bits), 1);
    else
        ck_assert_int_eq(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1), 1);
    ck_assert_int_eq(EVP_PKEY_keygen(context, &key), 1);
    EVP_PKEY_CTX_free(context);
    return key;
}

static void number(X509 *certificate)
{
    uint64_t serial = 0;

    ck_assert_int_eq(RAND_bytes((unsigned char *)&serial, sizeof serial), 1);
    ck_assert_int_eq(ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1 | 1),
                     1);
}

static void add_name(X509 *certificate, const char *type, const char *text)
{
    ck_assert_int_eq(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), type,
                                                MBSTRING_UTF8, (const unsigned char *)text, -1, -1,
                                                0),
                     1);
}

static void extend(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    ck_assert_msg(extension != NULL, "no extension of \"%s\"", value);
    ck_assert_int_eq(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

struct t_identity t_issue(const struct t_identity *issuer, const struct t_subject *subject)
{
    bool hour = subject->from_s == 0 && subject->until_s == 0;
    const char *name = subject->name == NULL ? "leat" : subject->name;
    struct t_identity made = {make_key(subject->rsa_bits), X509_new()};
    X509 *x509 = made.certificate;

    ck_assert_ptr_nonnull(x509);
    if (issuer == NULL)
        issuer = &made;
    ck_assert_int_eq(X509_set_version(x509, 2), 1);
    number(x509);
    (void)X509_gmtime_adj(X509_getm_notBefore(x509), hour ? -3600 : subject->from_s);
    (void)X509_gmtime_adj(X509_getm_notAfter(x509), hour ? 3600 : subject->until_s);
    if (subject->organization != NULL)
        add_name(x509, "O", subject->organization);
    add_name(x509, "CN", name);
    ck_assert_int_eq(X509_set_issuer_name(x509, X509_get_subject_name(issuer->certificate)), 1);
    ck_assert_int_eq(X509_set_pubkey(x509, made.key), 1);
    extend(x509, issuer->certificate, NID_subject_key_identifier, "hash");
    extend(x509, issuer->certificate, NID_basic_constraints,
           subject->authority ? "critical,CA:TRUE" : "CA:FALSE");
    if (subject->names != NULL)
        extend(x509, issuer->certificate, NID_subject_alt_name, subject->names);
    if (subject->usage != NULL)
        extend(x509, issuer->certificate, NID_ext_key_usage, subject->usage);
    ck_assert_int_gt(X509_sign(x509, issuer->key, EVP_sha256()), 0);
    return made;
}

void t_identity_free(struct t_identity *identity)
{
    EVP_PKEY_free(identity->key);
    X509_free(identity->certificate);
}

struct t_identity t_authority(const char *name)
{
    struct t_subject subject = {.name = name, .authority = true};

    return t_issue(NULL, &subject);
}

/* What was written into a BIO, which is freed. */
static struct t_bytes octets_of(BIO *bio)
{
    char *data;
    long length = BIO_get_mem_data(bio, &data);
    struct t_bytes bytes = t_copy(data, (size_t)length);

    BIO_free(bio);
    return bytes;
}

struct t_bytes t_certificate_pem(const struct t_identity *identity)
{
    BIO *bio = BIO_new(BIO_s_mem());

    ck_assert_int_eq(PEM_write_bio_X509(bio, identity->certificate), 1);
    return octets_of(bio);
}

struct t_bytes t_key_pem(const struct t_identity *identity, const char *password)
{
    BIO *bio = BIO_new(BIO_s_mem());

    ck_assert_int_eq(PEM_write_bio_PKCS8PrivateKey(
                         bio, identity->key, password == NULL ? NULL : EVP_aes_256_cbc(), password,
                         password == NULL ? 0 : (int)strlen(password), NULL, NULL),
                     1);
    return octets_of(bio);
}

struct t_bytes t_pkcs12(const struct t_identity *identity, const struct t_identity *authority,
                        const char *password, int cipher)
{
    STACK_OF(X509) *authorities = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    PKCS12 *pkcs12;

    if (authority != NULL) {
        authorities = sk_X509_new_null();
        ck_assert_int_gt(sk_X509_push(authorities, authority->certificate), 0);
    }
    pkcs12 = PKCS12_create(password, "leat", identity->key, identity->certificate, authorities,
                           cipher, cipher, 0, 0, 0);
    ck_assert_ptr_nonnull(pkcs12);
    ck_assert_int_eq(i2d_PKCS12_bio(bio, pkcs12), 1);
    PKCS12_free(pkcs12);
    sk_X509_free(authorities);
    return octets_of(bio);
}
