/*
 * A server's sessions: who is at the other end, what of its messages counts, and the answers.
 * Source: spec sections 4 to 10.
 *
 * What a proxy may not have is kept from it in three places: before its first row or its message is
 * shown (is_allowed), and again before anything is written to it (on_turn), as it may have been
 * removed meanwhile.
 */
#include "server.h"

#include "fields.h"
#include "tables.h"

#include "../core/text.h"

#include <leat/builder.h>

/* As much text of tasks goes into one message, so that none is over the limits of its reader. */
#define TASKS_BYTES ((size_t)1 << 20)
/* What a proxy tells of a revision beyond that is not believed. */
#define REVISION_MAX        (UINT64_C(1) << 62)
#define INFO_BYTES          320u
#define TYPE_PROXY_DATA     9u /* a task from a proxy ... */
#define DATATYPE_PROXY_NAME 3u /* ... that asks for its configuration */

enum section {
    AVAILABILITY,
    HISTORY,
    DISCOVERY,
    REGISTRATION,
    HOST_DATA,
    TASKS,
    OTHER, /* nothing that a proxy says here */
    AGAIN  /* a second section of a name: real servers look at the first alone */
};
#define BIT(section) (1u << (section))
/* What a throttled server does not take. */
#define DATA_SECTIONS                                                                              \
    (BIT(AVAILABILITY) | BIT(HISTORY) | BIT(DISCOVERY) | BIT(REGISTRATION) | BIT(HOST_DATA))

static const struct {
    const char *name;
    enum section section;
} sections[] = {
    {"history data", HISTORY},
    {"interface availability", AVAILABILITY},
    {"host availability", AVAILABILITY},
    {"discovery data", DISCOVERY},
    {"auto registration", REGISTRATION},
    {"host data", HOST_DATA},
    {"tasks", TASKS},
};
#define SECTIONS (sizeof sections / sizeof *sections)

enum answer {
    PLAIN,     /* success */
    UNWANTED,  /* data came while the server is throttled */
    CONFLICT,  /* another message of the session was taken meanwhile */
    DISCARDED, /* of a version that is not taken: a passive proxy is told nothing of it */
    NOTHING    /* no configuration, but {} to end the handshake */
};

struct lt_zabbix_taking {
    enum section section; /* of the rows that are arriving */
    unsigned names;       /* sections that came, one bit for each of the table above */
    unsigned found;       /* those of a whole message, by the first member of a name */
    unsigned failed;      /* bits of sections with a row that was wrong */
    bool throttled;       /* the server was, when the message began */
    bool has_token;
    bool no_tasks;   /* for a version that the server does not take */
    bool has_vault;  /* it finds the secrets itself */
    bool unanswered; /* complete and sound */
    bool counted;    /* its values count */
    enum answer answer;
    char token[LT_ZABBIX_TOKEN];
    uint64_t mark; /* ids up to this one had come before */
    uint64_t last_id;
    uint64_t rows;
    uint64_t repeated;
    uint64_t revision; /* that it has of its configuration */
    uint64_t hostmap;
    size_t place; /* of "id" in a row */
    size_t info_length;
    char info[INFO_BYTES];
};

/* ---- visits ---- */

int lt_zabbix_visit_make(leat_zabbix_server *server, const leat_zabbix_peer *peer,
                         struct lt_zabbix_visit **visit)
{
    struct lt_zabbix_visit *made =
        (struct lt_zabbix_visit *)lt_alloc_zero(&server->allocator, sizeof *made);
    int status = LEAT_OK;

    if (made == NULL)
        return LEAT_E_NOMEM;
    if (peer != NULL)
        status = lt_zabbix_peer_make(&server->allocator, peer, &made->peer);
    if (status != LEAT_OK) {
        lt_free(&server->allocator, made, sizeof *made);
        return status;
    }
    made->met = peer != NULL;
    made->server = server;
    made->begun_ms = server->now_ms;
    made->next = server->visits;
    if (made->next != NULL)
        made->next->previous = made;
    server->visits = made;
    *visit = made;
    return LEAT_OK;
}

void lt_zabbix_visit_free(struct lt_zabbix_visit *visit)
{
    leat_zabbix_server *server = visit->server;

    if (visit->next != NULL)
        visit->next->previous = visit->previous;
    if (visit->previous != NULL)
        visit->previous->next = visit->next;
    else
        server->visits = visit->next;
    lt_zabbix_peer_free(&server->allocator, &visit->peer);
    lt_free(&server->allocator, visit->taking, sizeof *visit->taking);
    lt_free(&server->allocator, visit, sizeof *visit);
}

size_t lt_zabbix_visit_memory(const struct lt_zabbix_visit *visit)
{
    return sizeof *visit + visit->peer.identity.bytes +
           (visit->taking == NULL ? 0 : sizeof *visit->taking);
}

static struct lt_zabbix_visit *visit_of(const leat_session *session)
{
    const struct lt_zabbix_exchange *x = (const struct lt_zabbix_exchange *)session;

    if (session->dialect != &lt_zabbix_live || x->owner != &lt_zabbix_serving)
        return NULL;
    return (struct lt_zabbix_visit *)x->engine;
}

static struct lt_zabbix_visit *visit_at(struct lt_zabbix_exchange *x)
{
    return (struct lt_zabbix_visit *)x->engine;
}

/* The exchanges of proxies; those of agents and senders are the caller's business. */
static bool is_of_proxy(const struct lt_zabbix_exchange *x)
{
    return x->kind >= LEAT_ZABBIX_PROXY_CONFIG && x->kind <= LEAT_ZABBIX_PROXY_HEARTBEAT;
}

/* ---- who may ---- */

/* Whether a proxy that was let in still may. */
static bool may_stay(const struct lt_zabbix_visit *visit)
{
    char reason[LT_ZABBIX_REASON];

    return visit->known != NULL && visit->met &&
           visit->known->passive == visit->exchange->connects &&
           lt_zabbix_access_denied(&visit->known->access, &visit->peer, visit->known->name,
                                   reason) == NULL;
}

static void deny(struct lt_zabbix_visit *visit, const char *before, const char *name, size_t length,
                 const char *after, const char *what)
{
    char reason[LT_ZABBIX_REASON];

    lt_zabbix_reason(reason, before, name, length, after);
    lt_zabbix_exchange_refuse(visit->exchange, reason, what, "host");
}

/*
 * Whether the sender of the message at hand, whose members came so far, may talk: if not, it is
 * refused. The order and the reasons are those of spec section 4.2.
 */
static bool is_allowed(struct lt_zabbix_visit *visit, const leat_value *members)
{
    char reason[LT_ZABBIX_REASON];
    size_t length;
    const leat_value *host = leat_value_get(members, "host");
    const char *name = leat_value_text(host, &length), *what;
    struct lt_zabbix_known *known;

    if (may_stay(visit))
        return true;
    visit->known = NULL; /* nothing of it was taken as yet */
    if (visit->exchange->connects) {
        lt_zabbix_exchange_refuse(visit->exchange, "connection is not allowed",
                                  "the proxy was removed meanwhile", NULL);
        return false;
    }
    if (leat_value_kind(host) != LEAT_TEXT) {
        deny(visit, "missing name of proxy", "", 0, "", "no name of a proxy before its rows");
        return false;
    }
    known = lt_zabbix_known_find(visit->server, name, length);
    if (known == NULL) {
        bool valid = lt_zabbix_is_proxy_name(name, length);

        deny(visit, valid ? "proxy \"" : "invalid proxy name \"", name, length,
             valid ? "\" not found" : "\"",
             valid ? "a proxy that was not added" : "not a name of a proxy");
        return false;
    }
    if (known->passive) {
        deny(visit, "proxy \"", name, length, "\" is configured for passive mode",
             "the proxy is not an active one");
        return false;
    }
    what = lt_zabbix_access_denied(&known->access, &visit->peer, known->name, reason);
    if (!visit->met || what != NULL) {
        lt_zabbix_exchange_refuse(visit->exchange,
                                  visit->met ? reason : "connection is not allowed",
                                  visit->met ? what : "nobody told who the peer is", NULL);
        return false;
    }
    visit->known = known;
    visit->exchange->auto_compress = known->compress;
    return true;
}

static void on_request(struct lt_zabbix_exchange *x)
{
    if (is_of_proxy(x))
        (void)is_allowed(visit_at(x), x->zabbix.core.event.value);
}

/* ---- rows ---- */

static void mark_wrong(struct lt_zabbix_visit *visit, const char *what, const char *field)
{
    leat_event *event = &visit->exchange->zabbix.core.event;

    if (event->error.code == LEAT_OK)
        (void)lt_error(&event->error, LEAT_E_PROTOCOL, event->offset, what, field);
}

static enum section section_of(const char *name, size_t length, unsigned *bit)
{
    size_t i;

    *bit = 0;
    for (i = 0; i < SECTIONS; i++) {
        if (strlen(sections[i].name) == length && memcmp(sections[i].name, name, length) == 0) {
            *bit = 1u << i;
            return sections[i].section;
        }
    }
    return OTHER;
}

/* The mark of a session: 0 if it is not known. */
static uint64_t mark_of(struct lt_zabbix_visit *visit)
{
    const struct lt_zabbix_seen_session *session =
        lt_zabbix_seen_find(&visit->known->seen, visit->taking->token, visit->server->now_ms);

    return session == NULL ? 0 : session->id;
}

/* Remembers which session the values are of. */
static bool read_token(struct lt_zabbix_visit *visit, const leat_value *members)
{
    struct lt_zabbix_taking *taking = visit->taking;
    size_t length;
    const char *token = leat_value_text(leat_value_get(members, "session"), &length);

    taking->has_token = length == LT_ZABBIX_TOKEN;
    if (taking->has_token)
        memcpy(taking->token, token, LT_ZABBIX_TOKEN);
    return taking->has_token;
}

/* The first row of the history; a message without rows in it comes here at its end. */
static bool begin_history(struct lt_zabbix_visit *visit, const leat_value *members)
{
    char reason[LT_ZABBIX_REASON], digits[24];
    struct lt_writer out = lt_writer_fixed(digits, sizeof digits - 1);
    size_t length;

    if (read_token(visit, members)) {
        visit->taking->mark = mark_of(visit);
        return true;
    }
    (void)leat_value_text(leat_value_get(members, "session"), &length);
    lt_write_u64(&out, length);
    digits[out.length] = '\0';
    lt_zabbix_reason(reason, "invalid session token length ", digits, out.length, "");
    lt_zabbix_exchange_refuse(visit->exchange, reason, "not a session token", "session");
    return false;
}

/* The first row of an array. False: the message was refused. */
static bool begin_section(struct lt_zabbix_visit *visit)
{
    struct lt_zabbix_exchange *x = visit->exchange;
    struct lt_zabbix_taking *taking = visit->taking;
    const leat_event *event = &x->zabbix.core.event;
    const leat_value *members = leat_zabbix_members(&x->zabbix.core);
    unsigned bit;

    if (!is_allowed(visit, members))
        return false;
    taking->section = section_of(event->name, event->name_length, &bit);
    /* Rows of tables, and in messages that have none, are not of a section. */
    if (x->zabbix.reading->depth != 2 ||
        (x->kind != LEAT_ZABBIX_PROXY_DATA && x->kind != LEAT_ZABBIX_PROXY_TASKS))
        taking->section = OTHER;
    if (taking->section == OTHER)
        return true;
    if ((taking->names & bit) != 0) {
        taking->section = AGAIN;
        return true;
    }
    taking->names |= bit;
    return taking->section != HISTORY || (taking->throttled && !x->connects) ||
           begin_history(visit, members);
}

static void put_info(struct lt_zabbix_taking *taking, const char *text)
{
    size_t length = strlen(text);
    size_t between = taking->info_length > 0 ? 1 : 0;

    if (INFO_BYTES - 1 - taking->info_length < length + between)
        return;
    if (between > 0)
        taking->info[taking->info_length++] = '\n';
    memcpy(taking->info + taking->info_length, text, length + 1);
    taking->info_length += length;
}

/* The words of real servers for a row that they cannot use; the first of its section counts. */
static void put_lack(struct lt_zabbix_taking *taking, const char *field, const leat_value *row)
{
    char reason[LT_ZABBIX_REASON], digits[24];
    struct lt_writer out = lt_writer_fixed(digits, sizeof digits - 1);

    if (taking->section > REGISTRATION || (taking->failed & BIT(taking->section)) != 0)
        return;
    taking->failed |= BIT(taking->section);
    if (taking->section == AVAILABILITY && strcmp(field, "available") == 0) {
        lt_write_u64(&out, leat_zabbix_u64(leat_value_get(row, "interfaceid")));
        lt_zabbix_reason(reason, "no availability data for \"interfaceid\":", digits, out.length,
                         "");
    } else {
        lt_zabbix_reason(reason, "cannot find pair with name \"", field, strlen(field), "\"");
    }
    put_info(taking, reason);
}

static int on_value(struct lt_zabbix_visit *visit)
{
    struct lt_zabbix_taking *taking = visit->taking;
    const leat_value *row = visit->exchange->zabbix.core.event.value;
    uint64_t id;

    if (leat_value_kind(row) != LEAT_RECORD) {
        mark_wrong(visit, "a row that is not an object", NULL);
        return LEAT_OK;
    }
    id = leat_zabbix_u64(leat_value_find(row, "id", 2, &taking->place));
    taking->last_id = id;
    if (id != 0 && id <= taking->mark) {
        taking->repeated++;
        return LEAT_MORE;
    }
    taking->rows++;
    return LEAT_OK;
}

static int on_task(struct lt_zabbix_visit *visit)
{
    const leat_value *row = visit->exchange->zabbix.core.event.value;
    const char *field = lt_zabbix_task_lacks(visit->server->version.number, false, row);

    if (field != NULL) {
        mark_wrong(visit, "a task that is not known, or lacks a field", field);
        return LEAT_OK;
    }
    visit->taking->rows++;
    if (leat_zabbix_u64(leat_value_get(row, "type")) == TYPE_PROXY_DATA &&
        leat_zabbix_u64(leat_value_get(row, "datatype")) == DATATYPE_PROXY_NAME)
        visit->reload = true;
    return LEAT_OK;
}

static int on_other_row(struct lt_zabbix_visit *visit)
{
    const leat_event *event = &visit->exchange->zabbix.core.event;
    const char *field = lt_zabbix_row_lacks(visit->server->version.number, event->name,
                                            event->name_length, event->value);

    if (field != NULL) {
        put_lack(visit->taking, field, event->value);
        mark_wrong(visit, "a row that lacks a field", field);
    } else {
        visit->taking->rows++;
    }
    return LEAT_OK;
}

static int on_row(struct lt_zabbix_visit *visit)
{
    struct lt_zabbix_taking *taking = visit->taking;

    if (visit->exchange->zabbix.reading->rows == 1 && !begin_section(visit))
        return LEAT_OK;
    if (taking->throttled && !visit->exchange->connects && taking->section <= HOST_DATA)
        return LEAT_MORE;
    switch (taking->section) {
    case HISTORY:
        return on_value(visit);
    case TASKS:
        return on_task(visit);
    case OTHER:
        mark_wrong(visit, "a row that is of no section", NULL);
        return LEAT_OK;
    case AGAIN:
        mark_wrong(visit, "a second section of that name", NULL);
        return LEAT_OK;
    default:
        return on_other_row(visit);
    }
}

/* ---- messages ---- */

/* The sections of a message, as real servers find them: by the first member of a name. */
static unsigned sections_of(const leat_value *message)
{
    unsigned found = 0;
    size_t i;

    for (i = 0; i < SECTIONS; i++) {
        if (leat_value_get(leat_value_get(message, sections[i].name), "rows") != NULL)
            found |= BIT(sections[i].section);
    }
    return found;
}

/* Whether another message of the same session has come, and waits for its answer. */
static bool is_taken_elsewhere(const struct lt_zabbix_visit *visit)
{
    const struct lt_zabbix_visit *other;

    if (visit->known->unanswered == 0)
        return false;
    for (other = visit->server->visits; other != NULL; other = other->next) {
        if (other != visit && other->known == visit->known && other->taking != NULL &&
            other->taking->unanswered && other->taking->has_token &&
            memcmp(other->taking->token, visit->taking->token, LT_ZABBIX_TOKEN) == 0)
            return true;
    }
    return false;
}

static uint64_t expiry(const leat_zabbix_server *server)
{
    return lt_later(server->now_ms, server->options.session_ms);
}

static struct lt_zabbix_seen_session *use_session(struct lt_zabbix_visit *visit)
{
    leat_zabbix_server *server = visit->server;

    return lt_zabbix_seen_add(&server->allocator, &visit->known->seen, visit->taking->token,
                              server->now_ms, expiry(server), server->options.sessions);
}

/* The values of the message count from now on. False: no memory. */
static bool count(struct lt_zabbix_visit *visit)
{
    struct lt_zabbix_taking *taking = visit->taking;
    struct lt_zabbix_seen_session *session;

    if (taking->has_token) {
        session = use_session(visit);
        if (session == NULL)
            return false;
        if (taking->last_id > session->id)
            session->id = taking->last_id;
    }
    visit->known->rows += taking->rows;
    visit->known->repeated += taking->repeated;
    taking->counted = true;
    return true;
}

/* The caller refused what had counted: it will come again. */
static void uncount(struct lt_zabbix_visit *visit)
{
    struct lt_zabbix_taking *taking = visit->taking;
    struct lt_zabbix_seen_session *session;

    visit->known->rows -= taking->rows;
    visit->known->repeated -= taking->repeated;
    if (!taking->has_token)
        return;
    session = lt_zabbix_seen_find(&visit->known->seen, taking->token, visit->server->now_ms);
    if (session != NULL)
        session->id = taking->mark;
}

static void note_member(const leat_value *message, const char *name, uint64_t *to)
{
    const leat_value *member = leat_value_get(message, name);

    if (member != NULL)
        *to = leat_zabbix_u64(member);
}

/* What a message tells of its sender, whatever becomes of it. */
static void note_sender(struct lt_zabbix_visit *visit, const leat_value *message)
{
    struct lt_zabbix_known *known = visit->known;
    struct lt_zabbix_version version;
    size_t length;
    const char *text = leat_value_text(leat_value_get(message, "version"), &length);

    known->last_access_ms = visit->server->now_ms;
    if (visit->exchange->connects)
        known->compress = visit->exchange->came_compressed;
    if (length > 0) {
        (void)lt_zabbix_version_read(text, length, &version);
        known->version = version;
    }
    note_member(message, "proxy_delay", &known->delay);
    note_member(message, "config_revision", &known->revision);
}

/* Whether the server takes data of the version in a message. */
static bool is_taken(const struct lt_zabbix_visit *visit, const leat_value *message)
{
    struct lt_zabbix_version version;
    size_t length;
    const char *text = leat_value_text(leat_value_get(message, "version"), &length);

    (void)lt_zabbix_version_read(text, length, &version);
    return lt_zabbix_version_takes(&visit->server->version, &version, false);
}

/* The message is complete and sound, and waits for its answer; or no longer. */
static void set_unanswered(struct lt_zabbix_visit *visit, bool unanswered)
{
    if (visit->taking->unanswered == unanswered)
        return;
    visit->taking->unanswered = unanswered;
    if (unanswered)
        visit->known->unanswered++;
    else
        visit->known->unanswered--;
}

/* LEAT_OK, or LEAT_E_NOMEM by lt_fail(). */
static int on_data(struct lt_zabbix_visit *visit)
{
    struct lt_zabbix_exchange *x = visit->exchange;
    struct lt_zabbix_taking *taking = visit->taking;
    const leat_value *message = x->zabbix.core.event.value;
    bool history;

    taking->found = sections_of(message);
    history = (taking->found & BIT(HISTORY)) != 0;
    visit->more = leat_zabbix_u64(leat_value_get(message, "more")) == 1;
    if (taking->throttled && !x->connects && (taking->found & DATA_SECTIONS) != 0) {
        taking->answer = UNWANTED;
        mark_wrong(visit, "data came while the server takes none", "upload");
        return LEAT_OK;
    }
    taking->no_tasks =
        !is_taken(visit, message) &&
        (visit->server->version.number >= LT_ZABBIX_6_4 || x->kind == LEAT_ZABBIX_PROXY_DATA);
    if (taking->no_tasks && x->connects && x->kind == LEAT_ZABBIX_PROXY_DATA) {
        taking->answer = DISCARDED;
        mark_wrong(visit, "a version that the server does not take", "version");
        return LEAT_OK;
    }
    if (history && !taking->has_token && !begin_history(visit, message))
        return LEAT_OK;
    if (history && (is_taken_elsewhere(visit) || mark_of(visit) != taking->mark)) {
        taking->answer = CONFLICT;
        mark_wrong(visit, "another message of the session was taken meanwhile", "session");
        return LEAT_OK;
    }
    if ((taking->rows == 0 || visit->server->options.hold == 0) && !count(visit))
        return lt_zabbix_no_memory(&x->zabbix);
    set_unanswered(visit, true);
    return LEAT_OK;
}

/* Says that the revision in a request is none, which closes the exchange: spec section 7.5. */
static void refuse_revision(struct lt_zabbix_visit *visit, const leat_value *revision)
{
    struct lt_zabbix_exchange *x = visit->exchange;
    leat_session *session = &x->zabbix.core;
    char reason[LT_ZABBIX_REASON], digits[24];
    struct lt_writer out = lt_writer_fixed(digits, sizeof digits - 1);
    size_t length;
    const char *text = leat_value_text(revision, &length);

    if (leat_value_kind(revision) == LEAT_INT) {
        lt_write_i64(&out, leat_value_i64(revision));
        text = digits;
        length = out.length;
    }
    lt_zabbix_reason(reason, "invalid proxy configuration revision: ", text, length, "");
    if (leat_zabbix_begin(session) != LEAT_OK ||
        leat_zabbix_text(session, "response", "failed", 6) != LEAT_OK ||
        leat_zabbix_text(session, "info", reason, strlen(reason)) != LEAT_OK ||
        leat_zabbix_end(session) != LEAT_OK)
        (void)leat_zabbix_abort(session);
    session->send_error.code = LEAT_OK;
    mark_wrong(visit, "not a revision", "config_revision");
    x->verdict = LEAT_E_PROTOCOL;
    x->reason = "not a revision";
    x->field = "config_revision";
    x->offset = session->event.offset;
}

/* A request for the configuration or, of a passive proxy, the answer that comes before it. */
static void on_config_request(struct lt_zabbix_visit *visit)
{
    struct lt_zabbix_exchange *x = visit->exchange;
    const leat_value *message = x->zabbix.core.event.value;
    const leat_value *revision = leat_value_get(message, "config_revision");
    struct lt_zabbix_taking *taking = visit->taking;
    size_t length;
    const char *text = leat_value_text(revision, &length);
    uint64_t number;

    (void)read_token(visit, message);
    taking->revision = leat_zabbix_u64(revision);
    taking->hostmap = leat_zabbix_u64(leat_value_get(message, "hostmap_revision"));
    taking->has_vault = visit->server->version.number >= LT_ZABBIX_7_4 &&
                        leat_zabbix_u64(leat_value_get(message, "proxy_secrets_provider")) == 1;
    if (x->connects && !lt_zabbix_known_may_configure(visit->server, visit->known)) {
        taking->answer = NOTHING;
        mark_wrong(visit, "a version that the server does not take", "version");
    }
    if (x->version.number < LT_ZABBIX_6_4 ||
        (leat_value_kind(revision) == LEAT_TEXT ? lt_read_u64(text, length, &number)
                                                : leat_value_kind(revision) == LEAT_UINT))
        return;
    if (x->connects)
        taking->revision = 0;
    else
        refuse_revision(visit, revision);
}

/* LEAT_OK, or LEAT_E_NOMEM by lt_fail(). */
static int on_message(struct lt_zabbix_visit *visit)
{
    struct lt_zabbix_exchange *x = visit->exchange;
    const leat_event *event = &x->zabbix.core.event;

    if (visit->known == NULL || (x->connects && !is_allowed(visit, event->value)))
        return LEAT_OK;
    if (event->value != NULL)
        note_sender(visit, event->value);
    if (event->kind == LEAT_ZABBIX_RESPONSE) {
        size_t length;
        const char *text = leat_value_text(leat_value_get(event->value, "response"), &length);

        visit->refused = length != 7 || memcmp(text, "success", 7) != 0;
        return LEAT_OK;
    }
    if (event->error.code != LEAT_OK)
        return LEAT_OK;
    if (x->kind == LEAT_ZABBIX_PROXY_CONFIG)
        on_config_request(visit);
    else if (x->kind != LEAT_ZABBIX_PROXY_HEARTBEAT)
        return on_data(visit);
    return LEAT_OK;
}

static int on_event(struct lt_zabbix_exchange *x)
{
    struct lt_zabbix_visit *visit = visit_at(x);
    bool row = x->zabbix.core.event.kind == LEAT_ZABBIX_ROW;

    if (row && x->kind == 0) {
        lt_zabbix_exchange_refuse(x, "missing name of proxy", "rows before the request", "request");
        return LEAT_OK;
    }
    if (!is_of_proxy(x))
        return LEAT_OK;
    if (visit->taking == NULL) {
        visit->taking = (struct lt_zabbix_taking *)lt_alloc_zero(&visit->server->allocator,
                                                                 sizeof *visit->taking);
        if (visit->taking == NULL)
            return lt_zabbix_no_memory(&x->zabbix);
        visit->taking->throttled = visit->server->throttled;
    }
    return row ? on_row(visit) : on_message(visit);
}

static int on_extra(struct lt_zabbix_exchange *x)
{
    (void)x;
    return LEAT_MORE;
}

/* ---- answers ---- */

/* Whether the proxy may have tasks of that type. */
static bool is_for(const struct lt_zabbix_visit *visit, const struct lt_zabbix_task *task)
{
    return task->type != 7 || lt_zabbix_known_may_configure(visit->server, visit->known);
}

static int put_task(leat_session *session, leat_builder *builder, const struct lt_zabbix_task *task)
{
    leat_builder_clear(builder);
    (void)leat_builder_json(builder, NULL, task->text, task->length);
    if (leat_builder_value(builder) == NULL)
        return LEAT_E_NOMEM;
    return leat_zabbix_row(session, leat_builder_value(builder));
}

/* The tasks that wait, as many as fit; none of them is gone before the message is written. */
static int put_tasks(struct lt_zabbix_visit *visit)
{
    leat_session *session = &visit->exchange->zabbix.core;
    struct lt_zabbix_tasks *tasks = &visit->known->tasks;
    leat_builder *builder;
    size_t i, bytes = 0;
    bool open = false;
    int status = leat_builder_new(&visit->server->config, &builder);

    if (status != LEAT_OK)
        return status;
    for (i = 0; i < tasks->count && status == LEAT_OK && bytes < TASKS_BYTES; i++) {
        if (!is_for(visit, &tasks->task[i]))
            continue;
        if (!open)
            status = leat_zabbix_section(session, "tasks");
        open = true;
        if (status == LEAT_OK)
            status = put_task(session, builder, &tasks->task[i]);
        tasks->task[i].given = true;
        bytes += tasks->task[i].length;
    }
    if (open && status == LEAT_OK)
        status = leat_zabbix_close(session);
    leat_builder_free(builder);
    return status;
}

/* {"upload":...,"response":...,"info":...,"tasks":[...]}: spec section 9.3. */
static int write_response(struct lt_zabbix_visit *visit, bool tasks)
{
    struct lt_zabbix_exchange *x = visit->exchange;
    const struct lt_zabbix_taking *taking = visit->taking;
    leat_session *session = &x->zabbix.core;
    bool failed = taking->answer == UNWANTED || taking->answer == CONFLICT;
    int status = leat_zabbix_begin(session);

    if (status == LEAT_OK && x->kind == LEAT_ZABBIX_PROXY_DATA && !x->connects)
        status = lt_zabbix_put_text(session, "upload",
                                    visit->server->throttled ? "disabled" : "enabled");
    if (status == LEAT_OK)
        status = lt_zabbix_put_text(session, "response", failed ? "failed" : "success");
    if (status == LEAT_OK && taking->info_length > 0 && !x->connects)
        status = lt_zabbix_put_text(session, "info", taking->info);
    if (status == LEAT_OK && tasks && !failed)
        status = put_tasks(visit);
    if (status == LEAT_OK)
        status = leat_zabbix_end(session);
    if (status != LEAT_OK)
        (void)leat_zabbix_abort(session);
    lt_zabbix_tasks_settle(&visit->server->allocator, &visit->known->tasks, status == LEAT_OK);
    return status;
}

/* Whether the last of the sections that are judged had a row that was wrong: spec section 9.4. */
static bool has_failed(const struct lt_zabbix_taking *taking)
{
    unsigned section, verdict = 0;

    for (section = AVAILABILITY; section <= REGISTRATION; section++) {
        if ((taking->found & BIT(section)) != 0)
            verdict = taking->failed & BIT(section);
    }
    return verdict != 0;
}

static int answer_data(struct lt_zabbix_visit *visit)
{
    struct lt_zabbix_exchange *x = visit->exchange;
    struct lt_zabbix_taking *taking = visit->taking;
    int status;

    if (taking->unanswered && !taking->counted)
        return LEAT_MORE;
    lt_zabbix_tasks_expire(&visit->server->allocator, &visit->known->tasks,
                           lt_zabbix_server_clock(visit->server));
    if (!x->connects && taking->answer == PLAIN && has_failed(taking)) {
        status = leat_zabbix_refuse(&x->zabbix.core, taking->info);
    } else {
        status = write_response(visit, !taking->no_tasks);
        if (status != LEAT_OK)
            status = write_response(visit, false);
    }
    if (status == LEAT_OK)
        set_unanswered(visit, false);
    return status;
}

/*
 * The revision to start from: 0 if the proxy's is of another server, or of another run of it. As
 * long as it tells what it told before its full copy, that copy did not reach it.
 */
static uint64_t known_revision(const struct lt_zabbix_visit *visit)
{
    const struct lt_zabbix_taking *taking = visit->taking;
    const struct lt_zabbix_seen_session *session;

    if (!taking->has_token)
        return 0;
    session = lt_zabbix_seen_find(&visit->known->seen, taking->token, visit->server->now_ms);
    if (session == NULL || !session->configured || session->before == taking->revision)
        return 0;
    return taking->revision;
}

/* Makes the revision of a full copy one that the proxy did not tell. */
static void pass_revision(struct lt_zabbix_visit *visit)
{
    leat_zabbix_tables *tables = visit->known->tables;
    uint64_t told = visit->taking->revision;

    if (tables->revision > 0 && tables->revision <= told && told < REVISION_MAX)
        tables->revision = told + 1;
}

static void remember_full_copy(struct lt_zabbix_visit *visit)
{
    struct lt_zabbix_seen_session *session = NULL;

    if (visit->taking->has_token)
        session = use_session(visit);
    if (session == NULL)
        return;
    session->configured = true;
    session->before = visit->taking->revision;
}

static int end_or_abort(leat_session *session, int status)
{
    if (status == LEAT_OK)
        status = leat_zabbix_end(session);
    if (status != LEAT_OK)
        (void)leat_zabbix_abort(session);
    return status;
}

/* The answer to a proxy that told its revision, or an empty one. */
static int write_configuration(struct lt_zabbix_visit *visit, bool empty)
{
    leat_session *session = &visit->exchange->zabbix.core;
    uint64_t revision = known_revision(visit);
    int status = leat_zabbix_begin(session);

    if (revision == 0 && !empty)
        pass_revision(visit);
    if (status == LEAT_OK && !empty)
        status = lt_zabbix_tables_write(visit->known->tables, session, revision,
                                        revision == 0 ? 0 : visit->taking->hostmap,
                                        !visit->taking->has_vault);
    status = end_or_abort(session, status);
    if (status == LEAT_OK && !empty && revision == 0)
        remember_full_copy(visit);
    else if (status == LEAT_OK && !empty)
        (void)use_session(visit);
    return status;
}

/* The first message to a passive proxy; up to 6.2 its configuration is in it. */
static int write_request(struct lt_zabbix_visit *visit)
{
    struct lt_zabbix_exchange *x = visit->exchange;
    leat_session *session = &x->zabbix.core;
    int status = leat_zabbix_begin(session);

    if (status == LEAT_OK)
        status = lt_zabbix_put_text(session, "request", lt_zabbix_kind_name(x->kind));
    if (status == LEAT_OK && x->kind == LEAT_ZABBIX_PROXY_CONFIG &&
        x->version.number < LT_ZABBIX_6_4) {
        status = leat_zabbix_object(session, "data");
        if (status == LEAT_OK)
            status = leat_zabbix_tables_write(visit->known->tables, session, 0, 0);
        if (status == LEAT_OK)
            status = leat_zabbix_close(session);
    }
    return end_or_abort(session, status);
}

static int write_message(struct lt_zabbix_visit *visit)
{
    struct lt_zabbix_exchange *x = visit->exchange;
    int status;

    if (x->step == 0)
        return write_request(visit);
    if (x->kind == LEAT_ZABBIX_PROXY_CONFIG) {
        status = write_configuration(visit, visit->taking->answer == NOTHING);
        /* A 7.0 proxy that gets nothing more is locked up for good: spec section 7.3. */
        if (status != LEAT_OK && x->connects) {
            visit->refused = true;
            status = write_configuration(visit, true);
        }
        return status;
    }
    if (x->kind == LEAT_ZABBIX_PROXY_HEARTBEAT)
        return write_response(visit, false);
    return answer_data(visit);
}

/* A proxy that was removed meanwhile gets nothing, but its handshake is finished. */
static int part(struct lt_zabbix_visit *visit)
{
    struct lt_zabbix_exchange *x = visit->exchange;
    leat_session *session = &x->zabbix.core;

    if (x->connects && x->kind == LEAT_ZABBIX_PROXY_CONFIG && x->step == 2)
        (void)end_or_abort(session, leat_zabbix_begin(session));
    lt_zabbix_exchange_finish(x);
    return LEAT_OK;
}

static int on_turn(struct lt_zabbix_exchange *x)
{
    struct lt_zabbix_visit *visit = visit_at(x);
    int status;

    if (!is_of_proxy(x) || (x->connects && !visit->met))
        return LEAT_MORE;
    if (!may_stay(visit))
        return part(visit);
    status = write_message(visit);
    if (status < 0)
        return lt_fail(&x->zabbix.core, status, 0, "no room for the answer", NULL);
    /* Real servers look at that behind their answer: section 2. */
    if (status == LEAT_OK && !x->connects)
        visit->known->compress = x->came_compressed;
    return status;
}

static void on_over(struct lt_zabbix_exchange *x, int status)
{
    struct lt_zabbix_visit *visit = visit_at(x);
    struct lt_zabbix_known *known = visit->known;
    bool succeeded = status == LEAT_END && !visit->refused;

    if (known != NULL) {
        if (succeeded)
            known->failures = 0;
        else if (known->failures < UINT32_MAX)
            known->failures++;
        if (visit->taking != NULL && visit->taking->unanswered && visit->taking->counted &&
            x->refusing)
            uncount(visit);
        if (visit->taking != NULL)
            set_unanswered(visit, false);
        if (x->connects)
            lt_zabbix_schedule(visit, succeeded);
    }
    x->engine = NULL;
    lt_zabbix_visit_free(visit);
}

const struct lt_zabbix_owner lt_zabbix_serving = {
    .may = on_request, .event = on_event, .extra = on_extra, .turn = on_turn, .over = on_over};

/* ---- commands on sessions ---- */

int leat_zabbix_server_met(leat_session *session, const leat_zabbix_peer *peer)
{
    struct lt_zabbix_visit *visit = visit_of(session);
    char reason[LT_ZABBIX_REASON];
    const char *what;
    int status;

    if (visit == NULL || visit->met || session->status != LEAT_OK)
        return lt_refuse(session, LEAT_E_STATE, 0, "nobody to be told", NULL);
    status = lt_zabbix_peer_make(&visit->server->allocator, peer, &visit->peer);
    if (status != LEAT_OK)
        return lt_refuse(session, status, 0,
                         status == LEAT_E_VALUE ? "not initialised" : "out of memory", "size");
    visit->met = true;
    session->need = 0; /* there may be something to say now */
    if (!visit->exchange->connects || visit->known == NULL)
        return LEAT_OK;
    what = lt_zabbix_access_denied(&visit->known->access, &visit->peer, visit->known->name, reason);
    return what == NULL ? LEAT_OK : lt_fail(session, LEAT_E_PROTOCOL, 0, what, NULL);
}

const char *leat_zabbix_server_proxy(const leat_session *session)
{
    const struct lt_zabbix_visit *visit = visit_of(session);

    return visit == NULL || visit->known == NULL || !visit->met ? NULL : visit->known->name;
}

int leat_zabbix_server_acknowledge(leat_session *session)
{
    struct lt_zabbix_visit *visit = visit_of(session);

    if (visit == NULL || visit->known == NULL || visit->taking == NULL ||
        !visit->taking->unanswered || visit->taking->counted ||
        !lt_zabbix_exchange_is_ours(visit->exchange))
        return lt_refuse(session, LEAT_E_STATE, 0, "nothing waits for it", NULL);
    if (!count(visit))
        return lt_refuse(session, LEAT_E_NOMEM, 0, "out of memory", NULL);
    session->need = 0;
    return LEAT_OK;
}
