/*
 * Certificates and keys, made on the spot: an authority, what it issues, and both as the octets of
 * files. Whatever cannot be made fails the test.
 */
#ifndef T_CERTIFICATES_H
#define T_CERTIFICATES_H

#include "support.h"

#include <openssl/x509.h>

struct t_identity {
    EVP_PKEY *key;
    X509 *certificate;
};

/*
 * What a certificate says. 0 and NULL: CN "leat", no other names, no authority, an EC key, valid from
 * an hour ago for two hours.
 */
struct t_subject {
    const char *name;         /* its CN */
    const char *organization; /* its O, which stands before the CN; NULL: none */
    const char *names; /* its subjectAltName, "DNS:leat.example,IP:192.0.2.1,IP:2001:db8::1" */
    const char *usage; /* its extendedKeyUsage, "serverAuth,clientAuth"; NULL: any */
    bool authority;    /* it may issue others */
    long from_s;       /* valid from, and until, in seconds from now */
    long until_s;
    int rsa_bits; /* of its key */
};

/* Issued by another, or (NULL) by itself. Free it with t_identity_free(). */
struct t_identity t_issue(const struct t_identity *issuer, const struct t_subject *subject);
void t_identity_free(struct t_identity *identity);

/* An authority of that name, issued by itself. */
struct t_identity t_authority(const char *name);

/* The octets of files; free them with t_free(). */
struct t_bytes t_certificate_pem(const struct t_identity *identity);
struct t_bytes t_key_pem(const struct t_identity *identity, const char *password); /* NULL: plain */
/*
 * A PKCS#12 file. authority and password may be NULL (for the MAC, NULL and "" are different
 * passwords). cipher is the NID of what encrypts it, 0: OpenSSL's default.
 */
struct t_bytes t_pkcs12(const struct t_identity *identity, const struct t_identity *authority,
                        const char *password, int cipher);

#endif
