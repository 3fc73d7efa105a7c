"""Finished points of an exploration, in the folder's file: one that stands there is not run again."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path

from rramkit.errors import InputError
from rramkit.files import whole_file
from rramkit.learning.exploration_points import Point, PointResult, evaluated, train_floats
from rramkit.processes import Executor

EVALUATED = "evaluated.json"
"""File of the points that are finished, whatever became of the rest."""

_FORMAT = "points of rramkit explore, 1"
_EVERY = 20  # points between two writes of the results: what a process loses that is killed from outside


class FinishedPoints:
    """The finished points of a folder's file, by key, and what runs those that it has not."""

    def __init__(self, path: Path, executor: Executor, progress: Callable[[int, int, int], None] | None) -> None:
        self._path, self._executor, self._progress = path, executor, progress
        self._known = _known(path)

    def with_missing(self, points: Sequence[Point]) -> tuple[PointResult, ...]:
        """Return the results of points; those that are not there run, and are in the file whatever ends the run."""
        missing = [each for each in points if not self._has(each)]
        if missing:
            train_floats(missing)
            try:
                self._run(missing, len(points))
            finally:
                self._keep()
        return tuple(replace(self._known[each.key], choices=each.choices) for each in points)

    def _run(self, missing: Sequence[Point], total: int) -> None:
        free = total - len(missing)
        for done, (_, result) in enumerate(self._executor.run(evaluated, missing), start=1):
            self._known[result.key] = result
            if self._progress is not None:
                self._progress(free + done, total, free)
            if done % _EVERY == 0:
                self._keep()

    def _has(self, point: Point) -> bool:
        found = self._known.get(point.key)
        return found is not None and (found.accuracy_test is not None or not point.test)

    def _keep(self) -> None:
        """Write all of them, or nothing."""
        values = {"format": _FORMAT, "points": [asdict(each) for each in self._known.values()]}
        with whole_file(self._path) as draft:
            draft.write_text(json.dumps(values, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _known(path: Path) -> dict[str, PointResult]:
    """Return the finished points of a file by key; none where there is no file.

    Raises
    ------
    InputError
        When the file is there and is no such file: it is another's, or damaged.
    """
    if not path.exists():
        return {}
    names = {each.name for each in fields(PointResult)}
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["format"] != _FORMAT or any(set(each) != names for each in values["points"]):
            raise ValueError("of another form")
        return {each["key"]: PointResult(**each) for each in values["points"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: holds no finished points of `rramkit explore` ({type(error).__name__}). Remove it, or name "
            "another folder with `-o`."
        ) from error
