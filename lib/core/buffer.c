#include "buffer.h"

#include "text.h"

static const leat_limits defaults = {.size = sizeof defaults, .queued_bytes = UINT64_C(1) << 30};

int leat_buffer_new(const leat_config *config, leat_buffer **buffer)
{
    leat_allocator allocator = lt_allocator(config);
    leat_limits limits = lt_limits(config, &defaults);
    leat_buffer *made = (leat_buffer *)lt_alloc_zero(&allocator, sizeof *made);

    if (made == NULL)
        return LEAT_E_NOMEM;
    made->allocator = allocator;
    made->out = lt_writer(&made->allocator,
                          limits.queued_bytes > SIZE_MAX ? SIZE_MAX : (size_t)limits.queued_bytes);
    *buffer = made;
    return LEAT_OK;
}

void leat_buffer_free(leat_buffer *buffer)
{
    leat_allocator allocator;

    if (buffer == NULL)
        return;
    lt_writer_free(&buffer->out);
    allocator = buffer->allocator;
    lt_free(&allocator, buffer, sizeof *buffer);
}

void leat_buffer_clear(leat_buffer *buffer)
{
    buffer->out.length = 0;
    buffer->error.code = LEAT_OK;
}

const void *leat_buffer_data(const leat_buffer *buffer, size_t *length)
{
    *length = buffer->out.length;
    return buffer->out.length == 0 ? NULL : buffer->out.data;
}

int lt_buffer_end(leat_buffer *buffer, size_t start, int status)
{
    if (buffer->out.status == LEAT_OK && buffer->out.length > buffer->out.limit)
        buffer->out.status = LEAT_E_LIMIT;
    if (status == LEAT_OK && buffer->out.status != LEAT_OK) {
        status = buffer->out.status;
        (void)lt_error(&buffer->error, status, 0,
                       status == LEAT_E_LIMIT ? "over the limit of a buffer" : "out of memory",
                       NULL);
    } else if (status == LEAT_OK) {
        buffer->error.code = LEAT_OK;
    }
    if (status != LEAT_OK)
        buffer->out.length = start;
    buffer->out.status = LEAT_OK;
    return status;
}

int leat_buffer_json(leat_buffer *buffer, const leat_value *value)
{
    size_t start = buffer->out.length;

    lt_json_write(&buffer->out, value);
    return lt_buffer_end(buffer, start, LEAT_OK);
}

const leat_error *leat_buffer_error(const leat_buffer *buffer)
{
    return buffer->error.code == LEAT_OK ? NULL : &buffer->error;
}
