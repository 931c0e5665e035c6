/* The heads that open a WebSocket: what is read, what is refused, and where. */
#include "../../lib/broker/http.h"

#include "support.h"

#define LINE "GET / HTTP/1.1\r\n"
#define END  "\r\n"

/* ----- the end of a head ----- */

static const struct {
    const char *name;
    const char *text;
    size_t limit;
    int status;
    size_t at; /* of the error, or the octets of the head */
} scans[] = {
    {"request", LINE "a: b" END END, 100, LEAT_OK, 24},
    {"no fields", LINE END, 100, LEAT_OK, 18},
    {"with octets behind it", LINE END "\x81\x00", 100, LEAT_OK, 18},
    {"empty", END, 100, LEAT_OK, 2},
    {"nothing", "", 100, LEAT_MORE, 0},
    {"half", LINE "a: b", 100, LEAT_MORE, 20},
    {"half an end", LINE "\r", 100, LEAT_MORE, 17},
    {"tab and octets above ASCII", LINE "a: \t\xff" END END, 100, LEAT_OK, 25},
    {"bare line feed", LINE "a: b\n\n", 100, LEAT_E_SYNTAX, 20},
    {"bare line feed at the end", LINE "\n", 100, LEAT_E_SYNTAX, 16},
    {"bare line feed at the start", "\n", 100, LEAT_E_SYNTAX, 0},
    {"bare carriage return", LINE "a: b\rc", 100, LEAT_E_SYNTAX, 21},
    {"two carriage returns", LINE "a: b\r\r\n", 100, LEAT_E_SYNTAX, 21},
    {"control character", LINE "a: \x01" END END, 100, LEAT_E_SYNTAX, 19},
    {"delete", LINE "a: \x7f" END END, 100, LEAT_E_SYNTAX, 19},
    {"just within the limit", LINE "a: b" END END, 24, LEAT_OK, 24},
    {"just over the limit", LINE "a: b" END END, 23, LEAT_E_LIMIT, 23},
    {"at the limit without an end", LINE "a: b", 20, LEAT_E_LIMIT, 20},
    {"below the limit without an end", LINE "a: b", 21, LEAT_MORE, 20},
};

START_TEST(scan)
{
    size_t length = strlen(scans[_i].text), cut;

    for (cut = 0; cut <= length; cut++) {
        const uint8_t *text = (const uint8_t *)scans[_i].text;
        struct leat_error error = {0};
        size_t scanned = 0;
        int status = lt_http_scan(&scanned, text, cut, scans[_i].limit, &error);

        if (status == LEAT_MORE)
            status = lt_http_scan(&scanned, text, length, scans[_i].limit, &error);
        ck_assert_msg(status == scans[_i].status, "%s: %s", scans[_i].name,
                      leat_status_name(status));
        ck_assert_msg((status < 0 ? error.offset : scanned) == scans[_i].at, "%s: %u",
                      scans[_i].name, (unsigned)(status < 0 ? error.offset : scanned));
    }
}
END_TEST

/* ----- requests and responses ----- */

static const struct {
    const char *name;
    const char *text;
    int at; /* of the error; -1: none */
} requests[] = {
    {"request", LINE "Host: x" END END, -1},
    {"other target", "GET /a?b=%20c HTTP/1.1" END END, -1},
    {"target that is no path", "GET v1 HTTP/1.1" END END, -1},
    {"HTTP/1.0", "GET / HTTP/1.0" END END, -1},
    {"any method", "M-SEARCH * HTTP/1.1" END END, -1},
    {"empty line first", END LINE END, 0},
    {"no version", "GET /" END END, 0},
    {"HTTP/2.0", "GET / HTTP/2.0" END END, 0},
    {"HTTP/1.10", "GET / HTTP/1.10" END END, 0},
    {"small letters", "GET / http/1.1" END END, 0},
    {"no target", "GET  HTTP/1.1" END END, 0},
    {"two spaces", "GET  / HTTP/1.1" END END, 0},
    {"space behind", "GET / HTTP/1.1 " END END, 0},
    {"space in front", " GET / HTTP/1.1" END END, 0},
    {"space in the target", "GET / / HTTP/1.1" END END, 0},
    {"tab in the target", "GET /\t HTTP/1.1" END END, 0},
    {"target above ASCII", "GET /\xc3\xbc HTTP/1.1" END END, 0},
    {"method of other characters", "G@T / HTTP/1.1" END END, 0},
    {"a response", "HTTP/1.1 101 x" END END, 0},
    {"empty value", LINE "a:" END END, -1},
    {"value without a space", LINE "a:b" END END, -1},
    {"colon in the value", LINE "a: b:c" END END, -1},
    {"space in front of the colon", LINE "a : b" END END, 16},
    {"no colon", LINE "a b" END END, 16},
    {"no name", LINE ": b" END END, 16},
    {"folded", LINE "a: b" END " c" END END, 22},
    {"folded with a tab", LINE "a: b" END "\tc: d" END END, 22},
    {"field in front", LINE " a: b" END END, 16},
    {"name of other characters", LINE "a: b" END "c(d): e" END END, 22},
    {"name above ASCII", LINE "\xc3\xbc: e" END END, 16},
};

START_TEST(request)
{
    struct lt_http_head head;
    struct leat_error error = {0};
    const char *text = requests[_i].text;
    int status = lt_http_read_request((const uint8_t *)text, strlen(text), &head, &error);

    ck_assert_msg(status == (requests[_i].at < 0 ? LEAT_OK : LEAT_E_SYNTAX), "%s",
                  requests[_i].name);
    if (status != LEAT_OK)
        ck_assert_msg((int)error.offset == requests[_i].at, "%s: %u", requests[_i].name,
                      (unsigned)error.offset);
}
END_TEST

static const struct {
    const char *text;
    uint32_t status; /* 0: refused */
    const char *reason;
} responses[] = {
    {"HTTP/1.1 101 Switching Protocols\r\n\r\n", 101, "Switching Protocols"},
    {"HTTP/1.0 400 x\r\n\r\n", 400, "x"},
    {"HTTP/1.1 400 \r\n\r\n", 400, ""},
    {"HTTP/1.1 400\r\n\r\n", 400, ""},
    {"HTTP/1.1 400 the rest is missing\r\n", 400, "the rest is missing"},
    {"HTTP/1.1 999 \xff\r\n\r\n", 999, "\xff"},
    {"HTTP/1.1 099 x\r\n\r\n", 0, NULL},
    {"HTTP/1.1 10 x\r\n\r\n", 0, NULL},
    {"HTTP/1.1 1010 x\r\n\r\n", 0, NULL},
    {"HTTP/1.1 1a1 x\r\n\r\n", 0, NULL},
    {"HTTP/1.1  101 x\r\n\r\n", 0, NULL},
    {"HTTP/1.1\r\n\r\n", 0, NULL},
    {"HTTP/2.0 101 x\r\n\r\n", 0, NULL},
    {"GET / HTTP/1.1\r\n\r\n", 0, NULL},
    {"HTTP/1.1 400 no line", 0, NULL},
};

START_TEST(response)
{
    struct lt_http_head head;
    struct leat_error error = {0};
    const char *text = responses[_i].text;
    int status = lt_http_read_response((const uint8_t *)text, strlen(text), &head, &error);

    ck_assert_msg(status == (responses[_i].status != 0 ? LEAT_OK : LEAT_E_SYNTAX), "%s", text);
    if (status != LEAT_OK)
        return;
    ck_assert_uint_eq(head.status, responses[_i].status);
    ck_assert_msg(lt_http_is(head.reason, responses[_i].reason), "%s", text);
}
END_TEST

START_TEST(parts)
{
    static const char text[] = "GET /v1?x HTTP/1.0\r\n"
                               "Connection: keep-alive, Upgrade\r\n"
                               "x-list:a ,\t b,,c\r\n"
                               "HOST: \t one \t\r\n"
                               "host: two\r\n"
                               "X-List: D\r\n"
                               "Empty:\r\n\r\n";
    struct lt_http_head head;
    struct lt_http_text value;
    struct leat_error error;

    ck_assert_int_eq(lt_http_read_request((const uint8_t *)text, sizeof text - 1, &head, &error),
                     LEAT_OK);
    ck_assert(lt_http_is(head.method, "GET"));
    ck_assert(!lt_http_is(head.method, "get"));
    ck_assert(!lt_http_is(head.method, "GE"));
    ck_assert(lt_http_is(head.target, "/v1?x"));
    ck_assert_uint_eq(head.minor, 0);
    ck_assert_uint_eq(lt_http_find(&head, "Host", &value), 2);
    ck_assert(lt_http_is(value, "one"));
    ck_assert_uint_eq(lt_http_find(&head, "Empty", &value), 1);
    ck_assert_uint_eq(value.length, 0);
    ck_assert_uint_eq(lt_http_find(&head, "Emp", &value), 0);
    ck_assert_uint_eq(value.length, 0);
    ck_assert(lt_http_lists(&head, "connection", "upgrade"));
    ck_assert(lt_http_lists(&head, "Connection", "Keep-Alive"));
    ck_assert(!lt_http_lists(&head, "Connection", "keep"));
    ck_assert(lt_http_lists(&head, "X-List", "a"));
    ck_assert(lt_http_lists(&head, "X-List", "B"));
    ck_assert(lt_http_lists(&head, "X-List", "c"));
    ck_assert(lt_http_lists(&head, "X-List", "d"));
    ck_assert(!lt_http_lists(&head, "X-List", "a ,"));
    ck_assert(!lt_http_lists(&head, "Nothing", "a"));
}
END_TEST

START_TEST(values)
{
    ck_assert(lt_http_is_value("a\tb \xff", 5));
    ck_assert(lt_http_is_value("", 0));
    ck_assert(!lt_http_is_value("a\r\nb", 4));
    ck_assert(!lt_http_is_value("a\0b", 3));
    ck_assert(!lt_http_is_value("\x7f", 1));
}
END_TEST

static void tests(TCase *t)
{
    tcase_add_loop_test(t, scan, 0, (int)(sizeof scans / sizeof *scans));
    tcase_add_loop_test(t, request, 0, (int)(sizeof requests / sizeof *requests));
    tcase_add_loop_test(t, response, 0, (int)(sizeof responses / sizeof *responses));
    tcase_add_test(t, parts);
    tcase_add_test(t, values);
}

T_MAIN("broker/http", tests)
