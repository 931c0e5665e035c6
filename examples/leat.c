/*
 * The program `leat`: decodes and encodes eStreamer, Zabbix and Broker, at a terminal and in
 * scripts. Each command is a row of the table below and is called by its first two words.
 */
#include "leat/tool.h"

#include <string.h>

static const char stream_help[] =
    "Reads the bytes of one direction of a conversation and prints one JSON object a line\n"
    "for each event: \"event\" (its name), \"offset\" (where it begins in the stream) and\n"
    "\"value\". What cannot be decoded has \"error\", \"error_offset\", perhaps \"field\", and\n"
    "\"raw\" (in hex), too; its value is null, or what was sound of it.\n"
    "\n"
    "  FILE        the bytes; standard input if it is - or left out\n"
    "  --hex       FILE holds hex digits, with any white space\n"
    "  --from WHO  who speaks: client (the side that opened the connection) or server; of\n"
    "              Zabbix also proxy, agent or sender. Left out, each message tells.\n";

static const char body_help[] =
    "  --body      FILE is the text of one message, without the header that it travels with\n";

static const char stream_codes[] =
    "\n"
    "Exit code: 0 if all was decoded; 1 if the input is malformed or ends inside a message\n"
    "(standard error tells why and where; every whole message before it is printed); 2\n"
    "for wrong usage.\n";

static const char capture_help[] =
    "Decodes a recorded conversation, both directions in their order. FILE has a JSON object\n"
    "a line: {\"dir\":\"proxy>server\",\"hex\":\"5a425844...\"} for bytes that one side sent, "
    "with\n"
    "\"conn\" where several connections share the file, and {\"dir\":...,\"ev\":\"eof\"} where a "
    "side\n"
    "stopped sending. Each event is printed with its \"dir\" (and \"conn\").\n"
    "\n"
    "  DIALECT     estreamer, zabbix or broker\n"
    "  FILE        the recording; standard input if it is - or left out\n";

static const char data_decode_help[] =
    "Turns Broker data, one value a line in hex (binary format v1), into JSON.\n"
    "\n"
    "  FILE        the lines; standard input if it is - or left out\n"
    "  --typed     the protocol's own JSON: {\"@data-type\":\"count\",\"data\":7}\n";

static const char data_encode_help[] =
    "Turns Broker data, one value a line in the protocol's own JSON, which names each type\n"
    "({\"@data-type\":\"count\",\"data\":7}), into hex (binary format v1).\n"
    "\n"
    "  FILE        the lines; standard input if it is - or left out\n";

static const char record_decode_help[] =
    "Turns eStreamer event data, one payload a line in hex without its record header, into\n"
    "JSON.\n"
    "\n"
    "  RECORD_TYPE the number of the record's type, such as 71\n"
    "  FILE        the lines; standard input if it is - or left out\n";

static const char record_encode_help[] =
    "Turns eStreamer event data, one payload a line in the JSON that decode prints, into\n"
    "hex, without a record header.\n"
    "\n"
    "  RECORD_TYPE the number of the record's type, such as 71\n"
    "  FILE        the lines; standard input if it is - or left out\n";

static const char line_codes[] =
    "\n"
    "A bad line has {\"error\":...,\"offset\":...} in its place, and the others are converted all\n"
    "the same. Exit code: 0 if every line was sound, 1 if not, 2 for wrong usage.\n";

static const struct command commands[] = {
    {
        .verb = "decode",
        .noun = "estreamer",
        .synopsis = "[--from WHO] [--hex] [FILE]",
        .summary = "an eStreamer byte stream, as JSON",
        .help = {stream_help, stream_codes},
        .examples = "  leat decode estreamer --hex session.hex\n",
        .options = OPTION_FROM | OPTION_HEX,
        .operands_max = 1,
        .run = decode_stream,
    },
    {
        .verb = "decode",
        .noun = "zabbix",
        .synopsis = "[--from WHO] [--hex | --body] [FILE]",
        .summary = "a Zabbix byte stream, row by row, as JSON",
        .help = {stream_help, body_help, stream_codes},
        .examples = "  leat decode zabbix --from proxy stream.bin\n"
                    "  echo '{\"request\":\"proxy heartbeat\",\"host\":\"p1\"}' | leat decode "
                    "zabbix --body\n",
        .options = OPTION_FROM | OPTION_HEX | OPTION_BODY,
        .operands_max = 1,
        .run = decode_stream,
    },
    {
        .verb = "decode",
        .noun = "broker",
        .synopsis = "[--from WHO] [--hex] [FILE]",
        .summary = "a Broker byte stream, as JSON",
        .help = {stream_help, stream_codes},
        .examples = "  echo 00000005075a45454b | leat decode broker --hex\n",
        .options = OPTION_FROM | OPTION_HEX,
        .operands_max = 1,
        .run = decode_stream,
    },
    {
        .verb = "decode",
        .noun = "capture",
        .synopsis = "DIALECT [FILE]",
        .summary = "a recorded conversation, both directions, as JSON",
        .help = {capture_help, stream_codes},
        .examples = "  leat decode capture zabbix recording.jsonl\n",
        .operands_min = 1,
        .operands_max = 2,
        .run = decode_capture,
    },
    {
        .verb = "decode",
        .noun = "broker-data",
        .synopsis = "[--typed] [FILE]",
        .summary = "Broker values, hex to JSON, one a line",
        .help = {data_decode_help, line_codes},
        .examples = "  echo 020000000000000007 | leat decode broker-data --typed\n",
        .options = OPTION_TYPED,
        .operands_max = 1,
        .run = decode_broker_data,
    },
    {
        .verb = "decode",
        .noun = "estreamer-record",
        .synopsis = "RECORD_TYPE [FILE]",
        .summary = "eStreamer event data, hex to JSON, one a line",
        .help = {record_decode_help, line_codes},
        .examples = "  echo 00000001000468696768 | leat decode estreamer-record 4\n",
        .operands_min = 1,
        .operands_max = 2,
        .run = decode_estreamer_record,
    },
    {
        .verb = "encode",
        .noun = "broker-data",
        .synopsis = "[FILE]",
        .summary = "Broker values, JSON to hex, one a line",
        .help = {data_encode_help, line_codes},
        .examples = "  echo '{\"@data-type\":\"count\",\"data\":7}' | leat encode broker-data\n",
        .operands_max = 1,
        .run = encode_broker_data,
    },
    {
        .verb = "encode",
        .noun = "estreamer-record",
        .synopsis = "RECORD_TYPE [FILE]",
        .summary = "eStreamer event data, JSON to hex, one a line",
        .help = {record_encode_help, line_codes},
        .examples =
            "  echo '{\"priority_id\":1,\"name\":\"high\"}' | leat encode estreamer-record 4\n",
        .operands_min = 1,
        .operands_max = 2,
        .run = encode_estreamer_record,
    },
};

#define COMMAND_COUNT (sizeof commands / sizeof *commands)

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static const struct command *find_command(const char *verb, const char *noun)
{
    size_t i;

    for (i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i].verb, verb) == 0 && strcmp(commands[i].noun, noun) == 0)
            return &commands[i];
    }
    return NULL;
}

/* Lists the commands of a verb, of all verbs if it is NULL. False: there is no such verb. */
static bool list_commands(FILE *to, const char *verb)
{
    bool found = false;
    size_t i;

    for (i = 0; i < COMMAND_COUNT; i++) {
        if (verb != NULL && strcmp(verb, commands[i].verb) != 0)
            continue;
        (void)fprintf(to, "  leat %s %-18s%s\n", commands[i].verb, commands[i].noun,
                      commands[i].summary);
        found = true;
    }
    return found;
}

static void help(FILE *to)
{
    (void)fputs("leat speaks eStreamer, Zabbix and Broker.\n\nCommands:\n", to);
    (void)list_commands(to, NULL);
    (void)fputs("\nleat COMMAND --help tells more about one, leat --version which leat this is.\n"
                "Every command reads standard input unless it is given a FILE.\n",
                to);
}

static void command_help(const struct command *command)
{
    size_t i;

    (void)printf("Usage: leat %s %s %s\n\n", command->verb, command->noun, command->synopsis);
    for (i = 0; i < sizeof command->help / sizeof *command->help && command->help[i] != NULL; i++)
        (void)fputs(command->help[i], stdout);
    (void)printf("\nFor example:\n%s", command->examples);
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

int main(int count, char **words)
{
    const struct command *command = count > 2 ? find_command(words[1], words[2]) : NULL;
    struct arguments arguments;
    bool wants_help;
    int code;

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
