/*
 * OpenSSL reads and writes memory: what arrived waits in one memory BIO, records to send in
 * another. Nothing here is a callback, so nothing re-enters.
 */
#include "error.h"
#include "memory.h"
#include "peer.h"
#include "psk.h"

#include <leat/openssl.h>
#include <limits.h>
#include <openssl/err.h>
#include <string.h>

/* A record of the largest size, and a little more. */
#define SPACE_BYTES 18432u
/*
 * Octets of records that may wait, those to send and those that the session does not want yet; a
 * little more, as a record is made whole and a read not cut.
 */
#define WAITING_MAX ((size_t)64 << 10)

struct leat_tls {
    leat_allocator allocator;
    SSL *ssl;
    leat_session *session;
    BIO *in; /* both belong to ssl */
    BIO *out;
    BIO *kept;      /* what the session got in the last run; NULL: not asked for */
    uint8_t *space; /* where received octets are lent room */
    int status;     /* LEAT_OK, LEAT_END or what failed */
    bool lent;
    bool ready; /* SSL_is_init_finished() is not, in the middle of a message behind the handshake */
    bool eof;
    size_t answers_max; /* octets to send from which on none are received, which may be answered */
    struct leat_error error;
    uint64_t received;
};

int leat_tls_new(const leat_config *config, SSL *ssl, leat_session *session, leat_tls **tls)
{
    leat_allocator allocator = lt_allocator(config);
    leat_tls *made = (leat_tls *)lt_alloc_zero(&allocator, sizeof *made);
    BIO *in = BIO_new(BIO_s_mem());
    BIO *out = BIO_new(BIO_s_mem());

    if (made == NULL || in == NULL || out == NULL) {
        BIO_free(in);
        BIO_free(out);
        ERR_clear_error();
        lt_free(&allocator, made, sizeof *made);
        return LEAT_E_NOMEM;
    }
    (void)BIO_set_mem_eof_return(in, -1); /* empty means "wait", not "end" */
    made->allocator = allocator;
    made->ssl = ssl;
    made->session = session;
    made->answers_max = 2 * WAITING_MAX;
    made->in = in;
    made->out = out;
    SSL_set_bio(ssl, in, out);
    (void)SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
    *tls = made;
    return LEAT_OK;
}

/* The certificate must be for that peer; a server with many learns the name that is meant. */
static bool demand(SSL *ssl, struct lt_peer *peer)
{
    X509_VERIFY_PARAM *parameters = SSL_get0_param(ssl);

    X509_VERIFY_PARAM_set_hostflags(parameters, LT_HOST_FLAGS);
    if (peer->address_length > 0)
        return X509_VERIFY_PARAM_set1_ip(parameters, peer->address, peer->address_length) == 1;
    return X509_VERIFY_PARAM_set1_host(parameters, peer->name, 0) == 1 &&
           SSL_set_tlsext_host_name(ssl, peer->name) == 1;
}

/* As leat_tls_new(); ssl is ours in any case, NULL if there was no memory for it. */
static int adopt(const leat_config *config, SSL *ssl, leat_session *session, leat_tls **tls)
{
    int status = ssl == NULL ? LEAT_E_NOMEM : leat_tls_new(config, ssl, session, tls);

    if (status != LEAT_OK)
        SSL_free(ssl);
    ERR_clear_error();
    return status;
}

int leat_tls_connect(const leat_config *config, SSL_CTX *context, const char *peer,
                     leat_session *session, leat_tls **tls)
{
    struct lt_peer wanted;
    SSL *ssl;

    if (peer != NULL && !lt_peer_read(peer, strlen(peer), &wanted))
        return LEAT_E_VALUE;
    ssl = SSL_new(context);
    if (ssl != NULL && peer != NULL && !demand(ssl, &wanted)) {
        SSL_free(ssl);
        ssl = NULL;
    }
    if (ssl != NULL)
        SSL_set_connect_state(ssl);
    return adopt(config, ssl, session, tls);
}

int leat_tls_accept(const leat_config *config, SSL_CTX *context, leat_session *session,
                    leat_tls **tls)
{
    SSL *ssl = SSL_new(context);

    if (ssl != NULL)
        SSL_set_accept_state(ssl);
    return adopt(config, ssl, session, tls);
}

void leat_tls_free(leat_tls *tls)
{
    leat_allocator allocator;

    if (tls == NULL)
        return;
    SSL_free(tls->ssl);
    BIO_free(tls->kept);
    lt_free(&tls->allocator, tls->space, SPACE_BYTES);
    allocator = tls->allocator;
    lt_free(&allocator, tls, sizeof *tls);
}

/* An empty BIO has all the room that it ever needed. */
static void trim(BIO *bio)
{
    BUF_MEM *empty = BIO_ctrl_pending(bio) == 0 ? BUF_MEM_new() : NULL;

    if (empty != NULL)
        (void)BIO_set_mem_buf(bio, empty, BIO_CLOSE);
}

void leat_tls_trim(leat_tls *tls)
{
    if (tls->lent)
        return;
    lt_free(&tls->allocator, tls->space, SPACE_BYTES);
    tls->space = NULL;
    trim(tls->in);
    trim(tls->out);
    ERR_clear_error();
}

static int fail(leat_tls *tls, int status, const char *text)
{
    tls->status = lt_error(&tls->error, status, tls->received, text, NULL);
    return status;
}

static bool is_ssl(unsigned long error, int reason)
{
    return ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == reason;
}

/*
 * OpenSSL's reason for an error, X.509's for a certificate that it did not believe, or ours for a
 * key that is not the peer's.
 */
static const char *reason_text(const leat_tls *tls, unsigned long error)
{
    long verified = SSL_get_verify_result(tls->ssl);
    const char *reason = ERR_reason_error_string(error);
    const char *of_key = tls->ready ? NULL : lt_psk_error(tls->ssl, error);

    if (of_key != NULL)
        return of_key;
    if (is_ssl(error, SSL_R_CERTIFICATE_VERIFY_FAILED) && verified != X509_V_OK)
        return X509_verify_cert_error_string(verified);
    return reason == NULL ? "TLS failed" : reason;
}

static int fail_by(leat_tls *tls, unsigned long error)
{
#ifdef SSL_R_UNEXPECTED_EOF_WHILE_READING
    if (is_ssl(error, SSL_R_UNEXPECTED_EOF_WHILE_READING))
        error = 0; /* as before OpenSSL 3 */
#endif
    if (error == 0)
        return fail(tls, LEAT_E_END,
                    tls->ready ? "the stream ended without close_notify"
                               : "the stream ended inside the handshake");
    if (ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE)
        return fail(tls, LEAT_E_NOMEM, "out of memory");
    return fail(tls, LEAT_E_TLS, reason_text(tls, error));
}

/* The first error that is one of TLS: what led to it may stand in front. Empties the queue. */
static unsigned long take_error(void)
{
    unsigned long first = ERR_peek_error(), error;

    do
        error = ERR_get_error();
    while (error != 0 && ERR_GET_LIB(error) != ERR_LIB_SSL);
    ERR_clear_error();
    return error == 0 ? first : error;
}

/* What an SSL function that gave result means. LEAT_OK: nothing more can be done now. */
static int verdict(leat_tls *tls, int result)
{
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return LEAT_OK;
    case SSL_ERROR_ZERO_RETURN:
        if (!tls->ready)
            return fail_by(tls, 0);
        (void)leat_recv_eof(tls->session);
        return tls->status = LEAT_END;
    default:
        return fail_by(tls, take_error());
    }
}

static int int_size(size_t length)
{
    return length > INT_MAX ? INT_MAX : (int)length;
}

/* Whether SSL_read() may get somewhere: asking the session for space costs it memory. */
static bool has_input(const leat_tls *tls)
{
    return tls->eof || BIO_ctrl_pending(tls->in) > 0 || SSL_has_pending(tls->ssl) == 1;
}

/* What arrived, into the session while it wants more. True: it got octets, or their end. */
static bool decrypt(leat_tls *tls)
{
    bool told = false;

    while (has_input(tls) && (leat_wants(tls->session) & LEAT_WANT_READ) != 0) {
        size_t length;
        void *space = leat_recv_space(tls->session, &length);
        int result;

        if (space == NULL) /* no memory: the session says so itself */
            break;
        result = SSL_read(tls->ssl, space, int_size(length));
        if (result <= 0)
            return verdict(tls, result) == LEAT_END || told;
        if (tls->kept != NULL && BIO_write(tls->kept, space, result) != result) {
            (void)fail(tls, LEAT_E_NOMEM, "out of memory");
            return told;
        }
        (void)leat_recv_done(tls->session, (size_t)result);
        told = true;
    }
    return told;
}

static bool is_closed(const leat_tls *tls)
{
    return (SSL_get_shutdown(tls->ssl) & SSL_SENT_SHUTDOWN) != 0;
}

/*
 * The session's output, into records, until so many octets of them wait: what waits in the
 * session is bounded there, what waits here would not be.
 */
static int encrypt(leat_tls *tls, size_t most)
{
    while (!is_closed(tls)) {
        size_t length, waiting;
        const void *data = leat_send_data(tls->session, &length);
        int result;

        (void)leat_tls_send_data(tls, &waiting);
        if (data == NULL || waiting >= most)
            break;
        result = SSL_write(tls->ssl, data, int_size(length));
        if (result <= 0)
            return verdict(tls, result);
        (void)leat_send_done(tls->session, (size_t)result);
    }
    return LEAT_OK;
}

/*
 * One that succeeds may leave errors behind (of an issuer that was tried, and was not the one),
 * which the next call would be blamed for.
 */
static void handshake(leat_tls *tls)
{
    int result = SSL_do_handshake(tls->ssl);

    if (result <= 0) {
        (void)verdict(tls, result);
        return;
    }
    tls->ready = true;
    ERR_clear_error();
}

int leat_tls_run(leat_tls *tls)
{
    bool told = false;

    if (tls->status < 0)
        return tls->status;
    ERR_clear_error();
    if (tls->kept != NULL)
        (void)BIO_reset(tls->kept);
    if (!tls->ready)
        handshake(tls);
    if (tls->ready && tls->status == LEAT_OK)
        told = decrypt(tls);
    if (tls->ready && tls->status >= 0)
        (void)encrypt(tls, WAITING_MAX);
    return told ? LEAT_MORE : tls->status;
}

int leat_tls_close(leat_tls *tls)
{
    size_t waiting;
    int status, result;

    if (tls->status < 0)
        return tls->status;
    if (!tls->ready)
        return LEAT_E_STATE;
    ERR_clear_error();
    status = encrypt(tls, SIZE_MAX);
    if (status < 0 || is_closed(tls))
        return status;
    result = SSL_shutdown(tls->ssl);
    (void)leat_tls_send_data(tls, &waiting);
    tls->answers_max = waiting + WAITING_MAX; /* a peer that does the same must be heard */
    return result < 0 ? verdict(tls, result) : LEAT_OK;
}

int leat_tls_keep(leat_tls *tls)
{
    if (tls->kept == NULL)
        tls->kept = BIO_new(BIO_s_mem());
    ERR_clear_error();
    return tls->kept == NULL ? LEAT_E_NOMEM : LEAT_OK;
}

const void *leat_tls_kept(const leat_tls *tls, size_t *length)
{
    char *data = NULL;
    long count = tls->kept == NULL ? 0 : BIO_get_mem_data(tls->kept, &data);

    *length = count > 0 ? (size_t)count : 0;
    return count > 0 ? data : NULL;
}

/* Whether more may come: what waits for the session, and what the peer does not read, is bounded. */
static bool is_open(const leat_tls *tls)
{
    size_t waiting;

    (void)leat_tls_send_data(tls, &waiting);
    return tls->status == LEAT_OK && !tls->eof &&
           (leat_wants(tls->session) & LEAT_WANT_CLOSE) == 0 &&
           BIO_ctrl_pending(tls->in) < WAITING_MAX && waiting < tls->answers_max;
}

void *leat_tls_recv_space(leat_tls *tls, size_t *length)
{
    *length = 0;
    if (!is_open(tls))
        return NULL;
    if (tls->space == NULL)
        tls->space = (uint8_t *)lt_resize(&tls->allocator, NULL, 0, SPACE_BYTES);
    if (tls->space == NULL) {
        (void)fail(tls, LEAT_E_NOMEM, "out of memory");
        return NULL;
    }
    tls->lent = true;
    *length = SPACE_BYTES;
    return tls->space;
}

int leat_tls_recv_done(leat_tls *tls, size_t length)
{
    if (!tls->lent || length > SPACE_BYTES)
        return LEAT_E_STATE;
    tls->lent = false;
    if (length > 0 && BIO_write(tls->in, tls->space, (int)length) != (int)length) {
        ERR_clear_error();
        return fail(tls, LEAT_E_NOMEM, "out of memory");
    }
    tls->received += length;
    return LEAT_OK;
}

int leat_tls_recv_eof(leat_tls *tls)
{
    (void)BIO_set_mem_eof_return(tls->in, 0);
    tls->eof = true;
    return tls->status < 0 ? tls->status : LEAT_OK;
}

const void *leat_tls_send_data(const leat_tls *tls, size_t *length)
{
    char *data = NULL;
    long count = BIO_get_mem_data(tls->out, &data);

    *length = count > 0 ? (size_t)count : 0;
    return count > 0 ? data : NULL;
}

int leat_tls_send_done(leat_tls *tls, size_t length)
{
    char discarded[4096];
    size_t waiting;

    (void)leat_tls_send_data(tls, &waiting);
    if (length > waiting)
        return LEAT_E_STATE;
    while (length > 0) {
        size_t piece = length < sizeof discarded ? length : sizeof discarded;

        (void)BIO_read(tls->out, discarded, (int)piece);
        length -= piece;
    }
    return LEAT_OK;
}

int leat_tls_is_first_octet(uint8_t octet)
{
    return octet == SSL3_RT_HANDSHAKE ? 1 : 0;
}

int leat_tls_is_ready(const leat_tls *tls)
{
    return tls->ready ? 1 : 0;
}

SSL *leat_tls_ssl(const leat_tls *tls)
{
    return tls->ssl;
}

const leat_error *leat_tls_error(const leat_tls *tls)
{
    return tls->status < 0 ? &tls->error : NULL;
}
