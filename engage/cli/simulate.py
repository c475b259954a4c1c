"""engage simulate: the fake Twilio by itself, in real time, to develop against without an account."""

import threading

import click

from engage.simulation.twilio import FakeTwilio, serve


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=4011, show_default=True)
@click.option("--account-sid", default="AC" + "0" * 32, show_default=True)
@click.option("--auth-token", default="a fake token", show_default=True)
@click.option("--inbound-url", help="Where texts of people are posted, e.g. http://127.0.0.1:8080/twilio/messages.")
@click.option("--number", "numbers", multiple=True, help="A number of the account; may be repeated.")
def simulate(port: int, account_sid: str, auth_token: str, inbound_url: str | None, numbers: tuple[str, ...]) -> None:
    """Serve a fake Twilio on this machine until Ctrl-C; point ENGAGE_TWILIO_API_URL at it."""
    fake = FakeTwilio(account_sid=account_sid, auth_token=auth_token, inbound_url=inbound_url, port=port)
    for number in numbers:
        fake.add_number(number)
    with fake:
        click.echo(f"A fake Twilio is at {fake.url} (account {account_sid}). Ctrl-C ends it.", err=True)
        serve(fake, threading.Event())
