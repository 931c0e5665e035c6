/* Configurations that clients stage: what is wrong with them, the ports and the hosts that they get. */
#include "../../lib/zeek/controller_config.h"

#include "lines.h"

#include <leat/broker.h>
#include <leat/broker_websocket.h>
#include <leat/zeek_management.h>
#include <stdio.h>
#include <time.h>

/* ----- configurations ----- */

/* The next of the parts of a text that ";" separates; false: there is none. */
static bool part(const char **at, char *to, size_t size)
{
    size_t length = strcspn(*at, ";");

    if (**at == '\0')
        return false;
    ck_assert_uint_lt(length, size);
    memcpy(to, *at, length);
    to[length] = '\0';
    *at += length + ((*at)[length] == ';');
    return true;
}

/* A number, maybe with a protocol, or something else: none. */
static void add_port(leat_builder *b, const char *name, const char *text)
{
    uint32_t port = (uint32_t)strtoul(text, NULL, 10), protocol = LEAT_PROTOCOL_TCP;

    if (text[0] < '0' || text[0] > '9') {
        (void)leat_builder_null(b, name);
        return;
    }
    if (strchr(text, '/') != NULL)
        protocol =
            strcmp(strchr(text, '/'), "/udp") == 0 ? LEAT_PROTOCOL_UDP : LEAT_PROTOCOL_UNKNOWN;
    (void)leat_builder_port(b, name, port, protocol);
}

static void add_host(leat_builder *b, const char *text)
{
    uint8_t octets[16] = {0};
    unsigned parts[4];

    if (sscanf(text, "%u.%u.%u.%u", &parts[0], &parts[1], &parts[2], &parts[3]) == 4) {
        for (size_t i = 0; i < 4; i++)
            octets[i] = (uint8_t)parts[i];
        (void)leat_builder_address(b, "host", octets, 4);
        return;
    }
    if (strcmp(text, "-") == 0 || strcmp(text, "mapped") == 0) /* 0.0.0.0, as Broker has it */
        memset(octets + 10, 0xff, 2);
    else if (strcmp(text, "::") != 0)
        octets[15] = (uint8_t)strtoul(text, NULL, 10);
    (void)leat_builder_address(b, "host", octets, 16);
}

static void add_text(leat_builder *b, const char *name, const char *text)
{
    (void)leat_builder_text(b, name, text, strlen(text));
}

static void add_instance(leat_builder *b, const char *name, const char *host, const char *port)
{
    (void)leat_builder_open(b, NULL, LEAT_RECORD);
    add_text(b, "name", name);
    add_host(b, host);
    add_port(b, "listen_port", port);
    (void)leat_builder_close(b);
}

static void add_node(leat_builder *b, const char *name, const char *instance, const char *role,
                     const char *p, const char *metrics)
{
    char text[32];

    (void)snprintf(text, sizeof text, "Supervisor::%s", role);
    (void)leat_builder_open(b, NULL, LEAT_RECORD);
    add_text(b, "name", name);
    add_text(b, "instance", instance);
    (void)leat_builder_enum(b, "role", text, strlen(text));
    (void)leat_builder_enum(b, "state", "Management::RUNNING", 19);
    add_port(b, "p", p);
    (void)leat_builder_null(b, "scripts");
    (void)leat_builder_null(b, "options");
    (void)leat_builder_null(b, "interface");
    (void)leat_builder_null(b, "cpu_affinity");
    (void)leat_builder_open(b, "env", LEAT_TABLE);
    (void)leat_builder_close(b);
    add_port(b, "metrics_port", metrics);
    (void)leat_builder_close(b);
}

static void open_configuration(leat_builder *b)
{
    (void)leat_builder_open(b, NULL, LEAT_RECORD);
    add_text(b, "id", "config-1");
    (void)leat_builder_open(b, "instances", LEAT_SET);
}

static void open_nodes(leat_builder *b)
{
    (void)leat_builder_close(b);
    (void)leat_builder_open(b, "nodes", LEAT_SET);
}

static void close_configuration(leat_builder *b)
{
    (void)leat_builder_close(b);
    (void)leat_builder_close(b);
    ck_assert_ptr_nonnull(leat_builder_value(b));
}

/* Instances are "name host listen_port", nodes "name instance role p metrics_port". */
static leat_builder *configuration(const char *instances, const char *nodes)
{
    char text[256], words[5][64];
    leat_builder *b;
    size_t i;

    ck_assert_int_eq(leat_builder_new(NULL, &b), LEAT_OK);
    open_configuration(b);
    while (part(&instances, text, sizeof text)) {
        for (i = 0; i < 5; i++)
            (void)snprintf(words[i], sizeof words[i], "%s", i == 1 ? "0.0.0.0" : "-");
        ck_assert_int_ge(sscanf(text, "%63s %63s %63s", words[0], words[1], words[2]), 1);
        add_instance(b, words[0], words[1], words[2]);
    }
    open_nodes(b);
    while (part(&nodes, text, sizeof text)) {
        for (i = 0; i < 5; i++)
            (void)snprintf(words[i], sizeof words[i], "-");
        ck_assert_int_ge(sscanf(text, "%63s %63s %63s %63s %63s", words[0], words[1], words[2],
                                words[3], words[4]),
                         3);
        add_node(b, words[0], words[1], words[2], words[3], words[4]);
    }
    close_configuration(b);
    return b;
}

/* ----- what comes of them ----- */

/* The address of an agent by the first letter of its name. */
static const char *address_of(const void *context, const char *instance, size_t length)
{
    const char *const *addresses = (const char *const *)context;

    return length > 0 && instance[0] >= 'a' && instance[0] <= 'f' ? addresses[instance[0] - 'a']
                                                                  : NULL;
}

static const char *const nobody[6] = {NULL};

static const struct lt_zeek_staging usual = {2150, 2200, 9000, address_of, nobody};

static leat_builder *empty(const leat_config *config)
{
    leat_builder *b;

    ck_assert_int_eq(leat_builder_new(config, &b), LEAT_OK);
    return b;
}

static void put(struct t_bytes *text, const leat_value *value)
{
    char *json = t_json_text(value);
    size_t length = strlen(json);

    if (json[0] == '"')
        t_append(text, json + 1, length - 2);
    else
        t_append(text, json, length);
    free(json);
}

/* Fields of all records of a set: "a b c;d e f". */
static void list(struct t_bytes *text, const leat_value *set, const char *const *fields,
                 size_t count)
{
    const leat_value *it;
    size_t i;

    for (it = leat_value_first(set); it != NULL; it = leat_value_next(set, it)) {
        if (text->length > 0)
            t_append(text, ";", 1);
        for (i = 0; i < count; i++) {
            if (i > 0)
                t_append(text, " ", 1);
            put(text, leat_value_get(it, fields[i]));
        }
    }
}

/* The errors of a configuration, or the ports of its nodes. Yours to free(). */
static char *outcome(const struct lt_zeek_staging *staging, const leat_value *given)
{
    static const char *const fields[] = {"name", "p", "metrics_port"};
    leat_builder *errors = empty(NULL), *ready = empty(NULL);
    const leat_value *list_of_errors, *error;
    struct t_bytes text = t_copy("", 0);
    char *before = t_json_text(given), *after;

    ck_assert_int_eq(lt_zeek_configuration_stage(staging, given, errors, ready), LEAT_OK);
    after = t_json_text(given);
    ck_assert_str_eq(before, after);
    list_of_errors = leat_builder_value(errors);
    ck_assert_uint_eq(leat_value_kind(list_of_errors), LEAT_LIST);
    for (error = leat_value_first(list_of_errors); error != NULL;
         error = leat_value_next(list_of_errors, error)) {
        ck_assert_uint_eq(leat_value_kind(error), LEAT_TEXT);
        if (text.length > 0)
            t_append(&text, ";", 1);
        put(&text, error);
    }
    ck_assert_ptr_nonnull(leat_builder_value(ready));
    if (text.length == 0)
        list(&text, leat_value_get(leat_builder_value(ready), "nodes"), fields, 3);
    leat_builder_free(errors);
    leat_builder_free(ready);
    free(before);
    free(after);
    return (char *)text.data;
}

static void gives(const struct lt_zeek_staging *staging, const char *instances, const char *nodes,
                  const char *expected)
{
    leat_builder *b = configuration(instances, nodes);
    char *text = outcome(staging, leat_builder_value(b));

    ck_assert_str_eq(text, expected);
    free(text);
    leat_builder_free(b);
}

/* ----- checks ----- */

static const struct {
    const char *name, *instances, *nodes, *expected;
} checks[] = {
    {"nothing", "", "", ""},
    {"an instance without nodes", "a", "", ""},
    {"the recorded one", "agent-1 127.0.0.1 24111",
     "m2 agent-7 LOGGER 5000;m1 agent-1 MANAGER 24111;m3 agent-1 PROXY 5000;m4 agent-1 WORKER 5000",
     "multiple nodes on instance 'agent-1' using port 5000/tcp;"
     "node 'm1' port 24111/tcp conflicts with agent port on instance 'agent-1';"
     "node 'm2' has undeclared instance name 'agent-7'"},

    {"an instance twice", "a;b;a 10.0.0.1", "", "multiple instances named 'a'"},
    {"thrice, and another one twice", "a;b;a 10.0.0.1;b 10.0.0.1;a 10.0.0.2", "",
     "multiple instances named 'a';multiple instances named 'b'"},
    {"instances that begin alike", "a;aa;aaa", "", ""},
    {"instances without a host each", "a - 1;b - 1", "", ""},

    {"a node twice", "a;b", "n a WORKER 1;m a WORKER;n b WORKER 1", "multiple nodes named 'n'"},
    {"a node three times", "a;b;c", "n a WORKER;n b WORKER;n c WORKER", "multiple nodes named 'n'"},
    {"a node like its instance", "a", "a a WORKER", "node and instance names collide: a"},
    {"several like another instance", "c;b;a", "c a WORKER;a b WORKER;n a WORKER;b a WORKER",
     "node and instance names collide: a, b, c"},
    {"twice like an instance", "a;b", "b a WORKER;b b WORKER",
     "multiple nodes named 'b';node and instance names collide: b"},

    {"no instances", "", "n a WORKER", "node 'n' has undeclared instance name 'a'"},
    {"an instance that another one begins with", "ab", "n a WORKER",
     "node 'n' has undeclared instance name 'a'"},
    {"two nodes without one", "a", "n x WORKER;o y LOGGER;p a PROXY",
     "node 'n' has undeclared instance name 'x';node 'o' has undeclared instance name 'y'"},

    {"the agent's port", "a - 5000", "n a WORKER 5000",
     "node 'n' port 5000/tcp conflicts with agent port on instance 'a'"},
    {"near the agent's port", "a - 5000", "n a WORKER 5001;o a WORKER 4999",
     "n 5001/tcp 9000/tcp;o 4999/tcp 9001/tcp"},
    {"another agent's port", "a - 5000;b - 5001", "n b WORKER 5000", "n 5000/tcp 9000/tcp"},
    {"another agent's port on that host", "a 10.0.0.1 5000;b 10.0.0.1 5001", "n b WORKER 5000",
     "n 5000/tcp 9000/tcp"},
    {"the agent's port, but of UDP", "a - 5000", "n a WORKER 5000/udp", "n 5000/udp 9000/tcp"},
    {"the agent's port, both of UDP", "a - 5000/udp", "n a WORKER 5000/udp",
     "node 'n' port 5000/udp conflicts with agent port on instance 'a'"},
    {"a port that no agent listens on", "a", "n a WORKER 2151", "n 2151/tcp 9000/tcp"},
    {"a metrics port that an agent listens on", "a - 5000", "n a WORKER 5001 5000",
     "n 5001/tcp 5000/tcp"},
    {"the port of the second agent of that name", "a - 5000;a - 5001", "n a WORKER 5001",
     "multiple instances named 'a';"
     "node 'n' port 5001/tcp conflicts with agent port on instance 'a'"},

    {"the controller's port", "a", "n a WORKER 2150",
     "node 'n' port 2150/tcp conflicts with controller port"},
    {"near the controller's port", "a", "n a WORKER 2149;o a WORKER 2151",
     "n 2149/tcp 9000/tcp;o 2151/tcp 9001/tcp"},
    {"the controller's port, but of UDP", "a", "n a WORKER 2150/udp", "n 2150/udp 9000/tcp"},
    {"the controller's port for metrics", "a", "n a WORKER - 2150", "n null 2150/tcp"},
    {"the controller's port of an agent", "a - 2150", "n a WORKER 2150",
     "node 'n' port 2150/tcp conflicts with agent port on instance 'a';"
     "node 'n' port 2150/tcp conflicts with controller port"},
    {"the controller's port twice", "a", "n a WORKER 2150;o a WORKER 2150",
     "multiple nodes on instance 'a' using port 2150/tcp;"
     "node 'n' port 2150/tcp conflicts with controller port;"
     "node 'o' port 2150/tcp conflicts with controller port"},

    {"a port twice", "a", "n a WORKER 1;o a LOGGER 1",
     "multiple nodes on instance 'a' using port 1/tcp"},
    {"a port four times", "a", "n a WORKER 1;o a LOGGER 1;p a PROXY 1;q a NONE 1",
     "multiple nodes on instance 'a' using port 1/tcp"},
    {"two ports twice, on two instances", "a;b",
     "n a WORKER 1;o a LOGGER 1;p b PROXY 1;q b WORKER 1;r b WORKER 2;s b WORKER 2",
     "multiple nodes on instance 'a' using port 1/tcp;"
     "multiple nodes on instance 'b' using port 1/tcp;"
     "multiple nodes on instance 'b' using port 2/tcp"},
    {"two ports twice, in turn", "a", "n a WORKER 1;o a WORKER 2;p a WORKER 1;q a WORKER 2",
     "multiple nodes on instance 'a' using port 1/tcp;"
     "multiple nodes on instance 'a' using port 2/tcp"},
    {"a port twice on one host", "a 10.0.0.1;b 10.0.0.1", "n a WORKER 1;o b WORKER 1",
     "n 1/tcp 9000/tcp;o 1/tcp 9001/tcp"},
    {"a port of two protocols", "a", "n a WORKER 1;o a WORKER 1/udp",
     "n 1/tcp 9000/tcp;o 1/udp 9001/tcp"},
    {"no port, told twice", "a", "n a WORKER 0/unknown;o a WORKER 0/unknown",
     "multiple nodes on instance 'a' using port 0/unknown"},
    {"a port twice where there is no instance", "a", "n x WORKER 1;o x WORKER 1",
     "multiple nodes on instance 'x' using port 1/tcp;"
     "node 'n' has undeclared instance name 'x';node 'o' has undeclared instance name 'x'"},
    {"a metrics port twice", "a", "n a WORKER - 1;o a WORKER - 1", "n null 1/tcp;o null 1/tcp"},

    {"errors in order, whatever is found first", "b;b", "b b WORKER 2150;c d WORKER;c e WORKER",
     "multiple instances named 'b';multiple nodes named 'c';node 'b' port 2150/tcp conflicts with "
     "controller port;node 'c' has undeclared instance name 'd';node 'c' has undeclared instance "
     "name 'e';node and instance names collide: b"},
};

START_TEST(checked)
{
    gives(&usual, checks[_i].instances, checks[_i].nodes, checks[_i].expected);
}
END_TEST

START_TEST(ports_that_are_not_given)
{
    struct lt_zeek_staging staging = usual;
    const char *nodes = "m a MANAGER;l a LOGGER;p a PROXY;w a WORKER;x a NONE";

    gives(
        &usual, "a", nodes,
        "m 2200/tcp 9000/tcp;l 2201/tcp 9001/tcp;p 2202/tcp 9002/tcp;w null 9003/tcp;x null null");
    staging.metrics_port = 0;
    gives(&staging, "a", nodes,
          "m 2200/tcp null;l 2201/tcp null;p 2202/tcp null;w null null;"
          "x null null");
    staging.broker_port = 0;
    gives(&staging, "a", nodes,
          "Broker port auto-assignment disabled but nodes l, m, p lack ports");
    gives(&staging, "a", "m a MANAGER 1;l a LOGGER 2;p a PROXY 3;w a WORKER;x a NONE",
          "m 1/tcp null;l 2/tcp null;p 3/tcp null;w null null;x null null");
    gives(&staging, "a", "m a MANAGER 1;l a LOGGER 2;p a PROXY",
          "Broker port auto-assignment disabled but nodes p lack ports");
    gives(&staging, "a", "m b MANAGER;m b MANAGER",
          "Broker port auto-assignment disabled but nodes m lack ports;multiple nodes named 'm';"
          "node 'm' has undeclared instance name 'b';node 'm' has undeclared instance name 'b'");
    staging.metrics_port = 9000;
    gives(&staging, "a", "m a MANAGER 1;w a WORKER", "m 1/tcp 9000/tcp;w null 9001/tcp");
}
END_TEST

/* ----- ports ----- */

static const struct {
    const char *name;
    uint32_t broker, metrics;
    const char *instances, *nodes, *expected;
} assignments[] = {
    {"by instance, role and name", 2200, 9000, "b;a",
     "z a WORKER;y a PROXY;x a LOGGER;w a MANAGER;d b MANAGER;c b MANAGER;v a PROXY",
     "z null 9004/tcp;y 2203/tcp 9003/tcp;x 2201/tcp 9001/tcp;w 2200/tcp 9000/tcp;"
     "d 2205/tcp 9006/tcp;c 2204/tcp 9005/tcp;v 2202/tcp 9002/tcp"},
    {"Broker ports of nodes", 2200, 9000, "a;b",
     "m a MANAGER;n a PROXY;o a PROXY;w b WORKER 2200;x b WORKER 2202 2203",
     "m 2201/tcp 9000/tcp;n 2204/tcp 9001/tcp;o 2205/tcp 9002/tcp;w 2200/tcp 9003/tcp;"
     "x 2202/tcp 2203/tcp"},
    {"the Broker port of the first one", 2200, 9000, "a;b", "w a WORKER 2200;m b MANAGER",
     "w 2200/tcp 9000/tcp;m 2201/tcp 9001/tcp"},
    {"Broker ports of agents", 2200, 9000, "a - 2201;b - 2200", "m a MANAGER;n b MANAGER",
     "m 2202/tcp 9000/tcp;n 2203/tcp 9001/tcp"},
    {"those of UDP do not count", 2200, 9000, "a - 2200/udp", "m a MANAGER;n a WORKER 9000/udp",
     "m 2200/tcp 9000/tcp;n 9000/udp 9001/tcp"},
    {"not the controller's", 2149, 2149, "a 10.0.0.1", "m a MANAGER;n a LOGGER",
     "m 2149/tcp 2150/tcp;n 2151/tcp 2152/tcp"},
    {"metrics ports by host", 2200, 9000, "a 10.0.0.1;b 10.0.0.2;c 10.0.0.1;d 1;e 1",
     "k a MANAGER;l b LOGGER;m c PROXY;n d WORKER;o e WORKER",
     "k 2200/tcp 9000/tcp;l 2201/tcp 9000/tcp;m 2202/tcp 9001/tcp;n null 9000/tcp;"
     "o null 9001/tcp"},
    {"metrics ports beside those of the host", 2200, 9000,
     "a 10.0.0.1 9000;b 10.0.0.2 9001;c 10.0.0.1 9004",
     "k a WORKER;l a WORKER 9002;m b WORKER;n c WORKER - 9001;o c WORKER;p c NONE - 9005",
     "k null 9003/tcp;l 9002/tcp 9006/tcp;m null 9000/tcp;n null 9001/tcp;o null 9007/tcp;"
     "p null 9005/tcp"},
    {"metrics ports beside new Broker ports", 2200, 2200, "a 10.0.0.1;b 10.0.0.2",
     "m a MANAGER;n b LOGGER", "m 2200/tcp 2201/tcp;n 2201/tcp 2200/tcp"},
    {"two ways to write a host", 2200, 9000, "a 0.0.0.0;b mapped;c ::",
     "m a WORKER;n b WORKER;o c WORKER", "m null 9000/tcp;n null 9001/tcp;o null 9000/tcp"},
    {"the last port", 65535, 65535, "a 10.0.0.1;b 10.0.0.2", "m a MANAGER;n b WORKER",
     "no port left for node 'm'"},
    {"the last two ports", 65534, 65535, "a 10.0.0.1;b 10.0.0.2", "m a MANAGER;n b WORKER",
     "m 65534/tcp 65535/tcp;n null 65535/tcp"},
    {"no Broker port left", 65534, 0, "a;b", "m a MANAGER;n a LOGGER;o a PROXY;p a PROXY",
     "no port left for node 'o';no port left for node 'p'"},
    {"none but those that are used", 65534, 0, "a - 65535", "m a MANAGER;n a LOGGER",
     "no port left for node 'n'"},
    {"no metrics port left", 0, 65534, "a 10.0.0.1;b 10.0.0.2",
     "m a WORKER;n a WORKER;o a WORKER;p b WORKER", "no port left for node 'o'"},
};

START_TEST(assigned)
{
    struct lt_zeek_staging staging = usual;

    staging.broker_port = assignments[_i].broker;
    staging.metrics_port = assignments[_i].metrics;
    gives(&staging, assignments[_i].instances, assignments[_i].nodes, assignments[_i].expected);
}
END_TEST

/* Agents that are known share the ports of the host that they are on. */
START_TEST(hosts_that_are_known)
{
    static const char *const known[6] = {"10.0.0.1", "10.0.0.2", "fe80::1%eth0", NULL, "", "::1"};
    const char *nodes = "m a WORKER;n b WORKER;o c WORKER;p d WORKER;q e WORKER;r f WORKER;"
                        "s g WORKER";
    struct lt_zeek_staging staging = usual;

    gives(&usual, "a;b;c;d;e;f;g 10.0.0.1", nodes,
          "m null 9000/tcp;n null 9001/tcp;o null 9002/tcp;p null 9003/tcp;q null 9004/tcp;"
          "r null 9005/tcp;s null 9000/tcp");
    staging.context = known;
    gives(&staging, "a;b;c;d;e;f;g 10.0.0.1", nodes,
          "m null 9000/tcp;n null 9000/tcp;o null 9000/tcp;p null 9001/tcp;q null 9002/tcp;"
          "r null 9000/tcp;s null 9001/tcp");
    /* What a configuration tells is not replaced. */
    gives(&staging, "a 10.0.0.9;b;c;d;e;f;g 10.0.0.1", nodes,
          "m null 9000/tcp;n null 9000/tcp;o null 9000/tcp;p null 9001/tcp;q null 9002/tcp;"
          "r null 9000/tcp;s null 9000/tcp");
}
END_TEST

/* All that is not a port of a node stays as it was. */
START_TEST(nothing_else_changes)
{
    leat_builder *given = configuration("b;a 10.0.0.1 5000", "n b WORKER 2200 9000;m a LOGGER 1 2");
    leat_builder *errors = empty(NULL), *ready = empty(NULL);

    ck_assert_int_eq(lt_zeek_configuration_stage(&usual, leat_builder_value(given), errors, ready),
                     LEAT_OK);
    ck_assert(leat_value_equal(leat_builder_value(given), leat_builder_value(ready)));
    leat_builder_free(given);
    leat_builder_free(errors);
    leat_builder_free(ready);
}
END_TEST

/* ----- hosts ----- */

static void filled(const char *instances, const char *const *known, const char *expected)
{
    static const char *const fields[] = {"name", "host", "listen_port"};
    leat_builder *given = configuration(instances, "n a WORKER"), *b = empty(NULL);
    struct t_bytes text = t_copy("", 0);
    const leat_value *configured;

    ck_assert_int_eq(leat_builder_open(b, NULL, LEAT_RECORD), LEAT_OK);
    add_text(b, "reqid", "r1");
    ck_assert_int_eq(
        lt_zeek_configuration_fill(b, "config", leat_builder_value(given), address_of, known),
        LEAT_OK);
    ck_assert_int_eq(leat_builder_close(b), LEAT_OK);
    configured = leat_value_get(leat_builder_value(b), "config");
    list(&text, leat_value_get(configured, "instances"), fields, 3);
    ck_assert_str_eq((const char *)text.data, expected);
    ck_assert(leat_value_equal(leat_value_get(configured, "nodes"),
                               leat_value_get(leat_builder_value(given), "nodes")));
    t_free(text);
    leat_builder_free(given);
    leat_builder_free(b);
}

START_TEST(fill)
{
    static const char *const known[6] = {"10.0.0.1", "2001:db8::5", "host.example", "10.0.0.1%1",
                                         "",         "0.0.0.0"};

    filled("", known, "");
    filled("a;b - 5000;c;d;e;f;g", known,
           "a 10.0.0.1 null;b 2001:db8::5 5000/tcp;c 0.0.0.0 null;d 0.0.0.0 null;e 0.0.0.0 null;"
           "f 0.0.0.0 null;g 0.0.0.0 null");
    filled("a mapped;b 10.0.0.2;a ::;a 1;a 0.0.0.1;a 1.0.0.0", known,
           "a 10.0.0.1 null;b 10.0.0.2 null;a :: null;a ::1 null;a 0.0.0.1 null;a 1.0.0.0 null");
    filled("a;b", nobody, "a 0.0.0.0 null;b 0.0.0.0 null");
}
END_TEST

/* ----- what Zeek's controller made of configurations ----- */

#define STAGE    LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST
#define RESPONSE LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_RESPONSE
#define DEPLOY   LEAT_ZEEK_AGENT_DEPLOY_REQUEST

/* Adds the arguments of all events of a kind that one direction of a recording has to a list. */
static void gather(leat_builder *b, const char *path, const char *dir, uint32_t kind)
{
    struct t_bytes octets = t_capture(path, dir, 0);
    uint32_t from = strcmp(dir, "a>b") == 0 ? LEAT_FROM_CLIENT : LEAT_FROM_SERVER;
    bool websocket = strncmp(path, "websocket/", 10) == 0;
    leat_zeek_message message;
    const leat_event *event;
    leat_session *session;

    leat_zeek_message_init(&message, sizeof message);
    ck_assert_int_eq(websocket ? leat_broker_websocket_codec_new(NULL, from, &session)
                               : leat_broker_codec_new(NULL, from, &session),
                     LEAT_OK);
    ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
    while (leat_next(session, &event) == LEAT_OK) {
        const leat_value *value = leat_event_value(event);

        if (websocket)
            value = leat_value_get(value, "message");
        if (leat_zeek_read(leat_value_get(value, "data"), &message) == LEAT_OK &&
            leat_zeek_management_kind(&message) == kind)
            ck_assert_int_eq(leat_zeek_management_read(b, NULL, &message, NULL), LEAT_OK);
    }
    leat_session_free(session);
    t_free(octets);
}

/* The same of all recordings of a folder whose names begin so. */
static leat_builder *gather_all(const char *folder, const char *prefix, const char *dir,
                                uint32_t kind)
{
    char **names = t_names(folder, ".jsonl"), path[256];
    leat_builder *b = empty(NULL);
    size_t i;

    ck_assert_int_eq(leat_builder_open(b, NULL, LEAT_LIST), LEAT_OK);
    for (i = 0; names[i] != NULL; i++) {
        if (strncmp(names[i], prefix, strlen(prefix)) != 0)
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        gather(b, path, dir, kind);
    }
    ck_assert_int_eq(leat_builder_close(b), LEAT_OK);
    t_names_free(names);
    return b;
}

static bool same_text(const leat_value *a, const leat_value *b, const char *name)
{
    return leat_value_equal(leat_value_get(a, name), leat_value_get(b, name));
}

/* The errors of the response to a request: "error;error". */
static void list_errors(struct t_bytes *text, const leat_value *responses,
                        const leat_value *request)
{
    static const char *const fields[] = {"error"};
    const leat_value *response = leat_value_first(responses), *results;

    while (response != NULL && !same_text(response, request, "reqid"))
        response = leat_value_next(responses, response);
    ck_assert_ptr_nonnull(response);
    results = leat_value_get(response, "results");
    if (!leat_value_bool(leat_value_get(leat_value_first(results), "success")))
        list(text, results, fields, 1);
}

static const char *loopback(const void *context, const char *instance, size_t length)
{
    (void)context, (void)instance, (void)length;
    return "127.0.0.1";
}

/* How often a configuration was deployed, each time as ours would be. */
static size_t compare_deployed(const struct lt_zeek_staging *staging, const leat_value *given,
                               const leat_value *deployed)
{
    leat_builder *errors = empty(NULL), *ready = empty(NULL), *b = empty(NULL);
    const leat_value *request;
    size_t count = 0;

    ck_assert_int_eq(lt_zeek_configuration_stage(staging, given, errors, ready), LEAT_OK);
    ck_assert_int_eq(lt_zeek_configuration_fill(b, NULL, leat_builder_value(ready), loopback, NULL),
                     LEAT_OK);
    for (request = leat_value_first(deployed); request != NULL;
         request = leat_value_next(deployed, request)) {
        const leat_value *sent = leat_value_get(request, "config");

        if (!same_text(sent, given, "id"))
            continue;
        ck_assert(leat_value_equal(sent, leat_builder_value(b)));
        count++;
    }
    leat_builder_free(errors);
    leat_builder_free(ready);
    leat_builder_free(b);
    return count;
}

static const struct {
    const char *folder, *staged, *deployed, *way; /* way: of requests to agents */
    size_t configurations, deployments;
} runs[] = {
    {"websocket/management", "ws-main-", "native-main", "b>a", 2, 2},
    {"websocket/management", "ws-failing-", "native-failing", "b>a", 5, 3},
    {"websocket/management", "ws-reconnect-", "native-reconnect", "b>a", 1, 5},
    {"websocket/management", "ws-two-agents-", "native-two-agents", "b>a", 2, 3},
    {"websocket/management", "ws-controller-connects-", "agent-listen-controller-connects", "a>b",
     3, 2},
    {"zeek/management", "native-real-controller-client", "native-real-controller-agent", "b>a", 3,
     1},
};

START_TEST(recorded)
{
    const struct lt_zeek_staging staging = {2150, 2200, 9000, loopback, NULL};
    leat_builder *staged = gather_all(runs[_i].folder, runs[_i].staged, "a>b", STAGE);
    leat_builder *answered = gather_all(runs[_i].folder, runs[_i].staged, "b>a", RESPONSE);
    leat_builder *deployed = gather_all("zeek/management", runs[_i].deployed, runs[_i].way, DEPLOY);
    const leat_value *requests = leat_builder_value(staged), *request;
    size_t deployments = 0;

    ck_assert_uint_eq(leat_value_count(requests), runs[_i].configurations);
    ck_assert_uint_eq(leat_value_count(leat_builder_value(deployed)), runs[_i].deployments);
    for (request = leat_value_first(requests); request != NULL;
         request = leat_value_next(requests, request)) {
        const leat_value *given = leat_value_get(request, "config");
        struct t_bytes expected = t_copy("", 0);
        char *text;

        list_errors(&expected, leat_builder_value(answered), request);
        text = outcome(&staging, given);
        if (expected.length > 0)
            ck_assert_str_eq(text, (const char *)expected.data);
        else
            deployments += compare_deployed(&staging, given, leat_builder_value(deployed));
        free(text);
        t_free(expected);
    }
    ck_assert_uint_eq(deployments, runs[_i].deployments);
    leat_builder_free(staged);
    leat_builder_free(answered);
    leat_builder_free(deployed);
}
END_TEST

/* ----- limits ----- */

/* How many values a configuration or the errors of it are. */
static size_t values_of(const leat_builder *b)
{
    return leat_value_cells(leat_builder_value(b), NULL, 0);
}

START_TEST(limits)
{
    leat_builder *given = configuration("a;b", "m a MANAGER 1;m x LOGGER 1;n a WORKER 1");
    leat_builder *errors = empty(NULL), *ready = empty(NULL), *small;
    const leat_value *value = leat_builder_value(given);
    size_t most, most_errors;

    ck_assert_int_eq(lt_zeek_configuration_stage(&usual, value, errors, ready), LEAT_OK);
    most = values_of(ready);
    most_errors = values_of(errors);
    ck_assert_uint_eq(most_errors, 1 + 3);

    small = t_limited(0, most);
    leat_builder_clear(errors);
    ck_assert_int_eq(lt_zeek_configuration_stage(&usual, value, errors, small), LEAT_OK);
    leat_builder_free(small);
    small = t_limited(0, most - 1);
    leat_builder_clear(errors);
    ck_assert_int_eq(lt_zeek_configuration_stage(&usual, value, errors, small), LEAT_E_LIMIT);
    leat_builder_free(small);

    small = t_limited(0, most_errors);
    leat_builder_clear(ready);
    ck_assert_int_eq(lt_zeek_configuration_stage(&usual, value, small, ready), LEAT_OK);
    leat_builder_free(small);
    small = t_limited(0, most_errors - 1);
    leat_builder_clear(ready);
    ck_assert_int_eq(lt_zeek_configuration_stage(&usual, value, small, ready), LEAT_E_LIMIT);
    leat_builder_free(small);

    small = t_limited(0, most);
    ck_assert_int_eq(lt_zeek_configuration_fill(small, NULL, value, address_of, nobody), LEAT_OK);
    ck_assert_int_eq(lt_zeek_configuration_fill(small, NULL, value, address_of, nobody),
                     LEAT_E_STATE);
    leat_builder_free(small);
    small = t_limited(0, most - 1);
    ck_assert_int_eq(lt_zeek_configuration_fill(small, NULL, value, address_of, nobody),
                     LEAT_E_LIMIT);
    leat_builder_free(small);
    leat_builder_free(given);
    leat_builder_free(errors);
    leat_builder_free(ready);
}
END_TEST

static int scenario(const leat_config *config, const void *given)
{
    static const char *const known[6] = {"10.0.0.1", "10.0.0.2"};
    leat_builder *errors = NULL, *ready = NULL, *b = NULL;
    int status = leat_builder_new(config, &errors);

    if (status == LEAT_OK)
        status = leat_builder_new(config, &ready);
    if (status == LEAT_OK)
        status = leat_builder_new(config, &b);
    if (status == LEAT_OK)
        status = lt_zeek_configuration_stage(&usual, (const leat_value *)given, errors, ready);
    if (status == LEAT_OK)
        status = lt_zeek_configuration_fill(b, NULL, leat_builder_value(ready), address_of, known);
    leat_builder_free(errors);
    leat_builder_free(ready);
    leat_builder_free(b);
    return status;
}

START_TEST(no_memory)
{
    leat_builder *good = configuration("a;b", "m a MANAGER;n b WORKER");
    leat_builder *bad = configuration("a;b", "a a MANAGER;a b WORKER;c x WORKER 2150");

    t_every_alloc(scenario, leat_builder_value(good));
    t_every_alloc(scenario, leat_builder_value(bad));
    leat_builder_free(good);
    leat_builder_free(bad);
}
END_TEST

/* ----- many ----- */

#define MANY 20000u

/* What a node or an instance among many has: %u is its number. */
static const struct {
    const char *instance, *host, *listen_port, *node, *of, *role, *p;
    size_t errors;
} crowds[] = {
    {"i%u", "0.0.0.0", "-", "n%u", "i%u", "MANAGER", "-", 0},
    {"i%u", "10.0.%u.1", "-", "n%u", "i%u", "WORKER", "-", 0},
    {"i", "0.0.0.0", "%u", "n", "i", "WORKER", "%u", 2 + MANY + 1},
    {"i%u", "0.0.0.0", "7", "i%u", "i%u", "WORKER", "7", MANY + 1},
    {"i%u", "0.0.0.0", "7", "n%u", "x", "LOGGER", "7", MANY + 1},
};

static const char *numbered(char *text, size_t size, const char *format, unsigned number)
{
    const char *mark = strstr(format, "%u");

    if (mark == NULL)
        return format;
    (void)snprintf(text, size, "%.*s%u%s", (int)(mark - format), format, number, mark + 2);
    return text;
}

/* A quadratic step would be one of minutes. */
START_TEST(many)
{
    leat_builder *b = empty(NULL), *errors = empty(NULL), *ready = empty(NULL);
    char name[32], of[32], host[32], port[32];
    clock_t started;
    unsigned i;

    open_configuration(b);
    for (i = MANY; i > 0; i--)
        add_instance(b, numbered(name, sizeof name, crowds[_i].instance, i),
                     numbered(host, sizeof host, crowds[_i].host, i % 256),
                     numbered(port, sizeof port, crowds[_i].listen_port, i));
    open_nodes(b);
    for (i = MANY; i > 0; i--)
        add_node(b, numbered(name, sizeof name, crowds[_i].node, i),
                 numbered(of, sizeof of, crowds[_i].of, i), crowds[_i].role,
                 numbered(port, sizeof port, crowds[_i].p, i), "-");
    close_configuration(b);
    started = clock();
    ck_assert_int_eq(lt_zeek_configuration_stage(&usual, leat_builder_value(b), errors, ready),
                     LEAT_OK);
    ck_assert_int_lt((clock() - started) / CLOCKS_PER_SEC, 10);
    ck_assert_uint_eq(leat_value_count(leat_builder_value(errors)), crowds[_i].errors);
    leat_builder_free(b);
    leat_builder_free(errors);
    leat_builder_free(ready);
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_loop_test(tc, checked, 0, sizeof checks / sizeof *checks);
    tcase_add_test(tc, ports_that_are_not_given);
    tcase_add_loop_test(tc, assigned, 0, sizeof assignments / sizeof *assignments);
    tcase_add_test(tc, hosts_that_are_known);
    tcase_add_test(tc, nothing_else_changes);
    tcase_add_test(tc, fill);
    tcase_add_loop_test(tc, recorded, 0, sizeof runs / sizeof *runs);
    tcase_add_test(tc, limits);
    tcase_add_test(tc, no_memory);
    tcase_add_loop_test(tc, many, 0, sizeof crowds / sizeof *crowds);
}

T_MAIN("zeek/controller_config", tests)
