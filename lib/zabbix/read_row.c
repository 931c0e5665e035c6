/* Reading: values, the rows that they are, and the loop that leads from one row to the next. */
#include "read.h"

#include <string.h>

static int too_long(struct lt_zabbix_reading *r)
{
    return lt_error(&r->error, LEAT_E_LIMIT, 0, "a row or member is over the limit", NULL);
}

/* The slow way: the end of the value is not there yet, or something is wrong with it. */
static int read_cut_value(struct lt_zabbix *z, const uint8_t *text, size_t length, bool whole,
                          size_t *used)
{
    struct lt_zabbix_reading *r = z->reading;
    size_t extent = length;
    int status;

    if (!r->scanning) {
        memset(&r->scan, 0, sizeof r->scan);
        r->scanning = true;
    }
    status = lt_json_scan(&r->scan, text + r->scan.scanned, length - (size_t)r->scan.scanned);
    if (r->scan.scanned > z->core.limits.row_bytes)
        return too_long(r);
    if (status == LEAT_MORE && !whole)
        return LEAT_MORE;
    if (status == LEAT_OK)
        extent = (size_t)r->scan.scanned;
    r->scanning = false;
    r->json.last = true;
    status = lt_json_read(&r->json, text, extent, LT_NO_NAME, used, &r->error);
    r->json.last = false;
    return status;
}

int lt_zabbix_read_value(struct lt_zabbix *z, struct lt_zabbix_view view, size_t at, size_t *used)
{
    struct lt_zabbix_reading *r = z->reading;
    const uint8_t *text = view.at + at;
    size_t length = view.length - at;
    size_t start = r->json.tree->count;
    int status;

    if (r->scanning)
        return read_cut_value(z, text, length, view.whole, used);
    status = lt_json_read(&r->json, text, length, LT_NO_NAME, used, &r->error);
    if (status == LEAT_OK) {
        uint8_t final = text[*used - 1];

        /* A number or a word may go on, or be followed by what does not belong there. */
        if (*used <= z->core.limits.row_bytes &&
            (final == '}' || final == ']' || final == '"' ||
             (*used < length && lt_json_ends_scalar(text[*used]))))
            return LEAT_OK;
        r->json.tree->count = start;
    } else if (status == LEAT_E_NOMEM) {
        return status;
    }
    return read_cut_value(z, text, length, view.whole, used);
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

/*
 * Moves to the start of the next row: *at counts from the view. LEAT_OK, or what else the step
 * comes to.
 */
static int find_row(struct lt_zabbix *z, const struct lt_zabbix_view *view, size_t *at)
{
    struct lt_zabbix_reading *r = z->reading;

    if (!r->scanning)
        *at = lt_json_space(view->at, view->length);
    if (*at < view->length && r->state != LT_AT_ROW && view->at[*at] == ']') {
        lt_zabbix_take(z, *at + 1);
        return lt_zabbix_end_rows(z);
    }
    if (*at < view->length && r->state == LT_AT_BEHIND_ROW) {
        if (view->at[*at] != ',') {
            lt_zabbix_take(z, *at);
            return lt_zabbix_give_up(z, LEAT_E_SYNTAX, 0,
                                     "a comma or a closing bracket is missing");
        }
        ++*at;
        *at += lt_json_space(view->at + *at, view->length - *at);
        r->state = LT_AT_ROW;
    }
    if (*at < view->length)
        return LEAT_OK;
    lt_zabbix_take(z, *at);
    if (!view->whole)
        return lt_zabbix_more(z);
    return lt_zabbix_give_up(z, LEAT_E_SYNTAX, 0,
                             r->state == LT_AT_ROW ? "the text ends inside a value"
                                                   : "a comma or a closing bracket is missing");
}

static int on_row(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;
    struct lt_zabbix_view view = lt_zabbix_look(z);
    leat_event *event;
    size_t at = 0, used;
    int status;

    if (r->state == LT_AT_BEHIND_ROW && view.length > 1 && view.at[0] == ',' && view.at[1] == '{') {
        at = 1;
    } else {
        status = find_row(z, &view, &at);
        if (status != LEAT_OK)
            return status;
    }
    status = lt_zabbix_read_value(z, view, at, &used);
    if (status != LEAT_OK) {
        lt_zabbix_take(z, at);
        r->state = LT_AT_ROW;
        if (status == LEAT_MORE)
            return lt_zabbix_more(z);
        return lt_zabbix_give_up(z, status, r->error.offset, r->error.text);
    }
    event = &z->core.event;
    event->kind = LEAT_ZABBIX_ROW;
    event->name = (const char *)r->name;
    event->name_length = r->section_length;
    event->value = z->core.tree.cells;
    event->raw = view.at + at;
    event->raw_length = used;
    event->offset = lt_zabbix_compressed(r) ? r->offset : z->core.consumed + at;
    event->error.code = LEAT_OK;
    if (r->places[r->depth - 2] == LT_ZABBIX_TABLE)
        name_columns(z, event);
    r->event_at = r->position + at;
    r->rows++;
    r->state = LT_AT_BEHIND_ROW;
    lt_zabbix_lend(z, at + used);
    return LEAT_OK;
}

static bool is_at_row(const struct lt_zabbix *z)
{
    return z->reading->state >= LT_AT_FIRST_ROW && z->reading->state <= LT_AT_BEHIND_ROW;
}

int lt_zabbix_next(leat_session *session)
{
    struct lt_zabbix *z = (struct lt_zabbix *)session;
    int status;

    if (z->reading == NULL) {
        if (lt_unread_bytes(session) == 0)
            return lt_need(session, 1);
        if (!lt_zabbix_reading_make(z))
            return lt_zabbix_no_memory(z);
    }
    z->reading->text_start += z->reading->lent;
    z->reading->lent = 0;
    do
        status = is_at_row(z) ? on_row(z) : lt_zabbix_step(z);
    while (status == LT_ZABBIX_GO_ON);
    return status;
}
