/*
 * Writing: members and rows as text, deflated in pieces if asked for, behind room for the header.
 *
 * A message stands at the end of the output and is held back until its lengths are known.
 * Everything is checked before it is written, so a refused call leaves the message as it was; only
 * when memory or the limit of the output runs out, the message is lost, since what was deflated
 * cannot be taken back.
 */
#include "write.h"

#include "../core/text.h"

int lt_zabbix_refuse(struct lt_zabbix *z, const char *what, const char *field)
{
    uint64_t at = z->writing == NULL ? 0 : z->writing->text;

    return lt_refuse(&z->core, LEAT_E_VALUE, (size_t)at, what, field);
}

int lt_zabbix_no_room(struct lt_zabbix *z, struct lt_writer *writer)
{
    int status = writer->status;

    writer->status = LEAT_OK;
    return lt_refuse(&z->core, status, 0,
                     status == LEAT_E_LIMIT ? "too much output waits" : "out of memory", NULL);
}

/* ---- what may be sent ---- */

/* A 7.0 proxy crashes on a row that is longer than "fields". */
static int check_table(struct lt_zabbix *z, const leat_value *table)
{
    const leat_value *fields = leat_value_get(table, "fields");
    const leat_value *rows = leat_value_get(table, "data");
    const leat_value *row;

    if (leat_value_kind(fields) != LEAT_LIST)
        return LEAT_OK;
    if (rows == NULL && leat_value_get(table, "rows") != NULL)
        return lt_zabbix_refuse(z, "rows that are only counted", "rows");
    if (leat_value_kind(rows) != LEAT_LIST)
        return LEAT_OK;
    for (row = leat_value_first(rows); row != NULL; row = leat_value_next(rows, row)) {
        if (row->kind != LEAT_LIST || row->length != fields->length)
            return lt_zabbix_refuse(z, "a row has more or fewer values than its table has fields",
                                    "data");
    }
    return LEAT_OK;
}

/* A member of the message (top) or of an object in it, for what would break peers. */
static int check_member(struct lt_zabbix *z, const char *name, size_t length,
                        const leat_value *value, bool top)
{
    const struct lt_zabbix_member *known = lt_zabbix_member_find(name, length);
    const leat_value *inner;
    int status;

    if (value->kind != LEAT_RECORD || (known != NULL && strcmp(known->name, "macro.secrets") == 0))
        return LEAT_OK;
    if (top && known != NULL && known->rows && value->length == 1 &&
        leat_value_get(value, "rows") != NULL)
        return lt_zabbix_refuse(z, "rows that are only counted", known->name);
    status = check_table(z, value);
    if (!top || known == NULL || strcmp(known->name, "data") != 0)
        return status;
    for (inner = leat_value_first(value); inner != NULL && status == LEAT_OK;
         inner = leat_value_next(value, inner))
        status = check_member(z, inner->name, inner->name_length, inner, false);
    return status;
}

static int check_message(struct lt_zabbix *z, uint32_t kind, const leat_value *message)
{
    const leat_value *request = leat_value_get(message, "request");
    const leat_value *member;
    int status;

    if (leat_value_kind(message) != LEAT_RECORD)
        return lt_zabbix_refuse(z, "a message is a record", "value");
    if (leat_value_kind(request) == LEAT_TEXT &&
        (lt_zabbix_kind_asks(kind) || kind == LEAT_ZABBIX_REQUEST) &&
        lt_zabbix_request_kind((const char *)request->u.bytes, request->length) != kind)
        return lt_zabbix_refuse(z, "another request than the message's name says", "request");
    status = lt_zabbix_check_value(z, message, 0);
    for (member = leat_value_first(message); member != NULL && status == LEAT_OK;
         member = leat_value_next(message, member))
        status = check_member(z, member->name, member->name_length, member, true);
    return status;
}

/* ---- the message ---- */

static int start(struct lt_zabbix *z, uint32_t kind)
{
    const leat_allocator *allocator = &z->core.allocator;
    struct lt_zabbix_writing *w = z->writing;
    uint8_t *header;
    int status;

    if (w == NULL) {
        w = (struct lt_zabbix_writing *)lt_alloc_zero(allocator, sizeof *w);
        if (w == NULL)
            return lt_refuse(&z->core, LEAT_E_NOMEM, 0, "out of memory", NULL);
        w->piece = lt_writer(allocator, SIZE_MAX);
        w->columns = lt_writer(allocator, SIZE_MAX);
        z->writing = w;
    }
    if (w->open)
        return lt_refuse(&z->core, LEAT_E_STATE, 0, "a message is being written", NULL);
    status = z->rules == NULL ? LEAT_OK : z->rules->begin(z, kind);
    if (status != LEAT_OK)
        return status;
    w->compressed = z->compress;
    w->text = 0;
    w->depth = 0;
    w->first = true;
    w->piece.length = 0;
    w->piece.status = LEAT_OK;
    if (w->compressed) {
        status = lt_deflate_start(&w->deflate, allocator);
        if (status != LEAT_OK)
            return lt_refuse(&z->core, status, 0, "out of memory", NULL);
    }
    header = lt_put(&z->core.out, LT_ZABBIX_HEADER);
    if (header == NULL)
        return lt_zabbix_no_room(z, &z->core.out);
    memset(header, 0, LT_ZABBIX_HEADER);
    z->core.hold_back += LT_ZABBIX_HEADER;
    w->open = true;
    w->mark = lt_zabbix_target(z)->length;
    return LEAT_OK;
}

/* The message is in the output, unless there was no room for it. */
static void tell_sent(struct lt_zabbix *z)
{
    const struct lt_writer *out = &z->core.out;

    if (z->rules != NULL && out->status == LEAT_OK && out->length <= out->limit)
        z->rules->sent(z);
}

/* The lengths are known: the header gets them. */
static int finish(struct lt_zabbix *z)
{
    struct lt_zabbix_writing *w = z->writing;
    struct lt_writer *out = &z->core.out;
    uint8_t octets[LT_ZABBIX_LARGE_HEADER];
    uint8_t *header;
    size_t body, length;
    int status = lt_zabbix_commit(z, true);

    if (status != LEAT_OK)
        return status;
    body = z->core.hold_back - LT_ZABBIX_HEADER;
    length = lt_zabbix_header_write(octets, w->compressed, body, w->compressed ? w->text : 0);
    if (length > LT_ZABBIX_HEADER) {
        if (lt_put(out, length - LT_ZABBIX_HEADER) == NULL)
            return lt_zabbix_no_room(z, out);
        header = out->data + (out->length - body - length);
        memmove(header + length, header + LT_ZABBIX_HEADER, body);
    }
    memcpy(out->data + (out->length - body - length), octets, length);
    z->core.hold_back = 0;
    w->open = false;
    tell_sent(z);
    return LEAT_OK;
}

/* Has the rules look at one member of the message. */
static int judge_member(struct lt_zabbix *z, const char *name, const leat_value *value,
                        enum lt_zabbix_how how)
{
    if (z->rules == NULL)
        return LEAT_OK;
    return z->rules->member(z, name, strlen(name), value, how);
}

/* The same for a member whose value is not there, or not yet. */
static int judge_kind(struct lt_zabbix *z, const char *name, uint32_t kind, enum lt_zabbix_how how)
{
    const leat_value value = {.kind = (uint8_t)kind, .u.cells = 1};

    return judge_member(z, name, &value, how);
}

/* A member in one piece stands there or in the object that is open. */
static enum lt_zabbix_how how_in_place(const struct lt_zabbix *z)
{
    return lt_zabbix_innermost(z->writing) == LT_ZABBIX_TOP ? LT_ZABBIX_COMES_WHOLE
                                                            : LT_ZABBIX_COMES_INSIDE;
}

/* Has the rules look at a message that comes in one piece. */
static int judge(struct lt_zabbix *z, const leat_value *message)
{
    const leat_value *member;
    int status = LEAT_OK;

    if (z->rules == NULL)
        return LEAT_OK;
    for (member = leat_value_first(message); member != NULL && status == LEAT_OK;
         member = leat_value_next(message, member))
        status =
            z->rules->member(z, member->name, member->name_length, member, LT_ZABBIX_COMES_WHOLE);
    return status == LEAT_OK ? z->rules->end(z) : status;
}

static int send_plain(struct lt_zabbix *z, uint32_t kind, const leat_value *value)
{
    const leat_value *body = leat_value_get(value, "body");
    const leat_value *reason = leat_value_get(value, "error");
    const uint8_t *octets, *error;
    size_t length, error_length;
    int status;

    octets = leat_value_bytes(body, &length);
    error = leat_value_bytes(reason, &error_length);
    if (leat_value_kind(value) != LEAT_RECORD ||
        leat_value_count(value) != (reason == NULL ? 1u : 2u) ||
        (leat_value_kind(body) != LEAT_TEXT && leat_value_kind(body) != LEAT_BYTES) ||
        (reason != NULL && leat_value_kind(reason) != LEAT_TEXT &&
         leat_value_kind(reason) != LEAT_BYTES))
        return lt_zabbix_refuse(z, "a plain body is text or octets, with or without an error",
                                "body");
    if (kind == LEAT_ZABBIX_UNFRAMED) {
        if (reason != NULL || length != 2 || memcmp(octets, "OK", 2) != 0)
            return lt_zabbix_refuse(z, "only OK goes without a frame", "body");
        status = z->rules == NULL ? LEAT_OK : z->rules->begin(z, kind);
        if (status != LEAT_OK)
            return status;
        lt_put_bytes(&z->core.out, octets, length);
        tell_sent(z);
        return LEAT_OK;
    }
    status = start(z, kind);
    if (status != LEAT_OK)
        return status;
    lt_put_bytes(lt_zabbix_target(z), octets, length);
    if (reason != NULL) {
        lt_put_u8(lt_zabbix_target(z), 0);
        lt_put_bytes(lt_zabbix_target(z), error, error_length);
    }
    return finish(z);
}

int lt_zabbix_send(leat_session *session, const char *name, const leat_value *value)
{
    struct lt_zabbix *z = (struct lt_zabbix *)session;
    uint32_t kind = lt_zabbix_name_kind(name);
    int status;

    if (kind == 0)
        return lt_refuse(session, LEAT_E_STATE, 0, "no message of that name", NULL);
    if (z->writing != NULL && z->writing->open)
        return lt_refuse(session, LEAT_E_STATE, 0, "a message is being written", NULL);
    if (kind == LEAT_ZABBIX_PLAIN || kind == LEAT_ZABBIX_UNFRAMED) {
        status = send_plain(z, kind, value);
    } else {
        status = check_message(z, kind, value);
        if (status == LEAT_OK)
            status = start(z, kind);
        if (status == LEAT_OK)
            status = judge(z, value);
        if (status == LEAT_OK) {
            lt_json_write(lt_zabbix_target(z), value);
            status = finish(z);
        }
    }
    if (z->writing != NULL)
        z->writing->open = false;
    return status;
}

/* ---- piece by piece ---- */

int leat_zabbix_compress(leat_session *session, int on)
{
    struct lt_zabbix *z = lt_zabbix(session);

    if (z == NULL || z->rules != NULL)
        return LEAT_E_STATE;
    z->compress = on != 0;
    return LEAT_OK;
}

int leat_zabbix_begin(leat_session *session)
{
    struct lt_zabbix *z = lt_zabbix(session);
    int status;

    if (z == NULL || session->status < 0)
        return LEAT_E_STATE;
    lt_send_begin(session);
    status = start(z, 0);
    if (status == LEAT_OK) {
        z->writing->places[0] = LT_ZABBIX_TOP;
        z->writing->depth = 1;
        lt_put_u8(lt_zabbix_target(z), '{');
        return lt_zabbix_leave(z, LEAT_OK);
    }
    return lt_send_end(session, status);
}

static int put_name(struct lt_zabbix *z, const char *name)
{
    size_t length = name == NULL ? 0 : strlen(name);
    int status;

    if (name == NULL)
        return lt_zabbix_refuse(z, "no name", "name");
    status = lt_zabbix_check_text(z, name, length, "name");
    if (status != LEAT_OK)
        return status;
    if (!z->writing->first)
        lt_put_u8(lt_zabbix_target(z), ',');
    z->writing->first = false;
    lt_json_write_string(lt_zabbix_target(z), (const uint8_t *)name, length);
    lt_put_u8(lt_zabbix_target(z), ':');
    return LEAT_OK;
}

int leat_zabbix_member(leat_session *session, const char *name, const leat_value *value)
{
    struct lt_zabbix *z = lt_zabbix(session);
    int status = lt_zabbix_enter(session, LT_ZABBIX_IN(TOP) | LT_ZABBIX_IN(DATA));

    if (status != LEAT_OK)
        return status;
    status = put_name(z, name);
    if (status == LEAT_OK && value == NULL)
        status = lt_zabbix_refuse(z, "no value", "value");
    if (status == LEAT_OK)
        status = lt_zabbix_check_value(z, value, z->writing->depth);
    if (status == LEAT_OK)
        status = check_member(z, name, strlen(name), value,
                              lt_zabbix_innermost(z->writing) == LT_ZABBIX_TOP);
    if (status == LEAT_OK)
        status = judge_member(z, name, value, how_in_place(z));
    if (status == LEAT_OK)
        lt_json_write(lt_zabbix_target(z), value);
    return lt_zabbix_leave(z, status);
}

int leat_zabbix_text(leat_session *session, const char *name, const char *text, size_t length)
{
    struct lt_zabbix *z = lt_zabbix(session);
    leat_value value = {.kind = LEAT_TEXT};
    int status = lt_zabbix_enter(session, LT_ZABBIX_IN(TOP) | LT_ZABBIX_IN(DATA));

    if (status != LEAT_OK)
        return status;
    value.u.bytes = (const uint8_t *)text;
    value.length = length > UINT32_MAX ? UINT32_MAX : (uint32_t)length;
    status = lt_zabbix_check_text(z, text, length, "value");
    if (status == LEAT_OK)
        status = put_name(z, name);
    if (status == LEAT_OK)
        status = judge_member(z, name, &value, how_in_place(z));
    if (status == LEAT_OK)
        lt_json_write_string(lt_zabbix_target(z), (const uint8_t *)text, length);
    return lt_zabbix_leave(z, status);
}

int leat_zabbix_number(leat_session *session, const char *name, uint64_t number)
{
    struct lt_zabbix *z = lt_zabbix(session);
    int status = lt_zabbix_enter(session, LT_ZABBIX_IN(TOP) | LT_ZABBIX_IN(DATA));

    if (status != LEAT_OK)
        return status;
    status = put_name(z, name);
    if (status == LEAT_OK)
        status = judge_kind(z, name, LEAT_UINT, how_in_place(z));
    if (status == LEAT_OK)
        lt_write_u64(lt_zabbix_target(z), number);
    return lt_zabbix_leave(z, status);
}

static void open_place(struct lt_zabbix *z, enum lt_zabbix_place place, char bracket)
{
    struct lt_zabbix_writing *w = z->writing;

    lt_put_u8(lt_zabbix_target(z), (uint8_t)bracket);
    w->places[w->depth++] = (uint8_t)place;
    w->first = true;
}

int leat_zabbix_object(leat_session *session, const char *name)
{
    struct lt_zabbix *z = lt_zabbix(session);
    int status = lt_zabbix_enter(session, LT_ZABBIX_IN(TOP));

    if (status != LEAT_OK)
        return status;
    status = put_name(z, name);
    if (status == LEAT_OK)
        status = judge_kind(z, name, LEAT_RECORD, LT_ZABBIX_COMES_OPEN);
    if (status == LEAT_OK)
        open_place(z, LT_ZABBIX_DATA, '{');
    return lt_zabbix_leave(z, status);
}

int leat_zabbix_section(leat_session *session, const char *name)
{
    struct lt_zabbix *z = lt_zabbix(session);
    int status = lt_zabbix_enter(session, LT_ZABBIX_IN(TOP));

    if (status != LEAT_OK)
        return status;
    status = put_name(z, name);
    if (status == LEAT_OK)
        status = judge_kind(z, name, LEAT_LIST, LT_ZABBIX_COMES_OPEN);
    if (status == LEAT_OK) {
        z->writing->by_proxy = strcmp(name, "history data") == 0;
        open_place(z, LT_ZABBIX_ROWS, '[');
    }
    return lt_zabbix_leave(z, status);
}

static int put_fields(struct lt_zabbix *z, const char *const *fields, size_t count)
{
    struct lt_zabbix_writing *w = z->writing;
    size_t i;
    int status;

    w->columns.length = 0;
    w->column_count = count;
    for (i = 0; i < count; i++) {
        size_t length = fields[i] == NULL ? 0 : strlen(fields[i]);

        if (length == 0 || length > UINT16_MAX)
            return lt_zabbix_refuse(z, "a field without a name, or with one over 65535 octets",
                                    "fields");
        status = lt_zabbix_check_text(z, fields[i], length, "fields");
        if (status != LEAT_OK)
            return status;
        lt_put_u16be(&w->columns, (uint16_t)length);
        lt_put_bytes(&w->columns, fields[i], length);
        if (i > 0)
            lt_put_u8(lt_zabbix_target(z), ',');
        lt_json_write_string(lt_zabbix_target(z), (const uint8_t *)fields[i], length);
    }
    status = w->columns.status;
    w->columns.status = LEAT_OK;
    return status == LEAT_OK ? LEAT_OK : lt_refuse(&z->core, status, 0, "out of memory", NULL);
}

int leat_zabbix_table(leat_session *session, const char *name, const char *const *fields,
                      size_t count)
{
    struct lt_zabbix *z = lt_zabbix(session);
    int status = lt_zabbix_enter(session, LT_ZABBIX_IN(TOP) | LT_ZABBIX_IN(DATA));

    if (status != LEAT_OK)
        return status;
    status = put_name(z, name);
    if (status == LEAT_OK) {
        lt_put_text(lt_zabbix_target(z), "{\"fields\":[");
        status = put_fields(z, fields, count);
    }
    if (status == LEAT_OK && z->rules != NULL)
        status = z->rules->table(z, name, strlen(name), fields, count);
    if (status == LEAT_OK) {
        lt_put_text(lt_zabbix_target(z), "],\"data\":");
        z->writing->places[z->writing->depth++] = LT_ZABBIX_TABLE;
        open_place(z, LT_ZABBIX_ROWS, '[');
    }
    return lt_zabbix_leave(z, status);
}

static void close_place(struct lt_zabbix *z)
{
    struct lt_zabbix_writing *w = z->writing;
    bool rows = lt_zabbix_innermost(w) == LT_ZABBIX_ROWS;

    lt_put_u8(lt_zabbix_target(z), rows ? ']' : '}');
    w->depth--;
    if (rows && lt_zabbix_innermost(w) == LT_ZABBIX_TABLE)
        close_place(z);
    w->first = false;
}

int leat_zabbix_close(leat_session *session)
{
    struct lt_zabbix *z = lt_zabbix(session);
    int status = lt_zabbix_enter(session, LT_ZABBIX_IN(DATA) | LT_ZABBIX_IN(ROWS));

    if (status != LEAT_OK)
        return status;
    if (z->rules != NULL && lt_zabbix_innermost(z->writing) == LT_ZABBIX_DATA)
        status = z->rules->close(z);
    if (status == LEAT_OK)
        close_place(z);
    return lt_zabbix_leave(z, status);
}

int leat_zabbix_end(leat_session *session)
{
    struct lt_zabbix *z = lt_zabbix(session);
    int status = lt_zabbix_enter(session, ~0u);

    if (status != LEAT_OK)
        return status;
    if (z->rules != NULL) {
        status = z->rules->end(z);
        if (status != LEAT_OK)
            return lt_zabbix_leave(z, status);
    }
    while (z->writing->depth > 0)
        close_place(z);
    return lt_zabbix_leave(z, finish(z));
}

int leat_zabbix_abort(leat_session *session)
{
    struct lt_zabbix *z = lt_zabbix(session);
    int status = lt_zabbix_enter(session, ~0u);

    if (status == LEAT_OK)
        lt_zabbix_take_back(z);
    return status;
}

void lt_zabbix_writing_free(struct lt_zabbix *z)
{
    struct lt_zabbix_writing *w = z->writing;

    if (w == NULL)
        return;
    lt_deflate_free(&w->deflate);
    lt_writer_free(&w->piece);
    lt_writer_free(&w->columns);
    lt_free(&z->core.allocator, w, sizeof *w);
    z->writing = NULL;
}

size_t lt_zabbix_writing_memory(const struct lt_zabbix *z)
{
    const struct lt_zabbix_writing *w = z->writing;

    return w == NULL ? 0 : sizeof *w + w->deflate.memory.held + w->piece.size + w->columns.size;
}
