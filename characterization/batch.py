"""Run one block's points: every deck once, a second time with finer steps where the first run failed."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rramkit.characterization.pool import SpicePool
from rramkit.characterization.progress import Progress, Report
from rramkit.characterization.simulate import Waveforms
from rramkit.errors import SimulationError


@dataclass
class Tally:
    """Counts over a whole characterisation: runs, swept points that ngspice solved, its seconds, second attempts."""

    runs: int = 0
    swept_points: int = 0
    seconds: float = 0.0
    retried: int = 0

    def add(self, waves: Waveforms) -> None:
        """Count one successful run. A point is one input or bias of a sweep; a transient is one."""
        self.runs += 1
        self.swept_points += next(iter(waves.vectors.values())).size if waves.kind == "dc" else 1
        self.seconds += waves.seconds


@dataclass(frozen=True)
class Bench:
    """Where points are run: the pool, who is told, and the counts."""

    pool: SpicePool
    report: Report
    tally: Tally = field(default_factory=Tally)

    def run(self, stage: str, decks: Sequence[Callable[[], str]]) -> list[Waveforms]:
        """Run all decks of a stage; return their waveforms in the same order.

        Raises
        ------
        SimulationError
            Of the first point that fails twice; the second attempt halves the largest step and tightens the tolerance.
        """
        results: list[Waveforms] = []
        for done, waves in self.pool.map(enumerate(decks)):
            ok = self._again(decks[done](), waves) if isinstance(waves, SimulationError) else waves
            self.tally.add(ok)
            results.append(ok)
            self.report(Progress(stage, done + 1, len(decks)))
        return results

    def _again(self, deck: str, first: SimulationError) -> Waveforms:
        if first.reason == "parse":
            raise first
        self.tally.retried += 1
        return self.pool.run(finer(deck))


def finer(deck: str) -> str:
    """Return the deck with half the largest time step and a tenth of the relative tolerance."""

    def halve(match: re.Match[str]) -> str:
        step, stop, start = (float(match[k]) for k in (1, 2, 3))
        return f".tran {step / 2:.9e} {stop:.9e} {start:g} {step / 2:.9e}"

    number = r"([-+.\deE]+)"
    text = re.sub(rf"(?m)^\.tran {number} {number} {number} {number}", halve, deck)
    return re.sub(r"reltol=1e-(\d)", lambda match: f"reltol=1e-{int(match[1]) + 1}", text)
