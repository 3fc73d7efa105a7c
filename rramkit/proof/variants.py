"""Variants of a design: table files of it with changed parameters, which share one file of finished points.

The cache key of a point is what its deck is made of, so a variant runs only the decks that its parameters touch, and
one whose table file is there already runs none.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from rramkit.characterization.design import Design, find_design
from rramkit.characterization.engine.runner import Report, silent
from rramkit.characterization.engine.store import store_of
from rramkit.characterization.run import RunOptions, characterize, reusable
from rramkit.errors import InputError
from rramkit.learning.driver import Report as TrainingReport
from rramkit.learning.sweep import file_name
from rramkit.proof.parameters import changed, value_of
from rramkit.table import TableFile

POINTS = "explore.points"
"""File of the finished points of all variants, in their folder."""

PLAN = "plan"
"""Name of a change that takes another plan in place of the design: a name of the kit's, or a TOML file."""


@dataclass(frozen=True)
class Watch:
    """Where progress is reported.

    Attributes
    ----------
    line : callable
        Called with a line of text at each stage.
    points : callable
        Opens the display of one characterisation, which takes each point that ends.
    epochs : callable
        Opens that of one training of so many epochs, which takes each epoch's report.
    """

    line: Callable[[str], None] = field(default=lambda _: None)
    points: Callable[[], AbstractContextManager[Report]] = field(default=lambda: nullcontext(silent))
    epochs: Callable[[int], AbstractContextManager[Callable[[TrainingReport], None]]] = field(
        default=lambda _: nullcontext(lambda _: None)
    )


def variant(design: Design, changes: Mapping[str, object]) -> Design:
    """Return a design with several of its parameters changed, in the order given.

    Parameters
    ----------
    design : Design
        The design.
    changes : mapping
        Value by the end of a parameter's dotted path, for instance `crossbar.r_row`; `plan` takes another plan first.

    Returns
    -------
    Design
        The new design.

    Raises
    ------
    InputError
        When a name is no parameter of the design, or a value is no number, not whole where it must be, or out of
        bounds.

    Examples
    --------
    >>> from rramkit.characterization.design import find_design
    >>> variant(find_design("wires"), {"crossbar.r_row": 2.0}).plans[0].nominal.crossbar.r_row
    2.0
    """
    if PLAN in changes:
        design = find_design(str(changes[PLAN]))
    for name, value in changes.items():
        if name == PLAN:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"`{name}` must be a number to explore a plan with; got {value!r}. Fix its value.")
        design, _ = changed(design, name, float(value))
        if value_of(design, name) != value:
            raise InputError(f"`{name}` must be a whole number; got {value:g}. Fix its value.")
    return design


def tables_of(
    design: Design,
    changes: Mapping[str, Mapping[str, object]],
    folder: Path,
    options: RunOptions,
    watch: Watch | None = None,
) -> dict[str, Path]:
    """Return the table file of every variant of a design; all share one file of finished points.

    Parameters
    ----------
    design : Design
        The design.
    changes : mapping
        What each variant changes (`variant`), by its label; its file in `folder` is called by that.
    folder : Path
        Where files are kept; the same call resumes there.
    options : RunOptions
        Workers and the like; the file of finished points is `explore.points` in the folder.
    watch : Watch, optional
        Where progress is reported.

    Returns
    -------
    dict of str to Path
        File by label.

    Raises
    ------
    InputError
        As `variant`, of every variant before any of them runs.
    SimulationError, SetupError
        As `characterize`.

    Examples
    --------
    >>> from rramkit.characterization.design import find_design
    >>> tables_of(find_design("wires"), {}, Path("explore"), RunOptions())
    {}
    """
    designs = {label: variant(design, each) for label, each in changes.items()}  # all are checked before any runs
    folder.mkdir(parents=True, exist_ok=True)
    paths = {label: folder / f"{file_name(label) or 'tables'}-{each.key()}.h5" for label, each in designs.items()}
    for label, each in designs.items():
        characterized(each, paths[label], folder / POINTS, options, watch or Watch())
    return paths


def characterized(design: Design, path: Path, base: Path, options: RunOptions, watch: Watch) -> TableFile:
    """Return the tables of a design: those of its file where the same inputs made it, else run with finished points.

    Parameters
    ----------
    design : Design
        The design.
    path : Path
        Its table file.
    base : Path
        Table file beside which the finished points of all designs stand, or that file of points itself.
    options : RunOptions
        Workers and the like.
    watch : Watch
        Where progress is reported.

    Returns
    -------
    TableFile
        The tables.

    Raises
    ------
    SimulationError, InputError, SetupError
        As `characterize`.

    Examples
    --------
    >>> from rramkit.characterization.design import find_design
    >>> design, base = find_design("wires"), Path("base.h5")
    >>> tables = characterized(design, Path("thin.h5"), base, RunOptions(), Watch())  # doctest: +SKIP
    """
    finished = reusable(design, path)
    if finished is not None:
        return finished
    watch.line(f"characterising {path.name}")
    with watch.points() as report:
        return characterize(design, path, replace(options, points=store_of(base), report=report))
