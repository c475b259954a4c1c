"""TwiML as Engage answers it: XML in, verbs out. Understands what Engage uses; a verb it does not know is an error."""

from dataclasses import dataclass, field
from xml.etree import ElementTree as Xml


class TwimlError(ValueError):
    """The document cannot be followed: `code` is what Twilio's debugger would show (12100 not XML, 12200 not TwiML)."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(f"{code}: {why}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Say:
    """Words spoken."""

    text: str

    @property
    def seconds(self) -> float:
        """About how long they take to say: fifteen characters a second."""
        return len(self.text) / 15


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Gather:
    """A question answered by keys."""

    said: tuple[Say | Pause, ...]
    action: str | None
    method: str
    num_digits: int | None
    timeout: float
    finish_on_key: str
    is_action_on_empty: bool


@dataclass(frozen=True, slots=True)
class Redirect:
    """Go on with another document."""

    url: str
    method: str


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the call (also <Reject>)."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text sent back: <Message>, and <Sms> of older documents."""

    body: str
    to: str | None = None
    status_callback: str | None = None


Verb = Say | Pause | Gather | Redirect | Hangup | Text


@dataclass(slots=True)
class Script:
    """Verbs still to be followed."""

    verbs: list[Verb] = field(default_factory=list)


def read(document: str) -> Script:
    """The verbs of a TwiML document in order; an empty document has none. Raises TwimlError."""
    if not document.strip():
        return Script()
    try:
        root = Xml.fromstring(document)  # noqa: S314 - it comes from our own application
    except Xml.ParseError as error:
        raise TwimlError(12100, str(error)) from None
    if root.tag != "Response":
        raise TwimlError(12200, f"the document is <{root.tag}>, not <Response>")
    return Script([_verb(element) for element in root])


def _verb(element: Xml.Element) -> Verb:
    match element.tag:
        case "Say":
            return Say(_text(element) * max(1, int(element.get("loop", "1"))))
        case "Pause":
            return Pause(float(element.get("length", "1")))
        case "Gather":
            return _gather(element)
        case "Redirect":
            return Redirect(_text(element), element.get("method", "POST").upper())
        case "Hangup" | "Reject":
            return Hangup()
        case "Message" | "Sms":
            body = element.find("Body")
            return Text(_text(element if body is None else body), element.get("to"), element.get("statusCallback"))
        case other:
            raise TwimlError(12200, f"the fake does not know the verb <{other}>")


def _gather(element: Xml.Element) -> Gather:
    said = [_verb(child) for child in element]
    if not all(isinstance(verb, Say | Pause) for verb in said):
        raise TwimlError(12200, "only <Say> and <Pause> may stand inside <Gather>")
    digits = element.get("numDigits")
    return Gather(
        said=tuple(verb for verb in said if isinstance(verb, Say | Pause)),
        action=element.get("action"),
        method=element.get("method", "POST").upper(),
        num_digits=int(digits) if digits else None,
        timeout=float(element.get("timeout", "5")),
        finish_on_key=element.get("finishOnKey", "#"),
        is_action_on_empty=element.get("actionOnEmptyResult", "false").lower() == "true",
    )


def _text(element: Xml.Element) -> str:
    return "".join(element.itertext()).strip()
