"""Characterise a design: the plans of cell, array and other components, one after the other; one table file at the end.

Finished points go into a store beside the output as they come, so that a run that was ended resumes where it stopped;
the table file appears when it is whole.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from rramkit import __version__, table
from rramkit.characterization.design import Design, check_corners, design_of, echo, libraries_of
from rramkit.characterization.engine.pool import TIMEOUT, SpicePool
from rramkit.characterization.engine.runner import Elsewhere, Executor, Report, RunCounts, Runner, Shard, silent
from rramkit.characterization.engine.store import SUFFIX, Store, check_is_store, store_of
from rramkit.characterization.engine.tables import component_tables
from rramkit.characterization.ngspice.library import find_library
from rramkit.characterization.plan import Plan
from rramkit.circuits import libraries
from rramkit.circuits.compiled_cell import CompiledCell
from rramkit.circuits.libraries import ModelFile, UserLibrary
from rramkit.errors import InputError, TableError
from rramkit.files import check_writable
from rramkit.lock import only_writer
from rramkit.table import Table, TableFile

COMPILED_CELLS = "compiled_cells"  # of the provenance


@dataclass(frozen=True)
class RunOptions:
    """Execution options of a characterisation: workers, scheduler, store of finished points, progress.

    Attributes
    ----------
    workers : int, optional
        ngspice processes of this machine; default: one for each core.
    scheduler : str, optional
        Address of a Dask scheduler, whose workers run ngspice instead.
    timeout : float
        Processor seconds after which one run is killed as hanging.
    points : Path, optional
        File of finished points; default: `store_of` the output.
    shares : tuple of Path
        Other files of finished points, or the outputs that they stand beside: theirs are copied before the run.
    report : callable
        Called for every point that ends.
    """

    workers: int | None = None
    scheduler: str | None = None
    timeout: float = TIMEOUT
    points: Path | None = None
    shares: tuple[Path, ...] = ()
    report: Report = silent

    @contextmanager
    def executor(self) -> Iterator[Executor]:
        """Yield the executor; end it with the block."""
        if self.scheduler is None:
            with SpicePool(workers=self.workers, timeout=self.timeout) as pool:
                yield pool
        else:
            from rramkit.characterization.engine.cluster import Cluster

            with Cluster(self.scheduler, timeout=self.timeout) as cluster:
                yield cluster

    @contextmanager
    def runner(self, plan: Plan | Design, path: Path, shard: Shard | None = None) -> Iterator[Runner]:
        """Yield the runner of a plan whose output is `path`; every end but a good one says how to resume."""
        check_writable(path)
        for each in design_of(plan).plans:
            check_corners(each)
        points = self.points or store_of(path)
        shares = [share if share.suffix == SUFFIX else store_of(share) for share in self.shares]
        for share in shares:  # before ngspice starts and a file is made
            check_is_store(share)
        with self.executor() as executor, only_writer(path), Store(points) as store:
            try:
                for share in shares:
                    store.take_in(share)
                design = design_of(plan)
                yield Runner(executor, self.report, design.max_failed, store, shard, design.waive)
            except BaseException as error:
                with suppress(InputError):  # a full disk: then the error is that already
                    store.flush()
                if len(store) or not isinstance(error, InputError):  # what is refused before a run keeps nothing
                    error.add_note(
                        f"{len(store)} finished points are kept in {points}; the same command resumes there."
                    )
                raise


def characterize(plan: Plan | Design, path: Path, options: RunOptions | None = None) -> TableFile:
    """Run a plan of the cell, or a whole design, in ngspice; write the table file and return it.

    Parameters
    ----------
    plan : Plan or Design
        Components, parameters and grids; `find_design` and `read_design` give those of the kit and of a TOML file.
    path : Path
        Table file to write; points that are finished stand beside it until then, and a later call resumes with them.
    options : RunOptions, optional
        Workers, scheduler, progress; left out, one ngspice process for each core.

    Returns
    -------
    TableFile
        The tables, with plan, models, simulator, counts and times as their provenance.

    Raises
    ------
    SimulationError
        When too many points fail. No table is then written.
    InputError, SetupError
        When `path` cannot be written, another run is writing it, or there is no ngspice.

    Examples
    --------
    >>> from rramkit.characterization.design import find_design
    >>> tables = characterize(find_design("wires"), Path("tables.h5"))  # doctest: +SKIP
    """
    started, tables = perf_counter(), {}
    with (options or RunOptions()).runner(plan, path) as runner:
        for each in design_of(plan).plans:
            tables |= component_tables(runner, each, tables)
        provenance = inputs(plan, runner.executor.simulator) | _compiled_cells(plan)
        provenance |= _counts(runner.tally, perf_counter() - started)
        result = TableFile(tables, provenance)
        table.save(result, path)
    return result


def characterize_share(plan: Plan | Design, path: Path, shard: Shard, options: RunOptions | None = None) -> RunCounts:
    """Run one share of the plan's points into the store of `path`; `rramkit merge` makes the tables of all shares."""
    tables: dict[str, Table] = {}
    with (options or RunOptions()).runner(plan, path, shard) as runner:
        for each in design_of(plan).plans:
            with suppress(Elsewhere):
                tables |= component_tables(runner, each, tables)
    return runner.tally


def inputs(plan: Plan | Design, simulator: str) -> dict[str, str]:
    """Return the part of the provenance that decides the numbers: same inputs, same table."""
    design = design_of(plan)
    used = {library for each in design.plans for library in libraries_of(each)}
    return echo(design) | {
        "models": json.dumps(_hashes(used), sort_keys=True),
        "simulator": simulator,
        "kit_version": __version__,
    }


def _hashes(used: set[ModelFile]) -> dict[str, str]:
    """Return the hash of each library by its name; the folder stands before it where two files have one name.

    Beside a compiled cell stands the behavioural library that it equals: who has no compiler checks against that.
    """
    used = used | {each.behavioural for each in used if isinstance(each, CompiledCell)}
    names = [str(each) for each in used]
    return {
        f"{Path(each.path).parent.name}/{each}"
        if isinstance(each, UserLibrary) and names.count(str(each)) > 1
        else str(each): libraries.sha256(each)
        for each in used
    }


def _compiled_cells(plan: Plan | Design) -> dict[str, str]:
    """Return which cells ran compiled: text, its hash, the compiler, and the hash of the file that ngspice loaded.

    No entry: none did. That file is of one kind of machine, so it decides no reuse; the text's hash does (`models`).
    """
    used = {library for each in design_of(plan).plans for library in libraries_of(each)}
    cells = [model for each in used if isinstance(each, CompiledCell) for model in each.compact_models]
    loaded = {
        Path(model.path).name: {
            "text": model.sha256,
            "compiler": model.compiler,
            "loaded": hashlib.sha256(Path(model.file).read_bytes()).hexdigest(),
        }
        for model in cells
    }
    return {COMPILED_CELLS: json.dumps(loaded, sort_keys=True)} if loaded else {}


def reusable(plan: Plan | Design, path: Path) -> TableFile | None:
    """Return the table file at `path` when the same inputs made it; None when it must be characterised."""
    try:
        finished = table.load(path)
    except TableError:
        return None
    wanted = inputs(plan, find_library().simulator)
    return finished if all(finished.provenance.get(name) == text for name, text in wanted.items()) else None


def _counts(tally: RunCounts, seconds: float) -> dict[str, str]:
    """Return the counts of the provenance; `spice_seconds` sums the wall-clock times of all ngspice runs."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "spice_runs": str(tally.runs),
        "spice_points": str(tally.swept_points),
        "spice_reused": str(tally.reused),
        "spice_retried": str(tally.retried),
        "spice_alone": str(tally.alone),
        "spice_failed": str(tally.failed),
        "spice_seconds": f"{tally.seconds:.3f}",
        "characterize_seconds": f"{seconds:.3f}",
    }
