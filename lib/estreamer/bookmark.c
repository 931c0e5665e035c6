#include "bookmark.h"

#define PRINT_BYTES 8u
#define LANES       4u

/* In front of a bookmark; the last octet is the version of its form. */
static const uint8_t magic[4] = {'l', 'e', 's', 1};

static uint64_t mix(uint64_t state, uint64_t word)
{
    state = (state ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return state ^ state >> 29;
}

/*
 * Four lanes side by side, as one would wait for its multiplications. It tells records apart that
 * differ by chance: to be taken for another one, a record must have been made for it by who knows
 * the other one.
 */
uint64_t lt_estreamer_fingerprint(const uint8_t *data, size_t length)
{
    uint64_t lanes[LANES] = {length, 1, 2, 3};
    uint8_t rest[LANES * 8] = {0};
    unsigned i;

    for (; length >= sizeof rest; data += sizeof rest, length -= sizeof rest) {
        for (i = 0; i < LANES; i++)
            lanes[i] = mix(lanes[i], lt_load_u64le(data + i * 8));
    }
    if (length > 0)
        memcpy(rest, data, length);
    for (i = 0; i < LANES; i++)
        lanes[i] = mix(lanes[i], lt_load_u64le(rest + i * 8));
    for (i = 1; i < LANES; i++)
        lanes[0] = mix(lanes[0], lanes[i]);
    return mix(lanes[0], lanes[0] >> 32);
}

int lt_estreamer_bookmark_load(struct lt_estreamer_bookmark *bookmark, const void *data,
                               size_t length)
{
    struct lt_reader in = lt_reader(data, length);
    const uint8_t *start = in.at;
    const uint8_t *mark = lt_take(&in, sizeof magic);
    uint32_t second = lt_u32be(&in);
    size_t count, i;

    if (!lt_ok(&in) || memcmp(mark, magic, sizeof magic) != 0 || lt_left(&in) % PRINT_BYTES != 0 ||
        lt_left(&in) == 0)
        return LEAT_E_VALUE;
    if (lt_load_u64be(in.end - PRINT_BYTES) !=
        lt_estreamer_fingerprint(start, length - PRINT_BYTES))
        return LEAT_E_VALUE;
    bookmark->second = second;
    count = lt_left(&in) / PRINT_BYTES - 1;
    if (count > bookmark->most)
        count = bookmark->most;
    if (count == 0)
        return LEAT_OK;
    if (!lt_grow(&bookmark->allocator, (void **)&bookmark->prints, &bookmark->size, count,
                 sizeof *bookmark->prints))
        return LEAT_E_NOMEM;
    bookmark->met = (bool *)lt_alloc_zero(&bookmark->allocator, count * sizeof *bookmark->met);
    if (bookmark->met == NULL)
        return LEAT_E_NOMEM;
    for (i = 0; i < count; i++)
        bookmark->prints[i] = lt_u64be(&in);
    bookmark->count = bookmark->resumed = count;
    return LEAT_OK;
}

void lt_estreamer_bookmark_save(const struct lt_estreamer_bookmark *bookmark, uint32_t second,
                                struct lt_writer *out)
{
    size_t count = second == bookmark->second ? bookmark->count : 0;
    size_t start = out->length;
    size_t i;

    lt_put_bytes(out, magic, sizeof magic);
    lt_put_u32be(out, second);
    for (i = 0; i < count; i++)
        lt_put_u64be(out, bookmark->prints[i]);
    if (out->status == LEAT_OK)
        lt_put_u64be(out, lt_estreamer_fingerprint(out->data + start, out->length - start));
}

/* The second that was resumed is over. */
static void forget_resumed(struct lt_estreamer_bookmark *bookmark)
{
    lt_free(&bookmark->allocator, bookmark->met, bookmark->resumed * sizeof *bookmark->met);
    bookmark->met = NULL;
    bookmark->resumed = 0;
}

void lt_estreamer_bookmark_trim(struct lt_estreamer_bookmark *bookmark)
{
    size_t bytes = bookmark->count * sizeof *bookmark->prints;
    void *prints;

    if (bookmark->size == bookmark->count)
        return;
    prints = lt_resize(&bookmark->allocator, bookmark->prints,
                       bookmark->size * sizeof *bookmark->prints, bytes);
    if (prints != NULL || bytes == 0) {
        bookmark->prints = (uint64_t *)prints;
        bookmark->size = bookmark->count;
    }
}

void lt_estreamer_bookmark_free(struct lt_estreamer_bookmark *bookmark)
{
    forget_resumed(bookmark);
    lt_free(&bookmark->allocator, bookmark->prints, bookmark->size * sizeof *bookmark->prints);
}

size_t lt_estreamer_bookmark_memory(const struct lt_estreamer_bookmark *bookmark)
{
    return bookmark->size * sizeof *bookmark->prints + bookmark->resumed * sizeof *bookmark->met;
}

/* What comes again mostly comes in its old order, so it is looked for behind the last that did. */
bool lt_estreamer_is_known(struct lt_estreamer_bookmark *bookmark, uint32_t second,
                           uint64_t fingerprint)
{
    size_t i;

    if (second != bookmark->second)
        return false;
    for (i = 0; i < bookmark->resumed; i++) {
        size_t at = bookmark->cursor + i;

        if (at >= bookmark->resumed)
            at -= bookmark->resumed;
        if (bookmark->prints[at] == fingerprint && !bookmark->met[at]) {
            bookmark->met[at] = true;
            bookmark->cursor = at + 1 == bookmark->resumed ? 0 : at + 1;
            return true;
        }
    }
    return false;
}

bool lt_estreamer_reserve_fingerprints(struct lt_estreamer_bookmark *bookmark, size_t count)
{
    size_t room = bookmark->count < bookmark->most ? bookmark->most - bookmark->count : 0;

    if (count > room)
        count = room;
    return lt_grow(&bookmark->allocator, (void **)&bookmark->prints, &bookmark->size,
                   bookmark->count + count, sizeof *bookmark->prints);
}

void lt_estreamer_bookmark_move(struct lt_estreamer_bookmark *bookmark, uint32_t second)
{
    forget_resumed(bookmark);
    bookmark->second = second;
    bookmark->count = 0;
}

void lt_estreamer_pass(struct lt_estreamer_bookmark *bookmark, uint32_t second,
                       uint64_t fingerprint)
{
    if (second != bookmark->second)
        lt_estreamer_bookmark_move(bookmark, second);
    if (bookmark->count < bookmark->most)
        bookmark->prints[bookmark->count++] = fingerprint;
}
