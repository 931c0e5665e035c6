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
#include "said.h"
#include "timeline.h"

#include <leat/broker_endpoint.h>
#include <leat/broker_websocket.h>
#include <leat/zeek_agent.h>
#include <leat/zeek_controller.h>
#include <stdio.h>

#define AT(file, number) ((file)*IN_FILE + (number))
#define LIVES            3u
#define LINKS            (CONNS + CLIENTS)
#define CONTROLLER_PORT  2150u
#define SUPERVISOR_PORT  9999u
#define SAME_US          50000u   /* a recorded process may take so long */
#define LATE_US          2100000u /* Zeek looks every 2 s for what has timed out */

/* A process in a run, whose place ours takes. */
struct place {
    const char *run;
    const char *files[FILES];
    const char *websockets;
    const char *agent;   /* its name; NULL: it is the controller */
    size_t conns[LIVES]; /* connections that it had, one for each of its lives */
    unsigned side;       /* of these: 0 who connected, 1 who accepted */
    bool scripted;       /* an agent that has no nodes, and says what it was told to */
    bool waits;          /* an agent that the controller connects to */
    bool uncompared;     /* a process of a script, which says whatever it was told to */
    const char *log;     /* of these: what ours says and (>) tells */
    const char *counts;
};

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
     .counts = "links 33 left out 0 heard 170 translated 13 taken 53 said 84 same 84 early 2 told "
               "70 answered 0 states 0 unread 0"},
    {.run = "failing",
     .files = {FAILING},
     .websockets = "ws-failing-",
     .conns = {AT(0, 1)},
     .side = 1,
     .counts = "links 9 left out 0 heard 84 translated 9 taken 32 said 24 same 22 early 0 told 48 "
               "answered 0 states 0 unread 0"},
    {.run = "reconnect",
     .files = {RECONNECT},
     .websockets = "ws-reconnect-",
     .conns = {AT(0, 1), AT(0, 4)},
     .side = 1,
     .counts = "links 13 left out 0 heard 100 translated 11 taken 37 said 22 same 20 early 0 told "
               "36 answered 0 states 0 unread 0"},
    {.run = "controller-connects",
     .files = {WAITING},
     .websockets = "ws-controller-connects-",
     .conns = {AT(0, 1)},
     .counts = "links 9 left out 1 heard 67 translated 6 taken 25 said 18 same 18 early 0 told 35 "
               "answered 0 states 0 unread 0"},
    {.run = "two-agents",
     .files = {TWO},
     .websockets = "ws-two-agents-",
     .conns = {AT(0, 1)},
     .side = 1,
     .counts = "links 8 left out 0 heard 80 translated 13 taken 33 said 22 same 22 early 0 told "
               "29 answered 0 states 0 unread 0"},
    {.run = "real-controller",
     .files = {EVENTS},
     .conns = {AT(0, 1)},
     .side = 1,
     .counts = "links 2 left out 0 heard 44 translated 6 taken 34 said 26 same 26 early 1 told 57 "
               "answered 0 states 0 unread 0"},
    {.run = "refusing-agent",
     .files = {REFUSING},
     .conns = {AT(0, 1)},
     .side = 1,
     .counts = "links 2 left out 0 heard 20 translated 1 taken 12 said 9 same 8 early 0 told 21 "
               "answered 0 states 0 unread 0"},
};

static const struct place agents[] = {
    {.run = "main",
     .files = {MAIN},
     .agent = "agent-1",
     .conns = {AT(0, 1)},
     .counts = "links 10 left out 0 heard 103 translated 0 taken 13 said 32 same 21 early 0 told "
               "12 answered 12 states 14 unread 0"},
    {.run = "failing",
     .files = {FAILING},
     .agent = "agent-1",
     .conns = {AT(0, 1)},
     .counts = "links 9 left out 0 heard 113 translated 0 taken 11 said 31 same 16 early 0 told "
               "12 answered 10 states 9 unread 0"},
    {.run = "reconnect",
     .files = {RECONNECT},
     .agent = "agent-1",
     .conns = {AT(0, 1), AT(0, 2), AT(0, 5)},
     .counts = "links 19 left out 0 heard 149 translated 0 taken 13 said 36 same 26 early 0 told "
               "11 answered 11 states 18 unread 0"},
    {.run = "controller-connects",
     .files = {WAITING},
     .agent = "agent-1",
     .conns = {AT(0, 1)},
     .side = 1,
     .waits = true,
     .counts = "links 10 left out 0 heard 80 translated 0 taken 7 said 23 same 14 early 0 told 7 "
               "answered 7 states 12 unread 0"},
    {.run = "two-agents",
     .files = {TWO},
     .agent = "agent-1",
     .conns = {AT(0, 2)},
     .counts = "links 9 left out 0 heard 89 translated 0 taken 7 said 20 same 14 early 0 told 6 "
               "answered 6 states 12 unread 0"},
    {.run = "two-agents",
     .files = {TWO},
     .agent = "agent-2",
     .conns = {AT(0, 1)},
     .counts = "links 5 left out 0 heard 46 translated 0 taken 7 said 14 same 10 early 0 told 7 "
               "answered 7 states 4 unread 0"},
    {.run = "real-agent",
     .files = {REAL_AGENT},
     .agent = "agent-1",
     .conns = {AT(0, 1)},
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
     .log = ">instance:known agent_standby_request >instance:version >malformed >notify_change "
            ">notify_change >notify_error >notify_error >notify_log >notify_log "
            "get_instances_response >get_instances_request >get_instances_response "
            "stage_configuration_response >stage_configuration_request >configuration:staged "
            ">stage_configuration_response stage_configuration_response "
            ">stage_configuration_request >configuration:staged >stage_configuration_response "
            "get_configuration_response >get_configuration_request >get_configuration_response "
            "get_configuration_response >get_configuration_request >get_configuration_response "
            "deploy_response >deploy_request >notify_agents_ready >configuration:deployed "
            ">deploy_response get_nodes_response >get_nodes_request >get_nodes_response "
            "get_id_value_response >get_id_value_request >get_id_value_response "
            "restart_response >restart_request >restart_response >test_timeout_request "
            ">test_timeout_request",
     .counts = "links 1 left out 0 heard 35 translated 0 taken 29 said 10 same 0 early 0 told 33 "
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

/* What was compared, so that a replay that compares nothing shows. */
struct counts {
    unsigned links, left_out, heard, translated, taken, said, same, early, told, answered, states,
        unread;
};

static struct counts counts;

/* ----- a replay ----- */

struct link {
    leat_session *session;
    leat_session *codec;    /* of a WebSocket: reads what ours says */
    struct t_bytes said;    /* of a peering: the beginning of a frame */
    struct messages theirs; /* that are to be said on it */
};

/* A request that our agent asks its caller to answer. */
struct request {
    uint64_t number; /* 0: it was answered */
    uint32_t kind;
    char *reqid;
    struct t_bytes own; /* the names of nodes, each in quotes */
};

/* Ids of a request of the controller. */
struct pair {
    char theirs[64], ours[64];
};

#define PAIRS    256u
#define REQUESTS 64u
#define NODES    16u

struct replay {
    const struct place *place;
    struct timeline timeline;
    size_t at; /* which moment it is */
    uint64_t now_ms;
    size_t lives; /* that have begun */
    uint8_t id[16];
    leat_broker *broker; /* NULL: nobody is there */
    leat_zeek_controller *controller;
    leat_zeek_agent *agent;
    leat_session *decoder;
    struct link links[LINKS];
    leat_session *due[2]; /* attempts: to the Supervisor, and to any other */
    struct pair pairs[PAIRS];
    size_t pair_count;
    struct request requests[REQUESTS];
    size_t request_count;
    char *restarted[NODES]; /* that are there again when the agent says hello */
    size_t restarted_count;
    leat_builder *deployed; /* the last configuration */
    struct t_bytes log;     /* what ours said and told */
};

static void run_machine(struct replay *replay);

static leat_builder *read_arguments(const leat_value *value, uint32_t *kind)
{
    leat_builder *builder = arguments_read(value, kind);

    counts.unread += builder == NULL && *kind != 0;
    return builder;
}

static bool read_message(const struct replay *replay, struct message *message,
                         const leat_value *value)
{
    bool read = message_read(message, value, replay->agent != NULL);

    counts.unread +=
        !read && message->kind != 0 && message->kind <= LEAT_ZEEK_CONTROLLER_NOTIFY_AGENTS_READY;
    return read;
}

static const struct moment *now(const struct replay *replay)
{
    return &replay->timeline.moments[replay->at];
}

/* The message in a frame; lent until the next one. */
static const leat_event *decode(struct replay *replay, const struct t_bytes *frame)
{
    const leat_event *event;

    leat_session_free(replay->decoder);
    ck_assert_int_eq(leat_broker_codec_new(NULL, LEAT_FROM_ANY, &replay->decoder), LEAT_OK);
    ck_assert_int_eq(leat_feed(replay->decoder, frame->data, frame->length), LEAT_OK);
    ck_assert_int_eq(leat_next(replay->decoder, &event), LEAT_OK);
    return event;
}

/* The side of that connection where ours is: 0 a, 1 b, 2 none. */
static size_t side_of(const struct replay *replay, const struct step *step)
{
    const struct ends *ends = &replay->timeline.recording.ends[step->conn];
    size_t side = 0;

    while (side < 2 && !(ends->known[side] && memcmp(ends->id[side], replay->id, 16) == 0))
        side++;
    return side;
}

static bool is_ours(const struct replay *replay, const struct step *step)
{
    size_t side = side_of(replay, step);

    return side < 2 && step->by_a == (side == 0);
}

/* Whether it is something that the process said whose place ours has. */
static bool is_said(const struct replay *replay, const struct moment *moment)
{
    if (moment->what != FRAME || (moment->step != NULL && moment->step->what != FRAME))
        return false;
    return moment->step != NULL ? is_ours(replay, moment->step)
                                : !moment->by_client && replay->place->agent == NULL;
}

static size_t link_of(const struct moment *moment)
{
    return moment->step != NULL ? moment->step->conn : CONNS + moment->client;
}

/* ----- comparing ----- */

static bool is_listed(const struct replay *replay, char sign, const char *line);

static void differ(const struct replay *replay, char sign, const struct message *message)
{
    ck_assert_msg(is_listed(replay, sign, message->line), "not listed: %s %s at %u us: %c%s",
                  replay->place->run,
                  replay->place->agent != NULL ? replay->place->agent : "controller",
                  (unsigned)message->us, sign, message->line);
}

/* Whether ours may have made up the id of this one. */
static bool is_made_up(const struct replay *replay, const struct message *message)
{
    return replay->controller != NULL && message->reqid[0] != '\0' &&
           message->kind < LEAT_ZEEK_AGENT_NOTIFY_AGENT_HELLO && message->kind % 2 == 1;
}

/* Whether they are the same, but for an id that ours made up. */
static bool is_same(const struct replay *replay, const struct message *theirs,
                    const struct message *ours)
{
    struct message copy;
    bool same;

    if (theirs->kind != ours->kind || !is_made_up(replay, ours))
        return strcmp(theirs->line, ours->line) == 0;
    copy.line = (char *)t_copy(ours->line, strlen(ours->line) + 1).data;
    message_replace(&copy, ours->reqid, theirs->reqid);
    same = strcmp(theirs->line, copy.line) == 0;
    free(copy.line);
    return same;
}

/* From now on these ids are the same. */
static void pair_up(struct replay *replay, const struct message *theirs, const struct message *ours)
{
    struct pair *pair = &replay->pairs[replay->pair_count++];

    ck_assert_uint_lt(replay->pair_count, PAIRS);
    (void)snprintf(pair->theirs, sizeof pair->theirs, "%s", theirs->reqid);
    (void)snprintf(pair->ours, sizeof pair->ours, "%s", ours->reqid);
}

/* Ours is never late, and early only where Zeek is slow to see that the time is over. */
static bool is_in_time(const struct message *theirs, const struct message *ours)
{
    uint64_t early_us = strstr(theirs->line, "request timed out") != NULL ? LATE_US : SAME_US;

    return ours->us <= theirs->us + SAME_US && ours->us + early_us > theirs->us;
}

/* What ours says: the first of what is to be said and is the same. */
static void match(struct replay *replay, struct link *link, const struct message *ours)
{
    size_t i = 0;

    counts.said++;
    while (i < link->theirs.count &&
           (link->theirs.list[i].matched || !is_in_time(&link->theirs.list[i], ours) ||
            !is_same(replay, &link->theirs.list[i], ours)))
        i++;
    if (i == link->theirs.count) {
        differ(replay, '+', ours);
        return;
    }
    counts.same++;
    link->theirs.list[i].matched = true;
    counts.early += ours->us + SAME_US < link->theirs.list[i].us;
    if (is_made_up(replay, ours))
        pair_up(replay, &link->theirs.list[i], ours);
}

/* Nothing more is said on it. */
static void finish_messages(const struct replay *replay, struct link *link)
{
    size_t i;

    for (i = 0; i < link->theirs.count; i++) {
        if (!link->theirs.list[i].matched && !replay->place->uncompared)
            differ(replay, '-', &link->theirs.list[i]);
    }
    messages_free(&link->theirs);
}

static void log_message(struct replay *replay, const char *sign, uint32_t kind)
{
    const char *name = leat_zeek_management_name(kind);

    add_text(&replay->log, replay->log.length > 0 ? " " : "");
    add_text(&replay->log, sign);
    add_text(&replay->log, strrchr(name, ':') + 1);
}

static void say(struct replay *replay, struct link *link, const leat_value *value)
{
    struct message message;
    size_t i;

    if (!read_message(replay, &message, value))
        return;
    message.us = now(replay)->us;
    if (message.us / 1000 > replay->now_ms)
        message.us = replay->now_ms * 1000;
    for (i = 0; i < replay->pair_count; i++)
        message_replace(&message, replay->pairs[i].ours, replay->pairs[i].theirs);
    log_message(replay, "", message.kind);
    if (replay->place->uncompared)
        counts.said++;
    else
        match(replay, link, &message);
    message_free(&message);
}

/* What was said on a connection from now on, up to its end. */
static void read_theirs(struct replay *replay, struct link *link)
{
    size_t i, which = (size_t)(link - replay->links);
    leat_session *codec = NULL;
    const leat_event *event;

    if (which >= CONNS)
        ck_assert_int_eq(leat_broker_websocket_codec_new(NULL, LEAT_FROM_SERVER, &codec), LEAT_OK);
    for (i = replay->at; i < replay->timeline.count; i++) {
        const struct moment *moment = &replay->timeline.moments[i];
        struct message message = {.us = moment->us};
        const leat_value *value;

        if (link_of(moment) != which || !is_said(replay, moment))
            continue;
        if (which < CONNS) {
            value = leat_event_value(decode(replay, &moment->step->frame));
            if (read_message(replay, &message, value))
                messages_add(&link->theirs, &message);
            continue;
        }
        ck_assert_int_eq(leat_feed(codec, moment->octets.data, moment->octets.length), LEAT_OK);
        while (leat_next(codec, &event) == LEAT_OK) {
            value = leat_value_get(leat_event_value(event), "message");
            message.us = moment->us;
            if (read_message(replay, &message, value))
                messages_add(&link->theirs, &message);
        }
    }
    leat_session_free(codec);
}

/* ----- what ours says ----- */

static void say_frames(struct replay *replay, struct link *link)
{
    struct t_bytes *said = &link->said;

    while (said->length >= 4) {
        size_t length = 4 + ((size_t)said->data[0] << 24 | (size_t)said->data[1] << 16 |
                             (size_t)said->data[2] << 8 | said->data[3]);
        struct t_bytes frame = {said->data, length};

        if (said->length < length)
            return;
        say(replay, link, leat_event_value(decode(replay, &frame)));
        said->length -= length;
        memmove(said->data, said->data + length, said->length);
    }
}

static void say_texts(struct replay *replay, struct link *link, const void *octets, size_t length)
{
    const leat_event *event;

    ck_assert_int_eq(leat_feed(link->codec, octets, length), LEAT_OK);
    while (leat_next(link->codec, &event) == LEAT_OK)
        say(replay, link, leat_value_get(leat_event_value(event), "message"));
}

static void take(struct replay *replay, const leat_event *event)
{
    int status = replay->controller != NULL ? leat_zeek_controller_take(replay->controller, event)
                                            : leat_zeek_agent_take(replay->agent, event);

    ck_assert(status == LEAT_OK || status == LEAT_MORE);
    counts.taken += status == LEAT_OK;
}

/* All that a session has to tell and to say. */
static void drive(struct replay *replay, struct link *link)
{
    const leat_event *event;
    struct t_bytes said;
    const void *octets;
    size_t length;

    while (leat_next(link->session, &event) == LEAT_OK) {
        if (leat_event_kind(event) == LEAT_BROKER_UPGRADE)
            ck_assert_int_eq(
                leat_broker_websocket_upgrade(
                    link->session, replay->timeline.accepts[link - replay->links - (int)CONNS]),
                LEAT_OK);
        else
            take(replay, event);
    }
    octets = leat_send_data(link->session, &length);
    said = t_copy(octets, length);
    ck_assert_int_eq(leat_send_done(link->session, length), LEAT_OK);
    if (link->codec != NULL) {
        say_texts(replay, link, said.data, said.length);
    } else {
        t_append(&link->said, said.data, said.length);
        say_frames(replay, link);
    }
    t_free(said);
}

/* ----- our agent's caller ----- */

static struct request *find_request(struct replay *replay, uint32_t kind, const leat_value *args)
{
    char *reqid = copied_text(leat_value_get(args, "reqid"));
    struct request *found = NULL;
    size_t i;

    for (i = 0; i < replay->request_count && found == NULL; i++) {
        if (replay->requests[i].number != 0 && replay->requests[i].kind == kind &&
            strcmp(replay->requests[i].reqid, reqid) == 0)
            found = &replay->requests[i];
    }
    free(reqid);
    return found;
}

/* The names of the nodes in a list of names, or of Management::Node. */
static struct t_bytes names_of(const leat_value *list)
{
    struct t_bytes names = t_copy("", 0);
    const leat_value *node;

    for (node = leat_value_first(list); node != NULL; node = leat_value_next(list, node)) {
        char *name =
            copied_text(leat_value_kind(node) == LEAT_RECORD ? leat_value_get(node, "name") : node);

        add_text(&names, "\"");
        add_text(&names, name);
        add_text(&names, "\"");
        free(name);
    }
    t_append(&names, "", 1);
    return names;
}

static bool has_name(const struct t_bytes *names, const char *name)
{
    char quoted[80];

    (void)snprintf(quoted, sizeof quoted, "\"%s\"", name);
    return strstr((const char *)names->data, quoted) != NULL;
}

static void note_request(struct replay *replay, const leat_event *event)
{
    const leat_value *value = leat_event_value(event);
    struct request *request = &replay->requests[replay->request_count++];

    ck_assert_uint_lt(replay->request_count, REQUESTS);
    request->number = leat_value_u64(leat_value_get(value, "request"));
    ck_assert_uint_ne(request->number, 0);
    request->kind = leat_event_kind(event);
    request->reqid = copied_text(leat_value_get(value, "reqid"));
    request->own = names_of(leat_value_get(value, "own"));
}

/* It has been answered, or never will be. */
static void end_request(struct replay *replay, uint64_t number)
{
    size_t i;

    for (i = 0; i < replay->request_count; i++) {
        if (replay->requests[i].number == number)
            replay->requests[i].number = 0;
    }
}

static void forget_requests(struct replay *replay)
{
    size_t i;

    for (i = 0; i < replay->request_count; i++) {
        free(replay->requests[i].reqid);
        t_free(replay->requests[i].own);
    }
    replay->request_count = 0;
    while (replay->restarted_count > 0)
        free(replay->restarted[--replay->restarted_count]);
}

/* What the process tells next of itself (name NULL) or of that node; a builder of it, or NULL. */
static leat_builder *find_status(struct replay *replay, const char *name)
{
    size_t i;

    for (i = replay->at; i < replay->timeline.count; i++) {
        const struct moment *moment = &replay->timeline.moments[i];
        const leat_value *data, *status;
        leat_builder *builder;
        uint32_t kind;

        if (moment->step == NULL || !is_said(replay, moment))
            continue;
        builder = read_arguments(leat_event_value(decode(replay, &moment->step->frame)), &kind);
        data = leat_value_get(leat_value_get(arguments_of(builder), "result"), "data");
        status = kind == LEAT_ZEEK_AGENT_GET_NODES_RESPONSE ? leat_value_first(data) : NULL;
        while (status != NULL && !(name == NULL ? has_text(status, "node", replay->place->agent)
                                                : has_text(status, "node", name)))
            status = leat_value_next(data, status);
        if (status != NULL) {
            leat_builder *copy;

            ck_assert_int_eq(leat_builder_new(NULL, &copy), LEAT_OK);
            ck_assert_int_eq(leat_builder_copy(copy, NULL, status), LEAT_OK);
            leat_builder_free(builder);
            return copy;
        }
        leat_builder_free(builder);
    }
    return NULL;
}

static int64_t pid_of(const leat_builder *status)
{
    const leat_value *pid = leat_value_get(arguments_of(status), "pid");

    return leat_value_kind(pid) == LEAT_INT || leat_value_kind(pid) == LEAT_UINT
               ? leat_value_i64(pid)
               : -1;
}

/* A node has said hello to the agent. */
static void node_is_up(struct replay *replay, const char *name)
{
    leat_builder *status = find_status(replay, name);
    int result = leat_zeek_agent_node(replay->agent, name, strlen(name), LEAT_ZEEK_STATE_RUNNING,
                                      pid_of(status));

    ck_assert_msg(result == LEAT_OK, "%s: %s", name, leat_status_name(result));
    counts.states++;
    leat_builder_free(status);
}

/* How it went for each node that is asked for, as our agent wants to hear it. */
static leat_builder *answer_of(const struct request *request, const leat_value *results)
{
    static const char *const fields[] = {"node", "success", "error", "data"};
    const leat_value *result;
    leat_builder *builder;
    size_t i;

    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    (void)leat_builder_open(builder, NULL, LEAT_LIST);
    for (result = leat_value_first(results); result != NULL;
         result = leat_value_next(results, result)) {
        char *name = copied_text(leat_value_get(result, "node"));

        if (name[0] != '\0' && has_name(&request->own, name)) {
            (void)leat_builder_open(builder, NULL, LEAT_RECORD);
            for (i = 0; i < 4; i++) {
                const leat_value *field = leat_value_get(result, fields[i]);

                if (leat_value_kind(field) != LEAT_NULL)
                    (void)leat_builder_copy(builder, fields[i], field);
            }
            (void)leat_builder_close(builder);
        }
        free(name);
    }
    ck_assert_int_eq(leat_builder_close(builder), LEAT_OK);
    return builder;
}

static leat_builder *failure_of(const leat_value *result)
{
    leat_builder *builder;

    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    (void)leat_builder_open(builder, NULL, LEAT_RECORD);
    (void)leat_builder_copy(builder, "success", leat_value_get(result, "success"));
    (void)leat_builder_copy(builder, "error", leat_value_get(result, "error"));
    ck_assert_int_eq(leat_builder_close(builder), LEAT_OK);
    return builder;
}

/* The nodes that are there now, or will be when the agent says hello next. */
static void note_nodes(struct replay *replay, const struct request *request,
                       const leat_value *results)
{
    const leat_value *result;

    for (result = leat_value_first(results); result != NULL;
         result = leat_value_next(results, result)) {
        char *name = copied_text(leat_value_get(result, "node"));

        if (has_name(&request->own, name) && request->kind == LEAT_ZEEK_AGENT_RESTART_REQUEST) {
            ck_assert_uint_lt(replay->restarted_count, NODES);
            replay->restarted[replay->restarted_count++] = name;
            continue;
        }
        if (has_name(&request->own, name) && request->kind == LEAT_ZEEK_AGENT_DEPLOY_REQUEST &&
            leat_value_bool(leat_value_get(result, "success")))
            node_is_up(replay, name);
        free(name);
    }
}

/* The process answers: so does our caller, if ours waits for it. */
static void answer(struct replay *replay, uint32_t kind, const leat_value *args)
{
    struct request *request = find_request(replay, kind - 1, args);
    const leat_value *result = leat_value_get(args, "result"),
                     *results = leat_value_get(args, "results");
    leat_builder *builder = NULL;
    int status;

    if (request == NULL)
        return;
    if (kind == LEAT_ZEEK_AGENT_GET_NODES_RESPONSE && replay->place->scripted) {
        ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
        (void)leat_builder_copy(builder, NULL, leat_value_get(result, "data"));
    } else if (results != NULL && leat_value_count(results) > 0) {
        builder = answer_of(request, results);
    } else if (result != NULL && !leat_value_bool(leat_value_get(result, "success"))) {
        builder = failure_of(result);
    }
    if (builder != NULL && leat_value_count(arguments_of(builder)) > 0)
        status = leat_zeek_agent_answer(replay->agent, request->number, arguments_of(builder));
    else
        status = leat_zeek_agent_done(replay->agent, request->number);
    ck_assert_msg(status == LEAT_OK, "%s: %s", leat_zeek_management_name(kind),
                  leat_status_name(status));
    request->number = 0;
    counts.answered++;
    leat_builder_free(builder);
    if (!replay->place->scripted)
        note_nodes(replay, request, results);
}

static void notify(struct replay *replay, uint32_t kind, const leat_value *args)
{
    size_t length, node_length;
    const char *text = leat_value_text(leat_value_get(args, "msg"), &length);
    const char *node = leat_value_text(leat_value_get(args, "node"), &node_length);

    ck_assert_int_eq(leat_zeek_agent_notify(replay->agent, kind, text, length,
                                            node_length > 0 ? node : NULL, node_length),
                     LEAT_OK);
}

/* What the process says may be something that our caller has to do. */
static void act(struct replay *replay, const leat_value *value)
{
    uint32_t kind;
    leat_builder *builder = read_arguments(value, &kind);
    const leat_value *args = arguments_of(builder);

    if (kind == LEAT_ZEEK_AGENT_NOTIFY_ERROR || kind == LEAT_ZEEK_AGENT_NOTIFY_LOG) {
        notify(replay, kind, args);
    } else if (kind == LEAT_ZEEK_AGENT_NOTIFY_AGENT_HELLO) {
        while (replay->restarted_count > 0) {
            char *name = replay->restarted[--replay->restarted_count];

            node_is_up(replay, name);
            free(name);
        }
    } else if (kind < LEAT_ZEEK_AGENT_NOTIFY_AGENT_HELLO && kind > 0) {
        answer(replay, kind, args);
    }
    leat_builder_free(builder);
}

/* What a node says to the agent may be that it is there. */
static void hear_node(struct replay *replay, const leat_value *value)
{
    uint32_t kind;
    leat_builder *builder = read_arguments(value, &kind);
    char *name = copied_text(leat_value_get(arguments_of(builder), "node"));

    leat_builder_free(builder);
    if (kind == LEAT_ZEEK_NODE_NOTIFY_NODE_HELLO) {
        size_t i;

        node_is_up(replay, name);
        for (i = 0; i < replay->restarted_count; i++) {
            if (strcmp(replay->restarted[i], name) == 0) {
                free(replay->restarted[i]);
                replay->restarted[i] = replay->restarted[--replay->restarted_count];
            }
        }
    }
    free(name);
}

/* ----- our machine ----- */

/* What it tells. True: there was something. */
static bool tell(struct replay *replay)
{
    const leat_event *event;
    const leat_value *value;
    uint32_t kind;

    if ((replay->controller != NULL ? leat_zeek_controller_next(replay->controller, &event)
                                    : leat_zeek_agent_next(replay->agent, &event)) != LEAT_OK)
        return false;
    counts.told++;
    kind = leat_event_kind(event);
    value = leat_event_value(event);
    add_text(&replay->log, replay->log.length > 0 ? " >" : ">");
    add_text(&replay->log, strrchr(leat_event_name(event, NULL), ':') == NULL
                               ? leat_event_name(event, NULL)
                               : strrchr(leat_event_name(event, NULL), ':') + 1);
    if (kind == LEAT_ZEEK_INSTANCE || kind == LEAT_ZEEK_CONFIGURATION) {
        char *what = copied_text(leat_value_get(value, "what"));

        add_text(&replay->log, ":");
        add_text(&replay->log, what);
        free(what);
    }
    if (kind == LEAT_ZEEK_TIMED_OUT && replay->agent != NULL)
        end_request(replay, leat_value_u64(leat_value_get(value, "request")));
    else if (replay->agent != NULL && leat_value_get(value, "request") != NULL)
        note_request(replay, event);
    else if (kind == LEAT_ZEEK_CONFIGURATION && has_text(value, "what", "deployed")) {
        leat_builder_clear(replay->deployed);
        ck_assert_int_eq(
            leat_builder_copy(replay->deployed, NULL, leat_value_get(value, "configuration")),
            LEAT_OK);
    }
    return true;
}

static void run_machine(struct replay *replay)
{
    bool some = true;

    while (some && replay->broker != NULL) {
        leat_session *session;
        const leat_event *event;
        size_t i;

        some = false;
        while (leat_broker_ready(replay->broker, &session) == LEAT_OK) {
            for (i = 0; i < LINKS && replay->links[i].session != session; i++)
                ;
            /* An attempt that is not connected yet has time. */
            if (i < LINKS)
                drive(replay, &replay->links[i]);
            some = true;
        }
        while (leat_broker_next(replay->broker, &event) == LEAT_OK)
            take(replay, event);
        while (tell(replay))
            some = true;
    }
}

static void draw_attempts(struct replay *replay)
{
    leat_session *session;

    while (leat_broker_connect(replay->broker, &session) == LEAT_OK) {
        size_t which = leat_broker_port(session) != SUPERVISOR_PORT;

        ck_assert_ptr_null(replay->due[which]);
        replay->due[which] = session;
    }
}

static void tick(struct replay *replay, uint64_t ms)
{
    replay->now_ms = ms;
    leat_broker_tick(replay->broker, ms);
    if (replay->controller != NULL)
        leat_zeek_controller_tick(replay->controller, ms);
    else
        leat_zeek_agent_tick(replay->agent, ms);
    draw_attempts(replay);
    run_machine(replay);
}

/* Lets time pass, with all that is due until then. */
static void advance(struct replay *replay, uint64_t ms)
{
    uint64_t due, other;

    while (replay->broker != NULL) {
        due = leat_broker_deadline(replay->broker);
        other = replay->controller != NULL ? leat_zeek_controller_deadline(replay->controller)
                                           : leat_zeek_agent_deadline(replay->agent);
        due = other < due ? other : due;
        if (due >= ms)
            break;
        tick(replay, due > replay->now_ms ? due : replay->now_ms + 1);
    }
    if (replay->broker != NULL && ms >= replay->now_ms)
        tick(replay, ms);
}

static void start_controller(struct replay *replay)
{
    leat_zeek_controller_options options;

    leat_zeek_controller_options_init(&options, sizeof options);
    ck_assert_int_eq(leat_zeek_controller_new(NULL, &options, replay->broker, &replay->controller),
                     LEAT_OK);
    if (arguments_of(replay->deployed) != NULL)
        ck_assert_int_eq(
            leat_zeek_controller_restore(replay->controller, arguments_of(replay->deployed)),
            LEAT_OK);
}

static void start_agent(struct replay *replay)
{
    leat_builder *status = find_status(replay, NULL);
    leat_zeek_agent_options options;
    uint32_t port = leat_value_port(leat_value_get(arguments_of(status), "p"));

    leat_zeek_agent_options_init(&options, sizeof options);
    options.name = replay->place->agent;
    options.controller_address = replay->place->waits ? NULL : "127.0.0.1";
    options.controller_port = CONTROLLER_PORT;
    options.listen_port = port > 0 ? port : options.listen_port;
    options.pid = pid_of(status);
    ck_assert_int_eq(leat_zeek_agent_new(NULL, &options, replay->broker, &replay->agent), LEAT_OK);
    leat_builder_free(status);
}

/* The next life of ours begins. */
static void start(struct replay *replay)
{
    const struct place *place = replay->place;
    leat_broker_options options;

    leat_broker_options_init(&options, sizeof options);
    memcpy(replay->id,
           replay->timeline.recording.ends[place->conns[replay->lives++]].id[place->side], 16);
    memcpy(options.id, replay->id, 16);
    ck_assert_int_eq(leat_broker_new(NULL, &options, &replay->broker), LEAT_OK);
    replay->now_ms = now(replay)->us / 1000;
    leat_broker_tick(replay->broker, replay->now_ms);
    if (place->agent == NULL)
        start_controller(replay);
    else
        start_agent(replay);
    tick(replay, replay->now_ms);
}

static void close_link(struct replay *replay, struct link *link)
{
    if (link->session == NULL)
        return;
    drive(replay, link);
    leat_session_free(link->session);
    leat_session_free(link->codec);
    ck_assert_uint_eq(link->said.length, 0);
    t_free(link->said);
    finish_messages(replay, link);
    memset(link, 0, sizeof *link);
}

/* Its process ends. */
static void die(struct replay *replay)
{
    size_t i;

    if (replay->broker == NULL)
        return;
    for (i = 0; i < LINKS; i++)
        close_link(replay, &replay->links[i]);
    for (i = 0; i < 2; i++) {
        leat_session_free(replay->due[i]);
        replay->due[i] = NULL;
    }
    leat_zeek_controller_free(replay->controller);
    leat_zeek_agent_free(replay->agent);
    leat_broker_free(replay->broker);
    replay->controller = NULL;
    replay->agent = NULL;
    replay->broker = NULL;
    forget_requests(replay);
}

/* ----- what ours hears ----- */

/* Copies a value, with our ids in the place of theirs. */
static void translate(struct replay *replay, leat_builder *builder, const char *name,
                      const leat_value *value)
{
    uint32_t kind = leat_value_kind(value);
    const leat_value *child;
    char *text;
    size_t i;

    if (kind == LEAT_TEXT) {
        text = copied_text(value);
        for (i = 0; i < replay->pair_count && strcmp(replay->pairs[i].theirs, text) != 0; i++)
            ;
        free(text);
        if (i < replay->pair_count) {
            const char *ours = replay->pairs[i].ours;

            (void)leat_builder_text(builder, name, ours, strlen(ours));
            return;
        }
    }
    if (kind != LEAT_LIST && kind != LEAT_SET && kind != LEAT_TABLE) {
        (void)leat_builder_copy(builder, name, value);
        return;
    }
    (void)leat_builder_open(builder, name, kind);
    for (child = leat_value_first(value); child != NULL; child = leat_value_next(value, child))
        translate(replay, builder, NULL, child);
    (void)leat_builder_close(builder);
}

/* A frame with our ids in the place of theirs. */
static struct t_bytes translated(struct replay *replay, const leat_value *envelope)
{
    static const char *const fields[] = {"sender", "receiver", "ttl", "topic"};
    leat_session *writer;
    leat_builder *builder;
    struct t_bytes frame;
    const void *octets;
    size_t i, length;

    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    ck_assert_int_eq(leat_broker_codec_new(NULL, LEAT_FROM_ANY, &writer), LEAT_OK);
    (void)leat_builder_open(builder, NULL, LEAT_RECORD);
    for (i = 0; i < 4; i++)
        (void)leat_builder_copy(builder, fields[i], leat_value_get(envelope, fields[i]));
    translate(replay, builder, "data", leat_value_get(envelope, "data"));
    ck_assert_int_eq(leat_builder_close(builder), LEAT_OK);
    ck_assert_int_eq(leat_send(writer, "data", arguments_of(builder)), LEAT_OK);
    octets = leat_send_data(writer, &length);
    frame = t_copy(octets, length);
    leat_session_free(writer);
    leat_builder_free(builder);
    return frame;
}

static void hear(struct replay *replay, struct link *link, const struct step *step)
{
    const leat_event *event = decode(replay, &step->frame);
    struct t_bytes frame = leat_event_kind(event) == LEAT_BROKER_DATA && replay->controller != NULL
                               ? translated(replay, leat_event_value(event))
                               : t_copy(step->frame.data, step->frame.length);

    counts.heard++;
    counts.translated += frame.length != step->frame.length ||
                         memcmp(frame.data, step->frame.data, frame.length) != 0;
    ck_assert_int_eq(leat_feed(link->session, frame.data, frame.length), LEAT_OK);
    t_free(frame);
    drive(replay, link);
    run_machine(replay);
    if (replay->agent != NULL)
        hear_node(replay, leat_event_value(decode(replay, &step->frame)));
}

/* ----- connections ----- */

static bool is_to_supervisor(const struct replay *replay, size_t conn)
{
    return strstr(replay->timeline.recording.names[conn / IN_FILE], "supervisor") != NULL;
}

/* The attempt of ours that makes this connection; NULL: it makes none. */
static leat_session *attempt(struct replay *replay, size_t conn)
{
    size_t which = !is_to_supervisor(replay, conn);
    leat_session *session;

    if (which == 0 && replay->due[0] == NULL) {
        ck_assert_int_eq(leat_broker_peer(replay->broker, "127.0.0.1", SUPERVISOR_PORT, 1),
                         LEAT_OK);
        draw_attempts(replay);
    }
    session = replay->due[which];
    replay->due[which] = NULL;
    return session;
}

static void open_link(struct replay *replay, struct link *link, const struct step *step)
{
    if (side_of(replay, step) == 0)
        link->session = attempt(replay, step->conn);
    else
        ck_assert_int_eq(leat_broker_accept(replay->broker, "127.0.0.1",
                                            (uint32_t)(50000 + step->conn), &link->session),
                         LEAT_OK);
    if (link->session == NULL) {
        counts.left_out++;
        return;
    }
    counts.links++;
    read_theirs(replay, link);
    drive(replay, link);
}

/* The other side ends it. */
static void end_link(struct replay *replay, struct link *link)
{
    (void)leat_recv_eof(link->session);
    drive(replay, link);
    run_machine(replay);
    ck_assert((leat_wants(link->session) & LEAT_WANT_CLOSE) != 0);
}

/* A process says goodbye to all when it ends. */
static bool is_goodbye(const leat_event *event)
{
    return leat_event_kind(event) == LEAT_BROKER_PING;
}

static void take_own(struct replay *replay, const struct step *step)
{
    const leat_event *event = decode(replay, &step->frame);

    if (is_goodbye(event)) {
        die(replay);
    } else if (replay->agent != NULL) {
        act(replay, leat_event_value(event));
        run_machine(replay);
    }
}

/* The next life begins with the first connection that it has. */
static bool begins(const struct replay *replay, const struct step *step)
{
    const struct place *place = replay->place;
    const struct ends *ends = replay->timeline.recording.ends, *first;
    size_t side;

    if (replay->lives == LIVES || (replay->lives > 0 && place->conns[replay->lives] == 0) ||
        step->what != OPENED)
        return false;
    first = &ends[place->conns[replay->lives]];
    for (side = 0; side < 2; side++) {
        if (ends[step->conn].known[side] &&
            memcmp(ends[step->conn].id[side], first->id[place->side], 16) == 0)
            return true;
    }
    return false;
}

static void take_step(struct replay *replay, const struct step *step)
{
    struct link *link = &replay->links[step->conn];
    size_t side;

    if (begins(replay, step)) {
        die(replay);
        start(replay);
    }
    side = side_of(replay, step);
    if (replay->broker == NULL || side == 2)
        return;
    if (step->what == OPENED) {
        open_link(replay, link, step);
    } else if (step->what == FAILED) {
        link->session = attempt(replay, step->conn);
        ck_assert_ptr_nonnull(link->session);
        end_link(replay, link);
        close_link(replay, link);
    } else if (link->session == NULL) {
        return;
    } else if (step->what == FRAME && is_ours(replay, step)) {
        take_own(replay, step);
    } else if (step->what == FRAME) {
        hear(replay, link, step);
    } else if (step->what == ENDED) {
        if (!is_ours(replay, step) || !replay->timeline.recording.ends[step->conn].known[side == 0])
            end_link(replay, link);
        else if ((leat_wants(link->session) & LEAT_WANT_CLOSE) == 0)
            die(replay); /* it was killed */
    } else {
        close_link(replay, link);
    }
}

static void accept_client(struct replay *replay, struct link *link, size_t client)
{
    leat_broker_websocket_options options;

    leat_broker_websocket_options_init(&options, sizeof options);
    memset(options.id, 0xcc, 16);
    options.id[15] = (uint8_t)client;
    options.number = client;
    options.ping_ms = UINT64_MAX;
    ck_assert_int_eq(leat_broker_websocket_accept(replay->broker, &options, "127.0.0.1",
                                                  (uint32_t)(60000 + client), &link->session),
                     LEAT_OK);
    ck_assert_int_eq(leat_broker_websocket_codec_new(NULL, LEAT_FROM_SERVER, &link->codec),
                     LEAT_OK);
    counts.links++;
    read_theirs(replay, link);
}

static void take_websocket(struct replay *replay, const struct moment *moment)
{
    struct link *link = &replay->links[link_of(moment)];

    if (moment->what == OPENED && replay->broker != NULL) {
        accept_client(replay, link, moment->client);
    } else if (link->session == NULL || (!moment->by_client && moment->what != CLOSED)) {
        return;
    } else if (moment->what == FRAME) {
        counts.heard++;
        ck_assert_int_eq(leat_feed(link->session, moment->octets.data, moment->octets.length),
                         LEAT_OK);
        drive(replay, link);
        run_machine(replay);
    } else if (moment->what == ENDED) {
        end_link(replay, link);
    } else {
        close_link(replay, link);
    }
}

static struct replay *replay_place(const struct place *place)
{
    struct replay *replay = (struct replay *)calloc(1, sizeof *replay);
    size_t files = 0;

    ck_assert_ptr_nonnull(replay);
    memset(&counts, 0, sizeof counts);
    while (files < FILES && place->files[files] != NULL)
        files++;
    replay->place = place;
    timeline_open(&replay->timeline, place->files, files, place->websockets);
    ck_assert_int_eq(leat_builder_new(NULL, &replay->deployed), LEAT_OK);
    for (; replay->at < replay->timeline.count; replay->at++) {
        const struct moment *moment = now(replay);

        /* A controller is there before its clients. */
        if (replay->lives == 0 && place->agent == NULL)
            start(replay);
        advance(replay, moment->us / 1000);
        if (moment->step != NULL)
            take_step(replay, moment->step);
        else
            take_websocket(replay, moment);
    }
    replay->at--;
    die(replay);
    t_append(&replay->log, "", 1);
    return replay;
}

static void free_replay(struct replay *replay)
{
    timeline_close(&replay->timeline);
    leat_builder_free(replay->deployed);
    leat_session_free(replay->decoder);
    t_free(replay->log);
    free(replay);
}

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

static bool is_listed(const struct replay *replay, char sign, const char *line)
{
    const char *event = strchr(line, ' ') + 1;
    size_t i;

    for (i = 0; i < DIFFERENCES; i++) {
        struct difference *difference = &differences[i];

        if (is_of(difference, replay->place) && difference->sign == sign &&
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
                   counts.links, counts.left_out, counts.heard, counts.translated, counts.taken,
                   counts.said, counts.same, counts.early, counts.told, counts.answered,
                   counts.states, counts.unread);
    ck_assert_str_eq(text, expected);
}

static void check_replay(const struct place *place)
{
    struct replay *replay = replay_place(place);

    check_differences(place);
    if (place->log != NULL)
        ck_assert_str_eq((const char *)replay->log.data, place->log);
    check_counts(place->counts);
    free_replay(replay);
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
