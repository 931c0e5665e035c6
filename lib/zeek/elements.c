#include "elements.h"

bool lt_zeek_elements(const leat_value *list, const char *name,
                      const struct lt_zeek_element *elements, size_t count,
                      const leat_value **found, struct lt_zeek_flaw *flaw)
{
    const leat_value *at;
    size_t i;

    if (leat_value_kind(list) != LEAT_LIST)
        return lt_zeek_flaw(flaw, "not a list", name, list);
    for (i = 0, at = list + 1; i < count; i++, at += lt_cells(at)) {
        if (i >= list->length)
            return lt_zeek_flaw(flaw, "an element is missing", elements[i].name, list);
        if ((elements[i].kinds >> at->kind & 1) == 0)
            return lt_zeek_flaw(flaw, "an element of another type", elements[i].name, at);
        found[i] = at;
    }
    found[count] = count < list->length ? at : NULL;
    return true;
}
