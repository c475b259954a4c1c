"""Hints between processes: a word said is heard, however often it is said; a lost connection costs nothing but the hint."""

import threading
import time

from engage.db.hints import Herald, Listener
from tests.cast import Cast


class Ear:
    """What was heard."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self._is_new = threading.Event()

    def hear(self, word: str) -> None:
        self.words.append(word)
        self._is_new.set()

    def waits_for(self, word: str, seconds: float = 20) -> bool:
        until = time.monotonic() + seconds
        while word not in self.words and time.monotonic() < until:
            self._is_new.wait(0.05)
            self._is_new.clear()
        return word in self.words


def test_a_word_is_heard_by_every_worker(cast: Cast) -> None:
    ears = [Ear(), Ear()]
    listeners = [Listener(cast.db, ear.hear) for ear in ears]
    for listener in listeners:
        listener.start()
    herald = Herald(cast.db)
    until = time.monotonic() + 20
    while not all(ear.words for ear in ears) and time.monotonic() < until:
        herald.say("handle")  # the listeners may still be connecting
        time.sleep(0.05)
    herald.say("escalate")
    assert all(ear.waits_for("escalate") for ear in ears)
    for listener in listeners:
        listener.stop()


def test_a_thousand_texts_are_a_few_hints(cast: Cast) -> None:
    ear = Ear()
    listener = Listener(cast.db, ear.hear)
    listener.start()
    herald = Herald(cast.db)
    for _ in range(1000):
        herald.say("handle")
    herald.say("done")
    until = time.monotonic() + 20
    while "done" not in ear.words and time.monotonic() < until:
        herald.say("done")
        time.sleep(0.05)
    listener.stop()
    assert ear.words.count("handle") < 100


def test_after_a_lost_connection_it_listens_again(cast: Cast) -> None:
    ear = Ear()
    listener = Listener(cast.db, ear.hear)
    listener.start()
    herald = Herald(cast.db)
    until = time.monotonic() + 20
    while not ear.words and time.monotonic() < until:
        herald.say("handle")
        time.sleep(0.05)
    cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'engage hints'"
    with cast.db.engine.begin() as connection:
        connection.exec_driver_sql(cut)
    while "dispatch" not in ear.words and time.monotonic() < until:
        herald.say("dispatch")
        time.sleep(0.1)
    listener.stop()
    assert "dispatch" in ear.words
