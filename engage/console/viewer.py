"""Who looks at the console: the one value that pages and their queries get about the person who is signed in."""

from dataclasses import dataclass

from engage.agencies.rules.people import AccountRole
from engage.console.rules.rights import Right, may


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody signed in, in one agency. `branch_ids`: whose patients they see; None is every branch. `zone`: the agency's."""

    agency_id: int
    agency_name: str
    account_id: int
    clinician_id: int | None
    name: str
    role: AccountRole
    branch_ids: frozenset[int] | None
    zone: str
    language: str

    @property
    def actor(self) -> str:
        """How the audit names them."""
        return f"account:{self.account_id}"

    def may(self, right: Right | None) -> bool:
        """Whether their role has `right`."""
        return may(self.role, right)
