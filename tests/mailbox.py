"""A mail server for tests: it speaks SMTP on a port of this machine, with or without TLS, and keeps what it is given.

It can be told to refuse, to say nothing, or to hang up, and it wants no library: Python has had none since asyncore left.
"""

from __future__ import annotations

import email
import email.policy
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from engage import clock

Mood = Literal["fine", "refuse recipient", "refuse data", "hang up", "silent"]


@dataclass
class Mailbox:
    """What has come, and how the server behaves. `logins` are the AUTH lines it has seen."""

    port: int = 0
    mood: Mood = "fine"
    tls: ssl.SSLContext | None = None
    is_tls_from_the_start: bool = False
    offers_starttls: bool = False
    mails: list[EmailMessage] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    were_encrypted: list[bool] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)


class _Talk(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        box = self.server.box
        is_encrypted = box.is_tls_from_the_start
        if is_encrypted:
            self._encrypt(box)
        if box.mood == "silent":
            box.is_over.wait(30)
            return
        self._say("220 mailbox")
        while line := self.rfile.readline().decode().strip():
            verb = line.split()[0].upper()
            if verb == "EHLO":
                offers = ["mailbox", *(["STARTTLS"] if box.offers_starttls and not is_encrypted else []), "AUTH PLAIN"]
                for place, offer in enumerate(offers, start=1):
                    self._say(f"250{' ' if place == len(offers) else '-'}{offer}")
            elif verb == "STARTTLS":
                self._say("220 go on")
                self._encrypt(box)
                is_encrypted = True
            elif verb == "AUTH":
                box.logins.append(line)
                self._say("235 welcome")
            elif verb == "RCPT" and box.mood == "refuse recipient":
                self._say("550 nobody of that name")
            elif verb == "DATA":
                if box.mood == "hang up":
                    return
                self._take(box, is_encrypted)
            elif verb == "QUIT":
                self._say("221 goodbye")
                return
            else:
                self._say("250 fine")

    def finish(self) -> None:
        super().finish()
        self.request.close()  # the server itself closes only the socket that was wrapped

    def _take(self, box: Mailbox, is_encrypted: bool) -> None:
        self._say("354 go on")
        lines: list[bytes] = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line[1:] if line.startswith(b"..") else line)
        if box.mood == "refuse data":
            self._say("554 not today")
            return
        box.mails.append(email.message_from_bytes(b"".join(lines), policy=email.policy.default))  # type: ignore[arg-type]
        box.were_encrypted.append(is_encrypted)
        self._say("250 taken")

    def _encrypt(self, box: Mailbox) -> None:
        assert box.tls is not None
        self.request = box.tls.wrap_socket(self.request, server_side=True)
        self.connection = self.request
        self.setup()

    def _say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    box: Mailbox

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up, or will not trust us, is what some tests are about."""


@contextmanager
def mailbox_of(box: Mailbox | None = None) -> Iterator[Mailbox]:
    """A running mail server; its port is on the box."""
    box = box or Mailbox()
    with _Server(("", 0), _Talk) as server:
        server.box = box
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield box
        finally:
            box.is_over.set()
            server.shutdown()
            thread.join()


def certificate_of(folder: Path, host: str = "localhost") -> tuple[ssl.SSLContext, Path]:
    """What a server of `host` shows, signed by itself, and the file that a client must trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = clock.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    trusted, secret = folder / "trusted.pem", folder / "key.pem"
    trusted.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, secret)
    return context, trusted
