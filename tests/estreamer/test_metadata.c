/* The metadata store: what is learnt, what it names, and what a hostile server can do to it. */
#include "support.h"

#include "adler.h"
#include "bytes.h"
#include "session.h" /* the core's: struct leat_event */

#include <leat/estreamer.h>
#include <stdio.h>

#define NAME_BYTES_LIMIT 1024u

/* A line from a server: what is said at one end as JSON is an event at the other. */
struct line {
    leat_session *server;
    leat_session *client;
};

static struct line open_line(void)
{
    struct line line;

    ck_assert_int_eq(leat_estreamer_codec_new(NULL, LEAT_FROM_ANY, &line.server), LEAT_OK);
    ck_assert_int_eq(leat_estreamer_codec_new(NULL, LEAT_FROM_SERVER, &line.client), LEAT_OK);
    return line;
}

static void close_line(struct line line)
{
    leat_session_free(line.server);
    leat_session_free(line.client);
}

/*
 * An event_data of that type, whose record is JSON with ' for ". Valid until the next one on the
 * line.
 */
static const leat_event *hear(struct line line, unsigned record_type, const char *record)
{
    char text[4096];
    leat_builder *builder;
    const leat_event *event;
    const void *data;
    size_t length, i;
    int written =
        snprintf(text, sizeof text, "{\"record_type\":%u,\"record\":%s}", record_type, record);

    ck_assert(written > 0 && (size_t)written < sizeof text);
    for (i = 0; text[i] != '\0'; i++) {
        if (text[i] == '\'')
            text[i] = '"';
    }
    builder = t_json(text, (size_t)written);
    ck_assert_msg(leat_send(line.server, "event_data", leat_builder_value(builder)) == LEAT_OK,
                  "%s: %s", text, leat_error_text(leat_session_send_error(line.server)));
    leat_builder_free(builder);
    data = leat_send_data(line.server, &length);
    ck_assert_int_eq(leat_feed(line.client, data, length), LEAT_OK);
    ck_assert_int_eq(leat_send_done(line.server, length), LEAT_OK);
    ck_assert_int_eq(leat_next(line.client, &event), LEAT_OK);
    return event;
}

static void learn(leat_estreamer_metadata *metadata, struct line line, unsigned record_type,
                  const char *record)
{
    ck_assert_int_eq(leat_estreamer_metadata_learn(metadata, hear(line, record_type, record)),
                     LEAT_OK);
}

static leat_estreamer_metadata *new_store(size_t bytes)
{
    leat_estreamer_metadata *metadata;

    ck_assert_int_eq(leat_estreamer_metadata_new(NULL, bytes, &metadata), LEAT_OK);
    ck_assert_uint_eq(leat_estreamer_metadata_count(metadata), 0);
    return metadata;
}

/* All names of an event, as JSON. Yours to free(). */
static char *names_of(leat_estreamer_metadata *metadata, const leat_value *value)
{
    leat_builder *builder;
    char *text;

    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    ck_assert_int_eq(leat_estreamer_metadata_names(metadata, builder, NULL, value), LEAT_OK);
    text = t_json_text(leat_builder_value(builder));
    leat_builder_free(builder);
    return text;
}

static void names_are(leat_estreamer_metadata *metadata, const leat_value *value,
                      const char *expected)
{
    char *text = names_of(metadata, value);

    ck_assert_str_eq(text, expected);
    free(text);
}

static void name_is(leat_estreamer_metadata *metadata, const leat_value *value, const char *field,
                    const char *expected)
{
    size_t length = 99;
    const char *name = leat_estreamer_metadata_name(metadata, value, field, &length);

    ck_assert_msg((name != NULL) == (expected != NULL), "%s: %s", field,
                  name == NULL ? "no name" : "a name");
    ck_assert_uint_eq(length, expected == NULL ? 0 : strlen(expected));
    ck_assert_int_eq(length == 0 ? 0 : memcmp(name, expected, length), 0);
}

/* What the vendor's client made of the same octets: tests/vectors/estreamer/09_*.txt, @computed. */
START_TEST(vendor_session)
{
    static const char *const expected[] = {
        "{\"device_id\":\"sensor-a\",\"rule_id\":\"TEST rule message\","
        "\"classification_id\":\"trojan-activity\",\"priority_id\":\"high\","
        "\"policy_uuid\":\"Balanced IPS\",\"user_id\":\"jdoe\","
        "\"access_control_rule_id\":\"Allow web\",\"ingress_interface_uuid\":\"eth1\","
        "\"egress_interface_uuid\":\"eth1\",\"ingress_zone_uuid\":\"inside\","
        "\"egress_zone_uuid\":\"outside\",\"destination_country\":\"united states\"}",
        "{\"device_id\":\"sensor-a\"}", "{\"device_id\":\"sensor-a\",\"type\":\"HTTP URI\"}",
        "{\"device_id\":\"sensor-a\",\"ingress_zone_uuid\":\"inside\","
        "\"egress_zone_uuid\":\"outside\",\"ingress_interface_uuid\":\"eth1\","
        "\"egress_interface_uuid\":\"eth1\",\"rule_id\":\"Allow web\",\"rule_action\":\"Allow\","
        "\"user_id\":\"jdoe\"}"};
    leat_estreamer_metadata *metadata = new_store(0);
    struct t_bytes names = t_hex_file("estreamer/07_server_bundle_1_metadata.hex");
    struct t_bytes events = t_hex_file("estreamer/09_server_bundle_2_events.hex");
    const leat_event *event;
    leat_session *session;
    size_t i = 0;

    ck_assert_int_eq(leat_estreamer_codec_new(NULL, LEAT_FROM_SERVER, &session), LEAT_OK);
    ck_assert_int_eq(leat_feed(session, names.data, names.length), LEAT_OK);
    while (leat_next(session, &event) == LEAT_OK) {
        ck_assert_int_eq(leat_estreamer_metadata_learn(metadata, event), LEAT_OK);
        names_are(metadata, leat_event_value(event), "{}");
    }
    ck_assert_uint_eq(leat_estreamer_metadata_count(metadata), 13);
    ck_assert_int_eq(leat_feed(session, events.data, events.length), LEAT_OK);
    while (leat_next(session, &event) == LEAT_OK) {
        ck_assert_int_eq(leat_estreamer_metadata_learn(metadata, event), LEAT_OK);
        if (leat_event_kind(event) == LEAT_ESTREAMER_EVENT_DATA)
            names_are(metadata, leat_event_value(event), expected[i++]);
    }
    ck_assert_uint_eq(i, sizeof expected / sizeof *expected);
    ck_assert_uint_eq(leat_estreamer_metadata_count(metadata), 13);
    leat_session_free(session);
    leat_estreamer_metadata_free(metadata);
    t_free(names);
    t_free(events);
}
END_TEST

#define U1 "'11111111-1111-1111-1111-111111111101'"
#define U2 "'11111111-1111-1111-1111-111111111102'"
#define F1 "'0102030405060708090a0b0c0d0e0f1011121314'"
#define S1 "'0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20'"

/* Each kind of metadata by each field that it names. */
static const struct {
    unsigned metadata;
    const char *record; /* which says that something is called N */
    unsigned event;
    const char *ids; /* the event's record */
    const char *field;
} cases[] = {
    {3, "{'classification_id':7,'name':'N'}", 104, "{'classification_id':7}", "classification_id"},
    {4, "{'priority_id':1,'name':'N'}", 400, "{'priority_id':1}", "priority_id"},
    {4, "{'priority_id':1,'name':'N'}", 112, "{'priority':1}", "priority"},
    {5, "{'generator_id':1,'rule_id':7,'message':'N'}", 104, "{'generator_id':1,'rule_id':7}",
     "rule_id"},
    {5, "{'generator_id':1,'rule_id':7,'message':'N'}", 36,
     "{'block_type':33,'generator_id':1,'signature_id':7}", "signature_id"},
    {5, "{'generator_id':1,'rule_id':7,'message':'N'}", 112,
     "{'signature_generator_id':1,'signature_id':7}", "signature_id"},
    {54, "{'fingerprint_uuid':" U1 ",'os_name':'N'}", 101, "{'fingerprint_uuid':" U1 "}",
     "fingerprint_uuid"},
    {54, "{'fingerprint_uuid':" U1 ",'os_vendor':'N'}", 102, "{'identity_uuid':" U1 "}",
     "identity_uuid"},
    {54, "{'fingerprint_uuid':" U1 ",'os_version':'N'}", 74, "{'os_uuid':" U1 "}", "os_uuid"},
    {54, "{'fingerprint_uuid':" U1 ",'os_name':'N'}", 112,
     "{'block_type':128,'source_os_fingerprint_uuid':" U1 "}", "source_os_fingerprint_uuid"},
    {54, "{'fingerprint_uuid':" U1 ",'os_name':'N'}", 112,
     "{'block_type':128,'destination_os_fingerprint_uuid':" U1 "}",
     "destination_os_fingerprint_uuid"},
    {54, "{'fingerprint_uuid':" U1 ",'os_name':'N'}", 112,
     "{'source_operating_system_fingerprint_uuid':" U1 "}",
     "source_operating_system_fingerprint_uuid"},
    {54, "{'fingerprint_uuid':" U1 ",'os_name':'N'}", 112,
     "{'destination_operating_system_fingerprint_uuid':" U1 "}",
     "destination_operating_system_fingerprint_uuid"},
    {55, "{'id':7,'name':'N'}", 400, "{'client_application_id':7}", "client_application_id"},
    {55, "{'id':7,'name':'N'}", 112, "{'client_id':7}", "client_id"},
    {56, "{'id':7,'name':'N'}", 33, "{'block_type':43,'client_application_type_id':7}",
     "client_application_type_id"},
    {58, "{'id':7,'name':'N'}", 82, "{'criticality':7}", "criticality"},
    {58, "{'id':7,'name':'N'}", 112, "{'source_criticality':7}", "source_criticality"},
    {58, "{'id':7,'name':'N'}", 112, "{'destination_criticality':7}", "destination_criticality"},
    {59, "{'id':7,'name':'N'}", 13, "{'network_protocol':7}", "network_protocol"},
    {60, "{'id':7,'name':'N'}", 83, "{'attribute_id':7}", "attribute_id"},
    {61, "{'id':7,'name':'N'}", 89, "{'scan_type':7}", "scan_type"},
    {62, "{'id':7,'username':'N'}", 89, "{'user_id':7}", "user_id"},
    {62, "{'legacy':true,'user_id':7,'name':'N'}", 89, "{'user_id':7}", "user_id"},
    {62, "{'id':7,'username':'N'}", 82, "{'source_type':1,'source_id':7}", "source_id"},
    {63, "{'id':7,'name':'N'}", 71, "{'application_protocol_id':7}", "application_protocol_id"},
    {63, "{'id':7,'name':'N'}", 74, "{'server_id':7}", "server_id"},
    {63, "{'id':7,'name':'N'}", 33, "{'block_type':43,'service_id':7}", "service_id"},
    {63, "{'id':7,'name':'N'}", 112, "{'source_server_id':7}", "source_server_id"},
    {63, "{'id':7,'name':'N'}", 112, "{'destination_server_id':7}", "destination_server_id"},
    {63, "{'id':7,'name':'N'}", 95, "{'protocol':7}", "protocol"},
    {64, "{'id':7,'name':'N'}", 1, "{'device_id':7}", "device_id"},
    {66, "{'generator_id':1,'rule_id':7,'message':'N'}", 400, "{'generator_id':1,'rule_id':7}",
     "rule_id"},
    {66, "{'generator_id':1,'rule_id':7,'message':'N'}", 112,
     "{'signature_generator_id':1,'signature_id':7}", "signature_id"},
    {66, "{'generator_id':1,'rule_id':7,'message':'N'}", 36,
     "{'block_type':33,'generator_id':1,'signature_id':7}", "signature_id"},
    {67, "{'classification_id':7,'name':'N'}", 400, "{'classification_id':7}", "classification_id"},
    {68, "{'detection_engine_id':7,'name':'N'}", 104, "{'device_id':7}", "device_id"},
    {69, "{'policy_id':7,'name':'N'}", 112, "{'policy_id':7}", "policy_id"},
    {70, "{'rule_id':7,'name':'N'}", 112, "{'rule_id':7}", "rule_id"},
    {70, "{'legacy':true,'rule_id':7,'name':'N'}", 112, "{'rule_id':7}", "rule_id"},
    {90, "{'id':7,'name':'N'}", 82, "{'source_type':7}", "source_type"},
    {91, "{'id':7,'name':'N'}", 82, "{'source_type':3,'source_id':7}", "source_id"},
    {98, "{'id':7,'username':'N'}", 400, "{'user_id':7}", "user_id"},
    {98, "{'legacy':true,'user_id':7,'name':'N'}", 95, "{'user_id':7}", "user_id"},
    {98, "{'id':7,'username':'N'}", 112, "{'source_user_id':7}", "source_user_id"},
    {98, "{'id':7,'username':'N'}", 112, "{'destination_user_id':7}", "destination_user_id"},
    {108, "{'id':7,'name':'N'}", 71, "{'block_type':101,'payload_type':7}", "payload_type"},
    {109, "{'id':7,'name':'N'}", 500, "{'web_application_id':7}", "web_application_id"},
    {111, "{'type':7,'name':'N'}", 110, "{'type':7}", "type"},
    {115, "{'uuid':" U1 ",'name':'N'}", 400, "{'ingress_zone_uuid':" U1 "}", "ingress_zone_uuid"},
    {115, "{'uuid':" U1 ",'name':'N'}", 71, "{'egress_zone_uuid':" U1 "}", "egress_zone_uuid"},
    {116, "{'uuid':" U1 ",'name':'N'}", 400, "{'ingress_interface_uuid':" U1 "}",
     "ingress_interface_uuid"},
    {116, "{'uuid':" U1 ",'name':'N'}", 112, "{'egress_interface_uuid':" U1 "}",
     "egress_interface_uuid"},
    {116, "{'uuid':" U1 ",'name':'N'}", 71, "{'qos_applied_interface':" U1 "}",
     "qos_applied_interface"},
    {117, "{'uuid':" U1 ",'name':'N'}", 400, "{'access_control_policy_uuid':" U1 "}",
     "access_control_policy_uuid"},
    {117, "{'uuid':" U1 ",'name':'N'}", 112, "{'access_control_policy_revision':" U1 "}",
     "access_control_policy_revision"},
    {117, "{'uuid':" U1 ",'name':'N'}", 71, "{'policy_revision_uuid':" U1 "}",
     "policy_revision_uuid"},
    {118, "{'uuid':" U1 ",'name':'N'}", 400, "{'policy_uuid':" U1 "}", "policy_uuid"},
    {118, "{'uuid':" U1 ",'name':'N'}", 112, "{'intrusion_policy_uuid':" U1 "}",
     "intrusion_policy_uuid"},
    {119, "{'revision_uuid':" U1 ",'rule_id':7,'rule_name':'N'}", 400,
     "{'access_control_policy_uuid':" U1 ",'access_control_rule_id':7}", "access_control_rule_id"},
    {119, "{'revision_uuid':" U1 ",'rule_id':7,'rule_name':'N'}", 112,
     "{'access_control_policy_revision':" U1 ",'access_control_rule_id':7}",
     "access_control_rule_id"},
    {119, "{'revision_uuid':" U1 ",'rule_id':7,'rule_name':'N'}", 71,
     "{'policy_revision_uuid':" U1 ",'rule_id':7}", "rule_id"},
    {119, "{'revision_uuid':" U1 ",'rule_id':7,'rule_name':'N'}", 71,
     "{'policy_revision_uuid':" U1 ",'monitor_rule_1':7}", "monitor_rule_1"},
    {119, "{'revision_uuid':" U1 ",'rule_id':7,'rule_name':'N'}", 71,
     "{'policy_revision_uuid':" U1 ",'monitor_rule_2':7}", "monitor_rule_2"},
    {119, "{'revision_uuid':" U1 ",'rule_id':7,'rule_name':'N'}", 71,
     "{'policy_revision_uuid':" U1 ",'monitor_rule_3':7}", "monitor_rule_3"},
    {119, "{'revision_uuid':" U1 ",'rule_id':7,'rule_name':'N'}", 71,
     "{'policy_revision_uuid':" U1 ",'monitor_rule_4':7}", "monitor_rule_4"},
    {119, "{'revision_uuid':" U1 ",'rule_id':7,'rule_name':'N'}", 71,
     "{'policy_revision_uuid':" U1 ",'monitor_rule_5':7}", "monitor_rule_5"},
    {119, "{'revision_uuid':" U1 ",'rule_id':7,'rule_name':'N'}", 71,
     "{'policy_revision_uuid':" U1 ",'monitor_rule_6':7}", "monitor_rule_6"},
    {119, "{'revision_uuid':" U1 ",'rule_id':7,'rule_name':'N'}", 71,
     "{'policy_revision_uuid':" U1 ",'monitor_rule_7':7}", "monitor_rule_7"},
    {119, "{'revision_uuid':" U1 ",'rule_id':7,'rule_name':'N'}", 71,
     "{'policy_revision_uuid':" U1 ",'monitor_rule_8':7}", "monitor_rule_8"},
    {120, "{'id':7,'name':'N'}", 71, "{'rule_action':7}", "rule_action"},
    {121, "{'id':7,'name':'N'}", 71, "{'url_category':7}", "url_category"},
    {122, "{'id':7,'name':'N'}", 112, "{'url_reputation':7}", "url_reputation"},
    {123, "{'id':7,'name':'N'}", 2, "{'device_id':7}", "device_id"},
    {123, "{'id':7,'name':'N'}", 19, "{'discovery_header':{'device_id':7}}", "device_id"},
    {123, "{'id':7,'name':'N'}", 112, "{'event_device_id':7}", "event_device_id"},
    {123, "{'id':7,'name':'N'}", 8, "{'policy_sensor_id':7}", "policy_sensor_id"},
    {124, "{'id':64,'description':'N'}", 71, "{'rule_reason':64}", "rule_reason"},
    {124, "{'block_type':21,'reason':64,'description':'N'}", 71, "{'rule_reason':64}",
     "rule_reason"},
    {127, "{'uuid':" U1 ",'name':'N'}", 125, "{'cloud_uuid':" U1 "}", "cloud_uuid"},
    {128, "{'id':7,'name':'N'}", 125, "{'event_type_id':7}", "event_type_id"},
    {129, "{'id':7,'name':'N'}", 125, "{'event_subtype_id':7}", "event_subtype_id"},
    {130, "{'id':7,'name':'N'}", 125, "{'detector_id':7}", "detector_id"},
    {131, "{'id':7,'name':'N'}", 125, "{'file_type':7}", "file_type"},
    {132, "{'uuid':" U1 ",'name':'N'}", 400,
     "{'security_context':'11111111111111111111111111111101'}", "security_context"},
    {145, "{'uuid':" U1 ",'sensor_id':3,'name':'N'}", 500,
     "{'device_id':3,'access_control_policy_uuid':" U1 "}", "access_control_policy_uuid"},
    {145, "{'uuid':" U1 ",'sensor_id':3,'name':'N'}", 112,
     "{'device_id':3,'access_control_policy_revision':" U1 "}", "access_control_policy_revision"},
    {145, "{'uuid':" U1 ",'sensor_id':3,'name':'N'}", 71,
     "{'device_id':3,'discovery_header':{'device_id':3},'policy_revision_uuid':" U1 "}",
     "policy_revision_uuid"},
    {146, "{'uuid':" U1 ",'sensor_id':3,'name':'N'}", 71,
     "{'device_id':3,'discovery_header':{'device_id':3},'policy_revision_uuid':" U1 "}",
     "policy_revision_uuid"},
    {147, "{'uuid':" U1 ",'sensor_id':7,'name':'N'}", 71,
     "{'policy_revision_uuid':" U1 ",'tunnel_rule_id':7}", "tunnel_rule_id"},
    {147, "{'block_type':15,'revision_uuid':" U1 ",'rule_id':7,'rule_name':'N'}", 71,
     "{'policy_revision_uuid':" U1 ",'tunnel_rule_id':7}", "tunnel_rule_id"},
    {161, "{'ioc_id':7,'category':'C','event_type':'N'}", 400, "{'ioc_number':7}", "ioc_number"},
    {161, "{'ioc_id':7,'category':'C','event_type':'N'}", 162, "{'ioc_id':7}", "ioc_id"},
    {161, "{'ioc_id':7,'category':'C','event_type':'N'}", 160, "{'value':7}", "value"},
    {260, "{'protocol':1,'icmp_type':8,'description':'N'}", 400,
     "{'ip_protocol':1,'source_port_or_icmp_type':8}", "source_port_or_icmp_type"},
    {260, "{'protocol':1,'icmp_type':8,'description':'N'}", 112,
     "{'ip_protocol':1,'source_port':8}", "source_port"},
    {260, "{'protocol':1,'icmp_type':8,'description':'N'}", 71, "{'protocol':1,'initiator_port':8}",
     "initiator_port"},
    {270, "{'protocol':1,'icmp_type':3,'icmp_code':4,'description':'N'}", 400,
     "{'ip_protocol':1,'source_port_or_icmp_type':3,'destination_port_or_icmp_code':4}",
     "destination_port_or_icmp_code"},
    {270, "{'protocol':1,'icmp_type':3,'icmp_code':4,'description':'N'}", 112,
     "{'ip_protocol':1,'source_port':3,'destination_port':4}", "destination_port"},
    {270, "{'protocol':1,'icmp_type':3,'icmp_code':4,'description':'N'}", 71,
     "{'protocol':1,'initiator_port':3,'responder_port':4}", "responder_port"},
    {280, "{'category_id':7,'access_control_policy_uuid':" U1 ",'name':'N'}", 71,
     "{'policy_revision_uuid':" U1 ",'security_intelligence_list_1':7}",
     "security_intelligence_list_1"},
    {280, "{'category_id':7,'access_control_policy_uuid':" U1 ",'name':'N'}", 71,
     "{'policy_revision_uuid':" U1 ",'security_intelligence_list_2':7}",
     "security_intelligence_list_2"},
    {280, "{'category_id':7,'access_control_policy_uuid':" U1 ",'name':'N'}", 71,
     "{'block_type':168,'policy_revision_uuid':" U1 ",'security_intelligence_list_3':7}",
     "security_intelligence_list_3"},
    {281, "{'id':7,'name':'N'}", 71, "{'security_intelligence_source_destination':7}",
     "security_intelligence_source_destination"},
    {282, "{'uuid':" U1 ",'name':'N'}", 112, "{'security_intelligence_uuid':" U1 "}",
     "security_intelligence_uuid"},
    {300, "{'id':7,'name':'N'}", 95, "{'realm_id':7}", "realm_id"},
    {301, "{'id':7,'profile_name':'N'}", 71, "{'endpoint_profile_id':7}", "endpoint_profile_id"},
    {302, "{'id':7,'name':'N'}", 94, "{'security_group_id':7}", "security_group_id"},
    {302, "{'id':7,'name':'N'}", 71, "{'source_security_group_tag':7}",
     "source_security_group_tag"},
    {302, "{'id':7,'name':'N'}", 71, "{'destination_security_group_tag':7}",
     "destination_security_group_tag"},
    {320, "{'id':7,'name':'N'}", 71, "{'dns_record_type':7}", "dns_record_type"},
    {321, "{'id':7,'name':'N'}", 71, "{'dns_response_type':7}", "dns_response_type"},
    {322, "{'uuid':" U1 ",'name':'N'}", 71, "{'sinkhole_uuid':" U1 "}", "sinkhole_uuid"},
    {350, "{'id':7,'name':'N'}", 2, "{},'netmap_id':7", "netmap_id"},
    {510, "{'id':7,'name':'N'}", 500, "{'file_type_id':7}", "file_type_id"},
    {511, "{'sha256':" S1 ",'file_name':'N'}", 500, "{'sha256':" S1 "}", "sha256"},
    {511, "{'block_type':26,'sha256':" S1 ",'name':'N'}", 500, "{'archive_sha256':" S1 "}",
     "archive_sha256"},
    {511, "{'sha256':" S1 ",'file_name':'N'}", 125, "{'file_sha256':" S1 "}", "file_sha256"},
    {511, "{'sha256':" S1 ",'file_name':'N'}", 125, "{'parent_sha256':" S1 "}", "parent_sha256"},
    {515, "{'id':7,'name':'N'}", 500, "{'file_storage_status':7}", "file_storage_status"},
    {516, "{'id':7,'name':'N'}", 500, "{'file_analysis_status':7}", "file_analysis_status"},
    {517, "{'id':7,'name':'N'}", 502, "{'spero_disposition':7}", "spero_disposition"},
    {518, "{'id':7,'name':'N'}", 502, "{'archive_file_status':7}", "archive_file_status"},
    {519, "{'id':7,'name':'N'}", 500, "{'local_malware_analysis_status':7}",
     "local_malware_analysis_status"},
    {520, "{'country_code':7,'country':'N'}", 400, "{'source_country':7}", "source_country"},
    {520, "{'country_code':7,'country':'N'}", 125, "{'destination_country':7}",
     "destination_country"},
    {520, "{'country_code':7,'country':'N'}", 71, "{'initiator_country':7}", "initiator_country"},
    {520, "{'country_code':7,'country':'N'}", 71, "{'responder_country':7}", "responder_country"},
    {520, "{'country_code':7,'country':'N'}", 71, "{'original_client_country':7}",
     "original_client_country"},
    {520, "{'country_code':7,'country':'N'}", 170, "{'vpn_session':{'country_code':7}}",
     "country_code"},
    {530, "{'uuid':" U1 ",'name':'N'}", 500, "{'access_control_policy_uuid':" U1 "}",
     "access_control_policy_uuid"},
    {600, "{'uuid':" U1 ",'name':'N'}", 71, "{'ssl_policy_id':'11111111111111111111111111111101'}",
     "ssl_policy_id"},
    {601, "{'revision_uuid':" U1 ",'rule_id':7,'name':'N'}", 112,
     "{'ssl_policy_id':'11111111111111111111111111111101','ssl_rule_id':7}", "ssl_rule_id"},
    {602, "{'id':7,'name':'N'}", 71, "{'ssl_cipher_suite':7}", "ssl_cipher_suite"},
    {604, "{'id':7,'name':'N'}", 71, "{'ssl_version':7}", "ssl_version"},
    {605, "{'id':7,'name':'N'}", 71, "{'ssl_server_certificate_status':7}",
     "ssl_server_certificate_status"},
    {606, "{'id':7,'name':'N'}", 400, "{'ssl_actual_action':7}", "ssl_actual_action"},
    {607, "{'id':7,'name':'N'}", 71, "{'ssl_expected_action':7}", "ssl_expected_action"},
    {608, "{'id':7,'name':'N'}", 125, "{'ssl_flow_status':7}", "ssl_flow_status"},
    {613, "{'id':7,'name':'N'}", 71, "{'ssl_url_category':7}", "ssl_url_category"},
    {614, "{'fingerprint_sha1':" F1 ",'subject_cn':'N'}", 400,
     "{'ssl_certificate_fingerprint':" F1 "}", "ssl_certificate_fingerprint"},
    {700, "{'uuid':" U1 ",'name':'N'}", 400, "{'network_analysis_policy_uuid':" U1 "}",
     "network_analysis_policy_uuid"},
    {700, "{'uuid':" U1 ",'name':'N'}", 71, "{'network_analysis_policy_revision_uuid':" U1 "}",
     "network_analysis_policy_revision_uuid"},
};

#define CASES (sizeof cases / sizeof *cases)

START_TEST(each_kind)
{
    leat_estreamer_metadata *metadata = new_store(0);
    struct line line = open_line();
    char expected[100];
    const leat_event *event;

    learn(metadata, line, cases[_i].metadata, cases[_i].record);
    ck_assert_uint_eq(leat_estreamer_metadata_count(metadata), 1);
    event = hear(line, cases[_i].event, cases[_i].ids);
    (void)snprintf(expected, sizeof expected, "{\"%s\":\"N\"}", cases[_i].field);
    names_are(metadata, leat_event_value(event), expected);
    name_is(metadata, leat_event_value(event), cases[_i].field, "N");
    ck_assert_ptr_nonnull(
        leat_estreamer_metadata_name(metadata, leat_event_value(event), cases[_i].field, NULL));
    /* Another id than that. */
    event = hear(line, cases[_i].event, "{}");
    names_are(metadata, leat_event_value(event), "{}");
    name_is(metadata, leat_event_value(event), cases[_i].field, NULL);
    close_line(line);
    leat_estreamer_metadata_free(metadata);
}
END_TEST

/* The cases above have all metadata but this: ids that occur in lists only, and documentation. */
START_TEST(no_kind_is_missing)
{
    static const unsigned none[] = {57, 96, 106, 140};
    leat_estreamer_metadata *metadata = new_store(0);
    struct line line = open_line();
    size_t i, j, left_out = 0;

    for (i = 0; i < leat_estreamer_record_count(); i++) {
        unsigned type = leat_estreamer_record_type(i);

        if (strcmp(leat_estreamer_record_category(type), "metadata") != 0)
            continue;
        for (j = 0; j < CASES && cases[j].metadata != type; j++)
            continue;
        if (j < CASES)
            continue;
        ck_assert_msg(left_out < 4 && none[left_out] == type, "%u has no case", type);
        left_out++;
        learn(metadata, line, type, "{}");
    }
    ck_assert_uint_eq(left_out, 4);
    ck_assert_uint_eq(leat_estreamer_metadata_count(metadata), 0);
    close_line(line);
    leat_estreamer_metadata_free(metadata);
}
END_TEST

/* Where one number means several things. */
START_TEST(kinds_of_ids)
{
    leat_estreamer_metadata *metadata = new_store(0);
    struct line line = open_line();

    learn(metadata, line, 62, "{'id':7,'username':'admin'}");
    learn(metadata, line, 98, "{'id':7,'username':'jdoe'}");
    learn(metadata, line, 91, "{'id':7,'name':'program'}");
    learn(metadata, line, 66, "{'generator_id':1,'rule_id':7,'message':'of generator 1'}");
    learn(metadata, line, 66, "{'generator_id':3,'rule_id':7,'message':'of generator 3'}");
    learn(metadata, line, 70, "{'rule_id':7,'name':'of correlation'}");
    learn(metadata, line, 64, "{'id':7,'name':'engine'}");
    names_are(metadata, leat_event_value(hear(line, 400, "{'user_id':7,'rule_id':7}")),
              "{\"user_id\":\"jdoe\"}");
    names_are(metadata, leat_event_value(hear(line, 89, "{'user_id':7}")),
              "{\"user_id\":\"admin\"}");
    names_are(metadata, leat_event_value(hear(line, 82, "{'source_type':1,'source_id':7}")),
              "{\"source_id\":\"admin\"}");
    names_are(metadata, leat_event_value(hear(line, 82, "{'source_type':3,'source_id':7}")),
              "{\"source_id\":\"program\"}");
    names_are(metadata, leat_event_value(hear(line, 82, "{'source_type':2,'source_id':7}")), "{}");
    names_are(metadata, leat_event_value(hear(line, 400, "{'generator_id':3,'rule_id':7}")),
              "{\"rule_id\":\"of generator 3\"}");
    names_are(metadata, leat_event_value(hear(line, 112, "{'rule_id':7,'policy_id':7}")),
              "{\"rule_id\":\"of correlation\"}");
    names_are(metadata, leat_event_value(hear(line, 71, "{'rule_id':7}")), "{}");
    /* The likeliest one is not known, then it is; a value of 4 octets is no number. */
    names_are(metadata, leat_event_value(hear(line, 2, "{'device_id':7}")),
              "{\"device_id\":\"engine\"}");
    learn(metadata, line, 123, "{'id':7,'name':'sensor'}");
    learn(metadata, line, 161, "{'ioc_id':7,'event_type':'ioc'}");
    names_are(metadata, leat_event_value(hear(line, 2, "{'device_id':7}")),
              "{\"device_id\":\"sensor\"}");
    names_are(metadata, leat_event_value(hear(line, 83, "{'value':'00000007'}")), "{}");
    /* The discovery header comes first, so its device does. */
    names_are(
        metadata,
        leat_event_value(hear(line, 71, "{'discovery_header':{'device_id':7},'device_id':8}")),
        "{\"device_id\":\"sensor\"}");
    names_are(
        metadata,
        leat_event_value(hear(line, 71, "{'discovery_header':{'device_id':8},'device_id':7}")),
        "{}");
    /* What is in lists is left out. */
    learn(metadata, line, 60, "{'id':7,'name':'attribute'}");
    names_are(metadata,
              leat_event_value(hear(line, 46,
                                    "{'attribute_id':1,'list_items':[{'block_type':39,"
                                    "'attribute_id':7}]}")),
              "{}");
    close_line(line);
    leat_estreamer_metadata_free(metadata);
}
END_TEST

START_TEST(names_of_several_parts)
{
    leat_estreamer_metadata *metadata = new_store(0);
    struct line line = open_line();
    const char *event = "{'fingerprint_uuid':" U1 "}";

    learn(metadata, line, 54,
          "{'fingerprint_uuid':" U1 ",'os_name':'Linux','os_vendor':'Debian','os_version':'12'}");
    name_is(metadata, leat_event_value(hear(line, 101, event)), "fingerprint_uuid",
            "Debian Linux 12");
    learn(metadata, line, 54, "{'fingerprint_uuid':" U1 ",'os_name':'Linux','os_version':'12'}");
    name_is(metadata, leat_event_value(hear(line, 101, event)), "fingerprint_uuid", "Linux 12");
    learn(metadata, line, 54, "{'fingerprint_uuid':" U1 "}");
    name_is(metadata, leat_event_value(hear(line, 101, event)), "fingerprint_uuid", "Linux 12");
    ck_assert_uint_eq(leat_estreamer_metadata_count(metadata), 1);
    close_line(line);
    leat_estreamer_metadata_free(metadata);
}
END_TEST

START_TEST(changes)
{
    leat_estreamer_metadata *metadata = new_store(0);
    struct line line = open_line();
    size_t memory;

    learn(metadata, line, 123, "{'id':3,'name':'sensor-a'}");
    learn(metadata, line, 123, "{'id':4,'name':'sensor-b'}");
    memory = leat_estreamer_metadata_memory(metadata);
    learn(metadata, line, 123, "{'id':3,'name':'sensor-a'}");
    learn(metadata, line, 123, "{'id':3,'name':''}");
    ck_assert_uint_eq(leat_estreamer_metadata_memory(metadata), memory);
    name_is(metadata, leat_event_value(hear(line, 2, "{'device_id':3}")), "device_id", "sensor-a");
    learn(metadata, line, 123, "{'id':3,'name':'sensor-c'}");
    ck_assert_uint_eq(leat_estreamer_metadata_memory(metadata), memory);
    name_is(metadata, leat_event_value(hear(line, 2, "{'device_id':3}")), "device_id", "sensor-c");
    learn(metadata, line, 123, "{'id':3,'name':'a longer name'}");
    ck_assert_uint_eq(leat_estreamer_metadata_memory(metadata), memory + 5);
    name_is(metadata, leat_event_value(hear(line, 2, "{'device_id':3}")), "device_id",
            "a longer name");
    learn(metadata, line, 123, "{'id':3,'name':'x'}");
    ck_assert_uint_eq(leat_estreamer_metadata_memory(metadata), memory - 7);
    name_is(metadata, leat_event_value(hear(line, 2, "{'device_id':3}")), "device_id", "x");
    name_is(metadata, leat_event_value(hear(line, 2, "{'device_id':4}")), "device_id", "sensor-b");
    ck_assert_uint_eq(leat_estreamer_metadata_count(metadata), 2);
    close_line(line);
    leat_estreamer_metadata_free(metadata);
}
END_TEST

/* A name of so many octets: fill, then tail, as {"hex":...}. */
static void learn_long(leat_estreamer_metadata *metadata, struct line line, size_t fill,
                       const char *tail)
{
    char record[2500];
    int at = snprintf(record, sizeof record, "{'id':3,'name':{'hex':'");

    while (fill-- > 0)
        at += snprintf(record + at, sizeof record - (size_t)at, "78");
    (void)snprintf(record + at, sizeof record - (size_t)at, "%s'}}", tail);
    learn(metadata, line, 123, record);
}

static size_t length_of(leat_estreamer_metadata *metadata, struct line line)
{
    size_t length;

    ck_assert_ptr_nonnull(leat_estreamer_metadata_name(
        metadata, leat_event_value(hear(line, 2, "{'device_id':3}")), "device_id", &length));
    return length;
}

START_TEST(long_names)
{
    static const struct {
        size_t fill;
        const char *tail;
        size_t kept;
    } lengths[] = {
        {NAME_BYTES_LIMIT - 1, "", NAME_BYTES_LIMIT - 1},
        {NAME_BYTES_LIMIT, "", NAME_BYTES_LIMIT},
        {NAME_BYTES_LIMIT + 1, "", NAME_BYTES_LIMIT},
        {NAME_BYTES_LIMIT - 2, "c3a4", NAME_BYTES_LIMIT},
        {NAME_BYTES_LIMIT - 1, "c3a4", NAME_BYTES_LIMIT - 1},
        {NAME_BYTES_LIMIT - 4, "f09f9880", NAME_BYTES_LIMIT},
        {NAME_BYTES_LIMIT - 3, "f09f9880", NAME_BYTES_LIMIT - 3},
        {NAME_BYTES_LIMIT - 1, "f09f9880", NAME_BYTES_LIMIT - 1},
        {NAME_BYTES_LIMIT - 6, "808080808080808080", NAME_BYTES_LIMIT},
    };
    leat_estreamer_metadata *metadata = new_store(0);
    struct line line = open_line();

    learn_long(metadata, line, lengths[_i].fill, lengths[_i].tail);
    ck_assert_uint_eq(length_of(metadata, line), lengths[_i].kept);
    /* Known, so it is not learnt again. */
    learn_long(metadata, line, lengths[_i].fill, lengths[_i].tail);
    ck_assert_uint_eq(length_of(metadata, line), lengths[_i].kept);
    close_line(line);
    leat_estreamer_metadata_free(metadata);
}
END_TEST

START_TEST(odd_octets)
{
    leat_estreamer_metadata *metadata = new_store(0);
    struct line line = open_line();

    learn(metadata, line, 123, "{'id':3,'name':{'hex':'73ff00'}}");
    names_are(metadata, leat_event_value(hear(line, 2, "{'device_id':3}")),
              "{\"device_id\":{\"hex\":\"73ff00\"}}");
    close_line(line);
    leat_estreamer_metadata_free(metadata);
}
END_TEST

/* An event_data that no server sends: {"record_type":type, "record":{field: value}}. */
static leat_builder *made_up(unsigned type, const char *record)
{
    char text[500];
    size_t i;
    int length = snprintf(text, sizeof text, "{\"record_type\":%u,\"record\":%s}", type, record);

    for (i = 0; text[i] != '\0'; i++) {
        if (text[i] == '\'')
            text[i] = '"';
    }
    return t_json(text, (size_t)length);
}

START_TEST(wrong_kinds)
{
    static const struct {
        unsigned type;
        const char *record;
        const char *names;
    } values[] = {
        {2, "{'device_id':3}", "{\"device_id\":\"sensor-a\"}"},
        {2, "{'device_id':'3'}", "{}"},
        {2, "{'device_id':-3}", "{}"},
        {2, "{'device_id':3.0}", "{}"},
        {2, "{'device_id':4294967299}", "{}"},
        {2, "{'device_id':null}", "{}"},
        {2, "{'device_id':[3]}", "{}"},
        {2, "{'device_id':{'id':3}}", "{}"},
        {2, "{'device_id':{'device_id':3}}", "{\"device_id\":\"sensor-a\"}"},
        {2, "{'devicexid':3}", "{}"},
        {2, "{'':3}", "{}"},
        {2, "'device_id'", "{}"},
        {2, "[{'device_id':3}]", "{}"},
        {123, "{'device_id':3}", "{}"},
        {999, "{'device_id':3}", "{\"device_id\":\"sensor-a\"}"},
        {500, "{'sha256':'0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2g'}",
         "{}"},
        {500, "{'sha256':'0102'}", "{}"},
        /* Parts that do not make an id of that kind. */
        {400, "{'generator_id':1,'rule_id':" S1 "}", "{}"},
        {400, "{'generator_id':" S1 ",'rule_id':" S1 "}", "{}"},
        {400, "{'generator_id':" S1 ",'rule_id':7}", "{}"},
        {2, "{'device_id':" S1 "}", "{}"},
        {400,
         "{'ip_protocol':" S1 ",'source_port_or_icmp_type':7,'destination_port_or_icmp_code':7}",
         "{}"},
    };
    leat_estreamer_metadata *metadata = new_store(0);
    struct line line = open_line();
    leat_builder *value = made_up(values[_i].type, values[_i].record);

    learn(metadata, line, 123, "{'id':3,'name':'sensor-a'}");
    names_are(metadata, leat_builder_value(value), values[_i].names);
    leat_builder_free(value);
    close_line(line);
    leat_estreamer_metadata_free(metadata);
}
END_TEST

/* Octets where ids are: one field of them, or two. */
static leat_builder *made_of_octets(const char *first, const char *second, size_t length)
{
    leat_builder *builder;
    uint8_t octets[70];
    size_t i;

    for (i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t)(i + 1);
    ck_assert_int_eq(leat_builder_new(NULL, &builder), LEAT_OK);
    (void)leat_builder_open(builder, NULL, LEAT_RECORD);
    (void)leat_builder_u64(builder, "record_type", 400);
    (void)leat_builder_bytes(builder, first, octets, length);
    if (second != NULL)
        (void)leat_builder_bytes(builder, second, octets, length);
    (void)leat_builder_close(builder);
    ck_assert_ptr_nonnull(leat_builder_value(builder));
    return builder;
}

START_TEST(octets_of_wrong_length)
{
    leat_estreamer_metadata *metadata = new_store(0);
    struct line line = open_line();
    size_t length;

    learn(metadata, line, 511, "{'sha256':" S1 ",'file_name':'N'}");
    for (length = 0; length < 70; length++) {
        leat_builder *one = made_of_octets("sha256", NULL, length);
        leat_builder *two = made_of_octets("generator_id", "rule_id", length);

        name_is(metadata, leat_builder_value(one), "sha256", length == 32 ? "N" : NULL);
        names_are(metadata, leat_builder_value(two), "{}");
        leat_builder_free(one);
        leat_builder_free(two);
    }
    close_line(line);
    leat_estreamer_metadata_free(metadata);
}
END_TEST

/* Only events are learnt from, but of another dialect they may hold anything. */
START_TEST(events_of_wrong_kinds)
{
    static const struct {
        unsigned type;
        const char *record;
        size_t count;
    } values[] = {
        {123, "{'id':3,'name':'sensor-a'}", 1},
        {123, "{'id':" S1 ",'name':'sensor-a'}", 0},
        {123, "{'id':'3','name':'sensor-a'}", 0},
        {123, "{'id':3,'name':4}", 0},
        {123, "{'id':3,'name':null}", 0},
        {123, "{'id':4294967296,'name':'sensor-a'}", 0},
        {66, "{'generator_id':1,'message':'message'}", 0},
        {66, "{'generator_id':" S1 ",'rule_id':" S1 ",'message':'message'}", 0},
        {511, "{'sha256':" S1 ",'file_name':'N'}", 1},
        {511, "{'sha256':7,'file_name':'N'}", 0},
        {123, "3", 0},
    };
    leat_estreamer_metadata *metadata = new_store(0);
    leat_builder *value = made_up(values[_i].type, values[_i].record);
    struct leat_event event;

    memset(&event, 0, sizeof event);
    event.kind = LEAT_ESTREAMER_UNKNOWN;
    event.value = leat_builder_value(value);
    ck_assert_int_eq(leat_estreamer_metadata_learn(metadata, &event), LEAT_OK);
    ck_assert_uint_eq(leat_estreamer_metadata_count(metadata), 0);
    event.kind = LEAT_ESTREAMER_EVENT_DATA;
    ck_assert_int_eq(leat_estreamer_metadata_learn(metadata, &event), LEAT_OK);
    ck_assert_uint_eq(leat_estreamer_metadata_count(metadata), values[_i].count);
    leat_builder_free(value);
    leat_estreamer_metadata_free(metadata);
}
END_TEST

START_TEST(nothing)
{
    leat_estreamer_metadata *metadata = new_store(0);
    struct line line = open_line();
    leat_builder *list = t_json("[1]", 3);
    size_t length = 99;
    const leat_event *event;

    learn(metadata, line, 123, "{'id':3,'name':'sensor-a'}");
    ck_assert_int_eq(leat_estreamer_metadata_learn(metadata, NULL), LEAT_OK);
    names_are(metadata, NULL, "{}");
    names_are(metadata, leat_builder_value(list), "{}");
    ck_assert_ptr_null(leat_estreamer_metadata_name(metadata, NULL, "device_id", &length));
    ck_assert_uint_eq(length, 0);
    event = hear(line, 2, "{'device_id':3}");
    name_is(metadata, leat_event_value(event), NULL, NULL);
    name_is(metadata, leat_event_value(event), "", NULL);
    name_is(metadata, leat_event_value(event), "event_id", NULL);
    name_is(metadata, leat_event_value(event), "device_id", "sensor-a");
    /* Not metadata, of an unknown type, cut, or malformed. */
    ck_assert_int_eq(leat_estreamer_metadata_learn(metadata, event), LEAT_OK);
    learn(metadata, line, 999, "'0102'");
    learn(metadata, line, 115, "'0102'");
    learn(metadata, line, 115, "{'truncated':true,'uuid':" U1 "}");
    ck_assert_uint_eq(leat_estreamer_metadata_count(metadata), 1);
    leat_builder_free(list);
    close_line(line);
    leat_estreamer_metadata_free(metadata);
    leat_estreamer_metadata_free(NULL);
}
END_TEST

START_TEST(refused_by_the_builder)
{
    leat_estreamer_metadata *metadata = new_store(0);
    struct line line = open_line();
    const leat_value *value;
    leat_builder *builder = t_limited(1, 3);

    learn(metadata, line, 123, "{'id':3,'name':'sensor-a'}");
    learn(metadata, line, 520, "{'country_code':7,'country':'N'}");
    value = leat_event_value(hear(line, 400, "{'device_id':3,'source_country':7}"));
    ck_assert_int_eq(leat_estreamer_metadata_names(metadata, builder, "names", value),
                     LEAT_E_STATE);
    ck_assert_int_eq(leat_estreamer_metadata_names(metadata, builder, NULL, value), LEAT_E_STATE);
    leat_builder_clear(builder);
    ck_assert_int_eq(leat_estreamer_metadata_names(metadata, builder, NULL, value), LEAT_OK);
    ck_assert_int_eq(leat_estreamer_metadata_names(metadata, builder, NULL, value), LEAT_E_STATE);
    leat_builder_clear(builder);
    (void)leat_builder_open(builder, NULL, LEAT_RECORD);
    ck_assert_int_eq(leat_estreamer_metadata_names(metadata, builder, "names", value),
                     LEAT_E_LIMIT);
    leat_builder_free(builder);
    builder = t_limited(2, 2);
    ck_assert_int_eq(leat_estreamer_metadata_names(metadata, builder, NULL, value), LEAT_E_LIMIT);
    ck_assert_ptr_null(leat_builder_value(builder));
    leat_builder_free(builder);
    close_line(line);
    leat_estreamer_metadata_free(metadata);
}
END_TEST

static leat_buffer *save(const leat_estreamer_metadata *metadata)
{
    leat_buffer *buffer;

    ck_assert_int_eq(leat_buffer_new(NULL, &buffer), LEAT_OK);
    ck_assert_int_eq(leat_estreamer_metadata_save(metadata, buffer), LEAT_OK);
    return buffer;
}

static struct t_bytes saved(const leat_estreamer_metadata *metadata)
{
    leat_buffer *buffer = save(metadata);
    size_t length;
    const void *data = leat_buffer_data(buffer, &length);
    struct t_bytes bytes = t_copy(data, length);

    leat_buffer_free(buffer);
    return bytes;
}

/* Bounds */

static void learn_device(leat_estreamer_metadata *metadata, struct line line, unsigned id)
{
    char record[100];

    (void)snprintf(record, sizeof record, "{'id':%u,'name':'sensor %u'}", id, id);
    learn(metadata, line, 123, record);
}

static bool is_known(leat_estreamer_metadata *metadata, struct line line, unsigned id)
{
    char record[100];
    char expected[100];
    size_t length;
    const char *name;

    (void)snprintf(record, sizeof record, "{'device_id':%u}", id);
    name = leat_estreamer_metadata_name(metadata, leat_event_value(hear(line, 2, record)),
                                        "device_id", &length);
    (void)snprintf(expected, sizeof expected, "sensor %u", id);
    ck_assert(name == NULL || (length == strlen(expected) && memcmp(name, expected, length) == 0));
    return name != NULL;
}

/* A name of so many octets for a SHA-256. */
static void learn_hash(leat_estreamer_metadata *metadata, struct line line, size_t name_length)
{
    char record[1500];
    int at = snprintf(record, sizeof record, "{'sha256':" S1 ",'file_name':'");
    size_t length;

    ck_assert_uint_lt((size_t)at + name_length + 3, sizeof record);
    memset(record + at, 'x', name_length);
    memcpy(record + at + name_length, "'}", 3);
    learn(metadata, line, 511, record);
    ck_assert_ptr_nonnull(leat_estreamer_metadata_name(
        metadata, leat_event_value(hear(line, 500, "{'sha256':" S1 "}")), "sha256", &length));
    ck_assert_uint_eq(length, name_length);
}

static size_t least_bytes(void)
{
    leat_estreamer_metadata *metadata;
    size_t bytes = 1;

    while (leat_estreamer_metadata_new(NULL, bytes, &metadata) == LEAT_E_VALUE)
        bytes++;
    leat_estreamer_metadata_free(metadata);
    return bytes;
}

/* The smallest store has room for any one name. */
START_TEST(smallest_store)
{
    size_t bytes = least_bytes();
    struct t_counter counter;
    leat_config config;
    leat_estreamer_metadata *metadata;
    struct line line = open_line();
    unsigned i;

    t_counter_init(&counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &counter.allocator;
    ck_assert_int_eq(leat_estreamer_metadata_new(&config, bytes - 1, &metadata), LEAT_E_VALUE);
    ck_assert_int_eq(leat_estreamer_metadata_new(&config, bytes, &metadata), LEAT_OK);
    for (i = 0; i < 200; i++)
        learn_device(metadata, line, i);
    ck_assert_uint_gt(leat_estreamer_metadata_count(metadata), 10);
    learn_long(metadata, line, NAME_BYTES_LIMIT, "");
    ck_assert_uint_eq(length_of(metadata, line), NAME_BYTES_LIMIT);
    for (i = 0; i < 200; i++)
        learn_device(metadata, line, i);
    /* The same for a name that changes. */
    learn(metadata, line, 123, "{'id':3,'name':'short'}");
    learn_long(metadata, line, NAME_BYTES_LIMIT, "");
    ck_assert_uint_eq(length_of(metadata, line), NAME_BYTES_LIMIT);
    /* The longest id and the longest name. */
    learn_hash(metadata, line, NAME_BYTES_LIMIT);
    ck_assert_uint_eq(counter.now, leat_estreamer_metadata_memory(metadata));
    ck_assert_uint_le(counter.most, bytes);
    leat_estreamer_metadata_free(metadata);
    ck_assert_uint_eq(counter.now, 0);
    close_line(line);
}
END_TEST

/* At sizes where the table is to grow when the store is almost full, too. */
START_TEST(always_within_its_bytes)
{
    struct t_counter counter;
    leat_config config;
    leat_estreamer_metadata *metadata;
    struct line line = open_line();
    size_t bytes = 3000 + 100 * (size_t)_i;
    unsigned i;

    t_counter_init(&counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &counter.allocator;
    ck_assert_int_eq(leat_estreamer_metadata_new(&config, bytes, &metadata), LEAT_OK);
    for (i = 0; i < 200; i++) {
        learn_device(metadata, line, i);
        ck_assert_uint_eq(counter.now, leat_estreamer_metadata_memory(metadata));
        ck_assert_uint_le(counter.now, bytes);
        ck_assert(is_known(metadata, line, i));
    }
    learn_hash(metadata, line, NAME_BYTES_LIMIT);
    ck_assert_uint_le(counter.most, bytes);
    leat_estreamer_metadata_free(metadata);
    close_line(line);
}
END_TEST

START_TEST(never_more_than_its_bytes)
{
    const size_t bytes = 100000;
    struct t_counter counter;
    leat_config config;
    leat_estreamer_metadata *metadata;
    struct line line = open_line();
    unsigned i, known = 0;

    t_counter_init(&counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &counter.allocator;
    ck_assert_int_eq(leat_estreamer_metadata_new(&config, bytes, &metadata), LEAT_OK);
    for (i = 0; i < 5000; i++) {
        learn_device(metadata, line, i);
        ck_assert_uint_eq(counter.now, leat_estreamer_metadata_memory(metadata));
    }
    ck_assert_uint_le(counter.most, bytes);
    ck_assert_uint_ge(counter.now, bytes - 100);
    /* The last ones are there, and none of those before them. */
    for (i = 0; i < 5000; i++) {
        bool is = is_known(metadata, line, i);

        ck_assert(is || known == 0);
        known += is;
    }
    ck_assert_uint_eq(known, leat_estreamer_metadata_count(metadata));
    ck_assert_uint_gt(known, 1000);
    leat_estreamer_metadata_free(metadata);
    close_line(line);
}
END_TEST

/* Of all ways to use a name each keeps it. */
START_TEST(least_recently_used_leave_first)
{
    leat_estreamer_metadata *metadata = new_store(least_bytes());
    struct line line = open_line();
    unsigned count = 0, i;

    for (; leat_estreamer_metadata_count(metadata) == count; count++)
        learn_device(metadata, line, 100 + count);
    count--;
    ck_assert(!is_known(metadata, line, 100));
    ck_assert(is_known(metadata, line, 101));
    learn_device(metadata, line, 102);
    names_are(metadata, leat_event_value(hear(line, 2, "{'device_id':103}")),
              "{\"device_id\":\"sensor 103\"}");
    for (i = 3; i < count; i++)
        learn_device(metadata, line, 500 + i);
    for (i = 1; i <= count; i++)
        ck_assert_int_eq(is_known(metadata, line, 100 + i), i <= 3);
    close_line(line);
    leat_estreamer_metadata_free(metadata);
}
END_TEST

START_TEST(many_names)
{
    leat_estreamer_metadata *metadata = new_store(0);
    struct line line = open_line();
    unsigned i;

    for (i = 0; i < 3000; i++)
        learn_device(metadata, line, i);
    ck_assert_uint_eq(leat_estreamer_metadata_count(metadata), 3000);
    for (i = 0; i < 3000; i++)
        ck_assert(is_known(metadata, line, i));
    ck_assert(!is_known(metadata, line, 3000));
    close_line(line);
    leat_estreamer_metadata_free(metadata);
}
END_TEST

/* The hash of the store, for device names: record type 123 and the number. */
static uint32_t hash_of_device(unsigned id)
{
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t sum = (123 * odd + id) * odd;

    return (uint32_t)((sum ^ sum >> 32) * odd >> 32);
}

/* Names that a hostile server makes collide drive out one another, and nobody waits for them. */
START_TEST(collisions)
{
    leat_estreamer_metadata *metadata = new_store(0), *other = new_store(0);
    struct line line = open_line();
    unsigned ids[31], count = 0, id, i;
    struct t_bytes bytes;

    learn_device(metadata, line, 0);
    for (id = 1; count < 31; id++) {
        if (hash_of_device(id) % 64 == (hash_of_device(0) + 1) % 64)
            ids[count++] = id;
    }
    for (i = 0; i < 16; i++)
        learn_device(metadata, line, ids[i]);
    ck_assert_uint_eq(leat_estreamer_metadata_count(metadata), 17);
    ck_assert(is_known(metadata, line, ids[0]));
    for (i = 16; i < 31; i++) {
        learn_device(metadata, line, ids[i]);
        learn_device(other, line, ids[i]);
    }
    ck_assert_uint_eq(leat_estreamer_metadata_count(metadata), 17);
    for (i = 0; i < 31; i++)
        ck_assert_int_eq(is_known(metadata, line, ids[i]), i == 0 || i > 15);
    ck_assert(is_known(metadata, line, 0));
    /* Loaded: there is room for one of them, and for those that do not collide. */
    for (i = 1; i < 16; i++)
        learn_device(metadata, line, ids[i]);
    learn_device(metadata, line, 0);
    bytes = saved(metadata);
    ck_assert_int_eq(leat_estreamer_metadata_load(other, bytes.data, bytes.length), LEAT_OK);
    ck_assert_uint_eq(leat_estreamer_metadata_count(other), 17);
    ck_assert(is_known(other, line, 0));
    ck_assert(is_known(other, line, ids[15]));
    ck_assert(!is_known(other, line, ids[14]));
    t_free(bytes);
    close_line(line);
    leat_estreamer_metadata_free(metadata);
    leat_estreamer_metadata_free(other);
}
END_TEST

/* What is known costs no memory, however often it is told and asked for. */
START_TEST(warm)
{
    struct t_counter counter;
    leat_config config;
    leat_estreamer_metadata *metadata;
    leat_builder *builder;
    struct line names = open_line(), events = open_line();
    const leat_event *name = hear(names, 123, "{'id':3,'name':'sensor-a'}");
    const leat_event *event = hear(events, 2, "{'device_id':3}");
    size_t calls = 0;
    int i;

    t_counter_init(&counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &counter.allocator;
    ck_assert_int_eq(leat_estreamer_metadata_new(&config, 0, &metadata), LEAT_OK);
    ck_assert_int_eq(leat_builder_new(&config, &builder), LEAT_OK);
    for (i = 0; i < 100; i++) {
        ck_assert_int_eq(leat_estreamer_metadata_learn(metadata, name), LEAT_OK);
        ck_assert_int_eq(leat_estreamer_metadata_learn(metadata, event), LEAT_OK);
        leat_builder_clear(builder);
        ck_assert_int_eq(
            leat_estreamer_metadata_names(metadata, builder, NULL, leat_event_value(event)),
            LEAT_OK);
        name_is(metadata, leat_event_value(event), "device_id", "sensor-a");
        if (i == 0)
            calls = counter.calls;
    }
    ck_assert_uint_gt(calls, 0);
    ck_assert_uint_eq(counter.calls, calls);
    leat_builder_free(builder);
    leat_estreamer_metadata_free(metadata);
    close_line(names);
    close_line(events);
}
END_TEST

/* Saving */

static void saves_as(const leat_estreamer_metadata *metadata, struct t_bytes expected)
{
    struct t_bytes bytes = saved(metadata);

    ck_assert_uint_eq(bytes.length, expected.length);
    ck_assert_int_eq(memcmp(bytes.data, expected.data, bytes.length), 0);
    t_free(bytes);
}

/* Some of every size of id; the last one is the newest. */
static leat_estreamer_metadata *some_names(struct line line)
{
    leat_estreamer_metadata *metadata = new_store(0);

    learn(metadata, line, 123, "{'id':3,'name':'sensor-a'}");
    learn(metadata, line, 66, "{'generator_id':1,'rule_id':7,'message':'message'}");
    learn(metadata, line, 119, "{'revision_uuid':" U1 ",'rule_id':7,'rule_name':'Allow web'}");
    learn(metadata, line, 511, "{'sha256':" S1 ",'file_name':{'hex':'ff00'}}");
    learn(metadata, line, 117, "{'uuid':" U2 ",'name':'policy'}");
    learn(metadata, line, 270,
          "{'protocol':1,'icmp_type':3,'icmp_code':4,'description':'fragmentation needed'}");
    return metadata;
}

/* The form, octet by octet: files outlive versions. */
START_TEST(saved_form)
{
    static const char form[] = "6c65616d 00000001 0000000000000002"
                               "0075 11111111111111111111111111111102 0006 706f6c696379"
                               "007b 00000003 0008 73656e736f722d61";
    struct t_bytes expected = t_hex(form);
    uint8_t sum[4];
    leat_estreamer_metadata *metadata = new_store(0);
    struct line line = open_line();

    learn(metadata, line, 123, "{'id':3,'name':'sensor-a'}");
    learn(metadata, line, 117, "{'uuid':" U2 ",'name':'policy'}");
    lt_store_u32be(sum, lt_adler32(LT_ADLER_START, expected.data, expected.length));
    t_append(&expected, sum, sizeof sum);
    saves_as(metadata, expected);
    t_free(expected);
    close_line(line);
    leat_estreamer_metadata_free(metadata);
}
END_TEST

START_TEST(save_and_load)
{
    struct line line = open_line();
    leat_estreamer_metadata *metadata = some_names(line), *other = new_store(0);
    struct t_bytes bytes;

    name_is(metadata, leat_event_value(hear(line, 2, "{'device_id':3}")), "device_id", "sensor-a");
    bytes = saved(metadata);
    ck_assert_int_eq(leat_estreamer_metadata_load(other, bytes.data, bytes.length), LEAT_OK);
    ck_assert_uint_eq(leat_estreamer_metadata_count(other), 6);
    ck_assert_uint_eq(leat_estreamer_metadata_memory(other),
                      leat_estreamer_metadata_memory(metadata));
    saves_as(other, bytes);
    names_are(other, leat_event_value(hear(line, 500, "{'sha256':" S1 "}")),
              "{\"sha256\":{\"hex\":\"ff00\"}}");
    /* Loaded again, nothing is new. */
    ck_assert_int_eq(leat_estreamer_metadata_load(metadata, bytes.data, bytes.length), LEAT_OK);
    saves_as(metadata, bytes);
    /* Appended: what the buffer held stays in front. */
    {
        leat_buffer *buffer = save(metadata);
        size_t length;

        ck_assert_int_eq(leat_estreamer_metadata_save(metadata, buffer), LEAT_OK);
        ck_assert_int_eq(memcmp((const uint8_t *)leat_buffer_data(buffer, &length) + bytes.length,
                                bytes.data, bytes.length),
                         0);
        ck_assert_uint_eq(length, 2 * bytes.length);
        leat_buffer_free(buffer);
    }
    t_free(bytes);
    close_line(line);
    leat_estreamer_metadata_free(metadata);
    leat_estreamer_metadata_free(other);
}
END_TEST

START_TEST(nothing_saved)
{
    leat_estreamer_metadata *metadata = new_store(0);
    struct t_bytes bytes = saved(metadata);

    ck_assert_int_eq(leat_estreamer_metadata_load(metadata, bytes.data, bytes.length), LEAT_OK);
    ck_assert_uint_eq(leat_estreamer_metadata_count(metadata), 0);
    ck_assert_int_eq(leat_estreamer_metadata_load(metadata, NULL, 0), LEAT_E_SYNTAX);
    t_free(bytes);
    leat_estreamer_metadata_free(metadata);
}
END_TEST

START_TEST(what_is_held_wins)
{
    struct line line = open_line();
    leat_estreamer_metadata *metadata = some_names(line), *other = new_store(0);
    struct t_bytes bytes = saved(metadata), again;

    learn(other, line, 123, "{'id':3,'name':'another'}");
    learn(other, line, 123, "{'id':4,'name':'one more'}");
    ck_assert_int_eq(leat_estreamer_metadata_load(other, bytes.data, bytes.length), LEAT_OK);
    ck_assert_uint_eq(leat_estreamer_metadata_count(other), 7);
    name_is(other, leat_event_value(hear(line, 2, "{'device_id':3}")), "device_id", "another");
    name_is(other, leat_event_value(hear(line, 2, "{'device_id':4}")), "device_id", "one more");
    /* It stands behind what is held: the oldest of all is what was the oldest there. */
    again = saved(other);
    ck_assert_int_eq(memcmp(again.data + again.length - 4 - 7, "message", 7), 0);
    t_free(again);
    t_free(bytes);
    close_line(line);
    leat_estreamer_metadata_free(metadata);
    leat_estreamer_metadata_free(other);
}
END_TEST

/* A full store takes nothing; one with some room takes the newest. */
START_TEST(load_where_there_is_no_room)
{
    struct line line = open_line();
    leat_estreamer_metadata *metadata = new_store(0), *other = new_store(least_bytes());
    struct t_bytes bytes, held;
    unsigned i, count;

    for (i = 0; i < 1000; i++)
        learn_device(metadata, line, 1000 + i);
    bytes = saved(metadata);
    ck_assert_int_eq(leat_estreamer_metadata_load(other, bytes.data, bytes.length), LEAT_OK);
    count = (unsigned)leat_estreamer_metadata_count(other);
    ck_assert_uint_gt(count, 10);
    ck_assert_uint_le(leat_estreamer_metadata_memory(other), least_bytes());
    for (i = 0; i < 1000; i++)
        ck_assert_int_eq(is_known(other, line, 1000 + i), i >= 1000 - count);
    held = saved(other);
    for (i = 0; i < 1000; i++)
        learn_device(metadata, line, 5000 + i);
    t_free(bytes);
    bytes = saved(metadata);
    ck_assert_int_eq(leat_estreamer_metadata_load(other, bytes.data, bytes.length), LEAT_OK);
    saves_as(other, held);
    t_free(bytes);
    t_free(held);
    close_line(line);
    leat_estreamer_metadata_free(metadata);
    leat_estreamer_metadata_free(other);
}
END_TEST

static void refuses(const void *data, size_t length)
{
    struct line line = open_line();
    leat_estreamer_metadata *metadata = new_store(0);
    struct t_bytes before;

    learn(metadata, line, 123, "{'id':3,'name':'held'}");
    before = saved(metadata);
    ck_assert_int_eq(leat_estreamer_metadata_load(metadata, data, length), LEAT_E_SYNTAX);
    saves_as(metadata, before);
    t_free(before);
    close_line(line);
    leat_estreamer_metadata_free(metadata);
}

START_TEST(spoilt_files)
{
    struct line line = open_line();
    leat_estreamer_metadata *metadata = some_names(line);
    struct t_bytes bytes = saved(metadata);
    size_t i;

    for (i = 0; i < bytes.length; i++) {
        uint8_t *cut = (uint8_t *)malloc(i + 1);

        ck_assert_ptr_nonnull(cut);
        memcpy(cut, bytes.data, i); /* exactly as much as there is, so that no one reads on */
        refuses(cut, i);
        free(cut);
        bytes.data[i] = (uint8_t)(bytes.data[i] ^ 1u << i % 8);
        refuses(bytes.data, bytes.length);
        bytes.data[i] = (uint8_t)(bytes.data[i] ^ 1u << i % 8);
    }
    t_append(&bytes, "", 1);
    refuses(bytes.data, bytes.length);
    t_free(bytes);
    close_line(line);
    leat_estreamer_metadata_free(metadata);
}
END_TEST

/* Made with care, so that the sum is right. */
START_TEST(hostile_files)
{
    static const struct {
        const char *hex;
        size_t zeros; /* behind it */
        int status;
    } files[] = {
        {"6c65616d 00000001 0000000000000001 007b 00000003 0001 41", 0, LEAT_OK},
        {"6c65616e 00000001 0000000000000001 007b 00000003 0001 41", 0, LEAT_E_SYNTAX},
        {"6c65616d 00000002 0000000000000001 007b 00000003 0001 41", 0, LEAT_E_SYNTAX},
        {"6c65616d 00000001 0000000000000000 007b 00000003 0001 41", 0, LEAT_E_SYNTAX},
        {"6c65616d 00000001 0000000000000002 007b 00000003 0001 41", 0, LEAT_E_SYNTAX},
        {"6c65616d 00000001 ffffffffffffffff 007b 00000003 0001 41", 0, LEAT_E_SYNTAX},
        {"6c65616d 00000001 0000000000000001 007b 00000003 0001 41 00", 0, LEAT_E_SYNTAX},
        {"6c65616d 00000001 0000000000000001 007b 00000003 0002 41", 0, LEAT_E_SYNTAX},
        {"6c65616d 00000001 0000000000000001 007b 00000003 0000", 0, LEAT_E_SYNTAX},
        {"6c65616d 00000001 0000000000000001 007b 00000003 0400", 1024, LEAT_OK},
        {"6c65616d 00000001 0000000000000001 007b 00000003 0401", 1025, LEAT_E_SYNTAX},
        {"6c65616d 00000001 0000000000000001 007b 0000", 0, LEAT_E_SYNTAX},
        {"6c65616d 00000001 0000000000000001 00", 0, LEAT_E_SYNTAX},
        {"6c65616d 00000001 0000000000000001", 0, LEAT_E_SYNTAX},
        {"6c65616d 00000001 0000000000000001 0190 00000003 0001 41", 0, LEAT_E_SYNTAX},
        {"6c65616d 00000001 0000000000000001 0000 00000003 0001 41", 0, LEAT_E_SYNTAX},
        {"6c65616d 00000001 0000000000000001 ffff 00000003 0001 41", 0, LEAT_E_SYNTAX},
        {"6c65616d 00000001 0000000000000002 007b 00000003 0001 41 007b 00000003 0001 42", 0,
         LEAT_OK},
        {"6c65616d 00000001 00000000", 0, LEAT_E_SYNTAX},
    };
    struct t_bytes bytes = t_hex(files[_i].hex);
    uint8_t zeros[1100] = {0}, sum[4];
    leat_estreamer_metadata *metadata = new_store(0);

    t_append(&bytes, zeros, files[_i].zeros);
    lt_store_u32be(sum, lt_adler32(LT_ADLER_START, bytes.data, bytes.length));
    t_append(&bytes, sum, sizeof sum);
    if (files[_i].status == LEAT_E_SYNTAX)
        refuses(bytes.data, bytes.length);
    else
        ck_assert_int_eq(leat_estreamer_metadata_load(metadata, bytes.data, bytes.length), LEAT_OK);
    ck_assert_uint_eq(leat_estreamer_metadata_count(metadata), files[_i].status == LEAT_OK);
    t_free(bytes);
    leat_estreamer_metadata_free(metadata);
}
END_TEST

START_TEST(no_room_to_save)
{
    struct line line = open_line();
    leat_estreamer_metadata *metadata = some_names(line);
    struct t_bytes bytes = saved(metadata);
    leat_limits limits;
    leat_config config;
    leat_buffer *buffer;
    size_t length;

    leat_limits_init(&limits, sizeof limits);
    leat_config_init(&config, sizeof config);
    config.limits = &limits;
    for (limits.queued_bytes = 1; limits.queued_bytes <= bytes.length; limits.queued_bytes++) {
        bool fits = limits.queued_bytes == bytes.length;

        ck_assert_int_eq(leat_buffer_new(&config, &buffer), LEAT_OK);
        ck_assert_int_eq(leat_estreamer_metadata_save(metadata, buffer),
                         fits ? LEAT_OK : LEAT_E_LIMIT);
        (void)leat_buffer_data(buffer, &length);
        ck_assert_uint_eq(length, fits ? bytes.length : 0);
        leat_buffer_free(buffer);
    }
    t_free(bytes);
    close_line(line);
    leat_estreamer_metadata_free(metadata);
}
END_TEST

/* Without memory */

struct story {
    struct line lines[6]; /* each keeps its event */
    const leat_event *events[6];
    struct t_bytes file;
};

/* What failed has changed nothing, so it can be done again. */
static int tell(leat_estreamer_metadata *metadata, const leat_event *event, int status)
{
    size_t count = leat_estreamer_metadata_count(metadata);
    int now = leat_estreamer_metadata_learn(metadata, event);

    if (now == LEAT_E_NOMEM) {
        ck_assert_uint_eq(leat_estreamer_metadata_count(metadata), count);
        ck_assert_int_eq(leat_estreamer_metadata_learn(metadata, event), LEAT_OK);
    }
    return status == LEAT_OK ? now : status;
}

static int tell_all(const leat_config *config, const void *arg)
{
    const struct story *story = (const struct story *)arg;
    leat_estreamer_metadata *metadata = NULL;
    leat_builder *builder = NULL;
    leat_buffer *buffer = NULL;
    int status = leat_estreamer_metadata_new(config, 0, &metadata), loaded;
    size_t i, count;

    if (status == LEAT_OK)
        status = leat_builder_new(config, &builder);
    if (status == LEAT_OK)
        status = leat_buffer_new(config, &buffer);
    if (status != LEAT_OK)
        goto done;
    for (i = 0; i < 5; i++)
        status = tell(metadata, story->events[i], status);
    name_is(metadata, leat_event_value(story->events[5]), "device_id", "a longer name");
    count = leat_estreamer_metadata_count(metadata);
    loaded = leat_estreamer_metadata_load(metadata, story->file.data, story->file.length);
    if (loaded == LEAT_E_NOMEM)
        ck_assert_uint_eq(leat_estreamer_metadata_count(metadata), count);
    name_is(metadata, leat_event_value(story->events[5]), "device_id", "a longer name");
    if (status == LEAT_OK)
        status = loaded;
    if (status == LEAT_OK)
        status = leat_estreamer_metadata_names(metadata, builder, NULL,
                                               leat_event_value(story->events[5]));
    if (status == LEAT_OK)
        status = leat_estreamer_metadata_save(metadata, buffer);
done:
    leat_estreamer_metadata_free(metadata);
    leat_builder_free(builder);
    leat_buffer_free(buffer);
    return status;
}

START_TEST(without_memory)
{
    static const struct {
        unsigned type;
        const char *record;
    } said[] = {
        {123, "{'id':3,'name':'sensor-a'}"},
        {66, "{'generator_id':1,'rule_id':7,'message':'message'}"},
        {123, "{'id':3,'name':'x'}"},
        {123, "{'id':3,'name':'sensor-b'}"},
        {123, "{'id':3,'name':'a longer name'}"},
        {400, "{'device_id':3,'generator_id':1,'rule_id':7}"},
    };
    struct story story;
    struct line line = open_line();
    leat_estreamer_metadata *metadata = some_names(line);
    unsigned i;

    for (i = 0; i < 6; i++) {
        story.lines[i] = open_line();
        story.events[i] = hear(story.lines[i], said[i].type, said[i].record);
    }
    for (i = 0; i < 150; i++) /* so that the table grows */
        learn_device(metadata, line, 100 + i);
    story.file = saved(metadata);
    t_every_alloc(tell_all, &story);
    for (i = 0; i < 6; i++)
        close_line(story.lines[i]);
    t_free(story.file);
    close_line(line);
    leat_estreamer_metadata_free(metadata);
}
END_TEST

static void tests(TCase *cases_)
{
    tcase_add_test(cases_, vendor_session);
    tcase_add_loop_test(cases_, each_kind, 0, CASES);
    tcase_add_test(cases_, no_kind_is_missing);
    tcase_add_test(cases_, kinds_of_ids);
    tcase_add_test(cases_, names_of_several_parts);
    tcase_add_test(cases_, changes);
    tcase_add_loop_test(cases_, long_names, 0, 9);
    tcase_add_test(cases_, odd_octets);
    tcase_add_loop_test(cases_, wrong_kinds, 0, 22);
    tcase_add_test(cases_, octets_of_wrong_length);
    tcase_add_loop_test(cases_, events_of_wrong_kinds, 0, 11);
    tcase_add_test(cases_, nothing);
    tcase_add_test(cases_, refused_by_the_builder);
    tcase_add_test(cases_, smallest_store);
    tcase_add_loop_test(cases_, always_within_its_bytes, 0, 30);
    tcase_add_test(cases_, never_more_than_its_bytes);
    tcase_add_test(cases_, least_recently_used_leave_first);
    tcase_add_test(cases_, many_names);
    tcase_add_test(cases_, collisions);
    tcase_add_test(cases_, warm);
    tcase_add_test(cases_, saved_form);
    tcase_add_test(cases_, save_and_load);
    tcase_add_test(cases_, nothing_saved);
    tcase_add_test(cases_, what_is_held_wins);
    tcase_add_test(cases_, load_where_there_is_no_room);
    tcase_add_test(cases_, spoilt_files);
    tcase_add_loop_test(cases_, hostile_files, 0, 19);
    tcase_add_test(cases_, no_room_to_save);
    tcase_add_test(cases_, without_memory);
}

T_MAIN("estreamer/metadata", tests)
