/* leat decode|encode broker-data: Broker values, hex to JSON and back. */
#include "tool.h"

#include <leat/broker.h>

static bool broker_from_hex(struct lines *lines, const char *line, size_t length)
{
    const leat_value *value;

    if (!line_octets(lines, line, &length))
        return false;
    if (leat_broker_read(lines->value, NULL, lines->hex, length) != LEAT_OK)
        return line_refuse(lines, leat_builder_error(lines->value));
    value = leat_builder_value(lines->value);
    if (!option_given(lines->arguments, "--typed")) {
        output_json(&lines->output, value);
        return true;
    }
    if (leat_broker_json(lines->octets, value) != LEAT_OK)
        return line_refuse(lines, leat_buffer_error(lines->octets));
    output_text(lines->octets);
    return true;
}

static bool broker_to_hex(struct lines *lines, const char *line, size_t length)
{
    if (leat_broker_json_read(lines->value, NULL, line, length) != LEAT_OK)
        return line_refuse(lines, leat_builder_error(lines->value));
    if (leat_broker_write(lines->octets, leat_builder_value(lines->value)) != LEAT_OK)
        return line_refuse(lines, leat_buffer_error(lines->octets));
    output_hex(lines->octets);
    return true;
}

int decode_broker_data(const struct arguments *arguments)
{
    return each_line(arguments, arguments->operands[0], 0, broker_from_hex);
}

int encode_broker_data(const struct arguments *arguments)
{
    return each_line(arguments, arguments->operands[0], 0, broker_to_hex);
}
