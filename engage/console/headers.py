"""What every answer of the console says to the browser: run nothing but ours, show it in no frame, keep no copy."""

from collections.abc import Mapping
from types import MappingProxyType

from flask import Response

HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",  # nothing to others; Flask-WTF compares it over TLS
        "Permissions-Policy": (
            "camera=(), microphone=(), geolocation=(), payment=(), usb=(), publickey-credentials-get=(self), "
            "publickey-credentials-create=(self)"
        ),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Robots-Tag": "noindex",
    }
)
_A_YEAR = "max-age=31536000; includeSubDomains"


def put_everywhere(response: Response, *, is_https: bool) -> None:
    """What the other doors say too: come by TLS only, and take no answer for something else."""
    response.headers["X-Content-Type-Options"] = "nosniff"
    if is_https:
        response.headers["Strict-Transport-Security"] = _A_YEAR


def put(response: Response, *, is_asset: bool) -> None:
    """Put the headers on an answer; whatever is not an asset is kept by nobody, not even the browser's back button."""
    response.headers.update(HEADERS)
    if not is_asset:
        response.headers["Cache-Control"] = "no-store"
