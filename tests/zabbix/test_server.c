/*
 * Servers: who may be a proxy, what of its messages counts, configuration, tasks, and when passive
 * proxies are asked.
 */
#include "served.h"

#include <leat/zabbix_server.h>
#include <stdio.h>

struct script {
    const char *name;
    const char *text;
};

/* ---- who may ---- */

/* A server that demands this of px; the peer is that; the reason in a refusal, or NULL: it may. */
static const struct {
    const char *member;
    const char *peer;
    const char *reason;
} accesses[] = {
    {"", "", NULL},
    {"addresses 10.0.0.1", "address 10.0.0.1", NULL},
    {"addresses 10.0.0.1", "address 10.0.0.2", "connection is not allowed"},
    {"addresses 10.0.0.1", "", "connection is not allowed"},
    {"addresses 10.0.0.1", "address localhost", "connection is not allowed"},
    {"addresses 10.0.0.1", "address ::ffff:10.0.0.1", NULL},
    {"addresses 10.0.0.1,192.168.0.0/24,2001:db8::1", "address 192.168.0.255", NULL},
    {"addresses 10.0.0.1,192.168.0.0/24,2001:db8::1", "address 192.168.1.0",
     "connection is not allowed"},
    {"addresses 10.0.0.1,192.168.0.0/24,2001:db8::1", "address 2001:db8::1", NULL},
    {"addresses 10.0.0.1,192.168.0.0/24,2001:db8::1", "address 2001:db8::2",
     "connection is not allowed"},
    {"addresses _10.0.0.1_,_10.0.0.8/29", "address 10.0.0.15", NULL},
    {"addresses 10.0.0.8/29", "address 10.0.0.16", "connection is not allowed"},
    {"addresses 10.0.0.8/29", "address 10.0.0.7", "connection is not allowed"},
    {"addresses 0.0.0.0/0", "address 1.2.3.4", NULL},
    {"addresses 0.0.0.0/0", "address 2001:db8::1", "connection is not allowed"},
    {"addresses ::/0", "address 1.2.3.4", NULL},
    {"connections 2", "",
     "connection of type \\\"unencrypted\\\" is not allowed for proxy "
     "\\\"px\\\""},
    {"connections 1", "connection 2 psk_identity i",
     "connection of type \\\"TLS with PSK\\\" is not allowed for proxy \\\"px\\\""},
    {"connections 3", "connection 4",
     "connection of type \\\"TLS with certificate\\\" is not allowed for proxy \\\"px\\\""},
    {"connections 7", "connection 3",
     "connection of type \\\"TLS with certificate\\\" is not allowed for proxy \\\"px\\\""},
    {"connections 3", "connection 2 psk_identity i", NULL},
    {"connections 2 psk_identity i", "connection 2 psk_identity i", NULL},
    {"connections 2 psk_identity i", "connection 2 psk_identity j",
     "proxy \\\"px\\\" is using false PSK identity"},
    {"connections 2 psk_identity i", "connection 2",
     "proxy \\\"px\\\" is using false PSK identity"},
    {"connections 3 psk_identity i", "connection 1", NULL},
    {"connections 4 issuer CN=ca subject CN=px", "connection 4 issuer CN=ca subject CN=px", NULL},
    {"connections 4 issuer CN=ca", "connection 4 issuer CN=ca subject CN=py", NULL},
    {"connections 4 issuer CN=ca subject CN=px", "connection 4 issuer CN=cb subject CN=px",
     "proxy \\\"px\\\" certificate issuer does not match"},
    {"connections 4 issuer CN=ca subject CN=px", "connection 4 issuer CN=ca subject CN=py",
     "proxy \\\"px\\\" certificate subject does not match"},
    {"connections 4 issuer CN=ca", "connection 4 subject CN=px",
     "proxy \\\"px\\\" certificate issuer does not match"},
    {"connections 4 subject CN=px", "connection 4 issuer CN=ca",
     "proxy \\\"px\\\" certificate subject does not match"},
    {"passive 1", "", "proxy \\\"px\\\" is configured for passive mode"},
};

static void play_access(const char *version, const char *member, const char *peer,
                        const char *request, const char *answer)
{
    char script[4096];

    (void)snprintf(script, sizeof script,
                   "server %s\n"
                   "add px%s%s\n"
                   "load px {'hosts':[{'hostid':1,'host':'secret'}]}\n"
                   "task px {'type':6,'itemid':1}\n"
                   "accept A%s%s\n"
                   "A <1 %s\n"
                   "%s",
                   version, *member == '\0' ? "" : " ", member, *peer == '\0' ? "" : " ", peer,
                   request, answer);
    served_play(script);
}

/* Data: refused with the reason, and no row is shown. */
START_TEST(access_to_data)
{
    char answer[1024];

    if (accesses[_i].reason == NULL)
        (void)snprintf(answer, sizeof answer,
                       "A told history data#1, proxy data, END\n"
                       "A >3 {'upload':'enabled','response':'success','tasks':[*\n");
    else
        (void)snprintf(answer, sizeof answer,
                       "A told proxy data!PROTOCOL/%s, PROTOCOL\n"
                       "A >1 {'response':'failed','info':'%s'}\nA proxy none\n",
                       strstr(accesses[_i].reason, "passive") == NULL ? "" : "host",
                       accesses[_i].reason);
    play_access("7.0.22", accesses[_i].member, accesses[_i].peer, "{$P,'history data':[$1],$E}",
                answer);
}
END_TEST

/* A configuration: refused without a word. */
START_TEST(access_to_configuration)
{
    const char *answer = "A told proxy config, END\nA >3 {'full_sync':1,*\n";

    if (accesses[_i].reason != NULL)
        answer = strstr(accesses[_i].reason, "passive") == NULL
                     ? "A told proxy config!PROTOCOL/, PROTOCOL\nA silent\n"
                     : "A told proxy config!PROTOCOL/host, PROTOCOL\nA silent\n";
    play_access("7.0.22", accesses[_i].member, accesses[_i].peer, "{$C0}", answer);
}
END_TEST

START_TEST(access_to_old_configuration)
{
    const char *answer = "A told proxy config, END\nA >1 {*\n";

    if (accesses[_i].reason != NULL)
        answer = strstr(accesses[_i].reason, "passive") == NULL
                     ? "A told proxy config!PROTOCOL/, PROTOCOL\nA silent\n"
                     : "A told proxy config!PROTOCOL/host, PROTOCOL\nA silent\n";
    play_access("6.0.14", accesses[_i].member, accesses[_i].peer,
                "{'request':'proxy config','host':'px','version':'6.0.14'}", answer);
}
END_TEST

/* Of a peer that is told after the connection was accepted the same is demanded. */
START_TEST(access_of_late_peers)
{
    char script[4096];

    (void)snprintf(script, sizeof script,
                   "server 7.0.22\nadd px%s%s\nawait A\nmet A%s%s\nA <3 %s\nA told %s\n",
                   *accesses[_i].member == '\0' ? "" : " ", accesses[_i].member,
                   *accesses[_i].peer == '\0' ? "" : " ", accesses[_i].peer, "{$C0}",
                   accesses[_i].reason == NULL ? "proxy config, END"
                   : strstr(accesses[_i].reason, "passive") == NULL
                       ? "proxy config!PROTOCOL/, PROTOCOL"
                       : "proxy config!PROTOCOL/host, PROTOCOL");
    served_play(script);
}
END_TEST

/* Who is at the other end of a connection to a passive proxy: nobody else is told a thing. */
START_TEST(access_of_passive_proxies)
{
    char script[4096];
    bool may = accesses[_i].reason == NULL;

    if (strstr(accesses[_i].member, "passive") != NULL)
        return;
    (void)snprintf(script, sizeof script,
                   "server 6.0.14\nadd px passive 1 %s\nload px {'hosts':[]}\n"
                   "connect A px proxy config\nA told MORE\nA silent\nmet A%s%s%s\n"
                   "A told %s\n%s",
                   accesses[_i].member, *accesses[_i].peer == '\0' ? "" : " ", accesses[_i].peer,
                   may ? "" : " =PROTOCOL", may ? "MORE" : "PROTOCOL",
                   may ? "A >3 {'request':'proxy config','data':{*\nA proxy px\n" : "A silent\n");
    /* No member, no space behind it. */
    if (*accesses[_i].member == '\0')
        memmove(strstr(script, "passive 1 ") + 9, strstr(script, "passive 1 ") + 10,
                strlen(strstr(script, "passive 1 ") + 10) + 1);
    served_play(script);
}
END_TEST

/*
 * Requests of a peer that may not: members in another order, twice, of another type. Whatever it
 * is, the server says no more than why not.
 */
static const struct {
    const char *request;
    const char *told;
    const char *said; /* of a 7.0 server, or NULL */
} strangers[] = {
    {"{'request':'proxy config','host':'nosuch','version':'7.0.22',$T,'config_revision':0}",
     "proxy config!PROTOCOL/host, PROTOCOL", NULL},
    {"{'config_revision':0,$T,'version':'7.0.22','host':'nosuch','request':'proxy config'}",
     "proxy config!PROTOCOL/host, PROTOCOL", NULL},
    {"{'request':'proxy "
     "config','host':'nosuch','host':'px','version':'7.0.22',$T,'config_revision':0}",
     "proxy config!PROTOCOL/host, PROTOCOL", NULL},
    {"{'request':'proxy config','host':1,'host':'px','version':'7.0.22',$T,'config_revision':0}",
     "proxy config!PROTOCOL/host, PROTOCOL", NULL},
    {"{'request':'proxy config','host':['px'],'version':'7.0.22',$T,'config_revision':0}",
     "proxy config!PROTOCOL/host, PROTOCOL", NULL},
    {"{'request':'proxy config','Host':'px','version':'7.0.22',$T,'config_revision':0}",
     "proxy config!PROTOCOL/host, PROTOCOL", NULL},
    {"{'request':'proxy config','host':'px ','version':'7.0.22',$T,'config_revision':0}",
     "proxy config!PROTOCOL/host, PROTOCOL", NULL},
    {"{'request':'proxy config','host':'PX','version':'7.0.22',$T,'config_revision':0}",
     "proxy config!PROTOCOL/host, PROTOCOL", NULL},
    {"{'request':'proxy config','host':'px\\u0000','version':'7.0.22',$T,'config_revision':0}",
     "proxy config!PROTOCOL/host, PROTOCOL", NULL},
    {"{'request':'proxy config','request':'proxy "
     "data','host':'nosuch','version':'7.0.22',$T,'config_revision':0}",
     "proxy config!PROTOCOL/host, PROTOCOL", NULL},
    {"{'request':'proxy data','host':'nosuch',$T,'history data':[$1],'version':'7.0.22',$N}",
     "proxy data!PROTOCOL/host, PROTOCOL",
     "{'response':'failed','info':'proxy \\\"nosuch\\\" not found'}"},
    {"{'request':'proxy data','host':'',$T,'version':'7.0.22',$N}",
     "proxy data!PROTOCOL/host, PROTOCOL",
     "{'response':'failed','info':'invalid proxy name \\\"\\\"'}"},
    {"{'request':'proxy data','host':'p/x',$T,'version':'7.0.22',$N}",
     "proxy data!PROTOCOL/host, PROTOCOL",
     "{'response':'failed','info':'invalid proxy name \\\"p/x\\\"'}"},
    {"{'request':'proxy data','host':'p\\u0000x',$T,'version':'7.0.22',$N}",
     "proxy data!PROTOCOL/host, PROTOCOL",
     "{'response':'failed','info':'invalid proxy name \\\"p\\\"'}"},
    {"{'request':'proxy data','version':'7.0.22'}", "proxy data!PROTOCOL/host, PROTOCOL",
     "{'response':'failed','info':'missing name of proxy'}"},
    /* Rows before who sends them, which real proxies never say. */
    {"{'request':'proxy data','history data':[$1],'host':'px',$T,'version':'7.0.22',$N}",
     "proxy data!PROTOCOL/host, PROTOCOL", "{'response':'failed','info':'missing name of proxy'}"},
    {"{'history data':[$1],'request':'proxy data','host':'px',$T,'version':'7.0.22',$N}",
     "proxy data!PROTOCOL/request, PROTOCOL",
     "{'response':'failed','info':'missing name of proxy'}"},
    {"{'history data':[$1],'request':'proxy "
     "config','host':'px',$T,'config_revision':0,'version':'7.0.22'}",
     "proxy config!PROTOCOL/request, PROTOCOL", NULL},
    {"{'request':'proxy data','host':'px','history data':[$1],$T,'version':'7.0.22',$N}",
     "proxy data!PROTOCOL/session, PROTOCOL",
     "{'response':'failed','info':'invalid session token length 0'}"},
    {"{'request':'proxy "
     "config','hosts':{'fields':['a'],'data':[[1]]},'host':'px','version':'7.0.22',$T,'config_"
     "revision':0}",
     "proxy config!PROTOCOL/host, PROTOCOL", NULL},
    {"{'request':'proxy tasks','host':'px'}", "proxy tasks!PROTOCOL/request, PROTOCOL", NULL},
    {"{'request':'proxy heartbeat','host':'px','version':'7.0.22'}",
     "proxy heartbeat!PROTOCOL/request, PROTOCOL", NULL},
    {"{'request':'queue.get','host':'px'}", "request!PROTOCOL/request, PROTOCOL", NULL},
};

START_TEST(refused)
{
    char script[4096];
    size_t cut;

    (void)snprintf(script, sizeof script,
                   "server 7.0.22\nadd px\nload px {'hosts':[]}\ntask px {'type':6,'itemid':1}\n"
                   "accept A\nA <1 %s\nA told %s\n%s%s\nA proxy none\nstatus px tasks 1\n"
                   "status px rows 0\n",
                   strangers[_i].request, strangers[_i].told,
                   strangers[_i].said == NULL ? "A silent" : "A >1 ",
                   strangers[_i].said == NULL ? "" : strangers[_i].said);
    /* Two of them are of px, only said in a way that does not count. */
    if (strstr(strangers[_i].told, "session") != NULL)
        *strstr(script, "A proxy none") = '\0';
    for (cut = 0; cut < 4; cut++)
        served_play_cut(script, cut);
}
END_TEST

/* ---- members ---- */

static const char *const addings[] = {
    "add px",
    "add p",
    "add A.b_-9",
    "add a_b",
    "add px passive 1 connections 7 psk_identity i issuer j subject k addresses ::1 compress 0",
    "add p/x =VALUE",
    "add p\xc3\xa9 =VALUE",
    "add px connections 0 =VALUE",
    "add px connections 8 =VALUE",
    "add px connections 9 =VALUE",
    "add px addresses localhost =VALUE",
    "add px addresses 10.0.0.1,, =VALUE",
    "add px addresses 10.0.0.1, =VALUE",
    "add px addresses , =VALUE",
    "add px addresses 10.0.0.1/33 =VALUE",
    "add px addresses 10.0.0.1/32",
    "add px addresses 10.0.0.1/ =VALUE",
    "add px addresses 10.0.0.1/-1 =VALUE",
    "add px addresses ::1/128",
    "add px addresses ::1/129 =VALUE",
    "add px addresses _ =VALUE",
    "add px addresses 10.0.0.1_10.0.0.2 =VALUE",
    "add px addresses 10.0.0.256 =VALUE",
    "remove px =STATE",
    "remove p/x =STATE",
    "add px\nremove px\nremove px =STATE",
};

START_TEST(adding)
{
    char script[512];

    (void)snprintf(script, sizeof script, "server 7.0.22\n%s\n", addings[_i]);
    served_play(script);
}
END_TEST

START_TEST(proxy_names)
{
    leat_zabbix_server *server;
    leat_zabbix_server_member member;
    leat_zabbix_member_status status = {.size = sizeof status};
    char name[130];
    int i;

    ck_assert_int_eq(leat_zabbix_server_new(NULL, NULL, &server), LEAT_OK);
    leat_zabbix_server_member_init(&member, sizeof member);
    ck_assert_int_eq(leat_zabbix_server_add(server, &member), LEAT_E_VALUE);
    ck_assert_str_eq(leat_error_field(leat_zabbix_server_error(server)), "name");
    member.name = "";
    ck_assert_int_eq(leat_zabbix_server_add(server, &member), LEAT_E_VALUE);
    memset(name, 'x', sizeof name);
    name[129] = '\0';
    member.name = name;
    ck_assert_int_eq(leat_zabbix_server_add(server, &member), LEAT_E_VALUE);
    name[128] = '\0';
    ck_assert_int_eq(leat_zabbix_server_add(server, &member), LEAT_OK);
    ck_assert_ptr_null(leat_zabbix_server_error(server));
    ck_assert_ptr_nonnull(leat_zabbix_server_tables(server, name));
    ck_assert_int_eq(leat_zabbix_server_get_status(server, name, &status), LEAT_OK);
    for (i = 1; i < 256; i++) {
        char text[3] = {'p', (char)i, '\0'};
        bool good =
            strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._- ", i) != NULL;

        member.name = text;
        MUST(leat_zabbix_server_add(server, &member) == (good ? LEAT_OK : LEAT_E_VALUE), "%d", i);
        MUST((leat_zabbix_server_tables(server, text) != NULL) == good, "%d", i);
    }
    ck_assert_ptr_null(leat_zabbix_server_tables(server, "nosuch"));
    ck_assert_ptr_null(leat_zabbix_server_tables(server, NULL));
    ck_assert_int_eq(leat_zabbix_server_get_status(server, "nosuch", &status), LEAT_E_STATE);
    ck_assert_int_eq(leat_zabbix_server_remove(server, NULL), LEAT_E_STATE);
    ck_assert_int_eq(leat_zabbix_server_task(server, NULL, NULL), LEAT_E_STATE);
    ck_assert_int_eq(leat_zabbix_server_task(server, name, NULL), LEAT_E_VALUE);
    member.size = 0;
    ck_assert_int_eq(leat_zabbix_server_add(server, &member), LEAT_E_VALUE);
    ck_assert_int_eq(leat_zabbix_server_add(server, NULL), LEAT_E_VALUE);
    leat_zabbix_server_free(server);
    leat_zabbix_server_free(NULL);
}
END_TEST

START_TEST(making)
{
    static const struct {
        const char *version;
        int status;
    } versions[] = {{"7.0.22", LEAT_OK},
                    {"5.0", LEAT_OK},
                    {"7.4.0rc2", LEAT_OK},
                    {"4.4.0", LEAT_E_VALUE},
                    {"", LEAT_E_VALUE},
                    {"seven", LEAT_E_VALUE},
                    {NULL, LEAT_E_VALUE},
                    {"7", LEAT_E_VALUE},
                    {"7.0.22-012345678901234567890123", LEAT_OK},
                    {"7.0.22-0123456789012345678901234", LEAT_E_VALUE}};
    leat_zabbix_server_options options;
    leat_zabbix_server *server;
    leat_zabbix_peer peer;
    leat_session *session;
    size_t i;

    for (i = 0; i < sizeof versions / sizeof *versions; i++) {
        leat_zabbix_server_options_init(&options, sizeof options);
        options.version = versions[i].version;
        ck_assert_int_eq(leat_zabbix_server_new(NULL, &options, &server), versions[i].status);
        if (versions[i].status == LEAT_OK)
            leat_zabbix_server_free(server);
    }
    leat_zabbix_server_options_init(&options, sizeof options);
    options.sessions = 0;
    ck_assert_int_eq(leat_zabbix_server_new(NULL, &options, &server), LEAT_E_VALUE);
    leat_zabbix_server_options_init(&options, sizeof options);
    options.session_ms = 0;
    ck_assert_int_eq(leat_zabbix_server_new(NULL, &options, &server), LEAT_E_VALUE);
    options.size = 0;
    ck_assert_int_eq(leat_zabbix_server_new(NULL, &options, &server), LEAT_E_VALUE);
    ck_assert_int_eq(leat_zabbix_server_new(NULL, NULL, &server), LEAT_OK);
    leat_zabbix_peer_init(&peer, sizeof peer);
    ck_assert_uint_eq(peer.connection, LEAT_ZABBIX_UNENCRYPTED);
    peer.size = 0;
    ck_assert_int_eq(leat_zabbix_server_accept(server, &peer, &session), LEAT_E_VALUE);
    ck_assert_int_eq(leat_zabbix_server_accept(server, NULL, &session), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_server_met(session, &peer), LEAT_E_VALUE);
    ck_assert_int_eq(leat_zabbix_server_met(session, NULL), LEAT_E_VALUE);
    leat_zabbix_peer_init(&peer, sizeof peer);
    ck_assert_int_eq(leat_zabbix_server_met(session, &peer), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_server_met(session, &peer), LEAT_E_STATE);
    leat_session_free(session);
    leat_zabbix_server_free(server);
}
END_TEST

/* Tables that are empty have to fit, too. */
START_TEST(few_configuration_bytes)
{
    leat_zabbix_server_options options;
    leat_zabbix_server_member member;
    leat_zabbix_server *server;
    const uint64_t bytes[] = {1, 1024, 64 * 1024};
    const int statuses[] = {LEAT_E_LIMIT, LEAT_E_LIMIT, LEAT_OK};

    leat_zabbix_server_options_init(&options, sizeof options);
    options.configuration_bytes = bytes[_i];
    ck_assert_int_eq(leat_zabbix_server_new(NULL, &options, &server), LEAT_OK);
    leat_zabbix_server_member_init(&member, sizeof member);
    member.name = "px";
    ck_assert_int_eq(leat_zabbix_server_add(server, &member), statuses[_i]);
    ck_assert_int_eq(leat_zabbix_server_tables(server, "px") != NULL, statuses[_i] == LEAT_OK);
    ck_assert_int_eq(leat_error_code(leat_zabbix_server_error(server)), statuses[_i]);
    leat_zabbix_server_free(server);
}
END_TEST

/* The calls on sessions of other kinds. */
START_TEST(other_sessions)
{
    leat_session *sessions[2];
    leat_zabbix_peer peer;
    int i;

    sessions[0] = make_codec(NULL, NULL);
    sessions[1] = live_exchange(NULL, LEAT_ZABBIX_AS_SERVER, 0, "7.0.22");
    leat_zabbix_peer_init(&peer, sizeof peer);
    for (i = 0; i < 2; i++) {
        ck_assert_int_eq(leat_zabbix_server_met(sessions[i], &peer), LEAT_E_STATE);
        ck_assert_int_eq(leat_zabbix_server_acknowledge(sessions[i]), LEAT_E_STATE);
        ck_assert_ptr_null(leat_zabbix_server_proxy(sessions[i]));
        leat_session_free(sessions[i]);
    }
}
END_TEST

/* ---- scripts ---- */

static const struct script scripts[] = {
    {"data are taken, and the proxy is known",
     "server 7.0.22\n"
     "add px\n"
     "tick 1000\n"
     "accept A\n"
     "A proxy none\n"
     "A <3 {$P,'history data':[$1,$2],'proxy_delay':36,'version':'7.0.21',$N}\n"
     "A next history data#1\n"
     "A proxy px\n"
     "A told history data#2, proxy data, END\n"
     "A proxy none\n"
     "A >3 $S\n"
     "status px last_access_ms 1000\n"
     "status px rows 2\n"
     "status px repeated 0\n"
     "status px delay 36\n"
     "status px version 7.0.21\n"
     "status px failures 0\n"},
    {"a known value is left out, also when it comes from another connection",
     "server 7.0.22\n"
     "add px\n"
     "accept A\n"
     "A <3 {$P,'history data':[$1,$2,$3],$E}\n"
     "A told history data#1, history data#2, history data#3, proxy data, END\n"
     "A >3 $S\n"
     "accept A\n"
     "A <3 {$P,'history data':[$2,$3,$4],$E}\n"
     "A told history data#4, proxy data, END\n"
     "A >3 $S\n"
     "accept A\n"
     "A <3 {$P,'history data':[$4],$E}\n"
     "A told proxy data, END\n"
     "A >3 $S\n"
     "status px rows 4\n"
     "status px repeated 3\n"},
    {"another session starts from 0",
     "server 7.0.22\n"
     "add px\n"
     "accept A\n"
     "A <3 {$P,'history data':[$9],$E}\n"
     "A told history data#9, proxy data, END\n"
     "accept A\n"
     "A <3 {'request':'proxy data','host':'px',$O,'history data':[$1],'version':'7.0.22',$N}\n"
     "A told history data#1, proxy data, END\n"
     "accept A\n"
     "A <3 {$P,'history data':[$9,$10],$E}\n"
     "A told history data#10, proxy data, END\n"},
    {"the same id twice in one message, and ids that descend",
     "server 7.0.22\n"
     "add px\n"
     "accept A\n"
     "A <3 {$P,'history data':[$9,$9,$8],$E}\n"
     "A told history data#9, history data#9, history data#8, proxy data, END\n"
     "accept A\n"
     "A <3 {$P,'history data':[$9],$E}\n"
     "A told history data#9, proxy data, END\n"
     "accept A\n"
     "A <3 {$P,'history data':[$10,$3],$E}\n"
     "A told history data#10, proxy data, END\n"
     "accept A\n"
     "A <3 {$P,'history data':[$9,$10],$E}\n"
     "A told history data#10, proxy data, END\n"},
    {"rows without an id always pass, and move nothing",
     "server 7.0.22\n"
     "add px\n"
     "accept A\n"
     "A <3 {$P,'history data':[$5,{'itemid':1,'value':'x'},{'id':0}],$E}\n"
     "A told history data#5, history data, history data#0, proxy data, END\n"
     "accept A\n"
     "A <3 {$P,'history data':[$5,{'itemid':1,'value':'x'},{'id':'x'}],$E}\n"
     "A told history data#5, history data, history data#0, proxy data, END\n"
     "accept A\n"
     "A <3 {$P,'history data':[{'id':'5'},{'id':'6'}],$E}\n"
     "A told history data#5, history data#6, proxy data, END\n"
     "accept A\n"
     "A <3 {$P,'history data':[{'id':'5'},{'id':'6'},{'id':7}],$E}\n"
     "A told history data#7, proxy data, END\n"},
    {"a value that is no object is an event with an error, and nothing else",
     "server 7.0.22\n"
     "add px\n"
     "accept A\n"
     "A <3 {$P,'history data':[5,$1,[1]],$E}\n"
     "A told history data!PROTOCOL/, history data#1, history data!PROTOCOL/, proxy data, END\n"
     "A >3 $S\n"
     "status px rows 1\n"},
    {"a message that is malformed or cut does not count",
     "server 7.0.22\n"
     "add px\n"
     "accept A\n"
     "A <1 {'request':'proxy data','host':'px',$T,'history data':[$1],]\n"
     "A told history data#1, proxy data!SYNTAX/, SYNTAX\n"
     "accept A\n"
     "A part {$P,'history data':[$1|],$E}\n"
     "A next history data#1\n"
     "A end\n"
     "A told E_END\n"
     "status px rows 0\n"
     "accept A\n"
     "A <3 {$P,'history data':[$1],$E}\n"
     "A told history data#1, proxy data, END\n"
     "status px rows 1\n"},
    {"a token of another length is refused if there are values",
     "server 7.0.22\n"
     "add px\n"
     "accept A\n"
     "A <1 {'request':'proxy data','host':'px','session':'abc','history "
     "data':[$1],'version':'7.0.22',$N}\n"
     "A told proxy data!PROTOCOL/session, PROTOCOL\n"
     "A >1 {'response':'failed','info':'invalid session token length 3'}\n"
     "accept A\n"
     "A <1 {'request':'proxy data','host':'px','session':'abc','history "
     "data':[],'version':'7.0.22',$N}\n"
     "A told proxy data!PROTOCOL/session, PROTOCOL\n"
     "A >1 {'response':'failed','info':'invalid session token length 3'}\n"
     "accept A\n"
     "A <1 {'request':'proxy data','host':'px','session':'abc','discovery "
     "data':[],'version':'7.0.22',$N}\n"
     "A told proxy data, END\n"
     "A >3 $S\n"},
    {"a version that is not taken does not count: 7.0",
     "server 7.0.22\n"
     "add px\n"
     "accept A\n"
     "A <1 {$P,'history data':[$1],'version':'7.4.0',$N}\n"
     "A told history data#1, proxy data!PROTOCOL/version, PROTOCOL\n"
     "A >3 {'upload':'disabled','response':'failed','info':'current proxy version is not supported "
     "by server'}\n"
     "status px version 7.4.0\n"
     "status px rows 0\n"
     "accept A\n"
     "A <1 {'request':'proxy config','host':'px','version':'6.4.0',$T,'config_revision':0}\n"
     "A told proxy config!PROTOCOL/version, PROTOCOL\n"
     "A >3 {'response':'failed','info':'proxy and server major versions do not "
     "match','version':'7.0.22'}\n"
     "accept A\n"
     "A <1 {$P,'history data':[$1],'version':'7.0.1',$N}\n"
     "A told history data#1, proxy data, END\n"},
    {"a version that is not taken does not count: 6.0",
     "server 6.0.14\n"
     "add px compress 0\n"
     "accept A\n"
     "A <1 {$P,'history data':[$1],'version':'7.4.0',$N}\n"
     "A told history data#1, proxy data!PROTOCOL/version, PROTOCOL\n"
     "A >1 {'response':'failed'}\n"
     "status px rows 0\n"
     "status px failures 1\n"},
    {"a row that lacks a field: the last section decides",
     "server 7.0.22\n"
     "add px\n"
     "accept A\n"
     "A <1 {$P,'discovery data':[{'drule':1},{'clock':1}],$E}\n"
     "A told discovery data!PROTOCOL/clock, discovery data!PROTOCOL/drule, proxy data, END\n"
     "A >1 {'response':'failed','info':'cannot find pair with name \\\"clock\\\"'}\n"
     "accept A\n"
     "A <1 {$P,'interface availability':[{'interfaceid':922021}],$E}\n"
     "A told interface availability!PROTOCOL/available, proxy data, END\n"
     "A >1 {'response':'failed','info':'no availability data for \\\"interfaceid\\\":922021'}\n"
     "accept A\n"
     "A <1 {$P,'interface availability':[{'interfaceid':7}],'history data':[$1],'auto "
     "registration':[{'clock':1}],'discovery data':[{'x':1}],'tasks':[],'host data':[],$E}\n"
     "A told interface availability!PROTOCOL/available, history data#1, auto "
     "registration!PROTOCOL/host, discovery data!PROTOCOL/clock, proxy data, END\n"
     "A >1 {'response':'failed','info':'no availability data for \\\"interfaceid\\\":7\\ncannot "
     "find pair with name \\\"host\\\"\\ncannot find pair with name \\\"clock\\\"'}\n"
     "accept A\n"
     "A <1 {$P,'history data':[$1,$2],$E}\n"
     "A told history data#2, proxy data, END\n"},
    {"a row that lacks a field: a later section that is sound makes it a success",
     "server 7.0.22\n"
     "add px\n"
     "accept A\n"
     "A <1 {$P,'discovery data':[{'drule':1}],'auto registration':[],$E}\n"
     "A told discovery data!PROTOCOL/clock, proxy data, END\n"
     "A >3 {'upload':'enabled','response':'success','info':'cannot find pair with name "
     "\\\"clock\\\"'}\n"
     "accept A\n"
     "A <1 {$P,'history data':[$1],'interface availability':[{}],$E}\n"
     "A told history data#1, interface availability!PROTOCOL/interfaceid, proxy data, END\n"
     "A >3 {'upload':'enabled','response':'success','info':'cannot find pair with name "
     "\\\"interfaceid\\\"'}\n"
     "accept A\n"
     "A <1 {$P,'host data':[{}],$E}\n"
     "A told host data!PROTOCOL/hostid, proxy data, END\n"
     "A >3 $S\n"},
    {"hosts instead of interfaces, before 5.4",
     "server 5.0.33\n"
     "add px compress 0\n"
     "accept A\n"
     "A <1 {$P,'host availability':[{}],'version':'5.0.33',$N}\n"
     "A told host availability!PROTOCOL/hostid, proxy data, END\n"
     "A >1 {'response':'failed','info':'cannot find pair with name \\\"hostid\\\"'}\n"},
    {"a second section of a name, and rows of none",
     "server 7.0.22\n"
     "add px\n"
     "accept A\n"
     "A <1 "
     "{$P,'tasks':[{'type':3,'clock':1,'ttl':0,'status':0,'info':'f','parent_taskid':91}],'tasks':["
     "{'type':3,'clock':1,'ttl':0,'status':0,'info':'s','parent_taskid':92}],$E}\n"
     "A told tasks, tasks!PROTOCOL/, proxy data, END\n"
     "A >3 $S\n"
     "accept A\n"
     "A <1 {$P,'history data':[$1],'history data':[$2],$E}\n"
     "A told history data#1, history data#2!PROTOCOL/, proxy data, END\n"
     "accept A\n"
     "A <1 {$P,'data':[1],'hosts':{'fields':['id'],'data':[[7]]},'history "
     "data':{'fields':['id'],'data':[[8]]},$E}\n"
     "A told data!PROTOCOL/, hosts#7!PROTOCOL/, history data#8!PROTOCOL/, proxy data, END\n"
     "A >3 $S\n"
     "accept A\n"
     "A <1 {$P,'history data':[$2],$E}\n"
     "A told history data#2, proxy data, END\n"},
    {"results of tasks: those that are not known, or incomplete, are in error",
     "server 7.0.22\n"
     "add px\n"
     "accept A\n"
     "A <1 "
     "{$P,'tasks':[{'type':3,'clock':1,'ttl':0,'status':-1,'info':'','parent_taskid':1},{'type':3},"
     "{'type':6,'clock':1,'ttl':0,'itemid':1},{'type':77},5],$E}\n"
     "A told tasks, tasks!PROTOCOL/clock, tasks!PROTOCOL/type, tasks!PROTOCOL/type, "
     "tasks!PROTOCOL/, proxy data, END\n"
     "A >3 $S\n"},
    {"throttled: data are not taken, tasks are",
     "server 7.0.22\n"
     "add px\n"
     "throttle 1\n"
     "task px {'type':6,'itemid':1,'clock':5}\n"
     "accept A\n"
     "A <3 {$P,'history data':[$1],'tasks':[{'type':3}],$E}\n"
     "A told tasks!PROTOCOL/clock, proxy data!PROTOCOL/upload, END\n"
     "A >3 {'upload':'disabled','response':'failed'}\n"
     "status px tasks 1\n"
     "status px rows 0\n"
     "accept A\n"
     "A <3 {$P,'host data':[],$E}\n"
     "A told proxy data!PROTOCOL/upload, END\n"
     "A >3 {'upload':'disabled','response':'failed'}\n"
     "accept A\n"
     "A <3 "
     "{$P,'tasks':[{'type':8,'clock':1,'ttl':0,'status':0,'info':'f','parent_taskid':91}],$E}\n"
     "A told tasks, proxy data, END\n"
     "A >3 "
     "{'upload':'disabled','response':'success','tasks':[{'type':6,'clock':5,'ttl':0,'itemid':1}]}"
     "\n"
     "throttle 0\n"
     "accept A\n"
     "A <3 {$P,'history data':[$1],$E}\n"
     "A told history data#1, proxy data, END\n"
     "A >3 $S\n"},
    {"throttled in the middle of a message: it was begun",
     "server 7.0.22\n"
     "add px\n"
     "accept A\n"
     "A part {$P,'history data':[$1|],'version':'7.0.22',$N}\n"
     "A next history data#1\n"
     "throttle 1\n"
     "A rest\n"
     "A told proxy data, END\n"
     "A >3 {'upload':'disabled','response':'success'}\n"},
    {"tasks are given once, with the next answer to data",
     "server 7.0.22\n"
     "add px\n"
     "tick 0 1000\n"
     "task px {'type':6,'itemid':930001}\n"
     "task px {'itemid':930002,'ttl':9,'type':6,'clock':995}\n"
     "task px {'type':6,'itemid':930003,'ttl':9,'clock':990}\n"
     "status px tasks 3\n"
     "accept A\n"
     "A <3 {$C0}\n"
     "A told proxy config, END\n"
     "status px tasks 3\n"
     "accept A\n"
     "A <3 {$P,$E}\n"
     "A told proxy data, END\n"
     "A >3 "
     "{'upload':'enabled','response':'success','tasks':[{'type':6,'clock':1000,'ttl':0,'itemid':"
     "930001},{'type':6,'clock':995,'ttl':9,'itemid':930002}]}\n"
     "status px tasks 0\n"
     "accept A\n"
     "A <3 {$P,$E}\n"
     "A told proxy data, END\n"
     "A >3 $S\n"},
    {"a task expires when its time is over, and not before",
     "server 7.0.22\n"
     "add px\n"
     "tick 0 1000\n"
     "task px {'type':6,'itemid':1,'ttl':10}\n"
     "task px {'type':6,'itemid':2,'ttl':9}\n"
     "tick 0 1010\n"
     "accept A\n"
     "A <3 {$P,$E}\n"
     "A told proxy data, END\n"
     "A >3 "
     "{'upload':'enabled','response':'success','tasks':[{'type':6,'clock':1000,'ttl':10,'itemid':1}"
     "]}\n"},
    {"tasks that are none",
     "server 7.0.22\n"
     "add px\n"
     "task nosuch {'type':6,'itemid':1} =STATE\n"
     "task px {'type':6} =VALUE\n"
     "task px {'itemid':1} =VALUE\n"
     "task px {'type':3,'status':0,'info':'','parent_taskid':1} =VALUE\n"
     "task px {'type':1,'itemid':1} =VALUE\n"
     "task px {'type':6,'itemid':'1'} =VALUE\n"
     "task px {'type':6,'itemid':1,'more':1} =VALUE\n"
     "task px {'type':6,'type':6,'itemid':1} =VALUE\n"
     "task px {'type':6,'itemid':1,'clock':'1'} =VALUE\n"
     "task px {'type':7,'datatype':1,'parent_taskid':1,'data':'a\\u0000b'} =VALUE\n"
     "task px {'type':7,'datatype':1,'parent_taskid':1,'data':'ab'}\n"
     "status px tasks 1\n"},
    {"the limit of tasks", "server 7.0.22 tasks 2\n"
                           "add px\n"
                           "add py\n"
                           "tick 0 1000\n"
                           "task px {'type':6,'itemid':1,'ttl':5}\n"
                           "task px {'type':6,'itemid':2}\n"
                           "task px {'type':6,'itemid':3} =LIMIT\n"
                           "task py {'type':6,'itemid':3}\n"
                           "tick 0 1006\n"
                           "task px {'type':6,'itemid':4}\n"
                           "status px tasks 2\n"},
    {"outdated proxies get no task of type 7",
     "server 7.0.22\n"
     "add px\n"
     "task px {'type':7,'datatype':1,'parent_taskid':1,'data':'','clock':5}\n"
     "task px {'type':6,'itemid':3,'clock':5}\n"
     "accept A\n"
     "A <3 {$P,'version':'6.4.0',$N}\n"
     "A told proxy data, END\n"
     "A >3 "
     "{'upload':'enabled','response':'success','tasks':[{'type':6,'clock':5,'ttl':0,'itemid':3}]}\n"
     "status px tasks 1\n"
     "accept A\n"
     "A <3 {$P,'version':'6.4.0',$N}\n"
     "A told proxy data, END\n"
     "A >3 $S\n"
     "accept A\n"
     "A <3 {$P,'version':'7.0.0',$N}\n"
     "A told proxy data, END\n"
     "A >3 "
     "{'upload':'enabled','response':'success','tasks':[{'type':7,'clock':5,'ttl':0,'datatype':1,'"
     "parent_taskid':1,'data':''}]}\n"},
    {"a passive proxy of a version that is not taken gets no task",
     "server 7.0.22\n"
     "add pp passive 1\n"
     "task pp {'type':6,'itemid':3,'clock':5}\n"
     "connect B pp proxy config\n"
     "B free\n"
     "throttle 1\n"
     "tick 5000\n"
     "connect A pp proxy tasks\n"
     "met A\n"
     "A told MORE\n"
     "A >3 {'request':'proxy tasks'}\n"
     "A <3 {'version':'5.0.0',$N}\n"
     "A told proxy tasks, END\n"
     "A >3 {'response':'success'}\n"
     "tick 6000\n"
     "connect A pp proxy tasks\n"
     "met A\n"
     "A told MORE\n"
     "A <3 {$N}\n"
     "A told proxy tasks, END\n"
     "status pp tasks 1\n"
     "tick 7000\n"
     "connect A pp proxy tasks\n"
     "met A\n"
     "A told MORE\n"
     "A <3 {'version':'6.4.0',$N}\n"
     "A told proxy tasks, END\n"
     "status pp tasks 0\n"},
    {"before 6.4 it gets them all the same", "server 6.0.14\n"
                                             "add pp passive 1 compress 0\n"
                                             "task pp {'type':6,'itemid':3,'clock':5}\n"
                                             "connect B pp proxy config\n"
                                             "B free\n"
                                             "throttle 1\n"
                                             "tick 5000\n"
                                             "connect A pp proxy tasks\n"
                                             "met A\n"
                                             "A told MORE\n"
                                             "A <1 {'version':'7.0.0',$N}\n"
                                             "A told proxy tasks, END\n"
                                             "status pp tasks 0\n"},
    {"what is restored before the time is told lasts from then on",
     "server 7.0.22\n"
     "add px\n"
     "accept A\n"
     "A <3 {$P,'history data':[$1],$E}\n"
     "A told history data#1, proxy data, END\n"
     "save\n"
     "restart untold\n"
     "add px\n"
     "restore\n"
     "tick 900000000\n"
     "accept A\n"
     "A <3 {$P,'history data':[$1],$E}\n"
     "A told proxy data, END\n"
     "tick 986399999\n"
     "accept A\n"
     "A <3 {$P,'history data':[$1],$E}\n"
     "A told proxy data, END\n"
     "tick 1072799999\n"
     "accept A\n"
     "A <3 {$P,'history data':[$1],$E}\n"
     "A told history data#1, proxy data, END\n"},
    {"a proxy that asks a vault itself is sent no secrets",
     "server 7.4.0\n"
     "add px\n"
     "load px {'macro.secrets':{'p':{'k':'v'}}}\n"
     "accept A\n"
     "A <3 {'request':'proxy "
     "config','host':'px','version':'7.4.0',$T,'config_revision':0,'proxy_secrets_provider':1}\n"
     "A told proxy config, END\n"
     "A >3 {'full_sync':1,*]}},'config_revision':1}\n"
     "accept A\n"
     "A <3 {'request':'proxy "
     "config','host':'px','version':'7.4.0',$T,'config_revision':0,'proxy_secrets_provider':0}\n"
     "A told proxy config, END\n"
     "A >3 {*'macro.secrets':{'p':{'k':'v'}},'config_revision':1}\n"},
    {"before 7.4 no proxy can ask for that",
     "server 7.2.0\n"
     "add px\n"
     "load px {'macro.secrets':{'p':{'k':'v'}}}\n"
     "accept A\n"
     "A <3 {'request':'proxy "
     "config','host':'px','version':'7.2.0',$T,'config_revision':0,'proxy_secrets_provider':1}\n"
     "A told proxy config, END\n"
     "A >3 {*'macro.secrets':{'p':{'k':'v'}},'config_revision':1}\n"},
    {"tasks do not go with a failure", "server 7.0.22\n"
                                       "add px\n"
                                       "task px {'type':6,'itemid':3}\n"
                                       "accept A\n"
                                       "A <1 {$P,'discovery data':[{}],$E}\n"
                                       "A told discovery data!PROTOCOL/clock, proxy data, END\n"
                                       "A >1 {'response':'failed',*\n"
                                       "status px tasks 1\n"},
    {"held data wait for their acknowledgement",
     "server 7.0.22 hold 1\n"
     "add px\n"
     "accept A\n"
     "A acknowledge =STATE\n"
     "A <3 {$P,'history data':[$1],$E}\n"
     "A next history data#1\n"
     "A acknowledge =STATE\n"
     "A told proxy data, MORE\n"
     "A silent\n"
     "status px rows 0\n"
     "A acknowledge\n"
     "A acknowledge =STATE\n"
     "A told END\n"
     "A >3 $S\n"
     "status px rows 1\n"
     "A acknowledge =STATE\n"
     "accept A\n"
     "A <3 {$P,'history data':[$1],$E}\n"
     "A told proxy data, END\n"
     "A >3 $S\n"
     "accept A\n"
     "A <3 {$P,'tasks':[{'type':3,'clock':1,'ttl':0,'status':0,'info':'','parent_taskid':1}],$E}\n"
     "A told tasks, proxy data, MORE\n"
     "A acknowledge\n"
     "A told END\n"
     "A >3 $S\n"},
    {"held data that are refused, or given up, come again",
     "server 7.0.22 hold 1\n"
     "add px\n"
     "accept A\n"
     "A <1 {$P,'history data':[$1],$E}\n"
     "A told history data#1, proxy data, MORE\n"
     "A refuse full\n"
     "A >1 {'response':'failed','info':'full'}\n"
     "A acknowledge =STATE\n"
     "A told END\n"
     "accept A\n"
     "A <1 {$P,'history data':[$1],$E}\n"
     "A told history data#1, proxy data, MORE\n"
     "A free\n"
     "accept A\n"
     "A <1 {$P,'history data':[$1],$E}\n"
     "A told history data#1, proxy data, MORE\n"
     "A acknowledge\n"
     "A told END\n"
     "status px rows 1\n"},
    {"without hold, what the caller refuses comes again, too",
     "server 7.0.22\n"
     "add px\n"
     "accept A\n"
     "A <1 {$P,'history data':[$1],$E}\n"
     "A next history data#1\n"
     "A next proxy data\n"
     "A refuse full\n"
     "A >1 {'response':'failed','info':'full'}\n"
     "A told END\n"
     "status px rows 0\n"
     "accept A\n"
     "A <1 {$P,'history data':[$1],$E}\n"
     "A told history data#1, proxy data, END\n"
     "status px rows 1\n"},
    {"without hold, what was told counts, though the answer is never sent",
     "server 7.0.22\n"
     "add px\n"
     "accept A\n"
     "A <1 {$P,'history data':[$1],$E}\n"
     "A next history data#1\n"
     "A next proxy data\n"
     "A free\n"
     "status px rows 1\n"
     "accept A\n"
     "A <1 {$P,'history data':[$1],$E}\n"
     "A told proxy data, END\n"},
    {"the same values on two connections count once, whichever ends first",
     "server 7.0.22\n"
     "add px\n"
     "accept A\n"
     "A part {$P,'history data':[$1|],'version':'7.0.22',$N}\n"
     "A next history data#1\n"
     "accept B\n"
     "B <1 {$P,'history data':[$1],$E}\n"
     "B told history data#1, proxy data, END\n"
     "A rest\n"
     "A told proxy data!PROTOCOL/session, END\n"
     "A >3 {'upload':'enabled','response':'failed'}\n"
     "status px rows 1\n"},
    {"no other message of a session counts while one is held",
     "server 7.0.22 hold 1\n"
     "add px\n"
     "accept A\n"
     "A <1 {$P,'history data':[$1],$E}\n"
     "A told history data#1, proxy data, MORE\n"
     "accept B\n"
     "B <1 {$P,'history data':[$1],$E}\n"
     "B told history data#1, proxy data!PROTOCOL/session, END\n"
     "B >3 {'upload':'enabled','response':'failed'}\n"
     "accept C\n"
     "C <3 {'request':'proxy data','host':'px',$O,'history data':[$1],'version':'7.0.22',$N}\n"
     "C told history data#1, proxy data, MORE\n"
     "C acknowledge\n"
     "A acknowledge\n"
     "A told END\n"
     "C told END\n"
     "accept B\n"
     "B <1 {$P,'history data':[$1],$E}\n"
     "B told proxy data, END\n"
     "status px rows 2\n"},
    {"a proxy that is removed gets no answer any more",
     "server 7.0.22\n"
     "add px\n"
     "load px {'hosts':[]}\n"
     "accept A\n"
     "A <1 {$C0}\n"
     "A next proxy config\n"
     "remove px\n"
     "A told END\n"
     "A silent\n"
     "add px\n"
     "accept A\n"
     "A <1 {$P,'history data':[$1],$E}\n"
     "A next history data#1\n"
     "remove px\n"
     "A told proxy data!PROTOCOL/host, PROTOCOL\n"
     "A proxy none\n"
     "A >1 {'response':'failed','info':'proxy \\\"px\\\" not found'}\n"
     "add px\n"
     "accept A\n"
     "A <1 {$P,'history data':[$1],$E}\n"
     "A next history data#1\n"
     "A next proxy data\n"
     "remove px\n"
     "A told END\n"
     "A silent\n"},
    {"nor one that may no longer", "server 7.0.22\n"
                                   "add px\n"
                                   "load px {'hosts':[]}\n"
                                   "accept A\n"
                                   "A <1 {$C0}\n"
                                   "A next proxy config\n"
                                   "add px connections 2\n"
                                   "A told END\n"
                                   "A silent\n"
                                   "add px\n"
                                   "accept A\n"
                                   "A <1 {$C0}\n"
                                   "A next proxy config\n"
                                   "add px passive 1\n"
                                   "A told END\n"
                                   "A silent\n"
                                   "add px\n"
                                   "accept A\n"
                                   "A <1 {$C0}\n"
                                   "A next proxy config\n"
                                   "add px\n"
                                   "A told END\n"
                                   "A >3 {'full_sync':1,*\n"},
    {"what is kept of a proxy stays when it is added again",
     "server 7.0.22\n"
     "add px\n"
     "task px {'type':6,'itemid':3,'clock':5}\n"
     "accept A\n"
     "A <1 {$P,'history data':[$1],$E}\n"
     "A told history data#1, proxy data, END\n"
     "task px {'type':6,'itemid':3,'clock':5}\n"
     "add px\n"
     "status px tasks 1\n"
     "accept A\n"
     "A <1 {$P,'history data':[$1],$E}\n"
     "A told proxy data, END\n"},
    {"an unknown session, or revision 0, gets a full copy, until that arrived",
     "server 7.0.22\n"
     "add px\n"
     "load px {'hosts':[]}\n"
     "accept A\n"
     "A <1 {$C1}\n"
     "A told proxy config, END\n"
     "A >3 {'full_sync':1,*,'config_revision':2}\n"
     "status px revision 1\n"
     "accept A\n"
     "A <1 {$C1}\n"
     "A told proxy config, END\n"
     "A >3 {'full_sync':1,*,'config_revision':2}\n"
     "accept A\n"
     "A <1 {$C2}\n"
     "A told proxy config, END\n"
     "A >3 {}\n"
     "accept A\n"
     "A <1 {$C'2'}\n"
     "A told proxy config, END\n"
     "A >3 {}\n"
     "accept A\n"
     "A <1 {$C0}\n"
     "A told proxy config, END\n"
     "A >3 {'full_sync':1,*\n"
     "accept A\n"
     "A <1 {'request':'proxy config','host':'px','version':'7.0.22',$O,'config_revision':1}\n"
     "A told proxy config, END\n"
     "A >3 {'full_sync':1,*\n"
     "accept A\n"
     "A <1 {'request':'proxy "
     "config','host':'px','version':'7.0.22','session':'x','config_revision':1}\n"
     "A told proxy config, END\n"
     "A >3 {'full_sync':1,*\n"
     "accept A\n"
     "A <1 {'request':'proxy "
     "config','host':'px','version':'7.0.22','session':'x','config_revision':1}\n"
     "A told proxy config, END\n"
     "A >3 {'full_sync':1,*\n"
     "accept A\n"
     "A <1 {'request':'proxy "
     "config','host':'px','version':'7.0.22','session':'x','config_revision':4611686018427387903}\n"
     "A told proxy config, END\n"
     "A >3 {'full_sync':1,*,'config_revision':4611686018427387904}\n"
     "accept A\n"
     "A <1 {'request':'proxy "
     "config','host':'px','version':'7.0.22','session':'x','config_revision':18446744073709551615}"
     "\n"
     "A told proxy config, END\n"
     "A >3 {'full_sync':1,*,'config_revision':4611686018427387904}\n"},
    {"so does a session that only data were taken from", "server 7.0.22\n"
                                                         "add px\n"
                                                         "load px {'hosts':[]}\n"
                                                         "accept A\n"
                                                         "A <1 {$P,'history data':[$1],$E}\n"
                                                         "A told history data#1, proxy data, END\n"
                                                         "accept A\n"
                                                         "A <1 {$C1}\n"
                                                         "A told proxy config, END\n"
                                                         "A >3 {'full_sync':1,*\n"},
    {"and one that was not used for a day", "server 7.0.22\n"
                                            "add px\n"
                                            "load px {'hosts':[]}\n"
                                            "tick 1000\n"
                                            "accept A\n"
                                            "A <1 {$C1}\n"
                                            "A told proxy config, END\n"
                                            "A >3 {'full_sync':1,*\n"
                                            "tick 86400999\n"
                                            "accept A\n"
                                            "A <1 {$C2}\n"
                                            "A told proxy config, END\n"
                                            "A >3 {}\n"
                                            "tick 172800999\n"
                                            "accept A\n"
                                            "A <1 {$C2}\n"
                                            "A told proxy config, END\n"
                                            "A >3 {'full_sync':1,*\n"},
    {"who may not ask is not told what else its request lacks",
     "server 7.0.22\n"
     "add px connections 2\n"
     "accept A\n"
     "A <1 {'request':'proxy config','host':'px','version':'7.0.22'}\n"
     "A told proxy config!PROTOCOL/, PROTOCOL\n"
     "A silent\n"
     "accept B\n"
     "B <1 {'request':'proxy config','host':'py','version':'7.0.22'}\n"
     "B told proxy config!PROTOCOL/host, PROTOCOL\n"
     "B silent\n"},
    {"requests for the configuration that lack something",
     "server 7.0.22\n"
     "add px\n"
     "load px {'hosts':[]}\n"
     "accept A\n"
     "A <1 {'request':'proxy config','host':'px','version':'7.0.22'}\n"
     "A told proxy config!PROTOCOL/session, PROTOCOL\n"
     "A >3 {'response':'failed','info':'cannot get session from proxy configuration request'}\n"
     "accept A\n"
     "A <1 {'request':'proxy config','host':'px','version':'7.0.22',$T}\n"
     "A told proxy config!PROTOCOL/config_revision, PROTOCOL\n"
     "A >3 {'response':'failed','info':'cannot get revision from proxy configuration request'}\n"
     "accept A\n"
     "A <1 {$C'x'}\n"
     "A told proxy config!PROTOCOL/config_revision, PROTOCOL\n"
     "A >3 {'response':'failed','info':'invalid proxy configuration revision: x'}\n"
     "accept A\n"
     "A <1 {$C-1}\n"
     "A told proxy config!PROTOCOL/config_revision, PROTOCOL\n"
     "A >3 {'response':'failed','info':'invalid proxy configuration revision: -1'}\n"},
    {"a configuration of 6.0 is whole, as a heartbeat is answered",
     "server 6.0.14\n"
     "add px compress 0\n"
     "load px {'hosts':[]}\n"
     "accept A\n"
     "A <1 {'request':'proxy config','host':'px','version':'6.0.14'}\n"
     "A told proxy config, END\n"
     "A >1 {*'macro.secrets':{}}\n"
     "accept A\n"
     "A <1 {'request':'proxy heartbeat','host':'px','version':'6.0.14'}\n"
     "A told proxy heartbeat, END\n"
     "A >1 {'response':'success'}\n"
     "accept A\n"
     "A <1 {'request':'proxy heartbeat','host':'nosuch','version':'6.0.14'}\n"
     "A told proxy heartbeat!PROTOCOL/host, PROTOCOL\n"
     "A >1 {'response':'failed','info':'proxy \\\"nosuch\\\" not found'}\n"},
    {"before 6.4 answers are compressed as the proxy's message before was",
     "server 6.0.14\n"
     "add px compress 0\n"
     "accept A\n"
     "A <3 {$P,'version':'6.0.14',$N}\n"
     "A told proxy data, END\n"
     "A >1 $S\n"
     "accept A\n"
     "A <1 {$P,'version':'6.0.14',$N}\n"
     "A told proxy data, END\n"
     "A >3 $S\n"
     "accept A\n"
     "A <1 {$P,'version':'6.0.14',$N}\n"
     "A told proxy data, END\n"
     "A >1 $S\n"
     "add py\n"
     "accept A\n"
     "A <1 {'request':'proxy heartbeat','host':'py','version':'6.0.14'}\n"
     "A told proxy heartbeat, END\n"
     "A >1 {'response':'success'}\n"},
    {"agents and senders are the caller's business",
     "server 7.0.22\n"
     "add za1\n"
     "accept A\n"
     "A <1 {'request':'sender data','data':[{'host':'h','key':'k','value':'1'}],$N}\n"
     "A told data, sender data, MORE\n"
     "A proxy none\n"
     "A silent\n"
     "A refuse no\n"
     "A >1 {'response':'failed','info':'no'}\n"
     "A told END\n"
     "accept A\n"
     "A <1 {'request':'active checks','host':'za1'}\n"
     "A told active checks, MORE\n"
     "A proxy none\n"
     "A acknowledge =STATE\n"},
    {"sessions outlive the server", "server 7.0.22\n"
                                    "add px\n"
                                    "add py passive 1\n"
                                    "accept A\n"
                                    "accept B\n"
                                    "accept C\n"
                                    "connect D py proxy config\n"
                                    "A <1 {$P,'history data':[$1],$E}\n"
                                    "A next history data#1\n"
                                    "B <1 {$P,'history data':[$1],$E}\n"
                                    "B next history data#1\n"
                                    "B next proxy data\n"
                                    "quit\n"
                                    "A told END\n"
                                    "B told END\n"
                                    "B silent\n"
                                    "B acknowledge =STATE\n"
                                    "B proxy none\n"
                                    "C told END\n"
                                    "met D =STATE\n"
                                    "D told END\n"
                                    "D silent\n"},
    /* ---- passive proxies ---- */
    {"a passive proxy of 6.0 gets its configuration, then data and tasks are asked for",
     "server 6.0.14\n"
     "add pp passive 1 compress 0\n"
     "load pp {'hosts':[]}\n"
     "task pp {'type':6,'itemid':1,'clock':5}\n"
     "tick 100\n"
     "due 0\n"
     "connect A pp proxy config\n"
     "idle\n"
     "due never\n"
     "A told MORE\n"
     "A silent\n"
     "A proxy none\n"
     "met A\n"
     "met A =STATE\n"
     "A proxy pp\n"
     "A told MORE\n"
     "A >1 {'request':'proxy config','data':{*,'macro.secrets':{}}}\n"
     "A <3 {'response':'success','version':'6.0.14'}\n"
     "A told response, MORE\n"
     "A end\n"
     "A told END\n"
     "status pp version 6.0.14\n"
     "due 0\n"
     "connect A pp proxy data\n"
     "met A\n"
     "A told MORE\n"
     "A >3 {'request':'proxy data'}\n"
     "A <3 {$T,'history data':[$1],'version':'6.0.14',$N}\n"
     "A told history data#1, proxy data, END\n"
     "A >3 {'response':'success','tasks':[{'type':6,'clock':5,'ttl':0,'itemid':1}]}\n"
     "status pp rows 1\n"
     "due 1100\n"
     "idle\n"
     "tick 1099\n"
     "idle\n"
     "tick 1100\n"
     "connect A pp proxy data\n"
     "met A\n"
     "A told MORE\n"
     "A >3 {'request':'proxy data'}\n"
     "A <3 {$T,'history data':[$1,$2],'version':'6.0.14',$N}\n"
     "A told history data#2, proxy data, END\n"
     "A >3 {'response':'success'}\n"
     "tick 3600099\n"
     "connect A pp proxy data\n"
     "met A\n"
     "A told MORE\n"
     "A <3 {$T,'version':'6.0.14',$N}\n"
     "A told proxy data, END\n"
     "tick 3600100\n"
     "connect A pp proxy config\n"},
    {"one of 7.0 says first what it has", "server 7.0.22\n"
                                          "add pp passive 1\n"
                                          "load pp {'hosts':[]}\n"
                                          "connect A pp proxy config\n"
                                          "met A\n"
                                          "A told MORE\n"
                                          "A >1 {'request':'proxy config'}\n"
                                          "A <1 {'version':'7.0.22',$T,'config_revision':16}\n"
                                          "A told proxy config, MORE\n"
                                          "A >3 {'full_sync':1,*\n"
                                          "A <3 {'response':'success','version':'7.0.22'}\n"
                                          "A told response, MORE\n"
                                          "A end\n"
                                          "A told END\n"
                                          "tick 10000\n"
                                          "connect A pp proxy data\n"
                                          "met A\n"
                                          "A told MORE\n"
                                          "A <3 {$T,'version':'7.0.22',$N}\n"
                                          "A told proxy data, END\n"
                                          "connect A pp proxy config\n"
                                          "met A\n"
                                          "A told MORE\n"
                                          "A >1 {'request':'proxy config'}\n"
                                          "A <1 {'version':'7.0.22',$T,'config_revision':17}\n"
                                          "A told proxy config, MORE\n"
                                          "A >3 {}\n"
                                          "A <3 {'response':'success','version':'7.0.22'}\n"
                                          "A told response, MORE\n"
                                          "A end\n"
                                          "A told END\n"
                                          "status pp revision 17\n"
                                          "status pp failures 0\n"},
    {"a passive proxy that is removed in the handshake gets an empty configuration",
     "server 7.0.22\n"
     "add pp passive 1\n"
     "load pp {'hosts':[]}\n"
     "connect A pp proxy config\n"
     "met A\n"
     "A told MORE\n"
     "A >1 {'request':'proxy config'}\n"
     "A <1 {'version':'7.0.22',$T,'config_revision':0}\n"
     "A next proxy config\n"
     "remove pp\n"
     "A told END\n"
     "A >3 {}\n"
     "add pp passive 1\n"
     "connect A pp proxy config\n"
     "remove pp\n"
     "met A\n"
     "A told END\n"
     "A silent\n"
     "add pp passive 1\n"
     "connect A pp proxy config\n"
     "A free\n"
     "tick 5000\n"
     "connect A pp proxy data\n"
     "met A\n"
     "A told MORE\n"
     "remove pp\n"
     "A <3 {$T,'history data':[$1],'version':'7.0.22',$N}\n"
     "A told proxy data!PROTOCOL/, PROTOCOL\n"},
    {"a refused handshake, and a configuration that was not taken, are tried again",
     "server 7.0.22\n"
     "add pp passive 1\n"
     "tick 1000\n"
     "connect A pp proxy config\n"
     "met A\n"
     "A told MORE\n"
     "A >1 {'request':'proxy config'}\n"
     "A <3 {'response':'failed','info':'configuration sync is already in progress','version':"
     "'7.0.22'}\n"
     "A told response, MORE\n"
     "A silent\n"
     "A end\n"
     "A told END\n"
     "status pp failures 1\n"
     "due 6000\n"
     "tick 6000\n"
     "connect A pp proxy data\n"
     "A free\n"
     "status pp failures 2\n"
     "due 11000\n"
     "tick 11000\n"
     "connect A pp proxy tasks\n"
     "met A\n"
     "A told MORE\n"
     "A >3 {'request':'proxy tasks'}\n"
     "A <3 {'version':'7.0.22',$N}\n"
     "A told proxy tasks, END\n"
     "A >3 {'response':'success'}\n"
     "status pp failures 0\n"
     "connect A pp proxy config\n"
     "met A\n"
     "A told MORE\n"
     "A <1 {'version':'7.0.22',$T,'config_revision':0}\n"
     "A told proxy config, MORE\n"
     "A <3 {'response':'failed','info':'no','version':'7.0.22'}\n"
     "A told response, MORE\n"
     "A end\n"
     "A told END\n"
     "status pp failures 1\n"
     "idle\n"
     "due 16000\n"},
    {"more is asked for at once", "server 7.0.22 config_ms 1000000\n"
                                  "add pp passive 1\n"
                                  "connect A pp proxy config\n"
                                  "met A\n"
                                  "A told MORE\n"
                                  "A <1 {'version':'7.0.22',$T,'config_revision':0}\n"
                                  "A told proxy config, MORE\n"
                                  "A <3 {'response':'success','version':'7.0.22'}\n"
                                  "A end\n"
                                  "A told response, END\n"
                                  "tick 500\n"
                                  "connect A pp proxy data\n"
                                  "met A\n"
                                  "A told MORE\n"
                                  "A <3 {$T,'history data':[$1],'more':1,'version':'7.0.22',$N}\n"
                                  "A told history data#1, proxy data, END\n"
                                  "connect A pp proxy data\n"
                                  "met A\n"
                                  "A told MORE\n"
                                  "A <3 {$T,'history data':[$2],'version':'7.0.22',$N}\n"
                                  "A told history data#2, proxy data, END\n"
                                  "idle\n"
                                  "due 1500\n"},
    {"tasks are asked for while data are not due, or not wanted",
     "server 7.0.22 data_ms 5000 config_ms 1000000\n"
     "add pp passive 1\n"
     "connect A pp proxy config\n"
     "met A\n"
     "A told MORE\n"
     "A <1 {'version':'7.0.22',$T,'config_revision':0}\n"
     "A told proxy config, MORE\n"
     "A <3 {'response':'success','version':'7.0.22'}\n"
     "A end\n"
     "A told response, END\n"
     "connect A pp proxy data\n"
     "met A\n"
     "A told MORE\n"
     "A <3 {$T,'version':'7.0.22',$N}\n"
     "A told proxy data, END\n"
     "due 1000\n"
     "tick 1000\n"
     "task pp {'type':6,'itemid':1,'clock':5}\n"
     "connect A pp proxy tasks\n"
     "met A\n"
     "A told MORE\n"
     "A >3 {'request':'proxy tasks'}\n"
     "A <3 {'tasks':[{'type':3,'clock':1,'ttl':0,'status':0,'info':'f','parent_taskid':91}],"
     "'version':'7.0.22',$N}\n"
     "A told tasks, proxy tasks, END\n"
     "A >3 {'response':'success','tasks':[{'type':6,'clock':5,'ttl':0,'itemid':1}]}\n"
     "throttle 1\n"
     "tick 7000\n"
     "connect A pp proxy tasks\n"
     "A free\n"
     "throttle 0\n"
     "tick 12000\n"
     "connect A pp proxy data\n"},
    {"a passive proxy can ask for its configuration",
     "server 7.0.22 config_ms 1000000\n"
     "add pp passive 1\n"
     "connect A pp proxy config\n"
     "met A\n"
     "A told MORE\n"
     "A <1 {'version':'7.0.22',$T,'config_revision':0}\n"
     "A told proxy config, MORE\n"
     "A <3 {'response':'success','version':'7.0.22'}\n"
     "A end\n"
     "A told response, END\n"
     "tick 1000\n"
     "connect A pp proxy data\n"
     "met A\n"
     "A told MORE\n"
     "A <3 {$T,'tasks':[{'type':9,'clock':1,'ttl':0,'datatype':3,'parent_taskid':0,'data':"
     "'{\\\"proxy_name\\\":\\\"pp\\\"}'}],'version':'7.0.22',$N}\n"
     "A told tasks, proxy data, END\n"
     "connect A pp proxy config\n"},
    {"a passive proxy of another version: no configuration, and data are not taken",
     "server 7.0.22\n"
     "add pp passive 1\n"
     "connect A pp proxy config\n"
     "met A\n"
     "A told MORE\n"
     "A >1 {'request':'proxy config'}\n"
     "A <1 {'version':'6.4.0',$T,'config_revision':0}\n"
     "A told proxy config!PROTOCOL/version, PROTOCOL\n"
     "A >3 {'response':'failed','info':'proxy and server major versions do not match'}\n"
     "tick 5000\n"
     "connect A pp proxy data\n"
     "met A\n"
     "A told MORE\n"
     "A <3 {$T,'history data':[$1],'version':'6.4.0',$N}\n"
     "A told history data#1, proxy data, END\n"
     "tick 10000\n"
     "connect A pp proxy data\n"
     "met A\n"
     "A told MORE\n"
     "A >3 {'request':'proxy data'}\n"
     "A <3 {$T,'history data':[$2],'version':'5.0.0',$N}\n"
     "A told history data#2, proxy data!PROTOCOL/version, END\n"
     "A >3 {'response':'success'}\n"
     "status pp rows 1\n"
     "tick 100000\n"
     "connect A pp proxy tasks\n"
     "met A\n"
     "A told MORE\n"
     "A <3 {'version':'7.0.1',$N}\n"
     "A told proxy tasks, END\n"
     "connect A pp proxy config\n"},
    {"before 6.4 such a proxy is asked for everything all the same",
     "server 6.0.14\n"
     "add pp passive 1 compress 0\n"
     "connect A pp proxy config\n"
     "met A\n"
     "A told MORE\n"
     "A <1 {'response':'success','version':'7.0.0'}\n"
     "A end\n"
     "A told response, END\n"
     "connect A pp proxy data\n"
     "met A\n"
     "A told MORE\n"
     "A >1 {'request':'proxy data'}\n"
     "A <1 {$T,'history data':[$2],'version':'7.0.0',$N}\n"
     "A told history data#2, proxy data!PROTOCOL/version, END\n"
     "A >1 {'response':'success'}\n"
     "tick 1000\n"
     "connect A pp proxy data\n"
     "met A\n"
     "A told MORE\n"
     "A >1 {'request':'proxy data'}\n"
     "A <1 {$T,'history data':[$2],$N}\n"
     "A told history data#2, proxy data!PROTOCOL/version, END\n"
     "A >1 {'response':'success'}\n"
     "tick 2000\n"
     "connect A pp proxy data\n"},
    {"an error in what a passive proxy sent is not told to it",
     "server 7.0.22\n"
     "add pp passive 1\n"
     "connect B pp proxy config\n"
     "B free\n"
     "tick 5000\n"
     "connect A pp proxy data\n"
     "met A\n"
     "A told MORE\n"
     "A >3 {'request':'proxy data'}\n"
     "A <3 {$T,'history data':[$1],'discovery data':[{}],'version':'7.0.22',$N}\n"
     "A told history data#1, discovery data!PROTOCOL/clock, proxy data, END\n"
     "A >3 {'response':'success'}\n"
     "status pp rows 1\n"},
    {"held data of a passive proxy", "server 7.0.22 hold 1\n"
                                     "add pp passive 1\n"
                                     "connect B pp proxy config\n"
                                     "B free\n"
                                     "tick 5000\n"
                                     "connect A pp proxy data\n"
                                     "met A\n"
                                     "A told MORE\n"
                                     "A >3 {'request':'proxy data'}\n"
                                     "A <3 {$T,'history data':[$1],'version':'7.0.22',$N}\n"
                                     "A told history data#1, proxy data, MORE\n"
                                     "A silent\n"
                                     "A acknowledge\n"
                                     "A told END\n"
                                     "A >3 {'response':'success'}\n"
                                     "tick 6000\n"
                                     "connect A pp proxy config\n"
                                     "A free\n"
                                     "tick 11000\n"
                                     "connect A pp proxy data\n"
                                     "met A\n"
                                     "A told MORE\n"
                                     "A >3 {'request':'proxy data'}\n"
                                     "A <3 {$T,'history data':[$1,$2],'version':'7.0.22',$N}\n"
                                     "A told history data#2, proxy data, MORE\n"
                                     "A refuse no\n"
                                     "A >3 {'response':'failed','info':'no'}\n"
                                     "A told END\n"
                                     "tick 16000\n"
                                     "connect A pp proxy tasks\n"},
    {"each passive proxy gets its turn", "server 7.0.22\n"
                                         "add p1 passive 1\n"
                                         "add p2 passive 1\n"
                                         "add p3 passive 1\n"
                                         "add a1\n"
                                         "connect A p1 proxy config\n"
                                         "connect B p2 proxy config\n"
                                         "A free\n"
                                         "tick 5000\n"
                                         "connect C p3 proxy config\n"
                                         "connect A p1 proxy data\n"
                                         "idle\n"
                                         "B free\n"
                                         "due 10000\n"},
    {"a silent passive proxy has failed in the end", "server 7.0.22 timeout_ms 700\n"
                                                     "add pp passive 1\n"
                                                     "connect A pp proxy config\n"
                                                     "met A\n"
                                                     "A told MORE\n"
                                                     "tick 699\n"
                                                     "A told MORE\n"
                                                     "tick 700\n"
                                                     "A told TIMEOUT\n"
                                                     "status pp failures 1\n"
                                                     "due 5700\n"},

    /* ---- what is kept ---- */
    {"the sessions that were used last are remembered",
     "server 7.0.22 sessions 2\n"
     "add px\n"
     "accept A\n"
     "A <3 {$P,'history data':[$5],$E}\n"
     "A told history data#5, proxy data, END\n"
     "tick 1\n"
     "accept A\n"
     "A <3 {'request':'proxy data','host':'px',$O,'history data':[$5],$E}\n"
     "A told history data#5, proxy data, END\n"
     "tick 2\n"
     "accept A\n"
     "A <3 {$P,'history data':[$5],$E}\n"
     "A told proxy data, END\n"
     "tick 3\n"
     "accept A\n"
     "A <3 {'request':'proxy data','host':'px','session':'0000000000000000000000000000000a',"
     "'history data':[$5],$E}\n"
     "A told history data#5, proxy data, END\n"
     "tick 4\n"
     "accept A\n"
     "A <3 {$P,'history data':[$5],$E}\n"
     "A told proxy data, END\n"
     "accept A\n"
     "A <3 {'request':'proxy data','host':'px',$O,'history data':[$5],$E}\n"
     "A told history data#5, proxy data, END\n"},
    {"and as long as they are used", "server 7.0.22 session_ms 1000\n"
                                     "add px\n"
                                     "accept A\n"
                                     "A <3 {$P,'history data':[$5],$E}\n"
                                     "A told history data#5, proxy data, END\n"
                                     "tick 999\n"
                                     "accept A\n"
                                     "A <3 {$P,'history data':[$5],$E}\n"
                                     "A told proxy data, END\n"
                                     "tick 1999\n"
                                     "accept A\n"
                                     "A <3 {$P,'history data':[$5],$E}\n"
                                     "A told history data#5, proxy data, END\n"},
    {"what was saved is known again",
     "server 7.0.22\n"
     "add px\n"
     "add py\n"
     "load px {'hosts':[]}\n"
     "tick 0 1000\n"
     "task px {'type':6,'itemid':1,'clock':5}\n"
     "task py {'type':6,'itemid':2,'clock':5,'ttl':2000}\n"
     "accept A\n"
     "A <3 {$C1}\n"
     "A told proxy config, END\n"
     "A >3 {'full_sync':1,*\n"
     "throttle 1\n"
     "throttle 0\n"
     "save\n"
     "accept A\n"
     "A <3 {$P,'history data':[$5],$E}\n"
     "A told history data#5, proxy data, END\n"
     "task px {'type':6,'itemid':1,'clock':5}\n"
     "save\n"
     "A free\n"
     "restart\n"
     "add px\n"
     "load px {'hosts':[]}\n"
     "restore\n"
     "status px tasks 1\n"
     "status px rows 0\n"
     "accept A\n"
     "A <3 {$P,'history data':[$5,$6],$E}\n"
     "A told history data#6, proxy data, END\n"
     "A >3 {'upload':'enabled','response':'success','tasks':[{'type':6,'clock':5,'ttl':0,"
     "'itemid':1}]}\n"
     "accept A\n"
     "A <3 {$C1}\n"
     "A told proxy config, END\n"
     "A >3 {'full_sync':1,*\n"
     "save\n"
     "restore\n"
     "accept A\n"
     "A <3 {$P,'history data':[$6],$E}\n"
     "A told proxy data, END\n"
     "add py\n"
     "status py tasks 0\n"},
    {"what is left of a session's time is saved with it",
     "server 7.0.22 session_ms 1000\n"
     "add px\n"
     "accept A\n"
     "A <3 {$P,'history data':[$5],$E}\n"
     "A told history data#5, proxy data, END\n"
     "tick 600\n"
     "save\n"
     "A free\n"
     "restart\n"
     "add px\n"
     "restore\n"
     "tick 999\n"
     "save\n"
     "restore\n"
     "accept A\n"
     "A part {$P,'history data':[$5|],$E}\n"
     "A told MORE\n"
     "A free\n"
     "tick 1000\n"
     "save\n"
     "restore\n"
     "accept A\n"
     "A <3 {$P,'history data':[$5],$E}\n"
     "A told history data#5, proxy data, END\n"},
    {"held data are not saved before they are acknowledged",
     "server 7.0.22 hold 1\n"
     "add px\n"
     "accept A\n"
     "A <3 {$P,'history data':[$5],$E}\n"
     "A told history data#5, proxy data, MORE\n"
     "save\n"
     "A acknowledge\n"
     "A free\n"
     "restart\n"
     "add px\n"
     "restore\n"
     "accept A\n"
     "A <3 {$P,'history data':[$5],$E}\n"
     "A told history data#5, proxy data, MORE\n"
     "A acknowledge\n"
     "save\n"
     "A free\n"
     "restart\n"
     "add px\n"
     "restore\n"
     "accept A\n"
     "A <3 {$P,'history data':[$5],$E}\n"
     "A told proxy data, END\n"},
    {"restoring takes the place of what is there, and an answer that waits for it fails",
     "server 7.0.22 hold 1\n"
     "add px\n"
     "save\n"
     "accept A\n"
     "A <3 {$P,'history data':[$5],$E}\n"
     "A told history data#5, proxy data, MORE\n"
     "A acknowledge\n"
     "A told END\n"
     "accept B\n"
     "B part {$P,'history data':[$6|],$E}\n"
     "B told history data#6, MORE\n"
     "restore\n"
     "B rest\n"
     "B told proxy data!PROTOCOL/session, END\n"
     "accept A\n"
     "A <3 {$P,'history data':[$5],$E}\n"
     "A told history data#5, proxy data, MORE\n"},
};

START_TEST(played)
{
    served_play(scripts[_i].text);
}
END_TEST

START_TEST(played_in_pieces)
{
    if (strstr(scripts[_i].text, " next ") != NULL || strstr(scripts[_i].text, " part ") != NULL)
        return;
    served_play_cut(scripts[_i].text, 1);
    served_play_cut(scripts[_i].text, 7);
}
END_TEST

START_TEST(played_without_memory)
{
    t_every_alloc(served_play_alloc, scripts[_i].text);
}
END_TEST

/* ---- recorded conversations ---- */

/* Their server's answer differs from ours in what the specification leaves open. */
static bool may_differ(const char *name)
{
    return strstr(name, "fake-config-uncompressed") != NULL || /* another configuration */
           strstr(name, "fake-config-empty") != NULL || strstr(name, "control-char") != NULL ||
           strstr(name, "trailing-junk") != NULL; /* the place in the text */
}

static void compare_answers(const char *name, struct t_bytes ours, struct t_bytes theirs)
{
    const uint8_t *our_at = ours.data, *their_at = theirs.data;
    struct taken our, their;

    if (theirs.length < 13) {
        MUST(ours.length == theirs.length && memcmp(ours.data, theirs.data, ours.length) == 0,
             "%s: other octets", name);
        return;
    }
    MUST(ours.length >= 13, "%s: no answer", name);
    our = take_frame(&our_at, ours.data + ours.length);
    their = take_frame(&their_at, theirs.data + theirs.length);
    MUST(our.flags == their.flags, "%s: flags %u", name, (unsigned)our.flags);
    MUST(may_differ(name) || (our.text.length == their.text.length &&
                              memcmp(our.text.data, their.text.data, our.text.length) == 0),
         "%s: we say %s", name, (const char *)our.text.data);
    t_free(our.text);
    t_free(their.text);
}

static void add_recorded(leat_zabbix_server *server, const char *name, uint32_t connections,
                         const char *addresses)
{
    leat_zabbix_server_member member;

    leat_zabbix_server_member_init(&member, sizeof member);
    member.name = name;
    member.connections = connections;
    member.addresses = addresses;
    member.compress = 0;
    ck_assert_int_eq(leat_zabbix_server_add(server, &member), LEAT_OK);
}

/* A client said these to a real server, one behind the other; ours answers the same. */
START_TEST(recorded)
{
    static const char *const versions[] = {"6.0.14", "7.0.22"};
    leat_zabbix_server_options options;
    leat_zabbix_server *server;
    char folder[64], path[256];
    size_t i, compared = 0;
    char **names;

    leat_zabbix_server_options_init(&options, sizeof options);
    options.version = versions[_i];
    ck_assert_int_eq(leat_zabbix_server_new(NULL, &options, &server), LEAT_OK);
    add_recorded(server, "px-fake", LEAT_ZABBIX_UNENCRYPTED, NULL);
    add_recorded(server, "px-addr", LEAT_ZABBIX_UNENCRYPTED, "10.1.2.3");
    add_recorded(server, "px-tls", LEAT_ZABBIX_PSK, NULL);
    (void)snprintf(folder, sizeof folder, "zabbix/%s", versions[_i]);
    names = t_names(folder, ".jsonl");
    for (i = 0; names[i] != NULL; i++) {
        struct t_bytes asked, theirs, ours;
        const leat_event *event;
        leat_session *session;
        leat_zabbix_peer peer;

        if (strstr(names[i], "-fake-") == NULL)
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        asked = t_capture(path, "proxy>server", 0);
        theirs = t_capture(path, "server>proxy", 0);
        leat_zabbix_peer_init(&peer, sizeof peer);
        peer.address = "127.0.0.1";
        ck_assert_int_eq(leat_zabbix_server_accept(server, &peer, &session), LEAT_OK);
        ck_assert_int_eq(leat_feed(session, asked.data, asked.length), LEAT_OK);
        while (leat_next(session, &event) == LEAT_OK)
            continue;
        ours = live_take(session);
        compare_answers(names[i], ours, theirs);
        leat_session_free(session);
        t_free(ours);
        t_free(theirs);
        t_free(asked);
        compared++;
    }
    ck_assert_uint_ge(compared, 25);
    t_names_free(names);
    leat_zabbix_server_free(server);
}
END_TEST

/* ---- memory and damage ---- */

/* A server that has everything, and a session in the midst of a message; made with the config. */
static leat_zabbix_server *busy_server(const leat_config *config, leat_session **session)
{
    static const char text[] =
        "{\"request\":\"proxy data\",\"host\":\"px\",\"session\":"
        "\"0123456789abcdef0123456789abcdef\",\"history data\":[{\"id\":7}],\"version\":\"7.0\"}";
    leat_zabbix_server *server;
    leat_zabbix_server_member member;
    leat_zabbix_peer peer;
    const leat_event *event;
    struct t_bytes octets = frame_text(3, text);
    leat_builder *task = t_json("{\"type\":6,\"itemid\":1}", 21);

    ck_assert_int_eq(leat_zabbix_server_new(config, NULL, &server), LEAT_OK);
    leat_zabbix_server_member_init(&member, sizeof member);
    member.name = "px";
    member.addresses = "10.0.0.0/8,::1";
    member.issuer = "CN=ca";
    ck_assert_int_eq(leat_zabbix_server_add(server, &member), LEAT_OK);
    member.name = "py";
    ck_assert_int_eq(leat_zabbix_server_add(server, &member), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_server_task(server, "py", leat_builder_value(task)), LEAT_OK);
    leat_zabbix_peer_init(&peer, sizeof peer);
    peer.address = "::1";
    peer.subject = "CN=px";
    ck_assert_int_eq(leat_zabbix_server_accept(server, &peer, session), LEAT_OK);
    ck_assert_int_eq(leat_feed(*session, octets.data, octets.length), LEAT_OK);
    ck_assert_int_eq(leat_next(*session, &event), LEAT_OK);
    ck_assert_int_eq(leat_next(*session, &event), LEAT_OK);
    ck_assert_uint_eq(leat_event_kind(event), LEAT_ZABBIX_PROXY_DATA);
    leat_builder_free(task);
    t_free(octets);
    return server;
}

START_TEST(memory_is_counted)
{
    struct t_counter counter;
    leat_config config;
    leat_zabbix_server *server;
    leat_session *session;

    t_counter_init(&counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &counter.allocator;
    server = busy_server(&config, &session);
    ck_assert_uint_eq(counter.now,
                      leat_zabbix_server_memory(server) + leat_session_memory(session));
    leat_session_free(session);
    ck_assert_uint_eq(counter.now, leat_zabbix_server_memory(server));
    ck_assert_int_eq(leat_zabbix_server_remove(server, "px"), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_server_remove(server, "py"), LEAT_OK);
    ck_assert_uint_eq(counter.now, leat_zabbix_server_memory(server));
    leat_zabbix_server_free(server);
    ck_assert_uint_eq(counter.now, 0);
}
END_TEST

/* Ten thousand connections that say nothing. */
START_TEST(idle_sessions)
{
    static leat_session *sessions[10000];
    struct t_counter counter;
    leat_config config;
    leat_zabbix_server *server;
    leat_zabbix_peer peer;
    size_t i;

    t_counter_init(&counter);
    leat_config_init(&config, sizeof config);
    config.allocator = &counter.allocator;
    ck_assert_int_eq(leat_zabbix_server_new(&config, NULL, &server), LEAT_OK);
    leat_zabbix_peer_init(&peer, sizeof peer);
    for (i = 0; i < 10000; i++)
        MUST(leat_zabbix_server_accept(server, &peer, &sessions[i]) == LEAT_OK, "no session");
    ck_assert_uint_le(counter.now, (size_t)1024 * 10000 + 4096);
    for (i = 0; i < 10000; i++)
        leat_session_free(sessions[(i * 7919) % 10000]);
    leat_zabbix_server_free(server);
    ck_assert_uint_eq(counter.now, 0);
}
END_TEST

/* What was saved, changed in each octet, cut at each place, and longer: nothing changes. */
START_TEST(damaged_saves)
{
    leat_session *session;
    leat_zabbix_server *server = busy_server(NULL, &session);
    leat_zabbix_member_status status = {.size = sizeof status};
    leat_buffer *buffer;
    struct t_bytes saved;
    size_t length, i;
    const void *data;

    ck_assert_int_eq(leat_buffer_new(NULL, &buffer), LEAT_OK);
    ck_assert_int_eq(leat_zabbix_server_save(server, buffer), LEAT_OK);
    data = leat_buffer_data(buffer, &length);
    saved = t_copy(data, length);
    t_append(&saved, "", 1);
    for (i = 0; i < length; i++) {
        MUST(leat_zabbix_server_restore(server, saved.data, i) == LEAT_E_SYNTAX, "cut at %zu", i);
        saved.data[i] ^= 0x20;
        MUST(leat_zabbix_server_restore(server, saved.data, length) == LEAT_E_SYNTAX,
             "changed at %zu", i);
        saved.data[i] ^= 0x20;
    }
    ck_assert_int_eq(leat_zabbix_server_restore(server, saved.data, length + 1), LEAT_E_SYNTAX);
    ck_assert_int_eq(leat_zabbix_server_restore(server, NULL, 0), LEAT_E_SYNTAX);
    ck_assert_int_eq(leat_zabbix_server_get_status(server, "py", &status), LEAT_OK);
    ck_assert_uint_eq(status.tasks, 1);
    ck_assert_int_eq(leat_zabbix_server_restore(server, saved.data, length), LEAT_OK);
    t_free(saved);
    leat_buffer_free(buffer);
    leat_session_free(session);
    leat_zabbix_server_free(server);
}
END_TEST

/* What has a sound sum all the same, and is not what is saved. */
static const char *const forged[] = {
    "00000000",                                         /* nothing, which is sound */
    "00000001",                                         /* no proxy */
    "00000001 00",                                      /* one without a name */
    "00000001 02 2f2f 00000000 00000000",               /* or with none that is a name */
    "00000001 02 7078 00000000",                        /* cut */
    "00000001 02 7078 ffffffff 00000000",               /* more sessions than are there */
    "00000001 02 7078 00000000 ffffffff",               /* more tasks */
    "00000001 02 7078 00000000 00000001 ffffffff",      /* a longer task */
    "00000001 02 7078 00000000 00000001 00000002 7b7d", /* that is none */
    "00000001 02 7078 00000000 00000001 00000001 7b",   /* that is no JSON */
    "00000002 02 7078 00000000 00000000 02 7078 00000000 00000000", /* twice */
    "00000001 02 7078 00000000 00000000 00",                        /* more than it says */
    "ffffffff",
};

static uint32_t sum_of(const uint8_t *octets, size_t length)
{
    return (uint32_t)adler32(1, octets, (uInt)length);
}

START_TEST(forged_saves)
{
    struct t_bytes made = t_copy("leatzbs1", 8), behind = t_hex(forged[_i]);
    leat_session *session;
    leat_zabbix_server *server = busy_server(NULL, &session);
    uint8_t sum[4];
    int i;

    t_append(&made, behind.data, behind.length);
    for (i = 0; i < 4; i++)
        sum[i] = (uint8_t)(sum_of(made.data, made.length) >> (24 - 8 * i));
    t_append(&made, sum, 4);
    ck_assert_int_eq(leat_zabbix_server_restore(server, made.data, made.length),
                     _i == 0 ? LEAT_OK : LEAT_E_SYNTAX);
    ck_assert_int_eq(leat_error_code(leat_zabbix_server_error(server)),
                     _i == 0 ? LEAT_OK : LEAT_E_SYNTAX);
    t_free(made);
    t_free(behind);
    leat_session_free(session);
    leat_zabbix_server_free(server);
}
END_TEST

/* A task whose text has so many octets. */
static void give_long_task(leat_zabbix_server *server, size_t length)
{
    static const char begin[] = "{\"type\":7,\"clock\":5,\"ttl\":0,\"datatype\":1,"
                                "\"parent_taskid\":1,\"data\":\"";
    struct t_bytes text = t_copy(begin, strlen(begin));
    leat_builder *builder;

    while (text.length + 2 < length)
        t_append(&text, "xxxxxxxxxxxxxxxx",
                 length - text.length - 2 < 16 ? length - text.length - 2 : 16);
    t_append(&text, "\"}", 2);
    ck_assert_uint_eq(text.length, length);
    builder = t_json((const char *)text.data, text.length);
    ck_assert_int_eq(leat_zabbix_server_task(server, "px", leat_builder_value(builder)), LEAT_OK);
    leat_builder_free(builder);
    t_free(text);
}

/* How many tasks a proxy gets with its next acknowledgement. */
static size_t tasks_given(leat_zabbix_server *server)
{
    struct t_bytes octets = frame_text(
        1, "{\"request\":\"proxy data\",\"host\":\"px\",\"session\":"
           "\"0123456789abcdef0123456789abcdef\",\"version\":\"7.0.22\",\"clock\":1,\"ns\":1}");
    struct t_bytes said;
    struct taken message;
    const leat_event *event;
    const uint8_t *at;
    const char *place;
    leat_zabbix_peer peer;
    leat_session *session;
    size_t count = 0;
    int status;

    leat_zabbix_peer_init(&peer, sizeof peer);
    ck_assert_int_eq(leat_zabbix_server_accept(server, &peer, &session), LEAT_OK);
    ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
    while ((status = leat_next(session, &event)) == LEAT_OK)
        continue;
    ck_assert_int_eq(status, LEAT_END);
    said = live_take(session);
    at = said.data;
    message = take_frame(&at, said.data + said.length);
    for (place = (const char *)message.text.data; (place = strstr(place, "parent_taskid")) != NULL;
         place++)
        count++;
    t_free(message.text);
    t_free(said);
    t_free(octets);
    leat_session_free(session);
    return count;
}

/* Tasks of a MiB or more end a message: what is behind them waits for the next one. */
START_TEST(tasks_of_a_message)
{
    const size_t mib = (size_t)1 << 20;
    leat_zabbix_server_member member;
    leat_zabbix_server *server;

    ck_assert_int_eq(leat_zabbix_server_new(NULL, NULL, &server), LEAT_OK);
    leat_zabbix_server_member_init(&member, sizeof member);
    member.name = "px";
    ck_assert_int_eq(leat_zabbix_server_add(server, &member), LEAT_OK);
    give_long_task(server, mib / 2);
    give_long_task(server, mib / 2 - (_i == 0 ? 1 : 0));
    give_long_task(server, 100);
    ck_assert_uint_eq(tasks_given(server), _i == 0 ? 3 : 2);
    ck_assert_uint_eq(tasks_given(server), _i == 0 ? 0 : 1);
    ck_assert_uint_eq(tasks_given(server), 0);
    leat_zabbix_server_free(server);
}
END_TEST

/* An answer that does not fit into the output. */
START_TEST(no_room)
{
    static const char *const requests[] = {
        "{\"request\":\"proxy config\",\"host\":\"px\",\"version\":\"7.0.22\",\"session\":"
        "\"0123456789abcdef0123456789abcdef\",\"config_revision\":0}",
        "{\"version\":\"7.0.22\",\"session\":\"0123456789abcdef0123456789abcdef\","
        "\"config_revision\":0}",
    };
    leat_zabbix_server *server;
    leat_zabbix_server_member member;
    leat_zabbix_peer peer;
    leat_limits limits;
    leat_config config;
    leat_session *session;
    const leat_event *event;
    const char *name;
    struct t_bytes octets = frame_text(1, requests[_i]), said;
    leat_builder *empty;
    int status;

    leat_limits_init(&limits, sizeof limits);
    limits.queued_bytes = 60;
    leat_config_init(&config, sizeof config);
    config.limits = &limits;
    ck_assert_int_eq(leat_zabbix_server_new(&config, NULL, &server), LEAT_OK);
    leat_zabbix_server_member_init(&member, sizeof member);
    member.name = "px";
    member.passive = (uint32_t)_i;
    ck_assert_int_eq(leat_zabbix_server_add(server, &member), LEAT_OK);
    empty = t_json("{}", 2);
    ck_assert_int_eq(
        leat_zabbix_tables_load(leat_zabbix_server_tables(server, "px"), leat_builder_value(empty)),
        LEAT_OK);
    leat_builder_free(empty);
    leat_zabbix_peer_init(&peer, sizeof peer);
    if (_i == 0) {
        ck_assert_int_eq(leat_zabbix_server_accept(server, &peer, &session), LEAT_OK);
    } else {
        ck_assert_int_eq(leat_zabbix_server_connect(server, &name, &session), LEAT_OK);
        ck_assert_int_eq(leat_zabbix_server_met(session, &peer), LEAT_OK);
        ck_assert_int_eq(leat_next(session, &event), LEAT_MORE);
        t_free(live_take(session));
    }
    ck_assert_int_eq(leat_feed(session, octets.data, octets.length), LEAT_OK);
    while ((status = leat_next(session, &event)) == LEAT_OK)
        continue;
    said = live_take(session);
    if (_i == 0) {
        ck_assert_int_eq(status, LEAT_E_LIMIT);
        ck_assert_uint_eq(said.length, 0);
    } else {
        const uint8_t *at = said.data;
        struct taken message = take_frame(&at, said.data + said.length);

        /* The handshake is finished all the same: spec section 7.3. */
        ck_assert_int_eq(status, LEAT_MORE);
        ck_assert_str_eq((const char *)message.text.data, "{}");
        t_free(message.text);
    }
    t_free(said);
    t_free(octets);
    leat_session_free(session);
    leat_zabbix_server_free(server);
}
END_TEST

static void add(TCase *tests)
{
    int count = (int)(sizeof accesses / sizeof *accesses);
    int plays = (int)(sizeof scripts / sizeof *scripts);

    tcase_add_loop_test(tests, access_to_data, 0, count);
    tcase_add_loop_test(tests, access_to_configuration, 0, count);
    tcase_add_loop_test(tests, access_to_old_configuration, 0, count);
    tcase_add_loop_test(tests, access_of_late_peers, 0, count);
    tcase_add_loop_test(tests, access_of_passive_proxies, 0, count);
    tcase_add_loop_test(tests, refused, 0, (int)(sizeof strangers / sizeof *strangers));
    tcase_add_loop_test(tests, adding, 0, (int)(sizeof addings / sizeof *addings));
    tcase_add_test(tests, proxy_names);
    tcase_add_test(tests, making);
    tcase_add_loop_test(tests, few_configuration_bytes, 0, 3);
    tcase_add_test(tests, other_sessions);
    tcase_add_loop_test(tests, recorded, 0, 2);
    tcase_add_test(tests, memory_is_counted);
    tcase_add_test(tests, idle_sessions);
    tcase_add_test(tests, damaged_saves);
    tcase_add_loop_test(tests, forged_saves, 0, (int)(sizeof forged / sizeof *forged));
    tcase_add_loop_test(tests, tasks_of_a_message, 0, 2);
    tcase_add_loop_test(tests, no_room, 0, 2);
    tcase_add_loop_test(tests, played, 0, plays);
    tcase_add_loop_test(tests, played_in_pieces, 0, plays);
    tcase_add_loop_test(tests, played_without_memory, 0, plays);
}

T_MAIN("zabbix/server", add)
