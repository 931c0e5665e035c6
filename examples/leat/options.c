/* The command line behind the two words of a command. */
#include "tool.h"

#include <string.h>

static const struct {
    const char *name;
    unsigned option;
} options[] = {
    {"--from", OPTION_FROM},
    {"--hex", OPTION_HEX},
    {"--body", OPTION_BODY},
    {"--typed", OPTION_TYPED},
};

/*
 * The option that the word names, if the command knows it; 0 if not. *value is what follows a
 * "=".
 */
static unsigned find_option(const struct command *command, const char *word, const char **value)
{
    size_t i;

    for (i = 0; i < sizeof options / sizeof *options; i++) {
        size_t length = strlen(options[i].name);

        if (strncmp(word, options[i].name, length) != 0 ||
            (command->options & options[i].option) == 0)
            continue;
        *value = word[length] == '=' ? word + length + 1 : NULL;
        if (word[length] == '\0' || (*value != NULL && options[i].option == OPTION_FROM))
            return options[i].option;
    }
    return 0;
}

static bool is_option(const char *word)
{
    return word[0] == '-' && word[1] != '\0';
}

bool arguments_read(struct arguments *arguments, const struct command *command, int count,
                    char *const *words, bool *help)
{
    bool only_operands = false;
    int i;

    memset(arguments, 0, sizeof *arguments);
    arguments->command = command;
    *help = false;
    for (i = 0; i < count; i++) {
        const char *word = words[i];
        const char *value = NULL;

        if (!only_operands && strcmp(word, "--") == 0) {
            only_operands = true;
            continue;
        }
        if (only_operands || !is_option(word)) {
            if (arguments->operand_count == command->operands_max) {
                complain("one argument too many: %s", word);
                return false;
            }
            arguments->operands[arguments->operand_count++] = word;
            continue;
        }
        if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            *help = true;
            return true;
        }
        switch (find_option(command, word, &value)) {
        case OPTION_FROM:
            if (value == NULL && i + 1 < count)
                value = words[++i];
            if (value == NULL) {
                complain("--from needs to know who speaks");
                return false;
            }
            arguments->from = value;
            break;
        case OPTION_HEX:
            arguments->hex = true;
            break;
        case OPTION_BODY:
            arguments->body = true;
            break;
        case OPTION_TYPED:
            arguments->typed = true;
            break;
        default:
            complain("unknown option %s", word);
            return false;
        }
    }
    if (arguments->operand_count < command->operands_min) {
        complain("something is missing: leat %s %s %s", command->verb, command->noun,
                 command->synopsis);
        return false;
    }
    return true;
}
