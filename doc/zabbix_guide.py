#!/usr/bin/env python3
"""Writes what the Zabbix guide repeats: what stands between marks in zabbix.md.

usage: zabbix_guide.py [FOLDER]

Tables of fields come from the one that the library is made of, those of events and options from the headers; code
comes from a program and from functions that the tests run. FOLDER is where the file goes; left out, it is updated in
place.
"""

import pathlib
import re
import sys

sys.dont_write_bytecode = True
from guide import code_of, fill, members, table  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
GUIDE = HERE / "zabbix.md"
PROGRAM = ROOT / "examples" / "zabbix_proxy_minimal.c"
SNIPPETS = [ROOT / "tests" / "zabbix" / name for name in ("test_guide.c", "test_guide_tls.c")]
HEADERS = ROOT / "include" / "leat"
sys.path.insert(0, str(ROOT / "lib" / "zabbix"))
import generate  # noqa: E402: it lies beside the table that it reads

# The tasks, as the published documentation calls them.
TASKS = {
    2: "remote command",
    3: "result of a remote command",
    6: "check now",
    7: "data",
    8: "result of data",
    9: "a proxy asks",
}
# What a row needs under conditions: section, field.
NEEDED = {
    ("history data", "id"): "by the proxy",
    ("history data", "clock"): "by the proxy, if left out",
    ("history data", "ns"): "by the proxy, if left out",
    ("auto registration", "ip"): "unless `flags` is 2",
}
# What the headers say elsewhere, or in two halves.
INSTEAD = {
    "ROW": "a row of a section or a table, under the name of the member that holds it",
    "sessions": "16: how many sessions of one proxy are remembered, those that were used last",
    "session_ms": "86 400 000: for how long, from when they were used last",
    "timeout_ms": "0: see [Time](#time)",
    "linger_ms": "1000: how long to wait for a peer that closes first",
}


def span(field):
    """The versions that know it."""
    since = "" if field["since"] <= 500 else f"{field['since'] // 100}.{field['since'] % 100}"
    until = "" if not field["until"] else f"{field['until'] // 100}.{field['until'] % 100}"
    if since and until:
        return f"{since} to {until}"
    return f"{since}+" if since else f"up to {until}" if until else ""


def whole_span(fields):
    """The versions that know any of them."""
    known = [f["until"] for f in fields]
    return span({"since": min(f["since"] for f in fields), "until": 0 if 0 in known else max(known)})


def sections(groups):
    lines = []
    for name, fields in groups["section"].items():
        versions = whole_span(fields)
        lines += [f"`{name}`{': ' + versions if versions else ''}", ""]
        lines += table(("field", "kind", "needed", "versions", "meaning"), [
            (f"`{f['field']}`", f["type"].replace("?", " or null"), needed(name, f),
             "" if span(f) == versions else span(f), f["notes"]) for f in fields]) + [""]
    return lines[:-1]


def needed(section, field):
    return NEEDED.get((section, field["field"]), "" if field["presence"] == "optional" else "yes")


def tasks(groups):
    rows = []
    for kind, way in (("server task", "to the proxy"), ("proxy task", "to the server")):
        for name, fields in groups[kind].items():
            number = int(name.removeprefix("task "))
            own = [f for f in fields if f["field"] not in ("type", "clock", "ttl")]
            rows.append((number, TASKS[number], way, whole_span(fields), ", ".join(
                f"`{f['field']}`" + (f" ({f['notes']})" if f["notes"] else "") for f in own)))
    return table(("type", "is", "goes", "versions", "has, beside `type`, `clock` and `ttl`"),
                 [(str(row[0]), *row[1:]) for row in sorted(rows)])


def tables(groups):
    rows = []
    for name, fields in groups["table"].items():
        versions = whole_span(fields)
        columns = {}
        for f in fields:  # a column that changed its default stands twice
            columns.setdefault(f["field"], []).append(f)
        rows.append((f"`{name}`", versions, ", ".join(
            f"`{column}`" + (f" ({whole_span(of)})" if whole_span(of) != versions else "")
            for column, of in columns.items())))
    return table(("table", "versions", "columns"), rows)


def events():
    """The kinds of event, with the comments that stand beside or above them."""
    rows = []
    for header in ("zabbix.h", "zabbix_proxy.h"):
        text = (HEADERS / header).read_text(encoding="utf-8")
        text = text[text.index("/* Kinds of events"):]
        text = text[:re.search(r"^(/\*\*|#define LEAT_ZABBIX_REFUSE_NEW)", text, re.M).start()]
        for block, line, name, beside in re.findall(
                r"^(?:(/\*\n(?: \*.*\n)+?) \*/\n|(?:/\* (.*) \*/\n))?#define LEAT_ZABBIX_(\w+) +\d+u *(?:/\* (.*) \*/)?$",
                text, re.M):
            words = " ".join(re.findall(r"^ \* (.*)$", block, re.M)) or beside or line
            rows.append((f"`{name}`", INSTEAD.get(name, words).rstrip(".")))
    return table(("LEAT_ZABBIX_", "event"), rows)


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    groups = generate.read_groups(ROOT / "lib" / "zabbix" / "fields.tsv")
    made = {
        "sections": sections(groups),
        "tasks": tasks(groups),
        "tables": tables(groups),
        "events": events(),
        "proxy options": members(HEADERS / "zabbix_proxy.h", "leat_zabbix_proxy_options", INSTEAD),
        "server options": members(HEADERS / "zabbix_server.h", "leat_zabbix_server_options", INSTEAD),
        "server member": members(HEADERS / "zabbix_server.h", "leat_zabbix_server_member", INSTEAD),
    }
    text = fill(GUIDE, made, code_of(GUIDE, PROGRAM, *SNIPPETS))
    (folder / GUIDE.name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
