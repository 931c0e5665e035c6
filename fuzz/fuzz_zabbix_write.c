/*
 * Writing, as the input says: calls in any order with any text, some refused. What is sent at the
 * end is read without an error, and tells the rows that were taken. A message that is read is
 * repeated by leat_send() and read as the same.
 */
#include "zabbix.h"

#include <leat/builder.h>
#include <stdbool.h>

struct input {
    const uint8_t *at;
    size_t left;
};

static uint8_t octet(struct input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->at++;
}

/* A piece of the input that ends with a NUL. */
static size_t piece(struct input *in, char *text, size_t size)
{
    size_t length = octet(in) % size;

    if (length > in->left)
        length = in->left;
    memcpy(text, in->at, length);
    text[length] = '\0';
    in->at += length;
    in->left -= length;
    return length;
}

/* Whatever the input says, as JSON or as text. */
static const leat_value *value(struct input *in, leat_builder *builder)
{
    char text[64];
    size_t length = piece(in, text, sizeof text);

    leat_builder_clear(builder);
    if (leat_builder_json(builder, NULL, text, length) != LEAT_OK) {
        leat_builder_clear(builder);
        (void)leat_builder_text(builder, NULL, text, length);
    }
    return leat_builder_value(builder);
}

static void history(struct input *in, leat_zabbix_history *row, char *text, size_t size)
{
    leat_zabbix_history_init(row, sizeof *row);
    row->has = octet(in) | (uint64_t)octet(in) << 8;
    row->id = octet(in);
    row->clock = row->ns = (uint64_t)octet(in) << 24;
    row->value_length = piece(in, text, size);
    row->value = text;
}

/* One call. Returns the rows that it added: to a section or table whose rows are events. */
static size_t call(leat_session *session, struct input *in, leat_builder *builder, bool *events)
{
    static const char *const fields[] = {"a", "b\"", "c"};
    leat_zabbix_history row;
    char name[16], text[64];
    size_t length;

    switch (octet(in) % 11) {
    case 0:
        (void)piece(in, name, sizeof name);
        (void)leat_zabbix_member(session, name, value(in, builder));
        return 0;
    case 1:
        (void)piece(in, name, sizeof name);
        length = piece(in, text, sizeof text);
        (void)leat_zabbix_text(session, name, text, length);
        return 0;
    case 2:
        (void)leat_zabbix_number(session, "clock", octet(in));
        return 0;
    case 3:
        (void)leat_zabbix_object(session, "data");
        return 0;
    case 4:
        if (leat_zabbix_section(session, octet(in) % 2 == 0 ? "history data" : "tasks") == LEAT_OK)
            *events = true;
        return 0;
    case 5:
        if (leat_zabbix_table(session, "t", fields, octet(in) % 4) == LEAT_OK)
            *events = true;
        return 0;
    case 6:
        return leat_zabbix_row(session, value(in, builder)) == LEAT_OK && *events;
    case 7:
        history(in, &row, text, sizeof text);
        return leat_zabbix_history_write(session, &row) == LEAT_OK && *events;
    case 8:
        (void)leat_zabbix_close(session);
        return 0;
    case 9:
        (void)leat_send(session, "message", value(in, builder));
        return 0;
    default:
        (void)piece(in, name, sizeof name);
        if (leat_zabbix_section(session, name) == LEAT_OK)
            *events = false;
        return 0;
    }
}

/* Reads what one session sends; the number of rows. */
static size_t read_back(const void *data, size_t length, leat_builder *last, const char **name)
{
    leat_session *session;
    const leat_event *event;
    size_t rows = 0;
    int status;

    if (leat_zabbix_codec_new(NULL, LEAT_FROM_ANY, &session) != LEAT_OK ||
        leat_feed(session, data, length) != LEAT_OK || leat_recv_eof(session) != LEAT_OK)
        abort();
    leat_builder_clear(last);
    while ((status = leat_next(session, &event)) == LEAT_OK) {
        if (leat_event_error(event) != NULL)
            abort();
        if (leat_event_kind(event) == LEAT_ZABBIX_ROW) {
            rows++;
        } else {
            *name = leat_event_name(event, NULL); /* a constant */
            (void)leat_builder_copy(last, NULL, leat_event_value(event));
        }
    }
    if (status != LEAT_END)
        abort();
    leat_session_free(session);
    return rows;
}

static void repeat(leat_session *session, const char *name, const leat_value *message)
{
    leat_builder *again;
    const void *data;
    size_t length;

    /*
     * It has no rows; a request that a duplicate member hides, or what looks like rows, may be
     * refused.
     */
    if (leat_send(session, name, message) != LEAT_OK)
        return;
    if (leat_builder_new(NULL, &again) != LEAT_OK)
        abort();
    data = leat_send_data(session, &length);
    if (read_back(data, length, again, &name) == 0 &&
        !leat_value_equal(leat_builder_value(again), message))
        abort();
    leat_builder_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    leat_builder *builder, *message;
    leat_session *session;
    const char *name = "";
    const void *sent;
    size_t length, rows = 0;
    bool events = false;

    if (leat_zabbix_codec_new(NULL, LEAT_FROM_ANY, &session) != LEAT_OK ||
        leat_builder_new(NULL, &builder) != LEAT_OK || leat_builder_new(NULL, &message) != LEAT_OK)
        abort();
    (void)leat_zabbix_compress(session, octet(&in) % 2);
    if (leat_zabbix_begin(session) != LEAT_OK)
        abort();
    while (in.left > 0)
        rows += call(session, &in, builder, &events);
    if (leat_send_data(session, &length) != NULL || leat_zabbix_end(session) != LEAT_OK)
        abort();
    sent = leat_send_data(session, &length);
    /* Members that are arrays or tables of their own make rows, too. */
    if (read_back(sent, length, message, &name) < rows || leat_builder_value(message) == NULL)
        abort();
    if (leat_send_done(session, length) != LEAT_OK)
        abort();
    repeat(session, name, leat_builder_value(message));
    leat_session_free(session);
    leat_builder_free(builder);
    leat_builder_free(message);
    return 0;
}
