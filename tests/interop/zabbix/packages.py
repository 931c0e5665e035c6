"""Zabbix and PostgreSQL from Debian's packages, unpacked: nothing is installed, and no service starts."""

import os
import pathlib
import shutil
import subprocess

PACKAGES = ["zabbix-server-pgsql", "zabbix-agent"]
CONFLICTING = ["zabbix-proxy-sqlite3"]  # not beside the server, says apt; it needs no library more
PATIENCE = 240  # seconds until a download is given up


class Unavailable(Exception):
    """Why the packages are not to be had."""


class Programs:
    """Where the programs are, and the environment that they need."""

    def __init__(self, root):
        self.root = root
        self.server = self.find("usr/sbin/zabbix_server")
        self.proxy = self.find("usr/sbin/zabbix_proxy")
        self.agent = self.find("usr/sbin/zabbix_agentd")
        self.sender = self.find("usr/bin/zabbix_sender")
        self.get = self.find("usr/bin/zabbix_get")
        self.schema = [self.find(f"usr/share/zabbix-server-pgsql/{name}.sql.gz")
                       for name in ("schema", "images", "data")]
        self.postgres = postgres(root) or postgres(pathlib.Path("/"))
        if not self.postgres:
            raise Unavailable("PostgreSQL is not in the packages")
        libraries = sorted({str(path.parent) for path in root.glob("**/*.so*")})
        self.environment = dict(os.environ, LC_ALL="C.UTF-8", LD_LIBRARY_PATH=":".join(libraries))

    def find(self, path):
        if not (self.root / path).exists():
            raise Unavailable(f"{path} is not in the packages")
        return self.root / path

    def call(self, program, *words, text=b""):
        """Runs one that ends by itself. What subprocess.run() gives."""
        return subprocess.run([str(program), *map(str, words)], input=text, capture_output=True, timeout=60,
                              check=False, env=self.environment)


def postgres(root):
    """The folder of PostgreSQL's programs below root, the newest if there are several."""
    found = [path.parent for path in root.glob("usr/lib/postgresql/*/bin/initdb")]
    return max(found, key=lambda path: int(path.parent.name), default=None)


def fetch(folder):
    """Downloads and unpacks the packages. The programs; throws Unavailable."""
    for program in ("apt-get", "dpkg-deb", "setpriv"):
        if not shutil.which(program):
            raise Unavailable(f"{program} is not here")
    archives, root = folder / "archives", folder / "root"
    (archives / "partial").mkdir(parents=True)
    root.mkdir()
    wanted = PACKAGES + ([] if postgres(pathlib.Path("/")) else ["postgresql"])
    private = ["-o", f"Dir::Cache::archives={archives}", "-o", "Debug::NoLocking=1",
               "-o", "APT::Sandbox::User=root"]
    download = ["apt-get", "-q", "-y", *private, "--no-install-recommends", "--download-only",
                "--reinstall", "install", *wanted]
    if not runs(download, archives):
        if os.getuid() == 0:
            runs(["apt-get", "-q", "update"], archives)
        must(download, archives)
    must(["apt-get", "-q", *private, "download", *CONFLICTING], archives)
    for archive in archives.glob("*.deb"):
        must(["dpkg-deb", "-x", str(archive), str(root)], archives)
    if not any(archives.glob("zabbix-server-pgsql_1%3a6.0.*")):
        raise Unavailable("Debian's Zabbix is not 6.0 here")
    return Programs(root)


def execute(command, folder):
    return subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=PATIENCE, check=False,
                          env=dict(os.environ, DEBIAN_FRONTEND="noninteractive", LC_ALL="C.UTF-8"))


def runs(command, folder):
    return execute(command, folder).returncode == 0


def must(command, folder):
    done = execute(command, folder)
    if done.returncode != 0:
        text = done.stdout.decode("utf-8", "replace").strip().splitlines()
        raise Unavailable(f"{' '.join(command[:1] + command[-3:])}: {' '.join(text[-2:])}")
