/* Says hello to a Zeek, and prints the events of a topic: broker_peer HOST:PORT TOPIC [no-tls] */
#define _POSIX_C_SOURCE 200809L
#include <err.h>
#include <leat/broker_endpoint.h>
#include <leat/openssl.h>
#include <leat/zeek.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print(const leat_event *event)
{
    leat_zeek_message message;
    char text[4096];

    leat_zeek_message_init(&message, sizeof message);
    leat_zeek_read(leat_value_get(leat_event_value(event), "data"), &message);
    if (message.kind == LEAT_ZEEK_EVENT) {
        leat_value_json(leat_value_at(message.data, 2), text, sizeof text); /* name and arguments */
        dprintf(1, "%s\n", text);
    }
}

/* The peering, to its end. */
static int converse(leat_broker *broker, leat_session *session, BIO *tcp, const leat_value *hello)
{
    const leat_event *event;
    char octets[4096];
    size_t length;
    int status, n;

    while ((status = leat_next(session, &event)) >= 0 && status != LEAT_END) {
        const void *data = leat_send_data(session, &length);

        if (status == LEAT_OK && leat_event_kind(event) == LEAT_BROKER_PEER_ADDED)
            leat_broker_publish(broker, "/leat", 5, hello);
        else if (status == LEAT_OK)
            print(event);
        else if (length > 0 && (n = BIO_write(tcp, data, (int)length)) > 0)
            leat_send_done(session, (size_t)n);
        else if ((n = BIO_read(tcp, octets, sizeof octets)) > 0)
            leat_feed(session, octets, (size_t)n);
        else
            leat_recv_eof(session);
    }
    return status;
}

int main(int count, char **words)
{
    char host[256];
    unsigned port;
    leat_broker_options options;
    leat_tls_options tls;
    leat_builder *hello;
    leat_session *session;
    leat_broker *broker;
    SSL_CTX *context = NULL; /* and no connection, if this OpenSSL has no such TLS */
    BIO *tcp;

    if (count < 3 || sscanf(words[1], "%255[^:]:%u", host, &port) != 2)
        errx(2, "usage: broker_peer HOST:PORT TOPIC [no-tls]");
    signal(SIGPIPE, SIG_IGN); /* a write to a peer that is gone only fails */
    leat_broker_options_init(&options, sizeof options);
    RAND_bytes(options.id, sizeof options.id);
    leat_broker_new(NULL, &options, &broker);
    leat_broker_subscribe(broker, words[2], strlen(words[2]));
    leat_builder_new(NULL, &hello); /* a Zeek has: global hello: event(text: string); */
    leat_zeek_event_open(hello, NULL, "hello", 5);
    leat_builder_text(hello, NULL, "from leat", 9);
    leat_zeek_event_close(hello);
    leat_tls_options_init(&tls, sizeof tls);
    tls.anonymous = 1; /* as a Zeek is that has no certificate; or fill in what both have */
    leat_tls_client_context(&tls, &context, NULL);
    tcp = count == 3 ? BIO_new_ssl_connect(context) : BIO_new(BIO_s_connect());
    BIO_set_conn_hostname(tcp, words[1]);
    if (leat_broker_peer_no_retry(broker, host, port) != LEAT_OK ||
        leat_broker_connect(broker, &session) != LEAT_OK || BIO_do_connect(tcp) != 1)
        errx(1, "%s: no connection", words[1]);
    exit(converse(broker, session, tcp, leat_builder_value(hello)) == LEAT_END ? 0 : 1);
}
