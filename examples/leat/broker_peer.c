/* leat broker peer: an endpoint of Broker, as every Zeek process has one. */
#include "broker_live.h"

#include <stdlib.h>

static int run(struct node *node, const struct arguments *arguments)
{
    const char *listen = option_value(arguments, "--listen");

    if (!node_open(node, arguments))
        return EXIT_USAGE;
    if (listen == NULL && !option_given(arguments, "--connect")) {
        complain("--listen is missing, or a peer to --connect to");
        return EXIT_USAGE;
    }
    if (listen != NULL && !node_accept(node, listen, NULL))
        return EXIT_USAGE;
    return node_run(node, "--connect");
}

int broker_peer(const struct arguments *arguments)
{
    struct node *node = calloc(1, sizeof *node);
    int code;

    need_memory(node == NULL ? LEAT_E_NOMEM : LEAT_OK);
    code = run(node, arguments);
    node_close(node);
    free(node);
    return code;
}
