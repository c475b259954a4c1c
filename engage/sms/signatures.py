"""Whether a webhook comes from Twilio: our tokens, the URL Twilio called and every parameter in, yes or no out.

Never raises: whatever a stranger sends, the answer is no. Keep HMAC-SHA1: the newer SharedKeys are not HIPAA-eligible.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable
from urllib.parse import parse_qs, quote, urlsplit

from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

HEADER = "X-Twilio-Signature"

_PLAIN_IN_PATHS = "/:@!$&'()*+,;=~-._"  # RFC 3986: a path may hold them as they are


@runtime_checkable
class MultiDict(Protocol):
    """What Flask calls `request.form`: every value of a repeated key."""

    def keys(self) -> Iterable[str]: ...

    def getlist(self, key: str, /) -> list[str]: ...


Params = MultiDict | Mapping[str, str] | Iterable[tuple[str, str]] | str
"""The form as a multidict, a plain dict or pairs (nothing stripped, blanks kept); or the raw body of a JSON webhook."""


def is_signed(auth_tokens: Sequence[str], url: str, params: Params, signature: str | None) -> bool:
    """Whether one of `auth_tokens` signed this request; several while a token is being rotated.

    `url` is what Twilio called, query included: see public_url. For a GET, `params` is empty. A raw JSON body counts
    only with the `bodySHA256` that Twilio puts into its URL, and a form never does with one: it would go unread.
    """
    if not isinstance(signature, str) or not signature:
        return False
    try:
        form = params if isinstance(params, str) else _Form(params)
        if isinstance(params, str) != ("bodySHA256" in parse_qs(urlsplit(url).query)):
            return False
        # every token is tried, so that the time tells nothing about which one matched; an unset one would sign for anybody
        return True in [
            RequestValidator(token).validate(url, form, signature) for token in auth_tokens if token.strip()
        ]
    except (ValueError, TypeError, AttributeError, KeyError):  # a bad port, half a character, bytes, nonsense
        return False


def public_url(base_public_url: str, path: str, query_string: str | bytes = "") -> str:
    """The URL as Twilio called it, rebuilt from our public address: behind a proxy the request's own host is not it.

    `path` is decoded, as frameworks give it; `query_string` is raw. A fragment (Twilio's connection overrides) is not
    part of the signature and falls away.
    """
    base = base_public_url.partition("#")[0].rstrip("/")
    query = query_string.decode("latin-1") if isinstance(query_string, bytes) else query_string
    return f"{base}/{quote(path.lstrip('/'), safe=_PLAIN_IN_PATHS)}{'?' if query else ''}{query}"


class _Form(dict[str, list[str]]):
    """Every pair, in the shape the validator reads: keys once, `getlist` for all values of one."""

    def __init__(self, params: Any) -> None:
        super().__init__()
        for key, value in _pairs(params):
            if not isinstance(key, str) or not isinstance(value, str):
                raise TypeError("a parameter is not text")
            self.setdefault(key, []).append(value)

    def getlist(self, key: str) -> list[str]:
        return self[key]


def _pairs(params: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(params, MultiDict):
        return [(key, value) for key in params.keys() for value in params.getlist(key)]  # noqa: SIM118 - a multidict
    if isinstance(params, Mapping):
        return params.items()
    return [(key, value) for key, value in params]
