"""One story a patient: what joins, what makes it worse, what waits a little; nothing urgent ever waits."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.alerts.rules.story import DAMPED, Joins, Known, Opens, family, settle
from engage.alerts.rules.words import AlertKind, AlertState, Outcome, Severity

NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
ROUTINE, SOON, URGENT = Severity
LOW, SYMPTOM, CALLBACK, SILENCE = AlertKind.LOW_SCORE, AlertKind.SYMPTOM, AlertKind.CALLBACK, AlertKind.SILENCE


def minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


OPEN = Known(AlertState.OPEN, SOON, frozenset({LOW}), NOW - minutes(10), lowest=2)
OLD = replace(OPEN, opened_at=NOW - minutes(60))
TAKEN = replace(OPEN, state=AlertState.ACKNOWLEDGED, acknowledged_at=NOW - minutes(5))
DONE = replace(OPEN, state=AlertState.RESOLVED, resolved_at=NOW - minutes(30), outcome=Outcome.CALLED)


@pytest.mark.parametrize(
    ("known", "kind", "severity", "score", "expected"),
    [
        (None, LOW, SOON, 2, Opens(NOW)),
        # open: evidence, and worse only for a reason
        (OPEN, LOW, SOON, 2, Joins(SOON)),
        (OPEN, SYMPTOM, SOON, None, Joins(SOON)),
        (OPEN, AlertKind.UNREADABLE, ROUTINE, None, Joins(SOON)),
        (OPEN, AlertKind.URGENT, URGENT, None, Joins(URGENT, leads=True, begins_again=True)),
        (OPEN, LOW, SOON, 1, Joins(URGENT, begins_again=True)),  # a 1 after a 2
        (OPEN, LOW, SOON, 3, Joins(SOON)),  # an agency may alert at 3
        (OLD, LOW, SOON, 2, Joins(URGENT, begins_again=True)),  # says it again after an hour in which nobody came
        (OLD, SYMPTOM, SOON, None, Joins(SOON)),  # said for the first time
        (OLD, AlertKind.SILENCE, SOON, None, Joins(SOON)),  # nobody says silence twice
        (replace(OLD, severity=URGENT), LOW, SOON, 2, Joins(URGENT)),  # it cannot be worse
        (replace(OPEN, severity=ROUTINE), CALLBACK, SOON, None, Joins(SOON, leads=True, begins_again=True)),
        (replace(OPEN, is_exhausted=True), LOW, SOON, 2, Joins(SOON, begins_again=True)),  # nobody was left: all again
        # taken: her call is about this, for half an hour
        (TAKEN, LOW, SOON, 2, Joins(SOON)),
        (TAKEN, LOW, SOON, 1, Opens(NOW)),
        (TAKEN, SYMPTOM, SOON, None, Opens(NOW)),  # a new reason
        (TAKEN, AlertKind.URGENT, URGENT, None, Opens(NOW)),
        (
            replace(TAKEN, severity=URGENT, kinds=frozenset({AlertKind.URGENT})),
            AlertKind.URGENT,
            URGENT,
            None,
            Opens(NOW),
        ),
        (replace(TAKEN, acknowledged_at=NOW - minutes(30)), LOW, SOON, 2, Opens(NOW)),
        # a state of the agency is one alert until it is resolved, whoever has it
        (
            replace(TAKEN, kinds=frozenset({AlertKind.ROTA_GAP}), acknowledged_at=NOW - minutes(300)),
            AlertKind.ROTA_GAP,
            SOON,
            None,
            Joins(SOON),
        ),
        # resolved: the same again waits until two hours after, anything else does not
        (DONE, LOW, SOON, 2, Opens(NOW + minutes(90))),
        (DONE, LOW, SOON, 1, Opens(NOW)),  # lower than what was resolved
        (DONE, LOW, URGENT, 2, Opens(NOW)),  # this agency calls it urgent
        (DONE, AlertKind.URGENT, URGENT, None, Opens(NOW)),
        (DONE, SILENCE, SOON, None, Opens(NOW)),  # not what was resolved
        (replace(DONE, kinds=frozenset({SYMPTOM})), SYMPTOM, SOON, None, Opens(NOW)),  # words may say something new
        (replace(DONE, outcome=Outcome.NO_ANSWER), LOW, SOON, 2, Opens(NOW)),  # nobody spoke to the patient
        (replace(DONE, outcome=Outcome.SENT_TO_911), LOW, SOON, 2, Opens(NOW)),
        (replace(DONE, resolved_at=NOW - minutes(120)), LOW, SOON, 2, Opens(NOW)),
        (replace(DONE, severity=ROUTINE), LOW, ROUTINE, 2, Opens(NOW + minutes(210))),
    ],
)
def test_what_becomes_of_a_reason(
    known: Known | None, kind: AlertKind, severity: Severity, score: int | None, expected: Joins | Opens
) -> None:
    assert settle(known, kind, severity, score, NOW) == expected


def test_one_three_one_three_pages_once_more_at_most() -> None:
    """Resolved at noon; 1 at 12:20, 3, 1 at 12:50: the first waits until 14:00, the second joins it."""
    noon = NOW
    done = replace(DONE, resolved_at=noon, lowest=1)
    first = settle(done, LOW, SOON, 1, noon + minutes(20))
    assert first == Opens(noon + minutes(120))
    waiting = Known(AlertState.OPEN, SOON, frozenset({LOW}), noon + minutes(20), lowest=1)
    assert settle(waiting, LOW, SOON, 1, noon + minutes(50)) == Joins(SOON)


@pytest.mark.parametrize("kind", list(AlertKind))
def test_families(kind: AlertKind) -> None:
    assert kind in family(kind)
    assert all(family(other) == family(kind) for other in family(kind))
    alone = {
        AlertKind.DEATH, AlertKind.OPT_OUT, AlertKind.WRONG_NUMBER, AlertKind.UNDELIVERABLE, AlertKind.NURSE_UNREACHABLE,
        AlertKind.ROTA_GAP, AlertKind.PATIENT_OPENED,
    }  # fmt: skip
    assert (family(kind) == {kind}) == (kind in alone)
    if kind in {AlertKind.COMPLAINT, AlertKind.LOW_SURVEY}:  # whoever came must never read it in her own story
        assert family(kind) == {AlertKind.COMPLAINT, AlertKind.LOW_SURVEY}


instants = st.integers(-600, 0).map(lambda count: NOW + minutes(count))
knowns = st.builds(
    Known,
    st.sampled_from(AlertState),
    st.sampled_from(Severity),
    st.sets(st.sampled_from(AlertKind), min_size=1).map(frozenset),
    instants,
    st.none() | instants,
    st.none() | instants,
    st.none() | st.sampled_from(Outcome),
    st.booleans(),
    st.none() | st.integers(1, 5),
)


@given(knowns, st.sampled_from(AlertKind), st.sampled_from(Severity), st.none() | st.integers(1, 5))
def test_always(known: Known, kind: AlertKind, severity: Severity, score: int | None) -> None:
    match settle(known, kind, severity, score, NOW):
        case Joins() as joins:
            assert joins.severity >= max(known.severity, severity) or known.state is AlertState.ACKNOWLEDGED
            assert not joins.begins_again or known.state is AlertState.OPEN
            assert joins.begins_again == (joins.severity > known.severity or known.is_exhausted) or (
                known.state is AlertState.ACKNOWLEDGED
            )
            assert known.state is not AlertState.RESOLVED
        case Opens(due_at=due):
            assert NOW <= due <= NOW + max(DAMPED.values())
            assert due == NOW or (severity < URGENT and known.state is AlertState.RESOLVED)
