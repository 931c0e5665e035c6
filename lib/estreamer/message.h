/* Messages: what stands behind the message header, by message type. */
#ifndef LT_ESTREAMER_MESSAGE_H
#define LT_ESTREAMER_MESSAGE_H

#include "record.h"

#define LT_ESTREAMER_EVENT_DATA_TYPE     4u
#define LT_ESTREAMER_MESSAGE_BUNDLE_TYPE 4002u

#define LT_ESTREAMER_BUNDLE_PREFIX_BYTES 8u

struct lt_estreamer_message {
    uint16_t type;
    uint8_t kind;    /* LEAT_ESTREAMER_* */
    uint8_t senders; /* bits 1 << LEAT_FROM_* */
    const char *name;
    /*
     * Appends the fields of the message to the record that is open. LEAT_OK with an error noted:
     * the fields are sound, something else is not.
     */
    int (*read)(struct lt_estreamer_reader *reader, struct lt_reader in, uint32_t *children);
    /* Writes all fields that are left. */
    int (*write)(struct lt_estreamer_writer *writer, struct lt_estreamer_fields *fields);
};

/* NULL: unknown. message_bundle is none of them: it is framing. */
const struct lt_estreamer_message *lt_estreamer_message_of_type(uint32_t type);
const struct lt_estreamer_message *lt_estreamer_message_named(const char *name);

/* An unknown message. */
int lt_estreamer_read_unknown(struct lt_estreamer_reader *reader, uint32_t type,
                              struct lt_reader in, uint32_t *children);

#endif
