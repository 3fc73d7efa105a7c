"""The state of a training after its last whole epoch, in a file beside the run file.

An epoch draws from generators of its own seed, so that state and history are all that a resumed training needs: its
numbers are those of an uninterrupted one, bit for bit. What stands in the file: the differences from the initial state
(`tree`), the reports so far, and what the training was: experiment, tables, version of the kit.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rramkit import hdf5
from rramkit.errors import InputError

FORMAT = "rramkit checkpoint"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Checkpoint:
    """Epochs done, changed arrays by their path, and the history (E+1, ...) by name."""

    epochs: int
    state: dict[str, np.ndarray]
    history: dict[str, np.ndarray]


def path_of(run: Path) -> Path:
    """Return the checkpoint's path for a run file."""
    return run.with_name(f".{run.stem}.checkpoint{run.suffix}")


def save(checkpoint: Checkpoint, path: Path, *, identity: str) -> None:
    """Write the checkpoint whole; `identity` says which training it belongs to."""
    with hdf5.new_file(path) as root:
        root.attrs["format"] = FORMAT
        root.attrs["format_version"] = FORMAT_VERSION
        hdf5.write(root, "identity", np.frombuffer(identity.encode(), np.uint8), "1")
        hdf5.write(root, "epochs", checkpoint.epochs, "1")
        for name, arrays in (("state", checkpoint.state), ("history", checkpoint.history)):
            group, paths = root.create_group(name), sorted(arrays)
            hdf5.write(group, "paths", np.frombuffer(json.dumps(paths).encode(), np.uint8), "1")
            for index, key in enumerate(paths):
                hdf5.write(group, str(index), arrays[key], "1")


def load(path: Path, *, identity: str) -> Checkpoint | None:
    """Return the checkpoint at `path`, or None when there is none.

    Raises
    ------
    InputError
        When it belongs to another training.
    TableError
        When it is damaged.
    """
    if not path.exists():
        return None
    with hdf5.open_file(path, kind=FORMAT) as root:
        if hdf5.read(root, "identity").tobytes().decode() != identity:
            raise InputError(
                f"{path}: an unfinished training with other settings, tables or kit. Finish it with the command that "
                "began it, remove the file, or name another output."
            )
        found = []
        for name in ("state", "history"):
            group = hdf5.subgroup(root, name)
            paths = json.loads(hdf5.read(group, "paths").tobytes())
            found.append({key: hdf5.read(group, str(index)) for index, key in enumerate(paths)})
        return Checkpoint(round(hdf5.scalar(root, "epochs")), *found)
