/*
 * A peer that says what a test wants, and reads what an endpoint says to it: messages as words, made
 * and read without the library.
 *
 *     hello L [MIN MAX]    probe    select L [VERSION]    drop L CODE TEXT    syn TOPIC...
 *     synack TOPIC...      ack      data L RECEIVER TOPIC TEXT                update L TOPIC...
 *     ping L TEXT          pong L TEXT                    hex OCTETS
 *
 * An id is a letter: M is the endpoint's, L is smaller, H larger, O is one more, 0 is nil. What is empty is
 * written as "". Messages stand behind one another with ", " between.
 */
#ifndef T_BROKER_WIRE_H
#define T_BROKER_WIRE_H

#include "../support.h"

#include <leat/broker_endpoint.h>

/* The 16 octets of an id. */
void wire_id(char letter, uint8_t id[16]);

/* An endpoint with the id M and these options (NULL: the default), which subscribes to "/b". */
leat_broker *wire_broker(const leat_config *config, const leat_broker_options *options);

/* Sessions of it: the next attempt, of leat_broker_peer("peer", 9999, retry_s); one that came in from there. */
leat_session *wire_attempt(leat_broker *broker, uint64_t retry_s);
leat_session *wire_accept(leat_broker *broker);
/* One of them (attempt or not), whose peer (L or H) is there; all of that was taken. */
leat_session *wire_peer(leat_broker *broker, bool attempt, char id, const char *topics);

struct t_bytes wire(const char *script);
void wire_feed(leat_session *session, const char *script);

/* Takes all output, as a script; and asserts it. */
char *wire_said(leat_session *session);
void wire_says(leat_session *session, const char *script);
/*
 * Draws all events, as names with what they tell, then what ended the session, if it did: "peer_lost, LEAT_END".
 * And asserts it.
 */
char *wire_told(leat_session *session);
void wire_tells(leat_session *session, const char *events);
/* What it tells while it gets that, in pieces of so many octets (0: at once); yours to free(). */
char *wire_told_of(leat_session *session, const char *script, size_t cut);
/* What leat_broker_next() tells, likewise. */
void wire_broker_tells(leat_broker *broker, const char *events);

/* The longest word of a script that a test may need. */
#define WIRE_WORD 512u

#endif
