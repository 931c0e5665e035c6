#include "live.h"

#include <inttypes.h>
#include <stdio.h>

struct t_bytes live_text(const char *text)
{
    struct t_bytes made = t_copy(text, strlen(text));
    size_t from, to = 0;

    for (from = 0; from < made.length; from++) {
        uint8_t octet = made.data[from];

        if (octet == '\'')
            octet = '"';
        else if (octet == '^')
            octet = made.data[++from] - '@';
        made.data[to++] = octet;
    }
    made.length = to;
    made.data[to] = '\0';
    return made;
}

int live_send(leat_session *session, const char *name, const char *json)
{
    struct t_bytes text = live_text(json);
    leat_builder *builder = t_json((const char *)text.data, text.length);
    int status = leat_send(session, name, leat_builder_value(builder));

    leat_builder_free(builder);
    t_free(text);
    return status;
}

struct t_bytes live_take(leat_session *session)
{
    size_t length;
    const void *data = leat_send_data(session, &length);
    struct t_bytes octets = t_copy(data, length);

    MUST(leat_send_done(session, length) == LEAT_OK, "the output cannot be taken");
    return octets;
}

uint32_t live_kind(const char *name)
{
    static const struct {
        const char *name;
        uint32_t kind;
    } kinds[] = {{"none", 0},
                 {"proxy config", LEAT_ZABBIX_PROXY_CONFIG},
                 {"proxy data", LEAT_ZABBIX_PROXY_DATA},
                 {"proxy tasks", LEAT_ZABBIX_PROXY_TASKS},
                 {"proxy heartbeat", LEAT_ZABBIX_PROXY_HEARTBEAT},
                 {"active checks", LEAT_ZABBIX_ACTIVE_CHECKS},
                 {"agent data", LEAT_ZABBIX_AGENT_DATA},
                 {"active check heartbeat", LEAT_ZABBIX_AGENT_HEARTBEAT},
                 {"sender data", LEAT_ZABBIX_SENDER_DATA},
                 {"passive checks", LEAT_ZABBIX_PASSIVE_CHECKS}};
    size_t i;

    for (i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].name, name) == 0)
            return kinds[i].kind;
    }
    ck_abort_msg("no such exchange: %s", name);
    return 0;
}

static void prepare(leat_zabbix_exchange_options *options, uint32_t role, uint32_t exchange,
                    const char *version)
{
    leat_zabbix_exchange_options_init(options, sizeof *options);
    options->role = role;
    options->connects = exchange != 0;
    options->exchange = exchange;
    options->version = version;
}

leat_session *live_exchange(const leat_config *config, uint32_t role, uint32_t exchange,
                            const char *version)
{
    leat_zabbix_exchange_options options;
    leat_session *session;

    prepare(&options, role, exchange, version);
    ck_assert_int_eq(leat_zabbix_exchange_new(config, &options, &session), LEAT_OK);
    return session;
}

/* A script that is being played. */
struct play {
    const leat_config *config;
    leat_session *session;
    const char *line;    /* for messages */
    size_t cut;          /* 0: nowhere */
    bool once;           /* cut at one place only */
    bool may_fail;       /* memory may run out ... */
    bool failed;         /* ... and did */
    struct t_bytes told; /* events that were drawn between pieces, each with ", " behind it */
};

/* LEAT_E_FRAME is FRAME, LEAT_OK is OK; but LEAT_E_END is E_END, as there is END. */
static const char *code_name(int code)
{
    const char *name = leat_status_name(code) + strlen("LEAT_");

    return code < 0 && code != LEAT_E_END ? name + strlen("E_") : name;
}

static int code_of(const struct play *play, const char *name, size_t length)
{
    int code;

    for (code = LEAT_END; code >= LEAT_E_TIMEOUT; code--) {
        if (strlen(code_name(code)) == length && strncmp(code_name(code), name, length) == 0)
            return code;
    }
    ck_abort_msg("%s: no such code", play->line);
    return code;
}

/* The status, unless memory ran out where it may. */
static int checked(struct play *play, int status)
{
    if (status == LEAT_E_NOMEM && play->may_fail)
        play->failed = true;
    return status;
}

static void say(struct t_bytes *to, const char *text)
{
    t_append(to, text, strlen(text));
}

static void say_event(struct t_bytes *to, const leat_event *event)
{
    const leat_error *error = leat_event_error(event);
    size_t length;
    const char *name = leat_event_name(event, &length);

    t_append(to, name, length);
    if (error != NULL) {
        say(to, "!");
        say(to, code_name(leat_error_code(error)));
        if (*leat_error_field(error) != '\0') {
            say(to, "/");
            say(to, leat_error_field(error));
        }
    }
    say(to, ", ");
}

/* Draws all events that are there. */
static int draw(struct play *play)
{
    const leat_event *event;
    int status;

    while ((status = leat_next(play->session, &event)) == LEAT_OK)
        say_event(&play->told, event);
    MUST((leat_session_error(play->session) != NULL) == (status < 0),
         "%s: an error only if it failed", play->line);
    return checked(play, status);
}

/*
 * Feeds octets in pieces. A session that is over takes no more. Octets that come one by one may be
 * told late, so the last two come together.
 */
static void hear(struct play *play, const uint8_t *data, size_t length)
{
    size_t piece = play->cut == 0 || play->cut > length ? length : play->cut;

    while (length > 0) {
        int status;

        if (piece > length || length == 2)
            piece = length;
        status = checked(play, leat_feed(play->session, data, piece));
        if (play->failed)
            return;
        MUST(status == LEAT_OK, "%s: feeding gives %s", play->line, leat_status_name(status));
        data += piece;
        length -= piece;
        if (length > 0 && draw(play) != LEAT_MORE)
            return;
        if (play->once)
            piece = length;
    }
}

static void hear_message(struct play *play, char flags, const char *text)
{
    struct t_bytes body = live_text(text);
    struct t_bytes octets = frame((uint8_t)(flags - '0'), body.data, body.length);

    hear(play, octets.data, octets.length);
    t_free(octets);
    t_free(body);
}

/* A compressed message with anything as its size, and octets behind the zlib stream. */
static void hear_deflated(struct play *play, uint64_t reserved, const char *text, size_t surplus)
{
    struct t_bytes plain = live_text(text), body = deflated(plain.data, plain.length);
    struct t_bytes octets = t_copy("", 0);

    append_header(&octets, 3, body.length + surplus, reserved);
    t_append(&octets, body.data, body.length);
    t_append(&octets, "surplus", surplus);
    hear(play, octets.data, octets.length);
    t_free(octets);
    t_free(body);
    t_free(plain);
}

/* Whether the event or status is the expected one, whose field may be left out. */
static bool is_word(const char *got, size_t got_length, const char *word, size_t length)
{
    if (got_length < length || strncmp(got, word, length) != 0)
        return false;
    return got_length == length || (got[length] == '/' && memchr(word, '!', length) != NULL);
}

static bool is_told(const char *got, const char *expected)
{
    for (;;) {
        const char *got_end = strstr(got, ", "), *end = strstr(expected, ", ");

        if ((got_end == NULL) != (end == NULL))
            return false;
        if (end == NULL)
            return strcmp(got, expected) == 0;
        if (!is_word(got, (size_t)(got_end - got), expected, (size_t)(end - expected)))
            return false;
        got = got_end + 2;
        expected = end + 2;
    }
}

static void told(struct play *play, const char *expected)
{
    int status = draw(play);

    if (play->failed)
        return;
    say(&play->told, code_name(status));
    MUST(is_told((const char *)play->told.data, expected), "%s (cut %zu): told \"%s\" (%s)",
         play->line, play->cut, (const char *)play->told.data,
         leat_error_text(leat_session_error(play->session)));
    play->told.length = 0;
    play->told.data[0] = '\0';
}

static void told_next(struct play *play, const char *expected)
{
    const char *got = (const char *)play->told.data;
    const leat_event *event;
    size_t length;
    int status;

    if (play->told.length == 0) {
        status = checked(play, leat_next(play->session, &event));
        if (play->failed)
            return;
        MUST(status == LEAT_OK, "%s (cut %zu): %s", play->line, play->cut,
             leat_status_name(status));
        say_event(&play->told, event);
        got = (const char *)play->told.data;
    }
    length = (size_t)(strstr(got, ", ") - got);
    MUST(is_word(got, length, expected, strlen(expected)), "%s (cut %zu): told \"%s\"", play->line,
         play->cut, got);
    play->told.length -= length + 2;
    memmove(play->told.data, got + length + 2, play->told.length + 1);
}

/* The status in the end, or one of several: "" is a failure, "over" a failure or END. */
static void ends(struct play *play, const char *expected)
{
    int status = draw(play);
    bool fits_it = strcmp(code_name(status), expected) == 0;

    if (play->failed)
        return;
    if (*expected == '\0')
        fits_it = status < 0;
    else if (strcmp(expected, "over") == 0)
        fits_it = status < 0 || status == LEAT_END;
    MUST(fits_it, "%s (cut %zu): told \"%s\" and %s", play->line, play->cut,
         (const char *)play->told.data, leat_status_name(status));
    play->told.length = 0;
    play->told.data[0] = '\0';
}

/* A * in the pattern stands for anything. */
static bool fits(const struct t_bytes *text, const struct t_bytes *pattern)
{
    const uint8_t *star = (const uint8_t *)memchr(pattern->data, '*', pattern->length);
    size_t before, behind;

    if (star == NULL)
        return text->length == pattern->length &&
               memcmp(text->data, pattern->data, text->length) == 0;
    before = (size_t)(star - pattern->data);
    behind = pattern->length - before - 1;
    return text->length >= before + behind && memcmp(text->data, pattern->data, before) == 0 &&
           memcmp(text->data + text->length - behind, star + 1, behind) == 0;
}

/* flags '?': any. */
static void said(struct play *play, char flags, const char *text)
{
    struct t_bytes octets = live_take(play->session), expected = live_text(text);
    const uint8_t *at = octets.data;
    struct taken message;

    if (octets.length == 0 && play->may_fail) { /* what it says unasked, it says if it can */
        play->failed = true;
        t_free(expected);
        t_free(octets);
        return;
    }
    MUST(octets.length >= 13 && memcmp(at, "ZBXD", 4) == 0, "%s (cut %zu): said \"%s\"", play->line,
         play->cut, (const char *)octets.data);
    message = take_frame(&at, octets.data + octets.length);
    MUST(flags == '?' || message.flags == flags - '0', "%s (cut %zu): said flags %u, %s",
         play->line, play->cut, (unsigned)message.flags, (const char *)message.text.data);
    MUST(fits(&message.text, &expected), "%s (cut %zu): said %s", play->line, play->cut,
         (const char *)message.text.data);
    MUST(at == octets.data + octets.length, "%s: said more than that", play->line);
    t_free(message.text);
    t_free(expected);
    t_free(octets);
}

static void wrote(const struct play *play, const char *hex)
{
    struct t_bytes octets = live_take(play->session), expected = t_hex(hex);
    char *got = t_to_hex(octets.data, octets.length);
    char *wanted = t_to_hex(expected.data, expected.length);

    MUST(strcmp(got, wanted) == 0, "%s (cut %zu): wrote %s", play->line, play->cut, got);
    free(got);
    free(wanted);
    t_free(expected);
    t_free(octets);
}

static void commanded(struct play *play, int status, int code, size_t before)
{
    const leat_error *error = leat_session_send_error(play->session);
    size_t after;

    (void)leat_send_data(play->session, &after);
    if (checked(play, status) == LEAT_E_NOMEM && play->failed) {
        MUST(before == after, "%s: wrote something", play->line);
        return;
    }
    MUST(status == code, "%s: %s, %s %s", play->line, leat_status_name(status),
         leat_error_text(error), leat_error_field(error));
    MUST(status == LEAT_OK || after == before, "%s: wrote something", play->line);
}

/* CODE or CODE/FIELD; *rest is what follows. */
static int take_code(const struct play *play, char *text, const char **field, char **rest)
{
    size_t length = strcspn(text, " ");
    size_t code = strcspn(text, " /"), i;

    *field = code < length ? text + code + 1 : NULL;
    for (i = code; i < length; i++)
        text[i] = text[i] == '=' ? ' ' : text[i];
    *rest = text + length;
    if (**rest != '\0')
        *(*rest)++ = '\0';
    return code_of(play, text, code);
}

static void send_message(struct play *play, int code, const char *field, char *text)
{
    char *json = strchr(text, '{');
    size_t before;
    int status;

    MUST(json != NULL && json > text, "%s: no message", play->line);
    json[-1] = '\0';
    (void)leat_send_data(play->session, &before);
    status = live_send(play->session, text, json);
    commanded(play, status, code, before);
    if (field != NULL && !play->failed) {
        const char *got = leat_error_field(leat_session_send_error(play->session));

        MUST(strcmp(got, field) == 0, "%s: the field is \"%s\"", play->line, got);
    }
}

static void refuse_message(struct play *play, int code, const char *info)
{
    struct t_bytes text = live_text(info);
    size_t before;

    (void)leat_send_data(play->session, &before);
    commanded(play,
              leat_zabbix_refuse(play->session, *info == '\0' ? NULL : (const char *)text.data),
              code, before);
    t_free(text);
}

static void deadline(const struct play *play, const char *expected)
{
    uint64_t wanted = t_deadline(expected);
    uint64_t got = leat_deadline(play->session);

    MUST(got == wanted, "%s: %" PRIu64, play->line, got);
}

static void wants(const struct play *play, const char *expected)
{
    uint32_t got = leat_wants(play->session), wanted = t_wants(expected);

    MUST(got == wanted, "%s: %" PRIu32, play->line, got);
}

static void start(struct play *play, char *text)
{
    static const char *const roles[] = {"server", "proxy", "passive", "agent", "sender"};
    leat_zabbix_exchange_options options;
    char *word = strtok(text, " "), *space;
    uint32_t role = 0;

    MUST(word != NULL, "a script begins with a role");
    while (role < 5 && strcmp(roles[role], word) != 0)
        role++;
    prepare(&options, role + 1, 0, strtok(NULL, " "));
    while ((word = strtok(NULL, " ")) != NULL) {
        if (strncmp(word, "asks=", 5) == 0) {
            while ((space = strchr(word, '_')) != NULL)
                *space = ' ';
            options.connects = 1;
            options.exchange = live_kind(word + 5);
        } else if (strcmp(word, "plain") == 0)
            options.compress = 0;
        else if (strcmp(word, "timeout") == 0)
            options.timeout_ms = strtoull(strtok(NULL, " "), NULL, 10);
        else if (strcmp(word, "linger") == 0)
            options.linger_ms = strtoull(strtok(NULL, " "), NULL, 10);
        else
            MUST(strcmp(word, "accepts") == 0, "%s: no such option", word);
    }
    if (checked(play, leat_zabbix_exchange_new(play->config, &options, &play->session)) != LEAT_OK)
        MUST(play->failed, "%s: no session", play->line);
}

static void step_of_peer(struct play *play, const char *verb, const char *rest)
{
    char *more;

    if (verb[0] == '<') {
        hear_message(play, verb[1], rest);
    } else if (strcmp(verb, "claims") == 0) {
        uint64_t reserved = strtoull(rest, &more, 10);

        hear_deflated(play, reserved, more + 1, 0);
    } else if (strcmp(verb, "padded") == 0) {
        hear_deflated(play, strlen(rest), rest, 5);
    } else if (strcmp(verb, "octets") == 0) {
        struct t_bytes octets = t_hex(rest);

        hear(play, octets.data, octets.length);
        t_free(octets);
    } else {
        MUST(leat_recv_eof(play->session) == LEAT_OK, "%s", play->line);
    }
}

static void step(struct play *play, const char *verb, char *rest)
{
    const char *field;
    char *more;

    if (verb[0] == '<' || strcmp(verb, "octets") == 0 || strcmp(verb, "claims") == 0 ||
        strcmp(verb, "padded") == 0 || strcmp(verb, "end") == 0) {
        step_of_peer(play, verb, rest);
    } else if (strcmp(verb, "told") == 0) {
        told(play, rest);
    } else if (strcmp(verb, "next") == 0) {
        told_next(play, rest);
    } else if (strcmp(verb, "ends") == 0) {
        ends(play, rest);
    } else if (strcmp(verb, "fails") == 0) {
        ends(play, "");
    } else if (strcmp(verb, "over") == 0) {
        ends(play, verb);
    } else if (verb[0] == '>') {
        said(play, verb[1], rest);
    } else if (strcmp(verb, "says") == 0) {
        said(play, '?', rest);
    } else if (strcmp(verb, "wrote") == 0) {
        wrote(play, rest);
    } else if (strcmp(verb, "speaks") == 0) {
        struct t_bytes octets = live_take(play->session);

        play->failed = octets.length == 0 && play->may_fail;
        MUST(octets.length > 0 || play->failed, "%s: said nothing", play->line);
        t_free(octets);
    } else if (strcmp(verb, "silent") == 0) {
        wrote(play, "");
    } else if (strcmp(verb, "send") == 0) {
        send_message(play, LEAT_OK, NULL, rest);
    } else if (strcmp(verb, "deny") == 0) {
        int code = take_code(play, rest, &field, &more);

        send_message(play, code, field, more);
    } else if (strcmp(verb, "refuse") == 0) {
        refuse_message(play, LEAT_OK, rest);
    } else if (strcmp(verb, "unable") == 0) {
        int code = take_code(play, rest, &field, &more);

        refuse_message(play, code, more);
    } else if (strcmp(verb, "tick") == 0) {
        leat_tick(play->session, strtoull(rest, NULL, 10));
    } else if (strcmp(verb, "deadline") == 0) {
        deadline(play, rest);
    } else if (strcmp(verb, "wants") == 0) {
        wants(play, rest);
    } else if (strcmp(verb, "exchange") == 0) {
        MUST(leat_zabbix_exchange(play->session) == live_kind(rest), "%s: %" PRIu32, play->line,
             leat_zabbix_exchange(play->session));
    } else if (strcmp(verb, "trim") == 0) {
        leat_session_trim(play->session);
    } else if (strcmp(verb, "memory") == 0) {
        MUST(leat_session_memory(play->session) <= strtoull(rest, NULL, 10), "%s: %zu", play->line,
             leat_session_memory(play->session));
    } else {
        ck_abort_msg("no such step: %s", play->line);
    }
}

static void play_line(struct play *play, const char *text, size_t length)
{
    struct t_bytes line = t_copy(text, length), words = t_copy(text, length);
    char *verb = (char *)words.data, *rest = verb + strcspn(verb, " ");

    play->line = (const char *)line.data;
    if (play->session == NULL) {
        start(play, verb);
    } else {
        if (*rest != '\0')
            *rest++ = '\0';
        step(play, verb, rest);
    }
    t_free(line);
    t_free(words);
}

static void run(struct play *play, const char *script)
{
    play->told = t_copy("", 0);
    while (*script != '\0' && !play->failed) {
        size_t length = strcspn(script, "\n");

        play_line(play, script, length);
        script += length + (script[length] == '\n');
    }
    leat_session_free(play->session);
    t_free(play->told);
}

void live_play_cut(const char *script, size_t cut, bool once)
{
    struct play play = {.cut = cut, .once = once};

    run(&play, script);
}

void live_play(const char *script)
{
    live_play_cut(script, 0, false);
}

void live_play_every_cut(const char *script)
{
    size_t longest = 0, cut;
    const char *line = script;

    while (*line != '\0') {
        size_t length = strcspn(line, "\n");

        if (length > longest)
            longest = length;
        line += length + (line[length] == '\n');
    }
    live_play_cut(script, 1, false);
    /* A header is longer than what stands before the text in a line. */
    for (cut = 1; cut < longest + 21; cut++)
        live_play_cut(script, cut, true);
}

int live_play_alloc(const leat_config *config, const void *script)
{
    struct play play = {.config = config, .may_fail = true};

    run(&play, (const char *)script);
    return play.failed ? LEAT_E_NOMEM : LEAT_OK;
}
