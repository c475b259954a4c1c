"""What granian serves: the app made from the environment of its process, which ends when its parent ends."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from werkzeug.middleware.proxy_fix import ProxyFix

from engage import clock, log
from engage.console.first import FIRST_RUN, FirstRun
from engage.console.lists import CONFIG
from engage.db import Database, encryption
from engage.db.hints import Herald
from engage.db.opening import ring_of
from engage.db.processes import end_with_parent
from engage.memory import collect_rarely
from engage.settings import load, read_toml
from engage.sms.rules.codes import parse_codes
from webhooks.app import create_app

if TYPE_CHECKING:
    from engage.sms.gateway import Gateway

_PATIENCE_SECONDS = 5  # a request is answered in milliseconds; Twilio itself waits 15 s

_parent = os.environ.pop("ENGAGE_PARENT", None)
if _parent is not None:
    end_with_parent(int(_parent), patience=_PATIENCE_SECONDS)

settings = load()
log.configure(settings.log_level)
clock.follow(settings.clock_file)
encryption.use(ring_of(settings))
_db = Database(
    settings.database_url.get_secret_value() if settings.database_url else "",
    pool_size=settings.web_threads,
    name="engage web",
    prepares=True,
)


def _problems() -> Sequence[str]:
    from engage.cli.doctor import of_settings

    return of_settings(settings)


def _gateway() -> "Gateway":
    from engage.worker import gateway_of

    return gateway_of(settings)


app = create_app(
    _db,
    parse_codes(read_toml(settings.config_dir / "twilio-codes.toml")),
    auth_tokens=settings.auth_tokens,
    public_url=settings.public_url or "",
    hint=Herald(_db).say,
    first=FirstRun(
        token=os.environ.pop(FIRST_RUN, None),
        config_dir=settings.config_dir,
        problems=_problems,
        gateway=_gateway,
    ),
)
if settings.web_proxies:  # else somebody could write any address into the header, and so into the audit
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.web_proxies, x_proto=settings.web_proxies)  # type: ignore[method-assign]
app.config[CONFIG] = settings.config_dir
collect_rarely()
