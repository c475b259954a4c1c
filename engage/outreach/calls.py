"""Makes a claimed reminder or page into a call: the words and the links in, what goes to Twilio out. It decides and sends nothing.

The words are those frozen on the message; they are said inside the request itself, so no address of ours tells them.
"""

from engage.outreach.gather import Claimed
from engage.outreach.links import Link, call_callback, key_action, page_callback, page_key_action
from engage.outreach.rules.words import Kind
from engage.sms import twiml
from engage.sms.texts import OutboundCall


def outbound_call(public_url: str, link: Link, claimed: Claimed, words: str) -> OutboundCall:
    """The call of one attempt: `words` with a question for one key, and the addresses Twilio reports to."""
    number = claimed.sender.from_number if claimed.sender else None
    if number is None or claimed.draft.to is None:
        raise AssertionError("decide() lets no call through that has no number to call from or to")
    is_page = claimed.draft.kind is Kind.PAGE
    action = (page_key_action if is_page else key_action)(public_url, link)
    return OutboundCall(
        to=claimed.draft.to,
        from_number=number,
        twiml=twiml.question(words, claimed.draft.language, action),
        status_callback=(page_callback if is_page else call_callback)(public_url, link),
    )
