# pyright: reportMissingImports=false
"""Compiled kernels: whether they run, and how numba compiles them.

No fast-math: additions and products stay in their order and are not fused, so that results are NumPy's to the last bit
wherever the arithmetic is the same.

The variable RRAMKIT_KERNELS chooses: `numpy` for NumPy alone, `compiled` for compiled kernels (an error where they
cannot be had); unset, compiled ones where numba and SciPy are installed.
"""

import os
import sys
from collections.abc import Callable
from functools import lru_cache
from importlib import util
from pathlib import Path
from typing import Any

from rramkit.errors import SetupError

VARIABLE = "RRAMKIT_KERNELS"


_SETTINGS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}


def compiled() -> bool:
    """Return whether compiled kernels run.

    Raises
    ------
    SetupError
        When RRAMKIT_KERNELS has another value, or asks for compiled kernels and numba or SciPy cannot be used.
    """
    return usable(os.environ.get(VARIABLE, ""))


@lru_cache(maxsize=4)
def usable(wanted: str) -> bool:
    """Return whether compiled kernels run where `wanted` is asked for: what `compiled` does with the variable."""
    if wanted not in ("", "numpy", "compiled"):
        raise SetupError(f"{VARIABLE} must be numpy or compiled; got {wanted!r}. Set one of these, or unset it.")
    if wanted == "numpy" or (not wanted and util.find_spec("numba") is None):
        return False
    try:
        import numba  # noqa: F401  (an optional extra)
        import scipy  # noqa: F401  (whose BLAS numba calls for products of matrices)
    except ImportError as error:  # not there, or not for this NumPy
        if not wanted:
            return False
        raise SetupError(
            f"{VARIABLE} is compiled, which needs numba and SciPy; one does not load ({error}). "
            "Run: pip install 'rramkit[fast]', or unset it."
        ) from error
    return True


def family() -> str:
    """Return the name of the kernels that run: NumPy's, or the compiler and its version."""
    if not compiled():
        return "NumPy kernels"
    import numba

    return f"numba {numba.__version__} kernels"


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function on its first call for its types of number, without the interpreter's lock.

    That takes a second or two (a whole read ten), and is kept beside the source or in the user's cache, until a file
    that it is made of changes; where neither can be written, in memory alone.
    """
    import numba

    try:
        return _dated(numba.njit(cache=True, **_SETTINGS)(function))
    except (RuntimeError, AttributeError):  # no folder for what is kept, or a numba that keeps it in another way
        return numba.njit(**_SETTINGS)(function)


def _dated(dispatcher: Any) -> Any:  # noqa: ANN401
    """Return a compiled function whose kept code is old as soon as anything that it is made of has changed.

    numba looks at the function's own file alone: parts of a kernel from other files, and numbers imported from them,
    would stay what they were.
    """
    kept = getattr(dispatcher, "_cache", None)  # none where numba compiles nothing (NUMBA_DISABLE_JIT)
    if kept is not None:
        kept._cache_file._source_stamp = _made_of(dispatcher.py_func.__globals__)
    return dispatcher


def _made_of(names: dict[str, Any]) -> tuple[tuple[Any, ...], ...]:
    """Return what compiled code of a module with these names hangs on: files by time and size, and numbers by value.

    The files are those beside the module's own, and those of the kit that these names are from, and so on through
    modules that hold compiled code; the numbers are all that stand at the top of these, their own and imported ones.
    """
    seen, todo, stamps = set(), [names], set()
    while todo:
        now = todo.pop()
        if now["__name__"] in seen:
            continue
        seen.add(now["__name__"])
        files, compiled_code = [Path(now["__file__"])], _has_compiled(now)
        if compiled_code:
            files = files[0].parent.glob("*.py")
            todo += [vars(sys.modules[name]) for name in map(_home, now.values()) if _is_of_kit(name)]
        stamps |= {(str(each), each.stat().st_mtime, each.stat().st_size) for each in files}
        stamps |= {(now["__name__"], name, repr(each)) for name, each in now.items() if _is_number(each)}
    return tuple(sorted(stamps))


def _has_compiled(names: dict[str, Any]) -> bool:
    """Whether a module with these names holds what numba compiles: one is of numba, or a decorator from here."""
    homes = {_home(each) for each in names.values()}
    return names["__name__"] != __name__ and (__name__ in homes or any(each.startswith("numba.") for each in homes))


def _home(value: object) -> str:
    """Return the name of the module that a function, a class or a kernel is of; of anything else an empty one."""
    return str(getattr(value, "__module__", "") or "")


def _is_of_kit(name: str) -> bool:
    return name.split(".")[0] == __name__.split(".")[0] and name in sys.modules


def _is_number(value: object) -> bool:
    """Whether a value is a number, or several."""
    if isinstance(value, tuple):
        return bool(value) and all(map(_is_number, value))
    return isinstance(value, int | float | complex)


def part_of_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function into each kernel that calls it: a call for a row of fifty numbers takes as long as they do."""
    import numba

    return numba.njit(inline="always", **_SETTINGS)(function)
