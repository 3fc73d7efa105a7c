"""Weight mapping: weights as cell conductances, and their matrix products; each mapping is one frozen record."""

from rramkit.array.mapping.bit_slices import BitSlices
from rramkit.array.mapping.isaac import Isaac
from rramkit.array.mapping.mapping import Mapping
from rramkit.array.mapping.matrix import MappedMatrix, Product, Samples
from rramkit.array.mapping.offset_column import OffsetColumn
from rramkit.array.mapping.pairs import Pairs
from rramkit.array.mapping.prime import Prime
from rramkit.array.mapping.settings import MappingSettings, WeightMapping

__all__ = [
    "BitSlices",
    "Isaac",
    "MappedMatrix",
    "Mapping",
    "MappingSettings",
    "OffsetColumn",
    "Pairs",
    "Prime",
    "Product",
    "Samples",
    "WeightMapping",
]
