/*
 * Every recorded file: decoded, compared with what two other decoders made of it, and encoded
 * again.
 *
 * The notes beside the files name fields in their own ways, so what is compared is the sequence of
 * scalars.
 */
#include "support.h"

#include <ctype.h>
#include <leat/estreamer.h>
#include <stdio.h>

#define FOLDER "estreamer"

/* Scalars in their order: values of ours, or texts of the notes. */
struct scalars {
    const leat_value *values[400];
    char *texts[400];
    size_t count;
};

static void add_text(struct scalars *scalars, const char *text, size_t length)
{
    char *copy = (char *)malloc(length + 1);

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, text, length);
    copy[length] = '\0';
    ck_assert_uint_lt(scalars->count, 400);
    scalars->texts[scalars->count++] = copy;
}

static void free_texts(struct scalars *scalars)
{
    size_t i;

    for (i = 0; i < scalars->count; i++)
        free(scalars->texts[i]);
}

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (strcmp(*names, name) == 0)
            return true;
    }
    return false;
}

static void field_name(const leat_value *field, char *name, size_t size)
{
    size_t length;
    const char *text = leat_value_name(field, &length);

    ck_assert_uint_lt(length, size);
    memcpy(name, text, length);
    name[length] = '\0';
}

/* The fields of ours but those of the given names, block types apart. */
static void collect(struct scalars *scalars, const leat_value *value, const char *const *skipped)
{
    const leat_value *child;

    for (child = leat_value_first(value); child != NULL; child = leat_value_next(value, child)) {
        char name[64];

        field_name(child, name, sizeof name);
        if (strcmp(name, "block_type") == 0 || is_one_of(name, skipped))
            continue;
        if (leat_value_kind(child) == LEAT_RECORD || leat_value_kind(child) == LEAT_LIST) {
            collect(scalars, child, skipped);
        } else {
            ck_assert_uint_lt(scalars->count, 400);
            scalars->values[scalars->count++] = child;
        }
    }
}

/* The members of a JSON object of the first decoder, headers of records, blocks and lists apart. */
static void collect_json(struct scalars *scalars, const leat_value *value)
{
    static const char *const skipped[] = {
        "recordType",  "recordLength", "archiveTimestamp", "checksum",  "blockType",
        "blockLength", "listType",     "listLength",       "@computed", NULL};
    const leat_value *child;

    for (child = leat_value_first(value); child != NULL; child = leat_value_next(value, child)) {
        char name[64];
        char *text;
        size_t length;

        field_name(child, name, sizeof name);
        if (is_one_of(name, skipped))
            continue;
        if (leat_value_kind(child) == LEAT_RECORD || leat_value_kind(child) == LEAT_LIST) {
            collect_json(scalars, child);
        } else if (leat_value_kind(child) == LEAT_TEXT) {
            const char *string = leat_value_text(child, &length);

            add_text(scalars, string, length);
        } else {
            text = t_json_text(child);
            add_text(scalars, text, strlen(text));
            free(text);
        }
    }
}

/* The lines "name: value (meaning)" of the second one, behind its line of equals signs. */
static void collect_lines(struct scalars *scalars, const char *notes)
{
    const char *line = strstr(notes, "=====");

    ck_assert_ptr_nonnull(line);
    while ((line = strchr(line, '\n')) != NULL && *++line != '\0') {
        size_t length = strcspn(line, "\n");
        const char *colon = (const char *)memchr(line, ':', length);
        const char *name = line + strspn(line, " ");
        const char *end;

        if (colon == NULL || colon + 2 >= line + length || strncmp(name, "block_", 6) == 0)
            continue;
        colon += 2;
        end = line + length;
        if (isdigit((unsigned char)*colon) && memchr(colon, '(', (size_t)(end - colon)) != NULL)
            end = (const char *)memchr(colon, ' ', (size_t)(end - colon));
        add_text(scalars, colon, (size_t)(end - colon));
    }
}

/* The same, whatever the case, and but for dashes. */
static bool same_hex(const char *a, const char *b)
{
    for (;; a++, b++) {
        b += *b == '-' && *a != '-';
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
        if (*a == '\0')
            return true;
    }
}

static bool same_text(const uint8_t *octets, size_t length, const char *text)
{
    while (length > 0 && octets[length - 1] == '\0') /* padding that the notes leave out */
        length--;
    return strlen(text) == length && (length == 0 || memcmp(text, octets, length) == 0);
}

/* Octets are shown as text, as hex digits with or without dashes, and addresses as numbers, too. */
static bool matches(const leat_value *value, const char *text)
{
    size_t length;
    const uint8_t *octets = leat_value_bytes(value, &length);
    char *json = t_json_text(value);
    char *hex = t_to_hex(octets == NULL ? (const uint8_t *)"" : octets, length);
    bool same = strcmp(json, text) == 0 || same_text(octets, length, text);

    if (!same && length > 0) {
        json[strlen(json) - 1] = '\0';
        same = same_hex(json + 1, text) || same_hex(hex, text) ||
               (leat_value_kind(value) == LEAT_ADDRESS && length == 4 &&
                strtoull(hex, NULL, 16) == strtoull(text, NULL, 10));
    }
    free(json);
    free(hex);
    return same;
}

static void compare(const char *file, const struct scalars *ours, const struct scalars *theirs)
{
    size_t i;

    for (i = 0; i < ours->count && i < theirs->count; i++) {
        char *json = t_json_text(ours->values[i]);
        char name[64];

        field_name(ours->values[i], name, sizeof name);
        ck_assert_msg(matches(ours->values[i], theirs->texts[i]), "%s: %s is %s, noted as %s", file,
                      name, json, theirs->texts[i]);
        free(json);
    }
    ck_assert_msg(ours->count == theirs->count, "%s: %zu fields, %zu noted", file, ours->count,
                  theirs->count);
}

/*
 * A record and what the first decoder noted as a JSON object. Of the discovery header it leaves out
 * some fields and shows the address, which comes last, as the second; and as an object of its has
 * each name once, it shows one device_id where header and block have one each.
 */
static void compare_json(const char *file, const leat_value *record, const leat_value *noted)
{
    static const char *const unseen[] = {"has_ipv6",    "legacy_ip",     "reserved",
                                         "file_number", "file_position", NULL};
    static const char *const seen[] = {"discovery_header", "device_id", NULL};
    static const char *const none[] = {NULL};
    const leat_value *header = leat_value_get(record, "discovery_header");
    struct scalars ours = {.count = 0}, theirs = {.count = 0};

    if (header != NULL) {
        collect(&ours, header, unseen);
        ck_assert_uint_eq(ours.count, 7);
        memmove(&ours.values[2], &ours.values[1], 5 * sizeof *ours.values);
        ours.values[1] = leat_value_get(header, "ip_address");
    }
    collect(&ours, record, header == NULL ? none : seen);
    collect_json(&theirs, noted);
    compare(file, &ours, &theirs);
    free_texts(&theirs);
}

static char *notes_of(const char *folder, const char *hex_file)
{
    char path[256];

    (void)snprintf(path, sizeof path, "%s/%.*s.txt", folder, (int)(strlen(hex_file) - 4), hex_file);
    return (char *)t_file(path).data;
}

static struct t_bytes octets_of(const char *folder, const char *hex_file)
{
    char path[256];

    (void)snprintf(path, sizeof path, "%s/%s", folder, hex_file);
    return t_hex_file(path);
}

/* The value, and the JSON text of it, give the octets back. */
static void encode_record(const char *file, uint32_t type, const leat_value *value,
                          const uint8_t *octets, size_t length)
{
    char *json = t_json_text(value);
    leat_builder *read = t_json(json, strlen(json));
    const leat_value *forms[2] = {value, leat_builder_value(read)};
    leat_buffer *buffer;
    size_t i;

    ck_assert_int_eq(leat_buffer_new(NULL, &buffer), LEAT_OK);
    for (i = 0; i < 2; i++) {
        const void *written;
        size_t count;

        leat_buffer_clear(buffer);
        ck_assert_msg(leat_estreamer_record_write(buffer, type, forms[i]) == LEAT_OK, "%s: %s %s",
                      file, leat_error_text(leat_buffer_error(buffer)),
                      leat_error_field(leat_buffer_error(buffer)));
        written = leat_buffer_data(buffer, &count);
        ck_assert_msg(count == length && memcmp(written, octets, length) == 0, "%s: %s", file,
                      i == 0 ? "the value" : "its JSON text");
    }
    leat_buffer_free(buffer);
    leat_builder_free(read);
    free(json);
}

/* Calls the function for each file of hex digits in a folder. */
static void each_file(const char *folder, void (*check)(const char *folder, const char *file))
{
    char **names = t_names(folder, ".hex");
    char **name;

    for (name = names; *name != NULL; name++)
        check(folder, *name);
    t_names_free(names);
}

/* Octets of event data: a record header of 16 octets, then what the record holds. */
static void check_record(const char *folder, const char *file)
{
    struct t_bytes octets = octets_of(folder, file);
    char *notes = notes_of(folder, file);
    const char *object = strchr(notes, '{');
    leat_builder *noted = t_json(object, strlen(object));
    uint32_t type = (uint32_t)strtoul(file, NULL, 10);
    leat_builder *builder;

    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    ck_assert_msg(leat_estreamer_record_read(builder, NULL, type, octets.data + 16,
                                             octets.length - 16) == LEAT_OK,
                  "%s: %s", file, leat_error_text(leat_builder_error(builder)));
    ck_assert_ptr_nonnull(leat_estreamer_record_name(type));
    compare_json(file, leat_builder_value(builder), leat_builder_value(noted));
    encode_record(file, type, leat_builder_value(builder), octets.data + 16, octets.length - 16);
    leat_builder_free(builder);
    leat_builder_free(noted);
    free(notes);
    t_free(octets);
}

START_TEST(records)
{
    each_file(FOLDER "/records", check_record);
}
END_TEST

static leat_session *make_any(const leat_config *config, const void *arg)
{
    leat_session *session = NULL;

    (void)arg;
    (void)leat_estreamer_codec_new(config, LEAT_FROM_ANY, &session);
    return session;
}

static leat_session *make_from(uint32_t from)
{
    leat_session *session;

    ck_assert_int_eq(leat_estreamer_codec_new(NULL, from, &session), LEAT_OK);
    return session;
}

static uint32_t sender_of(const char *file)
{
    if (strstr(file, "_client_") != NULL)
        return LEAT_FROM_CLIENT;
    return strstr(file, "_server_") != NULL ? LEAT_FROM_SERVER : LEAT_FROM_ANY;
}

/* Lines of JSON in the notes, one for each record of the message. */
static const char *compare_next(const char *file, const char *line, const leat_value *value)
{
    leat_builder *noted;

    ck_assert_msg(line != NULL, "%s: more records than noted", file);
    noted = t_json(line + 1, strcspn(line + 1, "\n"));
    compare_json(file, leat_value_get(value, "record"), leat_builder_value(noted));
    leat_builder_free(noted);
    return strstr(line + 1, "\n{");
}

/*
 * The second decoder reads has_ipv6 and reserved as one field, and does not show client
 * applications.
 */
static void compare_perl(const char *file, const char *notes, const leat_value *value)
{
    static const char *const unseen[] = {"has_ipv6", "client_applications", NULL};
    const leat_value *record = leat_value_get(value, "record");
    struct scalars ours = {.count = 0}, theirs = {.count = 0};

    collect(&ours, record == NULL ? value : record, unseen);
    collect_lines(&theirs, notes);
    compare(file, &ours, &theirs);
    free_texts(&theirs);
}

/*
 * One file of a conversation: every event sound, as noted, and the same octets when it is sent on.
 */
static void check_messages(const char *folder, const char *file)
{
    struct t_bytes octets = octets_of(folder, file);
    char *notes = notes_of(folder, file);
    const char *line = strstr(notes, "\n{");
    bool perl = strstr(notes, "=====") != NULL;
    leat_session *session = make_from(sender_of(file));
    leat_session *other = make_from(LEAT_FROM_ANY);
    const leat_event *event;
    const void *sent;
    size_t count, events = 0;
    int status;

    ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
    ck_assert_int_eq(leat_recv_eof(session), LEAT_OK);
    while ((status = leat_next(session, &event)) == LEAT_OK) {
        const leat_value *value = leat_event_value(event);

        ck_assert_msg(leat_event_error(event) == NULL, "%s: %s", file,
                      leat_error_text(leat_event_error(event)));
        ck_assert_uint_ne(leat_event_kind(event), LEAT_ESTREAMER_UNKNOWN);
        if (perl)
            compare_perl(file, notes, value);
        else if (line != NULL && leat_event_kind(event) == LEAT_ESTREAMER_EVENT_DATA)
            line = compare_next(file, line, value);
        ck_assert_int_eq(leat_send(other, leat_event_name(event, NULL), value), LEAT_OK);
        events++;
    }
    ck_assert_int_eq(status, LEAT_END);
    ck_assert_uint_gt(events, 0);
    ck_assert_msg(line == NULL, "%s: fewer records than noted", file);
    sent = leat_send_data(other, &count);
    if (strcmp(file, "guide_streaming_request.hex") == 0)
        octets.data[15] =
            28; /* the guide leaves out 8; what clients send counts the whole service */
    ck_assert_msg(count == octets.length && memcmp(sent, octets.data, count) == 0,
                  "%s: sent otherwise", file);
    leat_session_free(session);
    leat_session_free(other);
    free(notes);
    t_free(octets);
}

START_TEST(messages)
{
    each_file(FOLDER, check_messages);
    each_file(FOLDER "/perl-sdk", check_messages);
}
END_TEST

/* All that one side of the conversation said, however it is cut. */
START_TEST(conversations)
{
    static const struct {
        const char *folder;
        const char *who;
    } cases[] = {
        {FOLDER, "_client_"},
        {FOLDER, "_server_"},
        {FOLDER "/perl-sdk", "_client_"},
        {FOLDER "/perl-sdk", "_server_"},
    };
    struct t_bytes stream = t_copy("", 0);
    char **names = t_names(cases[_i].folder, ".hex");
    char **name;
    char *transcript;

    for (name = names; *name != NULL; name++) {
        struct t_bytes octets;

        if (strstr(*name, cases[_i].who) == NULL)
            continue;
        octets = octets_of(cases[_i].folder, *name);
        t_append(&stream, octets.data, octets.length);
        t_free(octets);
    }
    transcript = t_every_split(make_any, NULL, stream.data, stream.length);
    ck_assert_ptr_nonnull(strstr(transcript, "LEAT_END"));
    free(transcript);
    t_names_free(names);
    t_free(stream);
}
END_TEST

static void tests(TCase *tcase)
{
    tcase_add_test(tcase, records);
    tcase_add_test(tcase, messages);
    tcase_add_loop_test(tcase, conversations, 0, 4);
}

T_MAIN("estreamer/vectors", tests)
