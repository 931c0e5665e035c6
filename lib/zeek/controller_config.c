/* Staging configurations: all checks and all ports by sorting instances and nodes, a few times over. */
#include "controller_config.h"

#include "manage.h"

#include "../core/builder.h"
#include "../core/sort.h"
#include "../core/text.h"

#define PORTS      65536u
#define USED_BYTES (PORTS / 8)

/* In the order in which they get ports. */
enum role { ROLE_NONE, ROLE_MANAGER, ROLE_LOGGER, ROLE_PROXY, ROLE_WORKER };

static const char *const roles[] = {"Supervisor::NONE", "Supervisor::MANAGER", "Supervisor::LOGGER",
                                    "Supervisor::PROXY", "Supervisor::WORKER"};

/* An instance or a node. */
struct entry {
    const leat_value *name;
    const leat_value *instance; /* of a node, its name; else NULL */
    leat_value *port;           /* p or listen_port */
    leat_value *metrics;        /* of a node; else NULL */
    uint32_t role;
    uint8_t host[16];
};

struct plan {
    const struct lt_zeek_staging *staging;
    leat_builder *errors;
    struct lt_writer text; /* of one error */
    struct entry *instances;
    size_t instance_count;
    struct entry *nodes;
    size_t node_count;
    uint8_t *used; /* a bit for each port that is taken; at first none */
};

/* ----- order ----- */

static int compare_texts(const leat_value *a, const leat_value *b)
{
    return lt_zeek_text_compare(lt_zeek_text_of(a), lt_zeek_text_of(b));
}

static bool has_port(const leat_value *port)
{
    return leat_value_kind(port) == LEAT_PORT;
}

/* What is not set stands before all that are. */
static int compare_ports(const leat_value *a, const leat_value *b)
{
    uint64_t one = has_port(a) ? a->u.u64 + 1 : 0, other = has_port(b) ? b->u.u64 + 1 : 0;

    return (one > other) - (one < other);
}

static int compare_by(char key, const struct entry *a, const struct entry *b)
{
    switch (key) {
    case 'n':
        return compare_texts(a->name, b->name);
    case 'i':
        return compare_texts(a->instance, b->instance);
    case 'p':
        return compare_ports(a->port, b->port);
    case 'h':
        return memcmp(a->host, b->host, sizeof a->host);
    default: /* 'r' */
        return (a->role > b->role) - (a->role < b->role);
    }
}

/* By keys, a text: the first one counts most. */
static int compare(const void *keys, const void *a, const void *b)
{
    const char *key = (const char *)keys;
    int difference = 0;

    for (; *key != '\0' && difference == 0; key++)
        difference = compare_by(*key, (const struct entry *)a, (const struct entry *)b);
    return difference;
}

static void sort(struct entry *entries, size_t count, const char *keys)
{
    lt_sort(entries, count, sizeof *entries, compare, keys);
}

static bool same(const struct entry *a, const struct entry *b, const char *keys)
{
    return compare(keys, a, b) == 0;
}

/* Whether entry i of those sorted by the keys is the second one of several that are the same. */
static bool is_second(const struct entry *entries, size_t i, const char *keys)
{
    return i > 0 && same(&entries[i], &entries[i - 1], keys) &&
           (i == 1 || !same(&entries[i], &entries[i - 2], keys));
}

/* An instance of that name and, if the keys say so, port; NULL: there is none. They are sorted so. */
static const struct entry *find(const struct plan *plan, const char *keys, const leat_value *name,
                                leat_value *port)
{
    const struct entry wanted = {.name = name, .port = port};
    size_t low = 0, high = plan->instance_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int difference = compare(keys, &plan->instances[middle], &wanted);

        if (difference == 0)
            return &plan->instances[middle];
        if (difference < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* ----- what is wrong ----- */

static void put_text(struct plan *plan, const leat_value *text)
{
    size_t length;
    const char *octets = leat_value_text(text, &length);

    lt_put_bytes(&plan->text, octets, length);
}

static void add_error(struct plan *plan)
{
    if (plan->text.status == LEAT_OK)
        (void)leat_builder_text(plan->errors, NULL, (const char *)plan->text.data,
                                plan->text.length);
    plan->text.length = 0;
}

/* As Zeek prints it. */
static void put_port(struct plan *plan, const leat_value *port)
{
    uint32_t protocol = leat_value_port_protocol(port);

    if (protocol != LEAT_PROTOCOL_UNKNOWN) {
        lt_write_port(&plan->text, leat_value_port(port), protocol);
        return;
    }
    lt_write_u64(&plan->text, leat_value_port(port));
    lt_put_text(&plan->text, "/unknown");
}

/* Adds an error: %n is the name of the entry, %i its instance, %p its port. */
static void complain(struct plan *plan, const char *format, const struct entry *about)
{
    for (; *format != '\0'; format++) {
        if (*format != '%') {
            lt_put_u8(&plan->text, (uint8_t)*format);
            continue;
        }
        format++;
        if (*format == 'p')
            put_port(plan, about->port);
        else
            put_text(plan, *format == 'n' ? about->name : about->instance);
    }
    add_error(plan);
}

static bool lacks_port(const struct plan *plan, const struct entry *node)
{
    (void)plan;
    return node->role >= ROLE_MANAGER && node->role <= ROLE_PROXY &&
           leat_value_kind(node->port) == LEAT_NULL;
}

static bool is_instance(const struct plan *plan, const struct entry *node)
{
    return find(plan, "n", node->name, NULL) != NULL;
}

/* One error for all nodes of which this is true, if there are any. They are sorted by name. */
static void complain_of_all(struct plan *plan, const char *head,
                            bool (*is)(const struct plan *plan, const struct entry *node),
                            const char *tail)
{
    const struct entry *last = NULL;
    size_t i;

    for (i = 0; i < plan->node_count; i++) {
        const struct entry *node = &plan->nodes[i];

        if (!is(plan, node) || (last != NULL && same(node, last, "n")))
            continue;
        lt_put_text(&plan->text, last == NULL ? head : ", ");
        put_text(plan, node->name);
        last = node;
    }
    if (last == NULL)
        return;
    lt_put_text(&plan->text, tail);
    add_error(plan);
}

static void check_names(struct plan *plan)
{
    size_t i;

    sort(plan->instances, plan->instance_count, "np");
    for (i = 0; i < plan->instance_count; i++) {
        if (is_second(plan->instances, i, "n"))
            complain(plan, "multiple instances named '%n'", &plan->instances[i]);
    }
    sort(plan->nodes, plan->node_count, "n");
    for (i = 0; i < plan->node_count; i++) {
        if (is_second(plan->nodes, i, "n"))
            complain(plan, "multiple nodes named '%n'", &plan->nodes[i]);
    }
    complain_of_all(plan, "node and instance names collide: ", is_instance, "");
    if (plan->staging->broker_port == 0)
        complain_of_all(plan, "Broker port auto-assignment disabled but nodes ", lacks_port,
                        " lack ports");
}

static bool is_tcp(const leat_value *port)
{
    return has_port(port) && leat_value_port_protocol(port) == LEAT_PROTOCOL_TCP;
}

static void check_nodes(struct plan *plan)
{
    size_t i;

    sort(plan->nodes, plan->node_count, "ip");
    for (i = 0; i < plan->node_count; i++) {
        struct entry *node = &plan->nodes[i];
        const struct entry *instance = find(plan, "n", node->instance, NULL);

        if (instance == NULL)
            complain(plan, "node '%n' has undeclared instance name '%i'", node);
        else
            memcpy(node->host, instance->host, sizeof node->host);
        if (!has_port(node->port))
            continue;
        if (find(plan, "np", node->instance, node->port) != NULL)
            complain(plan, "node '%n' port %p conflicts with agent port on instance '%i'", node);
        if (is_tcp(node->port) && leat_value_port(node->port) == plan->staging->controller_port)
            complain(plan, "node '%n' port %p conflicts with controller port", node);
        if (is_second(plan->nodes, i, "ip"))
            complain(plan, "multiple nodes on instance '%i' using port %p", node);
    }
}

/* ----- ports ----- */

static void use(struct plan *plan, const leat_value *port)
{
    uint32_t number = leat_value_port(port);

    if (is_tcp(port))
        plan->used[number / 8] |= (uint8_t)(1u << number % 8);
}

/* Gives a node the first port from next on that is not used; the following one is next then. */
static void give(struct plan *plan, const struct entry *node, leat_value *port, uint32_t *next)
{
    while (*next < PORTS && (plan->used[*next / 8] >> *next % 8 & 1) != 0)
        (*next)++;
    if (*next >= PORTS) {
        complain(plan, "no port left for node '%n'", node);
        return;
    }
    port->kind = LEAT_PORT;
    port->u.u64 = *next | (uint64_t)LEAT_PROTOCOL_TCP << 16;
    (*next)++;
}

/* No port that anybody uses, whatever for and wherever. */
static void give_broker_ports(struct plan *plan)
{
    uint32_t next = plan->staging->broker_port, controller = plan->staging->controller_port;
    size_t i;

    plan->used[controller / 8] |= (uint8_t)(1u << controller % 8);
    for (i = 0; i < plan->instance_count; i++)
        use(plan, plan->instances[i].port);
    for (i = 0; i < plan->node_count; i++) {
        use(plan, plan->nodes[i].port);
        use(plan, plan->nodes[i].metrics);
    }
    sort(plan->nodes, plan->node_count, "irn");
    for (i = 0; i < plan->node_count; i++) {
        if (lacks_port(plan, &plan->nodes[i]))
            give(plan, &plan->nodes[i], plan->nodes[i].port, &next);
    }
}

/* No port that is used on the same host. */
static void give_metrics_ports(struct plan *plan)
{
    size_t i, end, instance = 0;

    sort(plan->instances, plan->instance_count, "h");
    sort(plan->nodes, plan->node_count, "hirn");
    for (i = 0; i < plan->node_count; i = end) {
        const struct entry *first = &plan->nodes[i];
        uint32_t next = plan->staging->metrics_port;

        memset(plan->used, 0, USED_BYTES);
        for (end = i; end < plan->node_count && same(&plan->nodes[end], first, "h"); end++) {
            use(plan, plan->nodes[end].port);
            use(plan, plan->nodes[end].metrics);
        }
        for (; instance < plan->instance_count; instance++) {
            if (compare("h", &plan->instances[instance], first) > 0)
                break;
            if (same(&plan->instances[instance], first, "h"))
                use(plan, plan->instances[instance].port);
        }
        for (; i < end; i++) {
            if (plan->nodes[i].role != ROLE_NONE &&
                leat_value_kind(plan->nodes[i].metrics) == LEAT_NULL)
                give(plan, &plan->nodes[i], plan->nodes[i].metrics, &next);
        }
    }
}

/* ----- the configuration ----- */

/* The field of a record in a builder, to be changed; NULL: there is none. */
static leat_value *field(leat_builder *builder, const leat_value *record, const char *name)
{
    const leat_value *found = leat_value_get(record, name);

    return found == NULL ? NULL : builder->tree.cells + (found - builder->tree.cells);
}

/* The host of an instance, or what is known of it. True: it was not told, and is known. */
static bool host_of(const leat_value *instance, lt_zeek_address_of *address, const void *context,
                    uint8_t octets[16])
{
    static const uint8_t ipv4[12] = {[10] = 0xff, [11] = 0xff}, unspecified[4] = {0};
    const leat_value *name = leat_value_get(instance, "name");
    size_t length, name_length;
    const uint8_t *host = leat_value_bytes(leat_value_get(instance, "host"), &length);
    const char *text, *known;

    memcpy(octets, ipv4, sizeof ipv4);
    memset(octets + sizeof ipv4, 0, sizeof unspecified);
    if (length == 4 || length == 16)
        memcpy(octets + 16 - length, host, length);
    if (memcmp(octets, ipv4, sizeof ipv4) != 0 ||
        memcmp(octets + sizeof ipv4, unspecified, sizeof unspecified) != 0)
        return false;
    text = leat_value_text(name, &name_length);
    known = address(context, text, name_length);
    return known != NULL && lt_read_address(known, strlen(known), octets);
}

static uint32_t role_of(const leat_value *node)
{
    size_t length;
    const char *text = leat_value_text(leat_value_get(node, "role"), &length);
    uint32_t role = ROLE_WORKER;

    while (role != ROLE_NONE &&
           (strlen(roles[role]) != length || memcmp(roles[role], text, length) != 0))
        role--;
    return role;
}

/* The instances and nodes of a configuration in a builder. LEAT_OK or LEAT_E_NOMEM. */
static int make_plan(struct plan *plan, leat_builder *ready)
{
    const leat_value *configuration = leat_builder_value(ready), *it;
    const leat_value *instances = leat_value_get(configuration, "instances");
    const leat_value *nodes = leat_value_get(configuration, "nodes");
    size_t count = leat_value_count(instances) + leat_value_count(nodes);
    struct entry *entry;

    if (count > (SIZE_MAX - USED_BYTES) / sizeof *entry)
        return LEAT_E_NOMEM;
    entry = (struct entry *)lt_alloc_zero(&ready->allocator, count * sizeof *entry + USED_BYTES);
    if (entry == NULL)
        return LEAT_E_NOMEM;
    plan->instances = entry;
    plan->instance_count = leat_value_count(instances);
    plan->nodes = entry + plan->instance_count;
    plan->node_count = leat_value_count(nodes);
    plan->used = (uint8_t *)(entry + count);
    for (it = leat_value_first(instances); it != NULL; it = leat_value_next(instances, it)) {
        entry->name = leat_value_get(it, "name");
        entry->port = field(ready, it, "listen_port");
        (void)host_of(it, plan->staging->address, plan->staging->context, entry->host);
        entry++;
    }
    for (it = leat_value_first(nodes); it != NULL; it = leat_value_next(nodes, it)) {
        entry->name = leat_value_get(it, "name");
        entry->instance = leat_value_get(it, "instance");
        entry->port = field(ready, it, "p");
        entry->metrics = field(ready, it, "metrics_port");
        entry->role = role_of(it);
        entry++;
    }
    return LEAT_OK;
}

static void free_plan(struct plan *plan, const leat_allocator *allocator)
{
    size_t count = plan->instance_count + plan->node_count;

    lt_free(allocator, plan->instances, count * sizeof *plan->instances + USED_BYTES);
    lt_writer_free(&plan->text);
}

static int compare_errors(const void *context, const void *a, const void *b)
{
    (void)context;
    return compare_texts((const leat_value *)a, (const leat_value *)b);
}

/* Each text is one cell behind that of the list. */
static int close_errors(leat_builder *errors)
{
    int status = leat_builder_close(errors);

    if (status == LEAT_OK)
        lt_sort(errors->tree.cells + 1, errors->tree.count - 1, sizeof *errors->tree.cells,
                compare_errors, NULL);
    return status;
}

int lt_zeek_configuration_stage(const struct lt_zeek_staging *staging,
                                const leat_value *configuration, leat_builder *errors,
                                leat_builder *ready)
{
    struct plan plan = {.staging = staging, .errors = errors};
    int status = leat_builder_copy(ready, NULL, configuration);

    if (status != LEAT_OK)
        return status;
    status = make_plan(&plan, ready);
    if (status != LEAT_OK)
        return status;
    plan.text = lt_writer(&ready->allocator, SIZE_MAX);
    (void)leat_builder_open(errors, NULL, LEAT_LIST);
    check_names(&plan);
    check_nodes(&plan);
    if (errors->tree.count == 1) {
        if (staging->broker_port != 0)
            give_broker_ports(&plan);
        if (staging->metrics_port != 0)
            give_metrics_ports(&plan);
    }
    status = plan.text.status;
    if (status == LEAT_OK)
        status = close_errors(errors);
    free_plan(&plan, &ready->allocator);
    return status;
}

int lt_zeek_configuration_fill(leat_builder *builder, const char *name,
                               const leat_value *configuration, lt_zeek_address_of *address,
                               const void *context)
{
    size_t at = builder->tree.count;
    int status = leat_builder_copy(builder, name, configuration);
    const leat_value *instances, *instance;
    uint8_t octets[16];

    if (status != LEAT_OK)
        return status;
    instances = leat_value_get(builder->tree.cells + at, "instances");
    for (instance = leat_value_first(instances); instance != NULL;
         instance = leat_value_next(instances, instance)) {
        leat_value *host = field(builder, instance, "host");

        if (host == NULL || !host_of(instance, address, context, octets))
            continue;
        host->u.bytes = lt_builder_keep(builder, octets, sizeof octets);
        host->length = sizeof octets;
        if (host->u.bytes == NULL)
            return lt_builder_fail(builder, at, LEAT_E_NOMEM, 0, "out of memory", NULL);
    }
    return LEAT_OK;
}
