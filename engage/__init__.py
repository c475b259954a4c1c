"""Engage texts home-health and hospice patients, understands what comes back, and gets a nurse to act."""

__version__ = "0.1.0"
