/* Data stores of an endpoint: masters and clones by options, and lines of the input that read and write them. */
#include "broker_live.h"

#include <leat/broker_store.h>
#include <stdlib.h>
#include <string.h>

struct store {
    struct store *next;
    const char *name;
    leat_broker_store *store;
};

/* Makes the stores that an option names. False, with a complaint, if one cannot be. */
static bool make_stores(struct node *node, const char *option, bool master)
{
    const char *name;
    size_t at = 0;

    while ((name = option_next(node->talk.arguments, option, &at)) != NULL) {
        struct store *store = calloc(1, sizeof *store);
        int status;

        need_memory(store == NULL ? LEAT_E_NOMEM : LEAT_OK);
        store->name = name;
        store->next = node->stores;
        node->stores = store;
        status = (master ? leat_broker_store_master : leat_broker_store_clone)(
            node->broker, name, strlen(name), NULL, &store->store);
        need_memory(status);
        if (status != LEAT_OK) {
            complain("%s %s: %s", option, name, leat_error_text(leat_broker_error(node->broker)));
            return false;
        }
    }
    return true;
}

bool stores_open(struct node *node)
{
    return make_stores(node, "--master", true) && make_stores(node, "--clone", false);
}

void stores_close(struct node *node)
{
    while (node->stores != NULL) {
        struct store *store = node->stores;

        node->stores = store->next;
        leat_broker_store_free(store->store);
        free(store);
    }
}

void stores_turn(struct node *node)
{
    const struct store *store;
    const leat_event *event;
    int status;

    for (store = node->stores; store != NULL; store = store->next) {
        while ((status = leat_broker_store_next(store->store, &event)) == LEAT_OK)
            talk_tell(&node->talk, NULL, event);
        need_memory(status);
    }
}

/* Lines of the input: what each does with the key, and the value if it needs one. */

static int put(leat_broker_store *store, const leat_value *key, const leat_value *value, int64_t ns)
{
    return leat_broker_store_put(store, key, value, ns);
}

static int erase(leat_broker_store *store, const leat_value *key, const leat_value *value,
                 int64_t ns)
{
    (void)value;
    (void)ns;
    return leat_broker_store_erase(store, key);
}

static int clear(leat_broker_store *store, const leat_value *key, const leat_value *value,
                 int64_t ns)
{
    (void)key;
    (void)value;
    (void)ns;
    return leat_broker_store_clear(store);
}

static const struct {
    const char *name;
    int (*run)(leat_broker_store *store, const leat_value *key, const leat_value *value,
               int64_t ns);
    bool has_value;
} verbs[] = {
    {"put", put, true},
    {"increment", leat_broker_store_increment, true},
    {"decrement", leat_broker_store_decrement, true},
    {"erase", erase, false},
    {"clear", clear, false},
    {"get", NULL, false},
};

#define VERBS (sizeof verbs / sizeof *verbs)

/* Seconds until an entry expires, as ns. False: they are none. */
static bool read_expiry(const leat_value *value, int64_t *ns)
{
    double seconds = leat_value_f64(value);

    *ns = LEAT_BROKER_FOR_EVER;
    if (value == NULL)
        return true;
    if (!(seconds > 0 && seconds < 9e9))
        return false;
    *ns = (int64_t)(seconds * 1e9);
    return true;
}

/* Prints what a key has: null if it is not there. */
static void get(struct talk *talk, const struct store *store, const leat_value *key)
{
    leat_builder *built = talk->value;
    int status;

    leat_builder_clear(built);
    (void)leat_builder_open(built, NULL, LEAT_RECORD);
    (void)leat_builder_text(built, "store", store->name, strlen(store->name));
    (void)leat_builder_copy(built, "key", key);
    status = leat_broker_store_get(store->store, key, built, "value");
    need_memory(status);
    if (status != LEAT_OK)
        (void)leat_builder_null(built, "value");
    need_memory(leat_builder_close(built));
    output_news(&talk->output, "get", NULL, leat_builder_value(built));
    talk->printed = true;
}

/* Does it, with the values as Broker has them. */
static void run(struct talk *talk, const struct store *store, size_t verb, const leat_value *key,
                const leat_value *value, int64_t expiry)
{
    const leat_value *parts;

    leat_builder_clear(talk->parts);
    (void)leat_builder_open(talk->parts, NULL, LEAT_LIST);
    (void)talk_value(talk, talk->parts, key);
    if (value != NULL)
        (void)talk_value(talk, talk->parts, value);
    if (leat_builder_close(talk->parts) != LEAT_OK) {
        const leat_error *error = leat_builder_error(talk->parts);

        talk_judge(talk, leat_error_code(error), error);
        return;
    }
    parts = leat_builder_value(talk->parts);
    if (verbs[verb].run == NULL)
        get(talk, store, leat_value_at(parts, 0));
    else
        talk_judge(
            talk,
            verbs[verb].run(store->store, leat_value_at(parts, 0), leat_value_at(parts, 1), expiry),
            leat_broker_store_error(store->store));
}

static const struct store *find(const struct node *node, const leat_value *name)
{
    const struct store *store = node->stores;
    size_t length;
    const char *text = leat_value_text(name, &length);

    while (store != NULL &&
           (strlen(store->name) != length || memcmp(store->name, text, length) != 0))
        store = store->next;
    return store;
}

void stores_line(struct talk *talk, const leat_value *line)
{
    static const char *const names[] = {"store", "put", "increment", "decrement", "erase",
                                        "clear", "get", "value",     "expiry",    NULL};
    const struct store *store = find(talk->live.data, leat_value_get(line, "store"));
    const leat_value *value = leat_value_get(line, "value");
    const leat_value *key = NULL;
    int64_t expiry;
    size_t verb = 0;

    while (verb < VERBS && (key = leat_value_get(line, verbs[verb].name)) == NULL)
        verb++;
    if (!talk_fields(talk, line, names))
        return;
    if (store == NULL)
        talk_refuse(talk, "there is no such store", "");
    else if (verb == VERBS || (value != NULL) != verbs[verb].has_value ||
             !read_expiry(leat_value_get(line, "expiry"), &expiry))
        talk_refuse(talk, "not what a store does", "");
    else
        run(talk, store, verb, key, value, expiry);
}
