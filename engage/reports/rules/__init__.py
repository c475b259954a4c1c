"""What is told of the past: why a text was or was not sent, in plain words, from facts that somebody else gathered."""
