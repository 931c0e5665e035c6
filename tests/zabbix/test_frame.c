#include "frames.h"

#include "../zabbix/frame.h"

#include <stdio.h>

#define TEXT "{\"response\":\"success\"}"

START_TEST(every_flags)
{
    static const uint8_t sound[] = {0x01, 0x03, 0x05, 0x07};
    uint8_t flags = (uint8_t)_i;
    struct t_bytes bytes = frame_text(flags, TEXT);
    char *text;

    if (memchr(sound, flags, sizeof sound) == NULL) {
        t_every_split_gives(make_codec, NULL, bytes.data, bytes.length, LEAT_E_FRAME, 4);
    } else {
        text = t_every_split(make_codec, NULL, bytes.data, bytes.length);
        ck_assert_msg(strncmp(text, "11 response 0 " TEXT, 14 + sizeof TEXT - 1) == 0, "%s", text);
        ck_assert_ptr_nonnull(strstr(text, "LEAT_END"));
        free(text);
    }
    t_free(bytes);
}
END_TEST

START_TEST(cut_anywhere)
{
    static const uint8_t flags[] = {0x01, 0x03, 0x05, 0x07};
    struct t_bytes bytes = frame_text(flags[_i], TEXT);
    size_t length;

    for (length = 0; length < bytes.length; length++)
        t_every_split_gives(make_codec, NULL, bytes.data, length,
                            length == 0 ? LEAT_END : LEAT_E_END, length);
    t_free(bytes);
}
END_TEST

static const struct {
    const char *name;
    const char *hex;
    uint64_t at;
} unsound[] = {
    {"another protocol", "16030100", 0},
    {"a line of text", "485454502f312e31", 0},
    {"the magic in lower case", "7a627864 01 16000000 00000000", 0},
    {"the last letter of the magic", "5a425845 01", 0},
    {"no flags", "5a425844 00", 4},
    {"compressed, but not the protocol", "5a425844 02", 4},
    {"a flag that is not defined", "5a425844 09", 4},
    {"a sign bit, which real receivers let through", "5a425844 81", 4},
    {"K before O", "4b4f", 0},
};

START_TEST(not_a_frame)
{
    struct t_bytes bytes = t_hex(unsound[_i].hex);

    t_every_split_gives(make_codec, NULL, bytes.data, bytes.length, LEAT_E_FRAME, unsound[_i].at);
    t_free(bytes);
}
END_TEST

START_TEST(after_a_message)
{
    struct t_bytes bytes = frame_text(1, TEXT);

    t_append(&bytes, "junk", 4);
    t_every_split_gives(make_codec, NULL, bytes.data, bytes.length, LEAT_E_FRAME, bytes.length - 4);
    t_free(bytes);
}
END_TEST

/*
 * Without the flag of compression nobody looks at it: agent 2 before 7.0.2 writes the length there.
 */
START_TEST(reserved_is_ignored)
{
    struct t_bytes bytes = {NULL, 0};
    char *text;

    append_header(&bytes, _i == 0 ? 0x01 : 0x05, sizeof TEXT - 1, UINT32_MAX - (unsigned)_i);
    t_append(&bytes, TEXT, sizeof TEXT - 1);
    text = t_every_split(make_codec, NULL, bytes.data, bytes.length);
    ck_assert_ptr_nonnull(strstr(text, "LEAT_END"));
    free(text);
    t_free(bytes);
}
END_TEST

START_TEST(header_getters)
{
    struct t_bytes bytes = {NULL, 0}, second = frame_text(7, TEXT);
    leat_session *session = make_codec(NULL, NULL);
    const leat_event *event;
    uint32_t flags = 99;
    uint64_t data_len = 99, reserved = 99;

    ck_assert_int_eq(leat_zabbix_header(session, &flags, &data_len, &reserved), LEAT_E_STATE);
    append_header(&bytes, 1, sizeof TEXT - 1, 7);
    t_append(&bytes, TEXT, sizeof TEXT - 1);
    t_append(&bytes, second.data, second.length);
    t_append(&bytes, "ZBXD\1", 5);
    ck_assert_int_eq(leat_feed(session, bytes.data, bytes.length), LEAT_OK);
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_header(session, &flags, &data_len, &reserved), LEAT_OK);
    ck_assert_uint_eq(flags, 1);
    ck_assert_uint_eq(data_len, sizeof TEXT - 1);
    ck_assert_uint_eq(reserved, 7);
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    ck_assert_uint_eq(leat_event_offset(event), 13 + sizeof TEXT - 1);
    ck_assert_int_eq(leat_next(session, &event),
                     LEAT_MORE); /* a part of a header changes nothing */
    ck_assert_int_eq(leat_zabbix_header(session, &flags, NULL, NULL), LEAT_OK);
    ck_assert_uint_eq(flags, 7);
    ck_assert_int_eq(leat_zabbix_header(session, NULL, &data_len, &reserved), LEAT_OK);
    ck_assert_uint_eq(data_len, second.length - 21);
    ck_assert_uint_eq(reserved, sizeof TEXT - 1);
    leat_session_free(session);
    t_free(bytes);
    t_free(second);
}
END_TEST

/* The large header is for lengths that the small one cannot hold, and for no other. */
static const struct {
    bool compressed;
    uint64_t data_len;
    uint64_t reserved;
    const char *hex;
} headers[] = {
    {false, 22, 0, "5a425844 01 16000000 00000000"},
    {true, 30, 22, "5a425844 03 1e000000 16000000"},
    {false, 4294967294, 0, "5a425844 01 feffffff 00000000"},
    {false, 4294967295, 0, "5a425844 05 ffffffff00000000 0000000000000000"},
    {true, 1, 4294967295, "5a425844 07 0100000000000000 ffffffff00000000"},
    {true, 0x1122334455667788, 0x99aabbccddeeff00, "5a425844 07 8877665544332211 00ffeeddccbbaa99"},
};

START_TEST(header_both_ways)
{
    struct t_bytes expected = t_hex(headers[_i].hex);
    struct lt_zabbix_header header;
    uint8_t octets[LT_ZABBIX_LARGE_HEADER];
    size_t length, count;

    length = lt_zabbix_header_write(octets, headers[_i].compressed, headers[_i].data_len,
                                    headers[_i].reserved);
    ck_assert_uint_eq(length, expected.length);
    ck_assert_mem_eq(octets, expected.data, length);
    for (count = 0; count < expected.length; count++)
        ck_assert_int_eq(lt_zabbix_header_read(octets, count, &header, &length),
                         LT_ZABBIX_FRAME_MORE);
    ck_assert_int_eq(lt_zabbix_header_read(octets, count, &header, &length), LT_ZABBIX_FRAME);
    ck_assert_uint_eq(length, expected.length);
    ck_assert_uint_eq(header.data_len, headers[_i].data_len);
    ck_assert_uint_eq(header.reserved, headers[_i].reserved);
    t_free(expected);
}
END_TEST

static const struct {
    uint32_t from;
    int status;
} sides[] = {
    {LEAT_FROM_ANY, LEAT_OK},
    {LEAT_FROM_CLIENT, LEAT_OK},
    {LEAT_FROM_SERVER, LEAT_OK},
    {LEAT_FROM_PROXY, LEAT_OK},
    {LEAT_FROM_AGENT, LEAT_OK},
    {LEAT_FROM_SENDER, LEAT_OK},
    {LEAT_FROM_SENDER + 1, LEAT_E_VALUE},
};

START_TEST(who_speaks)
{
    leat_session *session = NULL;

    ck_assert_int_eq(leat_zabbix_codec_new(NULL, sides[_i].from, &session), sides[_i].status);
    ck_assert_int_eq(session != NULL, sides[_i].status == LEAT_OK);
    leat_session_free(session);
}
END_TEST

/* Servers and proxies answer OK to what is no object; agents and senders answer nobody. */
START_TEST(unframed)
{
    struct t_bytes next = frame_text(1, TEXT), bytes = t_copy("OK", 2);
    bool may = sides[_i].from != LEAT_FROM_AGENT && sides[_i].from != LEAT_FROM_SENDER;
    char *text;

    t_append(&bytes, next.data, next.length);
    if (may) {
        text = t_every_split(make_codec, &sides[_i].from, bytes.data, bytes.length);
        ck_assert_msg(strstr(text, "15 unframed 0 {\"body\":\"OK\"} 4f4b\n11 response 2 ") == text,
                      "%s", text);
        free(text);
        t_every_split_gives(make_codec, &sides[_i].from, "OK", 2, LEAT_END, 0);
        t_every_split_gives(make_codec, &sides[_i].from, "O", 1, LEAT_E_END, 1);
    } else {
        t_every_split_gives(make_codec, &sides[_i].from, bytes.data, bytes.length, LEAT_E_FRAME, 0);
    }
    t_free(bytes);
    t_free(next);
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_loop_test(tc, every_flags, 0, 256);
    tcase_add_loop_test(tc, cut_anywhere, 0, 4);
    tcase_add_loop_test(tc, not_a_frame, 0, sizeof unsound / sizeof *unsound);
    tcase_add_test(tc, after_a_message);
    tcase_add_loop_test(tc, reserved_is_ignored, 0, 2);
    tcase_add_test(tc, header_getters);
    tcase_add_loop_test(tc, header_both_ways, 0, sizeof headers / sizeof *headers);
    tcase_add_loop_test(tc, who_speaks, 0, sizeof sides / sizeof *sides);
    tcase_add_loop_test(tc, unframed, 0, sizeof sides / sizeof *sides - 1);
}

T_MAIN("zabbix/frame", tests)
