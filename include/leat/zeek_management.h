/*
 * Zeek's Management framework: its events, with the names and types of all that they carry. Agents
 * (zeek_agent.h) and controllers (zeek_controller.h) are made of them; so are clients of a
 * controller, which need nothing else.
 *
 *     if (leat_zeek_read(data, &message) == LEAT_OK)
 *         switch (leat_zeek_management_kind(&message)) {
 *         case LEAT_ZEEK_CONTROLLER_DEPLOY_RESPONSE:
 *             leat_zeek_management_read(b, NULL, &message, &flaw);
 *             results = leat_value_get(leat_builder_value(b), "results");
 *
 * Zeek sends the arguments of an event, and the fields of a record, by their places. Here they go by
 * their names: what is read is a record whose fields are the arguments, {reqid, config, force}, and
 * so are the records in them: Management::Configuration is a LEAT_RECORD of id, instances and nodes.
 * Other types are as zeek.h has them. All events, arguments, records and fields, with their types,
 * stand in doc/zeek-management.md and in what leat_zeek_management_describe() tells.
 *
 * The framework is part of Zeek 5.0 to 9.0, whose versions all speak version 1 of it. Records are
 * those of Zeek 7.0 and later; of an older Zeek, those that lack metrics_port are read as well.
 *
 * Source: management sections 3 to 7.
 */
#ifndef LEAT_ZEEK_MANAGEMENT_H
#define LEAT_ZEEK_MANAGEMENT_H

#include <leat/builder.h>
#include <leat/leat.h>
#include <leat/value.h>
#include <leat/zeek.h>

#ifdef __cplusplus
extern "C" {
#endif

/* api_version of notify_agent_hello. */
#define LEAT_ZEEK_MANAGEMENT_VERSION 1u

/* Topics. An agent's own is the prefix, a slash and its name. */
#define LEAT_ZEEK_CONTROLLER_TOPIC   "zeek/management/controller"
#define LEAT_ZEEK_AGENT_TOPIC_PREFIX "zeek/management/agent"
#define LEAT_ZEEK_NODE_TOPIC         "zeek/management/node"

/* Kinds of events. Management::Agent::API::<name>: */
#define LEAT_ZEEK_AGENT_DEPLOY_REQUEST         1u
#define LEAT_ZEEK_AGENT_DEPLOY_RESPONSE        2u
#define LEAT_ZEEK_AGENT_GET_NODES_REQUEST      3u
#define LEAT_ZEEK_AGENT_GET_NODES_RESPONSE     4u
#define LEAT_ZEEK_AGENT_NODE_DISPATCH_REQUEST  5u
#define LEAT_ZEEK_AGENT_NODE_DISPATCH_RESPONSE 6u
#define LEAT_ZEEK_AGENT_AGENT_WELCOME_REQUEST  7u
#define LEAT_ZEEK_AGENT_AGENT_WELCOME_RESPONSE 8u
#define LEAT_ZEEK_AGENT_AGENT_STANDBY_REQUEST  9u
#define LEAT_ZEEK_AGENT_AGENT_STANDBY_RESPONSE 10u
#define LEAT_ZEEK_AGENT_RESTART_REQUEST        11u
#define LEAT_ZEEK_AGENT_RESTART_RESPONSE       12u
#define LEAT_ZEEK_AGENT_NOTIFY_AGENT_HELLO     13u
#define LEAT_ZEEK_AGENT_NOTIFY_CHANGE          14u
#define LEAT_ZEEK_AGENT_NOTIFY_ERROR           15u
#define LEAT_ZEEK_AGENT_NOTIFY_LOG             16u

/* Management::Controller::API::<name>: */
#define LEAT_ZEEK_CONTROLLER_GET_INSTANCES_REQUEST        17u
#define LEAT_ZEEK_CONTROLLER_GET_INSTANCES_RESPONSE       18u
#define LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_REQUEST  19u
#define LEAT_ZEEK_CONTROLLER_STAGE_CONFIGURATION_RESPONSE 20u
#define LEAT_ZEEK_CONTROLLER_GET_CONFIGURATION_REQUEST    21u
#define LEAT_ZEEK_CONTROLLER_GET_CONFIGURATION_RESPONSE   22u
#define LEAT_ZEEK_CONTROLLER_DEPLOY_REQUEST               23u
#define LEAT_ZEEK_CONTROLLER_DEPLOY_RESPONSE              24u
#define LEAT_ZEEK_CONTROLLER_GET_NODES_REQUEST            25u
#define LEAT_ZEEK_CONTROLLER_GET_NODES_RESPONSE           26u
#define LEAT_ZEEK_CONTROLLER_GET_ID_VALUE_REQUEST         27u
#define LEAT_ZEEK_CONTROLLER_GET_ID_VALUE_RESPONSE        28u
#define LEAT_ZEEK_CONTROLLER_RESTART_REQUEST              29u
#define LEAT_ZEEK_CONTROLLER_RESTART_RESPONSE             30u
#define LEAT_ZEEK_CONTROLLER_TEST_TIMEOUT_REQUEST         31u
#define LEAT_ZEEK_CONTROLLER_TEST_TIMEOUT_RESPONSE        32u
#define LEAT_ZEEK_CONTROLLER_NOTIFY_AGENTS_READY          33u

/* Management::Node::API::<name>, between agents and the nodes of a cluster: */
#define LEAT_ZEEK_NODE_NODE_DISPATCH_REQUEST  34u
#define LEAT_ZEEK_NODE_NODE_DISPATCH_RESPONSE 35u
#define LEAT_ZEEK_NODE_NOTIFY_NODE_HELLO      36u

/* Management::Supervisor::API::<name>, from a Supervisor to its agent: */
#define LEAT_ZEEK_SUPERVISOR_NOTIFY_NODE_EXIT 37u

/* SupervisorControl::<name>, between an agent and its Supervisor: */
#define LEAT_ZEEK_SUPERVISOR_CONTROL_CREATE_REQUEST   38u
#define LEAT_ZEEK_SUPERVISOR_CONTROL_CREATE_RESPONSE  39u
#define LEAT_ZEEK_SUPERVISOR_CONTROL_STATUS_REQUEST   40u
#define LEAT_ZEEK_SUPERVISOR_CONTROL_STATUS_RESPONSE  41u
#define LEAT_ZEEK_SUPERVISOR_CONTROL_RESTART_REQUEST  42u
#define LEAT_ZEEK_SUPERVISOR_CONTROL_RESTART_RESPONSE 43u
#define LEAT_ZEEK_SUPERVISOR_CONTROL_DESTROY_REQUEST  44u
#define LEAT_ZEEK_SUPERVISOR_CONTROL_DESTROY_RESPONSE 45u
#define LEAT_ZEEK_SUPERVISOR_CONTROL_STOP_REQUEST     46u
#define LEAT_ZEEK_SUPERVISOR_CONTROL_NODE_STATUS      47u

/*
 * Kinds that agents and controllers tell besides; each is named like its constant in lower case.
 *
 * MALFORMED  an event of the framework that cannot be read: a record of event, argument, record, field,
 *            type and what, texts, as leat_zeek_management_flaw has them (LEAT_NULL: NULL)
 */
#define LEAT_ZEEK_TIMED_OUT     64u
#define LEAT_ZEEK_MALFORMED     65u
#define LEAT_ZEEK_INSTANCE      66u
#define LEAT_ZEEK_CONFIGURATION 67u

/* Management::State. */
#define LEAT_ZEEK_STATE_PENDING "Management::PENDING"
#define LEAT_ZEEK_STATE_RUNNING "Management::RUNNING"
#define LEAT_ZEEK_STATE_STOPPED "Management::STOPPED"
#define LEAT_ZEEK_STATE_FAILED  "Management::FAILED"
#define LEAT_ZEEK_STATE_CRASHED "Management::CRASHED"
#define LEAT_ZEEK_STATE_UNKNOWN "Management::UNKNOWN"

/* Which of these it is; 0: none of them, a plain event, or no event at all. */
LEAT_API uint32_t leat_zeek_management_kind(const leat_zeek_message *message);
/* The kind of an event by its name, with its module; 0: there is none. */
LEAT_API uint32_t leat_zeek_management_find(const char *name, size_t length);
/* The name of a kind, with its module, constant; NULL: there is no such kind. */
LEAT_API const char *leat_zeek_management_name(uint32_t kind);

/**
 * What is wrong with an event: all texts are constants, those of doc/zeek-management.md.
 */
typedef struct leat_zeek_management_flaw {
    uint64_t size;        /* set by leat_zeek_management_flaw_init() */
    const char *event;    /* its name, with its module */
    const char *argument; /* in which argument; NULL: there are too many or too few of them */
    const char *record;   /* in which record, Management::Node; NULL: not inside of one */
    const char *field;    /* the field of that record; NULL: it has too few */
    const char *type; /* what is wanted there: "Management::State"; NULL: as many as there are */
    const char *what; /* what is wrong: a sentence without a full stop */
    const leat_value *at; /* the value that is wrong, or the record or list that lacks one */
} leat_zeek_management_flaw;

/* Empties it. size is sizeof(leat_zeek_management_flaw) as you compiled it. */
LEAT_API void leat_zeek_management_flaw_init(leat_zeek_management_flaw *flaw, size_t size);

/**
 * Reads the arguments of an event into a builder, as a record of their names.
 *
 * Zeek's rules hold: an event has exactly its arguments, a record may have more values than fields.
 * Optional fields that are not set are LEAT_NULL, others that are not set are their default. What a
 * Result has as data depends on the event, as the table of all events says, and comes as that type;
 * the wrapper that some releases put around it is taken off. Enumerators are not looked at: newer
 * Zeeks may have more of them. Elements of a set that differ in surplus values alone come twice.
 *
 * name     the field's name inside a record, else NULL.
 * message  with a kind.
 * flaw     initialised, or NULL; filled if LEAT_E_SYNTAX.
 *
 * LEAT_OK; LEAT_E_SYNTAX: it is not as the table says, and no Zeek takes it; LEAT_E_VALUE (the message
 * has no kind; flaw not initialised), LEAT_E_LIMIT, LEAT_E_NOMEM, LEAT_E_STATE (no value may come here).
 *
 * Source: management sections 3 to 7.
 */
LEAT_API int leat_zeek_management_read(leat_builder *builder, const char *name,
                                       const leat_zeek_message *message,
                                       leat_zeek_management_flaw *flaw);

/**
 * Adds an event to a builder, as one value: what leat_broker_publish() takes.
 *
 * args  a record of the arguments by their names; NULL stands for an empty one. What is optional or
 *       has a default may be missing or LEAT_NULL. Values are of their types, or as JSON has them: a
 *       LEAT_TEXT for an enum, an address or a port ("2200/tcp"), a LEAT_LIST for a set, a LEAT_RECORD
 *       for a table, either integer for the other if it fits. So what leat_value_json() writes of an
 *       event can be read by leat_builder_json() and written.
 * flaw  initialised, or NULL; filled if LEAT_E_VALUE.
 *
 * LEAT_OK; LEAT_E_VALUE: something is missing, of another type, no enumerator of its type, twice in a
 * set, or has a name that is not in the table; or there is no such kind, or flaw is not initialised;
 * LEAT_E_LIMIT, LEAT_E_NOMEM, LEAT_E_STATE (no value may come here).
 *
 * Source: management sections 3 to 7.
 */
LEAT_API int leat_zeek_management_write(leat_builder *builder, const char *name, uint32_t kind,
                                        const leat_value *args, leat_zeek_management_flaw *flaw);

/**
 * Adds the table of all events to a builder, for bindings and documentation: a record of
 *
 * version  of the API
 * events   a list of records of kind, name, topic, from (who sends it: "controller", ...) and args, a
 *          list of fields
 * records  a list of records of name and fields
 * enums    a list of records of name and values, a list of texts
 *
 * A field is a record of name, type ("set of Management::Instance"), optional (bool), default
 * (LEAT_NULL: none), data and data_optional (of a Result or ResultVec: the type of its data, and
 * whether there may be none; else LEAT_NULL) and since (the first Zeek that has it; LEAT_NULL: all
 * have).
 *
 * LEAT_OK, LEAT_E_LIMIT, LEAT_E_NOMEM, LEAT_E_STATE (no value may come here).
 */
LEAT_API int leat_zeek_management_describe(leat_builder *builder, const char *name);

#ifdef __cplusplus
}
#endif

#endif
