/*
 * The metadata store: what it costs to learn a name, and to name the ids of an event, beside the
 * decoding of either. One core, the best of several rounds; only the ratios mean something.
 */
#include "bench.h"
#include "payloads.h"

#include <leat/estreamer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS       9
#define EVENTS       20000
#define IDS_PER_TYPE 500
#define FEED_BYTES   ((size_t)64 << 10)

/* What is done with an event: nothing if there is no store. */
typedef void use(leat_estreamer_metadata *metadata, leat_builder *names, const leat_event *event);

static void learn(leat_estreamer_metadata *metadata, leat_builder *names, const leat_event *event)
{
    (void)names;
    check(leat_estreamer_metadata_learn(metadata, event));
}

static void name_ids(leat_estreamer_metadata *metadata, leat_builder *names,
                     const leat_event *event)
{
    leat_builder_clear(names);
    check(leat_estreamer_metadata_names(metadata, names, NULL, leat_event_value(event)));
}

static leat_session *codec(void)
{
    leat_session *session;

    check(leat_estreamer_codec_new(NULL, LEAT_FROM_SERVER, &session));
    return session;
}

/* Moves all that one writes to the other, which reads it. How many events. */
static size_t read_all(leat_session *from, leat_session *to, use *use_event,
                       leat_estreamer_metadata *metadata, leat_builder *names)
{
    const leat_event *event;
    size_t length, piece, events = 0;
    const uint8_t *data = (const uint8_t *)leat_send_data(from, &length);

    for (; length > 0; data += piece, length -= piece) {
        piece = length < FEED_BYTES ? length : FEED_BYTES;
        check(leat_feed(to, data, piece));
        for (; leat_next(to, &event) == LEAT_OK; events++) {
            if (use_event != NULL)
                use_event(metadata, names, event);
        }
    }
    return events;
}

/* Metadata of every type that is an id and a name. */
static leat_session *make_metadata(leat_builder *builder)
{
    leat_session *session = codec();
    size_t i;

    for (i = 0; i < leat_estreamer_record_count(); i++) {
        uint32_t type = leat_estreamer_record_type(i), id;
        const char *layout = leat_estreamer_layout_container(leat_estreamer_record_layout(type));

        if (layout == NULL || strcmp(layout, "struct/metadata_id_name") != 0)
            continue;
        for (id = 0; id < IDS_PER_TYPE; id++) {
            char json[128];
            int length = snprintf(json, sizeof json,
                                  "{\"record_type\":%u,\"record\":{\"id\":%u,\"name\":\"name of "
                                  "%u in %u\"}}",
                                  type, id, id, type);

            leat_builder_clear(builder);
            check(leat_builder_json(builder, NULL, json, (size_t)length));
            check(leat_send(session, "event_data", leat_builder_value(builder)));
        }
    }
    return session;
}

static leat_session *make_events(const struct payload *payload)
{
    leat_session *session = codec();
    leat_builder *builder;
    int i;

    check(leat_builder_new(NULL, &builder));
    check(leat_builder_open(builder, NULL, LEAT_RECORD));
    check(leat_builder_u64(builder, "record_type", payload->type));
    check(leat_builder_u64(builder, "archive_timestamp", 1700000000));
    check(leat_builder_bytes(builder, "record", payload->octets + payload->header_bytes,
                             payload->length - payload->header_bytes));
    check(leat_builder_close(builder));
    for (i = 0; i < EVENTS; i++)
        check(leat_send(session, "event_data", leat_builder_value(builder)));
    leat_builder_free(builder);
    return session;
}

/* Seconds for each event, in the best round. */
static double best_of(leat_session *from, use *use_event, leat_estreamer_metadata *metadata,
                      leat_builder *names)
{
    leat_session *to = codec();
    double best = 1e9;
    int round;

    for (round = 0; round < ROUNDS; round++) {
        double start = cpu();
        size_t events = read_all(from, to, use_event, metadata, names);
        double taken = (cpu() - start) / (double)events;

        best = taken < best ? taken : best;
    }
    leat_session_free(to);
    return best;
}

static void bench(const char *name, leat_session *from, use *use_event, const char *used,
                  leat_estreamer_metadata *metadata, leat_builder *names)
{
    double read = best_of(from, NULL, NULL, NULL);
    double both = best_of(from, use_event, metadata, names);

    (void)printf("  %-20s decoded %6.0f ns, and %s %6.0f ns more, %5.2f x decoded", name,
                 read * 1e9, used, (both - read) * 1e9, both / read);
    leat_session_free(from);
}

int main(int argc, char **argv)
{
    leat_estreamer_metadata *metadata;
    leat_builder *names;
    leat_session *from, *to = codec();
    size_t i;

    load_payloads(argc, argv);
    check(leat_builder_new(NULL, &names));
    check(leat_estreamer_metadata_new(NULL, 0, &metadata));
    from = make_metadata(names);
    (void)read_all(from, to, learn, metadata, names);
    (void)printf("a store of %zu names in %zu octets\n", leat_estreamer_metadata_count(metadata),
                 leat_estreamer_metadata_memory(metadata));
    bench("metadata", from, learn, "learnt again", metadata, names);
    (void)printf("\n");
    for (i = 0; i < PAYLOADS; i++) {
        bench(payloads[i].name, make_events(&payloads[i]), name_ids, "named       ", metadata,
              names);
        (void)printf(", %zu names\n", leat_value_count(leat_builder_value(names)));
    }
    leat_session_free(to);
    leat_builder_free(names);
    leat_estreamer_metadata_free(metadata);
    return 0;
}
