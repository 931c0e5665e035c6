/*
 * The proxy by script: what it is given, what its server says, what it says, what it tells.
 *
 * A script is lines. Those about a session begin with its name, one letter:
 *
 *     proxy VERSION [passive] [OPTION=NUMBER ...]   makes it: "px", at 0 ms, which is second 1000
 *     tick MS                      the time, on both clocks
 *     deadline MS|never
 *     value ITEMID TEXT            gives LEAT_OK
 *     history CODE JSON            leat_zabbix_proxy_history() of the row
 *     row CODE SECTION/JSON        leat_zabbix_proxy_row()
 *     status FIELD NUMBER
 *     revision NUMBER              of the tables
 *     reload
 *     save, journal                go behind what was kept
 *     restart                      frees it and restores another one
 *     none                         leat_zabbix_proxy_connect() gives LEAT_END
 *     a connect EXCHANGE           it gives a session for that
 *     a accept server|stranger
 *     a met CODE server|stranger
 *     a says TEXT                  the output is this message; in TEXT * stands for anything
 *     a silent                     there is no output
 *     a < TEXT                     the peer says it, compressed
 *     a end                        the end of the peer's stream
 *     a told EVENT ... STATUS      all that leat_next() tells (EVENT!CODE: with an error)
 *     a next EVENT JSON            the next event alone
 *     a due MS                     its deadline
 *     a free
 *
 * In texts stand single quotes for double ones; EVENT has = for each space.
 */
#include "live.h"

#include <leat/zabbix_proxy.h>
#include <stdio.h>

#define TOKEN "0123456789abcdef0123456789abcdef"

struct play {
    const leat_config *config;
    leat_zabbix_proxy_options options;
    char version[32];
    leat_zabbix_proxy *proxy;
    leat_session *sessions[26];
    leat_buffer *kept;
    uint64_t now_ms;
    int status; /* LEAT_E_NOMEM: an allocation failed, and the script is over */
};

/*
 * When allocations fail, what is said and told may be another thing; then the script is over, and
 * only has to leave nothing behind.
 */
#define EXPECT(p, what, ...)                                                                       \
    do {                                                                                           \
        if (!(what) && (p)->config != NULL)                                                        \
            (p)->status = LEAT_E_NOMEM;                                                            \
        else                                                                                       \
            MUST(what, __VA_ARGS__);                                                               \
    } while (0)

/* The next piece of the text up to that octet, which is overwritten; NULL: there is none. */
static char *cut_off(char **rest, char end)
{
    char *piece = *rest, *at = piece == NULL ? NULL : strchr(piece, end);

    if (at != NULL)
        *at++ = '\0';
    *rest = at;
    return piece == NULL || (at == NULL && *piece == '\0') ? NULL : piece;
}

static int code_of(const char *name)
{
    int code;

    for (code = LEAT_E_TIMEOUT; code <= LEAT_END; code++) {
        const char *full = leat_status_name(code);

        if (strcmp(full + 5, name) == 0 ||
            (strncmp(full, "LEAT_E_", 7) == 0 && strcmp(full + 7, name) == 0 && code != LEAT_E_END))
            return code;
    }
    ck_abort_msg("no status %s", name);
    return 0;
}

/* Sets what failed for want of memory; false: nothing did. */
static bool out_of_memory(struct play *p, int status)
{
    if (status == LEAT_E_NOMEM)
        p->status = status;
    return status == LEAT_E_NOMEM;
}

static bool matches(const char *text, const char *pattern)
{
    for (; *pattern != '\0'; pattern++, text++) {
        if (*pattern == '*') {
            while (!matches(text, pattern + 1)) {
                if (*text++ == '\0')
                    return false;
            }
            return true;
        }
        if (*text != *pattern)
            return false;
    }
    return *text == '\0';
}

/* ---- frames ---- */

/* The text of the message that waits, all of it, or NULL. */
static char *said(leat_session *session)
{
    size_t length, body;
    const uint8_t *data = (const uint8_t *)leat_send_data(session, &length);
    uLongf size;
    char *text;

    if (length == 0)
        return NULL;
    ck_assert_uint_ge(length, 13);
    body = data[5] | (size_t)data[6] << 8 | (size_t)data[7] << 16;
    size = data[9] | (uLongf)data[10] << 8 | (uLongf)data[11] << 16;
    ck_assert_uint_eq(length, 13 + body);
    if ((data[4] & 2) == 0)
        size = (uLongf)body;
    text = (char *)calloc(1, size + 1);
    ck_assert_ptr_nonnull(text);
    if ((data[4] & 2) == 0)
        memcpy(text, data + 13, body);
    else
        ck_assert_int_eq(uncompress((Bytef *)text, &size, data + 13, (uLong)body), Z_OK);
    ck_assert_int_eq(leat_send_done(session, length), LEAT_OK);
    return text;
}

/* ---- commands about the proxy ---- */

static void tick(struct play *p)
{
    leat_zabbix_proxy_tick(p->proxy, p->now_ms, (int64_t)(1000000 + p->now_ms) * 1000000);
}

static void make_again(struct play *p)
{
    if (out_of_memory(p, leat_zabbix_proxy_new(p->config, &p->options, &p->proxy)))
        return;
    ck_assert_ptr_nonnull(p->proxy);
    tick(p);
}

static void make(struct play *p, char *words)
{
    static const struct {
        const char *name;
        size_t at;
    } numbers[] = {
#define OPTION(name) {#name, offsetof(leat_zabbix_proxy_options, name)}
        OPTION(buffer_rows),  OPTION(buffer_bytes), OPTION(buffer_ms), OPTION(batch_rows),
        OPTION(batch_bytes),  OPTION(config_ms),    OPTION(data_ms),   OPTION(tasks_ms),
        OPTION(heartbeat_ms), OPTION(retry_ms),     OPTION(linger_ms), OPTION(timeout_ms),
    };
    char *word;
    size_t i;

    leat_zabbix_proxy_options_init(&p->options, sizeof p->options);
    word = cut_off(&words, ' ');
    snprintf(p->version, sizeof p->version, "%s", word);
    p->options.name = "px";
    p->options.version = p->version;
    p->options.session = TOKEN;
    while ((word = cut_off(&words, ' ')) != NULL) {
        char *equals = strchr(word, '=');

        if (strcmp(word, "passive") == 0)
            p->options.passive = 1;
        if (strcmp(word, "drop") == 0)
            p->options.buffer_policy = LEAT_ZABBIX_DROP_OLDEST;
        for (i = 0; equals != NULL && i < sizeof numbers / sizeof *numbers; i++) {
            uint64_t number = strtoull(equals + 1, NULL, 10);

            if (strncmp(word, numbers[i].name, (size_t)(equals - word)) == 0)
                memcpy((char *)&p->options + numbers[i].at, &number, sizeof number);
        }
    }
    make_again(p);
}

static leat_builder *parsed(const char *text)
{
    struct t_bytes json = live_text(text);
    leat_builder *builder = t_json((const char *)json.data, json.length);

    t_free(json);
    return builder;
}

static void check_code(struct play *p, int status, const char *expected, const char *line)
{
    if (!out_of_memory(p, status))
        EXPECT(p, status == code_of(expected), "%s: %s", line, leat_status_name(status));
}

static void give_value(struct play *p, char *words)
{
    leat_zabbix_history value;
    char *text = strchr(words, ' ');

    leat_zabbix_history_init(&value, sizeof value);
    value.itemid = strtoull(words, NULL, 10);
    value.value = text + 1;
    value.value_length = strlen(text + 1);
    value.has = LEAT_ZABBIX_HAS_ITEMID | LEAT_ZABBIX_HAS_VALUE;
    check_code(p, leat_zabbix_proxy_history(p->proxy, &value, NULL), "OK", words);
}

static void give_history(struct play *p, char *words)
{
    char *json = strchr(words, ' ');
    leat_builder *row = parsed(json + 1);
    leat_zabbix_history value;

    *json = '\0';
    leat_zabbix_history_init(&value, sizeof value);
    ck_assert_int_eq(leat_zabbix_history_read(leat_builder_value(row), &value), LEAT_OK);
    check_code(p, leat_zabbix_proxy_history(p->proxy, &value, NULL), words, json + 1);
    leat_builder_free(row);
}

static void give_row(struct play *p, char *words)
{
    char *section = strchr(words, ' ') + 1, *json = strchr(words, '/');
    leat_builder *row = parsed(json + 1);

    section[-1] = '\0';
    *json = '\0';
    check_code(p, leat_zabbix_proxy_row(p->proxy, section, leat_builder_value(row)), words,
               json + 1);
    leat_builder_free(row);
}

static void check_status(struct play *p, char *words)
{
    static const char *const names[] = {"rows",         "bytes", "dropped", "last_id",
                                        "acknowledged", "delay", "upload",  "failures"};
    leat_zabbix_proxy_status status = {.size = sizeof status};
    char *number = strchr(words, ' ');
    uint64_t numbers[8];
    size_t i = 0;

    *number = '\0';
    ck_assert_int_eq(leat_zabbix_proxy_get_status(p->proxy, &status), LEAT_OK);
    memcpy(numbers, &status.rows, 6 * sizeof *numbers);
    numbers[6] = status.upload;
    numbers[7] = status.failures;
    while (strcmp(names[i], words) != 0)
        i++;
    EXPECT(p, numbers[i] == strtoull(number + 1, NULL, 10), "%s %llu, not %s", words,
           (unsigned long long)numbers[i], number + 1);
}

static void keep(struct play *p, bool save)
{
    if (save)
        leat_buffer_clear(p->kept);
    check_code(p,
               save ? leat_zabbix_proxy_save(p->proxy, p->kept)
                    : leat_zabbix_proxy_journal(p->proxy, p->kept),
               "OK", "keep");
}

static void restart(struct play *p)
{
    size_t length, used = 0;
    const void *data = leat_buffer_data(p->kept, &length);

    leat_zabbix_proxy_free(p->proxy);
    p->proxy = NULL;
    p->options.session = "ffffffffffffffffffffffffffffffff";
    make_again(p);
    if (p->proxy == NULL)
        return;
    check_code(p, leat_zabbix_proxy_restore(p->proxy, data, length, &used), "OK", "restart");
    ck_assert(p->status != LEAT_OK || used == length);
}

static bool on_proxy(struct play *p, char *line)
{
    char *words = strchr(line, ' ');
    leat_session *session;

    if (words != NULL)
        *words++ = '\0';
    if (strcmp(line, "proxy") == 0) {
        make(p, words);
    } else if (strcmp(line, "tick") == 0) {
        p->now_ms = strtoull(words, NULL, 10);
        tick(p);
    } else if (strcmp(line, "deadline") == 0) {
        uint64_t expected = t_deadline(words);

        EXPECT(p, leat_zabbix_proxy_deadline(p->proxy) == expected, "deadline %llu, not %s",
               (unsigned long long)leat_zabbix_proxy_deadline(p->proxy), words);
    } else if (strcmp(line, "value") == 0) {
        give_value(p, words);
    } else if (strcmp(line, "history") == 0) {
        give_history(p, words);
    } else if (strcmp(line, "row") == 0) {
        give_row(p, words);
    } else if (strcmp(line, "status") == 0) {
        check_status(p, words);
    } else if (strcmp(line, "revision") == 0) {
        ck_assert_uint_eq(leat_zabbix_tables_revision(leat_zabbix_proxy_tables(p->proxy)),
                          strtoull(words, NULL, 10));
    } else if (strcmp(line, "reload") == 0) {
        leat_zabbix_proxy_reload(p->proxy);
    } else if (strcmp(line, "save") == 0 || strcmp(line, "journal") == 0) {
        keep(p, line[0] == 's');
    } else if (strcmp(line, "restart") == 0) {
        restart(p);
    } else if (strcmp(line, "gone") == 0) {
        leat_zabbix_proxy_free(p->proxy);
        p->proxy = NULL;
    } else if (strcmp(line, "none") == 0) {
        check_code(p, leat_zabbix_proxy_connect(p->proxy, &session),
                   p->options.passive != 0 ? "STATE" : "END", line);
    } else {
        return false;
    }
    return true;
}

/* ---- commands about a session ---- */

static void check_next(struct play *p, leat_session *session, char *words)
{
    char *json = strchr(words, ' '), *text, *c;
    const leat_event *event;
    size_t length;
    const char *name;
    struct t_bytes expected;
    int status = leat_next(session, &event);

    if (out_of_memory(p, status))
        return;
    EXPECT(p, status == LEAT_OK, "%s: %s", words, leat_status_name(status));
    *json = '\0';
    for (c = words; *c != '\0'; c++)
        *c = *c == '=' ? ' ' : *c;
    name = leat_event_name(event, &length);
    EXPECT(p, length == strlen(words) && memcmp(name, words, length) == 0, "%s: %.*s", words,
           (int)length, name);
    expected = live_text(json + 1);
    text = t_json_text(leat_event_value(event));
    EXPECT(p, matches(text, (const char *)expected.data), "%s\nnot %s", text, json + 1);
    free(text);
    t_free(expected);
}

/* What leat_next() tells, as the script has it. */
static void check_told(struct play *p, leat_session *session, const char *expected)
{
    char told[1000] = "";
    const leat_event *event;
    size_t at = 0;
    int status;

    while ((status = leat_next(session, &event)) == LEAT_OK) {
        size_t length, i;
        const char *name = leat_event_name(event, &length);

        for (i = 0; i < length; i++)
            told[at++] = name[i] == ' ' ? '=' : name[i];
        if (leat_event_error(event) != NULL)
            at += (size_t)snprintf(told + at, 50, "!%s",
                                   leat_status_name(leat_error_code(leat_event_error(event))) + 7);
        told[at++] = ' ';
        ck_assert_uint_lt(at, 900);
    }
    snprintf(told + at, 50, "%s",
             leat_status_name(status) + (status < 0 && status != LEAT_E_END ? 7 : 5));
    if (!out_of_memory(p, status))
        EXPECT(p, strcmp(told, expected) == 0, "told %s, not %s (%s)", told, expected,
               leat_error_text(leat_session_error(session)));
}

static void check_said(struct play *p, leat_session *session, const char *pattern)
{
    const leat_event *event;
    int status = leat_next(session, &event);
    struct t_bytes expected = live_text(pattern);
    char *text;

    if (!out_of_memory(p, status)) {
        EXPECT(p, status != LEAT_OK, "an event before %s", pattern);
        text = said(session);
        EXPECT(p, text != NULL && matches(text, (const char *)expected.data), "said %s\nnot  %s",
               text == NULL ? "nothing" : text, (const char *)expected.data);
        free(text);
    }
    t_free(expected);
}

static void hear(struct play *p, leat_session *session, const char *text)
{
    struct t_bytes json = live_text(text);
    struct t_bytes whole = frame(3, json.data, json.length);

    (void)out_of_memory(p, leat_feed(session, whole.data, whole.length));
    t_free(whole);
    t_free(json);
}

static void on_session(struct play *p, leat_session **session, char *line)
{
    char *words = strchr(line, ' ');
    size_t length;

    if (words != NULL)
        *words++ = '\0';
    if (*session != NULL)
        leat_tick(*session, p->now_ms);
    if (strcmp(line, "connect") == 0) {
        check_code(p, leat_zabbix_proxy_connect(p->proxy, session), "OK", words);
        EXPECT(p, *session == NULL || leat_zabbix_exchange(*session) == live_kind(words), "%s",
               words);
    } else if (strcmp(line, "accept") == 0) {
        check_code(p, leat_zabbix_proxy_accept(p->proxy, strcmp(words, "server") == 0, session),
                   "OK", words);
    } else if (strcmp(line, "met") == 0) {
        bool server = strstr(words, "server") != NULL;

        *strchr(words, ' ') = '\0';
        check_code(p, leat_zabbix_proxy_met(*session, server), words, "met");
    } else if (strcmp(line, "says") == 0) {
        check_said(p, *session, words);
    } else if (strcmp(line, "silent") == 0) {
        (void)leat_send_data(*session, &length);
        ck_assert_uint_eq(length, 0);
    } else if (strcmp(line, "<") == 0) {
        hear(p, *session, words);
    } else if (strcmp(line, "end") == 0) {
        (void)leat_recv_eof(*session);
    } else if (strcmp(line, "told") == 0) {
        check_told(p, *session, words);
    } else if (strcmp(line, "next") == 0) {
        check_next(p, *session, words);
    } else if (strcmp(line, "reply") == 0) {
        check_code(p, live_send(*session, "response", words), "OK", "reply");
    } else if (strcmp(line, "due") == 0) {
        EXPECT(p, leat_deadline(*session) == strtoull(words, NULL, 10), "due %llu, not %s",
               (unsigned long long)leat_deadline(*session), words);
    } else if (strcmp(line, "free") == 0) {
        leat_session_free(*session);
        *session = NULL;
    } else {
        ck_abort_msg("no command %s", line);
    }
}

static int play_with(const leat_config *config, const void *arg)
{
    struct play p = {.config = config};
    struct t_bytes script = t_copy(arg, strlen((const char *)arg) + 1);
    char *rest = (char *)script.data, *line;
    size_t i;

    ck_assert_int_eq(leat_buffer_new(NULL, &p.kept), LEAT_OK);
    while (p.status == LEAT_OK && (line = cut_off(&rest, '\n')) != NULL) {
        if (line[0] >= 'a' && line[0] <= 'z' && line[1] == ' ')
            on_session(&p, &p.sessions[line[0] - 'a'], line + 2);
        else if (!on_proxy(&p, line))
            ck_abort_msg("no command %s", line);
    }
    leat_zabbix_proxy_free(p.proxy);
    for (i = 0; i < 26; i++)
        leat_session_free(p.sessions[i]);
    leat_buffer_free(p.kept);
    t_free(script);
    return p.status;
}

/* ---- scripts ---- */

#define SUCCESS "{'upload':'enabled','response':'success'}"
#define CONFIG  "{'full_sync':1,'data':{},'config_revision':5}"
#define HEAD    "{'request':'proxy data','host':'px','session':'" TOKEN "'"
#define TAIL(s) ",'version':'7.0.22','clock':" s ",'ns':0}"
#define BARE(s) HEAD TAIL(s)
#define HUNDRED                                                                                    \
    "01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901" \
    "23456789"
/* The configuration is there, and the first message without rows. */
#define BEGUN                                                                                      \
    "a connect proxy config\na says *\na < " CONFIG "\na told proxy=config MORE\na end\n"          \
    "a told END\na free\n"                                                                         \
    "a connect proxy data\na says *\na < " SUCCESS "\na told response MORE\na end\na told END\n"   \
    "a free\n"
#define ROW(id, item, second, ns, value)                                                           \
    "{'id':" id ",'itemid':" item ",'clock':" second ",'ns':" ns ",'value':'" value "'}"

static const struct {
    const char *name;
    const char *script;
} scripts[] = {
    {"active: configuration at once, then data, by the schedule",
     "proxy 7.0.22\ndeadline 0\n"
     "a connect proxy config\n"
     "a says {'request':'proxy config','host':'px','version':'7.0.22','session':'" TOKEN
     "','config_revision':0}\n"
     "b connect proxy data\nb says " BARE(
         "1000") "\nnone\ndeadline never\n"
                 "a < " CONFIG
                 "\na next proxy=config *\na told MORE\na end\na told END\na free\nrevision 5\n"
                 "b < " SUCCESS "\nb told response MORE\nb end\nb told END\nb free\n"
                 "deadline 1000\ntick 999\nnone\ntick 1000\n"
                 "b connect proxy data\nb says " BARE(
                     "1001") "\nb < " SUCCESS "\nb told response MORE\nb free\n"
                             "tick 10000\na connect proxy config\na says *'config_revision':5}\nb "
                             "connect proxy data\n"
                             "none\n"},
    {"no configuration yet, but values: both are asked for at once",
     "proxy 7.0.22\nvalue 7 x\na connect proxy config\nb connect proxy data\n"
     "b says " HEAD ",'history data':[" ROW("1", "7", "1000", "1", "x") "]" TAIL(
         "1000") "\n"
                 "b < " SUCCESS "\nb next response *\n"
                 "b next acknowledged {'history data':{'rows':1,'id':1}}\nb told MORE\nstatus rows "
                 "0\n"
                 "status acknowledged 1\n"},
    {"rows wait for data_ms, and are sent again with newer ones after a failure",
     "proxy 7.0.22\n" BEGUN "value 7 a\ndeadline 0\na connect proxy data\n"
     "a says *'history data':[" ROW("1", "7", "1000", "1", "a") "]" TAIL(
         "1000") "\n"
                 "value 8 b\na end\na told E_END\na free\nstatus failures 1\nstatus rows 2\n"
                 "deadline 1000\nnone\ntick 1000\na connect proxy data\na says " BARE(
                     "1001") "\n"
                             "a < {'response':'failed'}\na told response MORE\na free\nstatus "
                             "failures 2\n"
                             "deadline 3000\ntick 3000\na connect proxy data\na says " BARE(
                                 "1003") "\n"
                                         "a < " SUCCESS "\na told response MORE\na free\nstatus "
                                         "failures 0\ndeadline 1000\n"
                                         "a connect proxy data\n"
                                         "a says *'history data':[" ROW(
                                             "1", "7", "1000", "1",
                                             "a") "," ROW("2", "8", "1000", "2",
                                                          "b") "]" TAIL("1003") "\nvalue 9 c\n"
                                                                                "a < " SUCCESS
                                                                                "\na told response "
                                                                                "acknowledged "
                                                                                "MORE\nstatus rows "
                                                                                "1\nstatus "
                                                                                "acknowledged 2\n"
                                                                                "none\na end\na "
                                                                                "told END\n"
                                                                                "deadline "
                                                                                "4000\nnone\n"},
    {"the failure is waited for longer and longer",
     "proxy 7.0.22 config_ms=1000000000\n" BEGUN
     "tick 1000\na connect proxy data\na free\ndeadline 2000\ntick 2000\na connect proxy data\n"
     "a free\ndeadline 4000\ntick 4000\na connect proxy data\na free\ndeadline 8000\ntick 8000\n"
     "a connect proxy data\na free\ndeadline 16000\ntick 16000\na connect proxy data\na free\n"
     "deadline 32000\ntick 32000\na connect proxy data\na free\ndeadline 64000\ntick 64000\n"
     "a connect proxy data\na free\ndeadline 124000\ntick 124000\na connect proxy data\na free\n"
     "deadline 184000\nstatus failures 8\n"},
    {"a failed configuration does not hold up data",
     "proxy 7.0.22\na connect proxy config\na says *\na end\na told E_END\na free\n"
     "value 1 x\na connect proxy data\na says *'history data'*\na < " SUCCESS "\n"
     "a told response acknowledged MORE\na free\ndeadline 1000\nnone\ntick 1000\n"
     "a connect proxy config\na says *'config_revision':0}\n"},
    {"all sections, in their order",
     "proxy 7.0.22\n" BEGUN
     "row OK tasks/{'type':3,'clock':1,'ttl':0,'status':0,'info':'ok','parent_taskid':9}\n"
     "row OK host data/{'hostid':5,'active_status':1}\n"
     "row OK auto registration/{'clock':1,'host':'h','ip':'::1','port':'10050','flags':'1'}\n"
     "row OK discovery data/{'clock':1,'drule':2,'dcheck':null,'ip':'10.0.0.1'}\n"
     "value 7 x\n"
     "row OK interface availability/{'interfaceid':3,'available':1,'error':''}\n"
     "status rows 6\na connect proxy data\n"
     "a says " HEAD ",'interface availability':[{'interfaceid':3,'available':1,'error':''}],"
     "'history data':[" ROW(
         "1", "7", "1000", "1",
         "x") "],"
              "'discovery data':[{'clock':1,'drule':2,'dcheck':null,'ip':'10.0.0.1'}],"
              "'auto registration':[{'clock':1,'host':'h','ip':'::1','port':10050,'flags':1}],"
              "'host data':[{'hostid':5,'active_status':1}],"
              "'tasks':[{'type':3,'clock':1,'ttl':0,'status':0,'info':'ok','parent_taskid':9}"
              "]" TAIL("1000") "\n"
                               "a < " SUCCESS "\na next response *\n"
                               "a next acknowledged {'interface availability':{'rows':1},'history "
                               "data':{'rows':1,'id':1},"
                               "'discovery data':{'rows':1},'auto registration':{'rows':1},'host "
                               "data':{'rows':1},"
                               "'tasks':{'rows':1}}\na told MORE\nstatus rows 0\nstatus bytes 0\n"},
    {"auto registration before 7.0",
     "proxy 6.0.14 heartbeat_ms=0\n"
     "row OK auto registration/{'clock':1,'host':'h','ip':'::1','port':10050,'flags':1}\n"
     "a connect proxy config\na says {'request':'proxy config','host':'px','version':'6.0.14'}\n"
     "a free\na connect proxy data\n"
     "a says *'auto "
     "registration':[{'clock':1,'host':'h','ip':'::1','port':'10050','flags':'1'}]*\n"},
    {"rows that are refused",
     "proxy 6.0.14\n"
     "row STATE host data/{'hostid':5,'active_status':1}\n"
     "row STATE host availability/{'hostid':5,'available':1,'error':''}\n"
     "row STATE history data/{'itemid':5}\nrow STATE nonsense/{}\n"
     "row VALUE discovery data/{'clock':1}\nrow VALUE discovery data/[1]\n"
     "row VALUE auto registration/[1]\nrow VALUE auto registration/7\n"

     "row VALUE interface availability/{'interfaceid':'x','available':1,'error':''}\n"
     "row VALUE interface availability/{'interfaceid':1,'available':1,'error':'','more':1}\n"
     "row VALUE interface availability/{'interfaceid':1,'available':1,'error':'a\\u0000b'}\n"
     "row VALUE tasks/{'type':6,'clock':1,'ttl':0,'itemid':1}\nrow VALUE tasks/{'type':3}\n"
     "status rows 0\n"},
    {"a port that is no number",
     "proxy 7.0.22\nrow VALUE auto registration/{'clock':1,'host':'h','ip':'::1','port':'x'}\n"},
    {"host availability of 5.0",
     "proxy 5.0.46\nrow OK host availability/{'hostid':5,'available':1,'error':''}\n"
     "row STATE interface availability/{'interfaceid':1,'available':1,'error':''}\n"
     "a connect proxy config\na free\na connect proxy data\n"
     "a says *'host availability':[{'hostid':5,'available':1,'error':''}]*\n"},
    {"values: their times, and what is left out or refused",
     "proxy 7.0.22\n"
     "history OK {'id':77,'itemid':1,'value':'a'}\n"
     "history OK {'itemid':1,'clock':5,'ns':0,'value':'b'}\n"
     "history OK {'itemid':1,'clock':5,'ns':9,'state':1,'value':'c'}\n"
     "history OK {'itemid':1,'clock':2147483647,'ns':999999999}\n"
     "history OK {'itemid':1,'state':0,'timestamp':0,'source':'','severity':0,'eventid':0,"
     "'lastlogsize':0,'mtime':0}\n"
     "history OK {'itemid':1,'timestamp':4,'source':'s','severity':2,'eventid':3,'value':'d',"
     "'lastlogsize':18446744073709551615,'mtime':8}\n"
     "history VALUE {'value':'a'}\nhistory VALUE {'itemid':1,'clock':2147483648}\n"
     "history VALUE {'itemid':1,'ns':1000000000}\nhistory VALUE {'itemid':1,'state':1}\n"
     "history VALUE {'itemid':1,'state':2,'value':'x'}\nhistory VALUE {'itemid':1,'mtime':1}\n"
     "history VALUE {'itemid':1,'lastlogsize':1}\nhistory VALUE {'itemid':1,'host':'h'}\n"
     "history VALUE {'itemid':1,'key':'k'}\nhistory VALUE {'itemid':1,'value':'a\\u0000'}\n"
     "status rows 6\nstatus last_id 6\na connect proxy config\na free\na connect proxy data\n"
     "a says *'history data':[" ROW("1", "1", "1000", "1", "a") "," ROW(
         "2", "1", "5", "2",
         "b") ","
              "{'id':3,'itemid':1,'clock':5,'ns':9,'state':1,'value':'c'},"
              "{'id':4,'itemid':1,'clock':2147483647,'ns':999999999},"
              "{'id':5,'itemid':1,'clock':1000,'ns':5,'lastlogsize':0,'mtime':0},"
              "{'id':6,'itemid':1,'clock':1000,'ns':6,'timestamp':4,'source':'s','severity':2,'"
              "eventid':3,"
              "'value':'d','lastlogsize':18446744073709551615,'mtime':8}]*\n"},
    {"batches and more",
     "proxy 7.0.22 batch_rows=2\n" BEGUN "value 1 a\nvalue 1 b\nvalue 1 c\ntick 1500\n"
     "row OK host data/{'hostid':5,'active_status':1}\n"
     "a connect proxy data\na says *'id':2,*}],'host data':[*],'more':1,'version':'7.0.22',"
     "'clock':1001,'ns':500000000,'proxy_delay':1}\n"
     "a < " SUCCESS "\na told response acknowledged MORE\nstatus rows 1\nnone\na end\na told END\n"
     "deadline 0\n"
     "b connect proxy data\nb says *'history data':[{'id':3,*}],'version'*'ns':500000000}\n"
     "b < " SUCCESS "\nb told response acknowledged MORE\nb end\nb told END\ndeadline 2500\n"},
    {"batches by octets", "proxy 7.0.22 batch_bytes=60\n" BEGUN "value 1 a\nvalue 1 b\nvalue 1 c\n"
                          "a connect proxy data\na says *'id':2,*}],'more':1,*\n"},
    {"upload off and on",
     "proxy 7.0.22 config_ms=100000\n" BEGUN
     "value 1 a\na connect proxy data\na says *'history data'*\n"
     "a < {'upload':'disabled','response':'failed'}\na told response MORE\na free\n"
     "status upload 0\nstatus rows 1\ntick 1000\na connect proxy data\na says " BARE(
         "1001") "\n"
                 "a < {'upload':'disabled','response':'success'}\na told response MORE\na free\n"
                 "deadline 2000\n"
                 "row OK "
                 "tasks/{'type':3,'clock':1,'ttl':0,'status':0,'info':'','parent_taskid':9}\n"
                 "deadline 1000\na connect proxy data\n"
                 "a says " HEAD
                 ",'tasks':[*]" TAIL("1001") "\n"
                                             "a < {'upload':'enabled','response':'success'}\na "
                                             "told response acknowledged MORE\na free\n"
                                             "status upload 1\ndeadline 2000\ntick 2000\na connect "
                                             "proxy data\na says *'history data'*\n"},
    {"a response that is not success keeps everything",
     "proxy 7.0.22\n" BEGUN "value 1 a\na connect proxy data\na says *\n"
     "a < {'response':'failed','info':'no'}\na told response MORE\na end\na told END\n"
     "status rows 1\nstatus failures 1\n"},
    {"an acknowledgement that cannot be read keeps everything",
     "proxy 7.0.22\n" BEGUN "value 1 a\na connect proxy data\na says *\n"
     "a < {'response':'success'\na told response!SYNTAX SYNTAX\nstatus rows 1\nstatus failures "
     "1\n"},
    {"a session that is not driven has failed",
     "proxy 7.0.22\n" BEGUN "value 1 a\na connect proxy data\na free\nstatus rows 1\n"
     "status failures 1\nnone\n"},
    {"tasks",
     "proxy 7.0.22\n" BEGUN "tick 1000\na connect proxy data\na says *\n"
     "a < {'tasks':[{'type':6,'clock':999,'ttl':0,'itemid':4},{'type':6,'clock':999,'ttl':1,"
     "'itemid':5},{'type':6,'clock':1000,'ttl':1,'itemid':6},{'type':6,'clock':1},{'type':"
     "99,"
     "'clock':1,'ttl':0}],'upload':'enabled','response':'success'}\n"
     "a next response {'tasks':{'rows':5},'upload':'enabled','response':'success'}\n"
     "a next task {'type':6,'clock':999,'ttl':0,'itemid':4}\n"
     "a told task!TIMEOUT task task!PROTOCOL task!PROTOCOL MORE\n"},
    {"tasks of a refusal are none",
     "proxy 7.0.22\n" BEGUN "tick 1000\na connect proxy data\na says *\n"
     "a < {'tasks':[{'type':6,'clock':999,'ttl':0,'itemid':4}],'response':'failed'}\n"
     "a told response MORE\n"},
    {"heartbeats before 6.4",
     "proxy 6.0.14\na connect proxy config\na free\nb connect proxy data\nb free\n"
     "a connect proxy heartbeat\n"
     "a says {'request':'proxy heartbeat','host':'px','version':'6.0.14'}\n"
     "a < {'response':'failed'}\na told response MORE\na free\nstatus failures 2\n"
     "tick 30000\na connect proxy config\na free\na connect proxy data\na free\nnone\n"
     "tick 59999\na connect proxy config\na free\na connect proxy data\na free\nnone\ntick "
     "60000\n"
     "a connect proxy heartbeat\na free\n"},
    {"no heartbeats", "proxy 6.0.14 heartbeat_ms=0\na connect proxy config\nb connect proxy data\n"
                      "none\ndeadline never\n"},
    {"reload",
     "proxy 7.0.22\n" BEGUN "none\nreload\ndeadline 0\na connect proxy config\nreload\n"
     "a says *\na < {}\na told proxy=config MORE\na free\na connect proxy config\nnone\n"},
    {"a full buffer takes no more",
     "proxy 7.0.22 buffer_rows=2\nvalue 1 a\nvalue 1 b\nhistory LIMIT "
     "{'itemid':1,'value':'c'}\n"
     "row LIMIT host data/{'hostid':5,'active_status':1}\nstatus rows 2\nstatus dropped 0\n"
     "status last_id 2\n"},
    {"a full buffer drops the oldest",
     "proxy 7.0.22 drop buffer_rows=2\nvalue 1 a\nvalue 1 b\nvalue 1 c\nstatus rows 2\n"
     "status dropped 1\na connect proxy config\nb connect proxy data\n"
     "b says *'history data':[{'id':2,*},{'id':3,*}]*\nvalue 1 d\n"
     "row OK host data/{'hostid':5,'active_status':1}\nstatus dropped 3\n"
     "b < " SUCCESS "\nb told response acknowledged MORE\nstatus rows 2\nstatus acknowledged 3\n"
     "row OK host data/{'hostid':6,'active_status':1}\nstatus rows 2\n"
     "row OK host data/{'hostid':7,'active_status':1}\nstatus rows 2\nstatus dropped 5\n"
     "history LIMIT {'itemid':1}\n"},
    {"octets of the buffer",
     "proxy 7.0.22 buffer_bytes=100 batch_bytes=50\nvalue 1 a\nstatus bytes 51\n"
     "history LIMIT {'itemid':1,'value':'b'}\n"
     "row OK host data/{'hostid':5,'active_status':1}\nstatus bytes 81\n"
     "history LIMIT "
     "{'itemid':1,'value':'0123456789012345678901234567890123456789012345678901'}\n"},
    {"age of the buffer",
     "proxy 7.0.22 buffer_ms=1000\nvalue 1 a\ntick 500\nvalue 1 b\nstatus delay 0\ntick 1000\n"
     "status rows 2\nstatus delay 1\ntick 1001\nstatus rows 1\nstatus dropped 1\ntick 1501\n"
     "status rows 0\nstatus delay 0\n"},
    {"passive: data",
     "proxy 7.0.22 passive\nnone\ndeadline never\nvalue 1 a\n"
     "row OK tasks/{'type':3,'clock':1,'ttl':0,'status':0,'info':'','parent_taskid':9}\n"
     "a accept server\na < {'request':'proxy data'}\na told proxy=data MORE\n"
     "b accept server\nb < {'request':'proxy data'}\nb told proxy=data MORE\n"
     "b says {'session':'" TOKEN
     "'" TAIL("1000") "\n"
                      "b < {'response':'success'}\nb told response MORE\nb end\nb told END\nstatus "
                      "rows 2\n"
                      "a says {'session':'" TOKEN
                      "','history data':[" ROW("1", "1", "1000", "1", "a") "],'tasks':[*]" TAIL(
                          "1000") "\nb free\n"
                                  "a < "
                                  "{'response':'success','tasks':[{'type':6,'clock':999,'ttl':"
                                  "0,'itemid':4}]}\n"
                                  "a told response acknowledged task MORE\nstatus rows 0\n"},
    {"passive: tasks",
     "proxy 7.0.22 passive\nvalue 1 a\n"
     "row OK tasks/{'type':3,'clock':1,'ttl':0,'status':0,'info':'','parent_taskid':9}\n"
     "a accept server\na < {'request':'proxy tasks'}\na told proxy=tasks MORE\n"
     "a says {'tasks':[*],'version':'7.0.22','clock':1000,'ns':0}\n"
     "a < {'response':'success'}\na told response acknowledged MORE\nstatus rows 1\n"},
    {"passive: an acknowledgement does not switch the upload",
     "proxy 7.0.22 passive\nvalue 1 a\na accept server\na < {'request':'proxy data'}\n"
     "a told proxy=data MORE\na says *'id':1*\na < {'upload':'disabled','response':'success'}\n"
     "a told response acknowledged MORE\nstatus upload 1\nvalue 1 b\n"
     "b accept server\nb < {'request':'proxy data'}\nb told proxy=data MORE\n"
     "b says *'id':2*\nb < {'upload':'disabled','response':'failed'}\nb told response MORE\n"
     "status upload 1\nstatus rows 1\n"},
    {"passive: nothing is lost with the connection",
     "proxy 7.0.22 passive\nvalue 1 a\na accept server\na < {'request':'proxy data'}\n"
     "a told proxy=data MORE\na says *'id':1*\na end\na told E_END\nvalue 1 b\n"
     "b accept server\nb < {'request':'proxy data'}\nb told proxy=data MORE\n"
     "b says *'id':1*'id':2*\nstatus rows 2\n"},
    {"passive: strangers",
     "proxy 7.0.22 passive\nvalue 1 a\n"
     "a accept stranger\na < {'request':'proxy data'}\na told proxy=data!PROTOCOL PROTOCOL\n"
     "a silent\n"
     "b accept stranger\nb < {'request':'proxy tasks'}\nb told proxy=tasks!PROTOCOL PROTOCOL\n"
     "b silent\n"
     "c accept stranger\nc < {'request':'proxy config'}\nc told proxy=config!PROTOCOL "
     "PROTOCOL\n"
     "c says {'response':'failed','info':'connection is not allowed','version':'7.0.22'}\n"
     "d accept stranger\nd met OK server\nd < {'request':'proxy data'}\nd told proxy=data "
     "MORE\n"
     "d says *'id':1*\nd met STATE server\n"
     "e accept server\ne met OK stranger\ne < {'request':'proxy data'}\n"
     "e told proxy=data!PROTOCOL PROTOCOL\ne silent\n"},
    {"passive: strangers before 6.4 do not give us a configuration",
     "proxy 6.0.14 passive\na accept stranger\n"
     "a < {'request':'proxy config','data':{'hstgrp':{'fields':['groupid'],'data':[[5]]}}}\n"
     "a told proxy=config!PROTOCOL PROTOCOL\n"
     "a says {'response':'failed','info':'connection is not allowed','version':'6.0.14'}\n"
     "b accept server\n"
     "b < {'request':'proxy config','data':{'hstgrp':{'fields':['groupid'],'data':[[6]]}}}\n"
     "b next proxy=config *\nb next hstgrp {'change':'added','row':{'groupid':6}}\nb told END\n"
     "b says {'response':'success','version':'6.0.14'}\n"},
    {"passive: strangers are not told what their requests lack",
     "proxy 6.0.14 passive\na accept stranger\na < {'request':'proxy config'}\n"
     "a told proxy=config!PROTOCOL PROTOCOL\n"
     "a says {'response':'failed','info':'connection is not allowed','version':'6.0.14'}\n"},
    {"passive: configuration in four messages",
     "proxy 7.0.22 passive\na accept server\na < {'request':'proxy config'}\n"
     "a told proxy=config MORE\n"
     "a says {'version':'7.0.22','session':'" TOKEN "','config_revision':0}\n"
     "a < "
     "{'full_sync':1,'data':{'globalmacro':{'fields':['globalmacroid','macro','value','type'],"
     "'data':[[1,'{$A}','x',0]]}},'config_revision':16}\n"
     "a next proxy=config *\n"
     "a next globalmacro {'change':'added','row':{'globalmacroid':1,'macro':'{$A}','value':'x',"
     "'type':0}}\na told END\na says {'response':'success','version':'7.0.22'}\nrevision 16\n"},
    {"passive: a configuration that cannot be applied",
     "proxy 7.0.22 passive\na accept server\na < {'request':'proxy config'}\n"
     "a told proxy=config MORE\na says *\n"
     "a < {'data':{'globalmacro':{'fields':['globalmacroid','macro'],'data':[[1,'x',3]]}},"
     "'config_revision':6}\na told proxy=config!VALUE END\n"
     "a says {'response':'failed','info':'*','version':'7.0.22'}\nrevision 0\n"},
    {"a configuration that cannot be applied does not spoil the next one",
     "proxy 7.0.22 passive\na accept server\na < {'request':'proxy config'}\n"
     "a told proxy=config MORE\na says *\n"
     "a < {'data':{'globalmacro':{'fields':['globalmacroid','macro'],'data':[[1,'x',3]]}},"
     "'config_revision':6}\na told proxy=config!VALUE END\na says *failed*\n"
     "b accept server\nb < {'request':'proxy config'}\nb told proxy=config MORE\nb says *\n"
     "b < {'full_sync':1,'data':{'globalmacro':{'fields':['globalmacroid','macro','value','type'],"
     "'data':[[1,'{$A}','x',0]]}},'config_revision':7}\nb told proxy=config globalmacro END\n"
     "b says *success*\nrevision 7\n"},
    {"passive: one configuration at a time, and never locked up",
     "proxy 7.0.22 passive\na accept server\na < {'request':'proxy config'}\n"
     "a told proxy=config MORE\na says *\n"
     "b accept server\nb < {'request':'proxy config'}\nb told proxy=config!PROTOCOL PROTOCOL\n"
     "b says {'response':'failed','info':'configuration sync is already in progress',"
     "'version':'7.0.22'}\na free\n"
     "c accept server\nc < {'request':'proxy config'}\nc told proxy=config MORE\n"
     "c says *'config_revision':0}\ntick 300000\nc told TIMEOUT\n"
     "d accept server\nd < {'request':'proxy config'}\nd told proxy=config MORE\n"
     "d says *\nd < {}\nd told proxy=config END\nd says *success*\n"},
    {"active: a configuration that cannot be applied is asked for whole",
     "proxy 7.0.22\n" BEGUN "reload\na connect proxy config\na says *'config_revision':5}\n"
     "a < {'data':{'globalmacro':{'fields':['globalmacroid','macro'],'data':[[1,'x',3]]}},"
     "'config_revision':6}\na told proxy=config!VALUE MORE\na free\nstatus failures 1\n"
     "tick 1000\na connect proxy config\na says *'config_revision':0}\n"},
    {"active: a connection that fails costs no revision",
     "proxy 7.0.22\n" BEGUN "reload\na connect proxy config\na says *'config_revision':5}\n"
     "a free\ntick 1000\na connect proxy config\na says *'config_revision':5}\n"},
    {"active: a server that refuses costs no revision",
     "proxy 7.0.22\n" BEGUN "reload\na connect proxy config\na says *'config_revision':5}\n"
     "a < {'response':'failed','info':'no'}\na told response MORE\na free\nstatus failures 1\n"
     "tick 1000\na connect proxy config\na says *'config_revision':5}\n"},
    {"times beyond all clocks",
     "proxy 7.0.22 data_ms=18446744073709551615 tasks_ms=18446744073709551615\n" BEGUN
     "tick 5000\nvalue 1 a\na connect proxy data\na says *'id':1*\n"
     "a < " SUCCESS "\na told response acknowledged MORE\na free\nvalue 1 b\ntick 5999\nnone\n"},
    {"a peer that has said all can still be answered",
     "proxy 7.0.22\na accept stranger\na < {'request':'active checks','host':'h'}\na end\n"
     "a told active=checks MORE\na told MORE\na reply {'response':'success','data':[]}\n"
     "a says {'response':'success','data':[]}\na told END\n"
     "b accept stranger\nb < {'request':'active checks','host':'h'}\nb end\n"
     "b told active=checks MORE\ngone\nb told END\n"},
    {"active: asked like a passive one",
     "proxy 7.0.22\na accept server\na < {'request':'proxy config'}\n"
     "a told proxy=config!PROTOCOL PROTOCOL\na says *misconfiguration*\n"},
    {"agents and senders are the caller's",
     "proxy 7.0.22\na accept stranger\na < {'request':'active checks','host':'h'}\n"
     "a told active=checks MORE\na reply {'response':'success','data':[]}\n"
     "a says {'response':'success','data':[]}\n"
     "b accept stranger\nb < {'request':'sender "
     "data','data':[{'host':'h','key':'k','value':'1'}]}\n"
     "b told data sender=data MORE\n"},
    {"a proxy group: agents of others are sent there",
     "proxy 7.0.22\na connect proxy config\na says *\n"
     "a < "
     "{'full_sync':1,'data':{'proxy':{'fields':['proxyid','name','local_address','local_port'],"
     "'data':[[1,'px','10.0.0.1','10051'],[2,'py','::1','10052'],[3,'pz','pz.example','']]},"
     "'host_proxy':{'fields':['hostproxyid','host','proxyid','revision','tls_accept','tls_"
     "issuer',"
     "'tls_subject','tls_psk_identity','tls_psk'],'data':[[1,'ours',1,1,1,'','','',''],"
     "[2,'theirs',2,1,1,'','','',''],[3,'named',3,1,1,'','','','']]}},"
     "'proxy_group':{'full_sync':1,'hostmap_revision':4,'failover_delay':'10s'},"
     "'config_revision':5}\na next proxy=config *\n"
     "a told proxy proxy proxy host_proxy host_proxy host_proxy MORE\n"
     "b accept stranger\nb < {'request':'active checks','host':'ours'}\nb told active=checks "
     "MORE\n"
     "c accept stranger\nc < {'request':'active checks','host':'theirs'}\nc told END\n"
     "c says {'response':'failed','redirect':{'revision':4,'address':'[::1]:10052'}}\n"
     "d accept stranger\nd < {'request':'agent "
     "data','session':'s','host':'named','data':[{'id':1,"
     "'itemid':1,'value':'x','clock':1,'ns':1}],'clock':1,'ns':1}\nd told END\n"
     "d says {'redirect':{'revision':4,'address':'pz.example'},'response':'failed'}\n"
     "e accept stranger\ne < {'request':'sender data','data':[{'host':'theirs','key':'k',"
     "'value':'1'}]}\ne told END\n"
     "e says {'redirect':{'revision':4,'address':'[::1]:10052'},'response':'failed'}\n"
     "f accept stranger\nf < {'request':'active check heartbeat','host':'theirs',"
     "'heartbeat_freq':60}\nf told END\n"
     "f says {'redirect':{'revision':4,'address':'[::1]:10052'},'response':'failed'}\n"
     "g accept stranger\ng < {'request':'active checks','host':'unknown'}\n"
     "g told active=checks MORE\n"
     "a free\nreload\nh connect proxy config\nh says *'config_revision':5,'hostmap_revision':4}\n"},
    {"a proxy group: agents follow their hosts to other members",
     "proxy 7.0.22\na connect proxy config\na says *\n"
     "a < "
     "{'full_sync':1,'data':{'proxy':{'fields':['proxyid','name','local_address','local_port'],"
     "'data':[[1,'px','10.0.0.1','10051'],[2,'py','::1','10052'],[3,'pz','pz.example','']]},"
     "'host_proxy':{'fields':['hostproxyid','host','proxyid','revision','tls_accept','tls_"
     "issuer','tls_subject','tls_psk_identity','tls_psk'],'data':[[1,'leaves',1,1,1,'','','',''],"
     "[2,'moves',2,1,1,'','','',''],[3,'comes',2,1,1,'','','','']]}},"
     "'proxy_group':{'full_sync':1,'hostmap_revision':4,'failover_delay':'10s'},"
     "'config_revision':5}\na next proxy=config *\n"
     "a told proxy proxy proxy host_proxy host_proxy host_proxy MORE\na free\n"
     "b accept stranger\nb < {'request':'active checks','host':'leaves'}\n"
     "b told active=checks MORE\nb free\n"
     "b accept stranger\nb < {'request':'active checks','host':'moves'}\nb told END\n"
     "b says {'response':'failed','redirect':{'revision':4,'address':'[::1]:10052'}}\nb free\n"
     "b accept stranger\nb < {'request':'active checks','host':'comes'}\nb told END\n"
     "b says {'response':'failed','redirect':{'revision':4,'address':'[::1]:10052'}}\nb free\n"
     /* One has a new row in the map, the others another proxy in theirs. */
     "reload\na connect proxy config\na says *'hostmap_revision':4}\n"
     "a < "
     "{'data':{'host_proxy':{'fields':['hostproxyid','host','proxyid','revision','tls_accept',"
     "'tls_issuer','tls_subject','tls_psk_identity','tls_psk'],'data':"
     "[[2,'moves',3,2,1,'','','',''],[3,'comes',1,2,1,'','','',''],[4,'leaves',2,2,1,'','','','']]"
     "}},"
     "'proxy_group':{'hostmap_revision':5,'failover_delay':'10s','del_hostproxyids':[1]},"
     "'config_revision':6}\na next proxy=config *\n"
     "a told host_proxy host_proxy host_proxy host_proxy MORE\n"
     "b accept stranger\nb < {'request':'active checks','host':'leaves'}\nb told END\n"
     "b says {'response':'failed','redirect':{'revision':5,'address':'[::1]:10052'}}\nb free\n"
     "b accept stranger\nb < {'request':'active checks','host':'moves'}\nb told END\n"
     "b says {'response':'failed','redirect':{'revision':5,'address':'pz.example'}}\nb free\n"
     "b accept stranger\nb < {'request':'active checks','host':'comes'}\n"
     "b told active=checks MORE\n"},
    {"a proxy group: an address that is too long is none",
     "proxy 7.0.22\na connect proxy config\na says *\n"
     "a < "
     "{'full_sync':1,'data':{'proxy':{'fields':['proxyid','name','local_address','local_port'],"
     "'data':[[1,'px','10.0.0.1','10051'],[2,'py',':" HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED
         HUNDRED "','1']]},"
     "'host_proxy':{'fields':['hostproxyid','host','proxyid','revision','tls_accept','tls_"
     "issuer','tls_subject','tls_psk_identity','tls_psk'],'data':[[2,'theirs',2,1,1,'','','','']]}}"
     ","
     "'proxy_group':{'full_sync':1,'hostmap_revision':4,'failover_delay':'10s'},"
     "'config_revision':5}\na told proxy=config proxy proxy host_proxy MORE\n"
     "b accept stranger\nb < {'request':'active checks','host':'theirs'}\nb told active=checks "
     "MORE\n"},
    {"sessions outlive the proxy",
     "proxy 7.0.22\nvalue 1 a\na connect proxy config\nb connect proxy data\nb says *\n"
     "c accept stranger\nb < {'tasks':[{'type':6,'clock':999,'ttl':0,'itemid':4},{'type':6,"
     "'clock':999,'ttl':0,'itemid':4}],'response':'success'}\nb next response *\n"
     "b next acknowledged *\nb next task *\nc due 300000\ngone\nb due 0\nc due 0\n"
     "a told END\nb told END\nc told END\n"},
    {"kept: what is not acknowledged, with the same session and ids",
     "proxy 7.0.22\n" BEGUN "save\nvalue 1 a\njournal\nvalue 1 b\nvalue 1 c\njournal\n"
     "row OK host data/{'hostid':5,'active_status':1}\njournal\na connect proxy data\n"
     "a says *'id':1*'id':2*'id':3*\njournal\nrestart\nstatus rows 4\nstatus last_id 3\na "
     "free\n"
     "a connect proxy config\na says *'config_revision':5}\nb connect proxy data\n"
     "b says *'session':'" TOKEN
     "','history data':[{'id':1,*},{'id':2,*},{'id':3,*}],'host data'*\n"
     "b < " SUCCESS "\nb told response acknowledged MORE\njournal\nb free\n"
     "restart\nstatus rows 0\nstatus acknowledged 3\nstatus last_id 3\n"
     "a free\nvalue 1 d\nb connect proxy config\nc connect proxy data\n"
     "c says *'history data':[{'id':20000004,*\n"},
    {"kept: a save alone, and one of a proxy that was restored",
     "proxy 7.0.22\nvalue 1 a\nvalue 1 b\nsave\nrestart\nstatus rows 2\nsave\nrestart\n"
     "status rows 2\nvalue 1 c\njournal\njournal\nrestart\nstatus rows 3\n"
     "status last_id 20000003\n"},
    {"kept: the first journal is a save",
     "proxy 7.0.22\nvalue 1 a\njournal\nrestart\nstatus rows 1\n"},
    {"kept: what the limits dropped", "proxy 7.0.22 drop buffer_rows=2\nsave\nvalue 1 a\nvalue "
                                      "1 b\nvalue 1 c\njournal\nvalue 1 d\n"
                                      "value 1 e\nvalue 1 f\njournal\nrestart\nstatus rows "
                                      "2\nstatus dropped 4\nstatus last_id 6\n"},
    {"kept: ids are not given again, however old the state is",
     "proxy 7.0.22\nvalue 1 a\nsave\nvalue 1 b\nvalue 1 c\ntick 5000\nrestart\nvalue 1 d\n"
     "status last_id 60000002\n"},
};

START_TEST(by_script)
{
    ck_assert_int_eq(play_with(NULL, scripts[_i].script), LEAT_OK);
}
END_TEST

START_TEST(no_memory)
{
    t_every_alloc(play_with, scripts[_i].script);
}
END_TEST

/* ---- options ---- */

static const struct {
    const char *name, *version, *session;
    uint64_t batch_rows, batch_bytes, buffer_rows, buffer_bytes;
    int status;
} options[] = {
    {"px", "7.0.22", TOKEN, 1, 1, 1, 1, LEAT_OK},
    {"A proxy_1.x-y", "5.0.0", TOKEN, 1, 1, 1, 1, LEAT_OK},
    {NULL, "7.0.22", TOKEN, 1, 1, 1, 1, LEAT_E_VALUE},
    {"", "7.0.22", TOKEN, 1, 1, 1, 1, LEAT_E_VALUE},
    {"p/x", "7.0.22", TOKEN, 1, 1, 1, 1, LEAT_E_VALUE},
    {"p\xc3\xa9", "7.0.22", TOKEN, 1, 1, 1, 1, LEAT_E_VALUE},
    {"px", NULL, TOKEN, 1, 1, 1, 1, LEAT_E_VALUE},
    {"px", "x", TOKEN, 1, 1, 1, 1, LEAT_E_VALUE},
    {"px", "4.4.0", TOKEN, 1, 1, 1, 1, LEAT_E_VALUE},
    {"px", "7.0.0\xff", TOKEN, 1, 1, 1, 1, LEAT_E_VALUE},
    {"px", "7.0.22", NULL, 1, 1, 1, 1, LEAT_E_VALUE},
    {"px", "7.0.22", "0123456789abcdef0123456789abcde", 1, 1, 1, 1, LEAT_E_VALUE},
    {"px", "7.0.22", TOKEN "0", 1, 1, 1, 1, LEAT_E_VALUE},
    {"px", "7.0.22", "0123456789abcdef0123456789abcdeF", 1, 1, 1, 1, LEAT_E_VALUE},
    {"px", "7.0.22", TOKEN, 0, 1, 1, 1, LEAT_E_VALUE},
    {"px", "7.0.22", TOKEN, 1, 0, 1, 1, LEAT_E_VALUE},
    {"px", "7.0.22", TOKEN, 1, 1, 0, 1, LEAT_E_VALUE},
    {"px", "7.0.22", TOKEN, 1, 1, 1, 0, LEAT_E_VALUE},
    {"px", "7.0.22", TOKEN, 1, (UINT64_C(15) << 26) - 2048, 1, 1, LEAT_OK},
    {"px", "7.0.22", TOKEN, 1, (UINT64_C(15) << 26) - 2047, 1, 1, LEAT_E_VALUE},
};

START_TEST(which_options)
{
    leat_zabbix_proxy_options o;
    leat_zabbix_proxy *proxy = NULL;

    leat_zabbix_proxy_options_init(&o, sizeof o);
    o.name = options[_i].name;
    o.version = options[_i].version;
    o.session = options[_i].session;
    o.batch_rows = options[_i].batch_rows;
    o.batch_bytes = options[_i].batch_bytes;
    o.buffer_rows = options[_i].buffer_rows;
    o.buffer_bytes = options[_i].buffer_bytes;
    ck_assert_int_eq(leat_zabbix_proxy_new(NULL, &o, &proxy), options[_i].status);
    leat_zabbix_proxy_free(proxy);
}
END_TEST

START_TEST(odd_options)
{
    char name[130];
    leat_zabbix_proxy_options o;
    leat_zabbix_proxy *proxy = NULL;

    memset(name, 'n', 129);
    name[129] = '\0';
    leat_zabbix_proxy_options_init(&o, sizeof o);
    o.name = name;
    o.version = "7.0";
    o.session = TOKEN;
    ck_assert_int_eq(leat_zabbix_proxy_new(NULL, &o, &proxy), LEAT_E_VALUE);
    o.name = name + 1;
    ck_assert_int_eq(leat_zabbix_proxy_new(NULL, &o, &proxy), LEAT_OK);
    ck_assert_uint_gt(leat_zabbix_proxy_memory(proxy), 1000);
    leat_zabbix_proxy_free(proxy);
    ck_assert_int_eq(leat_zabbix_proxy_new(NULL, NULL, &proxy), LEAT_E_VALUE);
    o.size = 0;
    ck_assert_int_eq(leat_zabbix_proxy_new(NULL, &o, &proxy), LEAT_E_VALUE);
    o.size = sizeof o;
    o.buffer_policy = 2;
    ck_assert_int_eq(leat_zabbix_proxy_new(NULL, &o, &proxy), LEAT_E_VALUE);
    leat_zabbix_proxy_free(NULL);
}
END_TEST

/* ---- what is kept ---- */

static leat_zabbix_proxy *fresh(const char *name, const char *version, uint64_t buffer_rows)
{
    leat_zabbix_proxy_options o;
    leat_zabbix_proxy *proxy;

    leat_zabbix_proxy_options_init(&o, sizeof o);
    o.name = name;
    o.version = version;
    o.session = TOKEN;
    o.buffer_rows = buffer_rows;
    o.batch_rows = 3;
    ck_assert_int_eq(leat_zabbix_proxy_new(NULL, &o, &proxy), LEAT_OK);
    leat_zabbix_proxy_tick(proxy, 0, INT64_C(1000000000000));
    return proxy;
}

static uint64_t put_number(leat_zabbix_proxy *proxy, uint64_t number)
{
    leat_zabbix_history value;
    char text[24];
    uint64_t id;

    leat_zabbix_history_init(&value, sizeof value);
    value.itemid = number;
    value.value = text;
    value.value_length = (size_t)snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    value.has = LEAT_ZABBIX_HAS_ITEMID | LEAT_ZABBIX_HAS_VALUE;
    MUST(leat_zabbix_proxy_history(proxy, &value, &id) == LEAT_OK, "a value");
    return id;
}

static leat_zabbix_proxy_status status_of(const leat_zabbix_proxy *proxy)
{
    leat_zabbix_proxy_status status = {.size = sizeof status};

    MUST(leat_zabbix_proxy_get_status(proxy, &status) == LEAT_OK, "status");
    return status;
}

static leat_buffer *new_buffer(void)
{
    leat_buffer *buffer;

    ck_assert_int_eq(leat_buffer_new(NULL, &buffer), LEAT_OK);
    return buffer;
}

/* A save of two values and a row, and three journals of a value each; *ends of each. */
static leat_buffer *kept(size_t ends[4])
{
    leat_zabbix_proxy *proxy = fresh("px", "7.0.22", 100);
    leat_buffer *buffer = new_buffer();
    leat_builder *row = parsed("{'hostid':1,'active_status':1}");
    uint64_t i;

    ck_assert_int_eq(leat_zabbix_proxy_row(proxy, "host data", leat_builder_value(row)), LEAT_OK);
    (void)put_number(proxy, 1);
    (void)put_number(proxy, 2);
    ck_assert_int_eq(leat_zabbix_proxy_save(proxy, buffer), LEAT_OK);
    (void)leat_buffer_data(buffer, &ends[0]);
    for (i = 1; i <= 3; i++) {
        (void)put_number(proxy, 2 + i);
        ck_assert_int_eq(leat_zabbix_proxy_journal(proxy, buffer), LEAT_OK);
        (void)leat_buffer_data(buffer, &ends[i]);
    }
    leat_builder_free(row);
    leat_zabbix_proxy_free(proxy);
    return buffer;
}

START_TEST(cut_anywhere)
{
    size_t ends[4], length, cut, used;
    leat_buffer *buffer = kept(ends);
    const uint8_t *data = (const uint8_t *)leat_buffer_data(buffer, &length);

    for (cut = 0; cut <= length; cut++) {
        leat_zabbix_proxy *proxy = fresh("px", "7.0.22", 100);
        uint8_t *copy = (uint8_t *)malloc(cut + 1);
        uint64_t journals = 0;
        int status;

        memcpy(copy, data, cut);
        used = 7;
        status = leat_zabbix_proxy_restore(proxy, copy, cut, &used);
        while (journals < 3 && cut >= ends[journals + 1])
            journals++;
        if (cut < ends[0]) {
            MUST(status == LEAT_E_SYNTAX && used == 7, "%zu", cut);
            MUST(leat_zabbix_proxy_restore(proxy, data, length, &used) == LEAT_OK, "%zu", cut);
            journals = 3;
        } else {
            MUST(status == LEAT_OK && used == ends[journals], "%zu: %zu", cut, used);
        }
        MUST(status_of(proxy).rows == 3 + journals, "%zu", cut);
        MUST(leat_zabbix_proxy_restore(proxy, data, length, &used) == LEAT_E_STATE, "%zu", cut);
        free(copy);
        leat_zabbix_proxy_free(proxy);
    }
    leat_buffer_free(buffer);
}
END_TEST

START_TEST(changed_anywhere)
{
    size_t ends[4], length, at, used;
    leat_buffer *buffer = kept(ends);
    const uint8_t *data = (const uint8_t *)leat_buffer_data(buffer, &length);
    uint8_t *copy = (uint8_t *)malloc(length);

    for (at = 0; at < length * 8; at++) {
        leat_zabbix_proxy *proxy = fresh("px", "7.0.22", 100);
        int status;

        memcpy(copy, data, length);
        copy[at / 8] ^= (uint8_t)(1u << at % 8);
        status = leat_zabbix_proxy_restore(proxy, copy, length, &used);
        if (at / 8 < ends[0])
            MUST(status == LEAT_E_SYNTAX, "%zu", at);
        else
            MUST(status == LEAT_OK && used <= at / 8, "%zu", at);
        leat_zabbix_proxy_free(proxy);
    }
    free(copy);
    leat_buffer_free(buffer);
}
END_TEST

START_TEST(kept_by_another)
{
    size_t ends[4], length, used;
    leat_buffer *buffer = kept(ends);
    const void *data = leat_buffer_data(buffer, &length);
    leat_zabbix_proxy *proxy = fresh("py", "7.0.22", 100);

    ck_assert_int_eq(leat_zabbix_proxy_restore(proxy, data, length, &used), LEAT_E_SYNTAX);
    leat_zabbix_proxy_free(proxy);
    proxy = fresh("px", "7.0.22", 5);
    ck_assert_int_eq(leat_zabbix_proxy_restore(proxy, data, length, &used), LEAT_E_LIMIT);
    ck_assert_uint_eq(status_of(proxy).rows, 0);
    ck_assert_uint_eq(put_number(proxy, 1), 1);
    ck_assert_int_eq(leat_zabbix_proxy_restore(proxy, data, length, &used), LEAT_E_STATE);
    leat_zabbix_proxy_free(proxy);
    proxy = fresh("px", "7.0.22", 6);
    ck_assert_int_eq(leat_zabbix_proxy_restore(proxy, data, length, &used), LEAT_OK);
    leat_zabbix_proxy_free(proxy);
    proxy = fresh("px", "6.0.14", 100); /* which knows no "host data" */
    ck_assert_int_eq(leat_zabbix_proxy_restore(proxy, data, length, &used), LEAT_OK);
    ck_assert_uint_eq(status_of(proxy).rows, 5);
    ck_assert_uint_eq(status_of(proxy).dropped, 1);
    ck_assert_ptr_null(leat_zabbix_proxy_error(proxy));
    leat_zabbix_proxy_free(proxy);
    leat_buffer_free(buffer);
}
END_TEST

START_TEST(another_version)
{
    leat_zabbix_proxy *old = fresh("px", "6.4.0", 100), *new = fresh("px", "7.0.0", 100);
    leat_builder *row = parsed("{'clock':1,'host':'h','ip':'::1','port':'10050'}");
    leat_buffer *buffer = new_buffer();
    leat_session *session;
    const leat_event *event;
    size_t length, used;
    const void *data;
    char *text;

    ck_assert_int_eq(leat_zabbix_proxy_row(old, "auto registration", leat_builder_value(row)),
                     LEAT_OK);
    ck_assert_int_eq(leat_zabbix_proxy_save(old, buffer), LEAT_OK);
    data = leat_buffer_data(buffer, &length);
    ck_assert_int_eq(leat_zabbix_proxy_restore(new, data, length, &used), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_proxy_connect(new, &session), LEAT_OK);
    leat_session_free(session);
    ck_assert_int_eq(leat_zabbix_proxy_connect(new, &session), LEAT_OK);
    ck_assert_int_eq(leat_next(session, &event), LEAT_MORE);
    text = said(session);
    ck_assert_ptr_nonnull(strstr(text, "\"port\":10050"));
    free(text);
    leat_session_free(session);
    leat_buffer_free(buffer);
    leat_builder_free(row);
    leat_zabbix_proxy_free(old);
    leat_zabbix_proxy_free(new);
}
END_TEST

/* What a newer version appended to what an older one saved, read by the older one again. */
START_TEST(versions_to_and_fro)
{
    static const char *const versions[] = {"6.4.0", "7.0.0", "6.4.0"};
    leat_builder *row = parsed("{'clock':1,'host':'h','ip':'::1','port':'10050'}");
    leat_buffer *buffer = new_buffer();
    leat_zabbix_proxy *proxy = NULL;
    const leat_event *event;
    leat_session *session;
    size_t i, length, used;
    char *text;

    for (i = 0; i < 3; i++) {
        const void *data = leat_buffer_data(buffer, &length);

        leat_zabbix_proxy_free(proxy);
        proxy = fresh("px", versions[i], 100);
        if (i > 0)
            ck_assert_int_eq(leat_zabbix_proxy_restore(proxy, data, length, &used), LEAT_OK);
        ck_assert_int_eq(leat_zabbix_proxy_row(proxy, "auto registration", leat_builder_value(row)),
                         LEAT_OK);
        ck_assert_int_eq(leat_zabbix_proxy_journal(proxy, buffer), LEAT_OK);
    }
    ck_assert_uint_eq(status_of(proxy).rows, 3);
    ck_assert_int_eq(leat_zabbix_proxy_connect(proxy, &session), LEAT_OK);
    leat_session_free(session);
    ck_assert_int_eq(leat_zabbix_proxy_connect(proxy, &session), LEAT_OK);
    ck_assert_int_eq(leat_next(session, &event), LEAT_MORE);
    text = said(session);
    ck_assert_ptr_nonnull(strstr(text, "\"port\":\"10050\""));
    ck_assert_ptr_null(strstr(text, "\"port\":10050"));
    free(text);
    leat_session_free(session);
    leat_buffer_free(buffer);
    leat_builder_free(row);
    leat_zabbix_proxy_free(proxy);
}
END_TEST

/* Tasks wait for the end of their message, and must not fill the memory meanwhile. */
START_TEST(many_tasks)
{
    static const char head[] = "{\"tasks\":[", tail[] = "],\"response\":\"success\"}";
    static const char begin[] = "{\"type\":2,\"command\":\"", end[] = "\"}";
    uint32_t tasks;

    for (tasks = 3; tasks <= 8; tasks += 5) {
        leat_zabbix_proxy *proxy = fresh("px", "7.0.22", 100);
        struct t_bytes text = t_copy(head, sizeof head - 1), whole;
        static char command[2 << 20];
        const leat_event *event;
        leat_session *session;
        int status;
        uint32_t i;

        memset(command, 'x', sizeof command);
        for (i = 0; i < tasks; i++) {
            t_append(&text, ",", i > 0);
            t_append(&text, begin, sizeof begin - 1);
            t_append(&text, command, sizeof command);
            t_append(&text, end, sizeof end - 1);
        }
        t_append(&text, tail, sizeof tail - 1);
        whole = frame(3, text.data, text.length);
        ck_assert_int_eq(leat_zabbix_proxy_connect(proxy, &session), LEAT_OK);
        leat_session_free(session);
        ck_assert_int_eq(leat_zabbix_proxy_connect(proxy, &session), LEAT_OK);
        ck_assert_int_eq(leat_next(session, &event), LEAT_MORE);
        free(said(session));
        ck_assert_int_eq(leat_feed(session, whole.data, whole.length), LEAT_OK);
        i = 0;
        while ((status = leat_next(session, &event)) == LEAT_OK) {
            i += leat_event_kind(event) == LEAT_ZABBIX_TASK;
            ck_assert_uint_gt(leat_zabbix_proxy_memory(proxy), tasks * sizeof command);
        }
        ck_assert_int_eq(status, tasks == 3 ? LEAT_MORE : LEAT_E_LIMIT);
        ck_assert_uint_eq(i, tasks == 3 ? 3 : 0);
        leat_session_free(session);
        ck_assert_uint_lt(leat_zabbix_proxy_memory(proxy), 1 << 20);
        t_free(whole);
        t_free(text);
        leat_zabbix_proxy_free(proxy);
    }
}
END_TEST

START_TEST(no_room_to_keep)
{
    leat_zabbix_proxy *proxy = fresh("px", "7.0.22", 100);
    leat_limits limits;
    leat_config config;
    leat_buffer *small, *buffer = new_buffer();
    size_t length, used;
    const void *data;

    leat_limits_init(&limits, sizeof limits);
    leat_config_init(&config, sizeof config);
    limits.queued_bytes = 60;
    config.limits = &limits;
    ck_assert_int_eq(leat_buffer_new(&config, &small), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_proxy_save(proxy, small), LEAT_E_LIMIT);
    ck_assert_int_eq(leat_error_code(leat_zabbix_proxy_error(proxy)), LEAT_E_LIMIT);
    ck_assert_int_eq(leat_zabbix_proxy_save(proxy, buffer), LEAT_OK);
    ck_assert_ptr_null(leat_zabbix_proxy_error(proxy));
    (void)put_number(proxy, 1);
    ck_assert_int_eq(leat_zabbix_proxy_journal(proxy, small), LEAT_E_LIMIT);
    ck_assert_int_eq(leat_zabbix_proxy_journal(proxy, buffer), LEAT_OK);
    ck_assert_ptr_null(leat_buffer_data(small, &length));
    leat_zabbix_proxy_free(proxy);
    proxy = fresh("px", "7.0.22", 100);
    data = leat_buffer_data(buffer, &length);
    ck_assert_int_eq(leat_zabbix_proxy_restore(proxy, data, length, &used), LEAT_OK);
    ck_assert_uint_eq(status_of(proxy).rows, 1);
    leat_zabbix_proxy_free(proxy);
    leat_buffer_free(small);
    leat_buffer_free(buffer);
}
END_TEST

/* ---- random walks ---- */

#define NUMBERS 4000u

/* A proxy that breaks down at any moment, and a server that takes what it should. */
struct walk {
    uint32_t random;
    bool passive;
    const char *version;
    leat_zabbix_proxy *proxy;
    struct t_bytes file; /* what is on the disk */
    uint64_t now_ms;
    uint64_t mark;              /* the highest id that the server took */
    uint64_t given;             /* numbers, from 1 on; each is a value */
    uint64_t on_disk;           /* up to this number they are safe */
    uint8_t taken[NUMBERS + 1]; /* how often the server took it */
    bool gone[NUMBERS + 1];     /* it was not safe when the proxy broke down */
    uint64_t id_of[NUMBERS + 1];
    leat_session *left; /* one that hangs around */
};

static uint32_t draw(struct walk *w, uint32_t below)
{
    w->random = w->random * 1664525u + 1013904223u;
    return (w->random >> 8) % below;
}

static void walk_tick(struct walk *w, uint64_t ms)
{
    w->now_ms += ms;
    leat_zabbix_proxy_tick(w->proxy, w->now_ms, (int64_t)(1000000 + w->now_ms) * 1000000);
}

static void walk_new(struct walk *w)
{
    leat_zabbix_proxy_options o;

    leat_zabbix_proxy_options_init(&o, sizeof o);
    o.name = "px";
    o.version = w->version;
    o.session = TOKEN;
    o.passive = w->passive;
    o.batch_rows = 3;
    o.heartbeat_ms = 0;
    MUST(leat_zabbix_proxy_new(NULL, &o, &w->proxy) == LEAT_OK, "no proxy");
    walk_tick(w, 1);
}

static void walk_give(struct walk *w)
{
    uint32_t count = draw(w, 6);

    for (; count > 0 && w->given < NUMBERS; count--) {
        w->given++;
        w->id_of[w->given] = put_number(w->proxy, w->given);
    }
}

/* Writes a journal, or a save in the place of all. All of it reaches the disk, or a part. */
static bool walk_keep(struct walk *w, bool save, bool whole)
{
    leat_buffer *buffer = new_buffer();
    size_t length, kept_length;
    const uint8_t *data;

    MUST((save ? leat_zabbix_proxy_save(w->proxy, buffer)
               : leat_zabbix_proxy_journal(w->proxy, buffer)) == LEAT_OK,
         "not kept");
    data = (const uint8_t *)leat_buffer_data(buffer, &length);
    kept_length = whole ? length : draw(w, (uint32_t)length + 1);
    if (save && whole)
        w->file.length = 0;
    if (!save || whole)
        t_append(&w->file, data, kept_length); /* a save that is cut was never renamed */
    if (whole)
        w->on_disk = w->given;
    leat_buffer_free(buffer);
    return whole;
}

static void walk_restart(struct walk *w)
{
    size_t used;

    while (w->on_disk < w->given)
        w->gone[++w->on_disk] = true;
    leat_zabbix_proxy_free(w->proxy);
    leat_session_free(w->left);
    w->left = NULL;
    w->now_ms += draw(w, 100);
    walk_new(w);
    MUST(leat_zabbix_proxy_restore(w->proxy, w->file.data, w->file.length, &used) == LEAT_OK,
         "not restored");
    w->file.length = used;
}

/* The server gets a whole message. */
static void walk_take(struct walk *w, const char *text)
{
    leat_builder *builder = t_json(text, strlen(text));
    const leat_value *rows = leat_value_get(leat_builder_value(builder), "history data");
    const leat_value *row;
    uint64_t last = 0;

    for (row = leat_value_first(rows); row != NULL; row = leat_value_next(rows, row)) {
        uint64_t id = leat_value_u64(leat_value_get(row, "id"));
        uint64_t number = leat_value_u64(leat_value_get(row, "itemid"));

        MUST(id > last, "ids that do not ascend");
        MUST(w->id_of[number] == id, "another id");
        last = id;
        if (id > w->mark)
            MUST(++w->taken[number] == 1, "taken twice");
    }
    if (last > w->mark)
        w->mark = last;
    leat_builder_free(builder);
}

static int walk_drain(leat_session *session)
{
    const leat_event *event;
    int status;

    while ((status = leat_next(session, &event)) == LEAT_OK)
        continue;
    return status;
}

static void walk_hear(leat_session *session, const char *text, uint32_t cut)
{
    struct t_bytes whole = frame(3, text, strlen(text));
    size_t length = cut < whole.length ? cut : whole.length;

    (void)leat_feed(session, whole.data, length);
    (void)walk_drain(session);
    if (length < whole.length)
        (void)leat_recv_eof(session);
    (void)walk_drain(session);
    t_free(whole);
}

static leat_session *walk_open(struct walk *w)
{
    leat_session *session = NULL;

    if (!w->passive)
        return leat_zabbix_proxy_connect(w->proxy, &session) == LEAT_OK ? session : NULL;
    MUST(leat_zabbix_proxy_accept(w->proxy, 1, &session) == LEAT_OK, "not accepted");
    walk_hear(session,
              draw(w, 4) == 0 ? "{\"request\":\"proxy tasks\"}" : "{\"request\":\"proxy data\"}",
              UINT32_MAX);
    return session;
}

static void walk_exchange(struct walk *w, bool well)
{
    leat_session *session = walk_open(w);
    uint32_t mood = well ? 5 : draw(w, 8);
    char *text;

    if (session == NULL)
        return;
    (void)walk_drain(session);
    text = mood == 0 ? NULL : said(session); /* 0: it breaks before all of it came */
    if (text != NULL && leat_zabbix_exchange(session) == LEAT_ZABBIX_PROXY_CONFIG) {
        walk_hear(session, "{\"full_sync\":1,\"data\":{},\"config_revision\":5}",
                  well ? UINT32_MAX : draw(w, 200));
    } else if (text != NULL && mood == 1) { /* not taken, and said so */
        walk_hear(session, "{\"response\":\"failed\"}", UINT32_MAX);
    } else if (text != NULL) { /* taken, but not always said so */
        walk_take(w, text);
        walk_hear(session, "{\"response\":\"success\"}", mood > 4 ? UINT32_MAX : draw(w, 40));
    }
    free(text);
    if (mood == 2 && w->left == NULL)
        w->left = session;
    else
        leat_session_free(session);
}

static void walk_step(struct walk *w)
{
    switch (draw(w, 12)) {
    case 0:
    case 1:
    case 2:
        walk_give(w);
        break;
    case 3:
    case 4:
        (void)walk_keep(w, false, true);
        break;
    case 5:
        (void)walk_keep(w, true, true);
        break;
    case 6:
        if (!walk_keep(w, draw(w, 4) == 0, false))
            walk_restart(w);
        break;
    case 7:
        if (draw(w, 3) == 0)
            walk_restart(w);
        break;
    case 8:
        leat_session_free(w->left);
        w->left = NULL;
        break;
    default:
        walk_tick(w, draw(w, 2000));
        walk_exchange(w, false);
        break;
    }
}

START_TEST(random_walk)
{
    static struct walk w;
    uint64_t i;

    memset(&w, 0, sizeof w);
    w.random = (uint32_t)_i * 2654435761u;
    w.passive = _i % 2 == 1;
    w.version = _i % 3 == 0 ? "6.0.14" : "7.0.22";
    walk_new(&w);
    (void)walk_keep(&w, true, true);
    for (i = 0; i < 300; i++)
        walk_step(&w);
    leat_session_free(w.left);
    w.left = NULL;
    for (i = 0; i < 5000 && status_of(w.proxy).rows > 0; i++) {
        walk_tick(&w, 1000);
        walk_exchange(&w, true);
    }
    ck_assert_uint_eq(status_of(w.proxy).rows, 0);
    for (i = 1; i <= w.on_disk; i++)
        MUST(w.taken[i] == 1 || w.gone[i], "%d: number %d of %d is lost", _i, (int)i, (int)w.given);
    leat_zabbix_proxy_free(w.proxy);
    t_free(w.file);
}
END_TEST

/* Sessions that wait for agents hold little, and all of it is counted. */
START_TEST(idle_sessions)
{
    enum { SESSIONS = 1000 };
    leat_session *sessions[SESSIONS];
    struct t_counter counter;
    leat_config config;
    leat_zabbix_proxy_options o;
    leat_zabbix_proxy *proxy;
    const leat_event *event;
    size_t before, told, i, room;

    t_counter_init(&counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &counter.allocator;
    leat_zabbix_proxy_options_init(&o, sizeof o);
    o.name = "px";
    o.version = "7.0.22";
    o.session = TOKEN;
    ck_assert_int_eq(leat_zabbix_proxy_new(&config, &o, &proxy), LEAT_OK);
    before = counter.now;
    ck_assert_uint_eq(before, leat_zabbix_proxy_memory(proxy));
    for (i = 0; i < SESSIONS; i++) {
        ck_assert_int_eq(leat_zabbix_proxy_accept(proxy, 0, &sessions[i]), LEAT_OK);
        (void)leat_recv_space(sessions[i], &room);
        ck_assert_int_eq(leat_next(sessions[i], &event), LEAT_MORE);
        leat_session_trim(sessions[i]);
    }
    ck_assert_uint_le(counter.now - before, (size_t)1024 * SESSIONS);
    told = leat_zabbix_proxy_memory(proxy);
    for (i = 0; i < SESSIONS; i++)
        told += leat_session_memory(sessions[i]);
    ck_assert_uint_eq(told, counter.now);
    for (i = 0; i < SESSIONS; i++)
        leat_session_free(sessions[i]);
    ck_assert_uint_eq(counter.now, leat_zabbix_proxy_memory(proxy));
    leat_zabbix_proxy_free(proxy);
    ck_assert_uint_eq(counter.now, 0);
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_loop_test(tc, by_script, 0, sizeof scripts / sizeof *scripts);
    tcase_add_loop_test(tc, no_memory, 0, sizeof scripts / sizeof *scripts);
    tcase_add_loop_test(tc, which_options, 0, sizeof options / sizeof *options);
    tcase_add_test(tc, odd_options);
    tcase_add_test(tc, cut_anywhere);
    tcase_add_test(tc, changed_anywhere);
    tcase_add_test(tc, kept_by_another);
    tcase_add_test(tc, another_version);
    tcase_add_test(tc, versions_to_and_fro);
    tcase_add_test(tc, many_tasks);
    tcase_add_test(tc, idle_sessions);
    tcase_add_test(tc, no_room_to_keep);
    tcase_add_loop_test(tc, random_walk, 0, 100);
}

T_MAIN("zabbix/proxy", tests)
