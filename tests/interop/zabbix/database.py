"""A private PostgreSQL cluster, asked through psql."""

import gzip
import json
import signal
import subprocess

from world import Daemon, until

# What is lost in a crash does not matter here.
SETTINGS = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
dynamic_shared_memory_type = mmap
fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 200
"""
# SIGINT is the fast shutdown, which does not wait for those who are connected. SIGTERM comes when this
# process was killed: the Zabbix servers stop then, too, and without the database they never would.
GUARD = '"$@" & trap "kill -INT $!" INT; trap "sleep 20; kill -INT $!" TERM; wait $!; wait $!'


class Cluster:
    def __init__(self, world, programs):
        self.world = world
        self.programs = programs
        self.port = world.port()
        data = world.make("postgresql")
        self.run(world.command([programs.postgres / "initdb", "-D", data, "-A", "trust", "-U", "zabbix",
                                "--no-sync", "--locale=C.UTF-8", "-E", "UTF8"]))
        with open(data / "postgresql.conf", "a", encoding="utf-8") as settings:
            settings.write(SETTINGS.format(port=self.port))
        self.daemon = Daemon(
            world, "postgres", ["sh", "-c", GUARD, "sh", programs.postgres / "postgres", "-D", data],
            programs.environment, signal.SIGINT, lasts=True)

    def run(self, words, text=b""):
        done = subprocess.run(words, input=text, capture_output=True, env=self.programs.environment,
                              cwd=self.world.folder, timeout=120, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{words[0]}: {done.stderr.decode()}")
        return done.stdout.decode()

    def start(self):
        self.daemon.start()
        ready = [self.programs.postgres / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        until(lambda: subprocess.run(ready, env=self.programs.environment, check=False).returncode == 0,
              "PostgreSQL")

    def load(self, name, files):
        self.database("postgres").script(f"create database {name};")
        made = self.database(name)
        made.script("begin;" + "".join(gzip.decompress(path.read_bytes()).decode() for path in files)
                    + "commit;")
        return made

    def copy(self, name, source):
        self.database("postgres").script(f"create database {name} template {source.name};")
        return self.database(name)

    def database(self, name):
        return Database(self, name)


class Database:
    def __init__(self, cluster, name):
        self.cluster = cluster
        self.name = name
        self.words = [cluster.programs.postgres / "psql", "-q", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1",
                      "-h", "127.0.0.1", "-p", str(cluster.port), "-U", "zabbix", name]

    def script(self, text):
        return self.cluster.run(self.words, text.encode())

    def rows(self, query):
        """The rows of a query, as tuples of numbers, texts and None; its columns have different names."""
        answer = self.script(f"select json_agg(row_to_json(t)) from ({query}) t;").strip()
        return [tuple(row.values()) for row in json.loads(answer)] if answer else []

    def insert(self, table, **columns):
        """A statement that inserts a row."""
        return (f"insert into {table} ({','.join(columns)}) values "
                f"({','.join(map(literal, columns.values()))});")


def literal(value):
    if value is None:
        return "null"
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"
