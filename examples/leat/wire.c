/* What is between the socket and the session: nothing, or TLS. Recordings are made here, on the session's side. */
#include "live.h"

#ifdef WITH_OPENSSL
#include <leat/openssl.h>
#endif
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Most octets of a file with keys or certificates. */
#define FILE_MAX ((size_t)16 << 20)

const struct security no_security = {0};

bool option_file(const struct arguments *arguments, const char *name, void **data, size_t *length)
{
    const char *path = option_value(arguments, name);

    *length = 0;
    *data = path == NULL ? NULL : input_file(path, FILE_MAX, length);
    return path == NULL || *data != NULL;
}

bool random_octets(void *octets, size_t length)
{
    FILE *file = fopen("/dev/urandom", "rb");
    bool sound = file != NULL && fread(octets, 1, length, file) == length;

    if (!sound)
        complain("/dev/urandom: %s", strerror(errno));
    if (file != NULL)
        (void)fclose(file);
    return sound;
}

void secret_free(void *data, size_t length)
{
#ifdef WITH_OPENSSL
    if (data != NULL)
        OPENSSL_cleanse(data, length);
#else
    (void)length;
#endif
    free(data);
}

bool secret_line(char *text, size_t length, const char *path)
{
    size_t end = strcspn(text, "\n");

    if (end < length && text[end] == '\0') {
        complain("%s: not a line of text", path);
        return false;
    }
    text[end > 0 && text[end - 1] == '\r' ? end - 1 : end] = '\0';
    return true;
}

#ifdef WITH_OPENSSL
static bool open_context(struct security *security, const struct arguments *arguments,
                         bool is_server, bool anonymous)
{
    leat_tls_options options;
    void *pkcs12, *password = NULL, *certificate = NULL, *key = NULL, *authorities = NULL;
    size_t password_length = 0;
    const char *reason = "";
    SSL_CTX *context = NULL;
    bool sound;

    leat_tls_options_init(&options, sizeof options);
    sound = option_file(arguments, "--pkcs12", &pkcs12, &options.pkcs12_length) &&
            option_file(arguments, "--cert", &certificate, &options.certificate_length) &&
            option_file(arguments, "--key", &key, &options.key_length) &&
            option_file(arguments, "--ca", &authorities, &options.authorities_length) &&
            option_file(arguments, "--password-file", &password, &password_length) &&
            (password == NULL ||
             secret_line(password, password_length, option_value(arguments, "--password-file")));
    if (sound && password != NULL && pkcs12 == NULL && key == NULL) {
        complain("--password-file: there is no --pkcs12 or --key that it is for");
        sound = false;
    }
    if (sound) {
        options.pkcs12 = pkcs12;
        options.password = password;
        options.certificate = certificate;
        options.key = key;
        options.authorities = authorities;
        options.insecure = option_given(arguments, "--insecure");
        options.anonymous = anonymous && certificate == NULL && key == NULL && authorities == NULL;
        if ((is_server ? leat_tls_server_context : leat_tls_client_context)(&options, &context,
                                                                            &reason) != LEAT_OK) {
            complain("TLS: %s", reason);
            sound = false;
        }
    }
    secret_free(pkcs12, options.pkcs12_length);
    secret_free(password, password_length);
    secret_free(key, options.key_length);
    free(certificate);
    free(authorities);
    security->context = context;
    return sound;
}
#endif

bool security_open(struct security *security, const struct arguments *arguments, bool is_server,
                   bool anonymous)
{
    static const char *const of_tls[] = {
        "--pkcs12", "--password-file", "--cert",      "--key",
        "--ca",     "--insecure",      "--peer-name", "--check-peer"};
    size_t i;

    memset(security, 0, sizeof *security);
    if (option_given(arguments, "--no-tls")) {
        for (i = 0; i < sizeof of_tls / sizeof *of_tls; i++) {
            if (option_given(arguments, of_tls[i])) {
                complain("--no-tls and %s exclude each other", of_tls[i]);
                return false;
            }
        }
        return true;
    }
    security->peer_name = option_value(arguments, "--peer-name");
    security->check_address = option_given(arguments, "--check-peer");
#ifdef WITH_OPENSSL
    return open_context(security, arguments, is_server, anonymous);
#else
    (void)is_server;
    (void)anonymous;
    complain("TLS was left out of this build: there is --no-tls only");
    return false;
#endif
}

void security_close(struct security *security)
{
#ifdef WITH_OPENSSL
    SSL_CTX_free(security->context);
#endif
    security->context = NULL;
}

const char *wire_open(struct wire *wire, const struct security *security, bool is_server)
{
#ifdef WITH_OPENSSL
    if (security->context != NULL) {
        int status = is_server ? leat_tls_accept(NULL, security->context, wire->session, &wire->tls)
                               : leat_tls_connect(NULL, security->context, security->peer_name,
                                                  wire->session, &wire->tls);

        need_memory(status);
        if (status != LEAT_OK)
            return "no certificate can be for that name";
        if (wire->recording != NULL)
            need_memory(leat_tls_keep(wire->tls));
    }
#else
    (void)wire;
    (void)security;
    (void)is_server;
#endif
    return NULL;
}

void wire_close(struct wire *wire)
{
#ifdef WITH_OPENSSL
    leat_tls_free(wire->tls);
#endif
    wire->tls = NULL;
}

bool wire_is_tls(uint8_t octet)
{
#ifdef WITH_OPENSSL
    return leat_tls_is_first_octet(octet) != 0;
#else
    (void)octet;
    return false;
#endif
}

uint32_t wire_peer_by(const struct wire *wire)
{
#ifdef WITH_OPENSSL
    if (wire->tls != NULL)
        return leat_tls_peer_by(wire->tls);
#endif
    (void)wire;
    return 1;
}

const char *wire_psk_identity(const struct wire *wire)
{
#ifdef WITH_OPENSSL
    if (wire->tls != NULL)
        return leat_tls_psk_identity(wire->tls);
#endif
    (void)wire;
    return NULL;
}

void wire_peer_names(const struct wire *wire, char *issuer, char *subject, size_t size)
{
    issuer[0] = subject[0] = '\0';
#ifdef WITH_OPENSSL
    /* A name that is cut would be that of somebody else. */
    if (wire->tls != NULL && leat_tls_peer_issuer(wire->tls, issuer, size) >= size)
        issuer[0] = '\0';
    if (wire->tls != NULL && leat_tls_peer_subject(wire->tls, subject, size) >= size)
        subject[0] = '\0';
#else
    (void)wire;
    (void)size;
#endif
}

bool wire_is_ready(const struct wire *wire)
{
#ifdef WITH_OPENSSL
    if (wire->tls != NULL)
        return leat_tls_is_ready(wire->tls) != 0;
#endif
    (void)wire;
    return true;
}

void wire_describe(const struct wire *wire, char *text, size_t size)
{
#ifdef WITH_OPENSSL
    if (wire->tls != NULL) {
        SSL *ssl = leat_tls_ssl(wire->tls);

        (void)snprintf(text, size, "%s, %s", SSL_get_version(ssl), SSL_get_cipher_name(ssl));
        return;
    }
#endif
    (void)wire;
    (void)snprintf(text, size, "no TLS");
}

bool wire_peer_is(const struct wire *wire, const char *address)
{
#ifdef WITH_OPENSSL
    if (wire->tls != NULL)
        return leat_tls_peer_is(wire->tls, address) != 0;
#endif
    (void)wire;
    (void)address;
    return true;
}

/*
 * Records what the session says when it is said, not when it is sent: it is then in one place with TLS and
 * without. Nothing that was said is taken back.
 */
static void record_output(struct wire *wire)
{
    size_t length;
    const uint8_t *data = leat_send_data(wire->session, &length);

    if (length > wire->recorded)
        recording_octets(wire->recording, wire->conn, wire->dir_out, data + wire->recorded,
                         length - wire->recorded);
    wire->recorded = length;
}

/* After output was taken: what is left of it is recorded. */
static void note_output(struct wire *wire)
{
    (void)leat_send_data(wire->session, &wire->recorded);
}

int wire_run(struct wire *wire, char *reason, size_t size)
{
    int status = LEAT_OK;

    reason[0] = '\0';
    record_output(wire);
#ifdef WITH_OPENSSL
    if (wire->tls != NULL) {
        size_t length;
        const void *data;

        status = leat_tls_run(wire->tls);
        note_output(wire);
        data = leat_tls_kept(wire->tls, &length);
        recording_octets(wire->recording, wire->conn, wire->dir_in, data, length);
        if (status == LEAT_END && !wire->ended) {
            wire->ended = true;
            recording_event(wire->recording, wire->conn, wire->dir_in, "eof");
        }
        if (status < 0)
            (void)snprintf(reason, size, "%s%s", status == LEAT_E_END ? "" : "TLS: ",
                           leat_error_text(leat_tls_error(wire->tls)));
    }
#else
    (void)size;
#endif
    return status;
}

void wire_say_end(struct wire *wire)
{
    record_output(wire);
#ifdef WITH_OPENSSL
    if (wire->tls != NULL) {
        (void)leat_tls_close(wire->tls);
        note_output(wire);
    }
#endif
}

void *wire_recv_space(struct wire *wire, size_t *length)
{
#ifdef WITH_OPENSSL
    if (wire->tls != NULL)
        return leat_tls_recv_space(wire->tls, length);
#endif
    return wire->space = leat_recv_space(wire->session, length);
}

void wire_recv_done(struct wire *wire, size_t length)
{
#ifdef WITH_OPENSSL
    if (wire->tls != NULL) {
        (void)leat_tls_recv_done(wire->tls, length);
        return;
    }
#endif
    recording_octets(wire->recording, wire->conn, wire->dir_in, wire->space, length);
    (void)leat_recv_done(wire->session, length);
}

void wire_recv_eof(struct wire *wire)
{
#ifdef WITH_OPENSSL
    if (wire->tls != NULL) {
        (void)leat_tls_recv_eof(wire->tls);
        return;
    }
#endif
    recording_event(wire->recording, wire->conn, wire->dir_in, "eof");
    (void)leat_recv_eof(wire->session);
}

const void *wire_send_data(struct wire *wire, size_t *length)
{
#ifdef WITH_OPENSSL
    if (wire->tls != NULL)
        return leat_tls_send_data(wire->tls, length);
#endif
    record_output(wire);
    return leat_send_data(wire->session, length);
}

void wire_send_done(struct wire *wire, size_t length)
{
#ifdef WITH_OPENSSL
    if (wire->tls != NULL) {
        (void)leat_tls_send_done(wire->tls, length);
        return;
    }
#endif
    (void)leat_send_done(wire->session, length);
    note_output(wire);
}
