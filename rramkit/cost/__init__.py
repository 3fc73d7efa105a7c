"""What a run costs: prices of what SPICE does not cover, and machines to compare with."""

from rramkit.cost.components import Component, Components, components
from rramkit.cost.scaling import Scaling

__all__ = ["Component", "Components", "Scaling", "components"]
