/* What masters and clones do to the entries. */
#include "store.h"

int lt_store_prepare(leat_broker_store *store, const struct lt_action *action, struct lt_put *put)
{
    struct lt_entries *entries = &store->entries;
    uint64_t bytes = entries->bytes;

    put->entry = lt_entries_find(entries, action->key.data, action->key.length);
    put->is_new = put->entry == NULL;
    bytes -= put->is_new ? 0 : put->entry->value_length;
    if ((put->is_new && entries->count >= store->options.entries) ||
        action->value.length + (put->is_new ? action->key.length : 0) > store->options.bytes ||
        bytes >
            store->options.bytes - action->value.length - (put->is_new ? action->key.length : 0))
        return lt_store_refuse(store, LEAT_E_LIMIT, LT_STORE_BACKEND_FAILURE,
                               "over the limits of the store");
    put->value = (uint8_t *)lt_resize(&store->allocator, NULL, 0, action->value.length);
    if (put->is_new && put->value != NULL)
        put->entry = lt_entry_new(&store->allocator, action->key.data, action->key.length);
    if (put->value != NULL && put->entry != NULL &&
        lt_entries_reserve(entries, &store->allocator)) {
        memcpy(put->value, action->value.data, action->value.length);
        return LEAT_OK;
    }
    lt_store_unprepare(store, action, put);
    return lt_store_refuse(store, LEAT_E_NOMEM, 0, "out of memory");
}

void lt_store_unprepare(leat_broker_store *store, const struct lt_action *action,
                        const struct lt_put *put)
{
    lt_free(&store->allocator, put->value, action->value.length);
    if (put->is_new)
        lt_entry_free(put->entry, &store->allocator);
}

void lt_store_put(leat_broker_store *store, const struct lt_action *action,
                  const struct lt_put *put, uint64_t due_ms)
{
    const struct lt_octets value = {put->value, action->value.length};

    lt_store_note(store, put->is_new ? LEAT_BROKER_STORE_INSERT : LEAT_BROKER_STORE_UPDATE,
                  put->entry, &value, action);
    if (put->is_new)
        lt_entries_insert(&store->entries, put->entry);
    lt_entries_set(&store->entries, put->entry, put->value, action->value.length,
                   &store->allocator);
    lt_entries_expire(&store->entries, put->entry, due_ms);
}

void lt_store_remove(leat_broker_store *store, struct lt_entry *entry, uint32_t kind,
                     const struct lt_entity *publisher)
{
    const struct lt_action action = {.publisher = *publisher};

    lt_store_note(store, kind, entry, NULL, &action);
    lt_entries_remove(&store->entries, entry, &store->allocator);
}

void lt_store_remove_all(leat_broker_store *store, const struct lt_entity *publisher)
{
    const struct lt_action action = {.publisher = *publisher};
    const struct lt_entry *entry;

    for (entry = lt_entries_after(&store->entries, NULL, 0); entry != NULL;
         entry = lt_entry_next(entry))
        lt_store_note(store, LEAT_BROKER_STORE_ERASE, entry, NULL, &action);
    lt_entries_free(&store->entries, &store->allocator);
}
