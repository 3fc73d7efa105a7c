"""Transposable array: codes of forward and backward reads, savings by sharing circuits. A minute or less.

Run it from the root of a checkout: `python benchmarks/periphery.py`.
"""

import numpy as np

from rramkit.characterization.components.adc import transitions
from rramkit.characterization.components.periphery import (
    codes,
    reference_energy,
    sampled_outputs,
    supply_energy,
)
from rramkit.characterization.engine.pool import SpicePool
from rramkit.circuits.adc import AdcTrainParams, transition_train
from rramkit.circuits.periphery import ALL_MODES, CodedParams, account, operate, unit_reads


def reads(pool: SpicePool) -> None:
    """Print the codes of unit reads and their difference from the sampled outputs."""
    params = CodedParams()
    bar = params.periphery.crossbar
    states = np.random.default_rng(params.seed).uniform(0.55, 0.8, (bar.rows, bar.cols))
    operations = [*unit_reads(params, "forward"), *unit_reads(params, "backward")]
    waves = pool.run(operate(params, states, operations).text())
    own = AdcTrainParams(sar=params.periphery.adc.sar)
    edges = transitions(pool.run(transition_train(own).text()), own)
    step = float(np.mean(np.diff(edges)))
    found, outputs = codes(waves, params, operations), sampled_outputs(waves, params, operations)
    ends = np.concatenate([[edges[0] - step], edges, [edges[-1] + step]])
    error = (ends[found] + ends[found + 1]) / 2 - outputs
    forward, backward = found[: bar.rows], found[bar.rows :].T
    print(f"{bar.rows} x {bar.cols} array, {len(params.periphery.converters)} SAR converter of {own.sar.bits} bit")
    print(f"  codes forward {forward.tolist()}, backward {backward.tolist()} (row to column)")
    print(
        f"  a step is {step * 1e3:.2f} mV; code against sampled output: up to {np.max(np.abs(error)) / step:.2f} steps"
    )
    print(f"  forward against backward: up to {np.max(np.abs(forward - backward))} code")
    slots = range(len(operations))
    print(f"  reference {reference_energy(waves, params, slots) * 1e15 / found.size:.0f} fJ a conversion, "
          f"amplifiers {supply_energy(waves, params, slots) * 1e12 / len(slots):.1f} pJ a slot")  # fmt: skip


def reuse() -> None:
    """Print the account with and without the reuse."""
    print("Periphery of the same array, five modes once")
    for kind in ("none", "sar"):
        params = CodedParams(periphery=CodedParams().periphery.model_copy(update={"convert": kind}))
        for shared in (True, False):
            held = account(params, reuse=shared, modes=ALL_MODES)
            print(f"  convert {kind}, {'with' if shared else 'without'} reuse: {held.transistors} transistors, "
                  f"{held.area * 1e12:.0f} um2, gates {held.energy * 1e12:.2f} pJ, {held.capacitance * 1e15:.0f} fF, "
                  f"{held.dacs} DACs, {held.adcs} SARs")  # fmt: skip


def main() -> None:
    """Print everything."""
    with SpicePool(timeout=600) as pool:
        reads(pool)
    reuse()


if __name__ == "__main__":
    main()
