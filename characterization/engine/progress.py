"""Progress reports of a long job: stages with counts."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """`done` of `total` points of `stage` have ended, `failed` of them without a result."""

    stage: str
    done: int
    total: int
    failed: int = 0


Report = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """Report nothing."""
