"""BLAS threads: matrices of the size of an array on one processor core.

BLAS libraries divide a product among threads from a few thousand elements up. At 128 x 128 that gains nothing, and
where other work shares the machine each product waits for a thread that does not run: an exact solution of 0.2 s
took 40 s on two busy cores.
"""

from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from pathlib import Path

from threadpoolctl import ThreadpoolController

_WIDE = frozenset({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"})  # what OpenBLAS's SkylakeX kernels need

SHARED_FROM = 384  # order of a matrix (1) from which two threads gain more than they cost


def threads_for(order: int) -> AbstractContextManager[object]:
    """Return a context in which BLAS works on matrices of this order: on one core, where they are small."""
    return nullcontext() if order >= SHARED_FROM else alone()


def alone() -> AbstractContextManager[object]:
    """Return a context in which BLAS takes one thread; more of them go on spinning for a while after each product."""
    return _controller().limit(limits=1, user_api="blas")


@lru_cache(maxsize=1)
def arithmetic() -> str:
    """Return what sums depend on in their last bits: each BLAS library with its kernel, and the threads it may take."""
    libraries = [each for each in _controller().info() if each["user_api"] == "blas"]
    texts = {
        f"{each['internal_api']} {each['version']} {each.get('architecture', '')}, threads {each['num_threads']}"
        for each in libraries
    }
    return "; ".join(sorted(" ".join(text.split()) for text in texts)) or "a BLAS library of unknown kind"


def left_idle(flags: frozenset[str]) -> bool:
    """Return whether an OpenBLAS took its kernels of 256-bit vectors on a processor with these flags, which has 512.

    OpenBLAS knows processors by family: one that is newer than it gets the kernels of Haswell.
    """
    kernels = {each.get("architecture", "") for each in _controller().info() if each["internal_api"] == "openblas"}
    return _WIDE <= flags and bool(kernels & {"Haswell", "Zen"})


@lru_cache(maxsize=1)
def processor_flags() -> frozenset[str]:
    """Return what the processor can do, by Linux's names; nothing on other systems."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), []))


@lru_cache(maxsize=1)
def _controller() -> ThreadpoolController:
    return ThreadpoolController()  # looks through all loaded libraries: once is enough
