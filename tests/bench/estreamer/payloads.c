#include "payloads.h"

#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *vectors = ".";

struct payload payloads[PAYLOADS] = {
    {.name = "intrusion, s2/85", .file = "400_s2-85.hex"},
    {.name = "connection, s1/174", .file = "071_disc-s1-174.hex"},
    {.name = "file, s2/79", .file = "500_s2-79.hex"},
    {.name = "malware, s2/80", .file = "125_s2-80.hex"},
};

static int hex_digit(int c)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = c == '\0' ? NULL : strchr(digits, c);

    return found == NULL ? -1 : (int)(found - digits);
}

size_t load_record(const char *name, uint8_t *octets, size_t size)
{
    char path[4096];
    FILE *file;
    size_t length = 0;
    int c, high = -1;

    (void)snprintf(path, sizeof path, "%s/estreamer/records/%s", vectors, name);
    file = fopen(path, "r");
    if (file == NULL)
        die(path);
    while ((c = fgetc(file)) != EOF && length < size) {
        int digit = hex_digit(c);

        if (digit < 0)
            continue;
        if (high >= 0)
            octets[length++] = (uint8_t)(high << 4 | digit);
        high = high < 0 ? digit : -1;
    }
    (void)fclose(file);
    return length;
}

static uint32_t load(const uint8_t *octets)
{
    return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 |
           octets[3];
}

void load_payloads(int argc, char **argv)
{
    size_t i;

    if (argc > 1)
        vectors = argv[1];
    else if (getenv("LEAT_VECTORS") != NULL)
        vectors = getenv("LEAT_VECTORS");
    for (i = 0; i < PAYLOADS; i++) {
        struct payload *payload = &payloads[i];

        payload->length = load_record(payload->file, payload->octets, sizeof payload->octets);
        payload->type = load(payload->octets) & 0xffff;
        payload->header_bytes = payload->length - load(payload->octets + 4);
    }
}
