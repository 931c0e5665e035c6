#include "rivals.h"

#include <json-c/json.h>
#include <string.h>

static struct json_object *kept;

static size_t count(struct json_object *value)
{
    size_t all = 1, i;

    if (json_object_is_type(value, json_type_array)) {
        for (i = 0; i < json_object_array_length(value); i++)
            all += count(json_object_array_get_idx(value, i));
    } else if (json_object_is_type(value, json_type_object)) {
        struct json_object_iterator at = json_object_iter_begin(value),
                                    end = json_object_iter_end(value);

        for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
            all += count(json_object_iter_peek_value(&at));
    }
    return all;
}

size_t json_c_read(const char *text, size_t length)
{
    struct json_tokener *tokener = json_tokener_new();

    json_object_put(kept);
    kept = json_tokener_parse_ex(tokener, text, (int)length);
    json_tokener_free(tokener);
    return kept == NULL ? 0 : count(kept);
}

size_t json_c_write(char *text, size_t size)
{
    size_t length;
    const char *written = json_object_to_json_string_length(kept, JSON_C_TO_STRING_PLAIN, &length);

    if (length > size)
        return 0;
    memcpy(text, written, length);
    return length;
}
