#include "message.h"

#include "../core/text.h"
#include "data.h"

#include <leat/broker.h>

/* ----- the tables ----- */

/* How a field is encoded. */
enum form {
    MAGIC, /* "ZEEK" */
    ID,    /* 16 octets */
    U8,
    U16,
    U64,
    BOOLEAN,
    TEXT,    /* varbyte, octets */
    TYPE,    /* u8: the message's type, which is shown as its name */
    TOPIC,   /* u16, octets */
    TEXTS,   /* varbyte, texts */
    VALUE,   /* data with its tag */
    EXPIRY,  /* u8 0, or u8 1 and i64 */
    ENTITY,  /* id, u64 */
    NUMBERS, /* varbyte, u64 each */
    STATE,   /* a table without its tag */
    OCTETS,  /* all that is left */
};

/* What peers could not bear otherwise. */
enum demand {
    ANY,
    NOT_NIL,   /* an id: messages of nobody are taken for one's own */
    NOT_LOCAL, /* a topic: what is local to an endpoint is not for others to say */
    ASCENDING, /* numbers: else the sender of a nack is dropped */
    A_TYPE,    /* a number: one of the types of data */
};

/* The fields of all messages and commands. */
enum field {
    END,
    ID_OF_SENDER,
    ID_OF_RECEIVER,
    MAGIC_NUMBER,
    MIN,
    MAX,
    VERSION,
    CODE,
    DESCRIPTION,
    FILTER,
    MESSAGE_TYPE,
    TTL,
    ITS_TOPIC,
    ANY_TOPIC,
    DATA,
    PAYLOAD,
    SEQ,
    SENDER,
    RECEIVER,
    TAG,
    NAME,
    KEY,
    STORED,
    EXPIRY_NS,
    PUBLISHER,
    WHO,
    REQ_ID,
    INSERTED,
    INIT_TYPE,
    OFFSET,
    HEARTBEAT,
    SEQ_ARG,
    SEQS,
    STATE_OF_CLONE,
};

struct row {
    const char *name;
    uint8_t name_length;
    uint8_t form;
    uint8_t missing; /* the number that is written if the field is not given; a topic: not 0: <$> */
    uint8_t demand;
};

#define ROW(name, ...)                                                                             \
    {                                                                                              \
        name, sizeof name - 1, __VA_ARGS__                                                         \
    }

static const struct row rows[] = {
    [ID_OF_SENDER] = ROW("sender", ID, 0, NOT_NIL),
    [ID_OF_RECEIVER] = ROW("receiver", ID, 0, ANY),
    [MAGIC_NUMBER] = ROW("magic", MAGIC, 0, ANY),
    [MIN] = ROW("min", U8, 1, ANY),
    [MAX] = ROW("max", U8, 1, ANY),
    [VERSION] = ROW("version", U8, 1, ANY),
    [CODE] = ROW("code", U8, 0, ANY),
    [DESCRIPTION] = ROW("description", TEXT, 0, ANY),
    [FILTER] = ROW("filter", TEXTS, 0, ANY),
    [MESSAGE_TYPE] = ROW("type", TYPE, 0, ANY),
    [TTL] = ROW("ttl", U16, LT_BROKER_TTL, ANY),
    [ITS_TOPIC] = ROW("topic", TOPIC, 0, NOT_LOCAL),
    [ANY_TOPIC] = ROW("topic", TOPIC, 1, ANY),
    [DATA] = ROW("data", VALUE, 0, ANY),
    [PAYLOAD] = ROW("payload", OCTETS, 0, ANY),
    [SEQ] = ROW("seq", U64, 0, ANY),
    [SENDER] = ROW("sender", ENTITY, 0, ANY),
    [RECEIVER] = ROW("receiver", ENTITY, 0, ANY),
    [TAG] = ROW("tag", U8, 0, ANY),
    [NAME] = ROW("name", TEXT, 0, ANY),
    [KEY] = ROW("key", VALUE, 0, ANY),
    [STORED] = ROW("value", VALUE, 0, ANY),
    [EXPIRY_NS] = ROW("expiry_ns", EXPIRY, 0, ANY),
    [PUBLISHER] = ROW("publisher", ENTITY, 0, ANY),
    [WHO] = ROW("who", ENTITY, 0, ANY),
    [REQ_ID] = ROW("req_id", U64, 0, ANY),
    [INSERTED] = ROW("inserted", BOOLEAN, 0, ANY),
    [INIT_TYPE] = ROW("init_type", U8, 0, A_TYPE),
    [OFFSET] = ROW("offset", U64, 0, ANY),
    [HEARTBEAT] = ROW("heartbeat_interval", U16, 0, ANY),
    [SEQ_ARG] = ROW("seq_arg", U64, 0, ANY),
    [SEQS] = ROW("seqs", NUMBERS, 0, ASCENDING),
    [STATE_OF_CLONE] = ROW("state", STATE, 0, ANY),
};

#define ENVELOPE ID_OF_SENDER, ID_OF_RECEIVER, MESSAGE_TYPE, TTL

static const struct lt_broker_message messages[] = {
    {"data", LEAT_BROKER_DATA, LT_BROKER_DATA, true, {ENVELOPE, ITS_TOPIC, DATA}},
    {"command", LEAT_BROKER_COMMAND, LT_BROKER_COMMAND, false, {ENVELOPE, ITS_TOPIC}}, /* and it */
    {"routing_update",
     LEAT_BROKER_ROUTING_UPDATE,
     LT_BROKER_ROUTING_UPDATE,
     true,
     {ENVELOPE, ANY_TOPIC, FILTER}},
    {"ping", LEAT_BROKER_PING, LT_BROKER_PING, true, {ENVELOPE, ANY_TOPIC, PAYLOAD}},
    {"pong", LEAT_BROKER_PONG, LT_BROKER_PONG, true, {ENVELOPE, ANY_TOPIC, PAYLOAD}},
    {"hello", LEAT_BROKER_HELLO, LT_BROKER_HELLO, false, {MAGIC_NUMBER, ID_OF_SENDER, MIN, MAX}},
    {"probe", LEAT_BROKER_PROBE, LT_BROKER_PROBE, false, {MAGIC_NUMBER}},
    {"version_select",
     LEAT_BROKER_VERSION_SELECT,
     LT_BROKER_VERSION_SELECT,
     false,
     {MAGIC_NUMBER, ID_OF_SENDER, VERSION}},
    {"drop_conn",
     LEAT_BROKER_DROP_CONN,
     LT_BROKER_DROP_CONN,
     false,
     {MAGIC_NUMBER, ID_OF_SENDER, CODE, DESCRIPTION}},
    {"originator_syn", LEAT_BROKER_ORIGINATOR_SYN, LT_BROKER_ORIGINATOR_SYN, false, {FILTER}},
    {"responder_syn_ack",
     LEAT_BROKER_RESPONDER_SYN_ACK,
     LT_BROKER_RESPONDER_SYN_ACK,
     false,
     {FILTER}},
    {"originator_ack", LEAT_BROKER_ORIGINATOR_ACK, LT_BROKER_ORIGINATOR_ACK, false, {END}},
};

#define MESSAGES (sizeof messages / sizeof *messages)

/* Commands of data stores: what all have, then by tag. */
static const uint8_t command_header[] = {SEQ, SENDER, RECEIVER, END};

static const struct {
    const char *name;
    uint8_t fields[LT_BROKER_FIELDS + 1];
} commands[] = {
    {"put", {KEY, STORED, EXPIRY_NS, PUBLISHER}},
    {"put_unique", {KEY, STORED, EXPIRY_NS, WHO, REQ_ID, PUBLISHER}},
    {"put_unique_result", {INSERTED, WHO, REQ_ID, PUBLISHER}},
    {"erase", {KEY, PUBLISHER}},
    {"expire", {KEY, PUBLISHER}},
    {"add", {KEY, STORED, INIT_TYPE, EXPIRY_NS, PUBLISHER}},
    {"subtract", {KEY, STORED, EXPIRY_NS, PUBLISHER}},
    {"clear", {PUBLISHER}},
    {"attach_writer", {OFFSET, HEARTBEAT}},
    {"keepalive", {SEQ_ARG}},
    {"cumulative_ack", {SEQ_ARG}},
    {"nack", {SEQS}},
    {"ack_clone", {OFFSET, HEARTBEAT, STATE_OF_CLONE}},
    {"retransmit_failed", {SEQ_ARG}},
};

#define COMMANDS (sizeof commands / sizeof *commands)

const struct lt_broker_message *lt_broker_message(uint8_t type)
{
    return type >= 1 && type <= MESSAGES ? &messages[type - 1] : NULL;
}

const struct lt_broker_message *lt_broker_message_named(const char *name)
{
    size_t i;

    for (i = 0; i < MESSAGES; i++) {
        if (strcmp(messages[i].name, name) == 0)
            return &messages[i];
    }
    return NULL;
}

/* ----- telling them apart ----- */

static const char magic[4] = {'Z', 'E', 'E', 'K'};

bool lt_broker_is_handshake(const uint8_t *body, size_t length)
{
    struct lt_reader in = lt_reader(body, length);
    uint8_t type = lt_u8(&in);
    uint64_t count;
    uint32_t text;

    if (type >= LT_BROKER_HELLO && type <= LT_BROKER_DROP_CONN)
        return lt_left(&in) >= sizeof magic && memcmp(in.at, magic, sizeof magic) == 0;
    if (type == LT_BROKER_ORIGINATOR_ACK)
        return length == 1;
    if (type != LT_BROKER_ORIGINATOR_SYN && type != LT_BROKER_RESPONDER_SYN_ACK)
        return false;
    for (count = lt_broker_varbyte(&in); lt_ok(&in) && count > 0; count--)
        (void)lt_broker_text(&in, &text);
    return lt_ok(&in) && lt_left(&in) == 0;
}

bool lt_broker_is_envelope(const uint8_t *body, size_t length)
{
    return length >= LT_BROKER_ENVELOPE_BYTES && body[LT_BROKER_TYPE_AT] >= LT_BROKER_DATA &&
           body[LT_BROKER_TYPE_AT] <= LT_BROKER_PONG &&
           lt_load_u16be(body + 35) <= length - LT_BROKER_ENVELOPE_BYTES;
}

/* ----- reading ----- */

struct reading {
    struct lt_reader in;
    struct lt_tree *tree;
    struct leat_error *error;
    const uint8_t *start;
    size_t depth; /* how deep values may nest */
    const struct lt_broker_message *message;
};

static int malformed(const struct reading *r, int code, const uint8_t *at, const char *what,
                     const char *field)
{
    return lt_error(r->error, code, (uint64_t)(at - r->start), what, field);
}

static int reserve(const struct reading *r, size_t cells, const char *field)
{
    int status = lt_tree_reserve(r->tree, cells);

    if (status == LEAT_OK)
        return LEAT_OK;
    return malformed(r, status, r->in.at,
                     status == LEAT_E_LIMIT ? "too many values" : "out of memory", field);
}

static void add_text(struct lt_tree *tree, const struct row *row, const void *text, size_t length)
{
    lt_tree_bytes(tree, LEAT_TEXT, row->name, row->name_length, text, length);
}

static void add_cell(struct lt_tree *tree, const struct row *row, uint8_t kind, uint64_t value)
{
    leat_value *cell = lt_tree_push(tree, kind, row->name, row->name_length);

    cell->u.u64 = value;
    cell->length = 0;
}

static void read_entity(struct reading *r, const struct row *row)
{
    size_t list = lt_tree_open(r->tree, LEAT_LIST, row->name, row->name_length);
    const uint8_t *id = lt_take(&r->in, 16);

    lt_tree_bytes(r->tree, LEAT_UUID, LT_NO_NAME, id, 16);
    lt_tree_u64(r->tree, LT_NO_NAME, lt_u64be(&r->in));
    lt_tree_close(r->tree, list, 2);
}

/* A list of texts or of numbers, each of at least so many octets. */
static int read_list(struct reading *r, const struct row *row, size_t least)
{
    const uint8_t *at = r->in.at;
    uint64_t count = lt_broker_varbyte(&r->in), i;
    uint32_t length;
    size_t list;
    int status;

    if (lt_ok(&r->in) && count > lt_left(&r->in) / least)
        return malformed(r, LEAT_E_SYNTAX, at, "more is announced than octets are left", row->name);
    if (!lt_ok(&r->in))
        return LEAT_OK;
    status = reserve(r, (size_t)count + 1, row->name);
    if (status != LEAT_OK)
        return status;
    list = lt_tree_open(r->tree, LEAT_LIST, row->name, row->name_length);
    for (i = 0; i < count; i++) {
        if (row->form == TEXTS) {
            const uint8_t *text = lt_broker_text(&r->in, &length);

            lt_tree_bytes(r->tree, LEAT_TEXT, LT_NO_NAME, text, length);
        } else {
            lt_tree_u64(r->tree, LT_NO_NAME, lt_u64be(&r->in));
        }
    }
    lt_tree_close(r->tree, list, (uint32_t)count);
    return LEAT_OK;
}

static int read_data(struct reading *r, const struct row *row)
{
    uint64_t before = (uint64_t)(r->in.at - r->start);
    int status =
        row->form == STATE
            ? lt_broker_read_table(&r->in, r->tree, r->depth, row->name, row->name_length, r->error)
            : lt_broker_read(&r->in, r->tree, r->depth, row->name, row->name_length, r->error);

    if (status != LEAT_OK)
        r->error->offset += before;
    return status;
}

static int read_row(struct reading *r, const struct row *row)
{
    struct lt_reader *in = &r->in;
    struct lt_tree *tree = r->tree;
    const uint8_t *at = in->at;
    uint32_t length;
    int status = reserve(r, row->form == ENTITY ? 3 : 1, row->name);

    if (status != LEAT_OK)
        return status;
    switch ((enum form)row->form) {
    case MAGIC:
        at = lt_take(in, sizeof magic);
        if (at != NULL && memcmp(at, magic, sizeof magic) != 0)
            return malformed(r, LEAT_E_PROTOCOL, at, "another magic number", row->name);
        add_text(tree, row, at, sizeof magic);
        break;
    case ID:
        lt_tree_bytes(tree, LEAT_UUID, row->name, row->name_length, lt_take(in, 16), 16);
        break;
    case U8:
        add_cell(tree, row, LEAT_UINT, lt_u8(in));
        break;
    case U16:
        add_cell(tree, row, LEAT_UINT, lt_u16be(in));
        break;
    case U64:
        add_cell(tree, row, LEAT_UINT, lt_u64be(in));
        break;
    case BOOLEAN:
        add_cell(tree, row, LEAT_BOOL, lt_u8(in) != 0);
        break;
    case TEXT:
        at = lt_broker_text(in, &length);
        add_text(tree, row, at, length);
        break;
    case TYPE:
        (void)lt_u8(in);
        add_text(tree, row, r->message->name, strlen(r->message->name));
        break;
    case TOPIC:
        length = lt_u16be(in);
        at = lt_take(in, length);
        add_text(tree, row, at, length);
        break;
    case TEXTS:
        status = read_list(r, row, 1);
        break;
    case NUMBERS:
        status = read_list(r, row, 8);
        break;
    case VALUE:
    case STATE:
        status = read_data(r, row);
        break;
    case EXPIRY:
        if (lt_u8(in) != 0)
            add_cell(tree, row, LEAT_INT, lt_u64be(in));
        else
            add_cell(tree, row, LEAT_NULL, 0);
        break;
    case ENTITY:
        read_entity(r, row);
        break;
    case OCTETS:
        length = (uint32_t)lt_left(in);
        lt_tree_bytes(tree, LEAT_BYTES, row->name, row->name_length, lt_take(in, length), length);
        break;
    default:
        break;
    }
    if (status == LEAT_OK && !lt_ok(in))
        return malformed(r, LEAT_E_SYNTAX, in->bad, "cut off, or a length beyond what is there",
                         row->name);
    return status;
}

/* Reads fields as children of the record that is open; counts them. */
static int read_fields(struct reading *r, const uint8_t *field, uint32_t *fields)
{
    for (; *field != END; field++) {
        int status = read_row(r, &rows[*field]);

        if (status != LEAT_OK)
            return status;
        ++*fields;
    }
    return LEAT_OK;
}

static int read_command(struct reading *r)
{
    struct lt_tree *tree = r->tree;
    uint32_t fields = 0;
    const uint8_t *at;
    size_t record;
    uint8_t tag;
    int status = reserve(r, 1, "command");

    if (status != LEAT_OK)
        return status;
    record = lt_tree_open(tree, LEAT_RECORD, LT_NAME("command"));
    status = read_fields(r, command_header, &fields);
    if (status == LEAT_OK)
        status = reserve(r, 2, rows[TAG].name);
    if (status != LEAT_OK)
        return status;
    at = r->in.at;
    tag = lt_u8(&r->in);
    if (!lt_ok(&r->in))
        return malformed(r, LEAT_E_SYNTAX, at, "cut off, or a length beyond what is there",
                         rows[TAG].name);
    if (tag >= COMMANDS)
        return malformed(r, LEAT_E_SYNTAX, at, "unknown command", rows[TAG].name);
    add_cell(tree, &rows[TAG], LEAT_UINT, tag);
    add_text(tree, &rows[NAME], commands[tag].name, strlen(commands[tag].name));
    fields += 2;
    status = read_fields(r, commands[tag].fields, &fields);
    lt_tree_close(tree, record, fields);
    return status;
}

int lt_broker_read_message(const struct lt_broker_message *message, struct lt_reader body,
                           struct lt_tree *tree, size_t depth, struct leat_error *error)
{
    /* The record around the fields is a level, and so is a command in it. */
    size_t around = message->type == LT_BROKER_COMMAND ? 2 : 1;
    struct reading r = {body, tree, error, body.at, depth > around ? depth - around : 0, message};
    uint32_t fields = 0;
    size_t record;
    int status = reserve(&r, 1, NULL);

    if (status != LEAT_OK)
        return status;
    record = lt_tree_open(tree, LEAT_RECORD, LT_NO_NAME);
    if (message->type >= LT_BROKER_HELLO)
        (void)lt_u8(&r.in);
    status = read_fields(&r, message->fields, &fields);
    if (status == LEAT_OK && message->type == LT_BROKER_COMMAND) {
        status = read_command(&r);
        fields++;
    }
    if (status == LEAT_OK && message->exact && lt_left(&r.in) > 0)
        status = malformed(&r, LEAT_E_SYNTAX, r.in.at, "octets behind the message", NULL);
    lt_tree_close(tree, record, fields);
    return status;
}

/* ----- writing ----- */

struct writing {
    struct lt_writer *out;
    struct leat_error *error;
    size_t start;
    const struct lt_broker_message *message;
};

static int refuse(const struct writing *w, const char *what, const char *field)
{
    return lt_error(w->error, LEAT_E_VALUE, w->out->length - w->start, what, field);
}

static bool is_missing(const leat_value *value)
{
    return value == NULL || value->kind == LEAT_NULL;
}

static bool is_text(const leat_value *value, const char *text, size_t length)
{
    return value->kind == LEAT_TEXT && value->length == length &&
           memcmp(value->u.bytes, text, length) == 0;
}

/* An id, as it is or as text; missing: nil. */
static bool id_of(const leat_value *value, uint8_t id[16])
{
    memset(id, 0, 16);
    if (is_missing(value))
        return true;
    if (value->kind == LEAT_UUID)
        memcpy(id, value->u.bytes, 16);
    return value->kind == LEAT_UUID ||
           (value->kind == LEAT_TEXT &&
            lt_read_uuid((const char *)value->u.bytes, value->length, id));
}

static bool number_of(const leat_value *value, uint64_t most, uint64_t missing, uint64_t *number)
{
    *number = is_missing(value) ? missing : value->u.u64;
    if (is_missing(value))
        return true;
    return (value->kind == LEAT_UINT || (value->kind == LEAT_INT && value->u.i64 >= 0)) &&
           *number <= most;
}

/* The hex digits of octets: of a text that is not UTF-8 if they are in a record {"hex":"..."}. */
static const leat_value *hex_of(const leat_value *value)
{
    const leat_value *hex = value;

    if (value->kind == LEAT_RECORD && value->length == 1)
        hex = leat_value_get(value, "hex");
    return hex != NULL && hex->kind == LEAT_TEXT && hex->length % 2 == 0 ? hex : NULL;
}

bool lt_broker_put_octets(struct lt_writer *out, const leat_value *value, bool bare)
{
    const leat_value *hex = NULL;
    uint8_t *p;

    if (value->kind == LEAT_RECORD || bare)
        hex = hex_of(value);
    if (hex == NULL) {
        lt_put_bytes(out, value->u.bytes, value->length);
        return true;
    }
    p = lt_put(out, hex->length / 2);
    if (p == NULL || lt_read_hex((const char *)hex->u.bytes, hex->length, p))
        return true;
    out->length -= hex->length / 2;
    return false;
}

/* The length of a text, missing: 0. False if it is none. */
static bool text_length(const leat_value *value, uint32_t *length)
{
    const leat_value *hex;

    *length = 0;
    if (is_missing(value))
        return true;
    if (value->kind == LEAT_TEXT) {
        *length = value->length;
        return true;
    }
    hex = value->kind == LEAT_RECORD ? hex_of(value) : NULL;
    if (hex != NULL)
        *length = hex->length / 2;
    return hex != NULL;
}

static int write_text(const struct writing *w, const leat_value *value, const char *field)
{
    uint32_t length;

    if (!text_length(value, &length))
        return refuse(w, "not a text", field);
    lt_broker_put_varbyte(w->out, length);
    return is_missing(value) || lt_broker_put_octets(w->out, value, false)
               ? LEAT_OK
               : refuse(w, "not hex", field);
}

static int write_topic(const struct writing *w, const struct row *row, const leat_value *value)
{
    static const char local[] = "<$>/local/";
    uint32_t length;
    size_t start;

    if (is_missing(value) && row->missing != 0) {
        lt_put_u16be(w->out, 3);
        lt_put_bytes(w->out, local, 3);
        return LEAT_OK;
    }
    if (!text_length(value, &length))
        return refuse(w, "not a text", row->name);
    if (length > UINT16_MAX)
        return refuse(w, "longer than 65535 octets", row->name);
    lt_put_u16be(w->out, (uint16_t)length);
    start = w->out->length;
    if (!is_missing(value) && !lt_broker_put_octets(w->out, value, false))
        return refuse(w, "not hex", row->name);
    if (row->demand == NOT_LOCAL && w->out->status == LEAT_OK && length >= sizeof local - 1 &&
        memcmp(w->out->data + start, local, sizeof local - 1) == 0)
        return refuse(w, "a topic that is local to the receiver", row->name);
    return LEAT_OK;
}

static int write_list(const struct writing *w, const struct row *row, const leat_value *value)
{
    const leat_value *item;
    uint64_t number, before = 0;
    int status = LEAT_OK;

    if (!is_missing(value) && value->kind != LEAT_LIST)
        return refuse(w, "not a list", row->name);
    lt_broker_put_varbyte(w->out, (uint32_t)leat_value_count(value));
    for (item = leat_value_first(value); item != NULL && status == LEAT_OK;
         item = leat_value_next(value, item)) {
        if (row->form == TEXTS) {
            status = write_text(w, item, row->name);
            continue;
        }
        if (item->kind == LEAT_NULL || !number_of(item, UINT64_MAX, 0, &number))
            return refuse(w, "not a number", row->name);
        if (row->demand == ASCENDING && item != value + 1 && number <= before)
            return refuse(w, "numbers that do not ascend", row->name);
        lt_put_u64be(w->out, number);
        before = number;
    }
    return status;
}

static int write_entity(const struct writing *w, const struct row *row, const leat_value *value)
{
    uint8_t id[16] = {0};
    uint64_t number = 0;

    if (!is_missing(value) &&
        (value->kind != LEAT_LIST || value->length != 2 || value->u.cells != 3 ||
         !id_of(value + 1, id) || !number_of(value + 2, UINT64_MAX, 0, &number)))
        return refuse(w, "not an id and a number", row->name);
    lt_put_bytes(w->out, id, sizeof id);
    lt_put_u64be(w->out, number);
    return LEAT_OK;
}

static int write_data(const struct writing *w, const struct row *row, const leat_value *value)
{
    const leat_value none = {.kind = LEAT_NULL};
    size_t before = w->out->length - w->start;
    int status;

    if (row->form == VALUE) {
        status = lt_broker_write(w->out, value == NULL ? &none : value, w->error);
    } else if (is_missing(value) || (value->kind == LEAT_LIST && value->length == 0)) {
        lt_broker_put_varbyte(w->out, 0); /* an empty table is [] in JSON */
        return LEAT_OK;
    } else if (value->kind != LEAT_TABLE) {
        return refuse(w, "not a table", row->name);
    } else {
        status = lt_broker_write_table(w->out, value, w->error);
    }
    if (status != LEAT_OK)
        w->error->offset += before;
    return status;
}

static int write_id(const struct writing *w, const struct row *row, const leat_value *value)
{
    static const uint8_t nil[16];
    uint8_t id[16];

    if (!id_of(value, id))
        return refuse(w, "not an id", row->name);
    if (row->demand == NOT_NIL && memcmp(id, nil, sizeof nil) == 0)
        return refuse(w, "nil, or missing", row->name);
    lt_put_bytes(w->out, id, sizeof id);
    return LEAT_OK;
}

static int write_number(const struct writing *w, const struct row *row, const leat_value *value)
{
    uint64_t most = row->form == U8 ? UINT8_MAX : row->form == U16 ? UINT16_MAX : UINT64_MAX;
    uint64_t number;

    if (!number_of(value, most, row->missing, &number))
        return refuse(w, "not a number, or out of range", row->name);
    if (row->demand == A_TYPE && number >= LT_BROKER_TYPES)
        return refuse(w, "not a type of data", row->name);
    if (row->form == U8)
        lt_put_u8(w->out, (uint8_t)number);
    else if (row->form == U16)
        lt_put_u16be(w->out, (uint16_t)number);
    else
        lt_put_u64be(w->out, number);
    return LEAT_OK;
}

static int write_expiry(const struct writing *w, const struct row *row, const leat_value *value)
{
    if (is_missing(value)) {
        lt_put_u8(w->out, 0);
        return LEAT_OK;
    }
    if (value->kind != LEAT_INT && value->kind != LEAT_TIMESPAN &&
        (value->kind != LEAT_UINT || value->u.u64 > INT64_MAX))
        return refuse(w, "not a number of nanoseconds", row->name);
    lt_put_u8(w->out, 1);
    lt_put_u64be(w->out, value->u.u64);
    return LEAT_OK;
}

static int write_row(const struct writing *w, const struct row *row, const leat_value *value)
{
    const struct lt_broker_message *message = w->message;

    switch ((enum form)row->form) {
    case MAGIC:
        if (!is_missing(value) && !is_text(value, magic, sizeof magic))
            return refuse(w, "another magic number", row->name);
        lt_put_bytes(w->out, magic, sizeof magic);
        return LEAT_OK;
    case ID:
        return write_id(w, row, value);
    case U8:
    case U16:
    case U64:
        return write_number(w, row, value);
    case BOOLEAN:
        if (!is_missing(value) && value->kind != LEAT_BOOL)
            return refuse(w, "not a boolean", row->name);
        lt_put_u8(w->out, (uint8_t)leat_value_bool(value));
        return LEAT_OK;
    case TEXT:
        return write_text(w, value, row->name);
    case TYPE:
        if (!is_missing(value) && !is_text(value, message->name, strlen(message->name)))
            return refuse(w, "another message", row->name);
        lt_put_u8(w->out, message->type);
        return LEAT_OK;
    case TOPIC:
        return write_topic(w, row, value);
    case TEXTS:
    case NUMBERS:
        return write_list(w, row, value);
    case VALUE:
    case STATE:
        return write_data(w, row, value);
    case EXPIRY:
        return write_expiry(w, row, value);
    case ENTITY:
        return write_entity(w, row, value);
    case OCTETS:
    default:
        if (is_missing(value))
            return LEAT_OK;
        if (value->kind != LEAT_BYTES && hex_of(value) == NULL)
            return refuse(w, "not octets", row->name);
        return lt_broker_put_octets(w->out, value, value->kind != LEAT_BYTES)
                   ? LEAT_OK
                   : refuse(w, "not hex", row->name);
    }
}

/* Writes the fields; counts those that are given. */
static int write_fields(const struct writing *w, const uint8_t *field, const leat_value *record,
                        uint32_t *given)
{
    for (; *field != END; field++) {
        const struct row *row = &rows[*field];
        size_t place = 0;
        const leat_value *value = leat_value_find(record, row->name, row->name_length, &place);
        int status = write_row(w, row, value);

        if (status != LEAT_OK)
            return status;
        *given += value != NULL;
    }
    return LEAT_OK;
}

/* The tag of a command, by its number or its name. */
static bool tag_of(const leat_value *tag, const leat_value *name, uint64_t *number)
{
    uint64_t named;

    if (is_missing(name))
        return !is_missing(tag) && number_of(tag, COMMANDS - 1, 0, number);
    for (named = 0; named < COMMANDS; named++) {
        if (is_text(name, commands[named].name, strlen(commands[named].name)))
            break;
    }
    return named < COMMANDS && number_of(tag, COMMANDS - 1, named, number) && *number == named;
}

static int write_command(const struct writing *w, const leat_value *record)
{
    const leat_value *tag = leat_value_get(record, rows[TAG].name);
    const leat_value *name = leat_value_get(record, rows[NAME].name);
    uint32_t given = (uint32_t)(tag != NULL) + (uint32_t)(name != NULL);
    uint64_t number;
    int status;

    if (record == NULL || record->kind != LEAT_RECORD)
        return refuse(w, "not a record", "command");
    status = write_fields(w, command_header, record, &given);
    if (status != LEAT_OK)
        return status;
    if (!tag_of(tag, name, &number))
        return refuse(w, "unknown command", rows[NAME].name);
    lt_put_u8(w->out, (uint8_t)number);
    status = write_fields(w, commands[number].fields, record, &given);
    if (status == LEAT_OK && given != record->length)
        status = refuse(w, "a field that the command does not have", "command");
    return status;
}

int lt_broker_write_command(struct lt_writer *out, const leat_value *record,
                            struct leat_error *error)
{
    const struct writing w = {out, error, out->length, lt_broker_message(LT_BROKER_COMMAND)};

    return write_command(&w, record);
}

int lt_broker_write_message(const struct lt_broker_message *message, struct lt_writer *out,
                            const leat_value *record, struct leat_error *error)
{
    const struct writing w = {out, error, out->length, message};
    const leat_value *inner;
    uint32_t given = 0;
    int status;

    if (!is_missing(record) && record->kind != LEAT_RECORD)
        return refuse(&w, "not a record", NULL);
    if (message->type >= LT_BROKER_HELLO)
        lt_put_u8(out, message->type);
    status = write_fields(&w, message->fields, record, &given);
    if (status == LEAT_OK && message->type == LT_BROKER_COMMAND) {
        inner = leat_value_get(record, "command");
        status = write_command(&w, inner);
        given += inner != NULL;
    }
    if (status == LEAT_OK && given != leat_value_count(record))
        status = refuse(&w, "a field that the message does not have", NULL);
    return status;
}
