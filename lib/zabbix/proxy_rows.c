/* Rows into the buffer, and out of it by its limits. */
#include "fields.h"
#include "proxy.h"
#include "row.h"

#include "../core/text.h"

const char *const lt_zabbix_section_names[LT_ZABBIX_SECTIONS] = {"host availability",
                                                                 "interface availability",
                                                                 "history data",
                                                                 "discovery data",
                                                                 "auto registration",
                                                                 "host data",
                                                                 "tasks"};

static int refuse(leat_zabbix_proxy *proxy, int status, const char *what, const char *field)
{
    return lt_error(&proxy->error, status, 0, what, field);
}

static int no_memory(leat_zabbix_proxy *proxy)
{
    return refuse(proxy, LEAT_E_NOMEM, "out of memory", NULL);
}

/* ---- the limits ---- */

/* Whether so many rows more, and their text, fit beside those that must stay. */
static bool fits(const leat_zabbix_proxy *proxy, uint64_t rows, uint64_t bytes)
{
    return rows <= proxy->options.buffer_rows && bytes <= proxy->options.buffer_bytes;
}

bool lt_zabbix_proxy_make_room(leat_zabbix_proxy *proxy, enum lt_zabbix_section section)
{
    struct lt_zabbix_queue *values = &proxy->queues[LT_ZABBIX_HISTORY];

    while (!fits(proxy, proxy->total.rows, proxy->total.bytes)) {
        struct lt_zabbix_queue *queue = values->rows > 0 ? values : &proxy->queues[section];

        if (queue->rows == 0)
            return false;
        proxy->dropped += lt_zabbix_queue_drop(queue, lt_zabbix_queue_start(queue) + 1);
    }
    return true;
}

/* Whether a row of that length can be put there, if the policy may drop others for it. */
static bool has_room(const leat_zabbix_proxy *proxy, enum lt_zabbix_section section, size_t length)
{
    const struct lt_zabbix_queue *values = &proxy->queues[LT_ZABBIX_HISTORY];
    const struct lt_zabbix_queue *queue = &proxy->queues[section];
    uint64_t rows = proxy->total.rows, bytes = proxy->total.bytes;

    if (proxy->options.buffer_policy == LEAT_ZABBIX_DROP_OLDEST) {
        rows -= values->rows + (queue == values ? 0 : queue->rows);
        bytes -= values->bytes + (queue == values ? 0 : queue->bytes);
    }
    return fits(proxy, rows + 1, bytes + length);
}

void lt_zabbix_proxy_expire(leat_zabbix_proxy *proxy)
{
    uint64_t most = proxy->options.buffer_ms;
    int64_t now = lt_zabbix_proxy_now(proxy);
    struct lt_zabbix_run run;
    size_t i;

    for (i = 0; i < LT_ZABBIX_SECTIONS && most > 0; i++) {
        struct lt_zabbix_queue *queue = &proxy->queues[i];
        struct lt_zabbix_walk walk = lt_zabbix_queue_walk(queue, 0);
        uint64_t before = 0;

        while (lt_zabbix_queue_run(&walk, UINT64_MAX, 1, &run) && run.at_ms < now &&
               (uint64_t)(now - run.at_ms) > most)
            before = run.number + 1;
        proxy->dropped += lt_zabbix_queue_drop(queue, before);
    }
}

/* Puts the row in proxy->scratch into the buffer. */
static int put(leat_zabbix_proxy *proxy, enum lt_zabbix_section section)
{
    struct lt_writer *text = &proxy->scratch;
    struct lt_zabbix_queue *queue = &proxy->queues[section];

    if (text->status == LEAT_OK && text->length > proxy->row_bytes)
        text->status = LEAT_E_LIMIT;
    if (text->status == LEAT_E_LIMIT)
        return refuse(proxy, LEAT_E_LIMIT, "a row longer than peers, or the buffer, take", NULL);
    if (text->status != LEAT_OK)
        return no_memory(proxy);
    if (!has_room(proxy, section, text->length))
        return refuse(proxy, LEAT_E_LIMIT, "the buffer is full", NULL);
    if (lt_zabbix_queue_add(queue, text->data, text->length, lt_zabbix_proxy_now(proxy)) != LEAT_OK)
        return no_memory(proxy);
    (void)lt_zabbix_proxy_make_room(proxy, section);
    proxy->fresh = false;
    return LEAT_OK;
}

/* ---- values ---- */

#define HAS(member) LEAT_ZABBIX_HAS_##member

/* Leaves out what real proxies leave out. */
static void omit_empty(leat_zabbix_history *row)
{
    if (row->state == 0)
        row->has &= ~(uint64_t)HAS(STATE);
    if (row->timestamp == 0)
        row->has &= ~(uint64_t)HAS(TIMESTAMP);
    if (row->source_length == 0)
        row->has &= ~(uint64_t)HAS(SOURCE);
    if (row->severity == 0)
        row->has &= ~(uint64_t)HAS(SEVERITY);
    if (row->eventid == 0)
        row->has &= ~(uint64_t)HAS(EVENTID);
}

/* Numbers and dates it. False: the time told is none that peers take. */
static bool date(const leat_zabbix_proxy *proxy, leat_zabbix_history *row)
{
    row->id = proxy->queues[LT_ZABBIX_HISTORY].next;
    if ((row->has & HAS(CLOCK)) == 0) {
        if (proxy->clock_ns < 0)
            return false;
        row->clock = (uint64_t)proxy->clock_ns / 1000000000u;
    }
    /* Ids are never used twice, so what is counted by them is not, either. */
    if ((row->has & HAS(NS)) == 0 || row->ns == 0)
        row->ns = 1 + (row->id - 1) % 999999999u;
    row->has |= HAS(ID) | HAS(CLOCK) | HAS(NS);
    return true;
}

static const char *check_value(const leat_zabbix_history *row, const char **field)
{
    *field = "itemid";
    if ((row->has & HAS(ITEMID)) == 0)
        return "a value needs an item";
    *field = (row->has & HAS(HOST)) != 0 ? "host" : "key";
    if ((row->has & (HAS(HOST) | HAS(KEY))) != 0)
        return "proxies do not send this member";
    *field = "value";
    if ((row->has & HAS(STATE)) != 0 && (row->has & HAS(VALUE)) == 0)
        return "an item that is not supported needs a reason";
    *field = (row->has & HAS(MTIME)) != 0 ? "lastlogsize" : "mtime";
    if (((row->has & HAS(LASTLOGSIZE)) != 0) != ((row->has & HAS(MTIME)) != 0))
        return "half of a position in a log";
    return NULL;
}

int leat_zabbix_proxy_history(leat_zabbix_proxy *proxy, const leat_zabbix_history *history,
                              uint64_t *id)
{
    leat_zabbix_history row;
    const char *field = "row", *what = NULL;
    int status;

    proxy->error.code = LEAT_OK;
    if (history->size < sizeof row)
        return refuse(proxy, LEAT_E_VALUE, "not initialised", field);
    row = *history;
    omit_empty(&row);
    what = check_value(&row, &field);
    if (what == NULL && !date(proxy, &row)) {
        what = "the clock stands before 1970";
        field = "clock";
    }
    proxy->scratch.length = 0;
    proxy->scratch.status = LEAT_OK;
    if (what == NULL)
        what = lt_zabbix_history_put(&proxy->scratch, &row, true, &field);
    if (what != NULL)
        return refuse(proxy, LEAT_E_VALUE, what, field);
    status = put(proxy, LT_ZABBIX_HISTORY);
    if (status != LEAT_OK)
        return status;
    proxy->last_id = row.id;
    if (id != NULL)
        *id = row.id;
    return LEAT_OK;
}

/* ---- other sections ---- */

/* A field of an auto registration that is text in some versions and a number in others. */
static int put_as(leat_builder *builder, const leat_value *field, const char *name, bool number)
{
    char digits[20];
    struct lt_writer text = lt_writer_fixed(digits, sizeof digits);
    uint64_t value;

    if (number && field->kind == LEAT_TEXT &&
        lt_read_u64((const char *)field->u.bytes, field->length, &value))
        return leat_builder_u64(builder, name, value);
    if (number || field->kind != LEAT_UINT)
        return leat_builder_copy(builder, NULL, field);
    lt_write_u64(&text, field->u.u64);
    return leat_builder_text(builder, name, digits, text.length);
}

static bool is_named(const leat_value *field, const char *name)
{
    return field->name_length == strlen(name) && memcmp(field->name, name, field->name_length) == 0;
}

/* The row in the form of our version; NULL: proxy->error says why not. Spec section 9.2. */
static const leat_value *in_form(leat_zabbix_proxy *proxy, const leat_value *row)
{
    bool number = proxy->version.number >= LT_ZABBIX_7_0;
    leat_builder *builder = proxy->builder;
    const leat_value *field;
    const leat_error *error;

    leat_builder_clear(builder);
    (void)leat_builder_open(builder, NULL, LEAT_RECORD);
    for (field = leat_value_first(row); field != NULL; field = leat_value_next(row, field)) {
        if (is_named(field, "port"))
            (void)put_as(builder, field, "port", number);
        else if (is_named(field, "flags"))
            (void)put_as(builder, field, "flags", number);
        else
            (void)leat_builder_copy(builder, NULL, field);
    }
    (void)leat_builder_close(builder);
    error = leat_builder_error(builder);
    if (error != NULL)
        (void)refuse(proxy, error->code, error->text, NULL);
    return leat_builder_value(builder);
}

/* Texts of a row, which has no containers in it. */
static const char *check_texts(const leat_value *row, const char **name)
{
    const leat_value *field;

    for (field = leat_value_first(row); field != NULL; field = leat_value_next(row, field)) {
        const char *what =
            field->kind == LEAT_TEXT ? lt_zabbix_text_offends(field->u.bytes, field->length) : NULL;

        if (what != NULL) {
            *name = "row";
            return what;
        }
    }
    return NULL;
}

int lt_zabbix_proxy_write_row(leat_zabbix_proxy *proxy, enum lt_zabbix_section section,
                              const leat_value *row)
{
    const char *name = lt_zabbix_section_names[section], *field, *what = NULL;
    uint32_t version = proxy->version.number;

    if (leat_value_kind(row) != LEAT_RECORD)
        return refuse(proxy, LEAT_E_VALUE, "a row is a record", "row");
    if (section == LT_ZABBIX_AUTO_REGISTRATION) {
        row = in_form(proxy, row);
        if (row == NULL)
            return proxy->error.code;
    }
    field = section == LT_ZABBIX_TASKS
                ? lt_zabbix_task_offends(version, false, row, &what)
                : lt_zabbix_row_offends(version, name, strlen(name), row, &what);
    if (field == NULL)
        what = check_texts(row, &field);
    if (field != NULL)
        return refuse(proxy, LEAT_E_VALUE, what, field);
    proxy->scratch.length = 0;
    proxy->scratch.status = LEAT_OK;
    lt_json_write(&proxy->scratch, row);
    return LEAT_OK;
}

int leat_zabbix_proxy_row(leat_zabbix_proxy *proxy, const char *section, const leat_value *row)
{
    size_t i = 0;
    int status;

    proxy->error.code = LEAT_OK;
    while (i < LT_ZABBIX_SECTIONS && strcmp(lt_zabbix_section_names[i], section) != 0)
        i++;
    if (i == LT_ZABBIX_HISTORY)
        return refuse(proxy, LEAT_E_STATE, "values have a call of their own", "history data");
    if (i == LT_ZABBIX_SECTIONS ||
        (i != LT_ZABBIX_TASKS &&
         lt_zabbix_section_fields(proxy->version.number, section, strlen(section)) == NULL))
        return refuse(proxy, LEAT_E_STATE, "no section of this version", NULL);
    status = lt_zabbix_proxy_write_row(proxy, (enum lt_zabbix_section)i, row);
    return status == LEAT_OK ? put(proxy, (enum lt_zabbix_section)i) : status;
}
