/* Messages of Broker as lines of JSON, both ways: what is printed can be read again. */
#include "broker_live.h"

#include <inttypes.h>
#include <leat/zeek.h>
#include <stdlib.h>
#include <string.h>

/* Between two turns of the connections. */
#define LINES_AT_ONCE  1024u
#define OCTETS_AT_ONCE ((size_t)1 << 20) /* a line more, however long */

bool talk_open(struct talk *talk, const struct arguments *arguments)
{
    live_begin(&talk->live, arguments);
    talk->live.counted = "messages";
    talk->arguments = arguments;
    talk->plain = option_given(arguments, "--plain");
    talk->exit_when_empty = option_given(arguments, "--exit-when-empty");
    talk->lines_at_once = LINES_AT_ONCE;
    output_open(&talk->output);
    new_buffer(&talk->text);
    need_memory(leat_builder_new(NULL, &talk->line));
    need_memory(leat_builder_new(NULL, &talk->parts));
    need_memory(leat_builder_new(NULL, &talk->value));
    return input_open(&talk->input, NULL);
}

void talk_close(struct talk *talk)
{
    leat_builder_free(talk->value);
    leat_builder_free(talk->parts);
    leat_builder_free(talk->line);
    leat_buffer_free(talk->text);
    output_close(&talk->output);
    logs_forget(&talk->logs);
    logs_forget(&talk->said);
    free(talk->input.buffer);
    live_close(&talk->live);
}

bool id_read(const char *text, size_t length, uint8_t id[16])
{
    size_t at = 0;
    size_t i;

    if (length != 36)
        return false;
    for (i = 0; i < 16; i++, at += 2) {
        uint64_t octet;

        if ((i == 4 || i == 6 || i == 8 || i == 10) && text[at++] != '-')
            return false;
        if (!number_read(text + at, 2, 16, &octet))
            return false;
        id[i] = (uint8_t)octet;
    }
    return true;
}

/* Lines that come in */

void talk_refuse(struct talk *talk, const char *problem, const char *field)
{
    complain("%s: line %" PRIu64 ": %s%s%s", talk->input.name, talk->lines, problem,
             field[0] != '\0' ? ": " : "", field);
    talk->failed = true;
}

void talk_judge(struct talk *talk, int status, const leat_error *error)
{
    need_memory(status);
    if (status != LEAT_OK)
        talk_refuse(talk, leat_error_text(error), leat_error_field(error));
}

bool talk_fields(struct talk *talk, const leat_value *line, const char *const *names)
{
    const char *unknown;
    size_t length;
    char text[64];

    if (fields_known(line, names, &unknown, &length))
        return true;
    (void)snprintf(text, sizeof text, "%.*s", length < sizeof text ? (int)length : 0, unknown);
    talk_refuse(talk, "a field that is not known", text);
    return false;
}

/* How deep lists are is bounded by what was read. */
int talk_value(struct talk *talk, leat_builder *builder, const leat_value *value)
{
    const leat_value *element;
    const char *text;
    size_t length;

    if (leat_value_kind(value) == LEAT_LIST) {
        (void)leat_builder_open(builder, NULL, LEAT_LIST);
        for (element = leat_value_first(value); element != NULL;
             element = leat_value_next(value, element))
            (void)talk_value(talk, builder, element);
        return leat_builder_close(builder);
    }
    if (leat_value_kind(value) != LEAT_RECORD)
        return leat_builder_copy(builder, NULL, value);
    leat_buffer_clear(talk->text);
    need_memory(leat_buffer_json(talk->text, value));
    text = leat_buffer_data(talk->text, &length);
    return leat_broker_json_read(builder, NULL, text, length);
}

/* Reads the arguments or the value of a Zeek message, and writes the message. */
static const leat_error *add_zeek(struct talk *talk, const leat_value *line)
{
    const leat_value *metadata = leat_value_get(line, "metadata");
    const leat_value *event = leat_value_get(line, "event");
    const leat_value *content = leat_value_get(line, event != NULL ? "args" : "value");
    const leat_value *parts;
    leat_zeek_message message;

    leat_builder_clear(talk->parts);
    (void)leat_builder_open(talk->parts, NULL, LEAT_LIST);
    if (content != NULL) {
        (void)talk_value(talk, talk->parts, content);
    } else {
        (void)leat_builder_open(talk->parts, NULL, LEAT_LIST);
        (void)leat_builder_close(talk->parts);
    }
    if (metadata != NULL)
        (void)talk_value(talk, talk->parts, metadata);
    if (leat_builder_close(talk->parts) != LEAT_OK)
        return leat_builder_error(talk->parts);
    parts = leat_builder_value(talk->parts);
    leat_zeek_message_init(&message, sizeof message);
    message.kind = event != NULL ? LEAT_ZEEK_EVENT : LEAT_ZEEK_IDENTIFIER_UPDATE;
    message.name = leat_value_text(event != NULL ? event : leat_value_get(line, "identifier"),
                                   &message.name_length);
    message.args = message.value = leat_value_at(parts, 0);
    message.metadata = leat_value_at(parts, 1);
    if (leat_zeek_write(talk->value, NULL, &message) != LEAT_OK)
        return leat_builder_error(talk->value);
    return NULL;
}

static bool is_log(const leat_value *line)
{
    return leat_value_get(line, "log_create") != NULL || leat_value_get(line, "log_write") != NULL;
}

/* What is wrong with the shape of a message; NULL: nothing is. */
static const char *misshaped(const leat_value *line)
{
    const leat_value *data = leat_value_get(line, "data");
    const leat_value *event = leat_value_get(line, "event");
    const leat_value *identifier = leat_value_get(line, "identifier");
    const leat_value *args = leat_value_get(line, "args");
    const leat_value *to = leat_value_get(line, "to");
    uint8_t id[16];
    size_t length;
    const char *text = leat_value_text(to, &length);

    if ((data != NULL) + (event != NULL) + (identifier != NULL) +
            (leat_value_get(line, "log_create") != NULL) +
            (leat_value_get(line, "log_write") != NULL) !=
        1)
        return "neither data nor an event nor an identifier nor of a log, or several of them";
    if (leat_value_kind(leat_value_get(line, "topic")) != LEAT_TEXT)
        return "the topic is not a text";
    if (data == NULL && !is_log(line) &&
        leat_value_kind(event != NULL ? event : identifier) != LEAT_TEXT)
        return "a name that is not a text";
    if (identifier != NULL && leat_value_get(line, "value") == NULL)
        return "there is no value";
    if (args != NULL && leat_value_kind(args) != LEAT_LIST)
        return "args is not a list";
    if (to != NULL && !id_read(text, length, id))
        return "to is not an id";
    return NULL;
}

/* What a line says, into talk->value. False: it was refused. */
static bool write_letter(struct talk *talk, const leat_value *line)
{
    const leat_value *data = leat_value_get(line, "data");
    const leat_error *error = NULL;

    if (is_log(line))
        return logs_say(talk, line);
    leat_builder_clear(talk->value);
    if (data == NULL)
        error = add_zeek(talk, line);
    else if (talk_value(talk, talk->value, data) != LEAT_OK)
        error = leat_builder_error(talk->value);
    if (error != NULL)
        talk_judge(talk, leat_error_code(error), error);
    return error == NULL;
}

static void take_letter(struct talk *talk, const leat_value *line)
{
    static const char *const names[] = {"topic",     "data",       "event", "args",   "value",
                                        "metadata",  "identifier", "from",  "to",     "log_create",
                                        "log_write", "writer",     "path",  "fields", "info",
                                        "record",    NULL};
    const char *problem = misshaped(line);
    struct letter letter;
    const char *text;
    size_t length;

    if (!talk_fields(talk, line, names))
        return;
    if (problem != NULL) {
        talk_refuse(talk, problem, "");
        return;
    }
    if (!write_letter(talk, line))
        return;
    letter.topic = leat_value_text(leat_value_get(line, "topic"), &letter.topic_length);
    letter.data = leat_builder_value(talk->value);
    text = leat_value_text(leat_value_get(line, "to"), &length);
    letter.to = id_read(text, length, letter.id) ? letter.id : NULL;
    talk->publish(talk, &letter);
}

static void take_line(struct talk *talk, const char *text, size_t length)
{
    const char *problem;
    const leat_value *line = record_read(talk->line, text, length, &problem);

    if (line == NULL)
        talk_refuse(talk, problem, "");
    else if (leat_value_get(line, "topic") != NULL)
        take_letter(talk, line);
    else if (is_command(line, "stop"))
        live_stop(&talk->live);
    else
        talk->command(talk, line);
}

static void read_input(struct live *live)
{
    struct talk *talk = live->data;

    (void)input_pull(&talk->input);
}

void talk_begin(struct talk *talk)
{
    talk->live.input = &talk->input;
    talk->live.read = read_input;
    talk->reading = true;
}

void talk_turn(struct talk *talk)
{
    struct live *live = &talk->live;
    bool held = talk->reading && talk->waits(talk, false);
    const char *text;
    size_t length;
    size_t taken = 0, octets = 0;
    bool enough = false;

    if (!talk->reading)
        return;
    while (!held && !live->stopping && !enough && input_whole_line(&talk->input, &text, &length)) {
        talk->lines++;
        octets += length;
        enough = ++taken == talk->lines_at_once || octets > OCTETS_AT_ONCE;
        take_line(talk, text, length);
    }
    if (live->stopping)
        return;
    if (enough)
        live->due = live->now; /* there may be more lines: others have their turns before them */
    live->input = held || enough || talk->input.ended ? NULL : &talk->input;
    if (talk->input.ended && !held && !enough && talk->exit_when_empty && !talk->waits(talk, true))
        live_stop(live);
}

bool talk_is_over(const struct talk *talk)
{
    return talk->reading && talk->input.ended && talk->input.start == talk->input.end;
}

/* Lines that go out */

/* NaN has a form in Broker's JSON that JSON lacks. Quotes inside of texts have a backslash in front. */
static bool has_nan(const char *text, size_t length)
{
    static const char nan[] = "\"data\":nan";
    const char *end = text + length;

    while ((text = memchr(text, '"', (size_t)(end - text))) != NULL) {
        if ((size_t)(end - text) >= sizeof nan - 1 && memcmp(text, nan, sizeof nan - 1) == 0)
            return true;
        text++;
    }
    return false;
}

/* A value that tells its type, if it can be said so: a text that is not UTF-8 cannot. */
static void put_value(struct talk *talk, const char *before, const leat_value *value)
{
    const char *text;
    size_t length;
    int status;

    leat_buffer_clear(talk->text);
    status = talk->plain ? LEAT_E_VALUE : leat_broker_json(talk->text, value);
    need_memory(status);
    text = leat_buffer_data(talk->text, &length);
    if (status != LEAT_OK || has_nan(text, length)) {
        output_put(&talk->output, before, value);
        return;
    }
    (void)fputs(before, stdout);
    (void)fwrite(text, 1, length, stdout);
}

static void put_values(struct talk *talk, const char *before, const leat_value *list)
{
    const leat_value *value;
    const char *comma = "";

    (void)fputs(before, stdout);
    (void)fputc('[', stdout);
    for (value = leat_value_first(list); value != NULL; value = leat_value_next(list, value)) {
        put_value(talk, comma, value);
        comma = ",";
    }
    (void)fputc(']', stdout);
}

static void put_log(struct talk *talk, const leat_zeek_message *message)
{
    struct output *output = &talk->output;
    bool is_create = message->kind == LEAT_ZEEK_LOG_CREATE;
    leat_zeek_log_info info;

    leat_zeek_log_info_init(&info, sizeof info);
    output_put_text(output, is_create ? ",\"log_create\":" : ",\"log_write\":", message->stream,
                    message->stream_length);
    output_put_text(output, ",\"writer\":", message->writer, message->writer_length);
    leat_builder_clear(talk->parts);
    if (is_create) {
        logs_learn(&talk->logs, message);
        if (leat_zeek_log_info_read(message->info, &info) == LEAT_OK)
            output_put_text(output, ",\"path\":", info.path, info.path_length);
        if (!talk->plain)
            put_value(talk, ",\"info\":", message->info);
        logs_columns(talk->parts, message->fields);
        output_put(output, ",\"fields\":", leat_builder_value(talk->parts));
        return;
    }
    output_put_text(output, ",\"path\":", message->path, message->path_length);
    if (logs_record(&talk->logs, talk->parts, message) == LEAT_OK) {
        output_put(output, ",\"record\":", leat_builder_value(talk->parts));
    } else {
        const char *problem = leat_error_text(leat_builder_error(talk->parts));

        output_put_text(output, ",\"error\":", problem, strlen(problem));
    }
}

static void put_zeek(struct talk *talk, const leat_zeek_message *message)
{
    struct output *output = &talk->output;

    switch (message->kind) {
    case LEAT_ZEEK_EVENT:
        output_put_text(output, ",\"event\":", message->name, message->name_length);
        put_values(talk, ",\"args\":", message->args);
        if (leat_value_count(message->metadata) > 0)
            put_value(talk, ",\"metadata\":", message->metadata);
        break;
    case LEAT_ZEEK_IDENTIFIER_UPDATE:
        output_put_text(output, ",\"identifier\":", message->name, message->name_length);
        put_value(talk, ",\"value\":", message->value);
        break;
    default:
        put_log(talk, message);
        break;
    }
}

/* What each line of a message begins with, and then what is in it: data, unless it is a Zeek message. */
static void put_line(struct talk *talk, const leat_value *topic, const leat_value *from,
                     const leat_value *data, const leat_zeek_message *message)
{
    output_put(&talk->output, "{\"topic\":", topic);
    if (from != NULL)
        output_put(&talk->output, ",\"from\":", from);
    if (message != NULL)
        put_zeek(talk, message);
    else
        put_value(talk, ",\"data\":", data);
    (void)fputs("}\n", stdout);
    talk->printed = true;
    talk->live.count++;
}

void talk_print(struct talk *talk, const leat_value *topic, const leat_value *from,
                const leat_value *data)
{
    leat_zeek_message message, member;

    leat_zeek_message_init(&message, sizeof message);
    leat_zeek_message_init(&member, sizeof member);
    if (leat_zeek_read(data, &message) != LEAT_OK) {
        put_line(talk, topic, from, data, NULL);
    } else if (message.kind != LEAT_ZEEK_BATCH) {
        put_line(talk, topic, from, data, &message);
    } else {
        while (leat_zeek_batch_next(&message, &member) == LEAT_OK)
            put_line(talk, topic, from, member.data,
                     member.kind != LEAT_ZEEK_BATCH ? &member : NULL);
    }
}

void talk_tell(struct talk *talk, const struct connection *connection, const leat_event *event)
{
    if (connection != NULL)
        print_event(&talk->output, connection, event, NULL);
    else
        output_news(&talk->output, leat_event_name(event, NULL), NULL, leat_event_value(event));
    talk->printed = true;
}

void talk_flush(struct talk *talk)
{
    if (talk->printed)
        output_flush();
    talk->printed = false;
}
