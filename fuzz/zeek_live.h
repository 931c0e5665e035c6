/*
 * What the harnesses of the Management framework's agents and controllers share: memory that is
 * counted, and calls that are made once more if it failed them.
 */
#ifndef FUZZ_ZEEK_LIVE_H
#define FUZZ_ZEEK_LIVE_H

#include "live.h"

#include <leat/builder.h>

struct gate {
    size_t held, held_inside; /* octets; of them those of the agent or controller */
    bool failing;             /* it has been asked for, and has not happened */
    size_t good;              /* how many requests of a call are granted before one fails ... */
    size_t left;              /* ... of the call at hand */
};

static inline void *gated(void *ctx, void *block, size_t old_bytes, size_t new_bytes)
{
    struct gate *gate = (struct gate *)ctx;
    void *resized;

    if (new_bytes > 0 && gate->left != ALWAYS && gate->left-- == 0) {
        gate->left = ALWAYS;
        gate->failing = false;
        return NULL;
    }
    gate->held += new_bytes - old_bytes;
    if (new_bytes == 0) {
        free(block);
        return NULL;
    }
    resized = realloc(block, new_bytes);
    must(resized != NULL);
    return resized;
}

static inline void *gated_and_counted(void *ctx, void *block, size_t old_bytes, size_t new_bytes)
{
    struct gate *gate = (struct gate *)ctx;
    void *resized = gated(gate, block, old_bytes, new_bytes);

    if (resized != NULL || new_bytes == 0)
        gate->held_inside += new_bytes - old_bytes;
    return resized;
}

static inline void gate_enter(struct gate *gate)
{
    gate->left = gate->failing ? gate->good : ALWAYS;
}

/* memory is what the agent or controller says that it holds. True: the call is to be done again. */
static inline bool gate_leave(struct gate *gate, int status, size_t memory)
{
    bool again = status == LEAT_E_NOMEM;

    must(!again || gate->left == ALWAYS);
    gate->left = ALWAYS;
    must(memory == gate->held_inside);
    return again;
}

static inline leat_builder *builder(void)
{
    leat_builder *made;

    must(leat_builder_new(NULL, &made) == LEAT_OK);
    return made;
}

#endif
