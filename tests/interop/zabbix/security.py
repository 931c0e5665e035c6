"""Keys and certificates for both sides. Debian's Zabbix takes RSA certificates, and TLS 1.2 alone."""

import secrets
import subprocess

PLAIN, PSK, CERTIFICATE = "plain", "psk", "cert"
KINDS = [PLAIN, PSK, CERTIFICATE]
NUMBERS = {PLAIN: 1, PSK: 2, CERTIFICATE: 4}  # of connections, in Zabbix's configuration


class Security:
    def __init__(self, world):
        self.world = world
        self.folder = world.make("security")
        self.authority, self.key = self.folder / "ca.pem", self.folder / "peers.key"
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/O=Leat/CN=CA",
                     "-keyout", "ca.key", "-out", "ca.pem", "-addext", "keyUsage=critical,keyCertSign")
        # One for all of them: to make keys takes a while.
        self.openssl("genrsa", "-out", "peers.key", "2048")
        world.give(self.key)

    def openssl(self, *words):
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True, timeout=60)

    def identity(self, name):
        return Identity(self, name)


class Identity:
    """What one peer shows, by pre-shared key or by certificate."""

    def __init__(self, security, name):
        folder = security.folder
        self.name = name
        self.authority = security.authority
        self.certificate, self.key = folder / f"{name}.pem", security.key
        self.issuer, self.subject = "CN=CA,O=Leat", f"CN={name},O=Leat"
        security.openssl("req", "-new", "-key", "peers.key", "-subj", f"/O=Leat/CN={name}", "-out",
                         f"{name}.csr")
        security.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                         "-CAcreateserial", "-days", "2", "-out", f"{name}.pem")
        self.psk_identity = f"key of {name}"
        self.psk = secrets.token_hex(32)
        self.psk_file = security.world.write(f"security/{name}.psk", self.psk + "\n")
        security.world.give(self.certificate)

    def columns(self, kind):
        """Columns of the table hosts that let this peer connect, and be connected to, in one way."""
        columns = {"tls_connect": NUMBERS[kind], "tls_accept": NUMBERS[kind]}
        if kind == PSK:
            columns |= {"tls_psk_identity": self.psk_identity, "tls_psk": self.psk}
        if kind == CERTIFICATE:
            columns |= {"tls_issuer": self.issuer, "tls_subject": self.subject}
        return columns

    def files(self):
        """Lines of a configuration file with the certificate."""
        return [f"TLSCAFile={self.authority}", f"TLSCertFile={self.certificate}", f"TLSKeyFile={self.key}"]

    def lines(self, kind, accept=None):
        """Lines of the configuration file of a real proxy or agent that connects by one kind."""
        words = {PLAIN: "unencrypted", PSK: "psk", CERTIFICATE: "cert"}
        kinds = accept or [kind]
        lines = [f"TLSConnect={words[kind]}", "TLSAccept=" + ",".join(words[each] for each in kinds)]
        if PSK in [kind, *kinds]:
            lines += [f"TLSPSKIdentity={self.psk_identity}", f"TLSPSKFile={self.psk_file}"]
        if CERTIFICATE in [kind, *kinds]:
            lines += self.files()
        return lines

    def words(self, kind):
        """Options of zabbix_sender and zabbix_get."""
        if kind == PSK:
            return ["--tls-connect", "psk", "--tls-psk-identity", self.psk_identity, "--tls-psk-file",
                    self.psk_file]
        if kind == CERTIFICATE:
            return ["--tls-connect", "cert", "--tls-ca-file", self.authority, "--tls-cert-file",
                    self.certificate, "--tls-key-file", self.key]
        return []

    def options(self, kind):
        """Options of leat."""
        if kind == PSK:
            return ["--psk-identity", self.psk_identity, "--psk-file", self.psk_file]
        if kind == CERTIFICATE:
            return ["--cert", self.certificate, "--key", self.key, "--ca", self.authority]
        return []
