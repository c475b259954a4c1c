"""Rose as a rule sees her: an active patient with a mobile phone, full consent and nothing sent yet, in New York."""

from datetime import time

from engage.patients.rules.permission import Reader
from engage.patients.rules.words import ConsentKind, PatientStatus, PhoneKind

ROSE = Reader(
    status=PatientStatus.ACTIVE,
    phone_kind=PhoneKind.MOBILE,
    has_ended=False,
    consent=ConsentKind.GRANTED,
    phone_word=None,
    zone="America/New_York",
    texts_after=time(8),
    texts_until=time(21),
    sent_today=0,
    sent_this_week=0,
    daily_cap=5,
    weekly_cap=30,
)
