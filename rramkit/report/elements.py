"""The parts of a page, before any markup: text, numbers as text, and drawings as SVG."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class TableRow:
    """One number: what it is, and its value with its unit."""

    label: str
    value: str


@dataclass(frozen=True)
class Drawing:
    """One plot: SVG text that is safe to put into the page, and a sentence that says what it shows."""

    svg: str
    caption: str


@dataclass(frozen=True)
class Panel:
    """Plots of one subject with their numbers beside them; `folded`: below its title, `verdict` beside it."""

    title: str
    drawings: tuple[Drawing, ...]
    rows: tuple[TableRow, ...]
    folded: bool = False
    verdict: str = ""


@dataclass(frozen=True)
class Grid:
    """A table with a heading row; its first `words` columns hold words, the others numbers."""

    title: str
    heading: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1
    folded: bool = False


@dataclass(frozen=True)
class Section:
    """One chapter of the page: `first` stands above the panels, `grids` below."""

    name: str
    title: str
    intro: str
    blocks: tuple[Panel, ...] = ()
    grids: tuple[Grid, ...] = ()
    first: tuple[Grid, ...] = ()


@dataclass(frozen=True)
class KeyFigure:
    """One number of the headline; `verdict` is `pass`, `fail` or empty."""

    label: str
    value: str
    note: str
    verdict: str = ""


@dataclass(frozen=True)
class Page:
    """Everything that the template sets; `made` says what the numbers are, `not_modelled` what they leave out."""

    title: str
    subtitle: str
    tiles: tuple[KeyFigure, ...]
    notices: tuple[str, ...]
    sections: tuple[Section, ...]
    made: str
    not_modelled: tuple[str, ...]
    sources: tuple[TableRow, ...]
    documents: tuple[TableRow, ...] = field(default=())
