/* Lines that go in and out of commands that talk over the network. */
#include "live.h"

#include <stdlib.h>
#include <string.h>

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
