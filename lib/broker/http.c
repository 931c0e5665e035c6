#include "http.h"

int lt_http_scan(size_t *scanned, const uint8_t *text, size_t length, size_t limit,
                 struct leat_error *error)
{
    size_t at, end = length < limit ? length : limit;

    for (at = *scanned; at < end; at++) {
        uint8_t c = text[at];
        bool returned = at > 0 && text[at - 1] == '\r';

        if (returned != (c == '\n'))
            return lt_error(error, LEAT_E_SYNTAX, at, "a line that does not end with CR LF", NULL);
        if ((c < 0x20 && c != '\t' && c != '\r' && c != '\n') || c == 0x7f)
            return lt_error(error, LEAT_E_SYNTAX, at, "a control character in a head", NULL);
        if (c == '\n' && (at == 1 || text[at - 2] == '\n')) {
            *scanned = at + 1;
            return LEAT_OK;
        }
    }
    *scanned = at;
    return at < limit ? LEAT_MORE
                      : lt_error(error, LEAT_E_LIMIT, at, "a head over the limit", NULL);
}

static bool is_token_octet(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c > 0x20 && c < 0x7f && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* Takes what is before the first such octet, and that; false: there is none. */
static bool cut(struct lt_http_text *text, char at, struct lt_http_text *head)
{
    const char *end = (const char *)memchr(text->at, at, text->length);

    if (end == NULL)
        return false;
    head->at = text->at;
    head->length = (size_t)(end - text->at);
    text->at += head->length + 1;
    text->length -= head->length + 1;
    return true;
}

/* Takes a line; its end is known to be CR LF. */
static bool cut_line(struct lt_http_text *text, struct lt_http_text *line)
{
    if (!cut(text, '\n', line))
        return false;
    line->length--;
    return true;
}

static bool is_token(struct lt_http_text text)
{
    size_t i;

    for (i = 0; i < text.length && is_token_octet((uint8_t)text.at[i]); i++)
        ;
    return i == text.length && i > 0;
}

static struct lt_http_text trimmed(struct lt_http_text text)
{
    while (text.length > 0 && (*text.at == ' ' || *text.at == '\t')) {
        text.at++;
        text.length--;
    }
    while (text.length > 0 && (text.at[text.length - 1] == ' ' || text.at[text.length - 1] == '\t'))
        text.length--;
    return text;
}

bool lt_http_field(struct lt_http_text *fields, struct lt_http_text *name,
                   struct lt_http_text *value)
{
    struct lt_http_text line;

    if (!cut_line(fields, &line) || line.length == 0 || !cut(&line, ':', name))
        return false;
    *value = trimmed(line);
    return true;
}

/* HTTP/1.x */
static bool read_version(struct lt_http_text text, uint32_t *minor)
{
    if (text.length != 8 || memcmp(text.at, "HTTP/1.", 7) != 0 || text.at[7] < '0' ||
        text.at[7] > '9')
        return false;
    *minor = (uint32_t)(text.at[7] - '0');
    return true;
}

static bool is_visible(struct lt_http_text text)
{
    size_t i;

    for (i = 0; i < text.length && (uint8_t)text.at[i] > 0x20 && (uint8_t)text.at[i] < 0x7f; i++)
        ;
    return i == text.length && i > 0;
}

static bool read_request_line(struct lt_http_text line, struct lt_http_head *head)
{
    return cut(&line, ' ', &head->method) && cut(&line, ' ', &head->target) &&
           is_token(head->method) && is_visible(head->target) && read_version(line, &head->minor);
}

static bool read_status_line(struct lt_http_text line, struct lt_http_head *head)
{
    struct lt_http_text version;
    size_t i;

    if (!cut(&line, ' ', &version) || !read_version(version, &head->minor) || line.length < 3)
        return false;
    for (i = 0; i < 3; i++) {
        if (line.at[i] < '0' || line.at[i] > '9')
            return false;
        head->status = head->status * 10 + (uint32_t)(line.at[i] - '0');
    }
    line.at += 3;
    line.length -= 3;
    head->reason = trimmed(line);
    /* Some leave out the space in front of a reason that is not there. */
    return head->status >= 100 && (line.length == 0 || *line.at == ' ');
}

static int read_head(const uint8_t *text, size_t length, struct lt_http_head *head,
                     bool (*read_start)(struct lt_http_text, struct lt_http_head *),
                     struct leat_error *error)
{
    struct lt_http_text rest = {(const char *)text, length}, line, name;

    memset(head, 0, sizeof *head);
    if (!cut_line(&rest, &line) || !read_start(line, head))
        return lt_error(error, LEAT_E_SYNTAX, 0, "not HTTP", NULL);
    head->fields = rest;
    while (cut_line(&rest, &line) && line.length > 0) {
        size_t at = (size_t)((const uint8_t *)line.at - text);

        if (!cut(&line, ':', &name) || !is_token(name))
            return lt_error(error, LEAT_E_SYNTAX, at, "not a field of a head", NULL);
    }
    return LEAT_OK;
}

int lt_http_read_request(const uint8_t *text, size_t length, struct lt_http_head *head,
                         struct leat_error *error)
{
    return read_head(text, length, head, read_request_line, error);
}

int lt_http_read_response(const uint8_t *text, size_t length, struct lt_http_head *head,
                          struct leat_error *error)
{
    return read_head(text, length, head, read_status_line, error);
}

bool lt_http_is(struct lt_http_text text, const char *other)
{
    return text.length == strlen(other) && memcmp(text.at, other, text.length) == 0;
}

static uint8_t lower(char c)
{
    return (uint8_t)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* Whether it is that text, whatever the case of its letters. */
static bool is_like(struct lt_http_text text, const char *other)
{
    size_t i;

    if (text.length != strlen(other))
        return false;
    for (i = 0; i < text.length && lower(text.at[i]) == lower(other[i]); i++)
        ;
    return i == text.length;
}

unsigned lt_http_find(const struct lt_http_head *head, const char *name, struct lt_http_text *value)
{
    struct lt_http_text fields = head->fields, found, its;
    unsigned count = 0;

    value->at = "";
    value->length = 0;
    while (lt_http_field(&fields, &found, &its)) {
        if (is_like(found, name) && count++ == 0)
            *value = its;
    }
    return count;
}

bool lt_http_lists(const struct lt_http_head *head, const char *name, const char *token)
{
    struct lt_http_text fields = head->fields, found, list, item;

    while (lt_http_field(&fields, &found, &list)) {
        if (!is_like(found, name))
            continue;
        while (cut(&list, ',', &item)) {
            if (is_like(trimmed(item), token))
                return true;
        }
        if (is_like(trimmed(list), token))
            return true;
    }
    return false;
}

bool lt_http_is_value(const char *text, size_t length)
{
    size_t i;

    for (i = 0; i < length; i++) {
        if (((uint8_t)text[i] < 0x20 && text[i] != '\t') || text[i] == 0x7f)
            return false;
    }
    return true;
}

void lt_http_put(struct lt_writer *out, const char *name, const char *value, size_t length)
{
    lt_put_text(out, name);
    lt_put_text(out, ": ");
    lt_put_bytes(out, value, length);
    lt_put_text(out, "\r\n");
}
