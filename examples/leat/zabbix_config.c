/* The proxies of a server: of --proxy, of --poll, and of the file of --config. */
#include "zabbix_live.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX ((size_t)256 << 20)

static char *copied(const char *text, size_t length)
{
    char *copy = malloc(length + 1);

    need_memory(copy == NULL ? LEAT_E_NOMEM : LEAT_OK);
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

static char *copied_or_null(const char *text)
{
    return text == NULL ? NULL : copied(text, strlen(text));
}

/* One more, which is active and has nothing yet. */
static struct member *new_member(struct members *members)
{
    struct member *made;

    if (members->count == members->size) {
        members->size = members->size == 0 ? 8 : 2 * members->size;
        members->members = realloc(members->members, members->size * sizeof *members->members);
        need_memory(members->members == NULL ? LEAT_E_NOMEM : LEAT_OK);
    }
    made = &members->members[members->count++];
    memset(made, 0, sizeof *made);
    made->compress = true;
    return made;
}

/* The key that counts for it: its own, or that of the options. */
static const struct psk *psk_of(const struct member *member, const struct keys *keys)
{
    return member->identity != NULL ? &member->psk : &keys->psk;
}

/* What it is when only options tell: any connection that they allow, with their key and names. */
static void follow_options(struct member *member, const struct keys *keys)
{
    if (member->types == 0 && member->identity != NULL)
        member->types = LEAT_ZABBIX_PSK;
    if (member->types == 0)
        member->types = member->passive ? keys->connects : keys->accepts;
    if (member->issuer == NULL)
        member->issuer = copied_or_null(keys->issuer);
    if (member->subject == NULL)
        member->subject = copied_or_null(keys->subject);
}

/* What is wrong with it, or NULL. */
static const char *complete(struct members *members, struct member *member, const struct keys *keys)
{
    size_t i;

    follow_options(member, keys);
    if ((member->types & LEAT_ZABBIX_PSK) != 0 && psk_of(member, keys)->identity == NULL)
        return "there is no psk for it";
    if ((member->types & LEAT_ZABBIX_CERTIFICATE) != 0 && keys->certificate == NULL)
        return "a certificate needs --cert";
    for (i = 0; i < members->count; i++) {
        const struct member *other = &members->members[i];

        if (other == member)
            continue;
        if (strcmp(other->name, member->name) == 0)
            return "it is there twice";
        if (other->identity != NULL && member->identity != NULL &&
            strcmp(other->identity, member->identity) == 0 && strcmp(other->key, member->key) != 0)
            return "its psk_identity is there with another psk";
    }
    if (member->identity != NULL && keys->psk.identity != NULL &&
        strcmp(member->identity, keys->psk.identity) == 0)
        return "its psk_identity is that of --psk-identity";
    if (member->passive &&
        !keys_connect(keys, member->types, psk_of(member, keys), &member->security))
        return "it cannot be connected to";
    return NULL;
}

/* Options */

static bool read_proxy_options(struct members *members, const struct arguments *arguments,
                               const struct keys *keys)
{
    const char *name, *problem;
    size_t at = 0;

    while ((name = option_next(arguments, "--proxy", &at)) != NULL) {
        struct member *member = new_member(members);

        member->name = copied(name, strlen(name));
        problem = complete(members, member, keys);
        if (problem != NULL) {
            complain("--proxy %s: %s", name, problem);
            return false;
        }
    }
    return true;
}

/* The name of a proxy that has none but its address: what no name may hold is a dash. */
static char *named_by_address(const char *address)
{
    char *name = copied(address, strlen(address));
    char *at;

    for (at = name; *at != '\0'; at++) {
        if (!isalnum((unsigned char)*at) && *at != '.')
            *at = '-';
    }
    return name;
}

static bool read_poll_options(struct members *members, const struct arguments *arguments,
                              const struct keys *keys)
{
    const char *text, *problem;
    size_t at = 0;

    while ((text = option_next(arguments, "--poll", &at)) != NULL) {
        const char *equals = strchr(text, '=');
        const char *address = equals == NULL ? text : equals + 1;
        struct member *member = new_member(members);

        member->name =
            equals == NULL ? named_by_address(text) : copied(text, (size_t)(equals - text));
        member->passive = true;
        if (!endpoint_read(&member->endpoint, address, false))
            return false;
        problem = complete(members, member, keys);
        if (problem != NULL) {
            complain("--poll %s: %s", text, problem);
            return false;
        }
    }
    return true;
}

/* The file */

static bool is_text(const leat_value *record, const char *name, const char *text)
{
    size_t length;
    const char *there = leat_value_text(leat_value_get(record, name), &length);

    return length == strlen(text) && memcmp(there, text, length) == 0;
}

/* A text, if it is there. False: it is something else. */
static bool read_text(const leat_value *record, const char *name, char **text)
{
    *text = text_copy(record, name);
    return *text != NULL || leat_value_get(record, name) == NULL;
}

/* The types in a list, or the one of a text. False: they are none. */
static bool read_types(const leat_value *value, uint32_t *types)
{
    const leat_value *word = leat_value_kind(value) == LEAT_LIST ? leat_value_first(value) : value;

    for (; word != NULL; word = leat_value_next(value, word)) {
        size_t length;
        const char *text = leat_value_text(word, &length);
        uint32_t type = connection_type(text, length);

        if (type == 0)
            return false;
        *types |= type;
        if (word == value)
            break;
    }
    return *types != 0;
}

/* How it is connected, or connects. */
static const char *read_connections(struct member *member, const leat_value *entry)
{
    const char *name = member->passive ? "connect" : "accept";
    const leat_value *value = leat_value_get(entry, name);
    uint32_t kind = member->passive ? LEAT_TEXT : LEAT_LIST;

    if (leat_value_get(entry, member->passive ? "accept" : "connect") != NULL)
        return member->passive ? "accept is of active proxies" : "connect is of passive proxies";
    if (value != NULL && (leat_value_kind(value) != kind || !read_types(value, &member->types)))
        return member->passive ? "connect is not unencrypted, psk or cert"
                               : "accept is not a list of unencrypted, psk and cert";
    return NULL;
}

static const char *read_address(struct member *member, const leat_value *entry)
{
    char *address = text_copy(entry, "address");
    bool sound;

    if (!member->passive) {
        free(address);
        return leat_value_get(entry, "address") != NULL ? "address is of passive proxies" : NULL;
    }
    if (address == NULL)
        return "address is missing";
    sound = endpoint_read(&member->endpoint, address, false);
    free(address);
    return sound ? NULL : "address is not HOST:PORT";
}

/* What is wrong with the entry of a proxy, or NULL. */
static const char *read_entry(struct member *member, const leat_value *entry)
{
    static const char *const names[] = {
        "name",         "mode",   "address", "addresses", "accept", "connect", "psk",
        "psk_identity", "issuer", "subject", "compress",  "tables", NULL};
    const leat_value *compress = leat_value_get(entry, "compress");
    const char *unknown, *problem;
    size_t length;

    member->name = text_copy(entry, "name");
    if (member->name == NULL)
        return "name is missing";
    if (!fields_known(entry, names, &unknown, &length))
        return "an unknown member";
    member->passive = is_text(entry, "mode", "passive");
    if (!member->passive && leat_value_get(entry, "mode") != NULL &&
        !is_text(entry, "mode", "active"))
        return "mode is not active or passive";
    if (!read_text(entry, "addresses", &member->addresses) ||
        !read_text(entry, "psk_identity", &member->identity) ||
        !read_text(entry, "psk", &member->key) || !read_text(entry, "issuer", &member->issuer) ||
        !read_text(entry, "subject", &member->subject))
        return "a member is not text";
    if ((member->identity == NULL) != (member->key == NULL))
        return "psk_identity and psk go together";
    if (compress != NULL && leat_value_kind(compress) != LEAT_BOOL)
        return "compress is not true or false";
    member->compress = compress == NULL || leat_value_bool(compress) != 0;
    member->tables = leat_value_get(entry, "tables");
    if (member->tables != NULL && leat_value_kind(member->tables) != LEAT_RECORD)
        return "tables are not an object";
    problem = read_connections(member, entry);
    return problem != NULL ? problem : read_address(member, entry);
}

static bool read_entries(struct members *members, const char *path, const struct keys *keys)
{
    const leat_value *list = leat_value_get(leat_builder_value(members->file), "proxies");
    const leat_value *entry;

    for (entry = leat_value_first(list); entry != NULL; entry = leat_value_next(list, entry)) {
        struct member *member = new_member(members);
        const char *problem = read_entry(member, entry);

        member->psk.identity = member->identity;
        member->psk.key = member->key;
        if (problem == NULL)
            problem = complete(members, member, keys);
        if (problem != NULL) {
            complain("%s: proxy %zu%s%s: %s", path, members->count,
                     member->name != NULL ? ", " : "", member->name != NULL ? member->name : "",
                     problem);
            return false;
        }
    }
    return true;
}

/* A builder without limits: what the file says is ours. */
static leat_builder *new_builder(void)
{
    leat_builder *builder;
    leat_limits limits;
    leat_config config;

    leat_limits_init(&limits, sizeof limits);
    limits.values = UINT32_MAX;
    leat_config_init(&config, sizeof config);
    config.limits = &limits;
    need_memory(leat_builder_new(&config, &builder));
    return builder;
}

static bool read_file(struct members *members, const char *path, const struct keys *keys)
{
    static const char *const names[] = {"proxies", "tables", NULL};
    const leat_value *file, *list;
    const char *problem = NULL, *unknown;
    size_t length, name;
    char *text = input_file(path, FILE_MAX, &length);

    if (text == NULL)
        return false;
    members->file = new_builder();
    file = record_read(members->file, text, length, &problem);
    secret_free(text, length);
    list = leat_value_get(file, "proxies");
    members->tables = leat_value_get(file, "tables");
    if (problem == NULL && !fields_known(file, names, &unknown, &name))
        problem = "an unknown member beside proxies and tables";
    if (problem == NULL && list != NULL && leat_value_kind(list) != LEAT_LIST)
        problem = "proxies are not a list";
    if (problem == NULL && members->tables != NULL &&
        leat_value_kind(members->tables) != LEAT_RECORD)
        problem = "tables are not an object";
    if (problem != NULL) {
        complain("%s: %s", path, problem);
        return false;
    }
    return read_entries(members, path, keys);
}

bool members_read(struct members *members, const struct arguments *arguments,
                  const struct keys *keys)
{
    const char *path = option_value(arguments, "--config");

    memset(members, 0, sizeof *members);
    if (read_proxy_options(members, arguments, keys) &&
        read_poll_options(members, arguments, keys) &&
        (path == NULL || read_file(members, path, keys)))
        return true;
    members_free(members);
    return false;
}

void members_free(struct members *members)
{
    size_t i;

    for (i = 0; i < members->count; i++) {
        struct member *member = &members->members[i];

        security_close(&member->security);
        secret_free(member->key, member->key == NULL ? 0 : strlen(member->key));
        free(member->identity);
        free(member->name);
        free(member->issuer);
        free(member->subject);
        free(member->addresses);
    }
    free(members->members);
    leat_builder_free(members->file);
    memset(members, 0, sizeof *members);
}

const struct member *members_find(const struct members *members, const char *name)
{
    size_t i;

    for (i = 0; i < members->count; i++) {
        if (strcmp(members->members[i].name, name) == 0)
            return &members->members[i];
    }
    return NULL;
}

bool members_accept(const struct members *members, const struct keys *keys, uint32_t *types,
                    struct security *security)
{
    struct psk *psks = calloc(members->count + 1, sizeof *psks);
    size_t count = 0;
    size_t i;
    bool made;

    need_memory(psks == NULL ? LEAT_E_NOMEM : LEAT_OK);
    *types = keys->accepts;
    if (keys->psk.identity != NULL)
        psks[count++] = keys->psk;
    for (i = 0; i < members->count; i++) {
        const struct member *member = &members->members[i];
        size_t k = 0;

        if (member->passive)
            continue;
        *types |= member->types;
        while (member->identity != NULL && k < count &&
               strcmp(psks[k].identity, member->identity) != 0)
            k++;
        if (member->identity != NULL && k == count)
            psks[count++] = member->psk;
    }
    made = keys_accept(keys, *types, psks, count, security);
    free(psks);
    return made;
}

bool tables_load(leat_zabbix_tables *tables, const leat_value *value, const char *whose)
{
    const leat_error *error;
    leat_builder *none;
    int status;

    need_memory(leat_builder_new(NULL, &none));
    (void)leat_builder_open(none, NULL, LEAT_RECORD);
    need_memory(leat_builder_close(none));
    status = leat_zabbix_tables_load(tables, value != NULL ? value : leat_builder_value(none));
    leat_builder_free(none);
    need_memory(status);
    error = leat_zabbix_tables_error(tables);
    if (status != LEAT_OK)
        complain("%s: tables: %s: %s", whose, leat_error_text(error), leat_error_field(error));
    return status == LEAT_OK;
}

bool member_add(const struct member *member, const struct keys *keys, leat_zabbix_server *server)
{
    const leat_error *error;
    leat_zabbix_server_member given;
    int status;

    leat_zabbix_server_member_init(&given, sizeof given);
    given.name = member->name;
    given.passive = member->passive ? 1 : 0;
    given.connections = member->types;
    given.psk_identity = psk_of(member, keys)->identity;
    given.issuer = member->issuer;
    given.subject = member->subject;
    given.addresses = member->addresses;
    given.compress = member->compress ? 1 : 0;
    status = leat_zabbix_server_add(server, &given);
    need_memory(status);
    if (status != LEAT_OK) {
        error = leat_zabbix_server_error(server);
        complain("proxy %s: %s: %s", member->name, leat_error_text(error), leat_error_field(error));
        return false;
    }
    return tables_load(leat_zabbix_server_tables(server, member->name), member->tables,
                       member->name);
}
