#!/usr/bin/env python3
"""Turns the table beside it into C, and refuses a table that contradicts itself or the header.

usage: generate.py management.tsv OUTPUT.c

management.tsv: a row for each event, record and enum; below it, with nothing in the first column, one for each
argument, field or value, in the order of the wire. Events are in the order of their kinds.
  type     of an argument or field, as Zeek writes it: bool count int string addr port any, an enum, a record,
           vector of T, set of T, table[string] of T
           of an event: what its Results have as data, also "string or T"; none: it has no Results
  default  optional                 it may be not set
           F T "" {} [] ENUMERATOR  what it is if it is not set
           of an event: whether its data are optional
  since    the first Zeek that has it; none: all that have the framework
  from     of an event: who sends it
  topic    of an event: to where
"""

import os
import re
import sys

COLUMNS = ["what", "name", "type", "default", "since", "from", "topic", "notes"]
SCALARS = {"any": "NULL", "string": "TEXT", "bool": "BOOL", "count": "UINT", "int": "INT", "addr": "ADDRESS",
           "port": "PORT"}
CONTAINERS = {"vector of ": "LIST", "set of ": "SET", "table[string] of ": "TABLE"}
EMPTY = {"BOOL": "F", "TEXT": '""', "LIST": "[]", "SET": "{}", "TABLE": "{}"}  # defaults, by kind
RESULT = "Management::Result"
MODULES = {  # the constants of their events
    "Management::Agent::API": "AGENT",
    "Management::Controller::API": "CONTROLLER",
    "Management::Node::API": "NODE",
    "Management::Supervisor::API": "SUPERVISOR",
    "SupervisorControl": "SUPERVISOR_CONTROL",
}


def fail(where, what):
    sys.exit(f"{where}: {what}")


def read_table(path):
    """By what they are, in their order: lists of rows, each with its members."""
    with open(path, encoding="utf-8") as file:
        lines = [line.rstrip("\n").split("\t") for line in file]
    if lines[0] != COLUMNS:
        fail(path, "the first line does not name the columns " + ", ".join(COLUMNS))
    table = {"event": [], "record": [], "enum": []}
    last = None
    for number, line in enumerate(lines[1:], 2):
        where = f"{path}:{number}"
        if len(line) != len(COLUMNS) or any(cell != cell.strip() for cell in line):
            fail(where, "not as many clean cells as there are columns")
        row = {**dict(zip(COLUMNS, line)), "where": where, "members": []}
        if row["what"]:
            if row["what"] not in table:
                fail(where, f"{row['what']} is neither event nor record nor enum")
            last = row
            rows = table[row["what"]]
            rows.append(row)
        elif last is None:
            fail(where, "it belongs to nothing")
        else:
            rows = last["members"]
            rows.append(row)
        if row["name"] in [other["name"] for other in rows[:-1]]:
            fail(where, f"{row['name']} stands twice")
    return table


class Types:
    """All types that occur, by their numbers."""

    def __init__(self, table):
        self.records = [row["name"] for row in table["record"]]
        self.enums = {row["name"]: [value["name"] for value in row["members"]] for row in table["enum"]}
        self.rows = []  # name, kind, of
        for name in ("any", "string"):  # as management_table.h numbers them
            self.number(name, "types")

    def number(self, name, where):
        names = [row[0] for row in self.rows]
        if name in names:
            return names.index(name)
        self.rows.append([name, None, 0])
        at = len(self.rows) - 1
        self.rows[at] = [name, *self.describe(name, where)]
        return at

    def describe(self, name, where):
        if name in SCALARS:
            return SCALARS[name], 0
        if name in self.records:
            return "RECORD", self.records.index(name)
        if name in self.enums:
            return "ENUM", list(self.enums).index(name)
        for prefix, kind in {**CONTAINERS, "string or ": "TEXT"}.items():
            if name.startswith(prefix):
                return kind, self.number(name[len(prefix):], where)
        return fail(where, f"{name} is not a type")

    def presence(self, row):
        """Whether what has that type may be missing, and what it is then."""
        name, kind, _ = self.rows[self.number(row["type"], row["where"])]
        if row["default"] in ("", "optional"):
            return "OPTIONAL" if row["default"] else "MANDATORY"
        if kind == "BOOL" and row["default"] == "T":
            return "TRUE"
        if row["default"] != (self.enums[name][0] if kind == "ENUM" else EMPTY.get(kind)):
            fail(row["where"], f"{row['default']} is no default that such a type can have")
        return "EMPTY"


def check(table):
    """What the code takes for granted."""
    for record in table["record"]:
        later = [bool(field["since"]) for field in record["members"]]
        if later != sorted(later) or any(f["since"] and f["default"] != "optional" for f in record["members"]):
            fail(record["where"], "only optional fields at the end can be missing in an older Zeek")
    for event in table["event"]:
        results = [arg for arg in event["members"] if arg["type"].endswith(RESULT)]
        if bool(results) != bool(event["type"]):
            fail(event["where"], "the type of the data is for events with Results")
        if any(arg["default"] == "optional" or arg["since"] for arg in event["members"]):
            fail(event["where"], "an argument is always there")
    for row in table["event"] + table["record"]:
        for member in row["members"]:
            if member["type"].endswith("any") and (row["name"], member["type"]) != (RESULT, "any"):
                fail(member["where"], "what is of any type is the data of a Result")
    check_nesting(table)


def check_nesting(table):
    """The code calls itself for what is inside: no record is in itself, by way of data neither."""
    records = {record["name"]: record["members"] for record in table["record"]}

    def visit(name, around, where):
        name = re.sub(r"^((vector|set|table\[string\]) of |string or )+", "", name)
        if name in around:
            fail(where, f"{name} is in itself")
        for field in records.get(name, []):
            visit(field["type"], around | {name}, field["where"])

    for event in table["event"]:
        visit(event["type"], {RESULT}, event["where"])
        for arg in event["members"]:
            visit(arg["type"], set(), arg["where"])


class Names:
    """One array of characters; a name that ends another shares its octets."""

    def __init__(self, names):
        self.pool = ""
        for name in sorted(set(names), key=lambda n: (-len(n), n)):
            if name + "\0" not in self.pool:
                self.pool += name + "\0"
        if len(self.pool) > 0xFFFF:
            fail("names", "too many for their places")

    def at(self, name):
        return self.pool.index(name + "\0")

    def lines(self):
        """A string constant of this size may be more than C promises, so characters."""
        for name in self.pool.split("\0")[:-1]:
            yield "    " + "".join(f"'{c}', " for c in name) + "0,"


def place(sequences):
    """One list that all sequences are part of, and where each begins."""
    whole = []
    for own in sorted(sequences, key=len, reverse=True):
        if not any(whole[i:i + len(own)] == own for i in range(len(whole) + 1)):
            whole += own
    starts = [next(i for i in range(len(whole) + 1) if whole[i:i + len(own)] == own) for own in sequences]
    if len(whole) > 256 or max(starts) > 255:
        fail("fields", "too many for their places")
    return whole, starts


def constant(event):
    module, name = event["name"].rsplit("::", 1)
    if module not in MODULES:
        fail(event["where"], f"{module} has no constants")
    return f"LEAT_ZEEK_{MODULES[module]}_{name.upper()}"


def main():
    table = read_table(sys.argv[1])
    check(table)
    types = Types(table)
    for row in table["event"] + table["record"]:
        for member in row["members"]:
            member["fields"] = (member["name"], member["since"], types.number(member["type"], member["where"]),
                                types.presence(member))
    for event in table["event"]:
        event["data"] = types.number(event["type"] or "any", event["where"])
        event["presence"] = types.presence({**event, "type": event["type"] or "any"})
    owners = table["event"] + table["record"]
    fields, starts = place([[member["fields"] for member in row["members"]] for row in owners])
    for row, start in zip(owners, starts):
        row["span"] = f"{{{start}, {len(row['members'])}}}"
    values = []
    for enum in table["enum"]:
        enum["span"] = f"{{{len(values)}, {len(enum['members'])}}}"
        values += [value["name"] for value in enum["members"]]
    names = Names([row["name"] for row in owners + table["enum"]] + [row[0] for row in types.rows] +
                  [text for field in fields for text in field[:2] if text] + values +
                  [event[column] for event in table["event"] for column in ("from", "topic")])

    here = os.path.dirname(os.path.abspath(__file__))
    header = os.path.relpath(os.path.join(here, "management_table.h"), os.path.dirname(os.path.abspath(sys.argv[2])))
    out = ["/* Made by generate.py from management.tsv. */", f'#include "{header}"', ""]
    out += ["const char lt_zeek_names[] = {", *names.lines(), "};"]
    out += ["", "const struct lt_zeek_type lt_zeek_types[] = {"]
    out += [f"    {{{names.at(name)}, LEAT_{kind}, {of}}}, /* {name} */" for name, kind, of in types.rows] + ["};"]
    out += ["", "const struct lt_zeek_field lt_zeek_fields[] = {"]
    out += [f"    {{{names.at(name)}, {names.at(since) if since else 0}, {kind}, LT_ZEEK_{presence}}}, /* {name} */"
            for name, since, kind, presence in fields] + ["};"]
    out += ["", "const struct lt_zeek_event lt_zeek_events[] = {"]
    out += [f"    {{{names.at(e['name'])}, {names.at(e['from'])}, {names.at(e['topic'])}, {e['span']}, {e['data']}, "
            f"LT_ZEEK_{e['presence']}}}, /* {e['name']} */" for e in table["event"]] + ["};"]
    out += [f"const uint32_t lt_zeek_event_total = {len(table['event'])};"]
    out += [f'_Static_assert({constant(event)} == {kind}u, "another kind than in the header");'
            for kind, event in enumerate(table["event"], 1)]
    for what in ("record", "enum"):
        out += ["", f"const struct lt_zeek_group lt_zeek_{what}s[] = {{"]
        out += [f"    {{{names.at(row['name'])}, {row['span']}}}, /* {row['name']} */" for row in table[what]] + ["};"]
        out += [f"const uint32_t lt_zeek_{what}_total = {len(table[what])};"]
    out += ["", "const uint16_t lt_zeek_enum_values[] = {"]
    out += [f"    {names.at(value)}, /* {value} */" for value in values] + ["};"]
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
