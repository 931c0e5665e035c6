/*
 * The snippets of doc/estreamer.md, as they stand there (test_guide.py compares), and proof that
 * they do what the guide says.
 */
#define _POSIX_C_SOURCE 200809L
#include "live.h"

#include <stdio.h>
#include <unistd.h>

/* A client that wants, from now on, all that a Management Center of that release has. */
static int ask(const char *release, leat_session **session)
{
    leat_estreamer_client_options options;

    leat_estreamer_client_options_init(&options, sizeof options);
    options.initial_timestamp = LEAT_ESTREAMER_NOW;
    options.event_types = leat_estreamer_event_types(release, &options.event_type_count);
    return leat_estreamer_client_new(NULL, &options, session);
}

/* Intrusion events with their packets, and the names for what they hold; nothing else. */
static int ask_for_intrusions(leat_session **session)
{
    static const leat_estreamer_event_type types[] = {
        {11, LEAT_ESTREAMER_CODE_INTRUSION}, /* version, code */
        {4, LEAT_ESTREAMER_CODE_METADATA},
    };
    leat_estreamer_client_options options;

    leat_estreamer_client_options_init(&options, sizeof options);
    options.request_flags = LEAT_ESTREAMER_FLAG_PACKETS | LEAT_ESTREAMER_FLAG_METADATA |
                            LEAT_ESTREAMER_FLAG_EXTENDED_HEADER |
                            LEAT_ESTREAMER_FLAG_EXTENDED_REQUEST;
    options.event_types = types;
    options.event_type_count = sizeof types / sizeof *types;
    return leat_estreamer_client_new(NULL, &options, session);
}

/* Sends any message, its fields given as JSON. */
static int command(leat_session *session, leat_builder *builder, const char *name, const char *json)
{
    leat_builder_clear(builder);
    (void)leat_builder_json(builder, NULL, json, strlen(json));
    return leat_send(session, name, leat_builder_value(builder));
}

static int ask_for_hosts(leat_session *session, leat_builder *builder)
{
    return command(session, builder, "host_data_request",
                   "{\"data_type\":7,\"flags\":1,"
                   "\"start_ip\":\"10.0.0.0\",\"end_ip\":\"10.0.0.255\"}");
}

/* What an intrusion event says, in a line. */
static void print_intrusion(FILE *out, const leat_value *event_data)
{
    const leat_value *record = leat_value_get(event_data, "record");
    char source[64], destination[64];

    if (leat_value_u64(leat_value_get(event_data, "record_type")) != 400)
        return;
    (void)leat_value_json(leat_value_get(record, "source_ip"), source, sizeof source);
    (void)leat_value_json(leat_value_get(record, "destination_ip"), destination,
                          sizeof destination);
    (void)fprintf(out, "%llu: rule %llu:%llu, %s to %s, impact %llu\n",
                  (unsigned long long)leat_value_u64(leat_value_get(record, "event_second")),
                  (unsigned long long)leat_value_u64(leat_value_get(record, "generator_id")),
                  (unsigned long long)leat_value_u64(leat_value_get(record, "rule_id")), source,
                  destination,
                  (unsigned long long)leat_value_u64(leat_value_get(record, "impact")));
}

/* Draws what there is, makes it safe, then acknowledges all of it. */
static int draw(leat_session *session, FILE *out)
{
    const leat_event *event;
    bool drew;
    int status;

    do {
        drew = false;
        while ((status = leat_next(session, &event)) == LEAT_OK) {
            print_intrusion(out, leat_event_value(event));
            drew = true;
        }
        if (fflush(out) != 0 || fsync(fileno(out)) != 0)
            return LEAT_E_STATE; /* not safe, so not acknowledged */
        (void)leat_estreamer_acknowledge(session, UINT64_MAX);
    } while (status == LEAT_PAUSED && drew); /* held_records: now there is room for more */
    return status;
}

/* Keeps the bookmark in a file that is there whole or not at all. 0: it is safe. */
static int keep(const leat_session *session, leat_buffer *octets, const char *path,
                const char *fresh_path)
{
    const void *data;
    size_t length;
    FILE *file;
    int good;

    leat_buffer_clear(octets);
    if (leat_estreamer_bookmark(session, octets) != LEAT_OK)
        return -1;
    data = leat_buffer_data(octets, &length);
    file = fopen(fresh_path, "wb");
    if (file == NULL)
        return -1;
    good = fwrite(data, 1, length, file) == length && fflush(file) == 0 && fsync(fileno(file)) == 0;
    return fclose(file) == 0 && good && rename(fresh_path, path) == 0 ? 0 : -1;
}

/* A client that goes on behind what was kept, and acknowledges only what it is told to. */
static int resume(const char *path, leat_session **session)
{
    leat_estreamer_client_options options;
    unsigned char octets[65536];
    FILE *file = fopen(path, "rb");

    leat_estreamer_client_options_init(&options, sizeof options);
    options.hold = 1;
    if (file != NULL) { /* none the first time */
        options.bookmark = octets;
        options.bookmark_length = fread(octets, 1, sizeof octets, file);
        (void)fclose(file);
    }
    return leat_estreamer_client_new(NULL, &options, session);
}

/* The rule's message, if the server has sent it. */
static void print_rule(FILE *out, leat_estreamer_metadata *names, const leat_event *event)
{
    const char *name;
    size_t length;

    (void)leat_estreamer_metadata_learn(names, event);
    name = leat_estreamer_metadata_name(names, leat_event_value(event), "rule_id", &length);
    if (name != NULL)
        (void)fprintf(out, "%.*s\n", (int)length, name);
}

/* Passes a record on to a client of ours, if it wants it. */
static int relay(leat_session *to, const leat_event *event)
{
    const leat_value *value = leat_event_value(event);
    uint64_t type = leat_value_u64(leat_value_get(value, "record_type"));

    if (leat_event_kind(event) != LEAT_ESTREAMER_EVENT_DATA || value == NULL ||
        !leat_estreamer_is_wanted(to, (uint32_t)type))
        return LEAT_OK;
    return leat_send(to, "event_data", value);
}

/* What carries octets from one session into another, in place of a network. */
static void carry(leat_session *from, leat_session *to)
{
    struct t_bytes octets = live_take(from);

    ck_assert_int_eq(leat_feed(to, octets.data, octets.length), LEAT_OK);
    t_free(octets);
}

static const leat_event *must_tell(leat_session *session, uint32_t kind)
{
    const leat_event *event;

    do {
        ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    } while (leat_event_kind(event) != kind);
    return event;
}

static uint64_t number(const leat_event *event, const char *field)
{
    return leat_value_u64(leat_value_get(leat_event_value(event), field));
}

/* Events until there are no more. */
static size_t tell_all(leat_session *session)
{
    const leat_event *event;
    size_t count = 0;

    while (leat_next(session, &event) == LEAT_OK)
        count++;
    return count;
}

/* A client and a server of ours that have agreed on what to send. */
static leat_session *answer(leat_session *client)
{
    leat_session *server;
    int turns;

    ck_assert_int_eq(leat_estreamer_server_new(NULL, NULL, &server), LEAT_OK);
    for (turns = 0; turns < 2; turns++) {
        carry(client, server);
        (void)tell_all(server);
        carry(server, client);
        (void)tell_all(client);
    }
    carry(client, server);
    (void)tell_all(server);
    return server;
}

/* The file's text, which the caller frees. */
static struct t_bytes text_of(FILE *file)
{
    struct t_bytes text = {NULL, 0};
    char piece[256];
    size_t length;

    rewind(file);
    while ((length = fread(piece, 1, sizeof piece, file)) > 0)
        t_append(&text, piece, length);
    t_append(&text, "", 1);
    (void)fclose(file);
    return text;
}

START_TEST(requests)
{
    leat_session *client = NULL, *server;
    leat_builder *builder;
    const leat_event *event;

    ck_assert_int_eq(ask("6.4.0", &client), LEAT_OK);
    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    ck_assert_int_eq(leat_estreamer_server_new(NULL, NULL, &server), LEAT_OK);
    carry(client, server);
    event = must_tell(server, LEAT_ESTREAMER_EVENT_STREAM_REQUEST);
    ck_assert_uint_eq(number(event, "initial_timestamp"), LEAT_ESTREAMER_NOW);
    ck_assert_uint_eq(number(event, "request_flags"), 0x48900061);
    carry(server, client);
    (void)must_tell(client, LEAT_ESTREAMER_STREAMING_INFORMATION);
    ck_assert_int_eq(ask_for_hosts(client, builder), LEAT_OK);
    carry(client, server);
    event = must_tell(server, LEAT_ESTREAMER_STREAMING_REQUEST);
    ck_assert_uint_eq(leat_estreamer_initial_timestamp(server), LEAT_ESTREAMER_NOW);
    ck_assert(leat_estreamer_is_wanted(server, 71));
    event = must_tell(server, LEAT_ESTREAMER_HOST_DATA_REQUEST);
    ck_assert_uint_eq(number(event, "data_type"), 7);
    ck_assert_int_eq(command(server, builder, "multiple_host_data", "{}"), LEAT_OK);
    carry(server, client);
    event = must_tell(client, LEAT_ESTREAMER_MULTIPLE_HOST_DATA);
    ck_assert_uint_eq(leat_value_count(leat_event_value(event)), 0);

    /* Another request takes the place of that one: nothing but metadata, by the flag alone. */
    ck_assert_int_eq(command(client, builder, "event_stream_request",
                             "{\"initial_timestamp\":4294967295,\"request_flags\":9437184}"),
                     LEAT_OK);
    carry(client, server);
    (void)must_tell(server, LEAT_ESTREAMER_EVENT_STREAM_REQUEST);
    ck_assert(leat_estreamer_is_wanted(server, 123));
    ck_assert(!leat_estreamer_is_wanted(server, 71));
    leat_session_free(client);
    leat_session_free(server);
    leat_builder_free(builder);
}
END_TEST

START_TEST(few_events)
{
    leat_session *client = NULL, *server;

    ck_assert_int_eq(ask_for_intrusions(&client), LEAT_OK);
    server = answer(client);
    ck_assert(leat_estreamer_is_wanted(server, 400));
    ck_assert(leat_estreamer_is_wanted(server, 2));
    ck_assert(leat_estreamer_is_wanted(server, 66));
    ck_assert(!leat_estreamer_is_wanted(server, 71));
    ck_assert(!leat_estreamer_is_wanted(server, 110));
    leat_session_free(client);
    leat_session_free(server);
}
END_TEST

#define INTRUSION(second, rule)                                                                    \
    "{\"record_type\":400,\"archive_timestamp\":" #second ",\"record\":{\"event_second\":" #second \
    ",\"generator_id\":1,\"rule_id\":" #rule ",\"source_ip\":\"192.0.2.10\","                      \
    "\"destination_ip\":\"2001:db8::20\",\"impact\":1}}"

#define QUOTED_INTRUSION(second)                                                                   \
    "{'record_type':400,'archive_timestamp':" #second ",'record':{'event_second':" #second "}}"

/* However little may be held, one call draws everything. */
START_TEST(little_held)
{
    leat_estreamer_client_options options;
    leat_session *client;
    struct t_bytes text;
    FILE *out = tmpfile();

    ck_assert_ptr_nonnull(out);
    leat_estreamer_client_options_init(&options, sizeof options);
    options.hold = 1;
    options.held_records = 1;
    client = live_client(NULL, &options);
    live_hear(client, "message_bundle",
              "{'sequence_number':1,'items':[" QUOTED_INTRUSION(1) "," QUOTED_INTRUSION(
                  2) "," QUOTED_INTRUSION(3) "]}");
    ck_assert_int_eq(draw(client, out), LEAT_MORE);
    text = text_of(out);
    ck_assert_str_eq((const char *)text.data, "1: rule 0:0, \"::\" to \"::\", impact 0\n"
                                              "2: rule 0:0, \"::\" to \"::\", impact 0\n"
                                              "3: rule 0:0, \"::\" to \"::\", impact 0\n");
    live_said(client, "null");
    ck_assert_uint_eq(leat_wants(client), LEAT_WANT_READ);
    t_free(text);
    leat_session_free(client);
}
END_TEST

static void make_path(char *path, size_t size, const char *folder, const char *name)
{
    ck_assert_int_lt(snprintf(path, size, "%s/%s", folder, name), (int)size);
}

START_TEST(nothing_is_lost)
{
    char folder[] = "/tmp/leat-guide-XXXXXX";
    char path[64], fresh[64];
    leat_session *client, *server;
    const leat_event *event;
    leat_builder *builder;
    leat_buffer *octets;
    struct t_bytes text;
    FILE *out = tmpfile();

    ck_assert_ptr_nonnull(out);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    make_path(path, sizeof path, folder, "bookmark");
    make_path(fresh, sizeof fresh, folder, "bookmark.new");
    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    ck_assert_int_eq(leat_buffer_new(NULL, &octets), LEAT_OK);

    ck_assert_int_eq(resume(path, &client), LEAT_OK);
    server = answer(client);
    (void)leat_estreamer_acknowledge(client, UINT64_MAX);
    carry(client, server);
    (void)tell_all(server);
    ck_assert_int_eq(command(server, builder, "event_data", INTRUSION(1718000000, 7)), LEAT_OK);
    carry(server, client);
    ck_assert_int_eq(draw(client, out), LEAT_MORE);
    ck_assert_int_eq(keep(client, octets, path, fresh), 0);
    ck_assert_int_ne(access(fresh, F_OK), 0);
    carry(client, server);
    (void)tell_all(server);

    /* The next one is told, but not safe yet when all is over. */
    ck_assert_int_eq(command(server, builder, "event_data", INTRUSION(1718000000, 8)), LEAT_OK);
    carry(server, client);
    ck_assert_uint_gt(tell_all(client), 0);
    ck_assert_int_eq(keep(client, octets, path, fresh), 0);
    leat_session_free(client);
    leat_session_free(server);

    /* The server sends the whole second again: the first is known, the second is not. */
    ck_assert_int_eq(resume(path, &client), LEAT_OK);
    server = answer(client);
    ck_assert_uint_eq(leat_estreamer_initial_timestamp(server), 1718000000);
    (void)leat_estreamer_acknowledge(client, UINT64_MAX);
    carry(client, server);
    (void)tell_all(server);
    ck_assert_int_eq(command(server, builder, "event_data", INTRUSION(1718000000, 7)), LEAT_OK);
    ck_assert_int_eq(command(server, builder, "event_data", INTRUSION(1718000000, 8)), LEAT_OK);
    carry(server, client);
    (void)must_tell(client, LEAT_ESTREAMER_EVENT_DATA);
    ck_assert(leat_estreamer_is_repeat(client));
    (void)leat_estreamer_acknowledge(client, UINT64_MAX);
    carry(client, server);
    (void)tell_all(server);
    carry(server, client);
    event = must_tell(client, LEAT_ESTREAMER_EVENT_DATA);
    ck_assert(!leat_estreamer_is_repeat(client));
    print_intrusion(out, leat_event_value(event));

    text = text_of(out);
    ck_assert_str_eq((const char *)text.data,
                     "1718000000: rule 1:7, \"192.0.2.10\" to \"2001:db8::20\", impact 1\n"
                     "1718000000: rule 1:8, \"192.0.2.10\" to \"2001:db8::20\", impact 1\n");
    t_free(text);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(rmdir(folder), 0);
    leat_session_free(client);
    leat_session_free(server);
    leat_builder_free(builder);
    leat_buffer_free(octets);
}
END_TEST

START_TEST(names_and_relays)
{
    static const char rule[] = "{\"record_type\":66,\"record\":{\"generator_id\":1,\"rule_id\":7,"
                               "\"message\":\"SERVER-WEBAPP test\"}}";
    leat_session *client, *server, *downstream = NULL, *serves_downstream;
    leat_estreamer_metadata *names;
    const leat_event *event;
    leat_builder *builder;
    struct t_bytes text;
    FILE *out = tmpfile();
    int status;

    ck_assert_ptr_nonnull(out);
    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    ck_assert_int_eq(leat_estreamer_metadata_new(NULL, 0, &names), LEAT_OK);
    ck_assert_int_eq(ask("7.4", &client), LEAT_OK);
    server = answer(client);
    ck_assert_int_eq(ask_for_intrusions(&downstream), LEAT_OK);
    serves_downstream = answer(downstream);

    ck_assert_int_eq(command(server, builder, "event_data", rule), LEAT_OK);
    ck_assert_int_eq(command(server, builder, "event_data", INTRUSION(1718000000, 7)), LEAT_OK);
    ck_assert_int_eq(command(server, builder, "event_data", "{\"record_type\":71,\"record\":{}}"),
                     LEAT_OK);
    do {
        carry(server, client);
        while ((status = leat_next(client, &event)) == LEAT_OK) {
            print_rule(out, names, event);
            ck_assert_int_eq(relay(serves_downstream, event), LEAT_OK);
        }
        ck_assert_int_eq(status, LEAT_MORE);
        carry(client, server);
        (void)tell_all(server);
    } while (leat_wants(server) & LEAT_WANT_WRITE);
    text = text_of(out);
    ck_assert_str_eq((const char *)text.data, "SERVER-WEBAPP test\n");
    t_free(text);

    carry(serves_downstream, downstream);
    event = must_tell(downstream, LEAT_ESTREAMER_EVENT_DATA);
    ck_assert_uint_eq(number(event, "record_type"), 66);
    (void)tell_all(downstream);
    carry(downstream, serves_downstream);
    (void)tell_all(serves_downstream);
    carry(serves_downstream, downstream);
    event = must_tell(downstream, LEAT_ESTREAMER_EVENT_DATA);
    ck_assert_uint_eq(number(event, "record_type"), 400);
    ck_assert_int_eq(leat_next(downstream, &event), LEAT_MORE);
    leat_session_free(client);
    leat_session_free(server);
    leat_session_free(downstream);
    leat_session_free(serves_downstream);
    leat_estreamer_metadata_free(names);
    leat_builder_free(builder);
}
END_TEST

static void tests(TCase *tcase)
{
    tcase_add_test(tcase, requests);
    tcase_add_test(tcase, few_events);
    tcase_add_test(tcase, little_held);
    tcase_add_test(tcase, nothing_is_lost);
    tcase_add_test(tcase, names_and_relays);
}

T_MAIN("estreamer/guide", tests)
