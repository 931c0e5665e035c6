#include "replay.h"

#include <leat/broker_websocket.h>
#include <stdio.h>

#define SAME_US 50000u   /* a recorded process may take so long */
#define LATE_US 2100000u /* Zeek looks every 2 s for what has timed out */

struct replay_counts replay_counts;

leat_builder *replay_arguments(const leat_value *value, uint32_t *kind)
{
    leat_builder *builder = arguments_read(value, kind);

    replay_counts.unread += builder == NULL && *kind != 0;
    return builder;
}

static bool read_message(const struct replay *replay, struct message *message,
                         const leat_value *value)
{
    bool read = message_read(message, value, replay->agent != NULL);

    replay_counts.unread +=
        !read && message->kind != 0 && message->kind <= LEAT_ZEEK_CONTROLLER_NOTIFY_AGENTS_READY;
    return read;
}

static void differ(const struct replay *replay, char sign, const struct message *message)
{
    ck_assert_msg(replay->is_listed(replay->place, sign, message->line),
                  "not listed: %s %s at %u us: %c%s", replay->place->run,
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

    replay_counts.said++;
    while (i < link->theirs.count &&
           (link->theirs.list[i].matched || !is_in_time(&link->theirs.list[i], ours) ||
            !is_same(replay, &link->theirs.list[i], ours)))
        i++;
    if (i == link->theirs.count) {
        differ(replay, '+', ours);
        return;
    }
    replay_counts.same++;
    link->theirs.list[i].matched = true;
    replay_counts.early += ours->us + SAME_US < link->theirs.list[i].us;
    if (is_made_up(replay, ours))
        pair_up(replay, &link->theirs.list[i], ours);
}

void replay_finish(const struct replay *replay, struct link *link)
{
    size_t i;

    for (i = 0; i < link->theirs.count; i++) {
        if (!link->theirs.list[i].matched && !replay->place->uncompared)
            differ(replay, '-', &link->theirs.list[i]);
    }
    messages_free(&link->theirs);
}

void replay_say(struct replay *replay, struct link *link, const leat_value *value)
{
    struct message message;
    size_t i;

    if (!read_message(replay, &message, value))
        return;
    message.us = replay_now(replay)->us;
    if (message.us / 1000 > replay->now_ms)
        message.us = replay->now_ms * 1000;
    for (i = 0; i < replay->pair_count; i++)
        message_replace(&message, replay->pairs[i].ours, replay->pairs[i].theirs);
    add_text(&replay->log, replay->log.length > 0 ? " " : "");
    add_text(&replay->log, strrchr(leat_zeek_management_name(message.kind), ':') + 1);
    if (replay->place->uncompared)
        replay_counts.said++;
    else
        match(replay, link, &message);
    message_free(&message);
}

void replay_expect(struct replay *replay, struct link *link)
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

        if (replay_link_of(moment) != which || !replay_is_said(replay, moment))
            continue;
        if (which < CONNS) {
            value = leat_event_value(replay_decode(replay, &moment->step->frame));
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
