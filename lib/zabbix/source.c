#include "source.h"

#include <string.h>

/* While a message arrives, octets are worth a look in portions of this size. */
#define PORTION ((size_t)4 << 10)

/* Waits for the next portion of the body. */
static int await(struct lt_zabbix *z)
{
    size_t wanted = lt_unread_bytes(&z->core) + PORTION;

    return lt_need(&z->core,
                   wanted < z->reading->body_left ? wanted : (size_t)z->reading->body_left);
}

/* The unread octets of the body. */
static size_t body_there(const struct lt_zabbix *z)
{
    size_t there = lt_unread_bytes(&z->core);

    return there < z->reading->body_left ? there : (size_t)z->reading->body_left;
}

static void take_body(struct lt_zabbix *z, size_t count)
{
    z->reading->body_left -= count;
    lt_skip(&z->core, count);
}

/* Room behind the inflated text; what was not taken moves to the front. */
static bool make_room(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;
    size_t kept = r->text_end - r->text_start;
    void *text = r->text;

    if (r->text_start > 0 && kept > 0)
        memmove(r->text, r->text + r->text_start, kept);
    r->text_start = 0;
    r->text_end = kept;
    if (r->text_size >= LT_ZABBIX_PIECE && kept <= r->text_size / 2)
        return true;
    if (!lt_grow(&z->core.allocator, &text, &r->text_size,
                 kept < LT_ZABBIX_PIECE / 2 ? LT_ZABBIX_PIECE : kept * 2, 1))
        return false;
    r->text = (uint8_t *)text;
    return true;
}

int lt_zabbix_source_start(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;

    r->position = 0;
    r->text_start = r->text_end = 0;
    r->failed = NULL;
    r->body_left = r->header.data_len;
    r->text_left = 0;
    if (!lt_zabbix_compressed(r))
        return LEAT_OK;
    r->text_left = r->header.reserved;
    return make_room(z) ? lt_inflate_start(&r->inflate, &z->core.allocator) : LEAT_E_NOMEM;
}

/* Inflates into room octets. LEAT_OK; a stream that is broken or ends too early sets r->failed. */
static int inflate_some(struct lt_zabbix *z, uint8_t *to, size_t room, size_t *made)
{
    struct lt_zabbix_reading *r = z->reading;
    size_t there = body_there(z);
    const uint8_t *in = there > 0 ? z->core.window + z->core.start : to;
    size_t used;
    int status = lt_inflate_run(&r->inflate, in, there, &used, to, room, made);

    take_body(z, used);
    if (status == LEAT_E_NOMEM)
        return lt_zabbix_no_memory(z);
    if (status != LEAT_OK)
        r->failed = "the compressed data are corrupt";
    else if (!r->inflate.done && r->body_left == 0 && *made == 0)
        r->failed = "the compressed data end too early";
    return LEAT_OK;
}

int lt_zabbix_supply(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;
    size_t room, made;
    int status;

    if (!lt_zabbix_compressed(r))
        return await(z);
    if (!make_room(z))
        return lt_zabbix_no_memory(z);
    room = r->text_size - r->text_end;
    if (room > r->text_left)
        room = (size_t)r->text_left;
    status = inflate_some(z, r->text + r->text_end, room, &made);
    if (status != LEAT_OK)
        return status;
    r->text_end += made;
    r->text_left -= made;
    if (r->inflate.done && r->text_left > 0 && made == 0)
        r->failed = "the compressed data are shorter than announced";
    return made > 0 || r->failed != NULL ? LT_ZABBIX_GO_ON : await(z);
}

int lt_zabbix_settle(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;
    uint8_t excess;
    size_t made = 0;
    int status;

    if (!lt_zabbix_compressed(r))
        return LT_ZABBIX_GO_ON;
    if (!r->inflate.done && r->failed == NULL) {
        status = inflate_some(z, &excess, 1, &made);
        if (status != LEAT_OK)
            return status;
        if (made > 0)
            r->failed = "the compressed data are longer than announced";
    }
    if (r->failed != NULL)
        return LT_ZABBIX_GO_ON;
    /* Peers tolerate octets behind the compressed stream. */
    return r->inflate.done ? lt_zabbix_skip(z) : await(z);
}

int lt_zabbix_skip(struct lt_zabbix *z)
{
    take_body(z, body_there(z));
    return z->reading->body_left == 0 ? LT_ZABBIX_GO_ON : await(z);
}

void lt_zabbix_source_free(struct lt_zabbix *z)
{
    struct lt_zabbix_reading *r = z->reading;

    lt_inflate_free(&r->inflate);
    lt_free(&z->core.allocator, r->text, r->text_size);
}
