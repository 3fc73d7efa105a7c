"""The command line: the roof of the house, which loads each room only when a command needs it."""

from rramkit.cli.entry import main

__all__ = ["main"]
