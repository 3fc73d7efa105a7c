"""How a network's matrices lie in arrays: the weight mapping, array size, read chain and compute backend."""

from dataclasses import replace
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from rramkit.array.backend import Backend
from rramkit.array.cell_current import CellCurrent
from rramkit.array.mapping import Pairs, WeightMapping
from rramkit.array.read_model import LARGEST, Precision, ReadModel
from rramkit.array.stages.chain import ReadChain
from rramkit.errors import InputError
from rramkit.learning.layer_mapping import LayerMapping
from rramkit.parameters import Parameters, quantity
from rramkit.table import TableFile


class MappingSettings(Parameters):
    """How matrices lie in arrays; `kind` in this group's TOML is short for `weights.kind`."""

    weights: WeightMapping = Field(default=Pairs(), description="weight mapping; its window is the table file's")
    wires: bool = quantity(True, "1", "whether array reads go through the wires of the table file (IR drop)")
    read: ReadChain = ReadChain()
    rows: int = quantity(0, "1", "rows of the largest array; 0: what the wires were checked on", ge=0, le=65_536)
    columns: int = quantity(0, "1", "physical columns of it, two a pair; 0: the same", ge=0, le=65_536)
    v_read: float = quantity(
        0.0,
        "V",
        "voltage of the largest input, at most the tables'; 0: that of the tables' largest input",
        ge=0.0,
        le=1.0,
    )
    wires_within: float = quantity(
        5e-4,
        "1",
        "relative change of a line's current by writes beyond which its wires are solved again",
        ge=0.0,
        le=0.1,
    )
    backend: Backend = quantity(
        "numpy", "1", "what computes a training: numpy, or torch (extra `torch`), whose numbers stay on `device`"
    )
    device: str = Field(
        default="cpu", description="of the backend torch: cpu, cuda, cuda:1", pattern=r"^(cpu|cuda(:\d+)?)$"
    )
    margin: float = quantity(
        1.3, "1", "range of readouts and converters over the largest current of a first batch", gt=0, le=100
    )
    layers: dict[str, LayerMapping] = quantity({}, "1", "settings of single layers, by number, or by kind and count")

    @model_validator(mode="before")
    @classmethod
    def _kind(cls, values: Any) -> Any:  # noqa: ANN401  (whatever a TOML file holds)
        """Take `kind` for `weights.kind`."""
        if not isinstance(values, dict) or "kind" not in values:
            return values
        others, weights = dict(values), values.get("weights", {})
        kind = others.pop("kind")
        if not isinstance(weights, dict) or weights.get("kind", kind) != kind:
            raise ValueError("kind and weights.kind must agree")
        return {**others, "weights": {**weights, "kind": kind}}

    @field_validator("weights", mode="before")
    @classmethod
    def _default_kind(cls, weights: object) -> object:
        return {"kind": "pairs", **weights} if isinstance(weights, dict) else weights

    @model_validator(mode="after")
    def _device_in_use(self) -> Self:
        if self.backend == "numpy" and self.device != "cpu":
            raise ValueError(
                f"device is of the backend torch: with the backend numpy it must be cpu; got {self.device}. Set "
                '`mapping.backend = "torch"`, or leave device out'
            )
        return self

    def ideal(self) -> Self:
        """Return the mapping without any non-ideality; the weight mapping stays."""
        layers = {name: layer.ideal() for name, layer in self.layers.items()}
        layers = {name: layer for name, layer in layers.items() if not layer.empty}
        return self.model_copy(update={"wires": False, "read": ReadChain(), "layers": layers})

    def model(
        self, tables: TableFile, precision: Precision, *, chain: ReadChain | None = None, wires: bool | None = None
    ) -> ReadModel:
        """Return what every array shares, with the stages and wires of a chip in place of the settings' own.

        Raises
        ------
        InputError
            When the tables do not reach `v_read`, or a row driver has levels in volts of its own.
        """
        wires = self.wires if wires is None else wires
        model = ReadModel.from_tables(tables, wires=wires, chain=chain or self.read)
        if self.v_read:
            model = replace(model, cells=self._driven(model.cells, model.chain))
        lines = model.wires
        most = LARGEST if lines is None else (lines.rows_max, lines.cols_max)
        largest = (self.rows or most[0], self.columns or most[1])
        return replace(
            model,
            largest=largest,
            precision=precision,
            backend=self.backend,
            device=self.device,
            wires_within=self.wires_within,
        )

    def _driven(self, cells: CellCurrent, chain: ReadChain) -> CellCurrent:
        """Return the cell current up to `v_read`."""
        if chain.row_driver.v_open:
            raise InputError(
                f"`mapping.v_read` must be left out where the row driver's levels are volts of the table `row_driver`; "
                f'got {self.v_read:g} V. Remove it, or leave that driver out: `chip.off = ["row_driver"]`.'
            )
        return cells.up_to(self.v_read)
