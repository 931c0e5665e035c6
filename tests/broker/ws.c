#include "ws.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

void ws_note(struct t_bytes *log, const char *format, ...)
{
    char line[1024];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    t_append(log, line, strlen(line));
}

static void note_payload(struct t_bytes *log, const leat_value *payload)
{
    char *json = t_json_text(payload);
    size_t length;
    const char *text = leat_value_text(payload, &length);

    if (leat_value_kind(payload) == LEAT_TEXT && leat_value_is_utf8(payload))
        t_append(log, text, length);
    else
        t_append(log, json, strlen(json));
    free(json);
}

static void tell_frame(struct t_bytes *log, const leat_value *frame)
{
    static const char *const names[16] = {
        [0] = "cont", [1] = "text", [2] = "binary", [8] = "close", [9] = "ping", [10] = "pong"};
    uint64_t opcode = leat_value_u64(leat_value_get(frame, "opcode"));
    const leat_value *code = leat_value_get(frame, "code");
    size_t length;
    const char *reason = leat_value_text(leat_value_get(frame, "reason"), &length);

    ws_note(log, "%s%s", names[opcode] == NULL ? "reserved" : names[opcode],
            leat_value_bool(leat_value_get(frame, "fin")) ? "" : "+");
    if (code != NULL)
        ws_note(log, " %u %.*s", (unsigned)leat_value_u64(code), (int)length, reason);
    else if (leat_value_get(frame, "payload") != NULL) {
        ws_note(log, " ");
        note_payload(log, leat_value_get(frame, "payload"));
    }
}

void ws_tell(struct t_bytes *log, const char *prefix, uint32_t from, const void *octets,
             size_t length)
{
    leat_session *codec;
    const leat_event *event;

    ck_assert_int_eq(leat_broker_websocket_codec_new(NULL, from, &codec), LEAT_OK);
    ck_assert_int_eq(leat_feed(codec, octets, length), LEAT_OK);
    ck_assert_int_eq(leat_recv_eof(codec), LEAT_OK);
    while (leat_next(codec, &event) == LEAT_OK) {
        const leat_value *value = leat_event_value(event);

        ws_note(log, "%s", prefix);
        if (leat_event_kind(event) == LEAT_BROKER_FRAME)
            tell_frame(log, value);
        else
            ws_note(log, "%s", leat_event_name(event, NULL));
        if (leat_event_kind(event) == LEAT_BROKER_RESPONSE)
            ws_note(log, " %u", (unsigned)leat_value_u64(leat_value_get(value, "status")));
        ws_note(log, "\n");
    }
    leat_session_free(codec);
}

void ws_frame(struct t_bytes *octets, uint8_t first, const char *key, const void *payload,
              size_t length)
{
    uint8_t header[14] = {first};
    size_t at = 2, i;

    if (length < 126) {
        header[1] = (uint8_t)length;
    } else if (length < 65536) {
        header[1] = 126;
        header[2] = (uint8_t)(length >> 8);
        header[3] = (uint8_t)length;
        at = 4;
    } else {
        header[1] = 127;
        for (i = 0; i < 8; i++)
            header[2 + i] = (uint8_t)((uint64_t)length >> (56 - 8 * i));
        at = 10;
    }
    if (key != NULL) {
        header[1] |= 0x80;
        memcpy(header + at, key, 4);
        at += 4;
    }
    t_append(octets, header, at);
    t_append(octets, payload, length);
    for (i = 0; key != NULL && i < length; i++)
        octets->data[octets->length - length + i] ^= (uint8_t)key[i % 4];
}

/* The payload of a close by its text, "1000 reason". */
static size_t close_payload(const char *text, size_t length, uint8_t *payload)
{
    unsigned code;
    int used = 0;

    if (length == 0 || sscanf(text, "%u%n", &code, &used) != 1)
        return 0;
    payload[0] = (uint8_t)(code >> 8);
    payload[1] = (uint8_t)code;
    used += (size_t)used < length;
    memcpy(payload + 2, text + used, length - (size_t)used);
    return 2 + length - (size_t)used;
}

static void add_word(struct t_bytes *octets, const char *word, size_t word_length,
                     const char *payload, size_t length, bool masked)
{
    static const struct {
        const char *word;
        uint8_t first;
    } words[] = {{"TEXT", 0x81}, {"TEXT+", 0x01},  {"CONT", 0x80}, {"CONT+", 0x00},
                 {"PING", 0x89}, {"BINARY", 0x82}, {"PONG", 0x8a}, {"CLOSE", 0x88}};
    uint8_t closing[128];
    size_t i;

    if (word_length == 5 && memcmp(word, "ASKED", 5) == 0) {
        t_append(octets, WS_ASKED, strlen(WS_ASKED));
        return;
    }
    if (word_length == 6 && memcmp(word, "AGREED", 6) == 0) {
        t_append(octets, WS_AGREED, strlen(WS_AGREED));
        return;
    }
    if (word_length == 3 && memcmp(word, "HEX", 3) == 0) {
        char *hex = calloc(1, length + 1);
        struct t_bytes bytes;

        memcpy(hex, payload, length);
        bytes = t_hex(hex);
        t_append(octets, bytes.data, bytes.length);
        t_free(bytes);
        free(hex);
        return;
    }
    for (i = 0; i < sizeof words / sizeof *words; i++) {
        if (strlen(words[i].word) == word_length && memcmp(words[i].word, word, word_length) == 0)
            break;
    }
    ck_assert_msg(i < sizeof words / sizeof *words, "%.*s", (int)word_length, word);
    if (words[i].first == 0x88) {
        length = close_payload(payload, length, closing);
        payload = (const char *)closing;
    }
    ws_frame(octets, words[i].first, masked ? "\x11\x22\x33\x44" : NULL, payload, length);
}

struct t_bytes ws_script(const char *script, bool masked)
{
    struct t_bytes octets = t_copy("", 0);

    while (*script != '\0') {
        size_t length = strcspn(script, " <");
        const char *payload = script + length, *end = payload;

        if (*payload == '<')
            end = strchr(++payload, '>');
        if (length > 0)
            add_word(&octets, script, length, payload, (size_t)(end - payload), masked);
        script = *end == '>' ? end + 1 : end;
        script += *script == ' ';
    }
    return octets;
}

int ws_draw(struct t_bytes *log, leat_session *session)
{
    const leat_event *event;
    int status;

    while ((status = leat_next(session, &event)) == LEAT_OK) {
        char *json = t_json_text(leat_event_value(event));

        ws_note(log, "%s ", leat_event_name(event, NULL));
        if (leat_event_error(event) != NULL)
            ws_note(log, "%s at %u: %s", leat_status_name(leat_error_code(leat_event_error(event))),
                    (unsigned)leat_error_offset(leat_event_error(event)),
                    leat_error_text(leat_event_error(event)));
        else
            t_append(log, json, strlen(json));
        ws_note(log, "\n");
        free(json);
        if (leat_event_kind(event) == LEAT_BROKER_UPGRADE)
            (void)leat_broker_websocket_upgrade(session, WS_ACCEPT);
    }
    return status;
}

void ws_client_options(leat_broker_websocket_client_options *options)
{
    leat_broker_websocket_client_options_init(options, sizeof *options);
    options->host = "127.0.0.1";
    options->key = WS_KEY;
    options->accept = WS_ACCEPT;
    memset(options->seed, 7, sizeof options->seed);
}

void ws_server_options(leat_broker_websocket_options *options, uint32_t flavour)
{
    leat_broker_websocket_options_init(options, sizeof *options);
    options->flavour = flavour;
    options->version = "v";
    memset(options->id, 0xc1, sizeof options->id);
}
