"""Directives of the site that are written from the kit itself: commands, keys, parameters of devices."""

from typing import Any

import typer.main
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from typer.core import TyperCommand, TyperGroup

from rramkit.cli import keys
from rramkit.cli.app import app as command_line
from rramkit.netlists import models


class Generated(SphinxDirective):
    """A directive whose body is Markdown that `markdown` returns."""

    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return the parsed Markdown."""
        return self.parse_text_to_nodes(self.markdown(*self.arguments), allow_section_headings=True)

    def markdown(self, *arguments: str) -> str:
        """Return the text."""
        raise NotImplementedError


class Commands(Generated):
    """Every command with its arguments and options, as `--help` has them."""

    def markdown(self, *_arguments: str) -> str:
        """Return a section for each command."""
        return "\n\n".join(_command(name, command) for name, command in _commands())


def _commands() -> list[tuple[str, TyperCommand]]:
    group = typer.main.get_command(command_line)
    assert isinstance(group, TyperGroup)
    found: list[tuple[str, TyperCommand]] = []
    for name, command in group.commands.items():
        inner = command.commands if isinstance(command, TyperGroup) else {}
        found += [(f"{name} {each}", below) for each, below in inner.items() if isinstance(below, TyperCommand)]
        if isinstance(command, TyperCommand):
            found.append((name, command))
    return found


def _command(name: str, command: TyperCommand) -> str:
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [
        each for each in command.params if each.param_type_name == "option" and not getattr(each, "hidden", False)
    ]
    words = " ".join(_metavar(each) if each.required else f"[{_metavar(each)}]" for each in arguments)
    rows = [
        *(f"| `{_metavar(each)}` | {_cell(each)} |" for each in arguments),
        *(f"| `{', '.join(each.opts)}`{_taking(each)} | {_cell(each)} |" for each in options),
    ]
    table = "\n".join(["| argument or option | meaning |", "|---|---|", *rows]) if rows else ""
    return f"## `{name}`\n\n`rramkit {name}{' ' + words if words else ''}`\n\n{command.help or ''}\n\n{table}"


def _metavar(parameter: Any) -> str:  # noqa: ANN401  (an argument or option of the command-line library)
    return (parameter.metavar or parameter.name or "").strip("[]{}").upper()


def _taking(parameter: Any) -> str:  # noqa: ANN401
    return "" if parameter.is_flag or not parameter.metavar else f" `{parameter.metavar}`"


def _cell(parameter: Any) -> str:  # noqa: ANN401
    default = parameter.default
    shown = "" if default in (None, "", False, ()) or callable(default) else f" Default: `{default}`."
    return _escaped(" ".join((parameter.help or "").split())) + shown


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;")


class Keys(Generated):
    """Every key of a kind of file, a table for each group."""

    required_arguments = 1

    def markdown(self, *arguments: str) -> str:
        """Return the tables of the keys of `experiment`, `rl`, or what else `rramkit explain --of` takes."""
        every, _ = keys.every_key()
        groups: dict[tuple[str, tuple[str, ...]], list[keys.Key]] = {}
        for each in every:
            if each.of == arguments[0]:
                groups.setdefault((".".join(each.path[:-1]), each.kinds), []).append(each)
        assert groups, f"no keys of {arguments[0]}"
        return "\n\n".join(_group(*where, found) for where, found in groups.items())


def _group(name: str, kinds: tuple[str, ...], found: list[keys.Key]) -> str:
    rows = dict.fromkeys(
        f"| `{each.path[-1]}` | {_escaped(each.description)} | {_unit(each)} | {_escaped(each.bound)} | "
        f"{_default(each)} |"
        for each in found
    )
    heading = f"### `[{name}]`" if name else "### At the top of the file"
    of_kind = f"Where {' and '.join(f'`{kind}`' for kind in kinds)}:\n\n" if kinds else ""
    table = "| key | meaning | unit | bound | default |\n|---|---|---|---|---|\n" + "\n".join(rows)
    return f"{heading}\n\n{of_kind}{table}"


def _unit(key: keys.Key) -> str:
    return "" if key.unit in ("", "1") else key.unit


def _default(key: keys.Key) -> str:
    text = key.default if len(key.default) < 40 else "a list"
    return text if " " in text and '"' not in text and "[" not in text else f"`{text}`"


class Device(Generated):
    """Parameters of a device model, with unit, range and value of each set."""

    required_arguments = 1

    def markdown(self, *arguments: str) -> str:
        """Return the table of one model's parameters."""
        model = models.model(arguments[0])
        names = list(model.sets)
        rows = [
            f"| `{name}` | {_escaped(each.text)} | {'' if each.unit == '1' else each.unit} | "
            f"{each.low:g} to {each.high:g} | {' | '.join(f'{model.sets[of].values[name]:g}' for of in names)} |"
            for name, each in model.parameters.items()
        ]
        head = f"| parameter | meaning | unit | range | {' | '.join(names)} |\n|---|---|---|---|{'---|' * len(names)}"
        sources = "\n".join(f"- Set `{name}`: {_escaped(model.sets[name].source)}" for name in names)
        return f"{head}\n" + "\n".join(rows) + f"\n\n{sources}"


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directives."""
    for name, directive in (("commands", Commands), ("keys", Keys), ("device", Device)):
        app.add_directive(name, directive)
    return {"version": "1", "parallel_read_safe": True}
