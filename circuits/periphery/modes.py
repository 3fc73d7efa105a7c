"""What the transposable array can do, and which switch of which line is closed while it does it.

Mode table (this kit's choice, after the transposable array of DNN+NeuroSim: the switches that write also turn the
array round; TIME's own circuits are not published in what could be read). Every line has four switches::

    drive   to its converter (DAC)          write   to the write rail
    sense   to its sense unit               ground  to ground (in reads: to where the sense units hold their lines)

    mode           rows                     columns                          word lines
    forward        drive                    sense                            all
    backward       sense                    drive                            all
    update, set    ground                   selected: write, others: ground  the selected one
    update, reset  selected: write,         selected: ground, others: write  the selected one
                   others: ground           (so that open cells see nothing)
    memory read    selected: drive,         sense                            the selected one
                   others: ground
    memory write   ground                   bits that are 1: write,          the selected one
                                            others: ground

Rows are source lines here and word lines run along them. Where `share` lines have one sense unit, a read takes that
many phases, and lines that wait are grounded.
"""

from dataclasses import dataclass
from typing import Literal

from rramkit.errors import InputError

Mode = Literal["forward", "backward", "update set", "update reset", "memory read", "memory write"]
Switch = Literal["drive", "sense", "write", "ground"]
SWITCHES: tuple[Switch, ...] = ("drive", "sense", "write", "ground")


@dataclass(frozen=True)
class Closed:
    """The switch that is closed on selected and on other rows and columns, and whether all word lines are open."""

    row: Switch
    other_rows: Switch
    col: Switch
    other_cols: Switch
    all_words: bool

    @property
    def reads(self) -> bool:
        """Whether lines are sensed, and `ground` is where they rest instead of 0 V."""
        return "sense" in (self.row, self.col)


MODE_TABLE: dict[Mode, Closed] = {
    "forward": Closed("drive", "drive", "sense", "sense", True),
    "backward": Closed("sense", "sense", "drive", "drive", True),
    "update set": Closed("ground", "ground", "write", "ground", False),
    "update reset": Closed("write", "ground", "ground", "write", False),
    "memory read": Closed("drive", "ground", "sense", "sense", False),
    "memory write": Closed("ground", "ground", "write", "ground", False),
}


@dataclass(frozen=True)
class Operation:
    """One thing that the array does for one slot of time.

    Attributes
    ----------
    codes : tuple of int
        Converter code of each line that is driven (forward: rows, backward: columns); memory read drives its row with
        the largest code whatever stands here.
    row : int
        Selected row of the last four modes.
    cols : tuple of int
        Selected columns: one for an update, the bits that are 1 for a memory write.
    phase : int
        Which of the `share` lines of each sense unit is sensed.
    v_write, v_word : float
        Write rail during its pulse and rail of the word lines [V].
    """

    mode: Mode
    codes: tuple[int, ...] = ()
    row: int = 0
    cols: tuple[int, ...] = (0,)
    phase: int = 0
    v_write: float = 0.0
    v_word: float = 2.5

    def switch(self, line: Literal["row", "col"], index: int, share: int) -> Switch:
        """Return the switch that is closed on a line."""
        closed = MODE_TABLE[self.mode]
        if line == "row":
            found = closed.row if index == self.row else closed.other_rows
        else:
            found = closed.col if index in self.cols else closed.other_cols
        return "ground" if found == "sense" and index % share != self.phase else found

    def word_open(self, index: int) -> bool:
        """Whether word line `index` is open."""
        return MODE_TABLE[self.mode].all_words or index == self.row

    def check(self, rows: int, cols: int, levels: int, share: int) -> None:
        """Raise `InputError` unless the operation fits an array of this size and its converters."""
        driven = {"forward": rows, "backward": cols}.get(self.mode, 0)
        if driven and (len(self.codes) != driven or not all(0 <= code < levels for code in self.codes)):
            raise InputError(
                f"`codes` must be {driven} whole numbers from 0 to {levels - 1} for {self.mode}; got {self.codes}. "
                "Give one for each driven line."
            )
        if not (0 <= self.row < rows and all(0 <= col < cols for col in self.cols) and 0 <= self.phase < share):
            raise InputError(
                f"`row`, `cols` and `phase` must lie within {rows} rows, {cols} columns and {share} phases; got "
                f"{self.row}, {self.cols} and {self.phase}. Fix them."
            )
