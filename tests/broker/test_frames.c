/* WebSocket frames from the inside: masks and their keys, and what stands in front of a payload. */
#include "../../lib/broker/websocket.h"

#include "support.h"

/* ----- masks ----- */

/* Octet by octet, as RFC 6455 says it. */
static void mask_plainly(uint8_t *octets, size_t length, const uint8_t key[4], size_t at)
{
    size_t i;

    for (i = 0; i < length; i++)
        octets[i] ^= key[(at + i) % 4];
}

/* Every length about the width of a word, from every place, wherever the payload stands in memory. */
START_TEST(mask)
{
    static const uint8_t key[4] = {0x11, 0xa2, 0x03, 0xf4};
    uint8_t a[64], b[64];
    size_t length, at, place, i;

    for (length = 0; length < 40; length++) {
        for (at = 0; at < 9; at++) {
            for (place = 0; place < 9; place++) {
                for (i = 0; i < sizeof a; i++)
                    a[i] = b[i] = (uint8_t)(i * 7 + length);
                mask_plainly(a + place, length, key, at);
                lt_ws_mask(b + place, length, key, at);
                ck_assert_mem_eq(a, b, sizeof a);
            }
        }
    }
}
END_TEST

/* Source: RFC 8439, section 2.3.2. */
START_TEST(chacha20)
{
    static const uint8_t nonce[12] = {0, 0, 0, 9, 0, 0, 0, 0x4a, 0, 0, 0, 0};
    struct t_bytes expected =
        t_hex("10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
              "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e");
    struct lt_ws_keys keys;
    uint8_t seed[32], block[64];
    size_t i;

    for (i = 0; i < sizeof seed; i++)
        seed[i] = (uint8_t)i;
    lt_ws_keys_init(&keys, seed);
    lt_ws_chacha20(keys.seed, 1, nonce, block);
    ck_assert_mem_eq(block, expected.data, sizeof block);
    t_free(expected);
}
END_TEST

/* Source: RFC 8439, appendix A.1, test vectors 1 and 2: a seed of zeros. */
START_TEST(keys)
{
    static const uint8_t seed[32] = {0};
    struct t_bytes expected =
        t_hex("76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
              "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"
              "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
              "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f");
    struct lt_ws_keys stream;
    uint8_t key[4];
    size_t i;

    lt_ws_keys_init(&stream, seed);
    for (i = 0; i < expected.length; i += 4) {
        lt_ws_keys_next(&stream, key);
        ck_assert_mem_eq(key, expected.data + i, 4);
    }
    /* Far on, the counter goes on into the nonce. */
    stream.blocks = UINT32_MAX;
    stream.used = 16;
    for (i = 0; i < 17; i++)
        lt_ws_keys_next(&stream, key);
    ck_assert_uint_eq(stream.blocks, UINT64_C(0x100000001));
    ck_assert_int_ne(memcmp(key, expected.data, 4), 0);
    t_free(expected);
}
END_TEST

/* ----- frames ----- */

static const struct {
    const char *hex;
    struct lt_ws_frame frame;
} frames[] = {
    {"8100", {1, true, 0, false, {0}, 0, 2, 0}},
    {"817d", {1, true, 0, false, {0}, 0, 2, 125}},
    {"817e007e", {1, true, 0, false, {0}, 2, 4, 126}},
    {"817effff", {1, true, 0, false, {0}, 2, 4, 65535}},
    {"817f0000000000010000", {1, true, 0, false, {0}, 8, 10, 65536}},
    {"817fffffffffffffffff", {1, true, 0, false, {0}, 8, 10, UINT64_MAX}},
    {"818511223344", {1, true, 0, true, {0x11, 0x22, 0x33, 0x44}, 0, 6, 5}},
    {"01fe01001a2b3c4d", {1, false, 0, true, {0x1a, 0x2b, 0x3c, 0x4d}, 2, 8, 256}},
    {"82ff000000000001000000000000", {2, true, 0, true, {0}, 8, 14, 65536}},
    {"f000", {0, true, 7, false, {0}, 0, 2, 0}},
    {"4f00", {15, false, 4, false, {0}, 0, 2, 0}},
    {"897e0001", {9, true, 0, false, {0}, 2, 4, 1}},
};

START_TEST(header)
{
    const struct lt_ws_frame *expected = &frames[_i].frame;
    struct t_bytes octets = t_hex(frames[_i].hex);
    struct lt_ws_frame read;
    uint8_t written[LT_WS_HEADER_MAX];
    struct lt_writer out = lt_writer_fixed(written, sizeof written);
    size_t cut;

    memset(&read, 0, sizeof read);
    for (cut = 0; cut < octets.length; cut++)
        ck_assert_int_eq(lt_ws_read_frame(lt_reader(octets.data, cut), &read), LEAT_MORE);
    ck_assert_int_eq(lt_ws_read_frame(lt_reader(octets.data, octets.length), &read), LEAT_OK);
    ck_assert_uint_eq(read.opcode, expected->opcode);
    ck_assert_int_eq(read.fin, expected->fin);
    ck_assert_uint_eq(read.rsv, expected->rsv);
    ck_assert_int_eq(read.masked, expected->masked);
    ck_assert_uint_eq(read.extended, expected->extended);
    ck_assert_uint_eq(read.header, expected->header);
    ck_assert_uint_eq(read.length, expected->length);
    if (read.masked)
        ck_assert_mem_eq(read.key, expected->key, 4);
    lt_ws_put_frame(&out, &read);
    ck_assert_uint_eq(out.length, octets.length);
    ck_assert_mem_eq(written, octets.data, octets.length);
    t_free(octets);
}
END_TEST

/* Payloads on both sides of every length where the header changes, as each side writes them. */
START_TEST(put)
{
    static const size_t lengths[] = {0, 1, 125, 126, 127, 65535, 65536, 70000};
    const leat_allocator allocator = lt_allocator(NULL);
    static const uint8_t seed[32] = {1};
    struct lt_ws_keys stream;
    size_t length = lengths[_i / 2], i;
    struct t_bytes payload = {calloc(1, length + 1), length};
    struct lt_writer out = lt_writer(&allocator, SIZE_MAX);
    struct lt_ws_frame frame;

    lt_ws_keys_init(&stream, seed);
    for (i = 0; i < length; i++)
        payload.data[i] = (uint8_t)(i * 31);
    lt_put_text(&out, "in front");
    lt_ws_put(&out, LT_WS_TEXT, payload.data, length, _i % 2 ? &stream : NULL);
    ck_assert_int_eq(out.status, LEAT_OK);
    ck_assert_int_eq(memcmp(out.data, "in front", 8), 0);
    ck_assert_int_eq(lt_ws_read_frame(lt_reader(out.data + 8, out.length - 8), &frame), LEAT_OK);
    ck_assert(frame.fin && frame.rsv == 0 && frame.opcode == LT_WS_TEXT);
    ck_assert_uint_eq(frame.length, length);
    ck_assert_uint_eq(frame.extended, lt_ws_extended(length));
    ck_assert_int_eq(frame.masked, _i % 2);
    ck_assert_uint_eq(out.length, 8 + frame.header + length);
    if (frame.masked)
        lt_ws_mask(out.data + 8 + frame.header, length, frame.key, 0);
    ck_assert(length == 0 || memcmp(out.data + 8 + frame.header, payload.data, length) == 0);
    lt_writer_free(&out);
    t_free(payload);
}
END_TEST

static void tests(TCase *t)
{
    tcase_add_test(t, mask);
    tcase_add_test(t, chacha20);
    tcase_add_test(t, keys);
    tcase_add_loop_test(t, header, 0, (int)(sizeof frames / sizeof *frames));
    tcase_add_loop_test(t, put, 0, 16);
}

T_MAIN("broker/frames", tests)
