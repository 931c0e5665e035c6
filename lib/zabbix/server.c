/*
 * The server: which proxies it knows, what is kept for them, and when passive ones are due. What it
 * says and hears is in serving.c.
 */
#include "server.h"

#include "fields.h"

#include "../core/builder.h"
#include "../core/text.h"

#define SECOND_NS INT64_C(1000000000)

/* ---- proxies ---- */

/* The place of that name, or where it belongs. */
static size_t place_of(const leat_zabbix_server *server, const char *name, bool *found)
{
    size_t low = 0, high = server->known_count;

    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(server->known[middle]->name, name);

        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct lt_zabbix_known *lt_zabbix_known_find(const leat_zabbix_server *server, const char *name,
                                             size_t length)
{
    char text[LT_ZABBIX_NAME_MAX + 1];
    bool found;
    size_t place;

    if (!lt_zabbix_is_proxy_name(name, length))
        return NULL;
    memcpy(text, name, length);
    text[length] = '\0';
    place = place_of(server, text, &found);
    return found ? server->known[place] : NULL;
}

static struct lt_zabbix_known *find(const leat_zabbix_server *server, const char *name)
{
    return name == NULL ? NULL : lt_zabbix_known_find(server, name, strlen(name));
}

static int refuse(leat_zabbix_server *server, int status, const char *what, const char *field)
{
    return lt_error(&server->error, status, 0, what, field);
}

static int no_memory(leat_zabbix_server *server)
{
    return refuse(server, LEAT_E_NOMEM, "out of memory", NULL);
}

static int not_known(leat_zabbix_server *server)
{
    return refuse(server, LEAT_E_STATE, "no proxy of that name", "name");
}

static void free_known(leat_zabbix_server *server, struct lt_zabbix_known *known)
{
    lt_zabbix_access_free(&server->allocator, &known->access);
    leat_zabbix_tables_free(known->tables);
    lt_zabbix_seen_free(&server->allocator, &known->seen);
    lt_zabbix_tasks_free(&server->allocator, &known->tasks);
    lt_free(&server->allocator, known, sizeof *known);
}

static int insert(leat_zabbix_server *server, size_t place, const char *name)
{
    struct lt_zabbix_known *known;
    void *array = server->known;
    int status;

    if (!lt_grow(&server->allocator, &array, &server->known_size, server->known_count + 1,
                 sizeof *server->known))
        return LEAT_E_NOMEM;
    server->known = (struct lt_zabbix_known **)array;
    known = (struct lt_zabbix_known *)lt_alloc_zero(&server->allocator, sizeof *known);
    if (known == NULL)
        return LEAT_E_NOMEM;
    memcpy(known->name, name, strlen(name));
    status = leat_zabbix_tables_new(&server->config, server->options.version,
                                    (size_t)server->options.configuration_bytes, &known->tables);
    if (status != LEAT_OK) {
        lt_free(&server->allocator, known, sizeof *known);
        return status;
    }
    memmove(server->known + place + 1, server->known + place,
            (server->known_count - place) * sizeof *server->known);
    server->known[place] = known;
    server->known_count++;
    return LEAT_OK;
}

void leat_zabbix_server_member_init(leat_zabbix_server_member *member, size_t size)
{
    const leat_zabbix_server_member initial = {.connections = LEAT_ZABBIX_UNENCRYPTED,
                                               .compress = 1};

    lt_options_init(member, size, &initial, sizeof initial);
}

void leat_zabbix_peer_init(leat_zabbix_peer *peer, size_t size)
{
    const leat_zabbix_peer initial = {.connection = LEAT_ZABBIX_UNENCRYPTED};

    lt_options_init(peer, size, &initial, sizeof initial);
}

int leat_zabbix_server_add(leat_zabbix_server *server, const leat_zabbix_server_member *member)
{
    struct lt_zabbix_access access;
    struct lt_zabbix_known *known;
    leat_zabbix_server_member given;
    const char *field;
    size_t place;
    bool found;
    int status;

    server->error.code = LEAT_OK;
    leat_zabbix_server_member_init(&given, sizeof given);
    if (member == NULL || !lt_options_read(&given, sizeof given, member))
        return refuse(server, LEAT_E_VALUE, "not initialised", "size");
    if (given.name == NULL || !lt_zabbix_is_proxy_name(given.name, strlen(given.name)))
        return refuse(server, LEAT_E_VALUE, "not a name of a proxy", "name");
    status = lt_zabbix_access_make(&server->allocator, &given, &access, &field);
    if (status == LEAT_E_VALUE)
        return refuse(server, LEAT_E_VALUE, "not what a proxy may be demanded", field);
    place = place_of(server, given.name, &found);
    if (status == LEAT_OK && !found) {
        status = insert(server, place, given.name);
        if (status != LEAT_OK)
            lt_zabbix_access_free(&server->allocator, &access);
    }
    if (status == LEAT_E_LIMIT)
        return refuse(server, status, "too few for tables that are empty", "configuration_bytes");
    if (status != LEAT_OK)
        return no_memory(server);
    known = server->known[place];
    lt_zabbix_access_free(&server->allocator, &known->access);
    known->access = access;
    known->passive = given.passive != 0;
    known->compress = given.compress != 0;
    return LEAT_OK;
}

int leat_zabbix_server_remove(leat_zabbix_server *server, const char *name)
{
    struct lt_zabbix_known *known = find(server, name);
    struct lt_zabbix_visit *visit;
    bool found;
    size_t place;

    server->error.code = LEAT_OK;
    if (known == NULL)
        return not_known(server);
    for (visit = server->visits; visit != NULL; visit = visit->next) {
        if (visit->known == known)
            visit->known = NULL;
    }
    place = place_of(server, known->name, &found);
    server->known_count--;
    memmove(server->known + place, server->known + place + 1,
            (server->known_count - place) * sizeof *server->known);
    free_known(server, known);
    return LEAT_OK;
}

leat_zabbix_tables *leat_zabbix_server_tables(leat_zabbix_server *server, const char *name)
{
    struct lt_zabbix_known *known = find(server, name);

    return known == NULL ? NULL : known->tables;
}

int leat_zabbix_server_get_status(const leat_zabbix_server *server, const char *name,
                                  leat_zabbix_member_status *status)
{
    const struct lt_zabbix_known *known = find(server, name);
    leat_zabbix_member_status told = {0};

    if (known == NULL)
        return LEAT_E_STATE;
    told.last_access_ms = known->last_access_ms;
    told.rows = known->rows;
    told.repeated = known->repeated;
    told.delay = known->delay;
    told.tasks = known->tasks.count;
    told.revision = known->revision;
    told.failures = known->failures;
    memcpy(told.version, known->version.text, sizeof told.version);
    lt_options_init(status, (size_t)status->size, &told, sizeof told);
    return LEAT_OK;
}

/* ---- tasks ---- */

uint64_t lt_zabbix_server_clock(const leat_zabbix_server *server)
{
    return server->clock_ns < 0 ? 0 : (uint64_t)(server->clock_ns / SECOND_NS);
}

int lt_zabbix_server_check_task(const leat_zabbix_server *server, const leat_value *task,
                                const char **what, const char **field)
{
    const leat_value *member;

    *field = lt_zabbix_task_offends(server->version.number, true, task, what);
    if (*field != NULL)
        return LEAT_E_VALUE;
    for (member = leat_value_first(task); member != NULL; member = leat_value_next(task, member)) {
        if (leat_value_kind(member) == LEAT_TEXT &&
            (!leat_value_is_utf8(member) ||
             (member->length > 0 && memchr(member->u.bytes, 0, member->length) != NULL))) {
            *what = "a text that is not UTF-8, or holds a zero octet";
            *field = "";
            return LEAT_E_VALUE;
        }
    }
    return LEAT_OK;
}

static void put_number(leat_builder *builder, const leat_value *task, const char *name,
                       uint64_t otherwise)
{
    const leat_value *given = leat_value_get(task, name);

    if (given != NULL)
        (void)leat_builder_copy(builder, name, given);
    else
        (void)leat_builder_u64(builder, name, otherwise);
}

/* The task with what every task has in front. */
static const leat_value *complete_task(const leat_zabbix_server *server, leat_builder *builder,
                                       const leat_value *task)
{
    const leat_value *clock = leat_value_get(task, "clock"), *ttl = leat_value_get(task, "ttl");
    const leat_value *type = leat_value_get(task, "type"), *member;

    (void)leat_builder_open(builder, NULL, LEAT_RECORD);
    if (type != NULL)
        (void)leat_builder_copy(builder, "type", type);
    put_number(builder, task, "clock", lt_zabbix_server_clock(server));
    put_number(builder, task, "ttl", 0);
    for (member = leat_value_first(task); member != NULL; member = leat_value_next(task, member)) {
        if (member != type && member != clock && member != ttl)
            (void)leat_builder_copy(builder, NULL, member);
    }
    (void)leat_builder_close(builder);
    return leat_builder_value(builder);
}

static int keep_task(leat_zabbix_server *server, struct lt_zabbix_known *known,
                     const leat_value *value)
{
    struct lt_zabbix_task task = {0};

    task.length = leat_value_json(value, NULL, 0);
    task.text = (char *)lt_resize(&server->allocator, NULL, 0, task.length + 1);
    if (task.text == NULL)
        return no_memory(server);
    (void)leat_value_json(value, task.text, task.length + 1);
    task.type = leat_value_u64(leat_value_get(value, "type"));
    task.expires = lt_zabbix_task_expires(value);
    if (lt_zabbix_tasks_add(&server->allocator, &known->tasks, &task))
        return LEAT_OK;
    lt_free(&server->allocator, task.text, task.length + 1);
    return no_memory(server);
}

int leat_zabbix_server_task(leat_zabbix_server *server, const char *name, const leat_value *task)
{
    struct lt_zabbix_known *known = find(server, name);
    leat_builder *builder;
    const leat_value *value;
    const char *what, *field;
    int status;

    server->error.code = LEAT_OK;
    if (known == NULL)
        return not_known(server);
    if (leat_value_kind(task) != LEAT_RECORD)
        return refuse(server, LEAT_E_VALUE, "a task is a record", NULL);
    lt_zabbix_tasks_expire(&server->allocator, &known->tasks, lt_zabbix_server_clock(server));
    if (known->tasks.count >= server->options.tasks)
        return refuse(server, LEAT_E_LIMIT, "too many tasks wait", NULL);
    if (leat_builder_new(&server->config, &builder) != LEAT_OK)
        return no_memory(server);
    value = complete_task(server, builder, task);
    if (value == NULL)
        status = refuse(server, leat_error_code(leat_builder_error(builder)),
                        leat_error_text(leat_builder_error(builder)), NULL);
    else if (lt_zabbix_server_check_task(server, value, &what, &field) != LEAT_OK)
        status = refuse(server, LEAT_E_VALUE, what, field);
    else
        status = keep_task(server, known, value);
    leat_builder_free(builder);
    return status;
}

void leat_zabbix_server_throttle(leat_zabbix_server *server, uint32_t on)
{
    server->throttled = on != 0;
}

/* ---- when passive proxies are due ---- */

bool lt_zabbix_known_may_configure(const leat_zabbix_server *server,
                                   const struct lt_zabbix_known *known)
{
    return known->version.number == 0 ||
           lt_zabbix_version_takes(&server->version, &known->version, true);
}

bool lt_zabbix_known_may_send(const leat_zabbix_server *server, const struct lt_zabbix_known *known)
{
    return known->version.number == 0 || server->version.number < LT_ZABBIX_6_4 ||
           lt_zabbix_version_takes(&server->version, &known->version, false);
}

/* The first duty of a proxy that comes, and when. */
static enum lt_zabbix_duty next_duty(const leat_zabbix_server *server,
                                     const struct lt_zabbix_known *known, uint64_t *due_ms)
{
    enum lt_zabbix_duty duty = LT_ZABBIX_TASKS;

    *due_ms = known->due_ms[LT_ZABBIX_TASKS];
    if (!server->throttled && lt_zabbix_known_may_send(server, known) &&
        known->due_ms[LT_ZABBIX_DATA_DUTY] <= *due_ms) {
        duty = LT_ZABBIX_DATA_DUTY;
        *due_ms = known->due_ms[duty];
    }
    if (lt_zabbix_known_may_configure(server, known) &&
        known->due_ms[LT_ZABBIX_CONFIG] <= *due_ms) {
        duty = LT_ZABBIX_CONFIG;
        *due_ms = known->due_ms[duty];
    }
    if (*due_ms < known->wait_ms)
        *due_ms = known->wait_ms;
    return duty;
}

static enum lt_zabbix_duty duty_of(uint32_t kind)
{
    if (kind == LEAT_ZABBIX_PROXY_CONFIG)
        return LT_ZABBIX_CONFIG;
    return kind == LEAT_ZABBIX_PROXY_DATA ? LT_ZABBIX_DATA_DUTY : LT_ZABBIX_TASKS;
}

void lt_zabbix_schedule(struct lt_zabbix_visit *visit, bool succeeded)
{
    const leat_zabbix_server *server = visit->server;
    const leat_zabbix_server_options *options = &server->options;
    struct lt_zabbix_known *known = visit->known;
    enum lt_zabbix_duty duty = duty_of(visit->exchange->kind);

    known->busy = false;
    if (!succeeded) {
        known->wait_ms = known->due_ms[duty] = lt_later(server->now_ms, options->retry_ms);
        return;
    }
    if (duty == LT_ZABBIX_CONFIG)
        known->due_ms[duty] = lt_later(visit->begun_ms, options->config_ms);
    else
        known->due_ms[LT_ZABBIX_TASKS] = lt_later(visit->begun_ms, options->tasks_ms);
    if (duty == LT_ZABBIX_DATA_DUTY)
        known->due_ms[duty] =
            visit->more ? visit->begun_ms : lt_later(visit->begun_ms, options->data_ms);
    if (visit->reload)
        known->due_ms[LT_ZABBIX_CONFIG] = visit->begun_ms;
}

/* What was restored before the time was told lasts from now on. */
static void begin_time(leat_zabbix_server *server, uint64_t now_ms)
{
    size_t i, k;

    for (i = 0; i < server->known_count; i++) {
        struct lt_zabbix_seen *seen = &server->known[i]->seen;

        for (k = 0; k < seen->count; k++)
            seen->session[k].expires_ms = lt_later(seen->session[k].expires_ms, now_ms);
    }
    server->ticked = true;
}

void leat_zabbix_server_tick(leat_zabbix_server *server, uint64_t now_ms, int64_t clock_ns)
{
    if (!server->ticked)
        begin_time(server, now_ms);
    if (now_ms > server->now_ms)
        server->now_ms = now_ms;
    server->clock_ns = clock_ns;
}

uint64_t leat_zabbix_server_deadline(const leat_zabbix_server *server)
{
    uint64_t first = UINT64_MAX, due_ms;
    size_t i;

    for (i = 0; i < server->known_count; i++) {
        const struct lt_zabbix_known *known = server->known[i];

        if (!known->passive || known->busy)
            continue;
        (void)next_duty(server, known, &due_ms);
        if (due_ms < first)
            first = due_ms;
    }
    return first;
}

/* ---- sessions ---- */

static void exchange_options(const leat_zabbix_server *server,
                             leat_zabbix_exchange_options *options)
{
    leat_zabbix_exchange_options_init(options, sizeof *options);
    options->version = server->options.version;
    options->role = LEAT_ZABBIX_AS_SERVER;
    options->timeout_ms = server->options.timeout_ms;
    options->linger_ms = server->options.linger_ms;
}

static int make_session(leat_zabbix_server *server, struct lt_zabbix_visit *visit,
                        const leat_zabbix_exchange_options *options, leat_session **session)
{
    int status =
        lt_zabbix_exchange_make(&server->config, options, &lt_zabbix_serving, visit, session);

    if (status != LEAT_OK) {
        lt_zabbix_visit_free(visit);
        return status;
    }
    visit->exchange = lt_zabbix_exchange(*session);
    return LEAT_OK;
}

int leat_zabbix_server_accept(leat_zabbix_server *server, const leat_zabbix_peer *peer,
                              leat_session **session)
{
    leat_zabbix_exchange_options options;
    struct lt_zabbix_visit *visit;
    int status = lt_zabbix_visit_make(server, peer, &visit);

    server->error.code = LEAT_OK;
    exchange_options(server, &options);
    if (status == LEAT_OK)
        status = make_session(server, visit, &options, session);
    if (status == LEAT_E_VALUE)
        return refuse(server, status, "not initialised", "size");
    return status == LEAT_OK ? LEAT_OK : no_memory(server);
}

static const uint32_t kinds[LT_ZABBIX_DUTIES] = {LEAT_ZABBIX_PROXY_CONFIG, LEAT_ZABBIX_PROXY_DATA,
                                                 LEAT_ZABBIX_PROXY_TASKS};

static int connect_to(leat_zabbix_server *server, struct lt_zabbix_known *known,
                      enum lt_zabbix_duty duty, leat_session **session)
{
    leat_zabbix_exchange_options options;
    struct lt_zabbix_visit *visit;
    int status = lt_zabbix_visit_make(server, NULL, &visit);

    if (status != LEAT_OK)
        return status;
    exchange_options(server, &options);
    options.connects = 1;
    options.exchange = kinds[duty];
    options.compress = known->compress;
    status = make_session(server, visit, &options, session);
    if (status != LEAT_OK)
        return status;
    visit->known = known;
    known->busy = true;
    return LEAT_OK;
}

int leat_zabbix_server_connect(leat_zabbix_server *server, const char **name,
                               leat_session **session)
{
    size_t i;

    server->error.code = LEAT_OK;
    for (i = 0; i < server->known_count; i++) {
        size_t place = (server->turn + i) % server->known_count;
        struct lt_zabbix_known *known = server->known[place];
        enum lt_zabbix_duty duty;
        uint64_t due_ms;

        if (!known->passive || known->busy)
            continue;
        duty = next_duty(server, known, &due_ms);
        if (due_ms > server->now_ms)
            continue;
        if (connect_to(server, known, duty, session) != LEAT_OK)
            return no_memory(server);
        server->turn = place + 1;
        *name = known->name;
        return LEAT_OK;
    }
    return LEAT_END;
}

/* ---- making and freeing ---- */

void leat_zabbix_server_options_init(leat_zabbix_server_options *options, size_t size)
{
    const leat_zabbix_server_options initial = {
        .version = "7.0.22",
        .data_ms = 1000,
        .tasks_ms = 1000,
        .retry_ms = 5000,
        .linger_ms = 1000,
        .configuration_bytes = UINT64_C(256) << 20,
        .sessions = 16,
        .session_ms = 24 * 60 * 60 * 1000,
        .tasks = 10000,
    };

    lt_options_init(options, size, &initial, sizeof initial);
}

/* A configuration of our own, which lives as long as the server. */
static void copy_config(leat_zabbix_server *server, const leat_config *config)
{
    static const leat_limits none = {.size = sizeof none};

    server->limits = lt_limits(config, &none);
    leat_config_init(&server->config, sizeof server->config);
    server->config.allocator = &server->allocator;
    server->config.limits = &server->limits;
}

int leat_zabbix_server_new(const leat_config *config, const leat_zabbix_server_options *options,
                           leat_zabbix_server **server)
{
    leat_allocator allocator = lt_allocator(config);
    leat_zabbix_server_options settings;
    struct lt_zabbix_version version;
    leat_zabbix_server *made;

    leat_zabbix_server_options_init(&settings, sizeof settings);
    if (!lt_options_read(&settings, sizeof settings, options) ||
        !lt_zabbix_version_own(settings.version, &version) || settings.sessions == 0 ||
        settings.session_ms == 0)
        return LEAT_E_VALUE;
    made = (leat_zabbix_server *)lt_alloc_zero(&allocator, sizeof *made);
    if (made == NULL)
        return LEAT_E_NOMEM;
    made->allocator = allocator;
    made->version = version;
    made->options = settings;
    made->options.version = made->version.text;
    if (settings.configuration_bytes > SIZE_MAX)
        made->options.configuration_bytes = SIZE_MAX;
    if (settings.config_ms == 0)
        made->options.config_ms = version.number < LT_ZABBIX_6_4 ? 3600000 : 10000;
    copy_config(made, config);
    *server = made;
    return LEAT_OK;
}

void leat_zabbix_server_free(leat_zabbix_server *server)
{
    leat_allocator allocator;
    size_t i;

    if (server == NULL)
        return;
    while (server->visits != NULL) {
        struct lt_zabbix_visit *visit = server->visits;

        visit->exchange->engine = NULL;
        lt_zabbix_visit_free(visit);
    }
    for (i = 0; i < server->known_count; i++)
        free_known(server, server->known[i]);
    allocator = server->allocator;
    lt_free(&allocator, server->known, server->known_size * sizeof *server->known);
    lt_free(&allocator, server, sizeof *server);
}

const leat_error *leat_zabbix_server_error(const leat_zabbix_server *server)
{
    return server->error.code == LEAT_OK ? NULL : &server->error;
}

size_t leat_zabbix_server_memory(const leat_zabbix_server *server)
{
    size_t bytes = sizeof *server + server->known_size * sizeof *server->known;
    const struct lt_zabbix_visit *visit;
    size_t i;

    for (i = 0; i < server->known_count; i++) {
        const struct lt_zabbix_known *known = server->known[i];

        bytes += sizeof *known + lt_zabbix_access_memory(&known->access) +
                 leat_zabbix_tables_memory(known->tables) +
                 known->seen.size * sizeof *known->seen.session +
                 known->tasks.size * sizeof *known->tasks.task + known->tasks.bytes;
    }
    for (visit = server->visits; visit != NULL; visit = visit->next)
        bytes += lt_zabbix_visit_memory(visit);
    return bytes;
}
