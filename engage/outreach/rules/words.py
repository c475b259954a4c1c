"""The words for what we say: anchors, questions, kinds of message and their priority. Pure."""

from enum import IntEnum, StrEnum


class Anchor(StrEnum):
    """What a touchpoint hangs on."""

    VISIT_DAY = "visit_day"  # each local day on which the patient has visits: one message lists them all
    VISIT_COMPLETED = "visit_completed"  # each completed visit
    EVERY_DAY = "every_day"  # each day of the episode
    SCORE = "score"  # a low score that was given to another touchpoint: a question that follows it


class Asks(StrEnum):
    """What a message asks of its reader."""

    NOTHING = "nothing"
    CONFIRM = "confirm"
    SCORE_1_5 = "score_1_5"
    SCORE_1_10 = "score_1_10"
    YES_NO = "yes_no"


class YesOpens(StrEnum):
    """The alert that a yes opens to a question that follows a score."""

    SYMPTOM = "symptom"
    URGENT = "urgent"


class Channel(StrEnum):
    """How a message reaches its reader."""

    SMS = "sms"
    VOICE = "voice"  # spoken, answered by a key: to a landline, or to a clinician whom no text reached
    EMAIL = "email"  # only to clinicians; it leaves through a mail server, not through Twilio


class Kind(StrEnum):
    """Why a message exists."""

    TOUCHPOINT = "touchpoint"
    OPT_OUT_CONFIRMATION = "opt_out_confirmation"
    ANSWER = "answer"  # to a patient or family member who wrote
    ENROLMENT = "enrolment"  # asks a phone whether we may text it, or whether it is still theirs
    HAND = "hand"  # what somebody of ours wrote by hand to a patient or family member
    PAGE = "page"  # to a clinician: somebody needs you
    NOTE = "note"  # to a clinician who wrote


class Priority(IntEnum):
    """Lower leaves first: opt-out confirmation, replies, pages, day-of, check-in, day-before, survey; an urgent page before all."""

    URGENT_PAGE = -1
    OPT_OUT_CONFIRMATION = 0
    ANSWER = 1
    PAGE = 2
    DAY_OF = 3
    CHECK_IN = 4
    DAY_BEFORE = 5
    SURVEY = 6
    MAIL = 20  # a lane of its own, because it leaves another way


class Turn(StrEnum):
    """What happened to a message on its way; the ends and the happy moves are on the message itself."""

    HELD = "held"  # it must wait until a named instant, for a named reason
    HANDED_BACK = "handed_back"  # claimed, and certainly not sent: Twilio was busy, or we were stopping
    LOST_CONTACT = "lost_contact"  # it may have been sent: nobody knows yet
    LAPSED = "lapsed"  # whoever claimed it died
    FOUND = "found"  # Twilio's log holds it
    NEVER_LEFT = "never_left"  # Twilio's log does not hold it
    TRIED_AGAIN = "tried_again"  # a new message was made of it after a failure that may pass
