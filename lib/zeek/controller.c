/* A controller: whom it knows, whom it wants, and what it says to them. */
#include "controller.h"

#include "controller_config.h"

#include "../core/text.h"

#include <string.h>

/* Most octets of a reqid of ours. */
#define REQID_LENGTH_MAX 37u

static const uint8_t unknown_host[16] = {[10] = 0xff, [11] = 0xff}; /* 0.0.0.0 */

static const leat_zeek_controller_options initial = {
    .size = sizeof initial,
    .port = 2150,
    .auto_assign_broker_ports = 1,
    .auto_assign_broker_start_port = 2200,
    .auto_assign_metrics_ports = 1,
    .auto_assign_metrics_start_port = 9000,
    .retry_s = 1,
    .timeout_ms = 10000,
    .requests = 256,
    .instances = 4096,
    .events = 4096,
    .topic = LEAT_ZEEK_CONTROLLER_TOPIC,
    .topic_prefix = LEAT_ZEEK_AGENT_TOPIC_PREFIX,
};

void leat_zeek_controller_options_init(leat_zeek_controller_options *options, size_t size)
{
    lt_options_init(options, size, &initial, sizeof initial);
}

int lt_zeek_controller_tell(leat_zeek_controller *c, struct lt_zeek_kept *note)
{
    if (note == NULL)
        return LEAT_E_NOMEM;
    if (c->m.told_count < c->options.events)
        lt_zeek_manage_tell(&c->m, note);
    else
        lt_zeek_manage_drop(&c->m, note);
    return LEAT_OK;
}

/* The reqid with that number; 0: an empty one. */
static struct lt_zeek_text write_reqid(const leat_zeek_controller *c, uint64_t number,
                                       char text[REQID_LENGTH_MAX])
{
    struct lt_writer out = lt_writer_fixed(text, REQID_LENGTH_MAX);
    struct lt_zeek_text reqid = {text, 0};

    if (number > 0) {
        lt_put_bytes(&out, c->origin, sizeof c->origin);
        lt_write_u64(&out, number);
    }
    reqid.length = out.length;
    return reqid;
}

leat_builder *lt_zeek_controller_open(leat_zeek_controller *c, uint64_t number)
{
    leat_builder *b = lt_zeek_manage_open(&c->m);
    char text[REQID_LENGTH_MAX];

    lt_zeek_manage_text(b, "reqid", write_reqid(c, number, text));
    return b;
}

/* The number of a reqid of ours; 0: it is none. */
static uint64_t number_of(const leat_zeek_controller *c, const leat_value *reqid)
{
    const struct lt_zeek_text text = lt_zeek_text_of(reqid);
    const size_t start = sizeof c->origin;
    uint64_t number;

    if (text.length <= start || memcmp(text.at, c->origin, start) != 0 ||
        !lt_read_u64(text.at + start, text.length - start, &number))
        return 0;
    return number;
}

/* ----- instances ----- */

bool lt_zeek_is_instance_name(struct lt_zeek_text name)
{
    return name.length > 0 && name.length <= LT_ZEEK_NAME_MAX;
}

/* The place of that name, or where it belongs. */
static size_t place_of(const leat_zeek_controller *c, struct lt_zeek_text name, bool *found)
{
    size_t low = 0, high = c->count;

    *found = false;
    while (low < high && !*found) {
        size_t middle = low + (high - low) / 2;
        int order = lt_zeek_text_compare(c->instances[middle]->name, name);

        *found = order == 0;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return high;
}

struct lt_zeek_instance *lt_zeek_instance_find(const leat_zeek_controller *c,
                                               struct lt_zeek_text name)
{
    bool found;
    size_t place = place_of(c, name, &found);

    return found ? c->instances[place] : NULL;
}

/* The one of that name, made if there is none. NULL: no memory. */
static struct lt_zeek_instance *obtain(leat_zeek_controller *c, struct lt_zeek_text name)
{
    struct lt_zeek_instance *made;
    void *array = c->instances;
    size_t length = c->prefix.length + 1 + name.length;
    bool found;
    size_t place = place_of(c, name, &found);

    if (found)
        return c->instances[place];
    if (!lt_grow(&c->m.allocator, &array, &c->size, c->count + 1, sizeof(void *)))
        return NULL;
    c->instances = (struct lt_zeek_instance **)array;
    made = (struct lt_zeek_instance *)lt_alloc_zero(&c->m.allocator, sizeof *made + length);
    if (made == NULL)
        return NULL;
    memcpy(made->topic, c->prefix.at, c->prefix.length);
    made->topic[c->prefix.length] = '/';
    made->topic_length = length;
    made->name.at = made->topic + c->prefix.length + 1;
    made->name.length = name.length;
    memcpy(made->topic + c->prefix.length + 1, name.at, name.length);
    memmove(c->instances + place + 1, c->instances + place, (c->count - place) * sizeof(void *));
    c->instances[place] = made;
    c->count++;
    return made;
}

/* Forgets it, if it is nothing any more and nothing is owed to it. */
static void forget(leat_zeek_controller *c, struct lt_zeek_instance *instance)
{
    bool found;
    size_t place;

    if (instance->known || instance->wanted || instance->owes_standby || instance->peer_port != 0 ||
        instance->failures > 0)
        return;
    place = place_of(c, instance->name, &found);
    c->count--;
    memmove(c->instances + place, c->instances + place + 1, (c->count - place) * sizeof(void *));
    lt_free(&c->m.allocator, instance, sizeof *instance + instance->topic_length);
}

/* The instance that a topic belongs to; NULL: none that there is. */
static struct lt_zeek_instance *of_topic(const leat_zeek_controller *c, struct lt_zeek_text topic)
{
    const size_t skipped = c->prefix.length + 1;

    if (topic.length < skipped)
        return NULL;
    topic.at += skipped;
    topic.length -= skipped;
    return lt_zeek_instance_find(c, topic);
}

static void read_host(const leat_value *value, uint8_t host[16])
{
    size_t length;
    const uint8_t *octets = leat_value_bytes(value, &length);

    memcpy(host, unknown_host, 16);
    if (length == 4 || length == 16)
        memcpy(host + 16 - length, octets, length);
}

static void put_port(leat_builder *b, const char *name, uint32_t port)
{
    if (port == 0)
        (void)leat_builder_null(b, name);
    else
        (void)leat_builder_port(b, name, port, LEAT_PROTOCOL_TCP);
}

void lt_zeek_instance_put(leat_builder *b, const struct lt_zeek_instance *instance)
{
    lt_zeek_manage_text(b, "name", instance->name);
    (void)leat_builder_address(b, "host", instance->known ? instance->host : instance->staged_host,
                               16);
    put_port(b, "listen_port", instance->known ? instance->port : instance->staged_port);
}

/* What an instance is told to be. */
struct fate {
    const char *what;
    struct lt_zeek_text name;
    const uint8_t *host, *id; /* NULL: not known */
    uint32_t port;
};

static struct lt_zeek_kept *note_fate(leat_zeek_controller *c, const struct fate *fate)
{
    leat_builder *b = lt_zeek_manage_open(&c->m);
    const leat_value *value;

    lt_zeek_manage_text(b, "instance", fate->name);
    lt_zeek_manage_text(b, "what", lt_zeek_text(fate->what));
    (void)leat_builder_address(b, "host", fate->host == NULL ? unknown_host : fate->host, 16);
    put_port(b, "listen_port", fate->port);
    if (fate->id == NULL)
        (void)leat_builder_null(b, "id");
    else
        (void)leat_builder_uuid(b, "id", fate->id);
    if (lt_zeek_manage_close(&c->m, &value) != LEAT_OK)
        return NULL;
    return lt_zeek_manage_note(&c->m, LEAT_ZEEK_INSTANCE, "instance", value);
}

static struct lt_zeek_kept *note_instance(leat_zeek_controller *c,
                                          const struct lt_zeek_instance *instance, const char *what)
{
    const struct fate fate = {
        .what = what,
        .name = instance->name,
        .host = instance->known ? instance->host : instance->staged_host,
        .id = instance->known ? instance->id : NULL,
        .port = instance->known ? instance->port : instance->staged_port,
    };

    return note_fate(c, &fate);
}

const char *lt_zeek_controller_address(const void *context, const char *instance, size_t length)
{
    const leat_zeek_controller *c = (const leat_zeek_controller *)context;
    const struct lt_zeek_text name = {instance, length};
    const struct lt_zeek_instance *found = lt_zeek_instance_find(c, name);

    return found != NULL && found->known ? found->address : NULL;
}

static void write_address(const uint8_t host[16], char text[48])
{
    struct lt_writer out = lt_writer_fixed(text, 47);

    lt_write_address(&out, host, 16);
    text[out.length] = '\0';
}

/* ----- what is said to them ----- */

int lt_zeek_instance_say(leat_zeek_controller *c, const struct lt_zeek_instance *instance,
                         uint32_t kind, const struct lt_zeek_kept *of)
{
    const leat_value *args;
    int status = lt_zeek_manage_close(&c->m, &args);

    if (status == LEAT_OK)
        status = lt_zeek_manage_publish(&c->m, instance->topic, instance->topic_length, kind, args);
    if (status == LEAT_OK)
        c->m.of = of;
    return status;
}

int lt_zeek_instance_say_again(leat_zeek_controller *c, const struct lt_zeek_instance *instance,
                               const struct lt_zeek_kept *of)
{
    char text[REQID_LENGTH_MAX];

    if (c->m.of != of)
        return LEAT_MORE;
    return lt_zeek_manage_again(&c->m, instance->topic, instance->topic_length,
                                write_reqid(c, c->numbers + 1, text));
}

/* The same of what is not said again. False: no memory; what cannot be sent otherwise never can. */
static bool say(leat_zeek_controller *c, const struct lt_zeek_instance *instance, uint32_t kind)
{
    return lt_zeek_instance_say(c, instance, kind, NULL) != LEAT_E_NOMEM;
}

static bool say_standby(leat_zeek_controller *c, struct lt_zeek_instance *instance)
{
    struct lt_zeek_kept *note = NULL;

    if (!instance->owes_standby)
        return true;
    if (instance->owes_note) {
        note = note_instance(c, instance, "standby");
        if (note == NULL)
            return false;
    }
    (void)lt_zeek_controller_open(c, 0);
    if (!say(c, instance, LEAT_ZEEK_AGENT_AGENT_STANDBY_REQUEST)) {
        lt_zeek_manage_drop(&c->m, note);
        return false;
    }
    (void)lt_zeek_controller_tell(c, note);
    instance->owes_standby = instance->owes_note = false;
    return true;
}

static bool say_welcome(leat_zeek_controller *c, struct lt_zeek_instance *instance)
{
    if (instance->owes_welcome) {
        (void)lt_zeek_controller_open(c, instance->welcome);
        instance->owes_welcome = !say(c, instance, LEAT_ZEEK_AGENT_AGENT_WELCOME_REQUEST);
    }
    return !instance->owes_welcome;
}

/* The configuration that is being deployed, or else the deployed one, of which no answer is awaited. */
static bool say_config(leat_zeek_controller *c, struct lt_zeek_instance *instance)
{
    const struct lt_zeek_kept *config = c->deployment != NULL ? c->pending : c->deployed;
    leat_builder *b;
    int status;

    if (!instance->owes_config)
        return true;
    status = lt_zeek_instance_say_again(c, instance, config);
    if (status == LEAT_MORE) {
        b = lt_zeek_controller_open(c, c->numbers + 1);
        (void)leat_builder_copy(b, "config", config->value);
        (void)leat_builder_bool(b, "force", 0);
        status = lt_zeek_instance_say(c, instance, LEAT_ZEEK_AGENT_DEPLOY_REQUEST, config);
    }
    if (status == LEAT_E_NOMEM)
        return false;
    c->numbers++;
    instance->owes_config = false;
    if (instance->part == LT_ZEEK_TO_SEND) {
        instance->part = LT_ZEEK_SENT;
        instance->deploy = c->numbers;
    }
    return true;
}

static bool is_peer_of(const struct lt_zeek_instance *instance, const uint8_t host[16],
                       uint32_t port)
{
    return instance->peer_port == port && memcmp(instance->peer_host, host, 16) == 0;
}

/* Whether the endpoint is to keep up the peering that it was told of. */
static bool is_needed(const struct lt_zeek_instance *instance)
{
    if (instance->wanted && instance->staged_port != 0)
        return is_peer_of(instance, instance->staged_host, instance->staged_port);
    return instance->known;
}

/* Whether another instance is to be reached in the same place. */
static bool is_shared(const leat_zeek_controller *c, const struct lt_zeek_instance *instance)
{
    size_t i;

    for (i = 0; i < c->count; i++) {
        if (c->instances[i] != instance &&
            is_peer_of(c->instances[i], instance->peer_host, instance->peer_port))
            return true;
    }
    return false;
}

/* Peers with an instance that listens, where it does; ends what is needless. */
static bool peer(leat_zeek_controller *c, struct lt_zeek_instance *instance)
{
    char text[48];

    if (instance->peer_port != 0 && !is_needed(instance)) {
        write_address(instance->peer_host, text);
        if (!is_shared(c, instance) &&
            leat_broker_unpeer(c->m.broker, text, instance->peer_port) == LEAT_E_NOMEM)
            return false;
        instance->peer_port = 0;
    }
    if (!instance->wanted || instance->staged_port == 0 || instance->peer_port != 0)
        return true;
    write_address(instance->staged_host, text);
    if (leat_broker_peer(c->m.broker, text, instance->staged_port, c->options.retry_s) ==
        LEAT_E_NOMEM)
        return false;
    memcpy(instance->peer_host, instance->staged_host, 16);
    instance->peer_port = instance->staged_port;
    return true;
}

void lt_zeek_instance_settle(leat_zeek_controller *c, struct lt_zeek_instance *instance)
{
    if (say_standby(c, instance) && say_welcome(c, instance) && say_config(c, instance) &&
        peer(c, instance))
        forget(c, instance);
    else
        c->owes = true;
}

void lt_zeek_instances_settle(leat_zeek_controller *c)
{
    size_t i = 0, count;

    while (i < c->count) {
        count = c->count;
        lt_zeek_instance_settle(c, c->instances[i]);
        i += c->count == count;
    }
}

/* ----- known, wanted, ready ----- */

static void set_ready(leat_zeek_controller *c, struct lt_zeek_instance *instance, bool ready)
{
    c->ready = c->ready - instance->ready + ready;
    instance->ready = ready;
}

static void set_wanted(leat_zeek_controller *c, struct lt_zeek_instance *instance, bool wanted)
{
    c->wanted = c->wanted - instance->wanted + wanted;
    instance->wanted = wanted;
}

static void lose(leat_zeek_controller *c, struct lt_zeek_instance *instance, const char *error)
{
    set_ready(c, instance, false);
    c->known--;
    instance->known = false;
    instance->owes_welcome = instance->owes_config = false;
    instance->welcome = instance->deploy = 0;
    if (instance->part == LT_ZEEK_SENT)
        instance->part = LT_ZEEK_TO_SEND;
    lt_zeek_asks_fail(c, instance, error);
}

static void unwant(leat_zeek_controller *c, struct lt_zeek_instance *instance)
{
    set_ready(c, instance, false);
    set_wanted(c, instance, false);
    instance->owes_standby = instance->owes_note = true;
    instance->owes_welcome = instance->owes_config = false;
}

/* What a host stands for: 0.0.0.0 for the address that the agent is seen to have. */
static const uint8_t *meant(const struct lt_zeek_instance *instance, const uint8_t *host)
{
    return instance->known && memcmp(host, unknown_host, 16) == 0 ? instance->host : host;
}

static void want(leat_zeek_controller *c, struct lt_zeek_instance *instance,
                 const leat_value *record)
{
    uint32_t port = leat_value_port(leat_value_get(record, "listen_port"));
    uint8_t host[16];

    read_host(leat_value_get(record, "host"), host);
    if (instance->wanted &&
        (instance->staged_port != port ||
         memcmp(meant(instance, instance->staged_host), meant(instance, host), 16) != 0))
        unwant(c, instance);
    set_wanted(c, instance, true);
    memcpy(instance->staged_host, host, 16);
    instance->staged_port = port;
    instance->named = true;
}

static bool is_full(const leat_zeek_controller *c)
{
    size_t i, count = 0;

    if (c->count < c->options.instances)
        return false;
    for (i = 0; i < c->count; i++)
        count += c->instances[i]->known || c->instances[i]->wanted;
    return count >= c->options.instances;
}

/* Makes all that are named, before any of them is wanted. */
static int obtain_all(leat_zeek_controller *c, const leat_value *records)
{
    const leat_value *at;
    uint64_t count = c->known;

    for (at = leat_value_first(records); at != NULL; at = leat_value_next(records, at)) {
        const struct lt_zeek_instance *instance =
            lt_zeek_instance_find(c, lt_zeek_text_of(leat_value_get(at, "name")));

        count += instance == NULL || !instance->known;
    }
    if (count > c->options.instances)
        return LEAT_E_LIMIT;
    for (at = leat_value_first(records); at != NULL; at = leat_value_next(records, at)) {
        if (obtain(c, lt_zeek_text_of(leat_value_get(at, "name"))) == NULL)
            return LEAT_E_NOMEM;
    }
    return LEAT_OK;
}

int lt_zeek_instances_want(leat_zeek_controller *c, const leat_value *configuration)
{
    const leat_value *records = leat_value_get(configuration, "instances"), *at;
    int status = obtain_all(c, records);
    size_t i;

    if (status != LEAT_OK) {
        for (i = c->count; i > 0; i--)
            forget(c, c->instances[i - 1]);
        return status;
    }
    for (i = 0; i < c->count; i++)
        c->instances[i]->named = false;
    for (at = leat_value_first(records); at != NULL; at = leat_value_next(records, at))
        want(c, lt_zeek_instance_find(c, lt_zeek_text_of(leat_value_get(at, "name"))), at);
    for (i = 0; i < c->count; i++) {
        struct lt_zeek_instance *instance = c->instances[i];

        if (instance->wanted && !instance->named)
            unwant(c, instance);
        if (instance->wanted && instance->known && !instance->ready) {
            instance->welcome = ++c->numbers;
            instance->owes_welcome = true;
        }
    }
    return LEAT_OK;
}

/* ----- peers ----- */

static size_t place_of_peer(const leat_zeek_controller *c, const uint8_t *id, bool *found)
{
    size_t low = 0, high = c->peer_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (memcmp(c->peers[middle].id, id, 16) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = low < c->peer_count && memcmp(c->peers[low].id, id, 16) == 0;
    return low;
}

static int add_peer(leat_zeek_controller *c, const struct lt_zeek_peer *peer)
{
    struct lt_zeek_peering *peering;
    void *array = c->peers;
    bool found;
    size_t place = place_of_peer(c, peer->id, &found);

    if (!found) {
        if (!lt_grow(&c->m.allocator, &array, &c->peer_size, c->peer_count + 1, sizeof *c->peers))
            return LEAT_E_NOMEM;
        c->peers = (struct lt_zeek_peering *)array;
        memmove(c->peers + place + 1, c->peers + place, (c->peer_count - place) * sizeof *c->peers);
        c->peer_count++;
    }
    peering = &c->peers[place];
    memcpy(peering->id, peer->id, 16);
    if (peer->address == NULL ||
        !lt_read_address(peer->address, peer->address_length, peering->host))
        memcpy(peering->host, unknown_host, 16);
    peering->port = peer->port;
    return LEAT_MORE;
}

static int remove_peer(leat_zeek_controller *c, const struct lt_zeek_peer *peer)
{
    bool found;
    size_t place = place_of_peer(c, peer->id, &found), i = 0, count;

    while (i < c->count) {
        struct lt_zeek_instance *instance = c->instances[i];

        if (!instance->known || memcmp(instance->id, peer->id, 16) != 0) {
            i++;
            continue;
        }
        count = c->count;
        if (lt_zeek_controller_tell(c, note_instance(c, instance, "lost")) != LEAT_OK)
            return LEAT_E_NOMEM;
        lose(c, instance, "instance not connected");
        lt_zeek_instance_settle(c, instance);
        i += c->count == count;
    }
    if (found) {
        c->peer_count--;
        memmove(c->peers + place, c->peers + place + 1, (c->peer_count - place) * sizeof *c->peers);
    }
    return LEAT_MORE;
}

/* ----- what comes from agents ----- */

/* A hello of another version: it is not spoken with. */
static int on_version(leat_zeek_controller *c, struct fate *fate)
{
    static const char mismatch[] = "API version mismatch";
    struct lt_zeek_instance *instance = lt_zeek_instance_find(c, fate->name);
    struct lt_zeek_kept *malformed, *note;

    c->m.flaw.event = leat_zeek_management_name(LEAT_ZEEK_AGENT_NOTIFY_AGENT_HELLO);
    c->m.flaw.argument = "api_version";
    c->m.flaw.type = "count";
    c->m.flaw.what = "another version of the API";
    malformed = lt_zeek_manage_malformed(&c->m);
    fate->what = "version";
    note = note_fate(c, fate);
    if (malformed == NULL || note == NULL ||
        (instance != NULL && instance->known &&
         lt_zeek_deployment_leave(c, instance, mismatch) != LEAT_OK)) {
        lt_zeek_manage_drop(&c->m, malformed);
        lt_zeek_manage_drop(&c->m, note);
        return LEAT_E_NOMEM;
    }
    (void)lt_zeek_controller_tell(c, malformed);
    (void)lt_zeek_controller_tell(c, note);
    if (instance == NULL || !instance->known)
        return LEAT_OK;
    lose(c, instance, mismatch);
    set_wanted(c, instance, false);
    instance->owes_standby = true;
    lt_zeek_instance_settle(c, instance);
    lt_zeek_deployment_go(c);
    return LEAT_OK;
}

static int know(leat_zeek_controller *c, struct lt_zeek_instance *instance, struct fate *fate)
{
    fate->what = "known";
    if (!instance->known || memcmp(instance->id, fate->id, 16) != 0) {
        if (lt_zeek_controller_tell(c, note_fate(c, fate)) != LEAT_OK)
            return LEAT_E_NOMEM;
        if (instance->known)
            lose(c, instance, "instance not connected");
        instance->known = true;
        c->known++;
        memcpy(instance->id, fate->id, 16);
    }
    memcpy(instance->host, fate->host, 16);
    write_address(instance->host, instance->address);
    instance->port = fate->port;
    if (instance->wanted && !instance->ready) {
        if (instance->welcome == 0)
            instance->welcome = ++c->numbers;
        instance->owes_welcome = true;
    }
    lt_zeek_instance_settle(c, instance);
    return LEAT_OK;
}

static int on_hello(leat_zeek_controller *c, const uint8_t *sender, const leat_value *args)
{
    const struct lt_zeek_text text = lt_zeek_text_of(leat_value_get(args, "id"));
    struct fate fate = {.name = lt_zeek_text_of(leat_value_get(args, "instance"))};
    struct lt_zeek_instance *instance;
    bool found = false;
    uint8_t id[16];
    size_t place = sender == NULL ? 0 : place_of_peer(c, sender, &found);
    int status;

    if (!lt_zeek_is_instance_name(fate.name)) {
        c->m.flaw.event = leat_zeek_management_name(LEAT_ZEEK_AGENT_NOTIFY_AGENT_HELLO);
        c->m.flaw.argument = "instance";
        c->m.flaw.type = "string";
        c->m.flaw.what = "a name has 1 to 255 octets";
        return lt_zeek_controller_tell(c, lt_zeek_manage_malformed(&c->m));
    }
    fate.id = lt_read_uuid(text.at, text.length, id) ? id : NULL;
    if (!found || fate.id == NULL || memcmp(id, sender, 16) != 0) {
        fate.what = "stranger";
        return lt_zeek_controller_tell(c, note_fate(c, &fate));
    }
    fate.host = c->peers[place].host;
    if (!leat_value_bool(leat_value_get(args, "connecting")))
        fate.port = c->peers[place].port;
    if (leat_value_u64(leat_value_get(args, "api_version")) != LEAT_ZEEK_MANAGEMENT_VERSION)
        return on_version(c, &fate);
    instance = lt_zeek_instance_find(c, fate.name);
    if ((instance == NULL || (!instance->known && !instance->wanted)) && is_full(c)) {
        fate.what = "limit";
        return lt_zeek_controller_tell(c, note_fate(c, &fate));
    }
    instance = obtain(c, fate.name);
    if (instance == NULL)
        return LEAT_E_NOMEM;
    status = know(c, instance, &fate);
    if (status != LEAT_OK)
        forget(c, instance);
    return status;
}

static int on_welcome(leat_zeek_controller *c, struct lt_zeek_instance *instance, bool success)
{
    if (instance->wanted &&
        lt_zeek_controller_tell(c, note_instance(c, instance, success ? "ready" : "refused")) !=
            LEAT_OK)
        return LEAT_E_NOMEM;
    instance->welcome = 0;
    instance->owes_welcome = false;
    if (success && instance->wanted) {
        set_ready(c, instance, true);
        instance->owes_config =
            c->deployment != NULL ? c->sending : c->deployed != NULL && !c->restoring;
        c->owes_ready |= c->ready == c->wanted;
    } else {
        instance->owes_standby = true;
    }
    lt_zeek_instance_settle(c, instance);
    lt_zeek_deployment_go(c);
    return LEAT_OK;
}

/* A response counts if its topic, its sender and its reqid are those of an instance that was asked. */
static int on_response(leat_zeek_controller *c, const struct lt_zeek_arrival *arrival,
                       const leat_value *args)
{
    const struct lt_zeek_text topic = {arrival->topic, arrival->topic_length};
    struct lt_zeek_instance *instance = of_topic(c, topic);
    uint64_t number = number_of(c, leat_value_first(arrival->message.args));

    if (instance == NULL || number == 0 ||
        (arrival->sender != NULL && memcmp(arrival->sender, instance->id, 16) != 0))
        return LEAT_OK;
    if (arrival->kind != LEAT_ZEEK_AGENT_AGENT_WELCOME_RESPONSE)
        return lt_zeek_response_take(c, instance, arrival->kind, number, args);
    if (number != instance->welcome)
        return LEAT_OK;
    return on_welcome(c, instance,
                      leat_value_bool(leat_value_get(leat_value_get(args, "result"), "success")));
}

/* ----- what the caller calls ----- */

static bool is_response(uint32_t kind)
{
    return kind <= LEAT_ZEEK_AGENT_RESTART_RESPONSE && kind % 2 == 0;
}

static bool is_request(uint32_t kind)
{
    return kind >= LEAT_ZEEK_CONTROLLER_GET_INSTANCES_REQUEST &&
           kind <= LEAT_ZEEK_CONTROLLER_TEST_TIMEOUT_REQUEST && kind % 2 == 1;
}

/* Whether it came on a topic where such events are for the controller. */
static bool is_ours(const leat_zeek_controller *c, const struct lt_zeek_arrival *arrival)
{
    const struct lt_zeek_text topic = {arrival->topic, arrival->topic_length};

    if (is_request(arrival->kind))
        return lt_zeek_text_equal(topic, c->topic);
    return (is_response(arrival->kind) || (arrival->kind >= LEAT_ZEEK_AGENT_NOTIFY_AGENT_HELLO &&
                                           arrival->kind <= LEAT_ZEEK_AGENT_NOTIFY_LOG)) &&
           topic.length > c->prefix.length && topic.at[c->prefix.length] == '/' &&
           (c->prefix.length == 0 || memcmp(topic.at, c->prefix.at, c->prefix.length) == 0);
}

/* What cannot be read is told; if it is a response, it is one that failed. */
static int take_malformed(leat_zeek_controller *c, const struct lt_zeek_arrival *arrival)
{
    struct lt_zeek_kept *note = lt_zeek_manage_malformed(&c->m);
    int status = note == NULL ? LEAT_E_NOMEM : LEAT_OK;

    if (status == LEAT_OK && is_response(arrival->kind))
        status = on_response(c, arrival, NULL);
    if (status == LEAT_OK)
        return lt_zeek_controller_tell(c, note);
    lt_zeek_manage_drop(&c->m, note);
    return status;
}

int leat_zeek_controller_take(leat_zeek_controller *c, const leat_event *event)
{
    struct lt_zeek_arrival arrival;
    struct lt_zeek_peer peer;
    const leat_value *args;
    int status;

    if (lt_zeek_manage_peer(event, &peer))
        return leat_event_kind(event) == LEAT_BROKER_PEER_ADDED ? add_peer(c, &peer)
                                                                : remove_peer(c, &peer);
    if (!lt_zeek_manage_arrives(event, &arrival) || !is_ours(c, &arrival))
        return LEAT_MORE;
    status = lt_zeek_manage_read(&c->m, &arrival, &args);
    if (status == LEAT_E_SYNTAX)
        return take_malformed(c, &arrival);
    if (status != LEAT_OK)
        return status;
    if (is_request(arrival.kind))
        return lt_zeek_request_take(c, arrival.kind, args, false);
    if (is_response(arrival.kind))
        return on_response(c, &arrival, args);
    if (arrival.kind == LEAT_ZEEK_AGENT_NOTIFY_AGENT_HELLO)
        return on_hello(c, arrival.sender, args);
    return lt_zeek_controller_tell(c, lt_zeek_manage_note(&c->m, arrival.kind, NULL, args));
}

int leat_zeek_controller_next(leat_zeek_controller *c, const leat_event **event)
{
    return lt_zeek_manage_next(&c->m, event);
}

void leat_zeek_controller_tick(leat_zeek_controller *c, uint64_t now_ms)
{
    struct lt_zeek_request *request;

    /* What came before the time was told waits from now on. */
    for (request = c->ticked ? NULL : c->requests; request != NULL; request = request->next)
        request->due_ms = lt_later(request->due_ms, now_ms);
    c->ticked = true;
    if (now_ms > c->m.now_ms)
        c->m.now_ms = now_ms;
    if (c->owes) {
        c->owes = false;
        lt_zeek_instances_settle(c);
        lt_zeek_requests_work(c);
    }
    lt_zeek_requests_expire(c);
    lt_zeek_manage_trim(&c->m);
}

uint64_t leat_zeek_controller_deadline(const leat_zeek_controller *c)
{
    if (c->owes)
        return c->m.now_ms;
    return c->requests == NULL ? UINT64_MAX : c->requests->due_ms;
}

/* Sends values through the table of events, so that they are as those that come. */
static int read_own(leat_zeek_controller *c, uint32_t kind, const leat_value *args,
                    leat_zeek_management_flaw *flaw, const leat_value **read)
{
    struct lt_zeek_arrival arrival = {.kind = kind};
    int status;

    status = leat_zeek_management_write(lt_zeek_manage_out(&c->m), NULL, kind, args, flaw);
    if (status != LEAT_OK)
        return status;
    leat_zeek_message_init(&arrival.message, sizeof arrival.message);
    (void)leat_zeek_read(leat_builder_value(c->m.out), &arrival.message);
    status = lt_zeek_manage_read(&c->m, &arrival, read);
    return status == LEAT_E_SYNTAX ? LEAT_E_LIMIT : status;
}

int leat_zeek_controller_request(leat_zeek_controller *c, uint32_t kind, const leat_value *args,
                                 leat_zeek_management_flaw *flaw)
{
    const leat_value *read;
    int status;

    if (!is_request(kind))
        return LEAT_E_VALUE;
    status = read_own(c, kind, args, flaw, &read);
    return status == LEAT_OK ? lt_zeek_request_take(c, kind, read, true) : status;
}

/* Reads a configuration into m->in: NULL: no memory, or it is none; see *status. */
static const leat_value *read_configuration(leat_zeek_controller *c, const leat_value *given,
                                            int *status)
{
    leat_builder *b = lt_zeek_controller_open(c, 0);
    const leat_value *args, *instances, *at;

    (void)leat_builder_copy(b, "config", given);
    *status = lt_zeek_manage_close(&c->m, &args);
    if (*status == LEAT_OK)
        *status = read_own(c, LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST, args, NULL, &args);
    if (*status != LEAT_OK)
        return NULL;
    args = leat_value_get(args, "config");
    instances = leat_value_get(args, "instances");
    for (at = leat_value_first(instances); at != NULL; at = leat_value_next(instances, at)) {
        if (!lt_zeek_is_instance_name(lt_zeek_text_of(leat_value_get(at, "name"))))
            *status = LEAT_E_VALUE;
    }
    return args;
}

int leat_zeek_controller_restore(leat_zeek_controller *c, const leat_value *configuration)
{
    struct lt_zeek_kept *kept;
    const leat_value *read;
    int status;

    if (c->begun)
        return LEAT_E_STATE;
    if (configuration == NULL)
        return LEAT_OK;
    read = read_configuration(c, configuration, &status);
    if (status != LEAT_OK)
        return status;
    kept = lt_zeek_manage_keep(&c->m, read);
    if (kept == NULL)
        return LEAT_E_NOMEM;
    status = lt_zeek_controller_adopt(c, kept);
    if (status != LEAT_OK) {
        lt_zeek_manage_drop(&c->m, kept);
        return status;
    }
    status = lt_zeek_instances_want(c, kept->value);
    if (status != LEAT_OK) {
        lt_zeek_controller_disown(c);
        return status;
    }
    c->begun = c->restoring = c->owes_ready = true;
    lt_zeek_instances_settle(c);
    lt_zeek_deployment_go(c);
    return LEAT_OK;
}

int leat_zeek_controller_instances(const leat_zeek_controller *c, leat_builder *builder,
                                   const char *name)
{
    size_t i;

    (void)leat_builder_open(builder, name, LEAT_LIST);
    for (i = 0; i < c->count; i++) {
        const struct lt_zeek_instance *instance = c->instances[i];

        if (!instance->known && !instance->wanted)
            continue;
        (void)leat_builder_open(builder, NULL, LEAT_RECORD);
        lt_zeek_instance_put(builder, instance);
        (void)leat_builder_bool(builder, "known", instance->known);
        (void)leat_builder_bool(builder, "wanted", instance->wanted);
        (void)leat_builder_bool(builder, "ready", instance->ready);
        (void)leat_builder_close(builder);
    }
    return leat_builder_close(builder);
}

size_t leat_zeek_controller_memory(const leat_zeek_controller *c)
{
    return sizeof *c + c->m.held;
}

/* ----- making and freeing ----- */

static bool is_port(uint32_t port)
{
    return port > 0 && port <= 65535;
}

/* Copies the topics, and makes what reqids begin with. */
static int init(leat_zeek_controller *c, const leat_zeek_controller_options *options)
{
    const size_t topic = strlen(options->topic), prefix = strlen(options->topic_prefix);
    struct lt_writer origin = lt_writer_fixed(c->origin, sizeof c->origin);

    c->topics = (char *)lt_resize(&c->m.allocator, NULL, 0, topic + prefix + 1);
    if (c->topics == NULL)
        return LEAT_E_NOMEM;
    memcpy(c->topics, options->topic, topic);
    memcpy(c->topics + topic, options->topic_prefix, prefix);
    c->topic.at = c->topics;
    c->topic.length = topic;
    c->prefix.at = c->topics + topic;
    c->prefix.length = prefix;
    lt_write_hex(&origin, leat_broker_node_id(c->m.broker), 8);
    lt_put_u8(&origin, '-');
    c->requests_end = &c->requests;
    return LEAT_OK;
}

static int subscribe(leat_zeek_controller *c)
{
    int status = leat_broker_subscribe(c->m.broker, c->topic.at, c->topic.length);

    if (status != LEAT_OK)
        return status;
    status = leat_broker_subscribe(c->m.broker, c->prefix.at, c->prefix.length);
    if (status != LEAT_OK)
        (void)leat_broker_unsubscribe(c->m.broker, c->topic.at, c->topic.length);
    return status;
}

int leat_zeek_controller_new(const leat_config *config, const leat_zeek_controller_options *options,
                             leat_broker *broker, leat_zeek_controller **controller)
{
    const leat_allocator allocator = lt_allocator(config);
    leat_zeek_controller_options read = initial;
    leat_zeek_controller *made;
    int status;

    if (!lt_options_read(&read, sizeof read, options) || !is_port(read.port) ||
        !is_port(read.auto_assign_broker_start_port) ||
        !is_port(read.auto_assign_metrics_start_port) || read.topic == NULL ||
        read.topic_prefix == NULL)
        return LEAT_E_VALUE;
    made = (leat_zeek_controller *)lt_alloc_zero(&allocator, sizeof *made);
    if (made == NULL)
        return LEAT_E_NOMEM;
    made->options = read;
    status = lt_zeek_manage_init(&made->m, config, broker);
    if (status == LEAT_OK)
        status = init(made, &read);
    if (status == LEAT_OK)
        status = subscribe(made);
    if (status == LEAT_OK)
        *controller = made;
    else
        leat_zeek_controller_free(made);
    return status;
}

void leat_zeek_controller_free(leat_zeek_controller *c)
{
    leat_allocator allocator;
    size_t i;

    if (c == NULL)
        return;
    lt_zeek_requests_free(c);
    for (i = 0; i < c->count; i++)
        lt_free(&c->m.allocator, c->instances[i],
                sizeof *c->instances[i] + c->instances[i]->topic_length);
    lt_free(&c->m.allocator, c->instances, c->size * sizeof *c->instances);
    lt_free(&c->m.allocator, c->peers, c->peer_size * sizeof *c->peers);
    lt_free(&c->m.allocator, c->topics, c->topic.length + c->prefix.length + 1);
    lt_zeek_manage_free(&c->m);
    allocator = c->m.given;
    lt_free(&allocator, c, sizeof *c);
}
