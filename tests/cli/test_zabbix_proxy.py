#!/usr/bin/env python3
"""Killed at every step, a proxy loses nothing that it said it had, and a server nothing that it acknowledged."""

import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

from cli import LEAT, SANITIZED, Tap, strict
from live import PATIENCE, folder, until
from zabbix import SHORT, Talker, ask, data, events_in_order, value

PROXY, CRASH = os.environ["LEAT_ZABBIX_PROXY"], os.environ["LEAT_CRASH"]
SIDE_BY_SIDE = 8


def frame(message):
    text = json.dumps(message).encode()
    body = zlib.compress(text)
    return b"ZBXD\3" + struct.pack("<II", len(body), len(text)) + body


def receive(peer):
    """One message, or None."""
    data = b""
    while len(data) < 13 or len(data) < 13 + struct.unpack("<I", data[5:9])[0]:
        piece = peer.recv(65536)
        if not piece:
            return None
        data += piece
    return json.loads(zlib.decompress(data[13:]) if data[4] & 2 else data[13:])


class Server:
    """Takes data as a real one does: by session, what has a higher id than the last row taken."""

    def __init__(self, seed, rough):
        self.random = random.Random(seed)
        self.rough = rough  # how many exchanges may go wrong
        self.marks = {}
        self.values = []  # taken, in order
        self.rows = {}  # (session, id): the row, whenever it came
        self.broken = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            with peer:
                peer.settimeout(PATIENCE)
                try:
                    self.serve(peer)
                except OSError:
                    pass  # it was killed
                except Exception as error:  # told by the test
                    self.broken.append(repr(error))

    def serve(self, peer):
        message = receive(peer)
        if message is None:
            return
        if message["request"] == "proxy config":
            peer.sendall(frame({"full_sync": 1, "data": {}, "config_revision": 1} if message["config_revision"] == 0 else {}))
            return
        mood = self.random.choice(["well", "failed", "lost", "half", "deaf"]) if self.rough > 0 else "well"
        self.rough -= mood != "well"
        if mood == "deaf":  # gone before it was read
            return
        if mood == "failed":  # not processed
            peer.sendall(frame({"response": "failed"}))
            return
        self.take(message)
        answer = frame({"upload": "enabled", "response": "success"})
        peer.sendall(answer[: {"lost": 0, "half": 20}.get(mood, len(answer))])

    def take(self, message):
        session, rows = message["session"], message.get("history data", [])
        for row in rows:
            known = self.rows.setdefault((session, row["id"]), row)
            if known != row:
                self.broken.append(f"{row} was {known}")
            if row["id"] > self.marks.get(session, 0):
                self.values.append(row["value"])
        if rows:
            self.marks[session] = max(self.marks.get(session, 0), rows[-1]["id"])

    def close(self):
        """Its number must not be another's while the thread still accepts by it."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()


def crashing(step):
    """The environment of a program that is to end at that step; None: at none."""
    environment = dict(os.environ)
    if step is not None:
        environment["LD_PRELOAD"] = CRASH
        environment["CRASH_AT"] = str(step)
        environment["ASAN_OPTIONS"] = environment.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    return environment


class Example:
    """The proxy among the examples."""

    def start(self, server, state, crash_at=None):
        return run([PROXY, "127.0.0.1", str(server.port), "px", str(state)], crash_at)

    def line(self, item, text):
        return f"{item} {text}\n".encode()

    def stored(self, out):
        """How many values it said that it had."""
        return sum(line.startswith("stored ") and line.endswith("\n") for line in out.decode().splitlines(True))


class Command:
    """The proxy of the program."""

    def start(self, server, state, crash_at=None):
        return run([LEAT, "zabbix", "proxy", "--name", "px", "--server", f"127.0.0.1:{server.port}",
                    "--state", str(state), "--exit-when-empty", *SHORT], crash_at)

    def line(self, item, text):
        return (json.dumps({"itemid": item, "value": text}) + "\n").encode()

    def stored(self, out):
        events = [strict(line) for line in out.decode().splitlines(True) if line.endswith("\n")]
        return max((event["value"]["lines"] for event in events if event["event"] == "taken"), default=0)


def run(words, crash_at):
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env=crashing(crash_at))


def verdict(server, promised):
    """What is wrong, or an empty string."""
    values = server.values
    lost = [value for value in promised if value not in values]
    twice = {value for value in values if values.count(value) > 1}
    if server.broken or lost or twice:
        return f"lost {lost}, twice {twice}, {server.broken}"
    return ""


def finish(kind, server, state):
    """Another run, to the end. All that it takes is promised."""
    server.rough = 0
    with kind.start(server, state) as process:
        out, err = process.communicate(kind.line(9, "last"), timeout=PATIENCE)
    if process.returncode != 0 or kind.stored(out) != 1:
        return f"ended with {process.returncode}: {out} {err}"
    return ""


def kill_at(kind, step):
    """Killed at that step, then run again. (whether it came so far, what is wrong)"""
    server, state = Server(step, 1), folder() / "state"
    values = [f"v{i}" for i in range(6)]
    with kind.start(server, state, step) as process:
        try:
            process.stdin.write(b"".join(kind.line(1, value) for value in values[:4]))
            process.stdin.flush()
            time.sleep(0.1)
            process.stdin.write(b"".join(kind.line(2, value) for value in values[4:]))
            process.stdin.close()
        except OSError:
            pass
        process.stdin = None
        out, err = process.communicate(timeout=PATIENCE)
    killed = process.returncode == -signal.SIGKILL
    wrong = "" if killed or process.returncode == 0 else f"{process.returncode}: {err}"
    wrong = wrong or finish(kind, server, state) or verdict(server, values[: kind.stored(out)] + ["last"])
    server.close()
    return killed, wrong


def every_step(tap, name, kill):
    """Steps until one is not reached any more; what the peer does may differ from one to the next."""
    wrong, step, alive = [], 1, 0
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        while alive < SIDE_BY_SIDE and step < 2000:
            steps = range(step, step + SIDE_BY_SIDE)
            for at, (killed, what) in zip(steps, pool.map(kill, steps)):
                alive = 0 if killed else alive + 1
                if what:
                    wrong.append(f"step {at}: {what}")
            step += SIDE_BY_SIDE
    tap.check(f"{name}, killed at every step: nothing is lost, nothing comes twice", not wrong, "\n".join(wrong))
    tap.check("there were steps", 40 < step < 2000, step)


def every_step_of_proxies(tap):
    for kind in Example(), Command():
        every_step(tap, type(kind).__name__.lower(), lambda step: kill_at(kind, step))


def kill_again_and_again(seed):
    """The same state through many lives, each ended at a random moment."""
    kind = Example()
    server, state = Server(seed, 1000), folder() / "state"
    moments = random.Random(seed)
    promised, count = [], 0
    for _ in range(3 if SANITIZED else 8):
        with kind.start(server, state) as process:
            mine = []
            try:
                for _ in range(moments.randrange(1, 30)):
                    count += 1
                    mine.append(f"v{count}")
                    process.stdin.write(kind.line(1, mine[-1]))
                    process.stdin.flush()
                    time.sleep(moments.random() * 0.02)
            except OSError:
                pass
            time.sleep(moments.random() * 0.3)
            process.kill()
            out = process.stdout.read()
        promised += mine[: kind.stored(out)]
    wrong = finish(kind, server, state) or verdict(server, promised + ["last"])
    server.close()
    return wrong


def many_lives(tap):
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        wrong = [what for what in pool.map(kill_again_and_again, range(8)) if what]
    tap.check("killed at any moment, again and again", not wrong, "\n".join(wrong))


def well_used(tap):
    """The state is made anew before it grows out of proportion, and a state of another proxy is none."""
    kind, server, state = Example(), Server(0, 0), folder() / "state"
    with kind.start(server, state) as process:
        for i in range(3000):
            process.stdin.write(f"{i + 1} {i:0100}\n".encode())
        out, err = process.communicate(timeout=PATIENCE)
    tap.check("3000 values", process.returncode == 0 and kind.stored(out) == 3000, (process.returncode, err))
    tap.same("all of them came", len(server.values), 3000)
    until(lambda: state.stat().st_size < 600000, "a small state")
    state.write_bytes(b"nonsense")
    with kind.start(server, state) as process:
        _, err = process.communicate(b"", timeout=PATIENCE)
    tap.check("a state that is none", process.returncode == 1 and b"no whole save" in err, err)
    tap.check("usage", subprocess.run([PROXY], capture_output=True, check=False).returncode == 2)
    server.close()


# The server of the program


SESSION = "0123456789abcdef" * 2
MESSAGES = [(1, 2, 3), (4,), (5, 6)]
TASK = {"type": 6, "itemid": 930001}


class Life:
    """A server from its start to its end, by itself or not, and what it answered and printed."""

    def __init__(self, place, number, crash_at=None):
        self.printed = place / f"out{number}"
        self.acknowledged = []  # ids, by message
        self.failed = None  # the message that was not acknowledged
        self.tasks = 0
        with self.printed.open("wb") as out:
            self.live(place / "state", out, crash_at)

    def live(self, state, out, crash_at):
        with Talker("zabbix", "server", "--listen", "127.0.0.1:0", "--proxy", "px", "--state", state,
                    stdout=out, env=crashing(crash_at)) as program:
            try:
                self.talk(program, crash_at is not None)
            except (AssertionError, OSError):
                pass  # it was killed
            self.code = program.end()
            self.complaints = program.err.text()

    def talk(self, program, first):
        port = program.port_of()
        if first:
            program.say({"proxy": "px", "task": TASK})
        for ids in MESSAGES:
            self.failed = ids
            rows = [{**value(i), "id": i} for i in ids]
            answer = json.loads(ask(port, data("px", *rows, session=SESSION), 3) or "null")
            if answer is None:
                return
            self.tasks += len(answer.get("tasks", []))
            self.acknowledged.append(ids)
            self.failed = None
        program.say({"stop": True})

    def ids(self):
        """What it printed, as far as it is on the disk."""
        lines = self.printed.read_text().splitlines(True)
        return [row["id"] for row in events_in_order([strict(line) for line in lines if line.endswith("\n")])]


def kill_server_at(step):
    """
    Killed at that step; the next one is sent all messages again. What the first acknowledged it has
    printed, and the next does not print it again; what it was busy with may be printed twice.
    """
    place = folder()
    first, second = Life(place, 1, step), Life(place, 2)
    killed = first.code == -signal.SIGKILL
    acknowledged = [i for ids in first.acknowledged for i in ids]
    before, after = first.ids(), second.ids()
    once = sorted(set(before + after)) == [1, 2, 3, 4, 5, 6] and len(set(before)) == len(before) \
        and len(set(after)) == len(after)
    good = (killed or first.code == 0) and second.code == 0 and len(second.acknowledged) == len(MESSAGES) and once \
        and set(acknowledged) <= set(before) - set(after) and set(before) & set(after) <= set(first.failed or ()) \
        and first.tasks + second.tasks <= 1
    return killed, "" if good else f"{vars(first)} {before}, {vars(second)} {after}"


def every_step_of_servers(tap):
    every_step(tap, "server", kill_server_at)


def main():
    tap = Tap()
    for function in (well_used, every_step_of_proxies, many_lives, every_step_of_servers):
        tap.run(function)
    return tap.end()


sys.exit(main())
