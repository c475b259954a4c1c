"""What Twilio answers when it refuses: the code, the HTTP status and the sentence, as one table.

In: a code and what the sentence speaks of. Out: an Answer whose body is Twilio's error object.
"""

from engage.simulation.twilio.wire import Answer

# code: (HTTP status, sentence). Codes and meanings: facts/twilio.md §7, §12; sentences as Twilio words them.
# Some of them print the whole number: whoever logs an error's text logs a phone number.
_REFUSALS: dict[int, tuple[int, str]] = {
    20001: (400, "{0}"),
    20003: (401, "Authenticate"),
    20005: (403, "Account not active"),
    20006: (403, "Access to this Twilio resource has been denied"),
    # Twilio itself says 409 here; its OpenAPI document knows no 409, and the fake keeps to the document.
    20009: (400, "Cannot delete message because delivery has not been completed."),
    20404: (404, "The requested resource {0} was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "An internal server error has occurred"),
    20503: (503, "Service unavailable"),
    21201: (400, "No 'To' number is specified"),
    21205: (400, "Url parameter is required"),
    21210: (400, "The source phone number provided, {0}, is not yet verified for your account."),
    21211: (400, "Invalid 'To' Phone Number: {0}"),
    21212: (400, "Invalid From Number (caller ID): {0}"),
    21213: (400, "No 'From' number is specified"),
    21214: (400, "'To' phone number cannot be reached: {0}"),
    21215: (400, "Account not authorized to call {0}."),
    21216: (400, "Account not allowed to call {0}."),
    21217: (400, "The phone number you are attempting to call, {0}, is not valid."),
    21220: (400, "Call is not in-progress. Cannot redirect."),
    21266: (400, "'To' and 'From' number cannot be the same: {0}"),
    21408: (400, "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: {0}"),
    21603: (400, "A 'From' phone number is required."),
    21602: (400, "Message body is required."),
    21604: (400, "A 'To' phone number is required."),
    21606: (400, "The 'From' phone number provided ({0}) is not a valid message-capable Twilio phone number."),
    21608: (400, "The number {0} is unverified. Trial accounts cannot send messages to unverified numbers."),
    21609: (400, "The 'StatusCallback' URL {0} is not a valid URL."),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21611: (400, "This 'From' number has exceeded the maximum number of queued messages"),
    21612: (400, "The 'To' phone number {0} is not currently reachable using the 'From' phone number via SMS."),
    21614: (400, "'To' number: {0}, is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    21619: (400, "A text message body or media urls must be specified."),
    21703: (400, "The Messaging Service does not have a phone number available to send a message"),
    21705: (400, "The Messaging Service Sid {0} is invalid."),
    30409: (400, "This message cannot be canceled"),
    35114: (400, "SendAt timestamp is too soon: it must be at least 300 seconds from now"),
    35115: (400, "SendAt timestamp is too far: it must be within 35 days from now"),
    35117: (400, "SendAt is required, as an ISO 8601 time, when ScheduleType is set"),
    35118: (400, "MessagingServiceSid is required to schedule a message"),
    35126: (400, "ScheduleType is invalid: fixed is the only one"),
}


class RefusalError(Exception):
    """Twilio will not do this: answer with the code; nothing was accepted."""

    def __init__(self, code: int, *about: str) -> None:
        super().__init__(code)
        self.code = code
        self.about = about

    def answer(self) -> Answer:
        """The refusal as it travels."""
        return refusal(self.code, *self.about)


def refusal(code: int, *about: str) -> Answer:
    """Twilio's error object for `code`; a code that the table lacks is answered as a plain 400."""
    status, sentence = _REFUSALS.get(code, (400, "The request was refused"))
    filled = sentence.format(*about) if about else sentence.replace(" {0}", "").replace("{0}", "Bad request")
    link = f"https://www.twilio.com/docs/errors/{code}"
    body: dict[str, object] = {"code": code, "message": filled, "more_info": link, "status": status}
    return Answer(status, body)


def masked(number: str) -> str:
    """The number with its last four characters hidden, as 21211 prints it since 2024."""
    return number[:-4] + "XXXX" if len(number) > 4 else "XXXX"
