"""What the tests of the commands for Zabbix share: proxies, servers, and peers made of sockets."""

import json
import secrets
import socket
import threading
import zlib

from cli import temporary
from live import PATIENCE, Peer, Talker, read_exactly

TABLES = {
    "hosts": [{"hostid": 920011, "host": "za1"}],
    "items": [
        {"itemid": 930001, "hostid": 920011, "type": 2, "key_": "trap.text"},
        {"itemid": 930002, "hostid": 920011, "type": 7, "key_": "log[/x]", "delay": "1m"},
    ],
}
VERSIONS = ["5.0", "5.4", "6.0", "6.2", "6.4", "7.0", "7.2", "7.4"]
SHORT = ["--data-frequency", "0.05", "--config-frequency", "0.1"]


class Server(Talker):
    def __init__(self, *arguments, **options):
        super().__init__("zabbix", "server", "--listen", "127.0.0.1:0", *arguments, **options)
        self.port = self.port_of()
        self.address = f"127.0.0.1:{self.port}"


class Proxy(Talker):
    def __init__(self, address, *arguments, name="px", **options):
        super().__init__("zabbix", "proxy", "--name", name, "--server", address, *arguments, **options)


class Passive(Proxy):
    def __init__(self, *arguments, server="127.0.0.1", listen="127.0.0.1:0", **options):
        super().__init__(server, "--passive", "--listen", listen, *arguments, **options)
        self.port = self.port_of()
        self.address = f"127.0.0.1:{self.port}"


def config(*proxies, **more):
    """The path of a file for --config."""
    return temporary(json.dumps({"proxies": list(proxies), **more}))


def value(number, text=None, **more):
    return {"itemid": 930001, "clock": 1795292180, "ns": number, "value": text or str(number), **more}


def history(program):
    """The values that a server printed whose messages were sound."""
    return sound(program.events(), "history data")


def sound(events, name):
    """Rows of that section, in order, of messages that came as a whole."""
    waiting, rows = {}, []
    for event in events:
        if "conn" not in event:
            continue
        if event["event"] == name:
            waiting.setdefault(event["conn"], []).append(event["value"])
        elif event["event"] in ("proxy data", "proxy tasks", "sender data", "agent data"):
            if "error" not in event:
                rows += waiting.pop(event["conn"], [])
    return rows


def events_in_order(events):
    """Rows of sound messages; the numbers of connections begin anew with each server."""
    waiting, rows = [], []
    for event in events:
        if event["event"] == "history data":
            waiting.append(event["value"])
        elif event["event"] == "proxy data":
            rows += waiting
            waiting = []
    return rows


def frame(text, flags=1):
    if not isinstance(text, (bytes, str)):
        text = json.dumps(text)
    octets = text.encode() if isinstance(text, str) else text
    plain = len(octets)
    if flags & 2:
        octets = zlib.compress(octets)
    return b"ZBXD" + bytes([flags]) + len(octets).to_bytes(4, "little") + \
        (plain if flags & 2 else 0).to_bytes(4, "little") + octets


def read_frame(connection):
    """The body of the next message; None at the end of the stream."""
    header = read_exactly(connection, 13)
    if header is None:
        return None
    body = read_exactly(connection, int.from_bytes(header[5:9], "little"))
    return zlib.decompress(body) if body is not None and header[4] & 2 else body


def ask(port, request, flags=1):
    """Says something to a port, and what is answered: a text, or None."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.sendall(request if isinstance(request, bytes) else frame(request, flags))
        return read_frame(connection)


def data(proxy, *rows, session=None, version="7.0.0", **more):
    """A message of an active proxy."""
    message = {"request": "proxy data", "host": proxy, "session": session or secrets.token_hex(16)}
    if rows:
        message["history data"] = list(rows)
    return {**message, "version": version, "clock": 1795292180, "ns": 1, **more}


class Dispatcher(Peer):
    """A server that answers each request with the next octets for its kind; then with the last ones."""

    def __init__(self, answers):
        super().__init__()
        self.answers = {kind: list(octets) for kind, octets in answers.items()}
        self.left = threading.Event()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection = self.accept()
            except OSError:
                return
            with connection:
                kind = json.loads(read_frame(connection) or b"{}").get("request")
                answers = self.answers.get(kind, [b""])
                connection.sendall(answers[0])
                if len(answers) > 1:
                    answers.pop(0)
                elif all(len(others) == 1 for others in self.answers.values()):
                    self.left.set()


class Answers(Peer):
    """Answers each connection with the next of these texts or frames; None closes without one. Keeps what was asked."""

    def __init__(self, *answers):
        super().__init__()
        self.answers = list(answers)
        self.asked = []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        for answer in self.answers:
            try:
                connection = self.accept()
            except OSError:
                return
            with connection:
                self.asked.append(read_frame(connection))
                if answer is not None:
                    connection.sendall(answer if isinstance(answer, bytes) else frame(answer))


def recording(path):
    """What each side said, in one connection that was recorded."""
    said = {}
    for line in path.read_text().splitlines():
        entry = json.loads(line)
        if "hex" in entry:
            said[entry["dir"]] = said.get(entry["dir"], b"") + bytes.fromhex(entry["hex"])
    return said


def body_of(octets):
    """The text of the first message."""
    body = octets[13 : 13 + int.from_bytes(octets[5:9], "little")]
    return zlib.decompress(body) if octets[4] & 2 else body


def processed(count, failed=0):
    return {"response": "success",
            "info": f"processed: {count - failed}; failed: {failed}; total: {count}; seconds spent: 0.000030"}
