"""What the scripts of the guides share: tables, code, and the marks between which they stand."""

import re
import sys


def fail(where, what):
    sys.exit(f"{where}: {what}")


def cell(text):
    return text.replace("|", "\\|")


def table(head, rows):
    return [f"| {' | '.join(head)} |", "|" + "---|" * len(head)] + [
        f"| {' | '.join(map(cell, row))} |".replace("|  |", "| |").replace("|  |", "| |") for row in rows]


def fill(guide, tables, code):
    """The guide's text with what its marks name: each table once, and what code(name) gives."""
    text = guide.read_text(encoding="utf-8")
    marks = re.findall(r"^<!-- (table|code): (.+) -->$", text, re.M)
    if sorted(name for what, name in marks if what == "table") != sorted(tables):
        fail(guide.name, f"does not have each table once: {', '.join(tables)}")
    for what, name in marks:
        lines = tables[name] if what == "table" else ["```c", *code(name), "```"]
        start = f"<!-- {what}: {name} -->\n"
        text = re.sub(rf"({re.escape(start)}).*?(<!-- end -->\n)",
                      lambda m: m[1] + "\n" + "\n".join(lines) + "\n\n" + m[2], text, flags=re.S)
    return text


def code_of(guide, program, *snippets):
    """code() for fill(): the lines of a program, or of a function of the snippets with the comment above it."""
    functions = "\n".join(path.read_text(encoding="utf-8") for path in snippets)

    def code(name):
        if name == program.name:
            return program.read_text(encoding="utf-8").splitlines()
        found = re.search(rf"^(/\*((?!\*/).)*\*/\n)?static [^\n]*\b{name}\([^{{}};]*\n\{{\n.*?^\}}$",
                          functions, re.M | re.S)
        if found is None:
            fail(guide.name, f"there is no code called {name}")
        return found[0].splitlines()
    return code


def members(header, struct, instead=None, head=("option", "default, and what it says")):
    """A table of the members of a struct of options: what the header says beside or above them."""
    text = header.read_text(encoding="utf-8")
    body = re.search(rf"typedef struct {struct} \{{\n(.*?)^\}} {struct};", text, re.S | re.M)
    if body is None:
        fail(header.name, f"there is no {struct}")
    rows = []
    for block, name, beside in re.findall(
            r"^(?:    /\*\n((?:     \*.*\n)+?)     \*/\n)?    (?:const )?\w+\s+\*?(\w+)(?:\[\d+\])?; *(/\*.*?\*/)?$",
            body[1], re.M | re.S):
        words = re.sub(r"\s*\n\s*\*?\s*", " ", beside[2:-2] if beside else re.sub(r"(?m)^ +\* ", "", block)).strip()
        if name != "size":
            rows.append((f"`{name}`", (instead or {}).get(name, words).rstrip(".")))
    return table(head, rows)
