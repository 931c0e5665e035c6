/* Lists of elements of given types, which is what all of Zeek's messages are made of. */
#ifndef LT_ZEEK_ELEMENTS_H
#define LT_ZEEK_ELEMENTS_H

#include "../core/value.h"

/* What an element may be: 1u << LEAT_*, or any of several. */
#define LT_ZEEK_ANY (~0u)

struct lt_zeek_element {
    const char *name;
    uint32_t kinds;
};

/* What is wrong with a value, with which element of it, and where. */
struct lt_zeek_flaw {
    const char *what;
    const char *field;
    const leat_value *at;
};

static inline bool lt_zeek_flaw(struct lt_zeek_flaw *flaw, const char *what, const char *field,
                                const leat_value *at)
{
    flaw->what = what;
    flaw->field = field;
    flaw->at = at;
    return false;
}

/*
 * Whether the value is a list that begins with these elements. found gets them, and the one behind
 * them or NULL: count + 1 places. name is that of the list.
 */
bool lt_zeek_elements(const leat_value *list, const char *name,
                      const struct lt_zeek_element *elements, size_t count,
                      const leat_value **found, struct lt_zeek_flaw *flaw);

#endif
