"""The verbs of the product with everything they need: each runs once and says what it did. Used by worker and CLI."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from datetime import timedelta
from typing import Any

from engage import clock
from engage.alerts.escalate import Escalated, escalate
from engage.alerts.rota import check_rota
from engage.alerts.undeliverable import tell_undeliverable
from engage.db import Database
from engage.errors import ConfigurationError
from engage.outreach.call_instead import plan_calls
from engage.outreach.dispatch import Flow, Limits, Stop, dispatch
from engage.outreach.gather import Terms
from engage.outreach.mail import send_mail
from engage.outreach.mailer import Mailer
from engage.outreach.plan import plan
from engage.outreach.reconcile import reconcile
from engage.outreach.rules.paging import Limit
from engage.patients.rules.states import StateTable, parse_states
from engage.replies.enrolment import enrol
from engage.replies.handle import Handled, handle
from engage.replies.lexicon import load_lexicon
from engage.replies.pending import tell_unanswered
from engage.replies.rules import Lexicon
from engage.replies.silence import tell_silences
from engage.replies.sweep import sweep
from engage.settings import Settings, parse_mail_server, read_toml
from engage.sms.gateway import Gateway, TwilioGateway
from engage.sms.rules.codes import CodeTable, parse_codes
from engage.worker.clean import clean
from engage.worker.precedence import Precedence

HANDFUL = 10
"""How many replies a worker reads before it lets pages and answers out."""


@dataclass(frozen=True)
class Verbs:
    """Everything the verbs need, for one process."""

    db: Database
    gateway: Gateway
    codes: CodeTable
    lexicon: Lexicon
    settings: Settings
    states: StateTable = field(default_factory=StateTable)
    mailer: Mailer | None = None
    precedence: Precedence = field(default_factory=Precedence)
    flow: Flow = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "flow", Flow(gives_way=self.precedence.is_claimed))

    @classmethod
    def of(cls, db: Database, settings: Settings) -> "Verbs":
        """The verbs of these settings; ConfigurationError names what is missing."""
        if settings.public_url is None:
            raise ConfigurationError(
                "ENGAGE_PUBLIC_URL is not set: the address at which Twilio reaches us, e.g. https://engage.example.org."
            )
        codes = parse_codes(read_toml(settings.config_dir / "twilio-codes.toml"))
        states = parse_states(read_toml(settings.config_dir / "states.toml"))
        return cls(
            db,
            gateway_of(settings),
            codes,
            load_lexicon(settings.config_dir / "lexicon"),
            settings,
            states=states,
            mailer=mailer_of(settings),
        )

    def plan(self, *, whole: bool = False) -> Any:
        """Turn touchpoints into planned messages, texts and calls; `whole` looks at everybody, not only at what is new.

        And ask phones whether we may text them, and old ones whether they are still theirs.
        """
        now, horizon = clock.now(), timedelta(hours=self.settings.plan_horizon_hours)
        planned = plan(self.db, now, horizon, whole=whole)
        return as_dict(planned) | {"calls": plan_calls(self.db, now, horizon)} | as_dict(enrol(self.db, now))

    def dispatch(self, stop: Stop | None = None) -> Any:
        """Send what is due."""
        settings = self.settings
        limits = Limits(
            public_url=settings.public_url or "",
            batch=settings.dispatch_batch,
            at_once=settings.dispatch_at_once,
            lease=timedelta(seconds=settings.lease_seconds),
            in_flight=timedelta(seconds=settings.twilio_timeout_seconds + 5),
            terms=self._terms(),
        )
        return dispatch(self.db, self.gateway, self.codes, limits, stop, self.flow)

    def mail(self) -> Any:
        """Send what is due by e-mail."""
        return send_mail(self.db, self.mailer, self._terms())

    def _terms(self) -> Terms:
        settings = self.settings
        limits = (
            Limit(settings.pages_a_minute, timedelta(minutes=1)),
            Limit(settings.pages_a_quarter_hour, timedelta(minutes=15)),
        )
        return Terms(self.states, tuple(limit for limit in limits if limit.most), settings.public_url or "")

    def handle(self, most: int = 500) -> Any:
        """Understand stored replies, at most `most`."""
        with self.precedence.claimed():
            return handle(self.db, self.lexicon, clock.now, most)

    def escalate(self) -> Any:
        """Climb the ladders of alerts that are due."""
        with self.precedence.claimed():
            return escalate(self.db, clock.now())

    def reconcile(self) -> Any:
        """Settle what is not known, and tell a person of reminders that have reached nobody, and of what nobody answered."""
        reconciled = reconcile(self.db, self.gateway, self.codes, clock.now())
        return as_dict(reconciled) | {
            "undeliverable": tell_undeliverable(self.db, clock.now()),
            "unanswered": tell_unanswered(self.db, clock.now()),
            "silences": tell_silences(self.db, clock.now()),
        }

    def sweep(self) -> Any:
        """Fetch texts that came while nobody was there."""
        return {"found": sweep(self.db, self.gateway, clock.now())}

    def check_rota(self) -> Any:
        """Tell of holes in the rotas of the week ahead, and of people on call whom no page reaches."""
        return check_rota(self.db, clock.now())

    def clean(self) -> Any:
        """Remove old sessions, devices, one-time links and counts of wrong tries."""
        return clean(self.db, clock.now())

    def named(self, stop: Stop | None = None) -> Mapping[str, Callable[[], Any]]:
        """The verbs by name, in the order in which a message meets them."""
        return {
            "plan": self.plan,
            "dispatch": lambda: self.dispatch(stop),
            # a worker takes a handful, so that the page for the first of many does not wait for the reading of the last
            "handle": self.handle if stop is None else lambda: self.handle(HANDFUL),
            "escalate": self.escalate,
            "mail": self.mail,
            "reconcile": self.reconcile,
            "sweep": self.sweep,
            "check-rota": self.check_rota,
            "clean": self.clean,
        }


def makes_work_for(name: str, result: Any) -> tuple[str, ...]:
    """The verbs that have something to do at once after a run of `name` with this result."""
    match name, result:
        case "handle", Handled(replies=replies) if replies:
            return "escalate", "dispatch", "mail", "handle"
        case "escalate", Escalated(paged=paged) if paged:
            return "dispatch", "mail"
        case _:
            return ()


def gateway_of(settings: Settings) -> TwilioGateway:
    """The way to Twilio; ConfigurationError names each setting that is missing."""
    sid, token = settings.twilio_account_sid, settings.twilio_auth_token
    if sid is None or token is None:
        names = (("ENGAGE_TWILIO_ACCOUNT_SID", sid), ("ENGAGE_TWILIO_AUTH_TOKEN", token))
        missing = [name for name, value in names if value is None]
        raise ConfigurationError(
            f"{' and '.join(missing)} not set: they stand on the first page of the Twilio console."
        )
    return TwilioGateway(
        sid,
        token.get_secret_value(),
        api_url=settings.twilio_api_url,
        timeout_seconds=settings.twilio_timeout_seconds,
    )


def mailer_of(settings: Settings) -> Mailer | None:
    """The way to the mail server, None where there is none; ConfigurationError for half of one."""
    if settings.smtp_url is None:
        return None
    if settings.mail_from is None:
        raise ConfigurationError("ENGAGE_MAIL_FROM is not set: the address that mailed pages come from.")
    return Mailer(
        parse_mail_server(settings.smtp_url.get_secret_value()),
        settings.mail_from,
        ca_file=settings.smtp_ca_file,
        timeout_seconds=settings.smtp_timeout_seconds,
    )


def as_dict(result: Any) -> dict[str, Any]:
    """What a verb did, for printing."""
    return asdict(result) if is_dataclass(result) and not isinstance(result, type) else dict(result)
