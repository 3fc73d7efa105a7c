"""Time limits in processor time: a busy or suspended machine loses no run.

A limit on the wall clock also counts the time in which the machine ran other programs or was suspended. A
`ProcessorLimit` counts the processor time of one process (user and system, all its threads, from `/proc`; the wall
clock where there is no `/proc`). A second limit ends a deadlock: a process that sleeps for `ASLEEP_SECONDS` and takes
no processor time. A process that is ready to run but gets no core, or is stopped (SIGSTOP), counts as neither.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

ASLEEP_SECONDS = 600.0  # wall clock; a cold disk or a network folder answers sooner
LOOK_SECONDS = 1.0  # wall clock: the longest time between two looks at a process
_SHORTEST_LOOK = 0.01  # s: the clock of /proc has steps of this size
_TICKS = os.sysconf("SC_CLK_TCK")  # of that clock, a second


class TimeLimitError(Exception):
    """A process reached its time limit; the message says which."""


@dataclass(frozen=True)
class Usage:
    """Processor time of a process in seconds, and whether it sleeps."""

    seconds: float
    asleep: bool


class ProcessorLimit:
    """The time limit of one process.

    Parameters
    ----------
    pid : int
        The process.
    seconds : float
        Processor time from `restart` (or from the construction) to the limit.
    """

    def __init__(self, pid: int, seconds: float) -> None:
        self._pid = pid
        self.restart(seconds)

    def restart(self, seconds: float) -> None:
        """Count from here, to a limit of so many seconds of processor time."""
        self._limit, self._asleep = seconds, 0.0
        self._start = self._last = usage(self._pid).seconds
        self._looked = monotonic()
        self._look_again(seconds)

    def exceeded(self) -> str | None:
        """Return why the process must end; None while it is within its limits."""
        if monotonic() < self._next_look:
            return None
        current, now = usage(self._pid), monotonic()
        idle = current.asleep and current.seconds == self._last
        # A longer gap between two looks means that this process did not run either.
        self._asleep = self._asleep + min(now - self._looked, 2 * LOOK_SECONDS) if idle else 0.0
        self._last, self._looked = current.seconds, now
        remaining = self._start + self._limit - current.seconds
        self._look_again(remaining)
        if remaining < 0:
            return f"no result within {self._limit:g} s of processor time"
        if self._asleep > ASLEEP_SECONDS:
            return f"no result and no processor time for {ASLEEP_SECONDS:g} s"
        return None

    def wait_seconds(self) -> float:
        """Return how long to wait before the next call of `exceeded`."""
        return max(self._next_look - monotonic(), 0.0) + 1e-3

    def _look_again(self, remaining: float) -> None:
        self._next_look = self._looked + min(max(remaining, _SHORTEST_LOOK), LOOK_SECONDS)


def run_limited(
    command: Sequence[str], *, seconds: float, cwd: Path, env: Mapping[str, str]
) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end and return its output as text.

    Raises
    ------
    TimeLimitError
        When the program exceeds so many seconds of processor time, or sleeps for `ASLEEP_SECONDS`; it is killed.
    """
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as child:
        limit = ProcessorLimit(child.pid, seconds)
        try:
            while True:
                try:
                    out, err = child.communicate(timeout=limit.wait_seconds())
                    return subprocess.CompletedProcess(command, child.returncode, out, err)
                except subprocess.TimeoutExpired:
                    reason = limit.exceeded()
                    if reason is not None:
                        raise TimeLimitError(reason) from None
        finally:
            child.kill()


def usage(pid: int) -> Usage:
    """Return the processor time of a process and whether it sleeps."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:  # the process has ended, or there is no /proc
        return Usage(0.0 if Path("/proc/self/stat").exists() else monotonic(), asleep=False)
    return Usage((int(fields[11]) + int(fields[12])) / _TICKS, asleep=fields[0] in "SDI")
