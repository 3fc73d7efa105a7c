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
    """Every key of a kind of file, a section for each group; what is the same in several places stands once."""

    required_arguments = 1

    def markdown(self, *arguments: str) -> str:
        """Return the tables of the keys of `experiment`, `rl`, or what else `rramkit explain --of` takes."""
        groups, first = _groups(arguments[0]), _groups("experiment")
        assert groups, f"no keys of {arguments[0]}"
        own = (
            groups if arguments[0] == "experiment" else {n: each for n, each in groups.items() if first.get(n) != each}
        )
        same = [f"`[{n}]`" for n in groups if n not in own and (_above(n) in own or _above(n) not in groups)]
        shown: dict[str, str] = {}
        sections = [_section(name, own, shown) for name in own]
        return "\n\n".join(
            [*sections, *([f"{', '.join(same)}, with the groups within: as in an experiment."] if same else [])]
        )


Tables = dict[str, list[tuple[str, ...]]]
"""The choices (`rule.kind = "sign"`) under which a group has a table, by the table's text."""


def _groups(of: str) -> dict[str, Tables]:
    """Return the tables of each group of a kind of file, by the group's name."""
    rows: dict[tuple[str, tuple[str, ...]], dict[str, None]] = {}
    for each in keys.every_key()[0]:
        if each.of == of:
            row = (
                f"| `{each.path[-1]}` | {_escaped(each.description)} | {_unit(each)} | {_escaped(each.bound)} | "
                f"{_default(each)} |"
            )
            rows.setdefault((".".join(each.path[:-1]), each.kinds), {})[row] = None
    groups: dict[str, Tables] = {}
    for (name, kinds), found in rows.items():
        groups.setdefault(name, {}).setdefault("\n".join(found), []).append(kinds)
    return groups


def _above(name: str) -> str:
    return name.rpartition(".")[0]


def _section(name: str, groups: dict[str, Tables], shown: dict[str, str]) -> str:
    """Return the section of one group; `shown` has the group that showed a table first, and takes this one's."""
    tables = groups[name]
    heading = f"### `[{name}]`" if name else "### At the top of the file"
    others = {shown.get(text, name) for text in tables}
    if others != {name} and len(others) == 1:
        return f"{heading}\n\nThe keys of `[{others.pop()}]`."
    parts = [heading]
    known = [[()], *groups.get(_above(name), {}).values()]  # of all files, or said of the group that this one is in
    for text, kinds in tables.items():
        shown.setdefault(text, name)
        if kinds not in known:
            parts.append(f"Where {_choices(kinds)}:")
        parts.append(f"| key | meaning | unit | bound | default |\n|---|---|---|---|---|\n{text}")
    return "\n\n".join(parts)


def _choices(kinds: list[tuple[str, ...]]) -> str:
    """Return choices in words: `rule.kind` is `"sign"` or `"pulse"`."""
    of: dict[tuple[str, ...], list[str]] = {}
    for *above, own in kinds:
        key, _, value = own.partition(" = ")
        of.setdefault((*above, key), []).append(f"`{value}`")
    lines = []
    for (*above, key), values in of.items():
        values = list(dict.fromkeys(values))
        several = " or ".join([", ".join(values[:-1]), values[-1]] if len(values) > 1 else values)
        lines.append(" and ".join([*(f"`{each}`" for each in above), f"`{key}` is {several}"]))
    return "; or ".join(lines)


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
