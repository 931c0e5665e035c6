/*
 * Events of the Management framework. What is read is written so that it reads the same, also when it was
 * JSON in between; what is written of JSON can be sent and read.
 *
 * The first octet is the kind of the event, and behind it come its arguments, a value of Broker; or it is 0
 * and a whole message follows. Of those with JSON set the arguments come as JSON.
 */
#include "input.h"
#include "tell.h"

#include <leat/broker.h>
#include <leat/zeek_management.h>

#define JSON 0x80u

static void must(int sound)
{
    if (!sound)
        abort();
}

static leat_builder *builder(void)
{
    leat_builder *made;

    must(leat_builder_new(NULL, &made) == LEAT_OK);
    return made;
}

static leat_zeek_message fresh(void)
{
    leat_zeek_message message;

    leat_zeek_message_init(&message, sizeof message);
    return message;
}

static leat_zeek_management_flaw flawless(void)
{
    leat_zeek_management_flaw flaw;

    leat_zeek_management_flaw_init(&flaw, sizeof flaw);
    return flaw;
}

/* Whether a refusal tells all that it is to tell, and nothing else does. */
static void told(int status, int refusal, const leat_zeek_management_flaw *flaw)
{
    must(status == LEAT_OK || status == LEAT_E_LIMIT || status == refusal);
    must((status == refusal) == (flaw->event != NULL));
    must((flaw->event != NULL) == (flaw->what != NULL));
    must(flaw->field == NULL || flaw->record != NULL);
    must(flaw->record == NULL || flaw->argument != NULL);
}

/* Whether its Results may have data of any type, which JSON does not have. */
static int has_any(uint32_t kind)
{
    return kind == LEAT_ZEEK_AGENT_AGENT_WELCOME_RESPONSE ||
           kind == LEAT_ZEEK_AGENT_AGENT_STANDBY_RESPONSE ||
           kind == LEAT_ZEEK_AGENT_RESTART_RESPONSE ||
           kind == LEAT_ZEEK_CONTROLLER_RESTART_RESPONSE ||
           kind == LEAT_ZEEK_CONTROLLER_TEST_TIMEOUT_RESPONSE;
}

/* What was written can be sent, and reads as this; NULL: as anything. */
static void check_written(const leat_value *message, const leat_value *args)
{
    leat_zeek_message opened = fresh();
    leat_builder *again = builder();
    leat_buffer *octets;

    must(leat_buffer_new(NULL, &octets) == LEAT_OK);
    must(leat_broker_write(octets, message) == LEAT_OK);
    must(leat_zeek_read(message, &opened) == LEAT_OK);
    must(leat_zeek_management_read(again, NULL, &opened, NULL) == LEAT_OK);
    must(args == NULL || leat_value_equal(leat_builder_value(again), args));
    leat_buffer_free(octets);
    leat_builder_free(again);
}

/* Writes a record of arguments once more, by way of JSON. */
static void check_json(uint32_t kind, const leat_value *args, const leat_value *message)
{
    size_t length = leat_value_json(args, NULL, 0);
    char *text = (char *)malloc(length + 1);
    leat_builder *json = builder(), *again = builder();

    must(text != NULL && leat_value_json(args, text, length + 1) == length);
    must(leat_builder_json(json, NULL, text, length) == LEAT_OK);
    must(leat_zeek_management_write(again, NULL, kind, leat_builder_value(json), NULL) == LEAT_OK);
    must(leat_value_equal(leat_builder_value(again), message));
    leat_builder_free(json);
    leat_builder_free(again);
    free(text);
}

static void check_message(const leat_zeek_message *message)
{
    uint32_t kind = leat_zeek_management_kind(message);
    leat_zeek_management_flaw flaw = flawless();
    leat_builder *args, *written;
    int status;

    if (kind == 0)
        return;
    args = builder();
    written = builder();
    status = leat_zeek_management_read(args, NULL, message, &flaw);
    told(status, LEAT_E_SYNTAX, &flaw);
    if (status ==
        LEAT_OK) { /* but what is not known of an enum is not written, nor a set as none is */
        status = leat_zeek_management_write(written, NULL, kind, leat_builder_value(args), &flaw);
        told(status, LEAT_E_VALUE, &flaw);
        if (status == LEAT_OK) {
            check_written(leat_builder_value(written), leat_builder_value(args));
            if (!has_any(kind))
                check_json(kind, leat_builder_value(args), leat_builder_value(written));
        }
    }
    leat_builder_free(args);
    leat_builder_free(written);
}

static void check_args(uint32_t kind, const leat_value *args)
{
    leat_zeek_management_flaw flaw = flawless();
    leat_builder *written = builder();
    int status = leat_zeek_management_write(written, NULL, kind, args, &flaw);

    if (leat_zeek_management_name(kind) == NULL) {
        must(status == LEAT_E_VALUE);
    } else {
        told(status, LEAT_E_VALUE, &flaw);
        if (status == LEAT_OK)
            check_written(leat_builder_value(written), NULL);
    }
    leat_builder_free(written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    unsigned first = take(&input);
    uint32_t kind = first & ~JSON;
    leat_zeek_message message = fresh();
    leat_builder *b = builder();

    if (first & JSON) {
        if (leat_builder_json(b, NULL, (const char *)input.at, input.left) == LEAT_OK)
            check_args(kind, leat_builder_value(b));
    } else if (leat_broker_read(b, NULL, input.at, input.left) == LEAT_OK) {
        if (kind == 0) {
            if (leat_zeek_read(leat_builder_value(b), &message) == LEAT_OK)
                check_message(&message);
        } else if (leat_zeek_management_name(kind) != NULL) {
            message.kind = LEAT_ZEEK_EVENT;
            message.name = leat_zeek_management_name(kind);
            message.name_length = strlen(message.name);
            message.args = leat_builder_value(b);
            check_message(&message);
        }
    }
    leat_builder_free(b);
    return 0;
}
