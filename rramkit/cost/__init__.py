"""What a run costs: its counts priced by its tables and by components, and machines to compare with."""

from rramkit.cost.assumptions import Assumptions
from rramkit.cost.components import Component, Components, components
from rramkit.cost.cost import Cost, LayerTotal, cost_of
from rramkit.cost.machines import Machine, Range, machines
from rramkit.cost.scaling import Scaling
from rramkit.cost.summary import energy_by_epoch, summary
from rramkit.cost.tornado import Swing, tornado

__all__ = [
    "Assumptions",
    "Component",
    "Components",
    "Cost",
    "LayerTotal",
    "Machine",
    "Range",
    "Scaling",
    "Swing",
    "components",
    "cost_of",
    "energy_by_epoch",
    "machines",
    "summary",
    "tornado",
]
