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
    {"DIALECT", NULL, "estreamer, zabbix, broker or broker-ws"},
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

static const char zabbix_proxy_help[] =
    "Is a Zabbix proxy: takes values from standard input, a JSON object a line such as\n"
    "{\"itemid\":930001,\"value\":\"1\"}, and sees to it that the server gets each of them once.\n"
    "{\"section\":\"discovery data\",\"row\":{...}} is a row of another section, and\n"
    "{\"reload\":true}, {\"status\":true} and {\"stop\":true} are commands. Prints, a JSON object\n"
    "a line, what is new in the configuration, tasks, acknowledgements, and what agents and\n"
    "senders say.\n";

static const struct option zabbix_proxy_rows[] = {
    {"--server", "HOST:PORT",
     "the server; with --passive the addresses that it comes\n"
     "from, such as 10.0.0.1,192.168.0.0/24"},
    {"--name", "NAME", "how the server knows the proxy"},
    {"--passive", NULL, "let the server connect"},
    {"--listen", "ADDR:PORT", "where the server, agents and senders may connect"},
    {"--state", "FILE", "keep in FILE what must not be lost; resume from it"},
    {"--session", "HEX", "the session of a proxy without a state (at random)"},
    {"--buffer-rows", "N", "keep at most N rows (1000000)"},
    {"--buffer-bytes", "N", "keep at most so many octets of text (268435456)"},
    {"--buffer-age", "SECONDS", "drop what is older (0: never)"},
    {"--buffer-policy", "POLICY", "when it is full: wait (if left out) or drop-oldest"},
    {"--config-frequency", "SECONDS", "ask for it so often (10; before 6.4, 3600)"},
    {"--data-frequency", "SECONDS", "send values so often, at most (1)"},
    {"--exit-when-empty", NULL, "end when the input has ended and the server has all"},
    {0},
};

static const char zabbix_server_help[] =
    "Is a Zabbix server, as proxies, agents and senders see it: prints what they send, a JSON\n"
    "object a line, and answers them. Lines on standard input are commands, such as\n"
    "{\"proxy\":\"px\",\"task\":{\"type\":6,\"itemid\":930001,\"ttl\":600}}, {\"throttle\":true},\n"
    "{\"reload\":true}, {\"status\":true} and {\"stop\":true}. SIGHUP is {\"reload\":true}.\n";

static const struct option zabbix_server_rows[] = {
    {"--listen", "ADDR:PORT", "where; :PORT for every address; port 0 for one that is free"},
    {"--proxy", "NAME", "let an active proxy talk; may be repeated"},
    {"--poll", "[NAME=]HOST:PORT", "connect to a passive proxy; may be repeated"},
    {"--config", "FILE", "proxies, their keys and their configuration, in JSON"},
    {"--state", "FILE", "keep in FILE which values it has, and tasks"},
    {"--throttle", NULL, "begin with telling proxies to send no data"},
    {"--config-frequency", "SECONDS", "give it to passive proxies so often (10; before 6.4, 3600)"},
    {"--data-frequency", "SECONDS", "ask passive proxies for data so often (1)"},
    {0},
};

static const char zabbix_live_codes[] =
    "Exit code: 0 if it was stopped or all is done; 1 if a line of the input was refused,\n"
    "or values were lost; 2 for wrong usage, for files that cannot be read or written, and\n"
    "for addresses that it cannot listen at.\n";

static const char zabbix_send_help[] =
    "Sends values for trapper items to a server or a proxy, as zabbix_sender does, and prints\n"
    "each response. A line of --input is: host key value, with - for the host of --host, and\n"
    "words with white space in double quotes.\n";

static const struct option zabbix_send_rows[] = {
    {"HOST:PORT", NULL, "the server or proxy; an IPv6 address: [ADDRESS]:PORT"},
    {"KEY VALUE", NULL, "of one value"},
    {"--host", "HOST", "the host that it is of"},
    {"--input", "FILE", "values in lines; - is standard input"},
    {"--with-timestamps", NULL, "lines are: host key timestamp value"},
    {"--with-ns", NULL, "lines are: host key timestamp ns value"},
    {"--timeout", "SECONDS", "how long to wait for an answer (60)"},
    {0},
};

static const char zabbix_send_codes[] =
    "Exit code: 0 if all was sent and processed; 1 if something could not be sent, or was\n"
    "refused; 2 if some values were not processed, and for wrong usage.\n";

static const char zabbix_get_help[] =
    "Asks an agent for the value of a key, as zabbix_get does, and prints\n"
    "{\"key\":...,\"value\":...}, or \"error\" in the place of \"value\".\n";

static const struct option zabbix_get_rows[] = {
    {"HOST:PORT", NULL, "the agent; an IPv6 address: [ADDRESS]:PORT"},
    {"KEY", NULL, "of the item, such as agent.ping"},
    {"--raw", NULL, "print the value as it is"},
    {"--timeout", "SECONDS", "how long to wait for an answer (3)"},
    {0},
};

static const char zabbix_get_codes[] =
    "Exit code: 0 if there was a value; 1 if there was none; 2 for wrong usage.\n";

static const struct option zabbix_tls_rows[] = {
    {"--as-version", "VERSION", "speak as this one does: 5.0 to 7.4, or 6.0.14 (7.0)"},
    {"--psk-identity", "IDENTITY", "the name of a pre-shared key"},
    {"--psk-file", "FILE", "the key, as 32 to 512 hexadecimal digits"},
    {"--cert", "FILE", "our certificate, as PEM"},
    {"--key", "FILE", "its key, as PEM"},
    {"--password-file", "FILE", "its first line is the password of --key"},
    {"--ca", "FILE", "whom the other side's certificate must lead to, as PEM"},
    {"--issuer", "NAME", "the issuer that it must have, such as CN=ca,O=Example"},
    {"--subject", "NAME", "the subject that it must have"},
    {"--tls-connect", "HOW",
     "connect unencrypted, or by psk or cert; if left out, by\n"
     "what there is a key for"},
    {0},
};

static const struct option zabbix_accept_rows[] = {
    {"--tls-accept", "LIST",
     "what others may do, with commas between; if left out, all\n"
     "that there is a key for"},
    {0},
};

static const char broker_peer_help[] =
    "Is an endpoint of Broker, as a Zeek is: prints what befalls its peerings, and messages of\n"
    "the topics that it subscribes to, a JSON object a line. Lines on standard input are\n"
    "published, in the form in which they are printed, or are commands:\n"
    "{\"topic\":\"/a\",\"data\":{\"@data-type\":\"count\",\"data\":1}}\n"
    "{\"topic\":\"/"
    "a\",\"event\":\"ping\",\"args\":[\"hello\",{\"@data-type\":\"integer\",\"data\":-1}]}\n"
    "{\"peer\":\"HOST:PORT\",\"retry\":10}, {\"unpeer\":\"HOST:PORT\"}, {\"subscribe\":\"/b\"},\n"
    "{\"unsubscribe\":\"/b\"}, {\"ping\":\"text\"}, {\"peers\":true}, {\"stats\":true}, "
    "{\"stop\":true}.\n";

static const struct option broker_peer_rows[] = {
    {"--connect", "HOST:PORT", "a peer to connect to; may be repeated"},
    {"--listen", "ADDR:PORT", "where; :PORT for every address; port 0 for one that is free"},
    {0},
};

static const struct option broker_node_rows[] = {
    {"--subscribe", "TOPIC", "print what has a topic that begins so; may be repeated"},
    {"--forward", "TOPIC",
     "offer what comes from a peer to the others, and ask peers\n"
     "for such topics; may be repeated"},
    {"--master", "STORE", "be the master of a data store; may be repeated"},
    {"--clone", "STORE", "have a copy of a data store of a peer; may be repeated"},
    {"--id", "UUID", "the id of the endpoint (at random)"},
    {"--retry", "SECONDS", "from a failed attempt to the next (10); 0: there is one"},
    {"--ping", "SECONDS",
     "ping a peer that is silent for so long, and lose it if it\nstays so (0: never)"},
    {"--queue", "N", "at most N messages wait for a peer that is slow (8192)"},
    {"--overflow", "POLICY",
     "when there are more: drop-oldest (if left out), drop-newest,\n"
     "disconnect; or wait: the input does"},
    {0},
};

static const struct option broker_talk_rows[] = {
    {"--plain", NULL, "print values as other commands do, without their types"},
    {"--exit-when-empty", NULL, "end when the input has ended and the others have all"},
    {0},
};

static const struct option broker_tls_rows[] = {
    {"--no-tls", NULL,
     "plain TCP; else, without a certificate, TLS in which\nnobody proves who he is"},
    {"--cert", "FILE", "our certificate, as PEM"},
    {"--key", "FILE", "its key, as PEM"},
    {"--password-file", "FILE", "its first line is the password of --key"},
    {"--ca", "FILE", "whom the other side's certificate must lead to, as PEM"},
    {0},
};

static const char broker_peer_codes[] =
    "Exit code: 0 if it was stopped or all is done; 1 if a line of the input was refused, or\n"
    "a peer that was needed was not there; 2 for wrong usage, for files that cannot be read\n"
    "or written, and for addresses that it cannot listen at.\n";

static const char broker_ws_help[] =
    "Talks Broker's JSON over WebSocket: as a client of a server (--connect), or as a server\n"
    "(--listen), which is a gateway into an endpoint, as leat broker peer is one. Lines go in\n"
    "and out as there; a client has no commands but {\"stop\":true}.\n";

static const struct option broker_ws_rows[] = {
    {"--connect", "URL", "the server: ws://HOST:PORT, or wss:// for TLS"},
    {"--listen", "ADDR:PORT", "where clients may connect; :PORT for every address"},
    {"--peer", "HOST:PORT", "with --listen: a native peer to connect to; may be repeated"},
    {"--peer-listen", "ADDR:PORT", "with --listen: where native peers may connect"},
    {"--no-client-tls", NULL, "with --listen: plain TCP for clients, TLS for native peers"},
    {"--origin", "ORIGIN",
     "with --listen: let in browsers whose page is of this origin\n"
     "alone, as https://HOST; may be repeated. If left out: of any"},
    {"--flavour", "NAME", "with --listen: be like the server of zeek (if left out) or\nof broker"},
    {"--peer-name", "NAME",
     "with --connect: what the server's certificate must be for, if\n"
     "not HOST; any: for anything"},
    {"--name", "NAME", "with --connect: how the application calls itself"},
    {0},
};

static const char zeek_agent_help[] =
    "Is an agent of Zeek's Management framework: makes itself known to a controller, and prints\n"
    "what that asks for, a JSON object a line. Answers are lines on standard input, or come\n"
    "from the list of --nodes; nothing is really started:\n"
    "{\"request\":1}, {\"request\":2,\"answer\":{\"success\":false,\"error\":\"no\"}},\n"
    "{\"node\":\"worker-01\",\"state\":\"CRASHED\",\"pid\":12}, {\"notify_error\":\"text\"},\n"
    "{\"notify_log\":\"text\",\"node\":\"worker-01\"}, {\"stop\":true}; and those of leat broker "
    "peer.\n";

static const struct option zeek_agent_rows[] = {
    {"--name", "NAME", "the instance that it is, as configurations have it"},
    {"--connect", "HOST:PORT", "the controller; left out, it connects to the agent"},
    {"--listen", "ADDR:PORT", "where; :PORT for every address; port 0 for one that is free"},
    {"--nodes", "FILE", "a JSON object that says how nodes do: {\"nodes\":{\"worker-01\":{}}}"},
    {"--timeout", "SECONDS", "how long an answer may take (5)"},
    {0},
};

static const struct option zeek_node_rows[] = {
    {"--id", "UUID", "the id of the endpoint (at random)"},
    {"--retry", "SECONDS", "from a failed attempt to connect to the next (1)"},
    {"--peerings", NULL, "print what befalls peerings, too"},
    {0},
};

static const char zeek_controller_help[] =
    "Is a controller of Zeek's Management framework: prints what agents and clients say, and\n"
    "what becomes of it, a JSON object a line. Lines on standard input are requests of its\n"
    "own, or commands:\n"
    "{\"event\":\"get_nodes_request\",\"reqid\":\"1\"}, {\"instances\":true}, {\"stop\":true}; "
    "and\n"
    "those of leat broker peer.\n";

static const struct option zeek_controller_rows[] = {
    {"--listen", "ADDR:PORT", "where agents may connect (127.0.0.1:2150)"},
    {"--websocket", "ADDR:PORT", "where clients may connect (127.0.0.1:2149)"},
    {"--client-tls", NULL, "TLS for clients, too, as by the options below; else plain TCP"},
    {"--origin", "ORIGIN",
     "let in browsers whose page is of this origin, as https://HOST, and\n"
     "not of the controller's own host alone; may be repeated"},
    {"--state", "FILE", "keep in FILE what was deployed, and deploy it again from there"},
    {"--timeout", "SECONDS", "how long a request may take (10)"},
    {"--broker-ports", "PORT", "the first port for nodes that lack one (2200); 0: they get none"},
    {"--metrics-ports", "PORT", "the same for their metrics (9000)"},
    {0},
};

static const char zeek_live_codes[] =
    "Exit code: 0 if it was stopped; 1 if a line of the input was refused; 2 for wrong usage,\n"
    "for files that cannot be read or written, and for addresses that it cannot listen at.\n";

static const char zeek_client_help[] =
    "Asks a controller of Zeek's Management framework, as zeek-client does, and prints each\n"
    "response, a JSON object a line. The commands are get-instances, get-nodes, get-config,\n"
    "stage-config FILE, deploy, deploy-config FILE (both), get-id-value ID [NODE...],\n"
    "restart [NODE...], test-timeout, and monitor, which prints what all others say until it\n"
    "is stopped. FILE is a configuration as get-config prints it:\n"
    "{\"instances\":[{\"name\":\"agent-1\"}],\n"
    " \"nodes\":[{\"name\":\"w1\",\"instance\":\"agent-1\",\"role\":\"Supervisor::WORKER\"}]}\n";

static const struct option zeek_client_rows[] = {
    {"HOST:PORT", NULL, "the controller; its port for WebSocket is 2149 by default"},
    {"COMMAND", NULL, "see above"},
    {"--deployed", NULL, "get-config: what is deployed, and not what is staged"},
    {"--with-state", NULL, "test-timeout: the controller answers in the end"},
    {"--timeout", "SECONDS", "how long to wait for a response (20)"},
    {"--attempts", "N", "try to connect so often, a second apart (10)"},
    {"--tls", NULL, "TLS; without --ca and --cert, nobody proves who he is"},
    {"--cert", "FILE", "our certificate, as PEM"},
    {"--key", "FILE", "its key, as PEM"},
    {"--password-file", "FILE", "its first line is the password of --key"},
    {"--ca", "FILE", "whom the controller's certificate must lead to, as PEM"},
    {"--peer-name", "NAME",
     "what the controller's certificate must be for, if not HOST; any:\n"
     "for anything"},
    {0},
};

static const char zeek_client_codes[] =
    "Exit code: 0 if all went well; 1 if a result tells a failure, or there was no response; 2\n"
    "for wrong usage, and for files that cannot be read or written.\n";

static const char zeek_events_help[] =
    "Prints the events of Zeek's Management framework, and the records and enums that they\n"
    "carry, a JSON object a line.\n";

static const struct option zeek_events_rows[] = {
    {"NAME", NULL, "those of that name alone; its module may be left out"},
    {0},
};

static const char zeek_events_codes[] =
    "Exit code: 0; 1 if nothing has that name; 2 for wrong usage.\n";

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
    {
        .verb = "zabbix",
        .noun = "proxy",
        .synopsis = "--server HOST:PORT --name NAME [OPTION...]",
        .summary = "values for a Zabbix server, as JSON",
        .help = zabbix_proxy_help,
        .rows = {zabbix_proxy_rows, zabbix_tls_rows, zabbix_accept_rows, live_rows},
        .codes = zabbix_live_codes,
        .examples = "  leat zabbix proxy --server zabbix.example:10051 --name px \\\n"
                    "      --state px.state <values.ndjson >events.ndjson\n",
        .run = zabbix_proxy,
    },
    {
        .verb = "zabbix",
        .noun = "server",
        .synopsis = "--listen ADDR:PORT [OPTION...]",
        .summary = "takes what Zabbix proxies send, as JSON",
        .help = zabbix_server_help,
        .rows = {zabbix_server_rows, zabbix_tls_rows, zabbix_accept_rows, live_rows},
        .codes = zabbix_live_codes,
        .examples = "  leat zabbix server --listen :10051 --proxy px --state server.state \\\n"
                    "      >>data.ndjson\n",
        .run = zabbix_server,
    },
    {
        .verb = "zabbix",
        .noun = "send",
        .synopsis = "[OPTION...] HOST:PORT [KEY VALUE]",
        .summary = "sends values as zabbix_sender does",
        .help = zabbix_send_help,
        .rows = {zabbix_send_rows, zabbix_tls_rows, live_rows},
        .codes = zabbix_send_codes,
        .examples = "  leat zabbix send zabbix.example:10051 --host za1 trap.text hello\n",
        .operands_min = 1,
        .operands_max = 3,
        .run = zabbix_send,
    },
    {
        .verb = "zabbix",
        .noun = "get",
        .synopsis = "[OPTION...] HOST:PORT KEY",
        .summary = "asks an agent as zabbix_get does",
        .help = zabbix_get_help,
        .rows = {zabbix_get_rows, zabbix_tls_rows, live_rows},
        .codes = zabbix_get_codes,
        .examples = "  leat zabbix get agent.example:10050 agent.ping\n",
        .operands_min = 2,
        .operands_max = 2,
        .run = zabbix_get,
    },
    {
        .verb = "broker",
        .noun = "peer",
        .synopsis = "--connect HOST:PORT [OPTION...]",
        .summary = "peers with Zeek, as JSON",
        .help = broker_peer_help,
        .rows = {broker_peer_rows, broker_node_rows, broker_talk_rows, broker_tls_rows, live_rows},
        .codes = broker_peer_codes,
        .examples = "  leat broker peer --connect zeek.example:9999 --subscribe zeek/ \\\n"
                    "      >>events.ndjson\n",
        .run = broker_peer,
    },
    {
        .verb = "broker",
        .noun = "ws",
        .synopsis = "--connect URL | --listen ADDR:PORT [OPTION...]",
        .summary = "Broker over WebSocket, as JSON",
        .help = broker_ws_help,
        .rows = {broker_ws_rows, broker_node_rows, broker_talk_rows, broker_tls_rows, live_rows},
        .codes = broker_peer_codes,
        .examples = "  leat broker ws --connect ws://zeek.example:9997 --subscribe zeek/ \\\n"
                    "      >>events.ndjson\n",
        .run = broker_ws,
    },
    {
        .verb = "zeek",
        .noun = "agent",
        .synopsis = "--name NAME --connect HOST:PORT [OPTION...]",
        .summary = "is told by a controller what to run, as JSON",
        .help = zeek_agent_help,
        .rows = {zeek_agent_rows, zeek_node_rows, broker_tls_rows, live_rows},
        .codes = zeek_live_codes,
        .examples =
            "  leat zeek agent --name agent-1 --connect 127.0.0.1:2150 --nodes nodes.json\n",
        .run = zeek_agent,
    },
    {
        .verb = "zeek",
        .noun = "controller",
        .synopsis = "[OPTION...]",
        .summary = "tells agents what to run, as JSON",
        .help = zeek_controller_help,
        .rows = {zeek_controller_rows, zeek_node_rows, broker_tls_rows, live_rows},
        .codes = zeek_live_codes,
        .examples = "  leat zeek controller --listen :2150 --state deployed.json >>events.ndjson\n",
        .run = zeek_controller,
    },
    {
        .verb = "zeek",
        .noun = "client",
        .synopsis = "[OPTION...] HOST:PORT COMMAND [ARGUMENT...]",
        .summary = "asks a controller, as zeek-client does",
        .help = zeek_client_help,
        .rows = {zeek_client_rows, live_rows},
        .codes = zeek_client_codes,
        .examples = "  leat zeek client 127.0.0.1:2149 deploy-config cluster.json\n"
                    "  leat zeek client 127.0.0.1:2149 get-id-value Cluster::node worker-01\n",
        .operands_min = 2,
        .operands_max = OPERANDS_MAX,
        .run = zeek_client,
    },
    {
        .verb = "zeek",
        .noun = "events",
        .synopsis = "[NAME]",
        .summary = "all events that agents and controllers know",
        .help = zeek_events_help,
        .rows = {zeek_events_rows},
        .codes = zeek_events_codes,
        .examples = "  leat zeek events get_nodes_response\n",
        .operands_max = 1,
        .run = zeek_events,
    },
};

const struct command *command_table(size_t *count)
{
    *count = sizeof commands / sizeof *commands;
    return commands;
}
