"""Finished points in a file: a run that was killed goes on where it stopped, and another plan reuses what it shares.

One SQLite database; a row for each point, under the hash of what it is (`content`), its numbers as exact bytes, and a
checksum over the whole row. Rows are written in transactions a fraction of a second apart: whatever ends the process
loses no more than that, and never leaves half a row. Failures that would come again are kept too: they are results.
"""

import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import inf, prod
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self, cast

import numpy as np

from rramkit.characterization.engine.point import Outcome
from rramkit.errors import InputError, file_meant, one_line

SUFFIX = ".points"
FLUSH_SECONDS = 0.25  # between transactions: each waits for the disk
BUSY_SECONDS = 600  # wall clock, while another run writes its own points into the same file
_MAGIC = b"SQLite format 3\0"
_APPLICATION = 0x7272616D  # "rram"
_VERSION = 1
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS points (key BLOB PRIMARY KEY, shape TEXT NOT NULL, data BLOB NOT NULL, reason TEXT, "
    "detail TEXT NOT NULL, attempt INTEGER NOT NULL, swept INTEGER NOT NULL, seconds REAL NOT NULL, "
    "answers INTEGER NOT NULL, checksum INTEGER NOT NULL) WITHOUT ROWID"
)

_LARGEST = 2**26  # bytes of one row: a point of the kit has some hundred
_LONGEST = 2**20  # characters of its texts

_Row = tuple[bytes, str, bytes, str | None, str, int, int, float, int, int]
_COLUMNS = (bytes, str, bytes, str | None, str, int, int, float, int, int)


class Store:
    """The finished points of a file, which is made when it is missing; use it in a `with` block.

    Attributes
    ----------
    damaged : int
        Rows whose checksum did not fit: they count as not there, and are run again.

    Raises
    ------
    InputError
        When the file is not a store, is damaged in its structure, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged = 0
        self._new: dict[bytes, _Row] = {}
        self._flushed = monotonic()
        with self._in_kit_terms():
            self._database = sqlite3.connect(path, timeout=1.0, isolation_level=None)
            self._database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST)
            try:
                self._open()
            except BaseException:
                self._database.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self.flush()
        except InputError:
            if error is None:  # else the block's own error says it
                raise
        finally:
            self._database.close()

    def __len__(self) -> int:
        """Return how many points are in the file."""
        with self._in_kit_terms():
            among = "typeof(answers) = 'integer' AND answers BETWEEN 0 AND ?"  # what else stands there is damage
            return int(self._execute(f"SELECT total(answers) FROM points WHERE {among}", [_LARGEST]).fetchone()[0])

    @property
    def size(self) -> int:
        """Return the size of the file in bytes."""
        return self.path.stat().st_size

    def find(self, key: bytes) -> Outcome | None:
        """Return what became of a point; None when it is not there or its row is damaged."""
        row = self._new.get(key)
        if row is None:
            with self._in_kit_terms():
                row = self._execute("SELECT * FROM points WHERE key = ?", [key]).fetchone()
        if row is None:
            return None
        outcome = _outcome(row)
        self.damaged += outcome is None
        return outcome

    def keep(self, key: bytes, outcome: Outcome, *, answers: int = 1) -> None:
        """Keep what became of a run that answers so many points; it is on the disk after the next flush."""
        self._new[key] = _row(key, outcome, answers)
        if monotonic() - self._flushed > FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what was kept since the last time, all or nothing."""
        if self._new:
            self._write(self._new.values())
            self._new.clear()
        self._flushed = monotonic()

    def take_in(self, other: Path) -> int:
        """Copy the points of another store's file; return how many there were. Its damaged rows stay behind."""
        check_is_store(other)
        with Store(other) as source, source._in_kit_terms():
            rows = [row for row in source._execute("SELECT * FROM points") if _outcome(row) is not None]
        self._write(rows)
        return len(rows)

    def _write(self, rows: Iterable[_Row]) -> None:
        with self._in_kit_terms():
            self._execute("BEGIN IMMEDIATE")
            try:
                self._database.executemany("INSERT OR REPLACE INTO points VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
                self._execute("COMMIT")
            except BaseException:  # Ctrl-C too
                if self._database.in_transaction:
                    self._execute("ROLLBACK")
                raise

    def _open(self) -> None:
        execute = self._execute
        execute("PRAGMA trusted_schema = OFF")
        execute("PRAGMA cell_size_check = ON")
        execute("PRAGMA journal_mode = DELETE")  # not WAL: a cluster's shared file system cannot do that
        found = (execute("PRAGMA application_id").fetchone()[0], execute("PRAGMA user_version").fetchone()[0])
        empty = execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
        if found != ((0, 0) if empty else (_APPLICATION, _VERSION)):
            raise InputError(f"{self.path}: is no store of finished points of this kit. Name another file.")
        complaint = one_line(str(execute("PRAGMA quick_check(1)").fetchone()[0]))
        if complaint != "ok":
            raise sqlite3.DatabaseError(str(complaint))
        if empty:
            execute("BEGIN IMMEDIATE")
            execute(f"PRAGMA application_id = {_APPLICATION}")
            execute(f"PRAGMA user_version = {_VERSION}")
            execute(_SCHEMA)
            execute("COMMIT")
        objects = [row[0] for row in execute("SELECT sql FROM sqlite_master").fetchall()]
        if objects != [_SCHEMA.replace("IF NOT EXISTS ", "")]:  # a trigger would run when points are written
            raise InputError(f"{self.path}: holds more, or other, than the kit's table of points. Name another file.")

    def _execute(self, statement: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        """Run a statement; wait while another run writes, a second at a time, so that Ctrl-C ends the wait."""
        for _ in range(BUSY_SECONDS):
            try:
                return self._database.execute(statement, values)
            except sqlite3.OperationalError as error:
                if _code(error) != sqlite3.SQLITE_BUSY:
                    raise
        return self._database.execute(statement, values)

    @contextmanager
    def _in_kit_terms(self) -> Iterator[None]:
        try:
            yield
        except (UnicodeDecodeError, OverflowError) as error:
            raise InputError(
                f"{self.path}: is damaged (a text or a number in it is none). Remove it: the points that were in it "
                "are then run again."
            ) from error
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.OperationalError as error:
            if _code(error) == sqlite3.SQLITE_CORRUPT:
                raise self._corrupt(error) from error
            raise InputError(f"{self.path}: cannot be written ({_reason(error)}). Fix that.") from error
        except sqlite3.DatabaseError as error:
            raise self._corrupt(error) from error

    def _corrupt(self, error: sqlite3.Error) -> InputError:
        return InputError(
            f"{self.path}: is damaged ({_reason(error)}). Remove it: the points that were in it are then run again."
        )


def check_is_store(path: Path) -> None:
    """Raise `InputError` where a file cannot hold finished points: it is not there, or of another kind."""
    if not path.is_file():
        raise InputError(
            f"{path}: cannot be read (no such file). Pass a file of finished points, as `rramkit characterize --shard` "
            f"writes it.{file_meant(path)}"
        )
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) not in (b"", _MAGIC):
            raise InputError(
                f"{path}: holds no finished points. Pass a file that `rramkit characterize --shard` has written."
            )


def store_of(output: Path) -> Path:
    """Return the file beside `output` that keeps its finished points."""
    return output.with_suffix(SUFFIX)


def _row(key: bytes, outcome: Outcome, answers: int) -> _Row:
    values = np.empty(0) if outcome.values is None else np.asarray(outcome.values, dtype="<f8")
    shape = "x".join(str(length) for length in values.shape)
    said = (outcome.reason, outcome.detail, outcome.attempt, outcome.swept, float(outcome.seconds), answers)
    row = (key, shape, values.tobytes(), *said)
    return (*row, _checksum(row))


def _outcome(row: Sequence[object]) -> Outcome | None:
    """Return the outcome that a row holds; None when its checksum does not fit, or it is none that the kit writes.

    SQLite keeps a value of any type in any column, and a checksum can be computed anew.
    """
    if len(row) != len(_COLUMNS) or not all(isinstance(value, kind) for value, kind in zip(row, _COLUMNS, strict=True)):
        return None
    if _checksum(tuple(row[:-1])) != row[-1]:
        return None
    _, shape, data, reason, detail, attempt, swept, seconds, answers, _ = cast(_Row, row)
    counts, lengths = (attempt, swept, answers), [length for length in shape.split("x") if length]
    if min(counts) < 0 or max(counts) > _LARGEST or not 0.0 <= seconds < inf or len(detail) > _LONGEST:
        return None
    if len(lengths) > 32 or not all(length.isdecimal() and len(length) < 10 for length in lengths):
        return None
    sizes = [int(length) for length in lengths]
    if 8 * prod(sizes) != len(data) and not (data == b"" and reason is not None):
        return None
    values = np.frombuffer(data, dtype="<f8").copy().reshape(sizes) if reason is None else None
    return Outcome(values, reason, detail, attempt, swept, seconds, reused=True)


def _checksum(row: tuple[object, ...]) -> int:
    """CRC-32 finds every flipped byte."""
    return zlib.crc32(repr(row).encode())


def _code(error: sqlite3.Error) -> int:
    """Return SQLite's code; an error of Python's own (a text that is not UTF-8) has none, and means damage."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF


def _reason(error: sqlite3.Error) -> str:
    """Return SQLite's word for a failure, in the user's where that is clearer."""
    words = {"SQLITE_FULL": "the disk is full", "SQLITE_READONLY": "it is read-only"}
    return words.get(getattr(error, "sqlite_errorname", ""), one_line(str(error)))
