"""Settings of an import: what the files of a measurement do not hold, and how they become tables."""

from typing import Literal

from pydantic import Field, model_validator

from rramkit.characterization.measured import unit_spelling
from rramkit.parameters import Parameters, quantity

PULSE_ROLES = ("conductance", "resistance", "current", "set", "reset", "polarity", "pulse", "amplitude", "width")
PULSE_ROLES += ("read_voltage", "cycle", "device", "ignore")
IV_ROLES = ("voltage", "current", "curve", "ignore")
VALUE = "value"
"""Key of the unit of what was read after the pulses, whether conductance, resistance or current."""


class FileSettings(Parameters):
    """How a measured file is read, where it does not say so itself."""

    columns: dict[str, int | str | list[int | str]] = Field(
        default={}, description="role to column: its number from 1, its name, or a list of them"
    )
    units: dict[str, str] = Field(
        default={}, description="role, or `value` for what was read after the pulses, to unit, e.g. uS"
    )
    delimiter: Literal["comma", "semicolon", "tab", "bar", "space"] | None = quantity(None, "1", "what separates cells")
    decimal: Literal["point", "comma"] | None = quantity(None, "1", "decimal mark")
    sheet: str | None = quantity(None, "1", "sheet of a spreadsheet")
    ramp: int | None = quantity(None, "1", "reads of each ramp of a column of both polarities", ge=8)
    repeats: Literal["cycles", "devices"] | None = quantity(
        None, "1", "what several columns of one polarity are: cycles of one device, or devices"
    )
    set_word: str | None = quantity(None, "1", "word of the column `polarity` for SET")
    reset_word: str | None = quantity(None, "1", "word of the column `polarity` for RESET")

    @model_validator(mode="after")
    def _known(self) -> "FileSettings":
        roles = dict.fromkeys((*PULSE_ROLES, *IV_ROLES))
        for role in self.columns:
            if role not in roles:
                raise ValueError(f"columns: a role must be one of {', '.join(roles)}; got {role!r}")
        for role, unit in self.units.items():
            if role not in roles and role != VALUE:
                raise ValueError(f"units: a role must be one of {', '.join((VALUE, *roles))}; got {role!r}")
            if unit_spelling.parsed(unit) is None:
                raise ValueError(f"units: {role} must be a unit of S, ohm, A, V or s, e.g. uS or kohm; got {unit!r}")
        return self


class PulseSettings(Parameters):
    """The pulses of one polarity, where the file does not carry them."""

    v_pulse: float = quantity(1.0, "V", "amplitude at the driver, as a magnitude", gt=0, le=20)
    t_pulse: float = quantity(1e-6, "s", "width of a pulse", gt=0, le=10)


class ReadSettings(Parameters):
    """How the cells are read in the array."""

    v_read: float = quantity(0.1, "V", "voltage at which the conductance is defined", gt=0, le=2)
    v_max: float = quantity(0.2, "V", "largest voltage of an input", gt=0, le=2)
    t_read: float = quantity(10e-9, "s", "duration of a read", gt=0, le=1)

    @model_validator(mode="after")
    def _within(self) -> "ReadSettings":
        if self.v_read > self.v_max:
            raise ValueError(f"v_read must be at most v_max = {self.v_max:g} V; got {self.v_read:g}")
        return self


class WireSettings(Parameters):
    """Wires of the array: a lone device has none, so that these are the user's; all zero means ideal."""

    r_row: float = quantity(0.0, "ohm", "segment of a row between two cells", ge=0, le=1e4)
    r_col: float = quantity(0.0, "ohm", "segment of a column between two cells", ge=0, le=1e4)
    r_drive: float = quantity(0.0, "ohm", "output resistance of a row's driver", ge=0, le=1e6)
    r_sense: float = quantity(0.0, "ohm", "input resistance of a column's sense input", ge=0, le=1e6)


class ImportSettings(Parameters):
    """How measured pulses and currents become tables."""

    name: str = Field(default="measured device", description="what was measured", pattern=r"^[\w .,:/()+-]{1,80}$")
    g_low: float | None = quantity(None, "S", "conductance of the lowest mean level, for data in arbitrary units", gt=0)
    g_high: float | None = quantity(None, "S", "conductance of the highest one", gt=0)
    points: int = quantity(24, "1", "start conductances of the write tables", ge=4, le=500)
    burst: int = quantity(1, "1", "identical pulses that one write in the array fires", ge=1, le=10000)
    scatter: Literal["write", "all", "none"] = quantity(
        "write", "1", "write: what stays after a pulse; all: noise of the reads too; none: only the mean"
    )
    set: PulseSettings = PulseSettings()
    reset: PulseSettings = PulseSettings()
    pulses: FileSettings = FileSettings()
    iv: FileSettings = FileSettings()
    read: ReadSettings = ReadSettings()
    wires: WireSettings = WireSettings()
    limit: float = quantity(0.05, "1", "largest error of the mean curve at held-out pulses over its range", gt=0, le=1)

    @model_validator(mode="after")
    def _scale(self) -> "ImportSettings":
        if (self.g_low is None) != (self.g_high is None):
            raise ValueError("g_low and g_high must be given together")
        if self.g_low is not None and self.g_high is not None and self.g_low >= self.g_high:
            raise ValueError(f"g_high must be above g_low = {self.g_low:g} S; got {self.g_high:g}")
        return self
