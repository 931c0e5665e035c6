#!/usr/bin/env python3
"""leat broker ws: clients and servers against each other, native peers behind them, and other makes of WebSocket."""

import json
import signal
import socket
import subprocess
import sys
import time

from broker import (HIGH, LOW, PLAIN, SAID, Broker, Connector, Listener, Shell, count, free_port, shown, text,
                    ways)
from cli import DIALECTS, HERE, OPENSSL, Tap, leat
from live import PATIENCE, Authority, Lines, folder, until

# As Broker's own server: clients may send any data.
BROKER = ["--flavour", "broker"]
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ANSWER = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
REQUEST = ("GET /v1/messages/json HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n")


class Gateway(Listener):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, noun="ws", **options)
        self.url = ("ws" if "--no-tls" in arguments else "wss") + f"://{self.address}"


class Client(Broker):
    def __init__(self, url, *arguments, **options):
        super().__init__("ws", "--connect", url, *arguments, **options)


class Other:
    """Another program whose lines are messages: see websocket_peer.py and websocket_client.js."""

    def __init__(self, *words):
        self.process = subprocess.Popen(list(map(str, words)), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.out, self.err = Lines(self.process.stdout), Lines(self.process.stderr)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def say(self, *lines):
        for line in lines:
            self.process.stdin.write(((line if isinstance(line, str) else json.dumps(line)) + "\n").encode())
        self.process.stdin.flush()

    def line(self, number):
        """Waits for a line, from 1 on."""
        return self.out.count(number)[number - 1].rstrip("\n")

    def closed(self):
        return json.loads(self.out.find(r'^\{"closed"').string)["closed"]


def python_with_websockets():
    for python in sys.executable, "python3", "/usr/bin/python3":
        if subprocess.run([python, "-c", "import websockets"], capture_output=True, check=False).returncode == 0:
            return python
    return None


def node_with_websocket():
    """The command that runs Node so that it has its client; NULL: there is none."""
    for words in ["node"], ["node", "--experimental-websocket"]:
        try:
            done = subprocess.run([*words, "-e", "new WebSocket('ws://127.0.0.1:1').onerror = () => process.exit(7)"],
                                  capture_output=True, check=False, timeout=PATIENCE)
        except OSError:
            return None
        if done.returncode == 7:
            return words
    return None


PYTHON, NODE = python_with_websockets(), node_with_websocket()


def other(*words):
    return Other(PYTHON, "-B", HERE / "websocket_peer.py", *words)


def named(value):
    """The options of a client that checks no name."""
    return [*value, "--peer-name", "any"] if "--cert" in value else [v for v in value if v != "--no-tls"]


def pairs(tap):
    """All that can be said, both ways."""
    for name, one, two in ways():
        with Gateway("--subscribe", "/to/one", *BROKER, *one) as first:
            with Client(first.url, "--subscribe", "/to/other", *named(two)) as second:
                second.told("ack")
                first.told("peer_added")
                expected = [{"topic": "/to/one", **(typed or said)} for said, typed, _ in SAID]
                second.say(*[{"topic": "/to/one", **said} for said, _, _ in SAID])
                tap.same(f"{name}: what the client says", first.messages(len(SAID)), expected)
                again = [{**message, "topic": "/to/other"} for message in expected]
                first.say(*again)
                tap.same(f"{name}: what was printed, said by the server", second.messages(len(SAID)), again)
                tap.same(f"{name}: the client is stopped", (second.finish(), second.err.text()), (0, ""))
                first.told("endpoint_unreachable")
                tap.same(f"{name}: the server, too", (first.finish(), first.statuses()),
                         (0, ["endpoint_discovered", "peer_added", "peer_lost", "endpoint_unreachable"]))


def gateways(tap):
    """Clients and native peers hear each other, as in a Zeek; and as in Broker, clients alone do."""
    event = {"event": "e", "args": [text("x")]}
    for flavour in "zeek", "broker":
        with Listener("--subscribe", "/", "--id", LOW, *PLAIN) as native:
            with Gateway("--peer", native.address, "--peer-listen", "127.0.0.1:0", "--flavour", flavour, "--id", HIGH,
                         *PLAIN) as gateway:
                second_port = gateway.err.count(2)[1].split()[-1]
                with Client(gateway.url, "--subscribe", "/a") as first, \
                        Client(gateway.url, "--subscribe", "/b") as last, \
                        Connector(second_port, "--subscribe", "/a/native", *PLAIN) as other_native:
                    acks = [client.told("ack")[0]["value"] for client in (first, last)]
                    other_native.told("peer_added")
                    gateway.told("peer_added", 4)
                    tap.same(f"{flavour}: acks tell who serves", [ack["endpoint"][:36] for ack in acks], [HIGH] * 2)
                    native.say({"ping": ""})
                    native.told("pong")
                    first.say({"topic": "/b", **event})
                    tap.same(f"{flavour}: client to client", last.messages(), [{"topic": "/b", **event}])
                    last.say({"topic": "/a/native", **event})
                    tap.same("and back", first.messages(), [{"topic": "/a/native", **event}])
                    gateway.say({"topic": "/a", **event})
                    tap.same("server to client", len(first.messages(2)), 2)
                    if flavour == "zeek":
                        tap.same("clients to a native peer", native.messages(3),
                                 [{"topic": topic, **event} for topic in ("/b", "/a/native", "/a")])
                        other_native.messages()
                        native.say({"topic": "/b/x", **event})
                        tap.same("a native peer to a client", last.messages(2)[1], {"topic": "/b/x", **event})
                    else:
                        tap.same("clients say nothing to a native peer", native.messages(), [{"topic": "/a", **event}])
                    tap.same("the gateway stops", gateway.stop(signal.SIGTERM), 0)
                    for client in first, last:
                        client.told("close")
                    native.told("peer_lost")


def flavours(tap):
    """What Zeek's server does not take is answered by an error, and the conversation goes on."""
    with Gateway("--subscribe", "/", *PLAIN) as gateway:
        with Client(gateway.url) as client:
            client.told("ack")
            client.say({"topic": "/a", "data": "no event"}, {"topic": "/a", "event": "e"})
            tap.same("an error", client.told("error")[0]["value"]["code"], "deserialization_failed")
            tap.same("and what is sound", gateway.messages(), [{"topic": "/a", "event": "e", "args": []}])


def client_lines(tap):
    """What a client cannot do is refused."""
    with Gateway("--subscribe", "/", *BROKER, *PLAIN) as gateway:
        with Client(gateway.url) as client:
            client.told("ack")
            lines = [('{"subscribe":"/x"}', "neither a message nor a command of a client"),
                     ('{"peer":"127.0.0.1:1"}', "neither a message nor a command of a client"),
                     (f'{{"topic":"/","data":1,"to":"{LOW}"}}', "a client cannot say for whom a message is"),
                     ('{"topic":"/"}', "neither data nor an event"), ("[", "ends inside")]
            client.say(*[line for line, _ in lines], {"topic": "/end", "data": 1})
            tap.same("the program goes on", gateway.messages(), [{"topic": "/end", "data": count(1)}])
            for i, (line, reason) in enumerate(lines):
                told = client.err.find(f"line {i + 1}: ").string
                tap.check(f"refused: {line}", reason in told, told)
            tap.same("the exit code tells", client.finish(), 1)


def killed(tap):
    """kill -9 of either side; a client with a retry time is back, and what it was to say waits until then."""
    listen = f"127.0.0.1:{free_port()}"
    with Client(f"ws://{listen}", "--subscribe", "/", "--retry", "1") as client:
        client.say({"topic": "/", "event": "first"})
        for i in range(2):
            with Gateway("--subscribe", "/", *PLAIN, listen=listen) as gateway:
                client.told("ack", i + 1)
                if i == 0:
                    tap.same("what waited for the server", gateway.messages(),
                             [{"topic": "/", "event": "first", "args": []}])
                gateway.say({"topic": "/", "event": "e"})
                client.messages(i + 1)
                gateway.process.kill()
                gateway.process.wait()
            client.err.find(rf"^leat: {listen}: ", after=len(client.err.lines) - 1)
        tap.same("the client is stopped between", client.stop(), 0)
    with Gateway("--subscribe", "/", *PLAIN) as gateway:
        with Client(gateway.url) as client:
            client.told("ack")
            client.process.kill()
            client.process.wait()
        gateway.told("peer_lost")
        tap.same("a server that lost a client", gateway.finish(), 0)


def over(tap):
    """What ends by itself, with which exit code."""
    nobody = f"127.0.0.1:{free_port()}"
    result = leat("broker", "ws", "--connect", f"ws://{nobody}", "--retry", "0")
    tap.same("nobody listens", (result.code, result.err), (1, f"leat: {nobody}: Connection refused\n"))
    result = leat("broker", "ws", "--connect", f"ws://{'a.' * 126}aa:9997", "--retry", "0")
    tap.same("the port of a long name is read whole", result.code, 1)
    number = 50000
    lines = "".join(f'{{"topic":"/","data":{i}}}\n' for i in range(number))
    with Gateway("--subscribe", "/", "--plain", *BROKER, *PLAIN) as gateway:
        result = leat("broker", "ws", "--connect", gateway.url, "--exit-when-empty", data=lines)
        tap.same("a long input ends well", (result.code, result.err), (0, ""))
        gateway.told("peer_lost")
        tap.same("all came", [m["data"] for m in gateway.messages()], list(range(number)))
        with Client(gateway.url, "--retry", "0") as client:
            client.told("ack")
            gateway.stop()
            tap.same("the server ended it", client.end(), 0)


def unfit(tap):
    """Sides that do not do the same."""
    authority, stranger = Authority("authority"), Authority("stranger")
    server = authority.issue("server", "IP:127.0.0.1")
    unnamed = authority.issue("client", "DNS:client")
    with Gateway(*server) as gateway:
        for name, url, options in [
            ("no TLS", f"ws://{gateway.address}", []),
            ("anonymous", gateway.url, []),
            ("no certificate of ours", gateway.url, ["--ca", authority.certificate]),
            ("another authority", gateway.url, [*unnamed[:4], "--ca", stranger.certificate]),
            ("another name", gateway.url, [*unnamed, "--peer-name", "elsewhere.example"]),
        ]:
            result = leat("broker", "ws", "--connect", url, "--retry", "0", *options)
            tap.same(f"certificates against {name}", (result.code, result.events()), (1, []))
        result = leat("broker", "ws", "--connect", gateway.url, "--exit-when-empty", *unnamed)
        tap.same("and as it should be", (result.code, result.err), (0, ""))
    with Listener(*PLAIN) as native:
        result = leat("broker", "ws", "--connect", f"ws://{native.address}", "--retry", "0")
        tap.check("a native listener", result.code == 1 and "ack" not in result.names(), result.err)
    with Gateway(*PLAIN) as gateway:
        result = leat("broker", "peer", "--connect", gateway.address, "--retry", "0", *PLAIN)
        tap.check("a native peer at a server", result.code == 1 and result.names() == ["error"], result.out)
        result = leat("broker", "ws", "--connect", gateway.url + "/v2", "--retry", "0")
        tap.check("another path", result.code == 1 and "ack" not in result.names(), result.out)


def ask(port, said):
    """What a server answers until it closes, or for half a second."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as stream:
        stream.sendall(said.encode())
        stream.settimeout(0.5)
        got = b""
        try:
            while piece := stream.recv(4096):
                got += piece
        except TimeoutError:
            pass
        return got.decode("latin-1")


def requests(tap):
    """Heads that a server takes, and others; the key is that of RFC 6455."""
    with Gateway(*BROKER, *PLAIN) as gateway:
        answer = ask(gateway.port, REQUEST)
        tap.check("the answer to a key", answer.startswith("HTTP/1.1 101 ") and ANSWER in answer, answer)
        for name, request in [
            ("another method", REQUEST.replace("GET", "POST")),
            ("another path", REQUEST.replace("/v1/", "/v2/")),
            ("no key", REQUEST.replace("Sec-WebSocket-Key", "Key")),
            ("a head that is too long", REQUEST.replace("Host: x", "Host: " + "x" * 100000)),
            ("no HTTP", "hello\r\n\r\n"),
        ]:
            answer = ask(gateway.port, request)
            tap.check(f"refused: {name}", " 101 " not in answer.split("\r\n")[0], answer[:300])
        with Client(gateway.url) as client:
            client.told("ack")
            tap.check("others are served", True)


def origins(tap):
    """Pages of other sites stay outside, if the gateway is told which are its own; programs get in."""
    allowed = ["--origin", "https://a.example", "--origin", "https://b.example"]
    for options, origin, code in [
        ([], "https://c.example", 101), (allowed, None, 101), (allowed, "https://a.example", 101),
        (allowed, "https://b.example", 101), (allowed, "https://c.example", 403), (allowed, "", 403),
        (allowed, "https://a.example.evil", 403),
    ]:
        with Gateway(*BROKER, *PLAIN, *options) as gateway:
            line = "" if origin is None else f"Origin: {origin}\r\n"
            answer = ask(gateway.port, REQUEST.replace("Host: x\r\n", "Host: x\r\n" + line))
            tap.check(f"{len(options)} options, {origin}: {code}", answer.startswith(f"HTTP/1.1 {code} "), answer)


def clients_of_others(tap):
    """python3-websockets and Node as clients of the gateway."""
    makes = []
    if PYTHON is None:
        tap.skip("clients by python3-websockets", "no Python here has the package websockets")
    else:
        makes = [("python3-websockets", lambda url: other("client", url), PLAIN),
                 ("python3-websockets, anonymous TLS", lambda url: other("client", url, "anonymous"), [])]
    if NODE is None:
        tap.skip("Node's own client", "no Node here has one, not even with --experimental-websocket")
    else:
        makes.append(("Node", lambda url: Other(*NODE, HERE / "websocket_client.js", url), PLAIN))
    for name, client_of, options in makes:
        for flavour in "broker", "zeek":
            with Gateway("--subscribe", "/in", "--flavour", flavour, *options) as gateway:
                with client_of(gateway.url + "/v1/messages/json") as client:
                    client.say('["/out"]')
                    ack = json.loads(client.line(1))
                    tap.check(f"{name}, {flavour}: an ack", list(ack) == ["type", "endpoint", "version"], ack)
                    message = {"type": "data-message", "topic": "/in", "@data-type": "vector", "data": [
                        count(1), count(1), {"@data-type": "vector", "data": [
                            text("ping"), {"@data-type": "vector", "data": [text("\u00e4\U0001f600"), count(7)]}]}]}
                    client.say(message)
                    got = gateway.messages()[0]
                    tap.same("what it says", got, {"topic": "/in", "event": "ping",
                                                   "args": [text("\u00e4\U0001f600"), count(7)]})
                    gateway.say({**got, "topic": "/out"})
                    tap.same("what it hears", json.loads(client.line(2)), {**message, "topic": "/out"})
                    long = "x" * 300000
                    gateway.say({"topic": "/out", "event": "long", "args": [long]})
                    tap.check("a long message", long in client.line(3))
                    client.say("{")
                    tap.same("what is no message", json.loads(client.line(4))["code"], "deserialization_failed")
                    if name.startswith("python"):
                        line = json.dumps(message)
                        client.say({"parts": [line[:7], line[7:50], "", line[50:]]})
                        tap.same("in pieces", gateway.messages(2)[1], got)
                        client.say({"ping": "are you there"})
                        tap.same("a ping", json.loads(client.line(5)), {"pong": "are you there"})
                        client.say({"close": [4000, "enough"]})
                        tap.same("its goodbye is answered", client.closed(), [4000, "enough"])
                    else:
                        client.say("close")
                        tap.same("its goodbye is answered", client.closed()[0], 1000)
                    gateway.told("endpoint_unreachable")
                with client_of(gateway.url + "/v1/messages/json") as client:
                    client.say("[]")
                    client.line(1)
                    tap.same("the gateway stops", gateway.stop(signal.SIGTERM), 0)
                    tap.check("and says goodbye", client.closed()[0] in (1000, 1001), client.out.lines)


ACK = '{"type":"ack","endpoint":"925c9110-5b87-57d9-9d80-b65568e87a44","version":"2.8.0-dev"}'


def servers_of_others(tap):
    """A server by python3-websockets, which speaks as Broker's does in what was recorded of it."""
    if PYTHON is None:
        tap.skip("a server by python3-websockets", "no Python here has the package websockets")
        return
    for name, scheme, words in ("plain", "ws", []), ("anonymous TLS", "wss", ["anonymous"]):
        with other("server", *words) as server:
            url = f"{scheme}://127.0.0.1:{server.line(1)}"
            with Client(url, "--subscribe", "/a", "--subscribe", "/b", "--retry", "1") as client:
                tap.same(f"{name}: the usual path", json.loads(server.line(2)), {"path": "/v1/messages/json"})
                tap.same("topics come first", json.loads(server.line(3)), ["/a", "/b"])
                client.say({"topic": "/x", "event": "e", "args": ["y"]})
                time.sleep(0.2)
                tap.check("nothing is said before the ack", len(server.out.lines) == 3, server.out.lines)
                server.say(ACK)
                tap.same("the ack", client.told("ack")[0]["value"], json.loads(ACK))
                said = json.loads(server.line(4))
                tap.same("what is said", said, {
                    "type": "data-message", "topic": "/x", "@data-type": "vector", "data": [
                        count(1), count(1), {"@data-type": "vector", "data": [
                            text("e"), {"@data-type": "vector", "data": [text("y")]}]}]})
                server.say('{"type":"data-message","topic":"/a","@data-type":"count","data":1}',
                           '{"type":"error","code":"deserialization_failed","context":'
                           '"input #1 contained malformed JSON -> caf::pec::unexpected_character(1, 1)"}',
                           '{"type":"data-message","topic":"/a","@data-type":"real","data":nan}',
                           '{"type":"data-message","topic":"/a","@data-type":"string","data":"\x01\x0b"}',
                           '{"type":"smoke"}', "[]", json.dumps(said),
                           {"parts": ['{"type":"data-message","topic":"/b",', '"@data-type":"none","data":{}}']})
                tap.same("what is heard", client.messages(5), [
                    {"topic": "/a", "data": count(1)}, {"topic": "/a", "data": "nan"},
                    {"topic": "/a", "data": text("\x01\x0b")}, {"topic": "/x", "event": "e", "args": [text("y")]},
                    {"topic": "/b", "data": {"@data-type": "none", "data": {}}}])
                tap.same("an error", client.told("error")[0]["value"]["code"], "deserialization_failed")
                tap.same("what is no message", len(client.told("unknown", 2)), 2)
                server.say({"ping": "ixwebsocket::heartbeat::5s::0"})
                tap.same("a ping is answered", json.loads(server.line(5)), {"pong": "ixwebsocket::heartbeat::5s::0"})
                server.say({"close": [1000, "EOF"]})
                tap.same("a goodbye", client.told("close")[0]["value"], {"code": 1000, "reason": "EOF"})
                tap.same("is answered", server.closed(), [1000, "EOF"])
                server.out.find(r'^\{"path"', after=6)
                tap.same("and the client is back", json.loads(server.line(8)), ["/a", "/b"])
                server.say(ACK)
                client.told("ack", 2)
                tap.same("it is stopped", client.stop(signal.SIGTERM), 0)
                closed = until(lambda: [json.loads(line) for line in server.out.lines[8:]], "the last goodbye")
                tap.same("and says goodbye", closed, [{"closed": [1000, ""]}])


def scripted_servers(tap):
    """Servers that answer what no server should."""
    accept = ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              f"Sec-WebSocket-Accept: {ANSWER}\r\n\r\n")
    refusal = "Expected a WebSocket handshake."
    for name, answer, reason in [
        ("Broker's refusal, its text twice", "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: "
         f"{len(refusal)}\r\n\r\n{refusal}{refusal}", "refused"),
        ("Zeek's refusal, without a blank line", "HTTP/1.1 400 Bad Request\r\nServer: x\r\n", None),
        ("the answer to another key", accept, None),
        ("no HTTP", "\0\0\0\5\7ZEEK", None),
        ("nothing", "", None),
    ]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(PATIENCE)
            with Client(f"ws://127.0.0.1:{listener.getsockname()[1]}", "--retry", "0") as client:
                stream, _ = listener.accept()
                with stream:
                    stream.settimeout(PATIENCE)
                    stream.recv(4096)
                    stream.sendall(answer.encode())
                    stream.shutdown(socket.SHUT_WR)
                    while stream.recv(4096):
                        pass
                code = client.end()
                names = [event["event"] for event in client.events()]
                tap.check(f"{name}: exit code 1", code == 1 and "ack" not in names
                          and (reason is None or reason in names) and client.err.text() != "",
                          f"{code} {names} {client.err.text()}")


def slow_client(tap):
    """A client that reads nothing harms nobody else."""
    with Gateway("--queue", "100", "--overflow", "drop-oldest", *BROKER, *PLAIN) as gateway:
        with socket.socket() as slow, Client(gateway.url, "--subscribe", "/", "--plain") as quick:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.connect(("127.0.0.1", gateway.port))
            slow.sendall(REQUEST.encode() + b"\x81\x85\0\0\0\0" + b'["/"]')
            gateway.told("peer_added", 2)
            line = json.dumps({"topic": "/", "data": "x" * 4000})
            for i in range(0, 3000, 50):
                gateway.say(*[line] * 50)
                quick.messages(i + 50)
            tap.same("all came to the other", len(quick.messages()), 3000)
            gateway.say({"stats": True})
            stats = gateway.told("stats")[0]["value"]
            tap.check("what waits is bounded", 100 <= max(entry["queued"] for entry in stats) <= 101, stats)
            tap.check("memory, too", gateway.resident() < 100e6, gateway.resident())


def recordings(tap):
    """What --record writes is what was said, inside TLS."""
    for options in PLAIN, []:
        records = folder() / "gateway", folder() / "client"
        with Gateway("--subscribe", "/", "--record", records[0], *options) as gateway:
            with Client(gateway.url, "--subscribe", "/b", "--record", records[1]) as client:
                client.say({"topic": "/a", "event": "e"})
                gateway.messages()
                gateway.say({"topic": "/b", "event": "e"})
                client.messages()
                client.finish()
            gateway.told("peer_lost")
            gateway.finish()
        said = [leat("decode", "capture", "broker-ws", record) for record in records]
        for result, name in zip(said, ("server", "client")):
            tap.check(f"the {name}'s recording is sound", result.code == 0 and {
                ("client>server", "request"), ("server>client", "response"), ("client>server", "frame"),
                ("server>client", "frame")} <= {(e["dir"], e["event"]) for e in result.events()}, result.err)
        tap.same("both recorded the same", *[sorted(
            (e["dir"], e["event"], json.dumps(e["value"])) for e in result.events()) for result in said])


def manual(tap):
    """The examples of the manual page: a client of a server of ours, and one between us and a native peer with TLS."""
    work = folder()
    with Gateway("--subscribe", "/", *PLAIN) as gateway, Listener("--subscribe", "/x") as native:
        listen = f"127.0.0.1:{free_port()}"
        first, second = [command.replace("zeek.example:9997", gateway.address).replace("zeek.example:9999",
                         native.address).replace(":9997", listen) for command in shown("ws")]
        with Shell(first, work):
            gateway.told("peer_added")
            gateway.say({"topic": "zeek/x", "event": "e"})
            until(lambda: '"zeek/x"' in (work / "events.ndjson").read_text(), "an event in the file")
        with Shell(second, work):
            native.told("peer_added")
            with Client(f"ws://{listen}") as client:
                client.told("ack")
                client.say({"topic": "/x", "event": "e", "args": []})
                tap.same("through a gateway", native.messages(), [{"topic": "/x", "event": "e", "args": []}])


def main():
    tap = Tap()
    if "broker" in DIALECTS and OPENSSL:
        wanted = sys.argv[1:]
        for function in (pairs, gateways, flavours, client_lines, killed, over, unfit, requests, origins,
                         clients_of_others, servers_of_others, scripted_servers, slow_client, recordings, manual):
            if not wanted or function.__name__ in wanted:
                tap.run(function)
    else:
        tap.check("left out of this build", True)
    return tap.end()


sys.exit(main())
