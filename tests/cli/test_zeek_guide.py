#!/usr/bin/env python3
"""The guide to Zeek's Management framework: what it repeats is up to date, its links lead somewhere, its program and
commands work."""

import json
import os
import re
import subprocess
import sys

import guide
from broker import free_port
from cli import OPENSSL, ROOT, Tap, leat, sessions, strict, temporary
from live import PATIENCE, Lines, Program, Talker, folder, until

GUIDE = (guide.DOC / "zeek-management.md").read_text(encoding="utf-8")
PROGRAM = os.environ.get("LEAT_ZEEK_AGENT")  # if OPENSSL
OTHERS = r"^    (cc|\./|zeek|zeek-client) .*$"
HEADERS = ("zeek_management.h", "zeek_agent.h", "zeek_controller.h")


def header(name):
    return (ROOT / "include" / "leat" / name).read_text()


def repeated(tap):
    guide.up_to_date(tap, "zeek_guide.py", "zeek-management.md")
    guide.links(tap, "zeek-management.md")
    if OPENSSL:
        guide.options(tap, GUIDE, "zeek", ("agent", "controller", "client"), OTHERS)
    sessions(tap, GUIDE, "zeek-management.md")


def names(tap):
    """What the guide names of the interface is there, and so are the files."""
    headers = "".join(path.read_text() for path in (ROOT / "include" / "leat").glob("*.h"))
    named = set(re.findall(r"\bleat_[a-z0-9_]+|\bLEAT_[A-Z0-9_]+", GUIDE))
    tap.check("the guide names functions", len(named) > 50, named)
    tap.same("they exist", sorted(name for name in named if not re.search(rf"\b{name}", headers)), [])
    files = set(re.findall(r"`((?:tests|examples)/[a-z_/]+\.[a-z]+)`", GUIDE))
    tap.check("it names files", len(files) > 1, files)
    tap.same("they are there", sorted(name for name in files if not (ROOT / name).exists()), [])


def cited(tap):
    """The sections that headers and sources name are there."""
    there = {name: set(re.findall(r"^#+ (\d+(?:\.\d+)?)\.? ", (guide.DOC / "protocols" / file).read_text(), re.M))
             for name, file in (("management", "broker-management.md"), ("zeek-notes", "zeek-notes.md"))}
    paths = [*(ROOT / "include" / "leat").glob("zeek_*.h"), *(ROOT / "lib" / "zeek").glob("*.[ch]")]
    found, dead = 0, []
    for path in paths:
        text = re.sub(r"\s*\n\s*\*?\s*", " ", path.read_text())
        for name, numbers in re.findall(r"\b(management|zeek-notes) sections? ((?:\d[\d.]*(?:, | and | to )?)+)", text):
            for number in re.findall(r"\d+(?:\.\d+)?", numbers):
                found += 1
                if number not in there[name]:
                    dead.append(f"{path.name}: {name} {number}")
    tap.check("sections are named", found > 10, found)
    tap.same("they are there", dead, [])


def functions(tap):
    """Each function is told of outside of the list of all."""
    told = GUIDE[:GUIDE.index("## All functions")]
    for name in HEADERS:
        calls = set(re.findall(r"^LEAT_API [^;]*?\b(leat_\w+)\(", header(name), re.M))
        left = {call for call in calls if call.endswith(("_init", "_free"))}
        tap.check(f"{name} has functions", len(calls) > 5, calls)
        tap.same("the guide has them", sorted(call for call in calls - left if f"{call}(" not in told), [])


def limits(tap):
    """The numbers that the guide repeats are those of the options."""
    table = GUIDE[GUIDE.index("## Limits and memory"):GUIDE.index("## Where leat differs")]
    found = re.findall(r"\| ([^|]+) \| `(\w+)`, ([\d ]+) \|", table)
    tap.check("the guide has limits", len(found) > 4, found)
    for what, option, number in found:
        name = "zeek_controller.h" if "controller" in what or "instances" in what else "zeek_agent.h"
        tap.check(f"{what}: {number}", re.search(rf"\b{option}; +/\* {number}:", header(name)), found)


def words(tap):
    """The errors that the guide quotes, and what happens to instances, are in the library; none is left out."""
    sources = "".join(path.read_text() for path in sorted((ROOT / "lib" / "zeek").glob("*.c")))
    texts = re.findall(r'"([^"\n]*)"', re.sub(r'"\s*\n\s*"', "", sources))
    section = GUIDE[GUIDE.index("Errors that a controller tells"):GUIDE.index("## Events by name")]
    quoted = [quote for row in re.findall(r"^\| (`.*`) \| ", section, re.M) for quote in re.findall("`([^`]+)`", row)]
    tap.check("the guide quotes errors", len(quoted) > 20, quoted)
    tap.same("they are in the library", [
        quote for quote in quoted
        if not all(any(part.strip("'") in text for text in texts) for part in re.split("<[a-z]+>", quote))], [])
    said = re.findall(r'add_(?:error|failure)\([^";]*"([^"]+)"\)', sources)
    tap.check("controllers say errors", len(said) > 5, said)
    tap.same("the guide has them", [text for text in said if text not in quoted], [])
    rows = GUIDE[GUIDE.index("| `what` of an INSTANCE"):GUIDE.index("The controller keeps three")]
    told = re.findall(r"^\| (\w+) \| ", rows, re.M)
    tap.same("what happens to instances", [what for what in told if what not in texts] + told[8:], [])


def all_events(tap):
    """What the program tells of the table is in the guide, each under its heading."""
    lines = [strict(line) for line in leat("zeek", "events").out.decode().splitlines()]
    events = [line["event"] for line in lines if "event" in line]
    tap.check("there are events", len(events) > 40, events)
    missing = []
    for event in events:
        module, _, name = event["name"].rpartition("::")
        section = GUIDE[GUIDE.index(f"<!-- table: events of {module} -->"):]
        rows = section[:section.index("<!-- end -->")].splitlines()
        at = next((i for i, row in enumerate(rows) if row.startswith(f"| `{name}` | {event['from']} |")), None)
        for i, part in enumerate(event["args"]):
            row = rows[at + i] if at is not None else ""
            if f"| `{part['name']}` | " not in row or part["type"] != plain(row, part["name"]):
                missing.append((event["name"], part["name"], row))
    tap.same("all of them are there", missing, [])
    for record in (line["record"] for line in lines if "record" in line):
        section = GUIDE[GUIDE.index(f"#### {record['name']}\n"):]
        rows = [row for row in section[1:section.index("\n#", 1)].splitlines() if row.startswith("| `")]
        tap.same(record["name"], [(re.match(r"\| `(\w+)`", row)[1], plain(row, re.match(r"\| `(\w+)`", row)[1]))
                                  for row in rows], [(field["name"], field["type"]) for field in record["fields"]])
    for enum in (line["enum"] for line in lines if "enum" in line):
        row = re.search(rf"^\| {enum['name']} \| (.*) \|$", GUIDE, re.M)
        tap.same(enum["name"], row and re.findall("`([^`]+)`", row[1]), enum["values"])


def plain(row, name):
    """The type in a row, behind that name."""
    return re.sub(r"\[([^]]+)\]\([^)]*\)", r"\1", row.split(f"| `{name}` | ")[1].split(" |")[0])


def fifty_lines(tap):
    """As the guide counts them."""
    text = re.sub(r"/\*.*?\*/", "", (ROOT / "examples" / "zeek_agent.c").read_text(), flags=re.S)
    declares = r"((const|struct|unsigned|static) )*\w+ [\w*, \[\]]+( = (0|NULL|\{.*\}))?;"
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line.strip("{}") and line[0] != "#" and not re.fullmatch(declares, line)]
    tap.check("an agent in fifty lines", "some fifty lines" in GUIDE and 40 < len(lines) <= 56, "\n".join(lines))


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", GUIDE, re.M | re.S)


def block_with(word):
    """The one of JSON that has it."""
    return next(block for block in blocks("json") if word in block)


def spelled(tap):
    """The arguments that the guide shows in both forms are those that a test compares, and its JSON is sound."""
    source = (ROOT / "tests" / "zeek" / "test_guide.c").read_text()
    literals = re.sub(r'"\s*\n\s*"', "", source).replace('\\"', '"')
    row = re.search(r"^\| arguments \| `(.*)` \| `(.*)` \|$", GUIDE, re.M)
    tap.check("by places", f'"{row[1]}"' in literals, row[1])
    tap.check("by names", f'"{row[2]}"' in literals, row[2])
    for block in blocks("json"):
        for text in block.splitlines() if block.startswith('{"request"') else [block]:
            strict(text)


class Controller(Talker):
    """leat zeek controller, at ports that are free."""

    def __init__(self, *arguments):
        super().__init__("zeek", "controller", "--listen", "127.0.0.1:0", "--websocket", "127.0.0.1:0", *arguments)
        self.agents, self.clients = self.err.wait(self.addresses, "where it listens")

    @staticmethod
    def addresses(lines):
        found = re.findall(r"listening on (\S+)", "".join(lines))
        return len(found) == 2 and found

    def told(self, what):
        self.wait(lambda event: event["event"] == "instance" and event["value"]["what"] == what, what)


class Shown:
    """Commands of the guide, run at other addresses and with other files; each counts once."""

    def __init__(self):
        self.left = guide.commands(GUIDE, r"zeek .*")
        self.folder = folder()
        (self.folder / "nodes.json").write_text(block_with('"nodes":{'))
        (self.folder / "cluster.json").write_text(block_with('"instances":[{"name":"agent-1"}]'))
        self.places = {}

    def take(self, *wanted):
        """The next one that has these words, at our addresses."""
        words = next(words for words in self.left if all(word in words for word in wanted))
        self.left.remove(words)
        return [self.places.get(word, str(self.folder / word) if word.endswith(".json") else word)
                for word in words[1:]]

    def client(self, tap, *wanted, code=0):
        """What a client prints: responses by the names of their events, without the module."""
        words = self.take("client", *wanted)
        done = leat("zeek", *words)
        tap.same(" ".join(wanted), done.code, code)
        return {event["event"].rpartition("::")[2]: event["value"] for event in done.events()}


def responses(tap, shown):
    """What the client is told when it asks on."""
    told = shown.client(tap, "get-instances")["get_instances_response"]
    tap.same("the instance", [instance["name"] for instance in told["result"]["data"]], ["agent-1"])
    told = shown.client(tap, "get-nodes")["get_nodes_response"]
    states = {node["node"]: node["state"] for node in told["results"][0]["data"]}
    tap.same("its nodes", {name: states.get(name) for name in ("manager", "worker-01", "worker-02")},
             {"manager": "Management::RUNNING", "worker-01": "Management::RUNNING", "worker-02": "Management::FAILED"})
    told = shown.client(tap, "get-config")["get_configuration_response"]
    ports = {node["name"]: node["p"] for node in told["result"]["data"]["nodes"]}
    tap.same("ports", ports, {"manager": "2200/tcp", "worker-01": None, "worker-02": None})
    told = shown.client(tap, "get-id-value")["get_id_value_response"]
    tap.same("a value", [json.loads(result["data"]) for result in told["results"]], ["worker-01"])
    told = shown.client(tap, "restart")["restart_response"]
    tap.same("a restart", [(result["node"], result["success"]) for result in told["results"]], [("worker-01", True)])


def deployed(tap, shown, agent_words):
    """A controller, an agent and a client, as in three terminals."""
    with Controller() as controller:
        shown.take("controller")
        shown.places = {"127.0.0.1:2150": controller.agents, "127.0.0.1:2149": controller.clients}
        with Talker("zeek", *shown.take(*agent_words)) as agent:
            controller.told("known")
            told = shown.client(tap, "deploy-config", code=1)
            results = told["deploy_response"]["results"]
            failed = [result for result in results if not result["success"]]
            tap.same("what failed", [(result["node"], result["data"]["stderr"]) for result in failed],
                     [("worker-02", "fatal error: can't find no-such-script")])
            tap.same("the id of the configuration", results[-1]["data"],
                     told["stage_configuration_response"]["results"][0]["data"])
            responses(tap, shown)
            listen_in(tap, shown, controller)
            tap.same("the agent is stopped", agent.finish(), 0)
            controller.told("lost")
        by_hand(tap, shown, controller)
        tap.same("so is the controller", controller.finish(), 0)


def ask_again(controller, monitor):
    """Asks, until the monitor was there in time to hear it."""
    told = leat("zeek", "client", controller.clients, "get-instances").events()[0]
    return told in [strict(line) for line in monitor.out.lines if line.endswith("\n")] and told


def listen_in(tap, shown, controller):
    """A monitor hears what the controller answers another client."""
    with Program("zeek", *shown.take("client", "monitor")) as monitor:
        response = until(lambda: ask_again(controller, monitor), "what the other client was told")
        tap.check("a monitor hears it", response)
        tap.same("it is stopped", monitor.stop(), 0)


def arguments(tap):
    """The arguments that the guide has for a client are taken."""
    if not OPENSSL:
        return
    args = strict(block_with('"config":{"id":"first"'))
    with Controller() as controller:
        controller.say({"event": "stage_configuration_request", **args})
        told = controller.wait(lambda event: event["event"].endswith("stage_configuration_response"), "the response")
        tap.same("they are staged", [(result["success"], result["data"]) for result in told["value"]["results"]],
                 [(True, "first")])
        controller.finish()


def by_hand(tap, shown, controller):
    """An agent that comes back, whose requests lines answer: the guide's, once they are what it shows."""
    lines = [strict(line) for line in block_with('{"request":1}').splitlines()]
    with Talker("zeek", *shown.take("agent", "agent-1")) as agent:
        agent.wait(lambda event: event["value"]["request"] == 1, "the welcome")
        agent.say(lines[0])
        agent.wait(lambda event: event["value"]["request"] == 2, "the deployment")
        agent.say(*lines[1:])
        told = controller.wait(lambda event: event["event"].endswith("notify_error"), "the last line")
        tap.same("what the agent notifies", (told["value"]["msg"], told["value"]["node"]), ("signal 9", "manager"))
        tap.same("it ends well", agent.finish(), 0)


def others(tap, shown):
    """Those that wait for somebody; they begin and are stopped."""
    shown.places = {"127.0.0.1:2151": "127.0.0.1:0"}
    with Talker("zeek", *shown.take("agent", "--listen")) as agent:
        agent.err.find("listening on")
        tap.same("an agent that listens", agent.finish(), 0)
    with Controller(*shown.take("controller", "--state")[1:]) as controller:
        tap.same("a controller that keeps", controller.finish(), 0)


def commands(tap):
    if not OPENSSL:
        return
    shown = Shown()
    tap.check("the guide shows commands", len(shown.left) > 8, shown.left)
    deployed(tap, shown, ("agent", "--nodes", "--connect"))
    others(tap, shown)
    tap.same("all of them were run", shown.left, [])
    decoded = guide.commands(GUIDE, r"decode .*")
    tap.same("recordings", [leat(*words[:3], ROOT / words[3]).code for words in decoded], [0])


def program(tap):
    """It does what a controller tells it, plainly and inside TLS."""
    if not OPENSSL:
        return
    done = subprocess.run([PROGRAM], capture_output=True, check=False, timeout=PATIENCE)
    tap.check("usage", done.returncode == 2 and b"usage" in done.stderr, done)
    nobody = f"127.0.0.1:{free_port()}"
    process = subprocess.Popen([PROGRAM, "agent-1", nobody], stderr=subprocess.PIPE)
    tap.check("nobody is there", Lines(process.stderr).find(f"no peering with {nobody}"))
    process.kill()
    process.wait()
    configuration = temporary(block_with('"instances":[{"name":"agent-1"}]'))
    for options, words in ([], []), (["--no-tls"], ["no-tls"]):
        with Controller(*options) as controller:
            process = subprocess.Popen([PROGRAM, "agent-1", controller.agents, *words], stdout=subprocess.PIPE)
            try:
                out = Lines(process.stdout)
                controller.told("known")
                done = leat("zeek", "client", controller.clients, "deploy-config", configuration)
                tap.check(f"{words}: a deployment", done.code == 0, done.err)
                done = leat("zeek", "client", controller.clients, "get-id-value", "x")
                tap.same("a value that it does not have",
                         {result["error"] for result in done.events()[0]["value"]["results"]}, {"unknown id"})
                tap.same("what it prints", [line.split()[0].rpartition("::")[2] for line in out.count(3)],
                         ["agent_welcome_request", "deploy_request", "node_dispatch_request"])
            finally:
                process.kill()
                process.wait()


def main():
    tap = Tap()
    for function in (repeated, names, cited, functions, limits, words, all_events, fifty_lines, spelled, arguments,
                     program, commands):
        tap.run(function)
    return tap.end()


sys.exit(main())
