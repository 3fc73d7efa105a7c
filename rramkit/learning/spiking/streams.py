"""Random numbers of a spiking evaluation: one stream for each input and purpose, whatever else is evaluated.

So an input's spikes, reads and chances are the same alone as among thousands, and do not change with the order or the
number of inputs worked on at once.
"""

from dataclasses import dataclass

import numpy as np

BUILD, CALIBRATE, EVALUATE = 0, 1, 2
"""Of what the streams are: the circuits, the calibration inputs, the test inputs."""

_SPIKES, _JITTER, _READS, _CHANCE, _CIRCUITS, _SPREAD = range(6)
_FIRST = 12  # second word of every seed here: other streams than those of a training


@dataclass(frozen=True)
class Streams:
    """Streams of one seed and one use, `BUILD`, `CALIBRATE` or `EVALUATE`."""

    seed: int
    use: int

    def circuits(self, layer: int) -> np.random.Generator:
        """Return the stream that draws the circuits of a layer."""
        return self._stream(_CIRCUITS, layer)

    def spread(self, layer: int) -> np.random.Generator:
        """Return the stream that draws the spread of a layer's cells."""
        return self._stream(_SPREAD, layer)

    def spikes(self, index: int, x: np.ndarray, steps: int, jitter: float) -> np.ndarray:
        """Draw the spikes (T, F) of input `index`, of which each pixel of `x` (F,) fires in that part of all steps.

        `jitter` is the standard deviation of a pixel's rate over it, drawn once; rates are held within 0 to 1.
        """
        rate = x.ravel().astype(np.float32)
        if jitter:
            factors = 1.0 + jitter * self._stream(_JITTER, index).standard_normal(rate.size)
            rate = np.clip(rate * factors, 0.0, 1.0).astype(np.float32)
        return self._stream(_SPIKES, index).random((steps, rate.size), dtype=np.float32) < rate

    def reads(self, index: int, layer: int) -> np.random.Generator:
        """Return the stream that draws the noise of a layer's reads for input `index`."""
        return self._stream(_READS, index, layer)

    def chances(self, some: range, layer: int, shape: tuple[int, ...], *, draws: bool) -> np.ndarray | None:
        """Draw the uniform numbers of a layer's neurons (B, T, M) for inputs `some`; None for neurons without."""
        if not draws:
            return None
        return np.stack([self._stream(_CHANCE, index, layer).random(shape) for index in some])

    def _stream(self, *words: int) -> np.random.Generator:
        return np.random.default_rng((self.seed, _FIRST, self.use, *words))
