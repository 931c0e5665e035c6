/* Integers as text and back. */
#include "text.h"

bool lt_read_u64(const char *text, size_t length, uint64_t *value)
{
    uint64_t number = 0;
    size_t i;

    if (length == 0)
        return false;
    for (i = 0; i < length; i++) {
        uint64_t digit = (uint64_t)(uint8_t)text[i] - '0';

        if (digit > 9 || number > UINT64_MAX / 10 || number * 10 > UINT64_MAX - digit)
            return false;
        number = number * 10 + digit;
    }
    *value = number;
    return true;
}

bool lt_read_i64(const char *text, size_t length, int64_t *value)
{
    bool negative = length > 0 && *text == '-';
    uint64_t number;

    if (!lt_read_u64(text + negative, length - negative, &number) ||
        number > (uint64_t)INT64_MAX + negative)
        return false;
    *value = negative ? -(int64_t)(number - (number > 0)) - (number > 0) : (int64_t)number;
    return true;
}

static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                            "25262728293031323334353637383940414243444546474849"
                            "50515253545556575859606162636465666768697071727374"
                            "75767778798081828384858687888990919293949596979899";

void lt_write_u64(struct lt_writer *out, uint64_t value)
{
    char text[20];
    char *at = text + sizeof text;

    while (value >= 100) {
        at -= 2;
        memcpy(at, pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (value >= 10) {
        at -= 2;
        memcpy(at, pairs + value * 2, 2);
    } else {
        *--at = (char)('0' + value);
    }
    lt_put_bytes(out, at, (size_t)(text + sizeof text - at));
}

void lt_write_i64(struct lt_writer *out, int64_t value)
{
    if (value < 0)
        lt_put_u8(out, '-');
    lt_write_u64(out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}
