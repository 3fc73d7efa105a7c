"""Memory of the C library: what arrays free stays with the process, so that the next step need not ask for it again.

glibc gives the end of its heap back to the system once twice the largest array of a while is free there, and then gets
it again page by page. A training step allocates and frees the same arrays over and over: for LeNet-5 at a batch of 64
that was 3,300 pages a step, a tenth of its time. The bound below is what a process holds on to at most, without using
it. Arrays above glibc's largest limit, 32 MB, come from the system as ever, and go back to it at once.

Who sets one of glibc's own variables (MALLOC_TRIM_THRESHOLD_, MALLOC_MMAP_THRESHOLD_, MALLOC_TOP_PAD_, or glibc.malloc
in GLIBC_TUNABLES) is left alone; other C libraries keep what they free, or have no such setting.
"""

import ctypes
import os
from functools import lru_cache

KEPT = 2**28
"""Free memory at the end of the heap that stays with the process (bytes): more than a step of LeNet-5 frees."""

_LARGEST = 2**25  # bytes: the largest array that glibc takes from its heap (DEFAULT_MMAP_THRESHOLD_MAX)
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt(3), in malloc.h
_VARIABLES = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_")


@lru_cache(maxsize=1)
def keep_freed() -> bool:
    """Let the process hold on to the memory that its arrays free; return whether the C library does that."""
    if any(name in os.environ for name in _VARIABLES) or "glibc.malloc." in os.environ.get("GLIBC_TUNABLES", ""):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):  # not glibc
        return False
    return bool(mallopt(_MMAP_THRESHOLD, _LARGEST) and mallopt(_TRIM_THRESHOLD, KEPT))
