"""The console: pages for nurses, schedulers, managers, auditors and administrators, made on the server. Mounted under /console."""

from engage.console.mounting import console, is_ours, mount
from engage.console.refusing import refused

__all__ = ["console", "is_ours", "mount", "refused"]
