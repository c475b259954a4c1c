"""Emergencies as concepts: what of the body times what is wrong with it, whatever the order, and what takes it away."""

from collections.abc import Callable
from itertools import product

import pytest

from engage.replies.rules import Asked, Intent, Lexicon, Reading, read

# What, and what is wrong with it: every pair is an emergency.
CONCEPTS = [
    ("en", ["my face", "her mouth", "his smile"], ["is drooping", "went slack", "looks crooked", "is lopsided"]),
    ("en", ["her speech", "his words", "my talking"], ["is slurred", "came out garbled", "sounds like mush"]),
    ("en", ["his breathing", "my breathing"], ["is labored", "got real shallow", "is so fast", "keeps stopping"]),
    ("en", ["my chest", "dads chest"], ["feels tight", "is killing me", "has a weight on it", "is squeezing"]),
    ("en", ["my left arm", "her whole right side"], ["went numb", "is limp", "wont move", "is dead"]),
    ("en", ["took", "gave mom"], ["too many pain pills", "the wrong insulin", "double the morphine"]),
    ("en", ["slid off", "tumbled out of", "rolled off"], ["the bed", "her recliner", "the commode"]),
    ("en", ["his lips", "her fingertips", "my nails"], ["are blue", "look purple", "turned gray"]),
    ("es", ["la cara", "la boca"], ["se le torció", "la tiene chueca", "se le durmió"]),
    ("es", ["el pecho", "mi pecho"], ["me aprieta", "lo siento pesado", "me arde"]),
    ("es", ["se cayó", "me resbalé", "rodó"], ["de la cama", "en la ducha", "por las escaleras"]),
    ("es", ["los labios", "las uñas"], ["los tiene morados", "se ven azules"]),
]
PAIRS = [(lang, f"{what} {wrong}") for lang, whats, wrongs in CONCEPTS for what, wrong in product(whats, wrongs)]

# The same words where something takes the meaning away, and which guard does.
GUARDED = [
    ("en", "my face is not drooping", "denied"),
    ("en", "no chest pressure and no trouble breathing", "denied"),
    ("en", "afraid his lips might turn blue", "imagined"),
    ("en", "is chest pain a side effect of this", "imagined, said after it"),
    ("en", "the nurse told me to call 911 if it hurts", "imagined: an instruction"),
    ("en", "rolled off the bed last year", "past"),
    ("en", "last time i fell you sent a nice nurse", "past"),
    ("en", "my neighbor slid off the commode", "others"),
    ("en", "bleeding from the cut stopped", "over"),
    ("en", "nosebleed, stopped right away", "over, behind a comma"),
    ("en", "breathing gets hard when i climb the stairs", "exerted"),
    ("en", "a spot of blood on the bandage like always", "usual"),
    ("en", "fell but caught myself on the rail", "imagined: caught"),
    ("es", "no se me hinchó la lengua", "denied, reflexive"),
    ("es", "me cuesta respirar al subir las escaleras", "exerted"),
    ("es", "un poco de sangre en la gasa como siempre", "usual"),
    ("es", "me cae muy bien la enfermera", "no fall at all"),
]


@pytest.mark.parametrize(("language", "text"), PAIRS)
def test_every_pair_of_a_concept_is_urgent(language: str, text: str, reads: Callable[..., Reading]) -> None:
    assert Intent.URGENT in reads(text, "none", language).intents


@pytest.mark.parametrize(("language", "text", "guard"), GUARDED)
def test_a_guard_takes_it_away(language: str, text: str, guard: str, reads: Callable[..., Reading]) -> None:
    assert Intent.URGENT not in reads(text, "none", language).intents, guard


def test_exertion_is_no_excuse_at_rest(reads: Callable[..., Reading]) -> None:
    assert Intent.URGENT in reads("breathing is hard on the stairs and even sitting still").intents


def test_the_parts_of_a_concept_stand_in_one_clause(lexicon: Lexicon) -> None:
    """A face in one sentence and a droop in the next are no stroke."""
    reading = read("washed my face. the roses droop", Asked.NONE, lexicon=lexicon)
    assert Intent.URGENT not in reading.intents


def test_letters_that_changed_places(reads: Callable[..., Reading]) -> None:
    assert Intent.URGENT in reads("cehst pian since 3").intents
