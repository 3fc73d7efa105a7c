"""The read chain: everything between the numbers that go into an array and those that come out, stage by stage.

Each stage stands in its own file, has its own parameters, and at its defaults is exactly off. Cell current and wires
come from the table file (`cells`, `wires`). The access transistor is part of the cell current: the table `read` is of
the whole cell, one transistor and one resistive element, at its terminals.
"""

from typing import Literal

from pydantic import model_validator

from rramkit.array.stages.adc import Adc
from rramkit.array.stages.clamp import Clamp
from rramkit.array.stages.multiplexer import Multiplexer
from rramkit.array.stages.read_noise import ReadNoise
from rramkit.array.stages.row_driver import RowDriver
from rramkit.array.stages.telegraph import Telegraph
from rramkit.parameters import Parameters, quantity


class ReadChain(Parameters):
    """The stages of a read; by default none does anything."""

    dac: RowDriver = RowDriver()
    mux: Multiplexer = Multiplexer()
    clamp: Clamp = Clamp()
    converter: Adc = Adc()
    noise: ReadNoise = ReadNoise()
    telegraph: Telegraph = Telegraph()
    subtraction: Literal["analog", "digital"] = quantity(
        "analog", "1", "whether the halves of a pair are subtracted before or after conversion"
    )

    @model_validator(mode="after")
    def _fits(self) -> "ReadChain":
        if self.converter.bits == 1 and self.subtraction == "analog":
            raise ValueError(
                "converter must have at least 2 bits where pairs are subtracted before it: one is the sign"
            )
        return self

    @property
    def separate(self) -> bool:
        """Whether what is sensed in one phase and by one half may not simply be added: sensing is not linear."""
        return self.converter.bits > 0 or self.clamp.i_max > 0.0 or self.converter.spread

    @property
    def random(self) -> bool:
        """Whether a read draws random numbers."""
        return self.noise.on or self.telegraph.on or self.converter.noise > 0.0

    @property
    def drawn(self) -> bool:
        """Whether making a tile draws random numbers."""
        return self.telegraph.on or self.converter.spread

    @property
    def halves(self) -> bool:
        """Whether the two halves of a pair are sensed apart in a forward read."""
        return self.separate and self.subtraction == "digital"
