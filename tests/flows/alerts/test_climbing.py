"""Many alerts climb at once, and one whose row is broken keeps no other from its nurse."""

from collections.abc import Sequence

from sqlalchemy import text

from engage.alerts.rules.words import AlertKind
from tests.flows.alerts.ward import Ward


def breaks(ward: Ward, alert: int) -> None:
    """From now on the database refuses every page about one alert."""
    statements: Sequence[str] = (
        "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'a broken row'; END $$",
        f"CREATE TRIGGER broken BEFORE INSERT ON messages FOR EACH ROW WHEN (NEW.alert_id = {alert}) EXECUTE FUNCTION broken()",
    )
    with ward.cast.db.engine.begin() as owner:
        for statement in statements:
            owner.execute(text(statement))


def test_a_broken_alert_keeps_no_other_from_its_nurse(ward: Ward) -> None:
    urgent, other = ward.opens(AlertKind.URGENT), ward.opens(AlertKind.NURSE_UNREACHABLE, branch=ward.cast.branch)
    breaks(ward, urgent)
    assert ward.climbs().paged == 1
    assert (len(ward.pages(urgent)), len(ward.pages(other))) == (0, 1)
    assert ward.alert(urgent).step == 0  # it stands where it stood, and is tried again
    assert ward.sql("SELECT count(*) FROM alert_events WHERE alert_id = :a AND kind = 'paged'", a=other) == [(1,)]
    assert ward.climbs().paged == 0  # the other one waits for its answer
