#include "endpoint.h"

bool lt_stores_take(leat_broker *broker, const leat_value *envelope)
{
    (void)broker;
    (void)envelope;
    return false;
}

void lt_stores_meet(leat_broker *broker)
{
    (void)broker;
}

void lt_stores_tick(leat_broker *broker)
{
    (void)broker;
}

uint64_t lt_stores_deadline(const leat_broker *broker)
{
    (void)broker;
    return UINT64_MAX;
}

void lt_stores_leave(leat_broker *broker)
{
    (void)broker;
}
