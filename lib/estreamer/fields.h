/* The fields that a caller gives, found by name and written as the wire wants them. */
#ifndef LT_ESTREAMER_FIELDS_H
#define LT_ESTREAMER_FIELDS_H

#include "tables.h"

#include "../core/bytes.h"
#include "../core/error.h"
#include "../core/value.h"

/* Where octets go and mistakes are noted. */
struct lt_estreamer_writer {
    struct lt_writer *out;
    size_t start; /* in out: offsets of mistakes count from here */
    size_t depth; /* deepest nesting of the given values */
    struct leat_error *error;
};

/* Notes a mistake of the caller. Returns LEAT_E_VALUE. */
int lt_estreamer_refuse(struct lt_estreamer_writer *writer, const char *what, const char *field);

/* Each field may be taken once; what is left at the end is a mistake. */
struct lt_estreamer_fields {
    const leat_value *record; /* NULL: no field is given */
    const leat_value *next;   /* the one behind the last that was taken: the best guess */
    uint32_t left;
};

/* value: a record, or NULL. Anything else is refused. */
int lt_estreamer_fields(struct lt_estreamer_writer *writer, const leat_value *value,
                        const char *field, struct lt_estreamer_fields *fields);
/* Refuses fields that nobody took: unknown ones, and those given twice. */
int lt_estreamer_fields_end(struct lt_estreamer_writer *writer,
                            const struct lt_estreamer_fields *fields);

/* A field, or NULL; the same without taking it. */
const leat_value *lt_estreamer_take(struct lt_estreamer_fields *fields, const char *name,
                                    size_t length);
const leat_value *lt_estreamer_peek(const struct lt_estreamer_fields *fields, const char *name,
                                    size_t length);

/* A number of at most most; 0 if value is NULL. */
int lt_estreamer_number(struct lt_estreamer_writer *writer, const leat_value *value,
                        const char *field, uint64_t most, uint64_t *number);
/* The same, taken out of the fields. */
int lt_estreamer_take_number(struct lt_estreamer_writer *writer, struct lt_estreamer_fields *fields,
                             const char *name, size_t name_length, uint64_t most, uint64_t *number);
/* false if value is NULL. */
int lt_estreamer_flag(struct lt_estreamer_writer *writer, const leat_value *value,
                      const char *field, bool *flag);

/* How many octets lt_estreamer_put_octets() writes. */
int lt_estreamer_count(struct lt_estreamer_writer *writer, uint8_t kind, const leat_value *value,
                       const char *field, size_t *count);

/*
 * Octets of any number, none if value is NULL. kind is LEAT_TEXT (text, or {"hex":"..."} if it is
 * not UTF-8) or LEAT_BYTES (bytes, or their hex digits as text).
 */
int lt_estreamer_put_octets(struct lt_estreamer_writer *writer, uint8_t kind,
                            const leat_value *value, const char *field);

/* A field of fixed size (not LENGTH16 or LENGTH32), zero if value is NULL. */
int lt_estreamer_put_fixed(struct lt_estreamer_writer *writer, const struct lt_estreamer_row *row,
                           const leat_value *value);

#endif
