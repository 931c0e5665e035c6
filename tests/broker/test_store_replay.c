/*
 * Recorded stores of Broker and of Zeek, from both sides: our endpoint takes the place of one of the
 * two, hears what the other one said when it said it, and is told to write what was written. What it
 * says is what was recorded, octet by octet and in the same order, but
 *
 * - the number in `who` of put_unique: whoever asks, which is ours to choose (spec section 11.4);
 * - keepalives of masters are addressed to each clone, since clones of Broker ignore all others (spec
 *   section 11.3), and there are none without a clone;
 * - acknowledgements and keepalives come with the ticks of each side, whose clocks run freely: they are
 *   compared by what they say, and may come up to two ticks sooner or later among the others.
 */
#include "lines.h"

#include "stores.h"

#include <leat/broker.h>
#include <stdio.h>

#define FRAMES 512u
#define STORES 4u

enum { KEEPALIVE = 9, CUMULATIVE_ACK = 10, ACK_CLONE = 12 };

struct frame {
    uint64_t ms;
    bool by_b;
    uint32_t kind;
    leat_builder *value;
    struct t_bytes octets; /* with the length in front */
};

struct frames {
    struct frame frames[FRAMES];
    size_t count;
};

/* One direction, as it is read. */
struct reader {
    leat_session *session;
    bool by_b;
};

static void reader_init(struct reader *reader, bool by_b)
{
    ck_assert_int_eq(leat_broker_codec_new(NULL, LEAT_FROM_ANY, &reader->session), LEAT_OK);
    reader->by_b = by_b;
}

static void read_frames(struct reader *reader, struct frames *to, uint64_t ms, const void *data,
                        size_t length)
{
    const leat_event *event;

    ck_assert_int_eq(leat_feed(reader->session, data, length), LEAT_OK);
    while (leat_next(reader->session, &event) == LEAT_OK) {
        struct frame *frame = &to->frames[to->count++];
        const void *raw = leat_event_raw(event, &length);

        ck_assert_uint_lt(to->count, FRAMES);
        frame->ms = ms;
        frame->by_b = reader->by_b;
        frame->kind = leat_event_kind(event);
        frame->octets = t_copy(raw, length);
        ck_assert_int_eq(leat_builder_new(NULL, &frame->value), LEAT_OK);
        ck_assert_int_eq(leat_builder_copy(frame->value, NULL, leat_event_value(event)), LEAT_OK);
    }
}

static void frames_free(struct frames *frames)
{
    size_t i;

    for (i = 0; i < frames->count; i++) {
        leat_builder_free(frames->frames[i].value);
        t_free(frames->frames[i].octets);
    }
    free(frames);
}

static struct frames *recording(const char *path)
{
    struct frames *frames = (struct frames *)calloc(1, sizeof *frames);
    struct reader readers[2];
    struct lines lines;

    ck_assert_ptr_nonnull(frames);
    reader_init(&readers[0], false);
    reader_init(&readers[1], true);
    lines_open(&lines, path);
    while (lines_next(&lines)) {
        char *hex = text_of(lines.line, "hex");
        struct t_bytes octets;

        if (hex == NULL || leat_value_u64(leat_value_get(lines.line, "conn")) != 1) {
            free(hex);
            continue;
        }
        octets = t_hex(hex);
        read_frames(&readers[has_text(lines.line, "dir", "b>a")], frames,
                    (uint64_t)(leat_value_f64(leat_value_get(lines.line, "t")) * 1000 + 0.5),
                    octets.data, octets.length);
        t_free(octets);
        free(hex);
    }
    leat_session_free(readers[0].session);
    leat_session_free(readers[1].session);
    return frames;
}

/* ----- frames ----- */

static const leat_value *value_of(const struct frame *frame)
{
    return leat_builder_value(frame->value);
}

static const leat_value *field(const struct frame *frame, const char *name)
{
    return leat_value_get(leat_value_get(value_of(frame), "command"), name);
}

static uint64_t tag_of(const struct frame *frame)
{
    return frame->kind == LEAT_BROKER_COMMAND ? leat_value_u64(field(frame, "tag")) : UINT64_MAX;
}

static bool is_timed(const struct frame *frame)
{
    return tag_of(frame) == KEEPALIVE || tag_of(frame) == CUMULATIVE_ACK;
}

static bool has_topic(const struct frame *frame, const char *name, const char *end)
{
    char topic[128], wanted[160];
    size_t length;
    const char *text = leat_value_text(leat_value_get(value_of(frame), "topic"), &length);

    (void)snprintf(topic, sizeof topic, "%.*s", (int)length, text);
    (void)snprintf(wanted, sizeof wanted, "%s/<$>/data/%s", name, end);
    return strcmp(topic, wanted) == 0;
}

/* ----- one side ----- */

struct side {
    struct frames *recorded;
    struct frames *said; /* by us */
    struct reader reader;
    bool is_b;
    leat_broker *broker;
    leat_session *session;
    uint64_t now_ms;
    struct {
        leat_broker_store *store;
        char name[128];
        bool is_master;
        uint64_t made_ms;
        uint64_t object;
        const struct frame *copy; /* the first one that it gave */
    } stores[STORES];
    size_t count;
};

static void collect(struct side *side)
{
    const leat_event *event;
    const void *data;
    size_t length;

    while (leat_next(side->session, &event) == LEAT_OK)
        ;
    data = leat_send_data(side->session, &length);
    if (length > 0)
        read_frames(&side->reader, side->said, side->now_ms, data, length);
    ck_assert_int_eq(leat_send_done(side->session, length), LEAT_OK);
}

/* The stores of our side: by what it said on their topics. */
static void find_stores(struct side *side)
{
    size_t i, n;

    for (i = 0; i < side->recorded->count; i++) {
        const struct frame *frame = &side->recorded->frames[i];
        const char *topic;
        char name[128], *end;
        size_t length;

        if (frame->kind != LEAT_BROKER_COMMAND || frame->by_b != side->is_b)
            continue;
        topic = leat_value_text(leat_value_get(value_of(frame), "topic"), &length);
        (void)snprintf(name, sizeof name, "%.*s", (int)length, topic);
        end = strstr(name, "/<$>/data/");
        ck_assert_ptr_nonnull(end);
        *end = '\0';
        for (n = 0; n < side->count && strcmp(side->stores[n].name, name) != 0; n++)
            ;
        if (n == side->count) {
            ck_assert_uint_lt(side->count, STORES);
            (void)snprintf(side->stores[n].name, sizeof side->stores[n].name, "%s", name);
            side->stores[n].is_master = strcmp(end + strlen("/<$>/data/"), "clone") == 0;
            side->stores[n].object = leat_value_u64(leat_value_at(field(frame, "sender"), 1));
            side->count++;
        }
        if (side->stores[n].copy == NULL && tag_of(frame) == ACK_CLONE)
            side->stores[n].copy = frame;
    }
}

/* A clone is made when its endpoint says so; a master so that its ticks are those of the recording. */
static void date_stores(struct side *side)
{
    size_t i, n;

    for (n = 0; n < side->count; n++) {
        for (i = 0; i < side->recorded->count && side->stores[n].made_ms == 0; i++) {
            const struct frame *frame = &side->recorded->frames[i];
            const leat_value *topic;
            char wanted[160];

            if (frame->by_b != side->is_b)
                continue;
            if (side->stores[n].is_master && tag_of(frame) == KEEPALIVE &&
                has_topic(frame, side->stores[n].name, "clone"))
                side->stores[n].made_ms = frame->ms % 500;
            if (side->stores[n].is_master || frame->kind != LEAT_BROKER_ROUTING_UPDATE)
                continue;
            (void)snprintf(wanted, sizeof wanted, "%s/<$>/data/clone", side->stores[n].name);
            for (topic = leat_value_first(leat_value_get(value_of(frame), "filter")); topic != NULL;
                 topic = leat_value_next(leat_value_get(value_of(frame), "filter"), topic)) {
                size_t length;
                const char *text = leat_value_text(topic, &length);

                if (length == strlen(wanted) && memcmp(text, wanted, length) == 0)
                    side->stores[n].made_ms = frame->ms;
            }
        }
        ck_assert_uint_ne(side->stores[n].made_ms, 0);
    }
}

static void make_store(struct side *side, size_t n)
{
    leat_broker_store_options options;
    const char *name = side->stores[n].name;
    const leat_value *state, *key;

    leat_broker_store_options_init(&options, sizeof options);
    options.object = side->stores[n].object;
    if (!side->stores[n].is_master) {
        ck_assert_int_eq(leat_broker_store_clone(side->broker, name, strlen(name), &options,
                                                 &side->stores[n].store),
                         LEAT_OK);
        return;
    }
    ck_assert_int_eq(leat_broker_store_master(side->broker, name, strlen(name), &options,
                                              &side->stores[n].store),
                     LEAT_OK);
    state = side->stores[n].copy == NULL ? NULL : field(side->stores[n].copy, "state");
    for (key = leat_value_first(state); key != NULL;) {
        const leat_value *value = leat_value_next(state, key);

        ck_assert_int_eq(
            leat_broker_store_put(side->stores[n].store, key, value, LEAT_BROKER_FOR_EVER),
            LEAT_OK);
        key = leat_value_next(state, value);
    }
}

/* Lets time pass. */
static void advance(struct side *side, uint64_t ms)
{
    size_t n;

    for (;;) {
        uint64_t due = leat_broker_deadline(side->broker);
        size_t next = STORES;

        /* What is due for us to do, such as connecting, is not what this is about. */
        if (due <= side->now_ms)
            due = side->now_ms + 1;
        for (n = 0; n < side->count; n++) {
            uint64_t made_ms = side->stores[n].made_ms;

            if (side->stores[n].store == NULL && made_ms <= ms &&
                (next == STORES ? made_ms <= due : made_ms < due)) {
                due = made_ms;
                next = n;
            }
        }
        side->now_ms = due < ms ? due : ms;
        leat_broker_tick(side->broker, side->now_ms);
        if (next < STORES)
            make_store(side, next);
        if (side->session != NULL)
            collect(side);
        if (next == STORES && due >= ms)
            break;
    }
}

static void open_session(struct side *side)
{
    if (side->is_b) {
        ck_assert_int_eq(leat_broker_accept(side->broker, "127.0.0.1", 40000, &side->session),
                         LEAT_OK);
        return;
    }
    ck_assert_int_eq(leat_broker_peer(side->broker, "127.0.0.1", 9999, 0), LEAT_OK);
    ck_assert_int_eq(leat_broker_connect(side->broker, &side->session), LEAT_OK);
}

/* Whether our side's store made this action, and not the protocol: then it is our turn to call. */
static void write_as_recorded(struct side *side, const struct frame *frame)
{
    const leat_value *key = field(frame, "key"), *value = field(frame, "value");
    const leat_value *expiry = field(frame, "expiry_ns");
    int64_t ns = leat_value_kind(expiry) == LEAT_INT ? leat_value_i64(expiry) : -1;
    static const uint32_t kinds[] = {[2] = LEAT_UINT, [3] = LEAT_INT,       [4] = LEAT_REAL,
                                     [5] = LEAT_TEXT, [9] = LEAT_TIMESTAMP, [10] = LEAT_TIMESPAN,
                                     [12] = LEAT_SET, [13] = LEAT_TABLE,    [14] = LEAT_LIST};
    leat_broker_store *store = NULL;
    bool is_master = false;
    int status = LEAT_OK;
    size_t n;

    for (n = 0; n < side->count; n++) {
        is_master = side->stores[n].is_master;
        store = side->stores[n].store;
        if (has_topic(frame, side->stores[n].name, is_master ? "clone" : "master"))
            break;
    }
    ck_assert_uint_lt(n, side->count);
    if (is_master && !leat_value_equal(leat_value_at(field(frame, "publisher"), 0),
                                       leat_value_at(field(frame, "sender"), 0)))
        return;
    switch (tag_of(frame)) {
    case 0:
        status = leat_broker_store_put(store, key, value, ns);
        break;
    case 1:
        status = leat_broker_store_put_unique(store, key, value, ns,
                                              leat_value_u64(field(frame, "req_id")));
        break;
    case 3:
        status = leat_broker_store_erase(store, key);
        break;
    case 5:
        status = leat_broker_store_add(store, key, value,
                                       kinds[leat_value_u64(field(frame, "init_type"))], ns);
        break;
    case 6:
        status = leat_broker_store_subtract(store, key, value, ns);
        break;
    case 7:
        status = leat_broker_store_clear(store);
        break;
    default:
        break; /* results and expiry come by themselves */
    }
    ck_assert_int_eq(status, LEAT_OK);
    collect(side);
}

static void play(struct side *side)
{
    size_t i;

    for (i = 0; i < side->recorded->count; i++) {
        const struct frame *frame = &side->recorded->frames[i];

        advance(side, frame->ms);
        if (side->session == NULL)
            open_session(side);
        if (frame->by_b != side->is_b && (leat_wants(side->session) & LEAT_WANT_READ) != 0) {
            ck_assert_int_eq(leat_feed(side->session, frame->octets.data, frame->octets.length),
                             LEAT_OK);
            collect(side);
        } else if (frame->by_b == side->is_b && tag_of(frame) <= 7) {
            write_as_recorded(side, frame);
        }
    }
}

/* ----- comparing ----- */

static size_t next_command(const struct frames *frames, size_t i, bool by_b, bool timed)
{
    while (i < frames->count &&
           (frames->frames[i].by_b != by_b || frames->frames[i].kind != LEAT_BROKER_COMMAND ||
            is_timed(&frames->frames[i]) != timed))
        i++;
    return i;
}

/* Who asks for what is unique. */
static void forget_who(struct frame *frame)
{
    if (tag_of(frame) == 1)
        memset(frame->octets.data + frame->octets.length - 40, 0, 8);
}

static void compare_commands(const struct side *side, const char *path)
{
    struct frames *recorded = side->recorded;
    size_t a = 0, b = 0, count = 0;

    for (;;) {
        struct frame *was, *is;
        char *was_hex, *is_hex;

        a = next_command(recorded, a, side->is_b, false);
        b = next_command(side->said, b, side->is_b, false);
        if (a == recorded->count || b == side->said->count)
            break;
        was = &recorded->frames[a++];
        is = &side->said->frames[b++];
        forget_who(was);
        forget_who(is);
        was_hex = t_to_hex(was->octets.data, was->octets.length);
        is_hex = t_to_hex(is->octets.data, is->octets.length);
        ck_assert_msg(strcmp(was_hex, is_hex) == 0, "%s at %u ms, %u ms:\n%s\n%s", path,
                      (unsigned)was->ms, (unsigned)is->ms, was_hex, is_hex);
        ck_assert_msg(is->ms <= was->ms + 200 && was->ms <= is->ms + 200, "%s: at %u ms, not %u ms",
                      path, (unsigned)is->ms, (unsigned)was->ms);
        free(was_hex);
        free(is_hex);
        count++;
    }
    ck_assert_msg(a == recorded->count && b == side->said->count, "%s: more or fewer commands",
                  path);
    ck_assert(count > 0 || side->count == 0);
}

/*
 * Ticks that fell on the other side of what happened within the same few milliseconds, since the clock
 * of the recorded side drifted by then: what was recorded, and what ours said instead.
 */
static const struct {
    const char *path;
    uint64_t ms;
    uint64_t tag;
    uint64_t number;
} races[] = {
    /* The tick of 1736 ms comes before the first write, and after it in the recording. */
    {"broker/captures/store-master-clone-low.jsonl", 1736, KEEPALIVE, 1},
    {"broker/captures/store-master-clone-high.jsonl", 1750, KEEPALIVE, 1},
    {"broker/captures/store-master-clone-high.jsonl", 1750, CUMULATIVE_ACK, 1},
    {"broker/captures/store-master-clone-high.jsonl", 1752, CUMULATIVE_ACK, 2},
    /* The recorded clone ticks 3 to 11 ms later than ours, and acknowledges what came in between. */
    {"zeek/events/store.jsonl", 2592, CUMULATIVE_ACK, 3},
    {"zeek/events/store.jsonl", 2595, CUMULATIVE_ACK, 5},
    {"zeek/events/store.jsonl", 3092, CUMULATIVE_ACK, 9},
    {"zeek/events/store.jsonl", 3096, CUMULATIVE_ACK, 10},
    {"zeek/events/store.jsonl", 3592, CUMULATIVE_ACK, 14},
    {"zeek/events/store.jsonl", 3597, CUMULATIVE_ACK, 15},
    {"zeek/events/store.jsonl", 5592, CUMULATIVE_ACK, 19},
    {"zeek/events/store.jsonl", 5603, CUMULATIVE_ACK, 20},
    /* The recorded process ended just before. */
    {"zeek/events/store-tables.jsonl", 6697, KEEPALIVE, 2},
};

static bool is_race(const struct frame *frame, const char *path)
{
    size_t i;

    for (i = 0; i < sizeof races / sizeof *races; i++) {
        if (strcmp(races[i].path, path) == 0 && races[i].ms == frame->ms &&
            races[i].tag == tag_of(frame) &&
            races[i].number == leat_value_u64(field(frame, "seq_arg")))
            return true;
    }
    return false;
}

static bool is_same_timed(const struct frame *a, const struct frame *b)
{
    return tag_of(a) == tag_of(b) && a->ms <= b->ms + 200 && b->ms <= a->ms + 200 &&
           leat_value_equal(leat_value_get(value_of(a), "topic"),
                            leat_value_get(value_of(b), "topic")) &&
           leat_value_equal(field(a, "seq_arg"), field(b, "seq_arg"));
}

/* Each of these is there among the others, too, about that time. */
static void compare_timed(const struct frames *these, const struct frames *others,
                          const struct side *side, const char *path)
{
    size_t a, b;

    for (a = next_command(these, 0, side->is_b, true); a < these->count;
         a = next_command(these, a + 1, side->is_b, true)) {
        const struct frame *frame = &these->frames[a];

        b = next_command(others, 0, side->is_b, true);
        while (b < others->count && !is_same_timed(frame, &others->frames[b]))
            b = next_command(others, b + 1, side->is_b, true);
        ck_assert_msg(b < others->count || (!side->is_b && is_race(frame, path)),
                      "%s: %s %s %u at %u ms", path, these == side->said ? "ours" : "recorded",
                      tag_of(frame) == KEEPALIVE ? "keepalive" : "cumulative_ack",
                      (unsigned)leat_value_u64(field(frame, "seq_arg")), (unsigned)frame->ms);
    }
}

static const char *const paths[] = {
    "broker/captures/store-master-clone-low.jsonl",
    "broker/captures/store-master-clone-high.jsonl",
    "zeek/events/store.jsonl",
    "zeek/events/store-tables.jsonl",
    "zeek/events/store-no-master.jsonl",
    "zeek/events/store-two-masters.jsonl",
};

START_TEST(replay)
{
    const char *path = paths[_i / 2];
    struct frames *recorded = recording(path);
    struct side *side = (struct side *)calloc(1, sizeof *side);
    leat_broker_options options;
    size_t i;

    ck_assert_ptr_nonnull(side);
    side->recorded = recorded;
    side->said = (struct frames *)calloc(1, sizeof *side->said);
    side->is_b = _i % 2 == 1;
    reader_init(&side->reader, side->is_b);
    leat_broker_options_init(&options, sizeof options);
    for (i = 0; i < recorded->count; i++) {
        const uint8_t *id =
            leat_value_bytes(leat_value_get(value_of(&recorded->frames[i]), "sender"), NULL);

        if (recorded->frames[i].by_b == side->is_b && id != NULL)
            memcpy(options.id, id, 16);
    }
    ck_assert_int_eq(leat_broker_new(NULL, &options, &side->broker), LEAT_OK);
    find_stores(side);
    date_stores(side);
    play(side);
    compare_commands(side, path);
    compare_timed(recorded, side->said, side, path);
    compare_timed(side->said, recorded, side, path);
    for (i = 0; i < side->count; i++)
        leat_broker_store_free(side->stores[i].store);
    leat_session_free(side->session);
    leat_broker_free(side->broker);
    leat_session_free(side->reader.session);
    frames_free(side->said);
    frames_free(recorded);
    free(side);
}
END_TEST

static void tests(TCase *t)
{
    tcase_add_loop_test(t, replay, 0, (int)(2 * sizeof paths / sizeof *paths));
}

T_MAIN("broker/store_replay", tests)
