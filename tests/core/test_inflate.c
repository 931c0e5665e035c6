/* zlib as streams: any cut on either side, damage, memory. */
#include "support.h"

#include "adler.h"
#include "inflate.h"

#include <stdio.h>

static struct t_bytes plain_text(void)
{
    struct t_bytes text = t_copy("", 0);
    int i;

    for (i = 0; i < 3000; i++) {
        char row[64];
        int length = snprintf(row, sizeof row, "{\"id\":%d,\"value\":\"%d\"},", i, i * 7919 % 1000);

        t_append(&text, row, (size_t)length);
    }
    return text;
}

static struct t_bytes deflated(const struct t_bytes *text, size_t piece)
{
    leat_allocator libc = lt_allocator(NULL);
    struct lt_writer out = lt_writer(&libc, SIZE_MAX);
    struct lt_deflate state = {.open = false};
    struct t_bytes bytes;
    size_t at = 0;

    ck_assert_int_eq(lt_deflate_start(&state, &libc), LEAT_OK);
    for (; at + piece < text->length; at += piece)
        ck_assert_int_eq(lt_deflate_run(&state, text->data + at, piece, false, &out), LEAT_OK);
    ck_assert_int_eq(lt_deflate_run(&state, text->data + at, text->length - at, true, &out),
                     LEAT_OK);
    bytes = t_copy(out.data, out.length);
    lt_deflate_free(&state);
    lt_writer_free(&out);
    return bytes;
}

/* Inflates with pieces of in octets to rooms of out octets. */
static int inflated(const struct t_bytes *bytes, size_t in, size_t out, struct t_bytes *text,
                    bool *done)
{
    leat_allocator libc = lt_allocator(NULL);
    struct lt_inflate state = {.open = false};
    uint8_t room[4096];
    size_t at = 0, in_used, out_used;
    int status;

    ck_assert_int_eq(lt_inflate_start(&state, &libc), LEAT_OK);
    do {
        size_t piece = bytes->length - at < in ? bytes->length - at : in;

        status = lt_inflate_run(&state, bytes->data + at, piece, &in_used, room, out, &out_used);
        at += in_used;
        t_append(text, room, out_used);
    } while (status == LEAT_OK && !state.done && (in_used > 0 || out_used > 0));
    *done = state.done;
    if (state.done) {
        ck_assert_int_eq(lt_inflate_run(&state, bytes->data, 1, &in_used, room, out, &out_used),
                         LEAT_OK);
        ck_assert_uint_eq(in_used + out_used, 0);
    }
    lt_inflate_free(&state);
    return status;
}

static const size_t pieces[][3] = {{1, 1, 1},     {1, 4096, 7},      {100000, 1, 100000},
                                   {7, 13, 5000}, {100000, 4096, 1}, {64, 64, 64}};

START_TEST(comes_back_however_cut)
{
    struct t_bytes text = plain_text(), bytes = deflated(&text, pieces[_i][2]);
    struct t_bytes back = t_copy("", 0);
    bool done;

    ck_assert_uint_lt(bytes.length, text.length / 3);
    ck_assert_int_eq(inflated(&bytes, pieces[_i][0], pieces[_i][1], &back, &done), LEAT_OK);
    ck_assert(done);
    ck_assert_uint_eq(back.length, text.length);
    ck_assert_mem_eq(back.data, text.data, text.length);
    t_free(back);
    t_free(bytes);
    t_free(text);
}
END_TEST

START_TEST(nothing_deflates_to_something)
{
    struct t_bytes none = t_copy("", 0), bytes = deflated(&none, 1), back = t_copy("", 0);
    bool done;

    ck_assert_uint_gt(bytes.length, 0);
    ck_assert_int_eq(inflated(&bytes, 100, 100, &back, &done), LEAT_OK);
    ck_assert(done);
    ck_assert_uint_eq(back.length, 0);
    t_free(none);
    t_free(bytes);
    t_free(back);
}
END_TEST

START_TEST(damage_is_found)
{
    struct t_bytes text = plain_text(), bytes = deflated(&text, 5000), back = t_copy("", 0);
    bool done;

    bytes.data[bytes.length - 1] ^= 1; /* the checksum */
    ck_assert_int_eq(inflated(&bytes, 1000, 1000, &back, &done), LEAT_E_INFLATE);
    ck_assert(!done);
    bytes.data[bytes.length - 1] ^= 1;
    bytes.data[0] = 0;
    ck_assert_int_eq(inflated(&bytes, 1000, 1000, &back, &done), LEAT_E_INFLATE);
    bytes.data[0] = 0x78;
    bytes.length--;
    ck_assert_int_eq(inflated(&bytes, 1000, 1000, &back, &done), LEAT_OK);
    ck_assert(!done);
    t_free(back);
    t_free(bytes);
    t_free(text);
}
END_TEST

/* Starts that RFC 1950 does not allow, or that need a dictionary which nobody has. */
static const struct {
    uint8_t start[2];
    int status;
} starts[] = {
    {{0x78, 0x9c}, LEAT_OK},        {{0x78, 0x01}, LEAT_OK},        {{0x08, 0x1d}, LEAT_OK},
    {{0x78, 0x9d}, LEAT_E_INFLATE}, {{0x79, 0x9c}, LEAT_E_INFLATE}, {{0x77, 0x85}, LEAT_E_INFLATE},
    {{0x88, 0x1c}, LEAT_E_INFLATE}, {{0x78, 0xbb}, LEAT_E_INFLATE}, {{0x1f, 0x8b}, LEAT_E_INFLATE},
};

START_TEST(starts_are_checked)
{
    struct t_bytes text = t_copy("hello", 5), bytes = deflated(&text, 5), back = t_copy("", 0);
    bool done;

    memcpy(bytes.data, starts[_i].start, 2);
    ck_assert_int_eq(inflated(&bytes, 1, 100, &back, &done), starts[_i].status);
    ck_assert_int_eq(done, starts[_i].status == LEAT_OK);
    t_free(text);
    t_free(bytes);
    t_free(back);
}
END_TEST

START_TEST(each_octet_of_the_checksum_counts)
{
    struct t_bytes text = plain_text(), bytes = deflated(&text, 5000), back = t_copy("", 0);
    bool done;

    bytes.data[bytes.length - 1 - (size_t)_i] ^= 0x80;
    ck_assert_int_eq(inflated(&bytes, 100, 4096, &back, &done), LEAT_E_INFLATE);
    ck_assert_uint_eq(back.length, text.length); /* all of it had been there */
    t_free(text);
    t_free(bytes);
    t_free(back);
}
END_TEST

/* Octets behind the stream are left to the caller. */
START_TEST(stops_behind_the_checksum)
{
    struct t_bytes text = t_copy("hello", 5), bytes = deflated(&text, 5);
    leat_allocator libc = lt_allocator(NULL);
    struct lt_inflate state = {.open = false};
    uint8_t room[100];
    size_t in_used, out_used, length = bytes.length;

    t_append(&bytes, "tail", 4);
    ck_assert_int_eq(lt_inflate_start(&state, &libc), LEAT_OK);
    ck_assert_int_eq(
        lt_inflate_run(&state, bytes.data, bytes.length, &in_used, room, 100, &out_used), LEAT_OK);
    ck_assert(state.done);
    ck_assert_uint_eq(in_used, length);
    ck_assert_uint_eq(out_used, 5);
    lt_inflate_free(&state);
    t_free(text);
    t_free(bytes);
}
END_TEST

/*
 * The same as zlib's, for each length and place, and for octets that make the sums as large as
 * can be.
 */
START_TEST(sums_like_zlib)
{
    uint8_t octets[20000];
    size_t lengths[] = {5551, 5552, 5553, 11104, 11105, 19999}, i, at;
    uint32_t random = 1;

    for (i = 0; i < sizeof octets; i++) {
        random = random * 1103515245u + 12345u;
        octets[i] = _i == 0 ? (uint8_t)(random >> 16) : 0xff;
    }
    for (i = 0; i < 300; i++) {
        for (at = 0; at < 17; at++)
            ck_assert_uint_eq(lt_adler32(0xfff0fff0, octets + at, i),
                              adler32(0xfff0fff0, octets + at, (uInt)i));
    }
    for (i = 0; i < sizeof lengths / sizeof *lengths; i++)
        ck_assert_uint_eq(lt_adler32(LT_ADLER_START, octets + 1, lengths[i]),
                          adler32(1, octets + 1, (uInt)lengths[i]));
}
END_TEST

static int both_scenario(const leat_config *config, const void *arg)
{
    leat_allocator allocator = lt_allocator(config);
    struct lt_inflate inflate_state = {.open = false};
    struct lt_deflate deflate_state = {.open = false};
    struct lt_writer out = lt_writer(&allocator, SIZE_MAX);
    uint8_t room[16];
    size_t in_used, out_used;
    int status = lt_deflate_start(&deflate_state, &allocator);

    (void)arg;
    if (status == LEAT_OK)
        status = lt_deflate_run(&deflate_state, (const uint8_t *)"hello", 5, true, &out);
    if (status == LEAT_OK)
        status = lt_deflate_start(&deflate_state, &allocator); /* again, allocating nothing */
    if (status == LEAT_OK)
        status = lt_inflate_start(&inflate_state, &allocator);
    if (status == LEAT_OK)
        status = lt_inflate_run(&inflate_state, out.data, out.length, &in_used, room, sizeof room,
                                &out_used);
    lt_inflate_free(&inflate_state);
    lt_deflate_free(&deflate_state);
    lt_writer_free(&out);
    return status;
}

START_TEST(every_allocation_may_fail)
{
    t_every_alloc(both_scenario, NULL);
}
END_TEST

START_TEST(the_limit_of_a_writer_is_exact)
{
    leat_allocator libc = lt_allocator(NULL);
    struct t_bytes text = plain_text(), bytes = deflated(&text, text.length);
    struct lt_deflate state = {.open = false};
    size_t less;

    for (less = 0; less < 2; less++) {
        struct lt_writer out = lt_writer(&libc, bytes.length - less);

        ck_assert_int_eq(lt_deflate_start(&state, &libc), LEAT_OK);
        ck_assert_int_eq(lt_deflate_run(&state, text.data, text.length, true, &out),
                         (less == 0 ? LEAT_OK : LEAT_E_LIMIT));
        if (less == 0)
            ck_assert_mem_eq(out.data, bytes.data, bytes.length);
        lt_writer_free(&out);
    }
    lt_deflate_free(&state);
    t_free(bytes);
    t_free(text);
}
END_TEST

START_TEST(a_full_writer_stops)
{
    leat_allocator libc = lt_allocator(NULL);
    struct lt_writer out = lt_writer(&libc, 100);
    struct lt_deflate state = {.open = false};
    struct t_bytes text = plain_text();

    ck_assert_int_eq(lt_deflate_start(&state, &libc), LEAT_OK);
    ck_assert_int_eq(lt_deflate_run(&state, text.data, text.length, true, &out), LEAT_E_LIMIT);
    lt_deflate_free(&state);
    lt_writer_free(&out);
    t_free(text);
}
END_TEST

static void tests(TCase *cases)
{
    tcase_add_loop_test(cases, comes_back_however_cut, 0, sizeof pieces / sizeof *pieces);
    tcase_add_test(cases, nothing_deflates_to_something);
    tcase_add_test(cases, damage_is_found);
    tcase_add_loop_test(cases, starts_are_checked, 0, sizeof starts / sizeof *starts);
    tcase_add_loop_test(cases, each_octet_of_the_checksum_counts, 0, 4);
    tcase_add_test(cases, stops_behind_the_checksum);
    tcase_add_loop_test(cases, sums_like_zlib, 0, 2);
    tcase_add_test(cases, every_allocation_may_fail);
    tcase_add_test(cases, the_limit_of_a_writer_is_exact);
    tcase_add_test(cases, a_full_writer_stops);
}

T_MAIN("core/inflate", tests)
