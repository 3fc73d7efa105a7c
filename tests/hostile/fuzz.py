"""Files that were changed at random and sealed anew: what reads them says no in one line, or takes what is in bounds.

    python tests/hostile/fuzz.py FOLDER table=1500 run=1500 checkpoint=1000 points=1000 toml=2000 csv=1000 [first=0]

Of HDF5 files half have bytes flipped and half are edited as a program would: values, types, shapes, attributes, links.
Each case is made from its number alone. A case that hangs ends the process (SIGPROF); its name is in FOLDER/last. The
last line printed is a JSON object: cases, refusals, the longest processor time (s) and the largest memory (GB).
"""
# pyright: reportAttributeAccessIssue=false, reportIndexIssue=false, reportOptionalMemberAccess=false
# What h5py gives for a name may be a group, a dataset or a type: the mutations take it as it comes.

import io
import json
import random
import resource
import signal
import sqlite3
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import h5py
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from fixtures.synthetic import tables
from fixtures.synthetic_run import run
from fixtures.synthetic_tables import full_file

from rramkit import hdf5, record, table
from rramkit.characterization.design import find_design
from rramkit.characterization.engine import store
from rramkit.characterization.engine.point import Outcome
from rramkit.cli.app import run as command
from rramkit.cli.options import parameters
from rramkit.errors import KitError
from rramkit.learning import DataSet, Experiment, checkpoint
from rramkit.learning.driver import _resumed
from rramkit.learning.supervised import SupervisedTraining
from rramkit.table import TableFile, schema

ROOT = Path(__file__).parents[2]
SECONDS, GIGABYTES = 10, 2.0  # of one case; of the process
LONGEST = 20_000  # characters of a message: a setting of a TOML file is repeated whole
LONGEST_CELL = 1_000  # characters of a message about measured data: a long cell of it is cut
NUMBERS = (0.0, -0.0, 1.0, -1.0, 1e300, -1e300, 1e-300, np.nan, np.inf, -np.inf, 2.0**63, -(2.0**31), 0.5, 1e9)
TEXTS = (
    "",
    "x\ny",
    "\x1b[2J",
    "x" * 70_000,
    "{",
    "[" * 5000,
    "9" * 5000,
    "1e999",
    "NaN",
    "../../etc/passwd",
    "µ\u2028",
)
TYPES = ("f2", "f4", "f8", "i1", "i8", "u1", "u8", "c8", "S4", "?")


# Mutations ------------------------------------------------------------------------------------------------------------


def flip_bytes(path: Path, rng: random.Random) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(rng.choice([1, 1, 2, 4, 16])):
        place = rng.randrange(hdf5.SEAL_SIZE, len(content))
        content[place] = rng.choice([content[place] ^ (1 << rng.randrange(8)), 0, 255, rng.randrange(256)])
    if rng.random() < 0.05:
        del content[rng.randrange(hdf5.SEAL_SIZE, len(content)) :]
    path.write_bytes(content)


def edit(path: Path, rng: random.Random) -> None:
    with h5py.File(path, "r+") as file:
        for _ in range(rng.choice([1, 1, 1, 2, 3])):
            found: list[Any] = [file]
            file.visititems(lambda _, item, found=found: found.append(item))
            item = rng.choice(found)
            if isinstance(item, h5py.Dataset):
                rng.choice(EDITS if (item.size or 0) < 1e6 else OTHER_EDITS)(item, rng)  # no values of a huge one
            else:
                rng.choice(GROUP_EDITS)(item, rng)


def _set_numbers(item: h5py.Dataset, rng: random.Random) -> None:
    values = np.array(item[()], dtype=float)
    for _ in range(rng.choice([1, 3]) if values.size else 0):
        values.flat[rng.randrange(values.size)] = rng.choice(NUMBERS)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        item[()] = values.astype(item.dtype)


def _scale(item: h5py.Dataset, rng: random.Random) -> None:
    with np.errstate(all="ignore"):
        item[()] = (np.array(item[()], dtype=float) * rng.choice([-1.0, 1e6, 1e-6, 1e200, 0.0])).astype(item.dtype)


def _again(item: h5py.Dataset, **how: Any) -> None:
    name, parent = item.name.rpartition("/")[2], item.parent
    attributes = dict(item.attrs)
    del parent[name]
    made = parent.create_dataset(name, **how)
    for key, value in attributes.items():
        if key in ("units", "labels", "log", "valid_range", "reasons"):
            made.attrs[key] = value


def _retype(item: h5py.Dataset, rng: random.Random) -> None:
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _again(item, data=np.array(item[()]).astype(rng.choice(TYPES)))


def _reshape(item: h5py.Dataset, rng: random.Random) -> None:
    values = np.array(item[()])
    shapes = [values.ravel(), values[None], values[..., None], values.ravel()[:-1], values.ravel()[:0], values.sum()]
    _again(item, data=rng.choice(shapes))


def _huge(item: h5py.Dataset, rng: random.Random) -> None:
    shape = rng.choice([(10**12,), (10**6, 10**6), (2**31,), (3 * 10**8,)])
    _again(item, shape=shape, dtype=rng.choice(["f8", "u1"]), chunks=tuple(min(n, 1000) for n in shape))


def _text(item: h5py.Dataset, rng: random.Random) -> None:
    _again(item, data=np.array(rng.choice(TEXTS).encode() or b" "))


def _elsewhere(item: h5py.Dataset, rng: random.Random) -> None:
    shape = item.shape or (1,)
    if rng.random() < 0.5:
        _again(item, shape=shape, dtype=item.dtype, external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)])
        return
    layout = h5py.VirtualLayout(shape=shape, dtype=item.dtype)
    layout[...] = h5py.VirtualSource("/etc/hostname", "x", shape=shape)
    name, parent = item.name.rpartition("/")[2], item.parent
    del parent[name]
    parent.create_virtual_dataset(name, layout)


def _attribute(item: Any, rng: random.Random) -> None:
    key = rng.choice([*item.attrs, "new"])
    if rng.random() < 0.3:
        item.attrs.pop(key, None)
        return
    value: Any = rng.choice([*NUMBERS, *(text for text in TEXTS if len(text) < 60_000), -7, 10**9, True])
    item.attrs[key] = [value] * 3 if rng.random() < 0.2 else value


def _rename(item: Any, rng: random.Random) -> None:
    if item.name != "/":
        name = rng.choice(["x", "x\ny", "y" * 1000, "\x1b", "read", "set"])
        parent, old = item.parent, item.name.rpartition("/")[2]
        if name not in parent:
            parent.move(old, name)


def _delete(item: Any, _rng: random.Random) -> None:
    if item.name != "/":
        del item.parent[item.name.rpartition("/")[2]]


def _link(item: Any, rng: random.Random) -> None:
    group, name = (item, "linked") if isinstance(item, h5py.Group) else (item.parent, item.name.rpartition("/")[2])
    if name in group:
        del group[name]
    group[name] = rng.choice([h5py.ExternalLink("/etc/hostname", "/x"), h5py.SoftLink("/nowhere"), group])


EDITS = (_set_numbers, _set_numbers, _set_numbers, _scale, _retype, _reshape, _huge, _text, _elsewhere)
OTHER_EDITS = (_attribute, _rename, _delete, _link)
EDITS = (*EDITS, *OTHER_EDITS)
GROUP_EDITS = (_attribute, _attribute, _rename, _delete, _link)


# What may be accepted -------------------------------------------------------------------------------------------------


def table_is_sound(file: TableFile) -> None:
    """Whether every column of the kit is finite where it is not masked, in its unit and its bounds."""
    for name, each in file.items():
        columns = schema.GROUPS[name].columns if name in schema.GROUPS else {}
        for column in each:
            values = each[column].values
            values = values[~each.masked(column)] if column in each.signals else values
            assert np.all(np.isfinite(values)), (name, column)
            if column in columns:
                assert each[column].unit == columns[column].unit
                assert np.all((values >= columns[column].low) & (values <= columns[column].high)), (name, column)
        for axis in each.axes.values():
            assert axis.values.size and np.all(np.diff(axis.values) > 0)
        assert all(signal.values.shape == each.shape for signal in each.signals.values())
        if name in schema.WRITES and each.signals["delta_g"].values.size:
            change = each.signals["delta_g"].values[~each.masked("delta_g")] * (1.0 if name == "set" else -1.0)
            assert not change.size or change.min() >= -0.011 * max(change.max(), 0.0)


def run_is_sound(found: record.Run) -> None:
    epochs = found.epochs
    assert 0.0 <= found.accuracy <= 1.0 and not (found.float_accuracy > 1.0 or found.float_accuracy < 0.0)
    for name in ("pulses_set", "pulses_reset", "reads", "clamped"):
        assert np.all(getattr(epochs, name) >= 0) and not np.any(getattr(epochs, name) % 1)
    for name in ("loss", "energy_write", "time_write", "energy_read"):
        assert np.all(np.isfinite(getattr(epochs, name))) and np.all(getattr(epochs, name) >= 0.0)
    assert np.all((epochs.accuracy_train >= 0.0) & (epochs.accuracy_train <= 1.0))
    assert all(np.all(np.isfinite(layer.g_final)) and layer.pulses.min() >= 0 for layer in found.layers)
    assert found.confusion.min() >= 0


# Kinds of files -------------------------------------------------------------------------------------------------------


class Hdf5Cases:
    """Files of one kind, half with flipped bytes, half edited; all sealed anew."""

    def __init__(self, folder: Path, name: str, save: Callable[[Path], object], use: Callable[[Path], object]) -> None:
        self.path, self.use = folder / f"{name}.h5", use
        save(self.path)
        self.whole = self.path.read_bytes()
        use(self.path)  # as it is, it is accepted

    def __call__(self, number: int) -> None:
        rng = random.Random(number)
        self.path.write_bytes(self.whole)
        if number % 2:
            try:
                edit(self.path, rng)
            except (OSError, ValueError, RuntimeError, TypeError, KeyError):
                return  # HDF5 itself makes no such file
        else:
            flip_bytes(self.path, rng)
        hdf5.seal(self.path)
        self.use(self.path)


def table_cases(folder: Path) -> Hdf5Cases:
    file = full_file()
    both = TableFile({**tables().tables, **file.tables}, file.provenance)
    return Hdf5Cases(folder, "table", lambda path: table.save(both, path), lambda p: table_is_sound(table.load(p)))


def run_cases(folder: Path) -> Hdf5Cases:
    return Hdf5Cases(folder, "run", lambda path: record.save(run(), path), lambda p: run_is_sound(record.load(p)))


def checkpoint_cases(folder: Path) -> Hdf5Cases:
    rng = np.random.default_rng(0)
    data = DataSet(rng.random((40, 4)), np.arange(40) % 2, rng.random((8, 4)), np.arange(8) % 2)
    settings = {"network": {"hidden": [3]}, "epochs": 2, "mapping": {"wires": False}, "float_reference": False}
    experiment = Experiment.checked({**settings, "data": {"validation": 0.0}}, where="the test")
    training = SupervisedTraining(experiment, experiment.chip.tables(tables()), data)
    for _ in range(2):
        training.advance()
    reached = training.checkpoint(1.0)

    def use(path: Path) -> None:
        found = checkpoint.load(path, identity=training.identity)
        assert found is not None
        _resumed(training, found, path)
        assert 0 <= training.epoch <= 2

    return Hdf5Cases(folder, "checkpoint", lambda p: checkpoint.save(reached, p, identity=training.identity), use)


def points_cases(folder: Path) -> Callable[[int], None]:
    path, keys = folder / "some.points", [bytes([k]) * 32 for k in range(12)]
    path.unlink(missing_ok=True)
    with store.Store(path) as filled:
        for k, key in enumerate(keys):
            filled.keep(key, Outcome(np.arange(6.0).reshape(2, 3)) if k % 3 else Outcome(None, "convergence", "no", 4))
    whole = path.read_bytes()
    columns = ("shape", "data", "reason", "detail", "attempt", "swept", "seconds", "answers")
    values: tuple[Any, ...] = (None, -1, 2**62, 1.5, "x", "3x3", "x" * 5000, b"", b"\xff" * 7, "-1", "9999999999", "²")

    def tamper(rng: random.Random) -> None:
        with sqlite3.connect(path) as database:
            for _ in range(rng.choice([1, 2])):
                change = f"UPDATE OR IGNORE points SET {rng.choice(columns)} = ? WHERE key = ?"
                try:
                    database.execute(change, [rng.choice(values), rng.choice(keys)])
                except sqlite3.IntegrityError:
                    continue
            if rng.random() < 0.05:
                database.execute("CREATE TRIGGER t AFTER INSERT ON points BEGIN DELETE FROM points; END")
            for row in database.execute("SELECT * FROM points").fetchall():
                database.execute("UPDATE points SET checksum = ? WHERE key = ?", [store._checksum(row[:-1]), row[0]])
        database.close()

    def case(number: int) -> None:
        rng = random.Random(number)
        path.write_bytes(whole)
        path.with_name("some.points-journal").unlink(missing_ok=True)
        if number % 2:
            tamper(rng)
        else:
            content = bytearray(whole)
            for _ in range(rng.choice([1, 4, 16])):
                content[rng.randrange(len(content))] = rng.randrange(256)
            path.write_bytes(content)
        with store.Store(path) as opened:
            len(opened)
            for key in keys:
                found = opened.find(key)
                if found is not None and found.values is not None:
                    assert found.values.dtype == np.float64 and found.reason is None

    return case


WEIRD = (
    *("nan", "inf", "-inf", "-1", "0", "1e999", "9" * 400, "9" * 5000, "-9223372036854775808", "9223372036854775807"),
    *("[" * 40 + "]" * 40, "[" * 3000, "{ a = " * 40 + "1" + " }" * 40, "true", '""', '"x"', "1979-05-27T07:32:00Z"),
    *('"' + "x" * 20_000 + '"', "[1, 'x', 2.5]", "[[1.0]]", "{}", "{ kind = 'x' }", '"\\u001b[2J"', "'''\nx\n'''"),
)


def toml_cases(folder: Path) -> Callable[[int], None]:
    experiments = sorted((ROOT / "examples/experiments").glob("*.toml"))
    plans = sorted((ROOT / "characterization/plans").glob("*.toml"))

    for source in experiments:
        parameters(Experiment, source, None)  # as they are, they are accepted
    for source in plans:
        find_design(str(source))

    def case(number: int) -> None:
        rng = random.Random(number)
        source = rng.choice(experiments if number % 2 else plans)
        lines = source.read_text().splitlines()
        for _ in range(rng.choice([1, 1, 2, 4])):
            at = rng.randrange(len(lines))
            key, equals, _ = lines[at].partition("=")
            lines[at : at + 1] = rng.choice(
                [
                    [f"{key}= {rng.choice(WEIRD)}" if equals else lines[at]],
                    [f"{key}= {rng.choice(WEIRD)}" if equals else lines[at]],
                    [lines[at], lines[at]],
                    [],
                    [lines[at], f"{'k' * rng.choice([3, 300, 100_000])} = 1"],
                    [lines[at], f"{'.'.join('ab' * rng.choice([2, 20, 20_000]))} = 1"],
                    [lines[at], f"[{'.'.join('ab' * rng.choice([2, 40]))}]"],
                    [lines[at], '"a\\nb" = 1'],
                    [lines[at][: rng.randrange(len(lines[at]) + 1)]],
                    [lines[at], rng.choice(["blocks = ['case.toml']", "base = 'case.toml'", "\0", "= 1", "[[x]]"])],
                ]
            )
        path = folder / "case.toml"
        content = "\n".join(lines).encode()
        if rng.random() < 0.1:
            content = content.replace(b"e", bytes([rng.randrange(256)]), 2)
        path.write_bytes(content)
        if number % 2:
            json.dumps(parameters(Experiment, path, None).model_dump(mode="json"), allow_nan=False)
        else:
            find_design(str(path))

    return case


def csv_cases(folder: Path) -> Callable[[int], None]:
    path, made = folder / "case.csv", str(folder / "made.h5")
    up = [f"set,{4 + k:.2f}" for k in range(12)]
    rows = ["polarity,g_cell (uS)", *up, *(f"reset,{16 - k:.2f}" for k in range(12))]
    cells = ("nan", "inf", "-5", "", "x", '"', "0", "1,5", "1;2", "²", "=1+1", "9" * 5000, "1e999", "\x1b[2J")
    cells += ("1e300", "1e29", "x" * 5000, f"({'u' * 5000})")

    def case(number: int) -> None:
        rng, lines = random.Random(number), list(rows)
        for _ in range(rng.choice([1, 2, 6])):
            at = rng.randrange(len(lines))
            cell = rng.choice(cells)
            lines[at] = rng.choice([cell, f"{cell},{cell}", f"set,{cell}", lines[at] + cell, "", f"{cell},4.0"])
        content = "\n".join(lines).encode(rng.choice(["utf-8", "utf-8", "utf-16", "utf-8-sig"]))
        if rng.random() < 0.2:
            content = content[: rng.randrange(len(content))] + bytes(rng.randrange(256) for _ in range(8))
        path.write_bytes(content)
        with redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)  # a number that overflows is refused, not computed with
            try:
                code = command(["import", str(path), "-o", made, "--json"])
            except KitError as error:
                assert len(str(error)) <= LONGEST_CELL, f"csv {number}: {len(str(error))} characters"
                raise
        if code == 0:
            table_is_sound(table.load(made))

    return case


KINDS = {
    "table": table_cases,
    "run": run_cases,
    "checkpoint": checkpoint_cases,
    "points": points_cases,
    "toml": toml_cases,
    "csv": csv_cases,
}


def fuzz(folder: Path, kind: str, numbers: range) -> dict[str, float]:
    """Run the cases of one kind; return how many, how many were refused, and the longest processor time (s)."""
    case, refused, longest = KINDS[kind](folder), 0, 0.0
    for number in numbers:
        (folder / "last").write_text(f"{kind} {number}")
        start = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, SECONDS)  # of the processor: other work may share the machine
        try:
            case(number)
        except KitError as error:
            refused += 1
            assert len(str(error).splitlines()) == 1, f"{kind} {number}: {error!r}"
            assert len(str(error)) < LONGEST, f"{kind} {number}: {len(str(error))} characters"
        except Exception as error:
            raise AssertionError(f"{kind} {number}: {type(error).__name__}: {str(error)[:300]}") from error
        signal.setitimer(signal.ITIMER_PROF, 0)
        longest = max(longest, time.process_time() - start)
    return {"cases": len(numbers), "refused": refused, "longest": round(longest, 2)}


def main(folder: Path, wanted: dict[str, int]) -> None:
    """Run the cases and print the outcome."""
    warnings.simplefilter("ignore")
    first = wanted.pop("first", 0)
    found: dict[str, Any] = {kind: fuzz(folder, kind, range(first, first + n)) for kind, n in wanted.items()}
    found["gigabytes"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2)
    assert found["gigabytes"] < GIGABYTES, found
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), {kind: int(count) for kind, count in (each.split("=") for each in sys.argv[2:])})
