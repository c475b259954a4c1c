"""Whether an agency's file makes sense as a whole: a document in, every fault and every doubt by its place out. Pure.

What a single field may be is asked when the file is read; here are the rules between entries, and the wording.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engage.alerts.rules.words import AlertKind
from engage.onboarding.rules.document import AgencyDocument, Entry, meant
from engage.onboarding.rules.fields import AGENCY
from engage.outreach.rules.checks import Book, House, Purpose, Severity, check_wording
from engage.outreach.rules.checks.lists import found
from engage.outreach.rules.grammar import Fault, read_wording
from engage.outreach.rules.placeholders import is_for_clinicians
from engage.outreach.rules.words import Anchor, Asks
from engage.patients.rules.words import Category
from engage.sms.rules.phones import PhoneNumber, parse_phone

_AGENCY = {field.key: field for field in AGENCY}


@dataclass(frozen=True, slots=True)
class Note:
    """One thing about a file: its place, whether it keeps the file from being imported, and a sentence or two."""

    where: str
    severity: Severity
    says: str


def refused(where: str, says: str) -> Note:
    """A note that keeps the file out."""
    return Note(where, Severity.REFUSE, says)


def check_document(document: AgencyDocument, book: Book, needed: frozenset[str]) -> tuple[Note, ...]:
    """Everything there is to say about a file, worst first; `needed` are the templates that an agency cannot do without."""
    notes = [
        *_agency(document, book),
        *_numbers(document),
        *_programme(document),
        *_alerts(document),
        *_shifts(document),
        *_reviews(document),
        *_languages(document, needed),
        *_texts(document, book),
        *_exemption(document),
    ]
    return tuple(sorted(notes, key=lambda note: note.severity is not Severity.REFUSE))


def _agency(document: AgencyDocument, book: Book) -> Iterator[Note]:
    agency = document.agency
    slug = agency["id"]
    if not (
        2 <= len(slug) <= 40
        and slug.isascii()
        and slug == slug.lower()
        and slug.replace("-", "").isalnum()
        and slug[0] != "-"
    ):
        yield refused(
            "[agency]", f"id is {slug!r}; it must be 2 to 40 small letters, digits and hyphens, e.g. sunrise-hh."
        )
    for where, entry in (("[agency]", agency), *((f"[[branch]] {b['id']!r}", b) for b in document.sections["branch"])):
        try:
            ZoneInfo(entry["time_zone"])
        except (ZoneInfoNotFoundError, ValueError, OSError):
            yield refused(
                where, f"There is no time zone {entry['time_zone']!r}: use an IANA name such as America/Chicago."
            )
        if "phone" in entry and not _is_number(entry["phone"]):
            yield refused(where, f"phone is {entry['phone']!r}; write it as +12025550150.")
    if meant(agency, _AGENCY["texts_after"]) >= meant(agency, _AGENCY["texts_until"]):
        yield refused("[agency]", "texts_after must be before texts_until.")
    lists = book.disclosing.get("en")
    shown = "alias" if "alias" in agency else "short_name"
    if lists and (hit := found((*lists.refuse, *lists.warn), agency[shown])):
        says = (
            f'{shown} tells "{hit[0]}" on every lock screen. Choose a neutral one, as the agency is known at home; '
            "patients must have agreed to texts under it."
        )
        yield Note("[agency]", Severity.WARN, says)
    if not document.sections["branch"]:
        yield refused(
            "[[branch]]", "There is none: patients belong to a branch. Write one, with the id it has in the EMR."
        )


def _numbers(document: AgencyDocument) -> Iterator[Note]:
    branches = {branch["id"] for branch in document.sections["branch"]}
    senders = document.sections["sender"]
    for sender in senders:
        where = f"[[sender]] {sender['phone']!r}"
        if not _is_number(sender["phone"]):
            yield refused(where, "Write the number as +12025550100.")
        if sender.get("branch") not in {None, *branches}:
            yield refused(where, f"branch is {sender['branch']!r}, which is not there.")
    if not any(sender["purpose"] == "patients" for sender in senders):
        yield refused("[[sender]]", 'There is no number with purpose = "patients".')
    services = [sender["messaging_service_sid"] for sender in senders if "messaging_service_sid" in sender]
    if len(set(services)) < len(services):
        yield refused("[[sender]]", "A messaging_service_sid stands at two numbers.")


def _programme(document: AgencyDocument) -> Iterator[Note]:
    written = {template for entry in document.wordings for template in entry["texts"]}
    for touchpoint in document.sections["touchpoint"]:
        where = f"[[touchpoint]] {touchpoint['key']!r}"
        if ("local_time" in touchpoint) == (touchpoint["anchor"] in {Anchor.VISIT_COMPLETED, Anchor.SCORE}):
            yield refused(
                where, "A local_time belongs to every anchor but visit_completed and score, which have offset_minutes."
            )
        yield from _following(document, touchpoint, where)
        if touchpoint["template"] not in written:
            yield refused(where, f"No [[wording]] has a text for {touchpoint['template']!r}.")
        if "alert_at_most" in touchpoint and touchpoint["asks"] not in {Asks.SCORE_1_5, Asks.SCORE_1_10}:
            yield refused(where, "alert_at_most is for a touchpoint that asks for a score.")
        after, until = (meant(document.agency, _AGENCY[key]) for key in ("texts_after", "texts_until"))
        if "local_time" in touchpoint and not after <= touchpoint["local_time"] < until:
            says = f"It leaves at {touchpoint['local_time']:%H:%M}, outside of the agency's own hours: it will be held."
            yield Note(where, Severity.WARN, says)


def _following(document: AgencyDocument, touchpoint: Entry, where: str) -> Iterator[Note]:
    """A question that follows a score: whose, up to which, and what a yes opens; and nothing of it anywhere else."""
    named = {"follows", "follows_at_most", "yes_opens"}
    is_following = touchpoint["anchor"] == Anchor.SCORE
    if is_following and (missing := sorted(named - touchpoint.keys())):
        yield refused(where, f"It hangs on a score and lacks {', '.join(missing)}.")
    if not is_following and (strange := sorted(named & touchpoint.keys())):
        yield refused(where, f'{", ".join(strange)} belongs to anchor = "score".')
    if is_following != (touchpoint["asks"] == Asks.YES_NO):
        yield refused(where, 'anchor = "score" and asks = "yes_no" go together.')
    if is_following and touchpoint.get("offset_minutes", 0) not in range(121):
        yield refused(where, "offset_minutes must be 0 to 120: the question follows the score at once, or soon.")
    asked = {one["key"] for one in document.sections["touchpoint"] if one["asks"] in {Asks.SCORE_1_5, Asks.SCORE_1_10}}
    if is_following and touchpoint.get("follows") not in asked:
        yield refused(where, f"follows is {touchpoint.get('follows')!r}, which asks for no score here.")


def _alerts(document: AgencyDocument) -> Iterator[Note]:
    ladders = {ladder["key"] for ladder in document.sections["ladder"]}
    known = {str(kind.value) for kind in AlertKind}
    for kind in sorted(known - document.alerts.keys()):
        yield refused(f"[alert.{kind}]", "is missing: every kind of alert needs a ladder.")
    for kind, rule in document.alerts.items():
        if kind not in known:
            yield refused(f"[alert.{kind}]", f"There is no such kind; known are {', '.join(sorted(known))}.")
        if rule["ladder"] not in ladders:
            yield refused(f"[alert.{kind}]", f"ladder is {rule['ladder']!r}, which is not there.")


def _shifts(document: AgencyDocument) -> Iterator[Note]:
    branches = {branch["id"] for branch in document.sections["branch"]}
    for shift in document.sections["shift"]:
        where = f"[[shift]] of {shift['clinician']!r}"
        if shift.get("branch") not in {None, *branches}:
            yield refused(where, f"branch is {shift['branch']!r}, which is not there.")
        if "first_on" in shift and "last_on" in shift and shift["first_on"] > shift["last_on"]:
            yield refused(where, "first_on is after last_on.")


def _reviews(document: AgencyDocument) -> Iterator[Note]:
    for entry in document.wordings:
        by = entry.get("reviewed_by", "")
        if by and by.casefold() == entry["written_by"].casefold():
            yield refused(_place(entry), f"{by} wrote it and reviewed it: somebody else must review it (45 CFR 92).")
        if not by:
            says = f"{len(entry['texts'])} texts wait for a review and are not sent before: engage wording review."
            yield Note(_place(entry), Severity.WARN, says)


def _languages(document: AgencyDocument, needed: frozenset[str]) -> Iterator[Note]:
    reviewed: dict[str, set[str]] = {"en": set()}
    for entry in document.wordings:
        if "reviewed_by" in entry:
            reviewed.setdefault(entry["language"], set()).update(entry["texts"])
    needed = needed | {touchpoint["template"] for touchpoint in document.sections["touchpoint"]}
    if document.agency.get("voice_reminders"):
        needed |= {f"call-{t['template']}" for t in document.sections["touchpoint"] if t["category"] == Category.VISITS}
    if missing := sorted(needed - reviewed["en"]):
        yield refused("[[wording]] en", f"There is no reviewed English text for {', '.join(missing)}.")
    for language, templates in reviewed.items():
        lacks = sorted(key for key in reviewed["en"] - templates if not is_for_clinicians(key))
        if lacks:
            says = f"has no reviewed text for {', '.join(lacks)}: its readers get English for these."
            yield Note(f"[[wording]] {language}", Severity.WARN, says)


def _texts(document: AgencyDocument, book: Book) -> Iterator[Note]:
    house = house_of(document)
    purposes = {
        touchpoint["template"]: (Asks(touchpoint["asks"]), Category(touchpoint["category"]))
        for touchpoint in document.sections["touchpoint"]
    }
    for entry in document.wordings:
        for template, words in entry["texts"].items():
            asks, category = purposes.get(template.removeprefix("call-"), (None, None))
            purpose = Purpose(template, entry["language"], asks, category)
            for finding in check_wording(words, purpose, house, book):
                place = f", character {finding.place}" if finding.place else ""
                where = f"{_place(entry)}, {template}{place}"
                yield Note(where, finding.severity, f"{finding.rule}: {finding.why} {finding.do}")


def _exemption(document: AgencyDocument) -> Iterator[Note]:
    """What the healthcare exemption asks of each text that goes out unasked (47 CFR 64.1200(a)(9)(iv)(B), (C))."""
    unasked = {touchpoint["template"] for touchpoint in document.sections["touchpoint"]}
    for entry in document.wordings if document.agency.get("healthcare_exemption") else ():
        for template, words in entry["texts"].items():
            grammar = read_wording(words)
            if template in unasked and not isinstance(grammar, Fault) and "phone" not in grammar.names:
                says = "The healthcare exemption wants a way to reach the agency in each text: add {{ phone }}."
                yield Note(f"{_place(entry)}, {template}", Severity.WARN, says)


def house_of(document: AgencyDocument) -> House:
    """The facts of an agency that its texts depend on, as far as a file has them."""
    agency, usual = document.agency, House("", "", ())
    phones = [
        agency["phone"],
        *(entry["phone"] for name in ("branch", "sender") for entry in document.sections[name] if "phone" in entry),
    ]
    return House(
        agency=agency["alias"] if "alias" in agency else agency["short_name"],
        agency_name=agency["alias"] if "alias" in agency else agency["name"],
        phones=tuple(dict.fromkeys(phones)),
        most_segments=agency.get("most_segments", usual.most_segments),
    )


def _place(entry: Mapping[str, object] | Entry) -> str:
    return f"[[wording]] {entry['language']}"


def _is_number(phone: str) -> bool:
    parsed = parse_phone(phone)
    return isinstance(parsed, PhoneNumber) and parsed.e164 == phone
