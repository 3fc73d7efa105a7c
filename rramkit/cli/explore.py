"""`rramkit explore`: accuracy against energy over plans and experiments."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rramkit.cli import strict_json
from rramkit.cli.console import console
from rramkit.cli.options import ParameterPairs, Timeout, parameters
from rramkit.cli.progress import spice_progress, stage, stages
from rramkit.cli.rows import rows
from rramkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.table import Table as Grid

    from rramkit.learning.exploration import Exploration
    from rramkit.learning.explored import Explored, PointResult

ExplorationFile = Annotated[Path, typer.Argument(help="TOML file of an exploration.", metavar="EXPLORATION.toml")]


def explore(
    exploration: ExplorationFile,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of tables, finished points and results.", metavar="FOLDER")
    ] = Path("explore"),
    tables: Annotated[
        Path | None,
        typer.Option("--tables", help="Finished table file, in place of the exploration's.", metavar="TABLES.h5"),
    ] = None,
    pairs: ParameterPairs = None,
    workers: Annotated[int | None, typer.Option(help="Processes; default: one for each core.", min=1)] = None,
    timeout: Timeout = 120.0,
    list_points: Annotated[bool, typer.Option("--list", help="List tables and points, and stop.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress; print the path alone.")] = False,
) -> None:
    """Evaluate a network over the choices of a plan and an experiment; print the Pareto front of accuracy and energy.

    Choices of the plan are characterised in ngspice, each deck once: finished points are kept in the folder, shared by
    all, and the same command resumes there. With a finished table file nothing is simulated.
    """
    from rramkit.learning.explored import PICTURE, RESULTS
    from rramkit.learning.explored import explore as run
    from rramkit.processes import Processes

    settings = _settings(exploration, list(pairs or []), tables)
    if list_points:
        typer.echo(_planned(settings))
        return
    silent = quiet or as_json
    files = _tables(settings, exploration, tables, output, workers=workers, timeout=timeout, quiet=silent)
    stage("float network" if settings.way == "program" else "trainings")
    with stages("explore", quiet=silent) as show:

        def report(done: int, total: int, free: int) -> None:
            show("points", done, total, of="points", free=free, state=f"{free} finished before" if free else "")

        explored = run(settings, files, output, Processes(workers), progress=report)
    _draw(explored, output / PICTURE)
    if as_json:
        typer.echo(strict_json.text(explored.as_json(), indent=1))
        return
    if not quiet:
        _print(explored)
    typer.echo(output / RESULTS)


def _settings(path: Path, pairs: list[str], tables: Path | None) -> "Exploration":
    """Return the exploration of a file; `tables` takes the place of its plan or its tables."""
    from rramkit.learning.exploration import Exploration

    if path.suffix == ".h5":
        raise InputError(f"{path}: is a table file, not an exploration. Give it as `--tables {path}`.")
    if tables is not None:
        pairs = ["plan=", f"tables={tables}", *pairs]
    settings = parameters(Exploration, path, pairs)
    if not settings.plan and not settings.tables:
        raise InputError(f"{path}: names neither `plan` nor `tables`. Add one of them, or pass `--tables TABLES.h5`.")
    return settings


def _tables(
    settings: "Exploration",
    source: Path,
    given: Path | None,
    folder: Path,
    *,
    workers: int | None,
    timeout: float,
    quiet: bool,
) -> "Mapping[str, Path]":
    """Return the table file of each choice of the plan, characterised where it is not there."""
    if not settings.plan:
        return {"": given or settings.tables_path(source)}
    from rramkit.characterization.design import find_design  # with ngspice: not where tables are finished
    from rramkit.characterization.run import RunOptions
    from rramkit.proof.variants import Watch, tables_of

    changes = {settings.plan_text(point): settings.plan_changes(point, source) for point in settings.combinations()}
    options = RunOptions(workers=workers, timeout=timeout)
    watch = Watch(
        line=(lambda _: None) if quiet else (lambda text: typer.echo(text, err=True)),
        points=partial(spice_progress, quiet=quiet),
    )
    stage("tables of the plan")
    return tables_of(find_design(settings.plan_name(source)), changes, folder, options, watch)


def _planned(settings: "Exploration") -> str:
    """Return what would be characterised and evaluated."""
    points = settings.combinations()
    for point in points:
        settings.experiment_at(point)  # says what does not fit
    files = dict.fromkeys(settings.plan_text(point) or "as it is" for point in points)
    characterised = [f"{len(files)} table files of {settings.plan}:", *(f"  {label}" for label in files)]
    lines = characterised if settings.plan else [f"tables: {settings.tables}"]
    marks = {settings.text(settings.default_point): "  (default)"}
    texts = [settings.text(point) for point in points]
    return "\n".join([*lines, f"{len(points)} points:", *(f"  {text}{marks.get(text, '')}" for text in texts)])


def _print(explored: "Explored") -> None:
    """Print the front, what each axis does from the default, where numbers come from, and the verdict."""
    from rramkit.cli.chip import listed

    out = console()
    out.print(_grid("Pareto front", explored.front, explored.exploration))
    for axis in explored.exploration.axes:
        if len(axis.choices) > 1:
            title = f"{axis.name}, the rest as the default"
            out.print(_grid(title, explored.along(axis.name), explored.exploration, axis=axis.name))
    typer.echo(listed(explored.stages))
    typer.echo(rows(_verdict(explored), width=10))


def _grid(title: str, results: "Sequence[PointResult]", exploration: "Exploration", *, axis: str = "") -> "Grid":
    """Return a terminal table: setting, accuracies, energy and time of the reads for one input."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table as Grid

    from rramkit import units

    grid = Grid(title=escape(title), title_justify="left", box=box.SIMPLE_HEAD)
    grid.add_column("point" if not axis else axis, overflow="fold")
    for column in ("validation", "test", "energy", "time"):
        grid.add_column(column, justify="right", no_wrap=True)
    for each in results:
        setting = each.choices[axis] if axis else exploration.text(each.choices)
        error = "" if each.error is None else f" +- {100.0 * each.error:.2f}"
        test = "" if each.accuracy_test is None else units.percent(each.accuracy_test)
        numbers = (units.text(each.energy, "J"), units.text(each.seconds, "s"))
        grid.add_row(escape(setting), f"{units.percent(each.accuracy)}{error}", test, *numbers)
    return grid


def _verdict(explored: "Explored") -> list[tuple[str, str]]:
    """Return what the default and the best beside it give, by test images."""
    from rramkit import units

    default, best, text = explored.default, explored.best, explored.exploration.text
    lines = [("default", f"{text(default.choices)}: {_outcome(default)}")]
    if best is default:
        return [*lines, ("best", "no point is more accurate at no more energy than the default")]
    lines.append(("best", f"{text(best.choices)}: {_outcome(best)}"))
    gain = (best.accuracy_test or 0.0) - (default.accuracy_test or 0.0)
    saved = 1.0 - best.energy / default.energy if default.energy else 0.0
    more = f"{100.0 * gain:+.2f} points of test images at {units.percent(saved)} less energy"
    return [*lines, ("gain", f"{more}; chosen by validation images")]


def _outcome(result: "PointResult") -> str:
    from rramkit import units

    test = "" if result.accuracy_test is None else f", test {units.percent(result.accuracy_test)}"
    return f"validation {units.percent(result.accuracy)}{test}, {units.text(result.energy, 'J')} an image"


def _draw(explored: "Explored", path: Path) -> None:
    import numpy as np

    from rramkit import plots

    results = explored.results
    order = {id(each): index for index, each in enumerate(results)}
    energy, accuracy = (np.array([getattr(each, name) for each in results]) for name in ("energy", "accuracy"))
    chosen = [order[id(each)] for each in explored.front]
    default, best = (order[id(each)] for each in (explored.default, explored.best))
    plots.save(lambda ax: plots.pareto_front(ax, energy, accuracy, front=chosen, default=default, best=best), path)
