/* leat decode|encode estreamer-record: payloads of event data, hex to JSON and back. */
#include "tool.h"

#include <leat/estreamer.h>
#include <string.h>

static bool record_from_hex(struct lines *lines, const char *line, size_t length)
{
    if (!line_octets(lines, line, &length))
        return false;
    if (leat_estreamer_record_read(lines->value, NULL, lines->record_type, lines->hex, length) !=
        LEAT_OK)
        return line_refuse(lines, leat_builder_error(lines->value));
    output_json(&lines->output, leat_builder_value(lines->value));
    return true;
}

static bool record_to_hex(struct lines *lines, const char *line, size_t length)
{
    if (leat_builder_json(lines->value, NULL, line, length) != LEAT_OK)
        return line_refuse(lines, leat_builder_error(lines->value));
    if (leat_estreamer_record_write(lines->octets, lines->record_type,
                                    leat_builder_value(lines->value)) != LEAT_OK)
        return line_refuse(lines, leat_buffer_error(lines->octets));
    output_hex(lines->octets);
    return true;
}

/* The first operand is the record type: a decimal number of 32 bits. */
static int each_record(const struct arguments *arguments, line_convert *convert)
{
    const char *digits = arguments->operands[0];
    uint64_t type;

    if (!number_read(digits, strlen(digits), 10, &type) || type > UINT32_MAX) {
        complain("%s: not a record type, which is a number of 32 bits", digits);
        return EXIT_USAGE;
    }
    return each_line(arguments, arguments->operands[1], (uint32_t)type, convert);
}

int decode_estreamer_record(const struct arguments *arguments)
{
    return each_record(arguments, record_from_hex);
}

int encode_estreamer_record(const struct arguments *arguments)
{
    return each_record(arguments, record_to_hex);
}
