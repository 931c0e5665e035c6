/* leat zeek events: the table of all events of Zeek's Management framework, with what they carry. */
#include "tool.h"

#include <leat/zeek_management.h>
#include <string.h>

/* Whether it is that name, or that name in any module. NULL: every one is. */
static bool is_named(const leat_value *row, const char *wanted)
{
    size_t length, end;
    const char *name = leat_value_text(leat_value_get(row, "name"), &length);

    if (wanted == NULL)
        return true;
    end = strlen(wanted);
    if (length < end || memcmp(name + length - end, wanted, end) != 0)
        return false;
    return length == end || (length > end + 1 && name[length - end - 1] == ':');
}

/* Prints what has the name, of a list, as lines: {"event":{...}}. How many. */
static size_t print_rows(struct output *output, const leat_value *rows, const char *before,
                         const char *wanted)
{
    const leat_value *row;
    size_t count = 0;

    for (row = leat_value_first(rows); row != NULL; row = leat_value_next(rows, row)) {
        if (!is_named(row, wanted))
            continue;
        output_put(output, before, row);
        (void)fputs("}\n", stdout);
        count++;
    }
    return count;
}

static size_t print_table(struct output *output, const leat_value *table, const char *wanted)
{
    if (wanted == NULL) {
        output_put(output, "{\"version\":", leat_value_get(table, "version"));
        (void)fputs("}\n", stdout);
    }
    return print_rows(output, leat_value_get(table, "events"), "{\"event\":", wanted) +
           print_rows(output, leat_value_get(table, "records"), "{\"record\":", wanted) +
           print_rows(output, leat_value_get(table, "enums"), "{\"enum\":", wanted);
}

int zeek_events(const struct arguments *arguments)
{
    const char *wanted = arguments->operands[0];
    struct output output;
    leat_builder *builder;
    size_t count;

    output_open(&output);
    need_memory(leat_builder_new(NULL, &builder));
    need_memory(leat_zeek_management_describe(builder, NULL));
    count = print_table(&output, leat_builder_value(builder), wanted);
    leat_builder_free(builder);
    output_close(&output);
    if (count == 0)
        complain("%s: there is no such event, record or enum", wanted);
    return count > 0 ? EXIT_DONE : EXIT_MALFORMED;
}
