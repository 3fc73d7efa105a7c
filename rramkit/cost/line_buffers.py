"""A pipeline of line buffers: each layer of one input begins as soon as it has the pixels of its first window.

A convolution of k x k over images of C channels, W pixels wide, keeps the last k - 1 rows and k pixels, a dense layer
all of its R inputs::

    numbers    ((k - 1) W + k) C   or   R           of 1 bit behind a step, else of `data_bits`

Each number is written once, and each window read once, from registers. A layer makes its outputs row by row at an even
pace between its begin and its end; the next one, whose reads of a window take t,

    begins     when it has the pixels of its first window, borders of zeros apart: with pooling of s behind a layer
               whose outputs are W wide, pixel (i, j) is there after ((i + 1) s - 1) W + (j + 1) s outputs
    ends       t after its last pixel came, or when all of its windows are read, the later of both

in place of after all of the layer before. Registers in place of a memory, pooling on the way and the even pace are this
kit's own; the buffer of rows and pixels is what a binary CNN on arrays is pipelined by (Tang et al., ASP-DAC 2017: only
the abstract was read).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rramkit.cost.assumptions import Assumptions
from rramkit.cost.components import Components
from rramkit.cost.digital import REGISTER, passes
from rramkit.cost.subject import Subject
from rramkit.learning.layers import (
    Activation,
    AnyLayer,
    BatchNorm,
    Clustered,
    Convolution,
    Dense,
    MaxPool,
    MeanPool,
    Residual,
    Step,
)
from rramkit.learning.layers.layer import Shape
from rramkit.learning.model import Network


@dataclass(frozen=True)
class LineBuffer:
    """What one layer keeps, and when it works.

    Attributes
    ----------
    layer : str
        Label of the layer.
    numbers, bits : int
        Numbers that it keeps, and bits of each.
    energy : float
        Of writes and reads for one input (J).
    area : float
        Area (m2).
    begins, ends : float
        Time from the network's first window (s).
    """

    layer: str
    numbers: int
    bits: int
    energy: float
    area: float
    begins: float = 0.0
    ends: float = 0.0


@dataclass(frozen=True)
class _Geometry:
    """The inputs of one matrix: shape (C, H, W) or (F,), its kernel and border, bits, and pooling in front of it."""

    shape: Shape
    layer: AnyLayer
    positions: int
    wide: int
    bits: int
    pool: int

    @property
    def kept(self) -> int:
        """Numbers that it keeps."""
        if isinstance(self.layer, Convolution):
            channels, _, wide = self.shape
            return ((self.layer.kernel - 1) * wide + self.layer.kernel) * channels
        return self.shape[0]

    def awaited(self, before: "_Geometry") -> int:
        """Return how many outputs of the layer in front its first window waits for."""
        if not isinstance(self.layer, Convolution) or not isinstance(before.layer, Convolution):
            return before.positions
        last = max(self.layer.kernel - 1 - self.layer.pad, 0)
        return min(((last + 1) * self.pool - 1) * before.wide + (last + 1) * self.pool, before.positions)


def line_buffers(subject: Subject, components: Components, assumed: Assumptions) -> tuple[LineBuffer, ...]:
    """Return the line buffers of a network for one input, by matrix; none where layers are not a plain chain.

    Parameters
    ----------
    subject : Subject
        The training, whose reads give the times.
    components : Components
        Price of a register's bit.
    assumed : Assumptions
        `data_bits`.
    """
    layers = _geometry(subject.network, assumed.data_bits)
    if not layers:
        return ()
    register, found = components[REGISTER], []
    count = max(passes(subject, subject.training), 1.0)
    seconds = subject.training.reads["seconds"][:, 0] / count
    times = [float(each) / layer.positions for each, layer in zip(seconds, layers, strict=True)]
    for layer, matrix in zip(layers, subject.work.matrices, strict=True):
        moved = (matrix.inputs + matrix.rows * matrix.positions) * layer.bits
        bits = layer.kept * layer.bits
        energy, area = moved * register.energy_at(), bits * register.area_at()
        found.append(LineBuffer(matrix.label, layer.kept, layer.bits, energy, area))
    return _timed(found, layers, times)


def _timed(
    buffers: Sequence[LineBuffer], layers: Sequence[_Geometry], times: Sequence[float]
) -> tuple[LineBuffer, ...]:
    """Return the buffers with begin and end of each layer, whose windows take `times` (s)."""
    found: list[LineBuffer] = []
    for index, (buffer, layer, each) in enumerate(zip(buffers, layers, times, strict=True)):
        begins = ends = 0.0
        if index:
            before, of_before = found[-1], layers[index - 1]
            pace = (before.ends - before.begins) / of_before.positions
            begins, ends = before.begins + layer.awaited(of_before) * pace, before.ends + each
        found.append(replace(buffer, begins=begins, ends=max(ends, begins + layer.positions * each)))
    return tuple(found)


def _geometry(network: Network, data_bits: int) -> list[_Geometry]:
    """Return the inputs of each matrix of a plain chain of layers; none where there are residual blocks or clusters."""
    shape, classes, bits, pool, found = network.input_shape, network.plan.shape[0], data_bits, 1, []
    for layer in network.chain.layers:
        if isinstance(layer, Residual | Clustered):
            return []
        plan = layer.plan(shape, classes=classes, reach=1.0)
        if isinstance(layer, Dense | Convolution):
            image = isinstance(layer, Convolution)
            positions = plan.shape[1] * plan.shape[2] if image else 1
            found.append(_Geometry(shape, layer, positions, plan.shape[2] if image else 1, bits, pool))
            bits, pool = data_bits, 1
        elif isinstance(layer, Step):
            bits = 1
        elif isinstance(layer, MaxPool | MeanPool):
            pool *= layer.size or shape[1]
            bits = bits if isinstance(layer, MaxPool) else data_bits
        elif isinstance(layer, Activation | BatchNorm):
            bits = data_bits
        shape = plan.shape
    return found
