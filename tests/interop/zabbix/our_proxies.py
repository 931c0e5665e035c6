"""Our proxies at the real server: what they hand in is in its database, exactly."""

import time

import ours as leat
from objects import ACTIVE, CHARACTER, FLOAT, LOG, TEXT, TRAPPER, UNSIGNED, Host, ProxyRow
from ours import VERSION, Proxy
from security import KINDS, NUMBERS, PLAIN
from world import until

ITEMS = [("float", TRAPPER, FLOAT, "0"), ("character", TRAPPER, CHARACTER, "0"),
         ("log[/x]", ACTIVE, LOG, "1s"), ("unsigned", TRAPPER, UNSIGNED, "0"), ("text", TRAPPER, TEXT, "0"),
         ("bad", TRAPPER, UNSIGNED, "0")]
TABLES = {"float": "history", "character": "history_str", "unsigned": "history_uint", "text": "history_text"}
VALUES = {
    "float": ["3.14159265358979", "-1.5e+300", "0"],
    "character": ["a", "äöü ☃ \"quoted\" \\ \t", "x" * 255],
    "unsigned": ["0", "1", "18446744073709551615"],
    "text": ["line\nline", "", "☃" * 20000],
}
LOGGED = [
    {"value": "first", "timestamp": 1795292000, "source": "app", "severity": 4, "eventid": 4711,
     "lastlogsize": 6, "mtime": 1795292001},
    {"value": "second", "lastlogsize": 13, "mtime": 1795292002},
    {"lastlogsize": 5000000000, "mtime": 1795292003},
]


class Ours:
    """One of our proxies: its row in the database, and the command."""

    def __init__(self, world, security, kind=PLAIN, passive=False, compress=1, version=VERSION):
        self.world = world
        self.kind = kind
        self.passive = passive
        self.compress = compress
        self.version = version
        self.name = "-".join(["ours", "passive" if passive else "active", kind, str(compress), version])
        self.title = (f"our {'passive' if passive else 'active'} proxy of {version}, {kind}, "
                      f"auto_compress {compress}")
        self.identity = security.identity(self.name)
        self.port = world.port()
        self.recording = world.folder / f"{self.name}.recording"
        self.host = Host(f"host-of-{self.name}", 1, ITEMS)
        self.row = ProxyRow(self.name, [self.host], self.port if passive else None,
                            self.identity.columns(kind), compress)
        self.proxy = None

    def start(self, server):
        options = [*self.identity.options(self.kind), "--config-frequency", 3,
                   "--record", self.recording]
        if self.passive:
            options += ["--passive", "--listen", f"127.0.0.1:{self.port}", "--server", "127.0.0.1"]
        else:
            options += ["--server", server.address]
        self.proxy = Proxy(self.world, self.name, *options, version=self.version)

    def itemid(self, key):
        return self.host.itemid(key)


def fleet(world, security):
    """Every way to connect, and the older versions that the server takes."""
    every = [Ours(world, security, kind, passive, compress) for kind in KINDS for passive in (False, True)
             for compress in (0, 1)]
    return every + [Ours(world, security, version=version) for version in ("5.0.30", "5.4.10")]


def configuration(report, ours):
    proxy = ours.proxy
    rows = {name: [] for name in ("hosts", "items", "dchecks")}
    proxy.find("items", lambda value: value["row"].get("itemid") == ours.itemid("bad"))
    proxy.find("dchecks")
    for name, found in rows.items():
        found += [value["row"] for value in proxy.values(name) if value["change"] == "added"]
    good = [row["host"] for row in rows["hosts"] if row["status"] == 0] == [ours.host.name]
    good = good and [row["dcheckid"] for row in rows["dchecks"]] == [ours.row.dcheckid]
    report.check(f"{ours.title}: takes its hosts and discovery checks", good, rows)
    report.same(f"{ours.title}: takes its items",
                sorted((row["itemid"], row["type"], row["key_"], row["value_type"]) for row in rows["items"]),
                sorted((itemid, kind, key, value_type)
                       for key, (itemid, kind, value_type, _) in ours.host.items.items()))


def history(report, ours, db):
    clock = int(time.time())
    rows, expected = [], {key: [] for key in VALUES}
    for number in range(3):
        for key, values in VALUES.items():
            ns = 100 * number + 7
            rows.append({"itemid": ours.itemid(key), "clock": clock, "ns": ns, "value": values[number]})
            expected[key].append((clock, ns, float(values[number]) if key == "float" else
                                  int(values[number]) if key == "unsigned" else values[number]))
    logs = [{"itemid": ours.itemid("log[/x]"), "clock": clock, "ns": ns + 1, **row}
            for ns, row in enumerate(LOGGED)]
    bad = {"itemid": ours.itemid("bad"), "clock": clock, "ns": 5, "state": 1, "value": "No such thing ☹"}
    ours.proxy.give(*rows, *logs, bad)
    for key, table in TABLES.items():
        query = f"select clock, ns, value from {table} where itemid = {ours.itemid(key)} order by clock, ns"
        report.same(f"{ours.title}: {key} values", arrived(db, query, len(expected[key])), expected[key])
    query = ("select clock, ns, value, timestamp, source, severity, logeventid from history_log "
             f"where itemid = {ours.itemid('log[/x]')} order by clock, ns")
    report.same(f"{ours.title}: log values", arrived(db, query, 2),
                [(clock, 1, "first", 1795292000, "app", 4, 4711), (clock, 2, "second", 0, "", 0, 0)])
    query = (f"select lastlogsize, mtime from item_rtdata where itemid = {ours.itemid('log[/x]')} "
             "and lastlogsize > 13")
    report.same(f"{ours.title}: the position in a log", arrived(db, query, 1), [(5000000000, 1795292003)])
    query = f"select state, error from item_rtdata where itemid = {ours.itemid('bad')} and state = 1"
    report.same(f"{ours.title}: an item that is not supported", arrived(db, query, 1),
                [(1, "No such thing ☹")])


def arrived(db, query, count):
    """The rows of a query when there are so many, or when they do not come."""
    end = time.monotonic() + 20
    while len(rows := db.rows(query)) < count and time.monotonic() < end:
        time.sleep(0.3)
    return rows


def availability(report, ours, db):
    if ours.version.startswith("5.0"):
        ours.proxy.add("host availability", {"hostid": ours.host.hostid, "available": 2, "error": "gone"})
        return  # which the server passes over
    ours.proxy.add("interface availability",
                   {"interfaceid": ours.host.interfaceid, "available": 2, "error": "Grund: ☹"})
    query = ("select available, error from interface where available <> 0 and interfaceid = "
             f"{ours.host.interfaceid}")
    report.same(f"{ours.title}: availability", arrived(db, query, 1), [(2, "Grund: ☹")])


def discovery(report, ours, db):
    clock = int(time.time())
    row = {"clock": clock, "drule": ours.row.druleid, "ip": "127.0.0.1", "dns": "localhost"}
    ours.proxy.add("discovery data",
                   {**row, "dcheck": ours.row.dcheckid, "port": 16050, "value": "v"}, {**row, "dcheck": None})
    query = (f"select status, lastup, lastdown from dhosts where druleid = {ours.row.druleid}")
    report.same(f"{ours.title}: a discovered host", arrived(db, query, 1), [(0, clock, 0)])
    query = ("select ip, dns, port, value, status, lastup, lastdown from dservices "
             f"where dcheckid = {ours.row.dcheckid}")
    report.same(f"{ours.title}: a discovered service", arrived(db, query, 1),
                [("127.0.0.1", "localhost", 16050, "v", 0, clock, 0)])


def registration(report, ours, db):
    ours.proxy.add("auto registration", {
        "clock": int(time.time()), "host": f"new-{ours.name}", "ip": "127.0.0.9", "dns": "new.example",
        "port": "16059", "host_metadata": "linux", "flags": "1", "tls_accepted": NUMBERS[ours.kind]})
    query = ("select host, listen_ip, listen_dns, listen_port, host_metadata, flags, tls_accepted "
             f"from autoreg_host where proxy_hostid = {ours.row.hostid}")
    report.same(f"{ours.title}: auto registration", arrived(db, query, 1), [
        (f"new-{ours.name}", "127.0.0.9", "new.example", 16059, "linux", 1, NUMBERS[ours.kind])])


def tasks(report, ours, db):
    now, first = int(time.time()), ours.row.hostid
    command, check = first, first + 1
    db.script("begin;"
              + db.insert("task", taskid=command, type=2, status=1, clock=now, ttl=600, proxy_hostid=first)
              + db.insert("task", taskid=check, type=6, status=1, clock=now, ttl=3600, proxy_hostid=first)
              + db.insert("task_remote_command", taskid=command, command_type=0, execute_on=2,
                          command="echo \"hello\"", parent_taskid=command, hostid=ours.host.hostid)
              + db.insert("task_check_now", taskid=check, itemid=ours.itemid("float")) + "commit;")
    checked = ours.proxy.find("task", lambda value: value["type"] == 6)
    report.same(f"{ours.title}: is asked to check now", (checked["itemid"], checked["clock"], checked["ttl"]),
                (ours.itemid("float"), now, 3600))
    ordered = ours.proxy.find("task", lambda value: value["type"] == 2)
    names = ("command", "parent_taskid", "hostid", "execute_on", "clock", "ttl")
    report.same(f"{ours.title}: is given a remote command", [ordered[name] for name in names],
                ["echo \"hello\"", command, ours.host.hostid, 2, now, 600])
    ours.proxy.add("tasks", {"type": 3, "clock": now, "ttl": 600, "status": 0, "info": "hello\n",
                             "parent_taskid": command})
    query = f"select status, info from task_remote_command_result where parent_taskid = {command}"
    report.same(f"{ours.title}: its result of the command", arrived(db, query, 1), [(0, "hello\n")])
    report.check(f"{ours.title}: is given each task once",
                 len(ours.proxy.values("task")) == 2, ours.proxy.values("task"))


def seen(report, ours, db):
    """The server heard of it just now, and remembers that it compresses."""
    query = (f"select auto_compress from hosts where hostid = {ours.row.hostid} and "
             "lastaccess > extract(epoch from now()) - 30")
    until(lambda: db.rows(query) == [(1,)], f"{ours.title}: lastaccess and auto_compress")
    report.check(f"{ours.title}: the server heard of it", True)


def compression(report, ours, _):
    """All of ours is. A server does for an active proxy that did, which may be so from the first on."""
    forms = leat.forms(ours.recording)
    mine = {form for (_, direction), form in forms.items() if direction.startswith("proxy>")}
    theirs = [form for (_, direction), form in forms.items() if not direction.startswith("proxy>")]
    good = theirs[-1] == leat.COMPRESSED
    if ours.compress or ours.passive:
        good = good and theirs[0] == (leat.COMPRESSED if ours.compress else leat.UNCOMPRESSED)
    report.check(f"{ours.title}: what is compressed", good and mine == {leat.COMPRESSED}, forms)


def ends(report, ours):
    code = ours.proxy.stop()
    report.check(f"{ours.title}: ends in good order", code == 0, lambda: ours.proxy.tell())


def cases(report, ours, server):
    db = server.database
    ours.start(server)
    configuration(report, ours)
    for case in (history, availability, discovery, registration, tasks, seen, compression):
        report.run(f"{ours.title}: {case.__name__}", case, report, ours, db)
    ends(report, ours)
