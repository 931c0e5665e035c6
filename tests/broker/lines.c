#include "lines.h"

void lines_open(struct lines *lines, const char *path)
{
    memset(lines, 0, sizeof *lines);
    lines->file = t_file(path);
}

bool lines_next(struct lines *lines)
{
    const char *start = (const char *)lines->file.data + lines->at;
    size_t left = lines->file.length - lines->at;
    const char *end = left == 0 ? NULL : (const char *)memchr(start, '\n', left);
    size_t length = end == NULL ? left : (size_t)(end - start);

    leat_builder_free(lines->builder);
    lines->builder = NULL;
    if (left == 0) {
        ck_assert_uint_gt(lines->number, 0);
        t_free(lines->file);
        return false;
    }
    lines->at += length + (end != NULL);
    lines->number++;
    lines->builder = t_json(start, length);
    lines->line = leat_builder_value(lines->builder);
    return true;
}

uint64_t lines_connections(const char *path)
{
    struct lines lines;
    uint64_t most = 0;

    lines_open(&lines, path);
    while (lines_next(&lines)) {
        uint64_t conn = leat_value_u64(leat_value_get(lines.line, "conn"));

        most = conn > most ? conn : most;
    }
    return most;
}

char *text_of(const leat_value *object, const char *name)
{
    const leat_value *member = leat_value_get(object, name);
    const char *text;
    size_t length;
    char *copy;

    if (leat_value_kind(member) != LEAT_TEXT)
        return NULL;
    text = leat_value_text(member, &length);
    copy = (char *)malloc(length + 1);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

bool has_text(const leat_value *object, const char *name, const char *text)
{
    char *member = text_of(object, name);
    bool same = member != NULL && strcmp(member, text) == 0;

    free(member);
    return same;
}

void same_hex(const void *octets, size_t length, const char *hex, const char *what)
{
    char *got = t_to_hex(octets, length);

    ck_assert_msg(strcmp(got, hex) == 0, "%s:\n got %s\nwant %s", what, got, hex);
    free(got);
}

void same_buffer(const leat_buffer *buffer, const char *hex, const char *what)
{
    size_t length;
    const void *octets = leat_buffer_data(buffer, &length);

    same_hex(octets, length, hex, what);
}
