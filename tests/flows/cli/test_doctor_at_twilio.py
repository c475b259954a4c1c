"""What engage doctor says of our numbers, services and registrations at Twilio: one sentence for each thing to mend."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests
from sqlalchemy import text
from twilio.rest.api.v2010.account.incoming_phone_number import IncomingPhoneNumberInstance
from twilio.rest.messaging.v1.brand_registration import BrandRegistrationInstance
from twilio.rest.messaging.v1.service import ServiceInstance
from twilio.rest.messaging.v1.service.us_app_to_person import UsAppToPersonInstance

from engage.simulation.twilio import FakeTwilio
from engage.simulation.twilio.console import brand_sid
from engage.simulation.twilio.senders import Registration
from engage.sms.account import TwilioAccount
from engage.sms.gateway import GatewayUnavailable
from engage.sms.rules.standing import campaign_faults
from tests.cast import OTHER_NUMBER, SUNRISE_NUMBER, SUNRISE_PAGES, Cast
from tests.flows.cli.conftest import Program
from tests.flows.outreach.desk import ACCOUNT, TOKEN

SERVICE = "MG" + "ab" * 16
PUBLIC = "https://engage.example.org"
INBOUND = f"{PUBLIC}/twilio/messages"


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeTwilio]:
    """An account whose numbers are set as they should be."""
    with FakeTwilio(account_sid=ACCOUNT, auth_token=TOKEN) as made:
        for name, value in {
            "PUBLIC_URL": PUBLIC,
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_API_URL": made.url,
        }.items():
            monkeypatch.setenv(f"ENGAGE_{name}", value)
        for number in (SUNRISE_NUMBER, SUNRISE_PAGES, OTHER_NUMBER):
            made.add_number(number, inbound_url=INBOUND)
        yield made


def about_twilio(engage: Program) -> list[str]:
    said = engage("doctor").out.splitlines()
    return [line for line in said if "+1202555010" in line or SERVICE in line or "Twilio was" in line]


def test_each_thing_to_mend_is_one_sentence(engage: Program, cast: Cast, fake: FakeTwilio) -> None:
    assert about_twilio(engage) == []
    fake.add_number(SUNRISE_NUMBER, inbound_url="https://old.example.org/sms")
    fake.add_number(SUNRISE_PAGES, inbound_url=INBOUND, inbound_method="GET")
    wrong_url, wrong_method = about_twilio(engage)
    assert f"posts texts to https://old.example.org/sms: set it to {INBOUND}" in wrong_url
    assert "by GET: set it to POST" in wrong_method
    fake.add_number(SUNRISE_PAGES, inbound_url=f"{INBOUND}#rc=3&rp=all")  # Twilio's own settings behind the address
    with cast.db.system_session("test") as session:
        session.execute(
            text("UPDATE senders SET messaging_service_sid = :sid WHERE phone = :phone"),
            {"sid": SERVICE, "phone": SUNRISE_NUMBER},
        )
    assert [line for line in about_twilio(engage) if SERVICE in line] == [
        f"- The Messaging Service {SERVICE} is not in this Twilio account: correct messaging_service_sid."
    ]
    fake.add_service(SERVICE, [SUNRISE_NUMBER], inbound_url=INBOUND)
    assert "no A2P 10DLC campaign" in " ".join(about_twilio(engage))
    fake.register(SERVICE, Registration())
    assert about_twilio(engage) == []
    fake.register(
        SERVICE, Registration(campaign_status="FAILED", brand_status="FAILED", brand_failure="EIN does not match")
    )
    assert ["not VERIFIED" in line or "EIN does not match" in line for line in about_twilio(engage)] == [True, True]


def test_a_number_of_somebody_else_and_a_twilio_that_does_not_answer(
    engage: Program, cast: Cast, fake: FakeTwilio
) -> None:
    with cast.db.system_session("test") as session:
        session.execute(
            text("UPDATE senders SET phone = '+12025550109' WHERE phone = :phone"), {"phone": SUNRISE_PAGES}
        )
    assert "+12025550109 is not in this Twilio account" in about_twilio(engage)[0]
    account = TwilioAccount(ACCOUNT, "another token", api_url=fake.url)
    with pytest.raises(GatewayUnavailable):
        account.number(SUNRISE_NUMBER)
    account.close()
    fake.stop()
    assert "Twilio was not looked at" in about_twilio(engage)[0]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"message_flow": "They agree. Up to 30 messages a week."}, "rates"),
        ({"message_flow": "They agree. Message and data rates may apply."}, "how often"),
        ({"samples": ("Hello",), "opt_out_message": ""}, "STOP"),
        ({"help_message": ""}, "help message"),
        ({"has_phone": False}, "phone number"),
    ],
)
def test_what_a_campaign_must_say(fake: FakeTwilio, changed: dict[str, object], says: str) -> None:
    fake.add_service(SERVICE, [SUNRISE_NUMBER])
    fake.register(SERVICE, replace(Registration(), **changed))  # type: ignore[arg-type]
    account = TwilioAccount(ACCOUNT, TOKEN, api_url=fake.url)
    [sentence] = campaign_faults(SERVICE, account.campaign(SERVICE))
    account.close()
    assert says in sentence


def test_the_fake_shows_what_the_sdk_of_twilio_reads(fake: FakeTwilio) -> None:
    """Every field that Twilio's SDK takes out of an answer is in ours, and no other."""
    fake.add_service(SERVICE, [SUNRISE_NUMBER])
    fake.register(SERVICE, Registration())
    numbers = f"/2010-04-01/Accounts/{ACCOUNT}/IncomingPhoneNumbers.json?PhoneNumber=%2B12025550100"
    answers = {
        IncomingPhoneNumberInstance: _get(fake, numbers)["incoming_phone_numbers"][0],
        ServiceInstance: _get(fake, f"/v1/Services/{SERVICE}"),
        UsAppToPersonInstance: _get(fake, f"/v1/Services/{SERVICE}/Compliance/Usa2p")["compliance"][0],
        BrandRegistrationInstance: _get(fake, f"/v1/a2p/BrandRegistrations/{brand_sid(SERVICE)}"),
    }
    for instance, shown in answers.items():
        assert set(re.findall(r'payload\.get\(\s*"(\w+)"', inspect.getsource(instance))) == set(shown), instance


def _get(fake: FakeTwilio, path: str) -> Any:
    answer = requests.get(fake.url + path, auth=(ACCOUNT, TOKEN), timeout=10)
    assert answer.status_code == 200
    return answer.json()
