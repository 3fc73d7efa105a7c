"""The command line; each command imports what it needs when it runs."""

from rramkit.cli.entry import main

__all__ = ["main"]
