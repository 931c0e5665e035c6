/* What a record holds: the octets behind the record header, by record type. */
#ifndef LT_ESTREAMER_RECORD_H
#define LT_ESTREAMER_RECORD_H

#include "block.h"

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
