/* What the benches of eStreamer measure: records from the vectors. */
#ifndef BENCH_PAYLOADS_H
#define BENCH_PAYLOADS_H

#include <stddef.h>
#include <stdint.h>

/* A record, as event data begins with it: behind its header of 8 or 16 octets. */
struct payload {
    const char *name;
    const char *file; /* below estreamer/records of the vectors */
    uint8_t octets[4096];
    size_t length;
    uint32_t type;
    size_t header_bytes;
};

/* The records that are measured: intrusion, connection, file, malware. */
#define PAYLOADS 4
extern struct payload payloads[PAYLOADS];
void load_payloads(int argc, char **argv);

/* The octets of event data from a file of hex digits; how many. */
size_t load_record(const char *file, uint8_t *octets, size_t size);

#endif
