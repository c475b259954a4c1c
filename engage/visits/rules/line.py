"""One line of a file under its layout: the cells by field, read one by one, with what was ignored on the way. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time

from engage.sms.rules.phones import PhoneNumber, PhoneRefusal, parse_phone
from engage.visits.rules import cells
from engage.visits.rules.cells import Unreadable
from engage.visits.rules.lists import EmrLists
from engage.visits.rules.rows import Place, Rejected

_OLDEST = 130  # years; Jeanne Calment reached 122


@dataclass(frozen=True, slots=True)
class Reading:
    """What is the same for every line of a file. `today` is the day of the import, for telling impossible dates.

    `phones` remembers numbers within one import: reading one is slow, and a flat file repeats them on every line.
    """

    lists: EmrLists
    today: date
    columns: Mapping[str, str]  # field → the column's name in the file
    phones: dict[str, PhoneNumber | PhoneRefusal] = field(default_factory=dict)


@dataclass(slots=True)
class Line:
    """The cells of one line by field. A cell that cannot be read becomes None and a line in `ignored`."""

    at: Place
    values: Mapping[str, str]
    reading: Reading
    ignored: list[Rejected] = field(default_factory=list)

    def has(self, name: str) -> bool:
        """Whether the file has a column for this field."""
        return name in self.values

    def text(self, name: str) -> str | None:
        """The tidied text."""
        return cells.tidy(self.values.get(name, "")) or None

    def key(self, name: str) -> str | None:
        """An EMR's key."""
        return cells.identifier(self.values.get(name, "")) or None

    def name(self, name: str) -> str | None:
        """A person's name."""
        return cells.person(self.values.get(name, "")) or None

    def day(self, name: str) -> date | None:
        """A date, of any year the calendar has."""
        return self._kept(name, cells.day(self.values.get(name, "")))

    def birthday(self, name: str) -> date | None:
        """A date on which somebody alive today may have been born."""
        found = self.day(name)
        if found is None or 0 <= self.reading.today.year - found.year <= _OLDEST:
            return found
        return self._kept(name, Unreadable("nobody alive was born on this day"))

    def clock(self, name: str) -> time | None:
        """A wall time. Midnight is what EMRs write for "no time", and nobody visits then."""
        found = self._kept(name, cells.clock(self.values.get(name, "")))
        return found if found != time(0) else None

    def flag(self, name: str) -> bool | None:
        """Yes or no."""
        return self._kept(name, cells.flag(self.values.get(name, "")))

    def count(self, name: str) -> int | None:
        """A whole number."""
        return self._kept(name, cells.count(self.values.get(name, "")))

    def zip_code(self, name: str) -> str | None:
        """Five digits."""
        return self._kept(name, cells.zip_code(self.values.get(name, "")))

    def phone(self, name: str) -> str | None:
        """A phone number, E.164."""
        text = self.text(name)
        if text is None:
            return None
        known = self.reading.phones
        found = known[text] if text in known else known.setdefault(text, parse_phone(text))
        if isinstance(found, PhoneRefusal):
            self.ignore(name, found.says[:1].lower() + found.says[1:].rstrip("."))
            return None
        return found.e164

    def ignore(self, name: str, reason: str) -> None:
        """Leave this one cell out, and say so."""
        self.ignored.append(self._refusal(name, reason, whole_row=False))

    def reject(self, name: str, reason: str) -> Rejected:
        """Leave the whole line out because of this cell."""
        return self._refusal(name, reason, whole_row=True)

    def _kept(self, name: str, found: cells.Cell | Unreadable | None) -> cells.Cell | None:
        if isinstance(found, Unreadable):
            self.ignore(name, found.reason)
            return None
        return found

    def _refusal(self, name: str, reason: str, *, whole_row: bool) -> Rejected:
        return Rejected(self.at.file, self.at.line, self.reading.columns.get(name, name), reason, whole_row)
