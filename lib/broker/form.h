/*
 * Scalars as Broker spells them in JSON strings. The readers take the whole text or answer false;
 * those that they refuse although Broker would make something of them are no such values.
 */
#ifndef LT_BROKER_FORM_H
#define LT_BROKER_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * 2022-04-10T07:00:00, maybe with a fraction of 1 to 9 digits and a zone: Z, +02, +0200 or +02:00;
 * none is UTC. The years 1677 to 2262 fit.
 */
bool lt_broker_read_timestamp(const char *text, size_t length, int64_t *ns);

/*
 * 1500ms: a number, also with a fraction or an exponent, of ns, us, ms, s, min or h. Integers are
 * exact.
 */
bool lt_broker_read_timespan(const char *text, size_t length, int64_t *ns);

/* 80/tcp; a number alone is one of TCP. number | protocol << 16. */
bool lt_broker_read_port(const char *text, size_t length, uint64_t *port);

/*
 * 10.0.0.0/8: the address and the prefix, in terms of IPv6; host bits are cleared. Any form of an
 * IPv4 address has prefixes of at most 32 bits, as Broker sees it.
 */
bool lt_broker_read_subnet(const char *text, size_t length, uint8_t octets[17]);

#endif
