"""Current sense amplifier: clamped line, sense signal, decision and energy of a read."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rramkit.characterization.engine.component import Component, Mismatch, Signal, Steps
from rramkit.characterization.engine.monte_carlo import RandomDraw
from rramkit.characterization.waveforms import Waveforms, integral
from rramkit.circuits.current_sense import CurrentSenseBenchParams, current_train
from rramkit.circuits.deck import Deck
from rramkit.circuits.sense_amp import NAMES, scaled_mismatch


@dataclass(frozen=True)
class CurrentReads:
    """A train of N reads of a current sense amplifier.

    Attributes
    ----------
    low_resistance : ndarray (N,)
        Whether the latch says that the cell draws more than the reference.
    v_line : ndarray (N,)
        Bit line [V] when the latch is clocked.
    i_cell : ndarray (N,)
        The cell's current [A] then.
    v_sense : ndarray (N,)
        Reference diode's node less the cell's [V] then: the latch's input.
    energy : ndarray (N,)
        Energy [J] of each read from the supply, its rest included, the drivers of clock and rest not.
    """

    low_resistance: np.ndarray
    v_line: np.ndarray
    i_cell: np.ndarray
    v_sense: np.ndarray
    energy: np.ndarray


def current_reads(waves: Waveforms, params: CurrentSenseBenchParams, count: int) -> CurrentReads:
    """Return what each of the first `count` reads of a train found."""
    clocks = [params.t_clock(index) for index in range(count)]
    decided = [t + 0.9 * params.t_decide for t in clocks]
    power = -params.sense.latch.technology.v_core * waves["i_vdd"]
    slots = [(k * params.t_slot, (k + 1) * params.t_slot) for k in range(count)]
    return CurrentReads(
        low_resistance=np.interp(decided, waves["time"], waves["v_out_p"] - waves["v_out_n"]) > 0,
        v_line=np.interp(clocks, waves["time"], waves["v_bl"]),
        i_cell=np.interp(clocks, waves["time"], waves["i_cell"]),
        v_sense=np.interp(clocks, waves["time"], waves["v_sense_ref"] - waves["v_sense_cell"]),
        energy=np.array([integral(waves["time"], power, slot) for slot in slots]),
    )


def deck(params: CurrentSenseBenchParams, g_cell: np.ndarray, draw: RandomDraw) -> Deck:
    """Return the deck of reads, one for each conductance (N,) [S]."""
    return current_train(params, g_cell, dv_threshold=draw.dv_threshold)


def conductances(params: CurrentSenseBenchParams) -> np.ndarray:
    """Return the conductances (N,) [S] of the bench's own train."""
    return params.conductances


def measure(waves: Waveforms, params: CurrentSenseBenchParams, g_cell: np.ndarray) -> Mapping[str, np.ndarray]:
    """Return line, current, signal, energy and decision of each read."""
    reads = current_reads(waves, params, g_cell.size)
    return {
        "v_line": reads.v_line,
        "i_cell": reads.i_cell,
        "v_sense": reads.v_sense,
        "energy": reads.energy,
        "low_resistance": reads.low_resistance.astype(float),
    }


def latch_normals(_params: CurrentSenseBenchParams) -> int:
    """Return how many standard normals the latch takes: one a transistor."""
    return len(NAMES)


def latch_draw(params: CurrentSenseBenchParams, normals: np.ndarray) -> RandomDraw:
    """Return the threshold mismatch of the latch's transistors."""
    return RandomDraw(dv_threshold=scaled_mismatch(params.sense.latch, normals))


COMPONENTS = (
    Component(
        name="current_sense",
        parameters=CurrentSenseBenchParams,
        deck=deck,
        measure=measure,
        steps=Steps("g_cell", "S", "conductance of the cell that is read", conductances),
        signals={
            "v_line": Signal("V", "bit line when the latch is clocked"),
            "i_cell": Signal("A", "the cell's current then"),
            "v_sense": Signal("V", "reference's node less the cell's then: the latch's input"),
            "energy": Signal("J", "one read with its rest, from the supply"),
            "low_resistance": Signal("1", "1 where the latch says that the cell draws more than the reference"),
        },
        mismatch=Mismatch(latch_normals, latch_draw),
        constants={"g_ref": ("g_ref", "S"), "v_clamp": ("sense.v_clamp", "V"), "t_read": ("t_slot", "s")},
    ),
)
