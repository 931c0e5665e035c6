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
