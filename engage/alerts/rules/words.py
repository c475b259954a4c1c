"""The words for alerts. Pure."""

from enum import IntEnum, StrEnum


class AlertKind(StrEnum):
    """Why a person is needed."""

    URGENT = "urgent"
    LOW_SCORE = "low_score"
    SYMPTOM = "symptom"
    CALLBACK = "callback"
    RESCHEDULE = "reschedule"
    CANCEL_VISIT = "cancel_visit"
    QUESTION = "question"
    COMPLAINT = "complaint"
    LOW_SURVEY = "low_survey"
    OPT_OUT = "opt_out"
    WRONG_NUMBER = "wrong_number"
    DEATH = "death"
    HOSPITAL = "hospital"
    UNREADABLE = "unreadable"
    UNDELIVERABLE = "undeliverable"  # a visit reminder reached nobody
    DROP = "drop"  # the scores fell from the patient's own level
    SILENCE = "silence"  # check-ins go unanswered
    NURSE_UNREACHABLE = "nurse_unreachable"  # somebody whom a ladder needs cannot be paged
    ROTA_GAP = "rota_gap"  # hours with nobody on call
    PATIENT_OPENED = "patient_opened"  # somebody opened a patient outside of their branches, with a reason


class Severity(IntEnum):
    """How fast somebody must act; higher is worse."""

    ROUTINE = 1  # a task for today
    SOON = 2  # within the hour
    URGENT = 3  # now


class AlertState(StrEnum):
    """open → acknowledged → resolved; an acknowledgement that goes stale opens it again."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Who(StrEnum):
    """Whom a step of a ladder pages."""

    NURSE = "nurse"  # the patient's case manager, else the clinician of the nearest visit; if on shift
    ON_CALL = "on_call"  # of the branch, of one discipline if the step names it; else the branch's fallback
    SCHEDULER = "scheduler"
    SUPERVISOR = "supervisor"
    PERSON = "person"  # somebody whom the step names


class Channel(StrEnum):
    """How a step pages."""

    SMS = "sms"
    VOICE = "voice"
    EMAIL = "email"
    ANY = "any"


class EventKind(StrEnum):
    """What happened to an alert."""

    OPENED = "opened"
    EVIDENCE = "evidence"
    PAGED = "paged"
    NOBODY = "nobody"  # a step that had nobody to page
    PAGE_FAILED = "page_failed"
    ACKNOWLEDGED = "acknowledged"
    REOPENED = "reopened"
    RESOLVED = "resolved"
    EXHAUSTED = "exhausted"
    PASSED_ON = "passed_on"  # somebody said "not me": the next step follows at once
    TRY_AGAIN = "try_again"  # nobody answered the nurse's call; it opens again at a time of hers
    PROMISED = "promised"  # the patient was promised a call by a time
    PROMISE_BROKEN = "promise_broken"
    REPAIRED = "repaired"  # the auditor found it without a next step, and made it due


class Outcome(StrEnum):
    """What was done about an alert."""

    CALLED = "called"
    VISIT_ADDED = "visit_added"
    VISIT_MOVED = "visit_moved"
    VIRTUAL_VISIT = "virtual_visit"
    MEDICINE_CHANGED = "medicine_changed"
    SENT_TO_911 = "sent_to_911"
    HOSPITAL = "hospital"
    NO_ANSWER = "no_answer"
    FAMILY_REACHED = "family_reached"
    NOTHING_NEEDED = "nothing_needed"
