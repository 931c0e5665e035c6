#include "websocket.h"

#include "../core/text.h"
#include "data.h"
#include "json.h"

#include <assert.h>

#define EMPTY_MAX 16u /* fragments without octets in a row */

/* ----- frames ----- */

int lt_ws_read_frame(struct lt_reader in, struct lt_ws_frame *frame)
{
    uint8_t first = lt_u8(&in), second = lt_u8(&in), length = second & 0x7f;
    const uint8_t *key;

    frame->fin = (first & LT_WS_FIN) != 0;
    frame->rsv = first >> 4 & 7;
    frame->opcode = first & 15;
    frame->masked = second >= 0x80;
    frame->extended = (uint8_t)(length < 126 ? 0 : length == 126 ? 2 : 8);
    frame->header = (uint8_t)(2 + frame->extended + (frame->masked ? 4 : 0));
    frame->length = frame->extended == 0   ? length
                    : frame->extended == 2 ? lt_u16be(&in)
                                           : lt_u64be(&in);
    if (frame->masked && (key = lt_take(&in, 4)) != NULL)
        memcpy(frame->key, key, 4);
    return lt_ok(&in) ? LEAT_OK : LEAT_MORE;
}

/* Stores what is in front of a payload, which takes frame->header octets. */
static void store_header(uint8_t *p, const struct lt_ws_frame *frame)
{
    *p++ = (uint8_t)((frame->fin ? LT_WS_FIN : 0) | (unsigned)frame->rsv << 4 | frame->opcode);
    *p++ = (uint8_t)((frame->masked ? 0x80 : 0) | (frame->extended == 0   ? (uint8_t)frame->length
                                                   : frame->extended == 2 ? 126
                                                                          : 127));
    if (frame->extended == 2)
        lt_store_u16be(p, (uint16_t)frame->length);
    else if (frame->extended == 8)
        lt_store_u64be(p, frame->length);
    if (frame->masked)
        memcpy(p + frame->extended, frame->key, 4);
}

void lt_ws_put_frame(struct lt_writer *out, const struct lt_ws_frame *frame)
{
    uint8_t *p = lt_put(out, frame->header);

    if (p != NULL)
        store_header(p, frame);
}

void lt_ws_mask(uint8_t *octets, size_t length, const uint8_t key[4], size_t at)
{
    uint8_t keys[8];
    uint64_t mask, word;
    size_t i;

    for (i = 0; i < 8; i++)
        keys[i] = key[(at + i) % 4];
    memcpy(&mask, keys, 8);
    for (; length >= 8; length -= 8, octets += 8) {
        memcpy(&word, octets, 8);
        word ^= mask;
        memcpy(octets, &word, 8);
    }
    for (i = 0; i < length; i++)
        octets[i] ^= keys[i];
}

static uint32_t rotate(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

static void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    *a += *b;
    *d = rotate(*d ^ *a, 16);
    *c += *d;
    *b = rotate(*b ^ *c, 12);
    *a += *b;
    *d = rotate(*d ^ *a, 8);
    *c += *d;
    *b = rotate(*b ^ *c, 7);
}

void lt_ws_chacha20(const uint32_t seed[8], uint32_t counter, const uint8_t nonce[12],
                    uint8_t block[64])
{
    uint32_t start[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    uint32_t state[16];
    unsigned i, j;

    memcpy(start + 4, seed, 32);
    start[12] = counter;
    for (i = 0; i < 3; i++)
        start[13 + i] = lt_load_u32le(nonce + i * 4);
    memcpy(state, start, sizeof state);
    for (i = 0; i < 10; i++) {
        for (j = 0; j < 4; j++)
            quarter_round(&state[j], &state[4 + j], &state[8 + j], &state[12 + j]);
        for (j = 0; j < 4; j++)
            quarter_round(&state[j], &state[4 + (j + 1) % 4], &state[8 + (j + 2) % 4],
                          &state[12 + (j + 3) % 4]);
    }
    for (i = 0; i < 16; i++) {
        uint32_t word = state[i] + start[i];

        for (j = 0; j < 4; j++)
            block[i * 4 + j] = (uint8_t)(word >> j * 8);
    }
}

void lt_ws_keys_init(struct lt_ws_keys *keys, const uint8_t seed[32])
{
    unsigned i;

    for (i = 0; i < 8; i++)
        keys->seed[i] = lt_load_u32le(seed + (size_t)i * 4);
    keys->blocks = 0;
    keys->used = 16;
}

void lt_ws_keys_next(struct lt_ws_keys *keys, uint8_t key[4])
{
    uint8_t nonce[12] = {0};

    if (keys->used == 16) {
        lt_store_u32be(nonce, (uint32_t)(keys->blocks >> 32));
        lt_ws_chacha20(keys->seed, (uint32_t)keys->blocks, nonce, keys->block);
        keys->blocks++;
        keys->used = 0;
    }
    memcpy(key, keys->block + (size_t)keys->used++ * 4, 4);
}

/* What a frame of 126 to 65535 octets needs: as most have, which then need not be moved. */
static size_t room(bool masked)
{
    return masked ? 8 : 4;
}

size_t lt_ws_begin(struct lt_writer *out, bool masked)
{
    size_t begun = out->length;

    (void)lt_put(out, room(masked));
    return begun;
}

void lt_ws_end(struct lt_writer *out, size_t begun, uint8_t opcode, struct lt_ws_keys *keys)
{
    size_t had = room(keys != NULL), length;
    struct lt_ws_frame frame = {.opcode = opcode, .fin = true, .masked = keys != NULL};
    uint8_t *p;

    if (out->status != LEAT_OK)
        return;
    length = out->length - begun - had;
    frame.length = length;
    frame.extended = lt_ws_extended(length);
    frame.header = (uint8_t)(2 + frame.extended + (keys != NULL ? 4 : 0));
    if (frame.header > had && lt_put(out, frame.header - had) == NULL)
        return;
    p = out->data + begun;
    if (frame.header != had)
        memmove(p + frame.header, p + had, length);
    out->length = begun + frame.header + length;
    if (keys != NULL) {
        lt_ws_keys_next(keys, frame.key);
        lt_ws_mask(p + frame.header, length, frame.key, 0);
    }
    store_header(p, &frame);
}

void lt_ws_put(struct lt_writer *out, uint8_t opcode, const void *payload, size_t length,
               struct lt_ws_keys *keys)
{
    size_t begun = lt_ws_begin(out, keys != NULL);

    lt_put_bytes(out, payload, length);
    lt_ws_end(out, begun, opcode, keys);
}

void lt_ws_put_close(struct lt_writer *out, uint32_t code, const char *reason, size_t length,
                     struct lt_ws_keys *keys)
{
    size_t begun = lt_ws_begin(out, keys != NULL);

    assert(length <= LT_WS_REASON_MAX);
    if (code != LT_WS_NO_CODE) {
        lt_put_u16be(out, (uint16_t)code);
        lt_put_bytes(out, reason, length);
    }
    lt_ws_end(out, begun, LT_WS_CLOSE, keys);
}

/* ----- messages ----- */

/* Zeek's words, where it has some. */
static int fault_is(struct lt_ws_fault *fault, int status, uint32_t code, const char *what)
{
    fault->status = status;
    fault->code = code;
    fault->what = what;
    return status;
}

static int broken(struct lt_ws_fault *fault, const char *what)
{
    return fault_is(fault, LEAT_E_FRAME, LT_WS_PROTOCOL, what);
}

/* Checks what is in front of a payload, before that is waited for. */
static int check_frame(const leat_session *session, const struct lt_ws_input *input,
                       const struct lt_ws_frame *frame, struct lt_ws_fault *fault)
{
    uint64_t before = frame->opcode == LT_WS_CONTINUATION ? input->message.length : 0;
    uint64_t most = UINT32_MAX - LT_WS_HEADER_MAX;

    if (frame->rsv != 0)
        return broken(fault, "Reserved bit used");
    if ((frame->opcode & 7u) > LT_WS_BINARY)
        return broken(fault, "Protocol error");
    if (frame->masked != input->from_client)
        return broken(fault, input->from_client ? "A frame without a mask" : "A masked frame");
    /* Broker writes 65535 in eight octets, which costs nobody anything. */
    if (frame->extended != lt_ws_extended(frame->length) &&
        (input->from_client || frame->length != UINT16_MAX))
        return broken(fault, "A length that is not in its shortest form");
    if ((frame->opcode & LT_WS_CONTROL) != 0) {
        if (!frame->fin)
            return broken(fault, "Control message fragmented");
        return frame->length <= LT_WS_CONTROL_MAX
                   ? LEAT_OK
                   : broken(fault, "Control frame with payload length > 125 octets");
    }
    if (frame->opcode == LT_WS_CONTINUATION && !input->fragmented)
        return broken(fault, "Fragmentation: continuation opcode out of sequence");
    if (frame->opcode != LT_WS_CONTINUATION && input->fragmented)
        return broken(fault, "Fragmentation: data message out of sequence");
    if (session->limits.message_bytes < most)
        most = session->limits.message_bytes;
    if (frame->length > most - before)
        return fault_is(fault, LEAT_E_LIMIT, LT_WS_TOO_BIG, "A message over the limit");
    return LEAT_OK;
}

/* Adds a fragment. LEAT_MORE: the message is not complete yet. */
static int gather(leat_session *session, struct lt_ws_input *input, const struct lt_ws_frame *frame,
                  const uint8_t *payload, struct lt_ws_fault *fault)
{
    size_t length = (size_t)frame->length;

    if (frame->opcode != LT_WS_CONTINUATION) {
        input->message.allocator = &session->allocator;
        input->message.limit = SIZE_MAX;
        input->opcode = frame->opcode;
        input->fragmented = true;
        input->empty = 0;
        input->offset = session->consumed + frame->header;
    }
    input->empty = (uint8_t)(length > 0 ? 0 : input->empty + 1);
    if (input->empty > EMPTY_MAX)
        return fault_is(fault, LEAT_E_LIMIT, LT_WS_POLICY, "Too many empty fragments");
    lt_put_bytes(&input->message, payload, length);
    if (input->message.status != LEAT_OK)
        return fault_is(fault, LEAT_E_NOMEM, LT_WS_TROUBLE, "out of memory");
    input->fragmented = !frame->fin;
    return frame->fin ? LEAT_OK : LEAT_MORE;
}

bool lt_ws_is_code(uint32_t code)
{
    return (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) ||
           (code >= 3000 && code <= 4999);
}

static int read_close(struct lt_ws_message *message, struct lt_ws_fault *fault)
{
    message->code = LT_WS_NO_CODE;
    message->reason = "";
    message->reason_length = 0;
    if (message->length == 0)
        return LEAT_OK;
    if (message->length == 1)
        return broken(fault, "Half a close code");
    message->code = lt_load_u16be(message->payload);
    message->reason = (const char *)message->payload + 2;
    message->reason_length = message->length - 2;
    if (!lt_ws_is_code(message->code))
        return broken(fault, "Invalid close code");
    if (lt_utf8_prefix(message->payload + 2, message->reason_length) < message->reason_length)
        return fault_is(fault, LEAT_E_SYNTAX, LT_WS_ENCODING, "Invalid frame payload data");
    return LEAT_OK;
}

int lt_ws_next(leat_session *session, struct lt_ws_input *input, struct lt_ws_message *message,
               struct lt_ws_fault *fault)
{
    if (!input->fragmented)
        input->message.length = 0;
    for (;;) {
        struct lt_reader in = lt_unread(session);
        struct lt_ws_frame frame;
        uint8_t *payload;
        int status;

        session->inside = input->fragmented;
        if (lt_ws_read_frame(in, &frame) != LEAT_OK)
            return lt_need(session, lt_left(&in) < 2 ? 2 : frame.header);
        status = check_frame(session, input, &frame, fault);
        if (status != LEAT_OK)
            return status;
        if (lt_left(&in) - frame.header < frame.length)
            return lt_need(session, frame.header + (size_t)frame.length);
        message->octets = frame.header + (size_t)frame.length;
        payload = session->window + session->start + frame.header;
        if (frame.masked)
            lt_ws_mask(payload, (size_t)frame.length, frame.key, 0);
        message->opcode = frame.opcode;
        message->payload = payload;
        message->length = (size_t)frame.length;
        message->offset = session->consumed + frame.header;
        if (frame.opcode == LT_WS_CLOSE)
            return read_close(message, fault);
        if (frame.fin && frame.opcode != LT_WS_CONTINUATION)
            return LEAT_OK;
        status = gather(session, input, &frame, payload, fault);
        if (status < 0)
            return status;
        if (status == LEAT_OK) {
            message->opcode = input->opcode;
            message->length = input->message.length;
            message->payload = lt_reader(input->message.data, message->length).at; /* never NULL */
            message->offset = input->offset;
            session->inside = false;
            return LEAT_OK;
        }
        lt_skip(session, message->octets);
    }
}

void lt_ws_input_free(struct lt_ws_input *input, const leat_allocator *allocator)
{
    lt_free(allocator, input->message.data, input->message.size);
    memset(&input->message, 0, sizeof input->message);
}

/* ----- texts ----- */

/* A server's error message, up to its context. */
static size_t begin_error(struct lt_writer *out, const char *code)
{
    size_t begun = lt_ws_begin(out, false);

    lt_put_text(out, "{\"type\":\"error\",\"code\":\"");
    lt_put_text(out, code);
    lt_put_text(out, "\",\"context\":");
    return begun;
}

static void end_error(struct lt_writer *out, size_t begun)
{
    lt_put_u8(out, '}');
    lt_ws_end(out, begun, LT_WS_TEXT, NULL);
}

void lt_ws_put_error(struct lt_writer *out, const char *code, const char *context, size_t length)
{
    size_t begun = begin_error(out, code);

    lt_json_write_string(out, (const uint8_t *)context, length);
    end_error(out, begun);
}

/* What Zeek says in place of a message that it cannot convert. */
static void put_unable(struct lt_writer *out, const char *topic, size_t length)
{
    size_t begun = begin_error(out, "broker_error"), quoted;

    if (lt_utf8_prefix((const uint8_t *)topic, length) < length)
        length = 0;
    lt_put_text(out, "\"Could not process remote event on topic ");
    quoted = out->length;
    lt_json_write_string(out, (const uint8_t *)topic, length);
    if (out->status == LEAT_OK)
        out->data[quoted] = out->data[out->length - 1] = '\'';
    lt_put_u8(out, '"');
    end_error(out, begun);
}

int lt_websocket_text(struct lt_writer *out, const char *topic, size_t length,
                      const leat_value *data, struct leat_error *error)
{
    size_t begun = out->length;
    bool unsorted;
    int status = lt_broker_check(data, &unsorted, error);

    if (status != LEAT_OK)
        return status;
    (void)lt_ws_begin(out, false);
    status = lt_broker_put_json_message(out, topic, length, data, error);
    if (status == LEAT_OK) {
        lt_ws_end(out, begun, LT_WS_TEXT, NULL);
    } else if (status == LEAT_E_VALUE && out->status == LEAT_OK) {
        out->length = begun;
        put_unable(out, topic, length);
        status = LEAT_OK;
    }
    return status;
}
