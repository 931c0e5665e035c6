/* Versions of Zabbix: which dialect is spoken. */
#ifndef LT_ZABBIX_VERSION_H
#define LT_ZABBIX_VERSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The versions whose dialects differ. */
#define LT_ZABBIX_5_0 500u
#define LT_ZABBIX_5_2 502u
#define LT_ZABBIX_5_4 504u
#define LT_ZABBIX_6_0 600u
#define LT_ZABBIX_6_2 602u
#define LT_ZABBIX_6_4 604u
#define LT_ZABBIX_7_0 700u
#define LT_ZABBIX_7_2 702u
#define LT_ZABBIX_7_4 704u

struct lt_zabbix_version {
    uint32_t number; /* major * 100 + minor; 0: none */
    uint32_t patch;
    char text[32]; /* as it was given, cut if need be */
};

/* "7.0.22", "6.4.0rc2", "7.0". False, and number 0, if it is none. */
bool lt_zabbix_version_read(const char *text, size_t length, struct lt_zabbix_version *version);

/*
 * Reads the version that we go by: one whose dialect we speak, and that can be told to others as it
 * is. False: it is none, or NULL.
 */
bool lt_zabbix_version_own(const char *text, struct lt_zabbix_version *version);

/* Whether a server of this version takes the data (or, config, the request for its configuration)
 * of such a proxy: spec section 5. */
bool lt_zabbix_version_takes(const struct lt_zabbix_version *server,
                             const struct lt_zabbix_version *proxy, bool config);

#endif
