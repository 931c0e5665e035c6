/* Sets of topics. */
#include "../../lib/broker/topics.h"

#include "support.h"

static leat_allocator allocator;

/* The topics of a set, with blanks between; "" is written as a dot. Yours to free(). */
static char *list(const struct lt_topics *topics)
{
    struct t_bytes text = t_copy("", 0);
    uint32_t i;

    for (i = 0; i < topics->count; i++) {
        const struct lt_topic *topic = &topics->topics[i];

        if (i > 0)
            t_append(&text, " ", 1);
        t_append(&text, topic->length == 0 ? "." : topics->text + topic->at,
                 topic->length == 0 ? 1 : topic->length);
    }
    return (char *)text.data;
}

static void check(const struct lt_topics *topics, const char *expected)
{
    char *text = list(topics);

    ck_assert_str_eq(text, expected);
    free(text);
}

/* The next of the words; false: there is none. */
static bool word(const char **at, const char **topic, size_t *length)
{
    *at += strspn(*at, " ");
    *topic = *at;
    *length = strcspn(*at, " ");
    *at += *length;
    if (*length == 1 && **topic == '.')
        *length = 0;
    return **topic != '\0';
}

/* Adds it (way 1) or removes it (-1). */
static int change_one(struct lt_topics *topics, const leat_allocator *from, const char *topic,
                      size_t length, int way)
{
    struct lt_topics made;
    int status = way > 0 ? lt_topics_add(&made, from, topics, topic, length)
                         : lt_topics_remove(&made, from, topics, topic, length);

    if (status == LEAT_OK) {
        lt_topics_free(topics, from);
        *topics = made;
    }
    return status;
}

static void change(struct lt_topics *topics, const char *words, int way)
{
    const char *topic;
    size_t length;

    while (word(&words, &topic, &length))
        ck_assert_int_eq(change_one(topics, &allocator, topic, length, way), LEAT_OK);
}

START_TEST(add_and_remove)
{
    struct lt_topics topics = {0};

    ck_assert_int_eq(change_one(&topics, &allocator, "", 0, -1), LEAT_E_STATE);
    ck_assert_int_eq(lt_topics_find(&topics, "", 0), -1);
    change(&topics, "/b /a . /a/b /a \xff a", 1);
    check(&topics, ". /a /a /a/b /b a \xff");
    change(&topics, "/a", -1);
    check(&topics, ". /a /a/b /b a \xff");
    ck_assert_int_eq(lt_topics_find(&topics, "", 0), 0);
    ck_assert_int_eq(lt_topics_find(&topics, "/a", 2), 1);
    ck_assert_int_eq(lt_topics_find(&topics, "/", 1), -1);
    ck_assert_int_eq(lt_topics_find(&topics, "\xff", 1), 5);
    ck_assert_int_eq(lt_topics_find(&topics, "\xff\xff", 2), -1);
    change(&topics, "/a \xff .", -1);
    check(&topics, "/a/b /b a");
    ck_assert_int_eq(change_one(&topics, &allocator, "/a", 2, -1), LEAT_E_STATE);
    change(&topics, "a /b /a/b", -1);
    check(&topics, "");
    change(&topics, ".", 1);
    check(&topics, ".");
    change(&topics, ".", -1);
    lt_topics_free(&topics, &allocator);
    ck_assert_uint_eq(lt_topics_bytes(&topics), 0);
}
END_TEST

/* Whether one of them is what the topic begins with, found in a set that need not be minimal. */
static const struct {
    const char *topics;
    const char *topic;
    bool matches;
} matches[] = {
    {"", "", false},
    {"", "/a", false},
    {".", "", true},
    {".", "/a", true},
    {"/a", "", false},
    {"/a", "/", false},
    {"/a", "/a", true},
    {"/a", "/ab", true},
    {"/a", "/b", false},
    {"/a /a/b/c", "/a/b", true},
    {"/a /a/b/c", "/a/b/d", true},
    {"/a/b/c", "/a/b/d", false},
    {"/a /ab /abc", "/abd", true},
    {"a ab/c abd/e", "abd/f", true},
    {"b ab/c abd/e", "abd/f", false},
    {"/a/x /b/x", "/a/y", false},
    {". /a", "b", true},
};

START_TEST(match)
{
    struct lt_topics topics = {0};

    change(&topics, matches[_i].topics, 1);
    ck_assert_int_eq(lt_topics_match(&topics, matches[_i].topic, strlen(matches[_i].topic)),
                     matches[_i].matches);
    lt_topics_free(&topics, &allocator);
}
END_TEST

/* The same as looking at each of them, for all topics of three letters and sets drawn of them. */
START_TEST(match_like_a_search)
{
    uint32_t seed = (uint32_t)_i + 1, i;
    struct lt_topics topics = {0}, minimal = {0};
    const struct lt_topics *set = &topics;
    char topic[5];
    size_t length;

    for (i = 0; i < 12; i++) {
        size_t j;

        seed = seed * 1664525u + 1013904223u;
        length = seed >> 28 & 3;
        for (j = 0; j < length; j++)
            topic[j] = (char)('a' + (seed >> (8 + 4 * j) & 1));
        if (i > 0 || length > 0)
            ck_assert_int_eq(change_one(&topics, &allocator, topic, length + (length == 0), 1),
                             LEAT_OK);
        topic[0] = 'b';
    }
    ck_assert_int_eq(lt_topics_join(&minimal, &allocator, &set, 1), LEAT_OK);
    for (i = 0; i < 64; i++) {
        bool found = false;
        uint32_t j;

        for (length = 0; length < 4; length++)
            topic[length] = (char)('a' + (i >> length & 1));
        length = i >> 4;
        for (j = 0; j < topics.count; j++)
            found |= topics.topics[j].length <= length &&
                     memcmp(topics.text + topics.topics[j].at, topic, topics.topics[j].length) == 0;
        ck_assert_int_eq(lt_topics_match(&topics, topic, length), found);
        ck_assert_int_eq(lt_topics_cover(&minimal, topic, length), found);
    }
    lt_topics_free(&topics, &allocator);
    lt_topics_free(&minimal, &allocator);
}
END_TEST

static const struct {
    const char *json;
    const char *read;
} lists[] = {
    {"[]", ""},
    {"[\"\"]", "."},
    {"[\"\",\"\"]", "."},
    {"[\"/b\",\"/a\",\"/b\"]", "/a /b"},
    {"[\"/a/b\",\"/a\",\"/ab\",\"/a\"]", "/a"},
    {"[\"/a/b\",\"\",\"/ab\"]", "."},
    {"[\"b\",\"abc\",\"ab\",\"ac\"]", "ab ac b"},
};

START_TEST(read_list)
{
    leat_builder *builder = t_json(lists[_i].json, strlen(lists[_i].json));
    struct lt_topics topics = {0};

    change(&topics, "/old", 1);
    ck_assert_int_eq(lt_topics_read(&topics, &allocator, leat_builder_value(builder)), LEAT_OK);
    check(&topics, lists[_i].read);
    lt_topics_free(&topics, &allocator);
    leat_builder_free(builder);
}
END_TEST

START_TEST(join)
{
    struct lt_topics a = {0}, b = {0}, c = {0};
    const struct lt_topics *sets[] = {&a, &b, &c};

    ck_assert_int_eq(lt_topics_join(&c, &allocator, sets, 3), LEAT_OK);
    check(&c, "");
    ck_assert(lt_topics_same(&a, &c));
    change(&a, "/a/b /c", 1);
    change(&b, "/a /d", 1);
    change(&c, "/d/e /f", 1);
    ck_assert_int_eq(lt_topics_join(&c, &allocator, sets, 3), LEAT_OK);
    check(&c, "/a /c /d /f");
    ck_assert(!lt_topics_same(&a, &c));
    ck_assert_int_eq(lt_topics_join(&a, &allocator, sets + 2, 1), LEAT_OK);
    ck_assert(lt_topics_same(&a, &c));
    change(&a, "/f", -1);
    change(&a, "/g", 1);
    ck_assert(!lt_topics_same(&a, &c));
    lt_topics_free(&a, &allocator);
    lt_topics_free(&b, &allocator);
    lt_topics_free(&c, &allocator);
}
END_TEST

/* Whatever fails, the set is as it was. */
static int scenario(const leat_config *config, const void *arg)
{
    leat_allocator own = lt_allocator(config);
    leat_builder *builder = t_json("[\"/x\",\"/y\"]", 11);
    struct lt_topics topics = {0};
    const struct lt_topics *sets[] = {&topics};
    int status = change_one(&topics, &own, "/a", 2, 1);

    (void)arg;
    if (status == LEAT_OK && (status = change_one(&topics, &own, "/a/b", 4, 1)) != LEAT_OK)
        check(&topics, "/a");
    if (status == LEAT_OK && (status = lt_topics_join(&topics, &own, sets, 1)) != LEAT_OK)
        check(&topics, "/a /a/b");
    if (status == LEAT_OK && (status = change_one(&topics, &own, "/a", 2, -1)) != LEAT_OK)
        check(&topics, "/a");
    if (status == LEAT_OK &&
        (status = lt_topics_read(&topics, &own, leat_builder_value(builder))) != LEAT_OK)
        check(&topics, "");
    lt_topics_free(&topics, &own);
    leat_builder_free(builder);
    return status;
}

START_TEST(out_of_memory)
{
    t_every_alloc(scenario, NULL);
}
END_TEST

static void tests(TCase *tc)
{
    allocator = lt_allocator(NULL);
    tcase_add_test(tc, add_and_remove);
    tcase_add_loop_test(tc, match, 0, sizeof matches / sizeof *matches);
    tcase_add_loop_test(tc, match_like_a_search, 0, 64);
    tcase_add_loop_test(tc, read_list, 0, sizeof lists / sizeof *lists);
    tcase_add_test(tc, join);
    tcase_add_test(tc, out_of_memory);
}

T_MAIN("broker/topics", tests)
