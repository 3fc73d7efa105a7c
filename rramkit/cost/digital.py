"""Digital operations of a training, counted from its shapes and its counts, and priced by components.

For each vector that a matrix multiplies, forward (R inputs, C outputs; backward the other way round)::

    largest input            R' comparisons, and R' multiplications that scale the inputs (R' pixels of a convolution)
    row drivers' registers   R b bits written, b = `data_bits`
    buffer                   R b bits read, C b bits written; C b bits over the bus
    code at rest             one code read from a register and subtracted, for each conversion
    halves, phases, tiles    an addition for each conversion but the last of an output
    scale and bias           C multiplications, and C additions where the bias is digital

Backward, the windows of a convolution are added up where they overlap, R additions a vector. The gradient takes R C
multiplications and additions a vector, in one of three places (`Assumptions.gradient`)::

    batch    sums in registers, read and written for each addition; once a batch to memory
    image    sums in SRAM, read and written for each addition
    memory   none: each coincidence is a pulse at its cell (`rramkit.cost.gradient`)

and reads its operands, R + C numbers a vector, once from the buffer. Each batch every number that the controller keeps
for a weight is read and written, and the optimiser takes the operations of `_OPTIMISER` a weight. Inputs come from
outside the chip once for each pass. The counts are this kit's own; the prices' sources stand in their component file.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rramkit.cost.assumptions import Assumptions
from rramkit.cost.components import Components
from rramkit.cost.items import Item, Phase
from rramkit.cost.memory import settled
from rramkit.cost.subject import Span, Subject
from rramkit.cost.work import ADD, COMPARE, MULTIPLY, MatrixWork

REGISTER, BUS, SUM = "digital.register_bit", "link.edram_bus", "digital.add_int32"
_OPTIMISER: Mapping[str, tuple[int, int]] = {"adam": (8, 3), "momentum": (2, 1)}
"""Multiplications and additions a weight of each optimiser; a root or a quotient counts as a multiplication."""


@dataclass(frozen=True)
class _Prices:
    """Prices of operations by key, and the items that they make."""

    components: Components

    def item(self, layer: str, phase: Phase, part: str, price: str, count: float) -> Item:
        """Return one line; the price may end in `:read` or `:write`, and is then that of a bit."""
        key, _, way = price.partition(":")
        entry = self.components[key]
        each = entry.read_bit_at() if way == "read" else entry.write_bit_at() if way == "write" else entry.energy_at()
        return Item(layer, phase, part, price, count, count * each, entry.component.mark, "from shapes")


def digital_items(subject: Subject, span: Span, components: Components, assumed: Assumptions) -> Iterator[Item]:
    """Yield the digital operations of a part of a training.

    Parameters
    ----------
    subject : Subject
        The training.
    span : Span
        Which part of it.
    components : Components
        Prices.
    assumed : Assumptions
        Widths, memories, and the place of the gradient.
    """
    assumed = settled(subject, assumed)
    prices, work = _Prices(components), subject.work
    for index, matrix in enumerate(work.matrices):
        for way, phase in enumerate(("forward", "backward")):
            yield from _of_vectors(prices, matrix, phase, way, index, span, assumed)
        yield from _of_gradient(prices, matrix, span, assumed)
        yield from _of_update(prices, subject, matrix, index, span, assumed)
    forward, backward = passes(subject, span), span.images
    for element in work.elements:
        label = work.matrices[element.matrix].label
        for key, count in element.forward:
            yield prices.item(label, "forward", "activations", key, count * forward)
        for key, count in element.backward:
            yield prices.item(label, "backward", "activations", key, count * backward)
    bits = work.inputs * assumed.data_bits * forward
    yield prices.item("network", "forward", "images", f"offchip.{assumed.offchip}:read", bits)
    yield prices.item("network", "forward", "images", f"memory.{assumed.buffer}:write", bits)


def passes(subject: Subject, span: Span) -> float:
    """Return the forward passes: those that train, and in reinforcement learning those that act and value."""
    return float(span.reads["vectors"][0, 0]) / subject.work.matrices[0].positions


def _of_vectors(
    prices: _Prices, matrix: MatrixWork, phase: Phase, way: int, index: int, span: Span, assumed: Assumptions
) -> Iterator[Item]:
    vectors, conversions = (float(span.reads[name][index, way]) for name in ("vectors", "conversions"))
    if not vectors:
        return
    inputs, outputs = (matrix.rows, matrix.columns) if way == 0 else (matrix.columns, matrix.rows)
    entering = matrix.inputs * vectors / matrix.positions if way == 0 else inputs * vectors
    label, bits, buffer = matrix.label, assumed.data_bits, f"memory.{assumed.buffer}"

    def item(part: str, price: str, count: float) -> Item:
        return prices.item(label, phase, part, price, count)

    yield item("scale of inputs", COMPARE, entering)
    yield item("scale of inputs", MULTIPLY, entering)
    yield item("registers", REGISTER, inputs * vectors * bits)
    yield item("buffer", f"{buffer}:read", inputs * vectors * bits)
    yield item("code at rest", REGISTER, conversions * bits)
    yield item("code at rest", ADD, conversions)
    yield item("halves, phases, tiles", ADD, max(conversions - outputs * vectors, 0.0))
    yield item("scale of outputs", MULTIPLY, outputs * vectors)
    if way == 0 and matrix.bias:
        yield item("bias", ADD, outputs * vectors)
    if way == 1 and matrix.positions > 1:
        yield item("windows", ADD, outputs * vectors)
    yield item("buffer", f"{buffer}:write", outputs * vectors * bits)
    yield item("bus", f"{BUS}:write", outputs * vectors * bits)


def _of_gradient(prices: _Prices, matrix: MatrixWork, span: Span, assumed: Assumptions) -> Iterator[Item]:
    vectors, weights = span.images * matrix.positions, matrix.rows * matrix.columns
    if not vectors:
        return

    def item(part: str, price: str, count: float) -> Item:
        return prices.item(matrix.label, "gradient", part, price, count)

    operands = (matrix.rows + matrix.columns) * vectors * assumed.data_bits
    yield item("operands", f"memory.{assumed.buffer}:read", operands)
    if matrix.bias:
        yield item("bias", ADD, matrix.columns * vectors)
    if assumed.gradient == "memory":
        return
    products = weights * vectors
    yield item("outer product", assumed.multiply, products)
    yield item("outer product", SUM, products)
    if assumed.gradient == "batch":
        yield item("sums", REGISTER, 2.0 * products * assumed.state_bits)
        return
    bits = products * assumed.state_bits
    yield item("sums", f"memory.{assumed.state}:read", bits)
    yield item("sums", f"memory.{assumed.state}:write", bits)


def _of_update(
    prices: _Prices,
    subject: Subject,
    matrix: MatrixWork,
    index: int,
    span: Span,
    assumed: Assumptions,
) -> Iterator[Item]:
    weights = matrix.rows * matrix.columns * span.batches
    if weights and assumed.gradient != "memory":
        numbers = sum(subject.memory.values())
        for way in ("read", "write"):
            price = f"memory.{assumed.state}:{way}"
            yield prices.item(
                matrix.label, "update", "numbers of the controller", price, weights * numbers * assumed.state_bits
            )
        multiply, add = _OPTIMISER[subject.settings.optimiser.kind]
        yield prices.item(matrix.label, "update", "optimiser", MULTIPLY, weights * multiply)
        yield prices.item(matrix.label, "update", "optimiser", ADD, weights * add)
        yield prices.item(matrix.label, "update", "choice of pulses", COMPARE, weights)
    pulses = float(span.writes["pulses_set"][index] + span.writes["pulses_reset"][index])
    steps = max(subject.devices[index].amplitudes, 2).bit_length()  # of a search among the amplitudes
    yield prices.item(matrix.label, "update", "choice of pulses", COMPARE, pulses * steps)
