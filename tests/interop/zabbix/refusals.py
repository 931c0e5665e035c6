"""Proxies that are not who they say: the real server and ours give them nothing, and take nothing of them."""

import time

from ours import Proxy
from peers import RealProxy
from security import CERTIFICATE, PLAIN, PSK

SECONDS = 6  # in which those who may get their configuration


def thieves(security, victims):
    """Names, kinds of connection and identities that do not belong together. Victims are by kind."""
    return [
        ("a name that is not known", "stranger", PLAIN, security.identity("stranger")),
        ("no key", victims[PSK].name, PLAIN, victims[PSK].identity),
        ("another's key", victims[PSK].name, PSK, security.identity("psk-thief")),
        ("a false key", victims[PSK].name, PSK, forged(security, victims[PSK].identity)),
        ("another's certificate", victims[CERTIFICATE].name, CERTIFICATE, security.identity("cert-thief")),
    ]


def forged(security, identity):
    """The name of a key, with another key."""
    made = security.identity("forged-key")
    made.psk_identity = identity.psk_identity
    return made


def ours(report, stage, server, victims):
    """Our proxies at the real server."""
    item = victims[PSK].itemid("text")
    proxies = []
    for title, name, kind, identity in thieves(stage.security, victims):
        proxies.append((title, Proxy(stage.world, name, "--server", server.address, *identity.options(kind))))
        proxies[-1][1].say({"itemid": item, "value": "stolen"})
    time.sleep(SECONDS)
    for title, proxy in proxies:
        got = [event for event in proxy.events if event["event"] in ("hosts", "acknowledged", "task")]
        report.check(f"our proxy at the real server with {title}: gets nothing", not got and proxy.errors,
                     lambda: proxy.tell())
        proxy.kill()
    stolen = server.database.rows(f"select 1 from history_text where itemid = {item} and value = 'stolen'")
    report.same("the real server takes nothing of them", stolen, [])


class Strangers:
    """Real proxies at our server."""

    def __init__(self, stage, server):
        self.victims = {proxy.kind: proxy for proxy in server.proxies if proxy.compress and not proxy.passive}
        self.server = server
        self.daemons = []
        for number, (title, name, kind, identity) in enumerate(thieves(stage.security, self.victims)):
            daemon = RealProxy(stage.world, stage.programs, f"stranger-{number}", server.address,
                               identity.lines(kind), hostname=name)
            daemon.start()
            self.daemons.append((title, daemon))

    def cases(self, report):
        for title, daemon in self.daemons:
            daemon.wait()
        time.sleep(SECONDS)
        for title, daemon in self.daemons:
            report.check(f"the real proxy at our server with {title}: gets nothing",
                         "received configuration" not in daemon.tail()
                         and not daemon.rows("select * from hosts"), daemon.tail()[-1000:])
        named = [event for event in list(self.server.command.events) if event.get("proxy") == "stranger"]
        report.same("our server says nothing of whom it does not know", named, [])
