/*
 * Every message that Zeek's processes were recorded to send each other: it is read, says what the
 * listing of the recording says, and is written again as it was, whichever way it is built. So are
 * the records of logs.
 */
#include "lines.h"

#include <leat/broker.h>
#include <leat/broker_websocket.h>
#include <leat/zeek.h>
#include <stdio.h>

struct create {
    char key[256];
    leat_builder *fields;
};

struct listing;

/* What was seen so far. */
struct walk {
    const char *path;
    bool websocket;
    unsigned kinds[LEAT_ZEEK_BATCH + 1]; /* messages by kind, those in batches included */
    unsigned not_messages, records, rich;
    struct create creates[32];
    size_t known;
    struct listing *listing;
};

static leat_zeek_message fresh(void)
{
    leat_zeek_message message;

    leat_zeek_message_init(&message, sizeof message);
    return message;
}

static void same_octets(const leat_buffer *a, const leat_buffer *b, const char *what)
{
    size_t length;
    const void *octets = leat_buffer_data(b, &length);
    char *hex = t_to_hex(octets, length);

    same_buffer(a, hex, what);
    free(hex);
}

/* That a builder holds just this value. */
static void same_value(const leat_builder *builder, const leat_value *value, const char *what)
{
    leat_buffer *a, *b;

    ck_assert_msg(leat_builder_error(builder) == NULL, "%s: %s (%s)", what,
                  leat_error_text(leat_builder_error(builder)),
                  leat_error_field(leat_builder_error(builder)));
    ck_assert_int_eq(leat_buffer_new(NULL, &a), LEAT_OK);
    ck_assert_int_eq(leat_buffer_new(NULL, &b), LEAT_OK);
    ck_assert_int_eq(leat_broker_write(a, leat_builder_value(builder)), LEAT_OK);
    ck_assert_int_eq(leat_broker_write(b, value), LEAT_OK);
    same_octets(a, b, what);
    leat_buffer_free(a);
    leat_buffer_free(b);
}

static void build_event(leat_builder *b, const leat_zeek_message *m)
{
    const leat_value *at;

    ck_assert_int_eq(leat_zeek_event_open(b, NULL, m->name, m->name_length), LEAT_OK);
    for (at = leat_value_first(m->args); at != NULL; at = leat_value_next(m->args, at))
        ck_assert_int_eq(leat_builder_copy(b, NULL, at), LEAT_OK);
    if (m->metadata != NULL)
        ck_assert_int_eq(leat_zeek_event_metadata(b), LEAT_OK);
    for (at = leat_value_first(m->metadata); at != NULL; at = leat_value_next(m->metadata, at)) {
        if (leat_value_u64(leat_value_first(at)) == 1)
            ck_assert_int_eq(leat_zeek_event_timestamp(b, m->timestamp_ns), LEAT_OK);
        else
            ck_assert_int_eq(leat_builder_copy(b, NULL, at), LEAT_OK);
    }
    ck_assert_int_eq(leat_zeek_event_close(b), LEAT_OK);
}

static void build_batch(leat_builder *b, const leat_zeek_message *batch)
{
    leat_zeek_message member = fresh();
    int status;

    ck_assert_int_eq(leat_zeek_batch_open(b, NULL), LEAT_OK);
    while ((status = leat_zeek_batch_next(batch, &member)) == LEAT_OK) {
        if (member.kind == LEAT_ZEEK_EVENT)
            build_event(b, &member);
        else
            ck_assert_int_eq(leat_zeek_write(b, NULL, &member), LEAT_OK);
    }
    ck_assert_int_eq(status, LEAT_END);
    ck_assert_int_eq(leat_zeek_batch_close(b), LEAT_OK);
}

static void rebuild(const leat_zeek_message *m, const char *path)
{
    leat_builder *b;

    ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
    (void)leat_zeek_write(b, NULL, m);
    same_value(b, m->data, path);
    leat_builder_clear(b);
    if (m->kind == LEAT_ZEEK_EVENT)
        build_event(b, m);
    else if (m->kind == LEAT_ZEEK_BATCH)
        build_batch(b, m);
    else
        (void)leat_zeek_write(b, NULL, m);
    same_value(b, m->data, path);
    leat_builder_free(b);
}

/* ----- texts ----- */

/* In the place of what a listing leaves out at the end of a line; it is as whatever should be there. */
#define CUT '\1'

static bool skip_some(const char **text, const char *word, size_t length)
{
    const char *at = *text;

    for (; length > 0 && *at != CUT; at++, word++, length--) {
        if (*at != *word)
            return false;
    }
    *text = at;
    return true;
}

static bool skip(const char **text, const char *word)
{
    return skip_some(text, word, strlen(word));
}

/* ----- logs ----- */

static void key_of(char key[256], const leat_zeek_message *m, const char *path, size_t length)
{
    snprintf(key, 256, "%.*s %.*s %.*s", (int)m->stream_length, m->stream, (int)m->writer_length,
             m->writer, (int)length, path);
}

/* Remembers the fields of a log, and builds its info and its fields from what they say. */
static void log_create(struct walk *walk, const leat_zeek_message *m)
{
    struct create *create = walk->creates;
    leat_zeek_log_info info;
    leat_zeek_log_field field;
    const leat_value *at;
    leat_builder *b;
    char key[256];

    leat_zeek_log_info_init(&info, sizeof info);
    leat_zeek_log_field_init(&field, sizeof field);
    ck_assert_int_eq(leat_zeek_log_info_read(m->info, &info), LEAT_OK);
    key_of(key, m, info.path, info.path_length);
    while (create < walk->creates + walk->known && strcmp(create->key, key) != 0)
        create++;
    if (create == walk->creates + walk->known) {
        ck_assert_uint_lt(walk->known++, 32);
        strcpy(create->key, key);
        ck_assert_int_eq(leat_builder_new(NULL, &create->fields), LEAT_OK);
    }
    leat_builder_clear(create->fields);
    ck_assert_int_eq(leat_builder_open(create->fields, NULL, LEAT_LIST), LEAT_OK);
    for (at = leat_value_first(m->fields); at != NULL; at = leat_value_next(m->fields, at)) {
        ck_assert_int_eq(leat_zeek_log_field_read(at, &field), LEAT_OK);
        ck_assert_int_eq(leat_zeek_log_field_write(create->fields, &field), LEAT_OK);
    }
    ck_assert_int_eq(leat_builder_close(create->fields), LEAT_OK);
    same_value(create->fields, m->fields, walk->path);
    ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
    ck_assert_int_eq(leat_zeek_log_info_write(b, NULL, &info), LEAT_OK);
    same_value(b, m->info, walk->path);
    leat_builder_free(b);
}

/*
 * What logs.zeek writes when it writes all that it has: the only record of such a length. Sets have no
 * order.
 */
static const char *const rich[] = {
    "{\"ts\":\"2023-11-14T22:13:20.500Z\",\"b\":true,\"i\":-3,\"c\":4,\"d\":2.5,\"s\":\"text\","
    "\"iv\":\"90s\",\"p\":\"53/udp\",\"a4\":\"192.0.2.1\",\"a6\":\"2001:db8::1\","
    "\"sn\":\"10.0.0.0/8\",\"sn6\":\"2001:db8::/32\",\"e\":\"ZT::GREEN\",\"ss\":[",
    "\"x\",\"y\"",
    "\"y\",\"x\"",
    "],\"vc\":[3,2],\"es\":[],\"o\":\"optional\",\"sub.x\":1,\"sub.y\":null,\"f\":null}",
};

/* The record is read by the fields of its log, and written as it was, by name and by place. */
static void log_write(struct walk *walk, const leat_zeek_message *m)
{
    const leat_value *fields = NULL, *at;
    leat_builder *b, *list;
    leat_buffer *again;
    char key[256], *hex = t_to_hex(m->record, m->record_length);
    size_t i;

    key_of(key, m, m->path, m->path_length);
    for (i = 0; i < walk->known; i++) {
        if (strcmp(walk->creates[i].key, key) == 0)
            fields = leat_builder_value(walk->creates[i].fields);
    }
    if (fields == NULL) { /* which only a hand-made client sends */
        ck_assert_msg(walk->websocket, "%s: no log create for %s", walk->path, key);
        free(hex);
        return;
    }
    ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
    ck_assert_int_eq(leat_builder_new(NULL, &list), LEAT_OK);
    ck_assert_int_eq(leat_buffer_new(NULL, &again), LEAT_OK);
    ck_assert_int_eq(leat_zeek_record_read(b, NULL, fields, m->record, m->record_length), LEAT_OK);
    ck_assert_int_eq(leat_zeek_record_write(again, fields, leat_builder_value(b)), LEAT_OK);
    same_buffer(again, hex, key);
    if (m->record_length == 417) {
        char *json = t_json_text(leat_builder_value(b));
        const char *text = json;

        ck_assert_msg(skip(&text, rich[0]) && (skip(&text, rich[1]) || skip(&text, rich[2])) &&
                          strcmp(text, rich[3]) == 0,
                      "%s", json);
        free(json);
        walk->rich++;
    }

    /* Without the fields it is a list, which is all the same. */
    ck_assert_int_eq(leat_zeek_record_read(list, NULL, NULL, m->record, m->record_length), LEAT_OK);
    leat_buffer_clear(again);
    ck_assert_int_eq(leat_zeek_record_write(again, fields, leat_builder_value(list)), LEAT_OK);
    same_buffer(again, hex, key);

    /* A field that is not set need not be there. */
    leat_builder_clear(list);
    ck_assert_int_eq(leat_builder_open(list, NULL, LEAT_RECORD), LEAT_OK);
    for (at = leat_value_first(leat_builder_value(b)); at != NULL;
         at = leat_value_next(leat_builder_value(b), at)) {
        if (leat_value_kind(at) != LEAT_NULL)
            ck_assert_int_eq(leat_builder_copy(list, NULL, at), LEAT_OK);
    }
    ck_assert_int_eq(leat_builder_close(list), LEAT_OK);
    leat_buffer_clear(again);
    ck_assert_int_eq(leat_zeek_record_write(again, fields, leat_builder_value(list)), LEAT_OK);
    same_buffer(again, hex, key);
    leat_buffer_free(again);
    leat_builder_free(list);
    leat_builder_free(b);
    free(hex);
    walk->records++;
}

static void look(struct walk *walk, const leat_zeek_message *m)
{
    leat_zeek_message member = fresh();

    walk->kinds[m->kind]++;
    if (m->kind == LEAT_ZEEK_LOG_CREATE)
        log_create(walk, m);
    if (m->kind == LEAT_ZEEK_LOG_WRITE)
        log_write(walk, m);
    while (leat_zeek_batch_next(m, &member) == LEAT_OK)
        look(walk, &member);
}

/* ----- listings ----- */

/* The lines of a listing that tell of messages of one direction. */
struct listing {
    struct t_bytes file;
    const char *at;
    const char *arrow; /* " a>b " */
    unsigned lines;
};

/* The text behind the next line's topic, or NULL; yours to free(). */
static char *next_line(struct listing *listing)
{
    while (*listing->at != '\0') {
        const char *line = listing->at, *end = strchr(line, '\n'), *arrow;
        char *copy, *cut;

        listing->at = end == NULL ? line + strlen(line) : end + 1;
        if (strncmp(line, "## Printed", 10) == 0)
            return NULL;
        arrow = strstr(line, listing->arrow);
        if (arrow == NULL || arrow >= listing->at || strncmp(arrow + 6, "->", 2) != 0)
            continue;
        arrow = strchr(arrow + 5, ' ') + 1;
        if (strncmp(arrow, "ping ", 5) == 0 || strncmp(arrow, "pong ", 5) == 0)
            continue;
        listing->lines++;
        arrow = strchr(arrow, ' ') + 1;
        copy = (char *)t_copy(arrow, strcspn(arrow, "\n")).data;
        cut = strstr(copy, " ... (");
        if (cut != NULL)
            *cut = CUT;
        return copy;
    }
    return NULL;
}

static bool matches(const char **text, const leat_value *value);

/* A string is JSON; what is not UTF-8 cannot be told from it. */
static bool matches_text(const char **text, const leat_value *value)
{
    const char *end = *text + 1;
    leat_builder *b;
    bool same;

    if (**text != '"')
        return **text == CUT;
    while (*end != '"')
        end += *end == '\\' ? 2 : 1;
    end++;
    b = t_json(*text, (size_t)(end - *text));
    same = !leat_value_is_utf8(value) || leat_value_equal(value, leat_builder_value(b));
    leat_builder_free(b);
    *text = end;
    return same;
}

static bool matches_real(const char **text, double real)
{
    char *end;
    double told;

    if (!skip(text, "real:"))
        return false;
    if (skip(text, "'inf'"))
        return real > 1.7976931348623157e308;
    if (skip(text, "'-inf'"))
        return real < -1.7976931348623157e308;
    if (skip(text, "'nan'"))
        return real != real;
    told = strtod(*text, &end);
    *text = end;
    return memcmp(&told, &real, sizeof told) == 0;
}

static bool matches_children(const char **text, const leat_value *value, const char *brackets)
{
    const leat_value *child = leat_value_first(value);
    char open[2] = {brackets[0], '\0'}, close[2] = {brackets[1], '\0'};

    if (!skip(text, open))
        return false;
    for (; child != NULL; child = leat_value_next(value, child)) {
        if (child != leat_value_first(value) && !skip(text, ", "))
            return false;
        if (!matches(text, child))
            return false;
        if (leat_value_kind(value) == LEAT_TABLE) {
            child = leat_value_next(value, child);
            if (!skip(text, ": ") || !matches(text, child))
                return false;
        }
    }
    return skip(text, close);
}

/* Whether the listing goes on with that value. */
static bool matches(const char **text, const leat_value *value)
{
    char word[64];
    char *json;
    bool same;

    switch (leat_value_kind(value)) {
    case LEAT_NULL:
        return skip(text, "none");
    case LEAT_BOOL:
        return skip(text, leat_value_bool(value) ? "T" : "F");
    case LEAT_INT:
        snprintf(word, sizeof word, "%+lld", (long long)leat_value_i64(value));
        return skip(text, word);
    case LEAT_UINT:
        snprintf(word, sizeof word, "%llu", (unsigned long long)leat_value_u64(value));
        return skip(text, word);
    case LEAT_TIMESTAMP:
    case LEAT_TIMESPAN:
        snprintf(word, sizeof word, "%s:%lldns",
                 leat_value_kind(value) == LEAT_TIMESTAMP ? "time" : "span",
                 (long long)leat_value_i64(value));
        return skip(text, word);
    case LEAT_REAL:
        return matches_real(text, leat_value_f64(value));
    case LEAT_TEXT:
        return matches_text(text, value);
    case LEAT_LIST:
        return matches_children(text, value, "[]");
    case LEAT_SET:
    case LEAT_TABLE:
        return matches_children(text, value, "{}");
    case LEAT_PORT:
        snprintf(word, sizeof word, "%u%s", (unsigned)leat_value_port(value),
                 leat_value_port_protocol(value) == LEAT_PROTOCOL_UNKNOWN ? "/?" : "/");
        if (leat_value_port_protocol(value) == LEAT_PROTOCOL_UNKNOWN)
            return skip(text, word);
        return skip(text, word) &&
               skip(text, leat_value_port_protocol(value) == LEAT_PROTOCOL_TCP   ? "tcp"
                          : leat_value_port_protocol(value) == LEAT_PROTOCOL_UDP ? "udp"
                                                                                 : "icmp");
    case LEAT_ENUM:
    case LEAT_ADDRESS:
    case LEAT_SUBNET:
        json = t_json_text(value);
        json[strlen(json) - 1] = '\0';
        same = leat_value_kind(value) != LEAT_ENUM || skip(text, "<");
        same = same && skip(text, json + 1);
        same = same && (leat_value_kind(value) != LEAT_ENUM || skip(text, ">"));
        free(json);
        return same;
    default:
        return false;
    }
}

static bool listed_log(const char **text, const leat_zeek_message *m)
{
    bool create = m->kind == LEAT_ZEEK_LOG_CREATE;
    char size[32];

    if (!skip(text, create ? "log-create " : "log-write ") ||
        !skip_some(text, m->stream, m->stream_length) || !skip(text, " writer=") ||
        !skip_some(text, m->writer, m->writer_length))
        return false;
    if (create)
        return skip(text, " info=") && matches(text, m->info) && skip(text, " fields=") &&
               matches(text, m->fields);
    snprintf(size, sizeof size, "\" record(%u bytes)", (unsigned)m->record_length);
    return skip(text, " path=\"") && skip_some(text, m->path, m->path_length) && skip(text, size);
}

static bool listed_event(const char **text, const leat_zeek_message *m)
{
    if (!skip(text, "event ") || !skip_some(text, m->name, m->name_length))
        return false;
    /* The arguments, in other brackets. */
    if (leat_value_count(m->args) == 0) {
        if (!skip(text, "()"))
            return false;
    } else {
        const leat_value *arg = leat_value_first(m->args);

        for (; arg != NULL; arg = leat_value_next(m->args, arg)) {
            if (!skip(text, arg == leat_value_first(m->args) ? "(" : ", ") || !matches(text, arg))
                return false;
        }
        if (!skip(text, ")"))
            return false;
    }
    if (m->metadata == NULL)
        return skip(text, " meta:absent");
    if (leat_value_count(m->metadata) == 0)
        return skip(text, " meta:empty");
    return skip(text, " meta:") && matches(text, m->metadata);
}

static bool listed(const char **text, const leat_zeek_message *m)
{
    leat_zeek_message member = fresh();
    char word[32];
    const char *separator = "";

    switch (m->kind) {
    case LEAT_ZEEK_EVENT:
        return listed_event(text, m);
    case LEAT_ZEEK_IDENTIFIER_UPDATE:
        return skip(text, "id-update ") && skip_some(text, m->name, m->name_length) &&
               skip(text, " = ") && matches(text, m->value);
    case LEAT_ZEEK_BATCH:
        snprintf(word, sizeof word, "batch of %u: ", (unsigned)leat_value_count(m->messages));
        if (!skip(text, word))
            return false;
        while (leat_zeek_batch_next(m, &member) == LEAT_OK) {
            if (!skip(text, separator) || !listed(text, &member))
                return false;
            separator = "; ";
        }
        return true;
    default:
        return listed_log(text, m);
    }
}

/* ----- recordings ----- */

static void take(struct walk *walk, const leat_value *data)
{
    leat_zeek_message message = fresh();
    int status = leat_zeek_read(data, &message);

    if (status != LEAT_OK) {
        ck_assert_int_eq(status, LEAT_E_SYNTAX);
        ck_assert(message.what != NULL && message.field != NULL && message.kind == 0);
        walk->not_messages++;
        return;
    }
    ck_assert_ptr_eq(message.data, data);
    rebuild(&message, walk->path);
    look(walk, &message);
    if (walk->listing != NULL) {
        char *line = next_line(walk->listing);
        const char *text = line;

        ck_assert_msg(line != NULL, "%s: not listed", walk->path);
        ck_assert_msg(listed(&text, &message) && (*text == '\0' || *text == CUT), "%s: %s",
                      walk->path, line);
        free(line);
    }
}

/* One direction of one connection: frames that are messages of Broker, or of a WebSocket. */
static void direction(struct walk *walk, const char *dir, uint64_t conn)
{
    struct t_bytes octets = t_capture(walk->path, dir, conn);
    uint32_t from = strcmp(dir, "a>b") == 0 ? LEAT_FROM_CLIENT : LEAT_FROM_SERVER;
    const leat_event *event;
    leat_session *session;
    int status;

    ck_assert_int_eq(walk->websocket ? leat_broker_websocket_codec_new(NULL, from, &session)
                                     : leat_broker_codec_new(NULL, from, &session),
                     LEAT_OK);
    ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
    ck_assert_int_eq(leat_recv_eof(session), LEAT_OK);
    while ((status = leat_next(session, &event)) == LEAT_OK) {
        const leat_value *value = leat_event_value(event), *data;

        if (walk->websocket)
            value = leat_value_get(value, "message");
        data = leat_value_get(value, "data");
        if (data != NULL)
            take(walk, data);
    }
    ck_assert(status == LEAT_END || walk->websocket); /* some of which are broken on purpose */
    leat_session_free(session);
    t_free(octets);
}

static void forget(struct walk *walk)
{
    while (walk->known > 0)
        leat_builder_free(walk->creates[--walk->known].fields);
}

START_TEST(every_recording)
{
    static const struct {
        const char *folder;
        unsigned kinds[LEAT_ZEEK_BATCH + 1];
        unsigned not_messages; /* from endpoints that are no Zeek, and hand-made ones */
        unsigned rich;
    } counts[] = {
        {"broker/captures", {0, 4}, 28, 0},
        {"zeek/events", {0, 1712, 36, 1048, 8, 33}, 0, 2},
        {"zeek/management", {0, 897, 195, 199, 0, 39}, 0, 0},
        {"zeek/websocket", {0, 9}, 0, 0},
        {"websocket/broker", {0, 1}, 36, 0},
        {"websocket/management", {0, 186}, 0, 0},
        {"websocket/zeek", {0, 442, 1, 3, 2, 3}, 13, 0},
    };
    char **names = t_names(counts[_i].folder, ".jsonl"), **name;
    struct walk walk = {.websocket = strncmp(counts[_i].folder, "websocket", 9) == 0};
    unsigned kind;
    uint64_t conn, last;

    for (name = names; *name != NULL; name++) {
        char path[256];

        snprintf(path, sizeof path, "%s/%s", counts[_i].folder, *name);
        walk.path = path;
        last = lines_connections(path);
        for (conn = 1; conn <= last; conn++) {
            direction(&walk, "a>b", conn);
            direction(&walk, "b>a", conn);
        }
        forget(&walk);
    }
    t_names_free(names);
    for (kind = 1; kind <= LEAT_ZEEK_BATCH; kind++)
        ck_assert_msg(walk.kinds[kind] == counts[_i].kinds[kind], "%u of kind %u", walk.kinds[kind],
                      kind);
    ck_assert_uint_eq(walk.not_messages, counts[_i].not_messages);
    ck_assert(walk.websocket || walk.records == walk.kinds[LEAT_ZEEK_LOG_WRITE]);
    ck_assert_uint_eq(walk.rich, counts[_i].rich);
}
END_TEST

static const struct {
    const char *name;
    unsigned lines; /* messages of both directions */
} listings[] = {
    {"types", 156},
    {"logs", 10},
    {"publish", 6},
    {"identifiers", 8},
    {"metadata", 6},
    {"metadata-sender-only", 6},
    {"metadata-added-by-receiver", 6},
};

/* What the messages say is what the listings of the recordings say. */
START_TEST(every_listing)
{
    static const char *const arrows[] = {" a>b ", " b>a "};
    char path[256], text[256];
    unsigned lines = 0, i;

    snprintf(path, sizeof path, "zeek/events/%s.jsonl", listings[_i].name);
    snprintf(text, sizeof text, "zeek/events/%s.txt", listings[_i].name);
    for (i = 0; i < 2; i++) {
        struct listing listing = {t_file(text), NULL, arrows[i], 0};
        struct walk walk = {.path = path, .listing = &listing};

        listing.at = (const char *)listing.file.data;
        direction(&walk, i == 0 ? "a>b" : "b>a", 0);
        ck_assert_ptr_null(next_line(&listing));
        lines += listing.lines;
        forget(&walk);
        t_free(listing.file);
    }
    ck_assert_uint_eq(lines, listings[_i].lines);
}
END_TEST

/* A Zeek was sent all sorts of messages, and called these six invalid. */
START_TEST(verdicts_of_zeek)
{
    struct walk walk = {.path = "websocket/zeek/broker-messages.jsonl", .websocket = true};

    direction(&walk, "a>b", 0);
    ck_assert_uint_eq(walk.not_messages, 6);
    ck_assert_uint_eq(walk.kinds[LEAT_ZEEK_EVENT], 23);
}
END_TEST

/* Events of the Management framework, as they come natively and as they come over a WebSocket. */
START_TEST(both_transports)
{
    struct lines lines;
    unsigned events = 0;

    lines_open(&lines, "broker/management.jsonl");
    while (lines_next(&lines)) {
        char *hex = text_of(lines.line, "data_hex"), *name = text_of(lines.line, "event");
        char *text = t_json_text(leat_value_get(lines.line, "websocket"));
        struct walk walk = {.path = name};
        struct t_bytes octets = t_hex(hex);
        leat_builder *native, *json;

        ck_assert_int_eq(leat_builder_new(NULL, &native), LEAT_OK);
        ck_assert_int_eq(leat_builder_new(NULL, &json), LEAT_OK);
        ck_assert_int_eq(leat_broker_read(native, NULL, octets.data, octets.length), LEAT_OK);
        take(&walk, leat_builder_value(native));
        ck_assert_int_eq(leat_broker_json_message_read(json, NULL, text, strlen(text)), LEAT_OK);
        take(&walk, leat_value_get(leat_builder_value(json), "data"));
        ck_assert_uint_eq(walk.kinds[LEAT_ZEEK_EVENT], 2);
        events++;
        leat_builder_free(native);
        leat_builder_free(json);
        t_free(octets);
        free(hex);
        free(name);
        free(text);
    }
    ck_assert_uint_eq(events, 48);
}
END_TEST

static void tests(TCase *t)
{
    tcase_add_loop_test(t, every_recording, 0, 7);
    tcase_add_test(t, verdicts_of_zeek);
    tcase_add_loop_test(t, every_listing, 0, (int)(sizeof listings / sizeof *listings));
    tcase_add_test(t, both_transports);
}

T_MAIN("zeek/recordings", tests)
