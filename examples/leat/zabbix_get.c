/* leat zabbix get: asks an agent for the value of a key, as zabbix_get does. */
#include "zabbix_live.h"

#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 3000u

struct getter {
    struct asking asking;
    struct output output;
    leat_builder *built;
    const char *key;
    bool raw;
    bool plain; /* ask as before 7.0 */
    bool tried;
    bool misunderstood; /* an agent before 7.0 took JSON for a key */
    bool is_row;        /* the answer was a row */
    bool failed;
};

static int ask_in_json(struct getter *getter, leat_session *session)
{
    leat_builder *built = getter->built;
    uint64_t ms = getter->asking.options.timeout_ms;

    leat_builder_clear(built);
    (void)leat_builder_open(built, NULL, LEAT_RECORD);
    (void)leat_builder_text(built, "request", "passive checks", 14);
    (void)leat_builder_open(built, "data", LEAT_LIST);
    (void)leat_builder_open(built, NULL, LEAT_RECORD);
    (void)leat_builder_text(built, "key", getter->key, strlen(getter->key));
    (void)leat_builder_u64(built, "timeout", (ms + 999) / 1000);
    (void)leat_builder_close(built);
    (void)leat_builder_close(built);
    need_memory(leat_builder_close(built));
    return leat_send(session, "passive checks", leat_builder_value(built));
}

static int ask(struct asking *asking, leat_session *session)
{
    struct getter *getter = asking->data;
    leat_builder *built = getter->built;

    if (!getter->plain)
        return ask_in_json(getter, session);
    leat_builder_clear(built);
    (void)leat_builder_open(built, NULL, LEAT_RECORD);
    (void)leat_builder_text(built, "body", getter->key, strlen(getter->key));
    need_memory(leat_builder_close(built));
    return leat_send(session, "plain", leat_builder_value(built));
}

/* Prints the value, or why there is none: what the answer has as name. */
static void tell(struct getter *getter, const char *name, const leat_value *value)
{
    leat_builder *built = getter->built;
    size_t length;
    const uint8_t *octets = leat_value_bytes(value, &length);
    char text[1024];

    getter->failed = strcmp(name, "error") == 0;
    if (getter->raw && getter->failed) {
        (void)leat_value_json(value, text, sizeof text);
        complain("%s: %s", getter->key, text);
        return;
    }
    if (getter->raw) {
        if (length > 0)
            (void)fwrite(octets, 1, length, stdout);
        (void)fputc('\n', stdout);
        return;
    }
    leat_builder_clear(built);
    (void)leat_builder_open(built, NULL, LEAT_RECORD);
    (void)leat_builder_text(built, "key", getter->key, strlen(getter->key));
    (void)leat_builder_copy(built, name, value);
    need_memory(leat_builder_close(built));
    output_json(&getter->output, leat_builder_value(built));
}

/* A row of a JSON answer: a value, or an error. */
static void take_row(struct getter *getter, const leat_value *row)
{
    const leat_value *error = leat_value_get(row, "error");

    if (getter->is_row)
        return;
    getter->is_row = true;
    if (error != NULL)
        tell(getter, "error", error);
    else
        tell(getter, "value", leat_value_get(row, "value"));
}

/* What agents before 7.0 say. */
static void take_plain(struct getter *getter, const leat_value *value)
{
    static const char word[] = "ZBX_NOTSUPPORTED";
    const leat_value *body = leat_value_get(value, "body");
    const leat_value *error = leat_value_get(value, "error");
    size_t length;
    const uint8_t *octets = leat_value_bytes(body, &length);

    if (error != NULL)
        tell(getter, "error", error);
    else if (length == sizeof word - 1 && memcmp(octets, word, length) == 0)
        tell(getter, "error", body);
    else
        tell(getter, "value", body);
}

static void hear(struct asking *asking, const struct connection *connection,
                 const leat_event *event)
{
    struct getter *getter = asking->data;
    const leat_value *value = leat_event_value(event);
    const leat_value *error = leat_value_get(value, "error");

    (void)connection;
    if (leat_event_error(event) != NULL)
        return;
    if (leat_event_kind(event) == LEAT_ZABBIX_ROW) {
        take_row(getter, value);
        return;
    }
    asking->answered = true;
    if (leat_event_kind(event) != LEAT_ZABBIX_PLAIN) {
        if (!getter->is_row && error != NULL)
            tell(getter, "error", error);
        else if (!getter->is_row)
            asking->answered = false;
    } else if (getter->plain) {
        take_plain(getter, value);
    } else {
        getter->misunderstood = true;
    }
}

static void next(struct asking *asking)
{
    struct getter *getter = asking->data;

    if (asking->problem[0] != '\0') {
        complain("%s", asking->problem);
        getter->failed = true;
        return;
    }
    if (getter->tried && !getter->misunderstood)
        return;
    getter->plain = getter->plain || getter->misunderstood;
    getter->tried = true;
    getter->misunderstood = false;
    asking_begin(asking);
}

int zabbix_get(const struct arguments *arguments)
{
    struct getter *getter = calloc(1, sizeof *getter);
    int code = EXIT_USAGE;

    need_memory(getter == NULL ? LEAT_E_NOMEM : LEAT_OK);
    getter->key = arguments->operands[1];
    getter->raw = option_given(arguments, "--raw");
    if (asking_open(&getter->asking, arguments, LEAT_ZABBIX_AS_SERVER, LEAT_ZABBIX_PASSIVE_CHECKS,
                    TIMEOUT_MS)) {
        getter->plain =
            !version_is_since(getter->asking.version, strlen(getter->asking.version), 7, 0);
        need_memory(leat_builder_new(NULL, &getter->built));
        output_open(&getter->output);
        getter->asking.data = getter;
        getter->asking.ask = ask;
        getter->asking.hear = hear;
        getter->asking.next = next;
        asking_run(&getter->asking);
        code = getter->failed ? EXIT_MALFORMED : EXIT_DONE;
        output_close(&getter->output);
        leat_builder_free(getter->built);
        asking_close(&getter->asking);
    }
    free(getter);
    return code;
}
