"""Mail to a real server on this machine: taken once, or failed with a word; encrypted unless it stays here."""

import uuid
from pathlib import Path

import pytest

from engage.outreach.mailer import Mailer, MailFailed, MailTaken, OutboundMail
from engage.settings import MailServer
from tests.cast import NOON
from tests.mailbox import Mailbox, Mood, certificate_of, mailbox_of

ATTEMPT = uuid.UUID(int=7)
MAIL = OutboundMail(
    "ana@example.org", "Sunrise Engage: a patient needs you now (4821)\n\nTake it:\nhttps://x/page/y", ATTEMPT
)


def test_what_arrives() -> None:
    with mailbox_of() as box:
        mailer = Mailer(MailServer("127.0.0.1", box.port, is_tls=False), "engage@example.com")
        assert mailer.send(MAIL, NOON) == MailTaken(f"mail-{ATTEMPT.hex}")
    (mail,) = box.mails
    assert (mail["From"], mail["To"]) == ("engage@example.com", "ana@example.org")
    assert mail["Subject"] == "Sunrise Engage: a patient needs you now (4821)"
    assert mail["Message-ID"] == f"<{ATTEMPT.hex}@example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "https://x/page/y" in mail.get_content()


@pytest.mark.parametrize(
    ("mood", "reason"),
    [
        ("refuse recipient", "mail_refused"),
        ("refuse data", "mail_refused"),
        ("hang up", "mail_unreachable"),
        ("silent", "mail_unreachable"),  # it takes the connection and says nothing: nobody waits for ever
    ],
)
def test_what_fails_is_a_value_and_tells_no_address(mood: Mood, reason: str, capfd: pytest.CaptureFixture[str]) -> None:
    with mailbox_of(Mailbox(mood=mood)) as box:
        mailer = Mailer(MailServer("127.0.0.1", box.port, is_tls=False), "engage@example.com", timeout_seconds=0.3)
        assert mailer.send(MAIL, NOON) == MailFailed(reason)
    assert box.mails == []
    out = "".join(capfd.readouterr())
    assert "ana@" not in out and "example.org" not in out and "4821" not in out  # noqa: PT018


def test_nobody_is_there() -> None:
    with mailbox_of() as box:
        port = box.port
    assert Mailer(MailServer("127.0.0.1", port, is_tls=False), "a@example.com").send(MAIL, NOON) == MailFailed(
        "mail_unreachable"
    )


@pytest.mark.parametrize("is_tls", [True, False])
def test_tls_from_the_start_or_by_starttls_with_a_login(tmp_path: Path, is_tls: bool) -> None:
    context, trusted = certificate_of(tmp_path)
    with mailbox_of(Mailbox(tls=context, is_tls_from_the_start=is_tls, offers_starttls=not is_tls)) as box:
        server = MailServer("localhost", box.port, is_tls, "engage", "secret")
        assert isinstance(Mailer(server, "engage@example.com", ca_file=trusted).send(MAIL, NOON), MailTaken)
        # a server whose certificate nobody vouches for gets neither the password nor the mail
        assert Mailer(server, "engage@example.com").send(MAIL, NOON) == MailFailed("mail_unreachable")
    assert (len(box.mails), box.were_encrypted, len(box.logins)) == (1, [True], 1)


def test_nothing_leaves_this_machine_unencrypted() -> None:
    """A server elsewhere that offers no STARTTLS gets nothing; 127.0.0.2 stands for elsewhere."""
    with mailbox_of() as box:
        server = MailServer("127.0.0.2", box.port, is_tls=False)
        mailer = Mailer(server, "engage@example.com", timeout_seconds=1)
        assert mailer.send(MAIL, NOON) == MailFailed("mail_unreachable")
    assert box.mails == []
