"""`rramkit export`: a table file as another simulator reads it."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from rramkit.cli.options import TablesArgument, TablesNamed, say_replaced, table_file
from rramkit.cli.progress import stage
from rramkit.errors import InputError
from rramkit.files import check_writable, whole_file


def export(
    simulator: Annotated[
        Literal["neurosim", "aihwkit"],
        typer.Option("--to", help="neurosim: the two CSV files of NeuroSim V1.5; aihwkit: a device of aihwkit."),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="neurosim: a folder; aihwkit: a file .py or .json.", metavar="PATH"),
    ],
    argument: TablesArgument = None,
    named: TablesNamed = None,
    bits: Annotated[int, typer.Option(help="neurosim: bits of one cell, as its --bitcell.", min=1, max=8)] = 4,
    step: Annotated[
        float, typer.Option(help="aihwkit: change by one pulse in the middle of the window, over the window.")
    ] = 0.01,
    corner: Annotated[str | None, typer.Option("--corner", help="Process corner of the tables.")] = None,
    temperature: Annotated[float | None, typer.Option("--temperature", help="Temperature (K).")] = None,
    supply: Annotated[float | None, typer.Option("--supply", help="Supplies over the nominal ones.")] = None,
    seed: Annotated[int, typer.Option(help="neurosim: seed of the cells that are written.", min=0)] = 0,
) -> None:
    """Write what another simulator of arrays takes of a device and its circuits (docs/export.md)."""
    from rramkit.learning.condition import Condition

    tables = table_file(argument, named)
    file = Condition(corner, temperature, supply).load(tables)
    if simulator == "aihwkit":
        from rramkit.export import preset

        if output.suffix not in (".py", ".json"):
            raise InputError(f"`--output` must end in .py or .json with `--to aihwkit`; got {output}. Rename it.")
        check_writable(output, keep=(tables,))
        say_replaced(output, quiet=False)
        made = preset(file, step=step, name=tables.name)
        _write(output, made.python if output.suffix == ".py" else made.json)
        return
    from rramkit.export import memory_states, output_noise

    if output.exists() and not output.is_dir():
        raise InputError(f"{output}: is a file; `--to neurosim` writes two. Name a folder.")
    check_writable(output / "mem_states.csv")
    say_replaced(output / "mem_states.csv", quiet=False)
    stage("writing cells to every level")
    states, noise = memory_states(file, bits=bits, seed=seed), output_noise(file)
    _write(output / "mem_states.csv", states.text)
    if states.missed:
        typer.echo(f"note: {states.missed} cells were given up by write-verify; they are in mean and std", err=True)
    if noise is None:
        typer.echo("note: no output_noise.csv: the file has no converter behind a readout (`adc_levels`)", err=True)
    else:
        _write(output / "output_noise.csv", noise.text)


def _write(path: Path, text: str) -> None:
    with whole_file(path) as draft:
        draft.write_text(text, encoding="utf-8")
    typer.echo(path)
