"""Codes of open alerts in one agency: never two the same, as short as may be, free again once resolved."""

import pytest

from engage.alerts.closing import Done, resolve
from engage.alerts.rules.words import AlertKind
from engage.errors import NotFound
from tests.cast import NOON
from tests.flows.alerts.ward import Ward


def test_when_all_short_codes_are_taken_one_is_longer_and_a_free_one_is_found(ward: Ward) -> None:
    first = ward.opens(AlertKind.OPT_OUT)
    ward.sql(
        "INSERT INTO alerts (agency_id, branch_id, patient_id, kind, severity, state, ladder_id, code, opened_at, next_due_at)"
        " SELECT a.agency_id, a.branch_id, a.patient_id, a.kind, a.severity, 'open', a.ladder_id, n::text, a.opened_at, a.next_due_at"
        " FROM alerts a, generate_series(1000, 9999) n WHERE a.id = :first AND n::text <> a.code",
        first=first,
    )
    assert len(ward.alert(ward.opens(AlertKind.DEATH)).code) == 5
    ward.sql(
        "UPDATE alerts SET state = 'resolved', outcome = 'called', resolved_at = :now, next_due_at = NULL WHERE code = '4821'",
        now=NOON,
    )
    assert ward.alert(ward.opens(AlertKind.WRONG_NUMBER)).code == "4821"


def test_a_code_that_is_used_again_closes_the_open_alert_and_once(ward: Ward) -> None:
    cast = ward.cast
    before, after = ward.opens(AlertKind.OPT_OUT), ward.opens(AlertKind.DEATH)
    code = ward.alert(before).code
    for alert in (before, after):
        ward.sql("UPDATE alerts SET code = :code WHERE id = :id", code=code, id=alert)
        with cast.db.agency_session(cast.id) as session:
            assert resolve(session, cast.id, code, cast.ana, Done("called"), NOON) == alert
    with pytest.raises(NotFound, match=code), cast.db.agency_session(cast.id) as session:
        resolve(session, cast.id, code, cast.ana, Done("called"), NOON)
