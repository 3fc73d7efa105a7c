"""Published totals of other systems, from their published parts (docs/cost-references.md)."""

import pytest
from fixtures.closeness import near

from rramkit.cost.published import bulk_module, mnsim
from rramkit.cost.published.isaac import isaac

PUBLISHED = 0.05  # what the reproductions promise


def test_isaacs_chip() -> None:
    """65.8 W and 85.4 mm2 are printed with three digits: the parts reach them to half of the last one, or nearly."""
    assert isaac().chip("power") == near(65.8, within=0.05)
    assert isaac().chip("area") == near(85.4e-6, within=0.05e-6)


def test_isaacs_tile() -> None:
    """330 mW and 0.372 mm2, three digits."""
    assert isaac().of_ima("power") == near(24.08e-3, within=5e-6)
    assert isaac().of_tile("power") == near(0.330, within=0.5e-3)
    assert isaac().of_tile("area") == near(0.372e-6, within=0.5e-9)


def test_isaac_stands_on_found_parts() -> None:
    """Without the parts that are recalled it is still within what is promised; they are not what closes it."""
    assert isaac().chip("power", recalled=False) == near(65.8, PUBLISHED)
    assert isaac().chip("area", recalled=False) == near(85.4e-6, PUBLISHED)
    assert isaac().chip("power", recalled=False) < isaac().chip("power")


@pytest.mark.parametrize(("name", "energy"), [("LeNet", 1.9e-6), ("VGG-8", 23e-6), ("ResNet-18", 0.24e-3)])
def test_bulk_module_energy_of_an_image(name: str, energy: float) -> None:
    assert bulk_module.NETWORKS[name].energy == near(energy, PUBLISHED)


@pytest.mark.parametrize(
    ("name", "devices", "operations", "positions", "latency"),
    [
        # Published with these digits; half of the last one.
        ("LeNet", (6.4e3, 50), (273e3, 500), 641, (0.46e-3, 5e-6)),
        ("VGG-8", (1.1e6, 5e4), (77.8e6, 5e4), 2690, (1.94e-3, 5e-6)),
        ("ResNet-18", (22.3e6, 5e4), (1.1e9, 5e7), 6801, (4.90e-3, 5e-6)),
    ],
)
def test_bulk_module_counts_and_latency(name, devices, operations, positions, latency) -> None:
    network = bulk_module.NETWORKS[name]
    assert network.devices == near(devices[0], within=devices[1])
    assert network.operations == near(operations[0], within=operations[1])
    assert network.positions == positions
    assert network.latency == near(latency[0], within=latency[1])


@pytest.mark.parametrize(("name", "arrays", "reads"), [("LeNet", 6, 707), ("VGG-8", 78, 7713)])
def test_bulk_module_arrays_and_reads(name: str, arrays: int, reads: int) -> None:
    assert (bulk_module.NETWORKS[name].arrays, bulk_module.NETWORKS[name].reads) == (arrays, reads)


def test_resnet_18_needs_fewer_arrays_than_published() -> None:
    """1,480 arrays and 81,922 reads are published; the shapes give 6 and 3 % less, within what is promised of energy.

    One more array of rows for each 3 x 3 kernel whose rows are a whole multiple of 256 gives both published numbers.
    """
    network = bulk_module.RESNET18
    assert (network.arrays, network.reads) == (1392, 79_362)
    assert network.reads == near(81_922, PUBLISHED)
    full = [layer for layer in network.layers if layer.inputs % (9 * 256) == 0]
    more = [-(-2 * layer.outputs // bulk_module.COLUMNS) for layer in full]
    assert network.arrays + sum(more) == 1480
    assert network.reads + sum(n * layer.positions for n, layer in zip(more, full, strict=True)) == 81_922
    assert 81_922 * bulk_module.ENERGY_OF_READ[256] == near(0.24e-3, within=0.5e-6)


def test_bulk_module_operations_a_joule() -> None:
    assert bulk_module.operations_a_joule(64) == near(3.08e12, within=5e9)  # three digits


# Errors at arrays of 16, 64, 128, 256, 512, to the digits in which they are published.
MNSIM = {
    18e-9: ("0.0553", "0.0888", "0.2996", "1.178", "4.72"),
    22e-9: ("0.0524", "0.0527", "0.1572", "0.610", "2.45"),
    28e-9: ("0.0505", "0.0364", "0.094", "0.360", "1.45"),
    36e-9: ("0.0485", "0.025", "0.0523", "0.196", "0.795"),
    45e-9: ("0.0477", "0.0219", "0.0416", "0.154", "0.630"),
    90e-9: ("0.0446", "0.0137", "0.0162", "0.0585", "0.25"),
}


@pytest.mark.parametrize("node", MNSIM)
def test_mnsims_error_of_a_read(node: float) -> None:
    for size, error in zip((16, 64, 128, 256, 512), MNSIM[node], strict=True):
        half_a_digit = 0.5 * 10.0 ** -len(error.partition(".")[2])
        # As published: to half of the last digit, and in any case to 1e-3 of the output or of the error.
        allowed = min(half_a_digit, 1e-3 * max(float(error), 1.0))
        assert mnsim.read_error(size, mnsim.wire_resistance(node)) == near(float(error), within=allowed)


def test_mnsims_errors_accumulate_layer_by_layer() -> None:
    assert mnsim.accumulated(0.02, 0.0) == near(0.02, 1e-12)  # rounding
    assert mnsim.accumulated(0.02, 0.03) == near(0.0506, 1e-12)


def test_mnsims_deviation_of_digital_outputs() -> None:
    """2 bits, 40 % error: levels 0 to 3 deviate by 0, 0, 1, 1; the mean over full scale is 2/4/3."""
    assert mnsim.digital_deviation(0.4, 2) == near(2 / 4 / 3, 1e-12)  # rounding
    assert mnsim.digital_deviation(0.0, 8) == 0.0
