/* Messages on their way to the links that they are for. */
#include "data.h"
#include "endpoint.h"

#include <string.h>

#define LENGTH_BYTES 4u

static const uint8_t nil[16];

static int refuse(leat_broker *broker, int status, const char *what, const char *field)
{
    return lt_error(&broker->error, status, 0, what, field);
}

static int no_memory(leat_broker *broker)
{
    return refuse(broker, LEAT_E_NOMEM, "out of memory", NULL);
}

/* Whether a message is for that link. */
static bool is_for(const struct lt_link *link, const struct lt_broker_post *post)
{
    if (link == post->from || (link->state != LT_LINK_UP && link->state != LT_LINK_LEAVING))
        return false;
    if (lt_is_client(link->kind) && post->type != LT_BROKER_DATA)
        return false;
    if (post->from == NULL && post->receiver != NULL)
        return memcmp(link->id, post->receiver, 16) == 0;
    if (lt_is_client(link->kind))
        return lt_topics_cover(&link->filter, post->topic, post->topic_length);
    if (post->from != NULL && (!post->forwarding || memcmp(link->id, post->sender, 16) == 0))
        return false;
    return post->receiver != NULL ? memcmp(link->id, post->receiver, 16) == 0
                                  : lt_topics_cover(&link->filter, post->topic, post->topic_length);
}

static int write_payload(leat_broker *broker, const struct lt_broker_post *post)
{
    struct lt_writer *out = &broker->frame;
    size_t before = out->length;
    struct leat_error error = {0};
    int status = LEAT_OK;

    if (post->payload != NULL)
        lt_put_bytes(out, post->payload, post->payload_length);
    else if (post->type == LT_BROKER_DATA)
        status = lt_broker_write(out, post->value, &error);
    else
        status = lt_broker_write_command(out, post->value, &error);
    if (status != LEAT_OK) {
        broker->error = error;
        broker->error.offset += before;
    }
    return status;
}

/* The message as natives get it. */
static int write_frame(leat_broker *broker, const struct lt_broker_post *post)
{
    struct lt_writer *out = &broker->frame;
    int status;

    out->length = 0;
    out->status = LEAT_OK;
    out->limit = (size_t)broker->limits.message_bytes + LENGTH_BYTES;
    lt_put_u32be(out, 0);
    lt_put_bytes(out, broker->options.id, 16);
    lt_put_bytes(out, post->receiver == NULL ? nil : post->receiver, 16);
    lt_put_u8(out, post->type);
    lt_put_u16be(out, LT_BROKER_TTL);
    lt_put_u16be(out, (uint16_t)post->topic_length);
    lt_put_bytes(out, post->topic, post->topic_length);
    status = write_payload(broker, post);
    if (status == LEAT_OK && out->status != LEAT_OK)
        status = refuse(
            broker, out->status,
            out->status == LEAT_E_LIMIT ? "longer than a message may be" : "out of memory", NULL);
    if (status == LEAT_OK)
        lt_patch_u32be(out, 0, (uint32_t)(out->length - LENGTH_BYTES));
    return status;
}

/* A message in one of its forms, made when the first link needs it. */
struct form {
    struct lt_writer *octets;
    struct lt_parcel *parcel; /* for links that must wait */
    bool is_made;
    bool is_none; /* the value has no such form */
};

/*
 * What is published is judged even if nobody subscribes to it, so that a mistake shows at once. A value
 * that JSON has no form for is left out of it.
 */
static int make_form(leat_broker *broker, const struct lt_broker_post *post,
                     const struct lt_link_kind *kind, struct form *form)
{
    struct leat_error error = {0};
    int status;

    if (form->is_made)
        return LEAT_OK;
    form->is_made = true;
    if (kind == NULL || !lt_is_client(kind))
        return write_frame(broker, post);
    form->octets->length = 0;
    form->octets->status = LEAT_OK;
    form->octets->limit = broker->frame.limit;
    status = kind->text(form->octets, post->topic, post->topic_length, post->value, &error);
    if (status == LEAT_E_NOMEM || form->octets->status == LEAT_E_NOMEM)
        return no_memory(broker);
    form->is_none = status != LEAT_OK || form->octets->status != LEAT_OK;
    return LEAT_OK;
}

static int prepare(leat_broker *broker, const struct lt_broker_post *post, struct lt_link *link,
                   struct form *form)
{
    int status = make_form(broker, post, link->kind, form);

    if (status != LEAT_OK || form->is_none)
        return status;
    if (lt_link_must_wait(link, form->octets->length) && form->parcel == NULL) {
        form->parcel = lt_parcel_new(&broker->allocator, form->octets->length);
        if (form->parcel == NULL)
            return no_memory(broker);
        memcpy(form->parcel->octets, form->octets->data, form->octets->length);
    }
    return lt_link_reserve(link, form->octets->length) ? LEAT_OK : no_memory(broker);
}

/* What we say to one is for no other; what one peer says to another is for clients, too. */
static struct lt_link *first_link(const leat_broker *broker, const struct lt_broker_post *post,
                                  bool *alone)
{
    *alone = post->receiver != NULL && (post->from == NULL || broker->client_count == 0);
    return *alone ? lt_holder(broker, post->receiver) : broker->all.first;
}

int lt_broker_post(leat_broker *broker, const struct lt_broker_post *post)
{
    struct form native = {&broker->frame, NULL, false, false};
    struct form client = {&broker->text, NULL, false, false};
    struct lt_link *link, *targets = NULL, **end = &targets;
    int status = LEAT_OK;
    bool alone;

    broker->error.code = LEAT_OK;
    if (post->from == NULL)
        status = make_form(broker, post, NULL, &native);
    for (link = first_link(broker, post, &alone); link != NULL && status == LEAT_OK;
         link = alone ? NULL : link->all.next) {
        struct form *form = lt_is_client(link->kind) ? &client : &native;

        if (!is_for(link, post))
            continue;
        status = prepare(broker, post, link, form);
        if (form->is_none)
            continue;
        *end = link;
        end = &link->target;
    }
    *end = NULL;
    for (link = status == LEAT_OK ? targets : NULL; link != NULL; link = link->target) {
        struct form *form = lt_is_client(link->kind) ? &client : &native;

        if (link->state != LT_LINK_OVER)
            lt_link_give(link, form->octets->data, form->octets->length, form->parcel, false);
    }
    lt_parcel_drop(native.parcel, &broker->allocator);
    lt_parcel_drop(client.parcel, &broker->allocator);
    return status;
}

static int publish(leat_broker *broker, const uint8_t *receiver, const char *topic, size_t length,
                   const leat_value *data)
{
    const leat_value none = {.kind = LEAT_NULL};
    const struct lt_broker_post post = {
        .receiver = receiver,
        .type = LT_BROKER_DATA,
        .topic = topic,
        .topic_length = length,
        .value = data == NULL ? &none : data,
    };
    int status = lt_broker_check_topic(broker, topic, length);

    return status == LEAT_OK ? lt_broker_post(broker, &post) : status;
}

int leat_broker_publish(leat_broker *broker, const char *topic, size_t length,
                        const leat_value *data)
{
    return publish(broker, NULL, topic, length, data);
}

int leat_broker_publish_to(leat_broker *broker, const uint8_t *id, const char *topic, size_t length,
                           const leat_value *data)
{
    const struct lt_link *link = lt_holder(broker, id);

    if (link == NULL || (link->state != LT_LINK_UP && link->state != LT_LINK_LEAVING))
        return refuse(broker, LEAT_E_STATE, "no such peer", "receiver");
    return publish(broker, id, topic, length, data);
}
