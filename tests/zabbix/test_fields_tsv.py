#!/usr/bin/env python3
"""The fields that the library knows are those of the protocol's description, but for what is listed here."""

import os
import pathlib
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import Tap

LIBRARY, DESCRIPTION = map(pathlib.Path, sys.argv[1:])
TYPES = {"number": "number", "number u64": "number", "number or null": "number?",
         "number u64 or null": "number?", "string": "string", "string or null": "string?",
         "number or string": "string or number", "array of number u64": "numbers", "object": "object",
         "true": "true", "array": "array"}
KINDS = ["section", "server task", "proxy task", "table"]
PRESENCES = {"required": "demanded", "optional": "optional", "column": "sent", "conditional": "optional"}
# What the description calls them: the message, and the member that has the rows.
MESSAGES = {
    "proxy config request": "proxy config (active request)", "proxy config copy": "proxy config (active reply)",
    "proxy config update": "proxy config (configuration message, both modes)",
    "proxy config to passive": "proxy config (passive request)",
    "proxy config state": "proxy config (passive handshake answer)",
    "proxy config taken": "proxy config (passive response)",
    "proxy heartbeat": "proxy heartbeat", "response": "proxy heartbeat (response)",
    "request": "proxy data (passive request)", "proxy data": "proxy data", "proxy data from passive": "proxy data",
    "proxy data taken": "proxy data (response)", "proxy tasks": "proxy tasks (answer)",
    "proxy tasks taken": "proxy tasks (acknowledgement)", "active checks": "active checks",
    "active checks list": "active checks (response)", "agent data": "agent data",
    "values taken": "agent data / sender data (response)", "active check heartbeat": "active check heartbeat",
    "sender data": "sender data", "passive checks": "passive checks",
    "passive checks done": "passive checks (response)",
}
ROWS = {
    "proxy group": ("proxy config (configuration message, both modes)", "proxy_group"),
    "active check": ("active checks (response)", "data"), "regexp": ("active checks (response)", "regexp"),
    "command": ("active checks (response)", "commands"), "redirect": ("active checks (response)", "redirect"),
    "agent value": ("agent data", "data"), "command result": ("agent data", "commands"),
    "sender value": ("sender data", "data"), "passive check": ("passive checks", "data"),
    "passive check result": ("passive checks (response)", "data"),
}
# The library tells what an array or an object has.
HOLDS = {"tables": "object", "tasks": "array"}
# (name of a message or of rows, field): why it is described in another way, or not at all
OTHER_MEMBERS = {
    ("proxy config copy", "<table>"): "any name is a table",
    ("proxy config copy", "response"): "from 6.4 on it is proxy config update",
    ("proxy config copy", "info"): "the same",
    ("proxy config copy", "version"): "the same",
    ("proxy config update", "response"): "described with the active reply",
    ("proxy config update", "info"): "the same",
    ("proxy config update", "version"): "the same",
    ("response", "response"): "whatever is not proxy data is answered like a heartbeat, in all versions",
    ("response", "info"): "the same",
    ("proxy data", "request"): "described for both modes: of an active proxy it is there",
    ("proxy data", "host"): "the same",
    ("proxy data from passive", "request"): "active only",
    ("proxy data from passive", "host"): "active only",
    ("proxy data", "tasks"): "described as tasks",
    ("proxy data from passive", "tasks"): "described as tasks",
    ("active check", "timeout"): "agents of older versions get none",
}

# (kind, name, fields, what differs: described, in the library, why)
DIFFERENCES = [
    ("section", "interface availability", ["available", "error"], "presence", "demanded", "sent",
     "both are sent, but a reader can do with one of them"),
    ("section", "history data", ["id", "itemid", "clock", "ns"], "presence", "demanded", "sent",
     "what a row without them is worth is a matter of the version, and decided where rows are taken"),
    ("table", "interface", ["available"], "since", "6.0", "5.4", "it came with interface availability"),
    ("table", "item_parameter", ["item_parameterid", "itemid", "name", "value"], "since", "6.0", "5.4",
     "5.0 lacks that table"),
    ("table", "interface_snmp", ["max_repetitions"], "since", "7.0", "6.4", "described as of what was recorded"),
    ("table", "hosts_templates", ["link_type"], "since", "7.0", "6.4", "described as of what was recorded"),
    ("table", "hostmacro", ["automatic"], "since", "7.0", "6.4", "described as of what was recorded"),
    ("table", "config", ["configid", "snmptrap_logging", "hk_history_global", "hk_history", "autoreg_tls_accept",
                         "timeout_zabbix_agent", "timeout_simple_check", "timeout_snmp_agent",
                         "timeout_external_check", "timeout_db_monitor", "timeout_http_agent", "timeout_ssh_agent",
                         "timeout_telnet_agent", "timeout_script", "timeout_browser"], "until", "", "7.2",
     "7.4 has settings in the place of this table"),
]
# Tables that are described in words only: 7.4 was not recorded.
ONLY_IN_THE_LIBRARY = [("table", "settings")]
# Rows that stand for one of the description: their default is another one in newer versions.
SPLIT = [("table", "items", "timeout", "6.4", "7.0")]


def rows(path):
    lines = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    return [dict(zip(lines[0], line)) for line in lines[1:]]


def group_of(row):
    """The kind and name that a row of the description has in the library; None: it is no field of a row."""
    if row["message"] == "proxy data" and row["section"]:
        return "section", row["section"]
    if row["message"] == "task":
        kind = "server task" if row["direction"] == "server>proxy" else "proxy task"
        return kind, "task " + row["section"].split()[0]
    if row["message"] == "configuration table":
        return "table", row["section"]
    return None


def described():
    groups = {}
    for row in rows(DESCRIPTION):
        if group := group_of(row):
            # The oldest version that was recorded is 6.0, and tables tell no older one.
            since = "5.0" if group[0] == "table" and row["since"] == "6.0" else row["since"]
            groups.setdefault(group, []).append({
                "field": row["field"], "type": TYPES[row["json_type"]], "presence": PRESENCES[row["optional"]],
                "since": since, "until": row["until"]})
    return groups


def known():
    groups = {}
    for row in rows(LIBRARY):
        if row["kind"] not in KINDS:
            continue
        field = {name: row[name] for name in ("field", "type", "presence", "since", "until")}
        fields = groups.setdefault((row["kind"], row["name"]), [])
        if fields and (row["kind"], row["name"], row["field"], fields[-1]["until"], row["since"]) in SPLIT:
            fields[-1]["until"] = row["until"]
        else:
            fields.append(field)
    return groups


def differ(tap, groups):
    """Makes the description what the library is to be, by the list. What is listed must stand in it."""
    for kind, name, fields, what, before, after, _ in DIFFERENCES:
        before = "5.0" if (kind, what, before) == ("table", "since", "6.0") else before
        found = [field for field in groups[kind, name] if field["field"] in fields and field[what] == before]
        for field in found:
            field[what] = after
        tap.same(f"{kind} {name}: {what} was described as listed", [field["field"] for field in found], fields)


def members(tap):
    """Messages and the rows in them: the same members of the same types and versions, and as much is needed."""
    described_rows, got = {}, {}
    for row in rows(DESCRIPTION):
        field = row["field"], TYPES.get(row["json_type"]), row["optional"] == "required", row["since"], row["until"]
        described_rows.setdefault((row["message"], row["section"]), []).append(field)
    for row in rows(LIBRARY):
        if row["kind"] in ("message", "rows"):
            field = row["field"], HOLDS.get(row["type"], row["type"]), row["presence"] != "optional", row["since"], \
                row["until"]
            got.setdefault((row["kind"], row["name"]), []).append(field)
    tap.same("messages and rows in them", sorted(got),
             sorted([("message", name) for name in MESSAGES] + [("rows", name) for name in ROWS]))
    for (kind, name), fields in got.items():
        message, section = (MESSAGES[name], "") if kind == "message" else ROWS[name]
        left_out = {field for other, field in OTHER_MEMBERS if other == name}
        if not section:  # the arrays of a message are described by what is in them
            left_out |= {inside for known, inside in described_rows if known == message}
        same, expected = ("\n".join(sorted(str(field) for field in side if field[0] not in left_out))
                          for side in (fields, described_rows[message, section]))
        tap.same(f"{kind} {name}", same, expected)
    for name, field in OTHER_MEMBERS:
        place = ROWS[name] if name in ROWS else (MESSAGES[name], "")
        here = got.get(("rows" if name in ROWS else "message", name), [])
        there = described_rows[place]
        tap.check(f"{name}: {field} differs",
                  [row for row in here if row[0] == field] != [row for row in there if row[0] == field])


def main():
    tap = Tap()
    members(tap)
    expected, got = described(), known()
    differ(tap, expected)
    tap.same("rows of the same kinds", sorted(got), sorted([*expected, *ONLY_IN_THE_LIBRARY]))
    for (kind, name), fields in expected.items():
        tap.same(f"{kind} {name}", "\n".join(map(str, got.get((kind, name), []))), "\n".join(map(str, fields)))
    return tap.end()


sys.exit(main())
