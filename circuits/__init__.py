"""Parameterised netlist generators: frozen parameters in, PySpice circuit out."""
