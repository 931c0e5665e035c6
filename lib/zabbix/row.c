/* Rows of values, typed; and numbers as peers read them. */
#include "row.h"

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
const struct lt_zabbix_row_member lt_zabbix_row_members[LT_ZABBIX_ROW_MEMBERS] = {
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

void leat_zabbix_history_init(leat_zabbix_history *history, size_t size)
{
    memset(history, 0, size < sizeof *history ? size : sizeof *history);
    history->size = size;
}

static bool read_number(const leat_value *value, uint64_t *number)
{
    if (value->kind == LEAT_UINT) {
        *number = value->u.u64;
        return true;
    }
    return value->kind == LEAT_TEXT &&
           lt_read_u64((const char *)value->u.bytes, value->length, number);
}

/* The row's member of that name, looked for from the one that is likely. */
static const struct lt_zabbix_row_member *find(const leat_value *field, size_t *likely)
{
    size_t i;

    for (i = 0; i < LT_ZABBIX_ROW_MEMBERS; i++) {
        size_t at =
            *likely + i < LT_ZABBIX_ROW_MEMBERS ? *likely + i : *likely + i - LT_ZABBIX_ROW_MEMBERS;
        const struct lt_zabbix_row_member *member = &lt_zabbix_row_members[at];

        if (field->name_length == member->name_length &&
            memcmp(field->name, member->name, member->name_length) == 0) {
            *likely = at + 1 < LT_ZABBIX_ROW_MEMBERS ? at + 1 : 0;
            return member;
        }
    }
    return NULL;
}

int leat_zabbix_history_read(const leat_value *row, leat_zabbix_history *history)
{
    const leat_value *field;
    size_t likely = 0;

    if (history->size < sizeof *history || leat_value_kind(row) != LEAT_RECORD)
        return LEAT_E_VALUE;
    history->has = 0;
    for (field = leat_value_first(row); field != NULL; field = leat_value_next(row, field)) {
        const struct lt_zabbix_row_member *member = find(field, &likely);
        uint8_t *place;

        if (member == NULL || (history->has & member->has) != 0)
            continue;
        place = (uint8_t *)history + member->at;
        if (member->length_at == 0) {
            if (read_number(field, (uint64_t *)(void *)place))
                history->has |= member->has;
        } else if (field->kind == LEAT_TEXT) {
            *(const char **)(void *)place = (const char *)field->u.bytes;
            *(size_t *)(void *)((uint8_t *)history + member->length_at) = field->length;
            history->has |= member->has;
        }
    }
    return LEAT_OK;
}
