"""The kernels compiled by numba: those of `reference`, each in one pass, without the interpreter's lock.

Long arrays are cut into parts that run on several threads (`kernels.parts`).
"""

from rramkit.array.kernels.compiled.currents import looked_up, noisy, noisy_halves, quantised
from rramkit.array.kernels.compiled.numbers import normal_numbers, started, stream_normals
from rramkit.array.kernels.compiled.passes import one_pass
from rramkit.array.kernels.compiled.scaling import scaled
from rramkit.array.kernels.compiled.tables import even_curves, nearest_step, pair_matrices
from rramkit.array.kernels.compiled.windows import folded
from rramkit.array.kernels.compiled.wires import behind_wires, wire_profiles

__all__ = [
    "behind_wires",
    "even_curves",
    "folded",
    "looked_up",
    "nearest_step",
    "noisy",
    "noisy_halves",
    "normal_numbers",
    "one_pass",
    "pair_matrices",
    "quantised",
    "scaled",
    "started",
    "stream_normals",
    "wire_profiles",
]
