"""`rramkit init`: commented files to start from, and the commands that they are for."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from rramkit.cli import strict_json
from rramkit.errors import InputError
from rramkit.files import check_writable, whole_file

FOLDER = Path(__file__).resolve().parent / "starters"

KINDS = {
    "circuit": "a design of cells and circuits, characterised in ngspice, and a network on it",
    "data": "measured pulses and currents, and a network in that device",
    "network": "a network in a published device; no SPICE and no measurement",
}
"""What there is to start from."""

STEPS = {
    "circuit": (
        ("rramkit simulate cell_write", "one circuit in ngspice: measures and waveforms"),
        ("rramkit characterize --plan design.toml -o tables.h5", "ngspice to tables, with held-out errors"),
        ("rramkit plot tables.h5 -o plots", "every table as a picture"),
        ("rramkit train experiment.toml -o run.h5", "a network whose matrices are in these arrays"),
        ("rramkit report tables.h5 --run run.h5 -o report.html", "one page about all of it"),
    ),
    "data": (
        ("rramkit import pulses.csv --iv iv.csv --params settings.toml -o tables.h5", "your data as tables"),
        ("rramkit train experiment.toml -o run.h5", "a network in cells of this device"),
        ("rramkit report tables.h5 --run run.h5 -o report.html", "one page about both"),
    ),
    "network": (
        ("rramkit import --preset epiram -o tables.h5", "a published device as tables (`--preset list`: others)"),
        ("rramkit train experiment.toml -o run.h5", "the network, and a float one beside it"),
        ("rramkit plot run.h5 -o plots", "curves, conductances by epoch, pulses by cell"),
        ("rramkit ablate ablation.toml -o ablation", "the accuracy that each non-ideality costs"),
    ),
}
"""Commands to run next in the folder, in order, and what each gives."""


def init(
    kind: Annotated[
        Literal["circuit", "data", "network"] | None,
        typer.Argument(help="What you start from; without it: the list of them.", show_default=False),
    ] = None,
    folder: Annotated[Path, typer.Argument(help="Folder to write into; created if it is not there.")] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print files and next commands as JSON.")] = False,
) -> None:
    """Write commented files to start from into a folder, and print the commands to run next.

    circuit: a design, the plan of a component, an experiment. data: made-up measurements in the place of yours, import
    settings, an experiment. network: an experiment, and one that asks what costs the accuracy. No file that is there is
    overwritten.
    """
    if kind is None:
        choices = "; ".join(f"{name}: {text}" for name, text in KINDS.items())
        raise InputError(f"`kind` must be one of three ({choices}); got none. For instance: `rramkit init network`.")
    written = write(kind, folder)
    if as_json:
        steps = [command for command, _ in STEPS[kind]]
        typer.echo(strict_json.text({"files": written, "folder": folder, "next": steps}))
        return
    for path in written:
        typer.echo(path)
    typer.echo(f"\nNext{'' if folder == Path() else f', in {folder}'}:")
    width = max(len(command) for command, _ in STEPS[kind])
    for command, gives in STEPS[kind]:
        typer.echo(f"  {command:{width}}  # {gives}")


def write(kind: str, folder: Path) -> list[Path]:
    """Copy the files of a kind into a folder; return their paths.

    Raises
    ------
    InputError
        When one of them is there already (nothing is written then), or the folder cannot be written.
    """
    sources = sorted(path for path in (FOLDER / kind).iterdir() if path.suffix in (".toml", ".csv"))
    targets = [folder / source.name for source in sources]
    there = [str(path) for path in targets if path.exists() or path.is_symlink()]
    if there:
        raise InputError(
            f"`folder` must hold none of the files that this writes; there already: {', '.join(there)}. "
            f"Name a new folder: `rramkit init {kind} FOLDER`."
        )
    for source, target in zip(sources, targets, strict=True):
        check_writable(target)
        with whole_file(target) as draft:
            draft.write_bytes(source.read_bytes())
    return targets
