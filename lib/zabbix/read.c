/*
 * Reading: frames, the text in them (inflated in pieces), and in the text the members and rows.
 *
 * Each step takes from the text what it understands, or asks for more and takes nothing, so that cuts in
 * the stream cannot show. A value is first tried where it stands; if its end is not there yet, the end is looked
 * for as octets come, and then the value is read once: no octet is looked at more than three times. What is
 * wrong with a value is only said once its end is known: before, it would depend on the cuts.
 */
#include "codec.h"

#include "../core/text.h"

/* A step that made no event: the next one may. */
#define GO_ON 100

/* While a message arrives, octets are worth a look in portions of this size. */
#define PORTION ((size_t)4 << 10)

enum state {
    FRAME,         /* at a header */
    BEGIN,         /* at the first octet of the text */
    PLAIN,         /* at the start of a text that is no object */
    FIRST_MEMBER,  /* behind { */
    MEMBER,        /* behind a comma */
    COLON,         /* behind a member's name */
    VALUE,         /* at its value */
    BEHIND_MEMBER, /* a comma or a closing bracket follows */
    FIRST_ROW,     /* the same three for the values of an array */
    ROW,
    BEHIND_ROW,
    TAIL,   /* behind the object */
    DROP,   /* behind a zero octet that ends the text */
    END,    /* behind the text */
    BROKEN, /* at what cannot be read */
    SKIP    /* in the rest of a message that was given up */
};

static bool compressed(const struct lt_zabbix_reading *r)
{
    return (r->header.flags & LEAT_ZABBIX_COMPRESSED) != 0;
}

/* ---- the text ---- */

static const uint8_t nothing[1]; /* where an empty view points to */

static inline struct lt_zabbix_view look(const struct lt_zabbix *z)
{
    const struct lt_zabbix_reading *r = z->reading;
    struct lt_zabbix_view view;

    if (compressed(r)) {
        view.at = r->text + r->text_start;
        view.length = r->text_end - r->text_start;
        view.whole = r->text_left == 0;
        return view;
    }
    view.length = lt_unread_bytes(&z->core);
    view.at = view.length > 0 ? z->core.window + z->core.start : nothing;
    view.whole = view.length >= r->body_left;
    if (view.whole)
        view.length = (size_t)r->body_left;
    return view;
}

/* Moves on behind count octets of the view; nothing that is lent may point into them. */
static void take(struct lt_zabbix *z, size_t count)
{
    struct lt_zabbix_reading *r = z->reading;

    r->position += count;
    if (compressed(r)) {
        r->text_start += count;
    } else if (count > 0) {
        r->body_left -= count;
        lt_skip(&z->core, count);
    }
}

/* The same when the next call is made: until then they are lent with the event. */
static inline void lend(struct lt_zabbix *z, size_t count)
{
    struct lt_zabbix_reading *r = z->reading;

    r->position += count;
    if (compressed(r)) {
        r->lent = count;
    } else {
        r->body_left -= count;
        lt_hold(&z->core, count);
    }
}

static int no_memory(struct lt_zabbix *z)
{
    return lt_fail(&z->core, LEAT_E_NOMEM, 0, "out of memory", NULL);
}

/* Waits for the next portion of the body. */
static int await(struct lt_zabbix *z)
{
    size_t wanted = lt_unread_bytes(&z->core) + PORTION;

    return lt_need(&z->core,
                   wanted < z->reading->body_left ? wanted : (size_t)z->reading->body_left);
}

/* Room behind the inflated text; what was not taken moves to the front. */
static bool make_room(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;
    size_t kept = r->text_end - r->text_start;
    void *text = r->text;

    if (r->text_start > 0 && kept > 0)
        memmove(r->text, r->text + r->text_start, kept);
    r->text_start = 0;
    r->text_end = kept;
    if (r->text_size >= LT_ZABBIX_PIECE && kept <= r->text_size / 2)
        return true;
    if (!lt_grow(&z->core.allocator, &text, &r->text_size,
                 kept < LT_ZABBIX_PIECE / 2 ? LT_ZABBIX_PIECE : kept * 2, 1))
        return false;
    r->text = (uint8_t *)text;
    return true;
}

/* Inflates into room octets. LEAT_OK; a stream that is broken or ends too early sets r->failed. */
static int inflate_some(struct lt_zabbix *z, uint8_t *to, size_t room, size_t *made)
{
    struct lt_zabbix_reading *r = z->reading;
    size_t there = lt_unread_bytes(&z->core);
    const uint8_t *in = there > 0 ? z->core.window + z->core.start : nothing;
    size_t used;
    int status;

    if (there > r->body_left)
        there = (size_t)r->body_left;
    status = lt_inflate_run(&r->inflate, in, there, &used, to, room, made);
    r->body_left -= used;
    if (used > 0)
        lt_skip(&z->core, used);
    if (status == LEAT_E_NOMEM)
        return no_memory(z);
    if (status != LEAT_OK)
        r->failed = "the compressed data are corrupt";
    else if (!r->inflate.done && r->body_left == 0 && *made == 0)
        r->failed = "the compressed data end too early";
    return LEAT_OK;
}

/* More text behind the view: GO_ON (there is some, or r->failed), LEAT_MORE, or a failure. */
static int supply(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;
    size_t room, made;
    int status;

    if (!compressed(r))
        return await(z);
    if (!make_room(z))
        return no_memory(z);
    room = r->text_size - r->text_end;
    if (room > r->text_left)
        room = (size_t)r->text_left;
    status = inflate_some(z, r->text + r->text_end, room, &made);
    if (status != LEAT_OK)
        return status;
    r->text_end += made;
    r->text_left -= made;
    if (r->inflate.done && r->text_left > 0 && made == 0)
        r->failed = "the compressed data are shorter than announced";
    return made > 0 || r->failed != NULL ? GO_ON : await(z);
}

/* ---- giving up ---- */

static int put_placeholder(struct lt_zabbix *z);

/* Gives up the message: what is wrong stands at the view, and at octets behind its start. */
static int give_up(struct lt_zabbix *z, int code, uint64_t at, const char *what)
{
    struct lt_zabbix_reading *r = z->reading;
    uint64_t offset = compressed(r) ? r->offset : z->core.consumed + at;

    if (code == LEAT_E_NOMEM)
        return no_memory(z);
    r->event_at = r->position + at;
    r->members.length = r->sound;
    r->members.status = LEAT_OK;
    if (r->depth > 0 && r->places[r->depth - 1] == LT_ZABBIX_ROWS)
        (void)put_placeholder(z); /* the rows that came before */
    (void)lt_error(&r->error, code, offset, what, NULL);
    r->state = BROKEN;
    return GO_ON;
}

/* supply(), where the message cannot do without. */
static int more(struct lt_zabbix *z)
{
    const char *failed = z->reading->failed;

    return failed == NULL ? supply(z) : give_up(z, LEAT_E_INFLATE, 0, failed);
}

/* ---- values ---- */

static bool ends_scalar(uint8_t c)
{
    return c == ',' || c == ']' || c == '}' || c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static int too_long(struct lt_zabbix_reading *r)
{
    return lt_error(&r->error, LEAT_E_LIMIT, 0, "a row or member is over the limit", NULL);
}

/* The slow way: the end of the value is not there yet, or something is wrong with it. */
static int read_cut_value(struct lt_zabbix *z, const uint8_t *text, size_t length, bool whole,
                          size_t *used)
{
    struct lt_zabbix_reading *r = z->reading;
    uint64_t limit = z->core.limits.row_bytes;
    size_t extent = length;
    int status;

    if (!r->scanning) {
        memset(&r->scan, 0, sizeof r->scan);
        r->scanning = true;
    }
    status = lt_json_scan(&r->scan, text + r->scan.scanned, length - (size_t)r->scan.scanned);
    if (r->scan.scanned > limit)
        return too_long(r);
    if (status == LEAT_MORE && !whole)
        return LEAT_MORE;
    if (status == LEAT_OK)
        extent = (size_t)r->scan.scanned;
    r->scanning = false;
    lt_tree_clear(&z->core.tree);
    r->json.last = true;
    status = lt_json_read(&r->json, text, extent, LT_NO_NAME, used, &r->error);
    r->json.last = false;
    return status;
}

/*
 * One value at the start of the text, into the tree. LEAT_OK, LEAT_MORE, or < 0: r->error tells, and its
 * offset counts from the text.
 */
static inline int read_value(struct lt_zabbix *z, const uint8_t *text, size_t length, bool whole,
                             size_t *used)
{
    struct lt_zabbix_reading *r = z->reading;
    int status;

    if (r->scanning)
        return read_cut_value(z, text, length, whole, used);
    if (z->core.tree.count > 0)
        lt_tree_clear(&z->core.tree);
    status = lt_json_read(&r->json, text, length, LT_NO_NAME, used, &r->error);
    if (status == LEAT_OK) {
        uint8_t final = text[*used - 1];

        /* A number or a word may go on, or be followed by what does not belong there. */
        if (final == '}' || final == ']' || final == '"' ||
            (*used < length && ends_scalar(text[*used])))
            return *used > z->core.limits.row_bytes ? too_long(r) : LEAT_OK;
    } else if (status == LEAT_E_NOMEM) {
        return status;
    }
    return read_cut_value(z, text, length, whole, used);
}

/* Sets how many places are open; what is read as one value may be nested as deeply as is left. */
static void set_depth(struct lt_zabbix *z, uint32_t depth)
{
    z->reading->depth = depth;
    z->reading->json.depth = (size_t)z->core.limits.depth - depth;
}

/* ---- the members, as text ---- */

/* Ends a change of the text: it is sound again, or the message is given up. */
static int kept(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;

    if (r->members.status == LEAT_OK && r->members.length > r->members.limit)
        r->members.status = LEAT_E_LIMIT; /* it looks at its limit only when it grows */
    if (r->members.status != LEAT_OK)
        return give_up(z, r->members.status, 0, "the members are over the limit");
    r->sound = r->members.length;
    return GO_ON;
}

static void put_comma(struct lt_zabbix_reading *r)
{
    if (!r->first)
        lt_put_u8(&r->members, ',');
    r->first = false;
}

/* The name of the present member. */
static const uint8_t *member_name(const struct lt_zabbix_reading *r, size_t *length)
{
    size_t at = r->places[r->depth - 1] == LT_ZABBIX_TABLE ? r->table_name : 0;

    *length = r->names.length - at;
    return *length > 0 ? r->names.data + at : nothing;
}

static bool is_named(const struct lt_zabbix_reading *r, const char *name)
{
    size_t length;
    const uint8_t *text = member_name(r, &length);

    return strlen(name) == length && memcmp(text, name, length) == 0;
}

static void put_name(struct lt_zabbix_reading *r)
{
    size_t length;
    const uint8_t *name = member_name(r, &length);

    put_comma(r);
    lt_json_write_string(&r->members, name, length);
    lt_put_u8(&r->members, ':');
}

/* Closes the array of rows: says how many there were. */
static int put_placeholder(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;

    set_depth(z, r->depth - 1);
    if (r->places[r->depth - 1] == LT_ZABBIX_TABLE) {
        put_comma(r);
        lt_put_text(&r->members, "\"rows\":");
        lt_write_u64(&r->members, r->rows);
    } else {
        put_name(r);
        lt_put_text(&r->members, "{\"rows\":");
        lt_write_u64(&r->members, r->rows);
        lt_put_u8(&r->members, '}');
    }
    return kept(z);
}

const leat_value *lt_zabbix_members_read(struct lt_zabbix *z, struct lt_tree *tree,
                                         struct leat_error *error)
{
    struct lt_zabbix_reading *r = z->reading;
    size_t limit = r->members.limit;
    struct lt_json json;
    size_t used;
    uint32_t i;
    int status;

    if (r->depth == 0 && r->members.length == 0)
        return NULL; /* not even the object was opened */
    /* What is open is closed behind the text for the moment; the limit of the members does not count it. */
    r->members.limit = SIZE_MAX;
    for (i = 0; i < r->depth; i++) {
        if (r->places[i] != LT_ZABBIX_ROWS)
            lt_put_u8(&r->members, '}');
    }
    if (r->members.status != LEAT_OK) {
        status = lt_error(error, LEAT_E_NOMEM, 0, "out of memory", NULL);
    } else {
        lt_tree_clear(tree);
        memset(&json, 0, sizeof json);
        json.tree = tree;
        json.depth = LT_DEPTH_MAX;
        json.any_octets = true;
        json.last = true;
        status = lt_json_read(&json, r->members.data, r->members.length, LT_NO_NAME, &used, error);
    }
    r->members.length = r->sound;
    r->members.status = LEAT_OK;
    r->members.limit = limit;
    return status == LEAT_OK ? tree->cells : NULL;
}

/* ---- steps ---- */

static uint32_t message_kind(const struct lt_zabbix *z)
{
    const struct lt_zabbix_reading *r = z->reading;

    /* That nothing was seen says something at the end of a message only. */
    if (r->seen == 0 && r->request == 0 && r->state != END)
        return LEAT_ZABBIX_MESSAGE;
    return lt_zabbix_kind_of(z->from, r->request, r->seen);
}

uint32_t lt_zabbix_arriving(const struct lt_zabbix *z)
{
    const struct lt_zabbix_reading *r = z->reading;

    return r == NULL || r->state < FIRST_MEMBER || r->state == SKIP ? 0 : message_kind(z);
}

static leat_event *message_event(struct lt_zabbix *z, uint32_t kind, const uint8_t *raw,
                                 size_t raw_length)
{
    return lt_event(&z->core, kind, lt_zabbix_kind_name(kind), raw, raw_length, z->reading->offset);
}

/* The text is all there and was understood: the rest of its frame goes, once it proves sound. */
static int settle(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;
    size_t made = 0, there;
    uint8_t excess;
    int status;

    if (!compressed(r))
        return GO_ON;
    if (!r->inflate.done && r->failed == NULL) {
        status = inflate_some(z, &excess, 1, &made);
        if (status != LEAT_OK)
            return status;
        if (made > 0)
            r->failed = "the compressed data are longer than announced";
    }
    if (r->failed != NULL)
        return give_up(z, LEAT_E_INFLATE, 0, r->failed);
    if (!r->inflate.done)
        return await(z);
    /* Peers tolerate octets behind the compressed stream. */
    there = lt_unread_bytes(&z->core);
    if (there > r->body_left)
        there = (size_t)r->body_left;
    r->body_left -= there;
    if (there > 0)
        lt_skip(&z->core, there);
    return r->body_left == 0 ? GO_ON : await(z);
}

static void next_frame(struct lt_zabbix *z)
{
    z->reading->state = FRAME;
    z->core.inside = false;
}

static int begin_message(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;

    r->any = true;
    r->offset = z->core.consumed;
    r->position = r->event_at = 0;
    r->text_start = r->text_end = 0;
    r->failed = NULL;
    r->scanning = false;
    set_depth(z, 0);
    r->seen = r->request = 0;
    r->members.length = r->sound = r->names.length = 0;
    r->members.status = r->names.status = r->columns.status = LEAT_OK;
    r->so_far.count = 0;
    r->body_left = r->header.data_len;
    r->text_left = compressed(r) ? r->header.reserved : 0;
    r->state = BEGIN;
    z->core.inside = true;
    if (compressed(r) &&
        (lt_inflate_start(&r->inflate, &z->core.allocator) != LEAT_OK || !make_room(z)))
        return no_memory(z);
    return GO_ON;
}

/* What servers and proxies answer to a body that is no object: no frame, just OK. */
static int unframed(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;
    struct lt_tree *tree = &z->core.tree;
    const uint8_t *at = z->core.window + z->core.start;
    size_t record;

    if (lt_tree_reserve(tree, 2) != LEAT_OK)
        return no_memory(z);
    record = lt_tree_open(tree, LEAT_RECORD, LT_NO_NAME);
    lt_tree_bytes(tree, LEAT_TEXT, LT_NAME("body"), at, 2);
    lt_tree_close(tree, record, 1);
    memset(&r->header, 0, sizeof r->header);
    r->any = true;
    r->offset = z->core.consumed;
    r->event_at = 0;
    message_event(z, LEAT_ZABBIX_UNFRAMED, at, 2)->value = tree->cells;
    lt_hold(&z->core, 2);
    return LEAT_OK;
}

static int on_frame(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;
    const uint8_t *at = z->core.window + z->core.start;
    size_t unread = lt_unread_bytes(&z->core);
    struct lt_zabbix_header header;
    size_t length;
    int status;

    if (unread < 2)
        return lt_need(&z->core, 2);
    if (at[0] == 'O' && at[1] == 'K' && z->from != LEAT_FROM_AGENT && z->from != LEAT_FROM_SENDER)
        return unframed(z);
    switch (lt_zabbix_header_read(at, unread, &header, &length)) {
    case LT_ZABBIX_FRAME_MORE:
        return lt_need(&z->core, length);
    case LT_ZABBIX_NO_MAGIC:
        return lt_fail(&z->core, LEAT_E_FRAME, 0, "not a frame: ZBXD is missing", "magic");
    case LT_ZABBIX_BAD_FLAGS:
        return lt_fail(&z->core, LEAT_E_FRAME, 4, "flags that no frame has", "flags");
    case LT_ZABBIX_FRAME:
    default:
        break;
    }
    if (header.data_len > z->core.limits.message_bytes)
        return lt_fail(&z->core, LEAT_E_LIMIT, 5, "a message over the limit", "data_len");
    if ((header.flags & LEAT_ZABBIX_COMPRESSED) != 0 &&
        header.reserved > z->core.limits.inflated_bytes)
        return lt_fail(&z->core, LEAT_E_LIMIT, (5 + length) / 2,
                       "an inflated message over the limit", "reserved");
    r->header = header;
    status = begin_message(z);
    lt_skip(&z->core, length);
    return status;
}

static int push(struct lt_zabbix *z, enum lt_zabbix_place place)
{
    struct lt_zabbix_reading *r = z->reading;

    if (r->depth >= z->core.limits.depth)
        return give_up(z, LEAT_E_LIMIT, 0, "nested too deeply");
    take(z, 1);
    r->places[r->depth] = (uint8_t)place;
    set_depth(z, r->depth + 1);
    if (place == LT_ZABBIX_ROWS) {
        r->rows = 0;
        r->state = FIRST_ROW;
        return GO_ON;
    }
    r->state = FIRST_MEMBER;
    lt_put_u8(&r->members, '{');
    r->first = true;
    return kept(z);
}

static int on_begin(struct lt_zabbix *z)
{
    struct lt_zabbix_view view = look(z);

    if (view.length == 0 && !view.whole)
        return more(z);
    if (view.length > 0 && view.at[0] == '{')
        return push(z, LT_ZABBIX_TOP);
    z->reading->state = PLAIN;
    return GO_ON;
}

static void push_body(struct lt_tree *tree, const char *name, uint16_t name_length,
                      const uint8_t *text, size_t length)
{
    bool sound = lt_utf8_prefix(text, length) == length;

    lt_tree_bytes(tree, sound ? LEAT_TEXT : LEAT_BYTES, name, name_length, text, length);
}

static int on_plain(struct lt_zabbix *z)
{
    static const char unsupported[] = "ZBX_NOTSUPPORTED"; /* its zero octet separates the reason */
    struct lt_zabbix_reading *r = z->reading;
    uint64_t length = compressed(r) ? r->header.reserved : r->header.data_len;
    struct lt_zabbix_view view = look(z);
    struct lt_tree *tree = &z->core.tree;
    bool reasoned;
    size_t record;
    int status;

    if (length > z->core.limits.row_bytes || length > UINT32_MAX)
        return give_up(z, LEAT_E_LIMIT, 0, "a plain body over the limit of a row");
    if (!view.whole)
        return more(z);
    status = settle(z);
    if (status != GO_ON || r->state != PLAIN)
        return status;
    reasoned =
        view.length >= sizeof unsupported && memcmp(view.at, unsupported, sizeof unsupported) == 0;
    status = lt_tree_reserve(tree, reasoned ? 3 : 2);
    if (status != LEAT_OK)
        return give_up(z, status, 0, "too many values");
    record = lt_tree_open(tree, LEAT_RECORD, LT_NO_NAME);
    if (reasoned) {
        push_body(tree, LT_NAME("body"), view.at, sizeof unsupported - 1);
        push_body(tree, LT_NAME("error"), view.at + sizeof unsupported,
                  view.length - sizeof unsupported);
        lt_tree_close(tree, record, 2);
    } else {
        push_body(tree, LT_NAME("body"), view.at, view.length);
        lt_tree_close(tree, record, 1);
    }
    message_event(z, LEAT_ZABBIX_PLAIN, view.at, view.length)->value = tree->cells;
    lend(z, view.length);
    next_frame(z);
    return LEAT_OK;
}

static int pop(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;

    take(z, 1);
    lt_put_u8(&r->members, '}');
    set_depth(z, r->depth - 1);
    r->first = false;
    r->state = r->depth == 0 ? TAIL : BEHIND_MEMBER;
    return kept(z);
}

static int on_member_name(struct lt_zabbix *z, struct lt_zabbix_view view)
{
    struct lt_zabbix_reading *r = z->reading;
    const leat_value *name;
    size_t used;
    int status = read_value(z, view.at, view.length, view.whole, &used);

    if (status == LEAT_MORE)
        return more(z);
    if (status != LEAT_OK)
        return give_up(z, status, r->error.offset, r->error.text);
    name = z->core.tree.cells;
    if (name->length > UINT16_MAX)
        return give_up(z, LEAT_E_LIMIT, 0, "member name longer than 65535 octets");
    r->names.length = r->places[r->depth - 1] == LT_ZABBIX_TABLE ? r->table_name : 0;
    lt_put_bytes(&r->names, name->u.bytes, name->length);
    if (r->names.status != LEAT_OK)
        return no_memory(z);
    take(z, used);
    r->state = COLON;
    return GO_ON;
}

static int on_member(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;
    struct lt_zabbix_view view = look(z);
    size_t space = r->scanning ? 0 : lt_json_space(view.at, view.length);

    take(z, space);
    view.at += space;
    view.length -= space;
    if (view.length == 0 && !view.whole)
        return more(z);
    if (view.length > 0 && view.at[0] == '}' && r->state != MEMBER)
        return pop(z);
    if (r->state == BEHIND_MEMBER) {
        if (view.length == 0 || view.at[0] != ',')
            return give_up(z, LEAT_E_SYNTAX, 0, "a comma or a closing bracket is missing");
        take(z, 1);
        r->state = MEMBER;
        return GO_ON;
    }
    if (view.length == 0 || view.at[0] != '"')
        return give_up(z, LEAT_E_SYNTAX, 0, "a member name is missing");
    return on_member_name(z, view);
}

static int on_colon(struct lt_zabbix *z)
{
    struct lt_zabbix_view view = look(z);
    size_t space = lt_json_space(view.at, view.length);

    take(z, space);
    if (space == view.length && !view.whole)
        return more(z);
    if (space == view.length || view.at[space] != ':')
        return give_up(z, LEAT_E_SYNTAX, 0, "a colon is missing");
    take(z, 1);
    z->reading->state = VALUE;
    return GO_ON;
}

/* What a member at the top tells about the message. bracket is the first octet of its value. */
static const struct lt_zabbix_member *notice(struct lt_zabbix_reading *r, uint8_t bracket)
{
    size_t length;
    const uint8_t *name = member_name(r, &length);
    const struct lt_zabbix_member *member = lt_zabbix_member_find((const char *)name, length);

    r->seen |= member == NULL ? LT_ZABBIX_SEEN_OTHER : member->seen;
    if (is_named(r, "data") && bracket == '[')
        r->seen |= LT_ZABBIX_SEEN_CHECKED;
    if (is_named(r, "data") && bracket == '{')
        r->seen |= LT_ZABBIX_SEEN_CONFIGURATION;
    return member;
}

/*
 * Objects are entered where tables may be, so that their rows can be events; any other object that stands
 * there comes out unchanged. "macro.secrets" is not a table, whatever its paths are called.
 */
static int open_object(struct lt_zabbix *z, enum lt_zabbix_place place)
{
    struct lt_zabbix_reading *r = z->reading;
    enum lt_zabbix_place inner =
        place == LT_ZABBIX_TOP && is_named(r, "data") ? LT_ZABBIX_DATA : LT_ZABBIX_TABLE;

    put_name(r);
    r->table_name = r->names.length;
    r->has_columns = false;
    return push(z, inner);
}

/* The names of a table's columns, if "fields" is a list of names. */
static int learn_columns(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;
    const leat_value *fields = z->core.tree.cells;
    const leat_value *field;
    void *column = r->column;

    r->has_columns = false;
    r->column_count = 0;
    r->columns.length = 0;
    if (fields->kind != LEAT_LIST)
        return GO_ON;
    if (!lt_grow(&z->core.allocator, &column, &r->column_size, fields->length, sizeof *r->column))
        return no_memory(z);
    r->column = (struct lt_zabbix_column *)column;
    for (field = leat_value_first(fields); field != NULL; field = leat_value_next(fields, field)) {
        if (field->kind != LEAT_TEXT || field->length > UINT16_MAX)
            return GO_ON;
        r->column[r->column_count].at = r->columns.length;
        r->column[r->column_count].length = (uint16_t)field->length;
        r->column_count++;
        lt_put_bytes(&r->columns, field->u.bytes, field->length);
    }
    if (r->columns.status != LEAT_OK)
        return no_memory(z);
    r->has_columns = true;
    return GO_ON;
}

static int whole_member(struct lt_zabbix *z, struct lt_zabbix_view view, enum lt_zabbix_place place)
{
    struct lt_zabbix_reading *r = z->reading;
    const leat_value *value;
    size_t used;
    int status = read_value(z, view.at, view.length, view.whole, &used);

    if (status == LEAT_MORE)
        return more(z);
    if (status != LEAT_OK)
        return give_up(z, status, r->error.offset, r->error.text);
    value = z->core.tree.cells;
    put_name(r);
    lt_put_bytes(&r->members, view.at, used);
    status = kept(z);
    if (status != GO_ON || r->state == BROKEN)
        return status;
    /* Real peers use the first of two members, and only if its type is right. */
    if (place == LT_ZABBIX_TOP && value->kind == LEAT_TEXT && r->request == 0 &&
        is_named(r, "request"))
        r->request = lt_zabbix_request_kind((const char *)value->u.bytes, value->length);
    if (place == LT_ZABBIX_TABLE && is_named(r, "fields")) {
        r->seen |= LT_ZABBIX_SEEN_CONFIGURATION;
        if (learn_columns(z) < 0)
            return z->core.status;
    }
    take(z, used);
    r->state = BEHIND_MEMBER;
    return GO_ON;
}

static int on_value(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;
    enum lt_zabbix_place place = (enum lt_zabbix_place)r->places[r->depth - 1];
    struct lt_zabbix_view view = look(z);
    const struct lt_zabbix_member *member = NULL;
    size_t space = r->scanning ? 0 : lt_json_space(view.at, view.length);

    take(z, space);
    view.at += space;
    view.length -= space;
    if (view.length == 0) {
        if (!view.whole)
            return more(z);
        return give_up(z, LEAT_E_SYNTAX, 0, "the text ends inside a value");
    }
    if (place == LT_ZABBIX_TOP)
        member = notice(r, view.at[0]);
    if (view.at[0] == '{' && place != LT_ZABBIX_TABLE && !is_named(r, "macro.secrets"))
        return open_object(z, place);
    if (view.at[0] == '[' && member != NULL && member->rows) {
        r->table_name = r->names.length;
        return push(z, LT_ZABBIX_ROWS);
    }
    if (view.at[0] == '[' && place == LT_ZABBIX_TABLE && is_named(r, "data")) {
        r->seen |= LT_ZABBIX_SEEN_CONFIGURATION;
        return push(z, LT_ZABBIX_ROWS);
    }
    return whole_member(z, view, place);
}

/* A row of a table as a record: its values get the names of the columns. */
static void name_columns(struct lt_zabbix *z, leat_event *event)
{
    const struct lt_zabbix_reading *r = z->reading;
    leat_value *row = z->core.tree.cells;
    leat_value *value = row + 1;
    size_t i;

    if (row->kind != LEAT_LIST || !r->has_columns)
        return;
    if (row->length != r->column_count) {
        (void)lt_error(&event->error, LEAT_E_PROTOCOL, event->offset,
                       "a row has more or fewer values than its table has fields", "data");
        return;
    }
    for (i = 0; i < r->column_count; i++) {
        value->name = (const char *)r->columns.data + r->column[i].at;
        value->name_length = r->column[i].length;
        value += lt_cells(value);
    }
    row->kind = LEAT_RECORD;
}

/* Moves to the start of the next row: *at counts from the view. LEAT_OK, or what else the step comes to. */
static int find_row(struct lt_zabbix *z, const struct lt_zabbix_view *view, size_t *at)
{
    struct lt_zabbix_reading *r = z->reading;

    if (!r->scanning)
        *at = lt_json_space(view->at, view->length);
    if (*at < view->length && r->state != ROW && view->at[*at] == ']') {
        take(z, *at + 1);
        r->state = BEHIND_MEMBER;
        return put_placeholder(z);
    }
    if (*at < view->length && r->state == BEHIND_ROW) {
        if (view->at[*at] != ',') {
            take(z, *at);
            return give_up(z, LEAT_E_SYNTAX, 0, "a comma or a closing bracket is missing");
        }
        ++*at;
        *at += lt_json_space(view->at + *at, view->length - *at);
        r->state = ROW;
    }
    if (*at < view->length)
        return LEAT_OK;
    take(z, *at);
    if (!view->whole)
        return more(z);
    return give_up(z, LEAT_E_SYNTAX, 0,
                   r->state == ROW ? "the text ends inside a value"
                                   : "a comma or a closing bracket is missing");
}

static int on_row(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;
    struct lt_zabbix_view view = look(z);
    leat_event *event;
    size_t at = 0, used;
    int status;

    if (r->state == BEHIND_ROW && view.length > 1 && view.at[0] == ',' && view.at[1] == '{') {
        at = 1;
    } else {
        status = find_row(z, &view, &at);
        if (status != LEAT_OK)
            return status;
    }
    status = read_value(z, view.at + at, view.length - at, view.whole, &used);
    if (status != LEAT_OK) {
        take(z, at);
        r->state = ROW;
        if (status == LEAT_MORE)
            return more(z);
        return give_up(z, status, r->error.offset, r->error.text);
    }
    event = &z->core.event;
    event->kind = LEAT_ZABBIX_ROW;
    event->name = (const char *)r->names.data;
    event->name_length = r->table_name;
    event->value = z->core.tree.cells;
    event->raw = view.at + at;
    event->raw_length = used;
    event->offset = compressed(r) ? r->offset : z->core.consumed + at;
    event->error.code = LEAT_OK;
    if (r->places[r->depth - 2] == LT_ZABBIX_TABLE)
        name_columns(z, event);
    r->event_at = r->position + at;
    r->rows++;
    r->state = BEHIND_ROW;
    lend(z, at + used);
    return LEAT_OK;
}

static int on_tail(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;
    struct lt_zabbix_view view = look(z);
    size_t at = 0;

    while (at < view.length && (view.at[at] == ' ' || view.at[at] == '\r' || view.at[at] == '\n'))
        at++;
    take(z, at);
    if (at < view.length) {
        if (view.at[at] != 0)
            return give_up(z, LEAT_E_SYNTAX, 0, "octets behind the object");
        r->state = DROP;
        return GO_ON;
    }
    if (!view.whole)
        return more(z);
    r->state = END;
    return GO_ON;
}

static int on_drop(struct lt_zabbix *z)
{
    struct lt_zabbix_view view = look(z);

    take(z, view.length);
    if (!view.whole)
        return more(z);
    z->reading->state = END;
    return GO_ON;
}

static int on_end(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;
    leat_event *event;
    int status = settle(z);

    if (status != GO_ON || r->state != END)
        return status;
    event = message_event(z, message_kind(z), r->members.data, r->members.length);
    event->value = lt_zabbix_members_read(z, &z->core.tree, &event->error);
    if (event->error.code == LEAT_E_NOMEM)
        return no_memory(z);
    if (event->error.code != LEAT_OK)
        event->error.offset = r->offset;
    r->event_at = 0;
    next_frame(z);
    return LEAT_OK;
}

static int on_broken(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;
    struct lt_zabbix_view view = look(z);
    struct leat_error error;
    leat_event *event;
    int status;

    if (view.length < LT_ZABBIX_PIECE && !view.whole && r->failed == NULL) {
        status = supply(z);
        if (status != GO_ON)
            return status;
        return GO_ON;
    }
    if (view.length > LT_ZABBIX_PIECE)
        view.length = LT_ZABBIX_PIECE;
    event = message_event(z, message_kind(z), view.at, view.length);
    event->value = lt_zabbix_members_read(z, &z->core.tree, &error);
    event->error = r->error;
    lend(z, view.length);
    r->state = SKIP;
    return LEAT_OK;
}

static int on_skip(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;
    size_t there = lt_unread_bytes(&z->core);

    if (there > r->body_left)
        there = (size_t)r->body_left;
    r->body_left -= there;
    if (there > 0)
        lt_skip(&z->core, there);
    if (r->body_left > 0)
        return await(z);
    next_frame(z);
    return GO_ON;
}

static int (*const steps[])(struct lt_zabbix *) = {
    [FRAME] = on_frame,   [BEGIN] = on_begin, [PLAIN] = on_plain,    [FIRST_MEMBER] = on_member,
    [MEMBER] = on_member, [COLON] = on_colon, [VALUE] = on_value,    [BEHIND_MEMBER] = on_member,
    [FIRST_ROW] = on_row, [ROW] = on_row,     [BEHIND_ROW] = on_row, [TAIL] = on_tail,
    [DROP] = on_drop,     [END] = on_end,     [BROKEN] = on_broken,  [SKIP] = on_skip,
};

static bool make_reading(struct lt_zabbix *z)
{
    const leat_allocator *allocator = &z->core.allocator;
    uint64_t row_bytes = z->core.limits.row_bytes;
    struct lt_zabbix_reading *r =
        (struct lt_zabbix_reading *)lt_alloc_zero(allocator, sizeof(struct lt_zabbix_reading));

    if (r == NULL)
        return false;
    r->members = lt_writer(allocator, row_bytes > SIZE_MAX ? SIZE_MAX : (size_t)row_bytes);
    r->names = lt_writer(allocator, SIZE_MAX);
    r->columns = lt_writer(allocator, SIZE_MAX);
    r->json.tree = &z->core.tree;
    r->json.any_octets = true;
    lt_tree_init(&r->so_far, allocator, z->core.limits.values);
    z->reading = r;
    return true;
}

int lt_zabbix_next(leat_session *session)
{
    struct lt_zabbix *z = (struct lt_zabbix *)session;
    int status;

    if (z->reading == NULL) {
        if (lt_unread_bytes(session) == 0)
            return lt_need(session, 1);
        if (!make_reading(z))
            return no_memory(z);
    }
    z->reading->text_start += z->reading->lent;
    z->reading->lent = 0;
    do
        status = steps[z->reading->state](z);
    while (status == GO_ON);
    return status;
}

void lt_zabbix_reading_free(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;
    const leat_allocator *allocator = &z->core.allocator;

    if (r == NULL)
        return;
    lt_inflate_free(&r->inflate);
    lt_free(allocator, r->text, r->text_size);
    lt_writer_free(&r->members);
    lt_writer_free(&r->names);
    lt_writer_free(&r->columns);
    lt_free(allocator, r->column, r->column_size * sizeof *r->column);
    lt_tree_free(&r->so_far);
    lt_free(allocator, r, sizeof *r);
    z->reading = NULL;
}

size_t lt_zabbix_reading_memory(const struct lt_zabbix *z)
{
    const struct lt_zabbix_reading *r = z->reading;

    if (r == NULL)
        return 0;
    return sizeof *r + r->inflate.memory.held + r->text_size + r->members.size + r->names.size +
           r->columns.size + r->column_size * sizeof *r->column +
           r->so_far.size * sizeof(leat_value) + lt_arena_bytes(&r->so_far.arena);
}
