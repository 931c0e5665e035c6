#include "stores.h"

#include <leat/broker.h>
#include <stdio.h>

/* ----- values ----- */

static const char *read_value(leat_builder *b, const char *at);

static const char *read_items(leat_builder *b, const char *at, char end, uint32_t kind)
{
    (void)leat_builder_open(b, NULL, kind);
    while (*at != end) {
        at = read_value(b, at);
        if (*at == ',' || *at == ':')
            at++;
    }
    (void)leat_builder_close(b);
    return at + 1;
}

static const char *read_text(leat_builder *b, const char *at, bool is_enum)
{
    const char *end = strchr(at, '"');
    size_t length = (size_t)(end - at);

    if (is_enum)
        (void)leat_builder_enum(b, NULL, at, length);
    else
        (void)leat_builder_text(b, NULL, at, length);
    return end + 1;
}

static const char *read_value(leat_builder *b, const char *at)
{
    uint8_t address[4];
    char *end = NULL;
    size_t i;

    switch (*at++) {
    case '[':
        return read_items(b, at, ']', LEAT_LIST);
    case '{':
        return read_items(b, at, '}', LEAT_SET);
    case '<':
        return read_items(b, at, '>', LEAT_TABLE);
    case '"':
        return read_text(b, at, false);
    case 'e':
        return read_text(b, at + 1, true);
    case 'n':
        (void)leat_builder_null(b, NULL);
        return at;
    case 'b':
        (void)leat_builder_bool(b, NULL, *at == '1');
        return at + 1;
    case 'c':
        (void)leat_builder_u64(b, NULL, strtoull(at, &end, 10));
        return end;
    case 'i':
        (void)leat_builder_i64(b, NULL, strtoll(at, &end, 10));
        return end;
    case 'r':
        (void)leat_builder_f64(b, NULL, strtod(at, &end));
        return end;
    case 'T':
        (void)leat_builder_timestamp(b, NULL, strtoll(at, &end, 10));
        return end;
    case 'D':
        (void)leat_builder_timespan(b, NULL, strtoll(at, &end, 10));
        return end;
    case 'p':
        (void)leat_builder_port(b, NULL, (uint32_t)strtoul(at, &end, 10), LEAT_PROTOCOL_TCP);
        return end;
    case 'a':
        for (i = 0; i < 4; i++, at = end + (i < 4))
            address[i] = (uint8_t)strtoul(at, &end, 10);
        (void)leat_builder_address(b, NULL, address, 4);
        return end;
    default:
        ck_abort_msg("no value: %s", at - 1);
        return at;
    }
}

leat_builder *st_value(const char *text)
{
    leat_builder *b;

    ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
    ck_assert_int_eq(*read_value(b, text), '\0');
    ck_assert_ptr_nonnull(leat_builder_value(b));
    return b;
}

static void print(struct t_bytes *out, const char *text)
{
    t_append(out, text, strlen(text));
}

static void write_value(struct t_bytes *out, const leat_value *value);

static void write_items(struct t_bytes *out, const leat_value *value, const char *ends)
{
    bool table = leat_value_kind(value) == LEAT_TABLE;
    const leat_value *item;
    size_t i = 0;

    t_append(out, ends, 1);
    for (item = leat_value_first(value); item != NULL; item = leat_value_next(value, item), i++) {
        if (i > 0)
            print(out, table && i % 2 == 1 ? ":" : ",");
        write_value(out, item);
    }
    t_append(out, ends + 1, 1);
}

static void write_value(struct t_bytes *out, const leat_value *value)
{
    char text[64];
    size_t length;
    const char *octets = leat_value_text(value, &length);

    switch (leat_value_kind(value)) {
    case LEAT_LIST:
        write_items(out, value, "[]");
        return;
    case LEAT_SET:
        write_items(out, value, "{}");
        return;
    case LEAT_TABLE:
        write_items(out, value, "<>");
        return;
    case LEAT_ENUM:
    case LEAT_TEXT:
        print(out, leat_value_kind(value) == LEAT_ENUM ? "e\"" : "\"");
        t_append(out, octets, length);
        print(out, "\"");
        return;
    case LEAT_BOOL:
        (void)snprintf(text, sizeof text, "b%d", leat_value_bool(value));
        break;
    case LEAT_UINT:
        (void)snprintf(text, sizeof text, "c%llu", (unsigned long long)leat_value_u64(value));
        break;
    case LEAT_INT:
    case LEAT_TIMESTAMP:
    case LEAT_TIMESPAN:
        (void)snprintf(text, sizeof text, "%c%lld",
                       leat_value_kind(value) == LEAT_INT         ? 'i'
                       : leat_value_kind(value) == LEAT_TIMESTAMP ? 'T'
                                                                  : 'D',
                       (long long)leat_value_i64(value));
        break;
    case LEAT_REAL:
        (void)snprintf(text, sizeof text, "r%g", leat_value_f64(value));
        break;
    case LEAT_PORT:
        (void)snprintf(text, sizeof text, "p%u", (unsigned)leat_value_port(value));
        break;
    case LEAT_ADDRESS:
        octets = (const char *)leat_value_bytes(value, &length);
        (void)snprintf(text, sizeof text, "a%d.%d.%d.%d", (uint8_t)octets[length - 4],
                       (uint8_t)octets[length - 3], (uint8_t)octets[length - 2],
                       (uint8_t)octets[length - 1]);
        break;
    default:
        (void)snprintf(text, sizeof text, "n");
        break;
    }
    print(out, text);
}

static char *take(struct t_bytes *out)
{
    t_append(out, "", 1);
    return (char *)out->data;
}

char *st_text(const leat_value *value)
{
    struct t_bytes out = {NULL, 0};

    write_value(&out, value);
    return take(&out);
}

/* ----- stores ----- */

char *st_dump(leat_broker_store *store)
{
    struct t_bytes out = {NULL, 0};
    leat_builder *b;
    char text[32];
    int status;

    ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
    print(&out, "<");
    for (status = leat_broker_store_after(store, NULL, b); status == LEAT_OK;
         status = leat_broker_store_after(store, leat_value_get(leat_builder_value(b), "key"), b)) {
        const leat_value *expiry = leat_value_get(leat_builder_value(b), "expiry_ns");

        if (out.length > 1)
            print(&out, ",");
        write_value(&out, leat_value_get(leat_builder_value(b), "key"));
        print(&out, ":");
        write_value(&out, leat_value_get(leat_builder_value(b), "value"));
        (void)snprintf(text, sizeof text, "@%lld", (long long)leat_value_i64(expiry) / 1000000);
        if (leat_value_kind(expiry) != LEAT_NULL)
            print(&out, text);
    }
    ck_assert_int_eq(status, LEAT_END);
    print(&out, ">");
    leat_builder_free(b);
    return take(&out);
}

void st_holds(leat_broker_store *store, const char *table)
{
    char *dump = st_dump(store);

    ck_assert_str_eq(dump, table);
    free(dump);
}

/* An entity as n0/2: the endpoint by the last but one octet of its id, marked if it is another life. */
static void write_entity(struct t_bytes *out, const leat_value *entity)
{
    const uint8_t *id = leat_value_bytes(leat_value_at(entity, 0), NULL);
    char text[32];

    (void)snprintf(text, sizeof text, "n%u%s/%u", id[14] - 1u, id[15] == id[14] ? "" : "'",
                   (unsigned)leat_value_u64(leat_value_at(entity, 1)));
    print(out, text);
}

static void write_field(struct t_bytes *out, const leat_value *field)
{
    size_t length;
    const char *name = leat_value_name(field, &length);

    if (length == 5 && memcmp(name, "store", 5) == 0)
        return;
    if (length == 9 && memcmp(name, "expiry_ns", 9) == 0 && leat_value_kind(field) == LEAT_NULL)
        return;
    print(out, " ");
    if ((length == 9 && memcmp(name, "publisher", 9) == 0) ||
        (length == 6 && memcmp(name, "entity", 6) == 0))
        write_entity(out, field);
    else
        write_value(out, field);
}

char *st_log(leat_broker_store *store)
{
    struct t_bytes out = {NULL, 0};
    const leat_event *event;

    while (leat_broker_store_next(store, &event) == LEAT_OK) {
        const leat_value *value = leat_event_value(event), *field;

        ck_assert_int_eq(leat_value_kind(value), LEAT_RECORD);
        ck_assert_ptr_nonnull(leat_value_get(value, "store"));
        if (out.length > 0)
            print(&out, "; ");
        print(&out, leat_event_name(event, NULL));
        for (field = leat_value_first(value); field != NULL; field = leat_value_next(value, field))
            write_field(&out, field);
    }
    return take(&out);
}

void st_told(leat_broker_store *store, const char *log)
{
    char *told = st_log(store);

    ck_assert_str_eq(told, log);
    free(told);
}

/* ----- writes ----- */

static const leat_value *of(leat_builder *builder)
{
    return leat_builder_value(builder);
}

int st_put(leat_broker_store *store, const char *key, const char *value, int64_t expiry_ns)
{
    leat_builder *k = st_value(key), *v = st_value(value);
    int status = leat_broker_store_put(store, of(k), of(v), expiry_ns);

    leat_builder_free(k);
    leat_builder_free(v);
    return status;
}

int st_unique(leat_broker_store *store, const char *key, const char *value, uint64_t req_id)
{
    leat_builder *k = st_value(key), *v = st_value(value);
    int status = leat_broker_store_put_unique(store, of(k), of(v), LEAT_BROKER_FOR_EVER, req_id);

    leat_builder_free(k);
    leat_builder_free(v);
    return status;
}

int st_erase(leat_broker_store *store, const char *key)
{
    leat_builder *k = st_value(key);
    int status = leat_broker_store_erase(store, of(k));

    leat_builder_free(k);
    return status;
}

int st_add(leat_broker_store *store, const char *key, const char *value, uint32_t init_kind)
{
    leat_builder *k = st_value(key), *v = st_value(value);
    int status = leat_broker_store_add(store, of(k), of(v), init_kind, LEAT_BROKER_FOR_EVER);

    leat_builder_free(k);
    leat_builder_free(v);
    return status;
}

int st_subtract(leat_broker_store *store, const char *key, const char *value)
{
    leat_builder *k = st_value(key), *v = st_value(value);
    int status = leat_broker_store_subtract(store, of(k), of(v), LEAT_BROKER_FOR_EVER);

    leat_builder_free(k);
    leat_builder_free(v);
    return status;
}

char *st_get(leat_broker_store *store, const char *key)
{
    leat_builder *k = st_value(key), *b;
    char *text = NULL;

    ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
    if (leat_broker_store_get(store, of(k), b, NULL) == LEAT_OK)
        text = st_text(of(b));
    leat_builder_free(b);
    leat_builder_free(k);
    return text;
}

leat_broker_store_stats st_stats(const leat_broker_store *store)
{
    leat_broker_store_stats stats = {.size = sizeof stats};

    ck_assert_int_eq(leat_broker_store_get_stats(store, &stats), LEAT_OK);
    return stats;
}
