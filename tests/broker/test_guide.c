/*
 * The snippets of doc/broker.md, as they stand there (test_broker_guide.py compares), and proof that
 * they do what the guide says.
 */
#define _POSIX_C_SOURCE 200809L
#include "net.h"

#include <errno.h>
#include <fcntl.h>
#include <leat/broker_store.h>
#include <leat/zeek.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static FILE *out;
static size_t pongs;

/* A connection of the caller's loop: its socket does not block. */
struct connection {
    leat_session *session;
    int fd;
};

static void on_event(leat_session *session, const leat_event *event);
static void connect_to(const char *address, uint32_t port, leat_session *session);

/* A turn of one connection: all that can be read and written now. 0: it is over, and gone. */
static int serve(struct connection *connection)
{
    leat_session *session = connection->session;
    const leat_event *event;
    const void *data;
    size_t length;
    void *space = leat_recv_space(session, &length);
    ssize_t n = length > 0 ? read(connection->fd, space, length) : 0;

    if (n > 0)
        leat_recv_done(session, (size_t)n);
    else if (length > 0 && (n == 0 || (errno != EAGAIN && errno != EINTR)))
        leat_recv_eof(session);
    while (leat_next(session, &event) == LEAT_OK)
        on_event(session, event);
    n = 0;
    while ((data = leat_send_data(session, &length)) != NULL && length > 0 &&
           (n = write(connection->fd, data, length)) > 0)
        leat_send_done(session, (size_t)n);
    if ((leat_wants(session) & LEAT_WANT_CLOSE) == 0 || (length > 0 && n < 0 && errno == EAGAIN))
        return 1;
    close(connection->fd);
    leat_session_free(session);
    connection->session = NULL;
    return 0;
}

/* A turn of the endpoint, behind those of the connections that poll() named. When to have the next. */
static uint64_t turn(leat_broker *broker, uint64_t now_ms)
{
    leat_session *session;
    const leat_event *event;

    leat_broker_tick(broker, now_ms);
    while (leat_broker_connect(broker, &session) == LEAT_OK)
        connect_to(leat_broker_address(session), leat_broker_port(session), session);
    while (leat_broker_next(broker, &event) == LEAT_OK)
        on_event(NULL, event);
    while (leat_broker_ready(broker, &session) == LEAT_OK)
        serve(leat_session_user(session)); /* as leat_session_set_user() was told */
    return leat_broker_deadline(broker);
}

/* Raises Scan::found(when: time, who: addr, ports: set[port]) at whoever subscribes to /scan. */
static int publish_scan(leat_broker *broker, leat_builder *b, int64_t when_ns,
                        const uint8_t who[16], const uint16_t *ports, size_t count)
{
    size_t i;

    leat_builder_clear(b);
    leat_zeek_event_open(b, NULL, "Scan::found", 11);
    leat_builder_timestamp(b, NULL, when_ns);
    leat_builder_address(b, NULL, who, 16);
    leat_builder_open(b, NULL, LEAT_SET);
    for (i = 0; i < count; i++)
        leat_builder_port(b, NULL, ports[i], LEAT_PROTOCOL_TCP);
    leat_builder_close(b);
    leat_zeek_event_close(b);
    return leat_broker_publish(broker, "/scan", 5, leat_builder_value(b));
}

/* Whether a text is that word. */
static int is(const char *text, size_t length, const char *word)
{
    return length == strlen(word) && memcmp(text, word, length) == 0;
}

/* Prints events Scan::found, alone or in batches. data is that of a DATA event, native or not. */
static void on_message(const leat_value *data)
{
    leat_zeek_message message, member;
    const leat_value *ports, *port;

    leat_zeek_message_init(&message, sizeof message);
    if (leat_zeek_read(data, &message) != LEAT_OK)
        return; /* none of Zeek's */
    if (message.kind == LEAT_ZEEK_BATCH) {
        leat_zeek_message_init(&member, sizeof member);
        while (leat_zeek_batch_next(&message, &member) == LEAT_OK)
            on_message(member.data);
    }
    if (message.kind != LEAT_ZEEK_EVENT || !is(message.name, message.name_length, "Scan::found"))
        return;
    ports = leat_value_at(message.args, 2); /* of another kind, or missing: it has no elements */
    for (port = leat_value_first(ports); port != NULL; port = leat_value_next(ports, port))
        fprintf(out, "port %u\n", (unsigned)leat_value_port(port));
}

/* Tells a Zeek that writes logs of a log with two columns, and gives these to the lines to come. */
static int create_log(leat_broker *broker, leat_builder *b, leat_builder *fields)
{
    static const struct {
        const char *name;
        uint32_t type;
    } columns[] = {{"ts", LEAT_ZEEK_TYPE_TIME}, {"note", LEAT_ZEEK_TYPE_STRING}};
    leat_zeek_log_field field;
    leat_zeek_message create;
    leat_zeek_log_info info;
    leat_builder *about;
    size_t i;
    int status = leat_builder_new(NULL, &about);

    leat_builder_clear(fields);
    leat_builder_open(fields, NULL, LEAT_LIST);
    for (i = 0; i < 2; i++) {
        leat_zeek_log_field_init(&field, sizeof field);
        field.name = columns[i].name;
        field.name_length = strlen(field.name);
        field.type = columns[i].type;
        leat_zeek_log_field_write(fields, &field);
    }
    leat_builder_close(fields);
    leat_zeek_log_info_init(&info, sizeof info);
    info.path = "notes";
    info.path_length = 5;
    leat_zeek_message_init(&create, sizeof create);
    create.kind = LEAT_ZEEK_LOG_CREATE;
    create.stream = "Notes::LOG";
    create.stream_length = 10;
    create.writer = "Log::WRITER_ASCII";
    create.writer_length = 17;
    create.fields = leat_builder_value(fields);
    if (status == LEAT_OK && leat_zeek_log_info_write(about, NULL, &info) == LEAT_OK) {
        create.info = leat_builder_value(about);
        leat_builder_clear(b);
        leat_zeek_write(b, NULL, &create);
        status = leat_broker_publish(broker, "zeek/logs/Notes::LOG", 20, leat_builder_value(b));
    }
    leat_builder_free(about);
    return status;
}

/* A line of it. record is a list of both values, or a record of them by name. */
static int write_log(leat_broker *broker, leat_builder *b, const leat_value *fields,
                     const leat_value *record)
{
    leat_zeek_message write;
    leat_buffer *octets;
    int status = leat_buffer_new(NULL, &octets);

    if (status == LEAT_OK)
        status = leat_zeek_record_write(octets, fields, record);
    if (status == LEAT_OK) {
        leat_zeek_message_init(&write, sizeof write);
        write.kind = LEAT_ZEEK_LOG_WRITE;
        write.stream = "Notes::LOG";
        write.stream_length = 10;
        write.writer = "Log::WRITER_ASCII";
        write.writer_length = 17;
        write.path = "notes";
        write.path_length = 5;
        write.record = leat_buffer_data(octets, &write.record_length);
        leat_builder_clear(b);
        leat_zeek_write(b, NULL, &write);
        status = leat_broker_publish(broker, "zeek/logs/Notes::LOG", 20, leat_builder_value(b));
    }
    leat_buffer_free(octets);
    return status;
}

/* Keeps the columns of the log, and prints its lines as JSON. */
static void on_log(leat_builder *fields, leat_builder *b, const leat_zeek_message *message)
{
    char text[512];

    if (!is(message->stream, message->stream_length, "Notes::LOG"))
        return;
    leat_builder_clear(b);
    if (message->kind == LEAT_ZEEK_LOG_CREATE) {
        leat_builder_clear(fields);
        leat_builder_copy(fields, NULL, message->fields);
    } else if (message->kind == LEAT_ZEEK_LOG_WRITE &&
               leat_zeek_record_read(b, NULL, leat_builder_value(fields), message->record,
                                     message->record_length) == LEAT_OK &&
               leat_value_json(leat_builder_value(b), text, sizeof text) < sizeof text) {
        fprintf(out, "%s\n", text);
    }
}

/* Prints a status or an error as Zeek's handlers would get it. */
static void on_status(const leat_event *event)
{
    const leat_value *value = leat_event_value(event);
    const leat_value *network = leat_value_get(leat_value_get(value, "endpoint"), "network");
    size_t name_length, address_length, msg_length;
    const char *name = leat_event_name(event, &name_length);
    const char *address = leat_value_text(leat_value_get(network, "address"), &address_length);
    const char *msg = leat_value_text(leat_value_get(value, "msg"), &msg_length);

    fprintf(out, "%.*s %.*s:%u %.*s\n", (int)name_length, name, (int)address_length, address,
            (unsigned)leat_value_port(leat_value_get(network, "bound_port")), (int)msg_length, msg);
}

/* Subscribes, and asks the peer to say when it has taken that: by a PONG with this payload. */
static int subscribe_for_sure(leat_broker *broker, leat_session *peer, const char *topic)
{
    int status = leat_broker_subscribe(broker, topic, strlen(topic));

    return status == LEAT_OK ? leat_broker_ping(peer, topic, strlen(topic)) : status;
}

/* Raises an event without arguments at the peer of that session alone. */
static int greet(leat_broker *broker, leat_builder *b, leat_session *peer)
{
    leat_builder_clear(b);
    leat_zeek_event_open(b, NULL, "Hello::there", 12);
    leat_zeek_event_close(b);
    return leat_broker_publish_to(broker, leat_broker_peer_id(peer), "/hello", 6,
                                  leat_builder_value(b));
}

/* An endpoint that would rather lose a peer than a message, and keeps at most 1000 for each. */
static int make_strict(const uint8_t id[16], leat_broker **broker)
{
    leat_broker_options options;

    leat_broker_options_init(&options, sizeof options);
    memcpy(options.id, id, 16); /* from the system's random numbers */
    options.overflow = LEAT_BROKER_DISCONNECT;
    options.queue_messages = 1000;
    return leat_broker_new(NULL, &options, broker);
}

/* Whether a peer has read so little that it is better to wait before more is published. */
static int is_slow(const leat_session *peer)
{
    leat_broker_stats stats;

    stats.size = sizeof stats;
    return leat_broker_get_stats(peer, &stats) == LEAT_OK && stats.queued > 500;
}

/* Counts how often a host was seen, for five minutes since the last time. */
static int count_host(leat_broker_store *hosts, leat_builder *b, const uint8_t address[16])
{
    leat_builder_clear(b);
    leat_builder_open(b, NULL, LEAT_LIST);
    leat_builder_address(b, NULL, address, 16);
    leat_builder_u64(b, NULL, 1);
    leat_builder_close(b);
    return leat_broker_store_increment(hosts, leat_value_at(leat_builder_value(b), 0),
                                       leat_value_at(leat_builder_value(b), 1),
                                       (int64_t)300 * 1000000000);
}

/* Saves a store as lines of hexadecimal digits: a list of key, value and what is left of its time. */
static int save_store(leat_broker_store *store, leat_builder *b, FILE *file)
{
    const leat_value *entry, *field;
    leat_builder *line;
    leat_buffer *octets;
    const uint8_t *data;
    size_t length, i;
    int status;

    if (leat_builder_new(NULL, &line) != LEAT_OK)
        return LEAT_E_NOMEM;
    if (leat_buffer_new(NULL, &octets) != LEAT_OK) {
        leat_builder_free(line);
        return LEAT_E_NOMEM;
    }
    for (status = leat_broker_store_after(store, NULL, b); status == LEAT_OK;
         status = leat_broker_store_after(store, leat_value_get(entry, "key"), b)) {
        entry = leat_builder_value(b);
        leat_builder_clear(line);
        leat_builder_open(line, NULL, LEAT_LIST);
        for (field = leat_value_first(entry); field != NULL; field = leat_value_next(entry, field))
            leat_builder_copy(line, NULL, field);
        leat_builder_close(line);
        leat_buffer_clear(octets);
        if (leat_broker_write(octets, leat_builder_value(line)) != LEAT_OK)
            break;
        data = (const uint8_t *)leat_buffer_data(octets, &length);
        for (i = 0; i < length; i++)
            fprintf(file, "%02x", data[i]);
        fprintf(file, "\n");
    }
    leat_buffer_free(octets);
    leat_builder_free(line);
    return status == LEAT_END ? LEAT_OK : status;
}

/* Puts one such line, as octets, into a new master, before there are clones. */
static int load_entry(leat_broker_store *store, leat_builder *b, const void *octets, size_t length)
{
    const leat_value *line, *expiry;
    int status;

    leat_builder_clear(b);
    status = leat_broker_read(b, NULL, octets, length);
    if (status != LEAT_OK)
        return status;
    line = leat_builder_value(b);
    expiry = leat_value_at(line, 2);
    return leat_broker_store_put(store, leat_value_at(line, 0), leat_value_at(line, 1),
                                 leat_value_kind(expiry) == LEAT_NULL ? LEAT_BROKER_FOR_EVER
                                                                      : leat_value_i64(expiry));
}

/* ----- proof ----- */

#define MOST 8u

/* What both tell of a peering that begins. */
#define JOINED                                                                                     \
    "endpoint_discovered :0 found a new peer in the network\n"                                     \
    "peer_added zeek:9999 handshake successful\n"                                                  \
    "endpoint_discovered :0 found a new peer in the network\n"                                     \
    "peer_added zeek:9999 handshake successful\n"

static struct connection connections[MOST];
static size_t connected;
static leat_broker *acceptor; /* who listens at every address */
static char *printed;
static size_t printed_length;

static void print_begin(void)
{
    out = open_memstream(&printed, &printed_length);
    ck_assert_ptr_nonnull(out);
}

/* What was printed. */
static void print_end(const char *expected)
{
    (void)fclose(out);
    ck_assert_str_eq(printed, expected);
    free(printed);
}

static void on_event(leat_session *session, const leat_event *event)
{
    const leat_value *value = leat_event_value(event);

    (void)session;
    pongs += leat_event_kind(event) == LEAT_BROKER_PONG;
    if (leat_event_kind(event) == LEAT_BROKER_DATA)
        on_message(leat_value_get(value, "data"));
    else if (leat_value_get(value, "msg") != NULL)
        on_status(event);
}

static void keep(int fd, leat_session *session)
{
    ck_assert_uint_lt(connected, MOST);
    ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    connections[connected] = (struct connection){session, fd};
    leat_session_set_user(session, &connections[connected++]);
}

static void connect_to(const char *address, uint32_t port, leat_session *session)
{
    leat_session *other;
    int ends[2];

    if (acceptor == NULL) {
        leat_session_free(session); /* nobody listens */
        return;
    }
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    keep(ends[0], session);
    ck_assert_int_eq(leat_broker_accept(acceptor, address, port, &other), LEAT_OK);
    keep(ends[1], other);
}

static leat_broker *make(uint8_t id, const char *topic)
{
    leat_broker_options options;
    leat_broker *broker;

    leat_broker_options_init(&options, sizeof options);
    memset(options.id, id, sizeof options.id);
    ck_assert_int_eq(leat_broker_new(NULL, &options, &broker), LEAT_OK);
    ck_assert_int_eq(leat_broker_subscribe(broker, topic, strlen(topic)), LEAT_OK);
    return broker;
}

/* Lets a connection have its turn if poll() names it. */
static void serve_if_polled(struct connection *connection)
{
    uint32_t wants = leat_wants(connection->session);
    struct pollfd polled = {.fd = connection->fd};

    if ((wants & LEAT_WANT_READ) != 0)
        polled.events |= POLLIN;
    if ((wants & LEAT_WANT_WRITE) != 0)
        polled.events |= POLLOUT;
    if (poll(&polled, 1, 0) > 0)
        (void)serve(connection);
}

/* The caller's loop for some turns. */
static void loop(leat_broker *one, leat_broker *other, uint64_t now_ms)
{
    size_t round, i;

    for (round = 0; round < 40; round++) {
        for (i = 0; i < connected; i++) {
            if (connections[i].session != NULL)
                serve_if_polled(&connections[i]);
        }
        (void)turn(one, now_ms);
        (void)turn(other, now_ms);
    }
}

static leat_builder *builder(void)
{
    leat_builder *made;

    ck_assert_int_eq(leat_builder_new(NULL, &made), LEAT_OK);
    return made;
}

/* From nothing to a peering, an event, and its end; then a try that fails. */
START_TEST(the_loop)
{
    static const uint8_t who[16] = {[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 1};
    static const uint16_t ports[] = {443, 22};
    leat_broker *one = make(1, "/one"), *other = make(2, "/scan");
    leat_builder *b = builder();

    print_begin();
    acceptor = other;
    connected = 0;
    ck_assert_int_eq(leat_broker_peer(one, "zeek", 9999, 5), LEAT_OK);
    loop(one, other, 1);
    ck_assert_int_eq(publish_scan(one, b, 0, who, ports, 2), LEAT_OK);
    loop(one, other, 2);
    ck_assert_int_eq(leat_broker_unpeer(one, "zeek", 9999), LEAT_OK);
    loop(one, other, 3);
    acceptor = NULL;
    ck_assert_int_eq(leat_broker_peer(one, "nobody", 1, 5), LEAT_OK);
    ck_assert_uint_eq(turn(one, 4), 4 + 5000);
    ck_assert_uint_eq(turn(one, 5), 4 + 5000);
    ck_assert_ptr_null(connections[0].session);
    ck_assert_ptr_null(connections[1].session);
    leat_builder_free(b);
    leat_broker_free(one);
    leat_broker_free(other);
    print_end(JOINED "port 22\nport 443\n"
                     "peer_removed zeek:9999 removed connection to remote peer\n"
                     "endpoint_unreachable :0 lost the last path\n"
                     "peer_lost zeek:9999 lost connection to remote peer\n"
                     "endpoint_unreachable :0 lost the last path\n"
                     "error nobody:1 unable to connect to remote peer\n");
}
END_TEST

/* A line that waits for a peer that does not read is no reason to lose the connection. */
START_TEST(output_that_waits)
{
    leat_broker *one = make(1, "/one"), *other = make(2, "/scan");
    static uint16_t ports[60000];
    static const uint8_t who[16] = {1};
    leat_builder *b = builder();
    size_t i;

    for (i = 0; i < 60000; i++)
        ports[i] = (uint16_t)(i + 1);
    print_begin();
    acceptor = other;
    connected = 0;
    ck_assert_int_eq(leat_broker_peer(one, "zeek", 9999, 5), LEAT_OK);
    loop(one, other, 1);
    for (i = 0; i < 8; i++)
        ck_assert_int_eq(publish_scan(one, b, 0, who, ports, 60000), LEAT_OK);
    ck_assert_int_eq(leat_broker_shutdown(one), LEAT_OK);
    (void)turn(one, 2);
    ck_assert_ptr_nonnull(connections[0].session);
    for (i = 0; i < 40; i++)
        loop(one, other, 2);
    ck_assert_ptr_null(connections[0].session);
    ck_assert_ptr_null(connections[1].session);
    leat_builder_free(b);
    leat_broker_free(one);
    leat_broker_free(other);
    (void)fclose(out);
    for (i = 0; strstr(printed, "port 60000\n") != NULL; i++)
        memcpy(strstr(printed, "port 60000\n"), "x", 1);
    ck_assert_uint_eq(i, 8);
    free(printed);
}
END_TEST

/* More pings at once than are answered before the peer reads: all are, once it does. */
START_TEST(input_that_pauses)
{
    leat_broker *one = make(1, "/scan"), *other = make(2, "/other");
    static const uint8_t who[16] = {1};
    leat_builder *b = builder();
    const void *data;
    size_t length, i;

    print_begin();
    acceptor = other;
    connected = 0;
    pongs = 0;
    ck_assert_int_eq(leat_broker_peer(one, "zeek", 9999, 5), LEAT_OK);
    loop(one, other, 1);
    for (i = 0; i < 2500; i++)
        ck_assert_int_eq(leat_broker_ping(connections[0].session, "", 0), LEAT_OK);
    do {
        ck_assert_int_eq(publish_scan(other, b, 0, who, NULL, 0), LEAT_OK);
        (void)serve(&connections[1]);
    } while (leat_send_data(connections[1].session, &length) == NULL);
    while ((data = leat_send_data(connections[0].session, &length)) != NULL) {
        ck_assert_int_eq(leat_feed(connections[1].session, data, length), LEAT_OK);
        ck_assert_int_eq(leat_send_done(connections[0].session, length), LEAT_OK);
    }
    for (i = 0; i < 3; i++)
        (void)turn(other, 2);
    ck_assert_uint_eq(leat_wants(connections[1].session), LEAT_WANT_WRITE);
    for (i = 0; i < 200; i++)
        (void)serve(&connections[0]);
    loop(one, other, 3);
    ck_assert_uint_eq(pongs, 2500);
    leat_session_free(connections[0].session);
    leat_session_free(connections[1].session);
    close(connections[0].fd);
    close(connections[1].fd);
    leat_builder_free(b);
    leat_broker_free(one);
    leat_broker_free(other);
    print_end(JOINED);
}
END_TEST

struct two {
    struct net net;
    leat_session *peer; /* of node 0 */
    leat_builder *fields, *b;
    size_t pongs;
};

static void take(void *context, size_t node, leat_session *session, const leat_event *event)
{
    struct two *two = context;
    const leat_value *data = leat_value_get(leat_event_value(event), "data");
    leat_zeek_message message;

    if (leat_event_kind(event) == LEAT_BROKER_PEER_ADDED && node == 0)
        two->peer = session;
    two->pongs += leat_event_kind(event) == LEAT_BROKER_PONG;
    if (data == NULL || node != 1)
        return;
    leat_zeek_message_init(&message, sizeof message);
    ck_assert_int_eq(leat_zeek_read(data, &message), LEAT_OK);
    if (message.kind == LEAT_ZEEK_EVENT)
        fprintf(out, "%.*s\n", (int)message.name_length, message.name);
    else
        on_log(two->fields, two->b, &message);
}

/* Two nodes in memory, of which the first peers with the second. */
static void meet(struct two *two, const char *topic)
{
    memset(two, 0, sizeof *two);
    net_init(&two->net);
    two->net.quiet = true;
    two->net.event = take;
    two->net.context = two;
    two->fields = builder();
    two->b = builder();
    (void)net_add(&two->net, NULL);
    (void)net_add(&two->net, NULL);
    net_subscribe(&two->net, 1, topic);
    net_peer(&two->net, 0, 1, 0);
    net_run(&two->net);
    ck_assert_ptr_nonnull(two->peer);
    print_begin();
}

static void part(struct two *two, const char *expected)
{
    net_run(&two->net);
    print_end(expected);
    leat_builder_free(two->fields);
    leat_builder_free(two->b);
    net_free(&two->net);
}

START_TEST(barriers_and_directed_messages)
{
    struct two two;
    leat_broker *broker;

    meet(&two, "/nothing");
    broker = net_broker(&two.net, 0);
    ck_assert_int_eq(subscribe_for_sure(broker, two.peer, "/a"), LEAT_OK);
    net_run(&two.net);
    ck_assert_uint_eq(two.pongs, 1);
    ck_assert_int_eq(greet(broker, two.b, two.peer), LEAT_OK);
    part(&two, "");

    meet(&two, "/hello");
    ck_assert_int_eq(greet(net_broker(&two.net, 0), two.b, two.peer), LEAT_OK);
    part(&two, "Hello::there\n");
}
END_TEST

START_TEST(logs)
{
    leat_builder *b = builder(), *fields = builder(), *line = builder();
    leat_broker *broker;
    struct two two;

    meet(&two, "zeek/logs/");
    broker = net_broker(&two.net, 0);
    ck_assert_int_eq(create_log(broker, b, fields), LEAT_OK);
    leat_builder_open(line, NULL, LEAT_LIST);
    leat_builder_timestamp(line, NULL, INT64_C(1700000000500000000));
    leat_builder_text(line, NULL, "all is well", 11);
    leat_builder_close(line);
    ck_assert_int_eq(write_log(broker, b, leat_builder_value(fields), leat_builder_value(line)),
                     LEAT_OK);
    leat_builder_clear(line);
    leat_builder_open(line, NULL, LEAT_RECORD);
    leat_builder_text(line, "note", "by name", 7);
    leat_builder_close(line);
    ck_assert_int_eq(write_log(broker, b, leat_builder_value(fields), leat_builder_value(line)),
                     LEAT_OK);
    leat_builder_free(b);
    leat_builder_free(fields);
    leat_builder_free(line);
    part(&two, "{\"ts\":\"2023-11-14T22:13:20.500Z\",\"note\":\"all is well\"}\n"
               "{\"ts\":null,\"note\":\"by name\"}\n");
}
END_TEST

/* The peer reads nothing: it is found to be slow, and then lost. */
START_TEST(back_pressure)
{
    static const uint8_t id[16] = {9};
    leat_broker *broker, *other = make(2, "");
    leat_session *peer, *its;
    leat_builder *b = builder();
    const leat_event *event;
    bool slow = false;
    size_t i;

    ck_assert_int_eq(make_strict(id, &broker), LEAT_OK);
    ck_assert_int_eq(leat_broker_accept(broker, "x", 1, &peer), LEAT_OK);
    ck_assert_int_eq(leat_broker_peer(other, "x", 1, 0), LEAT_OK);
    ck_assert_int_eq(leat_broker_connect(other, &its), LEAT_OK);
    t_pair(peer, its);
    while (leat_next(peer, &event) == LEAT_OK)
        ;
    for (i = 0; i < 4000 && !slow; i++) {
        ck_assert_int_eq(greet(broker, b, peer), LEAT_OK);
        slow = is_slow(peer);
    }
    ck_assert(slow);
    ck_assert_uint_gt(i, 500);
    for (i = 0; i < 600 && greet(broker, b, peer) == LEAT_OK; i++)
        ;
    ck_assert_uint_gt(i, 400);
    ck_assert_uint_lt(i, 600);
    ck_assert_int_eq(leat_next(peer, &event), LEAT_OK);
    ck_assert_uint_eq(leat_event_kind(event), LEAT_BROKER_PEER_REMOVED);
    leat_session_free(peer);
    leat_session_free(its);
    leat_builder_free(b);
    leat_broker_free(broker);
    leat_broker_free(other);
}
END_TEST

/* What is saved and loaded is there again, with what was left of its time. */
START_TEST(stores_that_last)
{
    static const uint8_t address[16] = {0x20, 0x01, 0x0d, 0xb8};
    leat_broker *broker = make(1, "/"), *again = make(2, "/");
    leat_builder *b = builder(), *key = builder();
    leat_broker_store *store, *loaded;
    const leat_event *event;
    char line[512];
    char *saved;
    size_t length, inserts;
    FILE *file;

    ck_assert_int_eq(leat_broker_store_master(broker, "hosts", 5, NULL, &store), LEAT_OK);
    ck_assert_int_eq(leat_broker_store_master(again, "hosts", 5, NULL, &loaded), LEAT_OK);
    leat_builder_address(key, NULL, address, 16);
    ck_assert_int_eq(count_host(store, b, address), LEAT_OK);
    leat_broker_tick(broker, 100000);
    ck_assert_int_eq(count_host(store, b, address), LEAT_OK);
    leat_broker_tick(broker, 200000);
    leat_builder_clear(b);
    leat_builder_text(b, NULL, "for ever", 8);
    ck_assert_int_eq(leat_broker_store_put(store, leat_builder_value(b), leat_builder_value(b),
                                           LEAT_BROKER_FOR_EVER),
                     LEAT_OK);
    file = open_memstream(&saved, &length);
    ck_assert_int_eq(save_store(store, b, file), LEAT_OK);
    (void)fclose(file);
    file = fmemopen(saved, length, "r");
    while (fgets(line, sizeof line, file) != NULL) {
        struct t_bytes octets = t_hex(line);

        ck_assert_int_eq(load_entry(loaded, b, octets.data, octets.length), LEAT_OK);
        t_free(octets);
    }
    (void)fclose(file);
    free(saved);
    ck_assert_uint_eq(leat_broker_store_count(loaded), 2);
    for (inserts = 0; leat_broker_store_next(loaded, &event) == LEAT_OK; inserts++)
        ck_assert_uint_eq(leat_event_kind(event), LEAT_BROKER_STORE_INSERT);
    ck_assert_uint_eq(inserts, 2);
    leat_broker_tick(again, 199000);
    leat_builder_clear(b);
    ck_assert_int_eq(leat_broker_store_get(loaded, leat_builder_value(key), b, NULL), LEAT_OK);
    ck_assert_uint_eq(leat_value_u64(leat_builder_value(b)), 2);
    leat_broker_tick(again, 201000);
    ck_assert_uint_eq(leat_broker_store_count(loaded), 1);
    leat_broker_store_free(store);
    leat_broker_store_free(loaded);
    leat_builder_free(b);
    leat_builder_free(key);
    leat_broker_free(broker);
    leat_broker_free(again);
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_test(tc, the_loop);
    tcase_add_test(tc, output_that_waits);
    tcase_add_test(tc, input_that_pauses);
    tcase_add_test(tc, barriers_and_directed_messages);
    tcase_add_test(tc, logs);
    tcase_add_test(tc, back_pressure);
    tcase_add_test(tc, stores_that_last);
}

T_MAIN("broker/guide", tests)
