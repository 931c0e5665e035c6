/* The heads that open a WebSocket, on both sides: requests of clients, responses of servers. */
#include "websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t steer = size > 0 ? data[--size] : 0; /* the last octet steers */

    try_all((enum side)(steer % 3), false, data, size, steer / 3);
    return 0;
}
