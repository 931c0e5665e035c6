/* What an eStreamer client asks for, by the options of its command. */
#define _POSIX_C_SOURCE 200809L

#include "estreamer_live.h"

#include <string.h>

#define SECONDS_A_DAY 86400u

/* Codes of an extended request by their names, and what is asked for by a flag. */
static const struct {
    const char *name;
    uint16_t code;
    uint32_t flag;
} words[] = {
    {"intrusion", LEAT_ESTREAMER_CODE_INTRUSION, 0},
    {"metadata", LEAT_ESTREAMER_CODE_METADATA, LEAT_ESTREAMER_FLAG_METADATA},
    {"correlation", LEAT_ESTREAMER_CODE_CORRELATION, 0},
    {"discovery", LEAT_ESTREAMER_CODE_DISCOVERY, 0},
    {"connection", LEAT_ESTREAMER_CODE_CONNECTION, 0},
    {"user", LEAT_ESTREAMER_CODE_USER, 0},
    {"malware", LEAT_ESTREAMER_CODE_MALWARE, 0},
    {"file", LEAT_ESTREAMER_CODE_FILE, 0},
    {"impact", LEAT_ESTREAMER_CODE_IMPACT, 0},
    {"packets", 0, LEAT_ESTREAMER_FLAG_PACKETS},
    {"extra-data", 0, LEAT_ESTREAMER_FLAG_EXTRA_DATA},
};

/* The version of a code in the set of the release; 0: it is not in there. */
static uint16_t version_of(const leat_estreamer_event_type *set, size_t count, uint16_t code)
{
    size_t i;

    for (i = 0; i < count; i++) {
        if (set[i].event_code == code)
            return set[i].event_version;
    }
    return 0;
}

/* One item of --events: a word or a code, perhaps with a version. False: it is none. */
static bool take_event(struct request *request, const char *item, size_t length,
                       const leat_estreamer_event_type *set, size_t count)
{
    const char *slash = memchr(item, '/', length);
    size_t name_length = slash == NULL ? length : (size_t)(slash - item);
    uint64_t code = 0;
    uint64_t version = 0;
    uint32_t flag = 0;
    size_t i;

    for (i = 0; i < sizeof words / sizeof *words; i++) {
        if (strlen(words[i].name) == name_length && memcmp(words[i].name, item, name_length) == 0)
            break;
    }
    if (i < sizeof words / sizeof *words) {
        code = words[i].code;
        flag = words[i].flag;
    } else if (!number_read(item, name_length, 10, &code) || code == 0 || code > UINT16_MAX) {
        return false;
    }
    if (slash != NULL &&
        (code == 0 || !number_read(slash + 1, length - name_length - 1, 10, &version) ||
         version == 0 || version > UINT16_MAX))
        return false;
    if (slash == NULL && code != 0)
        version = version_of(set, count, (uint16_t)code);
    request->options.request_flags |= flag;
    if (code == 0)
        return true;
    if (version == 0 || request->options.event_type_count == EVENT_TYPES_MAX)
        return false;
    request->event_types[request->options.event_type_count].event_code = (uint16_t)code;
    request->event_types[request->options.event_type_count++].event_version = (uint16_t)version;
    return true;
}

static bool read_events(struct request *request, const struct arguments *arguments)
{
    const char *release = option_value(arguments, "--release");
    const char *list = option_value(arguments, "--events");
    const leat_estreamer_event_type *set;
    size_t count;

    set = leat_estreamer_event_types(release == NULL ? "7.1" : release, &count);
    if (set == NULL) {
        complain("--release %s: not a version from 5.4 on", release);
        return false;
    }
    request->options.event_types = request->event_types;
    if (list == NULL) {
        memcpy(request->event_types, set, count * sizeof *set);
        request->options.event_type_count = count;
        return true;
    }
    request->options.request_flags =
        LEAT_ESTREAMER_FLAG_EXTENDED_HEADER | LEAT_ESTREAMER_FLAG_EXTENDED_REQUEST;
    for (;;) {
        size_t length = strcspn(list, ",");

        if (!take_event(request, list, length, set, count)) {
            complain("--events: %.*s: not a kind of event, nor a code with its version",
                     (int)length, list);
            return false;
        }
        if (list[length] == '\0')
            break;
        list += length + 1;
    }
    if (request->options.event_type_count == 0) {
        request->options.request_flags &= ~LEAT_ESTREAMER_FLAG_EXTENDED_REQUEST;
        request->options.event_types = NULL;
    }
    return true;
}

/* Days since 1970 of a date of the Gregorian calendar. */
static uint64_t days_of(uint64_t year, uint64_t month, uint64_t day)
{
    /* Years begin in March here, so that the day that some lack comes last. */
    uint64_t years = month > 2 ? year : year - 1;
    uint64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return years * 365 + years / 4 - years / 100 + years / 400 + day_of_year - 719468;
}

/* YYYY-MM-DD or YYYY-MM-DDThh:mm:ss, with a Z behind it or not. */
static bool read_time(const char *text, uint64_t *seconds)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:dd";
    size_t length = strlen(text);
    uint64_t parts[6] = {0};
    uint64_t day;
    size_t part = 0;
    size_t i;

    if (length == sizeof shape && text[length - 1] == 'Z')
        length--;
    if (length != sizeof shape - 1 && length != 10)
        return false;
    for (i = 0; i < length; i++) {
        if (shape[i] != 'd') {
            if (text[i] != shape[i])
                return false;
            part++;
        } else if (text[i] < '0' || text[i] > '9') {
            return false;
        } else {
            parts[part] = parts[part] * 10 + (uint64_t)(text[i] - '0');
        }
    }
    if (parts[0] < 1970 || parts[1] < 1 || parts[1] > 12 || parts[2] < 1 || parts[3] > 23 ||
        parts[4] > 59 || parts[5] > 59)
        return false;
    day = days_of(parts[0], parts[1], parts[2]);
    if (day >= (parts[1] < 12 ? days_of(parts[0], parts[1] + 1, 1) : days_of(parts[0] + 1, 1, 1)))
        return false;
    *seconds = day * SECONDS_A_DAY + parts[3] * 3600 + parts[4] * 60 + parts[5];
    return true;
}

static bool read_start(struct request *request, const char *text)
{
    uint64_t seconds = LEAT_ESTREAMER_OLDEST;

    if (text == NULL || strcmp(text, "oldest") == 0) {
        request->options.initial_timestamp = LEAT_ESTREAMER_OLDEST;
        return true;
    }
    if (strcmp(text, "now") == 0) {
        request->options.initial_timestamp = LEAT_ESTREAMER_NOW;
        return true;
    }
    if ((!number_read(text, strlen(text), 10, &seconds) && !read_time(text, &seconds)) ||
        seconds >= LEAT_ESTREAMER_NOW) {
        complain("--start %s: not oldest, now, seconds since 1970 or a time", text);
        return false;
    }
    request->options.initial_timestamp = (uint32_t)seconds;
    return true;
}

/* A host_data_request, in the form of 5.0 and later. Source: spec section 11. */
static bool read_hosts(struct request *request, const char *text)
{
    uint8_t first[16];
    uint8_t last[16];
    size_t length = strcspn(text, "-");
    bool range = text[length] == '-';
    const char *end = range ? text + length + 1 : text;
    bool ipv4;

    if (!address_read(text, length, first) ||
        !address_read(end, range ? strlen(end) : length, last) ||
        memcmp(first, last, sizeof first) > 0) {
        complain("--host-range %s: not an address, or two in their order with - between", text);
        return false;
    }
    ipv4 = address_is_ipv4(first) && address_is_ipv4(last);
    need_memory(leat_builder_new(NULL, &request->hosts));
    (void)leat_builder_open(request->hosts, NULL, LEAT_RECORD);
    if (!ipv4)
        (void)leat_builder_bool(request->hosts, "ipv6", 1);
    (void)leat_builder_u64(request->hosts, "data_type", range ? 7 : 6);
    (void)leat_builder_u64(request->hosts, "flags", 3); /* with notes and banners */
    (void)leat_builder_address(request->hosts, "start_ip", ipv4 ? first + 12 : first,
                               ipv4 ? 4 : 16);
    (void)leat_builder_address(request->hosts, "end_ip", ipv4 ? last + 12 : last, ipv4 ? 4 : 16);
    need_memory(leat_builder_close(request->hosts));
    return true;
}

bool request_read(struct request *request, const struct arguments *arguments)
{
    const char *hosts = option_value(arguments, "--host-range");
    bool with_flags = option_given(arguments, "--flags");
    uint64_t flags;

    memset(request, 0, sizeof *request);
    leat_estreamer_client_options_init(&request->options, sizeof request->options);
    request->options.hold = 1;
    request->options.idle_ms = 300000;
    request->wants_events = hosts == NULL || with_flags || option_given(arguments, "--start") ||
                            option_given(arguments, "--events");
    if (!read_events(request, arguments) ||
        !read_start(request, option_value(arguments, "--start")) ||
        !option_seconds(arguments, "--idle", &request->options.idle_ms) ||
        (hosts != NULL && !read_hosts(request, hosts)))
        return false;
    if (!request->wants_events)
        request->options.request_flags = LEAT_ESTREAMER_FLAG_METADATA;
    if (option_given(arguments, "--metadata"))
        request->options.request_flags |= LEAT_ESTREAMER_FLAG_METADATA;
    flags = request->options.request_flags;
    if (!option_number(arguments, "--flags", 0, UINT32_MAX, &flags)) {
        request_free(request);
        return false;
    }
    request->options.request_flags = (uint32_t)flags;
    return true;
}

void request_free(struct request *request)
{
    leat_builder_free(request->hosts);
    request->hosts = NULL;
}
