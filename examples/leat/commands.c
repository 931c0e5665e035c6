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

static const char estreamer_client_help[] =
    "Asks a Management Center (or another server) for events, and prints each as a line of\n"
    "JSON, as decode estreamer does. An event is acknowledged, and the bookmark moved, when\n"
    "its line is written. A connection that is lost is made again, and resumed. SIGINT and\n"
    "SIGTERM stop it.\n";

static const struct option estreamer_client_rows[] = {
    {"HOST:PORT", NULL, "the server; an IPv6 address is written as [ADDRESS]:PORT"},
    {"--start", "WHEN",
     "from when on: oldest (if left out), now, seconds since 1970, or a\n"
     "time like 2026-11-22T10:00:00Z; a bookmark counts more"},
    {"--release", "R", "ask for what releases from 5.4, 6.0 or 7.1 on send; left out, 7.1"},
    {"--events", "LIST",
     "what to ask for, with commas between (if left out, all): intrusion,\n"
     "metadata, correlation, discovery, connection, user, malware, file,\n"
     "impact, packets, extra-data; with a version: connection/17; by its\n"
     "code: 71/17"},
    {"--flags", "BITS", "the flags of the request, such as 0x48900061, and no others"},
    {"--host-range", "A-B",
     "ask for the profiles of these hosts, or of A alone; and for nothing\n"
     "else, and end after them, unless --start, --events or --flags is\n"
     "given"},
    {"--bookmark", "FILE", "resume at the place that FILE keeps, and keep it there"},
    {"--metadata", NULL,
     "resolve ids: lines have \"names\", and metadata is not printed; with\n"
     "--bookmark, the names are kept in FILE.metadata"},
    {"--pcap", "FILE", "write or append packets to a capture file that tcpdump reads"},
    {"--acks", "WHEN", "flushed (if left out); or none: the server stops soon"},
    {"--idle", "SECONDS", "leave a server that is silent for so long (300; 0: never)"},
    {"--retry", "SECONDS", "wait at most so long before the next try (60)"},
    {"--once", NULL, "make one connection, and end with it"},
    {0},
};

static const struct option tls_rows[] = {
    {"--pkcs12", "FILE", "our key, our certificate and the authorities, as PKCS#12"},
    {"--password-file", "FILE", "its first line is the password of --pkcs12 or --key"},
    {"--cert", "FILE", "our certificate, as PEM"},
    {"--key", "FILE", "its key, as PEM"},
    {"--ca", "FILE", "authorities that the other side's certificate may lead to, as PEM"},
    {0},
};

static const struct option tls_client_rows[] = {
    {"--peer-name", "NAME",
     "the name or address that the server's certificate must be for, if\n"
     "not HOST; any: for anything, if it leads to an authority"},
    {"--insecure", NULL, "believe any server"},
    {"--no-tls", NULL, "plain TCP, for tests and tunnels"},
    {0},
};

static const struct option tls_server_rows[] = {
    {"--check-peer", NULL, "a client's certificate must be for the address that it comes from"},
    {"--insecure", NULL, "demand no certificate of clients"},
    {"--no-tls", NULL, "plain TCP, for tests and tunnels"},
    {0},
};

static const struct option live_rows[] = {
    {"--record", "FILE", "record what is said, inside TLS, for leat decode capture"},
    {"--verbose", NULL, "tell of connections, and of rates every 10 seconds"},
    {0},
};

static const char estreamer_client_codes[] =
    "Exit code: 0 if it was stopped or all is done; 1 if the connection failed (with --once)\n"
    "or something could not be decoded; 2 for wrong usage and for files, standard output\n"
    "among them, that cannot be read or written.\n";

static const char estreamer_server_help[] =
    "Serves records to any number of clients, as a Management Center does: metadata first,\n"
    "then the events that each asks for, in the order of their archive timestamps. Where it\n"
    "listens is told on standard error. SIGINT and SIGTERM stop it.\n";

static const struct option estreamer_server_rows[] = {
    {"--listen", "ADDR:PORT", "where; :PORT for every address; port 0 for one that is free"},
    {"--records", "FILE", "the records and host profiles, in lines as the client prints them"},
    {"--vectors", "DIR", "the same in files *.hex: record header and record, as hex digits"},
    {"--rate", "N", "at most N records a second to each client"},
    {"--loop", NULL, "begin again after the last record"},
    {"--window", "N", "so many messages may lack their acknowledgement (1)"},
    {"--keepalive", "SECONDS", "say something after so long a silence (30; 0: never)"},
    {"--idle", "SECONDS", "leave a client that acknowledges nothing so long (300; 0: never)"},
    {"--once", NULL, "end when one client was served all that it asked for"},
    {0},
};

static const char estreamer_server_codes[] =
    "Exit code: 0 if it was stopped or all is done; 1 if the records are malformed; 2 for\n"
    "wrong usage, for files that cannot be read or written, and for addresses that it cannot\n"
    "listen at.\n";

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
    {
        .verb = "estreamer",
        .noun = "client",
        .synopsis = "[OPTION...] HOST:PORT",
        .summary = "events of a Management Center, as JSON",
        .help = estreamer_client_help,
        .rows = {estreamer_client_rows, tls_rows, tls_client_rows, live_rows},
        .codes = estreamer_client_codes,
        .examples = "  leat estreamer client fmc.example:8302 --pkcs12 client.pkcs12 \\\n"
                    "      --bookmark place --metadata >>events.ndjson\n",
        .operands_min = 1,
        .operands_max = 1,
        .run = estreamer_client,
    },
    {
        .verb = "estreamer",
        .noun = "server",
        .synopsis = "--listen ADDR:PORT [OPTION...]",
        .summary = "serves events to eStreamer clients",
        .help = estreamer_server_help,
        .rows = {estreamer_server_rows, tls_rows, tls_server_rows, live_rows},
        .codes = estreamer_server_codes,
        .examples = "  leat estreamer server --listen :8302 --cert server.pem --key server.key \\\n"
                    "      --ca ca.pem --records events.ndjson --loop\n",
        .run = estreamer_server,
    },
};

const struct command *command_table(size_t *count)
{
    *count = sizeof commands / sizeof *commands;
    return commands;
}
