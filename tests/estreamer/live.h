/*
 * What the tests of live eStreamer sessions share: a peer that says what it is told to, and a
 * script that plays a whole conversation with it.
 */
#ifndef LIVE_H
#define LIVE_H

#include "support.h"

#include <leat/estreamer.h>

/*
 * The config (NULL: every default) with limits of its own, 0 for their defaults; valid as long as
 * limits is.
 */
leat_config live_limited(const leat_config *config, leat_limits *limits, uint64_t queued_bytes,
                         uint64_t message_bytes);

/* JSON text in these functions may have single quotes for double ones; NULL: no fields. */

/* The octets of one message. */
struct t_bytes live_message(const char *name, const char *json);
/* leat_send() */
int live_send(leat_session *session, const char *name, const char *json);
/* Feeds what the peer says. */
void live_hear(leat_session *session, const char *name, const char *json);
void live_hear_octets(leat_session *session, struct t_bytes octets); /* which it frees */

/* Takes all output. */
struct t_bytes live_take(leat_session *session);
/* Takes all output of one side and feeds it to the other; false if there is none. */
bool live_move(leat_session *from, leat_session *to);

/*
 * The names of the messages in some octets, with a space between; of an event_data with its record
 * type, of an error with its code: "message_bundle event_data/4 error/-1". Yours to free().
 */
char *live_names(const void *octets, size_t length);
/* How many messages of that name there are, and how many there are at all (name NULL). */
size_t live_count(const void *octets, size_t length, const char *name);

/* Takes all output, and asserts that it consists of these messages, or of these octets. */
void live_said(leat_session *session, const char *names);
void live_wrote(leat_session *session, const char *hex);

/* Makes a client whose request was answered, and a server that was asked; nothing waits. */
leat_session *live_client(const leat_config *config, const leat_estreamer_client_options *options);
leat_session *live_server(const leat_config *config, const leat_estreamer_server_options *options,
                          uint32_t request_flags);

/*
 * Plays a script on a session: a line for each step.
 *
 *     hear NAME [JSON]              the peer says a message
 *     octets HEX                    the peer's octets as they are
 *     end                           the end of the peer's stream
 *     told NAME... STATUS           what leat_next() tells, as live_names() says it, with !CODE if
 *                                   the event has an error, and what it answers in the end
 *     said [NAME...]                the output, which is taken
 *     wrote HEX                     the same, as octets
 *     send NAME [JSON]              leat_send() gives LEAT_OK
 *     refuse CODE NAME [JSON]       leat_send() gives that, and writes nothing
 *     acknowledge all|NUMBER        up to the event of that number in the script, from 1
 *     tick MS                       leat_tick()
 *     deadline MS|never             leat_deadline()
 *     wants [read] [write] [close]  leat_wants()
 *     close CODE [TEXT]             leat_estreamer_close(); without a text, none
 *     waiting COUNT                 leat_estreamer_waiting()
 *
 * STATUS is the name of a status code without LEAT_, CODE without LEAT_E_.
 */
void live_play(leat_session *session, const char *script);

/*
 * A side of a conversation for live_every_split(). react, which may be NULL, sees each event before
 * the next is drawn.
 */
struct live_side {
    t_make *make;
    const void *arg;
    void (*react)(leat_session *session, const leat_event *event);
};

/*
 * All events with their values, the last status, and all output, as text: fed in two pieces (the
 * first of cut octets) or, if cut is 0, octet by octet. Yours to free().
 */
char *live_transcript(const struct live_side *side, const void *data, size_t length, size_t cut);

/* Cuts at each point, and octet by octet: the transcripts must be the same. Yours to free(). */
char *live_every_split(const struct live_side *side, const void *data, size_t length);

#endif
