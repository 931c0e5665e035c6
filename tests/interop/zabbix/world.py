"""Where the peers live: a folder, free ports, an unprivileged user, processes that end with the test."""

import concurrent.futures
import contextlib
import os
import pathlib
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

PATIENCE = 60  # seconds until a test that waits gives up
ENDS = signal.SIGTERM, signal.SIGHUP, signal.SIGINT
USER = "nobody"  # who the peers are when we are root, which neither Zabbix nor PostgreSQL likes


def until(ready, what, patience=PATIENCE):
    """Waits until ready() gives something that is true, and returns it."""
    end = time.monotonic() + patience
    while not (found := ready()):
        if time.monotonic() > end:
            raise AssertionError(f"{what() if callable(what) else what} did not come")
        time.sleep(0.1)
    return found


class World:
    """Everything in it is gone when its with statement ends."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="leat-zabbix."))
        self.folder.chmod(0o755)
        self.lock = threading.Lock()
        self.ports = set()
        self.exits = contextlib.ExitStack()
        self.daemons = []
        # What dies with its parent dies with the thread that started it: one that lasts.
        self.starter = concurrent.futures.ThreadPoolExecutor(1)

    def __enter__(self):
        self.exits.callback(shutil.rmtree, self.folder, ignore_errors=True)
        return self

    def __exit__(self, *_):
        for number in ENDS:
            signal.signal(number, signal.SIG_IGN)  # what is begun is done
        for daemon in self.daemons:
            if not daemon.lasts:
                daemon.tell()
        self.exits.close()

    def port(self):
        """A port of 127.0.0.1 that is free, and not one of those that connections get by themselves."""
        while True:
            number = random.randrange(20000, 32000)
            with self.lock, socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if number in self.ports or probe.connect_ex(("127.0.0.1", number)) == 0:
                    continue
                self.ports.add(number)
                return number

    def make(self, name):
        """A folder that the peers may write to."""
        made = self.folder / name
        made.mkdir(parents=True)
        self.give(made)
        return made

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        self.give(path)
        return path

    def give(self, path):
        if os.getuid() == 0:
            user = pwd.getpwnam(USER)
            os.chown(path, user.pw_uid, user.pw_gid)

    def command(self, words):
        """The words that run a command as the peers' user, and that end it when this process dies."""
        drop = []
        if os.getuid() == 0:
            user = pwd.getpwnam(USER)
            drop = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        return ["setpriv", *drop, "--pdeathsig=TERM", *map(str, words)]

    def guard(self, words):
        """The words that run a command as who we are, and that end it when this process dies."""
        return ["setpriv", "--pdeathsig=KILL", *map(str, words)]

    def start(self, words, **options):
        return self.starter.submit(subprocess.Popen, words, **options).result()


class Daemon:
    """A peer that runs in the foreground, until stop() or the end of the world."""

    def __init__(self, world, name, words, environment, stop=signal.SIGTERM, lasts=False):
        self.world = world
        self.name = name
        self.words = words
        self.environment = environment
        self.signal = stop
        self.lasts = lasts  # until the others have stopped
        self.told = False
        self.output = world.folder / f"{name}.out"
        self.process = None
        world.daemons.append(self)
        world.exits.callback(self.stop)

    def start(self):
        self.told = False
        words = self.world.command(self.words)
        with open(self.output, "ab") as output:
            self.process = self.world.start(words, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                            env=self.environment, start_new_session=True)

    def tell(self):
        """Tells it to stop; does not wait."""
        if self.process and not self.told:
            self.told = True
            self.process.send_signal(self.signal)

    def stop(self):
        if not self.process:
            return
        self.tell()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process = None
