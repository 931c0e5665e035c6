#include "peers.h"

#include "bench.h"

#include <string.h>

#define PORT 9999u

leat_broker *open_endpoint(const leat_config *config, const leat_broker_options *options,
                           uint64_t number)
{
    leat_broker_options own;
    leat_broker *broker;

    leat_broker_options_init(&own, sizeof own);
    if (options != NULL)
        own = *options;
    number++;
    memcpy(own.id, &number, sizeof number);
    check(leat_broker_new(config, &own, &broker));
    return broker;
}

void subscribe(leat_broker *broker, const char *topic)
{
    check(leat_broker_subscribe(broker, topic, strlen(topic)));
}

size_t draw(leat_session *session)
{
    const leat_event *event;
    size_t data = 0;
    int status;

    while ((status = leat_next(session, &event)) == LEAT_OK)
        data += leat_event_kind(event) == LEAT_BROKER_DATA;
    if (status < 0)
        die(leat_error_text(leat_session_error(session)));
    return data;
}

size_t carry(leat_session *from, leat_session *to, bool *moved)
{
    const void *octets;
    size_t data = 0, length;

    while ((octets = leat_send_data(from, &length)) != NULL) {
        check(leat_feed(to, octets, length));
        check(leat_send_done(from, length));
        data += draw(to);
        *moved = true;
    }
    return data;
}

void settle(struct joint *joint)
{
    bool moved;

    do {
        moved = false;
        (void)carry(joint->near, joint->far, &moved);
        (void)carry(joint->far, joint->near, &moved);
    } while (moved);
}

void join(leat_broker *near, leat_broker *far, struct joint *joint)
{
    check(leat_broker_peer_no_retry(far, "127.0.0.1", PORT));
    check(leat_broker_connect(far, &joint->far));
    check(leat_broker_accept(near, "127.0.0.1", PORT, &joint->near));
    settle(joint);
}

leat_session *join_stub(leat_broker *near, uint64_t number, const char *const *topics, size_t count)
{
    leat_broker *far = open_endpoint(NULL, NULL, number);
    struct joint joint;
    size_t i;

    for (i = 0; i < count; i++)
        subscribe(far, topics[i]);
    join(near, far, &joint);
    leat_session_free(joint.far);
    leat_broker_free(far);
    return joint.near;
}

size_t drain(leat_session *session)
{
    size_t length, all = 0;

    while (leat_send_data(session, &length) != NULL) {
        all += length;
        check(leat_send_done(session, length));
    }
    return all;
}
