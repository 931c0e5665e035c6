/* A stream of messages, as it comes; the last octet steers how it is cut. */
#include "estreamer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size--;
    check_stream(data, size, data[size] % 64u + 1);
    return 0;
}
