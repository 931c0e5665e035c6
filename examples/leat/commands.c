/* The commands of the program, and their help. */
#include "tool.h"

static const char stream_help[] =
    "Reads the bytes of one direction of a conversation and prints one JSON object a line\n"
    "for each event: \"event\" (its name), \"offset\" (where it begins in the stream) and\n"
    "\"value\". What cannot be decoded has \"error\", \"error_offset\", perhaps \"field\", and\n"
    "\"raw\" (in hex), too; its value is null, or what was sound of it.\n";

static const struct option stream_rows[] = {
    {"FILE", NULL, "the bytes; standard input if it is - or left out"},
    {"--hex", NULL, "FILE holds hex digits, with any white space"},
    {"--from", "WHO",
     "who speaks: client (the side that opened the connection) or server; of\n"
     "Zabbix also proxy, agent or sender. Left out, each message tells."},
    {0},
};

static const struct option body_rows[] = {
    {"--body", NULL, "FILE is the text of one message, without the header that it travels with"},
    {0},
};

static const char stream_codes[] =
    "Exit code: 0 if all was decoded; 1 if the input is malformed or ends inside a message\n"
    "(standard error tells why and where; every whole message before it is printed); 2\n"
    "for wrong usage.\n";

static const char capture_help[] =
    "Decodes a recorded conversation, both directions in their order. FILE has a JSON object\n"
    "a line: {\"dir\":\"proxy>server\",\"hex\":\"5a425844...\"} for bytes that one side sent, "
    "with\n"
    "\"conn\" where several connections share the file, and {\"dir\":...,\"ev\":\"eof\"} where a "
    "side\n"
    "stopped sending. Each event is printed with its \"dir\" (and \"conn\").\n";

static const struct option capture_rows[] = {
    {"DIALECT", NULL, "estreamer, zabbix or broker"},
    {"FILE", NULL, "the recording; standard input if it is - or left out"},
    {0},
};

static const char data_decode_help[] =
    "Turns Broker data, one value a line in hex (binary format v1), into JSON.\n";

static const char data_encode_help[] =
    "Turns Broker data, one value a line in the protocol's own JSON, which names each type\n"
    "({\"@data-type\":\"count\",\"data\":7}), into hex (binary format v1).\n";

static const char record_decode_help[] =
    "Turns eStreamer event data, one payload a line in hex without its record header, into\n"
    "JSON.\n";

static const char record_encode_help[] =
    "Turns eStreamer event data, one payload a line in the JSON that decode prints, into\n"
    "hex, without a record header.\n";

static const struct option lines_rows[] = {
    {"FILE", NULL, "the lines; standard input if it is - or left out"},
    {0},
};

static const struct option typed_rows[] = {
    {"--typed", NULL, "the protocol's own JSON: {\"@data-type\":\"count\",\"data\":7}"},
    {0},
};

static const struct option record_rows[] = {
    {"RECORD_TYPE", NULL, "the number of the record's type, such as 71"},
    {0},
};

static const char line_codes[] =
    "A bad line has {\"error\":...,\"offset\":...} in its place, and the others are converted all\n"
    "the same. Exit code: 0 if every line was sound, 1 if not, 2 for wrong usage.\n";

static const struct command commands[] = {
    {
        .verb = "decode",
        .noun = "estreamer",
        .synopsis = "[--from WHO] [--hex] [FILE]",
        .summary = "an eStreamer byte stream, as JSON",
        .help = stream_help,
        .rows = {stream_rows},
        .codes = stream_codes,
        .examples = "  leat decode estreamer --hex session.hex\n",
        .operands_max = 1,
        .run = decode_stream,
    },
    {
        .verb = "decode",
        .noun = "zabbix",
        .synopsis = "[--from WHO] [--hex | --body] [FILE]",
        .summary = "a Zabbix byte stream, row by row, as JSON",
        .help = stream_help,
        .rows = {stream_rows, body_rows},
        .codes = stream_codes,
        .examples = "  leat decode zabbix --from proxy stream.bin\n"
                    "  echo '{\"request\":\"proxy heartbeat\",\"host\":\"p1\"}' | leat decode "
                    "zabbix --body\n",
        .operands_max = 1,
        .run = decode_stream,
    },
    {
        .verb = "decode",
        .noun = "broker",
        .synopsis = "[--from WHO] [--hex] [FILE]",
        .summary = "a Broker byte stream, as JSON",
        .help = stream_help,
        .rows = {stream_rows},
        .codes = stream_codes,
        .examples = "  echo 00000005075a45454b | leat decode broker --hex\n",
        .operands_max = 1,
        .run = decode_stream,
    },
    {
        .verb = "decode",
        .noun = "capture",
        .synopsis = "DIALECT [FILE]",
        .summary = "a recorded conversation, both directions, as JSON",
        .help = capture_help,
        .rows = {capture_rows},
        .codes = stream_codes,
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
        .help = data_decode_help,
        .rows = {lines_rows, typed_rows},
        .codes = line_codes,
        .examples = "  echo 020000000000000007 | leat decode broker-data --typed\n",
        .operands_max = 1,
        .run = decode_broker_data,
    },
    {
        .verb = "decode",
        .noun = "estreamer-record",
        .synopsis = "RECORD_TYPE [FILE]",
        .summary = "eStreamer event data, hex to JSON, one a line",
        .help = record_decode_help,
        .rows = {record_rows, lines_rows},
        .codes = line_codes,
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
        .help = data_encode_help,
        .rows = {lines_rows},
        .codes = line_codes,
        .examples = "  echo '{\"@data-type\":\"count\",\"data\":7}' | leat encode broker-data\n",
        .operands_max = 1,
        .run = encode_broker_data,
    },
    {
        .verb = "encode",
        .noun = "estreamer-record",
        .synopsis = "RECORD_TYPE [FILE]",
        .summary = "eStreamer event data, JSON to hex, one a line",
        .help = record_encode_help,
        .rows = {record_rows, lines_rows},
        .codes = line_codes,
        .examples =
            "  echo '{\"priority_id\":1,\"name\":\"high\"}' | leat encode estreamer-record 4\n",
        .operands_min = 1,
        .operands_max = 2,
        .run = encode_estreamer_record,
    },
};

const struct command *command_table(size_t *count)
{
    *count = sizeof commands / sizeof *commands;
    return commands;
}
