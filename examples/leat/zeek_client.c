/* leat zeek client: asks a controller of Zeek's Management framework, over WebSocket, as zeek-client does. */
#include "zeek_live.h"

#include <stdlib.h>
#include <string.h>

#define ATTEMPTS   10u
#define RETRY_MS   1000u
#define TIMEOUT_MS 20000u

#define UUID_BYTES 37 /* as text, with its NUL */

/* What a command asks for, one after the other: nothing, if it is to listen. */
struct task {
    const char *name;
    uint32_t kinds[2];
    size_t operands_min; /* behind the command */
    size_t operands_max;
};

static const struct task tasks[] = {
    {"get-instances", {LEAT_ZEEK_CONTROLLER_GET_INSTANCES_REQUEST}, 0, 0},
    {"get-nodes", {LEAT_ZEEK_CONTROLLER_GET_NODES_REQUEST}, 0, 0},
    {"get-config", {LEAT_ZEEK_CONTROLLER_GET_CONFIGURATION_REQUEST}, 0, 0},
    {"stage-config", {LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST}, 1, 1},
    {"deploy", {LEAT_ZEEK_CONTROLLER_DEPLOY_REQUEST}, 0, 0},
    {"deploy-config",
     {LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST, LEAT_ZEEK_CONTROLLER_DEPLOY_REQUEST},
     1,
     1},
    {"get-id-value", {LEAT_ZEEK_CONTROLLER_GET_ID_VALUE_REQUEST}, 1, OPERANDS_MAX},
    {"restart", {LEAT_ZEEK_CONTROLLER_RESTART_REQUEST}, 0, OPERANDS_MAX},
    {"test-timeout", {LEAT_ZEEK_CONTROLLER_TEST_TIMEOUT_REQUEST}, 0, 0},
    {"monitor", {0}, 0, 0},
};

#define KINDS_MAX (sizeof tasks->kinds / sizeof *tasks->kinds)

struct asker {
    struct talk talk; /* comes first: what is live->data of either */
    struct endpoint server;
    const char *host; /* as in the URL */
    char peer_name[sizeof(((struct endpoint *)0)->host)];
    const struct task *task;
    size_t at;         /* which of its requests is next */
    uint32_t expected; /* the kind of the response that is waited for; 0: none is */
    char reqid[UUID_BYTES];
    leat_builder *topics;
    leat_builder *file;
    const leat_value *configuration; /* in it; NULL: the command has none */
    uint64_t attempts;
    uint64_t timeout_ms;
    uint64_t due; /* of the response, or of the next attempt */
    struct connection *connection;
    bool acknowledged; /* by the server */
    bool over;
};

static struct asker *asker_of(const struct connection *connection)
{
    return connection->live->data;
}

/* Requests */

/* An id that no other request has: a UUID by its form, version 4, which is random. */
static void make_uuid(char text[UUID_BYTES])
{
    static const char form[] = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
    static const char digits[] = "0123456789abcdef";
    uint8_t random[sizeof form];
    size_t i;

    if (!random_octets(random, sizeof random))
        exit(EXIT_USAGE);
    for (i = 0; form[i] != '\0'; i++) {
        unsigned digit = random[i] & 15u;

        if (form[i] == 'y')
            digit = (digit & 3u) | 8u;
        text[i] = form[i] == 'x' || form[i] == 'y' ? digits[digit] : form[i];
    }
    text[i] = '\0';
}

/* A field that is a text, if the record does not have it. */
static void add_missing(leat_builder *builder, const leat_value *record, const char *name,
                        const char *text)
{
    if (leat_value_get(record, name) == NULL)
        (void)leat_builder_text(builder, name, text, strlen(text));
}

/* Adds a field that is a list of records, and to each a text that it may lack. What is no such list goes as it is. */
static void add_completed(leat_builder *builder, const char *list_name, const leat_value *list,
                          const char *name, const char *text)
{
    const leat_value *row, *field;

    if (leat_value_kind(list) != LEAT_LIST) {
        (void)leat_builder_copy(builder, NULL, list);
        return;
    }
    (void)leat_builder_open(builder, list_name, LEAT_LIST);
    for (row = leat_value_first(list); row != NULL; row = leat_value_next(list, row)) {
        if (leat_value_kind(row) != LEAT_RECORD) {
            (void)leat_builder_copy(builder, NULL, row);
            continue;
        }
        (void)leat_builder_open(builder, NULL, LEAT_RECORD);
        for (field = leat_value_first(row); field != NULL; field = leat_value_next(row, field))
            (void)leat_builder_copy(builder, NULL, field);
        add_missing(builder, row, name, text);
        (void)leat_builder_close(builder);
    }
    (void)leat_builder_close(builder);
}

/* The configuration of the file, with what it may leave out. */
static void add_configuration(leat_builder *builder, const leat_value *configuration)
{
    const leat_value *field;
    char id[UUID_BYTES];

    (void)leat_builder_open(builder, "config", LEAT_RECORD);
    for (field = leat_value_first(configuration); field != NULL;
         field = leat_value_next(configuration, field)) {
        if (field == leat_value_get(configuration, "instances"))
            add_completed(builder, "instances", field, "host", "0.0.0.0");
        else if (field == leat_value_get(configuration, "nodes"))
            add_completed(builder, "nodes", field, "state", LEAT_ZEEK_STATE_RUNNING);
        else
            (void)leat_builder_copy(builder, NULL, field);
    }
    make_uuid(id);
    add_missing(builder, configuration, "id", id);
    (void)leat_builder_close(builder);
}

/* The operands from that one on, as a set of nodes. */
static void add_nodes(leat_builder *builder, const struct arguments *arguments, size_t first)
{
    size_t i;

    (void)leat_builder_open(builder, "nodes", LEAT_LIST);
    for (i = first; i < arguments->operand_count; i++)
        (void)leat_builder_text(builder, NULL, arguments->operands[i],
                                strlen(arguments->operands[i]));
    (void)leat_builder_close(builder);
}

/* The arguments of a request, into talk->parts. */
static const leat_value *make_arguments(struct asker *asker, uint32_t kind)
{
    const struct arguments *arguments = asker->talk.arguments;
    leat_builder *built = asker->talk.parts;

    leat_builder_clear(built);
    (void)leat_builder_open(built, NULL, LEAT_RECORD);
    (void)leat_builder_text(built, "reqid", asker->reqid, strlen(asker->reqid));
    switch (kind) {
    case LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST:
        add_configuration(built, asker->configuration);
        break;
    case LEAT_ZEEK_CONTROLLER_GET_CONFIGURATION_REQUEST:
        (void)leat_builder_bool(built, "deployed", option_given(arguments, "--deployed"));
        break;
    case LEAT_ZEEK_CONTROLLER_GET_ID_VALUE_REQUEST:
        (void)leat_builder_text(built, "id", arguments->operands[2],
                                strlen(arguments->operands[2]));
        add_nodes(built, arguments, 3);
        break;
    case LEAT_ZEEK_CONTROLLER_RESTART_REQUEST:
        add_nodes(built, arguments, 2);
        break;
    case LEAT_ZEEK_CONTROLLER_TEST_TIMEOUT_REQUEST:
        (void)leat_builder_bool(built, "with_state", option_given(arguments, "--with-state"));
        break;
    default:
        break;
    }
    need_memory(leat_builder_close(built));
    return leat_builder_value(built);
}

/* Writes the next request into talk->value. False, with a complaint: what the user gave does not fit into it. */
static bool make_request(struct asker *asker, uint32_t kind)
{
    leat_zeek_management_flaw flaw;
    char problem[256];
    int status;

    leat_zeek_management_flaw_init(&flaw, sizeof flaw);
    make_uuid(asker->reqid);
    leat_builder_clear(asker->talk.value);
    status = leat_zeek_management_write(asker->talk.value, NULL, kind, make_arguments(asker, kind),
                                        &flaw);
    need_memory(status);
    if (status == LEAT_OK)
        return true;
    zeek_describe(&flaw, problem, sizeof problem);
    if (asker->configuration != NULL)
        complain("%s: %s", asker->talk.arguments->operands[2], problem);
    else
        complain("%s: %s", asker->task->name, problem);
    return false;
}

/* Ends the conversation, well or not. */
static void finish(struct asker *asker, bool failed)
{
    asker->over = true;
    asker->talk.failed = asker->talk.failed || failed;
    live_stop(&asker->talk.live);
}

/* Says the next request, or ends. */
static void ask(struct asker *asker, struct connection *connection)
{
    uint32_t kind = asker->at < KINDS_MAX ? asker->task->kinds[asker->at] : 0;
    int status;

    if (kind == 0 && asker->at > 0) {
        finish(asker, false);
        return;
    }
    asker->expected = 0;
    asker->due = UINT64_MAX;
    if (kind == 0)
        return;
    asker->at++;
    if (!make_request(asker, kind)) {
        finish(asker, true);
        return;
    }
    status = leat_broker_websocket_publish(connection->session, LEAT_ZEEK_CONTROLLER_TOPIC,
                                           strlen(LEAT_ZEEK_CONTROLLER_TOPIC),
                                           leat_builder_value(asker->talk.value));
    need_memory(status);
    if (status != LEAT_OK) {
        complain("%s: %s", asker->task->name,
                 leat_error_text(leat_session_send_error(connection->session)));
        finish(asker, true);
        return;
    }
    asker->expected = kind + 1; /* a response follows its request */
    asker->due = connection->live->now + asker->timeout_ms;
}

/* Responses */

static bool is_success(const leat_value *result)
{
    return leat_value_bool(leat_value_get(result, "success")) != 0;
}

/* Whether no result of a response is a failure. */
static bool is_good(const leat_value *response)
{
    const leat_value *results = leat_value_get(response, "results");
    const leat_value *result;

    if (results == NULL)
        return is_success(leat_value_get(response, "result"));
    for (result = leat_value_first(results); result != NULL;
         result = leat_value_next(results, result)) {
        if (!is_success(result))
            return false;
    }
    return true;
}

/* Prints an event of the framework; or, if it cannot be read, why. NULL: it cannot. */
static const leat_value *print_typed(struct talk *talk, const leat_zeek_message *message)
{
    leat_zeek_management_flaw flaw;
    int status;

    leat_zeek_management_flaw_init(&flaw, sizeof flaw);
    leat_builder_clear(talk->value);
    status = leat_zeek_management_read(talk->value, NULL, message, &flaw);
    need_memory(status);
    talk->printed = true;
    if (status == LEAT_OK) {
        output_news(&talk->output, leat_zeek_management_name(leat_zeek_management_kind(message)),
                    NULL, leat_builder_value(talk->value));
        return leat_builder_value(talk->value);
    }
    leat_builder_clear(talk->value);
    zeek_add_flaw(talk->value, &flaw);
    output_news(&talk->output, "malformed", NULL, leat_builder_value(talk->value));
    return NULL;
}

static bool is_ours(const struct asker *asker, const leat_zeek_message *message)
{
    size_t length;
    const char *reqid = leat_value_text(leat_value_at(message->args, 0), &length);

    return asker->expected != 0 && leat_zeek_management_kind(message) == asker->expected &&
           length == strlen(asker->reqid) && memcmp(reqid, asker->reqid, length) == 0;
}

static void take(struct asker *asker, struct connection *connection, const leat_value *value)
{
    const leat_value *data = leat_value_get(value, "data");
    const leat_value *response;
    leat_zeek_message message;

    leat_zeek_message_init(&message, sizeof message);
    if (leat_zeek_read(data, &message) != LEAT_OK || leat_zeek_management_kind(&message) == 0) {
        if (asker->task->kinds[0] == 0)
            talk_print(&asker->talk, leat_value_get(value, "topic"), NULL, data);
        return;
    }
    if (asker->task->kinds[0] == 0) {
        (void)print_typed(&asker->talk, &message);
    } else if (is_ours(asker, &message)) {
        response = print_typed(&asker->talk, &message);
        if (response != NULL && is_good(response))
            ask(asker, connection);
        else
            finish(asker, true);
        if (response == NULL)
            complain("the response cannot be read");
    }
}

/* The connection */

static leat_session *make_session(const struct asker *asker)
{
    leat_broker_websocket_client_options options;

    leat_broker_websocket_client_options_init(&options, sizeof options);
    options.host = asker->host;
    options.topics = leat_builder_value(asker->topics);
    return websocket_session(&options, asker->host);
}

static void open_session(struct connection *connection)
{
    connection->session = make_session(asker_of(connection));
    if (connection->session == NULL)
        connection_end(connection, true, "there is no request for it");
}

static void on_event(struct connection *connection, const leat_event *event)
{
    struct asker *asker = asker_of(connection);
    bool sound = leat_event_error(event) == NULL;

    if (asker->over)
        return;
    if (leat_event_kind(event) == LEAT_BROKER_ACK) {
        asker->acknowledged = true;
        ask(asker, connection);
    } else if (leat_event_kind(event) == LEAT_BROKER_DATA && sound) {
        take(asker, connection, leat_event_value(event));
    } else if (leat_event_kind(event) != LEAT_BROKER_CLOSE) {
        talk_tell(&asker->talk, connection, event);
    }
}

static bool on_turn(struct connection *connection)
{
    talk_flush(&asker_of(connection)->talk);
    return false;
}

/* A controller that is not there yet is tried again. */
static void on_closed(struct connection *connection)
{
    struct asker *asker = asker_of(connection);
    struct live *live = connection->live;
    char about[REASON_BYTES];

    describe_end(connection, about, sizeof about);
    asker->connection = NULL;
    if (asker->over || live->stopping) {
        live_news(live, "%s", about);
    } else if (!asker->acknowledged && asker->attempts > 1) {
        live_news(live, "%s", about);
        asker->attempts--;
        asker->due = live->now + RETRY_MS;
    } else {
        complain("%s", about);
        finish(asker, true);
    }
}

static const struct role asker_role = {
    .dir_in = "server>client",
    .dir_out = "client>server",
    .framed = true,
    .open = open_session,
    .ready = node_ready,
    .event = on_event,
    .turn = on_turn,
    .closed = on_closed,
};

static void on_live_turn(struct live *live)
{
    struct asker *asker = live->data;

    if (!live->stopping && live->now >= asker->due) {
        if (asker->connection == NULL) {
            asker->due = UINT64_MAX;
            asker->connection = live_connect(live, &asker->server, &asker_role, NULL);
        } else {
            complain("no response within %llu ms", (unsigned long long)asker->timeout_ms);
            finish(asker, true);
        }
    }
    if (asker->due < live->due && !live->stopping)
        live->due = asker->due;
    talk_flush(&asker->talk);
}

static void on_stop(struct live *live)
{
    struct asker *asker = live->data;
    struct connection *connection = asker->connection;
    int status;

    if (connection == NULL || connection->session == NULL)
        return;
    status = leat_broker_websocket_close(connection->session, 1000, "", 0);
    need_memory(status);
    if (status != LEAT_OK)
        connection_end(connection, false, "stopped");
    connection_wake(connection);
}

/* Beginning and ending */

/* The command, with its operands and options. False, with a complaint: it is none, or not these. */
static bool read_task(struct asker *asker, const struct arguments *arguments)
{
    static const struct {
        const char *option;
        const char *task;
    } only[] = {{"--deployed", "get-config"}, {"--with-state", "test-timeout"}};
    const char *name = arguments->operands[1];
    size_t behind = arguments->operand_count - 2;
    size_t i;

    for (i = 0; i < sizeof tasks / sizeof *tasks; i++) {
        if (strcmp(tasks[i].name, name) == 0)
            asker->task = &tasks[i];
    }
    if (asker->task == NULL) {
        complain("%s: not what a controller can be asked", name);
        return false;
    }
    if (behind < asker->task->operands_min || behind > asker->task->operands_max) {
        complain(behind < asker->task->operands_min ? "%s: something is missing"
                                                    : "%s: one argument too many",
                 name);
        return false;
    }
    for (i = 0; i < sizeof only / sizeof *only; i++) {
        if (option_given(arguments, only[i].option) && strcmp(only[i].task, name) != 0) {
            complain("%s is for %s", only[i].option, only[i].task);
            return false;
        }
    }
    return true;
}

/* Whether JSON can tell what follows the command. False, with a complaint: it cannot. */
static bool check_texts(struct asker *asker)
{
    const struct arguments *arguments = asker->talk.arguments;
    leat_builder *built = asker->talk.value;
    size_t i;

    for (i = 2; i < arguments->operand_count; i++) {
        const char *text = arguments->operands[i];

        leat_builder_clear(built);
        need_memory(leat_builder_text(built, NULL, text, strlen(text)));
        if (leat_value_is_utf8(leat_builder_value(built)) == 0) {
            complain("%s: an argument is not UTF-8", asker->task->name);
            return false;
        }
    }
    return true;
}

/* What follows the command: the file of a configuration, which must be sound before anybody is asked, or texts. */
static bool read_operands(struct asker *asker)
{
    if (asker->task->kinds[0] != LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST)
        return check_texts(asker);
    asker->configuration = zeek_file(asker->file, asker->talk.arguments->operands[2]);
    return asker->configuration != NULL && make_request(asker, asker->task->kinds[0]);
}

static bool begin(struct asker *asker, const struct arguments *arguments)
{
    struct live *live = &asker->talk.live;
    leat_session *trial;

    asker->host = arguments->operands[0];
    if (!talk_open(&asker->talk, arguments) || !read_task(asker, arguments) ||
        !endpoint_read(&asker->server, asker->host, false) ||
        !option_number(arguments, "--attempts", 1, UINT32_MAX, &asker->attempts) ||
        !option_seconds(arguments, "--timeout", &asker->timeout_ms) ||
        !websocket_security(&asker->talk, &asker->server, option_given(arguments, "--tls"), "--tls",
                            asker->peer_name, sizeof asker->peer_name) ||
        !read_operands(asker))
        return false;
    (void)leat_builder_open(asker->topics, NULL, LEAT_LIST);
    (void)leat_builder_text(asker->topics, NULL, LEAT_ZEEK_CONTROLLER_TOPIC,
                            strlen(LEAT_ZEEK_CONTROLLER_TOPIC));
    need_memory(leat_builder_close(asker->topics));
    trial = make_session(asker);
    leat_session_free(trial);
    live->data = asker;
    live->turn = on_live_turn;
    live->stop = on_stop;
    return trial != NULL && live_record(live, arguments);
}

int zeek_client(const struct arguments *arguments)
{
    struct asker *asker = calloc(1, sizeof *asker);
    int code = EXIT_USAGE;

    need_memory(asker == NULL ? LEAT_E_NOMEM : LEAT_OK);
    need_memory(leat_builder_new(NULL, &asker->topics));
    need_memory(leat_builder_new(NULL, &asker->file));
    asker->attempts = ATTEMPTS;
    asker->timeout_ms = TIMEOUT_MS;
    if (begin(asker, arguments)) {
        live_run(&asker->talk.live);
        code = asker->talk.failed ? EXIT_MALFORMED : EXIT_DONE;
    }
    leat_builder_free(asker->file);
    leat_builder_free(asker->topics);
    talk_close(&asker->talk);
    free(asker);
    return code;
}
