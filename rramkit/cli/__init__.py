"""The command line; each command loads the modules that it needs."""

from rramkit.cli.entry import main

__all__ = ["main"]
