"""What breaks in the middle of a message: connections, our programs, the real ones. Values count up, and each
of them has to arrive once."""

import json
import threading
import time

from objects import TRAPPER, UNSIGNED, Host, ProxyRow
from ours import Proxy, Server
from peers import RealProxy
from relay import ANSWER, REQUEST, Break, Hold, Relay
from world import until

# The connector's first message has 13 octets of header and hardly more than 30 of body if it is a request
# for data; what a proxy says is longer.
ACTIVE_BREAKS = [(REQUEST, 0), (REQUEST, 1), (REQUEST, 13), (REQUEST, 60), (REQUEST, 150),
                 (ANSWER, 0), (ANSWER, 4), (ANSWER, 13), (ANSWER, 30)]
PASSIVE_BREAKS = [(REQUEST, 0), (REQUEST, 13), (REQUEST, 30), (REQUEST, 46), (REQUEST, 60),
                  (ANSWER, 0), (ANSWER, 5), (ANSWER, 60), (ANSWER, 150)]
ITEM = [("count", TRAPPER, UNSIGNED, "0")]


def orders(breaks):
    """Ends of the stream and resets, in turn."""
    return [Break(direction, octets, reset=bool(n % 2)) for n, (direction, octets) in enumerate(breaks)]


class Ours:
    """One of our proxies, with a relay between it and the second real server."""

    def __init__(self, stage, server, name, passive=False):
        self.world = stage.world
        self.passive = passive
        self.server = server
        self.name = f"broken-{name}-{'passive' if passive else 'active'}"
        self.title = f"our {'passive' if passive else 'active'} proxy"
        self.fate = name
        self.port = stage.world.port()
        self.relay = Relay(stage.world, f"127.0.0.1:{self.port}" if passive else server.address)
        self.state = stage.world.folder / f"{self.name}.state"
        self.host = Host(f"host-of-{self.name}", 1, ITEM)
        self.row = ProxyRow(self.name, [self.host], self.relay.port if passive else None)
        self.proxy = None
        self.counter = 0

    def start(self):
        options = ["--config-frequency", 3600, "--state", self.state]
        if self.passive:
            options += ["--passive", "--listen", f"127.0.0.1:{self.port}", "--server", "127.0.0.1"]
        else:
            options += ["--server", self.relay.address]
        self.proxy = Proxy(self.world, self.name, *options)

    def feed(self, count):
        """Hands in values, numbers that count up, without clocks."""
        self.proxy.say(*({"itemid": self.host.itemid("count"), "value": str(self.counter + n)}
                         for n in range(count)))
        self.counter += count

    def taken(self, lines):
        """Waits until so many lines of its input are safe."""
        self.proxy.find("taken", lambda value: value["lines"] >= lines)

    def last(self):
        return max((value["history data"]["id"] for value in self.proxy.values("acknowledged")
                    if "history data" in value), default=0)

    def arrived(self):
        """The numbers in the database, in their order."""
        query = f"select value, clock, ns from history_uint where itemid = {self.host.itemid('count')}"
        return sorted(row[0] for row in self.server.database.rows(query))

    def complete(self, report, title):
        end = time.monotonic() + 60
        while len(rows := self.arrived()) < self.counter and time.monotonic() < end:
            time.sleep(0.5)
        report.check(f"{title}: {self.counter} values are there, each once",
                     rows == list(range(self.counter)),
                     lambda: wrong(rows, self.counter) + "\n" + self.proxy.tell())


def wrong(rows, count):
    """How the numbers that came differ from those that should have."""
    missing = sorted(set(range(count)) - set(rows))
    twice = sorted({row for row in rows if rows.count(row) > 1})
    return f"{len(missing)} missing: {missing[:10]}; {len(twice)} more than once: {twice[:10]}"


def together(report, cases):
    """Runs cases at the same time: a name, a function and its arguments each."""
    threads = [threading.Thread(target=report.run, args=case, daemon=True) for case in cases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Feeder:
    """Hands in a value every now and then, until its with statement ends."""

    def __init__(self, feed):
        self.feed = feed
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def run(self):
        while not self.over.wait(0.02):
            self.feed(1)


def cut(report, ours):
    """Connections that break after so many octets."""
    title = f"{ours.title}, connections that break"
    ours.start()
    with Feeder(ours.feed):
        for order in orders(PASSIVE_BREAKS if ours.passive else ACTIVE_BREAKS):
            before = ours.last()
            ours.proxy.wait(lambda: ours.last() > before, f"{order} of {title}: an acknowledgement before")
            ours.relay.add(order)
            assert order.done.wait(60), f"{order} of {title} did not happen"
    ours.complete(report, title)


def killed(report, ours):
    """Our proxy is killed when so much of a message was carried, and starts again from its file."""
    title = f"{ours.title}, killed"
    for direction, octets in (PASSIVE_BREAKS if ours.passive else ACTIVE_BREAKS)[::2]:
        ours.start()
        ours.feed(1)
        ours.proxy.find("acknowledged")
        hold = ours.relay.add(Hold(direction, octets))
        ours.feed(50)
        ours.taken(51)
        assert hold.done.wait(60), f"{hold} of {title} did not happen"
        ours.proxy.kill()
        hold.release.set()
    ours.start()
    ours.feed(1)
    ours.complete(report, title)


def hurried(report, ours):
    """Our proxy is killed while it reads: what it said that it took is not lost."""
    title = f"{ours.title}, killed while it reads"
    sure = set()
    for _ in range(4):
        ours.start()
        first = ours.counter
        ours.feed(2000)
        ours.proxy.find("taken", lambda value: value["lines"] > 0)
        ours.proxy.kill()
        lines = max(value["lines"] for value in ours.proxy.values("taken"))
        sure |= set(range(first, first + lines))
    ours.start()
    rows = []
    end = time.monotonic() + 60
    while not sure <= set(rows := ours.arrived()) and time.monotonic() < end:
        time.sleep(0.5)
    ours.proxy.stop()
    rows = ours.arrived()
    report.check(f"{title}: {len(sure)} values that it took are there, none twice",
                 sure <= set(rows) and len(rows) == len(set(rows)), lambda: wrong(rows, ours.counter))


def restarted(report, server, both):
    """The real server stops and starts again while our proxies have values for it."""
    for ours in both:
        ours.start()
    with Feeder(lambda count: [ours.feed(count) for ours in both]):
        for _ in range(2):
            marks = [ours.last() for ours in both]
            for ours, mark in zip(both, marks):
                ours.proxy.wait(lambda: ours.last() > mark, f"an acknowledgement for {ours.title}")
            server.stop()
            time.sleep(1)
            server.start()
            server.wait()
    for ours in both:
        ours.complete(report, f"{ours.title}, the real server is restarted")


def counted(report, ours):
    """The server adds up what it processed, also what it had before: there was none of that."""
    query = f"select coalesce(sum(num), 0) from trends_uint where itemid = {ours.host.itemid('count')}"
    processed = ours.server.database.rows(query)[0][0]
    report.same(f"{ours.title}, {ours.fate}: the server processed no value twice", processed, ours.counter)


class OurProxies:
    """Our proxies at a real server of their own, which is restarted in the end."""

    def __init__(self, stage):
        self.server = stage.server("second")
        self.cut, self.killed, self.hurried, self.restarted = (
            [Ours(stage, self.server, name, passive) for passive in (False, True)]
            for name in ("cut", "killed", "hurried", "restarted"))
        database = self.server.database
        database.script("begin;" + "".join(
            ours.row.insert(database)
            for ours in self.cut + self.killed + self.hurried + self.restarted) + "commit;")
        self.server.start()

    def parts(self, report):
        self.server.wait()
        return [("what breaks at the real server", self.all, report)]

    def all(self, report):
        together(report, [(ours.name, function, report, ours) for function, group in (
            (cut, self.cut), (killed, self.killed), (hurried, self.hurried)) for ours in group])
        report.run("the real server is restarted", restarted, report, self.server, self.restarted)
        for ours in self.cut + self.killed:
            report.run(ours.name, counted, report, ours)


class Real:
    """A real proxy with a relay between it and our server."""

    def __init__(self, stage, passive):
        self.stage = stage
        self.passive = passive
        self.name = f"broken-real-{'passive' if passive else 'active'}"
        self.title = f"the real {'passive' if passive else 'active'} proxy"
        self.host = Host(f"host-of-{self.name}", 1, ITEM)
        self.address = None
        self.counter = 0

    def make(self, server):
        """Makes the daemon and the relay."""
        self.relay = None if self.passive else Relay(self.stage.world, server)
        self.daemon = RealProxy(self.stage.world, self.stage.programs, self.name,
                                self.relay.address if self.relay else server, [], self.passive)
        if self.passive:
            self.relay = Relay(self.stage.world, self.daemon.address)

    def entry(self):
        entry = {"name": self.name, "mode": "active", "tables": self.host.tables()}
        return entry | ({"mode": "passive", "address": self.relay.address} if self.passive else {})

    def feed(self, count):
        assert self.offer(count), f"{self.name} did not take all"

    def offer(self, count):
        """Values through zabbix_sender. Whether they were taken."""
        text = "".join(f"{self.host.name} count {self.counter + n}\n" for n in range(count))
        programs = self.stage.programs
        done = programs.call(programs.sender, "-z", "127.0.0.1", "-p", self.daemon.port, "-i", "-",
                             text=text.encode())
        if done.returncode == 0:
            self.counter += count
        return done.returncode == 0


class RealProxies:
    """The real proxies at a server of ours, which is killed now and then."""

    def __init__(self, stage):
        self.stage = stage
        self.address = f"127.0.0.1:{stage.world.port()}"
        self.proxies = [Real(stage, passive) for passive in (False, True)]
        for proxy in self.proxies:
            proxy.make(self.address)
        self.file = stage.world.write("broken.json", json.dumps(
            {"proxies": [proxy.entry() for proxy in self.proxies], "tables": {}}))
        self.state = stage.world.folder / "broken.state"
        self.outputs = []
        self.start()
        for proxy in self.proxies:
            proxy.daemon.start()

    def start(self):
        """Our server, whose output is a new file."""
        self.outputs.append(self.stage.world.folder / f"broken-{len(self.outputs)}.ndjson")
        with open(self.outputs[-1], "wb") as output:
            self.command = Server(self.stage.world, "--listen", self.address, "--config", self.file,
                                  "--state", self.state, "--config-frequency", 3, output=output)

    def values(self, proxy):
        """The numbers that came, with their times, in rows whose message came, too."""
        found = []
        for output in self.outputs:
            waiting = {}
            for line in output.read_bytes().split(b"\n")[:-1]:
                event = json.loads(line)
                if event.get("proxy") != proxy.name:
                    continue
                if event["event"] == "history data":
                    row = event["value"]
                    waiting.setdefault(event["conn"], []).append((int(row["value"]), row["clock"], row["ns"]))
                elif event["event"] == "proxy data":
                    rows = waiting.pop(event["conn"], [])
                    found += [] if "error" in event else rows
        return sorted(found)

    def parts(self, report):
        for proxy in self.proxies:
            proxy.daemon.wait()
            until(lambda: f"{proxy.name}" in self.outputs[-1].read_text(), f"the first word of {proxy.name}")
        return [("what breaks at our server", self.all, report)]

    def ready(self, proxy):
        """Waits until the proxy knows its item: values before that would not be taken."""
        until(lambda: "received configuration data" in proxy.daemon.tail(),
              f"the configuration of {proxy.name}")
        until(lambda: proxy.offer(1), f"the item of {proxy.name}")

    def all(self, report):
        together(report, [(proxy.title, self.cut, report, proxy) for proxy in self.proxies])
        for proxy in self.proxies:
            report.run(proxy.title, self.killed, report, proxy)
            report.run(proxy.title, self.stopped, report, proxy)

    def complete(self, report, proxy, title, kind=list):
        end = time.monotonic() + 60
        while len(values := kind(self.values(proxy))) < proxy.counter and time.monotonic() < end:
            time.sleep(0.5)
        rows = sorted(value for value, _, _ in values)
        report.check(f"{title}: {proxy.counter} values came, each once", rows == list(range(proxy.counter)),
                     lambda: "\n".join([wrong(rows, proxy.counter), self.command.tell(),
                                         proxy.daemon.tail()[-1500:]]))

    def cut(self, report, proxy):
        """Connections that break after so many octets."""
        self.ready(proxy)
        for order in orders(PASSIVE_BREAKS if proxy.passive else ACTIVE_BREAKS):
            proxy.relay.add(order)
            proxy.feed(20)
            assert order.done.wait(60), f"{order} of {proxy.title} did not happen"
        proxy.feed(1)
        self.complete(report, proxy, f"{proxy.title} at ours, connections that break")

    def killed(self, report, proxy):
        """Our server is killed in the middle of a message, and when the answer is still to be carried."""
        for direction, octets in ((REQUEST, 60), (ANSWER, 0)):
            hold = proxy.relay.add(Hold(direction, octets))
            proxy.feed(20)
            assert hold.done.wait(60), f"{hold} of {proxy.title} did not happen"
            time.sleep(0.5)
            self.command.kill()
            hold.release.set()
            self.start()
        self.complete(report, proxy, f"{proxy.title}, our server is killed")

    def stopped(self, report, proxy):
        """The real proxy stops in the middle of a message, and starts again.

        It may send what it had while it stops, and forget that it was acknowledged; then it sends the very
        same again, as another session. Nobody can tell that but by its times.
        """
        hold = proxy.relay.add(Hold(ANSWER if proxy.passive else REQUEST, 60))
        proxy.feed(20)
        assert hold.done.wait(60), f"{hold} of {proxy.title} did not happen"
        proxy.daemon.daemon.tell()
        time.sleep(0.5)
        hold.release.set()
        proxy.daemon.stop()
        proxy.daemon.start()
        proxy.daemon.wait()
        self.complete(report, proxy, f"{proxy.title} at ours, it is stopped", set)
