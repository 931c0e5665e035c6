/* What a log create tells of a log. */
#include "log.h"
#include "../core/builder.h"

#include <string.h>

static const struct lt_zeek_element info_elements[] = {
    {"path", 1u << LEAT_TEXT},          {"rotation interval", 1u << LEAT_REAL},
    {"rotation base", 1u << LEAT_REAL}, {"network time", 1u << LEAT_REAL},
    {"config", 1u << LEAT_TABLE},       {"post-processor", 1u << LEAT_TEXT},
};

#define INFO_ELEMENTS (sizeof info_elements / sizeof *info_elements)

static bool read_info(const leat_value *value, leat_zeek_log_info *info, struct lt_zeek_flaw *flaw)
{
    const leat_value *found[INFO_ELEMENTS + 1];

    if (!lt_zeek_elements(value, "info", info_elements, INFO_ELEMENTS, found, flaw))
        return false;
    info->path = leat_value_text(found[0], &info->path_length);
    info->rotation_interval = found[1]->u.f64;
    info->rotation_base = found[2]->u.f64;
    info->network_time = found[3]->u.f64;
    info->config = found[4];
    info->post_processor = leat_value_text(found[5], &info->post_processor_length);
    return true;
}

bool lt_zeek_log_create(const leat_value *info, const leat_value *fields, struct lt_zeek_flaw *flaw)
{
    leat_zeek_log_info read_as_info = {0};
    leat_zeek_log_field read_as_field = {0};
    const leat_value *field;

    if (!read_info(info, &read_as_info, flaw))
        return false;
    if (fields->kind != LEAT_LIST)
        return lt_zeek_flaw(flaw, "not a list", "fields", fields);
    for (field = leat_value_first(fields); field != NULL; field = leat_value_next(fields, field)) {
        if (!lt_zeek_log_field(field, &read_as_field, flaw))
            return false;
    }
    return true;
}

void leat_zeek_log_info_init(leat_zeek_log_info *info, size_t size)
{
    const uint64_t none = 0;

    lt_options_init(info, size, &none, sizeof none);
}

void leat_zeek_log_field_init(leat_zeek_log_field *field, size_t size)
{
    const uint64_t none = 0;

    lt_options_init(field, size, &none, sizeof none);
}

int leat_zeek_log_info_read(const leat_value *value, leat_zeek_log_info *info)
{
    leat_zeek_log_info read = {.size = info->size};
    struct lt_zeek_flaw flaw;
    bool sound;

    if (read.size < sizeof read.size)
        return LEAT_E_VALUE;
    sound = read_info(value, &read, &flaw);
    if (!sound)
        read.field = flaw.field;
    memcpy(info, &read, read.size < sizeof read ? (size_t)read.size : sizeof read);
    return sound ? LEAT_OK : LEAT_E_SYNTAX;
}

int leat_zeek_log_field_read(const leat_value *value, leat_zeek_log_field *field)
{
    leat_zeek_log_field read = {.size = field->size};
    struct lt_zeek_flaw flaw;
    bool sound;

    if (read.size < sizeof read.size)
        return LEAT_E_VALUE;
    sound = lt_zeek_log_field(value, &read, &flaw);
    if (!sound)
        read.field = flaw.field;
    memcpy(field, &read, read.size < sizeof read ? (size_t)read.size : sizeof read);
    return sound ? LEAT_OK : LEAT_E_SYNTAX;
}

static int mistake(leat_builder *builder, const char *what, const char *field)
{
    if (builder->error.code != LEAT_OK)
        return builder->error.code;
    return lt_builder_fail(builder, builder->tree.count, LEAT_E_VALUE, 0, what, field);
}

int leat_zeek_log_info_write(leat_builder *builder, const char *name,
                             const leat_zeek_log_info *info)
{
    leat_zeek_log_info own = {0};

    if (!lt_options_read(&own, sizeof own, info))
        return mistake(builder, "an info that was not initialised", NULL);
    if (own.config != NULL && own.config->kind != LEAT_TABLE)
        return mistake(builder, "an element of another type", "config");
    (void)leat_builder_open(builder, name, LEAT_LIST);
    (void)leat_builder_text(builder, NULL, own.path, own.path_length);
    (void)leat_builder_f64(builder, NULL, own.rotation_interval);
    (void)leat_builder_f64(builder, NULL, own.rotation_base);
    (void)leat_builder_f64(builder, NULL, own.network_time);
    if (own.config != NULL) {
        (void)leat_builder_copy(builder, NULL, own.config);
    } else {
        (void)leat_builder_open(builder, NULL, LEAT_TABLE);
        (void)leat_builder_close(builder);
    }
    (void)leat_builder_text(builder, NULL, own.post_processor, own.post_processor_length);
    return leat_builder_close(builder);
}

int leat_zeek_log_field_write(leat_builder *builder, const leat_zeek_log_field *field)
{
    leat_zeek_log_field own = {0};

    if (!lt_options_read(&own, sizeof own, field))
        return mistake(builder, "a field that was not initialised", NULL);
    (void)leat_builder_open(builder, NULL, LEAT_LIST);
    (void)leat_builder_text(builder, NULL, own.name, own.name_length);
    if (own.secondary != NULL)
        (void)leat_builder_text(builder, NULL, own.secondary, own.secondary_length);
    else
        (void)leat_builder_null(builder, NULL);
    (void)leat_builder_u64(builder, NULL, own.type);
    (void)leat_builder_u64(builder, NULL, own.subtype);
    (void)leat_builder_bool(builder, NULL, own.optional != 0);
    return leat_builder_close(builder);
}
