"""Reading and writing run files: both kinds, and those of rramkit 0.1.0."""

from pathlib import Path
from typing import TypeVar

from rramkit import hdf5
from rramkit.errors import TableError
from rramkit.record import episodes, run
from rramkit.record.episodes import EpisodeRun
from rramkit.record.outcome import FORMAT, FORMAT_VERSION, TrainingOutcome
from rramkit.record.run import Run

AnyOutcome = TypeVar("AnyOutcome", bound=TrainingOutcome)
_READABLE = (2, FORMAT_VERSION)
_NAMES = {Run: "a supervised training (`rramkit train`)", EpisodeRun: "a training by reinforcement (`rramkit rl`)"}


def save(training: TrainingOutcome, path: str | Path) -> None:
    """Write a run file; it appears under `path` only when it is whole."""
    training.save(path)


def load(path: str | Path, kind: type[AnyOutcome] = Run) -> AnyOutcome:
    """Read a run file.

    Parameters
    ----------
    path : str or Path
        A file that `rramkit train`, `rramkit rl` or `save` wrote; formats 2 and 3, and episode files of format 1.
    kind : type
        `Run`, `EpisodeRun`, or `TrainingOutcome` for either.

    Returns
    -------
    Run or EpisodeRun
        The record; its `network` is restored when it is first used.

    Raises
    ------
    TableError
        When the file is missing, damaged, of another format, or of another kind.

    Examples
    --------
    >>> import rramkit as rk
    >>> run = rk.load_run("run.h5")
    >>> 0.0 <= run.accuracy <= 1.0, run.settings["epochs"]
    (True, 1)
    """
    training = _load(Path(path))
    if not isinstance(training, kind):
        raise TableError(
            f"{path}: holds {_NAMES[type(training)]}, not {_NAMES[kind]}. Pass one of that kind, or load it with "
            f"`record.load(path, record.{type(training).__name__})`."
        )
    return training


def _load(path: Path) -> Run | EpisodeRun:
    if path.is_file() and hdf5.format_of(path) == episodes.OLD_FORMAT:
        with hdf5.open_file(path, kind=episodes.OLD_FORMAT) as root:
            _check_version(path, root, (episodes.OLD_FORMAT_VERSION,))
            return episodes.read(root, path)
    with hdf5.open_file(path, kind=FORMAT) as root:
        _check_version(path, root, _READABLE)
        if str(root.attrs.get("kind", run.KIND)) == episodes.KIND:
            return episodes.read(root, path)
        return run.read(root, path)


def _check_version(path: Path, root: hdf5.Group, readable: tuple[int, ...]) -> None:
    version = round(hdf5.number(root, "format_version"))
    if version not in readable:
        formats = " and ".join(map(str, readable))
        raise TableError(f"{path}: run format {version}; this kit reads {formats}. Train again.")
