#!/usr/bin/env python3
"""The example programs, and the README that shows one of them."""

import os
import re
import subprocess
import sys

from cli import DIALECTS, ROOT, Tap, clean, leat, sessions, zabbix_frame

EMBED, SEND = os.environ["LEAT_EMBED"], os.environ["LEAT_SEND"]


def run(*command, data=b""):
    return subprocess.run(command, input=data, capture_output=True, check=False, timeout=60)


def readme(tap):
    """The program in the README is the one that is built and tested here, to the letter."""
    blocks = re.findall(r"^```c\n(.*?)^```", (ROOT / "README").read_text(), re.M | re.S)
    source = (ROOT / "examples" / "embed.c").read_text()
    tap.check("the README shows examples/embed.c", source in blocks, "\n".join(blocks))
    tap.check("it has about 30 lines", len(source.splitlines()) <= 40)


def shown(tap):
    sessions(tap, (ROOT / "README").read_text(), "README")
    sessions(tap, (ROOT / "doc" / "leat.1").read_text(), "leat.1")


def embed(tap):
    data = zabbix_frame(
        '{"request":"proxy data","host":"p1","history data":[{"id":1,"itemid":7,"value":"1.5"},'
        '{"id":2,"itemid":"18446744073709551615","value":"h\u00e9"},{"id":3,"itemid":9}],"version":"7.0.22"}'
    )
    done = run(EMBED, data=data)
    tap.same("embed: the values", done.stdout.decode(), "item 7: 1.5\nitem 18446744073709551615: h\u00e9\n")
    tap.check("embed: ends well", done.returncode == 0 and done.stderr == b"", done)
    done = run(EMBED, data=data[:-5])
    tap.check("embed: a stream that is cut", done.returncode == 1 and done.stderr.count(b"\n") == 1, done)
    tap.same("embed: what came before", done.stdout.count(b"\n"), 2)


def send(tap):
    done = run(SEND, "host one", "key", "1", "other.key[a,\"b\"]", "two\nlines")
    tap.check("send: ends well", done.returncode == 0 and done.stderr == b"", done)
    result = leat("decode", "zabbix", "--from", "sender", data=done.stdout)
    clean(tap, "send: sound", result)
    tap.same(
        "send: the message",
        [(event["event"], event["value"]) for event in result.events()],
        [
            ("data", {"host": "host one", "key": "key", "value": "1"}),
            ("data", {"host": "host one", "key": 'other.key[a,"b"]', "value": "two\nlines"}),
            ("sender data", {"request": "sender data", "data": {"rows": 2}}),
        ],
    )
    done = run(SEND, "host", b"key", b"\xff")
    tap.check("send: what must not be sent", done.returncode == 1 and not done.stdout and done.stderr, done)
    tap.check("send: wrong usage", run(SEND, "host").returncode == 2)


def main():
    tap = Tap()
    for function in (readme, embed, send, *([shown] if len(DIALECTS) == 3 else [])):
        tap.run(function)
    return tap.end()


sys.exit(main())
