"""Where the numbers of each stage of a training came from: a table, a setting, or nowhere, which is the ideal stage."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

Part = Literal["read", "write"]


@dataclass(frozen=True)
class StageSource:
    """Where the numbers of one stage come from.

    Attributes
    ----------
    part : str
        Whether it is a stage of reads or of writes.
    stage : str
        Its name.
    source : str
        `table`, `typed`, `table, typed: NAMES (override)`, `ideal: not characterised` or `off`.
    groups : tuple of str
        Tables that it reads.
    condition : str
        Corner, temperature and supply of these tables.
    """

    part: Part
    stage: str
    source: str
    groups: tuple[str, ...] = ()
    condition: str = ""

    @property
    def from_table(self) -> bool:
        """Whether a table gives its numbers, or some of them."""
        return self.source.startswith("table")


def as_json(sources: Iterable[StageSource]) -> str:
    """Return sources as JSON."""
    return json.dumps([asdict(each) for each in sources])


def from_json(text: str) -> tuple[StageSource, ...]:
    """Return the sources that `as_json` gave; raise `ValueError` or `TypeError` for other JSON."""
    found = tuple(StageSource(**{**each, "groups": tuple(each["groups"])}) for each in json.loads(text))
    for each in found:
        if not all(
            isinstance(part, str) for part in (each.part, each.stage, each.source, each.condition, *each.groups)
        ):
            raise ValueError("`stages` holds what is no text")
    return found
