"""A deck: one circuit, one analysis, and the list of what comes out, as text that a person and a bare ngspice read."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySpice.Spice.Netlist import Circuit

from rramkit import __version__
from rramkit.circuits import libraries
from rramkit.circuits.instances import instance_faults
from rramkit.circuits.libraries import ModelFile, UserLibrary
from rramkit.circuits.model_text import joined_lines, needed, words_of
from rramkit.circuits.verilog_a import note
from rramkit.errors import InputError
from rramkit.parameters import Parameters, flat

_TITLE = re.compile(r"[\w .,:()=+/-]{1,120}")


@dataclass(frozen=True)
class Output:
    """A vector that the run keeps: `vector` in ngspice's words, e.g. `v(s)` or `i(v_sense_0)`."""

    name: str
    vector: str
    unit: str
    description: str


@dataclass(frozen=True)
class Measure:
    """A number that ngspice itself works out: `expression` is what follows the name on a `.meas` line.

    `resolution` (in `unit`) is what the method of the bench cannot tell apart, such as the last step of a search.
    """

    name: str
    expression: str
    unit: str
    description: str
    resolution: float = 0.0


@dataclass(frozen=True)
class Deck:
    """Everything of one ngspice run; `swept` says what a sweep runs through where that is no voltage, with its unit."""

    title: str
    parameters: Parameters
    circuit: Circuit
    libraries: tuple[ModelFile, ...]
    analysis: str
    outputs: tuple[Output, ...]
    measures: tuple[Measure, ...] = ()
    options: str = ""
    swept: str = ""

    @property
    def kind(self) -> str:
        """Return the analysis: `tran`, `dc`, `op`, `ac` or `noise`."""
        return self.analysis.split()[0].removeprefix(".")

    def text(self) -> str:
        """Return the whole deck, with its libraries in it, so that it runs where the kit is not installed."""
        self._check_outputs()
        if not _TITLE.fullmatch(self.title):
            raise InputError(f"`title` must be one short line of letters, digits and .,:()=+/-; got {self.title!r}.")
        netlist = str(self.circuit)  # once: writing it takes most of the time of a deck
        body = netlist.splitlines()[1:]
        parts = [self.title, *self._header(), ""]
        libraries.check_names(self.libraries, _own_names(netlist))
        libraries.check_options(self.libraries)
        libraries.check_functions(self.libraries, "\n".join(body))
        for name in self.libraries:
            parts += [libraries.text(name, "\n".join(body)).rstrip(), ""]
        parts += [line for line in body if line.strip()]
        self._check_instances(body)
        parts += [f".options {self.options}"] if self.options else []
        parts += [f".save {output.vector}" for output in self.outputs]
        parts += [self.analysis]
        parts += [f".meas {self.kind} {measure.name} {measure.expression}" for measure in self.measures]
        return "\n".join([*parts, ".end", ""])

    def _check_instances(self, body: list[str]) -> None:
        """Raise `InputError` where the circuit gives a user's subcircuit what it does not take, or cannot multiply."""
        words = words_of("\n".join(body))
        used = [needed(each.models, words) for each in self.libraries if isinstance(each, UserLibrary)]
        models = [line for each in used for line in each.lines]
        if not models:
            return
        circuit = joined_lines(Path(self.title), body, first=1)
        fault = next(instance_faults(circuit, models), None)
        if fault is not None:
            raise InputError(
                f"{fault.text}: ngspice would not say so, and give other numbers. Name the subcircuit's own parameters "
                'in `technology.subcircuit` (`width`, `length`, `count`, `strips`; `count = ""` draws transistors in '
                "parallel one by one), or change the library."
            )

    def _check_outputs(self) -> None:
        """Raise `InputError` unless every output has a name of its own and a vector of its own."""
        for what, words in (("name", [o.name for o in self.outputs]), ("vector", [o.vector for o in self.outputs])):
            twice = sorted({word for word in words if words.count(word) > 1})
            if twice:
                raise InputError(
                    f"`outputs` must have one {what} each; got {twice[0]!r} twice in {self.title!r}. Remove one."
                )

    def _compact_models(self) -> list[str]:
        """Return the lines that ask for compact models; a bare ngspice must load them first: `pre_osdi FILE`."""
        users = [each for each in self.libraries if isinstance(each, UserLibrary)]
        return sorted({note(model) for each in users for model in each.compact_models})

    def _header(self) -> list[str]:
        lines = [f"* written by rramkit {__version__}; run it with: ngspice -b FILE", *self._compact_models()]
        lines += ["*", "* parameters"]
        for name, value, unit, description in flat(self.parameters, unsaid=False):
            if isinstance(value, str) and not value.isprintable():
                raise InputError(f"`{name}` must be one line of printable characters; got {value!r}. Fix it.")
            lines.append(f"*   {name} = {value} {unit}".ljust(44) + f" {description}")
        lines += ["*", f"* swept: {self.swept}"] if self.swept else []
        lines += ["*", "* outputs (vectors kept by the run)"]
        lines += [
            f"*   {out.name} = {out.vector} [{out.unit}]".ljust(44) + f" {out.description}" for out in self.outputs
        ]
        if self.measures:
            lines += ["*", "* measures (printed by the run)"]
            lines += [f"*   {m.name} [{m.unit}]".ljust(44) + f" {m.description}" for m in self.measures]
        return lines


def _own_names(netlist: str) -> list[str]:
    """Return the models and subcircuits that a circuit's netlist itself defines."""
    return [name.lower() for name in re.findall(r"(?im)^\.(?:model|subckt)\s+(\S+)", netlist)]


@dataclass(frozen=True)
class CatalogEntry:
    """A circuit that can be asked for by name: `deck` takes an object of `parameters`."""

    parameters: type[Parameters]
    deck: Callable[[Any], Deck]
    description: str
