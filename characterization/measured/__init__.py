"""Measured devices as tables: from pulse-response and I-V files, or from published figures; no netlist, no SPICE."""
