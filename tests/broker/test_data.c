/*
 * Values in the binary format: what real Broker wrote and what it refused, and what peers could
 * try.
 */
#include "lines.h"

#include <leat/broker.h>
#include <math.h>

static leat_builder *builder;
static leat_buffer *buffer;

static void setup(void)
{
    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    ck_assert_int_eq(leat_buffer_new(NULL, &buffer), LEAT_OK);
}

static void teardown(void)
{
    leat_builder_free(builder);
    leat_buffer_free(buffer);
}

static int read_octets(const void *octets, size_t length)
{
    leat_builder_clear(builder);
    return leat_broker_read(builder, NULL, octets, length);
}

static int read_hex(const char *hex)
{
    struct t_bytes octets = t_hex(hex);
    int status = read_octets(octets.data, octets.length);

    t_free(octets);
    return status;
}

static int write_value(const leat_value *value)
{
    leat_buffer_clear(buffer);
    return leat_broker_write(buffer, value);
}

static void reads(const char *hex, const char *what)
{
    int status = read_hex(hex);

    ck_assert_msg(status == LEAT_OK, "%s: %s: %s", what, leat_status_name(status),
                  leat_error_text(leat_builder_error(builder)));
}

static void writes(const char *hex, const char *what)
{
    int status = write_value(leat_builder_value(builder));

    ck_assert_msg(status == LEAT_OK, "%s: %s: %s", what, leat_status_name(status),
                  leat_error_text(leat_buffer_error(buffer)));
    same_buffer(buffer, hex, what);
}

/* Broker's subnormals are of no use: we write zero. */
#define BROKER_SUBNORMAL "real largest subnormal (encoding is lossy)"

START_TEST(every_value_of_broker_and_back)
{
    struct lines lines;

    lines_open(&lines, "broker/data.jsonl");
    while (lines_next(&lines)) {
        char *what = text_of(lines.line, "desc"), *hex = text_of(lines.line, "hex");

        if (strcmp(what, "vector nested 1000 deep") == 0) {
            ck_assert_int_eq(read_hex(hex), LEAT_E_LIMIT); /* more than we allow */
        } else {
            reads(hex, what);
            writes(strcmp(what, BROKER_SUBNORMAL) == 0 ? "040000000000000000" : hex, what);
        }
        free(what);
        free(hex);
    }
    ck_assert_uint_eq(lines.number, 261);
}
END_TEST

/* What Broker takes and we do not, or write otherwise, and why. */
static const struct {
    const char *what;
    int status;
    const char *hex; /* written; NULL: refused */
} deliberate[] = {
    /* A length of 33 bits, or of more than five octets, is no length. */
    {"string length varbyte 81 80 80 80 10 (bit 32 dropped) + 1 byte", LEAT_E_SYNTAX, NULL},
    {"string length varbyte 10 bytes", LEAT_E_SYNTAX, NULL},
    {"string length varbyte of 11 bytes", LEAT_E_SYNTAX, NULL},
    /* There is no such subnet: it is read, but not passed on. */
    {"subnet length 129", LEAT_OK, NULL},
    {"subnet length 255", LEAT_OK, NULL},
    /* Host bits are cleared, as Broker does when it makes a subnet. */
    {"subnet v4-mapped with length 8 (below 96)", LEAT_OK, "070000000000000000000000000000000008"},
    {"subnet with host bits set", LEAT_OK, "0700000000000000000000ffff0a00000068"},
    {"subnet v6 with host bits set", LEAT_OK, "0720010db800000000000000000000000020"},
};

#define DELIBERATE (sizeof deliberate / sizeof *deliberate)

START_TEST(every_invalid_value_as_broker)
{
    struct lines lines;
    unsigned seen = 0;

    lines_open(&lines, "broker/invalid.jsonl");
    while (lines_next(&lines)) {
        char *what = text_of(lines.line, "desc"), *hex = text_of(lines.line, "hex");
        char *again = text_of(lines.line, "reencoded_hex");
        bool accept = has_text(lines.line, "verdict", "accept");
        size_t i = 0;

        if (has_text(lines.line, "kind", "data") && hex != NULL) {
            while (i < DELIBERATE && strcmp(deliberate[i].what, what) != 0)
                i++;
            if (i < DELIBERATE) {
                seen++;
                ck_assert_msg(read_hex(hex) == deliberate[i].status, "%s", what);
                if (deliberate[i].hex != NULL)
                    writes(deliberate[i].hex, what);
                else if (deliberate[i].status == LEAT_OK)
                    ck_assert_int_eq(write_value(leat_builder_value(builder)), LEAT_E_VALUE);
            } else if (accept) {
                reads(hex, what);
                writes(again, what);
            } else {
                ck_assert_msg(read_hex(hex) == LEAT_E_SYNTAX, "%s", what);
                ck_assert_ptr_null(leat_builder_value(builder));
            }
        }
        free(what);
        free(hex);
        free(again);
    }
    ck_assert_uint_eq(seen, DELIBERATE);
}
END_TEST

/*
 * The two values that are too long to print: "('0e01' x n) + '0e00'". Broker dies of the longer
 * one.
 */
START_TEST(values_that_nest_absurdly)
{
    size_t deep = _i == 0 ? 9999 : 99999, i;
    struct t_bytes octets = {NULL, 0};

    for (i = 0; i < deep; i++)
        t_append(&octets, "\x0e\x01", 2);
    t_append(&octets, "\x0e\x00", 2);
    ck_assert_int_eq(read_octets(octets.data, octets.length), LEAT_E_LIMIT);
    ck_assert_uint_eq(leat_error_offset(leat_builder_error(builder)), 2 * 128);
    ck_assert_str_eq(leat_error_field(leat_builder_error(builder)), "vector");
    t_free(octets);
}
END_TEST

static const struct {
    const char *what;
    const char *hex;
    uint64_t at;
    const char *field;
} malformed[] = {
    {"nothing", "", 0, ""},
    {"an unknown type", "0f", 0, ""},
    {"an unknown type inside", "0e02 0101 20", 4, ""},
    {"a count that is cut off", "02 00000000000000", 1, "count"},
    {"a text that is cut off", "05 03 6161", 2, "string"},
    {"a length that is cut off", "05 80", 2, "string"},
    {"a length of six octets", "05 808080808000", 6, "string"},
    {"a length of 33 bits", "05 ffffffff10", 6, "string"},
    {"a port of another protocol", "0e01 08 0050 04", 2, "port"},
    {"an element that is missing", "0e02 02 0000000000000001", 11, ""},
    {"more values than octets", "0e 03 00 00", 0, "vector"},
    {"more pairs than octets", "0d 02 00 00 00", 0, "table"},
    {"values that others need", "0e 03 0e 02 00 00", 2, "vector"},
    {"a count that is absurd", "0c ffffffff0f 00", 0, "set"},
    {"a table that is absurd", "0d ffffffff0f 00", 0, "table"},
    {"an element twice", "0c 03 00 0101 0101", 5, "set"},
    {"an element twice, apart", "0c 03 0101 00 0101", 0, "set"},
    {"zero, and what is written as zero", "0c 02 04 0000000000000000 04 800000000000000c", 11,
     "set"},
    {"a key twice", "0d 02 00 0101 00 0100", 5, "table"},
    {"a set twice in a set, in other orders", "0c 02 0c02 0101 00 0c02 00 0101", 0, "set"},
    {"a table twice in a set", "0c 02 0d01 00 00 0d01 00 00", 6, "set"},
    {"octets behind", "00 00", 1, ""},
};

START_TEST(malformed_values)
{
    const leat_error *error;
    int status = read_hex(malformed[_i].hex);

    error = leat_builder_error(builder);
    ck_assert_msg(status == LEAT_E_SYNTAX, "%s: %s", malformed[_i].what, leat_status_name(status));
    ck_assert_msg(leat_error_offset(error) == malformed[_i].at, "%s: at %u", malformed[_i].what,
                  (unsigned)leat_error_offset(error));
    ck_assert_msg(strcmp(leat_error_field(error), malformed[_i].field) == 0, "%s: in %s",
                  malformed[_i].what, leat_error_field(error));
}
END_TEST

/* Containers of one value each, so many around none. */
static struct t_bytes nested(size_t deep, const char *container)
{
    struct t_bytes octets = {NULL, 0}, each = t_hex(container);
    size_t i;

    for (i = 0; i < deep; i++)
        t_append(&octets, each.data, each.length);
    t_append(&octets, "\0", 1);
    t_free(each);
    return octets;
}

START_TEST(depth_has_two_sides)
{
    static const char *const containers[] = {"0e01", "0c01", "0d0100"};
    size_t limits[] = {1, 2, 50, 128};
    size_t i;

    for (i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct t_bytes fits = nested(limits[i], containers[_i]);
        struct t_bytes over = nested(limits[i] + 1, containers[_i]);
        leat_limits given;
        leat_config config;

        leat_limits_init(&given, sizeof given);
        leat_config_init(&config, sizeof config);
        given.depth = limits[i];
        config.limits = &given;
        leat_builder_free(builder);
        ck_assert_int_eq(leat_builder_new(&config, &builder), LEAT_OK);
        ck_assert_int_eq(read_octets(fits.data, fits.length), LEAT_OK);
        ck_assert_int_eq(write_value(leat_builder_value(builder)), LEAT_OK);
        ck_assert_int_eq(read_octets(over.data, over.length), LEAT_E_LIMIT);
        /* What is open in the builder counts. */
        leat_builder_clear(builder);
        leat_builder_open(builder, NULL, LEAT_RECORD);
        ck_assert_int_eq(leat_broker_read(builder, "data", fits.data, fits.length), LEAT_E_LIMIT);
        t_free(fits);
        t_free(over);
    }
}
END_TEST

START_TEST(values_have_two_sides)
{
    leat_limits given;
    leat_config config;

    leat_limits_init(&given, sizeof given);
    leat_config_init(&config, sizeof config);
    given.values = 6;
    config.limits = &given;
    leat_builder_free(builder);
    ck_assert_int_eq(leat_builder_new(&config, &builder), LEAT_OK);
    reads("0e 03 00 00 0d 01 00 00", "six values");
    ck_assert_int_eq(read_hex("0e 04 00 00 00 0d 01 00 00"), LEAT_E_LIMIT);
    ck_assert_int_eq(read_hex("0e 06 00 00 00 00 00 00"), LEAT_E_LIMIT);
    ck_assert_uint_eq(leat_error_offset(leat_builder_error(builder)), 0);
}
END_TEST

/* What is announced is not allocated ahead of its octets. */
START_TEST(counts_cost_nothing)
{
    static const char *const hexes[] = {
        "0effffffff0f",   "0cffffffff0f00",         "0dffffffff07 0000",
        "05ffffffff0f61", "0e01 0c01 0dffffffff0f", "0e03 00 0e80808008 00 00",
    };
    struct t_counter counter;
    leat_config config;
    size_t before;

    t_counter_init(&counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &counter.allocator;
    leat_builder_free(builder);
    ck_assert_int_eq(leat_builder_new(&config, &builder), LEAT_OK);
    reads("00", "to have the least memory");
    before = counter.now;
    ck_assert_int_eq(read_hex(hexes[_i]), LEAT_E_SYNTAX);
    ck_assert_uint_le(counter.most, before + 1024);
    leat_builder_free(builder);
    builder = NULL;
}
END_TEST

/* A value that has everything, sets out of order too. */
static const char everything[] =
    "0e0f 00 0101 020000000000000001 03ffffffffffffffff 043ff8000000000000 050173"
    "0600000000000000000000ffff0a000001 0700000000000000000000ffff0a00000068 08005001"
    "090000000000000001 0a000000003b9aca00 0b0345"
    "4e4d 0c03 0c02 0101 00 050162 050161 0d02 050162 00 050161 0e00 0e0100";

static int read_and_write(const leat_config *config, const void *hex)
{
    struct t_bytes octets = t_hex((const char *)hex);
    leat_builder *b = NULL;
    leat_buffer *out = NULL;
    int status = leat_builder_new(config, &b);

    if (status == LEAT_OK)
        status = leat_buffer_new(config, &out);
    if (status == LEAT_OK)
        status = leat_builder_open(b, NULL, LEAT_RECORD);
    if (status == LEAT_OK)
        status = leat_broker_read(b, "data", octets.data, octets.length);
    if (status == LEAT_OK)
        status = leat_builder_close(b);
    if (status == LEAT_OK)
        status = leat_broker_write(out, leat_value_get(leat_builder_value(b), "data"));
    if (status == LEAT_OK)
        status = leat_broker_json(out, leat_value_get(leat_builder_value(b), "data"));
    leat_builder_free(b);
    leat_buffer_free(out);
    t_free(octets);
    return status;
}

START_TEST(every_allocation_may_fail)
{
    t_every_alloc(read_and_write, everything);
}
END_TEST

/* Values as a program builds them: in any order, to be sorted while they are written. */
static int build_and_write(const leat_config *config, const void *unused)
{
    leat_builder *b = NULL;
    leat_buffer *out = NULL;
    int status = leat_builder_new(config, &b);
    unsigned i;

    (void)unused;
    if (status == LEAT_OK)
        status = leat_buffer_new(config, &out);
    if (status == LEAT_OK) {
        leat_builder_open(b, NULL, LEAT_SET);
        for (i = 20; i > 0; i--)
            leat_builder_u64(b, NULL, i * 7 % 23);
        status = leat_builder_close(b);
    }
    if (status == LEAT_OK)
        status = leat_broker_write(out, leat_builder_value(b));
    if (status == LEAT_OK)
        status = leat_broker_json(out, leat_builder_value(b));
    leat_builder_free(b);
    leat_buffer_free(out);
    return status;
}

START_TEST(every_allocation_of_sorting_may_fail)
{
    t_every_alloc(build_and_write, NULL);
}
END_TEST

START_TEST(nothing_is_allocated_once_warm)
{
    struct t_bytes octets = t_hex(everything);
    struct t_counter counter;
    leat_config config;
    size_t warm = 0, i;

    t_counter_init(&counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &counter.allocator;
    leat_builder_free(builder);
    leat_buffer_free(buffer);
    ck_assert_int_eq(leat_builder_new(&config, &builder), LEAT_OK);
    ck_assert_int_eq(leat_buffer_new(&config, &buffer), LEAT_OK);
    for (i = 0; i < 10; i++) {
        if (i == 3)
            warm = counter.calls;
        ck_assert_int_eq(read_octets(octets.data, octets.length), LEAT_OK);
        ck_assert_int_eq(write_value(leat_builder_value(builder)), LEAT_OK);
        leat_buffer_clear(buffer);
        ck_assert_int_eq(leat_broker_json(buffer, leat_builder_value(builder)), LEAT_OK);
    }
    ck_assert_uint_eq(counter.calls, warm);
    leat_builder_free(builder);
    leat_buffer_free(buffer);
    builder = NULL;
    buffer = NULL;
    t_free(octets);
}
END_TEST

static const struct {
    const char *what;
    uint64_t octets;  /* of the real on the wire */
    double real;      /* that is read */
    uint64_t written; /* for it */
} reals[] = {
    {"one", 0x3ff0000000000000, 1.0, 0x3ff0000000000000},
    {"minus zero", 0x8000000000000000, -0.0, 0x8000000000000000},
    {"infinity", 0xfff0000000000000, (double)INFINITY, 0xfff0000000000000},
    {"minus infinity", 0x7ff0000000000000, -(double)INFINITY, 0x7ff0000000000000},
    {"IEEE's NaN", 0x7ff8000000000000, (double)INFINITY, 0xfff0000000000000},
    {"IEEE's NaN, negative", 0xfff8000000000001, -(double)INFINITY, 0x7ff0000000000000},
    {"all ones but one", 0xfffffffffffffffe, -(double)INFINITY, 0x7ff0000000000000},
    {"least normal", 0x0010000000000000, 0x1p-1022, 0x0010000000000000},
    {"largest", 0x7fefffffffffffff, 0x1.fffffffffffffp1023, 0x7fefffffffffffff},
    /* With exponent 0 there is a leading one all the same, and half as much room for digits. */
    {"1 + 2^-52 of 2^-1023", 0x0000000000000001, 0x1p-1023, 0},
    {"1 + 2^-51 of 2^-1023", 0x0000000000000002, 0x1.0000000000002p-1023, 0},
    {"1 + 3 * 2^-52 of 2^-1023", 0x8000000000000003, -0x1.0000000000004p-1023, 0x8000000000000000},
    {"almost 2^-1022", 0x000fffffffffffff, 0x1p-1022, 0x0010000000000000},
};

START_TEST(reals_are_brokers)
{
    uint8_t octets[9] = {4};
    double real;
    unsigned i;

    for (i = 0; i < 8; i++)
        octets[1 + i] = (uint8_t)(reals[_i].octets >> (56 - 8 * i));
    ck_assert_int_eq(read_octets(octets, sizeof octets), LEAT_OK);
    real = leat_value_f64(leat_builder_value(builder));
    ck_assert_msg(memcmp(&real, &reals[_i].real, sizeof real) == 0, "%s: %a", reals[_i].what, real);
    for (i = 0; i < 8; i++)
        octets[1 + i] = (uint8_t)(reals[_i].written >> (56 - 8 * i));
    ck_assert_int_eq(write_value(leat_builder_value(builder)), LEAT_OK);
    ck_assert_msg(memcmp(leat_buffer_data(buffer, &(size_t){0}), octets, sizeof octets) == 0, "%s",
                  reals[_i].what);
}
END_TEST

START_TEST(nan_is_one_pattern)
{
    reads("04 ffffffffffffffff", "NaN");
    ck_assert(isnan(leat_value_f64(leat_builder_value(builder))));
    leat_builder_clear(builder);
    leat_builder_f64(builder, NULL, -(double)NAN);
    writes("04ffffffffffffffff", "another NaN");
}
END_TEST

/* Subnormals of IEEE have no form: zero with their sign. */
START_TEST(subnormals_are_zero)
{
    leat_builder_open(builder, NULL, LEAT_LIST);
    leat_builder_f64(builder, NULL, 0x1p-1074);
    leat_builder_f64(builder, NULL, -0x1.ffffffffffffep-1023);
    leat_builder_close(builder);
    writes("0e02040000000000000000048000000000000000", "subnormals");
}
END_TEST

START_TEST(sets_and_tables_are_written_in_order)
{
    unsigned i;

    leat_builder_open(builder, NULL, LEAT_TABLE);
    for (i = 3; i > 0; i--) {
        leat_builder_open(builder, NULL, LEAT_SET);
        leat_builder_u64(builder, NULL, i);
        leat_builder_bool(builder, NULL, 1);
        leat_builder_close(builder);
        leat_builder_open(builder, NULL, LEAT_LIST);
        leat_builder_u64(builder, NULL, 9 - i);
        leat_builder_null(builder, NULL);
        leat_builder_close(builder);
    }
    leat_builder_close(builder);
    writes("0d03"
           "0c020101020000000000000001"
           "0e0202000000000000000800"
           "0c020101020000000000000002"
           "0e0202000000000000000700"
           "0c020101020000000000000003"
           "0e0202000000000000000600",
           "a table of sets to lists");
    leat_builder_clear(builder);
    leat_builder_address(builder, NULL, "\x7f\0\0\1", 4);
    writes("0600000000000000000000ffff7f000001", "an address of 4 octets");
}
END_TEST

/* Large, so that merging has many runs of every length; the reader sorts as the writer does. */
START_TEST(large_sets_in_any_order)
{
    unsigned sizes[] = {2, 3, 4, 5, 7, 8, 9, 100, 1000, 4097};
    unsigned count = sizes[_i], i;
    struct t_bytes unsorted = {NULL, 0};
    const leat_value *value, *child;
    uint8_t head[3] = {0x0c, (uint8_t)(0x80 | (count & 0x7f)), (uint8_t)(count >> 7)};

    t_append(&unsorted, head, 3);
    for (i = 0; i < count; i++) {
        uint8_t number[9] = {2};
        unsigned scattered = i * 2654435761u;

        number[8] = (uint8_t)scattered;
        number[7] = (uint8_t)(scattered >> 8);
        number[6] = (uint8_t)(scattered >> 16);
        number[5] = (uint8_t)(scattered >> 24);
        t_append(&unsorted, number, 9);
    }
    ck_assert_int_eq(read_octets(unsorted.data, unsorted.length), LEAT_OK);
    value = leat_builder_value(builder);
    ck_assert_uint_eq(leat_value_count(value), count);
    for (i = 1, child = leat_value_first(value); i < count; i++) {
        const leat_value *before = child;

        child = leat_value_next(value, child);
        ck_assert_uint_lt(leat_value_u64(before), leat_value_u64(child));
    }
    /* The last once more instead of the first: twice, far apart. */
    memcpy(unsorted.data + 3, unsorted.data + unsorted.length - 9, 9);
    ck_assert_int_eq(read_octets(unsorted.data, unsorted.length), LEAT_E_SYNTAX);
    t_free(unsorted);
}
END_TEST

enum refusal {
    AN_ELEMENT_TWICE,
    AN_ELEMENT_TWICE_APART,
    A_KEY_TWICE,
    ZEROS_OF_BOTH_SIGNS,
    ONE_ADDRESS_IN_TWO_FORMS,
    NAN_IN_A_SET,
    NAN_DEEP_IN_A_KEY,
    NAN_IN_A_LIST_IN_A_SET,
    BYTES,
    A_UUID,
    A_MAC,
    A_RECORD,
    REFUSALS
};

static void build_refused(enum refusal refusal)
{
    static const uint8_t octets[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4};

    leat_builder_open(builder, NULL, LEAT_LIST);
    leat_builder_bool(builder, NULL, 1); /* two octets, behind the two of the list */
    switch (refusal) {
    case AN_ELEMENT_TWICE:
    case AN_ELEMENT_TWICE_APART:
        leat_builder_open(builder, NULL, LEAT_SET);
        leat_builder_text(builder, NULL, "a", 1);
        if (refusal == AN_ELEMENT_TWICE_APART)
            leat_builder_null(builder, NULL);
        leat_builder_text(builder, NULL, "a", 1);
        leat_builder_close(builder);
        break;
    case A_KEY_TWICE:
        leat_builder_open(builder, NULL, LEAT_TABLE);
        leat_builder_null(builder, NULL);
        leat_builder_u64(builder, NULL, 1);
        leat_builder_null(builder, NULL);
        leat_builder_u64(builder, NULL, 2);
        leat_builder_close(builder);
        break;
    case ZEROS_OF_BOTH_SIGNS:
        leat_builder_open(builder, NULL, LEAT_SET);
        leat_builder_f64(builder, NULL, 0.0);
        leat_builder_f64(builder, NULL, -0.0);
        leat_builder_close(builder);
        break;
    case ONE_ADDRESS_IN_TWO_FORMS:
        leat_builder_open(builder, NULL, LEAT_SET);
        leat_builder_address(builder, NULL, octets, 16);
        leat_builder_address(builder, NULL, octets + 12, 4);
        leat_builder_close(builder);
        break;
    case NAN_IN_A_SET:
        leat_builder_open(builder, NULL, LEAT_SET);
        leat_builder_f64(builder, NULL, (double)NAN);
        leat_builder_close(builder);
        break;
    case NAN_DEEP_IN_A_KEY:
        leat_builder_open(builder, NULL, LEAT_TABLE);
        leat_builder_open(builder, NULL, LEAT_LIST);
        leat_builder_open(builder, NULL, LEAT_LIST);
        leat_builder_f64(builder, NULL, (double)NAN);
        leat_builder_close(builder);
        leat_builder_close(builder);
        leat_builder_null(builder, NULL);
        leat_builder_close(builder);
        break;
    case NAN_IN_A_LIST_IN_A_SET:
        leat_builder_open(builder, NULL, LEAT_SET);
        leat_builder_open(builder, NULL, LEAT_LIST);
        leat_builder_null(builder, NULL);
        leat_builder_f64(builder, NULL, (double)NAN);
        leat_builder_close(builder);
        leat_builder_close(builder);
        break;
    case BYTES:
        leat_builder_bytes(builder, NULL, octets, 3);
        break;
    case A_UUID:
        leat_builder_uuid(builder, NULL, octets);
        break;
    case A_MAC:
        leat_builder_mac(builder, NULL, octets);
        break;
    case A_RECORD:
    default:
        leat_builder_open(builder, NULL, LEAT_RECORD);
        leat_builder_close(builder);
        break;
    }
    leat_builder_close(builder);
}

/* Where it would have stood, and its type. */
static const struct {
    uint64_t at;
    const char *field;
} refused[REFUSALS] = {
    [AN_ELEMENT_TWICE] = {4 + 2 + 3, "string"},
    [AN_ELEMENT_TWICE_APART] = {4 + 2 + 3 + 1, "string"},
    [A_KEY_TWICE] = {4 + 2 + 1 + 9, "none"},
    [ZEROS_OF_BOTH_SIGNS] = {4 + 2 + 9, "real"},
    [ONE_ADDRESS_IN_TWO_FORMS] = {4 + 2 + 17, "address"},
    [NAN_IN_A_SET] = {4 + 2, "real"},
    [NAN_DEEP_IN_A_KEY] = {4 + 2 + 2 + 2, "real"},
    [NAN_IN_A_LIST_IN_A_SET] = {4 + 2 + 2 + 1, "real"},
    [BYTES] = {4, ""},
    [A_UUID] = {4, ""},
    [A_MAC] = {4, ""},
    [A_RECORD] = {4, ""},
};

START_TEST(what_cannot_be_written_is_refused)
{
    const leat_value *value;
    const leat_error *error;
    size_t length;
    int json;

    build_refused((enum refusal)_i);
    value = leat_builder_value(builder);
    ck_assert_ptr_nonnull(value);
    for (json = 0; json < 2; json++) {
        leat_buffer_clear(buffer);
        ck_assert_int_eq(json ? leat_broker_json(buffer, value) : leat_broker_write(buffer, value),
                         LEAT_E_VALUE);
        error = leat_buffer_error(buffer);
        ck_assert_int_eq(leat_error_code(error), LEAT_E_VALUE);
        ck_assert_str_ne(leat_error_text(error), "");
        ck_assert_uint_eq(leat_error_offset(error), refused[_i].at);
        ck_assert_str_eq(leat_error_field(error), refused[_i].field);
        (void)leat_buffer_data(buffer, &length);
        ck_assert_uint_eq(length, 0);
    }
}
END_TEST

START_TEST(what_was_read_is_trusted)
{
    static const char *const hexes[] = {
        "0c01 04ffffffffffffffff",
        "0d01 0e01 04ffffffffffffffff 00",
        "0e01 07 00000000000000000000000000000000 81",
    };
    unsigned i;

    for (i = 0; i < sizeof hexes / sizeof *hexes; i++) {
        reads(hexes[i], "what Broker takes");
        ck_assert_int_eq(write_value(leat_builder_value(builder)), LEAT_E_VALUE);
    }
    leat_builder_clear(builder);
    leat_builder_open(builder, NULL, LEAT_SET);
    leat_broker_read(builder, NULL, "\x0c\x02\x01\x01\x00", 5);
    leat_broker_read(builder, NULL, "\x0c\x02\x00\x01\x00", 5);
    leat_builder_close(builder);
    ck_assert_int_eq(write_value(leat_builder_value(builder)), LEAT_OK);
    same_buffer(buffer,
                "0c02"
                "0c02000100"
                "0c02000101",
                "a set of sets that were read");
}
END_TEST

/* NaN is fine where nothing is ordered: in the value of a table, in a list. */
START_TEST(nan_elsewhere_is_written)
{
    leat_builder_open(builder, NULL, LEAT_TABLE);
    leat_builder_null(builder, NULL);
    leat_builder_open(builder, NULL, LEAT_LIST);
    leat_builder_f64(builder, NULL, (double)NAN);
    leat_builder_close(builder);
    leat_builder_close(builder);
    writes("0d01000e0104ffffffffffffffff", "NaN in a value");
}
END_TEST

START_TEST(no_value_is_refused)
{
    ck_assert_int_eq(leat_broker_write(buffer, NULL), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_json(buffer, NULL), LEAT_E_VALUE);
}
END_TEST

/* A buffer that is full, or has something in it already. */
START_TEST(buffers_are_left_as_they_were)
{
    leat_limits given;
    leat_config config;
    unsigned size;

    leat_limits_init(&given, sizeof given);
    leat_config_init(&config, sizeof config);
    config.limits = &given;
    reads("0e0205016205810161"
          "6161616161616161616161616161616161616161616161616161616161616161616161616161616161616161"
          "616161616161"
          "6161616161616161616161616161616161616161616161616161616161616161616161616161616161616161"
          "616161616161"
          "61616161616161616161616161616161616161616161616161616161",
          "two texts");
    for (size = 1; size < 145; size++) {
        leat_buffer *small;

        given.queued_bytes = size;
        ck_assert_int_eq(leat_buffer_new(&config, &small), LEAT_OK);
        ck_assert_int_eq(leat_broker_write(small, leat_builder_value(builder)),
                         size < 137 ? LEAT_E_LIMIT : LEAT_OK);
        if (size < 137)
            ck_assert_ptr_null(leat_buffer_data(small, &(size_t){0}));
        leat_buffer_free(small);
    }
    reads("00", "none");
    leat_buffer_clear(buffer);
    ck_assert_int_eq(leat_broker_write(buffer, leat_builder_value(builder)), LEAT_OK);
    ck_assert_int_eq(leat_broker_json(buffer, leat_builder_value(builder)), LEAT_OK);
    ck_assert_int_eq(leat_broker_write(buffer, NULL), LEAT_E_VALUE);
    ck_assert_int_eq(leat_broker_write(buffer, leat_builder_value(builder)), LEAT_OK);
    same_buffer(buffer,
                "00"
                "7b2240646174612d74797065223a226e6f6e65222c2264617461223a7b7d7d"
                "00",
                "what came before stays");
}
END_TEST

START_TEST(a_mistake_sticks_to_the_builder)
{
    ck_assert_int_eq(read_hex("0f"), LEAT_E_SYNTAX);
    ck_assert_int_eq(leat_broker_read(builder, NULL, "\0", 1), LEAT_E_SYNTAX);
    ck_assert_ptr_null(leat_builder_value(builder));
    leat_builder_clear(builder);
    ck_assert_int_eq(leat_broker_read(builder, NULL, "\0", 1), LEAT_OK);
    ck_assert_int_eq(leat_broker_read(builder, NULL, "\0", 1), LEAT_E_STATE);
}
END_TEST

static void tests(TCase *t)
{
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, every_value_of_broker_and_back);
    tcase_add_test(t, every_invalid_value_as_broker);
    tcase_add_loop_test(t, values_that_nest_absurdly, 0, 2);
    tcase_add_loop_test(t, malformed_values, 0, (int)(sizeof malformed / sizeof *malformed));
    tcase_add_loop_test(t, depth_has_two_sides, 0, 3);
    tcase_add_test(t, values_have_two_sides);
    tcase_add_loop_test(t, counts_cost_nothing, 0, 6);
    tcase_add_test(t, every_allocation_may_fail);
    tcase_add_test(t, every_allocation_of_sorting_may_fail);
    tcase_add_test(t, nothing_is_allocated_once_warm);
    tcase_add_loop_test(t, reals_are_brokers, 0, (int)(sizeof reals / sizeof *reals));
    tcase_add_test(t, nan_is_one_pattern);
    tcase_add_test(t, subnormals_are_zero);
    tcase_add_test(t, sets_and_tables_are_written_in_order);
    tcase_add_loop_test(t, large_sets_in_any_order, 0, 10);
    tcase_add_loop_test(t, what_cannot_be_written_is_refused, 0, REFUSALS);
    tcase_add_test(t, what_was_read_is_trusted);
    tcase_add_test(t, nan_elsewhere_is_written);
    tcase_add_test(t, no_value_is_refused);
    tcase_add_test(t, buffers_are_left_as_they_were);
    tcase_add_test(t, a_mistake_sticks_to_the_builder);
}

T_MAIN("broker/data", tests)
