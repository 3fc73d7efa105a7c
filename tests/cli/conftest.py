"""The command line, run in the test's own process."""

import sys

import pytest

from rramkit.cli import entry


@pytest.fixture
def kit(monkeypatch, capfd):
    """Run the command line in this process; return exit code, output, error output."""
    monkeypatch.setattr("signal.signal", lambda *_: None)  # the test's own handlers stay
    monkeypatch.setattr(entry, "_mute_output", lambda: None)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["rramkit", *arguments])
        with pytest.raises(SystemExit) as ended:
            entry.main()
        captured = capfd.readouterr()
        return ended.value.code, captured.out, captured.err

    return call
