"""Parameterised netlist generators: frozen parameters in, PySpice circuit or deck out."""
