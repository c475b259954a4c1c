"""Who leaves first: one agency's thousands do not delay another's few, a slow number keeps its pace, pages pass it by."""

from datetime import timedelta

from engage import clock
from engage.outreach.dispatch import Flow
from tests.flows.outreach.desk import Desk

CHECKINS = """
INSERT INTO messages (agency_id, kind, priority, touchpoint_id, occasion, patient_id, contact_id, template, category, asks,
                      planned_at, send_at, due_at, expires_at)
SELECT p.agency_id, 'touchpoint', t.priority, t.id, '2030-01-01', p.id, c.id, t.template, t.category, t.asks, :now, :now, :now,
       CAST(:now AS timestamptz) + CAST(:useful AS interval)
FROM patients p JOIN contacts c ON c.agency_id = p.agency_id AND c.patient_id = p.id AND c.relationship = 'patient'
JOIN touchpoints t ON t.agency_id = p.agency_id AND t.key = 'morning-checkin'
WHERE p.agency_id = :agency AND p.emr_id LIKE 'crowd-%'
"""
CROWD = (
    """
INSERT INTO patients (agency_id, branch_id, emr_id, first_name, last_name, time_zone, status_since)
SELECT agency_id, branch_id, 'crowd-' || n, first_name, last_name, time_zone, status_since
FROM patients, generate_series(1, :many) n WHERE agency_id = :agency AND emr_id = :like
""",
    """
INSERT INTO contacts (agency_id, patient_id, relationship, phone, phone_hash, phone_kind)
SELECT p.agency_id, p.id, 'patient', c.phone, sha256(p.emr_id::bytea), 'mobile'
FROM patients p, contacts c WHERE p.emr_id LIKE 'crowd-%' AND p.agency_id = :agency AND c.id = :contact
""",
    """
INSERT INTO consent_events (agency_id, contact_id, phone_hash, category, kind, source, said_at, recorded_at)
SELECT c.agency_id, c.id, c.phone_hash, 'checkins', 'granted', 'paper', :now, :now
FROM contacts c JOIN patients p ON p.agency_id = c.agency_id AND p.id = c.patient_id WHERE p.emr_id LIKE 'crowd-%' AND c.agency_id = :agency
""",
)


def crowd(desk: Desk, agency: int, many: int, useful: str = "3 hours") -> None:
    """So many patients with a check-in that is due now."""
    like = desk.sql("SELECT min(emr_id) FROM patients WHERE agency_id = :agency", agency=agency)[0][0]
    contact = desk.cast.rose_contact  # whoever has the phone: only its number is wanted
    values = {"agency": agency, "like": like, "contact": contact, "many": many, "now": clock.now()}
    for statement in CROWD:
        desk.sql(statement, **{name: value for name, value in values.items() if f":{name}" in statement})
    desk.sql(CHECKINS, agency=agency, now=clock.now(), useful=useful)


def test_another_agencys_thousands_do_not_delay_a_few(desk: Desk) -> None:
    cast, other = desk.cast, desk.cast.other_id
    crowd(desk, cast.id, 400)
    crowd(desk, other, 10)
    stop = AfterClaims(desk, 1)
    desk.dispatch(stop=stop, batch=40, at_once=40)
    taken = dict(desk.sql("SELECT agency_id, count(*) FROM messages WHERE attempts > 0 GROUP BY 1"))
    assert taken == {other: 10, cast.id: 30}


def test_a_number_keeps_its_pace_whoever_sends(desk: Desk) -> None:
    cast = desk.cast
    crowd(desk, cast.id, 60)
    desk.sql(
        "UPDATE senders SET segments_per_second = 3 WHERE agency_id = :agency AND purpose = 'patients'", agency=cast.id
    )
    begun = clock.now()
    while desk.count("SELECT count(*) FROM messages WHERE state = 'planned' AND kind = 'touchpoint'"):
        desk.dispatch()
        desk.time.tick(timedelta(seconds=1))
        sent, seconds = len(desk.fake.messages), (clock.now() - begun).total_seconds()
        assert sent <= 3 * (seconds + 2) + 1
        assert seconds < 60
    assert (clock.now() - begun).total_seconds() >= 17
    assert desk.count("SELECT count(*) FROM message_events") == 0  # a second's wait is no event


def test_a_page_and_an_answer_do_not_wait_behind_a_slow_number(desk: Desk) -> None:
    cast = desk.cast
    crowd(desk, cast.id, 30)
    desk.sql("UPDATE senders SET segments_per_second = 1 WHERE agency_id = :agency", agency=cast.id)
    desk.dispatch()
    answer = desk.answer()
    desk.dispatch()
    assert desk.state(answer) == "accepted"


def test_a_day_that_is_full_is_said_and_not_passed(desk: Desk) -> None:
    cast = desk.cast
    crowd(desk, cast.id, 10, useful="2 hours")
    desk.sql(
        "UPDATE senders SET segments_per_day = 4 WHERE agency_id = :agency AND purpose = 'patients'", agency=cast.id
    )
    for _ in range(4):
        desk.dispatch()
        desk.time.tick(timedelta(seconds=2))
    assert len(desk.fake.messages) == 4
    desk.time.tick(timedelta(hours=3))
    desk.dispatch()
    assert desk.sql("SELECT state, reason, count(*) FROM messages WHERE sid IS NULL GROUP BY 1, 2") == [
        ("expired", "too_late", 6)
    ]


class AfterClaims:
    """Says stop once so many claims have been made."""

    def __init__(self, desk: Desk, claims: int) -> None:
        self.desk = desk
        self.claims = claims

    def is_set(self) -> bool:
        return self.desk.count("SELECT count(DISTINCT claimed_at) FROM messages WHERE attempts > 0") >= self.claims


class Reader:
    """Somebody who reads a reply for so many of the dispatcher's looks; a stop asked for before the last of them."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def is_at_it(self) -> bool:
        self.looks -= 1
        return self.looks >= 0

    def is_set(self) -> bool:
        return self.looks == 1


def test_while_a_reply_is_read_only_what_somebody_waits_for_is_taken_up(desk: Desk) -> None:
    crowd(desk, desk.cast.id, 20)
    answer, reader = desk.answer(), Reader(20)
    desk.dispatch(stop=reader, flow=Flow(gives_way=reader.is_at_it))
    assert desk.state(answer) == "accepted"
    assert desk.count("SELECT count(*) FROM messages WHERE attempts > 0") == 1
    desk.dispatch(flow=Flow(gives_way=Reader(2).is_at_it))  # it is read: the run goes on by itself
    assert desk.count("SELECT count(*) FROM messages WHERE attempts > 0") == 21
