#!/usr/bin/env python3
"""Writes what the guide to Zeek's Management framework repeats: what stands between marks in zeek-management.md.

usage: zeek_guide.py [FOLDER]

The tables of all events come from the table that the library is made from, those of options from the headers; code
comes from a program and from functions that the tests run. FOLDER is where the file goes; left out, it is updated in
place.
"""

import pathlib
import re
import sys

sys.dont_write_bytecode = True
from guide import code_of, fail, fill, members, table  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
GUIDE = HERE / "zeek-management.md"
PROGRAM = ROOT / "examples" / "zeek_agent.c"
SNIPPETS = [ROOT / "tests" / "zeek" / name for name in ("test_guide.c", "test_guide_tls.c")]
HEADERS = ROOT / "include" / "leat"
TABLE = ROOT / "lib" / "zeek" / "management.tsv"

# Modules of events, and what their kinds begin with behind LEAT_ZEEK_.
MODULES = {
    "Management::Agent::API": "AGENT",
    "Management::Controller::API": "CONTROLLER",
    "Management::Node::API": "NODE",
    "Management::Supervisor::API": "SUPERVISOR",
    "SupervisorControl": "SUPERVISOR_CONTROL",
}

# What the headers say in two halves.
INSTEAD = {
    "auto_assign_broker_ports": "1: managers, loggers and proxies that have no port get one, from the next option on",
    "auto_assign_metrics_ports": "1: nodes that have no metrics port get one, from the next option on",
}


def read():
    """The lines of the table: those of events, records and enums, each with the lines of what it has."""
    found = {"event": [], "record": [], "enum": []}
    rows = [line.split("\t") for line in TABLE.read_text(encoding="utf-8").splitlines()]
    for row in (dict(zip(rows[0], row)) for row in rows[1:]):
        if row["what"]:
            found[row["what"]].append({**row, "has": []})
            last = found[row["what"]][-1]["has"]
        else:
            last.append(row)
    return found


FOUND = read()
LINKS = {row["name"]: "#" + re.sub(r"[^a-z]", "", row["name"].lower()) for row in FOUND["record"]} | {
    row["name"]: "#enums" for row in FOUND["enum"]}


def typed(text):
    """A type, its records and enums as links to what they are."""
    return re.sub(r"\w+::\w+", lambda name: f"[{name[0]}]({LINKS[name[0]]})", text)


def default(row):
    return {"": "", "optional": "may be missing"}.get(row["default"], f"`{row['default']}`")


def notes(*texts):
    return "; ".join(filter(None, texts))


def events(module):
    """The events of a module, a row for each argument, and where they are said if that is one topic."""
    rows, kinds = [], (HEADERS / "zeek_management.h").read_text(encoding="utf-8")
    found = [row for row in FOUND["event"] if row["name"].rpartition("::")[0] == module]
    topics = {row["topic"] for row in found}
    for row in found:
        name = row["name"].rpartition("::")[2]
        kind = f"LEAT_ZEEK_{MODULES[module]}_{name.upper()}"
        if not re.search(rf"^#define {kind} ", kinds, re.M):
            fail(TABLE.name, f"there is no {kind}")
        head = [f"`{name}`", row["from"]] + ([f"`{row['topic']}`"] if len(topics) > 1 else [])
        note = row["notes"]
        for part in row["has"] or [{"name": "", "type": "", "default": "", "notes": ""}]:
            data = ""
            if "Management::Result" in part["type"] and row["type"]:
                data = f"`data` is {typed(row['type'])}" + ", or missing" * (row["default"] == "optional")
            rows.append((*head, f"`{part['name']}`" if part["name"] else "none", typed(part["type"]), default(part),
                         notes(note, part["notes"], data)))
            head, note = [""] * len(head), ""
    where = [f"All on `{topics.pop()}`.", ""] if len(topics) == 1 else []
    return where + table(("event", "from") + ("topic",) * (not where) + ("argument", "type", "default", ""), rows)


def records():
    lines = []
    for row in FOUND["record"]:
        rows = [(f"`{field['name']}`", typed(field["type"]), default(field),
                 notes(f"since Zeek {field['since']}" if field["since"] else "", field["notes"]))
                for field in row["has"]]
        lines += [f"#### {row['name']}", ""] + [row["notes"][:1].upper() + row["notes"][1:] + ".", ""] * bool(
            row["notes"]) + table(("field", "type", "default", ""), rows) + [""]
    return lines[:-1]


def enums():
    return table(("type", "values"), [
        (row["name"], ", ".join(f"`{value['name']}`" for value in row["has"])) for row in FOUND["enum"]])


def functions():
    """What each header has, in its order."""
    rows = []
    for header in ("zeek_management.h", "zeek_agent.h", "zeek_controller.h"):
        calls = re.findall(r"^LEAT_API [^;(]*?\b(leat_\w+)\(", (HEADERS / header).read_text(encoding="utf-8"), re.M)
        rows.append((f"[{header}](../include/leat/{header})", ", ".join(f"`{call}()`" for call in calls)))
    return table(("header", "has"), rows)


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    made = {
        "agent options": members(HEADERS / "zeek_agent.h", "leat_zeek_agent_options"),
        "controller options": members(HEADERS / "zeek_controller.h", "leat_zeek_controller_options", INSTEAD),
        "flaw": members(HEADERS / "zeek_management.h", "leat_zeek_management_flaw", head=("member", "says")),
        "records": records(),
        "enums": enums(),
        "functions": functions(),
        **{f"events of {module}": events(module) for module in MODULES},
    }
    if {row["name"].rpartition("::")[0] for row in FOUND["event"]} != set(MODULES):
        fail(TABLE.name, f"does not have the modules {', '.join(MODULES)}")
    text = fill(GUIDE, made, code_of(GUIDE, PROGRAM, *SNIPPETS))
    (folder / GUIDE.name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
