#include "error.h"

#include <string.h>

const char *leat_version(void)
{
    return LEAT_VERSION;
}

const char *leat_status_name(int status)
{
    switch (status) {
    case LEAT_OK:
        return "LEAT_OK";
    case LEAT_MORE:
        return "LEAT_MORE";
    case LEAT_PAUSED:
        return "LEAT_PAUSED";
    case LEAT_END:
        return "LEAT_END";
    case LEAT_E_NOMEM:
        return "LEAT_E_NOMEM";
    case LEAT_E_STATE:
        return "LEAT_E_STATE";
    case LEAT_E_VALUE:
        return "LEAT_E_VALUE";
    case LEAT_E_FRAME:
        return "LEAT_E_FRAME";
    case LEAT_E_PROTOCOL:
        return "LEAT_E_PROTOCOL";
    case LEAT_E_LIMIT:
        return "LEAT_E_LIMIT";
    case LEAT_E_END:
        return "LEAT_E_END";
    case LEAT_E_SYNTAX:
        return "LEAT_E_SYNTAX";
    case LEAT_E_INFLATE:
        return "LEAT_E_INFLATE";
    case LEAT_E_TLS:
        return "LEAT_E_TLS";
    case LEAT_E_TIMEOUT:
        return "LEAT_E_TIMEOUT";
    default:
        return status < 0 ? "LEAT_E_UNKNOWN" : "LEAT_UNKNOWN";
    }
}

void leat_limits_init(leat_limits *limits, size_t size)
{
    memset(limits, 0, size);
    limits->size = size;
}

void leat_config_init(leat_config *config, size_t size)
{
    memset(config, 0, size);
    config->size = size;
}

int leat_error_code(const leat_error *error)
{
    return error == NULL ? LEAT_OK : error->code;
}

const char *leat_error_text(const leat_error *error)
{
    return error == NULL || error->text == NULL ? "" : error->text;
}

uint64_t leat_error_offset(const leat_error *error)
{
    return error == NULL ? 0 : error->offset;
}

const char *leat_error_field(const leat_error *error)
{
    return error == NULL || error->field == NULL ? "" : error->field;
}
