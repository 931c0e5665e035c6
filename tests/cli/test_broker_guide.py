#!/usr/bin/env python3
"""The Broker guide: what it repeats is up to date, its links lead somewhere, its program and commands work."""

import json
import os
import re
import subprocess
import sys

import guide
from broker import Broker, Listener
from cli import OPENSSL, ROOT, Tap, sessions
from live import PATIENCE, Authority, Lines, folder

GUIDE = (guide.DOC / "broker.md").read_text(encoding="utf-8")
PROGRAM = os.environ.get("LEAT_BROKER_PEER")  # if OPENSSL
OTHERS = r"^    (cc|meson|\./|\$ leat decode) ?.*$"
TOPIC = "/demo"


def repeated(tap):
    guide.up_to_date(tap, "broker_guide.py", "broker.md")
    guide.links(tap, "broker.md")
    if OPENSSL:
        guide.options(tap, GUIDE, "broker", ("peer", "ws"), OTHERS)
    benchmarks(tap)
    sessions(tap, GUIDE, "broker.md")


def benchmarks(tap):
    """The guide names those that there are: each is a file."""
    named = re.findall(r"^    meson test --benchmark .* --verbose (.*)$", GUIDE, re.M)
    known = [path.stem.removeprefix("bench_") for path in (ROOT / "tests" / "bench" / "broker").glob("bench_*.c")]
    tap.same("the guide names the benchmarks", [names.split() for names in named],
             [sorted(name if name in ("broker", "zeek") else f"broker_{name}" for name in known)])


def names(tap):
    """What the guide names of the interface is there, and so are the files."""
    headers = "".join(path.read_text() for path in (ROOT / "include" / "leat").glob("*.h"))
    named = set(re.findall(r"\bleat_[a-z0-9_]+|\bLEAT_[A-Z0-9_]+", GUIDE))
    tap.check("the guide names functions", len(named) > 80, named)
    tap.same("they exist", sorted(name for name in named if not re.search(rf"\b{name}", headers)), [])
    files = set(re.findall(r"`((?:tests|examples)/[a-z_/]+\.[a-z]+)`", GUIDE))
    files |= {f"tests/broker/{name}" for name in re.findall(r"`(test_[a-z_]+\.c)`", GUIDE)}
    tap.check("it names files", len(files) > 5, files)
    tap.same("they are there", sorted(name for name in files if not (ROOT / name).exists()), [])


def cited(tap):
    """The sections that headers and sources name are there."""
    there = {name: set(re.findall(r"^#+ (\d+(?:\.\d+)?)\.? ", (guide.DOC / "protocols" / name).read_text(), re.M))
             for name in ("broker.md", "zeek-notes.md")}
    paths = [*(ROOT / "include" / "leat").glob("broker*.h"), ROOT / "include" / "leat" / "zeek.h",
             *(ROOT / "lib" / "broker").glob("*.[ch]"), *(ROOT / "lib" / "zeek").glob("*.[ch]")]
    found, dead = 0, []
    for path in paths:
        text = re.sub(r"\s*\n\s*\*?\s*", " ", path.read_text())
        for name, numbers in re.findall(r"(spec|zeek-notes),? sections? ((?:\d[\d.]*(?:, | and | to )?)+)", text):
            for number in re.findall(r"\d+(?:\.\d+)?", numbers):
                found += 1
                if number not in there["broker.md" if name == "spec" else "zeek-notes.md"]:
                    dead.append(f"{path.name}: {name} {number}")
    tap.check("sections are named", found > 30, found)
    tap.same("they are there", dead, [])


def functions(tap):
    """Each function is in the guide; those of the endpoint are also outside of the list of all."""
    told = GUIDE[:GUIDE.index("## All functions")]
    for header, number, text in (("broker_endpoint.h", 25, told), ("zeek.h", 15, GUIDE), ("broker_store.h", 25, GUIDE),
                                 ("broker_websocket.h", 8, GUIDE)):
        declared = (ROOT / "include" / "leat" / header).read_text()
        calls = set(re.findall(r"^LEAT_API [^;]*?\b(leat_\w+)\(", declared, re.M))
        left = {name for name in calls if name.endswith("_init")}
        tap.check(f"{header} has functions", len(calls) >= number, calls)
        tap.same("the guide has them", sorted(name for name in calls - left if f"{name}(" not in text), [])


def forty_lines(tap):
    """As the guide counts them."""
    text = re.sub(r"/\*.*?\*/", "", (ROOT / "examples" / "broker_peer.c").read_text(), flags=re.S)
    declares = r"(const |struct |unsigned )?\w+ [\w*, \[\]]+( = (0|NULL))?;"
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line.strip("{}") and line[0] != "#" and not re.fullmatch(declares, line)]
    tap.check("a peering in 40 lines", "40 lines" in GUIDE and 30 < len(lines) <= 40, "\n".join(lines))


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", GUIDE, re.M | re.S)


def program(tap):
    """It talks to an endpoint as the guide's Zeek would."""
    if not OPENSSL:
        return
    script = blocks("zeek")[0]
    heard, raised = re.search(r'Broker::publish\("([^"]+)", (\w+), "([^"]+)"\)', script), "hello"
    subscribed = re.search(r'Broker::subscribe\("([^"]+)"\)', script)[1]
    tap.same("the script's event", (heard[2], f"event {raised}(text: string)" in script), (raised, True))
    done = subprocess.run([PROGRAM], capture_output=True, check=False, timeout=PATIENCE)
    tap.check("usage", done.returncode == 2 and b"usage" in done.stderr, done)
    for options, words in ([], []), (["--no-tls"], ["no-tls"]):
        with Listener("--subscribe", subscribed, "--plain", *options) as zeek:
            process = subprocess.Popen([PROGRAM, zeek.address, heard[1], *words], stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE)
            try:
                out = Lines(process.stdout)
                tap.same(f"{words}: what it raises", zeek.messages(),
                         [{"topic": subscribed, "event": raised, "args": ["from leat"]}])
                zeek.say({"topic": heard[1], "event": raised, "args": [heard[3]]})
                line = out.count(1)[0].strip()
                tap.same("what it prints", line, f'["{raised}",["{heard[3]}"]]')
                tap.check("the guide says so", f"`{line}`" in GUIDE)
                zeek.finish()
                tap.same("it ends well", (process.wait(PATIENCE), process.stderr.read()), (0, b""))
            finally:
                process.kill()
                process.wait()
                process.stderr.close()


class Shown:
    """Commands of the guide, which are run at other addresses and with other files; each counts once."""

    def __init__(self):
        self.left = guide.commands(GUIDE, r"broker .*")
        self.folder = folder()
        (self.folder / "lines.ndjson").write_text(blocks("json")[0])
        authority = Authority("authority") if OPENSSL else None
        self.certificates = authority.issue("node", "DNS:node") if OPENSSL else []
        self.files = dict(zip(("node.pem", "node.key", "ca.pem"), self.certificates[1::2]))

    def take(self, *wanted):
        """The next one that has these words."""
        words = next(words for words in self.left if all(word in words for word in wanted))
        self.left.remove(words)
        return words

    def start(self, words, address=None):
        """Starts it, its addresses replaced by this one; a listener finds one."""
        given = next((word[1:] for word in words if word[0] == "<"), None)
        placed = []
        for option, word in zip(["", *words], words):
            if word[0] in "<>":
                continue
            if option == "--listen":
                word = "127.0.0.1:0"
            elif re.fullmatch(r"(wss?://)?\S+:999[79]", word):
                word = re.sub(r"[^/]+$", address, word)
            placed.append(str(self.files.get(word, word)))
        started = Broker(placed[1], *placed[2:])
        if given is not None:
            started.say(*(self.folder / given).read_text().splitlines())
            started.shut()
        return started


def address_of(listener):
    return listener.err.find(r"listening on (\S+)").group(1)


def lines_out():
    return [json.loads(line) for line in blocks("json")[1].splitlines()]


def has(event, shown):
    """Whether an event is what the guide shows, with more members perhaps."""
    if isinstance(shown, dict):
        return isinstance(event, dict) and all(key in event and has(event[key], shown[key]) for key in shown)
    return event == shown


def prints(tap, what, program, lines=None):
    """It prints the lines that the guide says come out."""
    for line in lines or lines_out():
        program.wait(lambda event, line=line: has(event, line), json.dumps(line))
    tap.check(f"{what}: what comes out", True)


def messages_out():
    return [line for line in lines_out() if "topic" in line]


def end(tap, *programs):
    for one in programs:
        tap.same("it ends well", (one.finish(), re.sub(r"leat: listening on .*\n", "", one.err.text())), (0, ""))


def commands_for_zeek(tap, shown):
    """Those that have a Zeek at the other end, which is an endpoint here."""
    for security, of_tls in ([], False), (shown.certificates, True):
        with Listener("--subscribe", TOPIC, *security) as zeek:
            words = shown.take("peer", "--connect", "zeek.example:9999", "--subscribe", *["--cert"] * of_tls)
            with shown.start(words, zeek.address) as peer:
                zeek.told("peer_added")
                zeek.say(*messages_out())
                prints(tap, " ".join(words[:5]), peer)
                end(tap, peer)
            if not of_tls:
                words = shown.take("--exit-when-empty")
                with shown.start(words, zeek.address) as peer:
                    prints(tap, " ".join(words[:5]), zeek)
                    tap.same("it ends by itself", (peer.end(), peer.err.text()), (0, ""))
                    tap.same("its commands are answered", {e["event"] for e in peer.events() if "topic" not in e}
                             >= {"pong", "peers", "stats"}, True)
            zeek.finish()


def commands_for_clients(tap, shown):
    with Listener("--subscribe", TOPIC) as zeek:
        gateway_words = shown.take("ws", "--listen", "--no-client-tls")
        client_words = shown.take("ws", "ws://zeek.example:9997")
        with shown.start(gateway_words, zeek.address) as gateway:
            with shown.start(client_words, address_of(gateway)) as client:
                client.told("ack")
                gateway.told("peer_added", 2)
                zeek.told("peer_added")
                zeek.say(*messages_out())
                prints(tap, "the gateway", gateway)
                prints(tap, "its client", client, messages_out())
                client.say(messages_out()[0])
                prints(tap, "and back", zeek, messages_out()[:1])
                end(tap, client, gateway)
        zeek.finish()


def commands_for_stores(tap, shown):
    """What is written at the copy comes to the master, and back."""
    lines = [json.loads(line) for line in blocks("json")[2].splitlines()]
    with shown.start(shown.take("--master")) as master:
        with shown.start(shown.take("--clone"), address_of(master)) as clone:
            clone.told("attached")
            clone.say(*lines)
            for program in master, clone:
                tap.same("what comes of it", (program.told("insert")[0]["value"]["value"],
                                              program.told("update")[0]["value"]["new"]), (1, 3))
            clone.told("get")
            clone.say(lines[-1])
            tap.same("and is there", clone.told("get", 2)[1]["value"],
                     {"store": lines[-1]["store"], "key": lines[-1]["get"], "value": 3})
            end(tap, clone)
        end(tap, master)


def log_lines(tap, _):
    with Listener("--subscribe", "zeek/logs/") as first:
        with Broker("peer", "--connect", first.address) as second:
            lines = blocks("ndjson")[0].splitlines()
            second.told("peer_added")
            second.say(*lines)
            prints(tap, "a log", first, [json.loads(line) for line in lines])
            end(tap, second)
        first.finish()


def commands_without_zeek(tap, shown):
    with shown.start(shown.take("peer", "--listen")) as first:
        address = address_of(first)
        with shown.start(shown.take("peer", "127.0.0.1:9999"), address) as second:
            second.told("peer_added")
            second.say(*blocks("json")[0].splitlines())
            prints(tap, "two terminals", first)
            second.told("pong")
            end(tap, second)
            first.told("peer_lost")
        with shown.start(shown.take("ws", "--listen"), address) as gateway:
            client_words = shown.take("ws", "wss://127.0.0.1:9997")
            with shown.start(client_words, address_of(gateway)) as client:
                client.told("ack")
                gateway.told("peer_added", 2)
                client.say({"topic": TOPIC, "event": "last"})
                first.wait(lambda event: event.get("event") == "last", "the client's event")
                gateway.wait(lambda event: event.get("event") == "last", "the client's event")
                tap.check("a gateway and a client", True)
                end(tap, client, gateway)
        end(tap, first)


def commands(tap):
    if not OPENSSL:
        return
    shown = Shown()
    tap.check("the guide shows commands", len(shown.left) > 8, shown.left)
    for function in commands_for_zeek, commands_for_clients, commands_for_stores, log_lines, commands_without_zeek:
        function(tap, shown)
    tap.same("all of them were run", shown.left, [])


def main():
    tap = Tap()
    for function in repeated, names, cited, functions, forty_lines, program, commands:
        tap.run(function)
    return tap.end()


sys.exit(main())
