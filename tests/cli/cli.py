"""What the tests of the program share."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
VECTORS = pathlib.Path(os.environ.get("LEAT_VECTORS") or ROOT / "tests" / "vectors")
sys.path.insert(0, str(HERE.parent))

from tap import Tap  # noqa: E402, F401

LEAT = os.environ["LEAT"]
DIALECTS = os.environ["LEAT_DIALECTS"].split()
SANITIZED = os.environ["LEAT_SANITIZED"] == "1"
OPENSSL = os.environ["LEAT_OPENSSL"] == "1"


class Result:
    def __init__(self, code, out, err):
        self.code = code
        self.out = out
        self.err = err.decode("utf-8", "replace")

    def events(self):
        """Each line as JSON; objects as Python's, the last of duplicate members."""
        return [strict(line) for line in self.out.decode().splitlines()]

    def names(self):
        return [event["event"] for event in self.events()]


def refuse_constant(text):
    raise ValueError(f"{text} is not JSON")


def strict(text, **options):
    return json.loads(text, parse_constant=refuse_constant, **options)


def leat(*arguments, data=b""):
    """Runs the program with data (octets or text) on its standard input."""
    if isinstance(data, str):
        data = data.encode()
    done = subprocess.run(
        [LEAT, *map(str, arguments)], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        check=False, timeout=240,
    )
    return Result(done.returncode, done.stdout, done.stderr)


FOLDER = tempfile.TemporaryDirectory(prefix="leat-test-")


def temporary(data):
    """The path of a file with that content, which lasts until the test ends."""
    if isinstance(data, str):
        data = data.encode()
    with tempfile.NamedTemporaryFile(dir=FOLDER.name, delete=False) as file:
        file.write(data)
    return file.name


def zabbix_frame(text):
    if isinstance(text, str):
        text = text.encode()
    return b"ZBXD\1" + len(text).to_bytes(4, "little") + bytes(4) + text


def clean(tap, name, result, code=0):
    """All was decoded: the exit code, nothing on standard error, JSON on each line."""
    good = result.code == code and (result.err == "") == (code == 0)
    try:
        result.events()
    except ValueError as error:
        good = False
        result.err += str(error)
    return tap.check(name, good, f"exit code {result.code}\n{result.err}\n{result.out[-2000:]!r}")


def sessions(tap, text, name):
    """Commands that a text shows, and what it says they print."""
    shown = re.findall(r"^( *)\$ (.*)\n((?:\1(?!\$ |\.).+\n)*)", text, re.M)
    tap.check(f"{name} shows commands", len(shown) > 1, shown)
    path = os.pathsep.join([str(pathlib.Path(LEAT).parent), os.environ["PATH"]])
    for indent, command, expected in shown:
        done = subprocess.run(
            command, shell=True, cwd=ROOT, env={**os.environ, "PATH": path}, capture_output=True, check=False
        )
        expected = "".join(line[len(indent) :] for line in expected.splitlines(True))
        tap.same(f"{name}: {command}", done.stdout.decode() + done.stderr.decode(), expected)
