/*
 * Every layout and every record type, filled by the introspection tables alone. A little encoder of
 * the test's own writes the octets that the wire types ask for while the value is built: what the
 * library reads from the octets must be the value, and what it writes for the value must be the
 * octets.
 */
#include "support.h"

#include <leat/estreamer.h>
#include <stdio.h>

#define DEPTH 3 /* of blocks that are filled; those further down stay empty lists */

#define LONE_SERIES_1 8u /* record types that hold nothing but a block */
#define LONE_SERIES_2 110u

/* A value and its octets, as they grow. */
struct sample {
    leat_builder *value;
    struct t_bytes octets;
    uint32_t seed;
    unsigned series;
    size_t edges[300]; /* of the fields of the first block */
    bool counted[300]; /* the field behind the edge has a length in front of it */
    size_t edge_count;
};

static void put(struct sample *sample, uint64_t number, unsigned octets)
{
    while (octets-- > 0) {
        uint8_t octet = (uint8_t)(number >> 8 * octets);

        t_append(&sample->octets, &octet, 1);
    }
}

static uint32_t next(struct sample *sample)
{
    sample->seed = sample->seed * 1664525u + 1013904223u;
    return sample->seed >> 8;
}

static uint64_t next_number(struct sample *sample, unsigned octets)
{
    uint64_t number = (uint64_t)next(sample) << 40 ^ (uint64_t)next(sample) << 16 ^ next(sample);

    return octets == 8 ? number : number & ((UINT64_C(1) << 8 * octets) - 1);
}

static size_t begin_block(struct sample *sample, uint32_t type)
{
    size_t at = sample->octets.length;

    put(sample, type, 4);
    put(sample, 0, 4);
    return at;
}

static void set_length(struct sample *sample, size_t at, size_t length)
{
    sample->octets.data[at] = (uint8_t)(length >> 24);
    sample->octets.data[at + 1] = (uint8_t)(length >> 16);
    sample->octets.data[at + 2] = (uint8_t)(length >> 8);
    sample->octets.data[at + 3] = (uint8_t)length;
}

static void end_block(struct sample *sample, size_t at)
{
    set_length(sample, at + 4, sample->octets.length - at);
}

/* Octets that are text, of a number that the name decides. */
static size_t fill(struct sample *sample, char text[64], const char *name)
{
    int length = snprintf(text, 64, "%s-%u", name, next(sample) % 1000u);

    return length < 60 ? (size_t)length : 60;
}

static void add_block(struct sample *sample, const char *name, uint32_t type, int depth);

static void add_string(struct sample *sample, const char *name)
{
    char text[64];
    size_t length = fill(sample, text, name == NULL ? "item" : name);
    size_t at = begin_block(sample, 0);

    t_append(&sample->octets, text, length);
    end_block(sample, at);
    leat_builder_text(sample->value, name, text, length);
}

/* "list<1/4>", "generic-list<auto>", "blocks[rest]", "block<1/1>" */
static void add_nested(struct sample *sample, const char *name, const char *wire, int depth)
{
    const char *slash = strchr(wire, '/');
    bool generic = strncmp(wire, "generic", 7) == 0;
    size_t at = 0;

    if (strncmp(wire, "block<", 6) == 0) {
        if (slash == NULL)
            add_string(sample, name);
        else
            add_block(sample, name, (uint32_t)strtoul(slash + 1, NULL, 10), depth - 1);
        return;
    }
    leat_builder_open(sample->value, name, LEAT_LIST);
    if (wire[0] != 'b')
        at = begin_block(sample, sample->series == 1 ? (generic ? 31 : 11) : (generic ? 3 : 2));
    if (slash != NULL && depth > 0) {
        add_block(sample, NULL, (uint32_t)strtoul(slash + 1, NULL, 10), depth - 1);
        add_block(sample, NULL, (uint32_t)strtoul(slash + 1, NULL, 10), 0);
    }
    if (slash == NULL && depth > 0) {
        add_string(sample, NULL);
        add_block(sample, NULL, 54321, depth - 1);
    }
    if (wire[0] != 'b')
        end_block(sample, at);
    leat_builder_close(sample->value);
}

static void add_octets(struct sample *sample, const char *name, const char *wire, size_t length,
                       const char *octets)
{
    bool text = wire[0] == 'u' || wire[0] == 's';

    t_append(&sample->octets, octets, length);
    if (text)
        leat_builder_text(sample->value, name, octets, length);
    else
        leat_builder_bytes(sample->value, name, octets, length);
}

static void add_fixed(struct sample *sample, const char *name, const char *wire)
{
    uint8_t octets[64];
    size_t length, i;
    uint64_t number;

    if (wire[0] == 'u' && strcmp(wire, "uuid") != 0) {
        unsigned width = (unsigned)strtoul(wire + 1, NULL, 10) / 8;

        number = next_number(sample, width);
        put(sample, number, width);
        leat_builder_u64(sample->value, name, number);
        return;
    }
    if (strcmp(wire, "i32") == 0) {
        number = next_number(sample, 4);
        put(sample, number, 4);
        leat_builder_i64(sample->value, name, (int32_t)number);
        return;
    }
    for (i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t)next(sample);
    if (strcmp(wire, "ip16") == 0) {
        leat_builder_address(sample->value, name, octets, length = 16);
    } else if (strcmp(wire, "uuid") == 0) {
        leat_builder_uuid(sample->value, name, octets);
        length = 16;
    } else if (strcmp(wire, "mac") == 0) {
        leat_builder_mac(sample->value, name, octets);
        length = 6;
    } else if (strncmp(wire, "ipv4", 4) == 0) {
        leat_builder_address(sample->value, name, octets, length = 4);
    } else {
        ck_assert_msg(strncmp(wire, "bytes[", 6) == 0, "unknown wire type %s", wire);
        length = strtoul(wire + 6, NULL, 10);
        ck_assert(length > 0 && length <= sizeof octets);
        leat_builder_bytes(sample->value, name, octets, length);
    }
    for (i = 0; i < length; i++)
        put(sample, octets[strcmp(wire, "ipv4-reversed") == 0 ? length - 1 - i : i], 1);
}

/* The field whose length this one is: "utf8[this]". */
static const char *counted_by(size_t layout, size_t field)
{
    const char *name = leat_estreamer_field_name(layout, field);
    size_t i;

    for (i = field + 1; i < leat_estreamer_field_count(layout); i++) {
        const char *wire = leat_estreamer_field_wire_type(layout, i);
        const char *open = strchr(wire, '[');

        if (open != NULL && strlen(open) == strlen(name) + 2 &&
            strncmp(open + 1, name, strlen(name)) == 0)
            return leat_estreamer_field_name(layout, i);
    }
    return NULL;
}

static void add_field(struct sample *sample, size_t layout, size_t field, int depth,
                      char pending[64], size_t *pending_length)
{
    const char *name = leat_estreamer_field_name(layout, field);
    const char *wire = leat_estreamer_field_wire_type(layout, field);
    const char *counted = counted_by(layout, field);
    size_t at;

    if (counted != NULL) {
        *pending_length = fill(sample, pending, counted);
        put(sample, *pending_length, (unsigned)strtoul(wire + 1, NULL, 10) / 8);
        leat_builder_u64(sample->value, name, *pending_length);
    } else if (strcmp(wire, "string-block") == 0) {
        add_string(sample, name);
    } else if (strcmp(wire, "blob-block") == 0) {
        char octets[64];
        size_t length = fill(sample, octets, name);

        at = begin_block(sample, sample->series == 1 ? 10 : 1);
        add_octets(sample, name, "bytes", length, octets);
        end_block(sample, at);
    } else if (strchr(wire, '<') != NULL || strcmp(wire, "blocks[rest]") == 0) {
        add_nested(sample, name, wire, depth);
    } else if (strstr(wire, "[rest]") != NULL) {
        char octets[64];

        add_octets(sample, name, wire, fill(sample, octets, name), octets);
    } else if (strchr(wire, '[') != NULL && strtoul(strchr(wire, '[') + 1, NULL, 10) == 0) {
        add_octets(sample, name, wire, *pending_length, pending);
    } else {
        add_fixed(sample, name, wire);
    }
}

/* The fields of a layout, to the record that is open. */
static void add_fields(struct sample *sample, size_t layout, int depth, bool first)
{
    char pending[64];
    size_t pending_length = 0, i;

    for (i = 0; i < leat_estreamer_field_count(layout); i++) {
        if (first) {
            const char *wire = leat_estreamer_field_wire_type(layout, i);

            sample->counted[i] = (wire[0] == 'u' || wire[0] == 'b') && strchr(wire, '[') != NULL &&
                                 strtoul(strchr(wire, '[') + 1, NULL, 10) == 0;
            sample->edges[i] = sample->octets.length;
        }
        add_field(sample, layout, i, depth, pending, &pending_length);
    }
    if (first) {
        sample->edges[i] = sample->octets.length;
        sample->edge_count = i + 1;
    }
}

/* A block of an unknown type has data. */
static void add_block_fields(struct sample *sample, uint32_t type, int depth, bool first)
{
    size_t layout = leat_estreamer_layout_of_block(sample->series, type);
    size_t at = begin_block(sample, type);

    leat_builder_u64(sample->value, "block_type", type);
    if (layout == LEAT_ESTREAMER_NO_LAYOUT)
        add_octets(sample, "data", "bytes", 5, "opaque");
    else
        add_fields(sample, layout, depth, first);
    end_block(sample, at);
}

static void add_block(struct sample *sample, const char *name, uint32_t type, int depth)
{
    leat_builder_open(sample->value, name, LEAT_RECORD);
    add_block_fields(sample, type, depth, false);
    leat_builder_close(sample->value);
}

static struct sample start(uint32_t seed, unsigned series)
{
    struct sample sample;

    memset(&sample, 0, sizeof sample);
    ck_assert_int_eq(leat_builder_new(NULL, &sample.value), LEAT_OK);
    sample.octets = t_copy("", 0);
    sample.seed = seed;
    sample.series = series;
    return sample;
}

static void stop(struct sample *sample)
{
    leat_builder_free(sample->value);
    t_free(sample->octets);
}

static leat_builder *read_record(uint32_t type, const uint8_t *octets, size_t length)
{
    leat_builder *builder;

    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    (void)leat_estreamer_record_read(builder, NULL, type, octets, length);
    return builder;
}

/* Writing the value gives the octets. */
static void same_octets(const char *what, uint32_t type, const leat_value *value,
                        const uint8_t *octets, size_t length)
{
    leat_buffer *buffer;
    const void *written;
    size_t count;

    ck_assert_int_eq(leat_buffer_new(NULL, &buffer), LEAT_OK);
    ck_assert_msg(leat_estreamer_record_write(buffer, type, value) == LEAT_OK, "%s: %s %s", what,
                  leat_error_text(leat_buffer_error(buffer)),
                  leat_error_field(leat_buffer_error(buffer)));
    written = leat_buffer_data(buffer, &count);
    if (count != length || (length > 0 && memcmp(written, octets, length) != 0)) {
        char *json = t_json_text(value), *got = t_to_hex(written, count);
        char *expected = t_to_hex(octets, length);

        ck_abort_msg("%s: %s\n gives  %s\n and not %s", what, json, got, expected);
    }
    leat_buffer_free(buffer);
}

/* Reading the octets gives the value; writing it, or its JSON text, gives the octets. */
static void check_sample(const char *what, uint32_t type, const struct sample *sample)
{
    const leat_value *value = leat_builder_value(sample->value);
    leat_builder *read = read_record(type, sample->octets.data, sample->octets.length);
    char *json = t_json_text(value), *got;
    leat_builder *json_read = t_json(json, strlen(json));

    ck_assert_ptr_nonnull(value);
    ck_assert_msg(leat_builder_value(read) != NULL, "%s: %s %s", what,
                  leat_error_text(leat_builder_error(read)),
                  leat_error_field(leat_builder_error(read)));
    got = t_json_text(leat_builder_value(read));
    ck_assert_msg(leat_value_equal(leat_builder_value(read), value), "%s:\n%s\nread as\n%s", what,
                  json, got);
    same_octets(what, type, value, sample->octets.data, sample->octets.length);
    same_octets(what, type, leat_builder_value(json_read), sample->octets.data,
                sample->octets.length);
    leat_builder_free(json_read);
    leat_builder_free(read);
    free(json);
    free(got);
}

static bool is_block(const char *container, unsigned *series, uint32_t *type)
{
    if (container[0] != 's' || container[2] != '/')
        return false;
    *series = (unsigned)(container[1] - '0');
    *type = (uint32_t)strtoul(container + 3, NULL, 10);
    return true;
}

static uint32_t lone_record(unsigned series)
{
    return series == 1 ? LONE_SERIES_1 : LONE_SERIES_2;
}

static struct sample block_sample(size_t layout, uint32_t *record_type)
{
    unsigned series = 0;
    uint32_t type = 0;
    struct sample sample;

    ck_assert(is_block(leat_estreamer_layout_container(layout), &series, &type));
    sample = start((uint32_t)layout, series);
    *record_type = lone_record(series);
    leat_builder_open(sample.value, NULL, LEAT_RECORD);
    add_block_fields(&sample, type, DEPTH, true);
    leat_builder_close(sample.value);
    return sample;
}

static size_t block_layouts(size_t layouts[400])
{
    size_t i, count = 0;
    unsigned series;
    uint32_t type;

    for (i = 0; i < leat_estreamer_layout_count(); i++) {
        if (is_block(leat_estreamer_layout_container(i), &series, &type))
            layouts[count++] = i;
    }
    ck_assert_uint_gt(count, 200);
    return count;
}

START_TEST(blocks)
{
    size_t layouts[400];
    size_t count = block_layouts(layouts), i;

    for (i = 0; i < count; i++) {
        uint32_t record_type;
        struct sample sample = block_sample(layouts[i], &record_type);

        check_sample(leat_estreamer_layout_container(layouts[i]), record_type, &sample);
        stop(&sample);
    }
}
END_TEST

/*
 * A block that ends between two fields lacks those behind; one that ends in a field is malformed.
 */
static void check_cut(const char *what, uint32_t type, const struct sample *sample, size_t at)
{
    struct t_bytes octets = t_copy(sample->octets.data, at);
    struct sample sized = *sample;
    leat_builder *read;
    size_t fields, whole;

    sized.octets = octets;
    set_length(&sized, 4, at);
    read = read_record(type, octets.data, at);
    for (fields = 0; fields < sample->edge_count && sample->edges[fields] < at; fields++)
        ;
    whole = leat_value_count(leat_builder_value(sample->value));
    if (fields + 1 == sample->edge_count || sample->edges[fields] != at ||
        sample->counted[fields]) {
        const leat_error *error = leat_builder_error(read);

        ck_assert_msg(leat_error_code(error) == LEAT_E_SYNTAX, "%s cut at %zu", what, at);
        ck_assert_uint_le(leat_error_offset(error), at);
        ck_assert_str_ne(leat_error_field(error), "");
    } else {
        const leat_value *value = leat_builder_value(read);

        ck_assert_msg(value != NULL, "%s cut at %zu: %s", what, at,
                      leat_error_text(leat_builder_error(read)));
        ck_assert(leat_value_bool(leat_value_get(value, "truncated")));
        /* block_type, the fields and truncated */
        ck_assert_uint_eq(leat_value_count(value), fields + 2);
        ck_assert_uint_lt(leat_value_count(value), whole + 1);
        same_octets(what, type, value, octets.data, at);
    }
    leat_builder_free(read);
    t_free(octets);
}

START_TEST(short_blocks)
{
    size_t layouts[400];
    size_t count = block_layouts(layouts), i, at;

    for (i = 0; i < count; i++) {
        const char *what = leat_estreamer_layout_container(layouts[i]);
        uint32_t record_type;
        struct sample sample = block_sample(layouts[i], &record_type);
        size_t last = leat_estreamer_field_count(layouts[i]) - 1;

        /* What takes up the rest can have any length. */
        if (strstr(leat_estreamer_field_wire_type(layouts[i], last), "rest") == NULL) {
            for (at = 8; at < sample.octets.length; at++)
                check_cut(what, record_type, &sample, at);
        }
        stop(&sample);
    }
}
END_TEST

START_TEST(longer_blocks)
{
    size_t layouts[400];
    size_t count = block_layouts(layouts), i;

    for (i = 0; i < count; i++) {
        uint32_t record_type;
        struct sample sample = block_sample(layouts[i], &record_type);
        size_t last = leat_estreamer_field_count(layouts[i]) - 1;
        const leat_value *value;
        leat_builder *read;
        size_t length;

        t_append(&sample.octets, "\1\2\3", 3);
        if (strstr(leat_estreamer_field_wire_type(layouts[i], last), "rest") == NULL) {
            set_length(&sample, 4, sample.octets.length);
            read = read_record(record_type, sample.octets.data, sample.octets.length);
            value = leat_value_get(leat_builder_value(read), "extra");
            ck_assert_mem_eq(leat_value_bytes(value, &length), "\1\2\3", 3);
            ck_assert_uint_eq(length, 3);
            same_octets("extra", record_type, leat_builder_value(read), sample.octets.data,
                        sample.octets.length);
            leat_builder_free(read);
            set_length(&sample, 4, sample.octets.length - 3);
        }
        /* Behind the block, but in its record. */
        read = read_record(record_type, sample.octets.data, sample.octets.length);
        value = leat_value_get(leat_builder_value(read), "trailing");
        ck_assert_mem_eq(leat_value_bytes(value, &length), "\1\2\3", 3);
        ck_assert_uint_eq(length, 3);
        same_octets("trailing", record_type, leat_builder_value(read), sample.octets.data,
                    sample.octets.length);
        leat_builder_free(read);
        stop(&sample);
    }
}
END_TEST

/* Fields that are not given are 0 or empty: what is written reads back, and is nothing else. */
START_TEST(empty_blocks)
{
    size_t layouts[400];
    size_t count = block_layouts(layouts), i, empty = 0;

    for (i = 0; i < count; i++) {
        unsigned series;
        uint32_t type;
        leat_builder *builder, *read;
        leat_buffer *buffer;
        const void *octets;
        size_t length, field;

        ck_assert(is_block(leat_estreamer_layout_container(layouts[i]), &series, &type));
        ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
        ck_assert_int_eq(leat_buffer_new(NULL, &buffer), LEAT_OK);
        leat_builder_open(builder, NULL, LEAT_RECORD);
        leat_builder_u64(builder, "block_type", type);
        leat_builder_close(builder);
        for (field = 0; field < leat_estreamer_field_count(layouts[i]); field++) {
            if (strcmp(leat_estreamer_field_wire_type(layouts[i], field), "block<auto>") == 0)
                break;
        }
        if (field < leat_estreamer_field_count(layouts[i])) {
            /* A block of which nothing tells the type cannot be left out. */
            ck_assert_int_eq(leat_estreamer_record_write(buffer, lone_record(series),
                                                         leat_builder_value(builder)),
                             LEAT_E_VALUE);
        } else {
            const leat_value *value;

            ck_assert_int_eq(leat_estreamer_record_write(buffer, lone_record(series),
                                                         leat_builder_value(builder)),
                             LEAT_OK);
            octets = leat_buffer_data(buffer, &length);
            read = read_record(lone_record(series), (const uint8_t *)octets, length);
            value = leat_builder_value(read);
            ck_assert_uint_eq(leat_value_count(value), leat_estreamer_field_count(layouts[i]) + 1);
            ck_assert_uint_eq(leat_value_u64(leat_value_at(value, 1)), 0);
            leat_builder_free(read);
            empty++;
        }
        leat_buffer_free(buffer);
        leat_builder_free(builder);
    }
    ck_assert_uint_ge(empty, count - 4);
}
END_TEST

static void add_discovery_header(struct sample *sample, bool ipv6)
{
    static const char *const names[] = {"device_id",         "legacy_ip",    "mac_address",
                                        "has_ipv6",          "reserved",     "event_second",
                                        "event_microsecond", "event_type",   "event_subtype",
                                        "file_number",       "file_position"};
    static const char *const wires[] = {"u32", "ipv4", "mac", "",    "u8", "u32",
                                        "u32", "u32",  "u32", "u32", "u32"};
    size_t i;

    leat_builder_open(sample->value, "discovery_header", LEAT_RECORD);
    for (i = 0; i < 11; i++) {
        if (i == 3) {
            put(sample, ipv6, 1);
            leat_builder_u64(sample->value, names[i], ipv6);
        } else {
            add_fixed(sample, names[i], wires[i]);
        }
    }
    if (ipv6)
        add_fixed(sample, "ip_address", "ip16");
    leat_builder_close(sample->value);
}

static struct sample record_sample(uint32_t type, size_t layout, bool legacy, bool ipv6)
{
    struct sample sample = start(type, leat_estreamer_record_series(type));
    unsigned series;
    uint32_t block_type;

    leat_builder_open(sample.value, NULL, LEAT_RECORD);
    if (leat_estreamer_record_has_discovery_header(type))
        add_discovery_header(&sample, ipv6);
    if (legacy) {
        leat_builder_bool(sample.value, "legacy", 1);
        add_fields(&sample, layout, DEPTH, false);
    } else if (layout == LEAT_ESTREAMER_NO_LAYOUT && sample.series != 0) {
        add_block_fields(&sample, 15, DEPTH, false);
    } else if (layout == LEAT_ESTREAMER_NO_LAYOUT) {
        if (type == 30 || type == 32 || type == 114) /* whose layout is not public */
            add_octets(&sample, "data", "bytes", 6, "opaque");
    } else if (is_block(leat_estreamer_layout_container(layout), &series, &block_type)) {
        add_block_fields(&sample, block_type, DEPTH, false);
    } else {
        add_fields(&sample, layout, DEPTH, false);
    }
    leat_builder_close(sample.value);
    return sample;
}

START_TEST(records)
{
    size_t i, legacies = 0;

    ck_assert_uint_eq(leat_estreamer_record_count(), 177);
    for (i = 0; i < leat_estreamer_record_count(); i++) {
        uint32_t type = leat_estreamer_record_type(i);
        size_t layout = leat_estreamer_record_layout(type);
        size_t legacy = leat_estreamer_record_legacy_layout(type);
        const char *name = leat_estreamer_record_name(type);
        struct sample sample = record_sample(type, layout, false, false);

        ck_assert_ptr_nonnull(name);
        ck_assert_ptr_nonnull(leat_estreamer_record_category(type));
        check_sample(name, type, &sample);
        stop(&sample);
        sample = record_sample(type, layout, false, true);
        check_sample(name, type, &sample);
        stop(&sample);
        if (legacy != LEAT_ESTREAMER_NO_LAYOUT) {
            sample = record_sample(type, legacy, true, true);
            check_sample(name, type, &sample);
            stop(&sample);
            legacies++;
        }
    }
    ck_assert_uint_eq(legacies, 6); /* 27, 28, 29, 62, 70, 98 */
}
END_TEST

/* A record cut anywhere is read or refused; what is read gives the octets back. */
START_TEST(short_records)
{
    size_t i, at;

    for (i = 0; i < leat_estreamer_record_count(); i++) {
        uint32_t type = leat_estreamer_record_type(i);
        struct sample sample =
            record_sample(type, leat_estreamer_record_layout(type), false, i % 2 == 0);

        for (at = 0; at < sample.octets.length; at++) {
            leat_builder *read = read_record(type, sample.octets.data, at);

            if (leat_builder_value(read) != NULL)
                same_octets(leat_estreamer_record_name(type), type, leat_builder_value(read),
                            sample.octets.data, at);
            else
                ck_assert_int_eq(leat_error_code(leat_builder_error(read)), LEAT_E_SYNTAX);
            leat_builder_free(read);
        }
        stop(&sample);
    }
}
END_TEST

/* Structures that appear in no block: the record types that use them have been seen above. */
START_TEST(every_layout_is_reached)
{
    size_t i, j, reached = 0;

    for (i = 0; i < leat_estreamer_layout_count(); i++) {
        const char *container = leat_estreamer_layout_container(i);
        unsigned series;
        uint32_t type;
        bool used = is_block(container, &series, &type) || strncmp(container, "struct/", 7) == 0;

        for (j = 0; j < leat_estreamer_record_count(); j++) {
            uint32_t record = leat_estreamer_record_type(j);

            used = used || leat_estreamer_record_layout(record) == i ||
                   leat_estreamer_record_legacy_layout(record) == i;
        }
        ck_assert_msg(used, "%s", container);
        ck_assert_ptr_nonnull(leat_estreamer_layout_name(i));
        reached++;
    }
    ck_assert_uint_gt(reached, 270);
}
END_TEST

START_TEST(out_of_range)
{
    size_t layouts = leat_estreamer_layout_count();

    ck_assert_uint_eq(leat_estreamer_record_type(leat_estreamer_record_count()), 0);
    ck_assert_ptr_null(leat_estreamer_record_name(43));
    ck_assert_ptr_null(leat_estreamer_record_name(701));
    ck_assert_ptr_null(leat_estreamer_record_name(UINT32_MAX));
    ck_assert_ptr_null(leat_estreamer_record_category(43));
    ck_assert_int_eq(leat_estreamer_record_has_discovery_header(43), 0);
    ck_assert_uint_eq(leat_estreamer_record_series(43), 0);
    ck_assert(leat_estreamer_record_layout(43) == LEAT_ESTREAMER_NO_LAYOUT);
    ck_assert(leat_estreamer_record_legacy_layout(400) == LEAT_ESTREAMER_NO_LAYOUT);
    ck_assert_ptr_null(leat_estreamer_layout_container(layouts));
    ck_assert_ptr_null(leat_estreamer_layout_name(layouts));
    ck_assert(leat_estreamer_layout_of_block(1, 157) == LEAT_ESTREAMER_NO_LAYOUT);
    ck_assert(leat_estreamer_layout_of_block(2, UINT32_MAX) == LEAT_ESTREAMER_NO_LAYOUT);
    ck_assert(leat_estreamer_layout_of_block(3, 1) == LEAT_ESTREAMER_NO_LAYOUT);
    ck_assert_uint_eq(leat_estreamer_field_count(layouts), 0);
    ck_assert_ptr_null(leat_estreamer_field_name(0, leat_estreamer_field_count(0)));
    ck_assert_ptr_null(leat_estreamer_field_wire_type(layouts, 0));
    ck_assert_uint_eq(leat_estreamer_field_kind(0, 1000), LEAT_NULL);
    ck_assert_str_eq(leat_estreamer_layout_name(leat_estreamer_layout_of_block(2, 85)),
                     "intrusion_event_7_1");
    ck_assert_uint_eq(leat_estreamer_field_kind(leat_estreamer_layout_of_block(2, 85), 9),
                      LEAT_ADDRESS);
    ck_assert_str_eq(leat_estreamer_field_name(leat_estreamer_layout_of_block(2, 85), 9),
                     "source_ip");
    ck_assert_str_eq(leat_estreamer_field_wire_type(leat_estreamer_layout_of_block(2, 85), 9),
                     "ip16");
}
END_TEST

static void tests(TCase *tcase)
{
    tcase_add_test(tcase, blocks);
    tcase_add_test(tcase, short_blocks);
    tcase_add_test(tcase, longer_blocks);
    tcase_add_test(tcase, empty_blocks);
    tcase_add_test(tcase, records);
    tcase_add_test(tcase, short_records);
    tcase_add_test(tcase, every_layout_is_reached);
    tcase_add_test(tcase, out_of_range);
}

T_MAIN("estreamer/layouts", tests)
