/* leat decode estreamer|zabbix|broker: the bytes of one direction of a conversation. */
#include "tool.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The header that --body supplies: "ZBXD", the flag of plain text, two little-endian lengths. */
#define BODY_HEADER_BYTES 13u

struct stream {
    leat_session *session;
    struct input input;
    struct output output;
    struct hex_reader hex;
    char *chunk;  /* CHUNK_BYTES of text, for hex */
    bool unsound; /* the text is not hex */
};

/* Prints the events that are ready. Returns what stopped it. */
static int drain(struct stream *stream)
{
    const leat_event *event;
    int status;

    while ((status = leat_next(stream->session, &event)) == LEAT_OK)
        output_event(&stream->output, event, NULL, NULL);
    need_memory(status);
    return status;
}

/* Reads straight into the session's window. */
static void fill(struct stream *stream)
{
    size_t length;
    void *space = leat_recv_space(stream->session, &length);

    if (length == 0)
        return;
    length = input_read(&stream->input, space, length < CHUNK_BYTES ? length : CHUNK_BYTES);
    if (length > 0)
        (void)leat_recv_done(stream->session, length);
    else
        (void)leat_recv_eof(stream->session);
}

static void fill_from_hex(struct stream *stream)
{
    size_t length = input_read(&stream->input, stream->chunk, CHUNK_BYTES);
    bool sound = true;

    if (length == 0) {
        stream->unsound = stream->hex.high >= 0;
        (void)leat_recv_eof(stream->session);
        return;
    }
    length = hex_read(&stream->hex, stream->chunk, length, (uint8_t *)stream->chunk, &sound);
    stream->unsound = !sound;
    need_memory(leat_feed(stream->session, stream->chunk, length));
}

/* --body: the text of one message, which gets the header that it lacks. */
static void fill_with_body(struct stream *stream)
{
    uint8_t header[BODY_HEADER_BYTES] = {'Z', 'B', 'X', 'D', 1};
    size_t length;
    char *body = input_whole(&stream->input, UINT32_MAX, &length);
    size_t i;

    for (i = 0; i < 4; i++)
        header[5 + i] = (uint8_t)(length >> (8 * i));
    stream->output.supplied = sizeof header;
    need_memory(leat_feed(stream->session, header, sizeof header));
    need_memory(leat_feed(stream->session, body, length));
    (void)leat_recv_eof(stream->session);
    free(body);
}

static int run(struct stream *stream, const struct arguments *arguments)
{
    const char *name = stream->input.name;
    const leat_error *error;
    bool is_hex = option_given(arguments, "--hex");
    int status;

    if (option_given(arguments, "--body"))
        fill_with_body(stream);
    while ((status = drain(stream)) == LEAT_MORE && !stream->unsound) {
        if (is_hex)
            fill_from_hex(stream);
        else
            fill(stream);
    }
    if (stream->unsound && (status >= 0 || status == LEAT_E_END)) {
        complain("%s: character %" PRIu64 ": %s", name, stream->hex.at,
                 status == LEAT_MORE ? "not a hex digit" : "the last octet has one digit only");
        return EXIT_MALFORMED;
    }
    if (status != LEAT_END) {
        error = leat_session_error(stream->session);
        complain("%s: offset %" PRIu64 ": %s%s%s", name,
                 output_offset(&stream->output, leat_error_offset(error)), leat_error_text(error),
                 leat_error_field(error)[0] != '\0' ? ": " : "", leat_error_field(error));
        return EXIT_MALFORMED;
    }
    return output_undecodable(&stream->output, name) ? EXIT_MALFORMED : EXIT_DONE;
}

int decode_stream(const struct arguments *arguments)
{
    const struct dialect *dialect = dialect_find(arguments->command->noun);
    struct stream stream;
    const char *who = option_value(arguments, "--from");
    uint32_t from = LEAT_FROM_ANY;
    int code = EXIT_USAGE;

    if (dialect == NULL)
        return EXIT_USAGE;
    memset(&stream, 0, sizeof stream);
    stream.hex.high = -1;
    if (who != NULL && !from_read(who, strlen(who), &from)) {
        complain("--from %s: not client, server, proxy, agent or sender", who);
        return EXIT_USAGE;
    }
    if (option_given(arguments, "--body") && option_given(arguments, "--hex")) {
        complain("--body and --hex exclude each other");
        return EXIT_USAGE;
    }
    stream.session = dialect_open(dialect, from);
    if (stream.session == NULL) {
        complain("--from %s: %s has no such side", who, dialect->title);
        return EXIT_USAGE;
    }
    if (input_open(&stream.input, arguments->operands[0])) {
        stream.chunk = malloc(CHUNK_BYTES);
        need_memory(stream.chunk != NULL ? LEAT_OK : LEAT_E_NOMEM);
        output_open(&stream.output);
        code = run(&stream, arguments);
        output_close(&stream.output);
        free(stream.chunk);
        input_close(&stream.input);
    }
    leat_session_free(stream.session);
    return code;
}
