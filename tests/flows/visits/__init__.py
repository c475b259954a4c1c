"""Importing visits into a real PostgreSQL."""
