"""A new agency: its rows, its programme, its wording and its ladders, from a few facts and the files of config/."""

from engage.onboarding.found import NewAgency, found_agency

__all__ = ["NewAgency", "found_agency"]
