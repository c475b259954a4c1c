"""Whether our numbers, services and registrations at Twilio are set as Engage needs them: what was found in, sentences out. Pure.

Fields as Twilio documents them (IncomingPhoneNumbers; messaging/v1 Services, Usa2p, BrandRegistrations). Whether Advanced Opt-Out is on
stands in no API: the console alone shows it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

INBOUND = "/twilio/messages"


@dataclass(frozen=True, slots=True)
class Number:
    """One of our numbers: where Twilio posts its texts and calls, and whether it can text."""

    sms_url: str
    sms_method: str
    voice_url: str
    voice_method: str
    can_text: bool


@dataclass(frozen=True, slots=True)
class SenderPool:
    """A Messaging Service: where texts to its numbers are posted."""

    inbound_url: str
    inbound_method: str
    uses_url_of_number: bool
    is_registered: bool


@dataclass(frozen=True, slots=True)
class Brand:
    """Who we are for the carriers."""

    status: str
    failure: str


@dataclass(frozen=True, slots=True)
class Campaign:
    """What we text for, as the carriers were told (A2P 10DLC)."""

    status: str
    message_flow: str
    samples: tuple[str, ...]
    help_message: str
    opt_out_message: str
    opt_out_keywords: tuple[str, ...]
    has_phone: bool
    brand: Brand | None


def number_faults(
    phone: str, number: Number | None, public_url: str, service: SenderPool | None = None
) -> Iterator[str]:
    """What is wrong with one number; texts to the number of a `service` may be posted to the service's address instead."""
    if number is None:
        yield f"The number {phone} is not in this Twilio account: correct it (engage agency import) or use the account that has it."
        return
    if not number.can_text:
        yield f"The number {phone} cannot text: buy one with SMS."
    if service is not None and not service.uses_url_of_number:
        return
    yield from _url_faults(f"The number {phone}", number.sms_url, number.sms_method, public_url)


def service_faults(sid: str, service: SenderPool | None, public_url: str) -> Iterator[str]:
    """What is wrong with a Messaging Service."""
    if service is None:
        yield f"The Messaging Service {sid} is not in this Twilio account: correct messaging_service_sid."
    elif not service.uses_url_of_number:
        yield from _url_faults(f"The Messaging Service {sid}", service.inbound_url, service.inbound_method, public_url)


def _url_faults(what: str, url: str, method: str, public_url: str) -> Iterator[str]:
    wanted = public_url.rstrip("/") + INBOUND
    if url.partition("#")[0] != wanted:  # behind # stand Twilio's own connection settings
        now = f"posts texts to {url}" if url else "posts texts nowhere"
        yield f"{what} {now}: set it to {wanted} in the Twilio console, or replies are lost."
    elif method.upper() != "POST":
        yield f"{what} asks for texts by {method}: set it to POST, or Twilio logs what patients write in its URLs."


def campaign_faults(sid: str, campaign: Campaign | None) -> Iterator[str]:
    """What keeps carriers from delivering the texts of a Messaging Service (30034 and its kin), or may soon."""
    what = f"The Messaging Service {sid}"
    if campaign is None:
        yield f"{what} has no A2P 10DLC campaign: carriers block its texts to US phones (30034); register one in the console."
        return
    if campaign.status != "VERIFIED":
        yield f"The campaign of {sid} is {campaign.status or 'without a status'}, not VERIFIED: its texts may be blocked (30034)."
    if campaign.brand is None or campaign.brand.status != "APPROVED":
        told = f"{campaign.brand.status} {campaign.brand.failure}".strip() if campaign.brand else "not there"
        yield f"The brand behind the campaign of {sid} is {told}, not APPROVED: mend it in the console."
    flow, samples = campaign.message_flow.casefold(), " ".join(campaign.samples).casefold()
    if "rates" not in flow:
        yield f'The message flow of the campaign of {sid} does not say "message and data rates may apply": write where and how patients agree (30831).'
    if not any(word in flow for word in ("frequency", "a week", "per week", "a day", "per day")):
        yield f"The message flow of the campaign of {sid} does not say how often you text: add it (30545)."
    if "stop" not in samples and "stop" not in campaign.opt_out_message.casefold():
        yield f"No sample of the campaign of {sid} says how to end the texts: add STOP to one."
    if not campaign.help_message:
        yield f"The campaign of {sid} has no help message: add what answers HELP, with your phone."
    if not campaign.has_phone:
        yield f"The campaign of {sid} says that texts hold no phone number; ours name the office: set it to yes."
