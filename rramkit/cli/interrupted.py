"""Ctrl-C, or a request to end, as an exception."""


class Interrupted(BaseException):
    """Ctrl-C or a request to end, as a type that the command-line library does not catch."""
