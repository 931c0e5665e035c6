/* What went wrong, where, and in which field. */
#ifndef LT_ERROR_H
#define LT_ERROR_H

#include <leat/leat.h>

struct leat_error {
    int code;
    uint64_t offset;
    const char *text;  /* constant */
    const char *field; /* constant, or NULL */
};

/* Sets it and returns code. */
static inline int lt_error(struct leat_error *error, int code, uint64_t offset, const char *text,
                           const char *field)
{
    error->code = code;
    error->offset = offset;
    error->text = text;
    error->field = field;
    return code;
}

#endif
