"""Which reading belongs to which kind of file. Pure."""

from collections.abc import Callable, Mapping

from engage.visits.rules.episodes import payer_line, period_line, referral_line
from engage.visits.rules.line import Line
from engage.visits.rules.people import clinician_line, patient_line
from engage.visits.rules.rows import LineRead
from engage.visits.rules.visit_lines import visit_line
from engage.visits.rules.words import FileKind

READ: Mapping[FileKind, Callable[[Line], LineRead]] = {
    FileKind.VISITS: visit_line,
    FileKind.PATIENTS: patient_line,
    FileKind.CLINICIANS: clinician_line,
    FileKind.PAYERS: payer_line,
    FileKind.REFERRALS: referral_line,
    FileKind.PERIODS: period_line,
}
