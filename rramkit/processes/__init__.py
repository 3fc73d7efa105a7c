"""Worker processes and Dask clusters, of characterisations, sweeps and ablations."""

from rramkit.processes.executor import DaskCluster, Executor, Processes

__all__ = ["DaskCluster", "Executor", "Processes"]
