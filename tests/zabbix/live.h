/*
 * What the tests of Zabbix exchanges share: a script that plays one side of an exchange, line by
 * line, against one session.
 */
#ifndef T_ZABBIX_LIVE_H
#define T_ZABBIX_LIVE_H

#include "frames.h"

/* For loops: each ck_assert() writes to a file. */
#define MUST(what, ...)                                                                            \
    do {                                                                                           \
        if (!(what))                                                                               \
            ck_abort_msg(__VA_ARGS__);                                                             \
    } while (0)

/* JSON text in these functions may have single quotes for double ones. */
struct t_bytes live_text(const char *text);

/* leat_send() of a message of that name. */
int live_send(leat_session *session, const char *name, const char *json);

/* Takes all output. */
struct t_bytes live_take(leat_session *session);

/* "proxy data" is LEAT_ZABBIX_PROXY_DATA. */
uint32_t live_kind(const char *name);

/* A session that connects for this exchange (0: it is connected to); else as it is by default. */
leat_session *live_exchange(const leat_config *config, uint32_t role, uint32_t exchange,
                            const char *version);

/*
 * Plays a script. Its first line makes the session:
 *
 *     ROLE VERSION accepts|asks=EXCHANGE [plain] [timeout MS] [linger MS]
 *
 * ROLE is server, proxy, passive, agent or sender, EXCHANGE the name of the request with _ for spaces,
 * plain is for compress 0. Then a line for each
 * step:
 *
 *     <FLAGS TEXT            the peer says a message: <1 {'response':'success'}
 *     claims SIZE TEXT       a compressed one that says another size of its text
 *     padded TEXT            one with octets behind its zlib stream
 *     octets HEX             the peer's octets as they are
 *     end                    the end of the peer's stream
 *     told EVENT, ... STATUS all that leat_next() tells, and what it answers in the end
 *     next EVENT             the next event alone
 *     ends STATUS            what leat_next() answers in the end, whatever it told before
 *     fails                  that is below 0
 *     over                   that, or END
 *     >FLAGS TEXT            the output is this message, and is taken
 *     says TEXT              the same, whatever the flags are
 *     wrote HEX              the output is these octets, and is taken
 *     speaks                 there is output, and it is taken
 *     silent                 there is no output
 *     send NAME {JSON}       leat_send() gives LEAT_OK; a JSON object, since names hold spaces
 *     deny CODE NAME {JSON}  leat_send() gives CODE and writes nothing
 *     refuse [INFO]          leat_zabbix_refuse() gives LEAT_OK
 *     unable CODE [INFO]     leat_zabbix_refuse() gives CODE and writes nothing
 *     tick MS                leat_tick()
 *     deadline MS|never      leat_deadline()
 *     wants [read] [write] [close]
 *     exchange NAME|none     leat_zabbix_exchange()
 *     trim                   leat_session_trim()
 *     memory COUNT           the session holds at most so many octets
 *
 * EVENT is its name, with !CODE if it has an error, and with /FIELD behind that. STATUS is the name
 * of a status code without LEAT_, CODE without LEAT_E_ (but E_END); FIELD need not be given, and has
 * a = for each space. In TEXT ^A stands
 * for the octet 1 and so on, and a * in what is said for anything.
 */
void live_play(const char *script);

/*
 * The same, with the peer's octets of each line in pieces of cut octets (at once for 0) or, if once,
 * only cut there; events are drawn between.
 */
void live_play_cut(const char *script, size_t cut, bool once);

/* Plays it octet by octet, and cuts each line of octets at each place. */
void live_play_every_cut(const char *script);

/* A scenario for t_every_alloc(): arg is the script. */
int live_play_alloc(const leat_config *config, const void *script);

#endif
