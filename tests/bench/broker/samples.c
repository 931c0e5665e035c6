#include "samples.h"

#include "bench.h"

#include <stdio.h>
#include <string.h>

static void add_text(leat_builder *b, const char *text)
{
    check(leat_builder_text(b, NULL, text, strlen(text)));
}

void build_two_fields(leat_builder *b)
{
    check(leat_builder_open(b, NULL, LEAT_LIST));
    check(leat_builder_u64(b, NULL, 42));
    add_text(b, "hello world");
    check(leat_builder_close(b));
}

void build_connection(leat_builder *b)
{
    static const uint8_t from[] = {10, 0, 0, 1}, to[] = {192, 168, 99, 9};

    check(leat_builder_open(b, NULL, LEAT_LIST));
    check(leat_builder_timestamp(b, NULL, INT64_C(1598975922372123000)));
    add_text(b, "CHhAvVGS1DHFjwGM9");
    check(leat_builder_address(b, NULL, from, 4));
    check(leat_builder_port(b, NULL, 53127, LEAT_PROTOCOL_TCP));
    check(leat_builder_address(b, NULL, to, 4));
    check(leat_builder_port(b, NULL, 443, LEAT_PROTOCOL_TCP));
    check(leat_builder_enum(b, NULL, "tcp", 3));
    add_text(b, "ssl");
    check(leat_builder_timespan(b, NULL, 1500000000));
    check(leat_builder_u64(b, NULL, 517));
    check(leat_builder_u64(b, NULL, 4833));
    add_text(b, "SF");
    check(leat_builder_bool(b, NULL, 1));
    check(leat_builder_bool(b, NULL, 0));
    check(leat_builder_u64(b, NULL, 0));
    add_text(b, "ShADadFf");
    check(leat_builder_f64(b, NULL, 0.25));
    check(leat_builder_i64(b, NULL, -1));
    check(leat_builder_close(b));
}

void build_table(leat_builder *b)
{
    char text[32];
    unsigned i, j;

    check(leat_builder_open(b, NULL, LEAT_TABLE));
    for (i = 0; i < 100; i++) {
        (void)snprintf(text, sizeof text, "key-%03u", i);
        add_text(b, text);
        check(leat_builder_open(b, NULL, LEAT_SET));
        for (j = 0; j < 10; j++) {
            (void)snprintf(text, sizeof text, "value-%03u-%u", i, j);
            add_text(b, text);
        }
        check(leat_builder_close(b));
    }
    check(leat_builder_close(b));
}

leat_builder *sample(void (*build)(leat_builder *))
{
    leat_builder *b;

    check(leat_builder_new(NULL, &b));
    build(b);
    return b;
}
