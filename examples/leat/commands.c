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
    "Asks a Management Center (or another server) for events, and prints each as a line of JSON,\n"
    "as decode estreamer does. An event is acknowledged, and the bookmark moved, when its line\n"
    "is written. When the connection is lost, it is made again and resumed. SIGINT and SIGTERM\n"
    "stop it.\n";

static const struct option estreamer_client_rows[] = {
    {"HOST:PORT", NULL, "the server; write an IPv6 address as [ADDRESS]:PORT"},
    {"--start", "WHEN",
     "oldest (if left out), now, seconds since 1970, or a time like\n"
     "2026-11-22T10:00:00Z; not asked if there is a bookmark"},
    {"--release", "R", "ask for what releases from 5.4, 6.0 or 7.1 on send (if left out, 7.1)"},
    {"--events", "LIST",
     "what to ask for in place of everything: intrusion, metadata, correlation,\n"
     "discovery, connection, user, malware, file, impact, packets, extra-data;\n"
     "with a version (connection/17), or as numbers (71/17); commas between"},
    {"--flags", "BITS", "the flags of the request, such as 0x48900061, in place of the right ones"},
    {"--host-range", "A-B",
     "ask for the profiles of these hosts (or of A alone), too; for nothing\n"
     "else, and end after them, if neither --start nor --events is given"},
    {"--bookmark", "FILE", "resume at the place that FILE keeps, and keep it there"},
    {"--metadata", NULL,
     "keep the names that the server sends, not print them; each line has those\n"
     "of its ids as \"names\" (with --bookmark, they are kept in FILE.metadata)"},
    {"--pcap", "FILE", "write or append packets to a capture file that tcpdump reads"},
    {"--acks", "WHEN", "flushed (if left out), or none: never acknowledge, so the server stops"},
    {"--idle", "SECONDS", "give up a connection that is silent so long (300; 0: never)"},
    {"--retry", "SECONDS", "wait at most so long before the next try (60)"},
    {"--once", NULL, "make one connection, and end with it"},
    {0},
};

static const struct option tls_rows[] = {
    {"--pkcs12", "FILE", "our key and certificate, and the authorities, as PKCS#12"},
    {"--password-file", "FILE", "its first line is the password of --pkcs12 or --key"},
    {"--cert", "FILE", "our certificate, as PEM"},
    {"--key", "FILE", "its key, as PEM"},
    {"--ca", "FILE", "the authorities that the other side's certificate must lead to, as PEM"},
    {0},
};

static const struct option tls_client_rows[] = {
    {"--peer-name", "NAME",
     "the name or address that the server's certificate must be for, if not\n"
     "HOST; any: for anything, if it leads to one of the authorities"},
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
    {"--record", "FILE", "record the conversation, without TLS, for leat decode capture"},
    {"--verbose", NULL, "tell of connections, and of rates every 10 seconds"},
    {0},
};

static const char live_codes[] =
    "Exit code: 0 if it was stopped or all is done; 1 if a connection failed (with --once) or\n"
    "something could not be decoded; 2 for wrong usage, files that cannot be read or written.\n";

static const char estreamer_server_help[] =
    "Serves records to any number of clients, as a Management Center does: first metadata, then\n"
    "the events that a client asks for, then those that it has not seen, if there is no end to\n"
    "them. The port that it listens at is told on standard error. SIGINT and SIGTERM stop it.\n";

static const struct option estreamer_server_rows[] = {
    {"--listen", "ADDR:PORT", "where; :PORT for every address; port 0 is one that is free"},
    {"--records", "FILE", "serve the records and host profiles of lines as the client prints them"},
    {"--vectors", "DIR", "serve the payloads in *.hex of DIR: record header and record, in hex"},
    {"--rate", "N", "at most N records a second to each client (else as fast as it likes)"},
    {"--loop", NULL, "begin again after the last record"},
    {"--window", "N", "messages that may lack their acknowledgement (1)"},
    {"--keepalive", "SECONDS", "say something after so long a silence (30; 0: never)"},
    {"--once", NULL, "end when a client has acknowledged the last record"},
    {0},
};

static const char estreamer_server_codes[] =
    "Exit code: 0 if it was stopped or all is done; 1 if the records are malformed; 2 for wrong\n"
    "usage, files that cannot be read or written, and addresses that cannot be listened at.\n";

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
        .codes = live_codes,
        .examples = "  leat estreamer client fmc.example:8302 --pkcs12 client.pkcs12 --bookmark "
                    "place\n",
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
