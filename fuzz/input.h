/* What remains of the input of a harness that plays scripts. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>

struct input {
    const uint8_t *at;
    size_t left;
};

static inline unsigned take(struct input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->at++;
}

static inline size_t take_length(struct input *input)
{
    size_t length = take(input);

    length = length << 4 | take(input) % 16u;
    return length < input->left ? length : input->left;
}

#endif
