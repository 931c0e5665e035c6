#include "messages.h"

#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define ROW_BYTES     120u /* more than any */
#define MEMBERS_BYTES 300u

void put_header(uint8_t *to, uint8_t flags, size_t data_len, size_t reserved)
{
    unsigned i;

    memcpy(to, "ZBXD", 4);
    to[4] = flags;
    for (i = 0; i < 4; i++) {
        to[5 + i] = (uint8_t)(data_len >> (8 * i));
        to[9 + i] = (uint8_t)(reserved >> (8 * i));
    }
}

static uint32_t next_random(uint32_t *random)
{
    *random = *random * 1103515245u + 12345u;
    return *random;
}

static void make_rows(struct message *m)
{
    uint32_t random = 7;
    size_t i;

    m->row = (struct row *)must(calloc(m->rows, sizeof *m->row));
    for (i = 0; i < m->rows; i++) {
        struct row *row = &m->row[i];

        row->id = i + 1;
        row->itemid = 930001 + next_random(&random) / 65536 % 500;
        row->clock = MESSAGE_CLOCK + i / 700;
        row->ns = 100000000 + next_random(&random) % 900000000;
        row->value_length = (size_t)snprintf(row->value, sizeof row->value, "0.%06u",
                                             next_random(&random) / 4096 % 1000000);
        m->sum += row->id + row->itemid + row->clock + row->ns + row->value_length +
                  (uint8_t)row->value[0];
    }
}

static int print_row(char *text, size_t size, const struct row *row, bool by_agent)
{
    if (by_agent)
        return snprintf(
            text, size,
            "%s{\"itemid\":%llu,\"value\":\"%s\",\"id\":%llu,\"clock\":%llu,\"ns\":%llu}",
            row->id == 1 ? "" : ",", (unsigned long long)row->itemid, row->value,
            (unsigned long long)row->id, (unsigned long long)row->clock,
            (unsigned long long)row->ns);
    return snprintf(
        text, size, "%s{\"id\":%llu,\"itemid\":%llu,\"clock\":%llu,\"ns\":%llu,\"value\":\"%s\"}",
        row->id == 1 ? "" : ",", (unsigned long long)row->id, (unsigned long long)row->itemid,
        (unsigned long long)row->clock, (unsigned long long)row->ns, row->value);
}

static const char *request(bool by_agent)
{
    return by_agent ? "agent data" : MESSAGE_REQUEST;
}

static const char *section(bool by_agent)
{
    return by_agent ? "data" : "history data";
}

size_t print_message(const struct message *m)
{
    char *text = (char *)m->room;
    size_t size = m->room_length, i;
    size_t at = (size_t)snprintf(text, size,
                                 "{\"request\":\"%s\",\"host\":\"" MESSAGE_HOST
                                 "\",\"session\":\"" MESSAGE_SESSION "\",\"%s\":[",
                                 request(m->by_agent), section(m->by_agent));

    for (i = 0; i < m->rows; i++)
        at += (size_t)print_row(text + at, size - at, &m->row[i], m->by_agent);
    at += (size_t)snprintf(text + at, size - at,
                           "],\"version\":\"" MESSAGE_VERSION "\",\"clock\":%u,\"ns\":%u}",
                           MESSAGE_CLOCK, MESSAGE_NS);
    return at;
}

void make_message(struct message *m, size_t rows, bool by_agent)
{
    uLongf size;

    memset(m, 0, sizeof *m);
    m->rows = rows;
    m->by_agent = by_agent;
    make_rows(m);
    m->room_length = rows * ROW_BYTES + MEMBERS_BYTES;
    m->room = (uint8_t *)must(malloc(m->room_length));
    m->text_length = print_message(m);

    m->plain_length = HEADER_BYTES + m->text_length;
    m->plain = (uint8_t *)must(calloc(1, m->plain_length + RIVAL_PADDING));
    put_header(m->plain, 1, m->text_length, 0);
    memcpy(m->plain + HEADER_BYTES, m->room, m->text_length);
    m->text = (const char *)m->plain + HEADER_BYTES;

    size = compressBound((uLong)m->text_length);
    m->compressed = (uint8_t *)must(malloc(HEADER_BYTES + size));
    if (compress2(m->compressed + HEADER_BYTES, &size, m->room, (uLong)m->text_length, 6) != Z_OK)
        die("compress2");
    put_header(m->compressed, 3, size, m->text_length);
    m->compressed_length = HEADER_BYTES + size;
}

void free_message(struct message *m)
{
    free(m->row);
    free(m->plain);
    free(m->compressed);
    free(m->room);
}

static leat_session *open_exchange(const leat_config *config, uint32_t role, uint32_t exchange)
{
    leat_zabbix_exchange_options options;
    leat_session *session;

    leat_zabbix_exchange_options_init(&options, sizeof options);
    options.version = MESSAGE_VERSION;
    options.role = role;
    options.connects = exchange != 0;
    options.exchange = exchange;
    check(leat_zabbix_exchange_new(config, &options, &session));
    return session;
}

leat_session *open_asker(const leat_config *config, bool by_agent)
{
    return by_agent ? open_exchange(config, LEAT_ZABBIX_AS_AGENT, LEAT_ZABBIX_AGENT_DATA)
                    : open_exchange(config, LEAT_ZABBIX_AS_PROXY, LEAT_ZABBIX_PROXY_DATA);
}

leat_session *open_answerer(const leat_config *config)
{
    return open_exchange(config, LEAT_ZABBIX_AS_SERVER, 0);
}

void fill_row(leat_zabbix_history *history, const struct row *row)
{
    history->has = LEAT_ZABBIX_HAS_ID | LEAT_ZABBIX_HAS_ITEMID | LEAT_ZABBIX_HAS_CLOCK |
                   LEAT_ZABBIX_HAS_NS | LEAT_ZABBIX_HAS_VALUE;
    history->id = row->id;
    history->itemid = row->itemid;
    history->clock = row->clock;
    history->ns = row->ns;
    history->value = row->value;
    history->value_length = row->value_length;
}

static void put_text(leat_session *session, const char *name, const char *text)
{
    check(leat_zabbix_text(session, name, text, strlen(text)));
}

void begin_message(leat_session *session, bool by_agent)
{
    check(leat_zabbix_begin(session));
    put_text(session, "request", request(by_agent));
    put_text(session, "host", MESSAGE_HOST);
    put_text(session, "session", MESSAGE_SESSION);
    check(leat_zabbix_section(session, section(by_agent)));
}

void end_message(leat_session *session)
{
    check(leat_zabbix_close(session));
    put_text(session, "version", MESSAGE_VERSION);
    check(leat_zabbix_number(session, "clock", MESSAGE_CLOCK));
    check(leat_zabbix_number(session, "ns", MESSAGE_NS));
    check(leat_zabbix_end(session));
}

void write_message(leat_session *session, const struct message *m)
{
    leat_zabbix_history history;
    size_t i;

    leat_zabbix_history_init(&history, sizeof history);
    begin_message(session, m->by_agent);
    for (i = 0; i < m->rows; i++) {
        fill_row(&history, &m->row[i]);
        if (leat_zabbix_history_write(session, &history) != LEAT_OK)
            die("leat_zabbix_history_write");
    }
    end_message(session);
}

uint64_t sum_row(const leat_value *row, leat_zabbix_history *h)
{
    (void)leat_zabbix_history_read(row, h);
    return h->id + h->itemid + h->clock + h->ns + h->value_length + (uint8_t)h->value[0];
}

int draw_rows(leat_session *session, uint64_t *sum)
{
    leat_zabbix_history history;
    const leat_event *event;
    uint64_t rows = 0;
    int status;

    leat_zabbix_history_init(&history, sizeof history);
    while ((status = leat_next(session, &event)) == LEAT_OK) {
        if (leat_event_kind(event) == LEAT_ZABBIX_ROW)
            rows += sum_row(leat_event_value(event), &history);
    }
    *sum += rows;
    return status;
}

uint64_t read_rows(leat_session *session, const uint8_t *octets, size_t length)
{
    uint64_t sum = 0;
    int status;

    while (length > 0) {
        size_t some;
        void *space = leat_recv_space(session, &some);

        if (some > FEED_BYTES)
            some = FEED_BYTES;
        if (some > length)
            some = length;
        memcpy(space, octets, some);
        check(leat_recv_done(session, some));
        octets += some;
        length -= some;
        status = draw_rows(session, &sum);
        if (status != LEAT_MORE && (status != LEAT_END || length > 0))
            die("leat_next");
    }
    return sum;
}

void race(struct job *jobs, size_t count, const struct message *m, unsigned rounds, unsigned repeat)
{
    unsigned round, again;
    size_t i;

    for (round = 0; round < rounds; round++) {
        for (i = 0; i < count; i++) {
            double start = cpu(), took;

            for (again = 0; again < repeat; again++) {
                if (jobs[i].run(m) != m->sum)
                    die(jobs[i].name);
            }
            took = (cpu() - start) / repeat;
            if (round == 0 || took < jobs[i].best)
                jobs[i].best = took;
        }
    }
}

void print_race(const struct job *jobs, size_t count, const struct message *m)
{
    size_t i;

    for (i = 0; i < count; i++)
        (void)printf("  %-32s %7.1f ns/row %7.2f M rows/s %7.2f\n", jobs[i].name,
                     jobs[i].best / (double)m->rows * 1e9, (double)m->rows / jobs[i].best * 1e-6,
                     jobs[i].best / jobs[0].best);
}
