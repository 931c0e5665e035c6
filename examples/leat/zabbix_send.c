/* leat zabbix send: values for the trapper items of a server or a proxy, as zabbix_sender sends them. */
#include "zabbix_live.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_ROWS      250u /* what zabbix_sender puts into a message */
#define TIMEOUT_MS      60000u
#define CLOCK_MAX       2147483647u
#define NS_MAX          999999999u
#define EXIT_UNFINISHED 2 /* sent, but not all of it was processed */

struct sender {
    struct asking asking;
    struct output output;
    struct endpoint configured;
    leat_zabbix_redirect redirect;
    const char *host; /* of --host; NULL: none */
    bool with_clock;
    bool with_ns;
    bool with_input;
    struct input input;
    uint64_t line;
    leat_builder *batch; /* the message at hand */
    uint64_t rows;       /* in it */
    char *words;         /* of a line, each with a NUL behind it */
    size_t words_size;
    bool again;   /* the same message is to be sent once more */
    bool refused; /* by the server */
    bool broken;  /* a line, or a connection */
    bool unfinished;
};

struct row {
    const char *host;
    const char *key;
    const char *value;
    uint64_t clock;
    uint64_t ns;
};

/* Building the message */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Takes a quoted word that begins at *at, to *to. False: its end is missing. */
static bool take_quoted(const char **at, const char *end, char **to)
{
    const char *from = *at + 1;

    for (; from < end && *from != '"'; from++) {
        bool escaped = *from == '\\' && from + 1 < end &&
                       (from[1] == '"' || from[1] == '\\' || from[1] == 'n');

        if (escaped)
            from++;
        *(*to)++ = escaped && *from == 'n' ? '\n' : *from;
    }
    *at = from + 1;
    return from < end && (*at == end || is_blank(**at));
}

/* The next word of the line; the last one goes on to the end of the line, unless it is quoted. NULL: there is none. */
static const char *take_word(const char **at, const char *end, char **to, bool is_last)
{
    const char *word = *to;

    while (*at < end && is_blank(**at))
        ++*at;
    if (*at == end)
        return NULL;
    if (**at == '"') {
        if (!take_quoted(at, end, to))
            return NULL;
    } else {
        while (*at < end && (is_last || !is_blank(**at)))
            *(*to)++ = *(*at)++;
    }
    *(*to)++ = '\0';
    return word;
}

/* A number of a line. */
static bool take_number(const char **at, const char *end, char **to, uint64_t most,
                        uint64_t *number)
{
    const char *word = take_word(at, end, to, false);

    return word != NULL && number_read(word, strlen(word), 10, number) && *number <= most;
}

/* Reads the line into sender->words. What is wrong with it, or NULL. */
static const char *read_line(struct sender *sender, const char *line, size_t length,
                             struct row *row)
{
    const char *at = line;
    const char *end = line + length;
    char *to;

    /* Words are no longer than what they were, with one octet behind each: of five, four stand for a blank. */
    if (length + 2 > sender->words_size) {
        free(sender->words);
        sender->words_size = 2 * (length + 2);
        sender->words = malloc(sender->words_size);
        need_memory(sender->words == NULL ? LEAT_E_NOMEM : LEAT_OK);
    }
    if (memchr(line, '\0', length) != NULL)
        return "a zero octet";
    to = sender->words;
    row->host = take_word(&at, end, &to, false);
    row->key = row->host == NULL ? NULL : take_word(&at, end, &to, false);
    if (row->key == NULL)
        return "not a host, a key and a value";
    if (sender->with_clock && !take_number(&at, end, &to, CLOCK_MAX, &row->clock))
        return "not a timestamp";
    if (sender->with_ns && !take_number(&at, end, &to, NS_MAX, &row->ns))
        return "not nanoseconds";
    row->value = take_word(&at, end, &to, true);
    if (row->value == NULL)
        return "not a host, a key and a value";
    while (at < end && is_blank(*at))
        at++;
    if (at < end)
        return "something behind the value";
    if (strcmp(row->host, "-") == 0)
        row->host = sender->host;
    return row->host == NULL ? "a host of - without --host" : NULL;
}

static const char *add_row(struct sender *sender, const struct row *row)
{
    leat_builder *batch = sender->batch;
    const char *texts[3] = {row->host, row->key, row->value};
    static const char *const names[3] = {"host", "key", "value"};
    leat_builder *text;
    bool sound = true;
    size_t i;

    need_memory(leat_builder_new(NULL, &text));
    for (i = 0; i < 3; i++) {
        leat_builder_clear(text);
        need_memory(leat_builder_text(text, NULL, texts[i], strlen(texts[i])));
        sound = sound && leat_value_is_utf8(leat_builder_value(text)) != 0;
    }
    leat_builder_free(text);
    if (!sound)
        return "not UTF-8";
    (void)leat_builder_open(batch, NULL, LEAT_RECORD);
    for (i = 0; i < 3; i++)
        (void)leat_builder_text(batch, names[i], texts[i], strlen(texts[i]));
    if (sender->with_clock)
        (void)leat_builder_u64(batch, "clock", row->clock);
    if (sender->with_ns)
        (void)leat_builder_u64(batch, "ns", row->ns);
    (void)leat_builder_close(batch);
    sender->rows++;
    return NULL;
}

static void begin_batch(struct sender *sender)
{
    leat_builder_clear(sender->batch);
    (void)leat_builder_open(sender->batch, NULL, LEAT_RECORD);
    (void)leat_builder_text(sender->batch, "request", "sender data", 11);
    (void)leat_builder_open(sender->batch, "data", LEAT_LIST);
    sender->rows = 0;
}

static void end_batch(struct sender *sender)
{
    int64_t now = clock_ns();

    (void)leat_builder_close(sender->batch);
    if (sender->with_clock) {
        (void)leat_builder_u64(sender->batch, "clock", (uint64_t)(now / 1000000000));
        (void)leat_builder_u64(sender->batch, "ns", (uint64_t)(now % 1000000000));
    }
    need_memory(leat_builder_close(sender->batch));
}

/* Reads lines for a message. False: there are none, or one is not sound. */
static bool read_batch(struct sender *sender)
{
    const char *line;
    size_t length;

    begin_batch(sender);
    while (sender->rows < BATCH_ROWS && input_line(&sender->input, &line, &length)) {
        struct row row = {0};
        const char *problem = read_line(sender, line, length, &row);

        sender->line++;
        if (problem == NULL)
            problem = add_row(sender, &row);
        if (problem != NULL) {
            complain("%s: line %" PRIu64 ": %s", sender->input.name, sender->line, problem);
            sender->broken = true;
            return false;
        }
    }
    end_batch(sender);
    return sender->rows > 0;
}

/* Talking */

static int ask(struct asking *asking, leat_session *session)
{
    struct sender *sender = asking->data;

    return leat_send(session, "sender data", leat_builder_value(sender->batch));
}

/* Whether what servers tell behind "failed: " is not 0. */
static bool tells_failures(const leat_value *response)
{
    static const char word[] = "failed: ";
    size_t length, i;
    const char *info = leat_value_text(leat_value_get(response, "info"), &length);

    for (i = 0; i + sizeof word <= length; i++) {
        if (memcmp(info + i, word, sizeof word - 1) == 0)
            return info[i + sizeof word - 1] != '0';
    }
    return false;
}

static void take_response(struct sender *sender, const leat_value *response)
{
    size_t length;
    const char *text;

    switch (leat_zabbix_redirect_follow(&sender->redirect, response)) {
    case LEAT_OK:
        sender->again = true;
        return;
    case LEAT_END:
        break;
    default:
        complain("a redirect that leads nowhere");
        sender->refused = true;
        return;
    }
    text = leat_value_text(leat_value_get(response, "response"), &length);
    if (length != 7 || memcmp(text, "success", 7) != 0)
        sender->refused = true;
    else if (tells_failures(response))
        sender->unfinished = true;
    else
        sender->asking.live.count += sender->rows;
}

static void hear(struct asking *asking, const struct connection *connection,
                 const leat_event *event)
{
    struct sender *sender = asking->data;

    print_event(&sender->output, connection, event, NULL);
    if (leat_event_kind(event) != LEAT_ZABBIX_RESPONSE || leat_event_error(event) != NULL)
        return;
    asking->answered = true;
    take_response(sender, leat_event_value(event));
}

/* Where the next message goes: to the configured place, or where it was sent. */
static void choose_endpoint(struct sender *sender)
{
    struct endpoint *endpoint = &sender->asking.endpoint;

    *endpoint = sender->configured;
    if (sender->redirect.host[0] == '\0')
        return;
    (void)snprintf(endpoint->host, sizeof endpoint->host, "%s", sender->redirect.host);
    (void)snprintf(endpoint->port, sizeof endpoint->port, "%u", (unsigned)sender->redirect.port);
}

static void next(struct asking *asking)
{
    struct sender *sender = asking->data;

    if (asking->problem[0] != '\0') {
        complain("%s", asking->problem);
        sender->broken = true;
    }
    if (sender->broken || sender->refused)
        return;
    if (sender->again)
        sender->again = false;
    else if (!sender->with_input || !read_batch(sender))
        return;
    choose_endpoint(sender);
    asking_begin(asking);
}

/* Beginning and ending */

static bool take_operands(struct sender *sender, const struct arguments *arguments)
{
    struct row row = {.host = sender->host};
    const char *problem;

    if (sender->with_input) {
        if (arguments->operand_count == 1)
            return true;
        complain("KEY VALUE and --input exclude each other");
        return false;
    }
    if (arguments->operand_count < 3) {
        complain("KEY VALUE or --input is missing");
        return false;
    }
    if (sender->host == NULL) {
        complain("--host is missing");
        return false;
    }
    if (sender->with_clock) {
        complain("%s needs --input", sender->with_ns ? "--with-ns" : "--with-timestamps");
        return false;
    }
    row.key = arguments->operands[1];
    row.value = arguments->operands[2];
    begin_batch(sender);
    problem = add_row(sender, &row);
    if (problem != NULL)
        complain("%s", problem);
    end_batch(sender);
    sender->again = true;
    return problem == NULL;
}

static int run(struct sender *sender)
{
    sender->asking.data = sender;
    sender->asking.ask = ask;
    sender->asking.hear = hear;
    sender->asking.next = next;
    asking_run(&sender->asking);
    if (sender->broken || sender->refused || sender->output.undecodable > 0)
        return EXIT_MALFORMED;
    return sender->unfinished ? EXIT_UNFINISHED : EXIT_DONE;
}

int zabbix_send(const struct arguments *arguments)
{
    struct sender *sender = calloc(1, sizeof *sender);
    const char *input = option_value(arguments, "--input");
    int code = EXIT_USAGE;

    need_memory(sender == NULL ? LEAT_E_NOMEM : LEAT_OK);
    sender->host = option_value(arguments, "--host");
    sender->with_ns = option_given(arguments, "--with-ns");
    sender->with_clock = sender->with_ns || option_given(arguments, "--with-timestamps");
    sender->with_input = input != NULL;
    leat_zabbix_redirect_init(&sender->redirect, sizeof sender->redirect);
    need_memory(leat_builder_new(NULL, &sender->batch));
    output_open(&sender->output);
    if (take_operands(sender, arguments) &&
        (!sender->with_input || input_open(&sender->input, input))) {
        if (asking_open(&sender->asking, arguments, LEAT_ZABBIX_AS_SENDER, LEAT_ZABBIX_SENDER_DATA,
                        TIMEOUT_MS)) {
            sender->configured = sender->asking.endpoint;
            code = run(sender);
            asking_close(&sender->asking);
        }
        if (sender->with_input)
            input_close(&sender->input);
    }
    output_close(&sender->output);
    leat_builder_free(sender->batch);
    free(sender->words);
    free(sender);
    return code;
}
