/* Prints what a Management Center streams: estreamer_client HOST:8302 CLIENT.pkcs12 [PASSWORD] */
#include <leat/estreamer.h>
#include <leat/openssl.h>
#include <signal.h>
#include <stdio.h>

static void print(leat_buffer *line, const leat_event *event)
{
    size_t length;
    const char *text;

    if (leat_event_kind(event) != LEAT_ESTREAMER_EVENT_DATA &&
        leat_event_kind(event) != LEAT_ESTREAMER_ERROR)
        return;
    leat_buffer_clear(line);
    (void)leat_buffer_json(line, leat_event_value(event));
    text = leat_buffer_data(line, &length);
    printf("%.*s\n", (int)length, text);
}

/* All of the conversation; the exit code. */
static int converse(leat_session *session, leat_tls *tls, BIO *tcp, leat_buffer *line)
{
    const leat_event *event;
    size_t length;
    int status, n;

    for (;;) {
        do {
            while ((status = leat_next(session, &event)) == LEAT_OK)
                print(line, event);
        } while (leat_tls_run(tls) == LEAT_MORE);
        if (fflush(stdout) != 0) { /* what is acknowledged has to be out */
            perror("standard output");
            return 1;
        }
        const void *data = leat_tls_send_data(tls, &length); /* requests, acknowledgements */
        if (length > 0 && (n = BIO_write(tcp, data, (int)length)) > 0) {
            leat_tls_send_done(tls, (size_t)n);
            continue;
        }
        void *space = leat_tls_recv_space(tls, &length);
        if (length == 0)
            break; /* it is over */
        if ((n = BIO_read(tcp, space, (int)length)) > 0)
            leat_tls_recv_done(tls, (size_t)n);
        else
            leat_tls_recv_eof(tls);
    }
    if (status != LEAT_END)
        fprintf(stderr, "%s%s\n", leat_error_text(leat_tls_error(tls)),
                leat_error_text(leat_session_error(session)));
    return status == LEAT_END ? 0 : 1;
}

int main(int count, char **words)
{
    static unsigned char octets[65536];
    const char *reason =
        count > 2 ? "FILE cannot be read" : "usage: estreamer_client HOST:PORT FILE [PASSWORD]";
    FILE *file = count > 2 ? fopen(words[2], "rb") : NULL;
    BIO *tcp = count > 2 ? BIO_new_connect(words[1]) : NULL;
    leat_tls_options who;
    SSL_CTX *context = NULL;
    leat_session *session = NULL;
    leat_tls *tls = NULL;
    leat_buffer *line = NULL;
    int code = 1;

    signal(SIGPIPE, SIG_IGN); /* a write to a peer that is gone only fails */
    leat_tls_options_init(&who, sizeof who);
    who.pkcs12 = octets; /* our key, our certificate, and whom to believe */
    who.pkcs12_length = file == NULL ? 0 : fread(octets, 1, sizeof octets, file);
    who.password = count > 3 ? words[3] : NULL;
    if (file != NULL && tcp != NULL &&
        leat_tls_client_context(&who, &context, &reason) == LEAT_OK &&
        leat_estreamer_client_new(NULL, NULL, &session) == LEAT_OK &&      /* every kind of event */
        leat_tls_connect(NULL, context, NULL, session, &tls) == LEAT_OK && /* of any name */
        leat_buffer_new(NULL, &line) == LEAT_OK && BIO_do_connect(tcp) == 1)
        code = converse(session, tls, tcp, line);
    else
        fprintf(stderr, "%s\n", context == NULL ? reason : "no connection");
    leat_buffer_free(line);
    leat_tls_free(tls);
    leat_session_free(session);
    SSL_CTX_free(context);
    BIO_free_all(tcp);
    if (file != NULL)
        fclose(file);
    return code;
}
