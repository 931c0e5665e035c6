/* What the commands for Zabbix have in common: versions, times, and output that is to last. */
#define _POSIX_C_SOURCE 200809L

#include "zabbix_live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_VERSION "7.0"

bool version_read(const struct arguments *arguments, char version[VERSION_BYTES])
{
    const char *given = option_value(arguments, "--as-version");
    const char *text = given != NULL ? given : DEFAULT_VERSION;
    const char *dot = strchr(text, '.');
    bool is_short = dot != NULL && strchr(dot + 1, '.') == NULL;
    leat_zabbix_exchange_options options;
    leat_session *session = NULL;
    int status = LEAT_E_VALUE;

    leat_zabbix_exchange_options_init(&options, sizeof options);
    options.version = version;
    options.role = LEAT_ZABBIX_AS_SERVER;
    if (strlen(text) + sizeof ".0" <= VERSION_BYTES) {
        /* 7.0 is a branch; what peers are told has three numbers. */
        (void)snprintf(version, VERSION_BYTES, "%s%s", text, is_short ? ".0" : "");
        status = leat_zabbix_exchange_new(NULL, &options, &session);
    }
    need_memory(status);
    leat_session_free(session);
    if (status != LEAT_OK)
        complain("--as-version %s: not a version from 5.0 to 7.4", text);
    return status == LEAT_OK;
}

bool version_is_since(const char *text, size_t length, uint64_t major, uint64_t minor)
{
    const char *dot = memchr(text, '.', length);
    uint64_t first, second;
    size_t digits;

    if (dot == NULL || !number_read(text, (size_t)(dot - text), 10, &first))
        return false;
    length -= (size_t)(dot + 1 - text);
    for (digits = 0; digits < length && dot[1 + digits] >= '0' && dot[1 + digits] <= '9';)
        digits++;
    if (!number_read(dot + 1, digits, 10, &second))
        return false;
    return first > major || (first == major && second >= minor);
}

int64_t clock_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void output_keep(void)
{
    struct stat about;

    output_flush();
    if (fstat(STDOUT_FILENO, &about) == 0 && S_ISREG(about.st_mode) && fsync(STDOUT_FILENO) != 0)
        file_give_up("standard output");
}
