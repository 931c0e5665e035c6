#include "builder.h"

#include <string.h>

static const leat_limits defaults = {
    .size = sizeof defaults, .values = UINT64_C(1) << 22, .depth = LT_DEPTH_MAX};

int leat_builder_new(const leat_config *config, leat_builder **builder)
{
    leat_allocator allocator = lt_allocator(config);
    leat_builder *made = (leat_builder *)lt_alloc_zero(&allocator, sizeof *made);

    if (made == NULL)
        return LEAT_E_NOMEM;
    made->allocator = allocator;
    made->limits = lt_limits(config, &defaults);
    if (made->limits.depth > LT_DEPTH_MAX)
        made->limits.depth = LT_DEPTH_MAX;
    lt_tree_init(&made->tree, &allocator, made->limits.values);
    made->json.tree = &made->tree;
    made->json.last = true;
    *builder = made;
    return LEAT_OK;
}

void leat_builder_free(leat_builder *builder)
{
    leat_allocator allocator;

    if (builder == NULL)
        return;
    lt_tree_free(&builder->tree);
    allocator = builder->allocator;
    lt_free(&allocator, builder, sizeof *builder);
}

void leat_builder_clear(leat_builder *builder)
{
    lt_tree_clear(&builder->tree);
    builder->depth = 0;
    builder->error.code = LEAT_OK;
}

int lt_builder_fail(leat_builder *builder, size_t count, int code, uint64_t offset,
                    const char *text, const char *field)
{
    builder->tree.count = count;
    return lt_error(&builder->error, code, offset, text, field);
}

static int mistake(leat_builder *builder, int code, const char *text)
{
    return lt_builder_fail(builder, builder->tree.count, code, 0, text, NULL);
}

const uint8_t *lt_builder_keep(leat_builder *builder, const void *octets, size_t length)
{
    return lt_arena_copy(&builder->tree.arena, octets, length);
}

static bool in_record(const leat_builder *builder)
{
    return builder->depth > 0 &&
           builder->tree.cells[builder->index[builder->depth - 1]].kind == LEAT_RECORD;
}

/* lt_builder_place() for a name of known length. */
static int place(leat_builder *builder, const char **name, size_t length, uint16_t *name_length)
{
    int status;

    if (builder->error.code != LEAT_OK)
        return builder->error.code;
    *name_length = 0;
    if (builder->depth == 0 && builder->tree.count > 0)
        return mistake(builder, LEAT_E_STATE, "a second value outside containers");
    if ((*name != NULL) != in_record(builder))
        return mistake(builder, LEAT_E_STATE,
                       *name == NULL ? "a field of a record has no name"
                                     : "a name outside a record");
    if (length > UINT16_MAX)
        return mistake(builder, LEAT_E_LIMIT, "name longer than 65535 octets");
    status = lt_tree_reserve(&builder->tree, 1);
    if (status != LEAT_OK)
        return mistake(builder, status,
                       status == LEAT_E_LIMIT ? "too many values" : "out of memory");
    if (*name != NULL) {
        *name = (const char *)lt_builder_keep(builder, *name, length);
        if (*name == NULL)
            return mistake(builder, LEAT_E_NOMEM, "out of memory");
        *name_length = (uint16_t)length;
    }
    return LEAT_OK;
}

int lt_builder_place(leat_builder *builder, const char **name, uint16_t *name_length)
{
    return place(builder, name, *name == NULL ? 0 : strlen(*name), name_length);
}

int lt_builder_added(leat_builder *builder)
{
    if (builder->depth > 0)
        builder->children[builder->depth - 1]++;
    return LEAT_OK;
}

int leat_builder_open(leat_builder *builder, const char *name, uint32_t kind)
{
    uint16_t name_length;
    int status = lt_builder_place(builder, &name, &name_length);

    if (status != LEAT_OK)
        return status;
    if (kind < LEAT_LIST || kind > LEAT_RECORD)
        return mistake(builder, LEAT_E_VALUE, "not a kind of container");
    if (builder->depth >= builder->limits.depth)
        return mistake(builder, LEAT_E_LIMIT, "nested too deeply");
    (void)lt_builder_added(builder);
    builder->index[builder->depth] = lt_tree_open(&builder->tree, (uint8_t)kind, name, name_length);
    builder->children[builder->depth] = 0;
    builder->depth++;
    return LEAT_OK;
}

int leat_builder_close(leat_builder *builder)
{
    size_t index;
    uint32_t children;
    bool table;

    if (builder->error.code != LEAT_OK)
        return builder->error.code;
    if (builder->depth == 0)
        return mistake(builder, LEAT_E_STATE, "no container is open");
    index = builder->index[builder->depth - 1];
    children = builder->children[builder->depth - 1];
    table = builder->tree.cells[index].kind == LEAT_TABLE;
    if (table && children % 2 != 0)
        return mistake(builder, LEAT_E_STATE, "a key of a table has no value");
    lt_tree_close(&builder->tree, index, table ? children / 2 : children);
    builder->depth--;
    return LEAT_OK;
}

static int add(leat_builder *builder, const char *name, uint8_t kind, uint64_t number)
{
    uint16_t name_length;
    int status = lt_builder_place(builder, &name, &name_length);
    leat_value *cell;

    if (status != LEAT_OK)
        return status;
    cell = lt_tree_push(&builder->tree, kind, name, name_length);
    cell->u.u64 = number;
    cell->length = 0;
    return lt_builder_added(builder);
}

int leat_builder_null(leat_builder *builder, const char *name)
{
    return add(builder, name, LEAT_NULL, 0);
}

int leat_builder_bool(leat_builder *builder, const char *name, int value)
{
    return add(builder, name, LEAT_BOOL, value != 0);
}

int leat_builder_i64(leat_builder *builder, const char *name, int64_t value)
{
    return add(builder, name, LEAT_INT, (uint64_t)value);
}

int leat_builder_u64(leat_builder *builder, const char *name, uint64_t value)
{
    return add(builder, name, LEAT_UINT, value);
}

int leat_builder_f64(leat_builder *builder, const char *name, double value)
{
    int status = add(builder, name, LEAT_REAL, 0);

    if (status == LEAT_OK)
        builder->tree.cells[builder->tree.count - 1].u.f64 = value;
    return status;
}

int leat_builder_timestamp(leat_builder *builder, const char *name, int64_t ns)
{
    return add(builder, name, LEAT_TIMESTAMP, (uint64_t)ns);
}

int leat_builder_timespan(leat_builder *builder, const char *name, int64_t ns)
{
    return add(builder, name, LEAT_TIMESPAN, (uint64_t)ns);
}

int leat_builder_port(leat_builder *builder, const char *name, uint32_t port, uint32_t protocol)
{
    if (builder->error.code == LEAT_OK && (port > UINT16_MAX || protocol > LEAT_PROTOCOL_ICMP))
        return mistake(builder, LEAT_E_VALUE, "not a port");
    return add(builder, name, LEAT_PORT, port | (uint64_t)protocol << 16);
}

/* prefix < 0: none is appended. */
static int add_octets(leat_builder *builder, const char *name, uint8_t kind, const void *octets,
                      size_t length, int prefix)
{
    uint16_t name_length;
    int status = lt_builder_place(builder, &name, &name_length);
    uint8_t *copy;

    if (status != LEAT_OK)
        return status;
    if (length > UINT32_MAX)
        return mistake(builder, LEAT_E_LIMIT, "longer than 4 GiB");
    copy = (uint8_t *)lt_arena_alloc(&builder->tree.arena, length + 1);
    if (copy == NULL)
        return mistake(builder, LEAT_E_NOMEM, "out of memory");
    if (length > 0)
        memcpy(copy, octets, length);
    copy[length] = prefix < 0 ? 0 : (uint8_t)prefix;
    lt_tree_bytes(&builder->tree, kind, name, name_length, copy, length);
    return lt_builder_added(builder);
}

int leat_builder_text(leat_builder *builder, const char *name, const char *text, size_t length)
{
    return add_octets(builder, name, LEAT_TEXT, text, length, -1);
}

int leat_builder_enum(leat_builder *builder, const char *name, const char *text, size_t length)
{
    return add_octets(builder, name, LEAT_ENUM, text, length, -1);
}

int leat_builder_bytes(leat_builder *builder, const char *name, const void *octets, size_t length)
{
    return add_octets(builder, name, LEAT_BYTES, octets, length, -1);
}

int leat_builder_address(leat_builder *builder, const char *name, const void *octets, size_t length)
{
    if (builder->error.code == LEAT_OK && length != 4 && length != 16)
        return mistake(builder, LEAT_E_VALUE, "an address has 4 or 16 octets");
    return add_octets(builder, name, LEAT_ADDRESS, octets, length, -1);
}

int leat_builder_subnet(leat_builder *builder, const char *name, const void *octets,
                        uint32_t prefix)
{
    if (builder->error.code == LEAT_OK && prefix > 128)
        return mistake(builder, LEAT_E_VALUE, "a prefix has at most 128 bits");
    return add_octets(builder, name, LEAT_SUBNET, octets, 16, (int)prefix);
}

int leat_builder_mac(leat_builder *builder, const char *name, const void *octets)
{
    return add_octets(builder, name, LEAT_MAC, octets, 6, -1);
}

int leat_builder_uuid(leat_builder *builder, const char *name, const void *octets)
{
    return add_octets(builder, name, LEAT_UUID, octets, 16, -1);
}

/* How deep containers nest in a value, itself included. */
static size_t depth_of(const leat_value *value)
{
    const leat_value *ends[LT_DEPTH_MAX];
    size_t depth = 0, deepest = 0, i, cells = lt_cells(value);

    for (i = 0; i < cells; i++) {
        while (depth > 0 && value + i == ends[depth - 1])
            depth--;
        if (lt_is_container(value + i)) {
            ends[depth++] = value + i + value[i].u.cells;
            deepest = depth > deepest ? depth : deepest;
        }
    }
    return deepest;
}

int leat_builder_copy(leat_builder *builder, const char *name, const leat_value *value)
{
    size_t count = builder->tree.count;
    size_t length = name == NULL ? 0 : strlen(name);
    uint16_t name_length;
    int status;

    if (value == NULL)
        return leat_builder_null(builder, name);
    if (builder->error.code != LEAT_OK)
        return builder->error.code;
    /* Without a name of its own the field keeps the one it has. */
    if (name == NULL && in_record(builder) && value->name != NULL) {
        name = value->name;
        length = value->name_length;
    }
    /* This comes first: it refuses a value of this very builder, which growing would move away. */
    status = place(builder, &name, length, &name_length);
    if (status != LEAT_OK)
        return status;
    status = lt_tree_reserve(&builder->tree, lt_cells(value));
    if (status != LEAT_OK)
        return mistake(builder, status,
                       status == LEAT_E_LIMIT ? "too many values" : "out of memory");
    if (builder->depth + depth_of(value) > builder->limits.depth)
        return mistake(builder, LEAT_E_LIMIT, "nested too deeply");
    if (lt_tree_copy(&builder->tree, value, name, name_length) != LEAT_OK)
        return lt_builder_fail(builder, count, LEAT_E_NOMEM, 0, "out of memory", NULL);
    return lt_builder_added(builder);
}

int leat_builder_json(leat_builder *builder, const char *name, const char *text, size_t length)
{
    size_t count = builder->tree.count, used = 0, behind;
    uint16_t name_length;
    const uint8_t *copy;
    int status = lt_builder_place(builder, &name, &name_length);

    if (status != LEAT_OK)
        return status;
    copy = lt_builder_keep(builder, text, length);
    if (copy == NULL)
        return mistake(builder, LEAT_E_NOMEM, "out of memory");
    builder->json.depth = (size_t)builder->limits.depth - builder->depth;
    status = lt_json_read(&builder->json, copy, length, name, name_length, &used, &builder->error);
    if (status != LEAT_OK)
        return status;
    behind = used + lt_json_space(copy + used, length - used);
    if (behind < length)
        return lt_builder_fail(builder, count, LEAT_E_SYNTAX, behind, "text behind the value",
                               NULL);
    return lt_builder_added(builder);
}

const leat_value *leat_builder_value(const leat_builder *builder)
{
    if (builder->error.code != LEAT_OK || builder->depth > 0 || builder->tree.count == 0)
        return NULL;
    return builder->tree.cells;
}

const leat_error *leat_builder_error(const leat_builder *builder)
{
    return builder->error.code == LEAT_OK ? NULL : &builder->error;
}
