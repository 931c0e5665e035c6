/*
 * A proxy, by script: it gets values and rows, time passes, its server and strangers say sound
 * messages and others on several connections, and it is kept and restored. However the peers' octets
 * are cut, the same is told and said; what is said is sound, and no value is lost: what was given is
 * in the buffer until the server has it.
 */
#include "zabbix_live.h"

#include <leat/zabbix_proxy.h>

#define TOKEN "0123456789abcdef0123456789abcdef"
#define SLOTS 4u

struct slot {
    leat_session *session;
    leat_session *other; /* reads what the session says */
    bool eof;
};

struct proxy {
    struct memory memory;
    struct manner manner;
    leat_limits limits;
    leat_config config;
    leat_zabbix_proxy_options options;
    leat_zabbix_proxy *proxy;
    struct slot slots[SLOTS];
    leat_buffer *kept;
    uint64_t told;
    uint64_t now_ms;
    uint64_t given; /* rows that are neither acknowledged nor dropped */
    uint64_t dropped;
    uint64_t last_id;
    bool saved;
};

static const char *const answers[] = {
    "{\"response\":\"success\"}",
    "{\"upload\":\"enabled\",\"response\":\"success\"}",
    "{\"upload\":\"disabled\",\"response\":\"success\"}",
    "{\"response\":\"failed\",\"info\":\"no\"}",
    "{\"response\":\"success\",\"tasks\":[{\"type\":6,\"clock\":1,\"ttl\":0,\"itemid\":7},{"
    "\"type\":6,"
    "\"clock\":1,\"ttl\":1,\"itemid\":7},{\"type\":2},[1]]}",
    "{}",
    "{\"data\":{},\"config_revision\":3}",
    "{\"full_sync\":1,\"data\":{\"globalmacro\":{\"fields\":[\"globalmacroid\",\"macro\",\"value\","
    "\"type\"],\"data\":[[1,\"{$A}\",\"x\",0]]}},\"config_revision\":4}",
    "{\"full_sync\":1,\"data\":{\"proxy\":{\"fields\":[\"proxyid\",\"name\",\"local_address\","
    "\"local_port\"],\"data\":[[1,\"px\",\"a\",\"1\"],[2,\"py\",\"::1\",\"2\"]]},\"host_proxy\":{"
    "\"fields\":"
    "[\"hostproxyid\",\"host\",\"proxyid\",\"revision\",\"tls_accept\",\"tls_issuer\",\"tls_"
    "subject\","
    "\"tls_psk_identity\",\"tls_psk\"],\"data\":[[1,\"h\",2,1,1,\"\",\"\",\"\",\"\"]]}},\"proxy_"
    "group\":"
    "{\"full_sync\":1,\"hostmap_revision\":2,\"failover_delay\":\"1m\"},\"config_revision\":5}",
    "{\"globalmacro\":{\"fields\":[\"globalmacroid\",\"macro\"],\"data\":[[1,\"x\",2]]},"
    "\"config_revision\":6}",
    "{\"request\":\"proxy data\"}",
    "{\"request\":\"proxy tasks\"}",
    "{\"request\":\"proxy config\"}",
    "{\"request\":\"proxy "
    "config\",\"data\":{\"hstgrp\":{\"fields\":[\"groupid\"],\"data\":[[5]]}}}",
    "{\"request\":\"active checks\",\"host\":\"h\"}",
    "{\"request\":\"agent data\",\"host\":\"h\",\"data\":[{\"itemid\":1,\"value\":\"x\"}]}",
    "{\"request\":\"sender data\",\"data\":[{\"host\":\"i\",\"key\":\"k\",\"value\":\"x\"}]}",
    "{\"request\":\"active check heartbeat\",\"host\":\"h\",\"heartbeat_freq\":60}",
};

static const struct {
    const char *section;
    const char *json;
} rows[] = {
    {"interface availability", "{\"interfaceid\":1,\"available\":1,\"error\":\"\"}"},
    {"host availability", "{\"hostid\":1,\"available\":1,\"error\":\"\"}"},
    {"discovery data", "{\"clock\":1,\"drule\":2,\"dcheck\":null,\"ip\":\"::1\",\"dns\":\"\"}"},
    {"auto registration", "{\"clock\":1,\"host\":\"h\",\"ip\":\"::1\",\"port\":\"1\",\"flags\":2}"},
    {"host data", "{\"hostid\":1,\"active_status\":2}"},
    {"tasks", "{\"type\":3,\"clock\":1,\"ttl\":0,\"status\":0,\"info\":\"\",\"parent_taskid\":9}"},
    {"history data", "{\"itemid\":1}"},
};

static leat_zabbix_proxy_status status_of(const struct proxy *p)
{
    leat_zabbix_proxy_status status = {.size = sizeof status};

    must(leat_zabbix_proxy_get_status(p->proxy, &status) == LEAT_OK);
    return status;
}

/* What holds between any two commands. */
static void check_proxy(struct proxy *p)
{
    leat_zabbix_proxy_status status = status_of(p);

    must(status.rows <= p->options.buffer_rows && status.bytes <= p->options.buffer_bytes);
    must(status.last_id == p->last_id && status.acknowledged <= status.last_id);
    must(p->manner.good != ALWAYS || status.rows + status.dropped - p->dropped == p->given);
    must(p->memory.held >= leat_zabbix_proxy_memory(p->proxy));
    tell_number(&p->told, status.rows);
    tell_number(&p->told, status.bytes);
    tell_number(&p->told, status.acknowledged);
    tell_number(&p->told, status.failures);
    tell_number(&p->told, leat_zabbix_proxy_deadline(p->proxy));
    tell_error(&p->told, leat_zabbix_proxy_error(p->proxy));
}

static void put(struct proxy *p, int status)
{
    must(status == LEAT_OK || leat_error_code(leat_zabbix_proxy_error(p->proxy)) == status);
    tell_number(&p->told, (uint64_t)(int64_t)status);
    p->given += status == LEAT_OK;
}

static void give_value(struct proxy *p, struct input *input)
{
    leat_zabbix_history row;
    uint64_t id = 0;
    int status;

    leat_zabbix_history_init(&row, sizeof row);
    row.has = (uint64_t)take(input) | LEAT_ZABBIX_HAS_ITEMID;
    row.has |= (uint64_t)take(input) << 8;
    row.itemid = row.clock = row.ns = row.timestamp = take(input);
    row.state = row.itemid % 2;
    row.value = row.source = (const char *)take_piece(input, &row.value_length);
    row.source_length = row.value_length;
    status = leat_zabbix_proxy_history(p->proxy, &row, &id);
    put(p, status);
    must(status != LEAT_OK || id > p->last_id);
    if (status == LEAT_OK)
        p->last_id = id;
}

static void give_row(struct proxy *p, struct input *input)
{
    unsigned which = take(input) % (sizeof rows / sizeof *rows);
    const char *json = rows[which].json;
    size_t length = strlen(json);
    leat_builder *builder;

    if (take(input) % 4u == 0)
        json = (const char *)take_piece(input, &length);
    must(leat_builder_new(NULL, &builder) == LEAT_OK);
    (void)leat_builder_json(builder, NULL, json, length);
    put(p, leat_zabbix_proxy_row(p->proxy, rows[which].section, leat_builder_value(builder)));
    leat_builder_free(builder);
}

/* ---- sessions ---- */

/* What was acknowledged is no longer the proxy's. */
static void count_rows(struct proxy *p, const leat_event *event)
{
    const leat_value *section;

    for (section = leat_value_first(leat_event_value(event)); section != NULL;
         section = leat_value_next(leat_event_value(event), section)) {
        uint64_t taken = leat_value_u64(leat_value_get(section, "rows"));

        must(taken > 0 && taken <= p->given);
        p->given -= taken;
    }
}

/* The server's end: what comes is sound, and ids ascend. */
static void read_output(struct proxy *p, struct slot *slot)
{
    const leat_event *event;
    size_t length;
    const void *data = leat_send_data(slot->session, &length);
    uint64_t last = 0;
    int status;

    if (length == 0)
        return;
    tell(&p->told, data, length);
    must(leat_feed(slot->other, data, length) == LEAT_OK);
    must(leat_send_done(slot->session, length) == LEAT_OK);
    while ((status = leat_next(slot->other, &event)) == LEAT_OK) {
        uint64_t id = leat_value_u64(leat_value_get(leat_event_value(event), "id"));

        must(leat_event_error(event) == NULL);
        must(id == 0 || (id > last && id <= p->last_id));
        last = id;
    }
    must(status == LEAT_MORE);
}

static void draw(struct proxy *p, struct slot *slot)
{
    const leat_event *event;
    int status;

    while ((status = leat_next(slot->session, &event)) == LEAT_OK) {
        tell_event(&p->told, event);
        if (leat_event_kind(event) == LEAT_ZABBIX_ACKNOWLEDGED)
            count_rows(p, event);
    }
    read_output(p, slot);
    (void)leat_next(slot->session, &event);
}

static void hang_up(struct slot *slot)
{
    leat_session_free(slot->session);
    leat_session_free(slot->other);
    memset(slot, 0, sizeof *slot);
}

static void open_slot(struct proxy *p, struct slot *slot, unsigned how)
{
    uint64_t due = leat_zabbix_proxy_deadline(p->proxy);
    int status;

    if (slot->session != NULL)
        hang_up(slot);
    if (how % 2 == 0)
        status = leat_zabbix_proxy_accept(p->proxy, how / 2 % 2, &slot->session);
    else
        status = leat_zabbix_proxy_connect(p->proxy, &slot->session);
    must(how % 2 == 0 || p->options.passive != 0 || status == LEAT_E_NOMEM ||
         (due <= p->now_ms || slot->session != NULL) == (status == LEAT_OK));
    tell_number(&p->told, (uint64_t)(int64_t)status);
    if (status != LEAT_OK) {
        slot->session = NULL;
        return;
    }
    must(leat_zabbix_codec_new(NULL, LEAT_FROM_ANY, &slot->other) == LEAT_OK);
    leat_tick(slot->session, p->now_ms);
    draw(p, slot);
}

static void hear_octets(struct proxy *p, struct slot *slot, const uint8_t *data, size_t size)
{
    while (size > 0 && !slot->eof && (leat_wants(slot->session) & LEAT_WANT_CLOSE) == 0) {
        size_t piece = size < p->manner.cut || size - p->manner.cut == 1 ? size : p->manner.cut;

        if (leat_feed(slot->session, data, piece) != LEAT_OK)
            return;
        data += piece;
        size -= piece;
        draw(p, slot);
    }
}

static void hear_message(struct proxy *p, struct slot *slot, struct input *input)
{
    static uint8_t octets[1 << 14];
    unsigned which = take(input), flags = take(input) % 4u == 0 ? 1 : 3;
    const uint8_t *text = (const uint8_t *)answers[which % (sizeof answers / sizeof *answers)];
    size_t length = strlen((const char *)text);

    if (take(input) % 8u == 0)
        text = take_piece(input, &length);
    hear_octets(p, slot, octets, make_frame(octets, sizeof octets, flags, 0, text, length));
}

/* ---- keeping ---- */

static void free_all(struct proxy *p, unsigned order)
{
    size_t i;

    if (order % 2 == 0)
        leat_zabbix_proxy_free(p->proxy);
    for (i = 0; i < SLOTS; i++)
        hang_up(&p->slots[i]);
    if (order % 2 != 0)
        leat_zabbix_proxy_free(p->proxy);
    p->proxy = NULL;
}

static bool make(struct proxy *p)
{
    int status = leat_zabbix_proxy_new(&p->config, &p->options, &p->proxy);

    must(status == LEAT_OK || (p->manner.good != ALWAYS && status == LEAT_E_NOMEM));
    if (status != LEAT_OK) {
        p->proxy = NULL;
        return false;
    }
    leat_zabbix_proxy_tick(p->proxy, p->now_ms, (int64_t)p->now_ms * 1000000);
    return true;
}

static void keep(struct proxy *p, bool save)
{
    size_t before, after;
    int status;

    if (save)
        leat_buffer_clear(p->kept);
    (void)leat_buffer_data(p->kept, &before);
    status = save ? leat_zabbix_proxy_save(p->proxy, p->kept)
                  : leat_zabbix_proxy_journal(p->proxy, p->kept);
    (void)leat_buffer_data(p->kept, &after);
    must(status == LEAT_OK || (p->manner.good != ALWAYS && status == LEAT_E_NOMEM));
    must(status == LEAT_OK || before == after);
    p->saved = p->saved ? status == LEAT_OK || !save : status == LEAT_OK;
}

/* A restored proxy has what the other one had. */
static void restart(struct proxy *p, unsigned order)
{
    leat_zabbix_proxy_status before, after;
    size_t length, used = 0;
    const void *data;
    int status;

    keep(p, !p->saved);
    if (!p->saved)
        return;
    before = status_of(p);
    free_all(p, order);
    if (!make(p))
        return;
    data = leat_buffer_data(p->kept, &length);
    status = leat_zabbix_proxy_restore(p->proxy, data, length, &used);
    must(p->manner.good != ALWAYS || (status == LEAT_OK && used == length));
    after = status_of(p);
    if (p->manner.good == ALWAYS)
        must(before.rows == after.rows && before.bytes == after.bytes &&
             before.last_id == after.last_id && before.acknowledged == after.acknowledged);
    p->last_id = after.last_id;
    p->given = after.rows;
    p->dropped = after.dropped;
    p->saved = status == LEAT_OK;
}

/* Whatever is restored is taken or not, and then the proxy is as good as new. */
static void restore_nonsense(struct proxy *p, struct input *input)
{
    size_t length, at, used;
    leat_zabbix_proxy *other;
    const void *data;
    uint8_t *copy;
    int status;

    keep(p, true);
    data = leat_buffer_data(p->kept, &length);
    if (length == 0)
        return;
    copy = (uint8_t *)malloc(length);
    must(copy != NULL);
    memcpy(copy, data, length);
    at = take(input);
    at = (at << 8 | take(input)) % length;
    copy[at] ^= (uint8_t)(1u << take(input) % 8u);
    if (leat_zabbix_proxy_new(NULL, &p->options, &other) == LEAT_OK) {
        status = leat_zabbix_proxy_restore(other, copy, length, &used);
        must(status == LEAT_E_SYNTAX || (status == LEAT_OK && used <= at));
        must(status == LEAT_OK || leat_zabbix_proxy_restore(other, data, length, &used) == LEAT_OK);
        leat_zabbix_proxy_free(other);
    }
    free(copy);
}

/* ---- scripts ---- */

static void pass(struct proxy *p, unsigned how)
{
    uint64_t due = leat_zabbix_proxy_deadline(p->proxy);
    size_t i;

    if (how % 2 == 0 || due == UINT64_MAX)
        p->now_ms += (uint64_t)how * 16;
    else if (due > p->now_ms)
        p->now_ms = due;
    leat_zabbix_proxy_tick(p->proxy, p->now_ms, (int64_t)p->now_ms * 1000000);
    for (i = 0; i < SLOTS; i++) {
        if (p->slots[i].session != NULL) {
            leat_tick(p->slots[i].session, p->now_ms);
            draw(p, &p->slots[i]);
        }
    }
}

static void play(struct proxy *p, struct input *input)
{
    unsigned command = take(input);
    struct slot *slot = &p->slots[command / 16 % SLOTS];
    const uint8_t *octets;
    size_t length;

    switch (command % 16) {
    case 0:
    case 1:
        give_value(p, input);
        break;
    case 2:
        give_row(p, input);
        break;
    case 3:
    case 4:
        pass(p, take(input));
        break;
    case 5:
    case 6:
        open_slot(p, slot, take(input));
        break;
    case 11:
        keep(p, take(input) % 2u == 0);
        break;
    case 12:
        restart(p, take(input));
        break;
    case 13:
        leat_zabbix_proxy_reload(p->proxy);
        break;
    case 14:
        restore_nonsense(p, input);
        break;
    default:
        if (slot->session == NULL)
            break;
        if (command % 16 < 9) {
            hear_message(p, slot, input);
        } else if (command % 16 == 9) {
            octets = take_piece(input, &length);
            hear_octets(p, slot, octets, length);
        } else if (command % 16 == 10) {
            slot->eof = true;
            (void)leat_recv_eof(slot->session);
            draw(p, slot);
        } else if (take(input) % 2u == 0) {
            leat_session_trim(slot->session);
        } else {
            hang_up(slot);
        }
        break;
    }
}

static void set_up(struct proxy *p, struct manner manner, struct input *input)
{
    static const char *const versions[] = {"7.0.22", "6.0.14", "6.4.0", "5.0.46",
                                           "7.2.9",  "6.2.9",  "7.4.3", "5.4.4"};
    unsigned how = take(input);

    memset(p, 0, sizeof *p);
    p->memory.allocator.resize = resize;
    p->memory.allocator.ctx = &p->memory;
    p->memory.good = manner.good;
    p->manner = manner;
    p->told = NOTHING_TOLD;
    leat_limits_init(&p->limits, sizeof p->limits);
    p->limits.message_bytes = p->limits.inflated_bytes = 1 << 16;
    p->limits.row_bytes = 1 << 12;
    p->limits.values = 500;
    p->limits.depth = 12;
    p->limits.queued_bytes = 1 << 14;
    leat_config_init(&p->config, sizeof p->config);
    p->config.limits = &p->limits;
    p->config.allocator = &p->memory.allocator;
    leat_zabbix_proxy_options_init(&p->options, sizeof p->options);
    p->options.name = "px";
    p->options.version = versions[how % 4 + how / 32 % 2 * 4];
    p->options.session = TOKEN;
    p->options.passive = how / 4 % 2;
    p->options.batch_rows = how / 8 % 2 == 0 ? 3 : 100;
    p->options.batch_bytes = how / 16 % 2 == 0 ? 200 : 4096;
    p->options.buffer_rows = 20;
    p->options.buffer_bytes = 2000;
    must(leat_buffer_new(NULL, &p->kept) == LEAT_OK);
}

static uint64_t run(struct input input, struct manner manner)
{
    static struct proxy p;
    bool made;

    set_up(&p, manner, &input);
    made = make(&p);
    while (made && input.left > 0) {
        play(&p, &input);
        made = p.proxy != NULL;
        if (made)
            check_proxy(&p);
    }
    free_all(&p, 1);
    must(p.memory.held == 0);
    leat_buffer_free(p.kept);
    return p.told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_script(run, data, size);
    return 0;
}
