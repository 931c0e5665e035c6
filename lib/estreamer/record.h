/* What a record holds: the octets behind the record header, by record type. */
#ifndef LT_ESTREAMER_RECORD_H
#define LT_ESTREAMER_RECORD_H

#include "block.h"

#define LT_DISCOVERY_HEADER LT_NAME("discovery_header")
#define LT_LEGACY           LT_NAME("legacy") /* true: the older form of a record */

#define LT_ESTREAMER_HAS_IPV6_OFFSET 14u /* in a discovery header */

static inline const struct lt_estreamer_layout *lt_estreamer_layout_at(uint16_t index_and_1)
{
    return index_and_1 == 0 ? NULL : &lt_estreamer_layouts[index_and_1 - 1];
}

static inline const struct lt_estreamer_layout *lt_estreamer_discovery_layout(bool ipv6)
{
    return &lt_estreamer_layouts[ipv6 ? LT_ESTREAMER_DISCOVERY_HEADER_IPV6
                                      : LT_ESTREAMER_DISCOVERY_HEADER];
}

/*
 * Some records have had two forms under one number: a block or the bare structure, or two
 * structures of different size: whether the octets are the older one. Source: spec sections 9 and 17.
 */
bool lt_estreamer_is_legacy(const struct lt_estreamer_record *record, struct lt_reader in);

/*
 * Appends one value of that name: a record, or bytes if the type is unknown. LEAT_OK,
 * LEAT_E_SYNTAX, LEAT_E_LIMIT, LEAT_E_NOMEM; then the tree is to be taken back by the caller.
 */
int lt_estreamer_read_record(struct lt_estreamer_reader *reader, uint32_t type, struct lt_reader in,
                             const char *name, uint16_t name_length, size_t depth);

/* Writes what the above read. Bytes are written as they are, whatever the type. */
int lt_estreamer_write_record(struct lt_estreamer_writer *writer, uint32_t type,
                              const leat_value *value, size_t depth);

#endif
