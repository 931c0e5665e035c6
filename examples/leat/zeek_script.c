/*
 * The nodes of an agent that answers by itself. A file says how each of them does; nothing is really started.
 *
 *     {"nodes":{"worker-01":{"start_ms":200,"values":{"Cluster::node":"worker-01"}},"*":{}}}
 */
#include "zeek_live.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_PID 1001

/* A node of the agent's own. */
struct process {
    struct process *next;
    const leat_value *rules; /* of the file; NULL: it starts fine */
    bool decided;            /* whether it has come up, or failed to */
    bool running;
    uint64_t due; /* when it is decided, or crashes; UINT64_MAX: never */
    size_t length;
    char name[];
};

struct script {
    struct talk *talk;
    leat_builder *file;
    const leat_value *rules; /* of its nodes, by their names */
    const leat_value *refuse_welcome;
    leat_builder *answer; /* a record of request and answer */
    leat_buffer *text;
    struct process *processes; /* in the order of the configuration */
    struct process **end;
    int64_t next_pid;
    bool deploying; /* and that request waits for an answer */
    uint64_t deployment;
};

/* The file */

/* Whether all fields of a record are known, and of their kinds. False, with a complaint. */
static bool check_fields(const char *path, const char *of, const leat_value *record,
                         const char *const *names, const uint32_t *kinds)
{
    const char *unknown = "";
    size_t length = 0, i;

    if (leat_value_kind(record) != LEAT_RECORD) {
        complain("%s: %s: not an object", path, of);
        return false;
    }
    if (!fields_known(record, names, &unknown, &length)) {
        complain("%s: %s: a field that is not known: %.*s", path, of,
                 length < 64 ? (int)length : 64, unknown);
        return false;
    }
    for (i = 0; names[i] != NULL; i++) {
        const leat_value *field = leat_value_get(record, names[i]);

        if (field != NULL && leat_value_kind(field) != kinds[i]) {
            complain("%s: %s: %s: not %s", path, of, names[i],
                     kinds[i] == LEAT_UINT     ? "a number"
                     : kinds[i] == LEAT_RECORD ? "an object"
                                               : "a text");
            return false;
        }
    }
    return true;
}

static bool check_node(const char *path, const leat_value *rules)
{
    static const char *const names[] = {"state",  "pid",    "start_ms", "crash_ms", "error",
                                        "stdout", "stderr", "values",   NULL};
    static const uint32_t kinds[] = {LEAT_TEXT, LEAT_UINT, LEAT_UINT, LEAT_UINT,
                                     LEAT_TEXT, LEAT_TEXT, LEAT_TEXT, LEAT_RECORD};
    const leat_value *state = leat_value_get(rules, "state");
    char of[64];
    const char *text;
    size_t length;

    text = leat_value_name(rules, &length);
    (void)snprintf(of, sizeof of, "%.*s", (int)(length < sizeof of ? length : sizeof of - 1), text);
    if (!check_fields(path, of, rules, names, kinds))
        return false;
    text = leat_value_text(state, &length);
    if (state != NULL && zeek_state(text, length) == NULL) {
        complain("%s: %s: state: not a state", path, of);
        return false;
    }
    return true;
}

static bool check_file(const char *path, const leat_value *file)
{
    static const char *const names[] = {"nodes", "refuse_welcome", NULL};
    static const uint32_t kinds[] = {LEAT_RECORD, LEAT_TEXT};
    const leat_value *nodes = leat_value_get(file, "nodes");
    const leat_value *rules;

    if (file == NULL || !check_fields(path, "the file", file, names, kinds))
        return false;
    for (rules = leat_value_first(nodes); rules != NULL; rules = leat_value_next(nodes, rules)) {
        if (!check_node(path, rules))
            return false;
    }
    return true;
}

struct script *script_open(const char *path, struct talk *talk)
{
    struct script *script = calloc(1, sizeof *script);
    const leat_value *file;

    need_memory(script == NULL ? LEAT_E_NOMEM : LEAT_OK);
    script->talk = talk;
    script->end = &script->processes;
    script->next_pid = FIRST_PID;
    need_memory(leat_builder_new(NULL, &script->file));
    need_memory(leat_builder_new(NULL, &script->answer));
    new_buffer(&script->text);
    file = zeek_file(script->file, path);
    if (!check_file(path, file)) {
        script_close(script);
        return NULL;
    }
    script->rules = leat_value_get(file, "nodes");
    script->refuse_welcome = leat_value_get(file, "refuse_welcome");
    return script;
}

static void forget_processes(struct script *script)
{
    while (script->processes != NULL) {
        struct process *process = script->processes;

        script->processes = process->next;
        free(process);
    }
    script->end = &script->processes;
}

void script_close(struct script *script)
{
    if (script == NULL)
        return;
    forget_processes(script);
    leat_buffer_free(script->text);
    leat_builder_free(script->answer);
    leat_builder_free(script->file);
    free(script);
}

/* Answers */

static void begin_answer(struct script *script, uint64_t request)
{
    leat_builder_clear(script->answer);
    (void)leat_builder_open(script->answer, NULL, LEAT_RECORD);
    (void)leat_builder_u64(script->answer, "request", request);
}

/* Gives the answer, and prints it in the form of lines that give one. */
static void give_answer(struct script *script, leat_zeek_agent *agent)
{
    const leat_value *line, *answer;
    int status;

    need_memory(leat_builder_close(script->answer));
    line = leat_builder_value(script->answer);
    answer = leat_value_get(line, "answer");
    status = leat_zeek_agent_answer(agent, leat_value_u64(leat_value_get(line, "request")), answer);
    need_memory(status);
    if (status != LEAT_OK) {
        complain("an answer is refused: %s",
                 status == LEAT_E_STATE ? "it comes too late" : "more than a message can hold");
        return;
    }
    output_news(&script->talk->output, "answer", NULL, line);
    script->talk->printed = true;
}

/* Answers that all went well. */
static void answer_done(struct script *script, leat_zeek_agent *agent, uint64_t request)
{
    begin_answer(script, request);
    (void)leat_builder_open(script->answer, "answer", LEAT_RECORD);
    (void)leat_builder_close(script->answer);
    give_answer(script, agent);
}

/* Opens what the answer says about one node. */
static void begin_result(struct script *script, const char *name, size_t length, bool success)
{
    (void)leat_builder_open(script->answer, NULL, LEAT_RECORD);
    (void)leat_builder_text(script->answer, "node", name, length);
    (void)leat_builder_bool(script->answer, "success", success);
}

static void put_error(struct script *script, const char *before, const char *name, size_t length,
                      const char *behind)
{
    size_t begin = strlen(before), end = strlen(behind);
    char *text = malloc(begin + length + end + 1);

    need_memory(text == NULL ? LEAT_E_NOMEM : LEAT_OK);
    memcpy(text, before, begin);
    memcpy(text + begin, name, length);
    memcpy(text + begin + length, behind, end);
    (void)leat_builder_text(script->answer, "error", text, begin + length + end);
    free(text);
}

/* Nodes */

static const leat_value *rules_of(const struct script *script, const char *name, size_t length)
{
    size_t place = 0;
    const leat_value *rules =
        script->rules != NULL ? leat_value_find(script->rules, name, length, &place) : NULL;

    return rules != NULL ? rules : leat_value_get(script->rules, "*");
}

static uint64_t now_of(const struct script *script)
{
    return script->talk->live.now;
}

/* A time of the file from now on. */
static uint64_t due_in(const struct script *script, const leat_value *ms)
{
    uint64_t due = now_of(script) + leat_value_u64(ms);

    return due >= now_of(script) ? due : UINT64_MAX;
}

/* What a node comes to when it was started. */
static const char *state_of(const struct process *process)
{
    size_t length;
    const char *text = leat_value_text(leat_value_get(process->rules, "state"), &length);

    return length > 0 ? zeek_state(text, length) : LEAT_ZEEK_STATE_RUNNING;
}

static bool starts_fine(const struct process *process)
{
    return strcmp(state_of(process), LEAT_ZEEK_STATE_RUNNING) == 0;
}

static void start(struct script *script, struct process *process)
{
    process->decided = process->running = false;
    process->due = due_in(script, leat_value_get(process->rules, "start_ms"));
}

static void say_state(leat_zeek_agent *agent, const struct process *process, const char *state,
                      int64_t pid)
{
    need_memory(leat_zeek_agent_node(agent, process->name, process->length, state, pid));
}

/* It has come up, or failed to. */
static void decide(struct script *script, leat_zeek_agent *agent, struct process *process)
{
    const leat_value *pid = leat_value_get(process->rules, "pid");
    const leat_value *crash = leat_value_get(process->rules, "crash_ms");
    const leat_value *error = leat_value_get(process->rules, "error");
    const char *text;
    size_t length;

    process->decided = true;
    process->running = starts_fine(process);
    process->due = process->running && crash != NULL ? due_in(script, crash) : UINT64_MAX;
    if (process->running)
        say_state(agent, process, LEAT_ZEEK_STATE_RUNNING,
                  pid != NULL ? leat_value_i64(pid) : script->next_pid++);
    else if (!script->deploying)
        say_state(agent, process, state_of(process), -1);
    text = leat_value_text(error, &length);
    if (!process->running && error != NULL)
        need_memory(leat_zeek_agent_notify(agent, LEAT_ZEEK_AGENT_NOTIFY_ERROR, text, length,
                                           process->name, process->length));
}

static void crash(leat_zeek_agent *agent, struct process *process)
{
    process->running = false;
    process->due = UINT64_MAX;
    say_state(agent, process, LEAT_ZEEK_STATE_CRASHED, -1);
}

/* Deployments */

static void add_process(struct script *script, const leat_value *node)
{
    size_t length;
    const char *name = leat_value_text(leat_value_get(node, "name"), &length);
    struct process *process = calloc(1, sizeof *process + length);

    need_memory(process == NULL ? LEAT_E_NOMEM : LEAT_OK);
    process->length = length;
    memcpy(process->name, name, length);
    process->rules = rules_of(script, name, length);
    *script->end = process;
    script->end = &process->next;
    start(script, process);
}

static void deploy(struct script *script, uint64_t request, const leat_value *own)
{
    const leat_value *node;

    forget_processes(script);
    for (node = leat_value_first(own); node != NULL; node = leat_value_next(own, node))
        add_process(script, node);
    script->deploying = true;
    script->deployment = request;
}

/* What a node said that failed. */
static void put_outputs(struct script *script, const leat_value *rules)
{
    static const char *const names[] = {"stdout", "stderr"};
    size_t length, i;

    if (leat_value_get(rules, "stdout") == NULL && leat_value_get(rules, "stderr") == NULL)
        return;
    (void)leat_builder_open(script->answer, "data", LEAT_RECORD);
    for (i = 0; i < sizeof names / sizeof *names; i++) {
        const char *text = leat_value_text(leat_value_get(rules, names[i]), &length);

        (void)leat_builder_text(script->answer, names[i], text, length);
    }
    (void)leat_builder_close(script->answer);
}

static void answer_deployment(struct script *script, leat_zeek_agent *agent)
{
    const struct process *process;

    begin_answer(script, script->deployment);
    (void)leat_builder_open(script->answer, "answer", LEAT_LIST);
    for (process = script->processes; process != NULL; process = process->next) {
        begin_result(script, process->name, process->length, process->running);
        if (!process->running && leat_value_get(process->rules, "error") != NULL)
            (void)leat_builder_copy(script->answer, "error",
                                    leat_value_get(process->rules, "error"));
        if (!process->running)
            put_outputs(script, process->rules);
        (void)leat_builder_close(script->answer);
    }
    (void)leat_builder_close(script->answer);
    give_answer(script, agent);
}

/* It is answered, or too late: what was held back is said. */
static void end_deployment(struct script *script, leat_zeek_agent *agent)
{
    const struct process *process;

    script->deploying = false;
    for (process = script->processes; process != NULL; process = process->next) {
        if (process->decided && !starts_fine(process))
            say_state(agent, process, state_of(process), -1);
    }
}

/* Other requests */

static struct process *find_process(const struct script *script, const char *name, size_t length)
{
    struct process *process = script->processes;

    while (process != NULL &&
           (process->length != length || memcmp(process->name, name, length) != 0))
        process = process->next;
    return process;
}

static void restart(struct script *script, leat_zeek_agent *agent, uint64_t request,
                    const leat_value *own)
{
    const leat_value *node;

    begin_answer(script, request);
    (void)leat_builder_open(script->answer, "answer", LEAT_LIST);
    for (node = leat_value_first(own); node != NULL; node = leat_value_next(own, node)) {
        size_t length;
        const char *name = leat_value_text(node, &length);
        struct process *process = find_process(script, name, length);
        bool fine = process != NULL && starts_fine(process);

        begin_result(script, name, length, fine);
        if (fine)
            start(script, process);
        else
            put_error(script, "could not restart node ", name, length, "");
        (void)leat_builder_close(script->answer);
        if (process != NULL && !fine)
            say_state(agent, process, state_of(process), -1);
    }
    (void)leat_builder_close(script->answer);
    give_answer(script, agent);
}

/* What a node makes of an action. */
static void act(struct script *script, const leat_value *node, const leat_value *action)
{
    size_t length, command_length, id_length, place = 0;
    const char *name = leat_value_text(node, &length);
    const char *command = leat_value_text(leat_value_at(action, 0), &command_length);
    const char *id = leat_value_text(leat_value_at(action, 1), &id_length);
    const leat_value *values = leat_value_get(rules_of(script, name, length), "values");
    const leat_value *value =
        values != NULL ? leat_value_find(values, id, id_length, &place) : NULL;
    bool known = command_length == 12 && memcmp(command, "get_id_value", command_length) == 0;
    const char *json;

    begin_result(script, name, length, known && id_length > 0 && value != NULL);
    if (!known) {
        put_error(script, "dispatch ", command, command_length, " unknown");
    } else if (id_length == 0) {
        put_error(script, "get_id_value expects name of global identifier", "", 0, "");
    } else if (value == NULL) {
        put_error(script, "unknown id", "", 0, "");
    } else {
        leat_buffer_clear(script->text);
        need_memory(leat_buffer_json(script->text, value));
        json = leat_buffer_data(script->text, &length);
        (void)leat_builder_text(script->answer, "data", json, length);
    }
    (void)leat_builder_close(script->answer);
}

static void dispatch(struct script *script, leat_zeek_agent *agent, uint64_t request,
                     const leat_value *value)
{
    const leat_value *own = leat_value_get(value, "own");
    const leat_value *node;

    begin_answer(script, request);
    (void)leat_builder_open(script->answer, "answer", LEAT_LIST);
    for (node = leat_value_first(own); node != NULL; node = leat_value_next(own, node))
        act(script, node, leat_value_get(value, "action"));
    (void)leat_builder_close(script->answer);
    give_answer(script, agent);
}

static void welcome(struct script *script, leat_zeek_agent *agent, uint64_t request)
{
    if (script->refuse_welcome == NULL) {
        answer_done(script, agent, request);
        return;
    }
    begin_answer(script, request);
    (void)leat_builder_open(script->answer, "answer", LEAT_RECORD);
    (void)leat_builder_bool(script->answer, "success", false);
    (void)leat_builder_copy(script->answer, "error", script->refuse_welcome);
    (void)leat_builder_close(script->answer);
    give_answer(script, agent);
}

void script_take(struct script *script, leat_zeek_agent *agent, const leat_event *event)
{
    const leat_value *value = leat_event_value(event);
    uint64_t request = leat_value_u64(leat_value_get(value, "request"));

    switch (leat_event_kind(event)) {
    case LEAT_ZEEK_AGENT_AGENT_WELCOME_REQUEST:
        welcome(script, agent, request);
        break;
    case LEAT_ZEEK_AGENT_AGENT_STANDBY_REQUEST:
        forget_processes(script);
        script->deploying = false;
        answer_done(script, agent, request);
        break;
    case LEAT_ZEEK_AGENT_DEPLOY_REQUEST:
        deploy(script, request, leat_value_get(value, "own"));
        break;
    case LEAT_ZEEK_AGENT_GET_NODES_REQUEST:
        answer_done(script, agent, request);
        break;
    case LEAT_ZEEK_AGENT_NODE_DISPATCH_REQUEST:
        dispatch(script, agent, request, value);
        break;
    case LEAT_ZEEK_AGENT_RESTART_REQUEST:
        restart(script, agent, request, leat_value_get(value, "own"));
        break;
    case LEAT_ZEEK_TIMED_OUT:
        if (script->deploying && request == script->deployment)
            end_deployment(script, agent);
        break;
    default:
        break;
    }
}

uint64_t script_turn(struct script *script, leat_zeek_agent *agent)
{
    struct process *process;
    uint64_t due = UINT64_MAX;
    bool decided = true;

    for (process = script->processes; process != NULL; process = process->next) {
        if (process->due <= now_of(script) && process->decided)
            crash(agent, process);
        else if (process->due <= now_of(script))
            decide(script, agent, process);
        decided = decided && process->decided;
        due = process->due < due ? process->due : due;
    }
    if (script->deploying && decided) {
        answer_deployment(script, agent);
        end_deployment(script, agent);
    }
    return due;
}
