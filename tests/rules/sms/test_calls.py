"""What a call's words mean: somebody listened, somebody may still, or nobody did and why."""

import pytest

from engage.sms.rules.calls import PRESSED, CallEnd, CallNews, call_news
from engage.sms.rules.statuses import MessageState as S


@pytest.mark.parametrize(
    ("status", "answered_by", "news"),
    [
        ("queued", None, CallNews(S.ACCEPTED)),
        ("initiated", None, CallNews(S.ACCEPTED)),
        ("ringing", None, CallNews(S.ACCEPTED)),
        ("in-progress", "human", CallNews(S.SENT)),  # picked up; whether it was heard is told at the end
        ("in-progress", None, CallNews(S.SENT)),
        ("completed", "human", CallNews(S.DELIVERED)),
        ("Completed ", "Human", CallNews(S.DELIVERED)),
        ("completed", "machine_start", CallNews(S.UNDELIVERED, CallEnd.MACHINE)),
        ("completed", "machine_end_beep", CallNews(S.UNDELIVERED, CallEnd.MACHINE)),
        ("completed", "fax", CallNews(S.UNDELIVERED, CallEnd.MACHINE)),
        ("completed", "unknown", CallNews(S.UNDELIVERED, CallEnd.MACHINE)),  # nobody could tell: no proof of a listener
        ("completed", None, CallNews(S.UNDELIVERED, CallEnd.MACHINE)),
        ("busy", None, CallNews(S.UNDELIVERED, CallEnd.BUSY)),
        ("no-answer", None, CallNews(S.UNDELIVERED, CallEnd.NO_ANSWER)),
        ("failed", None, CallNews(S.FAILED, CallEnd.FAILED)),
        (
            "canceled",
            None,
            CallNews(S.UNDELIVERED, CallEnd.CANCELED),
        ),  # cancelled would free the occasion to be called again
        (PRESSED, None, CallNews(S.DELIVERED)),
        ("pondering", None, None),
        ("", "human", None),
    ],
)
def test_means(status: str, answered_by: str | None, news: CallNews | None) -> None:
    assert call_news(status, answered_by) == news


def test_every_end_without_a_listener_has_a_reason() -> None:
    words = ("busy", "no-answer", "failed", "canceled", "completed")
    told = [call_news(word, "machine_start") for word in words]
    told.append(call_news("completed", "human", needs_key=True))
    assert {news.end for news in told if news} == set(CallEnd)


def test_a_page_counts_only_when_a_key_was_pressed() -> None:
    assert call_news("completed", "human", needs_key=True) == CallNews(S.UNDELIVERED, CallEnd.NO_KEY)
    assert call_news("completed", "machine_start", needs_key=True) == CallNews(S.UNDELIVERED, CallEnd.MACHINE)
    assert call_news(PRESSED, None, needs_key=True) == CallNews(S.DELIVERED)
