/* Messages: what is one and what is not, and how they are built. */
#include "support.h"

#include <leat/broker.h>
#include <leat/zeek.h>
#include <stdio.h>

/*
 * Texts of values: c1 count, i1 integer, s"x" string, e"x" enum, [...] vector, n none, b boolean, t a
 * timestamp, r a real, {} an empty table.
 */
static const char *build(leat_builder *b, const char *text)
{
    const char *end;
    char *stop;

    switch (*text++) {
    case 'c':
        leat_builder_u64(b, NULL, strtoull(text, &stop, 10));
        return stop;
    case 'i':
        leat_builder_i64(b, NULL, strtoll(text, &stop, 10));
        return stop;
    case 's':
    case 'e':
        end = strchr(text + 1, '"');
        if (text[-1] == 's')
            leat_builder_text(b, NULL, text + 1, (size_t)(end - text - 1));
        else
            leat_builder_enum(b, NULL, text + 1, (size_t)(end - text - 1));
        return end + 1;
    case 'n':
        leat_builder_null(b, NULL);
        return text;
    case 'b':
        leat_builder_bool(b, NULL, 1);
        return text;
    case 't':
        leat_builder_timestamp(b, NULL, 1500);
        return text;
    case 'u': /* a later one */
        leat_builder_timestamp(b, NULL, 1600);
        return text;
    case 'r':
        leat_builder_f64(b, NULL, 0.0);
        return text;
    case '{':
        leat_builder_open(b, NULL, LEAT_TABLE);
        leat_builder_close(b);
        return text + 1;
    case '[':
        leat_builder_open(b, NULL, LEAT_LIST);
        while (*text != ']') {
            text = build(b, text);
            if (*text == ' ')
                text++;
        }
        leat_builder_close(b);
        return text + 1;
    default:
        ck_abort_msg("%s", text - 1);
        return NULL;
    }
}

static leat_builder *value_of(const char *text)
{
    leat_builder *b;

    ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
    ck_assert_str_eq(build(b, text), "");
    ck_assert_ptr_nonnull(leat_builder_value(b));
    return b;
}

static leat_zeek_message fresh(void)
{
    leat_zeek_message message;

    leat_zeek_message_init(&message, sizeof message);
    return message;
}

/* ----- reading ----- */

#define INFO   "[s\"conn\" r r r {} s\"\"]"
#define FIELDS "[[s\"n\" n c3 c0 b] [s\"m\" s\"x\" c14 c7 b]]"

static const struct {
    const char *name;
    const char *text;
    uint32_t kind;
} good[] = {
    {"an event", "[c1 c1 [s\"a\" []]]", LEAT_ZEEK_EVENT},
    {"arguments", "[c1 c1 [s\"a\" [c1 n [n]]]]", LEAT_ZEEK_EVENT},
    {"an empty name", "[c1 c1 [s\"\" []]]", LEAT_ZEEK_EVENT},
    {"empty metadata", "[c1 c1 [s\"a\" [] []]]", LEAT_ZEEK_EVENT},
    {"a timestamp", "[c1 c1 [s\"a\" [] [[c1 t]]]]", LEAT_ZEEK_EVENT},
    {"other metadata", "[c1 c1 [s\"a\" [] [[c0 c5] [c2 [c1]] [c300 s\"x\"]]]]", LEAT_ZEEK_EVENT},
    {"more in the content", "[c1 c1 [s\"a\" [] [] c1]]", LEAT_ZEEK_EVENT},
    {"more in the message", "[c1 c1 [s\"a\" []] c1 [n]]", LEAT_ZEEK_EVENT},
    {"a log create", "[c1 c2 [e\"S\" e\"W\" n c1]]", LEAT_ZEEK_LOG_CREATE},
    {"more in a log create", "[c1 c2 [e\"S\" e\"W\" n c1 c1]]", LEAT_ZEEK_LOG_CREATE},
    {"a log write", "[c1 c3 [e\"S\" e\"W\" s\"p\" s\"r\"]]", LEAT_ZEEK_LOG_WRITE},
    {"an identifier", "[c1 c4 [s\"a\" n]]", LEAT_ZEEK_IDENTIFIER_UPDATE},
    {"an empty batch", "[c1 c5 []]", LEAT_ZEEK_BATCH},
    {"a batch", "[c1 c5 [[c1 c1 [s\"a\" []]] [c1 c4 [s\"a\" c1]]]]", LEAT_ZEEK_BATCH},
    {"more in batches", "[c1 c5 [[c1 c5 [[c1 c5 [] n]] [n]] [c1 c4 [s\"a\" c1]]] c1]",
     LEAT_ZEEK_BATCH},
};

START_TEST(messages)
{
    leat_builder *b = value_of(good[_i].text);
    leat_zeek_message message = fresh();

    ck_assert_msg(leat_zeek_read(leat_builder_value(b), &message) == LEAT_OK, "%s: %s (%s)",
                  good[_i].name, message.what, message.field);
    ck_assert_uint_eq(message.kind, good[_i].kind);
    ck_assert_ptr_eq(message.data, leat_builder_value(b));
    ck_assert(message.what == NULL && message.field == NULL && message.at == NULL);
    leat_builder_free(b);
}
END_TEST

/* path: the places of the element that is meant, outermost first; "" is the message itself. */
static const struct {
    const char *text;
    const char *what;
    const char *field;
    const char *path;
} bad[] = {
    {"n", "not a list of three", "message", ""},
    {"c1", "not a list of three", "message", ""},
    {"{}", "not a list of three", "message", ""},
    {"[]", "not a list of three", "message", ""},
    {"[c1 c1]", "not a list of three", "message", ""},
    {"[c2 c1 [s\"a\" []]]", "unknown version of the format", "version", "0"},
    {"[c0 c1 [s\"a\" []]]", "unknown version of the format", "version", "0"},
    {"[i1 c1 [s\"a\" []]]", "unknown version of the format", "version", "0"},
    {"[[c1 c1] c1 [s\"a\" []]]", "unknown version of the format", "version", "0"},
    {"[c1 c0 [s\"a\" []]]", "unknown kind of message", "kind", "1"},
    {"[c1 c6 [s\"a\" []]]", "unknown kind of message", "kind", "1"},
    {"[c1 c4294967297 [s\"a\" []]]", "unknown kind of message", "kind", "1"},
    {"[c1 i1 [s\"a\" []]]", "unknown kind of message", "kind", "1"},
    {"[c1 c1 s\"a\"]", "not a list", "content", "2"},
    {"[c1 c5 {}]", "not a list", "content", "2"},
    {"[c1 c1 []]", "an element is missing", "name", "2"},
    {"[c1 c1 [s\"a\"]]", "an element is missing", "args", "2"},
    {"[c1 c1 [e\"a\" []]]", "an element of another type", "name", "20"},
    {"[c1 c1 [s\"a\" n]]", "an element of another type", "args", "21"},
    {"[c1 c1 [s\"a\" {}]]", "an element of another type", "args", "21"},
    {"[c1 c1 [s\"a\" [] n]]", "not a list", "metadata", "22"},
    {"[c1 c1 [s\"a\" [] s\"x\"]]", "not a list", "metadata", "22"},
    {"[c1 c1 [s\"a\" [] {}]]", "not a list", "metadata", "22"},
    {"[c1 c1 [s\"a\" [] [c1]]]", "not a number and a value", "metadata", "220"},
    {"[c1 c1 [s\"a\" [] [[c1]]]]", "not a number and a value", "metadata", "220"},
    {"[c1 c1 [s\"a\" [] [[]]]]", "not a number and a value", "metadata", "220"},
    {"[c1 c1 [s\"a\" [] [[c2 t] [c2 t t]]]]", "not a number and a value", "metadata", "221"},
    {"[c1 c1 [s\"a\" [] [[i1 t]]]]", "not a number and a value", "metadata", "220"},
    {"[c1 c1 [s\"a\" [] [[c1 c5]]]]", "a network timestamp of another type", "metadata", "220"},
    {"[c1 c1 [s\"a\" [] [[c1 t] [c1 n]]]]", "a network timestamp of another type", "metadata",
     "221"},
    {"[c1 c2 [e\"S\" e\"W\" n]]", "an element is missing", "fields", "2"},
    {"[c1 c2 [e\"S\" e\"W\"]]", "an element is missing", "info", "2"},
    {"[c1 c2 [s\"S\" e\"W\" n n]]", "an element of another type", "stream", "20"},
    {"[c1 c2 [e\"S\" s\"W\" n n]]", "an element of another type", "writer", "21"},
    {"[c1 c3 [e\"S\" e\"W\" s\"p\"]]", "an element is missing", "record", "2"},
    {"[c1 c3 [e\"S\" e\"W\" e\"p\" s\"r\"]]", "an element of another type", "path", "22"},
    {"[c1 c3 [e\"S\" e\"W\" s\"p\" [c1]]]", "an element of another type", "record", "23"},
    {"[c1 c3 [s\"S\" e\"W\" s\"p\" s\"r\"]]", "an element of another type", "stream", "20"},
    {"[c1 c3 [e\"S\" n s\"p\" s\"r\"]]", "an element of another type", "writer", "21"},
    {"[c1 c4 [s\"a\"]]", "an element is missing", "value", "2"},
    {"[c1 c4 [c1 c1]]", "an element of another type", "name", "20"},
    {"[c1 c5 [c1]]", "not a list of three", "message", "20"},
    {"[c1 c5 [[c1 c1 [s\"a\" []]] [c1 c1 [s\"a\"]]]]", "an element is missing", "args", "212"},
    {"[c1 c5 [[c1 c5 [[c1 c5 []] [c1 c5 [[c1 c6 []]]]]]]]", "unknown kind of message", "kind",
     "2021201"},
    {"[c1 c5 [[c1 c5 [] c1] [c1 c1 [n []]]]]", "an element of another type", "name", "2120"},
};

START_TEST(no_messages)
{
    leat_builder *b = value_of(bad[_i].text);
    leat_zeek_message message = fresh();
    const leat_value *at = leat_builder_value(b);
    const char *step;
    int status;

    message.kind = LEAT_ZEEK_BATCH; /* of an earlier one */
    status = leat_zeek_read(at, &message);
    ck_assert_msg(status == LEAT_E_SYNTAX, "%s", bad[_i].text);
    ck_assert_msg(strcmp(message.what, bad[_i].what) == 0, "%s: %s", bad[_i].text, message.what);
    ck_assert_msg(strcmp(message.field, bad[_i].field) == 0, "%s: %s", bad[_i].text, message.field);
    for (step = bad[_i].path; *step != '\0'; step++)
        at = leat_value_at(at, (size_t)(*step - '0'));
    ck_assert_msg(message.at == at, "%s", bad[_i].text);
    ck_assert_uint_eq(message.kind, 0);
    ck_assert_ptr_null(message.data);
    leat_builder_free(b);
}
END_TEST

START_TEST(nothing_is_no_message)
{
    leat_zeek_message message = fresh();

    ck_assert_int_eq(leat_zeek_read(NULL, &message), LEAT_E_SYNTAX);
    ck_assert_str_eq(message.field, "message");
}
END_TEST

static void same_text(const char *text, size_t length, const char *wanted)
{
    ck_assert_uint_eq(length, strlen(wanted));
    ck_assert_mem_eq(text, wanted, length);
}

START_TEST(what_an_event_says)
{
    leat_builder *b = value_of("[c1 c1 [s\"M::two\" [c42 s\"x\"] [[c9 n] [c1 t] [c1 u]]]]");
    const leat_value *content = leat_value_at(leat_builder_value(b), 2);
    leat_zeek_message message = fresh();

    ck_assert_int_eq(leat_zeek_read(leat_builder_value(b), &message), LEAT_OK);
    same_text(message.name, message.name_length, "M::two");
    ck_assert_ptr_eq(message.args, leat_value_at(content, 1));
    ck_assert_ptr_eq(message.metadata, leat_value_at(content, 2));
    ck_assert_uint_eq(message.has_timestamp, 1);
    ck_assert_int_eq(message.timestamp_ns, 1500);
    leat_builder_free(b);

    b = value_of("[c1 c1 [s\"a\" []]]");
    ck_assert_int_eq(leat_zeek_read(leat_builder_value(b), &message), LEAT_OK);
    ck_assert_ptr_null(message.metadata);
    ck_assert_uint_eq(message.has_timestamp, 0);
    ck_assert_int_eq(message.timestamp_ns, 0);
    leat_builder_free(b);
}
END_TEST

START_TEST(what_others_say)
{
    leat_builder *b = value_of("[c1 c2 [e\"S\" e\"W\" s\"i\" s\"f\"]]");
    leat_zeek_message message = fresh();

    ck_assert_int_eq(leat_zeek_read(leat_builder_value(b), &message), LEAT_OK);
    same_text(message.stream, message.stream_length, "S");
    same_text(message.writer, message.writer_length, "W");
    ck_assert_str_eq(leat_value_text(message.info, NULL), "i");
    ck_assert_str_eq(leat_value_text(message.fields, NULL), "f");
    leat_builder_free(b);

    b = value_of("[c1 c3 [e\"S\" e\"W\" s\"path\" s\"record\"]]");
    ck_assert_int_eq(leat_zeek_read(leat_builder_value(b), &message), LEAT_OK);
    same_text(message.stream, message.stream_length, "S");
    same_text(message.writer, message.writer_length, "W");
    same_text(message.path, message.path_length, "path");
    same_text((const char *)message.record, message.record_length, "record");
    ck_assert(message.info == NULL && message.fields == NULL);
    leat_builder_free(b);

    b = value_of("[c1 c4 [s\"M::id\" c7]]");
    ck_assert_int_eq(leat_zeek_read(leat_builder_value(b), &message), LEAT_OK);
    same_text(message.name, message.name_length, "M::id");
    ck_assert_uint_eq(leat_value_u64(message.value), 7);
    ck_assert_ptr_null(message.args);
    leat_builder_free(b);
}
END_TEST

/* Batches in batches, down to the deepest value there can be. */
START_TEST(batches)
{
    leat_builder *b = value_of("[c1 c5 [[c1 c1 [s\"a\" []]] [c1 c5 [[c1 c4 [s\"b\" c1]]] n] [c1 c1 "
                               "[s\"c\" []] n]] n]");
    leat_zeek_message batch = fresh(), member = fresh(), inner = fresh();
    unsigned i;

    ck_assert_int_eq(leat_zeek_read(leat_builder_value(b), &batch), LEAT_OK);
    ck_assert_uint_eq(leat_value_count(batch.messages), 3);
    for (i = 0; i < 2; i++) { /* it can be gone through again */
        ck_assert_int_eq(leat_zeek_batch_next(&batch, &member), LEAT_OK);
        same_text(member.name, member.name_length, "a");
        ck_assert_int_eq(leat_zeek_batch_next(&batch, &member), LEAT_OK);
        ck_assert_uint_eq(member.kind, LEAT_ZEEK_BATCH);
        ck_assert_int_eq(leat_zeek_batch_next(&member, &inner), LEAT_OK);
        ck_assert_uint_eq(inner.kind, LEAT_ZEEK_IDENTIFIER_UPDATE);
        ck_assert_int_eq(leat_zeek_batch_next(&member, &inner), LEAT_END);
        ck_assert_int_eq(leat_zeek_batch_next(&batch, &member), LEAT_OK);
        same_text(member.name, member.name_length, "c");
        ck_assert_int_eq(leat_zeek_batch_next(&batch, &member), LEAT_END);
        ck_assert(member.kind == 0 && member.data == NULL);
    }
    /* What is no batch has no messages. */
    ck_assert_int_eq(leat_zeek_batch_next(&inner, &member), LEAT_END);
    leat_builder_free(b);

    ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
    for (i = 0; i < 64; i++)
        ck_assert_int_eq(leat_zeek_batch_open(b, NULL), LEAT_OK);
    for (i = 0; i < 64; i++)
        ck_assert_int_eq(leat_zeek_batch_close(b), LEAT_OK);
    ck_assert_int_eq(leat_zeek_read(leat_builder_value(b), &batch), LEAT_OK);
    leat_builder_clear(b);
    for (i = 0; i < 64; i++)
        ck_assert_int_eq(leat_zeek_batch_open(b, NULL), LEAT_OK);
    ck_assert_int_eq(leat_zeek_batch_open(b, NULL), LEAT_E_LIMIT);
    leat_builder_free(b);
}
END_TEST

/* Structs of a caller that was compiled with another header. */
START_TEST(other_sizes)
{
    leat_builder *b = value_of("[c1 c1 [s\"a\" []]]"), *out = value_of("n");
    struct {
        leat_zeek_message message;
        uint64_t more;
    } newer;
    leat_zeek_message older = fresh();
    const size_t some = offsetof(leat_zeek_message, what);

    newer.more = 5;
    leat_zeek_message_init(&newer.message, sizeof newer);
    ck_assert_uint_eq(newer.more, 0);
    newer.more = 7;
    ck_assert_int_eq(leat_zeek_read(leat_builder_value(b), &newer.message), LEAT_OK);
    ck_assert_uint_eq(newer.message.size, sizeof newer);
    ck_assert_uint_eq(newer.more, 7);
    leat_builder_clear(out);
    ck_assert_int_eq(leat_zeek_write(out, NULL, &newer.message), LEAT_OK);
    ck_assert(leat_value_equal(leat_builder_value(out), leat_builder_value(b)));

    memset(&older, 0x5a, sizeof older);
    leat_zeek_message_init(&older, some);
    ck_assert_int_eq(leat_zeek_read(leat_builder_value(b), &older), LEAT_OK);
    ck_assert_uint_eq(older.size, some);
    ck_assert_uint_eq(older.kind, LEAT_ZEEK_EVENT);
    ck_assert_uint_eq(((const uint8_t *)&older)[some], 0x5a);
    leat_builder_clear(out);
    ck_assert_int_eq(leat_zeek_write(out, NULL, &older), LEAT_OK);
    ck_assert(leat_value_equal(leat_builder_value(out), leat_builder_value(b)));

    memset(&older, 0, sizeof older);
    ck_assert_int_eq(leat_zeek_read(leat_builder_value(b), &older), LEAT_E_VALUE);
    ck_assert_int_eq(leat_zeek_batch_next(&newer.message, &older), LEAT_E_VALUE);
    leat_builder_clear(out);
    ck_assert_int_eq(leat_zeek_write(out, NULL, &older), LEAT_E_VALUE);
    leat_builder_free(b);
    leat_builder_free(out);
}
END_TEST

/* ----- writing ----- */

/* What is a message but of no use is not written; each is read, and written from what was read. */
static const struct {
    const char *text;
    const char *what; /* NULL: it is written */
    const char *field;
} written[] = {
    {"[c1 c1 [s\"a\" [c1 [n]]]]", NULL, NULL},
    {"[c1 c1 [s\"\" [] [[c7 n]]]]", NULL, NULL},
    {"[c1 c1 [s\"a\" [c1 n]]]", "an argument without a value", "args"},
    {"[c1 c4 [s\"a\" [n]]]", NULL, NULL},
    {"[c1 c4 [s\"a\" n]]", "no value", "value"},
    {"[c1 c3 [e\"S\" e\"W\" s\"p\" s\"\"]]", NULL, NULL},
    {"[c1 c2 [e\"S\" e\"W\" " INFO " []]]", NULL, NULL},
    {"[c1 c2 [e\"S\" e\"W\" " INFO " " FIELDS "]]", NULL, NULL},
    {"[c1 c2 [e\"S\" e\"W\" [s\"conn\" r r r {} s\"\" n] [[s\"n\" n c3 c0 b n]]]]", NULL, NULL},
    {"[c1 c2 [e\"S\" e\"W\" n " FIELDS "]]", "not a list", "info"},
    {"[c1 c2 [e\"S\" e\"W\" [s\"conn\" r r r {}] []]]", "an element is missing", "post-processor"},
    {"[c1 c2 [e\"S\" e\"W\" [s\"conn\" r c1 r {} s\"\"] []]]", "an element of another type",
     "rotation base"},
    {"[c1 c2 [e\"S\" e\"W\" [s\"conn\" r r r [] s\"\"] []]]", "an element of another type",
     "config"},
    {"[c1 c2 [e\"S\" e\"W\" " INFO " n]]", "not a list", "fields"},
    {"[c1 c2 [e\"S\" e\"W\" " INFO " [n]]]", "not a list", "field"},
    {"[c1 c2 [e\"S\" e\"W\" " INFO " [[s\"n\" n c3 c0]]]]", "an element is missing", "optional"},
    {"[c1 c2 [e\"S\" e\"W\" " INFO " [[s\"n\" c1 c3 c0 b]]]]", "an element of another type",
     "secondary name"},
    {"[c1 c2 [e\"S\" e\"W\" " INFO " [[s\"n\" n c4294967296 c0 b]]]]", "no number of a type",
     "type"},
    {"[c1 c2 [e\"S\" e\"W\" " INFO " [[s\"n\" n c3 c4294967296 b]]]]", "no number of a type",
     "subtype"},
    {"[c1 c5 []]", NULL, NULL},
    {"[c1 c5 [[c1 c5 [[c1 c1 [s\"a\" []]]]] [c1 c4 [s\"b\" c1]]]]", NULL, NULL},
    {"[c1 c5 [[c1 c5 [[c1 c1 [s\"a\" [n]]]]]]]", "an argument without a value", "args"},
    {"[c1 c5 [[c1 c2 [e\"S\" e\"W\" n n]]]]", "not a list", "info"},
};

START_TEST(read_and_written)
{
    leat_builder *from = value_of(written[_i].text), *to = value_of("n");
    leat_zeek_message message = fresh();
    int status;

    ck_assert_int_eq(leat_zeek_read(leat_builder_value(from), &message), LEAT_OK);
    leat_builder_clear(to);
    ck_assert_int_eq(leat_builder_open(to, NULL, LEAT_RECORD), LEAT_OK);
    status = leat_zeek_write(to, "data", &message);
    if (written[_i].what == NULL) {
        ck_assert_msg(status == LEAT_OK, "%s: %s", written[_i].text,
                      leat_error_text(leat_builder_error(to)));
        ck_assert_int_eq(leat_builder_close(to), LEAT_OK);
        ck_assert_uint_eq(leat_value_count(leat_value_get(leat_builder_value(to), "data")), 3);
        leat_builder_clear(to);
        ck_assert_int_eq(leat_zeek_write(to, NULL, &message), LEAT_OK);
        ck_assert(leat_value_equal(leat_builder_value(to), leat_builder_value(from)));
    } else {
        ck_assert_msg(status == LEAT_E_VALUE, "%s", written[_i].text);
        ck_assert_str_eq(leat_error_text(leat_builder_error(to)), written[_i].what);
        ck_assert_str_eq(leat_error_field(leat_builder_error(to)), written[_i].field);
    }
    leat_builder_free(from);
    leat_builder_free(to);
}
END_TEST

/* That the builder holds the value of that text; empties it. */
static void holds(leat_builder *b, const char *text)
{
    leat_builder *wanted = value_of(text);

    ck_assert_msg(leat_builder_error(b) == NULL, "%s: %s", text,
                  leat_error_text(leat_builder_error(b)));
    ck_assert_msg(leat_value_equal(leat_builder_value(b), leat_builder_value(wanted)), "%s", text);
    leat_builder_free(wanted);
    leat_builder_clear(b);
}

/* That it holds a mistake; empties it. */
static void refused(leat_builder *b, int status, int wanted, const char *what)
{
    ck_assert_int_eq(status, wanted);
    ck_assert_int_eq(leat_error_code(leat_builder_error(b)), wanted);
    ck_assert_str_eq(leat_error_text(leat_builder_error(b)), what);
    ck_assert_ptr_null(leat_builder_value(b));
    leat_builder_clear(b);
}

START_TEST(events_by_struct)
{
    leat_builder *b = value_of("n"), *args = value_of("[c1 s\"x\"]"), *table = value_of("{}");
    leat_builder *metadata = value_of("[[c7 s\"x\"]]"), *wrong = value_of("[[c1 c1]]");
    leat_zeek_message message = fresh();

    leat_builder_clear(b);
    message.kind = LEAT_ZEEK_EVENT;
    message.name = "a";
    message.name_length = 1;
    (void)leat_zeek_write(b, NULL, &message);
    holds(b, "[c1 c1 [s\"a\" []]]");
    message.args = leat_builder_value(args);
    (void)leat_zeek_write(b, NULL, &message);
    holds(b, "[c1 c1 [s\"a\" [c1 s\"x\"]]]");
    message.has_timestamp = 1;
    message.timestamp_ns = 1500;
    (void)leat_zeek_write(b, NULL, &message);
    holds(b, "[c1 c1 [s\"a\" [c1 s\"x\"] [[c1 t]]]]");
    message.metadata = leat_builder_value(metadata);
    (void)leat_zeek_write(b, NULL, &message);
    holds(b, "[c1 c1 [s\"a\" [c1 s\"x\"] [[c7 s\"x\"]]]]");

    message.metadata = leat_builder_value(wrong);
    refused(b, leat_zeek_write(b, NULL, &message), LEAT_E_VALUE,
            "a network timestamp of another type");
    message.metadata = leat_builder_value(table);
    refused(b, leat_zeek_write(b, NULL, &message), LEAT_E_VALUE, "not a list");
    message.metadata = NULL;
    message.args = leat_builder_value(table);
    refused(b, leat_zeek_write(b, NULL, &message), LEAT_E_VALUE, "an element of another type");
    message.kind = 0;
    refused(b, leat_zeek_write(b, NULL, &message), LEAT_E_VALUE, "unknown kind of message");
    message.kind = LEAT_ZEEK_BATCH + 1;
    refused(b, leat_zeek_write(b, NULL, &message), LEAT_E_VALUE, "unknown kind of message");
    refused(b, leat_zeek_write(b, NULL, NULL), LEAT_E_VALUE, "unknown kind of message");
    message.size = 0;
    refused(b, leat_zeek_write(b, NULL, &message), LEAT_E_VALUE,
            "a message that was not initialised");
    leat_builder_free(b);
    leat_builder_free(args);
    leat_builder_free(table);
    leat_builder_free(metadata);
    leat_builder_free(wrong);
}
END_TEST

START_TEST(others_by_struct)
{
    leat_builder *b = value_of("n"), *none = value_of("n"), *list = value_of("[c1]");
    leat_builder *info = value_of(INFO), *fields = value_of(FIELDS);
    leat_zeek_message message = fresh();

    leat_builder_clear(b);
    message.kind = LEAT_ZEEK_LOG_WRITE;
    message.stream = "S";
    message.writer = "W";
    message.path = "path";
    message.record = "record";
    message.stream_length = message.writer_length = 1;
    message.path_length = 4;
    message.record_length = 6;
    (void)leat_zeek_write(b, NULL, &message);
    holds(b, "[c1 c3 [e\"S\" e\"W\" s\"path\" s\"record\"]]");
    message.kind = LEAT_ZEEK_LOG_CREATE;
    message.info = leat_builder_value(info);
    message.fields = leat_builder_value(fields);
    (void)leat_zeek_write(b, NULL, &message);
    holds(b, "[c1 c2 [e\"S\" e\"W\" " INFO " " FIELDS "]]");
    message.info = NULL;
    refused(b, leat_zeek_write(b, NULL, &message), LEAT_E_VALUE, "not a list");

    message.kind = LEAT_ZEEK_IDENTIFIER_UPDATE;
    message.name = "id";
    message.name_length = 2;
    refused(b, leat_zeek_write(b, NULL, &message), LEAT_E_VALUE, "no value");
    message.value = leat_builder_value(none);
    refused(b, leat_zeek_write(b, NULL, &message), LEAT_E_VALUE, "no value");
    message.value = leat_builder_value(list);
    (void)leat_zeek_write(b, NULL, &message);
    holds(b, "[c1 c4 [s\"id\" [c1]]]");

    message.kind = LEAT_ZEEK_BATCH;
    (void)leat_zeek_write(b, NULL, &message);
    holds(b, "[c1 c5 []]");
    message.messages = leat_builder_value(list);
    refused(b, leat_zeek_write(b, NULL, &message), LEAT_E_VALUE, "not a list of three");
    message.messages = leat_builder_value(none);
    refused(b, leat_zeek_write(b, NULL, &message), LEAT_E_VALUE, "not a list");
    leat_builder_free(b);
    leat_builder_free(none);
    leat_builder_free(list);
    leat_builder_free(info);
    leat_builder_free(fields);
}
END_TEST

START_TEST(events_in_place)
{
    leat_builder *b = value_of("n");

    leat_builder_clear(b);
    leat_zeek_event_open(b, NULL, "a", 1);
    leat_zeek_event_close(b);
    holds(b, "[c1 c1 [s\"a\" []]]");

    leat_zeek_event_open(b, NULL, "ZT::two", 7);
    leat_builder_u64(b, NULL, 42);
    leat_builder_text(b, NULL, "hello", 5);
    leat_zeek_event_close(b);
    holds(b, "[c1 c1 [s\"ZT::two\" [c42 s\"hello\"]]]");

    leat_zeek_event_open(b, NULL, "a", 1);
    leat_builder_open(b, NULL, LEAT_LIST);
    leat_builder_close(b);
    leat_zeek_event_metadata(b);
    leat_zeek_event_close(b);
    holds(b, "[c1 c1 [s\"a\" [[]] []]]");

    leat_zeek_event_open(b, NULL, "a", 1);
    leat_zeek_event_metadata(b);
    leat_zeek_event_timestamp(b, 1500);
    leat_builder_open(b, NULL, LEAT_LIST);
    leat_builder_u64(b, NULL, 200);
    leat_builder_bool(b, NULL, 1);
    leat_builder_close(b);
    leat_zeek_event_close(b);
    holds(b, "[c1 c1 [s\"a\" [] [[c1 t] [c200 b]]]]");

    leat_zeek_batch_open(b, NULL);
    leat_zeek_event_open(b, NULL, "a", 1);
    leat_zeek_event_close(b);
    leat_zeek_batch_open(b, NULL);
    leat_zeek_batch_close(b);
    leat_zeek_event_open(b, NULL, "b", 1);
    leat_builder_u64(b, NULL, 1);
    leat_zeek_event_close(b);
    leat_zeek_batch_close(b);
    holds(b, "[c1 c5 [[c1 c1 [s\"a\" []]] [c1 c5 []] [c1 c1 [s\"b\" [c1]]]]]");

    /* In a record, as for leat_send(). */
    leat_builder_open(b, NULL, LEAT_RECORD);
    leat_zeek_event_open(b, "data", "a", 1);
    leat_zeek_event_close(b);
    leat_zeek_batch_open(b, "other");
    leat_zeek_batch_close(b);
    leat_builder_close(b);
    ck_assert_uint_eq(leat_value_count(leat_value_get(leat_builder_value(b), "data")), 3);
    ck_assert_uint_eq(leat_value_count(leat_value_get(leat_builder_value(b), "other")), 3);
    leat_builder_free(b);
}
END_TEST

START_TEST(out_of_place)
{
    leat_builder *b = value_of("n");

    leat_builder_clear(b);
    refused(b, leat_zeek_event_close(b), LEAT_E_STATE, "no event is open");
    refused(b, leat_zeek_event_metadata(b), LEAT_E_STATE, "no arguments of an event are open");
    refused(b, leat_zeek_event_timestamp(b, 1), LEAT_E_STATE, "no metadata of an event are open");
    refused(b, leat_zeek_batch_close(b), LEAT_E_STATE, "no batch is open");

    leat_zeek_event_open(b, NULL, "a", 1);
    leat_builder_open(b, NULL, LEAT_LIST); /* an argument that is not complete */
    refused(b, leat_zeek_event_close(b), LEAT_E_STATE, "no event is open");
    leat_zeek_event_open(b, NULL, "a", 1);
    leat_builder_open(b, NULL, LEAT_LIST);
    refused(b, leat_zeek_event_metadata(b), LEAT_E_STATE, "no arguments of an event are open");
    leat_zeek_event_open(b, NULL, "a", 1);
    refused(b, leat_zeek_event_timestamp(b, 1), LEAT_E_STATE, "no metadata of an event are open");
    leat_zeek_event_open(b, NULL, "a", 1);
    leat_zeek_event_metadata(b);
    refused(b, leat_zeek_event_metadata(b), LEAT_E_STATE, "no arguments of an event are open");
    leat_zeek_event_open(b, NULL, "a", 1);
    refused(b, leat_zeek_batch_close(b), LEAT_E_STATE, "no batch is open");
    leat_zeek_batch_open(b, NULL);
    refused(b, leat_zeek_event_close(b), LEAT_E_STATE, "no event is open");
    leat_zeek_batch_open(b, NULL);
    leat_zeek_event_open(b, NULL, "a", 1);
    refused(b, leat_zeek_batch_close(b), LEAT_E_STATE, "no batch is open");

    /* What is added has to be what belongs there. */
    leat_zeek_batch_open(b, NULL);
    leat_builder_u64(b, NULL, 1);
    refused(b, leat_zeek_batch_close(b), LEAT_E_VALUE, "not a list of three");
    leat_zeek_event_open(b, NULL, "a", 1);
    leat_zeek_event_metadata(b);
    leat_builder_u64(b, NULL, 1);
    refused(b, leat_zeek_event_close(b), LEAT_E_VALUE, "not a number and a value");
    leat_zeek_event_open(b, NULL, "a", 1);
    leat_builder_null(b, NULL);
    refused(b, leat_zeek_event_close(b), LEAT_E_VALUE, "an argument without a value");

    /* The first mistake stays. */
    leat_zeek_event_open(b, "name", "a", 1);
    (void)leat_zeek_event_metadata(b);
    (void)leat_zeek_event_timestamp(b, 1);
    (void)leat_zeek_event_close(b);
    (void)leat_zeek_batch_open(b, NULL);
    refused(b, leat_zeek_batch_close(b), LEAT_E_STATE, "a name outside a record");
    leat_builder_u64(b, NULL, 1);
    refused(b, leat_zeek_event_open(b, NULL, "a", 1), LEAT_E_STATE,
            "a second value outside containers");
    leat_builder_free(b);
}
END_TEST

/* Limits are those of the builder, on both sides. */
START_TEST(limits)
{
    leat_builder *b = t_limited(3, 6);

    leat_zeek_event_open(b, NULL, "a", 1); /* three deep, and six values */
    leat_zeek_event_close(b);
    holds(b, "[c1 c1 [s\"a\" []]]");
    leat_builder_free(b);
    b = t_limited(2, 0);
    refused(b, leat_zeek_event_open(b, NULL, "a", 1), LEAT_E_LIMIT, "nested too deeply");
    leat_builder_free(b);
    b = t_limited(0, 5);
    refused(b, leat_zeek_event_open(b, NULL, "a", 1), LEAT_E_LIMIT, "too many values");
    leat_builder_free(b);
}
END_TEST

/* ----- memory ----- */

static int write_all(const leat_config *config, const void *arg)
{
    leat_builder *b;
    int status = leat_builder_new(config, &b);
    unsigned i;

    (void)arg;
    if (status != LEAT_OK)
        return status;
    leat_zeek_batch_open(b, NULL);
    for (i = 0; i < 10; i++) {
        leat_builder *from = value_of(good[i].text);
        leat_zeek_message message = fresh();

        ck_assert_int_eq(leat_zeek_read(leat_builder_value(from), &message), LEAT_OK);
        if (i != 1 && message.kind == LEAT_ZEEK_EVENT)
            (void)leat_zeek_write(b, NULL, &message);
        leat_builder_free(from);
        leat_zeek_event_open(b, NULL, "a name that is not quite short", 30);
        leat_builder_text(b, NULL, "an argument that is not quite short", 35);
        leat_zeek_event_metadata(b);
        leat_zeek_event_timestamp(b, 1);
        leat_zeek_event_close(b);
    }
    status = leat_zeek_batch_close(b);
    ck_assert((status == LEAT_OK) == (leat_builder_value(b) != NULL));
    leat_builder_free(b);
    return status;
}

START_TEST(memory_fails)
{
    t_every_alloc(write_all, NULL);
}
END_TEST

/* Once warm nothing is allocated. */
START_TEST(no_memory_is_needed)
{
    struct t_counter counter;
    leat_config config;
    leat_builder *b;
    size_t calls = 0;
    unsigned i;

    t_counter_init(&counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &counter.allocator;
    ck_assert_int_eq(leat_builder_new(&config, &b), LEAT_OK);
    for (i = 0; i < 10; i++) {
        leat_zeek_message message = fresh();

        leat_builder_clear(b);
        leat_zeek_event_open(b, NULL, "ZT::two", 7);
        leat_builder_u64(b, NULL, 42);
        leat_builder_text(b, NULL, "hello", 5);
        ck_assert_int_eq(leat_zeek_event_close(b), LEAT_OK);
        ck_assert_int_eq(leat_zeek_read(leat_builder_value(b), &message), LEAT_OK);
        if (i == 1)
            calls = counter.calls;
    }
    ck_assert_uint_eq(counter.calls, calls);
    leat_builder_free(b);
    ck_assert_uint_eq(counter.now, 0);
}
END_TEST

static void tests(TCase *t)
{
    tcase_add_loop_test(t, messages, 0, (int)(sizeof good / sizeof *good));
    tcase_add_loop_test(t, no_messages, 0, (int)(sizeof bad / sizeof *bad));
    tcase_add_test(t, nothing_is_no_message);
    tcase_add_test(t, what_an_event_says);
    tcase_add_test(t, what_others_say);
    tcase_add_test(t, batches);
    tcase_add_test(t, other_sizes);
    tcase_add_loop_test(t, read_and_written, 0, (int)(sizeof written / sizeof *written));
    tcase_add_test(t, events_by_struct);
    tcase_add_test(t, others_by_struct);
    tcase_add_test(t, events_in_place);
    tcase_add_test(t, out_of_place);
    tcase_add_test(t, limits);
    tcase_add_test(t, memory_fails);
    tcase_add_test(t, no_memory_is_needed);
}

T_MAIN("zeek/message", tests)
