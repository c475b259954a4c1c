"""The command line: parse, call one verb, print. `main` turns every error we can explain into a sentence and an exit code."""

from engage.cli.main import main

__all__ = ["main"]
