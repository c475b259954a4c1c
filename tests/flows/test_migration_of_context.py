"""Down to the release before shared phones and texts by hand, with both in the database: what it has no word for is kept as near as it can be."""

from sqlalchemy import text

from engage import clock
from engage.db import migrate
from engage.outreach.plan import plan
from engage.replies.by_hand import write_by_hand
from engage.replies.handle import handle
from engage.replies.inbox import InboundText, store
from engage.replies.lexicon import load_lexicon
from tests.cast import NOON, ROSE_PHONE, SUNRISE_NUMBER, Cast
from tests.conftest import RING, ROOT


def test_down_and_up_with_a_text_by_hand_and_a_reply_about_two(cast: Cast) -> None:
    write_by_hand(cast.db, cast.id, "rose", "Ana here.", writer="ana", actor="test", now=NOON)
    plan(cast.db, NOON)
    with cast.db.system_session("test") as session:  # Marta moves in with Rose
        session.execute(
            text(
                "UPDATE contacts SET phone_hash = (SELECT phone_hash FROM contacts WHERE id = :rose) WHERE id = :marta"
            ),
            {"rose": cast.rose_contact, "marta": cast.marta_contact},
        )
    store(cast.db, InboundText("SM1", ROSE_PHONE, SUNRISE_NUMBER, None, "I fell and cant get up"), NOON)
    handle(cast.db, load_lexicon(ROOT / "config" / "lexicon"), clock.now)
    with cast.db.system_session("test") as session:
        assert (
            session.execute(text("SELECT count(*) FROM alerts WHERE kind = 'urgent' AND reply_id = 1")).scalar_one()
            == 2
        )
        message = session.execute(text("SELECT min(id) FROM messages WHERE kind = 'touchpoint'")).scalar_one()
        session.execute(
            text(
                "INSERT INTO scores (agency_id, patient_id, reply_id, message_id, scale, value, given_at)"
                " SELECT agency_id, id, 1, :message, 5, 4, :now FROM patients WHERE agency_id = :agency"
            ),
            {"message": message, "now": NOON, "agency": cast.id},
        )
    migrate.downgrade(cast.db, "0013_alert_kinds")
    with cast.db.system_session("test") as session:
        assert (
            session.execute(
                text("SELECT count(*) FROM messages WHERE template = 'hand' AND kind = 'answer'")
            ).scalar_one()
            == 1
        )
        assert session.execute(text("SELECT count(*) FROM alerts WHERE kind = 'urgent'")).scalar_one() == 2
        assert session.execute(text("SELECT count(*) FROM scores")).scalar_one() == 1
    assert migrate.upgrade(cast.db, RING) == migrate.newest()
