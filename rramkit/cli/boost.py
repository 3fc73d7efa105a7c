"""`rramkit boost`: several small arrays, each trained on what those before it miss, and a vote on every bit."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rramkit.cli import strict_json
from rramkit.cli.chip import ChipOptions, load_tables, on_chip
from rramkit.cli.options import ParameterPairs, say_replaced
from rramkit.cli.train import TablesOption, experiment_of

if TYPE_CHECKING:
    from rramkit.learning.boosting import Round


@on_chip
def boost(
    chip: ChipOptions,
    /,
    experiment: Annotated[Path, typer.Argument(help="TOML file of an experiment.", metavar="EXPERIMENT.toml")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the run files and `boost.json`.")] = Path(
        "boost"
    ),
    tables: TablesOption = None,
    arrays: Annotated[int, typer.Option(help="How many arrays.", min=1, max=100)] = 3,
    pairs: ParameterPairs = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print path and outcome as one line of JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress; print the path alone.")] = False,
) -> None:
    """Train several arrays with `loss.kind = "bits"`, each on inputs that those before it answer badly.

    After each array it prints the errors of all arrays' vote on the test inputs. How inputs are weighted and bits
    voted: `rramkit/learning/boosting.py`.
    """
    from rramkit import files
    from rramkit.errors import TrainingWarning
    from rramkit.learning.boosting import bits_of, boosted

    settings = experiment_of(experiment, list(pairs or []), chip)
    path = tables or settings.tables_path(experiment)
    summary, told, quiet = output / "boost.json", [], quiet or as_json
    file = load_tables(path, settings.chip, quiet=quiet)
    bits_of(settings)  # refused before a folder is made
    for each in (summary, *(output / f"array{number}.h5" for number in range(1, arrays + 1))):
        files.check_writable(each, keep=(experiment, path))
    say_replaced(summary, quiet=quiet)

    def done(number: int, one: "Round") -> None:
        one.run.save(output / f"array{number}.h5")
        told.append(_told(number, one))
        if not quiet:
            typer.echo(_line(told[-1]))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TrainingWarning)  # of each array, in its run file
        boosted(settings, file, arrays, tables_name=path.name, done=done)
    with files.whole_file(summary) as new:
        new.write_text(strict_json.text(told, indent=1) + "\n", encoding="utf-8")
    typer.echo(strict_json.text({"summary": str(summary), "rounds": told}) if as_json else summary)


def _told(number: int, one: "Round") -> dict[str, Any]:
    alone = {"mean": one.run.errors["mean"], "largest": one.run.errors["largest"]}
    voted = {"mean": one.errors.mean, "largest": one.errors.largest, "bits": one.bits}
    return {"arrays": number, "alone": alone, "voted": voted, "votes": one.votes.tolist()}


def _line(told: dict[str, Any]) -> str:
    from rramkit import units

    alone, voted = told["alone"], told["voted"]
    mean, largest, bits = (units.percent(voted[name]) for name in ("mean", "largest", "bits"))
    return (
        f"{units.count(told['arrays'], 'array')}: mean error {mean}, largest {largest}, {bits} of the bits right "
        f"(the last array alone: {units.percent(alone['mean'])})"
    )
