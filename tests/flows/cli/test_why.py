"""engage why on real rows: the story of a text that was sent, held, dropped or lost, and of one that there was not."""

import base64
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from freezegun import freeze_time
from sqlalchemy import event, select, text

from engage import clock
from engage.alerts.escalate import escalate
from engage.alerts.opening import Reason, open_alert
from engage.alerts.rules.words import AlertKind
from engage.db import encryption
from engage.outreach.model import Message
from engage.outreach.plan import plan
from engage.patients.model import ConsentEvent, Contact
from engage.reports.rules.story import explain
from tests.cast import MARTA_PHONE, NOON, ROSE_PHONE, Cast
from tests.conftest import RING, ROOT
from tests.flows.cli.conftest import Program, Said, program, with_the_tests_keys
from tests.flows.outreach.desk import Desk, desk_of
from tests.flows.outreach.test_second_tries import failed

NIGHT = datetime(2026, 11, 23, 3, 30, tzinfo=UTC)  # 22:30 on Sunday in New York
MORNING = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)  # 08:00 on Monday
JOAN_PHONE = "+12025550114"


@pytest.fixture
def desk(cast: Cast) -> Iterator[Desk]:
    """Sunrise with the fake Twilio, at noon on the Sunday before Rose's visit."""
    with freeze_time(NOON, real_asyncio=True) as frozen, desk_of(cast, frozen) as made:
        yield made


@pytest.fixture
def engage(cast: Cast, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Program:
    """The program on the cast's database, with the keys of the tests."""
    with_the_tests_keys(monkeypatch, tmp_path, cast.db.url)
    return program(monkeypatch, capsys, RING)


def tells(said: Said, *words: str) -> None:
    """It worked, and each of `words` stands in what it printed, in this order."""
    assert (said.code, said.err) == (0, ""), said
    assert re.search(".*?".join(re.escape(word) for word in words), said.out, re.DOTALL), said.out


def add_contact(cast: Cast, patient: int, phone: str, relationship: str, *, name: str | None = None) -> int:
    with cast.db.agency_session(cast.id) as session:
        contact = Contact(
            agency_id=cast.id,
            patient_id=patient,
            relationship=relationship,
            name=name,
            phone=phone,
            phone_hash=encryption.phone_hash(phone),
            phone_kind="mobile",
        )
        session.add(contact)
        session.flush()
        return contact.id


def says(cast: Cast, contact: int, kind: str, category: str | None, at: datetime, source: str = "paper") -> None:
    """A consent event; without a category it is the phone's own word."""
    with cast.db.agency_session(cast.id) as session:
        phone = session.scalars(select(Contact.phone_hash).where(Contact.id == contact)).one()
        whose = {"contact_id": contact if category else None, "category": category, "phone_hash": phone}
        session.add(ConsentEvent(agency_id=cast.id, kind=kind, source=source, said_at=at, recorded_at=at, **whose))


def day(engage: Program, patient: str, on: str) -> dict[str, Any]:
    """A patient's day at Sunrise as JSON."""
    said = engage("why", "--patient", patient, "--on", on, "--agency", "sunrise", "--json")
    assert said.code == 0, said
    found: dict[str, Any] = json.loads(said.out)
    return found


def causes(found: dict[str, Any], key: str) -> dict[str, list[str]]:
    """Why one touchpoint was not sent: causes by reader's role; those of everybody under ""."""
    (missing,) = [missing for missing in found["not_sent"] if missing["touchpoint"] == key]
    told = {reader["role"]: [cause["cause"] for cause in reader["causes"]] for reader in missing["readers"]}
    everybody = [cause["cause"] for cause in missing["causes"]]
    return told | ({"": everybody} if everybody else {})


# --- one message --------------------------------------------------------------------------------------------------------


def test_a_text_that_was_delivered(desk: Desk, engage: Program) -> None:
    message = desk.checkin()
    desk.dispatch()
    desk.deliver()
    said = engage("why", str(message))
    tells(said, 'the check-in "morning-checkin"', "to Rose, the patient (phone ending in 11)", "Delivered Sun Nov 22")
    tells(said, "Planned", "taken up for sending", "Twilio took it (SM", "phone network has it", "Delivered: it is on")
    tells(
        said,
        "Given for check-ins on paper",
        "proof is stored",
        "not said STOP",
        "8:00 AM to 9:00 PM",
        "At most 5 a day",
    )
    assert engage("why", desk.row(message).sid or "").out == said.out  # Twilio's id is as good


def test_a_text_that_failed_and_the_one_that_tries_it_again(desk: Desk, engage: Program) -> None:
    desk.sql("UPDATE patients SET texts_after = '10:00', texts_until = '18:00'")
    message = failed(desk, 30003)
    again = desk.retry_of(message)
    assert again is not None
    tells(
        engage("why", str(message)), "Sent, but not delivered", f"Message {again.id} tries it again", "own are 10:00 AM"
    )
    tells(engage("why", str(again.id)), f"tried again after message {message} failed", "before this one: 0 that day")
    found = json.loads(engage("why", str(again.id), "--json").out)
    assert (found["retry_of"], found["tried_again_by"], found["channel"]) == (message, None, "sms")


def test_held_over_night_and_sent_in_the_morning(desk: Desk, engage: Program) -> None:
    desk.time.move_to(NIGHT)
    message = desk.checkin(expires_at=NIGHT + timedelta(hours=12))
    desk.dispatch()
    tells(engage("why", str(message)), "Not sent yet", explain("quiet_hours").says, "to leave Mon Nov 23, 8:00 AM EST")
    desk.time.move_to(MORNING)
    desk.dispatch()
    desk.deliver()
    said = engage("why", str(message))
    tells(
        said,
        "Delivered Mon Nov 23",
        "Sun Nov 22, 10:30:00 PM EST",
        "Held until Mon Nov 23, 8:00 AM EST",
        explain("quiet_hours").says,
    )


def test_over_the_daily_cap(desk: Desk, engage: Program) -> None:
    for _ in range(5):
        desk.checkin()
    sixth = desk.checkin()
    desk.dispatch()
    tells(
        engage("why", str(sixth)), "Not sent", explain("daily_cap").says, "The rule:", "At most 5 a day", "5 that day"
    )
    told = [json.loads(engage("why", str(n), "--json").out)["rested_on"]["that_day"] for n in range(1, 6)]
    assert told == [0, 1, 2, 3, 4]  # taken up at the same instant, in this order


def test_expired(desk: Desk, engage: Program) -> None:
    message = desk.checkin()
    desk.time.tick(timedelta(hours=3))
    desk.dispatch()
    tells(engage("why", str(message)), "Not sent.", explain("too_late").says, "The rule:", "Expired unsent")
    assert json.loads(engage("why", str(message), "--json").out)["was_sent"] is False


def test_a_landline(desk: Desk, engage: Program) -> None:
    desk.phones[ROSE_PHONE].kind = "landline"
    message = desk.checkin()
    desk.dispatch()
    desk.deliver()
    tells(
        engage("why", str(message)),
        "not delivered. Landline",
        "Sent, but not delivered",
        "30006",
    )


def test_unknown_and_then_found(desk: Desk, engage: Program) -> None:
    message = desk.answer()
    desk.fake.behaviour.rate_callback_lost = 1
    desk.fake.next_create("drop_after")
    desk.dispatch()
    said = engage("why", str(message))
    tells(said, "Perhaps sent. Twilio's log is asked from", "The rule:", "Perhaps sent, perhaps not.")
    assert json.loads(engage("why", str(message), "--json").out)["was_sent"] is None
    desk.deliver()
    desk.settle()
    tells(engage("why", str(message)), "Delivered", "perhaps not", "Found in Twilio's log", "had just written")


def test_a_text_that_twilio_kept_refusing_for_now_is_told_once(desk: Desk, engage: Program) -> None:
    message = desk.answer()
    for _ in range(3):
        desk.fake.next_create("429:30")
        desk.dispatch()
        desk.time.tick(timedelta(seconds=30))
    said = engage("why", str(message))
    tells(said, "Handed back unsent", explain("provider_busy").says, "3 times, the last one")
    assert said.out.count("Handed back") == 1


def test_a_page_names_the_alert_the_step_and_the_clinician_and_nothing_of_the_patient_s_health(
    desk: Desk, engage: Program
) -> None:
    with desk.cast.db.agency_session(desk.cast.id) as session:
        open_alert(session, Reason(AlertKind.SYMPTOM, desk.cast.id, desk.cast.rose), clock.now())
    escalate(desk.cast.db, clock.now())
    with desk.cast.db.agency_session(desk.cast.id) as session:
        page = session.scalars(select(Message).where(Message.kind == "page")).one()
    said = engage("why", str(page.id))
    tells(said, f"a page about alert {page.params['code']}, round 1, step 1", "to Ana, nurse", "any hour")
    assert "symptom" not in said.out


def test_a_language_that_nobody_has_reviewed_is_not_sent_and_that_is_told(desk: Desk, engage: Program) -> None:
    """Marta reads Spanish. Its wording is new and waits: she gets English; without that, nothing."""
    first = desk.checkin(desk.cast.marta_contact)
    desk.dispatch()
    tells(
        engage("why", str(first)),
        "in Spanish, 1 segment. Version 1 by Engage, reviewed by Engage founding team on 2026",
    )
    desk.time.tick(timedelta(hours=1))
    desk.sql(
        "UPDATE templates SET retired_at = :now WHERE key = 'morning-checkin' AND language = 'es'", now=clock.now()
    )
    desk.sql(
        "INSERT INTO templates (agency_id, key, language, version, wording, written_by) "
        "VALUES (:id, 'morning-checkin', 'es', 2, '{{ agency }}: 1 a 5. STOP', 'Dana')",
        id=desk.cast.id,
    )
    second = desk.checkin(desk.cast.marta_contact)
    desk.dispatch()
    tells(engage("why", str(second)), "in English", "reader's language is Spanish", "(version 2 waits for a review)")
    tells(engage("why", str(first)), "in Spanish, 1 segment. Version 1 by Engage")  # as it stood then
    desk.sql(
        "UPDATE templates SET retired_at = :now WHERE key = 'morning-checkin' AND language = 'en'", now=clock.now()
    )
    third = desk.checkin(desk.cast.marta_contact)
    desk.dispatch()
    assert desk.row(third).reason == "no_wording"
    tells(engage("why", str(third)), "not written: version 2 in Spanish waits for a review")


def test_the_consent_of_that_moment_is_told_not_the_later_one(desk: Desk, engage: Program) -> None:
    first = desk.checkin()
    desk.dispatch()
    desk.time.tick(timedelta(minutes=1))
    says(desk.cast, desk.cast.rose_contact, "revoked", "checkins", clock.now(), "phone")
    says(desk.cast, desk.cast.rose_contact, "opted_out", None, clock.now(), "text")
    second = desk.checkin()
    desk.dispatch()
    tells(engage("why", str(first)), "Given for check-ins on paper", "It had not said STOP")
    tells(
        engage("why", str(second)),
        "Not sent.",
        explain("opted_out").says,
        "TAKEN BACK for check-ins on the phone",
        "STOP, by text",
    )


def test_personal_words_are_told_only_when_asked_for(desk: Desk, engage: Program) -> None:
    message = desk.checkin()
    desk.dispatch()
    desk.deliver()
    body, on = desk.texts()[0], ("--patient", "rose", "--on", "2026-11-22")
    for asked in ((str(message),), (str(message), "--json"), on, (*on, "--json")):
        plain = engage("why", *asked, "--agency", "sunrise").out
        assert not any(word in plain for word in (body[9:40], ROSE_PHONE[-4:], "Miller", "signed at admission")), plain
        told = engage("why", *asked, "--agency", "sunrise", "--text", "--proof").out
        assert body in told
        assert "signed at admission" in told
        assert not any(word in told for word in (ROSE_PHONE[-4:], "Miller"))


def test_each_look_is_put_on_record(desk: Desk, engage: Program) -> None:
    message = desk.checkin()
    engage("why", str(message), "--text")
    engage("why", "--patient", "rose", "--on", "2026-11-22", "--agency", "sunrise")
    rows = desk.sql(
        "SELECT actor, action, subject, subject_id, detail FROM audit_events WHERE action = 'why' ORDER BY id"
    )
    assert [tuple(row[1:4]) for row in rows] == [("why", "message", message), ("why", "patient", desk.cast.rose)]
    assert all(row.actor.startswith("cli:") and len(row.actor) > 4 for row in rows)
    assert (rows[0].detail, rows[1].detail["on"]) == ({"text": True, "proof": False}, "2026-11-22")


def test_a_phone_whose_key_is_missing_does_not_hide_the_story(
    desk: Desk, engage: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its key a text is held: that is the very moment at which somebody asks why."""
    message = desk.checkin()
    monkeypatch.setenv("ENGAGE_ENCRYPTION_KEYS", f"other:{base64.b64encode(bytes([8]) * 32).decode()}")
    tells(engage("why", str(message)), "to Rose, the patient (phone not readable)", "Not sent yet")


# --- another agency, bad input ------------------------------------------------------------------------------------------


def test_another_agency_s_message_is_not_found(desk: Desk, engage: Program) -> None:
    message = desk.checkin()
    said = engage("why", str(message), "--agency", "other")
    assert (said.code, said.out) == (2, "")
    assert f"There is no message {message} in this agency" in said.err
    assert engage("why", str(message), "--agency", "sunrise").code == 0
    assert engage("why", "--patient", "rose", "--on", "2026-11-22", "--agency", "other").code == 2
    assert desk.count("SELECT count(*) FROM audit_events WHERE action = 'why'") == 1  # only what was shown


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "engage why MESSAGE, or engage why --patient"),
        (("1", "--patient", "rose", "--on", "2026-11-22"), "Say which"),
        (("--patient", "rose"), "Say which"),
        (("1", "--on", "2026-11-22"), "Say which"),
        (("4711",), "There is no message 4711"),
        (("99999999999999999999",), "number of a message"),  # more than a bigint holds
        (("SM" + "0" * 32,), "There is no message SM0"),
        (("CA" + "0" * 32,), "There is no message CA0"),
        (("rose",), "number of a message"),
        (("1", "--agency", "nowhere"), "no agency 'nowhere'"),
        (("--patient", "rose", "--on", "2026-11-22"), "Say which agency with --agency; there are: other, sunrise"),
        (("--patient", "rose", "--on", "2026-11-22", "--agency", "nowhere"), "no agency 'nowhere'"),
        (("--patient", "nobody", "--on", "2026-11-22", "--agency", "sunrise"), "id or MRN 'nobody'"),
        (("--patient", "rose", "--on", "yesterday", "--agency", "sunrise"), "'yesterday' is not a date"),
        (("--patient", "rose", "--on", "2026-02-30", "--agency", "sunrise"), "'2026-02-30' is not a date"),
    ],
)
def test_bad_input_is_one_clear_sentence(engage: Program, arguments: tuple[str, ...], words: str) -> None:
    said = engage("why", *arguments)
    assert (said.code, said.out) == (2, "")
    assert words in said.err
    assert said.err.count("\n") == 1


def test_an_mrn_names_a_patient_unless_it_names_two(cast: Cast, engage: Program) -> None:
    with cast.db.agency_session(cast.id) as session:
        session.execute(text("UPDATE patients SET mrn = 'M1'"))
    said = engage("why", "--patient", "M1", "--on", "2026-11-22", "--agency", "sunrise")
    assert (said.code, "2 patients have the MRN" in said.err) == (2, True)
    with cast.db.agency_session(cast.id) as session:
        session.execute(text("UPDATE patients SET mrn = 'M2' WHERE id = :id"), {"id": cast.marta})
    tells(engage("why", "--patient", "M2", "--on", "2026-11-22", "--agency", "sunrise"), "Marta (marta)")


# --- a patient's day ----------------------------------------------------------------------------------------------------


def test_a_day_with_its_texts_and_what_was_not_sent(desk: Desk, engage: Program) -> None:
    desk.cast.visit(desk.cast.rose)
    plan(desk.cast.db, NOON)
    said = engage("why", "--patient", "rose", "--on", "2026-11-23", "--agency", "sunrise")
    tells(
        said,
        "Rose (rose), active now. Mon Nov 23, 2026",
        "8:00 AM  waits",
        '"day-of"',
        "9:00 AM  waits",
        '"morning-checkin"',
    )
    tells(
        said,
        "Not sent, and why:",
        '"day-before": There is no visit on Tue Nov 24',
        '"survey": It follows a completed visit',
    )
    found = day(engage, "rose", "2026-11-23")
    assert [message["touchpoint"] for message in found["messages"]] == ["day-of", "morning-checkin", "evening-checkin"][
        : len(found["messages"])
    ]
    assert causes(found, "survey") == {"": ["no_completed_visit"]}


def test_what_is_further_ahead_than_the_planner_looks(desk: Desk, engage: Program) -> None:
    assert causes(day(engage, "rose", "2026-11-29"), "morning-checkin") == {"": ["beyond_horizon"]}


@pytest.mark.parametrize(
    ("sql", "key", "cause"),
    [
        ("UPDATE touchpoints SET is_active = false WHERE key = 'evening-checkin'", "evening-checkin", "touchpoint_off"),
        ("UPDATE agencies SET is_active = false", "evening-checkin", "agency_off"),
        ("UPDATE patients SET is_monitored = false", "evening-checkin", "not_monitored"),
        ("UPDATE patients SET status = 'discharged'", "evening-checkin", "not_active"),
        ("UPDATE patients SET is_monitored = false", "day-before", "no_visit"),  # reminders are for everybody
        ("UPDATE contacts SET patient_id = 2 WHERE patient_id = 1", "evening-checkin", "no_contact"),
        (
            "INSERT INTO episodes (agency_id, patient_id, emr_id, starts_on, discharged_on) VALUES (1, 1, 'E', '2026-09-01', '2026-11-20')",
            "evening-checkin",
            "not_in_care",
        ),
    ],
)  # fmt: skip
def test_a_cause_for_everybody(desk: Desk, engage: Program, sql: str, key: str, cause: str) -> None:
    desk.sql(sql)
    assert causes(day(engage, "rose", "2026-11-22"), key) == {"": [cause]}


@pytest.mark.parametrize(
    ("status", "answer", "cause"),
    [
        ("cancelled", None, "visit_cancelled"),
        ("scheduled", "does_not_want_it", "visit_declined"),
    ],
)
def test_a_visit_that_is_not_to_be_reminded_of(
    desk: Desk, engage: Program, status: str, answer: str | None, cause: str
) -> None:
    visit = desk.cast.visit(desk.cast.rose)
    values = {"status": status, "answer": answer, "at": NOON if answer else None, "id": visit}
    desk.sql("UPDATE visits SET status = :status, answer = :answer, answered_at = :at WHERE id = :id", **values)
    assert causes(day(engage, "rose", "2026-11-22"), "day-before") == {"": [cause]}


def test_each_reader_has_causes_of_their_own(desk: Desk, engage: Program) -> None:
    cast = desk.cast
    cast.visit(cast.rose)
    joan = add_contact(cast, cast.rose, JOAN_PHONE, "family", name="Joan Miller")
    add_contact(cast, cast.rose, "+12025550115", "emergency")
    for category in ("visits", "checkins"):
        says(cast, joan, "granted", category, NOON - timedelta(days=9))
    says(cast, cast.rose_contact, "revoked", "visits", NOON - timedelta(days=1), "phone")
    found = day(engage, "rose", "2026-11-22")
    assert causes(found, "day-before") == {
        "patient": ["consent_revoked"],
        "family": ["next_run"],
        "emergency": ["no_consent"],
    }
    assert causes(found, "evening-checkin")["family"] == ["another_is_asked"]
    said = engage("why", "--patient", "rose", "--on", "2026-11-22", "--agency", "sunrise")
    tells(
        said,
        "Rose, the patient (phone ending in 11): The consent: TAKEN BACK",
        "Joan, family of Rose (phone ending in 14)",
    )
    tells(said, "Check-ins go to one person: Rose, the patient", "No consent for check-ins is recorded")


@pytest.mark.parametrize("kind", ["landline", "unreachable", "wrong_number"])
def test_a_phone_that_gets_no_texts(desk: Desk, engage: Program, kind: str) -> None:
    desk.sql("UPDATE contacts SET phone_kind = :kind", kind=kind)
    assert causes(day(engage, "rose", "2026-11-22"), "evening-checkin") == {"patient": ["phone_unfit"]}


def test_what_stood_then_decides_not_what_stands_now(desk: Desk, engage: Program) -> None:
    """Noon is after the morning's check-in: what came at ten o'clock does not explain it, what came at eight does."""
    ten, eight = NOON - timedelta(hours=2), NOON - timedelta(hours=4)
    desk.sql("UPDATE patients SET status_since = :at", at=NOON - timedelta(days=30))
    says(desk.cast, desk.cast.rose_contact, "opted_out", None, ten, "text")
    says(desk.cast, desk.cast.marta_contact, "opted_out", None, eight, "text")
    assert causes(day(engage, "rose", "2026-11-22"), "morning-checkin") == {"patient": ["unexplained"]}
    assert causes(day(engage, "rose", "2026-11-22"), "evening-checkin") == {"patient": ["opted_out"]}
    assert causes(day(engage, "marta", "2026-11-22"), "morning-checkin") == {"patient": ["opted_out"]}


def test_one_phone_of_two_patients_is_told_together(desk: Desk, engage: Program) -> None:
    cast = desk.cast
    cast.visit(cast.rose)
    cast.visit(cast.marta)
    desk.sql("DELETE FROM messages")
    desk.sql(
        "UPDATE contacts SET phone_hash = :hash WHERE id = :id",
        hash=encryption.phone_hash(ROSE_PHONE),
        id=cast.marta_contact,
    )
    plan(cast.db, NOON)
    desk.sql("DELETE FROM messages WHERE patient_id = :id", id=cast.marta)
    assert MARTA_PHONE != ROSE_PHONE
    found = day(engage, "marta", "2026-11-22")
    assert causes(found, "day-before") == {"patient": ["told_together"]}
    said = engage("why", "--patient", "marta", "--on", "2026-11-22", "--agency", "sunrise")
    tells(said, "Told together with Rose")


def test_a_survey_follows_its_visit(desk: Desk, engage: Program) -> None:
    visit = desk.cast.visit(desk.cast.rose, on=NOON.date())
    desk.sql(
        "UPDATE visits SET status = 'completed', completed_at = :at WHERE id = :id",
        at=NOON - timedelta(minutes=30),
        id=visit,
    )
    assert causes(day(engage, "rose", "2026-11-22"), "survey") == {"patient": ["next_run"]}
    plan(desk.cast.db, NOON)
    found = day(engage, "rose", "2026-11-22")
    assert "survey" in [message["touchpoint"] for message in found["messages"]]
    assert "survey" not in [missing["touchpoint"] for missing in found["not_sent"]]


@pytest.mark.parametrize("starts", [time(7, 30), time(8, 30), time(10), time(18), None])
def test_the_time_it_would_have_left_is_the_planner_s(desk: Desk, engage: Program, starts: time | None) -> None:
    desk.cast.visit(desk.cast.rose, at=starts)
    before = day(engage, "rose", "2026-11-23")["not_sent"] + day(engage, "rose", "2026-11-22")["not_sent"]
    told = {missing["touchpoint"]: missing["send_at"] for missing in before if missing["occasion_on"] == "2026-11-23"}
    plan(desk.cast.db, NOON)
    rows = desk.sql(
        "SELECT t.key, m.send_at FROM messages m JOIN touchpoints t ON t.agency_id = m.agency_id AND t.id = m.touchpoint_id"
        " WHERE t.anchor = 'visit_day'"
    )
    assert {row.key for row in rows} == ({"day-before"} if starts == time(7, 30) else {"day-before", "day-of"})
    assert all(told[row.key] == row.send_at.astimezone(UTC).isoformat() for row in rows)


def test_a_visit_before_anybody_may_be_texted_has_no_day_of_reminder(desk: Desk, engage: Program) -> None:
    desk.cast.visit(desk.cast.rose, at=time(7, 30))
    assert causes(day(engage, "rose", "2026-11-23"), "day-of") == {"": ["no_time_left"]}


def test_a_day_costs_the_same_number_of_queries_however_full_it_is(desk: Desk, engage: Program) -> None:
    def cost() -> int:
        asked: list[str] = []
        listen = lambda *arguments: asked.append(arguments[2])  # noqa: E731
        from sqlalchemy import Engine

        event.listen(Engine, "before_cursor_execute", listen)
        try:
            day(engage, "rose", "2026-11-22")
        finally:
            event.remove(Engine, "before_cursor_execute", listen)
        return len(asked)

    empty = cost()
    desk.cast.visit(desk.cast.rose)
    for last in range(14, 19):
        contact = add_contact(desk.cast, desk.cast.rose, f"+120255501{last}", "family")
        says(desk.cast, contact, "granted", "visits", NOON - timedelta(days=1))
    plan(desk.cast.db, NOON)
    for _ in range(5):
        desk.checkin()
    desk.dispatch()
    assert cost() == empty


# --- for machines -------------------------------------------------------------------------------------------------------


def names_in(value: object) -> set[str]:
    """Every name of a JSON object and of the objects in it."""
    if isinstance(value, dict):
        return set(value).union(*(names_in(inner) for inner in value.values()))
    return set().union(*(names_in(inner) for inner in value)) if isinstance(value, list) else set()


def test_every_name_of_the_json_is_documented(desk: Desk, engage: Program) -> None:
    message = desk.checkin()
    desk.dispatch()
    desk.deliver()
    page = (ROOT / "docs/reference/cli.md").read_text(encoding="utf-8")
    found = names_in(json.loads(engage("why", str(message), "--json", "--text", "--proof").out))
    found |= names_in(day(engage, "rose", "2026-11-22"))
    assert sorted(name for name in found if f"`{name}`" not in page) == []


def test_instants_are_utc_for_machines_and_local_for_people(desk: Desk, engage: Program) -> None:
    message = desk.checkin()
    told = json.loads(engage("why", str(message), "--json").out)
    assert (told["send_at"], told["zone"]) == ("2026-11-22T17:00:00+00:00", "America/New_York")
    assert "12:00 PM EST" in engage("why", str(message)).out
