"""The real daemons: their configuration files, and how they start, tell that they run, and stop."""

import sqlite3
from contextlib import closing

from world import Daemon, until

COMMON = """LogFile={folder}/log
LogFileSize=0
PidFile={folder}/pid
ListenIP=127.0.0.1
ListenPort={port}
Timeout=10
"""
SMALL = """SocketDir={folder}
StartPollers=1
StartPollersUnreachable=1
StartPreprocessors=1
StartPingers=0
StartTrappers=3
StartDBSyncers=1
"""


class Peer:
    """One of the real daemons. Its log tells what it does."""

    ready = None

    def __init__(self, world, programs, program, name, text, lines, port=None):
        self.world = world
        self.programs = programs
        self.name = name
        self.port = port or world.port()
        self.address = f"127.0.0.1:{self.port}"
        self.folder = world.make(name)
        self.log = self.folder / "log"
        text = text.format(folder=self.folder, port=self.port) + "\n".join(lines) + "\n"
        self.settings = world.write(f"{name}/conf", text)
        self.daemon = Daemon(world, name, [program, "-f", "-c", self.settings], programs.environment)

    def start(self):
        self.seen = self.log.stat().st_size if self.log.exists() else 0
        self.daemon.start()

    def stop(self):
        self.daemon.stop()

    def tail(self):
        return self.log.read_text(errors="replace")[self.seen:] if self.log.exists() else ""

    def wait(self):
        """Until it serves, since it was started last."""
        until(lambda: self.ready in self.tail(),
              lambda: f"{self.ready} of {self.name}: {self.tail()[-2000:]}")



class RealServer(Peer):
    ready = "trapper #1]"

    def __init__(self, world, programs, name, database, identity):
        lines = [f"DBHost=127.0.0.1\nDBPort={database.cluster.port}\nDBName={database.name}\nDBUser=zabbix",
                 *identity.files(),
                 "CacheUpdateFrequency=2", "StartProxyPollers=8", "StartDiscoverers=0",
                 "ProxyConfigFrequency=5", "ProxyDataFrequency=1"]
        super().__init__(world, programs, programs.server, name, COMMON + SMALL, lines)
        self.database = database


class RealProxy(Peer):
    ready = "trapper #1]"

    def __init__(self, world, programs, name, server, lines, passive=False, hostname=None):
        role = [f"ProxyMode={int(passive)}", f"Server={'127.0.0.1' if passive else server}",
                f"Hostname={hostname or name}", f"DBName={world.folder}/{name}/db",
                "EnableRemoteCommands=1"]
        if not passive:
            role += ["HeartbeatFrequency=5", "ConfigFrequency=4", "DataSenderFrequency=1"]
        super().__init__(world, programs, programs.proxy, name, COMMON + SMALL, role + lines)

    def rows(self, query):
        """Rows of its own database."""
        path = self.folder / "db"
        if not path.exists():
            return []
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as database:
            try:
                return database.execute(query).fetchall()
            except sqlite3.OperationalError:  # it is being made
                return []


class RealAgent(Peer):
    ready = "listener #1]"

    def __init__(self, world, programs, name, servers, lines, port):
        role = [f"Hostname={name}", "Server=127.0.0.1", "StartAgents=2",
                "RefreshActiveChecks=60", "BufferSend=1"]
        role += [f"ServerActive={','.join(servers)}"] if servers else []
        super().__init__(world, programs, programs.agent, name, COMMON, role + lines, port)
