/*
 * Broker values against msgpack-c, the serializer that a C program would otherwise take for such
 * trees: the same values, read, written and shown as text, in one process. Only the ratios count:
 * each job of ours runs in turn with its counterpart, and the fastest round of each is compared.
 */
#include "bench.h"

#include <leat/broker.h>
#include <leat/buffer.h>
#include <leat/builder.h>
#include <msgpack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 40

struct sample {
    const char *name;
    void (*build)(leat_builder *);
    unsigned repeat; /* in each round */
};

static void add_text(leat_builder *b, const char *text)
{
    leat_builder_text(b, NULL, text, strlen(text));
}

static void two_fields(leat_builder *b)
{
    leat_builder_open(b, NULL, LEAT_LIST);
    leat_builder_u64(b, NULL, 42);
    add_text(b, "hello world");
    leat_builder_close(b);
}

/* What a connection event of Zeek carries. */
static void event(leat_builder *b)
{
    static const uint8_t from[] = {10, 0, 0, 1}, to[] = {192, 168, 99, 9};

    leat_builder_open(b, NULL, LEAT_LIST);
    leat_builder_timestamp(b, NULL, INT64_C(1598975922372123000));
    add_text(b, "CHhAvVGS1DHFjwGM9");
    leat_builder_address(b, NULL, from, 4);
    leat_builder_port(b, NULL, 53127, LEAT_PROTOCOL_TCP);
    leat_builder_address(b, NULL, to, 4);
    leat_builder_port(b, NULL, 443, LEAT_PROTOCOL_TCP);
    leat_builder_enum(b, NULL, "tcp", 3);
    add_text(b, "ssl");
    leat_builder_timespan(b, NULL, 1500000000);
    leat_builder_u64(b, NULL, 517);
    leat_builder_u64(b, NULL, 4833);
    add_text(b, "SF");
    leat_builder_bool(b, NULL, 1);
    leat_builder_bool(b, NULL, 0);
    leat_builder_u64(b, NULL, 0);
    add_text(b, "ShADadFf");
    leat_builder_f64(b, NULL, 0.25);
    leat_builder_i64(b, NULL, -1);
    leat_builder_close(b);
}

static void table(leat_builder *b)
{
    char text[32];
    unsigned i, j;

    leat_builder_open(b, NULL, LEAT_TABLE);
    for (i = 0; i < 100; i++) {
        (void)snprintf(text, sizeof text, "key-%03u", i);
        add_text(b, text);
        leat_builder_open(b, NULL, LEAT_SET);
        for (j = 0; j < 10; j++) {
            (void)snprintf(text, sizeof text, "value-%03u-%u", i, j);
            add_text(b, text);
        }
        leat_builder_close(b);
    }
    leat_builder_close(b);
}

static const struct sample samples[] = {
    {"2 fields", two_fields, 20000},
    {"event of 18 fields", event, 5000},
    {"table of 100 texts to sets of 10", table, 100},
};

/* ----- the counterpart ----- */

static void pack(msgpack_packer *p, const leat_value *value)
{
    const leat_value *child;
    size_t length;
    const void *octets;

    switch (leat_value_kind(value)) {
    case LEAT_BOOL:
        leat_value_bool(value) ? msgpack_pack_true(p) : msgpack_pack_false(p);
        break;
    case LEAT_UINT:
        msgpack_pack_uint64(p, leat_value_u64(value));
        break;
    case LEAT_INT:
    case LEAT_TIMESTAMP:
    case LEAT_TIMESPAN:
        msgpack_pack_int64(p, leat_value_i64(value));
        break;
    case LEAT_REAL:
        msgpack_pack_double(p, leat_value_f64(value));
        break;
    case LEAT_TEXT:
    case LEAT_ENUM:
        octets = leat_value_text(value, &length);
        msgpack_pack_str(p, length);
        msgpack_pack_str_body(p, octets, length);
        break;
    case LEAT_ADDRESS:
        octets = leat_value_bytes(value, &length);
        msgpack_pack_bin(p, length);
        msgpack_pack_bin_body(p, octets, length);
        break;
    case LEAT_PORT:
        msgpack_pack_uint32(p, leat_value_port(value) << 2 | leat_value_port_protocol(value));
        break;
    case LEAT_TABLE:
        msgpack_pack_map(p, leat_value_count(value));
        break;
    case LEAT_LIST:
    case LEAT_SET:
        msgpack_pack_array(p, leat_value_count(value));
        break;
    default:
        abort();
    }
    for (child = leat_value_first(value); child != NULL; child = leat_value_next(value, child))
        pack(p, child);
}

/* What msgpack writes from: its own objects, as a program would hold them. */
struct peer {
    msgpack_sbuffer octets;
    msgpack_zone memory;
    msgpack_object object;
    msgpack_sbuffer out;
    char text[1 << 17];
};

struct ours {
    leat_buffer *octets;
    leat_builder *builder;
    const leat_value *value; /* that was read */
    const leat_value *built;
    leat_buffer *out;
};

static void ours_read(struct ours *o)
{
    size_t length;
    const void *octets = leat_buffer_data(o->octets, &length);

    leat_builder_clear(o->builder);
    check(leat_broker_read(o->builder, NULL, octets, length));
    o->value = leat_builder_value(o->builder);
}

static void ours_write(struct ours *o)
{
    leat_buffer_clear(o->out);
    check(leat_broker_write(o->out, o->value));
}

static void ours_write_built(struct ours *o)
{
    leat_buffer_clear(o->out);
    check(leat_broker_write(o->out, o->built));
}

static void ours_text(struct ours *o)
{
    leat_buffer_clear(o->out);
    check(leat_broker_json(o->out, o->value));
}

static void peer_read(struct peer *p)
{
    size_t offset = 0;

    msgpack_zone_clear(&p->memory);
    if (msgpack_unpack(p->octets.data, p->octets.size, &offset, &p->memory, &p->object) !=
        MSGPACK_UNPACK_SUCCESS)
        abort();
}

static void peer_write(struct peer *p)
{
    msgpack_packer packer;

    p->out.size = 0;
    msgpack_packer_init(&packer, &p->out, msgpack_sbuffer_write);
    msgpack_pack_object(&packer, p->object);
}

static void peer_text(struct peer *p)
{
    (void)msgpack_object_print_buffer(p->text, sizeof p->text, p->object);
}

static const struct {
    const char *name;
    void (*ours)(struct ours *);
    void (*peer)(struct peer *);
} jobs[] = {
    {"read", ours_read, peer_read},
    {"write what was read", ours_write, peer_write},
    {"write what was built", ours_write_built, peer_write},
    {"JSON text", ours_text, peer_text},
};

static void run(const struct sample *sample)
{
    struct peer *peer = (struct peer *)must(calloc(1, sizeof *peer));
    msgpack_packer packer;
    struct ours ours;
    leat_builder *b;
    size_t job, length;
    unsigned round, i;

    check(leat_builder_new(NULL, &b));
    check(leat_builder_new(NULL, &ours.builder));
    check(leat_buffer_new(NULL, &ours.octets));
    check(leat_buffer_new(NULL, &ours.out));
    sample->build(b);
    check(leat_broker_write(ours.octets, leat_builder_value(b)));
    ours.built = leat_builder_value(b);
    ours_read(&ours);

    msgpack_sbuffer_init(&peer->octets);
    msgpack_sbuffer_init(&peer->out);
    msgpack_zone_init(&peer->memory, 1 << 16);
    msgpack_packer_init(&packer, &peer->octets, msgpack_sbuffer_write);
    pack(&packer, ours.value);
    peer_read(peer);

    (void)leat_buffer_data(ours.octets, &length);
    printf("%s: %zu octets, in msgpack %zu\n", sample->name, length, peer->octets.size);
    for (job = 0; job < sizeof jobs / sizeof *jobs; job++) {
        double best_ours = 1e300, best_peer = 1e300;

        for (round = 0; round < ROUNDS; round++) {
            double start = now(), middle, end;

            for (i = 0; i < sample->repeat; i++)
                jobs[job].ours(&ours);
            middle = now();
            for (i = 0; i < sample->repeat; i++)
                jobs[job].peer(peer);
            end = now();
            best_ours = middle - start < best_ours ? middle - start : best_ours;
            best_peer = end - middle < best_peer ? end - middle : best_peer;
        }
        printf("  %-20s %8.1f ns   msgpack-c %8.1f ns   %5.2f times as fast\n", jobs[job].name,
               best_ours / sample->repeat * 1e9, best_peer / sample->repeat * 1e9,
               best_peer / best_ours);
    }
    msgpack_zone_destroy(&peer->memory);
    msgpack_sbuffer_destroy(&peer->octets);
    msgpack_sbuffer_destroy(&peer->out);
    free(peer);
    leat_buffer_free(ours.octets);
    leat_buffer_free(ours.out);
    leat_builder_free(ours.builder);
    leat_builder_free(b);
}

int main(void)
{
    size_t i;

    for (i = 0; i < sizeof samples / sizeof *samples; i++)
        run(&samples[i]);
    return 0;
}
