/*
 * Where the text of a message comes from: the window, or octets of the window that are inflated in
 * pieces.
 */
#ifndef LT_ZABBIX_SOURCE_H
#define LT_ZABBIX_SOURCE_H

#include "codec.h"

/* A step that is done; it is the turn of the next one. */
#define LT_ZABBIX_GO_ON 100

/* What is there of the text, and if that is all of it. */
struct lt_zabbix_view {
    const uint8_t *at;
    size_t length;
    bool whole;
};

static inline bool lt_zabbix_compressed(const struct lt_zabbix_reading *r)
{
    return (r->header.flags & LEAT_ZABBIX_COMPRESSED) != 0;
}

static inline struct lt_zabbix_view lt_zabbix_look(const struct lt_zabbix *z)
{
    static const uint8_t nothing[1];
    const struct lt_zabbix_reading *r = z->reading;
    struct lt_zabbix_view view;

    if (lt_zabbix_compressed(r)) {
        view.at = r->text + r->text_start;
        view.length = r->text_end - r->text_start;
        view.whole = r->text_left == 0;
        return view;
    }
    view.length = lt_unread_bytes(&z->core);
    view.at = view.length > 0 ? z->core.window + z->core.start : nothing;
    view.whole = view.length >= r->body_left;
    if (view.whole)
        view.length = (size_t)r->body_left;
    return view;
}

/* Moves on behind count octets of the view; nothing that is lent may point into them. */
static inline void lt_zabbix_take(struct lt_zabbix *z, size_t count)
{
    struct lt_zabbix_reading *r = z->reading;

    if (count == 0)
        return;
    r->position += count;
    if (lt_zabbix_compressed(r)) {
        r->text_start += count;
    } else {
        r->body_left -= count;
        lt_skip(&z->core, count);
    }
}

/* The same when the next call is made: until then they are lent with the event. */
static inline void lt_zabbix_lend(struct lt_zabbix *z, size_t count)
{
    struct lt_zabbix_reading *r = z->reading;

    r->position += count;
    if (lt_zabbix_compressed(r)) {
        r->lent = count;
    } else {
        r->body_left -= count;
        lt_hold(&z->core, count);
    }
}

/* Starts a text, by the header. LEAT_OK or LEAT_E_NOMEM. */
int lt_zabbix_source_start(struct lt_zabbix *z);

/*
 * More text behind the view: LT_ZABBIX_GO_ON (there is some, or r->failed tells why there is not),
 * LEAT_MORE, or what ended the session.
 */
int lt_zabbix_supply(struct lt_zabbix *z);

/*
 * The text is all there and was understood: takes the rest of the frame, if the compressed stream
 * ends as it should. LT_ZABBIX_GO_ON (done, or r->failed), LEAT_MORE, or what ended the session.
 */
int lt_zabbix_settle(struct lt_zabbix *z);

/* Takes what is there of a message that was given up. LT_ZABBIX_GO_ON: all of it; or LEAT_MORE. */
int lt_zabbix_skip(struct lt_zabbix *z);

void lt_zabbix_source_free(struct lt_zabbix *z);

#endif
