"""The error tree, on one screen: each class says what its catcher should do; refusals are values, not errors."""


class EngageError(Exception):
    """Something Engage can explain: the text is one clear sentence for a person. The CLI prints it and exits 1.

    `reason`, a word with its `values`, says the same to programs: the console words it in the reader's language.
    """

    exit_code = 1

    def __init__(self, says: str = "", *, reason: str | None = None, **values: object) -> None:
        super().__init__(says)
        self.reason, self.values = reason, values


class ConfigurationError(EngageError):
    """A setting is missing or wrong: say which and how to set it, before anything runs. The CLI exits 2."""

    exit_code = 2


class BadInput(EngageError):
    """What a person gave cannot be used: say what, where and what to do; nothing was written. The CLI exits 2."""

    exit_code = 2


class NotFound(EngageError):
    """The thing that was named does not exist here: say where to look."""


class Conflict(EngageError):
    """The row moved on since it was read: read it again before deciding."""
