/*
 * JSON text. What is read is written and read back the same; a guess that earlier text left
 * behind changes nothing; the scanner finds the same end, however the text is cut.
 */
#include "json.h"
#include "text.h"

#include <leat/buffer.h>
#include <leat/builder.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_end(const uint8_t *data, size_t size, size_t cut)
{
    struct lt_json_scan whole = {0}, parts = {0};
    int status = lt_json_scan(&whole, data, size), status_of_parts;

    status_of_parts = lt_json_scan(&parts, data, cut);
    if (status_of_parts == LEAT_MORE)
        status_of_parts = lt_json_scan(&parts, data + cut, size - cut);
    if (status != status_of_parts || whole.scanned != parts.scanned)
        abort();
}

/*
 * Where the first value ends, for the reader and for the scanner (which lets a bad number go
 * on).
 */
static void scanner_agrees(struct lt_tree *tree, const uint8_t *data, size_t size)
{
    struct lt_json json = {.tree = tree, .depth = LT_DEPTH_MAX};
    struct lt_json_scan scan = {0};
    struct leat_error error;
    size_t used, at = lt_json_space(data, size);

    lt_tree_clear(tree);
    if (at < size && (data[at] == '{' || data[at] == '[' || data[at] == '"') &&
        lt_json_read(&json, data, size, LT_NO_NAME, &used, &error) == LEAT_OK &&
        (lt_json_scan(&scan, data, size) != LEAT_OK || scan.scanned != used))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char rows[] = "[{\"id\":1,\"itemid\":2},{\"a\":0}]";
    leat_builder *guessing, *fresh, *again;
    leat_buffer *text;
    struct lt_tree tree;
    leat_allocator libc = lt_allocator(NULL);
    size_t cut;
    const void *written;
    size_t length;
    int status;

    if (size == 0)
        return 0;
    size--;
    cut = data[size] * size / 255u; /* the last octet steers */
    same_end(data, size, cut);
    lt_tree_init(&tree, &libc, 1u << 20);
    scanner_agrees(&tree, data, size);
    lt_tree_free(&tree);
    if (leat_builder_new(NULL, &guessing) != LEAT_OK || leat_builder_new(NULL, &fresh) != LEAT_OK ||
        leat_builder_new(NULL, &again) != LEAT_OK || leat_buffer_new(NULL, &text) != LEAT_OK)
        abort();
    (void)leat_builder_json(guessing, NULL, rows + 1, 21);
    leat_builder_clear(guessing);
    status = leat_builder_json(guessing, NULL, (const char *)data, size);
    if (leat_builder_json(fresh, NULL, (const char *)data, size) != status ||
        leat_error_offset(leat_builder_error(fresh)) !=
            leat_error_offset(leat_builder_error(guessing)))
        abort();
    if (status == LEAT_OK) {
        if (!leat_value_equal(leat_builder_value(fresh), leat_builder_value(guessing)) ||
            leat_buffer_json(text, leat_builder_value(fresh)) != LEAT_OK)
            abort();
        written = leat_buffer_data(text, &length);
        if (leat_builder_json(again, NULL, (const char *)written, length) != LEAT_OK ||
            !leat_value_equal(leat_builder_value(again), leat_builder_value(fresh)))
            abort();
    }
    leat_builder_free(guessing);
    leat_builder_free(fresh);
    leat_builder_free(again);
    leat_buffer_free(text);
    return 0;
}
