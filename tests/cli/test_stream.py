#!/usr/bin/env python3
"""leat decode estreamer|zabbix|broker: formats, offsets, exit codes, streaming."""

import json
import os
import pathlib
import random
import re
import subprocess
import sys
import zlib

from cli import DIALECTS, LEAT, SANITIZED, Tap, clean, leat, strict, temporary, zabbix_frame

NULL = bytes.fromhex("0001000000000000")
ERROR = bytes.fromhex("000100010000000e0000001300084e6f207370616365")
HELLO = bytes.fromhex("00000017065a45454b111111111111511191111111111111110101")
PROBE = bytes.fromhex("00000005075a45454b")
DATA = zabbix_frame('{"request":"proxy data","host":"p1","history data":[{"id":1},{"id":2}],"version":"7.0.22"}')
BEAT = zabbix_frame('{"request":"proxy heartbeat","host":"p1"}')

# A sound stream of each dialect: who speaks, bytes, (name, offset) of its events.
SOUND = {
    "estreamer": ("server", NULL + ERROR + NULL, [("null", 0), ("error", 8), ("null", 30)]),
    "zabbix": (
        "proxy",
        BEAT + DATA,
        [
            ("proxy heartbeat", 0),
            ("history data", len(BEAT) + DATA.index(b'{"id":1}')),
            ("history data", len(BEAT) + DATA.index(b'{"id":2}')),
            ("proxy data", len(BEAT)),
        ],
    ),
    "broker": ("client", HELLO + PROBE, [("hello", 0), ("probe", 27)]),
}

# Where its messages begin.
BEGIN = {"estreamer": [0, 8, 30], "zabbix": [0, len(BEAT)], "broker": [0, 27]}

# What ends a stream badly when it follows the sound one.
BROKEN = {
    "estreamer": bytes.fromhex("0002000000000000"),
    "zabbix": b"HTTP/1.1 200 OK\r\n\r\n",
    "broker": bytes.fromhex("ffffffff0000"),
}


def sound(tap, dialect):
    speaker, data, expected = SOUND[dialect]
    result = leat("decode", dialect, "--from", speaker, data=data)
    clean(tap, f"{dialect}: a sound stream", result)
    events = result.events()
    tap.same(f"{dialect}: its events", [(e["event"], e["offset"]) for e in events], expected)
    tap.check(
        f"{dialect}: members of each line",
        all(list(event) == ["event", "offset", "value"] for event in events),
        events,
    )
    hexed = data.hex()
    spaced = " \t\r\n\v\f".join(hexed[i : i + 3] for i in range(0, len(hexed), 3)) + "\n"
    upper = "\n".join(hexed[i : i + 64] for i in range(0, len(hexed), 64)).upper()
    file, hexfile = temporary(data), temporary(hexed)
    for name, other in {
        "a file": leat("decode", dialect, "--from", speaker, file),
        "the file -": leat("decode", dialect, "-", f"--from={speaker}", data=data),
        "after --": leat("decode", dialect, "--from", speaker, "--", file),
        "a file of hex": leat("decode", dialect, "--hex", hexfile, "--from", speaker),
        "hex with white space": leat("decode", dialect, "--hex", "--from", speaker, data=spaced),
        "hex in capitals": leat("decode", dialect, "--hex", "--from", speaker, data=upper),
        "nobody named": leat("decode", dialect, data=data),
    }.items():
        clean(tap, f"{dialect}: {name}", other)
        tap.same(f"{dialect}: {name} gives the same", other.out, result.out)
    empty = leat("decode", dialect)
    tap.check(f"{dialect}: no bytes, no events", empty.code == 0 and empty.out == empty.err.encode() == b"")


def cut(tap, dialect):
    """The stream ends at each place: what is whole is printed, what is not is an error at its offset."""
    speaker, data, expected = SOUND[dialect]
    whole = leat("decode", dialect, "--from", speaker, data=data).out.decode().splitlines()
    begin = [*BEGIN[dialect], len(data)]
    wrong = []
    for end in range(len(data) + 1):
        result = leat("decode", dialect, "--from", speaker, data=data[:end])
        lines = result.out.decode().splitlines()
        # Of a message that is cut its rows may be there, and nothing after them.
        last_whole = max(place for place in begin if place <= end)
        least = sum(offset < last_whole for _, offset in expected)
        good = lines == whole[: len(lines)] and len(lines) >= least
        if end in begin:
            good = good and result.code == 0 and result.err == "" and len(lines) == least
        else:
            good = good and result.code == 1 and "leat: standard input: offset " in result.err
        if not good:
            wrong.append((end, result.code, result.err, lines))
    tap.check(f"{dialect}: cut at each place", not wrong, wrong[:3])


def broken(tap, dialect):
    speaker, data, expected = SOUND[dialect]
    file = temporary(data + BROKEN[dialect])
    result = leat("decode", dialect, "--from", speaker, file)
    tap.check(
        f"{dialect}: broken framing",
        result.code == 1 and result.err.startswith(f"leat: {file}: offset "),
        result.err,
    )
    tap.check(f"{dialect}: one complaint", result.err.count("\n") == 1, result.err)
    words = result.err[len(f"leat: {file}: offset ") :].split(":", 1)
    tap.check(
        f"{dialect}: its offset is in the broken message",
        len(data) <= int(words[0]) < len(data) + len(BROKEN[dialect]) and len(words[1]) > 5,
        result.err,
    )
    tap.same(f"{dialect}: all before it is printed", len(result.events()), len(expected))
    for name, text, place in (
        ("is not a hex digit", data.hex() + "  0g00", len(data) * 2 + 3),
        ("is not a hex digit", data.hex() + "-", len(data) * 2),
        ("has one digit only", data.hex() + " 0\n", len(data) * 2 + 3),
    ):
        result = leat("decode", dialect, "--hex", "--from", speaker, data=text)
        tap.check(
            f"{dialect}: hex that {name}",
            result.code == 1 and f"leat: standard input: character {place}: " in result.err,
            result.err,
        )
        tap.same(f"{dialect}: all before what {name}", len(result.events()), len(expected))


def live(tap, dialect):
    """An event is printed when its last byte is there, not when the next one comes."""
    speaker, data, expected = SOUND[dialect]
    with subprocess.Popen(
        [LEAT, "decode", dialect, "--from", speaker], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        for i, octet in enumerate(data):
            process.stdin.write(bytes([octet]))
            process.stdin.flush()
        lines = [process.stdout.readline() for _ in expected]
        process.stdin.close()
        tap.same(f"{dialect}: printed while the pipe is open", [strict(line)["event"] for line in lines],
                 [name for name, _ in expected])
        tap.check(f"{dialect}: nothing more at the end", process.stdout.read() == b"")
        tap.check(f"{dialect}: ends well", process.wait() == 0)


def body(tap):
    text = '{"request":"proxy data","host":"p1","history data":[{"id":1},{"id":2}]}'
    result = leat("decode", "zabbix", "--body", data=text)
    clean(tap, "--body", result)
    tap.same("--body: the events of the framed message but for offsets",
             [(e["event"], e["value"]) for e in result.events()],
             [(e["event"], e["value"]) for e in leat("decode", "zabbix", data=zabbix_frame(text)).events()])
    tap.same("--body: offsets", [e["offset"] for e in result.events()],
             [text.index('{"id":1'), text.index('{"id":2'), 0])
    result = leat("decode", "zabbix", "--body", temporary(text.replace('"p1"', "p1")))
    event = result.events()[-1]
    tap.check("--body: a fault", result.code == 1 and "error" in event and "raw" in event, event)
    tap.check("--body: its place", event.get("error_offset") == text.index('"p1"'), event)


def undecodable(tap):
    """A malformed body in a sound frame: error and raw bytes; the next message is read."""
    bad = zabbix_frame('{"request":"proxy data","host":}')
    result = leat("decode", "zabbix", data=BEAT + bad + BEAT)
    events = result.events()
    tap.same("an event between two that could not be decoded", len(events), 3)
    tap.same("exit code of it", result.code, 1)
    tap.check("complaint of it", f"events that could not be decoded: 1; the first, at offset {len(BEAT)}: "
              in result.err, result.err)
    event = events[1]
    tap.check("its error", isinstance(event["error"], str) and event["error"], event)
    tap.check("its raw bytes", bytes.fromhex(event["raw"]) in bad and event["raw"], event)
    tap.same("its offset", event["offset"], len(BEAT))
    tap.check("the offset of its error", len(BEAT) < event["error_offset"] < len(BEAT) + len(bad), event)
    tap.same("the next one is sound", events[2]["event"], "proxy heartbeat")


def odd_text(tap):
    """Names and texts of any octets make sound lines."""
    text = b'{"request":"q\\"\\\\\\u0001\xff","x":"\xc3\xa9 \xf0\x9f\x98\x80 \\ud83d\\ude00"}'
    result = leat("decode", "zabbix", data=zabbix_frame(text))
    tap.check("every line is UTF-8 and JSON", len(result.events()) == 1, result.out)
    rows = b'{"data":{"ta\\"ble\\n":{"fields":["a"],"data":[[1]]}}}'
    result = leat("decode", "zabbix", data=zabbix_frame(rows))
    tap.check("a table's name is escaped", result.events()[0]["event"].endswith('ta"ble\n'), result.out)


def most_memory(arguments, pieces, lines_expected):
    """Feeds the program pieces; its exit code, the number of lines, the most memory that it had in KiB."""
    reader, writer = os.pipe()
    with subprocess.Popen([LEAT, *arguments], stdin=reader, stdout=subprocess.PIPE) as process:
        os.close(reader)
        feeder = os.fork()
        if feeder == 0:
            for piece in pieces:
                view = memoryview(piece)
                while view:
                    view = view[os.write(writer, view) :]
            os._exit(0)
        lines = 0
        while lines < lines_expected and (chunk := process.stdout.read1(1 << 16)):
            lines += chunk.count(b"\n")
        os.waitpid(feeder, 0)
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        os.close(writer)
        lines += process.stdout.read().count(b"\n")
        code = process.wait()
    return code, lines, int(re.search(r"VmHWM:\s*(\d+) kB", status).group(1))


def memory(tap):
    """A message of 40 MiB, plain and compressed, in what a small one takes."""
    row = b'{"id":%d,"itemid":930001,"clock":1795292180,"ns":801840659,"value":"1"},'
    rows = b"".join(row % i for i in range(8192))
    count = 40 * 1024 * 1024 // len(rows)
    text = [b'{"request":"proxy data","host":"p1","history data":[', *[rows] * count, b'{"id":1}],"version":"7.0.22"}']
    length = sum(map(len, text))
    plain = [b"ZBXD\1" + length.to_bytes(4, "little") + bytes(4), *text]
    packer = zlib.compressobj(1)
    packed = [packer.compress(piece) for piece in text] + [packer.flush()]
    packed_length = sum(map(len, packed))
    packed = [b"ZBXD\3" + packed_length.to_bytes(4, "little") + length.to_bytes(4, "little"), *packed]
    for name, pieces in (("plain", plain), ("compressed", packed)):
        code, lines, most = most_memory(["decode", "zabbix"], pieces, 8192 * count + 2)
        tap.same(f"40 MiB {name}: exit code", code, 0)
        tap.same(f"40 MiB {name}: events", lines, 8192 * count + 2)
        if not SANITIZED:
            tap.check(f"40 MiB {name}: memory", most < 6144, f"{most} KiB")


def noise(tap, dialect):
    """Whatever comes, lines are JSON and the exit code is 0 or 1."""
    random.seed(7)
    speaker, data, _ = SOUND[dialect]
    wrong = []
    for i in range(60):
        octets = bytearray(data)
        for _ in range(random.randrange(1, 6)):
            octets[random.randrange(len(octets))] = random.randrange(256)
        result = leat("decode", dialect, "--from", speaker, data=bytes(octets))
        try:
            result.events()
        except ValueError as error:
            wrong.append((i, error, result.out))
        if result.code not in (0, 1) or (result.code == 1) != (result.err != ""):
            wrong.append((i, result.code, result.err))
    tap.check(f"{dialect}: noise", not wrong, json.dumps(wrong[:2], default=str))


def main():
    tap = Tap()
    for dialect in DIALECTS:
        for function in (sound, cut, broken, live, noise):
            tap.run(lambda tap, f=function, d=dialect: f(tap, d))
    if "zabbix" in DIALECTS:
        for function in (body, undecodable, odd_text, memory):
            tap.run(function)
    if not DIALECTS:
        tap.check("no dialect, no streams", True)
    return tap.end()


sys.exit(main())
