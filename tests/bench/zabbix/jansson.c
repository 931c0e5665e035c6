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
