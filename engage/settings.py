"""Settings: config/default.toml, then environment ENGAGE_*, then *_FILE for secrets. Wrong or missing is one sentence.

Nothing here opens a connection or reads the clock.
"""

import base64
import binascii
import os
import re
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from engage.errors import ConfigurationError
from engage.resources import shipped

SECRETS = (
    "database_url",
    "twilio_auth_token",
    "twilio_auth_token_alt",
    "secret_key",
    "encryption_keys",
    "smtp_url",
    "heartbeat_url",
)


class Settings(BaseSettings):
    """Every setting of a process. Secrets print as stars."""

    model_config = SettingsConfigDict(env_prefix="ENGAGE_", extra="forbid", env_ignore_empty=True)

    database_url: SecretStr | None = Field(None, description="PostgreSQL 15 or newer; without it an embedded server")
    data_dir: Path = Field(Path(".engage"), description="where an embedded server and its secrets live")
    postgres_bin: Path | None = Field(None, description="folder of PostgreSQL's programs for the embedded server")
    config_dir: Path = Field(default_factory=lambda: shipped("config"), description="the folder of config/")

    public_url: str | None = Field(None, description="address at which Twilio reaches this web process")
    twilio_account_sid: str | None = Field(None, description="AC… of the Twilio console")
    twilio_auth_token: SecretStr | None = Field(None, description="signs webhooks and authorises calls")
    twilio_auth_token_alt: SecretStr | None = Field(None, description="the other token while one is being rotated")
    twilio_api_url: str | None = Field(None, description="another base than api.twilio.com, e.g. the fake")
    twilio_timeout_seconds: float = Field(10, gt=0, le=20)

    smtp_url: SecretStr | None = Field(
        None, description="mail server for pages: smtps://user:password@host, or smtp:// with STARTTLS"
    )
    smtp_ca_file: Path | None = Field(
        None, description="authorities to trust for the mail server, instead of the machine's"
    )
    smtp_timeout_seconds: float = Field(10, gt=0, le=30)
    mail_from: str | None = Field(None, description="address that mailed pages come from")
    pages_a_minute: int = Field(1, ge=0, le=60, description="pages to one person that are not urgent; 0: no limit")
    pages_a_quarter_hour: int = Field(5, ge=0, le=200, description="the same in any 15 minutes; 0: no limit")

    secret_key: SecretStr | None = Field(None, description="signs links and keys the phone look-up; keep it for ever")
    encryption_keys: SecretStr | None = Field(None, description="key ring name:base64,… ; the first one encrypts")

    web_host: str = "127.0.0.1"
    web_port: int = Field(8080, ge=0, le=65535)
    web_workers: int = Field(1, ge=1, le=64)
    web_threads: int = Field(8, ge=1, le=256)
    web_proxies: int = Field(
        0, ge=0, le=5, description="proxies of yours before the web, whose X-Forwarded-For is believed"
    )

    tick_seconds: float = Field(1, gt=0, le=60, description="pause between the worker's ticks")
    plan_seconds: float = Field(60, gt=0, le=3600, description="pause between two plans")
    plan_horizon_hours: float = Field(26, gt=0, le=24 * 14, description="how far ahead messages are planned")
    dispatch_batch: int = Field(200, ge=1, le=5000)
    dispatch_at_once: int = Field(128, ge=1, le=2000, description="texts of one worker on their way at once, at most")
    lease_seconds: float = Field(45, ge=30, le=3600, description="after it a claimed message counts as unknown")

    heartbeat_url: SecretStr | None = Field(None, description="an outside monitor that misses our pings")

    log_level: str = Field("INFO", pattern="(?i)^(debug|info|warning|error)$")
    clock_file: Path | None = Field(None, description="simulations only: follow this virtual clock")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Strongest first: arguments, environment, *_FILE, config/default.toml."""
        return init_settings, env_settings, _SecretFiles(settings_cls), _DefaultFile(settings_cls)

    @field_validator("public_url", "twilio_api_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with https:// (or http:// on this machine)")
        return value.rstrip("/") if value else value

    @field_validator("smtp_url")
    @classmethod
    def _mail_server(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parse_mail_server(value.get_secret_value())
        return value

    @field_validator("mail_from")
    @classmethod
    def _mail_address(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[^@\s<>,;]+@[^@\s<>,;]+", value):
            raise ValueError("must be a plain address such as engage@example.org")
        return value

    @field_validator("heartbeat_url")
    @classmethod
    def _outside(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("http://", "https://")):
            raise ValueError("must begin with https:// (or http://): the address that your outside monitor gave you")
        return value

    @field_validator("database_url")
    @classmethod
    def _postgres(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        scheme, _, rest = value.get_secret_value().partition("://")
        if scheme not in {"postgresql", "postgres", "postgresql+psycopg"} or not rest:
            raise ValueError("must be a PostgreSQL address such as postgresql://user:password@host/name")
        return SecretStr(f"postgresql+psycopg://{rest}")

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < 32:
            raise ValueError(
                "must have at least 32 characters: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
            )
        return value

    @field_validator("encryption_keys")
    @classmethod
    def _key_ring(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parse_key_ring(value.get_secret_value())
        return value

    @cached_property
    def auth_tokens(self) -> tuple[str, ...]:
        """The Twilio tokens that may have signed a webhook, the primary first."""
        both = (self.twilio_auth_token, self.twilio_auth_token_alt)
        return tuple(token.get_secret_value() for token in both if token is not None)


def parse_key_ring(value: str) -> dict[str, bytes]:
    """`name:base64,name:base64` to names and 32-byte AES keys, in order; ValueError says what is wrong."""
    ring: dict[str, bytes] = {}
    for part in value.split(","):
        name, colon, encoded = part.strip().partition(":")
        if not (name and colon) or len(name.encode()) > 32:
            raise ValueError(
                "must be name:base64 pairs joined by commas; the first one encrypts, the others still open"
            )
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            key = b""
        if len(key) != 32:
            raise ValueError(f"the key named {name!r} is not 32 bytes in base64: openssl rand -base64 32")
        if name in ring:
            raise ValueError(f"the key name {name!r} stands there twice")
        ring[name] = key
    return ring


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail leaves: TLS from the start (`is_tls`), else STARTTLS, which only this machine itself may do without."""

    host: str
    port: int
    is_tls: bool
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    @property
    def is_local(self) -> bool:
        """Whether it is this machine."""
        return self.host in {"localhost", "127.0.0.1", "::1"}


def parse_mail_server(value: str) -> MailServer:
    """The server in `smtps://user:password@host:465` or `smtp://host:587`; ValueError says what is wrong."""
    wrong = ValueError("must be smtps://user:password@host:465 or smtp://user:password@host:587")
    try:
        parts = urlsplit(value)
        host, port, is_tls = parts.hostname, parts.port, parts.scheme == "smtps"
    except ValueError:
        raise wrong from None
    if not host or parts.scheme not in {"smtp", "smtps"} or parts.path.strip("/") or parts.query:
        raise wrong
    user, password = (None if part is None else unquote(part) for part in (parts.username, parts.password))
    return MailServer(host, port or (465 if is_tls else 587), is_tls, user or None, password)


def load(**overrides: Any) -> Settings:
    """The settings of this process.

    Raises ConfigurationError, one sentence for each setting that is wrong; secret values are never shown.
    """
    try:
        return Settings(**overrides)
    except ValidationError as problem:
        raise ConfigurationError("\n".join(_sentence(error) for error in problem.errors())) from None


def _sentence(error: Any) -> str:
    name = str(error["loc"][0]) if error["loc"] else "settings"
    text = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        return f"There is no setting named {name!r}: see docs/reference/settings.md."
    shown = "" if name in SECRETS else f", not {error['input']!r}"
    return f"ENGAGE_{name.upper()}: {text[:1].lower()}{text[1:]}{shown}."


class _SecretFiles(PydanticBaseSettingsSource):
    """ENGAGE_TWILIO_AUTH_TOKEN_FILE=/run/secrets/token and the like."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(f"ENGAGE_{field_name.upper()}_FILE") if field_name in SECRETS else None
        if not path:
            return None, field_name, False
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except (OSError, UnicodeDecodeError) as problem:
            reason = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8 text"
            raise ConfigurationError(
                f"ENGAGE_{field_name.upper()}_FILE names {path}, which cannot be read: {reason}."
            ) from None

    def __call__(self) -> dict[str, Any]:
        values = (
            (name, self.get_field_value(field, name)[0]) for name, field in self.settings_cls.model_fields.items()
        )
        return {name: value for name, value in values if value}


class _DefaultFile(PydanticBaseSettingsSource):
    """The [settings] table of default.toml, in ENGAGE_CONFIG_DIR or as shipped."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False  # never asked: __call__ answers for the whole file

    def __call__(self) -> dict[str, Any]:
        folder = Path(os.environ.get("ENGAGE_CONFIG_DIR") or shipped("config"))
        return dict(read_toml(folder / "default.toml").get("settings", {}))


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file as a dict; ConfigurationError names the file and the line."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise ConfigurationError(f"{path} cannot be read: {problem.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ConfigurationError(f"{path} is not valid TOML: {problem}.") from None
