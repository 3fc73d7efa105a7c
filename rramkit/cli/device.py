"""`rramkit device check`: the physical test of a device model, the kit's or the user's own."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table as Grid

from rramkit.cli import strict_json
from rramkit.cli.console import console
from rramkit.cli.progress import log
from rramkit.errors import InputError, meant
from rramkit.parameters import beside, toml_values

if TYPE_CHECKING:
    from rramkit.circuits.device import Device

app = typer.Typer(no_args_is_help=True, help="Test a ReRAM device model, of the kit or your own (docs/own-device.md).")


@app.command("check")
def check(
    what: Annotated[str, typer.Argument(help="A TOML file with a group `device`, or the name of a model of the kit.")],
    timeout: Annotated[float, typer.Option(help="Processor seconds after which a run is killed.", min=0.1)] = 120.0,
    json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Run the physical test of a device model; exit code 1 when a check fails."""
    from rramkit.characterization.device_check import check_device
    from rramkit.characterization.engine.pool import SpicePool

    device = _device(what)
    with log(f"{what} in ngspice", quiet=json), SpicePool(workers=1, timeout=timeout) as pool:
        findings = check_device(device, pool)
    failed = [finding for finding in findings if not finding.passed]
    if json:
        result = {"device": device.model, "library": device.library or device.record.library, "passed": not failed}
        typer.echo(strict_json.text(result | {"checks": [asdict(finding) for finding in findings]}, indent=1))
    else:
        grid = Grid("", "check", "found", title=escape(f"{device.model}: physical test"), title_justify="left")
        for finding in findings:
            grid.add_row("pass" if finding.passed else "[bold]FAIL[/]", escape(finding.check), escape(finding.found))
        console().print(grid)
        for finding in failed:
            typer.echo(f"FAIL {finding.check}: {finding.cure}")
        typer.echo(f"{len(findings) - len(failed)} of {len(findings)} checks passed")
    if failed:
        raise typer.Exit(1)


def _device(what: str) -> "Device":
    """Return the device of a model's name, or of a TOML file: its group `device`, `cell.device`, or the whole file."""
    from rramkit.circuits.device import Device
    from rramkit.netlists import models

    if what in models.names():
        return Device(model=what)
    if not what.endswith(".toml"):
        names = ", ".join(models.names())
        raise InputError(
            f"`what` must be a TOML file or one of {names}; got {what!r}."
            f"{meant(what, models.names())} Pass one of them."
        )
    values = toml_values(Path(what))
    for name in ("cell", "device"):
        values = values[name] if isinstance(values.get(name), dict) else values
    with beside(Path(what)):
        return Device.checked(values, where=what)
