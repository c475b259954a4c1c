"""A fake Twilio: a real HTTP server that speaks Twilio's REST wire and posts Twilio's signed webhooks, in virtual time.

Engage runs against it unpatched, by another base URL. It never imports Engage's own idea of Twilio (engage.sms), so that each
can judge the other.
"""

from engage.simulation.twilio.account import Requested, WebhookFailure
from engage.simulation.twilio.behaviour import Behaviour
from engage.simulation.twilio.calls import Call
from engage.simulation.twilio.fake import FakeTwilio, serve
from engage.simulation.twilio.messages import Message
from engage.simulation.twilio.phones import Phone, Pickup, RingingCall, SentText

__all__ = [
    "Behaviour",
    "Call",
    "FakeTwilio",
    "Message",
    "Phone",
    "Pickup",
    "Requested",
    "RingingCall",
    "SentText",
    "WebhookFailure",
    "serve",
]
