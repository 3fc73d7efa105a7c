"""Matrices of numbers as cells of arrays: each way to map them is one frozen object."""

from rramkit.array.mapping.bit_slices import BitSliced
from rramkit.array.mapping.isaac import Isaac
from rramkit.array.mapping.mapping import MappedMatrix, Mapping, Product
from rramkit.array.mapping.offset_column import OffsetColumn
from rramkit.array.mapping.pairs import Pairs
from rramkit.array.mapping.prime import Prime

__all__ = ["BitSliced", "Isaac", "MappedMatrix", "Mapping", "OffsetColumn", "Pairs", "Prime", "Product"]
