"""The flattened text of a library: its cards, what it defines, and the part of it that a circuit needs."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from rramkit.circuits.model_text.definitions import Definitions
from rramkit.circuits.model_text.line import Line, spaced_models, wrapped
from rramkit.circuits.model_text.option import settings


@dataclass(frozen=True)
class ModelText:
    """A flattened library.

    Attributes
    ----------
    lines : tuple of Line
        Its cards, without comments.
    files : tuple of str
        Every file that it was made of, absolute paths.
    """

    lines: tuple[Line, ...]
    files: tuple[str, ...]

    @property
    def text(self) -> str:
        """The cards as they were, one a line."""
        return "\n".join(line.text for line in self.lines)

    @cached_property
    def deck_lines(self) -> str:
        """The cards as lines of a deck, long ones continued."""
        return wrapped(self.text)

    @cached_property
    def sha256(self) -> str:
        """Hash of the flattened text, in hexadecimal: an edit of any nested file that changes a card changes it."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def names(self) -> frozenset[str]:
        """Models and subcircuits that it defines outside any subcircuit, in lower case."""
        return frozenset(name for name, _ in self.definitions())

    @cached_property
    def options(self) -> dict[str, float]:
        """Options that it sets, by name in lower case; one without a value is 1. Of two of one name the last acts."""
        lines = (line.text for line in self.lines if line.text.lower().startswith(".opt"))
        return {name: value for text in lines for name, value in settings(text)}

    @cached_property
    def _with_pins(self) -> dict[tuple[str, str], "ModelText"]:
        """Copies with an inner node as a pin, each made once: decks of one plan share it."""
        return {}

    @cached_property
    def spaced(self) -> "ModelText":
        """The text with a blank before the `(` of each `.model` line.

        See `spaced_models`.
        """
        return ModelText(tuple(replace(line, text=spaced_models(line.text)) for line in self.lines), self.files)

    @cached_property
    def _definitions(self) -> Definitions:
        return Definitions(self.lines)

    @cached_property
    def _parts(self) -> dict[frozenset[str], "ModelText"]:
        """Parts cut out by the names that need them, each made once."""
        return {}

    def definitions(self) -> Iterator[tuple[str, Line]]:
        """Yield name (lower case) and line of each model and subcircuit outside any subcircuit."""
        depth = 0
        for line in self.lines:
            words = line.text.split(None, 2)
            card = words[0].lower()
            if card in (".model", ".subckt") and depth == 0 and len(words) > 1:
                yield words[1].lower(), line
            depth += (card == ".subckt") - (card == ".ends")


def needed(flat: ModelText, names: Iterable[str]) -> ModelText:
    """Return a library cut down to what circuits use: models, subcircuits, and their parameters and functions.

    The library is taken apart once, and each part is made once: decks of one plan share it.

    Parameters
    ----------
    flat : ModelText
        The library.
    names : iterable of str
        Words of the circuits; those that the library defines are needed, and what these use in turn.

    Returns
    -------
    ModelText
        The part of it, in the same order, options with it. A library with conditions outside subcircuits is returned
        whole.

    Raises
    ------
    InputError
        When one name that is needed has two definitions that differ.
    """
    roots = flat._definitions.roots(name.lower() for name in names)
    if roots not in flat._parts:
        lines = flat._definitions.needed(roots)
        flat._parts[roots] = flat if lines is flat.lines else ModelText(lines, flat.files)
    return flat._parts[roots]


def with_pin(flat: ModelText, name: str, node: str) -> ModelText:
    """Return a library whose subcircuit `name` has its inner node `node` as its first pin."""
    if (name, node) not in flat._with_pins:
        opens = re.compile(rf"(?i)^(\.subckt\s+{re.escape(name)})(?=\s|$)")
        lines = (replace(line, text=opens.sub(rf"\1 {node}", line.text)) for line in flat.lines)
        flat._with_pins[name, node] = ModelText(tuple(lines), flat.files)
    return flat._with_pins[name, node]
