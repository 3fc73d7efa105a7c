"""An update rule on a network whose layers differ in how they lie in arrays: `mapping.layers`.

A layer is named by its number, as in a `state_dict` (`0`, `3.main.0`), or by its kind and its number among those of its
kind, from 1 (`convolution_1`, `dense_2`). Its settings take the place of those of all layers; chip, mapping and device
are then built for it as for a network of that layer alone.
"""

import difflib
from collections import Counter
from dataclasses import dataclass, replace

from rramkit.array.read_model import Precision
from rramkit.errors import InputError
from rramkit.learning.chip import Chip, ChipSettings, chip_of, rule_on
from rramkit.learning.layer_mapping import LayerMapping, check_changes
from rramkit.learning.layers.clustered import MaskedPlan
from rramkit.learning.layers.layer import AnyLayer, MatrixPlan
from rramkit.learning.mapping_settings import MappingSettings
from rramkit.learning.model import Network
from rramkit.learning.optimisers import Optimiser
from rramkit.learning.rules import BoundRule, UpdateRule
from rramkit.learning.state_dict import named_layers

_LISTED = 12  # names in an error message (1): a line that can still be read


def kind_of(layer: AnyLayer) -> str:
    """Return the kind of a layer, as a TOML file names it."""
    return str(type(layer).model_fields["kind"].default)


def matrix_names(network: Network) -> list[tuple[str, str]]:
    """Return both names of each matrix of a network, in order: number of the layer, and kind with its count."""
    counts: Counter[str] = Counter()
    names = []
    for number, layer in named_layers(network):
        if layer.sizes.matrices:
            kind = kind_of(layer)
            counts[kind] += 1
            names.append((number, f"{kind}_{counts[kind]}"))
    return names


def matrix_named(network: Network, name: str) -> int:
    """Return the number of the matrix of a layer.

    Raises
    ------
    InputError
        When no layer with a matrix has the name.
    """
    names = matrix_names(network)
    for index, both in enumerate(names):
        if name in both:
            return index
    known = [each for both in names for each in both]
    similar = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f" Did you mean `{similar[0]}`?" if similar else ""
    listed = ", ".join(f"{number} or {kind}" for number, kind in names[:_LISTED])
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    raise InputError(f"`mapping.layers` must name layers with a matrix: {listed}{more}; got {name!r}.{hint}")


def rule_on_network(
    chip: Chip,
    network: Network,
    settings: ChipSettings,
    *,
    rule: UpdateRule,
    mapping: MappingSettings,
    optimiser: Optimiser,
    precision: Precision,
) -> BoundRule:
    """Return an update rule on a chip, each matrix of a network with its own settings where it has any.

    Parameters
    ----------
    chip : Chip
        The chip of all layers.
    network : Network
        The network, whose layers `mapping.layers` names.
    settings : ChipSettings
        What `chip` was made by.
    rule, mapping, optimiser, precision
        As for `rule_on`.

    Raises
    ------
    InputError
        When a name is none of the network's, a setting does not fit or changes nothing, or the rule is in float.
    """
    if rule.reaches_all and any(isinstance(plan, MaskedPlan) for plan in network.matrices):
        kind = type(rule).model_fields["kind"].default
        raise InputError(
            f"a `clustered` layer needs a rule that leaves cells without a connection alone; `{kind}` "
            f"{rule.reaches_all}. Take another `rule.kind`, for instance mixed_precision, or a dense layer."
        )
    of_all = mapping.model_copy(update={"layers": {}})
    bound = rule_on(chip, rule=rule, mapping=of_all, optimiser=optimiser, precision=precision)
    bound = replace(bound, first=network.first)
    if not mapping.layers:
        return bound
    if bound.device is None:
        raise InputError(
            '`mapping.layers` must be left out with `rule.kind = "float"`: weights are not in cells. Take a rule that '
            "writes cells."
        )
    own: dict[int, BoundRule] = {}
    for name, layer in mapping.layers.items():
        index = matrix_named(network, name)
        if index in own:
            raise InputError(f"`mapping.layers` must name a layer once; {name!r} is there by another name. Join them.")
        at = _OneMatrix(chip, settings, rule, mapping, precision, network.matrices[index])
        check_changes(f"mapping.layers.{name}", layer, at.outcome)
        mapped, of_layer = at.built(layer)
        try:
            own[index] = rule_on(of_layer, rule=rule, mapping=mapped, optimiser=optimiser, precision=precision)
        except InputError as error:
            raise InputError(f"`mapping.layers.{name}`: {error}") from error
    return replace(bound, by_matrix=own)


def settings_of(
    layer: LayerMapping, mapping: MappingSettings, chip: ChipSettings
) -> tuple[MappingSettings, ChipSettings]:
    """Return the settings of a layer: those of all with its own in their place."""
    off = (*chip.off, *(name for name in layer.off if name not in chip.off))
    update = {
        "read": layer.over(mapping.read),
        "weights": layer.weights or mapping.weights,
        "rows": layer.rows or mapping.rows,
        "columns": layer.columns or mapping.columns,
        "layers": {},
    }
    of_chip = chip.model_copy(update={"off": off, "override": chip.override or layer.override})
    return mapping.model_copy(update=update), of_chip


@dataclass(frozen=True)
class _OneMatrix:
    """What settings of a layer come to, for one matrix."""

    chip: Chip
    settings: ChipSettings
    rule: UpdateRule
    mapping: MappingSettings
    precision: Precision
    plan: MatrixPlan

    def built(self, layer: LayerMapping) -> tuple[MappingSettings, Chip]:
        """Return mapping and chip of a layer."""
        mapping, settings = settings_of(layer, self.mapping, self.settings)
        return mapping, chip_of(self.chip.tables, settings, mapping=mapping, rule=self.rule)

    def outcome(self, layer: LayerMapping) -> object:
        """Return all that can differ from layer to layer: stages, wires, weight mapping, and how a matrix is split."""
        mapping, chip = self.built(layer)
        model = mapping.model(chip.tables.read, self.precision, chain=chip.chain, wires=chip.wires)
        rows, columns = model.largest_array
        physical = self.plan.columns * mapping.weights.halves * mapping.weights.cells_per_half
        stages = [each.model_dump() for each in (chip.chain, chip.update, chip.verify, mapping.weights)]
        return (*stages, chip.wires, min(rows, self.plan.rows), min(columns, physical))
