/*
 * What the scripts played to agents and to controllers share: memory of which one allocation fails, asked
 * for inside of a call that is under test, and what is counted; and texts of what is said.
 */
#ifndef T_ZEEK_SCRIPTS_H
#define T_ZEEK_SCRIPTS_H

#include "support.h"

#include <leat/leat.h>

struct gates;

struct gate {
    leat_allocator allocator;
    struct gates *gates;
    size_t held;
};

struct gates {
    struct gate of[2]; /* the agent or controller, the endpoints */
    bool inside;       /* a call of the agent or controller */
    size_t calls;      /* allocations in such calls */
    size_t bad;        /* which of them fails; 0: none */
    bool failed;       /* it has, and the call was not yet made once more */
    bool ever_failed;
};

static inline void *gate_resize(void *ctx, void *block, size_t old_bytes, size_t new_bytes)
{
    struct gate *gate = (struct gate *)ctx;
    void *resized;

    if (new_bytes > 0 && gate->gates->inside && ++gate->gates->calls == gate->gates->bad) {
        gate->gates->failed = gate->gates->ever_failed = true;
        return NULL;
    }
    gate->held = gate->held - old_bytes + new_bytes;
    if (new_bytes == 0) {
        free(block);
        return NULL;
    }
    resized = realloc(block, new_bytes);
    ck_assert_ptr_nonnull(resized);
    return resized;
}

static inline void gates_init(struct gates *gates)
{
    size_t i;

    for (i = 0; i < 2; i++) {
        gates->of[i].allocator.resize = gate_resize;
        gates->of[i].allocator.ctx = &gates->of[i];
        gates->of[i].gates = gates;
    }
}

static inline bool has_failed(struct gates *gates)
{
    bool failed = gates->failed;

    gates->failed = false;
    return failed;
}

/* Does a call; once more if memory failed it. The test has leave(), which checks what is held. */
#define CALL(b, status, call)                                                                      \
    do {                                                                                           \
        (b)->gates.inside = true;                                                                  \
        (status) = (call);                                                                         \
        leave(b);                                                                                  \
    } while ((status) == LEAT_E_NOMEM && has_failed(&(b)->gates))

static inline void put(struct t_bytes *bytes, const char *text)
{
    t_append(bytes, text, strlen(text));
}

static inline void put_value(struct t_bytes *bytes, const leat_value *value)
{
    char *text = t_json_text(value);

    put(bytes, text);
    free(text);
}

static inline void put_plain(struct t_bytes *bytes, const leat_value *value)
{
    size_t length;
    const char *text = leat_value_text(value, &length);

    t_append(bytes, text, length);
}

#endif
