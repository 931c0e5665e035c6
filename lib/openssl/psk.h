/* Pre-shared keys: what a context has of them, and which one a connection used. */
#ifndef LT_OPENSSL_PSK_H
#define LT_OPENSSL_PSK_H

#include <leat/openssl.h>
#include <stdbool.h>

/*
 * Gives the context the keys of the options, of which there is one at least, and just one for a
 * client: its server must have it. The context's own certificate is there already, or there is none.
 * LEAT_OK, LEAT_E_VALUE or LEAT_E_NOMEM with a reason.
 */
int lt_psks_use(SSL_CTX *context, const leat_tls_options *options, bool is_client,
                const char **reason);

/* The identity of the key that both have proved to have, once the handshake is done; or NULL. */
const char *lt_psk_used(const SSL *ssl);

/* What an error of the handshake means where there are keys; NULL: no more than it says. */
const char *lt_psk_error(const SSL *ssl, unsigned long error);

#endif
