/*
 * Every recorded exchange, played again from either side: our side gets what the recorded peer said,
 * says what it said itself, and must do so in the recorded form; then both sides are ours.
 *
 * Some peers were test programs, and some of what they said our sessions do not say, or say in
 * another form: a list at the end tells each difference, and why it is one.
 */
#include "live.h"

#include <stdio.h>

#define MESSAGES 4

struct message {
    bool asks; /* said by who connected */
    uint32_t from;
    struct t_bytes octets; /* the frame, as recorded */
    struct taken taken;    /* and taken apart; no text if it is no frame */
    bool framed;
    char name[40];
    leat_builder *value; /* for leat_send(); NULL if it cannot be composed */
};

struct recording {
    const char *path;
    char version[20];
    uint32_t roles[2]; /* of who connected, of who was connected to */
    struct message messages[MESSAGES];
    size_t count;
};

/* ---- loading ---- */

static uint32_t speaker(const char *direction)
{
    return strncmp(direction, "server>", 7) == 0  ? LEAT_FROM_SERVER
           : strncmp(direction, "proxy>", 6) == 0 ? LEAT_FROM_PROXY
           : strncmp(direction, "agent>", 6) == 0 ? LEAT_FROM_AGENT
                                                  : LEAT_FROM_SENDER;
}

/* What its last event is called, and its value if that is all of it. */
static void name_message(struct message *message)
{
    leat_session *session = make_codec(NULL, &message->from);
    const leat_event *event;

    ck_assert_int_eq(leat_feed(session, message->octets.data, message->octets.length), LEAT_OK);
    do
        MUST(leat_next(session, &event) == LEAT_OK, "no message");
    while (leat_event_kind(event) == LEAT_ZABBIX_ROW);
    (void)snprintf(message->name, sizeof message->name, "%s", leat_event_name(event, NULL));
    ck_assert_int_eq(leat_builder_new(NULL, &message->value), LEAT_OK);
    if (leat_event_kind(event) == LEAT_ZABBIX_PLAIN ||
        leat_event_kind(event) == LEAT_ZABBIX_UNFRAMED) {
        ck_assert_int_eq(leat_builder_copy(message->value, NULL, leat_event_value(event)), LEAT_OK);
    } else if (leat_builder_json(message->value, NULL, (const char *)message->taken.text.data,
                                 message->taken.text.length) != LEAT_OK) {
        leat_builder_free(message->value);
        message->value = NULL;
    }
    leat_session_free(session);
}

static void load_message(struct recording *recording, const char *direction, const uint8_t **at,
                         const uint8_t *end)
{
    struct message *message = &recording->messages[recording->count];
    const uint8_t *start = *at;

    ck_assert_uint_lt(recording->count, MESSAGES);
    message->from = speaker(direction);
    message->asks = recording->count == 0 || message->from == recording->messages[0].from;
    message->framed = end - *at >= 4 && memcmp(*at, "ZBXD", 4) == 0;
    if (message->framed)
        message->taken = take_frame(at, end);
    else
        *at = end;
    message->octets = t_copy(start, (size_t)(*at - start));
    name_message(message);
    recording->count++;
}

static const struct {
    const char *connects; /* who speaks first, and to whom */
    uint32_t roles[2];
} pairs[] = {
    {"proxy>server", {LEAT_ZABBIX_AS_PROXY, LEAT_ZABBIX_AS_SERVER}},
    {"server>proxy", {LEAT_ZABBIX_AS_SERVER, LEAT_ZABBIX_AS_PASSIVE_PROXY}},
    {"agent>proxy", {LEAT_ZABBIX_AS_AGENT, LEAT_ZABBIX_AS_PROXY}},
    {"proxy>agent", {LEAT_ZABBIX_AS_PROXY, LEAT_ZABBIX_AS_AGENT}},
    {"sender>proxy", {LEAT_ZABBIX_AS_SENDER, LEAT_ZABBIX_AS_PROXY}},
};

static void load_roles(struct recording *recording, const char *direction)
{
    size_t i = 0;

    while (strcmp(pairs[i].connects, direction) != 0)
        ck_assert_uint_lt(++i, sizeof pairs / sizeof *pairs);
    memcpy(recording->roles, pairs[i].roles, sizeof recording->roles);
    /* Its name says that this one is active. */
    if (strstr(recording->path, "active-proxy-gets-config") != NULL)
        recording->roles[1] = LEAT_ZABBIX_AS_PROXY;
}

/* Takes the messages in the order of the notes. */
static void load_messages(struct recording *recording, const leat_value *notes)
{
    char file[200], first[20] = "", direction[20];
    struct t_bytes streams[2];
    const uint8_t *at[2] = {NULL, NULL};
    const leat_value *note;

    (void)snprintf(file, sizeof file, "zabbix/%s.jsonl", recording->path);
    for (note = leat_value_first(notes); note != NULL; note = leat_value_next(notes, note)) {
        size_t length;
        const char *text = leat_value_text(leat_value_get(note, "dir"), &length);
        bool other;

        if (leat_value_get(note, "event") != NULL)
            continue;
        (void)snprintf(direction, sizeof direction, "%.*s", (int)length, text);
        if (*first == '\0') {
            (void)snprintf(first, sizeof first, "%s", direction);
            load_roles(recording, direction);
        }
        other = strcmp(direction, first) != 0;
        if (at[other] == NULL) {
            streams[other] = t_capture(file, direction, 0);
            at[other] = streams[other].data;
        }
        load_message(recording, direction, &at[other], streams[other].data + streams[other].length);
    }
    t_free(streams[0]);
    if (at[1] != NULL)
        t_free(streams[1]);
}

static void load(struct recording *recording, const char *path)
{
    char file[200];
    struct t_bytes text;
    leat_builder *notes;

    memset(recording, 0, sizeof *recording);
    recording->path = path;
    (void)snprintf(recording->version, sizeof recording->version, "%.*s", (int)strcspn(path, "/"),
                   path);
    (void)snprintf(file, sizeof file, "zabbix/%s.json", path);
    text = t_file(file);
    notes = t_json((const char *)text.data, text.length);
    load_messages(recording, leat_builder_value(notes));
    leat_builder_free(notes);
    t_free(text);
}

static void unload(struct recording *recording)
{
    size_t i;

    for (i = 0; i < recording->count; i++) {
        t_free(recording->messages[i].octets);
        t_free(recording->messages[i].taken.text);
        leat_builder_free(recording->messages[i].value);
    }
}

/* ---- playing ---- */

/* One side, and what it did otherwise than recorded, with a ; behind each. */
struct side {
    const struct recording *recording;
    bool asks;
    leat_session *session;
    struct t_bytes differences;
    size_t cut;
    bool any_form; /* compression is not compared */
    bool stuck;    /* the rest was not played */
};

static void differ(struct side *side, size_t message, const char *how, const char *detail)
{
    char text[300];

    (void)snprintf(text, sizeof text, "%zu %s%s%s; ", message, how, *detail == '\0' ? "" : " ",
                   detail);
    t_append(&side->differences, text, strlen(text));
}

static uint32_t exchange_of(const struct recording *recording)
{
    const char *name = recording->messages[0].name;

    if (recording->roles[1] == LEAT_ZABBIX_AS_AGENT)
        return LEAT_ZABBIX_PASSIVE_CHECKS;
    if (strcmp(name, "plain") == 0)
        return LEAT_ZABBIX_PROXY_DATA;
    return live_kind(name);
}

/* Before 6.4 a server compresses as it remembers of the proxy: its first message shows it. */
static bool server_compresses(const struct recording *recording)
{
    size_t i;

    for (i = 0; i < recording->count; i++) {
        if (recording->messages[i].from == LEAT_FROM_SERVER)
            return recording->messages[i].taken.flags == 3;
    }
    return true;
}

static struct side start(const struct recording *recording, bool asks, size_t cut)
{
    struct side side = {.recording = recording, .asks = asks, .cut = cut};
    leat_zabbix_exchange_options options;

    leat_zabbix_exchange_options_init(&options, sizeof options);
    options.version = recording->version;
    options.role = recording->roles[asks ? 0 : 1];
    options.connects = asks;
    options.exchange = asks ? exchange_of(recording) : 0;
    options.compress = server_compresses(recording);
    side.differences = t_copy("", 0);
    if (leat_zabbix_exchange_new(NULL, &options, &side.session) != LEAT_OK) {
        differ(&side, 0, "cannot be asked", "");
        side.session = NULL;
        side.stuck = true;
    }
    return side;
}

static const char *code_name(int code)
{
    return leat_status_name(code) + strlen("LEAT_");
}

/* A refusal has nothing but a reason, and of a passive proxy its version. */
static bool is_refusal(const struct message *message, const leat_value **info)
{
    const leat_value *value = leat_builder_value(message->value), *member;
    size_t length;
    const char *text = leat_value_text(leat_value_get(value, "response"), &length);

    *info = leat_value_get(value, "info");
    if (message->asks || length != 6 || memcmp(text, "failed", 6) != 0)
        return false;
    for (member = leat_value_first(value); member != NULL;
         member = leat_value_next(value, member)) {
        const char *name = leat_value_name(member, &length);

        if ((length != 8 || memcmp(name, "response", 8) != 0) && member != *info &&
            (length != 7 || memcmp(name, "version", 7) != 0))
            return false;
    }
    return true;
}

/* leat_zabbix_refuse() says refusals, leat_send() all else. */
static int say(struct side *side, const struct message *message)
{
    const leat_value *info;
    size_t length;
    const char *text;
    char reason[300];

    if (!is_refusal(message, &info))
        return leat_send(side->session, message->name, leat_builder_value(message->value));
    text = leat_value_text(info, &length);
    (void)snprintf(reason, sizeof reason, "%.*s", (int)length, text);
    return leat_zabbix_refuse(side->session, info == NULL ? NULL : reason);
}

static size_t waiting(const leat_session *session)
{
    size_t length;

    (void)leat_send_data(session, &length);
    return length;
}

static void compare(struct side *side, size_t i, const struct t_bytes *said)
{
    const struct message *message = &side->recording->messages[i];
    const uint8_t *at = said->data;
    struct taken taken;
    char flags[40];

    if (!message->framed || said->length < 13) {
        if (said->length != message->octets.length ||
            memcmp(said->data, message->octets.data, said->length) != 0)
            differ(side, i, "other octets", (const char *)said->data);
        return;
    }
    taken = take_frame(&at, said->data + said->length);
    if (at != said->data + said->length)
        differ(side, i, "more messages", "");
    if (!side->any_form && taken.flags != message->taken.flags) {
        (void)snprintf(flags, sizeof flags, "%u not %u", (unsigned)taken.flags,
                       (unsigned)message->taken.flags);
        differ(side, i, "flags", flags);
    }
    if (taken.text.length != message->taken.text.length ||
        memcmp(taken.text.data, message->taken.text.data, taken.text.length) != 0)
        differ(side, i, "other text", (const char *)taken.text.data);
    t_free(taken.text);
}

/* Our turn; what the session said unasked counts. The octets, which the caller frees. */
static struct t_bytes speak(struct side *side, size_t i)
{
    const struct message *message = &side->recording->messages[i];
    struct t_bytes said = {NULL, 0};
    int status = LEAT_OK;

    if (waiting(side->session) == 0) {
        if (message->value == NULL) {
            differ(side, i, "cannot be composed", "");
            side->stuck = true;
            return said;
        }
        status = say(side, message);
    }
    if (status != LEAT_OK) {
        const char *field = leat_error_field(leat_session_send_error(side->session));

        differ(side, i, code_name(status), field);
        side->stuck = true;
        return said;
    }
    said = live_take(side->session);
    compare(side, i, &said);
    return said;
}

/* Draws all events of a message. */
static int draw(struct side *side, size_t i, bool *told)
{
    const leat_event *event;
    int status;

    while ((status = leat_next(side->session, &event)) == LEAT_OK) {
        const leat_error *error = leat_event_error(event);

        if (error != NULL) {
            char text[100];

            (void)snprintf(text, sizeof text, "%s/%s", code_name(leat_error_code(error)),
                           leat_error_field(error));
            differ(side, i, "told with", text);
        }
        if (leat_event_kind(event) == LEAT_ZABBIX_ROW)
            continue;
        if (error == NULL &&
            strcmp(leat_event_name(event, NULL), side->recording->messages[i].name) != 0)
            differ(side, i, "told as", leat_event_name(event, NULL));
        *told = true;
    }
    return status;
}

static void listen(struct side *side, size_t i, const uint8_t *data, size_t length)
{
    bool told = false;
    int status = LEAT_MORE;

    while (length > 0 && status == LEAT_MORE) {
        size_t piece = side->cut == 0 || side->cut > length ? length : side->cut;

        if (leat_feed(side->session, data, piece) != LEAT_OK)
            break;
        data += piece;
        length -= piece;
        status = draw(side, i, &told);
    }
    if (!told)
        differ(side, i, "not told", "");
}

/* Whoever closes first, the exchange is over now; a request may have been refused without a word. */
static void finish(struct side *side)
{
    const struct recording *recording = side->recording;
    const leat_event *event;
    int status = leat_next(side->session, &event);

    if (status == LEAT_MORE && !side->asks && recording->count == 1 &&
        leat_zabbix_refuse(side->session, NULL) == LEAT_OK)
        status = leat_next(side->session, &event);
    if (waiting(side->session) > 0) {
        struct t_bytes said = live_take(side->session);

        differ(side, recording->count, "also says",
               (const char *)said.data + (said.length > 13 ? 13 : 0));
        t_free(said);
    }
    if (status == LEAT_MORE) {
        ck_assert_int_eq(leat_recv_eof(side->session), LEAT_OK);
        status = leat_next(side->session, &event);
    }
    if (status != LEAT_END)
        differ(side, recording->count, "ends", code_name(status));
    else
        ck_assert_uint_eq(leat_wants(side->session), LEAT_WANT_CLOSE);
}

static void play_side(struct side *side)
{
    const struct recording *recording = side->recording;
    size_t i;

    for (i = 0; i < recording->count && !side->stuck; i++) {
        const struct message *message = &recording->messages[i];

        if (message->asks == side->asks)
            t_free(speak(side, i));
        else
            listen(side, i, message->octets.data, message->octets.length);
    }
    if (!side->stuck)
        finish(side);
    leat_session_free(side->session);
}

/* ---- what differs, and why ---- */

#define COMPRESSED  "0 flags 3 not 1; "
#define LACKS(what) "0 told with E_PROTOCOL/" what "; "
#define UNREADABLE                                                                                 \
    "0 told with E_SYNTAX/; 1 other text {\"response\":\"failed\",\"info\":\"cannot parse as a "   \
    "valid "                                                                                       \
    "JSON object\"}; 2 ends E_SYNTAX; "

/* The first one whose path fits. */
static const struct {
    const char *path; /* what its path contains */
    char side;        /* 'C': who connects; 'A': who is connected to */
    const char *differences;
} known[] = {
    /*
     * Test programs say what no real peer does, and we do not: a session or a version of their own,
     * members of later versions, rows that lack something, a section twice. What is answered to
     * that, who is connected to plays.
     */
    {"6.0.14/29-fake-config-uncompressed", 'C', "0 E_VALUE session; "},
    {"6.0.14/30-fake-config-refused-unknown", 'C', "0 E_VALUE session; "},
    {"data-bad-session", 'C', "0 E_VALUE session; "},
    {"data-newer-version", 'C', "0 E_VALUE version; "},
    {"data-older-version", 'C', "0 E_VALUE version; "},
    {"config-version-mismatch", 'C', "0 E_VALUE version; "},
    {"history-ids-1-3", 'C', "0 E_VALUE itemid; "},
    {"data-availability-bad", 'C', "0 E_VALUE available; "},
    {"data-discovery-bad", 'C', "0 E_VALUE clock; "},
    {"7.0.22/53-fake-data-autoreg", 'C', "0 E_VALUE port; "},
    {"data-duplicate-tasks-keys", 'C', "0 E_VALUE tasks; "},
    /* The server closes without an answer: for who asked it is the end before the answer. */
    {"config-refused-unknown", 'C', COMPRESSED "1 ends E_END; "},
    {"passive-data-resend", 'A', "2 ends E_END; "},
    /* We do not say what lacks a member, is malformed, or is not known to our version. */
    {"config-no-session", 'C', "0 E_VALUE session; "},
    {"data-missing-name", 'C', "0 E_VALUE host; "},
    {"data-large", 'C', "0 E_VALUE session; "},
    {"6.0.14/58-passive-config-error", 'C', "0 E_VALUE data; "},
    {"6.0.14/59-active-proxy-gets-config", 'C', "0 E_VALUE data; "},
    {"invalid-utf8", 'C', "0 cannot be composed; "},
    {"control-char", 'C', "0 cannot be composed; "},
    {"trailing-junk", 'C', "0 cannot be composed; "},
    {"leading-space", 'C', "0 E_STATE; "},
    {"heartbeat-ignored", 'C', "0 cannot be asked; "},
    {"7.0.22/63-passive-config-error", 'C', "2 E_VALUE config_revision; "},
    /* Our server does not go on behind a refusal. */
    {"config-sync-in-progress", 'C', "2 E_STATE; "},
    /* The test programs do not compress what servers and proxies always compress. */
    {"7.0.22/33-fake-config-empty", 'C', ""},
    {"-fake-", 'C', COMPRESSED},
    {"6.0.14/56-passive-data-ack-failed", 'C', "2 flags 3 not 1; "},
    {"7.0.22/61-passive-data-ack-failed", 'C', COMPRESSED "2 flags 3 not 1; "},
    {"7.0.22/62-passive-data-resend", 'C', COMPRESSED},
    /* What is refused unasked has an error. */
    {"data-missing-name", 'A', LACKS("host") "2 ends E_PROTOCOL; "},
    {"data-newer-version", 'A', LACKS("version") "2 ends E_PROTOCOL; "},
    {"data-older-version", 'A', LACKS("version") "2 ends E_PROTOCOL; "},
    {"config-no-session", 'A', LACKS("session") "2 ends E_PROTOCOL; "},
    {"config-version-mismatch", 'A', LACKS("version") "2 ends E_PROTOCOL; "},
    {"6.0.14/58-passive-config-error", 'A', LACKS("data") "2 ends E_PROTOCOL; "},
    {"heartbeat-ignored", 'A', LACKS("request") "1 ends E_PROTOCOL; "},
    {"leading-space", 'A', "0 told with E_PROTOCOL/; 2 ends E_PROTOCOL; "},
    {"7.0.22/63-passive-config-error", 'A',
     "2 told with E_PROTOCOL/config_revision; 4 ends E_PROTOCOL; "},
    /* The reason is in our words: not where it is malformed, not at which address the server is. */
    {"control-char", 'A', UNREADABLE},
    {"trailing-junk", 'A', UNREADABLE},
    {"active-proxy-gets-config", 'A',
     LACKS(
         "request") "1 other text {\"response\":\"failed\",\"info\":\"misconfiguration error: the "
                    "proxy is running in the active mode but server sends requests to it as to "
                    "proxy in passive "
                    "mode\",\"version\":\"%s\"}; 2 ends E_PROTOCOL; "},
    /* The header is refused before there is a message. */
    {"7.0.22/59-fake-data-large", 'A', "0 not told; 1 ends E_FRAME; "},
    {"7.0.22/60-fake-data-large", 'A', "0 not told; 1 ends E_FRAME; "},
    /* Our proxy has closed behind its refusal. */
    {"config-sync-in-progress", 'A', "2 not told; "},
};

static const char *expected(const char *path, bool asks)
{
    size_t i;

    for (i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].side == (asks ? 'C' : 'A') && strstr(path, known[i].path) != NULL)
            return known[i].differences;
    }
    return "";
}

/* The list names the version where it is said. */
static void check_differences(const struct side *side, const char *how)
{
    const char *wanted = expected(side->recording->path, side->asks);
    const char *place = strstr(wanted, "%s");
    struct t_bytes text = t_copy(wanted, place == NULL ? strlen(wanted) : (size_t)(place - wanted));

    if (place != NULL) {
        t_append(&text, side->recording->version, strlen(side->recording->version));
        t_append(&text, place + 2, strlen(place + 2));
    }
    MUST(strcmp((const char *)side->differences.data, (const char *)text.data) == 0,
         "%s, as who %s, %s: %s", side->recording->path,
         side->asks ? "connects" : "is connected to", how, (const char *)side->differences.data);
    t_free(text);
}

static void check(const struct recording *recording, bool asks, size_t cut)
{
    struct side side = start(recording, asks, cut);

    if (!side.stuck)
        play_side(&side);
    check_differences(&side, cut == 0 ? "at once" : "in pieces");
    t_free(side.differences);
}

/* Pieces of one octet only where there are few. */
static void check_cuts(const struct recording *recording, bool asks)
{
    size_t length = 0, i;

    for (i = 0; i < recording->count; i++)
        length += recording->messages[i].octets.length;
    check(recording, asks, 0);
    check(recording, asks, 1009);
    if (length < 20000)
        check(recording, asks, 1);
}

static const struct {
    const char *folder;
    size_t exchanges;
    size_t joined; /* so many can be played with both sides ours */
} folders[] = {{"6.0.14", 67, 48}, {"7.0.22", 80, 57}};

static void each(int folder, void (*play)(const struct recording *recording))
{
    char path[100];
    char **names;
    size_t i;

    (void)snprintf(path, sizeof path, "zabbix/%s", folders[folder].folder);
    names = t_names(path, ".jsonl");
    for (i = 0; names[i] != NULL; i++) {
        struct recording recording;

        (void)snprintf(path, sizeof path, "%s/%.*s", folders[folder].folder,
                       (int)(strlen(names[i]) - strlen(".jsonl")), names[i]);
        load(&recording, path);
        play(&recording);
        unload(&recording);
    }
    ck_assert_uint_eq(i, folders[folder].exchanges);
    t_names_free(names);
}

static void play_connecting(const struct recording *recording)
{
    check_cuts(recording, true);
}

static void play_connected(const struct recording *recording)
{
    check_cuts(recording, false);
}

static size_t joined;

/* Both sides are ours: the texts are the recorded ones, and what one says the other understands. */
static void play_both(const struct recording *recording)
{
    const char *asked = expected(recording->path, true);
    struct side sides[2];
    size_t i;

    if (expected(recording->path, false)[0] != '\0' || strstr(asked, "E_") != NULL ||
        strstr(asked, "cannot") != NULL)
        return;
    sides[0] = start(recording, true, 0);
    sides[1] = start(recording, false, 0);
    sides[0].any_form = sides[1].any_form = true;
    for (i = 0; i < recording->count; i++) {
        size_t speaker_side = recording->messages[i].asks ? 0 : 1;
        struct t_bytes said = speak(&sides[speaker_side], i);

        listen(&sides[1 - speaker_side], i, said.data, said.length);
        t_free(said);
    }
    for (i = 0; i < 2; i++) {
        finish(&sides[i]);
        MUST(sides[i].differences.length == 0, "%s, both sides ours, %zu: %s", recording->path, i,
             (const char *)sides[i].differences.data);
        leat_session_free(sides[i].session);
        t_free(sides[i].differences);
    }
    joined++;
}

START_TEST(as_who_connects)
{
    each(_i, play_connecting);
}
END_TEST

START_TEST(as_who_is_connected_to)
{
    each(_i, play_connected);
}
END_TEST

START_TEST(as_both)
{
    joined = 0;
    each(_i, play_both);
    ck_assert_uint_eq(joined, folders[_i].joined);
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_loop_test(tc, as_both, 0, sizeof folders / sizeof *folders);
    tcase_add_loop_test(tc, as_who_connects, 0, sizeof folders / sizeof *folders);
    tcase_add_loop_test(tc, as_who_is_connected_to, 0, sizeof folders / sizeof *folders);
}

T_MAIN("zabbix/replay", tests)
