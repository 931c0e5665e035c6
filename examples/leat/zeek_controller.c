/* leat zeek controller: a controller of Zeek's Management framework. */
#define _POSIX_C_SOURCE 200809L

#include "zeek_live.h"

#include <arpa/inet.h>
#include <leat/zeek_controller.h>
#include <stdlib.h>
#include <string.h>

/* Where agents and clients look for it, on this host alone unless other addresses are given. */
#define LISTEN    "127.0.0.1:2150"
#define WEBSOCKET "127.0.0.1:2149"

#define MODULE "Management::Controller::API::"

struct controller {
    struct node node; /* comes first: what is live->data is either */
    leat_zeek_controller *controller;
    const char *state; /* the file; NULL: none */
    leat_buffer *text;
};

static struct controller *controller_of(struct node *node)
{
    return node->data;
}

/* The file of --state: the configuration that was deployed last, in one object */

/* Whether JSON can tell all of its texts. How deep it is, its type says. */
static bool has_json(const leat_value *value)
{
    const leat_value *inner = leat_value_first(value);

    if (leat_value_kind(value) == LEAT_TEXT)
        return leat_value_is_utf8(value) != 0;
    while (inner != NULL && has_json(inner))
        inner = leat_value_next(value, inner);
    return inner == NULL;
}

static void keep(struct controller *controller, const leat_value *told)
{
    size_t length;
    const char *what = leat_value_text(leat_value_get(told, "what"), &length);
    const leat_value *configuration = leat_value_get(told, "configuration");

    if (controller->state == NULL || length != 8 || memcmp(what, "deployed", length) != 0)
        return;
    if (!has_json(configuration)) {
        complain("%s: stays as it was: a text that was deployed is not UTF-8", controller->state);
        return;
    }
    leat_buffer_clear(controller->text);
    need_memory(leat_buffer_json(controller->text, configuration));
    file_replace(controller->state, controller->text);
}

/* False, with a complaint: the file cannot be read, or holds something else. */
static bool restore(struct controller *controller)
{
    struct talk *talk = &controller->node.talk;
    const char *path = controller->state;
    const leat_value *configuration;
    const char *problem = "not a configuration";
    char *text = NULL;
    size_t length = 0;
    int status = LEAT_E_VALUE;

    if (path == NULL)
        return true;
    if (!file_lock(path) || !file_read_if_there(path, &text, &length))
        return false;
    if (text == NULL)
        return true;
    configuration = record_read(talk->line, text, length, &problem);
    free(text);
    if (configuration != NULL)
        status = leat_zeek_controller_restore(controller->controller, configuration);
    need_memory(status);
    if (status != LEAT_OK)
        complain("%s: %s; to begin anew, remove it", path, problem);
    return status == LEAT_OK;
}

/* What happens */

/* Draws what there is to know. What a client is told was deployed must be in the file before it goes out. */
static void draw(struct controller *controller)
{
    const leat_event *event;
    int status;

    while ((status = leat_zeek_controller_next(controller->controller, &event)) == LEAT_OK) {
        if (leat_event_kind(event) == LEAT_ZEEK_CONFIGURATION)
            keep(controller, leat_event_value(event));
        talk_tell(&controller->node.talk, NULL, event);
    }
    need_memory(status);
}

static bool on_event(struct node *node, const leat_event *event)
{
    struct controller *controller = controller_of(node);
    int status;

    /* From when on a request waits. */
    leat_zeek_controller_tick(controller->controller, node->talk.live.now);
    status = leat_zeek_controller_take(controller->controller, event);
    need_memory(status);
    draw(controller);
    return status == LEAT_OK || zeek_is_quiet(node, event);
}

static void on_turn(struct node *node)
{
    struct controller *controller = controller_of(node);
    struct live *live = &node->talk.live;
    uint64_t due;

    leat_zeek_controller_tick(controller->controller, live->now);
    draw(controller);
    due = leat_zeek_controller_deadline(controller->controller);
    live->due = due < live->due ? due : live->due;
}

/* Lines of the input */

/* The fields of a line without its event, into talk->value. */
static const leat_value *arguments_of(struct talk *talk, const leat_value *line)
{
    const leat_value *event = leat_value_get(line, "event");
    const leat_value *field;

    leat_builder_clear(talk->value);
    (void)leat_builder_open(talk->value, NULL, LEAT_RECORD);
    for (field = leat_value_first(line); field != NULL; field = leat_value_next(line, field)) {
        if (field != event)
            (void)leat_builder_copy(talk->value, NULL, field);
    }
    need_memory(leat_builder_close(talk->value));
    return leat_builder_value(talk->value);
}

static void do_request(struct controller *controller, const leat_value *line)
{
    struct talk *talk = &controller->node.talk;
    leat_zeek_management_flaw flaw;
    char problem[256];
    size_t length;
    const char *name = leat_value_text(leat_value_get(line, "event"), &length);
    uint32_t kind = zeek_kind(MODULE, name, length);
    int status;

    leat_zeek_management_flaw_init(&flaw, sizeof flaw);
    if (kind == 0) {
        talk_refuse(talk, "not a request to a controller", "event");
        return;
    }
    status =
        leat_zeek_controller_request(controller->controller, kind, arguments_of(talk, line), &flaw);
    need_memory(status);
    if (status == LEAT_E_LIMIT) {
        talk_refuse(talk, "too much to be asked", "");
    } else if (status != LEAT_OK && flaw.what == NULL) {
        talk_refuse(talk, "not a request to a controller", "event");
    } else if (status != LEAT_OK) {
        zeek_describe(&flaw, problem, sizeof problem);
        talk_refuse(talk, problem, "");
    }
}

static void do_instances(struct controller *controller)
{
    struct talk *talk = &controller->node.talk;

    leat_builder_clear(talk->value);
    need_memory(leat_zeek_controller_instances(controller->controller, talk->value, NULL));
    output_news(&talk->output, "instances", NULL, leat_builder_value(talk->value));
    talk->printed = true;
}

static bool on_line(struct node *node, const leat_value *line)
{
    struct controller *controller = controller_of(node);

    leat_zeek_controller_tick(controller->controller, node->talk.live.now);
    if (leat_value_get(line, "event") != NULL)
        do_request(controller, line);
    else if (is_command(line, "instances"))
        do_instances(controller);
    else
        return false;
    return true;
}

static const struct duty duty = {.event = on_event, .turn = on_turn, .line = on_line};

/* Beginning and ending */

/* Where clients may connect. Without OpenSSL there is no WebSocket. */
static bool listen_for_clients(struct node *node, const char *where)
{
#ifdef WITH_OPENSSL
    node->flavour = LEAT_BROKER_WEBSOCKET_ZEEK;
    node->clients_plain = !option_given(node->talk.arguments, "--client-tls");
    node->clients_own = true;
    return node_accept(node, where != NULL ? where : WEBSOCKET, &websocket_client_role);
#else
    (void)node;
    if (where != NULL)
        complain("WebSocket was left out of this build");
    return where == NULL;
#endif
}

/* The first port of those that nodes get; 0: they get none. */
static bool read_ports(const struct arguments *arguments, const char *option, uint32_t *assign,
                       uint32_t *start)
{
    uint64_t port = *start;

    if (!option_number(arguments, option, 0, UINT16_MAX, &port))
        return false;
    *assign = port != 0;
    if (port != 0)
        *start = (uint32_t)port;
    return true;
}

static bool open_controller(struct controller *controller, const struct arguments *arguments)
{
    struct node *node = &controller->node;
    const char *listen = option_value(arguments, "--listen");
    leat_zeek_controller_options options;
    int status;

    leat_zeek_controller_options_init(&options, sizeof options);
    if (!node_open(node, arguments) ||
        !option_number(arguments, "--retry", 1, UINT32_MAX, &options.retry_s) ||
        !option_seconds(arguments, "--timeout", &options.timeout_ms) ||
        !read_ports(arguments, "--broker-ports", &options.auto_assign_broker_ports,
                    &options.auto_assign_broker_start_port) ||
        !read_ports(arguments, "--metrics-ports", &options.auto_assign_metrics_ports,
                    &options.auto_assign_metrics_start_port) ||
        !node_accept(node, listen != NULL ? listen : LISTEN, NULL))
        return false;
    options.port = ntohs(net_port(node->talk.live.listeners[0].descriptor));
    if (!listen_for_clients(node, option_value(arguments, "--websocket")))
        return false;
    status = leat_zeek_controller_new(NULL, &options, node->broker, &controller->controller);
    need_memory(status);
    if (status != LEAT_OK)
        complain("the options are not those that a controller can have");
    return status == LEAT_OK && restore(controller);
}

int zeek_controller(const struct arguments *arguments)
{
    struct controller *controller = calloc(1, sizeof *controller);
    int code = EXIT_USAGE;

    need_memory(controller == NULL ? LEAT_E_NOMEM : LEAT_OK);
    new_buffer(&controller->text);
    controller->state = option_value(arguments, "--state");
    controller->node.duty = &duty;
    controller->node.data = controller;
    if (open_controller(controller, arguments))
        code = node_run(&controller->node, NULL);
    leat_zeek_controller_free(controller->controller);
    leat_buffer_free(controller->text);
    node_close(&controller->node);
    free(controller);
    return code;
}
