#include "replay.h"

#include <leat/broker_websocket.h>

#define CONTROLLER_PORT 2150u
#define SUPERVISOR_PORT 9999u

static void run_machine(struct replay *replay);

const struct moment *replay_now(const struct replay *replay)
{
    return &replay->timeline.moments[replay->at];
}

const leat_event *replay_decode(struct replay *replay, const struct t_bytes *frame)
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

bool replay_is_said(const struct replay *replay, const struct moment *moment)
{
    if (moment->what != FRAME || (moment->step != NULL && moment->step->what != FRAME))
        return false;
    return moment->step != NULL ? is_ours(replay, moment->step)
                                : !moment->by_client && replay->place->agent == NULL;
}

size_t replay_link_of(const struct moment *moment)
{
    return moment->step != NULL ? moment->step->conn : CONNS + moment->client;
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
        replay_say(replay, link, leat_event_value(replay_decode(replay, &frame)));
        said->length -= length;
        memmove(said->data, said->data + length, said->length);
    }
}

static void say_texts(struct replay *replay, struct link *link, const void *octets, size_t length)
{
    const leat_event *event;

    ck_assert_int_eq(leat_feed(link->codec, octets, length), LEAT_OK);
    while (leat_next(link->codec, &event) == LEAT_OK)
        replay_say(replay, link, leat_value_get(leat_event_value(event), "message"));
}

static void take(struct replay *replay, const leat_event *event)
{
    int status = replay->controller != NULL ? leat_zeek_controller_take(replay->controller, event)
                                            : leat_zeek_agent_take(replay->agent, event);

    ck_assert(status == LEAT_OK || status == LEAT_MORE);
    replay_counts.taken += status == LEAT_OK;
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

/* ----- our machine ----- */

static void log_event(struct replay *replay, uint32_t kind, const char *name,
                      const leat_value *value)
{
    char *what = copied_text(leat_value_get(value, "what"));
    char *instance = copied_text(leat_value_get(value, "instance"));
    const char *module = strrchr(name, ':');

    add_text(&replay->log, replay->log.length > 0 ? " >" : ">");
    add_text(&replay->log, module == NULL ? name : module + 1);
    if (kind == LEAT_ZEEK_INSTANCE) {
        add_text(&replay->fates, replay->fates.length > 0 ? ", " : "");
        add_text(&replay->fates, instance);
        add_text(&replay->fates, " ");
        add_text(&replay->fates, what);
    }
    free(what);
    free(instance);
}

/* What a controller deployed, it knows in its next life. */
static void keep_deployed(struct replay *replay, const leat_value *value)
{
    leat_builder_clear(replay->deployed);
    ck_assert_int_eq(
        leat_builder_copy(replay->deployed, NULL, leat_value_get(value, "configuration")), LEAT_OK);
}

/* What it tells. True: there was something. */
static bool tell(struct replay *replay)
{
    const leat_event *event;
    const leat_value *value;
    uint32_t kind;

    if ((replay->controller != NULL ? leat_zeek_controller_next(replay->controller, &event)
                                    : leat_zeek_agent_next(replay->agent, &event)) != LEAT_OK)
        return false;
    replay_counts.told++;
    kind = leat_event_kind(event);
    value = leat_event_value(event);
    log_event(replay, kind, leat_event_name(event, NULL), value);
    if (replay->agent != NULL && kind == LEAT_ZEEK_TIMED_OUT)
        caller_end(replay, leat_value_u64(leat_value_get(value, "request")));
    else if (replay->agent != NULL && leat_value_get(value, "request") != NULL)
        caller_note(replay, event);
    else if (kind == LEAT_ZEEK_CONFIGURATION && has_text(value, "what", "deployed"))
        keep_deployed(replay, value);
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
    if (leat_builder_value(replay->deployed) != NULL)
        ck_assert_int_eq(
            leat_zeek_controller_restore(replay->controller, leat_builder_value(replay->deployed)),
            LEAT_OK);
}

static void start_agent(struct replay *replay)
{
    leat_builder *status = caller_status(replay, NULL);
    leat_zeek_agent_options options;
    uint32_t port = leat_value_port(leat_value_get(arguments_of(status), "p"));

    leat_zeek_agent_options_init(&options, sizeof options);
    options.name = replay->place->agent;
    options.controller_address = replay->place->waits ? NULL : "127.0.0.1";
    options.controller_port = CONTROLLER_PORT;
    options.listen_port = port > 0 ? port : options.listen_port;
    options.pid = caller_pid(status);
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
    replay->now_ms = replay_now(replay)->us / 1000;
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
    replay_finish(replay, link);
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
    caller_forget(replay);
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
    ck_assert_int_eq(leat_send(writer, "data", leat_builder_value(builder)), LEAT_OK);
    octets = leat_send_data(writer, &length);
    frame = t_copy(octets, length);
    leat_session_free(writer);
    leat_builder_free(builder);
    return frame;
}

static void hear(struct replay *replay, struct link *link, const struct step *step)
{
    const leat_event *event = replay_decode(replay, &step->frame);
    struct t_bytes frame = leat_event_kind(event) == LEAT_BROKER_DATA && replay->controller != NULL
                               ? translated(replay, leat_event_value(event))
                               : t_copy(step->frame.data, step->frame.length);

    replay_counts.heard++;
    replay_counts.translated += frame.length != step->frame.length ||
                                memcmp(frame.data, step->frame.data, frame.length) != 0;
    ck_assert_int_eq(leat_feed(link->session, frame.data, frame.length), LEAT_OK);
    t_free(frame);
    drive(replay, link);
    run_machine(replay);
    if (replay->agent != NULL)
        caller_hear(replay, leat_event_value(replay_decode(replay, &step->frame)));
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
        replay_counts.left_out++;
        return;
    }
    replay_counts.links++;
    replay_expect(replay, link);
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

static void take_own(struct replay *replay, const struct step *step)
{
    const leat_event *event = replay_decode(replay, &step->frame);

    /* A process says goodbye to all when it ends. */
    if (leat_event_kind(event) == LEAT_BROKER_PING) {
        die(replay);
    } else if (replay->agent != NULL) {
        caller_act(replay, leat_event_value(event));
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
    replay_counts.links++;
    replay_expect(replay, link);
}

static void take_websocket(struct replay *replay, const struct moment *moment)
{
    struct link *link = &replay->links[replay_link_of(moment)];

    if (moment->what == OPENED && replay->broker != NULL) {
        accept_client(replay, link, moment->client);
    } else if (link->session == NULL || (!moment->by_client && moment->what != CLOSED)) {
        return;
    } else if (moment->what == FRAME) {
        replay_counts.heard++;
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

struct replay *replay_place(const struct place *place, replay_listed *is_listed)
{
    struct replay *replay = (struct replay *)calloc(1, sizeof *replay);
    size_t files = 0;

    ck_assert_ptr_nonnull(replay);
    memset(&replay_counts, 0, sizeof replay_counts);
    while (files < FILES && place->files[files] != NULL)
        files++;
    replay->place = place;
    replay->is_listed = is_listed;
    timeline_open(&replay->timeline, place->files, files, place->websockets);
    ck_assert_int_eq(leat_builder_new(NULL, &replay->deployed), LEAT_OK);
    for (; replay->at < replay->timeline.count; replay->at++) {
        const struct moment *moment = replay_now(replay);

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
    t_append(&replay->fates, "", 1);
    return replay;
}

void replay_free(struct replay *replay)
{
    timeline_close(&replay->timeline);
    leat_builder_free(replay->deployed);
    leat_session_free(replay->decoder);
    t_free(replay->log);
    t_free(replay->fates);
    free(replay);
}
