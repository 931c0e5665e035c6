#!/usr/bin/env python3
"""Binds leat from Python, by ctypes alone: an event of each dialect, and a live conversation.

LEAT_LIBRARY is the shared library; the arguments are the dialects in it (none: all).
"""

import ctypes
import json
import os
import pathlib
import re
import subprocess
import sys
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_uint32, c_uint64, c_void_p

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from tap import Tap  # noqa: E402

OK, MORE, END = 0, 1, 3
FROM_SERVER, FROM_PROXY = 2, 3


def bind(library, name, result, *arguments):
    function = getattr(library, name)
    function.restype = result
    function.argtypes = arguments
    return function


class Leat:
    """The functions that decoding needs."""

    def __init__(self, path):
        library = ctypes.CDLL(path)
        self.library = library
        self.version = bind(library, "leat_version", c_char_p)
        self.feed = bind(library, "leat_feed", c_int, c_void_p, c_char_p, c_size_t)
        self.eof = bind(library, "leat_recv_eof", c_int, c_void_p)
        self.next = bind(library, "leat_next", c_int, c_void_p, POINTER(c_void_p))
        self.free = bind(library, "leat_session_free", None, c_void_p)
        self.event_name = bind(library, "leat_event_name", c_void_p, c_void_p, POINTER(c_size_t))
        self.event_value = bind(library, "leat_event_value", c_void_p, c_void_p)
        self.event_offset = bind(library, "leat_event_offset", c_uint64, c_void_p)
        self.value_json = bind(
            library, "leat_value_json", c_size_t, c_void_p, ctypes.c_char_p, c_size_t
        )
        self.value_get = bind(library, "leat_value_get", c_void_p, c_void_p, c_char_p)
        self.value_u64 = bind(library, "leat_value_u64", c_uint64, c_void_p)
        self.send = bind(library, "leat_send", c_int, c_void_p, c_char_p, c_void_p)
        self.send_data = bind(library, "leat_send_data", c_void_p, c_void_p, POINTER(c_size_t))
        self.session_error = bind(library, "leat_session_error", c_void_p, c_void_p)
        self.error_code = bind(library, "leat_error_code", c_int, c_void_p)
        self.error_text = bind(library, "leat_error_text", c_char_p, c_void_p)
        self.error_offset = bind(library, "leat_error_offset", c_uint64, c_void_p)

    def session(self, dialect, speaker):
        new = bind(
            self.library, f"leat_{dialect}_codec_new", c_int, c_void_p, c_uint32, POINTER(c_void_p)
        )
        session = c_void_p()
        if new(None, speaker, byref(session)) != OK:
            raise RuntimeError(f"no session of {dialect}")
        return session

    def json(self, value):
        length = self.value_json(value, None, 0)
        text = ctypes.create_string_buffer(length + 1)
        self.value_json(value, text, length + 1)
        return json.loads(text.raw[:length])

    def events(self, session):
        """Each event as (name, offset, value, pointer to the value); at the end the status."""
        event = c_void_p()
        length = c_size_t()
        while (status := self.next(session, byref(event))) == OK:
            name = ctypes.string_at(self.event_name(event, byref(length)), length.value).decode()
            value = self.event_value(event)
            yield name, self.event_offset(event), self.json(value), value
        yield status


def zabbix_frame(text):
    return b"ZBXD\1" + len(text).to_bytes(4, "little") + bytes(4) + text


HISTORY = (
    b'{"request":"proxy data","host":"p1","history data":'
    b'[{"id":1,"itemid":7,"clock":1700000000,"ns":18446744073709551615,"value":"\xc3\xa9"}]}'
)

# Who speaks, the bytes, and the events that they hold: name, offset, and a member with its value.
CASES = {
    "estreamer": (
        FROM_SERVER,
        bytes.fromhex("0001 0001 0000000e 00000013 0008 4e6f207370616365 0001 0000 00000000"),
        [("error", 0, "text", "No space"), ("null", 22, None, None)],
    ),
    "zabbix": (
        FROM_PROXY,
        zabbix_frame(HISTORY),
        [("history data", 13 + HISTORY.index(b'{"id":1'), "value", "\u00e9"), ("proxy data", 0, "host", "p1")],
    ),
    "broker": (
        FROM_SERVER,
        bytes.fromhex("00000005075a45454b00000016085a45454b1111111111115111911111111111111101"),
        [("probe", 0, None, None), ("version_select", 9, None, None)],
    ),
}


def decodes(tap, leat, dialect):
    speaker, data, expected = CASES[dialect]
    session = leat.session(dialect, speaker)
    writer = leat.session(dialect, speaker)
    tap.check(f"{dialect}: takes bytes", leat.feed(session, data, len(data)) == OK)
    leat.eof(session)
    got = []
    numbers = []
    for event in leat.events(session):
        if isinstance(event, int):
            tap.check(f"{dialect}: the stream ends well", event == END, event)
            break
        name, offset, value, pointer = event
        member = expected[len(got)][2] if len(got) < len(expected) else None
        got.append((name, offset, member, value[member] if member else None))
        numbers.append(leat.value_u64(leat.value_get(pointer, b"ns")))
        if dialect != "zabbix":
            sent = leat.send(writer, name.encode(), pointer)
            tap.check(f"{dialect}: {name} can be sent", sent == OK, sent)
    tap.same(f"{dialect}: the events", got, expected)
    if dialect == "zabbix":
        tap.same("zabbix: a number of 64 bits survives", numbers[0], 2**64 - 1)
    else:
        length = c_size_t()
        sent = leat.send_data(writer, byref(length))
        tap.same(f"{dialect}: gives the bytes back", ctypes.string_at(sent, length.value), data)
    leat.free(session)
    leat.free(writer)


def fails(tap, leat, dialect):
    """Broken framing ends a session with a code, a text and an offset."""
    session = leat.session(dialect, FROM_SERVER)
    leat.feed(session, b"\xff" * 64, 64)
    status = list(leat.events(session))[-1]
    error = leat.session_error(session)
    tap.check(f"{dialect}: broken framing fails", status < 0, status)
    tap.same(f"{dialect}: the code of the error", leat.error_code(error), status)
    tap.check(f"{dialect}: the text of the error", len(leat.error_text(error)) > 0)
    tap.check(f"{dialect}: the offset of the error", leat.error_offset(error) < 64)
    leat.free(session)


class ClientOptions(ctypes.Structure):
    """leat_estreamer_client_options."""

    _fields_ = [
        ("size", c_uint64),
        ("request_flags", c_uint32),
        ("initial_timestamp", c_uint32),
        ("event_types", c_void_p),
        ("event_type_count", c_size_t),
        ("bookmark", c_char_p),
        ("bookmark_length", c_size_t),
        ("bookmark_records", c_uint32),
        ("hold", c_uint32),
        ("held_records", c_uint32),
        ("endure_errors", c_uint32),
        ("idle_ms", c_uint64),
    ]


def converses(tap, leat):
    """A client and a server of eStreamer, joined by hand; the client holds back its word."""
    library = leat.library
    session_new = (c_void_p, c_void_p, POINTER(c_void_p))
    client_new = bind(library, "leat_estreamer_client_new", c_int, *session_new)
    server_new = bind(library, "leat_estreamer_server_new", c_int, *session_new)
    init = bind(library, "leat_estreamer_client_options_init", None, c_void_p, c_size_t)
    acknowledge = bind(library, "leat_estreamer_acknowledge", c_int, c_void_p, c_uint64)
    wanted = bind(library, "leat_estreamer_is_wanted", c_int, c_void_p, c_uint32)
    send_record = bind(
        library, "leat_estreamer_send_record", c_int, c_void_p, c_uint32, c_uint32, c_char_p, c_size_t
    )
    send_done = bind(library, "leat_send_done", c_int, c_void_p, c_size_t)
    options = ClientOptions()
    client, server = c_void_p(), c_void_p()

    def give(source, sink):
        length = c_size_t()
        data = leat.send_data(source, byref(length))
        if length.value:
            leat.feed(sink, ctypes.string_at(data, length.value), length.value)
            send_done(source, length.value)
        return [event for event in leat.events(sink) if not isinstance(event, int)]

    init(byref(options), ctypes.sizeof(options))
    tap.same("estreamer: the flags of a client", options.request_flags, 0x48900061)
    options.hold = 1
    tap.check("estreamer: a client", client_new(None, byref(options), byref(client)) == OK)
    tap.check("estreamer: a server", server_new(None, None, byref(server)) == OK)
    give(client, server)
    give(server, client)
    acknowledge(client, 2**64 - 1)
    give(client, server)
    tap.same("estreamer: what is wanted", wanted(server, 123), 1)
    device = (3).to_bytes(4, "big") + (6).to_bytes(4, "big") + b"sensor"
    tap.same("estreamer: a record is sent", send_record(server, 123, 1700000000, device, len(device)), OK)
    events = give(server, client)
    tap.same("estreamer: it arrives in a bundle", [name for name, *_ in events], ["message_bundle", "event_data"])
    record = events[-1][2]["record"]
    tap.same("estreamer: as it was", (record["id"], record["name"]), (3, "sensor"))
    tap.same("estreamer: nothing is acknowledged yet", give(client, server), [])
    acknowledge(client, events[-1][1])
    tap.same("estreamer: now it is", [name for name, *_ in give(client, server)], ["null"])
    leat.free(client)
    leat.free(server)


def guide(tap, path):
    """The program in the embedding guide."""
    text = (pathlib.Path(__file__).parents[2] / "doc" / "embedding.md").read_text()
    (program,) = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
    program = program.replace("libleat.so.0", path)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, timeout=60)
    tap.same("the program in the guide", (done.returncode, done.stdout, done.stderr), (0, b"probe\n", b""))


def main():
    leat = Leat(os.environ["LEAT_LIBRARY"])
    tap = Tap()
    tap.check("the library tells its version", leat.version().count(b".") == 2, leat.version())
    for dialect in sys.argv[1:] or CASES:
        tap.run(lambda tap, dialect=dialect: decodes(tap, leat, dialect))
        tap.run(lambda tap, dialect=dialect: fails(tap, leat, dialect))
        if dialect == "estreamer":
            tap.run(lambda tap: converses(tap, leat))
        if dialect == "broker":
            tap.run(lambda tap: guide(tap, os.environ["LEAT_LIBRARY"]))
    return tap.end()


sys.exit(main())
