/* Lines of JSON and of hex on standard output, complaints on standard error. */
#include "tool.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void need_memory(int status)
{
    if (status == LEAT_E_NOMEM) {
        complain("out of memory");
        exit(EXIT_USAGE);
    }
}

void complain(const char *format, ...)
{
    va_list values;

    (void)fflush(stdout);
    (void)fputs("leat: ", stderr);
    va_start(values, format);
    (void)vfprintf(stderr, format, values);
    va_end(values);
    (void)fputc('\n', stderr);
}

void output_flush(void)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        complain("standard output: %s", strerror(errno));
        exit(EXIT_USAGE);
    }
}

void new_buffer(leat_buffer **buffer)
{
    leat_limits limits;
    leat_config config;

    leat_limits_init(&limits, sizeof limits);
    limits.queued_bytes = SIZE_MAX;
    leat_config_init(&config, sizeof config);
    config.limits = &limits;
    need_memory(leat_buffer_new(&config, buffer));
}

void output_open(struct output *output)
{
    memset(output, 0, sizeof *output);
    need_memory(leat_builder_new(NULL, &output->scratch));
    new_buffer(&output->text); /* what the session let pass is printed: only it sets limits */
}

void output_close(struct output *output)
{
    leat_builder_free(output->scratch);
    leat_buffer_free(output->text);
}

static void put_buffer(const leat_buffer *buffer)
{
    size_t length;
    const void *data = leat_buffer_data(buffer, &length);

    if (length > 0)
        (void)fwrite(data, 1, length, stdout);
}

static void put_json(struct output *output, const leat_value *value)
{
    leat_buffer_clear(output->text);
    need_memory(leat_buffer_json(output->text, value));
    put_buffer(output->text);
}

static void put_text(struct output *output, const char *text, size_t length)
{
    leat_builder_clear(output->scratch);
    need_memory(leat_builder_text(output->scratch, NULL, text, length));
    put_json(output, leat_builder_value(output->scratch));
}

void output_put(struct output *output, const char *before, const leat_value *value)
{
    (void)fputs(before, stdout);
    put_json(output, value);
}

void output_put_text(struct output *output, const char *before, const char *text, size_t length)
{
    (void)fputs(before, stdout);
    put_text(output, text, length);
}

void put_hex(FILE *to, const uint8_t *octets, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    char text[512];
    size_t used = 0;
    size_t i;

    for (i = 0; i < length; i++) {
        text[used++] = digits[octets[i] >> 4];
        text[used++] = digits[octets[i] & 15u];
        if (used == sizeof text) {
            (void)fwrite(text, 1, used, to);
            used = 0;
        }
    }
    (void)fwrite(text, 1, used, to);
}

/* The text of an error and, if it tells, the field concerned. */
static void put_reason(struct output *output, const char *text, const char *field)
{
    put_text(output, text, strlen(text));
    if (field[0] != '\0') {
        (void)fputs(",\"field\":", stdout);
        put_text(output, field, strlen(field));
    }
}

/* A member of a line, behind others, if there is a text for it. */
static void put_member(struct output *output, const char *name, const char *text)
{
    if (text == NULL)
        return;
    (void)fprintf(stdout, ",\"%s\":", name);
    put_text(output, text, strlen(text));
}

uint64_t output_offset(const struct output *output, uint64_t offset)
{
    return offset > output->supplied ? offset - output->supplied : 0;
}

void output_event(struct output *output, const leat_event *event, const struct origin *origin,
                  const leat_value *names)
{
    uint64_t offset = output_offset(output, leat_event_offset(event));
    const leat_error *error = leat_event_error(event);
    const leat_value *value = leat_event_value(event);
    size_t length;
    const char *name = leat_event_name(event, &length);

    (void)fputs("{\"event\":", stdout);
    put_text(output, name, length);
    if (origin != NULL) {
        (void)fputs(",\"dir\":", stdout);
        put_text(output, origin->dir, origin->dir_length);
        if (origin->has_conn)
            (void)fprintf(stdout, ",\"conn\":%" PRIu64, origin->conn);
        put_member(output, "proxy", origin->proxy);
        put_member(output, "peer", origin->peer);
    }
    (void)fprintf(stdout, ",\"offset\":%" PRIu64 ",\"value\":", offset);
    if (value != NULL)
        put_json(output, value);
    else
        (void)fputs("null", stdout);
    if (names != NULL) {
        (void)fputs(",\"names\":", stdout);
        put_json(output, names);
    }
    if (error != NULL) {
        const uint8_t *raw = leat_event_raw(event, &length);

        if (output->undecodable++ == 0) {
            output->undecodable_at = offset;
            output->undecodable_reason = leat_error_text(error);
        }
        (void)fputs(",\"error\":", stdout);
        put_reason(output, leat_error_text(error), leat_error_field(error));
        (void)fprintf(stdout, ",\"error_offset\":%" PRIu64 ",\"raw\":\"",
                      output_offset(output, leat_error_offset(error)));
        put_hex(stdout, raw, length);
        (void)fputc('"', stdout);
    }
    (void)fputs("}\n", stdout);
}

void output_news(struct output *output, const char *name, const char *proxy,
                 const leat_value *value)
{
    (void)fprintf(stdout, "{\"event\":\"%s\"", name);
    put_member(output, "proxy", proxy);
    (void)fputs(",\"value\":", stdout);
    put_json(output, value);
    (void)fputs("}\n", stdout);
}

bool output_undecodable(const struct output *output, const char *file)
{
    if (output->undecodable == 0)
        return false;
    complain("%s: events that could not be decoded: %" PRIu64 "; the first, at offset %" PRIu64
             ": %s",
             file, output->undecodable, output->undecodable_at, output->undecodable_reason);
    return true;
}

void output_error(struct output *output, const char *text, uint64_t offset, const char *field)
{
    (void)fputs("{\"error\":", stdout);
    put_reason(output, text, field);
    (void)fprintf(stdout, ",\"offset\":%" PRIu64 "}\n", offset);
}

void output_json(struct output *output, const leat_value *value)
{
    put_json(output, value);
    (void)fputc('\n', stdout);
}

void output_text(const leat_buffer *text)
{
    put_buffer(text);
    (void)fputc('\n', stdout);
}

void output_hex(const leat_buffer *octets)
{
    size_t length;
    const uint8_t *data = leat_buffer_data(octets, &length);

    put_hex(stdout, data, length);
    (void)fputc('\n', stdout);
}
