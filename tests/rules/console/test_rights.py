"""The rights table says what the product promises each role."""

import pytest

from engage.agencies.rules.people import AccountRole
from engage.console.rules.rights import RIGHTS, Right, may

READS = {right for right in Right if right.endswith("_read")}


@pytest.mark.parametrize(
    ("role", "lacks"),
    [
        ("administrator", set()),
        ("manager", {Right.PEOPLE_ACT, Right.AUDIT_READ}),
        ("auditor", set(Right) - READS),  # sees all, changes nothing
        (
            "scheduler",
            set(Right)
            - {
                *(Right.VISITS_READ, Right.VISITS_ACT, Right.ALERTS_READ, Right.ALERTS_ACT, Right.PATIENTS_READ),
                *(Right.MESSAGES_READ, Right.ROTA_READ),
            },
        ),
        (
            "nurse",
            set(Right)
            - {
                *(Right.VISITS_READ, Right.ALERTS_READ, Right.ALERTS_ACT, Right.PATIENTS_READ, Right.PATIENTS_ACT),
                *(Right.MESSAGES_READ, Right.ROTA_READ),
            },
        ),
    ],
)
def test_what_a_role_lacks(role: str, lacks: set[Right]) -> None:
    assert set(Right) - RIGHTS[AccountRole(role)] == lacks


def test_every_role_is_in_the_table_and_whoever_acts_also_reads() -> None:
    assert set(RIGHTS) == set(AccountRole)
    for rights in RIGHTS.values():
        acts = {right.removesuffix("_act") for right in rights if right.endswith("_act") and right != Right.PEOPLE_ACT}
        assert acts <= {right.removesuffix("_read") for right in rights}


def test_what_asks_for_nothing_is_open_to_whoever_is_signed_in() -> None:
    assert all(may(role, None) for role in AccountRole)
