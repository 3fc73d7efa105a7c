"""What the energy of a matrix' reads went into, from the few sums that reads count.

    row drivers        counted by the reads; of the mapping `sei` what its ports give (`ports`)
    readouts and cells counted by the reads
    converters         n e_adc, n conversions, trimmed ones by their part; where comparators decide (merge
                       `majority`, mapping `sei`) n times their energy
    line switches      n e_switch, of the sensed lines
    word lines         what is left: word lines and the switches of the driven lines, once a batch; of `sei` the gates
                       of each vector; of joined arrays the sensed lines' switches in all but one; where the
                       supplies' energy is not counted, the cells' too

so that parts add up to what was measured.
"""

from dataclasses import dataclass

from rramkit.array.mapping import Mapping, Sei
from rramkit.array.stages.chain import ReadChain
from rramkit.table.schema import (
    ADC_LEVELS,
    LEVEL_SHIFTER,
    LINE_SWITCH,
    READ,
    READOUT_TRANSIMPEDANCE,
    ROW_DRIVER,
    SENSE_AMP,
)

DRIVERS, SENSING, CONVERTERS, SWITCHES = "row drivers", "readouts and cells", "converters", "line switches"
WORD_LINES, PORTS, COMPARATORS = "word lines", "ports", "comparators"
CELLS = "cells and word lines"  # where the readouts do not count the cells
READ_PARTS = (DRIVERS, PORTS, SENSING, CONVERTERS, COMPARATORS, SWITCHES, WORD_LINES, CELLS)
"""Names of all parts."""


@dataclass(frozen=True)
class ReadPart:
    """One part.

    Attributes
    ----------
    name : str
        Which.
    group : str
        Table that prices it.
    by_vector : bool
        Whether it is counted by vectors, and not by conversions.
    energy : float
        Energy (J).
    """

    name: str
    group: str
    by_vector: bool
    energy: float


def read_parts(
    chain: ReadChain,
    mapping: Mapping,
    *,
    energy: float,
    e_drivers: float,
    e_sensing: float,
    conversions: float,
    whole_conversions: float,
) -> tuple[ReadPart, ...]:
    """Return the parts of the energy of reads, in signal order.

    Parameters
    ----------
    chain : ReadChain
        Stages of the reads.
    mapping : Mapping
        How the matrix lies in cells.
    energy, e_drivers, e_sensing : float
        Whole energy, and the parts that reads count (J).
    conversions : float
        Currents that were sensed.
    whole_conversions : float
        Conversions, trimmed ones by their part of a whole one.
    """
    sei = isinstance(mapping, Sei)
    rest = energy - e_drivers - e_sensing
    converted = min(whole_conversions * conversion_energy(chain, mapping), rest)
    switched = min(conversions * chain.line_switch.energy, rest - converted)
    words = WORD_LINES if chain.readout.supplied else CELLS
    group = LEVEL_SHIFTER.group if chain.readout.supplied else READ.group
    drivers = (PORTS, READ.group) if sei else (DRIVERS, ROW_DRIVER.group)
    compared = sei or chain.merge == "majority"
    converters = (COMPARATORS, SENSE_AMP.group) if compared else (CONVERTERS, ADC_LEVELS.group)
    return (
        ReadPart(*drivers, True, e_drivers),
        ReadPart(SENSING, READOUT_TRANSIMPEDANCE.group, False, e_sensing),
        ReadPart(*converters, False, converted),
        ReadPart(SWITCHES, LINE_SWITCH.group, False, switched),
        ReadPart(words, group, True, rest - converted - switched),
    )


def conversion_energy(chain: ReadChain, mapping: Mapping) -> float:
    """Return the energy of a conversion, or of a decision where comparators read a matrix (J)."""
    return mapping.sense_amp.energy if isinstance(mapping, Sei) else chain.e_converter
