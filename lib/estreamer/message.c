#include "message.h"

#include <leat/estreamer.h>
#include <leat/session.h>

#define SERVICE_BYTES 16u /* type, length, flags, timestamp */

static int read_number(struct lt_estreamer_reader *reader, const uint8_t *at, const char *name,
                       uint16_t name_length, uint64_t number, uint32_t *children)
{
    return lt_estreamer_read_number(reader, at, LEAT_UINT, name, name_length, number, children);
}

/* Null. Source: spec section 4. */

static int read_null(struct lt_estreamer_reader *reader, struct lt_reader in, uint32_t *children)
{
    if (lt_left(&in) == 0)
        return LEAT_OK;
    return lt_estreamer_read_octets(reader, in.at, lt_left(&in), LEAT_BYTES, LT_EXTRA, children);
}

static int write_null(struct lt_estreamer_writer *writer, struct lt_estreamer_fields *fields)
{
    int status =
        lt_estreamer_put_octets(writer, LEAT_BYTES, lt_estreamer_take(fields, LT_EXTRA), "extra");

    return status != LEAT_OK ? status : lt_estreamer_fields_end(writer, fields);
}

/*
 * Error. Source: spec sections 6 and 15: if the length of the text is wrong, the rest is the text.
 */

static int read_error(struct lt_estreamer_reader *reader, struct lt_reader in, uint32_t *children)
{
    const uint8_t *at = in.at;
    int32_t code = (int32_t)lt_u32be(&in);
    uint16_t length = lt_u16be(&in);
    int status;

    if (!lt_ok(&in))
        return lt_estreamer_malformed(reader, at, "shorter than an error message", NULL);
    if (length != lt_left(&in))
        (void)lt_estreamer_malformed(reader, at + 4, "not the length of the text", "text_length");
    status = lt_estreamer_read_number(reader, at, LEAT_INT, LT_NAME("error_code"),
                                      (uint64_t)(int64_t)code, children);
    if (status == LEAT_OK)
        status = read_number(reader, at, LT_NAME("text_length"), length, children);
    if (status == LEAT_OK)
        status = lt_estreamer_read_octets(reader, in.at, lt_left(&in), LEAT_TEXT, LT_NAME("text"),
                                          children);
    return status;
}

static int write_error(struct lt_estreamer_writer *writer, struct lt_estreamer_fields *fields)
{
    return lt_estreamer_write_whole(writer, fields, &lt_estreamer_layouts[LT_ESTREAMER_ERROR], 1,
                                    false);
}

/* Event Stream Request; a later version may append to it. Source: spec section 7. */

static int read_event_stream_request(struct lt_estreamer_reader *reader, struct lt_reader in,
                                     uint32_t *children)
{
    const struct lt_estreamer_layout *layout =
        &lt_estreamer_layouts[LT_ESTREAMER_EVENT_STREAM_REQUEST];

    if (lt_left(&in) < lt_estreamer_fixed_size(layout))
        return lt_estreamer_malformed(reader, in.at, "shorter than an event stream request", NULL);
    return lt_estreamer_read_fields(reader, in, layout, 0, 1, children);
}

static int write_event_stream_request(struct lt_estreamer_writer *writer,
                                      struct lt_estreamer_fields *fields)
{
    return lt_estreamer_write_whole(
        writer, fields, &lt_estreamer_layouts[LT_ESTREAMER_EVENT_STREAM_REQUEST], 1, true);
}

/*
 * Host Data Request. Source: spec section 11: addresses of 4 octets, or of 16 in a form of which
 * the length alone tells. An IPv4 address may stand in either, so a field says which it was.
 */

static const struct lt_estreamer_layout *host_request(bool ipv6)
{
    return &lt_estreamer_layouts[ipv6 ? LT_ESTREAMER_HOST_REQUEST_V6 : LT_ESTREAMER_HOST_REQUEST];
}

static int read_host_data_request(struct lt_estreamer_reader *reader, struct lt_reader in,
                                  uint32_t *children)
{
    bool ipv6 = lt_left(&in) == lt_estreamer_fixed_size(host_request(true));
    int status = LEAT_OK;

    if (lt_left(&in) != lt_estreamer_fixed_size(host_request(ipv6)))
        return lt_estreamer_malformed(reader, in.at, "neither 16 nor 40 octets", NULL);
    if (ipv6)
        status = lt_estreamer_read_number(reader, in.at, LEAT_BOOL, LT_NAME("ipv6"), 1, children);
    if (status != LEAT_OK)
        return status;
    return lt_estreamer_read_fields(reader, in, host_request(ipv6), 0, 1, children);
}

static int write_host_data_request(struct lt_estreamer_writer *writer,
                                   struct lt_estreamer_fields *fields)
{
    bool ipv6;
    int status =
        lt_estreamer_flag(writer, lt_estreamer_take(fields, LT_NAME("ipv6")), "ipv6", &ipv6);

    if (status != LEAT_OK)
        return status;
    return lt_estreamer_write_whole(writer, fields, host_request(ipv6), 1, false);
}

/* Host data: one block of series 1, or nothing at the end of a range. Source: spec section 11. */

static int read_host_data(struct lt_estreamer_reader *reader, struct lt_reader in,
                          uint32_t *children)
{
    if (lt_left(&in) == 0)
        return LEAT_OK;
    return lt_estreamer_read_block(reader, in, 1, 1, children);
}

static int write_host_data(struct lt_estreamer_writer *writer, struct lt_estreamer_fields *fields)
{
    if (fields->left == 0)
        return LEAT_OK;
    return lt_estreamer_write_block(writer, fields, NULL, 1, 1);
}

/*
 * Services. Source: spec section 8: what service_length counts depends on who wrote it, so in a
 * request, whose services end at their terminator, it is not looked at, and in the server's
 * information it is read either way.
 */

static int open_list(struct lt_estreamer_reader *reader, const uint8_t *at, const char *name,
                     uint16_t name_length, size_t depth, size_t *cell, uint32_t *children)
{
    ++*children;
    return lt_estreamer_open(reader, at, LEAT_LIST, name, name_length, depth, cell);
}

static int read_event_types(struct lt_estreamer_reader *reader, struct lt_reader *in,
                            uint32_t *children)
{
    uint32_t pairs = 0;
    size_t list, pair;
    int status = open_list(reader, in->at, LT_NAME("event_types"), 3, &list, children);

    while (status == LEAT_OK && lt_left(in) > 0) {
        const uint8_t *at = in->at;
        uint16_t version = lt_u16be(in);
        uint16_t code = lt_u16be(in);
        uint32_t fields = 0;

        if (!lt_ok(in))
            return lt_estreamer_malformed(reader, at, "ends in the middle of a field",
                                          "event_types");
        if (version == 0 && code == 0)
            break;
        status = lt_estreamer_open(reader, at, LEAT_RECORD, LT_NO_NAME, 4, &pair);
        if (status == LEAT_OK)
            status = read_number(reader, at, LT_NAME("event_version"), version, &fields);
        if (status == LEAT_OK)
            status = read_number(reader, at, LT_NAME("event_code"), code, &fields);
        if (status == LEAT_OK)
            lt_tree_close(reader->tree, pair, fields);
        pairs++;
    }
    if (status == LEAT_OK)
        lt_tree_close(reader->tree, list, pairs);
    return status;
}

static int read_service(struct lt_estreamer_reader *reader, struct lt_reader *in,
                        uint32_t *children)
{
    const uint8_t *at = in->at;
    uint32_t type = lt_u32be(in);
    uint32_t length = lt_u32be(in);
    uint32_t flags = lt_u32be(in);
    uint32_t timestamp = lt_u32be(in);
    int status;

    if (!lt_ok(in))
        return lt_estreamer_malformed(reader, at, "shorter than a service", "services");
    status = read_number(reader, at, LT_NAME("service_type"), type, children);
    if (status == LEAT_OK)
        status = read_number(reader, at, LT_NAME("service_length"), length, children);
    if (status == LEAT_OK)
        status = read_number(reader, at, LT_NAME("flags"), flags, children);
    if (status == LEAT_OK)
        status = read_number(reader, at, LT_NAME("initial_timestamp"), timestamp, children);
    return status;
}

/* Whether the services fit if each one's length leaves out as many octets. */
static bool steps_fit(struct lt_reader in, uint32_t left_out)
{
    while (lt_left(&in) > 0) {
        uint64_t step;

        if (lt_left(&in) < SERVICE_BYTES)
            return false;
        step = (uint64_t)left_out + lt_load_u32be(in.at + 4);
        if (step < SERVICE_BYTES || step > lt_left(&in))
            return false;
        (void)lt_take(&in, (size_t)step);
    }
    return true;
}

static int read_advertised(struct lt_estreamer_reader *reader, struct lt_reader *in,
                           uint32_t left_out, uint32_t *children)
{
    struct lt_reader service = lt_child(in, (size_t)(left_out + lt_load_u32be(in->at + 4)), 0);
    int status = read_service(reader, &service, children);

    if (status != LEAT_OK || lt_left(&service) == 0)
        return status;
    return lt_estreamer_read_octets(reader, service.at, lt_left(&service), LEAT_BYTES, LT_EXTRA,
                                    children);
}

static int read_streaming_request(struct lt_estreamer_reader *reader, struct lt_reader in,
                                  uint32_t *children)
{
    uint32_t services = 0;
    size_t list, service;
    int status = open_list(reader, in.at, LT_NAME("services"), 1, &list, children);

    while (status == LEAT_OK && lt_left(&in) > 0) {
        uint32_t fields = 0;

        status = lt_estreamer_open(reader, in.at, LEAT_RECORD, LT_NO_NAME, 2, &service);
        if (status == LEAT_OK)
            status = read_service(reader, &in, &fields);
        if (status == LEAT_OK)
            status = read_event_types(reader, &in, &fields);
        if (status == LEAT_OK)
            lt_tree_close(reader->tree, service, fields);
        services++;
    }
    if (status == LEAT_OK)
        lt_tree_close(reader->tree, list, services);
    return status;
}

static int read_streaming_information(struct lt_estreamer_reader *reader, struct lt_reader in,
                                      uint32_t *children)
{
    uint32_t left_out = steps_fit(in, 8) ? 8 : 0;
    uint32_t services = 0;
    size_t list, service;
    int status;

    if (left_out == 0 && !steps_fit(in, 0))
        return lt_estreamer_malformed(reader, in.at, "services of impossible length",
                                      "service_length");
    status = open_list(reader, in.at, LT_NAME("services"), 1, &list, children);
    while (status == LEAT_OK && lt_left(&in) > 0) {
        uint32_t fields = 0;

        status = lt_estreamer_open(reader, in.at, LEAT_RECORD, LT_NO_NAME, 2, &service);
        if (status == LEAT_OK)
            status = read_advertised(reader, &in, left_out, &fields);
        if (status == LEAT_OK)
            lt_tree_close(reader->tree, service, fields);
        services++;
    }
    if (status == LEAT_OK)
        lt_tree_close(reader->tree, list, services);
    return status;
}

/* Takes a list out of the fields; *list is NULL if it is not given. */
static int take_list(struct lt_estreamer_writer *writer, struct lt_estreamer_fields *fields,
                     const char *name, uint16_t name_length, const leat_value **list)
{
    *list = lt_estreamer_take(fields, name, name_length);
    if (*list != NULL && (*list)->kind != LEAT_LIST)
        return lt_estreamer_refuse(writer, "not a list", name);
    return LEAT_OK;
}

static int write_event_type(struct lt_estreamer_writer *writer, const leat_value *pair)
{
    struct lt_estreamer_fields fields;
    uint64_t version, code = 0;
    int status = lt_estreamer_fields(writer, pair, "event_types", &fields);

    if (status == LEAT_OK)
        status = lt_estreamer_take_number(writer, &fields, LT_NAME("event_version"), UINT16_MAX,
                                          &version);
    if (status == LEAT_OK)
        status =
            lt_estreamer_take_number(writer, &fields, LT_NAME("event_code"), UINT16_MAX, &code);
    if (status != LEAT_OK)
        return status;
    if (version == 0 && code == 0)
        return lt_estreamer_refuse(writer, "0, 0 would end the list", "event_types");
    lt_put_u16be(writer->out, (uint16_t)version);
    lt_put_u16be(writer->out, (uint16_t)code);
    return lt_estreamer_fields_end(writer, &fields);
}

static int write_event_types(struct lt_estreamer_writer *writer, struct lt_estreamer_fields *fields)
{
    const leat_value *list, *pair;
    int status = take_list(writer, fields, LT_NAME("event_types"), &list);

    for (pair = leat_value_first(list); status == LEAT_OK && pair != NULL;
         pair = leat_value_next(list, pair))
        status = write_event_type(writer, pair);
    lt_put_u32be(writer->out, 0);
    return status;
}

/*
 * A service of a request counts all of itself in its length; one of the server, what follows its
 * length.
 */
static int write_service(struct lt_estreamer_writer *writer, const leat_value *service,
                         bool request)
{
    size_t start = writer->out->length;
    struct lt_estreamer_fields fields;
    uint64_t type, flags = 0, timestamp = 0;
    size_t length;
    int status = lt_estreamer_fields(writer, service, "services", &fields);

    if (status == LEAT_OK)
        status =
            lt_estreamer_take_number(writer, &fields, LT_NAME("service_type"), UINT32_MAX, &type);
    if (status == LEAT_OK)
        status = lt_estreamer_take_number(writer, &fields, LT_NAME("flags"), UINT32_MAX, &flags);
    if (status == LEAT_OK)
        status = lt_estreamer_take_number(writer, &fields, LT_NAME("initial_timestamp"), UINT32_MAX,
                                          &timestamp);
    if (status != LEAT_OK)
        return status;
    (void)lt_estreamer_take(&fields, LT_NAME("service_length"));
    lt_put_u32be(writer->out, (uint32_t)type);
    lt_put_u32be(writer->out, 0);
    lt_put_u32be(writer->out, (uint32_t)flags);
    lt_put_u32be(writer->out, (uint32_t)timestamp);
    status = request ? write_event_types(writer, &fields)
                     : lt_estreamer_put_octets(writer, LEAT_BYTES,
                                               lt_estreamer_take(&fields, LT_EXTRA), "extra");
    if (status != LEAT_OK)
        return status;
    length = writer->out->length - start - (request ? 0 : 8);
    if (writer->out->status == LEAT_OK && length > UINT32_MAX)
        return lt_estreamer_refuse(writer, "a service longer than 4 GiB", "services");
    lt_patch_u32be(writer->out, start + 4, (uint32_t)length);
    return lt_estreamer_fields_end(writer, &fields);
}

static int write_services(struct lt_estreamer_writer *writer, struct lt_estreamer_fields *fields,
                          bool request)
{
    const leat_value *list, *service;
    int status = take_list(writer, fields, LT_NAME("services"), &list);

    for (service = leat_value_first(list); status == LEAT_OK && service != NULL;
         service = leat_value_next(list, service))
        status = write_service(writer, service, request);
    return status != LEAT_OK ? status : lt_estreamer_fields_end(writer, fields);
}

static int write_streaming_request(struct lt_estreamer_writer *writer,
                                   struct lt_estreamer_fields *fields)
{
    return write_services(writer, fields, true);
}

static int write_streaming_information(struct lt_estreamer_writer *writer,
                                       struct lt_estreamer_fields *fields)
{
    return write_services(writer, fields, false);
}

/* Unknown messages */

int lt_estreamer_read_unknown(struct lt_estreamer_reader *reader, uint32_t type,
                              struct lt_reader in, uint32_t *children)
{
    int status = read_number(reader, in.at, LT_NAME("message_type"), type, children);

    return status != LEAT_OK ? status
                             : lt_estreamer_read_octets(reader, in.at, lt_left(&in), LEAT_BYTES,
                                                        LT_DATA, children);
}

#define CLIENT (1u << LEAT_FROM_CLIENT)
#define SERVER (1u << LEAT_FROM_SERVER)

/* Who may say what. Source: spec section 5. The most frequent first. */
/* clang-format off */
static const struct lt_estreamer_message messages[] = {
    {LT_ESTREAMER_EVENT_DATA_TYPE, LEAT_ESTREAMER_EVENT_DATA, SERVER,
     "event_data", lt_estreamer_read_event_data, lt_estreamer_write_event_data},
    {0, LEAT_ESTREAMER_NULL, CLIENT | SERVER,
     "null", read_null, write_null},
    {1, LEAT_ESTREAMER_ERROR, CLIENT | SERVER,
     "error", read_error, write_error},
    {2, LEAT_ESTREAMER_EVENT_STREAM_REQUEST, CLIENT,
     "event_stream_request", read_event_stream_request, write_event_stream_request},
    {5, LEAT_ESTREAMER_HOST_DATA_REQUEST, CLIENT,
     "host_data_request", read_host_data_request, write_host_data_request},
    {6, LEAT_ESTREAMER_SINGLE_HOST_DATA, SERVER,
     "single_host_data", read_host_data, write_host_data},
    {7, LEAT_ESTREAMER_MULTIPLE_HOST_DATA, SERVER,
     "multiple_host_data", read_host_data, write_host_data},
    {2049, LEAT_ESTREAMER_STREAMING_REQUEST, CLIENT,
     "streaming_request", read_streaming_request, write_streaming_request},
    {2051, LEAT_ESTREAMER_STREAMING_INFORMATION, SERVER,
     "streaming_information", read_streaming_information, write_streaming_information},
};
/* clang-format on */

const struct lt_estreamer_message *lt_estreamer_message_of_type(uint32_t type)
{
    size_t i;

    for (i = 0; i < sizeof messages / sizeof *messages; i++) {
        if (messages[i].type == type)
            return &messages[i];
    }
    return NULL;
}

const struct lt_estreamer_message *lt_estreamer_message_named(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof messages / sizeof *messages; i++) {
        if (strcmp(messages[i].name, name) == 0)
            return &messages[i];
    }
    return NULL;
}
