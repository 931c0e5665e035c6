/*
 * Reading: frames, the text in them (inflated in pieces), and in the text the members and rows.
 *
 * Each step takes from the text what it understands, or asks for more and takes nothing, so that
 * cuts in the stream cannot show. A value is first tried where it stands; if its end is not there
 * yet, the end is looked for as octets come, and then the value is read once: no octet is looked at
 * more than a few times. What is wrong with a value is only said once its end is known: before, it
 * would depend on the cuts.
 */
#include "read.h"

#include "../core/plain.h"
#include "../core/text.h"

#include <string.h>

#define GO_ON LT_ZABBIX_GO_ON

/* ---- giving up ---- */

/* Sets how many places are open; what is read as one value may be nested as deeply as is left. */
static void set_depth(struct lt_zabbix *z, uint32_t depth)
{
    z->reading->depth = depth;
    z->reading->json.depth = (size_t)z->core.limits.depth - depth;
}

static enum lt_zabbix_place innermost(const struct lt_zabbix_reading *r)
{
    return (enum lt_zabbix_place)r->places[r->depth - 1];
}

/* Closes the array of rows: says how many there were. */
static int put_rows(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;

    set_depth(z, r->depth - 1);
    if (innermost(r) == LT_ZABBIX_TABLE)
        return lt_zabbix_members_rows(&r->members, NULL, 0, r->rows);
    return lt_zabbix_members_rows(&r->members, r->name, r->section_length, r->rows);
}

/* The member that the present place is in, as a constant; NULL if we do not know its name. */
static const char *concerned(const struct lt_zabbix_reading *r)
{
    const struct lt_zabbix_member *member = NULL;

    if (r->depth > 1 && r->places[1] == LT_ZABBIX_DATA)
        return "data";
    if (r->depth > 1)
        member = lt_zabbix_member_find((const char *)r->name, r->section_length);
    else if (r->depth == 1 && r->state == LT_AT_VALUE)
        member = lt_zabbix_member_find((const char *)r->name, r->name_length);
    return member == NULL ? NULL : member->name;
}

int lt_zabbix_give_up(struct lt_zabbix *z, int code, uint64_t at, const char *what)
{
    struct lt_zabbix_reading *r = z->reading;
    uint64_t offset = lt_zabbix_compressed(r) ? r->offset : z->core.consumed + at;
    const char *field = concerned(r);

    if (code == LEAT_E_NOMEM)
        return lt_zabbix_no_memory(z);
    r->event_at = r->position + at;
    if (r->depth > 0 && innermost(r) == LT_ZABBIX_ROWS && put_rows(z) == LEAT_E_NOMEM)
        return lt_zabbix_no_memory(z);
    (void)lt_error(&r->error, code, offset, what, field);
    r->state = LT_AT_BROKEN;
    return GO_ON;
}

/* Ends a change of the members: goes on in that state, or gives up. */
static int kept(struct lt_zabbix *z, int status, enum lt_zabbix_state state)
{
    z->reading->state = (uint8_t)state;
    if (status == LEAT_OK)
        return GO_ON;
    return lt_zabbix_give_up(z, status, 0, "the members are over a limit");
}

int lt_zabbix_end_rows(struct lt_zabbix *z)
{
    return kept(z, put_rows(z), LT_AT_BEHIND_MEMBER);
}

int lt_zabbix_more(struct lt_zabbix *z)
{
    const char *failed = z->reading->failed;

    return failed == NULL ? lt_zabbix_supply(z) : lt_zabbix_give_up(z, LEAT_E_INFLATE, 0, failed);
}

/* ---- steps ---- */

static uint32_t message_kind(const struct lt_zabbix *z)
{
    const struct lt_zabbix_reading *r = z->reading;

    /* That nothing was seen says something at the end of a message only. */
    if (r->seen == 0 && r->request == 0 && r->state != LT_AT_END)
        return LEAT_ZABBIX_MESSAGE;
    return lt_zabbix_kind_of(z->from, r->request, r->seen);
}

uint32_t lt_zabbix_arriving(const struct lt_zabbix *z)
{
    const struct lt_zabbix_reading *r = z->reading;

    return r == NULL || r->state < LT_AT_FIRST_MEMBER || r->state == LT_AT_SKIP ? 0
                                                                                : message_kind(z);
}

static leat_event *message_event(struct lt_zabbix *z, uint32_t kind, const uint8_t *raw,
                                 size_t raw_length)
{
    return lt_event(&z->core, kind, lt_zabbix_kind_name(kind), raw, raw_length, z->reading->offset);
}

/*
 * Takes the rest of a message whose text was understood: GO_ON, if it is sound, or in another
 * state.
 */
static int settle(struct lt_zabbix *z)
{
    int status = lt_zabbix_settle(z);
    const char *failed = z->reading->failed;

    return status == GO_ON && failed != NULL ? lt_zabbix_give_up(z, LEAT_E_INFLATE, 0, failed)
                                             : status;
}

static void next_frame(struct lt_zabbix *z)
{
    z->reading->state = LT_AT_FRAME;
    z->core.inside = false;
}

static int begin_message(struct lt_zabbix *z, const struct lt_zabbix_header *header)
{
    struct lt_zabbix_reading *r = z->reading;

    r->header = *header;
    r->any = true;
    r->offset = z->core.consumed;
    r->event_at = 0;
    r->scanning = false;
    r->seen = r->request = 0;
    set_depth(z, 0);
    lt_zabbix_members_clear(&r->members);
    r->state = LT_AT_BEGIN;
    z->core.inside = true;
    return lt_zabbix_source_start(z) == LEAT_OK ? GO_ON : lt_zabbix_no_memory(z);
}

/* What servers and proxies answer to a body that is no object: no frame, just OK. */
static int unframed(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;
    struct lt_tree *tree = &z->core.tree;
    const uint8_t *at = z->core.window + z->core.start;
    size_t record;

    if (lt_tree_reserve(tree, 2) != LEAT_OK)
        return lt_zabbix_no_memory(z);
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
    if (z->refuse_large && (header.flags & LEAT_ZABBIX_LARGE) != 0)
        return lt_fail(&z->core, LEAT_E_FRAME, 4, "a large header, which nobody takes here",
                       "flags");
    if (header.data_len > z->core.limits.message_bytes)
        return lt_fail(&z->core, LEAT_E_LIMIT, 5, "a message over the limit", "data_len");
    if ((header.flags & LEAT_ZABBIX_COMPRESSED) != 0 &&
        header.reserved > z->core.limits.inflated_bytes)
        return lt_fail(&z->core, LEAT_E_LIMIT, (5 + length) / 2,
                       "an inflated message over the limit", "reserved");
    status = begin_message(z, &header);
    lt_skip(&z->core, length);
    return status;
}

/* Opens an object or the array of rows; the bracket is next. */
static int push(struct lt_zabbix *z, enum lt_zabbix_place place, const uint8_t *name, size_t length)
{
    struct lt_zabbix_reading *r = z->reading;
    int status = LEAT_OK;

    if (r->depth >= z->core.limits.depth)
        return lt_zabbix_give_up(z, LEAT_E_LIMIT, 0, "nested too deeply");
    if (place == LT_ZABBIX_ROWS)
        r->rows = 0;
    else
        status = lt_zabbix_members_open(&r->members, name, length);
    if (status != LEAT_OK)
        return kept(z, status, LT_AT_VALUE);
    lt_zabbix_take(z, 1);
    r->places[r->depth] = (uint8_t)place;
    set_depth(z, r->depth + 1);
    r->state = place == LT_ZABBIX_ROWS ? LT_AT_FIRST_ROW : LT_AT_FIRST_MEMBER;
    return GO_ON;
}

static int on_begin(struct lt_zabbix *z)
{
    struct lt_zabbix_view view = lt_zabbix_look(z);

    if (view.length == 0 && !view.whole)
        return lt_zabbix_more(z);
    if (view.length > 0 && view.at[0] == '{' && !z->plain)
        return push(z, LT_ZABBIX_TOP, NULL, 0);
    z->reading->state = LT_AT_PLAIN;
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
    uint64_t length = lt_zabbix_compressed(r) ? r->header.reserved : r->header.data_len;
    struct lt_zabbix_view view = lt_zabbix_look(z);
    struct lt_tree *tree = &z->core.tree;
    bool reasoned;
    size_t record;
    int status;

    if (length > z->core.limits.row_bytes || length > UINT32_MAX)
        return lt_zabbix_give_up(z, LEAT_E_LIMIT, 0, "a plain body over the limit of a row");
    if (!view.whole)
        return lt_zabbix_more(z);
    status = settle(z);
    if (status != GO_ON || r->state != LT_AT_PLAIN)
        return status;
    reasoned =
        view.length >= sizeof unsupported && memcmp(view.at, unsupported, sizeof unsupported) == 0;
    status = lt_tree_reserve(tree, reasoned ? 3 : 2);
    if (status != LEAT_OK)
        return lt_zabbix_give_up(z, status, 0, "too many values");
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
    lt_zabbix_lend(z, view.length);
    next_frame(z);
    return LEAT_OK;
}

static int pop(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;

    lt_zabbix_take(z, 1);
    lt_zabbix_members_close(&r->members);
    set_depth(z, r->depth - 1);
    r->state = r->depth == 0 ? LT_AT_TAIL : LT_AT_BEHIND_MEMBER;
    return GO_ON;
}

/* ---- members ---- */

/* The name of the present member. In a table it stands behind the name of that. */
static const uint8_t *member_name(const struct lt_zabbix_reading *r, size_t *length)
{
    size_t at = innermost(r) == LT_ZABBIX_TABLE ? r->section_length : 0;

    *length = r->name_length - at;
    return r->name + at;
}

static bool is_named(const struct lt_zabbix_reading *r, const char *name, size_t length)
{
    size_t named;
    const uint8_t *text = member_name(r, &named);

    return named == length && memcmp(text, name, length) == 0;
}

#define IS_NAMED(r, constant) is_named(r, constant, sizeof constant - 1)

/* Remembers the name, of at most 65535 octets; a colon that follows is taken at once. */
static int take_name(struct lt_zabbix *z, struct lt_zabbix_view view, size_t used,
                     const uint8_t *name, size_t length)
{
    struct lt_zabbix_reading *r = z->reading;
    size_t at = innermost(r) == LT_ZABBIX_TABLE ? r->section_length : 0;
    void *names = r->name;

    if (length > UINT16_MAX)
        return lt_zabbix_give_up(z, LEAT_E_LIMIT, 0, "member name longer than 65535 octets");
    if (at + length >= r->name_size) { /* never nothing: an empty name stands somewhere, too */
        if (!lt_grow(&z->core.allocator, &names, &r->name_size, at + length + 1, 1))
            return lt_zabbix_no_memory(z);
        r->name = (uint8_t *)names;
    }
    memcpy(r->name + at, name, length);
    r->name_length = at + length;
    r->state = LT_AT_COLON;
    if (used < view.length && view.at[used] == ':') {
        used++;
        r->state = LT_AT_VALUE;
    }
    lt_zabbix_take(z, used);
    return GO_ON;
}

/* A member's name; the view begins with its quote. */
static int on_member_name(struct lt_zabbix *z, struct lt_zabbix_view view)
{
    struct lt_zabbix_reading *r = z->reading;
    const leat_value *name;
    size_t used;
    int status;

    if (!r->scanning) {
        const uint8_t *end = lt_plain(view.at + 1, view.at + view.length);

        used = (size_t)(end - view.at) + 1;
        if (used <= view.length && *end == '"' && used <= z->core.limits.row_bytes)
            return take_name(z, view, used, view.at + 1, used - 2); /* mostly */
    }
    status = lt_zabbix_read_value(z, view, 0, &used);
    if (status == LEAT_MORE)
        return lt_zabbix_more(z);
    if (status != LEAT_OK)
        return lt_zabbix_give_up(z, status, r->error.offset, r->error.text);
    name = z->core.tree.cells;
    status = take_name(z, view, used, name->u.bytes, name->length);
    lt_tree_clear(&z->core.tree);
    return status;
}

static int on_member(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;
    struct lt_zabbix_view view = lt_zabbix_look(z);
    size_t at = r->scanning ? 0 : lt_json_space(view.at, view.length);
    bool comma = r->state != LT_AT_BEHIND_MEMBER;

    if (at < view.length && view.at[at] == '}' && r->state != LT_AT_MEMBER) {
        lt_zabbix_take(z, at);
        return pop(z);
    }
    if (at < view.length && !comma && view.at[at] == ',') {
        comma = true;
        at++;
        at += lt_json_space(view.at + at, view.length - at);
        r->state = LT_AT_MEMBER;
    }
    lt_zabbix_take(z, at);
    view.at += at;
    view.length -= at;
    if (view.length == 0 && !view.whole)
        return lt_zabbix_more(z);
    if (!comma)
        return lt_zabbix_give_up(z, LEAT_E_SYNTAX, 0, "a comma or a closing bracket is missing");
    if (view.length == 0 || view.at[0] != '"')
        return lt_zabbix_give_up(z, LEAT_E_SYNTAX, 0, "a member name is missing");
    return on_member_name(z, view);
}

static int on_colon(struct lt_zabbix *z)
{
    struct lt_zabbix_view view = lt_zabbix_look(z);
    size_t space = lt_json_space(view.at, view.length);

    lt_zabbix_take(z, space);
    if (space == view.length && !view.whole)
        return lt_zabbix_more(z);
    if (space == view.length || view.at[space] != ':')
        return lt_zabbix_give_up(z, LEAT_E_SYNTAX, 0, "a colon is missing");
    lt_zabbix_take(z, 1);
    z->reading->state = LT_AT_VALUE;
    return GO_ON;
}

/* The names of a table's columns, if "fields" is a list of names. */
static int learn_columns(struct lt_zabbix *z, const leat_value *fields)
{
    struct lt_zabbix_reading *r = z->reading;
    const leat_value *field;
    void *column = r->column;

    r->has_columns = false;
    r->column_count = 0;
    r->columns.length = 0;
    lt_put_u8(&r->columns, 0); /* so that an empty name stands somewhere, too */
    if (fields->kind != LEAT_LIST)
        return LEAT_OK;
    if (!lt_grow(&z->core.allocator, &column, &r->column_size, fields->length, sizeof *r->column))
        return LEAT_E_NOMEM;
    r->column = (struct lt_zabbix_column *)column;
    for (field = leat_value_first(fields); field != NULL; field = leat_value_next(fields, field)) {
        if (field->kind != LEAT_TEXT || field->length > UINT16_MAX)
            return LEAT_OK;
        r->column[r->column_count].at = r->columns.length;
        r->column[r->column_count].length = (uint16_t)field->length;
        r->column_count++;
        lt_put_bytes(&r->columns, field->u.bytes, field->length);
    }
    r->has_columns = r->columns.status == LEAT_OK;
    return r->columns.status;
}

/* A value that is kept as it is. */
static int whole_member(struct lt_zabbix *z, struct lt_zabbix_view view)
{
    struct lt_zabbix_reading *r = z->reading;
    size_t start = r->members.tree.count;
    const leat_value *value;
    const uint8_t *name;
    size_t used, length;
    int status;

    r->json.tree = &r->members.tree;
    status = lt_zabbix_read_value(z, view, 0, &used);
    r->json.tree = &z->core.tree;
    if (status == LEAT_MORE)
        return lt_zabbix_more(z);
    if (status != LEAT_OK)
        return lt_zabbix_give_up(z, status, r->error.offset, r->error.text);
    name = member_name(r, &length);
    status = lt_zabbix_members_take(&r->members, start, view.at, used, name, length);
    if (status != LEAT_OK)
        return kept(z, status, LT_AT_VALUE);
    value = r->members.tree.cells + start;
    /* Real peers use the first of two members, and only if its type is right. */
    if (innermost(r) == LT_ZABBIX_TOP && value->kind == LEAT_TEXT && r->request == 0 &&
        IS_NAMED(r, "request"))
        r->request = lt_zabbix_request_kind((const char *)value->u.bytes, value->length);
    if (innermost(r) == LT_ZABBIX_TABLE && IS_NAMED(r, "fields")) {
        r->seen |= LT_ZABBIX_SEEN_CONFIGURATION;
        if (learn_columns(z, value) != LEAT_OK)
            return lt_zabbix_no_memory(z);
    }
    lt_zabbix_take(z, used);
    r->state = LT_AT_BEHIND_MEMBER;
    return GO_ON;
}

/* An array whose values are events. */
static int open_rows(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;

    if (innermost(r) == LT_ZABBIX_TABLE)
        r->seen |= LT_ZABBIX_SEEN_CONFIGURATION;
    else
        r->section_length = r->name_length;
    return push(z, LT_ZABBIX_ROWS, NULL, 0);
}

/*
 * Objects are entered where tables may be, so that their rows can be events; any other object that
 * stands there comes out unchanged. "macro.secrets" is not a table, whatever its paths are called.
 */
static int open_object(struct lt_zabbix *z, bool data)
{
    struct lt_zabbix_reading *r = z->reading;
    enum lt_zabbix_place inner = data ? LT_ZABBIX_DATA : LT_ZABBIX_TABLE;

    r->section_length = r->name_length;
    r->has_columns = false;
    return push(z, inner, r->name, r->name_length);
}

/* A value in the message's own object: what it tells about the message, and what becomes of it. */
static int top_value(struct lt_zabbix *z, struct lt_zabbix_view view)
{
    struct lt_zabbix_reading *r = z->reading;
    size_t length;
    const uint8_t *name = member_name(r, &length);
    const struct lt_zabbix_member *member = lt_zabbix_member_find((const char *)name, length);
    bool data = IS_NAMED(r, "data");

    r->seen |= member == NULL ? LT_ZABBIX_SEEN_OTHER : member->seen;
    if (view.at[0] == '[' && member != NULL && member->rows) {
        if (data)
            r->seen |= LT_ZABBIX_SEEN_CHECKED;
        return open_rows(z);
    }
    if (view.at[0] == '{' && !IS_NAMED(r, "macro.secrets")) {
        if (data)
            r->seen |= LT_ZABBIX_SEEN_CONFIGURATION;
        return open_object(z, data);
    }
    return whole_member(z, view);
}

static int on_value(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;
    struct lt_zabbix_view view = lt_zabbix_look(z);
    size_t space = r->scanning ? 0 : lt_json_space(view.at, view.length);

    lt_zabbix_take(z, space);
    view.at += space;
    view.length -= space;
    if (view.length == 0) {
        if (!view.whole)
            return lt_zabbix_more(z);
        return lt_zabbix_give_up(z, LEAT_E_SYNTAX, 0, "the text ends inside a value");
    }
    if (innermost(r) == LT_ZABBIX_TOP)
        return top_value(z, view);
    if (innermost(r) == LT_ZABBIX_DATA && view.at[0] == '{' && !IS_NAMED(r, "macro.secrets"))
        return open_object(z, false);
    if (innermost(r) == LT_ZABBIX_TABLE && view.at[0] == '[' && IS_NAMED(r, "data"))
        return open_rows(z);
    return whole_member(z, view);
}

static int on_tail(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;
    struct lt_zabbix_view view = lt_zabbix_look(z);
    size_t at = 0;

    while (at < view.length && (view.at[at] == ' ' || view.at[at] == '\r' || view.at[at] == '\n'))
        at++;
    lt_zabbix_take(z, at);
    if (at < view.length) {
        if (view.at[at] != 0)
            return lt_zabbix_give_up(z, LEAT_E_SYNTAX, 0, "octets behind the object");
        r->state = LT_AT_DROP;
        return GO_ON;
    }
    if (!view.whole)
        return lt_zabbix_more(z);
    r->state = LT_AT_END;
    return GO_ON;
}

static int on_drop(struct lt_zabbix *z)
{
    struct lt_zabbix_view view = lt_zabbix_look(z);

    lt_zabbix_take(z, view.length);
    if (!view.whole)
        return lt_zabbix_more(z);
    z->reading->state = LT_AT_END;
    return GO_ON;
}

static int on_end(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;
    int status = settle(z);

    if (status != GO_ON || r->state != LT_AT_END)
        return status;
    message_event(z, message_kind(z), NULL, 0)->value = lt_zabbix_members_value(&r->members);
    r->event_at = 0;
    next_frame(z);
    return LEAT_OK;
}

/*
 * All of the text behind the broken place is there, and it is short: if it does not end as it
 * should, then that is what is wrong, rather than how it reads. GO_ON, LEAT_MORE, or < 0.
 */
static int look_behind(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;
    int status = r->failed == NULL ? lt_zabbix_settle(z) : GO_ON;

    if (status == GO_ON && r->failed != NULL && r->error.code == LEAT_E_SYNTAX)
        (void)lt_error(&r->error, LEAT_E_INFLATE, r->error.offset, r->failed, r->error.field);
    return status;
}

static int on_broken(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;
    struct lt_zabbix_view view = lt_zabbix_look(z);
    leat_event *event;
    int status = GO_ON;

    if (view.length < LT_ZABBIX_PIECE && !view.whole && r->failed == NULL)
        return lt_zabbix_supply(z);
    if (view.length < LT_ZABBIX_PIECE)
        status = look_behind(z);
    if (status != GO_ON)
        return status;
    if (view.length > LT_ZABBIX_PIECE)
        view.length = LT_ZABBIX_PIECE;
    event = message_event(z, message_kind(z), view.at, view.length);
    event->value = lt_zabbix_members_value(&r->members);
    event->error = r->error;
    lt_zabbix_lend(z, view.length);
    r->state = LT_AT_SKIP;
    return LEAT_OK;
}

static int on_skip(struct lt_zabbix *z)
{
    int status = lt_zabbix_skip(z);

    if (status == GO_ON)
        next_frame(z);
    return status;
}

static int (*const steps[])(struct lt_zabbix *) = {
    [LT_AT_FRAME] = on_frame,   [LT_AT_BEGIN] = on_begin,
    [LT_AT_PLAIN] = on_plain,   [LT_AT_FIRST_MEMBER] = on_member,
    [LT_AT_MEMBER] = on_member, [LT_AT_COLON] = on_colon,
    [LT_AT_VALUE] = on_value,   [LT_AT_BEHIND_MEMBER] = on_member,
    [LT_AT_TAIL] = on_tail,     [LT_AT_DROP] = on_drop,
    [LT_AT_END] = on_end,       [LT_AT_BROKEN] = on_broken,
    [LT_AT_SKIP] = on_skip,
};

int lt_zabbix_step(struct lt_zabbix *z)
{
    return steps[z->reading->state](z);
}

bool lt_zabbix_reading_make(struct lt_zabbix *z)
{
    const leat_allocator *allocator = &z->core.allocator;
    struct lt_zabbix_reading *r =
        (struct lt_zabbix_reading *)lt_alloc_zero(allocator, sizeof(struct lt_zabbix_reading));

    if (r == NULL)
        return false;
    r->columns = lt_writer(allocator, SIZE_MAX);
    r->json.tree = &z->core.tree;
    r->json.any_octets = true;
    lt_zabbix_members_init(&r->members, allocator, &z->core.limits);
    z->reading = r;
    return true;
}

void lt_zabbix_reading_free(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;
    const leat_allocator *allocator = &z->core.allocator;

    if (r == NULL)
        return;
    lt_zabbix_source_free(z);
    lt_free(allocator, r->name, r->name_size);
    lt_writer_free(&r->columns);
    lt_free(allocator, r->column, r->column_size * sizeof *r->column);
    lt_zabbix_members_free(&r->members);
    lt_free(allocator, r, sizeof *r);
    z->reading = NULL;
}

size_t lt_zabbix_reading_memory(const struct lt_zabbix *z)
{
    const struct lt_zabbix_reading *r = z->reading;

    if (r == NULL)
        return 0;
    return sizeof *r + r->inflate.memory.held + r->text_size + r->name_size + r->columns.size +
           r->column_size * sizeof *r->column + lt_zabbix_members_bytes(&r->members);
}
