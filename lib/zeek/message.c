/* Messages: what they must look like, what is in them, and how they are built. */
#include "../core/builder.h"
#include "log.h"

#include <assert.h>
#include <string.h>

#define VERSION           1u
#define NETWORK_TIMESTAMP 1u /* an id of metadata */

/* Places of a message: version and kind take a cell each. */
#define KIND_AT    2
#define CONTENT_AT 3

/* ----- what makes a message ----- */

static const struct lt_zeek_element event_elements[] = {
    {"name", 1u << LEAT_TEXT},
    {"args", 1u << LEAT_LIST},
};
static const struct lt_zeek_element log_create_elements[] = {
    {"stream", 1u << LEAT_ENUM},
    {"writer", 1u << LEAT_ENUM},
    {"info", LT_ZEEK_ANY},
    {"fields", LT_ZEEK_ANY},
};
static const struct lt_zeek_element log_write_elements[] = {
    {"stream", 1u << LEAT_ENUM},
    {"writer", 1u << LEAT_ENUM},
    {"path", 1u << LEAT_TEXT},
    {"record", 1u << LEAT_TEXT},
};
static const struct lt_zeek_element identifier_update_elements[] = {
    {"name", 1u << LEAT_TEXT},
    {"value", LT_ZEEK_ANY},
};

#define MOST_ELEMENTS 4

static const struct {
    const struct lt_zeek_element *elements;
    size_t count;
} contents[] = {
    [LEAT_ZEEK_EVENT] = {event_elements, 2},
    [LEAT_ZEEK_LOG_CREATE] = {log_create_elements, 4},
    [LEAT_ZEEK_LOG_WRITE] = {log_write_elements, 4},
    [LEAT_ZEEK_IDENTIFIER_UPDATE] = {identifier_update_elements, 2},
    [LEAT_ZEEK_BATCH] = {NULL, 0},
};

static uint32_t kind_of(const leat_value *message)
{
    return (uint32_t)message[KIND_AT].u.u64;
}

static bool good_metadata(const leat_value *metadata, struct lt_zeek_flaw *flaw)
{
    const leat_value *entry;

    if (metadata->kind != LEAT_LIST)
        return lt_zeek_flaw(flaw, "not a list", "metadata", metadata);
    for (entry = leat_value_first(metadata); entry != NULL;
         entry = leat_value_next(metadata, entry)) {
        if (entry->kind != LEAT_LIST || entry->length != 2 || entry[1].kind != LEAT_UINT)
            return lt_zeek_flaw(flaw, "not a number and a value", "metadata", entry);
        if (entry[1].u.u64 == NETWORK_TIMESTAMP && entry[2].kind != LEAT_TIMESTAMP)
            return lt_zeek_flaw(flaw, "a network timestamp of another type", "metadata", entry);
    }
    return true;
}

/* What receivers could make nothing of, although it is a message. */
static bool useful(uint32_t kind, const leat_value *const *found, struct lt_zeek_flaw *flaw)
{
    const leat_value *arg;

    switch (kind) {
    case LEAT_ZEEK_EVENT:
        for (arg = leat_value_first(found[1]); arg != NULL; arg = leat_value_next(found[1], arg)) {
            if (arg->kind == LEAT_NULL)
                return lt_zeek_flaw(flaw, "an argument without a value", "args", arg);
        }
        return true;
    case LEAT_ZEEK_LOG_CREATE:
        return lt_zeek_log_create(found[2], found[3], flaw);
    case LEAT_ZEEK_IDENTIFIER_UPDATE:
        return found[1]->kind != LEAT_NULL || lt_zeek_flaw(flaw, "no value", "value", found[1]);
    default:
        return true;
    }
}

/* Whether it is a message, apart from those in a batch; if it is to be sent, also a useful one. */
static bool good_message(const leat_value *message, bool sent, struct lt_zeek_flaw *flaw)
{
    const leat_value *found[MOST_ELEMENTS + 1];
    uint64_t kind;

    if (leat_value_kind(message) != LEAT_LIST || message->length < 3)
        return lt_zeek_flaw(flaw, "not a list of three", "message", message);
    if (message[1].kind != LEAT_UINT || message[1].u.u64 != VERSION)
        return lt_zeek_flaw(flaw, "unknown version of the format", "version", &message[1]);
    kind = message[KIND_AT].u.u64;
    if (message[KIND_AT].kind != LEAT_UINT || kind < LEAT_ZEEK_EVENT || kind > LEAT_ZEEK_BATCH)
        return lt_zeek_flaw(flaw, "unknown kind of message", "kind", &message[KIND_AT]);
    if (!lt_zeek_elements(&message[CONTENT_AT], "content", contents[kind].elements,
                          contents[kind].count, found, flaw))
        return false;
    if (kind == LEAT_ZEEK_EVENT && found[2] != NULL && !good_metadata(found[2], flaw))
        return false;
    return !sent || useful((uint32_t)kind, found, flaw);
}

/* Whether all that is in a batch is, too, and in the batches in it. */
static bool good_batch(const leat_value *batch, bool sent, struct lt_zeek_flaw *flaw)
{
    /* Batches nest two levels of values each. */
    struct {
        const leat_value *next;
        const leat_value *end;
    } open[LT_DEPTH_MAX / 2 + 1];
    size_t depth = 0;
    const leat_value *message = batch;

    for (;;) {
        if (kind_of(message) == LEAT_ZEEK_BATCH) {
            const leat_value *content = &message[CONTENT_AT];

            assert(depth < sizeof open / sizeof *open);
            open[depth].next = content + 1;
            open[depth].end = content + lt_cells(content);
            depth++;
        }
        while (depth > 0 && open[depth - 1].next == open[depth - 1].end)
            depth--;
        if (depth == 0)
            return true;
        message = open[depth - 1].next;
        open[depth - 1].next += lt_cells(message);
        if (!good_message(message, sent, flaw))
            return false;
    }
}

static bool good(const leat_value *message, bool sent, struct lt_zeek_flaw *flaw)
{
    return good_message(message, sent, flaw) &&
           (kind_of(message) != LEAT_ZEEK_BATCH || good_batch(message, sent, flaw));
}

/* ----- reading ----- */

void leat_zeek_message_init(leat_zeek_message *message, size_t size)
{
    const uint64_t none = 0;

    lt_options_init(message, size, &none, sizeof none);
}

/*
 * Where to lay a message open: in the caller's struct, or in ours if that one is older and smaller. Then
 * give() gives as much of it as there is room for.
 */
static leat_zeek_message *take(leat_zeek_message *message, leat_zeek_message *own)
{
    leat_zeek_message *to = message->size < sizeof *own ? own : message;
    uint64_t size = message->size;

    memset(to, 0, sizeof *to);
    to->size = size;
    return to;
}

static void give(leat_zeek_message *message, const leat_zeek_message *to)
{
    if (to != message)
        memcpy(message, to, (size_t)to->size);
}

static void find_timestamp(leat_zeek_message *message)
{
    const leat_value *entry;

    for (entry = leat_value_first(message->metadata); entry != NULL;
         entry = leat_value_next(message->metadata, entry)) {
        if (entry[1].u.u64 == NETWORK_TIMESTAMP) {
            message->has_timestamp = 1;
            message->timestamp_ns = entry[2].u.i64;
            return;
        }
    }
}

/* Lays open a message that is known to be good. */
static void lay_open(const leat_value *data, leat_zeek_message *message)
{
    const leat_value *content = &data[CONTENT_AT];
    const leat_value *at = content + 1; /* its elements, so far as the kind has them */
    const leat_value *found[MOST_ELEMENTS];
    size_t i;

    for (i = 0; i < MOST_ELEMENTS; i++) {
        found[i] = i < content->length ? at : NULL;
        at += i < content->length ? lt_cells(at) : 0;
    }
    message->kind = kind_of(data);
    message->data = data;
    switch (message->kind) {
    case LEAT_ZEEK_EVENT:
        message->name = leat_value_text(found[0], &message->name_length);
        message->args = found[1];
        message->metadata = found[2];
        find_timestamp(message);
        break;
    case LEAT_ZEEK_LOG_CREATE:
    case LEAT_ZEEK_LOG_WRITE:
        message->stream = leat_value_text(found[0], &message->stream_length);
        message->writer = leat_value_text(found[1], &message->writer_length);
        if (message->kind == LEAT_ZEEK_LOG_CREATE) {
            message->info = found[2];
            message->fields = found[3];
        } else {
            message->path = leat_value_text(found[2], &message->path_length);
            message->record = leat_value_text(found[3], &message->record_length);
        }
        break;
    case LEAT_ZEEK_IDENTIFIER_UPDATE:
        message->name = leat_value_text(found[0], &message->name_length);
        message->value = found[1];
        break;
    default:
        message->messages = content;
    }
}

int leat_zeek_read(const leat_value *data, leat_zeek_message *message)
{
    leat_zeek_message own, *to;
    struct lt_zeek_flaw flaw;
    bool sound;

    if (message->size < sizeof message->size)
        return LEAT_E_VALUE;
    to = take(message, &own);
    sound = good(data, false, &flaw);
    if (sound) {
        lay_open(data, to);
    } else {
        to->what = flaw.what;
        to->field = flaw.field;
        to->at = flaw.at;
    }
    give(message, to);
    return sound ? LEAT_OK : LEAT_E_SYNTAX;
}

int leat_zeek_batch_next(const leat_zeek_message *batch, leat_zeek_message *member)
{
    const leat_value *next;
    leat_zeek_message own, *to;

    if (member->size < sizeof member->size)
        return LEAT_E_VALUE;
    next = member->data == NULL ? leat_value_first(batch->messages)
                                : leat_value_next(batch->messages, member->data);
    to = take(member, &own);
    if (next != NULL)
        lay_open(next, to);
    give(member, to);
    return next != NULL ? LEAT_OK : LEAT_END;
}

/* ----- writing ----- */

static int mistake(leat_builder *builder, int code, const char *what, const char *field)
{
    if (builder->error.code != LEAT_OK)
        return builder->error.code;
    return lt_builder_fail(builder, builder->tree.count, code, 0, what, field);
}

/* Opens a message and its content. */
static int open_message(leat_builder *builder, const char *name, uint32_t kind)
{
    (void)leat_builder_open(builder, name, LEAT_LIST);
    (void)leat_builder_u64(builder, NULL, VERSION);
    (void)leat_builder_u64(builder, NULL, kind);
    return leat_builder_open(builder, NULL, LEAT_LIST);
}

/*
 * The message of that kind which is open as the one that encloses so many open containers, and
 * itself; or NULL. What the caller opened looks different.
 */
static const leat_value *opened(const leat_builder *builder, size_t containers, uint32_t kind)
{
    const leat_value *message;

    if (builder->error.code != LEAT_OK || builder->depth < containers)
        return NULL;
    message = &builder->tree.cells[builder->index[builder->depth - containers]];
    if (builder->index[builder->depth - containers + 1] !=
            builder->index[builder->depth - containers] + CONTENT_AT ||
        message->kind != LEAT_LIST || message[KIND_AT].kind != LEAT_UINT ||
        message[KIND_AT].u.u64 != kind)
        return NULL;
    return message;
}

/* Closes so many containers, the last one being a message, which is checked. */
static int close_message(leat_builder *builder, size_t containers)
{
    struct lt_zeek_flaw flaw;
    size_t message;

    if (builder->error.code != LEAT_OK)
        return builder->error.code;
    message = builder->index[builder->depth - containers];
    for (; containers > 0; containers--)
        (void)leat_builder_close(builder);
    if (!good(&builder->tree.cells[message], true, &flaw))
        return lt_builder_fail(builder, message, LEAT_E_VALUE, 0, flaw.what, flaw.field);
    return LEAT_OK;
}

int leat_zeek_event_open(leat_builder *builder, const char *name, const char *event, size_t length)
{
    (void)open_message(builder, name, LEAT_ZEEK_EVENT);
    (void)leat_builder_text(builder, NULL, event, length);
    return leat_builder_open(builder, NULL, LEAT_LIST);
}

int leat_zeek_event_metadata(leat_builder *builder)
{
    if (opened(builder, 3, LEAT_ZEEK_EVENT) == NULL || builder->children[builder->depth - 2] != 2)
        return mistake(builder, LEAT_E_STATE, "no arguments of an event are open", NULL);
    (void)leat_builder_close(builder);
    return leat_builder_open(builder, NULL, LEAT_LIST);
}

int leat_zeek_event_timestamp(leat_builder *builder, int64_t ns)
{
    if (opened(builder, 3, LEAT_ZEEK_EVENT) == NULL || builder->children[builder->depth - 2] != 3)
        return mistake(builder, LEAT_E_STATE, "no metadata of an event are open", NULL);
    (void)leat_builder_open(builder, NULL, LEAT_LIST);
    (void)leat_builder_u64(builder, NULL, NETWORK_TIMESTAMP);
    (void)leat_builder_timestamp(builder, NULL, ns);
    return leat_builder_close(builder);
}

int leat_zeek_event_close(leat_builder *builder)
{
    if (opened(builder, 3, LEAT_ZEEK_EVENT) == NULL)
        return mistake(builder, LEAT_E_STATE, "no event is open", NULL);
    return close_message(builder, 3);
}

int leat_zeek_batch_open(leat_builder *builder, const char *name)
{
    return open_message(builder, name, LEAT_ZEEK_BATCH);
}

int leat_zeek_batch_close(leat_builder *builder)
{
    if (opened(builder, 2, LEAT_ZEEK_BATCH) == NULL)
        return mistake(builder, LEAT_E_STATE, "no batch is open", NULL);
    return close_message(builder, 2);
}

static void write_event(leat_builder *builder, const leat_zeek_message *message)
{
    (void)leat_builder_text(builder, NULL, message->name, message->name_length);
    if (message->args != NULL) {
        (void)leat_builder_copy(builder, NULL, message->args);
    } else {
        (void)leat_builder_open(builder, NULL, LEAT_LIST);
        (void)leat_builder_close(builder);
    }
    if (message->metadata != NULL) {
        (void)leat_builder_copy(builder, NULL, message->metadata);
    } else if (message->has_timestamp) {
        (void)leat_builder_open(builder, NULL, LEAT_LIST);
        (void)leat_zeek_event_timestamp(builder, message->timestamp_ns);
        (void)leat_builder_close(builder);
    }
}

static void write_log(leat_builder *builder, const leat_zeek_message *message)
{
    (void)leat_builder_enum(builder, NULL, message->stream, message->stream_length);
    (void)leat_builder_enum(builder, NULL, message->writer, message->writer_length);
    if (message->kind == LEAT_ZEEK_LOG_CREATE) {
        (void)leat_builder_copy(builder, NULL, message->info);
        (void)leat_builder_copy(builder, NULL, message->fields);
    } else {
        (void)leat_builder_text(builder, NULL, message->path, message->path_length);
        (void)leat_builder_text(builder, NULL, (const char *)message->record,
                                message->record_length);
    }
}

/* Copies the messages of a batch into one that is open. */
static void write_batch(leat_builder *builder, const leat_value *messages)
{
    const leat_value *message;

    if (messages != NULL && messages->kind != LEAT_LIST)
        (void)mistake(builder, LEAT_E_VALUE, "not a list", "content");
    for (message = leat_value_first(messages); message != NULL;
         message = leat_value_next(messages, message))
        (void)leat_builder_copy(builder, NULL, message);
}

int leat_zeek_write(leat_builder *builder, const char *name, const leat_zeek_message *message)
{
    leat_zeek_message own = {0};

    if (!lt_options_read(&own, sizeof own, message))
        return mistake(builder, LEAT_E_VALUE, "a message that was not initialised", NULL);
    if (own.kind < LEAT_ZEEK_EVENT || own.kind > LEAT_ZEEK_BATCH)
        return mistake(builder, LEAT_E_VALUE, "unknown kind of message", "kind");
    (void)open_message(builder, name, own.kind);
    switch (own.kind) {
    case LEAT_ZEEK_EVENT:
        write_event(builder, &own);
        break;
    case LEAT_ZEEK_IDENTIFIER_UPDATE:
        (void)leat_builder_text(builder, NULL, own.name, own.name_length);
        (void)leat_builder_copy(builder, NULL, own.value);
        break;
    case LEAT_ZEEK_BATCH:
        write_batch(builder, own.messages);
        break;
    default:
        write_log(builder, &own);
    }
    return close_message(builder, 2);
}
