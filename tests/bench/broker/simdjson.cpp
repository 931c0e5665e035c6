#include "rivals.h"

#include <simdjson.h>

static size_t count(simdjson::dom::element value)
{
    size_t all = 1;

    if (value.is_array()) {
        for (simdjson::dom::element child : simdjson::dom::array(value))
            all += count(child);
    } else if (value.is_object()) {
        for (simdjson::dom::key_value_pair child : simdjson::dom::object(value))
            all += count(child.value);
    }
    return all;
}

/* The parser is kept from text to text, as its manual advises. */
extern "C" size_t simdjson_read(const char *text, size_t length)
{
    static simdjson::dom::parser parser;
    simdjson::dom::element value;

    return parser.parse(text, length, false).get(value) ? 0 : count(value);
}
