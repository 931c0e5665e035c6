/*
 * Zeek's messages and the records of its logs. What is read is written so that it reads the same.
 *
 * The first octet is the number of fields of a log, each with a type and a subtype behind it, and
 * then comes a record of that log; or it is 0 and what follows is a value of Broker.
 */
#include "input.h"
#include "tell.h"

#include <leat/broker.h>
#include <leat/zeek.h>

#define MOST_FIELDS 20

static void must(int sound)
{
    if (!sound)
        abort();
}

static leat_builder *builder(void)
{
    leat_builder *made;

    must(leat_builder_new(NULL, &made) == LEAT_OK);
    return made;
}

static leat_zeek_message fresh(void)
{
    leat_zeek_message message;

    leat_zeek_message_init(&message, sizeof message);
    return message;
}

static void same_text(const void *a, size_t a_length, const void *b, size_t b_length)
{
    must(a_length == b_length && (a_length == 0 || memcmp(a, b, a_length) == 0));
}

static void same(const leat_value *a, const leat_value *b)
{
    must((a == NULL) == (b == NULL) && (a == NULL || leat_value_equal(a, b)));
}

static void same_message(const leat_zeek_message *a, const leat_zeek_message *b)
{
    must(a->kind == b->kind);
    same_text(a->name, a->name_length, b->name, b->name_length);
    same_text(a->stream, a->stream_length, b->stream, b->stream_length);
    same_text(a->writer, a->writer_length, b->writer, b->writer_length);
    same_text(a->path, a->path_length, b->path, b->path_length);
    same_text(a->record, a->record_length, b->record, b->record_length);
    same(a->args, b->args);
    same(a->metadata, b->metadata);
    must(a->has_timestamp == b->has_timestamp && a->timestamp_ns == b->timestamp_ns);
    same(a->value, b->value);
    same(a->info, b->info);
    same(a->fields, b->fields);
    same(a->messages, b->messages);
}

/* The same message by the calls that build in place. */
static void build(leat_builder *b, const leat_zeek_message *m)
{
    leat_zeek_message member = fresh();
    const leat_value *arg;

    if (m->kind == LEAT_ZEEK_EVENT) {
        (void)leat_zeek_event_open(b, NULL, m->name, m->name_length);
        for (arg = leat_value_first(m->args); arg != NULL; arg = leat_value_next(m->args, arg))
            (void)leat_builder_copy(b, NULL, arg);
        if (m->metadata != NULL)
            (void)leat_zeek_event_metadata(b);
        for (arg = leat_value_first(m->metadata); arg != NULL;
             arg = leat_value_next(m->metadata, arg))
            (void)leat_builder_copy(b, NULL, arg);
        (void)leat_zeek_event_close(b);
    } else if (m->kind == LEAT_ZEEK_BATCH) {
        (void)leat_zeek_batch_open(b, NULL);
        while (leat_zeek_batch_next(m, &member) == LEAT_OK)
            (void)leat_builder_copy(b, NULL, member.data);
        (void)leat_zeek_batch_close(b);
    } else {
        (void)leat_zeek_write(b, NULL, m);
    }
}

static void check_message(const leat_value *data)
{
    leat_zeek_message message = fresh(), again = fresh(), member = fresh();
    leat_builder *written, *built;
    size_t members = 0;
    int status = leat_zeek_read(data, &message);

    if (status != LEAT_OK) {
        must(status == LEAT_E_SYNTAX && message.kind == 0 && message.what != NULL &&
             message.field != NULL && message.at != NULL);
        return;
    }
    written = builder();
    built = builder();
    status = leat_zeek_write(written, NULL, &message);
    build(built, &message);
    if (status == LEAT_OK) {
        must(leat_value_equal(leat_builder_value(written), leat_builder_value(built)));
        must(leat_zeek_read(leat_builder_value(written), &again) == LEAT_OK);
        same_message(&message, &again);
    } else {
        must(status == LEAT_E_VALUE && leat_error_code(leat_builder_error(built)) == status);
    }
    while (leat_zeek_batch_next(&message, &member) == LEAT_OK) {
        must(leat_zeek_read(member.data, &again) == LEAT_OK);
        same_message(&member, &again);
        must(++members <= leat_value_count(message.messages));
    }
    must(members == leat_value_count(message.messages));
    leat_builder_free(written);
    leat_builder_free(built);
}

static void check_record(const leat_value *fields, const uint8_t *data, size_t size)
{
    leat_builder *record = builder(), *again = builder(), *list = builder();
    leat_buffer *first, *second;
    const void *octets, *others;
    size_t length, other_length;
    int status = leat_zeek_record_read(record, NULL, fields, data, size);

    must(leat_buffer_new(NULL, &first) == LEAT_OK);
    must(leat_buffer_new(NULL, &second) == LEAT_OK);
    if (status == LEAT_OK) {
        must(leat_zeek_record_write(first, fields, leat_builder_value(record)) == LEAT_OK);
        octets = leat_buffer_data(first, &length);
        must(leat_zeek_record_read(again, NULL, fields, octets, length) == LEAT_OK);
        must(leat_value_equal(leat_builder_value(record), leat_builder_value(again)));
        must(leat_zeek_record_read(list, NULL, NULL, data, size) == LEAT_OK);
        must(leat_zeek_record_write(second, fields, leat_builder_value(list)) == LEAT_OK);
        others = leat_buffer_data(second, &other_length);
        same_text(octets, length, others, other_length);
    } else {
        must(leat_error_offset(leat_builder_error(record)) <= size);
        must(status == LEAT_E_SYNTAX || status == LEAT_E_LIMIT);
    }
    leat_buffer_free(first);
    leat_buffer_free(second);
    leat_builder_free(record);
    leat_builder_free(again);
    leat_builder_free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    unsigned fields = take(&input) % (MOST_FIELDS + 1), i;
    leat_builder *b = builder();

    if (fields == 0) {
        if (leat_broker_read(b, NULL, input.at, input.left) == LEAT_OK)
            check_message(leat_builder_value(b));
    } else {
        must(leat_builder_open(b, NULL, LEAT_LIST) == LEAT_OK);
        for (i = 0; i < fields; i++) {
            leat_zeek_log_field field;
            char name = (char)('a' + i);

            leat_zeek_log_field_init(&field, sizeof field);
            field.name = &name;
            field.name_length = 1;
            field.type = take(&input);
            field.subtype = take(&input);
            must(leat_zeek_log_field_write(b, &field) == LEAT_OK);
        }
        must(leat_builder_close(b) == LEAT_OK);
        check_record(leat_builder_value(b), input.at, input.left);
    }
    leat_builder_free(b);
    return 0;
}
