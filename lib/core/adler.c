#include "adler.h"

#include <stdbool.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define BASE 65521u

/* As many octets as 32 bits hold the sums of, and a multiple of 16. */
#define RUN_MAX ((size_t)5552)

#if defined(__SSE2__)

static uint32_t sum_of_words(__m128i words)
{
    words = _mm_add_epi32(words, _mm_shuffle_epi32(words, _MM_SHUFFLE(1, 0, 3, 2)));
    words = _mm_add_epi32(words, _mm_shuffle_epi32(words, _MM_SHUFFLE(2, 3, 0, 1)));
    return (uint32_t)_mm_cvtsi128_si32(words);
}

/*
 * Sixteen octets at a time: b grows by sixteen times the a before them, and by each of them as
 * often as it will be counted in a by the end of the sixteen.
 */
static void add_run(uint32_t *a, uint32_t *b, const uint8_t *octets, size_t count)
{
    const __m128i zero = _mm_setzero_si128();
    const __m128i first = _mm_set_epi16(9, 10, 11, 12, 13, 14, 15, 16);
    const __m128i second = _mm_set_epi16(1, 2, 3, 4, 5, 6, 7, 8);
    __m128i sum = zero, sums_before = zero, weighted = zero;
    size_t i;

    for (i = 0; i + 16 <= count; i += 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(const void *)(octets + i));

        sums_before = _mm_add_epi32(sums_before, sum);
        sum = _mm_add_epi32(sum, _mm_sad_epu8(block, zero));
        weighted = _mm_add_epi32(weighted, _mm_madd_epi16(_mm_unpacklo_epi8(block, zero), first));
        weighted = _mm_add_epi32(weighted, _mm_madd_epi16(_mm_unpackhi_epi8(block, zero), second));
    }
    *b += *a * (uint32_t)i + 16 * sum_of_words(sums_before) + sum_of_words(weighted);
    *a += sum_of_words(sum);
    for (; i < count; i++) {
        *a += octets[i];
        *b += *a;
    }
}

#else

static void add_run(uint32_t *a, uint32_t *b, const uint8_t *octets, size_t count)
{
    for (; count > 0; count--) {
        *a += *octets++;
        *b += *a;
    }
}

#endif

uint32_t lt_adler32(uint32_t sum, const uint8_t *octets, size_t count)
{
    uint32_t a = sum & 0xffff;
    uint32_t b = sum >> 16;

    while (count > 0) {
        size_t run = count < RUN_MAX ? count : RUN_MAX;

        add_run(&a, &b, octets, run);
        a %= BASE;
        b %= BASE;
        octets += run;
        count -= run;
    }
    return b << 16 | a;
}
