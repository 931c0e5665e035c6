/*
 * Recordings of conversations, a JSON object a line, as decode capture reads them: what passed between the
 * session and the wire, without TLS, so that no key is in it.
 */
#define _POSIX_C_SOURCE 200809L

#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Octets in one line. */
#define LINE_OCTETS ((size_t)32768)

bool recording_open(struct recording *recording, const char *path)
{
    int descriptor;

    recording->name = path;
    recording->start_us = clock_us();
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    recording->file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    if (recording->file != NULL)
        return true;
    complain("%s: %s", path, strerror(errno));
    if (descriptor >= 0)
        (void)close(descriptor);
    return false;
}

/* The members that every line has. */
static void begin(struct recording *recording, uint64_t conn, const char *dir)
{
    uint64_t us = clock_us() - recording->start_us;

    (void)fputc('{', recording->file);
    if (dir != NULL)
        (void)fprintf(recording->file, "\"dir\":\"%s\",", dir);
    (void)fprintf(recording->file, "\"conn\":%" PRIu64 ",\"t\":%" PRIu64 ".%06" PRIu64, conn,
                  us / 1000000u, us % 1000000u);
}

void recording_octets(struct recording *recording, uint64_t conn, const char *dir,
                      const void *octets, size_t length)
{
    const uint8_t *at = octets;

    while (recording != NULL && length > 0) {
        size_t count = length < LINE_OCTETS ? length : LINE_OCTETS;

        begin(recording, conn, dir);
        (void)fputs(",\"hex\":\"", recording->file);
        put_hex(recording->file, at, count);
        (void)fputs("\"}\n", recording->file);
        at += count;
        length -= count;
    }
}

void recording_event(struct recording *recording, uint64_t conn, const char *dir, const char *event)
{
    if (recording == NULL)
        return;
    begin(recording, conn, dir);
    (void)fprintf(recording->file, ",\"ev\":\"%s\"}\n", event);
}

void recording_flush(struct recording *recording)
{
    if (recording == NULL || (fflush(recording->file) == 0 && !ferror(recording->file)))
        return;
    complain("%s: %s", recording->name, strerror(errno));
    exit(EXIT_USAGE);
}

void recording_close(struct recording *recording)
{
    if (recording == NULL)
        return;
    recording_flush(recording);
    (void)fclose(recording->file);
}
