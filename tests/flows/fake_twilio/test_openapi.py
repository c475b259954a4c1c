"""Every kind of answer satisfies Twilio's own OpenAPI document (when it lies beside the checkout) and our own list of keys."""

import json
from pathlib import Path

import pytest
import requests
from jsonschema import Draft202012Validator

from engage.simulation.twilio import Pickup

ACCOUNT = "AC" + "0123456789abcdef" * 2
TOKEN = "a token of the tests"
OURS = "+12025550100"
PATIENT = "+12025550143"
SERVICE = "MG" + "ab" * 16
DOCUMENT = Path(__file__).resolve().parents[4] / "shared" / "data" / "twilio_messages_openapi.json"
BASE = "/2010-04-01/Accounts/{AccountSid}/"

MESSAGE_KEYS = {
    "account_sid", "api_version", "body", "date_created", "date_sent", "date_updated", "direction",
    "error_code", "error_message", "from", "messaging_service_sid", "num_media", "num_segments", "price",
    "price_unit", "sid", "status", "subresource_uris", "to", "uri",
}  # fmt: skip
CALL_KEYS = {
    "account_sid", "answered_by", "api_version", "caller_name", "date_created", "date_updated", "direction",
    "duration", "end_time", "forwarded_from", "from", "from_formatted", "group_sid", "parent_call_sid",
    "phone_number_sid", "price", "price_unit", "queue_time", "sid", "start_time", "status", "subresource_uris",
    "to", "to_formatted", "trunk_sid", "uri",
}  # fmt: skip
PAGE_KEYS = {"end", "first_page_uri", "next_page_uri", "page", "page_size", "previous_page_uri", "start", "uri"}


def nullable_understood(schema):
    """OpenAPI 3.0 as JSON Schema: `nullable` becomes a second type; unknown keys are not allowed."""
    if isinstance(schema, list):
        return [nullable_understood(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    changed = {key: nullable_understood(value) for key, value in schema.items() if key != "nullable"}
    if schema.get("nullable") and isinstance(schema.get("type"), str):
        changed["type"] = [schema["type"], "null"]
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        changed.setdefault("additionalProperties", False)
    return changed


class Wire:
    """Plain HTTP to the fake; every answer is held against the document."""

    def __init__(self, fake):
        self.fake = fake
        self.document = json.loads(DOCUMENT.read_text()) if DOCUMENT.is_file() else None
        self.session = requests.Session()
        self.session.auth = (ACCOUNT, TOKEN)

    def ask(self, method, path, template=None, **options):
        answer = self.session.request(method, f"{self.fake.url}{BASE.format(AccountSid=ACCOUNT)}{path}", **options)
        if self.document is not None:
            self.judge(answer, method, BASE + (template or path.partition("?")[0]))
        return answer

    def judge(self, answer, method, template):
        responses = self.document["paths"][template][method.lower()]["responses"]
        assert str(answer.status_code) in responses, f"{answer.status_code} is not in the document"
        content = responses[str(answer.status_code)].get("content")
        if content is None:
            assert answer.content == b""
            return
        assert answer.headers["Content-Type"] in content
        schema = nullable_understood(
            {**content["application/json"]["schema"], "components": self.document["components"]}
        )
        Draft202012Validator(schema).validate(answer.json())


@pytest.fixture
def wire(fake):
    wire = Wire(fake)
    yield wire
    wire.session.close()


def test_messages_satisfy_the_document_in_every_status(fake, wire, clock):
    fake.add_service(SERVICE, [OURS])
    for n, kind in enumerate(["mobile", "landline", "unreachable", "silent"]):
        fake.add_phone(f"+1202555016{n}", kind=kind)
        for sender in ({"From": OURS}, {"MessagingServiceSid": SERVICE}):
            sent = wire.ask("POST", "Messages.json", data={"To": f"+1202555016{n}", "Body": "Hi", **sender})
            assert sent.status_code == 201
            assert set(sent.json()) == MESSAGE_KEYS
    fake.text_in(PATIENT, OURS, "hello", media=1)
    for _ in range(6):
        for message in [*fake.messages, *fake.texts_in]:
            assert wire.ask("GET", f"Messages/{message.sid}.json", "Messages/{Sid}.json").json()["sid"] == message.sid
        if (due := fake.next_due_at()) is not None:
            fake.deliver_due(max(due, clock()))
    fake.deliver_due(clock.pass_(3600))
    for query in ("", "?PageSize=2", "?PageSize=2&Page=1", f"?To={OURS.replace('+', '%2B')}", "?DateSent>=2026-03-02"):
        page = wire.ask("GET", f"Messages.json{query}").json()
        assert set(page) == PAGE_KEYS | {"messages"}
        assert all(set(message) == MESSAGE_KEYS for message in page["messages"])
    ended = fake.messages[0].sid
    assert wire.ask("POST", f"Messages/{ended}.json", "Messages/{Sid}.json", data={"Body": ""}).json()["body"] == ""
    assert wire.ask("DELETE", f"Messages/{ended}.json", "Messages/{Sid}.json").status_code == 204


def test_calls_satisfy_the_document_in_every_status(fake, wire, door, clock):
    fake.add_phone(PATIENT, on_call=lambda call, _: Pickup())
    form = {"To": PATIENT, "From": OURS, "Twiml": "<Response><Pause length='5'/></Response>"}
    call = wire.ask("POST", "Calls.json", data=form).json()
    assert set(call) == CALL_KEYS
    seen = set()
    while fake.next_due_at() is not None:
        fake.deliver_due(fake.next_due_at())
        seen.add(wire.ask("GET", f"Calls/{call['sid']}.json", "Calls/{Sid}.json").json()["status"])
    assert seen == {"queued", "ringing", "in-progress", "completed"}
    page = wire.ask("GET", "Calls.json?PageSize=1").json()
    assert set(page) == PAGE_KEYS | {"calls"}
    assert wire.ask("DELETE", f"Calls/{call['sid']}.json", "Calls/{Sid}.json").status_code == 204


@pytest.mark.parametrize(
    ("method", "path", "template", "status", "order"),
    [
        ("POST", "Messages.json", None, 400, "ok"),
        ("POST", "Messages.json", None, 403, "refuse:20005"),
        ("POST", "Messages.json", None, 429, "429"),
        ("POST", "Messages.json", None, 500, "500_before"),
        ("POST", "Messages.json", None, 503, "503_before"),
        ("POST", "Calls.json", None, 400, "ok"),
        ("GET", f"Messages/SM{'0' * 32}.json", "Messages/{Sid}.json", 404, "ok"),
        ("GET", f"Calls/CA{'0' * 32}.json", "Calls/{Sid}.json", 404, "ok"),
        ("DELETE", f"Messages/SM{'0' * 32}.json", "Messages/{Sid}.json", 404, "ok"),
        ("GET", "Messages.json?PageSize=0", None, 400, "ok"),
    ],
)
def test_errors_satisfy_the_document(fake, wire, method, path, template, status, order):
    if method == "POST":
        fake.next_create(order)
    answer = wire.ask(method, path, template, data={})
    assert answer.status_code == status
    error = answer.json()
    assert set(error) == {"code", "message", "more_info", "status"}
    assert error["status"] == status
    assert error["more_info"] == f"https://www.twilio.com/docs/errors/{error['code']}"


def test_wrong_credentials_satisfy_the_document(wire):
    wire.session.auth = (ACCOUNT, "another token")
    answer = wire.ask("GET", "Messages.json")
    assert (answer.status_code, answer.json()["code"]) == (401, 20003)
