/*
 * A proxy and a server, joined in memory: in every version, active and passive, with connections
 * that break at any octet and either side starting again from what it kept, every value arrives
 * once, and no task is given twice unless the server forgot that it was.
 */
#include "live.h"

#include <leat/zabbix_proxy.h>
#include <leat/zabbix_server.h>
#include <stdio.h>

#define VALUES 400u
#define TASKS  60u
#define STEPS  500

static const char *const versions[] = {"5.0.33", "5.4.12", "6.0.14", "6.2.9",
                                       "6.4.21", "7.0.22", "7.2.1",  "7.4.0"};
#define VERSIONS (sizeof versions / sizeof *versions)

struct world {
    const char *version;
    bool passive;
    bool rough; /* connections break, and both sides start again */
    uint32_t random;
    leat_zabbix_server *server;
    leat_zabbix_proxy *proxy;
    leat_buffer *server_kept;
    leat_buffer *proxy_kept;
    uint64_t now_ms;
    unsigned given;          /* values */
    unsigned taken[VALUES];  /* how often each was taken */
    unsigned staged[VALUES]; /* those of the message that is arriving */
    unsigned staged_count;
    unsigned result[TASKS];
    unsigned result_count;
    unsigned asked;          /* tasks */
    unsigned done[TASKS];    /* how often each was given */
    unsigned news[TASKS];    /* how often since the server was saved */
    unsigned undone[TASKS];  /* how often the server was restored as if it had not been */
    unsigned results[TASKS]; /* how often its result came */
    unsigned configuration;  /* how often it changed */
    unsigned exchanges;
    unsigned breaks;
};

static unsigned dice(struct world *w, unsigned sides)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 17;
    w->random ^= w->random << 5;
    return w->random % sides;
}

/* ---- the two, and what they keep ---- */

static void load(struct world *w)
{
    char text[160];
    leat_builder *builder;
    int length = snprintf(text, sizeof text,
                          "{\"hosts\":[{\"hostid\":1,\"host\":\"h%u\"},{\"hostid\":%u,\"host\":"
                          "\"other\"}]}",
                          w->configuration, 2 + w->configuration % 3);

    builder = t_json(text, (size_t)length);
    MUST(leat_zabbix_tables_load(leat_zabbix_server_tables(w->server, "px"),
                                 leat_builder_value(builder)) == LEAT_OK,
         "no configuration");
    leat_builder_free(builder);
}

static void tick(struct world *w)
{
    int64_t clock_ns = (int64_t)(1000000 + w->now_ms) * 1000000;

    leat_zabbix_server_tick(w->server, w->now_ms, clock_ns);
    leat_zabbix_proxy_tick(w->proxy, w->now_ms, clock_ns);
}

static void make_server(struct world *w)
{
    leat_zabbix_server_options options;
    leat_zabbix_server_member member;

    leat_zabbix_server_options_init(&options, sizeof options);
    options.version = w->version;
    options.config_ms = 5000;
    options.retry_ms = 1000;
    MUST(leat_zabbix_server_new(NULL, &options, &w->server) == LEAT_OK, "no server");
    leat_zabbix_server_member_init(&member, sizeof member);
    member.name = "px";
    member.passive = w->passive;
    MUST(leat_zabbix_server_add(w->server, &member) == LEAT_OK, "no member");
    load(w);
}

static void make_proxy(struct world *w)
{
    leat_zabbix_proxy_options options;

    leat_zabbix_proxy_options_init(&options, sizeof options);
    options.name = "px";
    options.version = w->version;
    options.session = "0123456789abcdef0123456789abcdef";
    options.passive = w->passive;
    options.config_ms = 5000;
    options.batch_rows = 20;
    MUST(leat_zabbix_proxy_new(NULL, &options, &w->proxy) == LEAT_OK, "no proxy");
}

static void keep_server(struct world *w)
{
    leat_buffer_clear(w->server_kept);
    MUST(leat_zabbix_server_save(w->server, w->server_kept) == LEAT_OK, "not saved");
    memset(w->news, 0, sizeof w->news);
}

static void keep_proxy(struct world *w)
{
    MUST(leat_zabbix_proxy_journal(w->proxy, w->proxy_kept) == LEAT_OK, "no journal");
}

static void restart_server(struct world *w)
{
    size_t length;
    const void *kept = leat_buffer_data(w->server_kept, &length);
    unsigned i;

    for (i = 0; i < TASKS; i++)
        w->undone[i] += w->news[i];
    memset(w->news, 0, sizeof w->news);
    leat_zabbix_server_free(w->server);
    make_server(w);
    MUST(leat_zabbix_server_restore(w->server, kept, length) == LEAT_OK, "not restored");
    tick(w);
}

static void restart_proxy(struct world *w)
{
    size_t length, used;
    const void *kept = leat_buffer_data(w->proxy_kept, &length);

    leat_zabbix_proxy_free(w->proxy);
    make_proxy(w);
    MUST(leat_zabbix_proxy_restore(w->proxy, kept, length, &used) == LEAT_OK && used == length,
         "not restored");
    tick(w);
    leat_buffer_clear(w->proxy_kept);
    MUST(leat_zabbix_proxy_save(w->proxy, w->proxy_kept) == LEAT_OK, "not saved");
}

/* ---- what they tell ---- */

/* The server has it for good when the message is complete; what it keeps is as good as that. */
static void take_staged(struct world *w)
{
    unsigned i;

    for (i = 0; i < w->staged_count; i++)
        w->taken[w->staged[i]]++;
    for (i = 0; i < w->result_count; i++)
        w->results[w->result[i]]++;
    w->staged_count = w->result_count = 0;
    keep_server(w);
}

static void on_server_row(struct world *w, const leat_event *event)
{
    const leat_value *row = leat_event_value(event);
    size_t length;
    const char *name = leat_event_name(event, &length);
    uint64_t number;

    MUST(leat_event_error(event) == NULL, "%s: a row in error", w->version);
    if (length == strlen("tasks") && memcmp(name, "tasks", length) == 0) {
        number = leat_value_u64(leat_value_get(row, "parent_taskid"));
        MUST(number < TASKS && w->result_count < TASKS, "no such task");
        w->result[w->result_count++] = (unsigned)number;
    } else {
        number = leat_value_u64(leat_value_get(row, "itemid")) - 1;
        MUST(number < VALUES && w->staged_count < VALUES, "no such value");
        w->staged[w->staged_count++] = (unsigned)number;
    }
}

static void on_server_event(struct world *w, const leat_event *event)
{
    if (leat_event_kind(event) == LEAT_ZABBIX_ROW)
        on_server_row(w, event);
    else if (leat_event_error(event) == NULL)
        take_staged(w);
    else
        w->staged_count = w->result_count = 0;
}

static void give_result(struct world *w, unsigned task)
{
    char text[160];
    int length = snprintf(text, sizeof text,
                          "{\"type\":3,\"clock\":1000,\"ttl\":0,\"status\":0,\"info\":\"\","
                          "\"parent_taskid\":%u}",
                          task);
    leat_builder *builder = t_json(text, (size_t)length);

    MUST(leat_zabbix_proxy_row(w->proxy, "tasks", leat_builder_value(builder)) == LEAT_OK,
         "no result");
    keep_proxy(w);
    leat_builder_free(builder);
}

static void on_proxy_event(struct world *w, const leat_event *event)
{
    uint64_t number;

    if (leat_event_kind(event) != LEAT_ZABBIX_TASK)
        return;
    MUST(leat_event_error(event) == NULL, "%s: a task in error", w->version);
    number = leat_value_u64(leat_value_get(leat_event_value(event), "parent_taskid"));
    MUST(number < TASKS, "no such task");
    w->done[number]++;
    w->news[number]++;
    give_result(w, (unsigned)number);
}

/* ---- a connection ---- */

struct end {
    leat_session *session;
    void (*told)(struct world *w, const leat_event *event);
    bool over;
    bool eof; /* it was told that the other has closed */
};

static bool draw(struct world *w, struct end *end)
{
    const leat_event *event;
    bool any = false;
    int status;

    leat_tick(end->session, w->now_ms);
    while ((status = leat_next(end->session, &event)) == LEAT_OK) {
        end->told(w, event);
        any = true;
    }
    end->over = status == LEAT_END || status < 0;
    return any;
}

/* Moves some octets, at most what is left before the connection breaks. */
static bool move(struct world *w, struct end *from, struct end *to, size_t *left)
{
    size_t length;
    const void *data = leat_send_data(from->session, &length);

    if (length > *left)
        length = *left;
    if (length > 1)
        length = 1 + dice(w, length > 5000 ? 5000 : (unsigned)length);
    if (length == 0) {
        if (!from->over || to->eof || to->over)
            return false;
        to->eof = true;
        return leat_recv_eof(to->session) == LEAT_OK;
    }
    if (!to->over)
        (void)leat_feed(to->session, data, length);
    MUST(leat_send_done(from->session, length) == LEAT_OK, "not sent");
    *left -= length;
    return true;
}

static bool has_output(const struct end *end)
{
    size_t length;

    (void)leat_send_data(end->session, &length);
    return length > 0;
}

static void talk(struct world *w, leat_session *of_server, leat_session *of_proxy)
{
    struct end server = {.session = of_server, .told = on_server_event};
    struct end proxy = {.session = of_proxy, .told = on_proxy_event};
    size_t left = w->rough && dice(w, 3) == 0 ? dice(w, 600) : SIZE_MAX;
    bool busy = true;

    while (busy && left > 0 &&
           (!server.over || !proxy.over || has_output(&server) || has_output(&proxy))) {
        busy = draw(w, &server);
        busy = draw(w, &proxy) || busy;
        busy = move(w, &server, &proxy, &left) || busy;
        busy = move(w, &proxy, &server, &left) || busy;
    }
    w->exchanges++;
    w->breaks += left == 0;
    w->staged_count = w->result_count = 0;
    leat_session_free(of_server);
    if (w->rough && dice(w, 8) == 0) {
        leat_session_free(of_proxy);
        if (dice(w, 2) == 0)
            keep_server(w);
        restart_server(w);
    } else if (w->rough && dice(w, 8) == 0) {
        restart_proxy(w); /* its session outlives it */
        leat_session_free(of_proxy);
    } else {
        leat_session_free(of_proxy);
    }
    keep_server(w);
    keep_proxy(w);
}

/* The next exchange, if there is one to be had. */
static bool exchange(struct world *w)
{
    leat_session *of_server, *of_proxy;
    leat_zabbix_peer peer;
    const char *name;

    leat_zabbix_peer_init(&peer, sizeof peer);
    if (w->passive) {
        if (leat_zabbix_server_connect(w->server, &name, &of_server) != LEAT_OK)
            return false;
        MUST(leat_zabbix_server_met(of_server, &peer) == LEAT_OK, "not met");
        MUST(leat_zabbix_proxy_accept(w->proxy, 1, &of_proxy) == LEAT_OK, "not accepted");
    } else {
        if (leat_zabbix_proxy_connect(w->proxy, &of_proxy) != LEAT_OK)
            return false;
        MUST(leat_zabbix_server_accept(w->server, &peer, &of_server) == LEAT_OK, "not accepted");
    }
    talk(w, of_server, of_proxy);
    return true;
}

/* ---- what happens ---- */

static void give_value(struct world *w)
{
    leat_zabbix_history value;

    if (w->given == VALUES)
        return;
    leat_zabbix_history_init(&value, sizeof value);
    value.has = LEAT_ZABBIX_HAS_ITEMID | LEAT_ZABBIX_HAS_VALUE;
    value.itemid = ++w->given;
    value.value = "x";
    value.value_length = 1;
    MUST(leat_zabbix_proxy_history(w->proxy, &value, NULL) == LEAT_OK, "no room");
    keep_proxy(w);
}

static void give_task(struct world *w)
{
    char text[160];
    leat_builder *builder;
    int length;

    if (w->asked == TASKS)
        return;
    length = snprintf(text, sizeof text,
                      "{\"type\":7,\"datatype\":1,\"parent_taskid\":%u,\"data\":\"{}\"}", w->asked);
    w->asked++;
    builder = t_json(text, (size_t)length);
    MUST(leat_zabbix_server_task(w->server, "px", leat_builder_value(builder)) == LEAT_OK,
         "no task");
    leat_builder_free(builder);
    keep_server(w);
}

static void happen(struct world *w)
{
    switch (dice(w, 12)) {
    case 0:
        w->configuration++;
        load(w);
        break;
    case 1:
        give_task(w);
        break;
    case 2:
        leat_zabbix_server_throttle(w->server, dice(w, 3) == 0);
        break;
    case 3:
    case 4:
    case 5:
        w->now_ms += dice(w, 1500);
        tick(w);
        break;
    case 6:
    case 7:
        give_value(w);
        break;
    default:
        (void)exchange(w);
        break;
    }
}

/* In the end nothing breaks any more, and all of it arrives. */
static void settle(struct world *w)
{
    leat_zabbix_proxy_status status = {.size = sizeof status};
    int i;

    w->rough = false;
    leat_zabbix_server_throttle(w->server, 0);
    for (i = 0; i < 300; i++) {
        w->now_ms += 1000;
        tick(w);
        while (exchange(w))
            continue;
    }
    MUST(leat_zabbix_proxy_get_status(w->proxy, &status) == LEAT_OK && status.rows == 0,
         "%s: rows are left", w->version);
}

static void check(const struct world *w, bool rough)
{
    leat_zabbix_tables *theirs = leat_zabbix_proxy_tables(w->proxy);
    leat_zabbix_tables *ours = leat_zabbix_server_tables(w->server, "px");
    char host[16];
    size_t length;
    const char *text;
    unsigned i;

    for (i = 0; i < w->given; i++)
        MUST(w->taken[i] == 1, "%s: value %u was taken %u times", w->version, i, w->taken[i]);
    for (i = 0; i < w->asked; i++) {
        MUST(rough || w->done[i] == 1, "%s: task %u was given %u times", w->version, i, w->done[i]);
        MUST(w->done[i] <= 1 + w->undone[i], "%s: task %u was given %u times, %u of them in vain",
             w->version, i, w->done[i], w->undone[i]);
        MUST(w->done[i] == 0 || w->results[i] > 0, "%s: the result of %u is lost", w->version, i);
        MUST(rough || w->results[i] == 1, "%s: the result of %u came twice", w->version, i);
    }
    (void)snprintf(host, sizeof host, "h%u", w->configuration);
    text = leat_value_text(leat_value_get(leat_zabbix_tables_row(theirs, "hosts", 1), "host"),
                           &length);
    MUST(length == strlen(host) && memcmp(text, host, length) == 0, "%s: an old configuration",
         w->version);
    MUST(leat_zabbix_tables_count(theirs, "hosts") == leat_zabbix_tables_count(ours, "hosts"),
         "%s: hosts are left", w->version);
}

static void play(const char *version, bool passive, bool rough, uint32_t seed)
{
    struct world w = {.version = version, .passive = passive, .rough = rough, .random = seed};
    int i;

    ck_assert_int_eq(leat_buffer_new(NULL, &w.server_kept), LEAT_OK);
    ck_assert_int_eq(leat_buffer_new(NULL, &w.proxy_kept), LEAT_OK);
    make_server(&w);
    make_proxy(&w);
    tick(&w);
    MUST(leat_zabbix_proxy_save(w.proxy, w.proxy_kept) == LEAT_OK, "not saved");
    keep_server(&w);
    for (i = 0; i < STEPS; i++)
        happen(&w);
    MUST(w.exchanges > 20 && w.given > 20 && (!rough || w.breaks > 0), "nothing happened");
    settle(&w);
    check(&w, rough);
    leat_zabbix_proxy_free(w.proxy);
    leat_zabbix_server_free(w.server);
    leat_buffer_free(w.proxy_kept);
    leat_buffer_free(w.server_kept);
}

START_TEST(smoothly)
{
    play(versions[_i / 2], _i % 2 == 1, false, (uint32_t)_i + 1);
}
END_TEST

START_TEST(roughly)
{
    uint32_t seed;

    for (seed = 1; seed <= 20; seed++)
        play(versions[_i / 2], _i % 2 == 1, true, seed * 7919 + (uint32_t)_i);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_loop_test(tests, smoothly, 0, (int)VERSIONS * 2);
    tcase_add_loop_test(tests, roughly, 0, (int)VERSIONS * 2);
}

T_MAIN("zabbix/engines", add)
