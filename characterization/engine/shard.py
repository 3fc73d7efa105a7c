"""A share of a plan, for job arrays: which points are ours, said by the points themselves."""

import re
from dataclasses import dataclass
from typing import Self

from rramkit.errors import InputError


@dataclass(frozen=True)
class Shard:
    """Share number `index` (1 to `count`) of `count`.

    A point belongs to the share that its content's hash names: no share knows of another, and each has nearly as many.
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
    """No error, but the end of what a share can do of a table: points of it belong to other shares."""
