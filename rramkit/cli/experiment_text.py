"""An experiment as a TOML file that the kit reads back."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rramkit.learning.experiment import Experiment


def toml_text(experiment: Experiment, *, heading: str) -> str:
    """Return what is set in an experiment as TOML, below a comment of one line; `Experiment.from_toml` reads it."""
    values = experiment.model_dump(mode="json", exclude_unset=True)
    plain = {name: value for name, value in values.items() if not isinstance(value, dict)}
    groups = {name: value for name, value in values.items() if isinstance(value, dict) and value}
    lines = [f"# {heading}", *_lines(plain)]
    for name, group in groups.items():
        lines += ["", f"[{_key(name)}]", *_lines(group)]
    return "\n".join(lines) + "\n"


def _lines(values: Mapping[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        if value is not None:
            yield f"{_key(name)} = {_value(value, spread=True)}"


def _value(value: object, *, spread: bool = False) -> str:
    """Return one value; a list of tables takes a line for each where it may `spread`."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items() if v is not None) + " }"
    if isinstance(value, list | tuple):
        parts = [_value(each) for each in value]
        if spread and any(isinstance(each, dict) for each in value):
            return "[\n" + "".join(f"    {each},\n" for each in parts) + "]"
        return "[" + ", ".join(parts) + "]"
    return json.dumps(value, ensure_ascii=False)  # TOML has no pairs of escapes for one character


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else _value(name)
