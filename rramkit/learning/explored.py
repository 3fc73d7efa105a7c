"""Points of an exploration, evaluated: accuracy and energy of each, the Pareto front, and the best beside the default.

The validation inputs choose; the test inputs are read on the front and at the default alone.

    front    points that no other beats in both accuracy and energy, nor in one of them with the other equal
    best     of the points that take no more energy than the default, the most accurate, then the least energy
"""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from rramkit import __version__, table
from rramkit.files import whole_file
from rramkit.learning.exploration import Exploration
from rramkit.learning.exploration_points import PointResult, digest, points_of
from rramkit.learning.finished_points import EVALUATED, FinishedPoints
from rramkit.lock import only_writer
from rramkit.processes import Executor
from rramkit.record.sources import StageSource

RESULTS, TABLE, PICTURE = "explore.json", "explore.csv", "explore.svg"
"""Files of an exploration that is whole, in its folder."""


@dataclass(frozen=True)
class Explored:
    """An exploration's outcome.

    Attributes
    ----------
    exploration : Exploration
        Its settings.
    results : tuple of PointResult
        One for each point, in their order.
    stages : tuple of StageSource
        What each stage reads at the default.
    """

    exploration: Exploration
    results: tuple[PointResult, ...]
    stages: tuple[StageSource, ...] = ()

    @property
    def default(self) -> PointResult:
        """The point that others are compared with."""
        chosen = self.exploration.default_point
        return next(each for each in self.results if dict(each.choices) == chosen)

    @property
    def front(self) -> list[PointResult]:
        """The Pareto front by rising energy."""
        return front(self.results)

    @property
    def best(self) -> PointResult:
        """The most accurate point that takes no more energy than the default; the default where none is better."""
        affordable = [each for each in self.results if each.energy <= self.default.energy]
        return min(affordable, key=lambda each: (-each.accuracy, each.energy))

    def as_json(self) -> dict[str, object]:
        """Return everything as plain values: points, and which of them are front, default and best, by their index."""
        index = {each.key + digest(dict(each.choices)): i for i, each in enumerate(self.results)}

        def at(result: PointResult) -> int:
            return index[result.key + digest(dict(result.choices))]

        return {
            "name": self.exploration.name,
            "kit_version": __version__,
            "settings": self.exploration.model_dump(mode="json"),
            "stages": [vars(each) for each in self.stages],
            "default": at(self.default),
            "front": [at(each) for each in self.front],
            "best": at(self.best),
            "points": [asdict(each) for each in self.results],
        }

    def as_csv(self) -> str:
        """Return one line for each point, the names of the columns first; what is not known is empty."""
        axes, on_front = [axis.name for axis in self.exploration.axes], {id(each) for each in self.front}
        numbers = [each.name for each in fields(PointResult) if each.name not in ("choices", "key")]
        text = io.StringIO()
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow([*axes, *numbers, "front", "default"])
        for each in self.results:
            values = [getattr(each, name) for name in numbers]
            marks = [int(id(each) in on_front), int(each is self.default)]
            lines.writerow([*each.choices.values(), *("" if value is None else value for value in values), *marks])
        return text.getvalue()

    def save(self, folder: Path) -> None:
        """Write `explore.json` and `explore.csv`."""
        with whole_file(folder / RESULTS) as draft:
            draft.write_text(json.dumps(self.as_json(), indent=1, allow_nan=False) + "\n", encoding="utf-8")
        with whole_file(folder / TABLE) as draft:
            draft.write_text(self.as_csv(), encoding="utf-8")

    def along(self, axis: str) -> list[PointResult]:
        """Return the points that differ from the default along one axis at most, in the order of its choices."""
        chosen = self.exploration.default_point
        choices = next(each.choices for each in self.exploration.axes if each.name == axis)
        of = {tuple(each.choices.values()): each for each in self.results}
        return [of[tuple({**chosen, axis: label}.values())] for label in choices]


def front(results: Sequence[PointResult]) -> list[PointResult]:
    """Return the points that no other beats in both accuracy and energy, by rising energy; of equal ones the first.

    Parameters
    ----------
    results : sequence of PointResult
        Any number.

    Returns
    -------
    list of PointResult
        The Pareto front.

    Examples
    --------
    >>> def at(accuracy, energy):
    ...     return PointResult({}, accuracy, None, energy, 0.0, 0.0, 0, 0, None, "")
    >>> [(each.accuracy, each.energy) for each in front([at(0.9, 2.0), at(0.8, 1.0), at(0.8, 3.0), at(0.9, 2.5)])]
    [(0.8, 1.0), (0.9, 2.0)]
    """
    found: list[PointResult] = []
    for each in sorted(results, key=lambda each: (each.energy, -each.accuracy)):
        if not found or each.accuracy > found[-1].accuracy:
            found.append(each)
    return found


def explore(
    exploration: Exploration,
    tables: Mapping[str, Path],
    folder: Path,
    executor: Executor,
    *,
    progress: Callable[[int, int, int], None] | None = None,
) -> Explored:
    """Run every point that is not in the folder's results, and write them: `explore.json` and `explore.csv`.

    Parameters
    ----------
    exploration : Exploration
        The settings.
    tables : mapping
        Table file by `Exploration.plan_text`.
    folder : Path
        Where results and run files are kept; the same call resumes there.
    executor : Executor
        Runs the points.
    progress : callable, optional
        Called with the number of points done, their total, and how many of them were finished before.

    Returns
    -------
    Explored
        Every point; the front and the default with their test accuracies.

    Raises
    ------
    InputError, TableError
        When an experiment does not fit its tables, or the folder's results are none.
    SetupError
        When a process is killed.

    Examples
    --------
    >>> from rramkit.processes import Processes
    >>> one = Exploration(tables="tables.h5", experiments={"mapping.rows": [16, 64]})
    >>> explored = explore(one, {"": Path("tables.h5")}, Path("explore"), Processes(1))  # doctest: +SKIP
    """
    points = points_of(exploration, tables, folder)
    default = next(each for each in points if dict(each.choices) == exploration.default_point)
    stages = default.experiment.on(default.experiment.chip.tables(table.load(default.tables))).sources
    folder.mkdir(parents=True, exist_ok=True)
    with only_writer(folder / RESULTS):
        finished = FinishedPoints(folder / EVALUATED, executor, progress)
        first = Explored(exploration, finished.with_missing(points), stages)
        wanted = {each.key for each in (*first.front, first.default, first.best)}
        finished.with_missing([replace(each, test=True) for each in points if each.key in wanted])
        outcome = Explored(exploration, finished.with_missing(points), stages)
        outcome.save(folder)
    return outcome
