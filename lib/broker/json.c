/*
 * The JSON form of values, as the WebSocket protocol has it: {"@data-type":"count","data":1}.
 *
 * Broker's own writer makes texts that are not JSON (raw control characters, \v, inf, nan) or lose
 * digits. We read all of these, and write none but nan. In everything else we are as strict as
 * JSON, and stricter than Broker, whose reader takes any text for a port.
 */
#include "json.h"
#include "../core/buffer.h"
#include "../core/builder.h"
#include "../core/text.h"
#include "data.h"
#include "form.h"
#include "order.h"

#include <leat/broker.h>
#include <math.h>

/* Broker reads no JSON that nests deeper, objects and arrays counted alike. */
#define JSON_LEVELS LT_DEPTH_MAX

/* Most cells that the JSON of a value is read into, for each cell of the value. */
#define JSON_CELLS 4u

/* ----- writing ----- */

/* A constant text, whose length the compiler knows. */
#define PUT(out, text) put_constant(out, text, sizeof text - 1)

static inline void put_constant(struct lt_writer *out, const char *text, size_t length)
{
    uint8_t *p = lt_put(out, length);

    if (p != NULL)
        memcpy(p, text, length);
}

/* All starts are longer than that, none is longer than two of it. */
#define HALF 20u

/* What comes before the data of a value. */
static inline void write_start(struct lt_writer *out, unsigned type)
{
#define START(type)                                                                                \
    {                                                                                              \
        sizeof "{\"@data-type\":\"" type "\",\"data\":" - 1,                                       \
            "{\"@data-type\":\"" type "\",\"data\":"                                               \
    }
    static const struct {
        uint8_t length;
        char text[35];
    } starts[] = {
        [LT_BROKER_NONE] = START("none"),         [LT_BROKER_BOOLEAN] = START("boolean"),
        [LT_BROKER_COUNT] = START("count"),       [LT_BROKER_INTEGER] = START("integer"),
        [LT_BROKER_REAL] = START("real"),         [LT_BROKER_STRING] = START("string"),
        [LT_BROKER_ADDRESS] = START("address"),   [LT_BROKER_SUBNET] = START("subnet"),
        [LT_BROKER_PORT] = START("port"),         [LT_BROKER_TIMESTAMP] = START("timestamp"),
        [LT_BROKER_TIMESPAN] = START("timespan"), [LT_BROKER_ENUM_VALUE] = START("enum-value"),
        [LT_BROKER_SET] = START("set"),           [LT_BROKER_TABLE] = START("table"),
        [LT_BROKER_VECTOR] = START("vector"),
    };
#undef START
    size_t length = starts[type].length, behind = length - HALF;
    uint8_t *p = lt_put(out, length);

    /* Two copies of a known size, which overlap, are faster than one of any size. */
    if (p != NULL) {
        memcpy(p, starts[type].text, HALF);
        memcpy(p + behind, starts[type].text + behind, HALF);
    }
}

/* Text of ASCII without anything to escape, which nearly all is; its length, or less. */
static size_t plain_octets(const uint8_t *text, size_t length)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    size_t at = 0;

    for (; length - at >= 8; at += 8) {
        uint64_t word = lt_load_u64le(text + at);
        uint64_t quote = word ^ (ones * '"'), backslash = word ^ (ones * '\\');

        if ((((quote - ones) | (backslash - ones) | (word - ones * 0x20) | word) & tops) != 0)
            return at;
    }
    while (at < length && text[at] >= 0x20 && text[at] < 0x80 && text[at] != '"' &&
           text[at] != '\\')
        at++;
    return at;
}

/* Refuses by returning what is wrong. */
static const char *write_text(struct lt_writer *out, const leat_value *cell)
{
    uint8_t *p;

    if (plain_octets(cell->u.bytes, cell->length) < cell->length) {
        if (lt_utf8_prefix(cell->u.bytes, cell->length) < cell->length)
            return "text that is not UTF-8 has no JSON form";
        lt_json_write_string(out, cell->u.bytes, cell->length);
        return NULL;
    }
    p = lt_put(out, (size_t)cell->length + 2);
    if (p != NULL) {
        p[0] = p[cell->length + 1] = '"';
        if (cell->length > 0)
            memcpy(p + 1, cell->u.bytes, cell->length);
    }
    return NULL;
}

static const char *write_real(struct lt_writer *out, double real)
{
    if (isinf(real))
        return "infinity has no JSON form";
    if (isnan(real))
        PUT(out, "nan");
    else
        lt_write_real(out, lt_broker_real(real));
    return NULL;
}

static void write_quoted(struct lt_writer *out, const leat_value *cell, unsigned type)
{
    uint8_t octets[16];

    lt_put_u8(out, '"');
    switch (type) {
    case LT_BROKER_ADDRESS:
        lt_write_address(out, cell->u.bytes, cell->length);
        break;
    case LT_BROKER_SUBNET:
        lt_broker_network(cell->u.bytes, cell->u.bytes[16], octets);
        lt_write_subnet(out, octets, cell->u.bytes[16]);
        break;
    case LT_BROKER_PORT:
        lt_write_port(out, (uint32_t)(cell->u.u64 & 0xffff), (uint32_t)(cell->u.u64 >> 16));
        break;
    case LT_BROKER_TIMESTAMP:
        lt_write_timestamp(out, cell->u.i64);
        break;
    default:
        lt_write_timespan(out, cell->u.i64);
        break;
    }
    lt_put_u8(out, '"');
}

static const char *write_scalar(struct lt_writer *out, const leat_value *cell, unsigned type)
{
    switch (type) {
    case LT_BROKER_NONE:
        PUT(out, "{}");
        return NULL;
    case LT_BROKER_BOOLEAN:
        lt_put_text(out, cell->u.u64 != 0 ? "true" : "false");
        return NULL;
    case LT_BROKER_COUNT:
        lt_write_u64(out, cell->u.u64);
        return NULL;
    case LT_BROKER_INTEGER:
        lt_write_i64(out, cell->u.i64);
        return NULL;
    case LT_BROKER_REAL:
        return write_real(out, cell->u.f64);
    case LT_BROKER_STRING:
    case LT_BROKER_ENUM_VALUE:
        return write_text(out, cell);
    default:
        write_quoted(out, cell, type);
        return NULL;
    }
}

/* A container that is being written. */
struct open {
    size_t left; /* values to come; of a table keys and values */
    bool table;
    bool begun;
};

/* What stands in front of a value. */
static void write_before(struct lt_writer *out, struct open *in)
{
    if (in->table && in->left % 2 != 0) {
        PUT(out, ",\"value\":");
    } else {
        if (in->begun)
            lt_put_u8(out, ',');
        if (in->table)
            PUT(out, "{\"key\":");
    }
    in->begun = true;
    in->left--;
}

/* Writes a value whose sets and tables ascend. */
static int write_value(struct lt_writer *out, const leat_value *value, struct leat_error *error)
{
    struct open stack[JSON_LEVELS];
    size_t depth = 0, levels = 0, index;

    for (index = 0;; index++) {
        const leat_value *cell = &value[index];
        unsigned type = lt_broker_type(cell);
        const char *what = NULL;

        if (depth > 0)
            write_before(out, &stack[depth - 1]);
        write_start(out, type);
        if (levels + (type == LT_BROKER_NONE || lt_is_container(cell) ? 2 : 1) > JSON_LEVELS)
            what = "nested too deeply for Broker's reader";
        else if (!lt_is_container(cell))
            what = write_scalar(out, cell, type);
        if (what != NULL)
            return lt_broker_refuse(error, value, index, what);
        if (lt_is_container(cell)) {
            struct open *in = &stack[depth++];

            lt_put_u8(out, '[');
            in->table = type == LT_BROKER_TABLE;
            in->left = in->table ? (size_t)cell->length * 2 : cell->length;
            in->begun = false;
            levels += in->table ? 3 : 2;
        } else {
            lt_put_u8(out, '}');
            if (depth > 0 && stack[depth - 1].table && stack[depth - 1].left % 2 == 0)
                lt_put_u8(out, '}');
        }
        while (depth > 0 && stack[depth - 1].left == 0) {
            depth--;
            levels -= stack[depth].table ? 3 : 2;
            PUT(out, "]}");
            if (depth > 0 && stack[depth - 1].table && stack[depth - 1].left % 2 == 0)
                lt_put_u8(out, '}');
        }
        if (depth == 0)
            return LEAT_OK;
    }
}

static int write_sorted(struct lt_writer *out, const leat_value *value, struct leat_error *error)
{
    struct lt_tree copy;
    bool unsorted;
    int status = lt_broker_check(value, &unsorted, error);

    if (status != LEAT_OK)
        return status;
    if (!unsorted)
        return write_value(out, value, error);
    status = lt_broker_sorted(value, out->allocator, &copy, error);
    if (status == LEAT_OK) {
        status = write_value(out, copy.cells, error);
        lt_tree_free(&copy);
    }
    return status;
}

int leat_broker_json(leat_buffer *buffer, const leat_value *value)
{
    size_t start = buffer->out.length;

    return lt_buffer_end(buffer, start, write_sorted(&buffer->out, value, &buffer->error));
}

int lt_broker_put_json_message(struct lt_writer *out, const char *topic, size_t length,
                               const leat_value *data, struct leat_error *error)
{
    size_t value;
    int status;

    if (lt_utf8_prefix((const uint8_t *)topic, length) < length)
        return lt_error(error, LEAT_E_VALUE, 0, "text that is not UTF-8 has no JSON form", "topic");
    PUT(out, "{\"type\":\"data-message\",\"topic\":");
    lt_json_write_string(out, (const uint8_t *)topic, length);
    value = out->length;
    status = write_sorted(out, data, error);
    if (status == LEAT_OK && out->status == LEAT_OK)
        out->data[value] = ','; /* instead of a brace: its members are the message's, too */
    return status;
}

int leat_broker_json_message(leat_buffer *buffer, const char *topic, size_t length,
                             const leat_value *data)
{
    size_t start = buffer->out.length;

    return lt_buffer_end(
        buffer, start,
        lt_broker_put_json_message(&buffer->out, topic, length, data, &buffer->error));
}

/* ----- reading ----- */

/*
 * The text is read as any JSON into the tree first; then the value is made behind that, and moved
 * to where the JSON began.
 */
struct reading {
    struct lt_tree *tree;
    struct leat_error *error;
    const uint8_t *text;
    size_t length;
    size_t place; /* in the text, of what is being read; as near as is known */
    size_t depth; /* how deep containers may nest */
    enum lt_broker_json_verdict verdict;
    bool unsorted;
    bool refused; /* something that is read but would not be written */
};

static int refuse(const struct reading *r, int code, const char *what, unsigned type)
{
    return lt_error(r->error, code, r->place, what, lt_broker_type_name(type));
}

static int refuse_twice(struct reading *r, unsigned type)
{
    r->verdict = LT_BROKER_JSON_TWICE;
    return refuse(r, LEAT_E_SYNTAX, "an element or key that is there twice", type);
}

/* The name of a member stands in the text unless it had escapes. */
static void look_at(struct reading *r, const leat_value *json)
{
    uintptr_t at =
        (uintptr_t)(json->kind == LEAT_TEXT ? json->u.bytes : (const uint8_t *)json->name);
    uintptr_t text = (uintptr_t)r->text;

    if (at >= text && at - text < r->length)
        r->place = (size_t)(at - text);
}

static const leat_value *member(const leat_value *object, const char *name, size_t length)
{
    size_t place = 0;

    return leat_value_find(object, name, length, &place);
}

static bool is_text(const leat_value *json, const char *text)
{
    size_t length = strlen(text);

    return json->kind == LEAT_TEXT && json->length == length &&
           (length == 0 || memcmp(json->u.bytes, text, length) == 0);
}

static unsigned type_named(const leat_value *json)
{
    unsigned type;

    for (type = 0; type < LT_BROKER_TYPES; type++) {
        if (is_text(json, lt_broker_type_name(type)))
            break;
    }
    return type;
}

/* A number of the type, exactly. */
static bool read_number(unsigned type, const leat_value *json, leat_value *cell)
{
    cell->u = json->u;
    switch (type) {
    case LT_BROKER_BOOLEAN:
        return json->kind == LEAT_BOOL;
    case LT_BROKER_COUNT:
        return json->kind == LEAT_UINT;
    case LT_BROKER_INTEGER:
        return json->kind == LEAT_INT || (json->kind == LEAT_UINT && json->u.u64 <= INT64_MAX);
    default:
        return json->kind == LEAT_REAL;
    }
}

/* A value that is written as a string with a form of its own. */
static bool read_form(unsigned type, const leat_value *json, leat_value *cell, uint8_t *octets)
{
    const char *text = (const char *)json->u.bytes;

    if (json->kind != LEAT_TEXT || json->length == 0)
        return false;
    switch (type) {
    case LT_BROKER_ADDRESS:
    case LT_BROKER_SUBNET:
        cell->u.bytes = octets;
        cell->length = 16;
        return type == LT_BROKER_ADDRESS ? lt_read_address(text, json->length, octets)
                                         : lt_broker_read_subnet(text, json->length, octets);
    case LT_BROKER_PORT:
        return lt_broker_read_port(text, json->length, &cell->u.u64);
    case LT_BROKER_TIMESTAMP:
        return lt_broker_read_timestamp(text, json->length, &cell->u.i64);
    default:
        return lt_broker_read_timespan(text, json->length, &cell->u.i64);
    }
}

static int read_scalar(struct reading *r, unsigned type, const leat_value *json)
{
    leat_value *cell = lt_tree_push(r->tree, lt_broker_kind(type), LT_NO_NAME);
    uint8_t *octets = NULL;
    bool sound;

    cell->length = 0;
    cell->u.u64 = 0;
    switch (type) {
    case LT_BROKER_NONE:
        return LEAT_OK;
    case LT_BROKER_BOOLEAN:
    case LT_BROKER_COUNT:
    case LT_BROKER_INTEGER:
    case LT_BROKER_REAL:
        sound = read_number(type, json, cell);
        r->refused |= type == LT_BROKER_REAL && isnan(cell->u.f64);
        break;
    case LT_BROKER_STRING:
    case LT_BROKER_ENUM_VALUE:
        sound = json->kind == LEAT_TEXT;
        cell->u = json->u;
        cell->length = json->length;
        break;
    default:
        if (type == LT_BROKER_ADDRESS || type == LT_BROKER_SUBNET) {
            octets = (uint8_t *)lt_arena_alloc(&r->tree->arena, 17);
            if (octets == NULL)
                return refuse(r, LEAT_E_NOMEM, "out of memory", LT_BROKER_NO_TYPE);
        }
        sound = read_form(type, json, cell, octets);
        break;
    }
    if (sound)
        return LEAT_OK;
    look_at(r, json);
    return refuse(r, LEAT_E_SYNTAX, "data is not of its type", type);
}

/* A container that is being read. */
struct source {
    const leat_value *next;  /* JSON of the next element, or pair */
    const leat_value *value; /* of a table: the value whose key was read last */
};

/* The JSON of the next value in a container; NULL if a pair is not one. */
static const leat_value *next_json(struct reading *r, struct source *source, bool table)
{
    const leat_value *json = source->next;

    if (source->value != NULL) {
        json = source->value;
        source->value = NULL;
        return json;
    }
    source->next += lt_cells(json);
    if (!table)
        return json;
    source->value = member(json, "value", 5);
    json = member(json, "key", 3);
    if (json == NULL || source->value == NULL) {
        (void)refuse(r, LEAT_E_SYNTAX, "a pair of key and value is missing", LT_BROKER_TABLE);
        return NULL;
    }
    return json;
}

/* Begins a value: a scalar is complete then, a container has its cell. */
static int read_start(struct reading *r, const leat_value *json, size_t depth,
                      struct source *source)
{
    const leat_value *data = member(json, "data", 4);
    const leat_value *name = member(json, "@data-type", 10);
    unsigned type;

    look_at(r, json);
    if (name == NULL)
        return refuse(r, LEAT_E_SYNTAX, "not an object with @data-type", LT_BROKER_NO_TYPE);
    look_at(r, name);
    type = type_named(name);
    if (type == LT_BROKER_NO_TYPE)
        return refuse(r, LEAT_E_SYNTAX, "unknown @data-type", type);
    if (data == NULL && type != LT_BROKER_NONE)
        return refuse(r, LEAT_E_SYNTAX, "no data", type);
    if (type < LT_BROKER_SET)
        return read_scalar(r, type, data);
    if (data->kind != LEAT_LIST || depth >= r->depth) {
        look_at(r, data);
        return data->kind != LEAT_LIST ? refuse(r, LEAT_E_SYNTAX, "data is not of its type", type)
                                       : refuse(r, LEAT_E_LIMIT, "nested too deeply", type);
    }
    (void)lt_tree_open(r->tree, lt_broker_kind(type), LT_NO_NAME);
    lt_tree_close(r->tree, r->tree->count - 1, data->length);
    source->next = data + 1;
    source->value = NULL;
    return LEAT_OK;
}

/* Makes the value of the JSON; there is room for its cells. */
static int read_values(struct reading *r, const leat_value *json)
{
    struct lt_broker_level around[LT_DEPTH_MAX];
    struct source
        sources[LT_DEPTH_MAX + 1]; /* of what is around a value; the last one is its own */
    struct lt_broker_level level = lt_broker_outside();
    leat_value *cells = r->tree->cells;
    size_t depth = 0;

    for (;;) {
        size_t index = r->tree->count;
        int status = read_start(r, json, depth, &sources[depth]);

        if (status != LEAT_OK)
            return status;
        if (lt_is_container(&cells[index]) && cells[index].length > 0) {
            around[depth++] = level;
            level = lt_broker_level(index, &cells[index]);
        } else {
            for (;;) {
                int difference = lt_broker_next(&level, cells, index);

                if (difference == 0 && !r->unsorted)
                    return refuse_twice(r, lt_broker_type(&cells[level.cell]));
                r->unsorted |= difference < 0;
                if (level.left > 0)
                    break;
                if (depth == 0)
                    return LEAT_OK;
                index = level.cell;
                lt_tree_close(r->tree, index, cells[index].length);
                level = around[--depth];
            }
        }
        json = next_json(r, &sources[depth - 1], cells[level.cell].kind == LEAT_TABLE);
        if (json == NULL)
            return LEAT_E_SYNTAX;
    }
}

/* Broker's reader refuses a carriage return between tokens; JSON would not. */
static const uint8_t *bare_return(const uint8_t *text, size_t length)
{
    bool string = false;
    size_t i;

    if (memchr(text, '\r', length) == NULL)
        return NULL;
    for (i = 0; i < length; i++) {
        if (text[i] == '"')
            string = !string;
        else if (text[i] == '\\')
            i++;
        else if (text[i] == '\r' && !string)
            return text + i;
    }
    return NULL;
}

/* Reads all of the text as JSON, into the tree. */
static int read_json(struct reading *r, size_t root, size_t depth)
{
    struct lt_json json = {.tree = r->tree, .depth = depth, .last = true, .lenient = true};
    const uint8_t *bare = bare_return(r->text, r->length);
    size_t limit = r->tree->limit, most = SIZE_MAX / sizeof *r->tree->cells;
    size_t used = 0;
    int status;

    if (bare != NULL)
        return lt_error(r->error, LEAT_E_SYNTAX, (uint64_t)(bare - r->text),
                        "a carriage return between tokens", NULL);
    /* What is limited is the value. The JSON of one has three cells, and a pair has one. */
    r->tree->limit = limit < most / JSON_CELLS ? (limit + 1) * JSON_CELLS : most;
    status = lt_json_read(&json, r->text, r->length, LT_NO_NAME, &used, r->error);
    r->tree->limit = most;
    r->place = used + lt_json_space(r->text + used, r->length - used);
    if (status == LEAT_OK && r->place < r->length)
        status = refuse(r, LEAT_E_SYNTAX, "text behind the value", LT_BROKER_NO_TYPE);
    r->place = 0;
    if (status == LEAT_OK) {
        /* Each value is made of a cell at least; a message is a record with two fields more. */
        status = lt_tree_reserve(r->tree, r->tree->count - root + 3);
        if (status != LEAT_OK)
            (void)refuse(r, status, "out of memory", LT_BROKER_NO_TYPE);
    }
    r->tree->limit = limit;
    return status;
}

/* Puts what was made behind the JSON in its place. */
static int replace_json(const struct reading *r, size_t root, size_t start, const char *name,
                        uint16_t name_length)
{
    struct lt_tree *tree = r->tree;

    memmove(tree->cells + root, tree->cells + start, (tree->count - start) * sizeof *tree->cells);
    tree->count = root + (tree->count - start);
    tree->cells[root].name = name;
    tree->cells[root].name_length = name_length;
    return tree->count <= tree->limit
               ? LEAT_OK
               : refuse(r, LEAT_E_LIMIT, "too many values", LT_BROKER_NO_TYPE);
}

static int sort_values(struct reading *r, size_t root)
{
    size_t twice;
    int status = r->unsorted ? lt_broker_sort(r->tree, root, &twice) : LEAT_OK;

    r->place = 0;
    if (!r->refused)
        r->tree->cells[root].reserved = LT_BROKER_CHECKED;
    if (status == LEAT_E_VALUE)
        return refuse_twice(r, LT_BROKER_NO_TYPE);
    return status == LEAT_OK
               ? LEAT_OK
               : refuse(r, status, status == LEAT_E_LIMIT ? "too many values" : "out of memory",
                        LT_BROKER_NO_TYPE);
}

/* Makes the value that the JSON at root is. */
static int make_value(struct reading *r, size_t root, const char *name, uint16_t name_length)
{
    size_t start = r->tree->count;
    int status = read_values(r, r->tree->cells + root);

    if (status == LEAT_OK)
        status = replace_json(r, root, start, name, name_length);
    return status == LEAT_OK ? sort_values(r, root) : status;
}

/* A text of the message; missing: empty. */
static int read_text(struct reading *r, const leat_value *message, const char *name,
                     uint16_t length)
{
    const leat_value *json = member(message, name, length);

    if (json != NULL && json->kind != LEAT_TEXT) {
        look_at(r, json);
        return lt_error(r->error, LEAT_E_SYNTAX, r->place, "not a text", name);
    }
    lt_tree_bytes(r->tree, LEAT_TEXT, name, length, json == NULL ? NULL : json->u.bytes,
                  json == NULL ? 0 : json->length);
    return LEAT_OK;
}

/* Makes the record of a data message that the JSON at root is; other messages stay as they are. */
static int make_message(struct reading *r, size_t root, const char *name, uint16_t name_length)
{
    struct lt_tree *tree = r->tree;
    const leat_value *message = tree->cells + root;
    size_t start = tree->count, data;
    int status;

    r->verdict = message->kind == LEAT_RECORD ? LT_BROKER_JSON_INVALID : LT_BROKER_JSON_NO_OBJECT;
    if (message->kind != LEAT_RECORD)
        return refuse(r, LEAT_E_SYNTAX, "not an object", LT_BROKER_NO_TYPE);
    if (member(message, "@data-type", 10) == NULL) {
        /* What stays JSON may nest as a value may, not as the JSON of one. */
        r->verdict = LT_BROKER_JSON_OTHER;
        tree->count = root;
        status = read_json(r, root, r->depth);
        return status == LEAT_OK ? replace_json(r, root, root, name, name_length) : status;
    }
    if (r->depth-- == 0)
        return refuse(r, LEAT_E_LIMIT, "nested too deeply", LT_BROKER_NO_TYPE);
    (void)lt_tree_open(tree, LEAT_RECORD, LT_NO_NAME);
    status = read_text(r, message, LT_NAME("type"));
    if (status == LEAT_OK)
        status = read_text(r, message, LT_NAME("topic"));
    if (status != LEAT_OK)
        return status;
    data = tree->count;
    status = read_values(r, message);
    if (status != LEAT_OK)
        return status;
    tree->cells[data].name = "data";
    tree->cells[data].name_length = 4;
    lt_tree_close(tree, start, 3);
    data -= start - root;
    status = replace_json(r, root, start, name, name_length);
    if (status == LEAT_OK)
        status = sort_values(r, data);
    if (status == LEAT_OK)
        r->verdict = LT_BROKER_JSON_DATA;
    return status;
}

typedef int maker(struct reading *r, size_t root, const char *name, uint16_t name_length);

static int read_into(leat_builder *builder, const char *name, const char *text, size_t length,
                     maker *make)
{
    size_t root = builder->tree.count;
    struct leat_error error = {0};
    struct reading r = {.tree = &builder->tree, .error = &error, .length = length};
    uint16_t name_length;
    int status = lt_builder_place(builder, &name, &name_length);

    if (status != LEAT_OK)
        return status;
    r.depth = (size_t)builder->limits.depth - builder->depth;
    r.text = lt_builder_keep(builder, text, length);
    if (r.text == NULL)
        return lt_builder_fail(builder, root, LEAT_E_NOMEM, 0, "out of memory", NULL);
    status = read_json(&r, root, JSON_LEVELS);
    if (status == LEAT_OK)
        status = make(&r, root, name, name_length);
    if (status != LEAT_OK)
        return lt_builder_fail(builder, root, status, error.offset, error.text, error.field);
    return lt_builder_added(builder);
}

int leat_broker_json_read(leat_builder *builder, const char *name, const char *text, size_t length)
{
    return read_into(builder, name, text, length, make_value);
}

int leat_broker_json_message_read(leat_builder *builder, const char *name, const char *text,
                                  size_t length)
{
    return read_into(builder, name, text, length, make_message);
}

int lt_broker_read_json_message(struct lt_tree *tree, size_t depth, const char *name,
                                uint16_t name_length, const uint8_t *text, size_t length,
                                enum lt_broker_json_verdict *verdict, struct leat_error *error)
{
    struct reading r = {
        .tree = tree, .error = error, .text = text, .length = length, .depth = depth};
    size_t root = tree->count;
    int status = read_json(&r, root, JSON_LEVELS);

    if (status == LEAT_OK)
        status = make_message(&r, root, name, name_length);
    *verdict = r.verdict;
    return status;
}

int lt_broker_read_any_json(struct lt_tree *tree, size_t depth, const char *name,
                            uint16_t name_length, const uint8_t *text, size_t length,
                            struct leat_error *error)
{
    struct reading r = {.tree = tree, .error = error, .text = text, .length = length};
    size_t root = tree->count;
    int status = read_json(&r, root, depth);

    return status == LEAT_OK ? replace_json(&r, root, root, name, name_length) : status;
}
