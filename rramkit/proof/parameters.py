"""Circuit parameters by name across the plans of a design: find them, and change them everywhere at once.

A name is the end of a dotted path: `cell.w_access` is that of every plan whose parameters have such a cell,
`readout.ota.w_input` that of every plan with a readout. What is no circuit parameter may be a key of the plan of cell
and array: `conductance.g_max`, `wires.rows_max`.
"""

from collections.abc import Iterator
from difflib import get_close_matches

from rramkit.characterization.design import Design
from rramkit.characterization.engine.plan import ComponentPlan
from rramkit.errors import InputError
from rramkit.parameters import Parameters, is_whole_path, number_of_path, replace_path


def paths_of(params: Parameters, prefix: str = "") -> Iterator[str]:
    """Yield the dotted path of every number in nested parameters."""
    for name in type(params).model_fields:
        value = getattr(params, name)
        if isinstance(value, Parameters):
            yield from paths_of(value, f"{prefix}{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield prefix + name


def matches(params: Parameters, name: str) -> list[str]:
    """Return the paths of nested parameters that end with a name, whole words only."""
    return [path for path in paths_of(params) if path == name or path.endswith(f".{name}")]


def value_of(design: Design, name: str) -> float:
    """Return the value of a circuit parameter of a design.

    Raises
    ------
    InputError
        When no plan has it, or plans give it different values.
    """
    values = {number_of_path(owner, path) for owner in _owners(design, name) for path in matches(owner, name)}
    if not values:
        raise InputError(f"`{name}` is no circuit parameter of this design.{_near(design, name)}")
    if len(values) > 1:
        raise InputError(
            f"`{name}` has several values in this design: {', '.join(f'{value:g}' for value in sorted(values))}. "
            "Give more of its path."
        )
    return float(next(iter(values)))


def beside(design: Design, name: str, step: float) -> tuple[float, float]:
    """Return the values of a circuit parameter a relative `step` below and above its own.

    Of a whole number they are the nearest whole ones, at least one below and one above.

    Raises
    ------
    InputError
        When no plan has it, plans give it different values, or it is 0, of which a part is nothing.
    """
    value = value_of(design, name)
    if value == 0.0:
        raise InputError(f"`{name}` is 0 in this design: a relative change of it is none. Name another parameter.")
    low, high = sorted((value * (1.0 - step), value * (1.0 + step)))
    if any(is_whole_path(owner, path) for owner in _owners(design, name) for path in matches(owner, name)):
        return float(min(round(low), value - 1)), float(max(round(high), value + 1))
    return low, high


def changed(design: Design, name: str, value: float) -> tuple[Design, tuple[str, ...]]:
    """Return the design with a circuit parameter at another value in every plan, and the plans that it touches.

    Parameters
    ----------
    design : Design
        The design.
    name : str
        End of the dotted path, for instance `readout.ota.w_input`.
    value : float
        New value, in the parameter's unit.

    Returns
    -------
    design : Design
        The new design.
    touched : tuple of str
        Names of the plans that changed.

    Raises
    ------
    InputError
        When no plan has it, or the value is out of bounds.
    """
    value_of(design, name)
    cell = design.cell
    touched: list[str] = []
    if cell is not None and matches(cell, name):
        before = {plan.name: plan for plan in cell.expanded()}
        for path in matches(cell, name):
            cell = replace_path(cell, path, value)
        after = {plan.name: plan for plan in cell.expanded()}
        touched += [each for each, plan in after.items() if matches(plan.nominal, name) or plan != before.get(each)]
    blocks = []
    for plan in design.blocks:
        new = _changed_plan(plan, name, value)
        touched += [plan.name] if new is not plan else []
        blocks.append(new)
    return design.model_copy(update={"cell": cell, "blocks": tuple(blocks)}), tuple(touched)


def _owners(design: Design, name: str) -> list[Parameters]:
    """Return what has a parameter: the circuits of plans, or else the plan of cell and array."""
    owners: list[Parameters] = [plan.nominal for plan in design.plans if matches(plan.nominal, name)]
    return owners if owners or design.cell is None else [design.cell]


def _changed_plan(plan: ComponentPlan, name: str, value: float) -> ComponentPlan:
    paths = matches(plan.nominal, name)
    if not paths:
        return plan
    params = plan.nominal
    for path in paths:
        params = replace_path(params, path, value)
    values = {key: getattr(plan, key) for key in type(plan).model_fields}
    return type(plan).checked(values | {"parameters": params.model_dump(mode="json")}, where=f"the plan {plan.name}")


def _near(design: Design, name: str) -> str:
    every = sorted({path for plan in design.plans for path in paths_of(plan.nominal)})
    ends = sorted({path.split(".", 1)[-1] for path in every} | set(every))
    close = get_close_matches(name, ends, n=3, cutoff=0.5)
    return f" Did you mean {', '.join(f'`{each}`' for each in close)}?" if close else " See `rramkit netlist --list`."
