/* One direction of a peering: however it is cut, it says the same; what it says can be repeated. */
#include "broker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t steer = size > 0 ? data[--size] : 0; /* the last octet steers */
    uint32_t from = (uint32_t)(steer % 3);      /* LEAT_FROM_ANY, _CLIENT, _SERVER */

    must(transcript(from, data, size, size + 1) == transcript(from, data, size, steer / 3 + 1));
    return 0;
}
