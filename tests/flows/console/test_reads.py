"""What the pages read: whose alerts, in which order, with which words; the whole of a patient; and never a statement per row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, time, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from engage.alerts.rules.words import AlertKind, Severity
from engage.console.patient_read import read_person, read_phones, read_scores, read_visits
from engage.console.rules.board import Standing
from engage.console.rules.marking import Piece
from engage.console.rules.need import Next
from engage.console.rules.thread import Delivery, Ours
from engage.console.thread_read import read_concerns, read_thread
from engage.console.visits_read import Narrowed, read_board, read_choices
from engage.console.worklist_read import Reach, Whose, Worklist, read_new, read_worklist
from engage.replies.asked import BY_HAND_FOR
from tests.cast import MONDAY, NOON, ROSE_PHONE, Cast
from tests.flows.alerts.ward import Ward
from tests.flows.console.shelf import Shelf

MINUTE = timedelta(minutes=1)


@pytest.fixture
def ward(cast: Cast) -> Ward:
    return Ward(cast)


@pytest.fixture
def shelf(cast: Cast) -> Shelf:
    return Shelf(cast)


@contextmanager
def statements(cast: Cast) -> Iterator[list[str]]:
    """The statements that run meanwhile."""
    ran: list[str] = []

    def note(_c: Any, _k: Any, statement: str, *_: Any) -> None:
        ran.append(statement)

    event.listen(cast.db.engine, "before_cursor_execute", note)
    yield ran
    event.remove(cast.db.engine, "before_cursor_execute", note)


def nurse(cast: Cast, me: int) -> Reach:
    return Reach(cast.id, me, None, is_nurse=True)


def listed(cast: Cast, reach: Reach, whose: Whose = Whose.AGENCY, minutes: int = 5) -> Worklist:
    with cast.db.agency_session(cast.id) as session:
        return read_worklist(session, reach, whose, NOON + minutes * MINUTE)


def test_whose_alerts_and_in_which_order(cast: Cast, ward: Ward, shelf: Shelf) -> None:
    words = "2 and my leg is swollen"
    low = ward.opens(AlertKind.LOW_SCORE, reply=shelf.said(NOON, words, (("symptom", "my leg is swollen"),), score=2))
    urgent = ward.opens(AlertKind.URGENT, patient=cast.marta, now=NOON + MINUTE)
    wish = ward.opens(AlertKind.RESCHEDULE)
    complaint = ward.opens(AlertKind.COMPLAINT)
    gap = ward.opens(AlertKind.ROTA_GAP, branch=cast.branch)
    ward.taken_by(cast.sue, wish, NOON + 2 * MINUTE)

    office = listed(cast, Reach(cast.id, cast.sue, None, is_nurse=False))
    assert [entry.id for entry in office.entries][:2] == [urgent, low]
    assert office.entries[-1].id == wish  # somebody has it
    assert {entry.id for entry in office.entries} == {low, urgent, wish, complaint, gap}

    (first, second, *_) = office.entries
    assert (first.patient, first.severity, first.holder) == ("Marta Ruiz", Severity.URGENT, None)
    assert (first.next, first.next_at) == (Next.AT_ONCE, NOON + MINUTE)
    assert second.said == (Piece("2 and "), Piece("my leg is swollen", ("symptom",)))
    assert second.score == 2
    assert (office.entries[-1].holder, office.entries[-1].next) == ("Sue", Next.COMES_BACK)

    # Ana is the nurse of both patients; a complaint is not hers to read, and the rota is nobody's own
    ana = listed(cast, nurse(cast, cast.ana), Whose.MINE)
    assert {entry.id for entry in ana.entries} == {urgent, low, wish}
    # Ben has no patients; what he is paged about is his
    assert listed(cast, nurse(cast, cast.ben), Whose.MINE).entries == ()
    ward.sql(
        "INSERT INTO alert_events (agency_id, alert_id, at, kind, clinician_id) VALUES (:agency, :alert, :now, 'paged', :ben)",
        agency=cast.id, alert=complaint, now=NOON, ben=cast.ben,
    )  # fmt: skip
    assert {entry.id for entry in listed(cast, nurse(cast, cast.ben), Whose.MINE).entries} == {complaint}
    assert ana.counts[Whose.AGENCY] == 4


def test_pages_of_the_list_hold_each_alert_once(cast: Cast, ward: Ward) -> None:
    """By a place and not by a number: what is closed meanwhile moves nothing over the edge."""
    first = ward.opens(AlertKind.CALLBACK)
    ward.sql(
        "INSERT INTO alerts (agency_id, patient_id, kind, severity, code, ladder_id, branch_id, next_due_at, opened_at)"
        " SELECT agency_id, patient_id, kind, 1 + n % 3, 20000 + n, ladder_id, branch_id, next_due_at, opened_at + n / 4 * interval '1 microsecond'"
        " FROM alerts, generate_series(1, 8) n WHERE id = :id",
        id=first,
    )  # some of one severity and instant: the id decides
    many = [alert for (alert,) in ward.sql("SELECT id FROM alerts ORDER BY id")]
    ward.sql("UPDATE alerts SET promised_until = :now WHERE id = :id", now=NOON, id=many[-1])  # late: before its equals
    ward.sql(
        "UPDATE alerts SET state = 'acknowledged', acknowledged_at = :now, acknowledged_by = :ana WHERE id < :id",
        now=NOON, ana=cast.ana, id=many[2],
    )  # fmt: skip
    later, reach = NOON + 10 * MINUTE, Reach(cast.id, None, None, is_nurse=False)
    whole = [entry.id for entry in listed(cast, reach, minutes=10).entries]
    seen: list[int] = []
    after = None
    with cast.db.agency_session(cast.id) as session:
        for _ in range(4):
            page = read_worklist(session, reach, Whose.AGENCY, later, after, most=2)
            assert (page.before, page.all, page.newest) == (len(seen), len(whole), max(many))
            seen += [entry.id for entry in page.entries]
            after = page.next_after
    assert (seen, sorted(whole)) == (whole[:8], sorted(many))
    ward.resolved_by(cast.ana, whole[0], later)
    with cast.db.agency_session(cast.id) as session:
        last = read_worklist(session, reach, Whose.AGENCY, later, after, most=2)
        new = read_new(session, reach, Whose.AGENCY, many[-3], later)
    assert ([entry.id for entry in last.entries], last.next_after) == (whole[8:], None)
    assert [each.id for each in new] == [many[-2]]  # the last one is closed


def test_only_the_branches_of_an_account(cast: Cast, ward: Ward) -> None:
    alert = ward.opens(AlertKind.CALLBACK)
    inside = Reach(cast.id, None, frozenset({cast.branch}), is_nurse=False)
    outside = Reach(cast.id, None, frozenset({cast.branch + 1}), is_nurse=False)
    assert [entry.id for entry in listed(cast, inside).entries] == [alert]
    assert listed(cast, outside).entries == ()
    assert listed(cast, outside).counts[Whose.AGENCY] == 0
    with cast.db.agency_session(cast.id) as session:
        assert read_person(session, cast.id, cast.stranger) is None  # another agency's
        assert read_board(session, Narrowed(cast.id, outside.branch_ids, MONDAY, MONDAY)) == []


def test_an_exhausted_alert_says_so_and_an_old_one_is_not_lost(cast: Cast, ward: Ward) -> None:
    alert = ward.opens(AlertKind.CALLBACK)
    ward.sql("UPDATE alerts SET exhausted_at = :now, next_due_at = NULL WHERE id = :id", now=NOON, id=alert)
    (entry,) = listed(cast, nurse(cast, cast.ana)).entries
    assert entry.next is Next.NOBODY_CAME
    ward.resolved_by(cast.ana, alert, NOON + MINUTE)
    assert listed(cast, nurse(cast, cast.ana)).entries == ()


def test_the_whole_of_a_patient(cast: Cast, ward: Ward, shelf: Shelf) -> None:
    for days, value in ((5, 4), (4, 4), (3, 4), (2, 2)):
        shelf.scored(NOON - timedelta(days=days), value)
    shelf.asked(
        NOON - MINUTE, "Reminder", state="suppressed", reason="opted_out", sid=None, claimed_at=None, accepted_at=None
    )
    shelf.asked(
        NOON + timedelta(days=1), "", state="planned", reason="quiet_hours", sid=None, claimed_at=None, accepted_at=None,
        ended_at=None, body=None,
    )  # fmt: skip
    cast.visit(cast.rose)
    alert = ward.opens(AlertKind.LOW_SCORE)
    ward.sql("UPDATE visits SET answer = 'confirmed', answered_at = :now", now=NOON)
    with cast.db.agency_session(cast.id) as session:
        person = read_person(session, cast.id, cast.rose)
        assert person is not None
        assert (person.name, person.nurse, person.hours) == ("Rose Miller", "Ana Tester", (time(8), time(21)))
        (phone,) = read_phones(session, cast.id, cast.rose, BY_HAND_FOR, NOON)
        assert (phone.number, phone.word, len(phone.consents), phone.has_written) == (ROSE_PHONE, None, 3, False)
        scores = read_scores(session, person, cast.id, NOON)[5]
        assert ([given.value for given in scores.given], scores.level) == ([4, 4, 4, 2], 4)
        assert [given.is_low for given in scores.given] == [False, False, False, True]
        (visit,) = read_visits(session, cast.id, cast.rose, NOON.date())
        assert (visit.on, visit.answer, visit.clinicians) == (MONDAY, "confirmed", ("Ana Tester",))
        talk = read_thread(session, cast.id, cast.rose, person.zone, NOON + timedelta(days=3), "Rose")
        (concern,) = read_concerns(session, cast.id, cast.rose, cast.ana, True, NOON)
        assert concern.id == alert
    said = [one for each in talk.days for one in each.said]
    assert len(said) == 10
    held, refused = said[-1], said[-2]
    assert isinstance(held, Ours)
    assert isinstance(refused, Ours)
    assert (held.delivery, refused.delivery) == (Delivery.HELD, Delivery.NOT_SENT)
    assert refused.why is not None
    assert "STOP" in refused.why


def test_a_long_conversation_has_pages(cast: Cast, shelf: Shelf) -> None:
    for hour in range(10):
        shelf.scored(NOON - timedelta(hours=hour), 3)
    seen: list[int] = []
    until = NOON + MINUTE
    with cast.db.agency_session(cast.id) as session:
        for _ in range(9):
            talk = read_thread(session, cast.id, cast.rose, "America/New_York", until, "Rose", most=4)
            seen = [one.id for each in talk.days for one in each.said if isinstance(one, Ours)] + seen
            if talk.older_until is None:
                break
            until = talk.older_until
    assert seen == list(range(10, 0, -1))  # each once, the oldest first


def test_the_board(cast: Cast, shelf: Shelf, ward: Ward) -> None:
    silent = cast.visit(cast.rose)
    wish = cast.visit(cast.marta, at=time(9))
    cast.visit(cast.rose, on=MONDAY + timedelta(days=1))
    shelf.asked(NOON, "Visit tomorrow", key="day-before", occasion=MONDAY.isoformat())
    with cast.db.agency_session(cast.id) as session:
        from engage.visits.model import Visit

        row = session.get_one(Visit, (cast.id, wish))
        row.answer, row.answered_at, row.wanted = "wants_another_time", NOON, "thursday"
    alert = ward.opens(AlertKind.RESCHEDULE, patient=cast.marta)
    with cast.db.agency_session(cast.id) as session:
        looked_at = Narrowed(cast.id, None, MONDAY, MONDAY)
        first, second = read_board(session, looked_at)
        assert (first.id, first.standing, first.wanted, first.alert_id) == (
            wish,
            Standing.WANTS_ANOTHER_TIME,
            "thursday",
            alert,
        )
        assert (second.id, second.standing, second.clinicians) == (silent, Standing.SILENT, ("Ana Tester",))
        branches, clinicians = read_choices(session, looked_at)
        assert [choice.id for choice in branches] == [cast.branch]
        assert {choice.id for choice in clinicians} == {cast.ana, cast.ben}
        narrowed = Narrowed(cast.id, None, MONDAY, date(2026, 11, 24), cast.branch, cast.ben)
        assert read_board(session, narrowed) == []


def test_no_page_reads_row_by_row(cast: Cast, ward: Ward, shelf: Shelf) -> None:
    """The number of statements is the same for one row and for many."""

    def worklist() -> None:
        listed(cast, nurse(cast, cast.ana))

    def patient() -> None:
        with cast.db.agency_session(cast.id) as session:
            person = read_person(session, cast.id, cast.rose)
            assert person is not None
            read_phones(session, cast.id, cast.rose, BY_HAND_FOR, NOON)
            read_scores(session, person, cast.id, NOON)
            read_visits(session, cast.id, cast.rose, NOON.date())
            read_thread(session, cast.id, cast.rose, person.zone, NOON, "Rose")
            read_concerns(session, cast.id, cast.rose, cast.ana, True, NOON)

    def board() -> None:
        with cast.db.agency_session(cast.id) as session:
            read_board(session, Narrowed(cast.id, None, MONDAY, MONDAY))

    def count(page: Callable[[], None]) -> int:
        with statements(cast) as ran:
            page()
        return len(ran)

    pages = (worklist, patient, board)
    ward.opens(AlertKind.LOW_SCORE, reply=shelf.scored(NOON, 2))
    cast.visit(cast.rose)
    few = [count(page) for page in pages]
    for kind in (AlertKind.RESCHEDULE, AlertKind.OPT_OUT, AlertKind.WRONG_NUMBER, AlertKind.UNDELIVERABLE):
        ward.opens(kind, reply=shelf.scored(NOON - timedelta(hours=2), 4))
        cast.visit(cast.rose)
    assert [count(page) for page in pages] == few
    assert max(few) < 12
