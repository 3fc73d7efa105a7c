"""Frozen, validated parameter objects: every field has a default, a unit and a bound; an unknown key is an error.

A thing's name is its parameters: `key` is a short hash, the same for the same values on every machine.
"""

import hashlib
import json
import re
import textwrap
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar, Union, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic.fields import FieldInfo

from rramkit.errors import InputError, file_meant, meant, one_line
from rramkit.suffixes import has_suffix, number

_SHOWN = 100  # characters of a wrong value that a message repeats
ELSEWHERE = {
    "activation": "function", "batch_size": "batch", "criterion": "loss", "dataset": "data", "filename": "file",
    "lr": "learning_rate", "max_epochs": "epochs", "model": "network", "n_epochs": "epochs", "nonlinearity": "function",
    "num_epochs": "epochs", "path": "file", "random_state": "seed",
}  # fmt: skip
"""What other programs call a key: no likeness of spelling leads from it to ours."""
_LARGEST = 2**20  # bytes of a TOML file: those of the kit have some thousand
_DEEPEST = 32  # groups or lists in each other: those of the kit have six
_LONGEST = 200  # characters of a key
# A dotted key of more groups: Python's reader takes a time that grows with the square of their number.
_DEEP_KEY = re.compile(r"""(?<![\w-])(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){33}""")

Given = TypeVar("Given", bound="Parameters")
_folder: ContextVar[Path | None] = ContextVar("_folder", default=None)


@contextmanager
def beside(file: Path) -> Iterator[None]:
    """Within the block, relative paths in parameters are relative to the folder of `file`, in which they stand."""
    token = _folder.set(file.resolve().parent)
    try:
        yield
    finally:
        _folder.reset(token)


def absolute(path: str) -> str:
    """Return a path that parameters name as an absolute one: relative to the file that they stand in, else here."""
    return str((_folder.get() or Path.cwd()) / Path(path).expanduser())


class Parameters(BaseModel):
    """A frozen record of one thing's parameters, in SI units.

    `old_names` maps keys of earlier versions to those of now; files, the command line and constructors accept both.
    `unsaid` names fields that came later: at their default they stand neither in the record's JSON nor in a deck, so
    that keys, finished points and table files of before stay what they are.
    """

    old_names: ClassVar[Mapping[str, str]] = {}
    unsaid: ClassVar[tuple[str, ...]] = ()

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def __init__(self, /, **values: Any) -> None:  # noqa: ANN401  (values of any field)
        """Build from field values; raise `InputError` with one line that names what does not fit."""
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise InputError(_first_complaint(type(self), error, type(self).__name__)) from None

    # Nested records are then validated by the outer one, whose complaint has the whole dotted name.
    __init__.__pydantic_base_init__ = True  # pyright: ignore[reportFunctionMemberAccess]

    @model_validator(mode="before")
    @classmethod
    def _current_names(cls, values: object) -> object:
        """Replace old names of keys; both names of one key at once are an error. Read numbers that have a suffix."""
        if not isinstance(values, dict):
            return values
        for old, new in cls.old_names.items():
            if old in values and new in values:
                raise ValueError(f"{old} was renamed {new}: use the new name alone")
        typed = _typed_fields(cls)
        named = {cls.old_names.get(name, name): value for name, value in values.items()}
        return {name: typed[name].read(value) if name in typed else value for name, value in named.items()}

    @model_serializer(mode="wrap")
    def _as_said(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values = plain(self)
        return {name: value for name, value in values.items() if not self._is_unsaid(name)} if self.unsaid else values

    def _is_unsaid(self, name: str) -> bool:
        return name in self.unsaid and getattr(self, name) == type(self).model_fields[name].default

    def as_json(self) -> str:
        """Return the parameters as one line of JSON with sorted keys."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True)

    def key(self) -> str:
        """Return 12 hexadecimal digits that name these parameters."""
        return hashlib.sha256(self.as_json().encode()).hexdigest()[:12]

    @classmethod
    def checked(cls, values: dict[str, Any], *, where: str) -> Self:
        """Build from a dictionary.

        Parameters
        ----------
        values : dict
            Values by field name, in SI units; groups are dictionaries.
        where : str
            Origin of the values, for the message.

        Returns
        -------
        Self
            The record.

        Raises
        ------
        InputError
            When a key or a value does not fit; one line gives the field and `where`.

        Examples
        --------
        >>> from rramkit import Experiment
        >>> Experiment.checked({"epochs": 5}, where="example").epochs
        5
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise InputError(_first_complaint(cls, error, where)) from error
        except (RecursionError, OverflowError) as error:
            raise InputError(f"{where}: holds values that are too deep or too large ({error}). Fix them.") from error

    @classmethod
    def from_toml(cls, path: Path) -> Self:
        """Read and check a TOML file.

        Parameters
        ----------
        path : Path
            The file; keys are the field names, values in SI units.

        Returns
        -------
        Self
            The record.

        Raises
        ------
        InputError
            When the file cannot be read, is no TOML, or a key or a value does not fit; one line names it.

        Examples
        --------
        >>> from pathlib import Path
        >>> from rramkit import Experiment
        >>> _ = Path("experiment.toml").write_text("epochs = 5")
        >>> Experiment.from_toml(Path("experiment.toml")).epochs
        5
        """
        with beside(path):
            return cls.checked(toml_values(path), where=str(path))

    def described(self, *, unsaid: bool = True) -> list[tuple[str, object, str, str]]:
        """Return (name, value, unit, description) of each field that is not itself a record; `unsaid` ones too."""
        rows = []
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if not isinstance(value, Parameters) and (unsaid or not self._is_unsaid(name)):
                rows.append((name, value, unit_of_field(field), field.description or ""))
        return rows


class _Typed:
    """A field that takes a number, or a list of numbers or words: how a text that stands for it is read.

    What cannot be read stays as it is: the field's own check then complains.
    """

    def __init__(self, unit: str, *, words: bool = False, many: bool = False) -> None:
        self.unit, self.words, self.many = unit, words, many

    def read(self, value: object) -> object:
        if not self.many:
            return self._number(value)
        if isinstance(value, str):  # `48,24`
            parts = [part.strip() for part in value.split(",")]
            return [self._number(part) for part in parts] if all(map(_WORD.fullmatch, parts)) else value
        if isinstance(value, int | float) and not isinstance(value, bool) and not self.words:
            return [value]
        return [self._number(each) for each in value] if isinstance(value, list | tuple) else value

    def _number(self, value: object) -> object:
        if self.words or not isinstance(value, str) or not has_suffix(value):
            return value
        try:
            return number(value, self.unit)
        except ValueError:
            return value


_WORD = re.compile(r"[\w.+\N{MICRO SIGN}\N{OHM SIGN}-]+")


@cache
def _typed_fields(model: type[Parameters]) -> dict[str, _Typed]:
    """Return the fields of a record that take a number, or a list of numbers or words."""
    found = {}
    for name, field in model.model_fields.items():
        unit, (annotation, *others) = unit_of_field(field), _alternatives(field.annotation)
        if get_origin(annotation) is tuple and not others:
            each = get_args(annotation)[0]
            if each is str or get_origin(each) is Literal:
                found[name] = _Typed(unit, words=True, many=True)
            elif _is_number(_alternatives(each)):
                found[name] = _Typed(unit, many=True)
        elif _is_number([annotation, *others]):
            found[name] = _Typed(unit)
    return found


def _alternatives(annotation: Any) -> list[Any]:  # noqa: ANN401  (any annotation of a field)
    """Return the types that an annotation allows, None apart."""
    if get_origin(annotation) is Annotated:
        return _alternatives(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [each for part in get_args(annotation) if part is not type(None) for each in _alternatives(part)]
    return [annotation]


def _is_number(alternatives: list[Any]) -> bool:
    return all(each in (int, float) for each in alternatives)


def toml_values(path: Path) -> dict[str, Any]:
    """Return what a TOML file holds; raise `InputError` when it cannot be read, is no TOML, or of no sensible size.

    Sensible: what `values_of` takes, in a file of at most a megabyte.
    """
    cure = "Pass the path of a TOML file."
    try:
        if path.is_file() and path.stat().st_size > _LARGEST:
            raise InputError(f"{path}: is larger than {_LARGEST} bytes. {cure}")
        with path.open(encoding="utf-8", newline="") as file:  # a device or a pipe has no size, and may have no end
            text = file.read(_LARGEST)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}). {cure}{file_meant(path)}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a TOML file: {error}. Save it in UTF-8.") from error
    try:
        return values_of(text.replace("\r\n", "\n"))
    except ValueError as error:
        raise InputError(one_line(f"{path}: not a TOML file: {error}. Fix what it names.")) from error


def values_of(text: str) -> dict[str, Any]:
    """Return what TOML text holds; raise `ValueError` for anything else, and for what would choke who reads it.

    That is: groups or lists in each other more than 32 deep, keys of more than 200 characters, integers of more than 64
    bits (TOML has no others).
    """
    if _DEEP_KEY.search(text):
        raise ValueError(f"a key of more than {_DEEPEST} groups")
    try:
        values = tomllib.loads(text)
    except RecursionError:
        raise ValueError(f"values in each other more than {_DEEPEST} deep") from None
    level: list[Any] = [values]
    for _ in range(_DEEPEST):
        for each in level:
            _check_value(each)
        level = [item for each in level for item in _items(each)]
        if not level:
            return values
    raise ValueError(f"values in each other more than {_DEEPEST} deep")


def _check_value(value: object) -> None:
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError("an integer of more than 64 bits")
    if isinstance(value, dict):
        longest = max(map(len, value), default=0)
        if longest > _LONGEST:
            raise ValueError(f"a key of {longest} characters; {_LONGEST} at most")


def _items(value: object) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def flat(parameters: Parameters, prefix: str = "", *, unsaid: bool = True) -> list[tuple[str, object, str, str]]:
    """Return (dotted name, value, unit, description) of every field, those of nested records after a record's own.

    With `unsaid` False, fields that a record leaves unsaid at their default are left out.
    """
    rows = [(prefix + name, value, unit, text) for name, value, unit, text in parameters.described(unsaid=unsaid)]
    for name in type(parameters).model_fields:
        value = getattr(parameters, name)
        if isinstance(value, Parameters):
            rows += flat(value, f"{prefix}{name}.", unsaid=unsaid)
    return rows


def listing(parameters: Parameters, indent: str = "", *, columns: int = 0) -> str:
    """Return one line for each field: name, value, unit, description; what is wider than `columns` below its name."""
    lines = []
    for name, value, unit, text in flat(parameters):
        start = f"{indent}{name} = {value} {'' if unit == '1' else unit}"
        line = f"{start:<48} {text}"
        if columns and len(line) > columns:
            below = f"{indent}    "
            lines += [start.rstrip(), *textwrap.wrap(text, columns, initial_indent=below, subsequent_indent=below)]
        else:
            lines.append(line)
    return "\n".join(lines)


def unit_of_field(field: FieldInfo) -> str:
    """Return the unit of a field; empty: it has none, for instance a group."""
    extra = field.json_schema_extra
    return str(extra.get("unit", "")) if isinstance(extra, dict) else ""


def quantity(default: Any, unit: str, description: str, **bounds: float) -> Any:  # noqa: ANN401  (as pydantic's Field)
    """Return a pydantic field with a unit; `bounds` are `ge`, `gt`, `le`, `lt`."""
    return Field(default=default, description=description, json_schema_extra={"unit": unit}, **bounds)  # pyright: ignore[reportArgumentType, reportCallIssue]


def _first_complaint(model: type[Parameters], error: ValidationError, where: str) -> str:
    return one_line(_complaint(model, error, where))


def _complaint(model: type[Parameters], error: ValidationError, where: str) -> str:
    first = error.errors()[0]
    owner, names = _owner(model, first["loc"])
    name = ".".join(names) or "(top level)"
    said = f"`{name}` " if names else ""  # a check of everything names its keys itself
    more = f" ({error.error_count() - 1} more after this one)" if error.error_count() > 1 else ""
    if first["type"] == "extra_forbidden":
        return f"{where}: `{name}` is not a known key.{_suggestion(model, owner, names)}{more}"
    if first["type"] == "union_tag_invalid":
        tags = first.get("ctx", {}).get("expected_tags", "")
        got = repr(first.get("ctx", {}).get("tag"))
        return f"{where}: `{name}.kind` must be one of {tags}; got {got}.{_meant_of(tags, got)} Fix this key.{more}"
    field = owner.model_fields.get(names[-1]) if names else None
    unit = "" if field is None else unit_of_field(field)
    hint = ""
    what = first["msg"].removeprefix("Value error, ").removeprefix("Input ").removeprefix("String ")
    unit = f" {unit}" if what[-1].isdigit() and unit not in ("", "1") else ""
    if first["type"] == "model_type":
        what = "should be a group of keys, not a value"
        hint = _of_group(owner, names, first["input"])
    if first["type"] == "tuple_type":
        what = "should be a list"
    if first["type"] == "value_error" and isinstance(first["input"], dict):  # of a whole group: it says what arrived
        return f"{where}: {said}{what.removesuffix('.')}.{more}"
    got = _shown(first["input"])
    if first["type"] == "literal_error":
        hint = _meant_of(what, got)
    if first["type"] in ("float_parsing", "int_parsing"):
        what = _not_a_number(owner, names, first["input"]) or what
    return f"{where}: `{name}` {what}{unit}; got {got}.{hint} Fix this key.{more}"


def _of_group(owner: type[Parameters], names: list[str], given: object) -> str:
    """Return the key of a group that a value in the group's place is probably meant for, else which keys it has."""
    groups = models_of(owner.model_fields[names[-1]].annotation) if names and names[-1] in owner.model_fields else []
    keys = list(dict.fromkeys(name for group in groups for name in group.model_fields))
    first = next((key for key in ("kind", "name") if key in keys), None)
    if first is not None and isinstance(given, str):
        return f" Did you mean `{'.'.join([*names, first])}`?"
    return f" Its keys: {', '.join(keys)}." if keys else ""


def _meant_of(choices: str, got: str) -> str:
    """Return the suggestion of one of several words in quotes."""
    return meant(got.strip("'"), re.findall(r"'([^']*)'", choices))


def _not_a_number(owner: type[Parameters], names: list[str], given: object) -> str:
    """Return why a number with a suffix does not fit its field; empty: it is none."""
    field = next((owner.model_fields[name] for name in reversed(names) if name in owner.model_fields), None)
    if isinstance(given, str) and "," in given:
        return "should be one number"
    if field is None or not isinstance(given, str) or not has_suffix(given):
        return ""
    try:
        number(given, unit_of_field(field))
    except ValueError as error:
        return str(error)
    return ""


def _shown(value: object) -> str:
    """Return a wrong value as text, shortened; Python writes no integer of more than 4300 digits."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        return f"a {type(value).__name__} too large to show"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} ..."


def _suggestion(model: type[Parameters], owner: type[Parameters], names: list[str]) -> str:
    """Return the known keys of `owner`, and what is meant: a key of a group in it, of another kind, or alike."""
    *path, wrong = names
    wrong = ELSEWHERE.get(wrong, wrong)
    found = [*_inside(owner, path, lambda name: name == wrong), *_of_other_kinds(model, owner, names)]
    if not found:
        alike = get_close_matches(wrong, owner.model_fields, n=1, cutoff=0.75)
        found = [f"`{'.'.join([*path, each])}`" for each in alike]
    if not found:
        found = _inside(owner, path, lambda name: bool(get_close_matches(wrong, [name], cutoff=0.8)))
    hint = f" Did you mean {', or '.join(found[:3])}?" if found else ""
    return f" Keys: {', '.join(owner.model_fields)}.{hint}"


def _inside(owner: type[Parameters], path: list[str], fits: Callable[[str], bool]) -> list[str]:
    """Return the keys of groups in a record whose names fit: those that its default kinds have first, then by depth."""
    found: dict[str, list[str]] = {}
    for place, kind in _places(owner, fits, ()):
        found.setdefault(".".join([*path, *place]), []).append(kind)
    texts = {
        place: f"`{place}`" + ("" if "" in kinds else f" (kind {', '.join(dict.fromkeys(kinds))})")
        for place, kinds in found.items()
    }
    return [texts[place] for place in sorted(texts, key=lambda each: ("" not in found[each], each.count("."), each))]


def _places(
    model: type[Parameters], fits: Callable[[str], bool], above: tuple[type[Parameters], ...]
) -> Iterator[tuple[list[str], str]]:
    """Yield path and kind of each key in a record's groups that fits; no kind where the group's default has the key."""
    for group, field in model.model_fields.items():
        if get_origin(field.annotation) is dict:
            continue  # records by a name of one's own, which only repeat keys of other groups
        records = models_of(field.annotation)
        for record in records:
            if record in (model, *above):
                continue
            other = len(records) > 1 and type(field.default) is not record
            kind = str(_kind(record)) if other else ""
            yield from (([group, name], kind) for name in record.model_fields if fits(name))
            for path, inner in _places(record, fits, (*above, model)):
                yield [group, *path], kind or inner


def _of_other_kinds(model: type[Parameters], owner: type[Parameters], names: list[str]) -> list[str]:
    """Return the key of a group's other kinds that is called like a wrong one of this kind."""
    *path, wrong = names
    candidates = [model]
    for part in path:
        fields = [one.model_fields[part] for one in candidates if part in one.model_fields]
        candidates = [record for field in fields for record in models_of(field.annotation)]
    kinds = [str(_kind(one)) for one in candidates if one is not owner and wrong in one.model_fields and path]
    return [f"it with `{'.'.join(path)}.kind` {' or '.join(kinds)}"] if kinds else []


def _owner(model: type[Parameters], loc: tuple[int | str, ...]) -> tuple[type[Parameters], list[str]]:
    """Follow `loc` down nested records; return the record that holds the last field, and the dotted name's parts.

    In a union of records pydantic puts the record's `kind` into `loc`: it picks the record and is no part of the name.
    """
    owner, candidates, names, is_key = model, [model], list[str](), False
    for part in loc:
        if is_key:  # of a dictionary of records
            names.append(str(part))
            is_key = False
            continue
        chosen = [one for one in candidates if len(candidates) > 1 and _kind(one) == part]
        if chosen:
            owner, candidates = chosen[0], chosen
            continue
        names.append(str(part))
        if isinstance(part, str) and candidates:
            owner = candidates[0]
            field = owner.model_fields.get(part)
            candidates = [] if field is None else models_of(field.annotation)
            is_key = field is not None and get_origin(field.annotation) is dict
    return owner, names


def _kind(model: type[Parameters]) -> object:
    field = model.model_fields.get("kind")
    return None if field is None else field.default


def models_of(annotation: object) -> list[type[Parameters]]:
    """Return the records in an annotation: itself, or those of a union, a tuple or a dictionary's values."""
    if isinstance(annotation, type) and issubclass(annotation, Parameters):
        return [annotation]
    return [model for part in get_args(annotation) for model in models_of(part)]


def current_path(model: type[Parameters], path: str) -> str:
    """Return a dotted path with the keys of earlier versions replaced by those of now."""
    names, candidates = list[str](), [model]
    for part in path.split("."):
        name = next((one.old_names[part] for one in candidates if part in one.old_names), part)
        fields = [one.model_fields[name] for one in candidates if name in one.model_fields]
        candidates = [group for field in fields for group in models_of(field.annotation)]
        names.append(name)
    return ".".join(names)


def get_path(params: Parameters, path: str) -> object:
    """Return the value at a dotted path such as `latch.technology.v_core`."""
    head, _, rest = path.partition(".")
    if head not in type(params).model_fields:
        names = ", ".join(type(params).model_fields)
        raise InputError(f"`{path}` must name a parameter; `{head}` is none of {names}. Fix the path.")
    value = getattr(params, head)
    if not rest:
        return value
    if not isinstance(value, Parameters):
        raise InputError(f"`{path}` must name a parameter; `{head}` is a value, not a group. Remove what follows it.")
    return get_path(value, rest)


def replace_path(params: Given, path: str, value: float) -> Given:
    """Return the parameters with the number at a dotted path replaced; every check of every record on the way runs."""
    head, _, rest = path.partition(".")
    old = get_path(params, head)
    if rest and isinstance(old, Parameters):
        new: object = replace_path(old, rest, value)
    elif rest:
        new = get_path(params, path)  # raises, and says why
    else:
        new = round(value) if is_whole_path(params, head) else value
    values = {name: getattr(params, name) for name in type(params).model_fields} | {head: new}
    return type(params).checked(values, where="the plan")


def is_whole_path(params: Parameters, path: str) -> bool:
    """Return whether the parameter at a dotted path is a whole number."""
    value = get_path(params, path)
    return isinstance(value, int) and not isinstance(value, bool)


def number_of_path(params: Parameters, path: str) -> float:
    """Return the number at a dotted path; raise `InputError` when it is none."""
    value = get_path(params, path)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"`{path}` must name a number; it is {value!r}. Name another parameter.")
    return float(value)


def unit_of_path(params: Parameters, path: str) -> str:
    """Return the unit of the number at a dotted path."""
    number_of_path(params, path)
    group, _, name = path.rpartition(".")
    owner = get_path(params, group) if group else params
    return unit_of_field(type(owner).model_fields[name]) or "1" if isinstance(owner, Parameters) else "1"
