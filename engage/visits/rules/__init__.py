"""Decisions about visits: what an EMR row means, and what changed since the last import."""
