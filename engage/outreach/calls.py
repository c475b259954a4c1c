"""Makes a claimed reminder into a call: the words and the links in, what goes to Twilio out. It decides and sends nothing.

The words are those frozen on the message; they are said inside the request itself, so no address of ours tells them.
"""

from engage.outreach.gather import Claimed
from engage.outreach.links import Link, call_callback, key_action
from engage.sms import twiml
from engage.sms.texts import OutboundCall


def outbound_call(public_url: str, link: Link, claimed: Claimed, words: str) -> OutboundCall:
    """The call of one attempt: `words` with a question for one key, and the addresses Twilio reports to."""
    number = claimed.sender.from_number if claimed.sender else None
    if number is None or claimed.draft.to is None:
        raise AssertionError("decide() lets no call through that has no number to call from or to")
    return OutboundCall(
        to=claimed.draft.to,
        from_number=number,
        twiml=twiml.question(words, claimed.draft.language, key_action(public_url, link)),
        status_callback=call_callback(public_url, link),
    )
