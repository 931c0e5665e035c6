/*
 * Two ends of TLS joined by memory, over a session that takes every octet as it comes.
 */
#ifndef T_ENDS_H
#define T_ENDS_H

#include "support.h"

#include <leat/openssl.h>

/* One end: a session, TLS in front of it, and all that came out of the session. */
struct t_end {
    SSL_CTX *context;
    leat_session *session;
    leat_tls *tls;
    struct t_bytes got;
    struct t_bytes kept; /* what the adapter kept of it */
    int status;          /* of leat_next() */
};

/* Makes the session, behind which the caller puts context and tls. */
void t_end_begin(struct t_end *end);
void t_end_free(struct t_end *end);

/* The loop that openssl.h shows, without the socket. Gives what leat_tls_run() says last. */
int t_end_run(struct t_end *end);

/* What one has to send, to the other as far as it takes it, at most piece octets. The octets. */
size_t t_carry(struct t_end *from, struct t_end *to, size_t piece);

/* Both run until neither has anything to send that the other takes. */
void t_talk(struct t_end *a, struct t_end *b, size_t piece);

/* The session sends these octets. */
void t_say(struct t_end *end, const void *text, size_t length);

/* The session is paused, or goes on; runs. */
void t_pause(struct t_end *end, bool paused);

/* What a context says to options: "" if it takes them. */
const char *t_verdict(const leat_tls_options *options, bool server);

#endif
