/* The command line behind the two words of a command. */
#include "tool.h"

#include <string.h>

/* Where help begins in its line, unless a name is longer. */
#define HELP_COLUMN 14

/* The row number index of the command, counted over all of its tables; NULL: there are no more. */
static const struct option *row_at(const struct command *command, size_t index)
{
    size_t i;

    for (i = 0; i < sizeof command->rows / sizeof *command->rows && command->rows[i] != NULL; i++) {
        const struct option *row;

        for (row = command->rows[i]; row->name != NULL; row++) {
            if (index-- == 0)
                return row;
        }
    }
    return NULL;
}

/* The row of the option of that name, and its index. */
static const struct option *find_row(const struct command *command, const char *name, size_t length,
                                     size_t *index)
{
    const struct option *row;

    for (*index = 0; (row = row_at(command, *index)) != NULL; ++*index) {
        if (strlen(row->name) == length && memcmp(name, row->name, length) == 0)
            return row;
    }
    return NULL;
}

static bool is_option(const char *word)
{
    return word[0] == '-' && word[1] != '\0';
}

/* Takes the option in words[*at], and what follows it. */
static bool take_option(struct arguments *arguments, int count, char *const *words, int *at)
{
    const char *word = words[*at];
    const char *equals = strchr(word, '=');
    size_t length = equals == NULL ? strlen(word) : (size_t)(equals - word);
    size_t index;
    const struct option *row = find_row(arguments->command, word, length, &index);

    if (row == NULL || (row->argument == NULL && equals != NULL)) {
        complain("unknown option %s", word);
        return false;
    }
    if (row->argument == NULL) {
        arguments->values[index] = "";
    } else if (equals != NULL) {
        arguments->values[index] = equals + 1;
    } else if (*at + 1 < count) {
        arguments->values[index] = words[++*at];
    } else {
        complain("%s needs %s", row->name, row->argument);
        return false;
    }
    if (arguments->given_count == GIVEN_MAX) {
        complain("too many options");
        return false;
    }
    arguments->given_rows[arguments->given_count] = index;
    arguments->given_values[arguments->given_count++] = arguments->values[index];
    return true;
}

bool arguments_read(struct arguments *arguments, const struct command *command, int count,
                    char *const *words, bool *help)
{
    bool only_operands = false;
    const char *surplus = NULL;
    int i;

    memset(arguments, 0, sizeof *arguments);
    arguments->command = command;
    *help = false;
    for (i = 0; i < count; i++) {
        const char *word = words[i];

        if (!only_operands && strcmp(word, "--") == 0) {
            only_operands = true;
        } else if (only_operands || !is_option(word)) {
            if (arguments->operand_count < command->operands_max)
                arguments->operands[arguments->operand_count++] = word;
            else if (surplus == NULL)
                surplus = word;
        } else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            *help = true;
            return true;
        } else if (!take_option(arguments, count, words, &i)) {
            return false;
        }
    }
    if (surplus != NULL) {
        complain("one argument too many: %s", surplus);
        return false;
    }
    if (arguments->operand_count < command->operands_min) {
        complain("something is missing: leat %s %s %s", command->verb, command->noun,
                 command->synopsis);
        return false;
    }
    return true;
}

const char *option_value(const struct arguments *arguments, const char *name)
{
    size_t index;

    if (find_row(arguments->command, name, strlen(name), &index) == NULL)
        return NULL;
    return arguments->values[index];
}

const char *option_next(const struct arguments *arguments, const char *name, size_t *at)
{
    size_t index;

    (void)find_row(arguments->command, name, strlen(name), &index);
    while (*at < arguments->given_count) {
        size_t i = (*at)++;

        if (arguments->given_rows[i] == index)
            return arguments->given_values[i];
    }
    return NULL;
}

bool option_given(const struct arguments *arguments, const char *name)
{
    return option_value(arguments, name) != NULL;
}

void options_help(FILE *to, const struct command *command)
{
    const struct option *row;
    int column = HELP_COLUMN;
    size_t i;

    for (i = 0; (row = row_at(command, i)) != NULL; i++) {
        size_t width = strlen(row->name);

        if (row->argument != NULL)
            width += 1 + strlen(row->argument);
        if ((int)width + 3 > column)
            column = (int)width + 3;
    }
    for (i = 0; (row = row_at(command, i)) != NULL; i++) {
        const char *line = row->help;
        int used = fprintf(to, "  %s%s%s", row->name, row->argument != NULL ? " " : "",
                           row->argument != NULL ? row->argument : "");

        for (;;) {
            size_t length = strcspn(line, "\n");

            (void)fprintf(to, "%*s%.*s\n", column - used, "", (int)length, line);
            if (line[length] == '\0')
                break;
            line += length + 1;
            used = 0;
        }
    }
}

bool number_read(const char *text, size_t length, unsigned base, uint64_t *number)
{
    uint64_t read = 0;
    size_t i;

    for (i = 0; i < length; i++) {
        static const char digits[] = "0123456789abcdef";
        char lower = text[i] >= 'A' && text[i] <= 'F' ? (char)(text[i] - 'A' + 'a') : text[i];
        const char *digit = lower == '\0' ? NULL : strchr(digits, lower);

        if (digit == NULL || (unsigned)(digit - digits) >= base ||
            read > (UINT64_MAX - (uint64_t)(digit - digits)) / base)
            return false;
        read = read * base + (uint64_t)(digit - digits);
    }
    *number = read;
    return length > 0;
}

bool option_number(const struct arguments *arguments, const char *name, uint64_t least,
                   uint64_t most, uint64_t *value)
{
    const char *text = option_value(arguments, name);
    bool hex = text != NULL && text[0] == '0' && text[1] == 'x';
    uint64_t number;

    if (text == NULL)
        return true;
    if (!number_read(hex ? text + 2 : text, strlen(text) - (hex ? 2 : 0), hex ? 16 : 10, &number) ||
        number < least || number > most) {
        complain("%s %s: not a number from %llu to %llu", name, text, (unsigned long long)least,
                 (unsigned long long)most);
        return false;
    }
    *value = number;
    return true;
}

bool option_seconds(const struct arguments *arguments, const char *name, uint64_t *ms)
{
    const char *text = option_value(arguments, name);
    uint64_t seconds = 0;
    uint64_t fraction = 0;
    size_t whole;
    size_t digits;

    if (text == NULL)
        return true;
    whole = strcspn(text, ".");
    digits = text[whole] == '.' ? strlen(text + whole + 1) : 0;
    if (!number_read(text, whole, 10, &seconds) || seconds > UINT32_MAX ||
        (text[whole] == '.' &&
         (digits > 3 || !number_read(text + whole + 1, digits, 10, &fraction)))) {
        complain("%s %s: not a number of seconds, with at most three digits behind the point", name,
                 text);
        return false;
    }
    for (; digits < 3; digits++)
        fraction *= 10;
    *ms = seconds * 1000 + fraction;
    return true;
}
