#!/usr/bin/env python3
"""leat decode capture: recordings, sound and otherwise."""

import json
import sys

from cli import DIALECTS, Tap, clean, leat, temporary, zabbix_frame

BEAT = zabbix_frame('{"request":"proxy heartbeat","host":"p1"}')
ANSWER = zabbix_frame('{"response":"success"}')
A, B = "proxy>server", "server>proxy"


def line(**members):
    return json.dumps(members)


def chunk(direction, octets, **members):
    return line(dir=direction, t=0.5, hex=octets.hex(), **members)


def decode(*lines):
    return leat("decode", "capture", "zabbix", data="\n".join(lines) + "\n")


def shown(result):
    return [(event["event"], event["dir"], event.get("conn")) for event in result.events()]


def sound(tap):
    lines = [
        chunk(A, BEAT[:20]),
        chunk(B, ANSWER[:1]),
        line(ev="something", dir=A, t=1),
        chunk(A, BEAT[20:] + BEAT),
        chunk(B, ANSWER[1:]),
        line(dir=A, t=2, ev="eof"),
        chunk(B, ANSWER),
        line(dir=B, t=3, ev="eof"),
    ]
    result = decode(*lines)
    clean(tap, "a conversation", result)
    tap.same(
        "both directions in their order",
        shown(result),
        [
            ("proxy heartbeat", A, None),
            ("proxy heartbeat", A, None),
            ("response", B, None),
            ("response", B, None),
        ],
    )
    tap.same("offsets", [event["offset"] for event in result.events()], [0, len(BEAT), 0, len(ANSWER)])
    tap.same("members", list(result.events()[0]), ["event", "dir", "offset", "value"])
    file = temporary("\n".join(lines))
    tap.same("a file, its last line without an end", leat("decode", "capture", "zabbix", file).out,
             result.out)
    tap.same("the file -", leat("decode", "capture", "zabbix", "-", data="\r\n".join(lines)).out, result.out)
    clean(tap, "an empty recording", leat("decode", "capture", "zabbix"))


def connections(tap):
    result = decode(
        line(t=0, conn=1, event="open", to=10051),
        chunk("a>b", BEAT[:9], conn=1),
        line(t=0, conn=18446744073709551615, event="open", to=10051),
        chunk("a>b", BEAT, conn=18446744073709551615),
        line(t=0, conn=3, event="connect-failed"),
        chunk("a>b", BEAT[9:], conn=1),
        chunk("b>a", ANSWER, conn=1),
        line(t=1, conn=1, dir="a>b", event="eof"),
        line(t=1, conn=1, event="closed"),
        line(t=1, conn=18446744073709551615, event="closed"),
        line(t=2, conn=1, event="open", to=10051),
        chunk("a>b", BEAT, conn=1),
        line(t=2, conn=1, dir="a>b", event="error", detail="reset"),
    )
    clean(tap, "several connections", result)
    tap.same(
        "each has its own streams",
        [(*shown_, event["offset"]) for shown_, event in zip(shown(result), result.events())],
        [
            ("proxy heartbeat", "a>b", 18446744073709551615, 0),
            ("proxy heartbeat", "a>b", 1, 0),
            ("response", "b>a", 1, 0),
            ("proxy heartbeat", "a>b", 1, 0),
        ],
    )
    tap.same("members", list(result.events()[0]), ["event", "dir", "conn", "offset", "value"])


def malformed(tap, name, reason, lines, events):
    result = decode(*lines)
    tap.check(name, result.code == 1 and reason in result.err, f"{result.code} {result.err}")
    tap.same(f"{name}: all that is sound is printed", len(result.events()), events)


def unsound(tap):
    whole = chunk(A, BEAT)
    for name, end in {
        "the end of its direction": [line(dir=A, t=1, ev="eof")],
        "a reset": [line(dir=A, t=1, ev="error")],
        "the connection closed": [line(t=1, event="closed")],
        "another opened": [line(t=1, event="open")],
        "the end of the recording": [],
    }.items():
        malformed(tap, f"half a message, then {name}", f"{A}: offset {len(BEAT) + 30}: ",
                  [whole, chunk(A, BEAT[:30]), *end], 1)
    malformed(tap, "broken framing ends one direction only", f"line 2: {A}: offset {len(BEAT)}: ",
              [whole, chunk(A, b"HTTP/1.1 200"), chunk(B, ANSWER), chunk(A, BEAT)], 2)
    malformed(tap, "in a connection", f"{A} of connection 7: offset 0: ",
              [chunk(A, b"HTTP/1.1 200", conn=7), chunk(A, BEAT, conn=8)], 1)
    malformed(tap, "an event that could not be decoded", "could not be decoded: 1",
              [chunk(A, zabbix_frame('{"a":}')), chunk(A, BEAT)], 2)
    for name, bad, reason in (
        ("not JSON", "{", ""),
        ("an empty line", "", ""),
        ("no object", "[1]", "neither hex nor ev"),
        ("neither hex nor ev", line(dir=A, t=1), "neither hex nor ev"),
        ("hex that is a number", line(dir=A, hex=12), "neither hex nor ev"),
        ("no hex digits", line(dir=A, hex="0g"), "hex is not hex digits"),
        ("an odd number of hex digits", line(dir=A, hex="000"), "hex is not hex digits"),
        ("no dir", line(t=1, hex="00"), "dir is missing"),
    ):
        malformed(tap, f"a line with {name}", f"leat: standard input: line 2: {reason}",
                  [whole, bad, chunk(A, BEAT)], 1)


def long_lines(tap):
    rows = ",".join('{"id":%d,"value":"%s"}' % (i, "x" * 100) for i in range(30000))
    message = zabbix_frame('{"request":"proxy data","host":"p1","history data":[' + rows + "]}")
    result = decode(chunk(A, message), chunk(B, ANSWER))
    clean(tap, f"a line of {2 * len(message)} digits", result)
    tap.same("its events", len(result.events()), 30002)


def main():
    tap = Tap()
    if "zabbix" in DIALECTS:
        for function in (sound, connections, unsound, long_lines):
            tap.run(function)
    else:
        tap.check("no Zabbix, no recordings of it", True)
    return tap.end()


sys.exit(main())
