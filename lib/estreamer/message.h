/* Messages: what stands behind the message header, by message type. */
#ifndef LT_ESTREAMER_MESSAGE_H
#define LT_ESTREAMER_MESSAGE_H

#include "record.h"

#define LT_ESTREAMER_NULL_TYPE           0u
#define LT_ESTREAMER_ERROR_TYPE          1u
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

/* Event data: the record header, and the whole. */
#define LT_ESTREAMER_RECORD_TYPE_MASK 0xffffu
#define LT_ESTREAMER_NETMAP_SHIFT     16u
#define LT_ESTREAMER_NETMAP_MAX       0x7fffu

struct lt_estreamer_record_header {
    uint32_t word;   /* the type, the netmap id, and whether the header is extended */
    uint32_t length; /* as read */
    bool archived;   /* what follows is there */
    uint32_t archive_timestamp;
    uint32_t checksum;
};

int lt_estreamer_take_record_header(struct lt_estreamer_writer *writer,
                                    struct lt_estreamer_fields *fields,
                                    struct lt_estreamer_record_header *header);
/* Returns where the record begins. Its length is 0 until it is known. */
size_t lt_estreamer_put_record_header(struct lt_writer *out,
                                      const struct lt_estreamer_record_header *header);
/* Writes the header, and the record from all fields that are left. */
int lt_estreamer_put_event_data(struct lt_estreamer_writer *writer,
                                struct lt_estreamer_fields *fields,
                                const struct lt_estreamer_record_header *header);
/* As messages are read and written. */
int lt_estreamer_read_event_data(struct lt_estreamer_reader *reader, struct lt_reader in,
                                 uint32_t *children);
int lt_estreamer_write_event_data(struct lt_estreamer_writer *writer,
                                  struct lt_estreamer_fields *fields);

/* An unknown message. */
int lt_estreamer_read_unknown(struct lt_estreamer_reader *reader, uint32_t type,
                              struct lt_reader in, uint32_t *children);

#endif
