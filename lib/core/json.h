/*
 * Reading JSON: strict RFC 8259, UTF-8 checked, depth bounded, no recursion.
 *
 * lt_json_read() takes one value of which all octets may be there, and says LEAT_MORE if they are
 * not. lt_json_scan() finds the end of a value that comes in pieces and keeps its place, so that no
 * octet is scanned twice however it is cut. A stream reader tries the first; when that says
 * LEAT_MORE it runs the second until the value is whole, then the first again: each octet is looked
 * at a few times at most.
 */
#ifndef LT_JSON_H
#define LT_JSON_H

#include "error.h"
#include "value.h"

/*
 * How a member began, "name":, in the lower octets of two little-endian words, and how long its
 * value was.
 */
struct lt_json_guess {
    uint64_t octets[2];
    uint64_t masks[2];
    uint8_t length;
    uint8_t width; /* 0: not known */
    uint8_t reach; /* octets that may be looked at to find out if the guess is right */
};

#define LT_JSON_GUESSES 24u

struct lt_json {
    struct lt_tree *tree; /* where values go */
    size_t depth;         /* deepest nesting, at most LT_DEPTH_MAX */
    bool last;            /* no more octets will come: LEAT_MORE becomes LEAT_E_SYNTAX */
    bool any_octets;      /* strings need not be UTF-8 */
    bool lenient;         /* what Broker writes: any octets, raw controls, \v, nan, inf, -inf */

    /*
     * The members of the last object that was read, as long as their names are short. The next
     * object of a stream of rows has the same members with values of the same length, and then
     * neither names nor the ends of values have to be looked for.
     */
    uint8_t guesses;
    struct lt_json_guess guess[LT_JSON_GUESSES];
};

/*
 * Reads one value that begins at the first octet (white space before it is skipped), as a cell of
 * that name.
 *
 * used   LEAT_OK: octets up to the end of the value. A number ends at an octet that cannot be in
 *        it, so one at the very end needs json->last.
 * error  < 0: what is wrong; offset counts from text.
 *
 * LEAT_OK, LEAT_MORE (the tree is as before), LEAT_E_SYNTAX, LEAT_E_LIMIT, LEAT_E_NOMEM.
 */
int lt_json_read(struct lt_json *json, const uint8_t *text, size_t length, const char *name,
                 uint16_t name_length, size_t *used, struct leat_error *error);

static inline bool lt_json_is_space(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Whether a number or a word ends in front of such an octet. */
static inline bool lt_json_ends_scalar(uint8_t c)
{
    return c == ',' || c == ']' || c == '}' || lt_json_is_space(c);
}

/* White space at the start. */
static inline size_t lt_json_space(const uint8_t *text, size_t length)
{
    size_t count = 0;

    while (count < length && lt_json_is_space(text[count]))
        count++;
    return count;
}

/* The end of a value, found piece by piece. Starts zeroed, at the first octet of the value. */
struct lt_json_scan {
    uint64_t scanned; /* octets looked at */
    uint32_t depth;
    bool string;
    bool escape;
    bool scalar; /* a number or a word at the top: ends before the octet that follows it */
};

/*
 * Goes on scanning. LEAT_OK: scan->scanned is the length of the value; LEAT_MORE: text was used up.
 * It matches brackets and strings only: that the value is sound is for lt_json_read() to say.
 */
int lt_json_scan(struct lt_json_scan *scan, const uint8_t *text, size_t length);

#endif
