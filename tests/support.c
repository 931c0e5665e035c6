#include "support.h"

#include "session.h" /* the core's: lt_allocator() */

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>

int t_main(const char *name, void (*add)(TCase *))
{
    Suite *suite = suite_create(name);
    TCase *cases = tcase_create(name);
    SRunner *runner = srunner_create(suite);
    int failed;

    add(cases);
    suite_add_tcase(suite, cases);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

void t_free(struct t_bytes bytes)
{
    free(bytes.data);
}

struct t_bytes t_copy(const void *data, size_t length)
{
    struct t_bytes bytes = {NULL, 0};

    t_append(&bytes, data, length);
    return bytes;
}

/* The octets allocated for so many and a NUL: powers of two, so that appending is cheap. */
static size_t room_for(size_t length)
{
    size_t room = 64;

    while (room <= length)
        room *= 2;
    return room;
}

void t_append(struct t_bytes *bytes, const void *data, size_t length)
{
    size_t room = room_for(bytes->length + length);

    if (bytes->data == NULL || room > room_for(bytes->length)) {
        bytes->data = (uint8_t *)realloc(bytes->data, room);
        ck_assert_ptr_nonnull(bytes->data);
    }
    if (length > 0)
        memcpy(bytes->data + bytes->length, data, length);
    bytes->length += length;
    bytes->data[bytes->length] = '\0';
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Hex digits with white space between, up to end. */
static struct t_bytes unhex(const char *hex, const char *end)
{
    struct t_bytes bytes = t_copy("", 0);
    int high = -1;

    bytes.data = (uint8_t *)realloc(bytes.data, room_for((size_t)(end - hex) / 2));
    ck_assert_ptr_nonnull(bytes.data);
    for (; hex < end; hex++) {
        int value = digit(*hex);

        if (strchr(" \t\r\n", *hex) != NULL)
            continue;
        if (value < 0) /* Check writes a file whenever it asserts */
            ck_abort_msg("not a hex digit: %c", *hex);
        if (high < 0) {
            high = value;
        } else {
            bytes.data[bytes.length++] = (uint8_t)(high << 4 | value);
            high = -1;
        }
    }
    ck_assert_msg(high < 0, "an odd number of hex digits");
    bytes.data[bytes.length] = '\0';
    return bytes;
}

struct t_bytes t_hex(const char *hex)
{
    return unhex(hex, hex + strlen(hex));
}

char *t_to_hex(const void *data, size_t length)
{
    char *hex = (char *)malloc(2 * length + 1);
    size_t i;

    ck_assert_ptr_nonnull(hex);
    for (i = 0; i < length; i++) {
        hex[2 * i] = "0123456789abcdef"[((const uint8_t *)data)[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[((const uint8_t *)data)[i] & 15];
    }
    hex[2 * length] = '\0';
    return hex;
}

static char *vector_path(const char *path)
{
    const char *folder = getenv("LEAT_VECTORS");
    size_t size;
    char *whole;

    ck_assert_msg(folder != NULL, "LEAT_VECTORS is not set");
    size = strlen(folder) + strlen(path) + 2;
    whole = (char *)malloc(size);
    ck_assert_ptr_nonnull(whole);
    (void)snprintf(whole, size, "%s/%s", folder, path);
    return whole;
}

bool t_file_exists(const char *path)
{
    char *whole = vector_path(path);
    FILE *file = fopen(whole, "rb");

    free(whole);
    if (file != NULL)
        (void)fclose(file);
    return file != NULL;
}

struct t_bytes t_file(const char *path)
{
    struct t_bytes bytes = t_copy("", 0);
    char *whole = vector_path(path);
    FILE *file = fopen(whole, "rb");
    uint8_t piece[65536];
    size_t count;

    ck_assert_msg(file != NULL, "cannot open %s", whole);
    while ((count = fread(piece, 1, sizeof piece, file)) > 0)
        t_append(&bytes, piece, count);
    ck_assert(ferror(file) == 0);
    (void)fclose(file);
    free(whole);
    return bytes;
}

struct t_bytes t_hex_file(const char *path)
{
    struct t_bytes text = t_file(path);
    struct t_bytes bytes = unhex((const char *)text.data, (const char *)text.data + text.length);

    t_free(text);
    return bytes;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **t_names(const char *folder, const char *ending)
{
    char *whole = vector_path(folder);
    DIR *dir = opendir(whole);
    char **names = (char **)calloc(1, sizeof *names);
    size_t count = 0;
    struct dirent *entry;

    ck_assert_msg(dir != NULL, "cannot open %s", whole);
    ck_assert_ptr_nonnull(names);
    while ((entry = readdir(dir)) != NULL) {
        size_t length = strlen(entry->d_name), tail = strlen(ending);

        if (length < tail || strcmp(entry->d_name + length - tail, ending) != 0)
            continue;
        names = (char **)realloc(names, (count + 2) * sizeof *names);
        ck_assert_ptr_nonnull(names);
        names[count] = (char *)malloc(length + 1);
        ck_assert_ptr_nonnull(names[count]);
        memcpy(names[count], entry->d_name, length + 1);
        names[++count] = NULL;
    }
    (void)closedir(dir);
    free(whole);
    ck_assert_msg(count > 0, "nothing in %s ends with %s", folder, ending);
    qsort(names, count, sizeof *names, compare_names);
    return names;
}

void t_names_free(char **names)
{
    size_t i;

    for (i = 0; names[i] != NULL; i++)
        free(names[i]);
    free(names);
}

leat_builder *t_json(const char *text, size_t length)
{
    leat_builder *builder;

    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    ck_assert_msg(leat_builder_json(builder, NULL, text, length) == LEAT_OK,
                  "%s at %" PRIu64 " of %.*s", leat_error_text(leat_builder_error(builder)),
                  leat_error_offset(leat_builder_error(builder)),
                  (int)(length < 200 ? length : 200), text);
    return builder;
}

leat_builder *t_limited(uint64_t depth, uint64_t values)
{
    leat_limits limits;
    leat_config config;
    leat_builder *builder;

    leat_limits_init(&limits, sizeof limits);
    leat_config_init(&config, sizeof config);
    limits.depth = depth;
    limits.values = values;
    config.limits = &limits;
    ck_assert_int_eq(leat_builder_new(&config, &builder), LEAT_OK);
    return builder;
}

char *t_json_text(const leat_value *value)
{
    size_t length = leat_value_json(value, NULL, 0);
    char *text = (char *)malloc(length + 1);

    ck_assert_ptr_nonnull(text);
    ck_assert_uint_eq(leat_value_json(value, text, length + 1), length);
    return text;
}

static bool text_is(const leat_value *value, const char *text)
{
    size_t length;
    const char *got = leat_value_text(value, &length);

    return length == strlen(text) && memcmp(got, text, length) == 0;
}

struct t_bytes t_capture(const char *path, const char *dir, uint64_t conn)
{
    struct t_bytes file = t_file(path);
    struct t_bytes bytes = t_copy("", 0);
    const char *at = (const char *)file.data, *end = at + file.length;

    while (at < end) {
        const char *line_end = (const char *)memchr(at, '\n', (size_t)(end - at));
        leat_builder *line;
        const leat_value *value, *hex;
        size_t length;
        const char *text;

        if (line_end == NULL)
            line_end = end;
        line = t_json(at, (size_t)(line_end - at));
        value = leat_builder_value(line);
        hex = leat_value_get(value, "hex");
        if (hex != NULL && (dir == NULL || text_is(leat_value_get(value, "dir"), dir)) &&
            (conn == 0 || leat_value_u64(leat_value_get(value, "conn")) == conn)) {
            struct t_bytes chunk;

            text = leat_value_text(hex, &length);
            chunk = unhex(text, text + length);
            t_append(&bytes, chunk.data, chunk.length);
            t_free(chunk);
        }
        leat_builder_free(line);
        at = line_end + 1;
    }
    t_free(file);
    return bytes;
}

static void say(struct t_bytes *to, const char *text)
{
    t_append(to, text, strlen(text));
}

static void say_error(struct t_bytes *to, const leat_error *error)
{
    char text[200];

    if (error == NULL)
        return;
    (void)snprintf(text, sizeof text, " %s at %" PRIu64 ": %s %s",
                   leat_status_name(leat_error_code(error)), leat_error_offset(error),
                   leat_error_text(error), leat_error_field(error));
    say(to, text);
}

static void say_event(struct t_bytes *to, const leat_event *event)
{
    size_t name_length, raw_length;
    const char *name = leat_event_name(event, &name_length);
    const void *raw = leat_event_raw(event, &raw_length);
    char *json = t_json_text(leat_event_value(event));
    char *hex = t_to_hex(raw, raw_length);
    char text[64];

    (void)snprintf(text, sizeof text, "%" PRIu32 " ", leat_event_kind(event));
    say(to, text);
    t_append(to, name, name_length);
    (void)snprintf(text, sizeof text, " %" PRIu64 " ", leat_event_offset(event));
    say(to, text);
    say(to, json);
    say(to, " ");
    say(to, hex);
    say_error(to, leat_event_error(event));
    say(to, "\n");
    free(json);
    free(hex);
}

/* Draws all events that are there; the last status. */
static int draw(leat_session *session, struct t_bytes *to)
{
    const leat_event *event;
    int status;

    while ((status = leat_next(session, &event)) == LEAT_OK)
        say_event(to, event);
    return status;
}

static char *transcript(leat_session *session, const void *data, size_t length, size_t cut,
                        bool eof)
{
    struct t_bytes to = t_copy("", 0);
    const uint8_t *at = (const uint8_t *)data;
    int status = draw(session, &to);

    while (length > 0 && status >= 0) {
        size_t piece = cut == 0 || cut > length ? length : cut;

        ck_assert_int_eq(leat_feed(session, at, piece), LEAT_OK);
        at += piece;
        length -= piece;
        status = draw(session, &to);
    }
    if (eof && status >= 0) {
        ck_assert_int_eq(leat_recv_eof(session), LEAT_OK);
        status = draw(session, &to);
    }
    say(&to, leat_status_name(status));
    say_error(&to, leat_session_error(session));
    say(&to, "\n");
    return (char *)to.data;
}

char *t_transcript(t_make *make, const void *arg, const leat_config *config, const void *data,
                   size_t length, size_t cut, bool eof)
{
    leat_session *session = make(config, arg);
    char *text = transcript(session, data, length, cut, eof);

    leat_session_free(session);
    return text;
}

static void same_transcript(const char *whole, char *other, const char *how, size_t place)
{
    ck_assert_msg(strcmp(whole, other) == 0, "fed %s %zu:\n%s\nfed at once:\n%s", how, place, other,
                  whole);
    free(other);
}

char *t_every_split(t_make *make, const void *arg, const void *data, size_t length)
{
    char *whole = t_transcript(make, arg, NULL, data, length, 0, true);
    size_t step = length / 512 + 1, cut;

    same_transcript(whole, t_transcript(make, arg, NULL, data, length, 1, true), "in pieces of", 1);
    same_transcript(whole, t_transcript(make, arg, NULL, data, length, 7, true), "in pieces of", 7);
    for (cut = 1; cut < length; cut += step) {
        leat_session *session = make(NULL, arg);
        struct t_bytes first = t_copy("", 0);
        char *second;
        int status;

        ck_assert_int_eq(leat_feed(session, data, cut), LEAT_OK);
        status = draw(session, &first);
        if (status >= 0) {
            second = transcript(session, (const uint8_t *)data + cut, length - cut, 0, true);
            t_append(&first, second, strlen(second));
            free(second);
        } else {
            say(&first, leat_status_name(status));
            say_error(&first, leat_session_error(session));
            say(&first, "\n");
        }
        leat_session_free(session);
        same_transcript(whole, (char *)first.data, "cut at", cut);
    }
    return whole;
}

void t_every_split_gives(t_make *make, const void *arg, const void *data, size_t length, int status,
                         uint64_t offset)
{
    char *whole = t_every_split(make, arg, data, length);
    const char *last = whole + strlen(whole) - 1;
    char expected[64];

    while (last > whole && last[-1] != '\n')
        last--;
    if (status < 0)
        (void)snprintf(expected, sizeof expected, "%s at %" PRIu64 ":", leat_status_name(status),
                       offset);
    else
        (void)snprintf(expected, sizeof expected, "%s\n", leat_status_name(status));
    ck_assert_msg(strstr(last, expected) != NULL, "expected %s, got %s", expected, last);
    free(whole);
}

/* An allocator that counts, checks sizes, and can fail at a given call. */
struct failing {
    leat_allocator allocator;
    size_t calls;
    size_t fail_at; /* 0: never */
    size_t blocks;
};

static void *failing_resize(void *ctx, void *block, size_t old_bytes, size_t new_bytes)
{
    struct failing *failing = (struct failing *)ctx;
    uint8_t *real = block == NULL ? NULL : (uint8_t *)block - 16;
    size_t was = 0;

    if (real != NULL) {
        memcpy(&was, real, sizeof was);
        ck_assert_msg(was == old_bytes, "a block of %zu octets is said to have %zu", was,
                      old_bytes);
    } else {
        ck_assert_uint_eq(old_bytes, 0);
    }
    if (new_bytes == 0) {
        failing->blocks -= real != NULL;
        free(real);
        return NULL;
    }
    if (++failing->calls == failing->fail_at)
        return NULL;
    /* Always a new block, so that whoever kept the old place is found out. */
    block = malloc(new_bytes + 16);
    ck_assert_ptr_nonnull(block);
    memcpy(block, &new_bytes, sizeof new_bytes);
    if (real != NULL)
        memcpy((uint8_t *)block + 16, real + 16, was < new_bytes ? was : new_bytes);
    else
        failing->blocks++;
    free(real);
    return (uint8_t *)block + 16;
}

static int run_failing(int (*scenario)(const leat_config *config, const void *arg), const void *arg,
                       struct failing *failing, size_t fail_at)
{
    leat_config config;
    int status;

    leat_config_init(&config, sizeof config);
    failing->allocator.resize = failing_resize;
    failing->allocator.ctx = failing;
    failing->calls = failing->blocks = 0;
    failing->fail_at = fail_at;
    config.allocator = &failing->allocator;
    status = scenario(&config, arg);
    ck_assert_msg(failing->blocks == 0, "%zu blocks leak when allocation %zu fails",
                  failing->blocks, fail_at);
    return status;
}

void t_every_alloc(int (*scenario)(const leat_config *config, const void *arg), const void *arg)
{
    struct failing failing;
    size_t calls, i;
    int status;

    ck_assert_int_eq(run_failing(scenario, arg, &failing, 0), LEAT_OK);
    calls = failing.calls;
    ck_assert_uint_gt(calls, 0);
    for (i = 1; i <= calls; i++) {
        status = run_failing(scenario, arg, &failing, i);
        ck_assert_msg(status == LEAT_E_NOMEM || status == LEAT_OK,
                      "allocation %zu of %zu fails: %s", i, calls, leat_status_name(status));
    }
}

int t_feed_scenario(const leat_config *config, const void *feed)
{
    const struct t_feed *what = (const struct t_feed *)feed;
    leat_session *session = what->make(config, what->arg);
    const leat_event *event;
    int status;

    if (session == NULL)
        return LEAT_E_NOMEM;
    status = leat_feed(session, what->data, what->length);
    if (status == LEAT_OK) {
        while ((status = leat_next(session, &event)) == LEAT_OK)
            continue;
    }
    leat_session_free(session);
    return status < 0 ? status : LEAT_OK;
}

static void *counting_resize(void *ctx, void *block, size_t old_bytes, size_t new_bytes)
{
    struct t_counter *counter = (struct t_counter *)ctx;

    counter->now = counter->now - old_bytes + new_bytes;
    if (counter->now > counter->most)
        counter->most = counter->now;
    if (new_bytes == 0) {
        free(block);
        return NULL;
    }
    counter->calls++;
    return realloc(block, new_bytes);
}

void t_counter_init(struct t_counter *counter)
{
    counter->allocator.resize = counting_resize;
    counter->allocator.ctx = counter;
    counter->calls = counter->now = counter->most = 0;
}

/* Moves what waits in one session to the other; draws the events of both. */
static bool move(leat_session *from, leat_session *to)
{
    struct t_bytes unseen = t_copy("", 0);
    const void *data;
    size_t length;

    (void)draw(from, &unseen);
    t_free(unseen);
    data = leat_send_data(from, &length);
    if (length == 0)
        return false;
    ck_assert_int_eq(leat_feed(to, data, length), LEAT_OK);
    ck_assert_int_eq(leat_send_done(from, length), LEAT_OK);
    return true;
}

void t_pair(leat_session *a, leat_session *b)
{
    while (move(a, b) || move(b, a))
        continue;
}

uint64_t t_deadline(const char *word)
{
    return strcmp(word, "never") == 0 ? UINT64_MAX : (uint64_t)strtoull(word, NULL, 10);
}

uint32_t t_wants(const char *words)
{
    uint32_t wants = 0;

    if (strstr(words, "read") != NULL)
        wants |= LEAT_WANT_READ;
    if (strstr(words, "write") != NULL)
        wants |= LEAT_WANT_WRITE;
    if (strstr(words, "close") != NULL)
        wants |= LEAT_WANT_CLOSE;
    return wants;
}
