#include "manage.h"

#include "../core/builder.h"

#include <string.h>

/* Beyond so many octets a builder is emptied for good. */
#define BUILDER_KEPT ((size_t)64 << 10)

/* The cell of the first argument of an event: [1, 1, [name, [reqid, ...]]]. */
#define REQID_AT 6

/* ----- memory ----- */

static void *count(void *ctx, void *block, size_t old_bytes, size_t new_bytes)
{
    struct lt_zeek_manage *m = (struct lt_zeek_manage *)ctx;
    void *resized = lt_resize(&m->given, block, old_bytes, new_bytes);

    if (resized != NULL || new_bytes == 0)
        m->held = m->held - old_bytes + new_bytes;
    return resized;
}

int lt_zeek_manage_init(struct lt_zeek_manage *m, const leat_config *config, leat_broker *broker)
{
    leat_config own;

    m->given = lt_allocator(config);
    m->allocator.resize = count;
    m->allocator.ctx = m;
    m->broker = broker;
    m->told_end = &m->told;
    m->joined = lt_writer(&m->allocator, SIZE_MAX);
    leat_config_init(&own, sizeof own);
    own.allocator = &m->allocator;
    own.limits = config == NULL ? NULL : config->limits;
    if (leat_builder_new(&own, &m->in) != LEAT_OK || leat_builder_new(&own, &m->args) != LEAT_OK)
        return LEAT_E_NOMEM;
    return leat_builder_new(&own, &m->out);
}

void lt_zeek_manage_free(struct lt_zeek_manage *m)
{
    struct lt_zeek_kept *kept;

    leat_builder_free(m->in);
    leat_builder_free(m->args);
    leat_builder_free(m->out);
    lt_writer_free(&m->joined);
    lt_zeek_manage_drop(m, m->lent);
    while ((kept = m->told) != NULL) {
        m->told = kept->next;
        lt_zeek_manage_drop(m, kept);
    }
}

static void trim(leat_builder *builder)
{
    leat_builder_clear(builder);
    if (lt_builder_bytes(builder) <= BUILDER_KEPT)
        return;
    lt_tree_free(&builder->tree);
    lt_tree_init(&builder->tree, &builder->allocator, builder->limits.values);
}

void lt_zeek_manage_trim(struct lt_zeek_manage *m)
{
    trim(m->in);
    trim(m->args);
    trim(m->out);
    m->of = NULL;
    lt_writer_free(&m->joined);
}

/* ----- what is kept ----- */

static size_t octets_of(const leat_value *cell)
{
    return lt_has_octets(cell) ? cell->length + (cell->kind == LEAT_SUBNET ? 1u : 0u) : 0;
}

/* Moves octets to the place at, which goes on behind them. */
static const void *move(uint8_t **at, const void *octets, size_t length)
{
    const void *moved = *at;

    if (length > 0)
        memcpy(*at, octets, length);
    *at += length;
    return moved;
}

uint64_t lt_zeek_manage_bytes(const leat_value *value)
{
    size_t cells = lt_cells(value), i;
    uint64_t bytes = (uint64_t)cells * sizeof *value;

    for (i = 0; i < cells; i++)
        bytes += octets_of(&value[i]) + value[i].name_length;
    return bytes;
}

struct lt_zeek_kept *lt_zeek_manage_keep(struct lt_zeek_manage *m, const leat_value *value)
{
    size_t cells = lt_cells(value), i;
    uint64_t bytes = sizeof(struct lt_zeek_kept) + lt_zeek_manage_bytes(value);
    struct lt_zeek_kept *kept = NULL;
    uint8_t *at;

    if (bytes <= SIZE_MAX / 2)
        kept = (struct lt_zeek_kept *)lt_resize(&m->allocator, NULL, 0, (size_t)bytes);
    if (kept == NULL)
        return NULL;
    memset(kept, 0, sizeof *kept);
    kept->bytes = (size_t)bytes;
    memcpy(kept->value, value, cells * sizeof *value);
    kept->value->name = NULL;
    kept->value->name_length = 0;
    at = (uint8_t *)(kept->value + cells);
    for (i = 0; i < cells; i++) {
        leat_value *cell = &kept->value[i];

        if (lt_has_octets(cell))
            cell->u.bytes = (const uint8_t *)move(&at, cell->u.bytes, octets_of(cell));
        if (cell->name != NULL)
            cell->name = (const char *)move(&at, cell->name, cell->name_length);
    }
    return kept;
}

void lt_zeek_manage_drop(struct lt_zeek_manage *m, struct lt_zeek_kept *kept)
{
    if (kept == NULL)
        return;
    if (m->of == kept)
        m->of = NULL;
    lt_free(&m->allocator, kept, kept->bytes);
}

/* ----- what is told ----- */

struct lt_zeek_kept *lt_zeek_manage_note(struct lt_zeek_manage *m, uint32_t kind, const char *name,
                                         const leat_value *value)
{
    struct lt_zeek_kept *note = lt_zeek_manage_keep(m, value);

    if (note != NULL) {
        note->kind = kind;
        note->name = name == NULL ? leat_zeek_management_name(kind) : name;
    }
    return note;
}

static void put_constant(leat_builder *builder, const char *name, const char *text)
{
    lt_zeek_manage_text(builder, name, lt_zeek_text(text));
}

struct lt_zeek_kept *lt_zeek_manage_malformed(struct lt_zeek_manage *m)
{
    leat_builder *b = lt_zeek_manage_open(m);
    const leat_value *value;

    put_constant(b, "event", m->flaw.event);
    put_constant(b, "argument", m->flaw.argument);
    put_constant(b, "record", m->flaw.record);
    put_constant(b, "field", m->flaw.field);
    put_constant(b, "type", m->flaw.type);
    put_constant(b, "what", m->flaw.what);
    if (lt_zeek_manage_close(m, &value) != LEAT_OK)
        return NULL;
    return lt_zeek_manage_note(m, LEAT_ZEEK_MALFORMED, "malformed", value);
}

void lt_zeek_manage_tell(struct lt_zeek_manage *m, struct lt_zeek_kept *note)
{
    *m->told_end = note;
    m->told_end = &note->next;
    m->told_count++;
}

int lt_zeek_manage_next(struct lt_zeek_manage *m, const leat_event **event)
{
    struct lt_zeek_kept *note = m->told;

    lt_zeek_manage_drop(m, m->lent);
    m->lent = note;
    if (note == NULL)
        return LEAT_MORE;
    m->told = note->next;
    if (m->told == NULL)
        m->told_end = &m->told;
    m->told_count--;
    m->event.kind = note->kind;
    m->event.name = note->name;
    m->event.name_length = strlen(note->name);
    m->event.value = note->value;
    *event = &m->event;
    return LEAT_OK;
}

/* ----- what comes ----- */

static const uint8_t *id_of(const leat_value *value)
{
    return leat_value_kind(value) == LEAT_UUID ? leat_value_bytes(value, NULL) : NULL;
}

bool lt_zeek_manage_arrives(const leat_event *event, struct lt_zeek_arrival *arrival)
{
    const leat_value *value = leat_event_value(event);

    if (leat_event_kind(event) != LEAT_BROKER_DATA)
        return false;
    leat_zeek_message_init(&arrival->message, sizeof arrival->message);
    if (leat_zeek_read(leat_value_get(value, "data"), &arrival->message) != LEAT_OK)
        return false;
    arrival->kind = leat_zeek_management_kind(&arrival->message);
    arrival->sender = id_of(leat_value_get(value, "sender"));
    arrival->topic = leat_value_text(leat_value_get(value, "topic"), &arrival->topic_length);
    return arrival->kind != 0;
}

int lt_zeek_manage_read(struct lt_zeek_manage *m, const struct lt_zeek_arrival *arrival,
                        const leat_value **args)
{
    int status;

    leat_builder_clear(m->in);
    leat_zeek_management_flaw_init(&m->flaw, sizeof m->flaw);
    status = leat_zeek_management_read(m->in, NULL, &arrival->message, &m->flaw);
    if (status == LEAT_OK)
        *args = leat_builder_value(m->in);
    if (status == LEAT_OK || status == LEAT_E_NOMEM)
        return status;
    if (status == LEAT_E_LIMIT) {
        m->flaw.event = leat_zeek_management_name(arrival->kind);
        m->flaw.what = "over a limit";
    }
    return LEAT_E_SYNTAX;
}

bool lt_zeek_manage_peer(const leat_event *event, struct lt_zeek_peer *peer)
{
    uint32_t kind = leat_event_kind(event);
    const leat_value *endpoint = leat_value_get(leat_event_value(event), "endpoint");
    const leat_value *network = leat_value_get(endpoint, "network");
    struct lt_zeek_text address = lt_zeek_text_in(network, "address");

    peer->id = id_of(leat_value_get(endpoint, "id"));
    peer->address = address.at;
    peer->address_length = address.length;
    peer->port = leat_value_port(leat_value_get(network, "bound_port"));
    return peer->id != NULL && (kind == LEAT_BROKER_PEER_ADDED ||
                                kind == LEAT_BROKER_PEER_REMOVED || kind == LEAT_BROKER_PEER_LOST);
}

/* ----- what is said ----- */

leat_builder *lt_zeek_manage_open(struct lt_zeek_manage *m)
{
    leat_builder_clear(m->args);
    m->joined.status = LEAT_OK;
    (void)leat_builder_open(m->args, NULL, LEAT_RECORD);
    return m->args;
}

int lt_zeek_manage_close(struct lt_zeek_manage *m, const leat_value **args)
{
    int status = leat_builder_close(m->args);

    *args = leat_builder_value(m->args);
    return status == LEAT_OK ? m->joined.status : status;
}

int lt_zeek_manage_publish(struct lt_zeek_manage *m, const char *topic, size_t length,
                           uint32_t kind, const leat_value *args)
{
    int status = leat_zeek_management_write(lt_zeek_manage_out(m), NULL, kind, args, NULL);

    if (status != LEAT_OK)
        return status;
    return leat_broker_publish(m->broker, topic, length, leat_builder_value(m->out));
}

leat_builder *lt_zeek_manage_out(struct lt_zeek_manage *m)
{
    m->of = NULL;
    leat_builder_clear(m->out);
    return m->out;
}

struct lt_zeek_text lt_zeek_text(const char *text)
{
    const struct lt_zeek_text made = {text, text == NULL ? 0 : strlen(text)};

    return made;
}

struct lt_zeek_text lt_zeek_text_of(const leat_value *value)
{
    struct lt_zeek_text made = {NULL, 0};

    if (leat_value_kind(value) == LEAT_TEXT || leat_value_kind(value) == LEAT_ENUM)
        made.at = leat_value_text(value, &made.length);
    return made;
}

struct lt_zeek_text lt_zeek_text_in(const leat_value *record, const char *name)
{
    return lt_zeek_text_of(leat_value_get(record, name));
}

bool lt_zeek_text_equal(struct lt_zeek_text a, struct lt_zeek_text b)
{
    return lt_zeek_text_compare(a, b) == 0;
}

int lt_zeek_text_compare(struct lt_zeek_text a, struct lt_zeek_text b)
{
    size_t shorter = a.length < b.length ? a.length : b.length;
    int order = shorter == 0 ? 0 : memcmp(a.at, b.at, shorter);

    return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

leat_value *lt_zeek_find_name(leat_value *names, struct lt_zeek_text name)
{
    size_t low = 1, high = 1 + (size_t)names->length;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = lt_zeek_text_compare(lt_zeek_text_of(&names[middle]), name);

        if (order == 0)
            return &names[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

struct lt_zeek_text lt_zeek_manage_join(struct lt_zeek_manage *m, const char *before,
                                        struct lt_zeek_text middle, const char *after)
{
    struct lt_zeek_text made = {NULL, 0};

    m->joined.length = 0;
    lt_put_text(&m->joined, before);
    lt_put_bytes(&m->joined, middle.at, middle.length);
    lt_put_text(&m->joined, after);
    if (m->joined.status == LEAT_OK) {
        made.at = (const char *)m->joined.data;
        made.length = m->joined.length;
    }
    return made;
}

int lt_zeek_manage_again(struct lt_zeek_manage *m, const char *topic, size_t length,
                         struct lt_zeek_text reqid)
{
    leat_value *cell = &m->out->tree.cells[REQID_AT];

    cell->u.bytes = (const uint8_t *)reqid.at;
    cell->length = (uint32_t)reqid.length;
    return leat_broker_publish(m->broker, topic, length, leat_builder_value(m->out));
}

void lt_zeek_manage_text(leat_builder *builder, const char *name, struct lt_zeek_text text)
{
    if (text.at == NULL)
        (void)leat_builder_null(builder, name);
    else
        (void)leat_builder_text(builder, name, text.at, text.length);
}

void lt_zeek_manage_result(leat_builder *builder, const char *name,
                           const struct lt_zeek_result *result)
{
    (void)leat_builder_open(builder, name, LEAT_RECORD);
    lt_zeek_manage_text(builder, "reqid", result->reqid);
    (void)leat_builder_bool(builder, "success", result->success);
    lt_zeek_manage_text(builder, "instance", result->instance);
    (void)leat_builder_copy(builder, "data", result->data);
    lt_zeek_manage_text(builder, "error", result->error);
    lt_zeek_manage_text(builder, "node", result->node);
    (void)leat_builder_close(builder);
}
