#include "zeromq.h"

#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <zmq.h>

struct zeromq {
    void *context;
    void *publisher;
    zmq_msg_t message;
    size_t count;
    void *subscribers[];
};

static void demand(int result)
{
    if (result < 0)
        die(zmq_strerror(zmq_errno()));
}

struct zeromq *zeromq_open(const char *address, const char *topic, size_t subscribers)
{
    struct zeromq *zeromq =
        (struct zeromq *)must(calloc(1, sizeof *zeromq + subscribers * sizeof(void *)));
    char endpoint[256];
    size_t i, length = sizeof endpoint;
    int all = 0;

    zeromq->context = must(zmq_ctx_new());
    demand(zmq_ctx_set(zeromq->context, ZMQ_MAX_SOCKETS, (int)subscribers + 16));
    zeromq->publisher = must(zmq_socket(zeromq->context, ZMQ_XPUB));
    demand(zmq_setsockopt(zeromq->publisher, ZMQ_SNDHWM, &all, sizeof all));
    demand(zmq_setsockopt(zeromq->publisher, ZMQ_XPUB_VERBOSE, &(int){1}, sizeof(int)));
    demand(zmq_bind(zeromq->publisher, address));
    demand(zmq_getsockopt(zeromq->publisher, ZMQ_LAST_ENDPOINT, endpoint, &length));
    demand(zmq_msg_init(&zeromq->message));
    for (i = 0; i < subscribers; i++) {
        void *socket = must(zmq_socket(zeromq->context, ZMQ_SUB));

        demand(zmq_setsockopt(socket, ZMQ_RCVHWM, &all, sizeof all));
        demand(zmq_setsockopt(socket, ZMQ_SUBSCRIBE, topic, strlen(topic)));
        demand(zmq_connect(socket, endpoint));
        /* The publisher hears of the subscription. */
        demand(zmq_msg_recv(&zeromq->message, zeromq->publisher, 0));
        zeromq->subscribers[zeromq->count++] = socket;
    }
    return zeromq;
}

void zeromq_close(struct zeromq *zeromq)
{
    size_t i;

    (void)zmq_msg_close(&zeromq->message);
    for (i = 0; i < zeromq->count; i++)
        (void)zmq_close(zeromq->subscribers[i]);
    (void)zmq_close(zeromq->publisher);
    (void)zmq_ctx_term(zeromq->context);
    free(zeromq);
}

void zeromq_publish(struct zeromq *zeromq, const void *octets, size_t length)
{
    demand(zmq_send(zeromq->publisher, octets, length, 0));
}

const void *zeromq_next(struct zeromq *zeromq, size_t subscriber, size_t *length)
{
    demand(zmq_msg_recv(&zeromq->message, zeromq->subscribers[subscriber], 0));
    *length = zmq_msg_size(&zeromq->message);
    return zmq_msg_data(&zeromq->message);
}
