#include "rivals.h"

#include <jansson.h>

static json_t *kept;

static size_t count(const json_t *value)
{
    const json_t *child;
    const char *name;
    size_t all = 1, i;

    if (json_is_array(value)) {
        json_array_foreach(value, i, child)
        {
            all += count(child);
        }
    } else if (json_is_object(value)) {
        json_object_foreach((json_t *)(size_t)value, name, child)
        {
            all += count(child);
        }
    }
    return all;
}

size_t jansson_read(const char *text, size_t length)
{
    json_error_t error;

    json_decref(kept);
    kept = json_loadb(text, length, 0, &error);
    return kept == NULL ? 0 : count(kept);
}

size_t jansson_write(char *text, size_t size)
{
    size_t length = json_dumpb(kept, text, size, JSON_COMPACT);

    return length <= size ? length : 0;
}
