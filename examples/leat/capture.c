/*
 * leat decode capture: a recorded conversation, a JSON object a line.
 *
 *     {"dir":"proxy>server","t":0.0012,"hex":"5a425844..."}    octets that one side sent
 *     {"dir":"proxy>server","t":0.0100,"ev":"eof"}             it will send no more
 *
 * Where several connections share the file, "conn" tells them apart; each direction of each is a
 * stream of its own. "event" may stand in place of "ev"; "open" and "closed" end both
 * directions.
 */
#include "tool.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* One direction of one connection. */
struct stream {
    leat_session *session;
    struct origin origin;
    struct stream *next;
    bool over;  /* it ended or failed: nothing more is read from it */
    char dir[]; /* origin.dir */
};

struct capture {
    const struct dialect *dialect;
    struct input input;
    struct output output;
    leat_builder *line;
    uint64_t line_number;
    struct stream *streams;
    bool failed;
};

/* Who speaks, by the left side of the dir. Of a>b, a is the side that opened the connection. */
static uint32_t speaker(const struct origin *origin)
{
    const char *end = memchr(origin->dir, '>', origin->dir_length);
    uint32_t from = LEAT_FROM_ANY;

    if (end == NULL)
        return LEAT_FROM_ANY;
    if (end - origin->dir == 1 && origin->dir[0] == 'a')
        return LEAT_FROM_CLIENT;
    if (end - origin->dir == 1 && origin->dir[0] == 'b')
        return LEAT_FROM_SERVER;
    (void)from_read(origin->dir, (size_t)(end - origin->dir), &from);
    return from;
}

static bool same_connection(const struct origin *a, const struct origin *b)
{
    return a->has_conn == b->has_conn && a->conn == b->conn;
}

static struct stream *find_stream(struct capture *capture, const struct origin *origin)
{
    struct stream *stream;

    for (stream = capture->streams; stream != NULL; stream = stream->next) {
        if (same_connection(&stream->origin, origin) &&
            stream->origin.dir_length == origin->dir_length &&
            memcmp(stream->dir, origin->dir, origin->dir_length) == 0)
            break;
    }
    return stream;
}

static struct stream *open_stream(struct capture *capture, const struct origin *origin)
{
    struct stream *stream = malloc(sizeof *stream + origin->dir_length);

    need_memory(stream != NULL ? LEAT_OK : LEAT_E_NOMEM);
    stream->session = dialect_open(capture->dialect, speaker(origin));
    if (stream->session == NULL)
        stream->session = dialect_open(capture->dialect, LEAT_FROM_ANY);
    stream->origin = *origin;
    memcpy(stream->dir, origin->dir, origin->dir_length);
    stream->origin.dir = stream->dir;
    stream->over = false;
    stream->next = capture->streams;
    capture->streams = stream;
    return stream;
}

/* Prints the events that are ready, and why there will be no more. */
static void drain(struct capture *capture, struct stream *stream)
{
    const leat_error *error;
    const leat_event *event;
    int status;

    while ((status = leat_next(stream->session, &event)) == LEAT_OK)
        output_event(&capture->output, event, &stream->origin, NULL);
    need_memory(status);
    stream->over = status != LEAT_MORE;
    if (status < 0) {
        char conn[32] = "";

        error = leat_session_error(stream->session);
        if (stream->origin.has_conn)
            (void)snprintf(conn, sizeof conn, " of connection %" PRIu64, stream->origin.conn);
        complain("%s: line %" PRIu64 ": %.*s%s: offset %" PRIu64 ": %s%s%s", capture->input.name,
                 capture->line_number, (int)stream->origin.dir_length, stream->dir, conn,
                 leat_error_offset(error), leat_error_text(error),
                 leat_error_field(error)[0] != '\0' ? ": " : "", leat_error_field(error));
        capture->failed = true;
    }
}

static void end_stream(struct capture *capture, struct stream *stream)
{
    if (stream->over)
        return;
    (void)leat_recv_eof(stream->session);
    drain(capture, stream);
}

/* Ends and forgets the streams of a connection; of all if origin is NULL. */
static void end_connection(struct capture *capture, const struct origin *origin)
{
    struct stream **place = &capture->streams;

    while (*place != NULL) {
        struct stream *stream = *place;

        if (origin != NULL && !same_connection(&stream->origin, origin)) {
            place = &stream->next;
            continue;
        }
        end_stream(capture, stream);
        *place = stream->next;
        leat_session_free(stream->session);
        free(stream);
    }
}

static bool is_word(const leat_value *value, const char *word)
{
    size_t length;
    const char *text = leat_value_text(value, &length);

    return length == strlen(word) && memcmp(text, word, length) == 0;
}

/* Octets that one side sent. */
static const char *take_chunk(struct capture *capture, const struct origin *origin,
                              const leat_value *digits)
{
    struct hex_reader hex = {-1, 0};
    struct stream *stream;
    uint8_t *octets;
    size_t length;
    const char *text = leat_value_text(digits, &length);
    bool sound;

    if (origin->dir_length == 0)
        return "dir is missing";
    octets = malloc(length / 2 + 1);
    need_memory(octets != NULL ? LEAT_OK : LEAT_E_NOMEM);
    length = hex_read(&hex, text, length, octets, &sound);
    if (!sound || hex.high >= 0) {
        free(octets);
        return "hex is not hex digits";
    }
    stream = find_stream(capture, origin);
    if (stream == NULL)
        stream = open_stream(capture, origin);
    if (!stream->over) {
        need_memory(leat_feed(stream->session, octets, length));
        drain(capture, stream);
    }
    free(octets);
    return NULL;
}

/* What happened to the connection besides octets. */
static void take_event(struct capture *capture, const struct origin *origin,
                       const leat_value *event)
{
    struct stream *stream;

    if (is_word(event, "open") || is_word(event, "closed")) {
        end_connection(capture, origin);
    } else if (is_word(event, "eof") || is_word(event, "error")) {
        stream = find_stream(capture, origin);
        if (stream != NULL)
            end_stream(capture, stream);
    }
}

/* One line of the recording. Returns what is wrong with it, or NULL. */
static const char *take_line(struct capture *capture, const char *text, size_t length)
{
    const leat_value *line;
    const leat_value *conn;
    const leat_value *digits;
    const leat_value *event;
    struct origin origin;

    leat_builder_clear(capture->line);
    if (leat_builder_json(capture->line, NULL, text, length) != LEAT_OK) {
        need_memory(leat_error_code(leat_builder_error(capture->line)));
        return leat_error_text(leat_builder_error(capture->line));
    }
    line = leat_builder_value(capture->line);
    memset(&origin, 0, sizeof origin);
    origin.dir = leat_value_text(leat_value_get(line, "dir"), &origin.dir_length);
    conn = leat_value_get(line, "conn");
    origin.has_conn = conn != NULL;
    origin.conn = leat_value_u64(conn);
    event = leat_value_get(line, "ev");
    if (event == NULL)
        event = leat_value_get(line, "event");
    digits = leat_value_get(line, "hex");
    if (leat_value_kind(digits) == LEAT_TEXT)
        return take_chunk(capture, &origin, digits);
    if (leat_value_kind(event) != LEAT_TEXT)
        return "neither hex nor ev";
    take_event(capture, &origin, event);
    return NULL;
}

static int run(struct capture *capture)
{
    const char *problem = NULL;
    const char *line;
    size_t length;

    while (problem == NULL && input_line(&capture->input, &line, &length)) {
        capture->line_number++;
        problem = take_line(capture, line, length);
    }
    if (problem != NULL) {
        complain("%s: line %" PRIu64 ": %s", capture->input.name, capture->line_number, problem);
        capture->failed = true;
    }
    end_connection(capture, NULL);
    if (output_undecodable(&capture->output, capture->input.name))
        capture->failed = true;
    return capture->failed ? EXIT_MALFORMED : EXIT_DONE;
}

int decode_capture(const struct arguments *arguments)
{
    struct capture capture;
    int code;

    memset(&capture, 0, sizeof capture);
    capture.dialect = dialect_find(arguments->operands[0]);
    if (capture.dialect == NULL || !input_open(&capture.input, arguments->operands[1]))
        return EXIT_USAGE;
    output_open(&capture.output);
    need_memory(leat_builder_new(NULL, &capture.line));
    code = run(&capture);
    leat_builder_free(capture.line);
    output_close(&capture.output);
    input_close(&capture.input);
    return code;
}
