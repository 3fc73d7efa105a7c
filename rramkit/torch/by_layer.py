# pyright: reportMissingImports=false, reportAttributeAccessIssue=false, reportGeneralTypeIssues=false
"""Arrays and options of single modules of a converted model, where they are not those of all: `convert(layers=)`."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from rramkit.array.model import ArrayModel
from rramkit.array.stages.chain import ReadChain
from rramkit.errors import InputError
from rramkit.learning.by_layer import settings_of
from rramkit.learning.chip import Chip, ChipSettings
from rramkit.learning.layer_mapping import LayerMapping, check_changes
from rramkit.learning.mapping_settings import MappingSettings
from rramkit.table import TablesLike, loaded
from rramkit.torch.arrays import array_of_chip
from rramkit.torch.cells import TileOptions
from rramkit.torch.pulses import PulseWrites

Layers = Mapping[str, LayerMapping | Mapping[str, Any]]


@dataclass(frozen=True)
class AllModules:
    """What modules without settings of their own have.

    Attributes
    ----------
    tables : TablesLike
        The table file.
    chip : ChipSettings
        Stages that are off, and the operating point.
    arrays : ArrayModel
        The arrays.
    options : TileOptions
        How cells are written and read.
    by_pulses : bool
        Whether cells are written by the file's pulses.
    """

    tables: TablesLike | ArrayModel
    chip: ChipSettings
    arrays: ArrayModel
    options: TileOptions
    by_pulses: bool

    def of_layers(self, layers: Layers, modules: Sequence[tuple[str, nn.Module]]) -> dict[str, "OneModule"]:
        """Return arrays and options of the modules that `layers` names, of those that go onto tiles.

        Raises
        ------
        InputError
            When a name is none of theirs, a setting does not fit or changes nothing, or there is no table file.
        """
        if layers and isinstance(self.tables, ArrayModel):
            raise InputError("`layers` must come with a table file; got an ArrayModel. Pass the file.")
        return {name: self._of_layer(name, layer, modules) for name, layer in layers.items()}

    def _of_layer(
        self, name: str, layer: LayerMapping | Mapping[str, Any], modules: Sequence[tuple[str, nn.Module]]
    ) -> "OneModule":
        place = f"layers[{name!r}]"
        module = dict(modules).get(name)
        if module is None:
            known = [each for each, _ in modules]
            similar = difflib.get_close_matches(str(name), known, n=1, cutoff=0.4)
            hint = f" Did you mean {similar[0]!r}?" if similar else ""
            raise InputError(f"`layers` must name modules that go onto tiles: {', '.join(known)}; got {name!r}.{hint}")
        settings = layer if isinstance(layer, LayerMapping) else LayerMapping.checked(dict(layer), where=place)
        if settings.weights is not None:
            raise InputError(f"`{place}.weights` must be left out: modules hold weights in pairs of cells. Remove it.")
        check_changes(place, settings, lambda each: self._built(each).outcome(module))
        return self._built(settings)

    def _built(self, layer: LayerMapping) -> "OneModule":
        mapping, chip = settings_of(layer, MappingSettings(), self.chip)
        tables = loaded(self.tables)  # pyright: ignore[reportArgumentType]  (no ArrayModel: `of_layers`)
        arrays = array_of_chip(tables, chip, chain=mapping.read)
        options, writes = self.options, None
        if layer.rows or layer.columns:
            rows, columns = options.largest or arrays.largest_array
            options = replace(options, largest=(layer.rows or rows, layer.columns or columns))
        if self.by_pulses:
            writes = Chip.of(chip.tables(tables), chip, chain=mapping.read)
            options = replace(options, write=PulseWrites.of_chip(writes))
        return OneModule(arrays, options, writes)


@dataclass(frozen=True)
class OneModule:
    """Arrays and options of one module, and the chip that its pulses are of, where it is written by pulses."""

    arrays: ArrayModel
    options: TileOptions
    writes: Chip | None = None

    def outcome(self, module: nn.Module) -> object:
        """Return all that can differ from module to module: stages, wires, and how its matrices are split."""
        weights = [each for each in module.parameters() if each.dim() > 1]
        rows, columns = self.options.largest or self.arrays.largest_array
        most = max(each.numel() // len(each) for each in weights), 2 * max(map(len, weights))
        chain: ReadChain = self.arrays.chain
        written = [] if self.writes is None else [self.writes.update.model_dump(), self.writes.verify.model_dump()]
        split = min(rows, most[0]), min(columns, most[1])
        return chain.model_dump(), self.arrays.wires is None, split, written
