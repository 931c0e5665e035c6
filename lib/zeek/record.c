/* The records of log writes, and the fields of log creates, by which they are read and written. */
#include "../core/buffer.h"
#include "../core/builder.h"
#include "log.h"

#include <string.h>

static const struct lt_zeek_element field_elements[] = {
    {"name", 1u << LEAT_TEXT},     {"secondary name", 1u << LEAT_TEXT | 1u << LEAT_NULL},
    {"type", 1u << LEAT_UINT},     {"subtype", 1u << LEAT_UINT},
    {"optional", 1u << LEAT_BOOL},
};

#define FIELD_ELEMENTS (sizeof field_elements / sizeof *field_elements)

bool lt_zeek_log_field(const leat_value *value, leat_zeek_log_field *field,
                       struct lt_zeek_flaw *flaw)
{
    const leat_value *found[FIELD_ELEMENTS + 1];
    size_t i;

    if (!lt_zeek_elements(value, "field", field_elements, FIELD_ELEMENTS, found, flaw))
        return false;
    for (i = 2; i <= 3; i++) {
        if (found[i]->u.u64 > UINT32_MAX)
            return lt_zeek_flaw(flaw, "no number of a type", field_elements[i].name, found[i]);
    }
    field->name = leat_value_text(found[0], &field->name_length);
    if (found[1]->kind == LEAT_TEXT)
        field->secondary = leat_value_text(found[1], &field->secondary_length);
    field->type = (uint32_t)found[2]->u.u64;
    field->subtype = (uint32_t)found[3]->u.u64;
    field->optional = found[4]->u.u64 != 0;
    return true;
}

#define FIELD_BYTES 9 /* type, subtype, and whether there is a value */

#define IPV4 4u
#define IPV6 6u

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}; /* in front of an IPv4 address */

/* The types that have a name, which errors tell. */
static const char *const type_names[] = {
    [LEAT_ZEEK_TYPE_BOOL] = "bool",     [LEAT_ZEEK_TYPE_INT] = "int",
    [LEAT_ZEEK_TYPE_COUNT] = "count",   [LEAT_ZEEK_TYPE_DOUBLE] = "double",
    [LEAT_ZEEK_TYPE_TIME] = "time",     [LEAT_ZEEK_TYPE_INTERVAL] = "interval",
    [LEAT_ZEEK_TYPE_STRING] = "string", [LEAT_ZEEK_TYPE_ENUM] = "enum",
    [LEAT_ZEEK_TYPE_PORT] = "port",     [LEAT_ZEEK_TYPE_ADDR] = "addr",
    [LEAT_ZEEK_TYPE_SUBNET] = "subnet", [LEAT_ZEEK_TYPE_SET] = "set",
    [LEAT_ZEEK_TYPE_FUNC] = "func",     [LEAT_ZEEK_TYPE_VECTOR] = "vector",
};

static const char *type_name(uint64_t type)
{
    return type < sizeof type_names / sizeof *type_names ? type_names[type] : NULL;
}

/* What a value is written as; 0: there is no such type. */
static const uint8_t type_of_kind[LEAT_RECORD + 1] = {
    [LEAT_BOOL] = LEAT_ZEEK_TYPE_BOOL,      [LEAT_INT] = LEAT_ZEEK_TYPE_INT,
    [LEAT_UINT] = LEAT_ZEEK_TYPE_COUNT,     [LEAT_REAL] = LEAT_ZEEK_TYPE_DOUBLE,
    [LEAT_TEXT] = LEAT_ZEEK_TYPE_STRING,    [LEAT_ADDRESS] = LEAT_ZEEK_TYPE_ADDR,
    [LEAT_SUBNET] = LEAT_ZEEK_TYPE_SUBNET,  [LEAT_PORT] = LEAT_ZEEK_TYPE_PORT,
    [LEAT_TIMESTAMP] = LEAT_ZEEK_TYPE_TIME, [LEAT_TIMESPAN] = LEAT_ZEEK_TYPE_INTERVAL,
    [LEAT_ENUM] = LEAT_ZEEK_TYPE_ENUM,      [LEAT_LIST] = LEAT_ZEEK_TYPE_VECTOR,
    [LEAT_SET] = LEAT_ZEEK_TYPE_SET,
};

/*
 * Types that must be those of the log create. Of what is inside containers that are themselves in
 * one, the create tells nothing.
 */
#define ANY_TYPE UINT64_MAX

#define NS_IN_SECOND 1000000000

/* Seconds whose nanoseconds fit. NaN does not. */
static bool fits_ns(double seconds)
{
    return seconds > -9223372036.0 && seconds < 9223372036.0;
}

/* Rounds. Whole seconds are split off, since doubles of them are exact and those of ns are not. */
static int64_t ns_of(double seconds)
{
    int64_t whole = (int64_t)seconds;
    double rest = (seconds - (double)whole) * NS_IN_SECOND;

    return whole * NS_IN_SECOND + (int64_t)(rest < 0 ? rest - 0.5 : rest + 0.5);
}

static double seconds_of(int64_t ns)
{
    return (double)(ns / NS_IN_SECOND) + (double)(ns % NS_IN_SECOND) / NS_IN_SECOND;
}

static uint64_t bits_of(double real)
{
    uint64_t bits;

    memcpy(&bits, &real, sizeof bits);
    return bits;
}

/* ----- reading records ----- */

struct reading {
    leat_builder *builder;
    size_t count; /* cells of the builder before */
    struct lt_reader in;
    const uint8_t *start;
    const leat_value *fields; /* of the log create; NULL: not known */
    const leat_value *field;  /* that of the next value */
    uint64_t subtype;         /* what elements must be */
    size_t depth;             /* containers that are open, the record included */
    struct {
        size_t cell;
        uint32_t count;
        uint32_t left;
    } levels[LT_DEPTH_MAX];
};

static int fail(const struct reading *r, int code, const uint8_t *at, const char *what,
                const char *field)
{
    return lt_builder_fail(r->builder, r->count, code, (uint64_t)(at - r->start), what, field);
}

static int no_room(const struct reading *r, int code)
{
    return fail(r, code, r->in.at, code == LEAT_E_LIMIT ? "too many values" : "out of memory",
                NULL);
}

/* Opens the container whose cell was pushed last. */
static int enter(struct reading *r, const uint8_t *at, uint64_t count, const char *field)
{
    struct lt_tree *tree = &r->builder->tree;

    if (r->builder->depth + r->depth >= r->builder->limits.depth)
        return fail(r, LEAT_E_LIMIT, at, "nested too deeply", field);
    if (count > lt_left(&r->in) / FIELD_BYTES || count > UINT32_MAX)
        return fail(r, LEAT_E_SYNTAX, at, "more values announced than octets are left", field);
    r->levels[r->depth].cell = tree->count - 1;
    r->levels[r->depth].count = r->levels[r->depth].left = (uint32_t)count;
    r->depth++;
    return LEAT_OK;
}

/* Closes what is complete. False: the record is. */
static bool leave(struct reading *r)
{
    while (r->depth > 0 && r->levels[r->depth - 1].left == 0) {
        r->depth--;
        lt_tree_close(&r->builder->tree, r->levels[r->depth].cell, r->levels[r->depth].count);
    }
    return r->depth > 0;
}

/* An address of 16 octets, in the builder, with room for a prefix; NULL: no memory, or no address. */
static uint8_t *read_address(struct reading *r, const uint8_t *at, bool *ipv4, int *status)
{
    uint8_t family = lt_u8(&r->in);
    const uint8_t *from;
    uint8_t *octets;

    if (lt_ok(&r->in) && family != IPV4 && family != IPV6) {
        *status = fail(r, LEAT_E_SYNTAX, at, "unknown family of an address", "addr");
        return NULL;
    }
    *ipv4 = family == IPV4;
    from = lt_take(&r->in, *ipv4 ? 4 : 16);
    if (from == NULL)
        return NULL;
    octets = (uint8_t *)lt_arena_alloc(&r->builder->tree.arena, 17);
    if (octets == NULL) {
        *status = no_room(r, LEAT_E_NOMEM);
        return NULL;
    }
    memcpy(octets, mapped, sizeof mapped);
    memcpy(*ipv4 ? octets + sizeof mapped : octets, from, *ipv4 ? 4 : 16);
    return octets;
}

/* Reads what stands behind the header of a value into its cell. */
static int read_content(struct reading *r, const uint8_t *at, uint32_t type)
{
    struct lt_tree *tree = &r->builder->tree;
    leat_value *cell = &tree->cells[tree->count - 1];
    struct lt_reader *in = &r->in;
    int status = LEAT_OK;
    uint8_t prefix;
    uint8_t *octets;
    uint64_t number;
    bool ipv4 = false;

    switch (type) {
    case LEAT_ZEEK_TYPE_BOOL:
        cell->kind = LEAT_BOOL;
        cell->u.u64 = lt_u64be(in) != 0;
        break;
    case LEAT_ZEEK_TYPE_INT:
        cell->kind = LEAT_INT;
        cell->u.u64 = lt_u64be(in);
        break;
    case LEAT_ZEEK_TYPE_COUNT:
        cell->kind = LEAT_UINT;
        cell->u.u64 = lt_u64be(in);
        break;
    case LEAT_ZEEK_TYPE_DOUBLE:
    case LEAT_ZEEK_TYPE_TIME:
    case LEAT_ZEEK_TYPE_INTERVAL:
        cell->kind = LEAT_REAL;
        cell->u.u64 = lt_u64be(in);
        if (type == LEAT_ZEEK_TYPE_DOUBLE || !fits_ns(cell->u.f64))
            break;
        cell->kind = type == LEAT_ZEEK_TYPE_TIME ? LEAT_TIMESTAMP : LEAT_TIMESPAN;
        cell->u.i64 = ns_of(cell->u.f64);
        break;
    case LEAT_ZEEK_TYPE_STRING:
    case LEAT_ZEEK_TYPE_ENUM:
        cell->kind = type == LEAT_ZEEK_TYPE_ENUM ? LEAT_ENUM : LEAT_TEXT;
        cell->length = lt_u32be(in);
        cell->u.bytes = lt_take(in, cell->length);
        break;
    case LEAT_ZEEK_TYPE_PORT:
        cell->kind = LEAT_PORT;
        number = lt_u64be(in);
        cell->u.u64 = number | (uint64_t)lt_u32be(in) << 16;
        if (lt_ok(in) && (number > UINT16_MAX || cell->u.u64 >> 16 > LEAT_PROTOCOL_ICMP))
            return fail(r, LEAT_E_SYNTAX, at, "not a port", "port");
        break;
    case LEAT_ZEEK_TYPE_ADDR:
        cell->kind = LEAT_ADDRESS;
        cell->length = 16;
        cell->u.bytes = read_address(r, at, &ipv4, &status);
        break;
    case LEAT_ZEEK_TYPE_SUBNET:
        cell->kind = LEAT_SUBNET;
        cell->length = 16;
        prefix = lt_u8(in);
        cell->u.bytes = octets = read_address(r, at, &ipv4, &status);
        if (octets == NULL)
            break;
        if (prefix > 128 || (ipv4 && prefix < 96))
            return fail(r, LEAT_E_SYNTAX, at, "no prefix of such an address", "subnet");
        octets[16] = prefix;
        break;
    case LEAT_ZEEK_TYPE_SET:
    case LEAT_ZEEK_TYPE_VECTOR:
        cell->kind = type == LEAT_ZEEK_TYPE_SET ? LEAT_SET : LEAT_LIST;
        number = lt_u64be(in);
        return lt_ok(in) ? enter(r, at, number, type_name(type)) : LEAT_OK;
    default:
        return fail(r, LEAT_E_SYNTAX, at, "a type whose values are not known", type_name(type));
    }
    return status;
}

/* What the log create says of the next value. */
static int declared(struct reading *r, uint64_t *type, const char **name, size_t *length)
{
    leat_zeek_log_field field = {0};
    struct lt_zeek_flaw flaw;

    *type = r->depth == 2 ? r->subtype : ANY_TYPE;
    if (r->depth > 1 || r->fields == NULL)
        return LEAT_OK;
    if (!lt_zeek_log_field(r->field, &field, &flaw))
        return fail(r, LEAT_E_VALUE, r->in.at, flaw.what, flaw.field);
    r->field = leat_value_next(r->fields, r->field);
    if (field.name_length > UINT16_MAX)
        return fail(r, LEAT_E_LIMIT, r->in.at, "name longer than 65535 octets", NULL);
    *name = (const char *)lt_builder_keep(r->builder, field.name, field.name_length);
    *length = field.name_length;
    *type = field.type;
    r->subtype = field.subtype;
    return *name == NULL ? no_room(r, LEAT_E_NOMEM) : LEAT_OK;
}

static int read_value(struct reading *r)
{
    struct lt_tree *tree = &r->builder->tree;
    const uint8_t *at = r->in.at;
    const char *name = NULL;
    size_t length = 0;
    const uint8_t *header;
    uint64_t wanted;
    uint32_t type;
    bool present;
    leat_value *cell;
    int status = declared(r, &wanted, &name, &length);

    if (status != LEAT_OK)
        return status;
    status = lt_tree_reserve(tree, 1);
    if (status != LEAT_OK)
        return no_room(r, status);
    r->levels[r->depth - 1].left--;
    header = lt_take(&r->in, FIELD_BYTES);
    if (header == NULL)
        return fail(r, LEAT_E_SYNTAX, at, "the record ends too early", NULL);
    type = lt_load_u32be(header); /* the subtype behind it the elements know better */
    present = header[8] != 0;
    if (wanted != ANY_TYPE && type != wanted)
        return fail(r, LEAT_E_SYNTAX, at, "another type than the log has", type_name(type));
    cell = lt_tree_push(tree, LEAT_NULL, name, (uint16_t)length);
    cell->u.u64 = 0;
    cell->length = 0;
    if (present)
        status = read_content(r, at, type);
    else if (wanted == ANY_TYPE && r->fields != NULL)
        return fail(r, LEAT_E_SYNTAX, at, "an element without a value", type_name(type));
    if (status == LEAT_OK && !lt_ok(&r->in))
        return fail(r, LEAT_E_SYNTAX, r->in.bad, "the record ends too early", type_name(type));
    return status;
}

int leat_zeek_record_read(leat_builder *builder, const char *name, const leat_value *fields,
                          const void *octets, size_t length)
{
    struct reading r;
    uint16_t name_length;
    uint32_t count;
    int status = lt_builder_place(builder, &name, &name_length);

    if (status != LEAT_OK)
        return status;
    r.builder = builder;
    r.count = builder->tree.count;
    r.fields = fields;
    r.field = leat_value_first(fields);
    r.subtype = ANY_TYPE;
    r.depth = 0;
    r.start = lt_builder_keep(builder, octets, length);
    if (r.start == NULL)
        return lt_builder_fail(builder, r.count, LEAT_E_NOMEM, 0, "out of memory", NULL);
    r.in = lt_reader(r.start, length);
    if (fields != NULL && fields->kind != LEAT_LIST)
        return fail(&r, LEAT_E_VALUE, r.start, "not a list", "fields");
    count = lt_u32be(&r.in);
    if (!lt_ok(&r.in))
        return fail(&r, LEAT_E_SYNTAX, r.start, "the record ends too early", "number of fields");
    if (fields != NULL && count != fields->length)
        return fail(&r, LEAT_E_SYNTAX, r.start, "another number of fields than the log has",
                    "number of fields");
    (void)lt_tree_open(&builder->tree, fields != NULL ? LEAT_RECORD : LEAT_LIST, name, name_length);
    status = enter(&r, r.start, count, "number of fields");
    while (status == LEAT_OK && leave(&r))
        status = read_value(&r);
    if (status != LEAT_OK)
        return status;
    if (lt_left(&r.in) > 0)
        return fail(&r, LEAT_E_SYNTAX, r.in.at, "octets behind the last field", NULL);
    return lt_builder_added(builder);
}

/* ----- writing records ----- */

static void put_address(struct lt_writer *out, const uint8_t *octets, bool ipv4)
{
    lt_put_u8(out, ipv4 ? IPV4 : IPV6);
    lt_put_bytes(out, ipv4 ? octets + sizeof mapped : octets, ipv4 ? 4 : 16);
}

static bool is_mapped(const uint8_t *octets)
{
    return memcmp(octets, mapped, sizeof mapped) == 0;
}

/* What stands behind the header of a value; of a container the number of its elements. */
static void put_content(struct lt_writer *out, const leat_value *cell)
{
    const uint8_t *octets = cell->u.bytes;
    uint64_t number = cell->u.u64; /* BOOL, INT, UINT, and REAL, whose bits these are */

    switch (cell->kind) {
    case LEAT_TEXT:
    case LEAT_ENUM:
        lt_put_u32be(out, cell->length);
        lt_put_bytes(out, octets, cell->length);
        return;
    case LEAT_ADDRESS:
        if (cell->length == 4) {
            lt_put_u8(out, IPV4);
            lt_put_bytes(out, octets, 4);
        } else {
            put_address(out, octets, is_mapped(octets));
        }
        return;
    case LEAT_SUBNET:
        lt_put_u8(out, octets[16]);
        put_address(out, octets, is_mapped(octets) && octets[16] >= 96);
        return;
    case LEAT_PORT:
        lt_put_u64be(out, number & UINT16_MAX);
        lt_put_u32be(out, (uint32_t)(number >> 16));
        return;
    case LEAT_TIMESTAMP:
    case LEAT_TIMESPAN:
        number = bits_of(seconds_of(cell->u.i64));
        break;
    case LEAT_LIST:
    case LEAT_SET:
        number = cell->length;
        break;
    default:
        break;
    }
    lt_put_u64be(out, number);
}

struct writing {
    struct lt_writer *out;
    size_t start;
    struct leat_error *error;
};

static bool refuse(const struct writing *w, const char *what, const char *field)
{
    (void)lt_error(w->error, LEAT_E_VALUE, w->out->length - w->start, what, field);
    return false;
}

/* One cell, as the type that it must be. */
static bool put_cell(const struct writing *w, const leat_value *cell, uint64_t wanted)
{
    uint64_t type = cell->kind <= LEAT_RECORD ? type_of_kind[cell->kind] : 0;
    bool present = cell->kind != LEAT_NULL;
    uint8_t *header;

    if (!present || (cell->kind == LEAT_REAL &&
                     (wanted == LEAT_ZEEK_TYPE_TIME || wanted == LEAT_ZEEK_TYPE_INTERVAL)))
        type = wanted;
    if (type == ANY_TYPE)
        return refuse(w, "an element without a value", NULL);
    if ((present && type == 0) || (wanted != ANY_TYPE && type != wanted))
        return refuse(w, "a value of another type", type_name(wanted));
    if (cell->kind == LEAT_SUBNET && cell->u.bytes[16] > 128)
        return refuse(w, "a prefix of more than 128 bits", "subnet");
    header = lt_put(w->out, FIELD_BYTES);
    if (header != NULL) {
        lt_store_u32be(header, (uint32_t)type);
        lt_store_u32be(header + 4, 0);
        header[8] = present;
    }
    if (present)
        put_content(w->out, cell);
    return true;
}

/* The value of a field, and all below it. */
static bool put_value(const struct writing *w, const leat_value *value,
                      const leat_zeek_log_field *field)
{
    static const leat_value absent = {.kind = LEAT_NULL};
    const leat_value *end, *cell, *element; /* the next one that stands in the value itself */

    if (value == NULL)
        value = &absent;
    end = value + lt_cells(value);
    element = value + 1;
    for (cell = value; cell < end; cell++) {
        uint64_t wanted = cell == value ? field->type : ANY_TYPE;

        if (cell == element) {
            wanted = field->subtype;
            element += lt_cells(cell);
        }
        if (!put_cell(w, cell, wanted))
            return false;
    }
    return true;
}

/* The field of a record: mostly the next one. */
static const leat_value *find(const leat_value *record, const leat_value *next,
                              const leat_zeek_log_field *field)
{
    size_t place = 0;

    if (next != NULL && next->name_length == field->name_length &&
        memcmp(next->name, field->name, field->name_length) == 0)
        return next;
    return leat_value_find(record, field->name, field->name_length, &place);
}

static bool put_record(const struct writing *w, const leat_value *fields, const leat_value *record)
{
    const leat_value *at, *value, *next = leat_value_first(record);
    bool named = leat_value_kind(record) == LEAT_RECORD;
    uint32_t found = 0;

    if (leat_value_kind(fields) != LEAT_LIST)
        return refuse(w, "not a list", "fields");
    if (!named && leat_value_kind(record) != LEAT_LIST)
        return refuse(w, "not a list or record", "record");
    lt_put_u32be(w->out, fields->length);
    for (at = leat_value_first(fields); at != NULL; at = leat_value_next(fields, at)) {
        leat_zeek_log_field field = {0};
        struct lt_zeek_flaw flaw;

        if (!lt_zeek_log_field(at, &field, &flaw))
            return refuse(w, flaw.what, flaw.field);
        value = named ? find(record, next, &field) : next;
        if (value == NULL && !named)
            return refuse(w, "another number of values than the log has fields", "record");
        if (!put_value(w, value, &field))
            return false;
        if (value != NULL) {
            next = leat_value_next(record, value);
            found++;
        }
    }
    return found == record->length ||
           refuse(w,
                  named ? "a field that the log does not have"
                        : "another number of values than the log has fields",
                  "record");
}

int leat_zeek_record_write(leat_buffer *buffer, const leat_value *fields, const leat_value *record)
{
    struct writing w = {&buffer->out, buffer->out.length, &buffer->error};
    bool sound = put_record(&w, fields, record);

    return lt_buffer_end(buffer, w.start, sound ? LEAT_OK : LEAT_E_VALUE);
}
