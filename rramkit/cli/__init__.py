"""The command line: the roof of the house, which loads each room only when a command needs it."""

from rramkit.cli.app import main

__all__ = ["main"]
