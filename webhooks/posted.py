"""What every door for Twilio shares: the signature is checked before anything is looked at, odd fields are a 400."""

from collections.abc import Callable, Sequence
from functools import wraps

from flask import Response, abort, request

from engage import log
from engage.sms.signatures import is_signed, public_url

View = Callable[[], Response]


def signed_by(auth_tokens: Sequence[str], base_url: str) -> Callable[[View], View]:
    """A wrapper for views: requests that none of the tokens signed for our public address are refused with 403."""

    def signed(view: View) -> View:
        @wraps(view)
        def checked() -> Response:
            url = public_url(base_url, request.path, request.query_string)
            if not is_signed(auth_tokens, url, request.form, request.headers.get("X-Twilio-Signature")):
                log.get().warning("refused a request that Twilio did not sign", path=request.path)
                abort(403)
            return view()

        return checked

    return signed


def field(name: str, longest: int) -> str:
    """A form field that must be there, trimmed."""
    value = storable(request.form.get(name, "")).strip()
    if not value or len(value) > longest:
        abort(400)
    return value


def storable(value: str) -> str:
    """PostgreSQL cannot hold a zero character, nor UTF-8 half a one; a patient's other words must not be lost for it."""
    return value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
