/*
 * Messages from JSON, as a program would build them: the name up to the first line end, then the
 * fields. What is written is read back without an error, whatever it was written from.
 */
#include "broker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size == 0 ? NULL : (const uint8_t *)memchr(data, '\n', size);
    char name[32] = "";
    leat_session *session;
    const leat_event *event;
    leat_builder *builder;
    const void *octets;
    size_t length;

    if (end == NULL || (size_t)(end - data) >= sizeof name)
        return 0;
    memcpy(name, data, (size_t)(end - data));
    must(leat_builder_new(NULL, &builder) == LEAT_OK);
    if (leat_builder_json(builder, NULL, (const char *)end + 1, size - (size_t)(end + 1 - data)) ==
        LEAT_OK) {
        session = small_session(LEAT_FROM_ANY);
        if (leat_send(session, name, leat_builder_value(builder)) == LEAT_OK) {
            octets = leat_send_data(session, &length);
            must(leat_feed(session, octets, length) == LEAT_OK);
            /* Deeper or larger than these limits it may be. */
            if (leat_next(session, &event) == LEAT_OK && leat_event_error(event) != NULL)
                must(leat_error_code(leat_event_error(event)) == LEAT_E_LIMIT);
            else
                must(leat_session_error(session) == NULL ||
                     leat_error_code(leat_session_error(session)) == LEAT_E_LIMIT);
        }
        leat_session_free(session);
    }
    leat_builder_free(builder);
    return 0;
}
