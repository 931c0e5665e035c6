/*
 * What a controller makes of a configuration that a client stages: what is wrong with it, the ports that
 * it lacks, and the hosts that it does not tell.
 *
 * Configurations are as leat_zeek_management_read() gives them. None of this takes more than n log n
 * steps for n instances and nodes.
 *
 * Source: management section 6.3, stage_configuration and port assignment.
 */
#ifndef LT_ZEEK_CONTROLLER_CONFIG_H
#define LT_ZEEK_CONTROLLER_CONFIG_H

#include <leat/builder.h>
#include <leat/value.h>

/* The address of that agent's peering, as text, followed by a NUL; NULL: not known. Lent until the next
 * call. */
typedef const char *lt_zeek_address_of(const void *context, const char *instance, size_t length);

struct lt_zeek_staging {
    uint32_t controller_port;
    uint32_t broker_port;        /* that managers, loggers and proxies get from; 0: they get none */
    uint32_t metrics_port;       /* the same for all nodes with a role */
    lt_zeek_address_of *address; /* of instances whose host is 0.0.0.0 */
    const void *context;         /* of that */
};

/**
 * Checks a configuration and gives its nodes ports.
 *
 * errors  empty; gets a LEAT_LIST of all that is wrong with it, texts in ascending order.
 * ready   empty; gets the configuration. If there are no errors, its nodes have the ports that they
 *         lacked. Hosts stay as they are; but whether instances share one, and its ports with it,
 *         depends on the addresses known by now.
 *
 * LEAT_OK, LEAT_E_LIMIT, LEAT_E_NOMEM (of either builder).
 */
int lt_zeek_configuration_stage(const struct lt_zeek_staging *staging,
                                const leat_value *configuration, leat_builder *errors,
                                leat_builder *ready);

/**
 * Adds a configuration to a builder, with the addresses of agents in place of hosts of 0.0.0.0; what is
 * not known, or is no address, stays so.
 *
 * LEAT_OK, LEAT_E_LIMIT, LEAT_E_NOMEM, LEAT_E_STATE (no value may come here).
 */
int lt_zeek_configuration_fill(leat_builder *builder, const char *name,
                               const leat_value *configuration, lt_zeek_address_of *address,
                               const void *context);

#endif
