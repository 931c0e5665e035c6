#!/usr/bin/env python3
"""leat decode|encode broker-data|estreamer-record: a value a line, bad lines in their place."""

import json
import sys

from cli import DIALECTS, Tap, leat, strict, temporary

# Hex, the plain JSON, the typed JSON.
BROKER = [
    ("00", "null", '{"@data-type":"none","data":{}}'),
    ("0101", "true", '{"@data-type":"boolean","data":true}'),
    ("02ffffffffffffffff", "18446744073709551615",
     '{"@data-type":"count","data":18446744073709551615}'),
    ("038000000000000000", "-9223372036854775808",
     '{"@data-type":"integer","data":-9223372036854775808}'),
    ("0506415c22e282ac", '"A\\\\\\"\u20ac"',
     '{"@data-type":"string","data":"A\\\\\\"\u20ac"}'),
    ("0600000000000000000000ffffc0000201", '"192.0.2.1"', '{"@data-type":"address","data":"192.0.2.1"}'),
    ("08005001", '"80/tcp"', '{"@data-type":"port","data":"80/tcp"}'),
    ("0e020101" + "020000000000000007", "[true,7]",
     '{"@data-type":"vector","data":[{"@data-type":"boolean","data":true},'
     '{"@data-type":"count","data":7}]}'),
]

# Lines that are no value, and the offset of what is wrong; None: wherever the library sees it.
BAD_HEX = [
    ("0g", 1), ("x", 0), ("000", 3), ("", 0), ("   ", 0), ("0f", 0), ("ff", 0), ("0200", None), ("0000", None),
    ("0505616263", None), ("\u00e9", 0), ('{"@data-type":"none","data":{}}', 0),
]
BAD_JSON = [
    ("", 0), ("{", None), ("nonsense", None), ('{"@data-type":"nothing","data":{}}', None),
    ('{"@data-type":"count","data":-1}', None), ('{"@data-type":"count"}', None),
    ('{"@data-type":"count","data":1} x', None), ('{"@data-type":"address","data":"1.2.3"}', None),
]


def bad(result, i):
    line = strict(result.out.decode().splitlines()[i])
    return "error" in line and line["error"] and isinstance(line["offset"], int)


def broker(tap):
    lines = "".join(f"{hexed}\n" for hexed, _, _ in BROKER)
    plain = leat("decode", "broker-data", data=lines)
    tap.same("broker-data: plain JSON", plain.out.decode().splitlines(), [text for _, text, _ in BROKER])
    typed = leat("decode", "broker-data", "--typed", temporary(lines))
    tap.same("broker-data: typed JSON", typed.out.decode().splitlines(), [text for _, _, text in BROKER])
    back = leat("encode", "broker-data", data=typed.out)
    tap.same("broker-data: hex", back.out.decode(), lines)
    for name, result in (("decode", plain), ("decode --typed", typed), ("encode", back)):
        tap.check(f"broker-data: {name} ends well", result.code == 0 and result.err == "", result.err)
    spaced = lines.upper().replace("00", " 00\t").replace("\n", " \r\n").rstrip("\n")
    tap.same("broker-data: white space, capitals, no end of the last line",
             leat("decode", "broker-data", "-", data=spaced).out, plain.out)
    spaced = typed.out.replace(b",", b" ,\t ").replace(b"\n", b" \t\r\n")
    tap.same("broker-data: white space in JSON", leat("encode", "broker-data", data=spaced).out, back.out)
    for command in (("decode", "broker-data"), ("encode", "broker-data")):
        empty = leat(*command)
        tap.check(f"{command[0]} broker-data: nothing", (empty.code, empty.out, empty.err) == (0, b"", ""))


def broker_bad(tap):
    for verb, wrong, good in (
        ("decode", BAD_HEX, "020000000000000007"),
        ("encode", BAD_JSON, '{"@data-type":"count","data":7}'),
    ):
        for text, offset in wrong:
            result = leat(verb, "broker-data", data=f"{good}\n{text}\n{good}\n")
            lines = result.out.decode().splitlines()
            name = f"{verb} broker-data: the bad line {text!r}"
            if not tap.check(name, result.code == 1 and len(lines) == 3 and lines[0] == lines[2]
                             and bad(result, 1), f"{result.code} {result.err} {lines}"):
                continue
            if offset is not None:
                tap.same(f"{name}: offset", strict(lines[1])["offset"], offset)
            tap.check(f"{name}: complaint", "bad lines: 1 of 3; the first is line 2" in result.err, result.err)
    result = leat("encode", "broker-data", data=b'{"@data-type":"string","data":"\xff\xfe"}\n')
    tap.check("octets that are not UTF-8 in Broker's strings", result.code in (0, 1) and result.out, result.out)


def broker_long(tap):
    text = "ab" * (3 << 20)
    line = '{"@data-type":"string","data":"%s"}' % text
    result = leat("encode", "broker-data", data=f"{line}\n{line}\n")
    clean_hex = result.out.decode().splitlines()
    tap.check("a line of 6 MiB", result.code == 0 and len(clean_hex) == 2 and clean_hex[0] == clean_hex[1]
              and bytes.fromhex(clean_hex[0]).endswith(text.encode()), result.err)
    back = leat("decode", "broker-data", "--typed", data=result.out)
    tap.same("and back", back.out.decode().splitlines(), [line, line])
    many = "020000000000000007\n" * 100000
    result = leat("decode", "broker-data", data=many)
    tap.same("100000 lines", result.out, b"7\n" * 100000)


def estreamer(tap):
    payload = b"\0\0\0\7" + b"\0\4" + b"high"
    result = leat("decode", "estreamer-record", 4, data=payload.hex() + "\n")
    clean_line(tap, "estreamer-record: a sound payload", result)
    value = {"priority_id": 7, "name_length": 4, "name": "high"}
    tap.same("estreamer-record: its fields", strict(result.out), value)
    back = leat("encode", "estreamer-record", "4", "-", data=result.out)
    tap.same("estreamer-record: and back", back.out.decode(), payload.hex() + "\n")
    unknown = leat("decode", "estreamer-record", 4000000000, temporary("00ff\n\n"))
    tap.same("estreamer-record: an unknown type is bytes", unknown.out.decode(), '"00ff"\n""\n')
    back = leat("encode", "estreamer-record", 4000000000, data=unknown.out)
    tap.same("estreamer-record: an unknown type and back", back.out.decode(), "00ff\n\n")
    for text, offset, field in (
        ("0g", 1, None), ("000", 3, None), ("0000", 0, "priority_id"), ("00000007000968696768", 6, "name")
    ):
        result = leat("decode", "estreamer-record", "4", data=f"{text}\n{payload.hex()}\n")
        lines = result.out.decode().splitlines()
        tap.check(f"estreamer-record: the bad line {text!r}",
                  result.code == 1 and bad(result, 0) and len(lines) == 2 and strict(lines[1]) == value,
                  f"{result.code} {result.out} {result.err}")
        tap.same(f"estreamer-record: where {text!r} is bad",
                 [strict(lines[0]).get(name) for name in ("offset", "field")], [offset, field])
    for text in ("", "{", '{"priority_id":-1}', '{"priority_id":4294967296}', '{"priority_id":7,"other":1}'):
        result = leat("encode", "estreamer-record", "4", data=f"{text}\n{json.dumps(value)}\n")
        lines = result.out.decode().splitlines()
        tap.check(f"encode estreamer-record: the bad line {text!r}",
                  result.code == 1 and bad(result, 0) and lines[1:] == [payload.hex()],
                  f"{result.code} {result.out} {result.err}")


def clean_line(tap, name, result):
    tap.check(name, result.code == 0 and result.err == "" and result.out.count(b"\n") == 1,
              f"{result.code} {result.out} {result.err}")


def main():
    tap = Tap()
    if "broker" in DIALECTS:
        for function in (broker, broker_bad, broker_long):
            tap.run(function)
    if "estreamer" in DIALECTS:
        tap.run(estreamer)
    if tap.count == 0:
        tap.check("no dialect that has values", True)
    return tap.end()


sys.exit(main())
