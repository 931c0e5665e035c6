#!/usr/bin/env python3
"""Zabbix 6.0 from Debian's packages and leat, on 127.0.0.1: run.py [PART...]

LEAT is the program. Prints a line for each case, ok, FAILED or SKIPPED, in the manner of tests/run. Where
the packages are not to be had, all is one case that was skipped. Whatever happens, nothing stays behind.
"""

import signal
import sys
import threading
import time

sys.dont_write_bytecode = True  # into the source

import breaks
import neighbours
import our_proxies
import packages
import real_proxies
import refusals
from agents import Agents
from database import Cluster
from peers import RealServer
from report import Report
from security import KINDS, Security
from world import ENDS, World

SECONDS = 270  # until parts that did not end have failed


class Stage:
    """What all parts share: the cluster, and the real servers in it."""

    def __init__(self, world, programs):
        self.world = world
        self.programs = programs
        self.security = Security(world)
        self.server_identity = self.security.identity("server")
        self.agents = Agents(self)
        self.cluster = Cluster(world, programs)
        self.cluster.start()
        self.template = self.cluster.load("template0x", programs.schema)
        # The host that Zabbix ships would be busy for nothing. Only with such an action, new hosts are kept.
        self.template.script("update hosts set status = 1 where status = 0;" + self.template.insert(
            "actions", actionid=990001, name="registration", eventsource=2, status=0))

    def server(self, name):
        """A real server with a database of its own; to be filled, then started."""
        return RealServer(self.world, self.programs, name, self.cluster.copy(name, self.template),
                          self.server_identity)


class AtRealServer:
    """Our proxies and our sender at the real server."""

    def __init__(self, stage):
        self.stage = stage
        self.server = stage.server("first")
        self.ours = our_proxies.fleet(stage.world, stage.security)
        self.direct = neighbours.Direct(stage, self.server)
        self.row = neighbours.proxy_row(stage.agents)
        database = self.server.database
        database.script("begin;" + "".join(ours.row.insert(database) for ours in self.ours)
                        + self.direct.insert() + self.row.insert(database) + "commit;")
        self.server.start()

    def parts(self, report):
        self.server.wait()
        acceptor = neighbours.our_proxy(self.stage, self.server, self.row)
        for ours in self.ours:
            yield ours.title, our_proxies.cases, report, ours, self.server
        victims = {ours.kind: ours for ours in self.ours if not ours.passive and ours.compress}
        yield "our proxies that are not known", refusals.ours, report, self.stage, self.server, victims
        for kind in KINDS:
            yield f"leat zabbix send, {kind}", neighbours.send, report, self.direct, kind
        yield from neighbours.parts(report, self.stage, acceptor)


class AtOurServer:
    """The real proxies, agents and senders at our server."""

    def __init__(self, stage):
        self.stage = stage
        self.server = real_proxies.OurServer(stage)
        self.strangers = refusals.Strangers(stage, self.server)

    def parts(self, report):
        self.server.settle()
        for proxy in self.server.proxies:
            yield proxy.title, real_proxies.cases, report, self.server, proxy
        yield "real proxies that are not known", self.strangers.cases, report
        for kind in KINDS:
            yield f"leat zabbix get, {kind}", neighbours.get, report, self.stage.agents, kind
        acceptor = neighbours.Acceptor("our server", self.server.command, self.server.address,
                                       self.stage.agents)
        yield from neighbours.parts(report, self.stage, acceptor)


PARTS = {"at-real-server": AtRealServer, "at-our-server": AtOurServer,
         "broken-at-real-server": breaks.OurProxies, "broken-at-our-server": breaks.RealProxies}


def run(report, world, programs, names):
    stage = Stage(world, programs)
    groups = [PARTS[name](stage) for name in names]
    print(f"        the peers are configured after {time.monotonic() - START:.0f} s", flush=True)
    parts = [part for group in groups for part in group.parts(report)]
    stage.agents.start()
    threads = {}
    for name, function, *arguments in parts:
        threads[name] = threading.Thread(target=report.run, args=(name, function, *arguments), daemon=True)
        threads[name].start()
    for name, thread in threads.items():
        thread.join(max(0, START + SECONDS - time.monotonic()))
        if thread.is_alive():
            report.line("FAILED", f"{name}: does not end")


def main():
    names = sys.argv[1:] or list(PARTS)
    report = Report()
    for number in ENDS:
        signal.signal(number, lambda *_: sys.exit(1))
    with World() as world:
        try:
            programs = packages.fetch(world.folder)
        except packages.Unavailable as reason:
            report.skip("ALL CASES WITH ZABBIX ITSELF", f"no packages of it: {reason}")
        else:
            report.run("the peers", run, report, world, programs, names)
    seconds = time.monotonic() - START
    print(f"        {report.counts['ok']} of {sum(report.counts.values())} in {seconds:.0f} s")
    return 1 if report.counts["FAILED"] else 0


START = time.monotonic()
if __name__ == "__main__":
    sys.exit(main())
