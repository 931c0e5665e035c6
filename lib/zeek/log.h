/* What a log create tells of a log, from the inside. */
#ifndef LT_ZEEK_LOG_H
#define LT_ZEEK_LOG_H

#include "elements.h"

#include <leat/zeek.h>

/* Reads a field of a log create into a struct that is all zeros. */
bool lt_zeek_log_field(const leat_value *value, leat_zeek_log_field *field,
                       struct lt_zeek_flaw *flaw);

/* Whether these are the info and the fields of a log create. */
bool lt_zeek_log_create(const leat_value *info, const leat_value *fields,
                        struct lt_zeek_flaw *flaw);

#endif
