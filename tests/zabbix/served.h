/* What the tests of servers share: a script that plays all who talk to one server. */
#ifndef T_ZABBIX_SERVED_H
#define T_ZABBIX_SERVED_H

#include "live.h"

/*
 * Plays a script. Its first line makes the server:
 *
 *     server VERSION [OPTION VALUE]...   OPTION is a member of leat_zabbix_server_options
 *
 * Then a line for each step. S is the letter of a session, from A to H; RESULT is the name of a
 * status code without LEAT_ and, if it has one, its E_ (but E_END), and may be left out if it is OK;
 * MEMBERS are pairs of a member's name and its value, with _ for spaces.
 *
 *     add NAME [MEMBERS] [=RESULT]       leat_zabbix_server_add(), NAME with _ for spaces
 *     remove NAME [=RESULT]
 *     load NAME JSON                     its tables
 *     task NAME JSON [=RESULT]
 *     throttle 0|1
 *     tick MS [SECONDS]                  the server's clocks, and those of all sessions
 *     accept S [MEMBERS]                 leat_zabbix_server_accept() of such a peer
 *     await S                            the same of a peer that will be told later
 *     met S [MEMBERS] [=RESULT]
 *     connect S NAME EXCHANGE            the next exchange is that with that proxy
 *     idle                               there is none
 *     due MS|never                       leat_zabbix_server_deadline()
 *     status NAME MEMBER VALUE           of leat_zabbix_member_status
 *     save, restore                      and back from what was saved last
 *     restart [untold]                   a new server with the same options, and no proxies; it is
 *                                        told the time at once, or with the next tick
 *     S <FLAGS TEXT                      the peer says a message
 *     S part TEXT, rest                  the same, uncompressed, up to a |; and what is behind it
 *     S octets HEX                       the peer's octets as they are
 *     S end                              the end of the peer's stream
 *     S told EVENT, ... STATUS           all that leat_next() tells, and what it answers in the end
 *     S next EVENT                       the next event alone
 *     S >FLAGS TEXT                      the output is this message, and is taken
 *     S silent                           there is no output
 *     S proxy NAME|none
 *     S acknowledge [=RESULT]
 *     S refuse [INFO] [=RESULT]
 *     S free                             as all sessions are in the end
 *     quit                               frees the server, but no session
 *
 * EVENT is its name, with #ID if it is a row with an id, and with !CODE/FIELD if it has an error.
 *
 * In any line these stand for more:
 *
 *     $N, $1 ...   a clock, and a value with this id
 *     $T, $O       the session, and another one
 *     $P, $E       what proxy data of px begin and end with
 *     $C           a request of px for its configuration, up to the revision
 *     $S           the answer to data, with nothing more to say
 */
void served_play(const char *script);

/* The same, with the peers' octets in pieces of cut octets. */
void served_play_cut(const char *script, size_t cut);

/* A scenario for t_every_alloc(): arg is the script. */
int served_play_alloc(const leat_config *config, const void *script);

#endif
