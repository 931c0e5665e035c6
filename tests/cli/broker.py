"""What the tests of the commands for Broker share: endpoints, and peers made of sockets."""

import os
import pathlib
import re
import select
import signal
import socket
import subprocess

from cli import LEAT, OPENSSL, ROOT, strict
from live import PATIENCE, Authority, Talker, read_exactly

PLAIN = ["--no-tls"]

# Ids that come before and behind those at random, of which the eighth octet is 80 to bf: who has the smaller one
# leads the handshake.
LOW, HIGH = "00000000-0000-4000-8000-000000000001", "ffffffff-ffff-4fff-bfff-ffffffffffff"
NOBODY = bytes(16)


class Broker(Talker):
    """leat broker peer or ws; its lines are messages, which have a topic, and other events."""

    def __init__(self, noun, *arguments, **options):
        super().__init__("broker", noun, *arguments, **options)

    def messages(self, count=1):
        """Waits for so many messages, and returns all of them so far, without who sent them."""
        found = self.wait_all(
            lambda events: len(found := [e for e in events if "topic" in e]) >= count and found, f"message {count}")
        return [{key: value for key, value in message.items() if key != "from"} for message in found]

    def told(self, name, count=1):
        """Waits for so many events of that name, and returns them."""
        return self.wait_all(
            lambda events: len(found := [e for e in events if "topic" not in e and e.get("event") == name]) >= count
            and found, f"{count} times {name}")

    def statuses(self):
        """The names of all that befell peerings, when it has ended."""
        return [e["event"] for e in self.events() if "topic" not in e and e.get("event") in STATUSES]


STATUSES = ("endpoint_discovered", "peer_added", "peer_removed", "peer_lost", "endpoint_unreachable", "error")


class Listener(Broker):
    def __init__(self, *arguments, noun="peer", listen="127.0.0.1:0", **options):
        super().__init__(noun, "--listen", listen, *arguments, **options)
        self.address = self.err.find(r"listening on (\S+)").group(1)
        self.port = int(self.address.rpartition(":")[2])


class Connector(Broker):
    def __init__(self, address, *arguments, **options):
        super().__init__("peer", "--connect", address, *arguments, **options)


def text(value):
    return {"@data-type": "string", "data": value}


def count(value):
    return {"@data-type": "count", "data": value}


def ways():
    """How connections are secured: a name, and the options of both sides."""
    yield "plain", PLAIN, PLAIN
    if OPENSSL:
        yield "anonymous TLS", [], []
        authority = Authority("authority")
        yield "certificates", authority.issue("one", "DNS:one"), authority.issue("two", "DNS:two")


# What goes in, and what comes out: as typed JSON, and with --plain.
SAID = [
    ({"data": "hello"}, {"data": text("hello")}, {"data": "hello"}),
    ({"data": 1}, {"data": count(1)}, {"data": 1}),
    ({"data": -1}, {"data": {"@data-type": "integer", "data": -1}}, {"data": -1}),
    ({"data": 1.5}, {"data": {"@data-type": "real", "data": 1.5}}, {"data": 1.5}),
    ({"data": 1e300}, {"data": {"@data-type": "real", "data": 1e300}}, {"data": 1e300}),
    ({"data": True}, {"data": {"@data-type": "boolean", "data": True}}, {"data": True}),
    ({"data": None}, {"data": {"@data-type": "none", "data": {}}}, {"data": None}),
    ({"data": ["a", [2]]},
     {"data": {"@data-type": "vector", "data": [text("a"), {"@data-type": "vector", "data": [count(2)]}]}},
     {"data": ["a", [2]]}),
    ({"data": {"@data-type": "port", "data": "80/tcp"}}, None, {"data": "80/tcp"}),
    ({"data": {"@data-type": "real", "data": 1.0}}, None, {"data": 1.0}),
    ({"data": {"@data-type": "set", "data": [count(2), count(1)]}},
     {"data": {"@data-type": "set", "data": [count(1), count(2)]}}, {"data": [1, 2]}),
    ({"event": "ping"}, {"event": "ping", "args": []}, {"event": "ping", "args": []}),
    ({"event": "ping", "args": ["x", 1, {"@data-type": "timespan", "data": "5s"}]},
     {"event": "ping", "args": [text("x"), count(1), {"@data-type": "timespan", "data": "5s"}]},
     {"event": "ping", "args": ["x", 1, "5s"]}),
    ({"event": "m::e", "args": [[1]], "metadata": [[1, {"@data-type": "timestamp",
                                                       "data": "2022-04-10T07:00:00.000"}]]},
     {"event": "m::e", "args": [{"@data-type": "vector", "data": [count(1)]}],
      "metadata": {"@data-type": "vector", "data": [{"@data-type": "vector", "data": [
          count(1), {"@data-type": "timestamp", "data": "2022-04-10T07:00:00.000"}]}]}},
     {"event": "m::e", "args": [[1]], "metadata": [[1, "2022-04-10T07:00:00.000Z"]]}),
    ({"identifier": "Foo::bar", "value": "x"}, {"identifier": "Foo::bar", "value": text("x")},
     {"identifier": "Foo::bar", "value": "x"}),
]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def id_octets(uuid):
    return bytes.fromhex(uuid.replace("-", ""))


def string(octets):
    assert len(octets) < 128
    return bytes([len(octets)]) + octets


def frame(body):
    return len(body).to_bytes(4, "big") + body


def handshake(kind, *parts):
    return frame(bytes([kind]) + b"".join(parts))


def topics(*names):
    return bytes([len(names)]) + b"".join(string(name.encode()) for name in names)


class RawPeer:
    """A native peer made of a socket, which has the larger id, so that the other side leads the handshake."""

    def __init__(self, port, *subscriptions, uuid=HIGH, size=None):
        self.id = id_octets(uuid)
        self.socket = socket.socket()
        if size is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(handshake(6, b"ZEEK", self.id, b"\1\1"))
        assert self.read()[0] == 7
        self.other = self.read()[5:21]
        assert self.read()[0] == 10
        self.socket.sendall(handshake(11, topics(*subscriptions)))
        assert self.read() == b"\x0c"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def read(self):
        """The body of the next frame; None: the end of the stream."""
        header = read_exactly(self.socket, 4)
        return None if header is None else read_exactly(self.socket, int.from_bytes(header, "big"))

    def send(self, topic, payload, kind=1):
        topic = topic.encode()
        self.socket.sendall(frame(self.id + NOBODY + bytes([kind]) + b"\0\x10" + len(topic).to_bytes(2, "big") +
                                  topic + payload))

    def silent(self, seconds):
        return not select.select([self.socket], [], [], seconds)[0]


def shown(noun):
    """The commands of that kind among the examples of the manual page."""
    text = (ROOT / "doc" / "leat.1").read_text()
    blocks = re.findall(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed$", text[text.index(".Sh EXAMPLES"):], re.M | re.S)
    lines = "".join(blocks).replace("|\n", "| ").splitlines()
    return [line for line in lines if f"leat broker {noun} " in line]


class Shell:
    """A command of a shell, in a folder; what it began ends with the with statement."""

    def __init__(self, command, where):
        path = os.pathsep.join([str(pathlib.Path(LEAT).parent), os.environ["PATH"]])
        self.process = subprocess.Popen(command, shell=True, cwd=where, env={**os.environ, "PATH": path},
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def end(self):
        return self.process.wait(PATIENCE)


def recorded_frames(path, direction):
    """What one side of a recorded conversation said."""
    return b"".join(bytes.fromhex(entry["hex"]) for entry in map(strict, path.read_text().splitlines())
                    if "hex" in entry and entry["dir"] == direction)
