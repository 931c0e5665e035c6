/* What the caller is told: kept as octets until it asks. */
#include "data.h"
#include "store.h"

/* In front of the octets of the key, the old value and the new one. */
struct note {
    uint32_t kind;
    uint8_t code;
    bool expires;
    bool inserted;
    bool has_key;
    int64_t expiry_ns;
    uint64_t req_id;
    struct lt_entity entity;
    const char *what;
    struct lt_octets key, old, new;
};

static const struct {
    uint8_t code;
    const char *name;
} codes[] = {
    {LT_STORE_NO_SUCH_MASTER, "no_such_master"},   {LT_STORE_NO_SUCH_KEY, "no_such_key"},
    {LT_STORE_TYPE_CLASH, "type_clash"},           {LT_STORE_INVALID_DATA, "invalid_data"},
    {LT_STORE_BACKEND_FAILURE, "backend_failure"}, {LT_STORE_STALE_DATA, "stale_data"},
    {LT_STORE_BROKEN_CLONE, "broken_clone"},
};

static uint8_t *put(uint8_t *at, const struct lt_octets *octets)
{
    if (octets->length > 0)
        memcpy(at, octets->data, octets->length);
    return at + octets->length;
}

/* Keeps a note; if there is no room for it, none is worth anything any more. */
static void keep(leat_broker_store *store, const struct note *note)
{
    uint64_t octets = (uint64_t)note->key.length + note->old.length + note->new.length;
    uint64_t length = sizeof *note + octets;
    uint8_t *at;

    if (store->options.event_bytes == 0)
        return;
    if (length > store->options.event_bytes ||
        lt_fifo_bytes(&store->notes) > store->options.event_bytes - length ||
        !lt_fifo_reserve(&store->notes, &store->allocator, (size_t)length)) {
        lt_fifo_clear(&store->notes);
        store->notes_lost = true;
        return;
    }
    at = lt_fifo_push(&store->notes, (size_t)length);
    memcpy(at, note, sizeof *note);
    (void)put(put(put(at + sizeof *note, &note->key), &note->old), &note->new);
}

void lt_store_note(leat_broker_store *store, uint32_t kind, const struct lt_entry *entry,
                   const struct lt_octets *value, const struct lt_action *action)
{
    struct note note = {.kind = kind,
                        .has_key = true,
                        .expires = action->expires,
                        .expiry_ns = action->expiry_ns,
                        .entity = action->publisher,
                        .key = {entry->key, entry->key_length}};

    if (kind == LEAT_BROKER_STORE_UPDATE) {
        note.old.data = entry->value;
        note.old.length = entry->value_length;
    }
    if (value != NULL)
        note.new = *value;
    keep(store, &note);
}

void lt_store_note_result(leat_broker_store *store, bool inserted, uint64_t req_id)
{
    const struct note note = {
        .kind = LEAT_BROKER_STORE_PUT_UNIQUE_RESULT, .inserted = inserted, .req_id = req_id};

    keep(store, &note);
}

void lt_store_note_entity(leat_broker_store *store, uint32_t kind, const struct lt_entity *entity)
{
    const struct note note = {.kind = kind, .entity = *entity};

    keep(store, &note);
}

void lt_store_note_error(leat_broker_store *store, uint8_t code, const struct lt_octets *key,
                         const char *what)
{
    struct note note = {.kind = LEAT_BROKER_STORE_ERROR, .code = code, .what = what};

    if (key != NULL) {
        note.has_key = key->length > 0;
        note.key = *key;
    }
    keep(store, &note);
}

/* ----- as values ----- */

static void add_text(struct lt_tree *tree, const char *name, uint16_t name_length, const char *text,
                     size_t length)
{
    lt_tree_bytes(tree, LEAT_TEXT, name, name_length, text, length);
}

static void add_scalar(struct lt_tree *tree, uint8_t kind, const char *name, uint16_t name_length,
                       uint64_t number)
{
    leat_value *cell = lt_tree_push(tree, kind, name, name_length);

    cell->u.u64 = number;
    cell->length = 0;
}

/* Copies octets, so that the note may go, and reads them as a value of that name. */
static int add_value(struct lt_tree *tree, const char *name, uint16_t name_length,
                     const uint8_t **from, size_t length)
{
    const void *copy = lt_arena_copy(&tree->arena, *from, length);
    struct leat_error error;
    struct lt_reader in;

    *from += length;
    if (copy == NULL)
        return LEAT_E_NOMEM;
    in = lt_reader(copy, length);
    return lt_broker_read(&in, tree, LT_DEPTH_MAX, name, name_length, &error);
}

static void add_entity(leat_broker_store *store, const char *name, uint16_t name_length,
                       const struct note *note, const uint8_t *id)
{
    struct lt_tree *tree = &store->tree;
    size_t list = lt_tree_open(tree, LEAT_LIST, name, name_length);

    lt_tree_bytes(tree, LEAT_UUID, LT_NO_NAME, id, sizeof note->entity.id);
    lt_tree_u64(tree, LT_NO_NAME, note->entity.object);
    lt_tree_close(tree, list, 2);
}

static void add_error(struct lt_tree *tree, const struct note *note)
{
    size_t i;

    lt_tree_u64(tree, LT_NAME("code"), note->code);
    for (i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (codes[i].code == note->code)
            add_text(tree, LT_NAME("name"), codes[i].name, strlen(codes[i].name));
    }
    if (!note->has_key)
        add_scalar(tree, LEAT_NULL, LT_NAME("key"), 0);
}

/* Scalar fields of any event, and the record: no more than these. */
#define CELLS 12u

static int read_note(leat_broker_store *store, const struct note *note, const uint8_t *octets)
{
    struct lt_tree *tree = &store->tree;
    const uint8_t *id;
    size_t record;
    uint32_t fields = 2;
    int status;

    lt_tree_clear(tree);
    status = lt_tree_reserve(tree, CELLS);
    id = (const uint8_t *)lt_arena_copy(&tree->arena, note->entity.id, sizeof note->entity.id);
    if (status != LEAT_OK || id == NULL)
        return LEAT_E_NOMEM;
    record = lt_tree_open(tree, LEAT_RECORD, LT_NO_NAME);
    add_text(tree, LT_NAME("store"), store->topics, store->name_length);
    if (note->kind == LEAT_BROKER_STORE_ERROR) {
        add_error(tree, note);
        fields = 4;
    }
    if (note->has_key)
        status = add_value(tree, LT_NAME("key"), &octets, note->key.length);
    if (note->kind == LEAT_BROKER_STORE_UPDATE && status == LEAT_OK) {
        status = add_value(tree, LT_NAME("old"), &octets, note->old.length);
        fields++;
    }
    if (note->new.length > 0 && status == LEAT_OK) {
        bool update = note->kind == LEAT_BROKER_STORE_UPDATE;

        status =
            add_value(tree, update ? "new" : "value", update ? 3 : 5, &octets, note->new.length);
        fields++;
    }
    if (status == LEAT_OK)
        status = lt_tree_reserve(tree, CELLS);
    if (status != LEAT_OK)
        return status;
    switch (note->kind) {
    case LEAT_BROKER_STORE_INSERT:
    case LEAT_BROKER_STORE_UPDATE:
        add_scalar(tree, note->expires ? LEAT_INT : LEAT_NULL, LT_NAME("expiry_ns"),
                   (uint64_t)note->expiry_ns);
        add_entity(store, LT_NAME("publisher"), note, id);
        fields += 2;
        break;
    case LEAT_BROKER_STORE_ERASE:
    case LEAT_BROKER_STORE_EXPIRE:
        add_entity(store, LT_NAME("publisher"), note, id);
        fields++;
        break;
    case LEAT_BROKER_STORE_PUT_UNIQUE_RESULT:
        add_scalar(tree, LEAT_BOOL, LT_NAME("inserted"), note->inserted);
        lt_tree_u64(tree, LT_NAME("req_id"), note->req_id);
        fields++;
        break;
    case LEAT_BROKER_STORE_ERROR:
        add_text(tree, LT_NAME("msg"), note->what, strlen(note->what));
        fields++;
        break;
    default:
        add_entity(store, LT_NAME("entity"), note, id);
        break;
    }
    lt_tree_close(tree, record, fields);
    return LEAT_OK;
}

static const char *const names[] = {"insert",   "update",   "erase", "expire", "put_unique_result",
                                    "attached", "detached", "error"};

int leat_broker_store_next(leat_broker_store *store, const leat_event **event)
{
    struct note note = {.kind = LEAT_BROKER_STORE_ERROR,
                        .code = LT_STORE_STALE_DATA,
                        .what = "events were lost: read the store anew"};
    const uint8_t *octets = NULL;
    size_t length;
    int status;

    if (!store->notes_lost) {
        if (lt_fifo_count(&store->notes) == 0)
            return LEAT_MORE;
        octets = lt_fifo_at(&store->notes, 0, &length);
        memcpy(&note, octets, sizeof note);
        octets += sizeof note;
    }
    status = read_note(store, &note, octets);
    if (status != LEAT_OK)
        return LEAT_E_NOMEM;
    if (store->notes_lost)
        store->notes_lost = false;
    else
        lt_fifo_pop(&store->notes);
    memset(&store->event, 0, sizeof store->event);
    store->event.kind = note.kind;
    store->event.name = names[note.kind - LEAT_BROKER_STORE_INSERT];
    store->event.name_length = strlen(store->event.name);
    store->event.value = store->tree.cells;
    *event = &store->event;
    return LEAT_OK;
}
