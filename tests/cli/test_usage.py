#!/usr/bin/env python3
"""Help, versions, and wrong usage: exit code 2, the reason on standard error, nothing else."""

import os
import pathlib
import re
import subprocess
import sys

from cli import DIALECTS, LEAT, ROOT, Tap, leat, temporary

COMMANDS = {
    "decode estreamer": "estreamer",
    "decode zabbix": "zabbix",
    "decode broker": "broker",
    "decode capture": None,
    "decode broker-data": "broker",
    "decode estreamer-record": "estreamer",
    "encode broker-data": "broker",
    "encode estreamer-record": "estreamer",
    "estreamer client": "estreamer",
    "estreamer server": "estreamer",
}

# Arguments, and what standard error must speak of.
WRONG = [
    ("", "Commands:"),
    ("decode", "decode what?"),
    ("encode", "encode what?"),
    ("estreamer", "estreamer what?"),
    ("fly", "fly: no such command"),
    ("decode smoke", "decode smoke: no such command"),
    ("encode zabbix", "encode zabbix: no such command"),
    ("fly --help", "no such command"),
    ("--versions", "no such command"),
    ("decode capture", "leat decode capture DIALECT"),
    ("decode capture smoke", "unknown dialect smoke"),
    ("decode capture zabbix one two", "one argument too many: two"),
]
WRONG_WITH = {
    "estreamer": [
        ("decode estreamer one two", "one argument too many: two"),
        ("decode estreamer --from", "--from needs"),
        ("decode estreamer --from nobody", "nobody"),
        ("decode estreamer --from proxy", "--from proxy: eStreamer has no such side"),
        ("decode estreamer --hexes", "unknown option --hexes"),
        ("decode estreamer --typed", "unknown option --typed"),
        ("decode estreamer --hex=1", "unknown option --hex=1"),
        ("decode estreamer -x", "unknown option -x"),
        ("decode estreamer /nowhere/file", "/nowhere/file: No such file"),
        ("decode estreamer /", "/: Is a directory"),
        ("decode estreamer -- --hex", "--hex: No such file"),
        ("decode estreamer-record", "RECORD_TYPE"),
        ("decode estreamer-record ten", "ten: not a record type"),
        ("decode estreamer-record 1x", "1x: not a record type"),
        ("decode estreamer-record -1", "unknown option -1"),
        ("decode estreamer-record 4294967296", "not a record type"),
        ("decode estreamer-record 99999999999999999999999", "not a record type"),
        ("encode estreamer-record", "RECORD_TYPE"),
        ("encode estreamer-record 71 /nowhere/file", "/nowhere/file: No such file"),
    ],
    "zabbix": [
        ("decode zabbix --body --hex", "--body and --hex"),
        ("decode zabbix --from=nobody", "nobody"),
        ("decode capture zabbix /nowhere/file", "/nowhere/file: No such file"),
    ],
    "broker": [
        ("decode broker --body", "unknown option --body"),
        ("decode broker --from sender", "--from sender: Broker has no such side"),
        ("decode broker-data --hex", "unknown option --hex"),
        ("decode broker-data one two", "one argument too many"),
        ("encode broker-data --typed", "unknown option --typed"),
    ],
}


def helps(tap):
    version = re.search(r"version: '([^']+)'", (ROOT / "meson.build").read_text()).group(1)
    tap.same("--version", leat("--version").out.decode(), f"leat {version}\n")
    shown = leat("--help")
    tap.check("--help", shown.code == 0 and shown.err == "", shown.err)
    tap.same("-h is --help", leat("-h").out, shown.out)
    for command in COMMANDS:
        tap.check(f"--help lists {command}", f"leat {command} " in shown.out.decode())
        verb = command.split()[0]
        listed = leat(verb, "--help")
        tap.check(f"{verb} --help lists {command}", f"leat {command} " in listed.out.decode())
        own = leat(*command.split(), "--help")
        text = own.out.decode()
        tap.check(
            f"{command} --help",
            own.code == 0
            and own.err == ""
            and text.startswith(f"Usage: leat {command} ")
            and "Exit code:" in text
            and "For example:\n  " in text
            and max(map(len, text.splitlines())) <= 90,
            text,
        )
        tap.same(f"{command} -h, wherever it stands", leat(*command.split(), "x", "-h").out, own.out)


def manual(tap):
    """The manual page names every command and option."""
    text = (ROOT / "doc" / "leat.1").read_text()
    for command in COMMANDS:
        verb, noun = command.split()
        tap.check(f"leat.1 tells of {command}", re.search(rf"^\.Cm {verb} .*\b{noun}\b", text, re.M))
        for option in set(re.findall(r"--([a-z][a-z-]*)", leat(*command.split(), "--help").out.decode())):
            tap.check(f"leat.1 tells of --{option}", f"Fl -{option}" in text or f"-{option}" in text)


def examples(tap):
    """Examples in the help that need no file do what they promise."""
    path = os.pathsep.join([str(pathlib.Path(LEAT).parent), os.environ["PATH"]])
    count = 0
    for command, dialect in COMMANDS.items():
        for line in leat(*command.split(), "--help").out.decode().splitlines():
            if not line.startswith("  echo ") or dialect not in DIALECTS:
                continue
            done = subprocess.run(
                line, shell=True, env={**os.environ, "PATH": path}, capture_output=True, check=False
            )
            tap.check(
                f"example of {command}",
                done.returncode == 0 and done.stdout.count(b"\n") == 1 and not done.stderr,
                f"{line}\n{done}",
            )
            count += 1
    tap.check("there are examples", count >= len(DIALECTS))


def wrong(tap):
    for dialect in ["", *DIALECTS]:
        for words, reason in WRONG_WITH.get(dialect, []) if dialect else WRONG:
            if "zabbix" in words and "zabbix" not in DIALECTS:
                continue
            result = leat(*words.split())
            tap.check(
                f"leat {words}: wrong usage",
                result.code == 2 and result.out == b"" and reason in result.err,
                f"{result.code} {result.out} {result.err}",
            )


def left_out(tap):
    for command, dialect in COMMANDS.items():
        if dialect is None or dialect in DIALECTS:
            continue
        words = command.split() + (["4"] if "record" in command or "client" in command else [])
        result = leat(*words)
        tap.check(
            f"{command} without {dialect}",
            result.code == 2 and result.out == b"" and "left out of this build" in result.err,
            result.err,
        )
        result = leat("decode", "capture", dialect)
        tap.check(
            f"decode capture {dialect} without it",
            result.code == 2 and f"{dialect}: left out of this build" in result.err,
            result.err,
        )


def unwritable(tap):
    """What cannot be written is not lost in silence."""
    if "broker" not in DIALECTS or not os.path.exists("/dev/full"):
        return
    lines = temporary("020000000000000007\n" * 20000)
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [LEAT, "decode", "broker-data", lines], stdout=full, stderr=subprocess.PIPE, check=False
        )
    tap.check(
        "standard output that is full",
        done.returncode == 2 and b"standard output: No space left" in done.stderr,
        done,
    )


def main():
    tap = Tap()
    for function in (helps, manual, examples, wrong, left_out, unwritable):
        tap.run(function)
    return tap.end()


sys.exit(main())
