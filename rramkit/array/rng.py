# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
"""Random numbers of tiles: one seeded generator a tile, so that the noise of a tile does not depend on its neighbours.

A tile with the same seed and number draws the same numbers alone as among thousands read together. Normal numbers in
float32 come from the method of Box and Muller (Ann. Math. Stat. 29, 610, 1958) on 32 random bits each::

    z = sqrt(-2 ln u) cos(2 pi t),  sqrt(-2 ln u) sin(2 pi t)          u, t  uniform in (0, 1)

which NumPy's vectorised functions do four times as fast as its ziggurat (benchmarks/tile.py), and a compiled kernel
faster still (`kernels`: the same numbers but for rounding); |z| ends at 6.8, that is one number in 1e11. Float64 takes
NumPy's own. PyTorch tensors get the same numbers, unless the generators are those of a device
(`TileRng.seeded(..., device="cuda")`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from rramkit.array import kernels
from rramkit.array.backend import Array, full, like
from rramkit.errors import InputError, SetupError

_AT_ONCE = 2**15  # numbers (1) drawn at once: all steps stay in the cache


class _Words(np.random.bit_generator.ISeedSequence):
    """Random words as a generator's state: a third of the time that spreading a seed over it takes."""

    COUNT = 3  # of 64 bits: the state of SFC64

    def __init__(self, words: np.ndarray) -> None:
        self.words = words

    def generate_state(self, n_words: int, dtype: object = np.uint64) -> np.ndarray:
        """Return the words."""
        return self.words[:n_words]


@dataclass(frozen=True)
class TileRng:
    """The generators of tiles (...): build them with `seeded` or `drawn`.

    Attributes
    ----------
    shape : tuple of int
        Leading axes of the tiles; () for one.
    generators : tuple
        One generator a tile, in row-major order; they keep their state from call to call.
    """

    shape: tuple[int, ...]
    generators: tuple[Any, ...]

    @classmethod
    def seeded(
        cls, seed: int | Sequence[int], shape: tuple[int, ...] = (), *, first: int = 0, device: str | None = None
    ) -> Self:
        """Make one generator for each tile.

        Parameters
        ----------
        seed : int or sequence of int
            The seed; the same seed and number of a tile give the same numbers.
        shape : tuple of int
            Shape of the tiles (...); (): one tile.
        first : int
            Number of the first tile.
        device : str, optional
            PyTorch device that draws its own numbers; left out, NumPy draws.

        Returns
        -------
        TileRng
            The generators.

        Raises
        ------
        SetupError
            When `device` is given and PyTorch is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> TileRng.seeded(1, (2,)).normal((3,), np.zeros(1)).shape
        (2, 3)
        """
        words = (seed,) if isinstance(seed, int) else tuple(seed)
        seeds = (np.random.SeedSequence((*words, first + tile)) for tile in range(math.prod(shape)))
        if device is None:
            return cls(shape, tuple(np.random.Generator(np.random.SFC64(each)) for each in seeds))
        try:
            import torch  # an optional extra
        except ImportError as error:
            raise SetupError(
                "`device` needs PyTorch, which is not installed. Run: pip install 'rramkit[torch]'"
            ) from error

        return cls(
            shape,
            tuple(torch.Generator(device).manual_seed(int(s.generate_state(1, np.uint64)[0] >> 1)) for s in seeds),
        )

    @classmethod
    def of(cls, rng: "Rng | None", shape: tuple[int, ...]) -> "TileRng | None":
        """Return one generator a tile: those of `rng`, checked, or new ones that a NumPy generator seeds.

        Parameters
        ----------
        rng : TileRng or Generator or None
            The generators; or one generator, which seeds them.
        shape : tuple of int
            Shape of the tiles (...).

        Returns
        -------
        TileRng or None
            The generators; None for None.

        Raises
        ------
        InputError
            When `rng` has the generators of tiles of another shape.

        Examples
        --------
        >>> import numpy as np
        >>> TileRng.of(np.random.default_rng(0), (2, 1)).shape
        (2, 1)
        """
        if isinstance(rng, np.random.Generator):
            return cls.drawn(rng, shape)
        if rng is not None:
            rng.check(shape)
        return rng

    @classmethod
    def drawn(cls, rng: np.random.Generator, shape: tuple[int, ...] = ()) -> Self:
        """Make generators whose states are the next numbers of `rng`."""
        words = rng.bit_generator.random_raw((math.prod(shape), _Words.COUNT))
        return cls(shape, tuple(np.random.Generator(np.random.SFC64(_Words(each))) for each in words))  # pyright: ignore[reportArgumentType]

    def normal(self, size: tuple[int, ...], reference: Array) -> Array:
        """Return standard normal numbers (..., *size) of the kind and type of `reference`."""
        return self._filled(size, reference, normal=True)

    def uniform(self, size: tuple[int, ...], reference: Array) -> Array:
        """Return numbers (..., *size) uniform in [0, 1) of the kind and type of `reference`."""
        return self._filled(size, reference, normal=False)

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise `InputError` unless these are the generators of tiles `shape`."""
        if self.shape != shape:
            raise InputError(
                f"`rng` must have one generator a tile, {shape}; got {self.shape}. Seed it for that shape."
            )

    def _filled(self, size: tuple[int, ...], reference: Array, *, normal: bool) -> Array:
        count = math.prod(size)
        if self.generators and not isinstance(self.generators[0], np.random.Generator):
            return self._on_device(count, reference, normal=normal).reshape(self.shape + size)
        dtype = np.dtype(str(reference.dtype).removeprefix("torch."))
        if len(self.generators) == 1:
            drawn = _draw(self.generators[0], count, dtype, normal=normal)
        else:
            drawn = np.empty((len(self.generators), count), dtype)
            for row, generator in zip(drawn, self.generators, strict=True):
                row[:] = _draw(generator, count, dtype, normal=normal)
        drawn = drawn.reshape(self.shape + size)
        return drawn if isinstance(reference, np.ndarray) else like(drawn, reference)

    def _on_device(self, count: int, reference: Array, *, normal: bool) -> Array:
        drawn = full((len(self.generators), count), 0.0, reference)
        for row, generator in zip(drawn, self.generators, strict=True):
            row.normal_(generator=generator) if normal else row.uniform_(generator=generator)
        return drawn


Rng = TileRng | np.random.Generator
"""Random numbers of a read: one generator a tile, or one that seeds them for this call."""


def _draw(generator: np.random.Generator, count: int, dtype: np.dtype, *, normal: bool) -> np.ndarray:
    if not normal:
        return generator.random(count, dtype=dtype)
    return box_muller(generator, count) if dtype == np.float32 else generator.standard_normal(count)


def box_muller(generator: np.random.Generator, count: int) -> np.ndarray:
    """Return `count` standard normal numbers in float32 (equation in the module's docstring)."""
    if count <= _AT_ONCE:
        return _normal(generator, count)
    drawn = np.empty(count, dtype=np.float32)
    for start in range(0, count, _AT_ONCE):
        part = drawn[start : start + _AT_ONCE]
        part[:] = _normal(generator, part.size)
    return drawn


def _normal(generator: np.random.Generator, count: int) -> np.ndarray:
    half = (count + 1) // 2
    bits = generator.bit_generator.random_raw(half).view(np.uint32)
    return kernels.chosen().normal_numbers(bits)[:count]
