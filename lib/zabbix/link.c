/*
 * The sessions of a proxy: what each says when it is its turn, what it makes of what it reads, and
 * what it tells the caller about that.
 */
#include "fields.h"
#include "proxy.h"
#include "tasks.h"

#include "../core/bytes.h"

#define TASKS_MOST ((size_t)16 << 20) /* octets that the tasks of a message may hold */

#define IN_PROGRESS "configuration sync is already in progress"

static int no_memory(struct lt_zabbix_exchange *x)
{
    return lt_fail(&x->zabbix.core, LEAT_E_NOMEM, 0, "out of memory", NULL);
}

static bool is_text(const leat_value *value, const char *text)
{
    size_t length;
    const char *at = leat_value_text(value, &length);

    return leat_value_kind(value) == LEAT_TEXT && length == strlen(text) &&
           memcmp(at, text, length) == 0;
}

static bool is_row(const leat_event *event, const char *name)
{
    return event->kind == LEAT_ZABBIX_ROW && event->name_length == strlen(name) &&
           memcmp(event->name, name, event->name_length) == 0;
}

/* Events that were refused, or that are the rows of a message that was, need no more of us. */
static int refused(const leat_event *event)
{
    return event->kind == LEAT_ZABBIX_ROW ? LEAT_MORE : LEAT_OK;
}

/* ---- writing ---- */

static int put_failed(leat_session *session, const char *info)
{
    int status = lt_zabbix_put_text(session, "response", "failed");

    return status == LEAT_OK ? lt_zabbix_put_text(session, "info", info) : status;
}

/* Who we are: the members in front of a request. */
static int begin_request(const struct lt_zabbix_link *link, leat_session *session,
                         const char *request)
{
    int status = leat_zabbix_begin(session);

    if (status == LEAT_OK)
        status = lt_zabbix_put_text(session, "request", request);
    if (status == LEAT_OK)
        status = lt_zabbix_put_text(session, "host", link->proxy->name);
    return status;
}

/* What we have of the configuration: spec section 7. */
static int put_revision(const leat_zabbix_proxy *proxy, leat_session *session)
{
    uint64_t hostmap = leat_zabbix_tables_hostmap_revision(proxy->tables);
    int status = lt_zabbix_put_text(session, "session", proxy->session);

    if (status == LEAT_OK)
        status = leat_zabbix_number(session, "config_revision",
                                    leat_zabbix_tables_revision(proxy->tables));
    if (status == LEAT_OK && hostmap != 0)
        status = leat_zabbix_number(session, "hostmap_revision", hostmap);
    return status;
}

static int write_config_request(const struct lt_zabbix_link *link, leat_session *session)
{
    const leat_zabbix_proxy *proxy = link->proxy;
    int status = begin_request(link, session, "proxy config");

    if (status == LEAT_OK)
        status = lt_zabbix_put_text(session, "version", proxy->version.text);
    if (status == LEAT_OK && proxy->version.number >= LT_ZABBIX_6_4)
        status = put_revision(proxy, session);
    return status == LEAT_OK ? leat_zabbix_end(session) : status;
}

static int write_heartbeat(const struct lt_zabbix_link *link, leat_session *session)
{
    int status = begin_request(link, session, "proxy heartbeat");

    if (status == LEAT_OK)
        status = lt_zabbix_put_text(session, "version", link->proxy->version.text);
    return status == LEAT_OK ? leat_zabbix_end(session) : status;
}

/* The second of the four messages of section 7.3. */
static int write_handshake(const struct lt_zabbix_link *link, leat_session *session)
{
    int status = leat_zabbix_begin(session);

    if (status == LEAT_OK)
        status = lt_zabbix_put_text(session, "version", link->proxy->version.text);
    if (status == LEAT_OK)
        status = put_revision(link->proxy, session);
    return status == LEAT_OK ? leat_zabbix_end(session) : status;
}

static int write_verdict(const struct lt_zabbix_link *link, leat_session *session)
{
    int status = leat_zabbix_begin(session);

    if (status == LEAT_OK)
        status = link->succeeded ? lt_zabbix_put_text(session, "response", "success")
                                 : put_failed(session, link->reason);
    if (status == LEAT_OK)
        status = lt_zabbix_put_text(session, "version", link->proxy->version.text);
    return status == LEAT_OK ? leat_zabbix_end(session) : status;
}

/* ---- data ---- */

/* Whether a section goes into the message of this exchange now. */
static bool is_sent(const struct lt_zabbix_link *link, uint32_t section)
{
    return section == LT_ZABBIX_TASKS ||
           (link->x->kind == LEAT_ZABBIX_PROXY_DATA && (!link->x->connects || link->proxy->upload));
}

static int put_section(struct lt_zabbix_link *link, leat_session *session, uint32_t section,
                       uint64_t *room)
{
    const leat_zabbix_proxy_options *options = &link->proxy->options;
    const struct lt_zabbix_queue *queue = &link->proxy->queues[section];
    struct lt_zabbix_walk walk = lt_zabbix_queue_walk(queue, 0);
    struct lt_zabbix_run run;
    int status;

    link->until[section] =
        lt_zabbix_queue_batch(queue, options->batch_rows, options->batch_bytes, *room);
    link->more = link->more || link->until[section] != queue->next;
    if (link->until[section] == lt_zabbix_queue_start(queue))
        return LEAT_OK;
    status = leat_zabbix_section(session, lt_zabbix_section_names[section]);
    while (status == LEAT_OK &&
           lt_zabbix_queue_run(&walk, link->until[section], UINT64_MAX, &run)) {
        status = lt_zabbix_put_rows(session, run.text, run.length);
        link->rows[section] += run.rows;
        *room -= run.length + 1;
    }
    return status == LEAT_OK ? leat_zabbix_close(session) : status;
}

static int put_sections(struct lt_zabbix_link *link, leat_session *session)
{
    leat_zabbix_proxy *proxy = link->proxy;
    uint64_t room = proxy->message_bytes;
    uint32_t section;
    int status = LEAT_OK;

    proxy->uploader = link;
    for (section = 0; section < LT_ZABBIX_SECTIONS && status == LEAT_OK; section++) {
        if (is_sent(link, section))
            status = put_section(link, session, section, &room);
    }
    if (status == LEAT_OK && link->more && link->x->kind == LEAT_ZABBIX_PROXY_DATA)
        status = leat_zabbix_number(session, "more", 1);
    return status;
}

static int put_time(const leat_zabbix_proxy *proxy, leat_session *session)
{
    uint64_t clock_ns = proxy->clock_ns < 0 ? 0 : (uint64_t)proxy->clock_ns;
    int status = leat_zabbix_number(session, "clock", clock_ns / 1000000000u);

    return status == LEAT_OK ? leat_zabbix_number(session, "ns", clock_ns % 1000000000u) : status;
}

/* How old the oldest value is that this message leaves. */
static int put_delay(const struct lt_zabbix_link *link, leat_session *session)
{
    const leat_zabbix_proxy *proxy = link->proxy;
    struct lt_zabbix_walk walk =
        lt_zabbix_queue_walk(&proxy->queues[LT_ZABBIX_HISTORY], link->until[LT_ZABBIX_HISTORY]);
    struct lt_zabbix_run run;
    uint64_t seconds;

    if (link->rows[LT_ZABBIX_HISTORY] == 0 || !lt_zabbix_queue_run(&walk, UINT64_MAX, 1, &run))
        return LEAT_OK;
    seconds = lt_zabbix_proxy_age(proxy, run.at_ms);
    return seconds == 0 ? LEAT_OK : leat_zabbix_number(session, "proxy_delay", seconds);
}

/* The message of section 9.1, or the shorter one of section 10 for "proxy tasks". */
static int write_data(struct lt_zabbix_link *link, leat_session *session)
{
    leat_zabbix_proxy *proxy = link->proxy;
    bool active = link->x->connects;
    bool bare = active && proxy->jobs[LT_ZABBIX_JOB_DATA].failures > 0;
    int status = active ? begin_request(link, session, "proxy data") : leat_zabbix_begin(session);

    if (status == LEAT_OK && link->x->kind == LEAT_ZABBIX_PROXY_DATA)
        status = lt_zabbix_put_text(session, "session", proxy->session);
    if (active && lt_zabbix_proxy_has_rows(proxy) && !bare)
        proxy->rows_ms = lt_zabbix_proxy_after(proxy, proxy->options.data_ms);
    if (status == LEAT_OK && !bare && proxy->uploader == NULL)
        status = put_sections(link, session);
    if (status == LEAT_OK)
        status = lt_zabbix_put_text(session, "version", proxy->version.text);
    if (status == LEAT_OK)
        status = put_time(proxy, session);
    if (status == LEAT_OK)
        status = put_delay(link, session);
    link->sent = true;
    return status == LEAT_OK ? leat_zabbix_end(session) : status;
}

/* ---- where a group sends an agent ---- */

/* The proxy of that name or, without one, of that id: its id, and where it listens. */
static uint64_t find_member(leat_zabbix_tables *tables, const char *name, uint64_t id,
                            struct lt_writer *address)
{
    size_t i, length, port_length;
    const leat_value *row;

    for (i = 0; (row = leat_zabbix_tables_at(tables, "proxy", i)) != NULL; i++) {
        uint64_t proxyid = leat_zabbix_u64(leat_value_get(row, "proxyid"));
        const char *host = leat_value_text(leat_value_get(row, "local_address"), &length);
        const char *port = leat_value_text(leat_value_get(row, "local_port"), &port_length);
        bool ipv6 = memchr(host, ':', length) != NULL;

        if (name != NULL ? !is_text(leat_value_get(row, "name"), name) : proxyid != id)
            continue;
        if (address == NULL || length == 0)
            return proxyid;
        lt_put_text(address, ipv6 ? "[" : "");
        lt_put_bytes(address, host, length);
        lt_put_text(address, ipv6 ? "]" : "");
        lt_put_text(address, port_length > 0 ? ":" : "");
        lt_put_bytes(address, port, port_length);
        return proxyid;
    }
    return 0;
}

/* Spec sections 7.6 and 12.5. */
static int find_redirect(struct lt_zabbix_link *link, const leat_value *host)
{
    leat_zabbix_proxy *proxy = link->proxy;
    leat_zabbix_tables *tables = proxy->tables;
    size_t length;
    const char *name = leat_value_text(host, &length);
    uint64_t owner, own;

    link->revision = leat_zabbix_tables_hostmap_revision(tables);
    if (link->revision == 0 || length == 0)
        return LEAT_OK;
    if (!lt_zabbix_hosts_make(&proxy->hosts, &proxy->allocator, tables))
        return no_memory(link->x);
    owner = lt_zabbix_hosts_find(&proxy->hosts, tables, name, length);
    own = find_member(tables, proxy->name, 0, NULL);
    if (owner == 0 || own == 0 || owner == own ||
        find_member(tables, NULL, owner, &link->address) == 0)
        return LEAT_OK;
    if (link->address.status == LEAT_E_NOMEM)
        return no_memory(link->x);
    link->redirects = link->address.length > 0 && link->address.status == LEAT_OK;
    return LEAT_OK;
}

static int put_redirect(const struct lt_zabbix_link *link, leat_session *session)
{
    int status = leat_zabbix_object(session, "redirect");

    if (status == LEAT_OK)
        status = leat_zabbix_number(session, "revision", link->revision);
    if (status == LEAT_OK)
        status = leat_zabbix_text(session, "address", (const char *)link->address.data,
                                  link->address.length);
    return status == LEAT_OK ? leat_zabbix_close(session) : status;
}

static int write_redirect(const struct lt_zabbix_link *link, leat_session *session)
{
    bool in_front = link->x->kind != LEAT_ZABBIX_ACTIVE_CHECKS;
    int status = leat_zabbix_begin(session);

    if (status == LEAT_OK && in_front)
        status = put_redirect(link, session);
    if (status == LEAT_OK)
        status = lt_zabbix_put_text(session, "response", "failed");
    if (status == LEAT_OK && !in_front)
        status = put_redirect(link, session);
    return status == LEAT_OK ? leat_zabbix_end(session) : status;
}

static int on_agent(struct lt_zabbix_link *link, const leat_event *event)
{
    leat_session *session = &link->x->zabbix.core;
    bool row = event->kind == LEAT_ZABBIX_ROW;
    const leat_value *host = leat_value_get(event->value, "host");
    int status = LEAT_OK;

    if (row && leat_value_get(leat_zabbix_members(session), "host") != NULL)
        host = leat_value_get(leat_zabbix_members(session), "host");
    if (!link->looked && link->proxy->version.number >= LT_ZABBIX_7_0 &&
        event->error.code == LEAT_OK)
        status = find_redirect(link, host);
    if (status != LEAT_OK)
        return status;
    link->looked = true;
    return link->redirects && event->error.code == LEAT_OK ? LEAT_MORE : LEAT_OK;
}

/* ---- what is read: configuration ---- */

/* Whether the message tells nothing but a revision. */
static bool is_idle(const leat_value *message)
{
    const leat_value *member;

    for (member = leat_value_first(message); member != NULL;
         member = leat_value_next(message, member)) {
        size_t length;
        const char *name = leat_value_name(member, &length);
        bool harmless = (length == 15 && memcmp(name, "config_revision", 15) == 0) ||
                        (length == 11 && memcmp(name, "proxy_group", 11) == 0) ||
                        (length == 4 && memcmp(name, "data", 4) == 0);

        if (!harmless || (length == 4 && leat_value_count(member) > 0))
            return false;
    }
    return true;
}

static void fail_to_learn(struct lt_zabbix_link *link, const char *what, const char *field)
{
    if (link->reason == NULL) {
        link->reason = what;
        link->field = field;
    }
}

/* Gives the event to the tables. LEAT_OK, also if they do not take it; or < 0. */
static int learn(struct lt_zabbix_link *link, const leat_event *event)
{
    leat_zabbix_tables *tables = link->proxy->tables;
    const leat_error *error;
    int status;

    if (link->reason != NULL)
        return LEAT_OK;
    link->learning = true;
    status = leat_zabbix_tables_learn(tables, event);
    if (status == LEAT_E_NOMEM)
        return no_memory(link->x);
    if (status == LEAT_OK)
        return LEAT_OK;
    error = leat_zabbix_tables_error(tables);
    fail_to_learn(link, error == NULL ? "it cannot be applied" : leat_error_text(error),
                  error == NULL ? NULL : leat_error_field(error));
    return LEAT_OK;
}

/* What the tables wait for will not come, or came. */
static void stop_learning(struct lt_zabbix_link *link)
{
    if (link->learning)
        (void)leat_zabbix_tables_learn(link->proxy->tables, NULL);
    link->learning = false;
}

/* The whole configuration is there, or a word that there will be none. */
static int finish_learning(struct lt_zabbix_link *link, leat_event *event)
{
    leat_zabbix_proxy *proxy = link->proxy;
    uint64_t hostmap = leat_zabbix_tables_hostmap_revision(proxy->tables);
    int status;

    status = event->kind == LEAT_ZABBIX_RESPONSE ? LEAT_OK : learn(link, event);
    stop_learning(link);
    if (event->kind == LEAT_ZABBIX_RESPONSE)
        return LEAT_OK;
    if (status != LEAT_OK)
        return status;
    if (event->error.code != LEAT_OK)
        fail_to_learn(link, event->error.text, event->error.field);
    if (link->reason != NULL) {
        if (event->error.code == LEAT_OK)
            (void)lt_error(&event->error, LEAT_E_VALUE, event->offset, link->reason, link->field);
        return LEAT_OK;
    }
    if (link->any_rows || !is_idle(event->value) ||
        hostmap != leat_zabbix_tables_hostmap_revision(proxy->tables))
        proxy->tables_changed = true;
    proxy->hosts.current = false;
    link->succeeded = link->changes = true;
    return LEAT_OK;
}

static int on_configuration(struct lt_zabbix_link *link, leat_event *event)
{
    leat_zabbix_proxy *proxy = link->proxy;
    int status;

    if (proxy->learner == NULL)
        proxy->learner = link;
    if (proxy->learner != link) {
        lt_zabbix_exchange_refuse(link->x, IN_PROGRESS, "another one is arriving", "request");
        return refused(event);
    }
    if (event->kind == LEAT_ZABBIX_ROW) {
        link->any_rows = true;
        status = learn(link, event);
        return status == LEAT_OK ? LEAT_MORE : status;
    }
    /* From 6.4 on the request comes first, and alone. */
    if (!link->x->connects && proxy->version.number >= LT_ZABBIX_6_4 && link->x->step == 1)
        return LEAT_OK;
    return finish_learning(link, event);
}

/* ---- what is read: acknowledgements and tasks ---- */

static int collect_task(struct lt_zabbix_link *link, const leat_event *event)
{
    int status = LEAT_OK;

    if (link->tasks == NULL) {
        status = leat_builder_new(&link->proxy->config, &link->tasks);
        if (status == LEAT_OK)
            status = leat_builder_open(link->tasks, NULL, LEAT_LIST);
    }
    if (status == LEAT_OK)
        status = leat_builder_copy(link->tasks, NULL, event->value);
    if (status == LEAT_OK && lt_builder_bytes(link->tasks) > TASKS_MOST)
        status = LEAT_E_LIMIT;
    if (status == LEAT_E_LIMIT)
        return lt_fail(&link->x->zabbix.core, status, 0, "too many tasks at once", "tasks");
    return status == LEAT_OK ? LEAT_MORE : no_memory(link->x);
}

static int show_tasks(struct lt_zabbix_link *link)
{
    if (link->tasks == NULL)
        return LEAT_OK;
    if (leat_builder_close(link->tasks) != LEAT_OK)
        return no_memory(link->x);
    link->list = leat_builder_value(link->tasks);
    link->task = leat_value_first(link->list);
    return LEAT_OK;
}

/*
 * The server has what was sent: only now it leaves the buffer. The next exchange waits until the
 * session is over: a real server that is asked again before it has closed gives its tasks twice.
 */
static void commit(struct lt_zabbix_link *link)
{
    leat_zabbix_proxy *proxy = link->proxy;
    size_t i;

    link->succeeded = true;
    if (proxy->uploader == link) {
        for (i = 0; i < LT_ZABBIX_SECTIONS; i++) {
            (void)lt_zabbix_queue_drop(&proxy->queues[i], link->until[i]);
            link->tells = link->tells || link->rows[i] > 0;
        }
        if (link->rows[LT_ZABBIX_HISTORY] > 0 &&
            proxy->acknowledged < link->until[LT_ZABBIX_HISTORY] - 1)
            proxy->acknowledged = link->until[LT_ZABBIX_HISTORY] - 1;
        proxy->uploader = NULL;
    }
}

static int on_acknowledgement(struct lt_zabbix_link *link, const leat_event *event)
{
    const leat_value *upload = leat_value_get(event->value, "upload");

    if (link->x->connects && is_text(upload, "enabled"))
        link->proxy->upload = true;
    if (link->x->connects && is_text(upload, "disabled"))
        link->proxy->upload = false;
    if (!is_text(leat_value_get(event->value, "response"), "success"))
        return LEAT_OK;
    commit(link);
    return show_tasks(link);
}

static int on_data(struct lt_zabbix_link *link, const leat_event *event)
{
    if (is_row(event, "tasks") && link->sent)
        return collect_task(link, event);
    if (event->kind == LEAT_ZABBIX_ROW)
        return LEAT_MORE;
    if (!link->sent || event->kind != LEAT_ZABBIX_RESPONSE || event->error.code != LEAT_OK)
        return LEAT_OK;
    return on_acknowledgement(link, event);
}

static void refuse_stranger(struct lt_zabbix_exchange *x)
{
    lt_zabbix_exchange_refuse(x, "connection is not allowed", "it is not our server that asks",
                              "request");
}

static bool is_of_server(const struct lt_zabbix_exchange *x)
{
    return x->kind != 0 && x->kind <= LEAT_ZABBIX_PROXY_HEARTBEAT;
}

static void on_request(struct lt_zabbix_exchange *x)
{
    const struct lt_zabbix_link *link = (const struct lt_zabbix_link *)x->engine;

    if (is_of_server(x) && !link->is_server)
        refuse_stranger(x);
}

static int on_event(struct lt_zabbix_exchange *x)
{
    struct lt_zabbix_link *link = (struct lt_zabbix_link *)x->engine;
    leat_event *event = &x->zabbix.core.event;

    link->begun = true;
    if (x->kind == 0)
        return LEAT_OK;
    if (!is_of_server(x))
        return on_agent(link, event);
    if (!link->is_server) {
        if (event->kind == LEAT_ZABBIX_ROW)
            refuse_stranger(x);
        return refused(event);
    }
    if (x->kind == LEAT_ZABBIX_PROXY_CONFIG)
        return on_configuration(link, event);
    if (x->kind != LEAT_ZABBIX_PROXY_HEARTBEAT)
        return on_data(link, event);
    link->succeeded = event->error.code == LEAT_OK &&
                      is_text(leat_value_get(event->value, "response"), "success");
    return LEAT_OK;
}

static int on_turn(struct lt_zabbix_exchange *x)
{
    struct lt_zabbix_link *link = (struct lt_zabbix_link *)x->engine;
    leat_session *session = &x->zabbix.core;
    int status;

    if (link->redirects)
        status = write_redirect(link, session);
    else if (x->kind == LEAT_ZABBIX_PROXY_DATA || x->kind == LEAT_ZABBIX_PROXY_TASKS)
        status = write_data(link, session);
    else if (x->kind == LEAT_ZABBIX_PROXY_HEARTBEAT)
        status = write_heartbeat(link, session);
    else if (x->kind != LEAT_ZABBIX_PROXY_CONFIG)
        return LEAT_MORE;
    else if (x->connects)
        status = write_config_request(link, session);
    else if (link->succeeded || link->reason != NULL)
        status = write_verdict(link, session);
    else
        status = write_handshake(link, session);
    return status == LEAT_OK
               ? LEAT_OK
               : lt_fail(session, status, 0, session->send_error.text, session->send_error.field);
}

/* ---- what is told ---- */

/* The event is made: its value is the tree, unless there was no room for it. */
static int give(struct lt_zabbix_exchange *x, int status)
{
    leat_session *session = &x->zabbix.core;

    if (status != LEAT_OK)
        return lt_fail(session, status, 0,
                       status == LEAT_E_LIMIT ? "too many values" : "out of memory", NULL);
    session->event.value = session->tree.cells;
    return LEAT_OK;
}

static int tell_acknowledged(struct lt_zabbix_link *link)
{
    leat_session *session = &link->x->zabbix.core;
    struct lt_tree *tree = &session->tree;
    uint32_t sections = 0;
    size_t top, i;

    link->tells = false;
    (void)lt_event(session, LEAT_ZABBIX_ACKNOWLEDGED, "acknowledged", NULL, 0, session->consumed);
    if (lt_tree_reserve(tree, 1 + 3 * LT_ZABBIX_SECTIONS) != LEAT_OK)
        return give(link->x, LEAT_E_NOMEM);
    top = lt_tree_open(tree, LEAT_RECORD, LT_NO_NAME);
    for (i = 0; i < LT_ZABBIX_SECTIONS; i++) {
        const char *name = lt_zabbix_section_names[i];
        size_t section;

        if (link->rows[i] == 0)
            continue;
        section = lt_tree_open(tree, LEAT_RECORD, name, (uint16_t)strlen(name));
        lt_tree_u64(tree, LT_NAME("rows"), link->rows[i]);
        if (i == LT_ZABBIX_HISTORY)
            lt_tree_u64(tree, LT_NAME("id"), link->until[i] - 1);
        lt_tree_close(tree, section, i == LT_ZABBIX_HISTORY ? 2 : 1);
        sections++;
    }
    lt_tree_close(tree, top, sections);
    return give(link->x, LEAT_OK);
}

static bool has_expired(const leat_zabbix_proxy *proxy, const leat_value *task)
{
    uint64_t now = proxy->clock_ns < 0 ? 0 : (uint64_t)proxy->clock_ns / 1000000000u;

    return lt_zabbix_task_expires(task) < now;
}

static int tell_task(struct lt_zabbix_link *link)
{
    leat_session *session = &link->x->zabbix.core;
    const leat_value *task = link->task;
    const char *lacks = lt_zabbix_task_lacks(link->proxy->version.number, true, task);
    leat_event *event = lt_event(session, LEAT_ZABBIX_TASK, "task", NULL, 0, session->consumed);

    link->task = leat_value_next(link->list, task);
    if (lacks != NULL)
        (void)lt_error(&event->error, LEAT_E_PROTOCOL, event->offset,
                       "a task of an unknown type, or without this member", lacks);
    else if (has_expired(link->proxy, task))
        (void)lt_error(&event->error, LEAT_E_TIMEOUT, event->offset, "the task has expired", "ttl");
    return give(link->x, lt_tree_copy(&session->tree, task, LT_NO_NAME));
}

static int tell_change(struct lt_zabbix_link *link)
{
    static const char *const changes[] = {"", "added", "changed", "removed"};
    leat_session *session = &link->x->zabbix.core;
    struct lt_tree *tree = &session->tree;
    const leat_value *row;
    const char *table;
    uint32_t change;
    char *name;
    int status = leat_zabbix_tables_change(link->proxy->tables, &change, &table, &row);

    if (status == LEAT_END) {
        link->changes = false;
        link->proxy->learner = NULL;
        return LEAT_MORE;
    }
    if (status != LEAT_OK)
        return give(link->x, status);
    name = (char *)lt_arena_alloc(&tree->arena, strlen(table) + 1);
    if (name == NULL)
        return give(link->x, LEAT_E_NOMEM);
    memcpy(name, table, strlen(table) + 1);
    (void)lt_event(session, LEAT_ZABBIX_CHANGE, name, NULL, 0, session->consumed);
    status = lt_tree_reserve(tree, 2);
    if (status == LEAT_OK) {
        (void)lt_tree_open(tree, LEAT_RECORD, LT_NO_NAME);
        lt_tree_bytes(tree, LEAT_TEXT, LT_NAME("change"), changes[change], strlen(changes[change]));
        status = lt_tree_copy(tree, row, LT_NAME("row"));
    }
    if (status == LEAT_OK)
        lt_tree_close(tree, 0, 2);
    return give(link->x, status);
}

static int on_extra(struct lt_zabbix_exchange *x)
{
    struct lt_zabbix_link *link = (struct lt_zabbix_link *)x->engine;

    if (link->tells)
        return tell_acknowledged(link);
    if (link->task != NULL)
        return tell_task(link);
    return link->changes ? tell_change(link) : LEAT_MORE;
}

/* ---- how it begins and ends ---- */

static void free_link(struct lt_zabbix_link *link)
{
    leat_zabbix_proxy *proxy = link->proxy;

    link->x->engine = NULL;
    link->x->zabbix.core.need = 0; /* what it says next does not depend on more octets */
    *link->place = link->next;
    if (link->next != NULL)
        link->next->place = link->place;
    leat_builder_free(link->tasks);
    lt_writer_free(&link->address);
    lt_free(&proxy->allocator, link, sizeof *link);
}

static void on_over(struct lt_zabbix_exchange *x, int status)
{
    struct lt_zabbix_link *link = (struct lt_zabbix_link *)x->engine;
    leat_zabbix_proxy *proxy = link->proxy;

    (void)status;
    if (proxy->uploader == link)
        proxy->uploader = NULL;
    if (proxy->learner == link)
        proxy->learner = NULL;
    stop_learning(link);
    /* What could not be applied is asked for anew, and whole: spec section 7.4. */
    if (link->job == LT_ZABBIX_JOB_CONFIG && link->reason != NULL)
        leat_zabbix_tables_forget(proxy->tables);
    if (link->job < LT_ZABBIX_JOBS)
        lt_zabbix_proxy_done(proxy, link);
    free_link(link);
}

static const struct lt_zabbix_owner owner = {on_request, on_event, on_extra, on_turn, on_over};

int lt_zabbix_link_new(leat_zabbix_proxy *proxy, uint32_t exchange, uint32_t job, bool is_server,
                       leat_session **session)
{
    leat_zabbix_exchange_options options;
    struct lt_zabbix_link *link =
        (struct lt_zabbix_link *)lt_alloc_zero(&proxy->allocator, sizeof *link);
    int status;

    if (link == NULL)
        return LEAT_E_NOMEM;
    leat_zabbix_exchange_options_init(&options, sizeof options);
    options.version = proxy->version.text;
    options.role =
        proxy->options.passive != 0 ? LEAT_ZABBIX_AS_PASSIVE_PROXY : LEAT_ZABBIX_AS_PROXY;
    options.connects = job < LT_ZABBIX_JOBS;
    options.exchange = exchange;
    options.timeout_ms = proxy->options.timeout_ms;
    options.linger_ms = proxy->options.linger_ms;
    status = lt_zabbix_exchange_make(&proxy->config, &options, &owner, link, session);
    if (status != LEAT_OK) {
        lt_free(&proxy->allocator, link, sizeof *link);
        return status;
    }
    link->proxy = proxy;
    link->address = lt_writer(&proxy->allocator, LT_ZABBIX_ADDRESS);
    link->x = lt_zabbix_exchange(*session);
    link->job = job;
    link->is_server = is_server;
    link->next = proxy->links;
    link->place = &proxy->links;
    if (link->next != NULL)
        link->next->place = &link->next;
    proxy->links = link;
    proxy->fresh = false;
    return LEAT_OK;
}

void lt_zabbix_links_free(leat_zabbix_proxy *proxy)
{
    while (proxy->links != NULL)
        free_link(proxy->links);
}

int leat_zabbix_proxy_met(leat_session *session, uint32_t is_server)
{
    struct lt_zabbix_exchange *x = lt_zabbix_exchange(session);
    struct lt_zabbix_link *link;

    if (x == NULL || x->owner != &owner || x->engine == NULL || x->connects)
        return LEAT_E_STATE;
    link = (struct lt_zabbix_link *)x->engine;
    if (link->begun)
        return LEAT_E_STATE;
    link->is_server = is_server != 0;
    return LEAT_OK;
}
