#include "block.h"

static bool is_fixed(const struct lt_estreamer_row *row)
{
    return row->type <= LT_ESTREAMER_OCTETS;
}

static bool is_length(const struct lt_estreamer_row *row)
{
    return row->type == LT_ESTREAMER_LENGTH16 || row->type == LT_ESTREAMER_LENGTH32;
}

static bool takes_rest(const struct lt_estreamer_row *row)
{
    return row->type == LT_ESTREAMER_REST || row->type == LT_ESTREAMER_ITEMS;
}

/* A record or a list that is being written. */
struct writing {
    struct lt_estreamer_fields fields;
    const uint16_t *row; /* of a record: the next field */
    const uint16_t *end;
    const leat_value *item; /* of a list: the next */
    uint16_t expected;      /* of a list: the type of its elements */
    bool list;
    bool opaque; /* an unknown block: no fields */
    bool closed; /* nothing can stand behind the fields */
    bool asked;  /* whether fields were left out on purpose, so that end is final */
    bool headed; /* a header, which stands at the place below, gets the length */
    size_t header;
};

struct writing_stack {
    struct lt_estreamer_writer *writer;
    const leat_value **trailing; /* where to leave what stands behind the first; NULL: nowhere */
    unsigned series;
    size_t outside;
    size_t count;
    struct writing open[LT_DEPTH_MAX];
};

static size_t put_header(struct lt_writer *out, uint32_t type)
{
    size_t at = out->length;

    lt_put_u32be(out, type);
    lt_put_u32be(out, 0);
    return at;
}

static int patch_header(struct lt_estreamer_writer *writer, size_t at)
{
    size_t length = writer->out->length - at;

    if (length > UINT32_MAX)
        return lt_estreamer_refuse(writer, "a block longer than 4 GiB", NULL);
    lt_patch_u32be(writer->out, at + 4, (uint32_t)length);
    return LEAT_OK;
}

static int open_writing(struct writing_stack *stack, const char *field)
{
    struct writing *writing;

    if (stack->outside + stack->count >= stack->writer->depth)
        return lt_estreamer_refuse(stack->writer, "nested too deeply", field);
    writing = &stack->open[stack->count++];
    memset(writing, 0, sizeof *writing);
    return LEAT_OK;
}

static bool is_given(const struct writing *writing, const struct lt_estreamer_row *row)
{
    return lt_estreamer_peek(&writing->fields, lt_estreamer_row_name(row), row->name_length) !=
           NULL;
}

/*
 * Some field is missing, or some are left over: whether those behind the last that is given are
 * to be left out. from is the first field that may be.
 */
static int find_end(struct lt_estreamer_writer *writer, struct writing *writing,
                    const uint16_t *from)
{
    const leat_value *value;
    const uint16_t *end = writing->end;
    bool truncated;
    int status;

    if (writing->asked)
        return LEAT_OK;
    writing->asked = true;
    value = lt_estreamer_take(&writing->fields, LT_TRUNCATED);
    status = lt_estreamer_flag(writer, value, "truncated", &truncated);
    if (status != LEAT_OK || !truncated)
        return status;
    while (end != from && !is_given(writing, lt_estreamer_row(end - 1)))
        end--;
    /* A length brings its field along, or nobody could tell where the record ends. */
    if (end != writing->end && lt_estreamer_row(end)->type == LT_ESTREAMER_COUNTED)
        end++;
    if (end != writing->end && lt_estreamer_peek(&writing->fields, LT_EXTRA) != NULL)
        return lt_estreamer_refuse(writer, "octets behind fields that are missing", "extra");
    writing->end = end;
    return LEAT_OK;
}

static void set_rows(struct writing *writing, const struct lt_estreamer_layout *layout)
{
    writing->row = lt_estreamer_first(layout);
    writing->end = writing->row + layout->fields;
    writing->closed = takes_rest(lt_estreamer_row(writing->end - 1));
}

/* Starts a block in the container that is open for it, whose fields are set. */
static int begin_writing(struct writing_stack *stack, uint32_t expected, const char *field)
{
    struct lt_estreamer_writer *writer = stack->writer;
    struct writing *writing = &stack->open[stack->count - 1];
    const leat_value *given = lt_estreamer_take(&writing->fields, LT_BLOCK_TYPE);
    const struct lt_estreamer_layout *layout;
    uint64_t type;
    int status = lt_estreamer_number(writer, given, "block_type", UINT32_MAX, &type);

    if (status != LEAT_OK)
        return status;
    if (given == NULL) {
        if (expected == LT_ESTREAMER_AUTO)
            return lt_estreamer_refuse(writer, "a block that does not tell its block_type", field);
        type = expected;
    }
    writing->header = put_header(writer->out, (uint32_t)type);
    writing->headed = true;
    layout = lt_estreamer_block(stack->series, (uint32_t)type);
    if (layout != NULL) {
        set_rows(writing, layout);
        return LEAT_OK;
    }
    writing->opaque = true;
    return lt_estreamer_put_octets(writer, LEAT_BYTES, lt_estreamer_take(&writing->fields, LT_DATA),
                                   "data");
}

static int write_octets_block(struct writing_stack *stack, uint32_t type, uint8_t kind,
                              const leat_value *value, const char *field)
{
    size_t header = put_header(stack->writer->out, type);
    int status = lt_estreamer_put_octets(stack->writer, kind, value, field);

    return status != LEAT_OK ? status : patch_header(stack->writer, header);
}

/* Text that is not UTF-8 comes as a record, too; its one field tells it from a block. */
static bool is_text(const leat_value *value)
{
    return leat_value_kind(value) == LEAT_TEXT || leat_value_kind(value) == LEAT_ENUM ||
           (leat_value_count(value) == 1 && leat_value_get(value, "hex") != NULL);
}

static int write_any_block(struct writing_stack *stack, const leat_value *value, uint16_t expected,
                           const char *field)
{
    int status;

    if (is_text(value) || (value == NULL && expected == LT_ESTREAMER_STRING_BLOCK))
        return write_octets_block(stack, LT_ESTREAMER_STRING_BLOCK, LEAT_TEXT, value, field);
    status = open_writing(stack, field);
    if (status == LEAT_OK)
        status =
            lt_estreamer_fields(stack->writer, value, field, &stack->open[stack->count - 1].fields);
    return status != LEAT_OK ? status : begin_writing(stack, expected, field);
}

static int open_list(struct writing_stack *stack, const leat_value *value,
                     const struct lt_estreamer_row *row)
{
    const char *field = lt_estreamer_row_name(row);
    struct writing *writing;
    int status;

    if (value != NULL && value->kind != LEAT_LIST)
        return lt_estreamer_refuse(stack->writer, "not a list", field);
    status = open_writing(stack, field);
    if (status != LEAT_OK)
        return status;
    writing = &stack->open[stack->count - 1];
    writing->list = true;
    writing->expected = row->argument;
    writing->fields.record = value;
    writing->item = leat_value_first(value);
    if (row->type == LT_ESTREAMER_ITEMS)
        return LEAT_OK;
    writing->headed = true;
    writing->header =
        put_header(stack->writer->out, row->type == LT_ESTREAMER_LIST
                                           ? lt_estreamer_list_type(stack->series)
                                           : lt_estreamer_generic_list_type(stack->series));
    return LEAT_OK;
}

/* The field whose length comes next, or NULL if it was cut off. */
static const struct lt_estreamer_row *find_counted(const struct writing *writing)
{
    const uint16_t *at = writing->row;

    while (at != writing->end && lt_estreamer_row(at)->type != LT_ESTREAMER_COUNTED)
        at++;
    return at == writing->end ? NULL : lt_estreamer_row(at);
}

/*
 * A length is what its field needs, whatever was given for it; only where the field itself was cut
 * off is the number all there is.
 */
static int write_length(struct lt_estreamer_writer *writer, struct writing *writing,
                        const struct lt_estreamer_row *row, const leat_value *value)
{
    uint64_t most = row->type == LT_ESTREAMER_LENGTH16 ? UINT16_MAX : UINT32_MAX;
    const struct lt_estreamer_row *counted = find_counted(writing);
    const char *field = lt_estreamer_row_name(row);
    size_t count = 0;
    uint64_t length;
    int status = LEAT_OK;

    if (counted != NULL && !is_given(writing, counted)) {
        status = find_end(writer, writing, writing->row);
        counted = find_counted(writing);
    }
    if (status == LEAT_OK && counted == NULL) {
        status = lt_estreamer_number(writer, value, field, most, &length);
    } else if (status == LEAT_OK) {
        field = lt_estreamer_row_name(counted);
        status = lt_estreamer_count(
            writer, counted->kind, lt_estreamer_peek(&writing->fields, field, counted->name_length),
            field, &count);
        length = count;
    }
    if (status != LEAT_OK)
        return status;
    if (length > most)
        return lt_estreamer_refuse(writer, "longer than its length can say", field);
    if (row->type == LT_ESTREAMER_LENGTH16)
        lt_put_u16be(writer->out, (uint16_t)length);
    else
        lt_put_u32be(writer->out, (uint32_t)length);
    return LEAT_OK;
}

static int write_row(struct writing_stack *stack, struct writing *writing,
                     const struct lt_estreamer_row *row)
{
    const char *field = lt_estreamer_row_name(row);
    const leat_value *value = lt_estreamer_take(&writing->fields, field, row->name_length);
    const uint16_t *at = writing->row - 1;

    if (value == NULL) {
        int status = find_end(stack->writer, writing, at);

        if (status != LEAT_OK || at == writing->end) {
            writing->row = writing->end;
            return status;
        }
    }
    if (is_length(row))
        return write_length(stack->writer, writing, row, value);
    if (is_fixed(row) || row->type == LT_ESTREAMER_REVERSED)
        return lt_estreamer_put_fixed(stack->writer, row, value);
    switch (row->type) {
    case LT_ESTREAMER_COUNTED:
    case LT_ESTREAMER_REST:
        return lt_estreamer_put_octets(stack->writer, row->kind, value, field);
    case LT_ESTREAMER_STRING:
        return write_octets_block(stack, LT_ESTREAMER_STRING_BLOCK, LEAT_TEXT, value, field);
    case LT_ESTREAMER_BLOB:
        return write_octets_block(stack, lt_estreamer_blob_type(stack->series), LEAT_BYTES, value,
                                  field);
    case LT_ESTREAMER_BLOCK:
        return write_any_block(stack, value, row->argument, field);
    default:
        return open_list(stack, value, row);
    }
}

/* Goes on until a container inside is opened, or ends this one. */
static int write_on(struct writing_stack *stack, bool *ended)
{
    size_t count = stack->count;
    struct writing *writing = &stack->open[count - 1];
    int status = LEAT_OK;

    while (status == LEAT_OK && stack->count == count && writing->item != NULL) {
        const leat_value *item = writing->item;

        writing->item = leat_value_next(writing->fields.record, item);
        status = write_any_block(stack, item, writing->expected, NULL);
    }
    while (status == LEAT_OK && stack->count == count && writing->row != writing->end) {
        status = write_row(stack, writing, lt_estreamer_row(writing->row++));
    }
    *ended = stack->count == count;
    return status;
}

/* What is given behind the fields. */
static int write_extra(struct lt_estreamer_writer *writer, struct writing *writing)
{
    int status = find_end(writer, writing, writing->row);

    if (status != LEAT_OK || writing->closed)
        return status;
    return lt_estreamer_put_octets(writer, LEAT_BYTES,
                                   lt_estreamer_take(&writing->fields, LT_EXTRA), "extra");
}

static int end_writing(struct writing_stack *stack)
{
    struct writing *writing = &stack->open[--stack->count];
    struct lt_estreamer_writer *writer = stack->writer;
    int status = LEAT_OK;

    if (!writing->list && !writing->opaque && writing->fields.left > 0)
        status = write_extra(writer, writing);
    if (status == LEAT_OK && stack->count == 0 && stack->trailing != NULL &&
        writing->fields.left > 0)
        *stack->trailing = lt_estreamer_take(&writing->fields, LT_TRAILING);
    if (status == LEAT_OK && !writing->list)
        status = lt_estreamer_fields_end(writer, &writing->fields);
    if (status == LEAT_OK && writing->headed)
        status = patch_header(writer, writing->header);
    return status;
}

static int write_all(struct writing_stack *stack)
{
    while (stack->count > 0) {
        bool ended = false;
        int status = write_on(stack, &ended);

        if (status == LEAT_OK && ended)
            status = end_writing(stack);
        if (status != LEAT_OK)
            return status;
    }
    return LEAT_OK;
}

static void start_writing(struct writing_stack *stack, struct lt_estreamer_writer *writer,
                          const struct lt_estreamer_fields *fields, unsigned series, size_t depth)
{
    stack->writer = writer;
    stack->trailing = NULL;
    stack->series = series;
    stack->outside = depth - 1;
    stack->count = 1;
    memset(&stack->open[0], 0, sizeof stack->open[0]);
    stack->open[0].fields = *fields;
}

int lt_estreamer_write_fields(struct lt_estreamer_writer *writer,
                              struct lt_estreamer_fields *fields,
                              const struct lt_estreamer_layout *layout, unsigned series,
                              size_t depth)
{
    struct writing_stack stack;

    start_writing(&stack, writer, fields, series, depth);
    set_rows(&stack.open[0], layout);
    return write_all(&stack);
}

int lt_estreamer_write_whole(struct lt_estreamer_writer *writer, struct lt_estreamer_fields *fields,
                             const struct lt_estreamer_layout *layout, size_t depth, bool longer)
{
    if (lt_estreamer_peek(fields, LT_TRUNCATED) != NULL)
        return lt_estreamer_refuse(writer, "a structure that cannot be cut short", "truncated");
    if (!longer && lt_estreamer_peek(fields, LT_EXTRA) != NULL)
        return lt_estreamer_refuse(writer, "a structure that cannot be longer", "extra");
    return lt_estreamer_write_fields(writer, fields, layout, 0, depth);
}

int lt_estreamer_write_block(struct lt_estreamer_writer *writer, struct lt_estreamer_fields *fields,
                             const struct lt_estreamer_layout *expected, unsigned series,
                             size_t depth)
{
    struct writing_stack stack;
    const leat_value *trailing = NULL;
    int status;

    start_writing(&stack, writer, fields, series, depth);
    stack.trailing = &trailing;
    status =
        begin_writing(&stack, expected == NULL ? LT_ESTREAMER_AUTO : expected->block_type, NULL);
    if (status == LEAT_OK)
        status = write_all(&stack);
    return status != LEAT_OK ? status
                             : lt_estreamer_put_octets(writer, LEAT_BYTES, trailing, "trailing");
}
