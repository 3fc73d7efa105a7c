"""The kit's cells as behavioural sources against the same compiled: numbers and processor seconds, one run each way.

python benchmarks/compiled_cells.py [--sides 4 8 16] [--behavioural-side 8] [--read-sides 32 64]

Decks of the cell plans, the write of one cell in arrays with transistors (BSIM4) and wires, all states free to move,
and static reads of such arrays, 20 input vectors each, states held. Seconds are those of the ngspice process.
Behavioural arrays larger than `--behavioural-side` are left out of the writes: 16 x 16 takes a minute or two. It needs
the Verilog-A compiler (`rramkit doctor`).
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from rramkit.characterization.deck_file import measure_labels
from rramkit.characterization.engine.pool import SpicePool
from rramkit.characterization.waveforms import Waveforms
from rramkit.circuits import catalog, crossbar_write
from rramkit.circuits.compiled_cell import Form
from rramkit.circuits.crossbar import CrossbarParams, CrossbarReadParams, static_reads
from rramkit.circuits.crossbar_write import CrossbarWriteParams, array_write
from rramkit.circuits.deck import Deck
from rramkit.circuits.device import Device, DevicePulseParams, in_form, pulse_train
from rramkit.netlists import models
from rramkit.parameters import Parameters
from rramkit.processes.processor_time import usage

FORMS: tuple[Form, Form] = ("never", "always")
BLOCKS = ("cell_write", "droop", "disturb_cell", "write_driver_set", "write_verify")
_WARM = "warm\nV1 a 0 1\nR1 a 0 1\n.op\n.end\n"


def main() -> None:
    """Print a line for each deck: difference of its measures, seconds of both, their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sides", type=int, nargs="*", default=[4, 8, 16])
    parser.add_argument("--behavioural-side", type=int, default=8)
    parser.add_argument("--read-sides", type=int, nargs="*", default=[32, 64])
    given = parser.parse_args()
    crossbar_write.CELLS_MAX[False] = max(given.behavioural_side, 8) ** 2  # what the kit refuses is timed here
    with SpicePool(workers=1, timeout=600.0) as pool:
        pool.run(_WARM)  # the process starts, and is counted nowhere
        for name, deck in _decks():
            compare(pool, name, *(deck(form) for form in FORMS))
        for side in given.sides:
            decks = (
                [_array(side, form) for form in FORMS] if side <= given.behavioural_side else [_array(side, "always")]
            )
            compare(pool, f"write in {side} x {side}", *decks)
        for side in given.read_sides:
            compare_reads(pool, side)


def _decks() -> "Iterator[tuple[str, _Maker]]":
    for name in models.names():
        pulses = models.model(name).check_pulses
        given = {key: getattr(pulses, key) for key in ("state", "t_pulse", "t_rise", "t_rest", "t_step", "r_series")}
        params = DevicePulseParams(device=Device(model=name), v_pulse=(pulses.v_set, -pulses.v_reset), **given)
        yield f"{name}: two pulses", _Maker(params)
    for name in BLOCKS:
        yield name, _Maker(catalog.block(name).parameters(), catalog.block(name).deck)


@dataclass(frozen=True)
class _Maker:
    """Makes one deck in either form."""

    params: Parameters
    deck: Callable[[Any], Deck] = pulse_train

    def __call__(self, form: Form) -> str:
        return self.deck(in_form(self.params, form)).text()


def _array(side: int, form: Form) -> str:
    params = CrossbarWriteParams(crossbar=CrossbarParams(rows=side, cols=side), pulses=1)
    return array_write(in_form(params, form)).text()


def compare(pool: SpicePool, name: str, *decks: str) -> None:
    """Print what one deck costs in each form, and how far its measures differ, over their largest in the same unit."""
    found = [timed(pool, deck) for deck in decks]
    seconds = " against ".join(f"{spent:.2f}" for _, spent in found)
    if len(found) == 1:
        print(f"{name}: compiled alone {seconds} s", flush=True)
        return
    ours, compiled = (waves.measures for waves, _ in found)
    units = {key: label.unit for key, label in measure_labels(decks[0]).items() if key in ours}
    largest = {unit: max(abs(ours[key]) for key in units if units[key] == unit) for unit in units.values()}
    worst = max((abs(compiled[key] - ours[key]) / (largest[units[key]] or 1.0), key) for key in units)
    print(f"{name}: {worst[1]} differs by {worst[0]:.1g}; {seconds} s, {found[0][1] / found[1][1]:.1f}", flush=True)


def compare_reads(pool: SpicePool, side: int) -> None:
    """Print what static reads of an array cost in each form, and how far its currents differ, over the largest."""
    rng = np.random.default_rng(1)
    params = CrossbarReadParams(crossbar=CrossbarParams(rows=side, cols=side))
    states, v_in = rng.uniform(0.5, 0.95, (side, side)), rng.uniform(0, params.read.v_max, (side, 20))
    (ours, slow), (compiled, fast) = (
        timed(pool, static_reads(in_form(params, form), states, v_in).text()) for form in FORMS
    )
    largest = max(float(np.max(np.abs(ours[name]))) for name in params.sense_outputs)
    worst = max(float(np.max(np.abs(ours[name] - compiled[name]))) for name in params.sense_outputs) / largest
    print(f"20 reads of {side} x {side}: differ by {worst:.1g}; {slow:.2f} against {fast:.2f} s, {slow / fast:.1f}")


def timed(pool: SpicePool, deck: str) -> tuple[Waveforms, float]:
    """Return the waveforms of a deck, and the processor seconds of one run of it."""
    before = _seconds(pool)
    waves = pool.run(deck)
    return waves, max(_seconds(pool) - before, 0.01)  # the clock's own tick


def _seconds(pool: SpicePool) -> float:
    return sum(usage(int(each.name)).seconds for each in pool.folder.iterdir() if each.name.isdigit())


if __name__ == "__main__":
    main()
