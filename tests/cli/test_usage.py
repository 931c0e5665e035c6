#!/usr/bin/env python3
"""Help, versions, and wrong usage: exit code 2, the reason on standard error, nothing else."""

import os
import pathlib
import re
import subprocess
import sys

from cli import DIALECTS, LEAT, OPENSSL, ROOT, Tap, leat, temporary

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
    "zabbix proxy": "zabbix",
    "zabbix server": "zabbix",
    "zabbix send": "zabbix",
    "zabbix get": "zabbix",
    "broker peer": "broker",
    "broker ws": "broker",
    "zeek agent": "broker",
    "zeek controller": "broker",
    "zeek client": "broker",
    "zeek events": "broker",
}

# What is needed besides options.
OPERANDS = {
    "decode estreamer-record": ["4"],
    "encode estreamer-record": ["4"],
    "estreamer client": ["4"],
    "zabbix send": ["4"],
    "zabbix get": ["4", "5"],
    "zeek client": ["4", "5"],
}

# Arguments, and what standard error must speak of.
WRONG = [
    ("", "Commands:"),
    ("decode", "decode what?"),
    ("encode", "encode what?"),
    ("estreamer", "estreamer what?"),
    ("zabbix", "zabbix what?"),
    ("broker", "broker what?"),
    ("zeek", "zeek what?"),
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
        ("zabbix send", "leat zabbix send [OPTION...] HOST:PORT"),
        ("zabbix send 127.0.0.1:1", "KEY VALUE or --input is missing"),
        ("zabbix send 127.0.0.1:1 key", "KEY VALUE or --input is missing"),
        ("zabbix send 127.0.0.1:1 key value", "--host is missing"),
        ("zabbix send 127.0.0.1:1 key value more", "one argument too many: more"),
        ("zabbix send 127.0.0.1:1 --host h key value --with-ns", "--with-ns needs --input"),
        ("zabbix send 127.0.0.1:1 --host h key value --with-timestamps", "--with-timestamps needs --input"),
        ("zabbix send 127.0.0.1:1 --input - key", "KEY VALUE and --input exclude each other"),
        ("zabbix send 127.0.0.1:1 --input /nowhere/file", "/nowhere/file: No such file"),
        ("zabbix send 127.0.0.1 --host h key value", "127.0.0.1: not HOST:PORT"),
        ("zabbix send 127.0.0.1:1 --host h key value --timeout 0", "--timeout 0"),
        ("zabbix send 127.0.0.1:1 --host h key value --timeout soon", "--timeout soon: not a number"),
        ("zabbix get 127.0.0.1:1", "leat zabbix get [OPTION...] HOST:PORT KEY"),
        ("zabbix get 127.0.0.1:1 key value", "one argument too many: value"),
        ("zabbix get 127.0.0.1:1 key --as-version 4.4", "--as-version 4.4: not a version from 5.0"),
        ("zabbix get 127.0.0.1:1 key --as-version seven", "--as-version seven: not a version"),
        ("zabbix get 127.0.0.1:1 key --as-version 7.00000000000000000000000000000000",
         "not a version"),
        ("zabbix get 127.0.0.1:1 key --psk-identity i", "--psk-identity and --psk-file go together"),
        ("zabbix get 127.0.0.1:1 key --psk-file /nowhere/file", "/nowhere/file: No such file"),
        ("zabbix get 127.0.0.1:1 key --tls-connect tls", "--tls-connect tls: not unencrypted, psk or cert"),
        ("zabbix get 127.0.0.1:1 key --tls-connect psk", "--tls-connect psk: there is no key for it"),
        ("zabbix get 127.0.0.1:1 key --tls-connect cert", "--tls-connect cert: there is no key for it"),
        ("zabbix get 127.0.0.1:1 key --tls-accept psk", "unknown option --tls-accept"),
        ("zabbix get 127.0.0.1:1 key --issuer CN=ca", "--issuer needs --cert"),
        ("zabbix get 127.0.0.1:1 key --subject CN=ca", "--subject needs --cert"),
        ("zabbix get 127.0.0.1:1 key --record /nowhere/file", "/nowhere/file: No such file"),
        ("zabbix proxy", "--name is missing"),
        ("zabbix proxy --name px", "--server is missing"),
        ("zabbix proxy --name px --server 127.0.0.1", "127.0.0.1: not HOST:PORT"),
        ("zabbix proxy --name p/x --server 127.0.0.1:1", "--name p/x: not the name of a proxy"),
        ("zabbix proxy --name px --server 127.0.0.1 --passive", "--passive needs --listen"),
        ("zabbix proxy --name px --server localhost --passive --listen :0", "--server localhost: not addresses"),
        ("zabbix proxy --name px --server 10.0.0.0/33 --passive --listen :0", "not the length of a prefix"),
        ("zabbix proxy --name px --server ::/129 --passive --listen :0", "not the length of a prefix"),
        ("zabbix proxy --name px --server 10.0.0.1, --passive --listen :0", "not addresses"),
        ("zabbix proxy --name px --server 127.0.0.1:1 --listen 127.0.0.1", "127.0.0.1: not ADDR:PORT"),
        ("zabbix proxy --name px --server 127.0.0.1:1 --session 12", "--session 12: not 32 hexadecimal"),
        ("zabbix proxy --name px --server 127.0.0.1:1 --session 0123456789ABCDEF0123456789ABCDEF",
         "not 32 hexadecimal digits in lower case"),
        ("zabbix proxy --name px --server 127.0.0.1:1 --buffer-policy burn", "not wait or drop-oldest"),
        ("zabbix proxy --name px --server 127.0.0.1:1 --buffer-rows 0", "--buffer-rows 0: not a number"),
        ("zabbix proxy --name px --server 127.0.0.1:1 --buffer-bytes x", "--buffer-bytes x: not a number"),
        ("zabbix proxy --name px --server 127.0.0.1:1 --buffer-age x", "--buffer-age x: not a number"),
        ("zabbix proxy --name px --server 127.0.0.1:1 --config-frequency x", "--config-frequency x"),
        ("zabbix proxy --name px --server 127.0.0.1:1 --data-frequency x", "--data-frequency x"),
        ("zabbix proxy --name px --server 127.0.0.1:1 --tls-accept psk", "--tls-accept psk: there is no key"),
        ("zabbix proxy --name px --server 127.0.0.1:1 --tls-accept cert", "--tls-accept cert: there is no key"),
        ("zabbix proxy --name px --server 127.0.0.1:1 --tls-accept psk,", "not unencrypted, psk or cert"),
        ("zabbix server", "--listen is missing, or a proxy to connect to"),
        ("zabbix server --proxy px", "--listen is missing, or a proxy to connect to"),
        ("zabbix server --listen 127.0.0.1", "127.0.0.1: not ADDR:PORT"),
        ("zabbix server --listen :0 --proxy p/x", "proxy p/x"),
        ("zabbix server --listen :0 --proxy px --proxy px", "--proxy px: it is there twice"),
        ("zabbix server --poll 127.0.0.1", "127.0.0.1: not HOST:PORT"),
        ("zabbix server --poll px=127.0.0.1", "127.0.0.1: not HOST:PORT"),
        ("zabbix server --poll px=127.0.0.1:1 --proxy px", "it is there twice"),
        ("zabbix server --listen :0 --config /nowhere/file", "/nowhere/file: No such file"),
        ("zabbix server --listen :0 --config-frequency x", "--config-frequency x"),
        ("zabbix server --listen :0 --data-frequency x", "--data-frequency x"),
        ("zabbix server --listen :0" + " --throttle" * 256, "too many options"),
    ],
    "broker": [
        ("decode broker --body", "unknown option --body"),
        ("decode broker --from sender", "--from sender: Broker has no such side"),
        ("decode broker-data --hex", "unknown option --hex"),
        ("decode broker-data one two", "one argument too many"),
        ("encode broker-data --typed", "unknown option --typed"),
        ("broker peer --no-tls", "--listen is missing, or a peer to --connect to"),
        ("broker peer here", "one argument too many: here"),
        ("broker peer --connect", "--connect needs HOST:PORT"),
        ("broker peer --no-tls --connect nowhere", "nowhere: not HOST:PORT"),
        ("broker peer --no-tls --connect 127.0.0.1:0", "127.0.0.1:0"),
        ("broker peer --no-tls --listen nowhere", "nowhere: not ADDR:PORT"),
        ("broker peer --listen :0 --id me", "--id me: not a UUID"),
        ("broker peer --listen :0 --id 00000000-0000-0000-0000-000000000000", "--id: the id of nobody"),
        ("broker peer --listen :0 --id 0000000000000000000000000000000000001", "not a UUID"),
        ("broker peer --listen :0 --retry soon", "--retry soon: not a number"),
        ("broker peer --listen :0 --retry 1.5", "--retry 1.5: not a number"),
        ("broker peer --listen :0 --ping x", "--ping x: not a number"),
        ("broker peer --listen :0 --queue 0", "--queue 0: not a number"),
        ("broker peer --listen :0 --overflow burn", "--overflow burn: not wait, disconnect, drop-newest or drop-old"),
        ("broker peer --listen :0 --no-tls --subscribe <$>/local/x", "--subscribe <$>/local/x: "),
        ("broker peer --listen :0 --no-tls --forward <$>/local/x", "--forward <$>/local/x: "),
        ("broker peer --listen :0 --no-tls --ca /dev/null", "--no-tls and --ca exclude each other"),
        ("broker peer --listen :0 --no-tls --record /nowhere/file", "/nowhere/file: No such file"),
        ("broker peer --listen :0 --flavour zeek", "unknown option --flavour"),
        ("zeek agent --no-tls", "--name is missing"),
        ("zeek agent --connect 127.0.0.1:1 --no-tls", "--name is missing"),
        ("zeek agent --name a --no-tls", "--listen is missing, or a controller to --connect to"),
        ("zeek agent --name a --no-tls --connect here", "here: not HOST:PORT"),
        ("zeek agent --name a --no-tls --connect 127.0.0.1:0", "127.0.0.1:0: not HOST:PORT"),
        ("zeek agent --name a --listen nowhere --no-tls", "nowhere: not ADDR:PORT"),
        ("zeek agent --name a --listen :0 --retry 0 --no-tls", "--retry 0: not a number from 1"),
        ("zeek agent --name a --listen :0 --timeout x --no-tls", "--timeout x: not a number of seconds"),
        ("zeek agent --name a --listen :0 --id me --no-tls", "--id me: not a UUID"),
        ("zeek agent --name= --listen 127.0.0.1:0 --no-tls", "--name or --connect: not what an agent can have"),
        ("zeek agent --name " + "a" * 256 + " --listen 127.0.0.1:0 --no-tls", "not what an agent can have"),
        ("zeek agent --name a b", "one argument too many: b"),
        ("zeek agent --name a --subscribe x", "unknown option --subscribe"),
        ("zeek controller x", "one argument too many: x"),
        ("zeek controller --listen nowhere --no-tls", "nowhere: not ADDR:PORT"),
        ("zeek controller --listen 127.0.0.1:0 --retry 0 --no-tls", "--retry 0: not a number from 1"),
        ("zeek controller --listen 127.0.0.1:0 --timeout x --no-tls", "--timeout x: not a number of seconds"),
        ("zeek controller --broker-ports 65536 --no-tls", "--broker-ports 65536: not a number from 0 to 65535"),
        ("zeek controller --metrics-ports x --no-tls", "--metrics-ports x: not a number from 0 to 65535"),
        ("zeek controller --no-tls --ca /dev/null", "--no-tls and --ca exclude each other"),
        ("zeek client", "leat zeek client [OPTION...] HOST:PORT COMMAND"),
        ("zeek client 127.0.0.1:1", "leat zeek client [OPTION...] HOST:PORT COMMAND"),
        ("zeek events one two", "one argument too many: two"),
        ("zeek events --all", "unknown option --all"),
    ],
}
WRONG_WITH_OPENSSL = [
    ("broker peer --listen :0 --cert /nowhere/file", "/nowhere/file: No such file"),
    ("broker peer --listen :0 --password-file /dev/null", "there is no --pkcs12 or --key"),
    ("broker peer --listen :0 --ca /dev/null", "TLS: "),
    ("broker ws", "--connect or --listen, and not both"),
    ("broker ws --listen :0 --connect ws://x", "--connect or --listen, and not both"),
    ("broker ws --connect http://127.0.0.1:1", "not ws://HOST:PORT or wss://HOST:PORT"),
    ("broker ws --connect 127.0.0.1:1", "not ws://HOST:PORT or wss://HOST:PORT"),
    ("broker ws --connect ws://", "not ws://HOST:PORT or wss://HOST:PORT"),
    ("broker ws --connect ws:///path", "not ws://HOST:PORT or wss://HOST:PORT"),
    ("broker ws --connect ws://127.0.0.1:port", "127.0.0.1:port: not HOST:PORT"),
    ("broker ws --connect ws://x#y", "not ws://HOST:PORT or wss://HOST:PORT"),
    ("broker ws --connect ws://x/y#z", "not ws://HOST:PORT or wss://HOST:PORT"),
    ("broker ws --connect ws://" + "x" * 300, "not ws://HOST:PORT or wss://HOST:PORT"),
    ("broker ws --connect ws://x --ca /dev/null", "--ca needs wss://"),
    ("broker ws --connect ws://x --peer-name y", "--peer-name needs wss://"),
    ("broker ws --connect ws://x --no-tls", "--connect and --no-tls exclude each other"),
    ("broker ws --connect ws://x --peer 127.0.0.1:1", "--connect and --peer exclude each other"),
    ("broker ws --connect ws://x --id 1", "--connect and --id exclude each other"),
    ("broker ws --connect ws://x --name a,b", "not what a request can hold"),
    ("broker ws --connect ws://x --retry x", "--retry x: not a number"),
    ("broker ws --connect ws://x --ping x", "--ping x: not a number"),
    ("broker ws --listen :0 --name x", "--listen and --name exclude each other"),
    ("broker ws --listen :0 --peer-name x", "--listen and --peer-name exclude each other"),
    ("broker ws --listen :0 --flavour vanilla", "--flavour vanilla: not zeek or broker"),
    ("broker ws --listen :0 --no-tls --peer nowhere", "nowhere: not HOST:PORT"),
    ("broker ws --listen :0 --no-tls --peer-listen nowhere", "nowhere: not ADDR:PORT"),
    ("zeek controller --no-tls --listen 127.0.0.1:0 --websocket nowhere", "nowhere: not ADDR:PORT"),
    ("zeek client here get-nodes", "here: not HOST:PORT"),
    ("zeek client 127.0.0.1:1 smoke", "smoke: not what a controller can be asked"),
    ("zeek client 127.0.0.1:1 get-nodes x", "get-nodes: one argument too many"),
    ("zeek client 127.0.0.1:1 stage-config", "stage-config: something is missing"),
    ("zeek client 127.0.0.1:1 stage-config /nowhere/file", "/nowhere/file: No such file"),
    ("zeek client 127.0.0.1:1 deploy-config a b", "deploy-config: one argument too many"),
    ("zeek client 127.0.0.1:1 get-id-value", "get-id-value: something is missing"),
    ("zeek client 127.0.0.1:1 get-nodes --deployed", "--deployed is for get-config"),
    ("zeek client 127.0.0.1:1 deploy --with-state", "--with-state is for test-timeout"),
    ("zeek client 127.0.0.1:1 deploy --attempts 0", "--attempts 0: not a number from 1"),
    ("zeek client 127.0.0.1:1 deploy --timeout x", "--timeout x: not a number of seconds"),
    ("zeek client 127.0.0.1:1 deploy --ca /dev/null", "--ca needs --tls"),
    ("zeek client 127.0.0.1:1 deploy --peer-name x", "--peer-name needs --tls"),
]


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


def check_wrong(tap, words, reason):
    result = leat(*words.split())
    tap.check(
        f"leat {words}: wrong usage",
        result.code == 2 and result.out == b"" and reason in result.err,
        f"{result.code} {result.out} {result.err}",
    )


def wrong(tap):
    for dialect in ["", *DIALECTS]:
        for words, reason in WRONG_WITH.get(dialect, []) if dialect else WRONG:
            if "zabbix" in words and "zabbix" not in DIALECTS:
                continue
            check_wrong(tap, words, reason)
    for words, reason in WRONG_WITH_OPENSSL if OPENSSL and "broker" in DIALECTS else []:
        check_wrong(tap, words, reason)


def left_out(tap):
    for command, dialect in COMMANDS.items():
        if dialect is None or dialect in DIALECTS:
            continue
        words = command.split() + OPERANDS.get(command, [])
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


def closed(tap):
    """Nothing that the program opens takes the place of what a shell closed."""
    if not DIALECTS:
        return
    for number, name, words in [(0, "standard input", ["decode", "capture", *DIALECTS[:1]]),
                                (1, "standard output", ["--version"])]:
        result = subprocess.run([LEAT, *words], stderr=subprocess.PIPE, preexec_fn=lambda: os.close(number))
        told = result.stderr.decode()
        tap.check(f"closed {name}", result.returncode == 2 and f"{name}: Bad file descriptor" in told, told)


def main():
    tap = Tap()
    for function in (helps, manual, examples, wrong, left_out, unwritable, closed):
        tap.run(function)
    return tap.end()


sys.exit(main())
