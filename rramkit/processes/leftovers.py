"""Leftovers of a process that ends early: its workers, which would run on, and its temporary folders.

What starts a worker or makes a temporary folder notes it here, and takes it off the list when it has ended it itself.
The command line clears the list at its own end, a second Ctrl-C included: then no `finally` runs.
"""

import shutil
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Event

_JOIN_SECONDS = 1.0  # wall clock, for a killed process to be gone: its folder is removed after that
_workers: set[BaseProcess] = set()
_folders: set[Path] = set()
_ending = Event()


def note_worker(process: BaseProcess) -> None:
    """Note a worker that was started."""
    _workers.add(process)


def forget_worker(process: BaseProcess) -> None:
    """Take a worker off the list: it has ended."""
    _workers.discard(process)


def note_folder(folder: Path) -> None:
    """Note a temporary folder that was made."""
    _folders.add(folder)


def forget_folder(folder: Path) -> None:
    """Take a folder off the list: it is removed."""
    _folders.discard(folder)


def ending() -> bool:
    """Return whether this process ends: then a worker that is killed has no successor."""
    return _ending.is_set()


def clear() -> None:
    """Kill the workers and remove the folders on the list, at the end of this process; what refuses is left."""
    _ending.set()
    workers, folders = list(_workers), list(_folders)
    for process in workers:
        with suppress(Exception):
            process.kill()
    for process in workers:
        with suppress(Exception):
            process.join(_JOIN_SECONDS)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    _workers.difference_update(workers)
    _folders.difference_update(folders)
