"""RRAM training in memory: from the SPICE deck to the trained network, in SI units."""

__version__ = "0.1.0"
