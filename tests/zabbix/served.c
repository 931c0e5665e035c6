#include "served.h"

#include <inttypes.h>
#include <leat/zabbix_server.h>
#include <stdio.h>

#define SESSIONS 8
#define WORDS    32

struct play {
    const leat_config *config;
    leat_zabbix_server_options options;
    char version[32];
    leat_zabbix_server *server;
    leat_session *session[SESSIONS];
    struct t_bytes told[SESSIONS]; /* events that were drawn between pieces */
    struct t_bytes rest[SESSIONS]; /* of a message that was heard in part */
    uint64_t now_ms;
    size_t cut; /* 0: nowhere */
    bool may_fail;
    bool failed; /* memory ran out where it may */
    struct t_bytes saved;
    const char *line; /* for messages */
};

/* A line, taken apart: its words, and where the rest begins behind each. */
struct words {
    char text[4096];
    char *word[WORDS];
    const char *rest[WORDS];
    size_t count;
    int result; /* what the call is to answer */
};

/* LEAT_E_FRAME is FRAME, LEAT_OK is OK; but LEAT_E_END is E_END, as there is END. */
static const char *code_name(int code)
{
    const char *name = leat_status_name(code) + strlen("LEAT_");

    return code < 0 && code != LEAT_E_END ? name + strlen("E_") : name;
}

static int code_of(const struct play *play, const char *name)
{
    int code;

    for (code = LEAT_END; code >= LEAT_E_TIMEOUT; code--) {
        if (strcmp(code_name(code), name) == 0)
            return code;
    }
    ck_abort_msg("%s: no such code", play->line);
    return code;
}

static void take_apart(const struct play *play, const char *line, struct words *words)
{
    char *equals, *at = words->text;

    MUST(strlen(line) < sizeof words->text, "%s: too long", line);
    memcpy(words->text, line, strlen(line) + 1);
    words->count = 0;
    words->result = LEAT_OK;
    equals = strrchr(at, ' ');
    if (equals != NULL && equals[1] == '=') {
        words->result = code_of(play, equals + 2);
        *equals = '\0';
    }
    while (*at != '\0' && words->count < WORDS) {
        size_t length = strcspn(at, " ");

        words->word[words->count] = at;
        at += length;
        words->rest[words->count] = *at == '\0' ? "" : line + (at + 1 - words->text);
        if (*at != '\0')
            *at++ = '\0';
        words->count++;
    }
}

/* The rest of a line behind a word, without a result. */
static struct t_bytes rest_of(const struct words *words, size_t word)
{
    struct t_bytes text = live_text(words->rest[word]);
    char *equals = strrchr((char *)text.data, ' ');

    if (equals != NULL && equals[1] == '=') {
        *equals = '\0';
        text.length = strlen((char *)text.data);
    }
    return text;
}

static const char *word_of(const struct play *play, const struct words *words, size_t i)
{
    MUST(i < words->count, "%s: a word is missing", play->line);
    return words->word[i];
}

static uint64_t number_of(const struct play *play, const struct words *words, size_t i)
{
    const char *text = word_of(play, words, i);

    return strcmp(text, "never") == 0 ? UINT64_MAX : strtoull(text, NULL, 10);
}

/*
 * Whether it is as it should be. Where memory may run out, it may be otherwise because of that: a
 * server does without what is not needed, like tasks in an answer.
 */
static bool is_good(struct play *play, bool good)
{
    if (!good && play->may_fail)
        play->failed = true;
    return good || play->may_fail;
}

static bool answered(struct play *play, int status, int expected)
{
    MUST(is_good(play, status == expected), "%s: answers %s", play->line, code_name(status));
    return status == expected;
}

/* ---- the server ---- */

static void spaces(char *text)
{
    for (; *text != '\0'; text++)
        *text = *text == '_' ? ' ' : *text;
}

static void set_option(struct play *play, const char *name, uint64_t value)
{
    leat_zabbix_server_options *o = &play->options;
    const struct {
        const char *name;
        uint64_t *to;
    } members[] = {{"config_ms", &o->config_ms},   {"data_ms", &o->data_ms},
                   {"tasks_ms", &o->tasks_ms},     {"retry_ms", &o->retry_ms},
                   {"timeout_ms", &o->timeout_ms}, {"linger_ms", &o->linger_ms},
                   {"sessions", &o->sessions},     {"session_ms", &o->session_ms},
                   {"tasks", &o->tasks},           {"bytes", &o->configuration_bytes}};
    size_t i;

    if (strcmp(name, "hold") == 0) {
        o->hold = (uint32_t)value;
        return;
    }
    for (i = 0; i < sizeof members / sizeof *members; i++) {
        if (strcmp(members[i].name, name) == 0) {
            *members[i].to = value;
            return;
        }
    }
    ck_abort_msg("%s: no such option", play->line);
}

static void make_server(struct play *play)
{
    (void)answered(play, leat_zabbix_server_new(play->config, &play->options, &play->server),
                   LEAT_OK);
}

static void tell_time(struct play *play)
{
    if (play->server != NULL)
        leat_zabbix_server_tick(play->server, play->now_ms, 0);
}

static void on_server(struct play *play, struct words *words)
{
    size_t i;

    leat_zabbix_server_options_init(&play->options, sizeof play->options);
    (void)snprintf(play->version, sizeof play->version, "%s", word_of(play, words, 1));
    play->options.version = play->version;
    for (i = 2; i < words->count; i += 2)
        set_option(play, words->word[i], number_of(play, words, i + 1));
    make_server(play);
    tell_time(play);
}

static void on_add(struct play *play, struct words *words)
{
    leat_zabbix_server_member member;
    size_t i;

    leat_zabbix_server_member_init(&member, sizeof member);
    spaces(words->word[1]);
    member.name = words->word[1];
    for (i = 2; i < words->count; i += 2) {
        const char *name = words->word[i];
        char *value = words->word[i + 1];

        MUST(i + 1 < words->count, "%s: no value", play->line);
        spaces(value);
        if (strcmp(name, "passive") == 0)
            member.passive = (uint32_t)strtoul(value, NULL, 10);
        else if (strcmp(name, "connections") == 0)
            member.connections = (uint32_t)strtoul(value, NULL, 10);
        else if (strcmp(name, "compress") == 0)
            member.compress = (uint32_t)strtoul(value, NULL, 10);
        else if (strcmp(name, "psk_identity") == 0)
            member.psk_identity = value;
        else if (strcmp(name, "issuer") == 0)
            member.issuer = value;
        else if (strcmp(name, "subject") == 0)
            member.subject = value;
        else if (strcmp(name, "addresses") == 0)
            member.addresses = value;
        else
            ck_abort_msg("%s: no such member", play->line);
    }
    (void)answered(play, leat_zabbix_server_add(play->server, &member), words->result);
}

static void on_remove(struct play *play, struct words *words)
{
    (void)answered(play, leat_zabbix_server_remove(play->server, word_of(play, words, 1)),
                   words->result);
}

static void on_load(struct play *play, struct words *words)
{
    leat_zabbix_tables *tables = leat_zabbix_server_tables(play->server, word_of(play, words, 1));
    struct t_bytes text = rest_of(words, 1);
    leat_builder *builder = t_json((const char *)text.data, text.length);
    int status;

    ck_assert_ptr_nonnull(tables);
    status = leat_zabbix_tables_load(tables, leat_builder_value(builder));
    leat_builder_free(builder);
    t_free(text);
    (void)answered(play, status, LEAT_OK);
}

static void on_task(struct play *play, struct words *words)
{
    struct t_bytes text = rest_of(words, 1);
    leat_builder *builder = t_json((const char *)text.data, text.length);
    int status =
        leat_zabbix_server_task(play->server, word_of(play, words, 1), leat_builder_value(builder));

    leat_builder_free(builder);
    t_free(text);
    (void)answered(play, status, words->result);
}

static void on_throttle(struct play *play, struct words *words)
{
    leat_zabbix_server_throttle(play->server, (uint32_t)number_of(play, words, 1));
}

static void on_tick(struct play *play, struct words *words)
{
    int64_t clock_ns =
        words->count > 2 ? (int64_t)number_of(play, words, 2) * INT64_C(1000000000) : 0;
    size_t i;

    play->now_ms = number_of(play, words, 1);
    leat_zabbix_server_tick(play->server, play->now_ms, clock_ns);
    for (i = 0; i < SESSIONS; i++) {
        if (play->session[i] != NULL)
            leat_tick(play->session[i], play->now_ms);
    }
}

static void on_idle(struct play *play, struct words *words)
{
    const char *name;
    leat_session *session;

    (void)words;
    (void)answered(play, leat_zabbix_server_connect(play->server, &name, &session), LEAT_END);
}

static void on_due(struct play *play, struct words *words)
{
    uint64_t due_ms = leat_zabbix_server_deadline(play->server);

    MUST(due_ms == number_of(play, words, 1), "%s: due at %" PRIu64, play->line, due_ms);
}

static void on_status(struct play *play, struct words *words)
{
    leat_zabbix_member_status s = {.size = sizeof s};
    const char *member = word_of(play, words, 2);
    uint64_t got = 0;
    size_t i;
    const struct {
        const char *name;
        const uint64_t *from;
    } members[] = {{"last_access_ms", &s.last_access_ms},
                   {"rows", &s.rows},
                   {"repeated", &s.repeated},
                   {"delay", &s.delay},
                   {"tasks", &s.tasks},
                   {"revision", &s.revision}};

    ck_assert_int_eq(leat_zabbix_server_get_status(play->server, words->word[1], &s), LEAT_OK);
    if (strcmp(member, "version") == 0) {
        ck_assert_str_eq(s.version, word_of(play, words, 3));
        return;
    }
    if (strcmp(member, "failures") == 0)
        got = s.failures;
    for (i = 0; i < sizeof members / sizeof *members; i++) {
        if (strcmp(members[i].name, member) == 0)
            got = *members[i].from;
    }
    MUST(is_good(play, got == number_of(play, words, 3)), "%s: it is %" PRIu64, play->line, got);
}

static void on_save(struct play *play, struct words *words)
{
    leat_buffer *buffer;
    size_t length;
    const void *data;
    int status;

    (void)words;
    if (!answered(play, leat_buffer_new(play->config, &buffer), LEAT_OK))
        return;
    status = leat_zabbix_server_save(play->server, buffer);
    data = leat_buffer_data(buffer, &length);
    t_free(play->saved);
    play->saved = t_copy(data, length);
    leat_buffer_free(buffer);
    (void)answered(play, status, LEAT_OK);
}

static void on_restore(struct play *play, struct words *words)
{
    (void)answered(play,
                   leat_zabbix_server_restore(play->server, play->saved.data, play->saved.length),
                   words->result);
}

static void on_quit(struct play *play, struct words *words)
{
    (void)words;
    leat_zabbix_server_free(play->server);
    play->server = NULL;
}

static void on_restart(struct play *play, struct words *words)
{
    on_quit(play, words);
    make_server(play);
    if (words->count == 1)
        tell_time(play);
}

/* ---- sessions ---- */

static size_t letter(const struct play *play, const char *text)
{
    MUST(text[0] >= 'A' && text[0] < 'A' + SESSIONS && text[1] == '\0', "%s: no such session",
         play->line);
    return (size_t)(text[0] - 'A');
}

static void drop(struct play *play, size_t i)
{
    leat_session_free(play->session[i]);
    play->session[i] = NULL;
    t_free(play->told[i]);
    play->told[i] = t_copy("", 0);
}

static void read_peer(const struct play *play, struct words *words, leat_zabbix_peer *peer)
{
    size_t i;

    leat_zabbix_peer_init(peer, sizeof *peer);
    for (i = 2; i < words->count; i += 2) {
        const char *name = words->word[i];
        char *value = words->word[i + 1];

        MUST(i + 1 < words->count, "%s: no value", play->line);
        spaces(value);
        if (strcmp(name, "connection") == 0)
            peer->connection = (uint32_t)strtoul(value, NULL, 10);
        else if (strcmp(name, "address") == 0)
            peer->address = value;
        else if (strcmp(name, "psk_identity") == 0)
            peer->psk_identity = value;
        else if (strcmp(name, "issuer") == 0)
            peer->issuer = value;
        else if (strcmp(name, "subject") == 0)
            peer->subject = value;
        else
            ck_abort_msg("%s: no such member", play->line);
    }
}

static void begin_session(struct play *play, size_t i, int status)
{
    if (answered(play, status, LEAT_OK))
        leat_tick(play->session[i], play->now_ms);
    else
        play->session[i] = NULL;
}

static void on_accept(struct play *play, struct words *words)
{
    size_t i = letter(play, word_of(play, words, 1));
    leat_zabbix_peer peer;

    drop(play, i);
    read_peer(play, words, &peer);
    begin_session(play, i, leat_zabbix_server_accept(play->server, &peer, &play->session[i]));
}

static void on_await(struct play *play, struct words *words)
{
    size_t i = letter(play, word_of(play, words, 1));

    drop(play, i);
    begin_session(play, i, leat_zabbix_server_accept(play->server, NULL, &play->session[i]));
}

static void on_met(struct play *play, struct words *words)
{
    size_t i = letter(play, word_of(play, words, 1));
    leat_zabbix_peer peer;

    read_peer(play, words, &peer);
    (void)answered(play, leat_zabbix_server_met(play->session[i], &peer), words->result);
}

static void on_connect(struct play *play, struct words *words)
{
    size_t i = letter(play, word_of(play, words, 1));
    const char *name;
    struct t_bytes exchange;

    drop(play, i);
    begin_session(play, i, leat_zabbix_server_connect(play->server, &name, &play->session[i]));
    if (play->failed)
        return;
    MUST(strcmp(name, word_of(play, words, 2)) == 0, "%s: it is %s", play->line, name);
    exchange = rest_of(words, 2);
    MUST(leat_zabbix_exchange(play->session[i]) == live_kind((const char *)exchange.data),
         "%s: another exchange", play->line);
    t_free(exchange);
}

static void say(struct t_bytes *to, const char *text)
{
    t_append(to, text, strlen(text));
}

static void say_event(struct t_bytes *to, const leat_event *event)
{
    const leat_value *id = leat_value_get(leat_event_value(event), "id");
    const leat_error *error = leat_event_error(event);
    char number[32];
    size_t length;
    const char *name = leat_event_name(event, &length);

    t_append(to, name, length);
    if (leat_event_kind(event) == LEAT_ZABBIX_ROW && id != NULL) {
        (void)snprintf(number, sizeof number, "#%" PRIu64, leat_zabbix_u64(id));
        say(to, number);
    }
    if (error != NULL) {
        say(to, "!");
        say(to, code_name(leat_error_code(error)));
        say(to, "/");
        say(to, leat_error_field(error));
    }
    say(to, ", ");
}

static int draw(struct play *play, size_t i)
{
    const leat_event *event;
    int status;

    while ((status = leat_next(play->session[i], &event)) == LEAT_OK)
        say_event(&play->told[i], event);
    return status;
}

static void hear(struct play *play, size_t i, struct t_bytes octets)
{
    size_t piece = play->cut == 0 ? octets.length : play->cut, at = 0;

    while (at < octets.length) {
        if (piece > octets.length - at)
            piece = octets.length - at;
        if (!answered(play, leat_feed(play->session[i], octets.data + at, piece), LEAT_OK))
            break;
        at += piece;
        if (at < octets.length && draw(play, i) != LEAT_MORE)
            break;
    }
    t_free(octets);
}

static void told(struct play *play, size_t i, const char *expected)
{
    int status = draw(play, i);

    say(&play->told[i], code_name(status));
    MUST(is_good(play, strcmp((const char *)play->told[i].data, expected) == 0),
         "%s (cut %zu): told \"%.300s\" (%s)", play->line, play->cut,
         (const char *)play->told[i].data, leat_error_text(leat_session_error(play->session[i])));
    t_free(play->told[i]);
    play->told[i] = t_copy("", 0);
}

static void told_next(struct play *play, size_t i, const char *expected)
{
    const leat_event *event;

    if (!answered(play, leat_next(play->session[i], &event), LEAT_OK))
        return;
    say_event(&play->told[i], event);
    MUST(strncmp((const char *)play->told[i].data, expected, strlen(expected)) == 0 &&
             strlen(expected) + 2 == play->told[i].length,
         "%s: told %s", play->line, (const char *)play->told[i].data);
    t_free(play->told[i]);
    play->told[i] = t_copy("", 0);
}

/* A * in the pattern stands for anything. */
static bool fits(struct t_bytes text, struct t_bytes pattern)
{
    const uint8_t *star = (const uint8_t *)memchr(pattern.data, '*', pattern.length);
    size_t before, behind;

    if (star == NULL)
        return text.length == pattern.length && memcmp(text.data, pattern.data, text.length) == 0;
    before = (size_t)(star - pattern.data);
    behind = pattern.length - before - 1;
    return text.length >= before + behind && memcmp(text.data, pattern.data, before) == 0 &&
           memcmp(text.data + text.length - behind, star + 1, behind) == 0;
}

static void said(struct play *play, size_t i, char flags, const char *text)
{
    struct t_bytes octets = live_take(play->session[i]), expected = live_text(text);
    const uint8_t *at = octets.data;
    struct taken message;

    MUST(is_good(play, octets.length > 0), "%s (cut %zu): nothing was said", play->line, play->cut);
    if (octets.length > 0) {
        message = take_frame(&at, octets.data + octets.length);
        MUST(is_good(play, message.flags == flags - '0' && fits(message.text, expected)),
             "%s (cut %zu): said %u %.300s", play->line, play->cut, (unsigned)message.flags,
             (const char *)message.text.data);
        MUST(at == octets.data + octets.length, "%s: said more than that", play->line);
        t_free(message.text);
    }
    t_free(expected);
    t_free(octets);
}

/* Of text the peer says now what stands before a |; the rest follows later. */
static void hear_part(struct play *play, size_t i, struct t_bytes text)
{
    uint8_t *place = (uint8_t *)memchr(text.data, '|', text.length);
    size_t before, behind;
    struct t_bytes octets;

    MUST(place != NULL, "%s: no place", play->line);
    before = (size_t)(place - text.data);
    behind = text.length - before - 1;
    memmove(place, place + 1, behind);
    octets = frame(1, text.data, text.length - 1);
    t_free(play->rest[i]);
    play->rest[i] = t_copy(octets.data + octets.length - behind, behind);
    octets.length -= behind;
    hear(play, i, octets);
}

static void on_session(struct play *play, struct words *words)
{
    size_t i = letter(play, words->word[0]), length;
    leat_session *session = play->session[i];
    const char *verb = word_of(play, words, 1);
    struct t_bytes rest = rest_of(words, 1);

    MUST(session != NULL, "%s: no session", play->line);
    if (verb[0] == '<') {
        hear(play, i, frame((uint8_t)(verb[1] - '0'), rest.data, rest.length));
    } else if (verb[0] == '>') {
        said(play, i, verb[1], words->rest[1]);
    } else if (strcmp(verb, "part") == 0) {
        hear_part(play, i, rest);
    } else if (strcmp(verb, "rest") == 0) {
        hear(play, i, t_copy(play->rest[i].data, play->rest[i].length));
    } else if (strcmp(verb, "octets") == 0) {
        hear(play, i, t_hex((const char *)rest.data));
    } else if (strcmp(verb, "end") == 0) {
        (void)answered(play, leat_recv_eof(session), LEAT_OK);
    } else if (strcmp(verb, "told") == 0) {
        told(play, i, words->rest[1]);
    } else if (strcmp(verb, "next") == 0) {
        told_next(play, i, words->rest[1]);
    } else if (strcmp(verb, "silent") == 0) {
        (void)leat_send_data(session, &length);
        MUST(is_good(play, length == 0), "%s: it says something", play->line);
    } else if (strcmp(verb, "proxy") == 0) {
        const char *name = leat_zabbix_server_proxy(session);

        MUST(is_good(play, strcmp(name == NULL ? "none" : name, word_of(play, words, 2)) == 0),
             "%s: it is %s", play->line, name == NULL ? "none" : name);
    } else if (strcmp(verb, "acknowledge") == 0) {
        (void)answered(play, leat_zabbix_server_acknowledge(session), words->result);
    } else if (strcmp(verb, "refuse") == 0) {
        (void)answered(play,
                       leat_zabbix_refuse(session, rest.length > 0 ? (char *)rest.data : NULL),
                       words->result);
    } else if (strcmp(verb, "free") == 0) {
        drop(play, i);
    } else {
        ck_abort_msg("%s: no such step", play->line);
    }
    t_free(rest);
}

static const struct {
    const char *name;
    void (*run)(struct play *play, struct words *words);
} steps[] = {
    {"server", on_server},   {"add", on_add},         {"remove", on_remove},
    {"load", on_load},       {"task", on_task},       {"throttle", on_throttle},
    {"tick", on_tick},       {"accept", on_accept},   {"await", on_await},
    {"met", on_met},         {"connect", on_connect}, {"idle", on_idle},
    {"due", on_due},         {"status", on_status},   {"save", on_save},
    {"restore", on_restore}, {"quit", on_quit},       {"restart", on_restart},
};

/* What a $ and a letter stand for. */
static const struct {
    char letter;
    const char *text;
} shorthands[] = {
    {'T', "'session':'0123456789abcdef0123456789abcdef'"},
    {'O', "'session':'ffffffffffffffffffffffffffffffff'"},
    {'N', "'clock':1795293132,'ns':1"},
    {'P', "'request':'proxy data','host':'px','session':'0123456789abcdef0123456789abcdef'"},
    {'E', "'version':'7.0.22','clock':1795293132,'ns':1"},
    {'C', "'request':'proxy config','host':'px','version':'7.0.22',"
          "'session':'0123456789abcdef0123456789abcdef','config_revision':"},
    {'S', "{'upload':'enabled','response':'success'}"},
};

static void say_shorthand(struct t_bytes *to, char letter)
{
    size_t i;

    for (i = 0; i < sizeof shorthands / sizeof *shorthands; i++) {
        if (shorthands[i].letter == letter)
            say(to, shorthands[i].text);
    }
}

/* The line with all that stands for something else written out. */
static struct t_bytes written_out(const char *line, size_t length)
{
    struct t_bytes made = t_copy("", 0);
    const char *end = line + length;
    char row[160];

    while (line < end) {
        if (*line != '$') {
            t_append(&made, line++, 1);
            continue;
        }
        line++;
        if (*line >= '0' && *line <= '9') {
            char *behind;
            unsigned long id = strtoul(line, &behind, 10);

            (void)snprintf(row, sizeof row,
                           "{'id':%lu,'itemid':950041,'clock':1795293132,'ns':%lu,'value':'x'}", id,
                           id);
            say(&made, row);
            line = behind;
        } else {
            say_shorthand(&made, *line++);
        }
    }
    return made;
}

static void step(struct play *play, const char *line)
{
    struct words words;
    size_t i;

    play->line = line;
    take_apart(play, line, &words);
    if (words.count == 0)
        return;
    for (i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (strcmp(steps[i].name, words.word[0]) == 0) {
            steps[i].run(play, &words);
            return;
        }
    }
    on_session(play, &words);
}

static int run(struct play *play, const char *script)
{
    size_t i;

    for (i = 0; i < SESSIONS; i++) {
        play->told[i] = t_copy("", 0);
        play->rest[i] = t_copy("", 0);
    }
    play->saved = t_copy("", 0);
    while (*script != '\0' && !play->failed) {
        size_t length = strcspn(script, "\n");

        struct t_bytes line = written_out(script, length);

        step(play, (const char *)line.data);
        t_free(line);
        script += length + (script[length] == '\n' ? 1 : 0);
    }
    for (i = 0; i < SESSIONS; i += 2)
        drop(play, i);
    leat_zabbix_server_free(play->server);
    for (i = 0; i < SESSIONS; i++) {
        drop(play, i);
        t_free(play->told[i]);
        t_free(play->rest[i]);
    }
    t_free(play->saved);
    return play->failed ? LEAT_E_NOMEM : LEAT_OK;
}

void served_play_cut(const char *script, size_t cut)
{
    struct play play = {.cut = cut};

    (void)run(&play, script);
}

void served_play(const char *script)
{
    served_play_cut(script, 0);
}

int served_play_alloc(const leat_config *config, const void *script)
{
    struct play play = {.config = config, .may_fail = true};

    return run(&play, (const char *)script);
}
