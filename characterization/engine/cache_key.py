"""What a point is: a hash of everything that decides its numbers, so that a finished one is never run again.

SHA-256 over the deck's text (its models are inlined in it; a file that it includes counts with that file's hash, and so
on down), the simulator with its version and solver, the convergence aids, and the measure: its name, its arguments
and the text of its module. The kit's version stands in the deck.
"""

import functools
import hashlib
import inspect
import re
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path

import numpy as np

from rramkit.characterization.engine import convergence_aids
from rramkit.characterization.engine.component import Component
from rramkit.characterization.engine.point import Measurement
from rramkit.errors import InputError
from rramkit.parameters import Parameters

_INCLUDED = re.compile(r'(?im)^\s*\.(?:include|incl?|lib)\s+(?:"([^"]+)"|\'([^\']+)\'|(\S+))')
_DEPTH = 16  # files that include files: deeper than any model library


def content_key(deck: str, measure: Measurement, simulator: str) -> bytes:
    """Return the 32 bytes that name a run and its measure."""
    parts = [deck, *_included(deck, _DEPTH), identity(measure), simulator, _text_hash(convergence_aids.__name__)]
    return hashlib.sha256("\0".join(parts).encode()).digest()


def identity(measure: Measurement) -> str:
    """Return a text that names a measure and its arguments; raise `InputError` for one that has no lasting name."""
    if isinstance(measure, functools.partial):
        keywords = {name: _stable(value) for name, value in sorted(measure.keywords.items())}
        return f"{identity(measure.func)}{[_stable(value) for value in measure.args]}{keywords}"
    if not inspect.isfunction(measure) or "<" in measure.__qualname__:
        raise InputError(
            f"a point's `measure` must be a function of a module or a `functools.partial` of one, so that it can run "
            f"in another process; got {measure!r}. Name it at the top of a module."
        )
    return f"{measure.__module__}.{measure.__qualname__}@{_text_hash(measure.__module__)}"


def _stable(value: object) -> str:
    """Return a text that is the same for equal arguments on every machine."""
    if isinstance(value, Parameters):
        return f"{type(value).__name__}{value.as_json()}"
    if isinstance(value, np.ndarray):
        return f"array{value.dtype.str}{value.shape}{hashlib.sha256(value.tobytes()).hexdigest()}"
    if isinstance(value, tuple | list):
        return f"[{', '.join(_stable(part) for part in value)}]"
    if isinstance(value, Component):
        return value.identity
    if is_dataclass(value) and not isinstance(value, type):
        return f"{type(value).__name__}[{', '.join(_stable(getattr(value, part.name)) for part in fields(value))}]"
    if value is None or isinstance(value, str | bool | int | float | np.generic):
        return repr(value)
    raise InputError(
        f"an argument of a point's `measure` must be a parameter object, an array, a number or a text; got {value!r}. "
        "Give one of these."
    )


@functools.cache
def _text_hash(module: str) -> str:
    try:
        text = inspect.getsource(sys.modules[module])
    except (KeyError, OSError, TypeError) as error:
        raise InputError(
            f"the module {module} must be a file, so that a measure of it can be named. Save it."
        ) from error
    return hashlib.sha256(text.encode()).hexdigest()


def _included(text: str, depth: int) -> list[str]:
    """Return the hashes of the files that a deck or library includes, and of those that these include."""
    paths = [Path(next(name for name in match.groups() if name)) for match in _INCLUDED.finditer(text)]
    hashes = []
    for path in paths:
        if depth and path.is_file():
            hashes.append(_file_hash(path, path.stat().st_mtime_ns))
            hashes += _included(path.read_text(encoding="utf-8", errors="replace"), depth - 1)
    return hashes


@functools.lru_cache(maxsize=256)
def _file_hash(path: Path, _changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
