/*
 * The metadata store: a hash table of names, each entry also in a list by its last use. What a
 * server can do to it is bounded: the octets as a whole, a name, and the entries of one bucket, so
 * that ids made to collide drive out one another and nothing else.
 */
#include "naming.h"

#include "../core/adler.h"
#include "../core/buffer.h"
#include "../core/builder.h"
#include "../core/bytes.h"
#include "../core/value.h"

#include <assert.h>
#include <leat/estreamer.h>

#define DEFAULT_BYTES    ((size_t)16 << 20)
#define FIRST_BUCKETS    64u
#define BUCKET_ENTRIES   16u
#define NAME_BYTES_LIMIT 1024u

struct entry {
    struct entry *next;  /* in its bucket: used before this one */
    struct entry *newer; /* in the store: used after this one */
    struct entry *older; /* and before */
    uint32_t hash;       /* of the id */
    uint16_t id_length;
    uint16_t name_length;
    uint8_t octets[]; /* the id, then the name */
};

struct leat_estreamer_metadata {
    leat_allocator allocator;
    size_t limit;
    size_t memory;
    struct entry **buckets;
    size_t bucket_count; /* a power of two */
    size_t count;
    struct entry *newest;
    struct entry *oldest;
};

static size_t entry_bytes(size_t id_length, size_t name_length)
{
    return sizeof(struct entry) + id_length + name_length;
}

static const uint8_t *name_of(const struct entry *entry)
{
    return entry->octets + entry->id_length;
}

int leat_estreamer_metadata_new(const leat_config *config, size_t bytes,
                                leat_estreamer_metadata **metadata)
{
    leat_allocator allocator = lt_allocator(config);
    size_t bucket_bytes = FIRST_BUCKETS * sizeof(struct entry *);
    size_t memory = sizeof(leat_estreamer_metadata) + bucket_bytes;
    leat_estreamer_metadata *made;

    if (bytes == 0)
        bytes = DEFAULT_BYTES;
    if (bytes < memory + entry_bytes(LT_ESTREAMER_ID_BYTES, NAME_BYTES_LIMIT))
        return LEAT_E_VALUE;
    made = (leat_estreamer_metadata *)lt_alloc_zero(&allocator, sizeof *made);
    if (made == NULL)
        return LEAT_E_NOMEM;
    made->buckets = (struct entry **)lt_alloc_zero(&allocator, bucket_bytes);
    if (made->buckets == NULL) {
        lt_free(&allocator, made, sizeof *made);
        return LEAT_E_NOMEM;
    }
    made->allocator = allocator;
    made->limit = bytes;
    made->memory = memory;
    made->bucket_count = FIRST_BUCKETS;
    *metadata = made;
    return LEAT_OK;
}

/* Entries */

static struct entry **bucket_of(const leat_estreamer_metadata *metadata, uint32_t hash)
{
    return &metadata->buckets[hash & (metadata->bucket_count - 1)];
}

/* Puts an entry in front of its bucket. */
static void push(leat_estreamer_metadata *metadata, struct entry *entry)
{
    struct entry **bucket = bucket_of(metadata, entry->hash);

    entry->next = *bucket;
    *bucket = entry;
}

/* Takes it out of its bucket. */
static void pull(leat_estreamer_metadata *metadata, const struct entry *entry)
{
    struct entry **at = bucket_of(metadata, entry->hash);

    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
}

/* Puts it between two entries that follow one another by use; NULL: at that end. */
static void insert(leat_estreamer_metadata *metadata, struct entry *entry, struct entry *older,
                   struct entry *newer)
{
    entry->older = older;
    entry->newer = newer;
    *(older != NULL ? &older->newer : &metadata->oldest) = entry;
    *(newer != NULL ? &newer->older : &metadata->newest) = entry;
}

/* Takes it out of the order of use. */
static void extract(leat_estreamer_metadata *metadata, const struct entry *entry)
{
    *(entry->older != NULL ? &entry->older->newer : &metadata->oldest) = entry->newer;
    *(entry->newer != NULL ? &entry->newer->older : &metadata->newest) = entry->older;
}

static void link_newest(leat_estreamer_metadata *metadata, struct entry *entry)
{
    push(metadata, entry);
    insert(metadata, entry, metadata->newest, NULL);
}

static void link_oldest(leat_estreamer_metadata *metadata, struct entry *entry)
{
    struct entry **at = bucket_of(metadata, entry->hash);

    while (*at != NULL)
        at = &(*at)->next;
    entry->next = NULL;
    *at = entry;
    insert(metadata, entry, NULL, metadata->oldest);
}

static void unlink_entry(leat_estreamer_metadata *metadata, const struct entry *entry)
{
    pull(metadata, entry);
    extract(metadata, entry);
}

static void touch(leat_estreamer_metadata *metadata, struct entry *entry)
{
    if (*bucket_of(metadata, entry->hash) != entry) {
        pull(metadata, entry);
        push(metadata, entry);
    }
    if (entry != metadata->newest) {
        extract(metadata, entry);
        insert(metadata, entry, metadata->newest, NULL);
    }
}

static void drop(leat_estreamer_metadata *metadata, struct entry *entry)
{
    size_t bytes = entry_bytes(entry->id_length, entry->name_length);

    unlink_entry(metadata, entry);
    lt_free(&metadata->allocator, entry, bytes);
    metadata->memory -= bytes;
    metadata->count--;
}

static struct entry *find(leat_estreamer_metadata *metadata, const struct lt_estreamer_id *id,
                          uint32_t hash)
{
    struct entry *entry;

    for (entry = *bucket_of(metadata, hash); entry != NULL; entry = entry->next) {
        if (entry->hash == hash && entry->id_length == id->length &&
            memcmp(entry->octets, id->octets, id->length) == 0)
            break;
    }
    return entry;
}

/* Twice as many buckets, if there is room and memory for them: it goes without them, too. */
static void grow(leat_estreamer_metadata *metadata)
{
    size_t count = metadata->bucket_count, bytes = count * sizeof(struct entry *), i;
    struct entry **buckets;

    if (metadata->count < count || metadata->limit - metadata->memory < bytes)
        return;
    buckets = (struct entry **)lt_resize(&metadata->allocator, metadata->buckets, bytes, 2 * bytes);
    if (buckets == NULL)
        return;
    for (i = 0; i < count; i++) {
        struct entry **low = &buckets[i], **high = &buckets[i + count], *entry;

        for (entry = buckets[i]; entry != NULL; entry = entry->next) {
            struct entry ***to = (entry->hash & count) != 0 ? &high : &low;

            **to = entry;
            *to = &entry->next;
        }
        *low = *high = NULL;
    }
    metadata->buckets = buckets;
    metadata->bucket_count = 2 * count;
    metadata->memory += bytes;
}

/* The last entry of a bucket that is full, else NULL. */
static struct entry *surplus(const leat_estreamer_metadata *metadata, uint32_t hash)
{
    struct entry *entry = *bucket_of(metadata, hash);
    unsigned count = 1;

    for (; entry != NULL && entry->next != NULL; entry = entry->next)
        count++;
    return count < BUCKET_ENTRIES ? NULL : entry;
}

/*
 * A new entry, or an old one with room for another name, which is in no list while it is made; the
 * name is still to be written. NULL: no memory, and the old one is as it was.
 */
static struct entry *make_entry(leat_estreamer_metadata *metadata, struct entry *old,
                                const struct lt_estreamer_id *id, uint32_t hash, size_t name_length)
{
    size_t bytes = entry_bytes(id->length, name_length);
    size_t old_bytes = old == NULL ? 0 : entry_bytes(old->id_length, old->name_length);
    struct entry *made = (struct entry *)lt_resize(&metadata->allocator, old, old_bytes, bytes);

    if (made == NULL)
        return NULL;
    metadata->memory += bytes - old_bytes;
    metadata->count += old == NULL;
    made->hash = hash;
    made->id_length = id->length;
    made->name_length = (uint16_t)name_length;
    memcpy(made->octets, id->octets, id->length);
    return made;
}

void leat_estreamer_metadata_free(leat_estreamer_metadata *metadata)
{
    leat_allocator allocator;

    if (metadata == NULL)
        return;
    allocator = metadata->allocator;
    while (metadata->oldest != NULL)
        drop(metadata, metadata->oldest);
    lt_free(&allocator, metadata->buckets, metadata->bucket_count * sizeof *metadata->buckets);
    lt_free(&allocator, metadata, sizeof *metadata);
}

/* Learning */

/* How much of a text goes into so much room: whole characters, if it is UTF-8. */
static size_t cut(const uint8_t *text, size_t length, size_t room)
{
    size_t back;

    if (length <= room)
        return length;
    for (back = 0; back < 4 && back < room; back++) {
        if ((text[room - back] & 0xc0) != 0x80)
            return room - back;
    }
    return room;
}

/* The parts of a name with spaces between them. Returns its length. */
static size_t join(const struct lt_estreamer_name *name, uint8_t octets[NAME_BYTES_LIMIT])
{
    size_t length = 0, i;

    for (i = 0; i < name->count; i++) {
        const uint8_t *part = name->parts[i]->u.bytes;
        size_t count;

        if (i > 0 && length < NAME_BYTES_LIMIT)
            octets[length++] = ' ';
        count = cut(part, name->parts[i]->length, NAME_BYTES_LIMIT - length);
        memcpy(octets + length, part, count);
        length += count;
    }
    return length;
}

/* Lets entries go until there is room for so many octets more; for those of any one there is. */
static void make_room(leat_estreamer_metadata *metadata, size_t bytes)
{
    while (metadata->limit - metadata->memory < bytes) {
        assert(metadata->oldest != NULL);
        drop(metadata, metadata->oldest);
    }
}

/* old: the entry of that id, or NULL. */
static int keep(leat_estreamer_metadata *metadata, struct entry *old,
                const struct lt_estreamer_id *id, uint32_t hash, const uint8_t *name,
                size_t name_length)
{
    struct entry *made, *last;
    size_t bytes;

    if (old == NULL) {
        grow(metadata);
        last = surplus(metadata, hash);
        if (last != NULL)
            drop(metadata, last);
        bytes = entry_bytes(id->length, name_length);
    } else {
        unlink_entry(metadata, old);
        bytes = name_length > old->name_length ? name_length - old->name_length : 0;
    }
    make_room(metadata, bytes);
    made = make_entry(metadata, old, id, hash, name_length);
    if (made == NULL && old != NULL)
        link_newest(metadata, old);
    if (made == NULL)
        return LEAT_E_NOMEM;
    memcpy(made->octets + id->length, name, name_length);
    link_newest(metadata, made);
    return LEAT_OK;
}

int leat_estreamer_metadata_learn(leat_estreamer_metadata *metadata, const leat_event *event)
{
    struct lt_estreamer_id id;
    struct lt_estreamer_name parts;
    uint8_t name[NAME_BYTES_LIMIT];
    size_t name_length;
    struct entry *entry;
    uint32_t hash;

    if (leat_event_kind(event) != LEAT_ESTREAMER_EVENT_DATA ||
        !lt_estreamer_read_naming(leat_event_value(event), &id, &parts))
        return LEAT_OK;
    name_length = join(&parts, name);
    hash = lt_estreamer_id_hash(&id);
    entry = find(metadata, &id, hash);
    if (entry != NULL && entry->name_length == name_length &&
        memcmp(name_of(entry), name, name_length) == 0) {
        touch(metadata, entry);
        return LEAT_OK;
    }
    return keep(metadata, entry, &id, hash, name, name_length);
}

/* Naming */

/* The entry for the first of a field's ids that is known; NULL: none is. */
static const struct entry *look_up(leat_estreamer_metadata *metadata,
                                   const struct lt_estreamer_ids *ids, unsigned field)
{
    struct lt_estreamer_id id;
    unsigned at = 0;

    while (lt_estreamer_next_id(ids, field, &at, &id)) {
        struct entry *entry = find(metadata, &id, lt_estreamer_id_hash(&id));

        if (entry != NULL) {
            touch(metadata, entry);
            return entry;
        }
    }
    return NULL;
}

/* Appends a field to the record that is open. Its name is constant, so it is not copied. */
static int add_name(leat_builder *builder, unsigned field, const struct entry *entry)
{
    const char *name = lt_estreamer_id_field_name(field);
    size_t count = builder->tree.count;
    int status = lt_tree_reserve(&builder->tree, 1);
    const uint8_t *copy;

    if (status == LEAT_E_LIMIT)
        return lt_builder_fail(builder, count, status, 0, "too many values", name);
    copy = status == LEAT_OK ? lt_builder_keep(builder, name_of(entry), entry->name_length) : NULL;
    if (copy == NULL)
        return lt_builder_fail(builder, count, LEAT_E_NOMEM, 0, "out of memory", name);
    lt_tree_bytes(&builder->tree, LEAT_TEXT, name, lt_estreamer_id_fields[field].name_length, copy,
                  entry->name_length);
    return lt_builder_added(builder);
}

int leat_estreamer_metadata_names(leat_estreamer_metadata *metadata, leat_builder *builder,
                                  const char *name, const leat_value *value)
{
    struct lt_estreamer_ids ids;
    int status = leat_builder_open(builder, name, LEAT_RECORD);
    size_t i;

    if (status != LEAT_OK)
        return status;
    lt_estreamer_find_ids(value, &ids);
    for (i = 0; status == LEAT_OK && i < ids.count; i++) {
        const struct entry *entry = look_up(metadata, &ids, ids.order[i]);

        if (entry != NULL)
            status = add_name(builder, ids.order[i], entry);
    }
    return status != LEAT_OK ? status : leat_builder_close(builder);
}

const char *leat_estreamer_metadata_name(leat_estreamer_metadata *metadata, const leat_value *value,
                                         const char *field, size_t *length)
{
    unsigned number = field == NULL ? 0 : lt_estreamer_id_field(field, strlen(field));
    struct lt_estreamer_ids ids;
    const struct entry *entry = NULL;

    if (number != 0) {
        lt_estreamer_find_ids(value, &ids);
        entry = ids.values[number] == NULL ? NULL : look_up(metadata, &ids, number);
    }
    if (length != NULL)
        *length = entry == NULL ? 0 : entry->name_length;
    return entry == NULL ? NULL : (const char *)name_of(entry);
}

size_t leat_estreamer_metadata_count(const leat_estreamer_metadata *metadata)
{
    return metadata->count;
}

size_t leat_estreamer_metadata_memory(const leat_estreamer_metadata *metadata)
{
    return metadata->memory;
}

/*
 * Saving. Magic, version and count; the entries, the newest first, each its id (which begins with
 * the record type, and whose length follows from that), u16 length of the name, the name; and the
 * Adler-32 of all that. All big endian.
 */

#define MAGIC          UINT32_C(0x6c65616d) /* "leam" */
#define VERSION        1u
#define CHECKSUM_BYTES 4u

int leat_estreamer_metadata_save(const leat_estreamer_metadata *metadata, leat_buffer *buffer)
{
    struct lt_writer *out = &buffer->out;
    size_t start = out->length;
    const struct entry *entry;

    lt_put_u32be(out, MAGIC);
    lt_put_u32be(out, VERSION);
    lt_put_u64be(out, metadata->count);
    for (entry = metadata->newest; entry != NULL; entry = entry->older) {
        lt_put_bytes(out, entry->octets, entry->id_length);
        lt_put_u16be(out, entry->name_length);
        lt_put_bytes(out, name_of(entry), entry->name_length);
    }
    if (out->status == LEAT_OK)
        lt_put_u32be(out, lt_adler32(LT_ADLER_START, out->data + start, out->length - start));
    return lt_buffer_end(buffer, start, LEAT_OK);
}

struct saved {
    struct lt_estreamer_id id;
    const uint8_t *name;
    size_t name_length;
};

/* One entry. False: it is malformed, or there is none. */
static bool read_saved(struct lt_reader *in, struct saved *saved)
{
    struct lt_reader ahead = *in;
    size_t id_length = lt_estreamer_id_bytes(lt_u16be(&ahead));
    const uint8_t *id = lt_take(in, id_length);

    if (id == NULL || id_length == 0)
        return false;
    lt_estreamer_read_id(&saved->id, id, id_length);
    saved->name_length = lt_u16be(in);
    saved->name = lt_take(in, saved->name_length);
    return lt_ok(in) && saved->name_length > 0 && saved->name_length <= NAME_BYTES_LIMIT;
}

/* Whether all of it is sound; in is then a reader of the entries. */
static bool check_saved(struct lt_reader *in)
{
    const uint8_t *start = in->at;
    size_t length = lt_left(in);
    struct lt_reader at;
    struct saved saved;
    uint64_t count;

    if (length < CHECKSUM_BYTES || lt_load_u32be(in->end - CHECKSUM_BYTES) !=
                                       lt_adler32(LT_ADLER_START, start, length - CHECKSUM_BYTES))
        return false;
    in->end -= CHECKSUM_BYTES;
    if (lt_u32be(in) != MAGIC || lt_u32be(in) != VERSION)
        return false;
    count = lt_u64be(in);
    for (at = *in; count > 0 && read_saved(&at, &saved); count--)
        continue;
    return count == 0 && lt_ok(&at) && lt_left(&at) == 0;
}

int leat_estreamer_metadata_load(leat_estreamer_metadata *metadata, const void *data, size_t length)
{
    struct lt_reader in = lt_reader(data, length);
    struct saved saved;
    size_t added = 0;

    if (!check_saved(&in))
        return LEAT_E_SYNTAX;
    /* The newest comes first, and each is older than all before it: what is held goes first. */
    while (read_saved(&in, &saved)) {
        uint32_t hash = lt_estreamer_id_hash(&saved.id);
        struct entry *entry;

        if (find(metadata, &saved.id, hash) != NULL)
            continue;
        grow(metadata);
        if (surplus(metadata, hash) != NULL ||
            metadata->limit - metadata->memory < entry_bytes(saved.id.length, saved.name_length))
            continue;
        entry = make_entry(metadata, NULL, &saved.id, hash, saved.name_length);
        if (entry == NULL) {
            for (; added > 0; added--)
                drop(metadata, metadata->oldest);
            return LEAT_E_NOMEM;
        }
        memcpy(entry->octets + saved.id.length, saved.name, saved.name_length);
        link_oldest(metadata, entry);
        added++;
    }
    return LEAT_OK;
}
