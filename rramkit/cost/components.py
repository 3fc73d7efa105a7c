"""Prices of what SPICE does not cover: logic, memory, links and converters, each with node, source and mark.

The kit's own file is `components.toml` beside this one; a user's file replaces entries by their keys.
"""

import difflib
from collections.abc import Iterator
from functools import cache
from math import exp, log
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from rramkit.cost.scaling import Mark, Scaling
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity

KINDS = ("digital", "memory", "link", "offchip", "converter")
FIGURES = ("energy", "energy_by_bits", "read", "write", "power", "leak", "area", "area_by_bits", "latency", "rate")
_OWN_FILE = Path(__file__).parent / "components.toml"


class Component(Parameters):
    """One entry of a component file: its figures at its own node; a figure that is None is unknown.

    Energies and areas scale to another node; an entry without a node (off chip) has the same figures at any. Leakage,
    latency and rate stay as they are: the scaling's source has none for them.
    """

    energy: float | None = quantity(None, "J", "one operation", ge=0, le=1e-3, strict=True)
    energy_range: tuple[float, float] | None = quantity(None, "J", "lowest and highest energy that sources give")
    energy_by_bits: dict[int, float] | None = quantity(None, "J", "one conversion, by its bits")
    read: float | None = quantity(None, "J", "one read of `width` bits", ge=0, le=1e-3, strict=True)
    write: float | None = quantity(None, "J", "one write of `width` bits", ge=0, le=1e-3, strict=True)
    width: int | None = quantity(None, "1", "bits of one read or write", ge=1, le=65536)
    power: float | None = quantity(None, "W", "power while it works", ge=0, le=10000, strict=True)
    leak: float | None = quantity(None, "W", "power while it waits", ge=0, le=10000, strict=True)
    area: float | None = quantity(None, "m2", "area", ge=0, le=0.01, strict=True)
    area_by_bits: dict[int, float] | None = quantity(None, "m2", "area, by bits")
    latency: float | None = quantity(None, "s", "time of one operation", ge=0, le=1, strict=True)
    rate: float | None = quantity(None, "1/s", "operations a second at most", gt=0, strict=True)
    node: float | None = quantity(
        None, "m", "technology node of the figures; None: they do not scale", gt=0, le=1e-6, strict=True
    )
    source: str = Field(description="key of a source", min_length=1)
    mark: Mark = Field(description="found, derived or recalled")
    note: str = Field(default="", description="what one operation is, and how the figure was had")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        given = [name for name in FIGURES if getattr(self, name) is not None]
        if not given:
            raise ValueError(f"must have a figure, one of {', '.join(FIGURES)}. Add it")
        if (self.read is not None or self.write is not None) and self.width is None:
            raise ValueError("must have `width`, the bits of one `read` or `write`. Add it")
        if self.energy_range is not None:
            low, high = self.energy_range
            if self.energy is None or not 0 <= low <= self.energy <= high:
                raise ValueError(f"must have `energy` within `energy_range`; got {self.energy} and {low} to {high}")
        for name in ("energy_by_bits", "area_by_bits"):
            for bits, value in (getattr(self, name) or {}).items():
                if bits < 1 or value <= 0:
                    raise ValueError(f"must have bits of 1 or more and values above 0 in `{name}`; got {bits}: {value}")
        return self

    @property
    def unconfirmed(self) -> bool:
        """Whether the figure is from memory only, and to be shown as such."""
        return self.mark == "recalled"


class ComponentFile(Parameters):
    """What a component file holds: entries by kind and name, the sources that they name, the scaling between nodes."""

    format: Literal[1] = Field(default=1, description="format of the file")
    node: float | None = quantity(None, "m", "node to which entries are scaled", ge=7e-9, le=130e-9)
    sources: dict[str, str] = Field(default={}, description="title of each source by its key")
    scaling: Scaling | None = Field(default=None, description="scaling between nodes")
    digital: dict[str, Component] = Field(default={}, description="arithmetic and registers")
    memory: dict[str, Component] = Field(default={}, description="memory on chip")
    link: dict[str, Component] = Field(default={}, description="wires between tiles and chips")
    offchip: dict[str, Component] = Field(default={}, description="memory off chip")
    converter: dict[str, Component] = Field(default={}, description="converters")

    def entries(self) -> dict[str, Component]:
        """Return the entries by key, `kind.name`."""
        return {f"{kind}.{name}": entry for kind in KINDS for name, entry in getattr(self, kind).items()}


class Priced:
    """One entry of `Components`, priced at any node.

    Attributes
    ----------
    key : str
        Its key, such as `digital.add_int8`.
    component : Component
        Its figures, at its own node.
    """

    def __init__(self, key: str, component: Component, components: "Components") -> None:
        self.key = key
        self.component = component
        self._all = components

    def energy_at(self, node: float | None = None, *, bits: int | None = None) -> float:
        """Return the energy of one operation (J).

        Parameters
        ----------
        node : float or None
            Node (m); None: that of the components.
        bits : int or None
            Bits of a conversion, for an entry whose energy goes by bits; between those given on a logarithmic axis.

        Raises
        ------
        InputError
            When the entry has no such energy, or cannot be scaled to the node.
        """
        if bits is None:
            return self._figure("energy") * self._energy_factor(node)
        return _by_bits(self._table("energy_by_bits"), bits, self.key) * self._energy_factor(node)

    def energy_ends_at(self, node: float | None = None) -> tuple[float, float]:
        """Return lowest and highest energy (J) of one operation that sources give: twice the energy without a range."""
        energy = self._figure("energy")
        low, high = self.component.energy_range or (energy, energy)
        factor = self._energy_factor(node)
        return low * factor, high * factor

    def read_bit_at(self, node: float | None = None) -> float:
        """Return the energy (J) of a read, for each bit read."""
        return self._figure("read") / self._figure("width") * self._energy_factor(node)

    def write_bit_at(self, node: float | None = None) -> float:
        """Return the energy (J) of a write, for each bit written."""
        return self._figure("write") / self._figure("width") * self._energy_factor(node)

    def area_at(self, node: float | None = None, *, bits: int | None = None) -> float:
        """Return the area (m2); by `bits` for an entry whose area goes by bits."""
        area = self._figure("area") if bits is None else _by_bits(self._table("area_by_bits"), bits, self.key)
        own, node = self.component.node, self._all.node if node is None else node
        return area if own is None else area * self._all.scaling.area_factor(own, node)

    @property
    def leak(self) -> float | None:
        """Power while it waits (W), at its own node; None: unknown."""
        return self.component.leak

    @property
    def latency(self) -> float | None:
        """Time of one operation (s), at its own node; None: unknown."""
        return self.component.latency

    @property
    def unconfirmed(self) -> bool:
        """Whether the figure is from memory only."""
        return self.component.unconfirmed

    @property
    def source(self) -> str:
        """Title of the source."""
        return self._all.sources[self.component.source]

    def _energy_factor(self, node: float | None) -> float:
        own, node = self.component.node, self._all.node if node is None else node
        return 1.0 if own is None else self._all.scaling.energy_factor(own, node)

    def _figure(self, name: str) -> float:
        value = getattr(self.component, name)
        if value is None:
            known = ", ".join(each for each in FIGURES if getattr(self.component, each) is not None)
            raise InputError(f"component `{self.key}` must have `{name}`; it has {known}. Add it to a component file.")
        return value

    def _table(self, name: str) -> dict[int, float]:
        self._figure(name)
        return getattr(self.component, name)


class Components:
    """Priced components by key: those of the kit, some replaced by those of a user's file.

    Attributes
    ----------
    node : float
        Node (m) to which entries are scaled where none is named.
    scaling : Scaling
        Scaling between nodes.
    sources : dict
        Titles of the sources by key.
    replaced : tuple of str
        Keys of the entries that a user's file replaced.

    Examples
    --------
    >>> from rramkit.cost import components
    >>> add = components()["digital.add_int8"]
    >>> add.energy_at(45e-9), add.source
    (3e-14, 'M. Horowitz, ISSCC 2014, 45 nm, 0.9 V')
    >>> round(add.energy_at(32e-9) / add.energy_at(45e-9), 3)
    0.641
    """

    def __init__(self, own: ComponentFile, user: ComponentFile | None = None) -> None:
        """Lay the entries of a user's file, if any, over those of the kit; see `components`."""
        user = user or ComponentFile()
        scaling, node = user.scaling or own.scaling, user.node or own.node
        if scaling is None or node is None:
            raise InputError("components: the first file must have `scaling` and `node`. Add them.")
        self.node, self.scaling = node, scaling
        self.sources = own.sources | user.sources
        self.replaced = tuple(user.entries())
        self._entries = own.entries() | user.entries()

    def __getitem__(self, key: str) -> Priced:
        """Return the entry of a key, `kind.name`; raise `InputError` for a key that is not known."""
        if key not in self._entries:
            raise InputError(f"component `{key}` is not known.{_near(key, self)} Fix the key.")
        return Priced(key, self._entries[key], self)

    def __iter__(self) -> Iterator[str]:
        """Return the keys."""
        return iter(self._entries)

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self._entries)


def components(user: Path | None = None) -> Components:
    r"""Return the kit's components, with the entries of a user's file in their places.

    Parameters
    ----------
    user : Path or None
        A TOML file with entries under keys of the kit's; each needs `source` and `mark`, and replaces the whole entry.

    Returns
    -------
    Components
        Entries by key.

    Raises
    ------
    InputError
        When the file cannot be read, a key is unknown, a value is of the wrong type or negative, a mark or source is
        missing, or an entry lacks a figure of the one that it replaces; one line names it.

    Examples
    --------
    >>> from pathlib import Path
    >>> from rramkit.cost import components
    >>> _ = Path("mine.toml").write_text(
    ...     '[digital.mul_int8]\nenergy = 1e-13\nnode = 28e-9\nsource = "lab"\nmark = "found"\n'
    ...     '[sources]\nlab = "our synthesis, 28 nm"\n'
    ... )
    >>> components(Path("mine.toml"))["digital.mul_int8"].energy_at(28e-9)
    1e-13
    """
    own = _own()
    if user is None:
        return Components(own)
    file = ComponentFile.from_toml(user)
    _check(file, own, where=str(user))
    return Components(own, file)


@cache
def _own() -> ComponentFile:
    file = ComponentFile.from_toml(_OWN_FILE)
    _check(file, file, where=str(_OWN_FILE))
    return file


def _check(file: ComponentFile, own: ComponentFile, *, where: str) -> None:
    """Raise `InputError` unless each entry of a file has a place among the kit's, its figures, and a source."""
    known, sources = own.entries(), own.sources | file.sources
    for key, entry in file.entries().items():
        if key not in known:
            raise InputError(f"{where}: `{key}` is not a known component.{_near(key, known)} Fix the key.")
        lacks = [
            name
            for name in (*FIGURES, "node")
            if getattr(known[key], name) is not None and getattr(entry, name) is None
        ]
        if lacks:
            value = getattr(known[key], lacks[0])
            raise InputError(f"{where}: `{key}.{lacks[0]}` is missing; the kit's entry has {value}. Add it.")
        if entry.source not in sources:
            raise InputError(
                f"{where}: `{key}.source` must be a key of `sources`; got {entry.source!r}. Add its title to `sources`."
            )


def _near(key: str, known: "Components | dict[str, Component]") -> str:
    near = difflib.get_close_matches(key, list(known), n=3, cutoff=0.5)
    return f" Near it: {', '.join(near)}." if near else f" Kinds: {', '.join(KINDS)}."


def _by_bits(values: dict[int, float], bits: int, key: str) -> float:
    """Return the value at `bits`, on a logarithmic axis between the neighbours given."""
    known = sorted(values)
    if not known[0] <= bits <= known[-1]:
        raise InputError(f"`bits` of {key} must be {known[0]} to {known[-1]}; got {bits}. Pass another number of bits.")
    if bits in values:
        return values[bits]
    low, high = max(b for b in known if b < bits), min(b for b in known if b > bits)
    share = (bits - low) / (high - low)
    return exp((1 - share) * log(values[low]) + share * log(values[high]))
