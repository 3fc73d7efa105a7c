"""What a training did to its arrays, counted: reads and writes of each matrix, epoch by epoch.

Layout, in the run file's group `counts`::

    images, batches    (E+1,)                inputs trained on, and batches of them, in each epoch
    reads_X            (E+1, M, 2)           by matrix and direction, forward and backward; X one of `READS`
    writes_X           (E+1, M)              by matrix; X one of `WRITES`

Epoch 0 is the initial programming: it has writes alone. A training by reinforcement has one row for the initial
programming and one for all that follows. Reads that evaluate the network are not counted: they are none of the
training's. Files of kits before this one have no such group.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rramkit import hdf5
from rramkit.record import check

READS: Mapping[str, str] = {
    "vectors": "1",
    "conversions": "1",
    "energy": "J",
    "e_drivers": "J",
    "e_sensing": "J",
    "seconds": "s",
    "whole_conversions": "1",
}
"""What is counted of reads, with its unit: vectors multiplied, currents sensed, energy, its parts, and time; the
currents sensed once more, a conversion in fewer bits than the converter has as that part of one."""

_PARTS = ("whole_conversions",)  # no whole numbers
_OF_OLD = {"whole_conversions": "conversions"}  # what stands in files of kits that did not count it

WRITES: Mapping[str, str] = {
    "pulses_set": "1",
    "pulses_reset": "1",
    "reads": "1",
    "energy": "J",
    "energy_reads": "J",
    "seconds": "s",
    "seconds_reads": "s",
}
"""What is counted of writes: pulses, cells read to be written, energy and time, and the part of those reads in each."""


@dataclass(frozen=True)
class Counts:
    """Counts of one training.

    Attributes
    ----------
    images, batches : ndarray
        Inputs trained on and batches in each epoch (E+1,).
    reads : mapping
        Of `READS`, by matrix and direction (E+1, M, 2).
    writes : mapping
        Of `WRITES`, by matrix (E+1, M).
    """

    images: np.ndarray
    batches: np.ndarray
    reads: Mapping[str, np.ndarray]
    writes: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, images: np.ndarray, batches: np.ndarray, reads: np.ndarray, writes: np.ndarray) -> "Counts":
        """Return counts from arrays (E+1, M, 2, len(READS)) and (E+1, M, len(WRITES)), as a log holds them."""
        return cls(
            np.asarray(images),
            np.asarray(batches),
            {name: reads[..., k] for k, name in enumerate(READS)},
            {name: writes[..., k] for k, name in enumerate(WRITES)},
        )

    @property
    def matrices(self) -> int:
        """Number of matrices."""
        return int(self.reads["vectors"].shape[1])


def write(root: hdf5.Group, counts: Counts) -> None:
    """Write the group `counts`."""
    group = root.create_group("counts")
    hdf5.write(group, "images", counts.images, "1", "inputs trained on")
    hdf5.write(group, "batches", counts.batches, "1")
    for name, unit in READS.items():
        hdf5.write(group, f"reads_{name}", counts.reads[name], unit, "by epoch, matrix, direction")
    for name, unit in WRITES.items():
        hdf5.write(group, f"writes_{name}", counts.writes[name], unit, "by epoch, matrix")


def read(root: hdf5.Group, path: Path) -> Counts | None:
    """Read the group `counts`; None in files of kits that did not count.

    Raises
    ------
    TableError
        When an array has another shape, or holds what no training can count.
    """
    if "counts" not in root:
        return None
    group = hdf5.subgroup(root, "counts")
    images, batches = (hdf5.read(group, name) for name in ("images", "batches"))
    reads = {name: hdf5.read(group, f"reads_{_stored(group, name)}") for name in READS}
    writes = {name: hdf5.read(group, f"writes_{name}") for name in WRITES}
    shape = reads["vectors"].shape
    fits = len(shape) == 3 and shape[2] == 2 and images.shape == batches.shape == shape[:1]
    fits &= all(each.shape == shape for each in reads.values())
    if not (fits and all(each.shape == shape[:2] for each in writes.values())):
        check.refuse(path, "`counts` holds arrays whose shapes do not fit each other")
    for names, arrays in ((READS, reads), (WRITES, writes)):
        for name, unit in names.items():
            bound = check.counts if unit == "1" and name not in _PARTS else _not_negative
            bound(path, {f"counts/{name}": arrays[name]})
    check.counts(path, {"counts/images": images, "counts/batches": batches})
    return Counts(images, batches, reads, writes)


def _stored(group: hdf5.Group, name: str) -> str:
    """Return the name under which a file holds a count."""
    return name if f"reads_{name}" in group else _OF_OLD.get(name, name)


def _not_negative(path: Path, values: Mapping[str, np.ndarray]) -> None:
    check.numbers(path, values, low=0.0)
