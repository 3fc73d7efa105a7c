"""What a cost assumes where neither a circuit nor a count says it; every value is this kit's own choice."""

from typing import Literal

from rramkit.parameters import Parameters, quantity

GradientPlace = Literal["batch", "image", "memory"]
"""Where the outer products of inputs and errors are added up: in registers over a batch, in SRAM for each image, or in
the cells themselves, by coincident pulses."""

SRAM = Literal["auto", "sram_2k", "sram_8k", "sram_16k", "sram_64k", "sram_256k"]

SIZES = {"sram_2k": 2, "sram_8k": 8, "sram_16k": 16, "sram_64k": 64, "sram_256k": 256}
"""Kilobytes of each memory of the component file, rising."""


class Assumptions(Parameters):
    """Widths, memories and units of the digital side, schedule and layout."""

    gradient: Literal["auto", "batch", "image", "memory"] = quantity(
        "auto", "1", "where gradients are added up; auto: in memory for a rule that keeps none, else over the batch"
    )
    data_bits: int = quantity(8, "1", "bits of inputs, outputs and errors between matrices", ge=1, le=32)
    gradient_bits: Literal[8, 16, 32] = quantity(16, "1", "bits of the multipliers of the gradient unit")
    state_bits: int = quantity(16, "1", "bits of each number that the controller keeps for a weight", ge=1, le=64)
    buffer: SRAM = quantity("auto", "1", "memory of inputs, outputs and errors; auto: the smallest that holds a batch")
    state: SRAM = quantity("auto", "1", "memory of the controller's numbers; auto: the smallest that holds them")
    offchip: Literal["lpddr4", "lpddr", "ddr3", "hbm2", "hbm3"] = quantity("lpddr4", "1", "where the images come from")
    lanes: int = quantity(256, "1", "multipliers of the gradient unit", ge=1, le=1_000_000)
    clock: float = quantity(1e9, "Hz", "clock of the digital units", ge=1e6, le=1e10)
    leak_share: float = quantity(
        1.0, "1", "part of the memories' and multipliers' leakage that is counted; 0: perfect power gating", ge=0, le=1
    )
    schedule: Literal["serial", "pipelined"] = quantity("serial", "1", "schedule that static power is counted over")
    layout_factor: float = quantity(
        3.0, "1", "chip area over active area of transistors: wells, spacing, wires", ge=1, le=20
    )
    c_area: float = quantity(
        2e-3, "F/m^2", "capacitance by area of the converters' and readouts' capacitors", ge=1e-4, le=0.1
    )
    endurance: float = quantity(1e6, "1", "pulses that a cell stands: no table has it", ge=1.0, le=1e18)

    @property
    def multiply(self) -> str:
        """Key of the gradient unit's multiplier."""
        return f"digital.mul_int{self.gradient_bits}"
