"""What the numbers of a report do not hold: the one place to edit when the kit learns to model more."""

NOT_MODELLED = (
    "Converters are ideal: no quantisation, offset, noise or energy of input drivers' and outputs' converters.",
    "Every cell is the same cell: no spread from device to device and no spread from pulse to pulse.",
    "Conductances hold: no drift, no retention loss, no endurance limit and no stuck cells.",
    "Writes are open loop: the controller is taken to know each cell's conductance.",
    "Write voltages do not droop along the lines.",
    "Half-selected cells stay as they are: a pulse changes only the cell that it addresses.",
    "The cell model is a published compact model, not a measurement of silicon; it has no forming step.",
    "Energy counts the write pulses and the array reads only: no decoders, converters, logic or data movement.",
)
"""Version 0.1 of the kit; one sentence each, shown in every report."""
