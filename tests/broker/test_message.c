/* Every message both ways: frames that real Broker wrote, and bodies that it judged. */
#include "lines.h"

#include <leat/broker.h>

static leat_session *reader, *writer;

static void setup(void)
{
    ck_assert_int_eq(leat_broker_codec_new(NULL, LEAT_FROM_CLIENT, &reader), LEAT_OK);
    ck_assert_int_eq(leat_broker_codec_new(NULL, LEAT_FROM_SERVER, &writer), LEAT_OK);
}

static void teardown(void)
{
    leat_session_free(reader);
    leat_session_free(writer);
}

static void new_reader(void)
{
    leat_session_free(reader);
    ck_assert_int_eq(leat_broker_codec_new(NULL, LEAT_FROM_CLIENT, &reader), LEAT_OK);
}

static void feed_hex(const char *hex)
{
    struct t_bytes octets = t_hex(hex);

    ck_assert_int_eq(leat_feed(reader, octets.data, octets.length), LEAT_OK);
    t_free(octets);
}

/* Frames and feeds a body. */
static void feed_body(const char *hex)
{
    size_t length = strlen(hex) / 2;
    uint8_t prefix[4] = {0, 0, (uint8_t)(length >> 8), (uint8_t)length};

    ck_assert_int_eq(leat_feed(reader, prefix, 4), LEAT_OK);
    feed_hex(hex);
}

static const leat_event *next_event(const char *what)
{
    const leat_event *event = NULL;
    int status = leat_next(reader, &event);

    ck_assert_msg(status == LEAT_OK, "%s: %s: %s", what, leat_status_name(status),
                  leat_error_text(leat_session_error(reader)));
    return event;
}

/* Sends it; the hex of what comes out, or NULL if it is refused. Yours to free(). */
static char *sent(const char *name, const leat_value *value)
{
    int status = leat_send(writer, name, value);
    const void *octets;
    size_t length;
    char *hex;

    if (status != LEAT_OK) {
        ck_assert_int_eq(status, LEAT_E_VALUE);
        ck_assert_int_eq(leat_error_code(leat_session_send_error(writer)), LEAT_E_VALUE);
        (void)leat_send_data(writer, &length);
        ck_assert_uint_eq(length, 0);
        return NULL;
    }
    octets = leat_send_data(writer, &length);
    hex = t_to_hex(octets, length);
    ck_assert_int_eq(leat_send_done(writer, length), LEAT_OK);
    return hex;
}

static void sends(const char *name, const leat_value *value, const char *hex, const char *what)
{
    char *got = sent(name, value);

    ck_assert_msg(got != NULL, "%s: %s in %s", what,
                  leat_error_text(leat_session_send_error(writer)),
                  leat_error_field(leat_session_send_error(writer)));
    ck_assert_msg(strcmp(got, hex) == 0, "%s:\n got %s\nwant %s", what, got, hex);
    free(got);
}

/* The value of typed JSON, which is a member of a line. */
static leat_builder *typed(const leat_value *json)
{
    char *text = t_json_text(json);
    leat_builder *b;

    ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
    ck_assert_int_eq(leat_broker_json_read(b, NULL, text, strlen(text)), LEAT_OK);
    free(text);
    return b;
}

/* The plain JSON of a value, read again. */
static leat_builder *plain(const leat_value *value)
{
    char *text = t_json_text(value);
    leat_builder *b = t_json(text, strlen(text));

    free(text);
    return b;
}

static void is_entity(const leat_value *value)
{
    ck_assert_uint_eq(leat_value_kind(value), LEAT_LIST);
    ck_assert_uint_eq(leat_value_count(value), 2);
    ck_assert_uint_eq(leat_value_kind(leat_value_at(value, 0)), LEAT_UUID);
    ck_assert_uint_eq(leat_value_kind(leat_value_at(value, 1)), LEAT_UINT);
}

/*
 * A command against the fields of a note, which gives some entities by a word and a table as an
 * object.
 */
static void is_command(const leat_value *value, const leat_value *json, const leat_value *note,
                       const char *what)
{
    const leat_value *field;

    for (field = leat_value_first(note); field != NULL; field = leat_value_next(note, field)) {
        size_t length;
        const char *start = leat_value_name(field, &length);
        char name[32] = "";

        memcpy(name, start, length);
        if (strcmp(name, "publisher") == 0 || strcmp(name, "who") == 0) {
            is_entity(leat_value_get(value, name));
        } else if (strcmp(name, "state") == 0) {
            const leat_value *state = leat_value_get(value, "state");
            const leat_value *entry = leat_value_first(field);

            ck_assert_uint_eq(leat_value_kind(state), LEAT_TABLE);
            ck_assert_uint_eq(leat_value_count(state), leat_value_count(field));
            if (entry != NULL)
                ck_assert(leat_value_equal(leat_value_get(state, "key"), entry));
        } else {
            ck_assert_msg(leat_value_equal(leat_value_get(json, name), field), "%s: %s", what,
                          name);
        }
    }
}

static void is_noted(const leat_value *value, const leat_value *note, const char *what)
{
    leat_builder *json = plain(value);
    const leat_value *field;
    unsigned checked = 0;

    for (field = leat_value_first(note); field != NULL; field = leat_value_next(note, field)) {
        size_t length;
        const char *start = leat_value_name(field, &length);
        char name[32] = "";

        memcpy(name, start, length);
        checked++;
        if (strcmp(name, "data") == 0) {
            leat_builder *data = typed(field);

            ck_assert_msg(leat_value_equal(leat_value_get(value, "data"), leat_builder_value(data)),
                          "%s: data", what);
            leat_builder_free(data);
        } else if (strcmp(name, "command") == 0) {
            is_command(leat_value_get(value, name), leat_value_get(leat_builder_value(json), name),
                       field, what);
        } else {
            if (strcmp(name, "payload_hex") == 0)
                strcpy(name, "payload");
            ck_assert_msg(leat_value_equal(leat_value_get(leat_builder_value(json), name), field),
                          "%s: %s", what, name);
        }
    }
    ck_assert_msg(checked == leat_value_count(value), "%s: fields", what);
    leat_builder_free(json);
}

START_TEST(every_message)
{
    struct lines lines;

    lines_open(&lines, "broker/messages.jsonl");
    while (lines_next(&lines)) {
        char *what = text_of(lines.line, "desc"), *kind = text_of(lines.line, "kind");
        char *frame = text_of(lines.line, "frame_hex");
        const leat_event *event;
        const leat_value *value;
        leat_builder *json;
        const void *raw;
        size_t length;

        new_reader();
        feed_hex(frame);
        event = next_event(what);
        ck_assert_str_eq(leat_event_name(event, &length), kind);
        ck_assert_uint_eq(length, strlen(kind));
        ck_assert_uint_eq(leat_event_offset(event), 0);
        ck_assert_ptr_null(leat_event_error(event));
        raw = leat_event_raw(event, &length);
        same_hex(raw, length, frame, what);
        value = leat_event_value(event);
        is_noted(value, leat_value_get(lines.line, "fields"), what);
        if (strstr(what, "as published locally") != NULL) {
            ck_assert_ptr_null(sent(kind, value)); /* nobody may say that to others */
        } else {
            sends(kind, value, frame, what);
            /*
             * The same from the plain JSON, which has a form of its own for data and for tables
             * only.
             */
            json = plain(value);
            if (strcmp(kind, "data") != 0 && strstr(what, "one entry") == NULL)
                sends(kind, leat_builder_value(json), frame, what);
            leat_builder_free(json);
        }
        free(what);
        free(kind);
        free(frame);
    }
    ck_assert_uint_eq(lines.number, 58);
}
END_TEST

/* Events of Management: one value as frame, as binary data, and as the text of a data message. */
START_TEST(every_management_event)
{
    struct lines lines;
    leat_builder *again;

    ck_assert_int_eq(leat_builder_new(NULL, &again), LEAT_OK);
    lines_open(&lines, "broker/management.jsonl");
    while (lines_next(&lines)) {
        char *what = text_of(lines.line, "event"), *frame = text_of(lines.line, "frame_hex");
        char *data_hex = text_of(lines.line, "data_hex"), *topic = text_of(lines.line, "topic");
        const leat_value *message = leat_value_get(lines.line, "websocket");
        const leat_event *event;
        const leat_value *data;
        leat_builder *from_text;
        leat_buffer *buffer;
        const void *octets;
        char *text;
        size_t length;

        new_reader();
        feed_hex(frame);
        event = next_event(what);
        data = leat_value_get(leat_event_value(event), "data");
        ck_assert(has_text(leat_event_value(event), "topic", topic));
        sends("data", leat_event_value(event), frame, what);

        ck_assert_int_eq(leat_buffer_new(NULL, &buffer), LEAT_OK);
        ck_assert_int_eq(leat_broker_write(buffer, data), LEAT_OK);
        same_buffer(buffer, data_hex, what);
        from_text = typed(message);
        ck_assert_msg(leat_value_equal(leat_builder_value(from_text), data), "%s", what);
        leat_builder_free(from_text);

        /* The event's arguments, name and all, are the third element. */
        from_text = typed(leat_value_get(lines.line, "args"));
        ck_assert(leat_value_equal(leat_value_at(leat_value_at(data, 2), 1),
                                   leat_builder_value(from_text)));
        leat_builder_free(from_text);

        /* And the text of the data message, which is the line's member as it stands there. */
        leat_buffer_clear(buffer);
        ck_assert_int_eq(leat_broker_json_message(buffer, topic, strlen(topic), data), LEAT_OK);
        octets = leat_buffer_data(buffer, &length);
        text = t_json_text(message);
        ck_assert_uint_eq(length, strlen(text));
        ck_assert_int_eq(memcmp(octets, text, length), 0);
        leat_builder_clear(again);
        ck_assert_int_eq(leat_broker_json_message_read(again, NULL, text, length), LEAT_OK);
        ck_assert(has_text(leat_builder_value(again), "topic", topic));
        ck_assert(leat_value_equal(leat_value_get(leat_builder_value(again), "data"), data));
        free(text);
        leat_buffer_free(buffer);
        free(what);
        free(frame);
        free(data_hex);
        free(topic);
    }
    leat_builder_free(again);
    ck_assert_uint_eq(lines.number, 48);
}
END_TEST

enum saying { NOT_READ, READ_NOT_SAID, SAID_CANONICALLY };

static const struct {
    const char *what;
    enum saying saying;
    const char *from, *to; /* hex that is canonical otherwise */
} envelopes[] = {
    /*
     * A filter that is not sound is not applied, rather than half of it. Broker looks at the
     * entries only when it uses them, and dies of some.
     */
    {"routing_update no payload", NOT_READ, "", ""},
    {"routing_update count 2, one entry", NOT_READ, "", ""},
    {"routing_update count 1, two entries (count is ignored when iterating)", NOT_READ, "", ""},
    {"routing_update entry longer than rest", NOT_READ, "", ""},
    {"routing_update trailing 80", NOT_READ, "", ""},
    /* Data is read by one decoder here, as strictly in commands as elsewhere. */
    {"command put port proto 9 in command decoder", NOT_READ, "", ""},
    /* Broker would never say that. */
    {"nil sender accepted", READ_NOT_SAID, "", ""},
    {"command add init_type 15", READ_NOT_SAID, "", ""},
    /* Octets behind a command, an unsorted set, a flag that is not 1. */
    {"command trailing bytes accepted", SAID_CANONICALLY, "01ffff", "01"},
    {"command put unsorted set value", SAID_CANONICALLY, "0c020501610101", "0c020101050161"},
    {"command put expiry flag 2", SAID_CANONICALLY, "000000020000000000000001",
     "000000010000000000000001"},
};

#define ENVELOPES (sizeof envelopes / sizeof *envelopes)

/* The hex of the frame around a body, in which the last place of some hex is replaced. */
static char *framed(const char *body, const char *from, const char *to)
{
    size_t length = strlen(body) - strlen(from) + strlen(to), octets = length / 2;
    const char *place = body + strlen(body), *digits = "0123456789abcdef";
    char *hex = (char *)malloc(8 + length + 1);
    size_t i;

    ck_assert_ptr_nonnull(hex);
    while (strncmp(place, from, strlen(from)) != 0)
        place--;
    for (i = 0; i < 8; i++)
        hex[i] = digits[octets >> (28 - 4 * i) & 15];
    hex[8] = '\0';
    strncat(hex, body, (size_t)(place - body));
    strcat(hex, to);
    return strcat(hex, place + strlen(from));
}

static void judge_envelope(const leat_value *line, const char *what, const char *body,
                           size_t deviation)
{
    enum saying saying = deviation < ENVELOPES ? envelopes[deviation].saying : SAID_CANONICALLY;
    bool accept = has_text(line, "verdict", "accept") && saying != NOT_READ;
    const leat_event *event;
    char *want, *got;

    new_reader();
    feed_hex("000000010c");
    ck_assert_str_eq(leat_event_name(next_event(what), NULL), "originator_ack");
    feed_body(body);
    if (*body == '\0') { /* skipped */
        ck_assert_int_eq(leat_next(reader, &event), LEAT_MORE);
        return;
    }
    event = next_event(what);
    ck_assert_uint_eq(leat_event_offset(event), 5);
    ck_assert_msg((leat_event_error(event) == NULL) == accept, "%s: %s", what,
                  leat_error_text(leat_event_error(event)));
    ck_assert_int_eq(leat_event_value(event) != NULL, accept);
    if (!accept) {
        ck_assert_int_eq(leat_error_code(leat_event_error(event)), LEAT_E_SYNTAX);
        ck_assert_uint_ge(leat_error_offset(leat_event_error(event)), 9);
    } else if (saying == READ_NOT_SAID) {
        ck_assert_ptr_null(sent(leat_event_name(event, NULL), leat_event_value(event)));
    } else {
        want = deviation < ENVELOPES
                   ? framed(body, envelopes[deviation].from, envelopes[deviation].to)
                   : framed(body, "", "");
        got = sent(leat_event_name(event, NULL), leat_event_value(event));
        ck_assert_ptr_nonnull(got);
        ck_assert_msg(strcmp(got, want) == 0, "%s:\n got %s\nwant %s", what, got, want);
        free(want);
        free(got);
    }
    /* The conversation goes on. */
    feed_body("111111111111511191111111111111110000000000000000000000000000000001001000016100");
    ck_assert_ptr_null(leat_event_error(next_event(what)));
}

START_TEST(every_envelope_as_broker)
{
    struct lines lines;
    unsigned seen = 0, count = 0;

    lines_open(&lines, "broker/invalid.jsonl");
    while (lines_next(&lines)) {
        char *what = text_of(lines.line, "desc"), *body = text_of(lines.line, "hex");
        size_t i = 0;

        if (has_text(lines.line, "kind", "envelope")) {
            count++;
            while (i < ENVELOPES && strcmp(envelopes[i].what, what) != 0)
                i++;
            seen += i < ENVELOPES;
            judge_envelope(lines.line, what, body, i);
        }
        free(what);
        free(body);
    }
    ck_assert_uint_eq(seen, ENVELOPES);
    ck_assert_uint_eq(count, 34);
}
END_TEST

/*
 * What Broker judges, and we tell: whether versions suit or a code has a name is not for a codec to
 * say.
 */
static const char *const judged[] = {
    "hello versions 2..3", "hello versions 0..0",         "hello versions 1..0",
    "version_select 2",    "drop_conn code 41 (no name)", "drop_conn code 200",
};

#define JUDGED (sizeof judged / sizeof *judged)

START_TEST(every_handshake_as_broker)
{
    struct lines lines;
    unsigned seen = 0, count = 0;

    lines_open(&lines, "broker/invalid.jsonl");
    while (lines_next(&lines)) {
        char *what = text_of(lines.line, "desc"), *body = text_of(lines.line, "hex");
        bool accept = has_text(lines.line, "verdict", "accept");
        uint64_t code = leat_value_u64(leat_value_get(lines.line, "code"));
        const leat_event *event;
        size_t i = 0;

        if (has_text(lines.line, "kind", "handshake")) {
            count++;
            while (i < JUDGED && strcmp(judged[i], what) != 0)
                i++;
            seen += i < JUDGED;
            new_reader();
            feed_body(body);
            if (accept || i < JUDGED) {
                ck_assert_ptr_nonnull(leat_event_value(next_event(what)));
            } else {
                int status = leat_next(reader, &event);

                ck_assert_msg(status == LEAT_E_PROTOCOL || status == LEAT_E_SYNTAX, "%s: %s", what,
                              leat_status_name(status));
                if (code == 38) /* wrong_magic_number */
                    ck_assert_str_eq(leat_error_field(leat_session_error(reader)), "magic");
            }
        }
        free(what);
        free(body);
    }
    ck_assert_uint_eq(seen, JUDGED);
    ck_assert_uint_eq(count, 34);
}
END_TEST

#define SENDER "\"sender\":\"11111111-1111-5111-9111-111111111111\""
#define ID     "11111111111151119111111111111111"
#define NIL    "00000000000000000000000000000000"

/* What is missing has its value. */
static const struct {
    const char *name;
    const char *json;
    const char *hex;
} short_forms[] = {
    {"hello", "{" SENDER "}", "00000017065a45454b" ID "0101"},
    {"probe", "{}", "00000005075a45454b"},
    {"version_select", "{" SENDER "}", "00000016085a45454b" ID "01"},
    {"drop_conn", "{" SENDER "}", "00000017095a45454b" ID "0000"},
    {"originator_syn", "{}", "000000020a00"},
    {"originator_ack", "{}", "000000010c"},
    {"data", "{" SENDER "}", "00000026" ID NIL "010010000000"},
    {"data", "{" SENDER ",\"topic\":\"a\",\"data\":[1,-1,\"x\",null,true,0.5]}",
     "00000049" ID NIL
     "0100100001610e0602000000000000000103ffffffffffffffff050178000101043fe0000000000000"},
    {"data", "{" SENDER ",\"topic\":{\"hex\":\"ff00\"}}", "00000028" ID NIL "0100100002ff0000"},
    {"routing_update", "{" SENDER "}", "00000029" ID NIL "03001000033c243e00"},
    {"routing_update", "{" SENDER ",\"filter\":[\"a\",{\"hex\":\"fe\"}]}",
     "0000002d" ID NIL "03001000033c243e02016101fe"},
    {"ping", "{" SENDER "}", "00000028" ID NIL "04001000033c243e"},
    {"pong", "{" SENDER ",\"topic\":\"\",\"ttl\":0,\"payload\":\"00ff\"}",
     "00000027" ID NIL "05000000"
     "0000ff"},
    {"command", "{" SENDER ",\"command\":{\"name\":\"clear\"}}",
     "00000076" ID NIL "0200100000"
     "0000000000000000" NIL "0000000000000000" NIL "0000000000000000"
     "07" NIL "0000000000000000"},
    {"command", "{" SENDER ",\"command\":{\"tag\":12,\"offset\":1}}",
     "00000069" ID NIL "0200100000"
     "0000000000000000" NIL "0000000000000000" NIL "0000000000000000"
     "0c"
     "0000000000000001"
     "0000"
     "00"},
    {"command", "{" SENDER ",\"command\":{\"tag\":0,\"name\":\"put\"}}",
     "00000079" ID NIL "0200100000"
     "0000000000000000" NIL "0000000000000000" NIL "0000000000000000"
     "00"
     "00"
     "00"
     "00" NIL "0000000000000000"},
};

START_TEST(missing_fields)
{
    leat_builder *b = t_json(short_forms[_i].json, strlen(short_forms[_i].json));

    sends(short_forms[_i].name, leat_builder_value(b), short_forms[_i].hex, short_forms[_i].json);
    leat_builder_free(b);
}
END_TEST

/* What is refused: the field, and where it would have stood. */
static const struct {
    const char *name;
    const char *json;
    const char *field;
    uint64_t at;
} refusals[] = {
    {"hello", "{}", "sender", 9},
    {"hello", "{\"sender\":\"00000000-0000-0000-0000-000000000000\"}", "sender", 9},
    {"hello", "{\"sender\":\"x\"}", "sender", 9},
    {"hello", "{\"sender\":1}", "sender", 9},
    {"hello", "{\"magic\":\"ZEEL\"," SENDER "}", "magic", 5},
    {"hello", "{" SENDER ",\"min\":256}", "min", 25},
    {"hello", "{" SENDER ",\"min\":-1}", "min", 25},
    {"hello", "{" SENDER ",\"max\":\"1\"}", "max", 26},
    {"hello", "{" SENDER ",\"version\":1}", "", 27},
    {"hello", "{" SENDER "," SENDER "}", "", 27},
    {"hello", "[]", "", 4},
    {"probe", "{\"sender\":null}", "", 9},
    {"drop_conn", "{" SENDER ",\"description\":1}", "description", 26},
    {"drop_conn", "{" SENDER ",\"description\":{\"hex\":\"zz\"}}", "description", 27},
    {"drop_conn", "{" SENDER ",\"description\":{\"hex\":\"0\"}}", "description", 26},
    {"originator_syn", "{\"filter\":{}}", "filter", 5},
    {"originator_syn", "{\"filter\":[\"a\",1]}", "filter", 8},
    {"originator_ack", "{\"magic\":\"ZEEK\"}", "", 5},
    {"data", "{\"topic\":\"a\"}", "sender", 4},
    {"data", "{" SENDER ",\"type\":\"ping\"}", "type", 36},
    {"data", "{" SENDER ",\"ttl\":65536}", "ttl", 37},
    {"data", "{" SENDER ",\"topic\":\"<$>/local/data/statuses\"}", "topic", 64},
    {"data", "{" SENDER ",\"topic\":7}", "topic", 39},
    {"data", "{" SENDER ",\"data\":[{}]}", "", 43},
    {"command", "{" SENDER ",\"topic\":\"<$>/local/\",\"command\":{\"name\":\"clear\"}}", "topic",
     51},
    {"command", "{" SENDER "}", "command", 41},
    {"command", "{" SENDER ",\"command\":[]}", "command", 41},
    {"command", "{" SENDER ",\"command\":{}}", "name", 97},
    {"command", "{" SENDER ",\"command\":{\"name\":\"drop\"}}", "name", 97},
    {"command", "{" SENDER ",\"command\":{\"tag\":14}}", "name", 97},
    {"command", "{" SENDER ",\"command\":{\"tag\":1,\"name\":\"put\"}}", "name", 97},
    {"command", "{" SENDER ",\"command\":{\"name\":\"clear\",\"key\":1}}", "command", 122},
    {"command", "{" SENDER ",\"command\":{\"name\":\"clear\",\"sender\":[]}}", "sender", 49},
    {"command", "{" SENDER ",\"command\":{\"name\":\"clear\",\"sender\":[null,-1]}}", "sender", 49},
    {"command", "{" SENDER ",\"command\":{\"name\":\"clear\",\"sender\":[[],[]]}}", "sender", 49},
    {"command", "{" SENDER ",\"command\":{\"name\":\"erase\",\"key\":{}}}", "", 98},
    {"command", "{" SENDER ",\"command\":{\"name\":\"add\",\"init_type\":15}}", "init_type", 100},
    {"command", "{" SENDER ",\"command\":{\"name\":\"put\",\"expiry_ns\":9223372036854775808}}",
     "expiry_ns", 100},
    {"command", "{" SENDER ",\"command\":{\"name\":\"put\",\"expiry_ns\":\"1s\"}}", "expiry_ns",
     100},
    {"command", "{" SENDER ",\"command\":{\"name\":\"put_unique_result\",\"inserted\":1}}",
     "inserted", 98},
    {"command", "{" SENDER ",\"command\":{\"name\":\"nack\",\"seqs\":[5,5]}}", "seqs", 107},
    {"command", "{" SENDER ",\"command\":{\"name\":\"nack\",\"seqs\":[2,1]}}", "seqs", 107},
    {"command", "{" SENDER ",\"command\":{\"name\":\"nack\",\"seqs\":[null]}}", "seqs", 99},
    {"command", "{" SENDER ",\"command\":{\"name\":\"nack\",\"seqs\":1}}", "seqs", 98},
    {"command", "{" SENDER ",\"command\":{\"name\":\"ack_clone\",\"state\":{}}}", "state", 108},
    {"command", "{" SENDER ",\"command\":{\"name\":\"ack_clone\",\"state\":[1]}}", "state", 108},
    {"ping", "{" SENDER ",\"payload\":\"0\"}", "payload", 44},
    {"ping", "{" SENDER ",\"payload\":\"xx\"}", "payload", 44},
    {"ping", "{" SENDER ",\"payload\":1}", "payload", 44},
};

START_TEST(what_harms_is_refused)
{
    leat_builder *b = t_json(refusals[_i].json, strlen(refusals[_i].json));
    char *hex = sent(refusals[_i].name, leat_builder_value(b));
    const leat_error *error = leat_session_send_error(writer);

    ck_assert_msg(hex == NULL, "%s %s: %s", refusals[_i].name, refusals[_i].json, hex);
    ck_assert_msg(strcmp(leat_error_field(error), refusals[_i].field) == 0, "%s %s: %s in %s",
                  refusals[_i].name, refusals[_i].json, leat_error_text(error),
                  leat_error_field(error));
    ck_assert_msg(leat_error_offset(error) == refusals[_i].at, "%s %s: %s at %u", refusals[_i].name,
                  refusals[_i].json, leat_error_text(error), (unsigned)leat_error_offset(error));
    leat_builder_free(b);
}
END_TEST

START_TEST(topics_have_two_sides)
{
    static char topic[65536];
    leat_builder *b;
    size_t length;

    memset(topic, 't', sizeof topic);
    ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
    for (length = 65535; length <= 65536; length++) {
        char *hex;

        leat_builder_clear(b);
        leat_builder_open(b, NULL, LEAT_RECORD);
        leat_builder_text(b, "sender", "11111111-1111-5111-9111-111111111111", 36);
        leat_builder_text(b, "topic", topic, length);
        leat_builder_close(b);
        hex = sent("data", leat_builder_value(b));
        ck_assert_int_eq(hex != NULL, length == 65535);
        if (hex != NULL) {
            feed_hex(hex);
            ck_assert_ptr_nonnull(leat_event_value(next_event("a long topic")));
        }
        free(hex);
    }
    leat_builder_free(b);
}
END_TEST

START_TEST(unknown_names_change_nothing)
{
    size_t length;

    ck_assert_int_eq(leat_send(writer, "helo", NULL), LEAT_E_STATE);
    ck_assert_int_eq(leat_send(writer, "unknown", NULL), LEAT_E_STATE);
    ck_assert_ptr_null(leat_send_data(writer, &length));
    ck_assert_int_eq(leat_send(writer, "probe", NULL), LEAT_OK);
    ck_assert_ptr_null(leat_session_send_error(writer));
}
END_TEST

static void tests(TCase *t)
{
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, every_message);
    tcase_add_test(t, every_management_event);
    tcase_add_test(t, every_envelope_as_broker);
    tcase_add_test(t, every_handshake_as_broker);
    tcase_add_loop_test(t, missing_fields, 0, (int)(sizeof short_forms / sizeof *short_forms));
    tcase_add_loop_test(t, what_harms_is_refused, 0, (int)(sizeof refusals / sizeof *refusals));
    tcase_add_test(t, topics_have_two_sides);
    tcase_add_test(t, unknown_names_change_nothing);
}

T_MAIN("broker/message", tests)
