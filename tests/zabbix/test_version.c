/* Versions: what is one, and which proxies a server puts up with. */
#include "support.h"

#include "../zabbix/version.h"

static struct lt_zabbix_version version(const char *text)
{
    struct lt_zabbix_version read;

    ck_assert_msg(lt_zabbix_version_read(text, strlen(text), &read), "%s", text);
    return read;
}

static const struct {
    const char *text;
    uint32_t number;
    uint32_t patch;
} versions[] = {
    {"5.0.0", LT_ZABBIX_5_0, 0},
    {"5.2.7", LT_ZABBIX_5_2, 7},
    {"5.4.12", LT_ZABBIX_5_4, 12},
    {"6.0.14", LT_ZABBIX_6_0, 14},
    {"6.2.9", LT_ZABBIX_6_2, 9},
    {"6.4.21", LT_ZABBIX_6_4, 21},
    {"7.0.22", LT_ZABBIX_7_0, 22},
    {"7.2.1", LT_ZABBIX_7_2, 1},
    {"7.4.0", LT_ZABBIX_7_4, 0},
    {"7.0", LT_ZABBIX_7_0, 0},
    {"4.2.8", 402, 8},
    {"3.2", 302, 0},
    {"7.0.0beta1", 700, 0},
    {"6.4.0rc2", 604, 0},
    {"6.0.14rc1", 600, 14},
    {"7.0beta1", 700, 0},
    {"7.0.", 700, 0},
    {"7.0.x", 700, 0},
    {"7.0.22.5", 700, 22},
    {"10.2.3", 1002, 3},
    {"7.0.22 (revision 1)", 700, 22},
};

START_TEST(is_one)
{
    struct lt_zabbix_version read = version(versions[_i].text);

    ck_assert_uint_eq(read.number, versions[_i].number);
    ck_assert_uint_eq(read.patch, versions[_i].patch);
    ck_assert_str_eq(read.text, versions[_i].text);
}
END_TEST

/* What we can call ourselves. */
START_TEST(own)
{
    struct lt_zabbix_version read;

    ck_assert(lt_zabbix_version_own("5.0.0", &read));
    ck_assert(lt_zabbix_version_own("7.0.22 (a name of 31 octets ~~)", &read));
    ck_assert_str_eq(read.text, "7.0.22 (a name of 31 octets ~~)");
    ck_assert(!lt_zabbix_version_own("7.0.22 (a name of 32 octets ~~~)", &read));
    ck_assert(!lt_zabbix_version_own("7.0.0\xc3\xa9", &read));
    ck_assert(!lt_zabbix_version_own("7.0.0\n", &read));
    ck_assert(!lt_zabbix_version_own("7.0.0\x7f", &read));
    ck_assert(!lt_zabbix_version_own("4.4.99", &read));
    ck_assert(!lt_zabbix_version_own("", &read));
    ck_assert(!lt_zabbix_version_own(NULL, &read));
}
END_TEST

static const char *const others[] = {"",
                                     "7",
                                     "7.",
                                     ".0",
                                     "7.x",
                                     "x",
                                     "seven",
                                     " 7.0",
                                     "-7.0",
                                     "+7.0",
                                     "7 .0",
                                     "7. 0",
                                     "7.-1",
                                     "4294967303.0",
                                     "7.4294967296",
                                     "99999999999999999999.0",
                                     "7.99999999999999999999",
                                     "0.0",
                                     "7.100"};

START_TEST(is_none)
{
    struct lt_zabbix_version read = version("7.0.22");

    ck_assert(!lt_zabbix_version_read(others[_i], strlen(others[_i]), &read));
    ck_assert_uint_eq(read.number, 0);
}
END_TEST

/* The text need not end where the version does; a long one is cut; a patch may be anything. */
START_TEST(of_any_length)
{
    struct lt_zabbix_version read;
    char text[100];

    ck_assert(lt_zabbix_version_read("7.0.22", 5, &read));
    ck_assert_uint_eq(read.patch, 2);
    ck_assert_str_eq(read.text, "7.0.2");
    ck_assert(!lt_zabbix_version_read("7.0", 2, &read));
    ck_assert(!lt_zabbix_version_read("7.0", 0, &read));
    memset(text, 'x', sizeof text);
    memcpy(text, "7.0.22", 6);
    ck_assert(lt_zabbix_version_read(text, sizeof text, &read));
    ck_assert_uint_eq(read.number, 700);
    ck_assert_uint_eq(strlen(read.text), sizeof read.text - 1);
    ck_assert_mem_eq(read.text, text, sizeof read.text - 1);
    memset(text + 4, '9', sizeof text - 4);
    ck_assert(lt_zabbix_version_read(text, sizeof text, &read));
    ck_assert_uint_eq(read.number, 700);
}
END_TEST

/*
 * Section 5: one line for each server, a letter for each proxy. d: takes its data, C: gives it its
 * configuration as well, c: the configuration alone.
 */
static const char *const proxies[] = {"",       "3.2.1", "4.0.5",  "4.1.9",  "4.2.0", "4.4.3",
                                      "5.0.33", "5.2.1", "5.4.12", "6.0.14", "6.2.9", "6.4.21",
                                      "7.0.22", "7.2.1", "7.4.0",  "8.0.0"};
static const struct {
    const char *server;
    const char *takes;
} table[] = {
    {"5.0.33", "ccccCCCccccccccc"}, {"5.2.1", "ccccCCCCcccccccc"}, {"5.4.12", "ccccCCCCCccccccc"},
    {"6.0.14", "ccccCCCCCCcccccc"}, {"6.2.9", "ccccCCCCCCCccccc"}, {"6.4.21", ".........ddC...."},
    {"7.0.22", ".........dddC..."}, {"7.2.1", "............dC.."}, {"7.4.0", "............ddC."},
};

START_TEST(puts_up_with)
{
    struct lt_zabbix_version server = version(table[_i].server), proxy;
    size_t i;

    for (i = 0; i < sizeof proxies / sizeof *proxies; i++) {
        char expected = table[_i].takes[i];

        (void)lt_zabbix_version_read(proxies[i], strlen(proxies[i]), &proxy);
        ck_assert_msg(lt_zabbix_version_takes(&server, &proxy, false) ==
                          (expected == 'd' || expected == 'C'),
                      "%s, data of %s", table[_i].server, proxies[i]);
        ck_assert_msg(lt_zabbix_version_takes(&server, &proxy, true) ==
                          (expected == 'c' || expected == 'C'),
                      "%s, configuration of %s", table[_i].server, proxies[i]);
    }
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_test(tc, own);
    tcase_add_loop_test(tc, is_one, 0, sizeof versions / sizeof *versions);
    tcase_add_loop_test(tc, is_none, 0, sizeof others / sizeof *others);
    tcase_add_test(tc, of_any_length);
    tcase_add_loop_test(tc, puts_up_with, 0, sizeof table / sizeof *table);
}

T_MAIN("zabbix/version", tests)
