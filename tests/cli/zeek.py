"""What the tests of the commands for Zeek's Management framework share."""

import json
import re

from broker import PLAIN
from cli import OPENSSL, leat, temporary
from live import Talker

AGENT, CONTROLLER = "Management::Agent::API::", "Management::Controller::API::"
UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
VOID = {"p": None, "scripts": None, "options": None, "interface": None, "cpu_affinity": None, "env": [],
        "metrics_port": None}


def brief(name):
    """The name of an event without its module."""
    return name.rpartition("::")[2]


def without(value, *names):
    """The same without fields of these names, however deep."""
    if isinstance(value, dict):
        return {key: without(inner, *names) for key, inner in value.items() if key not in names}
    return [without(inner, *names) for inner in value] if isinstance(value, list) else value


class Framework(Talker):
    """An agent or a controller; its lines are events."""

    def told(self, name, count=1):
        """Waits for so many events of that name, with its module or not, and returns their values."""
        return self.wait_all(
            lambda events: len(found := [e["value"] for e in events if e.get("event") in (name, AGENT + name,
                                                                                        CONTROLLER + name)]) >= count
            and found, f"{count} times {name}")

    def refused(self, number):
        """Waits for the complaint about a line of the input, and returns it."""
        return self.err.find(rf"line {number}: (.*)").group(1)


class Agent(Framework):
    def __init__(self, name, *arguments, connect=None, listen=None, nodes=None, security=PLAIN, **options):
        where = ["--connect", connect] if connect else []
        where += ["--listen", listen] if listen else []
        if nodes is not None:
            where += ["--nodes", temporary(json.dumps(nodes))]
        super().__init__("zeek", "agent", "--name", name, *where, *security, *arguments, **options)


class Controller(Framework):
    """The one whose addresses are address, of native peers, and clients, if there is WebSocket in this build."""

    def __init__(self, *arguments, listen="127.0.0.1:0", websocket="127.0.0.1:0", security=PLAIN, **options):
        places = ["--listen", listen] + (["--websocket", websocket] if OPENSSL else [])
        super().__init__("zeek", "controller", *places, *security, *arguments, **options)
        lines = self.err.wait(lambda lines: len(found := [line for line in lines if "listening on" in line]) == len(
            places) / 2 and found, "its addresses")
        self.address, self.clients = lines[0].split()[-1], lines[-1].split()[-1]
        self.port = int(self.address.rpartition(":")[2])

    def response(self, name, reqid):
        """Waits for the response to the request of that reqid, and returns it."""
        return self.wait(lambda e: e["event"] == f"{CONTROLLER}{name}_response" and e["value"]["reqid"] == reqid,
                         f"the response to {name} {reqid}")["value"]

    def instance(self, what, name, count=1):
        """Waits until that has happened to an instance, so often."""
        return self.wait_all(
            lambda events: len(found := [e["value"] for e in events if e.get("event") == "instance" and (
                e["value"]["what"], e["value"]["instance"]) == (what, name)]) >= count and found,
            f"{count} times {what} of {name}")[-1]


def ask(controller, *words, data=b""):
    """What a client of it says: the exit code, and the name and the value of each response, without ids of requests."""
    address = controller if isinstance(controller, str) else controller.clients
    result = leat("zeek", "client", address, *words, data=data)
    responses = []
    for event in result.events():
        name, value = event["event"], event["value"]
        assert name.startswith(CONTROLLER) and UUID.fullmatch(value["reqid"]), event
        responses.append((brief(name), without(value, "reqid")))
    return result.code, *responses


class Frames:
    """One direction of a conversation of WebSocket, in pieces: a head of HTTP, then texts."""

    def __init__(self):
        self.rest = b""
        self.head = None

    def feed(self, octets):
        """The texts that are whole by now."""
        self.rest += octets
        if self.head is None:
            if b"\r\n\r\n" not in self.rest:
                return []
            self.head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        texts = []
        while (taken := self.frame()) is not None:
            kind, payload = taken
            if kind == 1:
                texts.append(payload.decode())
        return texts

    def frame(self):
        """The next frame; its kind and what is in it. None: it is not there as a whole."""
        if len(self.rest) < 2:
            return None
        length, begin = self.rest[1] & 127, 2
        if length > 125:
            begin = 4 if length == 126 else 10
            length = int.from_bytes(self.rest[2:begin], "big")
        mask = b""
        if self.rest[1] & 128:
            mask = self.rest[begin : begin + 4]
            begin += 4
        if len(self.rest) < begin + length:
            return None
        kind, payload = self.rest[0] & 15, self.rest[begin : begin + length]
        self.rest = self.rest[begin + length :]
        return kind, bytes(octet ^ mask[i % 4] for i, octet in enumerate(payload)) if mask else payload


def plain(value):
    """Data in Broker's JSON without its types; none stands for itself."""
    kind, data = value["@data-type"], value["data"]
    if kind in ("vector", "set"):
        return [plain(inner) for inner in data]
    if kind == "table":
        return [[plain(pair["key"]), plain(pair["value"])] for pair in data]
    return None if kind == "none" else data


def failure(error, node=None, instance=None, data=None):
    return {"success": False, "instance": instance, "data": data, "error": error, "node": node}


def success(data=None, node=None, instance=None):
    return {"success": True, "instance": instance, "data": data, "error": None, "node": node}


def node(name, instance, role="WORKER", **others):
    """A node of a configuration, as it is printed."""
    return {"name": name, "instance": instance, "role": f"Supervisor::{role}", "state": "Management::RUNNING", **VOID,
            **others}


def instance(name, host="0.0.0.0", listen_port=None):
    return {"name": name, "host": host, "listen_port": listen_port}


def configuration(name, instances, nodes):
    """As it is printed, and as a client can read it."""
    return {"id": name, "instances": instances, "nodes": nodes}


def deploy(controller, config):
    return ask(controller, "deploy-config", "-", data=json.dumps(config))
