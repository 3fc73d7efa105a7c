"""Random draws from the distribution of a signal in a table: inverse transform sampling between its quantiles.

    x = y(g, v) + d(g, v, u),   u uniform in [0, 1]

    x  value drawn    y  the signal, as `GridSurrogate` gives it    d  quantile at the level u, less the signal

`d` is linear along the levels and along the table's axes, so that between two points of the table a quantile is the
mean of theirs (Vincent's averaging, which keeps a shape that only moves and widens). Outside the levels the first and
the last quantile hold. Where the distribution has no width, `x` is exactly `y` for
quantiles equal to it.
"""

import numpy as np
from numpy.typing import ArrayLike

from rramkit.errors import TableError
from rramkit.surrogate.grid import GridSurrogate, MultilinearGrid
from rramkit.table.parts import Over, Tabulated


class QuantileSurrogate:
    """One distribution of a table as a source of draws.

    Parameters
    ----------
    table : Table
        A table with axes of numbers.
    signal : str
        Name of one of its signals.
    over : str or None
        `cycles`, `devices` or `all`; None: the first distribution of the signal.

    Attributes
    ----------
    mean : GridSurrogate
        The signal itself.

    Raises
    ------
    TableError
        When the table has no such distribution of the signal.
    """

    def __init__(self, table: Tabulated, signal: str, *, over: Over | None = None) -> None:
        distribution = table.distribution(signal, over)
        if distribution is None:
            what = "distribution" if over is None else f"distribution over {over}"
            raise TableError(f"table `{table.name}` has no {what} of `{signal}`. Characterise with Monte Carlo draws.")
        self.mean = GridSurrogate(table, signal)
        self.over = distribution.over
        spread = np.where(
            table.masked(signal)[..., None],
            0.0,
            distribution.quantiles - np.asarray(table.signals[signal].values)[..., None],
        )
        knots = [np.asarray(axis.values, dtype=float) for axis in table.axes.values()]
        self._spread = MultilinearGrid([*knots, distribution.levels], spread, parts=[1] * spread.ndim, name=signal)

    def at_level(self, *x: ArrayLike, level: ArrayLike, mean: np.ndarray | None = None) -> np.ndarray:
        """Return the quantile at `level` (within 0 to 1) and at `x`, one array for each axis, broadcast together.

        A fixed level for each cell makes a spread over devices: a strong device stays strong at every point. `mean` is
        the signal at `x`, where the caller has looked it up already.
        """
        return (self.mean.at(*x) if mean is None else mean) + self._spread.at(*x, level)

    def sample(self, *x: ArrayLike, rng: np.random.Generator, mean: np.ndarray | None = None) -> np.ndarray:
        """Draw one value at each of the points `x`, one array for each axis, broadcast together; `mean` as above."""
        shape = np.broadcast_shapes(*(np.shape(each) for each in x))
        return self.at_level(*x, level=rng.uniform(size=shape), mean=mean)
