"""A whole design: the plan of cell and array, and those of any number of other components; their tables share a file.

    name = "my design"
    blocks = ["sense_amp", "adc_levels", "mine.toml"]    # plans of the kit by name, or files beside this one

    [cell]                                               # the plan of cell and array; left out: none
    seed = 7

A file that holds the plan of one component, or of cell and array alone, is a design of that alone. One with

    base = "design"         # another design, of the kit by name or a file beside this one
    condition = "nominal"   # tt, nominal supply, 300.15 K alone, instead of `corners`
    without = ["periphery"] # its plans that are left out

    [changes.adc.held_out]  # keys of its plans, `cell` among them, with other values than there
    runs = 1

is the base at that condition.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from rramkit.characterization.components import find
from rramkit.characterization.engine.corners import NOMINAL, T_NOMINAL, Condition, Corners, at_corner
from rramkit.characterization.engine.plan import ComponentPlan
from rramkit.characterization.plan import Plan
from rramkit.circuits import catalog, libraries
from rramkit.circuits.compiled_cell import CompiledCell, Form
from rramkit.circuits.device import Device, in_form
from rramkit.circuits.libraries import ModelFile
from rramkit.circuits.technology import Technology
from rramkit.errors import InputError, TableError, meant
from rramkit.parameters import Parameters, beside, listing, quantity, toml_values
from rramkit.table.schema import COMPONENT_PLAN

FOLDER = Path(__file__).resolve().parent / "plans"


class Design(Parameters):
    """Plans whose tables go into one file."""

    name: str = Field(default="design", description="what is characterised", pattern=r"^[\w .,()+-]{1,80}$")
    cell: Plan | None = quantity(None, "1", "the plan of cell and arrays: groups read, set, reset, wires")
    blocks: tuple[ComponentPlan, ...] = quantity((), "1", "plans of other components")

    @model_validator(mode="after")
    def _names(self) -> Self:
        names = [plan.name for plan in self.blocks]
        names += [each.name for each in self.cell.expanded()] if self.cell is not None else []
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two plans have one name, {twice[0]!r}: each is a group of the file")
        if self.cell is None and not self.blocks:
            raise ValueError("there is nothing to do: give `cell` or `blocks`")
        return self

    def at_nominal(self) -> Self:
        """Return the design at tt, nominal supply and 300.15 K alone, without axes of corner."""
        cell = self.cell and self.cell.model_copy(update={"corners": _nominal(self.cell.corners)})
        blocks = [plan.model_copy(update={"corners": _nominal(plan.corners)}) for plan in self.blocks]
        return self.model_copy(update={"cell": cell, "blocks": tuple(blocks)})

    def without(self, names: Sequence[str]) -> Self:
        """Return the design without some of its plans of components; raise `InputError` for one that it has not."""
        strange = sorted(set(names) - {plan.name for plan in self.blocks})
        if strange:
            raise InputError(f"`without` must name plans of the base; got {', '.join(strange)}. Fix it.")
        return self.model_copy(update={"blocks": tuple(plan for plan in self.blocks if plan.name not in names)})

    def changed(self, changes: Mapping[str, Mapping[str, Any]], *, where: str) -> Self:
        """Return the design with other values of some keys of its plans; raise `InputError` where they do not fit."""
        names = ["cell"] * (self.cell is not None) + [plan.name for plan in self.blocks]
        strange = sorted(set(changes) - set(names))
        if strange:
            raise InputError(f"{where}: `changes` must name plans: {', '.join(names)}; got {strange[0]!r}. Fix it.")
        cell = self.cell
        if cell is not None and "cell" in changes:
            cell = Plan.checked(merged(cell.model_dump(mode="json"), changes["cell"]), where=f"{where}: changes.cell")
        blocks = tuple(
            component_plan(
                merged(plan.model_dump(mode="json"), changes[plan.name]), where=f"{where}: changes.{plan.name}"
            )
            if plan.name in changes
            else plan
            for plan in self.blocks
        )
        return self.model_copy(update={"cell": cell, "blocks": blocks})

    @property
    def plans(self) -> tuple[ComponentPlan, ...]:
        """Return the plans of all tables, in the order in which they run."""
        return (*(self.cell.expanded() if self.cell is not None else ()), *self.blocks)

    @property
    def waive(self) -> tuple[str, ...]:
        """Return the parts of ngspice's warnings that any of the plans accepts."""
        return waived_by(self.plans)

    @property
    def max_failed(self) -> float:
        """Return the part of a stage's points that may fail; the plan of each component says its own."""
        return self.cell.max_failed if self.cell is not None else Plan().max_failed


def with_cells(design: Design, form: Form) -> Design:
    """Return a design whose devices of the kit are compiled `never`, `always`, or `auto`: where they can be."""
    cell = design.cell and in_form(design.cell, form)
    blocks = [
        ComponentPlan.checked(
            {name: getattr(plan, name) for name in type(plan).model_fields}
            | {"parameters": in_form(plan.nominal, form).model_dump(mode="json")},
            where=plan.name,
        )
        for plan in design.blocks
    ]
    return design.model_copy(update={"cell": cell, "blocks": tuple(blocks)})


def waived_by(plans: Iterable[ComponentPlan]) -> tuple[str, ...]:
    """Return the parts of ngspice's warnings that any of some plans accepts, each once."""
    return tuple(dict.fromkeys(text for plan in plans for text in plan.waive))


def merged(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return values with changes in their place, key by key at every depth."""
    return {**values} | {
        key: merged(values[key], new) if isinstance(new, Mapping) and isinstance(values.get(key), Mapping) else new
        for key, new in changes.items()
    }


def _nominal(corners: Corners) -> Corners:
    """Return the nominal condition where corners are listed, whether or not it is among them."""
    return corners.nominal.model_copy(
        update={"supply": (1.0,), "temperature": (T_NOMINAL,) if corners.temperature else ()}
    )


class Derived(Parameters):
    """A design that is another one at fewer conditions, or with fewer plans."""

    name: str = Field(default="design", description="what is characterised", pattern=r"^[\w .,()+-]{1,80}$")
    base: str = Field(default="design", description="the other design: of the kit by name, or a TOML file")
    condition: Literal["corners", "nominal"] = quantity("corners", "1", "conditions: the base's corners, or nominal")
    without: tuple[str, ...] = quantity((), "1", "names of plans that are left out")
    changes: dict[str, dict[str, Any]] = quantity({}, "1", "by plan, or `cell`: keys with other values than the base's")


def design_of(plan: "Plan | Design") -> Design:
    """Return a design; a plan of cell and array is one without other components."""
    return plan if isinstance(plan, Design) else Design(cell=plan)


def parts_of(plan: "Plan | Design") -> list[Plan | ComponentPlan]:
    """Return the plans that a design is made of."""
    design = design_of(plan)
    return [*([design.cell] if design.cell is not None else []), *design.blocks]


def listed(plan: Plan | ComponentPlan) -> str:
    """Return a plan for a person: of cell and array a line for each parameter, of a component the whole as JSON."""
    return listing(plan) if isinstance(plan, Plan) else json.dumps(plan.model_dump(mode="json"), indent=1)


def plan_names() -> tuple[str, ...]:
    """Return the names of the kit's own plans."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


_reading: ContextVar[tuple[Path, ...]] = ContextVar("_reading", default=())  # plans that name each other, on the way


def find_design(name: str) -> Design:
    """Return the design of a plan of the kit by its name, or of a TOML file by its path."""
    if catalog.current_name(name) in plan_names():
        return read_design(FOLDER / f"{catalog.noted_name(name)}.toml")
    if not name.endswith(".toml"):
        raise InputError(
            f"`--plan` must be a TOML file or one of {', '.join(plan_names())}; got {name!r}."
            f"{meant(catalog.current_name(name), plan_names())} Pass one of them."
        )
    return read_design(Path(name))


def read_design(path: Path) -> Design:
    """Read a TOML file: a design, the plan of one component, or that of cell and array; its paths are beside it."""
    reading = _reading.get()
    if path.resolve() in reading:
        raise InputError(f"{path}: leads back to itself by `blocks` or `base`. Remove that entry.")
    token = _reading.set((*reading, path.resolve()))
    try:
        with beside(path):
            return _design(toml_values(path), path)
    finally:
        _reading.reset(token)


def _design(values: dict[str, Any], path: Path) -> Design:
    if "base" in values:
        return _derived(values, path)
    if "block" in values or "component" in values:
        plan = component_plan(_with_present_name(values), where=str(path))
        return Design(name=str(values.get("name", "component")), blocks=(plan,))
    if "blocks" not in values and "cell" not in values:
        return Design(cell=Plan.checked(values, where=str(path)))
    entries = values.pop("blocks", [])
    if not isinstance(entries, list):
        raise InputError(f"{path}: `blocks` must be a list of names and plans; got {entries!r}. Write it as a list.")
    plans = [plan for entry in entries for plan in _plans(entry, path)]
    return Design.checked(values | {"blocks": plans}, where=str(path))


def _derived(values: dict[str, Any], path: Path) -> Design:
    """Return the design that a file derives from another one."""
    settings = Derived.checked(values, where=str(path))
    base = settings.base
    design = read_design(path.parent / base) if base.endswith(".toml") else find_design(base)
    design = design.without(settings.without).changed(settings.changes, where=str(path))
    design = design.model_copy(update={"name": settings.name})
    return design.at_nominal() if settings.condition == "nominal" else design


def component_plan(values: Mapping[str, Any], *, where: str) -> ComponentPlan:
    """Return the plan of one component, its component given by name (`component`, in files of 0.1.0 `block`).

    Raises
    ------
    InputError
        When there is no such component, or a key does not fit.
    """
    rest = {name: value for name, value in values.items() if name not in ("component", "block")}
    name = values.get("component", values.get("block"))
    if not isinstance(name, str):
        raise InputError(f"{where}: `component` must name a component; got {name!r}. Add the line `component = ...`.")
    return ComponentPlan.checked({**rest, "component": find(name)}, where=where)


def plans_of(provenance: Mapping[str, str], *, simulated: bool = True) -> list[ComponentPlan]:
    """Return the plans of a table file's tables: those that stand in it, and those that its plan of cell expands to.

    Parameters
    ----------
    provenance : mapping of str to str
        That of the table file, which may have come from anywhere: a model file that it names is not opened. In its
        place stands the one of the same name that the user named in this process (`named_like`).
    simulated : bool
        Whether circuits are made of the plans. If not, circuits of models that the user did not name stand at their
        defaults: the plans are good for limits and axes only.

    Raises
    ------
    InputError
        When circuits are made, and the user did not name a model file.
    TableError
        When circuits are made, and their models are not those that the tables were made from.
    """
    cell = _cell_plan(provenance, simulated=simulated)
    plans = {plan.name: plan for plan in (cell.expanded() if cell is not None else ())}
    for key, text in provenance.items():
        if key.startswith(COMPONENT_PLAN):
            plan = component_plan(_read_plan(text, key, simulated=simulated), where=f"the table file's `{key}`")
            plans[plan.name] = plan
    if simulated:
        _check_models(plans.values(), provenance)
    return list(plans.values())


def cell_plan_of(provenance: Mapping[str, str]) -> Plan | None:
    """Return the plan of cell and array that a table file was made by; None when it was made without one.

    Model files are those of `plans_of` for circuits.
    """
    plan = _cell_plan(provenance, simulated=True)
    if plan is not None:
        _check_models(plan.expanded(), provenance)
    return plan


def _cell_plan(provenance: Mapping[str, str], *, simulated: bool) -> Plan | None:
    text = provenance.get("plan")
    if text is None:
        return None
    # A plan is kept whole: one without these keys is of a file that was made before there were such tables.
    before = {"scatter": {"points": 0}, "droop": {"g_points": 0}, "disturb": {"g_points": 0}}
    return Plan.checked(before | _read_plan(text, "plan", simulated=simulated), where="the table file's `plan`")


def _read_plan(text: str, key: str, *, simulated: bool) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TableError(
            f"the table file's `{key}` cannot be read ({error}). Regenerate the file with `rramkit characterize`."
        ) from error
    if not isinstance(values, dict):
        raise TableError(f"the table file's `{key}` is no plan. Regenerate the file with `rramkit characterize`.")
    return _with_named_libraries(values, simulated=simulated)


_CORNERS = "corners"  # of transistors: a file by the name of its corner


def _with_named_libraries(values: Any, *, simulated: bool) -> Any:  # noqa: ANN401  (any part of a plan)
    """Return a part of a table file's plan with the user's own model files in place of those that it names."""
    if isinstance(values, list):
        return [_with_named_libraries(each, simulated=simulated) for each in values]
    if not isinstance(values, dict):
        return values
    if isinstance(values.get(_CORNERS), dict):
        files = {
            name: {libraries.LIBRARY_KEYS[0]: file} for name, file in values[_CORNERS].items() if isinstance(file, str)
        }
        values = values | {_CORNERS: values[_CORNERS] | files}
    found = {name: _with_named_libraries(each, simulated=simulated) for name, each in values.items()}
    for name in libraries.LIBRARY_KEYS:
        paths = values.get(name)
        if isinstance(paths, str) and paths:
            mine = _named(paths, simulated=simulated)
        elif isinstance(paths, list):
            mine = [_named(each, simulated=simulated) for each in paths if isinstance(each, str)]
        else:
            continue
        if mine is None or (isinstance(mine, list) and None in mine):
            return {}
        found[name] = mine
    return found


def _named(path: str, *, simulated: bool) -> str | None:
    """Return the user's model file in the place of one that a table file names; None: he has named none."""
    mine = libraries.named_like(path)
    if mine is None and simulated:
        raise InputError(
            f"the table file was made with the model file {path[:200]!r}, and what a table file names is not opened by "
            f"itself. Name yours: `--library {ascii(Path(path).name)[1:-1][:80]}` (`name_library` in Python)."
        )
    return mine


def _check_models(plans: Iterable[ComponentPlan], provenance: Mapping[str, str]) -> None:
    """Raise `TableError` where models are not those that a table file was made from."""
    text = provenance.get("models")
    if text is None:
        return
    try:
        made_from = set(json.loads(text).values())
    except (ValueError, RecursionError, AttributeError, TypeError) as error:
        raise TableError(
            f"the table file's `models` cannot be read ({error}). Regenerate the file with `rramkit characterize`."
        ) from error
    for library in sorted({each for plan in plans for each in libraries_of(plan)}, key=str):
        equal = {libraries.sha256(library)}
        if isinstance(library, CompiledCell):
            equal.add(libraries.sha256(library.behavioural))
        if not equal & made_from:
            raise TableError(
                f"the tables were made from other models: {library} is not what it was then. Restore it, or regenerate "
                "the file with `rramkit characterize`."
            )


def echo(design: Design) -> dict[str, str]:
    """Return the plans, whole, as entries of a table file's provenance: `plan` of cell and array, one a component."""
    cell = {"plan": design.cell.as_json()} if design.cell is not None else {}
    return cell | {COMPONENT_PLAN + plan.name: plan.as_json() for plan in design.plans}


def libraries_of(plan: ComponentPlan) -> set[ModelFile]:
    """Return the model libraries of a component's decks, those of every process corner."""
    used: set[ModelFile] = set()
    for process in plan.corners.process or (None,):
        corner = Condition(process, NOMINAL.supply, NOMINAL.temperature)
        used |= _libraries(at_corner(plan.simulated, corner, plan.component.supplies))
    return used


def check_corners(plan: ComponentPlan) -> None:
    """Raise `InputError` where two process corners of a plan have the same models: the axis would do nothing."""
    seen: dict[tuple[str, ...], str] = {}
    for process in plan.corners.process if len(plan.corners.process) > 1 else ():
        corner = Condition(process, NOMINAL.supply, NOMINAL.temperature)
        used = _libraries(at_corner(plan.simulated, corner, plan.component.supplies))
        models = tuple(sorted(libraries.sha256(each) for each in used))
        if models in seen:
            raise InputError(
                f"the plan {plan.name}: the corners {seen[models]} and {process} have the same models, so the axis "
                "would do nothing. Name a section of `library_file` for each corner, or leave `process` out."
            )
        seen[models] = process


def _libraries(params: Parameters) -> set[ModelFile]:
    if isinstance(params, Technology):
        return {params.library}
    if isinstance(params, Device):
        return {params.model_file}
    inner = (getattr(params, name) for name in type(params).model_fields)
    return {library for each in inner if isinstance(each, Parameters) for library in _libraries(each)}


def _plans(entry: object, path: Path) -> tuple[ComponentPlan, ...]:
    """Return the plans that an entry of `blocks` stands for: a name, a file beside `path`, or a plan itself."""
    if isinstance(entry, dict):
        return (component_plan(_with_present_name(entry), where=str(path)),)
    if isinstance(entry, str) and entry.endswith(".toml"):
        return read_design(path.parent / entry).blocks
    if isinstance(entry, str) and catalog.current_name(entry) in plan_names():
        return read_design(FOLDER / f"{catalog.noted_name(entry)}.toml").blocks
    names = ", ".join(plan_names())
    hint = meant(catalog.current_name(entry), plan_names()) if isinstance(entry, str) else ""
    raise InputError(f"{path}: `blocks` must hold names ({names}), TOML files or plans; got {entry!r}.{hint} Fix it.")


def _with_present_name(values: dict[str, Any]) -> dict[str, Any]:
    """Return a plan's values with the present name of its component, with a note where a file has the former one."""
    name = values.get("component", values.get("block"))
    return values | {"component": catalog.noted_name(name)} if isinstance(name, str) else values
