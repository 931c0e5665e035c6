/*
 * Broker's data stores: tables of keys and values that all endpoints of a network share. A store has
 * a name, one master, which decides, and clones at other endpoints, which hold a copy.
 *
 *     leat_broker_store_master(broker, "name", 4, NULL, &store);    here, or
 *     leat_broker_store_clone(broker, "name", 4, NULL, &store);     there
 *     leat_broker_store_put(store, key, value, LEAT_BROKER_FOR_EVER);
 *     leat_broker_store_get(store, key, builder, NULL);
 *     while (leat_broker_store_next(store, &event) == LEAT_OK)
 *         it has changed
 *
 * A store hangs on an endpoint (broker_endpoint.h), whose sessions carry its messages and whose
 * leat_broker_tick() and leat_broker_deadline() tell it the time. It may outlive the endpoint: then
 * it can still be read.
 *
 * Who decides. A write at the master is done when the call returns. A write at a clone goes to the
 * master, and is seen at the clone once the master has done it; one that the master refuses, by its
 * type or its limits, is an error event at the master and nothing at the clone. What a clone reads is
 * its copy, which may be old while it is not attached. Writes before it is attached are kept, and sent
 * then.
 *
 * Loss. What is lost on the way is sent again, also over a new connection to the same master. If the
 * master is not back after 25 s, or another one is there, or it no longer knows the clone, the clone
 * starts over: it takes a new copy, and what of its own writes no master has acknowledged is sent
 * again. So a write is never lost while the clone lives, but may be done twice if the master got it
 * and could not say so.
 *
 * Persistence is yours. leat_broker_store_after() walks all entries, and its fields are what
 * leat_broker_store_put() takes: so a program that saves writes down what these events tell, or all
 * entries now and then, and puts them into a new master before any peering.
 *
 * Values are those of Broker (broker.h), at most 120 deep. Keys with -0.0 in them are those with 0.0.
 *
 * Names. Zeek's functions and ours: create_master, create_clone: leat_broker_store_master(), _clone();
 * close: _free(); put, put_unique, get, exists, keys, erase, clear, increment, decrement, append,
 * insert_into_set, insert_into_table, remove_from, push, pop: leat_broker_store_<name>().
 *
 * Source: spec section 11.
 */
#ifndef LEAT_BROKER_STORE_H
#define LEAT_BROKER_STORE_H

#include <leat/broker_endpoint.h>
#include <leat/builder.h>
#include <leat/event.h>
#include <leat/leat.h>
#include <leat/value.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct leat_broker_store leat_broker_store;

/*
 * Kinds (broker.h) of what leat_broker_store_next() gives, each named like its constant without STORE_, in lower
 * case. The value is a record that begins with store, the name. An entity is a list of an endpoint's
 * id and the number of a store there.
 *
 * INSERT             key, value, expiry_ns, publisher: there is a new entry
 * UPDATE             key, old, new, expiry_ns, publisher
 * ERASE, EXPIRE      key, publisher
 * PUT_UNIQUE_RESULT  inserted (bool), req_id: of leat_broker_store_put_unique() here
 * ATTACHED           entity: a clone's master, which it has a copy of now; or a master's clone
 * DETACHED           entity: it is gone, or took too long
 * ERROR              code, name (both of spec section 8.2), key (LEAT_NULL: of none), msg
 *
 * expiry_ns is LEAT_INT, or LEAT_NULL if there is none; publisher is the entity that caused the
 * change. A copy that a clone takes is told as its differences, with the master as publisher. Errors:
 *
 * no_such_master   a clone found none within attach_ms, and has given up
 * broken_clone     a clone cannot hold what its master sent, and has given up
 * no_such_key      a subtraction from what is not there; at a master
 * type_clash       an addition or subtraction of what does not fit what is there; at a master
 * invalid_data     a key or value that Broker's order or our depth does not allow
 * backend_failure  over the limits of a master, or its copy is too large for a message
 * stale_data       events before this one were lost: see event_bytes
 */
/* Fill it with leat_broker_store_options_init(), then change what you want. */
typedef struct leat_broker_store_options {
    uint64_t size;
    uint64_t object;  /* 0: the endpoint counts; else the number of the store in its process */
    uint64_t entries; /* 1 000 000: most entries */
    uint64_t bytes;   /* 32 MiB: most octets of keys and values as they are sent; all of them must
                         fit into one message, or no clone can attach */
    uint64_t clones;  /* 4096: most clones of a master */
    /*
     * 65 536 and 64 MiB: most writes that wait to be acknowledged. A master drops the clones that are
     * furthest behind when there are more; a clone refuses to write.
     */
    uint64_t buffered;
    uint64_t buffered_bytes;
    uint64_t early;       /* 1024 and ... */
    uint64_t early_bytes; /* ... 16 MiB: most commands that wait for others before them */
    uint64_t event_bytes; /* 16 MiB: most that waits for leat_broker_store_next(); then all of them
                             are dropped and stale_data is told. 0: there are no events */
    uint64_t attach_ms;   /* 10 000: how long a new clone looks for its master; 0: for ever */
} leat_broker_store_options;

LEAT_API void leat_broker_store_options_init(leat_broker_store_options *options, size_t size);

/**
 * Makes the master of a store, empty.
 *
 * options  NULL: the defaults.
 * store    yours to free.
 *
 * LEAT_OK; LEAT_E_STATE: a peer announces a master of that name, or this endpoint has the store
 * already; LEAT_E_VALUE (options that were not initialised; a name that is empty, ends with a slash,
 * begins with <$> or has more than 65 000 octets), LEAT_E_NOMEM. See leat_broker_error().
 */
LEAT_API int leat_broker_store_master(leat_broker *broker, const char *name, size_t length,
                                      const leat_broker_store_options *options,
                                      leat_broker_store **store);
/* Makes a clone, which begins to look for its master. Results as before, but masters are welcome. */
LEAT_API int leat_broker_store_clone(leat_broker *broker, const char *name, size_t length,
                                     const leat_broker_store_options *options,
                                     leat_broker_store **store);
/* Frees it; clones of a master that is freed keep their copies. NULL is fine. */
LEAT_API void leat_broker_store_free(leat_broker_store *store);

/* ----- writing ----- */

#define LEAT_BROKER_FOR_EVER (-1) /* an entry does not expire */

/*
 * What all of these answer: LEAT_OK; LEAT_E_VALUE (a key or value that Broker lacks or its order does
 * not allow; expiry_ns below -1), LEAT_E_STATE (the endpoint was freed, or a clone has given up),
 * LEAT_E_LIMIT (entries, bytes, buffered, or more than a message holds), LEAT_E_NOMEM. At a master
 * also LEAT_E_STATE for a subtraction from a missing key, and LEAT_E_VALUE for what does not fit.
 * See leat_broker_store_error(). Unless LEAT_OK nothing changed.
 *
 * expiry_ns counts from now. A write without one cancels an earlier one.
 */

/* Sets a value. */
LEAT_API int leat_broker_store_put(leat_broker_store *store, const leat_value *key,
                                   const leat_value *value, int64_t expiry_ns);
/* The same unless the key is there. The result is an event with that req_id, also at a master. */
LEAT_API int leat_broker_store_put_unique(leat_broker_store *store, const leat_value *key,
                                          const leat_value *value, int64_t expiry_ns,
                                          uint64_t req_id);
LEAT_API int leat_broker_store_erase(leat_broker_store *store, const leat_value *key);
LEAT_API int leat_broker_store_clear(leat_broker_store *store);

/**
 * Adds to a value: counts, integers, reals and timespans to the same, timespans to a timestamp, text
 * to text, any value to the end of a list or into a set, a list of key and value into a table. Counts
 * and integers wrap.
 *
 * init_kind  the kind of value, empty or 0, that is begun with if the key is missing (LEAT_UINT, ...).
 *
 * Source: spec section 11.4.
 */
LEAT_API int leat_broker_store_add(leat_broker_store *store, const leat_value *key,
                                   const leat_value *value, uint32_t init_kind, int64_t expiry_ns);
/*
 * Subtracts likewise: takes the element out of a set, the key out of a table, the last value of a
 * list whatever the operand is; not from a text.
 */
LEAT_API int leat_broker_store_subtract(leat_broker_store *store, const leat_value *key,
                                        const leat_value *value, int64_t expiry_ns);

/* Zeek's names for these. Increment by a timespan begins with a timestamp of 0. */
LEAT_API int leat_broker_store_increment(leat_broker_store *store, const leat_value *key,
                                         const leat_value *amount, int64_t expiry_ns);
LEAT_API int leat_broker_store_decrement(leat_broker_store *store, const leat_value *key,
                                         const leat_value *amount, int64_t expiry_ns);
LEAT_API int leat_broker_store_append(leat_broker_store *store, const leat_value *key,
                                      const char *text, size_t length, int64_t expiry_ns);
LEAT_API int leat_broker_store_insert_into_set(leat_broker_store *store, const leat_value *key,
                                               const leat_value *element, int64_t expiry_ns);
LEAT_API int leat_broker_store_insert_into_table(leat_broker_store *store, const leat_value *key,
                                                 const leat_value *index, const leat_value *value,
                                                 int64_t expiry_ns);
LEAT_API int leat_broker_store_remove_from(leat_broker_store *store, const leat_value *key,
                                           const leat_value *index, int64_t expiry_ns);
LEAT_API int leat_broker_store_push(leat_broker_store *store, const leat_value *key,
                                    const leat_value *value, int64_t expiry_ns);
LEAT_API int leat_broker_store_pop(leat_broker_store *store, const leat_value *key,
                                   int64_t expiry_ns);

/* ----- reading ----- */

/*
 * Reads the value of a key into a builder, as leat_broker_read() does. LEAT_OK, LEAT_E_STATE (there is
 * none), LEAT_E_VALUE (no key of Broker), or what the builder says: LEAT_E_STATE, _LIMIT, _NOMEM.
 */
LEAT_API int leat_broker_store_get(leat_broker_store *store, const leat_value *key,
                                   leat_builder *builder, const char *name);
/* 1: it is there; 0; < 0 as leat_broker_store_get(). */
LEAT_API int leat_broker_store_exists(leat_broker_store *store, const leat_value *key);
/* Reads the set of all keys into a builder. */
LEAT_API int leat_broker_store_keys(leat_broker_store *store, leat_builder *builder,
                                    const char *name);
LEAT_API uint64_t leat_broker_store_count(const leat_broker_store *store);

/**
 * The entry behind a key, in an order of our own; NULL: the first one. It costs no more than looking
 * up a key, and the store may change in between.
 *
 *     for (s = leat_broker_store_after(store, NULL, b); s == LEAT_OK;
 *          s = leat_broker_store_after(store, leat_value_get(leat_builder_value(b), "key"), b))
 *
 * key      need not be there. It may be the builder's.
 * builder  cleared; gets a record of key, value and expiry_ns: what is left of it, or LEAT_NULL. At
 *          a clone, which waits for its master to say so, there is never one.
 *
 * LEAT_OK, LEAT_END (there are no more), LEAT_E_VALUE, LEAT_E_LIMIT, LEAT_E_NOMEM.
 */
LEAT_API int leat_broker_store_after(leat_broker_store *store, const leat_value *key,
                                     leat_builder *builder);

/* The next event. Valid until the next call of this. LEAT_OK, LEAT_MORE (none), LEAT_E_NOMEM. */
LEAT_API int leat_broker_store_next(leat_broker_store *store, const leat_event **event);

/* What there is. Fill size, then ask. */
typedef struct leat_broker_store_stats {
    uint64_t size;
    uint64_t entries;
    uint64_t bytes;    /* of keys and values */
    uint64_t attached; /* a master's clones; 1: a clone is in touch with its master */
    uint64_t buffered; /* writes that are not acknowledged */
    uint64_t buffered_bytes;
    uint64_t early;       /* commands that wait for others before them */
    uint64_t resent;      /* writes that were sent again */
    uint64_t refused;     /* commands of peers that were not taken */
    uint64_t dropped;     /* clones that were dropped since they were too far behind */
    uint64_t started;     /* how often a clone began to look for a master */
    uint64_t event_bytes; /* that wait for leat_broker_store_next() */
} leat_broker_store_stats;

/* LEAT_OK or LEAT_E_VALUE (size was not set). */
LEAT_API int leat_broker_store_get_stats(const leat_broker_store *store,
                                         leat_broker_store_stats *stats);

/* Why the last call was refused; NULL if it was not. */
LEAT_API const leat_error *leat_broker_store_error(const leat_broker_store *store);

/* The octets of memory that it holds. */
LEAT_API size_t leat_broker_store_memory(const leat_broker_store *store);

#ifdef __cplusplus
}
#endif

#endif
