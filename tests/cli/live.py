"""Live commands of the program, side by side: each is waited for by what it says on standard error."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time

from cli import FOLDER, LEAT, strict

PATIENCE = 60  # seconds until a test that waits gives up


def folder():
    """A folder that lasts until the test ends."""
    return pathlib.Path(tempfile.mkdtemp(dir=FOLDER.name))


def until(ready, what):
    """Waits until ready() gives something that is true, and returns it: for what nobody tells of."""
    end = time.monotonic() + PATIENCE
    while not (found := ready()):
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come")
        time.sleep(0.002)
    return found


class Lines:
    """Reads a stream in a thread of its own; what came can be waited for."""

    def __init__(self, stream):
        self.lines = []
        self.ended = False
        self.news = threading.Condition()
        self.thread = threading.Thread(target=self.read, args=(stream,), daemon=True)
        self.thread.start()

    def read(self, stream):
        for line in stream:
            with self.news:
                self.lines.append(line.decode("utf-8", "replace"))
                self.news.notify_all()
        with self.news:
            self.ended = True
            self.news.notify_all()
        stream.close()

    def wait(self, ready, what):
        """Waits until ready(lines) gives something that is true, and returns it."""
        end = time.monotonic() + PATIENCE
        with self.news:
            while not (found := ready(self.lines)):
                left = end - time.monotonic()
                if self.ended or left <= 0:
                    raise AssertionError(f"{what} did not come: {''.join(self.lines)[-3000:]}")
                self.news.wait(left)
            return found

    def find(self, pattern, after=0):
        """Waits for a line that matches, behind the first so many. The match; .string is the line."""
        return self.wait(
            lambda lines: next(filter(None, (re.search(pattern, line) for line in lines[after:])), None),
            pattern,
        )

    def count(self, number):
        return self.wait(lambda lines: len(lines) >= number and lines, f"line {number}")

    def text(self):
        self.thread.join(PATIENCE)
        return "".join(self.lines)


class Program:
    """A command that runs until it ends by itself or is stopped; ends with the with statement."""

    def __init__(self, *arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, **options):
        self.process = subprocess.Popen(
            [LEAT, *map(str, arguments)], stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, **options
        )
        self.out = Lines(self.process.stdout) if stdout == subprocess.PIPE else None
        self.err = Lines(self.process.stderr)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def end(self):
        """Waits until it ended. The exit code."""
        code = self.process.wait(PATIENCE)
        self.err.text()
        if self.out:
            self.out.text()
        return code

    def cpu_seconds(self):
        """What it used so far, where the system tells."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self):
        """The octets of memory that it has, where the system tells."""
        pages = pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def stop(self, number=signal.SIGINT):
        self.process.send_signal(number)
        return self.end()

    def events(self):
        return [strict(line) for line in self.out.text().splitlines()]


class Talker(Program):
    """A command that reads lines of JSON from its standard input."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, stdin=subprocess.PIPE, **options)

    def say(self, *lines):
        text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def shut(self):
        """Ends its input."""
        self.process.stdin.close()

    def wait(self, ready, what):
        """Waits for an event for which ready(event) is true, and returns it."""
        return self.wait_all(lambda events: next(filter(ready, events), None), what)

    def wait_all(self, ready, what):
        """The same for all events so far."""
        return self.out.wait(lambda lines: ready([strict(line) for line in lines if line.endswith("\n")]), what)

    def named(self, name, count=1):
        """Waits for so many events of that name, and returns their values."""
        return self.wait_all(
            lambda events: len(found := [e["value"] for e in events if e["event"] == name]) >= count and found,
            f"{count} times {name}",
        )

    def port_of(self):
        return int(self.err.find(r"listening on (\S+)").group(1).rpartition(":")[2])

    def finish(self):
        """Ends it as a user does. The exit code."""
        self.say({"stop": True})
        return self.end()


class Server(Program):
    def __init__(self, *arguments, listen="127.0.0.1:0"):
        super().__init__("estreamer", "server", "--listen", listen, *arguments)
        self.address = self.err.find(r"listening on (\S+)").group(1)
        self.port = int(self.address.rpartition(":")[2])


class Client(Program):
    def __init__(self, address, *arguments, **options):
        super().__init__("estreamer", "client", address, *arguments, **options)


class Peer:
    """A server made of a socket, which says what the test wants."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(PATIENCE)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def accept(self):
        connection, _ = self.listener.accept()
        connection.settimeout(PATIENCE)
        return connection


def message(kind, payload=b""):
    return b"\0\1" + kind.to_bytes(2, "big") + len(payload).to_bytes(4, "big") + payload


def read_message(connection):
    """The type and payload of the next message; None at the end of the stream."""
    header = read_exactly(connection, 8)
    if header is None:
        return None
    return int.from_bytes(header[2:4], "big"), read_exactly(connection, int.from_bytes(header[4:8], "big"))


def read_exactly(connection, count):
    octets = b""
    while len(octets) < count:
        piece = connection.recv(count - len(octets))
        if not piece:
            return None
        octets += piece
    return octets


def record(kind, octets, archived=None):
    """The payload of an event data message."""
    header = kind.to_bytes(4, "big") + len(octets).to_bytes(4, "big")
    if archived is not None:
        header += archived.to_bytes(4, "big") + bytes(4)
    return header + octets


def recorded(path):
    """The octets of each direction of each connection of a recording."""
    streams = {}
    for line in pathlib.Path(path).read_text().splitlines():
        entry = json.loads(line)
        if "hex" in entry:
            key = entry["conn"], entry["dir"]
            streams[key] = streams.get(key, b"") + bytes.fromhex(entry["hex"])
    return streams


def messages(octets):
    """The types and payloads of the messages of a stream."""
    found = []
    while octets:
        length = 8 + int.from_bytes(octets[4:8], "big")
        found.append((int.from_bytes(octets[2:4], "big"), octets[8:length]))
        octets = octets[length:]
    return found


def run(*arguments):
    """A command that is to end by itself."""
    with Program(*arguments) as program:
        program.code = program.end()
        return program


class Authority:
    """Makes keys and certificates with the program openssl, as files in a folder."""

    def __init__(self, name):
        self.folder = folder()
        self.name = name
        self.certificate = self.folder / "ca.pem"
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                     "-subj", f"/CN={name}", "-days", "2", "-keyout", self.folder / "ca.key",
                     "-out", self.certificate, "-addext", "keyUsage=critical,keyCertSign")

    def openssl(self, *words):
        subprocess.run(["openssl", *map(str, words)], cwd=self.folder, check=True, capture_output=True,
                       timeout=PATIENCE)

    def issue(self, name, names):
        """A certificate for these names ("IP:127.0.0.1"). The options that use it."""
        key, request, certificate = (self.folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
        extensions = self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={names}\n")
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                     f"/CN={name}", "-keyout", key, "-out", request)
        self.openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey",
                     self.folder / "ca.key", "-CAcreateserial", "-days", "2", "-extfile", extensions,
                     "-out", certificate)
        return ["--cert", certificate, "--key", key, "--ca", self.certificate]

    def pack(self, name, password):
        """The PKCS#12 file of a certificate that was issued."""
        path = self.folder / f"{name}.p12"
        self.openssl("pkcs12", "-export", "-inkey", self.folder / f"{name}.key", "-in",
                     self.folder / f"{name}.pem", "-certfile", self.certificate, "-passout",
                     f"pass:{password}", "-out", path)
        return path
