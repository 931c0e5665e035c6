#!/usr/bin/env python3
"""The example of a proxy, killed at every step: what it said that it stored reaches the server, once."""

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

from cli import SANITIZED, Tap
from live import PATIENCE, folder, until

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


def start(server, state, crash_at=None):
    environment = dict(os.environ)
    if crash_at is not None:
        environment["LD_PRELOAD"] = CRASH
        environment["CRASH_AT"] = str(crash_at)
        environment["ASAN_OPTIONS"] = environment.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    return subprocess.Popen(
        [PROXY, "127.0.0.1", str(server.port), "px", str(state)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
    )


def stored(out):
    """How many values it said that it had."""
    return sum(line.startswith("stored ") and line.endswith("\n") for line in out.decode().splitlines(True))


def verdict(server, promised):
    """What is wrong, or an empty string."""
    values = server.values
    lost = [value for value in promised if value not in values]
    twice = {value for value in values if values.count(value) > 1}
    if server.broken or lost or twice:
        return f"lost {lost}, twice {twice}, {server.broken}"
    return ""


def finish(server, state):
    """Another run, to the end. All that it takes is promised."""
    server.rough = 0
    with start(server, state) as process:
        out, err = process.communicate(b"9 last\n", timeout=PATIENCE)
    if process.returncode != 0 or stored(out) != 1:
        return f"ended with {process.returncode}: {out} {err}"
    return ""


def kill_at(step):
    """Killed at that step, then run again. (whether it came so far, what is wrong)"""
    server, state = Server(step, 1), folder() / "state"
    values = [f"v{i}" for i in range(6)]
    with start(server, state, step) as process:
        try:
            process.stdin.write("".join(f"1 {value}\n" for value in values[:4]).encode())
            process.stdin.flush()
            time.sleep(0.1)
            process.stdin.write("".join(f"2 {value}\n" for value in values[4:]).encode())
            process.stdin.close()
        except OSError:
            pass
        process.stdin = None
        out, err = process.communicate(timeout=PATIENCE)
    killed = process.returncode == -signal.SIGKILL
    wrong = "" if killed or process.returncode == 0 else f"{process.returncode}: {err}"
    wrong = wrong or finish(server, state) or verdict(server, values[: stored(out)] + ["last"])
    server.close()
    return killed, wrong


def every_step(tap):
    """Steps until one is not reached any more; what the server does differs from one to the next."""
    wrong, step, alive = [], 1, 0
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        while alive < SIDE_BY_SIDE and step < 2000:
            steps = range(step, step + SIDE_BY_SIDE)
            for at, (killed, what) in zip(steps, pool.map(kill_at, steps)):
                alive = 0 if killed else alive + 1
                if what:
                    wrong.append(f"step {at}: {what}")
            step += SIDE_BY_SIDE
    tap.check("killed at every step: nothing is lost, nothing comes twice", not wrong, "\n".join(wrong))
    tap.check("there were steps", 40 < step < 2000, step)


def kill_again_and_again(seed):
    """The same state through many lives, each ended at a random moment."""
    server, state = Server(seed, 1000), folder() / "state"
    moments = random.Random(seed)
    promised, count = [], 0
    for _ in range(3 if SANITIZED else 8):
        with start(server, state) as process:
            mine = []
            try:
                for _ in range(moments.randrange(1, 30)):
                    count += 1
                    mine.append(f"v{count}")
                    process.stdin.write(f"1 {mine[-1]}\n".encode())
                    process.stdin.flush()
                    time.sleep(moments.random() * 0.02)
            except OSError:
                pass
            time.sleep(moments.random() * 0.3)
            process.kill()
            out = process.stdout.read()
        promised += mine[: stored(out)]
    wrong = finish(server, state) or verdict(server, promised + ["last"])
    server.close()
    return wrong


def many_lives(tap):
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        wrong = [what for what in pool.map(kill_again_and_again, range(8)) if what]
    tap.check("killed at any moment, again and again", not wrong, "\n".join(wrong))


def well_used(tap):
    """The state is made anew before it grows out of proportion, and a state of another proxy is none."""
    server, state = Server(0, 0), folder() / "state"
    with start(server, state) as process:
        for i in range(3000):
            process.stdin.write(f"{i + 1} {i:0100}\n".encode())
        out, err = process.communicate(timeout=PATIENCE)
    tap.check("3000 values", process.returncode == 0 and stored(out) == 3000, (process.returncode, err))
    tap.same("all of them came", len(server.values), 3000)
    until(lambda: state.stat().st_size < 600000, "a small state")
    state.write_bytes(b"nonsense")
    with start(server, state) as process:
        _, err = process.communicate(b"", timeout=PATIENCE)
    tap.check("a state that is none", process.returncode == 1 and b"no whole save" in err, err)
    tap.check("usage", subprocess.run([PROXY], capture_output=True, check=False).returncode == 2)
    server.close()


def main():
    tap = Tap()
    for function in (well_used, every_step, many_lives):
        tap.run(function)
    return tap.end()


sys.exit(main())
