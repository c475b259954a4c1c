"""An invented agency as an EMR would hand it over: a seed in, CSV files and the people behind the phones out. Pure.

Nobody here exists; every number is of the fictional 555-01xx range.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from random import Random

from engage.simulation.habits import Habit

_FIRST = [
    "Rose",
    "Walter",
    "Dorothy",
    "Harold",
    "Betty",
    "Frank",
    "Ruth",
    "Eugene",
    "Helen",
    "Ralph",
    "Alice",
    "Leonard",
    "Marie",
    "Stanley",
    "Doris",
    "Vernon",
    "Edna",
    "Clarence",
    "Gladys",
    "Herman",
    "Irene",
    "Chester",
    "Norma",
    "Floyd",
    "Thelma",
    "Lloyd",
    "Lois",
    "Elmer",
    "Hazel",
    "Wilbur",
    "Opal",
    "Homer",
    "Pearl",
    "Luther",
    "Viola",
    "Otis",
]
_FIRST_ES = [
    "Marta",
    "Ramon",
    "Carmen",
    "Jose",
    "Luz",
    "Ernesto",
    "Rosa",
    "Manuel",
    "Elena",
    "Rafael",
    "Gloria",
    "Hector",
]
_LAST = [
    "Miller",
    "Hayes",
    "Porter",
    "Griffin",
    "Walsh",
    "Burke",
    "Nolan",
    "Mercer",
    "Dalton",
    "Pruitt",
    "Lowry",
    "Kemp",
    "Vance",
    "Whitley",
    "Barlow",
    "Crane",
    "Doyle",
    "Everett",
    "Foley",
    "Gaines",
    "Hobbs",
    "Ingram",
    "Jarvis",
    "Knox",
    "Larkin",
    "Maddox",
    "Noble",
    "Oakes",
    "Parrish",
    "Quinn",
    "Rowe",
    "Sparks",
    "Tate",
    "Underhill",
]
_LAST_ES = ["Ruiz", "Ortega", "Molina", "Vega", "Campos", "Rios", "Navarro", "Salas", "Fuentes", "Pineda"]
_NURSES = ("Ana Lopez", "Ben Carter", "Cora Singh", "Dan Weber", "Eve Brooks", "Gus Moreno")
_AREAS = [
    f"{hundreds}{tens}{ones}" for hundreds in (2, 3, 4, 5, 6, 7, 8, 9) for tens in range(9) for ones in range(2, 10)
]
_NOT_AREAS = frozenset({"555"})


@dataclass(frozen=True, slots=True)
class Person:
    """A patient behind a phone: how they answer, and in which language."""

    emr_id: str
    first_name: str
    last_name: str
    phone: str
    language: str
    habit: Habit
    has_consent: bool
    nurse: str


@dataclass(frozen=True, slots=True)
class Colleague:
    """A clinician or office person behind a phone."""

    emr_id: str
    name: str
    role: str
    discipline: str
    phone: str


@dataclass(frozen=True, slots=True)
class PlannedVisit:
    """A visit in the invented EMR; times are wall time."""

    emr_id: str
    patient: str
    nurses: tuple[str, ...]
    on: date
    starts: time | None
    task: str
    is_done: bool = False

    @property
    def ends_at(self) -> datetime:
        """Wall time at which it is over."""
        return datetime.combine(self.on, self.starts or time(15)) + timedelta(minutes=45)


@dataclass(frozen=True, slots=True)
class Invented:
    """The whole agency."""

    patients: tuple[Person, ...]
    colleagues: tuple[Colleague, ...]
    visits: tuple[PlannedVisit, ...]

    def done_by(self, wall: datetime) -> "Invented":
        """The same agency once every visit that is over by `wall` has been marked as completed."""
        return replace(self, visits=tuple(replace(v, is_done=v.is_done or v.ends_at <= wall) for v in self.visits))


def phone(number: int) -> str:
    """The `number`-th fictional phone, E.164; 0 to about 57,000."""
    areas = [area for area in _AREAS if area not in _NOT_AREAS]
    return f"+1{areas[number // 100]}55501{number % 100:02d}"


def invent(patients: int, visits: int, first_day: date, seed: int) -> Invented:
    """`patients` people of all habits, with `visits` visits on the day after `first_day`, most of them in the morning."""
    dice = Random(seed)  # noqa: S311 - a simulation must repeat itself
    colleagues = _colleagues()
    nurses = [c.emr_id for c in colleagues if c.role == "nurse"]
    people = tuple(_patient(dice, index, nurses) for index in range(patients))
    tomorrow = first_day + timedelta(days=1)
    chosen = dice.sample(people, min(visits, len(people)))
    booked = [_visit(dice, index, person, tomorrow, nurses) for index, person in enumerate(chosen)]
    if len(booked) > 3:  # a second visit on one day, and two clinicians on one visit, as real files have them
        booked.append(replace(booked[0], emr_id="V-again", starts=time(14), task="PT Visit"))
        booked[1] = replace(booked[1], nurses=(nurses[0], nurses[1]))
        booked[2] = replace(booked[2], starts=None)
    return Invented(people, colleagues, tuple(booked))


def _colleagues() -> tuple[Colleague, ...]:
    nurses = [Colleague(f"N{i}", name, "nurse", "SN", phone(10 + i)) for i, name in enumerate(_NURSES)]
    return (*nurses, Colleague("S1", "Sue Grant", "supervisor", "SN", phone(30)))


def _patient(dice: Random, index: int, nurses: Sequence[str]) -> Person:
    habits = tuple(Habit)
    # Every habit is there at least once; the rest of them answer as asked, more or less.
    habit = habits[index] if index < len(habits) else dice.choices(habits, [habit.weight for habit in habits])[0]
    speaks_spanish = habit is Habit.SPANISH
    return Person(
        emr_id=f"P{index + 1:04d}",
        first_name=dice.choice(_FIRST_ES if speaks_spanish else _FIRST),
        last_name=dice.choice(_LAST_ES if speaks_spanish else _LAST),
        phone=phone(100 + index),
        language="es" if speaks_spanish else "en",
        habit=habit,
        has_consent=habit is not Habit.NO_CONSENT,
        nurse=nurses[index % len(nurses)],
    )


def _visit(dice: Random, index: int, person: Person, on: date, nurses: Sequence[str]) -> PlannedVisit:
    starts = time(dice.choice((8, 9, 9, 9, 10, 10, 11, 13, 14)), dice.choice((0, 15, 30, 45)))
    nurse = person.nurse if dice.random() < 0.8 else dice.choice(nurses)
    return PlannedVisit(f"V{index + 1:04d}", person.emr_id, (nurse,), on, starts, "Skilled Nurse Visit")


def clinicians_csv(made: Invented) -> str:
    """The agency's own list of clinicians."""
    rows = [
        {
            "clinician_id": c.emr_id,
            "first_name": c.name.split()[0],
            "last_name": c.name.split()[1],
            "role": c.role,
            "discipline": c.discipline,
            "phone": c.phone,
        }
        for c in made.colleagues
    ]
    return _table(rows)


def patients_csv(made: Invented, consent_on: date) -> str:
    """Patients with their phones and consents."""
    return _table(
        {
            "patient_id": p.emr_id,
            "first_name": p.first_name,
            "last_name": p.last_name,
            "language": p.language,
            "state": "NY",
            "zip": "10001",
            "patient_status": "Active",
            "case_manager_id": p.nurse,
            "phone": p.phone,
            "phone_owner": "patient",
            **dict.fromkeys(
                ("consent_visits", "consent_checkins", "consent_surveys"), "yes" if p.has_consent else "no"
            ),
            "consent_source": "paper",
            "consent_on": consent_on.isoformat(),
        }
        for p in made.patients
    )


def visits_csv(made: Invented) -> str:
    """Every visit, one line a clinician."""
    return _table(
        {
            "visit_id": v.emr_id,
            "patient_id": v.patient,
            "date": v.on.isoformat(),
            "start": v.starts.strftime("%H:%M") if v.starts else "",
            "end": v.ends_at.strftime("%H:%M") if v.is_done else "",
            "task": v.task,
            "discipline": "SN",
            "status": "Completed" if v.is_done else "Scheduled",
            "clinician_id": nurse,
        }
        for v in made.visits
        for nurse in v.nurses
    )


def _table(rows: Iterable[Mapping[str, str]]) -> str:
    lines = list(rows)
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(lines[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue()
