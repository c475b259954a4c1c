"""Groups, tapers and overrides in the planner: who gets what on which day, and that SQL says what the rule says in words."""

from datetime import date, datetime, timedelta
from json import dumps
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from engage.outreach.plan import plan
from engage.outreach.planning.groups import FACTS, IS_IN_GROUP
from engage.outreach.rules.groups import DAYS, Facts, group_as_json, read_group, read_taper, taper_as_json, why_left_out
from tests.cast import MONDAY, NOON, Cast


def run(cast: Cast, statement: str, **values: Any) -> None:
    with cast.db.agency_session(cast.id) as session:
        session.execute(text(statement), values)


def rows(cast: Cast, statement: str, **values: Any) -> list[Any]:
    with cast.db.agency_session(cast.id) as session:
        return [tuple(row) for row in session.execute(text(statement), values).all()]


def planned(cast: Cast, now: datetime = NOON, *, whole: bool = False) -> list[tuple[str, str, str]]:
    """Touchpoint, whose, and when by the clock in New York: what is planned now."""
    plan(cast.db, now, whole=whole)
    return rows(
        cast,
        "SELECT t.key, p.first_name, to_char(m.send_at AT TIME ZONE 'America/New_York', 'Dy HH24:MI') FROM messages m"
        " JOIN touchpoints t ON t.id = m.touchpoint_id JOIN patients p ON p.id = m.patient_id"
        " WHERE m.state = 'planned' ORDER BY m.send_at, p.id",
    )


def rule(cast: Cast, key: str, for_whom: dict[str, Any] | None = None, taper: list[Any] | None = None) -> None:
    run(
        cast,
        "UPDATE touchpoints SET for_whom = CAST(:g AS jsonb), taper = CAST(:t AS jsonb) WHERE key = :key",
        key=key,
        g=dumps(for_whom or {}),
        t=dumps(taper or []),
    )


def in_care(cast: Cast, patient: int, began: date, line: str = "home_health", payer: str | None = None) -> None:
    run(
        cast,
        "INSERT INTO payers (agency_id, emr_id, name, payer_class) SELECT :a, :p, :p, :p WHERE CAST(:p AS text) IS NOT NULL ON CONFLICT DO NOTHING",
        a=cast.id,
        p=payer,
    )
    run(
        cast,
        "INSERT INTO episodes (agency_id, patient_id, emr_id, line, start_of_care_on, starts_on, payer_id)"
        " SELECT :a, :who, 'e' || :who, :line, :on, :on, (SELECT id FROM payers WHERE emr_id = :payer)",
        a=cast.id,
        who=patient,
        line=line,
        on=began,
        payer=payer,
    )


ONLY_MORNING = [("morning-checkin", "Rose", "Mon 09:00"), ("morning-checkin", "Marta", "Mon 09:00")]


def test_a_tag_comes_and_goes(cast: Cast) -> None:
    rule(cast, "evening-checkin", {"tags": ["chf"]})
    assert planned(cast) == ONLY_MORNING
    run(cast, "UPDATE patients SET tags = '{chf,dm}' WHERE id = :rose", rose=cast.rose)
    assert planned(cast) == [("evening-checkin", "Rose", "Sun 18:00"), *ONLY_MORNING]
    run(cast, "UPDATE patients SET tags = '{dm}' WHERE id = :rose", rose=cast.rose)
    assert planned(cast) == ONLY_MORNING
    assert rows(cast, "SELECT reason FROM messages WHERE state = 'cancelled'") == [("not_in_group",)]


def test_the_first_days_are_denser(cast: Cast) -> None:
    """Rose is on her 15th day tomorrow, Marta on her 16th, which is a Monday: after that only Tuesdays."""
    in_care(cast, cast.rose, MONDAY - timedelta(days=14))
    in_care(cast, cast.marta, MONDAY - timedelta(days=15))
    rule(cast, "evening-checkin", {"until_day": 10})
    rule(cast, "morning-checkin", taper=[{"until_day": 15}, {"days": ["tue"]}])
    assert planned(cast) == ONLY_MORNING[:1]
    monday = planned(cast, NOON + timedelta(days=1))
    assert [who for _, who, when in monday if when == "Tue 09:00"] == ["Rose", "Marta"]  # for both a Tuesday
    wednesday = planned(cast, NOON + timedelta(days=2))
    assert [who for _, who, when in wednesday if when == "Wed 09:00"] == []


def test_payer_line_and_discipline(cast: Cast) -> None:
    in_care(cast, cast.rose, MONDAY, payer="Medicare")
    in_care(cast, cast.marta, MONDAY, line="hospice", payer="humana")
    for group, who in (
        ({"payers": ["medicare"]}, ["Rose"]),
        ({"lines": ["hospice"]}, ["Marta"]),
        ({"lines": ["home_health"], "payers": ["humana"]}, []),
    ):
        rule(cast, "morning-checkin", group)
        assert [name for key, name, _ in planned(cast, whole=True) if key == "morning-checkin"] == who
    rule(cast, "morning-checkin", {"disciplines": ["PT"]})
    visit = cast.visit(cast.rose, MONDAY + timedelta(days=14))
    assert [key for key, _, _ in planned(cast) if key == "morning-checkin"] == []
    run(cast, "UPDATE visits SET discipline = 'pt' WHERE id = :id", id=visit)
    assert ("morning-checkin", "Rose", "Mon 09:00") in planned(cast)


def test_a_reminder_of_a_group(cast: Cast) -> None:
    cast.visit(cast.rose)
    cast.visit(cast.marta)
    rule(cast, "day-of", {"tags": ["forgets"]})
    run(cast, "UPDATE patients SET tags = '{forgets}' WHERE id = :marta", marta=cast.marta)
    found = [(key, who) for key, who, _ in planned(cast) if key.startswith("day")]
    assert found == [("day-before", "Rose"), ("day-before", "Marta"), ("day-of", "Marta")]


def override(cast: Cast, key: str, at: str | None) -> None:
    run(
        cast,
        "INSERT INTO programme_overrides (agency_id, patient_id, touchpoint_id, is_off, local_time, set_by, set_at)"
        " SELECT agency_id, :rose, id, CAST(:at AS time) IS NULL, CAST(:at AS time), 'test', now() FROM touchpoints WHERE key = :key"
        " ON CONFLICT (agency_id, touchpoint_id, patient_id) DO UPDATE SET is_off = EXCLUDED.is_off, local_time = EXCLUDED.local_time",
        rose=cast.rose,
        key=key,
        at=at,
    )


def test_another_hour_and_off(cast: Cast) -> None:
    cast.visit(cast.rose)
    assert ("morning-checkin", "Rose", "Mon 09:00") in planned(cast)
    override(cast, "morning-checkin", "08:30")
    override(cast, "day-before", "17:00")
    moved = planned(cast)
    assert ("morning-checkin", "Rose", "Mon 08:30") in moved
    assert ("day-before", "Rose", "Sun 17:00") in moved
    assert ("morning-checkin", "Marta", "Mon 09:00") in moved
    assert len(moved) == 6
    override(cast, "morning-checkin", None)
    assert "morning-checkin" not in [key for key, who, _ in planned(cast) if who == "Rose"]
    assert rows(cast, "SELECT reason FROM messages WHERE state = 'cancelled'") == [("override_off",)]
    run(cast, "DELETE FROM programme_overrides")
    assert ("morning-checkin", "Rose", "Mon 09:00") in planned(cast)
    assert planned(cast, whole=True) == planned(cast)


def test_another_hour_is_planned_when_it_comes_into_the_horizon(cast: Cast) -> None:
    """Tick by tick as all at once: the usual hour of that day is within the horizon long before the patient's own."""
    override(cast, "morning-checkin", "20:00")
    plan(cast.db, NOON, timedelta(hours=22))
    assert [when for key, who, when in planned_only(cast) if (key, who) == ("morning-checkin", "Rose")] == ["Sun 20:00"]
    plan(cast.db, NOON + timedelta(hours=10), timedelta(hours=22))
    assert ("morning-checkin", "Rose", "Mon 20:00") in planned_only(cast)


def planned_only(cast: Cast) -> list[tuple[str, str, str]]:
    return rows(
        cast,
        "SELECT t.key, p.first_name, to_char(m.send_at AT TIME ZONE 'America/New_York', 'Dy HH24:MI') FROM messages m"
        " JOIN touchpoints t ON t.id = m.touchpoint_id JOIN patients p ON p.id = m.patient_id WHERE m.state = 'planned' ORDER BY m.send_at",
    )


WORD = st.sampled_from(["chf", "copd", "medicare", "humana"])
SOME = st.lists(WORD, min_size=1, max_size=2, unique=True)
WORDS = st.lists(st.sampled_from(["chf", "copd", "medicare", "humana"]), max_size=2, unique=True)
GROUPS = st.fixed_dictionaries(
    {},
    optional={
        "lines": st.lists(st.sampled_from(["home_health", "hospice"]), min_size=1, unique=True),
        "payers": SOME,
        "tags": SOME,
        "without_tags": st.just(["humana"]),
        "disciplines": st.lists(st.sampled_from(["SN", "PT"]), min_size=1, unique=True),
        "from_day": st.integers(1, 20),
        "until_day": st.integers(1, 40),
    },
)
STEPS = st.lists(
    st.fixed_dictionaries(
        {}, optional={"until_day": st.integers(1, 40), "days": st.lists(st.sampled_from(DAYS), min_size=1, unique=True)}
    ),
    max_size=3,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    said=GROUPS,
    steps=STEPS,
    tags=WORDS,
    payer=st.sampled_from([None, "medicare", "humana"]),
    line=st.sampled_from(["home_health", "hospice", None]),
    began=st.integers(0, 45),
    visits=st.lists(st.tuples(st.sampled_from(["SN", "PT"]), st.integers(-1, 16)), max_size=2),
)
def test_sql_says_what_the_rule_says(
    cast: Cast, said: Any, steps: Any, tags: Any, payer: Any, line: Any, began: int, visits: Any
) -> None:
    group, taper = read_group(said), read_taper(steps)
    if isinstance(group, str) or isinstance(taper, str):
        return
    on = MONDAY
    with cast.db.agency_session(cast.id) as session:
        point = session.begin_nested()
        session.execute(
            text(
                "UPDATE touchpoints SET for_whom = CAST(:g AS jsonb), taper = CAST(:t AS jsonb) WHERE key = 'morning-checkin'"
            ),
            {"g": dumps(group_as_json(group)), "t": dumps(taper_as_json(taper))},
        )
        session.execute(text("UPDATE patients SET tags = :tags WHERE id = :rose"), {"tags": tags, "rose": cast.rose})
        if line is not None:
            if payer is not None:
                session.execute(
                    text("INSERT INTO payers (agency_id, emr_id, name, payer_class) VALUES (:a, 'P1', 'x', :p)"),
                    {"a": cast.id, "p": payer},
                )
            session.execute(
                text(
                    "INSERT INTO episodes (agency_id, patient_id, emr_id, line, start_of_care_on, starts_on, payer_id)"
                    " VALUES (:a, :rose, 'e', :line, :on, :on, (SELECT id FROM payers))"
                ),
                {"a": cast.id, "rose": cast.rose, "line": line, "on": on - timedelta(days=began)},
            )
        for number, (discipline, ahead) in enumerate(visits):
            session.execute(
                text(
                    "INSERT INTO visits (agency_id, patient_id, emr_id, task, discipline, starts_on, changed_at)"
                    " VALUES (:a, :rose, :id, 'x', :d, :on, now())"
                ),
                {
                    "a": cast.id,
                    "rose": cast.rose,
                    "id": f"v{number}",
                    "d": discipline,
                    "on": on + timedelta(days=ahead),
                },
            )
        statement = (
            "SELECT "
            + IS_IN_GROUP
            + " FROM touchpoints t JOIN agencies a ON a.id = t.agency_id JOIN patients p ON p.agency_id = a.id"
            " AND p.id = :rose CROSS JOIN LATERAL (SELECT CAST(:on AS date) AS on_day) day "
            + FACTS
            + " WHERE t.key = 'morning-checkin'"
        )
        by_sql = session.execute(text(statement), {"rose": cast.rose, "on": on}).scalar_one()
        point.rollback()
    facts = Facts(
        line or "home_health",
        frozenset({payer, "p1"} if payer and line else ()),
        frozenset(tags),
        frozenset(d for d, ahead in visits if 0 <= ahead <= 14),
        began + 1 if line else 1,
    )
    assert by_sql is (why_left_out(group, taper, facts, on) is None)
