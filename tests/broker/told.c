#include "told.h"

#include <leat/broker.h>
#include <stdio.h>

static void text_id(char text[40], const uint8_t id[16])
{
    char *hex = t_to_hex(id, 16);

    (void)snprintf(text, 40, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
                   hex + 20);
    free(hex);
}

static struct status *next_status(struct statuses *statuses)
{
    ck_assert_uint_lt(statuses->count, sizeof statuses->list / sizeof *statuses->list);
    return memset(&statuses->list[statuses->count++], 0, sizeof *statuses->list);
}

void copy_text(char *to, size_t size, const leat_value *value)
{
    size_t length;
    const char *text = leat_value_text(value, &length);

    (void)snprintf(to, size, "%.*s", (int)length, text);
}

void statuses_note(struct statuses *statuses, const leat_event *event)
{
    struct status *status = next_status(statuses);
    const leat_value *value = leat_event_value(event);
    const leat_value *endpoint = leat_value_get(value, "endpoint");
    const uint8_t *id = leat_value_bytes(leat_value_get(endpoint, "id"), NULL);

    (void)snprintf(status->kind, sizeof status->kind, "%s", leat_event_name(event, NULL));
    if (leat_event_kind(event) == LEAT_BROKER_ERROR)
        copy_text(status->kind, sizeof status->kind, leat_value_get(value, "name"));
    if (id != NULL)
        text_id(status->id, id);
    status->port =
        leat_value_port(leat_value_get(leat_value_get(endpoint, "network"), "bound_port"));
    status->retry_s =
        status->port == 0 ? -1 : (long)leat_value_u64(leat_value_get(endpoint, "retry_s"));
    copy_text(status->msg, sizeof status->msg, leat_value_get(value, "msg"));
}

/* A line of README.md that tells of the node: "0.3 a STATUS <$>/local/data/statuses (status, ...". */
static void view_broker_line(struct view *view, const char *line)
{
    struct status *status;
    char kind[24], id[40], port[16], retry[16], msg[80], topic[64];
    const char *at = strstr(line, "/local/data/statuses (status, ");

    if (sscanf(line, " %*s %*c RECV data(%63[^,]", topic) == 1) {
        /* Two subscribers of one endpoint have /late/x twice; its own statuses are no messages. */
        ck_assert_uint_lt(view->topic_count, sizeof view->topics / sizeof *view->topics);
        if (strncmp(topic, "<$>", 3) != 0 &&
            (view->topic_count == 0 || strcmp(view->topics[view->topic_count - 1], topic) != 0 ||
             strcmp(topic, "/late/x") != 0))
            (void)snprintf(view->topics[view->topic_count++], 64, "%s", topic);
        return;
    }
    if (strstr(line, " STATUS ") == NULL)
        return;
    if (at == NULL)
        at = strstr(line, "/local/data/errors (error, ");
    if (at == NULL ||
        sscanf(strchr(at, ',') + 1, " %23[a-z_], %*[(]%39[^,], %*[^,], %15[^,], %15[^)]), %79[^)]",
               kind, id, port, retry, msg) != 5)
        return;
    status = next_status(&view->statuses);
    memcpy(status->kind, kind, sizeof kind);
    memcpy(status->id, id, sizeof id);
    memcpy(status->msg, msg, sizeof msg);
    if (strcmp(id, "nil") == 0)
        status->id[0] = '\0';
    status->port = (unsigned)strtoul(port, NULL, 10);
    status->retry_s = status->port == 0 ? -1 : strtol(retry, NULL, 10);
}

/* The next line of a text, cut off at its end; NULL: there is none. */
static char *next_line(char **text)
{
    char *line = *text, *end;

    if (line == NULL || *line == '\0')
        return NULL;
    end = strchr(line, '\n');
    if (end != NULL)
        *end = '\0';
    *text = end == NULL ? NULL : end + 1;
    return line;
}

static char *text_file(const char *folder, const char *name, const char *ending)
{
    struct t_bytes file;
    char path[128];

    (void)snprintf(path, sizeof path, "%s/%s%s", folder, name, ending);
    file = t_file(path);
    t_append(&file, "", 1);
    return (char *)file.data;
}

void view_broker(struct view *view, const struct recording *recording, char node)
{
    char *text = text_file(recording->folder, "README", ".md"), *rest = text, *line, head[128];
    bool here = false;

    memset(view, 0, sizeof *view);
    (void)snprintf(head, sizeof head, "## %s.jsonl", recording->names[0]);
    while ((line = next_line(&rest)) != NULL) {
        char of;

        if (strncmp(line, "## ", 3) == 0)
            here = strcmp(line, head) == 0;
        if (here && sscanf(line, " %*f %c ", &of) == 1 && of == node) {
            view->listed = true;
            view_broker_line(view, line);
        }
    }
    free(text);
}

/* The id that a listing calls A, B, A2, ...: the connectors and the listener of the first file. */
static void resolve(const struct recording *recording, const char *alias, char id[40])
{
    size_t side = alias[0] == 'B', wanted = alias[1] == '\0' ? 1 : strtoul(alias + 1, NULL, 10);
    char seen[8][40];
    size_t conn, count = 0, i;

    (void)snprintf(id, 40, "%s", alias);
    if (strlen(alias) > 2)
        return;
    for (conn = 0; conn < IN_FILE; conn++) {
        const struct ends *ends = &recording->ends[conn];

        if (!ends->opened || !ends->known[side])
            continue;
        text_id(seen[count], ends->id[side]);
        for (i = 0; strcmp(seen[i], seen[count]) != 0; i++)
            ;
        if (i < count)
            continue;
        if (++count == wanted)
            memcpy(id, seen[count - 1], 40);
    }
}

/* "1.794 peer Broker::PEERED outbound=T network=127.0.0.1", or "3.596 no peers". */
static bool view_snapshot(struct view *view, const char *line)
{
    struct snapshot *snapshot = &view->snapshots[view->snapshot_count];
    bool none = strstr(line, " no peers") != NULL;
    double at = 0;
    char outbound;

    if (sscanf(line, " %lf peer Broker::PEERED outbound=%c network=127.0.0.1", &at, &outbound) !=
            2 &&
        !none)
        return false;
    ck_assert_uint_lt(view->snapshot_count, sizeof view->snapshots / sizeof *view->snapshots);
    view->snapshot_count++;
    snapshot->us = (uint64_t)(at * 1e6 + 0.5);
    snapshot->count = !none;
    snapshot->outbound = !none && outbound == 'T';
    return true;
}

static void view_zeek_line(struct view *view, const struct recording *recording, const char *line)
{
    char kind[24], id[40], msg[80], *at;
    unsigned port;
    struct status *status;

    if (view_snapshot(view, line))
        return;
    view->exits |= strstr(line, " > exit") != NULL;
    view->once |= strstr(line, " > peer-once ") != NULL;
    if (sscanf(line, " %*f Broker::error Broker::%23[A-Z_] \"(%*[^,], *127.0.0.1:%u, \"%79[^\"]\"",
               kind, &port, msg) == 3) {
        for (at = kind; *at != '\0'; at++)
            *at = *at == '_' ? '_' : (char)(*at + ('a' - 'A'));
        id[0] = '\0';
    } else if (sscanf(line, " %*f Broker::%23[a-z_] %39s %*s %u/tcp \"%79[^\"]\"", kind, id, &port,
                      msg) != 4) {
        return;
    }
    status = next_status(&view->statuses);
    memcpy(status->kind, kind, sizeof kind);
    memcpy(status->msg, msg, sizeof msg);
    if (id[0] != '\0')
        resolve(recording, id, status->id);
    status->port = port;
    status->retry_s = -1;
}

static bool has_listing(const struct recording *recording)
{
    char path[128];

    (void)snprintf(path, sizeof path, "%s/%s.txt", recording->folder, recording->names[0]);
    return t_file_exists(path);
}

void view_zeek(struct view *view, const struct recording *recording, const uint8_t *id)
{
    char *text, *rest, *line, own[40], alias[40], printed[40];
    bool here = false;

    memset(view, 0, sizeof *view);
    if (!has_listing(recording))
        return;
    text = rest = text_file(recording->folder, recording->names[0], ".txt");
    text_id(own, id);
    while ((line = next_line(&rest)) != NULL) {
        if (strncmp(line, "## ", 3) == 0)
            here = false;
        if (sscanf(line, " %*f %*s is endpoint %39s", alias) == 1) {
            resolve(recording, alias, printed);
            here = strcmp(printed, own) == 0;
            view->listed |= here;
        }
        if (here)
            view_zeek_line(view, recording, line);
    }
    free(text);
}

void view_zeek_alone(struct view *view, const char *folder, const char *name)
{
    const struct recording none = {.folder = folder};
    char *text = text_file(folder, name, ".txt"), *rest = text, *line;

    memset(view, 0, sizeof *view);
    while ((line = next_line(&rest)) != NULL)
        view_zeek_line(view, &none, line);
    free(text);
}

struct status *statuses_next(struct statuses *statuses, const char *id, unsigned port)
{
    size_t i = 0;

    while (i < statuses->count &&
           (statuses->list[i].used || strcmp(statuses->list[i].id, id) != 0 ||
            (id[0] == '\0' && port != 0 && statuses->list[i].port != port)))
        i++;
    if (i == statuses->count)
        return NULL;
    statuses->list[i].used = true;
    return &statuses->list[i];
}
