"""Proof of a training in SPICE, and its sensitivity to circuits: what needs ngspice and the array simulator."""
