#include "live.h"

#include <inttypes.h>
#include <stdio.h>

#define SCRIPT_EVENTS 200

static leat_builder *read_json(const char *json)
{
    struct t_bytes text = t_copy(json == NULL ? "{}" : json, json == NULL ? 2 : strlen(json));
    leat_builder *builder;
    size_t i;

    for (i = 0; i < text.length; i++) {
        if (text.data[i] == '\'')
            text.data[i] = '"';
    }
    builder = t_json((const char *)text.data, text.length);
    t_free(text);
    return builder;
}

static leat_session *codec(void)
{
    leat_session *session;

    ck_assert_int_eq(leat_estreamer_codec_new(NULL, LEAT_FROM_ANY, &session), LEAT_OK);
    return session;
}

int live_send(leat_session *session, const char *name, const char *json)
{
    leat_builder *builder = read_json(json);
    int status = leat_send(session, name, leat_builder_value(builder));

    leat_builder_free(builder);
    return status;
}

leat_config live_limited(const leat_config *config, leat_limits *limits, uint64_t queued_bytes,
                         uint64_t message_bytes)
{
    leat_config limited;

    leat_limits_init(limits, sizeof *limits);
    limits->queued_bytes = queued_bytes;
    limits->message_bytes = message_bytes;
    leat_config_init(&limited, sizeof limited);
    if (config != NULL)
        limited = *config;
    limited.limits = limits;
    return limited;
}

struct t_bytes live_message(const char *name, const char *json)
{
    leat_session *session = codec();
    struct t_bytes octets;
    int status = live_send(session, name, json);

    ck_assert_msg(status == LEAT_OK, "%s %s: %s %s", name, json == NULL ? "" : json,
                  leat_error_text(leat_session_send_error(session)),
                  leat_error_field(leat_session_send_error(session)));
    octets = live_take(session);
    leat_session_free(session);
    return octets;
}

void live_hear_octets(leat_session *session, struct t_bytes octets)
{
    ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
    t_free(octets);
}

void live_hear(leat_session *session, const char *name, const char *json)
{
    live_hear_octets(session, live_message(name, json));
}

struct t_bytes live_take(leat_session *session)
{
    size_t length;
    const void *data = leat_send_data(session, &length);
    struct t_bytes octets = t_copy(data, length);

    ck_assert_int_eq(leat_send_done(session, length), LEAT_OK);
    (void)leat_send_data(session, &length);
    ck_assert_uint_eq(length, 0);
    return octets;
}

bool live_move(leat_session *from, leat_session *to)
{
    size_t length;
    const void *data = leat_send_data(from, &length);

    if (length == 0)
        return false;
    ck_assert_int_eq(leat_feed(to, data, length), LEAT_OK);
    ck_assert_int_eq(leat_send_done(from, length), LEAT_OK);
    return true;
}

static void say(struct t_bytes *to, const char *text)
{
    if (to->length > 0)
        t_append(to, " ", 1);
    t_append(to, text, strlen(text));
}

/* LEAT_E_FRAME is FRAME, LEAT_OK is OK. */
static const char *code_name(int code)
{
    const char *name = leat_status_name(code) + strlen("LEAT_");

    return code < 0 ? name + strlen("E_") : name;
}

static void say_event(struct t_bytes *to, const leat_event *event)
{
    const leat_value *value = leat_event_value(event);
    const char *name = leat_event_name(event, NULL);
    const leat_error *error = leat_event_error(event);
    const char *mark = error == NULL ? "" : "!";
    const char *code = error == NULL ? "" : code_name(leat_error_code(error));
    char text[100];

    if (leat_event_kind(event) == LEAT_ESTREAMER_EVENT_DATA)
        (void)snprintf(text, sizeof text, "%s/%" PRIu64 "%s%s", name,
                       leat_value_u64(leat_value_get(value, "record_type")), mark, code);
    else if (leat_event_kind(event) == LEAT_ESTREAMER_ERROR)
        (void)snprintf(text, sizeof text, "%s/%" PRIi64 "%s%s", name,
                       leat_value_i64(leat_value_get(value, "error_code")), mark, code);
    else
        (void)snprintf(text, sizeof text, "%s%s%s", name, mark, code);
    say(to, text);
}

char *live_names(const void *octets, size_t length)
{
    struct t_bytes names = t_copy("", 0);
    leat_session *session = codec();
    const leat_event *event;
    int status;

    ck_assert_int_eq(leat_feed(session, octets, length), LEAT_OK);
    while ((status = leat_next(session, &event)) == LEAT_OK)
        say_event(&names, event);
    ck_assert_int_eq(status, LEAT_MORE);
    ck_assert_int_eq(leat_recv_eof(session), LEAT_OK);
    ck_assert_msg(leat_next(session, &event) == LEAT_END, "the output is cut behind %s",
                  (const char *)names.data);
    leat_session_free(session);
    return (char *)names.data;
}

size_t live_count(const void *octets, size_t length, const char *name)
{
    const uint8_t *at = (const uint8_t *)octets;
    char *names;
    size_t count = 0, word = name == NULL ? 0 : strlen(name);
    const char *place;

    if (name == NULL) {
        while (length >= 8) {
            size_t whole =
                8 + ((size_t)at[4] << 24 | (size_t)at[5] << 16 | (size_t)at[6] << 8 | at[7]);

            ck_assert_uint_le(whole, length);
            at += whole;
            length -= whole;
            count++;
        }
        ck_assert_uint_eq(length, 0);
        return count;
    }
    names = live_names(octets, length);
    for (place = names; (place = strstr(place, name)) != NULL; place += word)
        count += (place == names || place[-1] == ' ') && strchr(" /!", place[word]) != NULL;
    free(names);
    return count;
}

static void check_said(leat_session *session, const char *names, const char *where)
{
    struct t_bytes octets = live_take(session);
    char *got = live_names(octets.data, octets.length);

    ck_assert_msg(strcmp(got, names) == 0, "%s: said \"%s\" instead of \"%s\"", where, got, names);
    free(got);
    t_free(octets);
}

static void check_wrote(leat_session *session, const char *hex, const char *where)
{
    struct t_bytes expected = t_hex(hex), octets = live_take(session);
    char *wanted = t_to_hex(expected.data, expected.length);
    char *got = t_to_hex(octets.data, octets.length);

    ck_assert_msg(strcmp(got, wanted) == 0, "%s: wrote\n%s instead of\n%s", where, got, wanted);
    free(wanted);
    free(got);
    t_free(expected);
    t_free(octets);
}

void live_said(leat_session *session, const char *names)
{
    check_said(session, names, "output");
}

void live_wrote(leat_session *session, const char *hex)
{
    check_wrote(session, hex, "output");
}

leat_session *live_client(const leat_config *config, const leat_estreamer_client_options *options)
{
    leat_session *session;

    ck_assert_int_eq(leat_estreamer_client_new(config, options, &session), LEAT_OK);
    live_play(session, "said event_stream_request\n"
                       "hear streaming_information {'services':[{'service_type':6667}]}\n"
                       "told streaming_information MORE\n"
                       "acknowledge all\n"
                       "said streaming_request null\n");
    return session;
}

leat_session *live_server(const leat_config *config, const leat_estreamer_server_options *options,
                          uint32_t request_flags)
{
    leat_session *session;
    char request[100];

    ck_assert_int_eq(leat_estreamer_server_new(config, options, &session), LEAT_OK);
    (void)snprintf(request, sizeof request, "{'request_flags':%" PRIu32 "}", request_flags);
    live_hear(session, "event_stream_request", request);
    live_play(session, "told event_stream_request MORE\n");
    if ((request_flags & LEAT_ESTREAMER_FLAG_EXTENDED_REQUEST) != 0)
        live_play(session, "said streaming_information\n"
                           "hear streaming_request {'services':[{'service_type':6667,"
                           "'event_types':[{'event_version':11,'event_code':12},"
                           "{'event_version':4,'event_code':21}]}]}\n"
                           "hear null\n"
                           "told streaming_request null MORE\n");
    live_play(session, "said \n");
    return session;
}

/* A script that is being played. */
struct play {
    leat_session *session;
    uint64_t offsets[SCRIPT_EVENTS];
    size_t events;
    const char *line; /* for messages */
};

static void told(struct play *play, const char *expected)
{
    struct t_bytes names = t_copy("", 0);
    const leat_event *event;
    int status;

    while ((status = leat_next(play->session, &event)) == LEAT_OK) {
        ck_assert_uint_lt(play->events, SCRIPT_EVENTS);
        play->offsets[play->events++] = leat_event_offset(event);
        say_event(&names, event);
    }
    say(&names, leat_status_name(status) + strlen("LEAT_"));
    ck_assert_msg((leat_session_error(play->session) != NULL) == (status < 0),
                  "%s: an error only if it failed", play->line);
    ck_assert_msg(strcmp((const char *)names.data, expected) == 0, "%s: told \"%s\"", play->line,
                  (const char *)names.data);
    t_free(names);
}

/* The first word; *rest points behind it, or is NULL if nothing follows. */
static char *first_word(char *text, char **rest)
{
    char *space = strchr(text, ' ');

    *rest = NULL;
    if (space != NULL) {
        *space = '\0';
        *rest = space + 1;
    }
    return text;
}

static void command(struct play *play, int code, char *text)
{
    char *json;
    const char *name = first_word(text, &json);
    size_t before, after;
    int status;

    (void)leat_send_data(play->session, &before);
    status = live_send(play->session, name, json);
    (void)leat_send_data(play->session, &after);
    ck_assert_msg(status == code, "%s: %s, %s", play->line, leat_status_name(status),
                  leat_error_text(leat_session_send_error(play->session)));
    ck_assert_msg(status == LEAT_OK || after == before, "%s: wrote something", play->line);
    ck_assert_int_eq(leat_error_code(leat_session_send_error(play->session)), code);
}

static int code_of(const struct play *play, const char *name)
{
    int code;

    for (code = LEAT_OK; code >= LEAT_E_TIMEOUT; code--) {
        if (strcmp(code_name(code), name) == 0)
            return code;
    }
    ck_abort_msg("%s: no such code", play->line);
    return code;
}

static void acknowledge(const struct play *play, const char *which)
{
    uint64_t offset = UINT64_MAX;

    if (strcmp(which, "all") != 0) {
        size_t number = strtoul(which, NULL, 10);

        ck_assert_msg(number >= 1 && number <= play->events, "%s: no such event", play->line);
        offset = play->offsets[number - 1];
    }
    ck_assert_msg(leat_estreamer_acknowledge(play->session, offset) == LEAT_OK, "%s", play->line);
}

static void deadline(const struct play *play, const char *expected)
{
    uint64_t wanted = t_deadline(expected);
    uint64_t got = leat_deadline(play->session);

    ck_assert_msg(got == wanted, "%s: %" PRIu64, play->line, got);
}

static void wants(const struct play *play, const char *expected)
{
    uint32_t got = leat_wants(play->session), wanted = t_wants(expected);

    ck_assert_msg(got == wanted, "%s: %" PRIu32, play->line, got);
}

static void finish(const struct play *play, char *text)
{
    char *reason;
    int32_t code = (int32_t)strtol(first_word(text, &reason), NULL, 10);

    ck_assert_msg(leat_estreamer_close(play->session, code, reason) == LEAT_OK, "%s", play->line);
}

static void step(struct play *play, const char *verb, char *rest)
{
    char none[1] = "";
    char *more;

    if (rest == NULL)
        rest = none;
    if (strcmp(verb, "hear") == 0) {
        const char *name = first_word(rest, &more);

        live_hear(play->session, name, more);
    } else if (strcmp(verb, "octets") == 0) {
        live_hear_octets(play->session, t_hex(rest));
    } else if (strcmp(verb, "end") == 0) {
        ck_assert_int_eq(leat_recv_eof(play->session), LEAT_OK);
    } else if (strcmp(verb, "told") == 0) {
        told(play, rest);
    } else if (strcmp(verb, "said") == 0) {
        check_said(play->session, rest, play->line);
    } else if (strcmp(verb, "wrote") == 0) {
        check_wrote(play->session, rest, play->line);
    } else if (strcmp(verb, "send") == 0) {
        command(play, LEAT_OK, rest);
    } else if (strcmp(verb, "refuse") == 0) {
        int code = code_of(play, first_word(rest, &more));

        ck_assert_ptr_nonnull(more);
        command(play, code, more);
    } else if (strcmp(verb, "acknowledge") == 0) {
        acknowledge(play, rest);
    } else if (strcmp(verb, "tick") == 0) {
        leat_tick(play->session, (uint64_t)strtoull(rest, NULL, 10));
    } else if (strcmp(verb, "deadline") == 0) {
        deadline(play, rest);
    } else if (strcmp(verb, "wants") == 0) {
        wants(play, rest);
    } else if (strcmp(verb, "close") == 0) {
        finish(play, rest);
    } else if (strcmp(verb, "waiting") == 0) {
        ck_assert_msg(leat_estreamer_waiting(play->session) == strtoul(rest, NULL, 10),
                      "%s: %zu wait", play->line, leat_estreamer_waiting(play->session));
    } else {
        ck_abort_msg("no such step: %s", play->line);
    }
}

void live_play(leat_session *session, const char *script)
{
    struct play play = {.session = session};

    while (*script != '\0') {
        size_t length = strcspn(script, "\n");
        struct t_bytes line = t_copy(script, length), words = t_copy(script, length);
        char *rest;
        const char *verb = first_word((char *)words.data, &rest);

        play.line = (const char *)line.data;
        step(&play, verb, rest);
        t_free(line);
        t_free(words);
        script += length;
        script += *script == '\n';
    }
}

static void tell_error(struct t_bytes *to, const leat_error *error)
{
    char text[200];

    if (error == NULL)
        return;
    (void)snprintf(text, sizeof text, "!%s at %" PRIu64 ": %s %s",
                   code_name(leat_error_code(error)), leat_error_offset(error),
                   leat_error_text(error), leat_error_field(error));
    say(to, text);
}

/* Draws all events; takes what they made the session say. */
static int draw(const struct live_side *side, leat_session *session, struct t_bytes *events,
                struct t_bytes *output)
{
    const leat_event *event;
    struct t_bytes more;
    int status;

    while ((status = leat_next(session, &event)) == LEAT_OK) {
        char *json = t_json_text(leat_event_value(event));
        char text[100];

        (void)snprintf(text, sizeof text, "\n%s %" PRIu64, leat_event_name(event, NULL),
                       leat_event_offset(event));
        say(events, text);
        say(events, json);
        tell_error(events, leat_event_error(event));
        free(json);
        if (side->react != NULL)
            side->react(session, event);
    }
    more = live_take(session);
    t_append(output, more.data, more.length);
    t_free(more);
    return status;
}

char *live_transcript(const struct live_side *side, const void *data, size_t length, size_t cut)
{
    leat_session *session = side->make(NULL, side->arg);
    struct t_bytes events = t_copy("", 0), output = t_copy("", 0);
    const uint8_t *at = (const uint8_t *)data;
    size_t left = length;
    int status = draw(side, session, &events, &output);
    char *hex;

    while (left > 0 && status == LEAT_MORE) {
        size_t piece = cut == 0 ? 1 : left == length && cut < left ? cut : left;

        ck_assert_int_eq(leat_feed(session, at, piece), LEAT_OK);
        at += piece;
        left -= piece;
        status = draw(side, session, &events, &output);
    }
    if (status == LEAT_MORE) {
        ck_assert_int_eq(leat_recv_eof(session), LEAT_OK);
        status = draw(side, session, &events, &output);
    }
    say(&events, "\n");
    say(&events, leat_status_name(status));
    tell_error(&events, leat_session_error(session));
    hex = t_to_hex(output.data, output.length);
    say(&events, "\n");
    say(&events, hex);
    free(hex);
    t_free(output);
    leat_session_free(session);
    return (char *)events.data;
}

char *live_every_split(const struct live_side *side, const void *data, size_t length)
{
    char *whole = live_transcript(side, data, length, length);
    size_t cut;

    for (cut = 0; cut < length; cut++) {
        char *other = live_transcript(side, data, length, cut);

        ck_assert_msg(strcmp(whole, other) == 0, "cut at %zu:%s\nat once:%s", cut, other, whole);
        free(other);
    }
    return whole;
}
