"""The real proxies at our server: they run with the configuration that it gives them, and what they collect
comes out of it, each value once."""

import json
import time

import ours as leat
from agents import LINES, NEWCOMER
from objects import merge
from ours import Server
from peers import RealProxy
from security import CERTIFICATE, KINDS, PLAIN, PSK
from world import until

WORDS = {PLAIN: "unencrypted", PSK: "psk", CERTIFICATE: "cert"}


class Real:
    """A real proxy, and what our server knows of it."""

    def __init__(self, stage, ours, kind, passive=False, compress=True):
        self.stage = stage
        self.kind = kind
        self.passive = passive
        self.compress = compress
        form = "compressed" if compress else "uncompressed"
        self.name = "-".join(["real", "passive" if passive else "active", kind, form])
        self.title = f"the real {'passive' if passive else 'active'} proxy, {kind}, {form}"
        self.identity = stage.security.identity(self.name)
        self.host = stage.agents.host(kind)
        self.daemon = RealProxy(stage.world, stage.programs, self.name, ours, self.identity.lines(kind),
                                passive)
        self.druleid, self.dcheckid = self.host.hostid + 90, self.host.hostid + 91

    def entry(self):
        """What the configuration of our server says of it."""
        entry = {"name": self.name, "compress": self.compress, "tables": merge(self.host.tables(), {
            "drules": [{"druleid": self.druleid, "name": self.name, "iprange": "127.0.0.1", "delay": "5s"}],
            "dchecks": [{"dcheckid": self.dcheckid, "druleid": self.druleid, "type": 8,
                         "ports": str(self.host.port)}],
        })}
        if self.passive:
            entry |= {"mode": "passive", "address": self.daemon.address, "connect": WORDS[self.kind]}
        else:
            entry |= {"mode": "active", "accept": [WORDS[self.kind]]}
        if self.kind == PSK:
            entry |= {"psk_identity": self.identity.psk_identity, "psk": self.identity.psk}
        if self.kind == CERTIFICATE:
            entry |= {"issuer": self.identity.issuer, "subject": self.identity.subject}
        return entry


class OurServer:
    """Our server with all its proxies, and the real agents' hosts."""

    def __init__(self, stage):
        world, agents = stage.world, stage.agents
        self.port = world.port()
        self.address = f"127.0.0.1:{self.port}"
        identity = stage.server_identity
        self.agents = agents
        self.proxies = [Real(stage, self.address, kind, passive)
                        for kind in KINDS for passive in (False, True)]
        self.proxies += [Real(stage, self.address, PLAIN, passive, False) for passive in (False, True)]
        self.direct = {kind: agents.host(kind) for kind in KINDS}
        for proxy in self.proxies:
            agents.servers[proxy.kind].append(proxy.daemon.address)
            agents.servers[NEWCOMER].append(proxy.daemon.address)
        for kind in [*KINDS, NEWCOMER]:
            agents.servers[kind].append(self.address)
        self.file = world.write("server.json", json.dumps({
            "proxies": [proxy.entry() for proxy in self.proxies],
            "tables": merge(*(host.tables() for host in self.direct.values()))}))
        self.command = Server(
            world, "--listen", self.address, "--config", self.file, "--tls-accept", "unencrypted,psk,cert",
            *identity.options(CERTIFICATE), *agents.identities[PSK].options(PSK), "--config-frequency", 3,
            "--record", world.folder / "server.recording")
        for proxy in self.proxies:
            proxy.daemon.start()

    def settle(self):
        """Waits until all proxies know what agents will ask them for."""
        for proxy in self.proxies:
            proxy.daemon.wait()
            until(lambda: len(proxy.daemon.rows("select itemid from items")) == len(proxy.host.items),
                  f"the items of {proxy.name}")

    def rows(self, proxy, section):
        return [event["value"] for event in list(self.command.events)
                if event["event"] == section and event.get("proxy") == proxy.name]

    def find(self, proxy, section, **members):
        """The first row of this section of the proxy that has these members."""
        def fitting():
            return next((row for row in self.rows(proxy, section)
                         if all(row.get(name) == value for name, value in members.items())), None)

        return self.command.wait(fitting, f"{section} {members} of {proxy.name}")


def configuration(report, server, proxy):
    expected = sorted((itemid, kind, key, value_type, delay)
                      for key, (itemid, kind, value_type, delay) in proxy.host.items.items())
    query = "select itemid, type, key_, value_type, delay from items order by itemid"
    report.same(f"{proxy.title}: takes its items", proxy.daemon.rows(query), expected)
    report.same(f"{proxy.title}: takes its hosts",
                proxy.daemon.rows("select hostid, host, tls_connect, tls_psk_identity, tls_subject "
                                  "from hosts"),
                [(proxy.host.hostid, proxy.host.name, proxy.host.tls["tls_connect"],
                  proxy.host.tls.get("tls_psk_identity", ""), proxy.host.tls.get("tls_subject", ""))])


def polled(report, server, proxy):
    value = server.find(proxy, "history data", itemid=proxy.host.itemid("agent.ping"))
    report.check(f"{proxy.title}: a value polled from the agent", value.get("value") == "1", value)
    value = server.find(proxy, "history data", itemid=proxy.host.itemid("no.such.key"))
    report.check(f"{proxy.title}: an item that is not supported", value.get("state") == 1, value)
    row = server.find(proxy, "interface availability", interfaceid=proxy.host.interfaceid, available=1)
    report.same(f"{proxy.title}: availability", row["error"], "")


def actively(report, server, proxy):
    value = server.find(proxy, "history data", itemid=proxy.host.itemid("agent.hostname"))
    report.same(f"{proxy.title}: an active check of the agent", value.get("value"), proxy.host.name)
    itemid = next(proxy.host.itemid(key) for key in proxy.host.items if key.startswith("log["))
    for line in LINES:
        server.find(proxy, "history data", itemid=itemid, value=line)
    sizes = [row.get("lastlogsize") for row in server.rows(proxy, "history data")
             if row["itemid"] == itemid and "value" in row]
    report.same(f"{proxy.title}: lines of a log, and where they end", sizes, log_ends())


def log_ends():
    ends, total = [], 0
    for line in LINES:
        total += len(line.encode()) + 1
        ends.append(total)
    return ends


def discovered(report, server, proxy):
    # What is up has no status.
    row = server.find(proxy, "discovery data", drule=proxy.druleid, dcheck=proxy.dcheckid, status=None)
    report.same(f"{proxy.title}: a discovered service", (row["ip"], row["port"]),
                ("127.0.0.1", proxy.host.port))
    row = server.find(proxy, "discovery data", drule=proxy.druleid, dcheck=None, status=None)
    report.same(f"{proxy.title}: a discovered host", row["ip"], "127.0.0.1")
    row = server.find(proxy, "auto registration", host=NEWCOMER)
    report.check(f"{proxy.title}: auto registration",
                 (row["ip"], row["host_metadata"], row["tls_accepted"]) == ("127.0.0.1", "linux", 1), row)


def sent(report, server, proxy):
    """Values of zabbix_sender and of ours, through the proxy."""
    clock = int(time.time())
    itemid = proxy.host.itemid("trap")
    identity = server.agents.identities[proxy.kind]
    lines = [[proxy.host.name, "trap", str(clock), str(n + 1), f"value {n}"] for n in range(6)]
    files = [proxy.stage.world.write(f"{proxy.name}-{part}.txt", "".join(
        " ".join([*words[:4], f"\"{words[4]}\""]) + "\n" for words in lines[part * 3:part * 3 + 3]))
        for part in (0, 1)]
    programs = proxy.stage.programs
    done = programs.call(programs.sender, "-z", "127.0.0.1", "-p", proxy.daemon.port, "-T", "-N", "-i",
                         files[0], *identity.words(proxy.kind))
    report.check(f"{proxy.title}: takes what zabbix_sender sends",
                 done.returncode == 0 and b"processed: 3; failed: 0" in done.stdout, done)
    code, responses, errors = leat.run("send", "--input", files[1], "--with-ns",
                                       *identity.options(proxy.kind), proxy.daemon.address)
    report.check(f"{proxy.title}: takes what leat zabbix send sends", code == 0, (code, responses, errors))
    for n in range(6):
        server.find(proxy, "history data", itemid=itemid, value=f"value {n}")
    report.same(f"{proxy.title}: values of senders come through", sorted(
        (row["clock"], row["ns"], row["value"]) for row in server.rows(proxy, "history data")
        if row["itemid"] == itemid), [(clock, n + 1, f"value {n}") for n in range(6)])


def tasks(report, server, proxy):
    now = int(time.time())
    parent = proxy.host.hostid
    server.command.say(
        {"proxy": proxy.name, "task": {"type": 2, "clock": now, "ttl": 600, "commandtype": 0,
                                       "command": "echo hello", "execute_on": 2, "port": 0, "authtype": 0,
                                       "username": "", "password": "", "publickey": "", "privatekey": "",
                                       "alertid": 0, "parent_taskid": parent, "hostid": proxy.host.hostid}},
        {"proxy": proxy.name, "task": {"type": 6, "clock": now, "ttl": 600,
                                       "itemid": proxy.host.itemid("agent.version")}})
    row = server.find(proxy, "tasks", parent_taskid=parent)
    report.check(f"{proxy.title}: the result of a remote command",
                 (row["type"], row["status"], row["info"].strip()) == (3, 0, "hello"), row)
    value = server.find(proxy, "history data", itemid=proxy.host.itemid("agent.version"))
    report.check(f"{proxy.title}: a value that was to be checked now", value["value"].startswith("6.0"),
                 value)


def once(report, server, proxy):
    """No value came twice, as far as there are clocks to tell them by."""
    keys = [(row["itemid"], row["clock"], row["ns"]) for row in server.rows(proxy, "history data")]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    report.check(f"{proxy.title}: each value came once", keys and not twice, twice)


def compression(report, server, proxy):
    """The first request is as the configuration says; later ones are as the proxy itself does it."""
    conns = {event["conn"] for event in list(server.command.events) if event.get("proxy") == proxy.name}
    forms = leat.forms(server.command.world.folder / "server.recording", conns)
    mine = [form for (_, direction), form in forms.items() if direction.startswith("server>")]
    theirs = {form for (_, direction), form in forms.items() if not direction.startswith("server>")}
    good = mine[-1] == leat.COMPRESSED and theirs == {leat.COMPRESSED}
    if proxy.compress or proxy.passive:
        good = good and mine[0] == (leat.COMPRESSED if proxy.compress else leat.UNCOMPRESSED)
    report.check(f"{proxy.title}: what is compressed", good, forms)


def cases(report, server, proxy):
    for case in (configuration, polled, sent, tasks, discovered, actively, once, compression):
        report.run(f"{proxy.title}: {case.__name__}", case, report, server, proxy)
