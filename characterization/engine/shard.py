"""Shard of a plan, for job arrays: the points of one share, chosen by their cache keys."""

import re
from dataclasses import dataclass
from typing import Self

from rramkit.errors import InputError


@dataclass(frozen=True)
class Shard:
    """Share number `index` (1 to `count`) of `count`.

    A point belongs to the share that its cache key names: shares need not communicate, and each has nearly as many.
    """

    index: int
    count: int

    @classmethod
    def parsed(cls, text: str) -> Self:
        """Read `i/N`; raise `InputError` when it is not that."""
        match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise InputError(f"`--shard` must be i/N with i from 1 to N; got {text!r}. For instance: --shard 3/8")
        return cls(int(match[1]), int(match[2]))

    def has(self, key: bytes) -> bool:
        """Return whether the point of this hash is ours."""
        return int.from_bytes(key[:8], "big") % self.count == self.index - 1

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


class Elsewhere(Exception):
    """Raised where a table cannot be made because some of its points belong to other shares; not an error."""
