"""Sparse connections laid out in small arrays: clusters of rows and columns, and single synapses for what is left.

A sparse matrix on plain tiles wastes most cells. Here the rows and columns that are densely connected are put together
into arrays of a limited size, and the connections that no such array takes become discrete synapses: the cells that one
column (or one row) has left, an array of that column (row) alone, in which every cell is a connection.

Clusters are found by spectral clustering of the two-sided graph whose ends are the rows and the columns and whose edges
are the connections that are left: singular vectors of D_r^-1/2 M D_c^-1/2 (the eigenvectors of the graph's normalised
Laplacian, with eigenvalues 1 - sigma), scaled by D^-1/2, and k-means of rows and columns together. k is where the
singular values fall most, of all or of no fewer than the limit asks for, by which more connections find a place. A
cluster that is larger than the limit keeps the
rows and columns with most connections inside. It is kept where it uses at least `least` of its cells and has twice as
many connections as lines (discrete synapses would take two wires each), the best first; the connections of those that
are kept are taken out, and it begins again, until none is kept.

After AutoNCS (DAC 2015), whose abstract says: clusters of limited size by spectral clustering, discrete synapses for
the rest, physical cost in the loop. The Laplacian, k-means, the order and the iteration are recalled from memory;
graph, number of clusters, the rule that keeps one and the order of the discrete synapses are this kit's own. Costs of
placement and wires are not in the loop.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rramkit.errors import InputError

_STARTS = 8  # of k-means (1): the best of them is taken
_STEPS = 100  # of one (1)
_ROUNDS = 32  # rounds of clusters (1)


@dataclass(frozen=True)
class Cluster:
    """One array of a sparse matrix.

    Attributes
    ----------
    rows, columns : ndarray of int
        Rows (r,) and columns (c,) of the matrix that it joins, in order.
    connected : ndarray of bool
        Which of its cells (r, c) are connections; the others hold no weight.
    discrete : bool
        Whether its cells are discrete synapses, of one column or one row.
    """

    rows: np.ndarray
    columns: np.ndarray
    connected: np.ndarray
    discrete: bool = False

    @property
    def cells(self) -> int:
        """Weights that it has room for."""
        return self.connected.size

    @property
    def connections(self) -> int:
        """Weights that it holds."""
        return int(np.count_nonzero(self.connected))

    @property
    def use(self) -> float:
        """Part of its cells that are connections (1)."""
        return self.connections / self.cells


def clusters_of(
    mask: np.ndarray, *, rows: int, columns: int, least: float = 0.25, seed: int = 0
) -> tuple[Cluster, ...]:
    """Return the arrays of a sparse matrix: every connection is in exactly one of them.

    Parameters
    ----------
    mask : ndarray of bool
        Which weights of the matrix (N, M) there are.
    rows, columns : int
        Rows and weights in a row of the largest array (1).
    least : float
        Least part of its cells that an array must use (1).
    seed : int
        Starts of k-means.

    Returns
    -------
    tuple of Cluster
        Arrays of many rows and columns, then discrete synapses.

    Raises
    ------
    InputError
        When the mask is no matrix, or has no connection.

    Examples
    --------
    >>> import numpy as np
    >>> mask = np.kron(np.eye(2, dtype=bool), np.ones((8, 6), bool))
    >>> mask[0, 8] = True
    >>> [(each.connections, each.cells, each.discrete) for each in clusters_of(mask, rows=8, columns=6)]
    [(48, 48, False), (48, 48, False), (1, 1, True)]
    """
    mask = np.asarray(mask).astype(bool)
    if mask.ndim != 2 or not mask.any():
        raise InputError(f"`mask` must be (N, M) with connections; got {mask.shape} with none. Pass those there are.")
    rng, left, found = np.random.default_rng(seed), mask.copy(), []
    for _ in range(_ROUNDS):
        kept = max(
            ([each for each in some if _pays(each, least)] for some in _candidates(left, rows, columns, rng)),
            key=lambda some: sum(each.connections for each in some),
            default=[],
        )
        if not kept:
            break
        for each in sorted(kept, key=lambda each: (-each.use, -each.connections)):
            left[np.ix_(each.rows, each.columns)] = False
            found.append(each)
    return (*found, *_discrete(left, rows, columns))


def tiles_of(shape: tuple[int, int], *, rows: int, columns: int) -> int:
    """Return the arrays of a limited size that a matrix (N, M) takes on plain tiles."""
    return -(-shape[0] // rows) * -(-shape[1] // columns)


def _pays(cluster: Cluster, least: float) -> bool:
    return cluster.use >= least and cluster.connections >= 2 * sum(cluster.connected.shape)


def _candidates(left: np.ndarray, rows: int, columns: int, rng: np.random.Generator) -> Iterator[list[Cluster]]:
    """Yield the clusters of the connections that are left, within the limit, for each number of clusters to try.

    Those of one number share no row and no column.
    """
    used_rows, used_columns = np.flatnonzero(left.any(axis=1)), np.flatnonzero(left.any(axis=0))
    if not used_rows.size:
        return
    for of_rows, of_columns in _labels(left[np.ix_(used_rows, used_columns)], rows, columns, rng):
        inside = [(used_rows[of_rows == label], used_columns[of_columns == label]) for label in np.unique(of_rows)]
        found = [_limited(left, *lines, rows, columns) for lines in inside]
        yield [each for each in found if each is not None]


def _labels(
    block: np.ndarray, rows: int, columns: int, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the cluster of each row (n,) and of each column (m,) of connections (n, m), for each number of clusters."""
    scale_rows, scale_columns = (1.0 / np.sqrt(block.sum(axis=axis)) for axis in (1, 0))
    left, sigma, right = np.linalg.svd(scale_rows[:, None] * block * scale_columns, full_matrices=False)
    for count in _counts(sigma, max(-(-block.shape[0] // rows), -(-block.shape[1] // columns))):
        places = np.vstack([scale_rows[:, None] * left[:, :count], scale_columns[:, None] * right[:count].T])
        places = places / np.maximum(np.linalg.norm(places, axis=1, keepdims=True), 1e-12)
        labels = _k_means(places, count, rng)
        yield labels[: len(left)], labels[len(left) :]


def _counts(sigma: np.ndarray, fewest: int) -> list[int]:
    """Return after how many singular values they fall most: of all, and of no fewer than `fewest`."""
    most = min(len(sigma), 4 * fewest + 4)
    falls = sigma[:most] - np.append(sigma, 0.0)[1 : most + 1]
    starts = dict.fromkeys((0, min(fewest - 1, most - 1)))
    return list(dict.fromkeys(start + int(np.argmax(falls[start:])) + 1 for start in starts))


def _k_means(places: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return the cluster of each place (n, d): the best of several starts of Lloyd's method, k-means++ seeds."""
    best, labels = np.inf, np.zeros(len(places), int)
    for _ in range(_STARTS):
        centres, found = _seeds(places, count, rng), labels
        for _ in range(_STEPS):
            distances = ((places[:, None] - centres) ** 2).sum(axis=-1)
            found = distances.argmin(axis=1)
            moved = np.array(
                [places[found == k].mean(axis=0) if np.any(found == k) else centres[k] for k in range(len(centres))]
            )
            if np.array_equal(moved, centres):
                break
            centres = moved
        spread = float(((places - centres[found]) ** 2).sum())
        if spread < best:
            best, labels = spread, found
    return labels


def _seeds(places: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    centres = [places[rng.integers(len(places))]]
    while len(centres) < count:
        nearest = np.min([((places - centre) ** 2).sum(axis=1) for centre in centres], axis=0)
        total = nearest.sum()
        if not total > 0.0:
            break  # fewer places than clusters
        centres.append(places[rng.choice(len(places), p=nearest / total)])
    return np.array(centres)


def _limited(
    left: np.ndarray, inside_rows: np.ndarray, inside_columns: np.ndarray, rows: int, columns: int
) -> Cluster | None:
    """Return a cluster that keeps the lines with most connections inside; None: no connection is left."""
    for _ in range(3):  # a line that is dropped takes connections from those across it
        inside = left[np.ix_(inside_rows, inside_columns)]
        inside_rows = _busiest(inside_rows, inside.sum(axis=1), rows)
        inside = left[np.ix_(inside_rows, inside_columns)]
        inside_columns = _busiest(inside_columns, inside.sum(axis=0), columns)
    connected = left[np.ix_(inside_rows, inside_columns)]
    return Cluster(inside_rows, inside_columns, connected) if connected.any() else None


def _busiest(lines: np.ndarray, counts: np.ndarray, most: int) -> np.ndarray:
    """Return the `most` lines with most connections, of those that have any, in order."""
    order = np.argsort(-counts, kind="stable")[: min(most, int(np.count_nonzero(counts)))]
    return np.sort(lines[order])


def _discrete(left: np.ndarray, rows: int, columns: int) -> Iterator[Cluster]:
    """Yield the connections that are left by the line, row or column, that has most of them, until none is left."""
    left = left.copy()
    while left.any():
        of_rows, of_columns = left.sum(axis=1), left.sum(axis=0)
        if of_columns.max() >= of_rows.max():
            lines = np.flatnonzero(left[:, of_columns.argmax()])[:rows], np.array([of_columns.argmax()])
        else:
            lines = np.array([of_rows.argmax()]), np.flatnonzero(left[of_rows.argmax()])[:columns]
        place = np.ix_(*lines)
        yield Cluster(*lines, connected=left[place].copy(), discrete=True)
        left[place] = False
