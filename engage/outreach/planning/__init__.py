"""The parts of planning: what has changed, which moments are due, who reads, what is new, what moves. `plan` runs them."""
