/* Bodies, sound and not: what they are read as, in every form of frame and however they are cut. */
#include "frames.h"

#include <inttypes.h>
#include <stdio.h>

/* A line for each event: name, value, and for an error its text and place in the message's text. */
static char *tell(leat_session *session, const struct t_bytes *bytes)
{
    struct t_bytes told = t_copy("", 0);
    const leat_event *event;

    ck_assert_int_eq(leat_feed(session, bytes->data, bytes->length), LEAT_OK);
    while (leat_next(session, &event) == LEAT_OK) {
        const leat_error *error = leat_event_error(event);
        char *json = t_json_text(leat_event_value(event));
        char text[200];
        size_t length;
        const char *name = leat_event_name(event, &length);

        t_append(&told, name, length);
        t_append(&told, " ", 1);
        t_append(&told, json, strlen(json));
        if (error != NULL) {
            (void)snprintf(text, sizeof text, " ! %s @%" PRIu64, leat_error_text(error),
                           leat_zabbix_position(session));
            t_append(&told, text, strlen(text));
        }
        t_append(&told, "\n", 1);
        free(json);
    }
    return (char *)told.data;
}

static void check(const char *text, size_t length, const char *expected)
{
    static const uint8_t forms[] = {0x01, 0x03, 0x05, 0x07};
    size_t i;

    for (i = 0; i < sizeof forms; i++) {
        struct t_bytes bytes = frame(forms[i], text, length);
        leat_session *session = make_codec(NULL, NULL);
        char *told = tell(session, &bytes);

        ck_assert_str_eq(told, expected);
        ck_assert_ptr_null(leat_session_error(session));
        leat_session_free(session);
        free(told);
        free(t_every_split(make_codec, NULL, bytes.data, bytes.length));
        t_free(bytes);
    }
}

#define M "message "
static const struct {
    const char *name;
    const char *text;
    const char *says;
} cases[] = {
    /* rows and placeholders */
    {"a section", "{\"history data\":[{\"id\":1},{\"id\":2}],\"more\":1}",
     "history data {\"id\":1}\nhistory data {\"id\":2}\n"
     "proxy data {\"history data\":{\"rows\":2},\"more\":1}\n"},
    {"an empty section is there", "{\"history data\":[]}",
     "proxy data {\"history data\":{\"rows\":0}}\n"},
    {"white space everywhere",
     "{ \"tasks\"\t:\r\n[ { \"type\" : 6 } , { } ] , \"version\" : \"6.0\" , \"clock\" : 1 } \r\n",
     "tasks {\"type\":6}\ntasks {}\n"
     "proxy tasks {\"tasks\":{\"rows\":2},\"version\":\"6.0\",\"clock\":1}\n"},
    {"sections twice", "{\"tasks\":[{\"a\":1}],\"x\":0,\"tasks\":[{\"a\":2},{\"a\":3}]}",
     "tasks {\"a\":1}\ntasks {\"a\":2}\ntasks {\"a\":3}\n"
     "proxy tasks {\"tasks\":{\"rows\":1},\"x\":0,\"tasks\":{\"rows\":2}}\n"},
    {"rows that are no objects",
     "{\"history data\":[1,\"two\",null,true,[3],-4.5,{\"id\":5}],\"session\":\"s\"}",
     "history data 1\nhistory data \"two\"\nhistory data null\nhistory data true\nhistory data "
     "[3]\n"
     "history data -4.5\nhistory data {\"id\":5}\n"
     "proxy data {\"history data\":{\"rows\":7},\"session\":\"s\"}\n"},
    {"a section that is no array is a member",
     "{\"history data\":\"none\",\"tasks\":{},\"data\":7}",
     "proxy data {\"history data\":\"none\",\"tasks\":{},\"data\":7}\n"},
    {"names are compared with case and spaces", "{\"History data\":[1],\"history  data\":[2]}",
     M "{\"History data\":[1],\"history  data\":[2]}\n"},
    {"an escaped name is the same name", "{\"\\u0074asks\":[{\"a\":1}],\"cl\\u006fck\":1}",
     "tasks {\"a\":1}\nproxy tasks {\"tasks\":{\"rows\":1},\"clock\":1}\n"},
    {"other arrays stay whole", "{\"del_hostids\":[1,2],\"items\":[{\"a\":1}]}",
     "proxy config {\"del_hostids\":[1,2],\"items\":[{\"a\":1}]}\n"},
    {"rows of agents and for agents",
     "{\"response\":\"success\",\"data\":[{\"key\":\"k\"}],\"regexp\":[{\"name\":\"r\"}],"
     "\"commands\":[{\"id\":9}]}",
     "data {\"key\":\"k\"}\nregexp {\"name\":\"r\"}\ncommands {\"id\":9}\n"
     "response {\"response\":\"success\",\"data\":{\"rows\":1},\"regexp\":{\"rows\":1},"
     "\"commands\":{\"rows\":1}}\n"},
    /* tables */
    {"a table at the top",
     "{\"hosts\":{\"fields\":[\"hostid\",\"host\"],\"data\":[[1,\"a\"],[2,\"b\"]]}}",
     "hosts {\"hostid\":1,\"host\":\"a\"}\nhosts {\"hostid\":2,\"host\":\"b\"}\n"
     "proxy config {\"hosts\":{\"fields\":[\"hostid\",\"host\"],\"rows\":2}}\n"},
    {"tables in data",
     "{\"data\":{\"items\":{\"fields\":[\"itemid\"],\"data\":[[9]]},\"config\":{\"fields\":[\"x\"],"
     "\"data\":[]}},\"config_revision\":5}",
     "items {\"itemid\":9}\n"
     "proxy config {\"data\":{\"items\":{\"fields\":[\"itemid\"],\"rows\":1},"
     "\"config\":{\"fields\":[\"x\"],\"rows\":0}},\"config_revision\":5}\n"},
    {"rows before their fields", "{\"t\":{\"data\":[[1],[2]],\"fields\":[\"a\"]}}",
     "t [1]\nt [2]\nproxy config {\"t\":{\"rows\":2,\"fields\":[\"a\"]}}\n"},
    {"rows between two fields",
     "{\"t\":{\"fields\":[\"a\"],\"data\":[[1]],\"fields\":[\"b\",\"c\"],\"data\":[[1,2]]}}",
     "t {\"a\":1}\nt {\"b\":1,\"c\":2}\n"
     "proxy config {\"t\":{\"fields\":[\"a\"],\"rows\":1,\"fields\":[\"b\",\"c\"],\"rows\":1}}\n"},
    {"fields belong to their table alone",
     "{\"t\":{\"fields\":[\"a\"],\"data\":[]},\"u\":{\"data\":[[1]]}}",
     "u [1]\nproxy config {\"t\":{\"fields\":[\"a\"],\"rows\":0},\"u\":{\"rows\":1}}\n"},
    {"more and fewer values than fields",
     "{\"t\":{\"fields\":[\"a\",\"b\"],\"data\":[[1],[1,2],[1,2,3],[]]}}",
     "t [1] ! a row has more or fewer values than its table has fields @33\n"
     "t {\"a\":1,\"b\":2}\n"
     "t [1,2,3] ! a row has more or fewer values than its table has fields @43\n"
     "t [] ! a row has more or fewer values than its table has fields @51\n"
     "proxy config {\"t\":{\"fields\":[\"a\",\"b\"],\"rows\":4}}\n"},
    {"fields that are no list of names",
     "{\"t\":{\"fields\":\"a\",\"data\":[[1]]},\"u\":{\"fields\":[\"a\",1],\"data\":[[1,2]]}}",
     "t [1]\nu [1,2]\n"
     "proxy config "
     "{\"t\":{\"fields\":\"a\",\"rows\":1},\"u\":{\"fields\":[\"a\",1],\"rows\":1}}\n"},
    {"rows of a table that are no lists", "{\"t\":{\"fields\":[\"a\"],\"data\":[{\"a\":1},7]}}",
     "t {\"a\":1}\nt 7\nproxy config {\"t\":{\"fields\":[\"a\"],\"rows\":2}}\n"},
    {"values in values of a table",
     "{\"t\":{\"fields\":[\"a\",\"b\"],\"data\":[[[1,{\"x\":2}],3]]}}",
     "t {\"a\":[1,{\"x\":2}],\"b\":3}\nproxy config "
     "{\"t\":{\"fields\":[\"a\",\"b\"],\"rows\":1}}\n"},
    {"a table with other members",
     "{\"t\":{\"x\":{\"y\":[1]},\"fields\":[\"a\"],\"data\":[[1]],\"z\":null}}",
     "t {\"a\":1}\nproxy config "
     "{\"t\":{\"x\":{\"y\":[1]},\"fields\":[\"a\"],\"rows\":1,\"z\":null}}\n"},
    {"a table with an odd name", "{\"ta\\\"b\\nle\\u00e9\":{\"fields\":[\"\\\"\"],\"data\":[[1]]}}",
     "ta\"b\nle\xc3\xa9 {\"\\\"\":1}\n"
     "proxy config {\"ta\\\"b\\nle\xc3\xa9\":{\"fields\":[\"\\\"\"],\"rows\":1}}\n"},
    {"two fields of one name", "{\"t\":{\"fields\":[\"a\",\"a\"],\"data\":[[1,2]]}}",
     "t {\"a\":1,\"a\":2}\nproxy config {\"t\":{\"fields\":[\"a\",\"a\"],\"rows\":1}}\n"},
    {"no fields, no values", "{\"t\":{\"fields\":[],\"data\":[[]]}}",
     "t {}\nproxy config {\"t\":{\"fields\":[],\"rows\":1}}\n"},
    {"secrets are no table", "{\"macro.secrets\":{\"data\":[{\"k\":\"v\"}],\"fields\":[\"k\"]}}",
     "proxy config {\"macro.secrets\":{\"data\":[{\"k\":\"v\"}],\"fields\":[\"k\"]}}\n"},
    {"nor in data", "{\"data\":{\"macro.secrets\":{\"data\":[1],\"fields\":[\"k\"]}}}",
     "proxy config {\"data\":{\"macro.secrets\":{\"data\":[1],\"fields\":[\"k\"]}}}\n"},
    {"deeper than tables stand",
     "{\"data\":{\"data\":[[1]],\"t\":{\"u\":{\"fields\":[\"a\"],\"data\":[[1]]}}}}",
     "proxy config "
     "{\"data\":{\"data\":[[1]],\"t\":{\"u\":{\"fields\":[\"a\"],\"data\":[[1]]}}}}\n"},
    {"objects that are no tables",
     "{\"proxy_group\":{\"hostmap_revision\":1},\"e\":{},\"data\":{\"n\":1,\"o\":{}}}",
     "proxy config "
     "{\"proxy_group\":{\"hostmap_revision\":1},\"e\":{},\"data\":{\"n\":1,\"o\":{}}}\n"},
    /* values */
    {"identifiers are exact",
     "{\"history data\":[{\"id\":18446744073709551615,\"itemid\":9007199254740993}]}",
     "history data {\"id\":18446744073709551615,\"itemid\":9007199254740993}\n"
     "proxy data {\"history data\":{\"rows\":1}}\n"},
    {"members of every kind",
     "{\"a\":null,\"b\":true,\"c\":false,\"d\":-1,\"e\":1.5e3,\"f\":\"\\ud83d\\ude00\"}",
     M "{\"a\":null,\"b\":true,\"c\":false,\"d\":-1,\"e\":1500.0,\"f\":\"\xf0\x9f\x98\x80\"}\n"},
    {"members twice", "{\"a\":1,\"a\":2,\"a\":{\"b\":3,\"b\":4}}",
     M "{\"a\":1,\"a\":2,\"a\":{\"b\":3,\"b\":4}}\n"},
    {"a name that is empty", "{\"\":1,\"tasks\":[{\"\":2}]}",
     "tasks {\"\":2}\nproxy tasks {\"\":1,\"tasks\":{\"rows\":1}}\n"},
    {"octets that are not UTF-8", "{\"history data\":[{\"value\":\"\xff\"}],\"x\":\"\xc3\"}",
     "history data {\"value\":{\"hex\":\"ff\"}}\nproxy data {\"history "
     "data\":{\"rows\":1},\"x\":{\"hex\":\"c3\"}}\n"},
    {"nor in names", "{\"\xff\":{\"fields\":[\"\xfe\"],\"data\":[[1]]}}",
     "\xff {\"hex:fe\":1}\nproxy config {\"hex:ff\":{\"fields\":[{\"hex\":\"fe\"}],\"rows\":1}}\n"},
    {"the shortest", "{}", "proxy config {}\n"},
    /* what may follow */
    {"space, CR and LF", "{\"x\":1} \r\n \n", M "{\"x\":1}\n"},
    {"a tab does not", "{\"x\":1}\t", M "{\"x\":1} ! octets behind the object @7\n"},
    {"a second object does not", "{\"x\":1}{\"y\":2}",
     M "{\"x\":1} ! octets behind the object @7\n"},
    /* what is no JSON */
    {"text that ends", "{", M "{} ! a member name is missing @1\n"},
    {"in a name", "{\"x", M "{} ! the text ends inside a value @3\n"},
    {"behind a name", "{\"x\"", M "{} ! a colon is missing @4\n"},
    {"behind a colon", "{\"x\":", M "{} ! the text ends inside a value @5\n"},
    {"in a number", "{\"x\":12", M "{\"x\":12} ! a comma or a closing bracket is missing @7\n"},
    {"in a word", "{\"x\":tru", M "{} ! the text ends inside a value @8\n"},
    {"in a string", "{\"x\":\"", M "{} ! the text ends inside a value @6\n"},
    {"in a list", "{\"x\":[1,", M "{} ! the text ends inside a value @8\n"},
    {"behind a member", "{\"x\":1 ", M "{\"x\":1} ! a comma or a closing bracket is missing @7\n"},
    {"behind a comma", "{\"x\":1, ", M "{\"x\":1} ! a member name is missing @8\n"},
    {"before a row", "{\"tasks\":[ ",
     "proxy tasks {\"tasks\":{\"rows\":0}} ! a comma or a closing bracket is missing @11\n"},
    {"in a row", "{\"tasks\":[{\"a\":1},{\"a\":",
     "tasks {\"a\":1}\nproxy tasks {\"tasks\":{\"rows\":1}} ! the text ends inside a value @23\n"},
    {"behind a row", "{\"tasks\":[{\"a\":1} ",
     "tasks {\"a\":1}\nproxy tasks {\"tasks\":{\"rows\":1}} ! a comma or a closing bracket is "
     "missing @18\n"},
    {"behind a row's comma", "{\"tasks\":[{\"a\":1},",
     "tasks {\"a\":1}\nproxy tasks {\"tasks\":{\"rows\":1}} ! the text ends inside a value @18\n"},
    {"behind the rows", "{\"tasks\":[{\"a\":1}]",
     "tasks {\"a\":1}\nproxy tasks {\"tasks\":{\"rows\":1}} ! a comma or a closing bracket is "
     "missing @18\n"},
    {"in a table", "{\"t\":{\"fields\":[\"a\"],\"data\":[[1]",
     "t {\"a\":1}\nproxy config {\"t\":{\"fields\":[\"a\"],\"rows\":1}} ! a comma or a closing "
     "bracket is missing @32\n"},
    {"a member without a name", "{x:1}", M "{} ! a member name is missing @1\n"},
    {"a comma first", "{,\"x\":1}", M "{} ! a member name is missing @1\n"},
    {"a comma last", "{\"x\":1,}", M "{\"x\":1} ! a member name is missing @7\n"},
    {"two commas", "{\"x\":1,,\"y\":2}", M "{\"x\":1} ! a member name is missing @7\n"},
    {"no comma", "{\"x\":1 \"y\":2}", M "{\"x\":1} ! a comma or a closing bracket is missing @7\n"},
    {"no colon", "{\"x\" 1}", M "{} ! a colon is missing @5\n"},
    {"a semicolon", "{\"x\";1}", M "{} ! a colon is missing @4\n"},
    {"no value", "{\"x\":}", M "{} ! not a JSON value @5\n"},
    {"a bracket of the wrong kind", "{\"x\":1]",
     M "{\"x\":1} ! a comma or a closing bracket is missing @6\n"},
    {"and inside", "{\"x\":[1}]}", M "{} ! a comma or a closing bracket is missing @7\n"},
    {"a comma before rows", "{\"tasks\":[,{}]}",
     "proxy tasks {\"tasks\":{\"rows\":0}} ! not a JSON value @10\n"},
    {"a comma behind rows", "{\"tasks\":[{},]}",
     "tasks {}\nproxy tasks {\"tasks\":{\"rows\":1}} ! not a JSON value @13\n"},
    {"two commas between rows", "{\"tasks\":[{},,{}]}",
     "tasks {}\nproxy tasks {\"tasks\":{\"rows\":1}} ! not a JSON value @13\n"},
    {"no comma between rows", "{\"tasks\":[{} {}]}",
     "tasks {}\nproxy tasks {\"tasks\":{\"rows\":1}} ! a comma or a closing bracket is missing "
     "@13\n"},
    {"rows closed as an object", "{\"tasks\":[{}}]}",
     "tasks {}\nproxy tasks {\"tasks\":{\"rows\":1}} ! a comma or a closing bracket is missing "
     "@12\n"},
    {"a number with a tail", "{\"x\":12x}",
     M "{\"x\":12} ! a comma or a closing bracket is missing @7\n"},
    {"a row that is one", "{\"tasks\":[12x,3]}",
     "tasks 12\nproxy tasks {\"tasks\":{\"rows\":1}} ! a comma or a closing bracket is missing "
     "@12\n"},
    {"a number that begins with 0", "{\"x\":01}", M "{} ! a number begins with 0 @5\n"},
    {"a word in capitals", "{\"x\":NULL}", M "{} ! not a JSON value @5\n"},
    {"a control character", "{\"x\":\"a\001b\"}", M "{} ! raw control character in a string @7\n"},
    {"one in a name", "{\"a\nb\":1}", M "{} ! raw control character in a string @3\n"},
    {"one in a row", "{\"tasks\":[{\"a\":1},{\"a\":\"\t\"},{\"a\":3}]}",
     "tasks {\"a\":1}\nproxy tasks {\"tasks\":{\"rows\":1}} ! raw control character in a string "
     "@24\n"},
    {"an unknown escape", "{\"x\":\"\\q\"}", M "{} ! unknown escape @6\n"},
    {"single quotes", "{'x':1}", M "{} ! a member name is missing @1\n"},
    {"a comment", "{/**/\"x\":1}", M "{} ! a member name is missing @1\n"},
    /* what is no object */
    {"nothing", "", "plain {\"body\":\"\"}\n"},
    {"an item key", "agent.ping", "plain {\"body\":\"agent.ping\"}\n"},
    {"a value", "1", "plain {\"body\":\"1\"}\n"},
    {"an array", "[{\"a\":1}]", "plain {\"body\":\"[{\\\"a\\\":1}]\"}\n"},
    {"a space first", " {\"request\":\"proxy data\"}",
     "plain {\"body\":\" {\\\"request\\\":\\\"proxy data\\\"}\"}\n"},
    {"the old request", "ZBX_GET_ACTIVE_CHECKS\nhost\n",
     "plain {\"body\":\"ZBX_GET_ACTIVE_CHECKS\\nhost\\n\"}\n"},
    {"the old data", "host:key:value", "plain {\"body\":\"host:key:value\"}\n"},
    {"XML", "<req></req>", "plain {\"body\":\"<req></req>\"}\n"},
    {"octets", "\xff\xfe", "plain {\"body\":\"fffe\"}\n"},
    {"not supported", "ZBX_NOTSUPPORTED", "plain {\"body\":\"ZBX_NOTSUPPORTED\"}\n"},
    {"nearly", "ZBX_NOTSUPPORTED.", "plain {\"body\":\"ZBX_NOTSUPPORTED.\"}\n"},
};

/* A column without a name, in the first table of a session, is a field without a name. */
START_TEST(an_empty_column)
{
    static const char text[] = "{\"t\":{\"fields\":[\"\"],\"data\":[[7]]}}";
    struct t_bytes bytes = frame_text(1, text);
    leat_session *session = make_codec(NULL, NULL);
    const leat_event *event;
    size_t length = 1;
    const leat_value *field;

    ck_assert_int_eq(leat_feed(session, bytes.data, bytes.length), LEAT_OK);
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    field = leat_value_get(leat_event_value(event), "");
    ck_assert_uint_eq(leat_value_u64(field), 7);
    ck_assert_ptr_nonnull(leat_value_name(field, &length));
    ck_assert_uint_eq(length, 0);
    leat_session_free(session);
    t_free(bytes);
}
END_TEST

START_TEST(bodies)
{
    check(cases[_i].text, strlen(cases[_i].text), cases[_i].says);
}
END_TEST

#define WITH_NUL(name, text, says)                                                                 \
    {                                                                                              \
        name, text, sizeof text - 1, says                                                          \
    }
static const struct {
    const char *name;
    const char *text;
    size_t length;
    const char *says;
} zeros[] = {
    WITH_NUL("a zero octet ends the text", "{\"x\":1}\0", M "{\"x\":1}\n"),
    WITH_NUL("whatever follows it", "{\"x\":1} \0{\"y\":2} junk", M "{\"x\":1}\n"),
    WITH_NUL("but not in the object", "{\"x\":1\0}",
             M "{\"x\":1} ! a comma or a closing bracket is missing @6\n"),
    WITH_NUL("nor in a string", "{\"x\":\"\0\"}", M "{} ! raw control character in a string @6\n"),
    WITH_NUL("not supported, with a reason", "ZBX_NOTSUPPORTED\0Unsupported item key.",
             "plain {\"body\":\"ZBX_NOTSUPPORTED\",\"error\":\"Unsupported item key.\"}\n"),
    WITH_NUL("and with an empty one", "ZBX_NOTSUPPORTED\0",
             "plain {\"body\":\"ZBX_NOTSUPPORTED\",\"error\":\"\"}\n"),
    WITH_NUL("and with a zero octet in it", "ZBX_NOTSUPPORTED\0a\0b",
             "plain {\"body\":\"ZBX_NOTSUPPORTED\",\"error\":\"a\\u0000b\"}\n"),
    WITH_NUL("a value with a zero octet", "a\0b", "plain {\"body\":\"a\\u0000b\"}\n"),
};

START_TEST(zero_octets)
{
    check(zeros[_i].text, zeros[_i].length, zeros[_i].says);
}
END_TEST

/*
 * Compressed bodies that are not what the header says. The text is {"tasks":[{"a":1}]}, of 19
 * octets.
 */
#define TASKS "{\"tasks\":[{\"a\":1}]}"
static const struct {
    const char *name;
    uint64_t reserved;
    size_t cut;       /* octets taken off the compressed stream */
    const char *tail; /* put behind it */
    size_t flip;      /* octet of the stream to change, from its end; 0: none */
    const char *says;
} squeezed[] = {
    {"as announced", 19, 0, "", 0, "tasks {\"a\":1}\nproxy tasks {\"tasks\":{\"rows\":1}}\n"},
    {"with a tail, which peers tolerate", 19, 0, "junk behind the stream", 0,
     "tasks {\"a\":1}\nproxy tasks {\"tasks\":{\"rows\":1}}\n"},
    {"longer than announced", 18, 0, "", 0,
     "tasks {\"a\":1}\nproxy tasks {\"tasks\":{\"rows\":1}} ! the compressed data are longer than "
     "announced @18\n"},
    {"much longer", 3, 0, "", 0, M "{} ! the compressed data are longer than announced @3\n"},
    {"nothing announced", 0, 0, "", 0,
     M "null ! the compressed data are longer than announced @0\n"},
    {"shorter than announced", 20, 0, "", 0,
     "tasks {\"a\":1}\nproxy tasks {\"tasks\":{\"rows\":1}} ! the compressed data are shorter than "
     "announced @19\n"},
    {"much shorter", 1 << 20, 0, "", 0,
     "tasks {\"a\":1}\nproxy tasks {\"tasks\":{\"rows\":1}} ! the compressed data are shorter than "
     "announced @19\n"},
    {"without its last octet", 19, 1, "", 0,
     "tasks {\"a\":1}\nproxy tasks {\"tasks\":{\"rows\":1}} ! the compressed data end too early "
     "@19\n"},
    {"without its checksum", 19, 4, "", 0,
     "tasks {\"a\":1}\nproxy tasks {\"tasks\":{\"rows\":1}} ! the compressed data end too early "
     "@19\n"},
    {"with another checksum", 19, 0, "", 1,
     "tasks {\"a\":1}\nproxy tasks {\"tasks\":{\"rows\":1}} ! the compressed data are corrupt "
     "@19\n"},
    {"nothing at all", 19, 27, "", 0, M "null ! the compressed data end too early @0\n"},
    {"text that is not compressed", 19, 27, TASKS, 0,
     M "null ! the compressed data are corrupt @0\n"},
};

START_TEST(compressed)
{
    struct t_bytes body = deflated(TASKS, sizeof TASKS - 1), bytes = {NULL, 0};
    struct t_bytes next = frame_text(1, "{\"response\":\"success\"}");
    leat_session *session = make_codec(NULL, NULL);
    char *told, *end;

    ck_assert_uint_eq(body.length, 27);
    body.length -= squeezed[_i].cut;
    if (squeezed[_i].flip > 0)
        body.data[body.length - squeezed[_i].flip] ^= 1;
    t_append(&body, squeezed[_i].tail, strlen(squeezed[_i].tail));
    append_header(&bytes, 3, body.length, squeezed[_i].reserved);
    t_append(&bytes, body.data, body.length);
    t_append(&bytes, next.data, next.length); /* it costs this message only */
    told = tell(session, &bytes);
    end = strstr(told, "response {\"response\":\"success\"}\n");
    ck_assert_ptr_nonnull(end);
    *end = '\0';
    ck_assert_str_eq(told, squeezed[_i].says);
    free(t_every_split(make_codec, NULL, bytes.data, bytes.length));
    leat_session_free(session);
    free(told);
    t_free(bytes);
    t_free(body);
    t_free(next);
}
END_TEST

/*
 * Offsets count in the stream, in a compressed message that of its frame; raw octets are the row,
 * or what could not be read.
 */
START_TEST(offsets)
{
    static const char first[] = "{\"tasks\":[ {\"a\":1}],\"b\":2}";
    static const char second[] = "{\"x\":1,y}";
    struct t_bytes bytes = frame(1, first, sizeof first - 1), more;
    char expected[400];
    char *text;

    (void)snprintf(expected, sizeof expected,
                   "1 tasks 24 {\"a\":1} 7b2261223a317d\n"
                   "4 proxy tasks 0 {\"tasks\":{\"rows\":1},\"b\":2} \n"
                   "13 message 39 {\"x\":1} 797d LEAT_E_SYNTAX at %d: a member name is missing \n"
                   "LEAT_END\n",
                   _i == 0 ? 59 : 39);
    more = frame(_i == 0 ? 0x01 : 0x07, second, sizeof second - 1);
    t_append(&bytes, more.data, more.length);
    text = t_every_split(make_codec, NULL, bytes.data, bytes.length);
    ck_assert_str_eq(text, expected);
    free(text);
    t_free(bytes);
    t_free(more);
}
END_TEST

/* An error names the member that it is in, if that is one of the protocol's. */
static const struct {
    const char *text;
    const char *field;
} fields[] = {
    {"{\"x\":y}", ""},
    {"{\"clock\":y}", "clock"},
    {"{\"clock\":1;", ""},
    {"{\"clock\":1,y", ""},
    {"{\"tasks\":[{},y]}", "tasks"},
    {"{\"tasks\":[{};{}]}", "tasks"},
    {"{\"history data\":[{\"id\":}]}", "history data"},
    {"{\"data\":{\"hosts\":{\"fields\":y}}}", "data"},
    {"{\"data\":{\"hosts\":{\"data\":[[y]]}}}", "data"},
    {"{\"hosts\":{\"data\":[[y]]}}", ""},
    {"{\"proxy_group\":{\"full_sync\":y}}", "proxy_group"},
    {"{\"macro.secrets\":{\"a\":y}}", "macro.secrets"},
};

START_TEST(fields_of_errors)
{
    struct t_bytes bytes = frame_text(1, fields[_i].text);
    leat_session *session = make_codec(NULL, NULL);
    const leat_event *event;

    ck_assert_int_eq(leat_feed(session, bytes.data, bytes.length), LEAT_OK);
    do
        ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    while (leat_event_error(event) == NULL);
    ck_assert_str_eq(leat_error_field(leat_event_error(event)), fields[_i].field);
    leat_session_free(session);
    free(t_every_split(make_codec, NULL, bytes.data, bytes.length));
    t_free(bytes);
}
END_TEST

/*
 * Of a large body that cannot be read, the first 65536 octets are shown; the next message is read.
 */
START_TEST(large_and_malformed)
{
    struct t_bytes text = t_copy("{\"response\":\"x\",,", 17), bytes, next;
    leat_session *session = make_codec(NULL, NULL);
    const leat_event *event;
    size_t length, i;

    for (i = 0; i < 200000; i++)
        t_append(&text, i % 2 == 0 ? "a" : "\xff", 1);
    bytes = frame(_i == 0 ? 1 : 3, text.data, text.length);
    next = frame_text(1, "{\"response\":\"success\"}");
    ck_assert_int_eq(leat_feed(session, bytes.data, bytes.length - 1), LEAT_OK);
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    ck_assert_uint_eq(leat_event_kind(event), LEAT_ZABBIX_RESPONSE);
    ck_assert_ptr_nonnull(leat_event_error(event));
    ck_assert_mem_eq(leat_event_raw(event, &length), text.data + 16, 65536);
    ck_assert_uint_eq(length, 65536);
    ck_assert_int_eq(leat_next(session, &event), LEAT_MORE);
    ck_assert_uint_eq(leat_zabbix_kind(session), 0);
    ck_assert_int_eq(leat_feed(session, bytes.data + bytes.length - 1, 1), LEAT_OK);
    ck_assert_int_eq(leat_feed(session, next.data, next.length), LEAT_OK);
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    ck_assert_ptr_null(leat_event_error(event));
    ck_assert_uint_eq(leat_event_offset(event), bytes.length);
    leat_session_free(session);
    t_free(text);
    t_free(bytes);
    t_free(next);
}
END_TEST

/* A row can be told to whom it belongs while its message still arrives. */
START_TEST(members_so_far)
{
    static const struct {
        const char *members;
        uint32_t kind;
    } expected[] = {
        {"{\"request\":\"agent data\",\"host\":\"h\"}", LEAT_ZABBIX_AGENT_DATA},
        {"{\"request\":\"agent data\",\"host\":\"h\"}", LEAT_ZABBIX_AGENT_DATA},
        {"{\"request\":\"agent "
         "data\",\"host\":\"h\",\"data\":{\"rows\":2},\"t\":{\"fields\":[\"a\"]}}",
         LEAT_ZABBIX_AGENT_DATA},
    };
    static const char text[] =
        "{\"request\":\"agent data\",\"host\":\"h\",\"data\":[{\"id\":1},{\"id\":2}],"
        "\"t\":{\"fields\":[\"a\"],\"data\":[[7]]}}";
    struct t_bytes bytes = frame(_i == 0 ? 1 : 3, text, sizeof text - 1);
    leat_session *session = make_codec(NULL, NULL);
    const leat_event *event;
    size_t i;

    ck_assert_ptr_null(leat_zabbix_members(session));
    ck_assert_uint_eq(leat_zabbix_kind(session), 0);
    ck_assert_uint_eq(leat_zabbix_position(session), 0);
    ck_assert_int_eq(leat_feed(session, bytes.data, bytes.length), LEAT_OK);
    for (i = 0; i < 3; i++) {
        const leat_value *members;
        char *row, *json;

        ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
        ck_assert_uint_eq(leat_event_kind(event), LEAT_ZABBIX_ROW);
        members = leat_zabbix_members(session);
        json = t_json_text(members);
        ck_assert_str_eq(json, expected[i].members);
        ck_assert_ptr_eq(leat_zabbix_members(session), members);
        ck_assert_uint_eq(leat_zabbix_kind(session), expected[i].kind);
        row = t_json_text(leat_event_value(event)); /* which is still lent */
        ck_assert_str_eq(row, i == 0 ? "{\"id\":1}" : i == 1 ? "{\"id\":2}" : "{\"a\":7}");
        free(row);
        free(json);
    }
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    ck_assert_uint_eq(leat_event_kind(event), LEAT_ZABBIX_AGENT_DATA);
    ck_assert_ptr_null(leat_zabbix_members(session));
    ck_assert_uint_eq(leat_zabbix_kind(session), 0);
    leat_session_free(session);
    t_free(bytes);
}
END_TEST

/*
 * Text that is longer than the pieces in which it is inflated, and a row that is longer than two of
 * them.
 */
START_TEST(long_rows)
{
    struct t_bytes text = t_copy("{\"history data\":[", 17), bytes;
    size_t lengths[] = {1, 65000, 66000, 200000, 5, 131072, 65535, 65536, 3}, i;
    leat_session *session = make_codec(NULL, NULL);
    const leat_event *event;
    char *row = (char *)malloc(200000), *whole, *cut;

    ck_assert_ptr_nonnull(row);
    memset(row, 'v', 200000);
    for (i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        t_append(&text, i == 0 ? "\"" : ",\"", i == 0 ? 1 : 2);
        t_append(&text, row, lengths[i]);
        t_append(&text, "\"", 1);
    }
    t_append(&text, "]}", 2);
    bytes = frame(_i == 0 ? 1 : 3, text.data, text.length);
    for (i = 0; i < bytes.length; i += 1000) {
        size_t piece = bytes.length - i < 1000 ? bytes.length - i : 1000;

        ck_assert_int_eq(leat_feed(session, bytes.data + i, piece), LEAT_OK);
        if (i + piece < bytes.length && _i == 0 && i == 0) {
            ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
            ck_assert_uint_eq(leat_event_kind(event), LEAT_ZABBIX_ROW);
        }
    }
    for (i = _i == 0 ? 1 : 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t length;

        ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
        ck_assert_mem_eq(leat_value_text(leat_event_value(event), &length), row, lengths[i]);
        ck_assert_uint_eq(length, lengths[i]);
    }
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    ck_assert_uint_eq(leat_event_kind(event), LEAT_ZABBIX_PROXY_DATA);
    ck_assert_int_eq(leat_next(session, &event), LEAT_MORE);
    whole = t_transcript(make_codec, NULL, NULL, bytes.data, bytes.length, 0, true);
    for (i = 1; i <= bytes.length; i = i * 3 + 1) {
        cut = t_transcript(make_codec, NULL, NULL, bytes.data, bytes.length, i, true);
        ck_assert(strcmp(cut, whole) == 0);
        free(cut);
    }
    free(whole);
    leat_session_free(session);
    free(row);
    t_free(text);
    t_free(bytes);
}
END_TEST

/*
 * A message with a bit of everything: cut short at every other octet, and each of those cut in two.
 */
START_TEST(cut_every_way)
{
    static const char text[] =
        "{\"request\":\"proxy "
        "config\",\"data\":{\"hosts\":{\"fields\":[\"hostid\",\"host\"],\"data\":"
        "[[1,\"a\\n\\u00e9\"],[2,null]]},\"macro.secrets\":{\"p\":{\"k\":\"v\"}}},\"n\":-0.5e1,"
        "\"tasks\":"
        "[1,true,\"x\",{\"a\":{\"b\":[]}}]}";
    struct t_bytes bytes = frame(_i == 0 ? 1 : 3, text, sizeof text - 1);
    size_t length;

    for (length = 14; length <= bytes.length; length += 2)
        free(t_every_split(make_codec, NULL, bytes.data, length));
    t_free(bytes);
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_test(tc, an_empty_column);
    tcase_add_loop_test(tc, bodies, 0, sizeof cases / sizeof *cases);
    tcase_add_loop_test(tc, zero_octets, 0, sizeof zeros / sizeof *zeros);
    tcase_add_loop_test(tc, compressed, 0, sizeof squeezed / sizeof *squeezed);
    tcase_add_loop_test(tc, offsets, 0, 2);
    tcase_add_loop_test(tc, fields_of_errors, 0, sizeof fields / sizeof *fields);
    tcase_add_loop_test(tc, large_and_malformed, 0, 2);
    tcase_add_loop_test(tc, members_so_far, 0, 2);
    tcase_add_loop_test(tc, long_rows, 0, 2);
    tcase_add_loop_test(tc, cut_every_way, 0, 2);
}

T_MAIN("zabbix/read", tests)
