/* Rows of values, typed; and numbers as peers read them. */
#include "row.h"

#include "../core/bytes.h"
#include "../core/text.h"
#include "../core/value.h"

uint64_t leat_zabbix_u64(const leat_value *value)
{
    uint64_t number;

    if (leat_value_kind(value) != LEAT_TEXT)
        return leat_value_u64(value);
    return lt_read_u64((const char *)value->u.bytes, value->length, &number) ? number : 0;
}

int64_t leat_zabbix_i64(const leat_value *value)
{
    int64_t number;

    if (leat_value_kind(value) != LEAT_TEXT)
        return leat_value_i64(value);
    return lt_read_i64((const char *)value->u.bytes, value->length, &number) ? number : 0;
}

double leat_zabbix_f64(const leat_value *value)
{
    double number;

    if (leat_value_kind(value) != LEAT_TEXT)
        return leat_value_f64(value);
    return lt_read_real((const char *)value->u.bytes, value->length, &number) ? number : 0.0;
}

void leat_zabbix_history_init(leat_zabbix_history *history, size_t size)
{
    memset(history, 0, size < sizeof *history ? size : sizeof *history);
    history->size = size;
}

/* A number that is there for the first time; returns its bit. */
static inline uint64_t take_number(const leat_value *field, uint64_t has, uint64_t bit,
                                   uint64_t *to)
{
    if ((has & bit) != 0)
        return 0;
    if (field->kind == LEAT_UINT) {
        *to = field->u.u64;
        return bit;
    }
    return field->kind == LEAT_TEXT && lt_read_u64((const char *)field->u.bytes, field->length, to)
               ? bit
               : 0;
}

static inline uint64_t take_text(const leat_value *field, uint64_t has, uint64_t bit,
                                 const char **to, size_t *length)
{
    if ((has & bit) != 0 || field->kind != LEAT_TEXT)
        return 0;
    *to = (const char *)field->u.bytes;
    *length = field->length;
    return bit;
}

#define IS(text)          (memcmp(field->name, text, sizeof text - 1) == 0)
#define TAKE(bit, member) take_number(field, has, LEAT_ZABBIX_HAS_##bit, &history->member)
#define TAKE_TEXT(bit, member)                                                                     \
    take_text(field, has, LEAT_ZABBIX_HAS_##bit, &history->member, &history->member##_length)

/*
 * The bit of the member that the field is, if it was taken. By length, as names of one length are
 * few.
 */
static inline uint64_t take(const leat_value *field, uint64_t has, leat_zabbix_history *history)
{
    switch (field->name_length) {
    case 2:
        return IS("id") ? TAKE(ID, id) : IS("ns") ? TAKE(NS, ns) : 0;
    case 3:
        return IS("key") ? TAKE_TEXT(KEY, key) : 0;
    case 4:
        return IS("host") ? TAKE_TEXT(HOST, host) : 0;
    case 5:
        if (IS("clock"))
            return TAKE(CLOCK, clock);
        if (IS("value"))
            return TAKE_TEXT(VALUE, value);
        return IS("state") ? TAKE(STATE, state) : IS("mtime") ? TAKE(MTIME, mtime) : 0;
    case 6:
        return IS("itemid") ? TAKE(ITEMID, itemid) : IS("source") ? TAKE_TEXT(SOURCE, source) : 0;
    case 7:
        return IS("eventid") ? TAKE(EVENTID, eventid) : 0;
    case 8:
        return IS("severity") ? TAKE(SEVERITY, severity) : 0;
    case 9:
        return IS("timestamp") ? TAKE(TIMESTAMP, timestamp) : 0;
    case 11:
        return IS("lastlogsize") ? TAKE(LASTLOGSIZE, lastlogsize) : 0;
    default:
        return 0;
    }
}

int leat_zabbix_history_read(const leat_value *row, leat_zabbix_history *history)
{
    const leat_value *field, *end;
    uint64_t has = 0;

    if (history->size < sizeof *history || leat_value_kind(row) != LEAT_RECORD)
        return LEAT_E_VALUE;
    end = row + lt_cells(row);
    for (field = row + 1; field < end; field += lt_cells(field))
        has |= take(field, has, history);
    history->has = has;
    return LEAT_OK;
}

struct row_member {
    const char *name;
    uint8_t name_length;
    uint32_t has;
    uint64_t most;    /* of a number that may be sent */
    size_t at;        /* in leat_zabbix_history: uint64_t or const char * */
    size_t length_at; /* of a text; 0: a number */
};

#define ROW_MEMBERS 14u

#define NUMBER(name, bit, most)                                                                    \
    {                                                                                              \
#name, (uint8_t)(sizeof #name - 1), LEAT_ZABBIX_HAS_##bit, most,                           \
            offsetof(leat_zabbix_history, name), 0                                                 \
    }
#define TEXT(name, bit)                                                                            \
    {                                                                                              \
#name, (uint8_t)(sizeof #name - 1), LEAT_ZABBIX_HAS_##bit, 0,                              \
            offsetof(leat_zabbix_history, name), offsetof(leat_zabbix_history, name##_length)      \
    }

/* In the order of a proxy's rows: section 9.2. */
static const struct row_member row_members[ROW_MEMBERS] = {
    NUMBER(id, ID, UINT64_MAX),
    NUMBER(itemid, ITEMID, UINT64_MAX),
    NUMBER(clock, CLOCK, INT32_MAX),
    NUMBER(ns, NS, 999999999),
    NUMBER(state, STATE, 1),
    NUMBER(timestamp, TIMESTAMP, INT32_MAX),
    TEXT(source, SOURCE),
    NUMBER(severity, SEVERITY, INT32_MAX),
    NUMBER(eventid, EVENTID, INT32_MAX),
    TEXT(value, VALUE),
    NUMBER(lastlogsize, LASTLOGSIZE, UINT64_MAX),
    NUMBER(mtime, MTIME, INT32_MAX),
    TEXT(host, HOST),
    TEXT(key, KEY),
};

uint32_t lt_zabbix_history_bit(const char *name, size_t length)
{
    size_t i;

    for (i = 0; i < ROW_MEMBERS; i++) {
        if (row_members[i].name_length == length && memcmp(row_members[i].name, name, length) == 0)
            return row_members[i].has;
    }
    return 0;
}

const char *lt_zabbix_history_name(uint64_t bits)
{
    size_t i;

    for (i = 0; i < ROW_MEMBERS; i++) {
        if ((bits & row_members[i].has) != 0)
            return row_members[i].name;
    }
    return "row";
}

const char *lt_zabbix_text_offends(const void *text, size_t length)
{
    if (length == 0)
        return NULL;
    if (text == NULL)
        return "no text, but a length";
    if (memchr(text, 0, length) != NULL)
        return "a zero octet ends the text of peers";
    return lt_utf8_prefix((const uint8_t *)text, length) < length ? "text that is not UTF-8" : NULL;
}

static const char *put_member(struct lt_writer *to, const leat_zabbix_history *history,
                              const struct row_member *member)
{
    const uint8_t *place = (const uint8_t *)history + member->at;
    const uint8_t *text;
    size_t length;
    const char *what;

    lt_put_u8(to, '"');
    lt_put_bytes(to, member->name, member->name_length);
    lt_put_bytes(to, "\":", 2);
    if (member->length_at == 0) {
        uint64_t number = *(const uint64_t *)(const void *)place;

        if (number > member->most)
            return "a number beyond what peers take";
        lt_write_u64(to, number);
        return NULL;
    }
    text = *(const uint8_t *const *)(const void *)place;
    length = *(const size_t *)(const void *)((const uint8_t *)history + member->length_at);
    what = lt_zabbix_text_offends(text, length);
    if (what == NULL)
        lt_json_write_string(to, text, length);
    return what;
}

const char *lt_zabbix_history_put(struct lt_writer *to, const leat_zabbix_history *history,
                                  bool by_proxy, const char **field)
{
    /* Agents and senders have an order of their own: sections 12.2 and 12.4. */
    static const uint8_t proxy_order[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
    static const uint8_t agent_order[] = {1, 12, 13, 9, 4, 10, 11, 5, 6, 7, 8, 0, 2, 3};
    const uint8_t *order = by_proxy ? proxy_order : agent_order;
    const char *what = NULL;
    uint8_t separator = '{';
    size_t i;

    *field = "row";
    if (history->size < sizeof *history || history->has == 0 || history->has >> ROW_MEMBERS != 0)
        return "not initialised, or without members";
    for (i = 0; i < ROW_MEMBERS && what == NULL; i++) {
        const struct row_member *member = &row_members[order[i]];

        if ((history->has & member->has) == 0)
            continue;
        lt_put_u8(to, separator);
        separator = ',';
        *field = member->name;
        what = put_member(to, history, member);
    }
    lt_put_u8(to, '}');
    return what;
}
