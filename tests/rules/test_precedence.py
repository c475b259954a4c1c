"""Whether those who wait come first: counted, and never for longer than the rest can bear."""

from engage.worker.precedence import Precedence


def test_the_unasked_wait_while_anybody_is_at_work_and_no_longer() -> None:
    precedence = Precedence(longest=60)
    assert not precedence.is_claimed()
    with precedence.claimed():
        assert precedence.is_claimed()
        with precedence.claimed():
            assert precedence.is_claimed()
        assert precedence.is_claimed()
    assert not precedence.is_claimed()


def test_work_that_fails_gives_its_place_back() -> None:
    precedence = Precedence(longest=60)
    try:
        with precedence.claimed():
            raise RuntimeError("a reply that cannot be read")
    except RuntimeError:
        pass
    assert not precedence.is_claimed()


def test_after_the_longest_time_the_unasked_have_one_turn() -> None:
    precedence = Precedence(longest=0)
    with precedence.claimed():
        assert [precedence.is_claimed() for _ in range(3)] == [False, False, False]
    patient = Precedence(longest=60)
    with patient.claimed():
        assert [patient.is_claimed() for _ in range(3)] == [True, True, True]
