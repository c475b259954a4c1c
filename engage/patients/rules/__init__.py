"""Decisions about patients: what consent stands, and whether a text may go to a contact now."""
