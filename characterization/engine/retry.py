"""Retry of failed runs: which deck, which convergence aid, and which attempt follows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from rramkit.characterization.deck_file import DeckOptions, with_notes
from rramkit.characterization.engine.cache_key import content_key
from rramkit.characterization.engine.convergence_aids import AGAIN, HOPELESS, KILLED_MOST, LADDER
from rramkit.characterization.engine.point import Job, Outcome, Point, PointGroup
from rramkit.errors import SimulationError


@dataclass(frozen=True)
class Attempt:
    """One attempt at a run.

    Attributes
    ----------
    place : int
        Of its first point in the stage.
    run : Point or PointGroup
        What is run.
    deck : str
        The deck as written.
    key : bytes
        The content's hash.
    aid : int
        Number of its convergence aid.
    repeated : bool
        Whether a deck was already run once more as it stands.
    killed : int
        Times that its process was killed from outside.
    alone : bool
        Whether it is a point of a group whose deck failed.
    """

    place: int
    run: Point | PointGroup
    deck: str
    key: bytes
    aid: int = 0
    repeated: bool = False
    killed: int = 0
    alone: bool = False

    @property
    def points(self) -> tuple[Point, ...]:
        """Return the points that this run answers."""
        return self.run.points if isinstance(self.run, PointGroup) else (self.run,)

    def job(self) -> Job:
        """Return what an executor is given."""
        return Job(LADDER[self.aid].change(self.deck), self.run.measure)

    def after(self, error: SimulationError) -> "Attempt | None":
        """Return the attempt that follows an error; None: nothing is left, or a group's points must run alone."""
        if error.reason == "killed" and self.killed < KILLED_MOST:
            return replace(self, killed=self.killed + 1)
        if error.reason in AGAIN and not self.repeated:
            return replace(self, repeated=True)
        if isinstance(self.run, PointGroup) or error.reason in HOPELESS or self.aid + 1 == len(LADDER):
            return None
        return replace(self, aid=self.aid + 1)

    def outcomes(self, outcome: Outcome) -> Iterator[tuple[int, Point, Outcome]]:
        """Yield (place, point, outcome) of each point of the run, values and time of a group split among them."""
        count = len(self.points)
        for k, point in enumerate(self.points):
            values = (
                outcome.values if outcome.values is None or not isinstance(self.run, PointGroup) else outcome.values[k]
            )
            share = replace(
                outcome,
                values=values,
                seconds=outcome.seconds / count,
                repeats=self.killed + self.repeated,
                alone=self.alone,
            )
            yield self.place + k, point, share


def first_attempts(
    runs: Iterable[Point | PointGroup],
    simulator: str,
    *,
    waive: tuple[str, ...] = (),
    place: int = 0,
    alone: bool = False,
) -> Iterator[Attempt]:
    """Yield the first attempt at each run; its deck is generated only then, and says which warnings are accepted."""
    for run in runs:
        deck = with_notes(run.make_deck(), DeckOptions(waive=waive))
        attempt = Attempt(place, run, deck, content_key(deck, run.measure, simulator), alone=alone)
        place += len(attempt.points)
        yield attempt
