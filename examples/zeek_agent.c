/* A management agent that starts no node, but says what it is asked for: zeek_agent NAME HOST:PORT [no-tls] */
#define _POSIX_C_SOURCE 200809L
#include <err.h>
#include <leat/openssl.h>
#include <leat/zeek_agent.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static leat_broker *broker;
static leat_zeek_agent *agent;
static leat_builder *unknown; /* what it answers to who asks for a value */

/* Does what the controller has asked for, which here is to print it, and tells the time. */
static void turn(void)
{
    struct timespec now;
    const leat_event *event;
    const leat_value *request;
    uint64_t number;
    char text[65536];

    clock_gettime(CLOCK_MONOTONIC, &now);
    leat_broker_tick(broker, (uint64_t)now.tv_sec * 1000);
    leat_zeek_agent_tick(agent, (uint64_t)now.tv_sec * 1000);
    while (leat_zeek_agent_next(agent, &event) == LEAT_OK) {
        request = leat_event_value(event);
        leat_value_json(request, text, sizeof text);
        dprintf(1, "%s %s\n", leat_event_name(event, NULL), text);
        number = leat_value_u64(leat_value_get(request, "request"));
        if (leat_event_kind(event) == LEAT_ZEEK_AGENT_NODE_DISPATCH_REQUEST)
            leat_zeek_agent_answer(agent, number, leat_builder_value(unknown));
        else
            leat_zeek_agent_done(agent, number);
    }
}

/* A peering with the controller, to its end. */
static void converse(leat_session *session, BIO *tcp)
{
    static const struct timeval second = {.tv_sec = 1};
    const leat_event *event;
    const void *data;
    char octets[4096];
    size_t length;
    int status, n;

    setsockopt((int)BIO_get_fd(tcp, NULL), SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
    while ((status = leat_next(session, &event)) >= 0 && status != LEAT_END) {
        if (status == LEAT_OK) {
            leat_zeek_agent_take(agent, event);
            continue;
        }
        turn();
        data = leat_send_data(session, &length);
        if (length > 0 && (n = BIO_write(tcp, data, (int)length)) > 0)
            leat_send_done(session, (size_t)n);
        else if ((n = BIO_read(tcp, octets, sizeof octets)) > 0)
            leat_feed(session, octets, (size_t)n);
        else if (!BIO_should_retry(tcp))
            leat_recv_eof(session);
    }
}

int main(int count, char **words)
{
    char host[256];
    unsigned port;
    leat_broker_options options;
    leat_zeek_agent_options own;
    leat_tls_options tls;
    leat_session *session;
    SSL_CTX *context = NULL; /* and no connection, if this OpenSSL has no such TLS */
    BIO *tcp;

    if (count < 3 || sscanf(words[2], "%255[^:]:%u", host, &port) != 2)
        errx(2, "usage: zeek_agent NAME HOST:PORT [no-tls]");
    signal(SIGPIPE, SIG_IGN); /* a write to a controller that is gone only fails */
    leat_broker_options_init(&options, sizeof options);
    RAND_bytes(options.id, sizeof options.id);
    leat_broker_new(NULL, &options, &broker);
    leat_zeek_agent_options_init(&own, sizeof own);
    own.name = words[1]; /* as configurations name the instance */
    own.controller_address = host;
    own.controller_port = port;
    if (leat_zeek_agent_new(NULL, &own, broker, &agent) != LEAT_OK)
        errx(1, "no agent %s of %s", words[1], words[2]);
    leat_builder_new(NULL, &unknown);
    leat_builder_json(unknown, NULL, "{\"success\":false,\"error\":\"unknown id\"}", 38);
    leat_tls_options_init(&tls, sizeof tls);
    tls.anonymous = 1; /* as a Zeek is that has no certificate; or fill in what both have */
    leat_tls_client_context(&tls, &context, NULL);
    for (;; sleep(1)) {
        turn();
        if (leat_broker_connect(broker, &session) != LEAT_OK)
            continue; /* the next attempt is not due yet */
        tcp = count == 3 ? BIO_new_ssl_connect(context) : BIO_new(BIO_s_connect());
        BIO_set_conn_hostname(tcp, words[2]);
        if (BIO_do_connect(tcp) == 1)
            converse(session, tcp);
        warnx("no peering with %s", words[2]);
        leat_session_free(session);
        BIO_free_all(tcp);
    }
}
