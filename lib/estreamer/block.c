#include "block.h"

int lt_estreamer_malformed(struct lt_estreamer_reader *reader, const uint8_t *at, const char *what,
                           const char *field)
{
    return lt_error(&reader->error, LEAT_E_SYNTAX, (uint64_t)(at - reader->start), what, field);
}

int lt_estreamer_full(struct lt_estreamer_reader *reader, const uint8_t *at, int status)
{
    return lt_error(&reader->error, status, (uint64_t)(at - reader->start),
                    status == LEAT_E_LIMIT ? "too many values" : "out of memory", NULL);
}

int lt_estreamer_open(struct lt_estreamer_reader *reader, const uint8_t *at, uint8_t kind,
                      const char *name, uint16_t name_length, size_t depth, size_t *cell)
{
    int status;

    if (depth >= reader->depth)
        return lt_error(&reader->error, LEAT_E_LIMIT, (uint64_t)(at - reader->start),
                        "nested too deeply", name);
    status = lt_estreamer_reserve(reader, at, 1);
    if (status == LEAT_OK)
        *cell = lt_tree_open(reader->tree, kind, name, name_length);
    return status;
}

/* A record or a list that is being read. */
struct reading {
    struct lt_reader in;
    const uint16_t *row; /* of a record: the next field */
    const uint16_t *end;
    size_t cell;
    uint32_t children;
    uint32_t length; /* what the last LENGTH row said */
    bool list;
    bool truncated;
};

/* All that are open; the first is the caller's record, which stays open. */
struct reading_stack {
    struct lt_estreamer_reader *reader;
    unsigned series;
    size_t outside; /* containers around the first */
    size_t count;
    struct reading open[LT_DEPTH_MAX];
};

/* A field of fixed size. Eight octets may be loaded at once, or only its own. */
static inline void read_fixed(const struct lt_estreamer_row *row, const uint8_t *p, bool eight,
                              leat_value *cell)
{
    cell->name = lt_estreamer_row_name(row);
    cell->length = row->type == LT_ESTREAMER_OCTETS ? row->argument : 0;
    cell->name_length = row->name_length;
    cell->kind = row->kind;
    cell->reserved = 0;
    if (row->type == LT_ESTREAMER_OCTETS) {
        cell->u.bytes = p;
    } else if (eight && row->type != LT_ESTREAMER_I32) {
        cell->u.u64 = lt_load_u64be(p) >> (64 - 8 * row->argument);
    } else {
        switch (row->type) {
        case LT_ESTREAMER_U8:
            cell->u.u64 = *p;
            break;
        case LT_ESTREAMER_U16:
            cell->u.u64 = lt_load_u16be(p);
            break;
        case LT_ESTREAMER_U32:
            cell->u.u64 = lt_load_u32be(p);
            break;
        case LT_ESTREAMER_I32:
            cell->u.i64 = (int32_t)lt_load_u32be(p);
            break;
        default:
            cell->u.u64 = lt_load_u64be(p);
            break;
        }
    }
}

/* Makes room for a run of fields. Those that were cut off need none. */
static int reserve_run(struct reading_stack *stack, const struct reading *reading, size_t count)
{
    size_t left = lt_left(&reading->in), there;

    if (lt_tree_reserve(stack->reader->tree, count) == LEAT_OK)
        return LEAT_OK;
    for (there = 0; there < count; there++) {
        size_t octets = lt_estreamer_row(reading->row + there)->argument;

        if (octets > left)
            break;
        left -= octets;
    }
    return lt_estreamer_reserve(stack->reader, reading->in.at, there);
}

/*
 * Fields of fixed size. What encloses them may end between two of them, not inside one; so may the
 * layout.
 */
static int read_run(struct reading_stack *stack, struct reading *reading)
{
    struct lt_tree *tree = stack->reader->tree;
    const uint8_t *p = reading->in.at;
    const uint8_t *end = reading->in.end;
    const uint16_t *at = reading->row;
    size_t count = lt_estreamer_run(at);
    const uint16_t *last = count < (size_t)(reading->end - at) ? at + count : reading->end;
    leat_value *cell;
    int status = reserve_run(stack, reading, (size_t)(last - at));

    if (status != LEAT_OK)
        return status;
    cell = tree->cells + tree->count;
    for (; at != last; at++, cell++) {
        const struct lt_estreamer_row *row = lt_estreamer_row(at);

        if (end - p < row->argument)
            break;
        read_fixed(row, p, end - p >= 8, cell);
        p += row->argument;
    }
    count = (size_t)(at - reading->row);
    tree->count += count;
    reading->children += (uint32_t)count;
    reading->row = at;
    reading->in.at = p;
    if (at == last)
        return LEAT_OK;
    if (p != end)
        return lt_estreamer_malformed(stack->reader, p, "ends in the middle of a field",
                                      lt_estreamer_row_name(lt_estreamer_row(at)));
    reading->truncated = true;
    reading->end = at;
    return LEAT_OK;
}

/* Opens a record or a list that takes up length octets at the given place. */
static int open_reading(struct reading_stack *stack, uint8_t kind, const char *name,
                        uint16_t name_length, const uint8_t *at, size_t length)
{
    struct reading *reading;
    size_t cell;
    int status = lt_estreamer_open(stack->reader, at, kind, name, name_length,
                                   stack->outside + stack->count, &cell);

    if (status != LEAT_OK)
        return status;
    stack->open[stack->count - 1].children++;
    reading = &stack->open[stack->count++];
    reading->in = lt_reader(at, length);
    reading->row = reading->end = NULL;
    reading->cell = cell;
    reading->children = 0;
    reading->length = 0;
    reading->list = kind == LEAT_LIST;
    reading->truncated = false;
    return LEAT_OK;
}

/* Starts a block whose header was read, in the record that is open for it. */
static int begin_block(struct reading_stack *stack, uint32_t type)
{
    struct reading *reading = &stack->open[stack->count - 1];
    const struct lt_estreamer_layout *layout = lt_estreamer_block(stack->series, type);
    const uint8_t *at = reading->in.at;
    int status = lt_estreamer_read_number(stack->reader, at, LEAT_UINT, LT_BLOCK_TYPE, type,
                                          &reading->children);

    if (status != LEAT_OK)
        return status;
    if (layout != NULL) {
        reading->row = lt_estreamer_first(layout);
        reading->end = reading->row + layout->fields;
        return LEAT_OK;
    }
    reading->in.at = reading->in.end;
    return lt_estreamer_read_octets(stack->reader, at, (size_t)(reading->in.end - at), LEAT_BYTES,
                                    LT_DATA, &reading->children);
}

/* A block that was taken out of what encloses it. */
struct block {
    uint32_t type;
    const uint8_t *at; /* what follows its header */
    size_t length;
};

static inline int take_block(struct lt_estreamer_reader *reader, struct lt_reader *in,
                             struct block *block, const char *field)
{
    const uint8_t *header = in->at;
    size_t left = lt_left(in);
    size_t length = left < LT_ESTREAMER_HEADER_BYTES ? 0 : lt_load_u32be(header + 4);

    if (length < LT_ESTREAMER_HEADER_BYTES || length > left)
        return lt_estreamer_malformed(reader, header, "a block does not fit into what encloses it",
                                      field);
    block->type = lt_load_u32be(header);
    block->at = header + LT_ESTREAMER_HEADER_BYTES;
    block->length = length - LT_ESTREAMER_HEADER_BYTES;
    (void)lt_take(in, length);
    return LEAT_OK;
}

/* A block whose type nothing but its header tells: text, or a record. */
static int read_any_block(struct reading_stack *stack, struct reading *reading, const char *name,
                          uint16_t name_length)
{
    struct block block;
    int status = take_block(stack->reader, &reading->in, &block, name);

    if (status != LEAT_OK)
        return status;
    if (block.type == LT_ESTREAMER_STRING_BLOCK)
        return lt_estreamer_read_octets(stack->reader, block.at, block.length, LEAT_TEXT, name,
                                        name_length, &reading->children);
    status = open_reading(stack, LEAT_RECORD, name, name_length, block.at, block.length);
    return status != LEAT_OK ? status : begin_block(stack, block.type);
}

/* A block whose type the row prescribes. */
static int read_typed_block(struct reading_stack *stack, struct reading *reading,
                            const struct lt_estreamer_row *row)
{
    const char *name = lt_estreamer_row_name(row);
    const uint8_t *at = reading->in.at;
    struct block block;
    int status = take_block(stack->reader, &reading->in, &block, name);

    if (status != LEAT_OK)
        return status;
    if (row->type == LT_ESTREAMER_STRING
            ? block.type == LT_ESTREAMER_STRING_BLOCK
            : row->type == LT_ESTREAMER_BLOB && block.type == lt_estreamer_blob_type(stack->series))
        return lt_estreamer_read_octets(stack->reader, block.at, block.length, row->kind, name,
                                        row->name_length, &reading->children);
    /* Servers and clients have never told the two kinds of list apart. */
    if (row->kind == LEAT_LIST && (block.type == lt_estreamer_list_type(stack->series) ||
                                   block.type == lt_estreamer_generic_list_type(stack->series)))
        return open_reading(stack, LEAT_LIST, name, row->name_length, block.at, block.length);
    return lt_estreamer_malformed(stack->reader, at, "a block of another type than the field has",
                                  name);
}

/* The next octets of the record, as text or bytes. */
static int read_octets(struct reading_stack *stack, struct reading *reading,
                       const struct lt_estreamer_row *row, size_t length)
{
    const uint8_t *at = reading->in.at;

    if (lt_take(&reading->in, length) == NULL)
        return lt_estreamer_malformed(stack->reader, at, "a length that exceeds what is there",
                                      lt_estreamer_row_name(row));
    return lt_estreamer_read_octets(stack->reader, at, length, row->kind,
                                    lt_estreamer_row_name(row), row->name_length,
                                    &reading->children);
}

static int read_length(struct reading_stack *stack, struct reading *reading,
                       const struct lt_estreamer_row *row)
{
    const uint8_t *at = reading->in.at;

    reading->length =
        row->type == LT_ESTREAMER_LENGTH16 ? lt_u16be(&reading->in) : lt_u32be(&reading->in);
    if (!lt_ok(&reading->in))
        return lt_estreamer_malformed(stack->reader, at, "ends in the middle of a field",
                                      lt_estreamer_row_name(row));
    return lt_estreamer_read_number(stack->reader, at, row->kind, lt_estreamer_row_name(row),
                                    row->name_length, reading->length, &reading->children);
}

static int read_reversed(struct reading_stack *stack, struct reading *reading,
                         const struct lt_estreamer_row *row)
{
    const uint8_t *at = reading->in.at;
    const uint8_t *octets = lt_take(&reading->in, row->argument);
    struct lt_tree *tree = stack->reader->tree;
    uint8_t *copy;
    unsigned i;
    int status;

    if (octets == NULL)
        return lt_estreamer_malformed(stack->reader, at, "ends in the middle of a field",
                                      lt_estreamer_row_name(row));
    status = lt_estreamer_reserve(stack->reader, at, 1);
    if (status != LEAT_OK)
        return status;
    copy = (uint8_t *)lt_arena_alloc(&tree->arena, row->argument);
    if (copy == NULL)
        return lt_error(&stack->reader->error, LEAT_E_NOMEM, 0, "out of memory", NULL);
    for (i = 0; i < row->argument; i++)
        copy[i] = octets[row->argument - 1 - i];
    lt_tree_bytes(tree, row->kind, lt_estreamer_row_name(row), row->name_length, copy,
                  row->argument);
    reading->children++;
    return LEAT_OK;
}

static int read_row(struct reading_stack *stack, struct reading *reading,
                    const struct lt_estreamer_row *row)
{
    const uint8_t *at = reading->in.at;
    size_t left = lt_left(&reading->in);

    switch (row->type) {
    case LT_ESTREAMER_COUNTED:
        return read_octets(stack, reading, row, reading->length);
    case LT_ESTREAMER_REST:
        return read_octets(stack, reading, row, left);
    case LT_ESTREAMER_ITEMS:
        (void)lt_take(&reading->in, left);
        return open_reading(stack, LEAT_LIST, lt_estreamer_row_name(row), row->name_length, at,
                            left);
    default:
        break;
    }
    if (left == 0) {
        reading->truncated = true;
        reading->row = reading->end;
        return LEAT_OK;
    }
    switch (row->type) {
    case LT_ESTREAMER_LENGTH16:
    case LT_ESTREAMER_LENGTH32:
        return read_length(stack, reading, row);
    case LT_ESTREAMER_REVERSED:
        return read_reversed(stack, reading, row);
    case LT_ESTREAMER_BLOCK:
        return read_any_block(stack, reading, lt_estreamer_row_name(row), row->name_length);
    default:
        return read_typed_block(stack, reading, row);
    }
}

/* Behind the last field: octets that are left over, or word that some were missing. */
static int end_reading(struct reading_stack *stack, struct reading *reading)
{
    const uint8_t *at = reading->in.at;

    if (reading->truncated)
        return lt_estreamer_read_number(stack->reader, at, LEAT_BOOL, LT_TRUNCATED, 1,
                                        &reading->children);
    if (lt_left(&reading->in) > 0)
        return lt_estreamer_read_octets(stack->reader, at, lt_left(&reading->in), LEAT_BYTES,
                                        LT_EXTRA, &reading->children);
    return LEAT_OK;
}

/* Goes on until a container inside is opened, or ends this one. */
static int read_on(struct reading_stack *stack, bool *ended)
{
    size_t count = stack->count;
    struct reading *reading = &stack->open[count - 1];
    int status = LEAT_OK;

    if (reading->list) {
        while (status == LEAT_OK && stack->count == count && lt_left(&reading->in) > 0)
            status = read_any_block(stack, reading, LT_NO_NAME);
        *ended = stack->count == count;
        return status;
    }
    while (status == LEAT_OK && stack->count == count && reading->row != reading->end) {
        if (lt_estreamer_run(reading->row) > 0)
            status = read_run(stack, reading);
        else
            status = read_row(stack, reading, lt_estreamer_row(reading->row++));
    }
    *ended = stack->count == count;
    return status == LEAT_OK && *ended ? end_reading(stack, reading) : status;
}

static int read_all(struct reading_stack *stack, uint32_t *children)
{
    for (;;) {
        const struct reading *reading;
        bool ended = false;
        int status = read_on(stack, &ended);

        if (status != LEAT_OK)
            return status;
        if (!ended)
            continue;
        reading = &stack->open[--stack->count];
        if (stack->count == 0) {
            *children = reading->children;
            return LEAT_OK;
        }
        lt_tree_close(stack->reader->tree, reading->cell, reading->children);
    }
}

/* The first container is the record of the caller, in which there are children already. */
static void start_reading(struct reading_stack *stack, struct lt_estreamer_reader *reader,
                          struct lt_reader in, unsigned series, size_t depth, uint32_t children)
{
    struct reading *first = &stack->open[0];

    stack->reader = reader;
    stack->series = series;
    stack->outside = depth - 1;
    stack->count = 1;
    first->in = in;
    first->row = first->end = NULL;
    first->cell = 0;
    first->children = children;
    first->length = 0;
    first->list = first->truncated = false;
}

int lt_estreamer_read_fields(struct lt_estreamer_reader *reader, struct lt_reader in,
                             const struct lt_estreamer_layout *layout, unsigned series,
                             size_t depth, uint32_t *children)
{
    struct reading_stack stack;

    start_reading(&stack, reader, in, series, depth, *children);
    stack.open[0].row = lt_estreamer_first(layout);
    stack.open[0].end = stack.open[0].row + layout->fields;
    return read_all(&stack, children);
}

int lt_estreamer_read_block(struct lt_estreamer_reader *reader, struct lt_reader in,
                            unsigned series, size_t depth, uint32_t *children)
{
    struct reading_stack stack;
    struct block block;
    int status = take_block(reader, &in, &block, NULL);

    if (status != LEAT_OK)
        return status;
    start_reading(&stack, reader, lt_reader(block.at, block.length), series, depth, *children);
    status = begin_block(&stack, block.type);
    if (status == LEAT_OK)
        status = read_all(&stack, children);
    if (status != LEAT_OK || lt_left(&in) == 0)
        return status;
    return lt_estreamer_read_octets(reader, in.at, lt_left(&in), LEAT_BYTES, LT_TRAILING, children);
}
