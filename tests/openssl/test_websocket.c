/* Keys of WebSockets, and what answers them. */
#include "ends.h"
#include "support.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))
#define UNTOUCHED    "nothing was written to here, yet"

static const struct {
    const char *key;
    const char *accept;
} pairs[] = {
    {"dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}, /* RFC 6455, section 1.3 */
    /* Of Zeek's controller, recorded. */
    {"r4PAp+vFleG+4Yk5LO8uSw==", "QJMeXhdiUmYvbmKeyjTTOCKEk8U="},
    {"UKDBonJIHXqFvHVZ9SC0TA==", "wh6fKfrfnZduscZ+zs0bCiQn7/8="},
    {"W5hjxjM+Fj1PLyngun9mBw==", "sju11HH7Lj1qYpiL4yIctYJqoZk="},
    {"/Rddr9YBBQkYLGhjQszHHw==", "ptc+NKO7du4ZRUtQC2WyDkfpQ/8="},
    {"KOtMbH1oyeYDCgn+CtUt9w==", "kxIgucfseUvF7QdyaH7yhScSlEs="},
    {"hOeK8VQut/Cm8nyemqIzMw==", "7OFvXrhP80YQME6vRl8UYZc7Ye4="},
    {"sBfiXG0DzHD2glNeqPShgg==", "0HRKqwzZ9PzddJM9n5Szl9WuUx0="},
    /* What Broker takes any key for that is none. */
    {"AAAAAAAAAAAAAAAAAAAAAA==", "ICX+Yqv66kxgM0FcWaLWlFLwTAI="},
    /* No keys either: whoever reads them judges. */
    {"abc", "zwKd5BnoWxQ6GxTxxSmBSHGHX9M="},
    {"", "Kfh9QIsMVZcl6xEPYxPHzW8SZ8w="},
};

START_TEST(answers)
{
    char accept[29 + sizeof UNTOUCHED];

    memcpy(accept + 29, UNTOUCHED, sizeof UNTOUCHED);
    ck_assert_int_eq(leat_websocket_accept_value(pairs[_i].key, strlen(pairs[_i].key), accept),
                     LEAT_OK);
    ck_assert_str_eq(accept, pairs[_i].accept);
    ck_assert_uint_eq(strlen(accept), 28);
    ck_assert_str_eq(accept + 29, UNTOUCHED);
    ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

/* The key is as long as it is said to be, and need not end there. */
START_TEST(lengths)
{
    const char *header = "dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: here\r\n";
    size_t large = 1000000;
    char *text = (char *)malloc(large);
    char accept[29], other[29];

    ck_assert_int_eq(leat_websocket_accept_value(header, 24, accept), LEAT_OK);
    ck_assert_str_eq(accept, pairs[0].accept);
    ck_assert_ptr_nonnull(text);
    memset(text, 'a', large);
    ck_assert_int_eq(leat_websocket_accept_value(text, large, accept), LEAT_OK);
    ck_assert_int_eq(leat_websocket_accept_value(text, large - 1, other), LEAT_OK);
    ck_assert_str_ne(accept, other);
    free(text);
}
END_TEST

static const struct {
    const char *octets;
    const char *key;
} keys[] = {
    {"the sample nonce", "dGhlIHNhbXBsZSBub25jZQ=="},
    {"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "AAAAAAAAAAAAAAAAAAAAAA=="},
    {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
     "/////////////////////w=="},
    {"\xfb\xef\xbe\xfb\xef\xbe\xfb\xef\xbe\xfb\xef\xbe\xfb\xef\xbe\xfb", "++++++++++++++++++++"
                                                                         "+w=="},
};

START_TEST(keys_are_base64)
{
    uint8_t random[16];
    char key[25 + sizeof UNTOUCHED];

    memcpy(random, keys[_i].octets, sizeof random);
    memcpy(key + 25, UNTOUCHED, sizeof UNTOUCHED);
    leat_websocket_key(random, key);
    ck_assert_str_eq(key, keys[_i].key);
    ck_assert_uint_eq(strlen(key), 24);
    ck_assert_str_eq(key + 25, UNTOUCHED);
}
END_TEST

#if OPENSSL_VERSION_NUMBER >= 0x30000000L
/* As where FIPS rules, of which there is no provider here. */
START_TEST(sha_1_may_be_forbidden)
{
    char accept[] = UNTOUCHED;

    ck_assert_int_eq(EVP_set_default_properties(NULL, "fips=yes"), 1);
    ck_assert_int_eq(leat_websocket_accept_value("abc", 3, accept), LEAT_E_TLS);
    ck_assert_str_eq(accept, UNTOUCHED);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    ck_assert_int_eq(EVP_set_default_properties(NULL, NULL), 1);
    ck_assert_int_eq(leat_websocket_accept_value("abc", 3, accept), LEAT_OK);
}
END_TEST
#endif

/* Fails what OpenSSL asks for, once. */
static struct {
    size_t left; /* that succeed before one fails; SIZE_MAX: all */
    size_t asked;
} memory = {.left = SIZE_MAX};

static bool is_refused(void)
{
    memory.asked++;
    return memory.left != SIZE_MAX && memory.left-- == 0;
}

static void *take(size_t bytes, const char *file, int line)
{
    (void)file;
    (void)line;
    return is_refused() ? NULL : malloc(bytes);
}

static void *take_more(void *block, size_t bytes, const char *file, int line)
{
    (void)file;
    (void)line;
    return is_refused() ? NULL : realloc(block, bytes);
}

static void give_back(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    free(block);
}

START_TEST(no_memory)
{
    char accept[] = UNTOUCHED;
    size_t calls, i, refused = 0;

    ck_assert_int_eq(leat_websocket_accept_value("abc", 3, accept), LEAT_OK);
    memory.asked = 0;
    ck_assert_int_eq(leat_websocket_accept_value("abc", 3, accept), LEAT_OK);
    calls = memory.asked;
    ck_assert_uint_gt(calls, 0);
    for (i = 0; i < calls; i++) {
        int status;

        memcpy(accept, UNTOUCHED, sizeof accept);
        memory.left = i;
        status = leat_websocket_accept_value("abc", 3, accept);
        memory.left = SIZE_MAX;
        ck_assert_uint_eq(ERR_peek_error(), 0);
        ck_assert_str_eq(accept, status == LEAT_OK ? "zwKd5BnoWxQ6GxTxxSmBSHGHX9M=" : UNTOUCHED);
        ck_assert_int_eq(status == LEAT_OK ? LEAT_E_NOMEM : status, LEAT_E_NOMEM);
        refused += status == LEAT_OK ? 0 : 1;
    }
    ck_assert_uint_gt(refused, 0);
}
END_TEST

static void tests(TCase *cases)
{
    tcase_add_loop_test(cases, answers, 0, COUNT(pairs));
    tcase_add_test(cases, lengths);
    tcase_add_loop_test(cases, keys_are_base64, 0, COUNT(keys));
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    tcase_add_test(cases, sha_1_may_be_forbidden);
#endif
    tcase_add_test(cases, no_memory);
}

int main(void)
{
    if (CRYPTO_set_mem_functions(take, take_more, give_back) != 1)
        return EXIT_FAILURE;
    return t_main("openssl/websocket", tests);
}
