/* A stream of frames: however it is cut, the session tells the same. */
#include "zabbix.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t cut = size > 0 ? data[--size] % 64u + 1 : 1; /* the last octets steer */
    uint32_t from = size > 0 ? data[--size] % 6u : 0;

    if (transcript(data, size, size + 1, from) != transcript(data, size, cut, from))
        abort();
    return 0;
}
