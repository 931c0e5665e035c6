/*
 * A proxy's configuration, as tables: what a server hands out and a proxy works from.
 *
 * Both ends keep it in the same form. A proxy's grows by what its server sends, and tells what
 * changed with every message. A server's is given by you, whole, as often as you like; what is new
 * in it gets the next revision, and every proxy is sent what it lacks.
 *
 * A row is known by the value of its first column. Rows have the types of their columns: LEAT_UINT
 * or LEAT_INT (LEAT_NULL: no reference), and LEAT_TEXT. Tables and columns that we do not know are
 * kept as they came.
 *
 * Source: spec sections 6, 7 and 15.
 */
#ifndef LEAT_ZABBIX_TABLES_H
#define LEAT_ZABBIX_TABLES_H

#include <leat/buffer.h>
#include <leat/builder.h>
#include <leat/event.h>
#include <leat/leat.h>
#include <leat/session.h>
#include <leat/value.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct leat_zabbix_tables leat_zabbix_tables;

/**
 * Makes empty tables.
 *
 * version  "7.0.22": whose column lists and rules count.
 * bytes    most memory that they may hold, themselves included; 0: 256 MiB.
 *
 * LEAT_OK, LEAT_E_NOMEM, LEAT_E_VALUE (a version that is none).
 */
LEAT_API int leat_zabbix_tables_new(const leat_config *config, const char *version, size_t bytes,
                                    leat_zabbix_tables **tables);
LEAT_API void leat_zabbix_tables_free(leat_zabbix_tables *tables);

/**
 * Takes a whole configuration in the place of what was there.
 *
 * value  a record of tables. A table is what stands on the wire, {"fields":[...],"data":[[...]]}, or
 *        simply a list of records; columns that are not named get what the smallest configuration
 *        of real servers has (mostly 0, "" or null; spec section 15). Tables that are not named are
 *        empty, but for the rows that no proxy can do without: one of "config", one of
 *        "config_autoreg_tls", up to 6.2 one of "hstgrp", and one of "item_rtdata" for each item.
 *        Beside them may stand "macro.secrets", and from 7.0 on, for a proxy that is in a group,
 *        "proxy_group":{"failover_delay":"10s"}.
 *
 * Sets the next revision, if anything is different. LEAT_OK; LEAT_E_VALUE (a row without its
 * identifier (or with 0), a row, a column or a table that is there twice, a value of the wrong type,
 * text that is not UTF-8 or holds a zero octet, a reference to a row that is not there (0 too), a
 * column or a table that this version does not know: it would break real proxies), see
 * leat_zabbix_tables_error(); LEAT_E_LIMIT, LEAT_E_NOMEM. Unless LEAT_OK, nothing changed.
 */
LEAT_API int leat_zabbix_tables_load(leat_zabbix_tables *tables, const leat_value *value);

/**
 * Takes the events of a configuration's message, as an exchange gives them: rows, then the message.
 * Rows change nothing until their message came without an error; then all of it counts at once: a
 * full copy, or what changed, by the rules of this version.
 *
 * event  NULL: the message broke off and will not come; its rows are forgotten.
 *
 * LEAT_OK; LEAT_E_VALUE (it cannot be applied: an error, a short or a long row, rows before their
 * "fields", a companion table that is missing, no revision), see leat_zabbix_tables_error();
 * LEAT_E_LIMIT, LEAT_E_NOMEM. Unless LEAT_OK nothing changes, and the rest of the message gets the
 * same answer.
 */
LEAT_API int leat_zabbix_tables_learn(leat_zabbix_tables *tables, const leat_event *event);

#define LEAT_ZABBIX_ADDED   1u
#define LEAT_ZABBIX_CHANGED 2u
#define LEAT_ZABBIX_REMOVED 3u

/**
 * Draws the next change of the last load or learn.
 *
 * change  LEAT_ZABBIX_ADDED, _CHANGED, _REMOVED.
 * table   its name, followed by a NUL.
 * row     a record of its columns; of a removed one, the first column alone. "macro.secrets" is one
 *         row, of its paths.
 *
 * What is set is borrowed until the next call on the tables. LEAT_OK, LEAT_END (that was all),
 * LEAT_E_NOMEM (it can be drawn again).
 */
LEAT_API int leat_zabbix_tables_change(leat_zabbix_tables *tables, uint32_t *change,
                                       const char **table, const leat_value **row);

/* How many rows a table has. */
LEAT_API size_t leat_zabbix_tables_count(const leat_zabbix_tables *tables, const char *table);

/*
 * One row, by the number in its first column; NULL: there is none (or no memory to show it).
 * Borrowed until the next call on the tables.
 */
LEAT_API const leat_value *leat_zabbix_tables_row(leat_zabbix_tables *tables, const char *table,
                                                  uint64_t id);

/*
 * The row at index, 0 and up; NULL behind the last. In no order that means anything. "macro.secrets"
 * has the index 0.
 */
LEAT_API const leat_value *leat_zabbix_tables_at(leat_zabbix_tables *tables, const char *table,
                                                 size_t index);

/* The revision of what is there; 0: nothing yet. A proxy's is its server's. */
LEAT_API uint64_t leat_zabbix_tables_revision(const leat_zabbix_tables *tables);

/*
 * The revision of the map of hosts to the proxies of a group; 0: no group. Servers set it with the
 * tables "proxy" and "host_proxy".
 */
LEAT_API uint64_t leat_zabbix_tables_hostmap_revision(const leat_zabbix_tables *tables);

/*
 * Forgets the revisions, so that the next configuration is a full copy; rows stay until it comes.
 */
LEAT_API void leat_zabbix_tables_forget(leat_zabbix_tables *tables);

/**
 * Writes what a proxy lacks into the message that is being written, members and all: of 5.0 to 6.2
 * the whole configuration (into the open object "data", or at the top); from 6.4 on what changed
 * since a revision.
 *
 * since    the revision that the proxy reports; 0 or one that we do not know: a full copy.
 * hostmap  its hostmap_revision, or 0.
 *
 * If nothing is new (or from 6.4 on, nothing was taken yet) no member is written: the message is {}.
 * Tables and columns that this version does not know are not sent, and columns that did not come are
 * filled in. Of the secrets an update has those that are there: who has older ones keeps them until
 * the next full copy.
 *
 * What the leat_zabbix_* calls on the session answer.
 */
LEAT_API int leat_zabbix_tables_write(leat_zabbix_tables *tables, leat_session *session,
                                      uint64_t since, uint64_t hostmap);

/**
 * Appends all that they hold, to be restored later. LEAT_OK, LEAT_E_LIMIT, LEAT_E_NOMEM.
 */
LEAT_API int leat_zabbix_tables_save(const leat_zabbix_tables *tables, leat_buffer *buffer);

/*
 * Takes what was saved in the place of what was there, without changes to draw. LEAT_OK,
 * LEAT_E_SYNTAX (not what save writes, or of a version with other tables), LEAT_E_LIMIT,
 * LEAT_E_NOMEM; unless LEAT_OK nothing changed.
 */
LEAT_API int leat_zabbix_tables_restore(leat_zabbix_tables *tables, const void *data,
                                        size_t length);

/* Why the last load or learn was refused, the column as its field; NULL if it was not. */
LEAT_API const leat_error *leat_zabbix_tables_error(const leat_zabbix_tables *tables);

LEAT_API size_t leat_zabbix_tables_memory(const leat_zabbix_tables *tables);

#ifdef __cplusplus
}
#endif

#endif
