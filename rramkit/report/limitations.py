"""What the numbers of a report leave out: the one list to edit when the kit models more."""

NOT_MODELLED = (
    "Converters and reads are ideal, and take no energy, but for what the experiment's `mapping.read` has on.",
    "Cells differ, and pulses differ, only where the tables keep a distribution or the rule's `update.spread` is on.",
    "Conductances hold, and cells do not wear or stick, unless the rule's `update` has `retention`, `wear` or `stuck`.",
    "Write voltages droop along the lines only where the rule's `update.droop` is on.",
    "Half-selected cells stay as they are unless the rule's `update.disturb` is on.",
    "The cell model is a published compact model, not a measurement of silicon; it has no forming step.",
    "Energy counts write pulses, array reads and the read stages that are on: no decoders, logic or data movement.",
)
"""Version 0.1 of the kit; one sentence each, shown in every report."""
