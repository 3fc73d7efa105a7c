"""Cores of this machine."""

import os


def cores() -> int:
    """Return how many cores this process may use, which can be fewer than the machine has (`taskset`, a container)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
