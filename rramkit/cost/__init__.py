"""What a run costs: its counts, priced by SPICE tables and a component file, beside machines to compare with."""

from rramkit.cost.components import Component, Components, components
from rramkit.cost.cost import Cost, cost_of
from rramkit.cost.machines import Machine, Range, machines
from rramkit.cost.references import References, beside
from rramkit.cost.scaling import Scaling

__all__ = [
    "Component",
    "Components",
    "Cost",
    "Machine",
    "Range",
    "References",
    "Scaling",
    "beside",
    "components",
    "cost_of",
    "machines",
]
