"""Area of a network's tiles and of its digital side.

A tile of R rows and C physical columns (two a pair) holds (with joined bit lines a sense unit is that of all tiles that
share it; where comparators merge, each pair of columns has one in place of the converters)::

    cells R C          row drivers R + C (it is read both ways)      line switches 2 (R + C)
    sense units max(R, C)/2, each a readout and a converter          word lines R, each a level shifter and its driver
    write driver       amplitude once, a part for each row, a part for each column

Where input bits open rows (the mapping `sei`), an input has one word line, the drivers and the converters are left out,
and a comparator follows each readout, of which arrays that are joined share one for two columns.
Each circuit takes its transistors' active area times `layout_factor`, and its capacitors C / `c_area`; feedback
resistors are left out. Wires need no area of their own: a cell is as wide as its access transistor needs.
A copy that holds the transpose of a matrix (`rule.backward = "copy"`) has tiles of its own, of C rows.
The digital side: the memories that hold the controller's numbers and a batch of outputs, the gradient unit's
multipliers, an adder, a multiplier and a comparator for each sense unit. Registers and control are left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from rramkit.array.mapping import Sei
from rramkit.array.tile import Tile
from rramkit.array.tile_grid import TileGrid
from rramkit.cost.assumptions import Assumptions
from rramkit.cost.components import Components
from rramkit.cost.memory import MULTIPLIER, memories, settled
from rramkit.cost.subject import Subject

_LINES = 2  # lines of a sense unit (1)
_ADDER, _COMPARATOR = "digital.adder32_aladdin", "digital.comparator32"


class CircuitArea(Protocol):
    """Active area (m2) and capacitors (F) of one circuit; `rramkit.characterization.areas` gives them."""

    @property
    def area(self) -> float:
        """Active area (m2)."""
        ...

    @property
    def capacitance(self) -> float:
        """Capacitors (F)."""
        ...


@dataclass(frozen=True)
class AreaItem:
    """Area (m2) of `count` equal parts of a layer, or of the network; what it is from."""

    layer: str
    part: str
    count: int
    area: float
    origin: str


@dataclass(frozen=True)
class Tiles:
    """Tiles of one matrix: how many, rows and physical columns of each; how they are sensed.

    `joined` tiles share their sense units (1: each has its own); with `compared` each pair of columns has a comparator,
    and there is no converter. Of the mapping `sei` also how many inputs open the rows of one.
    """

    layer: str
    count: int
    rows: int
    columns: int
    joined: int = 1
    compared: bool = False
    inputs: int = 0

    @classmethod
    def selected(
        cls, layer: str, mapping: Sei, shape: tuple[int, int], largest: tuple[int, int], *, copies: int
    ) -> "Tiles":
        """Return the tiles of a matrix (N, M) in the mapping `sei`."""
        across, down, inputs, columns = mapping.cut(*shape, largest)
        joined = down if mapping.merge == "current" else 1
        rows = inputs * mapping.rows_per_input
        return cls(layer, across * down * copies, rows, columns, joined=joined, inputs=inputs)

    @property
    def units(self) -> int:
        """Sense units of all of them."""
        lines = self.columns if self.inputs else max(self.rows, self.columns)
        return self.count // self.joined * -(-lines // _LINES)


def tiles_read(layer: str, tile: Tile | TileGrid) -> Tiles:
    """Return the tiles that one matrix is read from."""
    merge = tile.model.chain.merge
    joined = tile.shape[0] if merge == "analog" and isinstance(tile, TileGrid) else 1
    return Tiles(layer, *tile.tiling, joined=joined, compared=merge == "majority")


def tiles_of(subject: Subject) -> tuple[Tiles, ...]:
    """Return the tiles of each matrix, all banks together and without copies, cut as the training cuts them."""
    found: list[Tiles] = []
    for index, matrix in enumerate(subject.work.matrices):
        device, columns = subject.devices[index], subject.columns(index)
        largest = device.loop.chain.largest or device.model.largest_array
        same = subject.banks * (subject.arrays(index) - subject.copied(index))
        if isinstance(device.mapping, Sei):
            shape = (matrix.rows, matrix.columns)
            found.append(Tiles.selected(matrix.label, device.mapping, shape, largest, copies=same))
            continue
        down, across = -(-matrix.rows // largest[0]), -(-columns // largest[1])
        merge = device.model.chain.merge
        found.append(
            Tiles(
                matrix.label,
                down * across * same,
                -(-matrix.rows // down),
                -(-columns // across),
                joined=down if merge == "analog" else 1,
                compared=merge == "majority",
            )
        )
    return tuple(found)


def copies_of(subject: Subject) -> tuple[Tiles, ...]:
    """Return the tiles of the copies beside matrices, each of the transpose; none without copies."""
    found: list[Tiles] = []
    for index, matrix in enumerate(subject.work.matrices):
        if subject.copied(index):
            device = subject.devices[index]
            rows, columns = matrix.columns, matrix.rows * device.mapping.cells_per_half * device.mapping.halves
            largest = device.loop.chain.largest or device.model.largest_array
            down, across = -(-rows // largest[0]), -(-columns // largest[1])
            count = subject.banks * down * across
            found.append(Tiles(matrix.label, count, -(-rows // down), -(-columns // across)))
    return tuple(found)


def area_items(
    subject: Subject, components: Components, assumed: Assumptions, circuits: Mapping[str, CircuitArea]
) -> tuple[AreaItem, ...]:
    """Return the areas of tiles by layer, and those of the digital side.

    Parameters
    ----------
    subject : Subject
        The training.
    components : Components
        Areas of memories and units.
    assumed : Assumptions
        Factor of the layout, memories and lanes.
    circuits : mapping
        Areas of circuits by name; without any the tiles are left out.
    """
    assumed, tiles = settled(subject, assumed), (*tiles_of(subject), *copies_of(subject))
    found = tile_items(tiles, assumed, circuits)
    units = sum(one.units for one in tiles)
    lanes = 0 if assumed.gradient == "memory" else assumed.lanes
    for part, key, count in (
        *((key.replace(".", " "), key, macros) for key, macros in memories(subject, assumed).items()),
        ("gradient unit", MULTIPLIER, lanes),
        ("multipliers", MULTIPLIER, units),
        ("adders", _ADDER, units),
        ("comparators", _COMPARATOR, units),
    ):
        entry = components[key]
        found.append(AreaItem("network", part, count, count * entry.area_at(), entry.component.mark))
    return tuple(each for each in found if each.count)


def tile_items(tiles: Sequence[Tiles], assumed: Assumptions, circuits: Mapping[str, CircuitArea]) -> list[AreaItem]:
    """Return the areas of the circuits of tiles by layer; none without circuits."""
    found = []
    for one in tiles if circuits else ():
        for name, count in (_of_selected(one) if one.inputs else _of_driven(one)).items():
            if name in circuits and count:
                circuit = circuits[name]
                area = assumed.layout_factor * circuit.area + circuit.capacitance / assumed.c_area
                found.append(AreaItem(one.layer, name, count, count * area, "netlist"))
    return found


def _of_driven(one: Tiles) -> dict[str, int]:
    """Return the circuits of tiles whose lines are driven both ways."""
    lines = one.rows + one.columns
    return {
        "cell": one.rows * one.columns * one.count,
        "row_driver": lines * one.count,
        "line_switch": 2 * lines * one.count,
        "readout": one.units,
        "adc": 0 if one.compared else one.units,
        "sense_amp": one.columns // _LINES * one.count if one.compared else 0,
        "level_shifter": one.rows * one.count,
        **_of_writes(one),
    }


def _of_selected(one: Tiles) -> dict[str, int]:
    """Return the circuits of tiles whose rows are opened by input bits: one level shifter an input, no converters."""
    return {
        "cell": one.rows * one.columns * one.count,
        "line_switch": (one.rows + one.columns) * one.count,
        "readout": one.units,
        "sense_amp": one.units,
        "level_shifter": one.inputs * one.count,
        **_of_writes(one),
    }


def _of_writes(one: Tiles) -> dict[str, int]:
    return {
        "write_amplitude": one.count,
        "write_row": one.rows * one.count,
        "write_column": one.columns * one.count,
    }
