#include "recorded.h"

#include <stdio.h>

static bool is_handshake(const struct t_bytes *frame, uint8_t first, uint8_t last)
{
    return frame->length >= 4 + 1 + 4 + 16 && frame->data[4] >= first && frame->data[4] <= last &&
           memcmp(frame->data + 5, "ZEEK", 4) == 0;
}

static struct step *add_step(struct recording *recording, uint64_t us, size_t conn, enum what what,
                             bool by_a)
{
    struct step *step;

    recording->steps =
        (struct step *)realloc(recording->steps, (recording->count + 1) * sizeof *recording->steps);
    ck_assert_ptr_nonnull(recording->steps);
    step = &recording->steps[recording->count];
    memset(step, 0, sizeof *step);
    step->us = us;
    step->number = recording->count++;
    step->conn = conn;
    step->what = what;
    step->by_a = by_a;
    return step;
}

static void add_octets(struct recording *recording, uint64_t us, size_t conn, bool by_a,
                       const char *hex)
{
    struct t_bytes *partial = &recording->partial[conn][!by_a], octets = t_hex(hex);
    struct ends *ends = &recording->ends[conn];

    t_append(partial, octets.data, octets.length);
    t_free(octets);
    while (partial->length >= 4) {
        size_t length = 4 + ((size_t)partial->data[0] << 24 | (size_t)partial->data[1] << 16 |
                             (size_t)partial->data[2] << 8 | partial->data[3]);
        struct step *step;

        if (partial->length < length)
            break;
        step = add_step(recording, us, conn, FRAME, by_a);
        step->frame = t_copy(partial->data, length);
        memmove(partial->data, partial->data + length, partial->length - length);
        partial->length -= length;
        /* hello, version_select and drop_conn tell who it is. */
        if (is_handshake(&step->frame, 6, 9)) {
            memcpy(ends->id[!by_a], step->frame.data + 9, 16);
            ends->known[!by_a] = true;
        }
    }
}

static void read_line(struct recording *recording, size_t file, const leat_value *line)
{
    uint64_t us = (uint64_t)(leat_value_f64(leat_value_get(line, "t")) * 1e6 + 0.5);
    size_t conn = file * IN_FILE + (size_t)leat_value_u64(leat_value_get(line, "conn"));
    bool by_a = has_text(line, "dir", "a>b");
    char *hex = text_of(line, "hex");

    ck_assert_uint_lt(conn, CONNS);
    if (hex != NULL) {
        add_octets(recording, us, conn, by_a, hex);
    } else if (has_text(line, "event", "open")) {
        recording->ends[conn].opened = true;
        recording->ends[conn].opened_us = us;
        (void)add_step(recording, us, conn, OPENED, true);
    } else if (has_text(line, "event", "connect-failed")) {
        (void)add_step(recording, us, conn, FAILED, true);
    } else if (has_text(line, "event", "closed")) {
        recording->ends[conn].closed_us = us;
        (void)add_step(recording, us, conn, CLOSED, true);
    } else {
        ck_assert(has_text(line, "event", "eof") || has_text(line, "event", "error"));
        (void)add_step(recording, us, conn, ENDED, by_a);
    }
    free(hex);
}

static int in_order(const void *left, const void *right)
{
    const struct step *a = (const struct step *)left, *b = (const struct step *)right;

    if (a->us != b->us)
        return a->us < b->us ? -1 : 1;
    return a->number < b->number ? -1 : 1;
}

/*
 * Who tried in vain: one that has just lost its peering, or is there a second later, or the last one that
 * is known. claimed: it was found so before.
 */
static size_t find_failed(struct recording *recording, const struct step *step)
{
    size_t first = step->conn / IN_FILE * IN_FILE, conn;
    struct ends *ends = recording->ends;

    for (conn = first; conn < first + IN_FILE; conn++) {
        if (ends[conn].known[0] && !ends[conn].claimed && ends[conn].closed_us <= step->us &&
            ends[conn].closed_us + 20000 > step->us)
            return conn;
    }
    for (conn = first; conn < first + IN_FILE; conn++) {
        if (ends[conn].known[0] && !ends[conn].claimed &&
            ends[conn].opened_us >= step->us + 1000000 && ends[conn].opened_us < step->us + 1100000)
            return conn;
    }
    for (conn = first + IN_FILE - 1; !ends[conn].known[0]; conn--)
        ck_assert_uint_gt(conn, first);
    return conn;
}

static void name_failed(struct recording *recording)
{
    size_t i, conn;

    for (i = 0; i < recording->count; i++) {
        const struct step *step = &recording->steps[i];

        if (step->what != FAILED)
            continue;
        conn = find_failed(recording, step);
        recording->ends[conn].claimed = true;
        recording->ends[step->conn].known[0] = true;
        memcpy(recording->ends[step->conn].id[0], recording->ends[conn].id[0], 16);
    }
}

void recording_open(struct recording *recording, const char *folder, const char *const *names,
                    size_t files)
{
    struct lines lines;
    char path[128];
    size_t i;

    memset(recording, 0, sizeof *recording);
    recording->folder = folder;
    recording->files = files;
    for (i = 0; i < files; i++) {
        recording->names[i] = names[i];
        (void)snprintf(path, sizeof path, "%s/%s.jsonl", folder, names[i]);
        lines_open(&lines, path);
        while (lines_next(&lines))
            read_line(recording, i, lines.line);
    }
    qsort(recording->steps, recording->count, sizeof *recording->steps, in_order);
    name_failed(recording);
}

void recording_close(struct recording *recording)
{
    size_t i;

    for (i = 0; i < recording->count; i++)
        t_free(recording->steps[i].frame);
    for (i = 0; i < CONNS; i++) {
        ck_assert_uint_eq(recording->partial[i][0].length + recording->partial[i][1].length, 0);
        t_free(recording->partial[i][0]);
        t_free(recording->partial[i][1]);
    }
    free(recording->steps);
}
