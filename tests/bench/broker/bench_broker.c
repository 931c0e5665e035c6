/*
 * Broker's values in its binary format and in JSON, against what a C program would otherwise take for
 * such trees: msgpack-c, and libraries for JSON. The same values, read and written, in one process;
 * what real Broker takes stands beside them, as it was measured on a machine like ours. Nothing of
 * ours may be allocated once all is warm.
 */
#include "bench.h"
#include "counts.h"
#include "pack.h"
#include "race.h"
#include "rivals.h"
#include "samples.h"

#include <leat/broker.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS     40
#define TEXT_BYTES ((size_t)1 << 17)

/* What real Broker takes, in ns; it reads into its lazy form. */
struct elsewhere {
    double read;
    double write;
    double json;
};

static const struct {
    const char *name;
    void (*build)(leat_builder *);
    unsigned repeat; /* in each round */
    struct elsewhere broker;
} samples[] = {
    {"an event of 2 values", build_two_fields, 20000, {191, 44, 204}},
    {"a connection event of 18 fields", build_connection, 5000, {347, 212, 1666}},
    {"a table of 100 texts to sets of 10", build_table, 100, {42600, 11800, 98500}},
};

static struct counts counts;
static leat_buffer *octets, *text, *out;
static leat_builder *reader;
static const leat_value *value;
static char *json; /* the text, with room behind it */
static size_t json_length;
static char written[TEXT_BYTES];

static msgpack_sbuffer packed, repacked;
static msgpack_zone zone;
static msgpack_object object;

static void read_binary(void *context)
{
    size_t length;
    const void *data = leat_buffer_data(octets, &length);

    (void)context;
    leat_builder_clear(reader);
    check(leat_broker_read(reader, NULL, data, length));
}

static void write_binary(void *context)
{
    (void)context;
    leat_buffer_clear(out);
    check(leat_broker_write(out, leat_builder_value(reader)));
}

static void write_built(void *context)
{
    (void)context;
    leat_buffer_clear(out);
    check(leat_broker_write(out, value));
}

static void write_json(void *context)
{
    (void)context;
    leat_buffer_clear(out);
    check(leat_broker_json(out, value));
}

static void read_json(void *context)
{
    (void)context;
    leat_builder_clear(reader);
    check(leat_broker_json_read(reader, NULL, json, json_length));
}

static void msgpack_read(void *context)
{
    size_t offset = 0;

    (void)context;
    msgpack_zone_clear(&zone);
    if (msgpack_unpack(packed.data, packed.size, &offset, &zone, &object) != MSGPACK_UNPACK_SUCCESS)
        die("msgpack_unpack");
}

static void msgpack_write(void *context)
{
    msgpack_packer packer;

    (void)context;
    repacked.size = 0;
    msgpack_packer_init(&packer, &repacked, msgpack_sbuffer_write);
    (void)msgpack_pack_object(&packer, object);
}

static void msgpack_text(void *context)
{
    (void)context;
    (void)msgpack_object_print_buffer(written, sizeof written, object);
}

#ifdef WITH_JSON_C
static void json_c_reads(void *context)
{
    (void)context;
    if (json_c_read(json, json_length) == 0)
        die("json-c");
}

static void json_c_writes(void *context)
{
    (void)context;
    if (json_c_write(written, sizeof written) == 0)
        die("json-c");
}
#endif

#ifdef WITH_JANSSON
static void jansson_reads(void *context)
{
    (void)context;
    if (jansson_read(json, json_length) == 0)
        die("jansson");
}

static void jansson_writes(void *context)
{
    (void)context;
    if (jansson_write(written, sizeof written) == 0)
        die("jansson");
}
#endif

#ifdef WITH_SIMDJSON
static void simdjson_reads(void *context)
{
    (void)context;
    if (simdjson_read(json, json_length) == 0)
        die("simdjson");
}
#endif

/* The first one is ours; Broker's figure, if there is one. */
static void contest(const char *what, struct runner *runners, size_t count, unsigned repeat,
                    double broker)
{
    uint64_t allocations;

    runners[0].run(NULL);
    allocations = counts.allocations;
    race(runners, count, ROUNDS, repeat);
    (void)printf("  %s\n", what);
    print_race(runners, count, 1, "value");
    if (broker > 0)
        print_elsewhere("real Broker", broker, &runners[0]);
    if (counts.allocations != allocations)
        die("something is allocated");
}

static void contests(unsigned repeat, const struct elsewhere *broker)
{
    struct runner reads[] = {{"leat", read_binary, NULL, 0}, {"msgpack-c", msgpack_read, NULL, 0}};
    struct runner writes[] = {{"leat, what was read", write_binary, NULL, 0},
                              {"leat, what was built", write_built, NULL, 0},
                              {"msgpack-c", msgpack_write, NULL, 0}};
    struct runner json_writes[] = {
        {"leat", write_json, NULL, 0},
        {"msgpack-c (as text)", msgpack_text, NULL, 0},
#ifdef WITH_JANSSON
        {"jansson", jansson_writes, NULL, 0},
#endif
#ifdef WITH_JSON_C
        {"json-c", json_c_writes, NULL, 0},
#endif
    };
    struct runner json_reads[] = {
        {"leat", read_json, NULL, 0},
#ifdef WITH_SIMDJSON
        {"simdjson (DOM)", simdjson_reads, NULL, 0},
#endif
#ifdef WITH_JANSSON
        {"jansson", jansson_reads, NULL, 0},
#endif
#ifdef WITH_JSON_C
        {"json-c", json_c_reads, NULL, 0},
#endif
    };

    contest("binary, read", reads, sizeof reads / sizeof *reads, repeat, broker->read);
    contest("binary, written", writes, sizeof writes / sizeof *writes, repeat, broker->write);
    contest("JSON, read", json_reads, sizeof json_reads / sizeof *json_reads, repeat, 0);
    contest("JSON, written", json_writes, sizeof json_writes / sizeof *json_writes, repeat,
            broker->json);
}

static void run(size_t number)
{
    leat_builder *builder = sample(samples[number].build);
    msgpack_packer packer;
    size_t length;
    const void *data;

    value = leat_builder_value(builder);
    leat_buffer_clear(octets);
    check(leat_broker_write(octets, value));
    leat_buffer_clear(text);
    check(leat_broker_json(text, value));
    data = leat_buffer_data(text, &json_length);
    json = (char *)must(calloc(1, json_length + RIVAL_PADDING));
    memcpy(json, data, json_length);
    packed.size = 0;
    msgpack_packer_init(&packer, &packed, msgpack_sbuffer_write);
    pack(&packer, value);
    msgpack_read(NULL);
    (void)leat_buffer_data(octets, &length);
    (void)printf("%s: %zu octets, in msgpack %zu, as JSON %zu\n", samples[number].name, length,
                 packed.size, json_length);
    contests(samples[number].repeat, &samples[number].broker);
    free(json);
    leat_builder_free(builder);
}

int main(void)
{
    size_t i;

    counting = &counts;
    check(leat_builder_new(&counted, &reader));
    check(leat_buffer_new(&counted, &octets));
    check(leat_buffer_new(&counted, &text));
    check(leat_buffer_new(&counted, &out));
    msgpack_sbuffer_init(&packed);
    msgpack_sbuffer_init(&repacked);
    (void)msgpack_zone_init(&zone, 1 << 16);
    for (i = 0; i < sizeof samples / sizeof *samples; i++)
        run(i);
    msgpack_zone_destroy(&zone);
    msgpack_sbuffer_destroy(&packed);
    msgpack_sbuffer_destroy(&repacked);
    leat_builder_free(reader);
    leat_buffer_free(octets);
    leat_buffer_free(text);
    leat_buffer_free(out);
    return 0;
}
