"""Worker processes and Dask clusters, of characterisations, sweeps and ablations."""

from rramkit.processes.executor import DaskCluster, Executor, Processes, beside

__all__ = ["DaskCluster", "Executor", "Processes", "beside"]
