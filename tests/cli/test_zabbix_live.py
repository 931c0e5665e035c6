#!/usr/bin/env python3
"""leat zabbix proxy, server, send and get: against each other, and against sockets that say what they should not."""

import json
import os
import pathlib
import random
import resource
import signal
import socket
import ssl
import sys
import time

from cli import DIALECTS, OPENSSL, VECTORS, Tap, leat, strict, temporary
from live import PATIENCE, Authority, folder, until
from zabbix import (SHORT, TABLES, VERSIONS, Answers, Dispatcher, Passive, Proxy, Server, Talker, ask, body_of,
                    config, data, events_in_order, frame, history, processed, read_frame, recording, value)

STOP = '{"stop":true}\n'
KEY, OTHER_KEY = "00112233445566778899aabbccddeeff" * 2, "ff" * 32


def values_of(rows):
    return [row["value"] for row in rows]


def sends(peer, *arguments, text=None):
    return leat("zabbix", "send", peer.address, *arguments, data=text or b"")


def rows_of(body):
    return json.loads(body)["data"]


# send


def send_one(tap):
    with Answers(processed(1)) as peer:
        result = sends(peer, "--host", "za1", "trap.text", "hello \"you\"\n")
        tap.same("send: one value", json.loads(peer.asked[0]), {
            "request": "sender data", "data": [{"host": "za1", "key": "trap.text", "value": "hello \"you\"\n"}]})
        tap.same("send: the response is printed", result.events(), [{
            "event": "response", "dir": "server>sender", "conn": 1, "offset": 0, "value": processed(1)}])
        tap.same("send: all was processed", (result.code, result.err), (0, ""))


def send_codes(tap):
    for name, answer, code in [
        ("none was processed", processed(1, 1), 2),
        ("refused", {"response": "failed", "info": "no"}, 1),
        ("closed without an answer", None, 1),
        ("no frame", b"OK", 1),
        ("half a frame", frame(processed(1))[:20], 1),
        ("an answer that is no object", frame("[]"), 1),
        ("not JSON", frame('{"response":'), 1),
        ("octets behind the answer", frame(processed(1)) + b"x", 0),
    ]:
        with Answers(answer) as peer:
            result = sends(peer, "--host", "za1", "k", "v")
            tap.check(f"send: {name}: exit code {code}", result.code == code, f"{result.code} {result.err}")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        began = time.monotonic()
        result = leat("zabbix", "send", f"127.0.0.1:{port}", "--host", "h", "k", "v", "--timeout", "0.2")
        tap.check("send: --timeout", result.code == 1 and "too long" in result.err
                  and time.monotonic() - began < 20, result.err)
    result = leat("zabbix", "send", f"127.0.0.1:{port}", "--host", "h", "k", "v")
    tap.same("send: nobody listens", (result.code, result.err), (1, f"leat: 127.0.0.1:{port}: Connection refused\n"))
    with Answers() as peer:
        result = sends(peer, "--host", "h", "k", os.fsdecode(b"\xff"))
        tap.check("send: a value that is not UTF-8", result.code == 2 and "not UTF-8" in result.err, result.err)


def send_redirects(tap):
    with Answers(processed(2)) as other:
        with Answers({"response": "failed", "redirect": {"revision": 1, "address": other.address}}) as peer:
            result = sends(peer, "--host", "za1", "--input", "-", text="- k v\n- k w\n")
            tap.same("send: goes where it is sent", (result.code, len(result.events())), (0, 2))
            tap.same("send: and says the same", other.asked, peer.asked)
    with Answers() as nobody:
        there = {"response": "failed", "redirect": {"revision": 1, "address": nobody.address}}
    with Answers({"response": "failed", "redirect": {"revision": 2, "address": "nowhere"}}) as other:
        there["redirect"]["address"] = other.address
        with Answers(there) as peer:
            result = sends(peer, "--host", "za1", "k", "v")
            tap.check("send: but once only", result.code == 1 and "a redirect that leads nowhere" in result.err,
                      result.err)
    rows = "".join(f"h k {i}\n" for i in range(251))
    with Answers(processed(250), {"response": "failed", "redirect": {"reset": True}}, processed(1)) as peer:
        result = sends(peer, "--input", temporary(rows))
        tap.same("send: reset", (result.code, [len(rows_of(body)) for body in peer.asked]), (0, [250, 1, 1]))
    with Answers(processed(1)) as other:
        with Answers({"response": "failed", "redirect": {"revision": 1, "address": other.address}}) as peer:
            other.answers.append(processed(1))
            result = sends(peer, "--input", temporary(rows))
            tap.same("send: remembers where", (len(peer.asked), len(other.asked)), (1, 2))


LINES = [
    ("h k v\n", [("h", "k", "v")]),
    ("h k a b\n", [("h", "k", "a b")]),
    ("h k v   \n", [("h", "k", "v   ")]),
    ("  h \t k\tv\n", [("h", "k", "v")]),
    ("h k v", [("h", "k", "v")]),
    ("h k v\r\n", [("h", "k", "v")]),
    ('h k "a b"  \n', [("h", "k", "a b")]),
    ('h k "a\\n\\"b\\\\c\\td"\n', [("h", "k", 'a\n"b\\c\\td')]),
    ("h k a\\nb\n", [("h", "k", "a\\nb")]),
    ('"h h" "k[\\"x\\"]" v\n', [("h h", 'k["x"]', "v")]),
    ('h k ab"c\n', [("h", "k", 'ab"c')]),
    ('h k ""\n', [("h", "k", "")]),
    ("- k v\n", [("za1", "k", "v")]),
    ("h k \u00e4\n", [("h", "k", "\u00e4")]),
    ("h k v\ng l w\n", [("h", "k", "v"), ("g", "l", "w")]),
]
BAD_LINES = [
    ("h k\n", "line 1: not a host, a key and a value"),
    ("h\n", "line 1: not a host, a key and a value"),
    ("\n", "line 1: not a host, a key and a value"),
    ("h k v\n\n", "line 2: not a host, a key and a value"),
    ('h k "a" b\n', "something behind the value"),
    ('h k "a"b\n', "not a host, a key and a value"),
    ('h k "a\n', "not a host, a key and a value"),
    ("h k \0\n", "a zero octet"),
    (b"h k \xff\n", "not UTF-8"),
]


def send_lines(tap):
    for text, rows in LINES:
        with Answers(processed(len(rows))) as peer:
            result = sends(peer, "--host", "za1", "--input", "-", text=text)
            tap.same(f"send: line {text!r}", (result.code, [tuple(row.values()) for row in rows_of(peer.asked[0])]),
                     (0, rows))
    for text, reason in BAD_LINES:
        with Answers() as peer:
            result = sends(peer, "--host", "za1", "--input", "-", text=text)
            tap.check(f"send: line {text!r} is refused", result.code == 1 and reason in result.err, result.err)
    with Answers() as peer:
        result = sends(peer, "--input", "-", text="- k v\n")
        tap.check("send: - without --host", result.code == 1 and "without --host" in result.err, result.err)
        tap.same("send: nothing to send", sends(peer, "--input", "-").code, 0)
    for options, text, row in [
        (["--with-timestamps"], "h k 123 v w\n", {"value": "v w", "clock": 123}),
        (["--with-ns"], "h k 123 5 v\n", {"value": "v", "clock": 123, "ns": 5}),
        (["--with-ns"], "h k 2147483647 999999999 v\n", {"value": "v", "clock": 2147483647, "ns": 999999999}),
        (["--with-timestamps"], "h k 2147483648 v\n", "not a timestamp"),
        (["--with-timestamps"], "h k now v\n", "not a timestamp"),
        (["--with-ns"], "h k 123 1000000000 v\n", "not nanoseconds"),
        (["--with-ns"], "h k 123\n", "not nanoseconds"),
        (["--with-timestamps"], "h k 123\n", "not a host, a key and a value"),
    ]:
        with Answers(processed(1)) as peer:
            result = sends(peer, "--input", "-", *options, text=text)
            if isinstance(row, str):
                tap.check(f"send {options[0]}: {text!r} is refused", result.code == 1 and row in result.err,
                          result.err)
                continue
            message = json.loads(peer.asked[0])
            tap.same(f"send {options[0]}: {text!r}", message["data"], [{"host": "h", "key": "k", **row}])
            tap.check("and the time of sending", abs(message["clock"] - time.time()) < 100
                      and 0 <= message["ns"] < 10**9)


def send_many(tap):
    for count, sizes in [(250, [250]), (251, [250, 1]), (600, [250, 250, 100])]:
        with Answers(*map(processed, sizes)) as peer:
            result = sends(peer, "--input", temporary("".join(f"h k {i}\n" for i in range(count))))
            tap.same(f"send: {count} values", ([len(rows_of(body)) for body in peer.asked], result.code),
                     (sizes, 0))
            tap.same("send: in their order", [row["value"] for body in peer.asked for row in rows_of(body)],
                     [str(i) for i in range(count)])
    with Answers(processed(250), None) as peer:
        result = sends(peer, "--input", temporary("h k v\n" * 600))
        tap.same("send: ends when a message is lost", (result.code, len(peer.asked)), (1, 2))


# get


def get(tap):
    new = {"version": "7.0.22", "variant": 1, "data": [{"value": "1"}]}
    unsupported = {"version": "7.0.22", "variant": 1, "data": [{"error": "Unsupported item key."}]}
    plain = frame(b"ZBX_NOTSUPPORTED\0Unsupported item key.")
    for name, options, answers, code, line in [
        ("a value", [], [new], 0, {"key": "k", "value": "1"}),
        ("null", [], [{**new, "data": [{"value": None}]}], 0, {"key": "k", "value": None}),
        ("no such key", [], [unsupported], 1, {"key": "k", "error": "Unsupported item key."}),
        ("a request that is refused", [], [{"version": "7.0.22", "error": "no"}], 1, {"key": "k", "error": "no"}),
        ("an older agent", [], [plain, frame("1")], 0, {"key": "k", "value": "1"}),
        ("an older agent without that key", [], [plain, plain], 1,
         {"key": "k", "error": "Unsupported item key."}),
        ("an older agent that gives no reason", [], [plain, frame("ZBX_NOTSUPPORTED")], 1,
         {"key": "k", "error": "ZBX_NOTSUPPORTED"}),
        ("plain at once", ["--as-version", "6.4"], [frame("")], 0, {"key": "k", "value": ""}),
        ("octets that are no text", ["--as-version", "6.0"], [frame(b"\xff")], 0, {"key": "k", "value": "ff"}),
        ("nothing", [], [None], 1, None),
        ("half a frame", [], [frame(new)[:30]], 1, None),
        ("no data", [], [{"version": "7.0.22"}], 1, None),
        ("a large header", [], [frame(new, 5)], 1, None),
    ]:
        with Answers(*answers) as peer:
            result = leat("zabbix", "get", peer.address, "k", *options)
            tap.same(f"get: {name}", (result.code, result.events()), (code, [line] if line else []))
            tap.check(f"get: {name}: what went wrong is told", bool(result.err) == (line is None), result.err)
            if not options:
                tap.same("get: asks in JSON", json.loads(peer.asked[0]),
                         {"request": "passive checks", "data": [{"key": "k", "timeout": 3}]})
            for body in peer.asked[0 if options else 1:]:
                tap.same("get: or plainly", body, b"k")
    with Answers(frame("two\nlines"), plain) as peer:
        old = ["--raw", "--as-version", "5.0"]
        tap.same("get: --raw", leat("zabbix", "get", peer.address, "k", *old).out, b"two\nlines\n")
        result = leat("zabbix", "get", peer.address, "k", *old)
        tap.same("get: --raw without a value", (result.code, result.out, result.err),
                 (1, b"", 'leat: k: "Unsupported item key."\n'))
    with Answers(new) as peer:
        path = folder() / "get.jsonl"
        leat("zabbix", "get", peer.address, "k", "--record", path, "--timeout", "2.5")
        shown = leat("decode", "capture", "zabbix", path)
        tap.same("get: the recording", (shown.code, shown.names()),
                 (0, ["data", "passive checks", "data", "passive checks"]))
        tap.same("get: the agent's patience is ours", shown.events()[0]["value"]["timeout"], 3)


# Proxies and servers


def pair(tap, name, version, passive, server_options=(), proxy_options=(), entry=(), serve=()):
    """A proxy and a server: configuration, values, a task and its result go round, and both end well."""
    own, other = folder() / "proxy.jsonl", folder() / "server.jsonl"
    as_version = ["--as-version", version]
    options = [*SHORT, *as_version, *proxy_options, "--record", own]
    member = {"name": "px", "tables": TABLES, **dict(entry)}
    if passive:
        proxy = Passive(*options)
        path = config({**member, "mode": "passive", "address": proxy.address})
        server = Talker("zabbix", "server", "--config", path, *SHORT, *as_version, *server_options,
                        "--record", other)
    else:
        server = Server("--config", config(member), *as_version, *server_options, *SHORT, "--record", other)
        proxy = Proxy(server.address, *options)
    with server, proxy:
        proxy.say(value(1), value(2), {"itemid": 930001, "value": 2.5})
        if version != "5.0":
            proxy.say({"section": "interface availability", "row": {"interfaceid": 5, "available": 1, "error": ""}})
        change = proxy.wait(lambda e: e["event"] == "items", "the configuration")
        tap.same(f"{name}: the configuration", (change["value"]["change"], change["value"]["row"]["itemid"]),
                 ("added", 930001))
        proxy.wait(lambda e: e["event"] == "acknowledged"
                   and e["value"].get("history data", {}).get("id") == 3, "value 3")
        server.say({"proxy": "px", "task": {"type": 6, "itemid": 930001, "ttl": 600}})
        task = proxy.named("task")[0]
        tap.same(f"{name}: the task", (task["type"], task["itemid"], task["ttl"]), (6, 930001, 600))
        proxy.say({"section": "tasks", "row": {"type": 3, "clock": 1795292180, "ttl": 0, "status": 0,
                                               "info": "done", "parent_taskid": 43}})
        result = server.wait(lambda e: e["event"] == "tasks", "the result")
        tap.same(f"{name}: the result", (result["proxy"], result["value"]["info"]), ("px", "done"))
        proxy.wait(lambda e: e["event"] == "acknowledged" and "tasks" in e["value"], "the result's turn")
        proxy.say({"status": True})
        status = proxy.named("status")[0]
        tap.same(f"{name}: nothing waits", (status["rows"], status["acknowledged"], status["failures"]), (0, 3, 0))
        server.say({"status": True})
        status = server.named("status")[0]
        tap.check(f"{name}: the server's status", status["rows"] >= 3 and status["repeated"] == 0
                  and status["version"].startswith(version) and status["last_access"] < 60, status)
        tap.same(f"{name}: the proxy ends well", (proxy.finish(), server.finish()), (0, 0))
        rows = history(server)
        tap.same(f"{name}: the values", [(row["id"], row["value"]) for row in rows],
                 [(1, "1"), (2, "2"), (3, "2.5")])
        told = [event["value"] for event in server.events() if event["event"] == "interface availability"]
        tap.same(f"{name}: the availability", told,
                 [] if version == "5.0" else [{"interfaceid": 5, "available": 1, "error": ""}])
        complaints = [line for line in (proxy.err.text() + server.err.text()).splitlines()
                      if "listening" not in line]
        # Whoever ends first may leave the other in the middle of an exchange.
        tap.check(f"{name}: nothing to complain about", len(complaints) <= 1, complaints)
    for path in own, other:
        shown = leat("decode", "capture", "zabbix", path)
        tap.same(f"{name}: {path.name} is sound", (shown.code, shown.err), (0, ""))
        tap.same(f"{name}: {path.name} has the values",
                 sorted({e["value"]["id"] for e in shown.events() if e["event"] == "history data"}), [1, 2, 3])


def every_version(tap):
    for version in VERSIONS:
        for passive in False, True:
            pair(tap, f"{version}, {'passive' if passive else 'active'}", version, passive)


def keys():
    return {name: temporary(key + "\n") for name, key in (("own", KEY), ("other", OTHER_KEY))}


def psk(identity, path):
    return ["--psk-identity", identity, "--psk-file", path]


def secured(tap):
    if not OPENSSL:
        result = leat("zabbix", "get", "127.0.0.1:1", "k", *psk("i", temporary(KEY)))
        tap.check("without OpenSSL, TLS is refused", result.code == 2 and "left out of this build" in result.err,
                  result.err)
        return
    path = keys()["own"]
    for passive in False, True:
        kind = "passive" if passive else "active"
        how = {"connect": "psk"} if passive else {"accept": ["psk"]}
        pair(tap, f"PSK, {kind}", "7.0", passive, proxy_options=psk("id 1", path),
             entry={**how, "psk_identity": "id 1", "psk": KEY})
        pair(tap, f"PSK of the options, {kind}", "6.0", passive, psk("id 1", path), psk("id 1", path))
    authority = Authority("Example")
    server, proxy = authority.issue("server", "DNS:server"), authority.issue("proxy", "DNS:proxy")
    for passive in False, True:
        kind = "passive" if passive else "active"
        how = {"connect": "cert"} if passive else {"accept": ["cert"]}
        pair(tap, f"certificates, {kind}", "7.0", passive, server,
             [*proxy, "--issuer", "CN=Example", "--subject", "CN=server"],
             {**how, "issuer": "CN=Example", "subject": "CN=proxy"})


def refused_keys(tap):
    """Whoever is not who they should be gets nothing."""
    if not OPENSSL:
        return
    paths = keys()
    authority = Authority("Example")
    server_cert, proxy_cert = authority.issue("server", "DNS:server"), authority.issue("proxy", "DNS:proxy")
    stranger = Authority("Stranger").issue("proxy", "DNS:proxy")
    both = {"name": "px", "tables": TABLES, "psk_identity": "id 1", "psk": KEY}
    by_cert = {"name": "px", "tables": TABLES, "accept": ["cert"]}
    second = {"name": "py", "tables": TABLES, "psk_identity": "id 2", "psk": OTHER_KEY}
    for name, entries, server_options, proxy_options in [
        ("another key", [both], [], psk("id 1", paths["other"])),
        ("another identity", [both], [], psk("id 3", paths["own"])),
        ("the key of another proxy", [both, second], [], psk("id 2", paths["other"])),
        ("no TLS where a key is demanded", [both], [], []),
        ("no TLS where a certificate is demanded", [by_cert], server_cert, []),
        ("a certificate where a key is demanded", [both], server_cert, proxy_cert),
        ("a key where a certificate is demanded", [by_cert, second], server_cert, psk("id 2", paths["other"])),
        ("a certificate of a stranger", [by_cert], server_cert, stranger),
        ("another subject", [{**by_cert, "subject": "CN=other"}], server_cert, proxy_cert),
        ("another issuer", [{**by_cert, "issuer": "CN=other"}], server_cert, proxy_cert),
        ("a server of another subject", [by_cert], server_cert, [*proxy_cert, "--subject", "CN=other"]),
        ("a server of another issuer", [by_cert], server_cert, [*proxy_cert, "--issuer", "CN=other"]),
        ("TLS where none is accepted", [{"name": "px"}], [], psk("id 1", paths["own"])),
    ]:
        with Server("--config", config(*entries), *server_options, "--verbose") as server, \
                Proxy(server.address, *SHORT, *proxy_options) as proxy:
            proxy.say(value(1))
            server.err.find(r"leat: 127\.0\.0\.1:\d+: (?!connected)")
            proxy.say({"status": True})
            status = proxy.named("status")[0]
            tap.same(f"{name}: nothing is acknowledged", (status["acknowledged"], status["revision"]), (0, 0))
            proxy.stop(signal.SIGTERM)
            server.stop(signal.SIGTERM)
            tap.check(f"{name}: the proxy got no configuration",
                      not any(e["event"] == "items" for e in proxy.events()), proxy.out.text())
            tap.check(f"{name}: the server took no value", history(server) == []
                      and not any("proxy" in e for e in server.events()), server.out.text())


def mixed_port(tap):
    """One port takes TLS and plain connections."""
    if not OPENSSL:
        return
    path = keys()["own"]
    with Server("--proxy", "px", *psk("id 1", path), "--tls-accept", "unencrypted,psk") as server:
        for options in [], psk("id 1", path), [], psk("id 1", path):
            result = leat("zabbix", "send", server.address, "--host", "h", "k", "v", *options)
            tap.same(f"a sender {'with' if options else 'without'} TLS", (result.code, result.err), (0, ""))
        with Proxy(server.address, *SHORT) as plain:
            plain.say(value(1))
            plain.wait(lambda e: e["event"] == "acknowledged", "the plain proxy's value")
            tap.same("a proxy without TLS", plain.finish(), 0)
        with Proxy(server.address, *SHORT, *psk("id 1", path)) as proxy:
            proxy.say(value(1))
            proxy.wait(lambda e: e["event"] == "acknowledged", "the value")
            tap.same("a proxy with TLS", proxy.finish(), 0)
        with socket.create_connection(("127.0.0.1", server.port)) as silent:
            tap.same("somebody silent keeps nobody out",
                     leat("zabbix", "send", server.address, "--host", "h", "k", "v").code, 0)
            silent.close()
    with Server(*psk("id 1", path)) as server:
        result = leat("zabbix", "send", server.address, "--host", "h", "k", "v")
        tap.check("plain where only keys are accepted", result.code == 1, result.err)
        server.err.find("unencrypted, which is not accepted")
        result = leat("zabbix", "send", server.address, "--host", "h", "k", "v", *psk("id 2", path))
        tap.check("an identity that is not known", result.code == 1, result.err)
    entry = {"name": "px", "accept": ["unencrypted"]}
    with Server("--config", config(entry), *psk("id 1", path)) as server:
        tap.same("plain for a proxy is not plain for everybody", ask(server.port, {
            "request": "sender data", "data": [{"host": "h", "key": "k", "value": "v"}]}), None)
        tap.check("but for that proxy", b"success" in ask(server.port, data("px"), 3))
        server.finish()
        tap.same("nothing of the others is printed",
                 [e["event"] for e in server.events() if "proxy" not in e], [])


# Keeping


def killed_proxy(tap):
    """A proxy that is killed again and again loses nothing that it said it took, and doubles nothing."""
    state = folder() / "state"
    rng = random.Random(7)
    given, taken = 0, set()
    with Server("--proxy", "px") as server:
        for _ in range(25):
            lines = [value(given + i + 1) for i in range(rng.randrange(1, 400))]
            given += len(lines)
            with Proxy(server.address, "--state", state, *SHORT) as proxy:
                proxy.say(*lines[: len(lines) // 2])
                proxy.say(*lines[len(lines) // 2 :])
                if rng.random() < 0.5:
                    proxy.wait(lambda e: e["event"] == "acknowledged", "an acknowledgement")
                time.sleep(rng.random() * 0.05)
                proxy.process.kill()
                proxy.end()
                said = [strict(line)["value"]["lines"] for line in proxy.out.lines
                        if line.startswith('{"event":"taken"') and line.endswith("\n")]
                taken |= {line["value"] for line in lines[: max(said, default=0)]}
        with Proxy(server.address, "--state", state, "--exit-when-empty", *SHORT) as proxy:
            proxy.shut()
            tap.same("the last run ends when the server has all", proxy.end(), 0)
        server.finish()
        got = values_of(history(server))
        tap.check("many were taken", len(taken) > 1000, len(taken))
        tap.same("nothing that was taken is missing", taken - set(got), set())
        tap.same("nothing came twice, and all in order", got, sorted(set(got), key=int))


def killed_server(tap):
    """The same of a server: what it acknowledged is in its output, and once."""
    state, place = folder() / "state", folder()
    rng = random.Random(8)
    lines = [value(i + 1) for i in range(3000)]
    options = ["--proxy", "px", "--state", state]
    with Server("--proxy", "px") as free:
        port = free.port
    with Proxy(f"127.0.0.1:{port}", *SHORT, "--exit-when-empty") as proxy:
        for i in range(11):
            with (place / str(i)).open("wb") as out, \
                    Talker("zabbix", "server", "--listen", f"127.0.0.1:{port}", *options, stdout=out) as server:
                server.err.find("listening on")
                proxy.say(*lines[300 * i : 300 * (i + 1)])
                if i == 10:
                    proxy.shut()
                    tap.check("the proxy gets rid of everything", proxy.end() in (0, 1), proxy.err.text())
                    server.finish()
                time.sleep(rng.random() * 0.3)
    lives = [printed_messages(place / str(i)) for i in range(11)]
    ids = [i for messages in lives for message in messages for i in message]
    tap.same("no value is missing", sorted(set(ids)), list(range(1, 3001)))
    # The last message of a server may be printed, but not saved, when the server is killed; then it comes again.
    settled, again = set(), []
    for messages in lives:
        mine = [i for message in messages for i in message]
        again += [i for i in set(mine) if i in settled or mine.count(i) > 1]
        settled |= {i for message in messages[:-1] for i in message}
    tap.same("and nothing but the last message of a server came twice", again, [])


def printed_messages(path):
    """The ids in each message that a server printed as a whole."""
    messages, events = [], []
    for line in path.read_text().splitlines(True):
        if line.endswith("\n"):
            events.append(strict(line))
            if events[-1]["event"] == "proxy data":
                messages.append([row["id"] for row in events_in_order(events)])
                events = []
    return [message for message in messages if message]


def restarted_server(tap):
    """A server that was restarted takes no value twice, and still has its tasks."""
    state = folder() / "state"
    session = "0123456789abcdef" * 2
    rows = [{"id": i, "itemid": 1, "clock": 1, "ns": i, "value": str(i)} for i in (1, 2, 3)]
    with Server("--proxy", "px", "--state", state) as server:
        ask(server.port, data("px", *rows[:2], session=session), 3)
        server.say({"proxy": "px", "task": {"type": 6, "itemid": 1}}, {"status": True})
        tap.same("a task waits", server.named("status")[0]["tasks"], 1)
        server.process.kill()
        server.process.wait()
    with Server("--proxy", "px", "--state", state) as server:
        answer = json.loads(ask(server.port, data("px", *rows, session=session), 3))
        tap.same("the task is given", [task["itemid"] for task in answer.get("tasks", [])], [1])
        server.say({"status": True})
        status = server.named("status")[0]
        tap.same("two values were known", (status["rows"], status["repeated"], status["tasks"]), (1, 2, 0))
        server.finish()
        tap.same("the third is printed", values_of(history(server)), ["3"])
        result = leat("zabbix", "server", "--listen", "127.0.0.1:0", "--state", state, data=STOP)
        tap.check("a state belongs to one server", result.code == 0, result.err)
    with Server("--proxy", "px", "--state", state):
        result = leat("zabbix", "server", "--listen", "127.0.0.1:0", "--state", state, data=STOP)
        tap.check("at a time", result.code == 2 and "another program has it" in result.err, result.err)
    state.write_text("nonsense")
    result = leat("zabbix", "server", "--listen", "127.0.0.1:0", "--state", state)
    tap.check("a file that is no state", result.code == 2 and "not the state of a server" in result.err, result.err)


def states(tap):
    """What a proxy keeps."""
    state = folder() / "state"
    with Server("--config", config({"name": "px", "tables": TABLES})) as server:
        with Proxy(server.address, "--state", state, "--session", "ab" * 16, *SHORT) as proxy:
            proxy.say(value(1))
            proxy.wait(lambda e: e["event"] == "items", "the configuration")
            proxy.wait(lambda e: e["event"] == "acknowledged", "the value")
            tap.same("it ends", proxy.finish(), 0)
    with Proxy("127.0.0.1:1", "--state", state) as proxy:
        proxy.say({"status": True})
        status = proxy.named("status")[0]
        tap.check("the next one knows", status["last_id"] >= 1 and status["acknowledged"] >= 1
                  and status["rows"] == 0 and status["revision"] > 0, status)
        proxy.say(value(2))
        proxy.named("taken", 2)
        other = leat("zabbix", "proxy", "--name", "px", "--server", "127.0.0.1:1", "--state", state, data=STOP)
        tap.check("which no other has meanwhile", other.code == 2 and "another program has it" in other.err, other.err)
        tap.same("it ends", proxy.finish(), 0)
    with Answers({}, {}, {}, {}, {}, {}) as peer, Proxy(peer.address, "--state", state) as proxy:
        until(lambda: any(b'"proxy data"' in (body or b"") for body in peer.asked), "data")
        message = json.loads(next(body for body in peer.asked if b'"proxy data"' in body))
        tap.same("the session is kept", message["session"], "ab" * 16)
        tap.same("and the value that nobody took", values_of(message.get("history data", [])), ["2"])
        proxy.finish()
    tap.same("nobody else may read it, as keys are in it", state.stat().st_mode & 0o777, 0o600)
    octets = state.read_bytes()
    state.write_bytes(octets[:-1])
    result = leat("zabbix", "proxy", "--name", "px", "--server", "127.0.0.1:1", "--state", state, data=STOP)
    tap.check("a state that was cut", result.code == 2 and "not the state of this proxy" in result.err, result.err)
    state.write_bytes(octets + octets[:10])
    result = leat("zabbix", "proxy", "--name", "px", "--server", "127.0.0.1:1", "--state", state, data=STOP)
    tap.check("a journal that was cut", result.code == 0 and "the last 10 octets were cut" in result.err, result.err)
    state.write_bytes(octets)
    result = leat("zabbix", "proxy", "--name", "py", "--server", "127.0.0.1:1", "--state", state, data=STOP)
    tap.check("the state of another proxy", result.code == 2 and "not the state of this proxy" in result.err,
              result.err)
    state.write_text("nonsense")
    result = leat("zabbix", "proxy", "--name", "px", "--server", "127.0.0.1:1", "--state", state)
    tap.check("a file that is no state", result.code == 2 and "not the state of this proxy" in result.err, result.err)
    result = leat("zabbix", "proxy", "--name", "px", "--server", "127.0.0.1:1", "--state", "/nowhere/file")
    tap.check("a folder that is not there", result.code == 2 and "/nowhere/file" in result.err, result.err)


# Input


BAD_INPUT = [
    ("nonsense", "not a JSON value"),
    ("[]", "not an object"),
    ("{}", "neither a value, nor a row, nor a command"),
    ('{"reload":false}', "neither a value"),
    ('{"reload":true,"stop":true}', "neither a value"),
    ('{"value":"1"}', "neither a value"),
    ('{"itemid":1,"valu":"1"}', "an unknown member: valu"),
    ('{"itemid":"x"}', "of the wrong type: itemid"),
    ('{"itemid":1,"clock":-1}', "of the wrong type: clock"),
    ('{"itemid":1,"clock":2147483648}', "clock"),
    ('{"itemid":1,"ns":1000000000}', "ns"),
    ('{"itemid":1,"value":true}', "of the wrong type: value"),
    ('{"itemid":1,"value":null}', "of the wrong type: value"),
    ('{"itemid":1,"value":"a\\u0000b"}', "value"),
    ('{"section":1,"row":{}}', "of the wrong type: section"),
    ('{"section":"no such","row":{}}', ""),
    ('{"section":"discovery data"}', ""),
    ('{"section":"discovery data","row":{"clock":1}}', ""),
    ('{"section":"discovery data","row":{},"more":1}', "an unknown member: more"),
]


def proxy_input(tap):
    for line, reason in BAD_INPUT:
        with Proxy("127.0.0.1:1") as proxy:
            proxy.say({"status": True}, line, value(1), {"status": True})
            rows = [status["rows"] for status in proxy.named("status", 2)]
            code = proxy.finish()
            tap.check(f"input {line}: refused, and the rest counts",
                      code == 1 and f"standard input: line 2: " in proxy.err.text() and reason in proxy.err.text()
                      and rows == [0, 1], f"{code} {rows} {proxy.err.text()}")
    with Server("--proxy", "px") as server, Proxy(server.address, *SHORT) as proxy:
        proxy.say({"itemid": 1, "value": 18446744073709551615}, {"itemid": "2", "value": -1.5},
                  {"itemid": 3, "value": 1e300, "state": 0}, {"itemid": 4, "id": 99, "value": "x", "clock": 7, "ns": 8},
                  {"itemid": 5, "lastlogsize": 18446744073709551615, "mtime": 4},
                  {"itemid": 6, "value": "log", "timestamp": 1, "source": "s", "severity": 2, "eventid": 3},
                  {"itemid": 7, "value": "no", "state": 1})
        proxy.wait(lambda e: e["event"] == "acknowledged" and e["value"]["history data"]["id"] == 7, "value 7")
        proxy.finish()
        server.finish()
        rows = history(server)
        tap.same("values of all kinds", [{k: v for k, v in row.items() if k not in ("clock", "ns")} for row in rows], [
            {"id": 1, "itemid": 1, "value": "18446744073709551615"}, {"id": 2, "itemid": 2, "value": "-1.5"},
            {"id": 3, "itemid": 3, "value": "1.0e300"}, {"id": 4, "itemid": 4, "value": "x"},
            {"id": 5, "itemid": 5, "lastlogsize": 18446744073709551615, "mtime": 4},
            {"id": 6, "itemid": 6, "timestamp": 1, "source": "s", "severity": 2, "eventid": 3, "value": "log"},
            {"id": 7, "itemid": 7, "state": 1, "value": "no"}])
        tap.check("what has no time is dated now", abs(rows[0]["clock"] - time.time()) < 100 and rows[0]["ns"] > 0)
        tap.same("what has one keeps it", (rows[3]["clock"], rows[3]["ns"]), (7, 8))


def full_buffer(tap):
    lines = [value(i + 1) for i in range(100)]
    with Proxy("127.0.0.1:1", "--buffer-rows", "10") as proxy:
        proxy.say(*lines)
        taken = proxy.wait(lambda e: e["event"] == "taken", "lines")
        tap.same("a full buffer reads no more", taken["value"], {"lines": 10, "last_id": 10})
        proxy.stop(signal.SIGTERM)
    with Server("--proxy", "px") as server:
        with Proxy(server.address, "--buffer-rows", "10", "--exit-when-empty", "--data-frequency", "0") as proxy:
            proxy.say(*lines)
            proxy.shut()
            tap.same("until there is room", proxy.end(), 0)
        server.finish()
        tap.same("all of it comes", values_of(history(server)), [str(i + 1) for i in range(100)])
    with Proxy("127.0.0.1:1", "--buffer-rows", "10", "--buffer-policy", "drop-oldest") as proxy:
        proxy.say(*lines, {"status": True})
        status = proxy.named("status")[0]
        tap.same("or drops the oldest", (status["rows"], status["dropped"], status["last_id"]), (10, 90, 100))
        tap.check("and tells so", proxy.finish() == 1 and "dropped" in proxy.err.text(), proxy.err.text())
    with Proxy("127.0.0.1:1", "--buffer-bytes", "1000") as proxy:
        proxy.say(value(1, "x" * 2000), value(2), {"status": True})
        status = proxy.named("status")[0]
        tap.same("a value over the limit is refused", (status["rows"], proxy.finish()), (1, 1))
    with Proxy("127.0.0.1:1", "--buffer-age", "0.05") as proxy:
        proxy.say(value(1))
        proxy.named("taken")
        time.sleep(0.2)
        proxy.say({"status": True})
        status = proxy.named("status")[0]
        tap.same("old values are dropped", (status["rows"], status["dropped"]), (0, 1))


def proxy_commands(tap):
    with Server("--config", config({"name": "px", "tables": TABLES})) as server, \
            Proxy(server.address, "--data-frequency", "0.05", "--config-frequency", "600") as proxy:
        proxy.named("proxy config", 1)
        proxy.say({"reload": True})
        proxy.named("proxy config", 2)
        tap.same("reload asks again", proxy.finish(), 0)
    with Proxy("127.0.0.1:1") as proxy:
        proxy.shut()
        proxy.err.find("it is tried again")
        tap.check("a proxy without input goes on", proxy.process.poll() is None)
        tap.same("until SIGTERM", proxy.stop(signal.SIGTERM), 0)


# Agents and senders


def listeners(tap):
    """What proxies and servers answer to agents and senders."""
    file = config({"name": "px", "tables": TABLES}, tables=TABLES)
    with Server("--config", file) as server, Proxy(server.address, *SHORT, "--listen", "127.0.0.1:0") as proxy:
        proxy.wait(lambda e: e["event"] == "items", "the configuration")
        for name, program, port in ("server", server, server.port), ("proxy", proxy, proxy.port_of()):
            answer = json.loads(ask(port, {"request": "sender data", "data": [
                {"host": "za1", "key": "k", "value": "v"}, {"host": "za1", "key": "k", "value": "w"}]}))
            tap.check(f"{name}: senders", answer["response"] == "success"
                      and answer["info"].startswith("processed: 2; failed: 0; total: 2; seconds spent: 0."), answer)
            answer = json.loads(ask(port, {"request": "agent data", "session": "a" * 32, "host": "za1",
                                           "version": "7.0.0", "data": [{"itemid": 1, "value": "v", "id": 1}]}))
            tap.check(f"{name}: agents' data", answer["info"].startswith("processed: 1; failed: 0"), answer)
            answer = json.loads(ask(port, {"request": "active checks", "host": "za1"}))
            tap.same(f"{name}: active checks of old", answer["data"],
                     [{"key": "log[/x]", "delay": 60, "lastlogsize": 0, "mtime": 0}])
            answer = json.loads(ask(port, {"request": "active checks", "host": "za1", "version": "7.0.0",
                                           "session": "a" * 32, "config_revision": 0}))
            tap.same(f"{name}: active checks", answer["data"], [
                {"key": "log[/x]", "itemid": 930002, "delay": "1m", "timeout": answer["data"][0].get("timeout"),
                 "lastlogsize": 0, "mtime": 0}])
            tap.check(f"{name}: their revision", answer["config_revision"] > 0)
            answer = json.loads(ask(port, {"request": "active checks", "host": "nobody"}))
            tap.same(f"{name}: nobody", answer, {"response": "failed", "info": "host [nobody] not found"})
            tap.same(f"{name}: heartbeats", ask(port, {"request": "active check heartbeat", "host": "za1",
                                                       "heartbeat_freq": 60}), None)
            tap.same(f"{name}: an unknown request", ask(port, {"request": "fly"}), None)
            program.finish()
            heard = [e["event"] for e in program.events() if "peer" in e and "error" not in e]
            tap.same(f"{name}: all is printed", heard, ["data", "data", "sender data", "data", "agent data"]
                     + ["active checks"] * 3 + ["active check heartbeat"])
            peers = {e["peer"].rpartition(":")[0] for e in program.events() if "peer" in e}
            tap.same(f"{name}: and where they are", peers, {"127.0.0.1"})


def disabled(tap):
    """Hosts and items that are disabled are not there for agents."""
    tables = {
        "hosts": [{"hostid": 1, "host": "on"}, {"hostid": 2, "host": "off", "status": 1}],
        "items": [{"itemid": 1, "hostid": 1, "type": 7, "key_": "a", "status": 1},
                  {"itemid": 2, "hostid": 2, "type": 7, "key_": "b"},
                  {"itemid": 3, "hostid": 1, "type": 7, "key_": "c", "delay": "0;10s/1-5"}],
        "item_rtdata": [{"itemid": 1}, {"itemid": 2}, {"itemid": 3, "lastlogsize": 7, "mtime": 8}],
        "regexps": [{"regexpid": 1, "name": "r"}],
        "expressions": [{"expressionid": 1, "regexpid": 1, "expression": "^x", "expression_type": 3}],
    }
    with Server("--config", config(tables=tables), "--as-version", "6.4") as server:
        answer = json.loads(ask(server.port, {"request": "active checks", "host": "on"}))
        tap.same("active checks", (answer["data"], answer["regexp"]), (
            [{"key": "c", "delay": 0, "lastlogsize": 7, "mtime": 8}],
            [{"expression": "^x", "expression_type": 3, "exp_delimiter": answer["regexp"][0]["exp_delimiter"],
              "case_sensitive": 0, "name": "r"}]))
        answer = json.loads(ask(server.port, {"request": "active checks", "host": "off"}))
        tap.same("a disabled host", answer["response"], "failed")


def unwritable_checks(tap):
    """What a server sent may not be fit to be sent on."""
    configuration = b'{"full_sync":1,"data":{"hosts":{"fields":["hostid","host","status"],"data":[[1,"h",0]]},' \
        b'"items":{"fields":["itemid","hostid","type","key_","delay","status"],' \
        b'"data":[[2,1,7,"\xff","1s",0]]},"interface":{"fields":["interfaceid"],"data":[]},' \
        b'"interface_snmp":{"fields":["interfaceid"],"data":[]},"host_inventory":{"fields":["hostid"],"data":[]},' \
        b'"item_rtdata":{"fields":["itemid"],"data":[]},"item_preproc":{"fields":["item_preprocid"],"data":[]},' \
        b'"item_parameter":{"fields":["item_parameterid"],"data":[]}},"config_revision":1}'
    good = frame({"upload": "enabled", "response": "success"}, 3)
    with Dispatcher({"proxy config": [frame(configuration, 3)], "proxy data": [good]}) as peer, \
            Proxy(peer.address, "--listen", "127.0.0.1:0") as proxy:
        proxy.wait(lambda e: e["event"] == "items", "the configuration")
        answer = ask(proxy.port_of(), {"request": "active checks", "host": "h", "version": "7.0.0"})
        tap.same("an agent is refused, not left waiting", json.loads(answer),
                 {"response": "failed", "info": "the answer cannot be written"})
        tap.same("it ends", proxy.finish(), 0)


# A server's commands and configuration


def reloads(tap):
    path = pathlib.Path(config({"name": "px", "tables": TABLES}))
    with Server("--config", path, "--verbose") as server, Proxy(server.address, *SHORT) as proxy:
        proxy.wait(lambda e: e["event"] == "items", "the configuration")
        more = {**TABLES, "items": TABLES["items"] + [{"itemid": 930005, "hostid": 920011, "type": 2, "key_": "new"}]}
        path.write_text(json.dumps({"proxies": [{"name": "px", "tables": more}]}))
        server.process.send_signal(signal.SIGHUP)
        change = proxy.wait(lambda e: e["event"] == "items" and e["value"]["row"]["itemid"] == 930005, "the new item")
        tap.same("SIGHUP reads the file again", change["value"]["change"], "added")
        for text in "{", "[]", '{"proxies":1}', '{"proxies":[{"name":"p/x"}]}', '{"hosts":1}', '{"tables":1}', \
                json.dumps({"proxies": [{"name": "px", "tables": {"items": [{"key_": "no id"}]}}]}), \
                json.dumps({"proxies": [], "tables": {"items": [{"key_": "no id"}]}}):
            path.write_text(text)
            seen = len(server.err.lines)
            server.say({"reload": True})
            server.err.find("leat: ", seen)
            tap.check(f"a file of {text[:30]} is passed over",
                      b"success" in ask(server.port, data("px"), 3), server.err.lines[seen:])
        checks = {"request": "active checks", "host": "za1"}
        path.write_text(json.dumps({"proxies": [{"name": "px"}], "tables": TABLES}))
        server.say({"reload": True})
        until(lambda: b"log[/x]" in ask(server.port, checks), "active checks")
        path.write_text(json.dumps({"proxies": [{"name": "py"}]}))
        server.say({"reload": True})
        until(lambda: b"not found" in ask(server.port, checks), "their end")
        until(lambda: b"failed" in ask(server.port, data("px"), 3), "the end of px")
        tap.check("who was taken out is refused", b"success" in ask(server.port, data("py"), 3))
        proxy.finish()
        tap.same("the server tells that a file was not sound", server.finish(), 1)


BAD_CONFIGS = [
    ([{}], "proxy 1: name is missing"),
    ([{"name": 1}], "proxy 1: name is missing"),
    ([{"name": "px", "mod": "active"}], "proxy 1, px: an unknown member"),
    ([{"name": "px", "mode": "fast"}], "mode is not active or passive"),
    ([{"name": "px", "mode": "passive"}], "address is missing"),
    ([{"name": "px", "mode": "passive", "address": "here"}], "address is not HOST:PORT"),
    ([{"name": "px", "address": "127.0.0.1:1"}], "address is of passive proxies"),
    ([{"name": "px", "connect": "psk"}], "connect is of passive proxies"),
    ([{"name": "px", "mode": "passive", "address": "127.0.0.1:1", "accept": ["psk"]}], "accept is of active proxies"),
    ([{"name": "px", "accept": "psk"}], "accept is not a list"),
    ([{"name": "px", "accept": []}], "accept is not a list"),
    ([{"name": "px", "accept": ["tls"]}], "accept is not a list"),
    ([{"name": "px", "accept": ["psk"]}], "there is no psk for it"),
    ([{"name": "px", "accept": ["cert"]}], "a certificate needs --cert"),
    ([{"name": "px", "psk": "00"}], "psk_identity and psk go together"),
    ([{"name": "px", "psk_identity": 1, "psk": "00"}], "a member is not text"),
    ([{"name": "px", "compress": 1}], "compress is not true or false"),
    ([{"name": "px", "tables": []}], "tables are not an object"),
    ([{"name": "px", "addresses": "here"}], "addresses"),
    ([{"name": "px"}, {"name": "px"}], "it is there twice"),
    ([{"name": "px", "psk_identity": "i", "psk": KEY}, {"name": "py", "psk_identity": "i", "psk": OTHER_KEY}],
     "its psk_identity is there with another psk"),
    ([{"name": "px", "tables": {"hosts": [{"host": "no id"}]}}], "px: tables: "),
    ([{"name": "px", "tables": {"no such": []}}], "px: tables: "),
]


def configs(tap):
    for proxies, reason in BAD_CONFIGS:
        result = leat("zabbix", "server", "--listen", "127.0.0.1:0", "--config", config(*proxies))
        tap.check(f"configuration {json.dumps(proxies)[:70]}: {reason}",
                  result.code == 2 and reason in result.err, result.err)
    if OPENSSL:
        result = leat("zabbix", "server", "--listen", "127.0.0.1:0", "--config",
                      config({"name": "px", "psk_identity": "i", "psk": "xyz"}))
        tap.check("a key that is none", result.code == 2 and "TLS: " in result.err, result.err)
        result = leat("zabbix", "server", "--listen", "127.0.0.1:0", *psk("i", temporary(KEY)), "--config",
                      config({"name": "px", "psk_identity": "i", "psk": KEY}))
        tap.check("an identity that is that of the options", result.code == 2 and "--psk-identity" in result.err,
                  result.err)
    with Server("--config", config({"name": "px", "addresses": "10.0.0.0/8"})) as server:
        tap.check("a proxy from another address", b"failed" in ask(server.port, data("px"), 3))
    with Server("--config", config({"name": "px", "addresses": "127.0.0.0/8"})) as server:
        tap.check("a proxy from its address", b"success" in ask(server.port, data("px"), 3))


def server_commands(tap):
    with Server("--proxy", "px", "--throttle") as server, Proxy(server.address, *SHORT) as proxy:
        proxy.say(value(1))
        proxy.wait(lambda e: e["event"] == "response" and e["value"].get("upload") == "disabled", "the throttle")
        server.say({"throttle": False})
        proxy.wait(lambda e: e["event"] == "acknowledged", "the value")
        server.say({"throttle": True})
        proxy.wait_all(lambda events: events[-1]["value"].get("upload") == "disabled" or None, "the throttle again")
        tap.same("throttled", proxy.finish(), 0)
        bad = [('{"proxy":"py","task":{"type":6,"itemid":1}}', ""), ('{"proxy":"px","task":{"type":6}}', ""),
               ('{"task":{}}', "not a proxy and a task"), ('{"proxy":"px","task":{},"x":1}', "not a proxy"),
               ("{}", "not a command"), ('{"throttle":1}', "not a command"), ("x", "not a JSON value"),
               ('{"status":false}', "not a command")]
        for line, reason in bad:
            seen = len(server.err.lines)
            server.say(line)
            tap.check(f"{line} is refused", reason in server.err.find("standard input: line", seen).string)
        tap.same("which the exit code tells", server.finish(), 1)
    with Server("--proxy", "px") as server:
        server.shut()
        tap.check("a server without input goes on", b"success" in ask(server.port, data("px"), 3))
        tap.same("until SIGTERM", server.stop(signal.SIGTERM), 0)


def access(tap):
    """Who is not known gets nothing, and nothing of theirs counts."""
    row = {"id": 1, "itemid": 1, "clock": 1, "ns": 1, "value": "evil"}
    with Server("--config", config({"name": "px", "tables": TABLES},
                                   {"name": "pp", "mode": "passive", "address": "127.0.0.1:1"})) as server:
        for name in "py", "pp", "p/x", "":
            answer = ask(server.port, data(name, row), 3)
            tap.check(f"data of {name!r}", b"failed" in answer, answer)
            tap.same(f"configuration for {name!r}",
                     ask(server.port, {"request": "proxy config", "host": name, "version": "7.0.0",
                                       "session": "a" * 32, "config_revision": 0}, 3), None)
        server.finish()
        tap.same("no value is printed", values_of(history(server)), [])
        tap.check("nor does the word occur", "evil" not in server.out.text())
    with Passive(server="10.0.0.1") as proxy:
        answer = ask(proxy.port, {"request": "proxy config"})
        tap.same("a server from another address", json.loads(answer)["response"], "failed")
        tap.same("gets no data", ask(proxy.port, {"request": "proxy data"}), None)
        tap.same("and no results", ask(proxy.port, {"request": "proxy tasks"}), None)
        tap.check("senders may be anywhere", b"success" in ask(proxy.port, {"request": "sender data", "data": []}))
    for server, good in ("10.0.0.1,127.0.0.0/8", True), ("127.0.0.2/31", False), ("127.0.0.0/31", True), \
            ("::1,127.0.0.1/32", True), ("::/0", True), ("0.0.0.0/0", True), ("2001:db8::/32", False):
        with Passive(server=server) as proxy:
            proxy.say(value(1))
            proxy.named("taken")
            tap.same(f"--server {server}", ask(proxy.port, {"request": "proxy data"}) is not None, good)


# Peers that say what they should not


HOSTILE = [
    b"", b"Z", b"GET / HTTP/1.0\r\n\r\n", b"\x16\x03\x01\0\5hello", b"ZBXD\0" + bytes(8), b"ZBXD\1",
    b"ZBXD\1" + b"\xff" * 8, b"ZBXD\3\x10\0\0\0\xff\xff\xff\x3f" + bytes(16), b"ZBXD\7" + b"\xff" * 16,
    frame("[]"), frame("{"), frame(""), frame(" {}"), frame("x:y:z"), frame('{"request":1}'),
    frame({"request": "proxy data"}), frame({"request": "proxy data", "host": "px", "history data": [1, 2]}),
    frame({"request": "proxy config", "host": "px"}), frame({"request": "proxy heartbeat", "host": "px"}),
    frame({"request": "active checks"}), frame({"request": "active checks", "host": "x" * 100000}),
    frame('{"request":"sender data","data":[' + "[" * 200 + "]" * 200 + "]}"),
    frame({"request": "sender data", "data": {}}), frame({"response": "success"}),
    frame(b'{"request":"active checks","host":"\xff\xfe"}'),
    frame({"request": "proxy data", "host": "px"})[:-3], frame(data("px"))[:-1],
    frame(data("px")) + frame(data("px")),
]


def hostile(tap):
    with Server("--config", config({"name": "px", "tables": TABLES})) as server, Passive() as proxy:
        for program in server, proxy:
            for octets in HOSTILE:
                with socket.create_connection(("127.0.0.1", program.port), 20) as connection:
                    try:
                        connection.sendall(octets)
                        connection.shutdown(socket.SHUT_WR)
                        while connection.recv(65536):
                            pass
                    except OSError:
                        pass
            tap.check("it lives", program.process.poll() is None, program.err.lines)
            silent = [socket.create_connection(("127.0.0.1", program.port)) for _ in range(200)]
            for connection in silent[:100]:
                connection.sendall(b"ZBXD\1\xff\xff\xff\x3f" + bytes(4) + b"{")
            answer = ask(program.port, {"request": "sender data", "data": []})
            tap.check("and answers others", b"success" in answer, answer)
            for connection in silent:
                connection.close()
            if os.path.exists("/proc/self/statm"):
                tap.check("memory follows what came", program.resident() < 200 << 20, program.resident())
            began = program.cpu_seconds() if os.path.exists("/proc/self/stat") else 0
            time.sleep(0.5)
            if began:
                tap.check("and it sleeps", program.cpu_seconds() - began < 0.3)
            tap.same("what strangers say does not make it fail", program.finish(), 0)


def bad_rows(tap):
    """Rows of no item are counted as failed; rows of a proxy that are no objects are lost, which the exit code tells."""
    with Server("--proxy", "px") as server:
        answer = ask(server.port, {"request": "sender data", "data": [{"host": "h", "key": "k", "value": "1"}, 5]})
        tap.check("one failed", b"processed: 1; failed: 1; total: 2" in answer, answer)
        tap.same("of a stranger", server.finish(), 0)
    with Server("--proxy", "px") as server:
        answer = ask(server.port, data("px", 5), 3)
        tap.check("a row that is no object is passed over", b"success" in answer, answer)
        tap.same("of a proxy", server.finish(), 1)


def few_files(tap):
    """Clients cannot take the files that the state needs."""
    with Server("--proxy", "px", "--state", folder() / "state",
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))) as server:
        clients = [socket.create_connection(("127.0.0.1", server.port), PATIENCE) for _ in range(64)]
        server.err.find("a client cannot be accepted")
        answers = []
        for client in clients[:40]:
            client.sendall(frame(data("px", session="ab" * 16), 3))
            answers.append(client.recv(4096))
        tap.check("those that were accepted are answered", all(b"success" in body_of(a) for a in answers), answers)
        for client in clients:
            client.close()
        tap.check("and others when there is room", b"success" in ask(server.port, data("px"), 3))
        tap.same("it ends", server.finish(), 0)


def scripted_server(tap):
    """A proxy whose server answers badly keeps its values, and goes on asking."""
    good = {"upload": "enabled", "response": "success"}
    for name, answer in [("closes", None), ("refuses", {"response": "failed", "info": "no"}),
                         ("is no Zabbix", b"\0" * 40), ("sends half", frame(good)[:-2]), ("sends an array", frame("[]")),
                         ("sends no JSON", frame("{]")), ("redirects", {"response": "failed", "redirect": {}})]:
        with Answers(answer, answer) as bad:
            with Proxy(bad.address, *SHORT) as proxy:
                proxy.say(value(1))
                until(lambda: len(bad.asked) == 2, "two tries")
                proxy.say({"status": True})
                status = proxy.named("status")[0]
                tap.same(f"a server that {name}: the value stays", (status["rows"], status["acknowledged"]), (1, 0))
                proxy.finish()
    with Answers(*[None] * 4) as peer, Proxy(peer.address, *SHORT) as proxy:
        proxy.say(value(1))
        until(lambda: len(peer.asked) == 4, "four tries")
        told = [line for line in proxy.err.lines if "tried again" in line]
        tap.same("the same trouble is told of once", len(told), 1)


def scripted_proxy(tap):
    """A passive proxy that answers badly harms nobody."""
    with Answers(*[None, frame("{"), frame("[]"), b"\0" * 40, {"response": "failed"}] * 4) as bad, \
            Server("--poll", f"pp={bad.address}", "--proxy", "px", *SHORT) as server:
        until(lambda: len(bad.asked) >= 1, "a request")
        tap.check("others are served", b"success" in ask(server.port, data("px"), 3))
        server.err.find(rf"pp at {bad.address}: ")
        tap.check("it ends", server.finish() in (0, 1), server.err.text())


def recordings(version, *words):
    """The recorded conversations of a version with one of these words in their name."""
    for path in sorted((VECTORS / "zabbix" / version).glob("*.jsonl")):
        if any(word in path.name for word in words):
            yield path.stem, recording(path)


def recorded_servers(tap):
    """A proxy lives with all that real servers were recorded to answer, and does not lose its values."""
    for version in "6.0.14", "7.0.22":
        answers = {"proxy config": [], "proxy data": []}
        for _, said in recordings(version, "-active-", "-fake-"):
            asked, answer = said.get("proxy>server", b""), said.get("server>proxy", b"")
            for kind in answers:
                if asked[:4] == b"ZBXD" and asked[4] in (1, 3) and f'"request":"{kind}"'.encode() in body_of(asked):
                    answers[kind].append(answer)
        full = answers["proxy config"][0]
        # After a failure a proxy waits twice as long as after the last one, so good answers come in between.
        for kind, good in ("proxy config", full), \
                ("proxy data", frame({"upload": "enabled", "response": "success"}, 3)):
            tap.check(f"{version}: there are answers to {kind}", len(answers[kind]) > 1, answers[kind])
            answers[kind] = [octets for answer in answers[kind] for octets in (answer, good)]
        with Dispatcher(answers) as peer, \
                Proxy(peer.address, *SHORT, "--as-version", version, name="px-active") as proxy:
            number = 0
            while not peer.left.wait(0.05):
                number += 1
                proxy.say(value(number))
            proxy.wait(lambda e: e["event"] == "acknowledged"
                       and e["value"].get("history data", {}).get("id") == number, "the last value")
            first = proxy.named("items")[0]
            tap.check(f"{version}: the proxy has the recorded configuration",
                      first["row"]["itemid"] in {row[0] for row in items_of(strict(body_of(full).decode()))}, first)
            tap.check(f"{version}: it ends", proxy.finish() in (0, 1), proxy.err.text())


def items_of(configuration):
    return configuration.get("data", configuration)["items"]["data"]


def recorded_proxies(tap):
    """A server answers what real proxies, agents and senders were recorded to say as real servers did."""
    for version in "6.0.14", "7.0.22":
        names = ["--proxy", "px-active", "--proxy", "px-a"]
        with Server(*names, "--as-version", version) as server:
            count = 0
            for name, said in recordings(version, "-active-data", "sender-data"):
                asked, answer = said.get("proxy>server") or said.get("sender>server"), said.get("server>proxy")
                answer = answer or said.get("server>sender")
                if asked is None or answer is None or "disabled" in str(body_of(answer)):
                    continue
                host = strict(body_of(asked).decode()).get("host")
                got = ask(server.port, asked)
                if host not in (None, "px-active", "px-a"):
                    continue
                expected = strict(body_of(answer).decode())["response"]
                count += 1
                tap.check(f"{version}/{name}: {expected}", got is not None
                          and strict(got.decode())["response"] == expected, got)
            tap.check(f"{version}: there are many", count > 10, count)
            tap.check(f"{version}: it ends", server.finish() in (0, 1), server.err.text())


def unwritable(tap):
    """What cannot be printed is not acknowledged."""
    if not os.path.exists("/dev/full"):
        return
    with open("/dev/full", "wb") as full, Server("--proxy", "px", stdout=full) as server:
        row = {"id": 1, "itemid": 1, "clock": 1, "ns": 1, "value": "v"}
        tap.same("no acknowledgement", ask(server.port, data("px", row), 3), None)
        tap.same("the server ends", server.end(), 2)
        tap.check("and says why", "standard output: No space left" in server.err.text(), server.err.text())


def addresses(tap):
    """IPv6, where there is any; and a passive proxy that ends when all is taken."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        tap.skip("IPv6", "there is none")
        return
    with Passive("--exit-when-empty", *SHORT, server="2001:db8::/32,[::1]:10051", listen="[::1]:0") as proxy:
        with Talker("zabbix", "server", "--poll", f"px=[::1]:{proxy.port}", *SHORT, "--verbose") as server:
            proxy.say(value(1))
            proxy.shut()
            tap.same("a passive proxy ends when all is taken", proxy.end(), 0)
            server.err.find(r"\[::1\]:\d+: connected \(no TLS\)")
            tap.same("the server ends", server.finish(), 0)
            tap.same("it has the value", values_of(history(server)), ["1"])
    with Passive("--exit-when-empty", *SHORT, server="127.0.0.1:10051", listen="127.0.0.1:0") as proxy:
        with Talker("zabbix", "server", "--poll", f"127.0.0.1:{proxy.port}", *SHORT) as server:
            proxy.say(value(1))
            proxy.shut()
            tap.same("addresses without names will do", proxy.end(), 0)
            tap.same("the server ends, too", server.finish(), 0)
            names = {event["proxy"] for event in server.events() if event["event"] == "history data"}
            tap.same("the proxy is called by its address", names, {f"127.0.0.1-{proxy.port}"})
            tap.same("and it has the value", values_of(history(server)), ["1"])


def unfinished_tls(tap):
    """Peers that end TLS without close_notify, as many do, cut nothing off: every message tells its length."""
    if not OPENSSL:
        return
    authority = Authority("Example")
    server, sender = authority.issue("server", "DNS:server"), authority.issue("sender", "DNS:sender")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(server[1], server[3])
    answer = frame(processed(1))
    for octets, code in (answer, 0), (answer[:-1], 1), (b"", 1):
        with Answers() as peer:
            command = Talker("zabbix", "send", peer.address, "--host", "h", "k", "v", *sender)
            with command, context.wrap_socket(peer.accept(), server_side=True) as connection:
                read_frame(connection)
                if octets:
                    connection.sendall(octets)
                socket.socket(fileno=connection.detach()).close()
                tap.same(f"{len(octets)} of {len(answer)} octets of an answer", command.end(), code)
    context = ssl.create_default_context(cafile=authority.certificate)
    context.check_hostname = False
    context.load_cert_chain(sender[1], sender[3])
    with Server("--proxy", "px", *server) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as plain:
            connection = context.wrap_socket(plain)
            connection.sendall(frame(data("px", {"id": 1, "itemid": 1, "clock": 1, "ns": 1, "value": "v"}), 3))
            tap.check("an answer", b"success" in read_frame(connection))
            socket.socket(fileno=connection.detach()).close()
        with socket.create_connection(("127.0.0.1", server.port)) as plain:
            connection = context.wrap_socket(plain)
            connection.sendall(frame(data("px", {"id": 2, "itemid": 1, "clock": 1, "ns": 2, "value": "w"}), 3)[:-1])
            socket.socket(fileno=connection.detach()).close()
        server.say({"stop": True})
        server.end()
        tap.same("half a message does not count", values_of(history(server)), ["v"])


def many(tap):
    """Many values go through in big steps, and the file that keeps them does not grow with them."""
    count = 100000
    lines = "".join(json.dumps(value(i + 1)) + "\n" for i in range(count))
    state = folder() / "state"
    for options in [], ["--state", state]:
        with Server("--proxy", "px") as server:
            result = leat("zabbix", "proxy", "--name", "px", "--server", server.address, "--exit-when-empty",
                          *options, data=lines)
            tap.same("many values: the proxy ends well", (result.code, result.err), (0, ""))
            server.finish()
            tap.same("and all have come", [row["id"] for row in history(server)], list(range(1, count + 1)))
    size = state.stat().st_size
    tap.check("nothing of them is left in it", size < 10000, size)


def main():
    tap = Tap()
    if "zabbix" in DIALECTS:
        wanted = sys.argv[1:]
        for function in (send_one, send_codes, send_redirects, send_lines, send_many, get, every_version, secured,
                         refused_keys, mixed_port, killed_proxy, killed_server, restarted_server, states,
                         proxy_input, full_buffer, proxy_commands, listeners, disabled, unwritable_checks, reloads, configs,
                         server_commands, access, hostile, bad_rows, few_files, scripted_server, scripted_proxy,
                         recorded_servers, recorded_proxies, unwritable, addresses, unfinished_tls, many):
            if not wanted or function.__name__ in wanted:
                tap.run(function)
    else:
        tap.check("left out of this build", True)
    return tap.end()


sys.exit(main())
