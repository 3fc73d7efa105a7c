"""Threads: one kernel on several parts of an array, side by side on the cores that the process may use.

Kernels run without the interpreter's lock, so parts on threads of one pool use several cores. Each part writes to
places of its own, and what parts return are counts: the outcome is the same on any number of threads, to the last bit.

The variable RRAMKIT_THREADS says how many; unset, as many as the cores that the process may use, and in worker
processes (`rramkit.processes`) one. It is no thread of BLAS: that is OMP_NUM_THREADS.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

from rramkit.cores import cores
from rramkit.errors import SetupError

VARIABLE = "RRAMKIT_THREADS"

LEAST = 2**15
"""Numbers (1) that a thread is woken for: 50 us of a kernel, which is what waking it takes."""

_MOST = 1024  # threads (1): more than that is a mistake
_Outcome = TypeVar("_Outcome")


def threads() -> int:
    """Return how many threads kernels may use: RRAMKIT_THREADS, or the cores that the process may use.

    Raises
    ------
    SetupError
        When RRAMKIT_THREADS is no whole number from 1 to 1024.
    """
    wanted = os.environ.get(VARIABLE, "")
    if not wanted:
        return cores()
    if not (wanted.isascii() and wanted.isdigit() and 1 <= int(wanted) <= _MOST):
        raise SetupError(
            f"{VARIABLE} must be a whole number from 1 to {_MOST}; got {wanted!r}. Set one, or unset it: all cores."
        )
    return int(wanted)


def in_parts(work: Callable[[int, int], _Outcome], rows: int, numbers: int) -> list[_Outcome]:
    """Return the outcomes of `work(first, last)` on parts of `rows` rows, together `numbers` numbers, in their order.

    Parts run side by side on threads where there are numbers enough for it. `work` itself must not call this.
    """
    count = min(numbers // LEAST, rows, threads()) if numbers >= 2 * LEAST else 1
    if count <= 1:
        return [work(0, rows)]
    ends = [rows * part // count for part in range(count + 1)]
    others = [_pool(os.getpid()).submit(work, *ends[part : part + 2]) for part in range(1, count)]
    first = work(*ends[:2])
    return [first, *(other.result() for other in others)]


@lru_cache(maxsize=1)
def _pool(process: int) -> ThreadPoolExecutor:
    """Return the threads of a process: a forked one has none of its parent's."""
    return ThreadPoolExecutor(_MOST, thread_name_prefix="kernels")  # started as they are needed
