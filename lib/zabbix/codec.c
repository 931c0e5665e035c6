#include "codec.h"

void lt_zabbix_release(leat_session *session)
{
    struct lt_zabbix *z = (struct lt_zabbix *)session;

    lt_zabbix_reading_free(z);
    lt_zabbix_writing_free(z);
}

void lt_zabbix_trim(leat_session *session)
{
    struct lt_zabbix *z = (struct lt_zabbix *)session;

    if (!session->inside)
        lt_zabbix_reading_free(z);
    if (z->writing != NULL && !z->writing->open)
        lt_zabbix_writing_free(z);
}

size_t lt_zabbix_memory(const leat_session *session)
{
    const struct lt_zabbix *z = (const struct lt_zabbix *)session;

    return lt_zabbix_reading_memory(z) + lt_zabbix_writing_memory(z);
}

const struct lt_dialect lt_zabbix_codec = {
    .bytes = sizeof(struct lt_zabbix),
    .next = lt_zabbix_next,
    .send = lt_zabbix_send,
    .release = lt_zabbix_release,
    .trim = lt_zabbix_trim,
    .memory = lt_zabbix_memory,
};

const leat_limits lt_zabbix_limits = {
    .message_bytes = UINT64_C(1) << 30,
    .inflated_bytes = UINT64_C(1) << 30,
    .row_bytes = UINT64_C(32) << 20,
    .values = UINT64_C(1) << 20,
    .depth = 64,
    .queued_bytes = UINT64_C(1) << 30,
};

int leat_zabbix_codec_new(const leat_config *config, uint32_t from, leat_session **session)
{
    int status;

    if (from > LEAT_FROM_SENDER)
        return LEAT_E_VALUE;
    status = lt_session_new(&lt_zabbix_codec, config, &lt_zabbix_limits, session);
    if (status == LEAT_OK)
        ((struct lt_zabbix *)*session)->from = from == LEAT_FROM_CLIENT ? LEAT_FROM_ANY : from;
    return status;
}

/* The message that is arriving or came last, or NULL. */
static const struct lt_zabbix_reading *reading(const leat_session *session)
{
    const struct lt_zabbix *z = (const struct lt_zabbix *)session;

    if (!lt_is_zabbix(session) || z->reading == NULL || !z->reading->any)
        return NULL;
    return z->reading;
}

int leat_zabbix_header(const leat_session *session, uint32_t *flags, uint64_t *data_len,
                       uint64_t *reserved)
{
    const struct lt_zabbix_reading *r = reading(session);

    if (r == NULL)
        return LEAT_E_STATE;
    if (flags != NULL)
        *flags = r->header.flags;
    if (data_len != NULL)
        *data_len = r->header.data_len;
    if (reserved != NULL)
        *reserved = r->header.reserved;
    return LEAT_OK;
}

uint64_t leat_zabbix_position(const leat_session *session)
{
    const struct lt_zabbix_reading *r = reading(session);

    return r == NULL ? 0 : r->event_at;
}

uint32_t leat_zabbix_kind(const leat_session *session)
{
    return reading(session) == NULL ? 0 : lt_zabbix_arriving((const struct lt_zabbix *)session);
}

const leat_value *leat_zabbix_members(leat_session *session)
{
    struct lt_zabbix *z = lt_zabbix(session);

    if (z == NULL || lt_zabbix_arriving(z) == 0)
        return NULL;
    return lt_zabbix_members_value(&z->reading->members);
}
