"""`rramkit netlist`: write the deck of a circuit block, readable and complete for a bare ngspice."""

from pathlib import Path
from typing import Annotated

import typer

from rramkit.cli.options import ParameterFile, ParameterPairs, parameters, say_replaced
from rramkit.cli.rows import settings_list
from rramkit.errors import InputError
from rramkit.files import check_writable, whole_file


def netlist(
    block: Annotated[str, typer.Argument(help="Name of the circuit; --list shows them.", show_default=False)] = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Deck to write; default: print it.", metavar="FILE.cir")
    ] = None,
    rows: Annotated[int | None, typer.Option(help="Rows of a crossbar.")] = None,
    cols: Annotated[int | None, typer.Option(help="Columns of a crossbar.")] = None,
    params: ParameterFile = None,
    pairs: ParameterPairs = None,
    list_blocks: Annotated[bool, typer.Option("--list", help="List the circuits and their parameters.")] = False,
) -> None:
    """Write the netlist of a circuit block as one deck that runs with a bare `ngspice -b FILE.cir`."""
    from rramkit.circuits import catalog

    if list_blocks:
        typer.echo(_listing())
        return
    if not block:
        raise InputError("`block` must name a circuit; got none. `rramkit netlist --list` shows them.")
    sizes = [f"crossbar.{name}={value}" for name, value in (("rows", rows), ("cols", cols)) if value is not None]
    name = catalog.noted_name(block)
    chosen = catalog.block(name)
    if sizes and name != "crossbar":
        raise InputError(f"`--rows` and `--cols` belong to the block crossbar; got {block!r}. Leave them out.")
    text = chosen.deck(parameters(chosen.parameters, params, [*sizes, *(pairs or [])])).text()
    if output is None:
        typer.echo(text, nl=False)
        return
    check_writable(output, keep=(params,))
    say_replaced(output, quiet=False)
    with whole_file(output) as draft:
        draft.write_text(text, encoding="utf-8")
    typer.echo(f"{output}")


def _listing() -> str:
    from rramkit.circuits import catalog

    parts = [
        f"{name}: {block.description}\n{settings_list(block.parameters(), '    ')}\n"
        for name, block in catalog.BLOCKS.items()
    ]
    return "\n".join(parts)
