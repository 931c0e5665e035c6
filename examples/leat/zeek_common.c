/* What the commands share that talk of Zeek's Management framework. */
#include "zeek_live.h"

#include <stdlib.h>
#include <string.h>

#define FILE_MAX ((size_t)64 << 20)

const leat_value *zeek_file(leat_builder *builder, const char *path)
{
    const leat_value *value;
    const char *problem;
    size_t length;
    char *text = input_file(path, FILE_MAX, &length);

    if (text == NULL)
        return NULL;
    value = record_read(builder, text, length, &problem);
    if (value == NULL)
        complain("%s: %s", path, problem);
    free(text);
    return value;
}

uint32_t zeek_kind(const char *module, const char *name, size_t length)
{
    char whole[128];
    size_t begin = strlen(module);
    uint32_t kind = leat_zeek_management_find(name, length);

    if (kind != 0 || length >= sizeof whole - begin)
        return kind;
    memcpy(whole, module, begin);
    memcpy(whole + begin, name, length);
    return leat_zeek_management_find(whole, begin + length);
}

const char *zeek_state(const char *name, size_t length)
{
    static const char module[] = "Management::";
    static const char *const states[] = {LEAT_ZEEK_STATE_PENDING, LEAT_ZEEK_STATE_RUNNING,
                                         LEAT_ZEEK_STATE_STOPPED, LEAT_ZEEK_STATE_FAILED,
                                         LEAT_ZEEK_STATE_CRASHED, LEAT_ZEEK_STATE_UNKNOWN};
    size_t i;

    for (i = 0; i < sizeof states / sizeof *states; i++) {
        const char *brief = states[i] + sizeof module - 1;

        if ((strlen(states[i]) == length && memcmp(states[i], name, length) == 0) ||
            (strlen(brief) == length && memcmp(brief, name, length) == 0))
            return states[i];
    }
    return NULL;
}

void zeek_describe(const leat_zeek_management_flaw *flaw, char *text, size_t size)
{
    const char *const parts[] = {flaw->argument, flaw->record, flaw->field, flaw->type};
    static const char *const before[] = {": ", ": ", "$", ": "};
    size_t used, i;

    (void)snprintf(text, size, "%s", flaw->what != NULL ? flaw->what : "not sound");
    for (i = 0; i < sizeof parts / sizeof *parts; i++) {
        used = strlen(text);
        if (parts[i] != NULL)
            (void)snprintf(text + used, size - used, "%s%s", before[i], parts[i]);
    }
}

void zeek_add_flaw(leat_builder *builder, const leat_zeek_management_flaw *flaw)
{
    const char *const texts[] = {flaw->event, flaw->argument, flaw->record,
                                 flaw->field, flaw->type,     flaw->what};
    static const char *const names[] = {"event", "argument", "record", "field", "type", "what"};
    size_t i;

    (void)leat_builder_open(builder, NULL, LEAT_RECORD);
    for (i = 0; i < sizeof names / sizeof *names; i++) {
        if (texts[i] != NULL)
            (void)leat_builder_text(builder, names[i], texts[i], strlen(texts[i]));
        else
            (void)leat_builder_null(builder, names[i]);
    }
    need_memory(leat_builder_close(builder));
}

bool zeek_is_quiet(const struct node *node, const leat_event *event)
{
    if (leat_event_error(event) != NULL || option_given(node->talk.arguments, "--peerings"))
        return false;
    switch (leat_event_kind(event)) {
    case LEAT_BROKER_ENDPOINT_DISCOVERED:
    case LEAT_BROKER_ENDPOINT_UNREACHABLE:
    case LEAT_BROKER_PEER_ADDED:
    case LEAT_BROKER_PEER_REMOVED:
    case LEAT_BROKER_PEER_LOST:
    case LEAT_BROKER_ERROR:
    case LEAT_BROKER_ROUTING_UPDATE:
    case LEAT_BROKER_UPGRADE:
    case LEAT_BROKER_CLOSE:
        return true;
    default:
        return false;
    }
}
