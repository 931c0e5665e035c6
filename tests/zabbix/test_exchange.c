/*
 * Exchanges, from the tables of the specification: who says what in which version, in which form, how
 * long one waits for it, and who closes; and what becomes of everything else.
 */
#include "live.h"

#include <inttypes.h>
#include <stdio.h>

static const struct {
    const char *text;
    uint32_t number;
} versions[] = {{"5.0.33", 500}, {"5.4.12", 504}, {"6.0.14", 600}, {"6.2.9", 602},
                {"6.4.21", 604}, {"7.0.22", 700}, {"7.2.1", 702},  {"7.4.0", 704}};
#define VERSIONS (sizeof versions / sizeof *versions)

#define SERVER  LEAT_ZABBIX_AS_SERVER
#define PROXY   LEAT_ZABBIX_AS_PROXY
#define PASSIVE LEAT_ZABBIX_AS_PASSIVE_PROXY
#define AGENT   LEAT_ZABBIX_AS_AGENT
#define SENDER  LEAT_ZABBIX_AS_SENDER

#define TOKEN "'session':'0123456789abcdef0123456789abcdef'"
#define NOW   "'clock':1795293132,'ns':1"
#define TABLE                                                                                      \
    "'globalmacro':{'fields':['globalmacroid','macro','value','type'],"                            \
    "'data':[[2,'{$X}','x',0]]}"
#define VALUE "{'id':1,'itemid':950041,'clock':1795293132,'ns':7,'value':'1'}"
#define DATA                                                                                       \
    "{'request':'proxy data','host':'px'," TOKEN ",'history data':[" VALUE "],'version':'$V'," NOW \
    "}"
#define CONFIG "{'request':'proxy config','host':'px','version':'$V'," TOKEN ",'config_revision':0}"
/* As each version has it. */
#define OWN_CONFIG                                                                                 \
    "{'request':'proxy config','host':'px','version':'$V'$604<," TOKEN ",'config_revision':0$>}"
#define BEAT "{'request':'proxy heartbeat','host':'px','version':'$V'}"
#define CHECKS                                                                                     \
    "{'request':'active checks','host':'za1','version':'$V'$604<," TOKEN                           \
    ",'config_revision':0$>$700<,'variant':1$>}"
#define AGENT_DATA                                                                                 \
    "{'request':'agent data'," TOKEN                                                               \
    ",'version':'$V'$700<,'variant':1$>,'host':'za1','data':[" VALUE "]," NOW "}"
#define AGENT_BEAT                                                                                 \
    "{'request':'active check heartbeat','host':'za1','heartbeat_freq':60"                         \
    "$604<,'version':'$V'$>$700<,'variant':1$>}"
#define SENDER_DATA                                                                                \
    "{'request':'sender data','data':[{'host':'za1','key':'k','value':'1'}]," NOW "}"
#define CHECK   "{'request':'passive checks','data':[{'key':'agent.ping','timeout':3}]}"
#define SUCCESS "{'response':'success'}"
#define FAILED  "{'response':'failed'}"

/*
 * The text with $V replaced by the version, and of $604<...$> what stands between them, or nothing in
 * versions before that; yours to free().
 */
static char *of_version(const char *text, const char *version)
{
    const char *minor = strchr(version, '.');
    unsigned long number =
        strtoul(version, NULL, 10) * 100 + (minor == NULL ? 0 : strtoul(minor + 1, NULL, 10));
    struct t_bytes made = t_copy("", 0);
    const char *place;

    for (; (place = strchr(text, '$')) != NULL; text = place) {
        t_append(&made, text, (size_t)(place - text));
        if (place[1] == 'V') {
            t_append(&made, version, strlen(version));
            place += 2;
        } else if (place[1] >= '0' && place[1] <= '9') {
            place = strtoul(place + 1, NULL, 10) <= number ? strchr(place, '<') + 1
                                                           : strstr(place, "$>") + 2;
        } else if (place[1] == '>') {
            place += 2;
        } else {
            t_append(&made, place++, 1);
        }
    }
    t_append(&made, text, strlen(text));
    return (char *)made.data;
}

/* ---- section 3, row by row ---- */

struct said {
    char by; /* 'C': who connected, 'A': who was connected to */
    const char *name;
    const char *json;
    /*
     * Section 2. '1', '3'; 'o': by the option; 'a': by the option, or compressed if the message
     * before was; 's': as the message before.
     */
    char form;
    uint32_t wait_ms; /* how long the other side waits for it; 0: it is not said */
};

static const struct row {
    uint32_t from; /* versions */
    uint32_t to;
    uint32_t connects;
    uint32_t accepts[4];
    char closes; /* first */
    struct said messages[5];
} rows[] = {
    {500,
     602,
     PROXY,
     {SERVER},
     'A',
     {{'C', "proxy config", "{'request':'proxy config','host':'px','version':'$V'}", '3', 300000},
      {'A', "proxy config", "{" TABLE "$502<,'macro.secrets':{}$>}", 's', 600000}}},
    {604,
     704,
     PROXY,
     {SERVER},
     'A',
     {{'C', "proxy config", CONFIG, '3', 300000},
      {'A', "proxy config",
       "{'full_sync':1,'data':{" TABLE "},'macro.secrets':{},'config_revision':5}", '3', 600000}}},
    {604,
     704,
     PROXY,
     {SERVER},
     'A',
     {{'C', "proxy config", CONFIG, '3', 300000}, {'A', "proxy config", "{}", '3', 600000}}},
    {500,
     704,
     PROXY,
     {SERVER},
     'A',
     {{'C', "proxy data", DATA, '3', 300000},
      {'A', "response", "{'upload':'enabled','response':'success'}", 'o', 600000}}},
    {500,
     602,
     PROXY,
     {SERVER},
     'A',
     {{'C', "proxy heartbeat", BEAT, '3', 300000}, {'A', "response", SUCCESS, 's', 60000}}},
    {500,
     602,
     SERVER,
     {PASSIVE},
     'A',
     {{'C', "proxy config",
       "{'request':'proxy config','data':{" TABLE "$502<,'macro.secrets':{}$>}}", 'o', 0},
      {'A', "response", "{'response':'success','version':'$V'}", '3', 300000}}},
    {604,
     704,
     SERVER,
     {PASSIVE},
     'A',
     {{'C', "proxy config", "{'request':'proxy config'}", '1', 0},
      {'A', "proxy config", "{'version':'$V'," TOKEN ",'config_revision':16}", 's', 300000},
      {'C', "proxy config", "{'data':{" TABLE "},'config_revision':18}", '3', 300000},
      {'A', "response", "{'response':'success','version':'$V'}", '3', 300000}}},
    {604,
     704,
     SERVER,
     {PASSIVE},
     'A',
     {{'C', "proxy config", "{'request':'proxy config'}", '1', 0},
      {'A', "proxy config", "{'version':'$V'," TOKEN ",'config_revision':16}", 's', 300000},
      {'C', "proxy config", "{}", '3', 300000},
      {'A', "response", "{'response':'success','version':'$V'}", '3', 300000}}},
    {500,
     704,
     SERVER,
     {PASSIVE},
     'C',
     {{'C', "proxy data", "{'request':'proxy data'}", 'o', 0},
      {'A', "proxy data", "{" TOKEN ",'history data':[" VALUE "],'version':'$V'," NOW "}", '3',
       300000},
      {'C', "response", SUCCESS, 'a', 3000}}},
    {500,
     704,
     SERVER,
     {PASSIVE},
     'C',
     {{'C', "proxy tasks", "{'request':'proxy tasks'}", 'o', 0},
      {'A', "proxy tasks", "{'version':'$V'," NOW "}", '3', 300000},
      {'C', "response", SUCCESS, 'a', 3000}}},
    {500,
     704,
     AGENT,
     {SERVER, PROXY, PASSIVE},
     'A',
     {{'C', "active checks", CHECKS, '1', 300000},
      {'A', "response", "{'response':'success','data':[]}", 's', 0}}},
    {500,
     704,
     AGENT,
     {SERVER, PROXY, PASSIVE},
     'A',
     {{'C', "agent data", AGENT_DATA, '1', 300000},
      {'A', "response", "{'response':'success','info':'processed: 1'}", 's', 0}}},
    {500,
     704,
     SENDER,
     {SERVER, PROXY, PASSIVE},
     'A',
     {{'C', "sender data", SENDER_DATA, '1', 300000},
      {'A', "response", "{'response':'success','info':'processed: 1'}", 's', 0}}},
    {602,
     704,
     AGENT,
     {SERVER, PROXY, PASSIVE},
     'A',
     {{'C', "active check heartbeat", AGENT_BEAT, '1', 300000}}},
    {500,
     604,
     SERVER,
     {AGENT},
     'A',
     {{'C', "plain", "{'body':'agent.ping'}", '1', 0}, {'A', "plain", "{'body':'1'}", '1', 0}}},
    {500,
     604,
     PROXY,
     {AGENT},
     'A',
     {{'C', "plain", "{'body':'agent.ping'}", '1', 0},
      {'A', "plain", "{'body':'ZBX_NOTSUPPORTED','error':'Unknown.'}", '1', 0}}},
    {500,
     604,
     PASSIVE,
     {AGENT},
     'A',
     {{'C', "plain", "{'body':'agent.ping'}", '1', 0}, {'A', "plain", "{'body':'1'}", '1', 0}}},
    {700,
     704,
     SERVER,
     {AGENT},
     'A',
     {{'C', "passive checks", CHECK, '1', 0},
      {'A', "passive checks", "{'version':'$V','variant':1,'data':[{'value':'1'}]}", '1', 0}}},
    {700,
     704,
     PROXY,
     {AGENT},
     'A',
     {{'C', "passive checks", CHECK, '1', 0},
      {'A', "passive checks", "{'version':'$V','variant':1,'data':[{'error':'No.'}]}", '1', 0}}},
    {700,
     704,
     PASSIVE,
     {AGENT},
     'A',
     {{'C', "passive checks", CHECK, '1', 0},
      {'A', "passive checks", "{'version':'$V','variant':1,'error':'No.'}", '1', 0}}},
};
#define ROWS (sizeof rows / sizeof *rows)

/* Two sessions that exchange the messages of a row. */
struct pair {
    const struct row *row;
    const char *version;
    uint32_t number;
    bool compress;
    leat_session *sides[2]; /* who connects, who accepts */
    uint64_t now_ms;
    uint8_t form; /* of the last message */
};

static leat_session *one_side(const struct pair *pair, uint32_t role, uint32_t exchange,
                              uint64_t timeout_ms)
{
    leat_zabbix_exchange_options options;
    leat_session *session;

    leat_zabbix_exchange_options_init(&options, sizeof options);
    options.version = pair->version;
    options.role = role;
    options.connects = exchange != 0;
    options.exchange = exchange;
    options.compress = pair->compress;
    options.timeout_ms = timeout_ms;
    MUST(leat_zabbix_exchange_new(NULL, &options, &session) == LEAT_OK, "no session");
    return session;
}

static uint32_t kind_of(const struct row *row)
{
    const char *name = row->messages[0].name;

    return strcmp(name, "plain") == 0 ? LEAT_ZABBIX_PASSIVE_CHECKS : live_kind(name);
}

static struct pair meet(const struct row *row, size_t version, uint32_t accepts, bool compress,
                        uint64_t timeout_ms)
{
    struct pair pair = {.row = row,
                        .version = versions[version].text,
                        .number = versions[version].number,
                        .compress = compress};

    pair.sides[0] = one_side(&pair, row->connects, kind_of(row), timeout_ms);
    pair.sides[1] = one_side(&pair, accepts, 0, timeout_ms);
    return pair;
}

static void part(struct pair *pair)
{
    leat_session_free(pair->sides[0]);
    leat_session_free(pair->sides[1]);
}

static bool fits_row(const struct row *row, size_t version)
{
    return versions[version].number >= row->from && versions[version].number <= row->to;
}

static const char *label(const struct pair *pair, size_t message)
{
    static char text[200];

    (void)snprintf(text, sizeof text, "row %zu (%s), message %zu, version %s, compress %d",
                   (size_t)(pair->row - rows), pair->row->messages[0].name, message, pair->version,
                   (int)pair->compress);
    return text;
}

static uint8_t form_of(const struct pair *pair, const struct said *said)
{
    switch (said->form) {
    case '1':
        return 1;
    case '3':
        return 3;
    case 's':
        return pair->form;
    case 'a':
        return pair->compress || pair->number >= 604 || pair->form == 3 ? 3 : 1;
    case 'o':
    default:
        return pair->compress || pair->number >= 604 ? 3 : 1;
    }
}

static int send_version(struct pair *pair, leat_session *session, const struct said *said)
{
    char *json = of_version(said->json, pair->version);
    int status = live_send(session, said->name, json);

    free(json);
    return status;
}

static size_t waiting(const leat_session *session)
{
    size_t length;

    (void)leat_send_data(session, &length);
    return length;
}

/* It is not this side's turn: nothing that the exchange knows can be said, and nothing refused. */
static void cannot_speak(struct pair *pair, leat_session *session, size_t message)
{
    size_t i;

    for (i = 0; pair->row->messages[i].name != NULL; i++)
        MUST(send_version(pair, session, &pair->row->messages[i]) == LEAT_E_STATE,
             "%s: out of turn, %zu", label(pair, message), i);
    MUST(leat_zabbix_refuse(session, "no") == LEAT_E_STATE, "%s: refuses out of turn",
         label(pair, message));
    MUST(leat_zabbix_begin(session) == LEAT_E_STATE, "%s: begins out of turn",
         label(pair, message));
    MUST(waiting(session) == 0, "%s: wrote something", label(pair, message));
}

/* Draws all events; the last one must be that message, none may have an error. */
static int hear(struct pair *pair, leat_session *session, size_t message)
{
    const leat_event *event;
    const char *name = pair->row->messages[message].name;
    bool last = false;
    int status;

    while ((status = leat_next(session, &event)) == LEAT_OK) {
        MUST(leat_event_error(event) == NULL, "%s: %s %s", label(pair, message),
             leat_error_text(leat_event_error(event)), leat_error_field(leat_event_error(event)));
        last = leat_event_kind(event) != LEAT_ZABBIX_ROW &&
               strcmp(leat_event_name(event, NULL), name) == 0;
    }
    MUST(last, "%s: told something else", label(pair, message));
    return status;
}

/* One message goes over; what leat_next() answers who heard it. */
static int pass(struct pair *pair, size_t message)
{
    const struct said *said = &pair->row->messages[message];
    leat_session *speaker = pair->sides[said->by == 'A'];
    leat_session *listener = pair->sides[said->by == 'C'];
    const leat_event *event;
    struct t_bytes octets;

    MUST(leat_next(listener, &event) == LEAT_MORE, "%s: waits", label(pair, message));
    MUST(leat_wants(listener) == LEAT_WANT_READ, "%s: wants to read", label(pair, message));
    MUST(send_version(pair, speaker, said) == LEAT_OK, "%s: %s %s", label(pair, message),
         leat_error_text(leat_session_send_error(speaker)),
         leat_error_field(leat_session_send_error(speaker)));
    octets = live_take(speaker);
    MUST(octets.length > 13, "%s: said nothing", label(pair, message));
    MUST(octets.data[4] == form_of(pair, said), "%s: flags %u", label(pair, message),
         (unsigned)octets.data[4]);
    pair->form = octets.data[4];
    MUST(leat_feed(listener, octets.data, octets.length) == LEAT_OK, "%s: fed",
         label(pair, message));
    t_free(octets);
    return hear(pair, listener, message);
}

static void check_exchange(struct pair *pair, uint32_t first, uint32_t then, size_t message)
{
    MUST(leat_zabbix_exchange(pair->sides[0]) == first, "%s: exchange", label(pair, message));
    MUST(leat_zabbix_exchange(pair->sides[1]) == then, "%s: exchange", label(pair, message));
}

/* The exchange is over: one side closes, and the other one waits for that. */
static void check_end(struct pair *pair, int heard, size_t message, bool lingers)
{
    const struct said *said = &pair->row->messages[message];
    leat_session *closer = pair->sides[pair->row->closes == 'A'];
    leat_session *other = pair->sides[pair->row->closes == 'C'];
    bool single = message == 0;
    const leat_event *event;

    /* Who need not answer says so. */
    if (single) {
        MUST(heard == LEAT_MORE && leat_zabbix_refuse(closer, NULL) == LEAT_OK, "%s: closes",
             label(pair, message));
        MUST(waiting(closer) == 0, "%s: answers", label(pair, message));
        heard = LEAT_END;
    }
    MUST(heard == (said->by == pair->row->closes ? LEAT_MORE : LEAT_END), "%s: then %s",
         label(pair, message), leat_status_name(heard));
    MUST(leat_next(closer, &event) == LEAT_END, "%s: closes", label(pair, message));
    MUST(leat_wants(closer) == LEAT_WANT_CLOSE, "%s: wants to close", label(pair, message));
    MUST(leat_deadline(closer) == UINT64_MAX, "%s: waits for nothing", label(pair, message));
    cannot_speak(pair, closer, message);
    MUST(leat_next(other, &event) == LEAT_MORE, "%s: waits for the end", label(pair, message));
    MUST(leat_wants(other) == LEAT_WANT_READ, "%s: reads up to the end", label(pair, message));
    cannot_speak(pair, other, message);
    if (lingers && !single) {
        MUST(leat_deadline(other) == pair->now_ms + 1000, "%s: lingers up to %" PRIu64,
             label(pair, message), leat_deadline(other));
        leat_tick(other, pair->now_ms + 999);
        MUST(leat_next(other, &event) == LEAT_MORE, "%s: lingers", label(pair, message));
        leat_tick(other, pair->now_ms + 1000);
    } else {
        MUST(leat_recv_eof(other) == LEAT_OK, "%s", label(pair, message));
    }
    MUST(leat_next(other, &event) == LEAT_END, "%s: ends", label(pair, message));
    MUST(leat_wants(other) == LEAT_WANT_CLOSE, "%s: closes at last", label(pair, message));
}

static void walk_row(struct pair *pair, bool lingers)
{
    uint32_t kind = kind_of(pair->row);
    size_t i;
    int heard = LEAT_MORE;

    check_exchange(pair, kind, 0, 0);
    for (i = 0; pair->row->messages[i].name != NULL; i++) {
        pair->now_ms += 7;
        leat_tick(pair->sides[0], pair->now_ms);
        leat_tick(pair->sides[1], pair->now_ms);
        MUST(i == 0 || heard == LEAT_MORE, "%s: %s", label(pair, i), leat_status_name(heard));
        cannot_speak(pair, pair->sides[pair->row->messages[i].by == 'C'], i);
        heard = pass(pair, i);
        check_exchange(pair, kind, kind, i);
    }
    check_end(pair, heard, i - 1, lingers);
}

START_TEST(row_by_row)
{
    const struct row *row = &rows[_i];
    size_t version, role, way;

    for (version = 0; version < VERSIONS; version++) {
        for (role = 0; row->accepts[role] != 0 && fits_row(row, version); role++) {
            for (way = 0; way < 4; way++) {
                struct pair pair = meet(row, version, row->accepts[role], way % 2 != 0, 0);

                walk_row(&pair, way / 2 != 0);
                part(&pair);
            }
        }
    }
}
END_TEST

/* The listener of a message waits until the deadline, counted from its turn. */
static void wait_for(struct pair *pair, size_t message, uint64_t wait_ms)
{
    const leat_event *event;
    leat_session *listener = pair->sides[pair->row->messages[message].by == 'C'];
    leat_session *speaker = pair->sides[pair->row->messages[message].by == 'A'];
    uint64_t start = 1000;
    size_t i;
    int status;

    pair->now_ms = start;
    leat_tick(pair->sides[0], start);
    leat_tick(pair->sides[1], start);
    for (i = 0; i < message; i++) {
        (void)pass(pair, i);
        start += 50;
        leat_tick(pair->sides[0], start);
        leat_tick(pair->sides[1], start);
    }
    if (message > 0)
        start -= 50;
    MUST(leat_next(listener, &event) == LEAT_MORE, "%s: waits", label(pair, message));
    MUST(leat_deadline(listener) == start + wait_ms, "%s: %" PRIu64 " instead of %" PRIu64,
         label(pair, message), leat_deadline(listener), start + wait_ms);
    MUST(leat_deadline(speaker) == UINT64_MAX, "%s: it may take its time", label(pair, message));
    leat_tick(listener, start + wait_ms - 1);
    MUST(leat_next(listener, &event) == LEAT_MORE, "%s: too early", label(pair, message));
    /* Octets that drop in make it no later. */
    MUST(leat_feed(listener, "ZBX", 3) == LEAT_OK, "%s", label(pair, message));
    MUST(leat_next(listener, &event) == LEAT_MORE, "%s: too early", label(pair, message));
    leat_tick(listener, start + wait_ms);
    do
        status = leat_next(listener, &event);
    while (status == LEAT_OK);
    MUST(status == LEAT_E_TIMEOUT, "%s: %s", label(pair, message), leat_status_name(status));
    MUST(leat_error_code(leat_session_error(listener)) == LEAT_E_TIMEOUT, "%s",
         label(pair, message));
    MUST((leat_wants(listener) & LEAT_WANT_CLOSE) != 0, "%s: closes", label(pair, message));
    MUST(leat_deadline(listener) == UINT64_MAX, "%s: waits for nothing", label(pair, message));
}

START_TEST(waits)
{
    const struct row *row = &rows[_i];
    size_t version, message;

    for (version = 0; version < VERSIONS; version++) {
        for (message = 0; row->messages[message].name != NULL && fits_row(row, version);
             message++) {
            struct pair pair = meet(row, version, row->accepts[0], true, 0);

            if (row->messages[message].wait_ms != 0)
                wait_for(&pair, message, row->messages[message].wait_ms);
            part(&pair);
            pair = meet(row, version, row->accepts[0], true, 5000);
            wait_for(&pair, message, 5000);
            part(&pair);
        }
    }
}
END_TEST

/* LEAT_OK, or why there is no such session. */
static int make(uint32_t role, uint32_t exchange, const char *version)
{
    leat_zabbix_exchange_options options;
    leat_session *session = NULL;
    int status;

    leat_zabbix_exchange_options_init(&options, sizeof options);
    options.role = role;
    options.connects = exchange != 0;
    options.exchange = exchange;
    options.version = version;
    status = leat_zabbix_exchange_new(NULL, &options, &session);
    ck_assert((status == LEAT_OK) == (session != NULL));
    leat_session_free(session);
    return status;
}

/* The stream ends before a message, or in the midst of it. */
static void end_before(struct pair *pair, size_t message, bool in_the_midst)
{
    leat_session *listener = pair->sides[pair->row->messages[message].by == 'C'];
    const leat_event *event;
    size_t i;
    int status;

    for (i = 0; i < message; i++)
        (void)pass(pair, i);
    MUST(!in_the_midst || leat_feed(listener, "ZBXD\1", 5) == LEAT_OK, "feeds");
    MUST(leat_recv_eof(listener) == LEAT_OK, "ends");
    status = leat_next(listener, &event);
    MUST(status == (message == 0 && !in_the_midst ? LEAT_END : LEAT_E_END), "%s: %s",
         label(pair, message), leat_status_name(status));
    MUST(leat_wants(listener) == LEAT_WANT_CLOSE, "%s: closes", label(pair, message));
    MUST(waiting(listener) == 0, "%s: says something", label(pair, message));
}

START_TEST(cut_off)
{
    const struct row *row = &rows[_i];
    size_t version, message;

    for (version = 0; version < VERSIONS; version++) {
        for (message = 0; row->messages[message].name != NULL && fits_row(row, version);
             message++) {
            int way;

            for (way = 0; way < 2; way++) {
                struct pair pair = meet(row, version, row->accepts[0], true, 0);

                end_before(&pair, message, way != 0);
                part(&pair);
            }
        }
    }
}
END_TEST

/* ---- who may ask whom for what ---- */

static const struct {
    const char *name;
    const char *json;
    uint32_t from;
    uint32_t to;
    const char *connects; /* the roles that may ask so: Server, Proxy, pAssive, aGent, senDer */
    const char *accepts;
} requests[] = {
    {"proxy config", OWN_CONFIG, 500, 704, "P", "S"},
    {"proxy data", DATA, 500, 704, "P", "S"},
    {"proxy heartbeat", BEAT, 500, 602, "P", "S"},
    {"proxy config", "{'request':'proxy config','data':{" TABLE "}}", 500, 602, "S", "A"},
    {"proxy config", "{'request':'proxy config'}", 604, 704, "S", "A"},
    {"proxy data", "{'request':'proxy data'}", 500, 704, "S", "A"},
    {"proxy tasks", "{'request':'proxy tasks'}", 500, 704, "S", "A"},
    {"active checks", CHECKS, 500, 704, "G", "SPA"},
    {"agent data", AGENT_DATA, 500, 704, "G", "SPA"},
    {"active check heartbeat", AGENT_BEAT, 602, 704, "G", "SPA"},
    {"sender data", SENDER_DATA, 500, 704, "D", "SPA"},
    {"plain", "{'body':'agent.ping'}", 500, 604, "SPA", "G"},
    {"passive checks", CHECK, 700, 704, "SPA", "G"},
};

static const struct {
    uint32_t role;
    char letter;
} roles[] = {{SERVER, 'S'}, {PROXY, 'P'}, {PASSIVE, 'A'}, {AGENT, 'G'}, {SENDER, 'D'}};

/* Some other request of this name is known to that role and version. */
static bool is_known_otherwise(size_t request, char letter, uint32_t number)
{
    size_t i;

    for (i = 0; i < sizeof requests / sizeof *requests; i++) {
        if (i != request && strcmp(requests[i].name, requests[request].name) == 0 &&
            number >= requests[i].from && number <= requests[i].to &&
            strchr(requests[i].accepts, letter) != NULL)
            return true;
    }
    return false;
}

static bool is_asked(size_t request, char letter, uint32_t number)
{
    return number >= requests[request].from && number <= requests[request].to &&
           strchr(requests[request].connects, letter) != NULL;
}

static uint32_t exchange_of(size_t request)
{
    return strcmp(requests[request].name, "plain") == 0 ? LEAT_ZABBIX_PASSIVE_CHECKS
                                                        : live_kind(requests[request].name);
}

static int send_request(leat_session *session, size_t request, size_t version)
{
    char *json = of_version(requests[request].json, versions[version].text);
    int status = live_send(session, requests[request].name, json);

    free(json);
    return status;
}

/* Connects for this request, and tries all. */
static void ask_all(size_t request, size_t role, size_t version)
{
    uint32_t kind = exchange_of(request);
    size_t i;

    for (i = 0; i < sizeof requests / sizeof *requests; i++) {
        leat_session *session = live_exchange(NULL, roles[role].role, kind, versions[version].text);
        bool same = exchange_of(i) == kind;
        int status = send_request(session, i, version);

        if (same && is_asked(i, roles[role].letter, versions[version].number))
            MUST(status == LEAT_OK, "%c of %s asks %s for %s: %s", roles[role].letter,
                 versions[version].text, requests[request].name, requests[i].json,
                 leat_error_field(leat_session_send_error(session)));
        else if (!same)
            MUST(status == LEAT_E_STATE && waiting(session) == 0, "%c of %s asks %s for %s: %s",
                 roles[role].letter, versions[version].text, requests[request].name,
                 requests[i].json, leat_status_name(status));
        leat_session_free(session);
    }
}

START_TEST(who_asks)
{
    size_t role, version, i;

    for (role = 0; role < sizeof roles / sizeof *roles; role++) {
        for (version = 0; version < VERSIONS; version++) {
            bool may = false;

            for (i = 0; i < sizeof requests / sizeof *requests; i++)
                may |= exchange_of(i) == exchange_of((size_t)_i) &&
                       is_asked(i, roles[role].letter, versions[version].number);
            MUST((make(roles[role].role, exchange_of((size_t)_i), versions[version].text) ==
                  LEAT_OK) == may,
                 "%c of %s, for %s", roles[role].letter, versions[version].text, requests[_i].name);
            if (is_asked((size_t)_i, roles[role].letter, versions[version].number))
                ask_all((size_t)_i, role, version);
        }
    }
}
END_TEST

/* In the place of an answer no request can be said, but for the name that the answer has, too. */
START_TEST(answers_with_a_request)
{
    const struct row *row = &rows[_i];
    size_t version = VERSIONS, message, i;

    while (!fits_row(row, --version))
        continue;
    for (message = 1; row->messages[message].name != NULL; message++) {
        for (i = 0; i < sizeof requests / sizeof *requests; i++) {
            struct pair pair = meet(row, version, row->accepts[0], true, 0);
            leat_session *speaker = pair.sides[row->messages[message].by == 'A'];
            size_t passed;
            int status;

            for (passed = 0; passed < message; passed++)
                (void)pass(&pair, passed);
            status = send_request(speaker, i, version);
            if (strcmp(requests[i].name, row->messages[message].name) != 0 &&
                exchange_of(i) != kind_of(row))
                MUST(status == LEAT_E_STATE, "%s: %s says %s", label(&pair, message),
                     requests[i].name, leat_status_name(status));
            else if (strcmp(requests[i].name, "plain") != 0)
                MUST(status == LEAT_E_STATE || status == LEAT_E_VALUE, "%s: %s says %s",
                     label(&pair, message), requests[i].name, leat_status_name(status));
            part(&pair);
        }
    }
}
END_TEST

/* Who is asked for what it does not answer closes; an active proxy tells the server its mistake. */
static const char *reaction(size_t request, size_t role)
{
    if (roles[role].role == PROXY && strcmp(requests[request].name, "proxy config") == 0)
        return "ends PROTOCOL\n>3 {'response':'failed','info':'*";
    return "ends PROTOCOL\nsilent";
}

static void be_asked(size_t request, size_t role, size_t version)
{
    static const char *const names[] = {"server", "proxy", "passive"};
    uint32_t number = versions[version].number;
    bool answers = number >= requests[request].from && number <= requests[request].to &&
                   strchr(requests[request].accepts, roles[role].letter) != NULL;
    char *json = of_version(requests[request].json, versions[version].text);
    char script[2000];

    (void)snprintf(script, sizeof script, "%s %s accepts\n<1 %s\n%s", names[role],
                   versions[version].text, json,
                   answers ? "ends MORE\nsilent" : reaction(request, role));
    if (answers || !is_known_otherwise(request, roles[role].letter, number))
        live_play(script);
    free(json);
}

START_TEST(who_is_asked)
{
    size_t role, version;

    for (role = 0; roles[role].role != AGENT; role++) {
        for (version = 0; version < VERSIONS; version++) {
            if (strcmp(requests[_i].name, "plain") != 0)
                be_asked((size_t)_i, role, version);
        }
    }
}
END_TEST

/* ---- scripts ---- */

#define ROW "history data, "

static const struct {
    const char *name;
    uint32_t from; /* for each version from here to there, which $V stands for */
    uint32_t to;
    const char *text;
} scripts[] = {
    /* Section 4.2: refusals by the caller. */
    {"a server refuses the configuration by closing", 500, 704,
     "server $V accepts\n<1 " CONFIG "\nnext proxy config\nrefuse nope\nsilent\nover\nsilent\n"
     "wants close"},
    {"a server refuses data in the form of the request", 500, 704,
     "server $V accepts\n<1 " DATA "\ntold " ROW "proxy data, MORE\nrefuse no 'x' found\n"
     ">1 {'response':'failed','info':'no \\'x\\' found'}\nover\nwants close"},
    {"a server refuses compressed data in the form of the request", 500, 704,
     "server $V accepts plain\n<3 " DATA "\ntold " ROW "proxy data, MORE\nrefuse nope\n"
     ">3 {'response':'failed','info':'nope'}\nover\nwants close"},
    {"a server refuses data without a reason", 500, 704,
     "server $V accepts\n<1 " DATA "\ntold " ROW "proxy data, MORE\nrefuse\n>1 " FAILED "\nover"},
    {"a server refuses a heartbeat", 500, 602,
     "server $V accepts\n<1 " BEAT "\ntold proxy heartbeat, MORE\nrefuse nope\n"
     ">1 {'response':'failed','info':'nope'}\nover"},
    {"a server refuses a compressed heartbeat", 500, 602,
     "server $V accepts plain\n<3 " BEAT "\ntold proxy heartbeat, MORE\nrefuse nope\n"
     ">3 {'response':'failed','info':'nope'}\nover"},
    {"a server of 6.4 closes on a heartbeat", 604, 704,
     "server $V accepts\n<3 " BEAT "\ntold proxy heartbeat!PROTOCOL, PROTOCOL\nsilent\n"
     "wants close"},
    {"a passive proxy refuses the configuration that comes at once", 500, 602,
     "passive $V accepts\n<1 {'request':'proxy config','data':{}}\nnext proxy config\n"
     "refuse nope\n>3 {'response':'failed','info':'nope','version':'$V'}\nover\nwants close"},
    {"a passive proxy refuses the handshake", 604, 704,
     "passive $V accepts\n<1 {'request':'proxy config'}\nnext proxy config\nrefuse nope\n"
     ">3 {'response':'failed','info':'nope','version':'$V'}\nover\nwants close"},
    {"a passive proxy refuses what it cannot apply", 604, 704,
     "passive $V accepts\n<1 {'request':'proxy config'}\nnext proxy config\n"
     "send proxy config {'version':'$V'," TOKEN ",'config_revision':1}\n"
     ">1 {'version':'$V'," TOKEN ",'config_revision':1}\n"
     "<3 {'data':{},'config_revision':2}\nnext proxy config\nrefuse nope\n"
     ">3 {'response':'failed','info':'nope','version':'$V'}\nover\nwants close"},
    {"a passive proxy refuses a request for data by closing", 500, 704,
     "passive $V accepts\n<1 {'request':'proxy data'}\nnext proxy data\nrefuse nope\nover\n"
     "silent\nwants close"},
    {"a passive proxy refuses a request for tasks by closing", 500, 704,
     "passive $V accepts\n<3 {'request':'proxy tasks'}\nnext proxy tasks\nrefuse nope\nover\n"
     "silent\nwants close"},
    {"an active proxy is not to be sent a configuration", 500, 704,
     "proxy $V accepts\n<1 {'request':'proxy config'}\ntold proxy config!PROTOCOL, PROTOCOL\n"
     ">3 {'response':'failed','info':'misconfiguration error*','version':'$V'}\nwants close"},
    {"an active proxy is not to be asked for data", 500, 704,
     "proxy $V accepts\n<1 {'request':'proxy data'}\ntold proxy data!PROTOCOL, PROTOCOL\nsilent"},
    {"an active proxy is not to be asked for tasks", 500, 704,
     "proxy $V accepts\n<3 {'request':'proxy tasks'}\ntold proxy tasks!PROTOCOL, PROTOCOL\nsilent"},
    {"a server is not to be asked for tasks", 500, 704,
     "server $V accepts\n<1 {'request':'proxy tasks'}\ntold proxy tasks!PROTOCOL, "
     "PROTOCOL\nsilent"},
    {"a server refuses what a passive proxy sent", 500, 704,
     "server $V asks=proxy_data\nsend proxy data {'request':'proxy data'}\nspeaks\n"
     "<3 {" TOKEN ",'version':'$V'," NOW "}\nnext proxy data\nrefuse nope\n"
     ">3 {'response':'failed','info':'nope'}\nover"},
    {"a server that has no configuration for it still ends the handshake", 604, 704,
     "server $V asks=proxy_config\nsend proxy config {'request':'proxy config'}\nspeaks\n"
     "<1 {'version':'$V'," TOKEN ",'config_revision':1}\nnext proxy config\nrefuse nope\nspeaks"},
    {"a server refuses active checks in the form of the request", 500, 704,
     "server $V accepts\n<1 " CHECKS "\nnext active checks\nrefuse host [x] not found\n"
     ">1 {'response':'failed','info':'host [x] not found'}\nover\nwants close"},
    {"a proxy refuses agent data in the form of the request", 500, 704,
     "proxy $V accepts\n<3 " AGENT_DATA "\ntold data, agent data, MORE\nrefuse nope\n"
     ">3 {'response':'failed','info':'nope'}\nover"},
    {"info that is not UTF-8 is no info", 500, 704,
     "server $V accepts\n<1 " DATA "\ntold " ROW "proxy data, MORE\nunable VALUE a\xff\n"
     "refuse nope\nspeaks"},
    {"what was answered cannot be refused", 500, 704,
     "server $V accepts\n<1 " DATA "\ntold " ROW "proxy data, MORE\nsend response " SUCCESS
     "\nspeaks\nunable STATE nope\nsilent"},

    /* Unknown requests and other bodies. */
    {"an unknown request", 500, 704,
     "server $V accepts\n<1 {'request':'nonsense'}\ntold request!PROTOCOL/request, PROTOCOL\n"
     "silent\nwants close"},
    {"an unknown request, to a proxy", 500, 704,
     "proxy $V accepts\n<3 {'request':'nonsense'}\ntold request!PROTOCOL/request, "
     "PROTOCOL\nsilent"},
    {"an unknown request, to a passive proxy", 500, 704,
     "passive $V accepts\n<1 {'request':'nonsense'}\ntold request!PROTOCOL/request, PROTOCOL\n"
     "silent"},
    {"no request", 500, 704,
     "server $V accepts\n<1 {'host':'px','version':'$V'}\ntold message!PROTOCOL/request, PROTOCOL\n"
     "silent"},
    {"a request that is no text", 500, 704,
     "server $V accepts\n<1 {'request':1,'host':'px'}\nends PROTOCOL\nsilent"},
    {"an empty object", 500, 704, "server $V accepts\n<1 {}\nends PROTOCOL\nsilent"},
    {"a response for a request", 500, 704,
     "server $V accepts\n<1 " SUCCESS "\ntold response!PROTOCOL, PROTOCOL\nsilent"},
    {"an array", 500, 704,
     "server $V accepts\n<1 [{'request':'proxy data'}]\ntold plain!PROTOCOL, PROTOCOL\nsilent"},
    {"an empty body", 500, 704, "server $V accepts\n<1 \nends PROTOCOL"},
    {"the old request for active checks", 500, 704,
     "server $V accepts\n<1 ZBX_GET_ACTIVE_CHECKS^Jhost^J\ntold plain!PROTOCOL, PROTOCOL\n"
     "wrote 4f4b\nwants close"},
    {"the old XML", 500, 704,
     "proxy $V accepts\n<1 <req><host>eA==</host></req>\ntold plain!PROTOCOL, PROTOCOL\n"
     "wrote 4f4b"},
    {"the old plain value", 500, 704,
     "passive $V accepts\n<1 host:key:value\ntold plain!PROTOCOL, PROTOCOL\nwrote 4f4b"},
    {"a leading space", 500, 704,
     "server $V accepts\n<1  " DATA "\ntold plain!PROTOCOL, PROTOCOL\nwrote 4f4b"},
    {"a control character", 500, 704,
     "server $V accepts\n<1 {'request':'proxy data','host':'px','version':'$V','x':'a^Ab'}\n"
     "told proxy data!SYNTAX, SYNTAX\n>1 {'response':'failed','info':'cannot parse as a valid "
     "JSON object*'}\nwants close"},
    {"malformed, compressed, answered uncompressed", 500, 704,
     "server $V accepts\n<3 {'request':'proxy data','host':'px',}\ntold proxy data!SYNTAX, SYNTAX\n"
     ">1 {'response':'failed','info':'cannot parse as a valid JSON object*'}"},
    {"malformed, to a proxy", 500, 704,
     "proxy $V accepts\n<1 {'request':'sender data'\ntold sender data!SYNTAX, SYNTAX\n"
     ">1 {'response':'failed','info':'cannot parse as a valid JSON object*'}"},
    {"trailing junk", 500, 704,
     "server $V accepts\n<1 " DATA " x\ntold " ROW "proxy data!SYNTAX, SYNTAX\n"
     ">1 {'response':'failed','info':'cannot parse as a valid JSON object*'}"},
    {"trailing space, CR and LF", 500, 704,
     "server $V accepts\n<1 " DATA " ^M^J\ntold " ROW "proxy data, MORE\nsend response " SUCCESS
     "\nspeaks\ntold END"},
    {"a zero octet and junk behind it", 500, 704,
     "server $V accepts\n<1 " DATA "^@junk\ntold " ROW "proxy data, MORE\nsend response " SUCCESS
     "\nspeaks\ntold END"},
    {"text that is not UTF-8", 500, 704,
     "server $V accepts\n<1 {'request':'proxy data','host':'px'," TOKEN
     ",'x':'bad \xff utf8','version':'$V'," NOW "}\ntold proxy data, MORE\nsend response " SUCCESS
     "\nspeaks\ntold END"},
    {"unknown members are ignored", 500, 704,
     "server $V accepts\n<1 {'request':'proxy data','host':'px'," TOKEN
     ",'new':[1,{'x':[]}],'version':'$V'," NOW "}\ntold proxy data, MORE"},
    {"the first of two members counts", 500, 704,
     "server $V accepts\n<1 {'request':'proxy data','host':'px'," TOKEN ",'version':'$V'," NOW
     ",'request':'nonsense','version':'1.8'}\ntold proxy data, MORE"},
    {"what is answered may be malformed", 500, 704,
     "proxy $V asks=proxy_data\nsend proxy data " DATA "\nspeaks\n<3 {'response':}\n"
     "told response!SYNTAX, SYNTAX\nsilent\nwants close"},
    {"the answer is not framed", 500, 704,
     "proxy $V asks=proxy_data\nsend proxy data " DATA "\nspeaks\noctets 4f4b\nfails\nsilent"},
    {"a sender's answer is not framed", 500, 704,
     "sender $V asks=sender_data\nsend sender data " SENDER_DATA
     "\nspeaks\noctets 4f4b\nfails\nsilent"},
    {"the answer is no object", 500, 704,
     "proxy $V asks=proxy_data\nsend proxy data " DATA "\nspeaks\n<1 nonsense\n"
     "told plain!PROTOCOL, PROTOCOL\nsilent"},
    {"the answer is empty", 500, 704,
     "proxy $V asks=proxy_data\nsend proxy data " DATA "\nspeaks\n<1 \nends PROTOCOL\nsilent"},
    {"the answer has no response", 500, 704,
     "proxy $V asks=proxy_data\nsend proxy data " DATA "\nspeaks\n<3 {'upload':'enabled'}\n"
     "ends PROTOCOL\nsilent"},
    {"the answer is a request", 500, 704,
     "proxy $V asks=proxy_data\nsend proxy data " DATA "\nspeaks\n<3 {'request':'proxy data'}\n"
     "told proxy data!PROTOCOL, PROTOCOL\nsilent"},
    {"who is asked for data asks for data", 500, 704,
     "server $V asks=proxy_data\nsend proxy data {'request':'proxy data'}\nspeaks\n"
     "<3 {'request':'proxy data'}\ntold proxy data!PROTOCOL/request, PROTOCOL\nsilent"},
    {"the answer is a refusal", 500, 704,
     "proxy $V asks=proxy_data\nsend proxy data " DATA
     "\nspeaks\n<3 {'response':'failed','info':'no'}\n"
     "told response, MORE\nend\ntold END"},
    {"the configuration is refused with words", 500, 704,
     "proxy $V asks=proxy_config\nsend proxy config " OWN_CONFIG "\nspeaks\n"
     "<3 {'response':'failed','info':'no'}\ntold response, MORE\nend\ntold END"},
    {"either form is understood", 500, 704,
     "proxy $V asks=proxy_data\nsend proxy data " DATA "\nspeaks\n<1 " SUCCESS
     "\ntold response, MORE\nend\ntold END"},

    /* Framing. */
    {"TLS, to a server", 500, 704,
     "server $V accepts\noctets 160301020001 0001fc0303\nends FRAME\nsilent\nwants close"},
    {"TLS, to a proxy", 500, 704,
     "proxy $V accepts\noctets 16030102000100 01fc0303\nends FRAME\nsilent"},
    {"TLS, to a passive proxy", 500, 704,
     "passive $V accepts\noctets 160301020001 0001fc0303\nends FRAME\nsilent"},
    {"TLS, to an agent", 500, 704,
     "agent $V accepts\noctets 160301020001 0001fc0303\nends FRAME\nsilent"},
    {"TLS, from a server", 500, 704,
     "proxy $V asks=proxy_data\nsend proxy data " DATA
     "\nspeaks\noctets 15030100020228\nends FRAME"},
    {"another magic", 500, 704,
     "server $V accepts\noctets 5a425845 01 0000000000000000\nends FRAME\nsilent"},
    {"no protocol flag", 500, 704,
     "server $V accepts\noctets 5a425844 02 0000000000000000\nends FRAME\nsilent"},
    {"an unknown flag", 500, 704,
     "server $V accepts\noctets 5a425844 09 0000000000000000\nends FRAME\nsilent"},
    {"a negative flag", 500, 704,
     "server $V accepts\noctets 5a425844 81 0000000000000000\nends FRAME\nsilent"},
    {"reserved is ignored without compression", 500, 704,
     "passive $V accepts\noctets 5a425844 01 18000000 ffffffff 7b2272657175657374223a2270726f"
     "78792064617461227d\nnext proxy data"},
    {"a zlib bomb", 500, 704,
     "passive $V accepts\nclaims 10 {'request':'proxy data'}\n"
     "ends INFLATE\nsilent\nwants close"},
    {"less text than was said", 500, 704,
     "passive $V accepts\nclaims 25 {'request':'proxy data'}\nends INFLATE\nsilent"},
    {"compressed nothing", 500, 704, "server $V accepts\nclaims 0 {}\nends INFLATE\nsilent"},
    {"junk behind the zlib stream", 500, 704,
     "passive $V accepts\npadded {'request':'proxy data'}\nnext proxy data"},
    {"no zlib stream", 500, 704,
     "passive $V accepts\noctets 5a425844 03 04000000 02000000 7b7d7b7d\nends INFLATE\nsilent"},
    {"malformed, and corrupt behind that", 500, 704,
     "server $V accepts\noctets "
     "5a42584403270000001f000000789cab562a4a2d2c4d2d2e51b2522a28caafa85428"
     "492cce2e565250aa50b232ac0500b2f70a92\nends INFLATE\nsilent"},
    {"corrupt answer", 500, 704,
     "proxy $V asks=proxy_data\nsend proxy data " DATA "\nspeaks\nclaims 99 " SUCCESS
     "\nends INFLATE\nsilent"},
    {"a gigabyte is announced", 500, 704,
     "server $V accepts\noctets 5a425844 01 00000040 00000000\ntold MORE\nmemory 40000\n"
     "octets 7b2272657175\ntold MORE\nmemory 40000"},
    {"a compressed gigabyte is announced", 500, 704,
     "server $V accepts\noctets 5a425844 03 00000040 00000040\ntold MORE\nmemory 100000"},
    {"more than a gigabyte is announced", 500, 704,
     "server $V accepts\noctets 5a425844 01 01000040 00000000\nends LIMIT\nsilent\nwants close"},
    {"more than a gigabyte of text is announced", 500, 704,
     "server $V accepts\noctets 5a425844 03 10000000 01000040\nends LIMIT\nsilent"},
    {"a gigabyte is announced for an answer", 500, 704,
     "proxy $V asks=proxy_data\nsend proxy data " DATA "\nspeaks\ntrim\n"
     "octets 5a425844 03 00000040 00000040\ntold MORE\nmemory 100000"},
    {"more than a gigabyte for an answer", 500, 704,
     "proxy $V asks=proxy_data\nsend proxy data " DATA "\nspeaks\n"
     "octets 5a425844 01 01000040 00000000\nends LIMIT"},

    /* Ends of the stream. */
    {"somebody only looks in", 500, 704, "server $V accepts\nend\ntold END\nsilent\nwants close"},
    {"half a header", 500, 704,
     "server $V accepts\noctets 5a4258\nend\nends E_END\nsilent\nwants close"},
    {"half a message", 500, 704,
     "passive $V accepts\noctets 5a425844 01 18000000 00000000 7b2272\nend\nends E_END\nsilent"},
    {"no answer", 500, 704,
     "proxy $V asks=proxy_config\nsend proxy config " OWN_CONFIG
     "\nspeaks\nend\nends E_END\nwants close"},
    {"half an answer", 500, 704,
     "proxy $V asks=proxy_data\nsend proxy data " DATA
     "\nspeaks\noctets 5a425844 01\nend\nends E_END"},
    {"no acknowledgement", 500, 704,
     "passive $V accepts\n<1 {'request':'proxy data'}\nnext proxy data\n"
     "send proxy data {" TOKEN ",'version':'$V'," NOW "}\nspeaks\nend\nends E_END"},
    {"no data", 500, 704,
     "server $V asks=proxy_data\nsend proxy data {'request':'proxy data'}\nspeaks\nend\nends "
     "E_END"},
    {"no value", 500, 604,
     "server $V asks=passive_checks\nsend plain {'body':'agent.ping'}\nspeaks\nend\nends E_END"},
    {"a heartbeat has no answer", 602, 704,
     "agent $V asks=active_check_heartbeat\nsend active check heartbeat " AGENT_BEAT
     "\nspeaks\nend\ntold END"},
    {"a peer that says no more may be answered", 500, 704,
     "server $V accepts\n<1 " DATA
     "\nend\nnext history data\nnext proxy data\nsend response " SUCCESS "\nspeaks\ntold END"},

    /* Whose turn it is. */
    {"two requests", 500, 704, "server $V accepts\n<1 " DATA "\n<1 " DATA "\nfails"},
    {"octets behind the request", 500, 704, "server $V accepts\n<1 " DATA "\noctets 00\nfails"},
    {"octets behind the answer", 500, 704,
     "proxy $V asks=proxy_data\nsend proxy data " DATA "\nspeaks\n<3 " SUCCESS
     "\noctets 00\nends FRAME\nsilent\nwants close"},
    {"octets behind the answer, later", 500, 704,
     "proxy $V asks=proxy_data\nsend proxy data " DATA "\nspeaks\n<3 " SUCCESS
     "\ntold response, MORE\noctets 5a425844\nends FRAME"},
    {"a message behind the acknowledgement", 500, 704,
     "passive $V accepts\n<1 {'request':'proxy data'}\nnext proxy data\n"
     "send proxy data {" TOKEN ",'version':'$V'," NOW "}\nspeaks\n<3 " SUCCESS "\n<3 " SUCCESS
     "\nends FRAME"},
    {"an answer before the request", 500, 704, "proxy $V asks=proxy_data\n<3 " SUCCESS "\nfails"},
    {"who sends first", 500, 704,
     "server $V accepts\ndeny STATE response " SUCCESS "\nunable STATE nope\nsilent"},

    {"a message is answered when all of it has come", 500, 704,
     "server $V accepts\n<1 " DATA "\nnext history data\nunable STATE nope\n"
     "deny STATE response " SUCCESS "\nnext proxy data\nsend response " SUCCESS
     "\nspeaks\ntold END"},
    {"the request may come last", 500, 704,
     "server $V accepts\n<1 {'host':'px'," TOKEN ",'history data':[" VALUE "],'version':'$V'," NOW
     ",'request':'proxy data'}\ntold " ROW "proxy data, MORE\n"
     "exchange proxy data"},
    {"a server that has no configuration after all", 604, 704,
     "passive $V accepts\n<1 {'request':'proxy config'}\nnext proxy config\n"
     "send proxy config {'version':'$V'," TOKEN ",'config_revision':1}\nspeaks\n"
     "<1 {'response':'failed','info':'no'}\ntold response, END\n"
     ">3 {'response':'failed','info':'*','version':'$V'}\nwants close"},

    /* Redirects: section 12.5. */
    {"an agent is sent elsewhere", 700, 704,
     "agent $V asks=active_checks\nsend active checks " CHECKS "\n>1 " CHECKS "\n"
     "<1 {'response':'failed','redirect':{'revision':1,'address':'127.0.0.1:17999'}}\n"
     "told response, MORE\nend\ntold END"},
    {"an agent's heartbeat is sent elsewhere", 700, 704,
     "agent $V asks=active_check_heartbeat\nsend active check heartbeat " AGENT_BEAT "\nspeaks\n"
     "<1 {'redirect':{'revision':1,'address':'127.0.0.1:17999'},'response':'failed'}\n"
     "told response, MORE\nend\ntold END"},
    {"we send a heartbeat elsewhere", 700, 704,
     "proxy $V accepts\n<1 " AGENT_BEAT "\nnext active check heartbeat\n"
     "send response {'redirect':{'revision':1,'address':'a:1'},'response':'failed'}\n"
     ">1 {'redirect':{'revision':1,'address':'a:1'},'response':'failed'}\ntold END\nwants close"},
    {"a heartbeat is an exchange of its own", 602, 704,
     "server $V accepts\n<1 " AGENT_BEAT "\nnext active check heartbeat\n"
     "exchange active check heartbeat\ntold MORE\nrefuse\nsilent\ntold END\nwants close"},
    {"agents before 6.2 have no heartbeat", 500, 600,
     "server $V accepts\n<1 " AGENT_BEAT "\nends PROTOCOL\nsilent"},

    /* Members that must be there, from the peer. */
    {"a request for the configuration without host", 500, 704,
     "server $V accepts\n<1 {'request':'proxy config','version':'$V'," TOKEN
     ",'config_revision':0}\ntold proxy config!PROTOCOL/host, PROTOCOL\nsilent\nwants close"},
    {"data without host", 500, 704,
     "server $V accepts\n<1 {'request':'proxy data'," TOKEN ",'version':'$V'," NOW "}\n"
     "told proxy data!PROTOCOL/host, PROTOCOL\n>1 {'response':'failed','info':'*'}\nwants close"},
    {"a heartbeat without host", 500, 602,
     "server $V accepts\n<3 {'request':'proxy heartbeat','version':'$V'}\n"
     "told proxy heartbeat!PROTOCOL/host, PROTOCOL\n>3 {'response':'failed','info':'*'}"},
    {"data without version", 500, 602,
     "server $V accepts\n<1 {'request':'proxy data','host':'px'," TOKEN "," NOW "}\n"
     "told proxy data!PROTOCOL/version, PROTOCOL\nsays " FAILED},
    {"data without version, from 6.4 on", 604, 704,
     "server $V accepts\n<1 {'request':'proxy data','host':'px'," TOKEN "," NOW "}\n"
     "told proxy data!PROTOCOL/version, PROTOCOL\n"
     ">3 {'upload':'disabled','response':'failed','info':'*'}"},
    {"a request for the configuration without version", 500, 602,
     "server $V accepts\n<3 {'request':'proxy config','host':'px'}\ntold proxy config, MORE"},
    {"a request for the configuration without version, from 6.4 on", 604, 704,
     "server $V accepts\n<3 {'request':'proxy config','host':'px'," TOKEN
     ",'config_revision':0}\ntold proxy config!PROTOCOL/version, PROTOCOL\n"
     ">3 {'response':'failed','info':'*','version':'$V'}"},
    {"a request for the configuration without session", 604, 704,
     "server $V accepts\n<1 {'request':'proxy config','host':'px','version':'$V',"
     "'config_revision':0}\ntold proxy config!PROTOCOL/session, PROTOCOL\n"
     ">3 {'response':'failed','info':'*'}"},
    {"a request for the configuration without revision", 604, 704,
     "server $V accepts\n<1 {'request':'proxy config','host':'px','version':'$V'," TOKEN
     "}\ntold proxy config!PROTOCOL/config_revision, PROTOCOL\n>3 "
     "{'response':'failed','info':'*'}"},
    {"a revision as text", 604, 704,
     "server $V accepts\n<1 {'request':'proxy config','host':'px','version':'$V'," TOKEN
     ",'config_revision':'12'}\ntold proxy config, MORE"},
    {"a configuration without data", 500, 602,
     "passive $V accepts\n<1 {'request':'proxy config'}\n"
     "told proxy config!PROTOCOL/data, PROTOCOL\n"
     ">3 {'response':'failed','info':'*','version':'$V'}\nwants close"},
    {"a configuration without revision, passive", 604, 704,
     "passive $V accepts\n<1 {'request':'proxy config'}\nnext proxy config\n"
     "send proxy config {'version':'$V'," TOKEN ",'config_revision':21}\nspeaks\n"
     "<1 {'data':{}}\ntold proxy config!PROTOCOL/config_revision, PROTOCOL\n"
     ">3 {'response':'failed','info':'*','version':'$V'}\nwants close"},
    {"a configuration without revision, active", 604, 704,
     "proxy $V asks=proxy_config\nsend proxy config " OWN_CONFIG "\nspeaks\n<3 {'data':{}}\n"
     "told proxy config!PROTOCOL/config_revision, PROTOCOL\nsilent"},
    {"nothing changed", 604, 704,
     "proxy $V asks=proxy_config\nsend proxy config " OWN_CONFIG "\nspeaks\n<3 {}\n"
     "told proxy config, MORE\nend\ntold END"},
    {"a passive proxy without session", 604, 704,
     "server $V asks=proxy_config\nsend proxy config {'request':'proxy config'}\nspeaks\n"
     "<1 {'version':'$V','config_revision':1}\ntold proxy config!PROTOCOL/session, PROTOCOL"},
    {"a passive proxy refuses", 604, 704,
     "server $V asks=proxy_config\nsend proxy config {'request':'proxy config'}\nspeaks\n"
     "<3 {'response':'failed','info':'configuration sync is already in progress',"
     "'version':'$V'}\nnext response\nsilent"},
    {"a passive proxy of another version gets no configuration, but its handshake ends", 700, 704,
     "server $V asks=proxy_config\nsend proxy config {'request':'proxy config'}\nspeaks\n"
     "<1 {'version':'6.4.21'," TOKEN ",'config_revision':1}\n"
     "told proxy config!PROTOCOL/version, PROTOCOL\nspeaks"},
    {"a passive proxy of another version may send data", 500, 704,
     "server $V asks=proxy_data\nsend proxy data {'request':'proxy data'}\nspeaks\n"
     "<3 {" TOKEN ",'version':'4.0.1'," NOW "}\ntold proxy data, MORE\nsend response " SUCCESS
     "\n>3 " SUCCESS "\ntold END"},
    {"active checks without host", 500, 704,
     "server $V accepts\n<1 {'request':'active checks','version':'$V'," TOKEN
     ",'config_revision':0}\ntold active checks!PROTOCOL/host, PROTOCOL"},
    {"sender data without data", 500, 704,
     "server $V accepts\n<1 {'request':'sender data'," NOW "}\n"
     "told sender data!PROTOCOL/data, PROTOCOL"},
    {"a member of the wrong type is absent", 500, 704,
     "server $V accepts\n<1 {'request':'proxy data','host':1," TOKEN ",'version':'$V'," NOW "}\n"
     "told proxy data!PROTOCOL/host, PROTOCOL\nspeaks"},

    /* The same for what we say. */
    {"our request for the configuration", 500, 704,
     "proxy $V asks=proxy_config\n"
     "deny VALUE/host proxy config {'request':'proxy config','version':'$V'$604<," TOKEN
     ",'config_revision':0$>}\n"
     "deny VALUE/version proxy config {'request':'proxy config','host':'px'$604<," TOKEN
     ",'config_revision':0$>}\nsend proxy config " OWN_CONFIG},
    {"our request for the configuration, from 6.4 on", 604, 704,
     "proxy $V asks=proxy_config\n"
     "deny VALUE/session proxy config {'request':'proxy config','host':'px','version':'$V',"
     "'config_revision':0}\n"
     "deny VALUE/config_revision proxy config {'request':'proxy config','host':'px',"
     "'version':'$V'," TOKEN "}\nsend proxy config " OWN_CONFIG},
    {"our data", 500, 704,
     "proxy $V asks=proxy_data\n"
     "deny VALUE/request proxy data {'host':'px'," TOKEN ",'version':'$V'," NOW "}\n"
     "deny VALUE/host proxy data {'request':'proxy data'," TOKEN ",'version':'$V'," NOW "}\n"
     "deny VALUE/session proxy data {'request':'proxy data','host':'px','version':'$V'," NOW "}\n"
     "deny VALUE/version proxy data {'request':'proxy data','host':'px'," TOKEN "," NOW "}\n"
     "deny VALUE/clock proxy data {'request':'proxy data','host':'px'," TOKEN
     ",'version':'$V','ns':1}\n"
     "deny VALUE/ns proxy data {'request':'proxy data','host':'px'," TOKEN
     ",'version':'$V','clock':1}\nsend proxy data " DATA},
    {"our heartbeat", 500, 602,
     "proxy $V asks=proxy_heartbeat\ndeny VALUE/host proxy heartbeat {'request':'proxy heartbeat',"
     "'version':'$V'}\ndeny VALUE/version proxy heartbeat {'request':'proxy heartbeat',"
     "'host':'px'}\nsend proxy heartbeat " BEAT},
    {"no JSON checks before 7.0", 500, 604,
     "server $V asks=passive_checks\ndeny VALUE/request passive checks " CHECK
     "\nsend plain {'body':'agent.ping'}\n>1 agent.ping"},
    {"plain checks from 7.0 on, too", 700, 704,
     "server $V asks=passive_checks\nsend plain {'body':'agent.ping'}\n>1 agent.ping\n<1 1\n"
     "told plain, MORE\nend\ntold END"},
    {"an agent that is older than JSON checks", 700, 704,
     "proxy $V asks=passive_checks\nsend passive checks " CHECK "\n>1 " CHECK
     "\n<1 ZBX_NOTSUPPORTED^@Unsupported item key.\ntold plain, MORE\nend\ntold END"},
    {"availability of interfaces before 5.4", 500, 500,
     "proxy $V asks=proxy_data\ndeny VALUE/interface=availability proxy data {'request':'proxy "
     "data','host':'px'," TOKEN
     ",'interface availability':[{'interfaceid':1,'available':1}],'version':'$V'," NOW "}\n"
     "send proxy data {'request':'proxy data','host':'px'," TOKEN
     ",'host availability':[{'hostid':1,'available':1}],'version':'$V'," NOW "}"},
    {"availability of hosts from 5.4 on", 504, 704,
     "proxy $V asks=proxy_data\ndeny VALUE/host=availability proxy data {'request':'proxy "
     "data','host':'px'," TOKEN
     ",'host availability':[{'hostid':1,'available':1}],'version':'$V'," NOW "}\n"
     "send proxy data {'request':'proxy data','host':'px'," TOKEN
     ",'interface availability':[{'interfaceid':1,'available':1,'error':''}],'version':'$V'," NOW
     "}"},
    {"host data before 6.2", 500, 600,
     "proxy $V asks=proxy_data\ndeny VALUE/host=data proxy data {'request':'proxy "
     "data','host':'px'," TOKEN ",'host data':[{'hostid':1,'active_status':1}],'version':'$V'," NOW
     "}\nsend proxy data " DATA},
    {"host data from 6.2 on", 602, 704,
     "proxy $V asks=proxy_data\nsend proxy data {'request':'proxy data','host':'px'," TOKEN
     ",'host data':[{'hostid':1,'active_status':1}],'version':'$V'," NOW "}"},
    {"passive sections are checked, too", 500, 600,
     "passive $V accepts\n<1 {'request':'proxy data'}\nnext proxy data\n"
     "deny VALUE/host=data proxy data {" TOKEN
     ",'host data':[{'hostid':1,'active_status':1}],'version':'$V'," NOW "}"},
    {"a response in a request excuses nothing", 500, 704,
     "proxy $V asks=proxy_data\ndeny VALUE/response proxy data {'request':'proxy "
     "data','response':'failed'," TOKEN ",'version':'$V'," NOW "}"},
    {"a passive proxy that refuses in its own words is through", 604, 704,
     "passive $V accepts\n<1 {'request':'proxy config'}\nnext proxy config\n"
     "send response {'response':'failed','info':'busy','version':'$V'}\n"
     ">3 {'response':'failed','info':'busy','version':'$V'}\ntold END\nwants close"},
    {"anything but success is a refusal", 604, 704,
     "passive $V accepts\n<1 {'request':'proxy config'}\nnext proxy config\n"
     "deny VALUE/session response {'response':'success','version':'$V'}\n"
     "send response {'response':'failure','version':'$V'}\n"
     ">3 {'response':'failure','version':'$V'}\ntold END"},
    {"a server that refuses data in its own words", 500, 704,
     "server $V accepts\n<1 " DATA "\ntold " ROW "proxy data, MORE\n"
     "send response {'response':'failed','info':'no'}\nsays {'response':'failed','info':'no'}\n"
     "told END"},
    {"our passive data", 500, 704,
     "passive $V accepts\n<1 {'request':'proxy data'}\nnext proxy data\n"
     "deny VALUE/session proxy data {'version':'$V'," NOW "}\n"
     "deny VALUE/version proxy data {" TOKEN "," NOW "}\n"
     "send proxy data {" TOKEN ",'version':'$V'," NOW "}"},
    {"our passive tasks", 500, 704,
     "passive $V accepts\n<1 {'request':'proxy tasks'}\nnext proxy tasks\n"
     "deny VALUE/version proxy tasks {" NOW "}\n"
     "deny VALUE/clock proxy tasks {'version':'$V','ns':1}\n"
     "send proxy tasks {'version':'$V'," NOW "}"},
    {"our handshake", 604, 704,
     "passive $V accepts\n<1 {'request':'proxy config'}\nnext proxy config\n"
     "deny VALUE/session proxy config {'version':'$V','config_revision':1}\n"
     "deny VALUE/config_revision proxy config {'version':'$V'," TOKEN "}\n"
     "deny VALUE/version proxy config {" TOKEN ",'config_revision':1}\n"
     "send proxy config {'version':'$V'," TOKEN ",'config_revision':1}"},
    {"our configuration, active", 604, 704,
     "server $V accepts\n<3 " CONFIG "\nnext proxy config\n"
     "deny VALUE/config_revision proxy config {'data':{}}\nsend proxy config "
     "{'data':{},'config_revision':1}"},
    {"our configuration, passive", 604, 704,
     "server $V asks=proxy_config\nsend proxy config {'request':'proxy config'}\nspeaks\n"
     "<1 {'version':'$V'," TOKEN ",'config_revision':1}\nnext proxy config\n"
     "deny VALUE/config_revision proxy config {'data':{}}\nsend proxy config {}"},
    {"our configuration in the request", 500, 602,
     "server $V asks=proxy_config\ndeny VALUE/data proxy config {'request':'proxy config'}\n"
     "send proxy config {'request':'proxy config','data':{}}"},
    {"our last word on a configuration", 500, 602,
     "passive $V accepts\n<1 {'request':'proxy config','data':{}}\nnext proxy config\n"
     "deny VALUE/version response " SUCCESS "\ndeny VALUE/response response {'version':'$V'}\n"
     "send response {'response':'success','version':'$V'}"},
    {"our response", 500, 704,
     "server $V accepts\n<3 " DATA "\ntold " ROW "proxy data, MORE\n"
     "deny VALUE/response response {'upload':'enabled'}\nsend response " SUCCESS},
    {"our checks", 500, 704,
     "agent $V asks=active_checks\ndeny VALUE/host active checks {'request':'active "
     "checks'$604<," TOKEN
     ",'config_revision':0$>,'version':'$V'$700<,'variant':1$>}\nsend active checks " CHECKS},
    {"our sender data", 500, 704,
     "sender $V asks=sender_data\ndeny VALUE/data sender data {'request':'sender data'," NOW
     "}\nsend sender data " SENDER_DATA},
    {"another request than the name says", 500, 704,
     "proxy $V asks=proxy_data\ndeny VALUE/request proxy data {'request':'proxy "
     "config','host':'px'," TOKEN ",'version':'$V'," NOW "}"},

    /* Section 2, where the form depends on what came before. */
    {"data, uncompressed, are answered as always", 604, 704,
     "server $V accepts plain\n<1 " DATA "\ntold " ROW "proxy data, MORE\nsend response " SUCCESS
     "\n>3 " SUCCESS},
    {"the form of the answer is that of the option", 500, 602,
     "server $V accepts\n<1 " DATA "\ntold " ROW "proxy data, MORE\nsend response " SUCCESS
     "\n>3 " SUCCESS},
    {"the form of the answer is not that of the request", 500, 602,
     "server $V accepts plain\n<3 " DATA "\ntold " ROW "proxy data, MORE\nsend response " SUCCESS
     "\n>1 " SUCCESS},
    {"the configuration in the form of the request, compressed", 500, 602,
     "server $V accepts plain\n<3 " CONFIG "\nnext proxy config\nsend proxy config {" TABLE
     "$502<,'macro.secrets':{}$>}\n>3 {" TABLE "$502<,'macro.secrets':{}$>}"},
    {"the configuration in the form of the request, uncompressed", 500, 602,
     "server $V accepts\n<1 " CONFIG "\nnext proxy config\nsend proxy config {" TABLE
     "$502<,'macro.secrets':{}$>}\n>1 {" TABLE "$502<,'macro.secrets':{}$>}"},
    {"the configuration is always compressed", 604, 704,
     "server $V accepts plain\n<1 " CONFIG "\nnext proxy config\nsend proxy config {}\n>3 {}"},
    {"the acknowledgement of uncompressed data", 500, 602,
     "server $V asks=proxy_data plain\nsend proxy data {'request':'proxy data'}\n"
     ">1 {'request':'proxy data'}\n<1 {" TOKEN ",'version':'$V'," NOW "}\nnext proxy data\n"
     "send response " SUCCESS "\n>1 " SUCCESS},
    {"the acknowledgement of compressed data", 500, 602,
     "server $V asks=proxy_data plain\nsend proxy data {'request':'proxy data'}\n"
     ">1 {'request':'proxy data'}\n<3 {" TOKEN ",'version':'$V'," NOW "}\nnext proxy data\n"
     "send response " SUCCESS "\n>3 " SUCCESS},
    {"the acknowledgement of data in spite of the option", 604, 704,
     "server $V asks=proxy_data plain\nsend proxy data {'request':'proxy data'}\n"
     ">3 {'request':'proxy data'}\n<1 {" TOKEN ",'version':'$V'," NOW "}\nnext proxy data\n"
     "send response " SUCCESS "\n>3 " SUCCESS},
    {"a compressed handshake", 604, 704,
     "passive $V accepts\n<3 {'request':'proxy config'}\nnext proxy config\n"
     "send proxy config {'version':'$V'," TOKEN ",'config_revision':1}\n"
     ">3 {'version':'$V'," TOKEN ",'config_revision':1}\n<1 {}\nnext proxy config\n"
     "send response {'response':'success','version':'$V'}\n"
     ">3 {'response':'success','version':'$V'}\ntold END"},
    {"an uncompressed request for data is answered compressed", 500, 704,
     "passive $V accepts plain\n<1 {'request':'proxy data'}\nnext proxy data\n"
     "send proxy data {" TOKEN ",'version':'$V'," NOW "}\n>3 {" TOKEN ",'version':'$V'," NOW
     "}\n<1 " SUCCESS "\ntold response, MORE\nend\ntold END"},
    {"a compressed agent", 500, 704,
     "proxy $V accepts\n<3 " CHECKS "\nnext active checks\nsend response {'response':'success'}\n"
     ">3 {'response':'success'}\ntold END"},
    {"a compressed sender", 500, 704,
     "passive $V accepts\n<3 " SENDER_DATA "\ntold data, sender data, MORE\n"
     "send response {'response':'success'}\n>3 {'response':'success'}\ntold END"},

    /* Agents: section 12.6. */
    {"an agent does not know a plain key", 500, 604,
     "agent $V accepts\n<1 no.such.key\ntold plain, MORE\nrefuse Unknown.\n"
     ">1 ZBX_NOTSUPPORTED^@Unknown.\nover\nwants close"},
    {"an agent does not say why", 500, 604,
     "agent $V accepts\n<1 no.such.key\ntold plain, MORE\nrefuse\n>1 ZBX_NOTSUPPORTED*\nover"},
    {"an agent does not know a key", 700, 704,
     "agent $V accepts\n<1 " CHECK "\ntold data, passive checks, MORE\nrefuse Unknown.\n"
     ">1 {'version':'$V','variant':1,'data':[{'error':'Unknown.'}]}\nover\nwants close"},
    {"an agent answers a compressed check", 700, 704,
     "agent $V accepts\n<3 " CHECK "\ntold data, passive checks, MORE\n"
     "send passive checks {'version':'$V','variant':1,'data':[{'value':'1'}]}\n"
     ">3 {'version':'$V','variant':1,'data':[{'value':'1'}]}\ntold END"},
    {"an agent answers a plain check", 500, 704,
     "agent $V accepts\n<1 agent.ping^J\nexchange none\ntold plain, MORE\n"
     "exchange passive checks\nsend plain {'body':'1'}\n>1 1\ntold END\nwants close"},
    {"an agent is asked for nothing", 500, 704, "agent $V accepts\n<1 \nends PROTOCOL"},
    {"an agent before 7.0 takes what looks like JSON for a key", 500, 604,
     "agent $V accepts\n<1 " CHECK "\ntold plain, MORE\nrefuse Unknown.\n"
     ">1 ZBX_NOTSUPPORTED^@Unknown.\nover"},
    {"a value that looks like an object", 500, 704,
     "server $V asks=passive_checks\nsend plain {'body':'vfs.file.contents[x]'}\nspeaks\n"
     "<1 {'response':\ntold plain, MORE\nend\ntold END"},
    {"a value that is an object", 500, 704,
     "server $V asks=passive_checks\nsend plain {'body':'vfs.file.contents[x]'}\nspeaks\n"
     "<1 {'request':'proxy data'}\ntold plain, MORE\nend\ntold END"},
    {"no value at all", 500, 704,
     "server $V asks=passive_checks\nsend plain {'body':'agent.ping'}\nspeaks\n<1 \n"
     "next plain\nsilent"},

    /* Large headers: section 1. */
    {"a large header, to a proxy that is sent its configuration", 500, 602,
     "passive $V accepts\n<5 {'request':'proxy config','data':{}}\nnext proxy config"},
    {"a large header, compressed, to a proxy that is sent its configuration", 500, 602,
     "passive $V accepts\n<7 {'request':'proxy config','data':{}}\nnext proxy config"},
    {"a large header, with the configuration of the handshake", 604, 704,
     "passive $V accepts\n<1 {'request':'proxy config'}\nnext proxy config\n"
     "send proxy config {'version':'$V'," TOKEN ",'config_revision':1}\nspeaks\n<7 {}\n"
     "next proxy config"},
    {"a large header, with the configuration that was asked for", 500, 704,
     "proxy $V asks=proxy_config\nsend proxy config " OWN_CONFIG "\nspeaks\n"
     "<7 {'full_sync':1,'data':{},'config_revision':1}\ntold proxy config, MORE\nend\ntold END"},
    {"16 GiB of configuration", 500, 704,
     "proxy $V asks=proxy_config\nsend proxy config " OWN_CONFIG "\nspeaks\ntrim\n"
     "octets 5a425844 05 0000000004000000 0000000000000000 7b\ntold MORE\nmemory 60000"},
    {"more than 16 GiB of configuration", 500, 704,
     "proxy $V asks=proxy_config\nsend proxy config " OWN_CONFIG "\nspeaks\ntrim\n"
     "octets 5a425844 05 0100000004000000 0000000000000000\nends LIMIT"},
    {"16 GiB of text of configuration", 500, 704,
     "proxy $V asks=proxy_config\nsend proxy config " OWN_CONFIG "\nspeaks\ntrim\n"
     "octets 5a425844 07 0000010000000000 0000000004000000\ntold MORE\nmemory 120000"},
    {"more than 16 GiB of text of configuration", 500, 704,
     "proxy $V asks=proxy_config\nsend proxy config " OWN_CONFIG "\nspeaks\ntrim\n"
     "octets 5a425844 07 0000010000000000 0100000004000000\nends LIMIT"},
    {"a large header, with a response", 500, 704,
     "proxy $V asks=proxy_data\nsend proxy data " DATA "\nspeaks\n<5 " SUCCESS "\nends FRAME"},
    {"a large header, from a passive proxy", 500, 704,
     "server $V asks=proxy_data\nsend proxy data {'request':'proxy data'}\nspeaks\n"
     "<5 {" TOKEN ",'version':'$V'," NOW "}\nends FRAME\nsilent"},
    {"a large header, to an agent", 500, 704,
     "agent $V accepts\n<5 agent.ping\nends FRAME\nsilent"},
    {"a large header, to a sender", 500, 704,
     "sender $V asks=sender_data\nsend sender data " SENDER_DATA "\nspeaks\n<5 " SUCCESS
     "\nends FRAME"},
    {"a large request that is none for configuration", 500, 602,
     "passive $V accepts\noctets 5a425844 05 0100004000000000 0000000000000000 "
     "7b2272657175657374223a2270726f78792064617461222c\nfails"},

    /* Waiting. */
    {"lingers as long as it is told", 500, 704,
     "proxy $V asks=proxy_data linger 5000\ntick 100\nsend proxy data " DATA "\nspeaks\n<3 " SUCCESS
     "\ntold response, MORE\ndeadline 5100\ntick 5099\ntold MORE\ntick 5100\ntold END\n"
     "wants close"},
    {"does not linger", 500, 704,
     "proxy $V asks=proxy_data linger 0\ntick 100\nsend proxy data " DATA "\nspeaks\n<3 " SUCCESS
     "\ntold response, END\nwants close"},
    {"a passive proxy does not wait for the server behind its last word", 500, 602,
     "passive $V accepts\n<1 {'request':'proxy config','data':{}}\nnext proxy config\n"
     "send response {'response':'success','version':'$V'}\nspeaks\ntold END\nwants close"},
    {"the caller may take its time", 500, 704,
     "server $V accepts\ntick 1000\ndeadline 301000\n<1 " DATA "\ntick 2000\ntold " ROW
     "proxy data, MORE\ndeadline never\ntick 999999999\ntold MORE\nsend response " SUCCESS
     "\nspeaks\ntold END"},
    {"a message must be complete in time", 500, 704,
     "server $V accepts timeout 100\ntick 1000\noctets 5a4258\ntick 1099\ntold MORE\n"
     "octets 44\ntold MORE\ntick 1100\nends TIMEOUT\nsilent\nwants close"},
    {"what came in time counts", 500, 704,
     "passive $V accepts timeout 100\ntick 1000\n<1 {'request':'proxy data'}\nnext proxy data\n"
     "tick 1100\nsend proxy data {" TOKEN ",'version':'$V'," NOW "}\nspeaks\ndeadline 1200"},

    {"an end that nothing else would wake us for", 602, 704,
     "server $V accepts\ntick 1000\n<1 " AGENT_BEAT
     "\nnext active check heartbeat\ntold MORE\ndeadline never\nrefuse\ndeadline 0\ntick 2000\n"
     "over\nwants close\ndeadline never"},
    {"who said all is answered when the caller wants to", 500, 704,
     "server $V accepts\n<1 " DATA "\nend\ntold " ROW "proxy data, MORE\ntold MORE\nwants nothing\n"
     "send response " SUCCESS "\nspeaks\ntold END\nwants close"},
    {"who said all before it has our data cannot take them for good", 500, 704,
     "server $V asks=proxy_data\nsend proxy data {'request':'proxy data'}\nspeaks\n"
     "<3 {" TOKEN ",'version':'$V'," NOW "}\nend\ntold proxy data, END"},
    {"all requests are waited for alike", 700, 704,
     "agent $V accepts\ntick 1000\noctets 5a425844 01 40000000 00000000 "
     "7b2272657175657374223a227061737369766520636865636b73222c2264617461223a5b7b226b6579223a2261227"
     "d"
     "2c\ntold data, MORE\ndeadline 301000"},
    {"nobody waits before the first tick", 500, 704,
     "server $V accepts\ndeadline never\ntold MORE\ntick 0\ndeadline 300000"},
    {"what goes on for ever", 500, 704,
     "server $V accepts timeout 18446744073709551615\ntick 5\ndeadline never\ntick 9\ntold MORE"},
    {"trimmed in the midst of a message", 500, 704,
     "passive $V accepts\noctets 5a425844 01 18000000 00000000 7b2272657175657374223a\ntrim\n"
     "told MORE\ntrim\noctets 2270726f78792064617461227d\nnext proxy data"},
    {"trimmed in the midst of a compressed message", 500, 704,
     "server $V accepts\noctets 5a425844 03 0a000000 02010000 789cabae05000175\ntold "
     "MORE\ntrim\ntold MORE\noctets 00f9\nends INFLATE\nsilent"},
    {"trimmed behind a header", 500, 704,
     "server $V accepts\noctets 5a425844 03 0a000000 02000000\ntold MORE\ntrim\ntold MORE\n"
     "octets 789cabae0500\ntold MORE\ntrim\ntold MORE\noctets 017500f9\nends PROTOCOL"},

    /* Memory of who only waits. */
    {"an idle session", 500, 704, "server $V accepts\nmemory 1024\ntrim\nmemory 1024"},
    {"an idle session that asked", 500, 704,
     "proxy $V asks=proxy_data\nsend proxy data " DATA "\nspeaks\ntold MORE\ntrim\nmemory 1024"},
    {"an idle session that was asked", 500, 704,
     "server $V accepts\n<3 " CONFIG "\ntold proxy config, MORE\ntrim\nmemory 1024"},
    {"an idle session in the middle", 500, 704,
     "passive $V accepts\n<1 {'request':'proxy data'}\nnext proxy data\n"
     "send proxy data {" TOKEN ",'version':'$V'," NOW "}\nspeaks\ntold MORE\ntrim\nmemory 1024\n"
     "<3 " SUCCESS "\ntold response, MORE\nend\ntold END"},
};
#define SCRIPTS (sizeof scripts / sizeof *scripts)

static bool fits_script(int script, size_t version)
{
    return versions[version].number >= scripts[script].from &&
           versions[version].number <= scripts[script].to;
}

START_TEST(plays)
{
    size_t version;

    for (version = 0; version < VERSIONS; version++) {
        char *text;

        if (!fits_script(_i, version))
            continue;
        text = of_version(scripts[_i].text, versions[version].text);
        live_play(text);
        free(text);
    }
}
END_TEST

START_TEST(plays_cut)
{
    size_t version = VERSIONS;
    char *text;

    while (!fits_script(_i, --version))
        continue;
    text = of_version(scripts[_i].text, versions[version].text);
    live_play_every_cut(text);
    free(text);
}
END_TEST

START_TEST(plays_short_of_memory)
{
    size_t version = 0;
    char *text;

    while (!fits_script(_i, version))
        version++;
    text = of_version(scripts[_i].text, versions[version].text);
    t_every_alloc(live_play_alloc, text);
    free(text);
}
END_TEST

/* The first octets of a message, which is not told before the others have come. */
static void hear_cut(struct pair *pair, size_t message, const struct t_bytes *octets, size_t place)
{
    leat_session *listener = pair->sides[pair->row->messages[message].by == 'C'];
    const leat_event *event;
    int status;

    MUST(leat_feed(listener, octets->data, place) == LEAT_OK, "feeds");
    while ((status = leat_next(listener, &event)) == LEAT_OK)
        MUST(leat_event_kind(event) == LEAT_ZABBIX_ROW && leat_event_error(event) == NULL,
             "%s: cut at %zu", label(pair, message), place);
    MUST(status == LEAT_MORE, "%s: cut at %zu", label(pair, message), place);
    MUST(leat_feed(listener, octets->data + place, octets->length - place) == LEAT_OK, "feeds");
    (void)hear(pair, listener, message);
}

START_TEST(row_cut)
{
    const struct row *row = &rows[_i];
    size_t version = VERSIONS, message, place, length, i;

    while (!fits_row(row, --version))
        continue;
    for (message = 0; row->messages[message].name != NULL; message++) {
        const struct said *said = &row->messages[message];

        for (place = 1, length = 2; place < length; place++) {
            struct pair pair = meet(row, version, row->accepts[0], true, 0);
            struct t_bytes octets;

            for (i = 0; i < message; i++)
                (void)pass(&pair, i);
            MUST(send_version(&pair, pair.sides[said->by == 'A'], said) == LEAT_OK, "sends");
            octets = live_take(pair.sides[said->by == 'A']);
            length = octets.length;
            hear_cut(&pair, message, &octets, place);
            t_free(octets);
            part(&pair);
        }
    }
}
END_TEST

/* ---- section 5: versions that do not fit ---- */

static const char *const proxies[] = {"3.2.1",  "4.0.5",  "4.2.0", "4.4.3",      "5.0.33",
                                      "5.4.12", "6.0.14", "6.2.9", "6.4.21",     "7.0.22",
                                      "7.2.1",  "7.4.0",  "8.0.0", "7.0.0beta1", "nonsense"};
static const struct {
    const char *server;
    const char *takes; /* d: data, C: configuration too, c: that alone */
} table[] = {
    {"5.0.33", "ccCCCcccccccccc"}, {"5.4.12", "ccCCCCccccccccc"}, {"6.0.14", "ccCCCCCcccccccc"},
    {"6.2.9", "ccCCCCCCccccccc"},  {"6.4.21", "......ddC......"}, {"7.0.22", "......dddC...C."},
    {"7.2.1", ".........dC..d."},  {"7.4.0", ".........ddC.d."},
};

static void ask(const char *server, const char *proxy, const char *request, const char *name,
                bool taken, const char *refusal)
{
    char script[1000], *json = of_version(request, proxy);

    if (taken)
        (void)snprintf(script, sizeof script, "server %s accepts\n<3 %s\nends MORE\nsilent", server,
                       json);
    else
        (void)snprintf(script, sizeof script,
                       "server %s accepts\n<3 %s\nends PROTOCOL\n%s\nwants close", server, json,
                       refusal);
    live_play(script);
    if (!taken) {
        (void)snprintf(script, sizeof script,
                       "server %s accepts\n<1 %s\ntold %s!PROTOCOL/version, PROTOCOL", server, json,
                       name);
        live_play(script);
    }
    free(json);
}

START_TEST(of_another_version)
{
    const char *server = table[_i].server;
    bool strict = strcmp(server, "6.4") > 0;
    char refusal[200];
    size_t i;

    for (i = 0; i < sizeof proxies / sizeof *proxies; i++) {
        char taken = table[_i].takes[i];

        ask(server, proxies[i],
            "{'request':'proxy data','host':'px'," TOKEN ",'version':'$V'," NOW "}", "proxy data",
            taken == 'd' || taken == 'C',
            strict ? ">3 {'upload':'disabled','response':'failed','info':'*'}"
                   : ">3 {'response':'failed'}");
        (void)snprintf(refusal, sizeof refusal,
                       ">3 {'response':'failed','info':'*','version':'%s'}", server);
        ask(server, proxies[i], CONFIG, "proxy config", taken == 'c' || taken == 'C', refusal);
    }
}
END_TEST

/* ---- section 1: large headers on the ports of servers and proxies ---- */

static const struct {
    const char *version;
    bool large;
} branches[] = {
    {"5.0.15", false}, {"5.0.16", true}, {"5.0.47", true}, {"5.4.4", false},  {"5.4.5", true},
    {"6.0.0", true},   {"6.0.14", true}, {"6.0.38", true}, {"6.0.39", false}, {"6.0.41", false},
    {"6.4.0", true},   {"6.4.21", true}, {"7.0.0", true},  {"7.0.9", true},   {"7.0.10", false},
    {"7.0.22", false}, {"7.2.1", false}, {"7.4.0", false},
};

START_TEST(large_headers)
{
    static const char *const all[] = {"server", "proxy"};
    char script[1000], *data = of_version(DATA, branches[_i].version);
    size_t i;

    for (i = 0; i < 4; i++) {
        (void)snprintf(script, sizeof script, "%s %s accepts\n<%c %s\n%s\nsilent", all[0],
                       branches[_i].version, i % 2 == 0 ? '5' : '7', data,
                       branches[_i].large ? "told history data, proxy data, MORE" : "ends FRAME");
        live_play(script);
        (void)snprintf(script, sizeof script, "%s %s accepts\n<%c " SENDER_DATA "\n%s\nsilent",
                       all[i / 2], branches[_i].version, i % 2 == 0 ? '5' : '7',
                       branches[_i].large ? "told data, sender data, MORE" : "ends FRAME");
        live_play(script);
    }
    /* Over a gigabyte nothing but a configuration may be. */
    (void)snprintf(script, sizeof script,
                   "server %s accepts\noctets 5a425844 05 0100004000000000 0000000000000000 "
                   "7b2272657175657374223a2270726f78792064617461222c\nfails\nsilent",
                   branches[_i].version);
    live_play(script);
    free(data);
}
END_TEST

/* ---- calls ---- */

START_TEST(constructed)
{
    uint32_t role;

    for (role = SERVER; role <= SENDER; role++) {
        ck_assert_int_eq(make(role, 0, "7.0.22"), role == SENDER ? LEAT_E_VALUE : LEAT_OK);
        ck_assert_int_eq(make(role, LEAT_ZABBIX_ROW, "7.0.22"), LEAT_E_VALUE);
        ck_assert_int_eq(make(role, LEAT_ZABBIX_RESPONSE, "7.0.22"), LEAT_E_VALUE);
        ck_assert_int_eq(make(role, LEAT_ZABBIX_PLAIN, "7.0.22"), LEAT_E_VALUE);
        ck_assert_int_eq(make(role, UINT32_MAX, "7.0.22"), LEAT_E_VALUE);
    }
    ck_assert_int_eq(make(0, 0, "7.0.22"), LEAT_E_VALUE);
    ck_assert_int_eq(make(6, 0, "7.0.22"), LEAT_E_VALUE);
    ck_assert_int_eq(make(UINT32_MAX, 0, "7.0.22"), LEAT_E_VALUE);
    ck_assert_int_eq(make(UINT32_MAX, LEAT_ZABBIX_PROXY_DATA, "7.0.22"), LEAT_E_VALUE);
    ck_assert_int_eq(make(SERVER, 0, "5.0"), LEAT_OK);
    ck_assert_int_eq(make(SERVER, 0, "5.0.0"), LEAT_OK);
    ck_assert_int_eq(make(SERVER, 0, "7.4.99"), LEAT_OK);
    ck_assert_int_eq(make(SERVER, 0, "4.4.99"), LEAT_E_VALUE);
    ck_assert_int_eq(make(SERVER, 0, "4.2.0"), LEAT_E_VALUE);
    ck_assert_int_eq(make(SERVER, 0, ""), LEAT_E_VALUE);
    ck_assert_int_eq(make(SERVER, 0, "seven"), LEAT_E_VALUE);
    ck_assert_int_eq(make(SERVER, 0, "7.0.0\xff"), LEAT_E_VALUE);
    ck_assert_int_eq(make(SERVER, 0, NULL), LEAT_E_VALUE);
}
END_TEST

/* What is asked for goes with connecting. */
START_TEST(connecting)
{
    leat_zabbix_exchange_options options;
    leat_session *session;

    leat_zabbix_exchange_options_init(&options, sizeof options);
    options.version = "7.0.22";
    options.role = PROXY;
    options.connects = 1;
    ck_assert_int_eq(leat_zabbix_exchange_new(NULL, &options, &session), LEAT_E_VALUE);
    options.connects = 0;
    options.exchange = LEAT_ZABBIX_PROXY_DATA;
    ck_assert_int_eq(leat_zabbix_exchange_new(NULL, &options, &session), LEAT_E_VALUE);
    ck_assert_int_eq(leat_zabbix_exchange_new(NULL, NULL, &session), LEAT_E_VALUE);
}
END_TEST

START_TEST(options_are_checked)
{
    leat_zabbix_exchange_options options;
    leat_session *session;

    memset(&options, 0, sizeof options);
    options.role = SERVER;
    options.version = "7.0.22";
    ck_assert_int_eq(leat_zabbix_exchange_new(NULL, &options, &session), LEAT_E_VALUE);
    memset(&options, 0xff, sizeof options);
    leat_zabbix_exchange_options_init(&options, sizeof options);
    ck_assert_uint_eq(options.size, sizeof options);
    ck_assert_uint_eq(options.role, 0);
    ck_assert_uint_eq(options.connects, 0);
    ck_assert_uint_eq(options.exchange, 0);
    ck_assert_uint_eq(options.compress, 1);
    ck_assert_uint_eq(options.timeout_ms, 0);
    ck_assert_uint_eq(options.linger_ms, 1000);
    ck_assert_int_eq(leat_zabbix_exchange_new(NULL, &options, &session), LEAT_E_VALUE);
}
END_TEST

/* The version is copied. */
START_TEST(copied)
{
    char version[] = "6.0.14";
    leat_session *session = live_exchange(NULL, PASSIVE, 0, version);
    struct t_bytes request = frame_text(1, "{\"request\":\"proxy config\"}"), said;
    const leat_event *event;
    const uint8_t *at;
    struct taken taken;

    memset(version, 'x', sizeof version - 1);
    ck_assert_int_eq(leat_feed(session, request.data, request.length), LEAT_OK);
    while (leat_next(session, &event) == LEAT_OK)
        continue;
    said = live_take(session);
    at = said.data;
    taken = take_frame(&at, said.data + said.length);
    ck_assert_ptr_nonnull(strstr((const char *)taken.text.data, "\"version\":\"6.0.14\""));
    t_free(taken.text);
    t_free(said);
    t_free(request);
    leat_session_free(session);
}
END_TEST

/* Other sessions are in no exchange, and refuse nothing. */
START_TEST(of_another_kind)
{
    leat_session *session = make_codec(NULL, NULL);

    ck_assert_uint_eq(leat_zabbix_exchange(session), 0);
    ck_assert_int_eq(leat_zabbix_refuse(session, "no"), LEAT_E_STATE);
    leat_session_free(session);
}
END_TEST

static int put(leat_session *session, const char *name, const char *text)
{
    return leat_zabbix_text(session, name, text, strlen(text));
}

static const char *refused_field(const leat_session *session)
{
    return leat_error_field(leat_session_send_error(session));
}

static void check_state(leat_session *session)
{
    ck_assert_int_eq(leat_zabbix_begin(session), LEAT_E_STATE);
    ck_assert_int_eq(leat_zabbix_compress(session, 0), LEAT_E_STATE);
    ck_assert_int_eq(leat_zabbix_compress(session, 1), LEAT_E_STATE);
    ck_assert_uint_eq(waiting(session), 0);
}

/* The same rules hold row by row: what is missing is found at the end, and may still be added. */
START_TEST(in_pieces)
{
    leat_session *session = live_exchange(NULL, PROXY, LEAT_ZABBIX_PROXY_DATA, "6.0.14");
    leat_zabbix_history history;
    struct t_bytes said;
    struct taken taken;
    const uint8_t *at;

    leat_zabbix_history_init(&history, sizeof history);
    history.has =
        LEAT_ZABBIX_HAS_ID | LEAT_ZABBIX_HAS_ITEMID | LEAT_ZABBIX_HAS_CLOCK | LEAT_ZABBIX_HAS_NS;
    history.id = 5;
    ck_assert_int_eq(leat_zabbix_compress(session, 0), LEAT_E_STATE);
    ck_assert_int_eq(leat_zabbix_begin(session), LEAT_OK);
    ck_assert_int_eq(put(session, "request", "proxy data"), LEAT_OK);
    ck_assert_int_eq(put(session, "host", "px"), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_section(session, "host data"), LEAT_E_VALUE);
    ck_assert_str_eq(refused_field(session), "host data");
    ck_assert_int_eq(leat_zabbix_section(session, "host availability"), LEAT_E_VALUE);
    ck_assert_str_eq(refused_field(session), "host availability");
    ck_assert_int_eq(leat_zabbix_section(session, "history data"), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_history_write(session, &history), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_close(session), LEAT_OK);
    ck_assert_int_eq(put(session, "version", "6.0.14"), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_number(session, "clock", 1), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_number(session, "ns", 2), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_end(session), LEAT_E_VALUE);
    ck_assert_str_eq(refused_field(session), "session");
    ck_assert_uint_eq(waiting(session), 0);
    ck_assert_int_eq(put(session, "session", "0123456789abcdef0123456789abcdef"), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_end(session), LEAT_OK);
    said = live_take(session);
    check_state(session);
    at = said.data;
    taken = take_frame(&at, said.data + said.length);
    ck_assert_uint_eq(taken.flags, 3);
    ck_assert_str_eq((const char *)taken.text.data,
                     "{\"request\":\"proxy data\",\"host\":\"px\",\"history data\":["
                     "{\"id\":5,\"itemid\":0,\"clock\":0,\"ns\":0}],"
                     "\"version\":\"6.0.14\",\"clock\":1,\"ns\":2,"
                     "\"session\":\"0123456789abcdef0123456789abcdef\"}");
    t_free(taken.text);
    t_free(said);
    leat_session_free(session);
}
END_TEST

/* What was begun may be taken back, and said anew. */
START_TEST(taken_back)
{
    leat_session *session = live_exchange(NULL, PROXY, LEAT_ZABBIX_PROXY_CONFIG, "7.0.22");
    char *config = of_version(CONFIG, "7.0.22");

    ck_assert_int_eq(leat_zabbix_begin(session), LEAT_OK);
    ck_assert_int_eq(put(session, "request", "proxy config"), LEAT_OK);
    ck_assert_int_eq(put(session, "host", "px"), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_abort(session), LEAT_OK);
    /* What was taken back does not count. */
    ck_assert_int_eq(leat_zabbix_begin(session), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_end(session), LEAT_E_VALUE);
    ck_assert_str_eq(refused_field(session), "request");
    ck_assert_int_eq(leat_zabbix_abort(session), LEAT_OK);
    ck_assert_int_eq(live_send(session, "proxy config", config), LEAT_OK);
    free(config);
    leat_session_free(session);
}
END_TEST

/* Nor does a failure that was taken back excuse what is missing in the answer. */
START_TEST(failure_taken_back)
{
    leat_session *session = live_exchange(NULL, PASSIVE, 0, "7.0.22");
    struct t_bytes request = frame_text(1, "{\"request\":\"proxy config\"}");
    const leat_event *event;

    ck_assert_int_eq(leat_feed(session, request.data, request.length), LEAT_OK);
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_begin(session), LEAT_OK);
    ck_assert_int_eq(put(session, "response", "failed"), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_abort(session), LEAT_OK);
    ck_assert_int_eq(live_send(session, "proxy config", "{'version':'7.0.22','config_revision':1}"),
                     LEAT_E_VALUE);
    ck_assert_str_eq(refused_field(session), "session");
    ck_assert_int_eq(leat_zabbix_begin(session), LEAT_OK);
    ck_assert_int_eq(put(session, "version", "7.0.22"), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_end(session), LEAT_E_VALUE);
    t_free(request);
    leat_session_free(session);
}
END_TEST

/* A refusal that cannot be sent changes nothing: neither what is being written nor its form. */
START_TEST(refusal_refused)
{
    leat_session *session = live_exchange(NULL, SERVER, 0, "7.0.22");
    char *data = of_version(DATA, "7.0.22");
    struct t_bytes json = live_text(data), request = frame(1, json.data, json.length), said;
    const leat_event *event;

    ck_assert_int_eq(leat_feed(session, request.data, request.length), LEAT_OK);
    while (leat_next(session, &event) == LEAT_OK)
        continue;
    ck_assert_int_eq(leat_zabbix_begin(session), LEAT_OK);
    ck_assert_int_eq(put(session, "response", "success"), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_refuse(session, "\xff"), LEAT_E_VALUE);
    ck_assert_str_eq(refused_field(session), "info");
    ck_assert_int_eq(leat_zabbix_end(session), LEAT_OK);
    said = live_take(session);
    ck_assert_uint_eq(said.data[4], 3);
    t_free(said);
    t_free(request);
    t_free(json);
    free(data);
    leat_session_free(session);
}
END_TEST

/* A request that nobody may send here is found at its first member or at the end. */
START_TEST(wrong_request_in_pieces)
{
    leat_session *session = live_exchange(NULL, SENDER, LEAT_ZABBIX_SENDER_DATA, "7.0.22");
    int status;

    ck_assert_int_eq(leat_zabbix_begin(session), LEAT_OK);
    status = put(session, "request", "proxy data");
    if (status == LEAT_OK)
        status = leat_zabbix_end(session);
    ck_assert(status == LEAT_E_STATE || status == LEAT_E_VALUE);
    ck_assert_uint_eq(waiting(session), 0);
    leat_session_free(session);
}
END_TEST

/* A configuration, table by table. */
START_TEST(configuration_in_pieces)
{
    static const char *const fields[] = {"globalmacroid", "macro", "value", "type"};
    leat_session *session = live_exchange(NULL, SERVER, 0, "7.0.22");
    char *config = of_version(CONFIG, "7.0.22");
    struct t_bytes text = live_text(config), request = frame(3, text.data, text.length), said;
    const leat_event *event;
    const uint8_t *at;
    struct taken taken;

    ck_assert_int_eq(leat_zabbix_begin(session), LEAT_E_STATE);
    ck_assert_int_eq(leat_feed(session, request.data, request.length), LEAT_OK);
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_begin(session), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_object(session, "data"), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_table(session, "globalmacro", fields, 4), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_close(session), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_close(session), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_end(session), LEAT_E_VALUE);
    ck_assert_str_eq(refused_field(session), "config_revision");
    ck_assert_int_eq(leat_zabbix_number(session, "config_revision", 7), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_end(session), LEAT_OK);
    said = live_take(session);
    at = said.data;
    taken = take_frame(&at, said.data + said.length);
    ck_assert_uint_eq(taken.flags, 3);
    ck_assert_str_eq((const char *)taken.text.data,
                     "{\"data\":{\"globalmacro\":{\"fields\":[\"globalmacroid\",\"macro\","
                     "\"value\",\"type\"],\"data\":[]}},\"config_revision\":7}");
    ck_assert_int_eq(leat_next(session, &event), LEAT_END);
    t_free(taken.text);
    t_free(said);
    t_free(request);
    t_free(text);
    free(config);
    leat_session_free(session);
}
END_TEST

/* What does not fit into the output is not said, and the exchange is as it was. */
START_TEST(too_much_output)
{
    char *data = of_version(DATA, "7.0.22");
    struct t_bytes text = live_text(data), request = frame(1, text.data, text.length);
    leat_limits limits;
    leat_config config;
    leat_session *session;
    const leat_event *event;

    leat_limits_init(&limits, sizeof limits);
    limits.queued_bytes = 40;
    leat_config_init(&config, sizeof config);
    config.limits = &limits;
    session = live_exchange(&config, SERVER, 0, "7.0.22");
    ck_assert_int_eq(leat_feed(session, request.data, request.length), LEAT_OK);
    while (leat_next(session, &event) == LEAT_OK)
        continue;
    ck_assert_int_eq(leat_zabbix_refuse(session, "not today, not tomorrow"), LEAT_E_LIMIT);
    ck_assert_int_eq(live_send(session, "response", "{'response':'success','info':'a b c d e f'}"),
                     LEAT_E_LIMIT);
    ck_assert_uint_eq(waiting(session), 0);
    ck_assert_int_eq(leat_next(session, &event), LEAT_MORE);
    ck_assert_int_eq(leat_zabbix_refuse(session, NULL), LEAT_OK);
    ck_assert_uint_eq(waiting(session), 13 + strlen(FAILED));
    ck_assert_int_eq(leat_next(session, &event), LEAT_END);
    leat_session_free(session);
    /* What it says unasked, it says if it can. */
    session = live_exchange(&config, PROXY, 0, "7.0.22");
    t_free(request);
    request = frame_text(1, "{\"request\":\"proxy config\"}");
    ck_assert_int_eq(leat_feed(session, request.data, request.length), LEAT_OK);
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    ck_assert_int_eq(leat_error_code(leat_event_error(event)), LEAT_E_PROTOCOL);
    ck_assert_int_eq(leat_next(session, &event), LEAT_E_PROTOCOL);
    ck_assert_uint_eq(waiting(session), 0);
    leat_session_free(session);
    t_free(request);
    t_free(text);
    free(data);
}
END_TEST

/* Limits of the caller's are those of every message, configurations too. */
START_TEST(limited)
{
    leat_limits limits;
    leat_config config;
    uint64_t room;

    leat_limits_init(&limits, sizeof limits);
    leat_config_init(&config, sizeof config);
    config.limits = &limits;
    for (room = 99; room <= 100; room++) {
        leat_session *session;
        struct t_bytes header = {NULL, 0};
        const leat_event *event;

        limits.message_bytes = room;
        session = live_exchange(&config, PROXY, LEAT_ZABBIX_PROXY_CONFIG, "6.0.14");
        ck_assert_int_eq(live_send(session, "proxy config",
                                   "{'request':'proxy config','host':'px',"
                                   "'version':'6.0.14'}"),
                         LEAT_OK);
        append_header(&header, 5, 100, 0);
        ck_assert_int_eq(leat_feed(session, header.data, header.length), LEAT_OK);
        ck_assert_int_eq(leat_next(session, &event), room < 100 ? LEAT_E_LIMIT : LEAT_MORE);
        t_free(header);
        leat_session_free(session);
    }
}
END_TEST

/* A reply is built from what it answers, which stays as it is meanwhile. */
START_TEST(answered_from_the_event)
{
    leat_session *session = live_exchange(NULL, SERVER, 0, "7.0.22");
    struct t_bytes request =
        frame_text(3, "{\"request\":\"active checks\",\"host\":\"za1\",\"version\":\"7.0.22\"}");
    struct t_bytes said;
    struct taken taken;
    const leat_event *event;
    const uint8_t *at;
    const char *host;
    size_t length;

    ck_assert_int_eq(leat_feed(session, request.data, request.length), LEAT_OK);
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    host = leat_value_text(leat_value_get(leat_event_value(event), "host"), &length);
    ck_assert_int_eq(leat_zabbix_begin(session), LEAT_OK);
    ck_assert_int_eq(put(session, "response", "failed"), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_text(session, "info", host, length), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_end(session), LEAT_OK);
    ck_assert_mem_eq(host, "za1", 3);
    said = live_take(session);
    at = said.data;
    taken = take_frame(&at, said.data + said.length);
    ck_assert_str_eq((const char *)taken.text.data, "{\"response\":\"failed\",\"info\":\"za1\"}");
    ck_assert_int_eq(leat_next(session, &event), LEAT_END);
    t_free(taken.text);
    t_free(said);
    t_free(request);
    leat_session_free(session);
}
END_TEST

/* Ten thousand that wait hold little, whatever they have done. */
START_TEST(idle_memory)
{
    struct t_counter counter;
    leat_config config;
    leat_session *sessions[1000];
    size_t i;

    t_counter_init(&counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &counter.allocator;
    for (i = 0; i < 1000; i++) {
        sessions[i] = live_exchange(&config, i % 2 == 0 ? SERVER : PROXY, 0, "7.0.22");
        leat_session_trim(sessions[i]);
        ck_assert_uint_eq(leat_session_memory(sessions[i]) * (i + 1) >= counter.now, 1);
    }
    ck_assert_uint_le(counter.now, 1000 * 1024);
    while (i > 0)
        leat_session_free(sessions[--i]);
    ck_assert_uint_eq(counter.now, 0);
}
END_TEST

/* Both ends at once, through a pipe. */
START_TEST(in_a_pair)
{
    char *data = of_version(DATA, "7.0.22");
    leat_session *proxy = live_exchange(NULL, PROXY, LEAT_ZABBIX_PROXY_DATA, "7.0.22");
    leat_session *server = live_exchange(NULL, SERVER, 0, "7.0.22");
    const leat_event *event;

    ck_assert_int_eq(live_send(proxy, "proxy data", data), LEAT_OK);
    t_pair(proxy, server);
    ck_assert_int_eq(live_send(server, "response", SUCCESS), LEAT_OK);
    t_pair(proxy, server);
    ck_assert_int_eq(leat_next(server, &event), LEAT_END);
    ck_assert_int_eq(leat_recv_eof(proxy), LEAT_OK);
    ck_assert_int_eq(leat_next(proxy, &event), LEAT_END);
    free(data);
    leat_session_free(proxy);
    leat_session_free(server);
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_loop_test(tc, row_by_row, 0, (int)ROWS);
    tcase_add_loop_test(tc, waits, 0, (int)ROWS);
    tcase_add_loop_test(tc, row_cut, 0, (int)ROWS);
    tcase_add_loop_test(tc, cut_off, 0, (int)ROWS);
    tcase_add_loop_test(tc, answers_with_a_request, 0, (int)ROWS);
    tcase_add_loop_test(tc, who_asks, 0, sizeof requests / sizeof *requests);
    tcase_add_loop_test(tc, who_is_asked, 0, sizeof requests / sizeof *requests);
    tcase_add_loop_test(tc, plays, 0, (int)SCRIPTS);
    tcase_add_loop_test(tc, plays_cut, 0, (int)SCRIPTS);
    tcase_add_loop_test(tc, plays_short_of_memory, 0, (int)SCRIPTS);
    tcase_add_loop_test(tc, of_another_version, 0, sizeof table / sizeof *table);
    tcase_add_loop_test(tc, large_headers, 0, sizeof branches / sizeof *branches);
    tcase_add_test(tc, constructed);
    tcase_add_test(tc, connecting);
    tcase_add_test(tc, options_are_checked);
    tcase_add_test(tc, copied);
    tcase_add_test(tc, of_another_kind);
    tcase_add_test(tc, in_pieces);
    tcase_add_test(tc, taken_back);
    tcase_add_test(tc, failure_taken_back);
    tcase_add_test(tc, refusal_refused);
    tcase_add_test(tc, wrong_request_in_pieces);
    tcase_add_test(tc, configuration_in_pieces);
    tcase_add_test(tc, too_much_output);
    tcase_add_test(tc, limited);
    tcase_add_test(tc, answered_from_the_event);
    tcase_add_test(tc, idle_memory);
    tcase_add_test(tc, in_a_pair);
}

T_MAIN("zabbix/exchange", tests)
