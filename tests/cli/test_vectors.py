#!/usr/bin/env python3
"""Every recording and value of tests/vectors, decoded by the program as its notes say.

What the program prints is compared with the bytes as this file reads them by itself, and with the notes that
came with the recordings.
"""

import json
import re
import sys
import zlib

from cli import DIALECTS, OPENSSL, VECTORS, Tap, clean, leat, strict, temporary


class Object(tuple):
    """A JSON object as its members in order, duplicates and all."""


def exact(text):
    return strict(text, object_pairs_hook=Object)


def events_of(result):
    """Events as (name, value) by direction, and which had errors."""
    by_direction = {}
    for line in result.out.decode().splitlines():
        event = dict(exact(line))
        by_direction.setdefault(event.get("dir"), []).append(event)
    return by_direction


def recorded(path):
    """The octets of each direction of a recording, by connection and direction."""
    streams = {}
    for line in path.read_text().splitlines():
        chunk = json.loads(line)
        if "hex" in chunk:
            key = (chunk.get("conn"), chunk["dir"])
            streams[key] = streams.get(key, b"") + bytes.fromhex(chunk["hex"])
    return streams


# ---------------------------------------------------------------------------------------------------
# Zabbix

SECTIONS = {
    "interface availability", "host availability", "history data", "discovery data",
    "auto registration", "host data", "tasks", "data", "regexp", "commands",
}


def frames(octets):
    """The body of each frame; what is not a frame as it is, under None."""
    while octets:
        if octets[:4] != b"ZBXD":
            yield None, octets
            return
        flags, width = octets[4], 8 if octets[4] & 4 else 4
        start = 5 + 2 * width
        length = int.from_bytes(octets[5 : 5 + width], "little")
        body = octets[start : start + length]
        yield flags, zlib.decompress(body) if flags & 2 else body
        octets = octets[start + length :]


def is_array(value):
    return isinstance(value, list)


def table(name, members, rows):
    """An object with an array "data" (a configuration table): its rows, and what stands in its place."""
    fields = dict(members).get("fields")
    left = []
    for member, value in members:
        if member == "data" and is_array(value):
            for row in value:
                if fields and is_array(row) and len(row) == len(fields):
                    row = Object(zip(fields, row))
                rows.append((name, row))
            left.append(("rows", len(value)))
        else:
            left.append((member, value))
    return Object(left)


def has_rows(value):
    return isinstance(value, Object) and any(name == "data" and is_array(data) for name, data in value)


def expected_of(body):
    """The rows of a message as events, and then its other members."""
    rows, left = [], []
    for name, value in body:
        if name in SECTIONS and is_array(value):
            rows.extend((name, row) for row in value)
            value = Object([("rows", len(value))])
        elif name == "data" and isinstance(value, Object) and not has_rows(value):
            value = Object(
                (inner, table(inner, part, rows) if has_rows(part) else part) for inner, part in value
            )
        elif has_rows(value):
            value = table(name, value, rows)
        left.append((name, value))
    return rows, Object(left)


def zabbix_message(body, events):
    """Takes the events of one message off the list; what is wrong, or None."""
    try:
        members = exact(body.decode("utf-8", "surrogateescape"))
        sound = isinstance(members, Object) and b"\xff" not in body
    except ValueError:
        sound = False
    if body[:1] != b"{":
        event = events.pop(0)
        got = dict(event["value"]).get("body")
        return None if event["event"] == "plain" and str(got) in repr(body) else event
    if not sound:
        while events and events[0]["event"] in SECTIONS:
            events.pop(0)
        event = events.pop(0) if events else None
        return None
    rows, left = expected_of(members)
    for name, row in rows:
        event = events.pop(0)
        if (event["event"], event["value"]) != (name, row):
            return f"{name} {row}\n{event}"
    event = events.pop(0)
    if event["value"] != left or event.get("error"):
        return f"{left}\n{event}"
    request = dict(left).get("request")
    known = ("proxy config", "proxy data", "proxy tasks", "active checks", "agent data", "sender data")
    if request in known and event["event"] != request:
        return event
    return None


def zabbix_recording(tap, path):
    result = leat("decode", "capture", "zabbix", path)
    name = path.relative_to(VECTORS)
    by_direction = events_of(result)
    notes = json.loads(path.with_suffix(".json").read_text()) if path.with_suffix(".json").exists() else []
    # The recordings with a body that real daemons refuse: their notes have no JSON for it.
    broken = [note for note in notes if note.get("text", "")[:1] == "{" and "json" not in note]
    broken = [note for note in broken if "invalid-utf8" not in path.name]
    errors = [event for events in by_direction.values() for event in events if "error" in event]
    tap.check(
        f"{name}: exit code {result.code}",
        result.code == (1 if broken else 0) and len(errors) == len(broken) and (result.err != "") == bool(broken),
        f"{result.err}\n{errors}\n{broken}",
    )
    for (_, direction), octets in recorded(path).items():
        events = by_direction.pop(direction, [])
        problems = []
        for flags, body in frames(octets):
            try:
                if flags is None:
                    event = events.pop(0)
                    problem = None if event["event"] == "unframed" else event
                else:
                    problem = zabbix_message(body, events)
            except (IndexError, KeyError, TypeError) as error:
                problem = f"{error!r} in {body[:300]}"
            if problem:
                problems.append(problem)
        tap.check(f"{name}: {direction}", not problems and not events, f"{problems} {events}"[:3000])
    tap.check(f"{name}: no other direction", not by_direction)


def zabbix(tap):
    recordings = sorted((VECTORS / "zabbix").glob("*/*.jsonl"))
    tap.check("there are recordings of Zabbix", len(recordings) > 100, len(recordings))
    for path in recordings:
        zabbix_recording(tap, path)
    documented = sorted((VECTORS / "zabbix" / "documented-5.4").glob("*.json"))
    tap.check("there are documented messages", len(documented) == 9, documented)
    for path in documented:
        result = leat("decode", "zabbix", "--body", path)
        clean(tap, f"{path.relative_to(VECTORS)}", result)
        events = events_of(result).get(None, [])
        problem = zabbix_message(path.read_bytes().strip(), events)
        tap.check(f"{path.relative_to(VECTORS)}: its events", not problem and not events, problem or events)


# ---------------------------------------------------------------------------------------------------
# eStreamer

RECORD_HEADER_BYTES = 16


def estreamer_octets(path):
    return bytes.fromhex(path.read_text())


def message_count(octets):
    count = 0
    while octets:
        count += 1
        octets = octets[8 + int.from_bytes(octets[4:8], "big") :]
    return count


def estreamer_message(tap, path):
    speaker = "client" if "_client_" in path.name or "request" in path.name else "server"
    result = leat("decode", "estreamer", "--from", speaker, "--hex", path)
    name = path.relative_to(VECTORS)
    clean(tap, str(name), result)
    lines = result.events()
    tap.check(f"{name}: an event each", lines and not any("error" in line for line in lines), lines)
    tap.same(f"{name}: one side or any", leat("decode", "estreamer", "--hex", path).out, result.out)
    wrong = leat("decode", "estreamer", "--hex", data=path.read_text().strip()[:-2])
    tap.check(f"{name}: cut", wrong.code == 1 and "offset" in wrong.err, wrong.err)


def estreamer_record(tap, path):
    octets = estreamer_octets(path)
    record_type = int(path.name.split("_")[0])
    name = path.relative_to(VECTORS)
    payload = octets[RECORD_HEADER_BYTES:].hex() + "\n"
    value = leat("decode", "estreamer-record", record_type, data=payload)
    clean_one = value.code == 0 and value.err == "" and value.out.count(b"\n") == 1
    if not tap.check(f"{name}: decodes", clean_one, f"{value.code} {value.err} {value.out[:500]}"):
        return
    back = leat("encode", "estreamer-record", record_type, data=value.out)
    tap.same(f"{name}: and back", back.out.decode() or back.err, payload)
    message = b"\0\1\0\4" + len(octets).to_bytes(4, "big") + octets
    result = leat("decode", "estreamer", "--from", "server", temporary(message))
    clean(tap, f"{name}: in a message", result)
    tap.check(f"{name}: the same value there", value.out.decode().strip() in result.out.decode(), result.out)


def estreamer(tap):
    folder = VECTORS / "estreamer"
    messages = sorted(folder.glob("*.hex")) + sorted(folder.glob("perl-sdk/*.hex"))
    tap.check("there are messages of eStreamer", len(messages) > 30, len(messages))
    for path in messages:
        estreamer_message(tap, path)
    for side in ("client", "server"):
        whole = b"".join(estreamer_octets(path) for path in sorted(folder.glob(f"[01]*_{side}_*.hex")))
        result = leat("decode", "estreamer", "--from", side, data=whole)
        clean(tap, f"what the {side} of a session said", result)
        tap.check(f"all its messages are there", len(result.events()) >= message_count(whole) > 5)
    records = sorted(folder.glob("records/*.hex"))
    tap.check("there are records of eStreamer", len(records) > 100, len(records))
    for path in records:
        estreamer_record(tap, path)


# ---------------------------------------------------------------------------------------------------
# Broker


BROKER_EVENTS = {
    "hello", "probe", "version_select", "drop_conn", "originator_syn", "responder_syn_ack",
    "originator_ack", "data", "command", "routing_update", "ping", "pong",
}


def listed(path):
    """What a README or a note lists of a native conversation: (conn, dir, name) a frame."""
    found = []
    for conn, direction, word in re.findall(
        r"^ *[0-9.]+ conn (\d+) (a>b|b>a) (\S+)", path, re.M
    ):
        if not word.startswith("["):
            found.append((int(conn), direction, word))
    return found


def frame_count(octets):
    count = 0
    while octets:
        count += 1
        octets = octets[4 + int.from_bytes(octets[:4], "big") :]
    return count


def broker_recordings(tap):
    folder = VECTORS / "broker" / "captures"
    notes = (folder / "README.md").read_text()
    recordings = [path for path in sorted(folder.glob("*.jsonl")) if not path.name.startswith("ws-")]
    tap.check("there are recordings of Broker", len(recordings) > 10, len(recordings))
    for path in recordings:
        result = leat("decode", "capture", "broker", path)
        clean(tap, f"{path.name}", result)
        names = [(event["conn"], event["dir"], event["event"]) for event in result.events()]
        tap.same(
            f"{path.name}: an event for each frame",
            len(names),
            sum(frame_count(octets) for octets in recorded(path).values()),
        )
        section = re.search(rf"^## {re.escape(path.name)}\n(.*?)(?=^## |\Z)", notes, re.M | re.S)
        tap.check(f"{path.name}: is listed", section)
        if section:
            # The order between the two directions is the relay's view, that of chunks, not of frames.
            for side in sorted({name[:2] for name in names}):
                tap.same(
                    f"{path.name}: {side[1]} of {side[0]} as listed",
                    [name for *key, name in names if tuple(key) == side],
                    [name for *key, name in listed(section.group(1)) if tuple(key) == side],
                )


def zeek_recordings(tap):
    """Real Zeek processes. Those of WebSocket conversations are of another protocol."""
    count = 0
    for path in sorted((VECTORS / "zeek").glob("*/*.jsonl")):
        streams = recorded(path)
        if not streams or any(octets[:4] == b"GET " for octets in streams.values()):
            continue
        result = leat("decode", "capture", "broker", path)
        name = path.relative_to(VECTORS)
        clean(tap, f"{name}", result)
        events = result.events()
        tap.same(f"{name}: an event for each frame", len(events), sum(map(frame_count, streams.values())))
        tap.check(f"{name}: all known", not {event["event"] for event in events} - BROKER_EVENTS)
        count += 1
    tap.check("there are recordings of Zeek", count > 20, count)


def websocket_texts(octets):
    """What the texts of one side say, in the order of their frames; fragments are pieces of it."""
    if octets[:1].isalpha():
        octets = octets.partition(b"\r\n\r\n")[2]
    said = []
    while octets:
        length, at = octets[1] & 127, 2
        if length > 125:
            at = 4 if length == 126 else 10
            length = int.from_bytes(octets[2:at], "big")
        mask = b"\0\0\0\0"
        if octets[1] > 127:
            mask, at = octets[at : at + 4], at + 4
        payload = bytes(octet ^ mask[i % 4] for i, octet in enumerate(octets[at : at + length]))
        if octets[0] & 15 < 2:
            said.append(payload)
        octets = octets[at + length :]
    return said


def websocket_recordings(tap):
    paths = sorted((VECTORS / "websocket").glob("*/*.jsonl"))
    tap.check("there are recordings over WebSocket", len(paths) > 80, len(paths))
    if not OPENSSL:
        result = leat("decode", "capture", "broker-ws", paths[0])
        tap.same("WebSocket is left out without OpenSSL", result.code, 2)
        return
    for path in paths:
        result = leat("decode", "capture", "broker-ws", path)
        name = path.relative_to(VECTORS)
        if path.name.endswith("-handshake.jsonl"):
            # The last two clients say what is not HTTP, and half a request.
            tap.check(f"{name}: conversations that end too early", result.code == 1, result.err)
            continue
        clean(tap, f"{name}", result)
        told = {}
        for event in result.events():
            value = event["value"]
            if event["event"] == "frame" and value["opcode"] < 2:
                payload = value["payload"]
                octets = bytes.fromhex(payload["hex"]) if isinstance(payload, dict) else payload.encode()
                told.setdefault((event["conn"], event["dir"]), []).append(octets)
        for side, octets in recorded(path).items():
            if octets[9:13] != b"400 ":
                tap.same(f"{name}: {side}", told.get(side, []), websocket_texts(octets))


def strict_or(line, other):
    """The line as an object; other if it is none."""
    try:
        value = strict(line.decode())
    except ValueError:
        return other
    return value if isinstance(value, dict) else {None: value}


def broker_values(tap):
    values = [json.loads(line) for line in (VECTORS / "broker" / "data.jsonl").read_text().splitlines()]
    tap.check("there are values of Broker", len(values) > 200, len(values))
    lines = "".join(value["hex"] + "\n" for value in values)
    typed = leat("decode", "broker-data", "--typed", data=lines).out.split(b"\n")[:-1]
    plain = leat("decode", "broker-data", data=lines).out.split(b"\n")[:-1]
    tap.same("a line each", (len(typed), len(plain)), (len(values), len(values)))
    back = leat("encode", "broker-data", data=b"\n".join(typed) + b"\n").out.decode().splitlines()
    tap.same("a line back each", len(back), len(values))
    for value, text, short, hexed in zip(values, typed, plain, back):
        name = value["desc"]
        typed_error, plain_error = (strict_or(line, {}).get("error") for line in (text, short))
        if "1000 deep" in name:
            tap.check(f"{name}: over the limit of nesting", typed_error and plain_error, short)
            continue
        tap.check(f"{name}: plain JSON", plain_error is None and strict_or(short, None) != {}, short[:300])
        if "json_text_hex" in value:
            tap.check(f"{name}: no typed JSON, as it is not UTF-8", typed_error, text)
        elif value["json_to_binary"] == "same":
            tap.same(f"{name}: typed JSON and back", hexed, value["hex"])
            if value.get("json") and "real" not in name:
                tap.same(f"{name}: typed JSON", strict(text.decode()), value["json"])


def broker_invalid(tap):
    cases = [json.loads(line) for line in (VECTORS / "broker" / "invalid.jsonl").read_text().splitlines()]
    cases = [case for case in cases if case["kind"] == "data" and case["hex"] is not None]
    refused = leat("decode", "broker-data", data="".join(case["hex"] + "\n" for case in cases))
    lines = refused.out.decode().splitlines()
    tap.same("invalid values: a line each", len(lines), len(cases))
    for case, line in zip(cases, lines):
        value = strict(line)
        is_error = isinstance(value, dict) and list(value)[:1] == ["error"]
        if case["verdict"] == "reject":
            tap.check(f"{case['desc']}: refused", is_error, line)


def broker_frames(tap):
    for file in ("messages.jsonl", "management.jsonl"):
        path = VECTORS / "broker" / file
        if not path.exists():
            continue
        for line in path.read_text().splitlines():
            case = json.loads(line)
            result = leat("decode", "broker", "--hex", data=case["frame_hex"])
            name = f"{file}: {case.get('desc') or case['event']}"
            clean(tap, name, result)
            tap.same(f"{name}: its name", result.names(), [case.get("kind", "data")])


def broker(tap):
    for function in (broker_recordings, zeek_recordings, websocket_recordings, broker_values, broker_invalid, broker_frames):
        tap.run(function)


def main():
    tap = Tap()
    for dialect, function in (("zabbix", zabbix), ("estreamer", estreamer), ("broker", broker)):
        if dialect in DIALECTS:
            tap.run(function)
    if tap.count == 0:
        tap.check("no dialect, no vectors", True)
    return tap.end()


sys.exit(main())
