"""Kernels of a training step outside the arrays: pooling, activations, normalisation, optimiser.

Every kernel is one function with one signature in two modules: `reference`, which is NumPy and always there, and
`compiled`, which goes over memory once instead of once for each operation. `chosen` says which module runs; see
`rramkit.array.kernels`, which has those of a read. All of these give the same to the last bit (`max_pooled` of two
zeros either, whatever their signs).
"""

from types import ModuleType

from rramkit import compiling
from rramkit.array.backend import Array, is_tensor
from rramkit.learning.kernels import reference


def of(x: Array) -> ModuleType:
    """Return the module whose kernels run on an array: `chosen`, or `reference` for tensors."""
    return reference if is_tensor(x) else chosen()


def chosen() -> ModuleType:
    """Return the module whose kernels run: `compiled`, or `reference`; see `rramkit.compiling`."""
    if not compiling.compiled():
        return reference
    from rramkit.learning.kernels import compiled  # numba is an extra

    return compiled
