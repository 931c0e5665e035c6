/*
 * The program `leat`: decodes and encodes eStreamer, Zabbix and Broker, and speaks them, at a terminal and
 * in scripts. Each command is a row of the table in commands.c and is called by its first two words.
 */
#define _POSIX_C_SOURCE 200809L

#include "leat/tool.h"

#include <fcntl.h>
#include <string.h>

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static const struct command *find_command(const char *verb, const char *noun)
{
    size_t count;
    const struct command *commands = command_table(&count);
    size_t i;

    for (i = 0; i < count; i++) {
        if (strcmp(commands[i].verb, verb) == 0 && strcmp(commands[i].noun, noun) == 0)
            return &commands[i];
    }
    return NULL;
}

/* Lists the commands of a verb, of all verbs if it is NULL. False: there is no such verb. */
static bool list_commands(FILE *to, const char *verb)
{
    bool found = false;
    size_t count;
    const struct command *commands = command_table(&count);
    size_t i;

    for (i = 0; i < count; i++) {
        if (verb != NULL && strcmp(verb, commands[i].verb) != 0)
            continue;
        (void)fprintf(to, "  leat %s %-*s%s\n", commands[i].verb,
                      24 - (int)strlen(commands[i].verb), commands[i].noun, commands[i].summary);
        found = true;
    }
    return found;
}

static void help(FILE *to)
{
    (void)fputs("leat speaks eStreamer, Zabbix and Broker.\n\nCommands:\n", to);
    (void)list_commands(to, NULL);
    (void)fputs(
        "\nleat COMMAND --help tells more about one, leat --version which leat this is.\n"
        "Commands that decode and encode read standard input unless they are given a FILE.\n",
        to);
}

static void command_help(const struct command *command)
{
    (void)printf("Usage: leat %s %s %s\n\n%s\n", command->verb, command->noun, command->synopsis,
                 command->help);
    options_help(stdout, command);
    (void)printf("\n%s\nFor example:\n%s", command->codes, command->examples);
}

/* What is not a command: --help, --version, a verb alone, or a mistake. */
static int not_a_command(int count, char *const *words)
{
    const char *verb = count > 1 ? words[1] : NULL;

    if (verb != NULL && is_help(verb)) {
        help(stdout);
        return EXIT_DONE;
    }
    if (verb != NULL && strcmp(verb, "--version") == 0) {
        (void)printf("leat %s\n", leat_version());
        return EXIT_DONE;
    }
    if (verb == NULL) {
        help(stderr);
    } else if (count == 2) {
        if (list_commands(stderr, verb))
            complain("%s what?", verb);
        else
            complain("%s: no such command; see leat --help", verb);
    } else if (is_help(words[2]) && list_commands(stdout, verb)) {
        return EXIT_DONE;
    } else {
        complain("%s %s: no such command; see leat --help", verb, words[2]);
    }
    return EXIT_USAGE;
}

/*
 * A shell may have closed these three. What is opened next must not take their places, so they are held by what
 * can neither be read nor written.
 */
static void hold_standard_files(void)
{
    int number;

    for (number = 0; number <= 2; number++) {
        if (fcntl(number, F_GETFD) < 0)
            (void)open("/dev/null", number == 0 ? O_WRONLY : O_RDONLY);
    }
}

int main(int count, char **words)
{
    const struct command *command = count > 2 ? find_command(words[1], words[2]) : NULL;
    struct arguments arguments;
    bool wants_help;
    int code;

    hold_standard_files();
    if (command == NULL) {
        code = not_a_command(count, words);
    } else if (!arguments_read(&arguments, command, count - 3, words + 3, &wants_help)) {
        complain("see leat %s %s --help", command->verb, command->noun);
        return EXIT_USAGE;
    } else if (wants_help) {
        command_help(command);
        code = EXIT_DONE;
    } else if (command->run == NULL) {
        complain("%s %s: left out of this build", command->verb, command->noun);
        code = EXIT_USAGE;
    } else {
        code = command->run(&arguments);
    }
    output_flush();
    return code;
}
