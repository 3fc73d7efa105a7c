"""With what a plan runs: processes of this machine or a cluster, and the file of finished points."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from rramkit.characterization.design import Design, design_of
from rramkit.characterization.engine.pool import TIMEOUT, SpicePool
from rramkit.characterization.engine.progress import Report, silent
from rramkit.characterization.engine.runner import Executor, Runner
from rramkit.characterization.engine.shard import Shard
from rramkit.characterization.engine.store import SUFFIX, Store, store_of
from rramkit.characterization.plan import Plan
from rramkit.errors import InputError
from rramkit.files import check_writable
from rramkit.lock import only_writer


@dataclass(frozen=True)
class RunOptions:
    """Where a plan runs, and who is told.

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
        Is told of every point that ends.
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
    def bench(self, plan: Plan | Design, path: Path, shard: Shard | None = None) -> Iterator[Runner]:
        """Yield the bench of a plan whose output is `path`; say of every end but a good one how to go on."""
        check_writable(path)
        points = self.points or store_of(path)
        with self.executor() as executor, only_writer(path), Store(points) as store:
            try:
                for share in self.shares:
                    store.take_in(share if share.suffix == SUFFIX else store_of(share))
                yield Runner(executor, self.report, design_of(plan).max_failed, store, shard)
            except BaseException as error:
                with suppress(InputError):  # a full disk: then the error is that already
                    store.flush()
                error.add_note(f"{len(store)} finished points are kept in {points}; the same command goes on there.")
                raise
