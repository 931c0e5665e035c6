#include "../core/session.h"
#include "../core/text.h"
#include "http.h"
#include "json.h"
#include "message.h"
#include "websocket.h"

#include <leat/broker_websocket.h>

static const leat_limits defaults = {
    .size = sizeof defaults,
    .message_bytes = UINT64_C(64) << 20,
    .handshake_bytes = UINT64_C(64) << 10,
    .values = UINT64_C(4) << 20,
    .depth = LT_DEPTH_MAX,
    .queued_bytes = UINT64_C(64) << 20,
};

#define FRAME_CELLS 8u /* of a record without its message */

enum phase { START, HEAD, FRAMES, BODY };

struct codec {
    leat_session session;
    uint32_t from;
    uint8_t phase;
    bool gathering; /* the fragments of a text */
    size_t scanned; /* octets of the head */
    struct lt_writer text;
};

/* ----- reading ----- */

static void add_text(struct lt_tree *tree, const char *name, uint16_t name_length,
                     struct lt_http_text text)
{
    lt_tree_bytes(tree, LEAT_TEXT, name, name_length, text.at, text.length);
}

static leat_value *add_bool(struct lt_tree *tree, const char *name, uint16_t name_length,
                            bool value)
{
    leat_value *cell = lt_tree_push(tree, LEAT_BOOL, name, name_length);

    cell->u.u64 = value;
    cell->length = 0;
    return cell;
}

/* Adds a field for each field of the head. */
static int add_fields(struct lt_tree *tree, struct lt_http_text fields)
{
    size_t record = lt_tree_open(tree, LEAT_RECORD, LT_NAME("fields"));
    struct lt_http_text name, value;
    uint32_t count = 0;

    while (lt_http_field(&fields, &name, &value)) {
        int status = name.length > UINT16_MAX ? LEAT_E_LIMIT : lt_tree_reserve(tree, 2);

        if (status != LEAT_OK)
            return status;
        add_text(tree, name.at, (uint16_t)name.length, value);
        count++;
    }
    lt_tree_close(tree, record, count);
    return LEAT_OK;
}

static int too_much(leat_session *session, int status, size_t at)
{
    return lt_fail(session, status, at,
                   status == LEAT_E_LIMIT ? "too many values" : "out of memory", NULL);
}

static int lend(leat_session *session, uint32_t kind, const char *name, const uint8_t *raw,
                size_t length)
{
    leat_event *event = lt_event(session, kind, name, raw, length, session->consumed);

    event->value = session->tree.cells;
    lt_hold(session, length);
    return LEAT_OK;
}

static int lend_request(struct codec *codec, const uint8_t *text, size_t length)
{
    leat_session *session = &codec->session;
    struct lt_tree *tree = &session->tree;
    struct lt_http_head head;
    struct leat_error error;
    size_t record;
    int status;

    if (lt_http_read_request(text, length, &head, &error) != LEAT_OK)
        return lt_fail(session, error.code, (size_t)error.offset, error.text, NULL);
    status = lt_tree_reserve(tree, 5);
    if (status != LEAT_OK)
        return too_much(session, status, 0);
    record = lt_tree_open(tree, LEAT_RECORD, LT_NO_NAME);
    add_text(tree, LT_NAME("method"), head.method);
    add_text(tree, LT_NAME("target"), head.target);
    lt_tree_u64(tree, LT_NAME("minor"), head.minor);
    status = add_fields(tree, head.fields);
    if (status != LEAT_OK)
        return too_much(session, status, 0);
    lt_tree_close(tree, record, 4);
    codec->phase = FRAMES;
    return lend(session, LEAT_BROKER_REQUEST, "request", text, length);
}

static int lend_response(struct codec *codec, const uint8_t *text, size_t length, bool unfinished)
{
    leat_session *session = &codec->session;
    struct lt_tree *tree = &session->tree;
    struct lt_http_head head;
    struct leat_error error;
    size_t record;
    int status;

    if (lt_http_read_response(text, length, &head, &error) != LEAT_OK)
        return lt_fail(session, error.code, (size_t)error.offset, error.text, NULL);
    status = lt_tree_reserve(tree, 5);
    if (status != LEAT_OK)
        return too_much(session, status, 0);
    record = lt_tree_open(tree, LEAT_RECORD, LT_NO_NAME);
    lt_tree_u64(tree, LT_NAME("minor"), head.minor);
    lt_tree_u64(tree, LT_NAME("status"), head.status);
    add_text(tree, LT_NAME("reason"), head.reason);
    status = add_fields(tree, head.fields);
    if (status == LEAT_OK)
        status = lt_tree_reserve(tree, 1);
    if (status != LEAT_OK)
        return too_much(session, status, 0);
    if (unfinished)
        (void)add_bool(tree, LT_NAME("unfinished"), true);
    lt_tree_close(tree, record, unfinished ? 5 : 4);
    codec->phase = head.status == 101 ? FRAMES : BODY;
    return lend(session, LEAT_BROKER_RESPONSE, "response", text, length);
}

static bool is_response(const struct codec *codec, const uint8_t *text, size_t length)
{
    if (codec->from != LEAT_FROM_ANY)
        return codec->from == LEAT_FROM_SERVER;
    return length >= 5 && memcmp(text, "HTTP/", 5) == 0;
}

static int next_head(struct codec *codec)
{
    leat_session *session = &codec->session;
    const struct lt_reader in = lt_unread(session);
    uint64_t most = session->limits.handshake_bytes;
    size_t limit = most < SIZE_MAX ? (size_t)most : SIZE_MAX;
    struct leat_error error;
    int status = lt_http_scan(&codec->scanned, in.at, lt_left(&in), limit, &error);

    if (status < 0)
        return lt_fail(session, status, (size_t)error.offset, error.text, NULL);
    if (status == LEAT_OK)
        return is_response(codec, in.at, codec->scanned)
                   ? lend_response(codec, in.at, codec->scanned, false)
                   : lend_request(codec, in.at, codec->scanned);
    /* Zeek ends its refusals without the empty line. */
    if (session->eof && in.end[-1] == '\n' && is_response(codec, in.at, lt_left(&in)))
        return lend_response(codec, in.at, lt_left(&in), true);
    return lt_need(session, codec->scanned + 1);
}

static int next_body(struct codec *codec)
{
    leat_session *session = &codec->session;
    const struct lt_reader in = lt_unread(session);
    size_t record;
    int status;

    if (lt_left(&in) > session->limits.handshake_bytes)
        return lt_fail(session, LEAT_E_LIMIT, (size_t)session->limits.handshake_bytes,
                       "a body over the limit", NULL);
    if (!session->eof || lt_left(&in) == 0)
        return lt_need(session, lt_left(&in) + 1);
    status = lt_tree_reserve(&session->tree, 2);
    if (status != LEAT_OK)
        return too_much(session, status, 0);
    record = lt_tree_open(&session->tree, LEAT_RECORD, LT_NO_NAME);
    lt_tree_bytes(&session->tree, LEAT_TEXT, LT_NAME("text"), in.at, lt_left(&in));
    lt_tree_close(&session->tree, record, 1);
    return lend(session, LEAT_BROKER_BODY, "body", in.at, lt_left(&in));
}

/* Gathers texts in pieces. *text is set once one is complete; LEAT_OK, LEAT_E_LIMIT, LEAT_E_NOMEM. */
static int gather(struct codec *codec, const struct lt_ws_frame *frame, const uint8_t *payload,
                  struct lt_reader *text)
{
    size_t length = (size_t)frame->length;
    bool begins = frame->opcode == LT_WS_TEXT;

    *text = lt_reader(NULL, 0);
    if ((frame->opcode & LT_WS_CONTROL) != 0)
        return LEAT_OK;
    if (begins && frame->fin)
        *text = lt_reader(payload, length);
    if (frame->opcode != LT_WS_CONTINUATION) {
        codec->gathering = begins && !frame->fin;
        codec->text.length = 0;
    }
    if (!codec->gathering)
        return LEAT_OK;
    if (codec->session.limits.message_bytes - codec->text.length < length)
        return LEAT_E_LIMIT;
    lt_put_bytes(&codec->text, payload, length);
    if (codec->text.status != LEAT_OK)
        return codec->text.status;
    if (frame->fin) {
        codec->gathering = false;
        *text = lt_reader(codec->text.data, codec->text.length);
    }
    return LEAT_OK;
}

/* Adds what the text says. LEAT_OK: or nothing, if that cannot be told. LEAT_E_NOMEM. */
static int add_message(leat_session *session, struct lt_reader text, uint32_t *fields)
{
    struct lt_tree *tree = &session->tree;
    size_t root = tree->count, depth = (size_t)session->limits.depth, length = lt_left(&text);
    enum lt_broker_json_verdict verdict;
    struct leat_error error;
    int status = lt_broker_read_json_message(tree, depth, LT_NAME("message"), text.at, length,
                                             &verdict, &error);

    if (status == LEAT_E_SYNTAX && verdict == LT_BROKER_JSON_NO_OBJECT) {
        tree->count = root;
        status = lt_broker_read_any_json(tree, depth, LT_NAME("message"), text.at, length, &error);
    }
    if (status == LEAT_OK)
        ++*fields;
    else
        tree->count = root;
    return status == LEAT_E_NOMEM ? status : LEAT_OK;
}

static void add_payload(struct lt_tree *tree, const struct lt_ws_frame *frame,
                        const uint8_t *payload, uint32_t *fields)
{
    bool bytes = frame->opcode == LT_WS_PING || frame->opcode == LT_WS_PONG;
    size_t length = (size_t)frame->length;

    ++*fields;
    if (frame->opcode == LT_WS_CLOSE && length == 0) {
        --*fields;
    } else if (frame->opcode == LT_WS_CLOSE && length > 1) {
        lt_tree_u64(tree, LT_NAME("code"), lt_load_u16be(payload));
        lt_tree_bytes(tree, LEAT_TEXT, LT_NAME("reason"), payload + 2, length - 2);
        ++*fields;
    } else {
        lt_tree_bytes(tree, bytes ? LEAT_BYTES : LEAT_TEXT, LT_NAME("payload"), payload, length);
    }
}

static int lend_frame(struct codec *codec, const struct lt_ws_frame *frame, const uint8_t *raw)
{
    leat_session *session = &codec->session;
    struct lt_tree *tree = &session->tree;
    size_t length = (size_t)frame->length, record;
    const uint8_t *payload = raw + frame->header;
    struct lt_reader text;
    uint32_t fields = 3;
    int status = lt_tree_reserve(tree, FRAME_CELLS);

    if (status == LEAT_OK && frame->masked) {
        uint8_t *unmasked = (uint8_t *)lt_arena_copy(&tree->arena, payload, length);

        if (unmasked == NULL)
            return too_much(session, LEAT_E_NOMEM, 0);
        lt_ws_mask(unmasked, length, frame->key, 0);
        payload = unmasked;
    }
    if (status == LEAT_OK)
        status = gather(codec, frame, payload, &text);
    if (status != LEAT_OK)
        return lt_fail(session, status, 0,
                       status == LEAT_E_LIMIT ? "a message over the limit" : "out of memory", NULL);
    record = lt_tree_open(tree, LEAT_RECORD, LT_NO_NAME);
    (void)add_bool(tree, LT_NAME("fin"), frame->fin);
    lt_tree_u64(tree, LT_NAME("rsv"), frame->rsv);
    lt_tree_u64(tree, LT_NAME("opcode"), frame->opcode);
    if (frame->masked && ++fields > 0)
        lt_tree_bytes(tree, LEAT_BYTES, LT_NAME("key"), raw + frame->header - 4, 4);
    if (frame->extended != lt_ws_extended(frame->length) && ++fields > 0)
        lt_tree_u64(tree, LT_NAME("length_octets"), frame->extended);
    add_payload(tree, frame, payload, &fields);
    if (lt_left(&text) > 0)
        status = add_message(session, text, &fields);
    if (status != LEAT_OK)
        return too_much(session, status, 0);
    lt_tree_close(tree, record, fields);
    return lend(session, LEAT_BROKER_FRAME, "frame", raw, frame->header + length);
}

static int next_frame(struct codec *codec)
{
    leat_session *session = &codec->session;
    const struct lt_reader in = lt_unread(session);
    struct lt_ws_frame frame;

    if (lt_ws_read_frame(in, &frame) != LEAT_OK)
        return lt_need(session, lt_left(&in) < 2 ? 2 : frame.header);
    if (frame.length > session->limits.message_bytes ||
        frame.length > UINT32_MAX - LT_WS_HEADER_MAX)
        return lt_fail(session, LEAT_E_LIMIT, 0, "a message over the limit", NULL);
    if (lt_left(&in) - frame.header < frame.length)
        return lt_need(session, frame.header + (size_t)frame.length);
    return lend_frame(codec, &frame, in.at);
}

static int next(leat_session *session)
{
    struct codec *codec = (struct codec *)(void *)session;
    const struct lt_reader in = lt_unread(session);

    if (lt_left(&in) == 0 && codec->phase != BODY)
        return lt_need(session, 1);
    if (codec->phase == START) /* frames do not begin with a letter, nor with anything but 1 or 8 */
        codec->phase = *in.at >= 'A' && *in.at <= 'Z' ? HEAD : FRAMES;
    if (codec->phase == BODY)
        return next_body(codec);
    return codec->phase == HEAD ? next_head(codec) : next_frame(codec);
}

/* ----- writing ----- */

/* A record that is written. */
struct writing {
    leat_session *session;
    struct lt_writer *out;
    const leat_value *record;
    uint32_t given; /* fields of it that were asked for */
};

/* A field; NULL if it is missing or LEAT_NULL. */
static const leat_value *field(struct writing *w, const char *name)
{
    const leat_value *value = leat_value_get(w->record, name);

    if (value == NULL)
        return NULL;
    w->given++;
    return value->kind == LEAT_NULL ? NULL : value;
}

static int refuse(const struct writing *w, const char *what, const char *name)
{
    return lt_refuse(w->session, LEAT_E_VALUE, 0, what, name);
}

static int number(struct writing *w, const char *name, uint64_t most, uint64_t missing,
                  uint64_t *value)
{
    const leat_value *given = field(w, name);

    *value = given == NULL ? missing : leat_value_u64(given);
    if (given != NULL && (given->kind != LEAT_UINT || *value > most))
        return refuse(w, "not such a number", name);
    return LEAT_OK;
}

/* Writes a text of a head; line ends in it would make another head of it. */
static int put_text(struct writing *w, const char *name, const char *missing)
{
    const leat_value *text = field(w, name);
    size_t start = w->out->length;

    if (text == NULL)
        lt_put_text(w->out, missing);
    else if ((text->kind != LEAT_TEXT && text->kind != LEAT_RECORD) ||
             !lt_broker_put_octets(w->out, text, false))
        return refuse(w, "not a text", name);
    if (w->out->status == LEAT_OK &&
        !lt_http_is_value((const char *)w->out->data + start, w->out->length - start))
        return refuse(w, "control characters in a head", name);
    return LEAT_OK;
}

static int put_fields(struct writing *w)
{
    const leat_value *fields = field(w, "fields"), *value;

    if (fields != NULL && fields->kind != LEAT_RECORD)
        return refuse(w, "not a record", "fields");
    for (value = leat_value_first(fields); value != NULL; value = leat_value_next(fields, value)) {
        struct writing one = {w->session, w->out, value, 0};
        size_t start = w->out->length;

        lt_put_bytes(w->out, value->name, value->name_length);
        lt_put_text(w->out, ": ");
        if ((value->kind != LEAT_TEXT && value->kind != LEAT_RECORD) ||
            !lt_broker_put_octets(w->out, value, false))
            return refuse(&one, "not a text", "fields");
        if (w->out->status == LEAT_OK &&
            !lt_http_is_value((const char *)w->out->data + start, w->out->length - start))
            return refuse(&one, "control characters in a head", "fields");
        lt_put_text(w->out, "\r\n");
    }
    return LEAT_OK;
}

/* What was written must be read as what it is. */
static int check_head(struct writing *w, size_t start, bool request)
{
    const uint8_t *text = w->out->data + start;
    size_t length = w->out->length - start;
    struct lt_http_head head;
    struct leat_error error;

    if (w->out->status != LEAT_OK)
        return LEAT_OK;
    if ((request ? lt_http_read_request(text, length, &head, &error)
                 : lt_http_read_response(text, length, &head, &error)) != LEAT_OK)
        return lt_refuse(w->session, LEAT_E_VALUE, (size_t)error.offset, error.text, NULL);
    return LEAT_OK;
}

static int put_minor(struct writing *w)
{
    uint64_t minor;
    int status = number(w, "minor", 9, 1, &minor);

    lt_put_text(w->out, "HTTP/1.");
    lt_write_u64(w->out, minor);
    return status;
}

static int send_request(struct writing *w)
{
    size_t start = w->out->length;
    int status = put_text(w, "method", "GET");

    lt_put_u8(w->out, ' ');
    if (status == LEAT_OK)
        status = put_text(w, "target", LT_WS_PATH);
    lt_put_u8(w->out, ' ');
    if (status == LEAT_OK)
        status = put_minor(w);
    lt_put_text(w->out, "\r\n");
    if (status == LEAT_OK)
        status = put_fields(w);
    lt_put_text(w->out, "\r\n");
    return status == LEAT_OK ? check_head(w, start, true) : status;
}

static int send_response(struct writing *w)
{
    size_t start = w->out->length;
    const leat_value *unfinished = field(w, "unfinished");
    uint64_t code;
    int status = put_minor(w);

    lt_put_u8(w->out, ' ');
    if (status == LEAT_OK)
        status = number(w, "status", 999, 101, &code);
    if (status != LEAT_OK)
        return status;
    lt_write_u64(w->out, code);
    lt_put_u8(w->out, ' ');
    status = put_text(w, "reason", "");
    lt_put_text(w->out, "\r\n");
    if (status == LEAT_OK)
        status = put_fields(w);
    if (!leat_value_bool(unfinished))
        lt_put_text(w->out, "\r\n");
    return status == LEAT_OK ? check_head(w, start, false) : status;
}

/* Writes a payload as it is given. */
static int put_payload(struct writing *w, const leat_value *payload, bool bytes)
{
    if ((payload->kind != LEAT_TEXT && payload->kind != LEAT_BYTES &&
         payload->kind != LEAT_RECORD) ||
        !lt_broker_put_octets(w->out, payload, bytes))
        return refuse(w, "not a text and not bytes", "payload");
    return LEAT_OK;
}

static int send_body(struct writing *w)
{
    const leat_value *text = field(w, "text");

    return text == NULL ? LEAT_OK : put_payload(w, text, false);
}

/* Writes what a message says. */
static int put_message(struct writing *w, const leat_value *message)
{
    const leat_value *data = leat_value_get(message, "data");
    const leat_value *topic = leat_value_get(message, "topic");
    struct leat_error error;
    size_t length;
    const char *text = leat_value_text(topic, &length);

    if (data == NULL) {
        lt_json_write(w->out, message);
        return LEAT_OK;
    }
    if (lt_broker_put_json_message(w->out, text, length, data, &error) != LEAT_OK)
        return lt_refuse(w->session, error.code, (size_t)error.offset, error.text, error.field);
    return LEAT_OK;
}

static int put_content(struct writing *w, uint64_t opcode)
{
    const leat_value *payload = field(w, "payload"), *message = field(w, "message");
    const leat_value *reason = field(w, "reason");
    uint64_t code;
    int status = number(w, "code", UINT16_MAX, LT_WS_NO_CODE, &code);

    if (status != LEAT_OK)
        return status;
    if (payload != NULL)
        return put_payload(w, payload, opcode == LT_WS_PING || opcode == LT_WS_PONG);
    if (code != LT_WS_NO_CODE) {
        lt_put_u16be(w->out, (uint16_t)code);
        return reason == NULL ? LEAT_OK : put_payload(w, reason, false);
    }
    return message == NULL ? LEAT_OK : put_message(w, message);
}

/* Reads what is to stand in front of the payload. */
static int read_header(struct writing *w, struct lt_ws_frame *frame)
{
    const leat_value *fin = field(w, "fin"), *key = field(w, "key");
    struct lt_writer octets = lt_writer_fixed(frame->key, sizeof frame->key);
    uint64_t rsv = 0, opcode = 0, extended = 0;
    int status = number(w, "rsv", 7, 0, &rsv);

    if (status == LEAT_OK)
        status = number(w, "opcode", 15, LT_WS_TEXT, &opcode);
    if (status == LEAT_OK)
        status = number(w, "length_octets", 8, 0, &extended);
    if (status == LEAT_OK && extended != 0 && extended != 2 && extended != 8)
        status = refuse(w, "neither 2 nor 8", "length_octets");
    if (status == LEAT_OK && key != NULL &&
        ((key->kind != LEAT_TEXT && key->kind != LEAT_BYTES) ||
         !lt_broker_put_octets(&octets, key, true) || octets.length != sizeof frame->key))
        status = refuse(w, "not four octets", "key");
    frame->fin = fin == NULL || leat_value_bool(fin);
    frame->rsv = (uint8_t)rsv;
    frame->opcode = (uint8_t)opcode;
    frame->extended = (uint8_t)extended;
    frame->masked = key != NULL;
    return status;
}

static int send_frame(struct writing *w)
{
    struct lt_writer *out = w->out;
    size_t start = out->length;
    struct lt_ws_frame frame = {0};
    uint8_t *p;
    int status = read_header(w, &frame);

    if (lt_put(out, LT_WS_HEADER_MAX) == NULL)
        return status;
    if (status == LEAT_OK)
        status = put_content(w, frame.opcode);
    if (status != LEAT_OK || out->status != LEAT_OK)
        return status;
    frame.length = out->length - start - LT_WS_HEADER_MAX;
    if (frame.extended < lt_ws_extended(frame.length)) {
        if (frame.extended != 0)
            return refuse(w, "longer than that", "length_octets");
        frame.extended = lt_ws_extended(frame.length);
    }
    p = out->data + start;
    frame.header = (uint8_t)(2 + frame.extended + (frame.masked ? 4 : 0));
    memmove(p + frame.header, p + LT_WS_HEADER_MAX, (size_t)frame.length);
    out->length = start;
    lt_ws_put_frame(out, &frame);
    out->length += (size_t)frame.length;
    if (frame.masked)
        lt_ws_mask(p + frame.header, (size_t)frame.length, frame.key, 0);
    return LEAT_OK;
}

static int send(leat_session *session, const char *name, const leat_value *value)
{
    static const struct {
        const char *name;
        int (*send)(struct writing *w);
    } messages[] = {
        {"request", send_request},
        {"response", send_response},
        {"body", send_body},
        {"frame", send_frame},
    };
    struct writing w = {session, &session->out, value, 0};
    size_t i;

    for (i = 0; i < sizeof messages / sizeof *messages; i++) {
        int status;

        if (strcmp(messages[i].name, name) != 0)
            continue;
        if (value != NULL && value->kind != LEAT_RECORD)
            return refuse(&w, "not a record", NULL);
        status = messages[i].send(&w);
        if (status == LEAT_OK && w.given != leat_value_count(value))
            status = refuse(&w, "a field that the message does not have", NULL);
        return status;
    }
    return lt_refuse(session, LEAT_E_STATE, 0, "no message of that name", NULL);
}

static void release(leat_session *session)
{
    lt_writer_free(&((struct codec *)(void *)session)->text);
}

static void trim(leat_session *session)
{
    if (!((struct codec *)(void *)session)->gathering)
        release(session);
}

static size_t memory(const leat_session *session)
{
    return ((const struct codec *)(const void *)session)->text.size;
}

static const struct lt_dialect dialect = {
    .bytes = sizeof(struct codec),
    .next = next,
    .send = send,
    .release = release,
    .trim = trim,
    .memory = memory,
};

int leat_broker_websocket_codec_new(const leat_config *config, uint32_t from,
                                    leat_session **session)
{
    struct codec *codec;
    int status;

    if (from != LEAT_FROM_ANY && from != LEAT_FROM_CLIENT && from != LEAT_FROM_SERVER)
        return LEAT_E_STATE;
    status = lt_session_new(&dialect, config, &defaults, session);
    if (status != LEAT_OK)
        return status;
    codec = (struct codec *)(void *)*session;
    codec->from = from;
    codec->text = lt_writer(&codec->session.allocator, SIZE_MAX);
    return LEAT_OK;
}
