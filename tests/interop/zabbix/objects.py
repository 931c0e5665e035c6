"""What is configured in a real server's database, and the same for ours as tables of JSON."""

import itertools
import threading

FLOAT, CHARACTER, LOG, UNSIGNED, TEXT = range(5)  # value types
AGENT, TRAPPER, ACTIVE = 0, 2, 7  # item types
ACTIVE_PROXY, PASSIVE_PROXY = 5, 6  # of the column hosts.status
NUMBERS = itertools.count(1_000_000, 100)
LOCK = threading.Lock()


class Host:
    """A host with its interface and its items, below a proxy or none. A hundred ids belong to it."""

    def __init__(self, name, agent_port, items, tls=None):
        with LOCK:
            self.hostid = next(NUMBERS)
        self.name = name
        self.interfaceid = self.hostid + 1
        self.port = agent_port
        self.tls = tls or {}
        self.items = {key: (self.hostid + 10 + n, kind, value_type, delay)
                      for n, (key, kind, value_type, delay) in enumerate(items)}

    def itemid(self, key):
        return self.items[key][0]

    def insert(self, db, proxyid=None):
        text = db.insert("hosts", hostid=self.hostid, proxy_hostid=proxyid, host=self.name, name=self.name,
                         name_upper=self.name.upper(), status=0, **self.tls)
        text += db.insert("hosts_groups", hostgroupid=self.hostid, hostid=self.hostid, groupid=2)
        text += db.insert("interface", interfaceid=self.interfaceid, hostid=self.hostid, main=1, type=1,
                          useip=1, ip="127.0.0.1", dns="", port=str(self.port))
        for key, (itemid, kind, value_type, delay) in self.items.items():
            text += db.insert("items", itemid=itemid, hostid=self.hostid, type=kind, name=key, key_=key,
                              interfaceid=self.interfaceid if kind == AGENT else None, delay=delay,
                              value_type=value_type)
            text += db.insert("item_rtdata", itemid=itemid)
        return text

    def tables(self):
        """The same as tables of a configuration of ours."""
        return {
            "hosts": [{"hostid": self.hostid, "host": self.name, **self.tls}],
            "interface": [{"interfaceid": self.interfaceid, "hostid": self.hostid, "ip": "127.0.0.1",
                           "port": str(self.port)}],
            "items": [{"itemid": itemid, "hostid": self.hostid, "type": kind, "key_": key, "delay": delay,
                       "value_type": value_type, "interfaceid": self.interfaceid if kind == AGENT else None}
                      for key, (itemid, kind, value_type, delay) in self.items.items()],
        }


class ProxyRow:
    """A proxy in a real server's database, with hosts and a discovery rule."""

    def __init__(self, name, hosts, passive_port=None, tls=None, compress=1):
        with LOCK:
            self.hostid = next(NUMBERS)
        self.name = name
        self.hosts = hosts
        self.port = passive_port
        self.tls = tls or {}
        self.compress = compress
        self.druleid, self.dcheckid = self.hostid + 2, self.hostid + 3

    def insert(self, db):
        text = db.insert("hosts", hostid=self.hostid, host=self.name, name="", auto_compress=self.compress,
                         status=PASSIVE_PROXY if self.port else ACTIVE_PROXY, **self.tls)
        if self.port:
            text += db.insert("interface", interfaceid=self.hostid + 1, hostid=self.hostid, main=1, type=0,
                              useip=1, ip="127.0.0.1", dns="", port=str(self.port))
        text += db.insert("drules", druleid=self.druleid, proxy_hostid=self.hostid, name=self.name,
                          iprange="127.0.0.1", delay="1h")
        # 8: the check opens a TCP connection.
        text += db.insert("dchecks", dcheckid=self.dcheckid, druleid=self.druleid, type=8, key_="",
                          ports="16050")
        return text + "".join(host.insert(db, self.hostid) for host in self.hosts)


def merge(*tables):
    merged = {}
    for each in tables:
        for name, rows in each.items():
            merged.setdefault(name, []).extend(rows)
    return merged
