"""Senders and agents: the real ones at our server and proxy, ours at the real server and the real agents."""

import time

import ours as leat
from agents import LINES, NEWCOMER
from objects import CHARACTER, FLOAT, LOG, TEXT, TRAPPER, UNSIGNED, Host, ProxyRow
from our_proxies import TABLES, arrived
from ours import Proxy
from security import CERTIFICATE, KINDS, PLAIN, PSK

MANY = 300  # values: more than a sender puts into a message


class Acceptor:
    """One of ours that serves agents and senders by every kind of connection."""

    def __init__(self, title, command, address, agents):
        self.title = title
        self.command = command
        self.address = address
        self.agents = agents

    def rows(self, message, **members):
        """The rows of data before messages of this name, those that have these members."""
        found, waiting = [], {}
        for event in list(self.command.events):
            if event["event"] == "data":
                waiting.setdefault(event["conn"], []).append(event["value"])
            elif event["event"] == message and "error" not in event:
                found += waiting.pop(event["conn"], [])
        return [row for row in found if all(row.get(name) == value for name, value in members.items())]

    def wait(self, message, count, **members):
        return self.command.wait(lambda: len(rows := self.rows(message, **members)) >= count and rows,
                                 f"{count} rows of {message} with {members} at {self.title}")


def proxy_row(agents):
    """A proxy of ours for agents and senders, as the real server knows it."""
    hosts = [agents.host(kind) for kind in KINDS]
    return ProxyRow("ours-for-agents", hosts)


def our_proxy(stage, server, row):
    agents = stage.agents
    address = f"127.0.0.1:{stage.world.port()}"
    identity = stage.server_identity
    for kind in [*KINDS, NEWCOMER]:
        agents.servers[kind].append(address)
    command = Proxy(stage.world, row.name, "--server", server.address, "--listen", address,
                    "--config-frequency", 3, *identity.options(CERTIFICATE),
                    *agents.identities[PSK].options(PSK), "--tls-connect", "unencrypted",
                    "--tls-accept", "unencrypted,psk,cert")
    count = sum(len(host.items) for host in row.hosts)
    command.wait(lambda: len(command.values("items")) == count, "the agents' items")
    return Acceptor("our proxy", command, address, agents)


def sender(report, stage, acceptor, kind):
    """zabbix_sender at one of ours."""
    title = f"zabbix_sender at {acceptor.title}, {kind}"
    host, clock = f"sender-{kind}", int(time.time())
    path = stage.world.write(f"{acceptor.title}-{kind}.txt".replace(" ", "-"), "".join(
        f"{host} key {clock} {n + 1} \"value {n}: ☃\"\n" for n in range(MANY)))
    done = stage.programs.call(
        stage.programs.sender, "-vv", "-z", "127.0.0.1", "-p", acceptor.address.rpartition(":")[2],
        "-T", "-N", "-i", path, *acceptor.agents.identities[kind].words(kind))
    report.check(f"{title}: is told that all was processed",
                 done.returncode == 0 and b"sent: 300; skipped: 0; total: 300" in done.stdout, done)
    rows = acceptor.wait("sender data", MANY, host=host)
    report.same(f"{title}: values",
                sorted((row["clock"], row["ns"], row["key"], row["value"]) for row in rows),
                [(clock, n + 1, "key", f"value {n}: ☃") for n in range(MANY)])


def agent(report, acceptor, kind):
    """A real agent, which gets its active checks from one of ours."""
    title = f"the real agent at {acceptor.title}, {kind}"
    name = acceptor.agents.names[kind]
    rows = acceptor.wait("agent data", 1, host=name, key="agent.hostname")
    report.same(f"{title}: an active check", rows[0]["value"], name)
    key = f"log[{acceptor.agents.log}]"
    rows = acceptor.wait("agent data", len(LINES), host=name, key=key)
    total, expected = 0, []
    for line in LINES:
        total += len(line.encode()) + 1
        expected.append((line, total))
    report.same(f"{title}: lines of a log", [(row["value"], row["lastlogsize"]) for row in rows], expected)


def newcomer(report, acceptor):
    """An agent that the configuration does not have."""
    value = acceptor.command.find("active checks", lambda value: value.get("host") == NEWCOMER)
    report.same(f"the real agent at {acceptor.title}: one that is not known", value.get("host_metadata"),
                "linux")


def parts(report, stage, acceptor):
    """What one of ours has to do as an acceptor."""
    for kind in KINDS:
        yield f"zabbix_sender at {acceptor.title}, {kind}", sender, report, stage, acceptor, kind
        yield f"the real agent at {acceptor.title}, {kind}", agent, report, acceptor, kind
    yield f"the newcomer at {acceptor.title}", newcomer, report, acceptor


class Direct:
    """Hosts of the real server that have no proxy, for our sender."""

    def __init__(self, stage, server):
        self.stage = stage
        self.server = server
        items = [(key, TRAPPER, value_type, "0") for key, value_type in (
            ("float", FLOAT), ("character", CHARACTER), ("log", LOG), ("unsigned", UNSIGNED), ("text", TEXT))]
        self.identities = {kind: stage.security.identity(f"direct-{kind}") for kind in KINDS}
        self.hosts = {kind: Host(f"direct-{kind}", 1, items, self.identities[kind].columns(kind))
                      for kind in KINDS}

    def insert(self):
        return "".join(host.insert(self.server.database) for host in self.hosts.values())


def send(report, direct, kind):
    """leat zabbix send at the real server."""
    title = f"leat zabbix send at the real server, {kind}"
    host, identity = direct.hosts[kind], direct.identities[kind]
    options, address = identity.options(kind), direct.server.address
    clock = int(time.time())
    values = {"float": "2.5", "character": "a \"b\" \\c", "log": "line", "unsigned": "7", "text": "ä\nö"}
    quoted = {key: value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n")
              for key, value in values.items()}
    lines = [f"{host.name} {key} {clock} 11 \"{value}\"\n" for key, value in quoted.items()]
    lines += [f"- text {clock} {n + 100} {n}\n" for n in range(MANY)]
    path = direct.stage.world.write(f"send-{kind}.txt", "".join(lines))
    code, responses, errors = leat.run("send", "--host", host.name, "--input", path, "--with-ns", *options,
                                       address)
    report.check(f"{title}: all is processed, in two messages", code == 0 and len(responses) == 2,
                 (code, responses, errors))
    for key, value in values.items():
        table = TABLES.get(key, "history_log")
        query = f"select clock, ns, value from {table} where itemid = {host.itemid(key)} and ns = 11"
        expected = float(value) if key == "float" else int(value) if key == "unsigned" else value
        report.same(f"{title}: {key} value", arrived(direct.server.database, query, 1),
                    [(clock, 11, expected)])
    query = (f"select clock, ns, value from history_text where itemid = {host.itemid('text')} and ns >= 100 "
             "order by ns")
    report.same(f"{title}: many values", arrived(direct.server.database, query, MANY),
                [(clock, n + 100, str(n)) for n in range(MANY)])
    code, responses, errors = leat.run("send", "--host", host.name, *options, address, "no.such.key", "1")
    report.check(f"{title}: tells of values that were not processed", code == 2, (code, responses, errors))
    if kind == PLAIN:
        return
    code, responses, errors = leat.run("send", "--host", host.name, address, "text", "unencrypted")
    report.check(f"{title}: not without", code == 2, (code, responses, errors))


def get(report, agents, kind):
    """leat zabbix get at the real agent."""
    title = f"leat zabbix get at the real agent, {kind}"
    options = [*agents.identities[kind].options(kind), f"127.0.0.1:{agents.ports[kind]}"]
    for key, value in (("agent.ping", "1"), ("agent.hostname", agents.names[kind])):
        code, lines, errors = leat.run("get", *options, key)
        report.same(f"{title}: {key}", (code, lines), (0, [{"key": key, "value": value}]))
    code, lines, errors = leat.run("get", *options, "no.such.key")
    report.check(f"{title}: a key that is not supported",
                 code == 1 and lines and lines[0].get("error", "").startswith("Unsupported item key"),
                 (code, lines, errors))
