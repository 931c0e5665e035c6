#include "engines.h"

#include "bench.h"
#include "counts.h"

#include <string.h>

#define HOUR_MS UINT64_C(3600000)

static void tick(struct engines *e)
{
    int64_t clock_ns = (int64_t)MESSAGE_CLOCK * 1000000000 + (int64_t)e->now_ms * 1000000;

    leat_zabbix_proxy_tick(e->proxy, e->now_ms, clock_ns);
    leat_zabbix_server_tick(e->server, e->now_ms, clock_ns);
}

static void open_proxy(struct engines *e, const leat_config *config, uint64_t batch_rows)
{
    leat_zabbix_proxy_options options;

    leat_zabbix_proxy_options_init(&options, sizeof options);
    options.name = MESSAGE_HOST;
    options.version = MESSAGE_VERSION;
    options.session = MESSAGE_SESSION;
    options.batch_rows = batch_rows;
    options.config_ms = options.tasks_ms = 1000 * HOUR_MS;
    check(leat_zabbix_proxy_new(config, &options, &e->proxy));
}

void open_engines(struct engines *e, const leat_config *config, uint32_t connections,
                  uint64_t batch_rows)
{
    leat_zabbix_server_options options;
    leat_zabbix_server_member member;

    memset(e, 0, sizeof *e);
    e->now_ms = 1;
    open_proxy(e, config, batch_rows);
    leat_zabbix_server_options_init(&options, sizeof options);
    options.version = MESSAGE_VERSION;
    check(leat_zabbix_server_new(config, &options, &e->server));
    tick(e);
    leat_zabbix_server_member_init(&member, sizeof member);
    member.name = MESSAGE_HOST;
    member.connections = connections;
    check(leat_zabbix_server_add(e->server, &member));
}

void close_engines(struct engines *e)
{
    leat_zabbix_proxy_free(e->proxy);
    leat_zabbix_server_free(e->server);
}

void pass_second(struct engines *e)
{
    e->now_ms += 1000;
    tick(e);
}

void hand_in(struct engines *e, const struct message *m)
{
    leat_zabbix_history history;
    uint64_t id, sum = 0;
    size_t i;

    leat_zabbix_history_init(&history, sizeof history);
    for (i = 0; i < m->rows; i++) {
        fill_row(&history, &m->row[i]);
        if (leat_zabbix_proxy_history(e->proxy, &history, &id) != LEAT_OK)
            die("leat_zabbix_proxy_history");
        sum += id - m->row[i].id;
    }
    e->handed += m->rows;
    e->handed_sum += m->sum + sum;
}

bool open_proxy_session(struct engines *e, leat_session **session)
{
    int status = leat_zabbix_proxy_connect(e->proxy, session);

    if (status != LEAT_END)
        check(status);
    return status == LEAT_OK;
}

leat_session *open_server_session(struct engines *e)
{
    leat_zabbix_peer peer;
    leat_session *session;

    leat_zabbix_peer_init(&peer, sizeof peer);
    peer.address = "192.0.2.1";
    peer.connection = LEAT_ZABBIX_UNENCRYPTED;
    check(leat_zabbix_server_accept(e->server, &peer, &session));
    return session;
}

static void take_acknowledged(struct engines *e, const leat_event *event)
{
    const leat_value *values = leat_value_get(leat_event_value(event), "history data");

    e->acknowledged += leat_value_u64(leat_value_get(values, "rows"));
}

int draw(struct engines *e, enum side side, leat_session *session)
{
    leat_zabbix_history history;
    const leat_event *event;
    uint64_t rows = 0, sum = 0;
    int status;

    leat_zabbix_history_init(&history, sizeof history);
    while ((status = leat_next(session, &event)) == LEAT_OK) {
        if (leat_event_error(event) != NULL)
            die(leat_error_text(leat_event_error(event)));
        if (side == SERVER && leat_event_kind(event) == LEAT_ZABBIX_ROW) {
            rows++;
            sum += sum_row(leat_event_value(event), &history);
        } else if (leat_event_kind(event) == LEAT_ZABBIX_ACKNOWLEDGED) {
            take_acknowledged(e, event);
        }
    }
    e->told += rows;
    e->told_sum += sum;
    if (status < 0)
        die(leat_status_name(status));
    return status;
}

static int draw_timed(struct engines *e, enum side side, leat_session *session)
{
    double start = cpu();
    int status = draw(e, side, session);

    e->seconds[side] += cpu() - start;
    return status;
}

/* All output of one into the window of the other, in pieces as sockets would carry it. */
static void carry(struct engines *e, enum side side, leat_session *from, leat_session *to)
{
    size_t length, room;
    const void *data;

    while ((data = leat_send_data(from, &length)) != NULL) {
        struct counts *counts = counting;
        void *space = leat_recv_space(to, &room);

        length = length < room ? length : room;
        length = length < FEED_BYTES ? length : FEED_BYTES;
        counting = NULL; /* that is a socket's work */
        memcpy(space, data, length);
        counting = counts;
        check(leat_recv_done(to, length));
        check(leat_send_done(from, length));
        (void)draw_timed(e, side, to);
    }
}

static void talk(struct engines *e, leat_session *proxy, leat_session *server)
{
    bool ended = false;

    while (draw_timed(e, PROXY, proxy) != LEAT_END) {
        carry(e, SERVER, proxy, server);
        carry(e, PROXY, server, proxy);
        if (!ended && (leat_wants(server) & LEAT_WANT_CLOSE) != 0) {
            ended = true;
            check(leat_recv_eof(proxy));
        }
    }
}

size_t run_in_memory(struct engines *e)
{
    leat_session *proxy, *server;
    size_t exchanges = 0;

    while (open_proxy_session(e, &proxy)) {
        server = open_server_session(e);
        talk(e, proxy, server);
        leat_session_free(proxy);
        leat_session_free(server);
        exchanges++;
    }
    return exchanges;
}

void check_engines(const struct engines *e)
{
    if (e->told != e->handed || e->told_sum != e->handed_sum || e->acknowledged != e->handed)
        die("values were lost or came twice");
}
