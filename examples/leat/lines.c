/* Commands that convert one value a line. */
#include "tool.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

bool line_refuse(struct lines *lines, const leat_error *error)
{
    need_memory(leat_error_code(error));
    lines->problem = leat_error_text(error);
    lines->problem_field = leat_error_field(error);
    lines->problem_offset = leat_error_offset(error);
    return false;
}

bool line_octets(struct lines *lines, const char *line, size_t *length)
{
    struct hex_reader hex = {-1, 0};
    size_t room = *length / 2 + 1;
    bool sound;

    if (room > lines->hex_size) {
        uint8_t *grown = realloc(lines->hex, room);

        need_memory(grown != NULL ? LEAT_OK : LEAT_E_NOMEM);
        lines->hex = grown;
        lines->hex_size = room;
    }
    *length = hex_read(&hex, line, *length, lines->hex, &sound);
    if (sound && hex.high < 0)
        return true;
    lines->problem = sound ? "the last octet has one digit only" : "not a hex digit";
    lines->problem_field = "";
    lines->problem_offset = hex.at;
    return false;
}

static int run(struct lines *lines, line_convert *convert)
{
    uint64_t first = 0;
    uint64_t count = 0;
    uint64_t bad = 0;
    const char *line;
    size_t length;

    while (input_line(&lines->input, &line, &length)) {
        count++;
        leat_builder_clear(lines->value);
        leat_buffer_clear(lines->octets);
        if (convert(lines, line, length))
            continue;
        output_error(&lines->output, lines->problem, lines->problem_offset, lines->problem_field);
        if (bad++ == 0)
            first = count;
    }
    if (bad == 0)
        return EXIT_DONE;
    complain("%s: bad lines: %" PRIu64 " of %" PRIu64 "; the first is line %" PRIu64,
             lines->input.name, bad, count, first);
    return EXIT_MALFORMED;
}

int each_line(const struct arguments *arguments, const char *path, uint32_t record_type,
              line_convert *convert)
{
    struct lines lines;
    leat_limits limits;
    leat_config config;
    int code;

    memset(&lines, 0, sizeof lines);
    lines.arguments = arguments;
    lines.record_type = record_type;
    if (!input_open(&lines.input, path))
        return EXIT_USAGE;
    leat_limits_init(&limits, sizeof limits);
    limits.queued_bytes = SIZE_MAX;
    leat_config_init(&config, sizeof config);
    config.limits = &limits;
    need_memory(leat_builder_new(&config, &lines.value));
    need_memory(leat_buffer_new(&config, &lines.octets));
    output_open(&lines.output);
    code = run(&lines, convert);
    output_close(&lines.output);
    leat_buffer_free(lines.octets);
    leat_builder_free(lines.value);
    free(lines.hex);
    input_close(&lines.input);
    return code;
}
