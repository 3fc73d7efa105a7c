"""What is written down while an agent trains: running totals, numbers by kind, updates of the target network."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field

import numpy as np

from rramkit.array.write.state import WriteCost
from rramkit.episodes import Series
from rramkit.learning.layers import ReadCost
from rramkit.learning.rl.banks import Rewrite

Rows = list[tuple[int, float]]


@dataclass
class TrainingLog:
    """What one training did so far; written in place.

    Attributes
    ----------
    step, batches : int
        Actions taken and batches learned from.
    solved : bool
        Whether two evaluations have reached the goal.
    tally : Tally
        What all writes did, those of the target's updates included.
    energy_read : float
        Energy of the array reads (J).
    episodes, judged, loss, energy : list
        Return of each episode at its last action; mean return of each evaluation at its action; mean loss of each round
        at its last batch; energy of writes and reads so far (J) after each round, at its action.
    rewrites : list
        What each update of the target network wrote, at its batch.
    """

    step: int = 0
    batches: int = 0
    solved: bool = False
    tally: WriteCost = field(default_factory=WriteCost)
    energy_read: float = 0.0
    episodes: Rows = field(default_factory=list)
    judged: Rows = field(default_factory=list)
    loss: Rows = field(default_factory=list)
    energy: Rows = field(default_factory=list)
    rewrites: list[tuple[int, Rewrite]] = field(default_factory=list)

    def read(self, reads: ReadCost) -> None:
        """Write down what array reads took."""
        self.energy_read += reads.energy
        if reads.clamped:
            self.tally += WriteCost(clamped=reads.clamped)

    def rewrote(self, rewrite: Rewrite) -> None:
        """Write down an update of the target network."""
        self.rewrites.append((self.batches, rewrite))
        self.tally += rewrite.tally

    @property
    def cells_rewritten(self) -> int:
        """Cells that all updates of the target network have written."""
        return sum(rewrite.cells for _, rewrite in self.rewrites)

    def series(self) -> dict[str, Series]:
        """Return the numbers by kind, for the episode file."""
        rewritten: Rows = [(batch, rewrite.cells) for batch, rewrite in self.rewrites]
        written: Rows = [(batch, rewrite.tally.energy) for batch, rewrite in self.rewrites]
        return {
            **{name: _series(getattr(self, name)) for name in _KINDS},
            "target_updates": _series(rewritten),
            "target_energy": _series(written),
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """Return all of it as arrays by name, for a checkpoint."""
        rewrites = [(batch, rewrite.cells, *astuple(rewrite.tally)) for batch, rewrite in self.rewrites]
        return {
            "totals": np.array([self.step, self.batches, self.solved, self.energy_read], dtype=float),
            "tally": np.array(astuple(self.tally)),
            "rewrites": np.array(rewrites).reshape(-1, 2 + len(astuple(WriteCost()))),
            **{name: np.array(getattr(self, name)).reshape(-1, 2) for name in _KINDS},
        }

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray]) -> "TrainingLog":
        """Return the diary that gave these `arrays`."""
        step, batches, solved, energy_read = arrays["totals"]
        rewrites = [(int(row[0]), Rewrite(int(row[1]), _tally(row[2:]))) for row in arrays["rewrites"]]
        rows = {name: [(int(at), float(value)) for at, value in arrays[name]] for name in _KINDS}
        totals = (int(step), int(batches), bool(solved), _tally(arrays["tally"]), float(energy_read))
        return cls(*totals, rewrites=rewrites, **rows)


_KINDS = ("episodes", "judged", "loss", "energy")


def _tally(row: np.ndarray) -> WriteCost:
    pairs = zip(astuple(WriteCost()), row, strict=True)
    return WriteCost(*(type(zero)(value) for zero, value in pairs))  # counts below 2^53 are exact as float64


def _series(rows: Rows) -> Series:
    return Series(np.array([row[0] for row in rows], dtype=np.int64), np.array([row[1] for row in rows], dtype=float))
