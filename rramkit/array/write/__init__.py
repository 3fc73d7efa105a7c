"""Writing cells: pulses, the update chain and its stages, write-verify."""
