"""What may stand in an agency's file: for each entry its fields, with type, bounds and what is meant when it is left out. Pure data.

A new column of a table is one line here: it is then read, checked, compared, written and stored. People's names, phones and
every secret are left out on purpose: a clinician is named by the id in the EMR.
"""

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from engage.agencies.rules.people import Line, Purpose
from engage.alerts.rules.words import Who
from engage.outreach.rules.groups import Group, TaperStep
from engage.outreach.rules.words import Anchor, Asks, YesOpens
from engage.patients.rules.words import Category

MINUTES_A_WEEK = 7 * 24 * 60
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Absent(StrEnum):
    """What it means that a field is not there."""

    REFUSED = "refused"
    NOTHING = "nothing"  # the column is empty


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `column`: the attribute of the row, if it has another name. `bounds`: of a whole number, both allowed."""

    key: str
    kind: type
    absent: Any = Absent.REFUSED
    column: str = ""
    words: type[StrEnum] | None = None
    bounds: tuple[float, float] | None = None
    says: str = ""
    is_shown: bool = False  # stands in the file even if it is what is meant anyway

    @property
    def attribute(self) -> str:
        """The attribute of the row."""
        return self.column or self.key


AGENCY = (
    Field("id", str, column="slug", says="a short id such as sunrise-hh"),
    Field("name", str, says="the agency's name"),
    Field("short_name", str, says="what patients read in each text"),
    Field("line", str, "home_health", words=Line, is_shown=True),
    Field("phone", str, says="the office number, such as +12025550150"),
    Field("time_zone", str, says="an IANA name such as America/Chicago"),
    Field("texts_after", time, time(8), is_shown=True),
    Field("texts_until", time, time(21), is_shown=True),
    Field("daily_cap", int, 5, bounds=(1, 20), is_shown=True),
    Field("weekly_cap", int, 30, bounds=(1, 140), is_shown=True),
    Field("most_segments", int, 2, bounds=(1, 10), is_shown=True),
    Field("healthcare_exemption", bool, False),
    Field("voice_reminders", bool, False),
    Field(
        "alias", str, Absent.NOTHING, says="the name patients read instead, where the agency's would tell of hospice"
    ),
    Field("enrol_on_import", bool, False),
    Field("verify_after_months", int, 18, bounds=(0, 60)),
    Field("is_active", bool, True),
)

BRANCH = (
    Field("id", str, column="emr_id", says="the office's id in the EMR"),
    Field("name", str),
    Field("time_zone", str),
    Field("phone", str, Absent.NOTHING),
)

SENDER = (
    Field("phone", str, says="a Twilio number, such as +12025550100"),
    Field("purpose", str, words=Purpose),
    Field("branch", str, Absent.NOTHING, says="the id of a branch; for all of them without it"),
    Field("messaging_service_sid", str, Absent.NOTHING),
    Field("segments_per_second", float, Absent.NOTHING, bounds=(0.001, 99999.999)),
    Field("segments_per_day", int, Absent.NOTHING, bounds=(1, 2**31 - 1)),
)

TOUCHPOINT = (
    Field("key", str),
    Field("anchor", str, words=Anchor),
    Field("offset_days", int, 0, bounds=(-14, 400)),
    Field("offset_minutes", int, 0, bounds=(-10080, 10080)),
    Field("local_time", time, Absent.NOTHING),
    Field("useful_minutes", int, bounds=(5, MINUTES_A_WEEK)),
    Field("spread_minutes", int, 0, bounds=(0, 180)),
    Field("category", str, words=Category),
    Field("priority", int, bounds=(3, 9)),
    Field("template", str),
    Field("asks", str, words=Asks),
    Field("only_monitored", bool, False),
    Field("alert_at_most", int, Absent.NOTHING, bounds=(1, 10)),
    Field("for_whom", Group, MappingProxyType({})),
    Field("taper", TaperStep, ()),
    Field("follows", str, Absent.NOTHING, says="the key of the touchpoint whose score it follows"),
    Field("follows_at_most", int, Absent.NOTHING, bounds=(1, 10)),
    Field("yes_opens", str, Absent.NOTHING, words=YesOpens),
    Field("is_active", bool, True),
)

LADDER = (Field("key", str), Field("rounds", int, 3, bounds=(1, 20)))

STEP = (
    Field("who", str, words=Who),
    Field("wait_minutes", int, bounds=(1, 1440)),
)

ALERT = (
    Field("severity", int, bounds=(1, 3)),
    Field("ladder", str, says="the key of a ladder"),
    Field("acknowledged_minutes", int, bounds=(5, MINUTES_A_WEEK)),
)

SHIFT = (
    Field("clinician", str, says="the clinician's id in the EMR"),
    Field("branch", str, Absent.NOTHING, says="the id of a branch"),
    Field("days", list, says='a list such as ["mon", "tue"]'),
    Field("starts", time),
    Field("ends", time),
    Field("first_on", date, Absent.NOTHING),
    Field("last_on", date, Absent.NOTHING),
)

WORDING = (
    Field("language", str),
    Field("written_by", str),
    Field("reviewed_by", str, Absent.NOTHING),
    Field("reviewed_at", datetime, Absent.NOTHING),
)

# What stands where two are compared: the fields that say which entry it is.
SECTIONS: dict[str, tuple[tuple[Field, ...], str]] = {
    "branch": (BRANCH, "id"),
    "sender": (SENDER, "phone"),
    "touchpoint": (TOUCHPOINT, "key"),
    "ladder": (LADDER, "key"),
    "shift": (SHIFT, ""),
}
