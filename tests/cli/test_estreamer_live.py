#!/usr/bin/env python3
"""leat estreamer client and server: against each other, and against sockets that say what they should not."""

import json
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

from cli import DIALECTS, LEAT, OPENSSL, SANITIZED, VECTORS, Tap, leat, strict, temporary
from live import (Authority, Client, Peer, Program, Server, folder, message, messages, read_message,
                  record, recorded, run, until)

RECORDS = VECTORS / "estreamer" / "records"
PLAIN = "--no-tls"
NULL, ERROR, DATA, HOST_REQUEST, INFORMATION, BUNDLE = 0, 1, 4, 5, 2051, 4002
SERVICES = message(INFORMATION, bytes.fromhex("00001a0b000000080000000000000000"))
INTRUSION, CONNECTION, PRIORITY, PACKET = 400, 71, 4, 2


def decoded(payload):
    """What decode estreamer tells of an event data payload."""
    return leat("decode", "estreamer", data=message(DATA, payload)).events()[0]["value"]


def vectors():
    """The values of all payloads, in the order in which a server serves them."""
    payloads = [bytes.fromhex(path.read_text()) for path in sorted(RECORDS.glob("*.hex"))]
    stream = b"".join(message(DATA, payload) for payload in payloads)
    values = [event["value"] for event in leat("decode", "estreamer", data=stream).events()]
    categories = categories_of()
    return sorted(values, key=lambda value: categories.get(value["record_type"]) != "metadata")


def categories_of():
    rows = (VECTORS.parent.parent / "lib" / "estreamer" / "records.tsv").read_text().splitlines()
    return {int(row.split("\t")[0]): row.split("\t")[2] for row in rows[1:]}


def priority(number, name=b"name"):
    """A line of metadata."""
    return event(PRIORITY, {"priority_id": number, "name": name.decode()})


def event(kind, values, archived=None):
    value = {"record_type": kind, "record": values}
    if archived is not None:
        value["archive_timestamp"] = archived
    return json.dumps({"event": "event_data", "value": value})


def intrusion(number, archived):
    return event(INTRUSION, {"block_type": 60, "event_id": number, "event_second": archived}, archived)


def packet(number, octets, link_type=1):
    return event(PACKET, {"event_id": number, "packet_second": 1000 + number, "packet_microsecond": number,
                          "link_type": link_type, "packet_data": octets.hex()}, 1000 + number)


def stored(*lines):
    return temporary("\n".join(lines) + "\n")


def ids(events):
    return [entry["value"]["record"].get("event_id") for entry in events
            if entry["value"].get("record_type") == INTRUSION]


def ended_well(tap, name, program, code=0):
    return tap.check(name, program.code == code, f"{program.code} {program.err.text()}")


def fetch(tap, name, server_options, client_options=()):
    """A server and a client, both with --once. The client, whose events are there."""
    with Server(PLAIN, "--once", *server_options) as server:
        client = run("estreamer", "client", server.address, PLAIN, "--once", *client_options)
        ended_well(tap, f"{name}: the client ends well", client)
        tap.same(f"{name}: the server ends well", server.end(), 0)
        return client


def every_record(tap):
    own, other = folder() / "client.jsonl", folder() / "server.jsonl"
    expected = vectors()
    client = fetch(tap, "every record", ["--vectors", RECORDS, "--record", other], ["--record", own])
    values = [entry["value"] for entry in client.events()]
    tap.check("there are many", len(values) > 140)
    tap.same("all records, metadata first, as decode has them", values, expected)
    tap.check("each line is one of decode's",
              all(list(entry) == ["event", "offset", "value"] for entry in client.events()))
    tap.same("nothing to complain about", client.err.text(), "")
    for path in own, other:
        shown = leat("decode", "capture", "estreamer", path)
        tap.same(f"{path.name}: decode capture finds no fault", (shown.code, shown.err), (0, ""))
        tap.same(f"{path.name}: it has the same records",
                 [entry["value"] for entry in shown.events() if entry["event"] == "event_data"], expected)
        tap.same(f"{path.name}: it begins as protocol has it", shown.names()[:3],
                 ["event_stream_request", "streaming_information", "streaming_request"])
    mine, theirs = recorded(own), recorded(other)
    tap.same("both sides recorded what the server said", mine[1, "server>client"],
             theirs[1, "server>client"])
    tap.check("and what the client did, but for acknowledgements that came too late",
              mine[1, "client>server"].startswith(theirs[1, "client>server"])
              and len(mine[1, "client>server"]) - len(theirs[1, "client>server"]) <= 16)

    printed = temporary(client.out.text())
    again = fetch(tap, "what was printed, served again", ["--records", printed])
    tap.same("the same records", [entry["value"] for entry in again.events()], expected)


def secured(tap):
    """TLS: who is believed, and what is said if not."""
    if not OPENSSL:
        result = leat("estreamer", "client", "127.0.0.1:1", "--insecure")
        tap.check("without OpenSSL, TLS is refused",
                  result.code == 2 and "left out of this build" in result.err, result.err)
        return
    authority, stranger = Authority("authority"), Authority("stranger")
    server_files = authority.issue("server", "IP:127.0.0.1,DNS:leat.example")
    client_files = authority.issue("client", "IP:127.0.0.1")
    elsewhere = authority.issue("elsewhere", "IP:192.0.2.7")
    foreign = stranger.issue("foreign", "IP:127.0.0.1")
    secret, empty = authority.pack("client", "secret word"), authority.pack("elsewhere", "")
    password, wrong = temporary("secret word\r\nnot this line\n"), temporary("secret")
    only_ca = ["--ca", authority.certificate]
    lines = stored(priority(1), *(intrusion(i, 1000) for i in range(500)))

    def client(server, *options):
        return run("estreamer", "client", server.address, "--once", *options)

    def good(name, server, *options):
        program = client(server, *options)
        ended_well(tap, name, program)
        tap.same(f"{name}: all came", ids(program.events()), list(range(500)))

    def bad(name, server, reason, *options, code=1):
        program = client(server, *options)
        ended_well(tap, f"{name}: exit code {code}", program, code)
        tap.check(f"{name}: {reason}",
                  re.search(f"^leat: .*{reason}", program.err.text(), re.M | re.I)
                  and program.err.text().count("\n") == 1, program.err.text())
        tap.same(f"{name}: nothing was told", program.events(), [])

    def serve(*options):
        return Server("--records", lines, "--verbose", *options)

    # A client that got all would wait for more: the server of --once ends it.
    with serve("--once", *server_files) as server:
        recording = folder() / "tls.jsonl"
        good("certificates as PEM", server, *client_files, "--record", recording)
        tap.same("the server ends, too", server.end(), 0)
        shown = leat("decode", "capture", "estreamer", recording)
        tap.same("its recording is sound", (shown.code, shown.err), (0, ""))
        tap.same("and has all", ids(entry for entry in shown.events() if entry["event"] == "event_data"),
                 list(range(500)))
        tap.check("it has no name of the certificates", b"authority" not in
                  b"".join(recorded(recording).values()))
    with serve("--once", *server_files) as server:
        good("PKCS#12 with a password", server, "--pkcs12", secret, "--password-file", password)
    with serve("--once", *server_files) as server:
        good("PKCS#12 with an empty password", server, "--pkcs12", empty)
    with serve("--once", *server_files) as server:
        good("a password without the end of its line", server, "--pkcs12", secret, "--password-file",
             temporary("secret word"))
    with serve("--once", *server_files) as server:
        good("another name that the server has", server, "--peer-name", "leat.example", *client_files)
    with serve("--once", *server_files) as server:
        good("any name", server, "--peer-name", "any", *client_files)
    with serve("--once", *server_files) as server:
        good("a server that nobody vouches for, believed", server, "--insecure", *foreign[:4], "--cert",
             client_files[1], "--key", client_files[3])
    with serve("--once", *server_files[:4], "--insecure") as server:
        good("a server that demands no certificate", server, *only_ca)
    with serve("--once", "--check-peer", *server_files) as server:
        good("a certificate for the client's address", server, *client_files)
    with serve("--once", *elsewhere) as server:
        bad("a server that is another", server, "TLS: .*mismatch", *client_files)
        good("the same, by its name", server, "--peer-name", "192.0.2.7", *client_files)
    with serve("--check-peer", *server_files) as server:
        program = client(server, *elsewhere)
        ended_well(tap, "a certificate for another address is told as what it is: silence", program, 1)
        tap.same("a certificate for another address: nothing is told", program.events(), [])
        server.err.find(r"127\.0\.0\.1:\d+: the certificate is not for the client's address")
        tap.same("the server goes on, and stops when told", server.stop(), 0)
    with serve(*server_files) as server:
        bad("a stranger's CA", server, "TLS: .*issuer|TLS: .*self.signed|TLS: .*authorit",
            *client_files[:4], "--ca", stranger.certificate)
        server.err.find(r"127\.0\.0\.1:\d+: TLS: ")
        bad("a wrong name", server, "TLS: .*mismatch|TLS: .*not for", "--peer-name", "other.example",
            *client_files)
        bad("no certificate", server, "TLS: .*certificate required|TLS: .*handshake failure", *only_ca)
        bad("a stranger's certificate", server, "TLS: .*(unknown ca|certificate)", *foreign[:4], *only_ca)
        bad("no authority", server, "TLS: .*authorit", *client_files[:4], code=2)
        bad("a wrong password", server, "TLS: .*password", "--pkcs12", secret, "--password-file", wrong,
            code=2)
        bad("no password", server, "TLS: .*password", "--pkcs12", secret, code=2)
        bad("a key of another", server, "TLS: .*key", *client_files[:2], "--key", server_files[3],
            *only_ca, code=2)
        bad("a password for nothing", server, "--password-file", "--password-file", password, *only_ca, code=2)
        bad("no such file", server, "/nowhere: No such file", "--pkcs12", "/nowhere", code=2)
        bad("no PEM", server, "TLS: ", "--ca", lines, code=2)
        bad("plain TCP to a server with TLS", server, "connection lost: .*(without a word|version|reset)", PLAIN)
        tap.same("SIGTERM stops the server", server.stop(signal.SIGTERM), 0)
    with Server(PLAIN, "--records", lines) as server:
        bad("TLS to a server without", server, "TLS: ", *client_files)
    with Peer() as peer:
        with Client(peer.address, "--once", "--peer-name", "no name!", *client_files) as program:
            with peer.accept() as connection:
                tap.same("what is no name ends the connection, and nothing is said", connection.recv(4096), b"")
            tap.same("with exit code 1", program.end(), 1)
        tap.check("the reason", "no certificate can be for that name" in program.err.text(),
                  program.err.text())


def captured(path):
    """The link type and the packets of a capture file: seconds, microseconds, octets."""
    data = pathlib.Path(path).read_bytes()
    fields = [int.from_bytes(data[at:at + 4], "big") for at in range(0, 24, 4)]
    assert fields[:2] == [0xA1B2C3D4, 0x00020004], fields
    packets, at = [], 24
    while at < len(data):
        second, micro, length, whole = (int.from_bytes(data[at + i:at + i + 4], "big") for i in range(0, 16, 4))
        packets.append((second, micro, data[at + 16:at + 16 + length], whole))
        at += 16 + length
    assert at == len(data)
    return fields[5], packets


def packets(tap):
    path = folder() / "packets.pcap"
    frame = bytes.fromhex("ffffffffffff0200000000010806") + bytes(46)
    expected = [(1000 + i, i, frame[:14 + i], 14 + i) for i in range(3)]
    first = stored(*(packet(i, frame[:14 + i]) for i in range(3)))
    client = fetch(tap, "packets", ["--records", first], ["--pcap", path])
    tap.same("the capture file", captured(path), (1, expected))
    tap.same("its records are events, too", len(client.events()), 3)
    if shutil.which("tcpdump"):
        shown = subprocess.run(["tcpdump", "-n", "-r", path], capture_output=True, check=False)
        tap.check("tcpdump reads it", shown.returncode == 0 and shown.stdout.count(b"\n") == 3, shown)

    # Another run continues the file, behind the last packet that is whole.
    with open(path, "ab") as file:
        file.write(bytes(9))
    more = stored(packet(3, b"abc"), packet(4, b"d", link_type=113), packet(5, b""))
    client = fetch(tap, "more packets", ["--records", more], ["--pcap", path])
    tap.same("they are appended, but for those of another link type", captured(path),
             (1, expected + [(1003, 3, b"abc", 3), (1005, 5, b"", 0)]))
    tap.check("which is told", "link type 113" in client.err.text()
              and "left out: 1\n" in client.err.text(), client.err.text())
    other = folder() / "other.pcap"
    fetch(tap, "no packets", ["--records", stored(priority(1))], ["--pcap", other])
    tap.same("a capture file without packets is one", captured(other), (1, []))
    raw = stored(packet(6, b"e", link_type=101))
    header = other.read_bytes()
    for what, data in (("no packets", header), ("a header that was cut", header[:7]),
                       ("a packet that was cut", header + bytes(15)), ("nothing", b"")):
        other.write_bytes(data)
        fetch(tap, f"a file of {what}", ["--records", raw], ["--pcap", other])
        tap.same(f"a file of {what} takes any link type", captured(other), (101, [(1006, 6, b"e", 1)]))
    result = leat("estreamer", "client", "127.0.0.1:1", PLAIN, "--pcap", "/nowhere/x", "--record", path)
    tap.check("who cannot begin overwrites no recording", result.code == 2 and path.stat().st_size > 0, result.err)
    result = leat("estreamer", "client", "127.0.0.1:1", PLAIN, "--pcap", first)
    tap.check("a file that is no capture file stays as it is",
              result.code == 2 and "not a capture file" in result.err, result.err)


def large(tap):
    """A packet that is longer than what others take."""
    octets = bytes(i * 7 % 251 for i in range(300000))
    path, own, other = (folder() / name for name in ("large.pcap", "client.jsonl", "server.jsonl"))
    client = fetch(tap, "a large packet", ["--records", stored(packet(1, octets)), "--record", other],
                   ["--pcap", path, "--record", own])
    tap.same("it is told whole", client.events()[0]["value"]["record"]["packet_data"], octets.hex())
    tap.same("and cut in the capture file", captured(path), (1, [(1001, 1, octets[:262144], len(octets))]))
    for recording in own, other:
        shown = leat("decode", "capture", "estreamer", recording)
        tap.same(f"{recording.name}: it is there whole",
                 [entry["value"]["record"]["packet_data"] for entry in shown.events()
                  if entry["event"] == "event_data"], [octets.hex()])


def slow(tap):
    """Clients that are slower than the server, and records that are large."""
    lines = stored(*(packet(i, bytes(300000)) for i in range(3)))
    with Server(PLAIN, "--records", lines, "--loop") as server:
        with Client(server.address, PLAIN, "--acks", "none") as mute, Client(server.address, PLAIN) as client:
            client.out.count(30)
            mute.out.count(1)
            if not SANITIZED and pathlib.Path("/proc/self/statm").exists():
                tap.check("what waits for a client is bounded", server.resident() < 32 << 20, server.resident())
            tap.same("a client that acknowledges nothing is kept", mute.stop(), 0)
            tap.same("one that is slow is served on and on", client.stop(), 0)
            tap.same("in order", [entry["value"]["record"]["event_id"] for entry in client.events()][:30],
                     [0, 1, 2] * 10)
        tap.same("nothing to complain about", server.err.lines[1:], [])
    with Server(PLAIN, "--records", lines, "--idle", "0.2") as server:
        with Client(server.address, PLAIN, "--acks", "none") as mute:
            server.err.find(r"127\.0\.0\.1:\d+: .*acknowledge")
            mute.stop()
    if OPENSSL:
        options = Authority("authority").issue("both", "IP:127.0.0.1")
        with Server("--records", lines, "--once", *options) as server:
            client = run("estreamer", "client", server.address, "--once", *options)
            tap.same("large records come through TLS", (client.code, len(client.events()), server.end()), (0, 3, 0))
    profile = json.dumps({"event": "multiple_host_data", "value": {
        "block_type": 140, "ip_addresses": [{"block_type": 143, "ip_address": "192.0.2.1"}],
        "host_id": "00" * 16, "trailing": "00" * 300000}})
    with Server(PLAIN, "--records", stored(*[profile] * 20)) as server:
        client = run("estreamer", "client", server.address, PLAIN, "--host-range", "192.0.2.0-192.0.2.9")
        tap.same("large answers come whole", len(client.events()), 21)


def reconnects(tap):
    lines = stored(*(intrusion(i, 1000 + i) for i in range(10)))
    with Server(PLAIN, "--records", lines) as server:
        with Client(server.address, PLAIN, "--retry", "0.05", "--verbose") as client:
            client.out.count(10)
            server.process.kill()
            server.end()
            client.err.find(r"^leat: .*next try in 0\.\d s")
            again = stored(*(intrusion(i, 1000 + i) for i in range(20)))
            with Server(PLAIN, "--records", again, "--verbose", listen=server.address) as second:
                client.out.count(20)
                second.err.find(r'"initial_timestamp":1009')
                tap.same("SIGINT stops the client", client.stop(), 0)
                tap.same("what comes again is not printed again", ids(client.events()), list(range(20)))
                tap.same("SIGINT stops the server", second.stop(), 0)
    with Server(PLAIN, "--records", lines, listen=server.address) as third, \
            Client(third.address, PLAIN, "--retry", "600") as client:
        client.out.count(10)
        third.stop()
        client.err.find(r"^leat: 127\.0\.0\.1:\d+: connection lost: .* closed the connection; next try in 1\.0 s")
        client.err.find(r"^leat: no connection: .*Connection refused; next try in 2\.0 s")
        tap.same("SIGINT stops a client that waits", client.stop(), 0)
    program = run("estreamer", "client", server.address, PLAIN, "--once")
    ended_well(tap, "nobody there, once", program, 1)
    program = run("estreamer", "client", "nowhere.invalid:8302", PLAIN, "--once")
    ended_well(tap, "a name that is none", program, 1)
    tap.check("is told", "nowhere.invalid" in program.err.text(), program.err.text())


def killed(tap):
    """However often it is killed, nothing is lost, and what is repeated is what may be."""
    count = 400
    lines = stored(*(priority(i) for i in range(3)), *(intrusion(i, 1000 + i // 7) for i in range(count)))
    place = folder() / "place"
    options = [PLAIN, "--bookmark", place, "--events", "intrusion"]
    seen, starts = set(), [0]

    def mark():
        return place.read_bytes() if place.exists() else b""

    with Server(PLAIN, "--records", lines, "--rate", "400") as server:
        for round_ in range(10 * count):
            have, before = max(seen, default=-1), mark()
            want = (1, 30, 3, 41, 9, 35)[round_ % 6]
            with Client(server.address, *options) as client:
                if round_ % 2:  # as soon as there are so many lines, whatever is being written
                    client.out.wait(lambda all_: len(all_) >= want or have == count - 1 or
                                    any(f'"event_id":{count - 1},' in line for line in all_), "lines")
                else:  # as soon as the place is kept
                    until(lambda: mark() != before or have == count - 1, "a bookmark")
                client.process.kill()
                client.end()
                text = client.out.text()
            got = ids(strict(line) for line in text[:text.rfind("\n") + 1].splitlines())
            if got and not (got == list(range(got[0], got[0] + len(got))) and starts[-1] <= got[0] <= have + 1):
                tap.check("it goes on where it was, or before", False, f"{have}, {starts[-1]}: {got}")
            starts += got[:1]
            seen.update(got)
            if have == count - 1:
                break
    tap.same("all came", sorted(seen), list(range(count)))
    tap.check("it was killed often", len(starts) > 8, starts)
    fetch(tap, "the rest", ["--records", lines], options[1:])
    client = fetch(tap, "and again", ["--records", lines], options[1:])
    tap.same("a client that ended in order is resumed without repeats", client.events(), [])


def killed_with_file(tap):
    """Events in a file: whenever the client is killed, they are there before the bookmark passes them."""
    count = 600
    lines = stored(*(intrusion(i, 1000 + i // 7) for i in range(count)))
    path, place = folder() / "events", folder() / "place"
    kills = 0

    def whole():
        found = []
        for line in path.read_text().splitlines():
            try:
                found.append(strict(line))
            except ValueError:
                pass  # it was cut
        return ids(found)

    with Server(PLAIN, "--records", lines, "--rate", "300") as server:
        path.touch()
        while kills < 10 * count and count - 1 not in whole():
            before = place.read_bytes() if place.exists() else b""
            with open(path, "ab") as file, \
                    Program("estreamer", "client", server.address, PLAIN, "--bookmark", place, stdout=file) as client:
                until(lambda: (place.exists() and place.read_bytes() != before) or count - 1 in whole(), "a bookmark")
                client.process.kill()
                client.end()
            kills += 1
    tap.check("it was killed often", kills > 3, kills)
    tap.same("all are in the file", sorted(set(whole())), list(range(count)))
    again = fetch(tap, "what a killed client wrote, served", ["--records", path])
    tap.same("all are served", sorted(set(ids(again.events()))), list(range(count)))


def hosts(tap):
    """Host profiles, by themselves and beside events."""
    profiles = [entry for entry in leat(
        "decode", "estreamer", "--hex",
        data="".join(path.read_text() for path in sorted((VECTORS / "estreamer" / "perl-sdk").glob("host_*_server_*.hex")))
    ).events() if entry["value"]]
    addresses = [profile["value"]["ip_address"] for profile in profiles]
    tap.check("the recording has two hosts", len(set(addresses)) == 2, addresses)
    newer = json.dumps({"event": "single_host_data", "value": {
        "block_type": 140, "ip_addresses": [{"block_type": 143, "ip_address": "2001:db8::7", "last_seen": 5}]}})
    lines = stored(*(json.dumps(profile) for profile in profiles), newer, priority(1), intrusion(1, 1000))

    def ask(range_, *options, serves=0):
        with Server(PLAIN, "--records", lines) as server:
            program = run("estreamer", "client", server.address, PLAIN, "--host-range", range_, *options)
            ended_well(tap, f"{range_}: ends well", program)
            tap.same(f"{range_}: nothing to complain about", program.err.text(), "")
            return program.events()

    low, high = sorted(addresses, key=socket.inet_aton)
    found = ask(f"{low}-{high}")
    tap.same("a range", [entry["value"] for entry in found if entry["event"] == "multiple_host_data"],
             [profile["value"] for profile in profiles] + [{}])
    found = ask("2001:db8::-2001:db8::ffff")
    tap.same("a range of IPv6", [entry["value"]["ip_addresses"][0]["ip_address"] for entry in found
                                 if "ip_addresses" in entry["value"]], ["2001:db8::7"])
    found = [entry for entry in ask(high) if entry["event"] == "single_host_data"]
    tap.same("one host", [entry["value"].get("ip_address") for entry in found], [high])
    found = [entry["value"] for entry in ask("203.0.113.1") if entry["event"] == "single_host_data"]
    tap.same("one that nobody knows", found, [{}])
    found = [entry["value"] for entry in ask("203.0.113.1-203.0.113.2") if entry["event"] == "multiple_host_data"]
    tap.same("a range without hosts", found, [{}])

    with Server(PLAIN, "--records", lines) as server:
        with Client(server.address, PLAIN, "--host-range", f"{low}-{high}", "--start", "oldest") as client:
            client.out.count(5)
            tap.same("a client that wants both goes on until it is stopped", client.stop(), 0)
            kinds = [entry["event"] for entry in client.events()]
            tap.same("events and hosts", sorted(kinds), ["event_data"] * 2 + ["multiple_host_data"] * 3)


def names(tap):
    """Ids have names, those of a run before, too."""
    place = folder() / "place"
    first = stored(priority(7, b"urgent"), event(
        INTRUSION, {"block_type": 60, "event_id": 1, "event_second": 1, "priority_id": 7}, 1000))
    second = stored(event(INTRUSION, {"block_type": 60, "event_id": 2, "event_second": 1, "priority_id": 7}, 1001))
    options = ["--metadata", "--bookmark", place]
    found = fetch(tap, "names", ["--records", first], options).events()
    tap.same("metadata is learnt, not printed", ids(found), [1])
    tap.same("a name", found[0]["names"]["priority_id"], "urgent")
    tap.same("the members of a line", list(found[0]), ["event", "offset", "value", "names"])
    found = fetch(tap, "names of before", ["--records", second], options).events()
    tap.same("a name that was kept", [entry["names"].get("priority_id") for entry in found], ["urgent"])
    mute = folder() / "mute"
    with Server(PLAIN, "--records", first) as server:
        with Client(server.address, PLAIN, "--acks", "none", "--metadata", "--bookmark", mute) as client:
            until(pathlib.Path(f"{mute}.metadata").exists, "a file of names")
            client.stop()
    tap.check("who acknowledges nothing keeps names, and no place", not mute.exists())
    names_file = pathlib.Path(f"{place}.metadata")
    sound = names_file.read_bytes()
    for what, data in ("no names", b"no names"), ("names that were cut", sound[:-1]):
        names_file.write_bytes(data)
        result = leat("estreamer", "client", "127.0.0.1:1", PLAIN, "--once", *options)
        tap.check(f"a file of {what}", result.code == 2 and "place.metadata: not names" in result.err,
                  result.err)


def chosen(tap):
    """What is asked for, and from when on."""
    lines = stored(priority(1), *(intrusion(i, 1000 + i) for i in range(5)), packet(5, b"abc"))
    client = fetch(tap, "what is not there", ["--records", stored(priority(1))], ["--events", "intrusion"])
    tap.same("what is not there is not told", client.events(), [])
    with Server(PLAIN, "--once") as server:
        server.err.find("there are no records")
        client = run("estreamer", "client", server.address, PLAIN, "--once")
        tap.same("a server of nothing ends, too", (client.code, server.end()), (0, 0))
    for words, numbers, others in (
        (["--start", "1002"], [2, 3, 4], [PRIORITY, PACKET]),
        (["--start", "1970-01-01T00:16:43Z"], [3, 4], [PRIORITY, PACKET]),
        (["--start", "1970-01-01"], [0, 1, 2, 3, 4], [PRIORITY, PACKET]),
        (["--start", "1972-02-29"], [], [PRIORITY]),
        (["--start", "now"], [], [PRIORITY]),
        (["--events", "intrusion"], [0, 1, 2, 3, 4], []),
        (["--events", "12/9"], [0, 1, 2, 3, 4], []),
        (["--events", "metadata"], [], [PRIORITY]),
        (["--events", "connection/17,metadata"], [], [PRIORITY]),
        (["--events", "intrusion,packets"], [0, 1, 2, 3, 4], [PACKET]),
        (["--events", "packets"], [], [PACKET]),
        (["--flags", "0x00100001"], [], [PRIORITY, PACKET]),
    ):
        found = fetch(tap, " ".join(words), ["--records", lines], words).events()
        tap.same(f"{words}: intrusion events", ids(found), numbers)
        tap.same(f"{words}: other records", [entry["value"]["record_type"] for entry in found
                                             if entry["value"]["record_type"] != INTRUSION], others)
    recording = folder() / "request.jsonl"
    for release, version in ("5.4", 8), ("6.7.0", 9), ("7.1", 11):
        fetch(tap, f"--release {release}", ["--records", lines], ["--release", release, "--record", recording])
        request = dict(messages(recorded(recording)[1, "client>server"]))[2049]
        tap.same(f"--release {release}: the version of intrusion events", request[16:20],
                 bytes([0, version, 0, 12]))


def bookmarks(tap):
    """A bookmark that is none is not taken for the beginning."""
    for what, data in ("empty", b""), ("text", b"1000\n"), ("a bookmark that was cut", None):
        if data is None:
            place = folder() / "place"
            fetch(tap, "a bookmark", ["--records", stored(intrusion(1, 1000))], ["--bookmark", place])
            data = place.read_bytes()[:-1]
        result = leat("estreamer", "client", "127.0.0.1:1", PLAIN, "--once", "--bookmark", temporary(data))
        tap.check(f"{what} is no bookmark", result.code == 2 and "not a bookmark" in result.err, result.err)
    result = leat("estreamer", "client", "127.0.0.1:1", PLAIN, "--once", "--bookmark", "/")
    tap.check("nor is a folder", result.code == 2 and "Is a directory" in result.err, result.err)
    with Server(PLAIN, "--records", stored(intrusion(1, 1000))) as server:
        program = run("estreamer", "client", server.address, PLAIN, "--once", "--bookmark", "/nowhere/place")
        ended_well(tap, "a bookmark that cannot be written ends the client", program, 2)


def addresses(tap):
    lines = stored(intrusion(1, 1000))
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        tap.check("no IPv6 here # SKIP", True)
    else:
        with Server(PLAIN, "--once", "--records", lines, listen="[::1]:0") as server:
            tap.check("an address of IPv6", server.address.startswith("[::1]:"), server.address)
            client = run("estreamer", "client", server.address, PLAIN, "--once")
            ended_well(tap, "IPv6", client)
            tap.same("IPv6: what came", ids(client.events()), [1])
        with Server(PLAIN, "--records", lines, listen=":0") as server:
            for host in "127.0.0.1", "[::1]", "localhost":
                with Client(f"{host}:{server.port}", PLAIN) as client:
                    client.out.count(1)
                    tap.same(f"{host}: every address is listened at", client.stop(), 0)
    with Server(PLAIN, "--records", lines) as server:
        result = leat("estreamer", "server", PLAIN, "--listen", server.address)
        tap.check("an address that is taken", result.code == 2 and "in use" in result.err, result.err)


def clients(tap):
    """Many at once; those that only look; those that are slow."""
    count = 300
    lines = stored(*(intrusion(i, 1000) for i in range(count)))
    with Server(PLAIN, "--records", lines, "--verbose", "--window", "3") as server:
        with socket.create_connection(("127.0.0.1", server.port)) as probe:
            probe.sendall(message(2, bytes.fromhex("ffffffff48900061")))
            tap.same("a probe is answered", read_message(probe)[0], INFORMATION)
        with socket.create_connection(("127.0.0.1", server.port)):
            pass
        several = [Client(server.address, PLAIN) for _ in range(8)]
        try:
            for client in several:
                client.out.count(count)
            tap.same("all clients stop", [client.stop() for client in several], [0] * 8)
            tap.check("all have all", all(ids(client.events()) == list(range(count)) for client in several))
        finally:
            for client in several:
                client.process.kill()
        with socket.create_connection(("127.0.0.1", server.port)) as stranger:
            stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
            server.err.find(r"^leat: 127\.0\.0\.1:\d+: .*version")
        server.stop()
        server.err.find(rf"^leat: 0 connections, {8 * count} records; in .* a second")
        said = [line for line in server.err.lines if not re.search(
            r"listening|connect|_request|the other side closed|reset|stopped|version", line)]
        tap.same("probes are no failures", said, [])
    with Server(PLAIN, "--records", lines, "--rate", "1000", "--once") as server:
        began = time.monotonic()
        client = run("estreamer", "client", server.address, PLAIN, "--once")
        tap.check("a rate is kept", time.monotonic() - began > (count - 100 - 1) / 1000)
        tap.same("and all comes", ids(client.events()), list(range(count)))
    with Server(PLAIN, "--records", lines, "--loop") as server:
        with Client(server.address, PLAIN) as client:
            client.out.count(5 * count)
            client.stop()
            tap.same("a loop goes round", ids(client.events())[:5 * count], list(range(count)) * 5)


def asleep(tap):
    """Who waits does nothing, whatever it waits for."""
    if not pathlib.Path("/proc/self/stat").exists():
        tap.check("what a process used is not told here # SKIP", True)
        return
    lines = stored(*(intrusion(i, 1000) for i in range(300)))
    for what, server_options, client_options in (
        ("acknowledgements", ["--loop"], ["--acks", "none"]),
        ("events", [], []),
        ("the rate", ["--loop", "--rate", "1"], []),
    ):
        with Server(PLAIN, "--records", lines, *server_options) as server:
            with Client(server.address, PLAIN, *client_options) as client:
                client.out.count(1)
                both = server, client
                until(lambda: (before := [program.cpu_seconds() for program in both],
                               time.sleep(0.1),
                               before == [program.cpu_seconds() for program in both])[2],
                      f"rest of those who wait for {what}")
                before = [program.cpu_seconds() for program in both]
                time.sleep(0.4)
                used = [program.cpu_seconds() - start for program, start in zip(both, before)]
                tap.check(f"those who wait for {what} rest", max(used) < 0.1, used)


def acknowledgements(tap):
    """Nothing is acknowledged that was not written."""
    lines = stored(*(intrusion(i, 1000) for i in range(1000)))
    recording = folder() / "server.jsonl"
    place = folder() / "place"
    with Server(PLAIN, "--records", lines, "--record", recording) as server:
        client = Client(server.address, PLAIN, "--bookmark", place, "--acks", "none", "--verbose")
        with client:
            client.out.count(1)
            tap.same("--acks none ends well", client.stop(), 0)
        tap.check("--acks none: no bookmark", not place.exists())
        tap.check("--acks none: the server stops", 0 < len(client.events()) < 1000)
        reader = subprocess.Popen([LEAT, "estreamer", "client", server.address, PLAIN, "--bookmark", place],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        reader.stdout.close()
        problem = reader.stderr.read().decode()
        tap.check("a reader that is gone ends the client",
                  reader.wait() == 2 and problem == "leat: standard output: Broken pipe\n", problem)
        reader.stderr.close()
        tap.check("and no bookmark is written", not place.exists())
        server.stop()
    for conn in 1, 2:
        said = [kind for kind, _ in messages(recorded(recording)[conn, "client>server"])]
        # That of the offer of services, nothing else.
        tap.same(f"connection {conn}: what was acknowledged", said.count(NULL), 1)
    with Server(PLAIN, "--records", lines, "--once") as server:
        with open("/dev/full", "wb") as full:
            program = Program("estreamer", "client", server.address, PLAIN, stdout=full)
            tap.same("standard output that is full ends the client", program.end(), 2)
    # A line that was cut when the client was killed does not spoil the next one.
    path = folder() / "events"
    path.write_text('{"event":"ev')
    with Server(PLAIN, "--records", lines, "--once") as server, open(path, "ab") as file:
        program = Program("estreamer", "client", server.address, PLAIN, "--once", stdout=file)
        tap.same("a client that appends to a file", program.end(), 0)
    found = path.read_text().splitlines()
    tap.same("a line that was cut stands alone", found[0], '{"event":"ev')
    tap.same("all others are whole", ids(map(strict, found[1:])), list(range(1000)))


def faults(tap):
    """Servers that do not keep to the protocol, or to anything."""
    def against(name, code, reason, said, *options, events=0):
        with Peer() as peer:
            with Client(peer.address, PLAIN, "--once", *options) as client:
                with peer.accept() as connection:
                    connection.sendall(said)
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(4096):
                        pass
                client.code = client.end()
            ended_well(tap, f"{name}: exit code {code}", client, code)
            tap.check(f"{name}: is told", reason in client.err.text(), client.err.text())
            tap.same(f"{name}: events", len(client.events()), events)
            return client

    bare = message(DATA, record(PRIORITY, bytes.fromhex("00000001000468696768")))
    against("silence", 1, "closed without a word", b"")
    against("no protocol", 1, "version", b"HTTP/1.1 400 Bad Request\r\n")
    against("a message that is cut", 1, "ended inside a message", SERVICES + bare[:-1])
    against("an error message", 1, 'error of the server: {"error_code":19,', SERVICES + bare +
            message(ERROR, bytes.fromhex("0000001300094e6f20737061636500")), events=2)
    against("no such service", 1, "6667", message(INFORMATION, bytes.fromhex("00001388000000080000000000000000")))
    against("a malformed record", 1, "events that could not be decoded: 1",
            SERVICES + message(DATA, record(PRIORITY, bytes(3))) + bare, events=2)
    gap = message(BUNDLE, bytes.fromhex("0000000100000007"))
    against("a bundle out of sequence", 0, "message_bundle: a bundle out of sequence", SERVICES + gap)
    with Peer() as peer:
        with Client(peer.address, PLAIN, "--once", "--idle", "0.2") as client:
            with peer.accept() as connection:
                tap.same("an idle server: the code", client.end(), 1)
                tap.same("the request came all the same", read_message(connection)[0], 2)
        tap.check("is told", "silent for too long" in client.err.text(), client.err.text())
    with Peer() as peer:
        with Client(peer.address, PLAIN, "--verbose") as client:
            with peer.accept() as connection:
                connection.sendall(SERVICES + bare)
                client.out.count(1)
                client.process.send_signal(signal.SIGINT)
                while connection.recv(4096):
                    pass
            tap.same("a client that is stopped closes first", client.end(), 0)


def endings(tap):
    """Connections that break, and programs that are stopped while the other side does not let go."""
    bare = message(DATA, record(PRIORITY, bytes.fromhex("00000001000468696768")))

    def talk(connection):
        connection.sendall(SERVICES + bare)

    with Peer() as peer, Client(peer.address, PLAIN, "--once") as client:
        with peer.accept() as connection:
            talk(connection)
            client.out.count(1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        tap.same("a connection that is reset", client.end(), 1)
        tap.check("is told as what it is", client.err.text().endswith(": connection lost: Connection reset by peer\n"),
                  client.err.text())
    with Peer() as peer, Client(peer.address, PLAIN) as client, peer.accept() as connection:
        talk(connection)
        client.out.count(1)
        client.process.send_signal(signal.SIGINT)
        while connection.recv(4096):
            pass
        if pathlib.Path("/proc/self/stat").exists():
            before = client.cpu_seconds()
            time.sleep(0.4)
            used = client.cpu_seconds() - before
            tap.check("who waits for the other side to close rests", used < 0.1, used)
        tap.same("the second signal ends it at once", client.stop(signal.SIGTERM), -signal.SIGTERM)
    with Peer() as peer, Client(peer.address, PLAIN, "--idle", "0.2") as client, peer.accept() as connection:
        began = time.monotonic()
        client.err.find("silent for too long; next try in 1.0 s")
        tap.check("who is silent is not waited for", time.monotonic() - began < 4)
        with peer.accept():
            tap.same("a client that is stopped later", client.stop(), 0)
    with Peer() as peer, Client(peer.address, PLAIN) as client:
        for wait in "1.0", "2.0":
            with peer.accept() as connection:
                connection.sendall(SERVICES + message(ERROR, bytes(6)))
                client.err.find(f"error of the server: .*; next try in {wait} s")
        tap.same("a server that refuses is asked ever more rarely", client.stop(), 0)
    gaps = 1000
    with Peer() as peer, Client(peer.address, PLAIN, "--once") as client:
        with peer.accept() as connection:
            connection.sendall(SERVICES + message(BUNDLE, bytes.fromhex("0000000100000007")) * gaps)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
        client.end()
        said = client.err.lines
        tap.check("what comes again and again is told once, and counted",
                  len(said) < 4 and f"malformed messages: {gaps}" in client.err.text(), said[:4])
    with Server(PLAIN) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as probe:
            probe.sendall(message(2, bytes.fromhex("ffffffff00900061")) + message(HOST_REQUEST, b"x") * gaps)
            probe.shutdown(socket.SHUT_WR)
            while probe.recv(65536):
                pass
        server.err.find(f"malformed messages: {gaps}")
        server.stop()
        tap.check("so does the server", len(server.err.lines) < 6, server.err.lines[:6])
    if not OPENSSL:
        return
    with Peer() as peer, Client(peer.address, "--insecure") as client, peer.accept() as connection:
        connection.recv(1)
        began = time.monotonic()
        tap.same("a client that is stopped in a handshake", client.stop(), 0)
        tap.check("does not wait for it", time.monotonic() - began < 4)


def records(tap):
    """Input of the server that is not what it should be."""
    for name, data, reason, code in (
        ("no JSON", "{]\n", "line 1: ", 1),
        ("no event", priority(1) + "\n{}\n", "line 2: not an event", 1),
        ("no record", '{"event":"event_data","value":{}}\n', "line 1: not an event_data", 1),
        ("a field that is none", event(PRIORITY, {"smoke": 1}), "line 1: ", 1),
        ("a time that is none", intrusion(1, "x"), "line 1: ", 1),
        ("no host profile", '{"event":"single_host_data","value":{"smoke":3}}\n', "line 1: ", 1),
        ("a host that is text", '{"event":"single_host_data","value":"text"}\n', "line 1: not a host", 1),
        ("a record over the limit", packet(1, bytes(1 << 24)), "line 1: longer than", 1),
    ):
        result = leat("estreamer", "server", PLAIN, "--listen", "127.0.0.1:0", "--records", temporary(data))
        tap.check(f"records: {name}", result.code == code and reason in result.err
                  and "listening" not in result.err, result.err)
    place = folder()
    (place / "a.hex").write_text("00000004")
    result = leat("estreamer", "server", PLAIN, "--listen", "127.0.0.1:0", "--vectors", place)
    tap.check("a payload that is cut", result.code == 1 and "a.hex: not a record header" in result.err, result.err)
    (place / "a.hex").write_text("0000000x")
    result = leat("estreamer", "server", PLAIN, "--listen", "127.0.0.1:0", "--vectors", place)
    tap.check("a payload that is not hex", result.code == 1 and "a.hex: not hex" in result.err, result.err)
    result = leat("estreamer", "server", PLAIN, "--listen", "127.0.0.1:0", "--vectors", "/nowhere")
    tap.check("a folder that is none", result.code == 2 and "/nowhere: No such file" in result.err, result.err)
    # What a client leaves that was killed, or could not decode what it got.
    undecodable = json.dumps({"event": "event_data", "value": None, "error": "malformed"})
    cut = intrusion(3, 1002)[:40]
    lines = temporary("\n".join([intrusion(1, 1000), cut, undecodable, intrusion(2, 1001), cut]))
    with Server(PLAIN, "--once", "--records", lines) as server:
        client = run("estreamer", "client", server.address, PLAIN, "--once")
        tap.same("lines that were cut are left out", ids(client.events()), [1, 2])
        server.end()
        said = [line.split(": ")[2] for line in server.err.lines if "left out" in line]
        tap.same("which is told", said, ["line 2", "line 3", "line 5"])
    # Empty lines, other events, and a payload whose header has eight octets are fine.
    (place / "a.hex").write_text(record(PRIORITY, bytes.fromhex("00000001000468696768")).hex())
    lines = temporary("\n" + json.dumps({"event": "null", "value": {}}) + "\n" + intrusion(1, 1000) + "\n\n")
    client = fetch(tap, "both", ["--records", lines, "--vectors", place])
    tap.same("records of both", [entry["value"]["record_type"] for entry in client.events()],
             [PRIORITY, INTRUSION])


CLIENT, SERVER = "estreamer client", "estreamer server"
WRONG = [
    (CLIENT, "HOST:PORT"),
    (f"{CLIENT} nowhere", "nowhere: not HOST:PORT"),
    (f"{CLIENT} h:0", "h:0: not HOST:PORT"),
    (f"{CLIENT} h:65536", "not HOST:PORT"),
    (f"{CLIENT} :8302", ":8302: not a name"),
    (f"{CLIENT} ::1:8302", "::1:8302: an IPv6 address is written as [ADDRESS]:PORT"),
    (f"{CLIENT} h:1 i:2", "one argument too many: i:2"),
    (f"{CLIENT} h:1 --once=1", "unknown option --once=1"),
    (f"{CLIENT} h:1 --bookmark", "--bookmark needs FILE"),
    (f"{CLIENT} h:1 --start yesterday", "--start yesterday"),
    (f"{CLIENT} h:1 --start 2026-13-01", "--start 2026-13-01"),
    (f"{CLIENT} h:1 --start 2026-02-29", "--start 2026-02-29"),
    (f"{CLIENT} h:1 --start 2026-04-31", "--start 2026-04-31"),
    (f"{CLIENT} h:1 --start 2026-12-32", "--start 2026-12-32"),
    (f"{CLIENT} h:1 --start 2026-01-01T23:59:60", "--start 2026-01-01T23:59:60"),
    (f"{CLIENT} h:1 --bookmark=", "--bookmark needs the name of a file"),
    (f"{CLIENT} h:1 --start 4294967295", "--start 4294967295"),
    (f"{CLIENT} h:1 --release 4.10", "--release 4.10"),
    (f"{CLIENT} h:1 --events smoke", "--events: smoke"),
    (f"{CLIENT} h:1 --events intrusion,", "--events: : not"),
    (f"{CLIENT} h:1 --events 13", "--events: 13"),
    (f"{CLIENT} h:1 --events packets/2", "--events: packets/2"),
    (f"{CLIENT} h:1 --events 71/65536", "--events: 71/65536"),
    (f"{CLIENT} h:1 --flags 0x100000000", "--flags 0x100000000: not a number from 0 to 4294967295"),
    (f"{CLIENT} h:1 --host-range 10.0.0.2-10.0.0.1", "--host-range"),
    (f"{CLIENT} h:1 --host-range host", "--host-range host"),
    (f"{CLIENT} h:1 --acks some", "--acks some"),
    (f"{CLIENT} h:1 --idle soon", "--idle soon: not a number of seconds"),
    (f"{CLIENT} h:1 --retry 0", "--retry 0: there must be"),
    (f"{CLIENT} h:1 --retry 1.0001", "--retry 1.0001: not a number of seconds"),
    (f"{CLIENT} h:1 --no-tls --ca x", "--no-tls and --ca exclude each other"),
    (f"{CLIENT} h:1 --no-tls --record /nowhere/file", "/nowhere/file: No such file"),
    (f"{CLIENT} h:1 --no-tls --pcap /nowhere/file", "/nowhere/file: No such file"),
    (f"{SERVER} --no-tls", "--listen is missing"),
    (f"{SERVER} --no-tls --listen 1", "1: not ADDR:PORT"),
    (f"{SERVER} --no-tls --listen 127.0.0.1:0 --rate 0", "--rate 0: not a number from 1"),
    (f"{SERVER} --no-tls --listen 127.0.0.1:0 --window 0", "--window 0: not a number from 1"),
    (f"{SERVER} --no-tls --listen 127.0.0.1:0 --loop --once", "--loop and --once exclude each other"),
    (f"{SERVER} --no-tls --check-peer --listen 127.0.0.1:0", "--no-tls and --check-peer exclude"),
    (f"{SERVER} --no-tls --listen 192.0.2.1:1", "192.0.2.1:1: "),
]


def wrong(tap):
    for words, reason in WRONG:
        result = leat(*words.split())
        tap.check(f"leat {words}: wrong usage", result.code == 2 and result.out == b"" and reason in result.err,
                  f"{result.code} {result.out} {result.err}")


def main():
    tap = Tap()
    if "estreamer" in DIALECTS:
        for function in (every_record, secured, packets, large, slow, reconnects, killed, killed_with_file, hosts, names, chosen,
                         bookmarks, addresses, clients, asleep, acknowledgements, faults, endings, records, wrong):
            tap.run(function)
    else:
        tap.check("no eStreamer, nothing to talk about", True)
    return tap.end()


sys.exit(main())
