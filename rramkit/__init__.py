"""RRAM training in memory: from the SPICE deck to the trained network, in SI units."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rramkit.array.exact import WireSolution, solve_wires

__version__ = "0.1.0"
__all__ = ["WireSolution", "__version__", "solve_wires"]


def __getattr__(name: str) -> object:
    """Fetch the public names when they are asked for: `import rramkit` alone stays light."""
    if name in __all__:
        from rramkit.array import exact

        return getattr(exact, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
