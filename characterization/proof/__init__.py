"""Proof of the composition: whole arrays with their periphery in ngspice against what the tile says."""
