"""Kernels: the inner loops that a training spends its time in, in NumPy and, where numba is installed, compiled.

Every kernel is one function with one signature in two modules: `reference`, which is NumPy and always there, and
`compiled`, which goes over memory once instead of once for each operation, and without the interpreter's lock. `chosen`
says which module runs; a caller takes the function from it and knows no more.

    kernel              compiled against reference
    normal_numbers      within `NORMAL_ROUNDING`: its logarithm, sine and cosine are polynomials of its own
    started             the same to the last bit
    stream_normals      the same bits, and then as `normal_numbers`
    noisy, noisy_halves the same to the last bit
    quantised           the same to the last bit
    looked_up           the same to the last bit
    scaled              the same to the last bit, of finite numbers
    folded              the same to the last bit
    even_curves         the same to the last bit
    nearest_step        the same to the last bit
    pair_matrices       the same to the last bit
    wire_profiles       within `PROFILE_ROUNDING`: running sums in place of matrix products
    behind_wires        within `PROFILE_ROUNDING`: the same, and another order of the sums of step 3
    one_pass            compiled alone: a read in one pass, to the last bit what `read` does step by step but for
                        products, which BLAS may round otherwise (`read_pass`)

Those that round differently make a training with compiled kernels another training in its last bits, and after a code
has flipped, in more than these: a run is repeated bit for bit by the same kernels only. A checkpoint keeps their name
(`rramkit.compiling`, which chooses). Long arrays are cut into parts that run on several threads (`parts`).
"""

from types import ModuleType

from rramkit import compiling
from rramkit.array.kernels import reference

NORMAL_ROUNDING = 4e-6
"""Largest difference of a standard normal number (1): an angle rounded by 2^-24 of 2 pi, at the largest radius, 6.8."""

PROFILE_ROUNDING = 2.0**-17
"""Largest difference of cells behind wires and of profiles in float32, over the largest (1): 128 units in the last
place. As many as a line has cells, at loads up to 4 (`wires`); 5e-6 was the most that was seen."""


def chosen() -> ModuleType:
    """Return the module whose kernels run: `compiled`, or `reference`; see `rramkit.compiling`."""
    if not compiling.compiled():
        return reference
    from rramkit.array.kernels import compiled  # numba is an extra

    return compiled
