"""Kernels: the inner loops that a training spends its time in, in NumPy and, where numba is installed, compiled.

Every kernel is one function with one signature in two modules: `reference`, which is NumPy and always there, and
`compiled`, which goes over memory once instead of once for each operation, and without the interpreter's lock. `chosen`
says which module runs; a caller takes the function from it and knows no more.

    kernel              compiled against reference
    normal_numbers      within `NORMAL_ROUNDING`: its logarithm, sine and cosine are polynomials of its own
    noisy, noisy_halves the same to the last bit
    quantised           the same to the last bit
    looked_up           the same to the last bit
    wire_profiles       within `PROFILE_ROUNDING`: running sums in place of matrix products

The two that round differently make a training with compiled kernels another training in its last bits, and after a code
has flipped, in more than these: a run is repeated bit for bit by the same kernels only. `family` names them, and a
checkpoint keeps the name.

The variable RRAMKIT_KERNELS chooses: `numpy` the reference, `compiled` the compiled ones (an error where they cannot be
had); unset, the compiled ones where numba is installed.
"""

import os
from functools import lru_cache
from importlib import util
from types import ModuleType

from rramkit.array.kernels import reference
from rramkit.errors import SetupError

VARIABLE = "RRAMKIT_KERNELS"

NORMAL_ROUNDING = 4e-6
"""Largest difference of a standard normal number (1): an angle rounded by 2^-24 of 2 pi, at the largest radius, 6.8."""

PROFILE_ROUNDING = 2.0**-17
"""Largest difference of cells behind wires and of profiles in float32, over the largest (1): 128 units in the last
place. As many as a line has cells, at loads up to 4 (`wires`); 5e-6 was the most that was seen."""


@lru_cache(maxsize=1)
def chosen() -> ModuleType:
    """Return the module whose kernels run: `compiled`, or `reference`.

    Raises
    ------
    SetupError
        When RRAMKIT_KERNELS has another value, or asks for compiled kernels and numba cannot be used.
    """
    wanted = os.environ.get(VARIABLE, "")
    if wanted not in ("", "numpy", "compiled"):
        raise SetupError(f"{VARIABLE} must be numpy or compiled; got {wanted!r}. Set one of these, or unset it.")
    if wanted == "numpy" or (not wanted and util.find_spec("numba") is None):
        return reference
    try:
        from rramkit.array.kernels import compiled
    except ImportError as error:  # not there, or not for this NumPy
        if not wanted:
            return reference
        raise SetupError(
            f"{VARIABLE} is compiled, which needs numba; it does not load ({error}). "
            "Run: pip install 'rramkit[fast]', or unset it."
        ) from error
    return compiled


def family() -> str:
    """Return the name of the kernels that run: NumPy's, or the compiler and its version."""
    return str(chosen().FAMILY)
