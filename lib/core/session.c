#include "session.h"

#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISON 1
#endif
#endif

/*
 * Under ASan what was lent and taken back cannot be read, so that breaking the borrow rule shows at
 * once.
 */
#ifdef POISON
#include <sanitizer/asan_interface.h>
#define poison(p, n)   ASAN_POISON_MEMORY_REGION(p, n)
#define unpoison(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define poison(p, n)   ((void)(p), (void)(n))
#define unpoison(p, n) ((void)(p), (void)(n))
#endif

/* Not worth setting up a stack frame before it is clear that it is needed. */
#if defined(__GNUC__)
#define OUT_OF_LINE __attribute__((noinline))
#else
#define OUT_OF_LINE
#endif

#define WINDOW_FIRST ((size_t)16 << 10) /* octets of a new window */
#define WINDOW_READS ((size_t)64 << 10) /* up to here it grows when reads fill it */
#define SPACE_MIN    ((size_t)1 << 10)  /* least space that leat_recv_space() lends */

int lt_session_new(const struct lt_dialect *dialect, const leat_config *config,
                   const leat_limits *defaults, leat_session **session)
{
    leat_allocator allocator = lt_allocator(config);
    leat_session *made = (leat_session *)lt_alloc_zero(&allocator, dialect->bytes);

    if (made == NULL)
        return LEAT_E_NOMEM;
    made->dialect = dialect;
    made->allocator = allocator;
    made->limits = lt_limits(config, defaults);
    if (made->limits.depth > LT_DEPTH_MAX)
        made->limits.depth = LT_DEPTH_MAX;
    lt_tree_init(&made->tree, &allocator, made->limits.values);
    made->out = lt_writer(&made->allocator, 0);
    *session = made;
    return LEAT_OK;
}

static void free_window(leat_session *session)
{
    unpoison(session->window, session->window_size);
    lt_free(&session->allocator, session->window, session->window_size);
    session->window = NULL;
    session->window_size = session->start = session->end = 0;
}

void leat_session_free(leat_session *session)
{
    leat_allocator allocator;

    if (session == NULL)
        return;
    if (session->dialect->release != NULL)
        session->dialect->release(session);
    free_window(session);
    lt_tree_free(&session->tree);
    lt_writer_free(&session->out);
    allocator = session->allocator;
    lt_free(&allocator, session, session->dialect->bytes);
}

void lt_skip(leat_session *session, size_t count)
{
    if (count == 0) /* there may be no window */
        return;
    poison(session->window + session->start, count);
    session->start += count;
    session->consumed += count;
    if (session->start == session->end)
        session->start = session->end = 0;
}

void lt_take_back(leat_session *session)
{
    if (session->held > 0) {
        lt_skip(session, session->held);
        session->held = 0;
    }
    session->lent_space = 0;
}

int lt_fail_at(leat_session *session, int status, uint64_t offset, const char *what,
               const char *field)
{
    if (session->status == LEAT_OK) {
        session->status = status;
        session->need = 0;
        (void)lt_error(&session->error, status, offset, what, field);
    }
    return session->status;
}

int lt_fail(leat_session *session, int status, size_t at, const char *what, const char *field)
{
    return lt_fail_at(session, status, session->consumed + at, what, field);
}

int lt_refuse(leat_session *session, int status, size_t at, const char *what, const char *field)
{
    return lt_error(&session->send_error, status, at, what, field);
}

leat_event *lt_event(leat_session *session, uint32_t kind, const char *name, const uint8_t *raw,
                     size_t raw_length, uint64_t offset)
{
    leat_event *event = &session->event;

    event->kind = kind;
    event->name = name;
    event->name_length = strlen(name);
    event->value = NULL;
    event->raw = raw;
    event->raw_length = raw_length;
    event->offset = offset;
    event->error.code = LEAT_OK;
    return event;
}

/* Makes room for count octets behind the unread ones. */
static bool make_room(leat_session *session, size_t count)
{
    size_t unread = session->end - session->start;
    size_t size = session->window_size < WINDOW_FIRST ? WINDOW_FIRST : session->window_size;
    uint8_t *window;

    if (session->window_size - session->end >= count)
        return true;
    if (count > SIZE_MAX / 4 || unread > SIZE_MAX / 4)
        return false;
    /* Moving what is unread to the front is cheap while it is less than what was read since. */
    if (session->start >= unread && session->window_size - unread >= count) {
        unpoison(session->window, session->window_size);
        memmove(session->window, session->window + session->start, unread);
        session->start = 0;
        session->end = unread;
        return true;
    }
    while (size - unread < count || size < unread * 2)
        size *= 2;
    window = (uint8_t *)lt_resize(&session->allocator, NULL, 0, size);
    if (window == NULL)
        return false;
    if (unread > 0)
        memcpy(window, session->window + session->start, unread);
    free_window(session);
    session->window = window;
    session->window_size = size;
    session->end = unread;
    return true;
}

void *leat_recv_space(leat_session *session, size_t *length)
{
    size_t least = SPACE_MIN;

    *length = 0;
    if (session->status != LEAT_OK || session->eof)
        return NULL;
    /* Reads that fill the window show a busy peer: larger ones are cheaper. */
    if (session->filled && session->window_size > least && session->window_size < WINDOW_READS)
        least = session->window_size;
    session->filled = false;
    lt_take_back(session);
    if (!make_room(session, least)) {
        (void)lt_fail(session, LEAT_E_NOMEM, 0, "out of memory", NULL);
        return NULL;
    }
    session->lent_space = *length = session->window_size - session->end;
    session->lent_at = session->end;
    unpoison(session->window + session->end, *length);
    return session->window + session->end;
}

int leat_recv_done(leat_session *session, size_t length)
{
    if (length > session->lent_space || session->lent_at != session->end)
        return LEAT_E_STATE;
    session->filled = length > 0 && length == session->lent_space;
    if (length > 1)
        session->need = 0;
    session->lent_space = 0;
    session->end += length;
    return LEAT_OK;
}

int leat_recv_eof(leat_session *session)
{
    if (session->status < 0)
        return session->status;
    lt_take_back(session);
    session->need = 0;
    session->eof = true;
    return LEAT_OK;
}

static OUT_OF_LINE int feed(leat_session *session, const void *data, size_t length)
{
    if (session->status < 0)
        return session->status;
    if (session->eof || session->status == LEAT_END)
        return LEAT_E_STATE;
    lt_take_back(session);
    if (length > 1)
        session->need = 0;
    if (length == 0)
        return LEAT_OK;
    if (session->window_size - session->end < length && !make_room(session, length))
        return LEAT_E_NOMEM;
    unpoison(session->window + session->end, length);
    memcpy(session->window + session->end, data, length);
    session->end += length;
    return LEAT_OK;
}

/*
 * Octets that come one at a time mostly meet a session that waits for more of them, and room for
 * one. These two ways are short, so that a slow stream costs little more than its calls. What comes
 * in larger pieces is looked at at once, so that no event waits for octets that it does not need.
 */
int leat_feed(leat_session *session, const void *data, size_t length)
{
    if (length != 1 || session->need == 0 || session->end == session->window_size)
        return feed(session, data, length);
    unpoison(session->window + session->end, 1);
    session->window[session->end++] = *(const uint8_t *)data;
    return LEAT_OK;
}

static OUT_OF_LINE int next(leat_session *session, const leat_event **event)
{
    int status;

    if (session->status != LEAT_OK)
        return session->status;
    lt_take_back(session);
    session->need = 0;
    session->drained = false;
    lt_tree_clear(&session->tree);
    status = session->dialect->next(session);
    session->paused = status == LEAT_PAUSED;
    if (status == LEAT_OK) {
        *event = &session->event;
    } else if (status == LEAT_MORE && session->eof) {
        if (lt_unread_bytes(session) > 0 || session->inside)
            return lt_fail(session, LEAT_E_END, lt_unread_bytes(session),
                           "the stream ended inside a message", NULL);
        if (!session->owes)
            status = lt_end(session);
    }
    return status;
}

int leat_next(leat_session *session, const leat_event **event)
{
    return lt_unread_bytes(session) < session->need ? LEAT_MORE : next(session, event);
}

const void *leat_send_data(const leat_session *session, size_t *length)
{
    *length = session->out.length - session->hold_back - session->sent;
    return *length == 0 ? NULL : session->out.data + session->sent;
}

int leat_send_done(leat_session *session, size_t length)
{
    if (length > session->out.length - session->hold_back - session->sent)
        return LEAT_E_STATE;
    session->sent += length;
    session->need = 0; /* there may be room for what waited for it */
    if (session->sent == session->out.length) {
        session->sent = session->out.length = 0;
        if (session->dialect->sent != NULL)
            session->dialect->sent(session);
    }
    session->drained = session->sent + session->hold_back == session->out.length;
    return LEAT_OK;
}

void lt_send_begin(leat_session *session)
{
    struct lt_writer *out = &session->out;

    session->send_error.code = LEAT_OK;
    session->need = 0; /* what is sent may change what the next call says */
    if (session->sent > out->length - session->sent) {
        out->length -= session->sent;
        memmove(out->data, out->data + session->sent, out->length);
        session->sent = 0;
    }
    out->limit = session->limits.queued_bytes > SIZE_MAX - session->sent
                     ? SIZE_MAX
                     : (size_t)session->limits.queued_bytes + session->sent;
    session->send_mark = out->length;
    session->send_hold = session->hold_back;
}

int lt_send_end(leat_session *session, int status)
{
    struct lt_writer *out = &session->out;

    if (out->status == LEAT_OK && out->length > out->limit)
        out->status = LEAT_E_LIMIT;
    if (status == LEAT_OK && out->status != LEAT_OK)
        status = lt_refuse(session, out->status, 0,
                           out->status == LEAT_E_LIMIT ? "too much output waits" : "out of memory",
                           NULL);
    if (status != LEAT_OK) {
        out->length = session->send_mark;
        session->hold_back = session->send_hold;
    }
    out->status = LEAT_OK;
    return status;
}

int leat_send(leat_session *session, const char *name, const leat_value *value)
{
    if (session->status < 0)
        return lt_refuse(session, LEAT_E_STATE, 0, "the session has failed", NULL);
    lt_send_begin(session);
    return lt_send_end(session, session->dialect->send(session, name, value));
}

void leat_tick(leat_session *session, uint64_t now_ms)
{
    if (now_ms > session->now_ms)
        session->now_ms = now_ms;
    if (session->dialect->tick != NULL)
        session->dialect->tick(session);
}

uint64_t leat_deadline(const leat_session *session)
{
    if (session->paused && session->drained)
        return 0;
    return session->dialect->deadline == NULL ? UINT64_MAX : session->dialect->deadline(session);
}

void leat_session_set_user(leat_session *session, void *user)
{
    session->user = user;
}

void *leat_session_user(const leat_session *session)
{
    return session->user;
}

uint32_t leat_wants(const leat_session *session)
{
    uint32_t wants = 0;
    size_t waiting;

    (void)leat_send_data(session, &waiting);
    if (waiting > 0)
        wants |= LEAT_WANT_WRITE;
    if (session->status != LEAT_OK)
        wants |= LEAT_WANT_CLOSE;
    else if (!session->eof && !session->paused)
        wants |= LEAT_WANT_READ;
    return wants;
}

const leat_error *leat_session_error(const leat_session *session)
{
    return session->status < 0 ? &session->error : NULL;
}

const leat_error *leat_session_send_error(const leat_session *session)
{
    return session->send_error.code == LEAT_OK ? NULL : &session->send_error;
}

void leat_session_trim(leat_session *session)
{
    lt_take_back(session);
    session->event.value = NULL;
    if (session->dialect->trim != NULL)
        session->dialect->trim(session);
    if (session->start == session->end)
        free_window(session);
    lt_tree_free(&session->tree);
    if (session->sent == session->out.length) {
        lt_writer_free(&session->out);
        session->sent = 0;
    }
}

size_t leat_session_memory(const leat_session *session)
{
    size_t bytes = session->dialect->bytes + session->window_size + session->out.size +
                   session->tree.size * sizeof(leat_value) + lt_arena_bytes(&session->tree.arena);

    if (session->dialect->memory != NULL)
        bytes += session->dialect->memory(session);
    return bytes;
}

uint32_t leat_event_kind(const leat_event *event)
{
    return event == NULL ? 0 : event->kind;
}

const char *leat_event_name(const leat_event *event, size_t *length)
{
    if (length != NULL)
        *length = event == NULL ? 0 : event->name_length;
    return event == NULL ? "" : event->name;
}

const leat_value *leat_event_value(const leat_event *event)
{
    return event == NULL ? NULL : event->value;
}

const void *leat_event_raw(const leat_event *event, size_t *length)
{
    *length = event == NULL ? 0 : event->raw_length;
    return event == NULL ? NULL : event->raw;
}

uint64_t leat_event_offset(const leat_event *event)
{
    return event == NULL ? 0 : event->offset;
}

const leat_error *leat_event_error(const leat_event *event)
{
    return event == NULL || event->error.code == LEAT_OK ? NULL : &event->error;
}
