/* Whom a certificate must be for: a name or an address. */
#ifndef LT_OPENSSL_PEER_H
#define LT_OPENSSL_PEER_H

#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LT_NAME_MAX 253 /* octets of a domain name, RFC 1035 */

/* How a name is looked for: "*" stands for a whole label. */
#define LT_HOST_FLAGS X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS

struct lt_peer {
    uint8_t address[16];
    size_t address_length; /* 4 or 16; 0: a name */
    char name[LT_NAME_MAX + 1];
};

/*
 * Reads what a user says. An IPv4 address inside IPv6 (as sockets for both tell it) is the IPv4
 * address; the dot behind a name's root goes. False: neither a name nor an address.
 */
bool lt_peer_read(const char *text, size_t length, struct lt_peer *peer);

#endif
