"""Decisions of the console. Pure."""
