"""Settings: what is stronger than what, and one sentence for every wrong value that never shows a secret."""

import base64
from pathlib import Path

import pytest

from engage.errors import ConfigurationError
from engage.resources import shipped
from engage.settings import SECRETS, MailServer, load, parse_key_ring, parse_mail_server, read_toml

KEY = base64.b64encode(b"k" * 32).decode()
OTHER_KEY = base64.b64encode(b"o" * 32).decode()
SECRET = "hunter2-" * 5


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An own config folder, whose default.toml a test may write."""
    monkeypatch.setenv("ENGAGE_CONFIG_DIR", str(tmp_path))
    (tmp_path / "default.toml").write_text("[settings]\nweb_port = 9000\n", encoding="utf-8")
    return tmp_path


def sentences(problem: pytest.ExceptionInfo[ConfigurationError]) -> list[str]:
    return str(problem.value).splitlines()


def test_without_anything_the_shipped_defaults_hold() -> None:
    settings = load()
    assert settings.config_dir == shipped("config")
    assert settings.database_url is None
    assert (settings.web_host, settings.tick_seconds, settings.plan_seconds) == ("127.0.0.1", 1, 60)
    assert settings.auth_tokens == ()


def test_the_stronger_source_wins(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().web_port == 9000  # default.toml
    monkeypatch.setenv("ENGAGE_WEB_PORT", "9001")
    assert load().web_port == 9001  # the environment
    assert load(web_port=9002).web_port == 9002  # an argument
    assert load().config_dir == config


def test_a_secret_from_a_file_is_weaker_than_the_environment(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (config / "default.toml").write_text('[settings]\ntwilio_auth_token = "from toml"\n', encoding="utf-8")
    assert load().auth_tokens == ("from toml",)
    file = tmp_path / "token"
    file.write_text("from file\n", encoding="utf-8")
    monkeypatch.setenv("ENGAGE_TWILIO_AUTH_TOKEN_FILE", str(file))
    assert load().auth_tokens == ("from file",)  # without its line end
    monkeypatch.setenv("ENGAGE_TWILIO_AUTH_TOKEN", "from environment")
    assert load().auth_tokens == ("from environment",)


@pytest.mark.parametrize("name", SECRETS)
def test_every_secret_may_come_from_a_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shaped = {
        "database_url": "postgresql://engage@host/name",
        "encryption_keys": f"a:{KEY}",
        "heartbeat_url": "https://x/y",
        "smtp_url": "smtps://engage@host",
    }
    value = shaped.get(name, SECRET)
    file = tmp_path / "secret"
    file.write_text(value, encoding="utf-8")
    monkeypatch.setenv(f"ENGAGE_{name.upper()}_FILE", str(file))
    found = getattr(load(), name).get_secret_value()
    assert found == value.replace("postgresql://", "postgresql+psycopg://")


def test_an_empty_variable_is_no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGAGE_WEB_PORT", "")
    monkeypatch.setenv("ENGAGE_SECRET_KEY", "")
    monkeypatch.setenv("ENGAGE_SECRET_KEY_FILE", "")
    monkeypatch.setenv("ENGAGE_CONFIG_DIR", "")
    settings = load()
    assert (settings.web_port, settings.secret_key, settings.config_dir) == (8080, None, shipped("config"))


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("WEB_PORT", "http", "unable to parse string as an integer"),
        ("WEB_PORT", "65536", "less than or equal to 65535"),
        ("WEB_PORT", "-1", "greater than or equal to 0"),
        ("WEB_WORKERS", "0", "greater than or equal to 1"),
        ("TICK_SECONDS", "0", "greater than 0"),
        ("PLAN_HORIZON_HOURS", "9999", "less than or equal to 336"),
        ("LEASE_SECONDS", "5", "greater than or equal to"),
        ("TWILIO_TIMEOUT_SECONDS", "nan", "less than or equal to"),
        ("LOG_LEVEL", "LOUD", "match pattern"),
        ("PUBLIC_URL", "engage.example.org", "must begin with https://"),
        ("PUBLIC_URL", "ftp://engage.example.org", "must begin with https://"),
        ("TWILIO_API_URL", "api.example.org", "must begin with https://"),
        ("MAIL_FROM", "Engage <engage@example.org>", "plain address"),
        ("MAIL_FROM", "engage", "plain address"),
        ("PAGES_A_MINUTE", "-1", "greater than or equal to 0"),
        ("SMTP_TIMEOUT_SECONDS", "60", "less than or equal to 30"),
    ],
)
def test_a_wrong_value_is_one_sentence_with_the_variable_and_the_value(
    name: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"ENGAGE_{name}", value)
    with pytest.raises(ConfigurationError) as problem:
        load()
    (sentence,) = sentences(problem)
    assert sentence.startswith(f"ENGAGE_{name}: ")
    assert says in sentence
    assert repr(value) in sentence
    assert sentence.endswith(".")
    assert problem.value.exit_code == 2


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("DATABASE_URL", f"mysql://engage:{SECRET}@host/name", "must be a PostgreSQL address"),
        ("DATABASE_URL", f"engage:{SECRET}@host/name", "must be a PostgreSQL address"),
        ("DATABASE_URL", "postgresql://", "must be a PostgreSQL address"),
        ("SMTP_URL", f"https://engage:{SECRET}@host", "must be smtps://"),
        ("SMTP_URL", f"engage:{SECRET}@host", "must be smtps://"),
        ("SMTP_URL", f"smtp://engage:{SECRET}@host:many", "must be smtps://"),
        ("SMTP_URL", f"smtp://engage:{SECRET}@host/inbox", "must be smtps://"),
        ("HEARTBEAT_URL", f"hc.example.org/{SECRET}", "must begin with https://"),
        ("SECRET_KEY", "hunter2", "at least 32 characters"),
        ("ENCRYPTION_KEYS", SECRET, "name:base64 pairs"),
        ("ENCRYPTION_KEYS", f":{KEY}", "name:base64 pairs"),
        ("ENCRYPTION_KEYS", f"{KEY}:first", "name:base64 pairs"),  # the wrong way round
        ("ENCRYPTION_KEYS", f"first:{KEY},", "name:base64 pairs"),
        ("ENCRYPTION_KEYS", f"first:{SECRET}", "'first' is not 32 bytes"),
        ("ENCRYPTION_KEYS", f"first:{KEY[:24]}", "'first' is not 32 bytes"),
        ("ENCRYPTION_KEYS", f"first:{KEY},first:{OTHER_KEY}", "'first' stands there twice"),
    ],
)
@pytest.mark.parametrize("from_file", [False, True])
def test_a_wrong_secret_is_never_shown(
    name: str, value: str, says: str, from_file: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if from_file:
        file = tmp_path / "secret"
        file.write_text(value, encoding="utf-8")
        monkeypatch.setenv(f"ENGAGE_{name}_FILE", str(file))
    else:
        monkeypatch.setenv(f"ENGAGE_{name}", value)
    with pytest.raises(ConfigurationError) as problem:
        load()
    (sentence,) = sentences(problem)
    assert sentence.startswith(f"ENGAGE_{name}: ")
    assert says in sentence
    assert "hunter2" not in sentence
    assert KEY[:24] not in sentence
    assert problem.value.__cause__ is None  # nor in what a traceback would print beneath it
    assert problem.value.__suppress_context__


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_of_the_wrong_kind_is_not_shown_either(name: str) -> None:
    with pytest.raises(ConfigurationError) as problem:
        load(**{name: 867530900})
    assert "867530900" not in str(problem.value)


def test_every_wrong_setting_has_its_own_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGAGE_WEB_PORT", "http")
    monkeypatch.setenv("ENGAGE_SECRET_KEY", "short")
    with pytest.raises(ConfigurationError) as problem:
        load()
    assert {sentence.split(":")[0] for sentence in sentences(problem)} == {"ENGAGE_WEB_PORT", "ENGAGE_SECRET_KEY"}


def test_secrets_print_as_stars() -> None:
    settings = load(
        database_url=f"postgresql://engage:{SECRET}@host/name",
        twilio_auth_token=SECRET,
        twilio_auth_token_alt=SECRET,
        secret_key=SECRET,
        encryption_keys=f"first:{KEY}",
    )
    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert "hunter2" not in shown
        assert KEY not in shown


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"\xff\xfe", "it is not UTF-8 text"),
    ],
)
def test_a_secret_file_that_cannot_be_read(
    content: bytes | None, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("ENGAGE_SECRET_KEY_FILE", str(file))
    with pytest.raises(ConfigurationError) as problem:
        load()
    (sentence,) = sentences(problem)
    assert sentence.startswith(f"ENGAGE_SECRET_KEY_FILE names {file}")
    assert says in sentence


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("[settings]\nweb_prot = 1\n", "There is no setting named 'web_prot'"),
        ("[settings]\nweb_port = 'x'\n", "ENGAGE_WEB_PORT: "),
        ("[settings\n", "is not valid TOML"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_a_wrong_default_file(toml: str | None, says: str, config: Path) -> None:
    file = config / "default.toml"
    file.unlink()
    if toml is not None:
        file.write_text(toml, encoding="utf-8")
    with pytest.raises(ConfigurationError) as problem:
        load()
    (sentence,) = sentences(problem)
    assert says in sentence


def test_read_toml_names_the_file_and_the_line(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text("a = 1\nb =\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"x\.toml is not valid TOML.*line 2"):
        read_toml(file)
    file.write_bytes(b'a = "\xff"')
    with pytest.raises(ConfigurationError, match=r"x\.toml is not valid TOML"):
        read_toml(file)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://engage.example.org/", "https://engage.example.org"),
        ("https://engage.example.org", "https://engage.example.org"),
        ("http://127.0.0.1:8080//", "http://127.0.0.1:8080"),
        ("https://example.org/engage/", "https://example.org/engage"),
    ],
)
def test_an_address_has_no_slash_at_its_end(given: str, kept: str) -> None:
    """Signatures are computed over the address to the letter."""
    assert load(public_url=given).public_url == kept


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_any_usual_address_of_postgresql_gets_our_driver(scheme: str) -> None:
    url = load(database_url=f"{scheme}://engage@host/name?sslmode=require").database_url
    assert url is not None
    assert url.get_secret_value() == "postgresql+psycopg://engage@host/name?sslmode=require"


def test_both_tokens_may_have_signed_while_one_is_rotated() -> None:
    assert load(twilio_auth_token="new", twilio_auth_token_alt="old").auth_tokens == ("new", "old")
    assert load(twilio_auth_token_alt="old").auth_tokens == ("old",)


def test_a_key_ring_keeps_its_order() -> None:
    ring = parse_key_ring(f"new:{KEY}, old:{OTHER_KEY}")
    assert list(ring.items()) == [("new", b"k" * 32), ("old", b"o" * 32)]


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtps://host", MailServer("host", 465, is_tls=True)),
        ("smtp://host", MailServer("host", 587, is_tls=False)),
        ("smtp://localhost:25/", MailServer("localhost", 25, is_tls=False)),
        ("smtps://a%40b:p%2Fw@host:2465", MailServer("host", 2465, True, "a@b", "p/w")),  # as an address needs it
    ],
)
def test_a_mail_server(url: str, server: MailServer) -> None:
    assert parse_mail_server(url) == server
    assert "p/w" not in repr(server)
