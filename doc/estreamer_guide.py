#!/usr/bin/env python3
"""Writes what the eStreamer guide repeats: estreamer-records.md, and what stands between marks in estreamer.md.

usage: estreamer_guide.py [FOLDER]

Tables come from those that the library is made of, from its header, and from the lists of named values beside the
protocol; code comes from a program and from functions that the tests run. FOLDER is where the two files go; left
out, they are updated in place.
"""

import pathlib
import re
import sys
import textwrap

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
TABLES = ROOT / "lib" / "estreamer"
GUIDE = HERE / "estreamer.md"
PROGRAM = ROOT / "examples" / "estreamer_client.c"
SNIPPETS = ROOT / "tests" / "estreamer" / "test_guide.c"
sys.path.insert(0, str(TABLES))
sys.dont_write_bytecode = True
import generate  # noqa: E402: it lies beside the tables that it reads
from guide import code_of, fill, table  # noqa: E402

ENUM_COLUMNS = ["enum", "value", "meaning", "source"]
# The categories of records, as one meets them: title, and the request flag that asks for them, too.
CATEGORIES = {
    "intrusion": ("Intrusion events", "INTRUSION"),
    "packet": ("Packets of intrusion events", "PACKETS"),
    "extra_data": ("Extra data of intrusion events", "EXTRA_DATA"),
    "impact": ("Impact alerts", "IMPACT_ALERTS"),
    "connection": ("Connections", ""),
    "file": ("Files", ""),
    "malware": ("Malware", ""),
    "correlation": ("Correlation", ""),
    "discovery": ("Hosts", ""),
    "user": ("Users", ""),
    "metadata": ("Metadata", "METADATA"),
}
HOST_DATA = ("s1/34", "s1/47", "s1/92", "s1/111", "s1/135", "s1/140", "s1/149")
DISCOVERY_HEADER = ("discovery_header", "discovery_header_ipv6")
# Lists of named values: title, what it is of, and the fields whose values they are. CONTAINER:FIELD is one
# layout's, FIELD every integer of that name.
NAMED_VALUES = (
    ("Impact flags", ("impact_flag",), ("impact_flags",)),
    ("Impact", ("impact_level",), ("impact",)),
    ("Blocked", ("blocked",), ("blocked",)),
    ("Why blocked", ("blocked_reason",), ("blocked_reason_id",)),
    ("Reasons of an access control rule", ("rule_reason_bit",), ("rule_reason",)),
    ("Dispositions of a file", ("file_disposition",),
     ("disposition", "retrospective_disposition", "retro_disposition")),
    ("Actions on a file", ("file_action",), ("action",)),
    ("Directions of a file", ("file_direction",), ("direction",)),
    ("Archives", ("archive_file_status",), ("archive_file_status",)),
    ("TLS actions", ("ssl_action",), ("ssl_actual_action", "ssl_expected_action")),
    ("TLS server certificates", ("ssl_certificate_status_bit",), ("ssl_server_certificate_status",)),
    ("What correlation events stand for", ("correlation_event_type",),
     tuple(f"s1/{n}:event_type" for n in (52, 70, 84, 107, 116, 128, 156))),
    ("What a correlation event tells", ("event_defined_mask",), ("event_defined_mask",)),
    ("Types of discovery", ("discovery_event_type",),
     tuple(f"struct/{name}:event_type" for name in DISCOVERY_HEADER)),
    ("Subtypes of discovery", ("discovery_event_subtype:1000", "discovery_event_subtype:1001",
                               "discovery_event_subtype:1002", "discovery_event_subtype:1003",
                               "discovery_event_subtype:1004", "discovery_event_subtype:1008"),
     tuple(f"struct/{name}:event_subtype" for name in DISCOVERY_HEADER)),
    ("Types of host", ("host_type",), ("host_type", "source_host_type", "destination_host_type")),
    ("Criticality of a host", ("criticality",), ("criticality", "source_criticality", "destination_criticality")),
    ("Who says so", ("source_type",), ("source_type",)),
    ("How users are known", ("user_auth_type",), ("auth_type",)),
    ("VPNs", ("vpn_type",), ("vpn_type",)),
    ("Types of extra data", ("extra_data_type",), ("s2/4:type", "s2/5:type")),
    ("Request flags", ("request_flag_bit",), ("struct/event_stream_request:request_flags",)),
    ("Host data to ask for", ("host_request_data_type",), ("data_type",)),
    ("Parts of host data", ("host_request_flag",), ("struct/host_request:flags", "struct/host_request_v6:flags")),
)
# What the lists have beside those: the framing's.
OTHER_VALUES = ("message_type", "service_type")

INTRODUCTION = """\
# eStreamer records

Every record type and every layout that leat knows, with all fields; the guide is [estreamer.md](estreamer.md).
This file is made by `doc/estreamer_guide.py` from `lib/estreamer/*.tsv`, of which the library is made, too.

An `event_data` tells its `record_type` and the `record`. What the record holds depends on its type:

- a *structure* has one layout, `record/N` or `struct/metadata_id_name`;
- a *block* begins with its type, and the type decides the layout: `s1/N` is block type N of series 1, `s2/N` of
  series 2. Newer products send newer blocks in the same record. The field `block_type` has N;
- *opaque* records are bytes, because their layout was never published;
- with the *discovery header*, the field `discovery_header` comes first: see [its layout](#struct-discovery_header).

A program reads fields by their names, which are the same in every version that has them, and seldom needs to know which
layout it got. `leat_estreamer_record_*()` and `leat_estreamer_layout_*()` tell the same as these tables.

Layouts list their fields in the order of the wire. *Wire* is how a field stands there; *value* is the kind of what
`leat_value_get()` gives, without its `LEAT_`:

| wire | value | |
|---|---|---|
"""
WIRES = (
    ("u8 u16 u32 u64", "UINT", "big endian"),
    ("i32", "INT", "big endian, two's complement"),
    ("ipv4, ip16", "ADDRESS", "4 or 16 octets; in 16, IPv4 is `::ffff:a.b.c.d`, and all zeros are no address"),
    ("ipv4-reversed", "ADDRESS", "4 octets, the last one first"),
    ("uuid", "UUID", "16 octets; all zeros are none"),
    ("mac", "MAC", "6 octets"),
    ("bytes[N]", "BYTES", "N octets"),
    ("utf8[F], bytes[F]", "TEXT, BYTES", "as many octets as the field F says"),
    ("utf8[rest], bytes[rest]", "TEXT, BYTES", "what is left"),
    ("string-block", "TEXT", "a block that holds text"),
    ("blob-block", "BYTES", "a block that holds octets"),
    ("list, generic-list", "LIST", "of blocks; *of s1/N* names the type that is usual there"),
    ("block", "RECORD", "one block inside"),
    ("blocks[rest]", "LIST", "blocks, to the end"),
)


def anchor(text):
    return re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-")


def link(container, file=""):
    return f"[{container}]({file}#{anchor(container)})"


def heading(level, title, name):
    return ["", f'<a id="{anchor(name)}"></a>', "", f"{'#' * level} {title}", ""]


def paragraph(text):
    return textwrap.wrap(text, width=120, break_long_words=False, break_on_hyphens=False)


def and_list(items):
    items = list(items)
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


class Reference:
    def __init__(self):
        tables = [TABLES / (name + ".tsv") for name in ("layouts", "records", "event_types")]
        self.layouts, self.rows, self.records, self.event_types = generate.read_tables(*tables)
        forms = generate.read_metadata(TABLES / "metadata.tsv", self.layouts, self.records)
        self.ids = generate.read_ids(TABLES / "ids.tsv", self.layouts, self.records, forms)
        self.order = generate.in_order(self.layouts)
        self.sets = generate.event_sets(self.event_types)
        self.header = (ROOT / "include" / "leat" / "estreamer.h").read_text(encoding="utf-8")
        self.flags = {int(bit): name for name, bit in re.findall(
            r"#define LEAT_ESTREAMER_(FLAG_\w+) +\(UINT32_C\(1\) << (\d+)\)", self.header)}
        self.codes = {int(code): name for name, code in re.findall(
            r"#define LEAT_ESTREAMER_(CODE_\w+) +(\d+)u", self.header)}
        self.read_named_values(HERE / "protocols" / "estreamer-enums.tsv")
        self.check()

    def read_named_values(self, path):
        self.values = {}
        for _, row in generate.read_tsv(path, ENUM_COLUMNS):
            self.values.setdefault(row["enum"], []).append((row["value"], row["meaning"]))
        self.title_of = {}
        for title, _, fields in NAMED_VALUES:
            for field in fields:
                self.title_of[field] = title

    def check(self):
        codes = {row["code"] for row in self.event_types}
        if codes != set(self.codes):
            generate.fail("estreamer.h", "other codes than in event_types.tsv")
        shown = {enum for _, enums, _ in NAMED_VALUES for enum in enums} | set(OTHER_VALUES)
        if shown != set(self.values):
            generate.fail("estreamer-enums.tsv", f"unknown or missing: {sorted(shown ^ set(self.values))}")
        integers = {name for c in self.order for kind, value, name, *_ in self.rows[c] if value == "UINT"}
        integers |= {f"{c}:{name}" for c in self.order for kind, value, name, *_ in self.rows[c] if value == "UINT"}
        for field in self.title_of:
            if field not in integers:
                generate.fail("named values", f"no integer is called {field}")
        for record in self.records:
            if record["category"] not in CATEGORIES:
                generate.fail("records.tsv", f"no title for {record['category']}")
        if not set(HOST_DATA) <= set(self.order):
            generate.fail("layouts.tsv", "a layout of host data is missing")

    def code_of_category(self, category):
        return next((row["code"] for row in self.event_types if row["category"] == category), 0)

    def in_use(self, records):
        return [r for r in records if not r["notes"].startswith("deprecated") and r["versions"] != "deprecated"]

    # The file of records.

    def records_text(self):
        out = INTRODUCTION.splitlines()
        out += [f"| {' | '.join(row)} |" for row in WIRES]
        out += ["", "Contents: [records](#records) by what they tell, [layouts](#layouts), [names](#names) for ids, "
                "[named values](#named-values)."]
        out += heading(2, "Records", "records")
        out += paragraph(
            "*Holds* lists the layouts, the one first that is written unless `block_type` says otherwise. *Header*: yes if "
            "the discovery header comes first. *Versions* are those of the product.")
        for category, (title, flag) in CATEGORIES.items():
            out += self.category(category, title, flag)
        out += heading(2, "Layouts", "layouts")
        out += paragraph(
            "Beside its fields a record may have `block_type`, `extra` (bytes behind the last field that is known), "
            "`truncated` (true: the fields that are absent were not there), `legacy` (true: the older form) and "
            "`trailing` (bytes behind the block).")
        users = self.users()
        for container in self.order:
            out += self.layout(container, users[container])
        out += heading(2, "Names", "names")
        out += paragraph(
            "The fields whose values metadata records name, and by what fields of the same event the name is found. This is "
            "what `leat_estreamer_metadata_names()` does; of several rows for a field, the first that has a name counts.")
        out += [""] + self.names()
        out += heading(2, "Named values", "named values")
        out += ["What numbers mean that the server's metadata does not name, and some that it names, too."]
        for title, enums, fields in NAMED_VALUES:
            out += self.named_values(title, enums, fields)
        return "\n".join(out) + "\n"

    def category(self, category, title, flag):
        code = self.code_of_category(category)
        asked = [f"code {code} of an extended request"] if code else []
        asked += [f"the request flag `{flag}`"] if flag else []
        out = heading(3, title, category)
        out += [f"Category `{category}`. Asked for by {' or '.join(asked)}.", ""]
        rows = []
        for record in self.records:
            if record["category"] != category:
                continue
            notes = [record["notes"]] if record["notes"] else []
            own = generate.code_of(record, self.event_types)
            if own != code:
                notes.append(f"asked for by code {own}")
            holds = {"none": "nothing", "data": "opaque"}.get(record["payload"]) or \
                " ".join(map(link, record["layouts"])) or f"any block of series {record['payload'][1]}"
            if record["legacy"] and record["legacy"] not in record["layouts"]:
                holds += f"; before: {link(record['legacy'])}"
            rows.append((str(record["type"]), record["name"], "yes" if record["discovery"] else "", holds,
                         record["versions"], "; ".join(notes)))
        return out + table(("type", "name", "header", "holds", "versions", "notes"), rows)

    def users(self):
        """Where each layout comes: in which records, messages and other layouts."""
        users = {container: [] for container in self.order}

        def add(container, user):
            if user not in users[container]:
                users[container].append(user)

        for record in self.records:
            for container in record["layouts"] + ([record["legacy"]] if record["legacy"] else []):
                add(container, str(record["type"]))
            if record["discovery"]:
                for name in DISCOVERY_HEADER:
                    users[f"struct/{name}"] = ["every record with the discovery header"]
        for container in HOST_DATA:
            add(container, "single_host_data")
            add(container, "multiple_host_data")
        for container in self.order:
            for (kind, _, _, _, argument), notes in zip(self.rows[container], self.layouts[container]["notes"]):
                if kind in ("LIST", "GENERIC_LIST", "BLOCK"):
                    others = re.findall(r"\b[12]/\d+", notes)
                    expected = [] if argument == generate.AUTO else [f"{container[1]}/{argument}"]
                    for block in expected + others:
                        add("s" + block, link(container))
        return users

    def layout(self, container, users):
        layout = self.layouts[container]
        title = container if container.startswith("struct/") else f"{container} {layout['name']}"
        out = heading(3, title, container)
        facts = [] if layout["versions"] == "all" else [f"Versions {layout['versions']}."]
        records = [user for user in users if user.isdigit()]
        others = [user for user in users if not user.isdigit()]
        inside = [f"record{'s'[:len(records) > 1]} {', '.join(records)}"] if records else []
        inside += [", ".join(others)] if others else []
        facts += [f"In {'; '.join(inside)}."] if users else []
        out += paragraph(" ".join(facts)) + [""] if facts else []
        rows = []
        for (kind, value, name, wire, argument), notes in zip(self.rows[container], layout["notes"]):
            if kind in ("LIST", "GENERIC_LIST", "BLOCK") and argument != generate.AUTO:
                value += f" of {link(f'{container[:2]}/{argument}')}"
            title = self.title_of.get(f"{container}:{name}") or self.title_of.get(name)
            if title and value == "UINT":
                notes = "; ".join(filter(None, (notes, f"see [{title}](#{anchor('values ' + title)})")))
            rows.append((name, wire.partition("<")[0], value, notes))
        return out + table(("field", "wire", "value", "notes"), rows)

    def names(self):
        record_names = {r["type"]: r["name"] for r in self.records}
        rows = []
        for field, uses in self.ids.items():
            for use in uses:
                notes = [f"if `{use['when'][0]}` is {use['when'][1]}"] if use["when"] else []
                notes += [use["notes"]] if use["notes"] else []
                every = len(use["categories"]) == len(CATEGORIES) - 1  # all but metadata
                rows.append((field, f"{record_names[use['type']]} ({use['type']})", ", ".join(use["id"]),
                             "" if every else ", ".join(use["categories"]), "; ".join(notes)))
        return table(("field", "named by", "found by", "only in", "notes"), rows)

    def named_values(self, title, enums, fields):
        out = heading(3, title, "values " + title)
        together = "; any of them together" if enums[0].endswith(("_flag", "_bit", "_mask")) else ""
        places, _, names = zip(*(field.rpartition(":") for field in fields))
        of = and_list(f"`{name}`" for name in dict.fromkeys(names))
        where = f" in {', '.join(map(link, places))}" if all(places) else ""
        out += paragraph(f"Of {of}{where}{together}.") + [""]
        if len(enums) == 1:
            head = "bit" if enums[0] == "request_flag_bit" else "value"  # the others are masks already
            return out + table((head, "meaning"), self.values[enums[0]])
        return out + table(("event_type", "value", "meaning"),
                           [(enum.partition(":")[2], *row) for enum in enums for row in self.values[enum]])

    # What stands between marks in the guide.

    def guide_tables(self):
        return {"codes": self.code_table(), "versions": self.version_table(), "flags": self.flag_table(),
                "kinds": self.kind_table()}

    def code_table(self):
        releases = list(self.sets)
        rows = []
        for code, name in sorted(self.codes.items()):
            category = next(row["category"] for row in self.event_types if row["code"] == code)
            gives = self.in_use(r for r in self.records if generate.code_of(r, self.event_types) == code)
            what = CATEGORIES[category][0].lower()
            text = f"[{what}](estreamer-records.md#{category})"
            text += f": {len(gives)} record types" if len(gives) > 10 else \
                ": " + ", ".join(f"{r['name']} ({r['type']})" for r in gives)
            rows.append((str(code), f"`{name}`", text,
                         *(str(self.sets[release][code]) for release in releases)))
        return table(("code", "LEAT_ESTREAMER_", "gives", *releases), rows)

    def kind_table(self):
        """The kinds of event, and what they tell, as the header lists them."""
        listed = re.search(r"/\*\n \* Kinds of event,.*?\*/", self.header, re.S)[0]
        fields = dict(re.findall(r"^ \* ([A-Z_]+) {2,}(.+(?:\n \* {10,}.+)*)", listed, re.M))
        kinds = re.findall(r"^#define LEAT_ESTREAMER_(\w+) +(\d+)u$", self.header[self.header.index(listed):], re.M)
        if [name for name, _ in kinds[:len(fields)]] != list(fields):
            generate.fail("estreamer.h", "the list of kinds is not the one of the constants")
        return table(("event", "tells"), [(f"`{name.lower()}`", re.sub(r"\s*\n \*\s+", " ", text))
                                          for name, text in fields.items()])

    def version_table(self):
        return table(("code", "version", "product", "layouts"), [
            (f"{row['code']} {row['category']}", str(row["version"]), row["versions"],
             " ".join(link(c, "estreamer-records.md") for c in row["layouts"])) for row in self.event_types])

    def flag_table(self):
        """The flags that have names; the reference has all."""
        return table(("bit", "LEAT_ESTREAMER_", "asks for"), [
            (bit, f"`{self.flags[int(bit)]}`", meaning)
            for bit, meaning in self.values["request_flag_bit"] if int(bit) in self.flags])


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    reference = Reference()
    text = fill(GUIDE, reference.guide_tables(), code_of(GUIDE, PROGRAM, SNIPPETS))
    (folder / "estreamer-records.md").write_text(reference.records_text(), encoding="utf-8")
    (folder / GUIDE.name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
