#!/usr/bin/env python3
"""Pre-shared keys, certificates and TLS without either, as others made it: the programs of OpenSSL, which Broker
uses, and of GnuTLS, which Debian's Zabbix uses. Each talks to the program `wire`, which is one end of leat's TLS."""

import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from tap import Tap  # noqa: E402

WIRE = os.environ["WIRE"]
TEMPORARY = tempfile.TemporaryDirectory(prefix="leat-test-")
FOLDER = pathlib.Path(TEMPORARY.name)
PATIENCE = 30  # seconds
IDENTITY = "psk id 1"
SUBJECT = r"CN=pröxy,OU=x\+y \<z\;\>,O=leat\, Inc."
KEY = "000102030405060708090a0b0c0d0e0f" * 2
OTHER = "f" + KEY[1:]
GNUTLS = "NONE:+VERS-TLS{}:+MAC-ALL:+SIGN-ALL:+GROUP-ALL:+CTYPE-X509:+COMP-NULL"
SUITES = {  # of Debian's Zabbix, and GnuTLS's words for it
    "ECDHE-PSK-AES128-CBC-SHA256": "+ECDHE-PSK:+AES-128-CBC:-MAC-ALL:+SHA256",
    "ECDHE-PSK-AES128-CBC-SHA": "+ECDHE-PSK:+AES-128-CBC:-MAC-ALL:+SHA1",
    "PSK-AES128-GCM-SHA256": "+PSK:+AES-128-GCM:+AEAD",
    "PSK-AES128-CBC-SHA256": "+PSK:+AES-128-CBC:-MAC-ALL:+SHA256",
    "PSK-AES128-CBC-SHA": "+PSK:+AES-128-CBC:-MAC-ALL:+SHA1",
}
OTHER_SUITES = (
    "PSK-AES256-GCM-SHA384", "DHE-PSK-AES128-GCM-SHA256", "PSK-CHACHA20-POLY1305", "RSA-PSK-AES128-GCM-SHA256",
)
CERTIFICATE_SUITES = {
    "ECDHE-RSA-AES128-GCM-SHA256": "+ECDHE-RSA:+AES-128-GCM:+AEAD",
    "ECDHE-RSA-AES128-SHA256": "+ECDHE-RSA:+AES-128-CBC:-MAC-ALL:+SHA256",
    "AES128-GCM-SHA256": "+RSA:+AES-128-GCM:+AEAD",
    "AES128-SHA": "+RSA:+AES-128-CBC:-MAC-ALL:+SHA1",
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_listening(port):
    """Whether somebody does, without a connection that it would take for its only one."""
    for table in "/proc/net/tcp", "/proc/net/tcp6":
        for line in pathlib.Path(table).read_text(encoding="ascii").splitlines()[1:]:
            words = line.split()
            if words[1].endswith(f":{port:04X}") and words[3] == "0A":
                return True
    return False


def start(*words, **options):
    return subprocess.Popen(
        [*map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)


def told(text):
    """What `wire` told: by word."""
    return dict((line + " ").split(" ", 1) for line in text.decode("utf-8", "replace").splitlines() if line)


def take(process, patience=PATIENCE):
    """What it prints until it ends by itself, or is ended."""
    try:
        return process.communicate(timeout=patience)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[0]


def from_client(own, *program):
    """A client connects to our server. What our server told, and what the client printed."""
    wire = start(WIRE, "server", 0, *own)
    port = wire.stdout.readline().split()[1].decode()
    peer = start(*(word.replace("PORT", port) for word in program))
    peer.stdin.write(b"hello\n")
    peer.stdin.flush()
    heard = told(take(wire))
    return heard, take(peer)


def to_server(own, *program):
    """Our client connects to a server. What our client told."""
    port = str(free_port())
    peer = start(*(word.replace("PORT", port) for word in program))
    end = time.monotonic() + PATIENCE
    while not is_listening(int(port)) and peer.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    heard = told(take(start(WIRE, "client", port, *own)))
    peer.kill()
    take(peer)
    return heard


def ours(key=KEY, identity=IDENTITY):
    return ["identity", identity, "key", key]


def by_key(heard, suite, version):
    return (heard.get("by"), heard.get("version"), heard.get("suite"), heard.get("identity")) == (
        "2 ", version + " ", suite + " ", IDENTITY + " ")


def by_certificate(heard, suite):
    return (heard.get("by"), heard.get("suite"), heard.get("subject")) == ("4 ", suite + " ", SUBJECT + " ")


def openssl_client(suite, version, key=KEY, identity=IDENTITY):
    option = "-ciphersuites" if version == "1_3" else "-cipher"
    return ["openssl", "s_client", "-connect", "127.0.0.1:PORT", f"-tls{version}", option, suite, "-quiet",
            "-psk_identity", identity, "-psk", key]


def openssl_server(suite, version, key=KEY):
    option = "-ciphersuites" if version == "1_3" else "-cipher"
    return ["openssl", "s_server", "-accept", "127.0.0.1:PORT", f"-tls{version}", option, suite, "-nocert", "-rev",
            "-psk_identity", IDENTITY, "-psk", key]


def test_openssl(tap):
    for suite in [*SUITES, "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"]:
        version, name = ("1_3", "TLSv1.3") if suite.startswith("TLS_") else ("1_2", "TLSv1.2")
        heard, said = from_client(ours(), *openssl_client(suite, version))
        tap.check(f"s_client, {suite}", by_key(heard, suite, name) and heard.get("got") == "hello " and
                  b"water" in said, f"{heard}\n{said}")
        heard = to_server(ours(), *openssl_server(suite, version))
        tap.check(f"s_server, {suite}", by_key(heard, suite, name) and heard.get("got") == "retaw ", heard)
    for version, suite in (("1_2", "PSK-AES128-GCM-SHA256"), ("1_3", "TLS_AES_128_GCM_SHA256")):
        heard, _ = from_client(ours(), *openssl_client(suite, version, key=OTHER))
        tap.check(f"s_client with another key, {version}",
                  heard.get("failed:") == "the client's pre-shared key is another one ", heard)
        heard, _ = from_client(ours(), *openssl_client(suite, version, identity="psk id 2"))
        tap.check(f"s_client with another identity, {version}",
                  heard.get("failed:") == "the client names a pre-shared key that is not here ", heard)
        heard = to_server(ours(), *openssl_server(suite, version, key=OTHER))
        tap.check(f"s_server with another key, {version}", "failed:" in heard and "by" not in heard, heard)
    for suite in OTHER_SUITES:
        heard, _ = from_client(ours(), *openssl_client(suite, "1_2"))
        tap.check(f"s_client, {suite} is refused", heard.get("failed:") == "no shared cipher ", heard)


def gnutls_client(priority, version="1.2", key=KEY, identity=IDENTITY):
    return ["gnutls-cli", "--port=PORT", "--no-ca-verification", "--disable-sni", f"--pskusername={identity}",
            f"--pskkey={key}", f"--priority={GNUTLS.format(version)}:{priority}", "127.0.0.1"]


def gnutls_server(priority, keys, version="1.2"):
    return ["gnutls-serv", "--port=PORT", "--echo", f"--pskpasswd={keys}",
            f"--priority={GNUTLS.format(version)}:{priority}"]


def test_gnutls(tap):
    keys, others = FOLDER / "keys", FOLDER / "others"
    keys.write_text(f"{IDENTITY}:{KEY}\n", encoding="ascii")
    others.write_text(f"{IDENTITY}:{OTHER}\n", encoding="ascii")
    for suite, priority in SUITES.items():
        heard, said = from_client(ours(), *gnutls_client(priority))
        spoke = heard.get("got") == "hello " and b"water" in said
        # That of Debian 12 crashes when it describes a session with ECDHE-PSK, with any server.
        tap.check(f"gnutls-cli, {suite}", by_key(heard, suite, "TLSv1.2") and (spoke or suite.startswith("ECDHE")),
                  f"{heard}\n{said}")
        heard = to_server(ours(), *gnutls_server(priority, keys))
        tap.check(f"gnutls-serv, {suite}", by_key(heard, suite, "TLSv1.2") and heard.get("got") == "water ", heard)
    every = "+ECDHE-PSK:+PSK:+AES-128-GCM:+AES-128-CBC:+AEAD"
    heard, _ = from_client(ours(), *gnutls_client(every))
    tap.check("gnutls-cli with all of them: ECDHE-PSK", heard.get("suite", "").startswith("ECDHE-PSK"), heard)
    heard, _ = from_client(ours(), *gnutls_client(every, key=OTHER))
    tap.check("gnutls-cli with another key",
              heard.get("failed:") == "the client's pre-shared key is another one ", heard)
    heard, _ = from_client(ours(), *gnutls_client(every, identity="psk id 2"))
    tap.check("gnutls-cli with another identity",
              heard.get("failed:") == "the client names a pre-shared key that is not here ", heard)
    heard = to_server(ours(), *gnutls_server(every, others))
    tap.check("gnutls-serv with another key", "failed:" in heard and "by" not in heard, heard)
    heard = to_server(ours(identity="psk id 2"), *gnutls_server(every, keys))
    tap.check("gnutls-serv with another identity", "failed:" in heard and "by" not in heard, heard)


def make_certificates():
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=FOLDER, check=True, capture_output=True, timeout=PATIENCE)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=authority", "-keyout", "ca.key", "-out",
            "ca.pem", "-days", "2")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-utf8", "-subj", r"/O=leat, Inc./OU=x\+y <z;>/CN=pröxy",
            "-keyout", "peer.key", "-out", "peer.csr")
    openssl("x509", "-req", "-in", "peer.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out",
            "peer.pem", "-days", "2")
    return [FOLDER / name for name in ("peer.pem", "peer.key", "ca.pem")]


ANONYMOUS = "AECDH-AES256-SHA"  # of Broker, with the curve P-384


def anonymous(group="P-384", suite=ANONYMOUS):
    return ["-tls1_2", "-cipher", f"{suite}:@SECLEVEL=0", "-groups", group]


def by_nobody(heard):
    return (heard.get("by"), heard.get("version"), heard.get("suite"), heard.get("subject")) == (
        "0 ", "TLSv1.2 ", ANONYMOUS + " ", " ")


def test_anonymous(tap):
    client = ["openssl", "s_client", "-connect", "127.0.0.1:PORT"]
    server = ["openssl", "s_server", "-accept", "127.0.0.1:PORT", "-nocert", "-rev"]
    for group in "P-384", "X25519:P-384":
        heard, said = from_client(["anonymous"], *client, "-quiet", *anonymous(group))
        tap.check(f"s_client, {group}", by_nobody(heard) and heard.get("got") == "hello " and b"water" in said,
                  f"{heard}\n{said}")
        heard = to_server(["anonymous"], *server, *anonymous(group))
        tap.check(f"s_server, {group}", by_nobody(heard) and heard.get("got") == "retaw ", heard)
    heard, said = from_client(["anonymous"], *client, *anonymous())
    tap.check("s_client sees the curve", b"Server Temp Key: ECDH, secp384r1, 384 bits" in said, said)
    for words in anonymous("P-256"), anonymous("X25519"), anonymous(suite="AECDH-AES128-SHA"), ["-tls1_2"]:
        heard, said = from_client(["anonymous"], *client, *words)
        tap.check(f"s_client {' '.join(words)} is refused",
                  "by" not in heard and "failed:" in heard and b"alert number 40" in said, f"{heard}\n{said}")
    for words in anonymous("P-256"), anonymous("X25519"), anonymous(suite="AECDH-AES128-SHA"):
        heard = to_server(["anonymous"], *server, *words)
        tap.check(f"s_server {' '.join(words)} refuses",
                  "by" not in heard and "alert handshake failure" in heard.get("failed:", ""), heard)
    heard, said = from_client(["anonymous"], *client, "-tls1_3")
    tap.check("s_client with TLS 1.3 is refused", "by" not in heard and b"alert number 70" in said, f"{heard}\n{said}")


def test_anonymous_where_it_is_not_wanted(tap):
    """OpenSSL's configuration rules over what asks for nothing; who asks for this by name gets it."""
    configuration = FOLDER / "strict.cnf"
    configuration.write_text("""openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = strict
[strict]
MinProtocol = TLSv1.3
CipherString = HIGH:!aNULL@SECLEVEL=4
Groups = X25519
""", encoding="ascii")
    os.environ["OPENSSL_CONF"] = str(configuration)
    try:
        wire = start(WIRE, "server", 0, "anonymous")
        heard = told(take(start(WIRE, "client", wire.stdout.readline().split()[1].decode(), "anonymous")))
    finally:
        del os.environ["OPENSSL_CONF"]
    tap.check("a strict configuration", by_nobody(heard) and heard.get("got") == "water ", heard)
    tap.check("a strict configuration, server", by_nobody(told(take(wire))))


def test_certificates_of_broker(tap):
    """What Broker does with certificates: both sides have one, and no names are checked."""
    certificate, key, authority = make_certificates()
    files = ["files", certificate, key, authority]
    theirs = ["-cert", str(certificate), "-key", str(key), "-CAfile", str(authority), "-cipher", "HIGH:!aNULL:!MD5"]
    for version, name in ("1_2", "TLSv1.2"), ("1_3", "TLSv1.3"):
        heard, said = from_client(
            files, "openssl", "s_client", "-connect", "127.0.0.1:PORT", f"-tls{version}", "-quiet",
            "-verify_return_error", *theirs)
        tap.check(f"s_client as Broker, {name}",
                  (heard.get("by"), heard.get("version"), heard.get("got")) == ("4 ", name + " ", "hello ") and
                  b"water" in said, f"{heard}\n{said}")
        heard = to_server(files, "openssl", "s_server", "-accept", "127.0.0.1:PORT", f"-tls{version}", "-rev", "-Verify",
                          "1", "-verify_return_error", *theirs)
        tap.check(f"s_server as Broker, {name}",
                  (heard.get("by"), heard.get("version"), heard.get("got")) == ("4 ", name + " ", "retaw "), heard)
        heard, said = from_client(
            files, "openssl", "s_client", "-connect", "127.0.0.1:PORT", f"-tls{version}", *theirs[4:])
        tap.check(f"s_client without a certificate is refused, {name}",
                  heard.get("failed:") == "peer did not return a certificate " and "by" not in heard, heard)
    for name, own, words in (
            ("anonymous s_client, a server with certificates", files, anonymous()),
            ("s_client with a certificate, an anonymous server", ["anonymous"], ["-tls1_2", *theirs])):
        heard, said = from_client(own, "openssl", "s_client", "-connect", "127.0.0.1:PORT", *words)
        tap.check(f"{name}: refused", "by" not in heard and b"alert number 40" in said, f"{heard}\n{said}")


def test_gnutls_anonymous(tap):
    groups = "NONE:+VERS-TLS1.2:+ANON-ECDH:+AES-256-CBC:+SHA1:+SIGN-ALL:+COMP-NULL:+GROUP-{}"
    for group, fits in ("SECP384R1", True), ("SECP256R1", False):
        priority = "--priority=" + groups.format(group)
        heard, said = from_client(
            ["anonymous"], "gnutls-cli", "--port=PORT", "--no-ca-verification", "--disable-sni", priority, "127.0.0.1")
        tap.check(f"gnutls-cli, {group}", by_nobody(heard) == fits and (b"water" in said) == fits, f"{heard}\n{said}")
        heard = to_server(["anonymous"], "gnutls-serv", "--port=PORT", "--echo", priority)
        tap.check(f"gnutls-serv, {group}", by_nobody(heard) == fits and ("failed:" in heard) != fits, heard)


def test_gnutls_certificates(tap):
    certificate, key, authority = make_certificates()
    described = subprocess.run(
        ["certtool", "-i", "--infile", certificate], check=True, capture_output=True, timeout=PATIENCE).stdout
    tap.check("GnuTLS writes the subject like us", f"Subject: {SUBJECT}\n" in described.decode(), described)
    files = ["files", certificate, key, authority]
    theirs = [f"--x509certfile={certificate}", f"--x509keyfile={key}", f"--x509cafile={authority}"]
    for suite, priority in CERTIFICATE_SUITES.items():
        priority = f"--priority={GNUTLS.format('1.2')}:{priority}"
        client = ["gnutls-cli", "--port=PORT", "--no-ca-verification", "--disable-sni", *theirs, priority, "127.0.0.1"]
        for name, own in (("", files), (", beside a key", ours() + files)):
            heard, said = from_client(own, *client)
            tap.check(f"gnutls-cli, {suite}{name}", by_certificate(heard, suite) and b"water" in said,
                      f"{heard}\n{said}")
        heard = to_server(files, "gnutls-serv", "--port=PORT", "--echo", "--require-client-cert",
                          "--verify-client-cert", *theirs, priority)
        tap.check(f"gnutls-serv, {suite}", by_certificate(heard, suite) and heard.get("got") == "water ", heard)


def main():
    tap = Tap()
    if shutil.which("openssl") is None:
        tap.skip("OpenSSL's programs", "the program openssl is not here")
        return tap.end()
    tap.run(test_openssl)
    tap.run(test_anonymous)
    tap.run(test_anonymous_where_it_is_not_wanted)
    tap.run(test_certificates_of_broker)
    if shutil.which("gnutls-cli") is None or shutil.which("gnutls-serv") is None:
        tap.skip("GnuTLS's programs", "gnutls-cli and gnutls-serv (gnutls-bin) are not here")
        return tap.end()
    tap.run(test_gnutls)
    tap.run(test_gnutls_anonymous)
    tap.run(test_gnutls_certificates)
    return tap.end()


sys.exit(main())
