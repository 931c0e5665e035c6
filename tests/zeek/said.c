#include "said.h"

#include <stdio.h>

void messages_add(struct messages *messages, const struct message *message)
{
    messages->list =
        (struct message *)realloc(messages->list, (messages->count + 1) * sizeof *messages->list);
    ck_assert_ptr_nonnull(messages->list);
    messages->list[messages->count++] = *message;
}

void message_free(struct message *message)
{
    free(message->reqid);
    free(message->line);
}

void messages_free(struct messages *messages)
{
    size_t i;

    for (i = 0; i < messages->count; i++)
        message_free(&messages->list[i]);
    free(messages->list);
    memset(messages, 0, sizeof *messages);
}

void add_text(struct t_bytes *text, const char *more)
{
    t_append(text, more, strlen(more));
}

static int by_text(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

struct style {
    bool sorted;             /* lists */
    const leat_value *reqid; /* of all Results; NULL: as they are */
};

static char *print(const leat_value *value, const struct style *style);

static void print_list(struct t_bytes *text, const leat_value *list, const struct style *style)
{
    size_t count = leat_value_count(list), i = 0;
    char **parts = (char **)calloc(count + 1, sizeof *parts);
    const leat_value *part;

    ck_assert_ptr_nonnull(parts);
    for (part = leat_value_first(list); part != NULL; part = leat_value_next(list, part))
        parts[i++] = print(part, style);
    if (style->sorted)
        qsort(parts, count, sizeof *parts, by_text);
    add_text(text, "[");
    for (i = 0; i < count; i++) {
        add_text(text, i > 0 ? "," : "");
        add_text(text, parts[i]);
        free(parts[i]);
    }
    add_text(text, "]");
    free(parts);
}

static void print_record(struct t_bytes *text, const leat_value *record, const struct style *style)
{
    const leat_value *field;
    size_t length;

    add_text(text, "{");
    for (field = leat_value_first(record); field != NULL; field = leat_value_next(record, field)) {
        const char *name = leat_value_name(field, &length);
        char *part = print(length == 5 && memcmp(name, "reqid", 5) == 0 && style->reqid != NULL
                               ? style->reqid
                               : field,
                           style);

        add_text(text, field == leat_value_first(record) ? "" : ",");
        t_append(text, name, length);
        add_text(text, ":");
        add_text(text, part);
        free(part);
    }
    add_text(text, "}");
}

static char *print(const leat_value *value, const struct style *style)
{
    struct t_bytes text;

    if (leat_value_kind(value) != LEAT_RECORD && leat_value_kind(value) != LEAT_LIST)
        return t_json_text(value);
    text = t_copy("", 0);
    if (leat_value_kind(value) == LEAT_RECORD)
        print_record(&text, value, style);
    else
        print_list(&text, value, style);
    t_append(&text, "", 1);
    return (char *)text.data;
}

const leat_value *arguments_of(const leat_builder *builder)
{
    return builder != NULL ? leat_builder_value(builder) : NULL;
}

leat_builder *arguments_read(const leat_value *message, uint32_t *kind)
{
    leat_zeek_message zeek;
    leat_builder *builder;

    leat_zeek_message_init(&zeek, sizeof zeek);
    *kind = 0;
    if (leat_zeek_read(leat_value_get(message, "data"), &zeek) == LEAT_OK)
        *kind = leat_zeek_management_kind(&zeek);
    if (*kind == 0)
        return NULL;
    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    if (leat_zeek_management_read(builder, NULL, &zeek, NULL) == LEAT_OK)
        return builder;
    leat_builder_free(builder);
    return NULL;
}

char *copied_text(const leat_value *value)
{
    size_t length;
    const char *text = leat_value_text(value, &length);
    struct t_bytes copy = t_copy(text, length);

    t_append(&copy, "", 1);
    return (char *)copy.data;
}

void message_replace(struct message *message, const char *id, const char *with)
{
    struct t_bytes line = t_copy("", 0);
    const char *rest = message->line, *found;
    char quoted[128];

    (void)snprintf(quoted, sizeof quoted, "\"%s\"", id);
    while ((found = strstr(rest, quoted)) != NULL) {
        t_append(&line, rest, (size_t)(found - rest) + 1);
        add_text(&line, with);
        rest = found + strlen(quoted) - 1;
    }
    add_text(&line, rest);
    t_append(&line, "", 1);
    free(message->line);
    message->line = (char *)line.data;
}

bool message_read(struct message *message, const leat_value *value, bool by_agent)
{
    struct style style = {by_agent, NULL};
    leat_builder *builder = arguments_read(value, &message->kind);
    const leat_value *args = arguments_of(builder);
    struct t_bytes line = t_copy("", 0);
    char *topic, *text;

    if (builder == NULL || message->kind > LEAT_ZEEK_CONTROLLER_NOTIFY_AGENTS_READY) {
        leat_builder_free(builder);
        t_free(line);
        return false;
    }
    topic = copied_text(leat_value_get(value, "topic"));
    if (by_agent && message->kind == LEAT_ZEEK_AGENT_NODE_DISPATCH_RESPONSE)
        style.reqid = leat_value_get(args, "reqid");
    text = print(args, &style);
    message->reqid = copied_text(leat_value_get(args, "reqid"));
    message->matched = false;
    add_text(&line, topic);
    add_text(&line, " ");
    add_text(&line, strrchr(leat_zeek_management_name(message->kind), ':') + 1);
    add_text(&line, " ");
    add_text(&line, text);
    t_append(&line, "", 1);
    message->line = (char *)line.data;
    free(topic);
    free(text);
    leat_builder_free(builder);
    return true;
}
