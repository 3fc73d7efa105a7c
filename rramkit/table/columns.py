"""Columns of a table group: names that carry their unit, meaning and physical bounds."""

from collections.abc import Mapping
from math import inf
from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from rramkit.errors import InputError
from rramkit.table.parts import Quantity

Kind = Literal["axis", "signal", "condition", "held_out"]
Polarity = Literal["set", "reset"]

LARGEST: Mapping[str, float] = {
    "V": 1e3,
    "A": 1e3,
    "S": 1e3,
    "ohm": 1e15,
    "s": 1e9,
    "J": 1e3,
    "F": 1.0,
    "K": 2e3,
    "Hz": 1e15,
    "m": 1.0,
    "V s": 1e3,
    "1/K": 1.0,
    "1": 1e18,
}
"""Magnitude by unit beyond which a column of the kit holds no figure of a circuit, but damage or a wrong unit."""


class Column(str):
    """Name of one axis, signal, condition or held-out column of a group; as a `str` it is a key of a table's mappings.

    Attributes
    ----------
    unit : str
        SI unit; `1` for a pure number.
    text : str
        What it is, in one phrase.
    words : str
        What it is called on the axis of a picture, in a few words of the field; the name with blanks where none are
        given.
    kind : str
        `axis`, `signal`, `condition`, or `held_out` (a column that held-out points alone have).
    required : bool
        Whether a table of the group must have it.
    low, high : float
        Smallest and largest value that are physically possible, in `unit`; where nothing is said, the magnitude that
        `LARGEST` has for the unit.
    """

    unit: str
    text: str
    words: str
    kind: Kind
    required: bool
    low: float
    high: float

    def __new__(
        cls,
        name: str,
        unit: str = "1",
        text: str = "",
        *,
        words: str = "",
        kind: Kind = "signal",
        required: bool = False,
        low: float = -inf,
        high: float = inf,
    ) -> Self:
        """Return the name with what belongs to it."""
        column, largest = super().__new__(cls, name), LARGEST.get(unit, inf)
        column.unit, column.text, column.kind, column.required = unit, text, kind, required
        column.words = words or name.replace("_", " ")
        column.low, column.high = max(low, -largest), min(high, largest)
        return column

    def named(self, name: str) -> "Column":
        """Return the same column under another name."""
        bounds = {"low": self.low, "high": self.high}
        return Column(name, self.unit, self.text, words=self.words, kind=self.kind, required=self.required, **bounds)

    def quantity(self, values: ArrayLike, *, labels: tuple[str, ...] = (), log: bool = False) -> Quantity:
        """Return values of this column, in its unit."""
        return Quantity(np.asarray(values, dtype=float), self.unit, labels=labels, log=log)


def axis(
    unit: str, text: str, *, words: str = "", required: bool = False, low: float = -inf, high: float = inf
) -> Column:
    """Declare an axis of a group; it takes the name of the attribute."""
    return Column("", unit, text, words=words, kind="axis", required=required, low=low, high=high)


def signal(
    unit: str, text: str, *, words: str = "", required: bool = False, low: float = -inf, high: float = inf
) -> Column:
    """Declare a signal of a group."""
    return Column("", unit, text, words=words, kind="signal", required=required, low=low, high=high)


def condition(unit: str, text: str, *, required: bool = False, low: float = -inf, high: float = inf) -> Column:
    """Declare a condition of a group."""
    return Column("", unit, text, kind="condition", required=required, low=low, high=high)


def held_out(unit: str, text: str, *, words: str = "") -> Column:
    """Declare a column that held-out points of a group have and its table does not."""
    return Column("", unit, text, words=words, kind="held_out")


class Group:
    """Columns of one table group, as attributes; a subclass declares them, its docstring says what the table is.

    A subclass without `group` is a set of columns that several groups share.
    """

    __slots__ = ()
    group: ClassVar[str] = ""
    words: ClassVar[str] = ""
    polarity: ClassVar[Polarity | None] = None

    def __init_subclass__(cls, *, group: str = "", words: str = "", polarity: Polarity | None = None) -> None:
        """Give each declared column the name of its attribute; `words` name the table on pictures."""
        super().__init_subclass__()
        cls.group, cls.words, cls.polarity = group, words, polarity
        for name, column in [*vars(cls).items()]:
            if isinstance(column, Column):
                setattr(cls, name, column.named(name))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"the columns of `{self.group}` cannot be changed; got {name!r}")

    @property
    def text(self) -> str:
        """What the table holds, one line."""
        return (type(self).__doc__ or "").strip().splitlines()[0].rstrip(".")

    @property
    def columns(self) -> dict[str, Column]:
        """Every column by its name, in the order of declaration."""
        columns: dict[str, Column] = {}
        for each in reversed(type(self).__mro__):
            columns |= {name: column for name, column in vars(each).items() if isinstance(column, Column)}
        return columns

    def of_kind(self, kind: Kind) -> tuple[Column, ...]:
        """Return the columns of one kind, in the order of declaration."""
        return tuple(column for column in self.columns.values() if column.kind == kind)

    def of(self, **values: ArrayLike | Quantity) -> dict[str, Quantity]:
        """Return columns with their units by name, e.g. `READ.of(v_read=0.1)`; a `Quantity` stays as it is.

        Raises
        ------
        InputError
            When the group has no column of a name.
        """
        columns = self.columns
        strange = [name for name in values if name not in columns]
        if strange:
            raise InputError(f"`{self.group}` has the columns {', '.join(columns)}; got {strange[0]!r}. Fix the name.")
        return {
            columns[name]: each if isinstance(each, Quantity) else columns[name].quantity(each)
            for name, each in values.items()
        }

    def without(self, quantities: Mapping[str, Quantity]) -> tuple[str, ...]:
        """Return the names of `quantities` that are none of the group's columns."""
        return tuple(name for name in quantities if name not in self.columns)
