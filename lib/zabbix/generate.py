#!/usr/bin/env python3
"""Turns the table beside it into C, and refuses one that contradicts itself.

usage: generate.py fields.tsv OUTPUT.c

fields.tsv: a row for each field, those of one name together and in the order of the wire.
  kind      section        the rows of a section of proxy data
            server task    a task of that type, as servers give it
            proxy task     as proxies send it
            table          a configuration table; its first field is the identifier
  name      of the section or table; "task N"
  type      number   an integer of 64 bits
            number?  or null
            string
  presence  demanded  readers refuse a row without it
            sent      senders always send it, readers can do without
            optional
  default   of a column that is not given, if it is not 0, "" or null
  refers    the table that has a row of this identifier
  since, until   the versions that know the field, both included; none: up to now
"""

import os
import re
import sys

COLUMNS = ["kind", "name", "field", "type", "presence", "default", "refers", "since", "until", "notes"]
KINDS = {"section": "sections", "server task": "server_tasks", "proxy task": "proxy_tasks", "table": "tables"}
TYPES = {"number": "NUMBER", "number?": "NUMBER_OR_NULL", "string": "STRING"}
# What fields.c notes as one number.
SET = 32
PRESENCES = ("demanded", "sent", "optional")


def fail(where, what):
    sys.exit(f"{where}: {what}")


def read_tsv(path):
    with open(path, encoding="utf-8") as file:
        lines = [line.rstrip("\n").split("\t") for line in file]
    if lines[0] != COLUMNS:
        fail(path, "the first line does not name the columns " + ", ".join(COLUMNS))
    for number, line in enumerate(lines[1:], 2):
        if len(line) != len(COLUMNS) or any(cell != cell.strip() for cell in line):
            fail(f"{path}:{number}", "not as many clean cells as there are columns")
        yield f"{path}:{number}", dict(zip(COLUMNS, line))


def version(where, text, none):
    if text and not re.fullmatch(r"\d+\.\d", text):
        fail(where, f"{text} is not a version")
    major, _, minor = text.partition(".")
    return int(major) * 100 + int(minor) if text else none


def read_field(where, row):
    field = {"where": where, "since": version(where, row["since"], 0), "until": version(where, row["until"], 0)}
    if row["kind"] not in KINDS or row["type"] not in TYPES or row["presence"] not in PRESENCES:
        fail(where, "a kind, a type or a presence that there is not")
    if field["until"] and field["until"] < field["since"]:
        fail(where, "gone before it came")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", row["field"]):
        fail(where, "a field is named in snake_case")
    if row["type"] != "string" and not re.fullmatch(r"(-?[1-9]\d*)?", row["default"]):
        fail(where, "the default is not a number")
    return row | field


def check_twice(fields):
    """A field may stand twice, if no version knows both."""
    for i, field in enumerate(fields):
        for other in fields[:i]:
            apart = (other["until"] and other["until"] < field["since"]) or (
                field["until"] and field["until"] < other["since"])
            if other["field"] == field["field"] and not apart:
                fail(field["where"], f"{field['field']} stands twice")


def read_groups(path):
    """By kind: by name: the fields."""
    groups = {kind: {} for kind in KINDS}
    last = None
    for where, row in read_tsv(path):
        group = groups[row["kind"]] if row["kind"] in groups else {}
        if row["name"] in group and last != (row["kind"], row["name"]):
            fail(where, "the fields of a name do not stand together")
        last = (row["kind"], row["name"])
        group.setdefault(row["name"], []).append(read_field(where, row))
    for kind, group in groups.items():
        for name, fields in group.items():
            check_twice(fields)
            if kind != "table" and len(fields) > SET:
                fail(fields[0]["where"], f"fields.c takes {SET} fields for a set")
            if kind.endswith("task") and not re.fullmatch(r"task \d+", name):
                fail(fields[0]["where"], f"{name} is not a task")
            for field in fields:
                if field["refers"] and (kind != "table" or field["refers"] not in groups["table"]):
                    fail(field["where"], f"{field['refers']} is not a table")
    return groups


class Texts:
    """All texts as one, each of them once."""

    def __init__(self):
        self.places = {"": 0}
        self.length = 1

    def place(self, text):
        if text not in self.places:
            self.places[text] = self.length
            self.length += len(text) + 1
        return self.places[text]

    def lines(self):
        yield "const char lt_zabbix_texts[] ="
        yield from (f'    "{text}\\0"' for text in self.places)
        yield "    ;"


def quoted(cell):
    if not re.fullmatch(r'[^"\\]*', cell):
        fail(cell, "a text that C would have to quote")
    return cell


def lines(groups, texts):
    tables = list(groups["table"])
    for kind, array in KINDS.items():
        for name, fields in groups[kind].items():
            yield f"static const struct lt_zabbix_field {array}_{re.sub('[^a-z0-9]', '_', name)}[] = {{"
            for f in fields:
                required = str(f["presence"] != "optional").lower()
                demanded = str(f["presence"] == "demanded").lower()
                refers = tables.index(f["refers"]) + 1 if f["refers"] else 0
                yield (f"    {{{texts.place(f['field'])}, {texts.place(quoted(f['default']))}, {f['since']}, "
                       f"{f['until']}, {len(f['field'])}, LT_ZABBIX_{TYPES[f['type']]}, {refers}, {required}, "
                       f"{demanded}}}, /* {f['field']} */")
            yield "};"
        yield f"const struct lt_zabbix_fields lt_zabbix_{array}[] = {{"
        for name, fields in groups[kind].items():
            yield f'    {{"{quoted(name)}", {array}_{re.sub("[^a-z0-9]", "_", name)}, {len(fields)}}},'
        yield "};"
        yield f"const size_t lt_zabbix_{array}_total = {len(groups[kind])};"
        yield ""


def main():
    source, target = sys.argv[1:]
    groups = read_groups(source)
    here = os.path.dirname(os.path.abspath(__file__))
    header = os.path.relpath(os.path.join(here, "fields.h"), os.path.dirname(os.path.abspath(target)))
    out = ["/* Made by generate.py from the table beside it. */", f'#include "{header}"', ""]
    texts = Texts()
    out += lines(groups, texts)
    with open(target, "w", encoding="utf-8") as file:
        file.write("\n".join(out + list(texts.lines()) + [""]))


if __name__ == "__main__":
    main()
