"""`rramkit calibrate`: a trained chip in service, benchmarked and calibrated as its cells drift."""

from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rramkit.cli import strict_json
from rramkit.cli.options import ListSettings, ParameterFile, ParameterPairs, parameters
from rramkit.cli.progress import stage, stages
from rramkit.errors import InputError

if TYPE_CHECKING:
    from rramkit.learning.calibration import CalibrationSettings, Interval


def calibrate(
    run: Annotated[
        Path | None, typer.Argument(help="Run file of `rramkit train`.", metavar="RUN.h5", show_default=False)
    ] = None,
    file: ParameterFile = None,
    pairs: ParameterPairs = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Inputs of your own, instead of the run's.", metavar="NPZ")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--plot", help="Picture of the error over time to write.", metavar="FILE")
    ] = None,
    list_settings: ListSettings = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Let a trained chip drift, benchmark it at chosen times, and calibrate it when a fit of its error says so.

    Benchmark inputs are read through the chip's own chain; the calibration writes every cell back by the write-verify
    loop of the run's tables. Printed are, of each interval, when it was calibrated and when it should have been, the
    efficiency, the overhead, accuracies, and what benchmarks and writes cost. After ICE (DATE 2014): interruption, fit
    and prediction are the paper's, the definitions and numbers are this kit's own.
    """
    from rramkit.learning.calibration import CalibrationSettings

    settings = parameters(CalibrationSettings, file, pairs)
    if list_settings:
        typer.echo(strict_json.text(settings.model_dump(mode="json"), indent=1))
        return
    if run is None:
        raise InputError("`rramkit calibrate` needs a run file of `rramkit train`; got none. Name it.")
    if picture is not None:
        from rramkit import files, plots

        plots.check_picture(picture)
        files.check_writable(picture, keep=(run, file, data))
    intervals, law, names = _intervals(run, data, settings, quiet=quiet or as_json)
    if picture is not None:
        from rramkit import plots

        plots.save(lambda ax: plots.calibrations(ax, intervals, settings.e_max), picture, title=names)
    outcome = _outcome(settings, law, intervals)
    if as_json:
        typer.echo(strict_json.text(outcome, indent=1))
        return
    typer.echo(_text(outcome, intervals))
    if picture is not None:
        typer.echo(picture)


def _intervals(
    path: Path, data: Path | None, settings: "CalibrationSettings", *, quiet: bool
) -> "tuple[list[Interval], dict[str, Any], str]":
    """Return the intervals of a run's chip, the law of its drift, and its name."""
    from rramkit.cli.evaluated import of_run
    from rramkit.learning.calibration import in_service

    stage("the trained network")
    subject = of_run(path, data, [], correct=0)
    if subject.operating is None:
        raise InputError(f"{path}: the run is in float: it has no cells that drift. Name one with cells.")
    found: list[Interval] = []
    with stages("calibrate", quiet=quiet) as show:
        service = in_service(settings, subject.experiment, subject.operating, subject.network, subject.data)
        for interval in service:
            found.append(interval)
            show("calibrate", len(found), settings.intervals, of="intervals")
    law = settings.law(subject.experiment).model_dump(mode="json", exclude={"t_cell", "t_batch"})
    return found, law, subject.experiment.name


def _outcome(settings: "CalibrationSettings", law: dict[str, Any], found: "Sequence[Interval]") -> dict[str, Any]:
    """Return all that is printed, in SI units."""
    later = found[1:] or found
    rows = [
        {
            "benchmarks": [{"time": time, "error": error} for time, error in zip(one.times, one.errors, strict=True)],
            "t_calibrated": one.t_calibrated,
            "t_ideal": one.t_ideal,
            "error_when_calibrated": one.e_calibrated,
            "efficiency": one.efficiency,
            "overhead": one.overhead,
            "accuracy_before": one.accuracy,
            "accuracy_after": one.accuracy_after,
            "energy_benchmarks": len(one.times) * one.e_benchmark,
            "pulses": one.write.pulses,
            "verify_reads": one.write.reads,
            "energy_calibration": one.write.energy,
            "seconds_calibration": one.write.seconds,
        }
        for one in found
    ]
    return {
        "e_max": settings.e_max,
        "t_benchmark": found[0].t_benchmark,
        "policy": settings.policy.model_dump(mode="json"),
        "retention": law,
        "intervals": rows,
        "efficiency": mean(one.efficiency for one in later),
        "overhead": mean(one.overhead for one in later),
        "efficiency_all": mean(one.efficiency for one in found),
        "overhead_all": mean(one.overhead for one in found),
    }


def _text(outcome: dict[str, Any], found: "Sequence[Interval]") -> str:
    """Return an outcome for a person: a row each interval, and the means."""
    from rramkit import units
    from rramkit.cli.rows import rows

    heading = f"{'interval':>8} {'benchmarks':>10} {'calibrated':>10} {'ideal':>9} {'efficiency':>10} {'overhead':>10}"
    lines = [f"{heading} {'accuracy':>16}"]
    for index, one in enumerate(found):
        times = f"{units.text(one.t_calibrated, 's'):>10} {units.text(one.t_ideal, 's'):>9}"
        parts = f"{units.percent(one.efficiency):>10} {_small(one.overhead):>10}"
        accuracies = f"{100 * one.accuracy:6.2f} to {100 * one.accuracy_after:.2f} %"
        lines.append(f"{index + 1:>8} {len(one.times):>10} {times} {parts} {accuracies:>16}")
    one, write = found[-1], found[-1].write
    fired = f"{units.count(write.pulses, 'pulse')} and {units.count(write.reads, 'verify read')}"
    shown = []
    if len(found) > 1:
        told = f"efficiency {units.percent(outcome['efficiency'])}, overhead {_small(outcome['overhead'])}"
        shown.append(("mean after the first", told))
    told = f"efficiency {units.percent(outcome['efficiency_all'])}, overhead {_small(outcome['overhead_all'])}"
    spent = f"{units.text(one.t_benchmark, 's')}, {units.text(one.e_benchmark, 'J')}"
    cost = f"{units.text(write.energy, 'J')}, {units.text(write.seconds, 's')}, {fired}"
    shown += [("mean of all", told), ("a benchmark", spent), ("a calibration", cost)]
    return "\n".join((*lines, rows(shown, width=20)))


def _small(fraction: float) -> str:
    """Return a fraction as a percentage of two figures: overheads go down to billionths."""
    return f"{100.0 * fraction:.2g} %"
