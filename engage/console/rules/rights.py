"""Which role may open and change what in the console. Pure: a table, nothing else."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from engage.agencies.rules.people import AccountRole


class Right(StrEnum):
    """Something that a page of the console asks for: `_read` to look at it, `_act` to change it."""

    ALERTS_READ = "alerts_read"
    ALERTS_ACT = "alerts_act"
    PATIENTS_READ = "patients_read"
    PATIENTS_ACT = "patients_act"  # write to them, snooze, own level, pause, contacts
    VISITS_READ = "visits_read"
    VISITS_ACT = "visits_act"
    MESSAGES_READ = "messages_read"
    MESSAGES_ACT = "messages_act"
    WORDING_READ = "wording_read"
    WORDING_ACT = "wording_act"
    PROGRAMME_READ = "programme_read"
    PROGRAMME_ACT = "programme_act"
    ROTA_READ = "rota_read"
    ROTA_ACT = "rota_act"
    DASHBOARD_READ = "dashboard_read"
    PEOPLE_ACT = "people_act"
    AUDIT_READ = "audit_read"


_EVERY = frozenset(Right)
_READS = frozenset(right for right in Right if right.endswith("_read"))

RIGHTS: Mapping[AccountRole, frozenset[Right]] = MappingProxyType(
    {
        AccountRole.NURSE: frozenset(
            {
                Right.ALERTS_READ,
                Right.ALERTS_ACT,
                Right.PATIENTS_READ,
                Right.PATIENTS_ACT,
                Right.VISITS_READ,
                Right.MESSAGES_READ,
                Right.ROTA_READ,
            }
        ),
        AccountRole.SCHEDULER: frozenset(
            {
                Right.VISITS_READ,
                Right.VISITS_ACT,
                Right.ALERTS_READ,
                Right.ALERTS_ACT,
                Right.PATIENTS_READ,
                Right.MESSAGES_READ,
                Right.ROTA_READ,
            }
        ),
        AccountRole.MANAGER: _EVERY - {Right.PEOPLE_ACT, Right.AUDIT_READ},
        AccountRole.AUDITOR: _READS,
        AccountRole.ADMINISTRATOR: _EVERY,
    }
)


def may(role: AccountRole, right: Right | None) -> bool:
    """Whether `role` has `right`; what asks for none is open to everybody who is signed in."""
    return right is None or right in RIGHTS[role]
