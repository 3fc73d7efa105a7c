"""What a spiking evaluation costs: energy of one input by layer and part, and the power while inputs are shown.

    power = (reads + comparators + digital work of T steps) / (T t_step)

Reads are those of the simulator (drivers, switches, word lines, integrating readouts with the current of the cells),
priced by the tables, and so are the comparators, which decide once a step. A component file prices what is digital,
from the shapes: the image is read from memory in each step, each pixel is compared with a random byte, each neuron
counts its refractory steps, each spike of an output is counted. Leaks, resets and leakage between pulses have no price.
The counts are this kit's own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from rramkit.array.mapped_matrix import MappedMatrix
from rramkit.array.read_parts import SENSING, read_parts
from rramkit.cost.components import Components
from rramkit.cost.items import Item, Origin, total
from rramkit.learning.spiking.evaluation import LayerSpikes, SpikingEvaluation
from rramkit.learning.spiking.network import SpikingLayer, SpikingNetwork
from rramkit.table.schema import READOUT_INTEGRATING, SENSE_AMP

INTEGRATION, COMPARISON, REFRACTORY = "integrating readouts and cells", "threshold comparators", "refractory counters"
NEURON = (INTEGRATION, COMPARISON, REFRACTORY)
"""Parts of a neuron."""

_IMAGE = "memory.sram_2k"  # a grey image of 784 bytes
_BYTE = 8  # bits of a pixel, and of the random number beside it


@dataclass(frozen=True)
class SpikingCost:
    """Energy of one input, and what follows from it.

    Attributes
    ----------
    items : tuple of Item
        By layer and part, for one input in its whole window (J).
    window : float
        Time in which an input is shown (s).
    """

    items: tuple[Item, ...]
    window: float

    @property
    def energy(self) -> float:
        """Energy of one input (J)."""
        return total(self.items)

    @property
    def power(self) -> float:
        """Mean power while inputs are shown one after the other (W)."""
        return self.energy / self.window

    @property
    def neuron_share(self) -> float:
        """Part of the energy that the neurons take (1): integration with the cells' current, comparison, counters."""
        return total(item for item in self.items if item.part in NEURON) / self.energy if self.energy else 0.0


def spiking_cost(network: SpikingNetwork, found: SpikingEvaluation, components: Components) -> SpikingCost:
    """Return what an evaluation cost.

    Parameters
    ----------
    network : SpikingNetwork
        The network in cells.
    found : SpikingEvaluation
        Its evaluation.
    components : Components
        Prices of the digital work.

    Returns
    -------
    SpikingCost
        Energy by layer and part, power, share of the neurons.

    Examples
    --------
    >>> import numpy as np
    >>> import rramkit as rk
    >>> from rramkit.cost import components
    >>> from rramkit.learning.chip import ChipSettings
    >>> from rramkit.learning.spiking import SpikingSettings
    >>> from rramkit.learning.spiking.evaluation import spiking_evaluation
    >>> from rramkit.learning.spiking.network import SpikingNetwork
    >>> x, settings = np.random.default_rng(0).random((20, 4)), SpikingSettings(steps=5)
    >>> spiking = SpikingNetwork.of(rk.load_run("run.h5").network, None, ChipSettings(), settings, x)
    >>> found = spiking_evaluation(spiking, x, np.arange(20) % 3, settings)
    >>> cost = spiking_cost(spiking, found, components())
    >>> cost.power == cost.energy / settings.window
    True
    """
    steps, inputs, items = found.settings.steps, len(found.predicted), []
    for layer, spikes in zip(network.layers, found.layers, strict=True):
        items += _reads(layer, spikes, inputs)
        decisions = float(layer.neurons * steps)
        compared = decisions * network.circuits.e_compare
        if compared:
            items.append(_item(spikes.label, COMPARISON, SENSE_AMP.group, decisions, compared))
        if network.neuron.refractory:
            items.append(_priced(spikes.label, REFRACTORY, "digital.add_int8", decisions, components))
    pixels = float(steps * (network.layers[0].matrix.weight.shape[0] - network.layers[0].bias))
    bits = _BYTE * pixels
    memory = components[_IMAGE]
    mark = cast(Origin, memory.component.mark)
    read = Item("network", "forward", "image", _IMAGE, bits, bits * memory.read_bit_at(), mark, "from shapes")
    encoder = [
        _priced("network", "input encoder", "digital.comparator32", pixels, components),
        _priced("network", "input encoder", "digital.register_bit", bits, components),
    ]
    spoken = _priced("network", "output counters", "digital.counter32", found.layers[-1].spikes, components)
    return SpikingCost((*items, read, *encoder, spoken), found.settings.window)


def _reads(layer: SpikingLayer, spikes: LayerSpikes, inputs: int) -> Iterator[Item]:
    """Yield the parts of a layer's reads for one input."""
    cost, matrix = spikes.cost, layer.matrix
    if not isinstance(matrix, MappedMatrix) or not cost.energy:
        return
    sums = {"energy": cost.energy, "e_drivers": cost.e_drivers, "e_sensing": cost.e_sensing}
    counts = {"conversions": cost.conversions, "whole_conversions": 0.0}  # the comparators of neurons are counted apart
    for part in read_parts(matrix.tile.model.chain, matrix.mapping, **sums, **counts):
        if part.energy:
            integrated = part.name == SENSING
            name, price = (INTEGRATION, READOUT_INTEGRATING.group) if integrated else (part.name, part.group)
            count = cost.vectors if part.by_vector else cost.conversions
            yield _item(spikes.label, name, price, count / inputs, part.energy / inputs)


def _item(layer: str, part: str, price: str, count: float, energy: float) -> Item:
    return Item(layer, "forward", part, price, count, energy, "SPICE", "measured")


def _priced(layer: str, part: str, key: str, count: float, components: Components) -> Item:
    found = components[key]
    mark = cast(Origin, found.component.mark)
    return Item(layer, "forward", part, key, count, count * found.energy_at(), mark, "from shapes")
