#include "text.h"

#include "plain.h"

#include <math.h>

static const char hex_digits[] = "0123456789abcdef";

static uint8_t *store_hex(uint8_t *to, const uint8_t *octets, size_t length)
{
    size_t i;

    for (i = 0; i < length; i++) {
        *to++ = (uint8_t)hex_digits[octets[i] >> 4];
        *to++ = (uint8_t)hex_digits[octets[i] & 15];
    }
    return to;
}

void lt_write_hex(struct lt_writer *out, const uint8_t *octets, size_t length)
{
    uint8_t *p = length > SIZE_MAX / 2 ? NULL : lt_put(out, 2 * length);

    if (p != NULL)
        (void)store_hex(p, octets, length);
}

bool lt_read_hex(const char *text, size_t length, uint8_t *octets)
{
    size_t i;

    if (length % 2 != 0)
        return false;
    for (i = 0; i < length; i += 2) {
        int high = lt_hex_value(text[i]), low = lt_hex_value(text[i + 1]);

        if (high < 0 || low < 0)
            return false;
        octets[i / 2] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static void write_ipv4(struct lt_writer *out, const uint8_t octets[4])
{
    uint8_t text[15];
    size_t length = 0;
    int i;

    for (i = 0; i < 4; i++) {
        if (i > 0)
            text[length++] = '.';
        if (octets[i] >= 100)
            text[length++] = (uint8_t)('0' + octets[i] / 100);
        if (octets[i] >= 10)
            text[length++] = (uint8_t)('0' + octets[i] / 10 % 10);
        text[length++] = (uint8_t)('0' + octets[i] % 10);
    }
    lt_put_bytes(out, text, length);
}

static bool is_mapped(const uint8_t octets[16])
{
    static const uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    return memcmp(octets, prefix, sizeof prefix) == 0;
}

/* RFC 5952: the first of the longest runs of two or more zero groups is "::". */
static void write_ipv6(struct lt_writer *out, const uint8_t octets[16])
{
    int group, best = -1, best_length = 1, run = 0;
    uint8_t text[39];
    size_t length = 0;
    int shift;

    for (group = 0; group < 8; group++) {
        run = lt_load_u16be(octets + 2 * group) == 0 ? run + 1 : 0;
        if (run > best_length) {
            best_length = run;
            best = group - run + 1;
        }
    }
    for (group = 0; group < 8; group++) {
        uint16_t value = lt_load_u16be(octets + 2 * group);

        if (group == best) {
            text[length++] = ':';
            text[length++] = ':';
            group += best_length - 1;
            continue;
        }
        if (group > 0 && (best < 0 || group != best + best_length))
            text[length++] = ':';
        for (shift = 12; shift >= 0; shift -= 4) {
            if (shift == 0 || value >> shift != 0)
                text[length++] = (uint8_t)hex_digits[value >> shift & 15];
        }
    }
    lt_put_bytes(out, text, length);
}

void lt_write_address(struct lt_writer *out, const uint8_t *octets, size_t length)
{
    if (length == 4)
        write_ipv4(out, octets);
    else if (is_mapped(octets))
        write_ipv4(out, octets + 12);
    else
        write_ipv6(out, octets);
}

void lt_write_subnet(struct lt_writer *out, const uint8_t octets[16], uint32_t prefix)
{
    bool ipv4 = is_mapped(octets) && prefix >= 96;

    if (ipv4)
        write_ipv4(out, octets + 12);
    else
        write_ipv6(out, octets);
    lt_put_u8(out, '/');
    lt_write_u64(out, ipv4 ? prefix - 96 : prefix);
}

static const char *port_protocol(uint32_t protocol)
{
    switch (protocol) {
    case LEAT_PROTOCOL_TCP:
        return "/tcp";
    case LEAT_PROTOCOL_UDP:
        return "/udp";
    case LEAT_PROTOCOL_ICMP:
        return "/icmp";
    default:
        return "/?";
    }
}

void lt_write_port(struct lt_writer *out, uint32_t number, uint32_t protocol)
{
    lt_write_u64(out, number);
    lt_put_text(out, port_protocol(protocol));
}

void lt_write_uuid(struct lt_writer *out, const uint8_t octets[16])
{
    static const uint8_t groups[] = {4, 2, 2, 2, 6};
    uint8_t *p = lt_put(out, 36);
    size_t i;

    for (i = 0; p != NULL && i < sizeof groups; i++) {
        if (i > 0)
            *p++ = '-';
        p = store_hex(p, octets, groups[i]);
        octets += groups[i];
    }
}

bool lt_read_uuid(const char *text, size_t length, uint8_t octets[16])
{
    static const uint8_t groups[] = {8, 4, 4, 4, 12};
    size_t i;

    if (length != 36)
        return false;
    for (i = 0; i < sizeof groups; i++) {
        if ((i > 0 && *text++ != '-') || !lt_read_hex(text, groups[i], octets))
            return false;
        text += groups[i];
        octets += groups[i] / 2;
    }
    return true;
}

void lt_write_mac(struct lt_writer *out, const uint8_t octets[6])
{
    uint8_t *p = lt_put(out, 17);
    int i;

    for (i = 0; p != NULL && i < 6; i++) {
        if (i > 0)
            *p++ = ':';
        p = store_hex(p, octets + i, 1);
    }
}

bool lt_read_mac(const char *text, size_t length, uint8_t octets[6])
{
    int i;

    if (length != 17)
        return false;
    for (i = 0; i < 6; i++) {
        if ((i > 0 && text[3 * i - 1] != ':') || !lt_read_hex(text + 3 * i, 2, octets + i))
            return false;
    }
    return true;
}

static void store_padded(uint8_t *p, unsigned value, unsigned digits)
{
    for (; digits > 0; digits--) {
        p[digits - 1] = (uint8_t)('0' + value % 10);
        value /= 10;
    }
}

/* The fraction of a second in as few of 3, 6 or 9 digits as are exact. */
static void write_fraction(struct lt_writer *out, unsigned ns)
{
    unsigned digits = 9;
    uint8_t *p;

    for (; digits > 3 && ns % 1000 == 0; digits -= 3)
        ns /= 1000;
    p = lt_put(out, digits + 1);
    if (p == NULL)
        return;
    *p = '.';
    store_padded(p + 1, ns, digits);
}

void lt_write_timestamp(struct lt_writer *out, int64_t ns)
{
    static const char form[] = "....-..-..T..:..:..";
    const int64_t day_seconds = 86400;
    int64_t seconds = ns / 1000000000 - (ns % 1000000000 < 0);
    uint64_t fraction = (uint64_t)(ns % 1000000000 + (ns % 1000000000 < 0 ? 1000000000 : 0));
    int64_t days = seconds / day_seconds - (seconds % day_seconds < 0);
    uint64_t second = (uint64_t)(seconds - days * day_seconds);
    /* The calendar in eras of 400 years that begin on 1 March, so that a leap day comes last. */
    uint64_t from_era =
        (uint64_t)(days + 719468); /* days since 0000-03-01; not negative after 1677 */
    uint64_t era = from_era / 146097, day = from_era % 146097;
    uint64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    uint64_t month;
    uint8_t *p;

    day -= 365 * year + year / 4 - year / 100;
    month = (5 * day + 2) / 153;
    day -= (153 * month + 2) / 5;
    year += era * 400 + (month >= 10);
    month = month < 10 ? month + 3 : month - 9;

    p = lt_put(out, sizeof form - 1);
    if (p != NULL) {
        memcpy(p, form, sizeof form - 1);
        store_padded(p, (unsigned)year, 4);
        store_padded(p + 5, (unsigned)month, 2);
        store_padded(p + 8, (unsigned)day + 1, 2);
        store_padded(p + 11, (unsigned)second / 3600, 2);
        store_padded(p + 14, (unsigned)second / 60 % 60, 2);
        store_padded(p + 17, (unsigned)second % 60, 2);
    }
    write_fraction(out, (unsigned)fraction);
}

void lt_write_timespan(struct lt_writer *out, int64_t ns)
{
    if (ns % 1000 != 0) {
        lt_write_i64(out, ns);
        lt_put_text(out, "ns");
    } else if (ns % 1000000 != 0) {
        lt_write_i64(out, ns / 1000);
        lt_put_text(out, "us");
    } else if (ns % 1000000000 != 0) {
        lt_write_i64(out, ns / 1000000);
        lt_put_text(out, "ms");
    } else {
        lt_write_i64(out, ns / 1000000000);
        lt_put_text(out, "s");
    }
}

static char short_escape(uint8_t c)
{
    switch (c) {
    case '"':
    case '\\':
        return (char)c;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 'u';
    }
}

static void write_escape(struct lt_writer *out, uint8_t c)
{
    char escape = short_escape(c);

    lt_put_u8(out, '\\');
    lt_put_u8(out, (uint8_t)escape);
    if (escape == 'u') {
        lt_put_bytes(out, "00", 2);
        lt_write_hex(out, &c, 1);
    }
}

static void write_unusual_string(struct lt_writer *out, const uint8_t *text, size_t length)
{
    size_t at = 0;

    lt_put_u8(out, '"');
    while (at < length) {
        size_t run = at;

        while (run < length && text[run] >= 0x20 && text[run] != '"' && text[run] != '\\')
            run++;
        lt_put_bytes(out, text + at, run - at);
        if (run < length)
            write_escape(out, text[run++]);
        at = run;
    }
    lt_put_u8(out, '"');
}

/* Plain text between quotes, and what follows it (or a zero octet: nothing does). */
static inline void write_plain(struct lt_writer *out, const uint8_t *text, size_t length,
                               char behind)
{
    uint8_t *p = lt_put(out, length + 2 + (behind != '\0'));

    if (p == NULL)
        return;
    *p++ = '"';
    if (length > 0)
        memcpy(p, text, length);
    p[length] = '"';
    if (behind != '\0')
        p[length + 1] = (uint8_t)behind;
}

static inline bool is_plain(const uint8_t *text, size_t length)
{
    return length == 0 || lt_plain(text, text + length) == text + length;
}

void lt_json_write_string(struct lt_writer *out, const uint8_t *text, size_t length)
{
    if (is_plain(text, length))
        write_plain(out, text, length, '\0');
    else
        write_unusual_string(out, text, length);
}

static void write_text(struct lt_writer *out, const uint8_t *text, size_t length)
{
    if (is_plain(text, length)) {
        write_plain(out, text, length, '\0');
        return;
    }
    if (lt_utf8_prefix(text, length) == length) {
        write_unusual_string(out, text, length);
        return;
    }
    lt_put_text(out, "{\"hex\":\"");
    lt_write_hex(out, text, length);
    lt_put_text(out, "\"}");
}

static void write_real(struct lt_writer *out, double value)
{
    if (isnan(value))
        lt_put_text(out, "\"nan\"");
    else if (isinf(value))
        lt_put_text(out, value > 0 ? "\"inf\"" : "\"-inf\"");
    else
        lt_write_real(out, value);
}

/* What is written between quotes and needs no escapes. */
static void write_quoted(struct lt_writer *out, const leat_value *value)
{
    lt_put_u8(out, '"');
    switch (value->kind) {
    case LEAT_ADDRESS:
        lt_write_address(out, value->u.bytes, value->length);
        break;
    case LEAT_SUBNET:
        lt_write_subnet(out, value->u.bytes, value->u.bytes[16]);
        break;
    case LEAT_PORT:
        lt_write_port(out, leat_value_port(value), leat_value_port_protocol(value));
        break;
    case LEAT_MAC:
        lt_write_mac(out, value->u.bytes);
        break;
    case LEAT_UUID:
        lt_write_uuid(out, value->u.bytes);
        break;
    case LEAT_TIMESTAMP:
        lt_write_timestamp(out, value->u.i64);
        lt_put_u8(out, 'Z');
        break;
    case LEAT_TIMESPAN:
        lt_write_timespan(out, value->u.i64);
        break;
    default:
        lt_write_hex(out, value->u.bytes, value->length);
        break;
    }
    lt_put_u8(out, '"');
}

static void write_scalar(struct lt_writer *out, const leat_value *value)
{
    switch (value->kind) {
    case LEAT_NULL:
        lt_put_bytes(out, "null", 4);
        break;
    case LEAT_BOOL:
        lt_put_text(out, value->u.u64 != 0 ? "true" : "false");
        break;
    case LEAT_INT:
        lt_write_i64(out, value->u.i64);
        break;
    case LEAT_UINT:
        lt_write_u64(out, value->u.u64);
        break;
    case LEAT_REAL:
        write_real(out, value->u.f64);
        break;
    case LEAT_TEXT:
    case LEAT_ENUM:
        write_text(out, value->u.bytes, value->length);
        break;
    default:
        write_quoted(out, value);
        break;
    }
}

/*
 * A field's name. A peer's may be any octets; those that are not UTF-8 are shown as hex, to stay
 * JSON.
 */
static void write_name(struct lt_writer *out, const leat_value *field)
{
    const uint8_t *name = (const uint8_t *)field->name;

    if (is_plain(name, field->name_length)) {
        write_plain(out, name, field->name_length, ':');
        return;
    }
    if (lt_utf8_prefix(name, field->name_length) == field->name_length) {
        write_unusual_string(out, name, field->name_length);
    } else {
        lt_put_text(out, "\"hex:");
        lt_write_hex(out, name, field->name_length);
        lt_put_u8(out, '"');
    }
    lt_put_u8(out, ':');
}

/* A container that is being written: where it ends, and which child comes next. */
struct open {
    const leat_value *end;
    uint8_t kind;
    bool value; /* of a table: the next child is a value */
    bool begun;
};

/* What stands in front of a child. */
static void write_before(struct lt_writer *out, struct open *in, const leat_value *child)
{
    if (in->kind == LEAT_TABLE && in->value) {
        lt_put_text(out, ",\"value\":");
    } else {
        if (in->begun)
            lt_put_u8(out, ',');
        in->begun = true;
        if (in->kind == LEAT_TABLE)
            lt_put_text(out, "{\"key\":");
        else if (in->kind == LEAT_RECORD)
            write_name(out, child);
    }
}

/* A child was written: in a table this may close a pair. */
static void write_behind(struct lt_writer *out, struct open *in)
{
    if (in->kind != LEAT_TABLE)
        return;
    if (in->value)
        lt_put_u8(out, '}');
    in->value = !in->value;
}

void lt_json_write(struct lt_writer *out, const leat_value *value)
{
    struct open stack[LT_DEPTH_MAX];
    size_t depth = 0;

    if (value == NULL) {
        lt_put_bytes(out, "null", 4);
        return;
    }
    for (;;) {
        if (depth > 0)
            write_before(out, &stack[depth - 1], value);
        if (lt_is_container(value)) {
            struct open *in = &stack[depth++];

            in->end = value + value->u.cells;
            in->kind = value->kind;
            in->value = in->begun = false;
            lt_put_u8(out, value->kind == LEAT_RECORD ? '{' : '[');
        } else {
            write_scalar(out, value);
            if (depth > 0)
                write_behind(out, &stack[depth - 1]);
        }
        value++;
        while (depth > 0 && value == stack[depth - 1].end) {
            depth--;
            lt_put_u8(out, stack[depth].kind == LEAT_RECORD ? '}' : ']');
            if (depth > 0)
                write_behind(out, &stack[depth - 1]);
        }
        if (depth == 0)
            return;
    }
}

size_t leat_value_json(const leat_value *value, char *text, size_t size)
{
    struct lt_writer out = lt_writer_fixed(text, size > 0 ? size - 1 : 0);

    lt_json_write(&out, value);
    if (size > 0)
        text[out.status == LEAT_OK ? out.length : out.limit] = '\0';
    return out.length;
}
