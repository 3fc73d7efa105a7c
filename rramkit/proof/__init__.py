"""Proof of a training in SPICE, and its sensitivity to the circuits: what needs both ngspice and the array simulator."""
