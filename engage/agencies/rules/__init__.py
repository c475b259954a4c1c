"""Decisions about an agency's people: roles, disciplines, who is on call."""
