#!/usr/bin/env python3
"""Turns the tables beside it into C, and refuses tables that contradict themselves.

usage: generate.py layouts.tsv records.tsv event_types.tsv metadata.tsv ids.tsv OUTPUT.c

layouts.tsv: a row for each field, in the order of the wire, no padding anywhere.
  container  struct/NAME   a structure of the protocol
             record/N      what a record of type N holds; N_body: what follows its discovery header;
                           N_legacy: an older form of it
             s1/N, s2/N    what follows the header of block type N, series 1 or 2
  wire_type  u8 u16 u32 u64 i32      big endian
             ipv4 ipv4-reversed ip16 uuid mac bytes[N]
             utf8[F] bytes[F]        as many octets as the earlier field F says
             utf8[rest] bytes[rest]  the rest of what encloses it
             blocks[rest]            blocks, to the end of what encloses them
             string-block blob-block list<S/N> generic-list<S/N> block<S/N>
                                     a block; S/N: the type of the elements or of the block that
                                     is expected (auto: none is), the one in its header counts

records.tsv: a row for each record type.
  payload    struct  the layout named in the next column
             s1 s2   a block of that series; next column: those known, the one to write first
             data    opaque
             none    nothing
             discovery+...  the discovery header first
  legacy     the older form, if there is one

event_types.tsv: a row for each code and version that an extended request can ask for.
  category   of the records that come
  versions   of the product, that serve it; none: not known
  layouts    of those records, as far as the version decides
  sets       the releases whose set of event types it is in

metadata.tsv: a row for each form of a metadata record that names an id.
  layout     the form
  id         its fields that are the id, together
  name       its fields that are the name, joined by spaces

ids.tsv: a row for each id that a field may be, those of one field from the likeliest on.
  record_type  of the metadata that names it
  id           the fields that are the id, together; none: the field itself
  categories   of the records that the field is of; none: all but metadata
  when         FIELD=NUMBER, which the same event must have
"""

import os
import re
import sys

FIXED = {  # wire type: (row type, kind of value, octets)
    "u8": ("U8", "UINT", 1),
    "u16": ("U16", "UINT", 2),
    "u32": ("U32", "UINT", 4),
    "u64": ("U64", "UINT", 8),
    "i32": ("I32", "INT", 4),
    "ipv4": ("OCTETS", "ADDRESS", 4),
    "ip16": ("OCTETS", "ADDRESS", 16),
    "uuid": ("OCTETS", "UUID", 16),
    "mac": ("OCTETS", "MAC", 6),
}
AUTO = 0xFFFF
# What naming.h has room for, and the slots that it looks fields up in.
ID_PARTS = 3
ID_OCTETS = 32
SLOTS = 512
BLOCK = r"s[12]/\d+"
# The structures of the protocol that are read by their rows; the others are read by code. These layouts
# come first, in the order of an enum in tables.h.
READ_BY_ROWS = (
    "struct/error",
    "struct/event_stream_request",
    "struct/host_request",
    "struct/host_request_v6",
    "struct/discovery_header",
    "struct/discovery_header_ipv6",
    "struct/metadata_id_name",
)
# Names that decoded values use beside those of the tables.
OWN_WORDS = {"block_type", "discovery_header", "extra", "hex", "legacy", "trailing", "truncated"}
PAYLOADS = ("none", "data", "struct", "s1", "s2")
LAYOUT_COLUMNS = ["container", "name", "versions", "order", "field", "wire_type", "notes"]
EVENT_TYPE_COLUMNS = ["event_code", "category", "event_version", "versions", "layouts", "sets", "source"]
METADATA_COLUMNS = ["record_type", "layout", "id", "name", "notes"]
ID_COLUMNS = ["field", "record_type", "id", "categories", "when", "notes"]
RECORD_COLUMNS = ["record_type", "name", "category", "payload", "layouts", "legacy", "versions", "notes"]


def fail(where, what):
    sys.exit(f"{where}: {what}")


def read_tsv(path, columns):
    with open(path, encoding="utf-8") as file:
        lines = [line.rstrip("\n").split("\t") for line in file]
    if lines[0] != columns:
        fail(path, "the first line does not name the columns " + ", ".join(columns))
    for number, line in enumerate(lines[1:], 2):
        if len(line) != len(columns) or any(cell != cell.strip() for cell in line):
            fail(f"{path}:{number}", "not as many clean cells as there are columns")
        yield f"{path}:{number}", dict(zip(columns, line))


def read_layouts(path):
    layouts = {}
    for where, row in read_tsv(path, LAYOUT_COLUMNS):
        layout = layouts.setdefault(row["container"], {
            "name": row["name"], "versions": row["versions"], "fields": [], "notes": []})
        fields = layout["fields"]
        if list(layouts)[-1] != row["container"]:
            fail(where, "the rows of a layout do not stand together")
        if int(row["order"]) != len(fields) + 1 or any(layout[key] != row[key] for key in ("name", "versions")):
            fail(where, "out of order, or another name or other versions than the row above")
        if not re.fullmatch(r"[a-z][a-z0-9_]*", row["field"]):
            fail(where, "a field is named in snake_case")
        fields.append((where, row["field"], row["wire_type"]))
        layout["notes"].append(row["notes"])
    return layouts


def compile_layout(container, fields, blocks):
    """The rows of a layout: (row type, kind, name, wire type, argument)."""
    rows = []
    names = set()
    lengths = {}  # integer fields, by name: the index of their row
    pending = None  # the length whose octets have not come yet
    for index, (where, name, wire) in enumerate(fields):
        if name in names:
            fail(where, f"{name} stands twice in {container}")
        if name in OWN_WORDS and not container.startswith("struct/"):
            fail(where, f"{name} is a word that decoded values use themselves")
        names.add(name)
        counted = re.fullmatch(r"(utf8|bytes)\[([a-z_]+)\]", wire)
        fixed = re.fullmatch(r"bytes\[(\d+)\]", wire)
        nested = re.fullmatch(r"(list|generic-list|block)<(?:([12]/\d+)|auto)>", wire)
        if wire in FIXED:
            kind, value, octets = FIXED[wire]
            rows.append([kind, value, name, wire, octets])
            if wire in ("u16", "u32"):
                lengths[name] = index
        elif fixed:
            rows.append(["OCTETS", "BYTES", name, wire, int(fixed[1])])
        elif wire == "ipv4-reversed":
            rows.append(["REVERSED", "ADDRESS", name, wire, 4])
        elif counted and counted[2] != "rest":
            if counted[2] not in lengths:
                fail(where, f"no u16 or u32 named {counted[2]} stands before it")
            if pending is not None and pending >= lengths[counted[2]]:
                fail(where, "two lengths are open at once")
            length = rows[lengths.pop(counted[2])]
            length[0] = {"U16": "LENGTH16", "U32": "LENGTH32"}[length[0]]
            rows.append(["COUNTED", "TEXT" if counted[1] == "utf8" else "BYTES", name, wire, 0])
            pending = index
        elif wire in ("utf8[rest]", "bytes[rest]", "blocks[rest]"):
            if index + 1 != len(fields):
                fail(where, "nothing can follow the rest")
            kind, value = {"utf8": ("REST", "TEXT"), "bytes": ("REST", "BYTES"),
                           "blocks": ("ITEMS", "LIST")}[wire.split("[")[0]]
            rows.append([kind, value, name, wire, AUTO])
        elif wire == "string-block":
            rows.append(["STRING", "TEXT", name, wire, 0])
        elif wire == "blob-block":
            rows.append(["BLOB", "BYTES", name, wire, 0])
        elif nested:
            target = "s" + nested[2] if nested[2] else None
            if target and (target not in blocks or target[:2] != container[:2]):
                fail(where, f"{target} is not a layout of the series of {container}")
            kind, value = {"list": ("LIST", "LIST"), "generic-list": ("GENERIC_LIST", "LIST"),
                           "block": ("BLOCK", "RECORD")}[nested[1]]
            rows.append([kind, value, name, wire, int(target[3:]) if target else AUTO])
        else:
            fail(where, f"{wire} is not a wire type")
    return rows


def check_nesting(compiled):
    """A block<...> that is not given is written empty; that must come to an end."""
    below = {c: {f"{c[:2]}/{row[4]}" for row in rows if row[0] == "BLOCK" and row[4] != AUTO}
             for c, rows in compiled.items()}
    while any(below.values()):
        ends = {c for c, targets in below.items() if not targets}
        next_below = {c: targets - ends for c, targets in below.items()}
        if next_below == below:
            fail("layouts", "blocks contain one another")
        below = next_below


FIXED_ROWS = ("U8", "U16", "U32", "U64", "I32", "OCTETS")
# An entry of a sequence: the number of a row, and above it how many rows of fixed size begin there.
ROW_BITS = 10
RUN_MAX = 0xFFFF >> ROW_BITS


def with_runs(sequence, rows):
    """The entries of a sequence of row numbers. A layout that ends sooner than a run cuts it short."""
    out = []
    run = 0
    for number in reversed(sequence):
        run = min(run + 1, RUN_MAX) if rows[number][0] in FIXED_ROWS else 0
        out.append(run << ROW_BITS | number)
    return out[::-1]


def place(sequences):
    """All of them in one, those that stand in others only there; and where each of them begins."""
    whole = []
    starts = {}
    for own in sorted(set(map(tuple, sequences)), key=len, reverse=True):
        at = next((i for i in range(len(whole)) if tuple(whole[i:i + len(own)]) == own), len(whole))
        starts[own] = at
        if at == len(whole):
            whole += own
    return whole, starts


class Names:
    """One array of characters; a name that ends another shares its octets."""

    def __init__(self, names):
        self.pool = ""
        for name in sorted(set(names), key=lambda n: (-len(n), n)):
            if name + "\0" not in self.pool:
                self.pool += name + "\0"
        if len(self.pool) > 0xFFFF or max(map(len, names)) > 0xFF:
            fail("names", "too long for the tables")

    def at(self, name):
        return self.pool.index(name + "\0")

    def lines(self):
        """A string constant of this size is more than C promises, so characters."""
        for name in self.pool.split("\0")[:-1]:
            yield "    " + "".join(f"'{c}', " for c in name) + "0,"


def read_records(path, layouts):
    records = []
    for where, row in read_tsv(path, RECORD_COLUMNS):
        discovery, _, payload = row["payload"].rpartition("+")
        known = row["layouts"].split(",") if row["layouts"] else []
        if discovery not in ("", "discovery") or payload not in PAYLOADS:
            fail(where, f"{row['payload']} is not a payload")
        for layout in known + ([row["legacy"]] if row["legacy"] else []):
            if layout not in layouts:
                fail(where, f"{layout} is not a layout")
        if payload in ("none", "data") and (known or row["legacy"]):
            fail(where, "a layout that no payload uses")
        if row["legacy"] and not known:
            fail(where, "an older form of nothing")
        if payload == "struct" and (len(known) != 1 or known[0].startswith("s1/")):
            fail(where, "a structure has one layout")
        if payload in ("s1", "s2") and any(not k.startswith(payload + "/") for k in known):
            fail(where, "a block of another series")
        if records and int(row["record_type"]) <= records[-1]["type"]:
            fail(where, "record types do not ascend")
        records.append({"type": int(row["record_type"]), "name": row["name"],
                        "category": row["category"], "discovery": bool(discovery),
                        "payload": payload, "layout": known[0] if known else None,
                        "legacy": row["legacy"] or None, "layouts": known,
                        "versions": row["versions"], "notes": row["notes"]})
    return records


def read_event_types(path, records):
    event_types = []
    codes = {}  # by category
    for where, row in read_tsv(path, EVENT_TYPE_COLUMNS):
        number = {"code": int(row["event_code"]), "version": int(row["event_version"])}
        category = row["category"]
        own = [r for r in records if r["category"] == category]
        layouts = row["layouts"].split(",") if row["layouts"] else []
        if not own:
            fail(where, f"no record is of the category {category}")
        if codes.setdefault(category, number["code"]) != number["code"]:
            fail(where, f"{category} has two codes")
        for layout in layouts:
            if not any(layout in r["layouts"] for r in own):
                fail(where, f"{layout} is not a layout of {category} records")
        if event_types and list(number.values()) <= [event_types[-1][n] for n in number]:
            fail(where, "codes and versions do not ascend")
        event_types.append({**number, "category": category, "versions": row["versions"], "layouts": layouts,
                            "sets": row["sets"].split(",") if row["sets"] else []})
    return event_types


def event_sets(event_types):
    """By release, oldest first: the version to ask for of each code, in the order of the codes."""
    sets = {}
    for row in event_types:
        for release in row["sets"]:
            if not re.fullmatch(r"\d+\.\d+", release):
                fail("event types", f"{release} is not a release")
            chosen = sets.setdefault(release, {})
            if row["code"] in chosen:
                fail("event types", f"the set of {release} has two versions of {row['code']}")
            chosen[row["code"]] = row["version"]
    for release, chosen in sets.items():
        if list(chosen) != sorted({row["code"] for row in event_types}):
            fail("event types", f"the set of {release} lacks a code")
    return dict(sorted(sets.items(), key=lambda item: [int(n) for n in item[0].split(".")]))


def code_of(record, event_types):
    """The code that asks for a record: whose versions decide its layout, else that of its category."""
    for row in event_types:
        if record["layout"] in row["layouts"]:
            return row["code"]
    return next((row["code"] for row in event_types if row["category"] == record["category"]), 0)


def read_tables(layouts_path, records_path, event_types_path):
    """All that the tables say, checked: layouts, their rows, records, event types."""
    layouts = read_layouts(layouts_path)
    records = read_records(records_path, layouts)
    event_types = read_event_types(event_types_path, records)
    blocks = {c for c in layouts if re.fullmatch(BLOCK, c)}
    for container in layouts:
        if container not in blocks and not re.fullmatch(r"(struct/[a-z0-9_]+|record/\d+(_body|_legacy)?)",
                                                        container):
            fail("layouts", f"{container} is not a container")
    compiled = {c: compile_layout(c, layout["fields"], blocks) for c, layout in layouts.items()}
    check_nesting(compiled)
    used = {r["layout"] for r in records} | {r["legacy"] for r in records}
    for container in compiled:
        if container.startswith("record/") and container not in used:
            fail("layouts", f"no record uses {container}")
    return layouts, compiled, records, event_types


def id_octets(wire):
    """How many octets of an id a field of that wire type is: a number, a UUID, a hash; 0: it can be none."""
    fixed = re.fullmatch(r"bytes\[(16|20|32)\]", wire)
    if fixed:
        return int(fixed[1])
    return {"u8": 4, "u16": 4, "u32": 4, "uuid": 16, "string-block": 32}.get(wire, 0)


def read_metadata(path, layouts, records):
    forms = []
    octets = {}  # of the ids, by record type
    metadata = {r["type"] for r in records if r["category"] == "metadata"}
    for where, row in read_tsv(path, METADATA_COLUMNS):
        record_type = int(row["record_type"])
        if record_type not in metadata:
            fail(where, f"{record_type} is not metadata")
        if forms and record_type < forms[-1]["type"]:
            fail(where, "record types do not ascend")
        if row["layout"] not in layouts:
            fail(where, f"{row['layout']} is not a layout")
        form = {"type": record_type, "layout": row["layout"], "notes": row["notes"]}
        wires = {field: wire for _, field, wire in layouts[row["layout"]]["fields"]}
        for column in ("id", "name"):
            form[column] = row[column].split(",")
            if len(form[column]) > ID_PARTS or not set(form[column]) <= set(wires):
                fail(where, f"the {column} is not up to {ID_PARTS} fields of {row['layout']}")
        sizes = [id_octets(wires[field]) for field in form["id"]]
        form["octets"] = sum(sizes)
        if 0 in sizes or form["octets"] > ID_OCTETS or octets.setdefault(record_type, form["octets"]) != form["octets"]:
            fail(where, "the fields do not make an id")
        if any(wires[field] != "string-block" and not wires[field].startswith("utf8") for field in form["name"]):
            fail(where, "a name is text")
        forms.append(form)
    return forms


def read_ids(path, layouts, records, forms):
    """By field: the ids that it may be."""
    sizes = {"netmap_id": {4}}  # that a field has, by its name
    for layout in layouts.values():
        for _, field, wire in layout["fields"]:
            sizes.setdefault(field, set()).add(id_octets(wire))
    octets = {form["type"]: form["octets"] for form in forms}
    categories = {r["category"] for r in records} - {"metadata"}
    ids = {}
    last = None
    for where, row in read_tsv(path, ID_COLUMNS):
        use = {"type": int(row["record_type"]), "id": row["id"].split(",") if row["id"] else [row["field"]],
               "categories": row["categories"].split(",") if row["categories"] else sorted(categories),
               "when": None, "notes": row["notes"]}
        if row["field"] in ids and row["field"] != last:
            fail(where, "the rows of a field do not stand together")
        if use["type"] not in octets:
            fail(where, f"no row of metadata.tsv is for {use['type']}")
        if not set(use["categories"]) <= categories:
            fail(where, f"no record that has ids is of the category {row['categories']}")
        if row["when"]:
            field, _, number = row["when"].partition("=")
            if not number.isdigit() or int(number) > 255 or 4 not in sizes.get(field, ()):
                fail(where, f"{row['when']} is not a condition")
            use["when"] = (field, int(number))
        if len(use["id"]) > ID_PARTS or any(field not in sizes for field in use["id"] + [row["field"]]):
            fail(where, f"the id is not up to {ID_PARTS} fields")
        sums = {0}
        for field in use["id"]:
            sums = {so_far + size for so_far in sums for size in sizes[field] if size}
        if octets[use["type"]] not in sums:
            fail(where, f"the fields do not make an id of {use['type']}")
        ids.setdefault(row["field"], []).append(use)
        last = row["field"]
    return ids


def slot_of(name):
    """Where a field stands in the table by name, if no other one stands there. As in naming.c."""
    first, middle, last = (ord(name[i]) for i in (0, len(name) // 2, -1))
    return (len(name) * 9 + first * 15 + middle * 37 + last * 29) % SLOTS


def id_tables(forms, ids, records, names):
    """The lines of C for metadata.tsv and ids.tsv."""
    def offsets(fields):
        return "{" + ", ".join(str(names.at(f)) for f in fields) + "}"

    out = ["", "const struct lt_estreamer_form lt_estreamer_forms[] = {"]
    for f in forms:
        out.append(f"    {{{f['type']}, {f['octets']}, {len(f['id'])}, {len(f['name'])}, {offsets(f['id'])}, "
                   f"{offsets(f['name'])}}},")
    out += ["};", f"const size_t lt_estreamer_form_total = {len(forms)};"]

    first = {}
    for i, form in enumerate(forms):
        first.setdefault(form["type"], i + 1)
    bits = {c: 1 << i for i, c in enumerate(sorted({r["category"] for r in records} - {"metadata"}))}
    out += ["", "const struct lt_estreamer_naming lt_estreamer_namings[] = {", f"    {{0, {sum(bits.values())}}},"]
    out += [f"    {{{first.get(r['type'], 0)}, {bits.get(r['category'], 0)}}}, /* {r['type']} */" for r in records]
    out += ["};"]

    parts = [part for uses in ids.values() for use in uses
             for part in use["id"] + ([use["when"][0]] if use["when"] else [])]
    number = {field: i + 1 for i, field in enumerate(dict.fromkeys(list(ids) + parts))}
    uses = []
    out += ["", "const struct lt_estreamer_id_field lt_estreamer_id_fields[] = {", "    {0, 0, 0, 0},"]
    for field in number:
        out.append(f"    {{{names.at(field)}, {len(field)}, {len(uses)}, {len(ids.get(field, []))}}}, /* {field} */")
        uses += ids.get(field, [])
    if len(number) > 127 or len(uses) > 255 or len(forms) > 255 or len(bits) > 16:
        fail("names", "too many for their tables")
    out += ["};", "", "const struct lt_estreamer_id_use lt_estreamer_id_uses[] = {"]
    for use in uses:
        when, value = (number[use["when"][0]], use["when"][1]) if use["when"] else (0, 0)
        out.append(f"    {{{use['type']}, {sum(bits[c] for c in use['categories'])}, {when}, {value}, "
                   f"{len(use['id'])}, {{{', '.join(str(number[f]) for f in use['id'])}}}}},")
    out += ["};"]

    slots = [0] * SLOTS
    for field in number:
        slot = slot_of(field)
        while slots[slot]:
            slot = (slot + 1) % SLOTS
        slots[slot] = number[field]
    out += ["", "const uint8_t lt_estreamer_id_slots[] = {"]
    out += ["    " + ", ".join(map(str, slots[i:i + 24])) + "," for i in range(0, SLOTS, 24)]
    return out + ["};"]


def in_order(layouts):
    """The layouts that are compiled in, by their numbers."""
    return list(READ_BY_ROWS) + [c for c in layouts if not c.startswith("struct/")]


def main():
    layouts, compiled, records, event_types = read_tables(*sys.argv[1:4])
    forms = read_metadata(sys.argv[4], layouts, records)
    ids = read_ids(sys.argv[5], layouts, records, forms)
    order = in_order(layouts)
    blocks = {c for c in order if re.fullmatch(BLOCK, c)}
    index = {c: i for i, c in enumerate(order)}
    names = Names([""] + order + [layouts[c]["name"] for c in order] +
                  [row[2] for c in order for row in compiled[c]] +
                  [row[3] for c in order for row in compiled[c]] +
                  [r["name"] for r in records] + [r["category"] for r in records] + list(ids))
    wires = sorted({row[3] for c in order for row in compiled[c]} | {""})
    here = os.path.dirname(os.path.abspath(__file__))
    header = os.path.relpath(os.path.join(here, "tables.h"), os.path.dirname(os.path.abspath(sys.argv[6])))
    out = ["/* Made by generate.py from the tables beside it. */", f'#include "{header}"', ""]
    out += ["const char lt_estreamer_names[] = {"] + list(names.lines()) + ["};"]

    out += ["", "const uint16_t lt_estreamer_wires[] = {"]
    out += [f"    {names.at(w)}, /* {w} */" for w in wires] + ["};"]

    # A row stands once, however many layouts have it: layouts are sequences of indices of rows.
    rows = {}
    sequences = [tuple(rows.setdefault(tuple(row), len(rows)) for row in compiled[c]) for c in order]
    sequence, starts = place(sequences)
    if len(rows) > 1 << ROW_BITS or max(map(len, sequences)) > 255:
        fail("layouts", "too many rows for the tables")
    out += ["", "const struct lt_estreamer_layout lt_estreamer_layouts[] = {"]
    for container, own in zip(order, sequences):
        series = int(container[1]) if container in blocks else 0
        number = int(container[3:]) if container in blocks else 0
        out.append(f"    {{{starts[own]}, {names.at(container)}, {names.at(layouts[container]['name'])}, "
                   f"{number}, {series}, {len(own)}}}, /* {container} */")
    out += ["};", f"const size_t lt_estreamer_layout_total = {len(order)};"]
    sizes = [str(sum(row[4] for row in compiled[c] if row[0] in FIXED_ROWS)) for c in READ_BY_ROWS]
    out += ["", f"const uint8_t lt_estreamer_fixed_sizes[] = {{{', '.join(sizes)}}};"]
    out += ["", "const uint16_t lt_estreamer_sequence[] = {"]
    entries = [str(entry) for entry in with_runs(sequence, list(rows))]
    out += ["    " + ", ".join(entries[i:i + 16]) + "," for i in range(0, len(entries), 16)]
    out += ["};"]

    out += ["", "const struct lt_estreamer_row lt_estreamer_rows[] = {"]
    for kind, value, name, wire, argument in rows:
        out.append(f"    {{{names.at(name)}, {argument}, {len(name)}, LEAT_{value}, LT_ESTREAMER_{kind}, "
                   f"{wires.index(wire)}}}, /* {name} */")
    out += ["};"]

    for series in (1, 2):
        numbers = {int(c[3:]): index[c] for c in blocks if c.startswith(f"s{series}/")}
        top = max(numbers)
        out += ["", f"const uint16_t lt_estreamer_series_{series}[{top + 1}] = {{"]
        cells = [str(numbers.get(n, -1) + 1) for n in range(top + 1)]
        out += ["    " + ", ".join(cells[i:i + 16]) + "," for i in range(0, len(cells), 16)]
        out += ["};", f"const uint32_t lt_estreamer_series_{series}_total = {top + 1};"]

    out += ["", "const struct lt_estreamer_record lt_estreamer_records[] = {"]
    for r in records:
        layout = index[r["layout"]] + 1 if r["layout"] else 0
        legacy = index[r["legacy"]] + 1 if r["legacy"] else 0
        out.append(f"    {{{r['type']}, {names.at(r['name'])}, {names.at(r['category'])}, {layout}, {legacy}, "
                   f"{len(r['name'])}, LT_ESTREAMER_PAYLOAD_{r['payload'].upper()}, {str(r['discovery']).lower()}, "
                   f"{code_of(r, event_types)}}},")
    out += ["};", f"const size_t lt_estreamer_record_total = {len(records)};"]

    by_type = {r["type"]: i + 1 for i, r in enumerate(records)}
    if len(records) > 255:
        fail("records", "too many for their index")
    top = max(by_type)
    cells = [str(by_type.get(n, 0)) for n in range(top + 1)]
    out += ["", f"const uint8_t lt_estreamer_record_index[{top + 1}] = {{"]
    out += ["    " + ", ".join(cells[i:i + 24]) + "," for i in range(0, len(cells), 24)]
    out += ["};", f"const uint32_t lt_estreamer_record_index_total = {top + 1};"]

    sets = event_sets(event_types)
    out += ["", "const leat_estreamer_event_type lt_estreamer_event_types[] = {"]
    for release, chosen in sets.items():
        out.append("    " + " ".join(f"{{{version}, {code}}}," for code, version in chosen.items()) + f" /* {release} */")
    out += ["};", "", "const struct lt_estreamer_event_set lt_estreamer_event_sets[] = {"]
    at = 0
    for release, chosen in sets.items():
        out.append(f"    {{{release.replace('.', ', ')}, {at}, {len(chosen)}}},")
        at += len(chosen)
    out += ["};", f"const size_t lt_estreamer_event_set_total = {len(sets)};"]

    out += id_tables(forms, ids, records, names)

    with open(sys.argv[6], "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
