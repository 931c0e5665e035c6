/*
 * What Zeek's layer costs on top of the values that it stands on: events and records of logs, read
 * and written, in one process. Nothing may be allocated once all is warm.
 */
#include "bench.h"
#include "counts.h"

#include <leat/broker.h>
#include <leat/zeek.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ROUNDS 40

static leat_builder *builder, *fields;
static leat_buffer *octets, *out;
static leat_zeek_message message;
static struct counts counts;

static void two_args(void)
{
    check(leat_zeek_event_open(builder, NULL, "Test::two", 9));
    leat_builder_u64(builder, NULL, 42);
    leat_builder_text(builder, NULL, "hello world", 11);
    check(leat_zeek_event_close(builder));
}

/* What Zeek tells of a connection. */
static void connection(leat_builder *b, bool record)
{
    static const uint8_t from[] = {10, 0, 0, 1}, to[] = {192, 168, 99, 9};

    leat_builder_timestamp(b, NULL, INT64_C(1598975922372123000));
    leat_builder_text(b, NULL, "CHhAvVGS1DHFjwGM9", 17);
    leat_builder_address(b, NULL, from, 4);
    leat_builder_port(b, NULL, 53127, LEAT_PROTOCOL_TCP);
    leat_builder_address(b, NULL, to, 4);
    leat_builder_port(b, NULL, 443, LEAT_PROTOCOL_TCP);
    leat_builder_enum(b, NULL, "tcp", 3);
    leat_builder_text(b, NULL, "ssl", 3);
    leat_builder_timespan(b, NULL, 1500000000);
    leat_builder_u64(b, NULL, 517);
    leat_builder_u64(b, NULL, 4833);
    leat_builder_text(b, NULL, "SF", 2);
    leat_builder_bool(b, NULL, 1);
    leat_builder_bool(b, NULL, 0);
    leat_builder_u64(b, NULL, 0);
    leat_builder_text(b, NULL, "ShADadFf", 8);
    leat_builder_f64(b, NULL, 0.25);
    if (record)
        leat_builder_null(b, NULL);
    else
        leat_builder_i64(b, NULL, -1);
}

static void many_args(void)
{
    check(leat_zeek_event_open(builder, NULL, "Test::connection", 16));
    connection(builder, false);
    check(leat_zeek_event_close(builder));
}

/* The columns that such a connection is logged in. */
static void log_create(void)
{
    static const struct {
        const char *name;
        uint32_t type;
    } columns[] = {
        {"ts", LEAT_ZEEK_TYPE_TIME},
        {"uid", LEAT_ZEEK_TYPE_STRING},
        {"id.orig_h", LEAT_ZEEK_TYPE_ADDR},
        {"id.orig_p", LEAT_ZEEK_TYPE_PORT},
        {"id.resp_h", LEAT_ZEEK_TYPE_ADDR},
        {"id.resp_p", LEAT_ZEEK_TYPE_PORT},
        {"proto", LEAT_ZEEK_TYPE_ENUM},
        {"service", LEAT_ZEEK_TYPE_STRING},
        {"duration", LEAT_ZEEK_TYPE_INTERVAL},
        {"orig_bytes", LEAT_ZEEK_TYPE_COUNT},
        {"resp_bytes", LEAT_ZEEK_TYPE_COUNT},
        {"conn_state", LEAT_ZEEK_TYPE_STRING},
        {"local_orig", LEAT_ZEEK_TYPE_BOOL},
        {"local_resp", LEAT_ZEEK_TYPE_BOOL},
        {"missed_bytes", LEAT_ZEEK_TYPE_COUNT},
        {"history", LEAT_ZEEK_TYPE_STRING},
        {"score", LEAT_ZEEK_TYPE_DOUBLE},
        {"tunnel_parents", LEAT_ZEEK_TYPE_SET},
    };
    leat_zeek_log_field field;
    size_t i;

    leat_zeek_log_field_init(&field, sizeof field);
    check(leat_builder_open(fields, NULL, LEAT_LIST));
    for (i = 0; i < sizeof columns / sizeof *columns; i++) {
        field.name = columns[i].name;
        field.name_length = strlen(field.name);
        field.type = columns[i].type;
        field.subtype = field.type == LEAT_ZEEK_TYPE_SET ? LEAT_ZEEK_TYPE_STRING : 0;
        check(leat_zeek_log_field_write(fields, &field));
    }
    check(leat_builder_close(fields));
}

static void read_value(void)
{
    size_t length;
    const void *data = leat_buffer_data(octets, &length);

    leat_builder_clear(builder);
    check(leat_broker_read(builder, NULL, data, length));
}

static void read_event(void)
{
    read_value();
    check(leat_zeek_read(leat_builder_value(builder), &message));
}

static void write_value(void)
{
    leat_buffer_clear(out);
    check(leat_broker_write(out, leat_builder_value(builder)));
}

static void write_two_args(void)
{
    leat_builder_clear(builder);
    two_args();
    write_value();
}

static void write_many_args(void)
{
    leat_builder_clear(builder);
    many_args();
    write_value();
}

static void read_record(void)
{
    size_t length;
    const void *data = leat_buffer_data(octets, &length);

    leat_builder_clear(builder);
    check(leat_zeek_record_read(builder, NULL, leat_builder_value(fields), data, length));
}

static void write_record(void)
{
    leat_buffer_clear(out);
    check(leat_zeek_record_write(out, leat_builder_value(fields), leat_builder_value(builder)));
}

static void measure(const char *name, void (*job)(void), unsigned repeat)
{
    double best = 1e300;
    uint64_t allocations;
    unsigned round, i;

    job();
    job();
    allocations = counts.allocations;
    for (round = 0; round < ROUNDS; round++) {
        double start = now(), time;

        for (i = 0; i < repeat; i++)
            job();
        time = now() - start;
        best = time < best ? time : best;
    }
    printf("  %-28s %8.1f ns\n", name, best / repeat * 1e9);
    if (counts.allocations != allocations)
        die("something is allocated");
}

static void event(const char *name, void (*build)(void), void (*write)(void), unsigned repeat)
{
    size_t length;

    leat_builder_clear(builder);
    build();
    leat_buffer_clear(octets);
    check(leat_broker_write(octets, leat_builder_value(builder)));
    (void)leat_buffer_data(octets, &length);
    printf("%s: %zu octets\n", name, length);
    measure("the value, read", read_value, repeat);
    measure("the event, read", read_event, repeat);
    measure("the value, written", write_value, repeat);
    measure("the event, built and written", write, repeat);
}

static void record(void)
{
    size_t length;

    log_create();
    leat_builder_clear(builder);
    check(leat_builder_open(builder, NULL, LEAT_LIST));
    connection(builder, true);
    check(leat_builder_close(builder));
    leat_buffer_clear(octets);
    check(leat_zeek_record_write(octets, leat_builder_value(fields), leat_builder_value(builder)));
    (void)leat_buffer_data(octets, &length);
    printf("log record of 18 fields: %zu octets\n", length);
    measure("read", read_record, 5000);
    measure("written", write_record, 5000);
}

int main(void)
{
    counting = &counts;
    leat_zeek_message_init(&message, sizeof message);
    check(leat_builder_new(&counted, &builder));
    check(leat_builder_new(&counted, &fields));
    check(leat_buffer_new(&counted, &octets));
    check(leat_buffer_new(&counted, &out));
    event("event of 2 arguments", two_args, write_two_args, 20000);
    event("event of 18 arguments", many_args, write_many_args, 5000);
    record();
    leat_builder_free(builder);
    leat_builder_free(fields);
    leat_buffer_free(octets);
    leat_buffer_free(out);
    return 0;
}
