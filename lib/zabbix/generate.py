#!/usr/bin/env python3
"""Turns the table beside it into C, and refuses one that contradicts itself.

usage: generate.py fields.tsv OUTPUT.c

fields.tsv: a row for each field, those of one name together and in the order of the wire.
  kind      section        the rows of a section of proxy data
            server task    a task of that type, as servers give it
            proxy task     as proxies send it
            table          a configuration table; its first field is the identifier
            message        its members at the top; "enum lt_zabbix_says" of fields.h has its name
            rows           what a message has in a member of another name: objects, one or many
  name      of the section or table; "task N"
  type      number   an integer of 64 bits
            number?  or null
            string
            string?  or null
            string or number
            numbers  a list of them
            true     and nothing else
            object   of any members or, with refers, of those rows'
            rows     a list of such objects
            section  the rows of the section of that name
            tasks    of whoever speaks
            tables   an object of configuration tables
  presence  demanded  readers refuse a row without it
            sent      senders always send it, readers can do without
            optional
  default   of a column that is not given, if it is not 0, "" or null
  refers    the table that has a row of this identifier; of a message, the rows
  since, until   the versions that know the field, both included; none: up to now
"""

import os
import re
import sys

COLUMNS = ["kind", "name", "field", "type", "presence", "default", "refers", "since", "until", "notes"]
KINDS = {"section": "sections", "server task": "server_tasks", "proxy task": "proxy_tasks", "table": "tables"}
# Those that nobody asks for by name.
FLAT = {"rows": "rows", "message": "messages"}
TYPES = {
    "number": "NUMBER", "number?": "NUMBER_OR_NULL", "string": "STRING", "string?": "STRING_OR_NULL",
    "string or number": "STRING_OR_NUMBER", "numbers": "NUMBERS", "true": "TRUE", "object": "OBJECT",
    "rows": "RECORDS", "section": "SECTION", "tasks": "TASK_LIST", "tables": "TABLE_SET"}
# What fields.c notes as one number.
SET = 32
PRESENCES = ("optional", "sent", "demanded")
# What fields.c and check.c note of the columns of a table.
COLUMNS_MOST = 128


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
    if text and int(major) > 25:
        fail(where, f"{text} does not fit into 8 bits")
    return int(major) * 100 + int(minor) if text else none


def read_field(where, row):
    field = {"where": where, "since": version(where, row["since"], 0), "until": version(where, row["until"], 0)}
    if row["kind"] not in KINDS | FLAT or row["type"] not in TYPES or row["presence"] not in PRESENCES:
        fail(where, "a kind, a type or a presence that there is not")
    if field["until"] and field["until"] < field["since"]:
        fail(where, "gone before it came")
    if not re.fullmatch(r"[a-z][a-z0-9_. ]*" if row["kind"] == "message" else r"[a-z][a-z0-9_]*", row["field"]):
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


def check_reference(groups, kind, field):
    targets = {"table": "table", "message": "rows"}
    if field["refers"] and (kind not in targets or field["refers"] not in groups[targets[kind]]):
        fail(field["where"], f"{field['refers']} is not there")
    if field["type"] == "rows" and not field["refers"]:
        fail(field["where"], "rows of which nothing is said")
    if field["type"] == "section" and field["field"] not in groups["section"]:
        fail(field["where"], f"{field['field']} is not a section")


def read_groups(path):
    """By kind: by name: the fields."""
    groups = {kind: {} for kind in KINDS | FLAT}
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
            if len(fields) > COLUMNS_MOST:
                fail(fields[0]["where"], f"check.c takes {COLUMNS_MOST} columns")
            for field in fields:
                check_reference(groups, kind, field)
    return groups


def by_length(texts):
    return sorted(texts, key=lambda text: (-len(text), text))


class Texts:
    """All texts as one, each of them once; what others end in, within those. Defaults come first."""

    def __init__(self, groups):
        self.all = []
        self.places = {}
        length = 0
        fields = [f for group in groups.values() for fields in group.values() for f in fields]
        defaults = {f["default"] for f in fields}
        texts = {f["field"] for f in fields} | {name for kind in KINDS for name in groups[kind]}
        for text in by_length(defaults) + by_length(texts - defaults):
            whole = next((other for other in self.all if other.endswith(text)), None)
            if whole is None:
                self.all.append(text)
                self.places[text] = length
                length += len(text) + 1
            else:
                self.places[text] = self.places[whole] + len(whole) - len(text)
        if max(self.places[text] for text in defaults) > 0xFF:
            fail("defaults", "too long for the tables")

    def place(self, text):
        return self.places[text]

    def lines(self):
        yield "const char lt_zabbix_texts[] ="
        yield from (f'    "{text}\\0"' for text in self.all)
        yield "    ;"


def quoted(cell):
    if not re.fullmatch(r'[^"\\]*', cell):
        fail(cell, "a text that C would have to quote")
    return cell


def field_line(f, texts, targets):
    refers = targets.index(f["refers"]) + 1 if f["refers"] else 0
    since, until = (f[column] // 100 * 10 + f[column] % 100 for column in ("since", "until"))
    return (f"    {{{texts.place(f['field'])}, {texts.place(quoted(f['default']))}, {since}, {until}, "
            f"{len(f['field'])}, LT_ZABBIX_{TYPES[f['type']]}, LT_ZABBIX_{f['presence'].upper()}, {refers}}}, "
            f"/* {f['field']} */")


def lines(groups, texts):
    """All fields one behind the other; then, by kind and name, where those of each name stand among them."""
    sets = {}
    total = 0
    yield "const struct lt_zabbix_field lt_zabbix_all_fields[] = {"
    for kind in KINDS | FLAT:
        targets = list(groups["rows" if kind in FLAT else "table"])
        for name, fields in groups[kind].items():
            yield from (field_line(f, texts, targets) for f in fields)
            at = texts.place("" if kind in FLAT else quoted(name))
            sets.setdefault(kind, []).append(f"    {{{at}, {total}, {len(fields)}}}, /* {name} */")
            total += len(fields)
    yield "};"
    for kind, array in (KINDS | FLAT).items():
        yield f"const struct lt_zabbix_fields lt_zabbix_{array}[] = {{"
        yield from sets[kind]
        yield "};"
        yield f"const size_t lt_zabbix_{array}_total = {len(groups[kind])};" if kind in KINDS else ""
    says = [f"LT_ZABBIX_SAYS_{re.sub('[^A-Z0-9]', '_', name.upper())}" for name in groups["message"]]
    for i, name in enumerate(says + ["LT_ZABBIX_SAYS_TOTAL"]):
        yield f'_Static_assert({name} == {i}, "the order of the messages");'


def main():
    source, target = sys.argv[1:]
    groups = read_groups(source)
    here = os.path.dirname(os.path.abspath(__file__))
    header = os.path.relpath(os.path.join(here, "fields.h"), os.path.dirname(os.path.abspath(target)))
    out = ["/* Made by generate.py from the table beside it. */", f'#include "{header}"', ""]
    texts = Texts(groups)
    out += lines(groups, texts)
    with open(target, "w", encoding="utf-8") as file:
        file.write("\n".join(out + list(texts.lines()) + [""]))


if __name__ == "__main__":
    main()
