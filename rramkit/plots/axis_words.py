"""What an axis of a table is called on pictures and in the report: the line that steps, where it is one."""

from rramkit.table import Table
from rramkit.table.schema import SET, words_of


def stepped_line(table: Table) -> str:
    """Return the line whose voltage is the amplitude of a write table."""
    if table.polarity is None or SET.burst in table.conditions:  # a measured device's terminals are its own
        return "pulse"
    if table.polarity == "reset":
        return "source line"
    return "bit line" if SET.v_wl in table.conditions else "word line"


def axis_words(table: Table, name: str) -> str:
    """Return the words for an axis of a table; the amplitude of a pulse is the voltage of the line that steps."""
    is_amplitude = name == SET.v_pulse and SET.delta_g in table.signals
    return f"{stepped_line(table)} voltage" if is_amplitude else words_of(table.name, name)
