"""The matrices in cells that a network's matrix is read from: one, or two of a rule with a second matrix or a copy."""

from collections.abc import Sequence
from dataclasses import replace

from rramkit.array.mapped_matrix import MappedMatrix
from rramkit.array.matrix import Matrix
from rramkit.learning.corrected import Corrected
from rramkit.learning.rules.copied import Copied
from rramkit.learning.rules.row_permutation import RowPermutation
from rramkit.learning.rules.tiki_taka import Sum


def leaves(matrix: Matrix) -> list[MappedMatrix]:
    """Return the matrices in cells that a matrix is read from: none in float, two of a rule with a second matrix."""
    if isinstance(matrix, MappedMatrix):
        return [matrix]
    if isinstance(matrix, RowPermutation):
        return [matrix.inner]
    if isinstance(matrix, Copied):
        return [matrix.main, matrix.copy]
    if isinstance(matrix, Corrected):
        return leaves(matrix.inner)
    return [each for each, _ in matrix.terms] if isinstance(matrix, Sum) else []


def with_leaves(matrix: Matrix, new: Sequence[MappedMatrix]) -> Matrix:
    """Return a matrix read from other matrices in cells, in the order of `leaves`."""
    if isinstance(matrix, MappedMatrix):
        return new[0]
    if isinstance(matrix, RowPermutation):
        return replace(matrix, inner=new[0])
    if isinstance(matrix, Copied):
        return Copied(*new)
    if isinstance(matrix, Corrected):
        return replace(matrix, inner=with_leaves(matrix.inner, new))
    if isinstance(matrix, Sum):
        return Sum(tuple((each, factor) for each, (_, factor) in zip(new, matrix.terms, strict=True)))
    return matrix
