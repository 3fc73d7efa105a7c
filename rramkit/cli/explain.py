"""`rramkit explain`: what a parameter, plan key or experiment key means."""

import sys
import textwrap
from dataclasses import asdict
from shutil import get_terminal_size
from typing import Annotated

import typer

from rramkit.cli import keys, strict_json
from rramkit.errors import InputError

_WHOLE = 4  # keys of one name that are explained whole; more are listed
_PLACES = 6  # files that are named for one key
_WIDEST = 100


def explain(
    key: Annotated[
        str, typer.Argument(help="Dotted name as it stands in TOML, whole or its end: rule.threshold, w_access.")
    ],
    of: Annotated[
        str, typer.Option("--of", help="Only in files of this: experiment, plan, rl, import, or a circuit's name.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print every key that it means as JSON.")] = False,
) -> None:
    """Print meaning, unit, bound, default and source of a key of an experiment, a plan or a circuit.

    Words may be left out: `mapping.bits` means `mapping.read.adc.bits` and its like. A name that means several keys
    lists them; `--of` keeps those of one kind of file.
    """
    every, missing = keys.every_key()
    every = [each for each in every if of.replace("-", "_") in each.of]
    if not every:
        raise InputError(f"`--of` must be experiment, plan, rl, import or the name of a circuit; got {of!r}. Fix it.")
    found = keys.matching(every, key)
    left_out = f" Left out: {'; '.join(missing)}." if missing else ""
    if not found:
        meant = keys.similar(every, key)
        hint = f" Did you mean {', '.join(f'`{each}`' for each in meant)}?" if meant else ""
        raise InputError(f"`key` must be a key of an experiment, plan or circuit; got {key!r}.{hint}{left_out} Fix it.")
    if as_json:
        typer.echo(strict_json.text([{**asdict(each), "path": each.name} for each in found], indent=1))
        return
    groups = keys.joined(found)
    typer.echo("\n\n".join(map(_whole, groups)) if len(groups) <= _WHOLE else _listing(groups, key))
    if missing:
        typer.echo(f"rramkit: note:{left_out}", err=True)


def _whole(group: list[keys.Key]) -> str:
    """Return everything about one key."""
    first = group[0]
    defaults = dict.fromkeys(each.default for each in group)
    rows = [
        ("meaning", first.description or "not described"),
        ("value", first.value),
        (
            "unit",
            {"1": "1 (a number without unit)", "SI": "SI: that of the measure or parameter"}.get(
                first.unit, first.unit
            ),
        ),
        ("bound", first.bound),
        ("default", ", or ".join(list(defaults)[:_PLACES])),
        ("in", _places(group)),
        ("source", f"{first.source} ({first.owner})"),
    ]
    width = min(get_terminal_size((_WIDEST, 24)).columns, _WIDEST) if sys.stdout.isatty() else _WIDEST
    lines = [
        textwrap.fill(f"  {name:<9}{text}", width, subsequent_indent=" " * 11, break_long_words=False)
        for name, text in rows
        if text
    ]
    return "\n".join([_title(group), *lines])


def _title(group: list[keys.Key]) -> str:
    names = list(dict.fromkeys(each.name for each in group))
    return names[0] if len(names) == 1 else min(names, key=len)


def _places(group: list[keys.Key]) -> str:
    title, places = _title(group), dict[str, list[str]]()
    for each in group:
        shown = each.of + (f" ({' and '.join(each.kinds)})" if each.kinds else "")
        places.setdefault("" if each.name == title else each.name, []).append(shown)
    texts = [f"{name + ' of ' if name else ''}{', '.join(_some(dict.fromkeys(of)))}" for name, of in places.items()]
    return "; ".join(_some(texts))


def _some(texts: "dict[str, None] | list[str]") -> list[str]:
    every = list(texts)
    more = len(every) - _PLACES
    return every if more <= 0 else [*every[:_PLACES], f"{more} more"]


def _listing(groups: list[list[keys.Key]], wanted: str) -> str:
    """Return a line for each of many keys."""
    lines = [f"{len(groups)} keys are called {wanted}. A longer name or `--of` explains one:"]
    names = [_title(group) for group in groups]
    width = max(map(len, names))
    for name, group in zip(names, groups, strict=True):
        first = group[0]
        unit = "" if first.unit in ("", "1") else f" {first.unit}"
        kinds = f", {' and '.join(first.kinds)}" if first.kinds else ""
        lines.append(f"  {name:{width}}  {first.description} [{first.default}{unit}] ({first.of}{kinds})")
    return "\n".join(lines)
