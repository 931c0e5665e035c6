/* The allocator hook, limits, the arena, and the small things of leat.h. */
#include "support.h"

#include "memory.h"

START_TEST(arrays_grow_by_doubling)
{
    struct t_counter counter;
    void *array = NULL;
    size_t size = 0, i;

    t_counter_init(&counter);
    for (i = 1; i <= 1000; i++)
        ck_assert(lt_grow(&counter.allocator, &array, &size, i, sizeof(uint32_t)));
    ck_assert_uint_eq(size, 1024);
    ck_assert_uint_le(counter.calls, 8);
    ck_assert(!lt_grow(&counter.allocator, &array, &size, SIZE_MAX / 2, sizeof(uint32_t)));
    ck_assert(!lt_grow(&counter.allocator, &array, &size, SIZE_MAX, 1));
    ck_assert_uint_eq(size, 1024);
    lt_free(&counter.allocator, array, size * sizeof(uint32_t));
    ck_assert_uint_eq(counter.now, 0);
}
END_TEST

START_TEST(an_arena_settles_down)
{
    struct t_counter counter;
    struct lt_arena arena = {0};
    size_t calls = 0;
    int round, i;

    t_counter_init(&counter);
    arena.allocator = counter.allocator;
    for (round = 0; round < 10; round++) {
        uint8_t *first = NULL;

        lt_arena_clear(&arena);
        for (i = 0; i < 1000; i++) {
            uint8_t *at = (uint8_t *)lt_arena_alloc(&arena, 37);

            ck_assert_ptr_nonnull(at);
            memset(at, i, 37);
            if (i == 0)
                first = at;
        }
        ck_assert_uint_eq(*first, 0); /* what was given stays where it is */
        if (round == 3)
            calls = counter.calls;
    }
    ck_assert_uint_eq(counter.calls, calls);
    ck_assert_uint_eq(lt_arena_bytes(&arena), counter.now);
    lt_arena_free(&arena);
    ck_assert_uint_eq(counter.now, 0);
}
END_TEST

START_TEST(limits_default_and_older_callers)
{
    leat_limits defaults = {
        .size = sizeof defaults, .message_bytes = 1, .depth = 2, .queued_bytes = 3};
    leat_limits given, got;
    leat_config config;

    leat_limits_init(&given, sizeof given);
    leat_config_init(&config, sizeof config);
    got = lt_limits(&config, &defaults);
    ck_assert_uint_eq(got.message_bytes, 1);
    config.limits = &given;
    given.message_bytes = 10;
    given.queued_bytes = 30;
    got = lt_limits(&config, &defaults);
    ck_assert_uint_eq(got.message_bytes, 10);
    ck_assert_uint_eq(got.depth, 2);
    ck_assert_uint_eq(got.queued_bytes, 30);
    /* Compiled when the struct ended behind its second field. */
    given.size = 2 * sizeof(uint64_t);
    got = lt_limits(&config, &defaults);
    ck_assert_uint_eq(got.message_bytes, 10);
    ck_assert_uint_eq(got.queued_bytes, 3);
    /* Compiled with fields that we do not know. */
    given.size = 100 * sizeof(uint64_t);
    got = lt_limits(&config, &defaults);
    ck_assert_uint_eq(got.queued_bytes, 30);
}
END_TEST

/* Options of callers that were compiled with an older header, and with a newer one. */
START_TEST(options_may_have_another_size)
{
    struct {
        uint64_t size, first, second, third;
    } ours = {0, 1, 2, 3}, theirs, read;

    memset(&theirs, 0xff, sizeof theirs);
    lt_options_init(&theirs, 16, &ours, sizeof ours);
    ck_assert_uint_eq(theirs.size, 16);
    ck_assert_uint_eq(theirs.first, 1);
    ck_assert_uint_eq(theirs.second, UINT64_MAX); /* it is not theirs */
    theirs.first = 10;
    read = ours;
    ck_assert(lt_options_read(&read, sizeof read, &theirs));
    ck_assert_uint_eq(read.first, 10);
    ck_assert_uint_eq(read.second, 2);

    lt_options_init(&theirs, sizeof theirs, &ours, 16);
    ck_assert_uint_eq(theirs.size, sizeof theirs);
    ck_assert_uint_eq(theirs.first, 1);
    ck_assert_uint_eq(theirs.second, 0); /* we do not know it */
    theirs.third = 30;
    read = ours;
    ck_assert(lt_options_read(&read, 24, &theirs));
    ck_assert_uint_eq(read.second, 0);
    ck_assert_uint_eq(read.third, 3);

    ck_assert(lt_options_read(&read, sizeof read, NULL));
    ck_assert_uint_eq(read.third, 3);
    theirs.size = 0;
    ck_assert(!lt_options_read(&read, sizeof read, &theirs)); /* nobody initialised them */
}
END_TEST

START_TEST(codes_have_names)
{
    int status;

    for (status = LEAT_E_TIMEOUT; status <= LEAT_END; status++)
        ck_assert_int_eq(strncmp(leat_status_name(status), status < 0 ? "LEAT_E_" : "LEAT_", 5), 0);
    ck_assert_str_eq(leat_status_name(LEAT_OK), "LEAT_OK");
    ck_assert_str_eq(leat_status_name(LEAT_E_END), "LEAT_E_END");
    ck_assert_str_eq(leat_status_name(-1000), "LEAT_E_UNKNOWN");
    ck_assert_str_eq(leat_status_name(1000), "LEAT_UNKNOWN");
    ck_assert_int_eq(leat_error_code(NULL), LEAT_OK);
    ck_assert_str_eq(leat_error_text(NULL), "");
    ck_assert_str_eq(leat_error_field(NULL), "");
    ck_assert_uint_eq(leat_error_offset(NULL), 0);
    ck_assert_str_eq(leat_version(), "0.1.0");
}
END_TEST

static void tests(TCase *cases)
{
    tcase_add_test(cases, arrays_grow_by_doubling);
    tcase_add_test(cases, an_arena_settles_down);
    tcase_add_test(cases, limits_default_and_older_callers);
    tcase_add_test(cases, options_may_have_another_size);
    tcase_add_test(cases, codes_have_names);
}

T_MAIN("core/memory", tests)
