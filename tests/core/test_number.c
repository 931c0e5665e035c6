/* Numbers as text and back, against the C library's (which is exact in the "C" locale). */
#include "support.h"

#include "text.h"

#include <locale.h>
#include <stdio.h>

static const char *const numbers[] = {
    "0",
    "0.0",
    "1",
    "1.5",
    "0.1",
    "123456789012345678",
    "9007199254740993",
    "9007199254740992.5",
    "9007199254740993.0000000000000000000000000000000000000000000000001",
    "1e22",
    "1e23",
    "1.7976931348623157e308",
    "1.7976931348623158e308",
    "2.2250738585072014e-308",
    "2.2250738585072011e-308",
    "5e-324",
    "2.4703282292062328e-324",
    "2.4703282292062327e-324",
    "4.9406564584124654e-324",
    "1e-400",
    "0e999999999999999",
    "1e-999999999999999",
    "8.41e21",
    "9.5e-21",
    "6.02214076e23",
    "3.141592653589793",
    "2.718281828459045235360287471352662497757",
    "1797693134862315807937289714053034150799341327100378269361737789804449682927647509466490179775"
    "87"
    "2070963302864166928879109465555478519404026306574886715058206819089020007083836762738548458177"
    "11"
    "5317644757302700698555713669596228429148198608349364752927190741684443655107043427115596995080"
    "93"
    "042880177904174497791",
};

START_TEST(reads_as_strtod)
{
    double value = -1, expected = strtod(numbers[_i], NULL);

    ck_assert(lt_read_real(numbers[_i], strlen(numbers[_i]), &value));
    ck_assert_msg(memcmp(&value, &expected, sizeof value) == 0, "%s: %a, not %a", numbers[_i],
                  value, expected);
}
END_TEST

START_TEST(reads_halfway_cases_exactly)
{
    /* 2^53 + 1 is halfway between two doubles: any digit behind it, however far, decides. */
    char text[900];
    double value;

    (void)snprintf(text, sizeof text, "9007199254740993.%0800d", 0);
    ck_assert(lt_read_real(text, strlen(text), &value));
    ck_assert(value == 9007199254740992.0);
    (void)snprintf(text, sizeof text, "9007199254740993.%0800d", 1);
    ck_assert(lt_read_real(text, strlen(text), &value));
    ck_assert(value == 9007199254740994.0);
}
END_TEST

static const char *const not_numbers[] = {"",      "-",    ".",     "e5",    "1e", "1e+",
                                          "1.2.3", "0x10", "nan",   "inf",   "1 ", " 1",
                                          "1e5x",  "--1",  "1e400", "-1e309"};

START_TEST(refuses)
{
    double value;

    ck_assert(!lt_read_real(not_numbers[_i], strlen(not_numbers[_i]), &value));
}
END_TEST

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static char *real_text(double value, char text[64])
{
    struct lt_writer out = lt_writer_fixed(text, 63);

    lt_write_real(&out, value);
    ck_assert_int_eq(out.status, LEAT_OK);
    text[out.length] = '\0';
    return text;
}

START_TEST(every_double_comes_back)
{
    uint64_t state = 88172645463325252u;
    char text[64];
    int i;

    for (i = 0; i < 100000; i++) {
        uint64_t bits = next_random(&state);
        double value, back;

        memcpy(&value, &bits, sizeof value);
        if ((bits >> 52 & 0x7ff) == 0x7ff)
            continue;
        (void)real_text(value, text);
        ck_assert_msg(strtod(text, NULL) == value, "%a is written as %s", value, text);
        ck_assert(lt_read_real(text, strlen(text), &back));
        ck_assert_msg(memcmp(&back, &value, sizeof value) == 0, "%s is read as %a", text, back);
    }
}
END_TEST

START_TEST(decimals_come_back_short)
{
    uint64_t state = 1;
    char text[64], plain[64];
    int i;

    /* What people write with up to 15 digits is written back as they did. */
    for (i = 0; i < 20000; i++) {
        unsigned whole = (unsigned)(next_random(&state) % 1000000);
        unsigned fraction = (unsigned)(next_random(&state) % 1000000) | 1;
        double value;

        if (fraction % 10 == 0)
            continue;
        (void)snprintf(plain, sizeof plain, "%u.%06u", whole, fraction);
        value = strtod(plain, NULL);
        if (plain[strlen(plain) - 1] == '0')
            continue;
        ck_assert_str_eq(real_text(value, text), plain);
    }
}
END_TEST

static const struct {
    double value;
    const char *text;
} written[] = {
    {0.0, "0.0"},
    {-0.0, "-0.0"},
    {1.0, "1.0"},
    {-7.5, "-7.5"},
    {0.1, "0.1"},
    {100.0, "100.0"},
    {1e15, "1000000000000000.0"},
    {1e16, "10000000000000000.0"},
    {1e17, "1.0e17"},
    {1.5e300, "1.5e300"},
    {0.00001, "0.00001"},
    {0.000001, "1.0e-6"},
    {5e-324, "5.0e-324"},
    {1.7976931348623157e308, "1.7976931348623157e308"},
    {0.30000000000000004, "0.30000000000000004"},
    {123456.789, "123456.789"},
    {0.001234, "0.001234"},
    {4503599627370495.5, "4503599627370495.5"},
};

START_TEST(writes)
{
    char text[64];

    ck_assert_str_eq(real_text(written[_i].value, text), written[_i].text);
}
END_TEST

START_TEST(has_no_locale)
{
    static const char *const commas[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "nl_NL.UTF-8"};
    char text[64];
    double value;
    size_t i;

    /*
     * Where such a locale is installed its decimal comma must show nowhere; elsewhere "C" is
     * tested.
     */
    for (i = 0; i < sizeof commas / sizeof *commas; i++) {
        if (setlocale(LC_ALL, commas[i]) != NULL)
            break;
    }
    ck_assert_str_eq(real_text(0.30000000000000004, text), "0.30000000000000004");
    ck_assert(lt_read_real("1.5", 3, &value));
    ck_assert(value == 1.5);
    (void)setlocale(LC_ALL, "C");
}
END_TEST

static const struct {
    const char *text;
    bool u64_ok, i64_ok;
    uint64_t u64;
    int64_t i64;
} integers[] = {
    {"0", true, true, 0, 0},
    {"18446744073709551615", true, false, UINT64_MAX, 0},
    {"18446744073709551616", false, false, 0, 0},
    {"99999999999999999999", false, false, 0, 0},
    {"9223372036854775807", true, true, INT64_MAX, INT64_MAX},
    {"9223372036854775808", true, false, UINT64_C(1) << 63, 0},
    {"-9223372036854775808", false, true, 0, INT64_MIN},
    {"-9223372036854775809", false, false, 0, 0},
    {"-1", false, true, 0, -1},
    {"-0", false, true, 0, 0},
    {"", false, false, 0, 0},
    {"-", false, false, 0, 0},
    {"+1", false, false, 0, 0},
    {"1a", false, false, 0, 0},
    {"007", true, true, 7, 7},
};

START_TEST(integers_are_exact)
{
    const char *text = integers[_i].text;
    uint64_t u64 = 0;
    int64_t i64 = 0;

    ck_assert_int_eq(lt_read_u64(text, strlen(text), &u64), integers[_i].u64_ok);
    ck_assert_int_eq(lt_read_i64(text, strlen(text), &i64), integers[_i].i64_ok);
    if (integers[_i].u64_ok)
        ck_assert_uint_eq(u64, integers[_i].u64);
    if (integers[_i].i64_ok)
        ck_assert_int_eq(i64, integers[_i].i64);
}
END_TEST

START_TEST(integers_are_written)
{
    uint64_t value = 1;
    int i;

    for (i = 0; i < 40; i++) {
        char text[64], expected[64];
        struct lt_writer out = lt_writer_fixed(text, sizeof text - 1);

        lt_write_i64(&out, -(int64_t)(value / 2));
        lt_put_u8(&out, ' ');
        lt_write_u64(&out, value);
        text[out.length] = '\0';
        (void)snprintf(expected, sizeof expected, "%lld %llu", -(long long)(value / 2),
                       (unsigned long long)value);
        ck_assert_str_eq(text, expected);
        value = i % 2 == 0 ? value * 3 : value * 10 - 1;
    }
}
END_TEST

static void tests(TCase *cases)
{
    tcase_add_loop_test(cases, reads_as_strtod, 0, sizeof numbers / sizeof *numbers);
    tcase_add_test(cases, reads_halfway_cases_exactly);
    tcase_add_loop_test(cases, refuses, 0, sizeof not_numbers / sizeof *not_numbers);
    tcase_add_test(cases, every_double_comes_back);
    tcase_add_test(cases, decimals_come_back_short);
    tcase_add_loop_test(cases, writes, 0, sizeof written / sizeof *written);
    tcase_add_test(cases, has_no_locale);
    tcase_add_loop_test(cases, integers_are_exact, 0, sizeof integers / sizeof *integers);
    tcase_add_test(cases, integers_are_written);
}

T_MAIN("core/number", tests)
