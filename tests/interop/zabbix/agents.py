"""Real agents, one for each way to connect, and one that nobody knows. Everybody is served by all of them."""

from objects import ACTIVE, AGENT, CHARACTER, LOG, TEXT, TRAPPER, UNSIGNED, Host
from peers import RealAgent
from security import KINDS

NEWCOMER = "newcomer"
LINES = ["one line", "another: äöü"]


class Agents:
    def __init__(self, stage):
        self.stage = stage
        self.names = {kind: f"agent-{kind}" for kind in KINDS}
        self.identities = {kind: stage.security.identity(self.names[kind]) for kind in KINDS}
        self.ports = {kind: stage.world.port() for kind in KINDS}
        self.log = stage.world.write("app.log", "".join(line + "\n" for line in LINES))
        self.servers = {kind: [] for kind in [*KINDS, NEWCOMER]}
        self.running = []

    def host(self, kind):
        """The host of an agent, with items of every kind."""
        return Host(self.names[kind], self.ports[kind], [
            ("trap", TRAPPER, TEXT, "0"), ("agent.ping", AGENT, UNSIGNED, "1s"),
            ("agent.version", AGENT, CHARACTER, "1h"), ("no.such.key", AGENT, UNSIGNED, "1s"),
            ("agent.hostname", ACTIVE, CHARACTER, "1s"), (f"log[{self.log}]", ACTIVE, LOG, "1s"),
        ], self.identities[kind].columns(kind))

    def start(self):
        """When all have told that they want to be asked for active checks."""
        for kind in KINDS:
            self.add(self.names[kind], self.servers[kind], self.identities[kind].lines(kind),
                     self.ports[kind])
        self.add(NEWCOMER, self.servers[NEWCOMER], ["HostMetadata=linux"], self.stage.world.port())

    def add(self, name, servers, lines, port):
        agent = RealAgent(self.stage.world, self.stage.programs, name, servers, lines, port)
        agent.start()
        self.running.append(agent)

    def wait(self):
        for agent in self.running:
            agent.wait()
