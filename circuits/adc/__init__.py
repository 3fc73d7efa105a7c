"""The successive-approximation converter: its circuit, its ideal control, its test benches."""

from rramkit.circuits.adc.bench import (
    CATALOG,
    AdcBenchParams,
    AdcTrainParams,
    add_supplies,
    code_measures,
    conversion_train,
    sar_outputs,
    transition_train,
)
from rramkit.circuits.adc.converter import (
    PINS,
    SIX_BIT,
    AdcParams,
    ConversionParams,
    add_control,
    add_pulses,
    add_sampling,
    add_sar,
    draw_capacitors,
    levels_by_hand,
    sar_converter,
    scaled_capacitors,
)

__all__ = [
    "CATALOG",
    "PINS",
    "SIX_BIT",
    "AdcBenchParams",
    "AdcParams",
    "AdcTrainParams",
    "ConversionParams",
    "add_control",
    "add_pulses",
    "add_sampling",
    "add_sar",
    "add_supplies",
    "code_measures",
    "conversion_train",
    "draw_capacitors",
    "levels_by_hand",
    "sar_converter",
    "sar_outputs",
    "scaled_capacitors",
    "transition_train",
]
