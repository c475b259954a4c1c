"""One story a patient, on real rows: joined while open, worse begins again, the same after a call waits, patients stay apart."""

from datetime import datetime, timedelta

from engage.alerts.rules.words import AlertKind
from engage.outreach.outbox import Outgoing, queue
from engage.outreach.rules.words import Kind
from tests.cast import NOON
from tests.flows.alerts.ward import Ward


def after(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def test_a_story_grows_and_pages_anew_only_when_it_gets_worse(ward: Ward) -> None:
    ana, ben = ward.cast.ana, ward.cast.ben
    story = ward.opens(AlertKind.QUESTION)
    ward.climbs(NOON)
    assert ward.opens(AlertKind.UNREADABLE, after(1)) == story
    assert ward.climbs(after(1)).paged == 0
    ward.climbs(after(10))
    assert ward.pages() == [ana, ben]
    assert ward.opens(AlertKind.URGENT, after(12)) == story  # worse: from the bottom, now
    row = ward.alert(story)
    assert (row.kind, row.severity, row.round, row.step, row.next_due_at) == ("urgent", 3, 2, 0, after(12))
    ward.climbs(after(12))
    assert ward.pages() == [ana, ben, ana]
    assert ward.sql(
        "SELECT template, params -> 'severity' FROM messages WHERE kind = 'page' ORDER BY id DESC LIMIT 1"
    ) == [("page", 3)]
    kinds = ward.sql(
        "SELECT kind, detail ->> 'kind' FROM alert_events WHERE kind IN ('opened', 'evidence') ORDER BY id"
    )
    assert kinds == [("opened", None), ("evidence", "unreadable"), ("evidence", "urgent")]
    assert ward.opens(AlertKind.QUESTION, after(13)) == story  # its first name is not forgotten
    others = [
        ward.opens(kind, after(13))
        for kind in (AlertKind.DEATH, AlertKind.OPT_OUT, AlertKind.RESCHEDULE, AlertKind.COMPLAINT)
    ]
    marta = ward.opens(AlertKind.URGENT, after(13), ward.cast.marta)  # another patient of the same nurse
    assert len({story, *others, marta}) == 6
    assert ward.opens(AlertKind.CANCEL_VISIT, after(14)) == others[2]


def test_one_three_one_three(ward: Ward) -> None:
    """Resolved with a call; the same again soon stands in the list and pages two hours after the call, once for both."""
    story = ward.opens(AlertKind.LOW_SCORE)
    ward.climbs(NOON)
    ward.taken_by(ward.cast.ana, story, after(2))
    assert ward.opens(AlertKind.LOW_SCORE, after(5)) == story  # her call is about it
    ward.resolved_by(ward.cast.ana, story, after(10))
    again = ward.opens(AlertKind.LOW_SCORE, after(30))
    assert again != story
    assert ward.opens(AlertKind.LOW_SCORE, after(60)) == again
    for minutes in range(30, 130, 10):
        assert ward.climbs(after(minutes)).paged == 0
    assert ward.alert(again).next_due_at == after(130)
    assert ward.climbs(after(130)).paged == 1
    ward.resolved_by(ward.cast.ana, again, after(131))
    ward.opens(AlertKind.LOW_SCORE, after(140))
    urgent = ward.opens(AlertKind.URGENT, after(141))  # joins the one that waits, and does not wait
    assert ward.climbs(after(141)).paged == 1
    assert ward.pages(urgent) == [ward.cast.ana]


def test_a_lower_score_than_before_is_worse(ward: Ward) -> None:
    replies = []
    with ward.cast.db.agency_session(ward.cast.id) as session:
        question = Outgoing(ward.cast.id, Kind.ANSWER, "answer-help", ward.cast.rose_contact, patient_id=ward.cast.rose)
        asked = queue(session, question, NOON)
    for sid, value in (("SM1", 2), ("SM2", 1), ("SM3", 2)):
        (reply,) = ward.sql(
            "INSERT INTO replies (agency_id, sid, sender_id, contact_id, phone, phone_hash, body, received_at, state, handled_at)"
            " SELECT :agency, :sid, min(s.id), :contact, '\\x00', '\\x00', '\\x00', :now, 'handled', :now FROM senders s"
            " WHERE s.agency_id = :agency RETURNING id",
            agency=ward.cast.id, sid=sid, contact=ward.cast.rose_contact, now=NOON,
        )[0]  # fmt: skip
        ward.sql(
            "INSERT INTO scores (agency_id, patient_id, reply_id, message_id, scale, value, given_at)"
            " VALUES (:agency, :rose, :reply, :asked, 5, :value, :now)",
            agency=ward.cast.id, rose=ward.cast.rose, reply=reply, asked=asked, value=value, now=NOON,
        )  # fmt: skip
        replies.append(reply)
    story = ward.opens(AlertKind.LOW_SCORE, reply=replies[0])
    ward.climbs(NOON)
    assert ward.opens(AlertKind.LOW_SCORE, after(3), reply=replies[1]) == story
    assert ward.alert(story).severity == 3
    assert ward.climbs(after(3)).paged == 1
    ward.resolved_by(ward.cast.ana, story, after(4))
    ward.opens(AlertKind.LOW_SCORE, after(10), reply=replies[2])
    assert ward.climbs(after(10)).paged == 0  # a 2 is not worse than the 1 that was dealt with


def test_what_was_exhausted_is_climbed_again_for_new_evidence(ward: Ward) -> None:
    ward.sql("UPDATE clinicians SET texts_stopped_at = :now", now=NOON)
    story = ward.opens(AlertKind.SYMPTOM)
    assert ward.climbs(NOON).exhausted == 1
    ward.sql("UPDATE clinicians SET texts_stopped_at = NULL")
    assert ward.opens(AlertKind.CALLBACK, after(5)) == story
    ward.climbs(after(5))
    assert ward.pages(story) == [ward.cast.ana]
    assert ward.alert(story).exhausted_at is None


def test_what_somebody_took_and_let_go_comes_back_one_step_further(ward: Ward) -> None:
    story = ward.opens(AlertKind.URGENT)
    ward.climbs(NOON)
    ward.taken_by(ward.cast.ana, story, after(1))
    assert ward.climbs(after(60)).reopened == 0
    assert ward.climbs(after(61)).reopened == 1
    assert ward.pages() == [ward.cast.ana, ward.cast.ben]
    for minutes in range(71, 200, 5):
        ward.climbs(after(minutes))
    assert ward.alert(story).exhausted_at is not None
    ward.taken_by(ward.cast.sue, story, after(200))  # late is better than never
    count = len(ward.pages(story))
    ward.climbs(after(261))  # and when she lets it go too, it begins again rather than end in silence
    assert ward.pages(story)[count:] == [ward.cast.ana]
