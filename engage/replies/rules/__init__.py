"""Reading what patients write back: text, what was asked and a lexicon in, a Reading with its evidence out."""

from engage.replies.rules.lexicon import Lexicon
from engage.replies.rules.reading import RULE_VERSION, Asked, Evidence, Intent, Reading, WantedTime
from engage.replies.rules.understand import read

__all__ = ["RULE_VERSION", "Asked", "Evidence", "Intent", "Lexicon", "Reading", "WantedTime", "read"]
