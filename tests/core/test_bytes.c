/* The reader that cannot overrun, and the writer that grows up to its limit. */
#include "support.h"

#include "bytes.h"

START_TEST(reads_in_order)
{
    struct t_bytes b = t_hex("01 0203 04050607 08090a0b0c0d0e0f aa bb");
    struct lt_reader in = lt_reader(b.data, b.length);

    ck_assert_uint_eq(lt_u8(&in), 1);
    ck_assert_uint_eq(lt_u16be(&in), 0x0203);
    ck_assert_uint_eq(lt_u32be(&in), 0x04050607);
    ck_assert_uint_eq(lt_u64be(&in), 0x08090a0b0c0d0e0f);
    ck_assert_uint_eq(lt_left(&in), 2);
    ck_assert_ptr_eq(lt_take(&in, 2), b.data + 15);
    ck_assert(lt_ok(&in));
    ck_assert_uint_eq(lt_load_u32le(b.data), 0x04030201);
    ck_assert_uint_eq(lt_load_u64le(b.data), 0x0807060504030201);
    t_free(b);
}
END_TEST

START_TEST(a_short_read_latches)
{
    struct t_bytes b = t_hex("010203");
    struct lt_reader in = lt_reader(b.data, b.length);

    ck_assert_uint_eq(lt_u16be(&in), 0x0102);
    ck_assert_uint_eq(lt_u16be(&in), 0);
    ck_assert(!lt_ok(&in));
    ck_assert_ptr_eq(in.bad, b.data + 2);
    ck_assert_uint_eq(lt_left(&in), 0);
    ck_assert_uint_eq(lt_u8(&in), 0);
    ck_assert_ptr_null(lt_take(&in, 1));
    ck_assert_ptr_eq(in.bad, b.data + 2); /* the first place stays */
    ck_assert_uint_eq(lt_u64be(&in), 0);
    t_free(b);
}
END_TEST

static const struct {
    size_t length, already;
    bool sound;
    size_t inside, behind;
} children[] = {
    {4, 0, true, 4, 4},  {8, 0, true, 8, 0},         {0, 0, true, 0, 8},
    {12, 8, true, 4, 4}, {8, 8, true, 0, 8},         {7, 8, false, 0, 0},
    {9, 0, false, 0, 0}, {SIZE_MAX, 8, false, 0, 0}, {17, 8, false, 0, 0},
};

START_TEST(children_stay_inside)
{
    struct t_bytes b = t_hex("0102030405060708");
    struct lt_reader in = lt_reader(b.data, b.length);
    struct lt_reader child = lt_child(&in, children[_i].length, children[_i].already);

    ck_assert_int_eq(lt_ok(&in), children[_i].sound);
    ck_assert_int_eq(lt_ok(&child), children[_i].sound);
    ck_assert_uint_eq(lt_left(&child), children[_i].inside);
    ck_assert_uint_eq(lt_left(&in), children[_i].behind);
    t_free(b);
}
END_TEST

START_TEST(a_writer_grows_to_its_limit)
{
    leat_allocator libc = lt_allocator(NULL);
    struct lt_writer out = lt_writer(&libc, 20);

    lt_put_u8(&out, 1);
    lt_put_u16be(&out, 0x0203);
    lt_put_u32be(&out, 0x04050607);
    lt_put_u64be(&out, 0x08090a0b0c0d0e0f);
    lt_patch_u32be(&out, 3, 0xffffffff);
    ck_assert_mem_eq(out.data, "\x01\x02\x03\xff\xff\xff\xff\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f", 15);
    lt_put_text(&out, "12345");
    ck_assert_uint_eq(out.length, 20);
    ck_assert_int_eq(out.status, LEAT_OK);
    lt_writer_free(&out);
}
END_TEST

START_TEST(a_writer_without_memory_keeps_what_it_has)
{
    struct t_counter counter;
    struct lt_writer out;

    t_counter_init(&counter);
    out = lt_writer(&counter.allocator, SIZE_MAX / 2);
    lt_put_text(&out, "abc");
    ck_assert_ptr_null(lt_put(&out, SIZE_MAX - 2));
    ck_assert_int_eq(out.status, LEAT_E_LIMIT);
    lt_put_text(&out, "d"); /* sticky */
    ck_assert_uint_eq(out.length, 3);
    lt_writer_free(&out);
    ck_assert_uint_eq(counter.now, 0);
}
END_TEST

START_TEST(a_fixed_writer_counts_what_does_not_fit)
{
    char room[4] = "####";
    struct lt_writer out = lt_writer_fixed(room, 3);

    lt_put_text(&out, "ab");
    lt_put_text(&out, "cd");
    lt_put_text(&out, "e");
    ck_assert_uint_eq(out.length, 5);
    ck_assert_uint_eq(out.limit, 2);
    ck_assert_mem_eq(room, "ab##", 4);
}
END_TEST

static void tests(TCase *cases)
{
    tcase_add_test(cases, reads_in_order);
    tcase_add_test(cases, a_short_read_latches);
    tcase_add_loop_test(cases, children_stay_inside, 0, sizeof children / sizeof *children);
    tcase_add_test(cases, a_writer_grows_to_its_limit);
    tcase_add_test(cases, a_writer_without_memory_keeps_what_it_has);
    tcase_add_test(cases, a_fixed_writer_counts_what_does_not_fit);
}

T_MAIN("core/bytes", tests)
