/*
 * Every recorded exchange, in both directions: decoded, put together again and compared with its
 * notes, then written by the two ways of writing and compared with the recorded text.
 */
#include "frames.h"

#include <stdio.h>

/* For loops over rows: each ck_assert() writes to a file. */
#define MUST(what)                                                                                 \
    do {                                                                                           \
        if (!(what))                                                                               \
            ck_abort_msg("not so: %s", #what);                                                     \
    } while (0)

/* Rows that came since the last message, in order. */
struct rows {
    leat_builder *values; /* a list */
    struct t_bytes names; /* each behind its length, a size_t */
    size_t count;
    size_t taken;
    size_t name_at;
};

static void rows_start(struct rows *rows)
{
    memset(rows, 0, sizeof *rows);
    ck_assert_int_eq(leat_builder_new(NULL, &rows->values), LEAT_OK);
    ck_assert_int_eq(leat_builder_open(rows->values, NULL, LEAT_LIST), LEAT_OK);
    rows->names = t_copy("", 0);
}

static void rows_add(struct rows *rows, const leat_event *event)
{
    size_t length;
    const char *name = leat_event_name(event, &length);

    MUST(leat_event_error(event) == NULL);
    MUST(leat_builder_copy(rows->values, NULL, leat_event_value(event)) == LEAT_OK);
    t_append(&rows->names, &length, sizeof length);
    t_append(&rows->names, name, length);
    rows->count++;
}

static void rows_free(struct rows *rows)
{
    ck_assert_uint_eq(rows->taken, rows->count); /* each belongs to a placeholder */
    leat_builder_free(rows->values);
    t_free(rows->names);
}

/* The next row, which must be of that section or table. */
static const leat_value *rows_take(struct rows *rows, const leat_value **last, const char *name,
                                   size_t length)
{
    const leat_value *list = leat_builder_value(rows->values);
    size_t named;

    MUST(rows->taken < rows->count);
    memcpy(&named, rows->names.data + rows->name_at, sizeof named);
    MUST(named == length);
    MUST(memcmp(rows->names.data + rows->name_at + sizeof named, name, length) == 0);
    rows->name_at += sizeof named + named;
    rows->taken++;
    *last = *last == NULL ? leat_value_first(list) : leat_value_next(list, *last);
    return *last;
}

static bool is_placeholder(const leat_value *value)
{
    return leat_value_kind(value) == LEAT_RECORD && leat_value_count(value) == 1 &&
           leat_value_get(value, "rows") != NULL;
}

/* Names end with a NUL for the builder. */
static const char *named(const leat_value *value, char *text, size_t size)
{
    size_t length;
    const char *name = leat_value_name(value, &length);

    ck_assert_uint_lt(length, size);
    memcpy(text, name, length);
    text[length] = '\0';
    return text;
}

struct rebuild {
    leat_builder *to;
    struct rows *rows;
    const leat_value *last;
};

static void put_rows(struct rebuild *r, const char *member, const char *section, uint64_t count,
                     const leat_value *fields)
{
    leat_builder_open(r->to, member, LEAT_LIST);
    while (count-- > 0) {
        const leat_value *row = rows_take(r->rows, &r->last, section, strlen(section));
        const leat_value *value, *field = leat_value_first(fields);

        if (fields == NULL) {
            leat_builder_copy(r->to, NULL, row);
            continue;
        }
        MUST(leat_value_kind(row) == LEAT_RECORD);
        leat_builder_open(r->to, NULL, LEAT_LIST);
        for (value = leat_value_first(row); value != NULL; value = leat_value_next(row, value)) {
            size_t a, b;
            const char *name = leat_value_name(value, &a), *expected = leat_value_text(field, &b);

            MUST(a == b);
            MUST(memcmp(name, expected, a) == 0);
            leat_builder_copy(r->to, NULL, value);
            field = leat_value_next(fields, field);
        }
        MUST(field == NULL);
        leat_builder_close(r->to);
    }
    leat_builder_close(r->to);
}

static void put_table(struct rebuild *r, const leat_value *table, const char *name)
{
    const leat_value *fields = leat_value_get(table, "fields");

    leat_builder_open(r->to, name, LEAT_RECORD);
    leat_builder_copy(r->to, "fields", fields);
    put_rows(r, "data", name, leat_value_u64(leat_value_get(table, "rows")), fields);
    leat_builder_close(r->to);
}

static void put_members(struct rebuild *r, const leat_value *object)
{
    const leat_value *member;
    char name[100];

    for (member = leat_value_first(object); member != NULL;
         member = leat_value_next(object, member)) {
        named(member, name, sizeof name);
        if (is_placeholder(member)) {
            put_rows(r, name, name, leat_value_u64(leat_value_get(member, "rows")), NULL);
        } else if (leat_value_get(member, "fields") != NULL && leat_value_count(member) == 2) {
            put_table(r, member, name);
        } else if (strcmp(name, "data") == 0) {
            leat_builder_open(r->to, name, LEAT_RECORD);
            put_members(r, member);
            leat_builder_close(r->to);
        } else {
            leat_builder_copy(r->to, name, member);
        }
    }
}

/* The message with its rows in their places. */
static leat_builder *rebuild(const leat_value *members, struct rows *rows)
{
    struct rebuild r = {NULL, rows, NULL};

    ck_assert_int_eq(leat_builder_close(rows->values), LEAT_OK);
    ck_assert_int_eq(leat_builder_new(NULL, &r.to), LEAT_OK);
    leat_builder_open(r.to, NULL, LEAT_RECORD);
    put_members(&r, members);
    leat_builder_close(r.to);
    ck_assert_ptr_nonnull(leat_builder_value(r.to));
    return r.to;
}

/* ---- writing ---- */

static void same_text(leat_session *session, const struct taken *recorded, bool compressed)
{
    size_t length;
    const uint8_t *at = (const uint8_t *)leat_send_data(session, &length);
    const uint8_t *end = at + length;
    struct taken written;

    ck_assert_uint_gt(length, 0);
    written = take_frame(&at, end);
    ck_assert_ptr_eq(at, end);
    ck_assert_uint_eq(written.flags, compressed ? 3 : 1);
    ck_assert_uint_eq(written.text.length, recorded->text.length);
    ck_assert(memcmp(written.text.data, recorded->text.data, written.text.length) == 0);
    ck_assert_int_eq(leat_send_done(session, length), LEAT_OK);
    t_free(written.text);
}

static void write_rows(leat_session *session, const leat_value *rows)
{
    const leat_value *row;

    for (row = leat_value_first(rows); row != NULL; row = leat_value_next(rows, row))
        MUST(leat_zabbix_row(session, row) == LEAT_OK);
    ck_assert_int_eq(leat_zabbix_close(session), LEAT_OK);
}

static void write_table(leat_session *session, const char *name, const leat_value *table)
{
    const leat_value *fields = leat_value_get(table, "fields"), *field;
    size_t count = leat_value_count(fields), i = 0;
    char **texts = (char **)calloc(count, sizeof *texts);

    ck_assert_ptr_nonnull(texts);
    for (field = leat_value_first(fields); field != NULL; field = leat_value_next(fields, field)) {
        size_t length;
        const char *text = leat_value_text(field, &length);

        texts[i] = (char *)malloc(length + 1);
        ck_assert_ptr_nonnull(texts[i]);
        memcpy(texts[i], text, length);
        texts[i++][length] = '\0';
    }
    ck_assert_int_eq(leat_zabbix_table(session, name, (const char *const *)texts, count), LEAT_OK);
    write_rows(session, leat_value_get(table, "data"));
    while (i > 0)
        free(texts[--i]);
    free(texts);
}

static void write_members(leat_session *session, const leat_value *object, bool top)
{
    const leat_value *member;
    char name[100];
    size_t length;

    for (member = leat_value_first(object); member != NULL;
         member = leat_value_next(object, member)) {
        named(member, name, sizeof name);
        if (top && leat_value_kind(member) == LEAT_LIST && strncmp(name, "del_", 4) != 0) {
            ck_assert_int_eq(leat_zabbix_section(session, name), LEAT_OK);
            write_rows(session, member);
        } else if (leat_value_get(member, "fields") != NULL) {
            write_table(session, name, member);
        } else if (top && leat_value_kind(member) == LEAT_RECORD && strcmp(name, "data") == 0) {
            ck_assert_int_eq(leat_zabbix_object(session, name), LEAT_OK);
            write_members(session, member, false);
            ck_assert_int_eq(leat_zabbix_close(session), LEAT_OK);
        } else if (leat_value_kind(member) == LEAT_TEXT) {
            const char *text = leat_value_text(member, &length);

            ck_assert_int_eq(leat_zabbix_text(session, name, text, length), LEAT_OK);
        } else if (leat_value_kind(member) == LEAT_UINT) {
            ck_assert_int_eq(leat_zabbix_number(session, name, leat_value_u64(member)), LEAT_OK);
        } else {
            ck_assert_int_eq(leat_zabbix_member(session, name, member), LEAT_OK);
        }
    }
}

static void write_both_ways(const char *name, const leat_value *message,
                            const struct taken *recorded)
{
    leat_session *session = make_codec(NULL, NULL);
    int compressed;

    for (compressed = 0; compressed < 2; compressed++) {
        ck_assert_int_eq(leat_zabbix_compress(session, compressed), LEAT_OK);
        ck_assert_int_eq(leat_send(session, name, message), LEAT_OK);
        same_text(session, recorded, compressed);
        ck_assert_int_eq(leat_zabbix_begin(session), LEAT_OK);
        write_members(session, message, true);
        ck_assert_int_eq(leat_zabbix_end(session), LEAT_OK);
        same_text(session, recorded, compressed);
    }
    leat_session_free(session);
}

/* ---- comparing ---- */

/* The recordings with a body that is not JSON, though it begins like it: what their event says. */
static const struct {
    const char *path;
    const char *value;
    const char *raw;
    const char *error;
    uint64_t at;
} broken[] = {
    {"6.0.14/51-fake-data-control-char",
     "{\"request\":\"proxy data\",\"host\":\"px-fake\",\"version\":\"6.0.14\"}", "22610162227d",
     "raw control character in a string", 79},
    {"7.0.22/56-fake-data-control-char",
     "{\"request\":\"proxy data\",\"host\":\"px-fake\",\"version\":\"7.0.22\"}", "22610162227d",
     "raw control character in a string", 79},
    {"6.0.14/52-fake-data-trailing-junk",
     "{\"request\":\"proxy data\",\"host\":\"px-fake\",\"version\":\"6.0.14\"}", "78",
     "octets behind the object", 74},
    {"7.0.22/57-fake-data-trailing-junk",
     "{\"request\":\"proxy data\",\"host\":\"px-fake\",\"version\":\"7.0.22\"}", "78",
     "octets behind the object", 74},
};

static bool check_broken(const char *path, const leat_event *event)
{
    size_t i;

    for (i = 0; i < sizeof broken / sizeof *broken; i++) {
        const leat_error *error = leat_event_error(event);
        size_t length;
        const void *raw = leat_event_raw(event, &length);
        char *json, *hex;

        if (strcmp(path, broken[i].path) != 0 || error == NULL)
            continue;
        json = t_json_text(leat_event_value(event));
        hex = t_to_hex(raw, length);
        ck_assert_str_eq(json, broken[i].value);
        ck_assert_str_eq(hex, broken[i].raw);
        ck_assert_int_eq(leat_error_code(error), LEAT_E_SYNTAX);
        ck_assert_str_eq(leat_error_text(error), broken[i].error);
        ck_assert_uint_eq(leat_error_offset(error), broken[i].at);
        free(json);
        free(hex);
        return true;
    }
    return false;
}

static void check_plain(const leat_event *event, const struct taken *recorded)
{
    leat_session *session = make_codec(NULL, NULL);
    const leat_value *body = leat_value_get(leat_event_value(event), "body");
    size_t length;
    const char *text = leat_value_text(body, &length);

    ck_assert_uint_eq(leat_event_kind(event), LEAT_ZABBIX_PLAIN);
    if (leat_value_get(leat_event_value(event), "error") == NULL)
        ck_assert_uint_eq(length, recorded->text.length);
    ck_assert_mem_eq(text, recorded->text.data, length);
    ck_assert_int_eq(leat_send(session, "plain", leat_event_value(event)), LEAT_OK);
    same_text(session, recorded, false);
    leat_session_free(session);
}

/*
 * A message with its rows, against its text and the notes, which lack what is not JSON or too long.
 */
static void check_whole(const char *path, const char *name, const leat_value *message,
                        const struct taken *recorded, const leat_value *note)
{
    const leat_value *json = leat_value_get(note, "json");
    leat_builder *expected;

    if (json == NULL && leat_value_get(note, "text_length") == NULL) {
        const leat_value *row = leat_value_first(leat_value_get(message, "history data"));
        size_t length;
        const char *value = leat_value_text(leat_value_get(row, "value"), &length);

        ck_assert_ptr_nonnull(strstr(path, "invalid-utf8"));
        ck_assert_uint_eq(length, 10);
        ck_assert_mem_eq(value, "bad \xff utf8", 10);
        return;
    }
    expected = t_json((const char *)recorded->text.data, recorded->text.length);
    ck_assert_msg(leat_value_equal(message, leat_builder_value(expected)), "%s differs", path);
    /* The notes were made by a reader that keeps only the last of two members. */
    if (json != NULL && strstr(path, "duplicate-tasks") == NULL)
        ck_assert_msg(leat_value_equal(message, json), "%s: the notes differ", path);
    leat_builder_free(expected);
    write_both_ways(name, message, recorded);
}

/* One message of the stream: its events, its bytes, its notes. */
static void check_message(const char *path, leat_session *session, const struct taken *recorded,
                          const leat_value *note)
{
    const leat_event *event;
    leat_builder *message;
    struct rows rows;
    uint32_t flags;
    uint64_t data_len, reserved;

    rows_start(&rows);
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    while (leat_event_kind(event) == LEAT_ZABBIX_ROW) {
        rows_add(&rows, event);
        MUST(leat_next(session, &event) == LEAT_OK);
    }
    ck_assert_int_eq(leat_zabbix_header(session, &flags, &data_len, &reserved), LEAT_OK);
    ck_assert_uint_eq(flags, leat_value_u64(leat_value_get(note, "flags")));
    ck_assert_uint_eq(data_len, leat_value_u64(leat_value_get(note, "data_len")));
    ck_assert_uint_eq(reserved, leat_value_u64(leat_value_get(note, "reserved")));
    if (recorded->text.length == 0 || recorded->text.data[0] != '{') {
        check_plain(event, recorded);
    } else if (!check_broken(path, event)) {
        ck_assert_msg(leat_event_error(event) == NULL, "%s: %s", path,
                      leat_error_text(leat_event_error(event)));
        message = rebuild(leat_event_value(event), &rows);
        check_whole(path, leat_event_name(event, NULL), leat_builder_value(message), recorded,
                    note);
        leat_builder_free(message);
    }
    rows_free(&rows);
}

static uint32_t speaker(const char *direction)
{
    static const struct {
        const char *name;
        uint32_t from;
    } speakers[] = {{"server>", LEAT_FROM_SERVER},
                    {"proxy>", LEAT_FROM_PROXY},
                    {"agent>", LEAT_FROM_AGENT},
                    {"sender>", LEAT_FROM_SENDER}};
    size_t i;

    for (i = 0; i < sizeof speakers / sizeof *speakers; i++) {
        if (strncmp(direction, speakers[i].name, strlen(speakers[i].name)) == 0)
            return speakers[i].from;
    }
    ck_abort_msg("nobody is called so: %s", direction);
    return 0;
}

/* Short streams are cut everywhere, long ones into pieces of some sizes. */
static void check_cuts(const uint32_t *from, const struct t_bytes *bytes)
{
    static const size_t cuts[] = {1, 11, 1009};
    char *whole, *cut;
    size_t i;

    if (bytes->length < 300) {
        free(t_every_split(make_codec, from, bytes->data, bytes->length));
        return;
    }
    whole = t_transcript(make_codec, from, NULL, bytes->data, bytes->length, 0, true);
    for (i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        cut = t_transcript(make_codec, from, NULL, bytes->data, bytes->length, cuts[i], true);
        ck_assert(strcmp(cut, whole) == 0);
        free(cut);
    }
    free(whole);
}

static size_t check_direction(const char *path, const char *direction, const leat_value *notes)
{
    char file[200];
    struct t_bytes bytes;
    leat_session *session;
    const leat_value *note;
    const leat_event *event;
    const uint8_t *at;
    uint32_t from = speaker(direction);
    size_t messages = 0;

    (void)snprintf(file, sizeof file, "zabbix/%s.jsonl", path);
    bytes = t_capture(file, direction, 0);
    at = bytes.data;
    session = make_codec(NULL, &from);
    ck_assert_int_eq(leat_feed(session, bytes.data, bytes.length), LEAT_OK);
    for (note = leat_value_first(notes); note != NULL; note = leat_value_next(notes, note)) {
        size_t length;
        const char *text = leat_value_text(leat_value_get(note, "dir"), &length);
        struct taken recorded;

        if (strlen(direction) != length || memcmp(text, direction, length) != 0 ||
            leat_value_get(note, "event") != NULL)
            continue;
        messages++;
        if (leat_value_get(note, "framing") != NULL) {
            ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
            ck_assert_uint_eq(leat_event_kind(event), LEAT_ZABBIX_UNFRAMED);
            at = bytes.data + bytes.length;
            continue;
        }
        recorded = take_frame(&at, bytes.data + bytes.length);
        check_message(path, session, &recorded, note);
        t_free(recorded.text);
    }
    ck_assert_ptr_eq(at, bytes.data + bytes.length);
    ck_assert_int_eq(leat_recv_eof(session), LEAT_OK);
    ck_assert_int_eq(leat_next(session, &event), LEAT_END);
    leat_session_free(session);
    check_cuts(&from, &bytes);
    t_free(bytes);
    return messages;
}

static size_t check_exchange(const char *path)
{
    static const char *const directions[] = {"proxy>server", "server>proxy", "agent>proxy",
                                             "proxy>agent",  "sender>proxy", "proxy>sender"};
    char file[200];
    struct t_bytes text;
    leat_builder *notes;
    size_t messages = 0, i;

    (void)snprintf(file, sizeof file, "zabbix/%s.json", path);
    text = t_file(file);
    notes = t_json((const char *)text.data, text.length);
    for (i = 0; i < sizeof directions / sizeof *directions; i++)
        messages += check_direction(path, directions[i], leat_builder_value(notes));
    leat_builder_free(notes);
    t_free(text);
    return messages;
}

static const struct {
    const char *folder;
    size_t exchanges;
    size_t messages;
} recordings[] = {{"6.0.14", 67, 141}, {"7.0.22", 80, 171}};

START_TEST(recorded)
{
    char folder[50], path[100];
    char **names;
    size_t messages = 0, i;

    (void)snprintf(folder, sizeof folder, "zabbix/%s", recordings[_i].folder);
    names = t_names(folder, ".jsonl");
    for (i = 0; names[i] != NULL; i++) {
        (void)snprintf(path, sizeof path, "%s/%.*s", recordings[_i].folder,
                       (int)(strlen(names[i]) - strlen(".jsonl")), names[i]);
        messages += check_exchange(path);
    }
    ck_assert_uint_eq(i, recordings[_i].exchanges);
    ck_assert_uint_eq(messages, recordings[_i].messages);
    t_names_free(names);
}
END_TEST

/* The messages of the published documentation, with white space and two "tasks" in one of them. */
static const struct {
    const char *name;
    uint32_t from;
    uint32_t kind;
    size_t rows;
} documented[] = {
    {"active-config-acknowledge", LEAT_FROM_PROXY, LEAT_ZABBIX_RESPONSE, 0},
    {"active-config-request", LEAT_FROM_PROXY, LEAT_ZABBIX_PROXY_CONFIG, 0},
    {"active-data-request", LEAT_FROM_PROXY, LEAT_ZABBIX_PROXY_DATA, 14},
    {"active-data-response", LEAT_FROM_SERVER, LEAT_ZABBIX_RESPONSE, 2},
    {"active-heartbeat-request", LEAT_FROM_PROXY, LEAT_ZABBIX_PROXY_HEARTBEAT, 0},
    {"active-heartbeat-response", LEAT_FROM_SERVER, LEAT_ZABBIX_RESPONSE, 0},
    {"passive-config-response", LEAT_FROM_PROXY, LEAT_ZABBIX_RESPONSE, 0},
    {"passive-data-request", LEAT_FROM_SERVER, LEAT_ZABBIX_PROXY_DATA, 0},
    {"passive-data-response", LEAT_FROM_PROXY, LEAT_ZABBIX_PROXY_DATA, 12},
};

START_TEST(from_the_documentation)
{
    char path[100];
    struct t_bytes text, bytes;
    leat_session *session = make_codec(NULL, &documented[_i].from);
    const leat_event *event;
    leat_builder *notes, *message;
    struct taken compact;
    struct rows rows;
    char *json;

    (void)snprintf(path, sizeof path, "zabbix/documented-5.4/%s.json", documented[_i].name);
    text = t_file(path);
    notes = t_json((const char *)text.data, text.length);
    bytes = frame(3, text.data, text.length);
    ck_assert_int_eq(leat_feed(session, bytes.data, bytes.length), LEAT_OK);
    rows_start(&rows);
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    while (leat_event_kind(event) == LEAT_ZABBIX_ROW) {
        rows_add(&rows, event);
        ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    }
    ck_assert_uint_eq(rows.count, documented[_i].rows);
    ck_assert_uint_eq(leat_event_kind(event), documented[_i].kind);
    message = rebuild(leat_event_value(event), &rows);
    ck_assert(leat_value_equal(leat_builder_value(message), leat_builder_value(notes)));
    /* We write it as real peers would: without white space. */
    json = t_json_text(leat_builder_value(notes));
    compact.text = t_copy(json, strlen(json));
    write_both_ways(leat_event_name(event, NULL), leat_builder_value(message), &compact);
    free(json);
    free(t_every_split(make_codec, &documented[_i].from, bytes.data, bytes.length));
    leat_builder_free(message);
    leat_builder_free(notes);
    leat_session_free(session);
    rows_free(&rows);
    t_free(compact.text);
    t_free(bytes);
    t_free(text);
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_loop_test(tc, recorded, 0, sizeof recordings / sizeof *recordings);
    tcase_add_loop_test(tc, from_the_documentation, 0, sizeof documented / sizeof *documented);
}

T_MAIN("zabbix/vectors", tests)
