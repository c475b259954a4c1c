"""How long somebody stays signed in. Pure. NIST SP 800-63B-4 section 2.2.3 (AAL2): 1 hour idle and 24 hours at most; ours are shorter,
as 45 CFR 164.312(a)(2)(iii) asks for automatic logoff and nurses leave screens open in homes."""

from datetime import datetime, timedelta

IDLE = timedelta(minutes=15)
LONGEST = timedelta(hours=12)
HALFWAY = timedelta(minutes=10)
"""How long somebody with the right password has for the second factor."""

CONFIRMED = timedelta(minutes=5)
"""For so long after signing in, or after proving it anew, somebody may change who may do what (OWASP ASVS 5.0, 7.5)."""

NOTED = timedelta(seconds=30)
"""A sign of life is written down at most so often."""


def is_confirmed(confirmed_at: datetime | None, now: datetime) -> bool:
    """Whether somebody proved not long ago that it is them."""
    return confirmed_at is not None and now - confirmed_at < CONFIRMED


def is_over(begun_at: datetime, seen_at: datetime, second_at: datetime | None, now: datetime) -> bool:
    """Whether a session that began and was last used at these instants has ended by itself."""
    if second_at is None and now - begun_at >= HALFWAY:
        return True
    return now - seen_at >= IDLE or now - begun_at >= LONGEST
