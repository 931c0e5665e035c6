/*
 * Recorded runs of Zeek's controller, its agents and its client, with a controller or an agent of ours
 * in the place of each of theirs: on an endpoint of the same id, which hears on each of its connections,
 * octet for octet, what that one heard, WebSockets included. What ours says to agents, to clients or to
 * the controller is compared with what was said then: the event, its topic and all arguments by name.
 *
 * A controller makes up ids for its requests. What it was asked and answered by them is the same but for
 * these: those that were recorded stand for ours as soon as ours asks the same. The order of what an
 * agent lists is free. The messages between agents, Supervisors and nodes are not ours to say.
 *
 * What the caller of an agent has to do is taken from the recording, too: when a request was answered,
 * how it went for each node, and which node was there when.
 *
 * Every difference is in one of the tables below, with its reason and how often it is there.
 */
#include "replay.h"

#include <stdio.h>

#define MAIN      "native-main", "agent-listen-main", "supervisor-main"
#define FAILING   "native-failing", "agent-listen-failing", "supervisor-failing"
#define RECONNECT "native-reconnect", "agent-listen-reconnect", "supervisor-reconnect"
#define WAITING   "agent-listen-controller-connects", "supervisor-controller-connects"
#define TWO                                                                                        \
    "native-two-agents", "agent-listen-two-agents", "agent2-listen-two-agents",                    \
        "supervisor-two-agents", "supervisor2-two-agents"
#define REAL_AGENT "native-real-agent", "native-real-agent-supervisor"
#define EVENTS     "native-real-controller-agent", "native-real-controller-client"
#define REFUSING   "native-refusing-agent-agent", "native-refusing-agent-client"

static const struct place controllers[] = {
    {.run = "main",
     .files = {MAIN},
     .websockets = "ws-main-",
     .conns = {AT(0, 1)},
     .side = 1,
     .fates = "agent-1 known, agent-1 ready, agent-1 lost",
     .counts = "links 33 left out 0 heard 170 translated 13 taken 53 said 84 same 84 early 2 told "
               "70 answered 0 states 0 unread 0"},
    {.run = "failing",
     .files = {FAILING},
     .websockets = "ws-failing-",
     .conns = {AT(0, 1)},
     .side = 1,
     .fates = "agent-1 known, agent-1 ready, agent-1 standby, agent-9 standby, agent-1 ready, "
              "agent-1 standby, agent-1 ready, agent-1 lost",
     .counts = "links 9 left out 0 heard 84 translated 9 taken 32 said 24 same 22 early 0 told 48 "
               "answered 0 states 0 unread 0"},
    {.run = "reconnect",
     .files = {RECONNECT},
     .websockets = "ws-reconnect-",
     .conns = {AT(0, 1), AT(0, 4)},
     .side = 1,
     .fates = "agent-1 known, agent-1 ready, agent-1 lost, agent-1 known, agent-1 ready, agent-1 "
              "known, agent-1 ready, agent-1 lost, agent-1 known, agent-1 ready",
     .counts = "links 13 left out 0 heard 100 translated 11 taken 37 said 22 same 20 early 0 told "
               "36 answered 0 states 0 unread 0"},
    {.run = "controller-connects",
     .files = {WAITING},
     .websockets = "ws-controller-connects-",
     .conns = {AT(0, 1)},
     .fates = "agent-1 known, agent-1 ready, agent-1 standby, agent-1 ready",
     .counts = "links 9 left out 1 heard 67 translated 6 taken 25 said 18 same 18 early 0 told 35 "
               "answered 0 states 0 unread 0"},
    {.run = "two-agents",
     .files = {TWO},
     .websockets = "ws-two-agents-",
     .conns = {AT(0, 1)},
     .side = 1,
     .fates = "agent-2 known, agent-1 known, agent-1 ready, agent-2 ready, agent-2 standby, "
              "agent-2 lost, agent-1 lost",
     .counts = "links 8 left out 0 heard 80 translated 13 taken 33 said 22 same 22 early 0 told "
               "29 answered 0 states 0 unread 0"},
    {.run = "real-controller",
     .files = {EVENTS},
     .conns = {AT(0, 1)},
     .side = 1,
     .fates = "agent-x known, agent-x ready, agent-x standby, agent-x lost",
     .counts = "links 2 left out 0 heard 44 translated 6 taken 34 said 26 same 26 early 1 told 57 "
               "answered 0 states 0 unread 0"},
    {.run = "refusing-agent",
     .files = {REFUSING},
     .conns = {AT(0, 1)},
     .side = 1,
     .fates = "agent-x stranger, agent-x version, agent-x known, agent-x refused, agent-x lost",
     .counts = "links 2 left out 0 heard 20 translated 1 taken 12 said 9 same 8 early 0 told 22 "
               "answered 0 states 0 unread 0"},
};

static const struct place agents[] = {
    {.run = "main",
     .files = {MAIN},
     .agent = "agent-1",
     .conns = {AT(0, 1)},
     .counts = "links 10 left out 0 heard 103 translated 0 taken 13 said 32 same 21 early 0 told "
               "12 answered 12 states 7 unread 0"},
    {.run = "failing",
     .files = {FAILING},
     .agent = "agent-1",
     .conns = {AT(0, 1)},
     .counts = "links 9 left out 0 heard 113 translated 0 taken 11 said 31 same 16 early 0 told "
               "12 answered 10 states 6 unread 0"},
    {.run = "reconnect",
     .files = {RECONNECT},
     .agent = "agent-1",
     .conns = {AT(0, 1), AT(0, 2), AT(0, 5)},
     .counts = "links 19 left out 0 heard 149 translated 0 taken 13 said 36 same 25 early 0 told "
               "11 answered 11 states 9 unread 0"},
    {.run = "controller-connects",
     .files = {WAITING},
     .agent = "agent-1",
     .conns = {AT(0, 1)},
     .side = 1,
     .waits = true,
     .counts = "links 10 left out 0 heard 80 translated 0 taken 7 said 23 same 14 early 0 told 7 "
               "answered 7 states 6 unread 0"},
    {.run = "two-agents",
     .files = {TWO},
     .agent = "agent-1",
     .conns = {AT(0, 2)},
     .counts = "links 9 left out 0 heard 89 translated 0 taken 7 said 20 same 14 early 0 told 6 "
               "answered 6 states 6 unread 0"},
    {.run = "two-agents",
     .files = {TWO},
     .agent = "agent-2",
     .conns = {AT(0, 1)},
     .counts = "links 5 left out 0 heard 46 translated 0 taken 7 said 14 same 10 early 0 told 7 "
               "answered 7 states 2 unread 0"},
    {.run = "real-agent",
     .files = {REAL_AGENT},
     .agent = "agent-1",
     .conns = {AT(0, 1)},
     .unseen = true,
     .counts = "links 4 left out 0 heard 56 translated 0 taken 21 said 29 same 22 early 1 told 18 "
               "answered 16 states 5 unread 0"},
    {.run = "real-controller",
     .files = {EVENTS},
     .agent = "agent-x",
     .conns = {AT(0, 1)},
     .scripted = true,
     .counts = "links 1 left out 0 heard 11 translated 0 taken 7 said 18 same 10 early 0 told 7 "
               "answered 7 states 0 unread 0"},
    {.run = "refusing-agent",
     .files = {REFUSING},
     .agent = "agent-x",
     .conns = {AT(0, 1)},
     .scripted = true,
     .counts = "links 1 left out 0 heard 6 translated 0 taken 2 said 3 same 1 early 0 told 2 "
               "answered 2 states 0 unread 0"},
};

/* Every event, with few arguments and with all, whether it makes sense or not. */
static const struct place all_events[] = {
    {.run = "all-events",
     .files = {"native-all-events"},
     .conns = {AT(0, 1)},
     .side = 1,
     .uncompared = true,
     .log = ">instance agent_standby_request >malformed >instance >malformed >notify_change "
            ">notify_change >notify_error >notify_error >notify_log >notify_log "
            "get_instances_response >get_instances_request >get_instances_response "
            "stage_configuration_response >stage_configuration_request >configuration "
            ">stage_configuration_response stage_configuration_response "
            ">stage_configuration_request >configuration >stage_configuration_response "
            "get_configuration_response >get_configuration_request >get_configuration_response "
            "get_configuration_response >get_configuration_request >get_configuration_response "
            "deploy_response >deploy_request >notify_agents_ready >configuration "
            ">deploy_response get_nodes_response >get_nodes_request >get_nodes_response "
            "get_id_value_response >get_id_value_request >get_id_value_response "
            "restart_response >restart_request >restart_response >test_timeout_request "
            ">test_timeout_request",
     .fates = "agent-x known, agent-x version",
     .counts = "links 1 left out 0 heard 35 translated 0 taken 29 said 10 same 0 early 0 told 34 "
               "answered 0 states 0 unread 0"},
    {.run = "all-events",
     .files = {"native-all-events"},
     .agent = "agent-x",
     .conns = {AT(0, 1)},
     .scripted = true,
     .uncompared = true,
     .log = "notify_agent_hello >agent_welcome_request >agent_standby_request "
            ">agent_standby_request >deploy_request >deploy_request >deploy_request "
            ">get_nodes_request node_dispatch_response node_dispatch_response "
            "node_dispatch_response restart_response restart_response agent_welcome_response "
            "agent_standby_response agent_standby_response deploy_response get_nodes_response "
            "notify_error notify_error notify_log notify_log",
     .counts = "links 1 left out 0 heard 23 translated 0 taken 12 said 15 same 0 early 0 told 7 "
               "answered 5 states 0 unread 2"},
};

#define PLACES(places) (sizeof(places) / sizeof *(places))

/* ----- differences ----- */

/*
 * What was said then and ours does not say (-), or ours says alone (+): in which run, of which agent
 * (NULL: of the controller), which event, with which words in it, and how often.
 */
static struct difference {
    const char *run;
    const char *agent;
    char sign;
    const char *event;
    const char *words;
    unsigned times;
    unsigned found;
} differences[] = {
    /* Ours tells every change of a node's state; the framework never does. */
    {"main", "agent-1", '+', "notify_change", "", 11, 0},
    {"failing", "agent-1", '+', "notify_change", "", 13, 0},
    {"reconnect", "agent-1", '+', "notify_change", "", 9, 0},
    {"controller-connects", "agent-1", '+', "notify_change", "", 9, 0},
    {"two-agents", "agent-1", '+', "notify_change", "", 6, 0},
    {"two-agents", "agent-2", '+', "notify_change", "", 4, 0},
    {"real-agent", "agent-1", '+', "notify_change", "", 7, 0},
    {"real-controller", "agent-x", '+', "notify_change", "", 6, 0},
    /* The nodes that a script told of were never deployed. */
    {"real-controller", "agent-x", '-', "notify_change", "", 2, 0},
    /*
     * Ours says hello to each that comes. Zeek does so as soon as its Supervisor is there, too, and
     * then for those that came before; of one run the connections of the nodes were not recorded; and
     * scripts say it when they are told to, however wrong.
     */
    {"main", "agent-1", '-', "notify_agent_hello", "", 1, 0},
    {"reconnect", "agent-1", '-', "notify_agent_hello", "", 1, 0},
    {"reconnect", "agent-1", '+', "notify_agent_hello", "", 1, 0},
    {"two-agents", "agent-2", '-', "notify_agent_hello", "", 1, 0},
    {"real-agent", "agent-1", '-', "notify_agent_hello", "", 5, 0},
    {"real-controller", "agent-x", '+', "notify_agent_hello", "", 1, 0},
    {"real-controller", "agent-x", '-', "notify_agent_hello", "", 1, 0},
    {"refusing-agent", "agent-x", '+', "notify_agent_hello", "", 1, 0},
    {"refusing-agent", "agent-x", '-', "notify_agent_hello", "12345678-1234", 1, 0},
    {"refusing-agent", "agent-x", '-', "notify_agent_hello", "api_version:2", 1, 0},
    {"refusing-agent", "agent-x", '-', "notify_agent_hello", "api_version:1", 1, 0},
    /* What is deployed twice at once is answered when its nodes are up, and by ours by each of them. */
    {"reconnect", "agent-1", '+', "deploy_response {reqid:\"5Hji1xTYmUl\"", "worker-01", 1, 0},
    {"reconnect", "agent-1", '-', "deploy_response {reqid:\"5Hji1xTYmUl\"", "node:null", 1, 0},
    /* What a node said that did not start, and its process, are not known to ours when the time is over. */
    {"failing", "agent-1", '+', "deploy_response", "request timed out", 1, 0},
    {"failing", "agent-1", '-', "deploy_response", "can't find no-such-script", 1, 0},
    {"failing", "agent-1", '+', "get_nodes_response", "pid:null", 1, 0},
    {"failing", "agent-1", '-', "get_nodes_response", "pid:6446", 1, 0},
    /* Zeek's agent answers the deployment of nothing, which nobody asked for, behind a standby. */
    {"failing", "agent-1", '-', "deploy_response {reqid:\"\"", "request timed out", 1, 0},
    /* A script answers for a node that was not asked, and names one where there is none. */
    {"real-controller", "agent-x", '+', "node_dispatch_response", "logger", 1, 0},
    {"real-controller", "agent-x", '-', "node_dispatch_response", "worker-01", 1, 0},
    {"refusing-agent", "agent-x", '+', "agent_welcome_response", "node:null", 1, 0},
    {"refusing-agent", "agent-x", '-', "agent_welcome_response", "node:\"worker-01\"", 1, 0},
    /*
     * Two hellos before the agent is ready are two welcomes of Zeek's controller, which then deploys to it
     * twice. Ours says the same welcome again, and deploys once.
     */
    {"reconnect", NULL, '+', "agent_welcome_request", "wtx0GwRdlxi", 1, 0},
    {"reconnect", NULL, '-', "agent_welcome_request", "pAgJK0yWP42", 1, 0},
    {"reconnect", NULL, '-', "deploy_request", "5Hji1xTYmUl", 1, 0},
    /* Ours tells at once which agents are not there; Zeek's waits, or says nothing of them. */
    {"reconnect", NULL, '+', "get_id_value_response", "instance not connected", 1, 0},
    {"reconnect", NULL, '-', "get_id_value_response", "request timed out", 1, 0},
    {"failing", NULL, '+', "get_nodes_response", "instance not connected", 1, 0},
    {"failing", NULL, '-', "get_nodes_response", "28xAq8jolM5", 1, 0},
    /* And in the end, whom it has waited for. */
    {"failing", NULL, '+', "deploy_response", "instance not connected", 1, 0},
    {"failing", NULL, '-', "deploy_response", "request timed out", 1, 0},
    {"refusing-agent", NULL, '+', "deploy_response", "instance not ready", 1, 0},
    {"refusing-agent", NULL, '-', "deploy_response", "request timed out", 1, 0},
};

#define DIFFERENCES (sizeof differences / sizeof *differences)

static bool is_of(const struct difference *difference, const struct place *place)
{
    return strcmp(difference->run, place->run) == 0 &&
           (difference->agent == NULL
                ? place->agent == NULL
                : place->agent != NULL && strcmp(difference->agent, place->agent) == 0);
}

static bool is_listed(const struct place *place, char sign, const char *line)
{
    const char *event = strchr(line, ' ') + 1;
    size_t i;

    for (i = 0; i < DIFFERENCES; i++) {
        struct difference *difference = &differences[i];

        if (is_of(difference, place) && difference->sign == sign &&
            strncmp(event, difference->event, strlen(difference->event)) == 0 &&
            strstr(event, difference->words) != NULL && difference->found < difference->times) {
            difference->found++;
            return true;
        }
    }
    return false;
}

static void check_differences(const struct place *place)
{
    size_t i;

    for (i = 0; i < DIFFERENCES; i++)
        ck_assert_msg(!is_of(&differences[i], place) ||
                          differences[i].found == differences[i].times,
                      "%s: %u times %c%s %s", place->run, differences[i].found, differences[i].sign,
                      differences[i].event, differences[i].words);
}

static void check_counts(const char *expected)
{
    char text[256];

    (void)snprintf(text, sizeof text,
                   "links %u left out %u heard %u translated %u taken %u said %u same %u early %u "
                   "told %u answered %u states %u unread %u",
                   replay_counts.links, replay_counts.left_out, replay_counts.heard,
                   replay_counts.translated, replay_counts.taken, replay_counts.said,
                   replay_counts.same, replay_counts.early, replay_counts.told,
                   replay_counts.answered, replay_counts.states, replay_counts.unread);
    ck_assert_str_eq(text, expected);
}

static void check_replay(const struct place *place)
{
    struct replay *replay = replay_place(place, is_listed);

    check_differences(place);
    if (place->log != NULL)
        ck_assert_str_eq((const char *)replay->log.data, place->log);
    if (place->agent == NULL)
        ck_assert_str_eq((const char *)replay->fates.data, place->fates);
    check_counts(place->counts);
    replay_free(replay);
}

START_TEST(as_controller)
{
    check_replay(&controllers[_i]);
}
END_TEST

START_TEST(as_agent)
{
    check_replay(&agents[_i]);
}
END_TEST

/* Neither fails, and what is out of place changes nothing. */
START_TEST(every_event)
{
    check_replay(&all_events[_i]);
}
END_TEST

static bool has_file(const struct place *places, size_t count, const char *name)
{
    size_t i, file;

    for (i = 0; i < count; i++) {
        for (file = 0; file < FILES && places[i].files[file] != NULL; file++) {
            if (strcmp(places[i].files[file], name) == 0)
                return true;
        }
        if (places[i].websockets != NULL &&
            strncmp(places[i].websockets, name, strlen(places[i].websockets)) == 0)
            return true;
    }
    return false;
}

/* No recording is left out. */
START_TEST(every_recording)
{
    static const char *const folders[] = {PEERINGS, WEBSOCKETS};
    char **names, **name;
    unsigned count = 0;
    size_t i;

    for (i = 0; i < 2; i++) {
        names = t_names(folders[i], ".jsonl");
        for (name = names; *name != NULL; name++, count++) {
            (*name)[strlen(*name) - strlen(".jsonl")] = '\0';
            ck_assert_msg(has_file(controllers, PLACES(controllers), *name) ||
                              has_file(agents, PLACES(agents), *name) ||
                              has_file(all_events, PLACES(all_events), *name),
                          "%s is not replayed", *name);
        }
        t_names_free(names);
    }
    ck_assert_uint_eq(count, 86);
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_test(tc, every_recording);
    tcase_add_loop_test(tc, as_controller, 0, (int)PLACES(controllers));
    tcase_add_loop_test(tc, as_agent, 0, (int)PLACES(agents));
    tcase_add_loop_test(tc, every_event, 0, (int)PLACES(all_events));
}

T_MAIN("zeek/management replay", tests)
