"""Single parameters by dotted path: read, replaced with all checks, and the unit that the field carries."""

from typing import TypeVar

from rramkit.errors import InputError
from rramkit.parameters import Parameters

Given = TypeVar("Given", bound=Parameters)


def value_at(params: Parameters, path: str) -> object:
    """Return the value at a dotted path such as `latch.technology.v_core`."""
    head, _, rest = path.partition(".")
    if head not in type(params).model_fields:
        known = ", ".join(type(params).model_fields)
        raise InputError(f"`{path}` must name a parameter; `{head}` is none of {known}. Fix it.")
    value = getattr(params, head)
    if not rest:
        return value
    if not isinstance(value, Parameters):
        raise InputError(f"`{path}` must name a parameter; `{head}` is a value, not a group. Remove what follows it.")
    return value_at(value, rest)


def with_value(params: Given, path: str, value: float) -> Given:
    """Return the parameters with one number replaced; every check of every record on the way runs again."""
    head, _, rest = path.partition(".")
    old = value_at(params, head)
    if rest and isinstance(old, Parameters):
        new: object = with_value(old, rest, value)
    elif rest:
        new = value_at(params, path)  # raises, and says why
    else:
        new = round(value) if is_whole(params, head) else value
    given = {name: getattr(params, name) for name in type(params).model_fields} | {head: new}
    return type(params).checked(given, where="the plan")


def is_whole(params: Parameters, path: str) -> bool:
    """Return whether the parameter at a path is a whole number."""
    value = value_at(params, path)
    return isinstance(value, int) and not isinstance(value, bool)


def number_at(params: Parameters, path: str) -> float:
    """Return the number at a path; raise `InputError` when it is none."""
    value = value_at(params, path)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"`{path}` must name a number; it is {value!r}. Name another parameter.")
    return float(value)


def unit_at(params: Parameters, path: str) -> str:
    """Return the unit of the number at a path."""
    number_at(params, path)
    group, _, name = path.rpartition(".")
    owner = value_at(params, group) if group else params
    extra = type(owner).model_fields[name].json_schema_extra if isinstance(owner, Parameters) else None
    return str(extra.get("unit", "1")) if isinstance(extra, dict) else "1"
