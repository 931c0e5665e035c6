#include "json.h"

#include "plain.h"
#include "text.h"

#include <math.h>
#include <string.h>

/* One value being read. */
struct parse {
    struct lt_json *json;
    struct lt_tree *tree;
    const uint8_t *text;
    const uint8_t *at;
    const uint8_t *end;
    struct leat_error *error;
    size_t depth;
    size_t index[LT_DEPTH_MAX];      /* cells of the open containers */
    uint32_t children[LT_DEPTH_MAX]; /* and how many children they have */
    uint32_t guess;                  /* of the object at the top: the next member's number */
    bool guessing;                   /* so far all members were as guessed */
};

static int fail(struct parse *p, int code, const uint8_t *at, const char *what)
{
    return lt_error(p->error, code, (uint64_t)(at - p->text), what, NULL);
}

static int no_room(struct parse *p, int status)
{
    return fail(p, status, p->at, status == LEAT_E_LIMIT ? "too many values" : "out of memory");
}

/* The octets end inside the value. */
static int cut(struct parse *p)
{
    if (p->json->last)
        return fail(p, LEAT_E_SYNTAX, p->end, "the text ends inside a value");
    return LEAT_MORE;
}

static inline const uint8_t *skip_space(const uint8_t *at, const uint8_t *end)
{
    return at + lt_json_space(at, (size_t)(end - at));
}

static int hex4(const uint8_t *at)
{
    uint8_t octets[2];

    return lt_read_hex((const char *)at, 4, octets) ? octets[0] << 8 | octets[1] : -1;
}

static uint8_t *put_utf8(uint8_t *to, uint32_t c)
{
    if (c < 0x80) {
        *to++ = (uint8_t)c;
    } else if (c < 0x800) {
        *to++ = (uint8_t)(0xc0 | c >> 6);
        *to++ = (uint8_t)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *to++ = (uint8_t)(0xe0 | c >> 12);
        *to++ = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        *to++ = (uint8_t)(0x80 | (c & 0x3f));
    } else {
        *to++ = (uint8_t)(0xf0 | c >> 18);
        *to++ = (uint8_t)(0x80 | (c >> 12 & 0x3f));
        *to++ = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        *to++ = (uint8_t)(0x80 | (c & 0x3f));
    }
    return to;
}

/* \uXXXX, or two of them that are a surrogate pair; *from stands behind the u. NULL: not sound. */
static uint8_t *unescape_unicode(const uint8_t **from, const uint8_t *end, uint8_t *to)
{
    const uint8_t *at = *from;
    int high = end - at >= 4 ? hex4(at) : -1;
    int low;

    if (high < 0 || (high >= 0xdc00 && high <= 0xdfff))
        return NULL;
    *from = at + 4;
    if (high < 0xd800 || high > 0xdbff)
        return put_utf8(to, (uint32_t)high);
    if (end - at < 10 || at[4] != '\\' || at[5] != 'u')
        return NULL;
    low = hex4(at + 6);
    if (low < 0xdc00 || low > 0xdfff)
        return NULL;
    *from = at + 10;
    return put_utf8(to, 0x10000 + ((uint32_t)(high - 0xd800) << 10 | (uint32_t)(low - 0xdc00)));
}

static int unescaped(const struct parse *p, uint8_t c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/':
        return c;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'v':
        return p->json->lenient ? '\v' : -1;
    default:
        return -1;
    }
}

/* Resolves the escapes of from..end into the arena. */
static int unescape(struct parse *p, const uint8_t *from, const uint8_t *end, const uint8_t **text,
                    size_t *length)
{
    uint8_t *start = (uint8_t *)lt_arena_alloc(&p->tree->arena, (size_t)(end - from));
    uint8_t *to = start;

    if (start == NULL)
        return no_room(p, LEAT_E_NOMEM);
    while (from < end) {
        const uint8_t *escape = (const uint8_t *)memchr(from, '\\', (size_t)(end - from));
        size_t run = (size_t)((escape == NULL ? end : escape) - from);
        int c;

        memcpy(to, from, run);
        to += run;
        from += run;
        if (escape == NULL)
            break;
        if (escape[1] == 'u') { /* the closing quote follows, so there is an octet */
            from = escape + 2;
            to = unescape_unicode(&from, end, to);
            if (to == NULL)
                return fail(p, LEAT_E_SYNTAX, escape, "not a sound \\u escape");
            continue;
        }
        c = unescaped(p, escape[1]);
        if (c < 0)
            return fail(p, LEAT_E_SYNTAX, escape, "unknown escape");
        *to++ = (uint8_t)c;
        from = escape + 2;
    }
    *text = start;
    *length = (size_t)(to - start);
    return LEAT_OK;
}

/* A string; p->at stands behind the opening quote and is left behind the closing one. */
static inline int read_string(struct parse *p, const uint8_t **text, size_t *length)
{
    const uint8_t *start = p->at;
    const uint8_t *at = start;
    bool escapes = false, high = false;
    size_t sound;

    for (;;) {
        at = lt_plain(at, p->end);
        if (at == p->end)
            return cut(p);
        if (*at == '"')
            break;
        if (*at == '\\') {
            if (p->end - at < 2)
                return cut(p);
            escapes = true;
            at += 2;
        } else if (*at >= 0x80) {
            high = true;
            at++;
        } else if (p->json->lenient) {
            at++;
        } else {
            return fail(p, LEAT_E_SYNTAX, at, "raw control character in a string");
        }
    }
    p->at = at + 1;
    *text = start;
    *length = (size_t)(at - start);
    if (*length > UINT32_MAX)
        return fail(p, LEAT_E_LIMIT, start, "string too long");
    if (high && !p->json->any_octets && !p->json->lenient) {
        sound = lt_utf8_prefix(start, *length);
        if (sound < *length)
            return fail(p, LEAT_E_SYNTAX, start + sound, "a string is not UTF-8");
    }
    return escapes ? unescape(p, start, at, text, length) : LEAT_OK;
}

static inline bool is_digit(uint8_t c)
{
    return (uint8_t)(c - '0') < 10;
}

/*
 * The number of eight digits, less those that are shifted out: they count as zeros before it. *bad
 * gets bits if an octet that stays is no digit.
 */
static inline uint64_t eight_digits(uint64_t word, unsigned shift, uint64_t *bad)
{
    word = (word - LT_ONES * '0') << shift;
    *bad |= (word + LT_ONES * 0x76) | word;
    word = word * 10 + (word >> 8);
    word = (word & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x000f424000000064) +
           (word >> 16 & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x0000271000000001);
    return word >> 32;
}

#define DIGITS_MAX 16u /* that are read at once */

/*
 * The number of width digits, of 1 to 16; false if one of them is no digit. 16 octets can be read.
 */
static inline bool read_digits(const uint8_t *at, size_t width, uint64_t *value)
{
    static const uint64_t powers[] = {1,      10,      100,      1000,     10000,
                                      100000, 1000000, 10000000, 100000000};
    uint64_t word = lt_load_u64le(at);
    uint64_t bad = 0;

    if (width <= 8) {
        *value = eight_digits(word, 64 - 8 * (unsigned)width, &bad);
    } else {
        word = eight_digits(word, 0, &bad) * powers[width - 8];
        *value = word + eight_digits(lt_load_u64le(at + 8), 128 - 8 * (unsigned)width, &bad);
    }
    return (bad & LT_TOPS) == 0;
}

/* How many of the next 16 octets are digits, up to the first that is not. */
static inline size_t count_digits(const uint8_t *at)
{
    size_t count = 0;

    while (count < DIGITS_MAX && is_digit(at[count]))
        count++;
    return count;
}

/*
 * The rest of a number that is not a plain integer: its form is checked, then it is read as a real.
 */
static int read_real(struct parse *p, const uint8_t *start, const uint8_t *at, const char *name,
                     uint16_t name_length)
{
    double real;

    if (at < p->end && *at == '.') {
        at++;
        if (at < p->end && !is_digit(*at))
            return fail(p, LEAT_E_SYNTAX, at, "a digit is missing in a number");
        while (at < p->end && is_digit(*at))
            at++;
    }
    if (at < p->end && (*at == 'e' || *at == 'E') && is_digit(at[-1])) {
        at++;
        if (at < p->end && (*at == '+' || *at == '-'))
            at++;
        if (at < p->end && !is_digit(*at))
            return fail(p, LEAT_E_SYNTAX, at, "a digit is missing in a number");
        while (at < p->end && is_digit(*at))
            at++;
    }
    if (at == p->end && (!p->json->last || !is_digit(at[-1])))
        return cut(p);
    if (!lt_read_real((const char *)start, (size_t)(at - start), &real))
        return fail(p, LEAT_E_LIMIT, start, "a number beyond the range of a real");
    p->at = at;
    lt_tree_push(p->tree, LEAT_REAL, name, name_length)->u.f64 = real;
    p->tree->cells[p->tree->count - 1].length = 0;
    return LEAT_OK;
}

static inline int read_number(struct parse *p, const char *name, uint16_t name_length)
{
    const uint8_t *start = p->at;
    const uint8_t *at = start;
    const uint8_t *first;
    uint64_t value = 0;
    bool negative = *at == '-';
    leat_value *cell;

    if (negative)
        at++;
    first = at;
    if (p->end - at >= 8) {
        uint64_t bad = 0;
        uint64_t eight = eight_digits(lt_load_u64le(at), 0, &bad);

        if ((bad & LT_TOPS) == 0) {
            value = eight;
            at += 8;
        }
    }
    while (at < p->end && is_digit(*at)) {
        value = value * 10 + (uint64_t)(*at - '0');
        at++;
    }
    if (at == p->end && !p->json->last)
        return cut(p);
    if (at == first)
        return at == p->end ? cut(p) : fail(p, LEAT_E_SYNTAX, at, "a digit is missing in a number");
    if (*first == '0' && at - first > 1)
        return fail(p, LEAT_E_SYNTAX, first, "a number begins with 0");
    if (at < p->end && (*at == '.' || *at == 'e' || *at == 'E'))
        return read_real(p, start, at, name, name_length);
    /* 19 digits fit always, 20 digits sometimes. Minus zero is not an integer. */
    if (at - first > 19 && !lt_read_u64((const char *)first, (size_t)(at - first), &value))
        return read_real(p, start, at, name, name_length);
    if (negative && (value == 0 || value > UINT64_C(1) << 63))
        return read_real(p, start, at, name, name_length);
    p->at = at;
    cell = lt_tree_push(p->tree, negative ? LEAT_INT : LEAT_UINT, name, name_length);
    cell->u.u64 = negative ? 0 - value : value;
    cell->length = 0;
    return LEAT_OK;
}

static const struct word {
    const char *text;
    uint8_t length;
    uint8_t kind;
    bool strict; /* JSON has it */
    uint8_t number;
} words[] = {
    {"null", 4, LEAT_NULL, true, 0},  {"true", 4, LEAT_BOOL, true, 1},
    {"false", 5, LEAT_BOOL, true, 0}, {"nan", 3, LEAT_REAL, false, 0},
    {"inf", 3, LEAT_REAL, false, 1},  {"-inf", 4, LEAT_REAL, false, 2},
};

static int read_word(struct parse *p, const char *name, uint16_t name_length)
{
    static const double reals[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
    size_t left = (size_t)(p->end - p->at);
    size_t i;

    for (i = 0; i < sizeof words / sizeof *words; i++) {
        size_t compared = left < words[i].length ? left : words[i].length;
        leat_value *cell;

        if ((!words[i].strict && !p->json->lenient) || memcmp(p->at, words[i].text, compared) != 0)
            continue;
        if (compared < words[i].length)
            return cut(p);
        p->at += words[i].length;
        cell = lt_tree_push(p->tree, words[i].kind, name, name_length);
        cell->length = 0;
        cell->u.u64 = words[i].number;
        if (words[i].kind == LEAT_REAL)
            cell->u.f64 = reals[words[i].number];
        return LEAT_OK;
    }
    return fail(p, LEAT_E_SYNTAX, p->at, "not a JSON value");
}

#define NO_GUESS UINT32_MAX

/* 16 octets can be read. */
static inline bool is_guessed(const struct lt_json_guess *guess, const uint8_t *at)
{
    return (((lt_load_u64le(at) ^ guess->octets[0]) & guess->masks[0]) |
            ((lt_load_u64le(at + 8) ^ guess->octets[1]) & guess->masks[1])) == 0;
}

#define WIDTH_MAX 64u /* of values that are guessed */

/* The value's words of eight octets, or 16 digits, and what stands behind it. */
static void set_width(struct lt_json_guess *guess, size_t width)
{
    guess->width = width <= WIDTH_MAX ? (uint8_t)width : 0;
    guess->reach = (uint8_t)(guess->length + (guess->width > 9 ? guess->width + 8u : 17u));
}

/*
 * Remembers how a member of the object at the top began; quote..at is "name": without white space.
 */
static void learn(struct parse *p, const uint8_t *quote, const uint8_t *at)
{
    struct lt_json *json = p->json;
    struct lt_json_guess *guess = &json->guess[p->guess];
    size_t length = (size_t)(at - quote);
    uint8_t octets[16] = {0};
    unsigned i;

    p->guessing = false;
    json->guesses = (uint8_t)p->guess;
    if (p->guess >= LT_JSON_GUESSES || length > sizeof octets) {
        p->guess = NO_GUESS; /* no further ones: they are the first members, without a gap */
        return;
    }
    memcpy(octets, quote, length);
    for (i = 0; i < 2; i++) {
        size_t tail = length > 8 * i ? length - 8 * i : 0;

        guess->octets[i] = lt_load_u64le(octets + 8 * i);
        guess->masks[i] = tail == 0 ? 0 : tail >= 8 ? UINT64_MAX : UINT64_MAX >> (64 - 8 * tail);
    }
    guess->length = (uint8_t)length;
    set_width(guess, 0);
    json->guesses = (uint8_t)++p->guess;
}

/* A member's name and colon; p->at is left at the value. */
static inline int read_name(struct parse *p, const char **name, uint16_t *name_length)
{
    struct lt_json *json = p->json;
    const uint8_t *quote = p->at;
    const uint8_t *text, *behind;
    size_t length;
    bool top = p->depth == 1 && p->guess != NO_GUESS;
    int status;

    if (top && p->guessing && p->guess < json->guesses && p->end - quote >= 16 &&
        is_guessed(&json->guess[p->guess], quote)) {
        length = json->guess[p->guess++].length;
        *name = (const char *)quote + 1;
        *name_length = (uint16_t)(length - 3);
        p->at = quote + length;
        return LEAT_OK;
    }
    if (quote == p->end)
        return cut(p);
    if (*quote != '"')
        return fail(p, LEAT_E_SYNTAX, quote, "a member name is missing");
    p->at = quote + 1;
    status = read_string(p, &text, &length);
    if (status != LEAT_OK)
        return status;
    if (length > UINT16_MAX)
        return fail(p, LEAT_E_LIMIT, quote, "member name longer than 65535 octets");
    behind = p->at;
    p->at = skip_space(p->at, p->end);
    if (p->at == p->end)
        return cut(p);
    if (*p->at != ':')
        return fail(p, LEAT_E_SYNTAX, p->at, "a colon is missing");
    p->at++;
    *name = (const char *)text;
    *name_length = (uint16_t)length;
    if (top && text == quote + 1 && p->at == behind + 1)
        learn(p, quote, p->at);
    else if (top)
        p->guess = NO_GUESS;
    return LEAT_OK;
}

static int open_container(struct parse *p, uint8_t kind, const char *name, uint16_t name_length)
{
    if (p->depth >= p->json->depth)
        return fail(p, LEAT_E_LIMIT, p->at, "nested too deeply");
    p->index[p->depth] = lt_tree_open(p->tree, kind, name, name_length);
    p->children[p->depth] = 0;
    p->depth++;
    p->at++;
    return LEAT_OK;
}

/* The value at p->at, or the opening of a container. */
static inline int read_value(struct parse *p, const char *name, uint16_t name_length)
{
    const uint8_t *text;
    size_t length;
    int status = lt_tree_reserve(p->tree, 1);

    if (status != LEAT_OK)
        return no_room(p, status);
    switch (*p->at) {
    case '"':
        p->at++;
        status = read_string(p, &text, &length);
        if (status == LEAT_OK)
            lt_tree_bytes(p->tree, LEAT_TEXT, name, name_length, text, length);
        return status;
    case '{':
        return open_container(p, LEAT_RECORD, name, name_length);
    case '[':
        return open_container(p, LEAT_LIST, name, name_length);
    case '-':
        if (p->json->lenient && p->end - p->at >= 2 && p->at[1] == 'i')
            return read_word(p, name, name_length);
        return read_number(p, name, name_length);
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        return read_number(p, name, name_length);
    default:
        return read_word(p, name, name_length);
    }
}

/*
 * What may stand behind a value, until another value must come: closing brackets, one comma, the
 * name of a member. *done: the value at the top is complete.
 */
static inline int read_between(struct parse *p, bool opened, const char **name,
                               uint16_t *name_length, bool *done)
{
    for (;;) {
        size_t top = p->depth - 1;
        bool record;

        if (p->depth == 0) {
            *done = true;
            return LEAT_OK;
        }
        record = p->tree->cells[p->index[top]].kind == LEAT_RECORD;
        if (p->at < p->end && lt_json_is_space(*p->at))
            p->at = skip_space(p->at, p->end);
        if (p->at == p->end)
            return cut(p);
        if (*p->at == (record ? '}' : ']')) {
            p->at++;
            lt_tree_close(p->tree, p->index[top], p->children[top]);
            p->depth--;
            opened = false;
            continue;
        }
        if (!opened) {
            if (*p->at != ',')
                return fail(p, LEAT_E_SYNTAX, p->at, "a comma or a closing bracket is missing");
            p->at++;
            if (p->at < p->end && lt_json_is_space(*p->at))
                p->at = skip_space(p->at, p->end);
        }
        p->children[top]++;
        *name = NULL;
        *name_length = 0;
        return record ? read_name(p, name, name_length) : LEAT_OK;
    }
}

/* True if those octets are plain content of a string; 8 more can be read. */
static inline bool is_plain(const uint8_t *at, size_t length)
{
    for (; length >= 8; length -= 8, at += 8) {
        if (lt_not_plain(lt_load_u64le(at)) != 0)
            return false;
    }
    return length == 0 || lt_not_plain(lt_load_u64le(at)) << (64 - 8 * length) == 0;
}

static inline bool ends_member(uint8_t c)
{
    return c == ',' || c == '}';
}

/*
 * The width of a string of ASCII without escapes, or of up to 16 digits, if the member ends right
 * behind it; 0 if it is anything else. The guess is what makes it fast: all that follows would have
 * to wait until the end is found.
 */
static inline size_t read_plain(const uint8_t *at, const uint8_t *end, size_t width,
                                leat_value *cell)
{
    if (*at == '"') {
        if (width < 2 || at[width - 1] != '"' || !is_plain(at + 1, width - 2)) {
            const uint8_t *quote = lt_plain(at + 1, end);

            if (end - quote < 2 || *quote != '"' || (size_t)(quote - at) > UINT32_MAX)
                return 0;
            width = (size_t)(quote - at) + 1;
        }
        cell->kind = LEAT_TEXT;
        cell->length = (uint32_t)(width - 2);
        cell->u.bytes = at + 1;
        return ends_member(at[width]) ? width : 0;
    }
    if (width - 1 >= DIGITS_MAX || !ends_member(at[width])) {
        width = count_digits(at);
        if (width == 0 || !ends_member(at[width]))
            return 0;
    }
    cell->kind = LEAT_UINT;
    cell->length = 0;
    return !read_digits(at, width, &cell->u.u64) || (*at == '0' && width > 1) ? 0 : width;
}

/*
 * The fast way, for rows: an object whose members begin as guessed and are plain. record is its
 * cell; behind it the cells of its members are made, as many as *count says. Returns what stands
 * behind the last of them (or behind the opening bracket): the closing bracket, if that was all of
 * the object. Whatever else follows is left to the general way, which also says what is wrong with
 * it.
 */
static inline const uint8_t *read_row(struct lt_json *json, const uint8_t *at, const uint8_t *end,
                                      leat_value *record, uint32_t *count)
{
    struct lt_json_guess *guess = json->guess;
    const struct lt_json_guess *no_more = guess + json->guesses;
    const uint8_t *behind = at;
    leat_value *cell = record + 1;

    while (guess < no_more && end - at >= guess->reach && is_guessed(guess, at)) {
        size_t length = guess->length;
        size_t width = read_plain(at + length, end, guess->width, cell);

        if (width == 0) {
            set_width(guess, 0);
            break;
        }
        cell->name = (const char *)at + 1;
        cell->name_length = (uint16_t)(length - 3);
        cell->reserved = 0;
        if (width != guess->width)
            set_width(guess, width);
        cell++;
        guess++;
        behind = at + length + width;
        if (*behind == '}')
            break;
        at = behind + 1;
    }
    *count = (uint32_t)(guess - json->guess);
    return behind;
}

/* Reads on: a value is next, or (depth 1) whatever follows the members that read_row() has read. */
static int read_all(struct parse *p, const char *name, uint16_t name_length)
{
    bool opened = p->depth > 0 && p->children[0] == 0;
    bool value = p->depth == 0;
    bool done = false;
    int status;

    for (;;) {
        size_t depth = p->depth;

        if (value) {
            if (p->at < p->end && lt_json_is_space(*p->at))
                p->at = skip_space(p->at, p->end);
            if (p->at == p->end)
                return cut(p);
            status = read_value(p, name, name_length);
            if (status != LEAT_OK)
                return status;
            opened = p->depth > depth;
        }
        value = true;
        status = read_between(p, opened, &name, &name_length, &done);
        if (status != LEAT_OK || done)
            return status;
    }
}

int lt_json_read(struct lt_json *json, const uint8_t *text, size_t length, const char *name,
                 uint16_t name_length, size_t *used, struct leat_error *error)
{
    struct lt_tree *tree = json->tree;
    size_t start = tree->count;
    struct parse p;
    int status;

    p.at = text;
    p.depth = 0;
    p.guess = 0;
    if (json->guesses > 0 && length > 1 && *text == '{' && json->depth > 0 &&
        lt_tree_reserve(tree, json->guesses + (size_t)1) == LEAT_OK) {
        leat_value *record = lt_tree_push(tree, LEAT_RECORD, name, name_length);

        p.at = read_row(json, text + 1, text + length, record, &p.guess);
        tree->count += p.guess;
        if (p.at < text + length && *p.at == '}') {
            lt_tree_close(tree, start, p.guess);
            *used = (size_t)(p.at - text) + 1;
            return LEAT_OK;
        }
        p.depth = 1;
        p.index[0] = start;
        p.children[0] = p.guess;
    }
    p.json = json;
    p.tree = tree;
    p.text = text;
    p.end = text + length;
    p.error = error;
    p.guessing = true;
    status = read_all(&p, name, name_length);
    if (status != LEAT_OK) {
        tree->count = start;
        return status;
    }
    *used = (size_t)(p.at - text);
    return LEAT_OK;
}

int lt_json_scan(struct lt_json_scan *scan, const uint8_t *text, size_t length)
{
    const uint8_t *end = text + length;
    const uint8_t *at = text;

    while (at < end) {
        uint8_t c = *at;

        if (scan->escape) {
            scan->escape = false;
        } else if (scan->string) {
            at = lt_plain(at, end);
            if (at == end)
                break;
            c = *at;
            scan->string = c != '"';
            scan->escape = c == '\\';
            if (c == '"' && scan->depth == 0) {
                scan->scanned += (uint64_t)(at + 1 - text);
                return LEAT_OK;
            }
        } else if (scan->scalar) {
            if (lt_json_ends_scalar(c)) {
                scan->scanned += (uint64_t)(at - text);
                return LEAT_OK;
            }
        } else if (c == '"') {
            scan->string = true;
        } else if (c == '{' || c == '[') {
            scan->depth++;
        } else if ((c == '}' || c == ']') && scan->depth > 0) {
            scan->depth--;
            if (scan->depth == 0) {
                scan->scanned += (uint64_t)(at + 1 - text);
                return LEAT_OK;
            }
        } else if (scan->depth == 0 && !lt_json_is_space(c)) {
            scan->scalar = true;
        }
        at++;
    }
    scan->scanned += (uint64_t)length;
    return LEAT_MORE;
}
