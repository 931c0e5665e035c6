/* Streams of frames: phases, lengths, limits, cuts, memory. */
#include "lines.h"

#include <leat/broker.h>

static leat_session *make(const leat_config *config, const void *from)
{
    leat_session *session;

    return leat_broker_codec_new(config, *(const uint32_t *)from, &session) == LEAT_OK ? session
                                                                                       : NULL;
}

#define ID  "11111111111151119111111111111111"
#define NIL "00000000000000000000000000000000"

#define HELLO  "00000017 065a45454b" ID "0101"
#define PROBE  "00000005 075a45454b"
#define SELECT "00000016 085a45454b" ID "01"
#define DROP   "00000017 095a45454b" ID "27 00"
#define SYN    "00000004 0a01 0161"
#define ACK    "00000002 0b00"
#define DONE   "00000001 0c"
#define DATA   "00000027 " ID NIL "01 0010 0001 61 00"
#define PING   "00000025 " ID NIL "04 0010 0000"
#define UPDATE "00000026 " ID NIL "03 0010 0000 00"
#define EMPTY  "00000000"

/* Topics that take as much as an envelope. */
#define LONG_SYN                                                                                   \
    "00000028 0a0125"                                                                              \
    "74747474747474747474747474747474747474747474747474747474747474747474747474"
/* A list of topics and an envelope, as one wants to see it; and an envelope that only begins so. */
#define EITHER   "00000028 0a0125 11111111111111111111111111" NIL "01 0010 0000 00 7474"
#define ENVELOPE "00000026 0a01 30 11111111111111111111111111" NIL "01 0010 0000 00"

/* Streams and the names of their events, an error by !; then the status, and where. */
static const struct {
    const char *what;
    uint32_t from;
    const char *hex;
    const char *events;
    int status;
    uint64_t at;
} streams[] = {
    {"nothing", LEAT_FROM_CLIENT, "", "", LEAT_END, 0},
    {"an originator", LEAT_FROM_CLIENT, HELLO SELECT SYN DONE DATA PING,
     "hello version_select originator_syn originator_ack data ping ", LEAT_END, 0},
    {"a responder", LEAT_FROM_SERVER, PROBE HELLO ACK UPDATE DATA,
     "probe hello responder_syn_ack routing_update data ", LEAT_END, 0},
    {"a redundant connection", LEAT_FROM_SERVER, PROBE DROP, "probe drop_conn ", LEAT_END, 0},
    {"a recording begun late", LEAT_FROM_SERVER, DATA DATA, "data data ", LEAT_END, 0},
    {"a recording begun in the handshake", LEAT_FROM_CLIENT, SYN DONE DATA,
     "originator_syn originator_ack data ", LEAT_END, 0},
    {"a long filter", LEAT_FROM_CLIENT, LONG_SYN DONE DATA, "originator_syn originator_ack data ",
     LEAT_END, 0},
    {"an envelope that begins like a filter", LEAT_FROM_CLIENT, ENVELOPE DATA, "data data ",
     LEAT_END, 0},
    {"the same behind the handshake", LEAT_FROM_CLIENT, DONE ENVELOPE, "originator_ack data ",
     LEAT_END, 0},
    {"what could be either, first", LEAT_FROM_CLIENT, EITHER, "originator_syn ", LEAT_END, 0},
    {"what could be either, later", LEAT_FROM_CLIENT, DONE EITHER, "originator_ack !data ",
     LEAT_END, 0},
    {"both directions", LEAT_FROM_ANY, HELLO PROBE HELLO SELECT SYN ACK DONE DATA PING,
     "hello probe hello version_select originator_syn responder_syn_ack originator_ack data ping ",
     LEAT_END, 0},
    {"one conversation behind another", LEAT_FROM_ANY, DATA HELLO EMPTY SYN DATA,
     "data hello originator_syn data ", LEAT_END, 0},
    {"empty frames", LEAT_FROM_CLIENT, DONE EMPTY EMPTY DATA EMPTY DATA EMPTY,
     "originator_ack data data ", LEAT_END, 0},
    {"an empty frame at first", LEAT_FROM_CLIENT, EMPTY HELLO, "", LEAT_E_PROTOCOL, 0},
    {"an empty frame in the handshake", LEAT_FROM_CLIENT, HELLO EMPTY HELLO, "hello ",
     LEAT_E_PROTOCOL, 27},
    {"a handshake that goes on later", LEAT_FROM_SERVER, ACK HELLO DATA,
     "responder_syn_ack !unknown data ", LEAT_END, 0},
    {"an envelope in the handshake", LEAT_FROM_CLIENT, HELLO DATA, "hello ", LEAT_E_PROTOCOL, 31},
    {"an envelope in the handshake of some side", LEAT_FROM_ANY, HELLO DATA, "hello data ",
     LEAT_END, 0},
    {"an unknown type", LEAT_FROM_CLIENT, HELLO "00000001 0d", "hello ", LEAT_E_PROTOCOL, 31},
    {"a short frame of an unknown type", LEAT_FROM_CLIENT, DATA "00000001 0d" DATA,
     "data !unknown data ", LEAT_END, 0},
    {"an envelope of an unknown type", LEAT_FROM_CLIENT,
     DATA "00000025 " ID NIL "06 0010 0000" DATA, "data !unknown data ", LEAT_END, 0},
    {"another magic number", LEAT_FROM_SERVER, "00000005 075a45454c", "", LEAT_E_PROTOCOL, 5},
    {"a hello that is cut off", LEAT_FROM_CLIENT, "00000006 065a45454b 11", "", LEAT_E_SYNTAX, 9},
    {"a filter that is cut off", LEAT_FROM_CLIENT, HELLO "00000005 0a02 0161 02", "hello ",
     LEAT_E_SYNTAX, 36},
    {"a filter that announces too much", LEAT_FROM_CLIENT, HELLO "00000003 0a02 00", "hello ",
     LEAT_E_SYNTAX, 32},
    {"a value that is malformed", LEAT_FROM_CLIENT,
     DATA "00000027 " ID NIL "01 0010 0001 61 0f" DATA, "data !data data ", LEAT_END, 0},
    {"a frame over every limit", LEAT_FROM_CLIENT, HELLO "ffffffff", "hello ", LEAT_E_LIMIT, 27},
    {"HTTP", LEAT_FROM_CLIENT, "474554202f20485454502f312e310d0a", "", LEAT_E_LIMIT, 0},
    {"the end in a length", LEAT_FROM_CLIENT, HELLO "0000", "hello ", LEAT_E_END, 29},
    {"the end in a frame", LEAT_FROM_CLIENT, HELLO "00000005 07", "hello ", LEAT_E_END, 32},
};

/* Draws all events: their names, each behind a ! if it has an error. */
static int draw(leat_session *session, char *names, size_t size)
{
    const leat_event *event;
    int status;

    names[0] = '\0';
    while ((status = leat_next(session, &event)) == LEAT_OK) {
        ck_assert_uint_lt(strlen(names) + 32, size);
        ck_assert_int_eq(leat_event_error(event) == NULL, leat_event_value(event) != NULL);
        if (leat_event_error(event) != NULL)
            strcat(names, "!");
        strcat(names, leat_event_name(event, NULL));
        strcat(names, " ");
    }
    return status;
}

START_TEST(streams_of_frames)
{
    struct t_bytes octets = t_hex(streams[_i].hex);
    leat_session *session = make(NULL, &streams[_i].from);
    char names[512];
    int status;

    ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
    ck_assert_int_eq(leat_recv_eof(session), LEAT_OK);
    status = draw(session, names, sizeof names);
    ck_assert_msg(status == streams[_i].status, "%s: %s", streams[_i].what,
                  leat_status_name(status));
    ck_assert_msg(strcmp(names, streams[_i].events) == 0, "%s: %s", streams[_i].what, names);
    leat_session_free(session);
    t_every_split_gives(make, &streams[_i].from, octets.data, octets.length, streams[_i].status,
                        streams[_i].at);
    t_free(octets);
}
END_TEST

/* The raw octets and offsets of all events are the stream. */
START_TEST(raw_is_the_stream)
{
    static const uint32_t from = LEAT_FROM_CLIENT;
    struct t_bytes octets = t_hex(HELLO SELECT SYN DONE DATA "00000001 0d" PING), all = {NULL, 0};
    leat_session *session = make(NULL, &from);
    const leat_event *event;

    ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
    while (leat_next(session, &event) == LEAT_OK) {
        size_t length;
        const void *raw = leat_event_raw(event, &length);

        ck_assert_uint_eq(leat_event_offset(event), all.length);
        t_append(&all, raw, length);
    }
    ck_assert_uint_eq(all.length, octets.length);
    ck_assert_int_eq(memcmp(all.data, octets.data, all.length), 0);
    leat_session_free(session);
    t_free(octets);
    t_free(all);
}
END_TEST

static const struct {
    const char *name;
    uint32_t kind;
    const char *hex;
} kinds[] = {
    {"hello", LEAT_BROKER_HELLO, HELLO},
    {"probe", LEAT_BROKER_PROBE, PROBE},
    {"version_select", LEAT_BROKER_VERSION_SELECT, SELECT},
    {"drop_conn", LEAT_BROKER_DROP_CONN, DROP},
    {"originator_syn", LEAT_BROKER_ORIGINATOR_SYN, SYN},
    {"responder_syn_ack", LEAT_BROKER_RESPONDER_SYN_ACK, ACK},
    {"originator_ack", LEAT_BROKER_ORIGINATOR_ACK, DONE},
    {"data", LEAT_BROKER_DATA, DATA},
    {"command", LEAT_BROKER_COMMAND,
     "00000067 " ID NIL "02 0010 0000 0000000000000000" ID "0000000000000001" ID "0000000000000002"
     "09 0000000000000007 ffff"},
    {"routing_update", LEAT_BROKER_ROUTING_UPDATE, UPDATE},
    {"ping", LEAT_BROKER_PING, PING},
    {"pong", LEAT_BROKER_PONG, "00000026 " ID NIL "05 0010 0000 61"},
    {"unknown", LEAT_BROKER_UNKNOWN, "00000025 " ID NIL "00 0010 0000"},
};

START_TEST(kinds_and_names)
{
    static const uint32_t from = LEAT_FROM_ANY;
    struct t_bytes octets = t_hex(kinds[_i].hex), first = t_hex(DATA);
    leat_session *session = make(NULL, &from);
    const leat_event *event;

    ck_assert_int_eq(leat_feed(session, first.data, first.length), LEAT_OK);
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    ck_assert_str_eq(leat_event_name(event, NULL), kinds[_i].name);
    ck_assert_uint_eq(leat_event_kind(event), kinds[_i].kind);
    leat_session_free(session);
    t_free(first);
    t_free(octets);
}
END_TEST

/* Where the error of an event is: the offset in the stream, and the field. */
static const struct {
    const char *what;
    const char *hex; /* behind DONE */
    int code;
    uint64_t at;
    const char *field;
} errors[] = {
    {"no envelope", "00000024 " ID NIL "01 0010 00", LEAT_E_SYNTAX, 9, ""},
    {"a topic that is longer", "00000026 " ID NIL "01 0010 0002 61", LEAT_E_SYNTAX, 9, ""},
    {"no value", "00000025 " ID NIL "01 0010 0000", LEAT_E_SYNTAX, 46, ""},
    {"a value that is cut off", "00000029 " ID NIL "01 0010 0000 0e01 0200", LEAT_E_SYNTAX, 49,
     "count"},
    {"octets behind a value", "00000027 " ID NIL "01 0010 0000 00 00", LEAT_E_SYNTAX, 47, ""},
    {"a filter that is cut off", "00000028 " ID NIL "03 0010 0000 01 02 61", LEAT_E_SYNTAX, 48,
     "filter"},
    {"octets behind a filter", "00000029 " ID NIL "03 0010 0000 01 01 61 80", LEAT_E_SYNTAX, 49,
     ""},
    {"no filter", "00000025 " ID NIL "03 0010 0000", LEAT_E_SYNTAX, 46, "filter"},
    {"a command that is cut off", "0000003d " ID NIL "02 0010 0000 0000000000000000" ID,
     LEAT_E_SYNTAX, 70, "sender"},
    {"a command without a tag",
     "0000005d " ID NIL "02 0010 0000 0000000000000000" ID "0000000000000001" ID "0000000000000002",
     LEAT_E_SYNTAX, 102, "tag"},
    {"an unknown command",
     "0000005e " ID NIL "02 0010 0000 0000000000000000" ID "0000000000000001" ID
     "0000000000000002 0e",
     LEAT_E_SYNTAX, 102, "tag"},
    {"a nack that announces too much",
     "00000067 " ID NIL "02 0010 0000 0000000000000000" ID "0000000000000001" ID
     "0000000000000002 0b 02 0000000000000001",
     LEAT_E_SYNTAX, 103, "seqs"},
    {"a snapshot that has a key twice",
     "0000006d " ID NIL "02 0010 0000 0000000000000000" ID "0000000000000001" ID
     "0000000000000002 0c 0000000000000001 0005 02 00 00 00 00",
     LEAT_E_SYNTAX, 116, "table"},
};

START_TEST(errors_have_their_place)
{
    static const uint32_t from = LEAT_FROM_CLIENT;
    struct t_bytes done = t_hex(DONE), octets = t_hex(errors[_i].hex);
    leat_session *session = make(NULL, &from);
    const leat_error *error;
    const leat_event *event;

    ck_assert_int_eq(leat_feed(session, done.data, done.length), LEAT_OK);
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    error = leat_event_error(event);
    ck_assert_ptr_null(leat_event_value(event));
    ck_assert_msg(leat_error_code(error) == errors[_i].code, "%s: %s", errors[_i].what,
                  leat_error_text(error));
    ck_assert_msg(leat_error_offset(error) == errors[_i].at, "%s: %s at %u", errors[_i].what,
                  leat_error_text(error), (unsigned)leat_error_offset(error));
    ck_assert_str_eq(leat_error_field(error), errors[_i].field);
    ck_assert_int_eq(leat_next(session, &event), LEAT_MORE);
    leat_session_free(session);
    t_free(done);
    t_free(octets);
}
END_TEST

static const struct {
    const char *what;
    leat_limits limits;
    const char *fits, *over;
    bool ends;
} limits[] = {
    {"handshake", {.handshake_bytes = 23}, HELLO, "00000018 095a45454b" ID "27 01 61", false},
    {"handshake, later", {.handshake_bytes = 23}, HELLO HELLO, HELLO "00000018 095a45454b", true},
    {"handshake, at once",
     {.handshake_bytes = 23},
     DROP,
     "00000026 095a45454b" ID "27 0f 616161616161616161616161616161",
     true},
    {"handshake, before all is there",
     {.handshake_bytes = 23},
     DROP,
     "0000ffff 095a45454b" ID "27 fefe03 616161616161616161616161616161",
     true},
    {"message", {.message_bytes = 39}, DONE DATA, DONE "00000028", true},
    {"message in the handshake", {.message_bytes = 23}, HELLO, "00000018", true},
    {"values of an event",
     {.values = 7},
     DONE DATA,
     DONE "00000028 " ID NIL "01 0010 0000 0e0100",
     false},
    {"values of a filter",
     {.values = 9},
     DONE "0000002a " ID NIL "03 0010 0000 02 0161 0162",
     DONE "0000002c " ID NIL "03 0010 0000 03 0161 0162 0163",
     false},
    {"depth of data",
     {.depth = 2},
     DONE "00000028 " ID NIL "01 0010 0000 0e0100",
     DONE "0000002a " ID NIL "01 0010 0000 0e010e0100",
     false},
    {"depth of a key",
     {.depth = 3},
     DONE "00000078 " ID NIL "02 0010 0000 0000000000000000" NIL "0000000000000000" NIL
          "0000000000000000 03 0e00" NIL "0000000000000000",
     DONE "0000007a " ID NIL "02 0010 0000 0000000000000000" NIL "0000000000000000" NIL
          "0000000000000000 03 0e010e00" NIL "0000000000000000",
     false},
};

START_TEST(limits_have_two_sides)
{
    static const uint32_t from = LEAT_FROM_CLIENT;
    struct t_bytes fits = t_hex(limits[_i].fits), over = t_hex(limits[_i].over);
    leat_limits given = limits[_i].limits;
    const leat_event *event, *last = NULL;
    leat_config config;
    leat_session *session;
    char names[512];
    int status;

    given.size = sizeof given;
    leat_config_init(&config, sizeof config);
    config.limits = &given;
    session = make(&config, &from);
    ck_assert_int_eq(leat_feed(session, fits.data, fits.length), LEAT_OK);
    ck_assert_int_eq(draw(session, names, sizeof names), LEAT_MORE);
    ck_assert_msg(strchr(names, '!') == NULL, "%s: %s", limits[_i].what, names);
    leat_session_free(session);

    session = make(&config, &from);
    ck_assert_int_eq(leat_feed(session, over.data, over.length), LEAT_OK);
    while ((status = leat_next(session, &event)) == LEAT_OK)
        last = event;
    if (limits[_i].ends) {
        ck_assert_msg(status == LEAT_E_LIMIT, "%s: %s", limits[_i].what, leat_status_name(status));
    } else if (_i == 0) {
        ck_assert_int_eq(status, LEAT_E_LIMIT);
    } else {
        ck_assert_int_eq(status, LEAT_MORE);
        ck_assert_msg(leat_error_code(leat_event_error(last)) == LEAT_E_LIMIT, "%s",
                      limits[_i].what);
    }
    leat_session_free(session);
    t_free(fits);
    t_free(over);
}
END_TEST

/* A conversation with everything in it. */
static const char everything[] = HELLO SELECT SYN DONE DATA PING UPDATE
    "0000002b " ID NIL "01 0010 0000 0c02 050161 00"
    "0000006c " ID NIL "02 0010 0000 0000000000000000" ID "0000000000000001" ID
    "0000000000000002 0c 0000000000000001 0005 02 0101 00 00 00"
    "00000067 " ID NIL "02 0010 0000 0000000000000000" ID "0000000000000001" ID
    "0000000000000002 0b 01 0000000000000001"
    "00000001 0d";

START_TEST(every_allocation_may_fail)
{
    static const uint32_t from = LEAT_FROM_CLIENT;
    struct t_bytes octets = t_hex(everything);
    struct t_feed feed = {make, &from, octets.data, octets.length};

    t_every_alloc(t_feed_scenario, &feed);
    t_free(octets);
}
END_TEST

/* Reads the stream and writes all of it again. */
static int repeat(leat_session *reader, leat_session *writer, const struct t_bytes *octets)
{
    const leat_event *event;
    size_t length;
    int status = leat_feed(reader, octets->data, octets->length);

    if (status != LEAT_OK)
        return status;
    while ((status = leat_next(reader, &event)) == LEAT_OK) {
        if (leat_event_error(event) != NULL)
            continue;
        status = leat_send(writer, leat_event_name(event, NULL), leat_event_value(event));
        if (status != LEAT_OK)
            return status;
        (void)leat_send_data(writer, &length);
        ck_assert_int_eq(leat_send_done(writer, length), LEAT_OK);
    }
    return status == LEAT_MORE ? LEAT_OK : status;
}

static int repeat_scenario(const leat_config *config, const void *octets)
{
    static const uint32_t from = LEAT_FROM_CLIENT;
    leat_session *reader = make(config, &from), *writer = NULL;
    int status = reader == NULL ? LEAT_E_NOMEM : LEAT_OK;

    if (status == LEAT_OK)
        status = leat_broker_codec_new(config, LEAT_FROM_SERVER, &writer);
    if (status == LEAT_OK)
        status = repeat(reader, writer, (const struct t_bytes *)octets);
    leat_session_free(reader);
    leat_session_free(writer);
    return status;
}

START_TEST(every_allocation_of_writing_may_fail)
{
    struct t_bytes octets = t_hex(everything);

    t_every_alloc(repeat_scenario, &octets);
    t_free(octets);
}
END_TEST

START_TEST(nothing_is_allocated_once_warm)
{
    static const uint32_t from = LEAT_FROM_ANY;
    struct t_bytes octets = t_hex(everything);
    leat_session *reader, *writer;
    struct t_counter counter;
    leat_config config;
    size_t warm = 0, i;

    t_counter_init(&counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &counter.allocator;
    reader = make(&config, &from);
    writer = make(&config, &from);
    for (i = 0; i < 20; i++) {
        if (i == 5)
            warm = counter.calls;
        ck_assert_int_eq(repeat(reader, writer, &octets), LEAT_OK);
    }
    ck_assert_uint_eq(counter.calls, warm);
    leat_session_free(reader);
    leat_session_free(writer);
    ck_assert_uint_eq(counter.now, 0);
    t_free(octets);
}
END_TEST

/* What a frame announces is not allocated ahead of its octets. */
START_TEST(lengths_cost_nothing)
{
    static const uint32_t from = LEAT_FROM_CLIENT;
    struct t_bytes done = t_hex(DONE), octets = t_hex("03fffffc" ID NIL "01 0010 0000 0e fefeff0f");
    struct t_counter counter;
    leat_session *session;
    const leat_event *event;
    leat_config config;
    size_t i, before;

    t_counter_init(&counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &counter.allocator;
    session = make(&config, &from);
    ck_assert_int_eq(leat_feed(session, done.data, done.length), LEAT_OK);
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    before = counter.now;
    for (i = 0; i < octets.length; i++) {
        ck_assert_int_eq(leat_feed(session, octets.data + i, 1), LEAT_OK);
        ck_assert_int_eq(leat_next(session, &event), LEAT_MORE);
    }
    ck_assert_uint_eq(counter.now, before);
    leat_session_free(session);
    t_free(done);
    t_free(octets);
}
END_TEST

START_TEST(an_idle_session_is_small)
{
    static const uint32_t from = LEAT_FROM_CLIENT;
    leat_session *session = make(NULL, &from);

    ck_assert_uint_le(leat_session_memory(session), 1024);
    leat_session_free(session);
}
END_TEST

START_TEST(there_are_two_sides)
{
    leat_session *session;

    ck_assert_int_eq(leat_broker_codec_new(NULL, LEAT_FROM_PROXY, &session), LEAT_E_STATE);
    ck_assert_int_eq(leat_broker_codec_new(NULL, LEAT_FROM_AGENT, &session), LEAT_E_STATE);
}
END_TEST

/* Output that is full refuses a message and keeps what was there. */
START_TEST(output_has_a_limit)
{
    leat_limits given;
    leat_config config;
    leat_session *session;
    const void *octets;
    size_t length;

    leat_limits_init(&given, sizeof given);
    leat_config_init(&config, sizeof config);
    given.queued_bytes = 17;
    config.limits = &given;
    ck_assert_int_eq(leat_broker_codec_new(&config, LEAT_FROM_CLIENT, &session), LEAT_OK);
    ck_assert_int_eq(leat_send(session, "probe", NULL), LEAT_OK);
    ck_assert_int_eq(leat_send(session, "probe", NULL), LEAT_E_LIMIT);
    ck_assert_int_eq(leat_send(session, "originator_ack", NULL), LEAT_OK);
    octets = leat_send_data(session, &length);
    same_hex(octets, length, "00000005075a45454b000000010c", "output");
    leat_session_free(session);
}
END_TEST

static void tests(TCase *t)
{
    tcase_add_loop_test(t, streams_of_frames, 0, (int)(sizeof streams / sizeof *streams));
    tcase_add_test(t, raw_is_the_stream);
    tcase_add_loop_test(t, kinds_and_names, 0, (int)(sizeof kinds / sizeof *kinds));
    tcase_add_loop_test(t, errors_have_their_place, 0, (int)(sizeof errors / sizeof *errors));
    tcase_add_loop_test(t, limits_have_two_sides, 0, (int)(sizeof limits / sizeof *limits));
    tcase_add_test(t, every_allocation_may_fail);
    tcase_add_test(t, every_allocation_of_writing_may_fail);
    tcase_add_test(t, nothing_is_allocated_once_warm);
    tcase_add_test(t, lengths_cost_nothing);
    tcase_add_test(t, an_idle_session_is_small);
    tcase_add_test(t, there_are_two_sides);
    tcase_add_test(t, output_has_a_limit);
}

T_MAIN("broker/codec", tests)
