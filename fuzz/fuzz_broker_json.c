/* A value in the JSON form: what is read is written in a form that stays the same. */
#include "broker_value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    leat_builder *builder;

    must(leat_builder_new(NULL, &builder) == LEAT_OK);
    if (leat_broker_json_read(builder, NULL, (const char *)data, size) == LEAT_OK)
        check_value(leat_builder_value(builder));
    else
        must(leat_error_offset(leat_builder_error(builder)) <= size);
    leat_builder_free(builder);
    return 0;
}
