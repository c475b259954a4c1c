"""Decisions about alerts: which kinds there are, and what the ladder does next."""
