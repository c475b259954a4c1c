"""The worker: a metronome that runs each verb again and again. The rows are the truth; it remembers nothing."""

from engage.worker.metronome import Metronome
from engage.worker.verbs import Verbs, gateway_of

__all__ = ["Metronome", "Verbs", "gateway_of"]
