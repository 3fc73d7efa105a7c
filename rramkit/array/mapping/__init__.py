"""Weight mapping: weights as cell conductances; each mapping is one frozen record."""

from typing import Annotated

from pydantic import Field

from rramkit.array.mapping.bit_serial import BitSerial
from rramkit.array.mapping.bit_slices import BitSlices
from rramkit.array.mapping.divider import Divider
from rramkit.array.mapping.isaac import Isaac
from rramkit.array.mapping.mapping import Mapping
from rramkit.array.mapping.offset_column import OffsetColumn
from rramkit.array.mapping.pairs import Pairs
from rramkit.array.mapping.prime import Prime
from rramkit.array.mapping.sei import Sei

WeightMapping = Annotated[
    Pairs | OffsetColumn | BitSlices | Prime | Isaac | BitSerial | Sei | Divider, Field(discriminator="kind")
]
"""The weight mappings by their `kind`."""

__all__ = [
    "BitSerial",
    "BitSlices",
    "Divider",
    "Isaac",
    "Mapping",
    "OffsetColumn",
    "Pairs",
    "Prime",
    "Sei",
    "WeightMapping",
]
