"""The way to a mail server: one mail in, whether the server took it out. It opens a connection for each and never waits long.

Nothing leaves unencrypted except to this machine itself. It never logs or raises an address or a word of a mail.
"""

import smtplib
import ssl
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from engage import log
from engage.settings import MailServer

_LONGEST_SUBJECT = 150


@dataclass(frozen=True, slots=True)
class OutboundMail:
    """A mail as it goes to the server; the first line of `body` is its subject. `attempt_id` names it."""

    to: str = field(repr=False)
    body: str = field(repr=False)
    attempt_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class MailTaken:
    """The server took it; `sid` is the id it goes under."""

    sid: str


@dataclass(frozen=True, slots=True)
class MailFailed:
    """It was not taken, as far as anybody knows. `reason` is the word kept on the message."""

    reason: str


class Mailer:
    """A mail server. Threads may share it; each mail has a connection of its own.

    `ca_file` is a file of certificate authorities to trust instead of the machine's; `timeout_seconds` bounds each wait.
    """

    def __init__(
        self, server: MailServer, sent_from: str, *, ca_file: Path | None = None, timeout_seconds: float = 10
    ) -> None:
        self._server = server
        self._from = sent_from
        self._timeout = timeout_seconds
        self._tls = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)

    def send(self, mail: OutboundMail, now: datetime) -> MailTaken | MailFailed:
        """Hand over one mail, once. Never raises for trouble at the server or on the way."""
        try:
            with self._connected() as connection:
                connection.send_message(self._written(mail, now), self._from, [mail.to])
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as problem:
            return _failed("mail_refused", problem)
        except (smtplib.SMTPException, OSError, ValueError) as problem:
            return _failed("mail_unreachable", problem)
        return MailTaken(f"mail-{mail.attempt_id.hex}")

    def _connected(self) -> smtplib.SMTP:
        server = self._server
        if server.is_tls:
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=self._timeout, context=self._tls
            )
        else:
            connection = smtplib.SMTP(server.host, server.port, timeout=self._timeout)
        try:
            connection.ehlo()
            if not server.is_tls and (connection.has_extn("starttls") or not server.is_local):
                connection.starttls(context=self._tls)
            if server.user is not None:
                connection.login(server.user, server.password or "")
        except BaseException:
            connection.close()
            raise
        return connection

    def _written(self, mail: OutboundMail, now: datetime) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"] = self._from, mail.to
        message["Subject"] = mail.body.split("\n", 1)[0].strip()[:_LONGEST_SUBJECT]
        message["Date"] = format_datetime(now)
        message["Message-ID"] = f"<{mail.attempt_id.hex}@{self._from.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday notice shall answer it
        message.set_content(mail.body)
        return message


def _failed(reason: str, problem: Exception) -> MailFailed:
    """Only the kind of trouble is told on: its text may hold an address."""
    log.get().warning("a mail was not taken", reason=reason, kind=type(problem).__name__)
    return MailFailed(reason)
