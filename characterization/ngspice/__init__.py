"""Find, probe and fetch an ngspice library; standard library only."""
