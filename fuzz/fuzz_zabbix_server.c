/*
 * A server, by script: proxies and others come with any identity and say anything, passive ones are
 * asked, and the caller does what it may meanwhile. However the octets are cut, the same is told and
 * said; what is said is sound; and no row of a configuration, and no task, is said to anybody but
 * the proxy that it is for.
 */
#include "zabbix_live.h"

#include <leat/zabbix_server.h>

#define SLOTS   4
#define PROXIES 3
#define PEERS   7

static const struct {
    const char *name;
    uint32_t passive;
    uint32_t connections;
    const char *psk_identity;
    const char *issuer;
    const char *subject;
    const char *addresses;
    unsigned peer; /* the only one of those below that may be it */
} proxies[PROXIES] = {
    {"p0", 0, LEAT_ZABBIX_UNENCRYPTED, NULL, NULL, NULL, "10.0.0.0/8", 0},
    {"p1", 1, LEAT_ZABBIX_PSK, "i", NULL, NULL, NULL, 2},
    {"p2", 0, LEAT_ZABBIX_CERTIFICATE, NULL, "CN=ca", "CN=p2", NULL, 4},
};

static const struct {
    const char *address;
    uint32_t connection;
    const char *psk_identity;
    const char *issuer;
    const char *subject;
} peers[PEERS] = {
    {"10.1.2.3", LEAT_ZABBIX_UNENCRYPTED, NULL, NULL, NULL},
    {"11.1.2.3", LEAT_ZABBIX_UNENCRYPTED, NULL, NULL, NULL},
    {"10.1.2.3", LEAT_ZABBIX_PSK, "i", NULL, NULL},
    {"10.1.2.3", LEAT_ZABBIX_PSK, "j", NULL, NULL},
    {"10.1.2.3", LEAT_ZABBIX_CERTIFICATE, NULL, "CN=ca", "CN=p2"},
    {"10.1.2.3", LEAT_ZABBIX_CERTIFICATE, NULL, "CN=ca", "CN=p3"},
    {NULL, 0, NULL, NULL, NULL},
};

#define TOKEN "\"session\":\"0123456789abcdef0123456789abcdef\""
#define NOW   "\"clock\":1,\"ns\":2}"

static const char *const messages[] = {
    "{\"request\":\"proxy config\",\"host\":\"p0\",\"version\":\"7.0.22\"," TOKEN
    ",\"config_revision\":0}",
    "{\"request\":\"proxy config\",\"host\":\"p0\",\"version\":\"7.0.22\"," TOKEN
    ",\"config_revision\":1}",
    "{\"request\":\"proxy config\",\"host\":\"p1\",\"version\":\"6.0.14\"," TOKEN
    ",\"config_revision\":0}",
    "{\"request\":\"proxy config\",\"host\":\"p2\",\"version\":\"6.4.1\"," TOKEN
    ",\"config_revision\":0}",
    "{\"request\":\"proxy config\",\"host\":\"p2\",\"host\":\"p0\",\"version\":\"7.0.22\"," TOKEN
    ",\"config_revision\":0}",
    "{\"request\":\"proxy data\",\"host\":\"p0\"," TOKEN
    ",\"history data\":[{\"id\":1},{\"id\":2}],\"version\":\"7.0.22\"," NOW,
    "{\"request\":\"proxy data\",\"host\":\"p0\"," TOKEN
    ",\"history data\":[{\"id\":2},{\"id\":3}],\"version\":\"6.0.14\"," NOW,
    "{\"request\":\"proxy data\",\"host\":\"p2\"," TOKEN
    ",\"history data\":[{\"id\":7}],\"discovery data\":[{\"clock\":1}],\"tasks\":[{\"type\":3}],"
    "\"version\":\"7.0.22\"," NOW,
    ("{\"request\":\"proxy data\",\"host\":\"p0\"," TOKEN ",\"version\":\"7.0.22\"," NOW),
    "{\"request\":\"proxy heartbeat\",\"host\":\"p0\",\"version\":\"6.0.14\"}",
    ("{" TOKEN ",\"history data\":[{\"id\":1},{\"id\":2}],\"more\":1,\"version\":\"7.0.22\"," NOW),
    ("{" TOKEN ",\"history data\":[{\"id\":3}],\"version\":\"6.0.14\"," NOW),
    "{\"version\":\"7.0.22\"," TOKEN ",\"config_revision\":0}",
    "{\"version\":\"6.4.0\"," TOKEN ",\"config_revision\":1}",
    "{\"tasks\":[{\"type\":9,\"clock\":1,\"ttl\":0,\"datatype\":3,\"parent_taskid\":0,\"data\":"
    "\"{}\"}],\"version\":\"7.0.22\"," NOW,
    "{\"response\":\"success\",\"version\":\"7.0.22\"}",
    "{\"response\":\"failed\",\"info\":\"no\",\"version\":\"6.0.14\"}",
    ("{\"request\":\"sender data\",\"data\":[{\"host\":\"p0\",\"key\":\"k\"}]," NOW),
    "{\"request\":\"active checks\",\"host\":\"p0\"}",
};
#define MESSAGES (sizeof messages / sizeof *messages)

struct slot {
    leat_session *session;
    leat_session *other; /* reads what it says */
    unsigned peer;       /* that was told; PEERS: none */
    bool eof;
};

struct world {
    leat_zabbix_server *server;
    struct memory memory;
    struct manner manner;
    struct slot slots[SLOTS];
    bool known[PROXIES];
    uint64_t told;
    uint64_t now_ms;
    uint8_t saved[4096];
    size_t saved_length;
};

/* ---- what leaves ---- */

/* Whose secret a row is; PROXIES: it is none. */
static unsigned whose(const leat_value *row)
{
    static char text[8192];
    const char *place;

    (void)leat_value_json(row, text, sizeof text);
    place = strstr(text, "secret-");
    if (place == NULL)
        return PROXIES;
    must(place[7] >= '0' && place[7] < '0' + PROXIES);
    return (unsigned)(place[7] - '0');
}

static void check_row(const struct world *world, const struct slot *slot, const leat_value *row)
{
    unsigned owner = whose(row);

    if (owner == PROXIES)
        return;
    must(world->known[owner]);
    must(slot->peer == proxies[owner].peer);
}

/* All that a session has said is sound, and may be said to who is there. */
static void listen_to_slot(struct world *world, struct slot *slot)
{
    const leat_event *event;
    size_t length;
    const void *data;
    int status;

    if (slot->session == NULL)
        return;
    data = leat_send_data(slot->session, &length);
    tell(&world->told, data, length);
    must(length == 0 || leat_feed(slot->other, data, length) == LEAT_OK);
    must(leat_send_done(slot->session, length) == LEAT_OK);
    while ((status = leat_next(slot->other, &event)) == LEAT_OK) {
        must(leat_event_error(event) == NULL);
        if (leat_event_kind(event) == LEAT_ZABBIX_ROW)
            check_row(world, slot, leat_event_value(event));
    }
    must(status == LEAT_MORE);
}

/* Everything that leat_next() tells; how it ends may depend on the pieces behind its end. */
static void draw_slot(struct world *world, struct slot *slot)
{
    const leat_event *event;
    int status;

    while ((status = leat_next(slot->session, &event)) == LEAT_OK) {
        tell_event(&world->told, event);
        must(leat_zabbix_server_proxy(slot->session) == NULL || slot->peer < PEERS);
    }
    must((leat_session_error(slot->session) != NULL) == (status < 0));
}

/* ---- sessions ---- */

static void drop(struct slot *slot)
{
    leat_session_free(slot->session);
    leat_session_free(slot->other);
    slot->session = slot->other = NULL;
    slot->peer = PEERS;
    slot->eof = false;
}

static void fill_peer(leat_zabbix_peer *peer, unsigned which)
{
    leat_zabbix_peer_init(peer, sizeof *peer);
    peer->address = peers[which].address;
    peer->connection = peers[which].connection;
    peer->psk_identity = peers[which].psk_identity;
    peer->issuer = peers[which].issuer;
    peer->subject = peers[which].subject;
}

static void began(struct world *world, struct slot *slot, int status)
{
    tell_number(&world->told, (uint64_t)(int64_t)status);
    must(status == LEAT_OK || status == LEAT_END || world->manner.good != ALWAYS);
    if (status != LEAT_OK) {
        slot->session = NULL;
        return;
    }
    must(leat_zabbix_codec_new(NULL, LEAT_FROM_ANY, &slot->other) == LEAT_OK);
    leat_tick(slot->session, world->now_ms);
}

static void accept_one(struct world *world, struct slot *slot, unsigned which)
{
    leat_zabbix_peer peer;

    drop(slot);
    fill_peer(&peer, which % PEERS);
    slot->peer = which % 16u == 15 ? PEERS : which % PEERS;
    began(world, slot,
          leat_zabbix_server_accept(world->server, slot->peer == PEERS ? NULL : &peer,
                                    &slot->session));
}

static void connect_one(struct world *world, struct slot *slot)
{
    const char *name;

    drop(slot);
    began(world, slot, leat_zabbix_server_connect(world->server, &name, &slot->session));
}

static void meet(struct world *world, struct slot *slot, unsigned which)
{
    leat_zabbix_peer peer;
    int status;

    if (slot->session == NULL)
        return;
    fill_peer(&peer, which % PEERS);
    status = leat_zabbix_server_met(slot->session, &peer);
    tell_number(&world->told, (uint64_t)(int64_t)status);
    if (status == LEAT_OK)
        slot->peer = which % PEERS;
}

static void hear_octets(struct world *world, struct slot *slot, const uint8_t *data, size_t size)
{
    while (size > 0 && slot->session != NULL && !slot->eof &&
           (leat_wants(slot->session) & LEAT_WANT_CLOSE) == 0) {
        size_t cut = world->manner.cut;
        size_t piece = size < cut || size - cut == 1 ? size : cut;
        int status = leat_feed(slot->session, data, piece);

        must(status == LEAT_OK || world->manner.good != ALWAYS);
        if (status != LEAT_OK)
            return;
        data += piece;
        size -= piece;
        draw_slot(world, slot);
    }
}

static void hear_message(struct world *world, struct slot *slot, struct input *input)
{
    static uint8_t octets[1 << 14];
    unsigned how = take(input), which = take(input) % (MESSAGES + 6);
    const uint8_t *text;
    size_t length;

    if (which < MESSAGES) {
        text = (const uint8_t *)messages[which];
        length = strlen(messages[which]);
    } else {
        text = take_piece(input, &length);
    }
    length = make_frame(octets, sizeof octets, how % 2u == 0 ? 1 : 3, 0, text, length);
    hear_octets(world, slot, octets, length);
}

static void command(struct world *world, struct slot *slot, unsigned which)
{
    int status = LEAT_OK;

    if (slot->session == NULL)
        return;
    switch (which % 5u) {
    case 0:
        status = leat_zabbix_server_acknowledge(slot->session);
        break;
    case 1:
        status = leat_zabbix_refuse(slot->session, "no");
        break;
    case 2:
        slot->eof = leat_recv_eof(slot->session) == LEAT_OK;
        break;
    case 3:
        leat_session_trim(slot->session);
        break;
    default:
        drop(slot);
        break;
    }
    tell_number(&world->told, (uint64_t)(int64_t)status);
}

/* ---- the server ---- */

static void add_proxy(struct world *world, unsigned which)
{
    leat_zabbix_server_member member;
    int status;

    leat_zabbix_server_member_init(&member, sizeof member);
    member.name = proxies[which].name;
    member.passive = proxies[which].passive;
    member.connections = proxies[which].connections;
    member.psk_identity = proxies[which].psk_identity;
    member.issuer = proxies[which].issuer;
    member.subject = proxies[which].subject;
    member.addresses = proxies[which].addresses;
    status = leat_zabbix_server_add(world->server, &member);
    must(status == LEAT_OK || world->manner.good != ALWAYS);
    if (status == LEAT_OK)
        world->known[which] = true;
}

/* A configuration and a task that nobody else may see. */
static void give(struct world *world, unsigned which, unsigned hosts)
{
    static const char *const texts[] = {
        "{\"hosts\":[{\"hostid\":1,\"host\":\"secret-%\"}]}",
        "{\"hosts\":[{\"hostid\":1,\"host\":\"secret-%\"},{\"hostid\":2,\"host\":\"secret-%a\"}]}",
        "{\"globalmacro\":[{\"globalmacroid\":1,\"macro\":\"{$A}\",\"value\":\"secret-%\"}]}",
        "{\"type\":7,\"datatype\":1,\"parent_taskid\":1,\"data\":\"secret-%\"}"};
    leat_zabbix_tables *tables = leat_zabbix_server_tables(world->server, proxies[which].name);
    char text[160];
    leat_builder *builder;
    size_t i;
    int status;

    if (tables == NULL)
        return;
    strcpy(text, texts[hosts % 4u]);
    for (i = 0; text[i] != '\0'; i++)
        text[i] = text[i] == '%' ? (char)('0' + which) : text[i];
    must(leat_builder_new(NULL, &builder) == LEAT_OK);
    must(leat_builder_json(builder, NULL, text, strlen(text)) == LEAT_OK);
    if (hosts % 4u == 3)
        status = leat_zabbix_server_task(world->server, proxies[which].name,
                                         leat_builder_value(builder));
    else
        status = leat_zabbix_tables_load(tables, leat_builder_value(builder));
    must(status == LEAT_OK || status == LEAT_E_LIMIT || world->manner.good != ALWAYS);
    leat_builder_free(builder);
}

static void remove_proxy(struct world *world, unsigned which)
{
    int status = leat_zabbix_server_remove(world->server, proxies[which].name);

    must((status == LEAT_OK) == world->known[which]);
    world->known[which] = false;
}

static void save(struct world *world)
{
    leat_buffer *buffer;
    const void *data;
    size_t length;

    must(leat_buffer_new(NULL, &buffer) == LEAT_OK);
    must(leat_zabbix_server_save(world->server, buffer) == LEAT_OK);
    data = leat_buffer_data(buffer, &length);
    tell(&world->told, data, length);
    if (length <= sizeof world->saved) {
        memcpy(world->saved, data, length);
        world->saved_length = length;
    }
    leat_buffer_free(buffer);
}

static void pass(struct world *world, unsigned how)
{
    uint64_t due = leat_zabbix_server_deadline(world->server);
    size_t i;

    if (how % 2u == 0 || due == UINT64_MAX)
        world->now_ms += (uint64_t)how * how;
    else if (due > world->now_ms)
        world->now_ms = due;
    leat_zabbix_server_tick(world->server, world->now_ms, (int64_t)world->now_ms * 1000000);
    for (i = 0; i < SLOTS; i++) {
        if (world->slots[i].session != NULL)
            leat_tick(world->slots[i].session, world->now_ms);
    }
}

static void govern(struct world *world, struct input *input)
{
    unsigned what = take(input), which = take(input) % PROXIES;
    const uint8_t *piece;
    size_t length;
    int status;

    switch (what % 8u) {
    case 0:
    case 1:
        add_proxy(world, which);
        break;
    case 2:
        remove_proxy(world, which);
        break;
    case 3:
    case 4:
        give(world, which, what / 8u);
        break;
    case 5:
        leat_zabbix_server_throttle(world->server, what / 8u % 2u);
        break;
    case 6:
        save(world);
        break;
    default:
        piece = world->saved;
        length = world->saved_length;
        if (what / 8u % 2u == 1)
            piece = take_piece(input, &length);
        status = leat_zabbix_server_restore(world->server, piece, length);
        must(status == LEAT_OK || status == LEAT_E_SYNTAX || world->manner.good != ALWAYS);
        break;
    }
}

static void play(struct world *world, struct input *input)
{
    unsigned what = take(input);
    struct slot *slot = &world->slots[what / 8u % SLOTS];
    const uint8_t *piece;
    size_t length;

    switch (what % 8u) {
    case 0:
        accept_one(world, slot, take(input));
        break;
    case 1:
        connect_one(world, slot);
        break;
    case 2:
        meet(world, slot, take(input));
        break;
    case 3:
    case 4:
        hear_message(world, slot, input);
        break;
    case 5:
        piece = take_piece(input, &length);
        hear_octets(world, slot, piece, length);
        break;
    case 6:
        command(world, slot, take(input));
        break;
    default:
        if (what / 32u % 2u == 0)
            govern(world, input);
        else
            pass(world, take(input));
        break;
    }
}

static void check(struct world *world)
{
    size_t held = leat_zabbix_server_memory(world->server), i;

    for (i = 0; i < SLOTS; i++) {
        struct slot *slot = &world->slots[i];

        if (slot->session == NULL)
            continue;
        draw_slot(world, slot);
        listen_to_slot(world, slot);
        held += leat_session_memory(slot->session);
    }
    must(leat_zabbix_server_memory(world->server) <= held);
    held = leat_zabbix_server_memory(world->server);
    for (i = 0; i < SLOTS; i++)
        held += world->slots[i].session == NULL ? 0 : leat_session_memory(world->slots[i].session);
    must(held == world->memory.held);
    tell_number(&world->told, leat_zabbix_server_deadline(world->server));
    for (i = 0; i < PROXIES; i++) {
        leat_zabbix_member_status status = {.size = sizeof status};
        int known = leat_zabbix_server_get_status(world->server, proxies[i].name, &status);

        must((known == LEAT_OK) == world->known[i]);
        tell_number(&world->told, status.rows);
        tell_number(&world->told, status.repeated);
    }
}

static uint64_t run(struct input input, struct manner manner)
{
    static const char *const versions[] = {"5.0.33", "6.0.14", "6.4.21", "7.0.22",
                                           "5.4.4",  "6.2.9",  "7.2.9",  "7.4.3"};
    static struct world world;
    leat_zabbix_server_options options;
    leat_limits limits;
    leat_config config;
    unsigned how = take(&input);
    size_t i;

    memset(&world, 0, sizeof world);
    world.memory.allocator.resize = resize;
    world.memory.allocator.ctx = &world.memory;
    world.memory.good = manner.good;
    world.manner = manner;
    world.told = NOTHING_TOLD;
    leat_limits_init(&limits, sizeof limits);
    limits.message_bytes = limits.inflated_bytes = 1 << 16;
    limits.row_bytes = 1 << 12;
    limits.values = 500;
    limits.depth = 12;
    limits.queued_bytes = how / 8u % 8u == 7 ? 40 : 1 << 20;
    leat_config_init(&config, sizeof config);
    config.limits = &limits;
    config.allocator = &world.memory.allocator;
    leat_zabbix_server_options_init(&options, sizeof options);
    options.version = versions[how % 4u + how / 128u * 4u];
    options.hold = how / 4u % 2u;
    options.sessions = 2;
    options.tasks = 3;
    options.session_ms = 100000;
    for (i = 0; i < SLOTS; i++)
        world.slots[i].peer = PEERS;
    if (leat_zabbix_server_new(&config, &options, &world.server) != LEAT_OK) {
        must(manner.good != ALWAYS && world.memory.held == 0);
        return 0;
    }
    for (i = 0; i < PROXIES; i++) {
        add_proxy(&world, (unsigned)i);
        give(&world, (unsigned)i, 0);
        give(&world, (unsigned)i, 3);
    }
    while (input.left > 0) {
        play(&world, &input);
        check(&world);
    }
    leat_zabbix_server_free(how / 64u % 2u == 0 ? NULL : world.server);
    for (i = 0; i < SLOTS; i++)
        drop(&world.slots[i]);
    leat_zabbix_server_free(how / 64u % 2u == 0 ? world.server : NULL);
    must(world.memory.held == 0);
    return world.told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_script(run, data, size);
    return 0;
}
