"""`rramkit demo`: the whole chain once: ngspice, tables, training, report, summary."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from rramkit.cli import failed_deck, residuals, strict_json
from rramkit.cli.console import console
from rramkit.cli.options import Timeout
from rramkit.cli.progress import spice_progress
from rramkit.files import check_writable, whole_file

if TYPE_CHECKING:
    from rramkit.record import Run
    from rramkit.table import TableFile


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.", metavar="FOLDER")] = Path(
        "build/demo"
    ),
    workers: Annotated[int | None, typer.Option(help="ngspice processes; default: one for each core.", min=1)] = None,
    timeout: Timeout = 120.0,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Characterise cell, array and periphery in ngspice, train a network through their tables, write a report."""
    from rramkit.cli.report import price_of
    from rramkit.processes import beside
    from rramkit.report.page import chapters, report

    check_writable(output / "summary.json")
    out = console(stderr=json)
    tables = _tables(output / "tables.h5", workers, timeout, out)
    run = _finished(output, out)
    if run is None or not _same(output, "report", _report):
        with beside(chapters, output / "tables.h5") as drawn:  # most pictures of the report, while the network trains
            run = run or _train(tables, output, out)
            priced = price_of(tables, run, path=output / "run.h5")
            pictures = None if drawn.exception() else drawn.result()
            report(tables, run, output / "report.html", drawn=pictures, priced=priced)
    else:
        out.print(f"Reusing the report {output / 'report.html'} (same tables, training and code).", markup=False)
    summary = _summary(tables, run) | {"training": _training(output), "report": _report(output)}
    text = strict_json.text(summary, indent=1)
    with whole_file(output / "summary.json") as draft:
        draft.write_text(text + "\n", encoding="utf-8")
    if json:
        typer.echo(text)
    for name in ("tables.h5", "run.h5", "report.html", "summary.json"):
        out.print(f"{output / name}", highlight=False, markup=False)
    if not all(points.passed for points in residuals.of_tables(tables).values()):
        raise typer.Exit(1)


def _tables(path: Path, workers: int | None, timeout: float, out: Console) -> "TableFile":
    from rramkit.characterization.design import find_design
    from rramkit.characterization.run import RunOptions, characterize, reusable

    plan = find_design("chip")
    tables = reusable(plan, path)
    if tables is None:
        out.print("Characterising cell, array and periphery in ngspice ...")
        with failed_deck.kept_beside(path), spice_progress(quiet=False) as show:
            tables = characterize(plan, path, RunOptions(workers=workers, timeout=timeout, report=show))
    else:
        out.print(f"Reusing the finished characterisation {path} (same plan, models, ngspice and kit).", markup=False)
    out.print(residuals.as_grid(residuals.of_tables(tables), "Held-out SPICE points against the tables"))
    return tables


def _training(output: Path) -> dict[str, str]:
    """Return what decides the numbers of the training, and which run file it gave."""
    from rramkit import compiling
    from rramkit.learning.experiment import Experiment

    sums = {name: _sum(output / name) for name in ("tables.h5", "run.h5")}
    return {"experiment": Experiment().key(), "code": _code(), "kernels": compiling.family()} | sums


def _report(output: Path) -> dict[str, str]:
    """Return what decides the report, and which one it gave."""
    return {"code": _code()} | {name: _sum(output / name) for name in ("tables.h5", "run.h5", "report.html")}


def _code() -> str:
    """Return the sum of the kit's own files: a checkout is edited under one version."""
    from rramkit import compiling

    kit = Path(compiling.__file__).parent
    return _sum(*sorted(path for path in kit.rglob("*") if path.suffix in (".py", ".j2", ".css")))


def _sum(*paths: Path) -> str:
    """Return the SHA-256 of files one after the other."""
    import hashlib

    found = hashlib.sha256()
    for path in paths:
        found.update(path.read_bytes())
    return found.hexdigest()


def _same(output: Path, name: str, now: Callable[[Path], dict[str, str]]) -> bool:
    """Return whether an earlier demo's summary has under a name what holds now."""
    import json

    try:
        kept = json.loads((output / "summary.json").read_text(encoding="utf-8"))
        return isinstance(kept, dict) and kept.get(name) == now(output)
    except (OSError, ValueError):  # no earlier demo, or a damaged one
        return False


def _finished(output: Path, out: Console) -> "Run | None":
    """Return the run of an earlier demo when its training would be the same; None: it is to be trained."""
    from rramkit import record

    if not _same(output, "training", _training):
        return None
    out.print(f"Reusing the finished training {output / 'run.h5'} (same experiment, tables and code).", markup=False)
    run = record.load(output / "run.h5")
    _say_accuracy(run, out)
    return run


def _train(tables: "TableFile", output: Path, out: Console) -> "Run":
    from rramkit import record
    from rramkit.cli.train import show_notices, train_with_progress
    from rramkit.learning.experiment import Experiment

    out.print("Training a network on the digits, every product and every update through the tables ...")
    run = train_with_progress(tables, Experiment(), tables_name="tables.h5")
    record.save(run, output / "run.h5")
    show_notices(run)
    _say_accuracy(run, out)
    return run


def _say_accuracy(run: "Run", out: Console) -> None:
    from rramkit import units

    accuracy, float_accuracy = units.percent(run.accuracy), units.percent(run.float_accuracy)
    out.print(f"Test accuracy [bold]{accuracy}[/] (float network, same budget: {float_accuracy})")


def _summary(tables: "TableFile", run: "Run") -> dict[str, object]:
    provenance = tables.provenance
    return {
        "spice_runs": int(provenance["spice_runs"]),
        "spice_points": int(provenance["spice_points"]),
        "spice_retried": int(provenance["spice_retried"]),
        "spice_seconds": float(provenance["spice_seconds"]),
        "characterize_seconds": float(provenance["characterize_seconds"]),
        "train_seconds": run.train_seconds,
        "accuracy": run.accuracy,
        "float_accuracy": run.float_accuracy,
        "energy_write_joule": float(run.epochs.energy_write.sum()),
        "energy_read_joule": float(run.epochs.energy_read.sum()),
        "time_write_seconds": float(run.epochs.time_write.sum()),
        "time_read_seconds": float(run.epochs.time_read.sum()),
        "surrogate": residuals.as_json(residuals.of_tables(tables)),
        "versions": _versions(provenance),
    }


def _versions(provenance: "Mapping[str, str]") -> dict[str, str]:
    import platform
    from importlib.metadata import version

    packages = ("PySpice", "numpy", "scipy", "h5py", "matplotlib", "scikit-learn", "pydantic")
    versions = {
        "rramkit": provenance["kit_version"],
        "ngspice": provenance["simulator"],
        "python": platform.python_version(),
    }
    return versions | {package: version(package) for package in packages}
