"""What `--json` prints: JSON by its standard, which has no NaN and no infinity; every command prints through here.

Without NumPy: `rramkit doctor` runs where it is missing.
"""

import json
from collections.abc import Mapping
from math import isfinite
from pathlib import Path


def text(value: object, *, indent: int | None = None) -> str:
    """Return a value as JSON; a number that is none, or without end, becomes `null`.

    Parameters
    ----------
    value : object
        Mappings, sequences, arrays, texts, paths, numbers of Python or NumPy, None.
    indent : int, optional
        Spaces of each level; left out, all in one line.

    Raises
    ------
    TypeError
        For anything else.
    """
    return json.dumps(_plain(value), indent=indent, allow_nan=False)


def _plain(value: object) -> object:
    """Return a value made of what JSON has."""
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    to_list = getattr(value, "tolist", None)
    if to_list is not None:  # of NumPy: a number or an array
        return _plain(to_list())
    if isinstance(value, Path):
        return str(value)
    return None if isinstance(value, float) and not isfinite(value) else value
