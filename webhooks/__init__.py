"""The public door: Twilio in, health out. It checks the signature, stores, answers fast, and decides nothing."""

from webhooks.app import create_app

__all__ = ["create_app"]
