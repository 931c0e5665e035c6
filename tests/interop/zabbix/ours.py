"""The commands of leat, side by side with the real peers."""

import json
import os
import signal
import subprocess
import threading
import time

from world import PATIENCE

LEAT = os.environ["LEAT"]
VERSION = "6.0.14"
UNCOMPRESSED, COMPRESSED = 1, 3  # the flags of a message


class Command:
    """A command of leat that runs until it is stopped: lines of JSON in and out."""

    def __init__(self, world, role, *options, version=VERSION, output=None):
        self.world = world
        self.words = [LEAT, "zabbix", role, "--verbose", "--as-version", version, *map(str, options)]
        self.events = []
        self.errors = []
        self.news = threading.Condition()
        self.process = world.start(world.guard(self.words), stdin=subprocess.PIPE,
                                   stdout=output or subprocess.PIPE, stderr=subprocess.PIPE)
        self.threads = [self.follow(self.process.stderr, lambda line: self.errors.append(line.decode()))]
        if not output:
            self.threads.append(self.follow(self.process.stdout, lambda line: self.events.append(
                json.loads(line))))
        world.exits.callback(self.kill)

    def follow(self, stream, take):
        thread = threading.Thread(target=self.read, args=(stream, take), daemon=True)
        thread.start()
        return thread

    def read(self, stream, take):
        for line in stream:
            with self.news:
                take(line)
                self.news.notify_all()

    def say(self, *values):
        """Writes lines to its standard input."""
        self.process.stdin.write("".join(json.dumps(value) + "\n" for value in values).encode())
        self.process.stdin.flush()

    def wait(self, ready, what, patience=PATIENCE):
        """Waits until ready() gives something that is true, asked after each line that comes."""
        end = time.monotonic() + patience
        with self.news:
            while not (found := ready()):
                left = end - time.monotonic()
                if left <= 0 or not self.news.wait(min(left, 1)) and self.process.poll() is not None:
                    words = " ".join(self.words[1:])
                    raise AssertionError(f"{what} did not come from {words}\n{self.tell()}")
            return found

    def tell(self):
        """What it said last, for who looks into a failure."""
        lines = [json.dumps(event) for event in self.events[-12:]]
        return "\n".join([f"exit code {self.process.poll()}", *self.errors[-12:], *lines])

    def find(self, name, fits=lambda value: True, patience=PATIENCE):
        """The value of the first event of this name that fits."""
        return self.wait(lambda: next(filter(fits, self.values(name)), None), name, patience)

    def values(self, name):
        return [event.get("value") for event in self.events if event["event"] == name]

    def kill(self):
        self.process.kill()
        self.process.wait()
        for thread in self.threads:
            thread.join(10)

    def stop(self):
        """Ends it in an orderly way. The exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE)
        for thread in self.threads:
            thread.join(10)
        return code


class Proxy(Command):
    """Our proxy. The values that it was given are numbered."""

    def __init__(self, world, name, *options, **more):
        super().__init__(world, "proxy", "--name", name, *options, **more)
        self.given = 0

    def give(self, *rows):
        """Hands in values, and waits until the server has them."""
        self.say(*rows)
        self.given += len(rows)
        self.acknowledged(self.given)

    def acknowledged(self, number):
        self.wait(lambda: any(value.get("history data", {}).get("id", 0) >= number
                              for value in self.values("acknowledged")), f"acknowledgement of {number}")

    def add(self, section, *rows):
        """Hands in rows of another section, and waits until the server has them."""
        before = self.count(section)
        self.say(*({"section": section, "row": row} for row in rows))
        self.wait(lambda: self.count(section) >= before + len(rows), f"acknowledgement of {section}")

    def count(self, section):
        return sum(value.get(section, {}).get("rows", 0) for value in self.values("acknowledged"))


class Server(Command):
    def __init__(self, world, *options, **more):
        super().__init__(world, "server", *options, **more)


def forms(recording, conns=None):
    """The flags of the first message of each direction of each connection, or of these, in their order."""
    found = {}
    for line in recording.read_text().split("\n")[:-1]:
        entry = json.loads(line)
        key = entry["conn"], entry.get("dir")
        if "hex" in entry and key not in found and (conns is None or entry["conn"] in conns):
            found[key] = int(entry["hex"][8:10], 16)
    return found


def run(role, *options, text=b"", version=VERSION):
    """A command that ends by itself: its exit code, its lines as values, its errors."""
    done = subprocess.run([LEAT, "zabbix", role, "--as-version", version, *map(str, options)], input=text,
                          capture_output=True, timeout=PATIENCE, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, lines, done.stderr.decode()
