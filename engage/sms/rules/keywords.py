"""The keywords of SMS: a whole reply in, whether it is exactly STOP, START or HELP or one of their kin out. Pure.

Only whole replies: "stop by anytime" is no keyword, and free wording ("quit texting me") is for the reading of replies.
"""

import re
import unicodedata

# Twilio's default list since 2025 (docs, advanced-opt-out); all but STOPALL also by 47 CFR 64.1200(a)(10), with OPT OUT.
_TWILIO_STOPS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "CANCEL", "REVOKE", "OPTOUT"})
_OUR_STOPS = frozenset(
    {
        "STOP ALL",
        "OPT OUT",
        # Spanish: what opt-out lines print and people answer. CANCELAR stands beside CANCEL, it is both
        # "drop the visit" and "stop": doubt about a revocation counts as one (47 CFR 64.1200, "No Mas" among its examples)
        "ALTO",
        "PARAR",
        "PARE",
        "BASTA",
        "NO MAS",
        "CANCELAR",
    }
)
_STARTS = frozenset({"START", "UNSTOP"})
_HELPS = frozenset({"HELP", "INFO", "AYUDA"})

_EDGES = re.compile(r"^[\W_]+|[\W_]+$")
_GAPS = re.compile(r"[\s\-‐‑–]+")


def is_stop(text: str) -> bool:
    """Whether the reply is exactly an opt-out word, in any case and with any punctuation around it.

    CANCEL and END are among them, whatever else the patient may have meant: the provider and the regulation say so.
    """
    return _normal(text) in _TWILIO_STOPS | _OUR_STOPS


def is_provider_stop(text: str) -> bool:
    """Whether Twilio itself has now blocked this phone (and answered it): every text we send it will fail with 21610.

    Its match is stricter than ours: the bare word, any case. An opt-out that is not one of these is kept by us alone.
    """
    return text.strip().upper() in _TWILIO_STOPS


def is_start(text: str) -> bool:
    """Whether the reply is exactly START or UNSTOP.

    YES lifts Twilio's block too, but patients say it to a reminder: it is no consent to us.
    """
    return _normal(text) in _STARTS


def is_help(text: str) -> bool:
    """Whether the reply is exactly HELP or its kin. From a patient it may be a cry: the reading of replies decides."""
    return _normal(text) in _HELPS


def _normal(text: str) -> str:
    """Upper case, no accents, no punctuation around it, one space for any gap or hyphen: "¡No  más!" is NO MAS."""
    letters = unicodedata.normalize("NFKD", text)
    bare = "".join(character for character in letters if not unicodedata.combining(character))
    return _GAPS.sub(" ", _EDGES.sub("", bare)).upper()
