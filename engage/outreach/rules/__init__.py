"""Decisions about outreach: touchpoints, windows, wording, what may leave now."""
