#!/usr/bin/env python3
"""The Zabbix guide: what it repeats is up to date, its links lead somewhere, its program and commands work."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import guide
from cli import OPENSSL, ROOT, Tap, leat, sessions, strict
from live import until
from zabbix import SHORT, Answers, Server, Talker, ask, data, history

GUIDE = (guide.DOC / "zabbix.md").read_text(encoding="utf-8")
PROGRAM = os.environ.get("LEAT_ZABBIX_PROXY_MINIMAL")  # if OPENSSL
KEY = "00112233445566778899aabbccddeeff\n"
COMMANDS = ("proxy", "server", "send", "get")
OTHERS = r"^(    (cc|meson|\$ leat decode) .*|    \./.*|apt-get .*|runuser .*)$"


def repeated(tap):
    guide.up_to_date(tap, "zabbix_guide.py", "zabbix.md")
    guide.links(tap, "zabbix.md")
    guide.options(tap, GUIDE, "zabbix", COMMANDS, OTHERS)
    guide.benchmarks(tap, GUIDE, "zabbix")
    sessions(tap, GUIDE, "zabbix.md")


def names(tap):
    """What the guide names of the interface is there."""
    headers = "".join(path.read_text() for path in (ROOT / "include" / "leat").glob("*.h"))
    named = set(re.findall(r"\bleat_[a-z0-9_]+|\bLEAT_[A-Z0-9_]+", GUIDE))
    tap.check("the guide names functions", len(named) > 60, named)
    tap.same("they exist", sorted(name for name in named if not re.search(rf"\b{name}", headers)), [])


def sections_of(version):
    """The sections that the guide says it has: field: (a value, whether it is needed)."""
    def has(span):
        number = re.findall(r"\d\.\d", span)
        if not number:
            return True
        return number[0] <= version <= number[-1] if "to" in span and span[0] != "u" else \
            version <= number[0] if span.startswith("up to") else version >= number[0]

    found = {}
    for name, span, rows in re.findall(r"^`([a-z ]+)`(?:: (.*))?\n\n\| field .*\n\|[-|]+\n((?:\| .*\n)+)", GUIDE, re.M):
        fields = [[cell.strip() for cell in line.split("|")[1:-1]] for line in rows.splitlines()]
        if has(span):
            found[name] = {field.strip("`"): ("x" if kind == "string" else 1, bool(need))
                           for field, kind, need, versions, _ in fields if has(versions)}
    return found


def sections(tap):
    """Rows are taken that have the needed fields, with each of the others, and not without one of them."""
    for version in "5.0", "5.4", "6.2", "6.4", "7.0", "7.4":
        lines, wrong = [], []
        found = sections_of(version)
        found.pop("history data")
        tap.check(f"{version}: sections", len(found) == {"5.0": 3, "5.4": 3}.get(version, 4), found)
        for name, fields in found.items():
            needed = {field: value for field, (value, need) in fields.items() if need}
            rows = [needed, *({**needed, field: value} for field, (value, _) in fields.items())]
            bad = [{**needed, "no_such": 1}, *({f: v for f, v in needed.items() if f != field} for field in needed)]
            for row in rows + bad:
                lines.append(json.dumps({"section": name, "row": row}))
            wrong += range(len(lines) - len(bad) + 1, len(lines) + 1)
        result = leat("zabbix", "proxy", "--name", "px", "--server", "127.0.0.1:1", "--as-version", version,
                      data="\n".join([*lines, '{"stop":true}', ""]))
        tap.same(f"{version}: rows that are refused",
                 [int(number) for number in re.findall(r"standard input: line (\d+)", result.err)], wrong)


def forty_lines(tap):
    """As the guide counts them."""
    text = re.sub(r"/\*.*?\*/", "", (ROOT / "examples" / "zabbix_proxy_minimal.c").read_text(), flags=re.S)
    declares = r"(const |struct )?\w+ [\w*, \[\]]+( = 0)?;"
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line.strip("{}") and line[0] != "#" and not re.fullmatch(declares, line)]
    tap.check("a proxy in 40 lines", "40 lines" in GUIDE and 30 < len(lines) <= 40, "\n".join(lines))


def program(tap):
    if not OPENSSL:
        return
    done = subprocess.run([PROGRAM, "127.0.0.1:1"], capture_output=True, check=False)
    tap.check("the program: usage", done.returncode == 2 and b"usage" in done.stderr, done)
    for version in "6.0.14", "7.0.22":
        with Server("--proxy", "px", "--as-version", version) as free:
            address = free.address
        with subprocess.Popen([PROGRAM, address, "px", version, "930001"]) as process:
            try:
                with Talker("zabbix", "server", "--listen", address, "--proxy", "px", "--as-version", version) as server:
                    server.named("history data", 4)
                    server.finish()
            finally:
                process.kill()
        rows = history(server)
        tap.same(f"{version}: values come in order, also those from before the server", [row["id"] for row in rows],
                 list(range(1, len(rows) + 1)))
        tap.check(f"{version}: they are loads", all(float(row["value"]) >= 0 and row["itemid"] == 930001 for row in rows))


def versions(tap):
    """Which server takes what from which proxy."""
    table = re.search(r"^(\| server \| 4\.2 .*\|)\n\|[-|]+\n((?:\| .*\|\n)+)", GUIDE, re.M)
    proxies = [cell.strip() for cell in table[1].split("|")][2:-1]
    for line in table[2].splitlines():
        name, *cells = [cell.strip() for cell in line.split("|")][1:-1]
        with Server("--proxy", "px", "--as-version", name) as server:
            taken = []
            for proxy in proxies:
                version = proxy + ".0"
                config = {"request": "proxy config", "host": "px", "version": version, "session": "a" * 32,
                          "config_revision": 0}
                answers = [ask(server.port, message, 3) or b"failed"
                           for message in (data("px", version=version), config)]
                good = tuple(b"failed" not in answer for answer in answers)
                taken.append({(True, True): "all", (True, False): "data", (False, True): "config"}.get(good, "-"))
            tap.same(f"what a server of {name} takes", taken, cells)


def refusals(tap):
    """What a server says to who may not."""
    table = re.search(r"^\| asked for \|.*\n\|[-|]+\n((?:\| .*\|\n)+)", GUIDE, re.M)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table[1].splitlines()]
    asked = [name.strip("`") if name.startswith("`") else "fly" for name, *_ in rows]
    for column, version in (1, "5.0"), (1, "6.2"), (2, "6.4"), (2, "7.4"):
        with Server("--proxy", "px", "--as-version", version) as server:
            for row, request in zip(rows, asked):
                said = row[1] if row[column] == "the same" else row[column]
                answer = ask(server.port, {**data("py", version=version + ".0"), "request": request,
                                           "config_revision": 0})
                good = answer is None if "closed" in said else strict(answer.decode())["response"] == "failed"
                tap.check(f"{version}: {request} of a stranger: {said}", good, answer)


def files(folder):
    """What the guide shows of files, and what it names beside."""
    for name, text in re.findall(r"^`([a-z]+\.\w+)`(?: then [^\n]*)?:\n\n```json\n(.*?)^```", GUIDE, re.M | re.S):
        (folder / name).write_text(text)
    (folder / "psk.txt").write_text(KEY)
    (folder / "values.txt").write_text("za1 load 0.42\nza1 load 0.43\n")


def blocks(title):
    """The lines of JSON behind a text that ends so."""
    return [strict(line) for line in
            re.search(rf"{title}:\n\n```json\n(.*?)^```", GUIDE, re.M | re.S)[1].splitlines()]


def holds(event, sample):
    """Whether an event has what the guide shows of it."""
    if isinstance(sample, dict):
        return isinstance(event, dict) and all(name in event and holds(event[name], member)
                                               for name, member in sample.items())
    return event == sample


class Shown:
    """A command of the guide, in a folder of its own, with other addresses."""

    def __init__(self, words, folder, addresses):
        self.input = next((folder / word[1:] for word in words if word.startswith("<")), None)
        self.words = []
        for word in words:
            if word[0] in "<>":
                continue
            for old, new in addresses.items():
                word = re.sub(rf"(?<![\w.]){re.escape(old)}$", new, word)
            file = re.fullmatch(r"[a-z]+\.(state|json|txt)", word)
            self.words.append(str(folder / word) if file else word)

    def start(self, *more):
        return Talker(*self.words, *more)

    def run(self):
        return leat(*self.words)


def live_commands(tap):
    shown = guide.commands(GUIDE, r"zabbix .*")
    tap.same("the guide shows commands", sorted(words[1] for words in shown),
             ["get", "proxy", "proxy", "send", "send", "server", "server"])
    found = {(words[1], next((word for word in words if word in ("--passive", "--poll")), "")): words
             for words in shown if words[1] != "send"}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        files(folder)
        with Shown(found["server", ""], folder, {":10051": "127.0.0.1:0"}).start(*without_tls(folder)) as server:
            here = {"zabbix.example.com:10051": f"127.0.0.1:{server.port_of()}"}
            active_proxy(tap, Shown(found["proxy", ""], folder, here))
            for words in shown:
                if words[1] == "send":
                    sent = Shown(words, folder, here).run()
                    tap.same(f"{' '.join(words)}", (sent.code, sent.err), (0, ""))
            server.say(*blocks("are commands"))
            status = server.named("status")
            tap.same("the commands", (status[0]["tasks"], status[0]["rows"]), (1, 3))
            tap.same("the server", server.finish(), 0)
            tap.same("the values", [row["value"] for row in history(server)], ["0.42", "0.43"])
        with Answers({"version": "7.0.22", "variant": 1, "data": [{"value": "1"}]}) as agent:
            got = Shown(found["get", ""], folder, {"agent.example.com:10050": agent.address}).run()
            tap.same("get", (got.code, got.events()), (0, [{"key": "agent.ping", "value": "1"}]))
        if OPENSSL:
            polled(tap, folder, found)


def active_proxy(tap, shown):
    """It prints what the guide says, and ends with its input."""
    with shown.start(*SHORT) as proxy:
        proxy.say(*shown.input.read_text().splitlines())
        for sample in blocks("with more members"):
            told = proxy.wait(lambda event: holds(event, sample), json.dumps(sample))
            tap.check(f"it prints {json.dumps(sample)}", told)
        proxy.shut()
        tap.same("the proxy", (proxy.end(), proxy.err.text()), (0, ""))


def without_tls(folder):
    """The server's file has a proxy with a key, too, which a build without OpenSSL cannot have."""
    if not OPENSSL:
        entries = json.loads((folder / "proxies.json").read_text())
        del entries["proxies"][1:]
        (folder / "proxies.json").write_text(json.dumps(entries))
    return ()


def polled(tap, folder, found):
    """The passive proxy, and the server that polls it."""
    passive = Shown(found["proxy", "--passive"], folder, {":10051": "127.0.0.1:0", "192.0.2.1": "127.0.0.1"})
    with passive.start() as proxy:
        proxy.say(*passive.input.read_text().splitlines())
        address = {"pp=proxy.example.com:10051": f"pp=127.0.0.1:{proxy.port_of()}"}
        with Shown(found["server", "--poll"], folder, address).start() as server:
            proxy.wait(lambda event: event["event"] == "acknowledged", "an acknowledgement")
            tap.same("the passive proxy", proxy.finish(), 0)
            server.finish()
            tap.same("its values", [row["value"] for row in history(server)], ["0.42", "0.43"])


def ten_commands(tap):
    """They are ten, and a shell can read them; the interop tests do the same at a real server."""
    text = re.search(r"^```sh\n(.*?)^```", GUIDE, re.M | re.S)[1]
    tap.same("ten commands", len(text.splitlines()), 10)
    done = subprocess.run(["sh", "-n"], input=text, text=True, capture_output=True, check=False)
    tap.same("they are sound", (done.returncode, done.stderr), (0, ""))
    line = next(line for line in text.splitlines() if "leat zabbix" in line)
    with Server("--proxy", "px", "--as-version", "6.0.14") as server:
        path = os.pathsep.join([str(pathlib.Path(os.environ["LEAT"]).parent), os.environ["PATH"]])
        done = subprocess.run(line.replace("127.0.0.1:10051", server.address), shell=True, capture_output=True,
                              env={**os.environ, "PATH": path}, check=False, timeout=120)
        tap.same("the proxy among them", (done.returncode, done.stderr), (0, b""))
        until(lambda: server.process.poll() is None, "the server")
        server.finish()
        tap.same("and its value", [row["value"] for row in history(server)], ["0.42"])


def main():
    tap = Tap()
    for function in repeated, names, sections, forty_lines, program, versions, refusals, live_commands, ten_commands:
        tap.run(function)
    return tap.end()


sys.exit(main())
