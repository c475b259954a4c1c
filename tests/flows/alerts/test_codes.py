"""Codes of open alerts in one agency: never two the same, as short as may be, free again once resolved."""

from engage.alerts.rules.words import AlertKind
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
