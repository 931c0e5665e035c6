#!/usr/bin/env python3
"""Writes what the Broker guide repeats: what stands between marks in broker.md.

usage: broker_guide.py [FOLDER]

Tables of options and events come from the headers, those of statuses from what says them; code comes from a program
and from functions that the tests run. FOLDER is where the file goes; left out, it is updated in place.
"""

import pathlib
import re
import sys

sys.dont_write_bytecode = True
from guide import code_of, fail, fill, members, table  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
GUIDE = HERE / "broker.md"
PROGRAM = ROOT / "examples" / "broker_peer.c"
SNIPPETS = [ROOT / "tests" / "broker" / name for name in ("test_guide.c", "test_guide_tls.c")]
HEADERS = ROOT / "include" / "leat"
TELL = ROOT / "lib" / "broker" / "tell.c"

# When a status comes, by its name.
WHEN = {
    "endpoint_discovered": "the handshake is done",
    "peer_added": "behind that",
    "peer_removed": "we ended it: unpeer, shutdown, overflow",
    "peer_lost": "the peer or the network ended it",
    "endpoint_unreachable": "behind either",
}
# What the headers say in two halves.
INSTEAD = {
    "forwarding": "0; 1: what comes from a peer is offered to all others, see [Forwarding](#forwarding)",
    "number": "ZEEK: the ack names the client by the id of the endpoint, `-websocket-` and this",
    "buffered": "65 536: most writes that wait to be acknowledged. With more, a master drops the clones that are "
                "furthest behind, and a clone refuses to write",
    "buffered_bytes": "64 MiB of them",
    "early": "1024: most commands of one sender that wait for others before them",
    "early_bytes": "16 MiB of them",
}


def statuses():
    """What tells the life of a peering, in the order in which it comes."""
    rows = {name: (kind, peer, client) for kind, name, peer, client in re.findall(
        r'\{LEAT_BROKER_(\w+), "(\w+)", "([^"]*)",\s+"([^"]*)"\}', TELL.read_text(encoding="utf-8"))}
    if set(rows) != set(WHEN):
        fail(TELL.name, f"does not have the statuses {', '.join(WHEN)}")
    return table(("Zeek's event", "LEAT_BROKER_", "comes when", "`msg`", "of a WebSocket client"), [
        (f"`Broker::{name}`", f"`{rows[name][0]}`", when, rows[name][1], rows[name][2])
        for name, when in WHEN.items()])


def kinds(header, start, head):
    """A list of a header's comment, each with a name in capitals or a word, and what is said of it."""
    text = (HEADERS / header).read_text(encoding="utf-8")
    lines = text[text.index(start):].splitlines()
    rows = []
    for line in lines[lines.index(" *") + 1:]:
        found = re.match(r"^ \* ([A-Za-z_]+(?:, [A-Z_]+)*) {2,}(\S.*)$", line)
        if found:
            rows.append([found[1], found[2]])
        elif rows and line.startswith(" *   "):
            rows[-1][1] += " " + line[2:].strip()
        else:
            break
    if not rows:
        fail(header, f"has no list behind: {start}")
    return table(head, [(", ".join(f"`{name}`" for name in names.split(", ")), words.rstrip(".").replace(
        "spec section 8.2", "[section 8.2](protocols/broker.md#82-error-codes-ec)")) for names, words in rows])


def functions():
    """What each header has, in its order."""
    rows = []
    for header in ("broker_endpoint.h", "zeek.h", "broker_store.h", "broker_websocket.h"):
        calls = re.findall(r"^LEAT_API [^;(]*?\b(leat_\w+)\(", (HEADERS / header).read_text(encoding="utf-8"), re.M)
        rows.append((f"[{header}](../include/leat/{header})", ", ".join(f"`{call}()`" for call in calls)))
    return table(("header", "has"), rows)


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    made = {
        "functions": functions(),
        "statuses": statuses(),
        "options": members(HEADERS / "broker_endpoint.h", "leat_broker_options", INSTEAD),
        "stats": members(HEADERS / "broker_endpoint.h", "leat_broker_stats", head=("number", "of")),
        "store options": members(HEADERS / "broker_store.h", "leat_broker_store_options", INSTEAD),
        "store events": kinds("broker_store.h", "Kinds (broker.h) of what", ("LEAT_BROKER_STORE_", "has")),
        "store errors": kinds("broker_store.h", "expiry_ns is LEAT_INT", ("name", "says that")),
        "client options": members(HEADERS / "broker_websocket.h", "leat_broker_websocket_client_options"),
        "server options": members(HEADERS / "broker_websocket.h", "leat_broker_websocket_options", INSTEAD),
        "websocket events": kinds("broker_websocket.h", "Kinds of event. As in", ("LEAT_BROKER_", "has")),
    }
    text = fill(GUIDE, made, code_of(GUIDE, PROGRAM, *SNIPPETS))
    (folder / GUIDE.name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
