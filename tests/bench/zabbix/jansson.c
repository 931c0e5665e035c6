#include "rivals.h"

#include <jansson.h>

static uint64_t number(const json_t *row, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(row, name));
}

uint64_t jansson_sum(const char *text, size_t length)
{
    json_error_t error;
    json_t *message = json_loadb(text, length, 0, &error);
    const json_t *rows = json_object_get(message, "history data");
    size_t count = json_array_size(rows), i;
    uint64_t sum = 0;

    for (i = 0; i < count; i++) {
        const json_t *row = json_array_get(rows, i), *value = json_object_get(row, "value");

        sum += number(row, "id") + number(row, "itemid") + number(row, "clock") +
               number(row, "ns") + json_string_length(value) + (uint8_t)json_string_value(value)[0];
    }
    json_decref(message);
    return sum;
}

static void set(json_t *object, const char *name, uint64_t number)
{
    json_object_set_new(object, name, json_integer((json_int_t)number));
}

size_t jansson_write(const struct row *rows, size_t count, char *text, size_t size)
{
    json_t *message = json_object(), *list = json_array();
    size_t i, length;

    json_object_set_new(message, "request", json_string(MESSAGE_REQUEST));
    json_object_set_new(message, "host", json_string(MESSAGE_HOST));
    json_object_set_new(message, "session", json_string(MESSAGE_SESSION));
    json_object_set_new(message, "history data", list);
    for (i = 0; i < count; i++) {
        json_t *row = json_object();

        set(row, "id", rows[i].id);
        set(row, "itemid", rows[i].itemid);
        set(row, "clock", rows[i].clock);
        set(row, "ns", rows[i].ns);
        json_object_set_new(row, "value", json_stringn(rows[i].value, rows[i].value_length));
        json_array_append_new(list, row);
    }
    json_object_set_new(message, "version", json_string(MESSAGE_VERSION));
    set(message, "clock", MESSAGE_CLOCK);
    set(message, "ns", MESSAGE_NS);
    length = json_dumpb(message, text, size, JSON_COMPACT);
    json_decref(message);
    return length <= size ? length : 0;
}
