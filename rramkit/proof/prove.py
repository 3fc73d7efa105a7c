"""Proof of a trained run: whole images, drawn at random, layer by layer through ngspice, against the tables.

Every matrix product of the network is read by ngspice (`spice_tile`); digital layers are as in training. The decision
for each image is compared with that of the same network read through its tables, noise off in both: what is compared
is the composition of the tables, not a draw of noise.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rramkit.array.mapped_matrix import MappedMatrix
from rramkit.array.mapping import BitSerial, Sei
from rramkit.array.matrix import Matrix
from rramkit.array.tile import Tile
from rramkit.array.tile_grid import TileGrid
from rramkit.characterization.design import plans_of, waived_by
from rramkit.characterization.engine.runner import Runner
from rramkit.characterization.engine.store import SUFFIX, Store
from rramkit.characterization.run import RunOptions
from rramkit.circuits.compiled_cell import CellUsed, Form
from rramkit.errors import InputError
from rramkit.learning.data import DataSet
from rramkit.learning.experiment import Experiment
from rramkit.learning.train import DataLike, data_of, data_set, restored
from rramkit.learning.trained import TrainedNetwork
from rramkit.lock import only_writer
from rramkit.proof.agreement import Agreement
from rramkit.proof.spice_tile import ArrayCircuits, SpiceSolver, SpiceTile, quiet
from rramkit.record import Run
from rramkit.record.network import tables_of


@dataclass(frozen=True)
class Proof:
    """Outcome of a proof.

    Attributes
    ----------
    agreement : Agreement
        Decisions of ngspice and of the tables, and the true classes.
    images : ndarray of int
        Which of the test images (N,).
    scores_spice, scores_tile : ndarray
        Scores (N, classes).
    differences : ndarray
        Of every array output, ngspice less tile, in steps of the ADC (M,).
    runs : int
        Runs of ngspice.
    seconds : float
        Wall-clock seconds in ngspice, summed over its processes.
    retried : int
        Runs with a result that is not of the first attempt.
    cell : CellUsed
        The text of the arrays' cells, and whether it was compiled.
    """

    agreement: Agreement
    images: np.ndarray
    scores_spice: np.ndarray
    scores_tile: np.ndarray
    differences: np.ndarray
    cell: CellUsed
    runs: int
    seconds: float
    retried: int = 0


def prove(
    run: Run,
    images: int,
    store: Path,
    *,
    seed: int = 1,
    data: DataLike | None = None,
    options: RunOptions | None = None,
    compiled_cells: Form = "auto",
) -> Proof:
    """Decide test images through ngspice and through the tables.

    Parameters
    ----------
    run : Run
        A trained run whose arrays are read through the circuits of a table file.
    images : int
        Test images, drawn at random without replacement.
    store : Path
        File of finished runs of ngspice: the same call resumes there.
    seed : int
        Draws the images.
    data : DataSet or tuple of arrays, optional
        The run's data, where its experiment does not name them.
    options : RunOptions, optional
        Workers, scheduler and progress.
    compiled_cells : {"auto", "never", "always"}
        Whether the arrays' cells are compiled Verilog-A; auto: where they can be.

    Returns
    -------
    Proof
        Decisions, scores and differences.

    Raises
    ------
    InputError
        When there are not so many test images, they are not those of the run, the run does not read through circuits,
        or its cells must be compiled and have no compiled form.
    TableError
        When the tables of the run were not made from SPICE.
    SimulationError
        When a run of ngspice fails.
    """
    stored = run.stored_network
    if stored is None:
        raise InputError("the run must hold its network and tables; it does not. Train again with this version.")
    if run.errors:
        raise InputError("the run must be of classes: decisions are compared; it has targets. Prove another run.")
    network, tables = restored(run.settings, stored), tables_of(stored.tables)
    experiment = Experiment.checked(dict(run.settings), where="the run file")
    chosen, x, truth = _images(data_of(run, experiment) if data is None else data_set(data, experiment), images, seed)
    with _runner(store, options or RunOptions(), waived_by(plans_of(tables.provenance))) as runner:
        circuits = ArrayCircuits.of(tables, runner, compiled_cells=compiled_cells)
        solver = SpiceSolver(circuits, runner)
        scores_spice = _with_tiles(network, lambda tile: SpiceTile.like(tile, solver)).scores(x)
        scores_tile = _with_tiles(network, quiet).scores(x)
        agreement = Agreement(np.argmax(scores_spice, axis=1), np.argmax(scores_tile, axis=1), truth)
        differences = solver.comparison.differences
        tally = runner.tally
        return Proof(
            *(agreement, chosen, scores_spice, scores_tile, differences, circuits.cell),
            *(tally.runs, tally.seconds, tally.retried),
        )


def store_path(run: Path) -> Path:
    """Return the file of finished runs beside a run file."""
    return run.with_name(f"{run.stem}_proof{SUFFIX}")


@contextmanager
def _runner(path: Path, options: RunOptions, waive: tuple[str, ...]) -> Iterator[Runner]:
    """Yield where decks run, with the store at `path`."""
    with options.executor() as executor, only_writer(path), Store(path) as store:
        yield Runner(executor, options.report, 0.0, store, waive=waive)


def _images(data: DataSet, count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return indices (N,), inputs and classes (N,) of test images drawn at random."""
    total = len(data.y_test)
    if not 1 <= count <= total:
        raise InputError(f"`images` must be 1 to {total}, the test images of {data.name}; got {count}. Pass fewer.")
    chosen = np.sort(np.random.default_rng(seed).permutation(total)[:count])
    return chosen, data.x_test[chosen], np.asarray(data.y_test)[chosen]


def _with_tiles(network: TrainedNetwork, change: Callable[[Tile], Tile]) -> TrainedNetwork:
    """Return the network with every tile changed."""
    matrices = tuple(_with_tile(matrix, change) for matrix in network.params.matrices)
    return replace(network, params=replace(network.params, matrices=matrices))


def _with_tile(matrix: Matrix, change: Callable[[Tile], Tile]) -> Matrix:
    if not isinstance(matrix, MappedMatrix):
        raise InputError(
            "the run's matrices must be in RRAM, without copies, moved rows or corrections; got "
            f"{type(matrix).__name__}. Prove a run of such a network."
        )
    if isinstance(matrix.mapping, BitSerial | Sei):
        raise InputError(
            "the run's matrices must be read in whole vectors of input voltages, each output converted; got the "
            f"mapping {type(matrix.mapping).__name__}. Prove a run with another mapping."
        )
    tile = matrix.tile
    changed = replace(tile, tiles=change(tile.tiles)) if isinstance(tile, TileGrid) else change(tile)
    return replace(matrix, tile=changed)
