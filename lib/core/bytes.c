#include "bytes.h"

struct lt_writer lt_writer(const leat_allocator *allocator, size_t limit)
{
    struct lt_writer out = {NULL, 0, 0, limit, allocator, LEAT_OK};
    return out;
}

struct lt_writer lt_writer_fixed(void *data, size_t size)
{
    struct lt_writer out = {(uint8_t *)data, 0, size, SIZE_MAX, NULL, LEAT_OK};
    return out;
}

void lt_writer_free(struct lt_writer *out)
{
    if (out->allocator != NULL)
        lt_free(out->allocator, out->data, out->size);
    out->data = NULL;
    out->length = out->size = 0;
}

bool lt_writer_grow(struct lt_writer *out, size_t count)
{
    void *data = out->data;
    size_t size = out->size;

    if (out->allocator == NULL) {
        if (out->status == LEAT_OK)
            out->limit = out->length;
        out->status = LEAT_E_LIMIT;
        out->length = count > SIZE_MAX - out->length ? SIZE_MAX : out->length + count;
        return false;
    }
    if (out->status != LEAT_OK)
        return false;
    if (out->length > out->limit || count > out->limit - out->length) {
        out->status = LEAT_E_LIMIT;
        return false;
    }
    if (!lt_grow(out->allocator, &data, &size, out->length + count, 1)) {
        out->status = LEAT_E_NOMEM;
        return false;
    }
    out->data = (uint8_t *)data;
    out->size = size;
    return true;
}

void lt_put_bytes(struct lt_writer *out, const void *data, size_t count)
{
    uint8_t *p;

    if (count == 0)
        return;
    p = lt_put(out, count);
    if (p != NULL)
        memcpy(p, data, count);
}
