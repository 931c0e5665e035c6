/*
 * Events of the Management framework, read and written by the table in management.tsv.
 *
 * Reading and writing are one walk through a value and its type. It calls itself for what is inside,
 * as deep as the types of the table nest, never as deep as a value does: of what may be of any type
 * nothing is looked at.
 */
#include "../broker/data.h"
#include "../broker/form.h"
#include "../broker/order.h"
#include "../core/builder.h"
#include "../core/text.h"
#include "management_table.h"

#include <string.h>

static const char *text(uint16_t name)
{
    return lt_zeek_names + name;
}

static bool is_text(uint16_t name, const char *other, size_t length)
{
    return strlen(text(name)) == length && memcmp(text(name), other, length) == 0;
}

/* ----- names ----- */

uint32_t leat_zeek_management_find(const char *name, size_t length)
{
    uint32_t kind;

    for (kind = 1; kind <= lt_zeek_event_total; kind++) {
        if (is_text(lt_zeek_events[kind - 1].name, name, length))
            return kind;
    }
    return 0;
}

const char *leat_zeek_management_name(uint32_t kind)
{
    return kind - 1 < lt_zeek_event_total ? text(lt_zeek_events[kind - 1].name) : NULL;
}

/* The kind of a message, and its arguments. */
static uint32_t kind_of(const leat_zeek_message *message, const leat_value **args)
{
    leat_zeek_message own = {0};

    if (!lt_options_read(&own, sizeof own, message) || own.kind != LEAT_ZEEK_EVENT)
        return 0;
    *args = own.args;
    return leat_zeek_management_find(own.name, own.name_length);
}

uint32_t leat_zeek_management_kind(const leat_zeek_message *message)
{
    const leat_value *args;

    return kind_of(message, &args);
}

void leat_zeek_management_flaw_init(leat_zeek_management_flaw *flaw, size_t size)
{
    const uint64_t none = 0;

    lt_options_init(flaw, size, &none, sizeof none);
}

/* ----- what reading and writing share ----- */

struct walk {
    leat_builder *builder;
    const struct lt_zeek_event *event;
    bool writing;
    leat_zeek_management_flaw flaw; /* where the walk is, and at last what is wrong there */
};

static bool wrong(struct walk *walk, const char *what, const char *type, const leat_value *at)
{
    walk->flaw.what = what;
    walk->flaw.type = type;
    walk->flaw.at = at;
    return false;
}

static bool done(int status)
{
    return status == LEAT_OK;
}

static bool convert(struct walk *walk, const char *name, const struct lt_zeek_type *type,
                    const leat_value *value);

/* Adds what a field is that is not set. */
static bool put_default(leat_builder *builder, const char *name, const struct lt_zeek_field *field)
{
    const struct lt_zeek_type *type = &lt_zeek_types[field->type];
    const char *first;

    if (field->presence < LT_ZEEK_EMPTY)
        return done(leat_builder_null(builder, name));
    switch (type->kind) {
    case LEAT_BOOL:
        return done(leat_builder_bool(builder, name, field->presence == LT_ZEEK_TRUE));
    case LEAT_TEXT:
        return done(leat_builder_text(builder, name, "", 0));
    case LEAT_ENUM:
        first = text(lt_zeek_enum_values[lt_zeek_enums[type->of].of.first]);
        return done(leat_builder_enum(builder, name, first, strlen(first)));
    default:
        (void)leat_builder_open(builder, name, type->kind);
        return done(leat_builder_close(builder));
    }
}

/* Takes off the record of the name of a type and a value that some releases make of what is any. */
static const leat_value *unwrapped(const leat_value *value)
{
    while (value->kind == LEAT_LIST && value->length == 1 && value[1].kind == LEAT_LIST &&
           value[1].length == 2 && value[2].kind == LEAT_TEXT)
        value += 3;
    return value;
}

/* An argument or field. value is NULL if owner, what it should be in, does not have it. */
static bool convert_field(struct walk *walk, const struct lt_zeek_field *field,
                          const leat_value *value, const leat_value *owner)
{
    const struct lt_zeek_type *type = &lt_zeek_types[field->type];
    const char *name = walk->writing ? NULL : text(field->name);
    unsigned presence = field->presence;

    if (field->type == LT_ZEEK_TYPE_ANY) {
        type = &lt_zeek_types[walk->event->data];
        presence = walk->event->presence;
        if (value != NULL && !walk->writing)
            value = unwrapped(value);
    }
    if (leat_value_kind(value) != LEAT_NULL)
        return convert(walk, name, type, value);
    /* On the wire Zeek has defaults for fields, not for arguments. */
    if (presence == LT_ZEEK_MANDATORY || (!walk->writing && walk->flaw.record == NULL))
        return wrong(walk, value == NULL ? "it is missing" : "it is not set", text(type->name),
                     value == NULL ? owner : value);
    return put_default(walk->builder, name, field);
}

/* Whether all fields of a record to be written are among these, each once. */
static bool known_fields(struct walk *walk, struct lt_zeek_span span, const leat_value *value)
{
    const leat_value *child;
    size_t known = 0, i;

    for (i = 0; i < span.count; i++)
        known += leat_value_get(value, text(lt_zeek_fields[span.first + i].name)) != NULL;
    if (known == leat_value_count(value))
        return true;
    for (child = leat_value_first(value); child != NULL; child = leat_value_next(value, child)) {
        const struct lt_zeek_field *field = &lt_zeek_fields[span.first];
        const struct lt_zeek_field *end = field + span.count;

        while (field < end && leat_value_get(value, text(field->name)) != child)
            field++;
        if (field == end)
            break;
    }
    return wrong(walk, "a name that is not known here, or that is there twice", NULL, child);
}

/* Whether a record on the wire has all fields, but for those that an older Zeek lacks. */
static bool enough_fields(struct walk *walk, struct lt_zeek_span span, const leat_value *value)
{
    size_t needed = span.count;

    while (needed > 0 && lt_zeek_fields[span.first + needed - 1].since != 0)
        needed--;
    return value->length >= needed || wrong(walk, "too few fields", NULL, value);
}

/* The arguments of an event or the fields of a record; *place is the name of the one that is at hand. */
static bool convert_fields(struct walk *walk, struct lt_zeek_span span, const leat_value *value,
                           const char **place)
{
    const leat_value *child = leat_value_first(value);
    size_t i;

    for (i = 0; i < span.count; i++) {
        const struct lt_zeek_field *field = &lt_zeek_fields[span.first + i];

        *place = text(field->name);
        if (walk->writing)
            child = leat_value_get(value, *place);
        if (!convert_field(walk, field, child, value))
            return false;
        child = child == NULL ? NULL : leat_value_next(value, child);
    }
    return true;
}

static bool convert_record(struct walk *walk, const char *name, const struct lt_zeek_type *type,
                           const leat_value *value)
{
    struct lt_zeek_span span = lt_zeek_records[type->of].of;
    const char *record = walk->flaw.record, *field = walk->flaw.field;

    walk->flaw.record = text(type->name);
    walk->flaw.field = NULL;
    if (!(walk->writing ? known_fields : enough_fields)(walk, span, value) ||
        !done(leat_builder_open(walk->builder, name, walk->writing ? LEAT_LIST : LEAT_RECORD)) ||
        !convert_fields(walk, span, value, &walk->flaw.field))
        return false;
    walk->flaw.record = record;
    walk->flaw.field = field;
    return done(leat_builder_close(walk->builder));
}

/*
 * The key at *at, which is a string, the only type that keys have. What stands there is the key, the
 * value behind it being next; or the value, of that name; or a record of both, as JSON has them.
 */
static bool convert_key(struct walk *walk, const struct lt_zeek_type *type, const leat_value *value,
                        const leat_value **at, const leat_value **child)
{
    const leat_value *key = *at;

    switch (value->kind) {
    case LEAT_TABLE:
        *child = *at = leat_value_next(value, key);
        break;
    case LEAT_RECORD:
        return done(leat_builder_text(walk->builder, NULL, key->name, key->name_length));
    default:
        key = leat_value_get(*at, "key");
        *child = leat_value_get(*at, "value");
        if ((*at)->length != 2 || key == NULL || *child == NULL)
            return wrong(walk, "it is no pair of a key and a value", text(type->name), *at);
    }
    return convert(walk, NULL, &lt_zeek_types[LT_ZEEK_TYPE_STRING], key);
}

/* What is in a vector, a set or a table. */
static bool convert_container(struct walk *walk, const char *name, const struct lt_zeek_type *type,
                              const leat_value *value)
{
    const leat_value *at, *child;

    (void)leat_builder_open(walk->builder, name, type->kind);
    for (at = leat_value_first(value); at != NULL; at = leat_value_next(value, at)) {
        child = at;
        if ((type->kind == LEAT_TABLE && !convert_key(walk, type, value, &at, &child)) ||
            !convert(walk, NULL, &lt_zeek_types[type->of], child))
            return false;
    }
    return done(leat_builder_close(walk->builder));
}

/* ----- forms that JSON has ----- */

/* Text that is not UTF-8. */
static bool is_hex(const leat_value *value)
{
    return value->kind == LEAT_RECORD && value->length == 1 &&
           leat_value_kind(leat_value_get(value, "hex")) == LEAT_TEXT;
}

static bool write_hex(struct walk *walk, const leat_value *hex)
{
    size_t length;
    const char *digits = leat_value_text(hex, &length);
    uint8_t *octets = (uint8_t *)lt_arena_alloc(&walk->builder->tree.arena, length / 2 + 1);

    if (octets == NULL)
        return done(lt_builder_fail(walk->builder, walk->builder->tree.count, LEAT_E_NOMEM, 0,
                                    "out of memory", NULL));
    if (!lt_read_hex(digits, length, octets))
        return wrong(walk, "it is not hexadecimal", "string", hex);
    return done(leat_builder_text(walk->builder, NULL, (const char *)octets, length / 2));
}

static bool write_enum(struct walk *walk, const struct lt_zeek_type *type, const leat_value *value)
{
    struct lt_zeek_span span = lt_zeek_enums[type->of].of;
    size_t length, i;
    const char *name = leat_value_text(value, &length);

    for (i = 0; i < span.count; i++) {
        if (is_text(lt_zeek_enum_values[span.first + i], name, length))
            return done(leat_builder_enum(walk->builder, NULL, name, length));
    }
    return wrong(walk, "it is none of that enum", text(type->name), value);
}

/* What is not a container, and may be of another kind than that of its type. */
static bool write_scalar(struct walk *walk, const struct lt_zeek_type *type,
                         const leat_value *value)
{
    leat_builder *builder = walk->builder;
    uint8_t octets[16];
    size_t length;
    const char *form = leat_value_text(value, &length);
    uint64_t port;

    if (type->kind == LEAT_ENUM && (value->kind == LEAT_TEXT || value->kind == LEAT_ENUM))
        return write_enum(walk, type, value);
    if (value->kind == type->kind)
        return done(leat_builder_copy(builder, NULL, value));
    if (type->kind == LEAT_UINT && value->kind == LEAT_INT && value->u.i64 >= 0)
        return done(leat_builder_u64(builder, NULL, value->u.u64));
    if (type->kind == LEAT_INT && value->kind == LEAT_UINT && value->u.u64 <= INT64_MAX)
        return done(leat_builder_i64(builder, NULL, value->u.i64));
    if (type->kind == LEAT_TEXT && is_hex(value))
        return write_hex(walk, value + 1);
    if (value->kind == LEAT_TEXT && type->kind == LEAT_ADDRESS &&
        lt_read_address(form, length, octets))
        return done(leat_builder_address(builder, NULL, octets, sizeof octets));
    if (value->kind == LEAT_TEXT && type->kind == LEAT_PORT &&
        lt_broker_read_port(form, length, &port))
        return done(
            leat_builder_port(builder, NULL, (uint32_t)port & 0xffff, (uint32_t)(port >> 16)));
    return wrong(walk, "it is of another type", text(type->name), value);
}

/* ----- the walk ----- */

/* The kinds of containers that a type has: on the wire one, to be written also those of JSON. */
static bool fits_container(const struct walk *walk, const struct lt_zeek_type *type,
                           const leat_value *value)
{
    if (type->kind == LEAT_RECORD)
        return value->kind == (walk->writing ? LEAT_RECORD : LEAT_LIST);
    if (value->kind == type->kind)
        return true;
    return walk->writing &&
           (value->kind == LEAT_LIST || (type->kind == LEAT_TABLE && value->kind == LEAT_RECORD));
}

static bool convert(struct walk *walk, const char *name, const struct lt_zeek_type *type,
                    const leat_value *value)
{
    if (type->kind == LEAT_NULL)
        return done(leat_builder_copy(walk->builder, name, value));
    if (type->kind == LEAT_TEXT && type->of != 0 && !is_hex(value) &&
        fits_container(walk, &lt_zeek_types[type->of], value))
        type = &lt_zeek_types[type->of];
    if (type->kind < LEAT_LIST) {
        if (walk->writing)
            return write_scalar(walk, type, value);
        if (value->kind == type->kind)
            return done(leat_builder_copy(walk->builder, name, value));
    } else if (fits_container(walk, type, value)) {
        if (type->kind == LEAT_RECORD)
            return convert_record(walk, name, type, value);
        return convert_container(walk, name, type, value);
    }
    return wrong(walk, "it is of another type", text(type->name), value);
}

/* ----- events ----- */

static int mistake(leat_builder *builder, const char *what)
{
    if (builder->error.code != LEAT_OK)
        return builder->error.code;
    return lt_builder_fail(builder, builder->tree.count, LEAT_E_VALUE, 0, what, NULL);
}

static bool read_args(struct walk *walk, const char *name, const leat_value *args)
{
    if (args != NULL && args->kind != LEAT_LIST)
        return wrong(walk, "it is no list", NULL, args);
    if (leat_value_count(args) != walk->event->args.count)
        return wrong(walk, "another number of arguments", NULL, args);
    return done(leat_builder_open(walk->builder, name, LEAT_RECORD)) &&
           convert_fields(walk, walk->event->args, args, &walk->flaw.argument) &&
           done(leat_builder_close(walk->builder));
}

/*
 * Puts the sets and tables of an argument at that cell in Broker's order, so that none has an element or
 * a key twice, and finds what it cannot carry at all.
 */
static bool put_in_order(struct walk *walk, size_t cell, const struct lt_zeek_field *field,
                         const leat_value *args)
{
    struct lt_tree *tree = &walk->builder->tree;
    struct leat_error error = {.text = "an element or key that is there twice"};
    bool unsorted = false;
    size_t twice;
    int status = lt_broker_check(&tree->cells[cell], &unsorted, &error);

    if (status == LEAT_OK && unsorted)
        status = lt_broker_sort(tree, cell, &twice);
    if (status == LEAT_E_VALUE) {
        walk->flaw.argument = text(field->name);
        return wrong(walk, error.text, text(lt_zeek_types[field->type].name),
                     leat_value_get(args, walk->flaw.argument));
    }
    return status == LEAT_OK ||
           done(lt_builder_fail(walk->builder, tree->count, status, 0, "no memory to sort", NULL));
}

static bool write_args(struct walk *walk, const char *name, const leat_value *args)
{
    struct lt_zeek_span span = walk->event->args;
    struct lt_tree *tree = &walk->builder->tree;
    const char *event = walk->flaw.event;
    size_t cell, i;

    if (leat_value_kind(args) != LEAT_NULL && args->kind != LEAT_RECORD)
        return wrong(walk, "it is no record", NULL, args);
    if (!known_fields(walk, span, args) ||
        !done(leat_zeek_event_open(walk->builder, name, event, strlen(event))))
        return false;
    cell = tree->count;
    if (!convert_fields(walk, span, args, &walk->flaw.argument) ||
        !done(leat_zeek_event_close(walk->builder)))
        return false;
    for (i = 0; i < span.count; i++) {
        if (!put_in_order(walk, cell, &lt_zeek_fields[span.first + i], args))
            return false;
        cell += lt_cells(&tree->cells[cell]);
    }
    return true;
}

/* Reads or writes; a flaw is the mistake of the builder, too. */
static int walk_event(leat_builder *builder, const char *name, uint32_t kind, bool writing,
                      const leat_value *args, leat_zeek_management_flaw *flaw)
{
    struct walk walk = {.builder = builder, .writing = writing};
    size_t cells = builder->tree.count;

    if (flaw != NULL && flaw->size < sizeof flaw->size)
        return mistake(builder, "a flaw that was not initialised");
    walk.event = &lt_zeek_events[kind - 1];
    walk.flaw.event = text(walk.event->name);
    if ((writing ? write_args : read_args)(&walk, name, args) || builder->error.code != LEAT_OK)
        return builder->error.code;
    if (flaw != NULL) {
        walk.flaw.size = flaw->size;
        memcpy(flaw, &walk.flaw, flaw->size < sizeof *flaw ? (size_t)flaw->size : sizeof *flaw);
    }
    return lt_builder_fail(builder, cells, writing ? LEAT_E_VALUE : LEAT_E_SYNTAX, 0,
                           walk.flaw.what,
                           walk.flaw.field != NULL ? walk.flaw.field : walk.flaw.argument);
}

int leat_zeek_management_read(leat_builder *builder, const char *name,
                              const leat_zeek_message *message, leat_zeek_management_flaw *flaw)
{
    const leat_value *args = NULL;
    uint32_t kind = kind_of(message, &args);

    if (kind == 0)
        return mistake(builder, "no event of the Management framework");
    return walk_event(builder, name, kind, false, args, flaw);
}

int leat_zeek_management_write(leat_builder *builder, const char *name, uint32_t kind,
                               const leat_value *args, leat_zeek_management_flaw *flaw)
{
    if (leat_zeek_management_name(kind) == NULL)
        return mistake(builder, "no kind of event of the Management framework");
    return walk_event(builder, name, kind, true, args, flaw);
}

/* ----- the table ----- */

static void tell(leat_builder *builder, const char *name, const char *word)
{
    if (word == NULL)
        (void)leat_builder_null(builder, name);
    else
        (void)leat_builder_text(builder, name, word, strlen(word));
}

/* The type of the data that arguments of a type have in an event; NULL: they have none. */
static const char *data_of(const struct lt_zeek_event *event, const char *type)
{
    const size_t length = strlen(type), end = sizeof "Management::Result" - 1;

    if (event == NULL || length < end || strcmp(type + length - end, "Management::Result") != 0)
        return NULL;
    return text(lt_zeek_types[event->data].name);
}

/* The arguments of an event, or the fields of a record (event is NULL). */
static void describe_fields(leat_builder *builder, const char *name, struct lt_zeek_span span,
                            const struct lt_zeek_event *event)
{
    size_t i;

    (void)leat_builder_open(builder, name, LEAT_LIST);
    for (i = 0; i < span.count; i++) {
        const struct lt_zeek_field *field = &lt_zeek_fields[span.first + i];
        const char *type = text(lt_zeek_types[field->type].name);
        const char *data = data_of(event, type);

        (void)leat_builder_open(builder, NULL, LEAT_RECORD);
        tell(builder, "name", text(field->name));
        tell(builder, "type", type);
        (void)leat_builder_bool(builder, "optional", field->presence == LT_ZEEK_OPTIONAL);
        (void)put_default(builder, "default", field);
        tell(builder, "data", data);
        if (data != NULL)
            (void)leat_builder_bool(builder, "data_optional", event->presence == LT_ZEEK_OPTIONAL);
        else
            (void)leat_builder_null(builder, "data_optional");
        tell(builder, "since", field->since == 0 ? NULL : text(field->since));
        (void)leat_builder_close(builder);
    }
    (void)leat_builder_close(builder);
}

int leat_zeek_management_describe(leat_builder *builder, const char *name)
{
    uint32_t i, j;

    (void)leat_builder_open(builder, name, LEAT_RECORD);
    (void)leat_builder_u64(builder, "version", LEAT_ZEEK_MANAGEMENT_VERSION);
    (void)leat_builder_open(builder, "events", LEAT_LIST);
    for (i = 0; i < lt_zeek_event_total; i++) {
        const struct lt_zeek_event *event = &lt_zeek_events[i];

        (void)leat_builder_open(builder, NULL, LEAT_RECORD);
        (void)leat_builder_u64(builder, "kind", i + 1);
        tell(builder, "name", text(event->name));
        tell(builder, "topic", text(event->topic));
        tell(builder, "from", text(event->from));
        describe_fields(builder, "args", event->args, event);
        (void)leat_builder_close(builder);
    }
    (void)leat_builder_close(builder);
    (void)leat_builder_open(builder, "records", LEAT_LIST);
    for (i = 0; i < lt_zeek_record_total; i++) {
        (void)leat_builder_open(builder, NULL, LEAT_RECORD);
        tell(builder, "name", text(lt_zeek_records[i].name));
        describe_fields(builder, "fields", lt_zeek_records[i].of, NULL);
        (void)leat_builder_close(builder);
    }
    (void)leat_builder_close(builder);
    (void)leat_builder_open(builder, "enums", LEAT_LIST);
    for (i = 0; i < lt_zeek_enum_total; i++) {
        (void)leat_builder_open(builder, NULL, LEAT_RECORD);
        tell(builder, "name", text(lt_zeek_enums[i].name));
        (void)leat_builder_open(builder, "values", LEAT_LIST);
        for (j = 0; j < lt_zeek_enums[i].of.count; j++)
            tell(builder, NULL, text(lt_zeek_enum_values[lt_zeek_enums[i].of.first + j]));
        (void)leat_builder_close(builder);
        (void)leat_builder_close(builder);
    }
    (void)leat_builder_close(builder);
    return leat_builder_close(builder);
}
