#include "form.h"

#include "../core/text.h"
#include "order.h"

#include <leat/value.h>
#include <string.h>

static bool read_digits(const char *text, size_t count, unsigned *value)
{
    size_t i;

    *value = 0;
    for (i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *value = *value * 10 + (unsigned)(text[i] - '0');
    }
    return true;
}

/* Days from 1970-01-01 to a date of the Gregorian calendar; false if there is no such date. */
static bool read_date(unsigned year, unsigned month, unsigned day, int64_t *days)
{
    static const uint8_t month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    unsigned from_march = (month + 9) % 12;
    int64_t y = (int64_t)year - (month <= 2);

    if (month < 1 || month > 12 || day < 1 || day > month_days[month - 1] ||
        (month == 2 && day == 29 && !leap))
        return false;
    /*
     * Years that begin in March have their leap day last. 719468 days lie before 1970 from
     * 0000-03-01.
     */
    *days = y * 365 + (y >= 0 ? y / 4 - y / 100 + y / 400 : -1) + (153 * from_march + 2) / 5 + day -
            1 - 719468;
    return true;
}

/* Z, +hh, +hhmm, +hh:mm or nothing, which is UTC. */
static bool read_zone(const char *text, size_t length, int64_t *seconds)
{
    unsigned hours, minutes = 0;

    *seconds = 0;
    if (length == 0 || (length == 1 && *text == 'Z'))
        return true;
    if ((*text != '+' && *text != '-') || length < 3 || !read_digits(text + 1, 2, &hours))
        return false;
    if (length > 3) {
        size_t colon = text[3] == ':';

        if (length != 5 + colon || !read_digits(text + 3 + colon, 2, &minutes))
            return false;
    }
    if (hours > 23 || minutes > 59)
        return false;
    *seconds = (int64_t)hours * 3600 + minutes * 60;
    if (*text == '-')
        *seconds = -*seconds;
    return true;
}

bool lt_broker_read_timestamp(const char *text, size_t length, int64_t *ns)
{
    unsigned year, month, day, hour, minute, second, fraction = 0;
    int64_t days, zone, seconds;
    size_t at = 19;

    if (length < at || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' ||
        text[16] != ':')
        return false;
    if (!read_digits(text, 4, &year) || !read_digits(text + 5, 2, &month) ||
        !read_digits(text + 8, 2, &day) || !read_digits(text + 11, 2, &hour) ||
        !read_digits(text + 14, 2, &minute) || !read_digits(text + 17, 2, &second))
        return false;
    if (!read_date(year, month, day, &days) || hour > 23 || minute > 59 || second > 59)
        return false;
    if (at < length && text[at] == '.') {
        size_t digits = ++at;

        while (at < length && text[at] >= '0' && text[at] <= '9')
            at++;
        digits = at - digits;
        if (digits < 1 || digits > 9 || !read_digits(text + at - digits, digits, &fraction))
            return false;
        for (; digits < 9; digits++)
            fraction *= 10;
    }
    if (!read_zone(text + at, length - at, &zone))
        return false;
    seconds = days * 86400 + (int64_t)hour * 3600 + minute * 60 + second - zone;
    if (seconds < 0) {
        seconds++;
        if (seconds < INT64_MIN / 1000000000 ||
            seconds * 1000000000 < INT64_MIN + (1000000000 - (int64_t)fraction))
            return false;
        *ns = seconds * 1000000000 - (1000000000 - (int64_t)fraction);
        return true;
    }
    if (seconds > INT64_MAX / 1000000000 || seconds * 1000000000 > INT64_MAX - (int64_t)fraction)
        return false;
    *ns = seconds * 1000000000 + fraction;
    return true;
}

bool lt_broker_read_timespan(const char *text, size_t length, int64_t *ns)
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {
        {"ns", 1},         {"us", 1000},
        {"ms", 1000000},   {"min", INT64_C(60000000000)},
        {"s", 1000000000}, {"h", INT64_C(3600000000000)},
    };
    size_t i, unit = 0;
    int64_t number;
    double real;

    for (i = 0; i < sizeof units / sizeof *units; i++) {
        unit = strlen(units[i].name);
        if (length > unit && memcmp(text + length - unit, units[i].name, unit) == 0)
            break;
    }
    if (i == sizeof units / sizeof *units)
        return false;
    length -= unit;
    if (*text == '+') {
        text++;
        length--;
        if (length > 0 && *text == '-')
            return false;
    }
    if (lt_read_i64(text, length, &number)) {
        if (number > INT64_MAX / units[i].ns || number < INT64_MIN / units[i].ns)
            return false;
        *ns = number * units[i].ns;
        return true;
    }
    if (!lt_read_real(text, length, &real))
        return false;
    real *= (double)units[i].ns;
    if (!(real >= -0x1p63 && real < 0x1p63))
        return false;
    *ns = (int64_t)(real < 0 ? real - 0.5 : real + 0.5);
    return true;
}

bool lt_broker_read_port(const char *text, size_t length, uint64_t *port)
{
    static const char *const protocols[] = {"?", "tcp", "udp", "icmp"};
    const char *slash = (const char *)memchr(text, '/', length);
    size_t digits = slash == NULL ? length : (size_t)(slash - text);
    uint64_t number, protocol = LEAT_PROTOCOL_TCP;

    if (digits > 5 || !lt_read_u64(text, digits, &number) || number > UINT16_MAX)
        return false;
    if (slash != NULL) {
        size_t word = length - digits - 1;

        for (protocol = 0; protocol <= LEAT_PROTOCOL_ICMP; protocol++) {
            if (word == strlen(protocols[protocol]) &&
                memcmp(slash + 1, protocols[protocol], word) == 0)
                break;
        }
        if (protocol > LEAT_PROTOCOL_ICMP)
            return false;
    }
    *port = number | protocol << 16;
    return true;
}

bool lt_broker_read_subnet(const char *text, size_t length, uint8_t octets[17])
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    const char *slash = (const char *)memchr(text, '/', length);
    uint8_t address[16];
    uint64_t prefix;
    size_t digits;
    bool ipv4;

    if (slash == NULL || !lt_read_address(text, (size_t)(slash - text), address))
        return false;
    digits = length - (size_t)(slash - text) - 1;
    ipv4 = memcmp(address, mapped, sizeof mapped) == 0;
    if (digits > 3 || !lt_read_u64(slash + 1, digits, &prefix) || prefix > (ipv4 ? 32u : 128u))
        return false;
    octets[16] = (uint8_t)(ipv4 ? prefix + 96 : prefix);
    lt_broker_network(address, octets[16], octets);
    return true;
}
