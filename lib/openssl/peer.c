#include "peer.h"

#include "psk.h"
#include "text.h"

#include <leat/openssl.h>
#include <openssl/err.h>
#include <string.h>

static bool read_address(const char *text, size_t length, struct lt_peer *peer)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    if (!lt_read_address(text, length, peer->address))
        return false;
    peer->address_length = 16;
    if (memcmp(peer->address, mapped, sizeof mapped) == 0) {
        memmove(peer->address, peer->address + sizeof mapped, 4);
        peer->address_length = 4;
    }
    return true;
}

static bool is_in_label(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

/* Labels of 1 to 63 octets: OpenSSL takes a dot in front for "any name below". */
static bool is_name(const char *text, size_t length)
{
    size_t i, label = 0;

    if (length == 0 || length > LT_NAME_MAX)
        return false;
    for (i = 0; i < length; i++) {
        if (text[i] == '.' ? label == 0 : !is_in_label(text[i]) || label == 63)
            return false;
        label = text[i] == '.' ? 0 : label + 1;
    }
    return label > 0;
}

bool lt_peer_read(const char *text, size_t length, struct lt_peer *peer)
{
    memset(peer, 0, sizeof *peer);
    if (read_address(text, length, peer))
        return true;
    if (length > 0 && text[length - 1] == '.')
        length--;
    if (!is_name(text, length))
        return false;
    memcpy(peer->name, text, length);
    return true;
}

/* Whether a CN of the certificate's subject is that address, however it is written. */
static bool is_common_address(const X509 *certificate, const struct lt_peer *peer)
{
    X509_NAME *subject = X509_get_subject_name(certificate);
    int at = -1;

    while ((at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0) {
        const ASN1_STRING *text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
        struct lt_peer found;

        if (read_address((const char *)ASN1_STRING_get0_data(text),
                         (size_t)ASN1_STRING_length(text), &found) &&
            found.address_length == peer->address_length &&
            memcmp(found.address, peer->address, peer->address_length) == 0)
            return true;
    }
    return false;
}

/* Whether it says itself which addresses it is for, so that a name that looks like one is a name. */
static bool has_addresses(X509 *certificate)
{
    GENERAL_NAMES *names =
        (GENERAL_NAMES *)X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    bool has = false;
    int i;

    for (i = 0; i < sk_GENERAL_NAME_num(names); i++)
        has = has || sk_GENERAL_NAME_value(names, i)->type == GEN_IPADD;
    GENERAL_NAMES_free(names);
    return has;
}

static bool is_for(X509 *certificate, const struct lt_peer *peer)
{
    if (peer->address_length == 0)
        return X509_check_host(certificate, peer->name, 0, LT_HOST_FLAGS, NULL) == 1;
    return X509_check_ip(certificate, peer->address, peer->address_length, 0) == 1 ||
           (!has_addresses(certificate) && is_common_address(certificate, peer));
}

/* Before the handshake is done nobody has proved to have its key. Free it with X509_free(). */
static X509 *certificate_of(const leat_tls *tls)
{
    return leat_tls_is_ready(tls) == 0 ? NULL : SSL_get_peer_certificate(leat_tls_ssl(tls));
}

int leat_tls_peer_is(const leat_tls *tls, const char *peer)
{
    struct lt_peer wanted;
    X509 *certificate;
    bool is;

    if (!lt_peer_read(peer, strlen(peer), &wanted))
        return 0;
    certificate = certificate_of(tls);
    if (certificate == NULL)
        return 0;
    is = is_for(certificate, &wanted);
    X509_free(certificate);
    ERR_clear_error();
    return is ? 1 : 0;
}

const char *leat_tls_psk_identity(const leat_tls *tls)
{
    return leat_tls_is_ready(tls) == 0 ? NULL : lt_psk_used(leat_tls_ssl(tls));
}

uint32_t leat_tls_peer_by(const leat_tls *tls)
{
    X509 *certificate = certificate_of(tls);
    bool has_certificate = certificate != NULL;

    X509_free(certificate);
    if (leat_tls_psk_identity(tls) != NULL)
        return LEAT_TLS_BY_PSK;
    return has_certificate ? LEAT_TLS_BY_CERTIFICATE : 0;
}

/* Like snprintf(). */
static size_t put(const char *from, size_t length, char *text, size_t size)
{
    size_t piece = length < size ? length : size - 1;

    if (size == 0)
        return length;
    if (piece > 0)
        memcpy(text, from, piece);
    text[piece] = '\0';
    return length;
}

/* RFC 4514, and UTF-8 as it is: Zabbix compares text. NULL gives "". */
static size_t put_name(const X509_NAME *name, char *text, size_t size)
{
    const unsigned long flags = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
    BIO *bio = name == NULL ? NULL : BIO_new(BIO_s_mem());
    char *written = NULL;
    long length = 0;
    size_t whole;

    if (bio != NULL && X509_NAME_print_ex(bio, name, 0, flags) >= 0)
        length = BIO_get_mem_data(bio, &written);
    whole = put(written, length > 0 ? (size_t)length : 0, text, size);
    BIO_free(bio);
    ERR_clear_error();
    return whole;
}

size_t leat_tls_peer_issuer(const leat_tls *tls, char *text, size_t size)
{
    X509 *certificate = certificate_of(tls);
    size_t whole =
        put_name(certificate == NULL ? NULL : X509_get_issuer_name(certificate), text, size);

    X509_free(certificate);
    return whole;
}

size_t leat_tls_peer_subject(const leat_tls *tls, char *text, size_t size)
{
    X509 *certificate = certificate_of(tls);
    size_t whole =
        put_name(certificate == NULL ? NULL : X509_get_subject_name(certificate), text, size);

    X509_free(certificate);
    return whole;
}
