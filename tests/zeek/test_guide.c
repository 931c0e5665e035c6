/*
 * The snippets of doc/zeek-management.md, as they stand there (test_zeek_guide.py compares), and proof
 * that they do what the guide says.
 */
#define _POSIX_C_SOURCE 200809L
#include "net.h"

#include <leat/zeek_agent.h>
#include <leat/zeek_controller.h>
#include <stdio.h>

static FILE *out;

/* A node of a deployment: a process of the agent's. */
struct node {
    const char *name;
    int runs;
    const char *outputs[2]; /* the last that it said, on standard output and error */
};

/* Answers a deployment, when it is known of each node whether it runs. */
static int answer_deployment(leat_zeek_agent *agent, leat_builder *b, uint64_t request,
                             const struct node *nodes, size_t count)
{
    const struct node *node;

    leat_builder_clear(b);
    leat_builder_open(b, NULL, LEAT_LIST);
    for (node = nodes; node < nodes + count; node++) {
        leat_builder_open(b, NULL, LEAT_RECORD);
        leat_builder_text(b, "node", node->name, strlen(node->name));
        leat_builder_bool(b, "success", node->runs);
        if (!node->runs) {
            leat_builder_open(b, "data", LEAT_RECORD);
            leat_builder_text(b, "stdout", node->outputs[0], strlen(node->outputs[0]));
            leat_builder_text(b, "stderr", node->outputs[1], strlen(node->outputs[1]));
            leat_builder_close(b);
        }
        leat_builder_close(b);
    }
    leat_builder_close(b);
    return leat_zeek_agent_answer(agent, request, leat_builder_value(b));
}

/* Tells that a node has died, and why. */
static int node_died(leat_zeek_agent *agent, const char *node, const char *why)
{
    int status = leat_zeek_agent_node(agent, node, strlen(node), LEAT_ZEEK_STATE_CRASHED, -1);

    if (status == LEAT_OK)
        status = leat_zeek_agent_notify(agent, LEAT_ZEEK_AGENT_NOTIFY_ERROR, why, strlen(why), node,
                                        strlen(node));
    return status;
}

/* Draws what a controller tells, and keeps the configuration that was deployed last. */
static void on_told(leat_zeek_controller *controller, leat_builder *deployed)
{
    const leat_event *event;
    char text[4096];
    size_t length;

    while (leat_zeek_controller_next(controller, &event) == LEAT_OK) {
        const leat_value *value = leat_event_value(event);
        const char *what = leat_value_text(leat_value_get(value, "what"), &length);

        if (leat_event_kind(event) == LEAT_ZEEK_CONFIGURATION && length == 8 &&
            memcmp(what, "deployed", 8) == 0) {
            leat_builder_clear(deployed);
            leat_builder_copy(deployed, NULL, leat_value_get(value, "configuration"));
        }
        leat_value_json(value, text, sizeof text);
        fprintf(out, "%s %s\n", leat_event_name(event, NULL), text);
    }
}

/* Says which part of an event is not as the framework has it. */
static void print_flaw(const leat_zeek_management_flaw *flaw)
{
    fprintf(out, "%s", flaw->event);
    if (flaw->argument != NULL)
        fprintf(out, ", argument %s", flaw->argument);
    if (flaw->record != NULL)
        fprintf(out, ", %s", flaw->record);
    if (flaw->field != NULL)
        fprintf(out, ", field %s", flaw->field);
    fprintf(out, ": %s", flaw->what);
    if (flaw->type != NULL)
        fprintf(out, " (%s)", flaw->type);
    fprintf(out, "\n");
}

/* Asks a controller in the same program, as a client would; args is a record of the arguments as JSON. */
static int ask_here(leat_zeek_controller *controller, leat_builder *b, uint32_t kind,
                    const char *args)
{
    leat_zeek_management_flaw flaw;
    int status;

    leat_zeek_management_flaw_init(&flaw, sizeof flaw);
    leat_builder_clear(b);
    status = leat_builder_json(b, NULL, args, strlen(args));
    if (status == LEAT_OK)
        status = leat_zeek_controller_request(controller, kind, leat_builder_value(b), &flaw);
    if (status == LEAT_E_VALUE)
        print_flaw(&flaw);
    return status;
}

/* Prints an event of the framework as JSON; data is that of a DATA event, native or not. */
static void on_data(leat_builder *b, const leat_value *data)
{
    leat_zeek_management_flaw flaw;
    leat_zeek_message message;
    char text[4096];
    int status;

    leat_zeek_message_init(&message, sizeof message);
    if (leat_zeek_read(data, &message) != LEAT_OK || leat_zeek_management_kind(&message) == 0)
        return; /* a plain event, or no event at all */
    leat_zeek_management_flaw_init(&flaw, sizeof flaw);
    leat_builder_clear(b);
    status = leat_zeek_management_read(b, NULL, &message, &flaw);
    if (status == LEAT_E_SYNTAX)
        print_flaw(&flaw);
    if (status != LEAT_OK)
        return;
    leat_value_json(leat_builder_value(b), text, sizeof text);
    fprintf(out, "%.*s %s\n", (int)message.name_length, message.name, text);
}

/* ----- proof ----- */

#define CONTROLLER 0u
#define AGENT      1u
#define CLIENT     2u

/* A controller, an agent and a native client. */
struct stage {
    struct net net;
    leat_zeek_controller *controller;
    leat_zeek_agent *agent;
    leat_builder *b, *deployed;
    char *printed;
    size_t length;
};

static const char configuration[] =
    "{\"reqid\":\"1\",\"config\":{\"id\":\"first\",\"instances\":[{\"name\":\"agent-1\","
    "\"host\":\"127.0.0.1\"}],\"nodes\":[{\"name\":\"manager\",\"instance\":\"agent-1\","
    "\"role\":\"Supervisor::MANAGER\",\"state\":\"Management::RUNNING\"},{\"name\":\"worker\","
    "\"instance\":\"agent-1\",\"role\":\"Supervisor::WORKER\",\"state\":\"Management::RUNNING\"}]}"
    "}";

static leat_builder *builder(void)
{
    leat_builder *made;

    ck_assert_int_eq(leat_builder_new(NULL, &made), LEAT_OK);
    return made;
}

static void take(void *context, size_t node, leat_session *session, const leat_event *event)
{
    struct stage *stage = context;

    (void)session;
    if (node == CONTROLLER)
        ck_assert_int_ge(leat_zeek_controller_take(stage->controller, event), LEAT_OK);
    else if (node == AGENT)
        ck_assert_int_ge(leat_zeek_agent_take(stage->agent, event), LEAT_OK);
    else if (leat_event_kind(event) == LEAT_BROKER_DATA)
        on_data(stage->b, leat_value_get(leat_event_value(event), "data"));
}

/* Does what the agent is asked for. Of a deployment, the second node fails. */
static void answer_all(struct stage *stage)
{
    static const struct node nodes[] = {{"manager", 1, {"", ""}},
                                        {"worker", 0, {"a", "no script"}}};
    const leat_event *event;

    while (leat_zeek_agent_next(stage->agent, &event) == LEAT_OK) {
        uint64_t request = leat_value_u64(leat_value_get(leat_event_value(event), "request"));

        if (leat_event_kind(event) == LEAT_ZEEK_AGENT_DEPLOY_REQUEST)
            ck_assert_int_eq(answer_deployment(stage->agent, stage->b, request, nodes, 2), LEAT_OK);
        else
            ck_assert_int_eq(leat_zeek_agent_done(stage->agent, request), LEAT_OK);
    }
}

static void run(struct stage *stage)
{
    size_t round;

    for (round = 0; round < 8; round++) {
        net_run(&stage->net);
        answer_all(stage);
        on_told(stage->controller, stage->deployed);
    }
}

static void open_stage(struct stage *stage)
{
    leat_zeek_controller_options controls;
    leat_zeek_agent_options acts;
    char address[24];

    memset(stage, 0, sizeof *stage);
    net_init(&stage->net);
    stage->net.quiet = true;
    stage->net.internet = true;
    stage->net.event = take;
    stage->net.context = stage;
    stage->b = builder();
    stage->deployed = builder();
    out = open_memstream(&stage->printed, &stage->length);
    ck_assert_ptr_nonnull(out);
    (void)net_add(&stage->net, NULL);
    (void)net_add(&stage->net, NULL);
    (void)net_add(&stage->net, NULL);
    leat_zeek_controller_options_init(&controls, sizeof controls);
    ck_assert_int_eq(leat_zeek_controller_new(NULL, &controls, net_broker(&stage->net, CONTROLLER),
                                              &stage->controller),
                     LEAT_OK);
    leat_zeek_agent_options_init(&acts, sizeof acts);
    acts.name = "agent-1";
    net_address(&stage->net, CONTROLLER, address);
    acts.controller_address = address;
    acts.controller_port = NET_PORT;
    ck_assert_int_eq(
        leat_zeek_agent_new(NULL, &acts, net_broker(&stage->net, AGENT), &stage->agent), LEAT_OK);
    net_subscribe(&stage->net, CLIENT, LEAT_ZEEK_CONTROLLER_TOPIC);
    net_peer(&stage->net, CLIENT, CONTROLLER, 1);
    run(stage);
}

static void close_stage(struct stage *stage)
{
    leat_zeek_controller_free(stage->controller);
    leat_zeek_agent_free(stage->agent);
    net_free(&stage->net);
    leat_builder_free(stage->b);
    leat_builder_free(stage->deployed);
    (void)fclose(out);
    free(stage->printed);
}

/* That this was printed; then all is forgotten. */
static void printed(struct stage *stage, const char *const *lines)
{
    (void)fclose(out);
    for (; *lines != NULL; lines++)
        ck_assert_msg(strstr(stage->printed, *lines) != NULL, "%s is not in\n%.2000s", *lines,
                      stage->printed);
    free(stage->printed);
    out = open_memstream(&stage->printed, &stage->length);
    ck_assert_ptr_nonnull(out);
}

static void ask_both(struct stage *stage)
{
    ck_assert_int_eq(ask_here(stage->controller, stage->b,
                              LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST, configuration),
                     LEAT_OK);
    ck_assert_int_eq(ask_here(stage->controller, stage->b, LEAT_ZEEK_CONTROLLER_DEPLOY_REQUEST,
                              "{\"reqid\":\"2\"}"),
                     LEAT_OK);
    run(stage);
}

/* From a hello to a deployment of which a node fails, and another one dies later. */
START_TEST(a_deployment)
{
    static const char *const known[] = {"instance {\"instance\":\"agent-1\",\"what\":\"known\",",
                                        NULL};
    static const char *const deployed[] = {
        "stage_configuration_response {\"reqid\":\"1\",\"results\":[{\"reqid\":\"1\","
        "\"success\":true,",
        "configuration {\"what\":\"staged\",",
        "instance {\"instance\":\"agent-1\",\"what\":\"ready\",",
        "notify_agents_ready {\"instances\":[\"agent-1\"]}",
        "configuration {\"what\":\"deployed\",",
        "\"p\":\"2200/tcp\"",
        "deploy_response {\"reqid\":\"2\",\"results\":[",
        "\"data\":{\"stdout\":\"a\",\"stderr\":\"no script\"}",
        "{\"reqid\":\"2\",\"success\":true,",
        "\"data\":\"first\"",
        NULL};
    static const char *const died[] = {
        "\"old\":\"Management::RUNNING\"", "\"new\":\"Management::CRASHED\"",
        "notify_error {\"instance\":\"agent-1\",\"msg\":\"signal 9\","
        "\"node\":\"manager\"}",
        NULL};
    struct stage stage;

    open_stage(&stage);
    printed(&stage, known);
    ask_both(&stage);
    printed(&stage, deployed);
    ck_assert_int_eq(node_died(stage.agent, "manager", "signal 9"), LEAT_OK);
    run(&stage);
    printed(&stage, died);
    ck_assert_int_eq(node_died(stage.agent, "nobody", "signal 9"), LEAT_E_STATE);
    close_stage(&stage);
}
END_TEST

/* The next controller has what the last one told to keep, as it was or out of a file with JSON. */
START_TEST(a_restart)
{
    static const char request[] = "{\"reqid\":\"3\",\"deployed\":true}";
    static const char *const restored[] = {
        "get_configuration_response {\"reqid\":\"3\",\"result\":{\"reqid\":\"3\",\"success\":true,",
        "\"data\":{\"id\":\"first\",", NULL};
    leat_zeek_controller_options options;
    leat_builder *file;
    struct stage stage;
    char *json;

    open_stage(&stage);
    ask_both(&stage);
    leat_zeek_controller_free(stage.controller);
    leat_zeek_controller_options_init(&options, sizeof options);
    ck_assert_int_eq(leat_zeek_controller_new(NULL, &options, net_broker(&stage.net, CONTROLLER),
                                              &stage.controller),
                     LEAT_OK);
    json = t_json_text(leat_builder_value(stage.deployed));
    file = t_json(json, strlen(json));
    ck_assert_int_eq(leat_zeek_controller_restore(
                         stage.controller, leat_builder_value(_i == 0 ? stage.deployed : file)),
                     LEAT_OK);
    ck_assert_int_eq(ask_here(stage.controller, stage.b,
                              LEAT_ZEEK_CONTROLLER_GET_CONFIGURATION_REQUEST, request),
                     LEAT_OK);
    run(&stage);
    printed(&stage, restored);
    close_stage(&stage);
    leat_builder_free(file);
    free(json);
}
END_TEST

static const struct {
    const char *args;
    const char *printed;
} mistakes[] = {
    {"{\"reqid\":\"1\",\"config\":{\"id\":\"x\",\"instances\":[],\"nodes\":[{\"name\":\"a\","
     "\"instance\":\"b\",\"role\":\"Supervisor::BOSS\",\"state\":\"Management::RUNNING\"}]}}",
     "stage_configuration_request, argument config, Management::Node, field role: it is none of "
     "that enum (Supervisor::ClusterRole)\n"},
    {"{\"reqid\":1,\"config\":{\"id\":\"x\",\"instances\":[],\"nodes\":[]}}",
     "stage_configuration_request, argument reqid: it is of another type (string)\n"},
};

START_TEST(what_is_wrong)
{
    const char *const expected[] = {mistakes[_i].printed, NULL};
    struct stage stage;

    open_stage(&stage);
    ck_assert_int_eq(ask_here(stage.controller, stage.b,
                              LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST, mistakes[_i].args),
                     LEAT_E_VALUE);
    printed(&stage, expected);
    close_stage(&stage);
}
END_TEST

static const struct {
    const char *data;
    const char *printed;
} said[] = {
    {"[1,1,[\"Management::Controller::API::get_nodes_request\",[\"7\"]]]",
     "Management::Controller::API::get_nodes_request {\"reqid\":\"7\"}\n"},
    {"[1,1,[\"Management::Controller::API::get_nodes_request\",[]]]",
     "Management::Controller::API::get_nodes_request: "},
    {"[1,1,[\"Management::Controller::API::get_nodes_request\",[true]]]",
     "Management::Controller::API::get_nodes_request, argument reqid: "},
};

START_TEST(what_is_said)
{
    const char *const expected[] = {said[_i].printed, NULL};
    leat_builder *data = t_json(said[_i].data, strlen(said[_i].data));
    struct stage stage;

    open_stage(&stage);
    on_data(stage.b, leat_builder_value(data));
    printed(&stage, expected);
    close_stage(&stage);
    leat_builder_free(data);
}
END_TEST

/* What is none of the framework's is not printed. */
START_TEST(what_is_not_of_the_framework)
{
    static const char *const others[] = {"[1,1,[\"ping\",[]]]", "[1]", "\"x\""};
    leat_builder *data = t_json(others[_i], strlen(others[_i]));
    struct stage stage;

    open_stage(&stage);
    (void)fflush(out);
    stage.length = 0;
    printed(&stage, (const char *const[]){NULL});
    on_data(stage.b, leat_builder_value(data));
    (void)fflush(out);
    ck_assert_uint_eq(stage.length, 0);
    close_stage(&stage);
    leat_builder_free(data);
}
END_TEST

/* What an event has by places, and by names. */
START_TEST(places_and_names)
{
    static const char places[] = "[\"r1\",[\"first\",[[\"agent-1\",\"127.0.0.1\",null]],[]],false]";
    static const char names[] =
        "{\"reqid\":\"r1\",\"config\":{\"id\":\"first\",\"instances\":[{\"name\":\"agent-1\","
        "\"host\":\"127.0.0.1\",\"listen_port\":null}],\"nodes\":[]},\"force\":false}";
    leat_builder *args = t_json(names, sizeof names - 1), *b = builder();
    leat_zeek_message message;
    char *text;

    ck_assert_int_eq(leat_zeek_management_write(b, NULL, LEAT_ZEEK_AGENT_DEPLOY_REQUEST,
                                                leat_builder_value(args), NULL),
                     LEAT_OK);
    leat_zeek_message_init(&message, sizeof message);
    ck_assert_int_eq(leat_zeek_read(leat_builder_value(b), &message), LEAT_OK);
    text = t_json_text(message.args);
    ck_assert_str_eq(text, places);
    free(text);
    leat_builder_clear(args);
    ck_assert_int_eq(leat_zeek_management_read(args, NULL, &message, NULL), LEAT_OK);
    text = t_json_text(leat_builder_value(args));
    ck_assert_str_eq(text, names);
    free(text);
    leat_builder_free(args);
    leat_builder_free(b);
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_test(tc, places_and_names);
    tcase_add_test(tc, a_deployment);
    tcase_add_loop_test(tc, a_restart, 0, 2);
    tcase_add_loop_test(tc, what_is_wrong, 0, sizeof mistakes / sizeof *mistakes);
    tcase_add_loop_test(tc, what_is_said, 0, sizeof said / sizeof *said);
    tcase_add_loop_test(tc, what_is_not_of_the_framework, 0, 3);
}

T_MAIN("zeek/guide", tests)
