"""GET Messages.json as the SDK reads it: filters, dates, pages; redaction and deletion."""

from datetime import datetime, timedelta

import pytest
from twilio.base.exceptions import TwilioException, TwilioRestException

OURS = "+12025550100"
PATIENT = "+12025550143"
OTHER = "+12025550144"


@pytest.fixture
def day(fake, send, clock):
    """Ten texts, an hour apart from 15:00 on 2 March, to two patients in turn; all delivered."""
    for n in range(10):
        send(f"text {n}", to=PATIENT if n % 2 == 0 else OTHER)
        fake.deliver_due(clock.pass_(60))
        clock.pass_(3540)


def bodies(messages):
    return [message.body for message in messages]


@pytest.mark.usefixtures("day")
def test_newest_first_by_number(client):
    assert bodies(client.messages.list(to=PATIENT)) == ["text 8", "text 6", "text 4", "text 2", "text 0"]
    assert len(client.messages.list(from_=OURS)) == 10
    assert client.messages.list(to=OURS) == []


@pytest.mark.usefixtures("day")
@pytest.mark.parametrize("page_size", [1, 3, 5, 10, 50, 1000])
def test_the_sdk_follows_the_pages(client, fake, page_size):
    assert bodies(client.messages.list(page_size=page_size)) == [f"text {n}" for n in range(9, -1, -1)]
    lists = [r for r in fake.requests if r.method == "GET"]
    assert len(lists) == -(-10 // page_size)


@pytest.mark.usefixtures("day")
def test_a_new_text_does_not_shift_the_pages(client, send):
    page = client.messages.page(page_size=4)
    send("newer")
    assert bodies(page) == ["text 9", "text 8", "text 7", "text 6"]
    second = page.next_page()
    assert bodies(second) == ["text 5", "text 4", "text 3", "text 2"]
    assert bodies(second.previous_page()) == ["text 9", "text 8", "text 7", "text 6"]


@pytest.mark.usefixtures("day")
@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"date_sent_after": datetime(2026, 3, 2, 22)}, [9, 8, 7]),  # the first is sent a moment after 22:00
        ({"date_sent_before": datetime(2026, 3, 2, 16)}, [1, 0]),  # 16:00:00 includes its own second
        ({"date_sent_after": datetime(2026, 3, 2, 17), "date_sent_before": datetime(2026, 3, 2, 18, 30)}, [3, 2]),
        ({"date_sent": "2026-03-02"}, [8, 7, 6, 5, 4, 3, 2, 1, 0]),  # 15:00 to 23:00
        ({"date_sent": datetime(2026, 3, 3)}, [9]),  # the SDK sends midnight; Twilio means the day
        ({"date_sent_after": "2026-03-03"}, [9]),
        ({"date_sent_before": "2026-03-02"}, [8, 7, 6, 5, 4, 3, 2, 1, 0]),  # a day counts whole
        ({"date_sent_before": "2026-03-01"}, []),
        ({"to": OTHER, "date_sent_after": "2026-03-03"}, [9]),
    ],
)
def test_filters_by_date(client, filters, expected):
    assert bodies(client.messages.list(**filters)) == [f"text {n}" for n in expected]


@pytest.mark.parametrize("hides", [True, False])
def test_a_date_filter_may_miss_what_is_not_sent_yet(fake, client, send, clock, hides):
    fake.behaviour.list_hides_unsent = hides
    send()
    assert len(client.messages.list(to=PATIENT)) == 1
    since = clock() - timedelta(minutes=5)
    assert len(client.messages.list(to=PATIENT, date_sent_after=since)) == (0 if hides else 1)
    fake.deliver_due(clock.pass_(60))
    assert len(client.messages.list(to=PATIENT, date_sent_after=since)) == 1


@pytest.mark.parametrize("filters", [{"date_sent": "yesterday"}, {"page_size": 1001}, {"page_token": "XX1"}])
def test_a_bad_filter_is_refused(client, filters):
    if "page_token" in filters:
        with pytest.raises(TwilioException):
            client.messages.page(**filters)
    else:
        with pytest.raises(TwilioException):
            client.messages.list(**filters)


def test_an_ended_text_can_be_redacted_and_deleted(fake, client, send, clock):
    message = send("Ada's heart failure")
    for forbidden in (lambda: message.update(body=""), message.delete):
        with pytest.raises(TwilioRestException) as refused:
            forbidden()
        assert refused.value.code == 20009  # still under way
    fake.deliver_due(clock.pass_(60))
    with pytest.raises(TwilioRestException):
        client.messages(message.sid).update(body="another text")
    assert client.messages(message.sid).update(body="").body == ""
    assert client.messages(message.sid).delete()
    with pytest.raises(TwilioRestException) as gone:
        client.messages(message.sid).fetch()
    assert gone.value.code == 20404
    assert fake.messages == []


def test_only_so_many_finished_texts_are_kept(build, sdk, clock):
    fake = build(keep=3)
    client = sdk(fake)
    for n in range(8):
        client.messages.create(to=PATIENT, from_=OURS, body=f"text {n}")
    assert len(fake.messages) == 8  # all under way
    fake.deliver_due(clock.pass_(60))
    assert [m.body for m in fake.messages] == ["text 5", "text 6", "text 7"]
