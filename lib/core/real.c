/*
 * Real numbers as text and back, exactly and in no locale: the C library's functions follow the
 * program's decimal point, which is not ours to set.
 */
#include "text.h"

#include <float.h>
#include <stdio.h>

/* A double has at most 767 digits that matter; the ones behind only say "a little more". */
#define DIGITS_MAX 768u
/* 10^(DIGITS_MAX + 345) shifted by 64 bits fits. */
#define LIMBS 128u

struct big {
    uint32_t limb[LIMBS]; /* least significant first */
    unsigned count;
};

static void big_multiply_add(struct big *big, uint32_t factor, uint32_t addend)
{
    uint64_t carry = addend;
    unsigned i;

    for (i = 0; i < big->count; i++) {
        carry += (uint64_t)big->limb[i] * factor;
        big->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry != 0)
        big->limb[big->count++] = (uint32_t)carry;
}

static void big_times_power_of_ten(struct big *big, unsigned power)
{
    for (; power >= 9; power -= 9)
        big_multiply_add(big, 1000000000, 0);
    for (; power > 0; power--)
        big_multiply_add(big, 10, 0);
}

static unsigned big_bits(const struct big *big)
{
    uint32_t top = big->limb[big->count - 1];
    unsigned bits = (big->count - 1) * 32;

    for (; top != 0; top >>= 1)
        bits++;
    return bits;
}

static void big_shift_left(struct big *big, unsigned bits)
{
    unsigned limbs = bits / 32, i;

    bits %= 32;
    if (limbs > 0) {
        memmove(big->limb + limbs, big->limb, big->count * sizeof *big->limb);
        memset(big->limb, 0, limbs * sizeof *big->limb);
        big->count += limbs;
    }
    if (bits > 0) {
        uint32_t carry = 0;

        for (i = limbs; i < big->count; i++) {
            uint32_t limb = big->limb[i];

            big->limb[i] = limb << bits | carry;
            carry = limb >> (32 - bits);
        }
        if (carry != 0)
            big->limb[big->count++] = carry;
    }
}

static void big_halve(struct big *big)
{
    unsigned i;

    for (i = 0; i + 1 < big->count; i++)
        big->limb[i] = big->limb[i] >> 1 | big->limb[i + 1] << 31;
    big->limb[i] >>= 1;
    while (big->count > 1 && big->limb[big->count - 1] == 0)
        big->count--;
}

static int big_compare(const struct big *a, const struct big *b)
{
    unsigned i;

    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    for (i = a->count; i-- > 0;) {
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i] ? -1 : 1;
    }
    return 0;
}

/* a -= b; a is not less than b. */
static void big_subtract(struct big *a, const struct big *b)
{
    uint64_t borrow = 0;
    unsigned i;

    for (i = 0; i < a->count; i++) {
        uint64_t d = (uint64_t)a->limb[i] - (i < b->count ? b->limb[i] : 0) - borrow;

        a->limb[i] = (uint32_t)d;
        borrow = d >> 63;
    }
    while (a->count > 1 && a->limb[a->count - 1] == 0)
        a->count--;
}

/*
 * quotient * 2^exponent, quotient with its top bit set, plus something if sticky; to the
 * nearest, even.
 */
static bool compose(uint64_t quotient, int exponent, bool sticky, double *value)
{
    int top = exponent + 63; /* exponent of the first bit */
    unsigned drop = 11;      /* 64 bits to 53 */
    uint64_t kept, half, bits;

    if (top < -1022)
        drop += (unsigned)(-1022 - top) > 60 ? 60 : (unsigned)(-1022 - top);
    if (drop > 64) {
        *value = 0.0;
        return true;
    }
    kept = drop == 64 ? 0 : quotient >> drop;
    half = UINT64_C(1) << (drop - 1);
    if ((quotient & half) != 0 && ((quotient & (half - 1)) != 0 || sticky || (kept & 1) != 0))
        kept++;
    /*
     * The bits of a subnormal, of a normal number, and of one that rounding carried over, in one
     * formula.
     */
    bits = top < -1022 ? kept : ((uint64_t)(top + 1022) << 52) + kept;
    if (bits >= UINT64_C(0x7ff) << 52)
        return false;
    memcpy(value, &bits, sizeof bits);
    return true;
}

/* digits (no leading 0, at most DIGITS_MAX, maybe a little more if sticky) * 10^exponent. */
static bool exactly(const uint8_t *digits, unsigned count, bool sticky, int exponent, double *value)
{
    struct big n = {{0}, 1}, d = {{1}, 1};
    uint64_t quotient = 0;
    int shift, i;

    for (i = 0; i < (int)count; i++)
        big_multiply_add(&n, 10, digits[i]);
    if (sticky) { /* one more digit, not 0, says the same */
        big_multiply_add(&n, 10, 1);
        exponent--;
    }
    if (exponent > 0)
        big_times_power_of_ten(&n, (unsigned)exponent);
    else
        big_times_power_of_ten(&d, (unsigned)-exponent);

    /* n / d * 2^shift is to lie in [2^63, 2^64). */
    shift = 64 - ((int)big_bits(&n) - (int)big_bits(&d));
    if (shift > 0)
        big_shift_left(&n, (unsigned)shift);
    else
        big_shift_left(&d, (unsigned)-shift);
    big_shift_left(&d, 64);
    if (big_compare(&n, &d) >= 0) {
        shift--;
        big_shift_left(&d, 1);
    }
    for (i = 63; i >= 0; i--) {
        big_halve(&d);
        if (big_compare(&n, &d) >= 0) {
            big_subtract(&n, &d);
            quotient |= UINT64_C(1) << i;
        }
    }
    return compose(quotient, -shift, n.count > 1 || n.limb[0] != 0, value);
}

static const double powers_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                       1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                       1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* A number's text, taken apart. */
struct decimal {
    uint8_t digits[DIGITS_MAX]; /* those that matter, without leading zeros */
    unsigned count;
    bool sticky; /* more of them, not all 0 */
    int64_t exponent;
    uint64_t leading; /* the first 19 of them as a number */
};

static void add_digit(struct decimal *decimal, uint8_t digit, bool fraction)
{
    if (decimal->count == 0 && digit == 0) {
        decimal->exponent -= fraction;
    } else if (decimal->count < DIGITS_MAX) {
        if (decimal->count < 19)
            decimal->leading = decimal->leading * 10 + digit;
        decimal->digits[decimal->count++] = digit;
        decimal->exponent -= fraction;
    } else {
        decimal->sticky |= digit != 0;
        decimal->exponent += !fraction;
    }
}

/* [digits][.digits][e[+-]digits], with a digit in front or behind the point. */
static bool take_apart(const char *at, const char *end, struct decimal *decimal)
{
    bool fraction = false, any = false, negative = false;
    int64_t exponent = 0;

    decimal->count = 0;
    decimal->sticky = false;
    decimal->exponent = 0;
    decimal->leading = 0;
    for (; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.' && !fraction) {
            fraction = true;
        } else if (*at >= '0' && *at <= '9') {
            add_digit(decimal, (uint8_t)(*at - '0'), fraction);
            any = true;
        } else {
            return false;
        }
    }
    if (at < end) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            negative = *at++ == '-';
        if (at == end)
            return false;
        for (; at < end; at++) {
            if (*at < '0' || *at > '9')
                return false;
            if (exponent < 1000000000000)
                exponent = exponent * 10 + (*at - '0');
        }
        decimal->exponent += negative ? -exponent : exponent;
    }
    return any;
}

bool lt_read_real(const char *text, size_t length, double *value)
{
    const char *at = text;
    bool negative = length > 0 && *at == '-';
    struct decimal decimal;
    int64_t magnitude;

    if (!take_apart(at + negative, text + length, &decimal))
        return false;
    magnitude = decimal.exponent + decimal.count; /* 10^(magnitude-1) <= value < 10^magnitude */
    if (decimal.count == 0 || magnitude < -330) {
        *value = 0.0;
    } else if (magnitude > 310) {
        return false;
    } else if (decimal.count <= 19 && decimal.leading <= UINT64_C(1) << 53 &&
               decimal.exponent >= -22 && decimal.exponent <= 22 && FLT_EVAL_METHOD == 0) {
        /* Both operands are exact, so that the one operation rounds correctly. */
        *value = decimal.exponent < 0 ? (double)decimal.leading / powers_of_ten[-decimal.exponent]
                                      : (double)decimal.leading * powers_of_ten[decimal.exponent];
    } else if (!exactly(decimal.digits, decimal.count, decimal.sticky, (int)decimal.exponent,
                        value)) {
        return false;
    }
    if (negative)
        *value = -*value;
    return true;
}

/* The fewest digits that read back as value (positive). Returns the exponent of the first. */
static int shortest(double value, char digits[18], unsigned *count)
{
    char text[40];
    int precision = value < DBL_MIN ? 1 : 15; /* 15 digits always come back, but for subnormals */

    for (;; precision++) {
        const char *at = text;
        char plain[24];
        bool negative;
        double back = 0;
        int exponent = 0;
        unsigned n = 0;

        (void)snprintf(text, sizeof text, "%.*e", precision - 1, value);
        for (; *at != 'e'; at++) { /* the point is whatever the locale has */
            if (*at >= '0' && *at <= '9')
                digits[n++] = *at;
        }
        negative = at[1] == '-';
        for (at += 2; *at != '\0'; at++)
            exponent = exponent * 10 + (*at - '0');
        exponent = negative ? -exponent : exponent;
        while (n > 1 && digits[n - 1] == '0')
            n--;
        digits[n] = '\0';
        *count = n;
        (void)snprintf(plain, sizeof plain, "%se%d", digits, exponent - (int)(n - 1));
        if (precision == 17 || (lt_read_real(plain, strlen(plain), &back) && back == value))
            return exponent;
    }
}

static void write_digits(struct lt_writer *out, const char *digits, unsigned count, int exponent)
{
    unsigned whole; /* digits in front of the point */

    if (exponent < -5 || exponent > 16) {
        lt_put_u8(out, (uint8_t)digits[0]);
        lt_put_u8(out, '.');
        if (count > 1)
            lt_put_bytes(out, digits + 1, count - 1);
        else
            lt_put_u8(out, '0');
        lt_put_u8(out, 'e');
        lt_write_i64(out, exponent);
        return;
    }
    if (exponent < 0) {
        lt_put_bytes(out, "0.0000", (size_t)(1 - exponent));
        lt_put_bytes(out, digits, count);
        return;
    }
    whole = (unsigned)exponent + 1;
    lt_put_bytes(out, digits, count < whole ? count : whole);
    if (count < whole)
        lt_put_bytes(out, "0000000000000000", whole - count);
    lt_put_u8(out, '.');
    if (count > whole)
        lt_put_bytes(out, digits + whole, count - whole);
    else
        lt_put_u8(out, '0');
}

void lt_write_real(struct lt_writer *out, double value)
{
    char digits[21];
    unsigned count = 0;
    double scaled;
    uint64_t bits;
    int exponent;

    memcpy(&bits, &value, sizeof bits);
    if (bits >> 63 != 0) {
        lt_put_u8(out, '-');
        value = -value;
    }
    scaled = value * 1e6;
    if (value == 0) {
        lt_put_text(out, "0.0");
        return;
    }
    /*
     * Most numbers have few decimals. If the millionfold is a whole number of at most 15 digits
     * that gives the value back, its digits are the shortest, and the slow way is saved.
     */
    if (scaled >= 1 && scaled < 1e15 && (double)(uint64_t)scaled == scaled &&
        scaled / 1e6 == value) {
        uint64_t whole = (uint64_t)scaled;
        struct lt_writer text = lt_writer_fixed(digits, sizeof digits);

        lt_write_u64(&text, whole);
        count = (unsigned)text.length;
        exponent = (int)count - 7;
        while (count > 1 && digits[count - 1] == '0')
            count--;
    } else {
        exponent = shortest(value, digits, &count);
    }
    write_digits(out, digits, count, exponent);
}
