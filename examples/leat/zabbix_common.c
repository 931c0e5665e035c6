/* What the commands for Zabbix have in common: versions, times, and lines that go in and out. */
#define _POSIX_C_SOURCE 200809L

#include "zabbix_live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_VERSION "7.0"

bool version_read(const struct arguments *arguments, char version[VERSION_BYTES])
{
    const char *given = option_value(arguments, "--as-version");
    const char *text = given != NULL ? given : DEFAULT_VERSION;
    const char *dot = strchr(text, '.');
    bool is_short = dot != NULL && strchr(dot + 1, '.') == NULL;
    leat_zabbix_exchange_options options;
    leat_session *session = NULL;
    int status = LEAT_E_VALUE;

    leat_zabbix_exchange_options_init(&options, sizeof options);
    options.version = version;
    options.role = LEAT_ZABBIX_AS_SERVER;
    if (strlen(text) + sizeof ".0" <= VERSION_BYTES) {
        /* 7.0 is a branch; what peers are told has three numbers. */
        (void)snprintf(version, VERSION_BYTES, "%s%s", text, is_short ? ".0" : "");
        status = leat_zabbix_exchange_new(NULL, &options, &session);
    }
    need_memory(status);
    leat_session_free(session);
    if (status != LEAT_OK)
        complain("--as-version %s: not a version from 5.0 to 7.4", text);
    return status == LEAT_OK;
}

bool version_is_since(const char *text, size_t length, uint64_t major, uint64_t minor)
{
    const char *dot = memchr(text, '.', length);
    uint64_t first, second;
    size_t digits;

    if (dot == NULL || !number_read(text, (size_t)(dot - text), 10, &first))
        return false;
    length -= (size_t)(dot + 1 - text);
    for (digits = 0; digits < length && dot[1 + digits] >= '0' && dot[1 + digits] <= '9';)
        digits++;
    if (!number_read(dot + 1, digits, 10, &second))
        return false;
    return first > major || (first == major && second >= minor);
}

int64_t clock_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void print_event(struct output *output, const struct connection *connection,
                 const leat_event *event, const char *proxy)
{
    struct origin origin;

    memset(&origin, 0, sizeof origin);
    origin.dir = connection->role->dir_in;
    origin.dir_length = strlen(origin.dir);
    origin.conn = connection->number;
    origin.has_conn = true;
    origin.proxy = proxy;
    if (proxy == NULL && connection->role->is_server)
        origin.peer = connection->peer;
    output_event(output, event, &origin, NULL);
}

void describe_end(const struct connection *connection, char *text, size_t size)
{
    /* Else the reason has the address that failed. */
    bool was_there = connection->role->is_server || connection->session != NULL;

    (void)snprintf(text, size, "%s%s%s", was_there ? connection->peer : "", was_there ? ": " : "",
                   connection->reason);
}

const leat_value *record_read(leat_builder *builder, const char *text, size_t length,
                              const char **problem)
{
    const leat_value *value;

    leat_builder_clear(builder);
    if (leat_builder_json(builder, NULL, text, length) != LEAT_OK) {
        need_memory(leat_error_code(leat_builder_error(builder)));
        *problem = leat_error_text(leat_builder_error(builder));
        return NULL;
    }
    value = leat_builder_value(builder);
    if (leat_value_kind(value) == LEAT_RECORD)
        return value;
    *problem = "not an object";
    return NULL;
}

bool is_command(const leat_value *line, const char *name)
{
    return leat_value_count(line) == 1 && leat_value_bool(leat_value_get(line, name)) != 0;
}

char *text_copy(const leat_value *record, const char *name)
{
    const leat_value *value = leat_value_get(record, name);
    size_t length;
    const char *text = leat_value_text(value, &length);
    char *copy;

    if (leat_value_kind(value) != LEAT_TEXT || memchr(text, '\0', length) != NULL)
        return NULL;
    copy = malloc(length + 1);
    need_memory(copy == NULL ? LEAT_E_NOMEM : LEAT_OK);
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

bool fields_known(const leat_value *record, const char *const *names, const char **unknown,
                  size_t *length)
{
    const leat_value *field;

    for (field = leat_value_first(record); field != NULL; field = leat_value_next(record, field)) {
        const char *const *name = names;

        *unknown = leat_value_name(field, length);
        while (*name != NULL && (strlen(*name) != *length || memcmp(*name, *unknown, *length) != 0))
            name++;
        if (*name == NULL)
            return false;
    }
    return true;
}

void output_keep(void)
{
    struct stat about;

    output_flush();
    if (fstat(STDOUT_FILENO, &about) == 0 && S_ISREG(about.st_mode) && fsync(STDOUT_FILENO) != 0)
        file_give_up("standard output");
}
