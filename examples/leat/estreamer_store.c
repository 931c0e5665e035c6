/* The records that an eStreamer server serves, from lines that the client printed or from files of payloads. */
#define _POSIX_C_SOURCE 200809L

#include "estreamer_live.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX ((size_t)64 << 20)

/* The longest record that the default limits let pass, with room for each header that it may get. */
#define RECORD_MAX (((size_t)16 << 20) - 64)

/* Room for one more in an array that doubles. */
static void *grown(void *array, size_t count, size_t *size, size_t item_bytes)
{
    if (count < *size)
        return array;
    *size = *size == 0 ? 64 : 2 * *size;
    array = realloc(array, *size * item_bytes);
    need_memory(array == NULL ? LEAT_E_NOMEM : LEAT_OK);
    return array;
}

static void add_record(struct store *store, uint32_t type, uint32_t archive_timestamp,
                       const void *octets, size_t length)
{
    const char *category = leat_estreamer_record_category(type);
    struct stored_record *record;

    store->records =
        grown(store->records, store->record_count, &store->record_size, sizeof *store->records);
    record = &store->records[store->record_count];
    record->type = type;
    record->archive_timestamp = archive_timestamp;
    record->is_metadata = category != NULL && strcmp(category, "metadata") == 0;
    record->number = store->record_count++;
    record->length = length;
    record->octets = malloc(length + 1);
    need_memory(record->octets == NULL ? LEAT_E_NOMEM : LEAT_OK);
    if (length > 0)
        memcpy(record->octets, octets, length);
}

/* Lines */

static bool is_word(const leat_value *value, const char *word)
{
    size_t length;
    const char *text = leat_value_text(value, &length);

    return length == strlen(word) && memcmp(text, word, length) == 0;
}

static const char too_long[] = "longer than a message may be";

/* An event_data as the client prints it. NULL, or what is wrong with it. */
static const char *take_record(struct store *store, leat_buffer *octets, const leat_value *value)
{
    uint64_t type = leat_value_u64(leat_value_get(value, "record_type"));
    const leat_value *archived = leat_value_get(value, "archive_timestamp");
    uint64_t archive = leat_value_u64(archived);
    const leat_value *record = leat_value_get(value, "record");
    const void *data;
    size_t length;

    if (record == NULL || type == 0 || type > UINT16_MAX || archive > UINT32_MAX ||
        (archived != NULL && leat_value_kind(archived) != LEAT_UINT))
        return "not an event_data";
    leat_buffer_clear(octets);
    if (leat_estreamer_record_write(octets, (uint32_t)type, record) != LEAT_OK) {
        need_memory(leat_error_code(leat_buffer_error(octets)));
        return leat_error_text(leat_buffer_error(octets));
    }
    data = leat_buffer_data(octets, &length);
    if (length > RECORD_MAX)
        return too_long;
    add_record(store, (uint32_t)type, (uint32_t)archive, data, length);
    return NULL;
}

/* A host profile: NULL, or what is wrong with it, which is found by writing it. */
static const char *take_host(struct store *store, const leat_value *value)
{
    const char *problem = NULL;
    leat_session *codec;
    leat_builder *copy;
    size_t length;
    int status;

    if (leat_value_kind(value) != LEAT_RECORD)
        return "not a host profile";
    if (leat_value_count(value) == 0) /* the end of an answer */
        return NULL;
    need_memory(leat_estreamer_codec_new(NULL, LEAT_FROM_SERVER, &codec));
    status = leat_send(codec, "single_host_data", value);
    need_memory(status);
    (void)leat_send_data(codec, &length);
    if (status != LEAT_OK)
        problem = leat_error_text(leat_session_send_error(codec));
    else if (length > RECORD_MAX)
        problem = too_long;
    leat_session_free(codec);
    if (problem != NULL)
        return problem;
    need_memory(leat_builder_new(NULL, &copy));
    need_memory(leat_builder_copy(copy, NULL, value));
    store->hosts = grown(store->hosts, store->host_count, &store->host_size, sizeof *store->hosts);
    store->hosts[store->host_count].value = copy;
    store->hosts[store->host_count++].length = length;
    return NULL;
}

/*
 * One line. NULL, or what is wrong with it; *left_out tells if the others are sound all the same: a client that
 * was killed leaves a line that is cut, and prints null for what it could not decode.
 */
static const char *take_line(struct store *store, leat_builder *builder, leat_buffer *octets,
                             const char *line, size_t length, bool *left_out)
{
    const leat_value *event;
    const leat_value *name;
    const leat_value *value;

    *left_out = false;
    if (length == 0)
        return NULL;
    leat_builder_clear(builder);
    if (leat_builder_json(builder, NULL, line, length) != LEAT_OK) {
        const leat_error *error = leat_builder_error(builder);

        need_memory(leat_error_code(error));
        *left_out = leat_error_code(error) == LEAT_E_SYNTAX && leat_error_offset(error) == length;
        return leat_error_text(error);
    }
    event = leat_builder_value(builder);
    name = leat_value_get(event, "event");
    value = leat_value_get(event, "value");
    if (name == NULL)
        return "not an event";
    *left_out = leat_value_kind(value) == LEAT_NULL && value != NULL;
    if (*left_out)
        return "an event that could not be decoded";
    if (is_word(name, "event_data"))
        return take_record(store, octets, value);
    if (is_word(name, "single_host_data") || is_word(name, "multiple_host_data"))
        return take_host(store, value);
    return NULL;
}

int store_read_lines(struct store *store, const char *path)
{
    struct input input;
    leat_builder *builder;
    leat_buffer *octets;
    bool sound = true;
    uint64_t number = 0;
    const char *line;
    size_t length;

    if (!input_open(&input, path))
        return EXIT_USAGE;
    need_memory(leat_builder_new(NULL, &builder));
    need_memory(leat_buffer_new(NULL, &octets));
    while (sound && input_line(&input, &line, &length)) {
        bool left_out;
        const char *problem = take_line(store, builder, octets, line, length, &left_out);

        number++;
        sound = problem == NULL || left_out;
        if (problem != NULL)
            complain("%s: line %" PRIu64 ": %s%s", input.name, number, problem,
                     left_out ? "; it is left out" : "");
    }
    leat_buffer_free(octets);
    leat_builder_free(builder);
    input_close(&input);
    return sound ? EXIT_DONE : EXIT_MALFORMED;
}

/* Folders */

/* A payload of event data; its record header is that of 16 octets, or of 8. */
static const char *take_payload(struct store *store, const uint8_t *octets, size_t length)
{
    uint64_t record = length < 8 ? 0 : get_u32be(octets + 4);
    size_t header = length >= 16 && length == record + 16 ? 16 : 8;

    if (length != record + header)
        return "not a record header, and the record of the length that it tells";
    if (record > RECORD_MAX)
        return too_long;
    add_record(store, get_u32be(octets) & UINT16_MAX, header == 16 ? get_u32be(octets + 8) : 0,
               octets + header, (size_t)record);
    return NULL;
}

static int read_payload(struct store *store, const char *path)
{
    struct hex_reader hex = {-1, 0};
    const char *problem = "not hex digits";
    size_t length;
    char *text = input_file(path, FILE_MAX, &length);
    bool sound;

    if (text == NULL)
        return EXIT_USAGE;
    length = hex_read(&hex, text, length, (uint8_t *)text, &sound);
    if (sound && hex.high < 0)
        problem = take_payload(store, (const uint8_t *)text, length);
    free(text);
    if (problem != NULL)
        complain("%s: %s", path, problem);
    return problem == NULL ? EXIT_DONE : EXIT_MALFORMED;
}

static int is_payload(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);

    return length > 4 && strcmp(entry->d_name + length - 4, ".hex") == 0;
}

int store_read_folder(struct store *store, const char *path)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, is_payload, alphasort);
    int code = EXIT_DONE;
    int i;

    if (count < 0) {
        complain("%s: %s", path, strerror(errno));
        return EXIT_USAGE;
    }
    for (i = 0; i < count; i++) {
        size_t size = strlen(path) + strlen(entries[i]->d_name) + 2;
        char *file = malloc(size);

        need_memory(file == NULL ? LEAT_E_NOMEM : LEAT_OK);
        (void)snprintf(file, size, "%s/%s", path, entries[i]->d_name);
        if (code == EXIT_DONE)
            code = read_payload(store, file);
        free(file);
        free(entries[i]);
    }
    free(entries);
    return code;
}

/* Order */

/*
 * Metadata first, so that no event comes before its names; then in the order of the archive, as a client resumes
 * behind the latest that it has.
 */
static int compare(const void *left, const void *right)
{
    const struct stored_record *a = left;
    const struct stored_record *b = right;

    if (a->is_metadata != b->is_metadata)
        return a->is_metadata ? -1 : 1;
    if (!a->is_metadata && a->archive_timestamp != b->archive_timestamp)
        return a->archive_timestamp < b->archive_timestamp ? -1 : 1;
    return a->number < b->number ? -1 : 1;
}

void store_sort(struct store *store)
{
    if (store->record_count > 0)
        qsort(store->records, store->record_count, sizeof *store->records, compare);
}

void store_free(struct store *store)
{
    size_t i;

    for (i = 0; i < store->record_count; i++)
        free(store->records[i].octets);
    for (i = 0; i < store->host_count; i++)
        leat_builder_free(store->hosts[i].value);
    free(store->records);
    free(store->hosts);
}

/* Hosts */

bool address_octets(const leat_value *value, uint8_t octets[16])
{
    size_t length;
    const uint8_t *bytes = leat_value_bytes(value, &length);

    if (leat_value_kind(value) == LEAT_TEXT)
        return address_read((const char *)bytes, length, octets);
    if (leat_value_kind(value) != LEAT_ADDRESS)
        return false;
    if (length == 4)
        address_map(bytes, octets);
    else
        memcpy(octets, bytes, 16);
    return true;
}

static bool is_in(const leat_value *address, const uint8_t first[16], const uint8_t last[16])
{
    uint8_t octets[16];

    return address_octets(address, octets) && memcmp(first, octets, sizeof octets) <= 0 &&
           memcmp(octets, last, sizeof octets) <= 0;
}

/* Profiles of 5.2 and later have a list of addresses, older ones have one. */
bool stored_host_is_in(const struct stored_host *host, const uint8_t first[16],
                       const uint8_t last[16])
{
    const leat_value *profile = leat_builder_value(host->value);
    const leat_value *addresses = leat_value_get(profile, "ip_addresses");
    const leat_value *address;

    for (address = leat_value_first(addresses); address != NULL;
         address = leat_value_next(addresses, address)) {
        if (is_in(leat_value_get(address, "ip_address"), first, last))
            return true;
    }
    return is_in(leat_value_get(profile, "ip_address"), first, last);
}
