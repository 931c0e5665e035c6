/* Where a proxy group sends agents and senders. */
#include "live.h"

#include <stdio.h>

static int follow(leat_zabbix_redirect *redirect, const char *json)
{
    struct t_bytes text = live_text(json);
    leat_builder *builder = t_json((const char *)text.data, text.length);
    int status = leat_zabbix_redirect_follow(redirect, leat_builder_value(builder));

    leat_builder_free(builder);
    t_free(text);
    return status;
}

static leat_zabbix_redirect fresh(void)
{
    leat_zabbix_redirect redirect;

    memset(&redirect, 0xff, sizeof redirect);
    leat_zabbix_redirect_init(&redirect, sizeof redirect);
    return redirect;
}

#define CHECK(r, h, p, v, f)                                                                       \
    do {                                                                                           \
        ck_assert_str_eq((r).host, h);                                                             \
        ck_assert_uint_eq((r).port, p);                                                            \
        ck_assert_uint_eq((r).revision, v);                                                        \
        ck_assert_uint_eq((r).followed, f);                                                        \
    } while (0)

START_TEST(begins)
{
    leat_zabbix_redirect redirect = fresh();

    ck_assert_uint_eq(redirect.size, sizeof redirect);
    CHECK(redirect, "", redirect.port, 0, 0);
}
END_TEST

/* Addresses as servers name them; 0: cannot be followed. */
static const struct {
    const char *address;
    const char *host;
    uint32_t port;
} addresses[] = {
    {"127.0.0.1:17999", "127.0.0.1", 17999},
    {"127.0.0.1", "127.0.0.1", 10051},
    {"proxy2.example.com:10061", "proxy2.example.com", 10061},
    {"proxy2.example.com", "proxy2.example.com", 10051},
    {"[2001:db8::1]:10052", "2001:db8::1", 10052},
    {"[2001:db8::1]", "2001:db8::1", 10051},
    {"2001:db8::1", "2001:db8::1", 10051},
    {"x:1", "x", 1},
    {"x:65535", "x", 65535},
    {"x:65536", NULL, 0},
    {"x:0", NULL, 0},
    {"x:", NULL, 0},
    {"x:a", NULL, 0},
    {"x:1a", NULL, 0},
    {"x:-1", NULL, 0},
    {"x:99999999999999999999", NULL, 0},
    {":10051", NULL, 0},
    {"", NULL, 0},
    {"[]:1", NULL, 0},
    {"[::1", NULL, 0},
    {"[::1]x", NULL, 0},
    {"[::1]:", NULL, 0},
    {"[::1]10051", NULL, 0},
};

START_TEST(address)
{
    leat_zabbix_redirect redirect = fresh();
    char text[200];

    (void)snprintf(text, sizeof text,
                   "{'response':'failed','redirect':{'revision':3,'address':'%s'}}",
                   addresses[_i].address);
    if (addresses[_i].host != NULL) {
        ck_assert_int_eq(follow(&redirect, text), LEAT_OK);
        CHECK(redirect, addresses[_i].host, addresses[_i].port, 3, 1);
    } else {
        leat_zabbix_redirect before = redirect;

        ck_assert_int_eq(follow(&redirect, text), LEAT_E_PROTOCOL);
        CHECK(redirect, "", before.port, 0, redirect.followed);
    }
}
END_TEST

/* The longest host that there is room for, and one octet more. */
START_TEST(long_host)
{
    leat_zabbix_redirect redirect = fresh();
    char text[500], host[257];

    memset(host, 'h', sizeof host);
    host[255] = '\0';
    (void)snprintf(text, sizeof text, "{'redirect':{'revision':1,'address':'%s:10'}}", host);
    ck_assert_int_eq(follow(&redirect, text), LEAT_OK);
    CHECK(redirect, host, 10, 1, 1);
    redirect = fresh();
    host[255] = 'h';
    host[256] = '\0';
    (void)snprintf(text, sizeof text, "{'redirect':{'revision':1,'address':'%s:10'}}", host);
    ck_assert_int_eq(follow(&redirect, text), LEAT_E_PROTOCOL);
    CHECK(redirect, "", redirect.port, 0, redirect.followed);
}
END_TEST

/* Both orders of members that were recorded, and a revision that is written as text. */
static const char *const followed[] = {
    "{'response':'failed','redirect':{'revision':1,'address':'127.0.0.1:17999'}}",
    "{'redirect':{'revision':1,'address':'127.0.0.1:17999'},'response':'failed'}",
    "{'redirect':{'address':'127.0.0.1:17999','revision':'1'}}",
    "{'redirect':{'revision':1,'address':'127.0.0.1:17999','more':[1]},'redirect':{'reset':true}}",
};

START_TEST(is_followed)
{
    leat_zabbix_redirect redirect = fresh();

    ck_assert_int_eq(follow(&redirect, followed[_i]), LEAT_OK);
    CHECK(redirect, "127.0.0.1", 17999, 1, 1);
}
END_TEST

/* Without a redirect the response is the answer, and one may redirect again after it. */
START_TEST(is_the_answer)
{
    leat_zabbix_redirect redirect = fresh();

    ck_assert_int_eq(follow(&redirect, "{'response':'success'}"), LEAT_END);
    CHECK(redirect, "", redirect.port, 0, 0);
    ck_assert_int_eq(follow(&redirect, "{'response':'failed','info':'redirect'}"), LEAT_END);
    ck_assert_int_eq(follow(&redirect, "{'redirect':{'revision':5,'address':'a:1'}}"), LEAT_OK);
    CHECK(redirect, "a", 1, 5, 1);
    ck_assert_int_eq(follow(&redirect, "{'response':'success'}"), LEAT_END);
    CHECK(redirect, "a", 1, 5, 0);
    ck_assert_int_eq(follow(&redirect, "{'redirect':{'revision':6,'address':'b:2'}}"), LEAT_OK);
    CHECK(redirect, "b", 2, 6, 1);
}
END_TEST

START_TEST(twice_in_a_row)
{
    leat_zabbix_redirect redirect = fresh();

    ck_assert_int_eq(follow(&redirect, "{'redirect':{'revision':5,'address':'a:1'}}"), LEAT_OK);
    ck_assert_int_eq(follow(&redirect, "{'redirect':{'revision':6,'address':'b:2'}}"),
                     LEAT_E_PROTOCOL);
    CHECK(redirect, "a", 1, 5, redirect.followed);
    redirect = fresh();
    ck_assert_int_eq(follow(&redirect, "{'redirect':{'revision':5,'address':'a:1'}}"), LEAT_OK);
    ck_assert_int_eq(follow(&redirect, "{'redirect':{'reset':true}}"), LEAT_E_PROTOCOL);
    CHECK(redirect, "a", 1, 5, redirect.followed);
}
END_TEST

/* Lower revisions are ignored; the same one is not lower. */
START_TEST(older)
{
    leat_zabbix_redirect redirect = fresh();

    ck_assert_int_eq(follow(&redirect, "{'redirect':{'revision':5,'address':'a:1'}}"), LEAT_OK);
    ck_assert_int_eq(follow(&redirect, "{'response':'success'}"), LEAT_END);
    ck_assert_int_eq(follow(&redirect, "{'redirect':{'revision':4,'address':'b:2'}}"), LEAT_END);
    CHECK(redirect, "a", 1, 5, 0);
    ck_assert_int_eq(follow(&redirect, "{'redirect':{'revision':5,'address':'c:3'}}"), LEAT_OK);
    CHECK(redirect, "c", 3, 5, 1);
}
END_TEST

START_TEST(large_revision)
{
    leat_zabbix_redirect redirect = fresh();

    ck_assert_int_eq(
        follow(&redirect, "{'redirect':{'revision':18446744073709551615,'address':'a:1'}}"),
        LEAT_OK);
    CHECK(redirect, "a", 1, UINT64_MAX, 1);
}
END_TEST

/* Back to the configured addresses, whatever was remembered. */
START_TEST(reset)
{
    leat_zabbix_redirect redirect = fresh();

    ck_assert_int_eq(follow(&redirect, "{'redirect':{'revision':5,'address':'a:1'}}"), LEAT_OK);
    ck_assert_int_eq(follow(&redirect, "{'response':'success'}"), LEAT_END);
    ck_assert_int_eq(follow(&redirect, "{'response':'failed','redirect':{'reset':true}}"), LEAT_OK);
    ck_assert_str_eq(redirect.host, "");
    ck_assert_uint_eq(redirect.followed, 1);
    ck_assert_int_eq(follow(&redirect, "{'response':'success'}"), LEAT_END);
    /* Any revision is news after that. */
    ck_assert_int_eq(follow(&redirect, "{'redirect':{'revision':2,'address':'b:2'}}"), LEAT_OK);
    CHECK(redirect, "b", 2, 2, 1);
}
END_TEST

/* A member of the wrong type counts as absent; a redirect that leads nowhere cannot be followed. */
static const struct {
    const char *json;
    int status;
} odd[] = {
    {"{}", LEAT_END},
    {"{'redirect':'127.0.0.1'}", LEAT_END},
    {"{'redirect':null}", LEAT_END},
    {"{'redirect':[]}", LEAT_END},
    {"{'redirect':{}}", LEAT_E_PROTOCOL},
    {"{'redirect':{'revision':1}}", LEAT_E_PROTOCOL},
    {"{'redirect':{'address':'a:1'}}", LEAT_E_PROTOCOL},
    {"{'redirect':{'revision':1,'address':1}}", LEAT_E_PROTOCOL},
    {"{'redirect':{'revision':'x','address':'a:1'}}", LEAT_E_PROTOCOL},
    {"{'redirect':{'revision':1,'address':'a\\u0000b:1'}}", LEAT_E_PROTOCOL},
    {"{'redirect':{'reset':false}}", LEAT_E_PROTOCOL},
    {"[{'redirect':{'reset':true}}]", LEAT_END},
};

START_TEST(odd_ones)
{
    leat_zabbix_redirect redirect = fresh(), before = redirect;

    ck_assert_int_eq(follow(&redirect, odd[_i].json), odd[_i].status);
    CHECK(redirect, "", before.port, 0, redirect.followed);
}
END_TEST

START_TEST(no_response)
{
    leat_zabbix_redirect redirect = fresh();

    ck_assert_int_eq(leat_zabbix_redirect_follow(&redirect, NULL), LEAT_END);
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_test(tc, begins);
    tcase_add_loop_test(tc, address, 0, sizeof addresses / sizeof *addresses);
    tcase_add_test(tc, long_host);
    tcase_add_loop_test(tc, is_followed, 0, sizeof followed / sizeof *followed);
    tcase_add_test(tc, is_the_answer);
    tcase_add_test(tc, twice_in_a_row);
    tcase_add_test(tc, older);
    tcase_add_test(tc, large_revision);
    tcase_add_test(tc, reset);
    tcase_add_loop_test(tc, odd_ones, 0, sizeof odd / sizeof *odd);
    tcase_add_test(tc, no_response);
}

T_MAIN("zabbix/redirect", tests)
