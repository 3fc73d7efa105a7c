"""Compiled kernels against the NumPy reference: bit for bit, or to the rounding that `kernels` states.

The compiled ones are tested where numba is installed; which kernels run, and that NumPy's are enough, everywhere.
"""

import importlib
import os
import shutil
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from importlib import util
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rramkit import compiling
from rramkit.array import kernels
from rramkit.array.elimination import Ladder
from rramkit.array.kernels import parts, reference
from rramkit.array.rng import TileRng, box_muller
from rramkit.array.stages.adc import Adc
from rramkit.array.stages.readout import Readout, ReadoutGain
from rramkit.array.stages.sense_unit import LookUp, UnitDraws
from rramkit.errors import InputError, SetupError
from rramkit.processes import Processes
from rramkit.surrogate.grid import MultilinearGrid

needs_numba = pytest.mark.skipif(
    util.find_spec("numba") is None, reason="compiled kernels need numba: pip install 'rramkit[fast]'"
)

ORDERS = {"vectors first": lambda x: x, "vectors side by side": lambda x: x.swapaxes(-1, -2).copy().swapaxes(-1, -2)}


def compiled():
    from rramkit.array.kernels import compiled

    return compiled


def drawn(seed: int, shape: tuple[int, ...], scale: float) -> np.ndarray:
    return np.random.default_rng(seed).random(shape, dtype=np.float32) * np.float32(scale)


def twice(kernel: str, *arguments: Any, **named: Any) -> tuple[Any, Any]:
    """Return what both kernels make of copies of the same arguments."""

    def own(x: Any) -> Any:
        if isinstance(x, tuple):
            return tuple(own(each) for each in x)
        return x.copy(order="K") if isinstance(x, np.ndarray) else x

    expected, got = (
        getattr(module, kernel)(*(own(each) for each in arguments), **named) for module in (reference, compiled())
    )
    return expected, got


shapes = st.tuples(st.integers(1, 3), st.integers(1, 70), st.integers(1, 40))
orders = st.sampled_from(sorted(ORDERS))


@needs_numba
def test_normal_numbers_are_those_of_the_reference_to_the_stated_rounding():
    bits = np.random.default_rng(1).integers(0, 2**32, 2**20, dtype=np.uint32)
    edges = np.array([0, 1, 2**29 - 1, 2**29, 2**30, 2**31 - 1, 2**31, 3 * 2**29, 2**32 - 1], np.uint32)
    bits = np.concatenate([bits, np.repeat(edges, edges.size), np.tile(edges, edges.size)])
    mine, theirs = compiled().normal_numbers(bits), reference.normal_numbers(bits)
    assert mine.dtype == np.float32
    assert np.abs(mine - theirs).max() <= kernels.NORMAL_ROUNDING
    # closer to the equation in float64 than the reference is, whose angle is rounded before it is reduced
    u = (bits[: bits.size // 2].astype(np.float32) + np.float32(0.5)).astype(float) * 2.0**-32
    t = bits[bits.size // 2 :].astype(float) * 2.0**-32
    radius = np.sqrt(-2.0 * np.log(u))
    exact = np.concatenate([radius * np.cos(2.0 * np.pi * t), radius * np.sin(2.0 * np.pi * t)])
    assert np.abs(mine - exact).max() <= 1e-6  # radius 6.8 times 1.5 units of 2^-24 in sine, and as many in the radius


@needs_numba
@given(shapes, orders, st.booleans(), st.integers(0, 2**16))
@settings(max_examples=20, deadline=None)
def test_noise_is_the_reference_s_bit_for_bit(shape, order, each, seed):
    of = ORDERS[order]
    i, variance, normal = (of(drawn(seed + k, shape, scale)) for k, scale in enumerate((1e-5, 1e-14, 3.0)))
    own = drawn(seed + 3, (shape[0], 1, shape[2]), 1e-14) if each else 2e-15
    expected, got = twice("noisy", i, variance, own, normal)
    assert np.array_equal(expected, got)


@needs_numba
@given(shapes, orders, st.booleans(), st.sampled_from((-1, -2)), st.integers(0, 2**16))
@settings(max_examples=20, deadline=None)
def test_noisy_halves_are_the_reference_s_bit_for_bit(shape, order, each, axis, seed):
    of = ORDERS[order]
    tiles, vectors, outputs = shape
    s, v = of(drawn(seed, shape, 1e-5)), of(drawn(seed + 1, shape, 1e-14))
    d, less = of(drawn(seed + 2, shape, 2e-5) - s), of(drawn(seed + 3, shape, 1.0) * v)
    twofold = (tiles, vectors * (1 + (axis == -2)), outputs * (1 + (axis == -1)))
    normal = of(drawn(seed + 4, twofold, 3.0))
    own = drawn(seed + 5, (tiles, 1, twofold[2]), 1e-14) if each else 0.0
    expected, got = twice("noisy_halves", (s, d), (v, less), own, normal, axis=axis)
    assert got.shape == twofold
    assert np.array_equal(expected, got)


@needs_numba
@given(shapes, orders, st.booleans(), st.booleans(), st.integers(0, 2**16))
@settings(max_examples=20, deadline=None)
def test_quantised_currents_and_counts_are_the_reference_s(shape, order, each, two_way, seed):
    i = ORDERS[order](drawn(seed, shape, 2e-5) - np.float32(8e-6))
    step = drawn(seed + 1, (shape[0], 1, shape[2]), 1e-7) + np.float32(2e-8) if each else 6e-8
    i.ravel(order="K")[0] = 1.0  # far beyond any range
    (expected, beyond), (got, counted) = twice("quantised", i, step, -127.0 if two_way else 0.0, 127.0)
    assert np.array_equal(expected, got)
    assert counted == beyond > 0


@needs_numba
@pytest.mark.parametrize("order", sorted(ORDERS))
@pytest.mark.parametrize("bits", [6, 8])
def test_codes_of_sense_units_and_counts_are_the_reference_s(order, bits):
    look_up, outputs = units(bits)
    i = ORDERS[order](drawn(3, (2, 50, outputs), 1.3e-4) - np.float32(1e-5))
    factor, shift = look_up.parts_per_ampere, -look_up.i_low * look_up.parts_per_ampere
    (expected, beyond), (got, counted) = twice("looked_up", i, factor, shift, look_up)
    assert np.array_equal(expected, got)
    assert counted == beyond > 0
    assert np.unique(got).size > 2 ** (bits - 1)


def units(bits: int) -> tuple[Any, int]:
    """Return the look-up of three units of two tiles, whose offsets differ, and the number of their outputs."""
    gain = ReadoutGain(r_feedback=1e4, i_in=(0.0, 5e-5, 1e-4), v_out=(0.0, 0.5, 0.95))
    adc = Adc(bits=bits, v_low=0.4, v_high=1.4)
    offset = np.random.default_rng(0).normal(0.0, 2e-3, (2, 3))
    draws = UnitDraws(offset, -offset, np.zeros((2, 3, 1)))
    unit = np.arange(6) // 2
    readout = Readout(gains=(gain,), v_rest=0.4)
    kind = np.zeros(0, np.float32)
    return LookUp.of(readout, adc, draws, np.zeros(2, int), unit, reference=kind), unit.size


@needs_numba
@given(
    st.integers(1, 40),
    st.integers(1, 130),
    st.tuples(*2 * (st.sampled_from((0.0, 50.0, 300.0)), st.sampled_from((0.0, 0.5, 3.0)))),  # loads up to 3
    st.integers(0, 2**16),
)
@settings(max_examples=20, deadline=None)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_wire_profiles_are_the_reference_s_to_the_stated_rounding(dtype, rows, cols, ohms, seed):
    g = np.random.default_rng(seed).uniform(0.0, 1e-4, (rows, cols)).astype(dtype)
    r_start, r_line, r_end, r_step = ohms
    ladder = Ladder(r_start, r_line, r_step, r_end)
    expected, got = twice("wire_profiles", g, ladder)
    rounding = kernels.PROFILE_ROUNDING * float(np.finfo(dtype).eps / np.finfo(np.float32).eps)
    cells, theirs = got[0], expected[0]
    assert cells.dtype == dtype
    assert np.abs(cells - theirs).max() <= rounding * g.max()
    for mine, other in zip(got[1:], expected[1:], strict=True):  # a profile is a resistance's root: sqrt(ohm)
        assert mine.shape == other.shape
        assert np.abs(mine - other).max() <= rounding * max(float(np.abs(other).max()), 1e-30)


@needs_numba
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1), (2, 1), (3, 20), (20, 3), (33, 34)])
def test_arrays_behind_wires_are_the_reference_s_to_the_stated_rounding(dtype, shape):
    g = np.random.default_rng(3).uniform(0.0, 8e-5, (3, *shape)).astype(dtype)
    g[0] = 0.0  # no cell at all
    expected, got = twice("behind_wires", g, Ladder(300.0, 3.0, 2.0, 50.0))
    rounding = kernels.PROFILE_ROUNDING * float(np.finfo(dtype).eps / np.finfo(np.float32).eps)
    assert got.dtype == dtype
    assert np.abs(got - expected).max() <= rounding * g.max()
    assert not got[0].any()
    if shape != (1, 1):
        assert np.abs(expected - g).max() > 100 * rounding * g.max()  # the wires do something


@pytest.mark.parametrize("family", ["reference", pytest.param("compiled", marks=needs_numba)])
@pytest.mark.parametrize("g_cell", [-0.01, np.nan])
def test_a_network_that_is_not_positive_is_refused_by_both_kernels(family, g_cell):
    module = reference if family == "reference" else compiled()
    g = np.full((2, 3, 3), 1e-5, np.float32)
    g[1] = g_cell
    with pytest.raises(InputError, match="positive network"):
        module.behind_wires(g, Ladder(50.0, 1.0, 1.0, 50.0))


@needs_numba
@given(st.integers(1, 6), st.integers(1, 40), st.integers(0, 2**16))
@settings(max_examples=20, deadline=None)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_curves_are_the_reference_s_bit_for_bit(dtype, curves, count, seed):
    rng = np.random.default_rng(seed)
    values, steps = rng.normal(size=(2, curves, 16)).astype(dtype)
    x = rng.uniform(-3e-6, 2e-5, (2, count)).astype(dtype)  # some beyond both ends
    x[0, 0] = 1.6e-5
    expected, got = twice("even_curves", x, values, steps, (1e-6, 1.6e-5))
    assert got.shape == (curves, 2, count)
    assert np.array_equal(expected, got)


@needs_numba
@given(st.integers(1, 3), st.integers(1, 3), st.tuples(st.integers(1, 5), st.integers(1, 5)), st.integers(0, 2**16))
@settings(max_examples=10, deadline=None)
@pytest.mark.parametrize("noisy", [True, False])
@pytest.mark.parametrize("wires", [True, False])
def test_matrices_of_pairs_are_the_reference_s_bit_for_bit(wires, noisy, count, tiles, cells, seed):
    terms, cell = drawn(seed, (count, tiles, 2, *cells), 1e-5), (tiles, 2, *cells)
    variance = drawn(seed + 1, cell, 1e-14) if noisy else None
    expected, got = twice("pair_matrices", terms, variance, drawn(seed + 2, cell, 1.0) if wires else None)
    assert len(got) == len(expected) == (4 if noisy else 2)
    assert all(np.array_equal(*each) for each in zip(expected, got, strict=True))
    assert got[0].shape == (tiles, count, *cells)


@needs_numba
@given(st.integers(1, 40), st.integers(2, 6), st.integers(1, 9), st.integers(0, 2**16))
@settings(max_examples=30, deadline=None)
def test_amplitudes_are_the_reference_s(count, points, amplitudes, seed):
    rng = np.random.default_rng(seed)
    grid = np.sort(rng.uniform(1e-6, 1e-4, points)) + 1e-9 * np.arange(points)
    reach = np.maximum.accumulate(rng.integers(0, 5, (points, amplitudes)) * 1e-6, axis=1)  # steps of equal reach, too
    g_cell = np.concatenate([rng.uniform(0.0, 1.2e-4, count), grid, [grid[0] - 1e-7]])
    wanted = np.concatenate([rng.uniform(-2e-6, 6e-6, count), reach[:, 0], [2e-6]])
    expected, got = twice("nearest_step", g_cell, wanted, grid, reach)
    assert np.array_equal(expected, got)


@needs_numba
@given(st.integers(1, 4), st.integers(1, 30), st.integers(0, 2**16))
@settings(max_examples=30, deadline=None)
def test_a_grid_is_looked_up_the_same_by_both_kernels(axes, count, seed):
    rng = np.random.default_rng(seed)
    sizes, cuts = rng.integers(1, 5, axes), rng.integers(1, 4, axes)
    knots = [np.cumsum(rng.uniform(0.1, 1.0, size)) for size in sizes]
    values = rng.normal(size=[(size - 1) * cut + 1 for size, cut in zip(sizes, cuts, strict=True)])
    grid = MultilinearGrid(knots, values, parts=[int(cut) for cut in cuts], name="test")
    points = [np.append(rng.uniform(-0.5, 5.0, count), [*knot, knot[-1] + 1.0][:1]) for knot in knots]
    points[0] = points[0][:, None] if axes > 1 else points[0]  # broadcast against the others
    found = []
    for name in ("numpy", "compiled"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(compiling.VARIABLE, name)
            found.append(grid.at(*points))
            with pytest.raises(InputError, match="must be finite"):
                grid.at(*points[:-1], np.append(points[-1][:-1], np.nan))
    assert found[0].shape == found[1].shape
    assert np.array_equal(*found)


def test_streams_begin_and_go_on_as_the_generators_of_numpy_do():
    """The noise of a tile is that of NumPy's SFC64 from the same words, whatever draws it."""
    seeds = [np.random.SeedSequence((7, tile)) for tile in range(3)]
    states = reference.started(np.stack([seed.generate_state(3, np.uint64) for seed in seeds]))
    generators = [np.random.Generator(np.random.SFC64(seed)) for seed in seeds]
    for count in (5, 2 * reference.AT_ONCE + 3):
        expected = np.stack([box_muller(generator, count) for generator in generators])
        assert np.abs(kernels.chosen().stream_normals(states, count) - expected).max() == 0.0
    assert all(
        np.array_equal(generator.bit_generator.state["state"]["state"], state)
        for generator, state in zip(generators, states, strict=True)
    )


def test_a_tile_s_stream_goes_on_when_its_generator_is_asked_for():
    kind, rng, other = np.zeros(1, np.float32), TileRng.seeded(3, (2,)), TileRng.seeded(3, (2,))
    numbers = [rng.normal((7,), kind), rng.uniform((3,), kind), rng.normal((6,), kind)]
    assert len(other.generators) == 2  # from the first number on
    again = [other.normal((7,), kind), other.uniform((3,), kind), other.normal((6,), kind)]
    assert all(np.array_equal(one, two) for one, two in zip(numbers, again, strict=True))


@needs_numba
def test_numbers_of_streams_are_the_reference_s_to_the_stated_rounding():
    words = np.random.default_rng(0).integers(0, 2**64, (3, 3), dtype=np.uint64)
    assert np.array_equal(compiled().started(words), reference.started(words))
    mine, theirs = reference.started(words), reference.started(words)
    for count in (1, 40, reference.AT_ONCE + 5):
        drawn = compiled().stream_normals(mine, count)
        assert drawn.shape == (3, count)
        assert np.abs(drawn - reference.stream_normals(theirs, count)).max() <= kernels.NORMAL_ROUNDING
        assert np.array_equal(mine, theirs)


@needs_numba
def test_arrays_that_the_kernels_do_not_fit_take_the_reference():
    wide = drawn(1, (2, 6, 10), 1e-5)[..., ::2]  # with gaps
    for i in (wide, wide.astype(float), drawn(2, (0, 3, 4), 1.0)):
        (expected, beyond), (got, counted) = twice("quantised", i, 1e-6, 0.0, 5.0)
        assert np.array_equal(expected, got)
        assert counted == beyond


@needs_numba
def test_results_do_not_depend_on_the_threads_that_call_them():
    """Kernels run without the interpreter's lock: eight tiles on four threads, and one after the other."""

    def noise(tile: int) -> np.ndarray:
        i, variance = drawn(tile, (1, 40, 64), 1e-5), drawn(tile + 9, (1, 40, 64), 1e-14)
        normal = TileRng.seeded(5, (1,), first=tile).normal((40, 64), i)
        return compiled().quantised(compiled().noisy(i, variance, 0.0, normal), 1e-7, 0.0, 127.0)[0]

    alone = [noise(tile) for tile in range(8)]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(noise, range(8)))
    assert all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True))


@needs_numba
def test_results_do_not_depend_on_the_number_of_threads(monkeypatch):
    """Every kernel that is cut into parts, on one thread and on three, to the last bit; counts too."""
    words = np.arange(12, dtype=np.uint64).reshape(4, 3)
    half, whole = (4, 50, 700), (4, 100, 700)
    monkeypatch.setattr(parts, "LEAST", 100)
    look_up, outputs = units(8)
    factor, shift = look_up.parts_per_ampere, -look_up.i_low * look_up.parts_per_ampere
    values, steps = np.random.default_rng(1).normal(size=(2, 2, 16)).astype(np.float32)

    def everything() -> list[Any]:
        s, d, v, less = (drawn(k, half, 1e-5) for k in range(4))
        return [
            compiled().stream_normals(reference.started(words), 1001),
            compiled().stream_normals(reference.started(words[:1]), 3 * reference.AT_ONCE),
            compiled().noisy(s.copy(), v, 1e-14, d),
            compiled().noisy_halves((s, d), (v + less, v - less), 1e-14, drawn(5, whole, 1.0), axis=-2),
            *compiled().quantised(drawn(6, half, 1e-5), 3e-8, 0.0, 255.0),
            *compiled().looked_up(drawn(7, (2, 500, outputs), 1.3e-4), factor, shift, look_up),
            compiled().even_curves(drawn(8, half, 1e-5), values, steps, (1e-6, 9e-6)),
            compiled().behind_wires(drawn(9, (5, 12, 17), 5e-5), Ladder(50.0, 1.0, 1.0, 50.0)),
        ]

    monkeypatch.setenv(parts.VARIABLE, "1")
    alone = everything()
    monkeypatch.setenv(parts.VARIABLE, "3")
    assert parts.threads() == 3
    assert all(np.array_equal(one, other) for one, other in zip(alone, everything(), strict=True))


def test_parts_cover_every_row_once_and_keep_their_order(monkeypatch):
    monkeypatch.setenv(parts.VARIABLE, "4")
    for rows in (1, 3, 4, 11):
        found = parts.in_parts(lambda first, last: (first, last), rows, 10**7)
        assert len(found) == min(rows, 4)
        assert [row for first, last in found for row in range(first, last)] == list(range(rows))
    assert parts.in_parts(lambda first, last: (first, last), 11, parts.LEAST) == [(0, 11)]  # too little to share


def test_threads_are_the_cores_of_the_process_unless_said(monkeypatch):
    monkeypatch.delenv(parts.VARIABLE, raising=False)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert parts.threads() == cores
    for wrong in ("0", "two", "-1", "1.5", "2000"):
        monkeypatch.setenv(parts.VARIABLE, wrong)
        with pytest.raises(SetupError, match="RRAMKIT_THREADS must be a whole number from 1 to 1024"):
            parts.threads()


def test_a_worker_process_has_one_thread(monkeypatch):
    monkeypatch.delenv(parts.VARIABLE, raising=False)
    assert list(Processes(1).run(os.getenv, [parts.VARIABLE])) == [(0, "1")]
    assert parts.VARIABLE not in os.environ  # this process goes on with its own


@needs_numba
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_has_threads_of_its_own(monkeypatch):
    monkeypatch.setenv(parts.VARIABLE, "2")
    assert parts.in_parts(lambda first, last: last - first, 2, 10**7) == [1, 1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of Python 3.12: that is what is tested
        child = os.fork()
    if not child:
        os._exit(0 if parts.in_parts(lambda first, last: last - first, 2, 10**7) == [1, 1] else 1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.fixture
def fresh():
    """Forget which kernels run, before and after."""
    compiling.usable.cache_clear()
    yield
    compiling.usable.cache_clear()


def test_numpy_runs_where_numba_is_not_installed(fresh, monkeypatch):
    monkeypatch.delenv(compiling.VARIABLE, raising=False)
    find = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name: None if name == "numba" else find(name))
    assert kernels.chosen() is reference
    assert compiling.family() == "NumPy kernels"


def test_numpy_runs_where_it_is_asked_for(fresh, monkeypatch):
    monkeypatch.setenv(compiling.VARIABLE, "numpy")
    assert kernels.chosen() is reference


@needs_numba
def test_compiled_kernels_run_where_numba_is_installed(fresh, monkeypatch):
    monkeypatch.delenv(compiling.VARIABLE, raising=False)
    assert kernels.chosen() is compiled()
    assert compiling.family().startswith("numba ")


def test_another_value_is_refused(fresh, monkeypatch):
    monkeypatch.setenv(compiling.VARIABLE, "fast")
    with pytest.raises(SetupError, match=r"RRAMKIT_KERNELS must be numpy or compiled; got 'fast'"):
        kernels.chosen()


@pytest.mark.parametrize("missing", ["numba", "scipy"])
def test_compiled_kernels_that_do_not_load_are_an_error_only_where_they_are_asked_for(fresh, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, "numba", ModuleType("numba"))
    monkeypatch.setitem(sys.modules, missing, None)  # what an import finds is then an error
    monkeypatch.setenv(compiling.VARIABLE, "compiled")
    with pytest.raises(SetupError, match=r"pip install 'rramkit\[fast\]'"):
        kernels.chosen()
    monkeypatch.delenv(compiling.VARIABLE)
    monkeypatch.setattr(util, "find_spec", lambda name: object())
    assert kernels.chosen() is reference


@needs_numba
def test_kernels_compile_where_no_folder_can_be_written(tmp_path):
    """A cache beside the source or in the home folder is a gain, not a need."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    code = (
        "import numba.core.caching as c\n"
        "c.CacheImpl._locator_classes = []\n"
        "import numpy as np\n"
        "from rramkit.array.kernels import compiled\n"
        "print(compiled.quantised(np.full((1, 1, 1), 2.4e-6, np.float32), 1e-6, 0.0, 7.0)[0].item())"
    )
    environment = {**os.environ, "HOME": str(blocked), "NUMBA_CACHE_DIR": ""}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert abs(float(done.stdout) - 2e-6) < 1e-12  # float32 of 2e-6 is 1e-13 off


@needs_numba
def test_a_kernel_is_compiled_again_when_a_part_of_it_in_another_file_changes(tmp_path, monkeypatch):
    """Code that is kept on disk is of all files beside the kernel's own."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "whole_kernel.py").write_text(
        "from part_of_it import times\nfrom rramkit.compiling import kernel\n\n\n"
        "@kernel\ndef whole(x):\n    return times(x)\n"
    )
    found = []
    for factor in ("2.0", "30.0"):  # of other sizes: both may be written within one tick of the file system's clock
        (tmp_path / "part_of_it.py").write_text(
            "from rramkit.compiling import part_of_kernel\n\n\n"
            f"@part_of_kernel\ndef times(x):\n    return x * {factor}\n"
        )
        for name in ("whole_kernel", "part_of_it"):
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        found.append(importlib.import_module("whole_kernel").whole(1.0))
    assert found == [2.0, 30.0]


@needs_numba
@pytest.mark.parametrize(
    ("file", "more"),
    [
        ("array/kernels/compiled/vectors.py", "# changed"),
        ("array/kernels/reference.py", "STEPS += 1"),
        ("learning/kernels/reference.py", "# changed"),
    ],
    ids=["a part", "a number", "beside it"],
)
def test_a_kernel_of_learning_is_old_when_what_it_has_of_another_folder_changes(tmp_path, file, more):
    """In a copied tree, a kernel of learning/kernels with a part and a number of array/kernels."""
    tree = tmp_path / "rramkit"
    shutil.copytree(Path(compiling.__file__).parent, tree, ignore=shutil.ignore_patterns("__pycache__"))
    probe = (
        "from rramkit.array.kernels.compiled.vectors import at\nfrom rramkit.array.kernels.reference import STEPS\n"
        "from rramkit.compiling import kernel\n\n\n"
        "@kernel\ndef probe(x):\n    return at(x, 0) + STEPS\n"
    )
    (tree / "learning" / "kernels" / "probe.py").write_text(probe)
    code = (
        "import numpy as np\nfrom rramkit.learning.kernels.probe import probe\n"
        "probe(np.ones(1))\nprint(sum(probe.stats.cache_hits.values()))"
    )
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    environment |= {"NUMBA_CACHE_DIR": str(tmp_path / "kept"), "PYTHONDONTWRITEBYTECODE": "1"}

    def hits():
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    assert [hits(), hits()] == [0, 1]
    with (tree / file).open("a", encoding="utf-8") as changed:
        changed.write(f"\n{more}\n")
    assert hits() == 0
