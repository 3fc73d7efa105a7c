# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
"""Random numbers of tiles: one seeded stream a tile, so that the noise of a tile does not depend on its neighbours.

A tile with the same seed and number draws the same numbers alone as among thousands read together. Normal numbers in
float32 come from the method of Box and Muller (Ann. Math. Stat. 29, 610, 1958) on 32 random bits each::

    z = sqrt(-2 ln u) cos(2 pi t),  sqrt(-2 ln u) sin(2 pi t)          u, t  uniform in (0, 1)

which NumPy's vectorised functions do four times as fast as its ziggurat (benchmarks/tile.py), and a compiled kernel
faster still (`kernels`: the same numbers but for rounding); |z| ends at 6.8, that is one number in 1e11. Float64 takes
NumPy's own. PyTorch tensors get the same numbers, unless the generators are those of a device
(`TileRng.seeded(..., device="cuda")`), or one stream of the device draws for all tiles and cells (`DeviceRng`), as in a
training whose numbers stay there: then a tile's numbers depend on its neighbours.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from rramkit.array import kernels
from rramkit.array.backend import Array, full, like
from rramkit.array.kernels import reference
from rramkit.errors import InputError, SetupError


class _Words(np.random.bit_generator.ISeedSequence):
    """Random words as a generator's state: a third of the time that spreading a seed over it takes."""

    COUNT = 3  # of 64 bits: what SFC64 starts from

    def __init__(self, words: np.ndarray) -> None:
        self.words = words

    def generate_state(self, n_words: int, dtype: object = np.uint64) -> np.ndarray:
        """Return the words."""
        return self.words[:n_words]


class Streams:
    """The streams of T tiles: states that kernels advance, or NumPy's generators from when somebody asks for these.

    Parameters
    ----------
    words : ndarray of uint64
        What each stream starts from (T, 3).
    """

    def __init__(self, words: np.ndarray) -> None:
        self._words, self._states, self._made = words, None, ()

    @property
    def generators(self) -> tuple[np.random.Generator, ...]:
        """One generator a stream, which go on from where the streams are; from then on numbers come from them."""
        if not self._made:
            bits = [np.random.SFC64(_Words(each)) for each in self._words]  # pyright: ignore[reportArgumentType]
            if self._states is not None:
                for each, state in zip(bits, self._states, strict=True):
                    each.state = {**each.state, "state": {"state": state}}
            self._made = tuple(np.random.Generator(each) for each in bits)
        return self._made

    def normal(self, count: int) -> np.ndarray:
        """Return the next normal numbers of each stream (T, count) in float32."""
        if self._made:
            return np.stack([box_muller(generator, count) for generator in self._made])
        chosen = kernels.chosen()
        if self._states is None:
            self._states = chosen.started(self._words)
        return chosen.stream_normals(self._states, count)


@dataclass(frozen=True)
class TileRng:
    """The random numbers of tiles (...): build them with `seeded` or `drawn`.

    Attributes
    ----------
    shape : tuple of int
        Leading axes of the tiles; () for one.
    streams : Streams, tuple or DeviceRng
        One stream a tile, in row-major order, which goes on from call to call; or the generators of a device; or one
        stream of a device, for all of them.
    """

    shape: tuple[int, ...]
    streams: "Streams | tuple[Any, ...] | DeviceRng"

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
            return cls(shape, Streams(np.stack([each.generate_state(_Words.COUNT, np.uint64) for each in seeds])))
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
        if isinstance(rng, DeviceRng):
            return cls(shape, rng)
        if rng is not None:
            rng.check(shape)
        return rng

    @classmethod
    def drawn(cls, rng: np.random.Generator, shape: tuple[int, ...] = ()) -> Self:
        """Make generators whose states are the next numbers of `rng`."""
        words = rng.bit_generator.random_raw((math.prod(shape), _Words.COUNT))
        return cls(shape, Streams(words))

    @property
    def generators(self) -> tuple[Any, ...]:
        """One generator a tile, in row-major order; they keep their state from call to call."""
        if isinstance(self.streams, DeviceRng):
            return (self.streams.generator,)
        return self.streams.generators if isinstance(self.streams, Streams) else self.streams

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
        if isinstance(self.streams, DeviceRng):
            return self.streams.filled(self.shape + size, reference.dtype, normal=normal)
        if not isinstance(self.streams, Streams):
            return self._on_device(count, reference, normal=normal).reshape(self.shape + size)
        native = isinstance(reference, np.ndarray)
        dtype = reference.dtype if native else np.dtype(str(reference.dtype).removeprefix("torch."))
        if normal and dtype == np.float32:
            drawn = self.streams.normal(count)
        else:
            drawn = np.stack([_draw(generator, count, dtype, normal=normal) for generator in self.generators])
        drawn = drawn.reshape(self.shape + size)
        return drawn if native else like(drawn, reference)

    def _on_device(self, count: int, reference: Array, *, normal: bool) -> Array:
        drawn = full((len(self.generators), count), 0.0, reference)
        for row, generator in zip(drawn, self.generators, strict=True):
            row.normal_(generator=generator) if normal else row.uniform_(generator=generator)
        return drawn


class DeviceRng:
    """One stream of random numbers of a PyTorch device, for all that draws: reads, pulses, verify reads.

    It has the methods of NumPy's generator that a training step calls; the numbers are tensors, and not NumPy's.

    Parameters
    ----------
    seed : sequence of int
        The seed; the same on the same device gives the same numbers.
    device : str
        Device of PyTorch.

    Raises
    ------
    SetupError
        When PyTorch is not installed.
    """

    def __init__(self, seed: Sequence[int], device: str) -> None:
        try:
            import torch  # an optional extra
        except ImportError as error:
            raise SetupError(
                "`device` needs PyTorch, which is not installed. Run: pip install 'rramkit[torch]'"
            ) from error
        word = int(np.random.SeedSequence(tuple(seed)).generate_state(1, np.uint64)[0] >> 1)
        self._torch, self.device, self.generator = torch, device, torch.Generator(device).manual_seed(word)

    def filled(self, shape: tuple[int, ...], dtype: Any, *, normal: bool) -> Array:  # noqa: ANN401  (of PyTorch)
        """Return numbers of a shape and a type: standard normal ones, or uniform in [0, 1)."""
        draw = self._torch.randn if normal else self._torch.rand
        return draw(shape, generator=self.generator, device=self.device, dtype=dtype)

    def standard_normal(self, size: int | tuple[int, ...]) -> Array:
        """Return standard normal numbers in float64."""
        return self.filled((size,) if isinstance(size, int) else tuple(size), self._torch.float64, normal=True)

    def uniform(self, *, size: tuple[int, ...]) -> Array:
        """Return numbers uniform in [0, 1) in float64."""
        return self.filled(tuple(size), self._torch.float64, normal=False)


Rng = TileRng | np.random.Generator | DeviceRng
"""Random numbers of a read: one generator a tile, one that seeds them for this call, or one stream of a device."""


def _draw(generator: np.random.Generator, count: int, dtype: np.dtype, *, normal: bool) -> np.ndarray:
    return generator.standard_normal(count) if normal else generator.random(count, dtype=dtype)


def box_muller(generator: np.random.Generator, count: int) -> np.ndarray:
    """Return `count` standard normal numbers in float32 (equation in the module's docstring)."""
    return reference.box_muller(generator.bit_generator, count, kernels.chosen().normal_numbers)
