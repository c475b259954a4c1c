"""Decisions about texts as such: numbers, segments, statuses, error codes, keywords. Pure."""
