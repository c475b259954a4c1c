"""The words of one text: names, days and times as they are read, and what a template may not do."""

import unicodedata
from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateError

from engage.outreach.rules.wording import LANGUAGES, PlannedVisit, clock_words, render, visit_values, visit_when
from engage.sms.rules.segments import count

TUESDAY = date(2026, 11, 24)
AT_TEN, AT_TWO = PlannedVisit(time(10), ("Ana",)), PlannedVisit(time(14, 30), ("Ben",))


@pytest.mark.parametrize(
    ("visits", "en", "es"),
    [
        ([AT_TEN], ("Ana", "around 10:00 AM"), ("Ana", "hacia las 10:00 AM")),
        (
            [AT_TWO, AT_TEN],
            ("Ana and Ben", "around 10:00 AM and 2:30 PM"),
            ("Ana y Ben", "hacia las 10:00 AM y 2:30 PM"),
        ),
        (
            [PlannedVisit(time(10), ("Ana", "Ben"))],
            ("Ana and Ben", "around 10:00 AM"),
            ("Ana y Ben", "hacia las 10:00 AM"),
        ),
        # the same nurse twice, and two nurses at the same time
        (
            [AT_TEN, PlannedVisit(time(14), ("Ana",))],
            ("Ana", "around 10:00 AM and 2:00 PM"),
            ("Ana", "hacia las 10:00 AM y 2:00 PM"),
        ),
        (
            [AT_TEN, PlannedVisit(time(10), ("Ben",))],
            ("Ana and Ben", "around 10:00 AM"),
            ("Ana y Ben", "hacia las 10:00 AM"),
        ),
        (
            [AT_TEN, AT_TWO, PlannedVisit(time(16), ("Sue",))],
            ("Ana, Ben and Sue", "around 10:00 AM, 2:30 PM and 4:00 PM"),
            ("Ana, Ben y Sue", "hacia las 10:00 AM, 2:30 PM y 4:00 PM"),
        ),
        # one o'clock is singular in Spanish
        (
            [PlannedVisit(time(13), ("Ana",)), PlannedVisit(time(14), ("Ana",))],
            ("Ana", "around 1:00 PM and 2:00 PM"),
            ("Ana", "hacia la 1:00 PM y 2:00 PM"),
        ),
        # a whole team in one house stays a text
        (
            [
                PlannedVisit(time(hour), (name,))
                for hour, name in zip((8, 10, 12, 14), ("Ana", "Ben", "Sue", "Al"), strict=True)
            ],
            ("Ana, Ben and 2 others", "around 8:00 AM, 10:00 AM and later"),
            ("Ana, Ben y otras 2 personas", "hacia las 8:00 AM, 10:00 AM y después"),
        ),
        # what is not known yet
        ([PlannedVisit(None, ("Ana",))], ("Ana", "time to be set"), ("Ana", "hora por confirmar")),
        (
            [PlannedVisit(None, ("Ben",)), AT_TEN],
            ("Ana and Ben", "around 10:00 AM"),
            ("Ana y Ben", "hacia las 10:00 AM"),
        ),
        ([PlannedVisit(time(10), ())], ("your care team", "around 10:00 AM"), ("su equipo", "hacia las 10:00 AM")),
        ([PlannedVisit(time(12), ("Ana",))], ("Ana", "around 12:00 PM"), ("Ana", "hacia las 12:00 PM")),
        ([PlannedVisit(time(0, 5), ("Ana",))], ("Ana", "around 12:05 AM"), ("Ana", "hacia las 12:05 AM")),
    ],
)
def test_the_visits_of_a_day(visits: list[PlannedVisit], en: tuple[str, str], es: tuple[str, str]) -> None:
    for language, (clinicians, times) in (("en", en), ("es", es)):
        values = visit_values(visits, TUESDAY, language)
        assert (values["clinicians"], values["times"]) == (clinicians, times)


@pytest.mark.parametrize(
    ("visits", "en", "es"),
    [
        # discipline as the EMR writes it; the part of the day of each visit
        ([(time(10), "SN")], ("nurse", "in the morning"), ("enfermera", "por la mañana")),
        (
            [(time(9), "pt"), (time(18), " SN ")],
            ("physical therapist and nurse", "in the morning and in the evening"),
            ("fisioterapeuta y enfermera", "por la mañana y por la noche"),
        ),
        ([(time(12), "SN"), (time(16, 59), "RN")], ("nurse", "in the afternoon"), ("enfermera", "por la tarde")),
        # one unknown discipline: nothing is said rather than half of it
        ([(time(10), "SN"), (time(11), None)], (None, "in the morning"), (None, "por la mañana")),
        ([(None, "XYZ")], (None, "time to be set"), (None, "hora por confirmar")),
    ],
)
def test_who_comes_and_in_which_part_of_the_day(
    visits: list[tuple[time | None, str | None]], en: tuple[str | None, str], es: tuple[str | None, str]
) -> None:
    for language, (discipline, window) in (("en", en), ("es", es)):
        values = visit_values([PlannedVisit(starts, ("Ana",), coded) for starts, coded in visits], TUESDAY, language)
        assert (values.get("discipline"), values["window"]) == (discipline, window)


@pytest.mark.parametrize(
    ("names", "many"), [((), False), (("Ana",), False), (("Ana", "Ben"), True), (("Ana", "Ana"), False)]
)
def test_many_chooses_the_verb(names: tuple[str, ...], many: bool) -> None:
    assert visit_values([PlannedVisit(time(10), names)], TUESDAY, "es")["many"] is many


@pytest.mark.parametrize(
    ("day", "en", "es"),
    [
        (TUESDAY, "Tue Nov 24", "24 de noviembre"),
        (date(2026, 9, 2), "Wed Sep 2", "2 de septiembre"),
        (date(2027, 1, 1), "Fri Jan 1", "1 de enero"),
    ],
)
def test_the_day(day: date, en: str, es: str) -> None:
    assert visit_values([AT_TEN], day, "en")["day"] == en
    assert visit_values([AT_TEN], day, "es")["day"] == es


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.times(), st.sampled_from(sorted(LANGUAGES)))
def test_days_and_times_never_cost_a_segment_by_their_letters(day: date, starts: time, language: str) -> None:
    values = visit_values([PlannedVisit(starts, ("Ana",))], day, language)
    assert count(" ".join(str(value) for value in values.values())).encoding == "GSM-7"


@pytest.mark.parametrize(
    ("visited_on", "en", "es"),
    [
        (date(2026, 11, 24), "today's", "de hoy"),
        (date(2026, 11, 23), "yesterday's", "de ayer"),
        (date(2026, 11, 22), "your last", "anterior"),
        (date(2026, 11, 25), "your last", "anterior"),  # a file of tomorrow's date
    ],
)
def test_which_visit_a_survey_means(visited_on: date, en: str, es: str) -> None:
    assert visit_when(visited_on, TUESDAY, "en") == en
    assert visit_when(visited_on, TUESDAY, "es") == es


def test_the_clock_of_a_nurse() -> None:
    at = datetime(2026, 11, 24, 14, 42, tzinfo=UTC)
    assert clock_words(at, "America/New_York", "en") == "9:42 AM"
    assert clock_words(at, "America/Chicago", "es") == "8:42 AM"


@pytest.mark.parametrize(
    ("wording", "text"),
    [
        ("Hello {{ patient }}", "Hello Rose & Sons"),  # not HTML: nothing is escaped
        ("  Hello\n", "Hello"),
        ("Hello — “{{ patient }}”…", 'Hello - "Rose & Sons"...'),  # punctuation made cheap
        ("¿Cómo está {{ patient }}?", "¿Cómo está Rose & Sons?"),  # letters never
    ],
)
def test_render(wording: str, text: str) -> None:
    assert render(wording, {"patient": "Rose & Sons"}) == text


def test_a_value_is_not_a_template() -> None:
    assert render("Hello {{ patient }}", {"patient": "{{ 7 * 7 }}"}) == "Hello {{ 7 * 7 }}"


@pytest.mark.parametrize(
    "wording", ["{{ nurse }}", "{{ patient", "{{ patient.__class__.__base__ }}", "{{ patient | nothing }}"]
)
def test_a_template_that_cannot_be_filled_is_an_error(wording: str) -> None:
    with pytest.raises(TemplateError):
        render(wording, {"patient": "Rose"})


@pytest.mark.parametrize(
    "wording",
    [
        "{{ 9**9**9**9 }}",  # would never end, already while Jinja compiles it
        "{{ ''.__class__.__mro__ }}",
        "{{ patient.__init__.__globals__ }}",
        "{{ patient['x'] }}",
        "{{ self }}",  # Jinja's own names
        "{{ range(10**9) }}",
        "{% for letter in patient %}{{ letter }}{% endfor %}",
        "{% include 'x' %}",
        "{{ patient | upper }}",
        "{{ 'a' * 10**9 }}",
        "{{ " + "(" * 800 + "1" + ")" * 800 + " }}",
    ],
)
def test_what_got_into_the_table_by_sql_is_never_evaluated(wording: str) -> None:
    with pytest.raises(TemplateError):
        render(wording, {"patient": "Rose"})


@given(st.text(st.characters(categories=("L",)), max_size=50))
def test_the_letters_of_a_name_arrive_as_they_are(name: str) -> None:
    rendered = render("Hello {{ patient }}.", {"patient": name})
    assert unicodedata.normalize("NFC", rendered) == unicodedata.normalize("NFC", f"Hello {name}.")
