/* Writing rows, and what each call that writes does: what write.h says. */
#include "write.h"

#include "row.h"

#include "../core/text.h"

#include <math.h>

int lt_zabbix_check_text(struct lt_zabbix *z, const void *text, size_t length, const char *field)
{
    const char *what = lt_zabbix_text_offends(text, length);

    return what == NULL ? LEAT_OK : lt_zabbix_refuse(z, what, field);
}

static int check_scalar(struct lt_zabbix *z, const leat_value *value)
{
    switch (value->kind) {
    case LEAT_NULL:
    case LEAT_BOOL:
    case LEAT_INT:
    case LEAT_UINT:
        return LEAT_OK;
    case LEAT_REAL:
        return isfinite(value->u.f64) ? LEAT_OK
                                      : lt_zabbix_refuse(z, "a number that JSON lacks", "value");
    case LEAT_TEXT:
    case LEAT_ENUM:
        return lt_zabbix_check_text(z, value->u.bytes, value->length, "value");
    default:
        return lt_zabbix_refuse(z, "a kind of value that JSON lacks", "value");
    }
}

int lt_zabbix_check_value(struct lt_zabbix *z, const leat_value *value, size_t depth)
{
    const leat_value *end = value + lt_cells(value);
    const leat_value *ends[LT_DEPTH_MAX];
    const leat_value *cell;
    size_t level = 0;
    int status = LEAT_OK;

    for (cell = value; cell < end && status == LEAT_OK; cell++) {
        while (level > 0 && cell == ends[level - 1])
            level--;
        if (cell != value && cell->name != NULL)
            status = lt_zabbix_check_text(z, cell->name, cell->name_length, "name");
        if (status != LEAT_OK)
            break;
        if (cell->kind != LEAT_LIST && cell->kind != LEAT_RECORD) {
            status = check_scalar(z, cell);
        } else if (depth + level >= z->core.limits.depth) {
            status = lt_zabbix_refuse(z, "nested too deeply", "value");
        } else {
            ends[level++] = cell + cell->u.cells;
        }
    }
    return status;
}

int lt_zabbix_commit(struct lt_zabbix *z, bool finish)
{
    struct lt_zabbix_writing *w = z->writing;
    struct lt_writer *out = &z->core.out;
    struct lt_writer *to = lt_zabbix_target(z);
    size_t before = out->length;

    if (to->status != LEAT_OK)
        return lt_zabbix_no_room(z, to);
    w->text += to->length - w->mark;
    if (!w->compressed) {
        z->core.hold_back += to->length - w->mark;
    } else if (finish || w->piece.length >= LT_ZABBIX_PIECE) {
        if (lt_deflate_run(&w->deflate, w->piece.data, w->piece.length, finish, out) != LEAT_OK)
            return lt_zabbix_no_room(z, out);
        w->piece.length = 0;
        z->core.hold_back += out->length - before;
    }
    w->mark = to->length;
    return LEAT_OK;
}

int lt_zabbix_enter(leat_session *session, uint32_t places)
{
    struct lt_zabbix *z = lt_zabbix(session);

    if (z == NULL || session->status < 0)
        return LEAT_E_STATE;
    lt_send_begin(session);
    if (z->writing == NULL || !z->writing->open)
        return lt_refuse(session, LEAT_E_STATE, 0, "no message is being written", NULL);
    if ((places & 1u << lt_zabbix_innermost(z->writing)) == 0)
        return lt_refuse(session, LEAT_E_STATE, 0, "not in this place of the message", NULL);
    z->writing->mark = lt_zabbix_target(z)->length;
    z->writing->was_first = z->writing->first;
    return LEAT_OK;
}

void lt_zabbix_take_back(struct lt_zabbix *z)
{
    z->core.out.length -= z->core.hold_back;
    z->core.hold_back = 0;
    z->writing->open = false;
}

int lt_zabbix_leave(struct lt_zabbix *z, int status)
{
    struct lt_zabbix_writing *w = z->writing;

    if (status == LEAT_OK && w->open)
        status = lt_zabbix_commit(z, false);
    if (status != LEAT_OK) {
        w->first = w->was_first;
        if (w->compressed) {
            w->piece.length = w->mark;
            w->piece.status = LEAT_OK;
        }
    }
    status = lt_send_end(&z->core, status);
    if (status == LEAT_E_LIMIT || status == LEAT_E_NOMEM)
        lt_zabbix_take_back(z);
    return status;
}

/*
 * The fields of a record in the order of the table. They were counted, so each is there once or one
 * is missing.
 */
static int put_record_as_row(struct lt_zabbix *z, const leat_value *row)
{
    struct lt_reader columns = lt_reader(z->writing->columns.data, z->writing->columns.length);
    size_t i;

    lt_put_u8(lt_zabbix_target(z), '[');
    for (i = 0; i < z->writing->column_count; i++) {
        size_t length = lt_u16be(&columns);
        const char *name = (const char *)lt_take(&columns, length);
        size_t place = i + 1;
        const leat_value *value = leat_value_find(row, name, length, &place);

        if (value == NULL)
            return lt_zabbix_refuse(z, "a row lacks a field of its table", "row");
        if (i > 0)
            lt_put_u8(lt_zabbix_target(z), ',');
        lt_json_write(lt_zabbix_target(z), value);
    }
    lt_put_u8(lt_zabbix_target(z), ']');
    return LEAT_OK;
}

static int put_row(struct lt_zabbix *z, const leat_value *row)
{
    struct lt_zabbix_writing *w = z->writing;
    bool table = w->places[w->depth - 2] == LT_ZABBIX_TABLE;
    int status;

    if (leat_value_kind(row) != LEAT_RECORD && (!table || leat_value_kind(row) != LEAT_LIST))
        return lt_zabbix_refuse(z, "a row is a record, or in a table a list", "row");
    if (table && row->length != w->column_count)
        return lt_zabbix_refuse(z, "a row has more or fewer values than its table has fields",
                                "row");
    status = lt_zabbix_check_value(z, row, w->depth);
    if (status == LEAT_OK && !table && z->rules != NULL)
        status = z->rules->row(z, row);
    if (status != LEAT_OK)
        return status;
    if (!w->first)
        lt_put_u8(lt_zabbix_target(z), ',');
    w->first = false;
    if (table && row->kind == LEAT_RECORD)
        return put_record_as_row(z, row);
    lt_json_write(lt_zabbix_target(z), row);
    return LEAT_OK;
}

int leat_zabbix_row(leat_session *session, const leat_value *row)
{
    struct lt_zabbix *z = lt_zabbix(session);
    int status = lt_zabbix_enter(session, LT_ZABBIX_IN(ROWS));

    if (status != LEAT_OK)
        return status;
    return lt_zabbix_leave(z, put_row(z, row));
}

static int put_history(struct lt_zabbix *z, const leat_zabbix_history *history)
{
    struct lt_zabbix_writing *w = z->writing;
    const char *field, *what;
    int status = LEAT_OK;

    if (w->places[w->depth - 2] == LT_ZABBIX_TABLE)
        return lt_refuse(&z->core, LEAT_E_STATE, 0, "not in this place of the message", NULL);
    if (z->rules != NULL && history->size >= sizeof *history)
        status = z->rules->history(z, history->has);
    if (status != LEAT_OK)
        return status;
    if (!w->first)
        lt_put_u8(lt_zabbix_target(z), ',');
    w->first = false;
    what = lt_zabbix_history_put(lt_zabbix_target(z), history, w->by_proxy, &field);
    return what == NULL ? LEAT_OK : lt_zabbix_refuse(z, what, field);
}

int leat_zabbix_history_write(leat_session *session, const leat_zabbix_history *history)
{
    struct lt_zabbix *z = lt_zabbix(session);
    int status = lt_zabbix_enter(session, LT_ZABBIX_IN(ROWS));

    if (status != LEAT_OK)
        return status;
    return lt_zabbix_leave(z, put_history(z, history));
}

int lt_zabbix_put_rows(leat_session *session, const void *text, size_t length)
{
    struct lt_zabbix *z = lt_zabbix(session);
    int status = lt_zabbix_enter(session, LT_ZABBIX_IN(ROWS));

    if (status != LEAT_OK)
        return status;
    if (!z->writing->first)
        lt_put_u8(lt_zabbix_target(z), ',');
    z->writing->first = false;
    lt_put_bytes(lt_zabbix_target(z), text, length);
    return lt_zabbix_leave(z, LEAT_OK);
}
