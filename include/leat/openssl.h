/*
 * TLS between the socket and a session: OpenSSL over memory, still without I/O. Part of
 * libleat-openssl.
 *
 * The verbs of a session, on the side of the wire:
 *
 *     space = leat_tls_recv_space(tls, &len);
 *     if (len > 0 && (n = read(fd, space, len)) > 0)
 *         leat_tls_recv_done(tls, (size_t)n);
 *     else if (len > 0 && n == 0)
 *         leat_tls_recv_eof(tls);
 *     do {
 *         while (leat_next(session, &event) == LEAT_OK)
 *             handle(event);
 *         status = leat_tls_run(tls);
 *         data = leat_tls_send_data(tls, &len);
 *         n = len > 0 ? write(fd, data, len) : 0;
 *         if (n > 0)
 *             leat_tls_send_done(tls, (size_t)n);
 *     } while (status == LEAT_MORE || n > 0);
 *
 * All that call OpenSSL leave its queue of errors, which belongs to the thread, empty.
 */
#ifndef LEAT_OPENSSL_H
#define LEAT_OPENSSL_H

#include <leat/event.h>
#include <leat/leat.h>
#include <leat/session.h>
#include <openssl/ssl.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct leat_tls leat_tls;

/*
 * A pre-shared key and the name by which peers choose it.
 *
 * identity  UTF-8: 1 to 128 characters, which are 256 octets at most (before OpenSSL 3: 128).
 * key       hexadecimal: 16 to 256 octets, so 32 to 512 digits; a line end behind them is fine.
 */
typedef struct leat_tls_psk {
    const char *identity;
    const char *key;
} leat_tls_psk;

/**
 * Who we are and whom we believe, as the octets of files. Fill it with leat_tls_options_init(), then
 * set what there is. Nothing of it is kept.
 */
typedef struct leat_tls_options {
    uint64_t size;
    const void *pkcs12; /* our key, our certificate, the authorities: in one */
    size_t pkcs12_length;
    const char *password;    /* of pkcs12 or of key; NULL: none */
    const void *certificate; /* PEM: ours, and beside it what leads to its authority */
    size_t certificate_length;
    const void *key; /* PEM; may be the same octets */
    size_t key_length;
    const void *authorities; /* PEM: whom to believe, beside those in pkcs12 */
    size_t authorities_length;
    uint32_t insecure; /* 1: believe any certificate; a server asks for one all the same */
    /*
     * Pre-shared keys, as Zabbix has them. A client has one, and then no certificates: it talks to
     * nobody but who has the same. A server has any number, one for an identity, and takes the one
     * that the client names; it needs no certificate, or has both, and then takes either. Suites
     * are those that Zabbix takes: TLS 1.2 with AES-128, ECDHE-PSK or PSK; of TLS 1.3 those with
     * SHA-256, beside certificates, too. Who names an identity that is not there cannot tell that
     * from a wrong key.
     */
    const leat_tls_psk *psks;
    size_t psk_count;
    /*
     * 1: as Broker, and so Zeek, does TLS by default: nobody proves who he is, and both ends must
     * agree to that. It is as insecure as it sounds: it keeps out who only listens, but whoever is in
     * the middle reads and writes as he likes. It takes no key, no certificate and no authority; of
     * TLS 1.2 the suite AECDH-AES256-SHA alone, with the curve P-384.
     */
    uint32_t anonymous;
} leat_tls_options;

LEAT_API void leat_tls_options_init(leat_tls_options *options, size_t size);

/**
 * Makes the context of a client: TLS 1.2 or later, no renegotiation, no compression, no resumption;
 * the server's certificate must lead to one of the authorities (there is no default set of them),
 * or the server must have the pre-shared key, or nobody asks for either (anonymous).
 *
 * context  yours to free with SSL_CTX_free(), and to change before the first connection.
 * reason   set if it fails: a constant sentence. NULL is fine.
 *
 * LEAT_OK, LEAT_E_VALUE (*reason tells which part is wrong: the password, an encryption that needs
 * OpenSSL's legacy provider, a key that does not belong to the certificate, no authority, something
 * to be believed by beside anonymous, ...), LEAT_E_NOMEM.
 */
LEAT_API int leat_tls_client_context(const leat_tls_options *options, SSL_CTX **context,
                                     const char **reason);

/*
 * The same for a server: it needs a key and a certificate, and demands a client's certificate that
 * leads to one of the authorities, unless insecure; or pre-shared keys; or it is anonymous.
 */
LEAT_API int leat_tls_server_context(const leat_tls_options *options, SSL_CTX **context,
                                     const char **reason);

/**
 * Makes the adapter of a client's connection.
 *
 * peer  the name or the address (IPv4 or IPv6, as text; IPv4 inside IPv6 is IPv4) that the server's
 *       certificate must be for; a name is sent along (SNI). NULL: any that leads to an authority,
 *       which may be that of another of its clients unless it says what it is not meant for.
 *       With a pre-shared key, or anonymously, there is no certificate, and a name is only sent along.
 * tls   yours to free. The session stays yours and must outlive it.
 *
 * LEAT_OK, LEAT_E_VALUE (not a name or an address), LEAT_E_NOMEM.
 */
LEAT_API int leat_tls_connect(const leat_config *config, SSL_CTX *context, const char *peer,
                              leat_session *session, leat_tls **tls);

/* The same of a server's connection. LEAT_OK or LEAT_E_NOMEM. */
LEAT_API int leat_tls_accept(const leat_config *config, SSL_CTX *context, leat_session *session,
                             leat_tls **tls);

/*
 * 1 if the peer's certificate is for that name or address: what a Management Center demands of its
 * clients, whose certificate has the address that they connect from among its names or, if there
 * are no addresses, as its CN. 0 if not, if there is none, or before the handshake is done.
 */
LEAT_API int leat_tls_peer_is(const leat_tls *tls, const char *peer);

#define LEAT_TLS_BY_PSK         2u
#define LEAT_TLS_BY_CERTIFICATE 4u

/*
 * How the peer was let in, with a context made here. 0: the handshake is not done, or the client of an
 * insecure server came with neither, or both are anonymous.
 */
LEAT_API uint32_t leat_tls_peer_by(const leat_tls *tls);

/*
 * The identity of the key that both have; NULL: none was used, or the handshake is not done. Valid as
 * long as tls.
 */
LEAT_API const char *leat_tls_psk_identity(const leat_tls *tls);

/**
 * The issuer or the subject of the peer's certificate, in the form that Zabbix compares: RFC 4514,
 * most specific part first ("CN=px,O=Example"), in UTF-8 that is not escaped.
 *
 * text  gets at most size octets of it, a NUL included, like snprintf().
 *
 * Returns its whole length; 0: there is no certificate, it has no such name, the handshake is not done,
 * or there is no memory.
 */
LEAT_API size_t leat_tls_peer_issuer(const leat_tls *tls, char *text, size_t size);
LEAT_API size_t leat_tls_peer_subject(const leat_tls *tls, char *text, size_t size);

/*
 * 1 if a connection whose first octet is this one begins with TLS: for acceptors that take both, as
 * Zabbix's do. Nothing else that leat speaks begins so.
 */
LEAT_API int leat_tls_is_first_octet(uint8_t octet);

/**
 * Puts TLS in front of a session.
 *
 * ssl      yours, fresh, with SSL_set_connect_state() or SSL_set_accept_state() done; on LEAT_OK
 *          it belongs to the adapter. What it verifies is what you told it (and its SSL_CTX) to
 *          verify.
 * session  stays yours and must outlive the adapter.
 * tls      on LEAT_OK yours to free.
 *
 * LEAT_OK or LEAT_E_NOMEM.
 */
LEAT_API int leat_tls_new(const leat_config *config, SSL *ssl, leat_session *session,
                          leat_tls **tls);

/* Frees the adapter and its SSL, not the session. NULL is fine. */
LEAT_API void leat_tls_free(leat_tls *tls);

/**
 * Does all that can be done now: the handshake, what arrived into the session (as long as
 * leat_wants() has LEAT_WANT_READ; the rest waits here), its output into records (as long as fewer
 * than 64 KiB of them wait to be sent; the rest waits in the session, where it is bounded).
 * Call it again when that output was sent: more may wait in the session. An input-side call on the
 * session: it ends the loan of the last event.
 *
 * LEAT_MORE  the session got octets, or their end: draw its events, then call again.
 * LEAT_OK    the conversation goes on.
 * LEAT_END   the peer said close_notify; the session was told of the end.
 * LEAT_E_TLS the handshake or a record failed; LEAT_E_END: the stream ended without
 *            close_notify, which may be an attack, so the session is not told; LEAT_E_NOMEM.
 *            Final; see leat_tls_error().
 *            There may still be output, an alert, to be sent. eStreamer's clients mostly end
 *            like that, and so do Broker's endpoints; leat_recv_eof() makes the session tell what was
 *            whole.
 */
LEAT_API int leat_tls_run(leat_tls *tls);

/*
 * Says close_notify behind all output so far; what the session sends from now on stays in it.
 * LEAT_OK, LEAT_E_STATE before the handshake is done (just close the connection then), or what ended
 * the adapter.
 */
LEAT_API int leat_tls_close(leat_tls *tls);

/*
 * As leat_recv_space(), leat_recv_done(), leat_recv_eof(), leat_send_data(), leat_send_done(). No
 * space is lent while 64 KiB wait that the session does not want yet, or 128 KiB that the peer does
 * not read.
 */
LEAT_API void *leat_tls_recv_space(leat_tls *tls, size_t *length);
LEAT_API int leat_tls_recv_done(leat_tls *tls, size_t length);
LEAT_API int leat_tls_recv_eof(leat_tls *tls);
LEAT_API const void *leat_tls_send_data(const leat_tls *tls, size_t *length);
LEAT_API int leat_tls_send_done(leat_tls *tls, size_t length);

/*
 * For recordings of the session's side: from now on leat_tls_run() keeps a copy of what it gives to the
 * session. LEAT_OK or LEAT_E_NOMEM.
 */
LEAT_API int leat_tls_keep(leat_tls *tls);
/* What it gave in its last run; valid until the next one. Sets *length, 0 if there is nothing. */
LEAT_API const void *leat_tls_kept(const leat_tls *tls, size_t *length);

/* 1 once the handshake is done. */
LEAT_API int leat_tls_is_ready(const leat_tls *tls);

/* Gives back memory that a quiet connection does not need; the session has a call of its own. */
LEAT_API void leat_tls_trim(leat_tls *tls);

/* The SSL inside, to look at: peer certificate, version, cipher. Borrowed. */
LEAT_API SSL *leat_tls_ssl(const leat_tls *tls);

/*
 * Why it failed (the text is OpenSSL's reason, or what is wrong with the peer's certificate or its
 * pre-shared key); NULL if it did not.
 */
LEAT_API const leat_error *leat_tls_error(const leat_tls *tls);

/**
 * Makes the key that a client's WebSocket is opened with.
 *
 * random  16 octets that nobody can foresee, and other ones for each connection.
 * key     gets 24 characters of base64 and a NUL.
 */
LEAT_API void leat_websocket_key(const uint8_t random[16], char key[25]);

/**
 * Makes the value by which a server says that it has read a client's key, and which the client
 * expects.
 *
 * key     the text as it came, of whatever length.
 * accept  gets 28 characters of base64 and a NUL; only on LEAT_OK.
 *
 * LEAT_OK, LEAT_E_TLS (OpenSSL gives nobody SHA-1, as where FIPS rules), LEAT_E_NOMEM.
 *
 * Source: RFC 6455, section 4.2.2.
 */
LEAT_API int leat_websocket_accept_value(const char *key, size_t length, char accept[29]);

/**
 * Answers an UPGRADE of broker_websocket.h: takes the client, whose key the event has. Only where
 * there is Broker in the library.
 *
 * LEAT_OK, LEAT_E_STATE (no UPGRADE, or it was answered), LEAT_E_VALUE (no key), LEAT_E_TLS,
 * LEAT_E_LIMIT, LEAT_E_NOMEM.
 */
LEAT_API int leat_websocket_upgrade(leat_session *session, const leat_event *event);

#ifdef __cplusplus
}
#endif

#endif
