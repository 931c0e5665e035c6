#!/usr/bin/env python3
"""The eStreamer guide: what it repeats is up to date, its links lead somewhere, its program and commands work."""

import os
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

import guide
from cli import OPENSSL, ROOT, VECTORS, Tap, leat, sessions, strict
from live import Program, read_exactly

GUIDE = (guide.DOC / "estreamer.md").read_text(encoding="utf-8")
CLIENT = os.environ.get("LEAT_ESTREAMER_CLIENT")  # if OPENSSL
RECORDED = VECTORS / "estreamer"


def commands(tap):
    sessions(tap, GUIDE, "estreamer.md")


def repeated(tap):
    guide.up_to_date(tap, "estreamer_guide.py", "estreamer.md", "estreamer-records.md")
    guide.links(tap, "estreamer.md", "estreamer-records.md", "embedding.md")
    guide.options(tap, GUIDE, "estreamer", ("client", "server"), r"^    (cc|meson|openssl|\$ leat decode) .*")
    guide.benchmarks(tap, GUIDE, "estreamer")


def certificates(folder):
    """Whom the guide's commands and the recorded server need, made by the commands of OpenSSL."""
    (pathlib.Path(folder) / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    make = [["req", "-x509", *key, "-days", "2", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem"]]
    for name, extensions in (("server", ["-extfile", "names"]), ("client", []), ("recorded", [])):
        make += [
            ["req", *key, "-subj", "/CN=127.0.0.1", "-keyout", name + ".key", "-out", name + ".csr"],
            ["x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
             "-days", "2", *extensions, "-out", name + ".pem"],
        ]
    export = ["pkcs12", "-export", "-in", "client.pem", "-inkey", "client.key", "-certfile", "ca.pem"]
    make += [
        [*export, "-passout", "pass:", "-out", "client.pkcs12"],
        [*export, "-passout", "pass:secret", "-out", "secret.pkcs12"],
        ["req", "-x509", *key, "-days", "2", "-subj", "/CN=authority", "-keyout", "other.key", "-out", "other.pem"],
        [*export[:-1], "other.pem", "-passout", "pass:", "-out", "other.pkcs12"],
    ]
    for words in make:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True, timeout=60)


def recorded(name):
    """The octets of a message of the recorded session that begins so."""
    return bytes.fromhex((next(RECORDED.glob(name + "_*.hex"))).read_text())


NULL = bytes.fromhex("0001000000000000")
# What the recorded server says, and what the client says to that.
ANSWERS = (
    ("04", recorded("05") + NULL),
    ("07", NULL),
    ("09", NULL),
    ("11", NULL),
    ("13", NULL),
    ("15", NULL),
    ("17", b""),
)


def serve(listener, context, said):
    """One conversation, with the recorded server's words; what the client said is appended to said."""
    try:
        stream, _ = listener.accept()
        stream.settimeout(30)
        with context.wrap_socket(stream, server_side=True) as tls:
            said.append(read_exactly(tls, 16))
            for name, answer in ANSWERS:
                tls.sendall(recorded(name))
                said.append(read_exactly(tls, len(answer)))
    except OSError as error:
        said.append(error)


def talk(folder, *words):
    """Runs the guide's program against the recorded server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/recorded.pem", f"{folder}/recorded.key")
    context.load_verify_locations(f"{folder}/ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    said = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        server = threading.Thread(target=serve, args=(listener, context, said), daemon=True)
        server.start()
        done = subprocess.run(
            [CLIENT, f"127.0.0.1:{listener.getsockname()[1]}", *words], capture_output=True, check=False, timeout=60
        )
        listener.shutdown(socket.SHUT_RDWR)  # in case that nobody came
        server.join(30)
    return done, said


def program(tap):
    with tempfile.TemporaryDirectory() as folder:
        certificates(folder)
        for name, password in (("client", []), ("secret", ["secret"])):
            done, said = talk(folder, f"{folder}/{name}.pkcs12", *password)
            tap.same(f"{name}: what it said", said, [recorded("03")] + [answer for _, answer in ANSWERS])
            data = b"".join(recorded(name) for name, _ in ANSWERS)
            told = [event["value"] for event in leat("decode", "estreamer", "--from", "server", data=data).events()
                    if event["event"] in ("event_data", "error")]
            tap.same(f"{name}: what it printed", [strict(line) for line in done.stdout.splitlines()], told)
            tap.check(f"{name}: it ends well", done.returncode == 0 and done.stderr == b"" and len(told) == 24, done)
        for name, words, reason in (
            ("no arguments", [], b"usage"),
            ("no file", [f"{folder}/nothing"], b"cannot be read"),
            ("a wrong password", [f"{folder}/secret.pkcs12", "wrong"], b"password"),
            ("an authority of the same name", [f"{folder}/other.pkcs12"], b"certificate signature failure"),
        ):
            done, said = talk(folder, *words)
            tap.check(f"{name}: it says so", done.returncode == 1 and reason in done.stderr and not done.stdout, done)


def placed(words, folder, address):
    """The words with files in a folder, those of the project where they are, and another address."""
    words = [word for word in words if not word.startswith(">")]
    words = [re.sub(r"^tests/", f"{ROOT}/tests/", re.sub(r".*:8302$", address, word)) for word in words]
    return [f"{folder}/{word}" if re.search(r"\.(pkcs12|pem|key|ndjson|pcap|place|jsonl)$", word) else word
            for word in words]


def live_commands(tap):
    """The clients of the guide against its servers."""
    shown = guide.commands(GUIDE, r"estreamer .*|decode capture .*")
    servers = [words for words in shown if words[1] == "server"]
    clients = [words for words in shown if words[1] == "client"]
    tap.check("the guide shows commands", len(servers) == 2 and len(clients) > 4, shown)
    with tempfile.TemporaryDirectory() as folder:
        certificates(folder)
        events = leat("decode", "estreamer", "--from", "server", data=recorded("07") + recorded("09")).out
        (pathlib.Path(folder) / "events.ndjson").write_bytes(events)
        for server in servers:
            plain = "--no-tls" in server
            if not plain and not OPENSSL:
                continue
            with Program(*placed(server, folder, "127.0.0.1:0")) as serving:
                address = serving.err.find(r"listening on (\S+)").group(1)
                for words in clients:
                    if ("--no-tls" in words) == plain:
                        told = run_client(placed(words, folder, address))
                        tap.check(" ".join(words), told.code == 0 and told.good, told.err.text())
                tap.check(" ".join(server), serving.stop() == 0, serving.err.text())
        if OPENSSL:  # which the client needed that recorded it
            decode = next(words for words in shown if words[0] == "decode")
            decoded = leat(*placed(decode, folder, address))
            tap.check(" ".join(decode), decoded.code == 0 and "event_data" in decoded.names(), decoded.err)


def run_client(words):
    """Until it has said what it should."""
    with Program(*words, "--verbose") as client:
        client.err.find("connected")
        if "now" not in words:
            client.out.count(1)
        client.code = client.end() if "--host-range" in words else client.stop()
        told = [event["event"] for event in client.events()]
        client.good = all(name in ("event_data", "multiple_host_data") for name in told)
        return client


def conversion(tap):
    """The commands for files from older releases do what they should."""
    shown = re.findall(r"^    (openssl pkcs12 .*)$", GUIDE, re.M)
    tap.same("two commands", len(shown), 2)
    with tempfile.TemporaryDirectory() as folder:
        certificates(folder)
        old = ["-legacy", "-certpbe", "PBE-SHA1-RC2-40", "-keypbe", "PBE-SHA1-3DES", "-passout", "pass:"]
        export = ["openssl", "pkcs12", "-export", "-in", "client.pem", "-inkey", "client.key", "-certfile", "ca.pem"]
        made = subprocess.run([*export, *old, "-out", "client.pkcs12"], cwd=folder, capture_output=True, check=False)
        if made.returncode != 0:  # OpenSSL without its legacy provider, or from before it
            return
        done, _ = talk(folder, f"{folder}/client.pkcs12")
        tap.check("an old file: it says so", done.returncode == 1 and b"legacy" in done.stderr, done)
        for command in shown:
            password = "-passin pass:" if "-export" not in command else "-passout pass:"
            subprocess.run(f"{command} {password}", shell=True, cwd=folder, check=True, capture_output=True)
        done, said = talk(folder, f"{folder}/client-new.pkcs12")
        tap.check("converted: it works", done.returncode == 0 and said[0] == recorded("03"), (done, said))
        pem = f"{folder}/client.pem"
        plain = leat("estreamer", "client", "127.0.0.1:1", "--once", "--cert", pem, "--key", pem, "--ca", pem)
        tap.check("the PEM file works as it is", "connection refused" in plain.err.lower(), plain.err)


def main():
    tap = Tap()
    functions = (repeated, commands, live_commands)
    for function in functions + ((program, conversion) if OPENSSL else ()):
        tap.run(function)
    return tap.end()


sys.exit(main())
