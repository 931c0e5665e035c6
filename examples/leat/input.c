/* Files, read in chunks or in lines of any length; hex digits. */
#define _POSIX_C_SOURCE 200809L

#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool input_open(struct input *input, const char *path)
{
    struct stat about;

    memset(input, 0, sizeof *input);
    if (path == NULL || strcmp(path, "-") == 0) {
        input->descriptor = STDIN_FILENO;
        input->name = "standard input";
    } else {
        input->descriptor = open(path, O_RDONLY);
        input->name = path;
    }
    if (input->descriptor < 0) {
        complain("%s: %s", input->name, strerror(errno));
        return false;
    }
    input->live = fstat(input->descriptor, &about) != 0 || !S_ISREG(about.st_mode);
    return true;
}

void input_close(struct input *input)
{
    free(input->buffer);
    if (input->descriptor != STDIN_FILENO)
        (void)close(input->descriptor);
}

size_t input_read(struct input *input, void *space, size_t size)
{
    ssize_t count;

    if (input->live)
        output_flush();
    do
        count = read(input->descriptor, space, size);
    while (count < 0 && errno == EINTR);
    if (count < 0) {
        complain("%s: %s", input->name, strerror(errno));
        exit(EXIT_USAGE);
    }
    return (size_t)count;
}

/* Makes room for another chunk behind what is buffered. */
static void make_room(struct input *input)
{
    size_t size = input->size;
    char *buffer;

    if (input->start > 0) {
        memmove(input->buffer, input->buffer + input->start, input->end - input->start);
        input->end -= input->start;
        input->start = 0;
    }
    if (size - input->end >= CHUNK_BYTES)
        return;
    size = size == 0 ? 2 * CHUNK_BYTES : 2 * size;
    buffer = size > input->size ? realloc(input->buffer, size) : NULL;
    if (buffer == NULL)
        need_memory(LEAT_E_NOMEM);
    input->buffer = buffer;
    input->size = size;
}

bool input_pull(struct input *input)
{
    size_t count;

    make_room(input);
    count = input_read(input, input->buffer + input->end, CHUNK_BYTES);
    input->ended = count == 0;
    input->end += count;
    return !input->ended;
}

bool input_whole_line(struct input *input, const char **line, size_t *length)
{
    size_t there = input->end - input->start;
    const char *newline = NULL;

    if (there > input->searched)
        newline =
            memchr(input->buffer + input->start + input->searched, '\n', there - input->searched);
    input->searched = there;
    if (newline == NULL && !(input->ended && there > 0))
        return false;
    input->searched = 0;
    *line = input->buffer + input->start;
    *length = newline != NULL ? (size_t)(newline - *line) : there;
    input->start += *length + (newline != NULL ? 1 : 0);
    if (*length > 0 && (*line)[*length - 1] == '\r')
        --*length;
    return true;
}

bool input_line(struct input *input, const char **line, size_t *length)
{
    while (!input_whole_line(input, line, length)) {
        if (input->ended)
            return false;
        (void)input_pull(input);
    }
    return true;
}

char *input_whole(struct input *input, size_t limit, size_t *length)
{
    char *whole;

    while (input_pull(input)) {
        if (input->end > limit) {
            complain("%s: too long", input->name);
            exit(EXIT_USAGE);
        }
    }
    *length = input->end;
    whole = input->buffer;
    whole[input->end] = '\0'; /* where the last, empty read had room */
    input->buffer = NULL;
    return whole;
}

char *input_file(const char *path, size_t limit, size_t *length)
{
    struct input input;
    char *whole;

    if (!input_open(&input, path))
        return NULL;
    whole = input_whole(&input, limit, length);
    input_close(&input);
    return whole;
}

/* The value of a hex digit; -1 for white space, -2 for anything else. */
static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c == ' ' || (c >= '\t' && c <= '\r'))
        return -1;
    return -2;
}

size_t hex_read(struct hex_reader *hex, const char *text, size_t length, uint8_t *octets,
                bool *sound)
{
    size_t stored = 0;
    size_t i;

    *sound = true;
    for (i = 0; i < length; i++, hex->at++) {
        int digit = hex_digit(text[i]);

        if (digit == -2) {
            *sound = false;
            break;
        }
        if (digit == -1)
            continue;
        if (hex->high < 0) {
            hex->high = digit;
        } else {
            octets[stored++] = (uint8_t)(hex->high << 4 | digit);
            hex->high = -1;
        }
    }
    return stored;
}
