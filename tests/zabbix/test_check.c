/*
 * What exchanges write is what the protocol allows: members, sections, rows, tasks, tables and their
 * columns, of the version that it is.
 */
#include "live.h"

#define PROXY  LEAT_ZABBIX_AS_PROXY
#define SERVER LEAT_ZABBIX_AS_SERVER

#define TOKEN     "'session':'0123456789abcdef0123456789abcdef'"
#define NOW       "'clock':1795293132,'ns':1"
#define HEAD      "'request':'proxy data','host':'px'," TOKEN "," NOW
#define SUCCESS   "'response':'success'"
#define ASKED     "next proxy config\n"
#define ASKED_6_2 "<3 {'request':'proxy config','host':'px','version':'6.2.9'}\n" ASKED
#define ASKED_6_4                                                                                  \
    "<3 {'request':'proxy config','host':'px','version':'6.4.21'," TOKEN                           \
    ",'config_revision':0}\n" ASKED
#define SENT_7_0 "<3 {" HEAD ",'version':'7.0.22'}\nnext proxy data\n"
#define CHECKED  "<1 {'request':'active checks','host':'za1'}\nnext active checks\n"

#define COMMAND                                                                                    \
    "'type':2,'clock':1,'ttl':0,'commandtype':0,'command':'id','execute_on':2,'port':0,"           \
    "'authtype':0,'username':'','password':'','publickey':'','privatekey':'','alertid':0,"         \
    "'parent_taskid':5,'hostid':1"
#define RESULT "'type':3,'clock':1,'ttl':0,'status':0,'info':'','parent_taskid':5"

/* Up to 6.2; from 6.4 on; and with a column that no version has. */
#define MACRO_COLUMNS "'hostmacro':{'fields':['hostmacroid','hostid','macro','value','type'"
#define MACROS_5      MACRO_COLUMNS "],'data':[[1,2,'{$X}','x',0]]}"
#define MACROS_6      MACRO_COLUMNS ",'automatic'],'data':[[1,2,'{$X}','x',0,0]]}"
#define MACROS_7      MACRO_COLUMNS ",'automatic','foo'],'data':[[1,2,'{$X}','x',0,0,0]]}"
/* Up to 6.4, and from 7.0 on. */
#define DRULE_COLUMNS "'drules':{'fields':['druleid','name','iprange','delay'"
#define DRULES_4      DRULE_COLUMNS "],'data':[]}"
#define DRULES_5      DRULE_COLUMNS ",'concurrency_max'],'data':[]}"
#define CHECK         "'key':'k','itemid':1,'delay':'1m','lastlogsize':0,'mtime':0"

/* Each line that is refused names what offends; what is sent in the end shows that nothing changed. */
static const struct {
    const char *name;
    const char *script;
} scripts[] = {
    {"rows that lack what is always there",
     "proxy 7.0.22 asks=proxy_data\n"
     "deny VALUE proxy data {" HEAD ",'version':'7.0.22','discovery data':[{'foo':1}]}\n"
     "deny VALUE/drule proxy data {" HEAD ",'version':'7.0.22','discovery data':[{'clock':1}]}\n"
     "deny VALUE/ns proxy data {" HEAD
     ",'version':'7.0.22','history data':[{'id':1,'itemid':2,'clock':3}]}\n"
     "deny VALUE/mtime proxy data {" HEAD
     ",'version':'7.0.22','history data':[{'id':1,'itemid':2,'clock':3,'ns':4,'lastlogsize':5}]}\n"
     "deny VALUE proxy data {" HEAD ",'version':'7.0.22','history data':[1]}\n"
     "send proxy data {" HEAD
     ",'version':'7.0.22','discovery data':[{'clock':1,'drule':2,'dcheck':3,'ip':'192.0.2.1'}]}"},
    {"the second row is looked at, too",
     "proxy 7.0.22 asks=proxy_data\n"
     "deny VALUE/active_status proxy data {" HEAD
     ",'version':'7.0.22','host data':[{'hostid':1,'active_status':1},{'hostid':2}]}\n"
     "send proxy data {" HEAD ",'version':'7.0.22','host data':[{'hostid':1,'active_status':1}]}"},
    {"rows of another version, 6.4",
     "proxy 6.4.21 asks=proxy_data\n"
     "deny VALUE/port proxy data {" HEAD
     ",'version':'6.4.21','auto registration':[{'clock':1,'host':'h','ip':'a','port':1}]}\n"
     "send proxy data {" HEAD
     ",'version':'6.4.21','auto registration':[{'clock':1,'host':'h','ip':'a','port':'1'}]}"},
    {"rows of another version, 7.0",
     "proxy 7.0.22 asks=proxy_data\n"
     "deny VALUE/port proxy data {" HEAD
     ",'version':'7.0.22','auto registration':[{'clock':1,'host':'h','ip':'a','port':'1'}]}\n"
     "send proxy data {" HEAD
     ",'version':'7.0.22','auto registration':[{'clock':1,'host':'h','ip':'a','port':1}]}"},
    {"sections of another version, 5.0",
     "passive 5.0.33 accepts\n"
     "<1 {'request':'proxy data'}\n"
     "next proxy data\n"
     "deny VALUE/interface=availability proxy data {" TOKEN "," NOW
     ",'version':'5.0.33','interface availability':[]}\n"
     "send proxy data {" TOKEN "," NOW ",'version':'5.0.33','host availability':[]}"},
    {"sections of another version, 5.4",
     "passive 5.4.12 accepts\n"
     "<1 {'request':'proxy data'}\n"
     "next proxy data\n"
     "deny VALUE/host=availability proxy data {" TOKEN "," NOW
     ",'version':'5.4.12','host availability':[]}\n"
     "send proxy data {" TOKEN "," NOW ",'version':'5.4.12','interface availability':[]}"},
    {"sections are lists",
     "proxy 7.0.22 asks=proxy_data\n"
     "deny VALUE/tasks proxy data {" HEAD ",'version':'7.0.22','tasks':{}}\n"
     "deny VALUE/history=data proxy data {" HEAD ",'version':'7.0.22','history data':1}\n"
     "send proxy data {" HEAD ",'version':'7.0.22','tasks':[]}"},
    {"tasks of a proxy",
     "proxy 7.0.22 asks=proxy_data\n"
     "deny VALUE/type proxy data {" HEAD ",'version':'7.0.22','tasks':[{'type':77,'clock':'x'}]}\n"
     "deny VALUE/type proxy data {" HEAD ",'version':'7.0.22','tasks':[{" COMMAND "}]}\n"
     "deny VALUE/status proxy data {" HEAD
     ",'version':'7.0.22','tasks':[{'type':3,'clock':1,'ttl':0,'info':'','parent_taskid':5}]}\n"
     "send proxy data {" HEAD ",'version':'7.0.22','tasks':[{" RESULT "}]}"},
    {"tasks of a passive proxy",
     "passive 6.0.14 accepts\n"
     "<1 {'request':'proxy tasks'}\n"
     "next proxy tasks\n"
     "deny VALUE/type proxy tasks {'tasks':[{" COMMAND "}],'version':'6.0.14'," NOW "}\n"
     "send proxy tasks {'tasks':[{" RESULT "}],'version':'6.0.14'," NOW "}"},
    {"tasks of a server",
     "server 7.0.22 accepts\n" SENT_7_0 "deny VALUE/type response {" SUCCESS ",'tasks':[{" RESULT
     "}]}\n"
     "deny VALUE/clock response {" SUCCESS ",'tasks':[{'type':6,'clock':'x','ttl':0,'itemid':1}]}\n"
     "deny VALUE/type response {" SUCCESS ",'tasks':[{'type':77,'clock':1}]}\n"
     "send response {" SUCCESS ",'tasks':[{" COMMAND "}]}"},
    {"tasks of a server to a passive proxy",
     "server 6.0.14 asks=proxy_tasks\n"
     "send proxy tasks {'request':'proxy tasks'}\n"
     "speaks\n"
     "<3 {'version':'6.0.14'," NOW "}\n"
     "next proxy tasks\n"
     "deny VALUE/itemid response {" SUCCESS ",'tasks':[{'type':6,'clock':1,'ttl':0}]}\n"
     "send response {" SUCCESS ",'tasks':[{'type':6,'clock':1,'ttl':0,'itemid':1}]}"},
    {"a session has 32 digits",
     "proxy 7.0.22 asks=proxy_config\n"
     "deny VALUE/session proxy config {'request':'proxy "
     "config','host':'px','version':'7.0.22','session':'short','config_revision':0}\n"
     "deny VALUE/session proxy config {'request':'proxy "
     "config','host':'px','version':'7.0.22','session':'0123456789ABCDEF0123456789abcdef','config_"
     "revision':0}\n"
     "deny VALUE/session proxy config {'request':'proxy "
     "config','host':'px','version':'7.0.22','session':'0123456789abcdef0123456789abcdef0','config_"
     "revision':0}\n"
     "deny VALUE/session proxy config {'request':'proxy "
     "config','host':'px','version':'7.0.22','session':7,'config_revision':0}\n"
     "send proxy config {'request':'proxy config','host':'px','version':'7.0.22'," TOKEN
     ",'config_revision':0}"},
    {"numbers and texts",
     "proxy 7.0.22 asks=proxy_config\n"
     "deny VALUE/config_revision proxy config {'request':'proxy "
     "config','host':'px','version':'7.0.22'," TOKEN ",'config_revision':'no'}\n"
     "deny VALUE/host proxy config {'request':'proxy config','host':1,'version':'7.0.22'," TOKEN
     ",'config_revision':1}\n"
     "deny VALUE/config_revision proxy config {'request':'proxy "
     "config','host':'px','version':'7.0.22'," TOKEN ",'config_revision':1.5}\n"
     "send proxy config {'request':'proxy config','host':'px','version':'7.0.22'," TOKEN
     ",'config_revision':1}"},
    {"the version is our own", "proxy 7.0.22 asks=proxy_data\n"
                               "deny VALUE/version proxy data {" HEAD ",'version':'5.0.1'}\n"
                               "deny VALUE/version proxy data {" HEAD ",'version':'7.0.2'}\n"
                               "deny VALUE/version proxy data {" HEAD ",'version':'7.0.221'}\n"
                               "send proxy data {" HEAD ",'version':'7.0.22'}"},
    {"the version of a server is its own",
     "server 6.4.21 accepts\n" ASKED_6_4
     "deny VALUE/version proxy config {'response':'failed','version':'7.0.22'}\n"
     "send proxy config {'response':'failed','info':'no','version':'6.4.21'}"},
    {"members of later versions, 6.2",
     "proxy 6.2.9 asks=proxy_config\n"
     "deny VALUE/session proxy config {'request':'proxy "
     "config','host':'px','version':'6.2.9'," TOKEN "}\n"
     "deny VALUE/config_revision proxy config {'request':'proxy "
     "config','host':'px','version':'6.2.9','config_revision':0}\n"
     "deny VALUE/hostmap_revision proxy config {'request':'proxy "
     "config','host':'px','version':'6.2.9','hostmap_revision':1}\n"
     "send proxy config {'request':'proxy config','host':'px','version':'6.2.9'}"},
    {"members of later versions, 6.4",
     "proxy 6.4.21 asks=proxy_config\n"
     "deny VALUE/hostmap_revision proxy config {'request':'proxy "
     "config','host':'px','version':'6.4.21'," TOKEN ",'config_revision':0,'hostmap_revision':1}\n"
     "send proxy config {'request':'proxy config','host':'px','version':'6.4.21'," TOKEN
     ",'config_revision':0}"},
    {"members of later versions, 7.0",
     "passive 7.0.22 accepts\n"
     "<1 {'request':'proxy config'}\n"
     "next proxy config\n"
     "deny VALUE/proxy_secrets_provider proxy config {'version':'7.0.22'," TOKEN
     ",'config_revision':0,'hostmap_revision':1,'proxy_secrets_provider':1}\n"
     "send proxy config {'version':'7.0.22'," TOKEN ",'config_revision':0,'hostmap_revision':1}"},
    {"all members, 7.4", "passive 7.4.0 accepts\n"
                         "<1 {'request':'proxy config'}\n"
                         "next proxy config\n"
                         "send proxy config {'version':'7.4.0'," TOKEN
                         ",'config_revision':0,'hostmap_revision':1,'proxy_secrets_provider':1}"},
    {"members of other messages",
     "proxy 7.0.22 asks=proxy_data\n"
     "deny VALUE/upload proxy data {" HEAD ",'version':'7.0.22','upload':'enabled'}\n"
     "deny VALUE/config_revision proxy data {" HEAD ",'version':'7.0.22','config_revision':1}\n"
     "send proxy data {" HEAD ",'version':'7.0.22'}"},
    {"what is not known is ignored by peers",
     "proxy 5.0.33 asks=proxy_data\n"
     "send proxy data {" HEAD ",'version':'5.0.33','x':{'y':[1]},'rows of mine':[{'a':1}]}"},
    {"a member that is there twice",
     "proxy 7.0.22 asks=proxy_data\n"
     "deny VALUE/host proxy data {" HEAD ",'version':'7.0.22','host':'py'}\n"
     "deny VALUE/tasks proxy data {" HEAD ",'version':'7.0.22','tasks':[],'tasks':[]}\n"
     "send proxy data {" HEAD ",'version':'7.0.22','tasks':[]}"},
    {"what is always there",
     "proxy 7.0.22 asks=proxy_data\n"
     "deny VALUE/ns proxy data {'request':'proxy data','host':'px'," TOKEN
     ",'version':'7.0.22','clock':1}\n"
     "send proxy data {" HEAD ",'version':'7.0.22','more':1,'proxy_delay':5}"},
    {"heartbeats of proxies",
     "proxy 6.2.9 asks=proxy_heartbeat\n"
     "deny VALUE/session proxy heartbeat {'request':'proxy "
     "heartbeat','host':'px','version':'6.2.9'," TOKEN "}\n"
     "deny VALUE/version proxy heartbeat {'request':'proxy heartbeat','host':'px'}\n"
     "send proxy heartbeat {'request':'proxy heartbeat','host':'px','version':'6.2.9'}"},
    {"a configuration before 6.4: any columns that there are",
     "server 6.2.9 accepts\n" ASKED_6_2 "deny VALUE/hostmacro proxy config {" MACROS_6
     ",'macro.secrets':{}}\n"
     "deny VALUE/macro proxy config "
     "{'hostmacro':{'fields':['macro','macro'],'data':[]},'macro.secrets':{}}\n"
     "deny VALUE proxy config {'hostmacros':{'fields':['macro'],'data':[]},'macro.secrets':{}}\n"
     "deny VALUE proxy config {'proxy':{'fields':['proxyid'],'data':[]},'macro.secrets':{}}\n"
     "deny VALUE proxy config {'config_revision':1,'macro.secrets':{}}\n"
     "deny VALUE/hostmacro proxy config {'hostmacro':{'data':[]},'macro.secrets':{}}\n"
     "deny VALUE/hostmacro proxy config {'hostmacro':{'fields':['macro']},'macro.secrets':{}}\n"
     "deny VALUE/macro.secrets proxy config {" MACROS_5 "}\n"
     "deny VALUE/macro.secrets proxy config {" MACROS_5 ",'macro.secrets':[]}\n"
     "send proxy config "
     "{'hostmacro':{'fields':['value','macro'],'data':[['x','{$X}']]},'hstgrp':{'fields':['groupid'"
     "],'data':[]},'interface':{'fields':['ip'],'data':[]},'macro.secrets':{'p':{'k':'v'}}}"},
    {"a configuration of 5.0 has no secrets",
     "server 5.0.33 asks=proxy_config\n"
     "deny VALUE proxy config {'request':'proxy config','data':{'macro.secrets':{}}}\n"
     "deny VALUE/hostmacro proxy config {'request':'proxy config','data':{" MACROS_6 "}}\n"
     "deny VALUE/data proxy config {'request':'proxy config','data':[]}\n"
     "send proxy config {'request':'proxy config','data':{" MACROS_5 "}}"},
    {"a configuration in the request, 5.4",
     "server 5.4.12 asks=proxy_config\n"
     "deny VALUE/macro.secrets proxy config {'request':'proxy config','data':{'macro.secrets':1}}\n"
     "send proxy config {'request':'proxy config','data':{'macro.secrets':{}}}"},
    {"a request for the revision has no configuration",
     "server 6.4.21 asks=proxy_config\n"
     "deny VALUE/data proxy config {'request':'proxy config','data':{}}\n"
     "send proxy config {'request':'proxy config'}"},
    {"a configuration of 6.4: all columns, in order",
     "server 6.4.21 accepts\n" ASKED_6_4 "deny VALUE/hostmacro proxy config {'data':{" MACROS_7
     "},'config_revision':1}\n"
     "deny VALUE/value proxy config "
     "{'data':{'hostmacro':{'fields':['hostmacroid','hostid','macro'],'data':[]}},'config_revision'"
     ":1}\n"
     "deny VALUE/hostid proxy config "
     "{'data':{'hostmacro':{'fields':['hostid','hostmacroid','macro','value','type'],'data':[]}},'"
     "config_revision':1}\n"
     "deny VALUE/type proxy config "
     "{'data':{'hostmacro':{'fields':['hostmacroid','hostid','macro','value','type','type'],'data':"
     "[]}},'config_revision':1}\n"
     "deny VALUE/drules proxy config {'data':{" DRULES_5 "},'config_revision':1}\n"
     "deny VALUE/automatic proxy config {'data':{" MACROS_5 "},'config_revision':1}\n"
     "deny VALUE proxy config {'data':{'foo':{'fields':[],'data':[]}},'config_revision':1}\n"
     "deny VALUE proxy config {'data':{'proxy':{'fields':[],'data':[]}},'config_revision':1}\n"
     "deny VALUE proxy config "
     "{'data':{'hstgrp':{'fields':['groupid'],'data':[]}},'config_revision':1}\n"
     "deny VALUE proxy config {'data':{'macro.secrets':{}},'config_revision':1}\n"
     "deny VALUE/proxy_group proxy config {'proxy_group':{},'config_revision':1}\n"
     "deny VALUE/del_hostids proxy config {'del_hostids':['1'],'config_revision':1}\n"
     "deny VALUE/del_hostids proxy config {'del_hostids':1,'config_revision':1}\n"
     "send proxy config {'full_sync':1,'data':{" DRULES_4 "," MACROS_6
     "},'macro.secrets':{},'del_hostids':[1,2],'config_revision':1}"},
    {"a configuration of 7.0",
     "server 7.0.22 asks=proxy_config\n"
     "send proxy config {'request':'proxy config'}\n"
     "speaks\n"
     "<1 {'version':'7.0.22'," TOKEN ",'config_revision':0}\n"
     "next proxy config\n"
     "deny VALUE/automatic proxy config {'data':{" MACROS_5 "},'config_revision':1}\n"
     "deny VALUE/concurrency_max proxy config {'data':{" DRULES_4 "},'config_revision':1}\n"
     "deny VALUE/hostmap_revision proxy config "
     "{'proxy_group':{'failover_delay':'1m'},'config_revision':1}\n"
     "deny VALUE/failover_delay proxy config "
     "{'proxy_group':{'hostmap_revision':1,'failover_delay':60},'config_revision':1}\n"
     "deny VALUE proxy config "
     "{'proxy_group':{'hostmap_revision':1,'failover_delay':'1m','x':1},'config_revision':1}\n"
     "send proxy config {'data':{" MACROS_6 "," DRULES_5
     "},'proxy_group':{'hostmap_revision':1,'failover_delay':'1m','del_hostproxyids':[1]},'config_"
     "revision':1}"},
    {"what is taken, by a passive proxy",
     "passive 6.0.14 accepts\n"
     "<1 {'request':'proxy config','data':{}}\n"
     "next proxy config\n"
     "deny VALUE/response response {'response':1,'version':'6.0.14'}\n"
     "deny VALUE/version response {" SUCCESS ",'version':'6.0.15'}\n"
     "send response {" SUCCESS ",'version':'6.0.14'}"},
    {"what agents ask, 6.2",
     "agent 6.2.9 asks=active_checks\n"
     "deny VALUE/config_revision active checks {'request':'active "
     "checks','host':'h','config_revision':0}\n"
     "deny VALUE/port active checks {'request':'active checks','host':'h','port':'10050'}\n"
     "send active checks {'request':'active checks','host':'h','port':10050,'ip':'192.0.2.1'}"},
    {"what agents ask, 6.4",
     "agent 6.4.21 asks=active_checks\n"
     "deny VALUE/variant active checks {'request':'active checks','host':'h','variant':1}\n"
     "deny VALUE/session active checks {'request':'active checks','host':'h','session':'short'}\n"
     "send active checks {'request':'active checks','host':'h'," TOKEN ",'config_revision':0}"},
    {"what agents are given, 6.4",
     "server 6.4.21 accepts\n" CHECKED "deny VALUE response {" SUCCESS ",'data':[{" CHECK
     ",'timeout':'3s'}]}\n"
     "deny VALUE/commands response {" SUCCESS ",'commands':[]}\n"
     "deny VALUE/delay response {" SUCCESS
     ",'data':[{'key':'k','delay':null,'lastlogsize':0,'mtime':0}]}\n"
     "deny VALUE/case_sensitive response {" SUCCESS
     ",'regexp':[{'name':'n','expression':'e','expression_type':0,'exp_delimiter':','}]}\n"
     "send response {" SUCCESS ",'config_revision':1,'data':[{" CHECK "}]}"},
    {"what agents are given, 7.0",
     "proxy 7.0.22 accepts\n" CHECKED "deny VALUE/timeout response {" SUCCESS ",'data':[{" CHECK
     ",'timeout':3}]}\n"
     "deny VALUE/wait response {" SUCCESS ",'commands':[{'command':'c','id':1,'timeout':3}]}\n"
     "deny VALUE/reset response {'response':'failed','redirect':{'reset':false}}\n"
     "deny VALUE/address response {'response':'failed','redirect':{'revision':1,'address':2}}\n"
     "send response {" SUCCESS ",'data':[{" CHECK
     ",'timeout':'3s'}],'commands':[{'command':'c','id':1,'wait':1,'timeout':3}]}"},
    {"values of agents",
     "agent 6.4.21 asks=agent_data\n"
     "deny VALUE/ns agent data {'request':'agent data','data':[{'itemid':1,'id':2,'clock':3}]}\n"
     "deny VALUE/itemid agent data {'request':'agent "
     "data','data':[{'itemid':'1','id':2,'clock':3,'ns':4}]}\n"
     "deny VALUE/commands agent data {'request':'agent data','commands':[]}\n"
     "send agent data {'request':'agent data'," TOKEN
     ",'data':[{'itemid':1,'id':2,'clock':3,'ns':4,'value':'x'}]}"},
    {"results of commands",
     "agent 7.0.22 asks=agent_data\n"
     "deny VALUE/id agent data {'request':'agent data','commands':[{'id':'1'}]}\n"
     "send agent data {'request':'agent data','commands':[{'id':1,'value':'x'}]}"},
    {"heartbeats of agents", "agent 6.2.9 asks=active_check_heartbeat\n"
                             "deny VALUE/version active check heartbeat {'request':'active check "
                             "heartbeat','host':'h','heartbeat_freq':60,'version':'6.2.9'}\n"
                             "deny VALUE/heartbeat_freq active check heartbeat {'request':'active "
                             "check heartbeat','host':'h'}\n"
                             "send active check heartbeat {'request':'active check "
                             "heartbeat','host':'h','heartbeat_freq':60}"},
    {"values of senders",
     "sender 7.0.22 asks=sender_data\n"
     "deny VALUE/value sender data {'request':'sender data','data':[{'host':'h','key':'k'}]}\n"
     "deny VALUE/value sender data {'request':'sender "
     "data','data':[{'host':'h','key':'k','value':1}]}\n"
     "deny VALUE sender data {'request':'sender "
     "data','data':[{'host':'h','key':'k','value':'1','itemid':1}]}\n"
     "deny VALUE/data sender data {'request':'sender data','data':{}}\n"
     "send sender data {'request':'sender data','data':[{'host':'h','key':'k','value':'1'}]}"},
    {"checks",
     "server 7.0.22 asks=passive_checks\n"
     "deny VALUE/timeout passive checks {'request':'passive checks','data':[{'key':'k'}]}\n"
     "deny VALUE/data passive checks {'request':'passive checks'}\n"
     "send passive checks {'request':'passive checks','data':[{'key':'k','timeout':'3s'}]}"},
    {"what was checked",
     "agent 7.0.22 accepts\n"
     "<1 {'request':'passive checks','data':[{'key':'k','timeout':3}]}\n"
     "next data\n"
     "next passive checks\n"
     "deny VALUE/value passive checks {'version':'7.0.22','data':[{'value':1}]}\n"
     "deny VALUE/version passive checks {'version':'6.4.21','data':[{'value':'1'}]}\n"
     "send passive checks {'version':'7.0.22','variant':1,'data':[{'value':null}]}"},
    {"an agent before 7.0 does not answer as one of 7.0",
     "agent 6.4.21 accepts\n"
     "<1 k\n"
     "told plain, MORE\n"
     "deny VALUE/version passive checks {'version':'6.4.21','data':[]}\n"
     "send plain {'body':'1'}"},
};
#define SCRIPTS (sizeof scripts / sizeof *scripts)

START_TEST(at_once)
{
    live_play(scripts[_i].script);
}
END_TEST

/* ---- piece by piece ---- */

static void refused(leat_session *session, int status, const char *field)
{
    const char *named = leat_error_field(leat_session_send_error(session));

    MUST(status == LEAT_E_VALUE, "%s: %s", field, leat_status_name(status));
    ck_assert_str_eq(named == NULL ? "" : named, field);
}

#define TAKEN(call)         ck_assert_int_eq(call, LEAT_OK)
#define REFUSED(call, name) refused(session, call, name)

static int put(leat_session *session, const char *name, const char *text)
{
    return leat_zabbix_text(session, name, text, strlen(text));
}

static int put_row(leat_session *session, const char *json)
{
    struct t_bytes text = live_text(json);
    leat_builder *builder = t_json((const char *)text.data, text.length);
    int status = leat_zabbix_row(session, leat_builder_value(builder));

    leat_builder_free(builder);
    t_free(text);
    return status;
}

static int put_history(leat_session *session, uint64_t has)
{
    leat_zabbix_history history;

    leat_zabbix_history_init(&history, sizeof history);
    history.has = has;
    history.value = "x";
    history.value_length = 1;
    history.host = history.key = "h";
    history.host_length = history.key_length = 1;
    return leat_zabbix_history_write(session, &history);
}

#define HAS(it)   LEAT_ZABBIX_HAS_##it
#define TIMES     (HAS(ID) | HAS(CLOCK) | HAS(NS))
#define NUMBERED  (TIMES | HAS(ITEMID))
#define BY_SENDER (HAS(HOST) | HAS(KEY) | HAS(VALUE))

/* The text of the whole message. */
static void said(leat_session *session, const char *json)
{
    struct t_bytes octets = live_take(session), text = live_text(json);
    const uint8_t *at = octets.data;
    struct taken taken = take_frame(&at, octets.data + octets.length);

    ck_assert_str_eq((const char *)taken.text.data, (const char *)text.data);
    t_free(taken.text);
    t_free(text);
    t_free(octets);
    leat_session_free(session);
}

START_TEST(data_in_pieces)
{
    leat_session *session = live_exchange(NULL, PROXY, LEAT_ZABBIX_PROXY_DATA, "6.0.14");

    TAKEN(leat_zabbix_begin(session));
    TAKEN(put(session, "request", "proxy data"));
    REFUSED(leat_zabbix_number(session, "host", 1), "host");
    TAKEN(put(session, "host", "px"));
    REFUSED(put(session, "host", "px"), "host");
    REFUSED(put(session, "session", "0123456789abcdef0123456789abcde"), "session");
    TAKEN(put(session, "session", "0123456789abcdef0123456789abcdef"));
    REFUSED(put(session, "version", "6.0.1"), "version");
    TAKEN(put(session, "version", "6.0.14"));
    REFUSED(put(session, "clock", "1"), "clock");
    REFUSED(leat_zabbix_section(session, "clock"), "clock");
    REFUSED(leat_zabbix_object(session, "history data"), "history data");
    REFUSED(leat_zabbix_number(session, "hostmap_revision", 1), "hostmap_revision");
    REFUSED(leat_zabbix_table(session, "hosts", NULL, 0), "");
    TAKEN(leat_zabbix_section(session, "history data"));
    REFUSED(put_history(session, TIMES), "itemid");
    REFUSED(put_history(session, NUMBERED & ~(uint64_t)HAS(ID)), "id");
    REFUSED(put_history(session, NUMBERED | HAS(KEY)), "key");
    REFUSED(put_history(session, NUMBERED | HAS(MTIME)), "lastlogsize");
    REFUSED(put_history(session, NUMBERED | HAS(LASTLOGSIZE)), "mtime");
    TAKEN(put_history(session, NUMBERED | HAS(VALUE)));
    REFUSED(put_row(session, "{'id':1,'itemid':2,'clock':3}"), "ns");
    TAKEN(put_row(session, "{'id':1,'itemid':2,'clock':3,'ns':4}"));
    TAKEN(leat_zabbix_close(session));
    REFUSED(leat_zabbix_section(session, "history data"), "history data");
    TAKEN(leat_zabbix_section(session, "tasks"));
    REFUSED(put_row(session, "{" COMMAND "}"), "type");
    REFUSED(put_history(session, NUMBERED), "row");
    TAKEN(leat_zabbix_close(session));
    TAKEN(leat_zabbix_section(session, "discovery data"));
    REFUSED(put_history(session, HAS(CLOCK) | HAS(VALUE)), "row");
    TAKEN(leat_zabbix_close(session));
    TAKEN(leat_zabbix_section(session, "my rows"));
    TAKEN(put_row(session, "{'a':1}"));
    TAKEN(put_history(session, HAS(KEY)));
    TAKEN(leat_zabbix_close(session));
    REFUSED(leat_zabbix_end(session), "clock");
    TAKEN(leat_zabbix_number(session, "clock", 1));
    TAKEN(leat_zabbix_number(session, "ns", 2));
    TAKEN(leat_zabbix_end(session));
    said(session,
         "{'request':'proxy data','host':'px'," TOKEN ",'version':'6.0.14','history data':["
         "{'id':0,'itemid':0,'clock':0,'ns':0,'value':'x'},{'id':1,'itemid':2,'clock':3,'ns':4}],"
         "'tasks':[],'discovery data':[],'my rows':[{'a':1},{'key':'h'}],'clock':1,'ns':2}");
}
END_TEST

START_TEST(senders_in_pieces)
{
    leat_session *session =
        live_exchange(NULL, LEAT_ZABBIX_AS_SENDER, LEAT_ZABBIX_SENDER_DATA, "6.0.14");

    TAKEN(leat_zabbix_begin(session));
    TAKEN(put(session, "request", "sender data"));
    TAKEN(leat_zabbix_section(session, "data"));
    REFUSED(put_history(session, BY_SENDER & ~(uint64_t)HAS(HOST)), "host");
    REFUSED(put_history(session, BY_SENDER | HAS(ITEMID)), "itemid");
    REFUSED(put_row(session, "{'host':'h'}"), "key");
    TAKEN(put_history(session, BY_SENDER));
    TAKEN(leat_zabbix_end(session));
    said(session, "{'request':'sender data','data':[{'host':'h','key':'h','value':'x'}]}");
}
END_TEST

static leat_session *asked(const char *version, const char *request)
{
    leat_session *session = live_exchange(NULL, SERVER, 0, version);
    struct t_bytes text = live_text(request), octets = frame(1, text.data, text.length);
    const leat_event *event;

    ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
    ck_assert_int_eq(leat_next(session, &event), LEAT_OK);
    t_free(octets);
    t_free(text);
    return session;
}

static const char *const columns[] = {"hostmacroid", "hostid", "macro",
                                      "value",       "type",   "automatic"};

START_TEST(configuration_in_pieces)
{
    leat_session *session =
        asked("7.0.22", "{'request':'proxy config','host':'px','version':'7.0.22'," TOKEN
                        ",'config_revision':0}");

    TAKEN(leat_zabbix_begin(session));
    REFUSED(leat_zabbix_table(session, "hostmacro", columns, 6), "");
    TAKEN(leat_zabbix_object(session, "data"));
    REFUSED(leat_zabbix_table(session, "hostmacro", columns, 5), "automatic");
    REFUSED(leat_zabbix_table(session, "hostmacro", columns + 1, 5), "hostid");
    REFUSED(leat_zabbix_table(session, "hosts", columns, 1), "hosts");
    REFUSED(leat_zabbix_table(session, "foo", columns, 6), "");
    REFUSED(leat_zabbix_number(session, "full_sync", 1), "");
    TAKEN(leat_zabbix_table(session, "hostmacro", columns, 6));
    TAKEN(put_row(session, "[1,2,'{$X}','x',0,0]"));
    TAKEN(leat_zabbix_close(session));
    REFUSED(leat_zabbix_number(session, "full_sync", 1), "");
    TAKEN(leat_zabbix_close(session));
    TAKEN(leat_zabbix_object(session, "proxy_group"));
    REFUSED(leat_zabbix_number(session, "failover_delay", 1), "failover_delay");
    TAKEN(put(session, "failover_delay", "1m"));
    REFUSED(put(session, "failover_delay", "1m"), "failover_delay");
    REFUSED(put(session, "foo", "1m"), "");
    REFUSED(leat_zabbix_close(session), "hostmap_revision");
    REFUSED(leat_zabbix_end(session), "hostmap_revision");
    TAKEN(leat_zabbix_number(session, "hostmap_revision", 1));
    TAKEN(leat_zabbix_close(session));
    REFUSED(leat_zabbix_object(session, "data"), "data");
    TAKEN(leat_zabbix_number(session, "config_revision", 1));
    TAKEN(leat_zabbix_end(session));
    said(session, "{'data':{'hostmacro':{'fields':['hostmacroid','hostid','macro','value','type',"
                  "'automatic'],'data':[[1,2,'{$X}','x',0,0]]}},'proxy_group':{'failover_delay':"
                  "'1m','hostmap_revision':1},'config_revision':1}");
}
END_TEST

START_TEST(copy_in_pieces)
{
    leat_session *session =
        asked("6.0.14", "{'request':'proxy config','host':'px','version':'6.0.14'}");

    TAKEN(leat_zabbix_begin(session));
    REFUSED(leat_zabbix_table(session, "hostmacro", columns, 6), "hostmacro");
    REFUSED(leat_zabbix_object(session, "hostmacro"), "hostmacro");
    REFUSED(leat_zabbix_section(session, "hostmacro"), "hostmacro");
    TAKEN(leat_zabbix_table(session, "hostmacro", columns + 2, 2));
    TAKEN(put_row(session, "{'value':'x','macro':'{$X}'}"));
    TAKEN(leat_zabbix_close(session));
    TAKEN(leat_zabbix_object(session, "macro.secrets"));
    TAKEN(put(session, "anything", "goes"));
    TAKEN(leat_zabbix_close(session));
    TAKEN(leat_zabbix_end(session));
    said(session, "{'hostmacro':{'fields':['macro','value'],'data':[['{$X}','x']]},"
                  "'macro.secrets':{'anything':'goes'}}");
}
END_TEST

/* What is said of a message that was taken back does not hold for the next. */
START_TEST(begun_anew)
{
    leat_session *session =
        live_exchange(NULL, LEAT_ZABBIX_AS_SENDER, LEAT_ZABBIX_SENDER_DATA, "7.0.22");

    TAKEN(leat_zabbix_begin(session));
    TAKEN(put(session, "request", "sender data"));
    TAKEN(leat_zabbix_section(session, "data"));
    TAKEN(leat_zabbix_abort(session));
    TAKEN(leat_zabbix_begin(session));
    TAKEN(put(session, "request", "sender data"));
    TAKEN(leat_zabbix_section(session, "my data"));
    TAKEN(put_history(session, HAS(ITEMID)));
    TAKEN(leat_zabbix_close(session));
    TAKEN(leat_zabbix_section(session, "data"));
    TAKEN(leat_zabbix_end(session));
    said(session, "{'request':'sender data','my data':[{'itemid':0}],'data':[]}");
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_loop_test(tc, at_once, 0, (int)SCRIPTS);
    tcase_add_test(tc, data_in_pieces);
    tcase_add_test(tc, senders_in_pieces);
    tcase_add_test(tc, configuration_in_pieces);
    tcase_add_test(tc, copy_in_pieces);
    tcase_add_test(tc, begun_anew);
}

T_MAIN("zabbix/check", tests)
