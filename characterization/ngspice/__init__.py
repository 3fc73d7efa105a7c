"""Find, probe and install an ngspice shared library; standard library only."""
