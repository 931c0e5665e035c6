#include "timeline.h"

#include <stdio.h>

static struct moment *add_moment(struct timeline *timeline, uint64_t us)
{
    struct moment *moment;

    timeline->moments = (struct moment *)realloc(timeline->moments,
                                                 (timeline->count + 1) * sizeof *timeline->moments);
    ck_assert_ptr_nonnull(timeline->moments);
    moment = &timeline->moments[timeline->count];
    memset(moment, 0, sizeof *moment);
    moment->us = us;
    moment->number = timeline->count++;
    return moment;
}

static void add_line(struct timeline *timeline, size_t client, const leat_value *line)
{
    uint64_t us = (uint64_t)(leat_value_f64(leat_value_get(line, "t")) * 1e6 + 0.5);
    struct moment *moment = add_moment(timeline, us);
    char *hex = text_of(line, "hex");

    moment->client = client;
    moment->by_client = has_text(line, "dir", "a>b");
    if (hex != NULL)
        moment->octets = t_hex(hex);
    else if (has_text(line, "event", "open"))
        moment->what = OPENED;
    else if (has_text(line, "event", "closed"))
        moment->what = CLOSED;
    else
        moment->what = ENDED;
    free(hex);
}

/* The value that answered the key of the request. */
static void find_accept(const char *path, char accept[29])
{
    static const char field[] = "Sec-WebSocket-Accept: ";
    struct t_bytes said = t_capture(path, "b>a", 0);
    size_t at, length = strlen(field);

    for (at = 0; at + length + 28 < said.length && memcmp(said.data + at, field, length) != 0; at++)
        ;
    ck_assert_uint_lt(at + length + 28, said.length);
    memcpy(accept, said.data + at + length, 28);
    accept[28] = '\0';
    t_free(said);
}

static void add_websocket(struct timeline *timeline, const char *name)
{
    size_t client = timeline->clients++;
    struct lines lines;
    char path[128];

    ck_assert_uint_lt(client, CLIENTS);
    (void)snprintf(path, sizeof path, "%s/%s", WEBSOCKETS, name);
    (void)snprintf(timeline->names[client], sizeof timeline->names[client], "%.*s",
                   (int)(strlen(name) - strlen(".jsonl")), name);
    find_accept(path, timeline->accepts[client]);
    lines_open(&lines, path);
    while (lines_next(&lines))
        add_line(timeline, client, lines.line);
}

static int in_order(const void *left, const void *right)
{
    const struct moment *a = (const struct moment *)left, *b = (const struct moment *)right;

    if (a->us != b->us)
        return a->us < b->us ? -1 : 1;
    return a->number < b->number ? -1 : 1;
}

void timeline_open(struct timeline *timeline, const char *const *names, size_t files,
                   const char *websockets)
{
    char **all = t_names(WEBSOCKETS, ".jsonl"), **name;
    size_t i;

    memset(timeline, 0, sizeof *timeline);
    recording_open(&timeline->recording, PEERINGS, names, files);
    for (i = 0; i < timeline->recording.count; i++) {
        const struct step *step = &timeline->recording.steps[i];

        add_moment(timeline, step->us)->step = step;
    }
    for (name = all; *name != NULL; name++) {
        if (websockets != NULL && strncmp(*name, websockets, strlen(websockets)) == 0)
            add_websocket(timeline, *name);
    }
    t_names_free(all);
    qsort(timeline->moments, timeline->count, sizeof *timeline->moments, in_order);
}

void timeline_close(struct timeline *timeline)
{
    size_t i;

    for (i = 0; i < timeline->count; i++)
        t_free(timeline->moments[i].octets);
    free(timeline->moments);
    recording_close(&timeline->recording);
}
