"""Operations of the arrays, as the simulator counted and priced them from the tables; at another corner, repriced.

Of the reads of a matrix in one direction the run file has the energy E and the parts of the row drivers and of what
senses (readouts, and with them the cells' current); `array.read_parts` says what the rest is. At another corner
(`Corner`) each part is taken times the ratio of the tables' energies there and where the run was: of a conversion, a
decision and a switch exactly; of the row drivers over all codes at the matrix' mean line; of the readouts at the
current that gives the measured mean; of pulses and verify reads at the mean conductance. The counts stay: a training
at that corner would fire other pulses.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from rramkit.array.read_parts import conversion_energy, read_parts
from rramkit.array.stages.chain import ReadChain
from rramkit.array.stages.readout import Readout, ReadoutGain
from rramkit.array.stages.row_driver import RowDriver
from rramkit.array.stages.sense_unit import LINES
from rramkit.array.write.state import POLARITIES, Polarity
from rramkit.cost.area import Tiles, tiles_of
from rramkit.cost.items import Item, Phase
from rramkit.cost.subject import Span, Subject, bound_rule, devices_of
from rramkit.cost.work import MatrixWork
from rramkit.learning.condition import Condition, OperatingTables
from rramkit.learning.rules.rram_device import RramDevice
from rramkit.table import TableFile
from rramkit.table.schema import (
    READOUT_TRANSIMPEDANCE,
    SET,
    WRITE_DRIVERS,
)


@dataclass(frozen=True)
class Corner:
    """Devices of the same settings at another operating condition.

    Attributes
    ----------
    devices : tuple of RramDevice
        Of each matrix, its read chain, write loop and mapping there.
    condition : Condition
        The condition.
    """

    devices: tuple[RramDevice, ...]
    condition: Condition = field(default_factory=Condition)

    @classmethod
    def of(cls, subject: Subject, file: TableFile, condition: Condition) -> "Corner":
        """Return a subject's chip on the tables of a file at a condition.

        Raises
        ------
        TableError
            When the file has no such condition.
        """
        rule = bound_rule(subject.settings, OperatingTables.of(file, condition), subject.network)
        return cls(devices_of(rule, subject.network), condition)


def analogue_items(subject: Subject, span: Span, corner: Corner | None = None) -> Iterator[Item]:
    """Yield what arrays, drivers and converters of a part of a training took.

    Parameters
    ----------
    subject : Subject
        The training.
    span : Span
        Which part of it.
    corner : Corner, optional
        Condition to reprice at; left out, as the run was.
    """
    for index, matrix in enumerate(subject.work.matrices):
        for way, phase in enumerate(("forward", "backward")):
            yield from _reads(subject, matrix, phase, (index, way), span, corner)
        yield from _writes(subject, matrix, index, span, corner)


def _reads(
    subject: Subject, matrix: MatrixWork, phase: Phase, at: tuple[int, int], span: Span, corner: Corner | None
) -> Iterator[Item]:
    names = ("energy", "e_drivers", "e_sensing", "conversions", "vectors", "whole_conversions")
    energy, drivers, sensing, conversions, vectors, whole = (float(span.reads[name][at]) for name in names)
    if not vectors:
        return
    factors = (1.0,) * 5 if corner is None else _read_factors(subject, corner, at, sensing / max(conversions, 1.0))
    device = subject.devices[at[0]]
    sums = {
        "energy": energy,
        "e_drivers": drivers,
        "e_sensing": sensing,
        "conversions": conversions,
        "whole_conversions": whole,
    }
    for part, factor in zip(read_parts(device.model.chain, device.mapping, **sums), factors, strict=True):
        if part.energy:
            count = vectors if part.by_vector else conversions
            yield Item(matrix.label, phase, part.name, part.group, count, part.energy * factor, "SPICE", "measured")


def _writes(subject: Subject, matrix: MatrixWork, index: int, span: Span, corner: Corner | None) -> Iterator[Item]:
    writes = {name: float(each[index]) for name, each in span.writes.items()}
    pulses = {"set": writes["pulses_set"], "reset": writes["pulses_reset"]}
    of_pulses = writes["energy"] - writes["energy_reads"]
    fired, factors, of_reads = sum(pulses.values()), {"set": 1.0, "reset": 1.0}, 1.0
    if corner is not None:
        g_mean = subject.g_mean(index)
        factors = {
            polarity: _pulse_factor(subject, corner, index, polarity=polarity, g_mean=g_mean) for polarity in POLARITIES
        }
        of_reads = _verify_factor(subject, corner, index, g_mean)
    mean = sum(pulses[polarity] * factors[polarity] for polarity in POLARITIES) / fired if fired else 1.0
    group = WRITE_DRIVERS["set"].group if "set" in subject.loop(index).chain.drivers else SET.group
    if fired or of_pulses:
        yield Item(matrix.label, "update", "write pulses", group, fired, of_pulses * mean, "SPICE", "measured")
    if writes["reads"]:
        energy = writes["energy_reads"] * of_reads
        yield Item(
            matrix.label,
            "update",
            "verify reads",
            READOUT_TRANSIMPEDANCE.group,
            writes["reads"],
            energy,
            "SPICE",
            "measured",
        )


def _read_factors(
    subject: Subject, corner: Corner, at: tuple[int, int], e_sensing: float
) -> tuple[float, float, float, float, float]:
    """Return the ratios of energies at a corner: row drivers, sensing, converters, switches, word lines."""
    index, way = at
    then, now = subject.chain(index), corner.devices[index].model.chain
    matrix, tile = subject.work.matrices[index], tiles_of(subject)[index]
    across = subject.columns(index) if way == 0 else matrix.rows
    g_line = subject.g_mean(index) * across
    words = [_batch_energy(chain, tile, backward=way == 1) for chain in (now, then)]
    return (
        _ratio(_driver_energy(now.row_driver, g_line), _driver_energy(then.row_driver, g_line)),
        _sensing_factor(then.readout, now.readout, e_sensing, subject.devices[index].model.t_read),
        _ratio(
            *(
                conversion_energy(each.model.chain, each.mapping)
                for each in (corner.devices[index], subject.devices[index])
            )
        ),
        _ratio(now.line_switch.energy, then.line_switch.energy),
        _ratio(*words) if then.readout.supplied else 1.0,
    )


def _batch_energy(chain: ReadChain, tile: Tiles, *, backward: bool) -> float:
    """Return the energy of a tile's word lines and of the switches of its driven lines, once a batch (J)."""
    words = chain.word_line.e_line(tile.columns) * tile.rows if chain.word_line.on else 0.0
    return words + chain.line_switch.energy * (tile.columns if backward else tile.rows)


def _driver_energy(driver: RowDriver, g_line: float) -> float:
    """Return the mean energy of a driven line over all codes (J)."""
    if driver.e_code:
        return float(np.mean(driver.e_code)) + float(np.mean(driver.e_slope)) * g_line
    return driver.energy


def _sensing_factor(then: Readout, now: Readout, e_mean: float, t_read: float) -> float:
    """Return the ratio of a read's energy by the readouts, at the current that costs `e_mean` (J) where the run was.

    The gain setting is the one of the largest range in which that current lies within the table.
    """
    if not (then.supplied and now.supplied and e_mean > 0.0):
        return 1.0
    for old, new in zip(then.gains, now.gains, strict=False):
        i_end = old.curve().i_end
        grid = np.linspace(0.0, i_end, 257)
        energy = _read_energy(old, then.v_rest, grid, t_read)
        if energy[0] <= e_mean <= energy[-1]:
            current = np.interp(e_mean, energy, grid)
            return _ratio(float(_read_energy(new, now.v_rest, np.array([current]), t_read)[0]), e_mean)
    at_rest = [float(_read_energy(each.gains[0], each.v_rest, np.zeros(1), t_read)[0]) for each in (now, then)]
    return _ratio(*at_rest)


def _read_energy(gain: ReadoutGain, v_rest: float, i: np.ndarray, t_read: float) -> np.ndarray:
    """Return the energy (J) of a read at currents (N,) in amperes, with the lines that wait for their turn."""
    return gain.read_energy(i) + (LINES - 1) * v_rest * t_read * i


def _pulse_factor(subject: Subject, corner: Corner, index: int, *, polarity: Polarity, g_mean: float) -> float:
    """Return the ratio of a pulse's energy at a corner, over all amplitudes that both conditions can make."""
    chains = (corner.devices[index].loop.chain, subject.loop(index).chain)
    low = max(float(each.write(polarity).v_pulse[0]) for each in chains)
    high = min(float(each.write(polarity).v_pulse[-1]) for each in chains)
    if low > high:
        return 1.0
    v_pulse = np.linspace(low, high, 9)
    energies = []
    for chain in chains:
        write, driver = chain.write(polarity), chain.drivers.get(polarity)
        own = np.clip(np.full(v_pulse.shape, g_mean), *chain.writer.g_range)
        joules = write.joules(own, v_pulse, np.zeros(v_pulse.shape))
        energies.append(joules if driver is None else driver.energy(v_pulse, joules, np.ones(v_pulse.shape)))
    return _ratio(float(np.mean(energies[0])), float(np.mean(energies[1])))


def _verify_factor(subject: Subject, corner: Corner, index: int, g_mean: float) -> float:
    """Return the ratio of the energy of reading a row of 8 cells at a corner."""
    flat, shape = np.arange(8), (1, 1, 8)
    loops = (corner.devices[index].loop, subject.loop(index))
    now, then = (loop.reads(flat, np.full(8, g_mean), shape).energy for loop in loops)
    return _ratio(now, then)


def _ratio(now: float, then: float) -> float:
    return now / then if then > 0.0 else 1.0
