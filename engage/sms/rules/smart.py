"""Make a text cheaper without changing a word: typographic punctuation in, plain punctuation out. Pure.

Follows Twilio's "Smart Encoding" for quotes, dashes, dots and spaces. Never touches a letter, a digit or a symbol that
means something: Twilio's own table turns "2½ pills" into "21/2 pills" and an accent typed apart into a tilde.
"""

import unicodedata

from engage.sms.rules.segments import IS_BASIC, count

_PLAIN = {
    '"': "“”„‟«»〝〞＂❝❞",
    "'": "‘’‚‛ʼ´`＇❛❜",
    "-": "‐‑‒–—―−•",  # hyphens, dashes, minus, bullet
    "...": "…",
    " ": "\t\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u2028\u2029",
    "": "\u00ad\u200b\u2060\ufeff",  # seen by nobody: soft hyphen, zero-width space, word joiner, byte order mark
}
_TABLE = str.maketrans({ornate: plain for plain, ornates in _PLAIN.items() for ornate in ornates})


def smart_encode(text: str) -> str:
    """The same text with plain punctuation, if that makes it GSM-7 and no dearer; else the text untouched.

    A text that needs UCS-2 anyway (one "í" is enough) keeps its quotes and dots: plain ones would win nothing, and "..."
    is two characters longer than "…". Accents typed apart from their letter are joined to it: the same letter, cheaper.
    """
    if IS_BASIC(text):
        return text
    plain = plainly(text)
    now, then = count(text), count(plain)
    return plain if then.encoding == "GSM-7" and then.segments <= now.segments else text


def plainly(text: str) -> str:
    """The same text with plain punctuation, whatever it wins."""
    return unicodedata.normalize("NFC", text).translate(_TABLE)
