/* What befalls peerings, as events: see broker_endpoint.h. */
#ifndef LT_BROKER_TELL_H
#define LT_BROKER_TELL_H

#include "endpoint.h"

/* Makes the event of that kind about a link; the tree and the link must outlive it. */
int lt_tell(struct lt_tree *tree, leat_event *event, uint32_t kind, const struct lt_link *link);

/* Keeps what the link has still to tell for leat_broker_next(), if there is room. */
void lt_keep_untold(const struct lt_link *link);

/* The error "peer_invalid" for leat_broker_next(); address NULL or id NULL: not known. */
int lt_tell_invalid(leat_broker *broker, const char *address, uint32_t port, const uint8_t *id);

void lt_untold_free(leat_broker *broker);
size_t lt_untold_memory(const leat_broker *broker);

#endif
