#include "data.h"

#include "../core/buffer.h"
#include "../core/builder.h"
#include "order.h"

#include <leat/broker.h>
#include <math.h>

static const char *const names[LT_BROKER_TYPES] = {
    "none", "boolean",   "count",    "integer",    "real", "string", "address", "subnet",
    "port", "timestamp", "timespan", "enum-value", "set",  "table",  "vector",
};

static const uint8_t kind_of_type[LT_BROKER_TYPES] = {
    [LT_BROKER_NONE] = LEAT_NULL,         [LT_BROKER_BOOLEAN] = LEAT_BOOL,
    [LT_BROKER_COUNT] = LEAT_UINT,        [LT_BROKER_INTEGER] = LEAT_INT,
    [LT_BROKER_REAL] = LEAT_REAL,         [LT_BROKER_STRING] = LEAT_TEXT,
    [LT_BROKER_ADDRESS] = LEAT_ADDRESS,   [LT_BROKER_SUBNET] = LEAT_SUBNET,
    [LT_BROKER_PORT] = LEAT_PORT,         [LT_BROKER_TIMESTAMP] = LEAT_TIMESTAMP,
    [LT_BROKER_TIMESPAN] = LEAT_TIMESPAN, [LT_BROKER_ENUM_VALUE] = LEAT_ENUM,
    [LT_BROKER_SET] = LEAT_SET,           [LT_BROKER_TABLE] = LEAT_TABLE,
    [LT_BROKER_VECTOR] = LEAT_LIST,
};

const uint8_t lt_broker_type_of_kind[] = {
    [LEAT_NULL] = LT_BROKER_NONE,
    [LEAT_BOOL] = LT_BROKER_BOOLEAN,
    [LEAT_INT] = LT_BROKER_INTEGER,
    [LEAT_UINT] = LT_BROKER_COUNT,
    [LEAT_REAL] = LT_BROKER_REAL,
    [LEAT_TEXT] = LT_BROKER_STRING,
    [LEAT_BYTES] = LT_BROKER_NO_TYPE,
    [LEAT_ADDRESS] = LT_BROKER_ADDRESS,
    [LEAT_SUBNET] = LT_BROKER_SUBNET,
    [LEAT_PORT] = LT_BROKER_PORT,
    [LEAT_MAC] = LT_BROKER_NO_TYPE,
    [LEAT_UUID] = LT_BROKER_NO_TYPE,
    [LEAT_TIMESTAMP] = LT_BROKER_TIMESTAMP,
    [LEAT_TIMESPAN] = LT_BROKER_TIMESPAN,
    [LEAT_ENUM] = LT_BROKER_ENUM_VALUE,
    [LEAT_LIST] = LT_BROKER_VECTOR,
    [LEAT_SET] = LT_BROKER_SET,
    [LEAT_TABLE] = LT_BROKER_TABLE,
    [LEAT_RECORD] = LT_BROKER_NO_TYPE,
};

uint8_t lt_broker_kind(unsigned type)
{
    return kind_of_type[type];
}

const char *lt_broker_type_name(unsigned type)
{
    return type < LT_BROKER_TYPES ? names[type] : NULL;
}

/*
 * Reals. Broker writes infinities with the opposite sign, takes every other pattern of their
 * exponent for an infinity too, and gives subnormals a leading one that IEEE's lack. Those that it
 * makes of real subnormals are of no use to anybody, so we write zero.
 */
#define SIGN      (UINT64_C(1) << 63)
#define EXPONENTS (UINT64_C(0x7ff) << 52)
#define FRACTIONS ((UINT64_C(1) << 52) - 1)

static double real_of(uint64_t bits)
{
    uint64_t exponent = bits & EXPONENTS, fraction = bits & FRACTIONS;
    double real;

    if (bits == UINT64_MAX)
        return (double)NAN;
    if (exponent == EXPONENTS) {
        bits &= SIGN | EXPONENTS;
        if (fraction == 0)
            bits ^= SIGN;
    } else if (exponent == 0 && fraction != 0) {
        /* (1 + fraction / 2^52) * 2^-1023, in units of 2^-1074, ties to even. */
        uint64_t units = (fraction | UINT64_C(1) << 52) >> 1;

        bits = (bits & SIGN) | (units + (fraction & units & 1));
    }
    memcpy(&real, &bits, sizeof real);
    return real;
}

static uint64_t bits_of(double real)
{
    uint64_t bits;

    memcpy(&bits, &real, sizeof bits);
    if ((bits & EXPONENTS) == EXPONENTS)
        return (bits & FRACTIONS) != 0 ? UINT64_MAX : bits ^ SIGN;
    return (bits & EXPONENTS) == 0 ? bits & SIGN : bits;
}

double lt_broker_real(double real)
{
    if (fpclassify(real) != FP_SUBNORMAL)
        return real;
    return real < 0 ? -0.0 : 0.0;
}

/* ----- reading ----- */

struct reading {
    struct lt_tree *tree;
    struct leat_error *error;
    const uint8_t *start;
    size_t depth;     /* how deep containers may nest */
    size_t root;      /* the cell of the value */
    size_t announced; /* values that there must be: the value itself and what containers announce */
    bool unsorted;
    bool refused; /* something that is read but would not be written */
};

static int malformed(const struct reading *r, int code, const uint8_t *at, const char *what,
                     unsigned type)
{
    return lt_error(r->error, code, (uint64_t)(at - r->start), what, lt_broker_type_name(type));
}

static int no_room(const struct reading *r, int code, const uint8_t *at)
{
    return malformed(r, code, at, code == LEAT_E_LIMIT ? "too many values" : "out of memory",
                     LT_BROKER_NO_TYPE);
}

/*
 * Makes room for what is in the container whose cell was pushed last; at is its first octet. All
 * values still to come take at least an octet each, so a count that cannot be true is refused
 * before.
 */
static int enter(struct reading *r, const uint8_t *at, uint64_t count, size_t left, size_t depth)
{
    struct lt_tree *tree = r->tree;
    leat_value *cell = &tree->cells[tree->count - 1];
    size_t pending = r->announced - (tree->count - r->root);
    unsigned type = lt_broker_type(cell);
    size_t values;
    int status;

    if (depth >= r->depth)
        return malformed(r, LEAT_E_LIMIT, at, "nested too deeply", type);
    if (pending > left || count > (type == LT_BROKER_TABLE ? (left - pending) / 2 : left - pending))
        return malformed(r, LEAT_E_SYNTAX, at, "more values announced than octets are left", type);
    values = type == LT_BROKER_TABLE ? (size_t)count * 2 : (size_t)count;
    cell->length = (uint32_t)count;
    cell->u.bytes = at; /* until it is closed */
    r->announced += values;
    status = lt_tree_reserve(tree, pending + values);
    return status == LEAT_OK ? LEAT_OK : no_room(r, status, at);
}

/* A value does not ascend. Once one does not, the rest is left to sorting. */
static int disorder(struct reading *r, int difference, const uint8_t *at,
                    const leat_value *container)
{
    if (difference == 0 && !r->unsorted)
        return malformed(r, LEAT_E_SYNTAX, at, "an element or key that is there twice",
                         lt_broker_type(container));
    r->unsorted = true;
    return LEAT_OK;
}

static inline void set_cell(leat_value *cell, uint8_t kind, uint32_t length)
{
    cell->name = NULL;
    cell->name_length = 0;
    cell->kind = kind;
    cell->reserved = 0;
    cell->length = length;
}

/*
 * What large values mostly consist of: texts of less than 128 octets, one behind the other in a set
 * or a list. Reads as many as come, up to the last but one value of the container; whatever is not
 * so simple, errors included, is left where it is. Returns how many.
 */
static inline size_t read_texts(struct lt_reader *in, leat_value *first,
                                const struct lt_broker_level *level)
{
    leat_value *cell = first;
    leat_value *last = first + (level->left - 1);

    if (level->skip == LT_BROKER_SKIP_VALUES)
        return 0;
    for (; cell < last; cell++) {
        size_t length;

        if (lt_left(in) < 2 || in->at[0] != LT_BROKER_STRING)
            break;
        length = in->at[1];
        if (length >= 0x80 || lt_left(in) - 2 < length)
            break;
        set_cell(cell, LEAT_TEXT, (uint32_t)length);
        cell->u.bytes = in->at + 2;
        if (level->skip == LT_BROKER_SKIP_NONE && cell > first &&
            lt_broker_compare_texts(cell, cell - 1) <= 0)
            break;
        in->at += 2 + length;
    }
    return (size_t)(cell - first);
}

/*
 * Reads values until that outside is complete. If table is true the first one is in the table at
 * the root.
 */
static int read_values(struct reading *r, struct lt_reader *from, bool table)
{
    struct lt_broker_level levels[LT_DEPTH_MAX + 1]; /* what is open, from outside to inside */
    struct lt_broker_level *level = levels;
    struct lt_reader in = *from;
    leat_value *cells = r->tree->cells;
    size_t next = r->tree->count;

    *level = lt_broker_outside();
    if (table)
        *++level = lt_broker_level(r->root, &cells[r->root]);
    for (;;) {
        const uint8_t *at = in.at;
        uint8_t type = lt_u8(&in);
        size_t index = next++;
        leat_value *cell = &cells[index];
        uint32_t length;
        uint64_t count;
        size_t texts;
        int status;

        switch (type) {
        case LT_BROKER_NONE:
            set_cell(cell, LEAT_NULL, 0);
            cell->u.u64 = 0;
            break;
        case LT_BROKER_BOOLEAN:
            set_cell(cell, LEAT_BOOL, 0);
            cell->u.u64 = lt_u8(&in) != 0;
            break;
        case LT_BROKER_COUNT:
        case LT_BROKER_INTEGER:
        case LT_BROKER_TIMESTAMP:
        case LT_BROKER_TIMESPAN:
            set_cell(cell, kind_of_type[type], 0);
            cell->u.u64 = lt_u64be(&in);
            break;
        case LT_BROKER_REAL:
            set_cell(cell, LEAT_REAL, 0);
            cell->u.f64 = real_of(lt_u64be(&in));
            r->refused |= isnan(cell->u.f64);
            break;
        case LT_BROKER_STRING:
            cell->u.bytes = lt_broker_text(&in, &length);
            set_cell(cell, LEAT_TEXT, length);
            break;
        case LT_BROKER_ENUM_VALUE:
            cell->u.bytes = lt_broker_text(&in, &length);
            set_cell(cell, LEAT_ENUM, length);
            break;
        case LT_BROKER_ADDRESS:
            set_cell(cell, LEAT_ADDRESS, 16);
            cell->u.bytes = lt_take(&in, 16);
            break;
        case LT_BROKER_SUBNET:
            set_cell(cell, LEAT_SUBNET, 16);
            cell->u.bytes = lt_take(&in, 17);
            r->refused |= cell->u.bytes != NULL && cell->u.bytes[16] > 128;
            break;
        case LT_BROKER_PORT:
            set_cell(cell, LEAT_PORT, 0);
            cell->u.u64 = lt_u16be(&in);
            cell->u.u64 |= (uint64_t)lt_u8(&in) << 16;
            if (cell->u.u64 >> 16 > LEAT_PROTOCOL_ICMP)
                return malformed(r, LEAT_E_SYNTAX, at, "unknown protocol of a port", type);
            break;
        case LT_BROKER_SET:
        case LT_BROKER_TABLE:
        case LT_BROKER_VECTOR:
            set_cell(cell, kind_of_type[type], 0);
            count = lt_broker_varbyte(&in);
            if (!lt_ok(&in))
                break;
            r->tree->count = next;
            status = enter(r, at, count, lt_left(&in), (size_t)(level - levels));
            if (status != LEAT_OK)
                return status;
            cells = r->tree->cells;
            if (count > 0) {
                *++level = lt_broker_level(index, &cells[index]);
                texts = read_texts(&in, &cells[next], level);
                lt_broker_skip(level, next, texts);
                next += texts;
                continue;
            }
            cells[index].u.cells = 1;
            break;
        default:
            return malformed(r, LEAT_E_SYNTAX, at, "unknown type of value", LT_BROKER_NO_TYPE);
        }
        if (!lt_ok(&in))
            return malformed(r, LEAT_E_SYNTAX, in.bad, "cut off, or a length beyond what is there",
                             in.bad == at ? LT_BROKER_NO_TYPE : type);

        /* A value is complete, and with it maybe what is around it. */
        for (;;) {
            int difference = lt_broker_next(level, cells, index);

            if (difference <= 0) {
                status = disorder(r, difference, at, &cells[level->cell]);
                if (status != LEAT_OK)
                    return status;
            }
            if (level->left > 0)
                break;
            if (level == levels) {
                r->tree->count = next;
                *from = in;
                return LEAT_OK;
            }
            index = level->cell;
            at = cells[index].u.bytes;
            cells[index].u.cells = next - index;
            level--;
        }
    }
}

/* Makes room for the first cell. */
static int begin(struct reading *r, const struct lt_reader *in, struct lt_tree *tree, size_t depth,
                 struct leat_error *error)
{
    int status = lt_tree_reserve(tree, 1);

    r->tree = tree;
    r->error = error;
    r->start = in->at;
    r->depth = depth;
    r->root = tree->count;
    r->announced = 1;
    r->unsorted = r->refused = false;
    if (status != LEAT_OK)
        return no_room(r, status, r->start);
    if (lt_left(in) == 0)
        return malformed(r, LEAT_E_SYNTAX, r->start, "nothing is there", LT_BROKER_NO_TYPE);
    return LEAT_OK;
}

static int finish(struct reading *r, const char *name, uint16_t name_length)
{
    leat_value *cell = &r->tree->cells[r->root];
    size_t twice;
    int status = LEAT_OK;

    cell->name = name;
    cell->name_length = name_length;
    cell->reserved = r->refused ? 0 : LT_BROKER_CHECKED;
    if (r->unsorted)
        status = lt_broker_sort(r->tree, r->root, &twice);
    if (status == LEAT_E_VALUE)
        return malformed(r, LEAT_E_SYNTAX, r->start, "an element or key that is there twice",
                         lt_broker_type(cell));
    return status == LEAT_OK ? LEAT_OK : no_room(r, status, r->start);
}

int lt_broker_read(struct lt_reader *in, struct lt_tree *tree, size_t depth, const char *name,
                   uint16_t name_length, struct leat_error *error)
{
    struct reading r;
    int status = begin(&r, in, tree, depth, error);

    if (status == LEAT_OK)
        status = read_values(&r, in, false);
    return status == LEAT_OK ? finish(&r, name, name_length) : status;
}

int lt_broker_read_table(struct lt_reader *in, struct lt_tree *tree, size_t depth, const char *name,
                         uint16_t name_length, struct leat_error *error)
{
    struct reading r;
    uint64_t count;
    int status = begin(&r, in, tree, depth, error);

    if (status != LEAT_OK)
        return status;
    count = lt_broker_varbyte(in);
    if (!lt_ok(in))
        return malformed(&r, LEAT_E_SYNTAX, in->bad, "cut off, or a length beyond what is there",
                         LT_BROKER_TABLE);
    (void)lt_tree_open(tree, LEAT_TABLE, LT_NO_NAME);
    status = enter(&r, r.start, count, lt_left(in), 0);
    if (status == LEAT_OK && count > 0)
        status = read_values(&r, in, true);
    else if (status == LEAT_OK)
        lt_tree_close(tree, r.root, 0);
    return status == LEAT_OK ? finish(&r, name, name_length) : status;
}

/* ----- writing ----- */

void lt_broker_put_varbyte(struct lt_writer *out, uint32_t value)
{
    for (; value >= 0x80; value >>= 7)
        lt_put_u8(out, (uint8_t)(value | 0x80));
    lt_put_u8(out, (uint8_t)value);
}

void lt_broker_put_text(struct lt_writer *out, const void *text, uint32_t length)
{
    lt_broker_put_varbyte(out, length);
    lt_put_bytes(out, text, length);
}

/* A type and so many octets behind it; the place of the octets. */
static inline uint8_t *put_type(struct lt_writer *out, unsigned type, size_t octets)
{
    uint8_t *p = lt_put(out, 1 + octets);

    if (p == NULL)
        return NULL;
    *p = (uint8_t)type;
    return p + 1;
}

/* memcpy() for texts that are mostly shorter than its call is worth. */
static inline void copy_octets(uint8_t *to, const uint8_t *from, size_t length)
{
    if (length >= 8 && length <= 16) {
        memcpy(to, from, 8);
        memcpy(to + length - 8, from + length - 8, 8);
    } else if (length > 0) {
        memcpy(to, from, length);
    }
}

/* Type and body; of a container its count. */
static inline void put_cell(struct lt_writer *out, const leat_value *cell, unsigned type)
{
    uint8_t *p;

    switch (type) {
    case LT_BROKER_NONE:
        (void)put_type(out, type, 0);
        break;
    case LT_BROKER_BOOLEAN:
        p = put_type(out, type, 1);
        if (p != NULL)
            *p = cell->u.u64 != 0;
        break;
    case LT_BROKER_COUNT:
    case LT_BROKER_INTEGER:
    case LT_BROKER_TIMESTAMP:
    case LT_BROKER_TIMESPAN:
    case LT_BROKER_REAL:
        p = put_type(out, type, 8);
        if (p != NULL)
            lt_store_u64be(p, type == LT_BROKER_REAL ? bits_of(cell->u.f64) : cell->u.u64);
        break;
    case LT_BROKER_STRING:
    case LT_BROKER_ENUM_VALUE:
        if (cell->length >= 0x80) {
            (void)put_type(out, type, 0);
            lt_broker_put_text(out, cell->u.bytes, cell->length);
            break;
        }
        p = put_type(out, type, 1 + cell->length);
        if (p != NULL) {
            *p = (uint8_t)cell->length;
            copy_octets(p + 1, cell->u.bytes, cell->length);
        }
        break;
    case LT_BROKER_ADDRESS:
        p = put_type(out, type, 16);
        if (p != NULL)
            lt_broker_address(cell, p);
        break;
    case LT_BROKER_SUBNET:
        p = put_type(out, type, 17);
        if (p != NULL) {
            lt_broker_network(cell->u.bytes, cell->u.bytes[16], p);
            p[16] = cell->u.bytes[16];
        }
        break;
    case LT_BROKER_PORT:
        p = put_type(out, type, 3);
        if (p != NULL) {
            lt_store_u16be(p, (uint16_t)cell->u.u64);
            p[2] = (uint8_t)(cell->u.u64 >> 16);
        }
        break;
    default:
        (void)put_type(out, type, 0);
        lt_broker_put_varbyte(out, cell->length);
        break;
    }
}

static void put_cells(struct lt_writer *out, const leat_value *cells, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++)
        put_cell(out, &cells[i], lt_broker_type(&cells[i]));
}

int lt_broker_refuse(struct leat_error *error, const leat_value *value, size_t cell,
                     const char *what)
{
    struct lt_writer before = lt_writer_fixed(NULL, 0);

    put_cells(&before, value, cell);
    return lt_error(error, LEAT_E_VALUE, before.length, what,
                    lt_broker_type_name(lt_broker_type(&value[cell])));
}

/* Whether the next value is an element of a set or a key of a table. */
static bool is_ordered(const struct lt_broker_level *level)
{
    return (level->left & level->skip) == 0;
}

/*
 * As read_texts(): the texts at the start of a set or list, up to its last but one value, that
 * ascend.
 */
static inline size_t check_texts(const leat_value *first, const struct lt_broker_level *level)
{
    const leat_value *cell = first;
    const leat_value *last = first + (level->left - 1);

    if (level->skip == LT_BROKER_SKIP_VALUES)
        return 0;
    for (; cell < last && cell->kind == LEAT_TEXT; cell++) {
        if (level->skip == LT_BROKER_SKIP_NONE && cell > first &&
            lt_broker_compare_texts(cell, cell - 1) <= 0)
            break;
    }
    return (size_t)(cell - first);
}

/* NaN may stand anywhere but in what is ordered, however deep inside. */
static const char *unsound_real(const leat_value *cell, const struct lt_broker_level *level,
                                const struct lt_broker_level *around, size_t depth)
{
    bool ordered = is_ordered(level);

    if (!isnan(cell->u.f64))
        return NULL;
    while (!ordered && depth > 0)
        ordered = is_ordered(&around[--depth]);
    return ordered ? "NaN in a set or a key" : NULL;
}

int lt_broker_check(const leat_value *value, bool *unsorted, struct leat_error *error)
{
    struct lt_broker_level around[LT_DEPTH_MAX];
    struct lt_broker_level level = lt_broker_outside();
    size_t depth = 0, next = 0;

    *unsorted = false;
    if (value == NULL)
        return lt_error(error, LEAT_E_VALUE, 0, "no value", NULL);
    for (;;) {
        size_t index = next++;
        const leat_value *cell = &value[index];
        const char *what = NULL;
        size_t texts;

        switch (lt_broker_type(cell)) {
        case LT_BROKER_REAL:
            what = unsound_real(cell, &level, around, depth);
            break;
        case LT_BROKER_SUBNET:
            if (cell->u.bytes[16] > 128)
                what = "a prefix of more than 128 bits";
            break;
        case LT_BROKER_PORT:
            if (cell->u.u64 >> 16 > LEAT_PROTOCOL_ICMP)
                what = "unknown protocol of a port";
            break;
        case LT_BROKER_SET:
        case LT_BROKER_TABLE:
        case LT_BROKER_VECTOR:
            if (cell->reserved == LT_BROKER_CHECKED) {
                next = index + cell->u.cells;
                break;
            }
            if (depth < LT_DEPTH_MAX && cell->length > 0) {
                around[depth++] = level;
                level = lt_broker_level(index, cell);
                texts = check_texts(cell + 1, &level);
                lt_broker_skip(&level, next, texts);
                next += texts;
                continue;
            }
            if (depth == LT_DEPTH_MAX)
                what = "nested too deeply";
            break;
        case LT_BROKER_NO_TYPE:
            what = "a kind of value that Broker does not have";
            break;
        default:
            break;
        }
        if (what != NULL)
            return lt_broker_refuse(error, value, index, what);
        for (;;) {
            int difference = lt_broker_next(&level, value, index);

            if (difference <= 0) {
                if (difference == 0 && !*unsorted)
                    return lt_broker_refuse(error, value, index,
                                            "an element or key that is there twice");
                *unsorted = true;
            }
            if (level.left > 0)
                break;
            if (depth == 0)
                return LEAT_OK;
            index = level.cell;
            level = around[--depth];
        }
    }
}

int lt_broker_sorted(const leat_value *value, const leat_allocator *allocator, struct lt_tree *copy,
                     struct leat_error *error)
{
    size_t cells = lt_cells(value), twice = 0;
    int status;

    lt_tree_init(copy, allocator, UINT64_MAX);
    status = lt_tree_reserve(copy, cells);
    if (status == LEAT_OK) {
        memcpy(copy->cells, value, cells * sizeof *value);
        copy->count = cells;
        status = lt_broker_sort(copy, 0, &twice);
    }
    if (status == LEAT_E_VALUE)
        (void)lt_broker_refuse(error, value, twice, "an element or key that is there twice");
    else if (status != LEAT_OK)
        (void)lt_error(error, status, 0,
                       status == LEAT_E_LIMIT ? "too many values to sort" : "out of memory", NULL);
    if (status != LEAT_OK)
        lt_tree_free(copy);
    return status;
}

static void put_value(struct lt_writer *out, const leat_value *value, bool tagged)
{
    if (tagged) {
        put_cells(out, value, lt_cells(value));
    } else {
        lt_broker_put_varbyte(out, value->length);
        put_cells(out, value + 1, lt_cells(value) - 1);
    }
}

static int write_value(struct lt_writer *out, const leat_value *value, bool tagged,
                       struct leat_error *error)
{
    struct lt_tree copy;
    bool unsorted;
    int status = lt_broker_check(value, &unsorted, error);

    if (status != LEAT_OK)
        return status;
    if (!unsorted) {
        put_value(out, value, tagged);
        return LEAT_OK;
    }
    status = lt_broker_sorted(value, out->allocator, &copy, error);
    if (status != LEAT_OK)
        return status;
    put_value(out, copy.cells, tagged);
    lt_tree_free(&copy);
    return LEAT_OK;
}

int lt_broker_write(struct lt_writer *out, const leat_value *value, struct leat_error *error)
{
    return write_value(out, value, true, error);
}

int lt_broker_write_table(struct lt_writer *out, const leat_value *table, struct leat_error *error)
{
    return write_value(out, table, false, error);
}

/* ----- in public ----- */

int leat_broker_read(leat_builder *builder, const char *name, const void *octets, size_t length)
{
    size_t count = builder->tree.count;
    struct leat_error error = {0};
    struct lt_reader in;
    uint16_t name_length;
    const uint8_t *copy;
    int status = lt_builder_place(builder, &name, &name_length);

    if (status != LEAT_OK)
        return status;
    copy = lt_builder_keep(builder, octets, length);
    if (copy == NULL)
        return lt_builder_fail(builder, count, LEAT_E_NOMEM, 0, "out of memory", NULL);
    in = lt_reader(copy, length);
    status = lt_broker_read(&in, &builder->tree, (size_t)builder->limits.depth - builder->depth,
                            name, name_length, &error);
    if (status == LEAT_OK && lt_left(&in) > 0)
        status = lt_error(&error, LEAT_E_SYNTAX, (uint64_t)(in.at - copy),
                          "octets behind the value", NULL);
    if (status != LEAT_OK)
        return lt_builder_fail(builder, count, status, error.offset, error.text, error.field);
    return lt_builder_added(builder);
}

int leat_broker_write(leat_buffer *buffer, const leat_value *value)
{
    size_t start = buffer->out.length;

    return lt_buffer_end(buffer, start, lt_broker_write(&buffer->out, value, &buffer->error));
}
