"""What Twilio reads out in a call: words in, its XML (TwiML) out. Decides nothing, knows nobody.

A question is said twice, because the first words of a call are often missed; then it hangs up.
"""

from twilio.twiml.voice_response import Gather, VoiceResponse  # type: ignore[import-untyped]

_TONGUES = {"en": "en-US", "es": "es-MX"}
_SECONDS_TO_PRESS = 6


def question(words: str, language: str, action: str) -> str:
    """Say `words`, twice, and post the one key that is pressed to `action` (an absolute address)."""
    response, tongue = VoiceResponse(), _TONGUES[language]
    for _ in range(2):
        gather = Gather(num_digits=1, timeout=_SECONDS_TO_PRESS, input="dtmf", action=action, method="POST")
        gather.say(words, language=tongue)
        response.append(gather)
    response.hangup()
    return str(response)


def statement(words: str, language: str) -> str:
    """Say `words` and hang up; nothing at all is said for no words."""
    response = VoiceResponse()
    if words:
        response.say(words, language=_TONGUES[language])
    response.hangup()
    return str(response)
