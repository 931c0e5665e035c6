/*
 * Zeek's logs: the lines of a log mean something by its columns, which come once, before them. They belong together
 * by stream, writer and path.
 */
#include "broker_live.h"

#include <stdlib.h>
#include <string.h>

static bool same(const char *a, size_t length, const char *b, size_t b_length)
{
    return length == b_length && memcmp(a, b, length) == 0;
}

static struct log *find(struct logs *logs, const leat_zeek_message *message, const char *path,
                        size_t path_length)
{
    size_t i;

    for (i = 0; i < logs->count; i++) {
        const leat_value *key = leat_builder_value(logs->logs[i].key);
        size_t lengths[3];
        const char *texts[3];
        size_t j;

        for (j = 0; j < 3; j++)
            texts[j] = leat_value_text(leat_value_at(key, j), &lengths[j]);
        if (same(texts[0], lengths[0], message->stream, message->stream_length) &&
            same(texts[1], lengths[1], message->writer, message->writer_length) &&
            same(texts[2], lengths[2], path, path_length))
            return &logs->logs[i];
    }
    return NULL;
}

/* The place of a log that is new; of another one if there are too many. */
static struct log *new_log(struct logs *logs)
{
    struct log *log;

    if (logs->count == LOGS_MAX)
        return &logs->logs[logs->next++ % LOGS_MAX];
    log = &logs->logs[logs->count++];
    need_memory(leat_builder_new(NULL, &log->key));
    need_memory(leat_builder_new(NULL, &log->fields));
    return log;
}

void logs_learn(struct logs *logs, const leat_zeek_message *message)
{
    leat_zeek_log_info info;
    struct log *log;

    leat_zeek_log_info_init(&info, sizeof info);
    if (leat_zeek_log_info_read(message->info, &info) != LEAT_OK ||
        leat_value_json(message->data, NULL, 0) > LOG_BYTES_MAX)
        return;
    log = find(logs, message, info.path, info.path_length);
    if (log == NULL)
        log = new_log(logs);
    leat_builder_clear(log->key);
    (void)leat_builder_open(log->key, NULL, LEAT_LIST);
    (void)leat_builder_text(log->key, NULL, message->stream, message->stream_length);
    (void)leat_builder_text(log->key, NULL, message->writer, message->writer_length);
    (void)leat_builder_text(log->key, NULL, info.path, info.path_length);
    need_memory(leat_builder_close(log->key));
    leat_builder_clear(log->fields);
    need_memory(leat_builder_copy(log->fields, NULL, message->fields));
}

int logs_record(struct logs *logs, leat_builder *builder, const leat_zeek_message *message)
{
    const struct log *log = find(logs, message, message->path, message->path_length);
    int status;

    status =
        leat_zeek_record_read(builder, NULL, log != NULL ? leat_builder_value(log->fields) : NULL,
                              message->record, message->record_length);
    need_memory(status);
    return status;
}

void logs_columns(leat_builder *builder, const leat_value *fields)
{
    const leat_value *value;
    leat_zeek_log_field field;

    leat_zeek_log_field_init(&field, sizeof field);
    (void)leat_builder_open(builder, NULL, LEAT_LIST);
    for (value = leat_value_first(fields); value != NULL; value = leat_value_next(fields, value)) {
        if (leat_zeek_log_field_read(value, &field) != LEAT_OK)
            continue;
        (void)leat_builder_open(builder, NULL, LEAT_RECORD);
        (void)leat_builder_text(builder, "name", field.name, field.name_length);
        (void)leat_builder_u64(builder, "type", field.type);
        if (field.subtype != 0)
            (void)leat_builder_u64(builder, "subtype", field.subtype);
        if (field.secondary != NULL)
            (void)leat_builder_text(builder, "secondary", field.secondary, field.secondary_length);
        (void)leat_builder_bool(builder, "optional", field.optional != 0);
        (void)leat_builder_close(builder);
    }
    need_memory(leat_builder_close(builder));
}

void logs_forget(struct logs *logs)
{
    size_t i;

    for (i = 0; i < logs->count; i++) {
        leat_builder_free(logs->logs[i].key);
        leat_builder_free(logs->logs[i].fields);
    }
    logs->count = 0;
}

/* Lines that are said */

/* 0: it is none. */
static uint32_t type_read(const leat_value *number)
{
    uint64_t type = leat_value_u64(number);

    return type <= UINT32_MAX ? (uint32_t)type : 0;
}

/* The columns, from what logs_columns() makes of them. */
static void read_columns(leat_builder *builder, const leat_value *columns)
{
    const leat_value *column, *secondary;
    leat_zeek_log_field field;

    (void)leat_builder_open(builder, NULL, LEAT_LIST);
    for (column = leat_value_first(columns); column != NULL;
         column = leat_value_next(columns, column)) {
        leat_zeek_log_field_init(&field, sizeof field);
        field.name = leat_value_text(leat_value_get(column, "name"), &field.name_length);
        field.type = type_read(leat_value_get(column, "type"));
        field.subtype = type_read(leat_value_get(column, "subtype"));
        field.optional = leat_value_bool(leat_value_get(column, "optional")) != 0;
        secondary = leat_value_get(column, "secondary");
        if (leat_value_kind(secondary) == LEAT_TEXT)
            field.secondary = leat_value_text(secondary, &field.secondary_length);
        (void)leat_zeek_log_field_write(builder, &field);
    }
    (void)leat_builder_close(builder);
}

/* A list of the info and the columns of a log. */
static int read_create(struct talk *talk, const leat_value *line)
{
    const leat_value *written = leat_value_get(line, "info");
    leat_zeek_log_info info;

    leat_zeek_log_info_init(&info, sizeof info);
    info.path = leat_value_text(leat_value_get(line, "path"), &info.path_length);
    info.post_processor = "";
    (void)leat_builder_open(talk->parts, NULL, LEAT_LIST);
    if (written != NULL)
        (void)talk_value(talk, talk->parts, written);
    else
        (void)leat_zeek_log_info_write(talk->parts, NULL, &info);
    read_columns(talk->parts, leat_value_get(line, "fields"));
    return leat_builder_close(talk->parts);
}

/* What Broker's JSON calls the types that have a form of their own there, which is that of lines, too. */
static const char *form_of(uint32_t type)
{
    switch (type) {
    case LEAT_ZEEK_TYPE_TIME:
        return "timestamp";
    case LEAT_ZEEK_TYPE_INTERVAL:
        return "timespan";
    case LEAT_ZEEK_TYPE_ENUM:
        return "enum-value";
    case LEAT_ZEEK_TYPE_PORT:
        return "port";
    case LEAT_ZEEK_TYPE_ADDR:
        return "address";
    case LEAT_ZEEK_TYPE_SUBNET:
        return "subnet";
    default:
        return NULL;
    }
}

/* A value of a column, which tells its type, or is of that of the column. */
static void read_field(struct talk *talk, uint32_t type, uint32_t subtype, const leat_value *value)
{
    bool is_set = type == LEAT_ZEEK_TYPE_SET;
    uint32_t kind = leat_value_kind(value);
    const leat_value *element;

    if (kind == LEAT_LIST && (is_set || type == LEAT_ZEEK_TYPE_VECTOR)) {
        (void)leat_builder_open(talk->parts, NULL, is_set ? LEAT_SET : LEAT_LIST);
        for (element = leat_value_first(value); element != NULL;
             element = leat_value_next(value, element))
            read_field(talk, subtype, 0, element);
        (void)leat_builder_close(talk->parts);
    } else if (kind == LEAT_TEXT && form_of(type) != NULL) {
        leat_builder_clear(talk->value);
        (void)leat_builder_open(talk->value, NULL, LEAT_RECORD);
        (void)leat_builder_text(talk->value, "@data-type", form_of(type), strlen(form_of(type)));
        (void)leat_builder_copy(talk->value, "data", value);
        need_memory(leat_builder_close(talk->value));
        (void)talk_value(talk, talk->parts, leat_builder_value(talk->value));
    } else if (kind == LEAT_UINT && type == LEAT_ZEEK_TYPE_INT) {
        (void)leat_builder_i64(talk->parts, NULL, leat_value_i64(value));
    } else {
        (void)talk_value(talk, talk->parts, value);
    }
}

static const leat_value *field_called(const leat_value *record, const char *name, size_t length)
{
    const leat_value *field;
    const char *called;
    size_t called_length;

    for (field = leat_value_first(record); field != NULL; field = leat_value_next(record, field)) {
        called = leat_value_name(field, &called_length);
        if (same(called, called_length, name, length))
            return field;
    }
    return NULL;
}

/* A list of as many values as there are columns. False: the line was refused. */
static bool read_record(struct talk *talk, const leat_value *columns, const leat_value *record)
{
    bool is_list = leat_value_kind(record) == LEAT_LIST;
    leat_zeek_log_field column;
    const leat_value *value;
    size_t count = 0, found = 0;
    int status;

    leat_zeek_log_field_init(&column, sizeof column);
    (void)leat_builder_open(talk->parts, NULL, LEAT_LIST);
    for (value = leat_value_first(columns); value != NULL;
         value = leat_value_next(columns, value)) {
        const leat_value *field;

        if (leat_zeek_log_field_read(value, &column) != LEAT_OK)
            continue;
        field = is_list ? leat_value_at(record, count)
                        : field_called(record, column.name, column.name_length);
        count++;
        found += field != NULL;
        if (field != NULL)
            read_field(talk, column.type, column.subtype, field);
        else
            (void)leat_builder_null(talk->parts, NULL);
    }
    status = leat_builder_close(talk->parts);
    if (status != LEAT_OK)
        talk_judge(talk, status, leat_builder_error(talk->parts));
    else if (found != leat_value_count(record) || (is_list && found != count))
        talk_refuse(talk, "a record of other columns than the log has", "");
    else
        return true;
    return false;
}

/* The record of a line, in talk->text. False: it was refused. */
static bool read_write(struct talk *talk, const leat_value *line, leat_zeek_message *message)
{
    const struct log *log = find(&talk->said, message, message->path, message->path_length);
    const leat_value *columns;
    int status;

    if (log == NULL) {
        talk_refuse(talk, "a line of a log whose columns were not said", "");
        return false;
    }
    columns = leat_builder_value(log->fields);
    if (!read_record(talk, columns, leat_value_get(line, "record")))
        return false;
    leat_buffer_clear(talk->text);
    status = leat_zeek_record_write(talk->text, columns, leat_builder_value(talk->parts));
    talk_judge(talk, status, leat_buffer_error(talk->text));
    message->record = leat_buffer_data(talk->text, &message->record_length);
    return status == LEAT_OK;
}

/* What is wrong with the shape of a line; NULL: nothing is. */
static const char *misshaped(const leat_value *line, bool is_create)
{
    uint32_t record = leat_value_kind(leat_value_get(line, "record"));

    if (leat_value_kind(leat_value_get(line, is_create ? "log_create" : "log_write")) !=
            LEAT_TEXT ||
        leat_value_kind(leat_value_get(line, "writer")) != LEAT_TEXT ||
        leat_value_kind(leat_value_get(line, "path")) != LEAT_TEXT)
        return "a stream, writer or path that is not a text";
    if (is_create && leat_value_kind(leat_value_get(line, "fields")) != LEAT_LIST)
        return "fields is not a list";
    if (!is_create && record != LEAT_RECORD && record != LEAT_LIST)
        return "there is no record";
    return NULL;
}

bool logs_say(struct talk *talk, const leat_value *line)
{
    const leat_value *create = leat_value_get(line, "log_create");
    const leat_value *stream = create != NULL ? create : leat_value_get(line, "log_write");
    const char *problem = misshaped(line, create != NULL);
    leat_zeek_message message;
    int status;

    if (problem != NULL) {
        talk_refuse(talk, problem, "");
        return false;
    }
    leat_zeek_message_init(&message, sizeof message);
    message.kind = create != NULL ? LEAT_ZEEK_LOG_CREATE : LEAT_ZEEK_LOG_WRITE;
    message.stream = leat_value_text(stream, &message.stream_length);
    message.writer = leat_value_text(leat_value_get(line, "writer"), &message.writer_length);
    message.path = leat_value_text(leat_value_get(line, "path"), &message.path_length);
    leat_builder_clear(talk->parts);
    if (create != NULL) {
        status = read_create(talk, line);
        if (status != LEAT_OK) {
            talk_judge(talk, status, leat_builder_error(talk->parts));
            return false;
        }
        message.info = leat_value_at(leat_builder_value(talk->parts), 0);
        message.fields = leat_value_at(leat_builder_value(talk->parts), 1);
    } else if (!read_write(talk, line, &message)) {
        return false;
    }
    leat_builder_clear(talk->value);
    status = leat_zeek_write(talk->value, NULL, &message);
    talk_judge(talk, status, leat_builder_error(talk->value));
    message.data = leat_builder_value(talk->value);
    if (status == LEAT_OK && create != NULL)
        logs_learn(&talk->said, &message);
    return status == LEAT_OK;
}
