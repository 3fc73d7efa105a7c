"""A whole design: the plan of cell and arrays, and those of any number of circuit blocks; what one file is made by.

    name = "my design"
    blocks = ["sense_amp", "adc_levels", "mine.toml"]    # plans of the kit by name, or files beside this one

    [cell]                                               # the plan of cell and arrays; left out: none
    seed = 7

A file that holds the plan of one block, or of cell and arrays alone, is a design of that alone.
"""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import Field, model_validator

from rramkit.characterization.engine.corners import NOMINAL, Condition, at_corner
from rramkit.characterization.engine.plan import ComponentPlan
from rramkit.characterization.plan import Plan
from rramkit.circuits import catalog
from rramkit.circuits.device import Device
from rramkit.circuits.libraries import ModelFile
from rramkit.circuits.technology import Technology
from rramkit.errors import InputError, TableError
from rramkit.parameters import Parameters, listing, quantity

FOLDER = Path(__file__).resolve().parent / "plans"
BLOCK_PLAN = "block_plan_"
"""Before a block's name: the entry of a table file's provenance that holds its plan, whole, as JSON."""


class Design(Parameters):
    """Plans whose tables go into one file."""

    name: str = Field(default="design", description="what is characterised", pattern=r"^[\w .,()+-]{1,80}$")
    cell: Plan | None = quantity(None, "1", "the plan of cell and arrays: groups read, set, reset, wires")
    blocks: tuple[ComponentPlan, ...] = quantity((), "1", "plans of circuit blocks")

    @model_validator(mode="after")
    def _names(self) -> Self:
        names = [plan.name for plan in self.blocks]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two blocks have one name, {twice[0]!r}: each is a group of the file")
        if self.cell is None and not self.blocks:
            raise ValueError("there is nothing to do: give `cell` or `blocks`")
        return self

    @property
    def max_failed(self) -> float:
        """Return the part of a stage's points that may fail; each block's plan says its own."""
        return self.cell.max_failed if self.cell is not None else Plan().max_failed


def design_of(plan: "Plan | Design") -> Design:
    """Return a design; a plan of cell and arrays is one without blocks."""
    return plan if isinstance(plan, Design) else Design(cell=plan)


def parts_of(plan: "Plan | Design") -> list[Plan | ComponentPlan]:
    """Return the plans that a design is made of."""
    design = design_of(plan)
    return [*([design.cell] if design.cell is not None else []), *design.blocks]


def listed(plan: Plan | ComponentPlan) -> str:
    """Return a plan for a person: of cell and array a line for each parameter, of a block the whole as it is echoed."""
    return listing(plan) if isinstance(plan, Plan) else json.dumps(plan.model_dump(mode="json"), indent=1)


def plan_names() -> tuple[str, ...]:
    """Return the names of the kit's own plans."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def find_design(name: str) -> Design:
    """Return the design of a plan of the kit by its name, or of a TOML file by its path."""
    if catalog.current_name(name) in plan_names():
        return read_design(FOLDER / f"{catalog.noted_name(name)}.toml")
    if not name.endswith(".toml"):
        raise InputError(f"`--plan` must be a TOML file or one of {', '.join(plan_names())}; got {name!r}. Correct it.")
    return read_design(Path(name))


def read_design(path: Path) -> Design:
    """Read a TOML file: a design, the plan of one block, or that of cell and arrays."""
    values = _with_present_name(_values(path))
    if "block" in values:
        return Design(name=str(values.get("name", "block")), blocks=(ComponentPlan.checked(values, where=str(path)),))
    if "blocks" not in values and "cell" not in values:
        return Design(cell=Plan.checked(values, where=str(path)))
    entries = values.pop("blocks", [])
    if not isinstance(entries, list):
        raise InputError(f"{path}: `blocks` must be a list of names and plans; got {entries!r}. Write it as a list.")
    plans = [plan for entry in entries for plan in _plans(entry, path)]
    return Design.checked(values | {"blocks": plans}, where=str(path))


def blocks_of(provenance: Mapping[str, str]) -> list[ComponentPlan]:
    """Return the block plans that a table file was made by."""
    found = []
    for key, text in provenance.items():
        if key.startswith(BLOCK_PLAN):
            try:
                found.append(ComponentPlan.checked(json.loads(text), where=f"the table file's `{key}`"))
            except json.JSONDecodeError as error:
                raise TableError(f"the table file's `{key}` cannot be read ({error}). Characterise again.") from error
    return found


def echo(design: Design) -> dict[str, str]:
    """Return the plans, whole, as entries of a table file's provenance: `plan` of cell and arrays, one a block."""
    cell = {"plan": design.cell.as_json()} if design.cell is not None else {}
    return cell | {BLOCK_PLAN + plan.name: plan.as_json() for plan in design.blocks}


def libraries_of(plan: ComponentPlan) -> set[ModelFile]:
    """Return the model libraries of a block's decks, those of every process corner."""
    found: set[ModelFile] = set()
    for process in plan.corners.process:
        params = at_corner(
            plan.nominal, Condition(process, NOMINAL.supply, NOMINAL.temperature), plan.measured.supplies
        )
        found |= _libraries(params)
    return found


def _libraries(params: Parameters) -> set[ModelFile]:
    if isinstance(params, Technology | Device):
        return {params.library}
    inner = (getattr(params, name) for name in type(params).model_fields)
    return {library for each in inner if isinstance(each, Parameters) for library in _libraries(each)}


def _plans(entry: object, path: Path) -> tuple[ComponentPlan, ...]:
    """Return the plans that an entry of `blocks` stands for: a name, a file beside `path`, or a plan itself."""
    if isinstance(entry, dict):
        return (ComponentPlan.checked(_with_present_name(entry), where=str(path)),)
    if isinstance(entry, str) and entry.endswith(".toml"):
        return read_design(path.parent / entry).blocks
    if isinstance(entry, str) and catalog.current_name(entry) in plan_names():
        return read_design(FOLDER / f"{catalog.noted_name(entry)}.toml").blocks
    known = ", ".join(plan_names())
    raise InputError(f"{path}: `blocks` must hold names ({known}), TOML files or plans; got {entry!r}. Correct it.")


def _with_present_name(values: dict[str, Any]) -> dict[str, Any]:
    """Return a plan's values with the present name of its block, with a note where a file has the former one."""
    name = values.get("block")
    return values | {"block": catalog.noted_name(name)} if isinstance(name, str) else values


def _values(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}). Give the path of a TOML file.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a TOML file: {error}. Mend the line it names.") from error
