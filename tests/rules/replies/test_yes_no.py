"""What is a yes, what a no, and what is neither."""

import pytest

from engage.replies.rules.yes_no import Said, read_yes_no

YES, NO = Said(True, True), Said(False, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Y", YES),
        ("yes.", YES),
        ("  Sí!! ", YES),
        ("Yes please", YES),
        ("OK", YES),
        ("n", NO),
        ("No, thank you.", NO),
        ("it's not", NO),
        ("No not really", NO),
        ("yes a lot harder", Said(True, False)),  # the rest is read too
        ("Y and my chest hurts", Said(True, False)),
        ("no but my chest hurts", None),  # a no must be all that was said
        ("yes?", YES),
        ("yes who is this?", None),  # a question
        ("not sure", None),
        ("4", None),
        ("", None),
        ("👍", None),
        ("yesterday", None),
        ("none", None),
    ],
)
def test_a_plain_answer(text: str, said: Said | None) -> None:
    assert read_yes_no(text) == said
