/* Sends the load of this machine as a Zabbix proxy: zabbix_proxy_minimal HOST:PORT NAME VERSION ITEMID */
#define _DEFAULT_SOURCE
#include <err.h>
#include <leat/zabbix_proxy.h>
#include <openssl/bio.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void tell_time(leat_zabbix_proxy *proxy)
{
    struct timespec up;

    clock_gettime(CLOCK_MONOTONIC, &up);
    leat_zabbix_proxy_tick(proxy, (uint64_t)up.tv_sec * 1000 + (uint64_t)up.tv_nsec / 1000000,
                           (int64_t)time(NULL) * 1000000000);
}

/* One exchange with the server, to its end. */
static void converse(leat_session *session, BIO *tcp)
{
    const leat_event *event;
    char octets[4096];
    size_t length;
    int status, n;

    while ((status = leat_next(session, &event)) >= 0 && status != LEAT_END) {
        const void *data = leat_send_data(session, &length);

        if (status == LEAT_OK)
            continue; /* what is new in the configuration, a task, an acknowledgement */
        if (length > 0 && (n = BIO_write(tcp, data, (int)length)) > 0)
            leat_send_done(session, (size_t)n);
        else if ((n = BIO_read(tcp, octets, sizeof octets)) > 0)
            leat_feed(session, octets, (size_t)n);
        else
            leat_recv_eof(session);
    }
}

int main(int count, char **words)
{
    leat_zabbix_proxy_options options;
    leat_zabbix_proxy *proxy;
    leat_zabbix_history row;
    leat_session *session;
    uint64_t random[2];
    char token[33], text[32];
    double load = 0;

    RAND_bytes((unsigned char *)random, sizeof random);
    snprintf(token, sizeof token, "%016jx%016jx", (uintmax_t)random[0], (uintmax_t)random[1]);
    leat_zabbix_proxy_options_init(&options, sizeof options);
    options.session = token;
    options.name = count == 5 ? words[2] : NULL;
    options.version = count == 5 ? words[3] : NULL;
    if (leat_zabbix_proxy_new(NULL, &options, &proxy) != LEAT_OK)
        errx(2, "usage: zabbix_proxy_minimal HOST:PORT NAME VERSION ITEMID");
    signal(SIGPIPE, SIG_IGN); /* a write to a peer that is gone only fails */
    leat_zabbix_history_init(&row, sizeof row);
    row.has = LEAT_ZABBIX_HAS_ITEMID | LEAT_ZABBIX_HAS_VALUE;
    row.itemid = strtoull(words[4], NULL, 10);
    row.value = text;
    for (;; sleep(1)) {
        tell_time(proxy);
        getloadavg(&load, 1);
        row.value_length = (size_t)snprintf(text, sizeof text, "%.2f", load);
        leat_zabbix_proxy_history(proxy, &row, NULL);
        while (leat_zabbix_proxy_connect(proxy, &session) == LEAT_OK) {
            BIO *tcp = BIO_new_connect(words[1]);

            if (BIO_do_connect(tcp) == 1)
                converse(session, tcp);
            BIO_free_all(tcp);
            leat_session_free(session); /* what the server did not acknowledge is sent again */
        }
    }
}
