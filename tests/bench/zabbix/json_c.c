#include "rivals.h"

#include <json-c/json.h>
#include <string.h>

static uint64_t number(struct json_object *row, const char *name)
{
    struct json_object *field = NULL;

    json_object_object_get_ex(row, name, &field);
    return json_object_get_uint64(field);
}

uint64_t json_c_sum(const char *text, size_t length)
{
    struct json_tokener *tokener = json_tokener_new();
    struct json_object *message = json_tokener_parse_ex(tokener, text, (int)length);
    struct json_object *rows = NULL;
    uint64_t sum = 0;
    size_t count, i;

    json_object_object_get_ex(message, "history data", &rows);
    count = rows == NULL ? 0 : json_object_array_length(rows);
    for (i = 0; i < count; i++) {
        struct json_object *row = json_object_array_get_idx(rows, i), *value = NULL;

        json_object_object_get_ex(row, "value", &value);
        sum += number(row, "id") + number(row, "itemid") + number(row, "clock") +
               number(row, "ns") + (uint64_t)json_object_get_string_len(value) +
               (uint8_t)json_object_get_string(value)[0];
    }
    json_object_put(message);
    json_tokener_free(tokener);
    return sum;
}

static void set(struct json_object *object, const char *name, uint64_t value)
{
    json_object_object_add(object, name, json_object_new_uint64(value));
}

static void set_text(struct json_object *object, const char *name, const char *text, size_t length)
{
    json_object_object_add(object, name, json_object_new_string_len(text, (int)length));
}

size_t json_c_write(const struct row *rows, size_t count, char *text, size_t size)
{
    struct json_object *message = json_object_new_object(), *list = json_object_new_array();
    const char *written;
    size_t i, length;

    set_text(message, "request", MESSAGE_REQUEST, strlen(MESSAGE_REQUEST));
    set_text(message, "host", MESSAGE_HOST, strlen(MESSAGE_HOST));
    set_text(message, "session", MESSAGE_SESSION, strlen(MESSAGE_SESSION));
    json_object_object_add(message, "history data", list);
    for (i = 0; i < count; i++) {
        struct json_object *row = json_object_new_object();

        set(row, "id", rows[i].id);
        set(row, "itemid", rows[i].itemid);
        set(row, "clock", rows[i].clock);
        set(row, "ns", rows[i].ns);
        set_text(row, "value", rows[i].value, rows[i].value_length);
        json_object_array_add(list, row);
    }
    set_text(message, "version", MESSAGE_VERSION, strlen(MESSAGE_VERSION));
    set(message, "clock", MESSAGE_CLOCK);
    set(message, "ns", MESSAGE_NS);
    written = json_object_to_json_string_length(message, JSON_C_TO_STRING_PLAIN, &length);
    if (length <= size)
        memcpy(text, written, length);
    json_object_put(message);
    return length <= size ? length : 0;
}
