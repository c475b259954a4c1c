"""Every check of a wording, with one that fails and one that passes; the lint of the official surveys; what is accepted, renders."""

import re
from datetime import date, time
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.onboarding.book import load_book
from engage.onboarding.programme import load_programme
from engage.outreach.rules.checks import House, Purpose, Rule, Severity, check_wording, refusals
from engage.outreach.rules.checks.lengths import longest_values, usual_text
from engage.outreach.rules.checks.survey import likest
from engage.outreach.rules.wording import PlannedVisit, called, render, visit_values
from engage.outreach.rules.words import Asks
from engage.patients.rules.words import Category
from engage.sms.rules.phones import display
from engage.sms.rules.segments import MOST_CHARACTERS, count
from tests.conftest import ROOT

BOOK = load_book(ROOT / "config")
SHIPPED = load_programme(ROOT / "config")
HOUSE = House("Sunrise", "Sunrise Home Health", ("+12025550150", "+12025550100"))
PURPOSES = {
    touchpoint["template"]: (Asks(touchpoint["asks"]), Category(touchpoint["category"]))
    for touchpoint in SHIPPED.touchpoints
}
STOP = " STOP ends texts."


def findings(wording: str, template: str, language: str = "en", house: House = HOUSE) -> dict[str, Severity]:
    asks, category = PURPOSES.get(template.removeprefix("call-"), (None, None))
    found = check_wording(wording, Purpose(template, language, asks, category), house, BOOK)
    assert all(finding.why and finding.do and len(finding.why) < 600 for finding in found)
    return {finding.rule: finding.severity for finding in found}


REMINDER = "{{ agency }}: {{ clinicians }} comes {{ day }}, {{ times }}. Y or R." + STOP

# rule, template, language, a wording that fails by it and nothing worse, and its like that passes
TABLE = [
    (Rule.BROKEN, "day-before", "en", "{{ agency", REMINDER),
    (Rule.BROKEN, "day-before", "en", "a" * 2001, REMINDER),
    (Rule.BROKEN, "day-before", "en", "{{ " + "(" * 900 + "1" + ")" * 900 + " }}", REMINDER),
    *(
        (Rule.NOT_ALLOWED, "day-before", "en", wording + REMINDER, REMINDER)
        for wording in (
            "{{ 9**9**9 }}", "{{ ''.__class__ }}", "{{ patient['x'] }}", "{{ range(9) }}", "{{ patient | upper }}", "{{ 'a' * 9 }}",
            "{{ patient ~ day }}", "{% set a = 1 %}", "{% for a in day %}{% endfor %}", "{{ none }}", "{{ [1] }}", "{{ {} }}", "{{ -1 }}",
            "{{ 'a' if many }}", "{{ 'a' if day in 'b' else 'c' }}", "{{ 'a' if 1 < 2 else 'b' }}", "{{ day | default(9**9) }}",
            "{{ day | default('a', 9**9) }}", "{{ patient is callable }}", "{% include 'x' %}", "{% block x %}{% endblock %}",
            "{{ 'a' if 9**9**9 else 'b' }}", "{{ self.x }}",
        )
    ),
    (Rule.TOO_MANY_VARIANTS, "day-before", "en", REMINDER + "{{ 'a' if many else 'b' }}" * 7, REMINDER + "{{ 'a' if many else 'b' }}"),
    (Rule.LANGUAGE_UNKNOWN, "day-before", "vi", REMINDER, None),
    (Rule.UNKNOWN_PLACEHOLDER, "day-before", "en", REMINDER + "{{ nurse }}", REMINDER),
    (Rule.UNKNOWN_PLACEHOLDER, "day-before", "en", REMINDER + "{{ 'a' if nurse else 'b' }}", REMINDER),
    (Rule.UNKNOWN_PLACEHOLDER, "day-before", "en", REMINDER + "{{ self }}", REMINDER),  # Jinja's own name
    (Rule.PLACEHOLDER_ELSEWHERE, "morning-checkin", "en", "{{ agency }}: 1 to 5, {{ times }}." + STOP, "{{ agency }}: 1 to 5." + STOP),
    (Rule.PLACEHOLDER_ELSEWHERE, "page", "en", "{{ agency }}: {{ patient }} {{ code }}", "{{ agency }}: {{ code }}"),
    (Rule.MAY_BE_MISSING, "day-of", "en", REMINDER + " {{ discipline }}", REMINDER + " {{ discipline | default('nurse') }}"),
    (Rule.MAY_BE_MISSING, "day-of", "en", REMINDER + " {{ discipline }}", REMINDER + " {{ discipline | default('nurse', true) }}"),
    (Rule.WRONG_COMPARISON, "day-of", "en", REMINDER + "{% if many == 'x' %}a{% endif %}", REMINDER + "{% if many %}a{% endif %}"),
    (Rule.WRONG_COMPARISON, "day-of", "en", REMINDER + "{{ many }}", REMINDER + "{{ 'a' if many else 'b' }}"),
    (Rule.WRONG_COMPARISON, "day-of", "en", REMINDER + "{% if day > 3 %}a{% endif %}", REMINDER + "{% if day != 'x' %}a{% endif %}"),
    (Rule.WRONG_COMPARISON, "day-of", "en", REMINDER + "{% if discipline %}a{% endif %}", REMINDER + "{% if discipline is defined %}a{% endif %}"),
    (Rule.WRONG_COMPARISON, "page", "en", "{{ agency }} {{ code }} {{ 'a' if severity == '3' else 'b' }}", "{{ agency }} {{ code }} {{ 'a' if severity >= 3 else 'b' }}"),
    (Rule.MAY_BE_EMPTY, "note-help", "en", "{% if agency == 'x' %}{{ agency }}{% endif %}", "{{ agency }}: Text the code."),
    (Rule.MAY_BE_EMPTY, "note-help", "en", " {{ agency }} ", "{{ agency }}."),
    (Rule.NO_SENDER_NAME, "day-of", "en", "{{ clinicians }} comes {{ times }}." + STOP, "{{ agency_name }}: {{ clinicians }} comes." + STOP),
    (Rule.NO_SENDER_NAME, "day-of", "en", "{% if many %}{{ agency }}: {% endif %}Hello." + STOP, "{{ agency }}: Hello." + STOP),  # not always
    (Rule.NO_WAY_OUT, "day-of", "en", "{{ agency }}: {{ clinicians }} comes.", "{{ agency }}: {{ clinicians }} comes." + STOP),
    (Rule.NO_WAY_OUT, "day-of", "en", "{{ agency }}: a nonstop visit. Stop.", "{{ agency }}: a visit. Text STOP to end."),  # the word itself
    (Rule.NO_WAY_OUT, "answer-opt-out", "en", "{{ agency }}: No more texts. {{ phone }}", "{{ agency }}: No more texts. START begins again. {{ phone }}"),
    (Rule.NO_WAY_OUT, "answer-help", "en", "{{ agency }}: Call {{ phone }}.", "{{ agency }}: Call {{ phone }}. STOP ends."),
    (Rule.NO_PHONE, "answer-help", "en", "{{ agency }}: Call us. STOP ends.", "{{ agency }}: Call {{ phone }}. STOP ends."),
    (Rule.NO_911, "answer-urgent", "en", "{{ agency }}: A nurse will call.", "{{ agency }}: A nurse will call. Or call 911."),
    (Rule.NO_ANSWERS, "morning-checkin", "en", "{{ agency }}: How are you? 1 to ten." + STOP, "{{ agency }}: How are you? 1 to 5." + STOP),
    (Rule.NO_ANSWERS, "survey", "en", "{{ agency }}: The visit? 1 to 5." + STOP, "{{ agency }}: The visit? 1 to 10." + STOP),
    (Rule.NO_ANSWERS, "call-day-of", "en", "{{ agency }}. Press 1 or 2.", "{{ agency }}. Press 1, 2 or 9."),
    (Rule.NO_CODE, "page", "en", "{{ agency }}: a patient needs you.", "{{ agency }}: a patient needs you. {{ code }}"),
    (Rule.PRINTS_CANCEL, "day-of", "en", "{{ agency }}: Cancel? Reply R." + STOP, "{{ agency }}: Another time? Reply R." + STOP),
    (Rule.PRINTS_CANCEL, "day-of", "es", "{{ agency }}: Para cancelar, R. STOP.", "{{ agency }}: Para otra hora, R. STOP."),
    (Rule.PRINTS_CANCEL, "day-of", "en", "{{ agency }}: {{ 'CANCEL' if many else 'R' }}" + STOP, "{{ agency }}: {{ 'R' if many else 'S' }}" + STOP),
    *(
        (Rule.HAS_LINK, "day-of", "en", f"{{{{ agency }}}}: See {link} now." + STOP, "{{ agency }}: See you at 8.30 a.m. now." + STOP)
        for link in ("https://example.org/x", "www.example.org", "bit.ly/3xY", "sunrise.care", "Example.COM")
    ),
    (Rule.FOREIGN_PHONE, "day-of", "en", "{{ agency }}: Call (202) 555-0199." + STOP, "{{ agency }}: Call (202) 555-0150." + STOP),
    (Rule.FOREIGN_PHONE, "day-of", "en", "{{ agency }}: Call 1-202-555-0151 or 911." + STOP, "{{ agency }}: Call 202.555.0100, 911 or 988." + STOP),
    (Rule.DISCLOSES_HEALTH, "day-of", "en", "{{ agency }}: your Chemotherapy visit." + STOP, "{{ agency }}: your visit." + STOP),
    (Rule.DISCLOSES_HEALTH, "day-of", "en", "{{ agency }}: your heart  failure visit." + STOP, "{{ agency }}: your heartfelt visit." + STOP),
    (Rule.DISCLOSES_HEALTH, "day-of", "es", "{{ agency }}: visita por su diálisis. STOP.", "{{ agency }}: su visita. STOP."),  # accents do not hide it
    (Rule.TOO_LONG, "day-of", "en", "{{ agency }}: " + "x" * 310 + STOP, "{{ agency }}: " + "x" * 100 + STOP),
    (Rule.TOO_LONG, "day-of", "es", "{{ agency }}: í" + "x" * 140 + " STOP.", "{{ agency }}: i" + "x" * 120 + " STOP."),  # 70 a segment
    (Rule.TOO_LONG, "call-day-of", "en", "{{ agency }} 1 2 9 " + "x" * 1500, "{{ agency }} 1 2 9 " + "x" * 500),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "template", "language", "fails", "passes"), TABLE)
def test_each_check_refuses_and_lets_its_like_pass(
    rule: Rule, template: str, language: str, fails: str, passes: str | None
) -> None:
    assert findings(fails, template, language).get(rule) is Severity.REFUSE
    if passes is not None:
        assert Severity.REFUSE not in findings(passes, template, language).values()


WARNED = [
    (Rule.SEVERAL_SEGMENTS, "day-of", "en", "{{ agency }}: " + "x" * 160 + STOP, "{{ agency }}: x" + STOP),
    (
        Rule.NOT_GSM,
        "day-of",
        "es",
        "{{ agency }}: Está bien. STOP.",
        "{{ agency }}: Qué bien, señor. ¿Sí? STOP.".replace("Sí", "No"),
    ),
    (Rule.NOT_GSM, "day-of", "en", "{{ agency }}: Hello 🙂" + STOP, "{{ agency }}: Hello :)" + STOP),
    # smart encoding mends these when the text leaves
    (Rule.NOT_GSM, "day-of", "es", "{{ agency }}: “Sí” — mañana. STOP.", "{{ agency }}: “No” — mañana. STOP."),
    (Rule.NO_SENDER_NAME, "answer-confirmed", "en", "Thank you.", "{{ agency }}: Thank you."),
    (Rule.DISCLOSES_HEALTH, "day-of", "en", "{{ agency }}: Hospice visit." + STOP, "{{ agency }}: Hospices?" + STOP),
    ("asks_for_reviews", "answer-survey", "en", "{{ agency }}: Leave us a review!", "{{ agency }}: Thank you!"),
]


@pytest.mark.parametrize(("rule", "template", "language", "warned", "passes"), WARNED)
def test_what_is_only_told(rule: str, template: str, language: str, warned: str, passes: str) -> None:
    assert findings(warned, template, language).get(rule) is Severity.WARN
    assert rule not in findings(passes, template, language)


def test_every_rule_has_its_row() -> None:
    assert {row[0] for row in [*TABLE, *WARNED]} | {Rule.COPIES_A_QUESTION} >= set(Rule)


@pytest.mark.parametrize(
    ("wording", "character", "place", "repaired"),
    [
        # a letter: kept, priced, never mended by leaving its accent out
        ("{{ agency }}: Aquí estamos. STOP.", "í", 18, None),
        # beside a letter that needs UCS-2 the quotes stay, so they are offered as plain ones
        ("{{ agency }}: Aquí “mañana”. STOP.", "“", 20, '{{ agency }}: Aquí "mañana". STOP.'),
        ("{{ agency }}: Hola 🙂. STOP.", "🙂", 20, None),
    ],
)
def test_a_dear_character_is_named_with_its_place_and_a_repair(
    wording: str, character: str, place: int, repaired: str | None
) -> None:
    asks, category = PURPOSES["day-of"]
    found = check_wording(wording, Purpose("day-of", "es", asks, category), HOUSE, BOOK)
    (finding,) = (one for one in found if one.rule is Rule.NOT_GSM and f"'{character}'" in one.why)
    assert (finding.place, finding.repair) == (place, repaired)


def test_a_dear_letter_is_priced() -> None:
    asks, category = PURPOSES["day-of"]
    wording = "{{ agency }}: Aquí " + "x" * 80 + " STOP."
    found = check_wording(wording, Purpose("day-of", "es", asks, category), HOUSE, BOOK)
    (finding,) = (one for one in found if one.rule is Rule.NOT_GSM)
    assert "2 segments instead of 1, about $0.013 more" in finding.why  # $0.0083 and 0.0025 to 0.0062 for the carrier


def test_what_ships_is_not_refused() -> None:
    house = House("A" * 20, "Sunrise Home Health", ("+12025550143",))
    for wording in SHIPPED.wordings:
        for template, text in wording.templates.items():
            asks, category = PURPOSES.get(template.removeprefix("call-"), (None, None))
            found = check_wording(text, Purpose(template, wording.language, asks, category), house, BOOK)
            assert refusals(found) == [], (wording.language, template)


# --- the official surveys -------------------------------------------------------------------------------------------------

HEAD, TAIL = "{{ agency }}: ", " Reply 1 (poor) to 10 (great). STOP"

SURVEYS = [
    ("names_the_survey", "Medicare will send you a survey soon.", "How did the visit go?"),
    ("names_the_survey", "HHCAHPS comes by mail.", "Your visit of today:"),
    ("rates_the_agency", "From 0 to 10, how is our care?", "How did today's visit go?"),
    ("rates_the_agency", "How do you rate our agency's services?", "How did Ana do today?"),
    ("asks_to_recommend", "Would you recommend us to friends?", "What should we fix?"),
    ("looks_back_two_months", "How were the last 2 months?", "How was today?"),
    ("uses_its_answers", "Was the nurse on time: never, sometimes, usually, always?", "Was the nurse on time?"),
    ("uses_its_answers", "How often is the nurse on time?", "Is the nurse on time today?"),
    ("asks_why", "Why did you give that number?", "What should we fix?"),
    ("coaches", "We hope you give us a 10!", "Every number helps."),
    ("coaches", "Was it a 5-star visit?", "Was it a good visit?"),
    ("offers_something", "Answer and win a gift card.", "Answer if you like."),
    ("copies_a_question", "Did the nurses listen carefully to you?", "Did Ana hear what you need?"),
    ("copies_a_question", "Did our staff treat you with courtesy and respect?", "Was Ana kind?"),
    ("copies_a_question", "Did our team keep you informed about when they would arrive?", "Did Ana come on time?"),
]
ENCUESTAS = [
    ("names_the_survey", "Medicare: encuesta de Medicare pronto.", "¿Qué tal la visita?"),
    ("rates_the_agency", "Del 0 al 10, ¿qué tal nuestra agencia?", "¿Qué tal la visita de hoy?"),
    ("asks_to_recommend", "¿Nos recomendaría?", "¿Qué mejoramos?"),
    ("looks_back_two_months", "¿Qué tal los últimos 2 meses?", "¿Qué tal hoy?"),
    ("uses_its_answers", "¿Con qué frecuencia llega Ana?", "¿Llegó Ana hoy?"),
    ("asks_why", "¿Por qué nos dio ese número?", "¿Qué mejoramos?"),
    ("coaches", "Denos un 10, por favor.", "Diga lo que piensa."),
    ("offers_something", "Hay un sorteo.", "Gracias."),
    ("copies_a_question", "¿Le trataron con cortesía y respeto las enfermeras?", "¿Fue amable Ana?"),
]


@pytest.mark.parametrize(
    ("language", "rule", "fails", "passes"),
    [*(("en", *row) for row in SURVEYS), *(("es", *row) for row in ENCUESTAS)],
)
def test_a_survey_keeps_clear_of_the_official_ones(language: str, rule: str, fails: str, passes: str) -> None:
    assert findings(HEAD + fails + TAIL, "survey", language).get(rule) is Severity.REFUSE
    assert set(findings(HEAD + passes + TAIL, "survey", language)) <= {Rule.NOT_GSM, Rule.SEVERAL_SEGMENTS}


def test_the_bereaved_are_not_asked_how_it_was() -> None:
    asked = findings("{{ agency }}: We are sorry. How was our care?", "answer-condolence")
    assert asked["asks_the_bereaved"] is Severity.REFUSE
    assert findings("{{ agency }}: We are sorry. A person will call.", "answer-condolence") == {}


def test_every_rule_of_the_lint_has_its_row() -> None:
    rows = {row[0] for row in [*SURVEYS, *ENCUESTAS]} | {"asks_the_bereaved", "asks_for_reviews"}
    assert {rule.id for rule in BOOK.survey.rules} <= rows


def test_what_a_finding_proposes_is_allowed_itself() -> None:
    proposals = [found for rule in BOOK.survey.rules for found in re.findall(r": ([A-Z][^:]*[.?][^:]*)$", rule.instead)]
    assert len(proposals) > 5
    for proposal in proposals:
        template = "answer-condolence" if "We think of you" in proposal else "survey"
        text = HEAD + proposal + ("" if template != "survey" or "10" in proposal else TAIL) + " STOP"
        assert Severity.REFUSE not in findings(text, template).values(), proposal


def test_a_likeness_is_explained_by_the_words_they_share() -> None:
    like = likest("Did the nurses listen carefully?", BOOK.survey, "en")
    assert like is not None
    assert (like.shared, like.of, like.question.instrument) == (("provider", "listen", "carefully"), 3, "HHCAHPS")
    assert likest("{{ agency }}: Ana comes tomorrow.", BOOK.survey, "en") is None


# --- what is accepted, renders --------------------------------------------------------------------------------------------

PIECES = [
    "{{ agency }}", "{{ agency_name }}", "{{ patient }}", "{{ clinicians }}", "{{ discipline | default('nurse') }}", "{{ day }}",
    "{{ times }}", "{{ window }}", "{{ phone }}", "{{ 'come' if many else 'comes' }}", "{% if many %}both{% else %}one{% endif %}",
    "{% if patient == 'Rose' %}Nana{% endif %}", "{% if discipline is defined and not many %}ok{% endif %}", " visits ", ": ", "STOP ",
    "í", "“x”", "{", "}}", "%", "{{ day", "{{ score }}", "{{ 1 }}", "{{ day.x }}", "🙂", "x" * 60,
]  # fmt: skip
NAMES = st.text(st.characters(categories=("L", "P", "Zs")), min_size=1, max_size=80)
VISITS = st.lists(
    st.builds(
        PlannedVisit,
        st.none() | st.times().map(lambda at: at.replace(second=0, microsecond=0)),
        st.lists(NAMES, max_size=3).map(tuple),
        st.sampled_from([None, "SN", "PT", "?", " rn "]),
    ),
    min_size=1,
    max_size=7,
)


@given(
    st.lists(st.sampled_from(PIECES), max_size=8),
    st.sampled_from(["en", "es"]),
    NAMES,
    VISITS,
    st.dates(date(2020, 1, 1), date(2040, 1, 1)),
)
def test_whatever_is_accepted_renders_for_any_patient_within_its_limit(
    pieces: list[str], language: str, patient: str, visits: list[PlannedVisit], day: date
) -> None:
    wording = "{{ agency }}: " + "".join(pieces) + " STOP"
    asks, category = PURPOSES["day-of"]
    found = check_wording(wording, Purpose("day-of", language, asks, category), HOUSE, BOOK)
    if refusals(found):
        return
    always = {"agency": HOUSE.agency, "agency_name": HOUSE.agency_name, "phone": display(HOUSE.phones[0])}
    values = always | {"patient": called(patient)} | visit_values(visits, day, language)
    body = render(wording, values)
    assert 0 < len(body) <= MOST_CHARACTERS
    longest = longest_values(HOUSE, language)
    if all(len(str(value)) <= len(longest[name]) for name, value in values.items()) and not _needs_ucs2(values):
        assert count(body).segments <= HOUSE.most_segments


def _needs_ucs2(values: dict[str, object]) -> bool:
    return any(
        count(str(value)).encoding == "UCS-2" or count(str(value)).units > len(str(value)) for value in values.values()
    )


def test_no_value_that_we_write_ourselves_is_longer_than_the_longest() -> None:
    """The check of lengths is only as good as these: every day of a year, every hour, in both languages."""
    for language in ("en", "es"):
        longest = longest_values(HOUSE, language)
        for month, hour in product(range(1, 13), range(24)):
            visits = [PlannedVisit(time(hour, 59), HOUSE.clinicians[:1], "SN")]
            values = visit_values(visits, date(2026, month, 28), language)
            assert [name for name, value in values.items() if len(str(value)) > len(longest[name])] in ([], ["many"])


def test_every_wording_that_ships_has_a_usual_text_for_people_who_are_nobody() -> None:
    real = House("Sunrise", "Sunrise Home Health", HOUSE.phones, "Wilhelmina-Rose", ("Maximiliane", "Bartholomew"))
    for wording in SHIPPED.wordings:
        for template, words in wording.templates.items():
            usual = usual_text(words, real, wording.language)
            assert usual is not None, template
            assert not {"Wilhelmina", "Maximiliane", "{{"} & set(re.split(r"[ -]", usual)), template
    spanish = next(wording.templates["day-before"] for wording in SHIPPED.wordings if wording.language == "es")
    assert "Alexandra visita a Guadalupe" in (usual_text(spanish, real, "es") or "")  # one nurse: not "visitan"
    assert usual_text("{{ 9**9 }}", real, "en") is None
