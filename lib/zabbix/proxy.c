/*
 * The proxy itself: how it is made, what time it is, and when it is time for what.
 *
 * An active proxy has three jobs, each with a schedule of its own: a server that refuses to give
 * the configuration may well take data.
 */
#include "proxy.h"

#include "../core/bytes.h"

#define RETRY_MOST  60000u
#define REFRESH     3600000u /* of the configuration, before 6.4: spec section 3 */
#define REFRESH_6_4 10000u

void leat_zabbix_proxy_options_init(leat_zabbix_proxy_options *options, size_t size)
{
    static const leat_zabbix_proxy_options initial = {
        .buffer_policy = LEAT_ZABBIX_REFUSE_NEW,
        .buffer_rows = 1000000,
        .buffer_bytes = UINT64_C(256) << 20,
        .batch_rows = 10000,
        .batch_bytes = UINT64_C(16) << 20,
        .configuration_bytes = UINT64_C(256) << 20,
        .data_ms = 1000,
        .tasks_ms = 1000,
        .heartbeat_ms = 60000,
        .retry_ms = 1000,
        .linger_ms = 1000,
    };

    lt_options_init(options, size, &initial, sizeof initial);
}

/* ---- making ---- */

/* Spec section 4.2. */
static bool is_name(const char *name)
{
    static const char others[] = "._- ";
    size_t i;

    for (i = 0; name[i] != '\0'; i++) {
        char c = name[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (i == 128 || (!plain && strchr(others, c) == NULL))
            return false;
    }
    return i > 0;
}

static bool is_session(const char *session)
{
    return strlen(session) == 32 && strspn(session, "0123456789abcdef") == 32;
}

static size_t as_size(uint64_t bytes)
{
    return bytes > SIZE_MAX / 4 ? SIZE_MAX / 4 : (size_t)bytes;
}

static bool take_options(leat_zabbix_proxy *proxy, const leat_zabbix_proxy_options *given)
{
    leat_zabbix_proxy_options *options = &proxy->options;

    if (given == NULL || !lt_options_read(options, sizeof *options, given))
        return false;
    if (options->name == NULL || options->session == NULL || !is_name(options->name) ||
        !is_session(options->session) ||
        !lt_zabbix_version_own(options->version, &proxy->version) ||
        options->buffer_policy > LEAT_ZABBIX_DROP_OLDEST || options->passive > 1)
        return false;
    memcpy(proxy->name, options->name, strlen(options->name) + 1);
    memcpy(proxy->session, options->session, sizeof proxy->session);
    options->name = proxy->name;
    options->version = proxy->version.text;
    options->session = proxy->session;
    if (options->config_ms == 0)
        options->config_ms = proxy->version.number >= LT_ZABBIX_6_4 ? REFRESH_6_4 : REFRESH;
    return true;
}

/* What a message can hold, the members beside its sections and the growth of text that does not
 * compress apart. False: not even a batch. */
static bool take_limits(leat_zabbix_proxy *proxy, const leat_config *config)
{
    static const leat_limits none = {.size = sizeof none};
    const leat_zabbix_proxy_options *options = &proxy->options;
    const leat_limits limits = lt_limits(config, &lt_zabbix_limits);
    uint64_t queued = limits.queued_bytes - limits.queued_bytes / 16, row;

    proxy->limits = lt_limits(config, &none);
    if (queued < 4096 || options->batch_rows == 0 || options->batch_bytes == 0 ||
        options->buffer_rows == 0 || options->buffer_bytes == 0 ||
        options->batch_bytes > queued - 2048)
        return false;
    proxy->message_bytes = as_size(queued - 2048);
    row = limits.row_bytes < options->buffer_bytes ? limits.row_bytes : options->buffer_bytes;
    proxy->row_bytes = as_size(row);
    if (proxy->row_bytes >= proxy->message_bytes)
        proxy->row_bytes = proxy->message_bytes - 1;
    return true;
}

static int make_parts(leat_zabbix_proxy *proxy)
{
    leat_zabbix_tables *tables;
    int status;
    size_t i;

    proxy->scratch = lt_writer(&proxy->allocator, proxy->row_bytes);
    for (i = 0; i < LT_ZABBIX_SECTIONS; i++)
        lt_zabbix_queue_init(&proxy->queues[i], &proxy->allocator, 1, &proxy->total);
    status = leat_builder_new(&proxy->config, &proxy->builder);
    if (status != LEAT_OK)
        return status;
    status = leat_zabbix_tables_new(&proxy->config, proxy->version.text,
                                    as_size(proxy->options.configuration_bytes), &tables);
    if (status == LEAT_OK)
        proxy->tables = tables;
    return status;
}

int leat_zabbix_proxy_new(const leat_config *config, const leat_zabbix_proxy_options *options,
                          leat_zabbix_proxy **proxy)
{
    leat_allocator allocator = lt_allocator(config);
    leat_zabbix_proxy *made = (leat_zabbix_proxy *)lt_alloc_zero(&allocator, sizeof *made);
    int status;

    if (made == NULL)
        return LEAT_E_NOMEM;
    made->allocator = allocator;
    leat_zabbix_proxy_options_init(&made->options, sizeof made->options);
    if (!take_options(made, options) || !take_limits(made, config)) {
        lt_free(&allocator, made, sizeof *made);
        return LEAT_E_VALUE;
    }
    leat_config_init(&made->config, sizeof made->config);
    made->config.allocator = &made->allocator;
    made->config.limits = &made->limits;
    made->upload = made->fresh = true;
    status = make_parts(made);
    if (status != LEAT_OK) {
        leat_zabbix_proxy_free(made);
        return status;
    }
    *proxy = made;
    return LEAT_OK;
}

void leat_zabbix_proxy_free(leat_zabbix_proxy *proxy)
{
    leat_allocator allocator;
    size_t i;

    if (proxy == NULL)
        return;
    lt_zabbix_links_free(proxy);
    for (i = 0; i < LT_ZABBIX_SECTIONS; i++)
        lt_zabbix_queue_free(&proxy->queues[i]);
    leat_zabbix_tables_free(proxy->tables);
    lt_zabbix_hosts_free(&proxy->hosts, &proxy->allocator);
    leat_builder_free(proxy->builder);
    lt_writer_free(&proxy->scratch);
    allocator = proxy->allocator;
    lt_free(&allocator, proxy, sizeof *proxy);
}

/* ---- time ---- */

void leat_zabbix_proxy_tick(leat_zabbix_proxy *proxy, uint64_t now_ms, int64_t clock_ns)
{
    if (now_ms > INT64_MAX / 2)
        now_ms = INT64_MAX / 2;
    if (!proxy->clocked)
        proxy->epoch_ms = clock_ns / 1000000 - (int64_t)now_ms;
    proxy->clocked = true;
    if (now_ms > proxy->now_ms)
        proxy->now_ms = now_ms;
    proxy->clock_ns = clock_ns;
    lt_zabbix_proxy_expire(proxy);
}

uint64_t lt_zabbix_proxy_age(const leat_zabbix_proxy *proxy, int64_t at_ms)
{
    int64_t now = lt_zabbix_proxy_now(proxy);

    return now > at_ms ? ((uint64_t)now - (uint64_t)at_ms) / 1000 : 0;
}

/* ---- the schedule of an active proxy ---- */

bool lt_zabbix_proxy_has_rows(const leat_zabbix_proxy *proxy)
{
    return proxy->queues[LT_ZABBIX_TASKS].rows > 0 || (proxy->upload && proxy->total.rows > 0);
}

static bool has_heartbeat(const leat_zabbix_proxy *proxy)
{
    return proxy->version.number < LT_ZABBIX_6_4 && proxy->options.heartbeat_ms > 0;
}

/* When it is the time for a job; UINT64_MAX: not before something else has happened. */
static uint64_t due(const leat_zabbix_proxy *proxy, uint32_t job)
{
    const struct lt_zabbix_schedule *schedule = &proxy->jobs[job];

    if (schedule->link != NULL || (job == LT_ZABBIX_JOB_HEARTBEAT && !has_heartbeat(proxy)))
        return UINT64_MAX;
    if (job == LT_ZABBIX_JOB_DATA && schedule->failures == 0 && lt_zabbix_proxy_has_rows(proxy) &&
        proxy->rows_ms < schedule->due_ms)
        return proxy->rows_ms;
    return schedule->due_ms;
}

uint64_t leat_zabbix_proxy_deadline(const leat_zabbix_proxy *proxy)
{
    uint64_t soonest = UINT64_MAX;
    uint32_t job;

    for (job = 0; job < LT_ZABBIX_JOBS && proxy->options.passive == 0; job++) {
        uint64_t due_ms = due(proxy, job);

        if (due_ms < soonest)
            soonest = due_ms;
    }
    return soonest;
}

static uint64_t retry_after(const leat_zabbix_proxy *proxy, uint32_t failures)
{
    uint64_t wait_ms = proxy->options.retry_ms;

    while (--failures > 0 && wait_ms > 0 && wait_ms < RETRY_MOST)
        wait_ms *= 2;
    return wait_ms < RETRY_MOST ? wait_ms : RETRY_MOST;
}

/* When a job that is begun now will be begun again, if all goes well. */
static void set_due(leat_zabbix_proxy *proxy, uint32_t job)
{
    const leat_zabbix_proxy_options *options = &proxy->options;
    const uint64_t every_ms[LT_ZABBIX_JOBS] = {options->config_ms, options->tasks_ms,
                                               options->heartbeat_ms};

    proxy->jobs[job].due_ms = lt_zabbix_proxy_after(proxy, every_ms[job]);
}

void lt_zabbix_proxy_done(leat_zabbix_proxy *proxy, struct lt_zabbix_link *link)
{
    struct lt_zabbix_schedule *schedule = &proxy->jobs[link->job];

    if (schedule->link != link)
        return;
    schedule->link = NULL;
    if (link->succeeded) {
        schedule->failures = proxy->failures = 0;
        if (link->more && proxy->upload)
            proxy->rows_ms = 0;
        return;
    }
    /* A heartbeat that fails is harmless, says spec section 8. */
    if (link->job == LT_ZABBIX_JOB_HEARTBEAT)
        return;
    schedule->failures += schedule->failures < UINT32_MAX;
    proxy->failures += proxy->failures < UINT32_MAX;
    schedule->due_ms = lt_zabbix_proxy_after(proxy, retry_after(proxy, schedule->failures));
}

int leat_zabbix_proxy_connect(leat_zabbix_proxy *proxy, leat_session **session)
{
    static const uint32_t exchanges[LT_ZABBIX_JOBS] = {
        LEAT_ZABBIX_PROXY_CONFIG, LEAT_ZABBIX_PROXY_DATA, LEAT_ZABBIX_PROXY_HEARTBEAT};
    uint32_t job = 0;
    int status;

    proxy->error.code = LEAT_OK;
    if (proxy->options.passive != 0)
        return lt_error(&proxy->error, LEAT_E_STATE, 0, "a passive proxy does not connect", NULL);
    while (job < LT_ZABBIX_JOBS && due(proxy, job) > proxy->now_ms)
        job++;
    if (job == LT_ZABBIX_JOBS)
        return LEAT_END;
    status = lt_zabbix_link_new(proxy, exchanges[job], job, true, session);
    if (status != LEAT_OK)
        return lt_error(&proxy->error, status, 0, "out of memory", NULL);
    proxy->jobs[job].link = proxy->links;
    set_due(proxy, job);
    return LEAT_OK;
}

int leat_zabbix_proxy_accept(leat_zabbix_proxy *proxy, uint32_t is_server, leat_session **session)
{
    proxy->error.code = LEAT_OK;
    if (lt_zabbix_link_new(proxy, 0, LT_ZABBIX_JOBS, is_server != 0, session) != LEAT_OK)
        return lt_error(&proxy->error, LEAT_E_NOMEM, 0, "out of memory", NULL);
    return LEAT_OK;
}

void leat_zabbix_proxy_reload(leat_zabbix_proxy *proxy)
{
    proxy->jobs[LT_ZABBIX_JOB_CONFIG].due_ms = 0;
}

/* ---- questions ---- */

leat_zabbix_tables *leat_zabbix_proxy_tables(leat_zabbix_proxy *proxy)
{
    return proxy->tables;
}

const leat_error *leat_zabbix_proxy_error(const leat_zabbix_proxy *proxy)
{
    return proxy->error.code == LEAT_OK ? NULL : &proxy->error;
}

int leat_zabbix_proxy_get_status(const leat_zabbix_proxy *proxy, leat_zabbix_proxy_status *status)
{
    const struct lt_zabbix_queue *values = &proxy->queues[LT_ZABBIX_HISTORY];
    struct lt_zabbix_walk walk = lt_zabbix_queue_walk(values, 0);
    leat_zabbix_proxy_status now = {0};
    struct lt_zabbix_run run;
    uint64_t size = status->size;

    if (size < sizeof size)
        return LEAT_E_VALUE;
    now.size = size;
    now.rows = proxy->total.rows;
    now.bytes = proxy->total.bytes;
    now.dropped = proxy->dropped;
    now.last_id = proxy->last_id;
    now.acknowledged = proxy->acknowledged;
    if (lt_zabbix_queue_run(&walk, UINT64_MAX, 1, &run))
        now.delay = lt_zabbix_proxy_age(proxy, run.at_ms);
    now.upload = proxy->upload;
    now.failures = proxy->failures;
    memcpy(status, &now, size < sizeof now ? (size_t)size : sizeof now);
    return LEAT_OK;
}

size_t leat_zabbix_proxy_memory(const leat_zabbix_proxy *proxy)
{
    size_t bytes = sizeof *proxy + proxy->scratch.size + lt_builder_bytes(proxy->builder) +
                   leat_zabbix_tables_memory(proxy->tables) +
                   proxy->hosts.size * sizeof *proxy->hosts.row;
    const struct lt_zabbix_link *link;
    size_t i;

    for (link = proxy->links; link != NULL; link = link->next)
        bytes += sizeof *link + link->address.size +
                 (link->tasks == NULL ? 0 : lt_builder_bytes(link->tasks));

    for (i = 0; i < LT_ZABBIX_SECTIONS; i++)
        bytes += proxy->queues[i].memory;
    return bytes;
}
