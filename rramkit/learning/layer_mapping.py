"""How one layer's matrix lies in arrays, where that differs from all others: group `mapping.layers.NAME` in TOML."""

from collections.abc import Callable, Iterator
from typing import Any, Self

from pydantic import Field, field_serializer, field_validator

from rramkit.array.mapping import WeightMapping
from rramkit.array.stages.chain import ReadChain
from rramkit.array.stages.stage import Stage
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity


class LayerMapping(Parameters):
    """Settings of one layer, each in place of that of all layers; what is left out is as in all.

    Examples
    --------
    >>> layer = LayerMapping(off=["wires"], read={"adc": {"bits": 4}})
    >>> [name for name, _ in layer.each_left_out()]
    ['off = wires', 'read.adc.bits']
    """

    off: tuple[str, ...] = quantity((), "1", "stages of reads and writes that are ideal for this layer, by name")
    read: ReadChain | None = Field(default=None, description="typed numbers of stages of its reads")
    weights: WeightMapping | None = Field(default=None, description="its weight mapping: kind, bits, slices")
    rows: int | None = quantity(None, "1", "rows of its largest array", ge=1, le=65_536)
    columns: int | None = quantity(None, "1", "physical columns of it", ge=1, le=65_536)
    override: bool = quantity(False, "1", "whether its typed numbers may take the place of a table's")

    @field_validator("weights", mode="before")
    @classmethod
    def _default_kind(cls, weights: object) -> object:
        return {"kind": "pairs", **weights} if isinstance(weights, dict) else weights

    @field_serializer("read")
    def _typed_alone(self, read: ReadChain | None) -> dict[str, Any] | None:
        """Give what was typed, and no default: a default of one layer may be another number in all of them."""
        return None if read is None else read.model_dump(mode="json", exclude_unset=True)

    def over(self, read: ReadChain) -> ReadChain:
        """Return the typed stages of all layers with those of this one on top, and without those that are off."""
        values = read.model_dump(exclude_unset=True)
        values = {name: value for name, value in values.items() if name not in self.off}
        for name, value in (self.read.model_dump(exclude_unset=True) if self.read is not None else {}).items():
            old = values.get(name)
            values[name] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
        return ReadChain.checked(values, where="`read`")

    def ideal(self) -> Self:
        """Return these settings without any non-ideality: weight mapping and size of the arrays stay."""
        return type(self)(weights=self.weights, rows=self.rows, columns=self.columns)

    @property
    def empty(self) -> bool:
        """Whether nothing is set."""
        return not any(True for _ in self.each_left_out())

    def each_left_out(self) -> "Iterator[tuple[str, LayerMapping]]":
        """Yield each setting's name, and the settings without it."""
        for name in self.off:
            kept = tuple(each for each in self.off if each != name)
            yield f"off = {name}", self.model_copy(update={"off": kept})
        for path in _typed(self.read):
            yield f"read.{'.'.join(path)}", self.model_copy(update={"read": _without(self.read, path)})
        for name in ("weights", "rows", "columns"):
            if getattr(self, name) is not None:
                yield name, self.model_copy(update={name: None})
        if self.override:
            yield "override", self.model_copy(update={"override": False})


def check_changes(place: str, layer: LayerMapping, outcome: Callable[[LayerMapping], object]) -> None:
    """Refuse settings of which one changes nothing.

    Parameters
    ----------
    place : str
        Where they stand, for the message.
    layer : LayerMapping
        The settings.
    outcome : callable
        All that settings come to; `InputError` where they do not fit.

    Raises
    ------
    InputError
        When the outcome is the same without one of them, or nothing is set; with `place`, when they do not fit.
    """
    if layer.empty:
        raise InputError(f"`{place}` must set something; it is empty. Remove it.")
    try:
        whole = outcome(layer)
    except InputError as error:
        raise InputError(f"`{place}`: {error}") from error
    for name, without in layer.each_left_out():
        try:
            same = outcome(without) == whole
        except InputError:
            same = False  # it is needed
        if same:
            raise InputError(
                f"`{place}.{name}` must change something; the layer is the same without it: what it sets is already "
                "so, or has no effect there. Remove it."
            )


def _typed(read: ReadChain | None) -> list[tuple[str, ...]]:
    """Return the path of every number that is set."""
    paths: list[tuple[str, ...]] = []
    for name in sorted(read.model_fields_set) if read is not None else ():
        value = getattr(read, name)
        paths += [(name, field) for field in sorted(value.model_fields_set)] if isinstance(value, Stage) else [(name,)]
    return paths


def _without(read: ReadChain | None, path: tuple[str, ...]) -> ReadChain:
    assert read is not None
    values = read.model_dump(exclude_unset=True)
    *groups, last = path
    for name in groups:
        values = {**values, name: dict(values[name])}
    group = values[groups[0]] if groups else values
    del group[last]
    return ReadChain.checked(values, where="`read`")
