#include "rivals.h"

#include <json-c/json.h>

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
