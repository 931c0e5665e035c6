/*
 * Exchanges: the conversation of one connection, message by message.
 *
 * The messages alternate; who connected says those with an even number. What is read and written
 * goes through the codec's machinery; here it is looked at whose turn it is and what is allowed, by
 * the tables of rules.c.
 */
#include "exchange.h"
#include "fields.h"
#include "row.h"

#include "../core/text.h"

#define GO_ON 100 /* the event was kept from the caller */

#define REQUEST_MS 300000u /* how long acceptors wait for a request: TrapperTimeout */

#define LARGE_LIMIT (UINT64_C(16) << 30) /* a configuration, for proxies: spec section 1 */

struct lt_zabbix_exchange *lt_zabbix_exchange(leat_session *session)
{
    return session->dialect == &lt_zabbix_live ? (struct lt_zabbix_exchange *)session : NULL;
}

bool lt_zabbix_exchange_is_ours(const struct lt_zabbix_exchange *x)
{
    return x->verdict == LEAT_OK && !x->finished && (x->step % 2 == 0) == x->connects &&
           (x->pattern == NULL || x->step < x->pattern->steps);
}

/* ---- how it ends ---- */

static void tell_over(struct lt_zabbix_exchange *x, int status)
{
    if (x->told)
        return;
    x->told = true;
    if (x->owner != NULL && x->engine != NULL)
        x->owner->over(x, status);
}

static bool is_complete(const struct lt_zabbix_exchange *x)
{
    return x->pattern != NULL &&
           (x->step == x->pattern->steps ||
            (x->pattern->may_be_unanswered && x->step + 1 == x->pattern->steps));
}

static int end(struct lt_zabbix_exchange *x)
{
    tell_over(x, is_complete(x) && !x->refusing ? LEAT_END : LEAT_E_PROTOCOL);
    return lt_end(&x->zabbix.core);
}

static int fail(struct lt_zabbix_exchange *x, int status, const char *what, const char *field)
{
    tell_over(x, status);
    return lt_fail(&x->zabbix.core, status, 0, what, field);
}

/* The event at hand is the last one of the session. */
static void condemn(struct lt_zabbix_exchange *x, int status, const char *what, const char *field)
{
    leat_event *event = &x->zabbix.core.event;

    if (event->error.code == LEAT_OK)
        (void)lt_error(&event->error, status, event->offset, what, field);
    x->verdict = status;
    x->reason = what;
    x->field = field;
    x->offset = event->error.offset;
}

/* ---- whose turn ---- */

static bool takes_configuration(const struct lt_zabbix_exchange *x)
{
    if (x->role == LEAT_ZABBIX_AS_PROXY)
        return x->connects && x->kind == LEAT_ZABBIX_PROXY_CONFIG;
    return x->role == LEAT_ZABBIX_AS_PASSIVE_PROXY &&
           (x->version.number < LT_ZABBIX_6_4 ||
            (x->kind == LEAT_ZABBIX_PROXY_CONFIG && x->step > 0));
}

/* Who says what is read next; it only helps to name messages. */
static uint32_t who_speaks(const struct lt_zabbix_exchange *x)
{
    if (x->kind == 0)
        return LEAT_FROM_ANY;
    if (x->role == LEAT_ZABBIX_AS_SERVER && x->kind <= LEAT_ZABBIX_PROXY_HEARTBEAT)
        return LEAT_FROM_PROXY;
    if (x->kind == LEAT_ZABBIX_PASSIVE_CHECKS && x->connects)
        return LEAT_FROM_AGENT;
    return LEAT_FROM_SERVER;
}

/* It is the peer's turn from now on: gets ready to read. */
static void await(struct lt_zabbix_exchange *x)
{
    leat_session *session = &x->zabbix.core;
    bool large = takes_configuration(x);

    x->zabbix.from = who_speaks(x);
    x->zabbix.refuse_large =
        !large && (x->connects || !lt_zabbix_takes_large(&x->version, x->role));
    x->since_ms = session->now_ms;
    if (large && x->default_limits)
        session->limits.message_bytes = session->limits.inflated_bytes = LARGE_LIMIT;
}

static void set_kind(struct lt_zabbix_exchange *x, uint32_t kind)
{
    const struct lt_zabbix_pattern *pattern =
        lt_zabbix_pattern_find(kind, x->version.number, x->role, x->connects);

    if (pattern == NULL)
        return;
    x->kind = kind;
    x->pattern = pattern;
}

/* ---- writing ---- */

/* The table of spec section 2. */
static bool is_compressed(const struct lt_zabbix_exchange *x)
{
    bool late = x->version.number >= LT_ZABBIX_6_4;

    if (x->as_it_came)
        return x->came_compressed;
    if (x->kind == 0)
        return true; /* what a proxy answers to requests that are not for it */
    if (x->kind > LEAT_ZABBIX_PROXY_HEARTBEAT)
        return !x->connects && x->came_compressed;
    if (x->role != LEAT_ZABBIX_AS_SERVER) /* a proxy's, except for the answer with its revision */
        return x->refusing || !late || x->connects || x->kind != LEAT_ZABBIX_PROXY_CONFIG ||
               x->step != 1 || x->came_compressed;
    if (late)
        return !x->connects || x->kind != LEAT_ZABBIX_PROXY_CONFIG || x->step > 0;
    if (!x->connects && x->kind != LEAT_ZABBIX_PROXY_DATA)
        return x->came_compressed; /* as a real 6.0.14 does, whatever auto_compress says */
    return x->auto_compress || (x->connects && x->step > 0 && x->came_compressed);
}

/* Whether a message of that kind, in one piece, may be what comes now. */
static bool fits(const struct lt_zabbix_exchange *x, uint32_t kind)
{
    uint32_t expected = x->pattern->step[x->step].kind;

    if (kind == 0 || kind == expected)
        return true;
    if (x->kind == LEAT_ZABBIX_PASSIVE_CHECKS)
        return kind == LEAT_ZABBIX_PLAIN || kind == LEAT_ZABBIX_MESSAGE;
    /* {} and the answers of proxies may go by any name; a refusal may take the place of any answer. */
    return x->step > 0 && (kind == LEAT_ZABBIX_RESPONSE || kind == LEAT_ZABBIX_MESSAGE);
}

static int rules_begin(struct lt_zabbix *z, uint32_t kind)
{
    struct lt_zabbix_exchange *x = (struct lt_zabbix_exchange *)z;

    if (!lt_zabbix_exchange_is_ours(x) || z->core.status != LEAT_OK)
        return lt_refuse(&z->core, LEAT_E_STATE, 0, "it is not our turn", NULL);
    if (x->pattern != NULL && !fits(x, kind))
        return lt_refuse(&z->core, LEAT_E_STATE, 0, "not a message of this exchange, or not now",
                         NULL);
    if (kind == LEAT_ZABBIX_PASSIVE_CHECKS && x->connects && x->version.number < LT_ZABBIX_7_0)
        return lt_refuse(&z->core, LEAT_E_VALUE, 0, "checks are plain before 7.0", "request");
    z->compress = is_compressed(x) ||
                  (kind == LEAT_ZABBIX_RESPONSE && x->role == LEAT_ZABBIX_AS_PASSIVE_PROXY &&
                   x->kind == LEAT_ZABBIX_PROXY_CONFIG);
    z->plain = kind == LEAT_ZABBIX_PLAIN && x->connects;
    lt_zabbix_check_begin(x);
    x->named = 0;
    x->members = 0;
    x->answered_failure = false;
    return LEAT_OK;
}

static int rules_member(struct lt_zabbix *z, const char *name, size_t length,
                        const leat_value *value, enum lt_zabbix_how how)
{
    struct lt_zabbix_exchange *x = (struct lt_zabbix_exchange *)z;
    uint32_t bit = how == LT_ZABBIX_COMES_INSIDE ? 0 : lt_zabbix_needed_bit(name, length);
    size_t text_length;
    const char *text = leat_value_text(value, &text_length);
    int status;

    if (bit == LT_ZABBIX_NEEDS_REQUEST &&
        (x->step > 0 || lt_zabbix_request_kind(text, text_length) != x->kind))
        return lt_refuse(&z->core, LEAT_E_VALUE, 0, "not the request of this exchange", "request");
    status = lt_zabbix_check_member(x, name, length, value, how);
    if (status != LEAT_OK || how == LT_ZABBIX_COMES_INSIDE)
        return status;
    if (bit == LT_ZABBIX_NEEDS_RESPONSE && x->step > 0)
        x->answered_failure = text_length != 7 || memcmp(text, "success", 7) != 0;
    x->named |= bit;
    x->members++;
    return LEAT_OK;
}

static int rules_table(struct lt_zabbix *z, const char *name, size_t length,
                       const char *const *columns, size_t count)
{
    return lt_zabbix_check_table((struct lt_zabbix_exchange *)z, name, length, columns, count);
}

static int rules_row(struct lt_zabbix *z, const leat_value *row)
{
    return lt_zabbix_check_row((struct lt_zabbix_exchange *)z, row);
}

static int rules_history(struct lt_zabbix *z, uint64_t has)
{
    return lt_zabbix_check_history((struct lt_zabbix_exchange *)z, has);
}

static int rules_close(struct lt_zabbix *z)
{
    return lt_zabbix_check_close((struct lt_zabbix_exchange *)z);
}

/* What is being written is a configuration with a revision. */
static bool hands_out_revision(const struct lt_zabbix_exchange *x)
{
    return x->role == LEAT_ZABBIX_AS_SERVER && x->version.number >= LT_ZABBIX_6_4 && x->step > 0 &&
           x->pattern->step[x->step].kind == LEAT_ZABBIX_PROXY_CONFIG;
}

static int rules_end(struct lt_zabbix *z)
{
    struct lt_zabbix_exchange *x = (struct lt_zabbix_exchange *)z;
    int status = lt_zabbix_check_close(x);

    if (status != LEAT_OK || x->pattern == NULL || x->refusing || x->answered_failure)
        return status;
    if (x->members > 0 && hands_out_revision(x) && (x->named & LT_ZABBIX_NEEDS_REVISION) == 0)
        return lt_refuse(&z->core, LEAT_E_VALUE, 0, "a member is missing", "config_revision");
    return lt_zabbix_check_end(x);
}

static void rules_sent(struct lt_zabbix *z)
{
    struct lt_zabbix_exchange *x = (struct lt_zabbix_exchange *)z;

    x->step++;
    if (x->answered_failure || x->refusing) {
        x->refusing = true;
        x->finished = true;
    }
    await(x);
}

static const struct lt_zabbix_rules rules = {rules_begin,   rules_member, rules_table, rules_row,
                                             rules_history, rules_close,  rules_end,   rules_sent};

/* ---- refusing ---- */

enum refusal {
    SILENT,
    FAILED,       /* response, info */
    WITH_VERSION, /* and our version */
    UPLOAD_OFF,   /* upload in front */
    CHECKED       /* what an agent says of a key */
};

/* The table of spec section 4.2, for who is not allowed what was asked. */
static enum refusal form_of_refusal(const struct lt_zabbix_exchange *x)
{
    if (x->kind == LEAT_ZABBIX_PASSIVE_CHECKS)
        return CHECKED;
    if (x->kind == LEAT_ZABBIX_AGENT_HEARTBEAT)
        return SILENT;
    if (x->role == LEAT_ZABBIX_AS_SERVER && !x->connects && x->kind == LEAT_ZABBIX_PROXY_CONFIG)
        return SILENT;
    if (x->role == LEAT_ZABBIX_AS_PASSIVE_PROXY && x->kind <= LEAT_ZABBIX_PROXY_HEARTBEAT)
        return x->kind == LEAT_ZABBIX_PROXY_CONFIG ? WITH_VERSION : SILENT;
    return FAILED;
}

static leat_value text_cell(const char *name, const char *text)
{
    leat_value cell = {.kind = LEAT_TEXT, .name = name, .name_length = (uint16_t)strlen(name)};

    cell.u.bytes = (const uint8_t *)text;
    cell.length = (uint32_t)strlen(text);
    return cell;
}

static leat_value record_cell(uint32_t members)
{
    leat_value cell = {.kind = LEAT_RECORD, .length = members};

    cell.u.cells = members + 1;
    return cell;
}

int lt_zabbix_put_text(leat_session *session, const char *name, const char *text)
{
    return text == NULL ? LEAT_OK : leat_zabbix_text(session, name, text, strlen(text));
}

static int refuse_plain_check(leat_session *session, const char *info)
{
    const leat_value body[] = {record_cell(2), text_cell("body", "ZBX_NOTSUPPORTED"),
                               text_cell("error", info)};

    return leat_send(session, "plain", body);
}

static int refuse_check(struct lt_zabbix_exchange *x, const char *info)
{
    const leat_value row[] = {record_cell(1), text_cell("error", info)};
    leat_session *session = &x->zabbix.core;
    int status = leat_zabbix_begin(session);

    if (status == LEAT_OK)
        status = lt_zabbix_put_text(session, "version", x->version.text);
    if (status == LEAT_OK)
        status = leat_zabbix_number(session, "variant", 1);
    if (status == LEAT_OK)
        status = leat_zabbix_section(session, "data");
    if (status == LEAT_OK)
        status = leat_zabbix_row(session, row);
    return status == LEAT_OK ? leat_zabbix_end(session) : status;
}

static int write_refusal(struct lt_zabbix_exchange *x, enum refusal form, const char *info)
{
    leat_session *session = &x->zabbix.core;
    int status;

    if (form == CHECKED) {
        info = info == NULL ? "Unsupported item key." : info;
        return x->plain_check ? refuse_plain_check(session, info) : refuse_check(x, info);
    }
    status = leat_zabbix_begin(session);
    if (status == LEAT_OK && form == UPLOAD_OFF)
        status = lt_zabbix_put_text(session, "upload", "disabled");
    if (status == LEAT_OK)
        status = lt_zabbix_put_text(session, "response", "failed");
    if (status == LEAT_OK)
        status = lt_zabbix_put_text(session, "info", info);
    if (status == LEAT_OK && form == WITH_VERSION)
        status = lt_zabbix_put_text(session, "version", x->version.text);
    return status == LEAT_OK ? leat_zabbix_end(session) : status;
}

/* Drops a message that was begun and not ended. */
static void drop_open_message(struct lt_zabbix *z)
{
    if (z->writing != NULL && z->writing->open)
        (void)leat_zabbix_abort(&z->core);
}

static int refuse_as(struct lt_zabbix_exchange *x, enum refusal form, const char *info)
{
    int status = LEAT_OK;

    drop_open_message(&x->zabbix);
    x->refusing = true;
    if (form != SILENT)
        status = write_refusal(x, form, info);
    if (status != LEAT_OK) {
        drop_open_message(&x->zabbix);
        x->refusing = x->as_it_came = false;
        return status;
    }
    x->finished = true;
    return LEAT_OK;
}

/* The same where it is no command of the caller's: it is done as far as it can be. */
static void refuse_aside(struct lt_zabbix_exchange *x, enum refusal form, const char *info)
{
    struct leat_error refusal = x->zabbix.core.send_error;
    int status = refuse_as(x, form, info);

    if (status == LEAT_E_VALUE) /* what the peer called itself is not fit to be repeated */
        status = refuse_as(x, form, NULL);
    if (status != LEAT_OK)
        x->refusing = x->finished = true;
    x->zabbix.core.send_error = refusal;
}

int leat_zabbix_refuse(leat_session *session, const char *info)
{
    struct lt_zabbix_exchange *x = lt_zabbix_exchange(session);
    enum refusal form;
    const char *what;

    if (x == NULL || session->status != LEAT_OK || x->step == 0 || x->pattern == NULL ||
        !lt_zabbix_exchange_is_ours(x))
        return lt_refuse(session, LEAT_E_STATE, 0, "nothing to refuse", NULL);
    what = info == NULL ? NULL : lt_zabbix_text_offends(info, strlen(info));
    if (what != NULL)
        return lt_refuse(session, LEAT_E_VALUE, 0, what, "info");
    form = form_of_refusal(x);
    x->as_it_came = form == FAILED && !x->connects;
    return refuse_as(x, form, info);
}

void lt_zabbix_exchange_refuse(struct lt_zabbix_exchange *x, const char *info, const char *what,
                               const char *field)
{
    enum refusal form = form_of_refusal(x);

    if (x->zabbix.core.event.kind == LEAT_ZABBIX_ROW) {
        x->condemned = true;
        x->reason = what;
        x->field = field;
        x->info.length = 0;
        lt_put_bytes(&x->info, info, strlen(info) + 1);
        return;
    }
    x->as_it_came = form == FAILED && !x->connects;
    refuse_aside(x, form, info);
    condemn(x, LEAT_E_PROTOCOL, what, field);
}

void lt_zabbix_exchange_finish(struct lt_zabbix_exchange *x)
{
    x->finished = true;
}

/* ---- reading ---- */

static bool is_number(const leat_value *value)
{
    uint32_t kind = leat_value_kind(value);

    return kind == LEAT_UINT || kind == LEAT_INT || kind == LEAT_TEXT;
}

/* A member of the wrong type is not there for real peers: spec section 13. */
static bool has(const leat_value *message, uint32_t need)
{
    const leat_value *member = leat_value_get(message, lt_zabbix_needed_name(need));
    uint32_t kind = leat_value_kind(member);

    switch (need) {
    case LT_ZABBIX_NEEDS_REVISION:
    case LT_ZABBIX_NEEDS_CLOCK:
    case LT_ZABBIX_NEEDS_NS:
        return is_number(member);
    case LT_ZABBIX_NEEDS_DATA:
        return kind == LEAT_RECORD || kind == LEAT_LIST;
    default:
        return kind == LEAT_TEXT;
    }
}

static uint32_t first_missing(const leat_value *message, uint32_t needs)
{
    uint32_t need, missing = 0;

    for (need = 1u << LT_ZABBIX_NEEDED; need != 0; need >>= 1) {
        if ((needs & need) != 0 && !has(message, need))
            missing = need;
    }
    return missing;
}

/* Answers a request that lacks what it needs, in the words of real peers. */
static void refuse_lacking(struct lt_zabbix_exchange *x, uint32_t need)
{
    enum refusal form = form_of_refusal(x);
    const char *info = NULL;

    if (need == LT_ZABBIX_NEEDS_HOST && x->kind <= LEAT_ZABBIX_PROXY_HEARTBEAT) {
        info = "missing name of proxy";
    } else if (need == LT_ZABBIX_NEEDS_SESSION) {
        info = "cannot get session from proxy configuration request";
        form = FAILED;
    } else if (need == LT_ZABBIX_NEEDS_REVISION) {
        info = "cannot get revision from proxy configuration request";
        form = FAILED;
    } else if (need == LT_ZABBIX_NEEDS_DATA) {
        info = "cannot find pair with name \"data\"";
    }
    x->as_it_came = x->kind != LEAT_ZABBIX_PROXY_CONFIG;
    refuse_aside(x, form, info);
    condemn(x, LEAT_E_PROTOCOL, "a member is missing", lt_zabbix_needed_name(need));
}

/* A server says if it does not take what this version sends: spec section 5. */
static void judge_version(struct lt_zabbix_exchange *x)
{
    const leat_value *value = leat_value_get(x->zabbix.core.event.value, "version");
    bool config = x->kind == LEAT_ZABBIX_PROXY_CONFIG;
    struct lt_zabbix_version version;
    size_t length;
    const char *text = leat_value_text(value, &length);

    if (x->role != LEAT_ZABBIX_AS_SERVER || (!config && x->kind != LEAT_ZABBIX_PROXY_DATA) ||
        x->step > 2 || (x->connects && x->version.number < LT_ZABBIX_6_4))
        return;
    if (!lt_zabbix_version_read(text, length, &version))
        version.number = x->version.number < LT_ZABBIX_6_4 ? 302 : 0; /* what real servers assume */
    if (lt_zabbix_version_takes(&x->version, &version, config))
        return;
    if (x->version.number < LT_ZABBIX_6_4)
        refuse_aside(x, FAILED, NULL);
    else if (config)
        refuse_aside(x, x->connects ? FAILED : WITH_VERSION,
                     "proxy and server major versions do not match");
    else
        refuse_aside(x, UPLOAD_OFF, "current proxy version is not supported by server");
    condemn(x, LEAT_E_PROTOCOL, "a version that the server does not take", "version");
}

/* Answers what is no object: the old protocols get a word, everything else none. */
static void judge_plain_request(struct lt_zabbix_exchange *x)
{
    static const char ok[] = "OK";
    const leat_event *event = &x->zabbix.core.event;
    const leat_value body[] = {record_cell(1), text_cell("body", ok)};

    if (x->role == LEAT_ZABBIX_AS_AGENT) {
        set_kind(x, LEAT_ZABBIX_PASSIVE_CHECKS);
        x->plain_check = true;
        if (event->raw_length == 0)
            condemn(x, LEAT_E_PROTOCOL, "an empty message", NULL);
        return;
    }
    if (event->raw_length == 0 || event->raw[0] == '[') {
        x->refusing = true;
        condemn(x, LEAT_E_PROTOCOL, "not an object", NULL);
        return;
    }
    x->refusing = true;
    if (leat_send(&x->zabbix.core, "unframed", body) == LEAT_E_NOMEM)
        condemn(x, LEAT_E_NOMEM, "out of memory", NULL);
    else
        condemn(x, LEAT_E_PROTOCOL, "a request in the form of old versions", NULL);
}

static void judge_request(struct lt_zabbix_exchange *x)
{
    uint32_t missing;

    if (x->pattern == NULL && x->role == LEAT_ZABBIX_AS_PROXY &&
        x->zabbix.reading->request == LEAT_ZABBIX_PROXY_CONFIG)
        refuse_aside(x, WITH_VERSION,
                     "misconfiguration error: the proxy is running in the active mode but server "
                     "sends requests to it as to proxy in passive mode");
    if (x->pattern == NULL) {
        condemn(x, LEAT_E_PROTOCOL, "not a request that is answered here", "request");
        return;
    }
    missing = first_missing(
        x->zabbix.core.event.value,
        lt_zabbix_demanded((enum lt_zabbix_says)x->pattern->step[0].says, x->version.number));
    /* Strangers learn nothing but that they are, so only who says no name is told so first. */
    if (missing != LT_ZABBIX_NEEDS_HOST && x->owner != NULL && x->owner->may != NULL)
        x->owner->may(x);
    if (x->verdict != LEAT_OK || x->finished)
        return;
    if (missing != 0)
        refuse_lacking(x, missing);
    else
        judge_version(x);
}

/* A configuration from 6.4 on has its revision, unless it is empty: spec section 7.4. */
static bool lacks_revision(const struct lt_zabbix_exchange *x)
{
    const leat_value *message = x->zabbix.core.event.value;

    return takes_configuration(x) && x->version.number >= LT_ZABBIX_6_4 &&
           leat_value_count(message) > 0 && !has(message, LT_ZABBIX_NEEDS_REVISION);
}

static void judge_content(struct lt_zabbix_exchange *x, const struct lt_zabbix_step *step)
{
    uint32_t missing =
        first_missing(x->zabbix.core.event.value,
                      lt_zabbix_demanded((enum lt_zabbix_says)step->says, x->version.number));

    if (missing == 0 && lacks_revision(x)) {
        missing = LT_ZABBIX_NEEDS_REVISION;
        if (!x->connects)
            refuse_aside(x, WITH_VERSION, "no config_revision tag in proxy configuration response");
    }
    if (missing != 0)
        condemn(x, LEAT_E_PROTOCOL, "a member is missing", lt_zabbix_needed_name(missing));
    else if (x->connects && x->kind == LEAT_ZABBIX_PROXY_CONFIG)
        judge_version(x);
}

/* The peer gives no answer. A server that gives no configuration is told that there is none. */
static void end_refused(struct lt_zabbix_exchange *x)
{
    if (!x->connects && x->kind == LEAT_ZABBIX_PROXY_CONFIG) {
        refuse_aside(x, WITH_VERSION, "the server sent no configuration");
        return;
    }
    x->refusing = true;
    x->step = x->pattern->steps; /* that was its last word */
}

static void judge_answer(struct lt_zabbix_exchange *x)
{
    leat_event *event = &x->zabbix.core.event;
    const struct lt_zabbix_step *step = &x->pattern->step[x->step - 1];

    if (x->kind == LEAT_ZABBIX_PASSIVE_CHECKS && event->kind == LEAT_ZABBIX_PLAIN)
        return;
    if (x->zabbix.reading->request != 0) {
        condemn(x, LEAT_E_PROTOCOL, "a request in the place of an answer", "request");
    } else if (event->kind == LEAT_ZABBIX_PLAIN || event->kind == LEAT_ZABBIX_UNFRAMED) {
        condemn(x, LEAT_E_PROTOCOL, "not an object", NULL);
    } else if (event->kind == LEAT_ZABBIX_RESPONSE && step->kind != LEAT_ZABBIX_RESPONSE) {
        end_refused(x);
    } else {
        event->kind = step->kind;
        event->name = lt_zabbix_kind_name(step->kind);
        event->name_length = strlen(event->name);
        judge_content(x, step);
    }
}

/* A body that cannot be read. Real peers say so where a message could have been anything. */
static void judge_malformed(struct lt_zabbix_exchange *x)
{
    const leat_event *event = &x->zabbix.core.event;
    bool configuration = x->role == LEAT_ZABBIX_AS_PASSIVE_PROXY && x->step == 3;

    if (x->verdict == LEAT_OK && event->error.code == LEAT_E_SYNTAX && !x->connects &&
        x->role != LEAT_ZABBIX_AS_AGENT && (x->step == 1 || configuration)) {
        x->as_it_came = !configuration;
        x->came_compressed = false;
        refuse_aside(x, configuration ? WITH_VERSION : FAILED,
                     "cannot parse as a valid JSON object");
    }
    condemn(x, event->error.code, event->error.text, event->error.field);
}

static void judge_message(struct lt_zabbix_exchange *x)
{
    const struct lt_zabbix_reading *r = x->zabbix.reading;
    leat_event *event = &x->zabbix.core.event;

    x->came_compressed = (r->header.flags & LEAT_ZABBIX_COMPRESSED) != 0;
    if (x->step == 0 && r->request != 0 && event->kind != LEAT_ZABBIX_PLAIN &&
        event->kind != LEAT_ZABBIX_UNFRAMED)
        set_kind(x, r->request);
    x->step++;
    x->since_ms = x->zabbix.core.now_ms;
    if (event->error.code != LEAT_OK) {
        judge_malformed(x);
    } else if (x->condemned) {
        x->condemned = false;
        lt_zabbix_exchange_refuse(x, x->info.status == LEAT_OK ? (const char *)x->info.data : "",
                                  x->reason, x->field);
    } else if (x->step > 1) {
        judge_answer(x);
    } else if (event->kind == LEAT_ZABBIX_PLAIN) {
        judge_plain_request(x);
    } else {
        judge_request(x);
    }
}

/* What was read goes to the owner and the caller, or not. GO_ON: it does not. */
static int take_event(struct lt_zabbix_exchange *x)
{
    bool row = x->zabbix.core.event.kind == LEAT_ZABBIX_ROW;
    int status = LEAT_OK;

    if (!row) {
        judge_message(x);
    } else if (x->condemned) {
        return GO_ON;
    } else if (x->step == 0 && x->kind == 0) {
        set_kind(x, x->zabbix.reading->request);
    }
    if (x->owner != NULL)
        status = x->owner->event(x);
    if (status == LEAT_OK && row && x->condemned)
        return GO_ON;
    return status == LEAT_MORE ? GO_ON : status;
}

/* The peer has the word, but its stream is over. */
static int on_end_of_stream(struct lt_zabbix_exchange *x)
{
    if (x->step == 0 || is_complete(x))
        return end(x);
    return fail(x, LEAT_E_END, "the stream ended before the answer", NULL);
}

/* Up to 6.2 only the request shows if a passive proxy gets a configuration, which may be larger. */
static bool is_too_long(const struct lt_zabbix_exchange *x)
{
    const struct lt_zabbix_reading *r = x->zabbix.reading;

    return x->default_limits && x->zabbix.core.inside && x->step == 0 && r->request != 0 &&
           r->request != LEAT_ZABBIX_PROXY_CONFIG &&
           (r->header.data_len > lt_zabbix_limits.message_bytes ||
            ((r->header.flags & LEAT_ZABBIX_COMPRESSED) != 0 &&
             r->header.reserved > lt_zabbix_limits.inflated_bytes));
}

static int read_next(struct lt_zabbix_exchange *x)
{
    leat_session *session = &x->zabbix.core;
    int status = lt_zabbix_next(session);

    if (status == LEAT_OK)
        return take_event(x);
    if (status == LEAT_MORE && is_too_long(x))
        return fail(x, LEAT_E_LIMIT, "a message over the limit", "data_len");
    if (status == LEAT_MORE && session->eof && lt_unread_bytes(session) == 0 && !session->inside)
        return on_end_of_stream(x);
    if (status < 0)
        tell_over(x, status);
    return status;
}

/* All was said: waits for who closes first. */
static int linger(struct lt_zabbix_exchange *x)
{
    bool we_close = x->finished || x->pattern->asker_closes == x->connects;

    if (we_close || x->zabbix.core.eof || x->linger_ms == 0)
        return end(x);
    return LEAT_MORE;
}

static int next_step(struct lt_zabbix_exchange *x)
{
    leat_session *session = &x->zabbix.core;
    bool complete = x->finished || (x->pattern != NULL && x->step == x->pattern->steps);
    int status = LEAT_MORE;

    if (x->verdict != LEAT_OK) {
        tell_over(x, x->verdict);
        return lt_fail_at(session, x->verdict, x->offset, x->reason, x->field);
    }
    if (x->owner != NULL) {
        status = x->engine == NULL ? end(x) : x->owner->extra(x);
        if (status != LEAT_MORE)
            return status;
    }
    if (!complete && !lt_zabbix_exchange_is_ours(x))
        return read_next(x);
    if (lt_unread_bytes(session) > 0 && !x->finished)
        return fail(x, LEAT_E_FRAME, "octets behind the message", NULL);
    if (complete)
        return linger(x);
    if (x->owner != NULL)
        status = x->owner->turn(x);
    return status == LEAT_OK ? GO_ON : status;
}

static int next(leat_session *session)
{
    struct lt_zabbix_exchange *x = (struct lt_zabbix_exchange *)session;
    int status;

    do {
        status = next_step(x);
        if (status == GO_ON) {
            lt_take_back(session);
            lt_tree_clear(&session->tree);
        }
    } while (status == GO_ON);
    if (status < 0)
        tell_over(x, status);
    session->owes = !x->connects && lt_zabbix_exchange_is_ours(x);
    return status;
}

/* ---- time ---- */

static bool is_lingering(const struct lt_zabbix_exchange *x)
{
    return x->pattern != NULL && x->step == x->pattern->steps;
}

/* It ends with the next call of leat_next(), which nothing that the peer does would wake. */
static bool is_over(const struct lt_zabbix_exchange *x)
{
    return x->finished || (x->owner != NULL && x->engine == NULL);
}

/* When the peer has been waited for long enough. */
static uint64_t waits_until(const struct lt_zabbix_exchange *x)
{
    const leat_session *session = &x->zabbix.core;
    uint64_t wait = x->timeout_ms;

    if (!x->clocked || session->status != LEAT_OK || x->verdict != LEAT_OK || is_over(x) ||
        lt_zabbix_exchange_is_ours(x))
        return UINT64_MAX;
    if (is_lingering(x))
        wait = x->linger_ms;
    else if (wait == 0)
        wait = x->step == 0 ? REQUEST_MS : x->pattern->step[x->step].wait_s * UINT64_C(1000);
    return lt_later(x->since_ms, wait);
}

static uint64_t deadline(const leat_session *session)
{
    const struct lt_zabbix_exchange *x = (const struct lt_zabbix_exchange *)session;

    return session->status == LEAT_OK && is_over(x) ? 0 : waits_until(x);
}

static void tick(leat_session *session)
{
    struct lt_zabbix_exchange *x = (struct lt_zabbix_exchange *)session;
    uint64_t until;

    if (!x->clocked) {
        x->clocked = true;
        x->since_ms = session->now_ms;
    }
    until = waits_until(x);
    if (until == UINT64_MAX || session->now_ms < until)
        return;
    if (is_lingering(x))
        (void)end(x);
    else
        (void)fail(x, LEAT_E_TIMEOUT, "the message took too long", NULL);
}

/* ---- making and freeing ---- */

static void release(leat_session *session)
{
    struct lt_zabbix_exchange *x = (struct lt_zabbix_exchange *)session;

    tell_over(x, session->status < 0 ? session->status : LEAT_E_END);
    lt_writer_free(&x->info);
    lt_zabbix_release(session);
}

static size_t memory(const leat_session *session)
{
    return lt_zabbix_memory(session) + ((const struct lt_zabbix_exchange *)session)->info.size;
}

const struct lt_dialect lt_zabbix_live = {
    .bytes = sizeof(struct lt_zabbix_exchange),
    .next = next,
    .send = lt_zabbix_send,
    .tick = tick,
    .deadline = deadline,
    .release = release,
    .trim = lt_zabbix_trim,
    .memory = memory,
};

static const leat_zabbix_exchange_options initial = {
    .size = sizeof(leat_zabbix_exchange_options),
    .compress = 1,
    .linger_ms = 1000,
};

void leat_zabbix_exchange_options_init(leat_zabbix_exchange_options *options, size_t size)
{
    lt_options_init(options, size, &initial, sizeof initial);
}

int lt_zabbix_exchange_make(const leat_config *config, const leat_zabbix_exchange_options *options,
                            const struct lt_zabbix_owner *owner, void *engine,
                            leat_session **session)
{
    static const leat_limits none;
    const leat_limits given = lt_limits(config, &none);
    struct lt_zabbix_version version;
    struct lt_zabbix_exchange *x;
    int status;

    if (options->role == 0 || !lt_zabbix_role_may(options->role, options->connects != 0) ||
        !lt_zabbix_version_own(options->version, &version) ||
        (options->connects == 0 && options->exchange != 0) ||
        (options->connects != 0 &&
         lt_zabbix_pattern_find(options->exchange, version.number, options->role, true) == NULL))
        return LEAT_E_VALUE;
    status = lt_session_new(&lt_zabbix_live, config, &lt_zabbix_limits, session);
    if (status != LEAT_OK)
        return status;
    x = (struct lt_zabbix_exchange *)*session;
    x->owner = owner;
    x->engine = engine;
    x->version = version;
    x->role = options->role;
    x->connects = options->connects != 0;
    x->auto_compress = options->compress != 0;
    x->timeout_ms = options->timeout_ms;
    x->linger_ms = options->linger_ms;
    x->default_limits = given.message_bytes == 0 && given.inflated_bytes == 0;
    x->info = lt_writer(&x->zabbix.core.allocator, SIZE_MAX);
    x->zabbix.rules = &rules;
    x->zabbix.plain =
        x->role == LEAT_ZABBIX_AS_AGENT && !x->connects && version.number < LT_ZABBIX_7_0;
    if (x->connects)
        set_kind(x, options->exchange);
    await(x);
    return LEAT_OK;
}

int leat_zabbix_exchange_new(const leat_config *config, const leat_zabbix_exchange_options *options,
                             leat_session **session)
{
    leat_zabbix_exchange_options read = initial;

    if (options == NULL || !lt_options_read(&read, sizeof read, options))
        return LEAT_E_VALUE;
    return lt_zabbix_exchange_make(config, &read, NULL, NULL, session);
}

uint32_t leat_zabbix_exchange(const leat_session *session)
{
    return session->dialect == &lt_zabbix_live ? ((const struct lt_zabbix_exchange *)session)->kind
                                               : 0;
}
