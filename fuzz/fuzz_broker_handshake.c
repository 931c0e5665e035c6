/*
 * One peer of an endpoint, on either side of the connection: however its octets are cut, the session
 * says and tells the same, in the order that the protocol has; nothing leaks, whatever fails.
 */
#include "broker_live.h"

/* Feeds the octets in pieces, and takes all output behind each. */
static void hear(struct live *live, struct spoken *spoken, const struct octets *octets)
{
    size_t at = 0, piece;

    while (at < octets->length) {
        piece = octets->length - at < live->manner.cut ? octets->length - at : live->manner.cut;
        piece = feed_octets(live, octets->data + at, piece);
        if (piece == 0)
            return;
        at += piece;
        do {
            draw_told(spoken, &live->told);
            while (take_said(spoken, SIZE_MAX, &live->said) > 0)
                ;
        } while (spoken->status == LEAT_PAUSED);
    }
}

static leat_broker *make(struct live *live, unsigned how)
{
    struct settings settings;
    leat_broker_options options;
    leat_broker *broker = NULL;

    configure(live, &settings, how % 2u == 0 ? 1 << 14 : 100, 1 << 20, 500);
    settings.limits.handshake_bytes = how / 2u % 2u == 0 ? 1 << 10 : 30;
    leat_broker_options_init(&options, sizeof options);
    memset(options.id, OUR_ID, sizeof options.id);
    options.forwarding = how / 4u % 2u;
    options.filter_topics = how / 8u % 2u == 0 ? 100 : 2;
    if (leat_broker_new(&settings.config, &options, &broker) != LEAT_OK)
        return NULL;
    (void)leat_broker_subscribe(broker, "/a", 2);
    return broker;
}

static leat_session *start(leat_broker *broker, unsigned how)
{
    leat_session *session = NULL;

    if (how % 2u == 0)
        (void)leat_broker_accept(broker, "them", 9999, &session);
    else if (leat_broker_peer(broker, "them", 9999, how / 4u) == LEAT_OK)
        (void)leat_broker_connect(broker, &session);
    return session;
}

static uint64_t run(struct input input, struct manner manner)
{
    static struct octets octets;
    struct spoken spoken;
    const leat_event *event;
    struct live live;
    leat_broker *broker;
    unsigned how = take(&input), end = take(&input);

    begin_live(&live, manner, NULL);
    broker = make(&live, how);
    live.session = broker == NULL ? NULL : start(broker, how / 16u);
    must(live.session != NULL || manner.good != ALWAYS);
    if (live.session == NULL) {
        leat_broker_free(broker);
        must(live.memory.held == 0);
        return 0;
    }
    begin_spoken(&spoken, live.session);
    octets.length = 0;
    while (input.left > 0 && octets.length < sizeof octets.data)
        put_message(&octets, &input);
    hear(&live, &spoken, &octets);
    if (leat_broker_peer_id(live.session) != NULL)
        tell(&live.told, leat_broker_peer_id(live.session), 16);
    if (end % 4u == 1)
        (void)leat_recv_eof(live.session);
    else if (end % 4u == 2)
        leat_broker_tick(broker, 10000);
    else if (end % 4u == 3)
        (void)leat_broker_unpeer(broker, "them", 9999);
    draw_told(&spoken, &live.told);
    while (take_said(&spoken, SIZE_MAX, &live.said) > 0)
        ;
    tell_number(&live.told, (uint64_t)(int64_t)spoken.status);
    tell_error(&live.told, leat_session_error(live.session));
    tell_number(&live.told, leat_broker_deadline(broker));
    must(leat_session_memory(live.session) + leat_broker_memory(broker) == live.memory.held);
    if (end / 4u % 2u == 0)
        end_spoken(&spoken);
    while (end / 4u % 2u == 0 && leat_broker_next(broker, &event) == LEAT_OK)
        tell_event(&live.told, event);
    leat_broker_free(broker);
    end_spoken(&spoken);
    must(live.memory.held == 0);
    tell_number(&live.told, live.said);
    return live.told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_runs(run, data, size, 1);
    return 0;
}
