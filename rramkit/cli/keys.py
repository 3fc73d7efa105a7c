"""Every key that a parameter, plan or experiment file may hold, with what its field says of it.

The files are read from the records that check them: nothing is listed twice. A key is a dotted path as it stands in
TOML; of lists of groups (`[[axes]]`) it is that of an entry, and `*` stands for a name that the user chooses
(`limits.*.max`).
"""

import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from rramkit.errors import InputError
from rramkit.parameters import ELSEWHERE, Parameters, models_of, unit_of_field


@dataclass(frozen=True)
class Key:
    """One key of one kind of file.

    Attributes
    ----------
    of : str
        What the file describes: `experiment`, `plan of cell and array`, `circuit adc`, ...
    path : tuple of str
        Its dotted path, part by part.
    owner : str
        The record that holds it: module and class.
    kinds : tuple of str
        Choices that it is of, `rule.kind = "sign"`, outermost first.
    description, unit, value, bound, default : str
        As its field says; `value` in words, `bound` empty without one.
    source : str
        Where it comes from: the record's own first line, and the publication that its module names.
    """

    of: str
    path: tuple[str, ...]
    owner: str
    kinds: tuple[str, ...]
    description: str
    unit: str
    value: str
    bound: str
    default: str
    source: str

    @property
    def name(self) -> str:
        """Return the dotted path."""
        return ".".join(self.path)

    @property
    def subject(self) -> tuple[str, str]:
        """Return what is the same for one field in several places: the record and the last word."""
        return self.owner, self.path[-1]


def keys_of(model: type[Parameters], of: str) -> Iterator[Key]:
    """Yield the keys of a record, those of nested ones after its own."""
    yield from _keys(model, of, _default_of(model), (), (), ())


def _default_of(model: type[Parameters]) -> Parameters | None:
    """Return the record at its defaults; None where it has none: some are built from tables alone."""
    try:
        return model()
    except InputError:
        return None


def _keys(
    model: type[Parameters],
    of: str,
    default: object,
    path: tuple[str, ...],
    kinds: tuple[str, ...],
    above: tuple[type[Parameters], ...],
) -> Iterator[Key]:
    inner: list[tuple[str, FieldInfo, object]] = []
    for name, field in model.model_fields.items():
        here = getattr(default, name) if isinstance(default, model) else _field_default(field)
        yield _key(model, field, of, (*path, name), kinds, here)
        inner.append((name, field, here))
    for name, field, here in inner:
        records = models_of(field.annotation)
        place = (*path, name, "*") if get_origin(field.annotation) is dict else (*path, name)
        for each in records:
            if each in above or each is model:
                continue  # a block of layers in a block of layers: the same keys again
            kind = each.model_fields.get("kind")
            choice = (
                kinds if len(records) == 1 or kind is None else (*kinds, f'{".".join(place)}.kind = "{kind.default}"')
            )
            start = here if isinstance(here, each) else _default_of(each)
            yield from _keys(each, of, start, place, choice, (*above, model))


def _field_default(field: FieldInfo) -> object:
    return REQUIRED if field.is_required() else field.get_default(call_default_factory=True)


REQUIRED = object()


def _key(
    model: type[Parameters], field: FieldInfo, of: str, path: tuple[str, ...], kinds: tuple[str, ...], here: object
) -> Key:
    records = models_of(field.annotation)
    of_record = (inspect.getdoc(records[0]) or "").split("\n\n")[0] if records else ""
    return Key(
        of=of,
        path=path,
        owner=f"{model.__module__}.{model.__qualname__}",
        kinds=kinds,
        description=field.description or " ".join(of_record.split()),
        unit=unit_of_field(field),
        value=_value(field.annotation),
        bound=_bound(field),
        default=_shown(here),
        source=_source(model),
    )


def _value(annotation: Any) -> str:  # noqa: ANN401  (any annotation of a field)
    """Return what a field takes, in words."""
    parts = get_args(annotation)
    if get_origin(annotation) is Literal:
        return "one of " + ", ".join(str(part) for part in parts)
    if get_origin(annotation) is tuple:
        return f"a list, each {_value(parts[0])}"
    if get_origin(annotation) is dict:
        return f"a group of names, each {_value(parts[1])}"
    records = models_of(annotation)
    if records:
        kinds = [str(each.model_fields["kind"].default) for each in records if "kind" in each.model_fields]
        return "a group of keys" + (f", kind one of {', '.join(kinds)}" if len(kinds) > 1 else "")
    if type(None) in parts:
        return " or ".join(_value(part) for part in parts if part is not type(None)) + "; may be left out"
    if parts:
        origin = get_origin(annotation)
        return _value(parts[0]) if not isinstance(origin, type) else " or ".join(_value(part) for part in parts)
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
    return words.get(annotation, "a value")


def _bound(field: FieldInfo) -> str:
    """Return the bounds of a field in words; empty: none."""
    limits = {
        name: getattr(each, name) for each in field.metadata for name in ("ge", "gt", "le", "lt") if hasattr(each, name)
    }
    words = {"ge": "at least {}", "gt": "above {}", "le": "at most {}", "lt": "below {}"}
    return ", ".join(
        words[name].format(f"{limit:g}" if limit < 1e6 else f"{limit:.6g}") for name, limit in limits.items()
    )


def _shown(value: object) -> str:
    """Return a default as it would stand in TOML."""
    if value is REQUIRED:
        return "none: it must be given"
    if isinstance(value, Parameters) or (
        isinstance(value, tuple) and any(isinstance(each, Parameters) for each in value)
    ):
        kind = getattr(value, "kind", None)
        return f'kind = "{kind}"' if kind is not None else "that of its keys"
    if value is None:
        return "left out"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple | list):
        return f"[{', '.join(_shown(each) for each in value)}]"
    return "{}" if value == {} else f"{value:g}" if isinstance(value, float) else str(value)


def _source(model: type[Parameters]) -> str:
    first = " ".join((model.__doc__ or "").split("\n\n")[0].split())
    text = f"{model.__doc__ or ''}\n\n{sys.modules[model.__module__].__doc__ or ''}"
    cited = re.search(r"(?s)\bSource(?: of [^:\n]+)?: (.+?)(?:\n\s*\n|\Z)", text)
    return first + (f" After {_sentence(' '.join(cited[1].split()))}" if cited else "")


def _sentence(text: str) -> str:
    """Return the first sentence of a text; a point inside brackets, or after a single letter, ends none."""
    for end in re.finditer(r"(?<=[a-z0-9)`]{2})\.(?= [A-Z`])", text):
        before = text[: end.end()]
        if before.count("(") == before.count(")") and not before.endswith("al."):
            return before
    return text


def every_key() -> tuple[list[Key], list[str]]:
    """Return the keys of every kind of file, and what is left out because a package that it needs is not there."""
    from rramkit.learning.calibration import CalibrationSettings
    from rramkit.learning.experiment import Experiment
    from rramkit.learning.exploration import Exploration
    from rramkit.learning.rl import RlSettings

    models = {"experiment": Experiment, "settings of rl": RlSettings, "settings of calibrate": CalibrationSettings}
    found = [key for of, model in models.items() for key in keys_of(model, of)]
    of_exploration = [key for key in keys_of(Exploration, "exploration") if len(key.path) == 1]  # and an experiment's
    found += of_exploration
    try:
        found += _of_spice()
    except ImportError as error:
        return found, [f"circuits, plans and imports ({error.name or error} is not installed)"]
    return found, []


def _of_spice() -> list[Key]:
    from rramkit.characterization.design import Derived, Design
    from rramkit.characterization.engine.plan import ComponentPlan
    from rramkit.characterization.measured.settings import ImportSettings
    from rramkit.characterization.plan import Plan
    from rramkit.circuits import catalog

    models = {
        "plan of cell and array": Plan,
        "plan of a component": ComponentPlan,
        "settings of import": ImportSettings,
        "design derived from another": Derived,
    } | {f"circuit {name}": block.parameters for name, block in catalog.BLOCKS.items()}
    found = [key for of, model in models.items() for key in keys_of(model, of)]
    inside = [key for key in keys_of(Design, "design") if len(key.path) == 1]  # the others are those of its plans
    return [*found, *inside, *_of_devices()]


def _of_devices() -> Iterator[Key]:
    """Yield the parameters of the device models, which `overrides` of a device takes by name."""
    from rramkit.netlists import models

    for name in models.names():
        model = models.model(name)
        values = model.sets["default"].values
        for each, told in model.parameters.items():
            yield Key(
                of=f"device model {name}",
                path=("device", "overrides", each),
                owner=f"netlists/parameters/{name}.toml",
                kinds=(f'device.model = "{name}"',),
                description=told.text,
                unit=told.unit,
                value="a number",
                bound=f"at least {told.low:g}, at most {told.high:g}",
                default=f"{values[each]:g}",
                source=f"{model.description}. After {model.sets['default'].source}",
            )


def matching(keys: list[Key], wanted: str) -> list[Key]:
    """Return the keys that a dotted name means: those that are it, else end in it, else have its parts in order.

    A `*` of a key is any word. Words of a path may be left out from the front or between, never at the end.
    """
    parts = tuple(part for part in wanted.strip().strip("[]").split(".") if part)
    if not parts:
        return []
    for fits in (_is, _ends_in, _has_in_order):
        found = [key for key in keys if fits(key.path, parts)]
        if found:
            return found
    return []


def _same(of_key: str, given: str) -> bool:
    return of_key in ("*", given)


def _is(path: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    return len(path) == len(parts) and all(map(_same, path, parts))


def _ends_in(path: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    return len(path) > len(parts) and _is(path[-len(parts) :], parts)


def _has_in_order(path: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    *before, last = parts
    rest = iter(path[:-1])
    return _same(path[-1], last) and all(any(_same(word, part) for word in rest) for part in before)


def similar(keys: list[Key], wanted: str) -> list[str]:
    """Return up to three keys that a wrong name may mean: a similar path, or a similar last word."""
    paths = {key.name: None for key in keys}
    last = {key.path[-1]: None for key in keys}
    known = ELSEWHERE.get(wanted.rpartition(".")[2])
    if known in last:
        return [known]
    found = get_close_matches(wanted, paths, n=3, cutoff=0.75) or get_close_matches(
        wanted.rpartition(".")[2], last, n=3, cutoff=0.6
    )
    return list(dict.fromkeys(found))


def joined(keys: list[Key]) -> list[list[Key]]:
    """Return the keys in groups of one field each, in their order."""
    groups: dict[tuple[str, str], list[Key]] = {}
    for key in keys:
        groups.setdefault(key.subject, []).append(key)
    return list(groups.values())
